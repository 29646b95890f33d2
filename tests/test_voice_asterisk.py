"""Voice turns on a real Asterisk, with real phones and real voice activity; what is understood is written down here.

What AudioSocket() does, which docs/decisions/0012-voice-turns.md relies on, is shown in the first part.
"""

import asyncio
import contextlib
import itertools
import re
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ivr.call import Call, Key, Keys, Prompt, Speech
from speech.ears import Ears, EarsFailed, Grammar, Understood
from tests.agi_stand_in import AgiTalk, ivr_that
from tests.asterisk_instance import AsteriskInstance, to_16k
from tests.listening import prompt
from tests.phone import Phone, PhoneFailed
from tests.voice_house import calls_with_ears

pytestmark = pytest.mark.asterisk

GRAMMAR = Grammar("en", {"1": ("book an appointment",), "2": ("my appointments",)})
TURN = "7c1d9c0e-5b0f-4a55-8c53-0d7f2f1f9a11"
PORT = 4600  # of this test's own AudioSocket peers

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


# ── What Asterisk does ──────────────────────────────────────────────────────────────────────────────────────────────


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(19 + 323)
    writer.write(b"\0\0\0")
    await reader.read()
    writer.close()


async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(19 + 323)
    writer.close()


async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(19 + 323)
    writer.transport.abort()


