"""The rota as rows: lines, shifts, and single days that are otherwise. The rules are in `rota.py`.

Rules: a line is to be covered from when it is opened until it is closed. Two shifts of the same line and rank never
meet. A shift that ends keeps its past. A supervisor decides that one day is otherwise; a swap is asked by whose turn it
is (or a supervisor) and counts from when who takes it agrees. Every change is in the audit chain.
"""

from collections.abc import Collection
from datetime import date, datetime, time
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, DATE, TIME, ForeignKey, Integer, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import audit, rota
from hospital.accounts import Account
from hospital.calendars import DAYS, Calendar
from hospital.database import Base, Id, announce, storable
from hospital.rota import Line, Rota, Turn
from hospital.wards import plain

LOCK = 0x726F7461  # "rota": two shifts are not compared while a third is added
TAKES = "urgent.take"
"""The right without which nobody can be on call."""
WARD_LENGTH = 60


class OnCallLine(Base):
    __tablename__ = "on_call_line"
    id: Mapped[Id]
    role: Mapped[str]
    ward: Mapped[str]
    lead_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    opened_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]

    @property
    def line(self) -> Line:
        return Line(self.role, self.ward)


class OnCallShift(Base):
    __tablename__ = "on_call_shift"
    id: Mapped[Id]
    line_id: Mapped[UUID] = mapped_column(ForeignKey("on_call_line.id"))
    rank: Mapped[int]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    days: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    starts: Mapped[time] = mapped_column(TIME)
    ends: Mapped[time] = mapped_column(TIME)
    first_day: Mapped[date] = mapped_column(DATE)
    last_day: Mapped[date | None] = mapped_column(DATE)
    made_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[datetime]

    def of(self, line: Line) -> rota.Shift:
        days = frozenset(self.days)
        return rota.Shift(
            self.id, line, self.rank, self.account_id, days, self.starts, self.ends, self.first_day, self.last_day
        )


class OnCallChange(Base):
    __tablename__ = "on_call_change"
    id: Mapped[Id]
    shift_id: Mapped[UUID] = mapped_column(ForeignKey("on_call_shift.id"))
    day: Mapped[date] = mapped_column(DATE)
    kind: Mapped[str]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    state: Mapped[str]
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    asked_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]


def load(session: Session, calendar: Calendar) -> Rota:
    """The rota as it stands, with all that is to come."""
    lines = {one.id: one.line for one in open_lines(session)}
    shifts = [one.of(lines[one.line_id]) for one in session.scalars(select(OnCallShift)) if one.line_id in lines]
    agreed = session.scalars(select(OnCallChange).where(OnCallChange.state == "agreed"))
    gone = frozenset(one.id for one in session.scalars(select(Account)) if not one.may(TAKES))
    changes = {(one.shift_id, one.day): one.account_id for one in agreed}
    return Rota(calendar, tuple(sorted(lines.values())), tuple(shifts), changes, gone)


def open_lines(session: Session) -> list[OnCallLine]:
    rows = select(OnCallLine).where(OnCallLine.closed_at.is_(None))
    return list(session.scalars(rows.order_by(OnCallLine.role, OnCallLine.ward)))


def available(session: Session) -> list[Account]:
    """Who can be on call."""
    rows = session.scalars(select(Account).order_by(Account.display_name))
    return [one for one in rows if one.may(TAKES)]


def open_line(session: Session, role: str, ward: str, lead_id: UUID | None, by: UUID, at: datetime) -> UUID | None:
    """From now on it is to be covered; None where it is open already. Raises ValueError with what is wrong."""
    ward = " ".join(storable(ward).split())
    if role not in rota.ROLES:
        raise ValueError("Choose a role.")
    if len(ward) > WARD_LENGTH:
        raise ValueError(f"A ward's name has at most {WARD_LENGTH} letters.")
    if lead_id is not None:
        _must_be_able(session, lead_id)
    if any(one.role == role and plain(one.ward) == plain(ward) for one in open_lines(session)):
        return None
    made = session.scalar(
        insert(OnCallLine)
        .values(id=uuid4(), role=role, ward=ward, lead_id=lead_id, opened_by=by, opened_at=at)
        .on_conflict_do_nothing()
        .returning(OnCallLine.id)
    )
    if made is not None:
        _written(session, by, "rota.line_opened", f"line:{made}", at, role=role, lead=str(lead_id or ""))
    return made


