"""Red flags of the answers on the form of a follow-up: raised by one key, or set aside with an outcome and a reason."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from hospital import answer_flags
from hospital.clocks import Due
from hospital.followups import FollowUpTask
from scripts.questionnaire import RedFlag
from web import followup_view
from web.doors import Visitor, pages_of, services
from web.followup_list import WorksFollowUps, own_task
from web.followup_view import TaskView
from web.ports import Services
from web.refusals import Refusal

routes = APIRouter()


async def flags_part(request: Request, task_id: UUID) -> Response:
    form = await services(request).database.run(followup_view.form, task_id, services(request).clock())
    return pages_of(request).part(request, "followups/flags.html", form=form)


@routes.get("/followups/{task_id}/flags")
async def flags(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
    await own_task(request, visitor, task_id)
    return await flags_part(request, task_id)


@routes.post("/followups/{task_id}/flags/raise")
async def raise_them(request: Request, visitor: WorksFollowUps, task_id: UUID) -> Response:
    """Every flag that stands goes to who is on call."""
    await _mine(request, visitor, task_id)
    house = services(request)
    at = house.clock()

    def apply(session: Session) -> UUID | None:
        standing = followup_view.form(session, task_id, at).standing
        text = f"{_named(standing)}. Answered on the form of the follow-up."
        return answer_flags.raise_standing(
            session, task_id, text, visitor.account_id, at, Due(at + house.facts.red_flag)
        )

    if await house.database.run(apply) is None:
        raise Refusal(409, "No red flag waits to be raised.")
    return await flags_part(request, task_id)


@routes.post("/followups/{task_id}/flags/aside")
async def aside(
    request: Request,
    visitor: WorksFollowUps,
    task_id: UUID,
    flag: Annotated[str, Form(max_length=200)],
    outcome: Annotated[str, Form(max_length=40)] = "",
    why: Annotated[str, Form(max_length=answer_flags.LENGTH)] = "",
) -> Response:
    await _mine(request, visitor, task_id)
    house = services(request)
    try:
        done = await house.database.run(
            answer_flags.set_aside, task_id, flag, outcome, why, visitor.account_id, house.clock()
        )
    except ValueError as missing:
        raise Refusal(422, str(missing)) from None
    if not done:
        raise Refusal(409, "This red flag does not stand any more.")
    return await flags_part(request, task_id)


async def _mine(request: Request, visitor: Visitor, task_id: UUID) -> TaskView:
    shown = await own_task(request, visitor, task_id)
    if not (shown.mine or shown.stands_in):
        raise Refusal(409, "A colleague is on this call.")
    return shown


def note(session: Session, task_id: UUID, before: followup_view.Form, at: datetime) -> None:
    """What the answers raise, after some were saved: in the transaction that saved them."""
    now = followup_view.form(session, task_id, at)
    changed = [flag.id for flag in now.flags if _about(before, flag) != _about(now, flag)]
    answer_flags.stand(session, task_id, [flag.id for flag in now.flags], changed, at)


def _about(form: followup_view.Form, flag: RedFlag) -> list[object]:
    """What a flag goes by: the answers to its questions, and its scores."""
    questions = [one.question for one in flag.when if one.question]
    scores = {one.score for one in flag.when if one.score}
    given = [
        (key, value)
        for key, value in sorted(form.answers.items())
        if any(key == question or key.startswith(f"{question}@") for question in questions)
    ]
    return [given, [one.value for one in form.filling.scores() if one.score.id in scores]]


async def all_dealt_with(house: Services, shown: TaskView) -> None:
    """Refuses the result of a call while a red flag stands, of whatever was asked in it."""
    tasks = [shown.task, *shown.together]

    def who(task: FollowUpTask) -> str:
        return task.patient.name  # read by `joint_calls.together`

    def read(session: Session) -> str:
        found = [(task, followup_view.form(session, task.id, house.clock()).standing) for task in tasks]
        return "; ".join(
            _named(flags) + ("" if task is shown.task else f" ({who(task)})") for task, flags in found if flags
        )

    named = await house.database.run(read)
    if named:
        raise Refusal(409, f"First deal with the red flag: {named}. Raise it (9), or set it aside with a reason (8).")


def _named(flags: Sequence[RedFlag]) -> str:
    return ", ".join(dict.fromkeys(flag.text.of("en").text for flag in flags))
