"""A visit that answers ask for is offered at the end of the questions, and booked in the same call.

Rules: who hangs up, wants none or finds no time is called by a nurse: the answer has asked for it, whatever becomes of
this call. What was booked stands at once, and is not offered in a later call.
"""

from uuid import UUID

from hospital import answer_rules
from hospital.booking import Department
from hospital.patients import Patient
from ivr.call import Call
from ivr.dialogues.booking import choose_and_confirm
from ivr.front_desk import FrontDesk


async def offer_visits(call: Call, front: FrontDesk, patient: Patient, task_id: UUID) -> None:
    """Raises as any dialogue."""
    for asked in await front.database.run(answer_rules.offered, task_id):
        department = await _department(front, asked.department)
        if department is None:
            await call.journal.step("no_such_department", department=asked.department)
        elif not await _booked(call, front, patient, task_id, department):
            await front.database.run(answer_rules.not_booked, task_id, department.code, front.now())
            await call.inform("survey_visit_by_nurse")


async def _booked(call: Call, front: FrontDesk, patient: Patient, task_id: UUID, department: Department) -> bool:
    with call.returning():
        if await call.menu("survey_visit", keys="12", department=department.names) == "1":
            booked = await choose_and_confirm(
                call,
                front,
                patient,
                department,
                urgency="soon",
                when_booked=lambda one: front.database.run(answer_rules.booked, task_id, one, front.now()),
            )
            return booked is not None
    return False


async def _department(front: FrontDesk, code: str) -> Department | None:
    known = [*await front.desk.departments("clinic"), *await front.desk.departments("examination")]
    return next((one for one in known if one.code == code), None)
