"""After the call: what the line did, whom Ana reached, what she presses, and what nobody can know."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from hospital import account_orders, agentless, attempts, followups, outcomes, plan_changes
from hospital.attempts import Attempt, Claimed
from hospital.calling_rules import CallingPolicy, NotNow
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.outcome_rules import SHIPPED, OutcomeRules, Rule
from hospital.patients import Patient, PhoneNumber
from tests.characters import JOAO, MEI, RUTH, Character
from tests.hospital_scene import POLICY, UNCAPPED, admit, at_once, day_three, employ
from tests.moments import NOON, ZONE

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


class Story:
    """Ana and one patient's task; each verb in a transaction of its own, as the rooms call them."""

    def __init__(self, database: Database, character: Character = MEI, **task: int) -> None:
        self.database = database
        with database.transaction() as session:
            self.ana = employ(session, "ana", "nurse").id
            patient = admit(session, character)
            self.patient_id, self.task_id = patient.id, day_three(session, patient, **task).id

    def dials(self, at: datetime = NOON, policy: CallingPolicy = POLICY) -> UUID:
        with self.database.transaction() as session:
            claimed = attempts.claim(session, self.task_id, self.ana, "n1", at, policy)
            assert isinstance(claimed, Claimed), claimed.code
            assert attempts.dialling(session, claimed.attempt_id, at)
            return claimed.attempt_id

    def rings(self, attempt_id: UUID) -> None:
        with self.database.transaction() as session:
            attempts.rang(session, session.get_one(Attempt, attempt_id).channel_id)

    def talks(self, at: datetime = NOON, policy: CallingPolicy = POLICY) -> UUID:
        attempt_id = self.dials(at, policy)
        with self.database.transaction() as session:
            assert attempts.answered(session, session.get_one(Attempt, attempt_id).channel_id, at)
        return attempt_id

    def line(self, attempt_id: UUID, result: str, at: datetime = NOON, policy: CallingPolicy = POLICY) -> bool:
        with self.database.transaction() as session:
            return attempts.line_ended(session, attempt_id, result, at, policy, cause=16, sip_status=200)

    def presses(self, attempt_id: UUID, result: str, at: datetime = NOON, *, call_at: datetime | None = None) -> bool:
        with self.database.transaction() as session:
            return attempts.contact_result(session, attempt_id, result, at, POLICY, call_at=call_at)

    def missed(self, result: str = "no_answer", at: datetime = NOON) -> UUID:
        """A call that rang and that nobody took."""
        attempt_id = self.dials(at)
        self.rings(attempt_id)
        assert self.line(attempt_id, result, at)
        return attempt_id

    @property
    def numbers_put_away(self) -> list[int]:
        with self.database.transaction() as session:
            numbers = session.get_one(Patient, self.patient_id).numbers
            return [number.rank for number in numbers if number.invalid_since is not None]

    @property
    def task(self) -> FollowUpTask:
        with self.database.transaction() as session:
            return session.get_one(FollowUpTask, self.task_id)

    def attempt(self, attempt_id: UUID) -> Attempt:
        with self.database.transaction() as session:
            return session.get_one(Attempt, attempt_id)

    @property
    def codes(self) -> list[str]:
        with self.database.transaction() as session:
            return [decision.code for decision in followups.decisions(session, self.task_id)]

    @property
    def patient(self) -> Patient:
        with self.database.transaction() as session:
            return session.get_one(Patient, self.patient_id)

    def number(self, rank: int) -> PhoneNumber:
        with self.database.transaction() as session:
            return session.query(PhoneNumber).filter_by(patient_id=self.patient_id, rank=rank).one()


