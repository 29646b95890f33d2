"""Who may call, whom they may call, and what a hostile name or number does: nothing."""

import asyncio
import configparser
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
import websockets

from dialplans import render
from tests.agi_stand_in import AgiTalk, finishing, ivr_that
from tests.asterisk_instance import AsteriskInstance, network, with_plan
from tests.light_phone import LightPhone, Refused, register
from tests.phone import CallRefused, Phone
from tests.raw_ami import raw_ami

pytestmark = pytest.mark.asterisk

OUR_NUMBER = "6015550199"
CTI = Path(__file__).parent.parent / "cti"
LUCIAS_NUMBER = "+573015550101"


async def outside_line(asterisk: AsteriskInstance, **settings: object) -> Phone:
    """A telephone at the carrier's address (it is known by that address alone)."""
    return await Phone.start(
        address=f"{network()}.90",
        server=asterisk.address,
        username="carrier",
        register=False,
        **settings,  # type: ignore[arg-type]
    )


async def test_a_stranger_gets_no_call(asterisk: AsteriskInstance) -> None:
    for username, secret in [("mallory", ""), ("lucia", ""), ("lucia", "a-wrong-secret-1"), ("trunk", "")]:
        async with await Phone.start(
            address=f"{network()}.66", server=asterisk.address, username=username, secret=secret, register=False
        ) as stranger:
            for number in ("600", OUR_NUMBER, "s", "bridge"):
                with pytest.raises(CallRefused) as refused:
                    await stranger.dials(number)
                assert refused.value.code in (401, 403), f"{username} dialled {number}"
    assert "0 active channels" in await asterisk.cli("core show channels count")


@pytest.mark.parametrize("number", ["201", "200", "+573015550102", "+64215550102", "s", "bridge", "inbound", "T", "1"])
async def test_a_patients_phone_reaches_the_hotline_only(asterisk: AsteriskInstance, number: str) -> None:
    async with await asterisk.phone("lucia") as lucia:
        with pytest.raises(CallRefused, match=r"404|484"):  # 484: it might still become 112
            await lucia.dials(number)


async def test_staff_reach_outside_numbers_by_the_allow_list_only(asterisk: AsteriskInstance) -> None:
    async with await outside_line(asterisk, port=5060) as outside, await asterisk.phone("ana") as ana:
        await asterisk.cli("pjsip qualify trunk")
        await asterisk.shows(" Avail ", "pjsip show contacts")
        await ana.dials("+573105550123", answered=False)
        caller = await outside.rings()
        assert OUR_NUMBER in caller
        assert "202" not in caller
        await outside.answers()
        await ana.hangs_up()
        await outside.hung_up()
        for number in ("+15555550123", "0015555550123", "573105550123", "+5731055501234", "+57310555012a"):
            with pytest.raises(CallRefused, match="404"):
                await ana.dials(number)
    await asterisk.no_channels()


async def test_an_outside_call_comes_to_the_hotline_with_its_callers_true_number(asterisk: AsteriskInstance) -> None:
    headers = {
        "P-Asserted-Identity": f"<sip:{LUCIAS_NUMBER}@carrier.example>",
        "Diversion": "<sip:+576015550000@carrier.example>;reason=unconditional",
    }
    async with (
        ivr_that(asterisk, finishing) as talks,
        raw_ami(asterisk) as ami,
        await outside_line(asterisk, number="+576015550000") as outside,
    ):
        await outside.dials(OUR_NUMBER, headers=headers)
        await ami.event("QueueCallerJoin")
        await outside.hangs_up()
        assert talks[0].environment["agi_callerid"] == LUCIAS_NUMBER
        assert talks[0].environment["agi_rdnis"] == "+576015550000"
        for number in ("600", "201", "+573105550123", "bridge"):
            with pytest.raises(CallRefused, match="404"):
                await outside.dials(number)
    await asterisk.no_channels()


