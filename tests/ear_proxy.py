"""How much of our prompts a listener understands: rendered by the natural voice, played over real calls to real phones,
written down by whisper, and compared with what they say: by words, in Chinese by characters, of which traditional ones
are read as the simplified. Numbers are numerals on both sides. As whisper writes other characters that sound the same,
Chinese can be compared by sound, too.
"""

import asyncio
import hashlib
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import opencc
import soxr  # type: ignore[import-untyped]
from pypinyin import lazy_pinyin

from hotline import models
from hotline.model_catalogue import KOKORO
from scripts.wording import Wording
from speech.cache import PromptCache
from speech.ears.languages import numerals
from speech.ears.whisper import Recogniser
from speech.voices import VoiceFailed, Voices
from speech.voices.kokoro import Kokoro
from tests import callers, listening
from tests.asterisk_instance import AsteriskInstance

FLOOR = {"es": 0.75, "en": 0.9, "pt-BR": 0.75, "zh-CN": 0.55}
BY_SOUND = {"zh-CN": 0.65}
"""The mean share of words, in Chinese of characters, that whisper-base must understand; and of syllables, where it is
compared by sound, too. It is no native listener. Measured of the sample: 0.90, 0.99, 0.94, 0.72; 0.86 by sound."""
PHONES = {"es": "lucia", "en": "ruth", "pt-BR": "joao", "zh-CN": "mei"}
LETTERS = range(8, 61)  # of a sentence of the sample: a call is as long as what is said in it
EXTENSION = 69000
A_LINE = 10
SIMPLIFIED = opencc.OpenCC("tw2s")  # Taiwan's, in which 等著 is 等着
LATE = 5 * listening.RATE  # samples that a sentence may begin later than right after the one before it


@dataclass(frozen=True)
class Sentence:
    """`sound`: the rendered file, 16 kHz."""

    language: str
    key: str
    text: str
    sound: Path


def texts(words: Wording, language: str) -> dict[str, str]:
    """The static prompts that the language has itself, key → text, in an order that is always the same."""
    static = {key: words.sentence(key, language, {}) for key in words.every_key() if words.is_static(key)}
    own = {key: sentence.text for key, sentence in static.items() if sentence.language == language}
    return {key: own[key] for key in sorted(own, key=lambda key: hashlib.sha256(key.encode()).digest())}


async def rendered(words: Wording, language: str, most: int | None, until: float = float("inf")) -> list[Sentence]:
    """Static prompts by the natural voice; `most`: so many short ones, or all of them. Of all what would begin after
    `until` (`time.monotonic`) is left out, and what the machine is too busy for; what was spoken is kept for the next
    run. Raises `VoiceFailed` where one of so many short ones is not spoken."""
    own = texts(words, language)
    if most is not None:
        short = [key for key, text in own.items() if len(text) * (3 if language == "zh-CN" else 1) in LETTERS]
        own = {key: own[key] for key in short[:most]}
    voice = Kokoro(models.install(KOKORO))
    cache = PromptCache(callers.KEPT / "prompts", Voices([voice]))
    try:
        made = []
        for key, text in own.items():
            if time.monotonic() >= until:
                break
            try:
                made.append(Sentence(language, key, text, await cache.render(text, language)))
            except VoiceFailed:
                if most is not None:
                    raise
    finally:
        await voice.close()
    return [Sentence(one.language, one.key, one.text, one.sound.with_suffix(".sln16")) for one in made]


async def heard(
    asterisk: AsteriskInstance, sentences: Sequence[Sentence], calls_each: int = 1
) -> dict[Sentence, listening.Samples]:
    """What the phones of the languages heard of each sentence, 8 kHz; `calls_each` a language, all at the same time."""
    by_language: dict[str, list[Sentence]] = defaultdict(list)
    for sentence in sentences:
        by_language[sentence.language].append(sentence)
    shares = [(tag, some[n::calls_each]) for tag, some in by_language.items() for n in range(calls_each)]
    for n, (_, some) in enumerate(shares):
        await _extension(asterisk, EXTENSION + n, some)
    calls = [_call(asterisk, PHONES[tag], EXTENSION + n, some) for n, (tag, some) in enumerate(shares) if some]
    found: dict[Sentence, listening.Samples] = {}
    for one in await asyncio.gather(*calls):
        found |= one
    return found


async def _extension(asterisk: AsteriskInstance, extension: int, sentences: Sequence[Sentence]) -> None:
    """That plays them all; some at a time, for a line of the dialplan has its length."""
    folder = asterisk.sounds / "proxy" / str(extension)
    folder.mkdir(parents=True, exist_ok=True)
    for n, sentence in enumerate(sentences):
        (folder / f"{n}.sln16").write_bytes(sentence.sound.read_bytes())
    names = [f"/hotline/sounds/proxy/{extension}/{n}" for n in range(len(sentences))]
    plays = [f"Playback({'&'.join(names[at : at + A_LINE])})" for at in range(0, len(names), A_LINE)]
    for n, step in enumerate(["Answer()", "Wait(1)", *plays, "Hangup()"], 1):
        await asterisk.cli(f"dialplan add extension {extension},{n},{step} into patients replace")


async def _call(
    asterisk: AsteriskInstance, username: str, extension: int, sentences: Sequence[Sentence]
) -> dict[Sentence, listening.Samples]:
    found = {}
    async with await asterisk.phone(username) as phone:
        await phone.dials(str(extension))
        await phone.hung_up(within=30 + sum(sentence.sound.stat().st_size for sentence in sentences) / 32_000)
        whole, at, ahead = phone.heard_since(0), 0, 0
        for sentence in sentences:
            sound = listening.prompt(sentence.sound)
            ahead += len(sound) + LATE
            match = await asyncio.to_thread(listening.find, whole[at : at + ahead], sound)
            if match is not None:
                begin = max(0, at + match.start)
                found[sentence] = whole[begin : begin + len(sound)]
                at, ahead = begin + len(sound) // 2, len(sound)
    return found


def written(recogniser: Recogniser, sound: listening.Samples, language: str) -> str:
    return recogniser.open(soxr.resample(sound, listening.RATE, 16_000) / np.float32(32768), language).text


def understood(text: str, heard: str, language: str, *, by_sound: bool = False) -> float:
    """The share of the words of `text` that are in `heard` in their place, 0 to 1; in Chinese of the characters, or of
    the syllables without their tones (`by_sound`)."""
    wanted, got = (_pieces(each, language, by_sound) for each in (text, heard))
    return max(0.0, 1 - _edits(wanted, got) / max(1, len(wanted)))


def _pieces(text: str, language: str, by_sound: bool) -> list[str]:
    if language != "zh-CN":
        return numerals(text, language).split()
    characters = [one for one in numerals(SIMPLIFIED.convert(text), language) if one != " "]
    return [sound for one in characters for sound in lazy_pinyin(one)] if by_sound else characters


def _edits(wanted: list[str], got: list[str]) -> int:
    """Levenshtein's distance."""
    row = list(range(len(got) + 1))
    for at, one in enumerate(wanted, 1):
        last, row[0] = row[0], at
        for n, other in enumerate(got, 1):
            last, row[n] = row[n], min(row[n] + 1, row[n - 1] + 1, last + (one != other))
    return row[-1]
