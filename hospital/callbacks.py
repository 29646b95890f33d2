"""Callbacks: an abandoned, after-hours or unserved call becomes one owned item for each number.

Rules: collected once for each origin; a later answered call from the number closes what was open for it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import calls, patients
from hospital.calls import Call
from hospital.database import Base, Id, announce
from hospital.vault import Sealed


class Callback(Base):
    __tablename__ = "callback"
    id: Mapped[Id]
    origin: Mapped[str]
    number: Mapped[str] = mapped_column("number_sealed", Sealed("callback.number"))
    number_token: Mapped[bytes]
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    language: Mapped[str | None]
    why: Mapped[str]
    birth: Mapped[str | None] = mapped_column("birth_sealed", Sealed("callback.birth"))  # ISO date
    state: Mapped[str] = mapped_column(default="open")
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    asked_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    outcome: Mapped[str | None]


@dataclass(frozen=True)
class Asked:
    """What came of asking for a callback: a new item, or the one that was open for this number already."""

    callback_id: UUID
    new: bool


def ask(session: Session, *, origin: str, number: str, why: str, at: datetime, language: str | None = None) -> Asked:
    """One open item for each number (E.164), and one for each origin however often it is collected."""
    for _ in range(3):
        asked = _ask_once(session, origin, number, why, at, language)
        if asked is not None:
            return asked
    raise RuntimeError("a callback of this number is opened and closed over and over; ask again")


def _ask_once(session: Session, origin: str, number: str, why: str, at: datetime, language: str | None) -> Asked | None:
    """None where the open item that was in the way was closed at this very moment."""
    token = patients.number_token(number)
    known = patients.candidates(session, number)
    made = session.scalar(
        insert(Callback)
        .values(
            origin=origin,
            number=number,
            number_token=token,
            patient_id=known[0].patient.id if len(known) == 1 else None,
            language=language or (known[0].patient.language if len(known) == 1 else None),
            why=why,
            asked_at=at,
        )
        .on_conflict_do_nothing()
        .returning(Callback.id)
    )
    if made is not None:
        announce(session, "callback", made)
        return Asked(made, new=True)
    there = select(Callback.id).where(
        (Callback.origin == origin) | ((Callback.number_token == token) & (Callback.state != "done"))
    )
    found = session.scalars(there.order_by(Callback.origin != origin)).first()
    return Asked(found, new=False) if found is not None else None


def ask_urgently(session: Session, *, origin: str, number: str, at: datetime, language: str | None) -> Asked:
    """A red flag, and nobody was there: before all others. What was open for this number becomes this."""
    asked = ask(session, origin=origin, number=number, why="red_flag", at=at, language=language)
    session.execute(
        update(Callback).where(Callback.id == asked.callback_id, Callback.state != "done").values(why="red_flag")
    )
    return asked


def ask_new_patient(session: Session, *, origin: str, number: str, birth: date, at: datetime, language: str) -> Asked:
    """Reception is to register somebody who has no record here. Whoever shares the number is not meant; what was open
    for it becomes this."""
    asked = ask(session, origin=origin, number=number, why="asked", at=at, language=language)
    session.execute(
        update(Callback)
        .where(Callback.id == asked.callback_id)
        .values(why="new_patient", patient_id=None, birth=birth.isoformat())
    )
    return asked


def caller_gone(session: Session, call_id: str, at: datetime) -> None:
    """The caller has left, whatever their call was doing: who waited for a person is called back."""
    call = session.get(Call, call_id, with_for_update=True, populate_existing=True)
    if call is None:
        return
    if call.state == "queued":
        gave_up(session, call_id, at)
    else:
        calls.end(session, call_id, at, "answered" if call.state == "talking" else "left")


def gave_up(session: Session, call_id: str, at: datetime) -> None:
    """Who waited for a person and has left is one item, where there is a number; nothing where the call had ended."""
    call = calls.known(session, call_id)
    if call is None or not calls.end(session, call_id, at, "abandoned"):
        return
    calls.step(session, call_id, "abandoned", at)
    if call.number is not None:
        why = "asked" if calls.has_step(session, call_id, "callback_wanted") else "abandoned"
        ask(session, origin=call_id, number=call.number, why=why, at=at, language=call.language)


def still_open(session: Session, limit: int = 100) -> list[Callback]:
    """Red flags first, then the oldest."""
    rows = select(Callback).where(Callback.state != "done").order_by(Callback.why != "red_flag", Callback.asked_at)
    rows = rows.limit(limit)
    return list(session.scalars(rows))


def own(session: Session, callback_id: UUID, account_id: UUID) -> bool:
    """Take an open item; False where somebody else was faster."""
    taken = session.scalar(
        update(Callback)
        .where(Callback.id == callback_id, Callback.state == "open")
        .values(state="owned", owner_id=account_id)
        .returning(Callback.id)
    )
    announce(session, "callback", callback_id)
    return taken is not None


def finish(session: Session, callback_id: UUID, account_id: UUID, outcome: str, at: datetime) -> bool:
    """Its owner closes it."""
    done = session.scalar(
        update(Callback)
        .where(Callback.id == callback_id, Callback.state == "owned", Callback.owner_id == account_id)
        .values(state="done", done_at=at, outcome=outcome)
        .returning(Callback.id)
    )
    announce(session, "callback", callback_id)
    return done is not None


def give_back(session: Session, callback_id: UUID, account_id: UUID) -> bool:
    """Its owner can't do it after all: anybody may take it."""
    given = session.scalar(
        update(Callback)
        .where(Callback.id == callback_id, Callback.state == "owned", Callback.owner_id == account_id)
        .values(state="open", owner_id=None)
        .returning(Callback.id)
    )
    announce(session, "callback", callback_id)
    return given is not None


def close_for(session: Session, call_id: str, at: datetime) -> None:
    """A later answered call from the same number closes what was open for it."""
    call = session.get_one(Call, call_id)
    if call.number_token is None:
        return
    closed = session.scalars(
        update(Callback)
        .where(Callback.number_token == call.number_token, Callback.state != "done", Callback.asked_at <= at)
        .values(state="done", done_at=at, outcome="answered_later")
        .returning(Callback.id)
    ).all()
    for callback_id in closed:
        announce(session, "callback", callback_id)