WITHHELD = {"P-Asserted-Identity": f"<sip:{LUCIAS_NUMBER}@carrier.example>", "Privacy": "id"}
"""The carrier knows who calls, and is told not to show it (RFC 3323, RFC 3325)."""


@pytest.mark.covers("H1", "I7")
async def test_a_withheld_number_goes_to_nobody(asterisk: AsteriskInstance) -> None:
    async with (
        ivr_that(asterisk, finishing) as talks,
        raw_ami(asterisk) as ami,
        await outside_line(asterisk, number="anonymous") as outside,
        await asterisk.phone("desk") as desk,
    ):
        await outside.dials(OUR_NUMBER, headers=WITHHELD)
        await ami.event("QueueCallerJoin")
        assert LUCIAS_NUMBER.lstrip("+") not in await desk.rings()
        joined = [
            event for event in ami.events if event.get("Event") in ("QueueCallerJoin", "AgentCalled", "DialBegin")
        ]
        assert joined and LUCIAS_NUMBER not in repr(joined)
        assert talks[0].environment["agi_callerid"] == "unknown"
        assert LUCIAS_NUMBER not in repr(talks[0].environment)
        await outside.hangs_up()
    await asterisk.no_channels()


async def test_a_withheld_number_is_not_kept_for_a_callback_either(asterisk: AsteriskInstance) -> None:
    """Without an ivr. # alone is no number then, and they are asked for one."""
    async with raw_ami(asterisk) as ami, await outside_line(asterisk, number="anonymous") as outside:
        await outside.dials(OUR_NUMBER, headers=WITHHELD)
        await outside.hears(asterisk.sound("ivr_down_menu"))
        await outside.presses("1")
        await outside.hears(asterisk.sound("callback_number"))
        await outside.presses("#")
        await outside.hears(asterisk.sound("callback_number"))
        await outside.presses("3015550107#")
        await outside.hears(asterisk.sound("callback_thanks"))
        await outside.hung_up()
        channel = (await ami.event("Newchannel"))["Uniqueid"]
        await ami.action("DBGetTree", Family="hl_callback")
        assert (await ami.event("DBGetTreeResponse", Key=f"/hl_callback/{channel}"))["Val"] == "3015550107"
        await ami.action("DBDel", Family="hl_callback", Key=channel)
    await asterisk.no_channels()


async def test_a_forwarding_lines_own_number_is_nobodys(asterisk: AsteriskInstance) -> None:
    """A doctor's office forwards its calls, and its exchange shows the office's number for every caller."""
    office = "+576015550000"
    diverted = {"Diversion": f"<sip:{office}@carrier.example>;reason=unconditional"}
    async with (
        ivr_that(asterisk, finishing) as talks,
        raw_ami(asterisk) as ami,
        await outside_line(asterisk, number=office) as outside,
    ):
        await outside.dials(OUR_NUMBER, headers=diverted)
        joined = await ami.event("QueueCallerJoin")
        await outside.hangs_up()
        assert talks[0].environment["agi_callerid"] == "unknown"
        assert office not in joined.values()
    await asterisk.no_channels()


async def test_who_is_not_trusted_says_nobodys_number_but_its_own(asterisk: AsteriskInstance, tmp_path: Path) -> None:
    asserted = {"P-Asserted-Identity": f"<sip:{LUCIAS_NUMBER}@carrier.example>"}
    trunk = asterisk.plan.trunk
    assert trunk is not None
    other = with_plan(asterisk, tmp_path, trunk=replace(trunk, trusted=False))
    await asyncio.to_thread(other.start)
    try:
        async with ivr_that(other, finishing), raw_ami(other) as ami:
            async with await outside_line(other, number="+576015550000") as outside:
                await outside.dials(OUR_NUMBER, headers=asserted)
                await ami.event("QueueCallerJoin", CallerIDNum="+576015550000")
                await outside.hangs_up()
            async with await other.phone("ruth") as ruth:
                await ruth.dials("600", headers=asserted)
                await ami.event("QueueCallerJoin", CallerIDNum=other.account("ruth").number)
                await ruth.hangs_up()
    finally:
        await asyncio.to_thread(other.stop)


