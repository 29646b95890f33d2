"""How several people are told apart who are read out to choose from: by no more of their names than it takes. Whose
whole names are the same are the elder and the younger one; how old anybody is, is not said."""

from collections.abc import Sequence
from datetime import date

from scripts.placeholders import NAME_LENGTH, Value
from scripts.verbalise import SPEECH
from speech.ears.folding import folded

ROOM = 30  # letters for what stands beside a name


def told_apart(people: Sequence[tuple[str, date | None]]) -> list[Value]:
    """What each is called, in their order, by name and date of birth: the shortest beginning of the name that nobody
    else has. Three of one name, or two who were born on one day, keep the whole name and their places in the row."""
    words = [name.split() for name, _ in people]
    heard = [[folded(word) for word in name.split()] for name, _ in people]
    called: list[Value] = []
    for at, (name, born) in enumerate(people):
        others = [one for other, one in enumerate(heard) if other != at]
        enough = (n for n in range(1, len(words[at]) + 1) if all(one[:n] != heard[at][:n] for one in others))
        same = [one for (_, one), other in zip(people, heard, strict=True) if other == heard[at]]
        if len(same) == 2 and born is not None and None not in same and same[0] != same[1]:
            called.append(_by_age(name, born == min(one for one in same if one is not None)))
        else:
            called.append(" ".join(words[at][: next(enough, len(words[at]))]))
    return called


def _by_age(name: str, elder: bool) -> Value:
    short = name[: NAME_LENGTH - ROOM]
    return {tag: (one.ELDER if elder else one.YOUNGER).format(short) for tag, one in SPEECH.items()}
