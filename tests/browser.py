"""The console with stand-ins for the telephone rooms, as pages for httpx and for a real Chromium.

    async def test_…(site, browser_page):
        page = await browser_page("tom")
        await page.goto(site.url("/agent"))

`site` serves on a loopback address of its own with a real database, a real live stream, and the standing characters;
what Asterisk would do is told by the test (`site.rings("tom", LUCIA)`)."""

import asyncio
import io
import itertools
import json
import re
import socket
import wave
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from math import sin
from pathlib import Path
from typing import Protocol
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import Page, expect
from sqlalchemy.orm import Session

from dialer.interpreters import Interpreters
from dialer.paces import paces
from hospital import (
    accounts,
    attempts,
    calls,
    followups,
    machine_calls,
    patients,
    questionnaires,
    recordings,
    screen_pops,
)
from hospital.accounts import Account
from hospital.attempts import Attempt
from hospital.booking import OwnDesk
from hospital.calling_hours import ALWAYS
from hospital.calling_rules import CallingPolicy, NotNow
from hospital.database import Database, announce
from hospital.followups import FollowUpTask
from hospital.notices import PostgresNotices
from hospital.patients import Patient, Stay, Visit
from recordings.replay import byte_range
from scripts.questionnaire_files import load_questionnaires
from tests.asterisk_instance import network
from tests.characters import JOAO, LUCIA, MEI, PATIENTS, RUTH, Character
from tests.chromium import OpenPage
from tests.moments import NOON, ZONE
from web import ports
from web.app import create_app
from web.audiences import audience
from web.live import Hub

SCREENSHOTS = Path(__file__).parent.parent / "var" / "screenshots"
AXE = Path(__file__).parent.parent / "web" / "console-scripts" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PASSWORD = "correct horse battery"
LINES = 4  # for calls without a nurse
ROLES = {"tom": "agent", "ana": "nurse", "grace": "supervisor", "ida": "administrator", "oscar": "none"}
ROLES |= {"dora": "doctor"}
expect.set_options(timeout=15_000)  # a machine that makes calls beside it takes its time
INTERPRETERS = {"zh-CN": "+576015550190", "Wayuunaiki": "+576015550191"}
POLICY = CallingPolicy(ALWAYS, ZONE, None, None)

_addresses = itertools.count(2)


@dataclass
class StandInPresence:
    states: dict[UUID, ports.PresenceState] = field(default_factory=dict)

    async def of(self, account_id: UUID) -> ports.PresenceState:
        return self.states.get(account_id, "away")

    async def become_available(self, account_id: UUID) -> str | None:
        self.states[account_id] = "available"
        return None

    async def become_away(self, account_id: UUID) -> str | None:
        self.states[account_id] = "away"
        return None


@dataclass
class StandInDialling:
    """Claims and settles attempts as the dialer does; the test says what the line does."""

    database: Database
    clock: Callable[[], datetime]
    refusal: str | None = None

    async def start(self, task_id: UUID, account_id: UUID) -> str | None:
        if self.refusal is not None:
            return self.refusal
        claimed = await self.database.run(attempts.claim, task_id, account_id, "n1", self.clock(), POLICY)
        return claimed.code if isinstance(claimed, NotNow) else None

    async def hang_up(self, attempt_id: UUID, account_id: UUID) -> str | None:
        await self.database.run(attempts.line_ended, attempt_id, "answered", self.clock(), POLICY)
        return None

    async def machine(self, attempt_id: UUID, account_id: UUID) -> str | None:
        await self.database.run(machine_calls.picked_up, attempt_id, account_id)
        await self.database.run(machine_calls.handed_over, attempt_id, self.clock())
        return None

    async def start_recording(self, attempt_id: UUID, account_id: UUID) -> str | None:
        def open_one(session: Session) -> None:
            attempt = session.get_one(Attempt, attempt_id)
            recordings.open_for(
                session,
                call_id=attempt.channel_id,
                attempt_id=attempt_id,
                patient_id=attempt.patient_id,
                account_id=account_id,
                at=self.clock(),
            )
            announce(session, "task", attempt.task_id)

        await self.database.run(open_one)
        return None

    async def refuse_recording(self, attempt_id: UUID, account_id: UUID) -> str | None:
        await self.database.run(
            recordings.none_because, call_id=str(attempt_id), attempt_id=attempt_id, reason="refused", at=self.clock()
        )
        return None


