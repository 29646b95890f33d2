"""Prompts: a person's own voice for what callers hear, sentence by sentence: recorded, listened to, approved.

What is approved is heard at the next call. Each recording, approval and withdrawal is audited by the sound's hash; the
speaker's name stands beside the sound, not in the audit chain."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from hospital import audit
from web import words
from web.doors import Door, Visitor, pages_of, services
from web.ports import OwnPrompts, PromptLine
from web.refusals import Refusal

Records = Annotated[Visitor, Depends(Door("prompts.record"))]
NAME_LENGTH = 80
NOT_NEEDED = "Not needed for a whole call"

routes = APIRouter()


def _own(request: Request) -> OwnPrompts:
    found = services(request).own_prompts
    if found is None:
        raise Refusal(404, "This hotline has no voices of its own.")
    return found


async def _known(request: Request, language: str, key: str) -> OwnPrompts:
    """Both become file names: only those that the wording has."""
    own = _own(request)
    if not await own.has(language, key):
        raise Refusal(404, "There is no such sentence. Its wording may have been changed.")
    return own


def _sections(lines: list[PromptLine]) -> dict[str, list[PromptLine]]:
    """As in a call, under what they are for; what a whole call does not need comes last."""
    found: dict[str, list[PromptLine]] = {title: [] for title in (*words.PROMPT_DIALOGUES.values(), NOT_NEEDED)}
    for line in lines:
        title = words.say(words.PROMPT_DIALOGUES, line.dialogue) if line.needed else NOT_NEEDED
        found.setdefault(title, []).append(line)
    return {title: group for title, group in found.items() if group}


def _unfinished(line: PromptLine) -> bool:
    return line.state != "approved" or line.new is not None


async def _shown(request: Request, visitor: Visitor, language: str, key: str | None) -> Response:
    own = _own(request)
    if language not in own.languages:
        raise Refusal(404, "Callers cannot choose this language here.")
    found, progress = await own.lines(language)
    sections = _sections(found)
    lines = [line for group in sections.values() for line in group]
    if not lines:
        raise Refusal(404, "Nothing is written in this language yet.")
    first = next((line for line in lines if _unfinished(line)), lines[0])
    chosen = first if key is None else next((line for line in lines if line.key == key), None)
    if chosen is None:
        raise Refusal(404, "There is no such sentence. Its wording may have been changed.")
    at = lines.index(chosen)
    newest = max((line.approved for line in lines if line.approved), key=lambda take: take.at, default=None)
    mine = visitor.account.display_name if visitor.account.role == "speaker" else ""
    return pages_of(request).show(
        request,
        "prompts/page.html",
        languages=own.languages,
        language=language,
        sections=sections,
        chosen=chosen,
        after=next((line for line in [*lines[at + 1 :], *lines[:at]] if _unfinished(line)), None),
        progress=progress,
        speaker=newest.speaker if newest else mine,
        now=services(request).clock(),
    )


async def _written_down(
    request: Request, visitor: Visitor, action: str, language: str, key: str, **detail: str
) -> None:
    house = services(request)
    subject = f"prompt:{language}/{key}"
    await house.database.run(audit.record, visitor.account_id, action, subject, house.clock(), **detail)


@routes.get("/prompts")
async def start(request: Request, visitor: Records) -> Response:
    languages = _own(request).languages
    if not languages:
        raise Refusal(404, "Callers cannot choose a language here.")
    return RedirectResponse(f"/prompts/{quote(languages[0])}", 303)


@routes.get("/prompts/{language}")
async def page(request: Request, visitor: Records, language: str) -> Response:
    return await _shown(request, visitor, language, None)


@routes.get("/prompts/{language}/{key}")
async def one(request: Request, visitor: Records, language: str, key: str) -> Response:
    return await _shown(request, visitor, language, key)


@routes.get("/prompts/{language}/{key}/sound/{digest}")
async def sound(request: Request, visitor: Records, language: str, key: str, digest: str) -> Response:
    own = await _known(request, language, key)
    found = await own.sound(language, key, digest)
    if found is None:
        raise Refusal(404, "This recording is not there any more. Reload the page.")
    return Response(found, media_type="audio/wav")


@routes.post("/prompts/{language}/{key}/take")
async def take(request: Request, visitor: Records, language: str, key: str) -> Response:
    """The body is a WAV: what the microphone heard, or a file that the browser has opened."""
    own = await _known(request, language, key)
    content = await request.body()
    refusal = await own.keep(language, key, content, visitor.account_id, services(request).clock())
    if refusal is not None:
        raise Refusal(422, refusal)
    await _written_down(request, visitor, "prompt.recorded", language, key)
    return Response(status_code=204)


@routes.post("/prompts/{language}/{key}/approve")
async def approve(
    request: Request,
    visitor: Records,
    language: str,
    key: str,
    digest: Annotated[str, Form()],
    speaker: Annotated[str, Form()] = "",
    consent: Annotated[str, Form()] = "",
) -> Response:
    own = await _known(request, language, key)
    name = " ".join(speaker.split())
    if not 0 < len(name) <= NAME_LENGTH:
        raise Refusal(422, "Say whose voice it is: a recording is approved under its speaker's name.")
    if consent != "yes":
        raise Refusal(422, "The speaker must have agreed that callers hear this recording.")
    if not await own.approve(language, key, digest, name, visitor.account_id, services(request).clock()):
        raise Refusal(409, "There is a newer recording of this sentence. Reload the page and listen to it first.")
    await _written_down(request, visitor, "prompt.approved", language, key, sound=digest)
    return await _shown(request, visitor, language, key)


@routes.post("/prompts/{language}/{key}/withdraw")
async def withdraw(request: Request, visitor: Records, language: str, key: str) -> Response:
    own = await _known(request, language, key)
    if not await own.withdraw(language, key):
        raise Refusal(409, "Callers do not hear it any more.")
    await _written_down(request, visitor, "prompt.withdrawn", language, key)
    return await _shown(request, visitor, language, key)
