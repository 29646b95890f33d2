"""What is found in a wording before it goes live, whether it stands in a file or was written in the console."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from scripts import placeholders, wording
from scripts.examples import examples, written
from scripts.findings import Finding, of_problems, of_wording, spoken_s, stopping
from scripts.wording import Site, Wording
from scripts.wording_changes import read_changes, with_changes, without_unknown
from scripts.wording_files import FORMS, Language, load_languages
from scripts.yaml_lines import FileRefused, SourceFile

SITE = Site("Hospital Santa Clara", "112", "910 000 000", ZoneInfo("Europe/Madrid"), "ES")
OFFERED = ("en", "es", "pt-BR", "zh-CN")
GOODBYE = {"en": "Goodbye.", "es": "Adiós.", "pt-BR": "Tchau.", "zh-CN": "再见。"}


@pytest.fixture(scope="module")
def languages() -> dict[str, Language]:
    return load_languages(wording.HERE)[0]


def found(languages: dict[str, Language], body: dict[str, object]) -> list[Finding]:
    try:
        changes = read_changes(SourceFile.of(body, "wording"), languages)
    except FileRefused as refusal:
        return of_problems(refusal.problems)
    return of_wording(changes, Wording(SITE, with_changes(languages, changes)), OFFERED)


def es(**prompts: object) -> dict[str, object]:
    return {"es": {"prompts": prompts}}


def test_a_whole_change_is_clean(languages: dict[str, Language]) -> None:
    body = {
        tag: {"prompts": {"goodbye": text}, "reviewed_by": {"goodbye": "Ana Vega"}} for tag, text in GOODBYE.items()
    }
    assert found(languages, body) == []
    changes = read_changes(SourceFile.of(body, "wording"), languages)
    words = Wording(SITE, with_changes(languages, changes))
    assert words.text("goodbye", "es") == "Adiós."
    assert words.text("welcome", "es") == Wording(SITE, languages).text("welcome", "es")


STOPPED = {
    "a placeholder lost": (es(queue_place="Usted espera."), ("es", "prompts", "queue_place"), "{n} is missing"),
    "another placeholder": (es(queue_place="{n} {doctor}"), ("es", "prompts", "queue_place"), "{doctor} is not in"),
    "braces": (es(goodbye="Adiós {"), ("es", "prompts", "goodbye"), "braces that are no placeholder"),
    "no such sentence": (es(godbye="Adiós."), ("es", "prompts", "godbye"), "no sentence 'godbye'"),
    "no such language": ({"fr": {"prompts": {"goodbye": "Adieu."}}}, ("fr",), "'fr' is not known here"),
    "no text": (es(goodbye=" "), ("es", "prompts", "goodbye"), "is empty text"),
    "a key not named": (
        es(something_else="Para otro asunto, oprima 2."),
        ("es", "prompts", "something_else"),
        "key 1 is not named",
    ),
    "a key that does nothing": (
        es(something_else="Avisos, 1. Otro asunto, 2. El menú, 6."),
        ("es", "prompts", "something_else"),
        "key 6 is named, but it does nothing",
    ),
    "a key used twice": (
        es(something_else={"text": "Avisos, 1. Citas, 1. Otro asunto, 2."}),
        ("es", "prompts", "something_else", "text"),
        "key 1 is named twice",
    ),
    "a person no more": (
        es(offer_person="Para hablar con una persona, espere."),
        ("es", "prompts", "offer_person"),
        "key 0 is not named",
    ),
    "a key for all, for something else": (
        es(not_found="Probar otra vez, 1. Es la primera vez, 2. Una persona, 0. El menú, 0."),
        ("es", "prompts", "not_found"),
        "key 0 is named twice",
    ),
    "no end of a number": (
        es(survey_type_any_number="Marque el número."),
        ("es", "prompts", "survey_type_any_number"),
        "key # is not named",
    ),
    "no way to repeat": (
        {"zh-CN": {"prompts": {"repeat_hint": "再听一遍，请按井号。"}}},
        ("zh-CN", "prompts", "repeat_hint"),
        "key * is not named",
    ),
    "no emergency number when it is closed": (
        es(closed_hours="Ahora está cerrado."),
        ("es", "prompts", "closed_hours"),
        "{emergency} is missing",
    ),
    "no emergency number in the queue": (
        es(emergency="Si hay una vida en peligro, cuelgue y llame al 112."),
        ("es", "prompts", "emergency"),
        "{emergency} is missing",
    ),
    "no emergency number the second time": (
        es(
            welcome={
                "text": "{greeting}, bienvenido a {hospital}. Si hay una vida en peligro, llame al {emergency}. "
                "Para ayuda urgente, marque 9.",
                "short": "Ayuda urgente, 9.",
            }
        ),
        ("es", "prompts", "welcome", "short"),
        "{emergency} is missing",
    ),
    "no number to call back": (
        es(outgoing_neutral="Le hemos llamado de {hospital}. Adiós."),
        ("es", "prompts", "outgoing_neutral"),
        "{our_number} is missing",
    ),
    "a message without the emergency number": (
        {"es": {"messages": {"text_help": "{hospital}: para hablar con nosotros, llame al {number}. BAJA"}}},
        ("es", "messages", "text_help"),
        "{emergency} is missing",
    ),
    "words of no key": (
        es(something_else={"text": "Avisos, 1. Otro asunto, 2.", "words": {"3": ["el menú"]}}),
        ("es", "prompts", "something_else", "words", "3"),
        "no such key can be pressed",
    ),
    "words said twice": (
        es(something_else={"text": "Avisos, 1. Otro asunto, 2.", "words": {"1": ["avisos"], "2": ["avisos"]}}),
        ("es", "prompts", "something_else", "words", "2", "1"),
        "a word of key 1 already",
    ),
    "too long": (
        es(goodbye="Muchas gracias por llamar. " * 25),
        ("es", "prompts", "goodbye", "text"),
        "seconds to say",
    ),
    "a value refused": (
        es(queue_expected="La espera es de {minutes:count}."),
        ("es", "prompts", "queue_expected"),
        "'count' is not known there",
    ),
    "a message that says what for": (
        {"es": {"messages": {"appointment_confirmed": "{hospital} {date} {time} {department}"}}},
        ("es", "messages", "appointment_confirmed"),
        "{department} is not known",
    ),
    "a message too long": (
        {"es": {"messages": {"appointment_cancelled": "{hospital} {date} {time} {number} " + "por favor " * 50}}},
        ("es", "messages", "appointment_cancelled"),
        "459 are the most",
    ),
}


@pytest.mark.parametrize("case", STOPPED)
def test_what_stops_is_told_with_its_place_and_what_to_do(languages: dict[str, Language], case: str) -> None:
    body, where, what = STOPPED[case]
    told = [finding for finding in stopping(found(languages, body)) if what in finding.what]
    assert told, found(languages, body)
    assert told[0].where[: len(where)] == where
    assert told[0].do


def test_all_is_told_at_once_and_a_file_tells_its_lines(languages: dict[str, Language], tmp_path: Path) -> None:
    body = es(godbye="Adiós.", goodbye="", queue_place="Usted espera.")
    assert len(stopping(found(languages, body))) == 3
    path = tmp_path / "ours.yaml"
    path.write_text(yaml.safe_dump(body, allow_unicode=True))
    with pytest.raises(FileRefused) as refusal:
        read_changes(SourceFile(path), languages)
    assert {problem.what for problem in refusal.value.problems} == {finding.what for finding in found(languages, body)}
    assert all(problem.line for problem in refusal.value.problems)


def test_one_language_alone_and_nobody_who_read_it_are_warned_of(languages: dict[str, Language]) -> None:
    told = [finding for finding in found(languages, es(goodbye="Adiós.")) if not finding.stops]
    assert [finding.where for finding in told] == [("prompts", "goodbye"), ("es", "reviewed_by")]
    assert "not in en, pt-BR, zh-CN" in told[0].what


@pytest.mark.parametrize("named", ["numeral", "almohadilla", "#", "la tecla NUMERAL"])
def test_a_key_may_be_named_as_a_site_names_it(languages: dict[str, Language], named: str) -> None:
    assert stopping(found(languages, es(survey_type_any_number=f"Marque el número y {named}."))) == []


def test_what_an_update_dropped_does_not_cost_the_rest(languages: dict[str, Language]) -> None:
    body = {**es(goodbye="Adiós.", of_last_year="Feliz año."), "fr": {"prompts": {"goodbye": "Adieu."}}}
    kept = without_unknown(body, languages)
    assert kept == {"es": {"prompts": {"goodbye": "Adiós."}}}


def test_every_sentence_of_ours_can_be_said_in_time(languages: dict[str, Language]) -> None:
    """By the figures that a site's own sentences are held to."""
    body = {
        tag: {
            "prompts": {
                key: {form: text for form, text in forms.items() if form in FORMS}
                for key, forms in language.prompts.items()
            }
        }
        for tag, language in languages.items()
    }
    stops = [f for f in stopping(found(languages, body)) if "is named twice" not in f.what]
    assert stops == []
    assert spoken_s("Bitte warten", "en") < spoken_s("Bitte warten", "zh-CN")


def test_there_is_an_example_of_every_value() -> None:
    values = {*examples(SITE.zone), "hospital", "emergency", "greeting", "our_number"}
    assert values == set(placeholders.SAID)
    assert {*written(SITE.zone), "hospital", "number", "emergency"} == set(placeholders.WRITTEN)
