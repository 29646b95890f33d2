"""Orders on follow-ups: each judged when it is done, what cannot be done says why, and a gift holds."""

from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import (
    agentless,
    attempts,
    audit,
    campaigns,
    followups,
    nurse_calls,
    plan_changes,
    task_orders,
    text_steps,
    workload,
)
from hospital.accounts import Account
from hospital.attempts import Claimed
from hospital.audit import AuditRow
from hospital.calling_rules import NotNow
from hospital.campaigns import Wanted
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.patients import Patient
from hospital.task_orders import Giver, Order
from tests.characters import JOAO, LUCIA, MEI
from tests.hospital_scene import UNCAPPED, admit, at_once, day_three, employ
from tests.moments import NOON, ZONE
from web import words

pytestmark = pytest.mark.covers("H13", "H51")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TODAY = date(2026, 11, 25)


class Ward:
    """Ana and Ruby are nurses, Grace shares out the list; João is due since this morning, for four days."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.transaction() as session:
            people = {"ana": "nurse", "ruby": "nurse", "grace": "supervisor", "oscar": "none"}
            self.people = {name: employ(session, name, role).id for name, role in people.items()}
            joao = admit(session, JOAO)
            self.task_id = day_three(session, joao, due_at=NOON - 3 * HOUR).id

    def giver(self, who: str, at: datetime = NOON) -> Giver:
        return Giver(self.people[who], who == "grace", at, ZONE)

    def order(self, who: str, what: Any, *, to: str = "", seen: str | None = None, **more: Any) -> str | None:
        wards = more.pop("wards", ())
        wanted = Order(what, to=self.people[to] if to else None, **more)
        with self.database.transaction() as session:
            return task_orders.carry_out(session, self.task_id, wanted, self.giver(who), seen, wards)

    @property
    def task(self) -> FollowUpTask:
        with self.database.transaction() as session:
            return session.get_one(FollowUpTask, self.task_id)

    @property
    def seen(self) -> str:
        return task_orders.mark(self.task)

    def change(self, **columns: Any) -> None:
        with self.database.transaction() as session:
            task = session.get_one(FollowUpTask, self.task_id)
            for column, value in columns.items():
                setattr(task, column, value)

    def claims(self, who: str, at: datetime = NOON) -> Claimed | NotNow:
        with self.database.transaction() as session:
            return attempts.claim(session, self.task_id, self.people[who], "n1", at, UNCAPPED)

    def told(self) -> list[str]:
        with self.database.transaction() as session:
            rows = followups.decisions(session, self.task_id)
            return [words.decision(row.code, row.facts, NOON, ZONE) for row in rows]

    def audited(self) -> list[tuple[UUID | None, str, dict[str, Any]]]:
        with self.database.transaction() as session:
            assert audit.verify(session).sound
            rows = session.scalars(select(AuditRow).where(AuditRow.subject == f"task:{self.task_id}"))
            return [(row.account_id, row.action, row.detail) for row in rows]


@pytest.fixture
def ward(database: Database) -> Ward:
    return Ward(database)


def test_grace_gives_it_to_ana_and_then_to_ruby_and_back_to_everybody(ward: Ward) -> None:
    assert ward.order("grace", "give", to="ana", seen=ward.seen) is None
    assert (ward.task.owner_id, ward.task.given_at) == (ward.people["ana"], NOON)
    assert ward.order("grace", "give", to="ruby", seen=ward.seen) is None
    assert ward.order("grace", "give_back", seen=ward.seen) is None
    assert (ward.task.owner_id, ward.task.given_at) == (None, None)
    grace = ward.people["grace"]
    assert ward.audited() == [
        (grace, "task.give", {"to": str(ward.people["ana"])}),
        (grace, "task.give", {"to": str(ward.people["ruby"])}),
        (grace, "task.give_back", {}),
    ]
    assert ward.told()[-3:] == ["Given to one nurse: nobody else is called for it"] * 2 + ["Given back to everybody"]


@pytest.mark.parametrize(
    ("who", "what", "more", "owner", "why"),
    [
        ("ana", "give", {"to": "ana"}, None, None),  # she takes what is nobody's
        ("ana", "give", {"to": "ana"}, "ruby", "not_yours"),
        ("ana", "give", {"to": "ruby"}, "ana", "no_right"),
        ("ana", "give_back", {}, "ana", None),
        ("ana", "give_back", {}, "ruby", "not_yours"),
        ("ana", "priority", {"priority": 1}, "ana", "no_right"),
        ("ana", "skip", {"reason": "not_needed"}, "ruby", "not_yours"),
        ("ana", "move", {"day": TODAY + DAY}, None, None),
        ("grace", "give", {"to": "oscar"}, None, "no_nurse"),
        ("grace", "priority", {"priority": 1}, "ana", None),
        ("grace", "skip", {"reason": "not_needed"}, "ana", None),
    ],
)
def test_who_may_order_what(
    ward: Ward, who: str, what: str, more: dict[str, Any], owner: str | None, why: str | None
) -> None:
    if owner:
        ward.change(owner_id=ward.people[owner])
    before = ward.seen
    assert ward.order(who, what, **more) == why
    assert bool(ward.audited()) == (why is None)
    assert (ward.seen == before and ward.task.state == "open") == (why is not None)


@pytest.mark.parametrize(
    ("state", "why"),
    [("calling", "being_called"), ("wrap_up", "being_written_up"), ("done", "closed"), ("stopped", "closed")],
)
@pytest.mark.parametrize(
    ("what", "more"),
    [
        ("give", {"to": "ana"}),
        ("give_back", {}),
        ("skip", {"reason": "other"}),
        ("move", {"day": TODAY + DAY}),
        ("priority", {"priority": 1}),
    ],
)
def test_what_rings_or_is_over_is_left_alone(ward: Ward, what: str, more: dict[str, Any], state: str, why: str) -> None:
    over = state in ("done", "stopped")
    ward.change(state=state, closed_at=NOON if over else None, stop_reason="not_needed" if state == "stopped" else None)
    assert ward.order("grace", what, **more) == why
    assert ward.audited() == []


def test_a_claimed_task_rings_and_is_not_given_away(ward: Ward) -> None:
    assert isinstance(ward.claims("ana"), Claimed)
    assert ward.order("grace", "give", to="ruby") == "being_called"
    assert ward.task.owner_id == ward.people["ana"]


@pytest.mark.parametrize(
    ("due", "day", "why", "then"),
    [
        (NOON - 3 * HOUR, TODAY, None, NOON),  # ten o'clock is over: now
        (NOON + 3 * HOUR, TODAY, None, NOON + 3 * HOUR),
        (NOON - 3 * HOUR, TODAY + DAY, None, NOON + DAY - 3 * HOUR),
        (NOON - 3 * HOUR, TODAY + 3 * DAY, None, NOON + 3 * DAY - 3 * HOUR),
        (NOON - 3 * HOUR, TODAY + 4 * DAY, "outside_its_time", None),  # due until that very hour
        (NOON - 3 * HOUR, TODAY - DAY, "outside_its_time", None),
        (NOON + DAY, TODAY, "outside_its_time", None),  # before it is due
        (NOON - 5 * DAY, TODAY + DAY, "outside_its_time", None),  # over-due
    ],
)
def test_another_day_is_one_within_its_time(
    ward: Ward, due: datetime, day: date, why: str | None, then: datetime | None
) -> None:
    ward.change(due_at=due, due_until=due + 4 * DAY)
    assert ward.order("grace", "move", day=day) == why
    assert ward.task.next_try_at == then
    assert (ward.task.due_at, ward.task.due_until) == (due, due + 4 * DAY), "the figures' days stay"


def test_not_while_its_text_message_is_waited_for_nor_in_doubt(ward: Ward) -> None:
    ward.change(channel="sms")
    with ward.database.transaction() as session:
        assert text_steps.work_next(session, NOON, UNCAPPED)
    assert ward.order("grace", "move", day=TODAY + DAY) == "waits_for_answer"
    ward.change(state="review", channel="nurse_call")
    assert ward.order("grace", "move", day=TODAY + DAY) == "in_doubt"
    assert ward.order("grace", "give", to="ana") is None


def test_what_another_tab_did_first_stays(ward: Ward) -> None:
    seen = ward.seen
    assert ward.order("grace", "give", to="ruby", seen=seen) is None
    assert ward.order("grace", "give", to="ana", seen=seen) == "changed"
    assert ward.order("grace", "give_back", seen=seen) == "changed"
    assert ward.order("grace", "priority", priority=1, seen=seen) == "changed"
    assert ward.order("grace", "give", to="ruby", seen=seen) == "so_already"
    assert ward.task.owner_id == ward.people["ruby"]
    assert len(ward.audited()) == 1


def test_of_two_at_the_same_moment_one_is_done(ward: Ward) -> None:
    orders = [Order("give", to=ward.people["ana"]), Order("give", to=ward.people["ruby"])] * 2
    made = at_once(
        ward.database,
        *[
            partial(task_orders.carry_out, task_id=ward.task_id, order=one, giver=ward.giver("grace"), seen=ward.seen)
            for one in orders
        ],
    )
    assert made.count(None) == 1
    assert {one for one in made if one is not None} <= {"busy", "changed", "so_already"}
    assert len(ward.audited()) == 1


def test_a_claim_and_a_gift_at_the_same_moment(ward: Ward) -> None:
    """Either Ana calls and Grace hears so, or it is Ruby's and Ana's call does not begin."""

    def claim(session: Session) -> object:
        return attempts.claim(session, ward.task_id, ward.people["ana"], "n1", NOON, UNCAPPED)

    gift = Order("give", to=ward.people["ruby"])
    give = partial(task_orders.carry_out, task_id=ward.task_id, order=gift, giver=ward.giver("grace"))
    claimed, given = at_once(ward.database, claim, give)
    if isinstance(claimed, Claimed):
        assert given in ("busy", "being_called")
        assert ward.task.owner_id == ward.people["ana"]
    else:
        assert isinstance(claimed, NotNow) and claimed.code == "given_to_another"
        assert given is None
        assert ward.task.owner_id == ward.people["ruby"]


def test_only_while_it_is_of_the_ward_that_was_shown(ward: Ward) -> None:
    ward.change(ward="surgery 2")
    assert ward.order("grace", "give", to="ana", wards=("maternity", "urology")) == "another_ward"
    assert ward.order("grace", "give", to="ana", wards=("surgery 2",)) is None


def test_what_is_not_there_is_as_what_is_not_hers(ward: Ward) -> None:
    ward.task_id = UUID(int=0)
    assert ward.order("ana", "give_back") == "not_yours"


@pytest.mark.parametrize(
    "order", [Order("give"), Order("skip", reason="because"), Order("move"), Order("priority", priority=0)], ids=str
)
def test_an_order_that_is_none_is_refused_whole(ward: Ward, order: Order) -> None:
    with pytest.raises(ValueError, match=r"\.$"), ward.database.transaction() as session:
        task_orders.carry_out(session, ward.task_id, order, ward.giver("grace"))


# ── What was given is nobody else's to call ─────────────────────────────────────────────────────────────────────────


def campaign_of(session: Session, ward: Ward, mode: str) -> UUID:
    made = campaigns.create(session, Wanted("Day 3", mode), ward.people["grace"], NOON)
    assert campaigns.order(session, made.id, "start", ward.people["grace"], NOON)
    return made.id


@pytest.mark.covers("I3")
def test_a_gift_waits_for_its_nurse_however_long_it_is_due(ward: Ward) -> None:
    ward.change(owner_id=ward.people["ruby"])  # who called him before
    later = NOON + 3 * HOUR
    with ward.database.transaction() as session:
        campaign_id = campaign_of(session, ward, "preview")
        standing = campaigns.in_force(session, "nurse_call")

        def next_of(account: str | None) -> FollowUpTask | None:
            who = ward.people[account] if account else None
            return nurse_calls.next_for(session, standing[0], standing, who, later)

        assert next_of("ana") is not None, "Ruby's half hour is over"
    assert ward.order("grace", "give", to="ruby") is None
    with ward.database.transaction() as session:
        assert next_of("ana") is None
        assert next_of(None) is None, "predictive: whoever will be free"
        assert nurse_calls.hand_out(session, campaign_id, ward.people["ana"], later) is None
        assert nurse_calls.hand_out(session, campaign_id, ward.people["ruby"], later) == ward.task_id


def test_another_nurse_cannot_start_its_call_and_its_own_can(ward: Ward) -> None:
    assert ward.order("grace", "give", to="ruby") is None
    refused = ward.claims("ana")
    assert isinstance(refused, NotNow) and refused.code == "given_to_another"
    assert ward.task.state == "open"
    assert ward.told()[-1] == "Not called: it was given to another nurse"
    assert isinstance(ward.claims("ruby"), Claimed)


def test_nobody_waits_for_a_nurse_whose_account_is_closed(ward: Ward) -> None:
    assert ward.order("grace", "give", to="ruby") is None
    with ward.database.transaction() as session:
        session.get_one(Account, ward.people["ruby"]).disabled_at = NOON
    assert isinstance(ward.claims("ana"), Claimed)


def test_on_another_ward_it_is_nobodys_again(ward: Ward) -> None:
    assert ward.order("grace", "give", to="ruby") is None
    with ward.database.transaction() as session:
        plan_changes.transferred(session, ward.task.patient_id, "rehabilitation", NOON)
    assert (ward.task.owner_id, ward.task.given_at) == (None, None)


@pytest.mark.parametrize("channel", ["automated_call", "sms"])
def test_no_machine_contacts_whom_a_nurse_was_given(ward: Ward, channel: str) -> None:
    ward.change(channel=channel)

    def machine(session: Session) -> object:
        if channel == "sms":
            return text_steps.work_next(session, NOON, UNCAPPED)
        return agentless.claim_next(session, "n1", NOON, UNCAPPED, kinds={"follow_up"}, most=1)

    assert ward.order("grace", "give", to="ruby") is None
    with ward.database.transaction() as session:
        assert not machine(session)
    assert ward.order("grace", "give_back") is None
    with ward.database.transaction() as session:
        assert machine(session)


def test_what_ruby_was_given_does_not_join_anas_call(ward: Ward) -> None:
    with ward.database.transaction() as session:
        patient = session.get_one(Patient, session.get_one(FollowUpTask, ward.task_id).patient_id)
        others = [day_three(session, patient, due_at=NOON - HOUR).id for _ in range(2)]
    first, ward.task_id = ward.task_id, others[0]
    assert ward.order("grace", "give", to="ruby") is None
    ward.task_id = first
    assert isinstance(ward.claims("ana"), Claimed)
    with ward.database.transaction() as session:
        states = [session.get_one(FollowUpTask, one).state for one in others]
    assert states == ["open", "calling"]


# ── Before sharing out ──────────────────────────────────────────────────────────────────────────────────────────────


def test_who_has_how_much(ward: Ward) -> None:
    with ward.database.transaction() as session:
        for who, owner, due in ((LUCIA, "ruby", NOON - 6 * DAY), (MEI, "ruby", NOON), (MEI, "ana", NOON + 9 * DAY)):
            found = session.scalars(select(Patient)).all()
            patient = next((one for one in found if one.name == who.name), None) or admit(session, who)
            day_three(session, patient, due_at=due).owner_id = ward.people[owner]
        session.get_one(Account, ward.people["ruby"]).disabled_at = NOON
        told = [
            (one.account.username if one.account else None, one.waiting, one.overdue, one.may)
            for one in workload.loads(session, NOON, DAY)
        ]
    assert told == [
        (None, 1, 0, False),
        ("ana", 0, 0, True),  # what is due in nine days is not on the list yet
        ("grace", 0, 0, True),
        ("ruby", 2, 1, False),
    ]
