"""What a text message that comes in means: words, dates and options by tables, the rules of conversations, and what SQL
itself refuses."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from hospital import (
    cases,
    consents,
    coverage,
    number_locks,
    outbox,
    reminders,
    responses,
    text_replies,
    text_stops,
    text_talks,
)
from hospital.audit import AuditRow
from hospital.calling_hours import PRESETS
from hospital.cases import Case
from hospital.database import Database
from hospital.followups import Answer, FollowUpTask
from hospital.outbox import OutboxRow
from hospital.patients import Patient
from hospital.text_records import StepText
from hospital.text_replies import LONGEST, TextReply
from messages import replies
from messages.gateway import Incoming
from scripts import reply_words, texting
from scripts.answers import AnswerRefused, validate_answer
from scripts.filling import Filling
from scripts.questionnaire_files import load_questionnaires, read_data, read_source
from scripts.wording import Wording
from tests.characters import JOAO, LUCIA, MEI, RUTH, Character
from tests.hospital_scene import POLICY, at_once, employ
from tests.moments import NOON, ZONE
from tests.test_care_dialogues import words
from tests.text_house import MINUTE, TextHouse

__all__ = ["words"]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STRANGER = "+573015550199"
pytestmark = pytest.mark.covers("H32")


@pytest.fixture
def house(database: Database, words: Wording) -> TextHouse:
    return TextHouse(database, words)


# ── Words, dates, options ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        *[(word, "stop") for word in ("STOP", "stop.", " Stop! ", "UNSUBSCRIBE", "Cancel", "END", "quit", "StopAll")],
        *[(word, "stop") for word in ("BAJA", "Alto", "SAIR", "parar", "退订", "T", "ｔ", "TD", "KĀTI", "kati")],
        *[
            (word, "stop")
            for word in ("STOP 🛑", "🛑STOP✋🏽", "\u200bSTOP", "STOP\ufe0f", "\u202eSTOP", "STO\u00adP", "STOP ™")
        ],
        *[
            (word, "stop")
            for word in ("Opt-out", "OPT—OUT", "STOP ALL", "Stop, please", "please stop!!", "¿stop?", "BAJA 🙏")
        ],
        *[(word, "help") for word in ("¿ayuda?", "HELP 🆘", "??", "？", "¿?", "帮助？")],
        *[
            (word, None)
            for word in ("no, more", "No, más.", "stop, it hurts", "🛑", "👍", "\u200b", "don't stop", "1-2")
        ],
        *[(word, "start") for word in ("START", "unstop", "ALTA", "voltar", "恢复", "TĪMATA")],
        *[(word, "help") for word in ("HELP", "info", "ayuda", "AJUDA", "帮助", "āwhina", "?")],
        *[(word, None) for word in ("", "1", "stop it", "no pararé", "me dieron de baja", "the end", "te", "!", "x")],
    ],
)
def test_words_that_are_no_answer(said: str, meaning: str | None) -> None:
    assert reply_words.meant(said) == meaning


def test_every_language_has_its_words() -> None:
    assert set(reply_words.OWN) == {"en", "es", "pt-BR", "zh-CN", "mi"}
    lists: list[Mapping[Any, frozenset[str]]] = [reply_words.MANDATED, *reply_words.OWN.values()]
    for words_of in lists:
        for known in words_of.values():
            assert known
            assert all(word == reply_words.folded(word) or word == "?" for word in known)


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ("29/02/1980", {date(1980, 2, 29)}),
        ("29.2.1980.", {date(1980, 2, 29)}),
        ("29 02 1980", {date(1980, 2, 29)}),
        ("1980-02-29", {date(1980, 2, 29)}),
        ("1980年2月29日", {date(1980, 2, 29)}),
        ("２９／２／１９８０", {date(1980, 2, 29)}),
        ("03/04/1980", {date(1980, 4, 3), date(1980, 3, 4)}),
        ("03041980", {date(1980, 4, 3), date(1980, 3, 4)}),
        ("19800304", {date(1980, 3, 4)}),
        *[
            (said, {date(1980, 11, 23)})
            for said in ("23/11/80", "23-11-80", "23.11.80", "11/23/80", "80-11-23", "23 11 80")
        ],
        ("29/02/80", {date(1980, 2, 29)}),
        ("03/04/80", {date(1980, 4, 3), date(1980, 3, 4)}),
        ("1/2/05", {date(2005, 2, 1), date(2005, 1, 2)}),  # who was born in 1905 is older than anybody
        *[(said, set()) for said in ("23/11/10", "10-11-23", "31/02/80", "45/46/47", "23/11/8")],  # 1910 or 2010
        *[(said, set()) for said in ("29/02/1981", "1980", "yes", "", "0/0/0000", "99999999")],
    ],
)
def test_dates_as_people_write_them(said: str, days: set[date]) -> None:
    assert texting.dates(said, NOON.date()) == days


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("1", "5"),
        ("5", "1"),
        ("１。", "5"),
        ("2)", "4"),
        ("Muy bien", "5"),
        ("muy mal.", "1"),
        ("Bom", "4"),
        ("很好", "5"),
    ],
)
def test_a_number_is_the_place_of_an_option_and_its_words_are_the_option(said: str, code: str) -> None:
    """Its codes are numbers, too: the other way round."""
    filling = Filling(load_questionnaires()[0]["satisfaction"], {})
    assert texting.value(filling, filling.place("staff"), said) == code


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        *[(said, True) for said in ("1", "Yes", "y", "SÍ", "claro", "S", "sim", "是", "对", "好", "āe")],
        *[(said, False) for said in ("2", "No", "n", "Não", "nao", "否", "不", "不是", "kāo")],
    ],
)
def test_yes_and_no_as_people_write_them(said: str, meant: bool) -> None:
    filling = Filling(load_questionnaires()[0]["flu-season"], {})
    assert texting.value(filling, filling.place("vaccinated"), said) is meant


@pytest.mark.parametrize("said", ["", "0", "6", "1 2", "bien o mal", "👍", "x"])
def test_what_is_no_option_is_refused(said: str) -> None:
    filling = Filling(load_questionnaires()[0]["satisfaction"], {})
    with pytest.raises(AnswerRefused):
        texting.value(filling, filling.place("staff"), said)


WORDY: dict[str, Any] = {
    "id": "wordy",
    "title": {"en": "Words"},
    "purpose": "follow-up",
    "reviewed_by": {"en": None},
    "item": [
        {"linkId": "any", "type": "string", "text": {"en": "What is it?"}},
        {"linkId": "short", "type": "string", "maxLength": 20, "text": {"en": "In short?"}},
        {"linkId": "tiny", "type": "text", "maxLength": 3, "text": {"en": "In a word?"}},
        {"linkId": "several", "type": "string", "maxLength": 20, "repeats": True, "text": {"en": "Which?"}},
        {
            "linkId": "open",
            "type": "open-choice",
            "maxLength": 20,
            "text": {"en": "Who?"},
            "answerOption": [{"code": "me", "text": {"en": "I do, whenever I am there"}}],
        },
        {"linkId": "site", "type": "url", "maxLength": 20, "text": {"en": "Where?"}},
    ],
}


@pytest.mark.parametrize(
    ("question", "said", "kept"),
    [
        ("any", "a" * LONGEST, "a" * LONGEST),
        ("any", "a" * 2000, "a" * (LONGEST - 4) + " […]"),
        ("short", "my knee hurts when I walk", "my knee hurts wh […]"),
        ("short", "my knee hurts", "my knee hurts"),
        ("tiny", "very long", "[…]"),
        ("several", "aspirin; something for the heart", ["aspirin", "something for th […]"]),
        ("open", "my daughter, in the evening", {"text": "my daughter, in […]"}),
        ("open", "I do, whenever I am there", "me"),
    ],
)
def test_words_of_any_length_are_an_answer(question: str, said: str, kept: Any) -> None:
    filling = Filling(read_data(WORDY), {})
    assert texting.value(filling, filling.place(question), said) == kept
    assert validate_answer(filling.place(question).item, kept) == kept


def test_an_address_is_not_cut() -> None:
    filling = Filling(read_data(WORDY), {})
    with pytest.raises(AnswerRefused):
        texting.value(filling, filling.place("site"), "https://example.org/a/very/long/way")


# ── Once, in order ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_the_gateway_tells_twice_is_one_answer(house: TextHouse) -> None:
    task = house.due(house.admits(LUCIA))
    house.works()
    assert house.writes(LUCIA, "1", reference="SM1") == "answer"
    before = list(house.told)
    assert house.writes(LUCIA, "1", reference="SM1") == "answer"
    assert house.told == [*before, "Lucía: 1"], "nothing is said to it again"
    assert house.answers(task) == {"staff": "5"}
    assert house.fates() == ["answer"]


@pytest.mark.covers("I3")
def test_told_at_once_by_several_it_is_one_answer(house: TextHouse) -> None:
    task = house.due(house.admits(LUCIA))
    house.works()
    came = Incoming("test", "SM1", LUCIA.numbers[0], "2")
    fates = at_once(house.database, *[partial(replies.receive, came=came, at=house.now, desk=house.desk)] * 4)
    assert fates == ["answer"] * 4
    assert (house.fates(), house.answers(task)) == (["answer"], {"staff": "4"})


def test_two_texts_at_once_are_one_answer_and_a_message(house: TextHouse) -> None:
    """The second question had not left when the second of them was written."""
    task = house.due(house.admits(LUCIA))
    house.works()
    both = [Incoming("test", reference, LUCIA.numbers[0], "1") for reference in ("SM1", "SM2")]
    at_once(house.database, *[partial(replies.receive, came=one, at=house.now, desk=house.desk) for one in both])
    assert sorted(house.fates()) == ["answer", "message"]
    assert house.answers(task) == {"staff": "5"}


# ── Before a question has left ──────────────────────────────────────────────────────────────────────────────────────


def receives(house: TextHouse, said: str) -> str:
    """Somebody writes, and the gateway takes nothing of ours."""
    house.now += MINUTE
    came = Incoming("test", f"early{house.now}", LUCIA.numbers[0], said)
    with house.database.transaction() as session:
        return replies.receive(session, came, house.now, house.desk)


@pytest.mark.parametrize("state", ["queued", "sending", "failed"])
def test_what_is_written_before_the_first_question_left_is_a_message(house: TextHouse, state: str) -> None:
    task = house.due(house.admits(LUCIA))
    house.works()
    with house.database.transaction() as session:
        session.execute(update(OutboxRow).values(state=state, sent_at=None))
    assert receives(house, "1") == "message"
    assert (house.answers(task), house.cases()) == ({}, [("message", "by_text")])
    with house.database.transaction() as session:
        session.execute(update(OutboxRow).values(state="delivered"))
    talk = house.talk(task)
    assert talk is not None and (talk.state, talk.misses) == ("asking", 0)
    assert receives(house, "1") == "answer"


def test_two_replies_to_one_question_are_not_the_next_ones_answer(house: TextHouse) -> None:
    """The gateway is away between them: what was not asked yet is not answered, nor is it a miss."""
    task = house.due(house.admits(LUCIA))
    house.works()
    assert [receives(house, said) for said in ("2", "2", "regular")] == ["answer", "message", "message"]
    assert house.answers(task) == {"staff": "4"}
    assert len(house.works()) == 2, "the next question, and that a person reads what they wrote"
    assert house.writes(LUCIA, "1") == "answer"
    assert house.answers(task) == {"staff": "4", "told": "5"}


def test_the_second_try_at_a_question_needs_not_wait_until_it_is_asked_again(house: TextHouse) -> None:
    task = house.due(house.admits(LUCIA))
    house.works()
    assert [receives(house, said) for said in ("bien, gracias", "2")] == ["not_understood", "answer"]
    assert house.answers(task) == {"staff": "4"}


def test_clinical_questions_are_not_answered_before_they_are_asked(house: TextHouse) -> None:
    house.desk = replace(house.desk, also=frozenset({"discharge-day3"}))
    task = house.due(house.admits(LUCIA), "discharge-day3")
    house.works()
    assert [receives(house, said) for said in ("29/02/1980", "29/02/1980", "2")] == ["proof", "message", "message"]
    assert house.answers(task) == {}


@pytest.mark.covers("H33")
@pytest.mark.parametrize(("said", "fate"), [("no puedo respirar", "red_flag"), ("112", "red_flag"), ("BAJA", "stop")])
def test_an_alarm_and_the_end_of_texts_wait_for_no_question(house: TextHouse, said: str, fate: str) -> None:
    task = house.due(house.admits(LUCIA))
    house.works()
    receives(house, "1")
    assert receives(house, said) == fate
    talk = house.talk(task)
    assert talk is not None and talk.ended_by == fate


# ── Who is asked ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_only_what_says_so_is_asked_by_text(house: TextHouse) -> None:
    task = house.due(house.admits(LUCIA), "discharge-day3")
    (message,) = house.works()
    assert message == house.words.message("questions_wait", "es")
    assert (house.talk(task), house.decisions(task)) == (None, ["planned", "texted"])


def test_clinical_questions_are_asked_on_nobodys_number_but_the_patients_own(house: TextHouse) -> None:
    house.desk = replace(house.desk, also=frozenset({"discharge-day3"}))
    lucia, _ = house.admits(LUCIA), house.admits(replace(JOAO, numbers=LUCIA.numbers))
    house.due(lucia, "discharge-day3")
    assert house.works() == [house.words.message("questions_wait", "es")]


@pytest.mark.parametrize("why", ["no birth date", "guessed before"])
def test_whoever_could_not_prove_it_is_not_asked_to(house: TextHouse, why: str) -> None:
    house.desk = replace(house.desk, also=frozenset({"discharge-day3"}))
    house.due(house.admits(LUCIA), "discharge-day3")
    with house.database.transaction() as session:
        if why == "no birth date":
            session.execute(update(Patient).values(birth=None))
        else:
            for _ in range(3):
                number_locks.identity_failed(session, LUCIA.numbers[0], house.now)
    assert house.works() == [house.words.message("questions_wait", "es")]


def test_three_wrong_dates_lock_the_number_for_the_telephone_too(house: TextHouse) -> None:
    house.desk = replace(house.desk, also=frozenset({"discharge-day3"}))
    house.due(house.admits(LUCIA), "discharge-day3")
    house.works()
    for said in ("1/1/1980", "2/1/1980", "3/1/1980"):
        house.writes(LUCIA, said)
    with house.database.transaction() as session:
        assert number_locks.is_locked(session, LUCIA.numbers[0], house.now)
    assert not any("Fernández" in line or "del alta" in line for line in house.told if line.startswith("hospital"))


def test_what_is_no_date_is_asked_again_and_locks_nothing(house: TextHouse) -> None:
    house.desk = replace(house.desk, also=frozenset({"discharge-day3"}))
    task = house.due(house.admits(LUCIA), "discharge-day3")
    house.works()
    for said in ("¿Quién es?", "no sé", "gracias"):
        house.writes(LUCIA, said)
    assert house.task(task).channel == "nurse_call"
    with house.database.transaction() as session:
        assert session.scalars(select(number_locks.NumberLock)).all() == []


def test_a_year_of_two_digits_proves_it(house: TextHouse) -> None:
    house.desk = replace(house.desk, also=frozenset({"discharge-day3"}))
    house.due(house.admits(LUCIA), "discharge-day3")
    house.works()
    assert house.writes(LUCIA, "29-2-80") == "proof"


def test_two_who_share_a_number_are_asked_one_after_the_other(house: TextHouse) -> None:
    first = house.due(house.admits(LUCIA))
    house.now += MINUTE
    second = house.due(house.admits(replace(JOAO, numbers=LUCIA.numbers)))
    assert len(house.works()) == 1
    assert house.decisions(second)[-1] == "number_is_asked"
    for said in ("1", "1", "1", "1", "10", "x"):
        house.writes(LUCIA, said)
    assert (house.task(first).state, house.answers(second)) == ("done", {})
    house.now += 2 * DAY
    assert len(house.works()) == 1
    house.writes(JOAO, "2", number=LUCIA.numbers[0])
    assert house.answers(second) == {"staff": "4"}


def test_sql_knows_one_open_conversation_for_each_number(house: TextHouse) -> None:
    house.due(house.admits(LUCIA))
    other = house.due(house.admits(MEI))
    house.works()
    with pytest.raises(IntegrityError, match="one_talk_per_number"), house.database.transaction() as session:
        token = session.scalar(text("SELECT number_token FROM text_talk WHERE task_id <> :id"), {"id": other})
        session.execute(text("UPDATE text_talk SET number_token = :token"), {"token": token})


@pytest.mark.parametrize(
    "change",
    [
        "fate = 'message'",
        "fate = 'answer', answer_id = NULL",
        "fate = 'red_flag'",
        "fate = 'help'",  # it has an answer
        "fate = 'lost'",
        "gateway_ref = 't1'",
    ],
)
def test_sql_knows_one_fate_for_each_text(house: TextHouse, change: str) -> None:
    house.due(house.admits(LUCIA))
    house.works()
    house.writes(LUCIA, "1")
    house.writes(LUCIA, "2")
    with pytest.raises(IntegrityError), house.database.transaction() as session:
        session.execute(text(f"UPDATE text_reply SET {change} WHERE gateway_ref = 't2'"))  # noqa: S608 - above


def test_an_answer_by_text_is_known_as_one_and_counts_as_reached(house: TextHouse) -> None:
    task = house.due(house.admits(LUCIA))
    house.due(house.admits(MEI))
    house.works()
    house.writes(LUCIA, "1")
    with house.database.transaction() as session:
        assert session.scalars(select(Answer.via).where(Answer.task_id == task)).all() == ["text"]
        (all_of_them,) = coverage.coverage(session, NOON - DAY, NOON + DAY, "ward", house.now)
    assert (all_of_them.due, all_of_them.attempted, all_of_them.reached, all_of_them.consented) == (2, 2, 1, 1)
    with house.database.transaction() as session:
        found = responses.of_version(session, house.task(task).questionnaire_id, NOON - DAY, NOON + DAY)
        assert found is not None
        assert {way: count for way, count in found.ways.items() if count} == {"text": 1}


# ── It ends ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_reply_the_plan_goes_on(house: TextHouse) -> None:
    task = house.due(house.admits(LUCIA), fallback=("automated_call",))
    house.works()
    house.now += 2 * DAY
    house.works()
    talk = house.talk(task)
    assert talk is not None
    assert (house.task(task).channel, house.decisions(task)[-1], talk.ended_by) == (
        "automated_call",
        "text_unanswered",
        "expired",
    )


def test_whoever_stops_in_the_middle_keeps_the_answers_and_a_late_reply_is_a_persons(house: TextHouse) -> None:
    task = house.due(house.admits(LUCIA))
    house.works()
    house.now += DAY + 23 * HOUR
    assert house.writes(LUCIA, "1") == "answer"
    house.now += 23 * HOUR
    assert house.works() == [], "each question waits its own time"
    house.now += HOUR
    house.works()
    assert (house.task(task).channel, house.decisions(task)[-1]) == ("nurse_call", "text_cut_off")
    assert house.answers(task) == {"staff": "5"}
    assert house.writes(LUCIA, "2") == "message"
    assert house.answers(task) == {"staff": "5"}


@pytest.mark.parametrize("what", ["closed", "died", "wants no surveys", "another channel", "not her number any more"])
def test_a_task_that_went_on_without_it_asks_nothing_more(house: TextHouse, what: str) -> None:
    patient = house.admits(LUCIA)
    task = house.due(patient)
    house.works()
    with house.database.transaction() as session:
        match what:
            case "closed":
                session.execute(text("UPDATE followup_task SET state = 'done', closed_at = :at"), {"at": house.now})
            case "died":
                session.execute(update(Patient).values(deceased_at=house.now))
            case "wants no surveys":
                consents.set_consent(session, patient, "survey", False, house.now)
            case "another channel":
                session.execute(text("UPDATE followup_task SET channel = 'nurse_call'"))
            case _:
                session.execute(text("UPDATE phone_number SET invalid_since = :at"), {"at": house.now})
    assert house.writes(LUCIA, "1") == "message"
    talk = house.talk(task)
    assert talk is not None
    assert (talk.ended_by, house.answers(task)) == ("overtaken", {})


def test_a_question_that_could_not_leave_in_the_evening_waits_for_the_morning(house: TextHouse) -> None:
    """The reply came at a quarter to nine; the gateway takes nothing until ten."""
    house.policy = replace(POLICY, cap_a_day=None, cap_a_week=None)
    house.due(house.admits(LUCIA))
    house.works()
    house.now = NOON.astimezone(ZONE).replace(hour=20, minute=44)
    came = Incoming("test", "late", LUCIA.numbers[0], "1")
    with house.database.transaction() as session:
        replies.receive(session, came, house.now, house.desk)
    house.now += 75 * MINUTE
    assert house.works() == []
    with house.database.transaction() as session:
        (row,) = session.scalars(select(OutboxRow).where(OutboxRow.state == "queued"))
        assert row.due_at == (NOON + DAY).astimezone(ZONE).replace(hour=8)
    house.now = row.due_at
    assert len(house.works()) == 1


@pytest.mark.parametrize("ended", [False, True], ids=["a question", "the last word"])
def test_what_waits_over_a_weekend_without_hours_leaves_after_it(house: TextHouse, ended: bool) -> None:
    """On Sundays nobody is written to in Colombia."""
    house.policy = replace(POLICY, window=PRESETS["co"], cap_a_day=None, cap_a_week=None)
    task = house.due(house.admits(LUCIA))
    house.works()
    house.now = datetime(2026, 12, 5, 14, 30, tzinfo=ZONE)
    with house.database.transaction() as session:
        session.execute(update(text_talks.TextTalk).values(expires_at=house.now + HOUR))
        session.execute(update(StepText).values(answer_by=house.now + HOUR))
    for reference, said in enumerate(("bien, gracias", "muy amables") if ended else ("1",)):
        with house.database.transaction() as session:
            replies.receive(session, Incoming("test", str(reference), LUCIA.numbers[0], said), house.now, house.desk)
    if ended:
        with house.database.transaction() as session:
            session.execute(update(OutboxRow).where(OutboxRow.once.endswith("/2")).values(state="sent"))
    house.now += 90 * MINUTE
    assert house.works() == []
    house.now = datetime(2026, 12, 6, 20, tzinfo=ZONE)
    assert house.works() == []
    house.now = datetime(2026, 12, 7, 7, tzinfo=ZONE)
    assert len(house.works()) == 1
    if not ended:
        house.now += 20 * HOUR
        assert house.writes(LUCIA, "2") == "answer", "it waits for its reply as long as any other"
        assert house.answers(task) == {"staff": "5", "told": "4"}


def test_a_reply_in_the_night_is_answered_at_once(house: TextHouse) -> None:
    house.policy = replace(POLICY, cap_a_day=None, cap_a_week=None)
    house.due(house.admits(LUCIA))
    house.works()
    house.now = NOON.astimezone(ZONE).replace(hour=23)
    house.writes(LUCIA, "1")
    assert house.told[-1].startswith("hospital to Lucía: ¿Qué tan bien")


# ── No more texts ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_whoever_wants_no_more_gets_none_whatever_it_is_about(house: TextHouse) -> None:
    lucia = house.admits(LUCIA)
    task = house.due(lucia)
    house.works()
    assert house.writes(LUCIA, "Baja") == "stop"
    assert house.task(task).channel == "nurse_call"
    with house.database.transaction() as session:
        outbox.put(session, once="booked/1", key="please_call", locale="es", number=LUCIA.numbers[0], at=house.now)
        outbox.put(session, once="booked/2", key="please_call", locale="es", number=RUTH.numbers[0], at=house.now)
    assert len(house.works()) == 1, "Ruth's"
    with house.database.transaction() as session:
        row = session.scalars(select(OutboxRow).where(OutboxRow.once == "booked/1")).one()
        assert (row.state, row.error) == ("failed", "opted_out")
        actions = session.execute(text("SELECT action, detail->>'purpose' FROM audit")).all()
        assert ("consent.withdrawn", "texts") in [tuple(one) for one in actions]
    later = house.due(lucia)
    house.works()
    assert (house.task(later).channel, house.decisions(later)[-1]) == ("nurse_call", "texts_unwanted")
    with house.database.transaction() as session:
        assert [one.no_texts for one in session.get_one(Patient, lucia).numbers] == [True], "a nurse sees it"
    said = len(house.told)
    house.writes(LUCIA, "hola")
    house.writes(LUCIA, "ayuda")
    assert len(house.told) == said + 2, "no answer to either"
    assert house.writes(LUCIA, "me duele mucho el pecho") == "red_flag"
    assert "una enfermera" in house.told[-1], "an emergency is answered all the same"
    house.writes(LUCIA, "ALTA")
    with house.database.transaction() as session:
        assert not text_stops.stopped(session, LUCIA.numbers[0])


def told_of_an_appointment(house: TextHouse, patient_id: UUID, number: str, key: str = "appointment_confirmed") -> None:
    with house.database.transaction() as session:
        outbox.put(
            session, once=f"{key}/1", key=key, locale="es", number=number, at=house.now, patient_id=patient_id,
            starts_at=(house.now + 5 * DAY).isoformat(),
        )  # fmt: skip
    assert len(house.works()) == 1


@pytest.mark.parametrize(
    ("who", "said"),
    [(LUCIA, "CANCELAR"), (RUTH, "Cancel"), (JOAO, "cancelar."), (MEI, "取消")],
    ids=lambda one: getattr(one, "language", one),
)
def test_who_cancels_after_a_text_about_an_appointment_is_also_asked_by_a_person(
    house: TextHouse, who: Character, said: str
) -> None:
    told_of_an_appointment(house, house.admits(who), who.numbers[0])
    assert house.writes(who, said) == "stop"
    assert house.cases() == [("message", "by_text")]
    with house.database.transaction() as session:
        assert text_stops.stopped(session, who.numbers[0])
        case = session.scalars(select(Case)).one()
        assert [reply.text for reply in text_replies.of_case(session, case.id)] == [said]


@pytest.mark.parametrize("why", ["another word", "long ago", "it was cancelled", "another number's"])
def test_who_ends_texts_for_another_reason_is_not_asked(house: TextHouse, why: str) -> None:
    lucia = house.admits(LUCIA)
    number = STRANGER if why == "another number's" else LUCIA.numbers[0]
    told_of_an_appointment(
        house, lucia, number, "appointment_cancelled" if why == "it was cancelled" else "appointment_confirmed"
    )
    house.now += 2 * DAY if why == "long ago" else MINUTE
    assert house.writes(LUCIA, "BAJA" if why == "another word" else "CANCELAR") == "stop"
    assert house.cases() == []


def test_a_guardian_who_cancels_a_childs_appointment_is_asked(house: TextHouse) -> None:
    lucia, joao = house.admits(LUCIA), house.admits(replace(JOAO, numbers=()))
    with house.database.transaction() as session:
        session.get_one(Patient, joao).guardian_id = lucia
    told_of_an_appointment(house, joao, LUCIA.numbers[0])
    house.writes(LUCIA, "cancelar")
    assert house.cases() == [("message", "by_text")]


def test_whoever_was_reminded_by_text_is_called_once_they_want_none(house: TextHouse) -> None:
    lucia = house.admits(LUCIA)
    with house.database.transaction() as session:
        grace = employ(session, "grace", "supervisor")
        session.execute(update(Patient).values(reminded_by="sms"))
        reminders.begin(
            session, patient_id=lucia, about="checkup", department_id=None, every_days=7, first_at=house.now,
            until=house.now + 30 * DAY, account_id=grace.id, at=house.now,
        )  # fmt: skip
    house.writes(LUCIA, "STOP")
    with house.database.transaction() as session:
        reminders.plan_recurring(session, house.now, house.policy)
        task = session.scalars(select(FollowUpTask)).one()
        assert (task.channel, task.state) == ("automated_call", "open")


PRESSURE = """
id: pressure
title: {en: Blood pressure, es: Presión}
purpose: survey
byText: true
reviewed_by: {en: null, es: null}
item:
  - linkId: how
    type: choice
    required: true
    text: {en: 'How was it?', es: '¿Cómo estaba?'}
    answerOption:
      - {code: high, text: {en: High, es: Alta}}
      - {code: low, text: {en: Low, es: Baja}}
      - {code: stop, text: {en: Stop, es: Parar}}
