"""From a due task to one call: the order of the steps, and what is left after a fault at each of them.

The exchange here takes orders and fails when told to; what the legs then do is played by the test. That a real one
behaves like it is shown in test_followup_calls.py.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from dialer.runner import DOUBT, Dialer, NotStarted
from dialer.telephone import Recorder, Telephone
from hospital import agentless, attempts, calls, followups, plan_changes, recordings, return_calls, screen_pops
from hospital.accounts import Account
from hospital.attempts import Attempt, Claimed
from hospital.calling_hours import PRESETS
from hospital.calling_rules import CallingPolicy, NotNow
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.outcome_rules import SHIPPED, OutcomeRules, Rule
from hospital.patients import Patient, Stay
from hospital.recordings import Recording
from tests.characters import JOAO, LUCIA
from tests.hospital_scene import UNCAPPED, admit, day_three, employ
from tests.moments import NOON, ZONE

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
EVENING = NOON + timedelta(hours=7, minutes=59)  # 20:59 in Bogotá
HOTLINE = "+5716000600"
DOWN, UNANSWERED = ConnectionError("no link"), TimeoutError("no answer")


class Exchange:
    """A Telephone. `orders`: what was asked of it, in order. `fails`: order → what it raises, after it was noted."""

    def __init__(self) -> None:
        self.orders: list[tuple[str, str]] = []
        self.fails: dict[str, Exception] = {}
        self.up: dict[str, bool] = {}
        self.ending: set[str] = set()
        self.reachable = True
        self.languages: list[str] = []  # of calls without a nurse
        self.knows: bool | None = None  # what its records say of a leg
        self.before: Callable[[str], None] = lambda order: None  # looks at the database at that moment

    def _take(self, order: str, about: str) -> None:
        self.before(order)
        self.orders.append((order, about))
        if order in self.fails:
            raise self.fails[order]

    async def ring_staff(self, sip_username: str, channel_id: str, quiet: bool = False) -> None:
        self._take("ring", sip_username)
        self.up[channel_id] = False

    async def dial(
        self,
        number_or_endpoint: str,
        channel_id: str,
        nurse_channel_id: str,
        timeout_s: float,
        caller_id: str,
        language: str,
    ) -> None:
        assert (timeout_s, caller_id) == (45.0, HOTLINE)
        assert self.up[nurse_channel_id], "the nurse is there before the patient's phone rings"
        self._take("dial", number_or_endpoint)
        self.up[channel_id] = False

    async def dial_alone(
        self, number_or_endpoint: str, channel_id: str, timeout_s: float, caller_id: str, language: str
    ) -> None:
        assert (timeout_s, caller_id) == (45.0, HOTLINE)
        self._take("dial alone", number_or_endpoint)
        self.languages.append(language)
        self.up[channel_id] = False

    async def dial_pooled(
        self, number_or_endpoint: str, channel_id: str, timeout_s: float, caller_id: str, language: str
    ) -> None:
        assert (timeout_s, caller_id) == (45.0, HOTLINE)
        self._take("dial pooled", number_or_endpoint)
        self.up[channel_id] = False

    async def join(self, channel_id: str, nurse_channel_id: str) -> None:
        self._take("join", f"{channel_id} {nurse_channel_id}")

    def is_up(self) -> bool:
        return self.reachable

    async def leave_message(self, channel_id: str) -> None:
        self._take("leave a message", channel_id)

    async def hang_up(self, channel_id: str) -> bool:
        self._take("hang up", channel_id)
        return self.up.pop(channel_id, None) is not None

    async def start_recording(self, channel_id: str, path: str) -> None:
        self._take("record", path)

    async def stop_recording(self, channel_id: str) -> None:
        self._take("stop recording", channel_id)

    async def was_dialled(self, channel_id: str, since: datetime | None = None) -> bool | None:
        assert since is not None
        self._take("was it dialled?", channel_id)
        return self.knows

    def live_channel_ids(self) -> dict[str, bool]:
        return dict(self.up)

    def is_ending(self, channel_id: str) -> bool:
        return channel_id in self.ending

    @property
    def steps(self) -> list[str]:
        return [order for order, _ in self.orders]


class Shelf:
    """A Recorder."""

    def __init__(self) -> None:
        self.no_room: str | None = None
        self.finished: list[UUID] = []
        self.closed = asyncio.Event()  # Asterisk has finished the files
        self.closed.set()

    def full(self) -> str | None:
        return self.no_room

    def begin(self, recording_id: UUID) -> str:
        return f"/hotline/spool/{recording_id}.wav"

    async def finish(self, recording_id: UUID) -> None:
        await self.closed.wait()
        self.finished.append(recording_id)


class Office:
    """Ana, João's task, the dialer between them, and what is written down."""

    def __init__(self, database: Database, policy: CallingPolicy = UNCAPPED) -> None:
        self.database, self.exchange, self.shelf, self.clock = database, Exchange(), Shelf(), NOON
        telephone: Telephone = self.exchange
        recorder: Recorder = self.shelf
        self.dialer = Dialer(
            database, telephone, recorder, policy, node="n1", caller_id=HOTLINE, now=lambda: self.clock,
            seconds=lambda: self.clock.timestamp(),
        )  # fmt: skip
        with database.transaction() as session:
            self.ana, self.grace = employ(session, "ana", "nurse").id, employ(session, "grace", "supervisor").id
            joao = admit(session, JOAO)
            self.joao, self.task_id = joao.id, day_three(session, joao).id

    async def starts(self) -> Attempt:
        """Ana presses the key; her phone rings."""
        attempt_id = await self.dialer.start(self.task_id, self.ana)
        assert isinstance(attempt_id, UUID), attempt_id.code
        return self.attempt

    async def picks_up(self, call: Attempt) -> None:
        self.exchange.up[call.nurse_channel_id] = True
        await self.dialer.leg_answered(call.nurse_channel_id, self.clock)

    async def patient_rings(self) -> Attempt:
        call = await self.starts()
        await self.picks_up(call)
        await self.dialer.leg_rang(call.channel_id)
        return self.attempt

    async def they_talk(self) -> Attempt:
        call = await self.patient_rings()
        self.exchange.up[call.channel_id] = True
        await self.dialer.leg_answered(call.channel_id, self.clock)
        assert self.attempt.state == "talking"
        return self.attempt

    async def leg_ends(self, channel_id: str, line_result: str) -> None:
        self.exchange.up.pop(channel_id, None)
        await self.dialer.leg_ended(channel_id, line_result, cause=16, sip_status=200)

    @property
    def attempt(self) -> Attempt:
        """The newest."""
        with self.database.transaction() as session:
            return attempts.of_task(session, self.task_id)[-1]

    @property
    def task(self) -> FollowUpTask:
        with self.database.transaction() as session:
            return session.get_one(FollowUpTask, self.task_id)

    @property
    def recording(self) -> Recording | None:
        with self.database.transaction() as session:
            return session.scalars(select(Recording)).one_or_none()

    @property
    def codes(self) -> list[str]:
        with self.database.transaction() as session:
            return [decision.code for decision in followups.decisions(session, self.task_id)]

    @property
    def dialled(self) -> int:
        return self.exchange.steps.count("dial")


