"""A call over AGI: what is played, which keys count, and none that gets lost."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import pytest

from ivr.agi_call import agi_call, caller_number
from ivr.call import Call, CallerLeft, Digits, DigitsOf, Key, Keys, NoAnswer, Nothing, Prompt, Silence
from ivr.conversation import converse
from ivr.server import AgiServer
from ivr.session import AgiSession
from scripts.placeholders import Value
from tests.simulated_asterisk import Channel

HOST, SECRET = "127.0.30.1", "3f2a9c"


class Voice:
    """Sounds named after their prompts; some take their time, some fail."""

    def __init__(self, slow: Mapping[str, float] | None = None, broken: str = "") -> None:
        self.slow = slow or {}
        self.broken = broken
        self.rendered: list[str] = []
        self._making: dict[str, asyncio.Task[None]] = {}

    async def sound(self, key: str, language: str, params: Mapping[str, Value], pace: float) -> str:
        if key not in self._making:  # as the cache: once, however many ask
            self.rendered.append(f"{key} begins")
            self._making[key] = asyncio.create_task(asyncio.sleep(self.slow.get(key, 0)))
            self._making[key].add_done_callback(lambda _: self.rendered.append(f"{key} is there"))
        await self._making[key]
        if key == self.broken:
            raise OSError("no space for Lucía")
        return f"/s/{language}/{key}"

    ahead = sound


class Notebook:
    """A journal in memory."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, dict[str, object]]] = []

    async def step(self, kind: str, **facts: object) -> None:
        self.steps.append((kind, facts))

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.steps]


@asynccontextmanager
async def calling(
    dialogue: Callable[[Call], Awaitable[object]],
    *,
    voice: Voice | None = None,
    notebook: Notebook | None = None,
    plays_s: float = 0.03,
    missing: frozenset[str] = frozenset(),
) -> AsyncIterator[Channel]:
    """Lucía's channel while `dialogue` talks to her; at the end of the block the call has ended."""

    async def handler(session: AgiSession, path: str) -> None:
        said, written = voice or Voice(), notebook or Notebook()
        async with agi_call(session, said, written, node="n1", country="CO", language="es") as call:
            await converse(call, dialogue)

    async with AgiServer(handler, SECRET, HOST, 0) as server:
        assert server._server is not None
        port = server._server.sockets[0].getsockname()[1]
        channel = await Channel.calls(HOST, port, f"{SECRET}/inbound", plays_s=plays_s, missing=missing)
        yield channel
        await channel.ended()
        await server.stop(grace_s=5)


def played(channel: Channel) -> list[str]:
    return [c.split('"')[1] for c in channel.commands if c.startswith("STREAM FILE")]


# ── Barge-in, and keys typed ahead ──────────────────────────────────────────────────────────────────────────────────


async def test_a_key_stops_the_prompt_and_the_sentences_after_it() -> None:
    heard = []

    async def dialogue(call: Call) -> None:
        heard.append(await call.play([Prompt("one"), Prompt("two"), Prompt("three")], Keys("12")))

    async with calling(dialogue, plays_s=30) as channel:
        await channel.until("STREAM FILE")
        channel.presses("2")
    assert heard == [Key("2")]
    assert played(channel) == ["/s/es/one"]


async def test_a_key_after_the_prompt() -> None:
    heard = []

    async def dialogue(call: Call) -> None:
        heard.append(await call.play([Prompt("one"), Prompt("two")], Keys("12")))

    async with calling(dialogue) as channel:
        await channel.until("WAIT FOR DIGIT")
        channel.presses("1")
    assert heard == [Key("1")]
    assert played(channel) == ["/s/es/one", "/s/es/two"]
    assert 'WAIT FOR DIGIT "7000"' in channel.commands


async def test_silence_is_an_answer_of_its_own() -> None:
    heard = []

    async def dialogue(call: Call) -> None:
        heard.append(await call.play(Prompt("one"), Keys("12", wait_s=0.05)))
        heard.append(await call.play(Prompt("one"), DigitsOf(8, 8, wait_s=0.05)))
        heard.append(await call.play(Prompt("one"), Nothing()))

    async with calling(dialogue):
        """Nobody presses anything."""
    assert heard == [Silence(), Silence(), Silence()]


