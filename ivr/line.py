"""What a Call needs of others: a line that carries it, a journal, and what may be said instead of keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ivr.turn import Expect, Heard, Prompt, Recorded
from speech.ears import Grammar
from speech.ears.pickup import Verdict


class Journal(Protocol):
    async def step(self, kind: str, **facts: object) -> None:
        """Writes one step of the call, at once and durably. Facts are JSON values without personal data."""


class Line(Protocol):
    """What carries a call: AGI (`agi_call.py`), AGI with ears (`voice_line.py`), the terminal (`terminal.py`)."""

    async def play(self, prompts: Sequence[Prompt], language: str, expect: Expect) -> Heard:
        """Speaks the sentences, in `language` where they name none, and returns the answer (`Silence` for
        `Nothing`, and for a `Notice` that no key of its own has stopped). Raises `CallerLeft`."""

    async def record(self, path: str, ending: str, most_s: float, silence_s: int) -> Recorded:
        """After a beep: records the caller to `path` until a key of `ending`, `silence_s` of silence or `most_s`.
        Keys pressed before and during the beep do nothing. Raises `CallerLeft`; what was said is in the file."""

    def prepare(self, prompts: Sequence[Prompt], language: str) -> None:
        """Begins to render what will probably be said next. Returns at once and never raises."""

    def hears(self, language: str) -> bool:
        """Whether a menu may be answered by voice: then what is expected carries a grammar."""

    def forget_keys(self) -> None:
        """Drops what was typed ahead: after a wrong key it was meant for another question."""

    def attend(self, *, until_beep: bool, machine: bool = False) -> None:
        """We have called and somebody has picked up. Until a key, or an answer that is sure, `play` raises `NotAPerson`
        where a machine or a fax has; `until_beep`: not before a machine takes a message. `machine`: it is known to
        be one. A line that brings no sound to us notices nothing."""

    def attended(self) -> Verdict | None:
        """Who has picked up, as far as it was heard; asked once, it ends that."""

    async def somebody_is_there(self) -> None:
        """In a call of ours a person has answered: should we die, they are not left alone, as a machine is."""

    async def set_language(self, language: str) -> None:
        """What Asterisk says later to this caller (queue, apology) is said in this language."""

    async def hand_over(self, queue: str | None, place: int | None = None) -> None:
        """Says what the dialplan does after us: `queue`, or hang up for None. `place`: where in it, else at its end."""


class Phrases(Protocol):
    """What may be said instead of a key; labels are keys. `ivr.phrasebook.Phrasebook` from the wording."""

    def menu(self, question: Sequence[Prompt], keys: str, language: str) -> Grammar | None: ...

    def yes_or_no(self, language: str) -> Grammar | None: ...

    def house_key(self, words: str, language: str) -> str | None:
        """The house's key that a caller's own words ask for, the urgent one before all."""

    def alarm(self, language: str) -> str:
        """How an alarm is said back."""
