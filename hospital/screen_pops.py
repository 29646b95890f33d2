"""Screen-pops: the card of a call on the page of the one agent who is ringing, and on no other (I9).

Rules: a pop shows who it may be; the clinical part opens after two identifiers are ticked on it. Each agent's note on a
call is theirs alone to write: who takes the call over reads it and writes another. It belongs to the patient that the
call or the agent has identified, by two identifiers.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, ForeignKey, String, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import callbacks, cases, patients
from hospital.accounts import Account
from hospital.calls import Call
from hospital.database import Base, Id, announce, storable

IDENTIFIERS_TO_OPEN = 2
IDENTIFIERS = ("name", "birth_date", "number", "record", "address")


class ScreenPop(Base):
    __tablename__ = "screen_pop"
    id: Mapped[Id]
    call_id: Mapped[str] = mapped_column(ForeignKey("call.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    channel: Mapped[str]
    state: Mapped[str] = mapped_column(default="ringing")
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    ticked: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    note: Mapped[str] = mapped_column(default="")
    rang_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Noted:
    """An agent's note on a call that rang `at`."""

    at: datetime
    by: str
    text: str


def pop(session: Session, call_id: str, account_id: UUID, channel: str, at: datetime) -> UUID:
    """The row that makes the call's card appear on the page of the agent who is ringing, and on no other (I9)."""
    call = session.get_one(Call, call_id)
    known = patients.candidates(session, call.number)
    alone = call.patient_id or (known[0].patient.id if len(known) == 1 else None)
    made = (
        session.scalar(
            insert(ScreenPop)
            .values(call_id=call_id, account_id=account_id, channel=channel, rang_at=at, patient_id=alone)
            .on_conflict_do_nothing()
            .returning(ScreenPop.id)
        )
        or session.scalars(select(ScreenPop.id).where(ScreenPop.call_id == call_id, ScreenPop.channel == channel)).one()
    )
    announce(session, "screen_pop", made)
    return made


POP_MOVES = {"answered": ("ringing",), "missed": ("ringing",), "ended": ("answered", "ringing")}


def pop_moved(session: Session, call_id: str, channel: str, state: str, at: datetime) -> bool:
    """Move a leg's pop to `state` where the table of moves allows it; the answered one makes the call `talking`."""
    stamp = {"answered": {"answered_at": at}, "missed": {"ended_at": at}, "ended": {"ended_at": at}}[state]
    if state == "answered":
        _end_older_talk(session, call_id, channel, at)
    moved = session.execute(
        update(ScreenPop)
        .where(ScreenPop.call_id == call_id, ScreenPop.channel == channel, ScreenPop.state.in_(POP_MOVES[state]))
        .values(state=state, **stamp)
        .returning(ScreenPop.id, ScreenPop.account_id, ScreenPop.patient_id, ScreenPop.ticked)
    ).one_or_none()
    if moved is None:
        return False
    if state == "answered":
        session.execute(
            update(Call)
            .where(Call.id == call_id, Call.state != "ended")
            .values(
                state="talking",
                answered_at=func.coalesce(Call.answered_at, at),  # handed on to a colleague: the first answer counts
                answered_by=func.coalesce(Call.answered_by, moved.account_id),
            )
        )
        ticked = moved.patient_id if len(moved.ticked) >= IDENTIFIERS_TO_OPEN else None
        callbacks.close_for(session, call_id, at, ticked)
        cases.answered(session, call_id, moved.account_id, at)
    announce(session, "screen_pop", moved.id)
    return True


def _end_older_talk(session: Session, call_id: str, channel: str, at: datetime) -> None:
    """Who answers isn't in another talk any more: an event was lost in a crash, and must not block this one (I10)."""
    answering = (
        select(ScreenPop.account_id)
        .where(ScreenPop.call_id == call_id, ScreenPop.channel == channel, ScreenPop.state == "ringing")
        .scalar_subquery()
    )
    older = session.scalars(
        update(ScreenPop)
        .where(ScreenPop.account_id == answering, ScreenPop.state == "answered")
        .values(state="ended", ended_at=at)
        .returning(ScreenPop.id)
        .execution_options(synchronize_session=False)
    ).all()
    for pop_id in older:
        announce(session, "screen_pop", pop_id)


def has_answered(session: Session, call_id: str, account_id: UUID) -> bool:
    """Whether this agent talks to the caller, or has."""
    theirs = select(ScreenPop.id).where(ScreenPop.call_id == call_id, ScreenPop.account_id == account_id)
    return session.scalar(theirs.where(ScreenPop.answered_at.is_not(None)).limit(1)) is not None


