"""A number, or a contact, that is closed between the list of what is due and the order to dial: nobody is rung, and the
log says why. By machine: there is no nurse who would see it.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from dialer.agentless import Agentless
from dialer.runner import Dialer
from hospital import agentless, attempts, consents, followups, plan_changes
from hospital.attempts import Attempt, Claimed
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.patients import Patient, PhoneNumber
from tests.characters import LUCIA, MEI, Character
from tests.hospital_scene import POLICY, UNCAPPED, admit, day_three
from tests.moments import NOON
from tests.test_dialer import HOTLINE, Exchange, Shelf

pytestmark = pytest.mark.covers("I3", "I4", "H25")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Due:
    """Somebody is to be asked by the machine, now. `claim` is the dialer's own first step, `order` its second."""

    def __init__(self, database: Database, who: Character) -> None:
        self.database, self.exchange, self.clock, self.who = database, Exchange(), NOON, who
        self.dialer = Dialer(
            database, self.exchange, Shelf(), UNCAPPED, node="n1", caller_id=HOTLINE, now=lambda: self.clock
        )
        self.automatic = Agentless(
            self.dialer, kinds={"follow_up"}, most=1, per_second=1.0, seconds=lambda: self.clock.timestamp()
        )
        with database.transaction() as session:
            patient = admit(session, who, zone="America/Bogota")
            task = day_three(session, patient)
            task.channel, self.task_id, self.patient_id = "automated_call", task.id, patient.id

    def is_listed(self) -> bool:
        with self.database.transaction() as session:
            return [one.standing for one in followups.worklist(session, self.clock)] == ["due"]

    def claim(self) -> Claimed | None:
        with self.database.transaction() as session:
            made = agentless.claim_next(session, "n1", self.clock, UNCAPPED, kinds={"follow_up"}, most=1)
            return made if isinstance(made, Claimed) else None

    def told(self, verb: Callable[[Session], object]) -> None:
        """Somebody else's transaction."""
        with self.database.transaction() as session:
            verb(session)

    @property
    def task(self) -> FollowUpTask:
        with self.database.transaction() as session:
            return session.get_one(FollowUpTask, self.task_id)

    @property
    def codes(self) -> list[str]:
        with self.database.transaction() as session:
            return [one.code for one in followups.decisions(session, self.task_id)]

    @property
    def dialled(self) -> list[str]:
        return [about for order, about in self.exchange.orders if order == "dial alone"]


def put_away(due: Due) -> Callable[[Session], object]:
    def verb(session: Session) -> None:
        rows = select(PhoneNumber).where(PhoneNumber.patient_id == due.patient_id, PhoneNumber.rank == 1)
        session.scalars(rows).one().invalid_since = NOON

    return verb


def opts_out(due: Due) -> Callable[[Session], object]:
    return lambda session: consents.set_consent(session, due.patient_id, "follow_up", False, NOON)


async def test_a_number_put_away_after_the_claim_and_the_second_one_is_called(database: Database) -> None:
    due = Due(database, MEI)
    claimed = due.claim()
    assert claimed is not None and claimed.number == MEI.numbers[0]
    due.told(put_away(due))
    assert not await due.dialer.dial_alone(claimed.attempt_id)
    assert due.dialled == [] and due.codes[-2:] == ["not_dialled", "try_again"]
    assert await due.automatic.call_due() == 0, "not in the same breath"
    due.clock += MINUTE
    assert await due.automatic.call_due() == 1
    assert due.dialled == [MEI.numbers[1]]


@pytest.mark.covers("H14")
@pytest.mark.parametrize(("fallback", "follows"), [([], "nurse_call"), (["sms"], "sms")])
async def test_numbers_that_our_trunk_may_not_dial_are_left_one_after_the_other(
    database: Database, fallback: list[str], follows: str
) -> None:
    due = Due(database, MEI)
    due.told(lambda session: setattr(session.get_one(FollowUpTask, due.task_id), "fallback", fallback))
    due.exchange.fails["dial alone"] = ValueError("not on the allow-list")
    assert await due.automatic.call_due() == 0
    assert (due.task.state, due.task.next_number_rank, due.task.tries) == ("open", 2, 0)
    due.clock += MINUTE
    assert await due.automatic.call_due() == 0
    assert due.dialled == list(MEI.numbers)
    assert (due.task.state, due.task.channel) == ("open", follows)
    assert due.codes[-1] == ("other_channel" if fallback else "to_nurse")
    due.clock += HOUR
    assert await due.automatic.call_due() == 0 and len(due.dialled) == 2


@pytest.mark.covers("H14")
async def test_a_number_that_our_trunk_may_not_dial_is_not_the_next_after_another(database: Database) -> None:
    due = Due(database, MEI)
    due.exchange.fails["dial alone"] = ValueError("not on the allow-list")
    await due.automatic.call_due()
    del due.exchange.fails["dial alone"]
    due.clock += MINUTE
    assert await due.automatic.call_due() == 1
    with database.transaction() as session:
        channel_id = session.scalars(select(Attempt.channel_id).order_by(Attempt.claimed_at.desc())).first() or ""
    await due.dialer.leg_rang(channel_id)
    due.exchange.up.clear()
    await due.dialer.leg_ended(channel_id, "no_answer")
    assert (due.task.next_number_rank, due.task.tries) == (2, 1), "the first one would be refused again"


