"""What is said and written: whole in every spoken language; a bad file is told with its line and what is wrong."""

import datetime as dt
import re
import shutil
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts import verbalise, wording
from scripts.placeholders import (
    NAME_LENGTH,
    SAID,
    WRITTEN,
    Doctor,
    Local,
    Value,
    WrongValue,
    fill,
    harmless,
    used,
)
from scripts.wording import STATIC_KEYS, Site, UnknownWording, Wording
from scripts.wording_files import load_languages
from scripts.yaml_lines import FileRefused

SITE = Site("Hospital Santa Clara", "112", "910 000 000", ZoneInfo("Europe/Madrid"), "ES")
EVERY = ["es", "en", "pt-BR", "zh-CN", "mi"]
WHEN = dt.datetime(2026, 11, 23, 8, 20, tzinfo=dt.UTC)  # 9:20 in Madrid
# A value for every placeholder there is.
VALUES: dict[str, Value] = {
    "n": 2,
    "ticket": 12,
    "key": 4,
    "when": WHEN,
    "day": WHEN,
    "minutes": 25,
    "case": "C-1042",
    "caller": "+576015550100",
    "birth_date": dt.date(1980, 2, 29),
    "digits": "4071",
    "given_name": "Lucía",
    "department": "cardiología",
    "doctor": "la doctora Vega",
    "number": "+34600111222",
    "said": "cardiología",
    "question": "¿De qué se trata?",
    "complaint": "fiebre o tos",
    "notice": "Hay un corte de luz en el hospital.",
    "asked": {"es": "¿Cuánto dolor tiene, de 0 a 10?"},
    "answer": "Fiebre o tos",
    "given": 38.5,
    "low": 0,
    "high": 37.5,
    "unit": "°C",
    "choices": [
        {
            "department": "cardiología",
            "doctor": "la doctora Vega",
            "given_name": "Lucía",
            "complaint": "fiebre",
            "answer": "Fiebre",
            "key": 1,
        },
        {
            "department": "pediatría",
            "doctor": "el doctor Molina",
            "given_name": "Marta",
            "complaint": "tos",
            "answer": "Tos",
            "key": 2,
        },
    ],
}


