"""Predictive pacing: how many to dial now, so that nurses talk and hardly anybody is answered by nobody. Pure.

Rules. Nobody ready: nothing is dialled. One line for each ready nurse is *progressive* dialling and abandons nobody;
what rings beyond that is *extra*. How many lines a ready nurse has grows with what the ceiling has to spare, and
shrinks with each abandoned call. There are never more extra lines than the ceiling can bear if three times as many of
them as usual are answered in this instant: so a day begins progressively by itself, an answer rate that jumps costs
little, and after too many abandoned calls it is progressive until they are diluted. While the ceiling could not bear
one abandoned call, only those extra lines ring that next to never abandon one: four nurses wait, one in ten answers. A
trunk that is silent against all odds is not dialled harder. Why this rule and no model of the calls, and how it
compares: docs/decisions/0022-pacing.md; what it does in a day of any kind: `simulator.py`.
"""

from collections import deque
from dataclasses import dataclass, field
from math import exp, log1p
from typing import NamedTuple

RECENT = 40  # answers over which the answer rate is taken: within a sixth of the truth, and it follows a jump soon
# The lines of a ready nurse that are best for p answered of those dialled, f nurses who become free while a line rings,
# and a ceiling c: 1 + (BASE + PER_FREED × f) / p × (c / FITTED)^BY_CEILING, fitted to the optimal policies of
# benchmarks/optimal_pacing.py.
BASE, PER_FREED, FITTED, BY_CEILING = 0.15, 0.12, 0.03, 0.4
GAIN = 0.05  # one abandoned call more: 5 % fewer lines
MOST_GAIN = 2.0  # a long saved-up allowance is not spent in one burst
KEPT_BACK, KEPT_SHARE = 3.0, 0.08  # calls, and the share of what the ceiling allows, that are not used
WORST = 3.0  # times as many answers as usual, all at once
# Extra lines that next to never abandon one: with so many answers known, if so many times as many as lately answer, no
# more is to be expected than that share of the ceiling.
KNOWN, CAREFUL, NEXT_TO_NEVER = 10, 1.5, 0.2
NO_CHANCE = -13.8  # logarithm of one in a million: a silence less likely than that is the trunk's fault


@dataclass(slots=True)
class Tally:
    """What a dialer knows of a campaign's last 24 hours. `abandoned`: answered, and no nurse within two seconds.

    The seconds include what goes on now, so that long talks count before they end."""

    answered: int = 0
    abandoned: int = 0
    dialled: int = 0  # lines that rang to their end, answered or not
    rang_s: float = 0.0
    talks: int = 0  # that ended
    talked_s: float = 0.0
    silent: int = 0  # lines that ended since the last answer
    lines_an_answer: deque[int] = field(default_factory=lambda: deque(maxlen=RECENT))
    recent_lines: int = 0  # the sum of lines_an_answer

    def ended(self, answered: bool) -> None:
        """A line has stopped ringing."""
        self.dialled += 1
        if not answered:
            self.silent += 1
            return
        self.answered += 1
        if (
            self.silent_against_all_odds or not self.lines_an_answer
        ):  # what was before says nothing of a trunk that is back
            self.lines_an_answer.clear()
            self.recent_lines = self.silent = 0
        if len(self.lines_an_answer) == RECENT:
            self.recent_lines -= self.lines_an_answer[0]
        self.lines_an_answer.append(self.silent + 1)
        self.recent_lines += self.silent + 1
        self.silent = 0

    @property
    def answer_rate(self) -> float:
        """Answered of dialled, lately; 1, which is the careful side, before anything was dialled."""
        lines = self.recent_lines + self.silent
        return len(self.lines_an_answer) / lines if lines else 1.0

    @property
    def silent_against_all_odds(self) -> bool:
        """Whether so many lines without an answer can't be chance."""
        answers = len(self.lines_an_answer)
        odds = log1p(-answers / (self.recent_lines + 1)) if answers else 0.0  # + 1: even who always answers may not
        return self.silent * odds < NO_CHANCE


class Pace(NamedTuple):
    """How many lines to dial now, and why not more: 'no_nurse', 'ceiling_near', 'silent_trunk', 'line_limit' or
    'enough'. With 'silent_trunk' it is progressive, with 'ceiling_near' nearly so, and over the ceiling quite."""

    dial: int
    why: str


def pace(nurses: int, ready: int, ringing: int, tally: Tally, ceiling: float, line_limit: int) -> Pace:
    """What to dial now, for `nurses` of whom `ready` wait for a call, while `ringing` lines ring.

    `ceiling`: abandoned ÷ answered that is allowed (0.03). `line_limit`: how many may ring at once."""
    if ready <= 0:
        return Pace(0, "no_nurse")
    spare = ceiling * tally.answered - tally.abandoned
    if spare < 0:
        lines, why = ready, "ceiling_near"
    elif tally.silent_against_all_odds:
        lines, why = ready, "silent_trunk"
    elif spare < 1:
        lines, why = next_to_safe(ready, spare, tally, ceiling), "ceiling_near"
    else:
        wanted = ready * lines_a_ready_nurse(nurses, tally, ceiling)
        lines, why = max(ready, int(min(wanted, bearable(ready, spare, tally)))), "enough"
    if lines > line_limit:
        lines, why = line_limit, "line_limit"
    return Pace(max(0, lines - ringing), why)


def bearable(ready: int, spare: float, tally: Tally) -> float:
    """Lines of which no more than `spare` find nobody if three times as many as lately are answered in this instant."""
    return (ready + spare) / min(1.0, WORST * tally.answer_rate)


def lines_a_ready_nurse(nurses: int, tally: Tally, ceiling: float) -> float:
    """At least one. Needs an answer in the tally."""
    allowed = ceiling * tally.answered
    rate = tally.answer_rate
    # A talk that hasn't ended yet counts as one, else the first hour of long talks would know no length.
    freed = nurses * (tally.rang_s / tally.dialled) * max(1, tally.talks) / max(1.0, tally.talked_s)
    thrift = GAIN * (allowed - tally.abandoned - KEPT_BACK - KEPT_SHARE * allowed)
    extra: float = (BASE + PER_FREED * freed) / rate * (ceiling / FITTED) ** BY_CEILING
    return max(1.0, (1.0 + extra) * exp(min(MOST_GAIN, thrift)))


def next_to_safe(ready: int, spare: float, tally: Tally, ceiling: float) -> int:
    """How many lines next to never find more people than `ready` nurses; at least as many as those.

    As if all were answered or not at once: a binomial number of them is."""
    if len(tally.lines_an_answer) < KNOWN:
        return ready
    most = int(bearable(ready, spare, tally))
    p = min(1.0, CAREFUL * tally.answer_rate)
    lines, lost = ready, 0.0  # abandoned calls to be expected
    all_taken, but_one = p**ready, ready * p ** (ready - 1) * (1 - p)  # chances that so many nurses are, of n lines
    while lines < most:
        lines += 1
        lost += p * all_taken
        if lost > NEXT_TO_NEVER * ceiling * lines * p:
            return lines - 1
        all_taken += p * but_one
        but_one *= (1 - p) * lines / (lines - ready + 1)
    return lines
