"""Every branch of every dialogue as a transcript, without a PBX: what is said, what is pressed, what is written down.

The transcripts lie in tests/golden/, to be read as a patient would hear them (tests/transcripts.py).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from hospital import accounts, arrivals, booking, caller_languages, duty, patients
from hospital.appointments import Appointment
from hospital.booking import Department, Slot
from hospital.callbacks import Callback
from hospital.calls import Call as CallRow
from hospital.database import Database
from hospital.number_locks import NumberLock
from hospital.outbox import OutboxRow
from hospital.patients import Patient
from hospital.wishes import week
from hotline import demo, numbering, postgres, wiring
from hotline.caller_joints import SqlJournal, appointment_messages, rendered
from hotline.settings_file import DEMO, build
from ivr.call import Call
from ivr.front_desk import FrontDesk
from ivr.terminal import Presses, rehearse, scripted
from scripts import verbalise, wording
from tests.characters import JOAO, LUCIA, MEI, RUTH, WIREMU
from tests.conftest import renewed
from tests.moments import NOON, ZONE
from tests.transcripts import Said, in_each, is_golden, pressed, there

LUCIAS = LUCIA.birth_keys
RUTHS = RUTH.birth_keys
ANOTHER = "01011970"


@dataclass(frozen=True)
class Scene:
    """`presses`: a row of keys for each question, "" for silence; after the last one the caller hangs up. `only` is for
    a scene that is one language's. `remembers`: who called before, and in which language ("" for the same). `before`
    prepares the database; `at_press` does something while the caller decides (press number → what). `at_home`: the
    language is the site's own."""

    presses: str
    number: str | None = LUCIA.numbers[0]
    dialogue: str = "inbound"
    only: str | None = None
    remembers: str | None = None
    before: Callable[[Database], None] | None = None
    at_press: tuple[int, Callable[[Database], None]] | None = None
    settings: Mapping[str, object] = field(default_factory=dict)  # what of the front desk is different
    at_home: bool = False


def nothing_free(database: Database) -> None:
    with database.transaction() as session:
        session.execute(update(Slot).values(state="withdrawn"))


def four_free(database: Database) -> None:
    """Two doctors at two times: the last is heard although the third begins at the same time."""
    with database.transaction() as session:
        openings = booking.openings(session, "cardiology", NOON, after=NOON, limit=4)
        kept = [opening.slot_id for opening in openings]
        session.execute(update(Slot).where(Slot.id.not_in(kept)).values(state="withdrawn"))


def somebody_takes_the_second(database: Database) -> None:
    with database.transaction() as session:
        taken = booking.openings(session, "cardiology", NOON, after=NOON, limit=2)[1]
        booking.hold(session, taken.slot_id, "somebody", NOON)


def the_hold_ends(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("UPDATE hold SET expires_at = :past"), {"past": NOON - timedelta(seconds=1)})


def lucia_of(session: Session) -> Patient:
    return patients.candidates(session, LUCIA.numbers[0])[0].patient


def has(session: Session, code: str, count: int) -> None:
    for opening in booking.openings(session, code, NOON, after=NOON, limit=count):
        booking.hold(session, opening.slot_id, "desk", NOON)
        booking.confirm(session, opening.slot_id, "desk", lucia_of(session).id, NOON, "desk")


def one_that_has_begun(database: Database, of: int = 2) -> None:
    """It was at a quarter to one, and she calls at one; the other is tomorrow."""
    with database.transaction() as session:
        has(session, "cardiology", of)
    hers = select(Appointment.slot_id).join(Slot, Slot.id == Appointment.slot_id).order_by(Slot.starts_at).limit(1)
    with database.transaction() as session:
        session.execute(
            update(Slot)
            .where(Slot.id == hers.scalar_subquery())
            .values(starts_at=NOON - timedelta(minutes=15))
            .execution_options(synchronize_session=False)
        )


def the_only_one_has_begun(database: Database) -> None:
    one_that_has_begun(database, of=1)


def two_appointments(database: Database) -> None:
    with database.transaction() as session:
        has(session, "cardiology", 2)


def a_blood_test(database: Database) -> None:
    with database.transaction() as session:
        has(session, "blood", 1)


