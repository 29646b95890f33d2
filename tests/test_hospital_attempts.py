"""Before the phone rings: who may be called now, and that nobody is ever called twice at once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hospital import attempts, audit, cases, consents, followups, patients, surveys
from hospital import calls as inbound
from hospital.attempts import Attempt, Claimed
from hospital.calling_hours import ALWAYS
from hospital.calling_rules import CallingPolicy, NotNow
from hospital.cases import Case, Teller
from hospital.clocks import Due
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.patients import Patient, PhoneNumber
from hospital.wishes import Part
from tests.characters import JOAO, LUCIA, MEI, RUTH
from tests.hospital_scene import POLICY, UNCAPPED, admit, at_once, day_three, employ, listening
from tests.moments import NOON, ZONE

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def codes(session: Session, task_id: UUID) -> list[str]:
    session.flush()
    return [decision.code for decision in followups.decisions(session, task_id)]


def calls(
    session: Session, task_id: UUID, nurse: UUID, at: datetime = NOON, policy: CallingPolicy = POLICY
) -> Claimed | NotNow:
    return attempts.claim(session, task_id, nurse, "n1", at, policy)


def calls_and_ends(session: Session, task_id: UUID, nurse: UUID, result: str, at: datetime = NOON) -> None:
    """A whole call in which the phone rang, settled at the same moment."""
    claimed = calls(session, task_id, nurse, at)
    assert isinstance(claimed, Claimed), claimed.code
    assert attempts.dialling(session, claimed.attempt_id, at)
    attempts.rang(session, claimed.channel_id)
    assert attempts.line_ended(session, claimed.attempt_id, result, at, POLICY)


@pytest.mark.covers("H14", "I3")
def test_ana_calls_joao(database: Database) -> None:
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        task = day_three(session, admit(session, JOAO)).id
    with listening(database) as heard, database.transaction() as session:
        claimed = calls(session, task, ana)
        assert heard() == []
    assert isinstance(claimed, Claimed)
    assert claimed.number == JOAO.numbers[0]
    assert claimed.channel_id == f"n1-{claimed.attempt_id.hex}", "chosen and committed before Asterisk hears of it"
    assert claimed.nurse_channel_id.startswith("n1-") and claimed.nurse_channel_id != claimed.channel_id
    with database.transaction() as session:
        row = session.get_one(FollowUpTask, task)
        assert (row.state, row.owner_id) == ("calling", ana)
        assert codes(session, task) == ["planned", "called"]
        assert [a.state for a in attempts.live(session)] == ["claimed"]
        assert attempts.dialling(session, claimed.attempt_id, NOON)
        assert not attempts.dialling(session, claimed.attempt_id, NOON), "the order to dial is given once"
        attempts.rang(session, claimed.channel_id)
        assert attempts.answered(session, claimed.channel_id, NOON + MINUTE)
        assert not attempts.answered(session, claimed.channel_id, NOON + 2 * MINUTE)
        for channel in (claimed.channel_id, claimed.nurse_channel_id):
            found = attempts.by_channel(session, channel)
            assert found is not None and found.id == claimed.attempt_id
        (talk,) = attempts.of_task(session, task)
        session.refresh(talk)
        assert (talk.state, talk.rang, talk.answered_at) == ("talking", True, NOON + MINUTE)
        assert attempts.by_channel(session, "n1-nobody") is None
        assert not attempts.answered(session, "n1-nobody", NOON)


# ── I3: one live attempt for each patient, each number and each nurse ────────────────────────────────────────────────


@pytest.mark.covers("I3")
def test_two_nurses_reach_for_one_task(database: Database) -> None:
    with database.transaction() as session:
        nurses = [employ(session, name, "nurse").id for name in ("ana", "grace", "tom")]
        tasks = [
            day_three(
                session, patients.register(session, name="J", birth=None, language="en", numbers=[f"+1202555{n}"])
            ).id
            for n in range(1000, 1015)
        ]
    for task in tasks:
        results = at_once(database, *(partial(calls, task_id=task, nurse=nurse) for nurse in nurses))
        assert sorted(r.code if isinstance(r, NotNow) else type(r).__name__ for r in results) == [
            "Claimed",
            "not_open",
            "not_open",
        ]
        with database.transaction() as session:
            (live,) = attempts.live(session)
            assert live.task_id == task
            attempts.line_ended(session, live.id, "cancelled", NOON, POLICY)


@pytest.mark.covers("I3")
@pytest.mark.parametrize("shared", ["patient", "number", "nurse"])
def test_two_tasks_at_once_share_a_patient_a_number_or_a_nurse(database: Database, shared: str) -> None:
    with database.transaction() as session:
        ana, grace = employ(session, "ana", "nurse").id, employ(session, "grace", "nurse").id
    for n in range(12):
        with database.transaction() as session:
            numbers = [f"+5255550{n:02}001", f"+5255550{n:02}{'001' if shared == 'number' else '002'}"]
            mother, child = (
                patients.register(session, name="Rosa", birth=None, language="es", numbers=[number])
                for number in numbers
            )
            tasks = [
                day_three(session, mother).id,
                day_three(session, mother if shared == "patient" else child).id,
            ]
        nurses = (ana, ana if shared == "nurse" else grace)
        results = at_once(database, *(partial(calls, task_id=t, nurse=w) for t, w in zip(tasks, nurses, strict=True)))
        assert sorted(r.code if isinstance(r, NotNow) else type(r).__name__ for r in results) in (
            ["Claimed", "already_in_a_call"],
            ["Claimed", "cap_reached"],  # the second looked after the first had committed
            ["Claimed", "not_open"],  # the first had taken it along, into its own call
        ), results
        with database.transaction() as session:
            (live,) = attempts.live(session)
            attempts.line_ended(session, live.id, "cancelled", NOON, POLICY)
            states = sorted(session.get_one(FollowUpTask, task).state for task in tasks)
            assert states == ["open", "open"], "who was refused is still to be called"


@pytest.mark.covers("I3")
@pytest.mark.parametrize("known", ["number", "patient"])
def test_who_is_on_the_telephone_with_us_is_not_dialled_meanwhile(database: Database, known: str) -> None:
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        joao = admit(session, JOAO)
        task, other = day_three(session, joao).id, day_three(session, admit(session, MEI)).id
        inbound.begin(session, "n1-1.1", "n1", JOAO.numbers[0] if known == "number" else None, NOON)
        if known == "patient":
            inbound.update_call(session, "n1-1.1", patient_id=joao.id)
        inbound.queued(session, "n1-1.1", "nurses")
        refused = calls(session, task, ana)
        assert isinstance(refused, NotNow) and refused.code == "already_in_a_call"
        assert codes(session, task) == ["planned", "already_in_a_call"]
        assert isinstance(calls(session, other, employ(session, "ruby", "nurse").id), Claimed), "nobody else waits"
        inbound.end(session, "n1-1.1", NOON, "answered")
        assert isinstance(calls(session, task, ana), Claimed)


def test_a_call_that_a_lost_node_has_left_holds_nobody_back(database: Database) -> None:
    with database.transaction() as session:
        ana, task = employ(session, "ana", "nurse").id, day_three(session, admit(session, JOAO)).id
        inbound.begin(session, "n0-1.1", "n0", JOAO.numbers[0], NOON - DAY)
        assert isinstance(calls(session, task, ana), Claimed)


@pytest.mark.covers("I3")
def test_the_table_itself_refuses_a_second_live_attempt(database: Database) -> None:
    with database.transaction() as session:
        ana, grace = employ(session, "ana", "nurse").id, employ(session, "grace", "nurse").id
        joao = admit(session, JOAO)
        calls(session, day_three(session, joao).id, ana)
        other = day_three(session, joao).id
    rude = (
        "INSERT INTO attempt (task_id, patient_id, number_id, number_token, account_id, channel_id, nurse_channel_id,"
    )
    rude += " claimed_at, dial_until) SELECT :task, patient_id, id, token, :nurse, 'x', 'y', now(), now()"
    rude += " FROM phone_number WHERE rank = 2"
    with pytest.raises(IntegrityError, match="one_live_attempt_per_patient"), database.transaction() as session:
        session.execute(text(rude), {"task": other, "nurse": grace})


@pytest.mark.covers("I3")
def test_a_refused_nurse_does_not_take_the_task_from_its_owner(database: Database) -> None:
    with database.transaction() as session:
        ana, grace = employ(session, "ana", "nurse").id, employ(session, "grace", "supervisor").id
        task = day_three(session, admit(session, JOAO))
        task.owner_id = ana
        session.flush()
        refused = calls(session, task.id, grace, local("2026-11-25 22:00"))
        assert isinstance(refused, NotNow)
        session.refresh(task)
        assert (task.state, task.owner_id) == ("open", ana)


# ── I4: never outside the window, after opt-out, over the cap ────────────────────────────────────────────────────────


def deceased(patient: Patient) -> None:
    patient.deceased_at = NOON


def said_to_have_died(patient: Patient) -> None:
    patient.death_reported_at = NOON


def opted_out(patient: Patient) -> None:
    patient.opted_out = ["reminder", "follow_up"]


def opted_out_of_reminders(patient: Patient) -> None:
    patient.opted_out = ["reminder"]


def opted_out_of_surveys(patient: Patient) -> None:
    patient.opted_out = ["survey"]


def first_number_unsafe(patient: Patient) -> None:
    patient.numbers[0].safe_to_call = False


def no_number_safe(patient: Patient) -> None:
    for number in patient.numbers:
        number.safe_to_call = False


def first_number_wrong(patient: Patient) -> None:
    patient.numbers[0].invalid_since = NOON


@pytest.mark.covers("I4", "H14", "H52")
@pytest.mark.parametrize(
    ("happened", "dialled", "task_is"),
    [
        (deceased, "deceased", "stopped"),
        (said_to_have_died, "death_reported", "open"),
        (opted_out, "opted_out", "stopped"),
        (opted_out_of_reminders, MEI.numbers[0], "calling"),
        (opted_out_of_surveys, MEI.numbers[0], "calling"),
        (first_number_unsafe, MEI.numbers[1], "calling"),
        (no_number_safe, "no_usable_number", "open"),
        (first_number_wrong, MEI.numbers[1], "calling"),
    ],
)
def test_who_is_not_called_at_all(
    database: Database, happened: Callable[[Patient], None], dialled: str, task_is: str
) -> None:
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        mei = admit(session, MEI)
        task = day_three(session, mei)
        happened(mei)
        session.flush()
        result = calls(session, task.id, ana)
        assert (result.number if isinstance(result, Claimed) else result.code) == dialled
        session.refresh(task)
        assert task.state == task_is
        if isinstance(result, NotNow):
            assert result.not_before is None, "waiting does not help"
            assert codes(session, task.id)[-1] == dialled


@pytest.mark.covers("I4", "H28", "H52")
def test_who_wants_no_surveys_is_asked_none_and_still_followed_up(database: Database) -> None:
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        mei = admit(session, MEI)
        survey = day_three(session, mei)
        survey.questionnaire.body = {**survey.questionnaire.body, "purpose": "survey"}
        assert consents.set_consent(session, mei.id, "survey", False, NOON, call_id="n1-1.1")
        assert not consents.set_consent(session, mei.id, "survey", False, NOON, call_id="n1-1.1"), "known already"
        session.refresh(mei)
        result = calls(session, survey.id, ana)
        assert isinstance(result, NotNow)
        assert (result.code, survey.purpose, survey.stop_reason) == ("not_open", "survey", "opted_out")
        assert consents.set_consent(session, mei.id, "survey", True, NOON, call_id="n1-1.2"), "she takes it back"
        assert consents.opted_out(session, mei.id) == frozenset()
        said = [(row.action, row.detail["call"]) for row in audit.of_subject(session, f"patient:{mei.id}")]
        assert said == [("consent.given", "n1-1.2"), ("consent.withdrawn", "n1-1.1")]


@pytest.mark.covers("H38", "I4")
@pytest.mark.parametrize(
    ("suits", "at", "until", "may"),
    [
        ("afternoon", "2026-11-25 11:59", "2026-11-29 12:00", "2026-11-25 12:00"),
        ("morning", "2026-11-25 12:00", "2026-11-29 12:00", "2026-11-26 08:00"),
        ("morning", "2026-11-25 12:00", "2026-11-25 20:00", None),  # tomorrow would be too late: now, then
        ("morning", "2026-11-25 11:59", "2026-11-29 12:00", None),
        (None, "2026-11-25 20:00", "2026-11-29 12:00", None),
    ],
)
def test_a_patient_is_called_when_it_suits_them(
    database: Database, suits: Part | None, at: str, until: str, may: str | None
) -> None:
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        joao = admit(session, JOAO)
        consents.set_suits(session, joao.id, suits, NOON, call_id="n1-1.1")
        session.refresh(joao)
        task = day_three(session, joao, due_at=local("2026-11-25 00:00"))
        task.due_until = local(until)
        session.flush()
        result = calls(session, task.id, ana, local(at))
        assert (result.not_before if isinstance(result, NotNow) else None) == (local(may) if may else None)
        if suits == "morning" and isinstance(result, Claimed) and "11:59" in at:
            (attempt,) = attempts.of_task(session, task.id)
            assert attempt.dial_until == local("2026-11-25 12:00")


@pytest.mark.covers("H16", "H38", "I4")
@pytest.mark.parametrize(
    ("asked", "told", "early", "called"),
    [
        ("2026-11-26 10:00", "2026-11-26 10:00", "2026-11-26 10:00", True),
        ("2026-11-26 10:00", "2026-11-26 10:00", "2026-11-26 11:30", True),  # she comes to it later
        ("2026-11-26 10:00", "2026-11-26 10:00", "2026-11-27 10:00", False),  # another day it is as he likes again
        ("2026-11-26 23:00", "2026-11-27 12:00", "2026-11-27 10:00", False),  # nobody is called at that hour
    ],
)
def test_who_likes_afternoons_and_asks_for_ten_is_called_at_ten(
    database: Database, asked: str, told: str, early: str, called: bool
) -> None:
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        joao = admit(session, JOAO)
        joao.suits = "afternoon"
        task = day_three(session, joao)
        first = calls(session, task.id, ana, NOON)
        assert isinstance(first, Claimed)
        assert attempts.dialling(session, first.attempt_id, NOON)
        attempts.answered(session, first.channel_id, NOON)
        attempts.contact_result(session, first.attempt_id, "call_later", NOON, POLICY, call_at=local(asked))
        attempts.line_ended(session, first.attempt_id, "answered", NOON, POLICY)
        assert task.next_try_at == local(told)
        again = calls(session, task.id, ana, local(early))
        assert (None if isinstance(again, Claimed) else again.code) == (None if called else "outside_window")


@pytest.mark.covers("I4")
@pytest.mark.parametrize("happened", [deceased, said_to_have_died, opted_out, no_number_safe, "the window closed"])
def test_it_is_asked_again_when_the_nurse_has_picked_up(
    database: Database, happened: Callable[[Patient], None] | str
) -> None:
    """Her own phone rings for a while; meanwhile João's daughter rings another nurse: no more calls, please."""
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        joao = admit(session, JOAO)
        task = day_three(session, joao).id
        claimed = calls(session, task, ana, local("2026-11-25 20:59"))
        assert isinstance(claimed, Claimed)
    dial_at = local("2026-11-25 20:59") + timedelta(seconds=59)
    with database.transaction() as session:
        if callable(happened):
            happened(session.get_one(Patient, joao.id))
        else:
            dial_at += timedelta(seconds=1)
    with database.transaction() as session:
        assert not attempts.dialling(session, claimed.attempt_id, dial_at)
        assert codes(session, task)[-1] == "not_dialled"
        assert attempts.line_ended(session, claimed.attempt_id, "cancelled", dial_at, POLICY)
        row = session.get_one(FollowUpTask, task)
        assert (row.state, row.tries) == ("open", 0), "ours to settle; the next claim says why"
        if happened == "the window closed":
            assert row.next_try_at == local("2026-11-26 08:00")


