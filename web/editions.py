"""Drafts and editions of what the site changes without code: checked, published with a reason, restored by one click.

The panel beside each sheet's own page. Publishing asks for a check of the very draft that the page showed; what stops
is told with where, what and what to do, all at once."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from sqlalchemy.orm import Session

from hospital import editions
from hospital.accounts import Account
from hospital.editions import Body, Edition, Overtaken, Sheet
from scripts.findings import Finding, stopping
from scripts.yaml_lines import FileRefused
from web.doors import Door, Visitor, pages_of, services
from web.ports import Workshop
from web.refusals import Refusal

Changes = Annotated[Visitor, Depends(Door("site.change"))]
Field = Annotated[str, Form()]
OVERTAKEN = "Somebody else has changed the draft meanwhile. Reload the page to see it, then save again."

routes = APIRouter()


@dataclass(frozen=True)
class Published:
    """An edition in the history, with who published it."""

    edition: Edition
    by: str


@dataclass(frozen=True)
class Standing:
    """How a sheet stands: its draft, what is in force, what was before."""

    sheet: Sheet
    draft: Edition | None
    drafted_by: str
    history: list[Published]

    @property
    def live(self) -> Body:
        newest = self.history[0].edition if self.history else None
        return newest.body if newest else None

    @property
    def body(self) -> Body:
        """What an editor goes on from."""
        return self.draft.body if self.draft else self.live

    @property
    def seen(self) -> str:
        """For a form, so that nobody saves over what they have not seen."""
        return self.draft.changed_at.isoformat() if self.draft else ""

    @property
    def state(self) -> str:
        """Another one as soon as an editor would begin with something else."""
        return f"{self.seen} {self.history[0].edition.number if self.history else 0}"


def workshop_of(request: Request) -> Workshop:
    found = services(request).workshop
    if found is None:
        raise Refusal(404, "There is no such page. It may have been closed or moved.")
    return found


async def standing(request: Request, sheet: Sheet) -> Standing:
    return await services(request).database.run(_standing, sheet)


def _standing(session: Session, sheet: Sheet) -> Standing:
    def name(account_id: UUID | None) -> str:
        account = session.get(Account, account_id) if account_id else None
        return account.display_name if account else "?"

    draft = editions.draft(session, sheet)
    published = [Published(one, name(one.published_by)) for one in editions.history(session, sheet)]
    return Standing(sheet, draft, name(draft.changed_by) if draft else "", published)


async def body_of(request: Request, now: Standing) -> dict[str, Any]:
    """What an editor's fields are filled from: the draft, what is in force, or the file."""
    return dict(now.body or workshop_of(request).file_of(now.sheet) or {})


async def checked(request: Request, now: Standing) -> list[Finding]:
    return [] if now.draft is None else await workshop_of(request).check(now.sheet, now.draft.body)


async def save(request: Request, visitor: Visitor, sheet: Sheet, body: Body, seen: str) -> Standing:
    """The draft as a form has it. Raises `Refusal` where somebody else was quicker."""
    house = services(request)
    try:
        await house.database.run(editions.save, sheet, body, visitor.account_id, house.clock(), _moment(seen))
    except Overtaken:
        raise Refusal(409, OVERTAKEN) from None
    except ValueError as problem:
        raise Refusal(422, str(problem)) from None
    return await standing(request, sheet)


def _moment(seen: str) -> datetime | None:
    try:
        return datetime.fromisoformat(seen) if seen else None
    except ValueError:
        raise Refusal(422, "This page is out of date. Reload it and try again.") from None


async def _panel(request: Request, sheet: Sheet, findings: list[Finding] | None = None, told: str = "") -> Response:
    now = await standing(request, sheet)
    workshop = workshop_of(request)
    if findings is None and now.draft is not None:
        findings = await workshop.check(sheet, now.draft.body)
    values: dict[str, Any] = {"standing": now, "findings": findings or [], "told": told}
    values["troubles"] = (await workshop.live()).troubles
    return pages_of(request).part(request, "editions/panel.html", now=services(request).clock(), **values)


