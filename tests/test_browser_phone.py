"""The phone in the page: the real JsSIP in a real Chromium against the real Asterisk, its sound over WebRTC."""

import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Error, Page, Playwright, expect
from sqlalchemy import delete, func, select

from hospital import followups
from hospital.booking import Hold, OwnDesk
from hospital.caller_languages import CallerLanguage
from hospital.followups import FollowUpTask
from hotline import demo, wiring
from tests.asterisk_instance import free_address, network
from tests.browser import SCREENSHOTS
from tests.certificates import write_pair
from tests.characters import LUCIA
from tests.chromium import FLAGS
from tests.house import House
from tests.phone import Phone
from tests.scenes import openings
from tests.test_followup_calls import task_of
from tests.test_supervisor import hotline

pytestmark = [pytest.mark.asterisk, pytest.mark.browser]

LOOPBACK_FLAGS = ("--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns")
# How much of the sound that arrives is no silence: the sum of what every inbound stream says of its energy.
ENERGY = """async () => {
  const phone = document.querySelector('hotline-phone');
  const stream = phone.heard?.();
  if (!stream) return 0;
  const context = new AudioContext();
  const meter = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(meter);
  await new Promise(done => setTimeout(done, 700));
  const samples = new Float32Array(meter.fftSize);
  meter.getFloatTimeDomainData(samples);
  await context.close();
  return Math.max(...samples.map(Math.abs));
}"""

NO_WAY = """const ours = RTCPeerConnection.prototype, remote = ours.setRemoteDescription;
const local = Object.getOwnPropertyDescriptor(ours, 'localDescription').get;
const candidate = /^(a=candidate:\\S+ \\d \\S+ \\d+) \\S+ \\d+/gm;
const lost = ({type, sdp}) => ({type, sdp: sdp.replace(candidate, '$1 192.0.2.1 9')});
Object.defineProperty(ours, 'localDescription', {get() { return local.call(this) && lost(local.call(this)); }});
ours.setRemoteDescription = function (of) { return remote.call(this, lost(of)); };"""
"""Each side is told an address that leads nowhere: as behind a firewall that lets the page through and no sound."""

CHROMIUM = "/usr/bin/chromium"
"""With all that it has: the headless shell's audio graph hears nothing of a call."""


PageOf = Callable[..., AbstractAsyncContextManager[Page]]


@pytest_asyncio.fixture(loop_scope="session")
async def page_of(playwright: Playwright) -> AsyncIterator[PageOf]:
    """`async with page_of() as page`: somebody's page, in the test's one Chromium with these flags."""
    started: dict[tuple[str, tuple[str, ...]], Browser] = {}

    @asynccontextmanager
    async def opened(executable: str = CHROMIUM, flags: tuple[str, ...] = ()) -> AsyncIterator[Page]:
        if (executable, flags) not in started:
            all_flags = [*FLAGS, "--mute-audio", *flags]
            started[executable, flags] = await playwright.chromium.launch(executable_path=executable, args=all_flags)
        browser = started[executable, flags]
        context = await browser.new_context(ignore_https_errors=True, viewport={"width": 1366, "height": 768})
        try:
            yield await context.new_page()
        finally:
            await context.close()

    yield opened
    for browser in started.values():
        await browser.close()


async def signs_in(house: House, page: Page, who: str, path: str) -> None:
    await page.goto(f"http://{house.address}:8000{path}")
    await page.get_by_label("Name").fill(who)
    await page.get_by_label("Password").fill(demo.PASSWORDS[who])
    async with page.expect_navigation():  # with its scripts
        await page.get_by_role("button", name="Sign in").click()


def held(house: House) -> int:
    """Times that somebody is deciding about; what was booked is held for ever."""
    with house.database.transaction() as session:
        return session.scalar(select(func.count()).select_from(Hold).where(func.isfinite(Hold.expires_at))) or 0


async def types(page: Page, keys: str) -> None:
    """On the telephone in the page."""
    for key in keys:
        await page.locator(f"[data-digit='{key}']").first.click()
        await page.wait_for_timeout(250)


