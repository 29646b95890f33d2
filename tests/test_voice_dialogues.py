"""Whole conversations by voice, as text and without a PBX: what callers say is what it means to the phrasebook of each
language and to the rules for free speech; what an engine makes of sound is shown in tests/test_voice_calls.py.

`says("una cita")` is speech, all else is keys.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime, time

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from hospital import booking, cases, patients
from hospital.booking import OwnDesk
from hospital.callbacks import Callback
from hospital.calls import CallStep
from hospital.database import Database
from hospital.number_locks import NumberLock
from hotline import postgres, wiring
from hotline.caller_joints import SqlJournal
from hotline.settings_file import DEMO, build
from ivr.call import Call
from ivr.front_desk import FrontDesk
from ivr.house import HouseKeys
from ivr.phrasebook import Phrasebook
from ivr.terminal import rehearse, scripted
from scripts import wording
from scripts.placeholders import Doctor
from tests.characters import JOAO, LUCIA, MEI, RUTH, Character
from tests.conftest import renewed
from tests.moments import NOON, ZONE
from tests.test_dialogues import words
from tests.test_survey_dialogue import answers, asked, due
from tests.transcripts import KEYS, Said, is_golden, there

__all__ = ["words"]

VOICES = ("es", "en", "pt-BR", "zh-CN")
DIALPLAN = frozenset(wording.STATIC_KEYS)
READ_BACKS = {
    "did_you_say",
    "heard_birth_date",
    "heard_digits",
    "heard_earliest",
    "heard_day",
    "heard_day_morning",
    "heard_day_afternoon",
}
WHO = {"es": LUCIA, "en": RUTH, "pt-BR": JOAO, "zh-CN": MEI}


@pytest.fixture
def front(cluster: postgres.Cluster, demo_template: str, words: wording.Wording) -> Iterator[FrontDesk]:
    with renewed(cluster, demo_template) as url, closing(Database(url, connections=4)) as database:
        made = wiring.front_desk(build(DEMO), database, words)
        yield replace(made, now=lambda: NOON, desk=OwnDesk(database, zone=ZONE))


@dataclass
class Told:
    lines: list[str]
    journal: list[tuple[str, dict[str, object]]]
    whole: str

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def asked(self) -> list[str]:
        """The first prompt of each turn that was answered."""
        turns = [facts for kind, facts in self.journal if kind == "turn" and {"key", "speech", "digits"} & facts.keys()]
        return [str(facts["said"][0]) for facts in turns]  # type: ignore[index]


def says(words: str) -> str:
    return f'"{words}"'


async def talk(
    front: FrontDesk,
    words: wording.Wording,
    language: str,
    *presses: str,
    dialogue: str = "inbound",
    at: Character | None = None,
) -> Told:
    number = (at or WHO[language]).numbers[0]
    journal = SqlJournal(front.database, "terminal-1", "terminal", number, lambda: NOON)
    await journal.begin()

    async def held(call: Call) -> None:
        await wiring.DIALOGUES[dialogue](call, front)

    said = Said(words)
    transcript = await rehearse(
        held,
        said,
        scripted(presses),
        language=language,
        caller_number=number,
        journal=journal,
        house=wiring.house_keys(front),
        phrases=Phrasebook(words, HouseKeys().urgent),
    )
    with front.database.transaction() as session:
        steps = [(step.kind, step.facts) for step in session.scalars(select(CallStep).order_by(CallStep.seq))]
    return Told(transcript.lines, steps, said.under(transcript))


def booked(session: Session, who: Character) -> list[booking.Booked]:
    patient = patients.candidates(session, who.numbers[0])[0].patient
    return booking.appointments(session, patient.id, NOON)


# ── From the welcome to an appointment without a key ────────────────────────────────────────────────────────────────

BOOKED = {
    "es": ("español", "una cita", "ver a un médico", "veintinueve de febrero de mil novecientos ochenta", "sí",
           "cardiología", "la primera", "sí resérvela"),
    "en": ("English", "appointments", "see a doctor", "the seventeenth of March nineteen forty-four", "yes",
           "cardiology", "the first one", "book it"),
    "pt-BR": ("português", "uma consulta", "marcar uma consulta", "vinte e quatro de dezembro de 1966", "sim",
              "cardiologia", "a primeira", "sim"),
    "zh-CN": ("中文", "预约", "看医生", "一九九一年十一月八号", "对", "心内科", "第一个", "好的"),
}  # fmt: skip


@pytest.mark.covers("H2", "H11", "H39")
@pytest.mark.parametrize("language", VOICES)
async def test_an_appointment_by_voice_alone(language: str, front: FrontDesk, words: wording.Wording) -> None:
    told = await talk(front, words, language, *map(says, BOOKED[language]))
    who = WHO[language]
    with front.database.transaction() as session:
        (appointment,) = booked(session, who)
    assert appointment.department_code == "cardiology"
    assert told.asked() == [
        "welcome", "main_menu", "appointments_menu", "ask_birth_date", "heard_birth_date", "choose_department",
        "offer_slots_intro", "read_back",
    ]  # fmt: skip
    assert all("key" not in facts and "digits" not in facts for kind, facts in told.journal if kind == "turn")
    # What was said is in no journal, and what was understood only as the key that it stands for.
    written = str(told.journal)
    assert who.birth_keys not in written and BOOKED[language][3] not in written


# ── What else is said ───────────────────────────────────────────────────────────────────────────────────────────────

LUCIAS, RUTHS, JOAOS, MEIS = LUCIA.birth_keys, RUTH.birth_keys, JOAO.birth_keys, MEI.birth_keys
WISHES = {
    "es": (f"2,1,1,{LUCIAS},1", "el viernes por la tarde", "sí", "2026-11-27 afternoon"),
    "en": (f"1,1,1,{RUTHS},1", "next Tuesday morning", "yes", "2026-12-01 morning"),
    "pt-BR": (f"3,1,1,{JOAOS},1", "na segunda-feira", "sim", "2026-11-30"),
    "zh-CN": (f"4,1,1,{MEIS},1", "下周二上午", "对", "2026-12-01 morning"),
}


@pytest.mark.covers("H2", "H39")
@pytest.mark.parametrize("language", VOICES)
async def test_a_day_that_suits_may_be_said_at_the_times_or_where_it_is_asked(
    language: str, front: FrontDesk, words: wording.Wording
) -> None:
    keys, wish, yes, meant = WISHES[language]
    for before in ((), ("5",)):
        told = await talk(front, words, language, *keys.split(","), *before, says(wish), says(yes), says("…"))
        day, _, part = meant.partition(" ")
        wished = [facts for kind, facts in told.journal if kind == "wish"]
        assert wished == [{"day": day, "part": part or None}]
        offered = told.lines[next(at for at, line in enumerate(told.lines) if line.startswith("journal: wish")) :]
        on_that_day = words.worded(datetime.combine(date.fromisoformat(day), time(12), ZONE), "day", language)
        assert on_that_day.casefold() in "".join(offered).casefold()
        with front.database.transaction() as session:
            session.execute(text("TRUNCATE call, caller_language CASCADE"))


EARLIEST = {
    "es": ("lo antes posible", "cuanto antes"),
    "en": ("the earliest", "as soon as you can, please"),
    "pt-BR": ("o quanto antes", "o primeiro horário livre"),
    "zh-CN": ("最早的", "越快越好"),
}


@pytest.mark.covers("H2", "H39")
@pytest.mark.parametrize("language", VOICES)
async def test_the_earliest_may_be_said_by_whom_afternoons_suit(
    language: str, front: FrontDesk, words: wording.Wording
) -> None:
    """At the times and where wishes are asked for a rule reads it, and it is said back; in the end it is a key."""
    with front.database.transaction() as session:
        patients.candidates(session, WHO[language].numbers[0])[0].patient.suits = "afternoon"
        first = booking.openings(session, "cardiology", NOON, after=NOON, limit=1)[0]
    assert first.starts_at.astimezone(ZONE).time() < time(12)
    keys, _, yes, _ = WISHES[language]
    told_time = words.text(
        "time_with_doctor", language, when=first.starts_at, doctor=Doctor(first.doctor, first.feminine)
    )
    at_the_times, where_asked = EARLIEST[language]
    for before in ((), ("5",), ("5", "5")):
        spoken = (*before, says(where_asked if before else at_the_times), says(yes))
        told = await talk(front, words, language, *keys.split(","), *spoken, says("…"))
        until, _, after = told.text.partition("journal: wish")
        assert told_time not in until and told_time in after, spoken
        with front.database.transaction() as session:
            session.execute(text("TRUNCATE call, caller_language CASCADE"))


def given(front: FrontDesk, who: Character) -> None:
    """The next time in cardiology is theirs."""
    with front.database.transaction() as session:
        opening = booking.openings(session, "cardiology", NOON, after=NOON, limit=1)[0]
        booking.hold(session, opening.slot_id, "desk", NOON)
        patient = patients.candidates(session, who.numbers[0])[0].patient
        booking.confirm(session, opening.slot_id, "desk", patient.id, NOON, "desk")


@pytest.mark.parametrize(
    ("language", "spoken"),
    [
        ("es", ("mis citas", "cancelarla", "sí cancélela")),
        ("en", ("my appointments", "cancel it", "yes cancel it")),
        ("pt-BR", ("minhas consultas", "cancelar", "sim cancelar")),
        ("zh-CN", ("我的预约", "取消", "确认取消")),
    ],
)
async def test_an_appointment_is_cancelled_by_voice(
    language: str, spoken: tuple[str, ...], front: FrontDesk, words: wording.Wording
) -> None:
    who = WHO[language]
    given(front, who)
    key, birth = KEYS[language], BOOKED[language][3]
    yes = BOOKED[language][4]
    await talk(front, words, language, key, "1", *map(says, (spoken[0], birth, yes, *spoken[1:])))
    with front.database.transaction() as session:
        assert booked(session, who) == []


@pytest.mark.covers("H8")
async def test_digits_are_said_back_and_count_with_a_yes(front: FrontDesk, words: wording.Wording) -> None:
    spoken = ("que me llamen", "no", "tres cero uno, cinco cinco cinco, cero uno ocho ocho", "sí")
    told = await talk(front, words, "es", *map(says, spoken), dialogue="callback")
    assert f"hotline: He entendido: {words.worded('3015550188', 'digits', 'es')}." in told.text
    with front.database.transaction() as session:
        (asked,) = session.scalars(select(Callback))
        assert asked.number == "+573015550188"


async def test_an_x_at_the_end_of_a_document_is_said(front: FrontDesk, words: wording.Wording) -> None:
    other = replace(MEI, numbers=("+573015559999",))
    for language, last in (("en", "zero zero two X"), ("zh-CN", "零零二X")):
        told = await talk(front, words, language, KEYS[language], "1", "1", MEIS, says(last),
                          says("yes" if language == "en" else "对"), "0", at=other)  # fmt: skip
        assert "recognised" in str(told.journal)
        with front.database.transaction() as session:
            session.execute(text("TRUNCATE call, caller_language CASCADE"))


CRIES = {  # at a menu in its own words, at a menu in others, instead of a birth date, where a wish is asked for
    "es": ("me duele el pecho", "ay no sé me duele mucho el pecho", "no puedo respirar", "estoy sangrando mucho"),
    "en": ("I have chest pain", "oh dear there is such a pain in my chest", "I can't breathe", "he is bleeding a lot"),
    "pt-BR": ("dor no peito", "ai estou com muita dor no peito", "não consigo respirar", "ela está sangrando muito"),
    "zh-CN": ("我胸口疼", "哎呀我胸口疼得厉害", "喘不过气来", "我出血了"),
}

NOES = {"es": "no", "en": "no", "pt-BR": "não", "zh-CN": "不对"}


@pytest.mark.covers("H1", "H9", "H39")
@pytest.mark.parametrize("at", range(4), ids=["menu", "other words", "birth date", "wish"])
@pytest.mark.parametrize("language", VOICES)
async def test_an_alarm_is_heard_anywhere(language: str, at: int, front: FrontDesk, words: wording.Wording) -> None:
    """Said back and not denied, it is urgent, whatever else comes."""
    key, birth = KEYS[language], WHO[language].birth_keys
    way = ((key,), (key,), (key, "1", "1"), (key, "1", "1", birth, "1", "5"))[at]
    told = await talk(front, words, language, *way, says(CRIES[language][at]), says("eh"))
    transfers = [facts for kind, facts in told.journal if kind == "transfer"]
    assert transfers[-1] == {"queue": "urgent", "reason": "urgent_voice"}
    assert CRIES[language][at] not in str(told.journal)


# ── Transcripts to be read, in tests/golden_voice/ ──────────────────────────────────────────────────────────────────

DAYS = {  # heard as a day, its morning, its afternoon
    "es": ("el viernes", "el viernes por la mañana", "el viernes por la tarde"),
    "en": ("on Friday", "Friday morning", "Friday afternoon"),
    "pt-BR": ("na sexta-feira", "na sexta-feira de manhã", "na sexta-feira à tarde"),
    "zh-CN": ("星期五", "星期五上午", "星期五下午"),
}
NUMBERS = {
    "es": "tres cero uno, cinco cinco cinco, cero uno ocho ocho",
    "en": "three zero one, five five five, zero one eight eight",
    "pt-BR": "três zero um, cinco cinco cinco, zero um oito oito",
    "zh-CN": "三零一，五五五，零一八八",
}


LUCIAS_BIRTH = {
    "es": BOOKED["es"][3],
    "en": "the twenty-ninth of February nineteen eighty",
    "pt-BR": "vinte e nove de fevereiro de 1980",
    "zh-CN": "一九八零年二月二十九号",
}
TRIAGE = {  # a nurse, which department, a complaint of the table, one of the next step, an appointment
    "es": (
        "una enfermera", "no sé qué especialidad necesito", "el corazón o la presión", "la segunda", "pedir una cita"
    ),
    "en": ("a nurse", "I am not sure", "the heart or the blood pressure", "the second one", "book an appointment"),
    "pt-BR": (
        "uma enfermeira", "não sei qual especialidade", "o coração ou a pressão", "a segunda", "marcar uma consulta"
    ),
    "zh-CN": ("护士", "不清楚看哪个科", "心脏或血压", "第二个", "预约"),
}  # fmt: skip
RESULTS = {"es": "mis resultados", "en": "test results", "pt-BR": "meus resultados", "zh-CN": "查结果"}
MOVES = {  # my appointments, change it, a time, yes
    "es": ("mis citas", "cambiarla", "la segunda", "sí cámbiela"),
    "en": ("my appointments", "change it", "the second one", "yes move it"),
    "pt-BR": ("minhas consultas", "mudar", "a segunda", "sim pode mudar"),
    "zh-CN": ("我的预约", "更改", "第二个", "确认更改"),
}
PERSON = {  # in the words of a menu, in more words, at last one word
    "es": ("hablar con una persona", "por favor quiero hablar con una persona", "operadora"),
    "en": ("speak to a person", "could I please speak to a person", "operator"),
    "pt-BR": ("falar com uma pessoa", "por favor quero falar com uma pessoa", "atendente"),
    "zh-CN": ("转人工", "麻烦帮我转人工", "人工服务"),
}


def to_the_times(language: str) -> tuple[str, ...]:
    return KEYS[language], "1", "1", WHO[language].birth_keys, "1"


def agreed(language: str, *spoken: str) -> tuple[str, ...]:
    """Each is said and, as it is said back, agreed to."""
    return tuple(says(words) for one in spoken for words in (one, BOOKED[language][4]))


SCENES: dict[str, Callable[[str], tuple[str, ...]]] = {
    "books": lambda tag: tuple(map(says, BOOKED[tag])),
    "wishes": lambda tag: (*to_the_times(tag), *agreed(tag, EARLIEST[tag][0], *DAYS[tag]), says("…")),
    "calls_for_help": lambda tag: (KEYS[tag], *agreed(tag, CRIES[tag][1])),
    "is_not_understood": lambda tag: (*to_the_times(tag)[:3], *[says("brr")] * 3, WHO[tag].birth_keys),
    "says_a_number": lambda tag: ("1", "2", *agreed(tag, NUMBERS[tag])),
    "finds_the_department": lambda tag: (KEYS[tag], *map(says, TRIAGE[tag])),
    "hears_results": lambda tag: (KEYS[tag], says(RESULTS[tag]), *agreed(tag, LUCIAS_BIRTH[tag])),
    "moves_an_appointment": lambda tag: (
        KEYS[tag], *map(says, (BOOKED[tag][1], MOVES[tag][0])), *agreed(tag, LUCIAS_BIRTH[tag]),
        *map(says, MOVES[tag][1:]),
    ),
    "wants_a_person": lambda tag: (KEYS[tag], "1", "1", says(PERSON[tag][1])),
}  # fmt: skip
LUCIAS_OWN = ("hears_results", "moves_an_appointment")  # whatever the language: who has results and appointments


@pytest.mark.covers("H11", "H39")
@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("language", VOICES)
async def test_the_transcript_is_the_golden_one(
    language: str, name: str, front: FrontDesk, words: wording.Wording
) -> None:
    dialogue = "callback" if name == "says_a_number" else "inbound"
    at = LUCIA if name in LUCIAS_OWN else None
    if name == "moves_an_appointment":
        given(front, LUCIA)
    told = await talk(front, words, language, *SCENES[name](language), dialogue=dialogue, at=at)
    is_golden(told.whole, "golden_voice", language, name)


# A survey from its first question to its last: yes and no, choices, numbers, dates, and what repeats.

YES = {tag: rest[4] for tag, rest in BOOKED.items()}
MEDICINES = {
    # nothing has changed; a medicine whose name is left out, twice a day, none missed, since a date; another one, since
    # a day without a year; that was all; no effects; enough; nothing more
    "es": ("no|pasar|dos|sí|cero|sí|contestar|el primero de marzo de dos mil veintiséis|sí|otra más|pasar|una|sí|"
           "doce|no|uno|sí|contestar|desde el veinte de noviembre|sí|eso es todo|ninguna|sí|pasar"),
    "en": ("no|skip it|two|yes|zero|yes|answer|the first of March twenty twenty-six|yes|another one|skip it|one|yes|"
           "twelve|no|one|yes|answer|since the twentieth of November|yes|that was all|none of them|yes|skip it"),
    "pt-BR": ("não|pular|dois|sim|zero|sim|responder|primeiro de março de dois mil e vinte e seis|sim|mais uma|pular|"
              "um|sim|doze|não|um|sim|responder|desde vinte de novembro|sim|é só isso|nenhuma|sim|pular"),
    "zh-CN": ("不是|跳过|两次|对|零|对|回答|二零二六年三月一号|对|还有|跳过|一次|对|"
              "十二|不对|一|对|回答|从十一月二十号开始|对|没有了|都没有|是|跳过"),
}  # fmt: skip
SHAPE_WORDS = {  # more, the second; more, the third, another one, the first, all; a date, and its time by key …
    "es": ("otras opciones|otras opciones|la segunda|otras opciones|otras opciones|otras opciones|la primera|"
           "otra más|la primera|eso es todo|el veinticuatro de diciembre de dos mil veinticinco|sí|#0930|sí|sí|"
           "uno coma cinco|sí|otra más|dos|sí|eso es todo|no|no|#0630|sí|siete|sí|pasar|la segunda"),
    "en": ("the others|the others|the second one|the others|the others|the others|the first one|another one|"
           "the first one|that was all|the twenty-fourth of December twenty twenty-five|yes|#0930|right|yes|"
           "one point five|yes|another one|two|yes|that was all|no|no|#0630|right|seven|yes|skip it|the second one"),
    "pt-BR": ("outras opções|outras opções|a segunda|outras opções|outras opções|outras opções|a primeira|mais uma|"
              "a primeira|é só isso|vinte e quatro de dezembro de dois mil e vinte e cinco|sim|#0930|certo|sim|"
              "um vírgula cinco|sim|mais uma|dois|sim|é só isso|não|não|#0630|certo|sete|sim|pular|a segunda"),
    "zh-CN": ("其他选项|其他选项|第二个|其他选项|其他选项|其他选项|第一个|再加一个|第一个|没有了|"
              "二零二五年十二月二十四号|对|#0930|对|有|一点五|对|再加一个|二|对|没有了|没有|没有|#0630|对|七|对|"
              "跳过|第二个"),
}  # fmt: skip
SURVEYS = {"answers_a_survey": ("medication", MEDICINES), "answers_any_shape": ("shapes", SHAPE_WORDS)}


def spoken(row: str) -> str:
    """Speech, and after a # keys."""
    return ",".join(one.removeprefix("#") if one.startswith("#") else says(one) for one in row.split("|"))