@pytest.fixture(scope="module")
def words() -> Wording:
    return wording.load(SITE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped files, to be spoilt."""
    return Path(shutil.copytree(wording.HERE, tmp_path / "languages"))


def file_with(folder: Path, text: str) -> Path:
    """The first file of a language in which a text stands."""
    return next(path for path in sorted(folder.rglob("*.yaml")) if text in path.read_text())


def spoil(path: Path, old: str, new: str) -> int:
    """Replace a text that stands there; the line on which it stood."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1


# ── What is shipped ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H11")
def test_the_shipped_files_are_good(words: Wording) -> None:
    assert [str(problem) for problem in words.refused] == []
    assert words.spoken == ("en", "es", "pt-BR", "zh-CN")
    assert words.menu_keys == {"1": "en", "2": "es", "3": "pt-BR", "4": "zh-CN", "5": "mi"}
    assert set(words.languages) == set(verbalise.SPEECH)


@pytest.mark.covers("H11")
def test_a_spoken_language_is_whole(words: Wording) -> None:
    """All forms of all sentences; a native speaker's review may be lacking, and is counted apart."""
    assert words.check() == []


@pytest.mark.parametrize("language", EVERY)
def test_every_prompt_is_a_whole_sentence(words: Wording, language: str) -> None:
    for key in words.every_key():
        said = words.text(key, language, **VALUES)
        assert "{" not in said and "  " not in said and said[-1] in ".?。？", key
        assert not said[0].islower(), key


@pytest.mark.covers("H1")
def test_the_dialplan_s_prompts_need_no_values(words: Wording) -> None:
    for key in STATIC_KEYS:
        assert words.is_static(key)
        assert words.text(key, "es")
    assert not words.is_static("take_time")
    assert not words.is_static("choose_department.choice")
    assert not words.is_static("no_such_key")


@pytest.mark.covers("H1")
@pytest.mark.parametrize("key", ["welcome", "emergency", "ivr_down_menu", "to_urgent"])
def test_the_emergency_number_is_said_digit_by_digit(words: Wording, key: str) -> None:
    assert "uno uno dos" in words.text(key, "es")
    assert "one one two" in words.text(key, "en")
    assert "um um dois" in words.text(key, "pt-BR")
    assert "幺幺二" in words.text(key, "zh-CN")


def test_patients_never_hear_our_own_name(words: Wording) -> None:
    for file in words.languages.values():
        said = " ".join(sentence for forms in file.prompts.values() for sentence in forms.values())
        assert "hotline" not in said.lower()


@pytest.mark.covers("H11")
def test_a_count_agrees_with_its_noun(words: Wording) -> None:
    assert words.text("my_appointments", "es", n=21) == "Tiene veintiuna citas."
    assert words.text("my_appointments", "en", n=21) == "You have twenty-one appointments."


@pytest.mark.parametrize(
    ("grammar", "values", "said"),
    [
        ("{n:count}", {"n": 1}, "Un"),
        ("{n:place}", {"n": 3}, "Tercero"),
        ("{n:place_f}", {"n": 3}, "Tercera"),
        ("{minutes}", {"minutes": 21}, "Veintiún minutos"),
        ("{minutes:about}", {"minutes": 8}, "Unos ocho minutos"),
        ("{case}", {"case": "C-12"}, "Ce, uno dos"),
    ],
)
def test_a_sentence_chooses_its_grammar(grammar: str, values: dict[str, Value], said: str) -> None:
    assert fill(grammar, values, SAID, "es", Local(SITE.zone)) == said


def test_a_doctor_and_a_department_are_named_in_the_language_that_is_spoken(words: Wording) -> None:
    told: dict[str, Value] = {"when": WHEN, "doctor": Doctor("Vega", True), "department": {"es": "tos", "en": "cough"}}
    assert "recordamos su cita: tos, con la doctora Vega, el lunes" in words.text("reminder_visit", "es", **told)
    assert ": cough, with Doctor Vega, on Monday" in words.text("reminder_visit", "en", **told)
    # what a department lacks is English
    assert words.text("offer_slots_intro", "mi", department={"en": "cough"}).endswith("cough.")
    assert "{" not in words.text("time_with_doctor", "es", when=WHEN, doctor=Doctor("{0.__class__}[[", False))
    shouted: dict[str, Value] = {"when": WHEN, "doctor": Doctor("DRA. VEGA LÓPEZ", True)}
    assert words.text("time_with_doctor", "es", **shouted).endswith(", con la doctora Vega López.")
    assert words.text("recognised", "en", given_name="MARÍA JOSÉ") == "Thank you, María José."
    assert words.text("recognised", "en", given_name="JJ") == "Thank you, JJ."


def test_hours_are_said_by_the_site_s_clock() -> None:
    words = wording.load(replace(SITE, clock=24))
    assert "nueve y veinte, con" in words.text("time_with_doctor", "es", when=WHEN, doctor="X")


@pytest.mark.covers("H2", "H11")
def test_lucia_s_booking_as_it_sounds(words: Wording) -> None:
    assert words.text("choose_department.short", "es", choices=VALUES["choices"]) == (
        "Para cardiología, marque uno. Para pediatría, marque dos. Si tiene dudas, marque 0."
    )
    assert words.text("time_with_doctor", "es", when=WHEN, doctor="la doctora Vega") == (
        "El lunes veintitrés de noviembre a las nueve y veinte de la mañana, con la doctora Vega."
    )
    assert words.text("take_time", "es", n=2) == "Para esta hora, marque dos."
    assert words.text("time_with_doctor", "en", when=WHEN, doctor=verbalise.doctor("Vega", True, "en")) == (
        "Monday the twenty-third of November at twenty past nine in the morning, with Doctor Vega."
    )
    assert words.text("callback_confirm_number.short", "es", number="+34600111222") == (
        "Seis cero cero, uno uno, uno dos, dos dos. Correcto, marque 1. Otro número, marque 2."
    )


@pytest.mark.covers("H11", "H28")
def test_a_questionnaire_s_own_words_are_said_with_their_numbers_in_words(words: Wording) -> None:
    asked: dict[str, Value] = {"asked": {"es": "¿Cuánto dolor, de 0 a 10?", "en": "Walk 20 minutes"}}
    assert words.text("survey_statement", "es", **asked) == "¿Cuánto dolor, de cero a diez?"
    assert words.text("survey_statement", "zh-CN", **asked) == "Walk twenty minutes."
    assert words.text("survey_statement", "zh-CN", asked={"zh-CN": "喝10杯水"}) == "喝十杯水。"
    told = {
        "es": "treinta y ocho coma cero cinco",
        "pt-BR": "trinta e oito vírgula zero cinco",
        "zh-CN": "三十八点零五",
    }
    for language, said in told.items():
        assert said in words.text("survey_read_back", language, given=38.05)
    assert words.text("survey_in_unit", "pt-BR", unit="mm[Hg]") == "Em milímetros de mercúrio."
    assert words.text("survey_in_unit", "es", unit="%") == "En porcentaje."
    assert words.text("survey_in_unit", "pt-BR", unit="%") == "Em porcentagem."
    assert words.text("survey_in_unit", "en", unit="/min") == "In times per minute."
    assert words.text("survey_read_back.short", "es", given=dt.time(9, 20)).startswith("Las nueve y veinte")
    leap = dt.datetime(2028, 2, 29, 0, 5)  # noqa: DTZ001  as it was typed
    for language, said in {
        "es": "veintinueve de febrero de dos mil veintiocho a las doce y cinco de la noche",
        "en": "the twenty-ninth of February twenty twenty-eight at five past twelve at night",
        "pt-BR": "vinte e nove de fevereiro de dois mil e vinte e oito, à meia-noite e cinco",
        "zh-CN": "二零二八年二月二十九日凌晨零点零五分",
    }.items():
        assert said in words.text("survey_read_back", language, given=leap)


@pytest.mark.parametrize("language", EVERY)
def test_a_repetition_is_said_differently_each_time(words: Wording, language: str) -> None:
    for key, forms in words.languages[language].prompts.items():
        said = [forms[form] for form in ("text", "short", "other") if form in forms]
        assert len(said) == len(set(said)), key
        assert "short" not in forms or len(forms["short"]) <= len(forms["text"]), key


# ── Languages that are not spoken ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H11")
def test_who_chooses_another_language_hears_english(words: Wording) -> None:
    assert words.sentence("main_menu", "zh-CN", {}, can_speak=False).language == "en"
    assert words.sentence("main_menu", "xx", {}).language == "en"
    assert words.sentence("language_not_spoken", "mi", {}).language == "mi"


@pytest.mark.covers("H11")
def test_maori_is_named_in_english_when_nobody_can_say_it(words: Wording) -> None:
    said = words.sentence("choose_language", "mi", {}, can_speak=False)
    assert (said.text, said.language) == ("For te reo Māori, press 5.", "en")
    assert words.sentence("choose_language.short", "mi", {}, can_speak=False).text == said.text
    told = words.sentence("language_not_spoken", "mi", {}, can_speak=False)
    assert told.text.startswith("Kia ora. I am sorry, this service does not speak te reo Māori yet.")
    # A recording can: then the language's own words stand.
    assert words.sentence("choose_language", "mi", {}).text == "Mō te reo Māori, pēhia te 5."


@pytest.mark.covers("H12")
def test_a_caller_is_greeted_as_in_the_site_s_country(words: Wording) -> None:
    assert words.text("welcome", "en").startswith("Hello, welcome to Hospital Santa Clara.")
    assert words.text("welcome", "zh-CN").startswith("您好，欢迎致电Hospital Santa Clara。")
    at_home = wording.load(replace(SITE, country="NZ"))
    assert at_home.text("welcome", "en").startswith("Kia ora, welcome to")
    assert at_home.text("welcome", "es").startswith("Hola.")
    assert at_home.text("welcome", "mi").startswith("Kia ora, nau mai ki")
    assert at_home.is_static("welcome")


@pytest.mark.covers("H12")
def test_each_language_has_its_pace(folder: Path) -> None:
    spoil(folder / "es/language.yaml", "pace: 1.0", "pace: 0.9")
    words = wording.load(SITE, folder)
    assert {language: words.pace(language) for language in ("es", "zh-CN", "xx")} == {"es": 0.9, "zh-CN": 1, "xx": 1}


# ── Messages ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H4")
@pytest.mark.parametrize("language", ["es", "en", "pt-BR", "zh-CN", "mi"])
def test_a_message_names_hospital_date_time_and_number(words: Wording, language: str) -> None:
    for key in ("appointment_confirmed", "appointment_cancelled"):
        text = words.message(key, language, date=WHEN, time=WHEN)
        assert all(part in text for part in ("Hospital Santa Clara", "2026", "23", ":20", "910 000 000")), text
    assert "910 000 000" in words.message("callback_registered", language)


@pytest.mark.covers("H4")
def test_a_message_is_right_for_every_day_and_every_count(words: Wording) -> None:
    for days in range(7):  # a sexta-feira, o sábado: no article is right for both
        on = WHEN + dt.timedelta(days=days)
        for key in ("appointment_confirmed", "appointment_moved", "appointment_reminder"):
            text = words.message(key, "pt-BR", date=on, time=on)
            assert f"marcada para {verbalise.written_date(on.date(), 'pt-BR')}, às" in text
    for language in EVERY:
        text = words.message("queue_place_minutes", language, n=1, minutes=1)
        assert not re.search("1 (minutes|minutos)", text), text


GSM = set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿")
GSM |= set("abcdefghijklmnopqrstuvwxyzäöñüà")  # 3GPP TS 23.038: one sign more, such as "á", and 70 fit instead of 160


@pytest.mark.covers("H4")
@pytest.mark.parametrize("language", ["es", "en", "pt-BR", "zh-CN"])
def test_a_message_is_no_longer_than_two_texts(words: Wording, language: str) -> None:
    filled: dict[str, Value] = {**VALUES, "date": WHEN, "time": WHEN, "link": "https://a.example/a/bcdefghijk"}
    own = {key for key, file in words.languages["en"].written_in.items() if file == "messages"}
    for key in own - {"survey_one", "survey_some"}:  # as long as the question
        text = words.message(key, language, **{**filled, "choices": "", "asked": {"en": "?"}, "total": 3, "ticket": 12})
        plain = set(text) <= GSM
        assert len(text) <= (2 * 153 if plain else 2 * 67), (key, len(text), "".join(sorted(set(text) - GSM)))


@pytest.mark.covers("H4")
def test_a_message_cannot_name_a_department_or_a_doctor(words: Wording, folder: Path) -> None:
    about_the_call = {"hospital", "number", "caller", "date", "time", "case", "n", "total", "minutes", "emergency"}
    about_the_call |= {"link", "ticket", "day"}
    # a questionnaire's own words, and to whom a letter goes
    assert set(WRITTEN) == about_the_call | {"asked", "choices"} | {"name"}
    for file in words.languages.values():
        for key, text in file.messages.items():
            assert used(text) <= set(WRITTEN)
            assert "name" not in used(text) or key.startswith("letter_")
    line = spoil(folder / "es/messages.yaml", "su cita es el {date}", "su cita en {department} es el {date}")
    problems = wording.load(SITE, folder).refused
    assert [(p.file, p.line) for p in problems] == [("es/messages.yaml", line)]
    assert "{department} is not known" in problems[0].what


def test_a_language_without_messages_gets_english(words: Wording) -> None:
    assert words.message("callback_registered", "xx") == words.message("callback_registered", "en")


# ── Values from outside ─────────────────────────────────────────────────────────────────────────────────────────────

HOSTILE = [
    "Lucía\n\nIgnore <break time='10s'/> [[h@'loU]] {emergency} ${EXEC} `id`",
    "A" * 500,
    "null\0byte \x1b[2J \u202ereversed",
    "half a pair \ud83d and \ufeff",
    "{when}{doctor}{__class__}",
    "-w /etc/passwd",
    "",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_harmless(words: Wording, name: str) -> None:
    said = words.text("recognised", "es", given_name=name)
    assert said.startswith("Gracias, ") and said.endswith(".")
    assert len(said) <= NAME_LENGTH + len("Gracias, .")
    assert not set(said) & set('<>[]{}|\\^`$"\n\r\t\0\x1b')
    said.encode()  # no half of a surrogate pair is left


@given(st.text(max_size=600))
def test_whatever_text_is_one_short_line(text: str) -> None:
    line = harmless(text)
    assert len(line) <= NAME_LENGTH
    assert line.isprintable() and line == line.strip()
    assert not set(line) & set('<>[]{}|\\^`$"')
    assert harmless(line) == line


def test_braces_in_a_value_are_not_filled(words: Wording) -> None:
    assert "112" not in words.text("recognised", "es", given_name="{emergency}")
    assert "uno uno" not in words.text("recognised", "es", given_name="{emergency}")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"n": 1, "doctor": "X"}, r"no value is given for \{when\}"),
        ({"n": 1, "doctor": "X", "when": dt.datetime(2026, 11, 23, 9)}, "with a time zone"),  # noqa: DTZ001
        ({"n": 1, "doctor": 7, "when": WHEN}, r"\{doctor\}: a text is expected"),
        ({"n": 1, "doctor": ["Lucía"], "when": WHEN}, r"\{doctor\}: a text is expected"),
    ],
)
def test_a_wrong_value_is_told_without_itself(words: Wording, values: dict[str, object], told: str) -> None:
    with pytest.raises(WrongValue, match=told) as caught:
        words.text("time_with_doctor", "es", **values)  # type: ignore[arg-type]
    assert "Lucía" not in str(caught.value)


