"""Interpreters: a member of staff rings one into the talk with a patient.

Rules: a talk has one interpreter at a time. The call is committed, with its channel's id, before it is dialled, and is
dialled once; its first result stands. Each is in the audit chain: a third person hears the patient.
"""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import audit
from hospital.attempt_records import LIVE, Attempt
from hospital.database import Base, announce
from hospital.screen_pops import ScreenPop


class InterpreterCall(Base):
    __tablename__ = "interpreter_call"
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    talk: Mapped[str]
    call_id: Mapped[str | None] = mapped_column(ForeignKey("call.id"))
    attempt_id: Mapped[UUID | None] = mapped_column(ForeignKey("attempt.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    language: Mapped[str]
    state: Mapped[str] = mapped_column(default="dialling")
    line_result: Mapped[str | None]
    dialled_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


def ring(
    session: Session, account_id: UUID, talk: str, language: str, node: str, at: datetime
) -> InterpreterCall | None:
    """To be dialled once this is committed. `talk`: the patient's leg. None where this account is in no such talk, or
    there is an interpreter already."""
    theirs = _talk_of(session, account_id, talk)
    if theirs is None:
        return None
    made = session.scalar(
        insert(InterpreterCall)
        .values(
            channel_id=f"{node}-{uuid4().hex}",
            talk=talk,
            account_id=account_id,
            language=language,
            dialled_at=at,
            **theirs,
        )
        .on_conflict_do_nothing()
        .returning(InterpreterCall)
    )
    if made is not None:
        audit.record(session, account_id, "interpreter.rung", f"talk:{talk}", at, language=language)
        _tell(session, made)
    return made


def _talk_of(session: Session, account_id: UUID, talk: str) -> dict[str, object] | None:
    """What this account's talk with the leg belongs to."""
    pop = select(ScreenPop.call_id).where(
        ScreenPop.call_id == talk, ScreenPop.account_id == account_id, ScreenPop.state == "answered"
    )
    if session.scalar(pop) is not None:
        return {"call_id": talk}
    attempt = session.scalar(
        select(Attempt.id).where(
            Attempt.channel_id == talk, Attempt.account_id == account_id, Attempt.state == "talking", ~Attempt.video
        )
    )
    return {"attempt_id": attempt} if attempt is not None else None


def is_theirs(session: Session, account_id: UUID, talk: str) -> bool:
    """Whether this account talks with that leg now."""
    return _talk_of(session, account_id, talk) is not None


def answered(session: Session, channel_id: str, at: datetime) -> None:
    """Nothing where the channel is no interpreter's."""
    these = (InterpreterCall.channel_id == channel_id, InterpreterCall.state == "dialling")
    _move(session, these, {"state": "talking", "answered_at": at})


def line_ended(session: Session, channel_id: str, line_result: str, at: datetime) -> None:
    """The call is over, or was never made; its first result stands."""
    these = (InterpreterCall.channel_id == channel_id, InterpreterCall.state != "ended")
    _move(session, these, {"state": "ended", "line_result": line_result, "ended_at": at})


def live(session: Session) -> list[InterpreterCall]:
    return list(session.scalars(select(InterpreterCall).where(InterpreterCall.state != "ended")))


def talk_is_over(session: Session) -> list[InterpreterCall]:
    """Interpreters of talks that have ended, as the agent's card or the nurse's call says."""
    talks = select(ScreenPop.id).where(ScreenPop.call_id == InterpreterCall.call_id, ScreenPop.state == "answered")
    calls = select(Attempt.id).where(Attempt.id == InterpreterCall.attempt_id, Attempt.state.in_(LIVE))
    over = select(InterpreterCall).where(InterpreterCall.state != "ended", ~talks.exists(), ~calls.exists())
    return list(session.scalars(over))


def newest(session: Session, talk: str) -> InterpreterCall | None:
    rows = select(InterpreterCall).where(InterpreterCall.talk == talk)
    return session.scalar(rows.order_by(InterpreterCall.dialled_at.desc()).limit(1))


def _move(session: Session, these: tuple[object, ...], values: dict[str, object]) -> None:
    moved = session.scalar(
        update(InterpreterCall).where(*these).values(**values).returning(InterpreterCall)  # type: ignore[arg-type]
    )
    if moved is not None:
        _tell(session, moved)


def _tell(session: Session, call: InterpreterCall) -> None:
    if call.call_id is not None:
        announce(session, "call", call.call_id)
    else:
        announce(session, "task", session.get_one(Attempt, call.attempt_id).task_id)
