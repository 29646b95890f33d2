"""When people answer the telephone: opening hours, holidays, and the switch that closes in an emergency.

Rules: the hours are the site's, in its own time; public holidays and the site's own closed days are closed. The
machine answers always: what is closed are the queues, and never the urgent one. One closure at a time; who began and
who ended it is in the audit chain.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import ForeignKey, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import audit
from hospital.calendars import is_holiday
from hospital.calling_hours import ALWAYS, MIDNIGHT, Interval, Window, first_allowed, may_call
from hospital.database import Base, Id, announce, storable

NOTICE_LENGTH = 300  # letters that a caller will listen to
FURTHEST = 60  # days in a row that may be closed before the hours are taken for a mistake


@dataclass(frozen=True)
class Hours:
    """The site's opening hours. `closed_days`: its own, beside the public holidays that `window` knows. `special`: days
    with hours of their own, which count whatever else such a day is."""

    zone: ZoneInfo
    window: Window = ALWAYS
    closed_days: frozenset[date] = frozenset()
    special: Mapping[date, tuple[Interval, ...]] = field(default_factory=dict)

    def of_day(self, day: date) -> tuple[Interval, ...]:
        """When people answer on a day, in the site's time."""
        if day in self.special:
            return self.special[day]
        return () if day in self.closed_days or self._public(day) else self.window.week[day.weekday()]

    def _public(self, day: date) -> bool:
        window = self.window
        return window.country is not None and not window.on_holidays and is_holiday(window.country, day)

    def is_holiday(self, day: date) -> bool:
        """Closed although its weekday has hours."""
        if day in self.special:
            return not self.special[day]
        return day in self.closed_days or (self._public(day) and bool(self.window.week[day.weekday()]))


@dataclass(frozen=True)
class Opening:
    """Is it open; if not, why ('after_hours', 'holiday' or 'emergency') and when it opens (None: nobody knows)."""

    open: bool
    why: str = ""
    opens_at: datetime | None = None
    notices: Mapping[str, str] | None = None


def by_the_clock(at: datetime, hours: Hours) -> Opening:
    """What the hours say of the instant `at`. Raises ValueError where they never open."""
    local = at.astimezone(hours.zone)
    if local.date() in hours.special:
        is_open = any(start <= local.time() < end or (start <= local.time() and end == MIDNIGHT)
                      for start, end in hours.special[local.date()])  # fmt: skip
    else:
        is_open = local.date() not in hours.closed_days and may_call(at, hours.window, hours.zone).allowed
    if is_open:
        return Opening(open=True)
    return Opening(False, "holiday" if hours.is_holiday(local.date()) else "after_hours", _next(at, hours))


def _next(at: datetime, hours: Hours) -> datetime:
    day = at.astimezone(hours.zone).date()
    for _ in range(FURTHEST):
        midnight = datetime.combine(day, time.min, tzinfo=hours.zone)
        if day in hours.special:
            for start, _end in hours.special[day]:
                opens = datetime.combine(day, start, tzinfo=hours.zone)
                if opens >= at:
                    return opens
        elif day not in hours.closed_days:
            moment = first_allowed(max(at, midnight), hours.window, hours.zone)
            if moment.astimezone(hours.zone).date() == day:
                return moment
        day += timedelta(days=1)
    raise ValueError("these opening hours never open; check [opening] in hotline.toml")


class Closure(Base):
    __tablename__ = "closure"
    id: Mapped[Id]
    begun_at: Mapped[datetime]
    begun_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    notices: Mapped[dict[str, str]] = mapped_column(JSONB)
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))


def now_open(session: Session, at: datetime, hours: Hours) -> Opening:
    """The hours, unless an emergency has closed them."""
    closed = current(session)
    if closed is not None:
        return Opening(False, "emergency", None, closed.notices)
    return by_the_clock(at, hours)


def current(session: Session) -> Closure | None:
    """The closure that stands."""
    return session.scalar(select(Closure).where(Closure.ended_at.is_(None)))


def close(session: Session, account_id: UUID, notices: Mapping[str, str], at: datetime) -> bool:
    """Close at once; False where it is closed already. `notices`: language → the sentence that callers hear.

    Raises ValueError for a notice that is empty or too long to listen to."""
    kept = {language: " ".join(storable(text).split()) for language, text in notices.items()}
    for language, text in kept.items():
        if not 0 < len(text) <= NOTICE_LENGTH:
            raise ValueError(f"the notice in {language} must have 1 to {NOTICE_LENGTH} letters, not {len(text)}")
    made = session.scalar(
        insert(Closure)
        .values(id=uuid4(), begun_at=at, begun_by=account_id, notices=kept)
        .on_conflict_do_nothing()
        .returning(Closure.id)
    )
    if made is None:
        return False
    announce(session, "closure", made)
    audit.record(session, account_id, "opening.closed", f"closure:{made}", at, languages=sorted(kept))
    return True


def reopen(session: Session, account_id: UUID, at: datetime) -> bool:
    """Open again; False where nothing was closed."""
    ended = session.scalar(
        update(Closure).where(Closure.ended_at.is_(None)).values(ended_at=at, ended_by=account_id).returning(Closure.id)
    )
    if ended is None:
        return False
    announce(session, "closure", ended)
    audit.record(session, account_id, "opening.reopened", f"closure:{ended}", at)
    return True