@pytest.mark.covers("I4")
def test_nothing_closes_in_between_on_an_ordinary_evening(database: Database) -> None:
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        claimed = calls(session, day_three(session, admit(session, JOAO)).id, ana, local("2026-11-25 20:59"))
        assert isinstance(claimed, Claimed)
        assert attempts.dialling(session, claimed.attempt_id, local("2026-11-25 20:59") + timedelta(seconds=59))


@pytest.mark.covers("I4")
def test_the_demo_calls_at_any_hour(database: Database) -> None:
    demo = CallingPolicy(ALWAYS, ZONE, None, None)
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        midnight = local("2026-11-26 00:00")
        claimed = calls(
            session, day_three(session, admit(session, JOAO)).id, ana, midnight - timedelta(seconds=1), demo
        )
        assert isinstance(claimed, Claimed)
        assert attempts.dialling(session, claimed.attempt_id, midnight + timedelta(seconds=9))


@pytest.mark.covers("I4")
def test_outside_the_window_it_says_when(database: Database) -> None:
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        task = day_three(session, admit(session, JOAO)).id
        refused = calls(session, task, ana, local("2026-11-25 21:00"))
        assert isinstance(refused, NotNow)
        assert (refused.code, refused.not_before) == ("outside_window", local("2026-11-26 08:00"))
        last = followups.decisions(session, task)[-1]
        assert last.facts["not_before"] == "2026-11-26T08:00:00-05:00"


