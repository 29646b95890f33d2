"""One call after the other: one order to dial for each free nurse, and what is left after a fault at each step.

The exchange is test_dialer.py's; that a real one behaves like it is shown in test_progressive_calls.py.
"""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from dialer.progressive import Progressive
from dialer.rates import Rate
from dialer.runner import Dialer, NotStarted
from hospital import attempts, campaigns, followups, stints, task_orders
from hospital.accounts import Account
from hospital.attempts import Attempt
from hospital.calling_hours import PRESETS
from hospital.calling_rules import CallingPolicy
from hospital.campaigns import Wanted
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.patients import Patient
from hospital.stints import Stint
from hospital.task_orders import Giver, Order
from tests.characters import JOAO, LUCIA, MEI, RUTH, Character
from tests.hospital_scene import UNCAPPED, admit, day_three, employ
from tests.moments import NOON, ZONE
from tests.test_dialer import DOWN, HOTLINE, UNANSWERED, Exchange, Shelf

pytestmark = pytest.mark.covers("H13", "I3")
SECOND = timedelta(seconds=1)


class Ward:
    """João, Mei, Ruth and Lucía are due, in this order, in a progressive campaign. Ana and Ruby are nurses."""

    def __init__(self, database: Database, policy: CallingPolicy = UNCAPPED, **wanted: object) -> None:
        self.database, self.exchange, self.shelf, self.clock = database, Exchange(), Shelf(), NOON
        self.seconds, self.policy = 0.0, policy
        self.dialer = Dialer(
            database,
            self.exchange,
            self.shelf,
            policy,
            node="n1",
            caller_id=HOTLINE,
            now=lambda: self.clock,
            seconds=lambda: self.clock.timestamp(),
            rate=Rate(1000.0, lambda: self.seconds),
        )
        self.progressive = Progressive(self.dialer, seconds=lambda: self.seconds)
        with database.transaction() as session:
            self.ana, self.ruby = employ(session, "ana", "nurse").id, employ(session, "ruby", "nurse").id
            self.grace = employ(session, "grace", "supervisor").id
            self.tasks = {
                one.sip: day_three(session, admit(session, one), priority=rank).id
                for rank, one in enumerate((JOAO, MEI, RUTH, LUCIA), 1)
            }
        self.campaign = self.creates(**wanted)

    def creates(self, **wanted: object) -> UUID:
        with self.database.transaction() as session:
            made = campaigns.create(session, Wanted("Day 3", "progressive", **wanted), self.grace, NOON)  # type: ignore[arg-type]
            campaigns.order(session, made.id, "start", self.grace, NOON)
            return made.id

    async def joins(self, account_id: UUID, campaign_id: UUID | None = None) -> Stint:
        """She joins, and picks up."""
        await self.progressive.join(account_id, campaign_id)
        stint = self.stint(account_id)
        await self.leg_answers(stint.channel_id)
        return self.stint(account_id)

    def stint(self, account_id: UUID) -> Stint:
        with self.database.transaction() as session:
            return session.scalars(select(Stint).where(Stint.account_id == account_id).order_by(Stint.began_at)).all()[
                -1
            ]

    def does(self, account_id: UUID) -> str:
        with self.database.transaction() as session:
            return stints.now(session, self.stint(account_id), self.clock).code

    async def leg_answers(self, channel_id: str) -> None:
        """As `hotline/dialer_work.py` tells it: the dialer first."""
        self.exchange.up[channel_id] = True
        await self.dialer.leg_answered(channel_id, self.clock)
        await self.progressive.leg_answered(channel_id)

    async def leg_ends(self, channel_id: str, line_result: str = "answered") -> None:
        self.exchange.up.pop(channel_id, None)
        await self.dialer.leg_ended(channel_id, line_result)
        await self.progressive.leg_ended(channel_id)

    async def they_talk(self) -> Attempt:
        call = self.calls()[-1]
        await self.dialer.leg_rang(call.channel_id)
        await self.leg_answers(call.channel_id)
        return self.calls()[-1]

    async def says(self, call: Attempt, result: str) -> None:
        with self.database.transaction() as session:
            assert attempts.contact_result(session, call.id, result, self.clock, self.policy)

    def calls(self) -> list[Attempt]:
        with self.database.transaction() as session:
            return list(session.scalars(select(Attempt).order_by(Attempt.claimed_at, Attempt.dialled_at)))

    def task(self, who: Character) -> FollowUpTask:
        with self.database.transaction() as session:
            return session.get_one(FollowUpTask, self.tasks[who.sip])

    def log(self, who: Character) -> list[str]:
        with self.database.transaction() as session:
            return [row.code for row in followups.decisions(session, self.tasks[who.sip])]

    @property
    def dialled(self) -> list[str]:
        return [number for order, number in self.exchange.orders if order == "dial"]


