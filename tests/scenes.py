"""What happens in many calls: a caller on the way to a certain point, with the keys typed as people in a hurry do."""

from hospital.booking import Opening, OwnDesk
from hotline import wiring
from scripts import verbalise
from tests.characters import Character
from tests.house import House
from tests.phone import Phone

LANGUAGE_KEYS = {"en": "1", "es": "2", "mi": "5"}


async def openings(house: House, department: str = "cardiology", limit: int = 3) -> list[Opening]:
    """What the next caller will be offered."""
    return await OwnDesk(house.database).openings(department, wiring.now(), after=wiring.now(), limit=limit)


async def reaches(house: House, phone: Phone, language: str, keys: str = "") -> None:
    """Dials 600, chooses the language and types `keys` ahead, as people do who know the menu."""
    before = len(house.calls())
    await phone.dials("600")
    await house.until("the ivr has the call", lambda: len(house.calls()) > before)
    await phone.presses(LANGUAGE_KEYS[language] + keys)


async def is_offered_times(house: House, phone: Phone, who: Character, language: str, department: str = "1") -> None:
    """From the welcome to the free times of a department."""
    await reaches(house, phone, language, "1" + who.birth_keys)
    await phone.hears(await house.sound("recognised", language, given_name=who.name.split()[0]))
    await phone.presses(department)


def doctor(opening: Opening, language: str) -> str:
    return verbalise.doctor(opening.doctor, opening.feminine, language)
