"""What a patient would like of a time, and in which order free times are offered by it: pure rules.

Rules: a wish that was spoken in the call filters; a preference that is kept in the record only ranks, and the more
urgent the matter, the less it weighs. A week begins on Monday, where the site is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from hospital.slots import Opening

Part = Literal["morning", "afternoon"]
Urgency = Literal["routine", "soon", "urgent"]

NOON = time(12)
WORTH_WAITING = {"routine": timedelta(days=7), "soon": timedelta(days=2), "urgent": timedelta(0)}
"""How much later a time may be and still be offered first, because it suits the patient."""


@dataclass(frozen=True)
class Wish:
    """What a free time must have; None: whatever there is. `since` and `until` bound its start: [since, until)."""

    doctor_id: UUID | None = None
    part: Part | None = None
    since: datetime | None = None
    until: datetime | None = None


ANY_TIME = Wish()


def week(at: datetime, zone: ZoneInfo, ahead: int = 0) -> tuple[datetime, datetime]:
    """The first instant of the week of `at`, or of one `ahead`, and the first instant after it."""
    today = at.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday()) + timedelta(weeks=ahead)
    first, after = (datetime.combine(monday + timedelta(weeks=n), time.min, tzinfo=zone) for n in (0, 1))
    return first, after


def part_of(at: datetime, zone: ZoneInfo) -> Part:
    return "morning" if at.astimezone(zone).time() < NOON else "afternoon"


def rank(
    openings: Iterable["Opening"], zone: ZoneInfo, *, urgency: Urgency = "routine", prefers: Part | None = None
) -> list["Opening"]:
    """The order in which free times are offered, each once: earliest first, but one that does not suit the patient
    counts as `WORTH_WAITING` later than it is."""

    def felt(opening: "Opening") -> tuple[datetime, datetime, str]:
        suits = prefers is None or part_of(opening.starts_at, zone) == prefers
        late = timedelta(0) if suits else WORTH_WAITING[urgency]
        return opening.starts_at + late, opening.starts_at, opening.doctor

    return sorted({opening.slot_id: opening for opening in openings}.values(), key=felt)
