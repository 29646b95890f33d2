"""The manager link under torture: a peer that breaks every promise a healthy Asterisk keeps."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from cti.ami import Ami, AmiDown, AmiEvent, AmiRefused, AmiUnanswered, Patience, UnsafeHeader
from tests.ami_peer import AmiPeer, Headers, event, message

QUICK = Patience(ping_every=0.3, dead_after=1.0, first_wait=0.02, longest_wait=0.1)
LEG = "n1-" + "a" * 32


@pytest.fixture
async def peer() -> AsyncIterator[AmiPeer]:
    async with AmiPeer() as peer:
        yield peer


class Heard:
    """What the link told its owner."""

    def __init__(self) -> None:
        self.events: list[AmiEvent] = []
        self.ups: list[bool] = []
        self.downs: list[str] = []
        self._more = asyncio.Event()

    def on_event(self, e: AmiEvent) -> None:
        self.events.append(e)
        self._more.set()

    async def on_up(self, resync: bool) -> None:
        self.ups.append(resync)
        self._more.set()

    def on_down(self, reason: str) -> None:
        self.downs.append(reason)
        self._more.set()

    async def until(self, condition: Callable[[], object], within: float = 5) -> None:
        async with asyncio.timeout(within):
            while not condition():
                self._more.clear()
                await self._more.wait()

    def names(self) -> list[str]:
        return [e.name for e in self.events if e.name != "FullyBooted"]


@asynccontextmanager
async def linked(
    peer: AmiPeer,
    heard: Heard,
    patience: Patience = QUICK,
    on_event: Callable[[AmiEvent], Awaitable[None] | None] | None = None,
    on_up: Callable[[bool], Awaitable[None]] | None = None,
) -> AsyncIterator[Ami]:
    ami = Ami(
        peer.address,
        peer.port,
        "core",
        "s3cret",
        on_event or heard.on_event,
        on_up or heard.on_up,
        heard.on_down,
        patience,
    )
    await ami.start()
    try:
        await ami.wait_up(5)
        yield ami
    finally:
        await ami.stop()


# ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("I3")
async def test_an_originate_that_the_line_took_with_it_is_never_sent_again(peer: AmiPeer) -> None:
    async def cuts(_: Headers) -> None:
        peer.cut()

    peer.answers["Originate"] = cuts
    heard = Heard()
    async with linked(peer, heard) as ami:
        with pytest.raises(AmiUnanswered, match="Originate was sent, then"):
            await ami.action("Originate", Channel="PJSIP/joao", ChannelId=LEG)
        await heard.until(lambda: heard.ups == [False, True])
        await ami.action("CoreStatus")  # one whole round trip on the new line: nothing can still be on its way
        assert peer.connections == 2
        assert peer.names().count("Originate") == 1


@pytest.mark.covers("I3")
async def test_an_order_while_the_line_is_down_is_refused_and_stays_unsent(peer: AmiPeer) -> None:
    heard = Heard()
    async with linked(peer, heard, Patience(first_wait=0.3, longest_wait=0.3)) as ami:
        peer.cut()
        await heard.until(lambda: heard.downs)
        with pytest.raises(AmiDown, match="Originate was not sent"):
            await ami.action("Originate", Channel="PJSIP/joao", ChannelId=LEG)
        await heard.until(lambda: len(heard.ups) == 2)
        await ami.action("CoreStatus")
        assert "Originate" not in peer.names()


async def test_an_order_without_an_answer_is_told_as_unknown_and_leaves_nothing_behind(peer: AmiPeer) -> None:
    async def swallows(_: Headers) -> None:
        return

    peer.answers["Hangup"] = swallows
    async with linked(peer, Heard()) as ami:
        with pytest.raises(AmiUnanswered, match=r"no answer came in 0\.1 s"):
            await ami.action("Hangup", 0.1, Channel="PJSIP/joao-00000001")
        assert ami.up
        assert ami._link is not None
        assert ami._link._cutter.responses == {}


@pytest.mark.covers("I7")
@pytest.mark.parametrize("evil", ["a\r\nAction: Hangup", "a\nb", "a\rb", "a\0b"])
async def test_a_line_break_or_nul_never_reaches_the_wire(peer: AmiPeer, evil: str) -> None:
    async with linked(peer, Heard()) as ami:
        for headers in ({"CallerID": evil}, {"Variable": ["HL_NURSE=x", evil]}, {evil: "x"}):
            with pytest.raises(UnsafeHeader) as refused:
                await ami.action("Originate", Channel="PJSIP/joao", ChannelId=LEG, **headers)
            assert "Action: Hangup" not in str(refused.value) or evil in headers
        await ami.action("CoreStatus")
        assert peer.names() == ["Login", "CoreStatus"]


async def test_an_originate_is_always_asynchronous_and_bears_our_channel_id(peer: AmiPeer) -> None:
    async with linked(peer, Heard()) as ami:
        await ami.action("Originate", Channel="PJSIP/joao", ChannelId=LEG, Variable=["A=1", "B=2"])
        sent = await peer.gets("Originate")
        assert (sent["Async"], sent["ChannelId"]) == ("true", LEG)
        assert b"Variable: A=1\r\nVariable: B=2\r\n" in peer.raw
        with pytest.raises(ValueError, match="ChannelId"):
            await ami.action("Originate", Channel="PJSIP/joao")


async def test_a_member_added_to_a_queue_is_one_answer_although_the_words_look_like_a_list(peer: AmiPeer) -> None:
    async def added(action: Headers) -> None:
        await peer.reply(action, "Response: Success", "Message: Added interface to queue")

    peer.answers["QueueAdd"] = added
    async with linked(peer, Heard()) as ami:
        answer = await ami.action("QueueAdd", Queue="nurses", Interface="PJSIP/ana")
        assert answer["Message"] == "Added interface to queue"


async def test_what_becomes_of_an_originate_arrives_as_an_event(peer: AmiPeer) -> None:
    async def queued(action: Headers) -> None:
        await peer.reply(action, "Response: Success", "Message: Originate successfully queued")
        await peer.send(
            message(
                "Event: OriginateResponse", f"ActionID: {action['ActionID']}", "Response: Failure", f"Uniqueid: {LEG}"
            )
        )

    peer.answers["Originate"] = queued
    heard = Heard()
    async with linked(peer, heard) as ami:
        await ami.action("Originate", Channel="PJSIP/joao", ChannelId=LEG)
        await heard.until(lambda: heard.names() == ["OriginateResponse"])
        assert heard.events[-1].fields["Uniqueid"] == LEG


async def test_a_list_comes_as_a_list_and_a_refused_list_ends_too(peer: AmiPeer) -> None:
    async def tree(action: Headers) -> None:
        number = f"ActionID: {action['ActionID']}"
        await peer.reply(action, "Response: Success", "EventList: start", "Message: Result will follow")
        await peer.send(message("Event: DBGetTreeResponse", number, "Key: /hl_callback/n1-1.1", "Val: 5550105"))
        await peer.send(message("Event: DBGetTreeComplete", number, "EventList: Complete", "ListItems: 1"))

    async def refused(action: Headers) -> None:
        await peer.reply(action, "Response: Error", "Message: Permission denied")

    peer.answers.update({"DBGetTree": tree, "QueueStatus": refused})
    async with linked(peer, Heard()) as ami:
        rows = await ami.listing("DBGetTree", Family="hl_callback")
        assert [(row["Key"], row["Val"]) for row in rows] == [("/hl_callback/n1-1.1", "5550105")]
        with pytest.raises(AmiRefused, match="Permission denied"):
            await ami.listing("QueueStatus", 1.0)


# ── a peer that fails ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("I10")
async def test_a_peer_that_holds_the_line_and_says_nothing_is_found_dead(peer: AmiPeer) -> None:
    heard = Heard()
    async with linked(peer, heard):
        peer.silent = True  # as a stopped process: its kernel keeps the connection open
        began = time.monotonic()
        await heard.until(lambda: heard.downs, within=QUICK.dead_after + 2)
        assert "silent" in heard.downs[0]
        assert time.monotonic() - began > QUICK.dead_after / 2
        assert any(action["Action"] == "Ping" for action in peer.received)
        peer.silent = False
        await heard.until(lambda: heard.ups == [False, True])


async def test_a_quiet_but_living_peer_is_kept(peer: AmiPeer) -> None:
    heard = Heard()
    async with linked(peer, heard):
        await peer.gets("Ping", times=8)  # more than twice the time after which silence is death
        assert heard.downs == []
        assert peer.connections == 1


async def test_a_peer_that_takes_the_connection_and_no_login_is_left_for_another_try(peer: AmiPeer) -> None:
    peer.silent = True
    heard = Heard()
    ami = Ami(
        peer.address,
        peer.port,
        "core",
        "x",
        heard.on_event,
        heard.on_up,
        heard.on_down,
        Patience(connect=0.1, first_wait=0.02),
    )
    await ami.start()
    try:
        await peer.is_connected(2)
        peer.silent = False
        await ami.wait_up()
        assert heard.ups == [False]
        assert peer.connections == 2
    finally:
        await ami.stop()


async def test_the_tries_become_rarer_and_are_spread(peer: AmiPeer, caplog: pytest.LogCaptureFixture) -> None:
    async def refuses(action: Headers) -> None:
        await peer.reply(action, "Response: Error", "Message: Authentication failed")

    peer.answers["Login"] = refuses
    heard = Heard()
    ami = Ami(
        peer.address, peer.port, "core", "wrong", heard.on_event, heard.on_up, heard.on_down, Patience(first_wait=0.05)
    )
    with caplog.at_level(logging.WARNING):
        await ami.start()
        await peer.is_connected(5)
        await ami.stop()
    waits = [later - earlier for earlier, later in zip(peer.connected_at, peer.connected_at[1:], strict=False)]
    for n, wait in enumerate(waits):
        assert wait >= 0.5 * 0.05 * 2**n  # 0.05, 0.1, 0.2, 0.4 s, each times 0.5 … 1.5
    assert "compare the manager user's secret" in caplog.text
    assert "wrong" not in caplog.text


async def test_a_message_without_an_end_is_no_reason_to_grow(peer: AmiPeer) -> None:
    heard = Heard()
    async with linked(peer, heard):
        await peer.send(b"Event: Newstate\r\n" + b"X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 30_000)
        await heard.until(lambda: heard.downs)
        assert heard.downs == ["a message without an end"]


async def test_an_asterisk_that_says_goodbye_is_reported_and_found_again(peer: AmiPeer) -> None:
    heard = Heard()
    async with linked(peer, heard):
        await peer.send(event("Shutdown", Shutdown="Cleanly", Restart="True"))
        peer.cut()
        await heard.until(lambda: len(heard.ups) == 2)
        assert heard.names() == ["Shutdown"]
        assert len(heard.downs) == 1


# ── what comes in ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("cut", range(1, 12))
async def test_a_letter_that_is_split_over_two_segments_stays_whole(peer: AmiPeer, cut: int) -> None:
    heard = Heard()
    async with linked(peer, heard):
        whole = event("Newstate", Linkedid="1", CallerIDName="Lucía 陈梅 𝄞")
        at = whole.index("í".encode()) + cut
        await peer.send(whole[:at])
        await asyncio.sleep(0.02)  # so that the rest is another segment
        await peer.send(whole[at:])
        await heard.until(lambda: heard.names())
        assert heard.events[-1].fields["CallerIDName"] == "Lucía 陈梅 𝄞"


async def test_bytes_that_are_no_utf8_do_no_harm(peer: AmiPeer) -> None:
    heard = Heard()
    async with linked(peer, heard):
        await peer.send(b"Event: Newstate\r\nLinkedid: 1\r\nCallerIDName: \xff\xfe Ruth \xc3\r\n\r\n\xf0")
        await peer.send(b"\r\n\r\n" + event("Newstate", Linkedid="2"))
        await heard.until(lambda: len(heard.names()) == 2)
        assert heard.events[-2].fields["CallerIDName"].strip() == "Ruth"
        assert heard.downs == []


async def test_channel_variables_are_folded_whatever_their_header_is_called(peer: AmiPeer) -> None:
    heard = Heard()
    async with linked(peer, heard):
        channel = "ChanVariable(PJSIP/joao-00000001)"
        await peer.send(
            message("Event: Hangup", "Linkedid: 1", f"{channel}: HL_CALL=n1-1.1", f"{channel}: HL_QUEUE=a=b")
        )
        await peer.send(message("Event: Hangup", "Linkedid: 1", "ChanVariable: HL_CALL=n1-1.2"))
        await heard.until(lambda: len(heard.names()) == 2)
        assert heard.events[-2].variables == {"HL_CALL": "n1-1.1", "HL_QUEUE": "a=b"}
        assert heard.events[-1].variables == {"HL_CALL": "n1-1.2"}


@pytest.mark.covers("I7")
async def test_a_handler_that_raises_loses_its_event_and_nothing_else(
    peer: AmiPeer, caplog: pytest.LogCaptureFixture
) -> None:
    heard = Heard()

    def raises(e: AmiEvent) -> None:
        if e.fields.get("Linkedid") == "evil":
            raise RuntimeError("no")
        heard.on_event(e)

    async def raises_later(e: AmiEvent) -> None:
        await asyncio.sleep(0)
        raises(e)

    for handler in (raises, raises_later):
        async with linked(peer, heard, on_event=handler) as ami:
            heard.events.clear()
            await peer.send(
                event("Newstate", Linkedid="evil", CallerIDName="Ruth Miller") + event("Hangup", Linkedid="good")
            )
            await heard.until(lambda: heard.names() == ["Hangup"])
            assert ami.up
    assert "the handler of Newstate failed" in caplog.text
    assert "Ruth" not in caplog.text
    assert heard.downs == ["closed by us", "closed by us"]


async def test_events_wait_until_the_state_has_been_read(peer: AmiPeer) -> None:
    heard = Heard()
    order: list[str] = []
    told = asyncio.Event()

    def handle(e: AmiEvent) -> None:
        order.append(e.name)
        if e.name == "Newstate":
            told.set()

    async def reads(_: bool) -> None:
        await peer.send(event("Newstate", Linkedid="1"))
        await asyncio.sleep(0.1)  # the event is here by now, and must wait
        order.append("read")

    async with linked(peer, heard, on_event=handle, on_up=reads):
        await asyncio.wait_for(told.wait(), 2)
    assert order.index("read") < order.index("Newstate")


async def test_a_state_that_cannot_be_read_begins_anew(peer: AmiPeer) -> None:
    heard = Heard()
    tries = 0

    async def fails_once(resync: bool) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise RuntimeError("half read")
        await heard.on_up(resync)

    async with linked(peer, heard, on_up=fails_once) as ami:
        assert tries == 2
        assert ami.links == 1
        assert heard.ups == [False]
