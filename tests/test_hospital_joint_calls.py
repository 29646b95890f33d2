"""A mother and her newborn, or two plans of one patient: one call, several forms."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from hospital import attempts, followups, joint_calls, patients, plan_changes
from hospital.attempts import Claimed
from hospital.calling_rules import NotNow
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.patients import Patient, PhoneNumber
from tests.characters import LUCIA, MEI, RUTH
from tests.hospital_scene import POLICY, admit, day_three, employ
from tests.moments import NOON

pytestmark = pytest.mark.covers("H13", "I3")
HOUR = timedelta(hours=1)


class Family:
    """Lucía, her newborn without a telephone, and Ana who calls."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.transaction() as session:
            self.ana = employ(session, "ana", "nurse").id
            mother = admit(session, LUCIA)
            child = patients.register(session, name="Inés", birth=date(2026, 11, 20), language="es", numbers=[])
            child.guardian_id = mother.id
            session.flush()
            self.mother, self.child = day_three(session, mother).id, day_three(session, child).id

    def claim(self, task_id: UUID | None = None) -> Claimed:
        with self.database.transaction() as session:
            claimed = attempts.claim(session, task_id or self.mother, self.ana, "n1", NOON, POLICY)
            assert isinstance(claimed, Claimed), claimed.code
            return claimed

    def talks(self, task_id: UUID | None = None) -> UUID:
        claimed = self.claim(task_id)
        with self.database.transaction() as session:
            assert attempts.dialling(session, claimed.attempt_id, NOON)
            attempts.answered(session, claimed.channel_id, NOON)
        return claimed.attempt_id

    def ends(self, attempt_id: UUID, line: str, contact: str | None = None) -> None:
        with self.database.transaction() as session:
            attempts.line_ended(session, attempt_id, line, NOON, POLICY)
            if contact:
                assert attempts.contact_result(session, attempt_id, contact, NOON, POLICY)

    def says(
        self,
        result: str,
        attempt_id: UUID,
        task_id: UUID,
        complete: Collection[UUID] = (),
        call_at: datetime | None = None,
    ) -> None:
        with self.database.transaction() as session:
            assert attempts.contact_result(
                session, attempt_id, result, NOON, POLICY, call_at=call_at, task_id=task_id, complete=complete
            )

    @property
    def reported_dead(self) -> tuple[bool, bool]:
        with self.database.transaction() as session:
            both = [self._task(session, one).patient for one in (self.mother, self.child)]
            return both[0].death_reported_at is not None, both[1].death_reported_at is not None

    @property
    def states(self) -> tuple[str, str]:
        with self.database.transaction() as session:
            return self._task(session, self.mother).state, self._task(session, self.child).state

    def _task(self, session: Session, task_id: UUID) -> FollowUpTask:
        return session.get_one(FollowUpTask, task_id)


@pytest.fixture
def family(database: Database) -> Family:
    return Family(database)


def test_one_call_is_claimed_for_both_whichever_leads(family: Family) -> None:
    claimed = family.claim(family.child)
    assert claimed.number == LUCIA.numbers[0]
    assert family.states == ("calling", "calling")
    with family.database.transaction() as session:
        (one,) = attempts.of_task(session, family.mother)
        assert attempts.of_task(session, family.child) == [one]
        assert followups.decisions(session, family.mother)[-1].code == "called_together"
        refused = attempts.claim(session, family.mother, family.ana, "n1", NOON, POLICY)
        assert getattr(refused, "code", None) == "not_open", "she is not called twice"


def test_both_are_done_when_both_were_answered(family: Family) -> None:
    attempt_id = family.talks()
    family.ends(attempt_id, "answered")
    assert family.states == ("wrap_up", "wrap_up")
    family.says("completed", attempt_id, family.mother, complete=[family.mother, family.child])
    assert family.states == ("done", "done")


