"""A turn by voice beside the same turn by key: the caller's wait for the next sentence, and how fast speech stops ours.

    python -m benchmarks.bench_voice_turn [--json]

A real SIP phone says two words into a running prompt, over a real Asterisk, real voice activity and the real line; the
next prompt is then looked for in what the phone recorded. By voice the wait is counted from the end of speech, by key
from the order to press (the key itself lasts about 0.2 s). Barge-in is counted in the ivr: from the first frame that is
loud to the moment from which on nothing of the prompt is sent. The phone's and Asterisk's own delays are not in it.

Measured twice: with ears that answer at once (what is left is the wait for the end of speech, and the line) and with
whisper-base. Half a second is what a turn by voice should take. An answer counts after 0.35 s of silence; whisper-base
is asked at 0.12 s and takes 0.15 to 0.2 s of a core, so it is within that where it has a core (record 0053). On a busy
machine the row says what the wait for one costs.
"""

import asyncio
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks import table
from benchmarks.table import Row
from benchmarks.whole_house import TimedPhone
from hotline import models
from hotline.model_catalogue import WHISPER
from ivr.call import Call, Key, Keys, Prompt, Speech
from speech.ears import Ears, Grammar, Understood
from speech.ears.activity import Heard, VoiceActivity
from speech.ears.whisper import whisper
from tests.asterisk_instance import AsteriskInstance, demo_plan, free_address, network, speak_static, to_16k
from tests.voice_house import calls_with_ears

NETWORK = "127.0.60"
TURNS = 10  # by voice for each ears, and by key
SAID = "my appointments"
GRAMMAR = Grammar("en", {"1": ("book an appointment", "one"), "2": (SAID, "two"), "3": ("something else", "three")})
LOUD = 300.0  # root mean square of 16-bit samples
ASKED = ("ivr_down_menu", "apology")  # in turn; both are long enough to be spoken into
BEGINNING_S = 1.2  # of a prompt is looked for: the rest of it need not be waited for
TURN_MS = 500.0  # p50, with any ears
LINE_MS = 1000.0  # of which half is the silence that ends an utterance
EARS_MS = 4000.0  # then the question is asked by key
BARGE_IN_MS = 100.0


class InstantEars:
    """What is left of a turn when recognition costs nothing."""

    def hears(self, language: str) -> bool:
        return True

    def enough(self, language: str) -> float:
        return 4.0

    def writes(self, language: str) -> bool:
        return True

    async def closed(self, pcm: bytes, rate: int, grammar: Grammar) -> Understood:
        return Understood("2", 9.0)

    async def open(self, pcm: bytes, rate: int, language: str) -> Understood:
        return Understood(None, 0.0)


class TimedActivity(VoiceActivity):
    """Voice activity that remembers how long our prompt went on after the caller had begun."""

    stopped: list[float] = []  # noqa: RUF012 - of all turns

    def __init__(self) -> None:
        super().__init__()
        self._loud: float | None = None
        self._last: float | None = None  # when the prompt stopped; None while it goes on, also after it was held

    def forget(self, patience_s: float | None = None) -> None:
        super().forget(patience_s)
        if self._loud is not None and self._last is not None:
            self.stopped.append(self._last - self._loud)
        self._loud = self._last = None

    @property
    def suspecting(self) -> bool:
        """Asked before each frame of the prompt."""
        held = super().suspecting
        self._last = (self._last or time.perf_counter()) if held else None
        return held

    def feed(self, frame: bytes, sent: bytes = b"") -> Heard | None:
        now = time.perf_counter()
        level = float(np.sqrt(np.mean(np.square(np.frombuffer(frame, "<i2"), dtype=np.float64))))
        if sent and self._loud is None and level > LOUD:
            self._loud = now
        heard = super().feed(frame, sent)
        if heard is Heard.BEGAN:
            self._last = self._last or time.perf_counter()
        return heard