def tone(seconds: float = 4.0) -> bytes:
    """A WAV that a browser plays: 8 kHz, 16 bit, mono."""
    sink = io.BytesIO()
    with wave.open(sink, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        samples = 9000 * np.sin(2 * np.pi * 440 / 8000 * np.arange(int(8000 * seconds)))
        sound.writeframes(samples.astype("<i2").tobytes())
    return sink.getvalue()


@dataclass
class StandInReplay:
    sound: bytes = field(default_factory=tone)
    damaged: bool = False

    async def reply(self, recording_id: UUID, range_header: str | None) -> ports.Reply:
        if self.damaged:
            raise ports.Damaged("chunk 0")
        part = byte_range(range_header, len(self.sound))
        return ports.Reply(part.status, part.headers(), iter([self.sound[part.start : part.end]]))

    async def peaks(self, recording_id: UUID) -> list[float]:
        return [abs(sin(n / 9)) * (0.35 + 0.65 * abs(sin(n / 47))) for n in range(600)]

    async def verify(self, recording_id: UUID) -> None:
        if self.damaged:
            raise ports.Damaged("chunk 0")


class Clock:
    """The hour stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **span: float) -> None:
        self.now += timedelta(**span)


def _network() -> str:
    """Of this worker's consoles, beside the network of its telephones."""
    loopback, _, third = network().rpartition(".")
    return f"{loopback}.{(int(third) + 100) % 256}"


@dataclass
class StandInLines:
    """An interpreter's telephone, of which the test says what it does. `rung`: legs → numbers."""

    rung: dict[str, str] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)

    async def ring_interpreter(
        self, number: str, channel_id: str, talk_channel_id: str, timeout_s: float, caller_id: str, language: str
    ) -> None:
        self.rung[channel_id] = number

    async def hang_up(self, channel_id: str) -> bool:
        self.ended.append(channel_id)
        return True

    def is_up(self) -> bool:
        return True

    def live_channel_ids(self) -> dict[str, bool]:
        return dict.fromkeys(self.rung.keys() - set(self.ended), True)

    def is_ending(self, channel_id: str) -> bool:
        return False