@pytest.mark.parametrize(
    "name",
    [
        '${SHELL(touch /hotline/spool/owned)}, "x"',
        "a,b;c|d&e(f)g[h]$[1+1]",
        "\\r\\nAction: Originate",
        "<script>alert(1)</script>",
        "x" * 180,
        "João 号源 \U0001f4de",
    ],
)
@pytest.mark.covers("I7")
async def test_a_hostile_name_is_nobodys_business(asterisk: AsteriskInstance, name: str) -> None:
    async with (
        ivr_that(asterisk, finishing) as talks,
        raw_ami(asterisk) as ami,
        await outside_line(asterisk, number=LUCIAS_NUMBER, display=name) as outside,
    ):
        await outside.dials(OUR_NUMBER)
        joined = await ami.event("QueueCallerJoin")
        await outside.hangs_up()
        assert joined["CallerIDName"] in ("", "<unknown>")
        assert talks[0].environment["agi_calleridname"] == "unknown"
        assert talks[0].environment["agi_callerid"] == LUCIAS_NUMBER
    assert not list(asterisk.spool.glob("owned"))
    await asterisk.no_channels()


@pytest.mark.parametrize(
    ("number", "kept"),
    [
        ("1%22%20%7c%20%221", None),
        ("%24%7bEPOCH%7d123456789", None),
        ("12,34567)89", None),
        ("+57%20(301)%20555-01.02", "+573015550102"),
        ("anonymous", None),
    ],
)
async def test_a_hostile_number_is_filtered_to_digits_before_it_is_kept(
    asterisk: AsteriskInstance, number: str, kept: str | None
) -> None:
    async with raw_ami(asterisk) as ami, await outside_line(asterisk, number=number) as outside:
        await outside.dials(OUR_NUMBER)
        await outside.hears(asterisk.sound("ivr_down_menu"))
        await outside.presses("1")
        await outside.hears(asterisk.sound("callback_number"))
        await outside.presses("#")
        await outside.hears(asterisk.sound("callback_thanks" if kept else "callback_number"))
        await outside.hangs_up()
        channel = (await ami.event("Newchannel"))["Uniqueid"]
        await ami.action("DBGetTree", Family="hl_callback")
        await ami.action("Ping")
        found = [event["Val"] for event in ami.events if event.get("Key") == f"/hl_callback/{channel}"]
        assert found == ([kept] if kept else [])
        await ami.action("DBDel", Family="hl_callback", Key=channel)
    await asterisk.no_channels()


FORGED = "Event: QueueMemberStatus\r\nInterface: PJSIP/ana\r\nUniqueid: forged"


@pytest.mark.parametrize("header", ["From", "P-Asserted-Identity"])
@pytest.mark.parametrize(
    "shown",
    [
        f"+57301\r\n\r\n{FORGED}\r\n\r\n",
        f"+57301\r\n\r\n{FORGED}",
        f"+57301\r\n{FORGED}",
        f"+57301\r\nCallerIDName: x\r\n{FORGED}",
        f"+57301\r\nConnectedLineNum: x\r\n{FORGED}"[:79],
        "+57301\n\nEvent: Hangup\nUniqueid: forged\n\n",
        "+57301\r\nevent: Hangup\r\nuniqueid: forged",
        "+57301\r\n",
    ],
    ids=["an event", "an event, unended", "headers", "a name first", "a line", "line feeds", "small letters", "an end"],
)
@pytest.mark.covers("I7", "I9")
async def test_no_number_forges_an_event(asterisk: AsteriskInstance, shown: str, header: str) -> None:
    """SIP carries line breaks in a number (%0D%0A), and Asterisk prints a number as it is."""
    written = quote(shown, safe="+")
    asserted = {} if header == "From" else {header: f"<sip:{written}@carrier.example>"}
    async with (
        ivr_that(asterisk, finishing) as talks,
        raw_ami(asterisk) as ami,
        await outside_line(asterisk, number=written if header == "From" else LUCIAS_NUMBER) as outside,
    ):
        await outside.dials(OUR_NUMBER, headers=asserted)
        joined = await ami.event("QueueCallerJoin")
        await outside.hangs_up()
        ended = await ami.event("Hangup")
        await ami.action("Ping")
        assert joined["CallerIDNum"] in ("", "<unknown>")
        assert ended["Uniqueid"] == joined["Uniqueid"] and ended["Channel"].startswith("PJSIP/trunk-")
        told = repr(ami.events) + repr(talks[0].environment)
        assert "forged" not in told and "PJSIP/ana" not in told and "57301" not in told
        assert talks[0].environment["agi_callerid"] == "unknown"
    await asterisk.no_channels()


