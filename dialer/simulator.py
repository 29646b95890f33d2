"""Days of a campaign without a telephone: nurses, lines that ring, people who answer or don't, and a pacing policy.

From event to event, not from second to second. A line rings for a random time; then it is answered or not, by the
answer rate of that moment. Who is answered and finds no nurse within two seconds is abandoned. What a policy is told is
what a dialer knows. The day is cut off at its end: a talk that goes on counts until then.
"""

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from functools import partial
from heapq import heappop, heappush
from math import log
from multiprocessing import active_children
from os import cpu_count

import numpy as np

from dialer.pacing import Tally
from dialer.pacing_rivals import POLICIES, Floor, Pacer

PATIENCE_S = 2.0
_RING, _TALK, _GIVE_UP, _SAMPLE, _LOOK = range(5)
MOST_NURSES, LEAST_S, MOST_S, MOST_HOURS, MOST_SPREAD = 10_000, 0.1, 86_400.0, 168.0, 3.0  # what a day can be played of
_BLOCK = 4096  # random numbers drawn at once
AT_ONCE = 25  # days that a process plays before it tells of them
LOOK_S = 5.0


@dataclass(frozen=True)
class Scenario:
    """A kind of day. `answer`: (hour from which on, share answered of dialled), the first from hour 0. `spread` 0:
    exponential talk times, else log-normal ones with that standard deviation of the logarithm; the mean is `talk_s`.
    `looks_s`: how often the dialer looks whether to dial; 0: whenever something has happened."""

    nurses: int
    answer: tuple[tuple[float, float], ...] = ((0.0, 0.3),)
    talk_s: float = 180.0
    ring_s: float = 15.0
    ceiling: float = 0.03
    hours: float = 8.0
    spread: float = 0.0
    line_limit: int = 10_000
    looks_s: float = 0.0

    def __post_init__(self) -> None:
        """Raises ValueError with what is wrong."""
        starts = [hour for hour, _ in self.answer]
        if not 1 <= self.nurses <= MOST_NURSES or self.line_limit < 1:
            raise ValueError(f"there must be one to {MOST_NURSES} agents, and at least one line")
        if not all(0 <= rate <= 1 for _, rate in self.answer) or not 0 <= self.ceiling <= 1:
            raise ValueError("answer rates and the ceiling are shares between 0 and 1")
        if not all(LEAST_S <= mean <= MOST_S for mean in (self.talk_s, self.ring_s)):
            raise ValueError(f"talk and ring are seconds from {LEAST_S:g} to {MOST_S:g}")
        if not 0 < self.hours <= MOST_HOURS or not 0 <= self.spread <= MOST_SPREAD or not 0 <= self.looks_s <= MOST_S:
            raise ValueError(f"a day has hours, up to {MOST_HOURS:g}, and talks a spread from 0 to {MOST_SPREAD:g}")
        if starts[:1] != [0.0] or starts != sorted(set(starts)) or not starts[-1] < self.hours:
            raise ValueError("answer rates must begin at hour 0 and follow one another within the day")


@dataclass(frozen=True)
class Day:
    utilisation: float  # talked ÷ (nurses × hours)
    dialled: int
    answered: int
    abandoned: int
    most_ringing: int

    def within(self, ceiling: float) -> bool:
        return self.abandoned <= ceiling * self.answered


@dataclass(frozen=True)
class Days:
    """Means over the days; `abandoned` is the share of those answered, `utilisation_95` where 95 % of the days lie."""

    policy: str
    days: int
    utilisation: float
    utilisation_95: tuple[float, float]
    abandoned: float
    days_within_ceiling: float
    dialled_a_day: float

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def simulate(
    scenario: Scenario,
    policy: str,
    days: int,
    seed: int = 1,
    processes: int | None = None,
    played: Callable[[int], None] | None = None,
) -> Days:
    """Many days with a policy of POLICIES; the same seed gives the same days, by however many processes. `played` is
    told every few seconds how many are over."""
    return summed(policy, simulated(scenario, policy, days, seed, processes, played), scenario.ceiling)