def test_an_unknown_key_or_form_is_told(words: Wording) -> None:
    for key in ("no_such_key", "main_menu.shorter"):
        with pytest.raises(UnknownWording, match="add it there"):
            words.text(key, "es")


@pytest.mark.covers("I7")
def test_what_belongs_to_one_patient_is_marked(words: Wording) -> None:
    def personal(key: str) -> bool:
        return words.sentence(key, "es", VALUES).personal

    for key in ("recognised", "callback_confirm_number", "who_are_you_several"):
        assert personal(key), key
    for key in ("welcome", "choose_department", "time_with_doctor", "confirm_slot"):
        assert not personal(key), key


# ── Bad files ───────────────────────────────────────────────────────────────────────────────────────────────────────

WHOLE = "goodbye: Gracias por llamar a {hospital}. Adiós."
BAD = [
    # where, what is written there, and what is said about it; the line is that of the text replaced, plus `later`
    ("con {doctor}.\n  take_time", "con {medico}.\n  take_time", r"placeholder \{medico\} is not known", 0),
    ("El {when}, con {doctor}", "Con {doctor}", r"placeholder \{when\} is missing", 0),
    ("Tiene {n:count_f} citas", "Tiene {n:dual} citas", "'dual' is not known there", 0),
    ("Gracias, {given_name}.", "Gracias, {given_name}, por {n}.", r"\{n\} is not in the reference's sentence", 0),
    ("short: Citas y exámenes, 1.", "short: Citas con {doctor}, 1.", r"\{doctor\} is not in this prompt's text", 0),
    ("Gracias por llamar", "Gracias { por llamar", "braces that are no placeholder", 0),
    (WHOLE, "goodbye: no", r"text is expected, 'no' \(bool\)", 0),
    (WHOLE, "goodbye: 7", r"'7' \(int\) found: put it in quotes", 0),
    (WHOLE, "goodbye: [Un, momento]", "text is expected, a list found", 0),
    (WHOLE, "goodbye:", "nothing found", 0),
    (WHOLE, 'goodbye: ""', "is empty text", 0),
    (WHOLE, 'goodbye: "Un \\u2028 momento"', r"U\+2028", 0),
    ("callback_thanks:", "apology:", "'apology' stands here a second time", 0),
    ("goodbye:", "godbye:", r"prompt 'godbye' is not in the reference \(en\)", 0),
    ("short: Citas y exámenes", "shorter: Citas y exámenes", "'shorter' is not known here; allowed: ", 0),
    ('menu_key: "2"', 'menu_key: "0"', "one key from 1 to 6 is allowed", 0),
    ('menu_key: "2"', 'menu_key: "7"', "one key from 1 to 6 is allowed", 0),
    ("pace: 1.0", "pace: 3", "0.5 to 1.5 is allowed", 0),
    ("pace: 1.0", "pace: fast", "a number is expected", 0),
    ("  text: Hola", "  NZ: Hola", "'NZ' is no country", 0),
    ("spoken: true", "spoken: perhaps", "true or false is expected", 0),
    ("language: es", "language: it", "but the folder is named es", 0),
    ("reviewed_by: null", "reviewed: null", "'reviewed' is not known here", 0),
    ("goodbye: Gracias", "goodbye: *alias", "an alias", 0),
    ("goodbye: Gracias", 'goodbye: "Un', "found unexpected end of stream", None),
    ("prompts:\n", "prompts:\n\t- x\n", "cannot start any token", 1),
    # words that may be said instead of a key
    ('"2": [resultados, ', '"2": [una cita, ', "'una cita' is a word of key 1 already", 0),
    ('"2": [resultados, mis resultados]', '"2": []', "key 2 has an empty list of words", 0),
    ('"5": [otra cosa', '"6": [otra cosa', "key '6' is not in this prompt's text", 0),
    ('"5": [otra cosa', '"9": [otra cosa', "key 9 means the same at every menu", 0),
    ('"5": [otra cosa', '"5": [opción 5', "'opción 5' is not said like this", 0),
    ('"5": [otra cosa,', '"5": [otro asunto,', "'otro asunto' stands here twice", 0),
    ('"{key}": [otros', '"{n}": [otros', r"key '\{n\}' is not in this prompt's text", 0),
]


