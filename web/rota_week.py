"""A week of the rota as a picture: for each line and day who is on call, from when until when, or nobody. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID

from hospital.calendars import Calendar
from hospital.rota import Line, Rota

DAYS = 7
DAY_WIDTH = 150.0
WIDTH = DAYS * DAY_WIDTH
LANES = {"first": (2, 20), "second": (24, 15), "gap": (2, 37)}
"""Kind → where it begins and how high it is."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a turn, or of a gap. `kind`: 'first', 'second', 'gap'. `hours`: as the site's clock shows them. `who`: ''
    for nobody; `changed`: it is not whose shift it is. `x` and `width` in the picture."""

    kind: str
    who: str
    hours: str
    changed: bool
    x: float
    width: float

    @property
    def y(self) -> int:
        return LANES[self.kind][0]

    @property
    def height(self) -> int:
        return LANES[self.kind][1]


@dataclass(frozen=True, slots=True)
class Row:
    """A line: the picture's pieces, and the same by day."""

    line: Line
    bars: list[Piece]
    days: list[list[Piece]]

    @property
    def bare(self) -> bool:
        return any(piece.kind == "gap" for piece in self.bars)


@dataclass(frozen=True, slots=True)
class Week:
    days: list[date]
    holidays: frozenset[date]
    rows: list[Row]


def week(rota: Rota, first: date, since: datetime, name: Callable[[UUID], str]) -> Week:
    """The seven days from `first` on. Gaps are shown from `since` on: what is past cannot be mended."""
    calendar = rota.calendar
    days = [first + timedelta(days=n) for n in range(DAYS)]
    edges = [calendar.instant(day, time()) for day in [*days, first + timedelta(days=DAYS)]]
    turns = [turn for turn in rota.turns(edges[0], edges[-1]) if turn.account_id is not None]
    gaps = rota.gaps(max(edges[0], since), edges[-1]) if since < edges[-1] else []
    rows = []
    for line in rota.lines:
        spans = [
            ("first" if turn.shift.rank == 1 else "second", name(turn.account_id), turn.changed, turn.begins, turn.ends)
            for turn in turns
            if turn.shift.line == line and turn.account_id is not None
        ]
        spans += [("gap", "", False, gap.since, gap.until) for gap in gaps if gap.line == line]
        spans.sort(key=lambda span: (span[3], span[0]))
        bars = [_piece(calendar, edges, *span, edges[0], edges[-1]) for span in spans]
        by_day = [
            [_piece(calendar, edges, *span, start, end) for span in spans if span[3] < end and span[4] > start]
            for start, end in pairwise(edges)
        ]
        rows.append(Row(line, bars, by_day))
    return Week(days, frozenset(day for day in days if calendar.kind(day) == 8), rows)


def _piece(
    calendar: Calendar,
    edges: list[datetime],
    kind: str,
    who: str,
    changed: bool,
    begins: datetime,
    ends: datetime,
    since: datetime,
    until: datetime,
) -> Piece:
    """A span, cut to [since, until)."""
    begins, ends = max(begins, since), min(ends, until)
    left, right = _place(edges, begins), _place(edges, ends)
    hours = f"{_clock(calendar, begins)}–{_clock(calendar, ends, last=True)}"
    return Piece(kind, who, hours, changed, round(left, 1), round(right - left, 1))


def _place(edges: list[datetime], at: datetime) -> float:
    """Where an instant is in the picture; a day is as wide as any other, also where it has 23 hours."""
    for number, (start, end) in enumerate(pairwise(edges)):
        if at <= end:
            return (number + (at - start) / (end - start)) * DAY_WIDTH
    return WIDTH


def _clock(calendar: Calendar, at: datetime, last: bool = False) -> str:
    told = f"{at.astimezone(calendar.zone):%H:%M}"
    return "24:00" if last and told == "00:00" else told