def in_the_waiting_room(database: Database, *, ahead: int = 0, seen: int = 0, called: bool = False) -> None:
    """Lucía has arrived at Dr Vega's; so many wait before her, and so many have been seen, ten minutes each."""
    with database.transaction() as session:
        tom = accounts.by_sip_username(session, "tom")
        vega = session.scalars(select(booking.Doctor).where(booking.Doctor.name == "Vega")).one()
        assert tom is not None
        for n in range(seen + ahead + 1):
            at = NOON - timedelta(minutes=90 - n)
            slot = Slot(doctor_id=vega.id, starts_at=NOON - timedelta(minutes=80 - 10 * n))
            session.add(slot)
            session.flush()
            other = patients.register(session, name=f"Nadie {n}", birth=date(1970, 1, 1), language="es", numbers=[])
            hers = n == seen + ahead
            booking.hold(session, slot.id, f"desk-{n}", at)
            patient_id = lucia_of(session).id if hers else other.id
            made = booking.confirm(session, slot.id, f"desk-{n}", patient_id, at, "desk")
            arrivals.arrive(session, made.id, tom.id, at, ZONE)
            if n < seen or (hers and called):
                arrivals.call_in(session, made.id, tom.id, slot.starts_at)
            if n < seen:
                arrivals.seen(session, made.id, tom.id, slot.starts_at + timedelta(minutes=10))


def next_in_a_room_that_has_just_opened(database: Database) -> None:
    in_the_waiting_room(database)


def third_in_the_waiting_room(database: Database) -> None:
    in_the_waiting_room(database, seen=4, ahead=2)
    two_appointments(database)


def called_in(database: Database) -> None:
    in_the_waiting_room(database, seen=1, called=True)


def the_desk_cancels(database: Database) -> None:
    with database.transaction() as session:
        lucia = lucia_of(session).id
        booking.cancel(session, booking.appointments(session, lucia, NOON)[0].appointment_id, lucia, NOON)


def nothing_this_week(database: Database) -> None:
    with database.transaction() as session:
        session.execute(update(Slot).where(Slot.starts_at < week(NOON, ZONE)[1]).values(state="withdrawn"))


def afternoons_suit_lucia(database: Database) -> None:
    with database.transaction() as session:
        lucia_of(session).suits = "afternoon"


def opted_out_of_all(database: Database) -> None:
    with database.transaction() as session:
        lucia_of(session).opted_out = ["survey", "reminder"]


def eleven_departments(database: Database) -> None:
    with database.transaction() as session:
        for n in range(4, 12):
            session.add(Department(code=f"ward{n}", names={"es": f"planta {n}", "en": f"ward {n}"}, position=n))


def one_place_is_left_in_a_class(database: Database) -> None:
    """The first time has two places, and somebody has one; the others are withdrawn."""
    with database.transaction() as session:
        (first,) = booking.openings(session, "blood", NOON, after=NOON, limit=1)
        session.execute(update(Slot).where(Slot.id == first.slot_id).values(capacity=2))
        session.execute(update(Slot).where(Slot.id != first.slot_id).values(state="withdrawn"))
        wiremu = next(one for one in session.scalars(select(Patient)) if one.name == demo.NAMES["wiremu"])
        booking.hold(session, first.slot_id, "the desk", NOON)
        booking.confirm(session, first.slot_id, "the desk", wiremu.id, NOON, "desk")


def no_examinations(database: Database) -> None:
    with database.transaction() as session:
        session.execute(update(Department).values(kind="clinic"))


def a_preparation_without_words(database: Database) -> None:
    with database.transaction() as session:
        session.execute(update(Department).values(preparation=["contrast_medium"]))


def a_child(database: Database) -> None:
    with database.transaction() as session:
        child = patients.register(session, name="Mateo Fernández", birth=date(2018, 5, 4), language="es", numbers=[])
        child.guardian_id = lucia_of(session).id


def her_mother(database: Database) -> None:
    """A parent in Lucía's care, with a telephone of her own."""
    with database.transaction() as session:
        mother = patients.register(
            session, name="Elena Ruiz", birth=date(1944, 5, 9), language="es", numbers=["+573015550121"]
        )
        mother.guardian_id = lucia_of(session).id


def a_twin(database: Database) -> None:
    with database.transaction() as session:
        patients.register(session, name="Lucas Fernández", birth=LUCIA.birth, language="es", numbers=[LUCIA.numbers[0]])


def a_namesake(database: Database) -> None:
    with database.transaction() as session:
        patients.register(session, name="LUCIA GÓMEZ", birth=LUCIA.birth, language="es", numbers=[LUCIA.numbers[0]])


