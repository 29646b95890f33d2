"""Questionnaires by text message, as transcripts in tests/golden_text/: what the hospital writes, what the patient
replies, what was written down. `HOTLINE_GOLDEN=write pytest tests/test_text_conversations.py` writes them anew; read
the difference."""

import os
from pathlib import Path

import pytest

from hospital.database import Database
from scripts.wording import Wording
from tests.characters import JOAO, LUCIA, MEI, RUTH, WIREMU, Character
from tests.test_care_dialogues import words
from tests.text_house import TextHouse

__all__ = ["words"]

GOLDEN = Path(__file__).parent / "golden_text"
pytestmark = pytest.mark.covers("H32")

SURVEY: dict[str, tuple[Character, tuple[str, ...]]] = {
    "answers_all": (LUCIA, ("1", "2", "Regular", "１。", "10", "x")),
    "answers_all_in_portuguese": (JOAO, ("1", "Bom", "3", "4", "9", "Foi tudo muito bem")),
    "answers_all_in_chinese": (MEI, ("很好", "2", "3", "1", "8", "X")),
    "answers_all_in_english": (RUTH, ("1", "1", "very good", "1", "5", "yes", "Nobody told me when to come back")),
    "answers_in_maori": (WIREMU, ("1", "1", "1", "1", "10", "X")),
    "is_understood_the_second_time": (LUCIA, ("bien, gracias", "2")),
    "is_not_understood": (JOAO, ("bem demais", "7")),
    "wants_no_more": (MEI, ("1", "T")),
    "wants_no_more_and_again": (JOAO, ("SAIR", "parar", "voltar")),
    "asks_what_this_is": (LUCIA, ("ayuda", "1")),
    "tells_of_an_emergency_in_an_answer": (RUTH, ("1", "1", "1", "1", "9", "I have chest pain since this morning")),
    "tells_of_an_emergency_instead_of_an_answer": (LUCIA, ("1", "no puedo respirar")),
    "sends_thanks_afterwards": (RUTH, ("1", "1", "1", "1", "9", "x", "Thank you!", "And greetings")),
}
CLINICAL: dict[str, tuple[Character, tuple[str, ...]]] = {
    "proves_and_raises_a_red_flag": (LUCIA, ("29/02/1980", "peor", "9")),
    "proves_at_the_third_try_in_english": (RUTH, ("Who is this?", "17/3/1945", "March 17, 1944")),
    "proves_in_american_order": (RUTH, ("03/17/1944", "1")),
    "proves_in_chinese": (MEI, ("1991年11月8日", "2")),
    "does_not_prove": (JOAO, ("1", "25121966", "24/12/1965")),
}


EDUCATION: dict[str, tuple[Character, tuple[str, ...]]] = {
    "is_told_of_the_flu": (JOAO, ("24/12/1966", "não", "sim")),
}


def played(house: TextHouse, who: Character, code: str, written: tuple[str, ...]) -> str:
    task = house.due(house.admits(who), code)
    house.works()
    for text in written:
        house.writes(who, text)
    return house.transcript(task)


def compared(name: str, told: str, folder: Path = GOLDEN) -> None:
    golden = folder / f"{name}.txt"
    if os.environ.get("HOTLINE_GOLDEN") == "write":
        folder.mkdir(exist_ok=True)
        golden.write_text(told, encoding="utf-8")
    assert told == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SURVEY)
def test_a_survey(database: Database, words: Wording, name: str) -> None:
    who, written = SURVEY[name]
    compared(name, played(TextHouse(database, words), who, "satisfaction", written))


@pytest.mark.parametrize("name", CLINICAL)
def test_clinical_questions_begin_with_the_birth_date(database: Database, words: Wording, name: str) -> None:
    who, written = CLINICAL[name]
    house = TextHouse(database, words, also=["discharge-day3"])
    compared(name, played(house, who, "discharge-day3", written))


@pytest.mark.covers("H27")
@pytest.mark.parametrize("name", EDUCATION)
def test_health_education(database: Database, words: Wording, name: str) -> None:
    who, written = EDUCATION[name]
    compared(name, played(TextHouse(database, words), who, "flu-season", written))


def test_every_golden_transcript_has_its_scene() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == {*SURVEY, *CLINICAL, *EDUCATION}