async def test_a_forwarding_number_with_a_line_break_forges_nothing_in_agi(asterisk: AsteriskInstance) -> None:
    forged = quote("+57601\r\nagi_callerid: +573015550101\n\n", safe="+")
    async with (
        ivr_that(asterisk, finishing) as talks,
        raw_ami(asterisk) as ami,
        await outside_line(asterisk, number=LUCIAS_NUMBER) as outside,
    ):
        await outside.dials(OUR_NUMBER, headers={"Diversion": f"<sip:{forged}@carrier.example>;reason=unconditional"})
        await ami.event("QueueCallerJoin")
        await outside.hangs_up()
        assert talks[0].environment["agi_callerid"] == LUCIAS_NUMBER
        assert talks[0].environment["agi_rdnis"] == "+57601+573015550101"
    await asterisk.no_channels()


async def test_a_name_with_a_line_break_is_no_sip(asterisk: AsteriskInstance) -> None:
    name = f"x\r\n\r\n{FORGED}\r\n\r\n"
    async with raw_ami(asterisk) as ami:
        async with LightPhone(f"{network()}.90", server=asterisk.address, username=LUCIAS_NUMBER, name=name) as phone:
            with pytest.raises(Refused):
                await phone.dials(OUR_NUMBER, within=2)
        await ami.action("Ping")
        assert "forged" not in repr(ami.events)
    await asterisk.no_channels()


NEEDED_FOR = {
    "system": {"DBDel", "MixMonitor"},
    "call": {"Setvar", "Redirect"},
    "agent": {"QueueAdd", "QueueRemove", "QueuePause"},
    "originate": {"Originate"},
}
"""Actions of `cti` that their class alone allows. The others that it sends come with these, or need none."""
WITH_THEM = {
    "CoreShowChannels",
    "DBGetTree",
    "Getvar",
    "Hangup",
    "StopMixMonitor",
    "QueueStatus",
}
TOLD_BY = {
    "system": {"FullyBooted"},
    "call": {"Newchannel", "Newstate", "Hangup", "DialState", "OriginateResponse"},
    "agent": {"QueueCallerJoin", "AgentCalled", "AgentConnect", "AgentComplete", "QueueCallerLeave"},
    "user": {"UserEvent"},
}
"""Events that `cti` follows, by their class."""
ALLOWED = re.compile(r"\[Privilege\]\n(.*)")


def capitalised() -> set[str]:
    """Each string of `cti` that may be an action's name."""
    return set(re.findall(r'"([A-Z][A-Za-z]+)"', "".join(path.read_text() for path in CTI.glob("*.py"))))