def test_one_answer_is_not_all_of_them_and_the_rest_may_be_given_afterwards(family: Family) -> None:
    attempt_id = family.talks()
    with family.database.transaction() as session:
        followups.save_answer(session, family.child, "feeding", "well", NOON, attempt_id=attempt_id)
    family.ends(attempt_id, "answered")
    family.says("completed", attempt_id, family.mother, complete=[family.mother])
    assert family.states == ("done", "open")
    family.says("completed", attempt_id, family.child, complete=[family.mother, family.child])
    assert family.states == ("done", "done")


def test_what_was_not_asked_is_not_done(family: Family) -> None:
    family.ends(family.talks(), "answered", "completed")
    assert family.states == ("done", "open")
    with family.database.transaction() as session:
        child = session.get_one(FollowUpTask, family.child)
        assert child.next_try_at is not None and child.next_try_at > NOON, "another day: once a day is the cap"


def test_nobody_answers_and_both_are_tried_again(family: Family) -> None:
    claimed = family.claim()
    with family.database.transaction() as session:
        attempts.dialling(session, claimed.attempt_id, NOON)
        attempts.rang(session, claimed.channel_id)
    family.ends(claimed.attempt_id, "no_answer")
    assert family.states == ("open", "open")
    with family.database.transaction() as session:
        both = [session.get_one(FollowUpTask, one) for one in (family.mother, family.child)]
        assert [task.tries for task in both] == [1, 1]
        assert both[0].next_try_at == both[1].next_try_at


def test_the_death_of_the_mother_is_not_the_childs(family: Family) -> None:
    family.ends(family.talks(), "answered", "deceased")
    assert family.states == ("stopped", "open")


@pytest.mark.parametrize("leads", ["mother", "child"])
@pytest.mark.parametrize("talking", [True, False])
def test_who_has_died_is_the_one_on_whose_form_it_is_said(family: Family, leads: str, talking: bool) -> None:
    attempt_id = family.talks(getattr(family, leads))
    if not talking:
        family.ends(attempt_id, "answered")
    family.says("deceased", attempt_id, family.child)
    if talking:
        family.ends(attempt_id, "answered")
    assert family.states == ("open", "stopped")
    assert family.reported_dead == (False, True)
    with family.database.transaction() as session:
        assert family._task(session, family.child).stop_reason == "reported_deceased"
        (attempt,) = attempts.of_task(session, family.mother)
        said = [joint_calls.result(session, attempt, one) for one in (family.mother, family.child)]
    assert said == ["partial", "deceased"]


def test_said_on_the_wrong_form_it_is_taken_back_there(family: Family) -> None:
    attempt_id = family.talks()
    family.says("deceased", attempt_id, family.mother)
    family.says("deceased", attempt_id, family.child)
    assert family.reported_dead == (True, True), "each form has its own result"
    family.says("completed", attempt_id, family.mother, complete=[family.mother])
    assert family.reported_dead == (False, True)
    family.ends(attempt_id, "answered")
    assert family.states == ("done", "stopped")


def test_who_is_said_to_have_died_is_called_for_neither_plan_and_one_waits_until_it_is_confirmed(
    database: Database,
) -> None:
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        mei = admit(session, MEI)
        first, second = (day_three(session, mei, due_at=NOON - n * HOUR) for n in (1, 0))
        claimed = attempts.claim(session, first.id, ana, "n1", NOON, POLICY)
        assert isinstance(claimed, Claimed)
        assert attempts.dialling(session, claimed.attempt_id, NOON)
        attempts.answered(session, claimed.channel_id, NOON)
        attempts.line_ended(session, claimed.attempt_id, "answered", NOON, POLICY)
        assert attempts.contact_result(session, claimed.attempt_id, "deceased", NOON, POLICY, task_id=second.id)
        assert (first.stop_reason, second.stop_reason) == (None, "reported_deceased")
        refused = attempts.claim(session, first.id, ana, "n1", NOON + 48 * HOUR, POLICY)
        assert isinstance(refused, NotNow) and refused.code == "death_reported"