async def test_a_key_during_a_statement_is_kept_for_the_question_after_it() -> None:
    heard = []

    async def dialogue(call: Call) -> None:
        await call.say("welcome")
        heard.append(await call.menu("main_menu", keys="123"))

    async with calling(dialogue, plays_s=30) as channel:
        await channel.until("STREAM FILE")
        channel.presses("3")
    assert heard == ["3"]
    assert played(channel) == ["/s/es/welcome"]  # who knows the way hears no menu


@pytest.mark.covers("H39")
async def test_keys_pressed_while_the_dialogue_thinks_are_kept() -> None:
    """Between two commands Asterisk throws keys away, so the line listens meanwhile."""
    heard = []
    thinking = asyncio.Event()

    async def dialogue(call: Call) -> None:
        await call.say("one_moment")
        await thinking.wait()  # a database that takes its time
        heard.append(await call.play(Prompt("which"), DigitsOf(2, 2)))

    async with calling(dialogue) as channel:
        for number, key in enumerate("47", 1):
            await channel.until("WAIT FOR DIGIT", times=2 * number)
            channel.presses(key)
        await channel.until("WAIT FOR DIGIT", times=6)
        thinking.set()
    assert heard == [Digits("47")]
    assert channel.lost_keys == ""


async def test_keys_pressed_while_a_prompt_is_rendered_are_kept() -> None:
    heard = []

    async def dialogue(call: Call) -> None:
        await call.say("one_moment")
        heard.append(await call.menu("slow_menu", keys="12"))

    async with calling(dialogue, voice=Voice(slow={"slow_menu": 0.2})) as channel:
        await channel.until("WAIT FOR DIGIT")
        channel.presses("2")
    assert heard == ["2"]
    assert "/s/es/slow_menu" not in played(channel)


@pytest.mark.covers("H39")
async def test_a_key_stops_a_notice_at_once_and_is_kept_for_the_question_after_it() -> None:
    heard, notebook = [], Notebook()

    async def dialogue(call: Call) -> None:
        await call.inform([Prompt("booked"), Prompt("prepare_fasting")])
        heard.append(await call.menu("main_menu", keys="12"))

    async with calling(dialogue, notebook=notebook, plays_s=30) as channel:
        await channel.until("STREAM FILE")
        channel.presses("2")
    assert heard == ["2"]
    assert played(channel) == ["/s/es/booked"]
    assert notebook.steps[0] == ("turn", {"said": ["booked", "prepare_fasting"]})


@pytest.mark.covers("H39")
async def test_a_key_from_before_a_notice_skips_none_of_it() -> None:
    """Typed ahead in the menu before, or while the notice was still being made."""
    heard: list[object] = []

    async def dialogue(call: Call) -> None:
        heard.append(await call.menu("main_menu", keys="12"))
        await call.inform([Prompt("slow_notice"), Prompt("prepare_fasting")])
        heard.append(await call.menu("what_with_it", keys="45"))
        heard.append(await call.menu("what_else", keys="45"))
        heard.append(await call.menu("what_more", keys="56"))

    async with calling(dialogue, voice=Voice(slow={"slow_notice": 0.3}), plays_s=0.4) as channel:
        await channel.until("STREAM FILE")
        channel.presses("1")
        for key in "45":
            await channel.takes(key)  # the notice is not there yet
        await channel.until('STREAM FILE "/s/es/prepare_fasting"')
        channel.presses("6")
    assert heard == ["1", "4", "5", "6"]
    assert played(channel) == ["/s/es/main_menu", "/s/es/slow_notice", "/s/es/prepare_fasting"]


@pytest.mark.covers("H39", "H1")
@pytest.mark.parametrize(
    ("key", "queue", "reason"), [("0", "reception", "operator_key"), ("9", "urgent", "urgent_key")]
)
@pytest.mark.parametrize("verb", [Call.inform, Call.must_hear])
async def test_a_key_that_leads_to_a_person_does_so_out_of_a_notice(
    verb: Callable[[Call, str], Awaitable[None]], key: str, queue: str, reason: str
) -> None:
    notebook = Notebook()

    async def dialogue(call: Call) -> None:
        await verb(call, "voicemail_notice")
        await call.say("never_heard")

    async with calling(dialogue, notebook=notebook, plays_s=0.4) as channel:
        await channel.until("STREAM FILE")
        channel.presses(key)
    assert notebook.steps[1] == ("transfer", {"queue": queue, "reason": reason})
    assert played(channel) == ["/s/es/voicemail_notice", "/s/es/to_urgent" if key == "9" else "/s/es/to_person"]
    assert channel.variables["HL_QUEUE"] == queue


