"""An examination booked by text message. What is written is a transcript in tests/golden_text/bookings/
(`HOTLINE_GOLDEN=write pytest tests/test_text_bookings.py` writes them anew; read the difference); then who may book,
what two want at once, and what is left where a process dies."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

from hospital import booking, number_locks, outbox, text_bookings
from hospital.appointments import Appointment
from hospital.booking import BookingDesk, OwnDesk
from hospital.database import Database
from hospital.outbox import OutboxRow
from hospital.patients import Patient
from hospital.slots import Department, Doctor, Slot
from hospital.text_bookings import TextBooking
from hospital.text_replies import TextReply
from hotline import demo_clinics, message_joints
from hotline.caller_joints import appointment_messages
from hotline.settings_file import DEMO, build
from messages import replies
from messages.gateway import Incoming
from scripts import reply_words, texting
from scripts.questionnaire_files import read_source
from scripts.wording import Wording
from tests.characters import JOAO, LUCIA, MEI, PATIENTS, RUTH, WIREMU, Character
from tests.moments import NOON, ZONE
from tests.test_care_dialogues import words
from tests.test_text_conversations import compared
from tests.test_text_replies import PRESSURE
from tests.text_house import MINUTE, TextHouse

__all__ = ["words"]

pytestmark = pytest.mark.covers("H3")
GOLDEN = Path(__file__).parent / "golden_text" / "bookings"
SETTINGS = build({**DEMO, "site": {**DEMO.get("site", {}), "default_language": "es"}})
STRANGER = "+573015550199"
BORN = "29/02/1980"
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


class BookingHouse(TextHouse):
    """With the demo's examinations."""

    def __init__(self, database: Database, words: Wording) -> None:
        super().__init__(database, words)
        told = appointment_messages(lambda: self.now, lambda: words.site_says)
        self.slots: BookingDesk = OwnDesk(database, zone=ZONE, **told)
        with database.transaction() as session:
            demo_clinics.open_clinics(session, ZONE, NOON)

    def joints(self) -> tuple[object, ...]:
        return SETTINGS, self.database, lambda: self.words, lambda: self.now, self.slots

    async def texts(self, who: Character, said: str, *, number: str = "", reference: str = "") -> str:
        """Somebody writes, and what is said to it leaves at once; the text's fate."""
        number = number or who.numbers[0]
        self.told.append(f"{self._names.get(number, number)}: {said}")
        self.now += MINUTE
        fate = await self.take(number, said, reference)
        self.now += SECOND
        self._sends()
        return fate

    async def take(self, number: str, said: str, reference: str = "") -> str:
        came = Incoming("test", reference or f"t{next(self._reference)}", number, said)
        return await message_joints.taking(*self.joints())(came)  # type: ignore[arg-type]

    async def goes_on(self) -> None:
        await message_joints.booking_on(*self.joints())()  # type: ignore[arg-type]

    def received(self, who: Character, said: str) -> str:
        """As of a process that died right after it."""
        with self.database.transaction() as session:
            examinations = tuple(booking.departments(session, "examination"))
            desk = replace(self.desk, examinations=examinations)
            came = Incoming("test", f"t{next(self._reference)}", who.numbers[0], said)
            return replies.receive(session, came, self.now, desk)

    def booked(self) -> list[tuple[str, str, str, str]]:
        """Who, what, when and how."""
        rows = (
            select(Patient, Department.code, Slot.starts_at, Appointment.booked_via)
            .join(Appointment, Appointment.patient_id == Patient.id)
            .join(Slot, Slot.id == Appointment.slot_id)
            .join(Doctor, Doctor.id == Slot.doctor_id)
            .join(Department, Department.id == Doctor.department_id)
            .where(Appointment.state == "booked")
            .order_by(Slot.starts_at, Doctor.name)
        )
        with self.database.transaction() as session:
            return [
                (who.name.split()[0], code, f"{at.astimezone(ZONE):%Y-%m-%d %H:%M}", via)
                for who, code, at, via in session.execute(rows)
            ]

    def rows(self) -> list[TextBooking]:
        with self.database.transaction() as session:
            return list(session.scalars(select(TextBooking).order_by(TextBooking.begun_at)))

    def only(self, department: str, times: int) -> None:
        """So many free times are left of an examination."""
        with self.database.transaction() as session:
            theirs = (
                select(Slot.id)
                .join(Doctor, Doctor.id == Slot.doctor_id)
                .join(Department, Department.id == Doctor.department_id)
                .where(Department.code == department, Slot.starts_at > NOON)
                .order_by(Slot.starts_at, Doctor.name)
            )
            gone = list(session.scalars(theirs))[times:]
            session.execute(update(Slot).where(Slot.id.in_(gone)).values(state="withdrawn"))

    def written(self) -> str:
        """The transcript, and what was written down at the end."""
        lines = [*self.told, *(" ".join(("booked:", *one)) for one in self.booked())]
        lines += [f"fates: {' '.join(self.fates())}", *(f"case: {kind} {detail}" for kind, detail in self.cases())]
        return "\n".join([*lines, *(f"booking: {one.state} {one.ended_by}" for one in self.rows())]) + "\n"


