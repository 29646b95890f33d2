"""Coverage: what each figure counts, that nothing is missing in it, and how it is shown."""

from datetime import timedelta
from html import unescape
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import agentless, attempts, followups, next_steps, outbox
from hospital.attempts import Claimed
from hospital.coverage import PARTS, Coverage, bar, coverage, total
from hospital.database import Database
from hospital.followups import PLAN_CHANGES, SKIP_REASONS, FollowUpTask
from hospital.outbox import OutboxRow
from hospital.text_records import StepText
from tests.browser import Comes, Site, comes, site
from tests.characters import JOAO, LUCIA, MEI, RUTH, WIREMU, Character
from tests.hospital_scene import UNCAPPED, admit, day_three, employ
from tests.moments import NOON

__all__ = ["comes", "site"]
pytestmark = pytest.mark.covers("H13", "H53")
DAY = timedelta(days=1)


def due(session: Session, character: Character, ward: str) -> FollowUpTask:
    task = day_three(session, admit(session, character))
    task.ward = ward
    session.flush()
    return task


def called(session: Session, task: FollowUpTask, nurse: UUID, line: str, contact: str | None = None) -> None:
    claimed = attempts.claim(session, task.id, nurse, "n1", NOON, UNCAPPED)
    assert isinstance(claimed, Claimed), claimed.code
    attempts.dialling(session, claimed.attempt_id, NOON)
    attempts.rang(session, claimed.channel_id)
    if line == "answered":
        attempts.answered(session, claimed.channel_id, NOON)
    attempts.line_ended(session, claimed.attempt_id, line, NOON, UNCAPPED)
    if contact:
        attempts.contact_result(session, claimed.attempt_id, contact, NOON, UNCAPPED)


def five_stories(session: Session) -> None:
    """Two in surgery, three in cardiology: completed; refused; not reached after the last try; excused; waits."""
    nurse = employ(session, "nurse", "nurse").id
    called(session, due(session, LUCIA, "surgery"), nurse, "answered", "completed")
    called(session, due(session, WIREMU, "surgery"), nurse, "answered", "refused")
    lost = due(session, MEI, "cardiology")
    lost.max_tries = 1
    called(session, lost, nurse, "no_answer")
    excused = due(session, JOAO, "cardiology")
    called(session, excused, nurse, "busy")
    followups.skip(session, excused.id, "readmitted", NOON, nurse)
    called(session, due(session, RUTH, "cardiology"), nurse, "answered", "wrong_person")


def test_what_each_figure_counts(database: Database) -> None:
    with database.transaction() as session:
        five_stories(session)
        since, until = NOON - DAY, NOON + DAY
        cardiology, surgery = coverage(session, since, until, "ward", NOON)
        assert surgery == Coverage("surgery", 2, 0, 2, 2, 1, 1, 1, 0, 0, 0)
        # Mei was tried and not reached; João is excused, so his try counts nowhere; a stranger is nobody's "reached".
        assert cardiology == Coverage("cardiology", 3, 1, 2, 0, 0, 0, 0, 2, 0, 0)
        whole = total([cardiology, surgery])
        assert (whole.due, whole.meant, whole.completed) == (5, 4, 1)
        assert {row.group for row in coverage(session, since, until, "language", NOON)} == {
            "en",
            "es",
            "mi",
            "pt-BR",
            "zh-CN",
        }
        assert coverage(session, NOON + DAY, NOON + 2 * DAY, "ward", NOON + 3 * DAY) == []


def by(session: Session, character: Character, channel: str, *fallback: str) -> FollowUpTask:
    """Due by a channel that is no nurse's call."""
    task = due(session, character, "maternity")
    task.channel, task.channels, task.fallback, task.max_tries = channel, [channel], list(fallback), 1
    session.flush()
    if channel == "sms":
        once = f"step/{task.id}"
        outbox.put(session, once=once, key="x", locale="en", number="+12025550105", at=NOON)
        message = session.scalars(select(OutboxRow).where(OutboxRow.once == once)).one()
        message.state = "delivered"
        times = {"texted_at": NOON, "answer_by": NOON + DAY}
        session.add(
            StepText(task_id=task.id, outbox_id=message.id, patient_id=task.patient_id, number_token=b"x", **times)
        )
        session.flush()
    return task


