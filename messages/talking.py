"""One reply in a conversation by text message: a birth date that proves who writes, or an answer; and what comes next.

A question may tell what somebody suffers from, so that the outbox holds its text sealed; it is worded when it is asked,
in the wording that is in force then."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hospital import answer_rules, next_steps, number_locks, surveys, text_talks, vault
from hospital.calendars import Calendar
from hospital.clocks import Clocks
from hospital.followups import Answer, FollowUpTask, answers
from hospital.slots import Department
from hospital.text_talks import TextTalk
from scripts import reply_words, texting, words_between
from scripts.answers import AnswerRefused
from scripts.filling import Filling, Place
from scripts.questionnaire import WORDS
from scripts.questionnaire_files import kept
from scripts.wording import Wording
from speech.ears.dates import birth_date
from speech.ears.languages import LANGUAGES

TEXT = "outbox.text"
LONGEST = 1200  # letters of a question; with what introduces it no gateway refuses it


@dataclass(frozen=True)
class Desk:
    """What the site says: its words, clocks and calendar; how long a question waits for its reply; which questionnaires
    are asked by text although they do not say so; which examinations may be booked so."""

    words: Wording
    clocks: Clocks
    calendar: Calendar
    default_language: str = "en"
    within: timedelta = timedelta(hours=24)
    also: frozenset[str] = frozenset()
    examinations: tuple[Department, ...] = ()


@dataclass(frozen=True)
class Meant:
    """What a reply was. `flag`: the red flag that its answer raises."""

    fate: str
    answer_id: int | None = None
    flag: str | None = None


def next_question(filling: Filling, words: Wording, language: str) -> tuple[Place, str] | None:
    """What is asked next and how; None where nothing is left."""
    place = filling.next()
    if place is None:
        return None
    earlier = filling.places[: filling.places.index(place)]
    asked = [one for one in earlier if (one.item.asks or one.counts) and filling.enabled(one)]
    said = {key for one in asked for key, _ in words_between.before(filling, one)}
    unsaid = [item for key, item in words_between.before(filling, place) if key not in said]
    return place, texting.question(place, words, language, unsaid)


def sealed(text: str) -> dict[str, str]:
    """For the outbox's parameters."""
    return {"text_sealed": b64encode(vault.seal(text, TEXT)).decode()}


def unsealed(params: Mapping[str, Any]) -> str:
    return vault.unseal(b64decode(params["text_sealed"]), TEXT)


def told_dates(said: str, locale: str, at: datetime) -> set[date]:
    """The days that a text may mean, in figures or in words."""
    in_words = birth_date(said, locale, at.date()) if locale in LANGUAGES else None
    return texting.dates(said, at.date()) | ({in_words} if in_words is not None else set())