@pytest.mark.covers("I4")
@pytest.mark.parametrize("talking", [True, False])
@pytest.mark.parametrize("first", ["mother", "child"])
def test_who_asks_for_four_is_called_then_and_who_is_done_is_done_whichever_is_said_first(
    family: Family, first: str, talking: bool
) -> None:
    attempt_id, at_four = family.talks(), NOON + 4 * HOUR
    guardian(family, suits="morning")
    if not talking:
        family.ends(attempt_id, "answered")
    for form in ("mother", "child") if first == "mother" else ("child", "mother"):
        if form == "mother":
            family.says("call_later", attempt_id, family.mother, call_at=at_four)
        else:
            family.says("completed", attempt_id, family.child, complete=[family.child])
    if talking:
        family.ends(attempt_id, "answered")
    assert family.states == ("open", "done")
    with family.database.transaction() as session:
        assert family._task(session, family.mother).next_try_at == at_four
        later = attempts.claim(session, family.mother, family.ana, "n1", at_four, POLICY)
        assert isinstance(later, Claimed), later.code


@pytest.mark.parametrize("form", ["mother", "child"])
def test_of_a_call_whose_own_plan_ended_while_it_rang_something_is_said_all_the_same(family: Family, form: str) -> None:
    """What a nurse in a stint does next goes by the call's own result."""
    claimed = family.claim()
    with family.database.transaction() as session:
        assert attempts.dialling(session, claimed.attempt_id, NOON)
        tasks = FollowUpTask.id == family.mother
        assert plan_changes.stop_tasks(session, "withdrawn", NOON, None, tasks).stopped == (family.mother,)
        attempts.answered(session, claimed.channel_id, NOON)
    family.ends(claimed.attempt_id, "answered")
    assert family.states == ("stopped", "wrap_up")
    family.says("completed", claimed.attempt_id, getattr(family, form), complete=[family.child])
    assert family.states == ("stopped", "done")
    with family.database.transaction() as session:
        assert attempts.of_task(session, family.mother)[0].contact_result is not None


def test_what_follows_from_another_form_alone_is_taken_back_with_it(family: Family) -> None:
    attempt_id = family.talks()
    family.says("call_later", attempt_id, family.child, call_at=NOON + HOUR)
    with family.database.transaction() as session:
        assert attempts.of_task(session, family.mother)[0].contact_result == "call_later"
    family.says("completed", attempt_id, family.child, complete=[family.child])
    with family.database.transaction() as session:
        (attempt,) = attempts.of_task(session, family.mother)
        assert (attempt.contact_result, attempt.call_at) == ("partial", None)


@pytest.mark.parametrize(
    ("result", "child"), [("refused", "open"), ("moved", "open"), ("wrong_person", "stopped"), ("call_later", "open")]
)
def test_what_is_said_of_the_mother_alone_ends_nothing_of_the_childs(family: Family, result: str, child: str) -> None:
    attempt_id = family.talks()
    family.ends(attempt_id, "answered")
    family.says(result, attempt_id, family.mother)
    assert family.states[1] == child, "a number that is somebody else's was both's"


def test_a_lost_link_puts_both_before_a_person(family: Family) -> None:
    claimed = family.claim()
    with family.database.transaction() as session:
        attempts.dialling(session, claimed.attempt_id, NOON)
        assert attempts.to_review(session, claimed.attempt_id, NOON, "link_lost")
    assert family.states == ("review", "review")
    with family.database.transaction() as session:
        assert attempts.reviewed(session, family.mother, False, NOON, family.ana)
    assert family.states == ("stopped", "open")


def test_who_opted_out_or_only_shares_the_number_is_not_joined(family: Family) -> None:
    with family.database.transaction() as session:
        ruth = admit(session, RUTH)
        number = PhoneNumber(rank=2, number=LUCIA.numbers[0], token=patients.number_token(LUCIA.numbers[0]))
        number.patient_id = ruth.id
        session.add(number)
        neighbour = day_three(session, ruth).id
        session.get_one(Patient, session.get_one(FollowUpTask, family.child).patient_id).opted_out = ["follow_up"]
        session.flush()
    family.claim()
    assert family.states == ("calling", "open")
    with family.database.transaction() as session:
        assert session.get_one(FollowUpTask, neighbour).state == "open"