def test_no_channel_looks_better_by_what_went_on_from_it(database: Database) -> None:
    with database.transaction() as session:
        nurse = employ(session, "nurse", "nurse").id
        called(session, due(session, LUCIA, "maternity"), nurse, "answered", "completed")
        silent = by(session, MEI, "sms")
        next_steps.without_a_call(session, silent, NOON, "text_unanswered")
        called(session, silent, nurse, "answered", "completed")
        late = by(session, WIREMU, "sms")
        next_steps.without_a_call(session, late, NOON, "text_unanswered")
        followups.save_answer(session, late.id, "pain", 1, NOON, via="web")
        late.state, late.closed_at = "done", NOON
        session.flush()
        machine = by(session, JOAO, "automated_call", "letter")
        claimed = agentless.claim_next(session, "n1", NOON, UNCAPPED, kinds=["follow_up"], most=1)
        assert isinstance(claimed, Claimed)
        attempts.dialling(session, claimed.attempt_id, NOON)
        attempts.rang(session, claimed.channel_id)
        attempts.line_ended(session, claimed.attempt_id, "no_answer", NOON, UNCAPPED)
        session.flush()
        session.refresh(machine)
        assert (machine.channel, machine.channels) == ("letter", ["automated_call", "letter"])
        by(session, RUTH, "automated_call")

        since, until = NOON - DAY, NOON + DAY
        rows = coverage(session, since, until, "channel", NOON)
        assert rows == [
            Coverage("automated_call", 2, 0, 1, 0, 0, 0, 0, 0, 1, 0, elsewhere=1),
            Coverage("letter", 1, 0, 0, 0, 0, 0, 0, 0, 1, 0),
            Coverage("nurse_call", 3, 0, 2, 2, 2, 2, 0, 0, 0, 0, elsewhere=1),
            Coverage("sms", 2, 0, 2, 1, 1, 1, 0, 0, 0, 0, elsewhere=1),
        ]
        assert (rows[3].meant, rows[3].completed) == (2, 1), "who went on to the nurse is in the message's denominator"
        assert all(sum(getattr(row, part) for part in PARTS) == row.due for row in rows)
        (once,) = coverage(session, since, until, "ward", NOON)
        assert (once.due, once.completed, once.elsewhere) == (5, 3, 0)
        followups.skip(session, machine.id, "readmitted", NOON, nurse)
        session.flush()
        machines, letters, *_ = coverage(session, since, until, "channel", NOON)
        assert (machines.excused, machines.elsewhere, letters.excused) == (1, 0, 1), "excused is excused everywhere"


def test_what_a_patient_says_who_had_a_letter_and_calls_back_is_the_letters(database: Database) -> None:
    with database.transaction() as session:
        nurse = employ(session, "nurse", "nurse").id
        called(session, by(session, RUTH, "letter"), nurse, "answered", "completed")
        (row,) = coverage(session, NOON - DAY, NOON + DAY, "channel", NOON)
        assert row == Coverage("letter", 1, 0, 1, 1, 1, 1, 0, 0, 0, 0)


def test_what_waits_is_late_when_its_window_has_closed(database: Database) -> None:
    with database.transaction() as session:
        due(session, RUTH, "")
        (row,) = coverage(session, NOON - DAY, NOON + DAY, "ward", NOON)
        assert (row.group, row.waiting, row.late) == ("", 1, 0)
        (row,) = coverage(session, NOON - DAY, NOON + DAY, "ward", NOON + 9 * DAY)
        assert (row.waiting, row.late) == (1, 1)


@pytest.mark.parametrize(
    "reason", sorted({*SKIP_REASONS, *PLAN_CHANGES, "not_reached", "opted_out", "deceased", "anything new"})
)
def test_every_stopped_task_is_in_exactly_one_part(database: Database, reason: str) -> None:
    with database.transaction() as session:
        task = due(session, RUTH, "")
        task.state, task.stop_reason, task.closed_at = "stopped", reason, NOON
        session.flush()
        (row,) = coverage(session, NOON - DAY, NOON + DAY, "plan", NOON)
        assert sum(getattr(row, part) for part in PARTS) == row.due == 1
        assert row.waiting == row.completed == 0


def test_a_bar_is_as_long_as_what_was_due() -> None:
    pieces = bar(Coverage("ward", 10, 2, 8, 6, 5, 5, 1, 1, 1, 0), 20, 480.0)
    assert [piece.name for piece in pieces] == ["completed", "refused", "lost", "waiting", "excused"]
    assert sum(piece.length for piece in pieces) == 240
    assert pieces[1].start == pieces[0].length == 120


async def test_the_page(site: Site, comes: Comes) -> None:
    with site.database.transaction() as session:
        five_stories(session)
    grace: httpx.AsyncClient = await comes("grace")
    shown = (await grace.get("/coverage")).text
    assert "cardiology" in shown and "<svg" in shown and "Not told" not in shown
    assert "By language" in shown and "Elsewhere" not in shown
    by_channel = (await grace.get("/coverage?by=channel")).text
    assert '<th scope="row">A nurse\'s call</th>' in unescape(by_channel) and "Elsewhere" in by_channel
    assert "Deutsch" not in (await grace.get("/coverage?by=language&days=7")).text
    assert (await grace.get("/coverage?by=nothing&days=100000")).status_code == 200
