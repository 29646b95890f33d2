"""Asterisk's AudioSocket, the protocol without I/O: bytes in, events out; sound as bytes.

A message is a kind (one byte), the payload's length (two bytes, big-endian), the payload. Sound is 16-bit
little-endian mono at 8 kHz. Source: res_audiosocket.c of Asterisk 22 and docs/decisions/0012-voice-turns.md.

Rules kept here: the first message names the turn, and none does so again; what Asterisk says is bounded. Anything else
is a `ProtocolError`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

HANG_UP, IDENTITY, KEY, SOUND, ERROR = 0x00, 0x01, 0x03, 0x10, 0xFF
FRAME = 320  # bytes of 20 ms
FRAME_S = 0.02
MOST_PAYLOAD = 8000  # bytes: half a second; Asterisk's frames have 320, some phones' 480 to 960


class ProtocolError(Exception):
    """The peer does not speak AudioSocket. The text names what was wrong, never what it sent."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The turn that a connection is for."""

    turn: UUID


@dataclass(frozen=True, slots=True)
class Sound:
    """What the caller said: 20 ms, cut anew whatever the size of the peer's frames."""

    pcm: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pressed:
    """A key of the telephone, at its end."""

    key: str


@dataclass(frozen=True, slots=True)
class Ended:
    """No more will come. `error`: the code of the peer's error message, else None."""

    error: int | None = None


Event = Identity | Sound | Pressed | Ended


class Wire:
    """One connection's incoming bytes. Raises `ProtocolError`, after which it must not be fed again."""

    def __init__(self) -> None:
        self._rest = b""
        self._sound = b""
        self._known = False

    def feed(self, data: bytes) -> list[Event]:
        """Takes what came, in pieces of any size, and returns the events that it completed."""
        events: list[Event] = []
        rest = self._rest + data
        while len(rest) >= 3:
            kind, length = rest[0], int.from_bytes(rest[1:3], "big")
            self._judge(kind, length)
            if len(rest) < 3 + length:
                break
            events += self._message(kind, rest[3 : 3 + length])
            rest = rest[3 + length :]
        self._rest = rest
        return events

    def _judge(self, kind: int, length: int) -> None:
        """By its first three bytes, before its payload is waited for."""
        if (kind == IDENTITY) == self._known:
            raise ProtocolError(
                "it named its turn twice" if self._known else "it did not say first which turn it is for"
            )
        if kind not in (HANG_UP, IDENTITY, KEY, SOUND, ERROR):
            raise ProtocolError(f"kind 0x{kind:02x} is not known here")
        if length > MOST_PAYLOAD or (kind == IDENTITY and length != 16) or (kind == KEY and length != 1):
            raise ProtocolError(f"kind 0x{kind:02x} may not have {length} bytes")

    def _message(self, kind: int, payload: bytes) -> list[Event]:
        match kind:
            case 0x01:
                self._known = True
                return [Identity(UUID(bytes=payload))]
            case 0x03:
                return [Pressed(chr(payload[0]))] if payload[0] in b"0123456789*#" else []
            case 0x10:
                whole = self._sound + payload
                end = len(whole) - len(whole) % FRAME
                self._sound = whole[end:]
                return [Sound(whole[at : at + FRAME]) for at in range(0, end, FRAME)]
            case 0xFF:
                return [Ended(payload[0] if payload else 0)]
        return [Ended()]


def sound(pcm: bytes) -> bytes:
    """A piece of sound as a message."""
    return bytes([SOUND]) + len(pcm).to_bytes(2, "big") + pcm


def hang_up() -> bytes:
    """Ends the turn: AudioSocket() returns, and the dialplan or the script goes on."""
    return bytes([HANG_UP, 0, 0])