@pytest.mark.covers("I4")
def test_a_retry_that_falls_on_the_evening_waits_for_the_morning(database: Database) -> None:
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        task = day_three(session, admit(session, MEI))
        claimed = calls(session, task.id, ana, local("2026-11-25 20:59"))
        assert isinstance(claimed, Claimed)
        attempts.dialling(session, claimed.attempt_id, local("2026-11-25 20:59"))
        attempts.line_ended(session, claimed.attempt_id, "busy", local("2026-11-25 20:59"), POLICY)
        session.refresh(task)
        assert (task.state, task.next_try_at) == ("open", local("2026-11-26 08:00"))
        refused = calls(session, task.id, ana, local("2026-11-25 21:29"))
        assert isinstance(refused, NotNow) and refused.code == "outside_window"


@pytest.mark.covers("I4")
def test_once_a_day_and_three_times_a_week_over_all_tasks(database: Database) -> None:
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        joao = admit(session, JOAO)
        first, second = day_three(session, joao, max_tries=9).id, day_three(session, joao, max_tries=9).id
        calls_and_ends(session, first, ana, "no_answer", NOON)
        for at, may in ((NOON, "2026-11-26"), (NOON + 5 * MINUTE, "2026-11-26")):
            refused = calls(session, second, ana, at)
            assert isinstance(refused, NotNow)
            assert (refused.code, refused.not_before) == ("cap_reached", local(f"{may} 08:00"))
        calls_and_ends(session, second, ana, "no_answer", NOON + DAY)
        calls_and_ends(session, first, ana, "no_answer", NOON + 2 * DAY)
        refused = calls(session, second, ana, NOON + 3 * DAY)
        assert isinstance(refused, NotNow)
        assert (refused.code, refused.not_before) == ("cap_reached", local("2026-12-02 08:00"))
        calls_and_ends(session, second, ana, "no_answer", NOON + 7 * DAY)