@pytest.fixture
def house(database: Database, words: Wording) -> Iterator[BookingHouse]:
    yield BookingHouse(database, words)


# ── What is written ─────────────────────────────────────────────────────────────────────────────────────────────────

SCENES: dict[str, tuple[Character, tuple[str, ...]]] = {
    "lucia_books_an_ultrasound": (LUCIA, ("ECOGRAFÍA", BORN, "1", "2")),
    "ruth_sees_other_times": (RUTH, ("Book", "March 17, 1944", "3", "0", "other times", "5")),
    "joao_books_a_blood_test": (JOAO, ("marcar exame de sangue", "24/12/1966", "mais", "４")),
    "mei_books_a_blood_test": (MEI, ("预约", "1991年11月8日", "3", "1。")),
    "wiremu_books_an_xray": (WIREMU, ("WHAKARITE whakaata roto", "1/6/1952", "āe", "3")),
    "has_no_doctors_order": (LUCIA, ("cita para radiografia", BORN, "No.")),
    "does_not_prove": (JOAO, ("Raio-X", "sou eu", "25/12/1966", "1/1/1966")),
    "is_understood_the_second_time": (LUCIA, ("cita", BORN, "los pulmones", "análisis de sangre", "99", "1")),
    "is_read_by_a_person": (RUTH, ("blood test", "17/03/1944", "Friday would be better", "or in the afternoon")),
    "wants_no_more": (LUCIA, ("cita", BORN, "Baja")),
    "tells_of_an_emergency": (LUCIA, ("análisis de sangre", BORN, "no puedo respirar")),
    "begins_anew": (LUCIA, ("ecografía", BORN, "análisis de sangre", BORN, "1")),
    "replies_twice_and_another_one": (MEI, ("验血", "1991/11/08", "2", "2", "1")),
    "asks_for_help_meanwhile": (RUTH, ("book an ultrasound", "help", "17/3/1944", "yes", "1")),
    "wants_to_tell_something": (LUCIA, ("No puedo ir a mi cita de ecografía",)),
}


@pytest.mark.parametrize("name", SCENES)
async def test_the_transcript_is_the_golden_one(house: BookingHouse, name: str) -> None:
    who, written = SCENES[name]
    house.admits(who)
    for said in written:
        await house.texts(who, said)
    compared(name, house.written(), GOLDEN)


async def test_a_questionnaire_waits_and_is_asked_again(house: BookingHouse) -> None:
    task = house.due(house.admits(LUCIA))
    house.works()
    for said in ("1", "análisis de sangre", "2", BORN, "2", "2"):
        await house.texts(LUCIA, said)
    assert house.answers(task) == {"staff": "5", "told": "4"}
    compared("goes_before_a_questionnaire", house.written(), GOLDEN)


async def test_the_waiting_questions_answers_are_none_in_a_booking(house: BookingHouse) -> None:
    """The question has low ("Baja") among its answers."""
    task = house.asks(house.admits(LUCIA), read_source(PRESSURE, "pressure"))
    house.works()
    assert [await house.texts(LUCIA, said) for said in ("cita", "Baja")] == ["booking", "stop"]
    assert (house.answers(task), house.rows()[0].ended_by) == ({}, "stop")