def simulated(
    scenario: Scenario,
    policy: str,
    days: int,
    seed: int = 1,
    processes: int | None = None,
    played: Callable[[int], None] | None = None,
) -> list[Day]:
    """The same, day by day."""
    one = partial(_numbered, scenario, policy, seed)
    processes = min(processes or cpu_count() or 1, days // 4 or 1)
    if processes == 1 and played is None:
        return [one(number) for number in range(days)]
    size = max(1, min(AT_ONCE, days // (4 * processes)))
    before = active_children()
    with ProcessPoolExecutor(processes, initializer=_ends_silently) as pool:
        try:
            parts = [pool.submit(_several, one, range(days)[start : start + size]) for start in range(0, days, size)]
            while wait(parts, timeout=LOOK_S).not_done:
                if played is not None:
                    played(min(days, sum(size for part in parts if part.done())))
        except BaseException:  # a day may be long, and nobody waits for it any more
            for child in active_children():
                if child not in before:
                    child.terminate()
            pool.shutdown(cancel_futures=True)
            raise
        return [day for part in parts for day in part.result()]


def _several(one: Callable[[int], Day], numbers: range) -> list[Day]:
    return [one(number) for number in numbers]


def _ends_silently() -> None:
    """Ctrl-C reaches every process of a terminal; what is to be said then, the first one says."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def summed(policy: str, days: Sequence[Day], ceiling: float) -> Days:
    used = np.array([day.utilisation for day in days])
    low, high = np.quantile(used, [0.025, 0.975])
    return Days(
        policy=policy,
        days=len(days),
        utilisation=float(used.mean()),
        utilisation_95=(float(low), float(high)),
        abandoned=sum(day.abandoned for day in days) / max(1, sum(day.answered for day in days)),
        days_within_ceiling=sum(day.within(ceiling) for day in days) / len(days),
        dialled_a_day=sum(day.dialled for day in days) / len(days),
    )


def _numbered(scenario: Scenario, policy: str, seed: int, number: int) -> Day:
    return simulate_day(scenario, POLICIES[policy](), np.random.default_rng([seed, number]))


def simulate_day(scenario: Scenario, pacer: Pacer, rng: np.random.Generator) -> Day:
    return _Run(scenario, pacer, rng).day()


class _Run:
    """One day under way."""

    def __init__(self, scenario: Scenario, pacer: Pacer, rng: np.random.Generator) -> None:
        self.scenario, self.pacer, self.end = scenario, pacer, scenario.hours * 3600
        self.ring = _drawn(lambda: rng.exponential(scenario.ring_s, _BLOCK))
        mean = log(scenario.talk_s) - scenario.spread**2 / 2
        self.talk = _drawn(
            (lambda: rng.lognormal(mean, scenario.spread, _BLOCK))
            if scenario.spread
            else lambda: rng.exponential(scenario.talk_s, _BLOCK)
        )
        self.luck = _drawn(lambda: rng.random(_BLOCK))
        self.events: list[tuple[float, int, int]] = []  # when, what, whose
        self.waiting: dict[int, None] = {}  # callers who wait for a nurse, the first one first
        self.talked, self.callers = 0.0, 0
        self.tally = Tally()
        self.floor = Floor(scenario.nurses, scenario.nurses, 0, 0, self.tally, scenario.ceiling, scenario.line_limit)

    def day(self) -> Day:
        floor, tally, events, dial = self.floor, self.tally, self.events, self.pacer.dial
        happened = {
            _RING: self._rang,
            _TALK: self._talked,
            _GIVE_UP: self._gave_up,
            _SAMPLE: self._sampled,
            _LOOK: self._looked,
        }
        if self.pacer.every_s:
            heappush(events, (self.pacer.every_s, _SAMPLE, 0))
        looks = self.scenario.looks_s
        if looks:
            heappush(events, (looks, _LOOK, 0))
        now, most, what = 0.0, 0, _LOOK
        while True:
            more = dial(floor) if what == _LOOK or not looks else 0
            for _ in range(more):
                heappush(events, (now + next(self.ring), _RING, 0))
            floor.ringing += more
            most = max(most, floor.ringing)
            if not events:  # nobody talks, nothing rings, and the policy wants nothing
                break
            at, what, whose = heappop(events)
            if at >= self.end:
                break
            tally.rang_s += floor.ringing * (at - now)
            tally.talked_s += floor.talking * (at - now)
            now = at
            happened[what](now, whose)
        return Day(
            utilisation=self.talked / (self.scenario.nurses * self.end),
            dialled=tally.dialled,
            answered=tally.answered,
            abandoned=tally.abandoned,
            most_ringing=most,
        )

    def _rang(self, now: float, _: int) -> None:
        self.floor.ringing -= 1
        answered = next(self.luck) < self._rate(now)
        self.tally.ended(answered)
        if answered and self.floor.ready:
            self.floor.ready -= 1
            self._talk(now)
        elif answered:
            self.callers += 1
            self.waiting[self.callers] = None
            self.floor.waiting += 1
            heappush(self.events, (now + PATIENCE_S, _GIVE_UP, self.callers))

    def _talked(self, now: float, _: int) -> None:
        self.tally.talks += 1
        if self.waiting:
            del self.waiting[next(iter(self.waiting))]
            self.floor.waiting -= 1
            self._talk(now)
        else:
            self.floor.ready += 1

    def _talk(self, now: float) -> None:
        lasts = next(self.talk)
        self.talked += min(lasts, self.end - now)
        heappush(self.events, (now + lasts, _TALK, 0))

    def _gave_up(self, now: float, caller: int) -> None:
        if caller in self.waiting:
            del self.waiting[caller]
            self.floor.waiting -= 1
            self.tally.abandoned += 1

    def _sampled(self, now: float, _: int) -> None:
        self.floor.shift_left = 1 - now / self.end
        self.pacer.sampled(self.floor)
        heappush(self.events, (now + self.pacer.every_s, _SAMPLE, 0))

    def _looked(self, now: float, _: int) -> None:
        heappush(self.events, (now + self.scenario.looks_s, _LOOK, 0))

    def _rate(self, now: float) -> float:
        answer = self.scenario.answer
        if len(answer) == 1:
            return answer[0][1]
        return [rate for hour, rate in answer if hour * 3600 <= now][-1]


def _drawn(block: Callable[[], np.ndarray]) -> Iterator[float]:
    """Random numbers one by one, drawn in blocks."""
    while True:
        yield from block().tolist()
