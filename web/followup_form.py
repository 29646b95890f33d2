"""The follow-up form: the page, the questions, the summary. The call's part is in `followup_call.py`.

Nothing clinical is written down before name and birth date are ticked on this call. Every answer is saved as it is
given; one that its question does not allow is refused beside the field and what was saved before stays."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import answer_rules, followups
from hospital.calendars import Calendar
from hospital.clocks import Clocks
from hospital.followups import FollowUpTask
from web import followup_flags, followup_past, followup_view
from web.answer_fields import OTHER, answered, repeated
from web.doors import Visitor, pages_of, services
from web.followup_flags import flags_part
from web.followup_list import WorksFollowUps, own_task, viewer
from web.followup_view import TaskView
from web.plans import plans
from web.refusals import Refusal

routes = APIRouter()


async def _questions_part(request: Request, visitor: Visitor, task_id: UUID) -> Response:
    shown = await own_task(request, visitor, task_id)
    form = await services(request).database.run(followup_view.form, task_id, services(request).clock())
    return pages_of(request).part(request, "followups/all_normal.html", view=shown, form=form, other=OTHER)


async def identified(request: Request, visitor: Visitor, task_id: UUID) -> TaskView:
    """The task, where answers may be written down now."""
    shown = await own_task(request, visitor, task_id)
    if not shown.mine or not shown.identified:
        raise Refusal(409, "First tick the patient's name and birth date.")
    if not shown.writes_up(services(request).clock()):
        raise Refusal(409, "This call was too long ago to be written up.")
    return shown


@routes.get("/followups/{task_id}")
async def page(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
    house = services(request)
    shown = await own_task(request, visitor, task_id)
    form = await house.database.run(followup_view.form, task_id, house.clock())
    past = await house.database.run(followup_past.past, task_id, viewer(request, visitor))
    facts: dict[str, Any] = {"now": house.clock(), "other": OTHER, "task_id": task_id, "plans": plans()}
    facts["booked"] = await house.database.run(followup_view.booked, task_id)
    return pages_of(request).show(request, "followups/form.html", view=shown, form=form, past=past, **facts)


@routes.get("/followups/{task_id}/past")
async def past(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
    await own_task(request, visitor, task_id)
    found = await services(request).database.run(followup_past.past, task_id, viewer(request, visitor))
    now, offered = services(request).clock(), plans()
    return pages_of(request).part(request, "followups/past.html", past=found, now=now, task_id=task_id, plans=offered)


@routes.post("/followups/{task_id}/answers/{key:path}")
async def answer(request: Request, visitor: WorksFollowUps, task_id: UUID, key: str) -> Response:
    """Saved as given. The answer is the red flags that stand now."""
    shown = await identified(request, visitor, task_id)
    house = services(request)
    form = await house.database.run(followup_view.form, task_id, house.clock())
    value = answered(form.filling, key, await request.form())
    await house.database.run(_save, shown, {key: value}, house.clock(), visitor.account_id, site_clocks(request))
    return await flags_part(request, task_id)


@routes.post("/followups/{task_id}/repetitions/{key:path}")
async def repetitions(
    request: Request, visitor: WorksFollowUps, task_id: UUID, key: str, more: Annotated[str, Form(max_length=1)]
) -> Response:
    """A group once more: the answer is its fields. Or once less: the answer is what stands now."""
    shown = await identified(request, visitor, task_id)
    house = services(request)
    filling = (await house.database.run(followup_view.form, task_id, house.clock())).filling
    times, value = repeated(filling, key, more=more == "1")
    await house.database.run(_save, shown, {key: value}, house.clock(), visitor.account_id, site_clocks(request))
    if more != "1":
        return await flags_part(request, task_id)
    form = await house.database.run(followup_view.form, task_id, house.clock())
    group = form.filling.place(key)
    return pages_of(request).part(
        request, "followups/repetition.html", view=shown, form=form, other=OTHER, group=group, number=times
    )


@routes.post("/followups/{task_id}/all-normal")
async def all_normal(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
    """Fills what is not answered yet and has a normal answer; a measurement that nobody took has none."""
    shown = await identified(request, visitor, task_id)
    house = services(request)
    await house.database.run(_save, shown, None, house.clock(), visitor.account_id, site_clocks(request))
    return await _questions_part(request, visitor, task_id)


@routes.post("/followups/{task_id}/summary")
async def summary(
    request: Request,
    visitor: WorksFollowUps,
    task_id: UUID,
    summary: Annotated[str, Form(max_length=8000)] = "",
) -> Response:
    await own_task(request, visitor, task_id)
    await services(request).database.run(followups.save_summary, task_id, summary.replace("\0", ""))
    return Response(status_code=204)


def _save(
    session: Session, shown: TaskView, values: dict[str, Any] | None, at: datetime, account_id: UUID, clocks: Clocks
) -> None:
    """values: None is what is normal, of what has no answer by now."""
    attempt_id = shown.now.attempt.id if shown.now else None
    # One after the other, or "all normal" would not know of the answer that is being saved; and before the call, to
    # which an answer belongs, as wherever both are locked.
    session.execute(select(FollowUpTask.id).where(FollowUpTask.id == shown.task.id).with_for_update())
    before = followup_view.form(session, shown.task.id, at)
    for item, value in (before.filling.normal() if values is None else values).items():
        followups.save_answer(session, shown.task.id, item, value, at, account_id=account_id, attempt_id=attempt_id)
    session.flush()
    followup_flags.note(session, shown.task.id, before, at)
    if shown.now and shown.now.attempt.contact_result is not None:  # she has said already whom she reached
        change_plan(session, shown.task.id, at, clocks)


def change_plan(session: Session, task_id: UUID, at: datetime, clocks: Clocks) -> None:
    """What the answers of a follow-up change, once."""
    met = followup_view.form(session, task_id, at).rules
    site = Calendar(clocks.zone, clocks.country)
    answer_rules.apply(session, task_id, [rule.change for rule in met], at, site, clocks)


def site_clocks(request: Request) -> Clocks:
    return services(request).facts.case_clocks
