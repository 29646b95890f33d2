"""From a sentence to the symbols that Kokoro was trained on (IPA with a few marks of its own).

espeak-ng says how es, pt-BR and en are spoken, a line for each clause: it forgets punctuation, which the model needs
for its melody, and its code is under the GPL, so it stays out of our processes. Chinese is in `mandarin.py`.
Works synchronously: it is called in the voice's own process.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Container, Iterator

from speech.voices import mandarin

SECONDS = 10.0  # espeak-ng takes 0.01 s for a clause
LATIN = "en-us"  # how names in Latin letters are read inside Chinese

# Two sounds that are one symbol in the model's alphabet; "^" is the tie that espeak-ng was asked for.
JOINED = {
    "a^ɪ": "I",
    "a^ʊ": "W",
    "d^z": "ʣ",
    "d^ʒ": "ʤ",
    "e^ɪ": "A",
    "o^ʊ": "O",
    "ə^ʊ": "Q",
    "s^s": "S",
    "t^s": "ʦ",
    "t^ʃ": "ʧ",
    "ɔ^ɪ": "Y",
}
MARKS = ".,;:!?…—"
WIDE = str.maketrans(
    {"，": ",", "、": ",", "。": ".", "：": ":", "；": ";", "？": "?", "！": "!", "（": ",", "）": ","}
)
# A mark ends a clause where a blank or the end follows it: not inside of 10.5 or 9:20.
CLAUSE = re.compile(rf"(.*?)([{MARKS}]+)(?=\s|$)\s*", re.DOTALL)
SENTENCE = re.compile(r"(?<=[。！？])|(?<=[.!?…])\s+")
# A clause of words alone: espeak-ng answers it with one line.
WORDS = re.compile(r"[\w '’-]*[^\W_][\w '’-]*")
WITHIN = re.compile(r"(?<=[，、；：])|(?<=[,;:—])\s+")
SHORT, LONG = 40, 150  # letters: the model speaks single words badly, and a long piece makes others wait


class Unspeakable(ValueError):
    """espeak-ng failed. The message never holds the text."""


def pieces(text: str) -> list[str]:
    """A text in pieces of one or a few sentences (of a very long one, clauses), to be spoken one after the other."""
    found: list[str] = []
    for sentence in SENTENCE.split(text):
        parts = [sentence] if len(sentence) <= LONG else WITHIN.split(sentence)
        for nth, part in enumerate(filter(None, map(str.strip, parts))):
            if found and (nth > 0 or len(found[-1]) < SHORT) and len(found[-1]) + len(part) < LONG:
                found[-1] += " " + part
            else:
                found.append(part)
    return found


def symbols(text: str, accent: str) -> list[str]:
    """The clauses of a text in symbols, each with its mark. `accent`: an espeak-ng voice, or "cmn".

    Raises `Unspeakable`.
    """
    clauses = list(_clauses(text.translate(WIDE) if accent != "cmn" else _spaced(text)))
    texts = [clause for clause, _ in clauses]
    spoken = list(map(_mandarin, texts)) if accent == "cmn" else _each_by_espeak(texts, accent)
    return [sounds + marks[:1] for sounds, (_, marks) in zip(spoken, clauses, strict=True) if sounds]


def utterances(clauses: list[str], known: Container[str], most: int) -> list[str]:
    """Clauses joined to as few strings as can be, none of more than `most` symbols; unknown symbols are left out."""
    joined: list[str] = []
    for clause in clauses:
        for part in _short_enough("".join(sign for sign in clause if sign in known), most):
            if joined and len(joined[-1]) + 1 + len(part) <= most:
                joined[-1] += " " + part
            else:
                joined.append(part)
    return joined


def _short_enough(clause: str, most: int) -> Iterator[str]:
    """At its spaces, or anywhere where a word alone is too long."""
    while len(clause) > most:
        at = clause.rfind(" ", 1, most + 1)
        at = most if at < 0 else at
        yield clause[:at]
        clause = clause[at:].strip()
    if clause:
        yield clause


def _clauses(text: str) -> Iterator[tuple[str, str]]:
    rest = 0
    for found in CLAUSE.finditer(text):
        yield found[1], found[2]
        rest = found.end()
    if text[rest:].strip():
        yield text[rest:], ""


def _spaced(text: str) -> str:
    """Chinese marks have no blank behind them."""
    return re.sub(rf"([{MARKS}]+)", r"\1 ", text.translate(WIDE))


def _mandarin(clause: str) -> str:
    return "".join(
        mandarin.sounds(part) if chinese else f" {_by_espeak(part, LATIN)} " for part, chinese in mandarin.parts(clause)
    ).strip()


def _each_by_espeak(clauses: list[str], voice: str) -> list[str]:
    """All that are words alone by one child, the others by one each."""
    lines = [clause.strip() for clause in clauses]
    together = [line for line in lines if WORDS.fullmatch(line)]
    told = _phonemes("\n".join(together) + "\n", voice).splitlines() if together else []
    answers = [line for line in told if line.strip()]
    if len(answers) != len(together):  # one was so long that it came in two
        return [_by_espeak(line, voice) for line in lines]
    known = dict(zip(together, map(_in_symbols, answers), strict=True))
    return [known[line] if line in known else _by_espeak(line, voice) for line in lines]


def _by_espeak(clause: str, voice: str) -> str:
    safe = re.sub(r"\[{2,}", "[", clause).strip()  # "[[" starts phonemes
    return _in_symbols(_phonemes(safe, voice, "--stdin")) if safe else ""


def _phonemes(text: str, voice: str, *how: str) -> str:
    """As espeak-ng writes them: of each line, or of all with --stdin."""
    try:
        done = subprocess.run(
            ["espeak-ng", "-q", "--ipa", "--tie=^", "-v", voice, *how],
            input=text.encode("utf-8", "replace"),
            capture_output=True,
            timeout=SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Unspeakable(f"espeak-ng gave no phonemes ({type(error).__name__}): is it installed?") from None
    return done.stdout.decode("utf-8", "replace")


def _in_symbols(phonemes: str) -> str:
    # "(en)": it says where it takes a word for another language's.
    sounds = re.sub(r"\([a-z-]+\)", "", " ".join(phonemes.split()))
    for two, one in JOINED.items():
        sounds = sounds.replace(two, one)
    # "written" ends in a consonant that is a syllable; the model was taught it with a short vowel before it.
    sounds = re.sub("(\\w)\u0329", r"ᵊ\1", sounds.replace("ʔn\u0329", "tn\u0329"))
    return sounds.replace("^", "").replace("-", "")
