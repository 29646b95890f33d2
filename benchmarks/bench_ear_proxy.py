"""Every static prompt over real calls, in the ears of whisper-base: how much of it is not understood, by language.

    python -m benchmarks.bench_ear_proxy [--partial] [--json]

Rendered by the natural voice (kept for the next run), sent over twenty real calls side by side, written down and
compared by words, in Chinese by characters and, in a row of its own, by sound. The limits are the floors of the sample
that the tests hear (tests/ear_proxy.py). The peer is the same sound straight from the file, for one in five: what the
telephone costs. The prompts that were understood worst are named on standard error.

To speak them all takes half an hour of a core, once. What is left out all the same, because a voice failed, fails the
last row. `--partial` takes at most 25 minutes instead: prompts that are not spoken after `SPEAKING_S`, or not written
down after `WRITING_S`, are left out, and the next run goes on from there.
"""

import asyncio
import os
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import table
from benchmarks.table import Row
from hotline import models, wiring
from hotline.model_catalogue import WHISPER
from hotline.settings_file import DEMO, build
from speech.ears.whisper import Recogniser
from tests import ear_proxy, listening
from tests.asterisk_instance import AsteriskInstance, demo_plan, free_address
from tests.ear_proxy import PHONES, Sentence

NETWORK = "127.0.60"
CALLS_EACH = 5  # a language, of four
SPEAKING_S, WRITING_S = 600.0, 450.0  # with --partial
BESIDE_PEER = 5  # one in so many
WORST = 8  # that are named, of a language
BEGAN, FOREVER = time.monotonic(), float("inf")


@dataclass
class Shares:
    """Of each prompt of a language how much was understood, from 0 to 1: by its words or characters, and by sound."""

    written: list[float] = field(default_factory=list)
    by_sound: list[float] = field(default_factory=list)

    def add(self, one: Sentence, heard: str) -> float:
        self.written.append(ear_proxy.understood(one.text, heard, one.language))
        self.by_sound.append(ear_proxy.understood(one.text, heard, one.language, by_sound=True))
        return self.written[-1]


async def rows(asterisk: AsteriskInstance, partial: bool) -> list[Row]:
    words = wiring.words(build(DEMO))
    every = {tag: len(ear_proxy.texts(words, tag)) for tag in PHONES}
    sentences = []
    for at, tag in enumerate(PHONES, 1):
        until = BEGAN + SPEAKING_S * at / len(PHONES) if partial else FOREVER
        sentences += await ear_proxy.rendered(words, tag, None, until)
        tell(f"{tag}: spoken")
    heard = await ear_proxy.heard(asterisk, sentences, CALLS_EACH)
    tell(f"{len(heard)} of {len(sentences)} sentences were heard over {CALLS_EACH * len(PHONES)} calls")
    recogniser = Recogniser(models.install(WHISPER))
    began, found, there = time.monotonic(), [], 0
    for at, tag in enumerate(PHONES, 1):
        some = [one for one in sentences if one.language == tag]
        until = began + WRITING_S * at / len(PHONES) if partial else FOREVER
        over, straight = compared(recogniser, some, heard, until)
        there += len(over.written)
        name = f"not understood over a call, {tag}, {len(over.written)} of {every[tag]} prompts"
        found.append(missed(name, over.written, straight.written, ear_proxy.FLOOR[tag]))
        if tag in ear_proxy.BY_SOUND:
            found.append(missed(f"the same by sound, {tag}", over.by_sound, straight.by_sound, ear_proxy.BY_SOUND[tag]))
        tell(f"{tag}: written down")
    return [*found, left_out(there, sum(every.values()), partial)]


def missed(name: str, over: list[float], straight: list[float], floor: float) -> Row:
    """What was not understood, in percent; all of it, where nothing was heard."""
    ours, theirs = (100 * (1 - statistics.mean(each)) if each else 100.0 for each in (over, straight))
    return Row(name, "from the file", ours, theirs, "%", limit=100 * (1 - floor))


def left_out(there: int, every: int, partial: bool) -> Row:
    return Row("prompts left out", None, 100 * (1 - there / every), None, "%", limit=None if partial else 0.0)


def compared(
    recogniser: Recogniser, sentences: list[Sentence], heard: dict[Sentence, listening.Samples], until: float
) -> tuple[Shares, Shares]:
    """What was understood over a call, and of some from the file; names the worst."""
    over, straight, told = Shares(), Shares(), []
    for n, one in enumerate(sentences):
        if time.monotonic() >= until:
            break
        text = ear_proxy.written(recogniser, heard[one], one.language) if one in heard else ""
        told.append((over.add(one, text), one, text))
        if n % BESIDE_PEER == 0:
            straight.add(one, ear_proxy.written(recogniser, listening.prompt(one.sound), one.language))
    for share, one, text in sorted(told, key=lambda each: each[0])[:WORST]:
        tell(f"{one.language} · {one.key} · {100 * share:.0f} % · said: {one.text} · heard: {text or 'nothing'}")
    return over, straight


def tell(what: str) -> None:
    print(f"{time.monotonic() - BEGAN:4.0f} s · {what}", file=sys.stderr, flush=True)


def main() -> int:
    os.environ.setdefault("HOTLINE_TEST_NETWORK", NETWORK)
    folder = Path(tempfile.mkdtemp(prefix="bench-ears-"))
    folder.chmod(0o755)
    asterisk = AsteriskInstance(demo_plan(free_address()), folder)
    try:
        asterisk.start()
        return table.show(asyncio.run(rows(asterisk, "--partial" in sys.argv[1:])))
    finally:
        asterisk.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