@pytest.mark.covers("I4")
def test_the_cap_does_not_hold_back_a_red_flag_until_it_is_closed(database: Database) -> None:
    with database.transaction() as session:
        ana, joao = employ(session, "ana", "nurse").id, admit(session, JOAO)
        task, other = day_three(session, joao, max_tries=9).id, day_three(session, joao, due_at=NOON + DAY).id
        calls_and_ends(session, task, ana, "no_answer")
        surveys.hand_over(session, task, "breath", NOON)
        opened = cases.open_case(session, "red_flag", "x", Teller("", None, joao.id), NOON, Due(NOON), "breath")
        calls_and_ends(session, task, ana, "busy", NOON + MINUTE)
        again, log = session.get_one(FollowUpTask, task).next_try_at, followups.decisions(session, task)
        assert again == NOON + 31 * MINUTE, "nor is it put off until the cap would allow it"
        assert [row.facts.get("cap") for row in log if row.code == "called"] == [None, "exempt"]
        refused = calls(session, other, ana, NOON + MINUTE)
        assert isinstance(refused, NotNow) and refused.code == "cap_reached", "what else they are called for waits"
        case = session.get_one(Case, opened)
        case.state, case.closed_at, case.outcome = "closed", NOON, "reached"
        session.flush()
        refused = calls(session, task, ana, NOON + MINUTE)
        assert isinstance(refused, NotNow) and refused.code == "cap_reached"


