"""Rendering beforehand: the dialplan's own prompts under fixed names, and all that is the same for every
caller.

The dialplan plays `/hotline/sounds/${CHANNEL(language)}/static/<key>` when no process of ours can be
asked, so each language must have each of them; one that is not spoken gets the reference language's
sound.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path

from speech.cache import AT_LEISURE
from speech.speaker import Speaker
from speech.store import FORMATS, link

Progress = Callable[[int, int, str], None]  # how many are done, of how many, and which one was the last


def silent(done: int, of: int, what: str) -> None:
    """No progress is shown."""


async def publish_static(
    speaker: Speaker,
    keys: Sequence[str],
    languages: Sequence[str],
    progress: Progress = silent,
    *,
    within: float = AT_LEISURE,
) -> int:
    """Render and put in place `<sounds>/<language>/static/<key>.{sln16,sln}`. Returns how many
    prompts there are. `within`: see `PromptCache.render`.

    What was there is replaced at once, also while it is being played. Raises `VoiceFailed` or `OSError`.
    """
    wanted = [(language, key) for language in languages for key in keys]

    async def one(language: str, key: str) -> str:
        path = await speaker.file(key, language, {}, within=within)
        await asyncio.to_thread(_put, path, speaker.cache.sounds / language / "static" / key)
        return f"{language}/{key}"

    return await _all([one(language, key) for language, key in wanted], progress)


async def render_ahead(
    speaker: Speaker,
    keys: Iterable[str],
    languages: Sequence[str],
    progress: Progress = silent,
    *,
    within: float = AT_LEISURE,
) -> int:
    """Render every prompt of `keys` (forms too: "main_menu.short") that needs no values, so that no
    caller waits.
    """
    wanted = [(language, key) for language in languages for key in keys if speaker.sentences.is_static(key)]

    async def one(language: str, key: str) -> str:
        await speaker.file(key, language, {}, within=within)
        return f"{language}/{key}"

    return await _all([one(language, key) for language, key in wanted], progress)


async def _all(renderings: Sequence[Coroutine[None, None, str]], progress: Progress) -> int:
    tasks = [asyncio.create_task(rendering) for rendering in renderings]
    try:
        for done, task in enumerate(asyncio.as_completed(tasks), 1):
            progress(done, len(tasks), await task)
    finally:
        # After a first failure, which is raised as it is, the others are of no use.
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return len(tasks)


def _put(source: Path, path: Path) -> None:
    for extension in FORMATS:
        link(source.with_suffix(f".{extension}"), path.with_name(f"{path.name}.{extension}"))