# ── The ordinary call ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H14", "H18", "I5")
def test_joao_answers_and_ana_closes_the_task_after_the_call(database: Database) -> None:
    story = Story(database, JOAO)
    call = story.talks()
    assert story.line(call, "answered")
    assert (story.task.state, story.task.tries) == ("wrap_up", 1), "it waits for her word"
    assert story.presses(call, "completed")
    assert (story.task.state, story.task.closed_at) == ("done", NOON)
    done = story.attempt(call)
    assert (done.state, done.line_result, done.contact_result) == ("ended", "answered", "completed")
    assert (done.cause, done.sip_status) == (16, 200)
    assert story.codes == ["planned", "called", "done"]


@pytest.mark.covers("H18", "I5")
def test_pressed_while_still_talking_decides_when_the_line_ends(database: Database) -> None:
    story = Story(database, JOAO)
    call = story.talks()
    assert story.presses(call, "partial")
    assert story.task.state == "calling", "they still talk; nobody else is offered this task"
    assert story.presses(call, "completed"), "she was too quick"
    assert story.task.state == "calling"
    assert story.line(call, "answered")
    assert (story.task.state, story.task.tries) == ("done", 1)
    assert not story.line(call, "answered"), "settled once"


@pytest.mark.covers("H18")
def test_call_me_at_four_pressed_while_talking_is_kept(database: Database) -> None:
    story = Story(database)
    call = story.talks()
    story.presses(call, "call_later", call_at=local("2026-11-25 16:00"))
    story.line(call, "answered")
    assert (story.task.state, story.task.next_try_at) == ("open", local("2026-11-25 16:00"))


@pytest.mark.covers("H18")
@pytest.mark.parametrize("pressed_while_talking", [True, False])
def test_the_third_try_is_the_last_whenever_she_presses(database: Database, pressed_while_talking: bool) -> None:
    story = Story(database, tries=2)
    call = story.talks()
    if pressed_while_talking:
        story.presses(call, "partial")
        story.line(call, "answered")
    else:
        story.line(call, "answered")
        story.presses(call, "partial")
    assert (story.task.state, story.task.stop_reason, story.task.tries) == ("stopped", "partly_answered", 3)


@pytest.mark.covers("H18")
def test_who_asks_to_be_called_later_is_called_after_the_last_try_and_over_the_cap(database: Database) -> None:
    story = Story(database, tries=2)
    call = story.talks()
    story.line(call, "answered")
    story.presses(call, "call_later", call_at=local("2026-11-25 16:00"))
    assert (story.task.state, story.task.next_try_at) == ("open", local("2026-11-25 16:00"))
    story.missed(at=local("2026-11-25 16:00"))
    assert (story.task.state, story.task.stop_reason, story.task.tries) == ("stopped", "not_reached", 4)


@pytest.mark.covers("H18")
def test_hung_up_is_not_a_refusal(database: Database) -> None:
    story = Story(database)
    call = story.talks()
    story.line(call, "answered")
    story.presses(call, "hung_up")
    assert (story.task.state, story.task.next_try_at) == ("open", local("2026-11-26 18:10"))


@pytest.mark.covers("I5")
@pytest.mark.parametrize("line", ["cancelled", "network_failure", "no_answer", "busy"])
def test_an_answered_call_stays_answered_however_it_ended(database: Database, line: str) -> None:
    story = Story(database)
    call = story.talks()
    assert story.line(call, line)
    assert (story.attempt(call).line_result, story.task.state, story.task.tries) == ("answered", "wrap_up", 1)


@pytest.mark.covers("H18", "I5")
@pytest.mark.parametrize(
    ("pressed", "line", "kept", "task_is"),
    [
        (None, "machine", "machine", "open"),
        ("left_message", "machine", "machine", "open"),
        ("completed", "machine", "answered", "done"),  # the detector erred: she has spoken with him
        ("completed", "fax", "answered", "done"),
    ],
)
def test_a_nurse_who_spoke_with_somebody_knows_better_than_a_detector(
    database: Database, pressed: str | None, line: str, kept: str, task_is: str
) -> None:
    story = Story(database)
    call = story.talks()
    if pressed:
        story.presses(call, pressed)
    assert story.line(call, line)
    assert (story.attempt(call).line_result, story.task.state) == (kept, task_is)