async def test_the_only_number_put_away_after_the_claim(database: Database) -> None:
    due = Due(database, LUCIA)
    claimed = due.claim()
    assert claimed is not None
    due.told(put_away(due))
    assert not await due.dialer.dial_alone(claimed.attempt_id)
    assert (due.task.state, due.task.stop_reason, due.task.tries) == ("stopped", "no_usable_number", 0)
    assert due.dialled == [] and due.codes[-2:] == ["not_dialled", "stopped"]


async def test_an_opt_out_after_the_claim_closes_the_contact(database: Database) -> None:
    due = Due(database, MEI)
    claimed = due.claim()
    assert claimed is not None
    due.told(opts_out(due))
    assert not await due.dialer.dial_alone(claimed.attempt_id)
    assert (due.task.state, due.task.stop_reason) == ("stopped", "opted_out")
    due.clock += HOUR
    assert await due.automatic.call_due() == 0 and due.dialled == []


@pytest.mark.parametrize(("closes", "reason"), [(put_away, "no_usable_number"), (opts_out, "opted_out")])
async def test_closed_between_the_list_and_the_claim(
    database: Database, closes: Callable[[Due], Callable[[Session], object]], reason: str
) -> None:
    due = Due(database, LUCIA)
    assert due.is_listed()
    due.told(closes(due))
    assert await due.automatic.call_due() == 0
    assert (due.task.state, due.task.stop_reason, due.dialled) == ("stopped", reason, [])


async def test_call_me_later_said_between_the_list_and_the_claim(database: Database) -> None:
    """The nurse corrects what she had written down of the call before."""
    due = Due(database, LUCIA)
    claimed = due.claim()
    assert claimed is not None and await due.dialer.dial_alone(claimed.attempt_id)
    await due.dialer.leg_answered(claimed.channel_id, NOON)
    due.exchange.up.clear()
    await due.dialer.leg_ended(claimed.channel_id, "answered")
    due.clock += 2 * 24 * HOUR
    due.told(lambda session: setattr(session.get_one(FollowUpTask, due.task_id), "next_try_at", due.clock))
    later = due.clock + HOUR
    due.told(
        lambda session: attempts.contact_result(
            session, claimed.attempt_id, "call_later", due.clock, POLICY, call_at=later
        )
    )
    assert await due.automatic.call_due() == 0 and len(due.dialled) == 1
    due.clock = later
    assert await due.automatic.call_due() == 1 and len(due.dialled) == 2


@pytest.mark.parametrize("closes", [put_away, opts_out])
async def test_closed_while_it_rings(database: Database, closes: Callable[[Due], Callable[[Session], object]]) -> None:
    due = Due(database, LUCIA)
    claimed = due.claim()
    assert claimed is not None and await due.dialer.dial_alone(claimed.attempt_id)
    await due.dialer.leg_rang(claimed.channel_id)
    due.told(closes(due))
    await due.dialer.call_off()
    assert due.exchange.orders[-1] == ("hang up", claimed.channel_id)
    await due.dialer.leg_ended(claimed.channel_id, "cancelled")
    assert due.task.state == "stopped" and due.task.stop_reason in ("no_usable_number", "opted_out")
    due.clock += 24 * HOUR
    assert await due.automatic.call_due() == 0 and len(due.dialled) == 1


async def test_it_rang_when_the_mother_died_and_the_child_has_no_other_number(database: Database) -> None:
    """Who is called for somebody else closes nothing of theirs: a person sees to it."""
    due = Due(database, LUCIA)
    with database.transaction() as session:
        child = session.get_one(Patient, due.patient_id)
        mother = admit(session, MEI, zone="America/Bogota")
        child.guardian_id = mother.id
        for number in list(child.numbers):
            number.safe_to_call = False
    claimed = due.claim()
    assert claimed is not None and claimed.number == MEI.numbers[0]
    assert await due.dialer.dial_alone(claimed.attempt_id)
    due.told(lambda session: plan_changes.died(session, mother.id, NOON))
    await due.dialer.call_off()
    await due.dialer.leg_ended(claimed.channel_id, "cancelled")
    with database.transaction() as session:
        assert [one.line_result for one in session.scalars(select(Attempt))] == ["cancelled"]
    assert due.task.stop_reason != "deceased", "the child lives"


async def test_without_any_number_a_nurse_has_it_where_the_plan_says_so(database: Database) -> None:
    due = Due(database, LUCIA)
    due.told(put_away(due))
    due.told(lambda session: setattr(session.get_one(FollowUpTask, due.task_id), "fallback", ["nurse_call", "letter"]))
    assert await due.automatic.call_due() == 0
    task = due.task
    assert (task.state, task.channel, task.fallback, task.next_try_at) == ("open", "nurse_call", ["letter"], None)
    assert due.codes[-2:] == ["no_usable_number", "other_channel"]
    due.clock += HOUR
    assert await due.automatic.call_due() == 0 and due.dialled == []
    assert due.codes[-1] == "other_channel", "it is the nurse's: nothing more is said of it"


async def test_without_any_number_and_nothing_else_in_the_plan_it_stops(database: Database) -> None:
    due = Due(database, LUCIA)
    due.told(put_away(due))
    assert await due.automatic.call_due() == 0
    assert (due.task.state, due.task.stop_reason) == ("stopped", "no_usable_number")
