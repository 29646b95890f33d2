"""Predictive pacing: how many to dial now, so that nurses talk and hardly anybody is answered by nobody. Pure.

Rules. Nobody ready: nothing is dialled. One line for each ready nurse is *progressive* dialling and abandons nobody;
what rings beyond that is *extra*. So many lines ring that as many answers are to be expected as nurses are ready, less
a margin. The margin is for a *risk*: the share of the answered who may find no nurse just now, which grows with what
the ceiling has to spare. There are never more extra lines than the ceiling can bear if half as many again as usual are
answered in this instant: so an answer rate that jumps costs little, and after too many abandoned calls it is
progressive until they are diluted. While the ceiling could not bear one abandoned call, and while no more than two too
many are abandoned, a fifth of it is risked: where few answer that dilutes them sooner than one line for each nurse. A
trunk that is silent against all odds is not dialled harder. Why this rule and no model of the calls, and how it
compares: docs/decisions/0022-pacing.md; what it does in a day of any kind: `simulator.py`.
"""

from collections import deque
from dataclasses import dataclass, field
from math import log, log1p, sqrt
from typing import NamedTuple

RECENT = 80  # answers over which the answer rate is taken: within a ninth of the truth, and it follows a jump soon
KNOWN = 10  # answers before which it is progressive
# The margin is z times the spread (√) of the answers that are to be expected. For p answered of those dialled, f nurses
# who become free while a line rings, and a risk r: z = BASE (1 - p) - BY_RISK ((1 - p)^¼ ln(r / FITTED) + (2 - p) √f),
# fitted to the optimal policies of benchmarks/optimal_pacing.py.
BASE, BY_RISK, FITTED = 2.6, 0.6, 0.03
# The risk is the ceiling where the spare calls are the reserve: some calls and a share of what the ceiling allows.
RESERVE, RESERVE_SHARE = 4.0, 0.05
LEAST_RISK = 0.2  # the least share of the ceiling that is risked, unless nothing is
STOP = 2.0  # calls over the ceiling, from which on it is progressive
WORST = 1.5  # times as many answers as usual, all at once
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
    def careful_rate(self) -> float:
        """The answer rate and its standard error."""
        rate = self.answer_rate
        return min(1.0, rate + rate * sqrt((1 - rate) / max(1, len(self.lines_an_answer))))

    @property
    def silent_against_all_odds(self) -> bool:
        """Whether so many lines without an answer can't be chance."""
        answers = len(self.lines_an_answer)
        odds = log1p(-answers / (self.recent_lines + 1)) if answers else 0.0  # + 1: even who always answers may not
        return self.silent * odds < NO_CHANCE


class Pace(NamedTuple):
    """How many lines to dial now, and why not more: 'no_nurse', 'ceiling_near', 'silent_trunk', 'line_limit' or
    'enough'. With 'silent_trunk' it is progressive, with 'ceiling_near' nearly so, and well over the ceiling quite."""

    dial: int
    why: str


def pace(nurses: int, ready: int, ringing: int, tally: Tally, ceiling: float, line_limit: int) -> Pace:
    """What to dial now, for `nurses` of whom `ready` wait for a call, while `ringing` lines ring.

    `ceiling`: abandoned ÷ answered that is allowed (0.03). `line_limit`: how many may ring at once."""
    if ready <= 0:
        return Pace(0, "no_nurse")
    spare = ceiling * tally.answered - tally.abandoned
    if spare <= -STOP or not ceiling:
        lines, why = ready, "ceiling_near"
    elif tally.silent_against_all_odds:
        lines, why = ready, "silent_trunk"
    else:
        wanted = lines_for(ready, nurses, spare, tally, ceiling)
        lines = max(ready, int(min(wanted + 0.5, bearable(ready, max(0.0, spare), tally))))
        why = "enough" if spare >= 1 else "ceiling_near"
    if lines > line_limit:
        lines, why = line_limit, "line_limit"
    return Pace(max(0, lines - ringing), why)


def bearable(ready: int, spare: float, tally: Tally) -> float:
    """Lines of which no more than `spare` find nobody if half as many again as lately are answered in this instant."""
    if not tally.answered:
        return ready
    return (ready + spare) / min(1.0, WORST * tally.careful_rate)


def lines_for(ready: int, nurses: int, spare: float, tally: Tally, ceiling: float) -> float:
    """How many lines are best for the `ready` ones of `nurses`; `spare`: calls that the ceiling could bear."""
    if len(tally.lines_an_answer) < KNOWN:
        return ready
    rate = tally.answer_rate
    # A talk that hasn't ended yet counts as one, else the first hour of long talks would know no length.
    freed = nurses * (tally.rang_s / tally.dialled) * max(1, tally.talks) / max(1.0, tally.talked_s)
    filled = max(0.0, spare) / (RESERVE + RESERVE_SHARE * ceiling * tally.answered)
    risk = ceiling / FITTED * max(LEAST_RISK, filled)
    z = BASE * (1 - rate) - BY_RISK * ((1 - rate) ** 0.25 * log(risk) + (2 - rate) * sqrt(freed))
    answers: float = (sqrt(z * z + 4 * ready) - z) ** 2 / 4  # where answers + z √answers = ready
    return answers / tally.careful_rate