def test_a_message_left_on_a_machine_is_noted_afterwards_too(database: Database) -> None:
    story = Story(database)
    call = story.talks()
    story.line(call, "machine")
    assert not story.presses(call, "completed")
    assert story.presses(call, "left_message")
    assert (story.attempt(call).contact_result, story.task.state, story.task.tries) == ("left_message", "open", 1)


# ── Nobody answered ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H14", "H18")
def test_mei_is_busy_then_out_then_not_reached(database: Database) -> None:
    story = Story(database)
    first = story.dials()
    assert story.line(first, "busy")
    task = story.task
    assert (task.tries, task.next_try_at, task.next_number_rank) == (1, NOON + 30 * MINUTE, 1)
    story.missed(at=NOON + 30 * MINUTE)
    task = story.task
    assert (task.tries, task.next_try_at, task.next_number_rank) == (2, local("2026-11-26 18:10"), 2)
    with database.transaction() as session:
        said = followups.decisions(session, story.task_id)[-1]
    assert said.code == "try_again"
    assert said.facts == {
        "because": "no_answer",
        "when": "2026-11-26T23:10:00+00:00",
        "rank": 2,
        "tries": 2,
        "of": 3,
    }
    story.missed(at=local("2026-11-26 18:10"))
    assert (story.task.state, story.task.stop_reason) == ("stopped", "not_reached")
    assert not story.presses(first, "completed"), "nobody answered that one"


