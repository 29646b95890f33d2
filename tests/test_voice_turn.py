"""A question by voice: what stops the prompt, what counts as the answer, and what is done when the ears fail.

The caller's frames are marked (`BEGAN`, `PAUSED` …), so that it is the test that says when somebody speaks; real voice
activity is shown in tests/test_voice_calls.py.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from ivr.agi_call import agi_call
from ivr.audio_server import AudioServer
from ivr.call import Call, Key, Keys, Prompt, Silence, Speech
from ivr.conversation import converse
from ivr.leaving import NotAPerson
from ivr.listening import RECOGNITION_S, SPEAKING_S, Activity, Answer, Late, Listening, Order, Recognise
from ivr.phrasebook import Phrasebook
from ivr.server import AgiServer
from ivr.session import AgiSession
from ivr.voice_line import VoiceLine, _completing
from scripts.placeholders import Value
from speech.ears import Ears, EarsFailed, Grammar, Understood
from speech.ears.activity import Heard, VoiceActivity
from tests.listening import line_noise
from tests.simulated_asterisk import Channel

HOST, SECRET = "127.0.30.1", "3f2a9c"
SOUND = bytes(320)
BEGAN, PAUSED, RESUMED, ENDED = (bytes([mark]) + bytes(319) for mark in (1, 2, 3, 4))
PERHAPS = bytes([9]) + bytes(319)
SAYS = {1: Heard.BEGAN, 2: Heard.PAUSED, 3: Heard.RESUMED, 4: Heard.ENDED}
GRAMMAR = Grammar("es", {"1": ("una cita",), "2": ("mis citas",)})
CITA = Understood("1", 6.0)
ENOUGH = 4.0
LENGTHS = {"some": 17, "long": 167}  # times 60 ms


class Marked:
    """Voice activity that is told by the frames themselves."""

    def __init__(self) -> None:
        self.utterance = b""
        self.suspecting = False

    def feed(self, frame: bytes, sent: bytes = b"") -> Heard | None:
        self.suspecting = frame == PERHAPS
        self.utterance += frame[:1]
        return SAYS.get(frame[0])

    def forget(self, patience_s: float | None = None) -> None:
        self.utterance = b""


class Counting(VoiceActivity):
    """The real one, that knows how many frames it was fed."""

    fed = 0

    def feed(self, frame: bytes, sent: bytes = b"") -> Heard | None:
        self.fed += 1
        return super().feed(frame, sent)


def listening() -> Listening:
    return Listening(Marked(), 7.0, ENOUGH)


# ── The rules ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_speech_stops_the_prompt_and_the_engine_is_asked_before_the_end() -> None:
    turn = listening()
    assert turn.sound(SOUND, b"", 0.0) == []
    assert turn.sound(BEGAN, b"", 0.1) == [Order.STOP_PROMPT]
    assert turn.sound(PAUSED, b"", 1.0) == [Recognise(b"\0\1\2")]
    assert turn.understood(CITA) == []  # it may go on
    assert turn.sound(ENDED, b"", 1.3) == [Answer(Speech("1", 6.0, ENOUGH))]


def test_a_complete_answer_needs_less_silence() -> None:
    complete = _completing(Grammar("es", {"1": ("una cita",), "2": ("no",), "3": ("no sé",)}), ENOUGH)
    for understood, at_once in ((CITA, True), (Understood("1", 3.9), False), (Understood("2", 9.0), False)):
        turn = Listening(Marked(), 7.0, ENOUGH, complete=complete)
        turn.sound(BEGAN, b"", 0.0)
        turn.sound(PAUSED, b"", 1.0)
        assert turn.understood(understood) == []
        assert turn.sound(SOUND, b"", 1.2) == []  # it may go on
        answer = [Answer(Speech(understood.label, understood.margin, ENOUGH))]
        assert turn.sound(SOUND, b"", 1.25) == (answer if at_once else [])  # after "no" may come "sé"


def test_an_answer_that_comes_after_the_end_is_waited_for() -> None:
    turn = listening()
    for frame in (BEGAN, PAUSED, ENDED):
        orders = turn.sound(frame, b"", 1.0)
    assert orders == []
    assert turn.understood(CITA) == [Answer(Speech("1", 6.0, ENOUGH))]


def test_speech_that_goes_on_makes_the_engine_begin_anew() -> None:
    turn = listening()
    turn.sound(BEGAN, b"", 0.0)
    turn.sound(PAUSED, b"", 1.0)
    turn.understood(CITA)  # of the first half
    assert turn.sound(RESUMED, b"", 1.1) == [Order.FORGET]
    assert turn.sound(PAUSED, b"", 2.0) == [Recognise(b"\1\2\3\2")]
    assert turn.sound(ENDED, b"", 2.3) == []
    assert turn.understood(Understood("2", 5.0)) == [Answer(Speech("2", 5.0, ENOUGH))]


def test_an_utterance_that_never_pauses_is_understood_at_its_end() -> None:
    turn = listening()
    turn.sound(BEGAN, b"", 0.0)
    assert turn.sound(ENDED, b"", 15.0) == [Recognise(b"\1\4")]


def test_a_key_beats_what_is_said() -> None:
    turn = listening()
    for frame in (BEGAN, PAUSED, ENDED):
        turn.sound(frame, b"", 1.0)
    assert turn.key("2")[-1] == Answer(Key("2"))


def test_silence_is_counted_from_the_end_of_the_prompt() -> None:
    turn = listening()
    assert turn.deadline is None  # while it is spoken
    turn.prompt_over(20.0)
    assert turn.deadline == 27.0
    assert turn.tick(26.9) == []
    assert turn.tick(27.0) == [Answer(Silence())]


def test_who_speaks_is_not_hurried_by_the_end_of_the_prompt() -> None:
    turn = listening()
    turn.sound(BEGAN, b"", 19.0)
    turn.prompt_over(19.0)
    assert turn.deadline == 19.0 + SPEAKING_S
    assert turn.tick(19.0 + SPEAKING_S) == [Answer(Silence())]  # the line brings no more sound


def test_an_engine_that_takes_too_long_is_late() -> None:
    turn = listening()
    turn.sound(BEGAN, b"", 0.0)
    turn.sound(ENDED, b"", 1.0)
    assert turn.deadline == 1.0 + RECOGNITION_S
    with pytest.raises(Late):
        turn.tick(1.0 + RECOGNITION_S)


# ── A call with ears ────────────────────────────────────────────────────────────────────────────────────────────────


class Voice:
    """Each prompt is 60 ms of its own byte, but "some", which is a second, and "long", which is ten."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def sound(self, key: str, language: str, params: Mapping[str, Value], pace: float) -> str:
        if key == "broken":
            raise OSError("no space for Lucía")
        return f"/s/{language}/{key}"

    def local(self, sound: str) -> Path:
        key = sound.rpartition("/")[2]
        path = self.folder / key
        path.with_suffix(".sln").write_bytes(pcm(key) * LENGTHS.get(key, 1))
        return path