@pytest.fixture
def ward(database: Database) -> Ward:
    return Ward(database)


async def test_her_phone_rings_once_and_the_calls_follow(ward: Ward) -> None:
    stint = await ward.joins(ward.ana)
    assert ward.exchange.orders == [("ring", "ana"), ("dial", JOAO.numbers[0])]
    call = await ward.they_talk()
    assert (call.state, call.nurse_channel_id, call.campaign_id) == ("talking", stint.channel_id, ward.campaign)
    assert ward.does(ward.ana) == "talking"
    await ward.leg_ends(call.channel_id)
    assert ward.does(ward.ana) == "outcome" and ward.exchange.up == {stint.channel_id: True}, "her leg stays up"
    ward.clock += timedelta(hours=1)
    await ward.progressive.look_after()
    assert len(ward.dialled) == 1, "no next one before she has said whom she reached"
    ward.clock -= timedelta(hours=1)
    await ward.says(call, "completed")
    assert ward.does(ward.ana) == "wrap_up"
    ward.clock += timedelta(seconds=29)
    await ward.progressive.look_after()
    assert len(ward.dialled) == 1
    ward.clock += SECOND
    await ward.progressive.look_after()
    assert ward.dialled == [JOAO.numbers[0], MEI.numbers[0]]
    assert ward.exchange.steps.count("ring") == 1
    assert ward.task(JOAO).state == "done"


async def test_she_may_take_longer_or_be_ready_sooner(ward: Ward) -> None:
    await ward.joins(ward.ana)
    call = await ward.they_talk()
    await ward.says(call, "completed")
    await ward.leg_ends(call.channel_id)
    with ward.database.transaction() as session:
        assert stints.more(session, ward.ana, ward.clock)
    ward.clock += timedelta(seconds=60)
    await ward.progressive.look_after()
    assert ward.does(ward.ana) == "wrap_up"
    with ward.database.transaction() as session:
        assert stints.ready(session, ward.ana)
    await ward.progressive.call_next()
    assert len(ward.dialled) == 2
    with ward.database.transaction() as session:
        assert not stints.more(session, ward.ana, ward.clock), "there is nothing to write up"
    call = await ward.they_talk()
    await ward.says(call, "completed")
    await ward.leg_ends(call.channel_id)
    assert ward.does(ward.ana) == "wrap_up", "what she asked for held for one call"


@pytest.mark.parametrize("line", ["busy", "no_answer", "rejected", "invalid_number", "unreachable", "network_failure"])
async def test_nobody_answers_and_the_next_is_called_at_once(ward: Ward, line: str) -> None:
    await ward.joins(ward.ana)
    first = ward.calls()[0]
    await ward.leg_ends(first.channel_id, line)
    assert ward.dialled == [JOAO.numbers[0], MEI.numbers[0]]
    assert (ward.task(JOAO).state, ward.calls()[0].line_result) == ("open", line)


