"""What a gateway tells of a text message that came in. It proves itself by its signature; nobody signs in."""

from fastapi import APIRouter, Depends, Request, Response

from web.doors import Open, services
from web.refusals import Refusal

routes = APIRouter()


@routes.post("/messages/replies", dependencies=[Depends(Open())])
async def reply(request: Request) -> Response:
    take = services(request).text_replies
    if take is None:
        raise Refusal(404, "There is no such page. It may have been closed or moved.")
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    answer = await take(form, request.headers.get("x-twilio-signature"))
    if answer is None:
        raise Refusal(403, "This is no message to us.")
    return Response(answer, media_type="text/xml")
