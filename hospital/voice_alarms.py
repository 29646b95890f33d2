"""Red flags in what callers left by voice: found in its transcript, when nobody is on the line any more.

Rules: one for each recording, in the transaction that keeps its transcript, with the clock and the ladder of any red
flag. Where it is an answer of a survey, the follow-up is a nurse's from then on. Who said it is sent whom to call in an
emergency, as who writes it is. What was said is in the transcript alone.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import audit, cases, followups, outbox, surveys
from hospital.cases import Case, Teller
from hospital.clocks import Due
from hospital.database import announce
from hospital.followups import FollowUpTask

CODE = "voice_alarm"
ORIGIN = "red_flag/voice/"


def raise_alarm(session: Session, told: UUID, at: datetime, due: Due) -> UUID:
    """`told`: the case whose voice it is. The red flag; a second time the same."""
    voice = session.get_one(Case, told)
    teller = Teller(voice.call_id or "", voice.caller, voice.patient_id, voice.language)
    flag_id = cases.open_case(session, "red_flag", f"{ORIGIN}{voice.id}", teller, at, due, CODE)
    task = _asked(session, voice)
    if task is not None:
        _hand_over(session, task, at)
    if voice.caller is not None:
        outbox.put(
            session, once=f"voice_urgent/{voice.id}", key="survey_urgent", locale=voice.language or "en",
            number=voice.caller, at=at, patient_id=voice.patient_id,
        )  # fmt: skip
    about = {"task": str(task.id)} if task is not None else {}
    audit.record(session, None, "urgent.raised", f"case:{flag_id}", at, flags=[CODE], told=str(voice.id), **about)
    return flag_id


def told_in(session: Session, flag: Case) -> Case | None:
    """The case whose voice has raised a red flag; None where none has."""
    if not flag.origin.startswith(ORIGIN):
        return None
    return session.get(Case, UUID(flag.origin.removeprefix(ORIGIN)))


def _hand_over(session: Session, task: FollowUpTask, at: datetime) -> None:
    if task.state not in ("done", "stopped") or task.given_up:
        surveys.hand_over(session, task.id, CODE, at)
    else:
        followups.decide(session, task.id, "red_flag", at, flag=CODE)
    announce(session, "task", task.id)


def _asked(session: Session, voice: Case) -> FollowUpTask | None:
    """The follow-up that has this voice as an answer: answers are sealed, and name the case by its number."""
    rows = select(FollowUpTask).where(
        FollowUpTask.patient_id == voice.patient_id, FollowUpTask.questionnaire_id.is_not(None)
    )
    for task in session.scalars(rows.order_by(FollowUpTask.due_at.desc())):
        if any(_holds(value, voice.number) for value in followups.answers(session, task.id).values()):
            return task
    return None


def _holds(value: Any, number: int) -> bool:
    if isinstance(value, list):
        return any(_holds(one, number) for one in value)
    return isinstance(value, dict) and value.get("voice") == number
