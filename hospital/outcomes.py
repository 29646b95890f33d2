"""What follows from the outcome of an attempt: pure, time is an argument.

Rules: two columns, never one. The *line result* comes from signalling, the *contact result* from whom we reached;
each has its own next step, which the hospital chooses (`outcome_rules`). An attempt counts only if the phone rang (or
was busy: carriers report refusals as busy); a trunk's failure is ours, not the patient's. A number that fails alone,
while others are reached, has an end all the same, and one that our trunk may not dial is left at once.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from hospital.calling_hours import Window, first_allowed
from hospital.outcome_rules import SHIPPED, OutcomeRules, Rule

LINE_RESULTS = frozenset(
    {"answered", "busy", "no_answer", "rejected", "invalid_number", "unreachable", "network_failure", "not_allowed"}
    | {"machine", "fax", "cancelled"}
)
CONTACT_RESULTS = frozenset(
    {"completed", "partial", "refused", "call_later", "wrong_person", "carer_answered", "moved", "deceased"}
    | {"language_not_served", "hung_up", "left_message"}
)
COUNTED_WITHOUT_RINGING = frozenset({"busy", "rejected", "machine"})
AFTER_THE_LAST_TRY = {"partial": "partly_answered", "language_not_served": "language_not_served"}
ENDS_AS = AFTER_THE_LAST_TRY | {
    "refused": "refused",
    "moved": "moved",
    "deceased": "reported_deceased",
    "wrong_person": "no_usable_number",
    "invalid_number": "no_usable_number",
    "fax": "no_usable_number",
}
"""Why a task has stopped that a result closes."""
OF_ONE = frozenset({"refused", "moved", "deceased"})
"""What is said of one person, whoever else the call was for."""
ENDS_ALL = frozenset({"completed", "refused", "deceased"})  # whatever the hospital's rules say
A_BREATH = timedelta(minutes=1)  # before the hotline orders again what could not be ordered
AN_HOUR = timedelta(hours=1)  # the longest that a line which fails again and again holds up a call
ALONE = 3  # failures in a row of a number that fails while others are reached, after which another is tried
EVENING, MORNING = time(18, 10), time(9, 40)


@dataclass(frozen=True)
class TryAgain:
    """Call again at `at`, the number of this rank; `tries` counted so far."""

    at: datetime
    number_rank: int
    code: str


@dataclass(frozen=True)
class Stop:
    """Nobody is called again for this task; `reason` is coded. `final`: not by another channel either."""

    reason: str
    final: bool = False


@dataclass(frozen=True)
class ToNurse:
    """A nurse calls from `at` on: an automatic call becomes hers, her own stays on her list."""

    at: datetime


@dataclass(frozen=True)
class Done:
    """The task is completed."""


Next = TryAgain | Stop | ToNurse | Done


@dataclass(frozen=True)
class Standing:
    """Where a task stands when an attempt ends: tries counted with this one, and the usable numbers' ranks.

    `automatic`: the hotline calls by itself, without a nurse who would press the key again. `hurry`: what is urgent is
    tried again so soon. After `latest` there is nothing to call for. `dials`: calls of this task by this channel whose
    line did not fail. `failures`: of the line, in a row before this one; `alone`: of those and this one, how many while
    others were reached."""

    tries: int
    max_tries: int
    number_rank: int
    usable_ranks: tuple[int, ...]
    automatic: bool = False
    hurry: timedelta | None = None
    latest: datetime | None = None
    dials: int = 0
    failures: int = 0
    alone: int = 0

    def next_rank(self) -> int | None:
        """The usable number after this one, round and round; None where there is none."""
        later = [rank for rank in self.usable_ranks if rank > self.number_rank]
        return later[0] if later else (self.usable_ranks[0] if self.usable_ranks else None)


def counts(line_result: str, rang: bool) -> bool:
    """Whether an attempt counts as one of the task's tries."""
    if line_result in ("network_failure", "not_allowed"):
        return False
    return rang or line_result in COUNTED_WITHOUT_RINGING or line_result == "answered"


def of_another(result: str, *, same_person: bool, complete: bool) -> str:
    """What a contact result that is said on one form of a joint call says of another on which nothing was said: of
    another person only that somebody was reached. A death is a report, and ends no more than the form it was told on.
    `complete`: all of its questions are answered."""
    if result in OF_ONE and result != "deceased" and same_person:
        return result
    if result not in OF_ONE and result not in ("completed", "partial", "hung_up", "call_later"):
        return result
    if complete:
        return "completed"
    return result if result in ("hung_up", "call_later") else "partial"


def after_line(
    result: str, standing: Standing, at: datetime, window: Window, zone: ZoneInfo, rules: OutcomeRules = SHIPPED
) -> Next:
    """The next step after an attempt that nobody answered."""
    return _while_it_matters(_after_line(result, standing, at, window, zone, rules), standing)


