"""Cases: what somebody told us and a person sees through: complaint, thanks, message, low rating, red flag.

Rules: a case has a number that its caller is told, one owner at a time, and clocks (`clocks.py`). Of a voice the case
is drafted before the first byte is recorded and opened when the recording is sealed: a hang-up or a process that
dies loses nothing, and where nobody spoke there is no case. A red flag is written before the caller is queued, and
owned by the agent who answers; nobody free, and it climbs (`climbing.py`) until somebody owns it, who has a clock
until its outcome. It is closed with an outcome and words, and its history has every step. What its owner leaves goes
back, or is taken over by who supervises; a red flag only when its clock has passed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, ForeignKey, Identity, and_, case, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import audit, clocks, outbox, urgent_records
from hospital.clocks import Clocks, Due
from hospital.database import Base, Id, announce, storable
from hospital.vault import Sealed

SPOKEN = ("complaint", "thanks", "message")  # kinds that begin with a recording
TOLD_BY_SMS = ("complaint", "thanks")
OUTCOMES: dict[str, tuple[str, ...]] = {
    "complaint": ("upheld", "partly_upheld", "not_upheld", "withdrawn"),
    "thanks": ("passed_on",),
    "message": ("answered", "not_reached", "nothing_to_do"),
    "rating": ("spoken_with", "not_reached", "passed_on"),
    "red_flag": ("reached", "emergency_sent", "not_reached"),
}
"""Kind → how a person may close it. Closing tells the caller of a complaint to call for the result."""
WORDED = ("red_flag", "complaint", "rating")  # closed with words: somebody asks later what was done
WORKS, SUPERVISES = "cases.work", "cases.complaints"
"""The rights to messages and red flags, and to what is about colleagues, too: with it one takes over from them."""


def kinds_for(may: Callable[[str], bool]) -> frozenset[str]:
    """The kinds of cases that somebody with these rights sees."""
    if not may(WORKS):
        return frozenset()
    about_colleagues = {"complaint", "thanks", "rating"} if may(SUPERVISES) else set()
    return frozenset({"message", "red_flag"} | about_colleagues)


class Case(Base):
    __tablename__ = "care_case"
    id: Mapped[Id]
    number: Mapped[int] = mapped_column(Identity(always=True))
    kind: Mapped[str]
    origin: Mapped[str]
    call_id: Mapped[str | None] = mapped_column(ForeignKey("call.id"))
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    caller: Mapped[str | None] = mapped_column("caller_sealed", Sealed("case.caller"))
    language: Mapped[str | None]
    detail: Mapped[str] = mapped_column(default="")
    told: Mapped[str | None] = mapped_column("told_sealed", Sealed("case.told"))
    role: Mapped[str | None]
    ward: Mapped[str | None]
    recording_id: Mapped[UUID | None] = mapped_column(ForeignKey("recording.id"))
    state: Mapped[str] = mapped_column(default="open")
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    opened_at: Mapped[datetime]
    acknowledge_by: Mapped[datetime]
    decide_by: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    overdue_of: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str | None]

    def runs_until(self) -> datetime | None:
        """The clock that runs now: until acknowledged the first, then the second; None when none does."""
        if self.state == "open" and self.acknowledged_at is None:
            return self.acknowledge_by
        return (self.decide_by or self.acknowledge_by) if self.state in ("open", "owned") else None

    def standing(self, at: datetime) -> str:
        """'in_time', 'due_soon', 'overdue', or 'closed'."""
        until = self.runs_until()
        return "closed" if until is None else clocks.standing(self.opened_at, until, at)


clock_that_runs = case(
    (Case.acknowledged_at.is_(None), Case.acknowledge_by), else_=func.coalesce(Case.decide_by, Case.acknowledge_by)
)
"""`Case.runs_until` of what is not closed."""


class Note(Base):
    __tablename__ = "case_note"
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("care_case.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column("text_sealed", Sealed("case.note"))


@dataclass(frozen=True)
class Teller:
    """Who tells us: the call ('' where it was written), the number (E.164, None if withheld), the patient if they are
    identified, the language."""

    call_id: str
    caller: str | None
    patient_id: UUID | None = None
    language: str | None = None


def draft(session: Session, kind: str, recording_id: UUID, teller: Teller, at: datetime, due: Due) -> UUID:
    """The case of a voice that is about to be recorded. Raises ValueError for a kind that is not spoken."""
    if kind not in SPOKEN:
        raise ValueError(f"a case of kind {kind!r} is not spoken: {', '.join(SPOKEN)}")
    origin = f"{kind}/{recording_id}"
    return _make(session, kind, origin, teller, at, due, state="draft", recording_id=recording_id)


def open_case(
    session: Session,
    kind: str,
    origin: str,
    teller: Teller,
    at: datetime,
    due: Due,
    detail: str,
    told: str | None = None,
) -> UUID:
    """A case without a voice; the same `origin` gives the same case. `told`: in its teller's own words, written."""
    made = _make(session, kind, origin, teller, at, due, state="open", detail=detail, told=told)
    announce(session, "case", made)
    return made


