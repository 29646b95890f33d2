"""Who is on call: repeating shifts, single days that are otherwise, and where nobody is. Pure, time is an argument.

Rules: a shift is of a line (a role and a ward; the ward '' is any ward), for its first or second on call, on the days
that it names. A public holiday is a day of its own, not its weekday. Hours are those of the site's clock; a shift that
does not end later than it begins ends on the next day, and the night on which clocks change is an hour shorter or
longer. Turns begin and end at instants, so that two shifts which meet by the clock meet on every night. Who is asked
first: the ward's own people before those for any ward, the first on call before the second. A line is to be covered
always: a time when nobody is there, neither its own nor any ward's, is a gap.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID

from hospital.calendars import Calendar
from hospital.wards import among

ROLES = ("doctor", "nurse", "midwife", "pharmacist", "psychologist", "social_worker")
ANY_WARD = ""
AHEAD = timedelta(days=7)
"""How far gaps are looked for."""
COMPARED = 400  # days over which two shifts are compared before they are said not to meet
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """What has to be covered: a role in a ward."""

    role: str
    ward: str = ANY_WARD

    def covers(self, role: str, ward: str) -> bool:
        """Whether its people are on call for `role` in `ward`. People type wards: "surgery 2" is "Surgery 2"."""
        return self.role == role and among(self.ward, (ward, ANY_WARD))


@dataclass(frozen=True, slots=True)
class Shift:
    """`rank` 1: first on call, 2: second. `days`: of DAYS. A turn begins on no day before `first_day` or after
    `last_day`."""

    id: UUID
    line: Line
    rank: int
    account_id: UUID
    days: frozenset[int]
    starts: time
    ends: time
    first_day: date
    last_day: date | None = None

    def takes_place(self, day: date, calendar: Calendar) -> bool:
        in_time = self.first_day <= day and (self.last_day is None or day <= self.last_day)
        return in_time and calendar.kind(day) in self.days

    def turn(self, day: date, calendar: Calendar) -> "Turn":
        last = day if self.ends > self.starts else day + ONE_DAY
        return Turn(self, day, self.account_id, calendar.instant(day, self.starts), calendar.instant(last, self.ends))


@dataclass(frozen=True, slots=True)
class Turn:
    """A shift on one day, from one instant to another (UTC). `account_id` is who has it: None, it does not take place.
    `changed`: it is somebody else's than the shift's."""

    shift: Shift
    day: date
    account_id: UUID | None
    begins: datetime
    ends: datetime
    changed: bool = False


@dataclass(frozen=True, slots=True)
class OnCall:
    account_id: UUID
    line: Line
    rank: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """Nobody is on call for the line from `since` until `until`."""

    line: Line
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Rota:
    """All of it. `changes`: who has a shift's turn of a day instead, None for nobody. `gone`: who cannot be on call any
    more (their account was closed): their turns are nobody's."""

    calendar: Calendar
    lines: tuple[Line, ...] = ()
    shifts: tuple[Shift, ...] = ()
    changes: Mapping[tuple[UUID, date], UUID | None] = field(default_factory=dict)
    gone: frozenset[UUID] = frozenset()

    def turns(self, since: datetime, until: datetime) -> list[Turn]:
        """Those that have a part in [since, until), in their order."""
        found = [
            turn
            for shift in self.shifts
            for turn in self._turns(shift, self.calendar.date_of(since) - ONE_DAY, self.calendar.date_of(until))
            if turn.begins < until and turn.ends > since
        ]
        return sorted(found, key=lambda turn: (turn.begins, turn.shift.rank, turn.shift.line))

    def turn(self, shift: Shift, day: date) -> Turn | None:
        """A shift's turn of a day as it was changed; None where there is none."""
        return next(self._turns(shift, day, day), None)

    def _turns(self, shift: Shift, first: date, last: date) -> Iterator[Turn]:
        for day in _days(first, last):
            if shift.takes_place(day, self.calendar):
                plain = shift.turn(day, self.calendar)
                who = self.changes.get((shift.id, day), shift.account_id)
                if plain.ends > plain.begins:
                    present = None if who in self.gone else who
                    yield Turn(shift, day, present, plain.begins, plain.ends, changed=present != shift.account_id)

    def on_call(self, role: str, ward: str, at: datetime) -> list[OnCall]:
        """Who is on call for `role` in `ward` at `at`, in the order in which they are asked; nobody twice."""
        there = [
            OnCall(turn.account_id, turn.shift.line, turn.shift.rank, turn.ends)
            for turn in self.turns(at, at + timedelta(microseconds=1))
            if turn.account_id is not None and turn.shift.line.covers(role, ward)
        ]
        there.sort(key=lambda one: (one.line.ward == ANY_WARD, one.rank))
        first: dict[UUID, OnCall] = {}
        for one in there:
            first.setdefault(one.account_id, one)
        return list(first.values())

    def gaps(self, since: datetime, until: datetime) -> list[Gap]:
        """Where nobody is on call for a line in [since, until), the earliest first."""
        turns = [turn for turn in self.turns(since, until) if turn.account_id is not None]
        found: list[Gap] = []
        for line in self.lines:
            held = [(t.begins, t.ends) for t in turns if t.shift.line.covers(line.role, line.ward)]
            found += [Gap(line, *bare) for bare in uncovered(held, since, until)]
        return sorted(found, key=lambda gap: (gap.since, gap.line))

    def overlap(self, new: Shift) -> Turn | None:
        """The first turn of another shift of the same line and rank that meets one of `new`; None where none does
        within COMPARED days. Single days that were changed do not count: they come back."""
        for shift in self.shifts:
            if shift.id == new.id or (shift.line, shift.rank) != (new.line, new.rank):
                continue
            first = max(shift.first_day, new.first_day) - ONE_DAY
            ends = [day for day in (shift.last_day, new.last_day, first + timedelta(days=COMPARED)) if day is not None]
            met = _first_meeting(shift, new, list(_days(first, min(ends) + ONE_DAY)), self.calendar)
            if met is not None:
                return met
        return None


def _first_meeting(shift: Shift, new: Shift, days: list[date], calendar: Calendar) -> Turn | None:
    theirs = [shift.turn(day, calendar) for day in days if shift.takes_place(day, calendar)]
    ours = {day: new.turn(day, calendar) for day in days if new.takes_place(day, calendar)}
    for turn in theirs:
        for near in (turn.day - ONE_DAY, turn.day, turn.day + ONE_DAY):
            one = ours.get(near)
            if one is not None and one.begins < turn.ends and turn.begins < one.ends:
                return turn
    return None


def uncovered(
    held: Iterable[tuple[datetime, datetime]], since: datetime, until: datetime
) -> list[tuple[datetime, datetime]]:
    """What of [since, until) lies in none of the spans."""
    found, reached = [], since
    for begins, ends in sorted(held):
        if begins > reached:
            found.append((reached, min(begins, until)))
        reached = max(reached, ends)
        if reached >= until:
            return found
    return [*found, (reached, until)]


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += ONE_DAY
