"""The best that any pacing could do, told everything: the optimal policy of a constrained Markov decision process.

State: nurses who talk (b of N), lines that ring (r). Talks and rings are exponential; a ring ends answered with
probability p; who is answered while all talk is abandoned. At each event the policy chooses how many lines shall ring,
never fewer than do. It maximises the share of nurses who talk, subject to abandoned ≤ ceiling × answered.

With a price λ on what is abandoned beyond the ceiling this is an average-reward problem, solved by relative value
iteration on the uniformised chain (Puterman, Markov Decision Processes, 8.5 and 8.9); λ is found by bisection. Between
two neighbouring prices the policy switches at one state, and mixing the two meets the ceiling exactly.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from dialer.pacing_rivals import Floor, Pacer

Matrix = np.ndarray


@dataclass(frozen=True)
class Solution:
    """`lines[b]`: how many may ring while b nurses talk, for the last price that keeps the ceiling. `utilisation`: that
    of the mixture that meets it."""

    utilisation: float
    abandoned: float
    lines: tuple[int, ...]


@cache
def optimum(nurses: int, answer: float, talk_s: float, ring_s: float, ceiling: float) -> Solution:
    return Chain(nurses, answer, talk_s, ring_s, ceiling).solved()


class Chain:
    def __init__(self, nurses: int, answer: float, talk_s: float, ring_s: float, ceiling: float) -> None:
        self.nurses, self.answer, self.ceiling = nurses, answer, ceiling
        self.most = int(3 * nurses * ring_s / (talk_s * answer) + 12 / answer + 10)
        self.b, self.r = np.arange(nurses + 1)[:, None], np.arange(self.most + 1)[None, :]
        self.rate = nurses / talk_s + self.most / ring_s
        self.ends = self.b / talk_s / self.rate + 0.0 * self.r  # probabilities of a step
        self.rings = self.r / ring_s / self.rate + 0.0 * self.b
        self.full = self.b == nurses
        self.fewer, self.more = np.maximum(np.arange(nurses + 1) - 1, 0), np.minimum(np.arange(nurses + 1) + 1, nurses)

    def solved(self) -> Solution:
        """Bisects the price until both sides are near."""
        values = np.zeros((self.nurses + 1, self.most + 1))
        low, high, price = 0.0, float("inf"), 1.0
        below, above = (0.0, 0.0, ()), None
        for _ in range(24):
            values = self.iterated(price, values)
            chosen = self.chosen(values)
            used, lost = self.evaluated(chosen)
            if lost > self.ceiling:
                low, above = price, (used, lost)
            else:
                high, below = price, (used, lost, tuple(int(n) for n in chosen[:, 0]))
            price = low * 2 if high == float("inf") else (low + high) / 2
            if high < float("inf") and (high - low) < 0.005 * high:
                break
        if above is None:  # the ceiling binds nothing
            return Solution(*below)
        share = (self.ceiling - below[1]) / (above[1] - below[1])
        return Solution(below[0] + share * (above[0] - below[0]), self.ceiling, below[2])

    def iterated(self, price: float, values: Matrix) -> Matrix:
        """Relative value iteration. `values[b, r]`: of having b talk and r ring once the policy has chosen."""
        lost = self.rings * self.answer * (self.full - self.ceiling) * self.rate
        reward = (self.b / self.nurses - price * lost) / self.rate
        ends, rings, stays = self.ends, self.rings, 1 - self.ends - self.rings
        for step in range(60_000):
            best = np.maximum.accumulate(values[:, ::-1], axis=1)[:, ::-1]  # over all r' ≥ r
            rung = np.concatenate([best[:, :1], best[:, :-1]], axis=1)
            after_ring = self.answer * rung[self.more] + (1 - self.answer) * rung
            renewed = reward + ends * best[self.fewer] + rings * after_ring + stays * best
            change = renewed - values
            values = renewed - renewed[0, 0]
            if step % 50 == 0 and change.max() - change.min() < 1e-9:
                break
        return values

    def chosen(self, values: Matrix) -> Matrix:
        """chosen[b, r]: how many ring after the policy has chosen; the fewest of equally good ones."""
        chosen = np.empty(values.shape, int)
        for b in range(self.nurses + 1):
            best = self.most
            for r in range(self.most, -1, -1):
                best = r if values[b, r] >= values[b, best] else best
                chosen[b, r] = best
        return chosen

    def evaluated(self, chosen: Matrix) -> tuple[float, float]:
        """The share of nurses who talk and of the answered who are abandoned, in the long run."""
        width = self.most + 1

        def at(b: Matrix, r: Matrix) -> Matrix:
            return (b * width + chosen[b, r]).ravel()

        b, r = np.meshgrid(np.arange(self.nurses + 1), np.arange(width), indexing="ij")
        rung = np.maximum(r - 1, 0)
        moves = [
            (at(np.maximum(b - 1, 0), r), self.ends.ravel()),
            (at(np.minimum(b + 1, self.nurses), rung), (self.rings * self.answer).ravel()),
            (at(b, rung), (self.rings * (1 - self.answer)).ravel()),
        ]
        stays = 1 - sum(chance for _, chance in moves)
        likely = np.zeros((self.nurses + 1) * width)
        likely[chosen[0, 0]] = 1.0
        for step in range(60_000):
            renewed = likely * stays
            for to, chance in moves:
                renewed += np.bincount(to, likely * chance, len(likely))
            near = step % 100 == 0 and np.abs(renewed - likely).sum() < 1e-10
            likely = renewed
            if near:
                break
        where = likely.reshape(self.nurses + 1, width)
        answered = where * self.rings * self.answer
        return float((where * self.b).sum() / self.nurses), float(answered[self.nurses].sum() / answered.sum())


class Told(Pacer):
    """The optimal policy itself, in the simulator."""

    def __init__(self, solution: Solution) -> None:
        self.lines = solution.lines

    def dial(self, floor: Floor) -> int:
        return max(0, self.lines[floor.talking] - floor.ringing)
