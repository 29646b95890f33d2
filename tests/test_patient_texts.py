"""The text messages of the demo's patients on their page, and of a case on the console."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from hospital.audit import AuditRow
from hospital.cases import Case
from hospital.database import Database
from hospital.followups import FollowUpTask
from hotline import message_joints
from hotline.demo_texts import FileTexts
from hotline.settings_file import DEMO, build
from messages.gateway import Outgoing
from messages.gateways.file import FileGateway
from scripts.wording import Wording
from tests import browser
from tests.characters import JOAO, LUCIA
from tests.console_app import Site
from tests.console_app import words as said_on
from tests.moments import NOON
from tests.test_care_dialogues import words
from tests.text_house import TextHouse
from web.app import create_app

__all__ = ["words"]

PAGE = "/patient-phone/lucia/texts"
pytestmark = pytest.mark.covers("H32")


@pytest.fixture
async def demo(database: Database, words: Wording, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Lucía has had a text, cut short before it and after it by a crash."""
    site, sent = browser.Site(database, demo=True), tmp_path / "sent.jsonl"
    sent.write_text('{"id": "1", "to": "+57301')
    for to, text in ((LUCIA.numbers[0], "<b>Hola</b>"), ("+573015550199", "Not hers")):
        await FileGateway(sent, lambda: NOON).send(Outgoing(uuid4(), to, text))
    take = message_joints.taking(build(DEMO), database, lambda: words, site.clock, site.services.desk)
    app = create_app(replace(site.services, demo_texts=FileTexts(database, sent, take)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=site.url("")) as client:
        yield client


async def test_she_reads_what_came_and_replies(demo: httpx.AsyncClient, database: Database) -> None:
    page = await demo.get("/patient-phone?as=lucia")
    assert f'data-texts="{PAGE}"' in page.text
    read = (await demo.get(PAGE)).text
    assert "&lt;b&gt;Hola&lt;/b&gt;" in read
    assert "Not hers" not in read
    written = await demo.post(
        PAGE, data={"text": "¿Están <i>ahí</i>?"}, headers={"Origin": str(demo.base_url).rstrip("/")}
    )
    assert written.status_code == 200
    assert "¿Están &lt;i&gt;ahí&lt;/i&gt;?" in written.text
    with database.transaction() as session:
        assert session.scalars(select(Case.kind)).all() == ["message"]


async def test_no_other_site_writes_for_her_and_nothing_is_nothing(demo: httpx.AsyncClient, database: Database) -> None:
    ours = {"Origin": str(demo.base_url).rstrip("/")}
    for headers in ({"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert (await demo.post(PAGE, data={"text": "hola"}, headers=headers)).status_code == 403
    assert (await demo.post(PAGE, data={"text": "   "}, headers=ours)).status_code == 200
    assert (await demo.post(PAGE, data={"text": "x" * 1601}, headers=ours)).status_code == 422
    assert (await demo.post("/patient-phone/oscar/texts", data={"text": "x"}, headers=ours)).status_code == 404
    with database.transaction() as session:
        assert session.scalars(select(Case.kind)).all() == []


async def test_where_patients_are_real_there_is_no_such_page(database: Database) -> None:
    async with browser.Site(database).client() as client:
        for path in (PAGE, f"{PAGE}/live"):
            assert (await client.get(path)).status_code == 404


@pytest.mark.covers("H51")
async def test_a_text_that_belongs_to_nothing_is_read_on_its_case_and_that_is_audited(
    database: Database, words: Wording, tmp_path: Path
) -> None:
    site, house = Site(database, tmp_path), TextHouse(database, words)
    house.admits(LUCIA)
    house.writes(LUCIA, "¿Puedo <b>comer</b> pan?")
    house.writes(LUCIA, "", media=2)
    with database.transaction() as session:
        case_id = session.scalars(select(Case.id)).one()
    async with site.signed_in("ana") as ana:
        assert "By text message" in said_on((await ana.get("/cases")).text)
        page = (await ana.get(f"/cases/{case_id}")).text
        assert "¿Puedo &lt;b&gt;comer&lt;/b&gt; pan?" in page
        assert "With 2 pictures" in page
        assert "Lucía Fernández" in page
    assert reads(database, case_id) == [site.staff["ana"].id]
    async with site.signed_in("oscar") as oscar:
        await oscar.get(f"/cases/{case_id}", 403)


def reads(database: Database, case_id: UUID) -> list[UUID | None]:
    with database.transaction() as session:
        rows = select(AuditRow.account_id).where(AuditRow.action == "case.read", AuditRow.subject == f"case:{case_id}")
        return list(session.scalars(rows))


async def test_the_nurse_sees_on_the_form_what_was_answered_by_text(
    database: Database, words: Wording, tmp_path: Path
) -> None:
    site, house = Site(database, tmp_path), TextHouse(database, words, also=["discharge-day3"])
    with database.transaction() as session:
        session.get_one(FollowUpTask, site.task.id).channel = "sms"
    house.works()
    for said in ("24/12/1966", "1"):
        house.writes(JOAO, said)
    with database.transaction() as session:
        session.get_one(FollowUpTask, site.task.id).channel = "nurse_call"
    site.now = house.now
    site.talking()
    async with site.signed_in("ana") as ana:
        form = (await ana.get(f"/followups/{site.task.id}")).text
    assert form.count('<span class="tag">by text message</span>') == 1
    assert "Asked by text message" in said_on(form), "and in the log, how it came to that"
