"""Calling patients: the nurse's leg first, the patient's answer bridged to it, and what each failure looks like."""

import asyncio
import contextlib
import uuid
from pathlib import Path

import pytest

from recordings.wav import NotWav, inspect
from tests import listening
from tests.asterisk_instance import AsteriskInstance
from tests.late import until
from tests.phone import says_until_heard
from tests.raw_ami import Message, RawAmi, raw_ami
from tests.test_cti_words import MEASURED

pytestmark = pytest.mark.asterisk

RINGBACK_HZ = (440, 480)


def new_id() -> str:
    return f"n1-{uuid.uuid4().hex}"


async def nurse_leg(ami: RawAmi, username: str) -> str:
    """Begin a nurse's leg; returns its channel id. Her phone still has to be answered."""
    channel_id = new_id()
    answer = await ami.action(
        "Originate",
        Channel=f"PJSIP/{username}",
        ChannelId=channel_id,
        Context="nurse-leg",
        Exten="s",
        Priority="1",
        Timeout="30000",
        Async="true",
    )
    assert answer["Response"] == "Success", answer
    return channel_id


async def patient_leg(ami: RawAmi, channel: str, nurse: str, *, timeout_ms: int = 30000) -> str:
    """Begin a patient's leg that is bridged to the channel named `nurse`; returns its channel id."""
    channel_id = new_id()
    answer = await ami.action(
        "Originate",
        Channel=channel,
        ChannelId=channel_id,
        Context="dialer",
        Exten="bridge",
        Priority="1",
        Timeout=str(timeout_ms),
        Variable=f"HL_NURSE={nurse}",
        Async="true",
    )
    assert answer["Response"] == "Success", answer
    return channel_id


def is_closed(recording: Path) -> bool:
    """MixMonitor writes the end in a thread of its own, after the call's."""
    with contextlib.suppress(NotWav), recording.open("rb") as file:
        return inspect(file).finished
    return False


@pytest.mark.covers("I3", "I6")
async def test_a_patient_is_bridged_to_the_waiting_nurse_and_recorded(asterisk: AsteriskInstance) -> None:
    async with (
        raw_ami(asterisk) as ami,
        await asterisk.phone("ana") as ana,
        await asterisk.phone("joao") as joao,
    ):
        nurse_id = await nurse_leg(ami, "ana")
        await ana.rings()
        await ana.answers()
        nurse = (await ami.event("OriginateResponse", Uniqueid=nurse_id))["Channel"]

        attempt_id = await patient_leg(ami, "PJSIP/joao", nurse)
        await joao.rings()
        await asyncio.sleep(2.5)
        assert sum(listening.tone(ana.heard_since(0), hz) for hz in RINGBACK_HZ) > 0.9
        await joao.answers()
        patient = (await ami.event("BridgeEnter", Uniqueid=attempt_id))["Channel"]
        await ami.event("BridgeEnter", Uniqueid=nurse_id)

        # recording begins in the middle of the talk, on the patient's leg, and holds both voices
        await joao.speaks(asterisk.sound("goodbye"))
        await ana.hears(asterisk.sound("goodbye"))
        recording = asterisk.spool / f"{attempt_id}.wav"
        answer = await ami.action("MixMonitor", Channel=patient, File=f"/hotline/spool/{recording.name}")
        assert answer["Response"] == "Success", answer
        await ana.speaks(asterisk.sound("please_wait"))
        await joao.hears(asterisk.sound("please_wait"))
        await joao.speaks(asterisk.sound("callback_thanks"))
        await ana.hears(asterisk.sound("callback_thanks"))

        await joao.hangs_up()
        await ami.event("Hangup", Uniqueid=attempt_id)
        await until("the recording is closed", lambda: is_closed(recording))
        heard = listening.recorded(recording)
        assert listening.find(heard, listening.prompt(asterisk.sound("please_wait")))
        assert listening.find(heard, listening.prompt(asterisk.sound("callback_thanks")))
        assert not listening.find(heard, listening.prompt(asterisk.sound("goodbye")))

        # she stays, in silence, for the next patient
        await ana.hears_nothing(during=1)
        assert ana.is_talking
        again_id = await patient_leg(ami, "PJSIP/joao", nurse)
        await joao.rings()
        await joao.answers()
        await ami.event("BridgeEnter", Uniqueid=again_id)
        await says_until_heard(joao, asterisk.sound("goodbye"), ana)
        await ana.hangs_up()
        await joao.hung_up()  # nobody listens to a patient alone
    await asterisk.no_channels()


@pytest.mark.covers("I5", "I10")
async def test_who_answers_when_the_nurse_has_left_hears_who_called(asterisk: AsteriskInstance) -> None:
    async with raw_ami(asterisk) as ami, await asterisk.phone("joao") as joao:
        attempt_id = await patient_leg(ami, "PJSIP/joao", "PJSIP/ana-0000ffff")
        await joao.rings()
        await joao.answers()
        await ami.event("UserEvent", UserEvent="HotlineNobodyThere", Uniqueid=attempt_id)
        await joao.hears(asterisk.sound("outgoing_down"))
        assert await joao.hung_up() == 200
    await asterisk.no_channels()