async def test_one_call_for_each_nurse_however_often_it_is_asked(ward: Ward) -> None:
    await ward.joins(ward.ana)
    await ward.joins(ward.ruby)
    for _ in range(5):
        await ward.progressive.look_after()
    assert ward.dialled == [JOAO.numbers[0], MEI.numbers[0]]
    assert {call.account_id for call in ward.calls()} == {ward.ana, ward.ruby}


async def test_she_pauses_after_this_one_and_goes_on(ward: Ward) -> None:
    await ward.joins(ward.ana)
    with ward.database.transaction() as session:
        assert stints.pause(session, ward.ana, True)
    await ward.leg_ends(ward.calls()[0].channel_id, "no_answer")
    assert ward.does(ward.ana) == "paused" and len(ward.dialled) == 1
    with ward.database.transaction() as session:
        assert stints.pause(session, ward.ana, False)
    await ward.progressive.call_next()
    assert len(ward.dialled) == 2


async def test_in_a_stint_she_starts_no_call_of_her_own_and_joins_no_second_time(ward: Ward) -> None:
    await ward.joins(ward.ana)
    await ward.leg_ends(ward.calls()[0].channel_id, "no_answer")
    with ward.database.transaction() as session:
        stints.pause(session, ward.ana, True)
    await ward.leg_ends(ward.calls()[1].channel_id, "no_answer")
    refused = await ward.dialer.start(ward.tasks["ruth"], ward.ana)
    assert not isinstance(refused, UUID) and refused.code == "in_a_stint"
    with pytest.raises(NotStarted, match="already"):
        await ward.progressive.join(ward.ana, None)


async def test_a_call_that_she_began_before_she_joined_is_not_disturbed(ward: Ward) -> None:
    """Both at the same moment: the join found no call yet, and the call no stint."""
    await ward.progressive.join(ward.ana, None)
    with ward.database.transaction() as session:
        session.execute(update(Stint).values(state="over", ended_at=NOON))
    assert isinstance(await ward.dialer.start(ward.tasks["lucia"], ward.ana), UUID)
    with ward.database.transaction() as session:
        session.execute(update(Stint).values(state="ringing", ended_at=None))
    await ward.leg_answers(ward.stint(ward.ana).channel_id)
    assert ward.dialled == [] and ward.log(JOAO) == ["planned"], "nobody's call is put off because of it"


async def test_who_was_disabled_is_not_called_for(ward: Ward) -> None:
    await ward.joins(ward.ana)
    with ward.database.transaction() as session:
        session.get_one(Account, ward.ana).disabled_at = NOON
    await ward.leg_ends(ward.calls()[0].channel_id, "no_answer")
    assert len(ward.dialled) == 1


async def test_whose_account_is_closed_leaves_after_the_talk(ward: Ward) -> None:
    stint = await ward.joins(ward.ana)
    call = await ward.they_talk()
    with ward.database.transaction() as session:
        session.get_one(Account, ward.ana).disabled_at = NOON
    await ward.progressive.look_after()
    assert stint.channel_id in ward.exchange.up, "nobody is cut off"
    await ward.leg_ends(call.channel_id)
    await ward.progressive.look_after()
    assert stint.channel_id not in ward.exchange.up and ward.does(ward.ana) == "over"


async def test_end_call_ends_the_patients_leg_and_not_hers(ward: Ward) -> None:
    stint = await ward.joins(ward.ana)
    call = await ward.they_talk()
    with pytest.raises(NotStarted, match="End the call first"):
        await ward.progressive.leave(ward.ana)
    assert await ward.dialer.hang_up(call.id, ward.ana)
    assert ward.exchange.up == {stint.channel_id: True}