@routes.get("/editions/{sheet}")
async def panel(request: Request, visitor: Changes, sheet: Sheet) -> Response:
    return await _panel(request, sheet)


@routes.post("/editions/{sheet}/publish")
async def publish(
    request: Request,
    visitor: Changes,
    sheet: Sheet,
    why: Annotated[str, Form()] = "",
    seen: Annotated[str, Form()] = "",
) -> Response:
    """With a reason, and with nothing in it that stops."""
    house, at = services(request), _moment(seen)
    now = await standing(request, sheet)
    if now.draft is None or at is None or now.draft.changed_at != at:
        raise Refusal(409, OVERTAKEN)
    if not why.strip():
        raise Refusal(422, "Say why it is changed: whoever looks for the reason in a year will thank you.")
    if stopping(await workshop_of(request).check(sheet, now.draft.body)):
        raise Refusal(422, "Not published: mend what stops it first.")
    try:
        await house.database.run(editions.publish, sheet, visitor.account_id, house.clock(), why, at)
    except Overtaken:
        raise Refusal(409, OVERTAKEN) from None
    return await _panel(request, sheet, told="Published. The next call hears it.")


@routes.post("/editions/{sheet}/try")
async def try_it(
    request: Request, visitor: Changes, sheet: Sheet, keys: Field = "", language: Field = "en"
) -> Response:
    """The draft on the terminal phone."""
    now = await standing(request, sheet)
    return await tried_part(request, partial(workshop_of(request).tried, sheet, now.body, language), keys)


async def tried_part(request: Request, play: Callable[[list[str]], Awaitable[Sequence[str]]], keys: str) -> Response:
    """The lines of a call on the terminal phone, as `play` returns them for its presses. `keys`: one for each question,
    parted by commas or spaces."""
    presses = [] if not keys.strip() else [press.strip() for press in keys.replace(" ", ",").split(",")]
    try:
        lines = await play(presses)
    except FileRefused:
        raise Refusal(422, "It can't be played as it stands. Mend what stops it first.") from None
    except ValueError:
        raise Refusal(422, "A telephone has the keys 0 to 9, * and #. A comma parts the answers.") from None
    except TimeoutError:
        raise Refusal(503, "It took too long. Try again with fewer keys.") from None
    said = [line.partition(": ")[::2] for line in lines]
    return pages_of(request).part(request, "editions/tried.html", lines=said)


@routes.post("/editions/{sheet}/discard")
async def discard(request: Request, visitor: Changes, sheet: Sheet) -> Response:
    house = services(request)
    if not await house.database.run(editions.discard, sheet, visitor.account_id, house.clock()):
        raise Refusal(409, "There is no draft.")
    return await _panel(request, sheet)


@routes.post("/editions/{sheet}/restore/{edition_id}")
async def restore(request: Request, visitor: Changes, sheet: Sheet, edition_id: UUID) -> Response:
    """What was in force before, with the next call. It is checked again: what it refers to may be gone."""
    house = services(request)
    old = next((one.edition for one in (await standing(request, sheet)).history if one.edition.id == edition_id), None)
    if old is None:
        raise Refusal(404, "There is no such edition.")
    return await _restored(request, visitor, sheet, old.body, f"Edition {old.number} again", house.clock())


@routes.post("/editions/{sheet}/as-shipped")
async def as_shipped(request: Request, visitor: Changes, sheet: Sheet) -> Response:
    """What the file says, or what comes with the hotline."""
    return await _restored(request, visitor, sheet, None, "As it comes with the hotline", services(request).clock())


async def _restored(request: Request, visitor: Visitor, sheet: Sheet, body: Body, why: str, at: datetime) -> Response:
    if stopping(await workshop_of(request).check(sheet, body)):
        raise Refusal(422, "This edition does not fit any more. Take it as a draft and mend it.")
    await services(request).database.run(editions.restore, sheet, body, visitor.account_id, at, why)
    return await _panel(request, sheet, told="Restored. The next call hears it.")
