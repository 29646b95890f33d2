"""Whose turn it is, where several campaigns share nurses or lines. Pure.

Rules: a campaign of priority 2 gets what those of priority 1 leave. Inside one priority each gets turns in proportion
to its weight (stride scheduling: Waldspurger and Weihl, 1995): each turn moves it on by 1 / weight, and who is furthest
behind is next, so that after any number of turns nobody is more than one turn away from its share. Who was asked and
had nothing to do has missed its turns, and does not make up for them later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Share:
    """What a campaign may claim. `of` None: what belongs to no campaign."""

    of: UUID | None
    priority: int = 5
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Turns:
    """How far each has come, and how far the last turn of each priority was. Who is new begins there."""

    passes: Mapping[UUID | None, float] = field(default_factory=dict)
    at: Mapping[int, float] = field(default_factory=dict)

    def of(self, share: Share) -> float:
        return self.passes.get(share.of, self.at.get(share.priority, 0.0))


def order(shares: Sequence[Share], turns: Turns) -> list[Share]:
    """Who is asked first whether it has anything to call for."""
    return sorted(shares, key=lambda one: (one.priority, turns.of(one), -one.weight, str(one.of)))


def served(turns: Turns, share: Share) -> Turns:
    """It had its turn."""
    came = turns.of(share)
    return replace(
        turns,
        passes={**turns.passes, share.of: came + 1 / share.weight},
        at={**turns.at, share.priority: max(came, turns.at.get(share.priority, 0.0))},
    )


def had_nothing(turns: Turns, share: Share) -> Turns:
    """It was asked, and there was nothing to call for."""
    now = max(turns.of(share), turns.at.get(share.priority, 0.0))
    return replace(turns, passes={**turns.passes, share.of: now})