@pytest.mark.covers("H18")
def test_our_trunk_fails_ten_times_and_costs_mei_nothing(database: Database) -> None:
    story = Story(database)
    at, waited = NOON, []
    for _ in range(10):
        story.line(story.dials(at), "network_failure", at)
        assert story.task.next_try_at is not None
        waited.append((story.task.next_try_at - at) // MINUTE)
        at += 10 * MINUTE
    assert (story.task.state, story.task.tries) == ("open", 0)
    assert waited == [10, 20, 40] + [60] * 7, "an hour after the line is mended she is called"


BY_THE_HOUSE = replace(
    POLICY,
    outcomes=OutcomeRules(
        SHIPPED.line | {"no_answer": Rule("nurse"), "unreachable": Rule("same_number", 2 * 60 * MINUTE)},
        SHIPPED.contact | {"moved": Rule("other_number", 5 * MINUTE, puts_number_away=True)},
        most_dials=4,
    ),
)


@pytest.mark.covers("H14", "H18")
def test_the_houses_own_rules_decide(database: Database) -> None:
    story = Story(database, JOAO, max_tries=9)
    attempt = story.talks(policy=BY_THE_HOUSE)
    story.line(attempt, "answered", policy=BY_THE_HOUSE)
    with database.transaction() as session:
        attempts.contact_result(session, attempt, "moved", NOON, BY_THE_HOUSE)
    assert (story.task.state, story.task.next_number_rank) == ("open", 2)
    assert story.numbers_put_away == [1]
    story.presses(attempt, "hung_up")  # she pressed the wrong key
    assert story.numbers_put_away == []


@pytest.mark.covers("H18")
def test_a_phone_that_is_always_off_is_not_called_for_ever(database: Database) -> None:
    story = Story(database, max_tries=9)
    at = NOON
    for dials in range(1, 5):
        story.line(story.dials(at, BY_THE_HOUSE), "unreachable", at, BY_THE_HOUSE)
        assert (story.task.state, story.task.tries) == ("open" if dials < 4 else "stopped", 0)
        at += 5 * MINUTE
    assert story.task.stop_reason == "not_reached"


@pytest.mark.covers("H18")
def test_a_number_that_fails_while_others_are_reached_is_not_called_for_ever(database: Database) -> None:
    """As with a carrier that refuses one destination; where nobody is reached, it is the line, and has no end."""
    with database.transaction() as session:
        task, grace = day_three(session, admit(session, RUTH)), employ(session, "grace", "supervisor")
        ruths = attempts.claim(session, task.id, grace.id, "n1", NOON, POLICY)
        assert isinstance(ruths, Claimed) and attempts.dialling(session, ruths.attempt_id, NOON)
        session.get_one(Attempt, ruths.attempt_id).caller_id = "+5716000600"
        attempts.rang(session, ruths.channel_id)
    story, next_numbers = Story(database), []
    for n in range(4):
        at = NOON + n * 10 * MINUTE
        story.line(story.dials(at, BY_THE_HOUSE), "network_failure", at, BY_THE_HOUSE)
        next_numbers.append(story.task.next_number_rank)
    assert next_numbers[:3] == [1, 1, 2]
    assert (story.task.state, story.task.stop_reason, story.task.tries) == ("stopped", "not_reached", 0)


@pytest.mark.covers("H18")
def test_who_picks_up_and_finds_nobody_is_not_called_for_ever(database: Database) -> None:
    story = Story(database, max_tries=2)
    at = NOON
    for dials in range(1, 5):
        attempt_id = story.dials(at, BY_THE_HOUSE)
        with database.transaction() as session:
            attempts.abandoned(session, session.get_one(Attempt, attempt_id).channel_id, at, BY_THE_HOUSE)
        story.line(attempt_id, "answered", at, BY_THE_HOUSE)
        assert (story.task.state, story.task.tries) == ("open" if dials < 4 else "stopped", 0), "no try of theirs"
        at = story.task.next_try_at or at
        at += 7 * DAY  # the cap
    assert story.task.stop_reason == "not_reached"


@pytest.mark.covers("H18")
def test_a_nurse_takes_over_from_the_machine(database: Database) -> None:
    story = Story(database)
    with database.transaction() as session:
        task = session.get_one(FollowUpTask, story.task_id)
        task.channel, task.fallback = "automated_call", ["sms", "nurse_call"]
    with database.transaction() as session:
        claimed = agentless.claim_next(session, "n1", NOON, POLICY, kinds=["follow_up"], most=1)
        assert isinstance(claimed, Claimed)
        assert attempts.dialling(session, claimed.attempt_id, NOON)
    story.rings(claimed.attempt_id)
    assert story.line(claimed.attempt_id, "no_answer", policy=BY_THE_HOUSE)
    task = story.task
    assert (task.state, task.channel, task.fallback, task.tries) == ("open", "nurse_call", ["sms"], 0)
    with database.transaction() as session:
        assert [row.code for row in followups.decisions(session, story.task_id)][-1] == "to_nurse"


@pytest.mark.covers("H18")
def test_every_result_moves_the_task_as_the_schema_allows(database: Database) -> None:
    """Each line result, and each contact result, pressed after the call: the task ends up where its constraints let
    it, and the next claim finds it there."""
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
    todo = [(line, None) for line in sorted(outcomes.LINE_RESULTS)]
    todo += [("answered", contact) for contact in sorted(outcomes.CONTACT_RESULTS)]
    for line, contact in todo:
        with database.transaction() as session:
            task = day_three(session, admit(session, JOAO))
            claimed = attempts.claim(session, task.id, ana, "n1", NOON, UNCAPPED)
            assert isinstance(claimed, Claimed)
            attempts.dialling(session, claimed.attempt_id, NOON)
            if line == "answered":
                attempts.answered(session, claimed.channel_id, NOON)
            assert attempts.line_ended(session, claimed.attempt_id, line, NOON, UNCAPPED)
            if contact:
                assert attempts.contact_result(session, claimed.attempt_id, contact, NOON, UNCAPPED)
        expected = "wrap_up" if line == "answered" and not contact else "open"
        expected = {"completed": "done", "refused": "stopped", "moved": "stopped", "deceased": "stopped"}.get(
            contact or "", expected
        )
        assert task.state == expected, (line, contact)


# ── Numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H18")
def test_a_number_is_invalid_after_two_attempts_a_day_apart(database: Database) -> None:
    story = Story(database, RUTH, max_tries=9)
    for at in (NOON, NOON + 5 * MINUTE, NOON + DAY - MINUTE):
        story.line(story.dials(at), "invalid_number", at)
        assert story.number(1).invalid_since is None, "carriers err"
    story.line(story.dials(NOON + DAY), "invalid_number", NOON + DAY)
    assert story.number(1).invalid_since == NOON + DAY
    assert (story.task.state, story.task.stop_reason) == ("stopped", "no_usable_number")


@pytest.mark.covers("H18")
def test_a_number_that_rang_in_between_is_a_good_one(database: Database) -> None:
    story = Story(database, RUTH, max_tries=9)
    story.line(story.dials(NOON), "invalid_number", NOON)
    story.missed(at=NOON + DAY)
    story.line(story.dials(NOON + 2 * DAY), "invalid_number", NOON + 2 * DAY)
    assert story.number(1).invalid_since is None
    story.line(story.dials(NOON + 3 * DAY), "invalid_number", NOON + 3 * DAY)
    assert story.number(1).invalid_since == NOON + 3 * DAY


@pytest.mark.covers("H14", "H18")
def test_a_stranger_answers_and_the_second_number_is_called_the_same_day(database: Database) -> None:
    story = Story(database)
    call = story.talks()
    story.line(call, "answered")
    assert story.presses(call, "wrong_person")
    assert story.number(1).invalid_since == NOON, "a human said so: once is enough"
    task = story.task
    assert (task.state, task.next_number_rank, task.next_try_at) == ("open", 2, NOON + 5 * MINUTE)
    second = story.talks(NOON + 5 * MINUTE)
    assert story.attempt(second).number_id == story.number(2).id


@pytest.mark.covers("H18")
def test_wrong_person_was_the_wrong_key(database: Database) -> None:
    story = Story(database)
    call = story.talks()
    story.line(call, "answered")
    story.presses(call, "wrong_person")
    assert story.presses(call, "completed", NOON + MINUTE)
    assert story.number(1).invalid_since is None
    assert story.task.state == "done"


# ── Corrections ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H18")
def test_deceased_was_the_wrong_key(database: Database) -> None:
    story = Story(database)
    call = story.talks()
    story.line(call, "answered")
    assert story.presses(call, "deceased")
    assert (story.task.state, story.task.stop_reason) == ("stopped", "reported_deceased")
    assert (story.patient.death_reported_at, story.patient.deceased_at) == (NOON, None), "a clinician confirms"
    assert story.presses(call, "call_later", call_at=local("2026-11-25 17:00"))
    assert story.patient.death_reported_at is None
    assert (story.task.state, story.task.stop_reason, story.task.closed_at) == ("open", None, None)
    assert story.task.next_try_at == local("2026-11-25 17:00")
    assert story.codes[-4:] == ["deceased_to_be_confirmed", "stopped", "death_report_withdrawn", "try_again"]


@pytest.mark.covers("I4")
def test_another_task_of_a_patient_who_is_said_to_have_died_is_not_called(database: Database) -> None:
    story = Story(database)
    call = story.talks()
    story.presses(call, "deceased")
    story.line(call, "answered")
    with database.transaction() as session:
        other = day_three(session, session.get_one(Patient, story.patient_id)).id
        refused = attempts.claim(session, other, story.ana, "n1", NOON + 9 * DAY, UNCAPPED)
        assert isinstance(refused, NotNow) and refused.code == "death_reported"


@pytest.mark.covers("H18")
def test_who_is_said_to_have_died_is_looked_at_once_a_day_and_is_due_when_it_is_taken_back(database: Database) -> None:
    story = Story(database)
    with database.transaction() as session:
        session.get_one(FollowUpTask, story.task_id).channel = "automated_call"
        session.get_one(Patient, story.patient_id).death_reported_at = NOON

    def looks(at: datetime) -> Claimed | NotNow | None:
        with database.transaction() as session:
            return agentless.claim_next(session, "n1", at, POLICY, kinds=["follow_up"], most=1)

    for minutes in range(0, 60, 5):
        looks(NOON + minutes * MINUTE)
    assert story.codes.count("death_reported") == 1
    assert isinstance(looks(NOON + DAY), NotNow)
    with database.transaction() as session:
        assert plan_changes.settle_death(session, story.patient_id, False, NOON + DAY + MINUTE)
    assert isinstance(looks(NOON + DAY + MINUTE), Claimed)


@pytest.mark.covers("H18")
def test_a_second_press_corrects_the_first_until_it_is_called_again(database: Database) -> None:
    story = Story(database)
    call = story.talks()
    story.line(call, "answered")
    assert story.presses(call, "hung_up")
    assert story.presses(call, "hung_up"), "the same again changes nothing"
    assert story.codes.count("try_again") == 1
    assert story.presses(call, "moved")
    assert story.task.state == "stopped"
    assert story.presses(call, "hung_up")
    assert story.task.state == "open"
    story.missed(at=NOON + DAY)
    assert not story.presses(call, "completed"), "that was the call before"


@pytest.mark.covers("H18")
def test_done_is_done_and_skipped_is_skipped(database: Database) -> None:
    story = Story(database)
    call = story.talks()
    story.line(call, "answered")
    story.presses(call, "completed")
    assert story.presses(call, "completed")
    assert not story.presses(call, "moved")
    assert story.task.state == "done"


@pytest.mark.covers("H18")
def test_a_skipped_task_is_not_opened_by_a_late_press(database: Database) -> None:
    story = Story(database)
    call = story.talks()
    story.line(call, "answered")
    story.presses(call, "hung_up")
    with database.transaction() as session:
        assert followups.skip(session, story.task_id, "readmitted", NOON, story.ana)
    assert not story.presses(call, "partial")
    assert (story.task.state, story.task.stop_reason) == ("stopped", "readmitted")


def test_a_word_that_is_no_result_is_refused(database: Database) -> None:
    story = Story(database)
    call = story.talks()
    with pytest.raises(ValueError, match="no contact result"):
        story.presses(call, "answered")
    assert not story.presses(story_dialling(story), "completed"), "nobody has answered yet"


def story_dialling(story: Story) -> UUID:
    """Another patient's call of another nurse, which is still ringing."""
    with story.database.transaction() as session:
        grace = employ(session, "grace", "nurse").id
        claimed = attempts.claim(session, day_three(session, admit(session, RUTH)).id, grace, "n1", NOON, POLICY)
        assert isinstance(claimed, Claimed)
        attempts.dialling(session, claimed.attempt_id, NOON)
        return claimed.attempt_id


# ── Nobody can know ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("I3", "I4", "I10")
def test_the_link_was_lost_with_the_order_to_dial_in_flight(database: Database) -> None:
    story = Story(database)
    call = story.dials()
    with database.transaction() as session:
        assert attempts.to_review(session, call, NOON, "link_lost")
        assert not attempts.to_review(session, call, NOON, "link_lost")
        assert attempts.live(session) == [], "it blocks nobody"
    assert (story.task.state, story.task.tries, story.attempt(call).rang) == ("review", 1, True)
    with database.transaction() as session:
        again = attempts.claim(session, story.task_id, story.ana, "n1", NOON + 9 * DAY, UNCAPPED)
        assert isinstance(again, NotNow) and again.code == "not_open", "never redialled blindly"
        other = day_three(session, session.get_one(Patient, story.patient_id)).id
        counted = attempts.claim(session, other, story.ana, "n1", NOON, POLICY)
        assert isinstance(counted, NotNow) and counted.code == "cap_reached", "it may have rung"
        assert attempts.reviewed(session, story.task_id, True, NOON, story.ana)
        assert not attempts.reviewed(session, story.task_id, True, NOON, story.ana)
    assert (story.task.state, story.attempt(call).line_result) == ("open", "cancelled")
    with database.transaction() as session:
        counted = attempts.claim(session, story.task_id, story.ana, "n1", NOON + MINUTE, POLICY)
        assert isinstance(counted, NotNow) and counted.code == "cap_reached"


@pytest.mark.covers("I3")
def test_reviewed_and_not_needed(database: Database) -> None:
    story = Story(database)
    call = story.talks()
    with database.transaction() as session:
        attempts.to_review(session, call, NOON, "link_lost")
        assert attempts.reviewed(session, story.task_id, False, NOON, story.ana)
    assert (story.task.state, story.task.stop_reason) == ("stopped", "not_needed")
    assert story.attempt(call).line_result == "answered"
    assert not story.line(call, "no_answer"), "a person has settled it"
    assert story.task.state == "stopped"


@pytest.mark.covers("I3")
def test_asterisks_own_record_settles_it_and_it_counts_once(database: Database) -> None:
    story = Story(database)
    call = story.dials()
    with database.transaction() as session:
        attempts.to_review(session, call, NOON, "link_lost")
    assert story.line(call, "no_answer", NOON + MINUTE)
    assert (story.task.state, story.task.tries) == ("open", 1)


@pytest.mark.covers("I3", "I5")
def test_ana_spoke_with_him_and_says_so(database: Database) -> None:
    """The link broke in the middle of the talk; her phone did not."""
    story = Story(database, JOAO)
    call = story.talks()
    with database.transaction() as session:
        attempts.to_review(session, call, NOON, "link_lost")
    assert story.presses(call, "completed", NOON + MINUTE)
    ended = story.attempt(call)
    assert (ended.state, ended.line_result, ended.contact_result) == ("ended", "answered", "completed")
    assert (story.task.state, story.task.tries) == ("done", 1)
    assert not story.line(call, "network_failure")


@pytest.mark.covers("I10")
def test_a_task_that_was_skipped_in_review_stays_skipped(database: Database) -> None:
    story = Story(database)
    call = story.dials()
    with database.transaction() as session:
        attempts.to_review(session, call, NOON, "link_lost")
        assert followups.skip(session, story.task_id, "in_hospital", NOON, story.ana)
    assert story.attempt(call).state == "ended"
    assert not story.line(call, "no_answer")
    assert story.task.state == "stopped"


def test_a_task_that_was_closed_while_it_rang_stays_closed(database: Database) -> None:
    """By the hospital's own system, which knows that she was readmitted."""
    story = Story(database)
    call = story.dials()
    with database.transaction() as session:
        task = session.get_one(FollowUpTask, story.task_id)
        task.state, task.stop_reason, task.closed_at = "stopped", "readmitted", NOON
    assert story.line(call, "no_answer")
    assert (story.task.state, story.attempt(call).state) == ("stopped", "ended")


GOES = {
    "closed": partial(account_orders.close, by=None, at=NOON),
    "another role": partial(account_orders.give_role, role="agent", by=None, at=NOON),
}
"""How Ana comes to call nobody any more."""


@pytest.mark.covers("H16", "H51")
@pytest.mark.parametrize("how", GOES)
@pytest.mark.parametrize("while_they_talk", [True, False])
def test_a_nurse_who_goes_leaves_what_she_has_not_said_to_a_person(
    database: Database, how: str, while_they_talk: bool
) -> None:
    story = Story(database, JOAO)
    call = story.talks()
    for step in [GOES[how], None] if while_they_talk else [None, GOES[how]]:
        if step is None:
            story.line(call, "answered")
            continue
        with database.transaction() as session:
            assert step(session, story.ana)
    assert (story.task.state, story.task.owner_id, story.codes[-1]) == ("review", None, "nurse_gone")
    with database.transaction() as session:
        grace = employ(session, "grace", "supervisor").id
        assert attempts.reviewed(session, story.task_id, True, NOON, grace)
    assert story.task.state == "open"


def test_a_nurse_of_another_role_that_calls_writes_up_what_is_hers(database: Database) -> None:
    story = Story(database, JOAO)
    story.line(story.talks(), "answered")
    with database.transaction() as session:
        assert account_orders.give_role(session, story.ana, "supervisor", None, NOON)
    assert story.task.state == "wrap_up"


@pytest.mark.covers("H20")
@pytest.mark.parametrize(("later", "left"), [(MINUTE, "wrap_up"), (3 * HOUR, "stopped")])
def test_a_plan_that_ends_waits_for_a_write_up_and_not_for_ever(
    database: Database, later: timedelta, left: str
) -> None:
    story = Story(database, JOAO)
    story.line(story.talks(), "answered")
    with database.transaction() as session:
        plan_changes.died(session, story.patient_id, NOON + later)
    assert story.task.state == left
    with database.transaction() as session:
        account_orders.close(session, story.ana, None, NOON + later)
    assert (story.task.state, story.task.stop_reason) == ("stopped", "died"), "and not for who has gone"


@pytest.mark.covers("I5", "I10")
def test_the_line_ends_while_ana_presses(database: Database) -> None:
    """Whichever comes first: the task is done, the attempt counted once."""
    for n in range(12):
        with database.transaction() as session:
            nurse = employ(session, f"nurse{n}", "nurse").id
            task = day_three(session, admit(session, JOAO)).id
            claimed = attempts.claim(session, task, nurse, "n1", NOON, UNCAPPED)
            assert isinstance(claimed, Claimed)
            attempts.dialling(session, claimed.attempt_id, NOON)
            attempts.answered(session, claimed.channel_id, NOON)
        ended = at_once(
            database,
            partial(
                attempts.line_ended, attempt_id=claimed.attempt_id, line_result="answered", at=NOON, policy=UNCAPPED
            ),
            partial(
                attempts.contact_result, attempt_id=claimed.attempt_id, result="completed", at=NOON, policy=UNCAPPED
            ),
            partial(
                attempts.line_ended, attempt_id=claimed.attempt_id, line_result="answered", at=NOON, policy=UNCAPPED
            ),
        )
        assert ended[1] is True and sorted(map(str, (ended[0], ended[2]))) == ["False", "True"], ended
        with database.transaction() as session:
            row = session.get_one(FollowUpTask, task)
            assert (row.state, row.tries) == ("done", 1)


def reviewing(session: Session, task_id: UUID, nurse: UUID) -> bool:
    return attempts.reviewed(session, task_id, True, NOON, nurse)


@pytest.mark.covers("I10")
def test_a_person_and_the_records_settle_at_the_same_moment(database: Database) -> None:
    for n in range(12):
        with database.transaction() as session:
            nurse = employ(session, f"nurse{n}", "nurse").id
            task = day_three(session, admit(session, JOAO)).id
            claimed = attempts.claim(session, task, nurse, "n1", NOON, UNCAPPED)
            assert isinstance(claimed, Claimed)
            attempts.dialling(session, claimed.attempt_id, NOON)
            attempts.to_review(session, claimed.attempt_id, NOON, "link_lost")
        results = at_once(
            database,
            partial(reviewing, task_id=task, nurse=nurse),
            partial(
                attempts.line_ended, attempt_id=claimed.attempt_id, line_result="no_answer", at=NOON, policy=UNCAPPED
            ),
        )
        assert sorted(map(str, results)) == ["False", "True"], results
