"""Predictive calls: how many lines, who is given to whom, who is abandoned, and what is left after a fault."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from dialer.predictive import Predictive, tally, wanted
from dialer.progressive import Progressive
from dialer.runner import Dialer
from hospital import account_orders, attempts, campaigns, patients, pooled, questionnaires, stints
from hospital.attempts import Attempt
from hospital.campaigns import Wanted
from hospital.database import Database
from hospital.followups import FollowUpTask, plan
from hospital.patients import Patient
from hospital.stints import Stint
from tests.hospital_scene import UNCAPPED, employ
from tests.moments import NOON
from tests.test_dialer import DOWN, HOTLINE, UNANSWERED, Exchange, Shelf

pytestmark = pytest.mark.covers("I3", "I4")
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
NURSES = 3


class Survey:
    """`patients` surveys that are due in a predictive campaign, and three nurses."""

    def __init__(self, database: Database, patients_due: int = 60) -> None:
        self.database, self.exchange, self.clock = database, Exchange(), NOON
        self.dialer = Dialer(
            database, self.exchange, Shelf(), UNCAPPED, node="n1", caller_id=HOTLINE, now=lambda: self.clock,
            seconds=lambda: self.clock.timestamp(),
        )  # fmt: skip
        self.predictive, self.progressive = Predictive(self.dialer), Progressive(self.dialer)
        with database.transaction() as session:
            self.grace = employ(session, "grace", "supervisor").id
            self.nurses = [employ(session, f"nurse{n}", "nurse").id for n in range(NURSES)]
            made = campaigns.create(session, Wanted("Survey", "predictive", purpose="survey"), self.grace, NOON)
            campaigns.order(session, made.id, "start", self.grace, NOON)
            self.campaign = made.id
            form = questionnaires.publish(session, "satisfaction", {"purpose": "survey", "items": []}, "s1", NOON)
            for n in range(patients_due):
                who = patients.register(
                    session, name="Ana", birth=None, language="es", numbers=[f"+57301555{n:04d}"], sex="female"
                )
                plan(session, patient_id=who.id, questionnaire_id=form.id, reason="survey", due_at=NOON - HOUR)

    async def join(self, account_id: UUID) -> Stint:
        await self.progressive.join(account_id, self.campaign)
        stint = self.stint(account_id)
        await self.answers(stint.channel_id)
        return self.stint(account_id)

    def stint(self, account_id: UUID) -> Stint:
        with self.database.transaction() as session:
            found = stints.current_stint(session, account_id)
            assert found is not None
            return found

    async def answers(self, channel_id: str) -> None:
        """As `hotline/dialer_work.py` tells it."""
        self.exchange.up[channel_id] = True
        await self.dialer.leg_answered(channel_id, self.clock)
        await self.predictive.join_waiting()
        await self.progressive.leg_answered(channel_id)

    async def ends(self, channel_id: str, line_result: str = "answered") -> None:
        self.exchange.up.pop(channel_id, None)
        await self.dialer.leg_ended(channel_id, line_result)
        await self.progressive.leg_ended(channel_id)
        await self.predictive.join_waiting()

    def calls(self, *states: str) -> list[Attempt]:
        with self.database.transaction() as session:
            rows = select(Attempt).order_by(Attempt.dialled_at, Attempt.id)
            return [one for one in session.scalars(rows) if not states or one.state in states]

    def floor(self) -> pooled.Floor:
        with self.database.transaction() as session:
            (found,) = pooled.floors(session, self.clock)
            return found

    def answered_so_far(self, count: int, abandoned: int = 0) -> None:
        """Calls of the last hours, of patients who are in none of the others: half of the lines were answered."""
        with self.database.transaction() as session:
            tasks = list(session.scalars(select(FollowUpTask).where(FollowUpTask.state == "open").limit(2 * count)))
            for n, task in enumerate(tasks):
                answered = n % 2 == 0
                at = NOON - HOUR + n * SECOND
                left = answered and n // 2 < abandoned
                number = session.get_one(Patient, task.patient_id).numbers[0]
                session.add(
                    Attempt(
                        task_id=task.id, patient_id=task.patient_id, number_id=number.id, number_token=number.token,
                        campaign_id=self.campaign, pooled=True, channel_id=f"n1-before-{n}", state="ended", rang=True,
                        account_id=self.nurses[0] if answered and not left else None,
                        nurse_channel_id=f"n1-hers-{n}" if answered and not left else None,
                        line_result="answered" if answered else "no_answer",
                        contact_result=("abandoned" if left else "completed") if answered else None,
                        claimed_at=at, dial_until=NOON + HOUR, zone="America/Bogota", dialled_at=at,
                        answered_at=at + 10 * SECOND if answered else None,
                        ended_at=at + (100 if answered else 10) * SECOND,
                    )
                )  # fmt: skip
                task.state, task.closed_at = "done", at


@pytest.fixture
def survey(database: Database) -> Survey:
    return Survey(database)


async def test_nobody_is_dialled_without_a_nurse_and_a_day_begins_progressively(survey: Survey) -> None:
    assert await survey.predictive.call_due() == 0
    for nurse in survey.nurses[:2]:
        await survey.join(nurse)
    assert survey.exchange.steps.count("dial") == 0, "predictive campaigns are no progressive ones"
    assert await survey.predictive.call_due() == 2, "nothing is known yet: a line for each nurse"
    assert await survey.predictive.call_due() == 0
    assert {(call.account_id, call.pooled, call.state) for call in survey.calls()} == {(None, True, "dialling")}


async def test_an_order_that_is_not_taken_does_not_cost_the_next_in_the_list(survey: Survey) -> None:
    """Each would be put off. It is tried again after a second, then after two …, and as always once one is taken."""
    for nurse in survey.nurses:
        await survey.join(nurse)
    survey.exchange.fails["dial pooled"] = DOWN
    tried = []
    for _ in range(20):
        assert await survey.predictive.call_due() == 0
        tried.append(len(survey.calls("ended")))
        survey.clock += SECOND
    assert [tried.index(n) for n in range(1, 6)] == [0, 1, 3, 7, 15]
    assert tried[-1] == 5
    survey.exchange.fails.clear()
    survey.clock += 15 * SECOND
    assert await survey.predictive.call_due() == NURSES
    assert survey.exchange.steps[-NURSES:] == ["dial pooled"] * NURSES


async def test_with_an_allowance_more_lines_ring_than_nurses_are_free(database: Database) -> None:
    survey = Survey(database, 400)
    survey.answered_so_far(150)
    for nurse in survey.nurses:
        await survey.join(nurse)
    floor = survey.floor()
    assert (tally(floor).answered, tally(floor).abandoned, tally(floor).talks) == (150, 0, 150)
    assert 0.4 < tally(floor).answer_rate < 0.6
    dialled = await survey.predictive.call_due()
    assert dialled == wanted(floor).dial > NURSES


async def test_with_the_allowance_used_up_it_is_progressive(database: Database) -> None:
    survey = Survey(database, 400)
    survey.answered_so_far(150, abandoned=5)
    for nurse in survey.nurses:
        await survey.join(nurse)
    assert wanted(survey.floor()).why == "ceiling_near"
    assert await survey.predictive.call_due() == NURSES


async def test_who_answers_is_given_to_the_nurse_who_waited_longest(survey: Survey) -> None:
    first = await survey.join(survey.nurses[0])
    survey.clock += SECOND
    await survey.join(survey.nurses[1])
    await survey.predictive.call_due()
    call = survey.calls()[0]
    await survey.answers(call.channel_id)
    assert survey.exchange.orders[-1] == ("join", f"{call.channel_id} {first.channel_id}")
    call = next(one for one in survey.calls() if one.id == call.id)
    assert (call.account_id, call.stint_id, call.nurse_channel_id) == (survey.nurses[0], first.id, first.channel_id)
    with survey.database.transaction() as session:
        assert stints.now(session, first, survey.clock).code == "talking"
        assert session.get_one(FollowUpTask, call.task_id).owner_id == survey.nurses[0]
    await survey.ends(call.channel_id)
    with survey.database.transaction() as session:
        assert session.get_one(FollowUpTask, call.task_id).state == "wrap_up", "hers to be written up"


@pytest.mark.covers("I5")
async def test_who_finds_nobody_is_abandoned_and_not_dialled_by_machine_for_three_days(database: Database) -> None:
    survey = Survey(database, 2)
    await survey.join(survey.nurses[0])
    await survey.join(survey.nurses[1])
    await survey.predictive.call_due()
    first, second = survey.calls()
    await survey.ends(survey.stint(survey.nurses[1]).channel_id)  # she has gone meanwhile
    await survey.answers(first.channel_id)
    await survey.answers(second.channel_id)
    assert survey.exchange.steps.count("join") == 1
    survey.clock += 2 * SECOND
    await survey.dialer.nobody_there(second.channel_id, survey.clock)
    await survey.ends(second.channel_id)
    (left,) = [one for one in survey.calls("ended") if one.contact_result == "abandoned"]
    assert (left.line_result, left.account_id) == ("answered", None)
    assert (tally(survey.floor()).answered, tally(survey.floor()).abandoned) == (2, 1)
    with database.transaction() as session:
        attempts.contact_result(session, first.id, "refused", survey.clock, UNCAPPED)
        stints.ready(session, survey.nurses[0])
    await survey.ends(first.channel_id)
    survey.clock += timedelta(hours=71)
    assert await survey.predictive.call_due() == 0
    survey.clock += timedelta(hours=2)
    assert await survey.predictive.call_due() == 1


async def test_a_nurse_who_becomes_free_in_time_takes_who_waits(survey: Survey) -> None:
    stint = await survey.join(survey.nurses[0])
    await survey.join(survey.nurses[1])
    await survey.predictive.call_due()
    first, second = survey.calls()
    await survey.ends(survey.stint(survey.nurses[1]).channel_id)
    await survey.answers(first.channel_id)
    await survey.answers(second.channel_id)
    survey.clock += SECOND
    with survey.database.transaction() as session:
        attempts.contact_result(session, first.id, "refused", survey.clock, UNCAPPED)
        stints.ready(session, survey.nurses[0])
    await survey.ends(first.channel_id)
    with survey.database.transaction() as session:
        stints.ready(session, survey.nurses[0])
    await survey.predictive.join_waiting()
    assert survey.exchange.orders[-1] == ("join", f"{second.channel_id} {stint.channel_id}")


async def test_it_is_not_tried_when_it_would_come_too_late(survey: Survey) -> None:
    await survey.join(survey.nurses[0])
    await survey.predictive.call_due()
    (call,) = survey.calls()
    survey.exchange.up[call.channel_id] = True
    await survey.dialer.leg_answered(call.channel_id, survey.clock)
    survey.clock += pooled.IN_TIME
    assert await survey.predictive.join_waiting() == 0, "Asterisk is about to say who called"


@pytest.mark.covers("I10")
@pytest.mark.parametrize("fault", [DOWN, UNANSWERED, LookupError("gone")])
async def test_the_order_to_join_is_lost_and_the_patient_hears_who_called(survey: Survey, fault: Exception) -> None:
    await survey.join(survey.nurses[0])
    await survey.predictive.call_due()
    (call,) = survey.calls()
    survey.exchange.fails["join"] = fault
    await survey.answers(call.channel_id)
    await survey.dialer.nobody_there(call.channel_id, survey.clock + 2 * SECOND)
    await survey.ends(call.channel_id)
    (call,) = survey.calls()
    assert (call.line_result, call.contact_result) == ("answered", "abandoned")
    with survey.database.transaction() as session:
        assert stints.now(session, survey.stint(survey.nurses[0]), survey.clock).code == "free"


async def test_what_rings_when_the_last_nurse_has_gone_is_hung_up(survey: Survey) -> None:
    stint = await survey.join(survey.nurses[0])
    await survey.predictive.call_due()
    (call,) = survey.calls()
    await survey.ends(stint.channel_id)
    await survey.predictive.call_due()
    assert survey.exchange.orders[-1] == ("hang up", call.channel_id)
    await survey.ends(call.channel_id, "cancelled")
    with survey.database.transaction() as session:
        assert session.get_one(FollowUpTask, call.task_id).state == "open"


async def test_what_rings_when_the_last_nurse_pauses_is_hung_up(survey: Survey) -> None:
    await survey.join(survey.nurses[0])
    await survey.progressive.join(survey.nurses[1], survey.campaign)  # her phone rings, and she may never pick up
    await survey.predictive.call_due()
    (call,) = survey.calls()
    with survey.database.transaction() as session:
        stints.pause(session, survey.nurses[0], True)
    await survey.predictive.call_due()
    assert survey.exchange.orders[-1] == ("hang up", call.channel_id)


@pytest.mark.parametrize("order", ["closed", "of another role"])
async def test_an_account_that_takes_no_calls_any_more_is_dialled_for_no_more_and_out(
    survey: Survey, order: str
) -> None:
    for nurse in survey.nurses[:2]:
        await survey.join(nurse)
    gone = survey.stint(survey.nurses[1])
    with survey.database.transaction() as session:
        if order == "closed":
            account_orders.close(session, gone.account_id, survey.grace, NOON)
        else:
            account_orders.give_role(session, gone.account_id, "agent", survey.grace, NOON)
    assert (survey.floor().nurses, survey.floor().ready) == (1, 1)
    assert await survey.predictive.call_due() == 1
    await survey.progressive.look_after()
    assert ("hang up", gone.channel_id) in survey.exchange.orders
    with survey.database.transaction() as session:
        assert [one.account_id for one in stints.live_stints(session)] == survey.nurses[:1]


async def test_her_newest_call_is_the_one_that_was_answered_last(survey: Survey) -> None:
    """Claimed first, answered last: what she does follows from it, not from the one that was claimed after it."""
    for nurse in survey.nurses[:2]:
        await survey.join(nurse)
    await survey.predictive.call_due()
    first, second = survey.calls()
    await survey.ends(survey.stint(survey.nurses[1]).channel_id)
    survey.clock += SECOND
    await survey.answers(second.channel_id)
    with survey.database.transaction() as session:
        attempts.contact_result(session, second.id, "refused", survey.clock, UNCAPPED)
    await survey.ends(second.channel_id)
    with survey.database.transaction() as session:
        stints.ready(session, survey.nurses[0])
    survey.clock += SECOND
    await survey.answers(first.channel_id)
    await survey.ends(first.channel_id)
    with survey.database.transaction() as session:
        doing = stints.now(session, survey.stint(survey.nurses[0]), survey.clock)
        assert (doing.code, doing.attempt.id if doing.attempt else None) == ("outcome", first.id)


async def test_a_pause_holds_and_what_rings_is_still_given_to_a_nurse(survey: Survey) -> None:
    await survey.join(survey.nurses[0])
    await survey.predictive.call_due()
    (call,) = survey.calls()
    with survey.database.transaction() as session:
        campaigns.order(session, survey.campaign, "pause", survey.grace, survey.clock)
    await survey.answers(call.channel_id)
    assert survey.exchange.steps[-1] == "join"
    assert await survey.predictive.call_due() == 0


def test_it_is_for_surveys_alone(database: Database) -> None:
    with database.transaction() as session:
        grace = employ(session, "grace", "supervisor").id
        for wrong in ({"purpose": "follow_up"}, {}, {"purpose": "survey", "ceiling": 0.05}):
            with pytest.raises(ValueError, match=r"surveys alone|3 %"):
                campaigns.create(session, Wanted("Care", "predictive", **wrong), grace, NOON)  # type: ignore[arg-type]