@pytest.mark.covers("H39", "H12")
async def test_a_notice_is_heard_again_and_more_slowly_at_once() -> None:
    notebook = Notebook()

    async def dialogue(call: Call) -> None:
        await call.inform("booked")

    async with calling(dialogue, notebook=notebook, plays_s=0.4) as channel:
        await channel.until("STREAM FILE")
        channel.presses("*")
        await channel.until("STREAM FILE", times=2)
        channel.presses("7")
    assert played(channel) == ["/s/es/booked", "/s/es/booked", "/s/es/slower", "/s/es/booked"]
    assert notebook.kinds() == ["turn", "turn", "slower", "turn", "ended"]


@pytest.mark.covers("H39")
async def test_back_in_a_notice_leads_back_from_the_question_after_it() -> None:
    """What the notice tells of is done: it may not lead into what was decided before it."""
    reached: list[str] = []

    async def dialogue(call: Call) -> None:
        with call.returning():
            await call.inform("booked")
            reached.append("what comes after the notice")
            await call.menu("what_with_it", keys="12")
            reached.append("too far")
        reached.append("back")

    async with calling(dialogue, plays_s=0.4) as channel:
        await channel.until("STREAM FILE")
        channel.presses("#")
    assert reached == ["what comes after the notice", "back"]


@pytest.mark.covers("H39")
async def test_a_hash_out_of_habit_stops_nothing() -> None:
    async def dialogue(call: Call) -> None:
        await call.digits("ask_birth_date", length=1)
        await call.inform("booked")

    async with calling(dialogue, plays_s=0.4) as channel:
        await channel.until("STREAM FILE")
        channel.presses("2")
        await channel.until('STREAM FILE "/s/es/booked"')
        await asyncio.sleep(0.1)
        channel.presses("#")
    notices = [c for c in channel.commands if "booked" in c]
    assert len(notices) == 2
    assert 800 <= int(notices[1].split('"')[-2]) < 3200  # goes on where the key stopped it


@pytest.mark.covers("H52")
async def test_what_must_be_heard_goes_on_where_a_key_stopped_it() -> None:
    heard = []

    async def dialogue(call: Call) -> None:
        await call.must_hear("voicemail_notice")
        heard.append(await call.menu("main_menu", keys="12"))

    async with calling(dialogue, plays_s=0.4) as channel:
        await channel.until("STREAM FILE")
        await asyncio.sleep(0.1)  # a quarter of the notice
        channel.presses("2")
    assert heard == ["2"]
    notices = [c for c in channel.commands if "voicemail_notice" in c]
    assert len(notices) == 2
    assert 800 <= int(notices[1].split('"')[-2]) < 3200
    assert "/s/es/main_menu" not in played(channel)


async def test_digits_end_with_the_last_one_and_a_habitual_hash_answers_nothing() -> None:
    heard: list[object] = []

    async def dialogue(call: Call) -> None:
        heard.append(await call.digits("ask_birth_date", length=4))
        heard.append(await call.menu("main_menu", keys="12"))

    async with calling(dialogue) as channel:
        await channel.until('WAIT FOR DIGIT "8000"')
        channel.presses("2")
        await channel.until('GET DATA "" "5000" "3"')  # Asterisk itself collects the rest: none is lost
        for key in "902":
            await channel.takes(key)
        await channel.until("STREAM FILE", times=2)
        channel.presses("#")
        await channel.until('WAIT FOR DIGIT "7000"')
        channel.presses("1")
    assert heard == ["2902", "1"]


