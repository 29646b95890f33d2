"""The best pacing we know of that also keeps the ceiling in nearly every day, told everything, the day's end too.

`optimal_pacing.py` keeps its ceiling in the mean of a long time, so many of its days are over it. Here the same chain
is solved for a row of prices on what is abandoned: each price is a *level*, a policy that talks so much and abandons so
much. Which level holds now is chosen by the minute of the day and by what the ceiling has to spare (ceiling × answered
− abandoned), by dynamic programming over both with a price on a day that fails; that price is bisected until the wanted
share of days fails. What is abandoned at a level counts as Poisson. The plan is then played in the simulator, and what
it comes to there is the figure: a policy that there is, not what a model promises.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import exp

import numpy as np

from benchmarks.optimal_pacing import Chain, Matrix
from dialer.pacing_rivals import Floor, Pacer
from dialer.simulator import Scenario

STEP_S = 300.0
PRICES = 2.0 ** np.arange(14, 1, -1)  # of one abandoned call, in seconds in which all talk
MOST_LOST = 5  # times the ceiling: no level abandons more
GRID = 2  # parts of a call
SPARE = np.arange(-5 * GRID, 30 * GRID + 1) / GRID  # calls; what lies beyond counts as the end
ZERO = 5 * GRID


@dataclass(frozen=True)
class Level:
    """`lines[b]`: how many may ring while b nurses talk. `talking`: the share of nurses who do; `answered` and
    `abandoned` in one step."""

    lines: tuple[int, ...]
    talking: float
    answered: float
    abandoned: float


@cache
def levels(scenario: Scenario) -> tuple[Level, ...]:
    """From progressive dialling to more than the ceiling, the most careful first; for one answer rate."""
    nurses, ((_, rate),) = scenario.nurses, scenario.answer
    chain = Chain(nurses, rate, scenario.talk_s, scenario.ring_s, scenario.ceiling)
    one_each = np.maximum(np.arange(nurses, -1, -1)[:, None], np.arange(chain.most + 1)[None, :])
    found = [(one_each, *chain.evaluated(one_each))]
    values = np.zeros(one_each.shape)
    for price in PRICES:
        values = chain.iterated(float(price), values)
        chosen = chain.chosen(values)
        found.append((chosen, *chain.evaluated(chosen)))
        if found[-1][2] > MOST_LOST * scenario.ceiling:
            found.pop()
            break
    answered = [used * nurses / scenario.talk_s / (1 - lost) * STEP_S for _, used, lost in found]
    return tuple(
        Level(tuple(int(n) for n in chosen[:, 0]), used, calls, lost * calls)
        for (chosen, used, lost), calls in zip(found, answered, strict=True)
    )


@dataclass(frozen=True)
class Plan:
    """`choice[step, spare]`: the number of a level. `fails`: the share of days, by the model."""

    levels: Sequence[Level]
    choice: Matrix
    fails: float

    def lines(self, step: int, spare: float, talking: int) -> int:
        at = min(max(round(spare * GRID) + ZERO, 0), len(SPARE) - 1)
        return self.levels[self.choice[min(step, len(self.choice) - 1), at]].lines[talking]


def plan(scenario: Scenario, share: float, always: bool) -> Plan:
    """For days of which a `share` is over the ceiling at its end, or at some time if `always`."""
    known = levels(scenario)
    moves = np.array([_moves(level, scenario.ceiling) for level in known])
    steps = round(scenario.hours * 3600 / STEP_S)
    low, high = 0.0, 1e4  # a day that fails, in steps in which all talk
    best = _planned(known, moves, steps, high, always)
    while high - low > 0.02 * high:
        found = _planned(known, moves, steps, (low + high) / 2, always)
        if found.fails > share:
            low = (low + high) / 2
        else:
            high, best = (low + high) / 2, found
    return best


def _moves(level: Level, ceiling: float) -> Matrix:
    """moves[from, to]: of what is spare, in one step."""
    count = len(SPARE)
    made = np.zeros((count, count))
    chance, calls = exp(-level.abandoned), 0
    while chance > 1e-12 or calls < level.abandoned:
        shift = (ceiling * level.answered - calls) * GRID
        lower = int(np.floor(shift))
        for to, part in ((lower, 1 - (shift - lower)), (lower + 1, shift - lower)):
            made[np.arange(count), np.clip(np.arange(count) + to, 0, count - 1)] += chance * part
        calls += 1
        chance *= level.abandoned / calls
    return made


def _planned(known: Sequence[Level], moves: Matrix, steps: int, price: float, always: bool) -> Plan:
    """The best for one price of a day that fails."""
    over, at = SPARE < 0, np.arange(len(SPARE))
    values, failed = np.where(over, -price, 0.0), over.astype(float)
    choice = np.zeros((steps, len(SPARE)), int)
    talking = np.array([level.talking for level in known])[:, None]
    for step in reversed(range(steps)):
        worth = talking + moves @ values
        choice[step] = worth.argmax(axis=0)
        values, failed = worth[choice[step], at], (moves @ failed)[choice[step], at]
        if always:  # what is over has failed, and is progressive from then on
            choice[step][over] = 0
            values, failed = np.where(over, -price, values), np.where(over, 1.0, failed)
    return Plan(known, choice, float(failed[ZERO]))


class Planned(Pacer):
    """A plan in the simulator."""

    every_s = 5.0  # by which it knows the time

    def __init__(self, plan: Plan, scenario: Scenario) -> None:
        self._plan, self._seconds = plan, scenario.hours * 3600

    def dial(self, floor: Floor) -> int:
        step = int((1 - floor.shift_left) * self._seconds / STEP_S)
        return max(0, self._plan.lines(step, spare(floor), floor.talking) - floor.ringing)


class Watched(Pacer):
    """A policy, and whether it was ever over the ceiling in its day."""

    def __init__(self, watched: Pacer) -> None:
        self._watched, self.every_s, self.over = watched, watched.every_s, False

    def sampled(self, floor: Floor) -> None:
        self._watched.sampled(floor)

    def dial(self, floor: Floor) -> int:
        self.over = self.over or spare(floor) < 0
        return self._watched.dial(floor)


def spare(floor: Floor) -> float:
    """Calls that the ceiling could bear."""
    return floor.ceiling * floor.tally.answered - floor.tally.abandoned
