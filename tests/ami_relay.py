"""A wire that can be cut: passes bytes between us and Asterisk's manager interface, and loses what it is told to."""

import asyncio
import contextlib


class AmiRelay:
    """`cut_after`: once this text was passed on to Asterisk both ends are closed and nothing comes back.
    `cut_before`: the bytes with this text are lost, and both ends are closed."""

    def __init__(self, address: str, to: tuple[str, int]) -> None:
        self.address, self.to = address, to
        self.cut_after: bytes | None = None
        self.cut_before: bytes | None = None
        self._server: asyncio.Server | None = None
        self._pairs: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "AmiRelay":
        self._server = await asyncio.start_server(self._accept, self.address, self.to[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for pair in self._pairs:
            pair.cancel()
        await asyncio.gather(*self._pairs, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._pairs.add(asyncio.create_task(self._pair(reader, writer)))

    async def _pair(self, ours: asyncio.StreamReader, to_us: asyncio.StreamWriter) -> None:
        theirs, to_them = await asyncio.open_connection(*self.to)
        tasks = [asyncio.create_task(self._forth(ours, to_them)), asyncio.create_task(self._back(theirs, to_us))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            to_us.transport.abort()
            await self._leave(theirs, to_them)

    async def _leave(self, theirs: asyncio.StreamReader, to_them: asyncio.StreamWriter) -> None:
        """End the far side so that what was passed on does arrive: closing with unread bytes would reset it."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            to_them.write_eof()
            async with asyncio.timeout(2):
                while await theirs.read(65536):
                    continue
        to_them.close()

    async def _forth(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if self.cut_before and self.cut_before in data:
                    self.cut_before = None
                    return
                writer.write(data)
                await writer.drain()
                if self.cut_after and self.cut_after in data:
                    self.cut_after = None
                    return

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
