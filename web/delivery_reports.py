"""What a gateway tells of a message's delivery. The report proves itself by its signature; nobody signs in."""

from fastapi import APIRouter, Depends, Request, Response

from web.doors import Open, services
from web.refusals import Refusal

routes = APIRouter()


@routes.post("/messages/reports/{message}", dependencies=[Depends(Open())])
async def report(request: Request, message: str) -> Response:
    take = services(request).delivery_reports
    if take is None:
        raise Refusal(404, "There is no such page. It may have been closed or moved.")
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    if not await take(message, form, request.headers.get("x-twilio-signature")):
        raise Refusal(403, "This is no report of a message of ours.")
    return Response(status_code=204)