@pytest.mark.covers("I4")
def test_the_cap_is_the_numbers_too(database: Database) -> None:
    """A mother and her newborn on one telephone: it rings once a day."""
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        mother = admit(session, LUCIA)
        child = patients.register(session, name="Bebé", birth=None, language="es", numbers=list(LUCIA.numbers))
        calls_and_ends(session, day_three(session, mother).id, ana, "no_answer")
        refused = calls(session, day_three(session, child).id, ana)
        assert isinstance(refused, NotNow) and refused.code == "cap_reached"


@pytest.mark.covers("I4")
@pytest.mark.parametrize(
    ("result", "rings", "counts"),
    [
        ("no_answer", True, True),
        ("cancelled", True, True),  # we hung up while it rang
        ("network_failure", True, True),  # no try of the patient's, but their phone rang
        ("busy", False, False),
        ("unreachable", False, False),
        ("invalid_number", False, False),
        ("network_failure", False, False),
        ("cancelled", False, False),
    ],
)
def test_only_what_rang_counts_against_the_cap(database: Database, result: str, rings: bool, counts: bool) -> None:
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        task = day_three(session, admit(session, RUTH))
        claimed = calls(session, task.id, ana)
        assert isinstance(claimed, Claimed)
        attempts.dialling(session, claimed.attempt_id, NOON)
        if rings:
            attempts.rang(session, claimed.channel_id)
        attempts.line_ended(session, claimed.attempt_id, result, NOON, POLICY)
        again = calls(session, task.id, ana, NOON + 5 * MINUTE)
        assert isinstance(again, NotNow) == counts
        session.refresh(task)
        if counts:
            assert task.next_try_at is not None
            assert task.next_try_at.astimezone(ZONE).date() > NOON.date(), "what the nurse reads is what will be"


