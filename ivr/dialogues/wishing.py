"""Which times suit: mornings, afternoons, this week, the next, or a certain doctor. Each answer narrows the wish."""

from dataclasses import replace

from hospital.booking import Department, Wish
from hospital.wishes import week
from ivr.call import Call, Prompt
from ivr.choosing import choose
from ivr.front_desk import FrontDesk
from scripts.placeholders import Doctor

A_DOCTOR = 5


async def ask_wish(call: Call, front: FrontDesk, department: Department, wish: Wish) -> Wish:
    """`wish`, narrower by one answer."""
    doctors = await front.desk.doctors(department.code) if department.kind == "clinic" else []
    question, keys = [Prompt("which_times")], "1234"
    if len(doctors) > 1:
        question.append(Prompt("which_doctor_hint", key=A_DOCTOR))
        keys += str(A_DOCTOR)
    key = await call.menu(question, keys=keys)
    await call.journal.step("wish", key=key)
    match key:
        case "1":
            return replace(wish, part="morning")
        case "2":
            return replace(wish, part="afternoon")
        case "3" | "4":
            since, until = week(front.now(), front.zone, ahead=int(key) - 3)
            return replace(wish, since=since, until=until)
    doctor = await choose(call, "choose_doctor", doctors, lambda one: {"doctor": Doctor(one.name, one.feminine)})
    return replace(wish, doctor_id=doctor.id)