# ── The caller leaves ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("I10")
async def test_a_hang_up_during_a_prompt_ends_the_dialogue_where_it_is() -> None:
    notebook, reached = Notebook(), []

    async def dialogue(call: Call) -> None:
        await call.say("welcome")
        reached.append("after the welcome")

    async with calling(dialogue, notebook=notebook, plays_s=30) as channel:
        await channel.until("STREAM FILE")
        channel.hangs_up()
    assert reached == []
    assert notebook.kinds() == ["caller_left"]


@pytest.mark.covers("I10")
async def test_a_hang_up_while_the_dialogue_thinks_is_met_at_the_next_word() -> None:
    notebook, thinking = Notebook(), asyncio.Event()

    async def dialogue(call: Call) -> None:
        await call.say("one_moment")
        await thinking.wait()
        await call.journal.step("decided")  # what was decided stands
        await call.say("goodbye")

    async with calling(dialogue, notebook=notebook) as channel:
        await channel.until("WAIT FOR DIGIT")
        channel.hangs_up()
        await channel.ended()
        thinking.set()
    assert notebook.kinds() == ["turn", "decided", "caller_left"]


async def test_a_dialogue_that_fails_while_the_caller_leaves_is_told_as_what_it_is() -> None:
    notebook = Notebook()

    async def dialogue(call: Call) -> None:
        await call.say("one_moment")
        await asyncio.sleep(0.1)
        raise ZeroDivisionError

    async with calling(dialogue, notebook=notebook) as channel:
        await channel.until("WAIT FOR DIGIT")
        channel.hangs_up()
    assert notebook.steps[-1] == ("failed", {"error": "ZeroDivisionError"})


# ── How it ends ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H1", "H10")
async def test_a_transfer_names_the_queue_writes_it_down_and_says_so() -> None:
    notebook = Notebook()

    async def dialogue(call: Call) -> None:
        await call.transfer("nurses", "clinical_question")

    async with calling(dialogue, notebook=notebook) as channel:
        """She listens."""
    assert {"HL_QUEUE": "nurses", "HL_NEXT": "queue", "HL_DONE": "1"}.items() <= channel.variables.items()
    assert notebook.steps == [("transfer", {"queue": "nurses", "reason": "clinical_question"})]
    assert played(channel) == ["/s/es/to_person"]


async def test_an_end_hangs_up() -> None:
    notebook = Notebook()

    async def dialogue(call: Call) -> None:
        await call.use_language("en")
        await call.say("goodbye")

    async with calling(dialogue, notebook=notebook) as channel:
        """She listens."""
    assert channel.variables == {"HL_DONE": "1", "HL_NEXT": "hangup", "CHANNEL(language)": "en"}
    assert notebook.kinds() == ["language", "turn", "ended"]
    assert played(channel) == ["/s/en/goodbye"]


@pytest.mark.covers("H1")
async def test_neither_a_dead_journal_nor_a_dead_voice_costs_the_transfer(caplog: pytest.LogCaptureFixture) -> None:
    class DeadNotebook(Notebook):
        async def step(self, kind: str, **facts: object) -> None:
            raise ConnectionError("database of Lucía")

    async def dialogue(call: Call) -> None:
        await call.transfer("urgent", "urgent_key")

    async with calling(dialogue, notebook=DeadNotebook(), voice=Voice(broken="to_urgent")) as channel:
        """She listens."""
    assert {"HL_QUEUE": "urgent", "HL_NEXT": "queue", "HL_DONE": "1"}.items() <= channel.variables.items()
    assert "Lucía" not in caplog.text


async def test_a_person_takes_over_after_three_silences() -> None:
    async def dialogue(call: Call) -> None:
        with pytest.raises(NoAnswer):
            await call.menu("main_menu", keys="1")
        await call.transfer("reception", "no_answer")

    async with calling(dialogue) as channel:
        for number in (1, 2, 3):
            await channel.until('WAIT FOR DIGIT "7000"', times=number)
            channel.presses("")  # the seven seconds are over
    assert played(channel)[:6] == [
        "/s/es/main_menu",
        "/s/es/silence_short",
        "/s/es/main_menu.short",
        "/s/es/house_keys",
        "/s/es/silence_other",
        "/s/es/main_menu.other",
    ]


