"""The core's jobs for messages, by their own rounds on a real database: what is due leaves in the patient's language,
and what fails once is done at the next turn."""

import asyncio
import json
import logging
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from hospital import (
    booking,
    enrolments,
    followups,
    letters,
    questionnaires,
    reminder_texts,
    reminders,
    text_steps,
    vault,
)
from hospital.calendars import Calendar
from hospital.calling_hours import ALWAYS
from hospital.calling_rules import CallingPolicy
from hospital.database import Database
from hospital.enrolments import Told
from hospital.followups import FollowUpTask
from hospital.outbox import OutboxRow
from hospital.patients import Patient
from hospital.plans import Plan, Rule, Step
from hotline import letter_joints, message_work
from hotline.caller_joints import appointment_messages, rendered
from hotline.message_joints import SqlOutbox
from hotline.rounds import Rounds
from hotline.settings import Settings
from hotline.settings_file import DEMO, build
from hotline.sheets import Sheets
from messages.gateways.file import FileGateway
from messages.sender import Sender
from tests.characters import LUCIA, MEI, PATIENTS, RUTH, Character
from tests.hospital_scene import admit, clinic
from tests.moments import ZONE
from tests.workshops import shipped

pytestmark = pytest.mark.covers("H24", "H25")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OURS = "+576015550100"


def now() -> datetime:
    return datetime.now(UTC)


async def nothing() -> None:
    """Bookings by text are shown elsewhere."""


class Core:
    """The jobs of a core whose gateway is a file."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.file = database, folder / "sent.jsonl"
        self.rounds = Rounds()

    def starts(self, **changes: object) -> None:
        """`changes`: settings beside the demo's, which may call at any hour."""
        settings: Settings = build({**DEMO, **changes})
        sheets = Sheets(shipped(), self.database)
        sender = Sender(SqlOutbox(self.database), FileGateway(self.file, now), rendered(lambda: sheets.held.words), now)
        press = letter_joints.press(settings, lambda: sheets.held.words, lambda: now().date())
        message_work.begin(
            self.rounds, settings, self.database, sender, sheets, OURS, now, press, held=lambda: False, go_on=nothing
        )
        self.rounds.start()

    def rows(self) -> list[OutboxRow]:
        with self.database.transaction() as session:
            return list(session.scalars(select(OutboxRow)))

    def sent(self) -> list[str]:
        lines = self.file.read_text(encoding="utf-8").splitlines() if self.file.exists() else []
        return [json.loads(line)["text"] for line in lines]


@pytest.fixture
async def core(database: Database, tmp_path: Path) -> AsyncIterator[Core]:
    made = Core(database, tmp_path)
    yield made
    made.rounds.stop()


async def until(what: str, so: Callable[[], bool]) -> None:
    latest = time.monotonic() + 20
    while not so():  # rows are seen by looking
        assert time.monotonic() < latest, what
        await asyncio.sleep(0.05)


def planned(session: Session, who: Character, **step: object) -> UUID:
    """A task of a plan that is due in half an hour."""
    questionnaires.publish(session, "form", {"purpose": "follow-up"}, "sha-1", now())
    patient = admit(session, who)
    plan = Plan("plan", {"en": "A plan"}, "discharge", Rule(), (Step("day-9", 9, "form", **step),))  # type: ignore[arg-type]
    told = Told(f"his:{who.sip}", "discharge", patient.id, now())
    assert enrolments.tell(session, [told], [plan], now(), Calendar(ZONE)).tasks == 1
    due = update(FollowUpTask).where(FollowUpTask.patient_id == patient.id)
    session.execute(due.values(due_at=now() + HOUR / 2))
    return patient.id


def is_due(session: Session) -> None:
    session.execute(update(FollowUpTask).values(due_at=now() - HOUR))


async def test_a_plans_video_call_is_told_with_its_link_in_the_language_of_each_patient(core: Core) -> None:
    with core.database.transaction() as session:
        for who in PATIENTS:
            planned(session, who, channel="video_link")
        is_due(session)
    core.starts(video={"url": "https://video.example.org/{room}"})
    await until("five messages", lambda: len(core.sent()) == len(PATIENTS))
    assert len({re.search(r"https://video\.example\.org/[\w-]{22}", text)[0] for text in core.sent()}) == 5  # type: ignore[index]
    assert {row.locale for row in core.rows()} == {who.language for who in PATIENTS}


async def test_a_plans_letters_are_to_be_posted_and_what_no_font_has_goes_on(core: Core) -> None:
    with core.database.transaction() as session:
        for who in (*PATIENTS, replace(LUCIA, name="สมชาย", numbers=("+573015550199",), sip="somchai")):
            planned(session, who, channel="letter", fallback=("sms",))
        session.execute(
            text("UPDATE patient SET address_sealed = :it"), {"it": vault.seal("Calle 5", "patient.address")}
        )
        is_due(session)
    core.starts()
    await until("one message", lambda: len(core.sent()) == 1)
    with core.database.transaction() as session:
        assert {one.person.name for one in letters.waiting(session)} == {who.name for who in PATIENTS}
        gone = session.scalars(select(FollowUpTask).where(FollowUpTask.channel == "sms")).one()
        assert "letter_no_font" in [row.code for row in followups.decisions(session, gone.id)]


