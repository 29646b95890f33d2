"""Whisper, by CTranslate2: one model for all languages. It writes down what is said freely, also where Vosk answers the
closed questions, and answers those, too, in a language that has no Vosk model.

Open speech is decoded from a window of 10 s, not 30: a fifth of the cost, no worse. A closed grammar is *scored*: how
probable is each phrase, given the sound? From that, half of what silence makes of the phrase is taken away, which takes
out how long and how common it is. What is said freely competes too, so that a sentence that is none of the phrases is
not taken for the nearest of them.

All phrases of a grammar would cost a caller's patience, so only those are scored that the first token speaks for
(`_chosen`), all at once (`whisper_decoder.py`).

`Recogniser` lives in a worker (`worker.py`); `whisper()` is what a site asks for.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speech.ears import Grammar, Understood, plain
from speech.ears.engine import Engine
from speech.ears.languages import numerals, words
from speech.ears.whisper_decoder import Decoder, Floats, Kept, Tokens

CODES = {"es": "es", "pt-BR": "pt", "zh-CN": "zh", "en": "en"}
RATE = 16_000
SHORT_S, WINDOW_S, LONGEST_WINDOW_S = 3, 10, 30  # of a phrase, of free speech, of the model
AFTER_S = 0.5  # of silence that a phrase needs behind it
HISS = 3e-4  # of full scale: absolute silence makes the model imagine things
PRIOR = 0.5  # how much of a phrase's probability in silence is taken away
FREE = 11.0  # how much better than a phrase free speech must be to compete with it: phrases are not how it would write
LEAST = -20.7  # log-probability of a token: nothing is impossible
TOKENS_A_SECOND, MOST_TOKENS = 12, 120
PHRASE_TOKENS_A_SECOND = 6  # after a phrase the model goes on with what sounds like it, which would compete
MOST_SCORED = 24  # forms of phrases, for an utterance
NOTHING = re.compile(r"[\[(（【♪]")  # "[ Silence ]", "(dramatic music)": so begins what the model makes of no speech
REMEMBERED = 4000  # forms' probabilities in silence

# The margin from which on what was taken was right; measured, see docs/decisions/0011-ears.md. Chinese is understood
# too seldom to be offered (docs/decisions/0055-chinese-by-whisper.md): it needs a model for Vosk.
ENOUGH = {"es": 4.0, "pt-BR": 4.0, "en": 4.0}


def whisper(model: Path, *, workers: int = 1, **limits: Any) -> Engine:
    """Ears of a whisper model in CTranslate2's form, a folder with model.bin, config.json, tokenizer.json and
    vocabulary.json. About 0.5 GB of memory a worker.
    """
    return Engine("whisper", model, ENOUGH, writes=True, workers=workers, **limits)


@dataclass(frozen=True, slots=True)
class _Sound:
    """An utterance as the model's encoder left it, and what it is taken for if anything may have been said."""

    encoded: Floats  # frames × width
    text: str
    score: float  # of a token of the text, natural logarithm
    first: NDArray[np.float64]  # log-probability of each token to be the first