async def test_strangers_are_told_the_number_to_call_in_the_language_of_their_word(house: BookingHouse) -> None:
    house.admits(LUCIA)
    await house.texts(LUCIA, "预约", number=STRANGER)
    await house.texts(LUCIA, "book", number=STRANGER)
    compared("is_a_stranger", house.written(), GOLDEN)


def test_every_golden_transcript_has_its_scene() -> None:
    others = {"goes_before_a_questionnaire", "is_a_stranger"}
    assert {path.stem for path in GOLDEN.glob("*.txt")} == {*SCENES, *others}


EXAMINATIONS = {code: names for code, names, *_ in demo_clinics.EXAMINATIONS}


@pytest.mark.parametrize(
    ("said", "languages", "code"),
    [
        *[(said, ("en",), None) for said in ("BOOK", "book.", "Appointment")],
        *[(said, ("es",), None) for said in ("CITA", "una cita", "¡Cita!")],
        *[(said, ("zh-CN",), None) for said in ("预约", "我要预约。")],
        *[(said, ("pt-BR",), None) for said in ("marcar", "AGENDAR")],
        *[(said, ("mi",), None) for said in ("whakarite", "Whakarite wa")],
        *[(said, ("en",), "xray") for said in ("X-ray", "x ray", "XRAY", "book an x-ray")],
        *[(said, ("es",), "ultrasound") for said in ("ecografia", "Ecografía", "cita ecografía", "ecografía cita")],
        *[(said, ("zh-CN",), "blood") for said in ("验血", "预约验血", "验血预约")],
        ("raio-x", ("pt-BR",), "xray"),
        ("whakamatautau toto", ("mi",), "blood"),
    ],
)
def test_words_for_an_examination(said: str, languages: tuple[str, ...], code: str | None) -> None:
    assert reply_words.wanted(said, EXAMINATIONS) == reply_words.Wanted(languages, code)


@pytest.mark.parametrize(
    "said", ["", "1", "no tengo cita", "mi ecografía fue ayer", "bookshop", "cita cardiología", "help", "29/02/1980"]
)
def test_anything_more_is_for_a_person(said: str) -> None:
    assert reply_words.wanted(said, EXAMINATIONS) is None


def test_where_no_examination_is_booked_no_word_asks_for_one() -> None:
    assert reply_words.wanted("cita", {}) is None


def test_no_word_for_booking_means_something_else(words: Wording) -> None:
    for tag, known in reply_words.OWN.items():
        for word in known["book"] | known["more"]:
            assert reply_words.meant(word) is None, (tag, word)
            assert word not in (*texting.YES, *texting.NO)


async def test_every_text_is_short(house: BookingHouse) -> None:
    """Beside the hospital's name, three times are 140 letters at most; in Chinese what one part holds."""
    for who in PATIENTS:
        house.admits(who)
        await house.texts(who, EXAMINATIONS["blood"][who.language])
        await house.texts(who, f"{who.birth:%Y-%m-%d}")
        offer = house.told[-1].split(": ", 1)[1].removeprefix(house.words.site.hospital)
        assert "1)" in offer and "3)" in offer
        assert len(offer) <= (67 if who is MEI else 140), offer


# ── Who may book ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_two_on_one_number_are_told_apart_by_their_birth_dates(house: BookingHouse) -> None:
    house.admits(LUCIA)
    house.admits(replace(JOAO, numbers=LUCIA.numbers))
    for said in ("análisis de sangre", "24/12/1966", "1"):
        await house.texts(LUCIA, said)
    assert house.booked() == [("João", "blood", "2026-11-26 07:00", "sms")]
    assert not any("João" in line for line in house.told if line.startswith("hospital"))


