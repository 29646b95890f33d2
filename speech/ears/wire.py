"""What goes over the pipes between an asker and its workers: a JSON head and, after it, sound.

Eight bytes come first: the head's length and the sound's, 32 bits each, big-endian. Anything longer than a request can
be is rubbish, and who reads it gives up the pipe.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

LENGTHS = struct.Struct(">II")
LONGEST_HEAD = 1 << 20
LONGEST_SOUND = 1 << 22  # 30 s at 48 kHz are 2.9 MB


class Rubbish(ValueError):
    """What arrived is no message of ours."""


def packed(head: Mapping[str, object], sound: bytes = b"") -> bytes:
    text = json.dumps(head).encode()
    return LENGTHS.pack(len(text), len(sound)) + text + sound


async def received(reader: asyncio.StreamReader) -> dict[str, Any]:
    """The head of the next message. Raises `Rubbish`, `asyncio.IncompleteReadError`."""
    head, sound = _lengths(await reader.readexactly(LENGTHS.size))
    text = await reader.readexactly(head)
    await reader.readexactly(sound)
    return _head(text)


def read(file: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """The next message; None at the end. Raises `Rubbish`."""
    lengths = file.read(LENGTHS.size)
    if not lengths:
        return None
    if len(lengths) < LENGTHS.size:
        raise Rubbish("the pipe ended inside of a message")
    head, sound = _lengths(lengths)
    return _head(file.read(head)), file.read(sound)


def _lengths(raw: bytes) -> tuple[int, int]:
    head, sound = LENGTHS.unpack(raw)
    if head > LONGEST_HEAD or sound > LONGEST_SOUND:
        raise Rubbish("a message is longer than any can be")
    return head, sound


def _head(text: bytes) -> dict[str, Any]:
    try:
        head = json.loads(text)
    except ValueError:
        raise Rubbish("a message is not JSON") from None
    if not isinstance(head, dict):
        raise Rubbish("a message is no JSON object")
    return head
