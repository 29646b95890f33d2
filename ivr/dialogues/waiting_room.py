"""Where a patient waits who has arrived: the ticket, the place in the line and about how long, as it is now."""

from uuid import UUID

from hospital import waiting_rooms
from hospital.waiting_rooms import Wait
from ivr.call import Call, Prompt
from ivr.front_desk import FrontDesk


async def tell_waits(call: Call, front: FrontDesk, patient_id: UUID) -> bool:
    """Whether the patient, who has shown who they are, waits anywhere."""
    waits = await front.database.run(waiting_rooms.waits, patient_id, front.now(), front.zone)
    for one in waits:
        await call.inform(sentences(one))
        await call.journal.step("place_told", place=one.place)
    return bool(waits)


def sentences(one: Wait) -> list[Prompt]:
    said = [
        Prompt("appointment_item", department=one.ticket.department_names),
        Prompt("waiting_arrived", ticket=one.ticket.number),
    ]
    if one.place == 0:
        return [*said, Prompt("waiting_called")]
    said.append(Prompt("waiting_next") if one.place == 1 else Prompt("waiting_place", n=one.place))
    wait = Prompt("waiting_unknown") if one.minutes is None else Prompt("queue_expected", minutes=one.minutes)
    return [*said, wait]