@pytest.mark.covers("I4")
def test_a_call_that_goes_on_counts_already(database: Database) -> None:
    with database.transaction() as session:
        ana, grace = employ(session, "ana", "nurse").id, employ(session, "grace", "nurse").id
        joao = admit(session, JOAO)
        calls(session, day_three(session, joao).id, ana)
        refused = calls(session, day_three(session, joao).id, grace)
        assert isinstance(refused, NotNow) and refused.code == "cap_reached"
        refused = calls(session, day_three(session, joao).id, grace, policy=UNCAPPED)
        assert isinstance(refused, NotNow) and refused.code == "already_in_a_call"


def test_a_merged_record_is_called_as_its_survivor(database: Database) -> None:
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        old, survivor = admit(session, RUTH), admit(session, JOAO)
        task = day_three(session, old)
        old.merged_into = survivor.id
        session.flush()
        claimed = calls(session, task.id, ana)
        assert isinstance(claimed, Claimed) and claimed.number == JOAO.numbers[0]
        assert (task.patient_id, codes(session, task.id)) == (survivor.id, ["planned", "record_merged", "called"])
        assert session.get_one(Attempt, claimed.attempt_id).patient_id == survivor.id


def test_a_merged_record_whose_survivor_has_died(database: Database) -> None:
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        old, survivor = admit(session, RUTH), admit(session, JOAO)
        task = day_three(session, old)
        old.merged_into, survivor.deceased_at = survivor.id, NOON
        session.flush()
        refused = calls(session, task.id, ana)
        assert isinstance(refused, NotNow) and refused.code == "deceased"


def test_no_such_task_and_closed_ones(database: Database) -> None:
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        task = day_three(session, admit(session, JOAO)).id
        followups.skip(session, task, "readmitted", NOON, ana)
        for which in (task, uuid4()):
            refused = calls(session, which, ana)
            assert isinstance(refused, NotNow) and refused.code == "not_open"
        assert not attempts.dialling(session, uuid4(), NOON)
        assert not attempts.line_ended(session, uuid4(), "busy", NOON, POLICY)
        assert not attempts.contact_result(session, uuid4(), "completed", NOON, POLICY)
        assert not attempts.to_review(session, uuid4(), NOON, "link_lost")
        assert not attempts.reviewed(session, uuid4(), True, NOON, ana)


@pytest.mark.covers("H14")
def test_the_numbers_are_dialled_by_rank_then_as_planned(database: Database) -> None:
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        mei = admit(session, MEI)
        task = day_three(session, mei)
        dialled = []
        for day in range(3):
            claimed = calls(session, task.id, ana, NOON + day * DAY, UNCAPPED)
            assert isinstance(claimed, Claimed)
            dialled.append(claimed.number)
            attempts.dialling(session, claimed.attempt_id, NOON + day * DAY)
            attempts.rang(session, claimed.channel_id)
            attempts.line_ended(session, claimed.attempt_id, "no_answer", NOON + day * DAY, UNCAPPED)
        assert dialled == [MEI.numbers[0], MEI.numbers[1], MEI.numbers[0]]
        session.refresh(task)
        assert (task.state, task.stop_reason, task.tries) == ("stopped", "not_reached", 3)
        mei.numbers.append(PhoneNumber(rank=3, number="+12025550199", token=patients.number_token("+12025550199")))
        refused = calls(session, task.id, ana, NOON + 9 * DAY)
        assert isinstance(refused, NotNow) and refused.code == "not_open"