# ── Sounds ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H1")
async def test_a_sound_that_asterisk_cannot_open_is_no_silence(caplog: pytest.LogCaptureFixture) -> None:
    notebook = Notebook()

    async def dialogue(call: Call) -> None:
        await call.say("welcome")

    async with calling(dialogue, notebook=notebook, missing=frozenset({"/s/es/welcome"})) as channel:
        """She hears the dialplan's apology."""
    assert notebook.steps == [("failed", {"error": "SoundMissing"})]
    assert channel.variables["HL_DONE"] == "started"


@pytest.mark.covers("I7")
async def test_a_voice_that_fails_is_told_by_its_kind_alone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def dialogue(call: Call) -> None:
        call.prepare(Prompt("booked"))  # only prepared: hurts nobody
        await call.say("welcome")
        await call.say("booked")

    async with calling(dialogue, voice=Voice(broken="booked")) as channel:
        """She hears the welcome, then the dialplan's apology."""
    assert played(channel) == ["/s/es/welcome"]
    assert channel.variables["HL_DONE"] == "started"
    assert "OSError" in caplog.text and "Lucía" not in caplog.text


async def test_sentences_are_rendered_side_by_side_and_in_their_own_language() -> None:
    async def dialogue(call: Call) -> None:
        await call.play([Prompt("a"), Prompt("b").in_language("en"), Prompt("c")], Nothing())

    voice = Voice(slow={"a": 0.05, "b": 0.05, "c": 0.05})
    async with calling(dialogue, voice=voice, plays_s=0.001) as channel:
        """She listens."""
    assert played(channel) == ["/s/es/a", "/s/en/b", "/s/es/c"]
    assert voice.rendered[:3] == ["a begins", "b begins", "c begins"]


async def test_what_is_prepared_comes_after_what_is_said() -> None:
    async def dialogue(call: Call) -> None:
        call.prepare(Prompt("later"))
        await call.play([Prompt("a"), Prompt("b")], Nothing())

    voice = Voice()
    async with calling(dialogue, voice=voice):
        """She listens."""
    assert [each for each in voice.rendered if each.endswith("begins")] == ["a begins", "b begins", "later begins"]


async def test_a_better_voice_has_for_a_sentence_as_long_as_the_one_before_it_is_heard() -> None:
    """It is asked for by when it must speak, not by when the turn begins."""

    class Patient(Voice):
        async def sound(self, key: str, language: str, params: Mapping[str, Value], pace: float) -> str:
            self.rendered.append(f"{key} is needed")
            return await super().sound(key, language, params, pace)

        ahead = Voice.sound

    async def dialogue(call: Call) -> None:
        await call.play([Prompt("a"), Prompt("b")], Nothing())

    voice = Patient(slow={"b": 0.01})
    async with calling(dialogue, voice=voice, plays_s=0.1):
        """She listens to the first for ten times as long as the second takes to be made."""
    assert voice.rendered.index("b begins") < voice.rendered.index("b is there") < voice.rendered.index("b is needed")


# ── Who calls ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("number", "presentation", "e164"),
    [
        ("+573015550101", "0", "+573015550101"),
        ("3015550101", "0", "+573015550101"),  # a national number of the site's country
        ("+64215550102", "0", "+64215550102"),
        ("+573015550101", "32", None),  # withheld
        ("+573015550101", "67", None),  # not available
        ("unknown", "0", None),
        ("anonymous", "0", None),
        ("", "0", None),
        ("701", "0", None),  # an internal extension
        ("3015550101", "often", None),
        ("'; DROP TABLE patient; --", "0", None),
        ("9" * 500, "0", None),
    ],
)
def test_the_callers_number(number: str, presentation: str, e164: str | None) -> None:
    assert caller_number({"agi_callerid": number, "agi_callingpres": presentation}, "CO") == e164


async def test_a_call_knows_who_where_and_in_what_language() -> None:
    calls: list[Call] = []

    async def dialogue(call: Call) -> None:
        calls.append(call)

    async with calling(dialogue):
        """She listens."""
    (call,) = calls
    assert (call.id, call.node, call.language) == ("n1-1795647600.7", "n1", "es")
    assert call.caller_number == "+573015550101"
    assert "+573015550101" not in repr(call)
    with pytest.raises(CallerLeft):
        await call.say("too_late")
