"""What happens in many calls: a caller on the way to a certain point, with the keys typed as people in a hurry do."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import delete

from hospital import followups, questionnaires, surveys
from hospital.booking import Opening, OwnDesk
from hospital.caller_languages import CallerLanguage
from hospital.followups import FollowUpTask
from hotline import wiring
from scripts import verbalise
from tests.characters import Character
from tests.house import House
from tests.phone import Phone

LANGUAGE_KEYS = {"en": "1", "es": "2", "pt-BR": "3", "zh-CN": "4", "mi": "5"}


async def openings(house: House, department: str = "cardiology", limit: int = 3) -> list[Opening]:
    """What the next caller will be offered."""
    return await OwnDesk(house.database).openings(department, wiring.now(), after=wiring.now(), limit=limit)


async def reaches(house: House, phone: Phone, language: str, keys: str = "") -> None:
    """Dials 600, chooses the language where it is asked, and types `keys` ahead, as people do who know the menu.

    A test that calls twice from one number is asked for it the first time only.
    """
    before = len(house.calls())
    await phone.dials("600")
    await house.until("the ivr has the call", lambda: len(house.calls()) > before)
    await phone.is_spoken_to()  # keys that are pressed before are nobody's
    tokens = {kept.number_token: kept.language for kept in house.rows(CallerLanguage)}
    known = tokens.get(house.calls()[-1].number_token or b"")
    chosen = {None: LANGUAGE_KEYS[language], language: ""}.get(known, "8" + LANGUAGE_KEYS[language])
    await phone.presses(chosen + keys)


async def is_offered_times(house: House, phone: Phone, who: Character, language: str, department: str = "1") -> None:
    """From the welcome to the free times of a department."""
    await is_recognised(house, phone, who, language)
    await phone.presses(department)


async def is_recognised(house: House, phone: Phone, who: Character, language: str) -> None:
    """From the welcome to the question for the department."""
    await reaches(house, phone, language, "11" + who.birth_keys)
    await phone.hears(await house.sound("recognised", language, given_name=who.name.split()[0]), within=30)


def doctor(opening: Opening, language: str) -> str:
    return verbalise.doctor(opening.doctor, opening.feminine, language)


@contextmanager
def asked_by_machine(house: House) -> Iterator[FollowUpTask]:
    """Inside the block Lucía is to be asked how she is after her discharge, now."""
    lucia = house.patient("lucia")
    with house.database.transaction() as session:
        asked = questionnaires.newest(session, "discharge-day3")
        assert asked is not None
        due_at = wiring.now() - timedelta(minutes=1)
        made = followups.plan(session, patient_id=lucia.id, questionnaire_id=asked.id, reason="survey", due_at=due_at)
        made.channel = surveys.CHANNEL
    try:
        yield made
    finally:
        with house.database.transaction() as session:
            session.execute(delete(FollowUpTask).where(FollowUpTask.id == made.id))