@pytest.mark.parametrize("why", ["twins", "no birth date", "guessed before", "not safe", "speaks for a child"])
async def test_whoever_cannot_be_sure_is_told_the_number_to_call(house: BookingHouse, why: str) -> None:
    lucia = house.admits(LUCIA)
    with house.database.transaction() as session:
        match why:
            case "no birth date":
                session.execute(update(Patient).values(birth=None))
            case "guessed before":
                for _ in range(3):
                    number_locks.identity_failed(session, LUCIA.numbers[0], house.now)
            case "not safe":
                session.execute(text("UPDATE phone_number SET safe_to_call = false"))
    if why in ("twins", "speaks for a child"):
        other = house.admits(replace(LUCIA, name="Luz Fernández", numbers=LUCIA.numbers if why == "twins" else ()))
        with house.database.transaction() as session:
            if why == "speaks for a child":
                session.execute(update(Patient).where(Patient.id == other).values(guardian_id=lucia))
    await house.texts(LUCIA, "cita")
    if house.rows()[-1].state == "proving":
        await house.texts(LUCIA, BORN)
    assert house.told[-1] == f"hospital to Lucía: {house.words.message('booking_by_phone', 'es')}"
    assert (house.rows()[-1].ended_by, house.booked()) == ("by_phone", [])


async def test_three_wrong_dates_lock_the_number(house: BookingHouse) -> None:
    house.admits(LUCIA)
    for said in ("cita", "1/1/1980", "2/1/1980", "3/1/1980", "cita"):
        await house.texts(LUCIA, said)
    assert [one.ended_by for one in house.rows()] == ["not_proved", "by_phone"]
    with house.database.transaction() as session:
        assert number_locks.is_locked(session, LUCIA.numbers[0], house.now)


async def test_what_is_no_date_is_no_wrong_date(house: BookingHouse) -> None:
    house.admits(LUCIA)
    for said in ("cita", "1", "hola", "2"):
        await house.texts(LUCIA, said)
    assert house.rows()[-1].ended_by == "not_proved"
    with house.database.transaction() as session:
        assert not number_locks.is_locked(session, LUCIA.numbers[0], house.now)


async def test_whoever_wants_no_texts_is_read_by_a_person(house: BookingHouse) -> None:
    house.admits(LUCIA)
    assert await house.texts(LUCIA, "STOP") == "stop"
    assert await house.texts(LUCIA, "cita") == "message"
    assert house.rows() == []


async def test_a_number_gets_so_many_texts_a_day(house: BookingHouse) -> None:
    house.admits(LUCIA)
    fates = [await house.texts(LUCIA, "cita") for _ in range(20)]
    assert fates == ["booking"] * 16 + ["message"] * 4
    ours = [line for line in house.told if line.startswith("hospital")]
    assert len(ours) == 17, "and once that a person reads it"
    house.now += 24 * HOUR
    assert await house.texts(LUCIA, "cita") == "booking"


async def test_one_booking_has_an_end(house: BookingHouse) -> None:
    house.admits(LUCIA)
    for said in ("análisis de sangre", BORN, *["0"] * 20):
        await house.texts(LUCIA, said)
    (row,) = house.rows()
    assert (row.ended_by, row.sent) == ("too_long", text_bookings.MOST + 1)


# ── Times ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("I1", "H5")
async def test_two_want_the_last_time(house: BookingHouse) -> None:
    house.only("ultrasound", 1)
    for who in (LUCIA, MEI):
        house.admits(who)
        for said in (EXAMINATIONS["ultrasound"][who.language], who.birth.strftime("%Y-%m-%d"), "1"):
            await house.texts(who, said)
    house.now += MINUTE
    fates = await asyncio.gather(*(house.take(who.numbers[0], "1") for who in (LUCIA, MEI)))
    assert fates == ["booking", "booking"]
    assert len(house.booked()) == 1
    assert sorted(str(one.ended_by) for one in house.rows()) == ["booked", "no_times"]
    left = house.works()
    assert sum("cita es el" in one or "您的预约时间" in one for one in left) == 1
    assert sum(one in (house.words.message("booking_none", tag) for tag in ("es", "zh-CN")) for one in left) == 1


async def test_a_time_that_was_taken_meanwhile_makes_room_for_the_next_ones(house: BookingHouse) -> None:
    for who in (LUCIA, MEI):
        house.admits(who)
        for said in (EXAMINATIONS["ultrasound"][who.language], who.birth.strftime("%Y-%m-%d"), "1"):
            await house.texts(who, said)
    await house.texts(MEI, "2")
    await house.texts(LUCIA, "2")
    assert "tomar esa hora. 4)" in house.told[-1]
    await house.texts(LUCIA, "3")
    assert [one[:3] for one in house.booked()] == [
        ("Mei", "ultrasound", "2026-11-26 07:40"),
        ("Lucía", "ultrasound", "2026-11-26 08:20"),
    ], "the numbers of before still mean their times"