@pytest.mark.covers("H28", "H39")
@pytest.mark.parametrize("name", SURVEYS)
@pytest.mark.parametrize("language", VOICES)
async def test_a_survey_is_answered_by_voice(
    language: str, name: str, front: FrontDesk, words: wording.Wording
) -> None:
    code, rows = SURVEYS[name]
    task = due(front, code, LUCIA)
    told = await asked(
        front, words, task, spoken(rows[language]), LUCIA, Phrasebook(words, HouseKeys().urgent), language
    )
    is_golden(told, "golden_voice", language, name)
    given = answers(front, task)
    assert {key: given[key] for key in SURVEY_ANSWERS[name]} == SURVEY_ANSWERS[name]
    assert "journal: survey_ended whole=True" in told


SURVEY_ANSWERS: dict[str, dict[str, object]] = {
    "answers_a_survey": {
        "changed": False, "name@1": None, "times@1": 2, "missed@1": 0, "since@1": "2026-03-01", "times@2": 1,
        "missed@2": 1, "since@2": "2026-11-20", "medicine": 2, "effects": ["none"], "left": True, "words": None,
    },
    "answers_any_shape": {
        "many": "j", "all": ["m", "a"], "at@1": "2025-12-24T09:30:00", "values@1.1": [1.5, 2.0], "inner@1": 1,
        "outer": 1, "wake": "06:30:00", "count": 7, "perhaps": None, "other": "b",
    },
}  # fmt: skip


