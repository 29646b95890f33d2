"""What a caller hears when the ivr ends well, dies, is not there, or says nothing: nobody is lost."""

import asyncio
from uuid import uuid4

import pytest

from tests.agi_stand_in import AgiTalk, finishing, ivr_that, saying_nothing
from tests.asterisk_instance import AsteriskInstance
from tests.phone import says_until_heard
from tests.raw_ami import RawAmi, raw_ami

pytestmark = pytest.mark.asterisk


@pytest.mark.covers("H1")
async def test_the_ivr_finishes_and_the_caller_comes_to_the_queue_it_named(asterisk: AsteriskInstance) -> None:
    async with ivr_that(asterisk, finishing) as talks, raw_ami(asterisk) as ami:
        async with await asterisk.phone("lucia") as lucia, await asterisk.phone("desk") as desk:
            await lucia.dials("600")
            await desk.rings()
            joined = await ami.event("QueueCallerJoin", Queue="nurses")
            assert joined["Linkedid"] == talks[0].environment["agi_uniqueid"]
            called = await ami.event("AgentCalled", Queue="nurses", Interface="PJSIP/desk")
            assert called["Linkedid"] == joined["Linkedid"]
            assert joined["Linkedid"].startswith("n1-")
            await desk.answers()
            await ami.event("AgentConnect", Queue="nurses")
            await says_until_heard(desk, asterisk.sound("goodbye", "es"), lucia)
            await lucia.hangs_up()
            await desk.hung_up()
        environment = talks[0].environment
        assert environment["agi_callerid"] == asterisk.account("lucia").number
        assert environment["agi_language"] == "es"
        assert environment["agi_network_script"] == f"{asterisk.plan.agi_secret}/inbound"
    await asterisk.no_channels()


async def test_the_ivr_says_goodbye_and_the_call_ends(asterisk: AsteriskInstance) -> None:
    async def booking(talk: AgiTalk) -> None:
        await talk.takes_over()
        await talk.says('STREAM FILE /hotline/sounds/es/static/goodbye ""')
        await talk.says("SET VARIABLE HL_NEXT hangup")
        await talk.says("SET VARIABLE HL_DONE 1")

    async with ivr_that(asterisk, booking), await asterisk.phone("lucia") as lucia:
        await lucia.dials("600")
        await lucia.hears(asterisk.sound("goodbye", "es"))
        assert await lucia.hung_up() == 200
    await asterisk.no_channels()


@pytest.mark.parametrize(
    "in_the_middle_of",
    [
        'STREAM FILE /hotline/sounds/es/static/emergency "123"',
        "GET DATA /hotline/sounds/es/static/emergency 10000 8",
        "WAIT FOR DIGIT 20000",
        "NOOP",
    ],
)
@pytest.mark.covers("I10")
async def test_the_ivr_is_killed_and_the_caller_hears_an_apology_and_is_queued(
    asterisk: AsteriskInstance, in_the_middle_of: str
) -> None:
    async def dying(talk: AgiTalk) -> None:
        await talk.takes_over()
        talk.writer.write(in_the_middle_of.encode() + b"\n")
        await asyncio.sleep(1)
        talk.dies()

    async with ivr_that(asterisk, dying), await asterisk.phone("lucia") as lucia, await asterisk.phone("desk") as desk:
        await lucia.dials("600")
        await lucia.hears(asterisk.sound("apology", "es"), within=30)
        await desk.rings()
        await lucia.hangs_up()
    await asterisk.no_channels()


@pytest.mark.parametrize("leg", ["automatic", "message", "oncall"])
@pytest.mark.covers("H18", "I10")
async def test_whom_we_called_is_in_no_queue_when_the_ivr_dies(asterisk: AsteriskInstance, leg: str) -> None:
    """It may be a machine: one that is known, one whose greeting is heard, or the mailbox of who is on call."""

    async def dying(talk: AgiTalk) -> None:
        await talk.takes_over()
        talk.dies()

    async with ivr_that(asterisk, dying), raw_ami(asterisk) as ami, await asterisk.phone("joao") as joao:
        await called(ami, leg)
        await joao.rings()
        await joao.answers()
        await joao.hears(asterisk.sound("outgoing_down"))
        assert await joao.hung_up() == 200
        assert "QueueCallerJoin" not in {event.get("Event") for event in ami.events}
    await asterisk.no_channels()


