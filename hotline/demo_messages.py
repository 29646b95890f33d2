"""`hotline message`: a demo patient's text messages at the terminal, with or without the hotline running."""

import argparse
import json
import sys

from sqlalchemy.orm import Session

from hospital import followups, patients, questionnaires
from hotline import message_joints, numbering, wiring
from hotline.demo_texts import FileTexts
from hotline.places import places
from hotline.settings import Settings
from hotline.terminal_house import terminal_house


async def message(settings: Settings, asked: argparse.Namespace) -> int:
    """0, or 2 with what is wrong on standard error."""
    callers = {person.username: person.number for person in numbering.DEMO_PATIENTS}
    if not settings.demo or asked.patient not in callers:
        why = (
            f"{asked.patient!r} is no demo patient: {', '.join(callers)}" if settings.demo else "This is not the demo."
        )
        print(why, file=sys.stderr)
        return 2
    number = callers[asked.patient]
    async with terminal_house(settings) as house:
        take = message_joints.taking(settings, house.database, lambda: house.words, wiring.now, house.front.desk)
        texts = FileTexts(house.database, message_joints.sent_file(places(settings)), take)
        if asked.task == "ask":
            planned = await house.database.run(_ask, number, asked.text)
            print(json.dumps({"task": planned}) if asked.json else planned or f"There is no {asked.text!r} to ask.")
            return 0 if planned else 2
        if asked.task == "reply":
            fate = await texts.write(number, asked.text)
            print(json.dumps({"fate": fate}) if asked.json else fate)
            return 0
        rows = await texts.of(number)
    if asked.json:
        print(json.dumps([{"at": one.at.isoformat(), "ours": one.ours, "text": one.text} for one in rows]))
    else:
        for one in rows:
            print(f"{'hospital' if one.ours else asked.patient}: {one.text}")
    return 0


def _ask(session: Session, number: str, code: str) -> str | None:
    """A questionnaire to be asked by text, now; the task, or None where there is no such questionnaire."""
    form = questionnaires.newest(session, code)
    if form is None:
        return None
    patient, at = patients.candidates(session, number)[0].patient, wiring.now()
    task = followups.plan(session, patient_id=patient.id, questionnaire_id=form.id, reason=code, due_at=at)
    task.channel, task.fallback = "sms", ["nurse_call"]
    return str(task.id)
