"""Triage, complaints, messages, ratings, opening hours and the way to a person as transcripts, without a PBX.

As tests/test_dialogues.py, with golden transcripts in tests/golden_care/; voices are a hum that is really recorded,
sealed and catalogued.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import time, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hospital import accounts, booking, calls, cases, duty, opening, patients, ratings, vault
from hospital.booking import Slot
from hospital.callbacks import Callback
from hospital.calling_hours import Window
from hospital.calls import Call as CallRow
from hospital.cases import Case
from hospital.database import Database
from hospital.opening import Hours
from hospital.outbox import OutboxRow
from hospital.recordings import Recording
from hospital.wishes import part_of, week
from hotline import postgres, wiring
from hotline.caller_joints import SqlJournal
from hotline.queue_news import news
from hotline.settings_file import DEMO, build
from hotline.tapes import SpoolTapes, SqlCatalogue
from ivr.call import Call
from ivr.dialogues.attended import attended
from ivr.front_desk import FrontDesk
from ivr.terminal import rehearse, scripted
from recordings.capture import Capture
from recordings.files import Shelf, Spool
from recordings.replay import Replay
from scripts import wording
from tests.characters import LUCIA
from tests.conftest import renewed
from tests.moments import NOON, ZONE
from tests.test_dialogues import words
from tests.transcripts import KEYS, Said, in_each, is_golden, pressed, there

__all__ = ["words"]

LUCIAS = LUCIA.birth_keys
OFFICE = Hours(ZONE, Window((((time(8), time(12)),),) * 5 + ((), ()), country="CO", on_holidays=False))
HOLIDAY = replace(OFFICE, closed_days=frozenset({NOON.astimezone(ZONE).date()}))
NOTICES = {
    "es": "Hay un corte de luz en el hospital.",
    "en": "There is a power cut in the hospital.",
    "pt-BR": "O hospital está sem energia elétrica.",
    "zh-CN": "医院目前停电。",
}


def tom_is_on_duty(session: Session) -> None:
    _on_duty(session, "tom")


def ana_is_on_duty(session: Session) -> None:
    _on_duty(session, "ana")


def _on_duty(session: Session, username: str) -> None:
    account = accounts.by_sip_username(session, username)
    assert account is not None
    duty.wish(session, account.id, None, NOON)


def there_was_a_talk(session: Session) -> None:
    tom = accounts.by_sip_username(session, "tom")
    assert tom is not None
    answered = {"answered_at": NOON, "answered_by": tom.id, "queue": "reception", "language": "es"}
    session.execute(update(CallRow).where(CallRow.id == "terminal-1").values(**answered))
    calls.end(session, "terminal-1", NOON, "answered")


def rated_this_morning(session: Session) -> None:
    there_was_a_talk(session)
    calls.begin(session, "earlier", "n1", LUCIA.numbers[0], NOON - timedelta(hours=3))
    session.execute(update(CallRow).where(CallRow.id == "earlier").values(answered_at=NOON - timedelta(hours=3)))
    assert ratings.ask(session, "earlier", NOON - timedelta(hours=3), ZONE).allowed


def two_wait_and_four_waited(session: Session) -> None:
    tom = accounts.by_sip_username(session, "tom")
    assert tom is not None
    for n in range(2):
        calls.begin(session, f"waits-{n}", "n1", None, NOON)
        calls.queued(session, f"waits-{n}", "reception")
    for n in range(4):
        at = NOON - timedelta(minutes=30)
        calls.begin(session, f"waited-{n}", "n1", None, at)
        calls.step(session, f"waited-{n}", "queued", at, queue="reception")
        answered = {"answered_at": at + timedelta(minutes=2 * (n + 1)), "queue": "reception", "answered_by": tom.id}
        session.execute(update(CallRow).where(CallRow.id == f"waited-{n}").values(**answered))
        calls.end(session, f"waited-{n}", NOON, "answered")


def afternoons_suit_her_and_begin_on_monday(session: Session) -> None:
    """Until then there are mornings only: later by more than two days, the most that is worth waiting for what does not
    have much time, and by less than a week."""
    monday = week(NOON, ZONE)[1]
    for one in booking.openings(session, "cardiology", NOON, after=NOON, limit=200):
        if one.starts_at < monday and part_of(one.starts_at, ZONE) == "afternoon":
            session.execute(update(Slot).where(Slot.id == one.slot_id).values(state="withdrawn"))
    patients.candidates(session, LUCIA.numbers[0])[0].patient.suits = "afternoon"


def a_power_cut(session: Session) -> None:
    grace = accounts.by_sip_username(session, "grace")
    assert grace is not None
    assert opening.close(session, grace.id, NOTICES, NOON)


@dataclass(frozen=True)
class Scene:
    """`presses`: a row of keys for each question, "" for silence (and for saying nothing); after the last one the
    caller hangs up. `hours`: the site's opening hours; NOON is one in the afternoon."""

    presses: str
    dialogue: str = "care"
    number: str | None = LUCIA.numbers[0]
    before: Callable[[Session], None] | None = None
    hours: Hours | None = None
    no_triage: bool = False
    only: str | None = None