def pops_of(session: Session, account_id: UUID) -> list[ScreenPop]:
    """What is on an agent's page: what rings, what they talk to, and the last call that they may still write up."""
    live = select(ScreenPop).where(ScreenPop.account_id == account_id, ScreenPop.state.in_(("ringing", "answered")))
    rows = list(session.scalars(live.order_by(ScreenPop.rang_at.desc())))
    if rows:
        return rows
    last = select(ScreenPop).where(ScreenPop.account_id == account_id, ScreenPop.state == "ended")
    return list(session.scalars(last.order_by(ScreenPop.rang_at.desc()).limit(1)))


def _own_pop(session: Session, pop_id: UUID, account_id: UUID) -> ScreenPop | None:
    """The agent's own pop, locked; None for another's, and for one that rang out: that card is not theirs to read."""
    return session.scalar(
        select(ScreenPop)
        .where(ScreenPop.id == pop_id, ScreenPop.account_id == account_id, ScreenPop.state != "missed")
        .with_for_update()
    )


def choose_patient(session: Session, pop_id: UUID, account_id: UUID, patient_id: UUID) -> bool:
    """The agent says which of the number's patients it is; what had been ticked for another is forgotten."""
    pop_row = _own_pop(session, pop_id, account_id)
    if pop_row is None:
        return False
    call = session.get_one(Call, pop_row.call_id)
    if patient_id not in {c.patient.id for c in patients.candidates(session, call.number)} | {call.patient_id}:
        return False
    if pop_row.patient_id != patient_id:
        pop_row.patient_id, pop_row.ticked = patient_id, []
    announce(session, "screen_pop", pop_id)
    return True


def tick(session: Session, pop_id: UUID, account_id: UUID, identifier: str, on: bool) -> bool:
    """Tick one of IDENTIFIERS that the caller has told; True when two are ticked and the clinical part may open. Then
    whoever it is has been spoken with: what was open for them by this number is closed."""
    if identifier not in IDENTIFIERS:
        raise ValueError(f"{identifier!r} identifies nobody: {', '.join(IDENTIFIERS)}")
    pop_row = _own_pop(session, pop_id, account_id)
    if pop_row is None or pop_row.patient_id is None:
        return False
    pop_row.ticked = sorted((set(pop_row.ticked) | {identifier}) if on else set(pop_row.ticked) - {identifier})
    announce(session, "screen_pop", pop_id)
    sure = len(pop_row.ticked) >= IDENTIFIERS_TO_OPEN
    if sure and pop_row.answered_at is not None:
        callbacks.close_for(session, pop_row.call_id, pop_row.answered_at, pop_row.patient_id)
    return sure


def save_note(session: Session, pop_id: UUID, account_id: UUID, note: str) -> bool:
    """The agent's own note on the call, as typed; False for another's pop."""
    pop_row = _own_pop(session, pop_id, account_id)
    if pop_row is None:
        return False
    pop_row.note = storable(note)
    announce(session, "call", pop_row.call_id)
    return True


def notes_of_others(session: Session, pop_row: ScreenPop) -> list[Noted]:
    """What others have written on the same call, the oldest first."""
    return _noted(session, 20, ScreenPop.call_id == pop_row.call_id, ScreenPop.id != pop_row.id)[::-1]


def notes_of(session: Session, patient_id: UUID, but_of: str, limit: int = 5) -> list[Noted]:
    """The last notes on the patient's calls, newest first, without those on the call `but_of`. Who only has the number
    from which somebody called has none by that."""
    by_agent = (ScreenPop.patient_id == patient_id) & (func.cardinality(ScreenPop.ticked) >= IDENTIFIERS_TO_OPEN)
    by_service = (Call.patient_id == patient_id) & (func.cardinality(Call.identified_by) >= IDENTIFIERS_TO_OPEN)
    by_service &= or_(ScreenPop.patient_id.is_(None), ScreenPop.patient_id == patient_id)
    return _noted(session, limit, or_(by_agent, by_service), ScreenPop.call_id != but_of)


def _noted(session: Session, limit: int, *which: ColumnElement[bool]) -> list[Noted]:
    rows = select(ScreenPop.rang_at, Account.display_name, ScreenPop.note)
    rows = rows.join(Account, Account.id == ScreenPop.account_id).join(Call, Call.id == ScreenPop.call_id)
    rows = rows.where(ScreenPop.note != "", *which).order_by(ScreenPop.rang_at.desc(), ScreenPop.id).limit(limit)
    return [Noted(*row) for row in session.execute(rows)]
