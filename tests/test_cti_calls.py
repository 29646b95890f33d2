"""Call control on a real Asterisk with real phones: what is dialled, what the line says, and nothing twice."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cti.ami import AmiUnanswered
from cti.events import (
    AsteriskLost,
    AsteriskReady,
    LegAnswered,
    LegEnded,
    LegRinging,
    OriginateFailed,
)
from cti.telephone import LegGone, NumberRefused
from tests.ami_relay import AmiRelay
from tests.asterisk_instance import AsteriskInstance, demo_plan, free_address, network
from tests.carrier import Carrier
from tests.characters import JOAO, RUTH
from tests.late import until
from tests.switchboards import Listener, listening, new_leg

pytestmark = pytest.mark.asterisk
CALLER_ID = "6015550199"


@asynccontextmanager
async def nurse_on_the_line(asterisk: AsteriskInstance, listener: Listener) -> AsyncIterator[str]:
    """Ana's leg, answered and waiting; gives its channel id."""
    async with await asterisk.phone("ana") as ana:
        leg = new_leg()
        await listener.telephone.ring_staff("ana", leg)
        await ana.rings()
        await ana.answers()
        await listener.hears(LegAnswered, channel_id=leg)
        yield leg


async def dial(listener: Listener, nurse: str, timeout_s: float = 20, number: str = JOAO.numbers[0]) -> str:
    leg = new_leg()
    await listener.telephone.dial(number, leg, nurse, timeout_s, CALLER_ID, "pt-BR")
    return leg


def channel_of(listener: Listener, leg: str) -> str:
    return next(one.channel for one in listener.telephone.live_channels() if one.channel_id == leg)


def another(asterisk: AsteriskInstance, folder: Path) -> AsteriskInstance:
    """A second Asterisk, not yet started, that a test may kill."""
    folder.chmod(0o755)
    return AsteriskInstance(demo_plan(free_address()), folder, asterisk.sounds)


def calls_recorded(asterisk: AsteriskInstance, leg: str) -> int:
    return (asterisk.folder / "log" / "calls.csv").read_text().count(f'\n"{leg}"')


# What the trunk answers (provisional, final) → our line result, and whether the phone rang.
ANSWERS = {
    (100, 486): ("busy", False),
    (100, 600): ("busy", False),
    (100, 404): ("invalid_number", False),
    (100, 604): ("invalid_number", False),
    (100, 410): ("invalid_number", False),
    (100, 484): ("invalid_number", False),
    (100, 480): ("unreachable", False),
    (100, 408): ("unreachable", False),
    (100, 603): ("rejected", False),
    (100, 403): ("network_failure", False),
    (100, 503): ("network_failure", False),
    (100, 500): ("network_failure", False),
    (100, 488): ("network_failure", False),
    (100, 606): ("network_failure", False),
    (100, 487): ("network_failure", False),
    (180, 486): ("busy", True),
    (180, 480): ("no_answer", True),
    (180, 408): ("no_answer", True),
    (180, 603): ("rejected", True),
    (180, 403): ("rejected", True),
    (180, 487): ("no_answer", True),
    (180, 503): ("network_failure", True),
}


@pytest.mark.covers("H14", "H18")
async def test_each_way_not_to_answer_has_its_own_line_result(asterisk: AsteriskInstance) -> None:
    got: dict[tuple[int, int], tuple[str, bool]] = {}
    async with (
        listening(asterisk) as listener,
        nurse_on_the_line(asterisk, listener) as nurse,
        Carrier(asterisk) as carrier,
    ):
        for first, final in ANSWERS:
            leg = await dial(listener, nurse, number=f"+573010{first}{final}")
            end = await listener.hears(LegEnded, channel_id=leg)
            got[first, final] = (end.line_result.value, end.rang)
            assert end.tech_cause == final
        assert len(carrier.calls) == len(ANSWERS)
    assert got == ANSWERS


@pytest.mark.covers("H14", "H18")
async def test_a_call_that_we_give_up_counts_only_where_something_rang(asterisk: AsteriskInstance) -> None:
    async with (
        listening(asterisk) as listener,
        nurse_on_the_line(asterisk, listener) as nurse,
        Carrier(asterisk),
    ):
        rang = await dial(listener, nurse, timeout_s=2, number="+573010180000")
        in_band = await dial(listener, nurse, timeout_s=2, number="+573010183000")
        silent = await dial(listener, nurse, timeout_s=2, number="+573010100000")
        results = {}
        for leg in (rang, in_band, silent):
            end = await listener.hears(LegEnded, channel_id=leg)
            results[leg] = (end.line_result.value, end.rang)
        assert results[rang] == ("no_answer", True)
        assert results[in_band] == ("no_answer", True)  # many carriers let us hear the ringing instead of saying it
        assert results[silent] == ("network_failure", False)
        assert await listener.hears(LegRinging, channel_id=in_band)