async def test_the_core_user_has_the_classes_that_its_actions_need_and_no_other(asterisk: AsteriskInstance) -> None:
    rendered = configparser.ConfigParser(strict=False)
    rendered.read_string(render(asterisk.plan)["manager.conf"])
    assert rendered.sections() == ["general", "core"]
    assert set(rendered["core"]["write"].split(",")) == NEEDED_FOR.keys()
    shown = await asterisk.cli("manager show user core")
    assert f"write perm: {rendered['core']['write']}" in shown and f"read perm: {rendered['core']['read']}" in shown
    sent = capitalised()
    listed = {
        line.split()[0] for line in (await asterisk.cli("manager show commands")).splitlines()[2:] if line.strip()
    }
    assert sent & listed - {"Login", "Events", "UserEvent"} == set().union(*NEEDED_FOR.values(), WITH_THEM)
    async with raw_ami(asterisk) as ami:
        refused = set()
        for action in sorted(listed):
            found = ALLOWED.search(await asterisk.cli(f"manager show command {action}"))
            classes = set(found[1].split(",")) - {"all"} if found else {"<none>"}
            for granted, actions in NEEDED_FOR.items():
                assert action not in actions or classes & NEEDED_FOR.keys() == {granted}
            if classes == {"<none>"} or classes & NEEDED_FOR.keys():
                continue
            answer = await ami.action(action)
            assert (answer["Response"], answer["Message"]) == ("Error", "Permission denied"), action
            refused.add(action)
        assert refused >= {"Command", "UpdateConfig", "UserEvent"}


async def test_the_core_user_hears_the_classes_that_it_follows_and_no_other(asterisk: AsteriskInstance) -> None:
    rendered = configparser.ConfigParser(strict=False)
    rendered.read_string(render(asterisk.plan)["manager.conf"])
    assert set(rendered["core"]["read"].split(",")) == TOLD_BY.keys()
    async with (
        ivr_that(asterisk, finishing),
        raw_ami(asterisk) as ami,
        await asterisk.phone("lucia") as lucia,
        await asterisk.phone("desk") as desk,
    ):
        await lucia.dials("600")
        await desk.rings()
        await desk.answers()
        await ami.event("AgentConnect")
        await lucia.hangs_up()
        await ami.event("AgentComplete")
        nobody = {"Context": "dialer", "Exten": "nobody", "Priority": "1", "ChannelId": "n1-nobody", "Async": "true"}
        await ami.action("Originate", Channel="Local/600@hotline/n", **nobody)
        await ami.event("UserEvent")
        await ami.event("OriginateResponse")
        await asterisk.cli("channel request hangup all")
        told: dict[str, set[str]] = {}
        for event in ami.events:
            if "Privilege" in event:
                told.setdefault(event["Privilege"].partition(",")[0], set()).add(event["Event"])
    assert told.keys() == TOLD_BY.keys()
    for kind, events in TOLD_BY.items():
        assert told[kind] >= events
    await asterisk.no_channels()


@pytest.mark.parametrize("account", ["ana", "lucia"])
async def test_no_account_registers_with_anothers_secret(asterisk: AsteriskInstance, account: str) -> None:
    secrets = {one.username: one.secret for one in asterisk.plan.accounts}
    for other, secret in secrets.items():
        if other == account:
            register(f"{network()}.66", 5062, asterisk.address, account, secret)
            continue
        with pytest.raises(Refused) as refused:
            register(f"{network()}.66", 5062, asterisk.address, account, secret)
        assert refused.value.code == 401, f"{account} with {other}'s"
    await asterisk.cli(f"pjsip show aor {account}")


async def test_an_ivr_that_sets_more_than_it_should_starts_no_shell(asterisk: AsteriskInstance) -> None:
    async def ivr(talk: AgiTalk) -> None:
        await talk.takes_over()
        await talk.says("SET VARIABLE CHANNEL(language) ../../etc")
        await talk.says("SET VARIABLE HL_NEXT queue")

    async with ivr_that(asterisk, ivr), await asterisk.phone("lucia") as lucia:
        await lucia.dials("600")
        await lucia.hears(asterisk.sound("apology"))  # a language without prompts is the default one
        await lucia.hangs_up()
    await asterisk.no_channels()


