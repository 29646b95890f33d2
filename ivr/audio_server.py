"""The server that the sound of voice turns comes to: AudioSocket on a loopback address.

Rules kept here:
- An id is issued for each turn and is good for one connection while the turn is under way. Another id, or none
  within five seconds: dropped.
- What is held of a connection is bounded, both ways; a peer that goes over it is dropped.
- Asterisk leaves a line that hears nothing for two seconds: whoever has a stream sends sound all the time.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

from ivr import audio_socket
from ivr.audio_socket import Ended, Event, Identity, ProtocolError, Wire

log = logging.getLogger(__name__)

MOST_UNREAD = 500  # events, ten seconds of sound
MOST_UNSENT = 32_000  # bytes, two seconds of sound
MOST_STRANGERS = 64  # connections that have not said which turn they belong to
IDENTITY_S = 5.0


class Stream:
    """The sound of one turn, both ways. `inbox` gets what comes (`audio_socket.Event`); after `Ended` nothing does.
    Who has the stream may put news of its own there."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.inbox: asyncio.Queue[object] = asyncio.Queue()
        self._transport = transport

    @property
    def closing(self) -> bool:
        """Nothing more is sent."""
        return self._transport.is_closing()

    def say(self, pcm: bytes) -> None:
        """Sends 20 ms of sound. The peer plays it at once: keeping the pace is the sender's."""
        if self._transport.get_write_buffer_size() > MOST_UNSENT:
            log.warning("dropped a voice turn's connection: Asterisk takes no sound")
            self._transport.abort()
        elif not self._transport.is_closing():
            self._transport.write(audio_socket.sound(pcm))

    def hang_up(self) -> None:
        """Ends the turn: Asterisk's AudioSocket() returns, and closes the connection."""
        if not self._transport.is_closing():
            self._transport.write(audio_socket.hang_up())

    def drop(self) -> None:
        self._transport.abort()

    def take(self, event: Event) -> None:
        if self.inbox.qsize() < MOST_UNREAD:
            self.inbox.put_nowait(event)
        elif not self._transport.is_closing():
            log.warning("dropped a voice turn's connection: nobody reads its sound")
            self._transport.abort()

    def ended(self) -> None:
        self.inbox.put_nowait(Ended())


class Ticket:
    """A turn that waits for its sound."""

    def __init__(self, where: str) -> None:
        self.id = uuid4()
        self.where = where  # as AudioSocket() takes it
        self.stream: asyncio.Future[Stream] = asyncio.get_running_loop().create_future()


class AudioServer:
    """Listens on one loopback address; `async with` it."""

    def __init__(self, host: str, port: int, *, identity_s: float = IDENTITY_S) -> None:
        """Raises `ValueError` for an address that others can reach."""
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"sound is taken on a loopback address only, not on {host}")
        self._host, self._port = host, port
        self._identity_s = identity_s
        self._tickets: dict[UUID, Ticket] = {}
        self._strangers: set[_Connection] = set()
        self._server: asyncio.Server | None = None

    @contextmanager
    def turn(self) -> Iterator[Ticket]:
        """A turn's id is good inside the block and for one connection, which is dropped at its end."""
        ticket = Ticket(f"{self._host}:{self._port}")
        self._tickets[ticket.id] = ticket
        try:
            yield ticket
        finally:
            self._tickets.pop(ticket.id, None)
            if not ticket.stream.cancel():
                ticket.stream.result().drop()

    async def __aenter__(self) -> AudioServer:
        """Raises `OSError` if the address is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), self._host, self._port, backlog=256)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for stranger in list(self._strangers):
            stranger.drop("we stop")

    # A connection's side

    def came(self, connection: _Connection) -> None:
        self._strangers.add(connection)
        if len(self._strangers) > MOST_STRANGERS:
            connection.drop("too many came at once")
        asyncio.get_running_loop().call_later(self._identity_s, self._still_strange, connection)

    def left(self, connection: _Connection) -> None:
        self._strangers.discard(connection)

    def named(self, connection: _Connection, turn: UUID, stream: Stream) -> bool:
        ticket = self._tickets.pop(turn, None)
        if ticket is None or ticket.stream.done():
            return False
        self._strangers.discard(connection)
        ticket.stream.set_result(stream)
        return True

    def _still_strange(self, connection: _Connection) -> None:
        if connection in self._strangers:
            connection.drop("it did not say in time which turn it is for")


class _Connection(asyncio.Protocol):
    """asyncio's side of one connection."""

    def __init__(self, server: AudioServer) -> None:
        self._server = server
        self._wire = Wire()
        self._stream: Stream | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - create_server gives no other kind
        self._transport = transport
        self._server.came(self)

    def data_received(self, data: bytes) -> None:
        try:
            for event in self._wire.feed(data):
                self._take(event)
        except ProtocolError as error:
            self.drop(str(error))

    def _take(self, event: Event) -> None:
        if self._stream is not None:
            self._stream.take(event)
        elif isinstance(event, Identity) and self._transport is not None:
            self._stream = Stream(self._transport)
            if not self._server.named(self, event.turn, self._stream):
                self._stream = None
                self.drop("its turn is not under way")

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.left(self)
        if self._stream is not None:
            self._stream.ended()

    def drop(self, why: str) -> None:
        log.warning("dropped a connection that brought sound: %s", why)
        self._server.left(self)
        if self._transport is not None:
            self._transport.abort()
