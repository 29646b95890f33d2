"""How a conversation leaves what it is doing. Dialogues let these pass, unless they know better."""

from __future__ import annotations


class CallerLeft(Exception):
    """The caller hung up, or the line is gone. No dialogue catches it; the server records it once."""


class Transferred(Exception):
    """The conversation goes on with a person: `queue` is HL_QUEUE, `reason` is what the journal says. `place` is that
    of a caller who was in this queue already: HL_PLACE."""

    def __init__(self, queue: str, reason: str, place: int | None = None) -> None:
        super().__init__(f"to {queue}: {reason}")
        self.queue = queue
        self.reason = reason
        self.place = place


class NotAPerson(Exception):
    """Whom we have called is a machine or a fax (`Line.attend`). `hears`: a message may be spoken now."""

    def __init__(self, who: str, *, hears: bool) -> None:
        super().__init__(who)
        self.who = who
        self.hears = hears


class Back(Exception):
    """The caller wants the menu before this one. `Call.returning` catches it; without one nothing is raised."""


class NoAnswer(Transferred):
    """Three times no usable answer: a person takes over, unless the dialogue knows better and catches it."""
