"""Reminders as text messages: for who would rather read, and after calls that reached nobody.

Rules: a text is a contact like a call, judged by the same functions when it is sent: window, cap, opt-out, death,
guardian, numbers that are safe. What is held back waits while it still matters, and what a gateway did not take at once
is judged again before it leaves (`take_back`): it may be night by then, or nothing to be reminded of. A text to a
number that its own call has rung in vain that day is one contact with that call: the cap neither holds it back for it
nor counts it again. Whose number wants no texts any more is called instead, if that was not tried; so is whom a text
did not reach, while it matters. A text names hospital, date, time and number, and of what repeats nothing at all.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Uuid, and_, cast, func, or_, select
from sqlalchemy.orm import Session

from hospital import agentless, attempts, outbox, step_messages, subjects
from hospital.appointments import booked
from hospital.calling_hours import first_allowed
from hospital.calling_rules import (
    CallingPolicy,
    NotNow,
    language_of,
    never,
    on_the_clock_of,
    refusal,
    wall_clock,
    where_reached,
)
from hospital.followups import FollowUpTask, decide
from hospital.outbox import OutboxRow
from hospital.patients import PhoneNumber, number_token
from hospital.reminders import BY_TEXT, KIND, PURPOSE, Reminder
from hospital.text_records import ReminderText
from hospital.text_stops import stopped
from hospital.verdicts import judge


@dataclass(frozen=True)
class _Judged:
    """`beside_a_call`: its call has rung there today. `policy`: on the clock of who is written to."""

    number: PhoneNumber | None
    refused: NotNow | None
    beside_a_call: bool
    policy: CallingPolicy


def work_next(session: Session, at: datetime, policy: CallingPolicy) -> bool:
    """The next one that is due is sent, put off or given up, or called where its text failed; False where none is."""
    when = func.coalesce(FollowUpTask.next_try_at, FollowUpTask.due_at)
    by_text = and_(FollowUpTask.channel == BY_TEXT, FollowUpTask.state == "open", when <= at)
    rows = (
        select(FollowUpTask, Reminder)
        .join(Reminder, Reminder.task_id == FollowUpTask.id)
        .where(FollowUpTask.kind == KIND, or_(by_text, Reminder.text_from <= at))
        .order_by(when, FollowUpTask.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    found = session.execute(rows).one_or_none()
    if found is None:
        return _call_instead(session, at)
    task, reminder = found
    attempts.follow_survivor(session, task, at)
    if reminder.text_from is not None:
        _after_its_calls(session, task, reminder, at, policy)
    else:
        _instead_of_calls(session, task, at, policy)
    return True


def _instead_of_calls(session: Session, task: FollowUpTask, at: datetime, policy: CallingPolicy) -> None:
    judged = _judge(session, task, at, policy)
    if not subjects.still_needed(session, task, at):
        task.finish(at)
        decide(session, task.id, "not_needed", at)
    elif judged.number is not None and stopped(session, judged.number.number):
        task.channel, task.next_try_at = agentless.CHANNEL, None
        decide(session, task.id, "texts_unwanted", at, channel=task.channel)
    elif judged.refused is not None or judged.number is None:
        attempts.refuse(session, task, judged.refused or NotNow("no_usable_number"), at, True, judged.policy)
        return
    else:
        task.finish(at)
        _send(session, task, judged.number, at, counts=True)
    subjects.changed(session, task)


def _after_its_calls(
    session: Session, task: FollowUpTask, reminder: Reminder, at: datetime, policy: CallingPolicy
) -> None:
    """The task stays as its calls have left it: whoever calls back hears the reminder."""
    reminder.text_from = None
    if task.state != "stopped" or at >= task.due_until or not subjects.still_needed(session, task, at):
        return
    judged = _judge(session, task, at, policy)
    if judged.refused is not None:
        again = judged.refused.not_before
        clock = wall_clock(at, judged.policy.zone)
        decide(session, task.id, judged.refused.code, at, not_before=again.isoformat() if again else None, **clock)
        if again is not None and again < task.due_until:
            reminder.text_from = again
    elif judged.number is not None and not stopped(session, judged.number.number):
        _send(session, task, judged.number, at, counts=not judged.beside_a_call)
    subjects.changed(session, task)


def _call_instead(session: Session, at: datetime) -> bool:
    """The next whose text reached nobody, and who was not called before, is called; False where there is none."""
    rows = (
        select(FollowUpTask)
        .join(ReminderText, ReminderText.task_id == FollowUpTask.id)
        .join(OutboxRow, OutboxRow.id == ReminderText.outbox_id)
        .where(
            FollowUpTask.kind == KIND,
            FollowUpTask.channel == BY_TEXT,
            FollowUpTask.state == "done",
            FollowUpTask.due_until > at,
            step_messages.failed(at),
        )
        .order_by(FollowUpTask.due_until, FollowUpTask.id)
        .with_for_update(of=FollowUpTask, skip_locked=True)
    )
    for task in session.scalars(rows, execution_options={"populate_existing": True}):
        attempts.follow_survivor(session, task, at)
        number = step_messages.first_number(session, task, at)
        if never(task.patient, number, task.purpose) is None and subjects.still_needed(session, task, at):
            task.state, task.closed_at, task.channel, task.next_try_at = "open", None, agentless.CHANNEL, None
            decide(session, task.id, "text_undelivered", at, channel=task.channel)
            subjects.changed(session, task)
            return True
    return False


def _judge(session: Session, task: FollowUpTask, at: datetime, policy: CallingPolicy) -> _Judged:
    verdict = judge(session, task, at, policy)
    number, refused, there = verdict.number, verdict.refused, verdict.policy
    if number is None:
        return _Judged(None, refused, False, there)
    today = at.astimezone(there.zone).date()
    began = [
        one.dialled_at or one.claimed_at for one in attempts.of_task(session, task.id) if one.number_id == number.id
    ]
    own = [when for when in began if when in verdict.rung and when.astimezone(there.zone).date() == today]
    if own:
        others = [when for when in verdict.rung if when not in own]
        refused = refusal(task.patient, number, others, at, there, task.purpose, verdict.urgent)
    return _Judged(number, refused, bool(own), there)


def _send(session: Session, task: FollowUpTask, number: PhoneNumber, at: datetime, *, counts: bool) -> None:
    """Once, whatever else happens. `counts`: a contact of its own, for the cap."""
    reminder = session.get_one(Reminder, task.id)
    appointment_id = reminder.appointment_id or reminder.missed_id
    visit = booked(session, appointment_id) if appointment_id else None
    key = "appointment_reminder" if reminder.appointment_id else "appointment_missed" if visit else "please_call"
    told: dict[str, Any] = {"starts_at": visit.starts_at.isoformat()} if visit else {}
    message_id = outbox.put(
        session,
        once=f"{PURPOSE}/{task.id}",
        key=key,
        locale=language_of(number.patient, number),
        number=number.number,
        at=at,
        patient_id=task.patient_id,
        useful_until=visit.starts_at if visit and reminder.appointment_id else None,
        **told,
    )
    if message_id is None:
        return
    decide(session, task.id, "sent_instead", at)
    if counts:
        text = ReminderText(
            task_id=task.id, outbox_id=message_id, patient_id=task.patient_id, number_token=number.token, texted_at=at
        )
        session.add(text)
        session.flush()


def take_back(session: Session, at: datetime, policy: CallingPolicy) -> int:
    """Texts that are queued still, and remind of nothing any more, of another time than is booked, or not at this hour;
    how many. To be asked before the outbox sends."""
    task_id = cast(func.substring(OutboxRow.once, f"^{PURPOSE}/([0-9a-f-]{{36}})$"), Uuid)
    rows = (
        select(FollowUpTask, OutboxRow)
        .join(OutboxRow, FollowUpTask.id == task_id)
        .where(OutboxRow.state == "queued", OutboxRow.due_at <= at)
        .with_for_update(of=OutboxRow, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    held = 0
    for task, message in session.execute(rows).all():
        reached = where_reached(session, task.patient, at)
        there = on_the_clock_of(policy, reached.person, reached.number(number_token(message.number)))
        leaves = first_allowed(at, there.window, there.zone)
        if not subjects.still_needed(session, task, at) or not _tells_its_time(session, task, message):
            outbox.withdraw(session, message)
        elif leaves >= message.useful_until:
            outbox.withdraw(session, message, "too_late")
        elif leaves > at:
            message.due_at = leaves
        else:
            continue
        held += 1
    return held


def _tells_its_time(session: Session, task: FollowUpTask, message: OutboxRow) -> bool:
    reminder = session.get_one(Reminder, task.id)
    if reminder.appointment_id is None:
        return True
    return booked(session, reminder.appointment_id).starts_at == datetime.fromisoformat(message.params["starts_at"])