# ── She leaves ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_she_leaves_while_it_rings_and_nobody_is_answered_by_nobody(ward: Ward) -> None:
    await ward.joins(ward.ana)
    call = ward.calls()[0]
    await ward.dialer.leg_rang(call.channel_id)
    await ward.progressive.leave(ward.ana)
    assert ward.exchange.up == {}, "what rang for her is hung up"
    await ward.leg_ends(call.channel_id, "cancelled")
    assert (ward.calls()[0].line_result, ward.task(JOAO).state) == ("cancelled", "open")
    assert ward.does(ward.ana) == "over" and len(ward.dialled) == 1


async def test_her_leg_dies_while_it_rings(ward: Ward) -> None:
    stint = await ward.joins(ward.ana)
    call = ward.calls()[0]
    await ward.leg_ends(stint.channel_id)
    assert ("hang up", call.channel_id) in ward.exchange.orders
    assert ward.does(ward.ana) == "over"


@pytest.mark.covers("I5")
async def test_the_patient_answers_just_when_she_has_gone(ward: Ward) -> None:
    """Asterisk says who called and a number; that must not be cut off, and it is written down as it was."""
    stint = await ward.joins(ward.ana)
    call = ward.calls()[0]
    ward.exchange.up[call.channel_id] = True  # picked up, and nobody has heard of it yet
    await ward.leg_ends(stint.channel_id)
    assert ("hang up", call.channel_id) not in ward.exchange.orders
    await ward.leg_answers(call.channel_id)
    await ward.dialer.nobody_there(call.channel_id, ward.clock)
    await ward.leg_ends(call.channel_id)
    ended, task = ward.calls()[0], ward.task(JOAO)
    assert (ended.line_result, ended.contact_result, task.state) == ("answered", "abandoned", "open")
    assert task.next_try_at is not None and task.next_try_at > NOON + timedelta(hours=12), "another day, not at once"
    assert ward.log(JOAO)[-1] == "try_again"


async def test_what_was_given_to_ruby_is_dialled_for_her_alone(ward: Ward) -> None:
    """However long it is due: a nurse who called somebody before has them for half an hour."""
    with ward.database.transaction() as session:
        gift = Order("give", to=ward.ruby)
        assert task_orders.carry_out(session, ward.tasks[JOAO.sip], gift, Giver(ward.grace, True, NOON, ZONE)) is None
        session.get_one(FollowUpTask, ward.tasks[MEI.sip]).owner_id = ward.ruby
    ward.clock += timedelta(hours=2)
    await ward.joins(ward.ana)
    assert ward.dialled == [MEI.numbers[0]], "Ruby's half hour with Mei is over, and João stays hers"
    await ward.joins(ward.ruby)
    assert ward.dialled == [MEI.numbers[0], JOAO.numbers[0]]


async def test_she_picked_up_unheard(ward: Ward) -> None:
    await ward.progressive.join(ward.ana, None)
    ward.exchange.up[ward.stint(ward.ana).channel_id] = True
    await ward.progressive.look_after()
    assert ward.dialled == [JOAO.numbers[0]]


async def test_her_leg_has_ended_unheard(ward: Ward) -> None:
    stint = await ward.joins(ward.ana)
    del ward.exchange.up[stint.channel_id]
    await ward.dialer.reconcile()
    await ward.progressive.look_after()
    assert ("hang up", ward.calls()[0].channel_id) in ward.exchange.orders
    assert ward.does(ward.ana) == "over"


# ── A fault at each step ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("I10")
async def test_her_phone_cannot_be_rung(ward: Ward) -> None:
    ward.exchange.fails["ring"] = DOWN
    with pytest.raises(NotStarted, match="not connected"):
        await ward.progressive.join(ward.ana, None)
    assert ward.does(ward.ana) == "over"
    del ward.exchange.fails["ring"]
    await ward.joins(ward.ana)