async def test_when_all_were_offered_they_are_offered_again_with_new_numbers(house: BookingHouse) -> None:
    house.only("ultrasound", 4)
    house.admits(LUCIA)
    for said in ("ecografía", BORN, "sí", "0", "0"):
        await house.texts(LUCIA, said)
    offers = [line.split("1) ")[-1] for line in house.told if "Responda con un número" in line]
    assert [sum(f"{n})" in line for n in range(1, 9)) for line in offers[1:]] == [1, 3]
    assert "5) jue, 26/11 7:00. 6)" in house.told[-1]
    await house.texts(LUCIA, "5")
    assert house.booked() == [("Lucía", "ultrasound", "2026-11-26 07:00", "sms")]


@pytest.mark.covers("H42")
async def test_what_suits_the_patient_comes_first(house: BookingHouse) -> None:
    lucia = house.admits(LUCIA)
    with house.database.transaction() as session:
        session.execute(update(Patient).where(Patient.id == lucia).values(suits="afternoon"))
    for said in ("análisis de sangre", BORN):
        await house.texts(LUCIA, said)
    assert house.told[-1].count("13:00") == 3


async def test_an_offer_has_its_end_and_the_questionnaire_its_turn(house: BookingHouse) -> None:
    lucia = house.admits(LUCIA)
    for said in ("análisis de sangre", BORN):
        await house.texts(LUCIA, said)
    task = house.due(lucia)
    assert house.works() == [], "one thing at a time"
    assert house.decisions(task)[-1] == "number_is_asked"
    house.now += 2 * HOUR
    assert await house.texts(LUCIA, "1") == "booking"
    assert house.told[-1] == f"hospital to Lucía: {house.words.message('booking_over', 'es')}"
    assert (house.rows()[0].ended_by, house.booked()) == ("expired", [])
    assert len(house.works()) == 1
    assert await house.texts(LUCIA, "1") == "answer"


async def test_what_the_gateway_tells_twice_is_one_booking(house: BookingHouse) -> None:
    house.admits(LUCIA)
    for said in ("análisis de sangre", BORN):
        await house.texts(LUCIA, said)
    both = await asyncio.gather(*(house.take(LUCIA.numbers[0], "1", "SM1") for _ in range(4)))
    assert both == ["booking"] * 4
    assert len(house.booked()) == 1
    assert len([one for one in house.works() if "su cita es" in one]) == 1


async def test_how_to_prepare_follows_and_the_telephone_that_asked_is_told(house: BookingHouse) -> None:
    """Mei writes from her second number; bookings are confirmed to the first."""
    house.admits(MEI)
    for said in ("超声检查", "1991-11-08", "有", "1"):
        await house.texts(MEI, said, number=MEI.numbers[1])
    with house.database.transaction() as session:
        rows = [(one.key, one.number) for one in session.scalars(select(OutboxRow))]
    first, second = MEI.numbers
    told = {(key, to) for key, to in rows if key.startswith(("appointment", "prepare"))}
    assert told == {
        ("appointment_confirmed", first),
        ("prepare_drink_water", first),
        ("prepare_bring_order", first),
        ("appointment_confirmed", second),
    }


async def test_what_the_site_has_no_words_for_a_person_says(house: BookingHouse) -> None:
    house.admits(LUCIA)
    with house.database.transaction() as session:
        session.execute(update(Department).where(Department.code == "blood").values(preparation=["fasting", "lying"]))
    for said in ("análisis de sangre", BORN, "1"):
        await house.texts(LUCIA, said)
    assert "No coma nada" in "".join(house.told[-3:])
    assert f"hospital to Lucía: {house.words.message('booking_prepare', 'es')}" in house.told[-3:]