@pytest.mark.covers("H18", "I10")
async def test_a_person_whom_we_called_is_kept_when_the_ivr_dies(asterisk: AsteriskInstance) -> None:
    async def dying(talk: AgiTalk) -> None:
        await talk.takes_over()
        await talk.says("SET VARIABLE HL_PERSON 1")
        talk.dies()

    async with ivr_that(asterisk, dying), raw_ami(asterisk) as ami, await asterisk.phone("joao") as joao:
        await called(ami, "automatic")
        await joao.rings()
        await joao.answers()
        await joao.hears(asterisk.sound("apology"))
        await ami.event("QueueCallerJoin", Queue="reception")
        await joao.hangs_up()
    await asterisk.no_channels()


async def called(ami: RawAmi, leg: str) -> None:
    """João's phone is rung; answered, it enters [dialer] at `leg`."""
    into = {"Context": "dialer", "Exten": leg, "Priority": "1", "Async": "true"}
    answer = await ami.action("Originate", Channel="PJSIP/joao", ChannelId=f"n1-{uuid4().hex}", **into)
    assert answer["Response"] == "Success", answer


@pytest.mark.covers("H1", "I10")
async def test_agistatus_says_success_of_an_ivr_that_died_and_of_one_that_did_nothing(
    asterisk: AsteriskInstance,
) -> None:
    """So the dialplan never asks it, and goes by what the ivr has set."""

    async def unknown_application(talk: AgiTalk) -> None:
        assert await talk.says("EXEC NoSuchApplication x") == "200 result=-2"

    async def dying(talk: AgiTalk) -> None:
        await talk.takes_over()
        talk.dies()

    for ivr, prompt in ((unknown_application, "ivr_down_menu"), (dying, "apology")):
        async with ivr_that(asterisk, ivr), raw_ami(asterisk) as ami, await asterisk.phone("lucia") as lucia:
            await lucia.dials("600")
            await lucia.hears(asterisk.sound(prompt, "es"), within=30)
            joined = await ami.event("QueueCallerJoin", Queue="reception", within=30)
            told = await ami.action("Getvar", Channel=joined["Channel"], Variable="AGISTATUS")
            assert told["Value"] == "SUCCESS"
            await lucia.hangs_up()
        await asterisk.no_channels()


async def test_a_hang_up_is_a_bare_line_and_then_media_is_refused(asterisk: AsteriskInstance) -> None:
    """Where AGISIGHUP and AGIEXITONHANGUP are not as our dialplan sets them."""
    lines: asyncio.Queue[str] = asyncio.Queue()

    async def listening(talk: AgiTalk) -> None:
        lines.put_nowait("here")
        lines.put_nowait(await talk.says("WAIT FOR DIGIT 30000"))
        lines.put_nowait(await talk.says('STREAM FILE beep ""'))
        lines.put_nowait((await talk.reader.readline()).decode().strip())
        for command in ("NOOP", "SET VARIABLE HL_DONE 1"):
            lines.put_nowait(await talk.says(command))

    steps = ["Answer()", "Set(AGISIGHUP=yes)", "Set(AGIEXITONHANGUP=no)"]
    steps.append(f"AGI(agi://{asterisk.address}:{asterisk.plan.agi_port}/{asterisk.plan.agi_secret}/inbound)")
    for step, what in enumerate(steps, 1):
        await asterisk.cli(f'dialplan add extension 697,{step},"{what}" into patients')
    try:
        async with ivr_that(asterisk, listening), await asterisk.phone("lucia") as lucia:
            await lucia.dials("697")
            assert await lines.get() == "here"
            await lucia.hangs_up()
            told = [await asyncio.wait_for(lines.get(), 10) for _ in range(5)]
            assert told[0] == "200 result=-1"
            assert told[1] == "HANGUP", "a line of its own, before the next reply"
            assert told[2].startswith("511 ")
            assert told[3:] == ["200 result=0", "200 result=1"]
    finally:
        await asterisk.cli("dialplan remove extension 697@patients")
    await asterisk.no_channels()