@pytest.mark.parametrize(("old", "new", "told", "later"), BAD, ids=[row[2] for row in BAD])
def test_a_bad_prompt_file_is_refused_with_its_line_and_the_others_load(
    folder: Path, old: str, new: str, told: str, later: int | None
) -> None:
    path = file_with(folder / "es", old)
    line = spoil(path, old, new)
    words = wording.load(SITE, folder)
    assert "es" not in words.languages and set(words.languages) == {"en", "pt-BR", "zh-CN", "mi"}
    problem = next(problem for problem in words.refused if re.search(told, problem.what))
    assert problem.file == str(path.relative_to(folder))
    if later is not None:
        assert problem.line == line + later
    assert words.sentence("main_menu", "es", {}).language == "en"  # the caller is served


def test_words_stand_beside_the_sentence_whatever_its_form(words: Wording) -> None:
    assert words.words("main_menu.short", "es")["1"][0] == "una cita"
    assert words.words("more_slots", "en") == {"{key}": ("other times", "more times", "none of these")}
    assert words.words("welcome", "es") == words.words("main_menu", "mi") == {}


def test_a_missing_prompt_is_told_and_all_problems_at_once(folder: Path) -> None:
    (folder / "es/prompts/goodbye.yaml").unlink()
    spoil(folder / "es/prompts/identity.yaml", "Gracias, {given_name}.", "Gracias, {name}.")
    told = [problem.what for problem in wording.load(SITE, folder).refused]
    assert "prompt 'goodbye' is missing" in told
    assert any("{name} is not known" in what for what in told)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"reviewed_by: null\nprompts: Espa\xf1ol\n", "2: is not UTF-8"),
        (b"", "1: is empty"),
        (b"- a\n- b\n", "a mapping"),
        (b"name: a\0b\n", "1: is not YAML"),
        (b"[" * 100_000, "1: exceeded maximum nesting depth"),
        (b"#" * 2_000_000, "bytes long"),
        (b"a: &x [1, 2]\nb: [*x, *x]\n", "2: an alias"),
        (b"? [a, b]\n: c\n", "text is expected, a list found"),
    ],
)
def test_a_file_that_is_no_yaml_of_ours(folder: Path, content: bytes, told: str) -> None:
    (folder / "es/prompts/booking.yaml").write_bytes(content)
    words = wording.load(SITE, folder)
    assert any(told in str(problem) for problem in words.refused), words.refused
    assert "en" in words.languages


