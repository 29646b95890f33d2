"""While it is not known who has picked up: what is said over whom, what is an answer, and when a message is spoken.

Verdicts are told by the test (`Told`); how they come about is shown in tests/test_pickup.py."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from ivr.attending import Attending, Pickup
from ivr.leaving import NotAPerson
from ivr.listening import Answer, Listening, Order, Recognise
from ivr.turn import Key, Silence, Speech
from speech.ears import Understood
from speech.ears.activity import Heard
from speech.ears.pickup import LATE_BEEP_S, Evidence, Verdict, WhoAnswered, judged
from tests.test_voice_turn import BEGAN, CITA, ENDED, ENOUGH, PAUSED, PERHAPS, SOUND, Marked

STOPPED = [Order.STOP_PROMPT, Order.FORGET]
SPOKE = Evidence(heard=6.0, first=0.6, longest=0.6, speech=0.6)
TALKS = replace(SPOKE, stretch=5.0, longest=5.0, speech=5.0)
LONG = replace(TALKS, stretch=10.0, longest=10.0)
ANNOUNCED = replace(TALKS, stretch=0.0, announced=5.0)


class Told(WhoAnswered):
    """Hears what the test says."""

    def feed(self, frame: bytes, heard: Heard | None) -> Verdict:
        return self.verdict

    def tells(self, evidence: Evidence, beeped: bool = False) -> None:
        self.evidence, self.beeped = evidence, beeped
        self._judge()

    def words(self, of_a_machine: bool) -> Verdict:
        self.tells(replace(self.evidence, words=of_a_machine))
        return self.verdict


class Story:
    """One question to whom we have called."""

    def __init__(self, *, until_beep: bool = False, ears: bool = False) -> None:
        self.who = Told()
        self.pickup = Pickup(self.who, until_beep, (lambda text: "tone" in text) if ears else None)
        self.question = Attending(
            self.pickup, Marked(), 7.0, (lambda ear: Listening(ear, 7.0, ENOUGH)) if ears else None
        )

    def hears(
        self, evidence: Evidence | None = None, *, beeped: bool = False, frame: bytes = SOUND
    ) -> Sequence[object]:
        if evidence is not None:
            self.who.tells(evidence, beeped)
        return self.question.sound(frame, b"", self.who.evidence.heard)

    def meets(self, evidence: Evidence, *, beeped: bool = False) -> NotAPerson:
        with pytest.raises(NotAPerson) as found:
            self.hears(evidence, beeped=beeped)
        return found.value


# ── A machine that a nurse has heard ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H39")
@pytest.mark.parametrize(
    ("evidence", "beeped", "hears"),
    [
        (replace(SPOKE, stretch=2.0), True, True),
        (replace(SPOKE, quiet=LATE_BEEP_S), False, True),
        (replace(SPOKE, no_service=True, longest=0.0, quiet=0.5), False, False),
    ],
)
def test_what_is_known_to_be_a_machine_is_waited_for(evidence: Evidence, beeped: bool, hears: bool) -> None:
    story = Story(until_beep=True)
    story.pickup.known = True
    assert story.hears(replace(SPOKE, stretch=2.0)) == STOPPED
    assert story.hears(replace(SPOKE, stretch=2.4)) == []
    met = story.meets(evidence, beeped=beeped)
    assert (met.who, met.hears) == ("machine", hears)


# ── A person ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H39")
def test_a_hello_stops_nothing_and_silence_is_counted_from_the_end_of_the_prompt() -> None:
    story = Story()
    for mark in (BEGAN, PAUSED, ENDED):
        assert story.hears(replace(SPOKE, heard=1.0), frame=mark) == []
    assert story.question.deadline is None
    story.question.prompt_over(20.0)
    assert story.question.deadline == 27.0 and story.question.tick(26.9) == []
    assert story.question.tick(27.0) == [Answer(Silence())]


def test_a_key_is_a_persons_at_any_time() -> None:
    story = Story(until_beep=True)
    story.hears(LONG)
    assert story.question.key("1") == [*STOPPED, Answer(Key("1"))]


def test_a_hello_is_no_answer_and_what_is_said_later_is_one() -> None:
    story = Story(ears=True)
    for mark in (PERHAPS, BEGAN, PAUSED, ENDED):
        assert story.hears(replace(SPOKE, heard=1.0), frame=mark) == [] and not story.question.holds
    assert story.hears(SPOKE, frame=PERHAPS) == [] and story.question.holds
    assert story.hears(SPOKE, frame=BEGAN) == [Order.STOP_PROMPT]
    assert [type(order) for order in story.hears(frame=PAUSED)] == [Recognise]
    assert story.hears(frame=ENDED) == []
    assert story.question.understood(CITA) == [Answer(Speech("1", 6.0, ENOUGH))]


def test_who_talks_over_us_is_let_finish_and_then_asked_again() -> None:
    story = Story()
    assert story.hears(TALKS) == STOPPED, "nobody talks over a machine that might be a person"
    assert story.hears() == []
    story.question.prompt_over(6.0)
    assert story.question.deadline == 66.0, "our silence is not theirs"
    assert story.hears(replace(TALKS, stretch=0.0, quiet=2.0)) == [Answer(Silence())]


def test_what_a_machine_says_is_no_answer() -> None:
    story = Story(ears=True)
    story.hears(SPOKE, frame=BEGAN)
    story.hears(replace(SPOKE, stretch=3.0, longest=3.0), frame=PAUSED)
    story.hears(frame=ENDED)
    assert story.question.understood(CITA) == [Answer(Speech(None, 0.0, ENOUGH))]


# ── A machine ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_machine_that_may_not_be_spoken_to_is_left_when_it_is_sure() -> None:
    story = Story()
    assert story.hears(TALKS) == STOPPED
    left = story.meets(LONG)
    assert (left.who, left.hears) == ("machine", False)


def test_a_message_waits_for_the_beep() -> None:
    story = Story(until_beep=True)
    assert story.hears(TALKS) == STOPPED
    assert story.hears(LONG) == []
    left = story.meets(replace(ANNOUNCED, longest=12.0), beeped=True)
    assert (left.who, left.hears) == ("machine", True)


def test_a_message_is_spoken_after_a_few_words_and_a_beep_and_nobody_is_left_for_them() -> None:
    few = replace(SPOKE, announced=2.0, longest=2.0)
    assert judged(few) == ("machine", 0.8)
    assert Story(until_beep=True).meets(few, beeped=True).hears, "a person hears who called, and may press a key"
    story = Story()
    assert story.hears(few, beeped=True) == STOPPED
    assert story.hears(replace(few, announced=0.0)) == [Answer(Silence())], "it was an oven"
    assert not Story().meets(replace(few, alone=1.5)).hears


def test_a_machine_without_a_beep_hears_the_message_when_it_is_silent() -> None:
    story = Story(until_beep=True)
    story.hears(LONG)
    assert story.hears(replace(LONG, stretch=0.0, quiet=3.9)) == []
    assert story.meets(replace(LONG, stretch=0.0, quiet=4.0)).hears


def test_a_network_that_announces_that_nobody_can_be_had_takes_no_message() -> None:
    assert not Story(until_beep=True).meets(replace(SPOKE, no_service=True, longest=2.0)).hears


def test_a_fax_is_left_at_once() -> None:
    left = Story(until_beep=True).meets(Evidence(answer_tone=1.0))
    assert (left.who, left.hears) == ("fax", False)


def test_a_greeting_without_end_is_left() -> None:
    story = Story(until_beep=True)
    story.hears(LONG)
    with pytest.raises(NotAPerson):
        story.question.tick(67.0)


def test_words_tell_a_machine_sooner() -> None:
    story = Story(ears=True)
    story.hears(SPOKE, frame=BEGAN)
    assert story.hears(replace(SPOKE, stretch=3.6, longest=3.6)) == [Recognise(BEGAN + SOUND)]
    assert story.question.asks_words and story.hears() == [], "one answer is waited for"
    assert story.question.understood(Understood(None, 0.0, "after the tone")) == []
    with pytest.raises(NotAPerson):
        story.hears()


def test_words_of_a_person_change_nothing() -> None:
    story = Story(ears=True)
    story.hears(replace(SPOKE, stretch=3.6, longest=3.6))
    story.question.understood(Understood(None, 0.0, "I was in the garden"))
    assert story.hears() == []
    assert story.who.verdict.who == "unsure"
    assert story.hears(TALKS) == STOPPED
    (again,) = story.hears(replace(TALKS, stretch=7.6, longest=7.6))
    assert isinstance(again, Recognise)
    story.question.understood(Understood(None, 0.0, "who is it?"))
    assert story.hears(replace(TALKS, stretch=9.6, longest=9.6)) == [], "twice, and no more"