@pytest.mark.covers("I10")
async def test_nobody_knows_whether_her_phone_rings_and_it_never_did(ward: Ward) -> None:
    ward.exchange.fails["ring"] = UNANSWERED
    await ward.progressive.join(ward.ana, None)
    ward.exchange.up.clear()
    await ward.progressive.look_after()
    assert ward.does(ward.ana) == "ringing", "too soon to tell"
    ward.clock += timedelta(seconds=61)
    await ward.progressive.look_after()
    assert ward.does(ward.ana) == "over"


@pytest.mark.covers("I10")
async def test_the_order_to_dial_is_not_taken_and_is_given_again(ward: Ward) -> None:
    ward.exchange.fails["dial"] = DOWN
    stint = await ward.joins(ward.ana)
    assert (ward.calls()[0].line_result, ward.task(JOAO).tries) == ("cancelled", 0)
    assert ward.exchange.up == {stint.channel_id: True}
    del ward.exchange.fails["dial"]
    await ward.progressive.look_after()
    assert ward.dialled == [JOAO.numbers[0]] * 2


@pytest.mark.covers("I10")
async def test_the_fate_of_the_order_is_unknown_and_she_waits_for_it(ward: Ward) -> None:
    ward.exchange.fails["dial"] = UNANSWERED
    await ward.joins(ward.ana)
    await ward.progressive.look_after()
    assert len(ward.dialled) == 1 and ward.does(ward.ana) == "dialling"
    ward.clock += timedelta(seconds=10)
    await ward.dialer.settle_doubtful()
    assert ward.task(JOAO).state == "review", "it may have rung: a person decides, and nothing is dialled again"
    ward.exchange.fails.clear()
    await ward.progressive.look_after()
    assert ward.dialled[1:] == [MEI.numbers[0]]


async def test_nothing_is_dialled_while_the_link_is_down_or_the_spool_is_full(ward: Ward) -> None:
    ward.exchange.reachable = False
    await ward.joins(ward.ana)
    assert ward.dialled == []
    ward.exchange.reachable, ward.shelf.no_room = True, "There is no room for recordings."
    await ward.progressive.look_after()
    assert ward.dialled == []
    ward.shelf.no_room = None
    await ward.progressive.look_after()
    assert len(ward.dialled) == 1


# ── Who may be called, and whose turn it is ─────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("I4")
async def test_who_may_not_be_called_is_put_off_and_the_next_is_called(database: Database) -> None:
    ward = Ward(database)
    with database.transaction() as session:
        joao, mei = (session.get_one(FollowUpTask, ward.tasks[one]).patient_id for one in ("joao", "mei"))
        session.get_one(Patient, joao).opted_out = ["follow_up"]
        session.get_one(Patient, mei).deceased_at = NOON
    await ward.joins(ward.ana)
    assert ward.dialled == [RUTH.numbers[0]]
    assert ward.task(JOAO).stop_reason == "opted_out" and ward.task(MEI).stop_reason == "deceased"


@pytest.mark.covers("I4")
async def test_outside_the_window_nobody_is_called_and_each_is_put_off_once(database: Database) -> None:
    ward = Ward(database, CallingPolicy(PRESETS["us"], ZONE))
    ward.clock = NOON + timedelta(hours=10)
    await ward.joins(ward.ana)
    await ward.progressive.look_after()
    assert ward.dialled == []
    assert ward.log(JOAO).count("outside_window") == 1


@pytest.mark.covers("I4")
async def test_a_pause_of_the_campaign_holds_at_once(ward: Ward) -> None:
    await ward.joins(ward.ana)
    with ward.database.transaction() as session:
        campaigns.order(session, ward.campaign, "pause", ward.grace, NOON)
    await ward.leg_ends(ward.calls()[0].channel_id, "no_answer")
    assert len(ward.dialled) == 1 and ward.does(ward.ana) == "free"
    with ward.database.transaction() as session:
        campaigns.order(session, ward.campaign, "start", ward.grace, NOON)
    await ward.progressive.look_after()
    assert len(ward.dialled) == 2


