"""Letters to post: printed as one PDF, marked as posted, and as come back.

A letter is made anew each time that somebody opens it, and kept nowhere. A list that is shown is a look; whoever prints
a letter, posts it or has it back is written down by name and time."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from sqlalchemy.orm import Session

from hospital import letters
from hospital.letters import Pile
from web import words
from web.doors import Visitor, pages_of, services
from web.followup_list import WorksFollowUps
from web.looks import looked
from web.ports import LetterPress, NotPrinted
from web.refusals import Refusal

SENT_LATELY = timedelta(days=90)  # letters come back after weeks
TABS = {"waiting": "To post", "sent": "Posted"}

routes = APIRouter()


def _press(request: Request) -> LetterPress:
    press = services(request).letters
    if press is None:
        raise Refusal(409, "This hotline sends no letters: its settings name no sender ([letters] in hotline.toml).")
    return press


def _owner(visitor: Visitor) -> UUID | None:
    return None if visitor.may("followups.all") else visitor.account_id


async def _shown(request: Request, visitor: Visitor, tab: str, template: str) -> Response:
    house = services(request)
    owner, at = _owner(visitor), house.clock()

    def read(session: Session) -> tuple[list[Pile], int]:
        count = letters.count_waiting(session, owner_id=owner)
        if tab == "sent":
            found = letters.sent(session, at - SENT_LATELY, owner_id=owner)
        else:
            found = letters.waiting(session, owner_id=owner)
        if found:
            shown = sorted({str(one.person.id) for one in found})
            looked(session, visitor.account_id, "letter.listed", f"letters:{tab}", at, patients=shown)
        return found, count

    piles, count = await house.database.run(read)
    some_printed = any(one.letter.printed_at for one in piles)
    values: dict[str, Any] = {"tab": tab, "tabs": TABS, "piles": piles, "count": count, "now": at}
    values |= {"some_printed": some_printed, "sends": house.letters is not None, "most": letters.MOST}
    pages = pages_of(request)
    show = pages.show if template.endswith("page.html") else pages.part
    return show(request, template, **values)


@routes.get("/letters")
async def page(request: Request, visitor: WorksFollowUps, show: str = "waiting") -> Response:
    return await _shown(request, visitor, show if show in TABS else "waiting", "letters/page.html")


@routes.get("/letters/list/{tab}")
async def part(request: Request, visitor: WorksFollowUps, tab: str) -> Response:
    return await _shown(request, visitor, tab if tab in TABS else "waiting", "letters/list.html")


@routes.get("/letters/letters.pdf")
async def pdf(
    request: Request, visitor: WorksFollowUps, of: Annotated[list[UUID] | None, Query(max_length=letters.MOST)] = None
) -> Response:
    """The letters of these tasks, one page each. From now on they are printed. Where one can't be, a page says which,
    and leads to the others."""
    if not of:
        raise Refusal(422, "Tick the letters that are to be printed, then open them.")
    house, press = services(request), _press(request)
    owner, at, by = _owner(visitor), house.clock(), visitor.account_id
    piles = await house.database.run(lambda session: letters.waiting(session, owner_id=owner, only=of))
    if not piles:
        raise Refusal(404, "None of these letters is to be posted any more. Look at the list again.")
    try:
        content = await press.printed(piles)
    except NotPrinted:
        left = [(one, code) for one in piles if (code := await _why_not(press, one)) is not None]
        others = [one.task.id for one in piles if one.task.id not in {pile.task.id for pile, _ in left}]
        return pages_of(request).show(request, "letters/not_printed.html", status=409, left=left, others=others)
    await house.database.run(letters.printed, piles, by, at)
    headers = {"Content-Disposition": 'inline; filename="letters.pdf"'}
    return Response(content, media_type="application/pdf", headers=headers)


async def _why_not(press: LetterPress, pile: Pile) -> str | None:
    try:
        await press.printed([pile])
    except NotPrinted as refused:
        return refused.code
    return None


@routes.post("/letters/posted")
async def posted(
    request: Request, visitor: WorksFollowUps, of: Annotated[list[UUID] | None, Form()] = None
) -> Response:
    """These are in the post. What can't be is told, and the others are."""
    house, press = services(request), _press(request)
    owner, at, by = _owner(visitor), house.clock(), visitor.account_id
    wanted = (of or [])[: letters.MOST]
    if not wanted:
        raise Refusal(422, "Tick the letters that were posted.")

    def write(session: Session) -> list[str]:
        mine = {one.task.id for one in letters.waiting(session, owner_id=owner, only=wanted)}
        why = (letters.posted(session, one, by, at, press.answer_within) if one in mine else "gone" for one in wanted)
        return [code for code in why if code is not None]

    left = await house.database.run(write)
    if left:
        told = "; ".join(dict.fromkeys(words.say(words.LETTER_REFUSALS, code) for code in left))
        raise Refusal(409, f"{len(wanted) - len(left)} marked as posted, {len(left)} not: {told}.")
    return await _shown(request, visitor, "waiting", "letters/list.html")


@routes.post("/letters/{task_id}/returned")
async def returned(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
    house = services(request)
    owner, at, by = _owner(visitor), house.clock(), visitor.account_id

    def write(session: Session) -> bool:
        mine = letters.sent(session, at - SENT_LATELY, owner_id=owner, only=task_id)
        return bool(mine) and letters.came_back(session, task_id, by, at)

    if not await house.database.run(write):
        raise Refusal(409, "This letter was not posted, or it is known that it came back.")
    return await _shown(request, visitor, "sent", "letters/list.html")
