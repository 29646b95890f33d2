"""The video call's part of the follow-up form: begun by its nurse, opened in the site's own service, ended.

The room's link is on no page: who has begun the video call is sent on to it, and that is written down."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from hospital import video_steps
from hospital.attempts import Attempt
from web import words
from web.doors import Visitor, services
from web.followup_call import call_part
from web.followup_list import WorksFollowUps, own_task
from web.refusals import Refusal

routes = APIRouter()


async def _hers(request: Request, visitor: Visitor, task_id: UUID) -> Attempt:
    """Her video call that goes on."""
    shown = await own_task(request, visitor, task_id)
    attempt = shown.now.attempt if shown.now else None
    if attempt is None or not (attempt.video and attempt.state == "talking" and shown.mine):
        raise Refusal(409, "There is no video call of yours.")
    return attempt


@routes.post("/followups/{task_id}/video/begin")
async def begin(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
    await own_task(request, visitor, task_id)
    house = services(request)
    rules = await house.calling_rules()
    refused = await house.database.run(video_steps.begin, task_id, visitor.account_id, house.clock(), rules)
    if refused is not None:
        raise Refusal(409, words.say(words.NOT_NOW, refused.code))
    return await call_part(request, visitor, task_id)


@routes.get("/followups/{task_id}/video")
async def room(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
    await _hers(request, visitor, task_id)
    house = services(request)
    link = await house.database.run(video_steps.link, task_id, visitor.account_id, house.clock())
    if link is None:
        raise Refusal(409, "There is no video call of yours.")
    return RedirectResponse(link, 303)


@routes.post("/followups/{task_id}/video/end")
async def end(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
    attempt, house = await _hers(request, visitor, task_id), services(request)
    await house.database.run(video_steps.ended, attempt.id, house.clock(), await house.calling_rules())
    return await call_part(request, visitor, task_id)


@routes.post("/followups/{task_id}/video/nobody")
async def nobody(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
    attempt, house = await _hers(request, visitor, task_id), services(request)
    if not await house.database.run(video_steps.nobody_came, attempt.id, house.clock()):
        raise Refusal(409, "You have said whom you met. End the video call.")
    return await call_part(request, visitor, task_id)
