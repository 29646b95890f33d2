"""Who are you? The calling number and a birth date: two identifiers before anything that is somebody's.

Three wrong dates: nothing is disclosed, a person takes over, and the machine asks this number nothing for an hour.
The calling number is locked, never the patient. An unknown number hears the same sentences as a wrong date.
"""

from datetime import date, datetime
from typing import NoReturn

from sqlalchemy.orm import Session

from hospital import calls, number_locks, patients
from hospital.patients import Patient
from ivr.call import PACES, Call
from ivr.front_desk import FrontDesk
from scripts.placeholders import Value

OLDEST = 1880
IDENTIFIERS = 2


async def identify(call: Call, front: FrontDesk) -> Patient:
    """The patient of this call, asked once a call; or a transfer to a person."""
    known = await front.database.run(_known, call.id)
    if known is not None:
        return known
    if await front.database.run(number_locks.is_locked, call.caller_number, front.now()):
        await _give_up(call, "number_locked")
    if call.caller_number is None:
        await _give_up(call, "number_withheld")
    for attempt in range(front.tries):
        birth = await ask_birth_date(call, front, "ask_birth_date.short" if attempt else "ask_birth_date")
        found = await front.database.run(patients.matching, call.caller_number, birth)
        if found:
            patient = found[0] if len(found) == 1 else await _which(call, found)
            await front.database.run(_confirmed, call.id, call.caller_number, patient)
            await call.journal.step("identified", by=["number", "birth_date"])
            if front.slower_from_age is not None and front.now().year - birth.year >= front.slower_from_age:
                call.pace = min(call.pace, PACES[1])
            await call.say("recognised", given_name=patient.name.split()[0])
            return patient
        locked = await front.database.run(
            number_locks.identity_failed, call.caller_number, front.now(), tries=front.tries, lock=front.lock
        )
        await call.journal.step("not_identified", locked=locked)
        if locked:
            break
        await call.say("birth_date_wrong")
    await _give_up(call, "not_identified")


async def ask_birth_date(call: Call, front: FrontDesk, question: str) -> date:
    """Eight keys. A date that doesn't exist is asked again; it is no wrong answer."""
    for _ in range(front.tries):
        birth = _birth_date(await call.digits(question, length=8), front.now())
        if birth is not None:
            return birth
        await call.say("birth_date_not_a_date")
    await _give_up(call, "no_birth_date")


def _birth_date(typed: str, now: datetime) -> date | None:
    """Day first, or year first as in Chinese. Nobody is asked which: no year since 1880 begins as a month ends."""
    for day, month, year in ((typed[:2], typed[2:4], typed[4:]), (typed[6:], typed[4:6], typed[:4])):
        try:
            birth = date(int(year), int(month), int(day))
        except ValueError:
            continue
        if birth.year >= OLDEST and birth <= now.date():
            return birth
    return None


async def _which(call: Call, found: list[Patient]) -> Patient:
    """Twins on their mother's number."""
    shown = found[:5]
    choices: list[dict[str, Value]] = [
        {"given_name": patient.name.split()[0], "key": key} for key, patient in enumerate(shown, 1)
    ]
    keys = "".join(str(choice["key"]) for choice in choices)
    return shown[int(await call.menu("who_are_you_several", keys=keys, n=len(found), choices=choices)) - 1]


async def _give_up(call: Call, reason: str) -> NoReturn:
    await call.say("identity_failed")
    await call.transfer("reception", reason)


def _known(session: Session, call_id: str) -> Patient | None:
    row = session.get(calls.Call, call_id)
    if row is None or row.patient_id is None or len(row.identified_by) < IDENTIFIERS:
        return None
    return session.get(Patient, row.patient_id)


def _confirmed(session: Session, call_id: str, number: str, patient: Patient) -> None:
    number_locks.identity_confirmed(session, number)
    calls.update_call(session, call_id, patient_id=patient.id, identified_by=["number", "birth_date"])
