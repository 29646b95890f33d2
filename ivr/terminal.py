"""The terminal phone: any dialogue without Asterisk, as text.

    hotline: To book an appointment, press 1. …                      (hotline (0.85): … when it is said more slowly)
    caller: 1
    journal: department code=cardiology
    then: queue reception

What the caller does is a row of presses, one for each time that something is asked: `2`, `29021980#`, `12` (the
2 is typed ahead), an empty one for silence, and in quotes what is said: `"una cita"`. What stands behind a `!` is
pressed while the next notice is heard: `1!0`. After the last one the caller hangs up. Whom we have called may be
`(machine)` or `(fax)`.
"""

from __future__ import annotations

import asyncio
import struct
import sys
import wave
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TextIO

from ivr.call import Call, CallerLeft, HouseKeys, Journal
from ivr.conversation import Dialogue, converse
from ivr.keypad import DTMF, Keypad
from ivr.leaving import NotAPerson
from ivr.line import Phrases
from ivr.turn import Digits, Expect, Heard, Key, Keys, Nothing, Notice, Prompt, Recorded, Silence, Speech
from scripts.placeholders import Value
from scripts.spoken_words import alike
from speech.ears import DECOY
from speech.ears.pickup import Verdict

Presses = Callable[[], Awaitable[str | None]]
"""The caller's next press: keys, '"words"' in quotes, "" for silence, None for hanging up."""

NO_PERSON = {"(machine)": "machine", "(fax)": "fax"}
CLEARLY = 4.0
"""The margin of what is said on a terminal: it is understood to the letter, or not at all."""


