"""Calls and their journal.

Rules: a call's id is Asterisk's Linkedid. The journal holds codes and ids, nothing personal. A call ends once; its
first outcome stands, unless its caller is still on the line and then waits for a person.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, String, bindparam, or_, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import patients
from hospital.database import Base, announce
from hospital.vault import Sealed

STILL_THERE = ("answered", "callback", "message")
"""Outcomes after which a caller is asked or told something more, and may ask for a person."""
LONGEST = timedelta(hours=12)  # an older row was left by a node that is no more, and is nobody on the line


class Call(Base):
    __tablename__ = "call"
    id: Mapped[str] = mapped_column(primary_key=True)
    node: Mapped[str]
    direction: Mapped[str]
    number: Mapped[str | None] = mapped_column("number_sealed", Sealed("call.number"))
    number_token: Mapped[bytes | None]
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    identified_by: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    proxy_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    language: Mapped[str | None]
    reason: Mapped[str] = mapped_column(default="")
    queue: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="ivr")
    started_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]


class CallStep(Base):
    __tablename__ = "call_step"
    call_id: Mapped[str] = mapped_column(ForeignKey("call.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)


_NEXT_STEP = text("""
    INSERT INTO call_step (call_id, seq, at, kind, facts)
    SELECT :call, coalesce(max(seq), 0) + 1, :at, :kind, :facts FROM call_step WHERE call_id = :call""").bindparams(
    bindparam("facts", type_=JSONB)
)


def speaks_for(session: Session, call_id: str) -> UUID | None:
    """The guardian who calls, or is called, for the call's patient; None: the patient speaks."""
    return session.scalar(select(Call.proxy_id).where(Call.id == call_id))


def begin(session: Session, call_id: str, node: str, number: str | None, at: datetime, direction: str = "in") -> Call:
    """The call's row, made once however often it is told (the IVR and AMI both see a call begin)."""
    session.execute(
        insert(Call)
        .values(
            id=call_id,
            node=node,
            direction=direction,
            number=number,
            number_token=patients.number_token(number) if number else None,
            started_at=at,
        )
        .on_conflict_do_nothing()
    )
    return session.get_one(Call, call_id)


def known(session: Session, call_id: str) -> Call | None:
    """The call's row, if it was written."""
    return session.get(Call, call_id)


def have_called(session: Session, token: bytes, patient_ids: Collection[UUID], at: datetime) -> bool:
    """Whether somebody is in a call of their own with us just now: from this number, or one of these patients."""
    theirs = or_(Call.number_token == token, Call.patient_id.in_(patient_ids))
    live = select(Call.id).where(Call.direction == "in", Call.state != "ended", Call.started_at > at - LONGEST, theirs)
    return session.scalar(live.limit(1)) is not None


def step(session: Session, call_id: str, kind: str, at: datetime, /, **facts: Any) -> None:
    """One line of the journal. `facts`: codes and ids only."""
    # The call's row is locked first: the IVR and the agent's page may both write at the same moment.
    session.execute(select(Call.id).where(Call.id == call_id).with_for_update())
    session.execute(_NEXT_STEP, {"call": call_id, "at": at, "kind": kind, "facts": facts})
    announce(session, "call", call_id)


def journal(session: Session, call_id: str) -> list[CallStep]:
    return list(session.scalars(select(CallStep).where(CallStep.call_id == call_id).order_by(CallStep.seq)))


def update_call(session: Session, call_id: str, /, **columns: Any) -> None:
    """Set what is now known of a call (its patient, who calls for them, language, reason); never its state."""
    allowed = {"language", "patient_id", "identified_by", "proxy_id", "reason"}
    if not columns.keys() <= allowed:
        raise ValueError(f"a call's {', '.join(columns.keys() - allowed)} is not set this way")
    session.execute(update(Call).where(Call.id == call_id).values(**columns))
    announce(session, "call", call_id)


def has_step(session: Session, call_id: str, kind: str) -> bool:
    found = select(CallStep.seq).where(CallStep.call_id == call_id, CallStep.kind == kind).limit(1)
    return session.scalar(found) is not None


def queued(session: Session, call_id: str, queue: str) -> None:
    """The caller waits for a person; also one who asks for somebody when the talk is over, or when a callback is
    noted: the call goes on then."""
    session.execute(
        update(Call)
        .where(Call.id == call_id, or_(Call.state != "ended", Call.outcome.in_(STILL_THERE)))
        .values(state="queued", queue=queue, ended_at=None, outcome=None)
    )
    announce(session, "call", call_id)


def talks(session: Session, call_id: str) -> None:
    """A person has taken the caller on the fixed phone, which has no page: who it was nobody knows."""
    session.execute(update(Call).where(Call.id == call_id, Call.state == "queued").values(state="talking"))
    announce(session, "call", call_id)


def end(session: Session, call_id: str, at: datetime, outcome: str) -> bool:
    """End a call once; False where it had ended before (its first outcome stands: I5)."""
    ended = session.scalar(
        update(Call)
        .where(Call.id == call_id, Call.state != "ended")
        .values(state="ended", ended_at=at, outcome=outcome)
        .returning(Call.id)
    )
    announce(session, "call", call_id)
    return ended is not None