@pytest.fixture
def office(database: Database) -> Office:
    return Office(database)


# ── The ordinary call ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H13", "H14", "I3")
async def test_committed_then_anas_phone_then_joaos(office: Office) -> None:
    seen: list[tuple[str, str]] = []
    office.exchange.before = lambda order: seen.append((order, office.attempt.state))
    call = await office.starts()
    assert office.exchange.orders == [("ring", "ana")], "nobody is dialled before the nurse is there"
    await office.picks_up(call)
    assert office.exchange.orders[1:] == [("dial", JOAO.numbers[0])]
    assert seen == [("ring", "claimed"), ("dial", "dialling")], "in the database before Asterisk hears of it"
    await office.picks_up(call)
    assert office.dialled == 1, "told twice that she picked up, it is dialled once"

    await office.dialer.leg_rang(call.channel_id)
    await office.dialer.leg_answered(call.channel_id, NOON + MINUTE)
    assert (office.attempt.state, office.attempt.answered_at) == ("talking", NOON + MINUTE)
    await office.leg_ends(call.channel_id, "answered")
    ended = office.attempt
    assert (ended.state, ended.line_result, ended.cause, ended.sip_status) == ("ended", "answered", 16, 200)
    assert office.exchange.orders[-1] == ("hang up", call.nurse_channel_id), "one call, one leg of hers"
    assert office.task.state == "wrap_up"
    await office.leg_ends(call.nurse_channel_id, "answered")
    assert office.attempt.line_result == "answered" and office.task.tries == 1


@pytest.mark.covers("H14", "H18")
@pytest.mark.parametrize("line", ["busy", "no_answer", "rejected", "invalid_number", "unreachable", "network_failure"])
async def test_nobody_answers_and_ana_is_free_again(office: Office, line: str) -> None:
    call = await office.patient_rings()
    await office.leg_ends(call.channel_id, line)
    assert (office.attempt.state, office.attempt.line_result) == ("ended", line)
    assert office.task.state == "open" and office.exchange.up == {}
    assert office.recording is None


async def test_legs_that_are_not_ours_are_nobodys_business(office: Office) -> None:
    await office.dialer.leg_rang("n1-1764093600.7")
    await office.dialer.leg_answered("n1-1764093600.7", NOON)
    await office.leg_ends("n1-1764093600.7", "answered")
    assert office.exchange.orders == []


# ── Not now ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("I4")
async def test_not_now_rings_nobody(database: Database) -> None:
    office = Office(database, CallingPolicy(PRESETS["us"], ZONE))
    office.clock = NOON + timedelta(hours=10)
    refused = await office.dialer.start(office.task_id, office.ana)
    assert isinstance(refused, NotNow)
    assert (refused.code, refused.not_before) == ("outside_window", NOON + timedelta(hours=19))
    assert office.exchange.orders == [] and office.task.state == "open"