def pcm(key: str) -> bytes:
    return key[:1].encode() * 960


class ScriptedEars:
    """Answers in order; what is no answer is raised. `held` keeps them back."""

    def __init__(self, *answers: Understood | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[bytes] = []
        self.cancelled = 0
        self.free = asyncio.Event()
        self.free.set()

    def hears(self, language: str) -> bool:
        return language == "es"

    def enough(self, language: str) -> float:
        return ENOUGH

    def writes(self, language: str) -> bool:
        return True

    async def closed(self, pcm: bytes, rate: int, grammar: Grammar) -> Understood:
        assert (rate, grammar) == (8000, GRAMMAR)
        self.asked.append(pcm)
        try:
            await self.free.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def open(self, pcm: bytes, rate: int, language: str) -> Understood:
        raise AssertionError("nothing asks for free words here")


class Notebook:
    def __init__(self) -> None:
        self.steps: list[tuple[str, dict[str, object]]] = []

    async def step(self, kind: str, **facts: object) -> None:
        self.steps.append((kind, facts))


class Talk:
    """Lucía's call: what the dialogue heard, and her channel."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        self.notebook = Notebook()
        self.channel: Channel
        self.audio: AudioServer


@asynccontextmanager
async def asking(
    folder: Path, ears: ScriptedEars, *questions: str, wait_s: float = 7.0, no_sound: bool = False
) -> AsyncIterator[Talk]:
    """Asks each question once; at the end of the block the call has ended."""
    talk = Talk()

    async def dialogue(call: Call) -> None:
        for question in questions:
            talk.heard.append(await call.play(Prompt(question), Keys("12", wait_s, GRAMMAR)))

    async with talking(folder, ears, dialogue, talk, no_sound):
        yield talk


@asynccontextmanager
async def talking(
    folder: Path,
    ears: Ears | None,
    dialogue: Callable[[Call], Awaitable[object]],
    talk: Talk,
    no_sound: bool = False,
    language: str = "es",
    phrases: Phrasebook | None = None,
    activity: Callable[[], Activity] = Marked,
) -> AsyncIterator[None]:
    async with AudioServer(HOST, 0) as talk.audio:

        async def handler(session: AgiSession, path: str) -> None:
            voice = Voice(folder)
            line = VoiceLine(session, voice, voice.local, ears, talk.audio, activity)
            async with agi_call(
                session, voice, talk.notebook, node="n1", country="CO", language=language, line=line, phrases=phrases
            ) as call:
                await converse(call, dialogue)

        async with AgiServer(handler, SECRET, HOST, 0) as server:
            assert server._server is not None
            port = server._server.sockets[0].getsockname()[1]
            talk.channel = await Channel.calls(HOST, port, f"{SECRET}/inbound", no_sound=no_sound)
            yield
            await talk.channel.ended()
            await server.stop(grace_s=5)


async def test_the_prompt_is_heard_and_what_is_said_is_the_answer(tmp_path: Path) -> None:
    async with asking(tmp_path, ScriptedEars(CITA), "hello") as talk:
        await talk.channel.until_heard(pcm("hello"))
        await talk.channel.speaks(SOUND, BEGAN, PAUSED, ENDED)
    assert talk.heard == [Speech("1", 6.0, ENOUGH)]
    assert not any(command.startswith("STREAM") for command in talk.channel.commands[:3])
    assert talk.notebook.steps[0] == ("turn", {"said": ["hello"], "speech": "1", "speech_margin": 6.0})


async def test_speech_stops_the_prompt(tmp_path: Path) -> None:
    async with asking(tmp_path, ScriptedEars(CITA), "long", "next") as talk:
        await talk.channel.until_heard(b"l" * 640)
        await talk.channel.speaks(BEGAN)
        await talk.channel.until_heard(b"l" * 320 + bytes(640))  # silence after a piece of the prompt
        heard = talk.channel.heard.count(b"l")
        await talk.channel.speaks(PAUSED, ENDED)
        await talk.channel.until_heard(pcm("next"))
        talk.channel.presses("2")
    assert heard < len(pcm("long")) * 20
    assert talk.heard == [Speech("1", 6.0, ENOUGH), Key("2")]


async def test_ten_minutes_of_noise_are_no_answer_and_a_key_still_is(tmp_path: Path) -> None:
    """As fast as the turn takes it: nothing is asked of the ears, the question stands, and a key answers it."""
    ears, talk, ear = ScriptedEars(), Talk(), Counting()
    noise = (line_noise(600, 8000) * 32767).astype("<i2").tobytes()

    async def dialogue(call: Call) -> None:
        talk.heard.append(await call.play(Prompt("hello"), Keys("12", 600.0, GRAMMAR)))
        talk.heard.append(await call.play(Prompt("next"), Keys("12", 0.2, GRAMMAR)))

    async with talking(tmp_path, ears, dialogue, talk, activity=lambda: ear):
        await talk.channel.until_heard(pcm("hello"))
        frames = [noise[at : at + 320] for at in range(0, len(noise), 320)]
        for at in range(0, len(frames), 20):
            await talk.channel.speaks(*frames[at : at + 20])
            async with asyncio.timeout(10):
                while ear.fed < at + 20:  # noqa: ASYNC110
                    await asyncio.sleep(0)
        talk.channel.presses("2")
        await talk.channel.until_heard(pcm("next"))
    assert talk.heard == [Key("2"), Silence()]
    assert ears.asked == [] and ear.fed >= 30_000


async def test_what_may_be_speech_holds_the_prompt_and_a_cough_loses_nothing_of_it(tmp_path: Path) -> None:
    async with asking(tmp_path, ScriptedEars(), "some", "long", "next") as talk:
        await talk.channel.until_heard(b"s" * 320)
        await talk.channel.speaks(PERHAPS)
        await talk.channel.until_heard(bytes(640))
        assert talk.channel.heard.count(b"s") < len(pcm("some")) * LENGTHS["some"]
        await talk.channel.speaks(SOUND)
        while talk.channel.heard.count(b"s") < len(pcm("some")) * LENGTHS["some"]:  # noqa: ASYNC110
            await asyncio.sleep(0)
        talk.channel.presses("2")
        talk.channel.presses("1")
        talk.channel.presses("1")
    assert talk.heard == [Key("2"), Key("1"), Key("1")]


async def test_a_key_during_the_prompt_is_the_answer_and_later_ones_are_kept(tmp_path: Path) -> None:
    async with asking(tmp_path, ScriptedEars(), "long", "next", "third") as talk:
        await talk.channel.until_heard(b"l" * 640)
        talk.channel.presses("1")
        talk.channel.presses("2")  # typed ahead, in the same breath
        await talk.channel.until_heard(pcm("third"))
        talk.channel.presses("#")
    assert talk.heard == [Key("1"), Key("2"), Key("#")]
    assert pcm("next") not in talk.channel.heard


@pytest.mark.covers("H39")
async def test_a_key_stops_a_notice_on_a_line_that_hears_too(tmp_path: Path) -> None:
    """No stream is opened for what asks nothing, so no cough can stop it; the key answers the question after it."""
    talk = Talk()

    async def dialogue(call: Call) -> None:
        await call.inform("some")
        talk.heard.append(await call.play(Prompt("long"), Keys("12", 7.0, GRAMMAR)))

    async with talking(tmp_path, ScriptedEars(), dialogue, talk):
        talk.channel.plays_s = 30
        await talk.channel.until("STREAM FILE")
        talk.channel.presses("2")
    assert talk.heard == [Key("2")]
    assert not any("AudioSocket" in command for command in talk.channel.commands)
    assert sum(command.startswith("STREAM FILE") for command in talk.channel.commands) == 1


async def test_a_key_while_the_engine_thinks_frees_it(tmp_path: Path) -> None:
    ears = ScriptedEars(CITA)
    ears.free.clear()
    async with asking(tmp_path, ears, "hello") as talk:
        await talk.channel.speaks(BEGAN, PAUSED, ENDED)
        while not ears.asked:  # noqa: ASYNC110
            await asyncio.sleep(0)
        talk.channel.presses("2")
    assert talk.heard == [Key("2")]
    assert ears.cancelled == 1


async def test_speech_that_goes_on_cancels_what_was_asked(tmp_path: Path) -> None:
    ears = ScriptedEars(Understood("2", 5.0))
    ears.free.clear()
    async with asking(tmp_path, ears, "hello") as talk:
        await talk.channel.speaks(BEGAN, PAUSED)
        while not ears.asked:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await talk.channel.speaks(RESUMED, PAUSED, ENDED)
        while len(ears.asked) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0)
        ears.free.set()
    assert talk.heard == [Speech("2", 5.0, ENOUGH)]
    assert ears.cancelled == 1
    assert ears.asked == [b"\1\2", b"\1\2\3\2"]


async def test_nothing_said_and_no_key_is_silence(tmp_path: Path) -> None:
    async with asking(tmp_path, ScriptedEars(), "hello", wait_s=0.05) as talk:
        pass
    assert talk.heard == [Silence()]
    assert pcm("hello") in talk.channel.heard


@pytest.mark.covers("H1", "I7")
async def test_a_prompt_that_cannot_be_spoken_leaves_the_caller_to_the_dialplan(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with asking(tmp_path, ScriptedEars(), "broken", "next") as talk:
        pass
    assert talk.heard == []
    assert talk.notebook.steps == [("failed", {"error": "OSError"})]
    assert talk.channel.variables["HL_DONE"] == "started"
    assert "Lucía" not in caplog.text


@pytest.mark.covers("H1", "H39")
async def test_ears_that_fail_in_mid_turn_cost_no_more_than_the_turn(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with asking(tmp_path, ScriptedEars(EarsFailed("its worker died")), "hello", "next") as talk:
        await talk.channel.speaks(BEGAN, PAUSED, ENDED)
        await talk.channel.until("WAIT FOR DIGIT")  # the same question, by key
        await talk.channel.takes("1")
        await talk.channel.until('STREAM FILE "/s/es/next"')  # and the next one
        await talk.channel.takes("2")
    assert talk.heard == [Key("1"), Key("2")]
    assert 'STREAM FILE "/s/es/hello" "0123456789*#" "0"' in talk.channel.commands
    assert "goes on by key: its worker died" in caplog.text


async def test_a_stream_that_breaks_off_is_asked_again_by_key(tmp_path: Path) -> None:
    async with asking(tmp_path, ScriptedEars(), "long") as talk:
        await talk.channel.until_heard(b"l" * 640)
        talk.channel.loses_sound()
        await talk.channel.until("STREAM FILE")
        await talk.channel.takes("1")
    assert talk.heard == [Key("1")]


async def test_an_asterisk_that_cannot_connect_is_asked_by_key(tmp_path: Path) -> None:
    async with asking(tmp_path, ScriptedEars(), "hello", no_sound=True) as talk:
        await talk.channel.until("STREAM FILE")
        await talk.channel.takes("1")
    assert talk.heard == [Key("1")]


async def test_a_hang_up_in_a_voice_turn_is_one(tmp_path: Path) -> None:
    async with asking(tmp_path, ScriptedEars(), "long") as talk:
        await talk.channel.until_heard(b"l" * 640)
        talk.channel.hangs_up()
    assert talk.heard == []
    assert talk.notebook.steps == [("caller_left", {})]


async def test_each_turn_has_an_id_of_its_own(tmp_path: Path) -> None:
    async with asking(tmp_path, ScriptedEars(CITA, CITA), "hello", "next") as talk:
        for prompt in ("hello", "next"):
            await talk.channel.until_heard(pcm(prompt))
            await talk.channel.speaks(BEGAN, PAUSED, ENDED)
    assert len(set(talk.channel.ids)) == 2


# ── Whom we have called ─────────────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def calling(folder: Path, *questions: str, no_sound: bool = False) -> AsyncIterator[Talk]:
    """We have called Lucía, and our line has no ears."""
    talk = Talk()

    async def dialogue(call: Call) -> None:
        call.line.attend(until_beep=False)
        for question in questions:
            talk.heard.append(await call.play(Prompt(question), Keys("12", 0.05)))
        verdict = call.line.attended()
        talk.heard.append(verdict and verdict.who)

    async with talking(folder, None, dialogue, talk, no_sound):
        yield talk


@pytest.mark.covers("H39")
async def test_without_ears_whom_we_called_is_listened_to_until_a_key(tmp_path: Path) -> None:
    async with calling(tmp_path, "hello", "long", "next") as talk:
        await talk.channel.speaks(*[SOUND] * 50)
        await talk.channel.until_heard(pcm("hello"))
        await talk.channel.until_heard(b"l" * 640)
        await talk.channel.speaks(BEGAN, PAUSED, ENDED)
        talk.channel.presses("1")
        await talk.channel.until("STREAM FILE")
        await talk.channel.takes("2")
    assert talk.heard == [Silence(), Key("1"), Key("2"), "unsure"], "who speaks stops nothing and answers nothing"
    assert pcm("next") not in talk.channel.heard, "and from a key on it is as ever"


@pytest.mark.covers("H39")
async def test_with_ears_a_hello_is_no_answer_and_what_comes_later_is_one(tmp_path: Path) -> None:
    ears, talk = ScriptedEars(CITA), Talk()

    async def dialogue(call: Call) -> None:
        call.line.attend(until_beep=False)
        talk.heard.append(await call.play(Prompt("long"), Keys("12", 7.0, GRAMMAR)))
        talk.heard.append(await call.play(Prompt("next"), Keys("12", 7.0, GRAMMAR)))

    async with talking(tmp_path, ears, dialogue, talk):
        await talk.channel.until_heard(b"l" * 640)
        await talk.channel.speaks(BEGAN, PAUSED, ENDED, *[SOUND] * 50)
        heard = talk.channel.heard.count(b"l")
        await talk.channel.until_heard(b"l" * (heard + 3200))  # it goes on
        assert ears.asked == []
        await talk.channel.speaks(*[SOUND] * 100, BEGAN, PAUSED, ENDED)
        await talk.channel.until_heard(pcm("next"))
        talk.channel.presses("2")
    assert talk.heard == [Speech("1", 6.0, ENOUGH), Key("2")]
    assert len(ears.asked) == 1


async def test_whom_we_called_without_sound_is_asked_by_key(tmp_path: Path) -> None:
    async with calling(tmp_path, "hello", no_sound=True) as talk:
        await talk.channel.until("STREAM FILE")
        await talk.channel.takes("1")
    assert talk.heard == [Key("1"), None]


@pytest.mark.covers("H39")
async def test_a_fax_ends_the_question(tmp_path: Path) -> None:
    seen: list[str] = []

    async def dialogue(call: Call) -> None:
        call.line.attend(until_beep=True)
        try:
            await call.play(Prompt("long"), Keys("12"))
        except NotAPerson as answered:
            seen.append(answered.who)

    talk = Talk()
    async with talking(tmp_path, None, dialogue, talk):
        at = np.arange(160 * 60) / 8000
        tone = (3000 * np.sin(2 * np.pi * 2100 * at)).astype("<i2").tobytes()
        await talk.channel.speaks(*[tone[n : n + 320] for n in range(0, len(tone), 320)])
    assert seen == ["fax"] and talk.channel.variables["HL_NEXT"] == "hangup"