def _make(
    session: Session, kind: str, origin: str, teller: Teller, at: datetime, due: Due, /, **more: str | UUID | None
) -> UUID:
    made = session.scalar(
        insert(Case)
        .values(
            id=uuid4(),
            kind=kind,
            origin=origin,
            call_id=teller.call_id or None,
            patient_id=teller.patient_id,
            caller=teller.caller,
            language=teller.language,
            opened_at=at,
            acknowledge_by=due.acknowledge_by,
            decide_by=due.decide_by,
            **more,
        )
        .on_conflict_do_nothing(index_elements=[Case.origin])
        .returning(Case.id)
    )
    return made or session.scalars(select(Case.id).where(Case.origin == origin)).one()


def message_kept(session: Session, recording_id: UUID, at: datetime) -> None:
    """The voice is sealed: its case is open, and its number goes to the caller as a text message."""
    opened = session.scalars(
        update(Case)
        .where(Case.recording_id == recording_id, Case.state.in_(("draft", "void")))
        .values(state="open")
        .returning(Case)
    ).one_or_none()
    if opened is None:
        return
    announce(session, "case", opened.id)
    if opened.kind in TOLD_BY_SMS:
        _tell(session, opened, "case_opened", at)


def message_lost(session: Session, recording_id: UUID) -> None:
    """Nobody spoke: there is no case."""
    session.execute(update(Case).where(Case.recording_id == recording_id, Case.state == "draft").values(state="void"))


def of_recording(session: Session, recording_id: UUID) -> Case | None:
    """The case of a voice; None where nothing was kept."""
    return session.scalar(select(Case).where(Case.recording_id == recording_id, Case.state.not_in(("draft", "void"))))


def answered(session: Session, call_id: str, account_id: UUID | None, at: datetime) -> None:
    """An agent talks to the caller of a red flag, and owns it. `account_id` is None for the fixed phone: nobody who is
    signed in could close it, so it is closed."""
    these = update(Case).where(Case.call_id == call_id, Case.kind == "red_flag", Case.state == "open")
    if account_id is None:
        these = these.values(state="closed", acknowledged_at=at, closed_at=at, outcome="answered")
    else:
        first = case((Case.acknowledged_at.is_(None), at), else_=Case.acknowledged_at)
        these = these.values(state="owned", owner_id=account_id, acknowledged_at=first)
    for case_id in session.scalars(these.returning(Case.id)).all():
        urgent_records.happened(session, case_id, "taken" if account_id else "closed", account_id, at)
        announce(session, "case", case_id)


def standing_open(
    session: Session, kinds: frozenset[str], account_id: UUID | None = None, limit: int = 200
) -> list[Case]:
    """Red flags first, then what this account owns, then by the clock that runs."""
    first = Case.kind != "red_flag", case((Case.owner_id == account_id, 0), else_=1)
    rows = select(Case).where(Case.kind.in_(kinds), Case.state.in_(("open", "owned")))
    return list(session.scalars(rows.order_by(*first, clock_that_runs, Case.number).limit(limit)))