def murmur(path: str) -> None:
    """Five seconds of a hum, in place of what a caller on a terminal cannot say."""
    rate = 8000
    with wave.open(path, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(struct.pack("<64h", *[4000] * 32, *[-4000] * 32) * (5 * rate // 64))


class Words(Protocol):
    """What of `scripts.wording.Wording` the terminal needs."""

    def text(self, key: str, language: str, /, **params: Value) -> str: ...


@dataclass(frozen=True)
class Turn:
    """What was said together and what was expected of the caller; `at`: the lines of the transcript before it."""

    said: tuple[Prompt, ...]
    language: str
    expect: Expect
    at: int


@dataclass
class Transcript:
    """What happened, a line each; `show` gets each line as it comes."""

    show: Callable[[str], object] | None = None
    lines: list[str] = field(default_factory=list)
    presses: list[str] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)

    def add(self, who: str, what: str) -> None:
        self.lines.append(f"{who}: {what}")
        if self.show is not None:
            self.show(self.lines[-1])

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def as_test(self, dialogue: str) -> str:
        """The test that would reproduce it; its fixture `play` rehearses a dialogue and returns the lines."""
        names = {"*": "star", "#": "hash", "!": "_meanwhile_"}
        pressed = ("".join(names.get(key, key) for key in press) or "silence" for press in self.presses)
        name = "_".join(["test", dialogue, *pressed])
        lines = "".join(f"        {line!r},\n" for line in self.lines)
        return (
            f"async def {name}(play):\n    assert await play({dialogue!r}, press={self.presses!r}) == [\n{lines}    ]\n"
        )


class _Said(Exception):
    """The caller speaks instead of pressing a key."""

    def __init__(self, words: str) -> None:
        super().__init__("something was said")
        self.words = words


def _understood(words: str, expect: Expect) -> Speech:
    grammar = expect.grammar if isinstance(expect, Keys) else None
    ways = {alike(way): label for label, ways in (grammar.phrases if grammar else {}).items() for way in ways}
    label = ways.get(alike(words))
    return Speech(None if label == DECOY else label, CLEARLY, CLEARLY, words)


class TerminalLine:
    """`ivr.call.Line` on a screen."""

    def __init__(self, words: Words, presses: Presses, transcript: Transcript, ears: bool = False) -> None:
        self._ears = ears
        self._words = words
        self._presses = presses
        self._transcript = transcript
        self._keypad = Keypad()
        self._typing: deque[str] = deque()
        self._meanwhile: deque[str] = deque()  # a row of keys for each of the next notices
        self._asked = False
        self._attending: bool | None = None  # until it beeps

    async def play(self, prompts: Sequence[Prompt], language: str, expect: Expect) -> Heard:
        self._keypad.begins(expect)
        self._transcript.turns.append(Turn(tuple(prompts), language, expect, len(self._transcript.lines)))
        for at, prompt in enumerate(prompts):
            if self._keypad.stops(expect):
                break  # typed ahead: on the telephone it would not be heard either
            slowly = "" if prompt.pace == 1 else f" ({prompt.pace:g})"
            self._transcript.add(f"hotline{slowly}", self._text(prompt, language))
            if at == 0 and isinstance(expect, Notice) and self._meanwhile:
                self._press_meanwhile(self._meanwhile.popleft())
        self._asked = False
        try:
            heard = await self._keypad.answer(expect, self._next_keys)
        except _Said as said:
            self._transcript.add("caller", f'"{said.words}"')
            return _understood(said.words, expect)
        except NotAPerson as answered:
            self._transcript.add("caller", f"({answered.who})")
            raise
        while self._typing:
            self._keypad.pressed(self._typing.popleft())
        match heard:
            case Key(typed) | Digits(typed):
                self._transcript.add("caller", typed)
            case Silence() if not isinstance(expect, Nothing | Notice):
                self._transcript.add("caller", "(silence)")
        return heard

    async def record(self, path: str, ending: str, most_s: float, silence_s: int) -> Recorded:
        """A key of `ending` says that five seconds were spoken before it, an empty press that nothing was."""
        self._transcript.add("hotline", "(beep)")
        self._keypad.forget()
        self._asked = False
        try:
            key = await self._next_key(0)
        except CallerLeft:
            murmur(path)
            raise
        if key is None:
            self._transcript.add("caller", "(says nothing)")
            return Recorded(None)
        murmur(path)
        self._transcript.add("caller", f"(speaks) {key}")
        return Recorded(key if key in ending else None)

    def prepare(self, prompts: Sequence[Prompt], language: str) -> None:
        """A wording that lacks a value fails here as it would when it is rendered ahead."""
        for prompt in prompts:
            self._text(prompt, language)

    def hears(self, language: str) -> bool:
        return self._ears

    async def somebody_is_there(self) -> None:
        """There is no dialplan that would need to know."""

    def forget_keys(self) -> None:
        self._keypad.forget()

    def attend(self, *, until_beep: bool, machine: bool = False) -> None:
        self._attending = until_beep

    def attended(self) -> Verdict | None:
        """Nothing was heard."""
        self._attending = None
        return None

    async def set_language(self, language: str) -> None:
        """Nobody else speaks on a terminal."""

    async def hand_over(self, queue: str | None, place: int | None = None) -> None:
        at = f" at place {place}" if place else ""
        self._transcript.add("then", "hang up" if queue is None else f"queue {queue}{at}")

    def _text(self, prompt: Prompt, language: str) -> str:
        return self._words.text(prompt.key, prompt.language or language, **prompt.params)

    def _press_meanwhile(self, keys: str) -> None:
        if keys:
            self._transcript.add("caller", f"{keys} (meanwhile)")  # and once more when it is taken
        for key in keys:
            self._keypad.pressed(key)

    async def _next_keys(self, wait_s: float, most: int) -> str:
        return await self._next_key(wait_s) or ""

    async def _next_key(self, wait_s: float) -> str | None:
        if not self._typing and not self._asked:
            self._asked = True
            press = await self._presses()
            if press is None:
                self._transcript.add("caller", "(hangs up)")
                raise CallerLeft
            self._transcript.presses.append(press)
            if press.startswith('"'):
                raise _Said(press.strip('"'))
            if press in NO_PERSON and self._attending is not None:
                raise NotAPerson(NO_PERSON[press], hears=self._attending and press != "(fax)")
            now, *meanwhile = press.split("!")
            self._typing.extend(now)
            self._meanwhile.extend(meanwhile)
        return self._typing.popleft() if self._typing else None


@dataclass
class TerminalJournal:
    """Shows what is written down (a turn is on the screen already) and passes it on to `journal`, if any."""

    transcript: Transcript
    journal: Journal | None = None

    async def step(self, kind: str, **facts: object) -> None:
        if kind != "turn":
            self.transcript.add("journal", " ".join([kind, *(f"{name}={fact}" for name, fact in facts.items())]))
        if self.journal is not None:
            await self.journal.step(kind, **facts)


def _can_be_done(press: str) -> bool:
    """What a caller can do: press keys, now or while a notice is heard, speak, or be no person."""
    return press.startswith('"') or press in NO_PERSON or not set(press) - set(f"{DTMF}!")


def scripted(presses: Iterable[str]) -> Presses:
    """Raises `ValueError` for a press that no telephone can send."""
    remaining = deque(presses)
    for press in remaining:
        if not _can_be_done(press):
            raise ValueError(
                f"{press!r} is no row of keys: only 0 to 9, * and # are on a telephone; speech is in quotes"
            )

    async def next_press() -> str | None:
        return remaining.popleft() if remaining else None

    return next_press


def typed(source: TextIO | None = None) -> Presses:
    """Somebody at the keyboard: a line of keys, an empty line for silence, the end of input to hang up. What is told
    them stays out of the standard output, which may be read by a program."""
    keyboard: TextIO = source or sys.stdin

    async def next_press() -> str | None:
        while True:
            if keyboard.isatty():
                print("> ", end="", file=sys.stderr, flush=True)
            line = await asyncio.to_thread(keyboard.readline)
            if not line:
                return None
            if _can_be_done(line.strip()):
                return line.strip()
            told = 'Only 0 to 9, * and #, or speech in "quotes". An empty line says nothing, Ctrl-D hangs up.'
            print(told, file=sys.stderr)

    return next_press


async def rehearse(
    dialogue: Dialogue,
    words: Words,
    presses: Presses,
    *,
    language: str = "en",
    caller_number: str | None = None,
    journal: Journal | None = None,
    house: HouseKeys | None = None,
    call_id: str = "terminal-1",
    show: Callable[[str], object] | None = None,
    phrases: Phrases | None = None,
) -> Transcript:
    """Plays `dialogue` to its end, or until the caller hangs up. With `phrases` the line has ears. What the dialogue
    raises passes through."""
    transcript = Transcript(show)
    line = TerminalLine(words, presses, transcript, ears=phrases is not None)
    call = Call(
        call_id,
        "terminal",
        caller_number,
        line,
        TerminalJournal(transcript, journal),
        language,
        house or HouseKeys(),
        phrases,
    )
    try:
        await converse(call, dialogue)
    except CallerLeft:
        return transcript  # it is its last line already
    return transcript
