"""Who is there: sign-in, a queue's call, wrap-up, a pause; and the queues of a real Asterisk that follow."""

import itertools
from collections.abc import Mapping
from uuid import uuid4

import pytest

from cti.events import (
    AgentAnswered,
    AgentMissed,
    AgentRinging,
    AsteriskReady,
    CallAbandoned,
    CallerQueued,
    LegEnded,
    TalkEnded,
)
from cti.presence import Presence
from cti.statuses import NEXT, IllegalMove, Status, StatusChanged, Wish
from cti.switchboard import Switchboard
from tests.asterisk_instance import AsteriskInstance, network
from tests.raw_ami import raw_ami
from tests.switchboards import Listener, listening, new_leg

QUEUES = ("reception", "nurses", "urgent")


class Duty:
    """SQL's part: what each person who is signed in wants. Also the statuses, as the console hears of them."""

    def __init__(self, wishes: Mapping[str, Wish] | None = None) -> None:
        self.wishes = dict(wishes or {})
        self.changes: list[tuple[str, str]] = []
        self.presence: Presence

    async def wanted(self) -> Mapping[str, Wish]:
        return self.wishes

    def attach(self, board: Switchboard) -> None:
        self.presence = Presence(board, self.wanted, QUEUES)
        self.presence.on_change(self._changed)

    def _changed(self, change: StatusChanged) -> None:
        self.changes.append((change.sip_username, change.status.value))


async def members(listener: Listener) -> dict[tuple[str, str], tuple[bool, str]]:
    """(queue, member) → (paused, why) of all that joined by QueueAdd."""
    rows = await listener.board.ami.listing("QueueStatus")
    return {
        (row["Queue"], row["Name"]): (row["Paused"] == "1", row.get("PausedReason", ""))
        for row in rows
        if row["Event"] == "QueueMember" and row["Membership"] == "dynamic"
    }


async def queue_lucia(listener: Listener, queue: str) -> str:
    """Lucía's phone is called and, when she has answered, put into the queue; gives the call's id."""
    leg = new_leg()
    await listener.board.ami.action(
        "Originate",
        Channel="PJSIP/lucia",
        ChannelId=leg,
        Context="waiting",
        Exten="s",
        Priority=1,
        Timeout=20_000,
        Variable=[f"HL_QUEUE={queue}"],
    )
    return leg


@pytest.mark.asterisk
@pytest.mark.covers("H10", "I9")
async def test_a_queues_call_rings_ana_is_told_before_she_answers_and_leaves_her_in_wrap_up(
    asterisk: AsteriskInstance,
) -> None:
    duty = Duty()
    async with (
        listening(asterisk, prepare=duty.attach) as listener,
        await asterisk.phone("lucia") as lucia,
        await asterisk.phone("ana") as ana,
        await asterisk.phone("tom") as tom,
    ):
        await duty.presence.sign_in("ana", Wish(("nurses", "urgent")))
        await duty.presence.sign_in("tom", Wish(("reception",)))
        call = await queue_lucia(listener, "nurses")
        await lucia.rings()
        await lucia.answers()
        await listener.hears(CallerQueued, call_id=call, queue="nurses", position=1)
        rings = await listener.hears(AgentRinging, call_id=call)
        assert (rings.sip_username, rings.queue) == ("ana", "nurses")
        await ana.rings()
        assert not ana.is_talking  # the page has its patient while the phone rings
        assert duty.presence.everyone() == {"ana": Status.RINGING, "tom": Status.AVAILABLE}
        assert not tom.is_ringing
        with pytest.raises(IllegalMove, match="ana cannot become signed_out while ringing"):
            await duty.presence.sign_out("ana")

        await ana.answers()
        answered = await listener.hears(AgentAnswered, call_id=call)
        assert (answered.sip_username, answered.channel_id) == ("ana", rings.channel_id)
        assert duty.presence.status("ana") == Status.TALKING
        await duty.presence.go_away("tom", "lunch")

        await lucia.hangs_up()
        ended = await listener.hears(TalkEnded, call_id=call)
        assert (ended.sip_username, ended.ended_by) == ("ana", "caller")
        assert duty.presence.status("ana") == Status.WRAP_UP
        await asterisk.no_channels()
        assert await members(listener) == {
            ("nurses", "ana"): (True, "wrap-up"),
            ("urgent", "ana"): (True, "wrap-up"),
            ("reception", "tom"): (True, "lunch"),
        }
        await duty.presence.come_back("ana")
        assert (await members(listener))["nurses", "ana"][0] is False
        assert [status for name, status in duty.changes if name == "ana"] == [
            "available",
            "ringing",
            "talking",
            "wrap_up",
            "available",
        ]
        await duty.presence.sign_out("ana")
        await duty.presence.sign_out("tom")
        assert await members(listener) == {}