@pytest.mark.covers("H18")
async def test_a_phone_that_is_not_registered_is_unreachable(asterisk: AsteriskInstance) -> None:
    async with listening(asterisk) as listener, nurse_on_the_line(asterisk, listener) as nurse:
        leg = await dial(listener, nurse, number=RUTH.numbers[0])
        failed = await listener.hears(OriginateFailed, channel_id=leg)
        assert failed.line_result == "unreachable"
        assert [e for e in listener.told if isinstance(e, LegEnded)] == []


@pytest.mark.covers("H14", "H16")
async def test_joao_answers_is_joined_to_ana_recorded_and_hung_up(asterisk: AsteriskInstance) -> None:
    async with (
        listening(asterisk) as listener,
        nurse_on_the_line(asterisk, listener) as nurse,
        await asterisk.phone("joao") as joao,
    ):
        leg = await dial(listener, nurse)
        assert CALLER_ID in await joao.rings()
        await joao.answers()
        await listener.hears(LegAnswered, channel_id=leg)
        assert {one.channel_id: one.answered for one in listener.telephone.live_channels()} == {
            leg: True,
            nurse: True,
        }
        telephone = listener.telephone
        with pytest.raises(ValueError, match="path"):
            await telephone.start_recording(leg, "/hotline/spool/joao.wav,,touch /hotline/spool/x")
        await telephone.start_recording(leg, "/hotline/spool/joao.wav")
        assert "/hotline/spool/" in await asterisk.cli(f"mixmonitor list {channel_of(listener, leg)}")
        await telephone.stop_recording(leg)
        assert "/hotline/spool/" not in await asterisk.cli(f"mixmonitor list {channel_of(listener, leg)}")
        await telephone.stop_recording(leg)  # nothing is recorded any more, and that is no error
        assert (asterisk.spool / "joao.wav").exists()
        assert await telephone.hang_up(leg)
        end = await listener.hears(LegEnded, channel_id=leg)
        assert (end.line_result, end.answered) == ("answered", True)
        await joao.hung_up()
        assert await telephone.was_dialled(leg) is True
        assert not await telephone.hang_up(leg)
        for gone in (telephone.start_recording(leg, "/hotline/spool/joao.wav"), telephone.stop_recording(leg)):
            with pytest.raises(LegGone):
                await gone


@pytest.mark.covers("H14")
async def test_a_call_that_the_nurse_gives_up_is_cancelled_and_not_the_patients_fault(
    asterisk: AsteriskInstance,
) -> None:
    async with (
        listening(asterisk) as listener,
        nurse_on_the_line(asterisk, listener) as nurse,
        await asterisk.phone("joao") as joao,
    ):
        leg = await dial(listener, nurse)
        await joao.rings()
        await listener.hears(LegRinging, channel_id=leg)
        assert await listener.telephone.hang_up(leg)
        assert (await listener.hears(LegEnded, channel_id=leg)).line_result == "cancelled"

        await joao.hung_up()  # else it is still busy
        early = await dial(listener, nurse)
        await listener.telephone.hang_up(early)  # perhaps before Asterisk has made the leg
        assert (await listener.hears(LegEnded, channel_id=early)).line_result == "cancelled"


async def test_nothing_is_dialled_that_no_list_allows(asterisk: AsteriskInstance) -> None:
    async with listening(asterisk) as listener, nurse_on_the_line(asterisk, listener) as nurse:
        telephone = listener.telephone
        evil = "+573015550101\r\nAction: Originate"
        for number in ("112", "+34915550100", "PJSIP/tom", "Local/600@hotline", "", "+57301555010", evil):
            with pytest.raises(NumberRefused) as refused:
                await telephone.dial(number, new_leg(), nurse, 5, CALLER_ID, "pt-BR")
            assert not number or number not in str(refused.value)
        with pytest.raises(LegGone):
            await telephone.dial(JOAO.numbers[0], new_leg(), new_leg(), 5, CALLER_ID, "pt-BR")
        with pytest.raises(NumberRefused):
            await telephone.ring_staff("ana&PJSIP/joao", new_leg())
        assert len(telephone.live_channels()) == 1


