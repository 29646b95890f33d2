"""Book an appointment: department, free times, read back, confirmed.

A time is held while the caller decides (a lease: a hang-up gives it back, and so does a dead IVR, two minutes
later). Who comes too late hears other times. What was confirmed stands, whatever happens to the call.
"""

from uuid import UUID

from hospital.booking import Department, Opening, SlotTaken
from ivr.call import Call, Prompt
from ivr.dialogues.identity import identify
from ivr.front_desk import FrontDesk
from scripts.placeholders import Doctor, Value

OFFERED = 3
MORE = "4"


async def book(call: Call, front: FrontDesk) -> None:
    """Ends with an appointment, with none, or with a person."""
    patient = await identify(call, front)
    while True:
        department = await choose_department(call, front)
        with call.returning():
            try:
                await _choose_and_confirm(call, front, patient.id, department)
            finally:
                await front.desk.release(call.id)  # what is confirmed is no longer a hold
            return


async def choose_department(call: Call, front: FrontDesk) -> Department:
    departments = (await front.desk.departments())[:5]
    choices: list[dict[str, Value]] = [
        {"department": department.names, "key": key} for key, department in enumerate(departments, 1)
    ]
    keys = "".join(str(choice["key"]) for choice in choices)
    department = departments[int(await call.menu("choose_department", keys=keys, choices=choices)) - 1]
    await call.journal.step("department", code=department.code)
    return department


async def _choose_and_confirm(call: Call, front: FrontDesk, patient_id: UUID, department: Department) -> None:
    heard: set[UUID] = set()  # and not wanted; by slot, as several doctors are free at the same time
    while True:
        free = await front.desk.openings(department.code, front.now(), after=front.now(), limit=OFFERED + len(heard))
        openings = [opening for opening in free if opening.slot_id not in heard][:OFFERED]
        if not openings and heard:
            if await call.menu("no_more_slots", keys="12", department=department.names) == "2":
                await call.say("booking_not_made")
                return
            heard.clear()
            continue
        if not openings:
            await call.journal.step("no_openings", department=department.code)
            await call.menu("no_slots", keys="1", department=department.names)
            return
        chosen = await _offer(call, department, openings)
        if chosen is None:
            heard |= {opening.slot_id for opening in openings}
            continue
        try:
            await front.desk.hold(chosen.slot_id, call.id, front.now())
        except SlotTaken:
            await call.journal.step("slot_taken", slot=str(chosen.slot_id))
            await call.say("slot_taken")
            continue
        doctor = Doctor(chosen.doctor, chosen.feminine)
        told: dict[str, Value] = {"department": department.names, "doctor": doctor, "when": chosen.starts_at}
        call.prepare(Prompt("booked", when=chosen.starts_at, doctor=doctor))
        with call.returning():
            match await call.menu("confirm_slot", keys="123", **told):
                case "1":
                    if await _confirm(call, front, chosen, patient_id):
                        return
                case "2":
                    heard.add(chosen.slot_id)
                case "3":
                    await call.say("booking_not_made")
                    return
        await front.desk.release(call.id)


async def _offer(call: Call, department: Department, openings: list[Opening]) -> Opening | None:
    """The chosen one; None for "other times"."""
    lines = [
        Prompt(
            "offer_slot",
            n=n,
            when=opening.starts_at,
            doctor=Doctor(opening.doctor, opening.feminine),
        )
        for n, opening in enumerate(openings, 1)
    ]
    question = [Prompt("offer_slots_intro", department=department.names), *lines]
    hints = [Prompt("more_slots", key=int(MORE)), Prompt("repeat_hint")]
    key = await call.menu([*question, *hints], keys="123"[: len(openings)] + MORE)
    return None if key == MORE else openings[int(key) - 1]


async def _confirm(call: Call, front: FrontDesk, chosen: Opening, patient_id: UUID) -> bool:
    try:
        booked = await front.desk.confirm(chosen.slot_id, call.id, patient_id, front.now(), "ivr")
    except SlotTaken:
        await call.journal.step("hold_expired", slot=str(chosen.slot_id))
        await call.say("hold_expired")
        return False
    await call.journal.step("booked", appointment=str(booked.appointment_id))
    await call.inform("booked", when=booked.starts_at, doctor=Doctor(booked.doctor, booked.feminine))
    return True