@pytest.mark.asterisk
@pytest.mark.covers("H51")
async def test_whose_account_is_closed_leaves_the_queues_and_a_call_goes_on(asterisk: AsteriskInstance) -> None:
    duty = Duty()
    async with (
        listening(asterisk, prepare=duty.attach) as listener,
        await asterisk.phone("lucia") as lucia,
        await asterisk.phone("ana") as ana,
    ):
        for name, queues in (("ana", ("nurses", "urgent")), ("tom", ("reception",))):
            duty.wishes[name] = Wish(queues)
            await duty.presence.sign_in(name, duty.wishes[name])
        await duty.presence.let_go()
        assert {name for _, name in await members(listener)} == {"ana", "tom"}
        call = await queue_lucia(listener, "nurses")
        await lucia.rings()
        await lucia.answers()
        await ana.rings()
        await ana.answers()
        await listener.hears(AgentAnswered, call_id=call)
        duty.wishes.clear()
        await duty.presence.let_go()
        assert duty.presence.everyone() == {"ana": Status.TALKING}
        assert await members(listener) == {("nurses", "ana"): (True, "off duty"), ("urgent", "ana"): (True, "off duty")}
        await lucia.hangs_up()
        await listener.hears(TalkEnded, call_id=call)
        await duty.presence.let_go()
        assert duty.presence.everyone() == {}
        assert await members(listener) == {}
        await asterisk.no_channels()


@pytest.mark.asterisk
@pytest.mark.covers("H51")
async def test_who_has_another_role_takes_its_queues_calls_and_no_others(asterisk: AsteriskInstance) -> None:
    duty = Duty({"ana": Wish(("nurses", "urgent"))})
    async with (
        listening(asterisk, prepare=duty.attach) as listener,
        await asterisk.phone("lucia") as lucia,
        await asterisk.phone("ana") as ana,
    ):
        await duty.presence.go_away("ana", "pause")
        duty.wishes["ana"] = Wish(("reception", "urgent"))
        await duty.presence.come_back("ana", ("reception", "urgent"))
        assert await members(listener) == {("reception", "ana"): (False, ""), ("urgent", "ana"): (False, "")}
        call = await queue_lucia(listener, "reception")
        await lucia.rings()
        await lucia.answers()
        await ana.rings()
        await ana.answers()
        await listener.hears(AgentAnswered, call_id=call)
        duty.wishes["ana"] = Wish(("nurses", "urgent"))
        await duty.presence.let_go()
        assert {queue for queue, _ in await members(listener)} == {"reception", "urgent"}, "the call goes on"
        await lucia.hangs_up()
        await listener.hears(TalkEnded, call_id=call)
        await asterisk.no_channels()
        await duty.presence.let_go()
        paused = {key: paused for key, (paused, _) in (await members(listener)).items()}
        assert paused == {("nurses", "ana"): True, ("urgent", "ana"): True}
        await duty.presence.sign_out("ana")


@pytest.mark.asterisk
@pytest.mark.covers("I10")
async def test_a_caller_who_gives_up_leaves_nobody_ringing(asterisk: AsteriskInstance) -> None:
    duty = Duty()
    async with (
        listening(asterisk, prepare=duty.attach) as listener,
        await asterisk.phone("lucia") as lucia,
        await asterisk.phone("ana") as ana,
    ):
        await duty.presence.sign_in("ana", Wish(("nurses",)))
        call = await queue_lucia(listener, "nurses")
        await lucia.rings()
        await lucia.answers()
        rings = await listener.hears(AgentRinging, call_id=call, sip_username="ana")
        await ana.rings()
        await lucia.hangs_up()
        assert (await listener.hears(CallAbandoned, call_id=call)).queue == "nurses"
        await ana.hung_up()
        await listener.hears(LegEnded, channel_id=rings.channel_id)
        await asterisk.no_channels()
        assert [e for e in listener.told if isinstance(e, AgentMissed)] == []  # she was not given the time
        assert duty.presence.status("ana") == Status.AVAILABLE
        await duty.presence.sign_out("ana")


