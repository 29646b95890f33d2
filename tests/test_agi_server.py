"""The FastAGI server among clients of every kind."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from ivr import agi
from ivr.call import CallerLeft
from ivr.server import AgiServer
from ivr.session import AgiSession, AsteriskSilent, CommandRefused
from tests.simulated_asterisk import Channel, environment

HOST, SECRET = "127.0.30.1", "3f2a9c"
SCRIPT = f"{SECRET}/inbound"


@asynccontextmanager
async def serving(
    handler: Callable[[AgiSession, str], Awaitable[None]], greeting_s: float = 0.3
) -> AsyncIterator[tuple[AgiServer, int]]:
    """A server on a free port; ends it without grace."""
    server = AgiServer(handler, SECRET, HOST, 0, greeting_s=greeting_s)
    async with server:
        assert server._server is not None
        yield server, server._server.sockets[0].getsockname()[1]


async def nothing_to_say(session: AgiSession, path: str) -> None:
    await session.execute(agi.noop())


async def plays(session: AgiSession, path: str) -> None:
    await session.execute(agi.stream_file("/hotline/sounds/welcome", "0123456789*#"))


async def dropped(reader: asyncio.StreamReader, within: float = 5.0) -> None:
    """Waits until the server has closed or reset the connection."""
    async with asyncio.timeout(within):
        try:
            while await reader.read(65536):
                continue
        except ConnectionError:
            return  # reset: dropped as well


# ── A call from its first to its last command ───────────────────────────────────────────────────────────────────────


async def test_the_dialplan_is_told_that_we_began_and_that_we_finished() -> None:
    paths = []

    async def handler(session: AgiSession, path: str) -> None:
        paths.append(path)
        await session.execute(agi.noop())

    async with serving(handler) as (_, port):
        channel = await Channel.calls(HOST, port, f"{SCRIPT}?try=2")
        await channel.ended()
    assert channel.commands == [
        'SET VARIABLE "HL_DONE" "started"',
        'SET AUTOHANGUP "0"',
        "NOOP",
        'SET VARIABLE "HL_DONE" "1"',
    ]
    assert paths == ["inbound"]


async def test_the_session_knows_the_call_and_not_the_secret() -> None:
    seen: list[AgiSession] = []

    async def handler(session: AgiSession, path: str) -> None:
        seen.append(session)

    async with serving(handler) as (_, port):
        await (await Channel.calls(HOST, port, f"{SCRIPT}?try=2")).ended()
    (session,) = seen
    assert session.id == "n1-1795647600.7"
    assert session.query == {"try": "2"}
    assert SECRET not in repr(session.environment)


@pytest.mark.covers("H1", "I7")
async def test_a_conversation_that_fails_leaves_the_caller_to_the_dialplan(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def handler(session: AgiSession, path: str) -> None:
        try:
            raise KeyError("Lucía Restrepo")
        except KeyError as error:
            raise RuntimeError("born 1980-02-29") from error

    async with serving(handler) as (_, port):
        channel = await Channel.calls(HOST, port, SCRIPT)
        await channel.ended()
    assert channel.variables["HL_DONE"] == "started"
    assert "RuntimeError at test_agi_server.py" in caplog.text
    assert "because of KeyError" in caplog.text
    assert "Lucía" not in caplog.text and "1980" not in caplog.text


@pytest.mark.covers("I10")
async def test_a_hang_up_is_logged_once_and_ends_the_call(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with serving(plays) as (server, port):
        channel = await Channel.calls(HOST, port, SCRIPT, plays_s=30)
        await channel.until("STREAM FILE")
        channel.hangs_up()
        await asyncio.wait(server._calls, timeout=5)
        assert server.calls == 0
    assert caplog.text.count("the caller left") == 1
    assert channel.variables["HL_DONE"] == "started"


async def test_after_a_hang_up_no_command_is_sent() -> None:
    told: list[str] = []

    async def handler(session: AgiSession, path: str) -> None:
        for _ in range(3):
            try:
                await session.execute(agi.stream_file("a", ""))
            except CallerLeft:
                told.append("left")

    async with serving(handler) as (server, port):
        channel = await Channel.calls(HOST, port, SCRIPT, plays_s=30)
        await channel.until("STREAM FILE")
        channel.writer.write(b"200 result=-1 endpos=0\nHANGUP\n")  # AGISIGHUP=yes, and the connection stays
        await asyncio.wait(server._calls, timeout=5)
    assert told == ["left", "left"]  # the first returns -1, which of STREAM FILE may mean a missing sound, too
    assert sum(command.startswith("STREAM FILE") for command in channel.commands) == 1


@pytest.mark.parametrize(("reply", "error"), [("510 Invalid or unknown command", 510), ("520-Bad\n520 End", 520)])
async def test_a_command_that_asterisk_refuses_is_our_mistake(reply: str, error: int) -> None:
    raised: list[CommandRefused] = []

    async def handler(session: AgiSession, path: str) -> None:
        try:
            await session.execute(agi.command("SAY NOTHING"))
        except CommandRefused as refused:
            raised.append(refused)

    async with serving(handler) as (_, port):
        channel = await Channel.calls(HOST, port, SCRIPT, mute=frozenset({"SAY"}))
        await channel.until("SAY")
        channel.writer.write(reply.encode() + b"\n")
        await channel.ended()
    assert str(error) in str(raised[0]) and "SAY NOTHING" in str(raised[0])
    assert channel.variables["HL_DONE"] == "1"  # the connection was still in step


async def test_an_asterisk_that_does_not_answer_is_given_up() -> None:
    raised: list[AsteriskSilent] = []

    async def handler(session: AgiSession, path: str) -> None:
        try:
            await session.execute(agi.command("NOOP", may_take_s=0.05))
        except AsteriskSilent as silent:
            raised.append(silent)
            raise

    async with serving(handler) as (_, port):
        channel = await Channel.calls(HOST, port, SCRIPT, mute=frozenset({"NOOP"}))
        await channel.ended()
    assert "NOOP" in str(raised[0])
    assert channel.variables["HL_DONE"] == "started"


async def test_a_command_may_take_longer_than_the_one_before() -> None:
    async def handler(session: AgiSession, path: str) -> None:
        await session.execute(agi.command("NOOP", may_take_s=0.05))
        await session.execute(agi.stream_file("a", ""))

    async with serving(handler) as (_, port):
        channel = await Channel.calls(HOST, port, SCRIPT, plays_s=0.2)
        await channel.ended()
    assert channel.variables["HL_DONE"] == "1"


async def test_who_gave_up_waiting_does_not_abort_the_command_under_way() -> None:
    """Two commands at once would make Asterisk forget the first."""
    replies: list[agi.Reply] = []

    async def handler(session: AgiSession, path: str) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await session.execute(agi.stream_file("a", ""))
        replies.append(await session.execute(agi.noop()))

    async with serving(handler) as (_, port):
        channel = await Channel.calls(HOST, port, SCRIPT, plays_s=0.1)
        await channel.ended()
    assert replies == [agi.Reply(200, "0")]  # NOOP's own, not the sound's


# ── Clients that are no Asterisk ────────────────────────────────────────────────────────────────────────────────────


async def says_nothing(writer: asyncio.StreamWriter) -> None:
    """Connects, and that is all."""


async def leaves(writer: asyncio.StreamWriter) -> None:
    writer.write(b"agi_network: yes\n")
    writer.close()


async def lacks_the_secret(writer: asyncio.StreamWriter) -> None:
    writer.write(environment(HOST, "guess/inbound"))


async def has_no_script(writer: asyncio.StreamWriter) -> None:
    writer.write(b"agi_network: yes\n\n")


async def drips(writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            writer.write(b"agi_x: y\n")
            await writer.drain()
            await asyncio.sleep(0.02)
    except ConnectionError:
        return  # dropped, as it should be


async def floods(writer: asyncio.StreamWriter) -> None:
    try:
        for _ in range(64):
            writer.write(b"x" * 1_000_000)
            await writer.drain()
    except ConnectionError:
        return  # dropped, as it should be


async def has_the_secret_and_never_answers(writer: asyncio.StreamWriter) -> None:
    writer.write(environment(HOST, SCRIPT))


async def floods_after_its_greeting(writer: asyncio.StreamWriter) -> None:
    writer.write(environment(HOST, SCRIPT))
    await floods(writer)


async def speaks_http(writer: asyncio.StreamWriter) -> None:
    writer.write(f"GET /{SCRIPT} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())


@pytest.mark.parametrize(
    "client",
    [
        says_nothing,
        leaves,
        lacks_the_secret,
        has_no_script,
        drips,
        floods,
        has_the_secret_and_never_answers,
        floods_after_its_greeting,
        speaks_http,
    ],
)
@pytest.mark.covers("I10")
async def test_a_client_that_is_not_to_be_served_is_dropped_and_others_go_on(
    client: Callable[[asyncio.StreamWriter], Awaitable[None]], caplog: pytest.LogCaptureFixture
) -> None:
    served: list[str] = []

    async def handler(session: AgiSession, path: str) -> None:
        served.append(path)
        await session.execute(agi.stream_file("a", ""))

    async with serving(handler) as (server, port):
        lucia = await Channel.calls(HOST, port, SCRIPT, plays_s=0.5)  # longer than the other may stay
        await lucia.until("STREAM FILE")
        reader, writer = await asyncio.open_connection(HOST, port)
        nuisance = asyncio.create_task(client(writer))  # type: ignore[arg-type]
        await dropped(reader)
        await lucia.ended()
        await nuisance
        assert lucia.variables["HL_DONE"] == "1"
        assert server.calls == 0
        writer.close()
    assert served == ["inbound"]  # Lucía's alone
    assert "dropped a client" in caplog.text
    assert SECRET not in caplog.text and "guess" not in caplog.text


@pytest.mark.parametrize("script", ["", "inbound", "3f2a9/inbound", "3f2a9cc/inbound", "/inbound", "3F2A9C/inbound"])
async def test_without_the_secret_not_one_command_is_sent(script: str) -> None:
    async with serving(nothing_to_say) as (_, port):
        channel = await Channel.calls(HOST, port, script)  # speaks AGI as well as Asterisk does
        await channel.ended()
    assert channel.commands == []


# ── The end of the server ───────────────────────────────────────────────────────────────────────────────────────────


async def test_a_stop_lets_calls_end_and_takes_no_new_ones() -> None:
    async with serving(plays) as (server, port):
        channel = await Channel.calls(HOST, port, SCRIPT, plays_s=0.2)
        await channel.until("STREAM FILE")
        stopping = asyncio.create_task(server.stop(grace_s=5))
        await asyncio.sleep(0)
        with pytest.raises(OSError):
            await asyncio.open_connection(HOST, port)
        await stopping
        await channel.ended()
    assert channel.variables["HL_DONE"] == "1"


@pytest.mark.covers("H1")
async def test_a_call_that_outlives_the_grace_goes_back_to_the_dialplan(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(plays) as (server, port):
        channel = await Channel.calls(HOST, port, SCRIPT, plays_s=30)
        await channel.until("STREAM FILE")
        await server.stop(grace_s=0.05)
        assert server.calls == 0
        channel.presses("1")
        await channel.ended()
    assert channel.variables["HL_DONE"] == "started"
    assert "cut off by our stop" in caplog.text