def her_daughter_of_the_same_name(database: Database) -> None:
    with database.transaction() as session:
        child = patients.register(session, name=LUCIA.name, birth=date(2019, 3, 3), language="es", numbers=[])
        child.guardian_id = lucia_of(session).id


def locked(database: Database) -> None:
    with database.transaction() as session:
        token = patients.number_token(LUCIA.numbers[0])
        until = NOON + timedelta(minutes=30)
        session.add(NumberLock(number_token=token, failures=3, first_at=NOON, locked_until=until))


def somebody_is_on_duty(database: Database) -> None:
    with database.transaction() as session:
        tom = accounts.by_sip_username(session, "tom")
        assert tom is not None
        duty.wish(session, tom.id, None, NOON)


def booked(*more: str) -> str:
    return ",".join(("2", "1", "1", LUCIAS, "1", *more))


def mine(*more: str) -> str:
    return ",".join(("2", "1", "2", LUCIAS, *more))


def examined(*more: str) -> str:
    return ",".join(("2", "1", "3", LUCIAS, *more))


def wrong(times: int = 1) -> str:
    """A wrong birth date and a wrong document, so many times, and each time "try again"."""
    return ",1,".join([f"{ANOTHER},0000"] * times)


OWN_MENU = (("1", "results"), ("3", "book"), ("2", "my_appointments"), ("4", "examination"), ("5", "survey"))
WHOLE_TOPICS = (("1", "appointments"), ("2", "information"), ("3", "care"), ("4", "other"))