def _while_it_matters(step: Next, standing: Standing) -> Next:
    if isinstance(step, TryAgain) and standing.latest is not None and step.at >= standing.latest:
        return Stop("not_reached")
    return step


def _after_line(
    result: str, standing: Standing, at: datetime, window: Window, zone: ZoneInfo, rules: OutcomeRules
) -> Next:
    if result == "cancelled":
        if standing.automatic and not standing.usable_ranks:  # the number was put away while it rang
            return Stop("no_usable_number")
        pause = A_BREATH if standing.automatic else timedelta(0)
        return _again(at + pause, standing.number_rank, "cancelled_by_us", window, zone)
    other = standing.next_rank()
    if result == "not_allowed":  # our trunk's allow-list has not this number, and hasn't it in an hour either
        if other in (None, standing.number_rank):
            return Stop("no_usable_number")
        return _again(at + A_BREATH, other, result, window, zone)
    rule = rules.line[result]
    if result == "network_failure":
        if standing.alone >= rules.most_dials:
            return Stop("not_reached")
        first = rule.after or AN_HOUR
        wait = max(first, min(first * 2 ** min(standing.failures, 10), AN_HOUR))
        same = rule.way == "same_number" and standing.alone < ALONE
        rank = standing.number_rank if same else other or standing.number_rank
        return _again(at + wait, rank, "network_failure", window, zone)
    step = _without_a_call(rule, result, standing, at, window, zone)
    if step is not None:
        return step
    if standing.tries >= standing.max_tries or standing.dials >= rules.most_dials:
        return Stop("not_reached")
    if other is None:
        return Stop("no_usable_number")
    if result == "invalid_number" and other <= standing.number_rank:  # all have been tried: carriers err
        return _again(_another_time(at, standing, zone), other, result, window, zone)
    return _by_rule(rule, result, standing, at, window, zone)


def after_contact(
    result: str,
    standing: Standing,
    at: datetime,
    window: Window,
    zone: ZoneInfo,
    call_at: datetime | None = None,
    rules: OutcomeRules = SHIPPED,
) -> Next:
    """The next step after a person was reached; `call_at` is when they asked to be called (who asked for it is
    called again, also after the last try)."""
    return _while_it_matters(_after_contact(result, standing, at, window, zone, call_at, rules), standing)


def _after_contact(
    result: str,
    standing: Standing,
    at: datetime,
    window: Window,
    zone: ZoneInfo,
    call_at: datetime | None,
    rules: OutcomeRules,
) -> Next:
    if result in ENDS_ALL:
        return Done() if result == "completed" else Stop(ENDS_AS[result], final=True)
    if result == "abandoned":  # ours, whatever the hospital chooses for what patients do; and no try of theirs
        if standing.dials >= rules.most_dials:
            return Stop("not_reached")
        return _again(_another_time(at, standing, zone), standing.number_rank, result, window, zone)
    rule, asked = rules.contact[result], result == "call_later"
    step = _without_a_call(rule, result, standing, max(call_at or at, at) if asked else at, window, zone)
    if step is not None:
        return step
    if (standing.tries >= standing.max_tries and not asked) or standing.dials >= rules.most_dials:
        return Stop(AFTER_THE_LAST_TRY.get(result, "not_reached"))
    if asked:
        when = max(call_at or at + (rule.after or timedelta(hours=2)), at)
        return _again(when, standing.number_rank, result, window, zone)
    if rule.way == "other_number" and standing.next_rank() in (None, standing.number_rank) and rule.puts_number_away:
        return Stop("no_usable_number")
    return _by_rule(rule, result, standing, at, window, zone)


def _without_a_call(
    rule: Rule, result: str, standing: Standing, at: datetime, window: Window, zone: ZoneInfo
) -> Next | None:
    """The step of a rule after which this channel does not call again; None for the others, and where it is a nurse's
    own call that she keeps: her tries are counted."""
    match rule.way:
        case "close":
            return Stop(ENDS_AS.get(result, "not_reached"), final=True)
        case "other_channel":
            return Stop("not_reached")
        case "nurse" if standing.automatic:
            return ToNurse(first_allowed(at, window, zone))
    return None


def _by_rule(rule: Rule, result: str, standing: Standing, at: datetime, window: Window, zone: ZoneInfo) -> Next:
    if rule.way == "nurse":
        return ToNurse(first_allowed(at, window, zone))
    rank = standing.number_rank
    another_time = rule.after is None
    if rule.last_try_another_time and standing.tries + 1 >= standing.max_tries:
        another_time = True
    if rule.way == "other_number" or (another_time and rule.after is not None):
        rank = standing.next_rank() or rank
    if another_time or rule.after is None:
        return _again(_another_time(at, standing, zone), rank, result, window, zone)
    wait = min(rule.after, standing.hurry) if standing.hurry is not None else rule.after
    return _again(at + wait, rank, result, window, zone)


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