async def measure(asterisk: AsteriskInstance, ears: Ears, answers: list[str]) -> dict[str, list[float]]:
    """Answers each question as told; how long the next one then took, in milliseconds."""
    took: dict[str, list[float]] = {"voice": [], "key": []}

    async def dialogue(call: Call) -> None:
        for at, answer in enumerate(answers):
            heard = await call.play(Prompt(ASKED[at % 2]), Keys("123", 20.0, GRAMMAR))
            assert isinstance(heard, Speech if answer == "voice" else Key), f"{heard} was heard"
        await call.say(ASKED[len(answers) % 2])

    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(calls_with_ears(asterisk, ears, dialogue, TimedActivity))
        account = asterisk.account("lucia")
        phone = await stack.enter_async_context(
            await TimedPhone.start(
                address=f"{network()}.31", server=asterisk.address, username="lucia", secret=account.secret
            )
        )
        voice, asked = _said(asterisk.folder), [_beginning(asterisk, key) for key in ASKED]
        await phone.dials("600")
        await phone.hears(asked[0])
        for at, answer in enumerate(answers):
            if answer == "voice":
                await phone.speaks(voice)
                answered = phone.told_at["spoken"]
            else:
                answered = time.time()
                await phone.presses("2")
            began = await phone.hears(asked[(at + 1) % 2])
            took[answer].append((phone.told_at["media"] + began - answered) * 1000)
        await phone.hangs_up()
    await asterisk.no_channels()
    return took


async def rows(asterisk: AsteriskInstance, model: Path) -> list[Row]:
    async with asyncio.timeout(240):
        instant = await measure(asterisk, InstantEars(), ["voice", "key"] * TURNS)
        async with whisper(model) as ears:
            heard = await measure(asterisk, ears, ["voice"] * TURNS)
    by_key, stopped = instant["key"], [each * 1000 for each in TimedActivity.stopped]
    found = []
    for name, took, most in (("ears at once", instant["voice"], LINE_MS), ("whisper-base", heard["voice"], EARS_MS)):
        for part, of in (("p50", statistics.median), ("p95", _p95)):
            limit = most if part == "p95" else TURN_MS
            found.append(Row(f"answer by voice, {name}, {part}", "by key", of(took), of(by_key), "ms", limit=limit))
    return [
        *found,
        Row("speech stops our prompt, p50", None, statistics.median(stopped), None, "ms"),
        Row("speech stops our prompt, p95", None, _p95(stopped), None, "ms", limit=BARGE_IN_MS),
    ]


def _p95(took: list[float]) -> float:
    return sorted(took)[min(len(took) - 1, round(0.95 * len(took)))]


def _beginning(asterisk: AsteriskInstance, key: str) -> Path:
    target = asterisk.folder / f"{key}-begins.sln16"
    target.write_bytes(asterisk.sound(key).read_bytes()[: int(BEGINNING_S * 16000) * 2])
    return target


def _said(folder: Path) -> Path:
    """What the caller says, without silence around it: its end is the end of speech."""
    target = folder / "said.sln16"
    espeak = ["espeak-ng", "-v", "en", "-s", "150", "--stdout", SAID]
    to_16k(subprocess.run(espeak, capture_output=True, check=True).stdout, target)
    samples = np.frombuffer(target.read_bytes(), "<i2")
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > LOUD)
    target.write_bytes(samples[loud[0] : loud[-1]].tobytes())
    return target


def main() -> int:
    os.environ.setdefault("HOTLINE_TEST_NETWORK", NETWORK)
    folder = Path(tempfile.mkdtemp(prefix="bench-voice-"))
    folder.chmod(0o755)
    speak_static(folder / "sounds")
    asterisk = AsteriskInstance(demo_plan(free_address()), folder)
    try:
        asterisk.start()
        return table.show(asyncio.run(rows(asterisk, models.install(WHISPER))))
    finally:
        asterisk.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