"""


def test_a_word_of_ours_that_is_an_answer_is_one_but_not_a_carriers(house: TextHouse) -> None:
    lucia = house.admits(LUCIA)
    task = house.asks(lucia, read_source(PRESSURE, "pressure"))
    house.works()
    assert house.writes(LUCIA, "Baja") == "answer"
    assert house.answers(task) == {"how": "low"}
    again = house.asks(lucia, read_source(PRESSURE, "pressure"))
    house.works()
    assert house.writes(LUCIA, "STOP") == "stop"
    assert house.answers(again) == {}


# ── What belongs to nothing, and alarms ─────────────────────────────────────────────────────────────────────────────


def test_stop_beside_an_emoji_is_obeyed_while_own_words_are_asked(house: TextHouse) -> None:
    task = house.due(house.admits(LUCIA))
    house.works()
    for said in ("1", "1", "1", "1", "10", "STOP 🛑"):
        house.writes(LUCIA, said)
    assert "words" not in house.answers(task) and house.transcript(task).count("STOP 🛑") == 1
    with house.database.transaction() as session:
        assert text_stops.stopped(session, LUCIA.numbers[0])


def test_a_strangers_texts_are_one_item_and_answered_once(house: TextHouse) -> None:
    for said in ("hola", "¿hay alguien?", "\x00\x07\u202e", ""):
        assert house.writes(LUCIA, said, number=STRANGER) == "message"
    assert house.cases() == [("message", "by_text")]
    assert [line for line in house.told if line.startswith("hospital")] == [
        f"hospital to {STRANGER}: {house.words.message('text_received', 'es')}"
    ]
    with house.database.transaction() as session:
        (case,) = session.scalars(select(Case))
        assert (case.patient_id, case.caller, case.acknowledge_by > house.now) == (None, STRANGER, True)
        kept = session.scalars(select(TextReply).order_by(TextReply.came_at)).all()
        assert [one.text for one in kept] == ["hola", "¿hay alguien?", "", ""]
        raw = session.execute(text("SELECT text_sealed, number_sealed FROM text_reply")).all()
        assert not any(b"hola" in bytes(one[0]) or b"3015550199" in bytes(one[1]) for one in raw), "sealed"


@pytest.mark.parametrize("number", ["", "12345", "anonymous", "whatsapp:+573015550199"])
def test_what_is_no_number_is_kept_and_gets_no_answer(house: TextHouse, number: str) -> None:
    came = Incoming("test", "SM1", number, "hola")
    with house.database.transaction() as session:
        assert replies.receive(session, came, house.now, house.desk) == "message"
    assert house.works() == []
    with house.database.transaction() as session:
        assert session.scalars(select(Case.caller)).one() is None


def test_a_picture_without_words_is_no_answer(house: TextHouse) -> None:
    house.due(house.admits(LUCIA))
    house.works()
    assert house.writes(LUCIA, "", media=2) == "not_understood"
    with house.database.transaction() as session:
        assert session.scalars(select(TextReply.media)).one() == 2


@pytest.mark.covers("H33")
@pytest.mark.parametrize(
    "said",
    [
        "No puedo respirar",
        "estou com dor no peito",
        "我胸口痛",
        "my father is unconscious",
        "112",
        "quiero morirme ya",
        "he mamae kei taku uma",
    ],
)
def test_alarm_words_from_anybody_are_a_red_flag_with_its_clock_at_once(house: TextHouse, said: str) -> None:
    assert house.writes(LUCIA, said, number=STRANGER) == "red_flag"
    assert house.told[-1] == f"hospital to {STRANGER}: {house.words.message('survey_urgent', 'es')}"
    assert "112" in house.told[-1]
    assert house.writes(LUCIA, said, number=STRANGER) == "red_flag"
    assert house.cases() == [("red_flag", "text_alarm")], "one while it is open"
    with house.database.transaction() as session:
        case = session.scalars(select(Case)).one()
        assert (case.state, case.acknowledge_by - case.opened_at) == ("open", timedelta(minutes=5))


def test_a_second_alarm_is_a_red_flag_of_its_own_once_the_first_is_taken(house: TextHouse) -> None:
    house.admits(LUCIA)
    with house.database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
    house.writes(LUCIA, "no puedo respirar")
    house.writes(LUCIA, "no puedo respirar nada")
    with house.database.transaction() as session:
        first = session.scalars(select(Case)).one()
        cases.own(session, first.id, ana, house.now)
    house.writes(LUCIA, "me duele mucho el pecho")
    with house.database.transaction() as session:
        one, other = session.scalars(select(Case).order_by(Case.number))
        assert (one.state, other.state, other.acknowledge_by - other.opened_at) == ("owned", "open", 5 * MINUTE)
        raised = session.scalars(select(AuditRow).where(AuditRow.action == "urgent.raised").order_by(AuditRow.seq))
        assert [row.subject for row in raised] == [f"case:{one.id}", f"case:{other.id}"]
        assert len(text_replies.of_case(session, one.id)) == 2


def test_alarms_about_two_who_share_a_number_are_two_red_flags(house: TextHouse) -> None:
    """Lucía is asked, João is not: what comes in her conversation is about her."""
    lucia = house.admits(LUCIA)
    house.admits(replace(JOAO, numbers=LUCIA.numbers))
    house.writes(LUCIA, "no puedo respirar")
    task = house.due(lucia)
    house.works()
    house.writes(LUCIA, "me duele mucho el pecho")
    with house.database.transaction() as session:
        assert session.scalars(select(Case.patient_id).order_by(Case.number)).all() == [None, lucia]
        raised = session.scalars(select(AuditRow).where(AuditRow.action == "urgent.raised").order_by(AuditRow.seq))
        assert [row.detail for row in raised] == [
            {"flags": ["text_alarm"]},
            {"flags": ["text_alarm"], "task": str(task)},
        ]


def test_what_is_denied_is_no_alarm(house: TextHouse) -> None:
    assert house.writes(LUCIA, "no me duele el pecho", number=STRANGER) == "message"


def test_the_emergency_number_may_be_an_answer(house: TextHouse) -> None:
    """112 for the upper blood pressure."""
    house.desk = replace(house.desk, also=frozenset({"hypertension"}))
    task = house.due(house.admits(RUTH), "hypertension")
    house.works()
    house.writes(RUTH, "17/03/1944")
    assert house.writes(RUTH, "112") == "answer"
    assert house.answers(task) == {"systolic": 112}


def test_a_wards_alarm_is_known_by_its_patient(house: TextHouse) -> None:
    lucia = house.admits(LUCIA)
    assert house.writes(LUCIA, "estoy sangrando mucho") == "red_flag"
    with house.database.transaction() as session:
        assert session.scalars(select(Case.patient_id)).one() == lucia
