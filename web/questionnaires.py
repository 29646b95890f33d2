"""Questionnaires: written as the text of their file, checked by line, published as a new version.

A draft is kept whatever is wrong in it. What is published is asked from the next task on; a task that was planned keeps
the version that it was planned with."""

import asyncio
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

from hospital import questionnaires
from hospital.accounts import Account
from hospital.database import storable
from hospital.editions import Overtaken
from hospital.followups import FollowUpTask
from hospital.questionnaires import Draft
from hospital.questionnaires import Questionnaire as Version
from scripts import questionnaire_source, signs
from scripts.fhir_export import as_fhir
from scripts.fhir_questionnaire import ImportRefused, read_fhir
from scripts.questionnaire import Item, Questionnaire
from scripts.questionnaire_files import kept, load_questionnaires, read_source
from scripts.yaml_lines import FileRefused
from web.doors import pages_of, services
from web.editions import OVERTAKEN, Changes, Field
from web.followup_view import department_names
from web.plans import left_out, plans
from web.refusals import Refusal

CODE = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{questionnaires.LONGEST_CODE - 1}}}")
WAITING = ("open", "calling", "wrap_up", "review")
LONGEST = 200_000  # letters

routes = APIRouter()


@dataclass(frozen=True)
class Found:
    """What is wrong in a draft: on which line, and what stands there."""

    line: int
    written: str
    what: str
    stops: bool = True


@dataclass(frozen=True)
class Used:
    plans: tuple[str, ...]
    waiting: int  # tasks that will be asked, of any version


@dataclass(frozen=True)
class Listed:
    code: str
    version: Version | None
    asked: Questionnaire | None
    draft: bool
    used: Used


@dataclass(frozen=True)
class Standing:
    """How a questionnaire stands: its draft, and its versions with who published them, the newest first."""

    code: str
    draft: Draft | None
    drafted_by: str
    history: list[tuple[Version, str]]
    used: Used

    @property
    def source(self) -> str:
        """What an editor goes on from."""
        if self.draft is not None:
            return self.draft.source
        return source_of(self.history[0][0]) if self.history else questionnaire_source.new(self.code)

    @property
    def seen(self) -> str:
        return self.draft.changed_at.isoformat() if self.draft else ""


def source_of(version: Version) -> str:
    """As it was written, else its shipped file, else its data written out."""
    shipped = questionnaire_source.shipped(version.code, version.sha256)
    return version.source or shipped or questionnaire_source.written(version.body)


def languages_of(asked: Questionnaire) -> list[str]:
    return sorted({tag for text in asked.texts() for tag in text.by_language})


def check(
    source: str, code: str, offered: Collection[str], departments: Collection[str] = ()
) -> tuple[Questionnaire | None, list[Found]]:
    """The draft as it would be asked, where it can be; and all that is found in it. `departments`: those that there
    are."""
    lines = source.splitlines()
    try:
        asked = read_source(source, code)
    except FileRefused as refusal:
        return None, [
            Found(one.line, lines[one.line - 1].strip()[:120] if 0 < one.line <= len(lines) else "", one.what)
            for one in refusal.problems
        ]
    found = []
    for tag in offered:
        missing = [text for text in asked.texts() if text and tag not in text.by_language]
        if missing:
            found.append(Found(0, missing[0].of("en").text, f"{len(missing)} texts have no '{tag}' wording", False))
    found += [Found(0, "", line, False) for line in signs.lost(asked)]
    found += [Found(0, item.text.of("en").text, what, False) for item, what in _unweighed(asked)]
    for rule in asked.rules if departments else ():
        if rule.change.revisit and rule.change.revisit not in departments:
            what = f"there is no department '{rule.change.revisit}': its visit can't be offered"
            found.append(Found(0, rule.text.of("en").text, what, False))
    return asked, found


def _unweighed(asked: Questionnaire) -> Iterator[tuple[Item, str]]:
    """Questions of a score that may be answered by what counts nothing, and what that does."""
    for score in asked.scores:
        for item in (asked.by_link_id[link_id] for link_id in score.link_ids):
            codes = [option.code for option in item.options if option.score is None and not item.repeats]
            if codes:
                yield (
                    item,
                    f"no score: {', '.join(codes)}. After such an answer '{score.id}' is not whole, it has no band",
                )


async def standing(request: Request, code: str) -> Standing:
    if not CODE.fullmatch(code):
        raise Refusal(404, "A questionnaire's code has small letters, digits and hyphens: discharge-day3.")
    return await services(request).database.run(_standing, code)