def how_many_open(session: Session, kinds: frozenset[str]) -> int:
    rows = select(func.count()).select_from(Case).where(Case.kind.in_(kinds), Case.state.in_(("open", "owned")))
    return session.scalar(rows) or 0


def numbered(session: Session, number: int) -> Case | None:
    """The case of this number; None where there is none, or nobody has spoken."""
    return session.scalar(select(Case).where(Case.number == number, Case.state.not_in(("draft", "void"))))


def red_flags(session: Session) -> list[Case]:
    """Those that nobody has taken, the oldest first."""
    rows = select(Case).where(Case.kind == "red_flag", Case.state == "open")
    return list(session.scalars(rows.order_by(Case.opened_at)))


def owned_red_flags(session: Session) -> list[Case]:
    """Those that somebody has taken and that have no outcome yet, the one whose clock passes first."""
    rows = select(Case).where(Case.kind == "red_flag", Case.state == "owned")
    return list(session.scalars(rows.order_by(Case.decide_by.asc().nulls_last(), Case.opened_at)))


def lately_closed(session: Session, kinds: frozenset[str], limit: int = 50) -> list[Case]:
    """Newest first."""
    rows = select(Case).where(Case.kind.in_(kinds), Case.state == "closed")
    return list(session.scalars(rows.order_by(Case.closed_at.desc()).limit(limit)))


def notes(session: Session, case_id: UUID) -> list[Note]:
    return list(session.scalars(select(Note).where(Note.case_id == case_id).order_by(Note.id)))


def can_be_taken(at: datetime) -> ColumnElement[bool]:
    """Whether nobody has it, or its owner has found no outcome of a red flag in time."""
    return or_(Case.state == "open", and_(Case.kind == "red_flag", Case.state == "owned", Case.decide_by <= at))


def own(session: Session, case_id: UUID, account_id: UUID, at: datetime, limits: Clocks | None = None) -> bool:
    """Take an open case, or over from its owner a red flag whose clock until the outcome has passed; False where
    somebody else was faster. The first owner acknowledges it, and what is to be decided is so within the days from
    then. `limits`: the site's clocks; None only of a red flag."""
    acknowledged = case((Case.acknowledged_at.is_(None), at), else_=Case.acknowledged_at)
    decide: ColumnElement[Any] = Case.decide_by.expression
    if limits is not None:
        by = func.greatest(Case.acknowledge_by, func.least(Case.decide_by, clocks.decide_after(at, limits)))
        decide = case((and_(Case.acknowledged_at.is_(None), Case.decide_by.is_not(None)), by), else_=Case.decide_by)
    clock = case((Case.kind == "red_flag", None), else_=decide)
    taken = session.scalar(
        update(Case)
        .where(Case.id == case_id, can_be_taken(at), Case.owner_id.is_distinct_from(account_id))
        .values(state="owned", owner_id=account_id, acknowledged_at=acknowledged, decide_by=clock)
        .returning(Case.kind)
    )
    if taken == "red_flag":
        urgent_records.happened(session, case_id, "taken", account_id, at)
    announce(session, "case", case_id)
    if taken is not None:
        audit.record(session, account_id, "case.taken", f"case:{case_id}", at)
    return taken is not None


def give_back(session: Session, case_id: UUID, account_id: UUID, at: datetime, words: str = "") -> bool:
    """Its owner can't do it after all: anybody may take it. Its clocks run on, and a red flag climbs at once. `words`
    are kept as a note."""
    given = session.scalar(
        update(Case)
        .where(Case.id == case_id, Case.state == "owned", Case.owner_id == account_id)
        .values(**_back())
        .returning(Case.kind)
    )
    if given == "red_flag":
        urgent_records.happened(session, case_id, "given_back", account_id, at)
    announce(session, "case", case_id)
    if given is not None:
        _noted(session, case_id, account_id, words, at)
        audit.record(session, account_id, "case.given_back", f"case:{case_id}", at)
    return given is not None


