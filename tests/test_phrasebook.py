"""What may be said at a menu, and what it means."""

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ivr.phrasebook import Phrasebook, speakable
from ivr.turn import Prompt
from scripts.placeholders import Doctor, Value
from scripts.spoken_words import Words
from scripts.wording import Site, load
from speech.ears import DECOY, Grammar

SITE = Site("Hospital", "112", "+6015550199", ZoneInfo("America/Bogota"))
VEGA = Doctor("Vega", True)
MONDAY = datetime(2026, 11, 23, 14, 20, tzinfo=UTC)
TUESDAY = datetime(2026, 11, 24, 14, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def book() -> Phrasebook:
    return Phrasebook(load(SITE), "9")


def heard(grammar: Grammar | None, way: str) -> str | None:
    """The label of a way to say something; None if it is not in the grammar."""
    assert grammar is not None
    return next((label for label, ways in grammar.phrases.items() if way in ways), None)


class Said:
    """Words that a test writes down."""

    def __init__(self, **words: Words) -> None:
        self._words = words

    def words(self, key: str, language: str) -> Words:
        return self._words.get(key, {})

    def ways(self, value: Value, name: str, language: str) -> tuple[str, ...]:
        return (str(value),)


def rows(*departments: str) -> Prompt:
    """As booking asks: names by language, worded where they are said."""
    choices: list[Mapping[str, Value]] = [
        {"department": {"es": name, "en": "?"}, "key": key} for key, name in enumerate(departments, 1)
    ]
    return Prompt("choose_department", choices=choices)


def test_a_menus_own_words_the_number_of_its_keys_and_the_houses_words(book: Phrasebook) -> None:
    menu = book.menu([Prompt("appointments_menu")], "123", "es")
    assert heard(menu, "ver a un médico") == heard(menu, "uno") == "1"
    assert heard(menu, "mis citas") == heard(menu, "dos") == "2"
    assert heard(menu, "hablar con una persona") == "0"
    assert heard(menu, "otra vez") == "*"
    assert heard(menu, "más despacio") == "7"
    assert heard(menu, "atrás") == "#"
    assert heard(menu, "me duele el pecho") == "9"
    assert heard(menu, "no me duele el pecho") == DECOY  # it competes, and means nothing
    assert heard(menu, "cuatro") is None  # no such key


def test_rows_are_said_by_what_is_in_them_and_by_their_order(book: Phrasebook) -> None:
    menu = book.menu([rows("cardiología", "pediatría")], "12", "es")
    assert heard(menu, "cardiología") == heard(menu, "la primera") == "1"
    assert heard(menu, "pediatría") == heard(menu, "la segunda") == heard(menu, "dos") == "2"
    assert menu is not None and menu.phrases["2"][0] == "pediatría"  # what is read back


def test_offers_are_said_by_doctor_or_order_and_other_times_by_their_words(book: Phrasebook) -> None:
    offers = [
        Prompt("offer_slots_intro", department="cardiology"),
        Prompt("time_with_doctor", n=1, when=MONDAY, doctor=VEGA),
        Prompt("time_with_doctor", n=2, when=TUESDAY, doctor=Doctor("Silva", False)),
        Prompt("more_slots", key=4),
        Prompt("repeat_hint"),
    ]
    menu = book.menu(offers, "124", "en")
    assert heard(menu, "Doctor Vega") == heard(menu, "the first one") == "1"
    assert heard(menu, "Doctor Silva") == heard(menu, "two") == "2"
    assert heard(menu, "other times") == heard(menu, "four") == "4"
    assert heard(menu, "the third one") is None


def test_what_means_two_things_is_not_understood_but_asked(book: Phrasebook) -> None:
    offers = [Prompt("time_with_doctor", n=n, when=when, doctor=VEGA) for n, when in ((1, MONDAY), (2, TUESDAY))]
    menu = book.menu(offers, "12", "en")
    assert heard(menu, "Doctor Vega") is None  # she has both times
    assert heard(menu, "the second one") == "2"


def test_a_menus_own_words_go_before_the_houses() -> None:
    own = Phrasebook(Said(back={"1": ("otra vez",)}), "9").menu([Prompt("back")], "1", "es")
    assert heard(own, "otra vez") == "1"
    assert heard(own, "repetir") == "*"


def test_a_site_without_an_urgent_key_has_no_urgent_words() -> None:
    menu = Phrasebook(Said(), None).menu([Prompt("any")], "12", "es")
    assert heard(menu, "me duele el pecho") is None
    assert heard(menu, "hablar con una persona") == "0"


def test_a_language_is_chosen_by_its_name_in_several(book: Phrasebook) -> None:
    offered = [Prompt("choose_language").in_language(tag) for tag in ("en", "es", "pt-BR", "mi")]
    menu = book.menu([Prompt("welcome"), *offered], "1235", "es")
    assert heard(menu, "English") == heard(menu, "inglés") == heard(menu, "uno") == "1"
    assert heard(menu, "português") == heard(menu, "portugués") == "3"


def test_a_language_without_words_is_answered_by_key(book: Phrasebook) -> None:
    assert book.menu([Prompt("main_menu")], "123", "mi") is None
    assert book.yes_or_no("mi") is None


def test_a_read_back_is_answered_by_yes_and_no(book: Phrasebook) -> None:
    answer = book.yes_or_no("en")
    assert heard(answer, "yes") == "1"
    assert heard(answer, "no") == "2"
    assert answer is not None and {"0", "*", "9"} <= answer.phrases.keys()


@pytest.mark.parametrize(
    ("name", "said"),
    [("Dra. Vega (cardiología)", "Dra Vega cardiología"), ("Sala 3", ""), ("内科", "内科"), ("O’Brien", "O’Brien")],
)
def test_names_are_made_such_that_engines_take_them(name: str, said: str) -> None:
    assert speakable(name) == said


def test_every_shipped_menu_with_words_makes_a_grammar() -> None:
    words = load(SITE)
    for tag, language in words.languages.items():
        for key, ways in language.words.items():
            keys = "".join(key for key in ways if len(key) == 1) or "4"
            menu = Phrasebook(words, "9").menu([Prompt(key, key=4, n=4)], keys, tag)
            assert menu is not None, (tag, key)
            assert set(keys) <= menu.phrases.keys(), (tag, key)