def close_line(session: Session, line_id: UUID, by: UUID, at: datetime) -> bool:
    """It need not be covered any more, and nobody is on call for it."""
    closed = session.scalar(
        update(OnCallLine)
        .where(OnCallLine.id == line_id, OnCallLine.closed_at.is_(None))
        .values(closed_at=at)
        .returning(OnCallLine.id)
    )
    if closed is not None:
        _written(session, by, "rota.line_closed", f"line:{line_id}", at)
    return closed is not None


def add_shift(
    session: Session,
    calendar: Calendar,
    *,
    line_id: UUID,
    rank: int,
    account_id: UUID,
    days: Collection[int],
    starts: time,
    ends: time,
    first_day: date,
    last_day: date | None,
    by: UUID,
    at: datetime,
) -> UUID | Turn:
    """The new shift, or the turn of another that it would meet. Raises ValueError with what is wrong."""
    session.execute(select(func.pg_advisory_xact_lock(LOCK)))
    line = session.get(OnCallLine, line_id)
    if line is None or line.closed_at is not None:
        raise ValueError("This line is closed. Reload the page.")
    if rank not in (1, 2) or not days or not set(days) <= set(DAYS):
        raise ValueError("Choose first or second on call, and at least one day.")
    if last_day is not None and last_day < first_day:
        raise ValueError("The last day cannot be before the first.")
    if first_day < calendar.date_of(at):
        raise ValueError("A shift cannot begin in the past.")
    _must_be_able(session, account_id)
    row = OnCallShift(
        id=uuid4(),
        line_id=line_id,
        rank=rank,
        account_id=account_id,
        days=sorted(set(days)),
        starts=starts,
        ends=ends,
        first_day=first_day,
        last_day=last_day,
        made_by=by,
        made_at=at,
    )
    met = load(session, calendar).overlap(row.of(line.line))
    if met is not None:
        return met
    session.add(row)
    session.flush()
    _written(session, by, "rota.shift_added", f"shift:{row.id}", at, who=str(account_id), line=str(line_id), rank=rank)
    return row.id


def end_shift(session: Session, shift_id: UUID, last_day: date, by: UUID, at: datetime) -> bool:
    """Its last turn begins on `last_day`; before its first day: it never takes place. False where it ended sooner."""
    ended = session.scalar(
        update(OnCallShift)
        .where(OnCallShift.id == shift_id, OnCallShift.last_day.is_(None) | (OnCallShift.last_day > last_day))
        .values(last_day=last_day)
        .returning(OnCallShift.id)
    )
    if ended is not None:
        _written(session, by, "rota.shift_ended", f"shift:{shift_id}", at, last=last_day.isoformat())
    return ended is not None


def decide_day(
    session: Session, calendar: Calendar, shift_id: UUID, day: date, account_id: UUID | None, by: UUID, at: datetime
) -> None:
    """On one day somebody else has this turn; None: it does not take place. Raises ValueError with what is wrong."""
    _turn(session, calendar, shift_id, day, at)
    if account_id is not None:
        _must_be_able(session, account_id)
    _withdraw(session, shift_id, day, ("asked", "agreed"), by, at)
    kind = "off" if account_id is None else "instead"
    row = OnCallChange(
        id=uuid4(), shift_id=shift_id, day=day, kind=kind, account_id=account_id, state="agreed",
        asked_by=by, asked_at=at, decided_by=by, decided_at=at,
    )  # fmt: skip
    session.add(row)
    session.flush()
    facts = {"day": day.isoformat(), "kind": kind, "who": str(account_id or "")}
    _written(session, by, "rota.day_changed", f"shift:{shift_id}", at, **facts)


def as_planned(session: Session, calendar: Calendar, shift_id: UUID, day: date, by: UUID, at: datetime) -> bool:
    """The day is as the shift says again; False where it was. Raises ValueError for a turn that is over."""
    _turn(session, calendar, shift_id, day, at)
    undone = _withdraw(session, shift_id, day, ("asked", "agreed"), by, at)
    if undone:
        _written(session, by, "rota.day_as_planned", f"shift:{shift_id}", at, day=day.isoformat())
    return undone


