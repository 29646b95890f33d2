"""AudioSocket: the protocol with any split of its bytes, and who may bring sound."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr import audio_server, audio_socket
from ivr.audio_server import AudioServer
from ivr.audio_socket import FRAME, Ended, Event, Identity, Pressed, ProtocolError, Sound, Wire

TURN = UUID("7c1d9c0e-5b0f-4a55-8c53-0d7f2f1f9a11")
HOST = "127.0.30.1"


def message(kind: int, payload: bytes = b"") -> bytes:
    return struct.pack(">BH", kind, len(payload)) + payload


def identity(turn: UUID = TURN) -> bytes:
    return message(0x01, turn.bytes)


def fed(*pieces: bytes) -> list[Event]:
    wire = Wire()
    return [event for piece in pieces for event in wire.feed(piece)]


# ── The protocol ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_turn_from_beginning_to_end() -> None:
    pcm = bytes(range(256)) + bytes(64)
    assert fed(identity() + message(0x10, pcm) + message(0x03, b"5") + message(0x00)) == [
        Identity(TURN),
        Sound(pcm),
        Pressed("5"),
        Ended(),
    ]


@given(st.lists(st.integers(1, 700), max_size=40), st.lists(st.integers(0, 1200), max_size=8))
def test_any_split_of_the_bytes_gives_the_same(cuts: list[int], sizes: list[int]) -> None:
    sound = b"".join(message(0x10, bytes(at % 251 for at in range(size))) for size in sizes)
    whole = identity() + sound + message(0x03, b"#") + message(0x00)
    pieces, rest = [], whole
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]
    assert fed(*pieces, rest) == fed(whole)


def test_frames_of_odd_sizes_are_cut_into_20_ms() -> None:
    pcm = bytes(range(250)) * 4
    heard = fed(identity(), *(message(0x10, pcm[at : at + 130]) for at in range(0, len(pcm), 130)))[1:]
    assert heard == [Sound(pcm[at : at + FRAME]) for at in (0, 320, 640)]  # the last 40 bytes wait for more


def test_an_error_ends_the_turn_with_its_code() -> None:
    assert fed(identity(), message(0xFF, b"\x02"))[1:] == [Ended(2)]
    assert fed(identity(), message(0xFF))[1:] == [Ended(0)]


def test_keys_that_no_telephone_has_are_nothing() -> None:
    assert fed(identity(), message(0x03, b"A"), message(0x03, b"\0"), message(0x03, b"*"))[1:] == [Pressed("*")]


@pytest.mark.parametrize(
    ("bytes_", "told"),
    [
        (message(0x10, bytes(320)), "did not say first"),
        (identity() + identity(), "named its turn twice"),
        (message(0x01, bytes(15)), "may not have 15 bytes"),
        (identity() + message(0x03, b"12"), "may not have 2 bytes"),
        (identity() + struct.pack(">BH", 0x10, 8001), "may not have 8001 bytes"),  # before they are waited for
        (identity() + message(0x42), "kind 0x42"),
        (b"GET / HTTP/1.1\r\n", "did not say first"),
    ],
)
def test_what_is_no_audiosocket_is_told_at_once(bytes_: bytes, told: str) -> None:
    with pytest.raises(ProtocolError, match=told):
        fed(bytes_)


def test_what_we_send_is_as_asterisk_reads_it() -> None:
    assert audio_socket.sound(b"\1\2\3\4") == b"\x10\x00\x04\1\2\3\4"  # length big-endian, sound as it is
    assert audio_socket.hang_up() == b"\0\0\0"


# ── Who may bring sound ─────────────────────────────────────────────────────────────────────────────────────────────

Peer = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def listening(identity_s: float = 5.0) -> AsyncIterator[tuple[AudioServer, int]]:
    async with AudioServer(HOST, 0, identity_s=identity_s) as server:
        with server.turn() as ticket:
            port = int(ticket.where.rpartition(":")[2])
        yield server, port


async def connect(port: int, *messages: bytes) -> Peer:
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(b"".join(messages))
    return reader, writer


async def is_dropped(peer: Peer, within: float = 3) -> None:
    """Fails where the server keeps the connection, or says anything on it."""
    async with asyncio.timeout(within):
        with contextlib.suppress(ConnectionResetError):
            assert await peer[0].read(1) == b""
    peer[1].close()


async def test_sound_goes_both_ways_and_a_hang_up_ends_it() -> None:
    async with listening() as (server, port):
        with server.turn() as ticket:
            reader, writer = await connect(port, identity(ticket.id), message(0x10, bytes(640)), message(0x03, b"7"))
            stream = await asyncio.wait_for(ticket.stream, 3)
            assert [await stream.inbox.get() for _ in range(3)] == [Sound(bytes(320)), Sound(bytes(320)), Pressed("7")]
            stream.say(b"\1" * 320)
            stream.hang_up()
            assert await reader.readexactly(326) == b"\x10\x01\x40" + b"\1" * 320 + b"\0\0\0"
            writer.close()
            assert await asyncio.wait_for(stream.inbox.get(), 3) == Ended()


async def test_an_id_that_nobody_issued_is_dropped() -> None:
    async with listening() as (server, port):
        with server.turn() as ticket:
            await is_dropped(await connect(port, identity(uuid4())))
            assert not ticket.stream.done()


async def test_an_id_is_good_once_and_while_its_turn_is_under_way() -> None:
    async with listening() as (server, port):
        with server.turn() as ticket:
            first = await connect(port, identity(ticket.id))
            await asyncio.wait_for(ticket.stream, 3)
            await is_dropped(await connect(port, identity(ticket.id)))
        await is_dropped(first)  # the turn is over, and so is its connection
        await is_dropped(await connect(port, identity(ticket.id)))


async def test_who_does_not_say_in_time_for_which_turn_it_comes_is_dropped() -> None:
    async with listening(identity_s=0.05) as (_, port):
        await is_dropped(await connect(port))
        await is_dropped(await connect(port, identity()[:18]))


async def test_strangers_are_limited_in_number() -> None:
    async with listening() as (_, port):
        strangers = [await connect(port) for _ in range(audio_server.MOST_STRANGERS + 1)]
        done, _ = await asyncio.wait(
            [asyncio.create_task(is_dropped(stranger)) for stranger in strangers], return_when=asyncio.FIRST_COMPLETED
        )
        assert done
        for _, writer in strangers:
            writer.close()


async def test_sound_that_nobody_reads_is_not_kept_for_ever() -> None:
    async with listening() as (server, port):
        with server.turn() as ticket:
            peer = await connect(port, identity(ticket.id))
            stream = await asyncio.wait_for(ticket.stream, 3)
            peer[1].write(message(0x10, bytes(320)) * (audio_server.MOST_UNREAD + 1))
            await is_dropped(peer)
            heard = []
            while not isinstance(event := await asyncio.wait_for(stream.inbox.get(), 3), Ended):
                heard.append(event)
            assert len(heard) == audio_server.MOST_UNREAD


async def test_a_peer_that_takes_no_sound_is_dropped() -> None:
    async with listening() as (server, port):
        with server.turn() as ticket:
            await connect(port, identity(ticket.id))
            stream = await asyncio.wait_for(ticket.stream, 3)
            for _ in range(100_000):  # more than the system's own buffers hold
                stream.say(bytes(320))
                if stream.closing:
                    break
            assert stream.closing


def test_it_listens_on_loopback_only() -> None:
    for host in ("0.0.0.0", "192.0.2.10", "::"):  # noqa: S104 - refused, that is what is shown
        with pytest.raises(ValueError, match="loopback"):
            AudioServer(host, 0)
