"""The call's part of the follow-up form: start, who it is, the recording, the outcome.

The dialer executes; what it did comes back as a notice `task:<id>` and the part is fetched again. The outcome decides
what happens next (`hospital.outcomes`) and is shown as a sentence."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from hospital import attempts, followups, outcomes, plan_changes, stints, video_steps
from web import followup_view
from web.doors import Visitor, pages_of, services
from web.followup_flags import all_dealt_with
from web.followup_form import change_plan, site_clocks
from web.followup_list import WorksFollowUps, own_task
from web.followup_view import IDENTIFIERS
from web.ports import Services
from web.refusals import Refusal

LATER = {"2h": timedelta(hours=2), "tomorrow": timedelta(days=1)}

SPOKE = ("completed", "partial", "carer_answered", "call_later", "hung_up")  # what was answered is the patient's

routes = APIRouter()


def call_at(when: str, exactly: str, now: datetime, house: Services) -> datetime | None:
    """When the patient asked to be called: a choice, or an instant in the site's zone; never in the past."""
    if when in LATER:
        return now + LATER[when]
    try:
        wanted = datetime.fromisoformat(exactly)
    except ValueError:
        return None
    instant = wanted.replace(tzinfo=house.facts.zone) if wanted.tzinfo is None else wanted
    return instant if now < instant < now + timedelta(days=60) else None


async def call_part(request: Request, visitor: Visitor, task_id: UUID) -> Response:
    """What an order has changed: the call's part, and what is read aloud now."""
    shown, house = await own_task(request, visitor, task_id), services(request)
    form = await house.database.run(followup_view.form, task_id, house.clock())
    return pages_of(request).part(request, "followups/call.html", view=shown, form=form, now=house.clock())


@routes.get("/followups/{task_id}/call")
async def call(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
    shown, now = await own_task(request, visitor, task_id), services(request).clock()
    return pages_of(request).part(request, "followups/call.html", view=shown, form=None, now=now)


@routes.get("/followups/{task_id}/script")
async def script(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
    """What is read aloud. While the same text has its turn, the one that the nurse looks at stays."""
    shown = await own_task(request, visitor, task_id)
    form = await services(request).database.run(followup_view.form, task_id, services(request).clock())
    key = shown.read_next or "nothing"
    return pages_of(request).part(request, "followups/script.html", key=key, view=shown, form=form)


@routes.get("/followups/{task_id}/recording")
async def recording(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
    shown = await own_task(request, visitor, task_id)
    heard = shown.now.recording if shown.now else None
    key = f"{heard.id}-{heard.state}" if heard else "none"
    return pages_of(request).part(request, "followups/recording.html", key=key, view=shown)


@routes.post("/followups/{task_id}/start")
async def start(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
    await own_task(request, visitor, task_id)
    why_not = await services(request).dialling.start(task_id, visitor.account_id)
    if why_not is not None:
        raise Refusal(409, why_not)
    return await call_part(request, visitor, task_id)


@routes.post("/followups/{task_id}/call/{order}")
async def order(request: Request, visitor: WorksFollowUps, task_id: UUID, order: str) -> Response:
    """hang-up, machine (one has picked up), record (the notice has been spoken), no-recording (it is not wanted, or not
    any more)."""
    shown = await own_task(request, visitor, task_id)
    if shown.now is None or not shown.mine or shown.now.attempt.video:
        raise Refusal(409, "There is no call of yours.")
    dialling = services(request).dialling
    verbs = {
        "hang-up": dialling.hang_up,
        "machine": dialling.machine,
        "record": dialling.start_recording,
        "no-recording": dialling.refuse_recording,
    }
    if order not in verbs:
        raise Refusal(404, "There is no such order.")
    if order == "record" and not shown.identified:
        raise Refusal(409, "First tick the patient's name and birth date.")
    why_not = await verbs[order](shown.now.attempt.id, visitor.account_id)
    if why_not is not None:
        raise Refusal(409, why_not)
    if order == "machine" and (taking := services(request).stints) is not None:
        await taking.call_next()
    return await call_part(request, visitor, task_id)


@routes.post("/followups/{task_id}/ticks/{identifier}")
async def tick(
    request: Request,
    visitor: WorksFollowUps,
    task_id: UUID,
    identifier: str,
    on: Annotated[str, Form()] = "",
) -> Response:
    await own_task(request, visitor, task_id)
    done = identifier in IDENTIFIERS and await services(request).database.run(
        followup_view.tick, task_id, visitor.account_id, identifier, on == "on"
    )
    if not done:
        raise Refusal(409, "There is no call of yours.")
    return await call_part(request, visitor, task_id)


@routes.post("/followups/{task_id}/result/{result}")
async def result(
    request: Request,
    visitor: WorksFollowUps,
    task_id: UUID,
    result: str,
    when: Annotated[str, Form(max_length=20)] = "2h",
    exactly: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Whom the nurse reached; it decides what happens next."""
    shown = await own_task(request, visitor, task_id)
    house = services(request)
    if result not in outcomes.CONTACT_RESULTS or shown.now is None or not shown.reached:
        raise Refusal(409, "Nobody was reached in this call, or the task is closed.")
    at = None
    if result == "call_later" and (at := call_at(when, exactly, house.clock(), house)) is None:
        raise Refusal(422, "Give a day and a time within the next 60 days.")
    await all_dealt_with(house, shown)
    if result == "completed":
        await _all_answered(house, task_id)
    attempt, now, rules, clocks = shown.now.attempt, house.clock(), await house.calling_rules(), site_clocks(request)
    together = [task_id, *(one.id for one in shown.together)]

    def settle(session: Session) -> None:
        forms = {one: followup_view.form(session, one, house.clock()) for one in together}
        complete = [one for one, form in forms.items() if form.answers and form.filling.complete]
        for one in together:
            if result in SPOKE or (one in complete and one != task_id):
                change_plan(session, one, now, clocks)
        said = attempts.contact_result(
            session, attempt.id, result, now, rules, call_at=at, task_id=task_id, complete=complete
        )
        if not said:
            raise Refusal(409, "This task is closed already.")
        if shown.stands_in:
            followups.decide(session, task_id, "said_for_another", now, by=str(visitor.account_id))

    await house.database.run(settle)
    if result == "deceased":
        await house.database.run(plan_changes.family_lost, shown.patient.id, house.clock(), visitor.account_id)
    if shown.now.attempt.video:  # nothing else ends it
        await house.database.run(video_steps.ended, shown.now.attempt.id, house.clock(), await house.calling_rules())
    await house.database.run(stints.said, attempt.account_id or visitor.account_id)
    return await call_part(request, visitor, task_id)


@routes.post("/followups/{task_id}/review/{decision}")
async def review(request: Request, visitor: WorksFollowUps, task_id: UUID, decision: str) -> Response:
    await own_task(request, visitor, task_id)
    house = services(request)
    again = {"again": True, "stop": False}.get(decision)
    if again is None or not await house.database.run(
        attempts.reviewed, task_id, again, house.clock(), visitor.account_id
    ):
        raise Refusal(409, "There is nothing to review.")
    return await call_part(request, visitor, task_id)


async def _all_answered(house: Services, task_id: UUID) -> None:
    form = await house.database.run(followup_view.form, task_id, house.clock())
    missing = [place.item.text.of("en").text for place in form.filling.missing()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise Refusal(409, f"Not answered yet: {missing[0]}{more} Or say “Partly done”.")