def take_over(session: Session, case_id: UUID, account_id: UUID, owner_id: UUID, at: datetime) -> bool:
    """From this owner, by somebody who supervises; False where it is not theirs any more, and of a red flag, which is
    taken over when its clock has passed (`own`)."""
    taken = session.scalar(
        update(Case)
        .where(Case.id == case_id, Case.state == "owned", Case.kind != "red_flag")
        .where(Case.owner_id == owner_id, Case.owner_id != account_id)
        .values(owner_id=account_id)
        .returning(Case.id)
    )
    announce(session, "case", case_id)
    if taken is not None:
        audit.record(session, account_id, "case.taken_over", f"case:{case_id}", at, owner=str(owner_id))
    return taken is not None


def free(session: Session, account_id: UUID, kept: frozenset[str], at: datetime) -> list[UUID]:
    """Whoever owned these works only on the kinds `kept` from now on: the others go back. Their clocks run on, and a
    red flag climbs at once."""
    theirs = update(Case).where(Case.state == "owned", Case.owner_id == account_id, Case.kind.not_in(kept))
    freed = session.execute(theirs.values(**_back()).returning(Case.id, Case.kind)).all()
    for case_id, kind in freed:
        if kind == "red_flag":
            urgent_records.happened(session, case_id, "given_back", account_id, at)
        announce(session, "case", case_id)
    return [case_id for case_id, _ in freed]


def _back() -> dict[str, object]:
    return {"state": "open", "owner_id": None, "decide_by": case((Case.kind == "red_flag", None), else_=Case.decide_by)}


def note(
    session: Session, case_id: UUID, account_id: UUID, text: str, at: datetime, *, supervises: bool = False
) -> bool:
    """Its owner writes something down, and when it is closed also who supervises; False for anybody else."""
    its_own = and_(Case.state.in_(("owned", "closed")), Case.owner_id == account_id)
    may = or_(its_own, Case.state == "closed") if supervises else its_own
    if session.scalar(select(Case.id).where(Case.id == case_id, may).with_for_update()) is None:
        return False
    _noted(session, case_id, account_id, text, at)
    announce(session, "case", case_id)
    return True


def _noted(session: Session, case_id: UUID, account_id: UUID, words: str, at: datetime) -> None:
    if words:
        session.add(Note(case_id=case_id, account_id=account_id, at=at, text=storable(words)))


def close(session: Session, case_id: UUID, account_id: UUID, outcome: str, at: datetime, words: str = "") -> bool:
    """Its owner closes it with one of OUTCOMES, for good; False for anybody else. `words` are kept as a note; what is
    WORDED needs them, unless its owner has written some before. Raises ValueError for another outcome, and without
    words."""
    found = session.scalar(select(Case).where(Case.id == case_id).with_for_update())
    if found is None or found.state != "owned" or found.owner_id != account_id:
        return False
    if outcome not in OUTCOMES[found.kind]:
        raise ValueError(f"{outcome!r} is no outcome of a {found.kind}: {', '.join(OUTCOMES[found.kind])}")
    said = words or any(written.account_id == account_id for written in notes(session, case_id))
    if found.kind in WORDED and not said:
        raise ValueError(f"a {found.kind} is closed with words")
    _noted(session, case_id, account_id, words, at)
    if found.kind == "red_flag":
        urgent_records.happened(session, case_id, "closed", account_id, at)
    found.state, found.outcome, found.closed_at = "closed", outcome, at
    if found.kind == "complaint":
        _tell(session, found, "case_closed", at)
    announce(session, "case", case_id)
    audit.record(session, account_id, "case.closed", f"case:{case_id}", at, outcome=outcome)
    return True


def _tell(session: Session, about: Case, key: str, at: datetime) -> None:
    if about.caller is not None:
        outbox.put(
            session,
            once=f"{key}/{about.id}",
            key=key,
            locale=about.language or "en",
            number=about.caller,
            patient_id=about.patient_id,
            at=at,
            case=str(about.number),
        )
