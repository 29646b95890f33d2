"""Surveys: a questionnaire that the machine asks a patient, in a call of ours or of theirs.

Rules: each answer is saved as it is given, so that a hang-up loses none and the next call goes on with the next
question. An answer that raises a red flag is written together with its case, and with a callback where nobody is there
to take the caller at once: one transaction, so that all of it survives whatever happens to the call. Who asks for
urgent help between the answers has raised one, too. From then on the follow-up is a nurse's, and the machine asks
nothing more of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from hospital import answer_flags, answer_rules, callbacks, cases, followups, next_steps, waiting
from hospital.answer_changes import Change
from hospital.attempt_records import Attempt, about
from hospital.calendars import Calendar
from hospital.cases import Teller
from hospital.clocks import Clocks, Due
from hospital.database import announce
from hospital.followups import FollowUpTask
from hospital.patients import Patient

CHANNEL = "automated_call"
ASKED_BY_MACHINE = (CHANNEL, "sms", "letter")
"""Channels whose questions a patient may answer in a call of their own."""
MOST_AT_ONCE = 3


@dataclass(frozen=True)
class Survey:
    """What is asked of whom, and what was answered so far. `body` is the questionnaire in its version."""

    task_id: UUID
    patient: Patient
    body: Mapping[str, Any]
    answers: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class RedFlag:
    """What is to be written with an answer: a code, who told it, its clock, and where they can be called back."""

    code: str
    teller: Teller
    due: Due
    queue: str


@dataclass(frozen=True)
class Met:
    """What the rules that the answers meet change, on the site's calendar; `clocks`: of the cases that they open."""

    changes: Sequence[Change] = ()
    site: Calendar | None = None
    clocks: Clocks | None = None


NOTHING = Met()


def begin(session: Session, task_id: UUID) -> Survey:
    task = session.get_one(FollowUpTask, task_id)
    asked = task.questionnaire
    return Survey(task_id, task.patient, asked.body, followups.answers(session, task_id))


def waiting_for(session: Session, patient_id: UUID, at: datetime) -> list[UUID]:
    """The surveys that this patient could answer now."""
    rows = (
        select(FollowUpTask.id)
        .where(
            FollowUpTask.patient_id == patient_id,
            FollowUpTask.channel.in_(ASKED_BY_MACHINE),
            FollowUpTask.state == "open",
            FollowUpTask.questionnaire_id.is_not(None),
            FollowUpTask.due_at <= at,
        )
        .order_by(FollowUpTask.priority, FollowUpTask.due_at)
    )
    return list(session.scalars(rows.limit(MOST_AT_ONCE)))


def answer(
    session: Session,
    task_id: UUID,
    key: str,
    value: Any,
    at: datetime,
    *,
    attempt_id: UUID | None = None,
    flag: RedFlag | None = None,
    met: Met = NOTHING,
    via: str = "telephone",
) -> bool:
    """Saves one answer, all that a red flag needs, and what rules change that are met now. False: there is a red flag,
    and nobody is there to take the caller."""
    followups.save_answer(session, task_id, key, value, at, attempt_id=attempt_id, via=via)
    if met.site is not None:
        answer_rules.apply(session, task_id, met.changes, at, met.site, met.clocks)
    announce(session, "task", task_id)
    return flag is None or _raise_flag(session, task_id, flag, at)


def alarm(session: Session, task_id: UUID, flag: RedFlag, at: datetime) -> bool:
    """Urgent help was asked for in mid-survey; what was answered stays. False: nobody is there to take the caller."""
    announce(session, "task", task_id)
    return _raise_flag(session, task_id, flag, at)


def finish(session: Session, task_id: UUID, at: datetime, how: str = "answered_by_caller") -> bool:
    """All was answered in a call of the patient's own, or `how` else, as the decision log says; False where somebody
    talks about the task just now or it was closed, unless nobody was reached. What rings for it meanwhile comes too
    late. Where the answers ask for a nurse, it is hers from now on."""
    talks = select(Attempt.id).where(about(task_id), Attempt.state == "talking").exists()
    rings = and_(FollowUpTask.state == "calling", ~talks)
    rows = select(FollowUpTask).where(FollowUpTask.id == task_id, or_(followups.may_be_answered(), rings))
    task = session.scalar(rows.with_for_update(of=FollowUpTask).execution_options(populate_existing=True))
    if task is None:
        return False
    announce(session, "task", task_id)
    if answer_rules.waits(session, task_id):
        next_steps.to_nurse(session, task, at, at, "answer_rule")
        return False
    task.finish(at)
    followups.decide(session, task_id, how, at)
    return True


def _raise_flag(session: Session, task_id: UUID, flag: RedFlag, at: datetime) -> bool:
    origin = f"red_flag/{flag.teller.call_id}"
    cases.open_case(session, "red_flag", origin, flag.teller, at, flag.due, flag.code)
    hand_over(session, task_id, flag.code, at)
    if waiting.anybody_on_duty(session, flag.queue):
        return True
    patient_id = session.get_one(FollowUpTask, task_id).patient_id
    number = flag.teller.caller or answer_flags.number_of(session, patient_id, at)
    if number is not None:
        callbacks.ask_urgently(
            session,
            origin=flag.teller.call_id,
            number=number,
            patient_id=patient_id,
            at=at,
            language=flag.teller.language,
        )
    return False


def hand_over(session: Session, task_id: UUID, code: str, at: datetime) -> None:
    """A red flag was told to the machine: it is a nurse's from now on, with all its tries, also where it was given
    up."""
    task = session.get_one(FollowUpTask, task_id, with_for_update={"key_share": True}, populate_existing=True)
    if task.given_up:
        task.reopen()
    task.channel, task.priority, task.tries, task.next_try_at = "nurse_call", 1, 0, None
    task.fallback = [channel for channel in task.fallback if channel != "nurse_call"]
    followups.decide(session, task_id, "red_flag", at, flag=code)
