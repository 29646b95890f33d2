"""What callers and machines do that nobody asked them to: storms of keys, numbers that are no numbers, long silence."""

import asyncio
import random
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import select

from hospital.calls import Call as CallRow
from hospital.database import Database
from hospital.throttling import CallingRate
from hotline.caller_joints import SqlJournal
from hotline.caller_settings import Throttle
from hotline.places import read_secrets
from hotline.throttle import admit
from hotline.wiring import DIALOGUES, house_keys
from ivr.agi_call import caller_number
from ivr.call import Call
from ivr.front_desk import FrontDesk
from ivr.keypad import DTMF
from ivr.server import AgiServer
from ivr.session import AgiSession
from ivr.terminal import rehearse
from scripts import wording
from tests import pickups
from tests.asterisk_instance import AsteriskInstance, network
from tests.characters import LUCIA, RUTH
from tests.house import House
from tests.light_phone import LightPhone
from tests.moments import NOON
from tests.phone_audio import RATE
from tests.test_dialogues import front, words

__all__ = ["front", "words"]

OUR_NUMBER = "6015550199"
HOSTILE = {
    "SQL": "1';DROP TABLE call;--",
    "500 signs": "9" * 500,
    "no UTF-8": "+57301\udcff\udcfe0101",
    "a variable": "${SHELL(id)}${EPOCH}",
    "an event": "+57301\r\n\r\nEvent: Hangup\r\nUniqueid: x\r\n\r\n",
    "a line": "+573015550101\r\nagi_callerid: +573015550102",
    "an expression": '$[1+1]","x',
}


@given(st.text(st.characters(codec=None), max_size=600))
@example("1'; DROP TABLE call; --")
@example("${CALLERID(num)}")
@example("9" * 500)
@example("+57301\udcff0101")
@example("+५७३०१५५५०१०१")
def test_a_callers_number_is_a_number_or_none(shown: str) -> None:
    number = caller_number({"agi_callerid": shown}, "CO")
    assert number is None or (number[0] == "+" and number[1:].isascii() and number[1:].isdigit() and len(number) <= 16)


