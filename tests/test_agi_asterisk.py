"""Our FastAGI server on a real Asterisk, with real phones: what the simulated one is believed for."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ivr import agi
from ivr.agi_call import agi_call
from ivr.call import Call, Digits, DigitsOf, Keys, Prompt
from ivr.conversation import converse
from ivr.server import AgiServer
from ivr.session import AgiSession, CommandRefused
from ivr.turn import Recorded
from scripts.placeholders import Value
from speech.tones import BEEP
from tests import listening
from tests.agi_stand_in import AgiTalk, ivr_that
from tests.asterisk_instance import AsteriskInstance
from tests.late import LATE, in_time
from tests.pyst2_peer import pyst2_on

pytestmark = pytest.mark.asterisk


class StaticVoice:
    """The prompts that are there already."""

    async def sound(self, key: str, language: str, params: Mapping[str, Value], pace: float) -> str:
        return f"/hotline/sounds/en/static/{key}"

    ahead = sound


class Late:
    """A session on a machine that has much to do: each reply is seen so many seconds late."""

    def __init__(self, session: AgiSession, late_s: float) -> None:
        self._session, self._late_s = session, late_s
        self.id, self.environment = session.id, session.environment

    async def execute(self, command: agi.Command) -> agi.Reply:
        reply = await self._session.execute(command)
        if self._late_s:
            await asyncio.sleep(self._late_s)
        return reply


class Notebook:
    def __init__(self) -> None:
        self.kinds: list[str] = []

    async def step(self, kind: str, **facts: object) -> None:
        self.kinds.append(kind)


@asynccontextmanager
async def conversing(
    asterisk: AsteriskInstance, dialogue: Callable[[Call], Awaitable[object]], late_s: float = 0.0
) -> AsyncIterator[tuple[AgiServer, Notebook]]:
    """Whoever calls 600 talks to `dialogue`. `late_s`: how late a machine with much to do sees each reply."""
    notebook = Notebook()

    async def handler(session: AgiSession, path: str) -> None:
        async with agi_call(Late(session, late_s), StaticVoice(), notebook, node="n1", country="CO") as call:
            await converse(call, dialogue)

    async with AgiServer(handler, asterisk.plan.agi_secret, asterisk.address, asterisk.plan.agi_port) as server:
        yield server, notebook
        await server.stop(grace_s=5)
    await asterisk.no_channels()


@asynccontextmanager
async def executing(asterisk: AsteriskInstance) -> AsyncIterator[AgiSession]:
    """The bare session of Lucía's call, for a test that sends its own commands. She hangs up at the end."""
    sessions: asyncio.Queue[AgiSession] = asyncio.Queue()
    done = asyncio.Event()

    async def handler(session: AgiSession, path: str) -> None:
        sessions.put_nowait(session)
        await done.wait()
        await session.execute(agi.set_variable("HL_NEXT", "hangup"))

    async with AgiServer(handler, asterisk.plan.agi_secret, asterisk.address, asterisk.plan.agi_port) as server:
        async with await asterisk.phone("lucia") as lucia:
            await lucia.dials("600")
            yield await asyncio.wait_for(sessions.get(), 5)
            done.set()
            await lucia.hung_up()
        await server.stop(grace_s=5)
    await asterisk.no_channels()