def _standing(session: Session, code: str) -> Standing:
    names = {account.id: account.display_name for account in session.scalars(select(Account))}
    draft = questionnaires.draft(session, code)
    history = [
        (one, names.get(one.published_by, "?") if one.published_by else "the hotline's own, or by command")
        for one in questionnaires.history(session, code)
    ]
    return Standing(code, draft, names.get(draft.changed_by, "?") if draft else "", history, _used(session, code))


def _used(session: Session, code: str) -> Used:
    waiting = (
        select(func.count())
        .select_from(FollowUpTask)
        .join(Version, Version.id == FollowUpTask.questionnaire_id)
        .where(Version.code == code, FollowUpTask.state.in_(WAITING))
    )
    named = tuple(name for name, plan in plans().items() if any(code == step.questionnaire for step in plan.steps))
    return Used(named, session.scalar(waiting) or 0)


def _listed(session: Session) -> list[Listed]:
    found = []
    for code in questionnaires.codes(session):
        newest = questionnaires.newest(session, code)
        try:
            asked = kept(newest.body) if newest else None
        except FileRefused:
            asked = None  # an older hotline's, which this one does not read
        draft = questionnaires.draft(session, code) is not None
        found.append(Listed(code, newest, asked, draft, _used(session, code)))
    return found


@routes.get("/questionnaires")
async def page(request: Request, visitor: Changes, code: str = "") -> Response:
    """All of them; with a code, to that one, which may not be there yet."""
    if code:
        return RedirectResponse(f"/questionnaires/{(await standing(request, code.strip())).code}", 303)
    found = await services(request).database.run(_listed)
    shown: dict[str, Any] = {"listed": found, "languages_of": languages_of, "left_out": left_out()}
    return pages_of(request).show(request, "questionnaires/list.html", **shown)


@routes.post("/questionnaires/import")
async def take_in(request: Request, visitor: Changes) -> Response:
    """A FHIR R4 Questionnaire becomes a draft; what could not be represented is told item by item."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Refusal(422, "Choose a file first.")
    async with request.form() as form:
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            raise Refusal(422, "Choose a file first.")
        content = await file.read()
    told: dict[str, Any] = {"code": "", "left_out": (), "problems": ()}
    house = services(request)
    try:
        found = await asyncio.to_thread(read_fhir, content)
    except ImportRefused as refusal:
        return pages_of(request).part(request, "questionnaires/imported.html", **told | {"problems": refusal.problems})
    made = found.questionnaire
    code = await house.database.run(questionnaires.own_code, made.id, made.url, load_questionnaires()[0])
    source = await asyncio.to_thread(_as_text, made.body, code)
    if source is None:
        what = f"It is too large for this page, more than {LONGEST:,} letters as YAML"
        raise Refusal(422, f"{what}: hotline questionnaire import FILE reads it.")
    try:
        await house.database.run(questionnaires.save, code, source, visitor.account_id, house.clock(), None)
    except Overtaken:
        raise Refusal(409, f"There is a draft of {code} already. Publish it or throw it away, then import.") from None
    return pages_of(request).part(
        request, "questionnaires/imported.html", **told | {"code": code, "left_out": found.left_out}
    )


def _as_text(body: str, code: str) -> str | None:
    """None where it is longer than is kept; what is much too long is not written first."""
    written = questionnaire_source.written({**json.loads(body), "id": code}) if len(body) <= 4 * LONGEST else ""
    return written if 0 < len(written) <= LONGEST else None


async def _values(request: Request, code: str, told: str = "") -> dict[str, Any]:
    house, now = services(request), await standing(request, code)
    departments = await house.database.run(department_names)
    asked, found = await asyncio.to_thread(check, now.source, code, house.facts.languages, departments)
    return {
        "standing": now,
        "asked": asked,
        "found": found,
        "no_place": _no_place(now),
        "told": told,
        "now": house.clock(),
        "languages": house.facts.languages,
    }


@routes.get("/questionnaires/{code}")
async def one(request: Request, visitor: Changes, code: str) -> Response:
    return pages_of(request).show(request, "questionnaires/page.html", **await _values(request, code))


async def _part(request: Request, code: str, told: str = "") -> Response:
    return pages_of(request).part(request, "questionnaires/editor.html", **await _values(request, code, told))


def _moment(seen: str) -> datetime | None:
    try:
        return datetime.fromisoformat(seen) if seen else None
    except ValueError:
        raise Refusal(422, "This page is out of date. Reload it and try again.") from None


def _text(sent: str) -> str:
    """A text area's, as a draft is kept."""
    return storable(sent.replace("\r\n", "\n"))


