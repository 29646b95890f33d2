"""An interpreter in the talk of an agent's card or of a nurse's follow-up: rung, seen, let go."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response

from hospital import interpreters
from web import agent
from web.agent import TakesCalls
from web.doors import Visitor, pages_of, services
from web.followup_list import WorksFollowUps, own_task
from web.refusals import Refusal

Talk = Annotated[str, Form(max_length=80)]

routes = APIRouter()


async def row(request: Request, visitor: Visitor, talk: str | None) -> Response:
    """Nothing where there is no talk of theirs, or the site has no interpreters. `talk`: the patient's leg."""
    house = services(request)
    languages = house.interpreting.languages if house.interpreting else ()
    if talk is None or not languages or not await house.database.run(interpreters.is_theirs, visitor.account_id, talk):
        return pages_of(request).part(request, "interpreter.html", talk=None)
    newest = await house.database.run(interpreters.newest, talk)
    return pages_of(request).part(request, "interpreter.html", talk=talk, languages=languages, newest=newest)


@routes.get("/agent/pops/{pop_id}/interpreter")
async def of_card(request: Request, visitor: agent.ReadsPatients, pop_id: UUID) -> Response:
    card = await agent.card(request, visitor, pop_id)
    return await row(request, visitor, card.call.id)


@routes.get("/followups/{task_id}/interpreter")
async def of_task(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
    shown = await own_task(request, visitor, task_id)
    return await row(request, visitor, shown.now.attempt.channel_id if shown.now else None)


@routes.post("/interpreters")
async def ring(
    request: Request, visitor: TakesCalls, talk: Talk, language: Annotated[str, Form(max_length=40)]
) -> Response:
    interpreting = services(request).interpreting
    why_not = await interpreting.ring(visitor.account_id, talk, language) if interpreting else "There are none here."
    if why_not is not None:
        raise Refusal(409, why_not)
    return await row(request, visitor, talk)


@routes.post("/interpreters/let-go")
async def let_go(request: Request, visitor: TakesCalls, talk: Talk) -> Response:
    interpreting = services(request).interpreting
    why_not = await interpreting.let_go(visitor.account_id, talk) if interpreting else "There are none here."
    if why_not is not None:
        raise Refusal(409, why_not)
    return await row(request, visitor, talk)
