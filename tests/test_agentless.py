"""Calls without a nurse: the order of the steps, the rate, and what is left after a fault at each of them."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from dialer.agentless import Agentless
from dialer.rates import Rate
from dialer.runner import DOUBT, Dialer
from hospital import agentless, answer_rules, attempts, followups, patients, plan_changes, surveys
from hospital.answer_changes import Change
from hospital.attempts import Attempt, Claimed
from hospital.calendars import Calendar
from hospital.calling_rules import NotNow
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.patients import Patient
from tests.characters import JOAO, LUCIA, MEI
from tests.hospital_scene import POLICY, UNCAPPED, admit, clinic, day_three, employ
from tests.moments import NOON, ZONE
from tests.test_dialer import DOWN, HOTLINE, UNANSWERED, Exchange, Shelf
from tests.test_hospital_suspensions import book, suspend

pytestmark = pytest.mark.covers("I3", "I10")


class Night:
    """Lucía's and Mei's appointments are suspended, and nobody is there but the dialer."""

    def __init__(self, database: Database) -> None:
        self.database, self.exchange, self.clock, self.seconds = database, Exchange(), NOON, 0.0
        self.dialer = Dialer(
            database, self.exchange, Shelf(), POLICY, node="n1", caller_id=HOTLINE, now=lambda: self.clock,
            seconds=lambda: self.clock.timestamp(),
        )  # fmt: skip
        self.automatic = Agentless(
            self.dialer,
            kinds={"suspension"},
            most=2,
            per_second=1.0,
            seconds=lambda: self.seconds,
        )
        with database.transaction() as session:
            for slot, character in zip(clinic(session, 2), (LUCIA, MEI), strict=True):
                book(session, slot, admit(session, character).id, character.sip)
            suspend(session)

    @property
    def attempts(self) -> list[Attempt]:
        with self.database.transaction() as session:
            return list(session.scalars(select(Attempt).order_by(Attempt.claimed_at, Attempt.id)))

    def task_of(self, attempt: Attempt) -> FollowUpTask:
        with self.database.transaction() as session:
            return session.get_one(FollowUpTask, attempt.task_id)


@pytest.fixture
def night(database: Database) -> Night:
    return Night(database)


async def test_each_is_committed_then_dialled_one_a_second_so_many_at_once(night: Night) -> None:
    states: list[str] = []
    night.exchange.before = lambda order: states.append(night.attempts[0].state)
    assert await night.automatic.call_due() == 1
    assert states == ["dialling"], "in the database before Asterisk hears of it"
    assert await night.automatic.call_due() == 0, "a carrier takes one a second"
    night.seconds += 1
    assert await night.automatic.call_due() == 1
    assert night.exchange.steps == ["dial alone"] * 2 and night.exchange.languages == ["es", "zh-CN"]
    night.seconds += 5
    assert await night.automatic.call_due() == 0, "nothing is due any more"
    assert {attempt.account_id for attempt in night.attempts} == {None}


async def test_nothing_is_claimed_while_the_link_is_down(night: Night) -> None:
    night.exchange.reachable = False
    assert await night.automatic.call_due() == 0
    assert night.attempts == []


async def test_the_order_did_not_reach_asterisk_and_is_given_again(night: Night) -> None:
    night.exchange.fails["dial alone"] = DOWN
    await night.automatic.call_due()
    (attempt,) = night.attempts
    task = night.task_of(attempt)
    assert (attempt.line_result, task.state, task.tries) == ("cancelled", "open", 0)
    assert task.next_try_at == NOON + timedelta(minutes=1), "not every second for as long as it is down"
    night.exchange.fails.clear()
    night.seconds += 5
    assert await night.automatic.call_due() == 0, "and nobody else at once"
    night.clock += timedelta(seconds=1)
    assert await night.automatic.call_due() == 1
    assert night.exchange.steps == ["dial alone"] * 2


@pytest.mark.parametrize(("knows", "left"), [(False, "open"), (None, "stopped"), (True, "stopped")])
async def test_the_answer_to_the_order_got_lost(night: Night, knows: bool | None, left: str) -> None:
    night.exchange.fails["dial alone"] = UNANSWERED
    await night.automatic.call_due()
    night.exchange.up.clear()
    night.exchange.knows = knows
    (attempt,) = night.attempts
    await night.dialer.settle_doubtful()
    assert night.attempts[0].state == "dialling", "asked too soon Asterisk could not tell"
    night.clock += DOUBT
    await night.dialer.settle_doubtful()
    assert night.task_of(attempt).state == left
    assert night.exchange.steps.count("dial alone") == 1


async def test_the_core_died_between_the_claim_and_the_order(night: Night) -> None:
    """Nothing was ordered, so nothing rings: it is due again."""
    with night.database.transaction() as session:
        agentless.claim_next(session, "n1", NOON, POLICY, kinds={"suspension"}, most=2)
    await night.dialer.reconcile()
    (attempt,) = night.attempts
    assert (attempt.line_result, night.task_of(attempt).state) == ("cancelled", "open")
    assert night.exchange.steps == []


@pytest.mark.covers("I4")
async def test_the_window_closes_or_the_patient_dies_between_claim_and_order(night: Night) -> None:
    with night.database.transaction() as session:
        claimed = agentless.claim_next(session, "n1", NOON, POLICY, kinds={"suspension"}, most=2)
        assert isinstance(claimed, Claimed)
        session.get_one(Patient, session.get_one(Attempt, claimed.attempt_id).patient_id).deceased_at = NOON
    assert not await night.dialer.dial_alone(claimed.attempt_id)
    assert night.exchange.steps == []
    (attempt,) = night.attempts
    with night.database.transaction() as session:
        log = [decision.code for decision in followups.decisions(session, attempt.task_id)]
    assert log == ["planned", "called", "not_dialled", "try_again"]


def a_survey(session: Session) -> tuple[FollowUpTask, Claimed]:
    """João's questions, which the machine is to ask, are called for."""
    task = day_three(session, admit(session, JOAO))
    task.channel = agentless.CHANNEL
    session.flush()
    claimed = agentless.claim_next(session, "n1", NOON, POLICY, kinds={"follow_up"}, most=2)
    assert isinstance(claimed, Claimed)
    return task, claimed


