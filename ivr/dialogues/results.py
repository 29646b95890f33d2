"""Is my result there? Ready or not yet, in neutral words: never a value, and never bad news by the way it is said."""

from sqlalchemy.orm import Session

from hospital import calls, results
from hospital.patients import Patient
from hospital.results import Told
from ivr.call import Call
from ivr.dialogues.identity import identify
from ivr.front_desk import FrontDesk

MOST = 5
SAID = {"ready": "result_ready", "not_yet": "result_not_yet", "doctor_calls": "result_doctor_calls"}


async def hear_results(call: Call, front: FrontDesk) -> None:
    patient = await identify(call, front)
    if patient is None:
        return
    found = await front.database.run(_look, call.id, front, patient)
    await call.journal.step("results_told", results=[str(one.result_id) for one in found])
    if not found:
        await call.say("no_results")
    for one in found[:MOST]:
        await call.say(SAID[one.told], department=one.department_names, day=one.taken_at)
    if found:
        await call.say("results_are_explained")


def _look(session: Session, call_id: str, front: FrontDesk, patient: Patient) -> list[Told]:
    proxy_id = session.get_one(calls.Call, call_id).proxy_id
    at, doctor_calls = front.now(), front.say_doctor_calls
    return results.look(session, patient.id, at, call_id=call_id, proxy_id=proxy_id, say_doctor_calls=doctor_calls)