SCENES = {
    "the_sites_own_menu": Scene("2,,3", settings={"menu": OWN_MENU}),
    "the_sites_own_menu_of_whole_topics": Scene("2,,", settings={"menu": WHOLE_TOPICS}),
    # welcome and language
    "chooses_the_language": Scene("2"),
    "only_english_is_spoken_here": Scene("2,1,3,1", settings={"spoken": frozenset({"en"})}),
    "maori_says_nothing": Scene("5,,,", only="en"),
    "maori_goes_on_in_english": Scene("5,1", only="en", number=WIREMU.numbers[0]),
    "maori_calls_again": Scene("0", only="en", number=WIREMU.numbers[0], remembers="mi"),
    "no_language_chosen": Scene(",,"),
    "wrong_keys_at_the_welcome": Scene("6,6,6"),
    "repeats_the_welcome_more_slowly": Scene("*,8,7,0"),
    "called_before": Scene("5,2", remembers=""),
    "called_before_and_somebody_else_calls": Scene("8,X,5,2", remembers=""),
    "changes_the_language_in_the_middle": Scene(booked("8", "X", "2", "1")),
    "changes_the_language_instead_of_a_date": Scene(f"2,1,1,8,X,{LUCIAS}"),
    "keeps_the_language_after_all": Scene("2,8,#,8,,,,5,2"),
    "asks_for_maori_in_the_middle": Scene("2,8,5,1,5,2"),
    "urgent_while_the_language_is_chosen": Scene("2,8,9"),
    "urgent_from_the_first_prompt": Scene("9"),
    "operator_from_the_first_prompt": Scene("0"),
    # the main menu
    "another_matter": Scene("2,5,2"),
    "repeats_the_menu": Scene("2,*,5,2"),
    "silence_then_wrong_key_then_silence": Scene("2,,6,"),
    "more_slowly": Scene("2,7,7,5,2"),
    "nothing_is_before_the_menu": Scene("2,#,5,2"),
    "goes_back_from_every_menu": Scene("2,1,#,3,#,4,#,5,#,0"),
    "operator_at_the_menu": Scene("2,0"),
    "asks_for_a_nurse": Scene("2,4,2"),
    "wants_to_complain": Scene("2,4,3,1,2"),
    # who are you
    "wrong_date_once": Scene(f"2,1,1,{wrong()},1,{LUCIAS}"),
    "wrong_date_three_times": Scene(f"2,1,1,{wrong(3)}"),
    "goes_back_after_each_guess": Scene(f"2,1,1,{ANOTHER},12#,#,1,{ANOTHER},12#,#,1,{ANOTHER}"),
    "types_the_year_first": Scene(f"2,1,1,{LUCIA.birth:%Y%m%d},0"),
    "goes_back_instead_of_a_date": Scene("2,1,1,#,#,5,2"),
    "no_such_date": Scene(f"2,1,1,31021980,{LUCIAS}"),
    "starts_the_date_over": Scene(f"2,1,1,2902*,{LUCIAS}"),
    "too_few_digits": Scene("2,1,1,2902#,2902#,2902#"),
    "number_is_locked": Scene("2,1,1", before=locked),
    "number_is_withheld": Scene(f"2,1,1,{LUCIAS},*206,0", number=None),
    "number_is_withheld_and_nobody_is_found": Scene(f"2,1,1,{wrong(3)}", number=None),
    "number_is_withheld_where_one_thing_is_asked": Scene(
        "2,1,1", number=None, settings={"identifiers": ("birth_date",)}
    ),
    "number_is_unknown": Scene(f"2,1,1,{wrong(3)}", number="+573015559999"),
    "calls_from_another_telephone": Scene(f"2,1,1,{LUCIAS},9206,0", number="+573015559999"),
    "says_her_card_number": Scene(
        f"2,1,2,40718#,{MEI.birth_keys}", number=None, settings={"identifiers": ("card_number", "birth_date")}
    ),
    "says_his_nhi_number": Scene(
        "2,1,2,9225361", number=WIREMU.numbers[0], settings={"identifiers": ("nhi", "birth_date")}
    ),
    "says_her_pin": Scene(
        "2,1,2,4711#,1", number=numbering.SOFTPHONE.number, settings={"identifiers": ("pin", "birth_date")}
    ),
    "twins_on_one_number": Scene(f"2,1,1,{LUCIAS},2,0", before=a_twin),
    "namesakes_on_one_number": Scene(f"2,1,1,{LUCIAS},2,0", before=a_namesake),
    "calls_for_her_daughter_of_the_same_name": Scene(f"2,1,1,{LUCIAS},2,0", before=her_daughter_of_the_same_name),
    "operator_instead_of_a_date": Scene("2,1,1,0"),
    "urgent_instead_of_a_date": Scene("2,1,1,9"),
    "calls_for_her_child": Scene(f"2,1,1,{LUCIAS},2,2,1,1", before=a_child),
    "calls_for_her_child_then_for_herself": Scene(f"2,1,1,{LUCIAS},2,2,1,1,2,1", before=a_child),
    "calls_for_her_mother": Scene(f"2,1,1,{LUCIAS},2,1,1,1", before=her_mother),
    "says_his_cpf": Scene(f"3,1,1,{JOAO.birth_keys},7890,1,1,1", only="pt-BR", number="+573015559999"),
    "calls_for_herself": Scene(f"2,1,2,{LUCIAS},1", before=a_child),
    "new_here": Scene(f"2,1,1,{wrong()},2,1", number="+573015559999"),
    "new_here_with_a_withheld_number": Scene(f"2,1,1,{wrong()},2,3015550188#", number=None),
    # booking
    "books_the_second": Scene(booked("2", "1")),
    "books_in_general_medicine": Scene(f"2,1,1,{RUTHS},3,1,1", number=RUTH.numbers[0]),
    "goes_back_from_the_times": Scene(booked("#", "2", "#", "#", "#", "5", "2")),
    "goes_back_from_the_read_back": Scene(booked("1", "#", "2", "1")),
    "hears_again_what_was_booked": Scene(booked("1", "1!*")),
    "asks_for_a_person_while_it_is_confirmed": Scene(booked("1", "1!0")),
    "other_times": Scene(booked("4", "1", "1")),
    "hears_it_read_back_and_wants_another": Scene(booked("1", "2", "1", "1")),
    "other_times_to_their_end": Scene(booked("4", "4", "1", "4", "1", "1"), before=four_free),
    "leaves_it_after_the_last": Scene(booked("4", "4", "2"), before=four_free),
    "a_person_after_the_last": Scene(booked("4", "4", "", "0"), before=four_free),
    "leaves_it": Scene(booked("1", "3")),
    "somebody_was_faster": Scene(booked("2", "1", "1"), at_press=(5, somebody_takes_the_second)),
    "the_hold_ended": Scene(booked("1", "1", "1", "1"), at_press=(6, the_hold_ends)),
    "nothing_free": Scene(booked("1"), before=nothing_free),
    "nothing_free_and_a_person": Scene(booked("0"), before=nothing_free),
    "hangs_up_while_it_is_held": Scene(booked("1")),
    "silence_at_the_times": Scene(booked("", "", "")),
    "wants_an_afternoon_next_week": Scene(booked("5", "2", "5", "4", "1", "1")),
    "wants_a_certain_doctor": Scene(booked("5", "5", "1", "2", "5", "#", "1", "3")),
    "wants_what_is_not_free": Scene(booked("5", "3", "1", "1"), before=nothing_this_week),
    "afternoons_suit_her": Scene(booked("1", "1"), before=afternoons_suit_lucia),
    "afternoons_suit_her_and_she_wants_the_earliest": Scene(
        booked("5", "5", "2", "1", "1"), before=afternoons_suit_lucia
    ),
    "wants_the_earliest_after_a_wish": Scene(booked("5", "2", "4", "5", "5", "2", "1", "1")),
    "takes_a_wish_back": Scene(booked("5", "4", "5", "5", "2", "1", "1")),
    "eleven_departments": Scene("2,1,1," + LUCIAS + ",5,5,5,5,2,0", before=eleven_departments),
    # examinations
    "books_a_blood_test": Scene(examined("3", "1", "1")),
    "books_an_ultrasound": Scene(examined("1", "1", "2", "1")),
    "books_an_xray": Scene(examined("2", "1", "1", "1")),
    "has_no_order_for_an_xray": Scene(examined("2", "2")),
    "books_the_last_place_in_a_class": Scene(examined("3", "1", "1"), before=one_place_is_left_in_a_class),
    "wants_the_earliest_blood_test_after_all": Scene(examined("3", "5", "4", "5", "5", "1", "1")),
    "leaves_the_examination": Scene(examined("3", "5", "1", "1", "2", "2", "3")),
    "nobody_says_how_to_prepare": Scene(examined("3", "1", "1"), before=a_preparation_without_words),
    "no_examinations_here": Scene(examined(), before=no_examinations),
    # my appointments
    "no_appointment": Scene(mine()),
    "is_late": Scene(mine("1"), before=one_that_has_begun),
    "was_seen_and_asks_for_the_next": Scene(mine("2", "3"), before=one_that_has_begun),
    "is_late_for_the_only_one": Scene(mine("2"), before=the_only_one_has_begun),
    "keeps_one_and_cancels_one": Scene(mine("3", "2", "1"), before=two_appointments),
    "cancels_the_first": Scene(mine("2", "1", "3"), before=two_appointments),
    "goes_back_from_cancelling": Scene(mine("2", "#", "#", "#", "5", "2"), before=two_appointments),
    "does_not_cancel_after_all": Scene(mine("2", "2", "3"), before=two_appointments),
    "books_and_hears_it_without_a_second_date": Scene(booked("1", "1", "1", "2", "3")),
    "moves_an_appointment": Scene(mine("1", "2", "1", "3"), before=two_appointments),
    "hears_other_times_and_moves": Scene(mine("1", "1", "2", "1", "1"), before=two_appointments),
    "goes_back_from_moving": Scene(mine("1", "#", "3", "3"), before=two_appointments),
    "does_not_move_after_all": Scene(mine("1", "1", "3", "3"), before=two_appointments),
    "the_desk_cancelled_what_she_moves": Scene(
        mine("1", "1", "1", "3"), before=two_appointments, at_press=(6, the_desk_cancels)
    ),
    "moves_a_blood_test_and_hears_how_to_prepare": Scene(mine("1", "2", "1"), before=a_blood_test),
    "hears_how_to_prepare": Scene(mine("4"), before=a_blood_test),
    "needs_help_while_hearing_how_to_prepare": Scene(examined("3", "1", "1!!9")),
    "stops_what_she_knows_and_goes_on": Scene(mine("2", "1!3"), before=two_appointments),
    "nothing_to_prepare": Scene(mine("4", "3"), before=two_appointments),
    # the waiting room
    "waits_and_is_next": Scene(mine("5", "2"), before=next_in_a_room_that_has_just_opened),
    "waits_and_is_third_and_has_two_to_come": Scene(mine("3", "3"), before=third_in_the_waiting_room),
    "waits_and_is_called": Scene(mine("5", "2"), before=called_in),
    # results
    "hears_her_results": Scene(f"2,2,{LUCIAS}"),
    "a_doctor_will_call_and_is_not_announced": Scene(f"2,2,{RUTHS}", number=RUTH.numbers[0]),
    "a_doctor_will_call_and_the_site_says_so": Scene(
        f"2,2,{RUTHS}", number=RUTH.numbers[0], settings={"say_doctor_calls": True}
    ),
    "no_results": Scene(f"2,2,{WIREMU.birth_keys}", number=WIREMU.numbers[0]),
    # information
    "opening_hours": Scene("2,3,1"),
    "the_way_and_the_address": Scene("2,3,2,1"),
    "the_way_is_enough": Scene("2,3,2,2"),
    "the_way_from_a_withheld_number": Scene("2,3,2", number=None),
    "what_to_bring": Scene("2,3,3"),
    "a_site_without_sentences": Scene("2,3,1", settings={"site_says": frozenset()}),
    # preferences
    "no_more_surveys": Scene(f"2,5,1,{LUCIAS},1,1,1,2,2,1,5"),
    "surveys_again": Scene(f"2,5,1,{LUCIAS},1,1,2,1,#", before=opted_out_of_all),
    "reminders_in_writing": Scene(f"2,5,1,{LUCIAS},2,3,2,3,5"),
    "no_more_advice_and_again": Scene(f"2,5,1,{LUCIAS},4,1,4,1,5"),
    "no_more_advice": Scene(f"2,5,1,{LUCIAS},4,1,5"),
    "afternoons_suit_best": Scene(f"2,5,1,{LUCIAS},3,2,5"),
    "answers_questions_and_none_are_waiting": Scene(f"2,5,3,{LUCIAS}"),
    # a number that calls too often
    "called_too_often": Scene("", dialogue="throttled", remembers=""),
    "called_too_often_and_it_is_urgent": Scene("5,9", dialogue="throttled", remembers=""),
    "called_too_often_and_wants_a_person": Scene("0", dialogue="throttled", remembers=""),
    "withheld_numbers_call_too_often": Scene("5,5", dialogue="throttled", number=None),
    "withheld_numbers_call_too_often_where_it_is_spoken": Scene("", dialogue="throttled", number=None, at_home=True),
    # a callback
    "callback_to_this_number": Scene("1", dialogue="callback", before=somebody_is_on_duty),
    "callback_to_another_number": Scene("2,3015550188#", dialogue="callback", before=somebody_is_on_duty),
    "callback_from_a_withheld_number": Scene(
        "3015550188#", dialogue="callback", number=None, before=somebody_is_on_duty
    ),
    "callback_number_is_none": Scene("2,123456#,123456#,123456#", dialogue="callback", before=somebody_is_on_duty),
    "callback_in_another_language": Scene("8,X,1", dialogue="callback", before=somebody_is_on_duty),
}