def test_two_plans_of_one_patient_are_one_call_and_what_is_due_later_is_not(database: Database) -> None:
    with database.transaction() as session:
        ana = employ(session, "ana", "nurse").id
        mei = admit(session, MEI)
        first, second, later = (day_three(session, mei, due_at=NOON + n * HOUR) for n in (-1, 0, 1))
        assert isinstance(attempts.claim(session, first.id, ana, "n1", NOON, POLICY), Claimed)
        session.refresh(second)
        assert (second.state, later.state) == ("calling", "open")


def guardian(family: Family, **values: object) -> None:
    with family.database.transaction() as session:
        mother = session.get_one(Patient, session.get_one(FollowUpTask, family.mother).patient_id)
        for column, value in values.items():
            setattr(mother, column, value)


GONE = [{"deceased_at": NOON}, {"death_reported_at": NOON}, {"opted_out": ["follow_up"]}]


@pytest.mark.covers("I4")
@pytest.mark.parametrize("happened", GONE, ids=str)
def test_the_guardian_is_asked_again_before_it_is_dialled_for_the_child(
    family: Family, happened: dict[str, object]
) -> None:
    """Ana's phone rings, then Lucía's would: meanwhile somebody says that Lucía has died, or she wants no calls."""
    claimed = family.claim(family.child)
    guardian(family, **happened)
    with family.database.transaction() as session:
        assert not attempts.dialling(session, claimed.attempt_id, NOON)
        last = followups.decisions(session, family.child)[-1]
        because = "guardian_opted_out" if "opted_out" in happened else "guardian_deceased"
        assert (last.code, last.facts["because"]) == ("not_dialled", because)
        assert attempts.not_dialled(session, claimed.attempt_id, NOON, POLICY)
    assert family.states[1] == "open", "ours to settle; the next claim says why"


@pytest.mark.covers("I4")
@pytest.mark.parametrize("happened", GONE, ids=str)
def test_what_rings_at_the_guardians_is_called_off(family: Family, happened: dict[str, object]) -> None:
    claimed = family.claim(family.child)
    with family.database.transaction() as session:
        assert attempts.dialling(session, claimed.attempt_id, NOON)
        assert plan_changes.called_off(session, NOON) == []
    guardian(family, **happened)
    with family.database.transaction() as session:
        for _ in range(2):  # the dialer looks again until the leg has ended
            assert [one.id for one in plan_changes.called_off(session, NOON)] == [claimed.attempt_id]
        log = [row.code for row in followups.decisions(session, family.child)]
        assert log.count("called_off") == 1


@pytest.mark.covers("I4")
def test_who_opted_out_is_not_called_for_a_child_either_and_its_care_is_for_a_nurse(family: Family) -> None:
    guardian(family, opted_out=["follow_up"])
    with family.database.transaction() as session:
        refused = attempts.claim(session, family.child, family.ana, "n1", NOON, POLICY)
        assert isinstance(refused, NotNow) and refused.code == "guardian_opted_out"
        child = family._task(session, family.child)
        assert child.state == "open" and child.held_since == NOON
    guardian(family, opted_out=["survey"])
    assert family.claim().number == LUCIA.numbers[0], "of another purpose"


@pytest.mark.covers("I4")
def test_of_a_child_whose_guardian_has_died_nobody_elses_number_is_dialled(family: Family) -> None:
    guardian(family, deceased_at=NOON)
    with family.database.transaction() as session:
        refused = attempts.claim(session, family.child, family.ana, "n1", NOON, POLICY)
        assert isinstance(refused, NotNow) and refused.code == "no_usable_number"
        assert family._task(session, family.child).state == "open", "a nurse looks for who cares for the child"
