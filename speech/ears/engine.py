"""An engine as the line sees it: checks what is asked, asks a worker, and says from which margin on an answer counts.

`Several` joins engines: a closed question is answered by the first that hears its language, free speech is written down
by the last. So a site has Vosk for menus where it has a model, and whisper for all else.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from speech.ears import DECOY, LONGEST_S, Ears, EarsFailed, Grammar, Understood, wire
from speech.ears.workers import DEADLINE_S, Workers

RATES = range(8_000, 48_001)
SHORTEST_S = 0.1  # what is shorter is no word
SAMPLE = 2  # bytes


class Engine:
    """Ears of one kind and one model. `async with` starts its workers; raises `EarsFailed` if there is no model."""

    def __init__(
        self,
        kind: str,
        model: Path,
        enough: Mapping[str, float],
        *,
        writes: bool = False,
        workers: int = 1,
        most_waiting: int = 8,
        deadline_s: float = DEADLINE_S,
        changed: Callable[[], object] = lambda: None,
    ) -> None:
        """`kind`: the file of this folder. `enough`: language → margin, for the languages that it hears. `writes`: see
        `Ears.writes`. `changed` is called when what `hears` says may have changed."""
        if not model.is_absolute():
            raise EarsFailed(f"the model's path {model} must be absolute: an engine would look for it on the network")
        self.kind = kind
        self.model = model
        self._enough = dict(enough)
        self._writes = writes
        command = (sys.executable, "-m", "speech.ears.worker", kind, str(model))
        self.workers = Workers(command, workers, most_waiting, deadline_s, changed)

    async def __aenter__(self) -> Engine:
        if not self.model.is_dir():
            raise EarsFailed(f"there is no {self.kind} model in {self.model}: install it there, or name its folder")
        try:
            await self.workers.__aenter__()
        except EarsFailed as failure:
            raise EarsFailed(f"{self.kind} does not start with {self.model}: {failure}") from None
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.workers.__aexit__(*error)

    @property
    def languages(self) -> frozenset[str]:
        """Those that its model knows, whether it has started or not."""
        return frozenset(self._enough)

    def hears(self, language: str) -> bool:
        return language in self._enough and bool(self.workers.processes)

    def enough(self, language: str) -> float:
        return self._enough.get(language, float("inf"))

    def writes(self, language: str) -> bool:
        return self._writes and language in self._enough

    async def closed(self, pcm: bytes, rate: int, grammar: Grammar) -> Understood:
        phrases = {label: list(ways) for label, ways in grammar.phrases.items()}
        return await self._understood(pcm, rate, grammar.language, phrases)

    async def open(self, pcm: bytes, rate: int, language: str) -> Understood:
        return await self._understood(pcm, rate, language, None)

    async def _understood(
        self, pcm: bytes, rate: int, language: str, phrases: dict[str, list[str]] | None
    ) -> Understood:
        if language not in self._enough:
            raise EarsFailed(f"{self.kind} does not hear {language!r}: ask by key")
        if rate not in RATES or len(pcm) % SAMPLE:
            raise EarsFailed(f"this is no sound: {len(pcm)} bytes at {rate} a second")
        if not SHORTEST_S <= len(pcm) / SAMPLE / rate <= LONGEST_S:
            return Understood(None, 0.0)
        head = {"rate": rate, "language": language, "phrases": phrases}
        return _answered(await self.workers.ask(wire.packed(head, pcm)))


class Several:
    """Engines in order: those made for closed questions first, those that write down free speech best last."""

    def __init__(self, engines: Sequence[Ears]) -> None:
        self.engines = tuple(engines)

    def hears(self, language: str) -> bool:
        return any(engine.hears(language) for engine in self.engines)

    def enough(self, language: str) -> float:
        return self._hearing(language)[0].enough(language) if self.hears(language) else float("inf")

    def writes(self, language: str) -> bool:
        return self.hears(language) and self._hearing(language)[0].writes(language)

    async def closed(self, pcm: bytes, rate: int, grammar: Grammar) -> Understood:
        return await self._hearing(grammar.language)[0].closed(pcm, rate, grammar)

    async def open(self, pcm: bytes, rate: int, language: str) -> Understood:
        return await self._hearing(language)[-1].open(pcm, rate, language)

    def _hearing(self, language: str) -> list[Ears]:
        found = [engine for engine in self.engines if engine.hears(language)]
        if not found:
            raise EarsFailed(f"no engine hears {language!r}: ask by key")
        return found


def _answered(answer: dict[str, Any]) -> Understood:
    if "refused" in answer:
        raise EarsFailed(str(answer["refused"]))
    label, text = answer.get("label"), answer.get("text")
    if label in (None, DECOY):
        return Understood(None, 0.0, str(text or ""))
    return Understood(str(label), float(answer["margin"]), str(text or ""))
