"""Every static prompt over real calls, in the ears of whisper-base: how much of it is understood, by language.

    python -m benchmarks.bench_ear_proxy [--json]

Rendered by the natural voice (kept for the next run), sent over twenty real calls side by side, written down and
compared by words, in Chinese by signs. The peer is the same sound straight from the file: what the telephone costs.
Takes half an hour the first time.
"""

import asyncio
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks import table
from benchmarks.table import Row
from hotline import models, wiring
from hotline.model_catalogue import WHISPER
from hotline.settings_file import DEMO, build
from speech.ears.whisper import Recogniser
from tests import ear_proxy, listening
from tests.asterisk_instance import AsteriskInstance, demo_plan, free_address

NETWORK = "127.0.60"
CALLS_EACH = 5  # a language, of four


async def rows(asterisk: AsteriskInstance) -> list[Row]:
    words = wiring.words(build(DEMO))
    sentences = [one for tag in ear_proxy.PHONES for one in await ear_proxy.rendered(words, tag, None)]
    heard = await ear_proxy.heard(asterisk, sentences, CALLS_EACH)
    recogniser = Recogniser(models.install(WHISPER))
    found = []
    for tag in ear_proxy.PHONES:
        some = [one for one in sentences if one.language == tag]
        ways = [{one: heard[one] for one in some if one in heard}, {one: listening.prompt(one.sound) for one in some}]
        over, straight = (
            100
            * statistics.mean(
                ear_proxy.understood(one.text, ear_proxy.written(recogniser, way[one], tag), tag) if one in way else 0.0
                for one in some
            )
            for way in ways
        )
        found.append(Row(f"understood over a call, {tag}, {len(some)} prompts", "from the file", over, straight, "%"))
    return found


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