class Site:
    """The console of a hospital whose telephones are played by the test."""

    def __init__(self, database: Database, *, tls: bool = False, demo: bool = False) -> None:
        self.database, self.clock = database, Clock()
        self.address = f"{_network()}.{next(_addresses)}"
        self.presence = StandInPresence()
        self.dialling = StandInDialling(database, self.clock)
        self.replay = StandInReplay()
        self.lines = StandInLines()
        self.interpreting = Interpreters(
            database, self.lines, INTERPRETERS, node="n1", caller_id="6015550100", spoken="en", now=self.clock
        )
        self.people: dict[str, UUID] = {}
        self.accounts: dict[str, UUID] = {}
        self.port = 8000
        self.services = ports.Services(
            facts=ports.SiteFacts(
                name="Hospital San Rafael",
                zone=ZONE,
                hosts=frozenset({f"{self.address}:8000"}),
                sip_socket=f"ws://{self.address}:8088/ws",
                tls=tls,
                demo=demo,
                demo_passwords={"tom": "tom-at-the-demo", "ana": "ana-at-the-demo"} if demo else {},
            ),
            database=database,
            clock=self.clock,
            live=Hub(PostgresNotices(database.url), partial(audience, database)),
            desk=OwnDesk(database),
            paces=lambda: database.run(paces, self.clock(), LINES),
            presence=self.presence,
            dialling=self.dialling,
            interpreting=self.interpreting,
            replay=self.replay,
            policy=POLICY,
            demo_patients={
                "lucia": ports.DemoPatient(
                    ports.Line("lucia", "Lucía", "not-told"), LUCIA.numbers[0], "es", "Lucía wants an appointment."
                ),
                "joao": ports.DemoPatient(
                    ports.Line("joao", "João", "not-told"), JOAO.numbers[0], "pt-BR", "João went home three days ago."
                ),
            },
        )
        self.app = create_app(self.services)
        self._fill()

    def url(self, path: str = "/") -> str:
        return f"http://{self.address}:{self.port}{path}"

    def _fill(self) -> None:
        with self.database.transaction() as session:
            for name, role in ROLES.items():
                made = accounts.create(
                    session, username=name, display_name=name.capitalize(), role=role, password=PASSWORD
                )
                self.accounts[name] = made.id
            found, problems = load_questionnaires()
            assert not problems
            one = found["discharge-day3"]
            asked = questionnaires.publish(session, one.id, json.loads(one.body), one.sha256, NOON)
            for person in PATIENTS:
                made_patient = patients.register(
                    session,
                    name=person.name,
                    birth=person.birth,
                    language=person.language,
                    numbers=list(person.numbers),
                    identifiers={"record": f"R-{person.sip}"},
                    sex=person.sex,
                )
                self.people[person.sip] = made_patient.id
                session.add(
                    Visit(
                        patient_id=made_patient.id,
                        at=NOON - timedelta(days=90),
                        department="Cardiology",
                        doctor="Dr Vega",
                        reason="check-up",
                        diagnosis="hypertension",
                    )
                )
            for person in (JOAO, MEI, RUTH):
                self._discharged(session, person, asked.id)

    def _discharged(self, session: Session, person: Character, questionnaire_id: UUID) -> None:

        home = NOON - timedelta(days=3, hours=2)
        stay = Stay(
            patient_id=self.people[person.sip],
            ward="Surgery 2",
            admitted_at=home - timedelta(days=4),
            discharged_at=home,
            diagnosis="appendectomy",
        )
        session.add(stay)
        session.flush()
        followups.plan(
            session,
            patient_id=self.people[person.sip],
            questionnaire_id=questionnaire_id,
            reason="discharge_day_3",
            due_at=NOON - timedelta(hours=2 if person is not RUTH else 120),
            stay_id=stay.id,
            owner_id=self.accounts["ana"] if person is JOAO else None,
        )

    # ── What the telephone does ─────────────────────────────────────────────────────────────────────────────────

    async def rings(self, who: str, caller: Character, *, number: str | None = None) -> UUID:
        """`caller`'s call rings at `who`'s phone."""
        call_id = f"n1-{uuid4().hex}"
        given = number if number is not None else caller.numbers[0]

        def ring(session: Session) -> UUID:

            calls.begin(session, call_id, "n1", given or None, NOON)
            calls.update_call(session, call_id, language=caller.language, reason="book")
            calls.step(session, call_id, "language", NOON, language=caller.language)
            calls.step(session, call_id, "turn", NOON, said=["main_menu"], key="1")
            calls.step(session, call_id, "transfer", NOON, queue="reception", reason="operator_key")
            calls.queued(session, call_id, "reception")
            return screen_pops.pop(session, call_id, self.accounts[who], f"{call_id}-{who}", NOON)

        return await self.database.run(ring)

    def task(self, person: Character) -> FollowUpTask:
        with self.database.transaction() as session:
            found = session.query(FollowUpTask).filter_by(patient_id=self.people[person.sip]).one()
            session.expunge(found)
            return found

    def attempt(self, person: Character) -> Attempt:
        with self.database.transaction() as session:
            return attempts.of_task(session, self.task(person).id)[-1]

    async def answers(self, person: Character) -> None:
        """The patient's phone is dialled, and picked up."""
        made = self.attempt(person)
        await self.database.run(attempts.dialling, made.id, self.clock())
        await self.database.run(attempts.answered, made.channel_id, self.clock())

    async def sealed(self, person: Character, seconds: float = 4.0) -> UUID:
        """The call's recording is sealed."""

        def seal(session: Session) -> UUID:

            found = recordings.of_attempt(session, self.attempt(person).id)
            assert found is not None
            recordings.sealed(
                session, found.id, path=f"aa/{found.id}.hlr", seconds=seconds, sha256="0" * 64,
                wrapped_key=b"k" * 40, at=self.clock(),
            )  # fmt: skip
            return found.id

        return await self.database.run(seal)

    # ── Who comes to the console ────────────────────────────────────────────────────────────────────────────────

    def client(self, host: str = "127.0.0.1") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=(host, 50000))
        return httpx.AsyncClient(transport=transport, base_url=self.url(""), follow_redirects=False)

    @asynccontextmanager
    async def signed_in(self, who: str) -> AsyncIterator[httpx.AsyncClient]:
        """A client with the session's cookie and the page's anti-forgery token."""
        async with self.client() as client:
            answer = await client.post("/sign-in", data={"username": who, "password": PASSWORD})
            assert answer.status_code == 303, answer.text
            page = (await client.get("/", follow_redirects=True)).text
            found = re.search(r'name="csrf" content="([^"]+)"', page)
            assert found is not None
            client.headers["X-CSRF-Token"] = found[1]
            yield client

    def account(self, who: str) -> Account:
        with self.database.transaction() as session:
            return session.get_one(Account, self.accounts[who])

    def patient(self, who: str) -> Patient:
        with self.database.transaction() as session:
            return session.get_one(Patient, self.people[who])


@pytest.fixture
def site(database: Database) -> Iterator[Site]:
    yield Site(database)