@pytest.fixture(scope="module")
def words() -> wording.Wording:
    return wiring.words(build(DEMO))


@pytest.fixture
def front(cluster: postgres.Cluster, demo_template: str, words: wording.Wording) -> Iterator[FrontDesk]:
    with renewed(cluster, demo_template) as url, closing(Database(url, connections=4)) as database:
        made = wiring.front_desk(build(DEMO), database, words)
        desk = booking.OwnDesk(database, zone=ZONE, **appointment_messages(lambda: NOON, lambda: made.site_says))
        yield replace(made, now=lambda: NOON, desk=desk)


@pytest.mark.covers("H2", "H8", "H10", "H11", "H39", "H40")
@pytest.mark.parametrize(("language", "name"), in_each(SCENES))
async def test_the_transcript_is_the_golden_one(
    language: str, name: str, front: FrontDesk, words: wording.Wording
) -> None:
    scene = SCENES[name]
    database = front.database
    if scene.before is not None:
        scene.before(database)
    if scene.remembers is not None:
        with database.transaction() as session:
            caller_languages.remember(session, scene.number, scene.remembers or language, NOON)
    journal = SqlJournal(database, "terminal-1", "terminal", scene.number, lambda: NOON)
    await journal.begin()

    at_the_scene = replace(front, **scene.settings)  # type: ignore[arg-type]
    if scene.at_home:
        at_the_scene = replace(at_the_scene, default_language=language)

    async def dialogue(call: Call) -> None:
        await wiring.DIALOGUES[scene.dialogue](call, at_the_scene)

    said = Said(words)
    transcript = await rehearse(
        dialogue,
        said,
        _pressing(scene, language, database),
        language=language,
        caller_number=scene.number,
        journal=journal,
        house=wiring.house_keys(front),
    )
    is_golden(said.under(transcript), "golden", language, name)
    with database.transaction() as session:
        assert (
            session.scalar(text("SELECT count(*) FROM hold WHERE holder = 'terminal-1' AND expires_at < 'infinity'"))
            == 0
        )


