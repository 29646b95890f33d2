"""A nurse hears a machine and presses one key: who called is left on it, and she is with the next patient."""

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import select

from dialer.machines import Machines
from dialer.runner import NotStarted
from hospital import machine_calls
from hospital.attempts import Attempt
from hospital.database import Database
from hospital.patients import PhoneNumber
from hotline import wiring
from hotline.settings_file import DEMO, build
from ivr.call import Call
from ivr.dialogues.machine import leave_message
from ivr.terminal import rehearse, scripted
from scripts import wording
from tests.characters import JOAO, MEI
from tests.moments import NOON
from tests.test_dialer import DOWN, UNANSWERED
from tests.test_dialogues import words
from tests.test_progressive import SECOND, Ward

__all__ = ["words"]

pytestmark = pytest.mark.covers("H18", "H39")
GONE = LookupError("it has hung up")


class Telephones(Ward):
    """The ward, and the key. `may_leave`: a message on João's machine."""

    def __init__(self, database: Database, may_leave: bool = True) -> None:
        super().__init__(database)
        self.machines = Machines(database, self.exchange, now=lambda: self.clock)
        with database.transaction() as session:
            for number in session.scalars(select(PhoneNumber)):
                number.may_leave_message = may_leave

    async def a_call(self) -> Attempt:
        """Ana has joined, and something has answered João's number."""
        await self.joins(self.ana)
        call = await self.they_talk()
        self.clock += SECOND
        return call

    def again(self, call: Attempt) -> Attempt:
        return next(one for one in self.calls() if one.id == call.id)

    def leaves(self, call: Attempt) -> bool:
        """The ivr, when the beep is over."""
        with self.database.transaction() as session:
            found = machine_calls.message(session, call.channel_id)
            if found is not None:
                machine_calls.left(session, found.attempt_id, self.clock, self.policy)
            return found is not None


@pytest.mark.covers("I3", "I5")
async def test_she_is_with_the_next_while_the_message_is_left(database: Database) -> None:
    ward = Telephones(database)
    call = await ward.a_call()
    assert await ward.machines.picked_up(call.id, ward.ana)
    assert ward.exchange.orders[-1] == ("leave a message", call.channel_id)
    assert ward.does(ward.ana) == "free"
    ward.clock += SECOND
    assert await ward.progressive.call_next() == 1
    assert ward.dialled == [JOAO.numbers[0], MEI.numbers[0]]
    assert ward.again(call).state == "talking", "the line is still his machine's"
    assert ward.leaves(call)
    await ward.leg_ends(call.channel_id)
    call = ward.again(call)
    assert (call.line_result, call.contact_result, ward.task(JOAO).state) == ("machine", "left_message", "open")
    assert ward.does(ward.ana) == "dialling", "and nothing of it is hers to write up"
    following = await ward.they_talk()
    assert (following.task_id, following.state) == (ward.tasks["mei"], "talking")


async def test_where_no_message_may_be_left_it_is_hung_up_without_a_word(database: Database) -> None:
    ward = Telephones(database, may_leave=False)
    call = await ward.a_call()
    assert await ward.machines.picked_up(call.id, ward.ana)
    assert ward.exchange.orders[-1] == ("hang up", call.channel_id)
    assert not ward.leaves(call)
    await ward.leg_ends(call.channel_id)
    call = ward.again(call)
    assert (call.line_result, call.contact_result) == ("machine", None)
    assert (ward.task(JOAO).state, ward.task(JOAO).next_number_rank) == ("open", 2), "his other number, another time"
    assert ward.does(ward.ana) == "dialling"


@pytest.mark.covers("I10")
@pytest.mark.parametrize("fault", [DOWN, UNANSWERED])
async def test_she_is_told_when_asterisk_does_not_take_it_and_is_not_called_for(
    database: Database, fault: Exception
) -> None:
    ward = Telephones(database)
    call = await ward.a_call()
    ward.exchange.fails["leave a message"] = fault
    with pytest.raises(NotStarted, match="not connected"):
        await ward.machines.picked_up(call.id, ward.ana)
    assert ward.does(ward.ana) == "talking" and await ward.progressive.call_next() == 0
    await ward.leg_ends(call.channel_id)
    assert ward.again(call).line_result == "machine"


async def test_it_hung_up_in_the_same_moment(database: Database) -> None:
    ward = Telephones(database)
    call = await ward.a_call()
    ward.exchange.fails["leave a message"] = GONE
    assert await ward.machines.picked_up(call.id, ward.ana)
    await ward.leg_ends(call.channel_id)
    assert (ward.again(call).line_result, ward.does(ward.ana)) == ("machine", "dialling")


async def test_it_is_hers_alone_once_and_not_after_an_outcome(database: Database) -> None:
    ward = Telephones(database)
    call = await ward.a_call()
    assert not await ward.machines.picked_up(call.id, ward.ruby)
    await ward.says(call, "refused")
    assert not await ward.machines.picked_up(call.id, ward.ana), "a machine refuses nothing"
    await ward.leg_ends(call.channel_id)
    assert not await ward.machines.picked_up(call.id, ward.ana)


async def test_a_call_that_she_began_herself_ends_for_her(database: Database) -> None:
    ward = Telephones(database)
    started = await ward.dialer.start(ward.tasks["mei"], ward.ruby)
    assert isinstance(started, UUID)
    call = ward.calls()[-1]
    assert call.nurse_channel_id is not None
    await ward.leg_answers(call.nurse_channel_id)
    await ward.they_talk()
    assert await ward.machines.picked_up(call.id, ward.ruby)
    assert ward.exchange.orders[-2:] == [("leave a message", call.channel_id), ("hang up", call.nurse_channel_id)]
    await ward.dialer.leg_ended(call.nurse_channel_id, "answered")
    assert ("hang up", call.channel_id) not in ward.exchange.orders, "the message is left to its end"
    assert ward.leaves(call)
    await ward.leg_ends(call.channel_id)
    assert ward.again(call).line_result == "machine"


# ── What is said ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("presses", "left"), [("(machine)", True), ("", True), ("5", True), ("(fax)", False)])
async def test_the_hospitals_name_and_a_number_in_the_patients_language(
    database: Database, words: wording.Wording, presses: str, left: bool
) -> None:
    ward = Telephones(database)
    call = await ward.a_call()
    assert await ward.machines.picked_up(call.id, ward.ana)
    spoken = wording.Heard(words)
    front = replace(wiring.front_desk(build(DEMO), database, words), now=lambda: NOON, policy=ward.policy)

    async def dialogue(on_the_line: Call) -> None:
        await leave_message(on_the_line, front)

    transcript = str(await rehearse(dialogue, spoken, scripted([presses]), call_id=call.channel_id))
    assert (spoken.text("outgoing_neutral", "pt-BR") in transcript) is left
    assert "João" not in transcript and "Joao" not in transcript
    assert ward.again(call).contact_result == ("left_message" if left else None)


async def test_of_any_other_call_nothing_is_said(database: Database, words: wording.Wording) -> None:
    ward = Telephones(database)
    call = await ward.a_call()
    assert not ward.leaves(call), "she talks with him"
