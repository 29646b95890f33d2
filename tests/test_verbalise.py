"""Dates, times and numbers as people say them, by tables in each language."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts import verbalise

LANGUAGES = ("es", "en", "pt-BR", "zh-CN", "mi")
SPOKEN_SOME_DAY = ("es", "en", "pt-BR", "zh-CN")

TIMES = {
    "es": {
        "00:00": "las doce de la noche",
        "00:20": "las doce y veinte de la noche",
        "01:00": "la una de la madrugada",
        "05:05": "las cinco y cinco de la madrugada",
        "09:00": "las nueve de la mañana",
        "09:20": "las nueve y veinte de la mañana",
        "09:21": "las nueve y veintiuno de la mañana",
        "11:50": "las once y cincuenta de la mañana",
        "12:00": "las doce del mediodía",
        "12:20": "las doce y veinte de la tarde",
        "13:15": "la una y cuarto de la tarde",
        "16:30": "las cuatro y media de la tarde",
        "20:01": "las ocho y un minuto de la noche",
    },
    "en": {
        "00:00": "midnight",
        "00:20": "twenty past twelve at night",
        "01:00": "one o'clock in the morning",
        "09:00": "nine o'clock in the morning",
        "09:07": "seven minutes past nine in the morning",
        "09:20": "twenty past nine in the morning",
        "09:45": "quarter to ten in the morning",
        "11:50": "ten to twelve in the morning",
        "12:00": "noon",
        "12:20": "twenty past twelve in the afternoon",
        "12:59": "one minute to one in the afternoon",
        "13:15": "quarter past one in the afternoon",
        "16:30": "half past four in the afternoon",
        "18:00": "six o'clock in the evening",
        "23:45": "quarter to twelve at night",
    },
    "pt-BR": {
        "00:00": "meia-noite",
        "00:20": "meia-noite e vinte",
        "01:00": "uma da madrugada",
        "02:02": "duas e dois da madrugada",
        "09:20": "nove e vinte da manhã",
        "12:00": "meio-dia",
        "12:30": "meio-dia e meia",
        "13:15": "uma e quinze da tarde",
        "19:00": "sete da noite",
    },
    "zh-CN": {
        "00:00": "凌晨零点",
        "02:00": "凌晨两点",
        "09:05": "上午九点零五分",
        "09:20": "上午九点二十分",
        "12:00": "中午十二点",
        "14:02": "下午两点零二分",
        "16:30": "下午四点半",
        "20:15": "晚上八点十五分",
    },
    "mi": {"09:20": "9:20 AM", "14:05": "2:05 PM"},
}

CLOCK_24 = {
    "es": {
        "00:00": "las cero horas",
        "00:20": "las cero horas y veinte minutos",
        "01:00": "la una en punto",
        "01:05": "la una y cinco",
        "09:01": "las nueve y un minuto",
        "14:20": "las catorce y veinte",
        "21:00": "las veintiuna horas",
    },
    "en": {
        "00:00": "zero hundred hours",
        "09:05": "zero nine oh five",
        "14:20": "fourteen twenty",
        "22:00": "twenty-two hundred hours",
    },
    "pt-BR": {
        "00:00": "zero hora",
        "00:20": "zero hora e vinte minutos",
        "01:00": "uma hora",
        "14:20": "catorze e vinte",
        "21:01": "vinte e uma e um",
        "22:00": "vinte e duas horas",
    },
    "zh-CN": {"00:20": "零点二十分", "02:00": "两点整", "09:05": "九点零五分", "14:20": "十四点二十分"},
    "mi": {"09:05": "09:05", "14:20": "14:20"},
}

MOMENTS = {
    ("es", "2026-11-23 09:20"): "lunes veintitrés de noviembre a las nueve y veinte de la mañana",
    ("es", "2027-03-01 13:00"): "lunes primero de marzo a la una de la tarde",
    ("en", "2026-11-23 09:20"): "Monday the twenty-third of November at twenty past nine in the morning",
    ("en", "2027-03-01 12:00"): "Monday the first of March at noon",
    ("pt-BR", "2026-11-23 09:20"): "segunda-feira, vinte e três de novembro, às nove e vinte da manhã",
    ("pt-BR", "2027-03-01 13:00"): "segunda-feira, primeiro de março, à uma da tarde",
    ("pt-BR", "2027-03-01 12:00"): "segunda-feira, primeiro de março, ao meio-dia",
    ("zh-CN", "2026-11-23 09:20"): "十一月二十三日星期一上午九点二十分",
    ("mi", "2026-11-23 09:20"): "Mane 23 Noema, 9:20 AM",
}

BIRTH_DATES = {
    ("es", "1980-02-29"): "veintinueve de febrero de mil novecientos ochenta",
    ("es", "2005-01-01"): "primero de enero de dos mil cinco",
    ("en", "1980-02-29"): "the twenty-ninth of February nineteen eighty",
    ("en", "2005-01-01"): "the first of January two thousand and five",
    ("en", "1905-12-31"): "the thirty-first of December nineteen oh-five",
    ("pt-BR", "1980-02-29"): "vinte e nove de fevereiro de mil novecentos e oitenta",
    ("zh-CN", "1980-02-29"): "一九八零年二月二十九日",
    ("mi", "1980-02-29"): "29 Pēpuere 1980",
}

COUNTS = {
    ("es", 1): "una",
    ("es", 21): "veintiuna",
    ("es", 201): "doscientas una",
    ("es", 542): "quinientas cuarenta y dos",
    ("en", 21): "twenty-one",
    ("pt-BR", 2): "duas",
    ("pt-BR", 21): "vinte e uma",
    ("pt-BR", 201): "duzentas e uma",
    ("pt-BR", 2002): "duas mil e duas",
    ("zh-CN", 10): "十",
    ("zh-CN", 12): "十二",
    ("zh-CN", 105): "一百零五",
    ("zh-CN", 112): "一百一十二",
    ("zh-CN", 1010): "一千零一十",
    ("zh-CN", 2000): "两千",
    ("zh-CN", 10012): "一万零一十二",
    ("zh-CN", 20003): "两万零三",
    ("zh-CN", 120000): "十二万",
}

# Before a masculine noun, where there are genders: minutos, 分钟.
MASCULINE_COUNTS = {
    ("es", 1): "un",
    ("es", 21): "veintiún",
    ("es", 31): "treinta y un",
    ("es", 12): "doce",
    ("pt-BR", 1): "um",
    ("pt-BR", 2): "dois",
    ("zh-CN", 2): "两",
    ("zh-CN", 12): "十二",
    ("en", 1): "one",
    ("mi", 3): "toru",
}

# Before a feminine noun: persona, pessoa.
PLACES = {
    ("es", 1): "primera",
    ("es", 3): "tercera",
    ("es", 11): "undécima",
    ("es", 13): "decimotercera",
    ("es", 21): "vigésima primera",
    ("en", 3): "third",
    ("en", 21): "twenty-first",
    ("pt-BR", 3): "terceira",
    ("pt-BR", 12): "décima segunda",
    ("zh-CN", 3): "第三",
    ("zh-CN", 12): "第十二",
    ("mi", 3): "tuatoru",
    ("mi", 12): "12",
}

WAITS = {  # minutes, as they are foretold
    ("es", 0): "alrededor de un minuto",
    ("es", 7): "unos siete minutos",
    ("es", 10): "unos diez minutos",
    ("es", 17): "unos veinte minutos",
    ("es", 60): "alrededor de una hora",
    ("es", 61): "alrededor de una hora y media",
    ("es", 95): "unas dos horas",
    ("en", 1): "about one minute",
    ("en", 10): "about ten minutes",
    ("en", 60): "about an hour",
    ("en", 121): "about two and a half hours",
    ("pt-BR", 10): "cerca de dez minutos",
    ("pt-BR", 61): "cerca de uma hora e meia",
    ("pt-BR", 120): "cerca de duas horas",
    ("zh-CN", 2): "大约两分钟",
    ("zh-CN", 10): "大约十分钟",
    ("zh-CN", 61): "大约一个半小时",
    ("zh-CN", 120): "大约两个小时",
    ("mi", 10): "tata ki te 10 meneti",
    ("mi", 90): "tata ki te 1 hāora me te 30 meneti",
}

DURATIONS = {
    ("es", 21): "veintiún minutos",
    ("es", 75): "una hora y quince minutos",
    ("es", 150): "dos horas y media",
    ("en", 65): "an hour and five minutes",
    ("en", 90): "an hour and a half",
    ("pt-BR", 61): "uma hora e um minuto",
    ("pt-BR", 180): "três horas",
    ("zh-CN", 65): "一个小时零五分钟",
    ("zh-CN", 75): "一个小时十五分钟",
    ("mi", 120): "2 hāora",
}

IN_A_TEXT = {
    ("es", "durante 21 días o 21 semanas"): "durante veintiún días o veintiuna semanas",
    ("es", "1 vez de 21"): "una vez de veintiuno",
    ("es", "de 1 a 10"): "de uno a diez",
    ("es", "¿más de 38,5 grados?"): "¿más de treinta y ocho coma cinco grados?",
    ("es", "llame al 3015550188"): "llame al tres cero uno cinco cinco cinco cero uno ocho ocho",
    ("pt-BR", "nas últimas 2 semanas, 2 dias, 2."): "nas últimas duas semanas, dois dias, dois.",
    ("zh-CN", "2周内2次，第2次"): "两周内两次，第二次",
    ("zh-CN", "2月2号，12天"): "二月二号，十二天",
    ("en", "10,000 steps at 37.5 degrees"): "ten thousand steps at thirty-seven point five degrees",
    ("en", "0800, or 0.5, or 0"): "zero eight zero zero, or zero point five, or zero",
    ("mi", "3 rā"): "toru rā",
}

CASES = {
    ("es", "C-1042"): "ce, uno cero cuatro dos",
    ("es", "ñw7"): "eñe uve-doble, siete",
    ("en", "QJ20260012"): "Q J, two zero two, six zero zero, one two",
    ("pt-BR", "C-1066"): "cê, um zero meia meia",
    ("zh-CN", "C-1042"): "C，幺零四二",
    ("mi", "C-12"): "C, tahi rua",
    ("en", "—٣ 漢"): "",
}

NUMBERS = {
    # (language, number, the site's country)
    ("es", "+34600111222", "ES"): "seis cero cero, uno uno, uno dos, dos dos",
    ("en", "+64215550123", "NZ"): "zero two one, five five five, zero one two three",
    ("en", "+34600111222", "NZ"): "plus three four, six zero zero, one one, one two, two two",
    ("pt-BR", "+5511987650123", "BR"): "um um, nove oito sete meia cinco, zero um dois três",
    ("zh-CN", "+8613812345678", "CN"): "幺三八，幺二三四，五六七八",
    ("en", "600", "NZ"): "six zero zero",
    ("en", "1234567", None): "one two three, four five six seven",
}


@pytest.mark.covers("H11")
@pytest.mark.parametrize(("language", "clock", "said"), [(lang, *row) for lang in TIMES for row in TIMES[lang].items()])
def test_times_of_day(language: str, clock: str, said: str) -> None:
    assert verbalise.time_of_day(dt.time.fromisoformat(clock), language) == said


@pytest.mark.covers("H11")
@pytest.mark.parametrize(
    ("language", "clock", "said"), [(lang, *row) for lang in CLOCK_24 for row in CLOCK_24[lang].items()]
)
def test_times_by_a_clock_of_24_hours(language: str, clock: str, said: str) -> None:
    assert verbalise.time_of_day(dt.time.fromisoformat(clock), language, clock=24) == said


def test_a_moment_by_a_clock_of_24_hours() -> None:
    when = dt.datetime(2026, 11, 23, 14, 20)  # noqa: DTZ001  the site's own time
    assert verbalise.moment(when, "es", 24) == "lunes veintitrés de noviembre a las catorce y veinte"
    assert verbalise.moment(when, "pt-BR", 24) == "segunda-feira, vinte e três de novembro, às catorze e vinte"
    assert verbalise.moment(when.replace(hour=0), "pt-BR", 24).endswith(", à zero hora e vinte minutos")
    assert verbalise.moment(when, "zh-CN", 24) == "十一月二十三日星期一，十四点二十分"
    assert verbalise.full_moment(when.replace(hour=22), "zh-CN", 24) == "二零二六年十一月二十三日，二十二点二十分"


@pytest.mark.covers("H11")
@pytest.mark.parametrize(("asked", "said"), MOMENTS.items())
def test_a_day_with_its_time(asked: tuple[str, str], said: str) -> None:
    language, when = asked
    assert verbalise.moment(dt.datetime.fromisoformat(when), language) == said


@pytest.mark.parametrize(("asked", "said"), BIRTH_DATES.items())
def test_dates_of_birth(asked: tuple[str, str], said: str) -> None:
    language, date = asked
    assert verbalise.full_date(dt.date.fromisoformat(date), language) == said


@pytest.mark.parametrize(("asked", "said"), COUNTS.items())
def test_counts_agree_with_what_is_counted(asked: tuple[str, int], said: str) -> None:
    language, number = asked
    assert verbalise.count(number, language, feminine=True) == said


@pytest.mark.parametrize(("asked", "said"), MASCULINE_COUNTS.items())
def test_counts_before_a_masculine_noun(asked: tuple[str, int], said: str) -> None:
    language, number = asked
    assert verbalise.count(number, language) == said


@pytest.mark.covers("H40")
@pytest.mark.parametrize(("asked", "said"), PLACES.items())
def test_a_place_in_a_row(asked: tuple[str, int], said: str) -> None:
    language, number = asked
    assert verbalise.ordinal(number, language, feminine=True) == said


def test_a_place_before_a_masculine_noun() -> None:
    assert verbalise.ordinal(3, "es") == "tercero"
    assert verbalise.ordinal(12, "pt-BR") == "décimo segundo"


@pytest.mark.covers("H40")
@pytest.mark.parametrize(("asked", "said"), WAITS.items())
def test_a_wait_is_foretold_roughly_and_never_too_short(asked: tuple[str, int], said: str) -> None:
    language, minutes = asked
    assert verbalise.about(minutes, language) == said


@pytest.mark.parametrize(("asked", "said"), DURATIONS.items())
def test_a_duration_is_exact(asked: tuple[str, int], said: str) -> None:
    language, minutes = asked
    assert verbalise.duration(minutes, language) == said


@pytest.mark.parametrize(("asked", "said"), IN_A_TEXT.items())
def test_numbers_in_a_text_agree_with_what_they_count(asked: tuple[str, str], said: str) -> None:
    language, text = asked
    assert verbalise.numbers_said(text, language) == said


@pytest.mark.parametrize(("asked", "said"), CASES.items())
def test_a_case_number_letter_by_letter(asked: tuple[str, str], said: str) -> None:
    language, case = asked
    assert verbalise.spelled(case, language) == said


def test_a_number_on_its_own_has_no_gender() -> None:
    assert verbalise.cardinal(21, "es") == "veintiuno"
    assert verbalise.cardinal(2, "pt-BR") == "dois"


@pytest.mark.parametrize(("asked", "said"), NUMBERS.items())
def test_telephone_numbers_digit_by_digit(asked: tuple[str, str, str | None], said: str) -> None:
    language, number, country = asked
    assert verbalise.phone_number(number, language, country) == said


def test_a_number_that_is_none_is_said_as_nothing() -> None:
    assert verbalise.phone_number("anonymous", "es", "ES") == ""
    assert verbalise.digits("٣٤", "es") == ""  # digits of another script are no keys of a telephone


@pytest.mark.parametrize(
    ("language", "date", "time"),
    [
        ("es", "lunes, 23 de noviembre de 2026", "9:20"),
        ("en", "Monday, 23 November 2026", "9:20 am"),
        ("pt-BR", "segunda-feira, 23 de novembro de 2026", "09:20"),
        ("zh-CN", "2026年11月23日星期一", "09:20"),
        ("mi", "Mane, 23 Noema 2026", "9:20 AM"),
    ],
)
def test_written_for_a_message(language: str, date: str, time: str) -> None:
    when = dt.datetime(2026, 11, 23, 9, 20)  # noqa: DTZ001  the site's own time
    assert verbalise.written_date(when.date(), language) == date
    assert verbalise.written_time(when.time(), language) == time


@given(st.times(), st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31)), st.sampled_from(SPOKEN_SOME_DAY))
def test_nothing_is_left_to_the_voice(time: dt.time, date: dt.date, language: str) -> None:
    """No figure is left in what is spoken: each voice would read it in its own way."""
    spoken = [
        verbalise.moment(dt.datetime.combine(date, time), language),
        verbalise.moment(dt.datetime.combine(date, time), language, 24),
        verbalise.full_date(date, language),
        verbalise.about(60 * time.hour + time.minute, language),
        verbalise.duration(60 * time.hour + time.minute, language),
        verbalise.count(date.year, language),
        verbalise.ordinal(1 + date.toordinal() % 200, language),
        verbalise.spelled(f"C-{date.year}", language),
    ]
    assert not any(sign.isascii() and sign.isdigit() for sign in "".join(spoken))


@pytest.mark.parametrize("language", SPOKEN_SOME_DAY)
def test_no_two_times_sound_the_same(language: str) -> None:
    every = [dt.time(minute // 60, minute % 60) for minute in range(24 * 60)]
    for clock in (12, 24):
        assert len({verbalise.time_of_day(time, language, clock) for time in every}) == len(every)


@given(st.integers(0, 99_999_999))
def test_chinese_numbers_are_read_back_by_an_independent_reader(number: int) -> None:
    assert read_chinese(verbalise.cardinal(number, "zh-CN")) == number


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_function(language: str) -> None:
    assert verbalise.day(dt.date(2026, 11, 23), language)
    assert len(set(verbalise.speech(language).DIGITS)) == 10


def test_a_doctor_is_named_with_the_title() -> None:
    assert verbalise.doctor("Vega", True, "es") == "la doctora Vega"
    assert verbalise.doctor("Silva", False, "pt-BR") == "o doutor Silva"
    assert verbalise.doctor("王", True, "zh-CN") == "王医生"
    # as other systems write it
    assert verbalise.doctor("Dra. Vega", True, "es") == "la doctora Vega"
    assert verbalise.doctor("DR SILVA", False, "pt-BR") == "o doutor SILVA"
    assert verbalise.doctor("王医生", True, "zh-CN") == "王医生"
    assert verbalise.doctor("Drake", False, "en") == "Doctor Drake"
    assert verbalise.doctor("{0.__class__}", False, "en") == "Doctor {0.__class__}"


def test_an_unknown_language_is_told() -> None:
    with pytest.raises(verbalise.UnknownLanguage, match="scripts/languages"):
        verbalise.cardinal(1, "xx")


def read_chinese(words: str) -> int:
    """By the rule that a digit counts as many times as the unit after it; nothing of it is shared with the speaker."""
    total = section = digit = 0
    for sign in words:
        if sign in "零一二三四五六七八九":
            digit = "零一二三四五六七八九".index(sign)
        elif sign == "两":
            digit = 2
        elif sign == "万":
            total, section, digit = (section + digit) * 10_000, 0, 0
        else:
            section += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[sign]
            digit = 0
    return total + section + digit