def ask_swap(
    session: Session, calendar: Calendar, shift_id: UUID, day: date, taker_id: UUID, by: UUID, at: datetime
) -> UUID:
    """Asks `taker_id` to take this turn. Raises ValueError with what is wrong."""
    turn = _turn(session, calendar, shift_id, day, at)
    if turn.account_id != by and not session.get_one(Account, by).may("rota.change"):
        raise ValueError("This turn is somebody else's: they, or a supervisor, ask for the swap.")
    if taker_id in (turn.account_id, by):
        raise ValueError("Choose somebody else to take it.")
    _must_be_able(session, taker_id)
    _withdraw(session, shift_id, day, ("asked",), by, at)
    row = OnCallChange(
        id=uuid4(),
        shift_id=shift_id,
        day=day,
        kind="swap",
        account_id=taker_id,
        state="asked",
        asked_by=by,
        asked_at=at,
    )
    session.add(row)
    session.flush()
    facts = {"day": day.isoformat(), "from": str(turn.account_id or ""), "to": str(taker_id)}
    _written(session, by, "rota.swap_asked", f"swap:{row.id}", at, **facts)
    return row.id


def answer_swap(session: Session, calendar: Calendar, change_id: UUID, agrees: bool, by: UUID, at: datetime) -> bool:
    """Who was asked agrees or declines; False where it is not asked of them, or not any more. Raises ValueError for a
    turn that is over: who had it stays true."""
    found = session.scalar(
        select(OnCallChange)
        .where(OnCallChange.id == change_id, OnCallChange.state == "asked", OnCallChange.account_id == by)
        .with_for_update()
    )
    if found is None:
        return False
    _turn(session, calendar, found.shift_id, found.day, at)
    if agrees:
        _withdraw(session, found.shift_id, found.day, ("agreed",), by, at)
    found.state, found.decided_by, found.decided_at = "agreed" if agrees else "declined", by, at
    session.flush()
    _written(session, by, "rota.swap_agreed" if agrees else "rota.swap_declined", f"swap:{change_id}", at)
    return True


def swaps(session: Session, since: date) -> list[OnCallChange]:
    """Asked and answered ones of days from `since` on, by day."""
    rows = select(OnCallChange).where(OnCallChange.kind == "swap", OnCallChange.day >= since)
    rows = rows.where(OnCallChange.state != "withdrawn")
    return list(session.scalars(rows.order_by(OnCallChange.day, OnCallChange.asked_at)))


def set_number(session: Session, account_id: UUID, number: str | None, by: UUID, at: datetime) -> None:
    """On which number (E.164) somebody is rung when on call; None: on their extension. Raises ValueError for who cannot
    be on call."""
    _must_be_able(session, account_id)
    session.get_one(Account, account_id).on_call_number = number
    session.flush()
    _written(session, by, "rota.number_set", f"account:{account_id}", at, given=int(number is not None))


def _withdraw(session: Session, shift_id: UUID, day: date, states: tuple[str, ...], by: UUID, at: datetime) -> bool:
    these = (OnCallChange.shift_id == shift_id, OnCallChange.day == day, OnCallChange.state.in_(states))
    done = update(OnCallChange).where(*these).values(state="withdrawn", decided_by=by, decided_at=at)
    return bool(session.scalars(done.returning(OnCallChange.id)).all())


def _turn(session: Session, calendar: Calendar, shift_id: UUID, day: date, at: datetime) -> Turn:
    row = session.scalar(select(OnCallShift).where(OnCallShift.id == shift_id).with_for_update())
    turn = None
    if row is not None:
        line = session.get_one(OnCallLine, row.line_id)
        turn = load(session, calendar).turn(row.of(line.line), day) if line.closed_at is None else None
    if turn is None or turn.ends <= at:
        raise ValueError("There is no such turn any more. Reload the page.")
    return turn


def _must_be_able(session: Session, account_id: UUID) -> None:
    account = session.get(Account, account_id)
    if account is None or not account.may(TAKES):
        raise ValueError("Choose somebody who can be on call.")


def _written(session: Session, by: UUID, action: str, subject: str, at: datetime, /, **detail: str | int) -> None:
    announce(session, "rota", subject.partition(":")[2])
    audit.record(session, by, action, subject, at, **detail)
