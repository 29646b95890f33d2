"""The natural voice beside the fast one: what a second of speech costs, and how long a caller would wait for a clause.

    python -m benchmarks.bench_voices [--json]

Both say the same sentences of a booking, in es, en, pt-BR and zh-CN, from the text to the sound in memory. The clause
is a short one, asked of a natural voice that has spoken before, as on a call's path. Its wait has no limit here: the
natural voice yields to everything else on the machine, and where it takes more than `voices.wait_ms`, the fast voice
speaks and the natural one the next time.

How long a caller waits then is measured in each language with short sentences that nobody has said before, one after
the other and each when nothing else is being spoken, beside the fast voice alone. Within the limit means that some
voice was: the row below it says how many were the natural one's, and the last how long that voice takes for one by
itself. Neither has a limit. What a machine cannot do in time, it does for the next caller.

Last, what the prompts cost that every caller of one language (Spanish) hears alike, at their own pace and once more at
the slower one (hotline/foretelling.py): as many seconds as the fast voice speaks, which is more than the natural one
does, as files and as the natural voice's work.
"""

import asyncio
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import table
from benchmarks.table import Row
from hotline import models, wiring
from hotline.model_catalogue import KOKORO
from hotline.settings import Voices as VoiceSettings
from hotline.settings_file import DEMO, build
from ivr.house import PACES
from speech.cache import PromptCache
from speech.sound import Sound
from speech.store import FORMATS
from speech.voices import Voice, Voices
from speech.voices.espeak import Espeak
from speech.voices.kokoro import Kokoro

SENTENCES = {
    "es": "Le ofrezco el lunes veintitrés de noviembre a las nueve y veinte. Para reservar, marque uno.",
    "en": "I can offer Monday the twenty-third of November at twenty past nine. To book it, press one.",
    "pt-BR": "Posso oferecer segunda-feira, vinte e três de novembro, às nove e vinte. Para marcar, pressione um.",
    "zh-CN": "可以预约十一月二十三日星期一上午九点二十分。预约请按一。",
}
CLAUSE = ("Gracias, Lucía.", "es")
CLAUSES = 5
NEW = {  # never said before, with each hour
    "es": "Le ofrezco el lunes a las {}.",
    "en": "I can offer Monday at {}.",
    "pt-BR": "Posso oferecer segunda-feira às {}.",
    "zh-CN": "可以预约星期一{}点。",
}
HOURS = range(8, 18)
SOON_MS = 400.0
BYTES_A_SECOND = 2 * sum(FORMATS.values())
FASTER_THAN_SPEECH_MS = 1000.0  # what renders slower never catches up


async def measure(voice: Voice) -> tuple[float, float]:
    """Milliseconds of processor for a second of speech; milliseconds until the clause is there."""
    await voice.say(*CLAUSE)
    took = []
    for _ in range(CLAUSES):
        began = time.monotonic()
        await voice.say(*CLAUSE)
        took.append((time.monotonic() - began) * 1000)
    await voice.close()
    before, spoken = _children(), 0.0
    for language, sentence in SENTENCES.items():
        spoken += (await voice.say(sentence, language)).seconds
    await voice.close()
    return (_children() - before) / spoken * 1000, statistics.median(took)


class Noting:
    """A voice that notes what it has said, and how long it took."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self.took: dict[str, float] = {}  # sentence → milliseconds

    @property
    def name(self) -> str:
        return self._voice.name

    @property
    def seconds_a_letter(self) -> float:
        return self._voice.seconds_a_letter

    def speaks(self, language: str) -> bool:
        return self._voice.speaks(language)

    async def identity(self, language: str, pace: float = 1.0) -> Mapping[str, str]:
        return await self._voice.identity(language, pace)

    async def say(self, text: str, language: str, pace: float = 1.0) -> Sound:
        began = time.monotonic()
        sound = await self._voice.say(text, language, pace)
        self.took[text] = (time.monotonic() - began) * 1000
        return sound

    async def close(self) -> None:
        await self._voice.close()


@dataclass(frozen=True)
class Waited:
    """Milliseconds that 95 of 100 wait at most; how many of 100 heard the first voice; milliseconds it takes, p50."""

    most: float
    by_the_first: float
    first: float


async def uncached(engines: Sequence[Voice], language: str) -> Waited:
    """Sentences that were never said before, each when nothing else is being spoken."""
    first = Noting(engines[0])
    await first.say(NEW[language].format(7), language)
    first.took.clear()
    waits, heard_first = [], 0
    with tempfile.TemporaryDirectory() as folder:
        cache = PromptCache(Path(folder), Voices([first, *engines[1:]]))
        for hour in HOURS:
            sentence = NEW[language].format(hour)
            before, began = len(first.took), time.monotonic()
            await cache.render(sentence, language, within=VoiceSettings().wait_ms / 1000)
            waits.append((time.monotonic() - began) * 1000)
            heard_first += len(first.took) > before
            await cache.at_rest()
    for engine in engines:
        await engine.close()
    most = statistics.quantiles(waits, n=20)[-1]
    return Waited(most, 100 * heard_first / len(waits), statistics.median(first.took.values()))


async def never_said_before(language: str) -> list[Row]:
    both = await uncached([Kokoro(models.install(KOKORO)), Espeak()], language)
    fast = await uncached([Espeak()], language)
    what, peer = f"a sentence never said before, {language}", "espeak-ng"
    return [
        Row(f"wait for {what}, p95", peer, both.most, fast.most, "ms", limit=SOON_MS),
        Row(f"of these by the natural voice, {language}", None, both.by_the_first, None, "%"),
        Row(f"the natural voice for one, {language}, p50", peer, both.first, fast.first, "ms"),
    ]


async def alike(pace: float) -> float:
    """Seconds of speech."""
    said, voice = wiring.words(build(DEMO)), Espeak()
    prompts = [said.text(key, "es") for key in said.every_key() if said.is_static(key)]
    return sum([(await voice.say(prompt, "es", pace)).seconds for prompt in prompts])


def _children() -> float:
    """Seconds of processor of the children that have ended: a model's start is part of it, once in four sentences."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def compare() -> list[Row]:
    natural_cost, natural_wait = await measure(Kokoro(models.install(KOKORO)))
    fast_cost, fast_wait = await measure(Espeak())
    own, slower = [await alike(pace) for pace in PACES[:2]]
    return [
        Row(
            "processor for a second of speech", "espeak-ng", natural_cost, fast_cost, "ms", limit=FASTER_THAN_SPEECH_MS
        ),
        Row("wait for a clause", "espeak-ng", natural_wait, fast_wait, "ms"),
        *[row for language in NEW for row in await never_said_before(language)],
        Row(
            "prompts on the disk, slower",
            "at their own pace",
            slower * BYTES_A_SECOND / 1e6,
            own * BYTES_A_SECOND / 1e6,
            "MB",
        ),
        Row("processor for them", "at their own pace", slower * natural_cost / 1000, own * natural_cost / 1000, "s"),
    ]


if __name__ == "__main__":
    sys.exit(table.show(asyncio.run(compare())))
