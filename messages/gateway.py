"""What a gateway is: it takes one message and says what became of it, in our words.

A gateway either takes a message (`Receipt`) or raises one of three: `TryLater` (it surely did not take it), `Refused`
(it never will), `FateUnknown` (it may have). What is unknown is never sent again blindly: a patient who gets the same
message twice doubts both. Where a number of ours receives, the gateway's file also reads what comes in (`Incoming`).
"""

from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from scripts.reply_words import Word


@dataclass(frozen=True, repr=False)
class Outgoing:
    """One message, rendered. `to` is a number in E.164."""

    message_id: UUID
    to: str
    text: str

    def __repr__(self) -> str:
        return f"Outgoing({self.message_id}, to {masked(self.to)}, {len(self.text)} characters)"


@dataclass(frozen=True)
class Receipt:
    """The gateway has taken the message; `reference` is its own name for it."""

    reference: str


@dataclass(frozen=True)
class Incoming:
    """A text as the gateway told it. `number`: who sent it, E.164 where it is one. `media`: pictures and the like,
    which stay with the gateway. `word`: what the gateway took it for and has answered itself."""

    gateway: str
    reference: str
    number: str = field(repr=False)
    text: str = field(repr=False)
    media: int = 0
    word: Word | None = None


class NotSent(Exception):
    """The message was not (or perhaps not) taken. `code` goes into the outbox's row: a word of ours, never the
    gateway's sentence, which may repeat the number. The text says what to do."""

    def __init__(self, code: str, advice: str) -> None:
        super().__init__(f"{code}: {advice}")
        self.code = code


class TryLater(NotSent):
    """It surely was not taken, and may be later: no connection, too much at once, an account that is out of order."""


class Refused(NotSent):
    """It was not taken and never will be: a wrong number, a recipient who has opted out."""


class FateUnknown(NotSent):
    """The connection was lost after the message had gone out: it may have been taken."""


class Gateway(Protocol):
    """One way to a telephone. `name` goes into logs."""

    @property
    def name(self) -> str: ...

    @property
    def knows_ids(self) -> bool:
        """Whether a message id that is handed over a second time reaches the patient once, so that a message whose
        sender died may simply be sent again."""

    async def send(self, message: Outgoing) -> Receipt:
        """Raises `TryLater`, `Refused`, `FateUnknown`."""


def masked(number: str) -> str:
    """Enough of a number to recognise one's own in a log: +34…22. Of a short one nothing."""
    return f"{number[:3]}…{number[-2:]}" if len(number) >= 8 else "…"
