"""What follows from the outcome of an attempt: pure, time is an argument.

Rules: two columns, never one. The *line result* comes from signalling, the *contact result* from whom we reached;
each has its own next step. An attempt counts only if the phone rang (or was busy: carriers report refusals as
busy); a trunk's failure is ours, not the patient's.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from hospital.calling_hours import Window, first_allowed

LINE_RESULTS = frozenset(
    {"answered", "busy", "no_answer", "rejected", "invalid_number", "unreachable", "network_failure"}
    | {"machine", "fax", "cancelled"}
)
CONTACT_RESULTS = frozenset(
    {"completed", "partial", "refused", "call_later", "wrong_person", "carer_answered", "moved", "deceased"}
    | {"language_not_served", "hung_up", "left_message"}
)
COUNTED_WITHOUT_RINGING = frozenset({"busy", "rejected", "machine"})
AFTER_THE_LAST_TRY = {"partial": "partly_answered", "language_not_served": "language_not_served"}
A_BREATH = timedelta(minutes=1)  # before the hotline orders again what could not be ordered
EVENING, MORNING = time(18, 10), time(9, 40)


@dataclass(frozen=True)
class TryAgain:
    """Call again at `at`, the number of this rank; `tries` counted so far."""

    at: datetime
    number_rank: int
    code: str


@dataclass(frozen=True)
class Stop:
    """Nobody is called again for this task; `reason` is coded."""

    reason: str


@dataclass(frozen=True)
class Done:
    """The task is completed."""


Next = TryAgain | Stop | Done


@dataclass(frozen=True)
class Standing:
    """Where a task stands when an attempt ends: tries counted with this one, and the usable numbers' ranks.

    `automatic`: the hotline calls by itself, without a nurse who would press the key again. `hurry`: what is urgent is
    tried again so soon. After `latest` there is nothing to call for."""

    tries: int
    max_tries: int
    number_rank: int
    usable_ranks: tuple[int, ...]
    automatic: bool = False
    hurry: timedelta | None = None
    latest: datetime | None = None

    def next_rank(self) -> int | None:
        """The usable number after this one, round and round; None where there is none."""
        later = [rank for rank in self.usable_ranks if rank > self.number_rank]
        return later[0] if later else (self.usable_ranks[0] if self.usable_ranks else None)


def counts(line_result: str, rang: bool) -> bool:
    """Whether an attempt counts as one of the task's tries."""
    if line_result == "network_failure":
        return False
    return rang or line_result in COUNTED_WITHOUT_RINGING or line_result == "answered"


def after_line(result: str, standing: Standing, at: datetime, window: Window, zone: ZoneInfo) -> Next:
    """The next step after an attempt that nobody answered."""
    return _while_it_matters(_after_line(result, standing, at, window, zone), standing)


def _while_it_matters(step: Next, standing: Standing) -> Next:
    if isinstance(step, TryAgain) and standing.latest is not None and step.at >= standing.latest:
        return Stop("not_reached")
    return step


def _after_line(result: str, standing: Standing, at: datetime, window: Window, zone: ZoneInfo) -> Next:
    if result == "cancelled":
        pause = A_BREATH if standing.automatic else timedelta(0)
        return _again(at + pause, standing.number_rank, "cancelled_by_us", window, zone)
    if result == "network_failure":
        return _again(at + timedelta(minutes=10), standing.number_rank, "network_failure", window, zone)
    if standing.tries >= standing.max_tries:
        return Stop("not_reached")
    other = standing.next_rank()
    if other is None:
        return Stop("no_usable_number")
    if result == "busy" and standing.tries + 1 < standing.max_tries:  # the last try is for another day
        return _again(at + timedelta(minutes=30), standing.number_rank, "busy", window, zone)
    if result == "invalid_number" and other > standing.number_rank:  # else all have been tried: carriers err
        return _again(at + timedelta(minutes=5), other, "invalid_number", window, zone)
    if result == "unreachable":
        return _again(at + (standing.hurry or timedelta(hours=2)), other, "unreachable", window, zone)
    return _again(_another_time(at, standing, zone), other, result, window, zone)


def after_contact(
    result: str,
    standing: Standing,
    at: datetime,
    window: Window,
    zone: ZoneInfo,
    call_at: datetime | None = None,
) -> Next:
    """The next step after a person was reached; `call_at` is when they asked to be called (who asked for it is
    called again, also after the last try)."""
    return _while_it_matters(_after_contact(result, standing, at, window, zone, call_at), standing)


def _after_contact(
    result: str, standing: Standing, at: datetime, window: Window, zone: ZoneInfo, call_at: datetime | None
) -> Next:
    match result:
        case "completed":
            return Done()
        case "refused":
            return Stop("refused")
        case "moved":
            return Stop("moved")
        case "deceased":
            return Stop("reported_deceased")
    if standing.tries >= standing.max_tries and result != "call_later":
        return Stop(AFTER_THE_LAST_TRY.get(result, "not_reached"))
    if result == "wrong_person":
        other = standing.next_rank()
        if other is None or other == standing.number_rank:
            return Stop("no_usable_number")
        return _again(at + timedelta(minutes=5), other, "wrong_person", window, zone)
    if result == "call_later":
        return _again(max(call_at or at + timedelta(hours=2), at), standing.number_rank, "call_later", window, zone)
    return _again(_another_time(at, standing, zone), standing.number_rank, result, window, zone)


def _again(at: datetime, rank: int, code: str, window: Window, zone: ZoneInfo) -> TryAgain:
    return TryAgain(first_allowed(at, window, zone), rank, code)


def _another_time(at: datetime, standing: Standing, zone: ZoneInfo) -> datetime:
    """What is urgent, soon. Else tomorrow: who was not in during the day is called in the evening, and the other way
    round."""
    if standing.hurry is not None:
        return at + standing.hurry
    local = at.astimezone(zone)
    hour = EVENING if local.time() < time(15) else MORNING
    return datetime.combine(local.date() + timedelta(days=1), hour, tzinfo=zone).astimezone(at.tzinfo)