def test_every_golden_transcript_has_its_scene() -> None:
    assert there("golden_voice") == {(language, name) for language in VOICES for name in (*SCENES, *SURVEYS)}


# ── Anywhere ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H1", "H39")
@pytest.mark.parametrize("at", range(3), ids=["menu", "birth date", "after a date"])
@pytest.mark.parametrize("language", VOICES)
async def test_a_person_is_asked_for_anywhere(language: str, at: int, front: FrontDesk, words: wording.Wording) -> None:
    key = KEYS[language]
    way = ((key,), (key, "1", "1"), (key, "1", "1", says(BOOKED[language][3])))[at]
    told = await talk(front, words, language, *way, says(PERSON[language][at]))
    assert [facts for kind, facts in told.journal if kind == "transfer"][-1] == {
        "queue": "reception",
        "reason": "operator_voice",
    }


@pytest.mark.covers("H33")
@pytest.mark.parametrize("denied", [False, True])
@pytest.mark.parametrize("language", VOICES)
async def test_who_hangs_up_while_an_alarm_is_said_back_has_raised_it(
    language: str, denied: bool, front: FrontDesk, words: wording.Wording
) -> None:
    answer = (says(NOES[language]),) if denied else ()
    flags = [] if denied else ["alarm_in_doubt"]
    await talk(front, words, language, KEYS[language], says(CRIES[language][1]), *answer)
    with front.database.transaction() as session:
        assert [case.detail for case in cases.red_flags(session)] == flags