class Recogniser:
    """One model in memory, one thread."""

    def __init__(self, model: Path) -> None:
        # Here, because only workers need the libraries.
        from faster_whisper import WhisperModel
        from faster_whisper.tokenizer import Tokenizer

        self._model = WhisperModel(str(model), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)
        self._tokenizers = {
            language: Tokenizer(self._model.hf_tokenizer, True, task="transcribe", language=code)
            for language, code in CODES.items()
        }
        self._decoder = Decoder(model, self._tokenizers["en"].eot)
        self._random = np.random.default_rng(0)
        self._silences: dict[str, tuple[_Sound, Kept]] = {}
        self._in_silence: OrderedDict[tuple[str, Tokens], float] = OrderedDict()
        self.open(np.zeros(RATE, np.float32), "en")  # the first time is slow

    def open(self, samples: NDArray[np.float32], language: str) -> Understood:
        """The margin is that of a token of the text against all others: 0 is sure, below −1 is a guess."""
        heard = self._heard(samples, language, WINDOW_S)
        return Understood(None, heard.score, "" if NOTHING.match(heard.text) else heard.text)

    def closed(self, samples: NDArray[np.float32], grammar: Grammar) -> Understood:
        heard = self._heard(samples, grammar.language, SHORT_S, loops=False)
        if not heard.text or NOTHING.match(heard.text):
            return Understood(None, 0.0)
        language, chosen = grammar.language, self._chosen(heard, grammar)
        free = tuple(self._tokenizers[language].encode(_written(heard.text, language)))
        silence = self._silence(language)[1]
        # In silence it is not remembered: it is the caller's.
        (*scores, said), (unsaid,) = self._scores(
            language, (self._decoder.keep(heard.encoded), [*chosen, free]), (silence, [free])
        )
        best: dict[str | None, float] = {None: said - PRIOR * unsaid - FREE}
        for form, score, silent in zip(chosen, scores, self._silent(language, list(chosen)), strict=True):
            best[chosen[form]] = max(best.get(chosen[form], float("-inf")), score - PRIOR * silent)
        (label, score), (_, second), *_rest = sorted(best.items(), key=lambda each: -each[1])
        return Understood(label, score - second if label else 0.0, heard.text)

    def _chosen(self, heard: _Sound, grammar: Grammar) -> dict[Tokens, str]:
        """The forms to be scored, and their labels: those that their first token speaks for, and each label's
        likeliest.
        """
        every = self._forms(grammar)
        by_first = PRIOR * self._silence(grammar.language)[0].first - heard.first
        ranked = sorted(every, key=lambda tokens: by_first[tokens[0]])
        firsts: dict[str, Tokens] = {}
        for tokens in ranked:
            firsts.setdefault(every[tokens], tokens)
        ranked.sort(key=lambda tokens: firsts[every[tokens]] is not tokens)  # stable: the firsts, then the rest
        return {tokens: every[tokens] for tokens in ranked[: max(MOST_SCORED, len(firsts))]}

    def _forms(self, grammar: Grammar) -> dict[Tokens, str]:
        """The ways in which the model may write the phrases, and their labels."""
        return {
            tuple(self._tokenizers[grammar.language].encode(form)): label
            for label, ways in grammar.phrases.items()
            for way in ways
            for form in forms(way, grammar.language)
        }

    def _silent(self, language: str, texts: Sequence[Tokens]) -> list[float]:
        """log P(tokens | silence), remembered."""
        known = self._in_silence
        new = [tokens for tokens in texts if (language, tokens) not in known]
        if new:
            (scores,) = self._scores(language, (self._silence(language)[1], new))
            known.update(zip(((language, tokens) for tokens in new), scores, strict=True))
        found = [known[language, tokens] for tokens in texts]
        while len(known) > REMEMBERED:
            known.popitem(last=False)
        return found

    def _silence(self, language: str) -> tuple[_Sound, Kept]:
        if language not in self._silences:
            heard = self._heard(np.zeros(RATE // 2, np.float32), language, 1)
            self._silences[language] = heard, self._decoder.keep(heard.encoded)
        return self._silences[language]

    def _heard(self, samples: NDArray[np.float32], language: str, least_s: int, loops: bool = True) -> _Sound:
        """`loops`: whether words may repeat, as the digits of a number do. Of one word the model writes a hundred."""
        seconds = max(least_s, min(LONGEST_WINDOW_S, int(np.ceil(len(samples) / RATE + AFTER_S))))
        window = np.zeros(seconds * RATE, np.float32)
        window[: len(samples)] = samples[: len(window)]
        window += self._random.standard_normal(len(window)).astype(np.float32) * np.float32(HISS)
        encoded = self._model.encode(self._model.feature_extractor(window, padding=0)[:, : seconds * 100])
        start = self._start(language)
        a_second = TOKENS_A_SECOND if loops else PHRASE_TOKENS_A_SECOND
        spoken = min(MOST_TOKENS, int(a_second / 1.5 + len(samples) / RATE * a_second))
        found = self._model.model.generate(
            encoded, [start], beam_size=1, max_length=len(start) + spoken, return_scores=True, return_logits_vocab=True,
            suppress_blank=False, suppress_tokens=[], no_repeat_ngram_size=0 if loops else 2,
        )[0]  # fmt: skip
        steps = found.logits[0]  # none, where nothing at all is written
        first = np.array(steps[0] if steps else np.zeros(self._model.hf_tokenizer.get_vocab_size()), np.float64)
        text = self._tokenizers[language].decode(found.sequences_ids[0]).strip()
        return _Sound(np.array(encoded)[0], text, float(found.scores[0]), first - np.logaddexp.reduce(first))

    def _scores(self, language: str, *asked: tuple[Kept, Sequence[Tokens]]) -> list[list[float]]:
        """log P(tokens | sound), of each sound and its texts."""
        return [
            [float(np.maximum(each, LEAST).sum()) for each in chances]
            for chances in self._decoder.chances(self._start(language), *asked)
        ]

    def _start(self, language: str) -> list[int]:
        tokenizer = self._tokenizers[language]
        return [*tokenizer.sot_sequence, tokenizer.no_timestamps]


def forms(way: str, language: str) -> list[str]:
    """How the model may write a phrase: as it is or as a sentence; both also without accents and with numerals."""
    number = numerals(plain(way), language)
    plainly = [way, number] if number != plain(way) else [way]
    if not words(language).spaced:
        return plainly
    return [_written(form, language) for each in plainly for form in (each, each[0].upper() + each[1:] + ".")]


def _written(text: str, language: str) -> str:
    return " " + text if words(language).spaced else text