SCENES = {
    # which department
    "triage_red_flag": Scene("1,1"),
    "triage_red_flag_of_the_heart": Scene("1,2,1"),
    "triage_red_flag_of_a_child": Scene("1,3,1"),
    "triage_red_flag_of_illness": Scene("1,4,1"),
    "triage_urgent_key": Scene("1,2,9"),
    "triage_then_books": Scene(f"1,2,2,1,{LUCIAS},1,1"),
    "triage_soon_comes_before_what_suits": Scene(
        f"1,2,2,1,{LUCIAS},1,1", before=afternoons_suit_her_and_begin_on_monday
    ),
    "no_triage_and_what_suits_comes_first": Scene(
        f"2,1,1,{LUCIAS},1,1,1", dialogue="inbound", before=afternoons_suit_her_and_begin_on_monday
    ),
    "triage_then_a_nurse": Scene("1,3,2,2"),
    "triage_and_leaves_it": Scene("1,5,3"),
    "triage_repeats_and_says_nothing": Scene("1,*,,,"),
    "triage_table_refused": Scene("1", no_triage=True),
    "a_nurse": Scene("2"),
    "a_nurse_in_the_middle_of_a_booking": Scene(f"1,5,1,{LUCIAS},0,1", before=ana_is_on_duty),
    "reception_in_the_middle_of_a_booking": Scene(f"1,5,1,{LUCIAS},0,2", before=ana_is_on_duty),
    # a complaint
    "complains": Scene("3,1,1,#,2"),
    "complains_and_hears_the_number_twice": Scene("3,1,1,#,1,2"),
    "complains_and_hangs_up": Scene("3,1,1"),
    "complains_from_a_withheld_number": Scene("3,1,1,#,2", number=None),
    "complains_and_asks_for_a_person": Scene("3,1,1,0"),
    "complains_and_needs_help_at_once": Scene("3,1,1,9"),
    "complains_without_a_recording": Scene("3,1,2"),
    "complains_after_a_silence": Scene("3,1,1,,#,2"),
    "complains_in_silence": Scene("3,1,1,,"),
    "thanks": Scene("3,2,1,#,,,"),
    # waiting
    "presses_1_in_the_queue": Scene("1", dialogue="callback", before=tom_is_on_duty),
    "nobody_is_there_and_a_message": Scene("2,#", dialogue="callback", number=None),
    "nobody_is_there_and_no_message_after_the_notice": Scene("2!50", dialogue="callback"),
    "nobody_is_there_and_an_empty_message": Scene("2,,", dialogue="callback"),
    "nobody_is_there_and_an_empty_message_from_a_withheld_number": Scene("2,,", dialogue="callback", number=None),
    "nobody_is_there_and_waits_on": Scene(",,", dialogue="callback"),
    "hears_the_place": Scene("3,1,2", before=two_wait_and_four_waited),
    "gets_the_place_as_a_text_message": Scene("", dialogue="place", before=two_wait_and_four_waited),
    "gets_the_place_and_withholds_the_number": Scene("", dialogue="place", number=None),
    # closed
    "closed_and_books": Scene(f"2,1,1,{LUCIAS},1,1,1", dialogue="inbound", hours=OFFICE),
    "closed_and_a_person_calls_back": Scene("2,0,1,1", dialogue="inbound", hours=OFFICE),
    "closed_and_a_message": Scene("2,0,2,#", dialogue="inbound", hours=OFFICE),
    "closed_and_says_nothing": Scene("2,0,,,", dialogue="inbound", hours=OFFICE),
    "closed_and_withheld_and_says_nothing": Scene("2,0,,,", dialogue="inbound", hours=OFFICE, number=None),
    "closed_on_a_holiday": Scene("2,0,1,1", dialogue="inbound", hours=HOLIDAY),
    "closed_and_urgent": Scene("2,0,9", dialogue="inbound", hours=OFFICE),
    "a_power_cut": Scene("2,0,1,1", dialogue="inbound", before=a_power_cut),
    # after a talk
    "rates_well": Scene("5", dialogue="rating", before=there_was_a_talk),
    "rates_badly": Scene("2,3", dialogue="rating", before=there_was_a_talk),
    "rates_badly_without_a_reason": Scene("1,,,", dialogue="rating", before=there_was_a_talk),
    "does_not_rate": Scene(",,", dialogue="rating", before=there_was_a_talk),
    "was_asked_today": Scene("", dialogue="rating", before=rated_this_morning, only="es"),
    "talked_to_nobody": Scene("", dialogue="rating", only="es"),
}


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "recordings")


