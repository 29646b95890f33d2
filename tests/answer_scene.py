"""The pages of links in this process, on a real database: a plan's text message was sent, and somebody opens its link.

    async def test_…(scene):
        link = scene.texted(JOAO)                     # the text message, as the core makes it
        async with scene.telephone() as joao:         # a browser that keeps nothing
            page = await joao.get(link.path)

`scene.now` is moved by the test."""

import json
import re
from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import httpx
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from hospital import followups, outbox, questionnaires, text_steps, vault
from hospital.answer_links import AnswerLink, Links
from hospital.cases import Case
from hospital.clocks import Clocks
from hospital.database import Database
from hospital.followups import Answer, FollowUpTask
from hospital.outbox import LINK, LINK_SEALED, OutboxRow
from hospital.patients import Patient
from scripts.questionnaire_files import load_questionnaires, read_data
from scripts.wording import Wording
from tests.characters import Character
from tests.hospital_scene import UNCAPPED, admit
from tests.moments import NOON, ZONE
from tests.workshops import shipped
from web.answer_guard import Rates
from web.answer_pages import House, create_answer_app

HOST = "answers.test"
LINKS = Links(f"https://{HOST}")
LANGUAGES = ("es", "en", "pt-BR", "zh-CN", "mi")
FINE = {"staff": "5", "told": "4", "waiting": "5", "clean": "4", "recommend": "9", "words": ""}
"""Answers of somebody who was content, in their order."""


@dataclass(frozen=True)
class Link:
    token: str

    @property
    def path(self) -> str:
        return f"/s/{self.token}"


def survey(**changes: Any) -> dict[str, Any]:
    """The shipped satisfaction survey, with changes at its top."""
    body: dict[str, Any] = json.loads(load_questionnaires()[0]["satisfaction"].body)
    return body | changes


class Scene:
    """One house's pages. `rates`: how often they may be asked for."""

    def __init__(self, database: Database, rates: Rates | None = None, host: str = HOST) -> None:
        self.database, self.now, self.at = database, NOON, f"https://{host}"
        self.house = House(
            database=database,
            clock=lambda: self.now,
            words=self._words,
            hosts=frozenset({host}),
            languages=LANGUAGES,
            default_language="es",
            clocks=Clocks(ZONE, "CO"),
            country="CO",
        )
        self.app = create_answer_app(self.house, rates)

    async def _words(self) -> Wording:
        return shipped().words()

    def passes(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now

    def due(self, who: Character, body: dict[str, Any] | None = None) -> FollowUpTask:
        """A step of a plan by text message that asks how it was."""
        with self.database.transaction() as session:
            found = read_data(body or survey())
            form = questionnaires.publish(session, found.id, json.loads(found.body), found.sha256, NOON)
            patient = session.scalar(select(Patient).where(Patient.language == who.language)) or admit(session, who)
            task = followups.plan(
                session,
                patient_id=patient.id,
                questionnaire_id=form.id,
                reason="rating",
                due_at=self.now,
                due_until=self.now + timedelta(days=30),
            )
            task.channel, task.fallback = "sms", ["nurse_call"]
            return task

    def texted(self, who: Character, body: dict[str, Any] | None = None) -> Link:
        """The link in the text message that the core puts into the outbox."""
        task = self.due(who, body)
        with self.database.transaction() as session:
            assert text_steps.work_next(session, self.now, UNCAPPED, links=LINKS)
            message = session.scalars(select(OutboxRow).where(OutboxRow.once == f"step/{task.id}")).one()
            link = vault.unseal(b64decode(message.params[LINK_SEALED]), LINK)
        found = re.fullmatch(rf"https://{HOST}/s/([A-Za-z0-9_-]{{22}})", link)
        assert found is not None, link
        return Link(found[1])

    def sent(self) -> None:
        """The messages leave."""
        with self.database.transaction() as session:
            while (message := outbox.claim(session, self.now)) is not None:
                outbox.sent(session, message.id, "gateway-1", self.now)
                session.flush()

    def telephone(self, address: str = "198.51.100.7") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=(address, 50000))
        return httpx.AsyncClient(transport=transport, base_url=f"https://{HOST}", follow_redirects=True)

    def task(self) -> FollowUpTask:
        with self.database.transaction() as session:
            return session.scalars(select(FollowUpTask)).one()

    def link(self) -> AnswerLink:
        with self.database.transaction() as session:
            return session.scalars(select(AnswerLink)).one()

    def answers(self) -> dict[str, Any]:
        with self.database.transaction() as session:
            return followups.answers(session, session.scalars(select(FollowUpTask)).one().id)

    def rows(self, kind: type[Answer] | type[Case]) -> list[Any]:
        with self.database.transaction() as session:
            return list(session.scalars(select(kind)))

    def everything(self) -> str:
        """All that the database holds, as text."""
        with self.database.transaction() as session:
            names = session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
            return "".join(_dump(session, name) for name in names)


def _dump(session: Session, table: str) -> str:
    return "\n".join(map(str, session.execute(text(f'SELECT t::text FROM "{table}" t')).scalars()))  # noqa: S608


def said(page: httpx.Response) -> str:
    """What a page's reader sees, in one line."""
    body = page.text.partition("<main>")[2].partition("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def field(page: httpx.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, page.text
    return unescape(found[1])


async def answer(client: httpx.AsyncClient, page: httpx.Response, *values: str, free: str = "") -> httpx.Response:
    """Sends the form of a question's page."""
    data: dict[str, Any] = {"key": field(page, "key"), "value": list(values), "text": free}
    action = re.search(r'<form method="post" action="([^"]+)"', page.text)
    assert action is not None, page.text
    return await client.post(action[1], data=data)


async def begun(client: httpx.AsyncClient, link: Link) -> httpx.Response:
    """The first question."""
    return await client.post(link.path)


async def answers_all(client: httpx.AsyncClient, link: Link, **changes: str) -> httpx.Response:
    """The last page, after all of FINE with `changes`."""
    page = await begun(client, link)
    given = FINE | changes
    while 'name="key"' in page.text:
        page = await answer(client, page, given[field(page, "key")])
    return page
