"""The follow-up form: the call, who it is, the recording, the questions, the outcome.

Nothing clinical is written down before name and birth date are ticked on this call. Every answer is saved as it is
given; one that its question does not allow is refused beside the field and what was saved before stays."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from hospital import attempts, followups, outcomes
from scripts.answers import AnswerRefused, validate_answer
from scripts.questionnaire import CHOICES, Item, ItemType
from web import followup_view
from web.doors import Visitor, denied, services
from web.followup_list import WorksFollowUps, viewer
from web.followup_view import IDENTIFIERS, TaskView
from web.pages import Pages
from web.ports import Services
from web.refusals import Refusal

OTHER = "other:"  # the value of the option that stands for free text
LATER = {"2h": timedelta(hours=2), "tomorrow": timedelta(days=1)}


def given(item: Item, values: list[str], free: str) -> object:
    """What a form gives for an item, as `scripts.answers` takes it."""
    if item.type not in CHOICES:
        return values[0] if values else ""
    picked: list[object] = [value for value in values if value != OTHER]
    if item.type is ItemType.OPEN_CHOICE and free.strip() and (OTHER in values or not picked):
        picked.append({"text": free})
    return picked if item.repeats else (picked[-1] if picked else None)


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


def router(pages: Pages) -> APIRouter:  # noqa: C901 - one page, its parts in the order in which they are used
    routes = APIRouter()

    async def view(request: Request, visitor: Visitor, task_id: UUID) -> TaskView:
        found = await services(request).database.run(followup_view.view, task_id, viewer(request, visitor))
        if found is None:
            await denied(request, visitor, "followups.all", f"task:{task_id}")
            raise Refusal(403, "This task is another nurse's, or it does not exist.")
        return found

    async def call_part(request: Request, visitor: Visitor, task_id: UUID) -> Response:
        shown = await view(request, visitor, task_id)
        form = await services(request).database.run(followup_view.form, task_id)
        now = services(request).clock()
        return pages.part(request, "followups/call.html", view=shown, form=form, now=now)

    async def questions_part(request: Request, visitor: Visitor, task_id: UUID) -> Response:
        shown = await view(request, visitor, task_id)
        form = await services(request).database.run(followup_view.form, task_id)
        return pages.part(request, "followups/questions.html", view=shown, form=form, other=OTHER)

    async def identified(request: Request, visitor: Visitor, task_id: UUID) -> TaskView:
        """The task, where answers may be written down now."""
        shown = await view(request, visitor, task_id)
        if shown.closed:
            raise Refusal(409, "This task is closed.")
        if not shown.mine or not shown.identified:
            raise Refusal(409, "First tick the patient's name and birth date.")
        return shown

    @routes.get("/followups/{task_id}")
    async def page(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
        house = services(request)
        shown = await view(request, visitor, task_id)
        form = await house.database.run(followup_view.form, task_id)
        past = await house.database.run(followup_view.past, task_id, viewer(request, visitor))
        now = house.clock()
        return pages.show(request, "followups/form.html", view=shown, form=form, past=past, now=now, other=OTHER)

    @routes.get("/followups/{task_id}/call")
    async def call(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
        return await call_part(request, visitor, task_id)

    @routes.get("/followups/{task_id}/recording")
    async def recording(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
        shown = await view(request, visitor, task_id)
        heard = shown.now.recording if shown.now else None
        key = f"{heard.id}-{heard.state}" if heard else "none"
        return pages.part(request, "followups/recording.html", key=key, view=shown)

    @routes.get("/followups/{task_id}/past")
    async def past(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
        await view(request, visitor, task_id)
        found = await services(request).database.run(followup_view.past, task_id, viewer(request, visitor))
        return pages.part(request, "followups/past.html", past=found, now=services(request).clock())

    @routes.post("/followups/{task_id}/start")
    async def start(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
        await view(request, visitor, task_id)
        why_not = await services(request).dialling.start(task_id, visitor.account_id)
        if why_not is not None:
            raise Refusal(409, why_not)
        return await call_part(request, visitor, task_id)

    @routes.post("/followups/{task_id}/call/{order}")
    async def order(request: Request, visitor: WorksFollowUps, task_id: UUID, order: str) -> Response:
        """hang-up, record (the notice has been spoken), no-recording (the patient does not want it)."""
        shown = await view(request, visitor, task_id)
        if shown.now is None or not shown.mine:
            raise Refusal(409, "There is no call of yours.")
        dialling = services(request).dialling
        verbs = {
            "hang-up": dialling.hang_up,
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
        return await call_part(request, visitor, task_id)

    @routes.post("/followups/{task_id}/ticks/{identifier}")
    async def tick(
        request: Request,
        visitor: WorksFollowUps,
        task_id: UUID,
        identifier: str,
        on: Annotated[str, Form()] = "",
    ) -> Response:
        await view(request, visitor, task_id)
        done = identifier in IDENTIFIERS and await services(request).database.run(
            followup_view.tick, task_id, visitor.account_id, identifier, on == "on"
        )
        if not done:
            raise Refusal(409, "There is no call of yours.")
        return await call_part(request, visitor, task_id)

    @routes.get("/followups/{task_id}/flags")
    async def flags(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
        await view(request, visitor, task_id)
        form = await services(request).database.run(followup_view.form, task_id)
        return pages.part(request, "followups/flags.html", form=form)

    @routes.post("/followups/{task_id}/answers/{link_id}")
    async def answer(request: Request, visitor: WorksFollowUps, task_id: UUID, link_id: str) -> Response:
        """Saved as given. The answer is the red flags that stand now."""
        shown = await identified(request, visitor, task_id)
        house = services(request)
        form = await house.database.run(followup_view.form, task_id)
        sent = await request.form()
        try:
            item = form.questionnaire.question(link_id)
            raw = given(item, [str(one) for one in sent.getlist("value")], str(sent.get("text", "")))
            value = validate_answer(item, raw)
        except KeyError:
            raise Refusal(404, "There is no such question.") from None
        except AnswerRefused as refused:
            raise Refusal(422, refused.allowed[:1].upper() + refused.allowed[1:]) from None
        await house.database.run(_save, shown, {link_id: value}, house.clock(), visitor.account_id)
        form = await house.database.run(followup_view.form, task_id)
        return pages.part(request, "followups/flags.html", form=form)

    @routes.post("/followups/{task_id}/all-normal")
    async def all_normal(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
        """Fills what is not answered yet and has a normal answer; a measurement that nobody took has none."""
        shown = await identified(request, visitor, task_id)
        house = services(request)
        form = await house.database.run(followup_view.form, task_id)
        normal = form.questionnaire.all_normal()
        missing = {key: value for key, value in normal.items() if form.answers.get(key) is None}
        await house.database.run(_save, shown, missing, house.clock(), visitor.account_id)
        return await questions_part(request, visitor, task_id)

    @routes.post("/followups/{task_id}/summary")
    async def summary(
        request: Request,
        visitor: WorksFollowUps,
        task_id: UUID,
        summary: Annotated[str, Form(max_length=8000)] = "",
    ) -> Response:
        await view(request, visitor, task_id)
        await services(request).database.run(followups.save_summary, task_id, summary.replace("\0", ""))
        return Response(status_code=204)

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
        shown = await view(request, visitor, task_id)
        house = services(request)
        if result not in outcomes.CONTACT_RESULTS or shown.now is None or not shown.reached:
            raise Refusal(409, "Nobody was reached in this call, or the task is closed.")
        at = None
        if result == "call_later" and (at := call_at(when, exactly, house.clock(), house)) is None:
            raise Refusal(422, "Give a day and a time within the next 60 days.")
        if result == "completed":
            await _all_answered(house, task_id)
        done = await house.database.run(
            attempts.contact_result, shown.now.attempt.id, result, house.clock(), house.policy, call_at=at
        )
        if not done:
            raise Refusal(409, "This task is closed already.")
        return await call_part(request, visitor, task_id)

    @routes.post("/followups/{task_id}/review/{decision}")
    async def review(request: Request, visitor: WorksFollowUps, task_id: UUID, decision: str) -> Response:
        await view(request, visitor, task_id)
        house = services(request)
        again = {"again": True, "stop": False}.get(decision)
        if again is None or not await house.database.run(
            attempts.reviewed, task_id, again, house.clock(), visitor.account_id
        ):
            raise Refusal(409, "There is nothing to review.")
        return await call_part(request, visitor, task_id)

    return routes


def _save(
    session: Session, shown: TaskView, values: dict[str, Any], at: datetime, account_id: UUID
) -> None:
    attempt_id = shown.now.attempt.id if shown.now else None
    for item, value in values.items():
        followups.save_answer(
            session, shown.task.id, item, value, at, account_id=account_id, attempt_id=attempt_id
        )


async def _all_answered(house: Services, task_id: UUID) -> None:
    form = await house.database.run(followup_view.form, task_id)
    missing = [item.text.of("en").text for item in form.questionnaire.missing(form.answers)]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise Refusal(409, f"Not answered yet: {missing[0]}{more} Or say “Partly done”.")
