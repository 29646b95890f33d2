"""What was answered to a version of a questionnaire, task by task: for figures, and for who may read each answer.

Rules: a version stands by itself, for its questions may mean other things than the one before. All that became due in a
span is there, also what nobody answered, so that a share names what it is a share of; who was not to be contacted any
more (`followup_coverage`) is told beside. The newest answer of each item counts. A response has come on the way on
which its newest answer did; a link counts as sent when its message has left.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import column, func, select, table
from sqlalchemy.orm import Session

from hospital.answer_links import AnswerLink
from hospital.followups import Answer, FollowUpTask
from hospital.outbox import OutboxRow
from hospital.questionnaires import Questionnaire
from hospital.text_records import StepText

MOST = 5000  # tasks of one look: the newest
WAYS = ("nurse", "machine", "own_call", "text", "web")
"""How a response has come: a nurse asked by telephone, the machine in a call of ours, or in one of the patient's own,
in replies to text messages, on the page of a link."""
_COVERAGE = table("followup_coverage", *map(column, ("task_id", "standing")))


@dataclass(frozen=True)
class Version:
    """One version, with how many tasks have it in a span."""

    questionnaire_id: UUID
    code: str
    number: int
    due: int
    answered: int


@dataclass(frozen=True)
class Response:
    """The answers to one task, by key; `done`: nothing is asked any more. `way`: one of WAYS."""

    task_id: UUID
    patient_id: UUID
    at: datetime
    done: bool
    way: str
    answers: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class LinksUsed:
    """Links to a page: of those that were sent, how many somebody has begun on, and of these how many were finished."""

    sent: int
    opened: int
    finished: int


@dataclass(frozen=True)
class Responses:
    """`due`: tasks of the version that became due in the span; `excused` of them nobody was to be contacted for.
    `answered` are those with an answer, the newest first; `cut`: there are more than were read."""

    version: Questionnaire
    due: int
    excused: int
    answered: list[Response]
    cut: bool
    links: LinksUsed

    @property
    def ways(self) -> dict[str, int]:
        """How many of those that were read have come on each way."""
        return {way: sum(one.way == way for one in self.answered) for way in WAYS}

    @property
    def meant(self) -> int:
        return self.due - self.excused


def versions(session: Session, since: datetime, until: datetime) -> list[Version]:
    """The versions of which something became due in [since, until), the newest of each questionnaire first."""
    with_answer = func.count().filter(select(Answer.id).where(Answer.task_id == FollowUpTask.id).exists())
    rows = session.execute(
        select(Questionnaire.id, Questionnaire.code, Questionnaire.version, func.count(), with_answer)
        .join(FollowUpTask, FollowUpTask.questionnaire_id == Questionnaire.id)
        .where(FollowUpTask.due_at >= since, FollowUpTask.due_at < until)
        .group_by(Questionnaire.id)
        .order_by(Questionnaire.code, Questionnaire.version.desc())
    )
    return [Version(*row) for row in rows]


def body_of(session: Session, questionnaire_id: UUID) -> dict[str, Any]:
    return session.get_one(Questionnaire, questionnaire_id).body


def of_version(session: Session, questionnaire_id: UUID, since: datetime, until: datetime) -> Responses | None:
    """None where there is no such version."""
    version = session.get(Questionnaire, questionnaire_id)
    if version is None:
        return None
    within = (
        FollowUpTask.questionnaire_id == questionnaire_id,
        FollowUpTask.due_at >= since,
        FollowUpTask.due_at < until,
    )
    due, excused = session.execute(
        select(func.count(), func.count().filter(_COVERAGE.c.standing == "excused"))
        .select_from(FollowUpTask)
        .join(_COVERAGE, _COVERAGE.c.task_id == FollowUpTask.id)
        .where(*within)
    ).one()
    answered = select(Answer.id).where(Answer.task_id == FollowUpTask.id).exists()
    newest = select(FollowUpTask).where(*within, answered).order_by(FollowUpTask.due_at.desc(), FollowUpTask.id)
    tasks = session.scalars(newest.limit(MOST + 1)).all()
    given: dict[UUID, dict[str, Any]] = {task.id: {} for task in tasks[:MOST]}
    last: dict[UUID, Answer] = {}
    for answer in session.scalars(select(Answer).where(Answer.task_id.in_(given)).order_by(Answer.id)):
        given[answer.task_id][answer.item] = json.loads(answer.value)
        last[answer.task_id] = answer
    found = [
        Response(task.id, task.patient_id, last[task.id].at, task.state == "done", _way(last[task.id]), given[task.id])
        for task in tasks[:MOST]
    ]
    links = session.execute(
        select(
            func.count(),
            func.count(AnswerLink.opened_at),
            func.count().filter(AnswerLink.ended.in_(("finished", "nurse"))),
        )
        .join(FollowUpTask, FollowUpTask.id == AnswerLink.task_id)
        .join(StepText, StepText.task_id == AnswerLink.task_id)
        .join(OutboxRow, OutboxRow.id == StepText.outbox_id)
        .where(*within, OutboxRow.state.in_(("sent", "delivered")))
    ).one()
    return Responses(version, due, excused, found, len(tasks) > MOST, LinksUsed(*links))


def _way(answer: Answer) -> str:
    if answer.via != "telephone":
        return answer.via
    if answer.account_id is not None:
        return "nurse"
    return "machine" if answer.attempt_id is not None else "own_call"