# ── The caller leaves ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("I10")
async def test_a_hang_up_in_the_middle_of_a_prompt(
    asterisk: AsteriskInstance, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def dialogue(call: Call) -> None:
        await call.say("ivr_down_menu")
        await call.journal.step("never")

    async with conversing(asterisk, dialogue) as (server, notebook), await asterisk.phone("lucia") as lucia:
        await lucia.dials("600")
        await lucia.hears(asterisk.sound("ivr_down_menu"))
        await lucia.hangs_up()
        await asterisk.no_channels()  # no zombie
        await server.stop(grace_s=5)
        assert notebook.kinds == ["caller_left"]
        assert caplog.text.count("the caller left") == 1


@pytest.mark.covers("I10")
async def test_a_hang_up_while_the_dialogue_thinks_leaves_no_channel(asterisk: AsteriskInstance) -> None:
    thinking = asyncio.Event()

    async def dialogue(call: Call) -> None:
        await call.say("please_wait")
        await call.journal.step("thinking")
        await thinking.wait()
        await call.journal.step("decided")
        await call.say("goodbye")

    async with conversing(asterisk, dialogue) as (server, notebook), await asterisk.phone("lucia") as lucia:
        await lucia.dials("600")
        await lucia.hears(asterisk.sound("please_wait"))
        await until(lambda: "thinking" in notebook.kinds)
        await lucia.hangs_up()
        await asterisk.no_channels()  # although the dialogue still thinks
        thinking.set()
        await server.stop(grace_s=5)
        assert notebook.kinds == ["turn", "thinking", "decided", "caller_left"]


# ── Keys ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_key_stops_the_prompt_and_those_after_it_are_kept(asterisk: AsteriskInstance) -> None:
    heard: list[object] = []

    async def dialogue(call: Call) -> None:
        heard.append(await call.menu("ivr_down_menu", keys="123"))
        heard.append(await call.digits("callback_number", length=4))
        heard.append(await call.menu("queue_callback_offer", keys="12"))
        await call.inform("goodbye")

    async with conversing(asterisk, dialogue), await asterisk.phone("lucia") as lucia:
        await lucia.dials("600")
        await lucia.hears(asterisk.sound("ivr_down_menu"))
        await lucia.presses("340262", gap=0.25)
        await lucia.hears(asterisk.sound("goodbye"), within=5)  # none of the prompts between
        await lucia.hung_up()
    assert heard == ["3", "4026", "2"]


@pytest.mark.covers("H39")
@pytest.mark.parametrize(("late_s", "keys"), [(0.0, "471936"), (0.08, "47193604719360471936")])
async def test_keys_pressed_while_the_dialogue_thinks_are_kept(
    asterisk: AsteriskInstance, late_s: float, keys: str
) -> None:
    """Asterisk throws away what is pressed between two commands; on a slow machine there is time between them."""
    heard: list[object] = []
    thinking = asyncio.Event()

    async def dialogue(call: Call) -> None:
        await call.say("please_wait")
        await call.journal.step("thinking")
        await thinking.wait()
        heard.append(await call.play(Prompt("callback_number"), DigitsOf(len(keys), len(keys))))

    async with conversing(asterisk, dialogue, late_s) as (_, notebook), await asterisk.phone("lucia") as lucia:
        await lucia.dials("600")
        await until(lambda: "thinking" in notebook.kinds)
        await lucia.presses(keys, gap=0.25)
        await lucia.hears_nothing(during=0.5)  # the last tone is over, and no prompt has begun
        thinking.set()
        await lucia.hung_up()
    assert heard == [Digits(keys)]


@pytest.mark.covers("H52")
async def test_what_must_be_heard_goes_on_where_a_key_stopped_it(asterisk: AsteriskInstance) -> None:
    heard: list[object] = []

    async def dialogue(call: Call) -> None:
        await call.must_hear("ivr_down_menu")
        await call.journal.step("informed")
        heard.append(await call.play(Prompt("goodbye"), Keys("12")))

    async with conversing(asterisk, dialogue) as (_, notebook), await asterisk.phone("lucia") as lucia:
        await lucia.dials("600")
        begun = await lucia.hears(asterisk.sound("ivr_down_menu"))
        await lucia.presses("2")
        await until(lambda: "informed" in notebook.kinds, within=15)
        lasted = lucia.position / 8000 - begun
        await lucia.hung_up()
    lasts = asterisk.sound("ivr_down_menu").stat().st_size / 2 / 16000
    assert lasts - 0.5 < lasted < lasts + 1.5
    assert [repr(key) for key in heard] == ["Key(key='2')"]


@pytest.mark.covers("H39")
async def test_a_key_stops_a_notice_at_once_and_is_kept(asterisk: AsteriskInstance, tmp_path: Path) -> None:
    """How long it was played is told by where the next prompt begins."""
    heard: list[object] = []

    async def dialogue(call: Call) -> None:
        heard.append(await call.menu("please_wait", keys="1"))
        await call.inform("ivr_down_menu")
        heard.append(await call.menu("queue_callback_offer", keys="12"))
        heard.append(await call.menu("callback_number", keys="12"))
        await call.inform("goodbye")

    async with conversing(asterisk, dialogue), await asterisk.phone("lucia") as lucia:
        await lucia.dials("600")
        await lucia.hears(asterisk.sound("please_wait"))
        await lucia.presses("1")
        begun = await lucia.hears(beginning(asterisk.sound("ivr_down_menu"), tmp_path))
        await lucia.presses("2")
        lasted = await lucia.hears(asterisk.sound("callback_number")) - begun
        await lucia.presses("1")
        await lucia.hears(asterisk.sound("goodbye"), within=5)
        await lucia.hung_up()
    lasts = asterisk.sound("ivr_down_menu").stat().st_size / 2 / 16000
    assert lasted < lasts - 1
    assert heard == ["1", "2", "1"]


# ── Traps of the protocol ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H30")
async def test_keys_during_the_beep_end_no_recording(asterisk: AsteriskInstance, tmp_path: Path) -> None:
    """Its tone is a long one here, so that the keys fall into it for certain."""
    beep = asterisk.sounds / BEEP
    beep.write_bytes(asterisk.sound("ivr_down_menu").read_bytes())
    said, kept, ended = asterisk.sound("callback_number"), asterisk.spool / "said.wav", list[Recorded]()

    async def dialogue(call: Call) -> None:
        ended.append(await call.line.record("/hotline/spool/said.wav", "#", 30, 20))

    try:
        async with conversing(asterisk, dialogue), await asterisk.phone("lucia") as lucia:
            await lucia.dials("600")
            await lucia.hears(beginning(beep, tmp_path))
            await lucia.presses("#5#1", gap=0.1)
            assert not kept.exists(), f"{LATE}: the keys were to come before the tone ends"
            await until(kept.exists, within=20)
            await lucia.speaks(said)
            await lucia.presses("#")
            await lucia.hung_up()
    finally:
        beep.unlink()
    assert ended == [Recorded("#")]
    assert listening.find(listening.recorded(kept), listening.prompt(said)) is not None


@pytest.mark.covers("H1")
async def test_a_missing_sound_brings_the_apology_and_a_person(asterisk: AsteriskInstance) -> None:
    async def dialogue(call: Call) -> None:
        await call.say("no_such_sound")

    async with await asterisk.phone("lucia") as lucia, await asterisk.phone("desk") as desk:
        async with conversing(asterisk, dialogue) as (_, notebook):
            await lucia.dials("600")
            await lucia.hears(asterisk.sound("apology", "es"))
            await desk.rings()
            await lucia.hangs_up()
        assert notebook.kinds == ["failed"]


@pytest.mark.parametrize(
    "value", ['say "hello"', "back\\slash", "a, b; ${EXTEN} $[1+1]", "Lucía 李", " x ", "", "x" * 1000]
)
async def test_asterisk_reads_a_value_as_it_was_given(asterisk: AsteriskInstance, value: str) -> None:
    async with executing(asterisk) as session:
        await session.execute(agi.set_variable("HL_TEST", value))
        reply = await session.execute(agi.command("GET VARIABLE", "HL_TEST"))
        assert (reply.data or "") == value


async def test_the_longest_command_that_we_send_is_one_command(asterisk: AsteriskInstance) -> None:
    async with executing(asterisk) as session:
        room = agi.MOST_COMMAND - len(agi.set_variable("HL_TEST", "").line)
        await session.execute(agi.set_variable("HL_TEST", "x" * room))
        reply = await session.execute(agi.command("GET FULL VARIABLE", "${LEN(${HL_TEST})}"))
        assert reply.data == str(room)
        assert await session.execute(agi.noop()) == agi.Reply(200, "0")  # in step


async def test_what_asterisk_refuses_leaves_the_connection_in_step(asterisk: AsteriskInstance) -> None:
    async with executing(asterisk) as session:
        with pytest.raises(CommandRefused, match="510"):
            await session.execute(agi.command("SING"))
        with pytest.raises(CommandRefused, match="520"):
            await session.execute(agi.command("SET VARIABLE", "too_few"))
        assert await session.execute(agi.noop()) == agi.Reply(200, "0")


async def test_a_second_command_aborts_the_first_without_a_reply(asterisk: AsteriskInstance) -> None:
    """Why the protocol core refuses it."""
    replies: list[str] = []

    async def conduct(talk: AgiTalk) -> None:
        await talk.takes_over()
        talk.writer.write(b'STREAM FILE /hotline/sounds/en/static/ivr_down_menu ""\n')
        await asyncio.sleep(0.3)  # it plays
        replies.append(await talk.says("NOOP second"))
        replies.append(await talk.says("NOOP third"))
        await talk.says("SET VARIABLE HL_NEXT hangup")
        await talk.says("SET VARIABLE HL_DONE 1")

    async with ivr_that(asterisk, conduct), await asterisk.phone("lucia") as lucia:
        await lucia.dials("600")
        await lucia.hung_up()
    assert replies == ["200 result=0", "200 result=0"]  # with an endpos it would be the sound's


async def test_a_longer_command_would_be_two(asterisk: AsteriskInstance) -> None:
    """Why we refuse to send one."""
    replies: list[str] = []

    async def conduct(talk: AgiTalk) -> None:
        await talk.takes_over()
        command = 'SET VARIABLE "HL_TEST" "'
        replies.append(await talk.says(command + "x" * (agi.MOST_COMMAND - len(command) - 1) + '"HANGUP'))
        replies.append((await talk.reader.readline()).decode().strip())
        await talk.says("SET VARIABLE HL_NEXT hangup")
        await talk.says("SET VARIABLE HL_DONE 1")

    async with ivr_that(asterisk, conduct), await asterisk.phone("lucia") as lucia:
        await lucia.dials("600")
        await lucia.hung_up()
    assert replies == ["200 result=1", "200 result=1"]  # the second is HANGUP's


# ── Who else connects ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("I10")
async def test_megabytes_to_the_port_do_not_touch_a_call(asterisk: AsteriskInstance) -> None:
    async def dialogue(call: Call) -> None:
        await call.menu("ivr_down_menu", keys="1")
        await call.inform("goodbye")

    async with conversing(asterisk, dialogue), await asterisk.phone("lucia") as lucia:
        await lucia.dials("600")
        await lucia.hears(asterisk.sound("ivr_down_menu"))
        await asyncio.gather(*(flood(asterisk.address, asterisk.plan.agi_port) for _ in range(8)))
        await lucia.presses("1")
        await lucia.hears(asterisk.sound("goodbye"), within=5)
        await lucia.hung_up()


# ── Another author's script ─────────────────────────────────────────────────────────────────────────────────────────

COMMANDS = [
    ("NOOP",),
    ("SET VARIABLE", "HL_TEST", "two words"),
    ("GET VARIABLE", "HL_TEST"),
    ("GET VARIABLE", "HL_NOT_THERE"),
    ("CHANNEL STATUS",),
    ("WAIT FOR DIGIT", "50"),
    ("STREAM FILE", "/hotline/sounds/en/static/please_wait", "123"),
    ("GET DATA", "/hotline/sounds/en/static/please_wait", "50", "4"),
    ("DATABASE GET", "hl_callback", "nobody"),
]


async def test_pyst2_gets_the_same_replies(asterisk: AsteriskInstance) -> None:
    async with executing(asterisk) as session:
        ours = [await session.execute(agi.command(*command, may_take_s=15)) for command in COMMANDS]
    hers: list[object] = []

    def script(connection: socket.socket) -> None:
        with connection:
            peer = pyst2_on(connection)
            peer.set_autohangup(0)  # else the dialplan takes the caller back from an ivr that stays silent
            hers.extend(peer.reply(*command) for command in COMMANDS)
            peer.set_variable("HL_NEXT", "hangup")
            peer.set_variable("HL_DONE", "1")

    with socket.create_server((asterisk.address, asterisk.plan.agi_port)) as listening:
        async with await asterisk.phone("lucia") as lucia:
            await lucia.dials("600")
            connection, _ = await asyncio.to_thread(listening.accept)
            await asyncio.to_thread(script, connection)
            await lucia.hung_up()
    # `result= (timeout)` is what pyst2's expression doesn't see.
    assert [(reply.result, reply.data or "") for reply in ours if reply.data != "timeout"] == [
        theirs for theirs, reply in zip(hers, ours, strict=True) if reply.data != "timeout"
    ]


def beginning(sound: Path, folder: Path) -> Path:
    """The first second and a half of it: who hears it is early for what is to happen while it is played."""
    part = folder / f"beginning-of-{sound.name}"
    part.write_bytes(sound.read_bytes()[: 2 * 24_000])
    return part


async def until(happened: Callable[[], bool], within: float = 15) -> None:
    async with in_time(within, "what it waits for"):
        while not happened():  # noqa: ASYNC110 - a list that the dialogue writes has no event
            await asyncio.sleep(0.02)


async def flood(host: str, port: int) -> None:
    """Sends up to 64 MB; returns when it was dropped, fails if it wasn't within 5 s."""
    reader, writer = await asyncio.open_connection(host, port)
    async with asyncio.timeout(5):
        try:
            for _ in range(64):
                writer.write(b"x" * 1_000_000)
                await writer.drain()
            await reader.read()
        except ConnectionError:
            return  # dropped, as it should be
        finally:
            writer.close()