async def test_her_ear_rings_again_for_the_next_patient_when_she_is_sent_there(asterisk: AsteriskInstance) -> None:
    async with raw_ami(asterisk) as ami, await asterisk.phone("ana") as ana:
        nurse_id = await nurse_leg(ami, "ana")
        await ana.rings()
        await ana.answers()
        nurse = (await ami.event("OriginateResponse", Uniqueid=nurse_id))["Channel"]
        await ami.action("Redirect", Channel=nurse, Context="nurse-leg", Exten="quiet", Priority="1")
        await ana.hears_nothing(during=1)
        await ami.action("Redirect", Channel=nurse, Context="nurse-leg", Exten="s", Priority="1")
        begin = ana.position
        await asyncio.sleep(1.5)
        assert sum(listening.tone(ana.heard_since(begin), hz) for hz in RINGBACK_HZ) > 0.9
    await asterisk.no_channels()


async def hangup_of(ami: RawAmi, attempt_id: str, within: float = 10) -> Message:
    await ami.event("OriginateResponse", Uniqueid=attempt_id, Response="Failure", within=within)
    return await ami.event("Hangup", Uniqueid=attempt_id)


@pytest.mark.covers("H18")
@pytest.mark.parametrize(("cause", "code"), [(cause, code) for cause, code, *_ in MEASURED if code is not None])
async def test_what_a_refused_call_looks_like(asterisk: AsteriskInstance, cause: int, code: int) -> None:
    """The very table that a line's result is read from."""
    async with raw_ami(asterisk) as ami, await asterisk.phone("mei") as mei:
        await mei.replies_at_once(code)
        attempt_id = await patient_leg(ami, "PJSIP/mei", "PJSIP/nobody-00000000")
        hangup = await hangup_of(ami, attempt_id)
        assert (hangup["Cause"], hangup["TechCause"].split()[-1]) == (str(cause), str(code))
    await asterisk.no_channels()


async def test_what_a_phone_that_rings_out_looks_like(asterisk: AsteriskInstance) -> None:
    async with raw_ami(asterisk) as ami, await asterisk.phone("ruth") as ruth:
        attempt_id = await patient_leg(ami, "PJSIP/ruth", "PJSIP/nobody-00000000", timeout_ms=2000)
        await ruth.rings()
        hangup = await hangup_of(ami, attempt_id)
        assert (hangup["Cause"], hangup["ChannelStateDesc"]) == ("19", "Ringing")
        assert (await ami.event("OriginateResponse", Uniqueid=attempt_id))["Reason"] == "3"
        await ruth.hung_up()
    await asterisk.no_channels()


@pytest.mark.covers("H18")
async def test_what_a_phone_that_dial_gives_up_looks_like(asterisk: AsteriskInstance) -> None:
    """Dial()'s own time-out, not Originate's: cause 0 and nothing of SIP's."""
    assert (0, None) in [row[:2] for row in MEASURED]
    await asterisk.cli("dialplan add extension 698,1,Dial(PJSIP/ruth,2) into agents")
    try:
        async with (
            raw_ami(asterisk) as ami,
            await asterisk.phone("ruth") as ruth,
            await asterisk.phone("ana") as ana,
        ):
            await ana.dials("698", answered=False)
            await ruth.rings()
            begun = await ami.event("DialBegin")
            hangup = await ami.event("Hangup", Uniqueid=begun["DestUniqueid"])
            assert (hangup["Cause"], hangup["ChannelStateDesc"]) == ("0", "Ringing")
            assert "TechCause" not in hangup
            assert (await ami.event("DialEnd"))["DialStatus"] == "NOANSWER"
            await ruth.hung_up()
            await ana.hung_up()
    finally:
        await asterisk.cli("dialplan remove extension 698@agents")
    await asterisk.no_channels()


async def test_what_a_silent_line_looks_like(asterisk: AsteriskInstance) -> None:
    async with raw_ami(asterisk) as ami, await asterisk.phone("ruth") as ruth:
        await ruth.replies_at_once(0)
        attempt_id = await patient_leg(ami, "PJSIP/ruth", "PJSIP/nobody-00000000", timeout_ms=1500)
        hangup = await hangup_of(ami, attempt_id)
        assert hangup["ChannelStateDesc"] == "Down"
    await asterisk.no_channels()


async def test_what_an_unregistered_phone_looks_like(asterisk: AsteriskInstance) -> None:
    async with raw_ami(asterisk) as ami:
        attempt_id = await patient_leg(ami, "PJSIP/wiremu", "PJSIP/nobody-00000000")
        failed = await ami.event("OriginateResponse", Uniqueid=attempt_id)
        assert failed["Response"] == "Failure"
        assert not [e for e in ami.events if e.get("Event") == "Newchannel" and e.get("Uniqueid") == attempt_id]


@pytest.mark.covers("I3", "I7")
async def test_the_call_record_settles_what_became_of_an_attempt(asterisk: AsteriskInstance) -> None:
    async with raw_ami(asterisk) as ami, await asterisk.phone("mei") as mei:
        await mei.replies_at_once(486)
        attempt_id = await patient_leg(ami, "PJSIP/mei", "PJSIP/nobody-00000000")
        await hangup_of(ami, attempt_id)
    record = asterisk.folder / "log" / "calls.csv"
    await until("the record is written", lambda: record.exists() and attempt_id in record.read_text())
    line = next(line for line in record.read_text().splitlines() if attempt_id in line)
    fields = [field.strip('"') for field in line.split(",")]
    assert fields[:2] == [attempt_id, attempt_id]
    assert fields[4] == "BUSY"
    assert asterisk.account("mei").number not in record.read_text()