@dataclass
class Talking:
    """A conversation and its task, both locked, and what was written now."""

    session: Session
    talk: TextTalk
    task: FollowUpTask
    at: datetime
    desk: Desk
    said: str = field(repr=False)

    @property
    def filling(self) -> Filling:
        return Filling(kept(self.task.questionnaire.body), answers(self.session, self.task.id))

    @property
    def place(self) -> Place | None:
        """What was asked last, if it is a question still."""
        if self.talk.state != "asking":
            return None
        filling = self.filling
        return next((one for one in filling.places if one.key == self.talk.item and filling.enabled(one)), None)

    def names_an_answer(self) -> bool:
        """Whether the question has this very word among its answers, whatever stands beside it: "baja" for a low one.
        What carriers require is none."""
        place = self.place
        return (
            place is not None
            and not reply_words.mandated(self.said)
            and (
                texting.option_named(place.item, self.said)
                or texting.option_named(place.item, reply_words.bare(self.said))
            )
            is not None
        )

    def is_answered_by_words(self) -> bool:
        """Whether any text is an answer, or this very one is."""
        place = self.place
        return self.names_an_answer() or (place is not None and place.item.type in WORDS)

    def take(self) -> Meant:
        """Does what a reply asks for, but a red flag: that is for who raises it."""
        return self._prove() if self.talk.state == "proving" else self._answer()

    def take_alarm(self) -> int | None:
        """Alarm words: where the question was one for their own words, they are its answer, too."""
        place = self.place
        if place is None or place.item.type not in WORDS:
            return None
        try:
            return self._save(place, texting.value(self.filling, place, self.said))
        except AnswerRefused:
            return None

    def flagged(self, code: str) -> None:
        """A red flag was raised: nothing more is asked, and the task is a nurse's."""
        text_talks.end(self.talk, "red_flag", self.at)
        surveys.hand_over(self.session, self.task.id, code, self.at)

    def give_up(self, by: str, because: str) -> None:
        """The conversation is over, and the task goes on by its plan's next channel."""
        text_talks.end(self.talk, by, self.at)
        next_steps.without_a_call(self.session, self.task, self.at, because)

    def ask_again(self) -> None:
        """After something else was spoken of: the question that waits for its reply."""
        if self.talk.state == "proving":
            self._say("text_prove")
        elif self.talk.state == "asking":
            self._ask()

    def _prove(self) -> Meant:
        number, born = self.talk.number, self.task.patient.birth_date
        days = told_dates(self.said, self.talk.locale, self.at)
        if born is not None and born in days:
            number_locks.identity_confirmed(self.session, number)
            self._ask()
            return Meant("proof")
        self.talk.misses += 1  # what is no date may have been meant for something else, and is no wrong answer
        tries = text_talks.PROOFS
        locked = bool(days) and number_locks.identity_failed(self.session, number, self.at, tries=tries)
        if locked or self.talk.misses >= text_talks.PROOFS:
            self.give_up("not_proved", "text_not_proved")
            self._say("text_by_phone")
        else:
            self._say("text_prove_again")
        return Meant("not_understood")

    def _answer(self) -> Meant:
        place = self.place
        if place is None:  # a nurse has changed what it depended on: what comes next is asked
            self._ask()
            return Meant("not_understood")
        try:
            answer_id = self._save(place, texting.value(self.filling, place, self.said))
        except AnswerRefused:
            self._miss()
            return Meant("not_understood")
        flags = self.filling.flags()
        if flags:
            return Meant("red_flag", answer_id, flags[0].code)
        self._ask()
        return Meant("answer", answer_id)

    def _miss(self) -> None:
        self.talk.misses += 1
        again = next_question(self.filling, self.desk.words, self.talk.locale)
        if self.talk.misses >= text_talks.MISSES or again is None:
            self.give_up("not_understood", "text_not_understood")
            self._say("text_by_phone")
        else:
            self._tell(f"{self.desk.words.message('survey_again', self.talk.locale)} {again[1]}")

    def _ask(self) -> None:
        """What comes next, or the end."""
        filling, words, locale = self.filling, self.desk.words, self.talk.locale
        found = next_question(filling, words, locale)
        if found is None:
            text_talks.end(self.talk, "answered", self.at)
            surveys.finish(self.session, self.task.id, self.at, "answered_by_text")
            last = texting.told([item for _, item in words_between.after_all(filling)], words, locale)
            self._tell(f"{last} {words.message('survey_ended', locale)}".strip())
        elif len(found[1]) > LONGEST:
            self.give_up("overtaken", "text_too_long")
            self._say("text_by_phone")
        else:
            text_talks.asked(self.session, self.talk, found[0].key, self.at, self.desk.within)
            self._tell(found[1])

    def _save(self, place: Place, value: object) -> int:
        surveys.answer(self.session, self.task.id, place.key, value, self.at, via="text")
        self.session.flush()
        met = [one.change for one in self.filling.rules()]
        answer_rules.apply(self.session, self.task.id, met, self.at, self.desk.calendar, self.desk.clocks)
        newest = select(func.max(Answer.id)).where(Answer.task_id == self.task.id, Answer.item == place.key)
        return self.session.scalars(newest).one()

    def _tell(self, text: str) -> None:
        self._say("survey_told", **sealed(text))

    def _say(self, key: str, **params: str) -> None:
        text_talks.say(self.session, self.talk, key, self.at, self.task.patient_id, **params)
