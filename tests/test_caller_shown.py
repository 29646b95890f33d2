"""Which number a called party sees, by the INVITE as the carrier receives it."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import pytest

from cti.events import LegAnswered, LegEnded
from tests.agi_stand_in import finishing, ivr_that
from tests.asterisk_instance import AsteriskInstance, with_plan
from tests.carrier import Carrier
from tests.raw_ami import raw_ami
from tests.switchboards import Listener, listening, new_leg
from tests.test_dialplan_access import outside_line

pytestmark = [pytest.mark.asterisk, pytest.mark.covers("H18")]
OURS = "6015550199"
CAMPAIGNS = "+576015550177"
ANSWERS, GOES = "+573010180200", "+573010180299"  # answers and stays; answers and hangs up
ACCOUNT = "acct.0815"


def user(header: str) -> str:
    """Whom a From or a P-Asserted-Identity names; with a display name, that too."""
    found = re.fullmatch(r"(.*?) ?<sip:([^@>]*)@[^>]+>(;tag=.*)?", header)
    assert found is not None, header
    return " ".join(filter(None, (found[1].strip('"'), found[2])))


async def dials_all(asterisk: AsteriskInstance, listener: Listener, carrier: Carrier) -> None:
    """A campaign's call, one of a nurse's, who is on call, an interpreter, and what an agent dials by hand."""
    of = listener.telephone

    async def over(leg: str) -> None:
        await listener.hears(LegEnded, channel_id=leg)

    legs = [new_leg() for _ in range(6)]
    await of.dial_alone(GOES, legs[0], 10, CAMPAIGNS, "es")
    await over(legs[0])
    await of.dial_pooled(GOES, legs[1], 10, CAMPAIGNS, "es")
    await over(legs[1])
    await of.ring_on_call(GOES, None, legs[2], 10, OURS, "es")
    await over(legs[2])
    async with await asterisk.phone("ana") as ana:
        await of.ring_staff("ana", legs[3])
        await ana.rings()
        await ana.answers()
        await listener.hears(LegAnswered, channel_id=legs[3])
        await of.dial(ANSWERS, legs[4], legs[3], 10, CAMPAIGNS, "es")
        await listener.hears(LegAnswered, channel_id=legs[4])
        await of.ring_interpreter(GOES, legs[5], legs[4], 10, OURS, "es")
        await over(legs[5])
        await of.hang_up(legs[4])
        await over(legs[4])
        await ana.hangs_up()
        await over(legs[3])
        await ana.dials("+573010100486", answered=False)
        await ana.hung_up()


def assert_nothing_in_the_talk(carrier: Carrier) -> None:
    """No later request tells whom the called party was put through to."""
    said = [method for method, _ in carrier.told]
    assert said.count("INVITE") == len(carrier.calls) and "UPDATE" not in said


SHOWN = [CAMPAIGNS, CAMPAIGNS, OURS, CAMPAIGNS, OURS, OURS]


async def test_a_called_party_sees_the_campaigns_number_or_ours(asterisk: AsteriskInstance) -> None:
    async with listening(asterisk) as listener, Carrier(asterisk) as carrier:
        await dials_all(asterisk, listener, carrier)
        assert [user(named) for named, _ in carrier.shown] == SHOWN
        assert {asserted for _, asserted in carrier.shown} == {""}
        assert_nothing_in_the_talk(carrier)
    await asterisk.no_channels()


async def test_a_carrier_that_wants_its_account_in_from_has_the_number_asserted(
    asterisk: AsteriskInstance, tmp_path: Path
) -> None:
    trunk = asterisk.plan.trunk
    assert trunk is not None
    other = with_plan(asterisk, tmp_path, trunk=replace(trunk, from_user=ACCOUNT))
    await asyncio.to_thread(other.start)
    try:
        async with listening(other) as listener, Carrier(other) as carrier:
            await dials_all(other, listener, carrier)
            assert {user(named) for named, _ in carrier.shown} == {ACCOUNT}
            assert [user(asserted) for _, asserted in carrier.shown] == SHOWN
            assert_nothing_in_the_talk(carrier)
    finally:
        await asyncio.to_thread(other.stop)


async def test_whose_call_is_passed_on_shows_ours_also_where_they_withheld_theirs(asterisk: AsteriskInstance) -> None:
    """A caller is transferred to a number outside: theirs is not the called party's to know, and ours is no secret."""
    hides = {"P-Asserted-Identity": "<sip:+573015550101@carrier.example>", "Privacy": "id"}
    async with (
        ivr_that(asterisk, finishing),
        raw_ami(asterisk) as ami,
        Carrier(asterisk) as carrier,
        await outside_line(asterisk, number="anonymous", display="Mei") as caller,
    ):
        await caller.dials(OURS, headers=hides)
        leg = (await ami.event("QueueCallerJoin"))["Channel"]
        await ami.action("Redirect", Channel=leg, Context="agents", Exten=ANSWERS, Priority="1")
        await ami.event("DialEnd", DialStatus="ANSWER")
        assert [user(named) for named, _ in carrier.shown] == [OURS]
        await caller.hangs_up()
    await asterisk.no_channels()
