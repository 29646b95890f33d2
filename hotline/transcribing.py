"""Writing down what callers left by voice: behind everything else, one message at a time, going on after a restart.

Recognisers of its own, so that no caller waits for one; they are started when something is due, have the lowest
priority, and end when all is done. What was written down is searched for alarms as a text message is, in every
language, and one raises a red flag (`hospital/voice_alarms.py`). What was said is in no log.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
import os
import wave
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from hospital import transcripts, voice_alarms
from hospital.clocks import Clocks
from hospital.clocks import due as clock_of
from hospital.database import Database
from hospital.transcripts import Due, Sentence
from recordings.replay import Replay
from scripts import vocabulary
from speech.ears import EarsFailed, red_flags
from speech.ears.engine import Engine
from speech.ears.sentences import pieces

log = logging.getLogger(__name__)

LOWEST = 15  # niceness
RESTS = 60  # rounds without a try, after the ears did not start
MODELS = ("model.bin", "am/final.mdl")  # the file that tells a model's version, by engine


class Transcriber:
    """`engines` makes them anew for each round of work; the first that has the language writes it down."""

    def __init__(
        self,
        database: Database,
        replay: Replay,
        engines: Callable[[], Sequence[Engine]],
        languages: frozenset[str],
        now: Callable[[], datetime],
        clocks: Clocks,
    ) -> None:
        self._database, self._replay, self._engines = database, replay, engines
        self._languages, self._now, self._clocks = languages, now, clocks
        self._rest = 0

    async def work(self) -> int:
        """Transcribes all that is due. How many it was; where the ears do not start, nothing is tried for a while."""
        if self._rest:
            self._rest -= 1
            return 0
        await self._database.run(transcripts.given_up)
        done = 0
        async with AsyncExitStack() as stack:
            engines, started = self._engines(), list[Engine]()
            while (due := await self._database.run(transcripts.due, self._languages)) is not None:
                engine = next((one for one in engines if due.language in one.languages), None)
                try:
                    if engine is None:
                        raise EarsFailed(f"no model for {due.language} is installed")
                    if engine not in started:
                        await stack.enter_async_context(engine)
                        started.append(engine)
                        for pid in engine.workers.processes:
                            _step_back(pid)
                except EarsFailed as failure:
                    log.warning("messages are not transcribed: %s", failure)
                    self._rest = RESTS
                    break
                await self._database.run(transcripts.begin, due)
                try:
                    await self._write_down(engine, due)
                    done += 1
                except Exception as failure:  # of a disk, of a damaged file: whatever it was, the next one may do
                    log.warning("recording %s was not transcribed (%s)", due.recording_id, type(failure).__name__)
                    await self._database.run(transcripts.failed, due)
        return done

    async def _write_down(self, engine: Engine, due: Due) -> None:
        with await self._replay.open(due.recording_id) as sealed:
            content = await asyncio.to_thread(lambda: b"".join(sealed.stream(0, sealed.size)))
        with wave.open(io.BytesIO(content), "rb") as file:
            rate, pcm = file.getframerate(), file.readframes(file.getnframes())
        sentences: list[Sentence] = []
        for begins, ends in await asyncio.to_thread(pieces, pcm, rate):
            part = pcm[2 * int(begins * rate) : 2 * int(ends * rate)]
            words = (await engine.open(part, rate, due.language)).text.strip()
            if words:
                sentences.append(Sentence(begins, ends, words))
        name = await asyncio.to_thread(_version, engine.kind, engine.model)
        alarm = await asyncio.to_thread(alarming, [one.words for one in sentences])
        if await self._database.run(self._keep, due, sentences, name, alarm):
            log.warning(
                "recording %s: words that mean urgent help were left by voice; a red flag is open", due.recording_id
            )

    def _keep(self, session: Session, due: Due, sentences: list[Sentence], name: str, alarm: bool) -> bool:
        """Whether it has raised a red flag."""
        at = self._now()
        if not transcripts.heard(session, due, sentences, name, at) or not alarm:
            return False
        voice_alarms.raise_alarm(session, due.case_id, at, clock_of("red_flag", at, self._clocks))
        return True


def alarming(sentences: Sequence[str]) -> bool:
    """Each for itself, so that a "no" before a pause denies nothing; and all together, as a pause may part an alarm."""
    known = vocabulary.alarms()
    return any(red_flags.written(words, known) for words in (*sentences, " ".join(sentences)))


def _step_back(pid: int) -> None:
    """A process and the threads that it has begun: on Linux each has a priority of its own."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, int(thread.name), LOWEST)


def _version(kind: str, folder: Path) -> str:
    """ "whisper whisper-base 3e305921": the engine, its model, and the beginning of the model's SHA-256."""
    model = next((folder / name for name in MODELS if (folder / name).is_file()), None)
    if model is None:
        return f"{kind} {folder.name}"
    with model.open("rb") as file:
        return f"{kind} {folder.name} {hashlib.file_digest(file, 'sha256').hexdigest()[:8]}"