def _pressing(scene: Scene, language: str, database: Database) -> Presses:
    chooses = scene.dialogue == "inbound" and scene.remembers is None
    press = scripted(pressed(scene.presses, language, chooses))
    presses = 0

    async def next_press() -> str | None:
        nonlocal presses
        if scene.at_press is not None and presses == scene.at_press[0]:
            scene.at_press[1](database)
        presses += 1
        return await press()

    return next_press


def test_every_golden_transcript_has_its_scene() -> None:
    assert there("golden") == set(in_each(SCENES))


@pytest.mark.covers("H11")
async def test_the_next_call_begins_in_the_language_of_the_last(front: FrontDesk, words: wording.Wording) -> None:
    async def call(press: str, number: str | None) -> list[str]:
        async def dialogue(call: Call) -> None:
            await wiring.DIALOGUES["inbound"](call, front)

        house = wiring.house_keys(front)
        how = {"language": "en", "caller_number": number, "house": house}
        return (await rehearse(dialogue, wording.Heard(words), scripted(press.split(",")), **how)).lines  # type: ignore[arg-type]

    main_menus = {tag: f"hotline: {words.text('main_menu', tag)}" for tag in words.spoken}
    first, second, changed, third = [await call(press, JOAO.numbers[0]) for press in ("3", "*", "8,4", "*")]
    assert main_menus["pt-BR"] in first and "hotline: Para português, pressione 3." in first
    assert main_menus["pt-BR"] in second and "hotline: Para português, pressione 3." not in second
    assert main_menus["pt-BR"] in changed and main_menus["zh-CN"] in changed
    assert main_menus["zh-CN"] in third and main_menus["pt-BR"] not in third
    # Nobody else's call is changed by it, nor that of a withheld number.
    for number in (MEI.numbers[0], None, None):
        assert "hotline: For English, press 1." in await call("1", number)