@pytest.mark.covers("I3")
async def test_a_colleague_was_faster(office: Office) -> None:
    await office.starts()
    refused = await office.dialer.start(office.task_id, office.grace)
    assert isinstance(refused, NotNow) and refused.code == "not_open"
    assert office.exchange.orders == [("ring", "ana")]


@pytest.mark.covers("I4")
@pytest.mark.parametrize("why", ["outside_window", "opted_out"])
async def test_what_changed_while_anas_phone_rang(office: Office, why: str) -> None:
    office.clock = EVENING
    call = await office.starts()
    if why == "opted_out":
        with office.database.transaction() as session:
            session.get_one(Patient, office.joao).opted_out = ["follow_up"]
    else:
        office.clock = EVENING + MINUTE
    await office.picks_up(call)
    assert office.dialled == 0
    assert office.exchange.orders[-1] == ("hang up", call.nurse_channel_id), "she is not left in silence"
    assert (office.attempt.line_result, office.task.state, office.task.tries) == ("cancelled", "open", 0)
    assert office.codes[-2:] == ["not_dialled", "try_again"]


async def test_an_account_without_a_telephone(office: Office) -> None:
    with office.database.transaction() as session:
        session.get_one(Account, office.ana).sip_username = None
    with pytest.raises(NotStarted, match="no telephone"):
        await office.dialer.start(office.task_id, office.ana)
    assert office.task.state == "open"


@pytest.mark.covers("H16")
async def test_a_full_spool_dials_nobody(office: Office) -> None:
    office.shelf.no_room = "There is no room for recordings. Free some, then try again."
    with pytest.raises(NotStarted, match="no room"):
        await office.dialer.start(office.task_id, office.ana)
    assert office.exchange.orders == [] and office.task.state == "open"


# ── A fault at each step ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("I3", "I10")
@pytest.mark.parametrize("fault", [DOWN, ValueError("no such account")])
async def test_anas_phone_cannot_be_rung(office: Office, fault: Exception) -> None:
    office.exchange.fails["ring"] = fault
    with pytest.raises(NotStarted, match="Nothing was dialled"):
        await office.dialer.start(office.task_id, office.ana)
    assert (office.attempt.state, office.attempt.line_result) == ("ended", "cancelled")
    assert (office.task.state, office.task.tries) == ("open", 0)
    del office.exchange.fails["ring"]
    await office.starts()


@pytest.mark.covers("I3", "I10")
async def test_nobody_knows_whether_anas_phone_rings(office: Office) -> None:
    office.exchange.fails["ring"] = UNANSWERED
    call = await office.starts()
    assert call.state == "claimed"
    await office.picks_up(call)  # it did
    assert office.dialled == 1


@pytest.mark.covers("I3", "I10")
async def test_anas_phone_never_rang(office: Office) -> None:
    office.exchange.fails["ring"] = UNANSWERED
    await office.starts()
    await office.dialer.reconcile()
    assert (office.attempt.line_result, office.task.state, office.dialled) == ("cancelled", "open", 0)


