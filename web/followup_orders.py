"""What is ordered of the follow-ups that are selected on the list: each by itself, and what could not be done is named.

The form works without a script, too: then the answer is a page of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from hospital import enrolling, task_orders
from hospital.accounts import Account
from hospital.followups import FollowUpTask
from hospital.task_orders import WHATS, Giver, Order
from web import words
from web.doors import Visitor, denied, pages_of, services
from web.followup_list import WorksFollowUps, viewer
from web.followup_view import Viewer, may_open
from web.looks import looked
from web.plans import plans
from web.refusals import Refusal, is_part

MOST = 200  # in one order

routes = APIRouter()


@dataclass(frozen=True)
class Ordered:
    """What came of an order. `name` None: nobody whose name this account may see."""

    done: int
    what: str
    not_done: list[tuple[str | None, str]]
    enrolled: tuple[str, datetime] | None = None
    """The plan and the instant by which an enrolment is taken back."""


@routes.post("/followups/orders")
async def order(request: Request, visitor: WorksFollowUps) -> Response:
    form = await request.form()
    if form.get("what") == "enrol":
        return _answer(request, await _enrolled(request, visitor, form))
    wanted = _order(form, visitor)
    chosen = _chosen([str(one) for one in form.getlist("task")])
    wards = tuple(str(one) for one in form.getlist("ward") if one)
    house, shown = services(request), viewer(request, visitor)
    giver = Giver(visitor.account_id, shown.sees_all, shown.at, shown.zone)
    left: list[tuple[UUID, str]] = []
    for task_id, seen in chosen.items():
        why = await house.database.run(task_orders.carry_out, task_id, wanted, giver, seen, wards)
        if why is not None:
            left.append((task_id, why))
        if why == "not_yours":
            await denied(request, visitor, "followups.all", f"task:{task_id}")
    told = await house.database.run(_told, wanted, len(chosen) - len(left), left, shown)
    return _answer(request, told)


def _answer(request: Request, told: Ordered) -> Response:
    if is_part(request):
        return pages_of(request).part(request, "followups/ordered.html", ordered=told)
    return pages_of(request).show(request, "followups/ordered_page.html", ordered=told)


async def _enrolled(request: Request, visitor: Visitor, form: FormData) -> Ordered:
    """The patients of what is selected, each once, in a plan that begins today."""
    plan = plans().get(str(form.get("plan", "")))
    if plan is None:
        raise Refusal(422, "Choose a plan.")
    house, shown = services(request), viewer(request, visitor)
    site = house.facts.calendar
    chosen = list(_chosen([str(one) for one in form.getlist("task")]))

    def enrol(session: Session) -> tuple[Ordered, list[UUID]]:
        tasks = {one: session.get(FollowUpTask, one) for one in chosen}
        seen = {one: task for one, task in tasks.items() if task is not None and may_open(task, shown)}
        people = list(dict.fromkeys(task.patient_id for task in seen.values()))
        done, left = enrolling.enrol(session, plan, people, shown.at, site, shown.account_id)
        names = {task.patient_id: task.patient.name for task in seen.values()}
        not_done: list[tuple[str | None, str]] = [
            (names[one], words.say(words.NOT_ENROLLED, code)) for one, code in left.items()
        ]
        foreign = [one for one in chosen if one not in seen]
        not_done += [(None, words.say(words.NOT_ORDERED, "not_yours"))] * len(foreign)
        what = words.ORDERED["enrol"].format(plan=plan.title["en"])
        return Ordered(len(done), what, not_done, (plan.id, shown.at) if done else None), foreign

    try:
        told, foreign = await house.database.run(enrol)
    except LookupError as problem:
        raise Refusal(409, f"{problem}.") from None
    for task_id in foreign:
        await denied(request, visitor, "followups.all", f"task:{task_id}")
    return told


def _order(form: Mapping[str, Any], visitor: Visitor) -> Order:
    """Raises Refusal where it cannot be understood, or says what to correct."""
    what, day = str(form.get("what", "")), str(form.get("day", ""))
    if what == "take":
        wanted = Order("give", to=visitor.account_id)
    elif what in WHATS:
        try:
            wanted = Order(
                what,
                to=UUID(str(form["to"])) if what == "give" and form.get("to") else None,
                reason=str(form.get("reason", "")),
                day=date.fromisoformat(day) if what == "move" and day else None,
                priority=int(str(form.get("priority") or 0)) if what == "priority" else 5,
            )
        except ValueError:
            raise Refusal(422, "That was not understood. Reload the page and try again.") from None
    else:
        raise Refusal(422, "Say what is to be done with them.")
    wrong = wanted.wrong()
    if wrong is not None:
        raise Refusal(422, wrong)
    return wanted


def _chosen(fields: list[str]) -> dict[UUID, str]:
    """Task → its mark when it was shown."""
    if not fields:
        raise Refusal(422, "Select what it is about first.")
    if len(fields) > MOST:
        raise Refusal(422, f"Select at most {MOST} at a time.")
    try:
        return {UUID(ident): mark for ident, _, mark in (one.partition(".") for one in fields)}
    except ValueError:
        raise Refusal(422, "That was not understood. Reload the page and try again.") from None


def _told(session: Session, wanted: Order, done: int, left: list[tuple[UUID, str]], shown: Viewer) -> Ordered:
    to = session.get(Account, wanted.to) if wanted.to else None
    what = words.ORDERED[wanted.what].format(
        who="you" if to and to.id == shown.account_id else to.display_name if to else "",
        day=words.day(wanted.day, shown.zone) if wanted.day else "",
        priority=wanted.priority,
    )
    named: list[tuple[str | None, str]] = []
    for task_id, code in left:
        task = session.get(FollowUpTask, task_id)
        mine = task is not None and may_open(task, shown)
        until = words.near(task.due_until, shown.at, shown.zone) if task is not None and mine else ""
        named.append((task.patient.name if task is not None and mine else None, _sentence(code, until)))
        if task is not None and mine:
            looked(session, shown.account_id, "record.read", f"patient:{task.patient_id}", shown.at)
    return Ordered(done, what, named)


def _sentence(code: str, until: str) -> str:
    return words.say(words.NOT_ORDERED, code).format(until=until)