async def test_a_plans_text_leaves_in_the_language_of_each_patient(core: Core) -> None:
    with core.database.transaction() as session:
        for who in PATIENTS:
            planned(session, who, channel="sms")
        is_due(session)
    core.starts()
    await until("all have left", lambda: [row.state for row in core.rows()] == ["sent"] * len(PATIENTS))
    rows = {row.number: row for row in core.rows()}
    assert {number: (row.key, row.locale, row.state) for number, row in rows.items()} == {
        who.numbers[0]: ("questions_wait", who.language, "sent") for who in PATIENTS
    }
    words = shipped().words()
    assert set(core.sent()) == {words.message("questions_wait", who.language) for who in PATIENTS}


@pytest.mark.parametrize(
    ("site", "step", "announced"),
    [(None, None, False), (None, 1, True), (1, None, True), (1, 0, False)],
    ids=["neither", "the step", "the site", "not this step"],
)
async def test_a_call_is_announced_as_site_and_step_say(
    core: Core, site: int | None, step: int | None, announced: bool
) -> None:
    with core.database.transaction() as session:
        planned(session, MEI, announce_hours=step)
        planned(session, RUTH, channel="sms")
    calling = {**DEMO["calling"], "announce_hours": site}
    core.starts(calling=calling)
    core.rounds.look_now("announce")
    with core.database.transaction() as session:  # whose text is a sign that the jobs have looked
        session.execute(update(FollowUpTask).where(FollowUpTask.channel == "sms").values(due_at=now() - HOUR))
    core.rounds.look_now("text")
    await until("Ruth's text has left", lambda: any(row.locale == "en" and row.state == "sent" for row in core.rows()))
    told = [(row.key, row.locale, row.params) for row in core.rows() if row.locale != "en"]
    assert told == ([("call_expected", "zh-CN", {"caller": OURS})] if announced else [])
    if announced:
        assert any(OURS in text for text in core.sent())


async def test_who_likes_texts_is_reminded_by_one_the_day_before(core: Core) -> None:
    tomorrow = datetime.combine(now().astimezone(ZONE).date() + DAY, datetime.min.time(), tzinfo=ZONE) + 12 * HOUR
    with core.database.transaction() as session:
        lucia = admit(session, LUCIA).id
        (slot,) = clinic(session, 1, first=tomorrow)
        booking.hold(session, slot, "desk", now())
        mine = booking.confirm(session, slot, "desk", lucia, now(), "desk")
        session.get_one(booking.Appointment, mine.id).booked_at = now() - 3 * DAY
        session.get_one(Patient, lucia).reminded_by = "sms"
    core.starts(reminders={"from_hour": 0})
    await until("the reminder has left", lambda: [row.state for row in core.rows()] == ["sent"])
    (row,) = core.rows()
    assert (row.key, row.locale, row.number) == ("appointment_reminder", "es", LUCIA.numbers[0])


async def test_after_an_outage_what_changed_meanwhile_is_not_told(core: Core) -> None:
    """A confirmation and a reminder waited while her appointment was cancelled; another's confirmation leaves."""
    with core.database.transaction() as session:
        lucia, mei = admit(session, LUCIA), admit(session, MEI)
        hers, other = clinic(session, 2, first=now() + DAY)
        for slot, who in ((hers, lucia), (other, mei)):
            booking.hold(session, slot, "desk", now())
            booking.confirm(session, slot, "desk", who.id, now(), "desk")
        mine, _ = session.scalars(select(booking.Appointment).order_by(booking.Appointment.booked_at))
        lucia.reminded_by = "sms"
        session.flush()
        policy = CallingPolicy(ALWAYS, ZONE, cap_a_day=None, cap_a_week=None)
        reminders.remind(session, lucia.id, now() - HOUR, now() + DAY, policy, appointment_id=mine.id)
        assert reminder_texts.work_next(session, now(), policy)
        tell = appointment_messages(now, tuple)["confirmed"]
        for one in session.scalars(select(booking.Appointment)):
            tell(session, booking.booked(session, one.id), one.patient_id)
        assert booking.cancel(session, mine.id, lucia.id, now())
    core.starts()
    await until("all are settled", lambda: {row.state for row in core.rows()} == {"sent", "failed"})
    told = {(row.key, row.locale): (row.state, row.error) for row in core.rows()}
    assert told == {
        ("appointment_confirmed", "es"): ("failed", "withdrawn"),
        ("appointment_reminder", "es"): ("failed", "withdrawn"),
        ("appointment_confirmed", "zh-CN"): ("sent", None),
    }


async def test_a_job_that_fails_once_looks_again_and_stops_no_other(
    core: Core, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    work_next, failures = text_steps.work_next, [OperationalError("SELECT", {}, Exception("the server is away"))]

    def fails_once(*args: object, **kwargs: object) -> bool:
        if failures:
            raise failures.pop()
        return work_next(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(text_steps, "work_next", fails_once)
    with core.database.transaction() as session:
        planned(session, MEI, announce_hours=1)
        planned(session, RUTH, channel="sms")
        session.execute(update(FollowUpTask).where(FollowUpTask.channel == "sms").values(due_at=now() - HOUR))
    with caplog.at_level(logging.ERROR):
        core.starts()
        await until("it has failed", lambda: "OperationalError" in caplog.text)
        await until("another job's message has left", lambda: [row.key for row in core.rows()] == ["call_expected"])
    core.rounds.look_now("text")
    await until("both have left", lambda: sorted(row.state for row in core.rows()) == ["sent", "sent"])
    assert RUTH.numbers[0] not in caplog.text