def test_what_did_not_change_is_not_parsed_again(folder: Path) -> None:
    before, _ = load_languages(folder)
    again, _ = load_languages(folder)
    assert again["es"] is before["es"]
    spoil(folder / "es/language.yaml", "pace: 1.0", "pace: 0.9")
    changed, _ = load_languages(folder)
    assert (before["es"].pace, changed["es"].pace) == (1.0, 0.9)


def test_two_languages_on_one_key(folder: Path) -> None:
    spoil(folder / "zh_CN/language.yaml", 'menu_key: "4"', 'menu_key: "3"')
    words = wording.load(SITE, folder)
    assert [str(problem) for problem in words.refused] == [
        "zh_CN/language.yaml:1: menu_key 3 is the key of pt-BR already"
    ]


def test_without_the_reference_nothing_is_loaded(folder: Path) -> None:
    spoil(folder / "en/language.yaml", "spoken: true", "spoken: [")
    with pytest.raises(FileRefused, match=r"en/language\.yaml:\d+: "):
        wording.load(SITE, folder)
    (folder / "en/language.yaml").unlink()
    with pytest.raises(FileRefused, match="cannot be read: No such file"):
        wording.load(SITE, folder)


def test_a_prompt_stands_in_one_file_only(folder: Path) -> None:
    spoil(folder / "es/prompts/callback.yaml", "prompts:\n", "prompts:\n  goodbye: Adiós.\n")
    assert "es/prompts/goodbye.yaml" in {problem.file for problem in wording.load(SITE, folder).refused}


def test_a_bad_message_file_is_refused(folder: Path) -> None:
    path = folder / "mi/messages.yaml"
    path.write_text(path.read_text().replace("  callback_registered", "  callback_register"))
    words = wording.load(SITE, folder)
    assert [problem.file for problem in words.refused] == ["mi/messages.yaml"] * 2
    assert {problem.what.split(";")[0] for problem in words.refused} == {
        "'callback_register' is not known here",
        "'callback_registered' is missing",
    }
    assert words.message("callback_registered", "mi") == words.message("callback_registered", "en")