async def test_the_houses_words_work_where_digits_are_asked(front: FrontDesk, words: wording.Wording) -> None:
    spoken = ("más despacio", "otro idioma", "English", "say that again", "go back", "go back", "something else")
    told = await talk(front, words, "es", "2", "1", "1", *map(says, spoken))
    assert told.asked()[3:] == [
        *("ask_birth_date", "slower", "choose_language", "ask_birth_date", "ask_birth_date", "appointments_menu"),
        "main_menu",
    ]
    assert f"hotline (0.85): {words.text('something_else', 'en')}" in told.lines


@pytest.mark.covers("H8")
async def test_what_is_not_understood_discloses_nothing_and_leads_to_the_keypad(
    front: FrontDesk, words: wording.Wording
) -> None:
    """Whoever says a date hears it said back, whether it is anybody's or not, and is counted only after a yes."""
    said = {}
    for birth in ("veintinueve de febrero de 1980", "veintiocho de febrero de 1980"):
        told = await talk(front, words, "es", "2", "1", "1", says(birth))
        said[birth] = [line for line in told.lines if line.startswith("hotline")][-2:]
        with front.database.transaction() as session:
            assert list(session.scalars(select(NumberLock))) == []
            session.execute(text("TRUNCATE call, caller_language CASCADE"))
    hers, another = said.values()
    assert [line.replace("veintinueve", "veintiocho") for line in hers] == another
    told = await talk(
        front, words, "es", "2", "1", "1", says("no lo sé"), says("uno de mayo de 1950"), says("no"), LUCIAS
    )
    assert words.text("by_key", "es") in told.text
    assert "identified" in {kind for kind, _ in told.journal}


@pytest.mark.covers("I7")
async def test_a_pin_is_not_said_aloud(front: FrontDesk, words: wording.Wording) -> None:
    asks = replace(front, identifiers=("pin", "birth_date"))
    told = await talk(asks, words, "es", "2", "1", "2", says("cuatro siete uno uno"))
    assert words.text("voice_hint", "es") not in told.lines[-3]
    assert "4711" not in str(told.journal) + "".join(line for line in told.lines if line.startswith("hotline"))


def test_every_key_that_a_prompt_names_can_be_said(words: wording.Wording) -> None:
    """What a person reads out (choices, times) is said by its own words; all other keys have words beside them."""
    for language in VOICES:
        spoken = words.languages[language]
        for key, forms in spoken.prompts.items():
            if key in DIALPLAN or "short" not in forms or "choices" in forms["text"]:
                continue
            named = set(re.findall(r"(?<![\d{])[1-6](?![\d}])", forms["short"]))
            if len(named) > 1 and key not in READ_BACKS | {"rating_score"}:  # a score is a number
                assert named <= set(spoken.words.get(key, {})), (language, key)
