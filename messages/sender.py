"""Sends what is due in the outbox: claim one, render it, hand it to the gateway, write down what became of it.

    queued → sending → sent → delivered | failed        sending → queued (later) | failed

A message is handed to the gateway at most once for each id. A sender that dies leaves the row in `sending`; when its
claim has run out it is due again, marked `again`. A gateway that knows ids gets it once more; with any other it is
failed as `fate_unknown`, for a person to look at.
"""

import logging
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from messages.gateway import FateUnknown, Gateway, NotSent, Outgoing, Refused

log = logging.getLogger(__name__)

MOST_CHARACTERS = 1600  # what SMS gateways take as one concatenated message
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
# Characters of category Cf that turn the order of what follows: a name could rewrite the sentence around it.
TURNS_ORDER = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))

Render = Callable[[str, str, Mapping[str, Any]], str]
"""(key, locale, params) → text: hospital, date, time and the number to call, nothing else."""


class Due(Protocol):
    """A claimed message; the outbox's own class has these."""

    @property
    def id(self) -> UUID: ...
    @property
    def key(self) -> str: ...
    @property
    def locale(self) -> str: ...
    @property
    def params(self) -> Mapping[str, Any]: ...
    @property
    def number(self) -> str: ...
    @property
    def again(self) -> bool:
        """Whether it had been claimed before by a sender that never said what became of it."""


class Outbox(Protocol):
    """What the sender needs of the table `outbox`; each call is one transaction."""

    async def claim(self, at: datetime) -> Due | None:
        """The next message that is due, now `sending`, in one conditional statement; None if there is none."""

    async def sent(self, message_id: UUID, reference: str, at: datetime) -> None:
        """sending → sent."""

    async def not_sent(self, message_id: UUID, code: str, at: datetime, *, final: bool) -> None:
        """sending → queued, due later and later as long as it is of use; failed, if `final`."""


class Sender:
    """`now` is the clock, UTC."""

    def __init__(self, outbox: Outbox, gateway: Gateway, render: Render, now: Callable[[], datetime]) -> None:
        self._outbox, self._gateway, self._render, self._now = outbox, gateway, render, now

    async def send_due(self, most: int = 100) -> int:
        """Settles at most so many of the messages that are due, one after the other; says how many. Raises only what
        the outbox raises: then the row is claimed again later."""
        for settled in range(most):
            due = await self._outbox.claim(self._now())
            if due is None:
                return settled
            await self._settle(due)
        return most

    async def _settle(self, due: Due) -> None:
        try:
            if due.again and not self._gateway.knows_ids:
                raise FateUnknown("fate_unknown", "its sender died while sending; ask the patient or the gateway")
            receipt = await self._gateway.send(self._message(due))
        except NotSent as problem:
            final = not _may_try_again(problem)
            # The code is ours; the problem's cause, which may repeat the number, is not logged.
            log.warning(
                "message %s by %s: %s (%s)", due.id, self._gateway.name, problem, "given up" if final else "later"
            )
            await self._outbox.not_sent(due.id, problem.code, self._now(), final=final)
        else:
            await self._outbox.sent(due.id, receipt.reference, self._now())
            log.info("message %s sent by %s", due.id, self._gateway.name)

    def _message(self, due: Due) -> Outgoing:
        if not E164.fullmatch(due.number):
            raise Refused("bad_number", "the row's number is no international number (+ and 7 to 15 digits)")
        try:
            text = plain(self._render(due.key, due.locale, due.params))
        except Exception as error:
            # Whatever is wrong with one message's wording or parameters must not stop the others, and its text may
            # hold them: only its kind is told.
            kind = type(error).__name__
            raise Refused("wording", f"{due.key!r} in {due.locale!r} cannot be worded ({kind})") from None
        if not 0 < len(text) <= MOST_CHARACTERS:
            raise Refused("length", f"{due.key!r} has {len(text)} characters, 1 to {MOST_CHARACTERS} can be sent")
        return Outgoing(due.id, due.number, text)


def _may_try_again(problem: NotSent) -> bool:
    return not isinstance(problem, Refused | FateUnknown)


def plain(text: str) -> str:
    """The text as a telephone may show it: composed (NFC), without control characters but line ends, lone surrogates,
    or characters that turn the direction of reading."""
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = (
        letter
        for letter in composed
        if letter == "\n" or (unicodedata.category(letter) not in ("Cc", "Cs") and letter not in TURNS_ORDER)
    )
    return "".join(kept).strip()
