"""Links in text messages under which a patient answers the questions of one task on a web page.

Rules: only a survey whose questionnaire says `byWeb` is asked so, because a link proves nobody: whoever has it may
answer, and learns nothing. Its token is 128 bits of chance; only its hash is kept. It lives as long as the site says,
no longer than its task waits, is open from the moment somebody presses "Begin" (who only looks opens nothing), and
ends with the last answer, or with a red flag, which goes to who is on call in the transaction that saves the answer.
Ended, expired, made up or of a patient who has died: it is no link, and nobody is told which.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import answer_flags, answer_rules, audit, followups, nurse_flags, surveys
from hospital.answer_changes import Change
from hospital.calendars import Calendar
from hospital.clocks import Clocks, Due
from hospital.database import Base, announce
from hospital.followups import FollowUpTask

TOKEN_BYTES = 16
VIA = "web"


class AnswerLink(Base):
    __tablename__ = "answer_link"
    task_id: Mapped[UUID] = mapped_column(ForeignKey("followup_task.id"), primary_key=True)
    token_hash: Mapped[bytes]
    language: Mapped[str]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    ended: Mapped[str | None]
    ended_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Links:
    """The site's address of the pages, without a slash at its end, and how long a link may be used."""

    address: str
    lives: timedelta = timedelta(days=14)


@dataclass(frozen=True)
class Asked:
    """What a link opens. `body` is the questionnaire in its version."""

    task_id: UUID
    language: str
    begun: bool
    body: dict[str, Any] = field(repr=False)
    answers: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Raised:
    """What is to be written with an answer that needs somebody at once: a code, and until when it must be taken."""

    code: str
    due: Due


def by_web(task: FollowUpTask) -> bool:
    """Whether its questions may be asked of whoever has a link."""
    body = task.questionnaire.body
    return body.get("byWeb") is True and body.get("purpose") == "survey"


def make(session: Session, task: FollowUpTask, language: str, at: datetime, links: Links, waits: datetime) -> str:
    """A new link to a task's questions. `waits`: until when its message waits for an answer."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    expires = min(at + links.lives, max(task.due_until, waits))
    made = AnswerLink(task_id=task.id, token_hash=_hash(token), language=language, made_at=at, expires_at=expires)
    session.add(made)
    return f"{links.address}/s/{token}"


def find(session: Session, token: str, at: datetime) -> Asked | None:
    """What a link opens now; None for one that opens nothing. Nothing is changed."""
    link = _open(session, token, at, hold=False)
    return _asked(session, link) if link is not None else None


def begin(session: Session, token: str, at: datetime) -> bool:
    """Somebody begins, or goes on; False where the link opens nothing."""
    link = _open(session, token, at)
    if link is None:
        return False
    if link.opened_at is None:
        link.opened_at = at
        followups.decide(session, link.task_id, "page_opened", at)
        announce(session, "task", link.task_id)
    return True


def hold(session: Session, token: str, at: datetime) -> Asked | None:
    """What a link opens now, locked until this transaction ends, so that of two answers at once each sees the other's.
    None for one that opens nothing, or was not begun."""
    link = _open(session, token, at)
    return _asked(session, link) if link is not None and link.opened_at is not None else None


def save(
    session: Session,
    held: Asked,
    key: str,
    value: Any,
    at: datetime,
    *,
    raised: Raised | None = None,
    changes: Sequence[Change] = (),
    site: Calendar,
    clocks: Clocks | None = None,
) -> None:
    """One answer of a link that this transaction holds, what rules change that are met now, and a red flag: it ends
    the link, and the task is a nurse's."""
    followups.save_answer(session, held.task_id, key, value, at, via=VIA)
    answer_rules.apply(session, held.task_id, changes, at, site, clocks)
    announce(session, "task", held.task_id)
    if raised is not None:
        _raise(session, held.task_id, raised, at)


def finish(session: Session, held: Asked, at: datetime) -> None:
    """All was answered. Where the answers ask for a nurse, the task is hers from now on."""
    done = surveys.finish(session, held.task_id, at, "answered_on_page")
    _end(session, held.task_id, "finished" if done else "nurse", at)


def _raise(session: Session, task_id: UUID, raised: Raised, at: datetime) -> None:
    task = session.get_one(FollowUpTask, task_id)
    number = answer_flags.number_of(session, task.patient_id, at)
    case_id = nurse_flags.open_or_found(session, task, raised.code, number, at, raised.due)
    surveys.hand_over(session, task_id, raised.code, at)
    audit.record(session, None, "urgent.raised", f"case:{case_id}", at, task=str(task_id), flags=[raised.code])
    _end(session, task_id, "red_flag", at)


def _end(session: Session, task_id: UUID, how: str, at: datetime) -> None:
    link = session.get_one(AnswerLink, task_id)
    link.ended, link.ended_at = how, at


def _open(session: Session, token: str, at: datetime, hold: bool = True) -> AnswerLink | None:
    """`hold`: with its task locked, as everything that changes a task does first."""
    task_id = session.scalar(select(AnswerLink.task_id).where(AnswerLink.token_hash == _hash(token)))
    if task_id is None:
        return None
    task = session.get_one(FollowUpTask, task_id, with_for_update=hold or None, populate_existing=True)
    link = session.get_one(AnswerLink, task_id, populate_existing=True)
    dead = task.patient.deceased_at is not None or task.patient.death_reported_at is not None
    usable = link.ended is None and at < link.expires_at and task.state == "open" and not dead
    return link if usable else None


def _asked(session: Session, link: AnswerLink) -> Asked:
    task = session.get_one(FollowUpTask, link.task_id)
    given = followups.answers(session, link.task_id)
    return Asked(link.task_id, link.language, link.opened_at is not None, task.questionnaire.body, given)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
