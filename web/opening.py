"""The switch that closes the telephones in an emergency. What callers hear is written for each language."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.orm import Session

from hospital import opening
from hospital.accounts import Account
from hospital.opening import Closure, Opening
from web.doors import Door, Visitor, pages_of, services
from web.refusals import Refusal

Switches = Annotated[Visitor, Depends(Door("opening.switch"))]

routes = APIRouter()


async def _shown(request: Request, template: str, whole: bool) -> Response:
    house = services(request)
    hours = (await house.workshop.live()).hours if house.workshop else house.hours

    def read(session: Session) -> tuple[Opening, Closure | None, Account | None]:
        closure = opening.current(session)
        by = session.get(Account, closure.begun_by) if closure else None
        return opening.now_open(session, house.clock(), hours), closure, by

    state, closure, by = await house.database.run(read)
    values: dict[str, Any] = {"state": state, "closure": closure, "by": by, "now": house.clock()}
    values["languages"] = house.facts.languages
    pages = pages_of(request)
    return pages.show(request, template, **values) if whole else pages.part(request, template, **values)


@routes.get("/opening")
async def page(request: Request, visitor: Switches) -> Response:
    return await _shown(request, "opening/page.html", whole=True)


@routes.get("/opening/state")
async def state_part(request: Request, visitor: Switches) -> Response:
    return await _shown(request, "opening/state.html", whole=False)


@routes.post("/opening/close")
async def close(request: Request, visitor: Switches) -> Response:
    """A sentence for each language that callers can choose."""
    house = services(request)
    notices = await _notices(request, house.facts.languages)
    try:
        closed = await house.database.run(opening.close, visitor.account_id, notices, house.clock())
    except ValueError:
        raise Refusal(422, f"Write 1 to {opening.NOTICE_LENGTH} letters in every language.") from None
    if not closed:
        raise Refusal(409, "It is closed already.")
    return await _shown(request, "opening/state.html", whole=False)


async def _notices(request: Request, languages: tuple[str, ...]) -> Mapping[str, str]:
    form = await request.form()
    return {language: str(form.get(language, "")) for language in languages}


@routes.post("/opening/open")
async def reopen(request: Request, visitor: Switches) -> Response:
    house = services(request)
    if not await house.database.run(opening.reopen, visitor.account_id, house.clock()):
        raise Refusal(409, "It is not closed.")
    return await _shown(request, "opening/state.html", whole=False)