async def calls_the_hospital(house: House, page: Page) -> None:
    """As Lucía, from the telephone in the page, until she hears it."""
    await page.goto(f"http://{house.address}:8000/patient-phone?as=lucia")
    phone = page.locator("hotline-phone")
    await expect(phone).to_have_attribute("data-state", "ready")
    await page.get_by_role("button", name="Call the hospital").click()
    await expect(phone).to_have_attribute("data-state", "talking")
    await hears_something(page)


async def hears_something(page: Page) -> None:
    for _ in range(15):
        if await page.evaluate(ENERGY) > 0.01:
            return
    raise AssertionError("no sound arrives in the browser")


async def hears_nothing(page: Page) -> None:
    """The other's browser makes a beep each second; three seconds without one are silence."""
    for _ in range(15):
        quiet = [await page.evaluate(ENERGY) for _ in range(4)]
        if max(quiet) < 0.01:
            return
    raise AssertionError("sound still arrives in the browser")


@pytest.fixture(scope="module")
def browser_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("browser-house")
    house = House(folder, free_address())
    house.environment["HOTLINE_BROWSER_PHONES"] = "true"
    try:
        house.start()
        yield house
    finally:
        house.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def test_a_network_that_lets_no_sound_through_is_told(browser_house: House, page_of: PageOf) -> None:
    async with page_of(flags=LOOPBACK_FLAGS) as page:
        await page.add_init_script(NO_WAY)
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        await page.goto(f"http://{browser_house.address}:8000/patient-phone?as=lucia")
        phone = page.locator("hotline-phone")
        await expect(phone).to_have_attribute("data-state", "ready")
        await page.get_by_role("button", name="Call the hospital").click()
        await expect(phone).to_have_attribute("data-state", "talking")
        await page.locator("[data-digit='2']").first.click()
        await expect(phone.locator("[data-part=state]")).to_have_text("No sound: hang up, call again", timeout=20_000)
        await expect(phone.locator("[data-part=keyed]")).to_be_empty()
        await page.get_by_role("button", name="Hang up").click()
        await expect(phone).to_have_attribute("data-state", "ready")
        await expect(phone).not_to_have_attribute("data-deaf", "")
        assert broken == []


@asynccontextmanager
async def impatient(house: House) -> AsyncIterator[None]:
    """A phone in a page of which nothing is heard is given up in a tenth of the time."""
    rendered = house.here.asterisk / "etc" / "pjsip.conf"
    before = rendered.read_text()
    assert before.count("rtp_timeout = 30\n") == 1
    try:
        rendered.write_text(before.replace("rtp_timeout = 30\n", "rtp_timeout = 3\n"))
        await house.cli("module reload res_pjsip.so")
        yield
    finally:
        rendered.write_text(before)
        await house.cli("module reload res_pjsip.so")


@pytest.mark.covers("I10")
async def test_who_is_muted_stays_and_whose_page_has_died_is_gone(browser_house: House, page_of: PageOf) -> None:
    async with impatient(browser_house), page_of(flags=LOOPBACK_FLAGS) as page:
        await calls_the_hospital(browser_house, page)
        await page.evaluate("document.querySelector('hotline-phone').mute()")
        await page.wait_for_timeout(8_000)
        await expect(page.locator("hotline-phone")).to_have_attribute("data-muted", "")
        assert "1 active call" in await browser_house.cli("core show channels count")
        with suppress(Error):
            await page.goto("chrome://crash")  # without a word to anybody
        await browser_house.no_channels()


@pytest.mark.covers("H1", "H2")
async def test_a_newcomer_calls_as_lucia_from_the_page(browser_house: House, page_of: PageOf) -> None:
    async with page_of(flags=LOOPBACK_FLAGS) as page:
        await page.goto(f"http://{browser_house.address}:8000/patient-phone?as=lucia")
        phone = page.locator("hotline-phone")
        await expect(phone).to_have_attribute("data-state", "ready")
        await page.get_by_role("button", name="Call the hospital").click()
        await expect(phone).to_have_attribute("data-state", "talking")
        await hears_something(page)
        await page.locator("[data-digit='2']").first.click()  # español
        await browser_house.until("the key has arrived", lambda: "turn" in browser_house.journal())
        await page.get_by_role("button", name="Hang up").click()
        await expect(phone).to_have_attribute("data-state", "ready")
    await browser_house.no_channels()