@pytest.mark.asterisk
@pytest.mark.covers("I10")
@pytest.mark.parametrize("done", [False, True], ids=["still writing", "done meanwhile"])
async def test_a_call_that_was_quicker_than_the_pause_and_is_not_taken_does_not_end_the_wrap_up(
    asterisk: AsteriskInstance, done: bool
) -> None:
    duty = Duty()
    async with (
        listening(asterisk, prepare=duty.attach) as listener,
        await asterisk.phone("lucia") as lucia,
        await asterisk.phone("ana") as ana,
    ):
        await duty.presence.sign_in("ana", Wish(("nurses",)))
        call = await queue_lucia(listener, "nurses")
        await lucia.rings()
        await lucia.answers()
        await ana.rings()
        await ana.answers()
        await listener.hears(AgentAnswered, call_id=call)
        await lucia.hangs_up()
        await listener.hears(TalkEnded, call_id=call)
        await asterisk.no_channels()
        await listener.board.ami.action("QueuePause", Interface="PJSIP/ana", Paused="false")  # as if it was on its way
        quicker = await queue_lucia(listener, "nurses")
        await lucia.rings()
        await lucia.answers()
        rings = await listener.hears(AgentRinging, call_id=quicker)
        assert duty.presence.status("ana") == Status.RINGING
        await listener.board.ami.action("QueuePause", Interface="PJSIP/ana", Paused="true", Reason="wrap-up")
        if done:
            await duty.presence.come_back("ana")
        await lucia.hangs_up()
        await listener.hears(LegEnded, channel_id=rings.channel_id)
        await asterisk.no_channels()
        if not done:
            assert duty.presence.status("ana") == Status.WRAP_UP
            assert await members(listener) == {("nurses", "ana"): (True, "wrap-up")}
            await duty.presence.come_back("ana")
        assert duty.presence.status("ana") == Status.AVAILABLE
        assert {key: paused for key, (paused, _) in (await members(listener)).items()} == {("nurses", "ana"): False}
        await duty.presence.sign_out("ana")


@pytest.mark.asterisk
@pytest.mark.covers("I10")
async def test_after_a_lost_link_the_queues_are_made_what_sql_wants(asterisk: AsteriskInstance) -> None:
    duty = Duty({"ana": Wish(("nurses",)), "tom": Wish(("reception", "urgent"), away="lunch")})
    async with raw_ami(asterisk) as raw:
        await raw.action("QueueAdd", Queue="nurses", Interface="PJSIP/oscar", MemberName="oscar")
        await raw.action("QueueAdd", Queue="reception", Interface="PJSIP/ana", MemberName="ana")
        await raw.action("QueueAdd", Queue="urgent", Interface="PJSIP/tom", MemberName="tom", Paused="false")
        async with listening(asterisk, prepare=duty.attach) as listener:
            wanted = {("nurses", "ana"): False, ("reception", "tom"): True, ("urgent", "tom"): True}
            assert {key: paused for key, (paused, _) in (await members(listener)).items()} == wanted
            assert duty.presence.everyone() == {"ana": Status.AVAILABLE, "tom": Status.AWAY}

            duty.wishes = {"ana": Wish(("nurses",))}  # Tom signed out while we did not look
            assert listener.board.ami._link is not None
            listener.board.ami._link.drop("cut by the test")
            await listener.hears(AsteriskReady, again=True)
            assert {key: paused for key, (paused, _) in (await members(listener)).items()} == {("nurses", "ana"): False}
            assert duty.presence.everyone() == {"ana": Status.AVAILABLE}
            await duty.presence.sign_out("ana")


@pytest.mark.asterisk
@pytest.mark.covers("I10")
async def test_ana_who_talks_over_a_lost_link_still_talks_and_then_wraps_up(asterisk: AsteriskInstance) -> None:
    duty = Duty({"ana": Wish(("nurses",))})
    async with (
        listening(asterisk, prepare=duty.attach) as listener,
        await asterisk.phone("lucia") as lucia,
        await asterisk.phone("ana") as ana,
    ):
        call = await queue_lucia(listener, "nurses")
        await lucia.rings()
        await lucia.answers()
        await ana.rings()
        await ana.answers()
        await listener.hears(AgentAnswered, call_id=call)
        duty.presence._people.clear()  # as a core that was killed and started again: it remembers nothing
        assert listener.board.ami._link is not None
        listener.board.ami._link.drop("cut by the test")
        await listener.hears(AsteriskReady, again=True)
        assert duty.presence.status("ana") == Status.TALKING
        await ana.hangs_up()
        await listener.hears(TalkEnded, call_id=call, ended_by="agent")
        await asterisk.no_channels()
        assert duty.presence.status("ana") == Status.WRAP_UP
        await duty.presence.sign_out("ana")


def test_the_table_of_moves_is_whole_and_nobody_can_be_stuck() -> None:
    assert set(NEXT) == set(Status)
    for status in Status:
        assert status not in NEXT[status]
        reachable = {status}
        for _ in Status:
            reachable |= set(itertools.chain.from_iterable(NEXT[one] for one in reachable))
        assert reachable == set(Status), f"who is {status} never becomes {set(Status) - reachable}"


async def test_an_illegal_move_raises_and_changes_nothing() -> None:
    duty = Duty()
    duty.attach(Switchboard(f"{network()}.12", 5038, "core", uuid4().hex))
    with pytest.raises(IllegalMove, match="oscar is not signed in"):
        await duty.presence.go_away("oscar", "lunch")
    await duty.presence.sign_in("ana", Wish(("nurses",)))  # no link: the queue follows later
    with pytest.raises(IllegalMove, match="ana is signed in already"):
        await duty.presence.sign_in("ana", Wish(("urgent",)))
    with pytest.raises(IllegalMove, match="ana cannot become available while available"):
        await duty.presence.come_back("ana")
    assert duty.changes == [("ana", "available")]