@pytest.mark.asterisk
@pytest.mark.covers("H1", "I7")
@pytest.mark.parametrize("number", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_number_is_a_call_without_one(
    asterisk: AsteriskInstance, database: Database, number: str
) -> None:
    """By the carrier's line, into the table of calls."""
    written = quote(number.encode(errors="surrogateescape"), safe="")  # as a SIP address must; Asterisk reads it back
    await is_a_call_without_a_number(asterisk, database, written)


@pytest.mark.asterisk
@pytest.mark.covers("H1", "I7")
async def test_a_withheld_number_is_a_call_without_one(asterisk: AsteriskInstance, database: Database) -> None:
    """The carrier says whose it is (P-Asserted-Identity) and that it is not to be shown (Privacy: id)."""
    whose = f"P-Asserted-Identity: <sip:{LUCIA.numbers[0]}@carrier.example>\r\nPrivacy: id\r\n"
    await is_a_call_without_a_number(asterisk, database, "anonymous", whose)


async def is_a_call_without_a_number(
    asterisk: AsteriskInstance, database: Database, username: str, headers: str = ""
) -> None:
    async def hold(session: AgiSession, path: str) -> None:
        shown = caller_number(session.environment, "CO")
        assert await admit(database, Throttle(), path, shown, NOON)
        await SqlJournal(database, session.id, "n1", shown, lambda: NOON).begin()

    server = AgiServer(hold, asterisk.plan.agi_secret, asterisk.address, asterisk.plan.agi_port)
    line = LightPhone(f"{network()}.90", server=asterisk.address, username=username, headers=headers)
    async with server, line as phone:
        call = await phone.dials(OUR_NUMBER)
        await call.hung_up()
    await asterisk.no_channels()
    with database.transaction() as session:
        (kept,) = session.scalars(select(CallRow))
        assert (kept.number, kept.number_token) == (None, None)
        (rate,) = session.scalars(select(CallingRate))
        assert rate.number is None


@pytest.mark.covers("H1", "I10")
@pytest.mark.parametrize("seed", range(12))
async def test_a_minute_of_twenty_keys_a_second_ends_with_a_person_or_a_hang_up(
    seed: int, front: FrontDesk, words: wording.Wording
) -> None:
    """Without 0 and 9, which end it too soon, in every second storm."""
    keys = DTMF if seed % 2 else DTMF.replace("0", "").replace("9", "")
    storm = random.Random(seed)
    left = 60

    async def presses() -> str | None:
        nonlocal left
        left -= 1
        return "".join(storm.choices(keys, k=20)) if left >= 0 else None

    journal = SqlJournal(front.database, "terminal-1", "terminal", LUCIA.numbers[0], lambda: NOON)
    await journal.begin()

    async def dialogue(call: Call) -> None:
        await DIALOGUES["inbound"](call, replace(front, now=lambda: NOON))

    how = {"caller_number": LUCIA.numbers[0], "journal": journal, "house": house_keys(front)}
    told = await rehearse(dialogue, wording.Heard(words), presses, **how)  # type: ignore[arg-type]
    assert any(line.startswith(("then: queue", "then: hang up", "caller: (hangs up)")) for line in told.lines)
    with front.database.transaction() as session:
        call = session.get_one(CallRow, "terminal-1")
        assert call.state in ("queued", "ended")


@asynccontextmanager
async def storming(house: House, who: str, name: str = "") -> AsyncIterator[LightPhone]:
    secret = read_secrets(house.here).sip[who]
    async with LightPhone(f"{network()}.96", server=house.address, username=who, secret=secret, name=name) as phone:
        yield phone


@pytest.mark.asterisk
@pytest.mark.covers("H1", "I10")
async def test_a_storm_of_keys_on_a_real_line_leaves_a_call_that_can_be_ended(house: House) -> None:
    storm = random.Random(7)
    async with storming(house, LUCIA.sip) as phone:
        call = await phone.dials("600")
        for _ in range(10):
            await call.presses("".join(storm.choices("12345678*#", k=20)), tone=0.04, gap=0.01)
        await house.until("keys were taken", lambda: len(house.journal()) > 3)
        await call.hangs_up()
    await house.no_channels()
    await house.until("the call has ended once", lambda: [row.state for row in house.calls()] == ["ended"])
    assert house.appointments(of=LUCIA.sip) == []
    async with house.phone(LUCIA.sip) as lucia:
        await lucia.dials("600")  # and the next call is served as any other
        await lucia.is_spoken_to()
        await lucia.presses("0")
        await house.until("she waits for a person", lambda: house.calls()[-1].queue == "reception", within=30)


@pytest.mark.asterisk
@pytest.mark.covers("H1", "I7")
@pytest.mark.parametrize("name", ["Luc\udced\udcff\udcfe\udc80", "${SHELL(id)}", "a, b; 'c'", "L" * 500])
async def test_a_hostile_name_beside_a_number_goes_nowhere(house: House, name: str) -> None:
    async with storming(house, LUCIA.sip, name) as phone:
        call = await phone.dials("600")
        await house.until("the ivr has it", lambda: len(house.calls()) == 1)
        await call.presses("0")
        await house.until("she waits for a person", lambda: house.calls()[-1].queue == "reception", within=30)
        (channel,) = [line.partition("!")[0] for line in (await house.cli("core show channels concise")).splitlines()]
        told = await house.cli(f"core show channel {channel}")
        assert "Caller ID Name: (N/A)" in told, "Asterisk keeps no name, so that no event and no variable has it"
        await call.hangs_up()
    await house.no_channels()
    await house.until("the call has ended once", lambda: [row.state for row in house.calls()] == ["ended"])
    assert house.calls()[0].number == LUCIA.numbers[0]


@pytest.mark.asterisk
@pytest.mark.covers("H1", "H8", "H12", "I10")
async def test_ruth_says_nothing_presses_wrong_keys_asks_again_hangs_up_and_calls_back(house: House) -> None:
    """She is 82. Nobody hurries her, and her second call begins where she understands it."""
    async with house.phone("ruth") as ruth:
        await ruth.dials("600")
        await ruth.hears(await house.sound("welcome", "en"))
        await ruth.presses("6")
        await ruth.hears(await house.sound("wrong_key", "en"))
        await ruth.presses("1")
        await ruth.hears(await house.sound("main_menu", "en"), within=30)
        await ruth.presses("*")
        await ruth.hears(await house.sound("main_menu", "en"), within=30)
        await ruth.hears(await house.sound("silence_short", "en"), within=45)  # she says nothing
        await ruth.hears(await house.sound("main_menu.short", "en"), within=30)
        await ruth.hangs_up()
        await house.until("the call has ended", lambda: [row.state for row in house.calls()] == ["ended"])
        await ruth.dials("600")
        await ruth.hears(await house.sound("welcome", "en"))
        await ruth.presses("11" + RUTH.birth_keys)
        await house.until("she is recognised", lambda: "identified" in house.journal())
    await house.no_channels()


@pytest.mark.asterisk
@pytest.mark.covers("H1", "H12", "I10")
async def test_a_fax_that_calls_presses_nothing_and_comes_to_a_person(house: House, tmp_path: Path) -> None:
    """Its tones are no keys: asked twice more, in other words, then somebody listens who can tell what it is."""
    tones = pickups.repeated(pickups.tone(1100, 0.5), 12, 3.0)
    said = tmp_path / "fax.wav"
    with wave.open(str(said), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((tones * 32767).astype("<i2").tobytes())
    async with house.phone("lucia") as lucia, house.phone("desk") as desk:
        await lucia.dials("600")
        await house.until("the ivr has the call", house.calls)
        speaking = asyncio.create_task(lucia.speaks(said))
        await house.until("a person is to take the call", lambda: house.calls()[-1].queue == "reception", within=120)
        await desk.rings()
        await desk.answers()
        assert "identified" not in house.journal()
        speaking.cancel()
    await house.no_channels()