def test_what_was_answered_otherwise_meanwhile_is_not_called_for(database: Database) -> None:
    with database.transaction() as session:
        task, claimed = a_survey(session)
        assert surveys.finish(session, task.id, NOON), "nobody talks about it yet"
        assert not attempts.dialling(session, claimed.attempt_id, NOON)
        assert attempts.not_dialled(session, claimed.attempt_id, NOON, POLICY)
        session.refresh(task)
        assert (task.state, task.stop_reason) == ("done", None)


def test_what_is_answered_otherwise_while_it_rings_is_hung_up_and_asked_nothing(database: Database) -> None:
    with database.transaction() as session:
        task, claimed = a_survey(session)
        assert attempts.dialling(session, claimed.attempt_id, NOON)
        assert surveys.finish(session, task.id, NOON)
        assert [one.id for one in plan_changes.called_off(session, NOON)] == [claimed.attempt_id]
        assert agentless.answered(session, claimed.channel_id, NOON, POLICY) is None, "it was picked up before that"
        assert attempts.line_ended(session, claimed.attempt_id, "answered", NOON, POLICY)
        session.refresh(task)
        assert (task.state, followups.decisions(session, task.id)[-1].code) == ("done", "nothing_said")


def test_what_asks_for_a_nurse_while_it_rings_is_hers(database: Database) -> None:
    with database.transaction() as session:
        task, claimed = a_survey(session)
        assert attempts.dialling(session, claimed.attempt_id, NOON)
        answer_rules.apply(session, task.id, [Change("worse", nurse=True)], NOON, Calendar(ZONE, "CO"))
        assert not surveys.finish(session, task.id, NOON)
        assert agentless.answered(session, claimed.channel_id, NOON, POLICY) is None
        assert attempts.line_ended(session, claimed.attempt_id, "answered", NOON, POLICY)
        session.refresh(task)
        assert (task.state, task.channel) == ("open", "nurse_call")