async def test_a_browser_phone_finds_sip_on_its_websocket(asterisk: AsteriskInstance) -> None:
    home = f"{asterisk.address}:{asterisk.plan.http_port}"
    register = (
        f"REGISTER sip:{asterisk.address} SIP/2.0\r\nVia: SIP/2.0/WS browser.invalid;branch=z9hG4bKabc\r\n"
        f"From: <sip:tom@{asterisk.address}>;tag=1\r\nTo: <sip:tom@{asterisk.address}>\r\n"
        "Call-ID: one\r\nCSeq: 1 REGISTER\r\nMax-Forwards: 70\r\n"
        "Contact: <sip:tom@browser.invalid;transport=ws>\r\nExpires: 60\r\nContent-Length: 0\r\n\r\n"
    )
    async with websockets.connect(f"ws://{home}/ws", subprotocols=[websockets.Subprotocol("sip")]) as socket:
        assert socket.subprotocol == "sip"
        await socket.send(register)
        assert str(await socket.recv()).startswith("SIP/2.0 401 ")
    async with httpx.AsyncClient() as client:
        for path in ("/httpstatus", "/static/", "/ari/channels", "/"):
            assert (await client.get(f"http://{home}{path}")).status_code == 404


@pytest.mark.covers("I7")
async def test_no_log_of_asterisk_has_a_secret_a_name_or_a_number(asterisk: AsteriskInstance) -> None:
    async with await asterisk.phone("lucia") as lucia:  # no ivr: Asterisk has reason to complain about it
        await lucia.dials("600")
        await lucia.hears(asterisk.sound("ivr_down_menu", "es"))
        await lucia.presses("5")
        await asterisk.shows("PJSIP/lucia", "queue show reception")
        await lucia.hangs_up()
    async with await Phone.start(
        address=f"{network()}.66", server=asterisk.address, username=LUCIAS_NUMBER, display="Lucía", register=False
    ) as stranger:
        with pytest.raises(CallRefused):
            await stranger.dials("600")
    await asterisk.no_channels()
    plan = asterisk.plan
    secrets = [plan.ami_secret, plan.agi_secret, *(account.secret for account in plan.accounts)]
    logs = [path for path in (asterisk.folder / "log").rglob("*") if path.is_file()]
    assert {"messages.log", "calls.csv"} <= {path.name for path in logs}
    for path in logs:
        text = path.read_text(errors="replace")
        assert not [word for word in (*secrets, LUCIAS_NUMBER, "Lucía") if word in text], path.name


@pytest.mark.covers("H1")
async def test_a_number_with_too_many_calls_at_once_is_told_apart(asterisk: AsteriskInstance, tmp_path: Path) -> None:
    paths: asyncio.Queue[str] = asyncio.Queue()

    async def asking(talk: AgiTalk) -> None:
        await talk.takes_over()
        paths.put_nowait(talk.environment["agi_network_script"].rpartition("/")[2])
        await talk.says("WAIT FOR DIGIT 60000")

    narrow = with_plan(asterisk, tmp_path, calls_at_once=1)
    await asyncio.to_thread(narrow.start)
    try:
        async with (
            ivr_that(narrow, asking),
            await narrow.phone("lucia") as lucia,
            await narrow.phone("ruth") as ruth,
            await outside_line(narrow, number=LUCIAS_NUMBER) as another,
        ):
            for phone, number, path in (
                (lucia, "600", "inbound"),
                (ruth, "600", "inbound"),
                (another, OUR_NUMBER, "crowded"),
            ):
                await phone.dials(number)
                assert await paths.get() == path
            await another.hangs_up()
            await lucia.hangs_up()
            await narrow.shows("\n1 active call", "core show channels")
            await another.dials(OUR_NUMBER)
            assert await paths.get() == "inbound"
    finally:
        narrow.stop()