@pytest.mark.covers("I3", "I10")
@pytest.mark.parametrize(
    ("fault", "line"),
    [(DOWN, "cancelled"), (LookupError("she is gone"), "cancelled"), (ValueError("no route"), "not_allowed")],
)
async def test_the_order_to_dial_is_not_taken(
    office: Office, fault: Exception, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    office.exchange.fails["dial"] = fault
    call = await office.starts()
    with caplog.at_level(logging.DEBUG):
        await office.picks_up(call)
    assert (office.attempt.state, office.attempt.line_result) == ("ended", line)
    assert (office.task.state, office.task.tries) == ("open", 0)
    assert office.exchange.up == {} and JOAO.numbers[0] not in caplog.text


@pytest.mark.covers("I3", "I10")
@pytest.mark.parametrize("asterisk_says", [False, True, None, UNANSWERED])
async def test_the_order_to_dial_was_in_flight_when_the_link_was_cut(
    office: Office, asterisk_says: bool | Exception | None
) -> None:
    office.exchange.fails["dial"] = UNANSWERED
    call = await office.starts()
    await office.picks_up(call)
    assert office.attempt.state == "dialling", "its fate is unknown: nothing is decided yet"
    if isinstance(asterisk_says, Exception):
        office.exchange.fails["was it dialled?"] = asterisk_says
    else:
        office.exchange.knows = asterisk_says
    await office.dialer.reconcile()
    assert office.attempt.state == "dialling", "asked so soon, Asterisk could not tell"
    office.clock += DOUBT
    await office.dialer.settle_doubtful()
    await office.dialer.reconcile()
    assert office.dialled == 1, "never dialled again"
    assert call.nurse_channel_id not in office.exchange.up
    if asterisk_says is False:
        assert (office.attempt.line_result, office.task.state, office.task.tries) == ("cancelled", "open", 0)
    else:
        assert (office.attempt.state, office.task.state, office.task.tries) == ("review", "review", 1)
        refused = await office.dialer.start(office.task_id, office.ana)
        assert isinstance(refused, NotNow) and refused.code == "not_open"


@pytest.mark.covers("I3", "I10")
async def test_put_before_a_person_and_then_his_leg_is_heard_to_end(office: Office) -> None:
    office.exchange.fails["dial"] = UNANSWERED
    call = await office.starts()
    await office.picks_up(call)
    office.clock += DOUBT
    await office.dialer.settle_doubtful()
    await office.leg_ends(call.channel_id, "busy")
    assert (office.attempt.line_result, office.task.state, office.task.tries) == ("busy", "open", 1)


@pytest.mark.covers("I10")
async def test_the_link_is_cut_while_it_is_settled(office: Office) -> None:
    office.exchange.fails |= {"dial": UNANSWERED, "was it dialled?": DOWN}
    await office.picks_up(await office.starts())
    office.clock += DOUBT
    with pytest.raises(ConnectionError):
        await office.dialer.settle_doubtful()
    assert office.attempt.state == "dialling", "the next link settles it"
    del office.exchange.fails["was it dialled?"]
    office.exchange.knows = False
    await office.dialer.reconcile()
    assert office.task.state == "open" and office.dialled == 1


@pytest.mark.covers("I3", "I10")
async def test_his_phone_rings_and_was_answered_while_the_link_was_down(office: Office) -> None:
    call = await office.patient_rings()
    office.clock += DOUBT
    await office.dialer.reconcile()
    await office.dialer.settle_doubtful()
    assert office.attempt.state == "dialling", "it rings still: nothing to settle"
    office.exchange.up[call.channel_id] = True
    await office.dialer.reconcile()
    assert office.attempt.state == "talking"
    del office.exchange.up[call.channel_id]
    office.clock += 3 * MINUTE
    await office.dialer.reconcile()
    assert (office.attempt.line_result, office.task.state) == ("answered", "wrap_up")
    assert office.dialled == 1


@pytest.mark.covers("I3", "I10")
async def test_ana_picked_up_while_the_link_was_down(office: Office) -> None:
    call = await office.starts()
    await office.dialer.reconcile()
    assert office.attempt.state == "claimed", "her phone still rings"
    office.exchange.up[call.nurse_channel_id] = True
    await office.dialer.reconcile()
    assert (office.attempt.line_result, office.task.state) == ("cancelled", "open")
    assert office.exchange.up == {} and office.dialled == 0


@pytest.mark.covers("I5", "I10")
async def test_the_end_of_a_talk_was_heard_and_could_not_be_written_down(office: Office) -> None:
    call = await office.they_talk()
    del office.exchange.up[call.channel_id]
    office.exchange.reachable = False
    for _ in range(3):
        await office.dialer.settle_doubtful()
    assert office.attempt.state == "talking", "without the link nobody can tell"
    office.exchange.reachable = True
    await office.dialer.settle_doubtful()
    assert office.attempt.state == "talking", "perhaps its end is just being written down"
    await office.dialer.settle_doubtful()
    assert (office.attempt.line_result, office.task.state) == ("answered", "wrap_up")
    assert office.recording is not None and office.recording.reason == "not_started"
    assert office.exchange.up == {}


@pytest.mark.covers("I5", "I10")
async def test_a_new_link_does_not_wait_for_a_recording_that_was_never_closed(office: Office) -> None:
    call = await office.they_talk()
    assert await office.dialer.start_recording(call.id, office.ana)
    kept = office.recording
    assert kept is not None
    office.exchange.up.clear()
    office.shelf.closed.clear()
    await asyncio.wait_for(office.dialer.reconcile(), 5)
    assert (office.attempt.line_result, office.task.state) == ("answered", "wrap_up")
    assert office.shelf.finished == []
    office.shelf.closed.set()
    await office.dialer.recordings_finished()
    assert office.shelf.finished == [kept.id]


@pytest.mark.covers("I3", "I10")
async def test_ana_picked_up_and_the_order_could_not_be_written_down(office: Office) -> None:
    call = await office.starts()
    for _ in range(3):
        await office.dialer.settle_doubtful()
    assert office.attempt.state == "claimed", "her phone rings"
    office.exchange.up[call.nurse_channel_id] = True
    await office.dialer.settle_doubtful()
    assert office.attempt.state == "claimed", "perhaps it is just being written down"
    await office.dialer.settle_doubtful()
    assert (office.attempt.line_result, office.task.state) == ("cancelled", "open")
    assert office.exchange.up == {} and office.dialled == 0
    await office.starts()


# ── Ana leaves ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H14", "I3")
async def test_ana_does_not_pick_up(office: Office) -> None:
    call = await office.starts()
    await office.leg_ends(call.nurse_channel_id, "no_answer")
    assert (office.attempt.line_result, office.task.state, office.task.tries) == ("cancelled", "open", 0)
    assert office.dialled == 0


@pytest.mark.covers("I3", "I6")
async def test_ana_leaves_while_his_phone_rings(office: Office) -> None:
    call = await office.patient_rings()
    await office.leg_ends(call.nurse_channel_id, "answered")
    assert ("hang up", call.channel_id) in office.exchange.orders, "nobody is answered by nobody"
    await office.leg_ends(call.channel_id, "cancelled")
    assert (office.attempt.line_result, office.task.tries) == ("cancelled", 1), "it rang: that counts"


@pytest.mark.covers("I3")
async def test_ana_cancels_before_she_picks_up_and_picks_up_all_the_same(office: Office) -> None:
    call = await office.starts()
    office.exchange.up.clear()  # her phone isn't up yet
    assert await office.dialer.hang_up(call.id, office.ana)
    assert office.attempt.line_result == "cancelled"
    assert not await office.dialer.hang_up(call.id, office.ana), "over already"
    await office.picks_up(call)
    assert office.dialled == 0 and office.exchange.up == {}


async def test_ana_hangs_up_on_the_page_and_nobody_else_can(office: Office) -> None:
    call = await office.they_talk()
    assert not await office.dialer.hang_up(call.id, office.grace)
    assert "hang up" not in office.exchange.steps
    assert await office.dialer.hang_up(call.id, office.ana)
    assert office.exchange.up == {}
    assert office.attempt.state == "talking", "the line's result comes from the line"


@pytest.mark.covers("I3", "I10")
async def test_the_link_is_down_when_ana_hangs_up(office: Office) -> None:
    call = await office.they_talk()
    office.exchange.fails["hang up"] = DOWN
    with pytest.raises(ConnectionError):
        await office.dialer.hang_up(call.id, office.ana)
    office.exchange.up.clear()
    await office.dialer.reconcile()
    assert (office.attempt.line_result, office.task.state) == ("answered", "wrap_up")


# ── Recording ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H16", "I5")
async def test_recorded_from_the_key_on_and_sealed_at_the_end(office: Office) -> None:
    call = await office.patient_rings()
    assert not await office.dialer.start_recording(call.id, office.ana), "nobody is on the line yet"
    office.exchange.up[call.channel_id] = True
    await office.dialer.leg_answered(call.channel_id, NOON)
    assert office.recording is None and "record" not in office.exchange.steps, "not a byte before the notice"
    assert not await office.dialer.start_recording(call.id, office.grace)
    opened: list[str] = []
    office.exchange.before = lambda order: opened.append(getattr(office.recording, "state", "missing"))
    assert await office.dialer.start_recording(call.id, office.ana)
    assert opened == ["open"], "a sweep knows of it before the first byte"
    kept = office.recording
    assert kept is not None and office.exchange.orders[-1] == ("record", f"/hotline/spool/{kept.id}.wav")
    assert not await office.dialer.start_recording(call.id, office.ana), "once"
    await office.leg_ends(call.channel_id, "answered")
    await office.dialer.recordings_finished()
    assert office.shelf.finished == [kept.id]


@pytest.mark.covers("H16", "I5")
async def test_joao_refuses_and_is_served(office: Office) -> None:
    call = await office.they_talk()
    assert not await office.dialer.refuse_recording(call.id, office.grace)
    assert await office.dialer.refuse_recording(call.id, office.ana)
    assert not await office.dialer.start_recording(call.id, office.ana)
    await office.leg_ends(call.channel_id, "answered")
    kept = office.recording
    assert kept is not None and (kept.state, kept.reason) == ("none", "refused")
    assert "record" not in office.exchange.steps and office.shelf.finished == []


@pytest.mark.covers("H16", "I5")
async def test_joao_wants_no_more_of_it_recorded_and_is_served(office: Office) -> None:
    """Or said so before the page knew that it had begun."""
    call = await office.they_talk()
    assert await office.dialer.start_recording(call.id, office.ana)
    kept = office.recording
    assert kept is not None
    office.exchange.fails["stop recording"] = DOWN
    with pytest.raises(NotStarted, match="could not be stopped"):
        await office.dialer.refuse_recording(call.id, office.ana)
    assert office.shelf.finished == []
    del office.exchange.fails["stop recording"]
    assert await office.dialer.refuse_recording(call.id, office.ana)
    await office.dialer.recordings_finished()
    assert office.exchange.orders[-1] == ("stop recording", call.channel_id)
    assert office.shelf.finished == [kept.id] and office.attempt.state == "talking"


@pytest.mark.covers("H16", "I5")
@pytest.mark.parametrize("line", ["answered", "network_failure"])
async def test_ana_forgot_to_record(office: Office, line: str) -> None:
    call = await office.they_talk()
    await office.leg_ends(call.channel_id, line)
    kept = office.recording
    assert kept is not None and (kept.state, kept.reason) == ("none", "not_started")
    assert office.attempt.line_result == "answered"


@pytest.mark.covers("H16", "I5")
async def test_the_spool_fills_up_during_the_call(office: Office) -> None:
    call = await office.they_talk()
    office.shelf.no_room = "There is no room for recordings."
    with pytest.raises(NotStarted, match="no room"):
        await office.dialer.start_recording(call.id, office.ana)
    kept = office.recording
    assert kept is not None and (kept.state, kept.reason) == ("none", "spool_full")
    assert office.attempt.state == "talking", "the call goes on"


@pytest.mark.covers("H16", "I5", "I10")
@pytest.mark.parametrize("fault", [DOWN, UNANSWERED, LookupError("gone")])
async def test_asterisk_does_not_begin_to_record(office: Office, fault: Exception) -> None:
    call = await office.they_talk()
    office.exchange.fails["record"] = fault
    with pytest.raises(NotStarted, match="could not be started"):
        await office.dialer.start_recording(call.id, office.ana)
    kept = office.recording
    assert kept is not None and kept.state == "open", "perhaps it does: the shelf looks for the file at the end"
    await office.leg_ends(call.channel_id, "answered")
    await office.dialer.recordings_finished()
    assert office.shelf.finished == [kept.id]
    with office.database.transaction() as session:
        assert recordings.still_open(session, NOON + MINUTE) == [kept.id], "if not, the sweep finds it"


# ── The plan changes while a phone rings ────────────────────────────────────────────────────────────────────────────


def after_a_stay(office: Office) -> None:
    with office.database.transaction() as session:
        stay = Stay(patient_id=office.joao, ward="surgery 2", discharged_at=NOON - 3 * DAY)
        session.add(stay)
        session.flush()
        task = session.get_one(FollowUpTask, office.task_id)
        task.stay_id, task.ward = stay.id, stay.ward


ENDED_BY = {
    "died": plan_changes.died,
    "readmitted": plan_changes.readmitted,
    "transferred": partial(plan_changes.transferred, ward=None),
    "withdrawn": plan_changes.withdrawn,
}
"""What ends the day-3 call after a stay, and what is told."""
whatever_ends_it = pytest.mark.parametrize("why", ENDED_BY)


@pytest.mark.covers("H20", "I4")
@whatever_ends_it
async def test_what_rings_is_hung_up_when_its_plan_has_ended(office: Office, why: str) -> None:
    after_a_stay(office)
    call = await office.patient_rings()
    with office.database.transaction() as session:
        assert ENDED_BY[why](session, office.joao, at=NOON).stopped == (office.task_id,)
    await office.dialer.call_off()
    assert office.exchange.orders[-2:] == [("hang up", call.channel_id), ("hang up", call.nurse_channel_id)]
    await office.leg_ends(call.channel_id, "cancelled")
    assert (office.attempt.state, office.task.state, office.task.stop_reason) == ("ended", "stopped", why)
    before = len(office.exchange.orders)
    await office.dialer.call_off()
    assert len(office.exchange.orders) == before, "once"


@pytest.mark.covers("H20", "I4")
@whatever_ends_it
async def test_a_claim_whose_plan_has_ended_is_not_dialled(office: Office, why: str) -> None:
    after_a_stay(office)
    call = await office.starts()
    with office.database.transaction() as session:
        ENDED_BY[why](session, office.joao, at=NOON)
    await office.picks_up(call)
    assert office.dialled == 0
    assert (office.attempt.state, office.task.state, office.task.stop_reason) == ("ended", "stopped", why)


@pytest.mark.covers("H20", "I4")
@whatever_ends_it
def test_who_picks_up_a_call_without_a_nurse_whose_plan_has_ended_hears_nothing(office: Office, why: str) -> None:
    """However late it is called off, or with nobody there to do it."""
    after_a_stay(office)
    with office.database.transaction() as session:
        session.get_one(FollowUpTask, office.task_id).channel = "automated_call"
    with office.database.transaction() as session:
        call = agentless.claim_next(session, "n1", NOON, UNCAPPED, kinds=["follow_up"], most=1)
        assert isinstance(call, Claimed) and attempts.dialling(session, call.attempt_id, NOON)
    with office.database.transaction() as session:
        ENDED_BY[why](session, office.joao, at=NOON)
    with office.database.transaction() as session:
        assert agentless.answered(session, call.channel_id, NOON, UNCAPPED) is None
        attempts.line_ended(session, call.attempt_id, "answered", NOON, UNCAPPED)
    assert office.attempt.contact_result == ("refused" if why == "died" else "hung_up")
    assert (office.task.state, office.task.stop_reason, office.codes[-1]) == ("stopped", why, "nothing_said")


@pytest.mark.covers("H20")
@pytest.mark.parametrize("when", ["claimed", "ringing"])
async def test_who_is_moved_to_another_ward_meanwhile_is_called_and_the_next_call_is_that_wards(
    office: Office, when: str
) -> None:
    """Nothing ends, and Ana is about to speak with him: what comes after it is for whoever calls there."""
    after_a_stay(office)
    call = await office.starts()
    if when == "ringing":
        await office.picks_up(call)
    with office.database.transaction() as session:
        assert plan_changes.transferred(session, office.joao, "rehabilitation", NOON).stopped == ()
    await office.dialer.call_off()
    if when == "claimed":
        await office.picks_up(call)
    assert "hang up" not in office.exchange.steps and office.dialled == 1
    assert (office.task.state, office.task.ward, office.task.owner_id) == ("calling", "rehabilitation", office.ana)
    await office.leg_ends(call.channel_id, "no_answer")
    assert (office.task.state, office.task.ward) == ("open", "rehabilitation")


@pytest.mark.covers("H20")
async def test_a_talk_is_not_cut_off_and_nothing_follows_it(office: Office) -> None:
    call = await office.they_talk()
    with office.database.transaction() as session:
        changed = plan_changes.died(session, office.joao, NOON)
        assert (changed.stopped, changed.talking) == ((), (office.task_id,))
        attempts.contact_result(session, call.id, "call_later", NOON, UNCAPPED, call_at=NOON + MINUTE)
    await office.dialer.call_off()
    assert "hang up" not in office.exchange.steps
    await office.leg_ends(call.channel_id, "answered")
    assert (office.task.state, office.task.stop_reason) == ("stopped", "died")


# ── What the hospital has published ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H14", "H51")
async def test_the_next_result_goes_by_the_rules_that_are_in_force_then(database: Database) -> None:
    office, busy_again = Office(database), timedelta(minutes=30)

    async def in_force() -> OutcomeRules:
        return replace(SHIPPED, line=SHIPPED.line | {"busy": Rule("same_number", busy_again)})

    office.dialer = Dialer(
        database,
        office.exchange,
        office.shelf,
        UNCAPPED,
        node="n1",
        caller_id=HOTLINE,
        now=lambda: office.clock,
        outcomes=in_force,
    )
    call = await office.patient_rings()
    await office.leg_ends(call.channel_id, "busy")
    assert office.task.next_try_at == NOON + timedelta(minutes=30)
    busy_again = timedelta(hours=2)  # it is published while the next call rings
    call = await office.patient_rings()
    await office.leg_ends(call.channel_id, "busy")
    assert office.task.next_try_at == NOON + timedelta(hours=2)


# ── The patient calls back ──────────────────────────────────────────────────────────────────────────────────────────


def calls_back(office: Office, number: str = JOAO.numbers[0]) -> UUID:
    """João calls back the hospital, and Ana talks to him; her card's id."""
    with office.database.transaction() as session:
        calls.begin(session, "n1-back", "n1", number, office.clock)
        calls.queued(session, "n1-back", "nurses")
        return_calls.noted(session, "n1-back", office.task_id, office.clock)
        pop_id = screen_pops.pop(session, "n1-back", office.ana, "n1-ana", office.clock)
        assert screen_pops.pop_moved(session, "n1-back", "n1-ana", "answered", office.clock)
        return pop_id


async def missed(office: Office) -> None:
    call = await office.patient_rings()
    await office.leg_ends(call.channel_id, "no_answer")


@pytest.mark.covers("H14", "I3", "I5")
async def test_joao_calls_back_and_ana_works_on_his_task_in_that_call(database: Database) -> None:
    office = Office(database)
    await missed(office)
    pop = calls_back(office)
    assert await database.run(return_calls.take_up, pop, office.grace, NOON) is None, "it is Ana's call"
    assert await database.run(return_calls.take_up, pop, office.ana, NOON) == office.task_id
    assert await database.run(return_calls.take_up, pop, office.ana, NOON) == office.task_id, "pressed twice"
    assert (office.task.state, office.attempt.state, office.attempt.channel_id) == ("calling", "talking", "n1-back")
    assert isinstance(await office.dialer.start(office.task_id, office.ana), NotNow), "nobody dials him meanwhile"
    assert await database.run(attempts.contact_result, office.attempt.id, "completed", NOON, UNCAPPED)
    await office.leg_ends("n1-ana", "answered")
    await office.leg_ends("n1-back", "answered")
    assert (office.task.state, office.task.tries) == ("done", 1), "his own call is no try of ours"
    assert office.attempt.line_result == "answered"
    assert office.recording is not None and office.recording.reason == "not_started"
    assert "taken_up" in office.codes and "called_back" in office.codes
    assert not [who for _, who in office.exchange.orders if "back" in who or "returned" in who]


async def works_on_it(office: Office) -> None:
    """João has called back, Ana has taken it up, and both are there."""
    await missed(office)
    assert await office.database.run(return_calls.take_up, calls_back(office), office.ana, NOON) == office.task_id
    office.exchange.up = {"n1-back": True, "n1-ana": True}
    assert await office.dialer.start_recording(office.attempt.id, office.ana)
    office.exchange.orders.clear()


@pytest.mark.covers("H14", "H16", "I6")
async def test_what_joao_says_after_ana_has_hung_up_is_not_hers(database: Database) -> None:
    office = Office(database)
    await works_on_it(office)
    office.exchange.up.pop("n1-ana")
    await office.dialer.talk_ended("n1-back")  # he is asked how it was
    assert office.exchange.orders == [("stop recording", "n1-back")]
    assert (office.attempt.state, office.attempt.line_result, office.task.state) == ("ended", "answered", "wrap_up")
    await office.dialer.recordings_finished()
    assert office.recording is not None and office.shelf.finished == [office.recording.id]
    assert not await office.dialer.hang_up(office.attempt.id, office.ana), "his talk with somebody else is not hers"
    await office.leg_ends("n1-back", "answered")
    assert office.task.state == "wrap_up" and len(office.exchange.orders) == 1


@pytest.mark.covers("I3", "I10")
async def test_her_end_of_a_returned_call_that_the_link_did_not_tell(database: Database) -> None:
    office = Office(database)
    await works_on_it(office)
    office.exchange.fails["stop recording"] = DOWN
    with pytest.raises(ConnectionError):
        await office.dialer.talk_ended("n1-back")
    assert office.attempt.state == "talking", "he may still be recorded"
    office.exchange.fails.clear()
    await office.dialer.reconcile()
    await office.dialer.settle_doubtful()
    await office.dialer.settle_doubtful()
    assert office.attempt.state == "talking", "she is still there"
    office.exchange.up.pop("n1-ana")
    await office.dialer.reconcile()
    assert (office.attempt.state, office.task.state) == ("ended", "wrap_up")
    assert office.exchange.orders == [("stop recording", "n1-back")] * 2


@pytest.mark.covers("I10")
async def test_her_end_of_a_returned_call_that_could_not_be_written_down(database: Database) -> None:
    office = Office(database)
    await works_on_it(office)
    office.exchange.up.pop("n1-ana")
    await office.dialer.settle_doubtful()
    assert office.attempt.state == "talking", "her event may be on its way"
    await office.dialer.settle_doubtful()
    assert (office.attempt.state, office.task.state) == ("ended", "wrap_up")


@pytest.mark.covers("H14")
async def test_a_task_that_was_given_up_is_taken_up_when_he_calls_back(database: Database) -> None:
    office = Office(database)
    with database.transaction() as session:
        session.get_one(FollowUpTask, office.task_id).max_tries = 1
    await missed(office)
    assert (office.task.state, office.task.stop_reason) == ("stopped", "not_reached")
    pop = calls_back(office)
    assert await database.run(return_calls.take_up, pop, office.ana, NOON) == office.task_id
    await office.leg_ends("n1-back", "answered")
    assert office.task.state == "wrap_up"


async def test_what_was_given_to_grace_is_anas_who_speaks_with_him_when_he_calls_back(database: Database) -> None:
    office = Office(database)
    await missed(office)
    with database.transaction() as session:
        task = session.get_one(FollowUpTask, office.task_id)
        task.owner_id, task.given_at = office.grace, NOON
    assert await database.run(return_calls.take_up, calls_back(office), office.ana, NOON) == office.task_id
    assert (office.task.owner_id, office.task.given_at) == (office.ana, None)


@pytest.mark.covers("H14", "I3")
@pytest.mark.parametrize(
    "was",
    [
        {"state": "stopped", "stop_reason": "not_reached", "closed_at": NOON},
        {"state": "open", "stop_reason": None, "closed_at": None},
    ],
    ids=["given up", "given to Grace"],
)
async def test_what_ana_cannot_take_up_in_another_call_stays_as_it_was(database: Database, was: dict[str, Any]) -> None:
    office = Office(database)
    await missed(office)
    was = was | {"owner_id": office.grace, "given_at": NOON}
    with database.transaction() as session:
        other = day_three(session, admit(session, LUCIA)).id
        session.execute(update(FollowUpTask).where(FollowUpTask.id == office.task_id).values(**was))
    pop = calls_back(office)
    assert isinstance(await office.dialer.start(other, office.ana), UUID)
    codes = office.codes
    assert await database.run(return_calls.take_up, pop, office.ana, NOON) is None
    assert {name: getattr(office.task, name) for name in was} == was
    assert office.codes == codes


@pytest.mark.covers("I3")
async def test_what_cannot_be_taken_up(database: Database) -> None:
    office = Office(database)
    await missed(office)
    pop = calls_back(office)
    with database.transaction() as session:
        session.get_one(FollowUpTask, office.task_id).channel = "letter"
    assert await database.run(return_calls.take_up, pop, office.ana, NOON) is None
    with database.transaction() as session:
        session.get_one(FollowUpTask, office.task_id).channel = "nurse_call"
        assert screen_pops.pop_moved(session, "n1-back", "n1-ana", "ended", NOON)
    assert await database.run(return_calls.take_up, pop, office.ana, NOON) is None, "the call is over"
    assert office.task.state == "open"
