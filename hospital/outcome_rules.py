"""What a hospital decides once for all calls: which step follows from which result. Data; `outcomes` carries it out.

Rules that no hospital changes: who has refused or died, or has answered everything, is not called again for the task. A
cancelled call and a failed line are ours, and no try. A number is put away when a person says that it is somebody
else's, never on a line's word alone. What never rang ends, too: after `most_dials` calls of a task by one channel, or
as many failures of its line in a row while the line reached others.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, get_args

Way = Literal["same_number", "other_number", "other_channel", "nurse", "close"]
WAYS: tuple[Way, ...] = get_args(Way)

SHORTEST, LONGEST = timedelta(minutes=5), timedelta(days=14)
FEWEST_DIALS, MOST_DIALS = 3, 30

_ANY: frozenset[Way] = frozenset(WAYS)
_NOT_IT_AGAIN = _ANY - {"same_number"}
_CLOSED: frozenset[Way] = frozenset({"close"})
LINE_WAYS: Mapping[str, frozenset[Way]] = {
    "no_answer": _ANY,
    "busy": _ANY,
    "rejected": _ANY,
    "unreachable": _ANY,
    "invalid_number": _NOT_IT_AGAIN,
    "network_failure": frozenset({"same_number", "other_number"}),
    "machine": _ANY,
    "fax": _ANY,
}
"""What may follow a line result; for the others it is fixed."""
CONTACT_WAYS: Mapping[str, frozenset[Way]] = {
    "completed": _CLOSED,
    "partial": _ANY,
    "refused": _CLOSED,
    "call_later": frozenset({"same_number", "nurse"}),
    "wrong_person": _NOT_IT_AGAIN,
    "carer_answered": _ANY,
    "moved": _NOT_IT_AGAIN,
    "deceased": _CLOSED,
    "language_not_served": _ANY,
    "hung_up": _ANY,
    "left_message": _ANY,
}
PUTS_AWAY = frozenset({"wrong_person", "moved"})
"""What people say that may make a number invalid; "wrong person" always does."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`after`: how long later it is called, None for another day at the other time of day. `last_try_another_time`: the
    last try is, however short `after`. `puts_number_away`: it is invalid from now on."""

    way: Way
    after: timedelta | None = None
    last_try_another_time: bool = False
    puts_number_away: bool = False


@dataclass(frozen=True)
class OutcomeRules:
    line: Mapping[str, Rule] = field(default_factory=dict)
    contact: Mapping[str, Rule] = field(default_factory=dict)
    most_dials: int = 12


SHIPPED = OutcomeRules(
    line={
        "no_answer": Rule("other_number"),
        "busy": Rule("same_number", timedelta(minutes=30), last_try_another_time=True),
        "rejected": Rule("other_number"),
        "unreachable": Rule("other_number", timedelta(hours=2)),
        "invalid_number": Rule("other_number", timedelta(minutes=5)),
        "network_failure": Rule("same_number", timedelta(minutes=10)),
        "machine": Rule("other_number"),
        "fax": Rule("other_number"),
    },
    contact={
        "completed": Rule("close"),
        "partial": Rule("same_number"),
        "refused": Rule("close"),
        "call_later": Rule("same_number", timedelta(hours=2)),
        "wrong_person": Rule("other_number", timedelta(minutes=5), puts_number_away=True),
        "carer_answered": Rule("same_number"),
        "moved": Rule("close"),
        "deceased": Rule("close"),
        "language_not_served": Rule("same_number"),
        "hung_up": Rule("same_number"),
        "left_message": Rule("same_number"),
    },
)