async def tells_an_error(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(19 + 323)
    writer.write(b"\xff\0\x01\x01")
    await reader.read()
    writer.close()


@pytest.mark.parametrize(
    ("peer", "result"), [(hangs_up, "0"), (closes, "0"), (dies, "0"), (tells_an_error, "-1"), (None, "-1")]
)
@pytest.mark.covers("H1")
async def test_however_a_stream_ends_the_script_goes_on(
    asterisk: AsteriskInstance, peer: Peer | None, result: str
) -> None:
    said: list[str] = []

    async def conduct(talk: AgiTalk) -> None:
        await talk.takes_over()
        said.append(await talk.says(f'EXEC AudioSocket "{TURN},{asterisk.address}:{PORT}"'))
        said.append(await talk.says("STREAM FILE /hotline/sounds/en/static/goodbye 0"))
        await talk.says("SET VARIABLE HL_NEXT hangup")
        await talk.says("SET VARIABLE HL_DONE 1")

    async with contextlib.AsyncExitStack() as stack:
        if peer is not None:
            await stack.enter_async_context(await asyncio.start_server(peer, asterisk.address, PORT))
        await stack.enter_async_context(ivr_that(asterisk, conduct))
        lucia = await stack.enter_async_context(await asterisk.phone("lucia"))
        await lucia.dials("600")
        await lucia.hears(asterisk.sound("goodbye"))
        await lucia.hung_up()
    assert said[0] == f"200 result={result}"
    assert said[1].startswith("200 result=0")
    await asterisk.no_channels()


# ── Calls with ears ─────────────────────────────────────────────────────────────────────────────────────────────────


class WrittenEars:
    """Real ones but for what they understand."""

    def __init__(self, *answers: Understood | Exception) -> None:
        self._answers = iter(answers)
        self.seconds: list[float] = []  # of the utterances

    def hears(self, language: str) -> bool:
        return True

    def enough(self, language: str) -> float:
        return 4.0

    def writes(self, language: str) -> bool:
        return True

    async def closed(self, pcm: bytes, rate: int, grammar: Grammar) -> Understood:
        self.seconds.append(len(pcm) / 2 / rate)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def open(self, pcm: bytes, rate: int, language: str) -> Understood:
        raise AssertionError("nothing asks for free words here")


@asynccontextmanager
async def hearing(
    asterisk: AsteriskInstance, ears: Ears, dialogue: Callable[[Call], Awaitable[object]]
) -> AsyncIterator[Phone]:
    """Lucía's phone; whoever calls 600 talks to `dialogue`."""
    async with calls_with_ears(asterisk, ears, dialogue), await asterisk.phone("lucia") as lucia:
        yield lucia
    await asterisk.no_channels()


@pytest.fixture(scope="session")
def appointment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody says what they want; with silence behind it, as people who wait for an answer do."""
    folder = tmp_path_factory.mktemp("said")
    said = ["espeak-ng", "-v", "en", "-s", "150", "--stdout", "I would like to book an appointment"]
    target = folder / "appointment.sln16"
    to_16k(subprocess.run(said, capture_output=True, check=True).stdout, target)
    target.write_bytes(target.read_bytes() + bytes(2 * 16000 * 2))
    return target


async def test_speech_stops_the_prompt_and_is_the_answer(asterisk: AsteriskInstance, appointment: Path) -> None:
    heard: list[object] = []
    ears = WrittenEars(*[Understood("1", 6.0)] * 3)

    async def dialogue(call: Call) -> None:
        heard.append(await call.play(Prompt("ivr_down_menu"), Keys("12", grammar=GRAMMAR)))
        await call.inform("goodbye")

    async with hearing(asterisk, ears, dialogue) as lucia:
        await lucia.dials("600")
        began = await lucia.hears(asterisk.sound("ivr_down_menu"))
        await lucia.speaks(appointment)
        ended = await lucia.hears(asterisk.sound("goodbye"))
        await lucia.hung_up()
    assert heard == [Speech("1", 6.0, 4.0)]
    assert ears.seconds[-1] > 1.0  # the whole sentence
    whole = len(prompt(asterisk.sound("ivr_down_menu"))) / 8000
    assert ended - began < whole + 4  # it was not said to its end and then waited for


@pytest.mark.covers("H39")
async def test_no_key_is_lost_around_voice_turns(asterisk: AsteriskInstance) -> None:
    keys, heard = "123456789*05", list[object]()

    async def dialogue(call: Call) -> None:
        for _ in keys:
            heard.append(await call.play(Prompt("ivr_down_menu"), Keys("12", grammar=GRAMMAR)))
        await call.inform("goodbye")

    async with tones(asterisk) as arrived, hearing(asterisk, WrittenEars(), dialogue) as lucia:
        await lucia.dials("600")
        await lucia.hears(asterisk.sound("ivr_down_menu"))
        await lucia.presses(keys, gap=0.25)
        await lucia.hears(asterisk.sound("goodbye"))
        await lucia.hung_up()
        if arrived() != keys:
            raise PhoneFailed(f"of {keys} only {arrived()} came to Asterisk")  # lost on its way from the test's phone
    assert heard == [Key(key) for key in keys]


@asynccontextmanager
async def tones(asterisk: AsteriskInstance) -> AsyncIterator[Callable[[], str]]:
    """What Asterisk itself says that its phones have pressed inside the block."""
    log = asterisk.folder / "log" / "tones"
    await asterisk.cli(f"logger add channel {log.name} dtmf")
    try:
        yield lambda: "".join(re.findall(r"DTMF end '(.)' received", log.read_text()))
    finally:
        await asterisk.cli(f"logger remove channel {log.name}")
        log.unlink()


@pytest.mark.covers("H1")
async def test_ears_that_fail_leave_the_caller_with_the_keys(asterisk: AsteriskInstance, appointment: Path) -> None:
    heard: list[object] = []
    ears = WrittenEars(*itertools.repeat(EarsFailed("its worker died"), 3))

    async def dialogue(call: Call) -> None:
        heard.append(await call.play(Prompt("ivr_down_menu"), Keys("12", grammar=GRAMMAR)))
        await call.inform("goodbye")

    async with hearing(asterisk, ears, dialogue) as lucia:
        await lucia.dials("600")
        await lucia.hears(asterisk.sound("ivr_down_menu"))
        await lucia.speaks(appointment)
        await lucia.hears(asterisk.sound("ivr_down_menu"))  # the same question
        await lucia.presses("2")
        await lucia.hears(asterisk.sound("goodbye"))
        await lucia.hung_up()
    assert heard == [Key("2")]


@pytest.mark.covers("I10")
async def test_a_hang_up_in_a_voice_turn_leaves_no_channel(asterisk: AsteriskInstance) -> None:
    async def dialogue(call: Call) -> None:
        await call.play(Prompt("ivr_down_menu"), Keys("12", grammar=GRAMMAR))

    async with hearing(asterisk, WrittenEars(), dialogue) as lucia:
        await lucia.dials("600")
        await lucia.hears(asterisk.sound("ivr_down_menu"))
        await asterisk.shows("1 active channel\n", "core show channels count")  # a voice turn is no channel of its own
        await lucia.hangs_up()
        await asterisk.no_channels()