@pytest.fixture
def front(
    cluster: postgres.Cluster, demo_template: str, words: wording.Wording, tmp_path: Path, shelf: Shelf
) -> Iterator[FrontDesk]:
    with renewed(cluster, demo_template) as url, closing(Database(url, connections=4)) as database:
        made = wiring.front_desk(build({**DEMO, "data": tmp_path}), database, words)
        spool = tmp_path / "spool"
        spool.mkdir()
        capture = Capture(
            Spool(spool, PurePosixPath(spool)),
            shelf,
            SqlCatalogue(database, lambda: NOON),
            vault.wrap_key,
            closing_seconds=0.1,  # nobody writes here
        )
        tapes = SpoolTapes(database, capture, made.care.clocks, lambda: NOON)
        yield replace(made, now=lambda: NOON, care=replace(made.care, tapes=tapes))


async def played(name: str, front: FrontDesk, words: wording.Wording, language: str = "es") -> str:
    scene = SCENES[name]
    care = front.care
    if scene.hours is not None:
        care = replace(care, hours=scene.hours)
    if scene.no_triage:
        care = replace(care, triage=None)
    at_the_scene = replace(front, care=care)
    journal = SqlJournal(front.database, "terminal-1", "terminal", scene.number, lambda: NOON)
    await journal.begin()
    if scene.before is not None:
        with front.database.transaction() as session:
            scene.before(session)

    async def dialogue(call: Call) -> None:
        await wiring.DIALOGUES[scene.dialogue](call, at_the_scene)

    said = Said(words)
    transcript = await rehearse(
        dialogue,
        said,
        scripted(pressed(scene.presses, language, chooses=scene.dialogue == "inbound")),
        language=language,
        caller_number=scene.number,
        journal=journal,
        house=wiring.house_keys(front),
    )
    return said.under(transcript)


@pytest.mark.covers("H9", "H10", "H29", "H30", "H39", "H40")
@pytest.mark.parametrize(("language", "name"), in_each(SCENES))
async def test_the_transcript_is_the_golden_one(
    language: str, name: str, front: FrontDesk, words: wording.Wording
) -> None:
    is_golden(await played(name, front, words, language), "golden_care", language, name)


def test_every_golden_transcript_has_its_scene() -> None:
    assert there("golden_care") == set(in_each(SCENES))


@pytest.mark.covers("H10", "H11")
@pytest.mark.parametrize("language", KEYS)
@pytest.mark.parametrize(
    ("name", "place", "minutes"),
    [("is_next", 1, 1), ("is_second", 2, None), ("is_third", 3, 4), ("is_twentieth", 20, 85)],
)
def test_what_is_heard_in_a_queue(
    name: str, place: int, minutes: int | None, language: str, words: wording.Wording
) -> None:
    said = Said(words)
    lines = [f"hotline: {said.text(key, language, **values)}" for key, values in news(place, minutes)]
    is_golden(said.under("\n".join(lines)), "golden_waiting", language, name)


def everything(front: FrontDesk, kind: type[Any]) -> list[Any]:
    with front.database.transaction() as session:
        return list(session.scalars(select(kind)))


