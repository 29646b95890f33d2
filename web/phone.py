"""The browser phone's account, its WebSocket, and the demo's borrowed patients' phones."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response, WebSocket
from fastapi.responses import JSONResponse
from starlette.requests import HTTPConnection

from web import sip_socket
from web.doors import Door, Open, OpenInTheDemo, Visitor, may_borrow_phones, pages_of, services, visitor_of
from web.ports import Line
from web.refusals import Refusal


def _told(line: Line, connection: HTTPConnection) -> Response:
    """A line to its owner's page: never cached, never in HTML, never in an address."""
    return JSONResponse(
        {
            "username": line.username,
            "name": line.name,
            "secret": line.secret,
            "domain": services(connection).facts.sip_domain,
            "socket": "/sip",
        }
    )


routes = APIRouter()


@routes.get("/phone/line")
async def line(request: Request, visitor: Annotated[Visitor, Depends(Door("calls.take"))]) -> Response:
    account = visitor.account
    if account.sip_username is None or account.sip_secret is None:
        raise Refusal(404, "This account has no phone.")
    return _told(Line(account.sip_username, account.display_name, account.sip_secret), request)


@routes.get("/patient-phone", dependencies=[Depends(OpenInTheDemo())])
async def patient_phone(request: Request) -> Response:
    people = services(request).demo_patients
    who = request.query_params.get("as", next(iter(people), ""))
    if who not in people:
        raise Refusal(404, "There is no such patient in the demo.")
    texts = services(request).demo_texts is not None
    return pages_of(request).show(
        request, "patient_phone.html", people=people, who=who, patient=people[who], texts=texts
    )


@routes.get("/patient-phone/{who}/line", dependencies=[Depends(OpenInTheDemo())])
async def patient_line(request: Request, who: str) -> Response:
    people = services(request).demo_patients
    if who not in people:
        raise Refusal(404, "There is no such patient in the demo.")
    return _told(people[who].line, request)


@routes.websocket("/sip", dependencies=[Depends(Open())])
async def sip(socket: WebSocket) -> None:
    """Its door is inside: a WebSocket is refused by closing it, not by a page."""
    house = services(socket)

    async def welcome() -> bool:
        if may_borrow_phones(socket):
            return True
        visitor = await visitor_of(socket, used=False)
        return visitor is not None and visitor.may("calls.take")

    if not sip_socket.same_origin(socket, house.facts.tls) or not await welcome():
        return await socket.close(1008)
    await sip_socket.carry(socket, house.facts.sip_socket, welcome)
