"""What we may contact a patient for, and which time of day suits them. Follow-up calls of nurses are no survey: who
wants none of those speaks to a person, who can say what it means."""

from hospital import calls, consents
from hospital.patients import Patient
from hospital.wishes import Part
from ivr.call import Call, Prompt
from ivr.dialogues.identity import identify
from ivr.front_desk import FrontDesk

PURPOSES: dict[str, tuple[str, ...]] = {"1": ("survey",), "2": ("reminder",), "4": ("education", "greeting")}
"""By key: what is refused, and wanted again, together."""
PARTS: dict[str, Part | None] = {"1": "morning", "2": "afternoon", "3": None}
OTHER_WAY = {"call": ("sms", "reminders_by_text"), "sms": ("call", "reminders_by_call")}
ASKED = {
    "survey": ("surveys_now_on", "surveys_now_off"),
    "reminder": ("reminders_now_on", "reminders_now_off"),
    "education": ("advice_now_on", "advice_now_off"),
}


async def change_preferences(call: Call, front: FrontDesk) -> None:
    patient = await identify(call, front)
    if patient is None:
        return
    while True:
        key = await call.menu("preferences_menu", keys="12345")
        if key == "5":
            return
        with call.returning():
            if key == "3":
                await _time_of_day(call, front, patient)
            else:
                await _consent(call, front, patient, PURPOSES[key])


async def _consent(call: Call, front: FrontDesk, patient: Patient, purposes: tuple[str, ...]) -> None:
    """Says how it is now, and turns it round. Of several it is off where all are."""
    purpose, speaker = purposes[0], await front.database.run(calls.speaks_for, call.id)
    out = set(purposes) <= await front.database.run(consents.refused, patient.id, speaker)
    question, keys = [Prompt(ASKED[purpose][out])], "12"
    way, offer = OTHER_WAY[await front.database.run(consents.reminded_by, patient.id)]
    if purpose == "reminder" and not out:
        question, keys = [*question, Prompt(offer)], "123"
    match await call.menu(question, keys=keys):
        case "2":
            await call.say("preference_kept")
            return
        case "3":
            await front.database.run(consents.set_reminded_by, patient.id, way, front.now(), call_id=call.id)
            await call.journal.step("reminded_by", way=way)
            await call.inform("preference_noted")
            return
    for each in purposes:
        await front.database.run(consents.tell, patient.id, speaker, each, out, front.now(), call_id=call.id)
        await call.journal.step("consent", purpose=each, given=out)
    await call.inform("preference_noted")


async def _time_of_day(call: Call, front: FrontDesk, patient: Patient) -> None:
    part = PARTS[await call.menu("which_part_suits", keys="123")]
    await front.database.run(consents.set_suits, patient.id, part, front.now(), call_id=call.id)
    await call.journal.step("suits", part=part)
    await call.inform("preference_noted")
