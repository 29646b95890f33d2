"""Wording: what callers hear and read, found by text or key, side by side by language, heard before it goes live."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from hospital.editions import Body
from scripts.examples import examples
from scripts.findings import Finding
from scripts.placeholders import WrongValue
from scripts.spoken_words import Words
from scripts.wording import Wording
from scripts.wording_files import FORMS, REFERENCE, Language
from scripts.yaml_lines import FileRefused
from web.doors import pages_of, services
from web.editions import Changes, Standing, save, standing, workshop_of
from web.ports import NotThere
from web.refusals import Refusal

MOST = 40  # rows of a list; who looks for more looks for a word

routes = APIRouter()


@dataclass(frozen=True)
class Sentence:
    """A prompt or a text message in the list. `edition`: '' as shipped, 'draft', or 'changed'."""

    key: str
    kind: str
    heard_in: str
    text: str
    edition: str


@dataclass(frozen=True)
class Side:
    """One language of one prompt: what stands in the fields, and how it is heard on the telephone."""

    language: str
    forms: Mapping[str, str]
    words: str
    spoken: bool
    heard: Mapping[str, str]
    reviewed_by: str
    changed: bool


def _known(request: Request, key: str) -> Wording:
    """The wording without editions, if it has the key."""
    before = workshop_of(request).before()
    if key not in before.languages[REFERENCE].prompts and key not in before.languages[REFERENCE].messages:
        raise Refusal(404, "There is no such sentence.")
    return before


def _with(request: Request, body: Body) -> Wording:
    """The wording with a draft in it; a draft that is refused is shown over what was before."""
    try:
        return workshop_of(request).words(body)
    except FileRefused:
        return workshop_of(request).before()


@routes.get("/wording")
async def page(request: Request, visitor: Changes, q: str = "", language: str = REFERENCE) -> Response:
    values = await _list(request, q, language)
    return pages_of(request).show(request, "wording/page.html", **values)


@routes.get("/wording/list")
async def part(request: Request, visitor: Changes, q: str = "", language: str = REFERENCE) -> Response:
    return pages_of(request).part(request, "wording/list.html", **await _list(request, q, language))


async def _list(request: Request, q: str, language: str) -> dict[str, Any]:
    now, before = await standing(request, "wording"), workshop_of(request).before()
    language = language if language in before.languages else REFERENCE
    words = _with(request, now.body)
    found = _search(before, words, q[:200], language, now)
    return {
        "q": q[:200],
        "language": language,
        "tags": list(before.languages),
        "found": found[:MOST],
        "count": len(found),
        "standing": now,
    }


def _search(before: Wording, words: Wording, q: str, language: str, now: Standing) -> list[Sentence]:
    """By key, or by any form in any language; the text is shown in `language`."""
    sought = q.casefold().split()
    reference = before.languages[REFERENCE]
    found = []
    for kind, keys in (("prompts", reference.prompts), ("messages", reference.messages)):
        for key in sorted(keys):
            if all(part in _all_text(words, kind, key) for part in sought):
                where = _heard_in(before, kind, key)
                found.append(Sentence(key, kind, where, _text(words, kind, key, language), _edition(now, kind, key)))
    return found


def _heard_in(before: Wording, kind: str, key: str) -> str:
    reference = before.languages[REFERENCE]
    if kind == "prompts":
        return reference.files.get(key, "site")
    return {"letters": "letter", "pages": "page of a link"}.get(reference.written_in.get(key, ""), "text message")


def _all_text(words: Wording, kind: str, key: str) -> str:
    parts = [key, key.replace("_", " ")]
    for language in words.languages.values():
        said = language.prompts.get(key, {}).values() if kind == "prompts" else [language.messages.get(key, "")]
        parts.extend(said)
    return " ".join(parts).casefold()


def _text(words: Wording, kind: str, key: str, language: str) -> str:
    one = words.languages[language]
    return one.prompts.get(key, {}).get("text", "") if kind == "prompts" else one.messages.get(key, "")


def _edition(now: Standing, kind: str, key: str) -> str:
    if now.draft is not None and _entries(now.draft.body, kind, key) != _entries(now.live, kind, key):
        return "draft"
    return "changed" if _entries(now.live, kind, key) else ""


def _entries(body: Body, kind: str, key: str) -> dict[str, Any]:
    return {tag: parts[kind][key] for tag, parts in (body or {}).items() if key in parts.get(kind, {})}


@routes.get("/wording/{key}")
async def one(request: Request, visitor: Changes, key: str) -> Response:
    return pages_of(request).show(request, "wording/one.html", **await _one(request, key))


async def _one(request: Request, key: str, findings: list[Finding] | None = None) -> dict[str, Any]:
    before, now = _known(request, key), await standing(request, "wording")
    kind = "prompts" if key in before.languages[REFERENCE].prompts else "messages"
    words = _with(request, now.body)
    offered = [tag for tag in before.languages if tag in services(request).facts.languages] or list(before.languages)
    if findings is None and now.draft is not None:
        findings = await workshop_of(request).check("wording", now.draft.body)
    return {
        "name": key,
        "kind": kind,
        "heard_in": _heard_in(before, kind, key),
        "forms": _forms_of(before, kind, key),
        "sides": [_side(before, words, now.body, kind, key, tag) for tag in offered],
        "has_words": key in before.languages[REFERENCE].words,
        "standing": now,
        "findings": [finding for finding in findings or [] if key in finding.where or key in finding.what],
    }


def _forms_of(before: Wording, kind: str, key: str) -> tuple[str, ...]:
    if kind == "messages":
        return ("text",)
    there = before.languages[REFERENCE].prompts[key]
    return tuple(form for form in FORMS if form in there)


def _side(before: Wording, words: Wording, body: Body, kind: str, key: str, tag: str) -> Side:
    entry = _entries(body, kind, key).get(tag)
    shipped = before.languages[tag]
    said = shipped.words.get(key, {})
    if entry is None:
        forms = dict(shipped.prompts.get(key, {})) if kind == "prompts" else {"text": shipped.messages.get(key, "")}
    elif isinstance(entry, str):
        forms, said = {"text": entry}, {}
    else:
        forms = {form: text for form, text in entry.items() if form in FORMS}
        said = {pressed: tuple(ways) for pressed, ways in entry.get("words", {}).items()}
    reviewed = (body or {}).get(tag, {}).get("reviewed_by", {}).get(key, "")
    if not reviewed and entry is None:
        reviewed = _reviewer_of_file(shipped, kind, key)
    return Side(
        tag, forms, _as_lines(said), shipped.spoken, _heard(words, kind, key, tag, forms), reviewed, entry is not None
    )


def _reviewer_of_file(shipped: Language, kind: str, key: str) -> str:
    prompts = f"/prompts/{shipped.files.get(key, '')}.yaml"
    name = prompts if kind == "prompts" else f"/{shipped.written_in.get(key, '')}.yaml"
    return next((who for file, who in shipped.reviewed.items() if file.endswith(name) and who), "")


def _heard(words: Wording, kind: str, key: str, tag: str, forms: Mapping[str, str]) -> dict[str, str]:
    """On the telephone, with example values."""
    if kind == "messages":
        return {}
    heard = {}
    for form in forms:
        try:
            name = key if form == "text" else f"{key}.{form}"
            heard[form] = words.text(name, tag, **examples(words.site.zone))
        except WrongValue:
            heard[form] = ""
    return heard


def _as_lines(said: Words) -> str:
    return "\n".join(f"{pressed}: {', '.join(ways)}" for pressed, ways in said.items())


def _as_words(lines: str) -> dict[str, list[str]]:
    """As `_as_lines` wrote them; a line without a key is kept under none, for the check to refuse."""
    found: dict[str, list[str]] = {}
    for line in filter(None, map(str.strip, lines.splitlines())):
        pressed, _, ways = line.partition(":")
        found[pressed.strip()] = [way.strip() for way in ways.split(",") if way.strip()]
    return found


@routes.post("/wording/{key}")
async def change(request: Request, visitor: Changes, key: str) -> Response:
    """All languages of one sentence, as the form has them, into the draft."""
    before, now = _known(request, key), await standing(request, "wording")
    kind = "prompts" if key in before.languages[REFERENCE].prompts else "messages"
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    body: dict[str, Any] = deepcopy(dict(now.body or {}))
    for tag in before.languages:
        if f"{tag}.text" in form:
            _put(body, before, kind, key, tag, {name.removeprefix(f"{tag}."): text for name, text in form.items()})
    await save(request, visitor, "wording", body or None, form.get("seen", ""))
    return pages_of(request).part(request, "wording/editor.html", **await _one(request, key))


def _put(body: dict[str, Any], before: Wording, kind: str, key: str, tag: str, form: Mapping[str, str]) -> None:
    """What is as shipped stands in no edition: an update of the hotline then brings the better sentence."""
    parts = body.setdefault(tag, {})
    shipped = before.languages[tag]
    forms = {name: _one_line(form[name]) for name in FORMS if form.get(name, "").strip()}
    said = _as_words(form.get("words", ""))
    if kind == "messages":
        entry: Any = forms.get("text", "")
        same = entry == shipped.messages.get(key)
    else:
        there = {pressed: list(ways) for pressed, ways in shipped.words.get(key, {}).items()}
        kept = {name: text for name, text in shipped.prompts.get(key, {}).items() if name not in FORMS}
        entry = {**forms, **kept, **({"words": said} if said else {})}
        same = {**forms, **kept} == dict(shipped.prompts.get(key, {})) and said == there
        if not forms and not shipped.prompts.get(key):
            same = True  # a language that lacks it, and still does
    _keep(parts, kind, key, None if same else entry)
    reviewer = form.get("reviewed_by", "").strip()
    by_file = _reviewer_of_file(shipped, kind, key)
    _keep(parts, "reviewed_by", key, reviewer if reviewer and not (same and reviewer == by_file) else None)
    if not parts:
        del body[tag]


def _keep(parts: dict[str, Any], kind: str, key: str, entry: Any) -> None:
    entries = parts.setdefault(kind, {})
    if entry is None:
        entries.pop(key, None)
    else:
        entries[key] = entry
    if not entries:
        del parts[kind]


def _one_line(text: str) -> str:
    return " ".join(text.split())


@routes.get("/wording/{key}/sound")
async def sound(
    request: Request, visitor: Changes, key: str, language: str = REFERENCE, form: str = "text"
) -> Response:
    """The draft's sentence, spoken by the site's voice."""
    before = _known(request, key)
    if language not in before.languages or form not in FORMS:
        raise Refusal(404, "There is no such sentence.")
    now = await standing(request, "wording")
    try:
        name = key if form == "text" else f"{key}.{form}"
        return Response(await workshop_of(request).sound(name, language, now.body), media_type="audio/wav")
    except (NotThere, FileRefused):
        raise Refusal(404, "No voice can say it as it stands. Check the draft.") from None
