"""Our pacing beside the best that is possible, progressive dialling and VICIdial's adaptive rules, in simulated days.

    python -m benchmarks.bench_pacing [--json | --table]

The peer is the optimum of the constrained Markov decision process (`optimal_pacing.py`), which is told everything and
keeps its ceiling in the mean only; for log-normal talks and an answer rate that jumps, it is that of exponential talks
of the same mean, weighted by time. Limits: 95 % of it from ten nurses on, and the ceiling kept in 95 % of days, but
for the days of EXCEPTIONS, which have limits of their own.
`--table` prints the tables of docs/decisions/0022-pacing.md. The second is of what the ceiling costs that is kept day
by day (`daily_ceiling.py`), in rooms where few calls may be abandoned in a day.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from benchmarks import table
from benchmarks.daily_ceiling import Planned, Watched, plan
from benchmarks.optimal_pacing import Told, optimum
from benchmarks.table import Row
from dialer.pacing_rivals import POLICIES, Ours, Pacer
from dialer.simulator import Days, Scenario, simulate, simulate_day, summed

OF_OPTIMUM, DAYS_OVER = 0.95, 5.0
BASIC = Scenario(nurses=10)


@dataclass(frozen=True)
class Kind:
    name: str
    scenario: Scenario
    days: int
    of_optimum: float = OF_OPTIMUM
    days_over: float = DAYS_OVER  # in a hundred


KINDS = [
    Kind("10 nurses", BASIC, 40),
    Kind("20 nurses", replace(BASIC, nurses=20), 40),
    Kind("50 nurses", replace(BASIC, nurses=50), 20),
    Kind("10 nurses, talks of 120 s", replace(BASIC, talk_s=120), 40),
    Kind("20 nurses, talks of 120 s", replace(BASIC, nurses=20, talk_s=120), 20),
    Kind("50 nurses, talks of 120 s", replace(BASIC, nurses=50, talk_s=120), 20),
    Kind("10 nurses, 10 % answer", replace(BASIC, answer=((0, 0.1),)), 20),
    Kind("10 nurses, a ceiling of 1 %", replace(BASIC, ceiling=0.01), 20),
    Kind("10 nurses, 10 % answer, a ceiling of 1 %", replace(BASIC, answer=((0, 0.1),), ceiling=0.01), 40),
    Kind("10 nurses, 10 % answer, rings of 30 s", replace(BASIC, answer=((0, 0.1),), ring_s=30), 20),
    Kind(
        "20 nurses, talks of 60 s, rings of 30 s, 1 %",
        replace(BASIC, nurses=20, talk_s=60, ring_s=30, ceiling=0.01),
        20,
    ),
    Kind("20 nurses, 60 % answer", replace(BASIC, nurses=20, answer=((0, 0.6),)), 20),
    Kind("20 nurses, 90 % answer", replace(BASIC, nurses=20, answer=((0, 0.9),)), 20),
    Kind("20 nurses, talks of 60 s, rings of 20 s", replace(BASIC, nurses=20, talk_s=60, ring_s=20), 20),
    Kind("20 nurses, log-normal talks", replace(BASIC, nurses=20, spread=0.8), 20),
    Kind("20 nurses, 30 % answer, from noon on 60 %", replace(BASIC, nurses=20, answer=((0, 0.3), (4, 0.6))), 20),
    Kind("20 nurses, 60 % answer, from noon on 10 %", replace(BASIC, nurses=20, answer=((0, 0.6), (4, 0.1))), 20),
]
# Few calls may be abandoned in these days; the last is a jump by twelve. They stand for rings of 25 s and more of ten
# to twenty nurses: at a ceiling of 1 % where 15 % or fewer answer (from fifteen nurses on, 5 %), at 3 % where 5 % do.
FEW = replace(BASIC, answer=((0, 0.1),), ceiling=0.01)
EXCEPTIONS = [
    Kind("10 nurses, 10 % answer, talks of 300 s, rings of 25 s, 1 %", replace(FEW, talk_s=300, ring_s=25), 40, 0.94),
    Kind("10 nurses, 10 % answer, rings of 30 s, 1 %", replace(FEW, ring_s=30), 20, 0.93),
    Kind("10 nurses, 5 % answer, rings of 30 s, 1 %", replace(FEW, answer=((0, 0.05),), ring_s=30), 40, 0.91),
    Kind(
        "20 nurses, 5 % answer, from noon on 60 %, 1 %",
        replace(FEW, nurses=20, answer=((0, 0.05), (4, 0.6))),
        40,
        0.95,
        20,
    ),
]


BY_DAY = EXCEPTIONS[1]


def best(scenario: Scenario) -> float:
    """The optimum's utilisation, weighted by time where the answer rate changes."""
    hours = [hour for hour, _ in scenario.answer] + [scenario.hours]
    found = 0.0
    for (start, rate), end in zip(scenario.answer, hours[1:], strict=True):
        solution = optimum(scenario.nurses, rate, scenario.talk_s, scenario.ring_s, scenario.ceiling)
        found += solution.utilisation * (end - start) / scenario.hours
    return found


REFERENCE = {180: {10: 0.86, 20: 0.90, 50: 0.94}, 120: {10: 0.83, 20: 0.88, 50: 0.93}}
"""Talks of so many seconds → nurses → what the optimum is known to talk: 30 % answer, rings of 15 s, 3 %."""
NEAR = 0.01