@pytest.mark.covers("H1")
async def test_a_newcomer_calls_from_a_softphone_with_what_the_welcome_says(browser_house: House) -> None:
    """Beside telephones in pages, over plain UDP."""
    house, said = browser_house, browser_house.folder / "up.log"
    await house.until("the welcome is printed", lambda: "dial 600" in said.read_text())
    told = re.search(
        r"^Any softphone: +(\S+)@(\S+) \(UDP\), password (\S+); dial (\d+)$", said.read_text(), re.MULTILINE
    )
    assert told is not None
    username, server, secret, number = told.groups()
    async with await Phone.start(
        address=f"{network()}.99", server=server, username=username, secret=secret
    ) as softphone:
        await softphone.dials(number)
        await softphone.hears(await house.sound("welcome", "en"))
        await softphone.hangs_up()
    await house.no_channels()


# ── On a network, with TLS, in a browser without any flag for loopback ──────────────────────────────────────────────

HOST, GUEST, NAMESPACE = "10.99.7.1", "10.99.7.2", "hotline-test"


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def lan() -> Iterator[str]:
    """A network of two hosts; what is returned starts a Chromium on the second one."""
    subprocess.run(["ip", "netns", "del", NAMESPACE], capture_output=True, check=False)
    subprocess.run(["ip", "link", "del", "hotline0"], capture_output=True, check=False)
    _ip("netns", "add", NAMESPACE)
    try:
        _ip("link", "add", "hotline0", "type", "veth", "peer", "name", "hotline1")
        _ip("link", "set", "hotline1", "netns", NAMESPACE)
        _ip("addr", "add", f"{HOST}/24", "dev", "hotline0")
        _ip("link", "set", "hotline0", "up")
        for words in (
            ("addr", "add", f"{GUEST}/24", "dev", "hotline1"),
            ("link", "set", "hotline1", "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", NAMESPACE, *words)
        yield NAMESPACE
    finally:
        subprocess.run(["ip", "link", "del", "hotline0"], capture_output=True, check=False)
        subprocess.run(["ip", "netns", "del", NAMESPACE], capture_output=True, check=False)


SITE = """
[site]
name = "Hospital San José"
emergency_number = "123"
time_zone = "America/Bogota"
country = "co"
languages = ["en", "es"]
[web]
bind = "{host}"
certificate = "{certificate}"
key = "{key}"
"""


@pytest.mark.needs_root
@pytest.mark.covers("H50")
async def test_tom_takes_his_phone_to_another_machine_over_tls(lan: str, tmp_path: Path, page_of: PageOf) -> None:
    certificate, key = write_pair(tmp_path, HOST)
    settings = tmp_path / "hotline.toml"
    settings.write_text(SITE.format(host=HOST, certificate=certificate, key=key))
    site = {"HOTLINE_SETTINGS": str(settings), "HOTLINE_ADDRESS": HOST, "HOTLINE_WEB__BIND": HOST}
    house = House(tmp_path / "house", free_address(), **site, HOTLINE_BROWSER_PHONES="true")
    try:
        house.start()
        made = hotline(house, "account", "tom", "--name", "Tom", "--role", "agent")
        assert made.returncode == 0, made.stdout + made.stderr
        password = made.stdout.split(" signs in with ")[1].split(". ")[0]
        house.stop()
        house.start()
        chromium = tmp_path / "chromium"
        chromium.write_text(f'#!/bin/sh\nexec ip netns exec {lan} {CHROMIUM} "$@"\n')
        chromium.chmod(0o755)
        async with page_of(str(chromium)) as page:
            await page.goto(f"https://{HOST}:8000/")
            await page.get_by_label("Name").fill("tom")
            await page.get_by_label("Password").fill(password)
            await page.get_by_role("button", name="Sign in").click()
            phone = page.locator("hotline-phone")
            await expect(phone).to_have_attribute("data-state", "ready", timeout=20_000)
            await page.evaluate("document.querySelector('hotline-phone').dial('600')")
            await expect(phone).to_have_attribute("data-state", "talking", timeout=20_000)
            await hears_something(page)
            assert "1 active call" in await house.cli("core show channels count")
    finally:
        house.stop()


@pytest.mark.covers("H13", "H14", "H16", "H17", "H21")
async def test_ana_works_joaos_call_with_the_keyboard_alone(browser_house: House, page_of: PageOf) -> None:
    """She asked for the call, so her own phone answers by itself; his rings in another page."""
    house = browser_house
    async with page_of(flags=LOOPBACK_FLAGS) as ana, page_of(flags=LOOPBACK_FLAGS) as joao:
        await joao.goto(f"http://{house.address}:8000/patient-phone?as=joao")
        await expect(joao.locator("hotline-phone")).to_have_attribute("data-state", "ready")
        task = task_of(house, "joao")
        await signs_in(house, ana, "ana", f"/followups/{task.id}")
        await expect(ana.locator("hotline-phone")).to_have_attribute("data-state", "ready")

        await ana.keyboard.press("s")
        await expect(ana.locator("hotline-phone")).to_have_attribute("data-state", "talking")
        await expect(joao.locator("hotline-phone")).to_have_attribute("data-state", "ringing")
        await joao.get_by_role("button", name="Answer").click()
        await expect(ana.get_by_text("On the line")).to_be_visible()
        for identifier in "12":
            await ana.keyboard.press(identifier)
            await expect(ana.locator("#call input[type=checkbox]:checked")).to_have_count(int(identifier))
        await expect(ana.get_by_role("button", name="Notice spoken")).to_be_visible()
        await ana.keyboard.press("r")
        await expect(ana.get_by_text("Recording since")).to_be_visible()
        await hears_something(ana)
        await ana.keyboard.press("y")
        await ana.screenshot(path=SCREENSHOTS / "followup-live.png")
        await ana.keyboard.press("t")  # he does not want it any more: what there is is sealed while they talk on
        await expect(ana.get_by_role("button", name="Play")).to_be_visible(timeout=30_000)
        await expect(joao.locator("hotline-phone")).to_have_attribute("data-state", "talking")
        await ana.keyboard.press("c")
        await ana.keyboard.press("h")
        await expect(joao.locator("hotline-phone")).to_have_attribute("data-state", "ready")
        await expect(ana.get_by_role("button", name="Play")).to_be_visible(timeout=30_000)  # her recording, in the form
        await ana.get_by_role("button", name="Play").click()
        await expect(ana.locator("hotline-player")).to_have_attribute("data-state", "playing", timeout=30_000)
        await expect(ana.get_by_text("Done.")).to_be_visible()
    with house.database.transaction() as session:
        assert session.get_one(FollowUpTask, task.id).state == "done"
        assert "pain" in followups.answers(session, task.id)


@pytest.mark.covers("H10", "H15", "I9")
async def test_tom_sees_lucia_while_his_phone_in_the_page_rings(browser_house: House, page_of: PageOf) -> None:
    house = browser_house
    async with (
        page_of(flags=LOOPBACK_FLAGS) as tom,
        page_of(flags=LOOPBACK_FLAGS) as grace,
        page_of(flags=LOOPBACK_FLAGS) as lucia,
    ):
        for page, who in ((tom, "tom"), (grace, "grace")):
            await signs_in(house, page, who, "/agent")
            await expect(page.get_by_role("heading", name="Calls")).to_be_visible()
        await expect(tom.locator("hotline-phone")).to_have_attribute("data-state", "ready")
        await expect(tom.get_by_role("button", name="Take calls")).to_be_visible()
        await tom.keyboard.press("g")
        await expect(tom.get_by_role("button", name="Pause")).to_be_visible()

        before = len(house.calls())
        await calls_the_hospital(house, lucia)
        await house.until("the ivr has her", lambda: len(house.calls()) > before)
        await lucia.locator("[data-digit='0']").first.click()

        await expect(tom.locator("hotline-phone")).to_have_attribute("data-state", "ringing", timeout=20_000)
        await expect(tom.get_by_role("heading", name="Lucía Fernández")).to_be_visible()
        await expect(tom.get_by_text("Closed until two identifiers are ticked.")).to_be_visible()
        await expect(tom.locator(".card-journey [data-fragment]")).not_to_be_empty()
        await tom.screenshot(path=SCREENSHOTS / "agent-ringing.png")
        assert await grace.get_by_text("Lucía").count() == 0
        assert "hypertension" not in await tom.content()
        await tom.keyboard.press("a")
        await expect(tom.get_by_text("On the line")).to_be_visible()
        await hears_something(lucia)
        await tom.keyboard.press("x")  # mute
        await expect(tom.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "true")
        await hears_nothing(lucia)
        await tom.keyboard.press("x")
        await hears_something(lucia)
        await lucia.get_by_role("button", name="Hang up").click()
        await expect(lucia.locator("hotline-phone")).to_have_attribute("data-state", "ready")


@pytest.mark.covers("H10", "H15")
async def test_tom_sees_how_far_lucia_came_while_it_rings(browser_house: House, page_of: PageOf) -> None:
    """She has an appointment, is about to book another one, and wants a person when it is read back to her."""
    house = browser_house
    has, *_ = await openings(house)
    desk = OwnDesk(house.database)
    await desk.hold(has.slot_id, "the desk", wiring.now())
    await desk.confirm(has.slot_id, "the desk", house.patient("lucia").id, wiring.now(), "desk")
    with house.database.transaction() as session:
        session.execute(delete(CallerLanguage))  # of an earlier call of hers: it would not be asked for
    async with page_of(flags=LOOPBACK_FLAGS) as tom, page_of(flags=LOOPBACK_FLAGS) as lucia:
        await signs_in(house, tom, "tom", "/agent")
        await expect(tom.locator("hotline-phone")).to_have_attribute("data-state", "ready")
        await expect(tom.locator("[data-fragment='/presence'] button")).to_be_visible()
        await tom.keyboard.press("g")
        await expect(tom.get_by_role("button", name="Pause")).to_be_visible()
        before = len(house.calls())
        await calls_the_hospital(house, lucia)  # from now on no key is lost
        await house.until("the ivr has her", lambda: len(house.calls()) > before)
        call_id = house.calls()[-1].id
        await types(lucia, "2")  # español
        await house.until("she has chosen", lambda: "turn" in house.journal(of=call_id))
        await types(lucia, "11" + LUCIA.birth_keys)
        await house.until("she is recognised", lambda: "identified" in house.journal(of=call_id))
        await types(lucia, "1")  # cardiología
        await house.until("times are offered", lambda: "department" in house.journal(of=call_id))
        await types(lucia, "1")
        await house.until("the first is held, and read back to her", lambda: held(house) == 1)
        await types(lucia, "0")

        await expect(tom.locator("hotline-phone")).to_have_attribute("data-state", "ringing", timeout=20_000)
        await expect(tom.get_by_role("heading", name="Lucía Fernández")).to_be_visible()
        await expect(tom.get_by_text("Identified by the automatic service")).to_be_visible()
        who = tom.locator(".card-who")
        await expect(who).to_contain_text("Wants to book an appointment")
        await expect(who).to_contain_text(f"{has.starts_at.astimezone(wiring.zone(house.settings)):%H:%M}")
        for step in ("Department: Cardiology", "Read back: pressed 0", "To reception: asked for a person"):
            await expect(tom.locator(".card-journey")).to_contain_text(step)
        await expect(tom.get_by_text("To reception: asked for a person")).to_be_in_viewport(ratio=1)
        await tom.screenshot(path=SCREENSHOTS / "agent-ringing-booking.png")
        assert "hypertension" not in await tom.content()
