"""Which times suit: mornings, afternoons, this week, the next, or a certain doctor; by voice also a day. Each answer
narrows the wish, but "the earliest": it takes back what was wished for, and what usually suits."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import cast

from hospital.booking import Department, Wish
from hospital.wishes import Part, week
from ivr.call import Call, Prompt
from ivr.choosing import choose
from ivr.dialogues.times import EARLIEST
from ivr.front_desk import FrontDesk
from ivr.readings import EARLIEST as SAID_EARLIEST
from ivr.readings import WishedDay
from scripts.placeholders import Doctor

A_DOCTOR = 5


async def ask_wish(call: Call, front: FrontDesk, department: Department, wish: Wish) -> Wish | None:
    """`wish`, narrower by one answer; None: the earliest."""
    doctors = await front.desk.doctors(department.code) if department.kind == "clinic" else []
    question, keys = [Prompt("which_times")], "1234"
    if len(doctors) > 1:
        question.append(Prompt("which_doctor_hint", key=A_DOCTOR))
        keys += str(A_DOCTOR)
    question.append(Prompt("say_earliest", key=EARLIEST))
    keys += str(EARLIEST)
    answer = await call.menu(question, keys=keys, reading=a_day(front))
    if answer not in keys:
        return await wished(call, front, wish, answer)
    await call.journal.step("wish", key=answer)
    match answer:
        case "1":
            return replace(wish, part="morning")
        case "2":
            return replace(wish, part="afternoon")
        case "3" | "4":
            since, until = week(front.now(), front.zone, ahead=int(answer) - 3)
            return replace(wish, since=since, until=until)
        case "6":
            return None
    doctor = await choose(call, "choose_doctor", doctors, lambda one: {"doctor": Doctor(one.name, one.feminine)})
    return replace(wish, doctor_id=doctor.id)


def a_day(front: FrontDesk) -> WishedDay:
    return WishedDay(front.now().astimezone(front.zone).date())


async def wished(call: Call, front: FrontDesk, wish: Wish, said: str) -> Wish | None:
    """`wish`, narrowed to a day and the part of it that was said (`readings.WishedDay`); None: the earliest."""
    if said == SAID_EARLIEST:
        await call.journal.step("wish", earliest=True)
        return None
    day, _, part = said.partition(" ")
    since = datetime.combine(date.fromisoformat(day), time.min, tzinfo=front.zone)
    await call.journal.step("wish", day=day, part=part or None)
    narrower = replace(wish, since=since, until=since + timedelta(days=1))
    return replace(narrower, part=cast(Part, part)) if part else narrower