def reference_rows() -> list[Row]:
    """The solver itself, beside points that it was not fitted to."""
    made = []
    for talk_s, points in REFERENCE.items():
        for nurses, known in points.items():
            found = optimum(nurses, 0.3, float(talk_s), 15.0, 0.03).utilisation
            within = [(known - NEAR) / known, (known + NEAR) / known]
            name = f"the optimum, {nurses} nurses, talks of {talk_s} s"
            made.append(Row(name, "reference", 100 * found, 100 * known, "%", *within))
    return made


def rows() -> list[Row]:
    made = reference_rows()
    for kind in KINDS + EXCEPTIONS:
        days = simulate(kind.scenario, "hotline", kind.days)
        name, of = f"talking, {kind.name}", 100 * best(kind.scenario)
        made.append(Row(name, "optimum", 100 * days.utilisation, of, "%", at_least=kind.of_optimum))
        over = 100 * (1 - days.days_within_ceiling)
        made.append(Row(f"days over the ceiling, {kind.name}", None, over, None, "%", limit=kind.days_over))
    for policy in POLICIES:
        if policy != "hotline":
            days = simulate(KINDS[1].scenario, policy, 20)
            of = 100 * best(KINDS[1].scenario)
            made.append(Row(f"talking, 20 nurses, {policy}", "optimum", 100 * days.utilisation, of, "%"))
    scenario = BY_DAY.scenario
    by_day = best_by_day(scenario, False, BY_DAY.days)
    of, name = 100 * by_day.days.utilisation, f"by the best of 95 % of days, {BY_DAY.name}"
    ours = simulate(scenario, "hotline", BY_DAY.days)
    made.append(Row(f"talking, {name}", "plan", 100 * ours.utilisation, of, "%", at_least=BY_DAY.of_optimum))
    failed = 100 * (1 - by_day.days.days_within_ceiling)
    made.append(Row(f"days over the ceiling, {name}", None, failed, None, "%"))
    return made


@dataclass(frozen=True)
class Daily:
    """A policy by the day; `over`: the share of days that were over the ceiling at some time."""

    days: Days
    over: float


# Of days that fail by the model. Of those that are played some more do, as abandoned calls come in swarms.
SHARES = {False: 0.02, True: 0.05}
DAILY = 80


def daily(scenario: Scenario, pacer: Callable[[], Pacer], days: int = DAILY) -> Daily:
    played, over = [], 0
    for day in range(days):
        watched = Watched(pacer())
        played.append(simulate_day(scenario, watched, np.random.default_rng([1, day])))
        over += watched.over
    return Daily(summed("", played, scenario.ceiling), over / days)


def best_by_day(scenario: Scenario, always: bool, days: int = DAILY) -> Daily:
    """The best that keeps the ceiling at the end of nearly every day, or all day long in most days if `always`."""
    planned = plan(scenario, SHARES[always], always)
    return daily(scenario, lambda: Planned(planned, scenario), days)


def told(kind: Kind) -> Days:
    """The optimal policy in the simulator, where the callers wait two seconds as they do for the others."""
    scenario = kind.scenario
    solution = optimum(scenario.nurses, scenario.answer[0][1], scenario.talk_s, scenario.ring_s, scenario.ceiling)
    days = [simulate_day(scenario, Told(solution), np.random.default_rng([1, day])) for day in range(kind.days)]
    return summed("the optimum's own policy", days, scenario.ceiling)


def markdown() -> str:
    lines = [
        "| a day of | policy | talking | of the optimum | abandoned | days within the ceiling |",
        "|---|---|---|---|---|---|",
    ]
    for place, kind in enumerate(KINDS + EXCEPTIONS):
        found = [simulate(kind.scenario, "hotline", kind.days), simulate(kind.scenario, "progressive", 8)]
        if place < 3:
            found += [simulate(kind.scenario, name, 8) for name in POLICIES if name.startswith("vicidial")]
            found.append(told(kind))
        of = best(kind.scenario)
        for days in found:
            share = f"{days.utilisation:.3f} | {days.utilisation / of:.3f} | {100 * days.abandoned:.2f} %"
            lines.append(f"| {kind.name} | {days.policy} | {share} | {100 * days.days_within_ceiling:.0f} % |")
    return "\n".join([*lines, "", *_by_day()])


def _by_day() -> list[str]:
    lines = [
        "| a day of | policy | of the optimum | abandoned | days within the ceiling | over it at some time |",
        "|---|---|---|---|---|---|",
    ]
    for kind in EXCEPTIONS[:-1]:
        of = best(kind.scenario)
        found = {
            "hotline": daily(kind.scenario, Ours),
            "the best by its end": best_by_day(kind.scenario, False),
            "the best all day": best_by_day(kind.scenario, True),
        }
        for name, one in found.items():
            days = one.days
            share = f"{days.utilisation / of:.3f} | {100 * days.abandoned:.2f} %"
            within = f"{100 * days.days_within_ceiling:.0f} % | {100 * one.over:.0f} %"
            lines.append(f"| {kind.name} | {name} | {share} | {within} |")
    return lines


if __name__ == "__main__":
    if "--table" in sys.argv[1:]:
        print(markdown())
        sys.exit(0)
    sys.exit(table.show(rows()))