def test_a_site_chooses_the_languages_and_their_order(front: FrontDesk, words: wording.Wording) -> None:
    site = {**DEMO["site"], "languages": ["zh-CN", "en"], "default_language": "zh-CN"}
    chosen = wiring.front_desk(build({**DEMO, "site": site}), front.database, words)
    assert list(chosen.language_keys.items()) == [("4", "zh-CN"), ("1", "en")]
    assert chosen.default_language == "zh-CN"
    assert list(front.language_keys.values()) == ["en", "es", "pt-BR", "zh-CN", "mi"]


@pytest.mark.covers("H12")
@pytest.mark.parametrize(("from_age", "pace"), [(80, " (0.85)"), (90, ""), (None, "")])
async def test_ruth_is_82_and_spoken_to_more_slowly(
    front: FrontDesk, words: wording.Wording, from_age: int | None, pace: str
) -> None:
    async def dialogue(call: Call) -> None:
        await wiring.DIALOGUES["inbound"](call, replace(front, slower_from_age=from_age))

    journal = SqlJournal(front.database, "terminal-1", "terminal", RUTH.numbers[0], lambda: NOON)
    await journal.begin()
    press = scripted(["1", "1", "1", RUTHS])
    told = await rehearse(dialogue, words, press, caller_number=RUTH.numbers[0], journal=journal)
    said = words.text("recognised", "en", given_name="Ruth")
    assert f"hotline{pace}: {said}" in told.lines


@pytest.mark.covers("H11")
async def test_a_hospital_with_one_language_asks_for_none(front: FrontDesk, words: wording.Wording) -> None:
    front = replace(front, language_keys={"4": "zh-CN"})
    assert wiring.house_keys(front).change_language is None

    async def dialogue(call: Call) -> None:
        await wiring.DIALOGUES["inbound"](call, front)

    told = await rehearse(dialogue, words, scripted(["8", "4", "1"]), caller_number=MEI.numbers[0])
    offer = words.text("choose_language", "zh-CN")
    assert [line for line in told.lines if offer in line or "press" in line] == []
    assert (
        told.lines[1].startswith("hotline: 您好，欢迎致电")
        and f"hotline: {words.text('wrong_key', 'zh-CN')}" in told.lines
    )


