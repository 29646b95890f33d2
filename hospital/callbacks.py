"""Callbacks: an abandoned, after-hours or unserved call becomes one owned item for each number.

Rules: collected once for each origin; a later answered call from the number closes what was open for it, but nothing of
another patient's than the one who called, and of a patient's own items only those of whoever the service or the agent
has identified. Several people share a number: a red flag, an appointment of which somebody is to be told, and somebody
who is new are items of their own, and no other call from that number changes them. What its owner leaves lying a
colleague takes over.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, Select, and_, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import audit, calls, patients
from hospital.calls import Call
from hospital.database import Base, Id, announce
from hospital.vault import Sealed

BY_NUMBER = ("asked", "abandoned", "ivr_down", "after_hours")
"""Whoever called from it: one open item for each number."""
WORKS = "callbacks.work"
LEFT = timedelta(minutes=30)
"""After this anybody takes an item over from its owner; who supervises, at any time."""


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
    owned_at: Mapped[datetime | None]
    asked_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    outcome: Mapped[str | None]


@dataclass(frozen=True)
class Asked:
    """What came of asking for a callback: a new item, or the one that was open for this number already."""

    callback_id: UUID
    new: bool


def ask(session: Session, *, origin: str, number: str, why: str, at: datetime, language: str | None = None) -> Asked:
    """One open item for each number (E.164) of whoever calls from it, and one for each origin however often it is
    collected. `why`: one of BY_NUMBER. Whose red flag is open, or who is new, is called anyway."""
    for _ in range(3):
        asked = _ask_once(session, origin, number, why, at, language)
        if asked is not None:
            return asked
    raise RuntimeError("a callback of this number is opened and closed over and over; ask again")


def _ask_once(session: Session, origin: str, number: str, why: str, at: datetime, language: str | None) -> Asked | None:
    """None where the open item that was in the way was closed at this very moment."""
    known = patients.candidates(session, number)
    alone = known[0].patient if len(known) == 1 else None
    if len(known) <= 1:
        same = _open_of(number).where(Callback.patient_id.is_not_distinct_from(alone.id if alone else None))
        called = session.scalars(same.where(Callback.why.in_(("red_flag", "new_patient")))).first()
        if called is not None:
            return Asked(called.id, new=False)
    language = language or (alone.language if alone else None)
    made = _put(session, origin, number, why, at, language, patient_id=alone.id if alone else None)
    if made is not None:
        return Asked(made, new=True)
    in_the_way = _open_of(number).where(Callback.why.in_(BY_NUMBER))
    there = _of(session, origin) or session.scalars(in_the_way).first()
    return Asked(there.id, new=False) if there is not None else None


def ask_for_patient(
    session: Session, *, origin: str, number: str, why: str, patient_id: UUID, at: datetime, language: str
) -> Asked:
    """We have something to say to this patient: one item for each origin, whoever else has the number."""
    made = _put(session, origin, number, why, at, language, patient_id=patient_id)
    return Asked(made, new=True) if made is not None else _there(session, origin)


def ask_urgently(
    session: Session, *, origin: str, number: str, patient_id: UUID, at: datetime, language: str | None
) -> Asked:
    """A red flag, and nobody was there: before all others, one for each patient. What was open for them, or came of the
    same call, becomes this; nobody else's does, nor what the same call has left for another number."""
    open_flag = _open_of(number).where(Callback.why == "red_flag", Callback.patient_id == patient_id)
    flagged = session.scalars(open_flag).first()
    if flagged is not None:
        return Asked(flagged.id, new=False)
    theirs = (Callback.origin == origin) | (Callback.patient_id == patient_id)
    becomes = _becomes(session, number, theirs, why="red_flag", patient_id=patient_id)
    if becomes is not None:
        return becomes
    before = _of(session, origin)
    if before is not None and before.why != "red_flag":
        origin = f"red_flag/{origin}"
    made = _put(session, origin, number, "red_flag", at, language, patient_id=patient_id)
    return Asked(made, new=True) if made is not None else _there(session, origin)


def ask_new_patient(session: Session, *, origin: str, number: str, birth: date, at: datetime, language: str) -> Asked:
    """Reception is to register somebody who has no record here: one for each number and birth date. Whoever has a
    record by that number is not meant; what was open for a number of nobody's, or came of the same call, becomes
    this."""
    born = birth.isoformat()
    for newcomer in session.scalars(_open_of(number).where(Callback.why == "new_patient")):
        if newcomer.birth == born:
            return Asked(newcomer.id, new=False)
    theirs = Callback.origin == origin
    if not patients.candidates(session, number):
        theirs |= Callback.patient_id.is_(None)
    becomes = _becomes(session, number, theirs, why="new_patient", patient_id=None, birth=born)
    if becomes is not None:
        return becomes
    made = _put(session, origin, number, "new_patient", at, language, birth=born)
    return Asked(made, new=True) if made is not None else _there(session, origin)