@pytest.mark.covers("I3")
async def test_a_line_cut_with_an_originate_in_flight_never_rings_joao_twice(asterisk: AsteriskInstance) -> None:
    relay_at = f"{network()}.20"
    async with (
        AmiRelay(relay_at, (asterisk.address, asterisk.plan.ami_port)) as relay,
        listening(asterisk, at=relay_at) as listener,
        nurse_on_the_line(asterisk, listener) as nurse,
        await asterisk.phone("joao") as joao,
    ):
        leg, sent = new_leg(), datetime.now(UTC)
        relay.cut_after = b"Action: Originate"
        with pytest.raises(AmiUnanswered):
            await listener.telephone.dial(JOAO.numbers[0], leg, nurse, 4, CALLER_ID, "pt-BR")
        await listener.hears(AsteriskLost)
        await listener.hears(AsteriskReady, again=True)
        await joao.rings()
        assert await listener.telephone.was_dialled(leg, sent) is True
        end = await listener.hears(LegEnded, channel_id=leg)
        assert (end.line_result, end.rang) == ("no_answer", True)
        await until("its record is written", lambda: calls_recorded(asterisk, leg) > 0)
        assert calls_recorded(asterisk, leg) == 1

        listener.forget()
        lost, sent = new_leg(), datetime.now(UTC)
        relay.cut_before = b"Action: Originate"
        with pytest.raises(AmiUnanswered):
            await listener.telephone.dial(JOAO.numbers[0], lost, nurse, 4, CALLER_ID, "pt-BR")
        await listener.hears(AsteriskReady, again=True)
        assert await listener.telephone.was_dialled(lost, sent) is None  # so soon that it may still be on its way
        assert await listener.telephone.was_dialled(lost, sent - timedelta(seconds=4)) is False
        assert calls_recorded(asterisk, lost) == 0


@pytest.mark.covers("I10")
async def test_callbacks_left_in_asterisk_are_collected_and_forgotten(asterisk: AsteriskInstance) -> None:
    async with listening(asterisk) as listener:
        assert await listener.telephone.collect_callbacks() == []
        await asterisk.cli("database put hl_callback n1-1795600000.1 12025550105")
        assert await listener.telephone.collect_callbacks() == [("n1-1795600000.1", "12025550105")]
        await listener.telephone.forget_callback("n1-1795600000.1")
        await listener.telephone.forget_callback("n1-1795600000.1")
        assert await listener.telephone.collect_callbacks() == []


def asterisk_processes(instance: AsteriskInstance) -> list[int]:
    """The sandbox and everything that runs in it."""
    assert instance._process is not None
    found = [instance._process.pid]
    for pid in found:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        found.extend(map(int, children))
    return found


@pytest.mark.covers("I10", "I3")
async def test_an_asterisk_killed_in_a_call_is_found_again_and_what_it_knew_is_unknown(
    asterisk: AsteriskInstance, tmp_path: Path
) -> None:
    own = another(asterisk, tmp_path)
    await asyncio.to_thread(own.start)
    try:
        async with (
            listening(own) as listener,
            nurse_on_the_line(own, listener) as nurse,
            await own.phone("joao") as joao,
        ):
            leg, sent = await dial(listener, nurse), datetime.now(UTC)
            await joao.rings()
            await listener.hears(LegRinging, channel_id=leg)
            for pid in reversed(asterisk_processes(own)):
                os.kill(pid, signal.SIGKILL)
            await listener.hears(AsteriskLost)
            await asyncio.to_thread(own.stop)
            await asyncio.to_thread(own.start)
            await listener.hears(AsteriskReady, again=True)
            assert listener.telephone.live_channels() == []
            assert await listener.telephone.was_dialled(leg, sent) is True  # we had seen it ring
            assert await listener.telephone.was_dialled(new_leg(), sent) is None  # its memory is gone
    finally:
        await asyncio.to_thread(own.stop)


@pytest.mark.covers("I10")
async def test_an_asterisk_that_stands_still_is_noticed_within_seconds(
    asterisk: AsteriskInstance, tmp_path: Path
) -> None:
    own = another(asterisk, tmp_path)
    await asyncio.to_thread(own.start)
    stopped = asterisk_processes(own)[1:]
    try:
        async with listening(own) as listener:
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
            lost = await listener.hears(AsteriskLost, within=5)
            assert "silent" in lost.reason
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
            await listener.hears(AsteriskReady, again=True)
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        await asyncio.to_thread(own.stop)
