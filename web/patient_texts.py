"""The demo's patients' text messages: what the hospital wrote to a number, and a field to reply. Without sign-in, like
the borrowed phones; there is no such page where real patients are."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import StreamingResponse

from web.doors import OpenInTheDemo, from_our_page, may_borrow_phones, pages_of, services
from web.live import stream
from web.ports import DemoPatient, DemoTexts
from web.refusals import Refusal

HEARS = "demo.texts"
"""The right by which a page is told that texts have left; no account has it."""
LONGEST = 1600

routes = APIRouter()


class _Phone:
    """Who listens to the live stream: nobody's account."""

    account_id = UUID(int=0)

    def may(self, right: str) -> bool:
        return right == HEARS


def _theirs(request: Request, who: str) -> tuple[DemoPatient, DemoTexts]:
    house = services(request)
    if who not in house.demo_patients or house.demo_texts is None:
        raise Refusal(404, "There is no such patient in the demo.")
    return house.demo_patients[who], house.demo_texts


async def _shown(request: Request, who: str) -> Response:
    patient, texts = _theirs(request, who)
    return pages_of(request).part(request, "patient_texts.html", texts=await texts.of(patient.number), patient=patient)


@routes.get("/patient-phone/{who}/texts", dependencies=[Depends(OpenInTheDemo())])
async def texts(request: Request, who: str) -> Response:
    return await _shown(request, who)


@routes.post("/patient-phone/{who}/texts", dependencies=[Depends(OpenInTheDemo())])
async def write(request: Request, who: str, text: Annotated[str, Form(max_length=LONGEST)] = "") -> Response:
    patient, texts = _theirs(request, who)
    if not from_our_page(request):
        raise Refusal(403, "Write on the patient's own page.")
    if text.strip():
        await texts.write(patient.number, text)
    return await _shown(request, who)


@routes.get("/patient-phone/{who}/texts/live", dependencies=[Depends(OpenInTheDemo())])
async def live(request: Request, who: str) -> StreamingResponse:
    _theirs(request, who)

    phone = _Phone()

    async def still() -> _Phone | None:
        return phone if may_borrow_phones(request) else None

    return StreamingResponse(
        stream(services(request).live, phone, request.headers.get("last-event-id", "")[:64], still),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