async def test_the_ivr_goes_away_without_having_finished(asterisk: AsteriskInstance) -> None:
    async with ivr_that(asterisk, AgiTalk.takes_over), await asterisk.phone("ruth") as ruth:
        await ruth.dials("600")
        await ruth.hears(asterisk.sound("apology"))
    await asterisk.no_channels()


async def test_no_ivr_and_no_key_leads_to_a_person(asterisk: AsteriskInstance) -> None:
    async with await asterisk.phone("lucia") as lucia, await asterisk.phone("desk") as desk:
        await lucia.dials("600")
        await lucia.hears(asterisk.sound("ivr_down_menu", "es"))
        await lucia.presses("5")
        await desk.rings()
        await desk.answers()
        await desk.hangs_up()
        await lucia.hung_up()
    await asterisk.no_channels()


@pytest.mark.parametrize(
    ("keys", "kept"),
    [("3015550107#", "3015550107"), ("#", "+573015550101")],
    ids=["another number", "# alone: the number that calls"],
)
async def test_no_ivr_and_a_callback_is_kept_for_later(asterisk: AsteriskInstance, keys: str, kept: str) -> None:
    async with raw_ami(asterisk) as ami, await asterisk.phone("lucia") as lucia:
        await lucia.dials("600")
        await lucia.hears(asterisk.sound("ivr_down_menu", "es"))
        await lucia.presses("1")
        await lucia.hears(asterisk.sound("callback_number", "es"))
        await lucia.presses(keys)
        await lucia.hears(asterisk.sound("callback_thanks", "es"))
        await lucia.hung_up()
        channel = (await ami.event("Newchannel"))["Uniqueid"]
        await ami.action("DBGetTree", Family="hl_callback")
        found = await ami.event("DBGetTreeResponse", Key=f"/hl_callback/{channel}")
        assert found["Val"] == kept
        assert (await ami.action("DBDel", Family="hl_callback", Key=channel))["Response"] == "Success"
        assert {event.get("Event") for event in ami.events}.isdisjoint({"VarSet", "Newexten"})
    assert "0 results found" in await asterisk.cli("database show hl_callback")
    await asterisk.no_channels()


async def test_no_ivr_and_too_short_a_number_is_asked_again_then_a_person(asterisk: AsteriskInstance) -> None:
    async with await asterisk.phone("lucia") as lucia, await asterisk.phone("desk") as desk:
        await lucia.dials("600")
        await lucia.hears(asterisk.sound("ivr_down_menu", "es"))
        await lucia.presses("1")
        await lucia.hears(asterisk.sound("callback_number", "es"))
        await lucia.presses("12#")
        await lucia.hears(asterisk.sound("callback_number", "es"))
        await lucia.presses("34#")
        await desk.rings()
    await asterisk.no_channels()
    assert "0 results found" in await asterisk.cli("database show hl_callback")


async def test_an_ivr_that_accepts_and_says_nothing_is_as_good_as_none(asterisk: AsteriskInstance) -> None:
    async with ivr_that(asterisk, saying_nothing) as talks, await asterisk.phone("lucia") as lucia:
        await lucia.dials("600")
        await lucia.hears(asterisk.sound("ivr_down_menu", "es"), within=30)
        assert len(talks) == 1
        await lucia.hangs_up()
    await asterisk.no_channels()


async def test_a_caller_who_hangs_up_leaves_nothing_behind(asterisk: AsteriskInstance) -> None:
    asked = asyncio.Event()

    async def asking(talk: AgiTalk) -> None:
        await talk.takes_over()
        asked.set()
        await talk.says("WAIT FOR DIGIT 60000")

    async with ivr_that(asterisk, asking), await asterisk.phone("lucia") as lucia:
        await lucia.dials("600")
        await asked.wait()
        assert "1 active channel" in await asterisk.cli("core show channels")
        await lucia.hangs_up()
        await asterisk.no_channels()  # fails where one is left
