"""Whose turn it is, where several campaigns share nurses or lines."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.shares import Share, Turns, had_nothing, order, served

ONE, TWO, THREE = (UUID(int=n) for n in (1, 2, 3))


def played(shares: list[Share], times: int, turns: Turns | None = None) -> tuple[list[UUID | None], Turns]:
    """Who had each turn, where all have something to call for."""
    came, turns = [], turns or Turns()
    for _ in range(times):
        first = order(shares, turns)[0]
        turns = served(turns, first)
        came.append(first.of)
    return came, turns


def test_the_first_priority_takes_everything() -> None:
    first, second = Share(ONE, priority=1), Share(TWO, priority=2, weight=100)
    assert played([second, first], 20)[0] == [ONE] * 20
    assert order([second, first], Turns()) == [first, second], "and the second gets what the first leaves"


def test_inside_a_priority_by_weight_and_evenly_mixed() -> None:
    came, _ = played([Share(ONE, weight=3), Share(TWO), Share(None)], 10)
    assert (came.count(ONE), came.count(TWO), came.count(None)) == (6, 2, 2)
    assert came[:5].count(ONE) == 3, "mixed, not one after the other"


@given(st.lists(st.integers(1, 100), min_size=1, max_size=6), st.integers(1, 400))
def test_after_any_number_of_turns_nobody_is_far_from_its_share(weights: list[int], times: int) -> None:
    shares = [Share(UUID(int=n), weight=weight) for n, weight in enumerate(weights, 1)]
    came, _ = played(shares, times)
    for share in shares:
        due = times * share.weight / sum(weights)
        assert abs(came.count(share.of) - due) <= len(shares), "at most the turns that the others are ahead"


def test_who_had_nothing_does_not_make_up_for_it() -> None:
    busy, idle = Share(ONE), Share(TWO)
    turns = Turns()
    for _ in range(50):
        turns = had_nothing(served(turns, busy), idle)
    came, _ = played([busy, idle], 10, turns)
    assert came.count(TWO) == 5


@pytest.mark.parametrize("weight", [1, 10])
def test_a_new_campaign_begins_where_the_others_are(weight: int) -> None:
    _, turns = played([Share(ONE)], 100)
    came, _ = played([Share(ONE), Share(THREE, weight=weight)], 2 * (weight + 1), turns)
    assert came.count(ONE) >= 1, "the old one is not starved until the new one has caught up"
