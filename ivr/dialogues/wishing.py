"""Which times suit: mornings, afternoons, this week, the next, or a certain doctor; by voice also a day. Each answer
narrows the wish, but "the earliest": it takes back what was wished for, and what usually suits.

Where there are several doctors, they and "the earliest" are behind the fifth key: six choices nobody keeps in mind. By
voice the earliest may be asked for at once, and so may a day."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import cast

from hospital.booking import Department, Wish
from hospital.slots import Doctor as WhoSees
from hospital.wishes import Part, week
from ivr.call import Call, Prompt
from ivr.choosing import choose
from ivr.front_desk import FrontDesk
from ivr.readings import EARLIEST as SAID_EARLIEST
from ivr.readings import WishedDay
from scripts.placeholders import Doctor

AND_MORE = 5  # the key beside halves of the day and weeks
A_DOCTOR, EARLIEST = "1", "2"  # behind it, where there are several doctors


async def ask_wish(call: Call, front: FrontDesk, department: Department, wish: Wish) -> Wish | None:
    """`wish`, narrower by one answer; None: the earliest."""
    doctors = await front.desk.doctors(department.code) if department.kind == "clinic" else []
    several, keys = len(doctors) > 1, f"1234{AND_MORE}"
    question = [Prompt("which_times"), Prompt("say_doctor_or_earliest" if several else "say_earliest", key=AND_MORE)]
    answer = await call.menu(question, keys=keys, reading=a_day(front))
    if answer not in keys:
        return await wished(call, front, wish, answer)
    match answer:
        case "1":
            narrower = replace(wish, part="morning")
        case "2":
            narrower = replace(wish, part="afternoon")
        case "3" | "4":
            since, until = week(front.now(), front.zone, ahead=int(answer) - 3)
            narrower = replace(wish, since=since, until=until)
        case _ if several:
            return await _a_doctor_or_the_earliest(call, front, doctors, wish)
        case _:
            return await wished(call, front, wish, SAID_EARLIEST)
    await call.journal.step("wish", key=answer)
    return narrower


async def _a_doctor_or_the_earliest(
    call: Call, front: FrontDesk, doctors: Sequence[WhoSees], wish: Wish
) -> Wish | None:
    question = [Prompt("which_doctor_hint", key=int(A_DOCTOR)), Prompt("say_earliest", key=int(EARLIEST))]
    answer = await call.menu(question, keys=A_DOCTOR + EARLIEST, reading=a_day(front))
    if answer != A_DOCTOR:
        return await wished(call, front, wish, SAID_EARLIEST if answer == EARLIEST else answer)
    doctor = await choose(call, "choose_doctor", doctors, lambda one: {"doctor": Doctor(one.name, one.feminine)})
    await call.journal.step("wish", doctor=str(doctor.id))
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