Comes = Callable[[str], Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def comes(site: Site) -> AsyncIterator[Comes]:
    """`await comes("tom")`: Tom signs in and stays until the end of the test."""
    async with AsyncExitStack() as present:

        async def sign_in(who: str) -> httpx.AsyncClient:
            return await present.enter_async_context(site.signed_in(who))

        yield sign_in


@asynccontextmanager
async def serving(site: Site, config: uvicorn.Config | None = None) -> AsyncIterator[Site]:
    """The site listening on its address, with the live stream."""
    listening = socket.create_server((site.address, site.port))
    config = config or uvicorn.Config(site.app, log_config=None, access_log=False, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield site
    server.should_exit = True
    await task


@pytest_asyncio.fixture(loop_scope="session")
async def served(site: Site) -> AsyncIterator[Site]:
    async with serving(site):
        yield site


class PageOf(Protocol):
    """`await page_of("tom")`: a page of Tom's, who has signed in, on which there is nothing yet; "" is a stranger's."""

    async def __call__(self, who: str, at: str = "") -> Page: ...


@pytest_asyncio.fixture(loop_scope="session")
async def page_of(served: Site, open_page: OpenPage) -> PageOf:
    async def open_as(who: str, at: str = "") -> Page:
        page = await open_page()
        if who:
            form = {"username": who, "password": PASSWORD}
            answer = await page.request.post(served.url("/sign-in"), form=form, max_redirects=0)
            assert answer.status == 303, await answer.text()
        if at:
            await page.goto(served.url(at))
        return page

    return open_as


BROKEN = """() => {
  const bar = document.querySelector(".bar"), broken = [];
  const texts = bar && document.createTreeWalker(bar, NodeFilter.SHOW_TEXT);
  while (texts?.nextNode()) {
    const range = document.createRange();
    range.selectNodeContents(texts.currentNode);
    const seen = texts.currentNode.parentElement.closest(".sheet, .unseen, .skip") === null;
    const lines = new Set([...range.getClientRects()].map((one) => Math.round(one.top)));
    if (seen && lines.size > 1) broken.push(texts.currentNode.textContent.trim());
  }
  return broken;
}"""
"""What stands in the bar on top on more than one line."""


async def talks(ana: Page, served: Site, person: Character) -> None:
    """She calls somebody from the form, and ticks who it is."""
    await ana.goto(served.url(f"/followups/{served.task(person).id}"))
    await ana.keyboard.press("s")
    await expect(ana.get_by_text("Your phone rings", exact=True)).to_be_visible()
    await served.answers(person)
    await expect(ana.get_by_text("On the line,")).to_be_visible()
    await ana.keyboard.press("1")
    await expect(ana.locator("#tick-name")).to_be_checked()
    await ana.keyboard.press("2")
    await expect(ana.locator("#questions:disabled")).to_have_count(0)


async def looked_at(page: Page, name: str) -> None:
    """Keeps a picture, and asks axe for what is wrong (WCAG 2.2 AA) and the browser for scrolling pages."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    await page.wait_for_function("() => !document.querySelector('button.htmx-request, .htmx-request button')")
    await page.screenshot(path=SCREENSHOTS / f"{name}.png")
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(AXE.read_text(encoding="utf-8"))
    wrong = await page.evaluate(
        "async (rules) => (await axe.run({runOnly: rules, resultTypes: ['violations']})).violations"
        ".map(v => `${v.id}: ${v.nodes.map(n => n.target.join(' ') + ' ' + n.failureSummary).join('; ')}`)",
        RULES,
    )
    assert wrong == [], f"{name}: " + "\n".join(wrong)
    assert await page.evaluate(BROKEN) == [], f"{name}: words of the bar are broken"
    keys = await page.evaluate(
        "() => [...document.querySelectorAll('[data-key]')].filter(e => e.checkVisibility()).map(e => e.dataset.key)"
    )
    twice = sorted({key for key in keys if keys.count(key) > 1})  # also of what can't be pressed just now
    assert twice == [], f"{name}: the keys {', '.join(twice)} mean two things"
    ids = await page.evaluate("() => [...document.querySelectorAll('[id]')].map(e => e.id)")
    twice = sorted({one for one in ids if ids.count(one) > 1})
    assert twice == [], f"{name}: two things are called {', '.join(twice)}"


async def does_not_scroll(page: Page) -> None:
    """At 1366 × 768 the page itself stays; its panels scroll."""
    tall, wide = await page.evaluate(
        "() => { const p = document.querySelector('#page') ?? document.scrollingElement;"
        " return [p.scrollHeight - p.clientHeight, document.scrollingElement.scrollWidth - innerWidth]; }"
    )
    assert (tall <= 0, wide <= 0) == (True, True), f"{tall} px too tall, {wide} px too wide"