def test_what_is_talked_about_the_talk_decides(database: Database) -> None:
    with database.transaction() as session:
        task, claimed = a_survey(session)
        assert attempts.dialling(session, claimed.attempt_id, NOON)
        assert agentless.answered(session, claimed.channel_id, NOON, POLICY) is not None
        assert not surveys.finish(session, task.id, NOON)
        assert task.state == "calling"


def abandon(session: Session, patient: Patient, at: datetime) -> None:
    """They answered, and there was no nurse."""
    task, number = day_three(session, patient), patient.numbers[0]
    task.stop("not_needed", at)
    session.add(
        Attempt(
            task_id=task.id, patient_id=patient.id, number_id=number.id, number_token=number.token, pooled=True,
            channel_id=f"n1-{task.id.hex}", state="ended", rang=True, line_result="answered",
            contact_result="abandoned", claimed_at=at, dial_until=at, dialled_at=at, answered_at=at, ended_at=at,
        )
    )  # fmt: skip
    session.flush()


@pytest.mark.parametrize("kin", [False, True])
def test_who_was_abandoned_is_not_dialled_by_machine_for_three_days(database: Database, kin: bool) -> None:
    """Nor is anybody else at that number; a nurse may call."""
    before = NOON - timedelta(hours=71)
    with database.transaction() as session:
        joao = admit(session, JOAO)
        task = day_three(session, joao)
        task.channel = agentless.CHANNEL
        other = joao if not kin else patients.register(
            session, name="Ana", birth=None, language="pt-BR", numbers=list(JOAO.numbers)
        )  # fmt: skip
        abandon(session, other, before)
        refused = agentless.claim_next(session, "n1", NOON, UNCAPPED, kinds={"follow_up"}, most=2)
        assert isinstance(refused, NotNow)
        assert (refused.code, refused.not_before) == ("abandoned_lately", NOON + timedelta(hours=1))
        session.refresh(task)
        assert (task.state, task.next_try_at) == ("open", refused.not_before)
        later = NOON + timedelta(hours=1)
        claimed = agentless.claim_next(session, "n1", later, UNCAPPED, kinds={"follow_up"}, most=2)
        assert isinstance(claimed, Claimed)
        assert attempts.not_dialled(session, claimed.attempt_id, later, UNCAPPED)
        nurse = employ(session, "ana", "nurse").id
        assert isinstance(attempts.claim(session, task.id, nurse, "n1", NOON, UNCAPPED), Claimed)


async def test_that_a_clinic_is_suspended_cannot_wait(night: Night) -> None:
    with night.database.transaction() as session:
        for patient in session.scalars(select(Patient)).all():
            abandon(session, patient, NOON - timedelta(hours=1))
    assert await night.automatic.call_due() == 1


@pytest.mark.covers("I5")
async def test_who_hangs_up_without_a_word_has_a_contact_result(night: Night) -> None:
    await night.automatic.call_due()
    (attempt,) = night.attempts
    await night.dialer.leg_rang(attempt.channel_id)
    await night.dialer.leg_answered(attempt.channel_id, NOON)
    await night.dialer.leg_ended(attempt.channel_id, "answered")
    (attempt,) = night.attempts
    assert (attempt.line_result, attempt.contact_result) == ("answered", "hung_up")
    assert "hang up" not in night.exchange.steps, "there is no nurse's leg"


@pytest.mark.parametrize(("per_second", "times"), [(1.0, 10), (0.5, 5), (2.5, 20), (4.0, 40)])
def test_a_rate_is_kept_on_average_and_in_any_second(per_second: float, times: int) -> None:
    clock = [0.0]
    rate = Rate(per_second, lambda: clock[0])
    ordered = []
    for tick in range(1000):  # ten seconds
        clock[0] = tick / 100
        while rate.allows():
            rate.used()
            ordered.append(clock[0])
    assert len(ordered) == times
    within_a_second = [sum(at <= other < at + 1 for other in ordered) for at in ordered]
    assert max(within_a_second) <= max(1, per_second)
