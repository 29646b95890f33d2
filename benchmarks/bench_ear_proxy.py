"""Every static prompt over real calls, in the ears of whisper-base: how much of it is understood, by language.

    python -m benchmarks.bench_ear_proxy [--json]

Rendered by the natural voice (kept for the next run), sent over twenty real calls side by side, written down and
compared by words, in Chinese by signs. The peer is the same sound straight from the file, for one in five: what the
telephone costs. The prompts that were understood worst are named on standard error.

Takes at most 25 minutes: prompts that are not spoken after `SPEAKING_S`, or not written down after `WRITING_S`, are
left out, as the rows say; the next run goes on from there. To speak them all takes half an hour of a core, once.
"""

import asyncio
import os
import shutil
import statistics
import sys
import tempfile
import time
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
SPEAKING_S, WRITING_S = 600.0, 450.0
BESIDE_PEER = 5  # one in so many
WORST = 8  # that are named, of a language
BEGAN = time.monotonic()


async def rows(asterisk: AsteriskInstance) -> list[Row]:
    words = wiring.words(build(DEMO))
    sentences = []
    for at, tag in enumerate(PHONES, 1):
        until = BEGAN + SPEAKING_S * at / len(PHONES)
        sentences += await ear_proxy.rendered(words, tag, None, until)
        tell(f"{tag}: spoken")
    heard = await ear_proxy.heard(asterisk, sentences, CALLS_EACH)
    tell(f"{len(heard)} of {len(sentences)} sentences were heard over {CALLS_EACH * len(PHONES)} calls")
    recogniser = Recogniser(models.install(WHISPER))
    began, found = time.monotonic(), []
    for at, tag in enumerate(PHONES, 1):
        some = [one for one in sentences if one.language == tag]
        over, straight = compared(recogniser, some, heard, began + WRITING_S * at / len(PHONES))
        every = len(ear_proxy.texts(words, tag))
        name = f"understood over a call, {tag}, {len(over)} of {every} prompts"
        ours, theirs = (100 * statistics.mean(each) if each else 0.0 for each in (over, straight))
        found.append(Row(name, "from the file", ours, theirs, "%"))
        tell(f"{tag}: written down")
    return found


def compared(
    recogniser: Recogniser, sentences: list[Sentence], heard: dict[Sentence, listening.Samples], until: float
) -> tuple[list[float], list[float]]:
    """The shares that were understood over a call, and of some from the file; names the worst."""
    over, straight, told = [], [], []
    for n, one in enumerate(sentences):
        if time.monotonic() >= until:
            break
        text = ear_proxy.written(recogniser, heard[one], one.language) if one in heard else ""
        over.append(ear_proxy.understood(one.text, text, one.language))
        told.append((over[-1], one, text))
        if n % BESIDE_PEER == 0:
            text = ear_proxy.written(recogniser, listening.prompt(one.sound), one.language)
            straight.append(ear_proxy.understood(one.text, text, one.language))
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
        return table.show(asyncio.run(rows(asterisk)))
    finally:
        asterisk.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