# ── What goes wrong ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("died", ["before it was asked", "after it was confirmed"])
async def test_what_a_process_left_is_done_by_the_next_one_once(house: BookingHouse, died: str) -> None:
    lucia = house.admits(LUCIA)
    for said in ("análisis de sangre", BORN):
        await house.texts(LUCIA, said)
    house.received(LUCIA, "2")
    (row,) = house.rows()
    assert (row.state, row.chosen) == ("booking", row.offered[1])
    if died == "after it was confirmed":
        holder = f"text/{row.id}"
        await house.slots.hold(row.offered[1], holder, house.now)
        await house.slots.confirm(row.offered[1], holder, lucia, house.now, "sms")
    await house.goes_on()
    assert house.rows()[0].state == "booking", "whoever took it may be at it"
    house.now += MINUTE
    await asyncio.gather(house.goes_on(), house.goes_on())
    assert house.rows()[0].ended_by == "booked"
    assert house.booked() == [("Lucía", "blood", "2026-11-26 07:40", "sms")]
    assert len([one for one in house.works() if "su cita es" in one]) == 1


async def test_where_the_desk_cannot_be_asked_a_person_finishes_it(house: BookingHouse) -> None:
    house.admits(LUCIA)
    for said in ("análisis de sangre", BORN):
        await house.texts(LUCIA, said)
    with closing(Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing", connections=1)) as nowhere:
        house.slots = OwnDesk(nowhere)
        assert await house.texts(LUCIA, "1") == "booking"
    (row,) = house.rows()
    assert (row.ended_by, house.booked(), house.cases()) == ("desk_failed", [], [("message", "by_text")])
    assert house.told[-1] == f"hospital to Lucía: {house.words.message('booking_by_phone', 'es')}"
    with house.database.transaction() as session:
        with_case = select(func.count()).select_from(TextReply).where(TextReply.case_id.is_not(None))
        assert session.scalar(with_case) == 3, "all that was written in it"


async def test_what_could_not_leave_within_the_hour_does_not_leave(house: BookingHouse) -> None:
    house.admits(LUCIA)
    await house.take(LUCIA.numbers[0], "cita")
    house.now += HOUR + MINUTE
    with house.database.transaction() as session:
        assert text_bookings.hold_back(session, house.now) == 1
        assert outbox.claim(session, house.now) is None


async def test_nothing_of_a_text_is_kept_in_the_open(house: BookingHouse) -> None:
    house.admits(LUCIA)
    for said in ("análisis de sangre", BORN):
        await house.texts(LUCIA, said)
    with house.database.transaction() as session:
        rows = session.execute(text("SELECT key, params::text FROM outbox ORDER BY once")).all()
        assert [key for key, _ in rows] == ["booking_prove", "survey_told"]
        assert not any("sangre" in params or "7:00" in params for _, params in rows)
        actions = session.scalars(text("SELECT action FROM audit ORDER BY seq")).all()  # type: ignore[call-overload]
    assert actions == ["identity.by_text"]
    await house.texts(LUCIA, "1")
    with house.database.transaction() as session:
        assert session.scalars(text("SELECT action FROM audit ORDER BY seq")).all() == [  # type: ignore[call-overload]
            "identity.by_text",
            "appointment.by_text",
        ]


@pytest.mark.parametrize(
    "change",
    [
        "state = 'booking'",  # which?
        "state = 'ended'",  # why?
        "state = 'lost'",
        "chosen = gen_random_uuid()",
        "appointment_id = gen_random_uuid()",
        "patient_id = NULL",
        "department = NULL",
        "round_at = 4",
        "sent = 21",
        "expires_at = asked_at",
    ],
)
async def test_sql_knows_what_a_booking_may_be(house: BookingHouse, change: str) -> None:
    house.admits(LUCIA)
    for said in ("análisis de sangre", BORN):
        await house.texts(LUCIA, said)
    with pytest.raises(IntegrityError), house.database.transaction() as session:
        session.execute(text(f"UPDATE text_booking SET {change}"))  # noqa: S608 - above


async def test_sql_knows_one_open_booking_for_each_number(house: BookingHouse) -> None:
    for who in (LUCIA, MEI):
        house.admits(who)
        await house.texts(who, "cita")
    one: UUID = house.rows()[0].id
    with pytest.raises(IntegrityError, match="one_booking_per_number"), house.database.transaction() as session:
        token = session.scalar(select(TextBooking.number_token).where(TextBooking.id == one))
        session.execute(update(TextBooking).values(number_token=token))
