"""Conditions that hang on one another in a circle: such items would never be asked, or for ever."""

from __future__ import annotations

from collections.abc import Mapping

from scripts.questionnaire import Item, Score, every


def loop(items: tuple[Item, ...], scores: tuple[Score, ...] = ()) -> tuple[str, ...]:
    """Link ids that hang on one another in a circle; the first one has a condition. Empty if there is none.

    An item hangs on the questions of its conditions, on what their scores sum up, and on the item that it stands in.
    """
    hangs = _hangs(items, scores)
    conditional = {_named(item).link_id for item in every(items) if item.when}
    done: set[str] = set()
    for start in hangs:
        circle = _circle(start, hangs, done)
        if circle:
            first = next(at for at, link_id in enumerate(circle) if link_id in conditional)
            return circle[first:] + circle[:first]
    return ()


def dependency_first(items: tuple[Item, ...], scores: tuple[Score, ...] = ()) -> tuple[str, ...]:
    """All link ids, each after those that it hangs on: in this order nothing waits for something that is not known yet,
    however long the row of conditions is. There must be no loop.
    """
    hangs = _hangs(items, scores)
    done: dict[str, None] = {}
    for start in hangs:
        way = [start]
        while way:
            waiting = [one for one in hangs.get(way[-1], ()) if one not in done and one in hangs]
            if waiting:
                way.append(waiting[0])
            else:
                done[way.pop()] = None
    return tuple(done)


def _hangs(items: tuple[Item, ...], scores: tuple[Score, ...]) -> dict[str, tuple[str, ...]]:
    """Link id → what it hangs on: the questions of its conditions and their scores, and the item that it stands in."""
    hangs: dict[str, tuple[str, ...]] = {}
    sums = {score.id: score.link_ids for score in scores}

    def collect(inner: tuple[Item, ...], parent: str | None) -> None:
        for item in inner:
            asked = [one for to in item.when for one in ((to.question,) if to.question else sums.get(to.score, ()))]
            named = _named(item)
            hangs[named.link_id] = (*asked, *((parent,) if parent is not None else ()))
            collect(named.items, named.link_id)

    collect(items, None)
    return hangs


def _named(item: Item) -> Item:
    """As its file has it: of the group of a question's answers the question."""
    return item.items[0] if item.of_answers else item


def _circle(start: str, hangs: Mapping[str, tuple[str, ...]], done: set[str]) -> tuple[str, ...]:
    """Depth first without recursion: a file may have a thousand items in a row."""
    way: list[tuple[str, int]] = [(start, 0)]
    on_the_way = {start}
    while way:
        link_id, at = way.pop()
        ahead = hangs.get(link_id, ())
        if link_id in done or at >= len(ahead):
            done.add(link_id)
            on_the_way.discard(link_id)
            continue
        way.append((link_id, at + 1))
        following = ahead[at]
        if following in on_the_way:
            names = [name for name, _ in way]
            return tuple(names[names.index(following) :])
        if following not in done:
            way.append((following, 0))
            on_the_way.add(following)
    return ()
