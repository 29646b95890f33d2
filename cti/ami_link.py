"""One TCP connection to Asterisk's manager interface (AMI), from its banner to its end.

panoramisk 1.4 cuts the stream into messages and matches replies to actions. Its own connection, its manager
and its logging stay out of it; why is in docs/decisions/0005-ami.md. It has no types: `Any` is used here and
nowhere else.

Rules:
- An action is written once. When the link falls, what has no answer learns that its fate is unknown.
- UTF-8 letters that are split over two TCP segments stay whole; bytes that are no UTF-8 are left out.
- Nothing of a message is logged, since names, numbers and the secret are in them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol

_mute = logging.getLogger(__name__ + ".panoramisk")
_mute.setLevel(logging.CRITICAL + 1)  # its debug lines print whole messages

Value = str | int | float | Sequence[str]
_LONGEST_MESSAGE = 1 << 20  # characters without a blank line after which the peer is no AMI
_MOST_UNSENT = 1 << 20  # bytes that Asterisk has not taken: it is stuck


class AmiError(Exception):
    """Something about the manager interface went wrong; the subclasses say what is known about the action.

    Rooms that must not import this one catch ConnectionError (not sent) and TimeoutError (fate unknown).
    """


class AmiDown(AmiError, ConnectionError):
    """There is no link to Asterisk, and the action was not sent."""


class AmiUnanswered(AmiError, TimeoutError):
    """The action was sent and no answer came: it may or may not have happened."""


class AmiRefused(AmiError):
    """Asterisk answered `Response: Error`; the text is its message, and nothing happened."""


class UnsafeHeader(ValueError):
    """A header holds a line break or NUL; the text names the header, not the value."""


@dataclass(frozen=True, slots=True)
class AmiEvent:
    """One event: Asterisk's own field names; `variables` are the channel's (manager.conf `channelvars`)."""

    name: str
    fields: Mapping[str, str]
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def call(self) -> str:
        """The call that the event belongs to, "" for none (a queue's member, a restart)."""
        f = self.fields
        return f.get("Linkedid") or f.get("DestLinkedid") or f.get("Uniqueid") or ""


class Link(asyncio.Protocol):
    """`on_event` is called for each event as it comes. panoramisk's object never owns the transport."""

    def __init__(self, on_event: Callable[[AmiEvent], None]) -> None:
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[str] = loop.create_future()
        self.booted: asyncio.Future[str] = loop.create_future()  # seconds since Asterisk's start
        self.heard = time.monotonic()
        self.delay = 0.0  # seconds between Asterisk's time stamp and our reading, of the last event
        self.worst = 0.0  # the most of it; whoever reads it begins anew
        self._on_event = on_event
        self._transport: asyncio.Transport | None = None
        self._tail = b""
        self._last: AmiEvent | None = None
        self._cutter: Any = AMIProtocol()
        self._cutter.connection_made(None)
        self._cutter.encoding = "utf-8"
        self._cutter.log = _mute
        self._cutter.handle_message = self._message

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
        self._transport = transport
        self.heard = time.monotonic()

    def data_received(self, data: bytes) -> None:
        self.heard = time.monotonic()
        if self._tail or data[-1] >= 0x80:
            data, self._tail = _whole_letters(self._tail + data)
        self._cutter.data_received(data)
        if len(self._cutter.queue[0]) > _LONGEST_MESSAGE:
            self.drop("a message without an end")
        self.delay = 0.0
        if self._last is not None:
            with contextlib.suppress(KeyError, ValueError):  # no time stamp (timestampevents=no): no measure
                self.delay = max(0.0, time.time() - float(self._last.fields["Timestamp"]))
            self._last = None
            self.worst = max(self.worst, self.delay)

    def connection_lost(self, exc: Exception | None) -> None:
        self.drop(f"connection lost ({type(exc).__name__})" if exc else "Asterisk closed the connection")

    def drop(self, reason: str) -> None:
        """End the link now; every action without an answer learns it. The first reason counts."""
        if self.lost.done():
            return
        self.lost.set_result(reason)
        if self._transport is not None:
            self._transport.abort()
        for asked in list(self._cutter.responses.values()):
            if not asked.future.done():
                asked.future.set_exception(AmiUnanswered(f"{asked['Action']} was sent, then: {reason}"))
        self._cutter.responses.clear()

    def ping(self) -> None:
        if self._transport is not None:
            self._transport.write(b"Action: Ping\r\n\r\n")

    async def ask(self, headers: Mapping[str, Value], as_list: bool, within: float) -> list[dict[str, str]]:
        """Write one action and wait; returns its response, with `as_list` its events as well."""
        if self._transport is None or self.lost.done():
            raise AmiDown(f"{headers['Action']} was not sent: no link to Asterisk")
        if self._transport.get_write_buffer_size() > _MOST_UNSENT:
            self.drop("Asterisk does not read")
            raise AmiDown(f"{headers['Action']} was not sent: Asterisk does not read")
        asked: Any = Action(dict(headers), as_list=as_list)
        self._cutter.responses[asked.id] = asked
        self._transport.write(str(asked).encode())
        try:
            async with asyncio.timeout(within):
                answer = await asked.future
        except AmiUnanswered:
            raise
        except TimeoutError:
            raise AmiUnanswered(f"{headers['Action']} was sent, and no answer came in {within} s") from None
        finally:
            self._cutter.responses.pop(asked.id, None)
        return [_plain(m)[0] for m in (answer if isinstance(answer, list) else [answer])]

    def _message(self, message: Any) -> None:
        """One response or event, as panoramisk cut it."""
        number = message._store.get("actionid")
        asked = self._cutter.responses.get(number[1]) if number and isinstance(number[1], str) else None
        if "event" in message._store and (asked is None or not asked.as_list):
            if self.lost.done():
                return  # the rest of a segment whose first half overflowed: the state is read anew anyway
            if not isinstance(message.event, str):
                return  # two names: somebody else's words are in it (manager.conf keeps such events away)
            event = AmiEvent(message.event, *_plain(message))
            if event.name == "FullyBooted" and not self.booted.done():
                self.booted.set_result(event.fields.get("Uptime", ""))
            self._last = event
            self._on_event(event)
        elif asked is not None and not asked.future.done():
            if "event" not in message._store and message.response in ("Error", "Fail", "Failure"):
                asked.future.set_result([message])  # panoramisk would wait for the list for ever
            else:
                asked.add_message(message)


def _plain(message: Any) -> tuple[dict[str, str], dict[str, str]]:
    """Fields and channel variables of a message. A header that comes twice counts with its last value."""
    fields: dict[str, str] = {}
    variables: dict[str, str] = {}
    for lower, (name, value) in message._store.items():
        if lower.startswith("chanvariable"):  # `ChanVariable`, or `ChanVariable(PJSIP/joao-00000001)`
            for pair in value if isinstance(value, list) else [value]:
                key, _, content = pair.partition("=")
                variables[key] = content
        elif lower != "content":
            fields[name] = value[-1] if isinstance(value, list) else value
    return fields, variables


def _whole_letters(data: bytes) -> tuple[bytes, bytes]:
    """Split off the beginning of a UTF-8 letter whose rest is in the next segment (RFC 3629, section 3)."""
    for back in range(1, min(4, len(data) + 1)):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        size = 2 if byte >> 5 == 0b110 else 3 if byte >> 4 == 0b1110 else 4 if byte >> 3 == 0b11110 else 1
        return (data[:-back], data[-back:]) if size > back else (data, b"")
    return data, b""