@routes.post("/questionnaires/{code}")
async def save(request: Request, visitor: Changes, code: str, source: Field = "", seen: Field = "") -> Response:
    """The text as the form has it, kept whatever is wrong in it."""
    house = services(request)
    await standing(request, code)
    if len(source) > LONGEST:
        raise Refusal(422, f"A questionnaire of more than {LONGEST:,} letters is not kept.")
    try:
        await house.database.run(
            questionnaires.save, code, _text(source), visitor.account_id, house.clock(), _moment(seen)
        )
    except Overtaken:
        raise Refusal(409, OVERTAKEN) from None
    return await _part(request, code)


@routes.post("/questionnaires/{code}/publish")
async def publish(
    request: Request, visitor: Changes, code: str, why: Field = "", seen: Field = "", source: Field = ""
) -> Response:
    """With a reason, and with nothing in it that stops. `source`: what stands in the editor, which is the draft."""
    house, now, at = services(request), await standing(request, code), _moment(seen)
    if now.draft is None or at is None or now.draft.changed_at != at:
        raise Refusal(409, OVERTAKEN)
    if _text(source) != now.draft.source:
        raise Refusal(409, "Not published: save and check what you typed first.")
    if not why.strip():
        raise Refusal(422, "Say why it is changed: whoever looks for the reason in a year will thank you.")
    asked, _ = await asyncio.to_thread(check, now.source, code, ())
    if asked is None:
        raise Refusal(422, "Not published: mend what stops it first.")
    if now.history and now.history[0][0].sha256 == asked.sha256:
        raise Refusal(409, "Nothing is changed: it is asked like this already.")
    content = json.loads(asked.body), asked.sha256
    try:
        made = await house.database.run(
            questionnaires.publish_draft, code, content, visitor.account_id, house.clock(), why, at
        )
    except Overtaken:
        raise Refusal(409, OVERTAKEN) from None
    return await _part(request, code, f"Published as version {made.version}. What is planned from now on asks it.")


@routes.post("/questionnaires/{code}/discard")
async def discard(request: Request, visitor: Changes, code: str) -> Response:
    house, now = services(request), await standing(request, code)
    if not await house.database.run(questionnaires.discard, now.code, visitor.account_id, house.clock()):
        raise Refusal(409, "There is no draft.")
    return await _part(request, code)


@routes.post("/questionnaires/{code}/restore/{number}")
async def restore(request: Request, visitor: Changes, code: str, number: str) -> Response:
    """An older version is asked again. It is read again first: the hotline that it was written for may be gone."""
    house, now = services(request), await standing(request, code)
    version = _version(now, number)
    try:
        kept(version.body)
    except FileRefused:
        raise Refusal(422, "This version does not fit any more. Take its text as a draft and mend it.") from None
    await house.database.run(questionnaires.restore, code, version.version, visitor.account_id, house.clock())
    return await _part(request, code, f"Version {version.version} is asked again.")


def _version(now: Standing, number: str) -> Version:
    found = next((one for one, _ in now.history if str(one.version) == number), None)
    if found is None:
        raise Refusal(404, "There is no such version.")
    return found


@routes.get("/questionnaires/{code}/yaml/{number}")
async def download(request: Request, visitor: Changes, code: str, number: str) -> Response:
    now = await standing(request, code)
    name = f"{code.replace('-', '_')}.yaml"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(source_of(_version(now, number)), media_type="application/yaml", headers=headers)


@routes.get("/questionnaires/{code}/fhir/{number}")
async def as_resource(request: Request, visitor: Changes, code: str, number: str) -> Response:
    version = _version(await standing(request, code), number)
    changed = await services(request).database.run(questionnaires.changed_here, version)
    try:
        made = as_fhir(kept(version.body), version.version, changed)
    except FileRefused:
        raise Refusal(422, "This version is not read any more. Take its YAML.") from None
    headers = {"Content-Disposition": f'attachment; filename="{code}.json"'}
    return Response(json.dumps(made.resource, indent=2), media_type="application/fhir+json", headers=headers)


def _no_place(now: Standing) -> tuple[str, ...]:
    """What the newest version has and FHIR has no place for."""
    try:
        return as_fhir(kept(now.history[0][0].body), 1).left_out if now.history else ()
    except FileRefused:
        return ()