@pytest.mark.covers("H30", "I6", "I7")
@pytest.mark.parametrize("name", ["complains", "complains_and_hangs_up", "complains_and_asks_for_a_person"])
async def test_what_was_said_is_sealed_and_a_case_however_the_recording_ended(
    name: str, front: FrontDesk, words: wording.Wording, tmp_path: Path, shelf: Shelf
) -> None:
    await played(name, front, words)
    (case,), (recording,), (message,) = (everything(front, kind) for kind in (Case, Recording, OutboxRow))
    assert (case.kind, case.state, case.caller, case.number) == ("complaint", "open", LUCIA.numbers[0], 10001)
    assert (recording.state, recording.kind, recording.id) == ("sealed", "message", case.recording_id)
    assert recording.seconds == pytest.approx(5.0)
    assert (message.key, message.params, message.number) == ("case_opened", {"case": "10001"}, LUCIA.numbers[0])
    assert list((tmp_path / "spool").iterdir()) == [], "no plain copy"
    await Replay(shelf, SqlCatalogue(front.database, front.now), vault.unwrap_key).verify(recording.id)


@pytest.mark.covers("H30")
async def test_nobody_spoke_and_there_is_no_case(front: FrontDesk, words: wording.Wording, tmp_path: Path) -> None:
    await played("complains_in_silence", front, words)
    assert [case.state for case in everything(front, Case)] == ["void", "void"]
    assert [recording.reason for recording in everything(front, Recording)] == ["not_started", "not_started"]
    assert everything(front, OutboxRow) == []
    with front.database.transaction() as session:
        assert cases.standing_open(session, frozenset({"complaint"})) == []


@pytest.mark.covers("H9", "H33")
@pytest.mark.parametrize(
    ("name", "detail"), [("triage_red_flag", "life_in_danger"), ("triage_urgent_key", "urgent_key")]
)
async def test_a_red_flag_is_an_urgent_case_until_somebody_answers(
    name: str, detail: str, front: FrontDesk, words: wording.Wording
) -> None:
    await played(name, front, words)
    with front.database.transaction() as session:
        (flag,) = cases.standing_open(session, frozenset({"red_flag"}))
        assert (flag.detail, flag.acknowledge_by) == (detail, NOON + timedelta(minutes=5))
        assert flag.standing(NOON + timedelta(minutes=5)) == "overdue"
        ana = accounts.by_sip_username(session, "ana")
        assert ana is not None
        cases.answered(session, "terminal-1", ana.id, NOON)
    with front.database.transaction() as session:
        (mine,) = cases.standing_open(session, frozenset({"red_flag"}))
        assert (mine.state, mine.owner_id) == ("owned", ana.id)
        assert cases.red_flags(session) == []


class NoDatabase:
    async def run(self, *_: object) -> None:
        raise ConnectionError("the database is away")


@pytest.mark.covers("H1", "H33", "I10")
@pytest.mark.parametrize("queue", ["urgent", "reception"])
async def test_without_a_database_the_caller_reaches_a_person_all_the_same(
    queue: str, front: FrontDesk, words: wording.Wording
) -> None:
    async def asks(call: Call, front: FrontDesk) -> None:
        await call.transfer(queue, "operator_key")

    async def dialogue(call: Call) -> None:
        await attended(asks)(call, replace(front, database=NoDatabase()))  # type: ignore[arg-type]

    told = await rehearse(dialogue, wording.Heard(words), scripted([]), language="es")
    assert told.lines[0] == f"then: queue {queue}"


@pytest.mark.covers("H1")
async def test_after_hours_nobody_is_lost(front: FrontDesk, words: wording.Wording) -> None:
    await played("closed_and_says_nothing", front, words)
    (callback,) = everything(front, Callback)
    assert (callback.why, callback.number) == ("after_hours", LUCIA.numbers[0])


@pytest.mark.covers("H29")
async def test_a_low_rating_is_a_case_with_its_reason(front: FrontDesk, words: wording.Wording) -> None:
    await played("rates_badly", front, words)
    (rating,), (case,) = everything(front, ratings.Rating), everything(front, Case)
    assert (rating.score, rating.reason, rating.queue) == (2, "not_solved", "reception")
    assert (case.kind, case.detail, case.state) == ("rating", "not_solved", "open")
