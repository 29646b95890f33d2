"""Waiting for a person: agents before the desk, the offer of a call back, the key that takes it."""

import pytest

from tests import listening
from tests.agi_stand_in import AgiTalk, finishing, ivr_that
from tests.asterisk_instance import AsteriskInstance
from tests.raw_ami import raw_ami

pytestmark = pytest.mark.asterisk

RINGBACK_HZ = (440, 480)


async def test_an_agent_who_joined_is_rung_before_the_desk(asterisk: AsteriskInstance) -> None:
    async with (
        ivr_that(asterisk, finishing),
        raw_ami(asterisk) as ami,
        await asterisk.phone("lucia") as lucia,
        await asterisk.phone("tom") as tom,
        await asterisk.phone("desk") as desk,
    ):
        await ami.action("QueueAdd", Queue="nurses", Interface="PJSIP/tom", MemberName="tom", Penalty="0")
        try:
            await lucia.dials("600")
            await tom.rings()
            assert not desk.is_ringing
            await tom.rejects(486)
            await desk.rings()  # nobody else is there
            await lucia.hangs_up()
        finally:
            await ami.action("QueueRemove", Queue="nurses", Interface="PJSIP/tom")
    await asterisk.no_channels()


async def test_a_caller_hears_ringing_then_the_offer_and_leaves_by_key_1(asterisk: AsteriskInstance) -> None:
    asked: list[str] = []

    async def ivr(talk: AgiTalk) -> None:
        path = talk.environment["agi_network_script"].partition("/")[2]
        asked.append(path)
        if path == "inbound":
            await finishing(talk)
            return
        await talk.takes_over()
        await talk.says('STREAM FILE /hotline/sounds/es/static/callback_thanks ""')
        await talk.says("SET VARIABLE HL_NEXT hangup")
        await talk.says("SET VARIABLE HL_DONE 1")

    async with ivr_that(asterisk, ivr), raw_ami(asterisk) as ami, await asterisk.phone("lucia") as lucia:
        await lucia.dials("600")
        joined = await ami.event("QueueCallerJoin")
        begin = lucia.position
        offered = await lucia.hears(asterisk.sound("queue_callback_offer", "es"), within=40)
        assert offered > asterisk.plan.callback_offer_seconds - 1
        heard = lucia.heard_since(begin)[: 10 * listening.RATE]
        assert sum(listening.tone(heard, hz) for hz in RINGBACK_HZ) > 0.9
        await lucia.presses("1")
        await lucia.hears(asterisk.sound("callback_thanks", "es"))
        await lucia.hung_up()
        await ami.event("QueueCallerLeave", Uniqueid=joined["Uniqueid"])
    assert asked == ["inbound", "callback"]
    await asterisk.no_channels()


async def test_an_unknown_queue_is_reception(asterisk: AsteriskInstance) -> None:
    async def ivr(talk: AgiTalk) -> None:
        await talk.takes_over()
        await talk.says("SET VARIABLE HL_NEXT queue")
        await talk.says('SET VARIABLE HL_QUEUE "nurses,r,,,1\\" | ${SHELL(id)}"')
        await talk.says("SET VARIABLE HL_DONE 1")

    async with ivr_that(asterisk, ivr), raw_ami(asterisk) as ami, await asterisk.phone("lucia") as lucia:
        await lucia.dials("600")
        assert (await ami.event("QueueCallerJoin"))["Queue"] == "reception"
        await lucia.hangs_up()
    await asterisk.no_channels()


async def test_who_is_urgent_hears_the_emergency_number_and_no_key_leads_out_of_the_line(
    asterisk: AsteriskInstance,
) -> None:
    async def ivr(talk: AgiTalk) -> None:
        await talk.takes_over()
        await talk.says("SET VARIABLE CHANNEL(language) es")
        await talk.says("SET VARIABLE HL_NEXT queue")
        await talk.says("SET VARIABLE HL_QUEUE urgent")
        await talk.says("SET VARIABLE HL_DONE 1")

    async with ivr_that(asterisk, ivr) as talks, raw_ami(asterisk) as ami, await asterisk.phone("lucia") as lucia:
        await lucia.dials("600")
        assert (await ami.event("QueueCallerJoin"))["Queue"] == "urgent"
        await lucia.hears(asterisk.sound("emergency", "es"), within=40)
        await lucia.presses("1")
        await lucia.hears(asterisk.sound("emergency", "es"), within=40)
        await lucia.hangs_up()
    assert len(talks) == 1
    await asterisk.no_channels()