def _put(
    session: Session,
    origin: str,
    number: str,
    why: str,
    at: datetime,
    language: str | None,
    *,
    patient_id: UUID | None = None,
    birth: str | None = None,
) -> UUID | None:
    """None where one is there that is as good."""
    made = session.scalar(
        insert(Callback)
        .values(
            origin=origin,
            number=number,
            number_token=patients.number_token(number),
            patient_id=patient_id,
            language=language,
            why=why,
            birth=birth,
            asked_at=at,
        )
        .on_conflict_do_nothing()
        .returning(Callback.id)
    )
    if made is not None:
        announce(session, "callback", made)
    return made


def _becomes(session: Session, number: str, theirs: ColumnElement[bool], **columns: object) -> Asked | None:
    """An open item of a number, of which no more is known than that it called, is about this from now on."""
    same = (Callback.number_token == patients.number_token(number), Callback.state != "done")
    found = session.scalar(
        update(Callback).where(*same, Callback.why.in_(BY_NUMBER), theirs).values(**columns).returning(Callback.id)
    )
    if found is None:
        return None
    announce(session, "callback", found)
    return Asked(found, new=False)


def _open_of(number: str) -> Select[Callback]:
    return select(Callback).where(Callback.number_token == patients.number_token(number), Callback.state != "done")


def _of(session: Session, origin: str) -> Callback | None:
    return session.scalar(select(Callback).where(Callback.origin == origin))


def _there(session: Session, origin: str) -> Asked:
    return Asked(session.execute(select(Callback.id).where(Callback.origin == origin)).scalar_one(), new=False)


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


def own(session: Session, callback_id: UUID, account_id: UUID, at: datetime) -> bool:
    """Take an open item; False where somebody else was faster."""
    taken = session.scalar(
        update(Callback)
        .where(Callback.id == callback_id, Callback.state == "open")
        .values(state="owned", owner_id=account_id, owned_at=at)
        .returning(Callback.id)
    )
    announce(session, "callback", callback_id)
    return taken is not None


def take_over(
    session: Session, callback_id: UUID, account_id: UUID, owner_id: UUID, at: datetime, *, supervises: bool
) -> bool:
    """From this owner, who has left it lying; False before LEFT has passed, and where it is not theirs any more."""
    since = at if supervises else at - LEFT
    taken = session.scalar(
        update(Callback)
        .where(Callback.id == callback_id, Callback.state == "owned", Callback.owner_id == owner_id)
        .where(Callback.owner_id != account_id, Callback.owned_at <= since)
        .values(owner_id=account_id, owned_at=at)
        .returning(Callback.id)
    )
    announce(session, "callback", callback_id)
    if taken is not None:
        audit.record(session, account_id, "callback.taken_over", f"callback:{callback_id}", at, owner=str(owner_id))
    return taken is not None


def free(session: Session, account_id: UUID) -> list[UUID]:
    """Whoever owned these works on none any more: anybody may take them."""
    owned = update(Callback).where(Callback.state == "owned", Callback.owner_id == account_id)
    freed = session.scalars(owned.values(state="open", owner_id=None, owned_at=None).returning(Callback.id)).all()
    for callback_id in freed:
        announce(session, "callback", callback_id)
    return list(freed)


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
        .values(state="open", owner_id=None, owned_at=None)
        .returning(Callback.id)
    )
    announce(session, "callback", callback_id)
    return given is not None


def close_for(session: Session, call_id: str, at: datetime, ticked: UUID | None = None) -> None:
    """A call from the same number that was answered at `at` closes what was open for it; where it is known who calls,
    nothing of anybody else; where it is not, nothing of a patient's own. `ticked`: who it is by the agent's ticks."""
    call = session.get_one(Call, call_id)
    if call.number_token is None:
        return
    whose = ticked or call.patient_id
    theirs: ColumnElement[bool] = Callback.why.in_(BY_NUMBER)
    if whose is not None:
        theirs = or_(Callback.patient_id == whose, and_(Callback.patient_id.is_(None), theirs))
    closed = session.scalars(
        update(Callback)
        .where(Callback.number_token == call.number_token, Callback.state != "done", Callback.asked_at <= at, theirs)
        .values(state="done", done_at=at, outcome="answered_later")
        .returning(Callback.id)
    ).all()
    for callback_id in closed:
        announce(session, "callback", callback_id)
