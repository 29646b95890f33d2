"""Signs that compare: said in words, sent as they are, and told where they would be lost."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from scripts import signs, texting, wording
from scripts.fhir_questionnaire import read_fhir
from scripts.filling import Filling
from scripts.questionnaire_files import load_questionnaires, read_data
from scripts.wording import Site, Wording
from tests.test_fhir import SOURCE
from web.questionnaires import check

SITE = Site("Hospital Santa Clara", "112", "910 000 000", ZoneInfo("Europe/Madrid"), "ES")
OFTEN: dict[str, Any] = {
    "linkId": "often",
    "type": "choice",
    "text": {"en": "How often?", "es": "¿Cuántas veces?"},
    "answerOption": [
        {"code": "less", "text": {"en": "< 3 times", "es": "< 3 veces"}},
        {"code": "just", "text": {"en": "3 times", "es": "3 veces"}},
        {"code": "more", "text": {"en": "> 3 times", "es": "> 3 veces"}},
    ],
}


@pytest.fixture(scope="module")
def words() -> Wording:
    return wording.load(SITE)


def asked(*items: dict[str, Any]) -> dict[str, Any]:
    head = {"id": "signs", "title": {"en": "Signs"}, "purpose": "follow-up", "reviewed_by": {"en": None}}
    return {**head, "language": "en", "item": list(items)}


@pytest.mark.covers("H28")
@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("en", "Is your temperature > 38 °C?", "Is your temperature more than thirty-eight °C?"),
        ("en", "At rest ≤ 2 or >= 10?", "At rest at most two or at least ten?"),
        ("es", "¿Tiene fiebre >38,5?", "¿Tiene fiebre más de treinta y ocho coma cinco?"),
        ("es", "< 3 veces", "Menos de tres veces."),
        ("pt-BR", "≥ 2 vezes", "No mínimo duas vezes."),
        ("zh-CN", "＞ 3 次", "大于三 次。"),
        ("zh-CN", "≦2次", "不超过两次。"),
        ("mi", "< 3", "Iti iho i te toru."),
        ("en", "Take it <b>now</b> -> 3", "Take it b now /b - three."),  # markup and arrows compare nothing
    ],
)
def test_a_sign_before_a_number_is_said_in_words(words: Wording, language: str, text: str, said: str) -> None:
    assert words.text("survey_statement", language, asked={language: text}) == said


@pytest.mark.covers("H28", "H32")
def test_options_that_differ_by_a_sign_differ_by_telephone_and_in_a_message(words: Wording) -> None:
    filling = Filling(read_data(asked(OFTEN)), {})
    (place,) = filling.places
    spoken = [words.text("survey_item", "es", answer=one.text.by_language) for one in place.item.options]
    assert spoken == ["¿menos de tres veces?", "¿tres veces?", "¿más de tres veces?"]
    text = texting.question(place, words, "es")
    assert "1 < 3 veces. 2 3 veces. 3 > 3 veces." in text
    plain = {"linkId": "hot", "type": "boolean", "text": {"en": "Is it > 38 °C, or <b>less</b>?"}}
    (place,) = Filling(read_data(asked(plain)), {}).places
    assert "Is it > 38 °C, or b less /b ?" in texting.question(place, words, "en")


@pytest.mark.covers("H21")
def test_what_is_lost_is_told_item_by_item_when_it_is_written_and_when_it_is_imported() -> None:
    lossy = {"linkId": "way", "type": "boolean", "text": {"en": "Is it > than before?"}}
    option = {"code": "few", "text": {"en": "few", "es": "a > b"}}
    choice = {**OFTEN, "answerOption": [*OFTEN["answerOption"], option]}
    told = [
        "way (en): > is lost by telephone and in messages, write it in words: 'Is it > than before?'",
        "often, few (es): > is lost by telephone and in messages, write it in words: 'a > b'",
    ]
    assert signs.lost(read_data(asked(lossy, choice))) == told
    read, found = check(json.dumps(asked(lossy, choice)), "signs", ())
    assert read is not None and [(one.what, one.stops) for one in found] == [(line, False) for line in told]
    theirs = {"linkId": "way", "type": "boolean", "text": "¿Es > que ayer?"}
    imported = read_fhir(json.dumps({**SOURCE, "item": [theirs]}).encode())
    assert imported.left_out == (
        "way (es): > is lost by telephone and in messages, write it in words: '¿Es > que ayer?'",
    )


def test_no_questionnaire_of_ours_loses_a_sign() -> None:
    assert [line for one in load_questionnaires()[0].values() for line in signs.lost(one)] == []