@pytest.mark.covers("H4")
async def test_a_cancellation_is_told_by_sms(front: FrontDesk, words: wording.Wording) -> None:
    await test_the_transcript_is_the_golden_one("es", "keeps_one_and_cancels_one", front, words)
    with front.database.transaction() as session:
        (message,) = session.scalars(select(OutboxRow))
        assert (message.key, message.number) == ("appointment_cancelled", LUCIA.numbers[0])


@pytest.mark.covers("H4", "I7")
async def test_a_childs_appointment_is_told_to_who_may_speak_for_it(front: FrontDesk, words: wording.Wording) -> None:
    await test_the_transcript_is_the_golden_one("es", "calls_for_her_child", front, words)
    with front.database.transaction() as session:
        call = session.get_one(CallRow, "terminal-1")
        lucia = lucia_of(session)
        assert call.proxy_id == lucia.id != call.patient_id
        assert [patient.id for patient in patients.wards(session, lucia.id, NOON)] == [call.patient_id]
        (message,) = session.scalars(select(OutboxRow))
        assert (message.number, message.patient_id) == (LUCIA.numbers[0], call.patient_id)


@pytest.mark.covers("H2", "I7")
async def test_her_next_matter_is_not_taken_for_her_childs(front: FrontDesk, words: wording.Wording) -> None:
    await test_the_transcript_is_the_golden_one("es", "calls_for_her_child_then_for_herself", front, words)
    with front.database.transaction() as session:
        call = session.get_one(CallRow, "terminal-1")
        assert (call.patient_id, call.proxy_id) == (lucia_of(session).id, None)
        (booked,) = session.scalars(select(Appointment.patient_id))
        assert booked != call.patient_id, "the first was the child's"


@pytest.mark.covers("H4", "H12", "I7")
async def test_a_mothers_appointment_is_hers_and_who_called_for_her_is_written_down(
    front: FrontDesk, words: wording.Wording
) -> None:
    await test_the_transcript_is_the_golden_one("es", "calls_for_her_mother", front, words)
    with front.database.transaction() as session:
        call = session.get_one(CallRow, "terminal-1")
        lucia = lucia_of(session)
        assert call.patient_id is not None and call.proxy_id == lucia.id
        mother = session.get_one(Patient, call.patient_id)
        assert (mother.birth, mother.guardian_id) == ("1944-05-09", lucia.id)
        assert [one.department_code for one in booking.appointments(session, mother.id, NOON)] == ["cardiology"]
        assert booking.appointments(session, lucia.id, NOON) == []


@pytest.mark.covers("H4", "H41")
async def test_how_to_prepare_is_sent_apart_and_names_no_examination(front: FrontDesk, words: wording.Wording) -> None:
    await test_the_transcript_is_the_golden_one("es", "books_an_ultrasound", front, words)
    with front.database.transaction() as session:
        sent = list(session.scalars(select(OutboxRow).order_by(OutboxRow.key)))
    assert [row.key for row in sent] == ["appointment_confirmed", "prepare_bring_order", "prepare_drink_water"]
    told = [rendered(lambda: words)(row.key, row.locale, row.params) for row in sent]
    assert all("26 de noviembre" in text and "ecograf" not in text for text in told)


@pytest.mark.covers("H1")
async def test_somebody_new_is_an_item_that_reception_owns_and_nobodys_record(
    front: FrontDesk, words: wording.Wording
) -> None:
    await test_the_transcript_is_the_golden_one("es", "new_here", front, words)
    with front.database.transaction() as session:
        (item,) = session.scalars(select(Callback))
        assert (item.why, item.birth, item.patient_id, item.state) == ("new_patient", "1970-01-01", None, "open")
        assert session.scalar(text("SELECT count(*) FROM appointment")) == 0


@pytest.mark.covers("H1")
async def test_a_callback_is_one_item_and_its_call_ends_as_one(front: FrontDesk, words: wording.Wording) -> None:
    await test_the_transcript_is_the_golden_one("es", "callback_to_this_number", front, words)
    with front.database.transaction() as session:
        assert [item.why for item in session.scalars(select(Callback))] == ["asked"]
        assert session.get_one(CallRow, "terminal-1").outcome == "callback"


def test_doctors_have_their_titles_in_each_language() -> None:
    assert verbalise.doctor("Vega", True, "es") == "la doctora Vega"
    assert verbalise.doctor("Vega", True, "en") == "Doctor Vega"