async def test_nurses_of_all_campaigns_are_shared_by_priority(database: Database) -> None:
    ward = Ward(database, reason="nothing_of_it_is_due")
    first = ward.creates(priority=1, ward="surgery 2")
    ward.creates(priority=2)
    with database.transaction() as session:
        session.get_one(FollowUpTask, ward.tasks["lucia"]).ward = "surgery 2"
    await ward.joins(ward.ana)
    await ward.joins(ward.ruby, first)
    assert ward.dialled == [LUCIA.numbers[0]], "Ruby works on the first only, and nothing more of it is due"
    await ward.leg_ends(ward.calls()[0].channel_id, "no_answer")
    assert ward.dialled[1:] == [JOAO.numbers[0]]


async def test_nurses_of_all_campaigns_are_shared_by_weight(database: Database) -> None:
    """Three calls of one for each of the other, whoever is free; a nurse of one campaign alone calls for that."""
    ward = Ward(database, reason="nothing_of_it_is_due")
    three, one = (ward.creates(ward=name, weight=weight) for name, weight in (("surgery 2", 3), ("maternity", 1)))
    with database.transaction() as session:
        for task in session.scalars(select(FollowUpTask)):
            task.state, task.closed_at = "done", NOON
        for n in range(24):
            numbers = (f"+5730155504{n:02d}",)
            task = day_three(session, admit(session, Character("Ana", LUCIA.birth, "es", numbers, "female", "-")))
            task.ward = "maternity" if n % 2 else "surgery 2"
    await ward.joins(ward.ana)
    await ward.joins(ward.ruby)
    while len(ward.calls()) < 12:
        (going_on, *_) = [call for call in ward.calls() if call.state != "ended"]
        await ward.leg_ends(going_on.channel_id, "no_answer")
    of = [call.campaign_id for call in ward.calls()]
    assert (of.count(three), of.count(one)) == (9, 3)
    assert all(of[n : n + 4].count(one) == 1 for n in range(0, 12, 4)), "and so in every four"


async def test_no_more_lines_than_the_campaign_has(database: Database) -> None:
    ward = Ward(database, lines=1)
    await ward.joins(ward.ana)
    await ward.joins(ward.ruby)
    assert len(ward.dialled) == 1


async def test_an_account_without_a_telephone_and_a_campaign_that_does_not_run(ward: Ward) -> None:
    with ward.database.transaction() as session:
        campaigns.order(session, ward.campaign, "stop", ward.grace, NOON)
        session.get_one(Account, ward.ruby).sip_username = None
    with pytest.raises(NotStarted, match="does not run"):
        await ward.progressive.join(ward.ana, ward.campaign)
    with pytest.raises(NotStarted, match="no telephone"):
        await ward.progressive.join(ward.ruby, None)


async def test_whom_no_number_reaches_the_plan_reaches_otherwise_and_she_has_the_next(ward: Ward) -> None:
    with ward.database.transaction() as session:
        joao = session.get_one(FollowUpTask, ward.tasks[JOAO.sip])
        joao.fallback = ["sms", "letter"]
        for number in joao.patient.numbers:
            number.safe_to_call = False
    await ward.joins(ward.ana)
    assert ward.dialled == [MEI.numbers[0]]
    task = ward.task(JOAO)
    assert (task.state, task.channel, task.fallback, task.stop_reason) == ("open", "sms", ["letter"], None)
    assert ward.log(JOAO)[-2:] == ["no_usable_number", "other_channel"]


async def test_whom_nothing_reaches_is_not_tried_for_ever(ward: Ward) -> None:
    with ward.database.transaction() as session:
        for number in session.get_one(FollowUpTask, ward.tasks[JOAO.sip]).patient.numbers:
            number.safe_to_call = False
    await ward.joins(ward.ana)
    assert ward.dialled == [MEI.numbers[0]]
    assert (ward.task(JOAO).state, ward.task(JOAO).stop_reason) == ("stopped", "no_usable_number")
