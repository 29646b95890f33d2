"""Letters to post in the console: printed, posted and come back, by their nurse and nobody else; every look audited."""

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from html import unescape
from pathlib import Path

import pytest
from fpdf import FPDF
from pypdf import PdfReader
from sqlalchemy import select

from hospital import audit, letters
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.letter_records import StepLetter
from hospital.letters import Post
from hospital.patients import Patient
from hotline.channel_settings import Letters
from hotline.letter_joints import Press
from scripts import wording
from tests.characters import RUTH
from tests.console_app import Site, words
from tests.hospital_scene import UNCAPPED, admit, day_three
from tests.test_wording import SITE

ADDRESS = "Rua das Flores 12\nSão Paulo"
pytestmark = pytest.mark.covers("H25", "H51")


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    made = Site(database, tmp_path)
    press = Press(Letters(sender=("Calle 1", "Bogotá")), "co", lambda: wording.load(SITE), lambda: date(2026, 11, 25))
    made.app.state.services = replace(made.app.state.services, letters=press)
    return made


def to_post(site: Site, name: str | None = None) -> str:
    """João's follow-up is a letter now; its id."""
    with site.database.transaction() as session:
        task, joao = session.get_one(FollowUpTask, site.task.id), session.get_one(Patient, site.joao.id)
        task.channel, joao.address = "letter", ADDRESS
        joao.name = name or joao.name
        session.flush()
        assert letters.work_next(session, site.now, UNCAPPED, Post(timedelta(days=14), lambda *of: None))
    return str(site.task.id)


def the_letter(site: Site) -> StepLetter:
    with site.database.transaction() as session:
        return session.scalars(select(StepLetter)).one()


def text_of(content: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]


async def test_ana_prints_posts_and_has_it_back(site: Site) -> None:
    async with site.signed_in("ana") as ana:
        assert "No letter is to be posted" in words((await ana.get("/letters")).text)
        task = to_post(site)
        listed = words((await ana.get("/letters")).text)
        assert "João Souza" in listed and "Rua das Flores 12" in listed and "not yet" in listed
        told = words((await ana.get("/followups")).text)
        assert "A letter is to be posted" in told
        assert "was not printed" in (await ana.post("/letters/posted", 409, of=[task])).text
        answer = await ana.get(f"/letters/letters.pdf?of={task}")
        assert answer.headers["content-type"] == "application/pdf" and answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-disposition"].startswith("inline")
        (page,) = text_of(answer.content)
        assert "Prezado(a) João Souza" in page and "25 de novembro de 2026" in page and "Rua das Flores 12" in page
        assert "No letter is to be posted" in words((await ana.post("/letters/posted", of=[task])).text)
        assert "is not on the list any more" in (await ana.post("/letters/posted", 409, of=[task])).text
        assert "It came back" in words((await ana.get("/letters?show=sent")).text)
        assert "Came back today" in words((await ana.post(f"/letters/{task}/returned")).text)
        await ana.post(f"/letters/{task}/returned", 409)
        assert "a letter came back" in (await ana.get(f"/followups/{task}")).text
    letter = the_letter(site)
    assert (letter.state, letter.posted_by) == ("returned", site.staff["ana"].id)
    with site.database.transaction() as session:
        actions = [row.action for row in audit.of_subject(session, f"patient:{site.joao.id}")]
        assert {"letter.printed", "letter.posted", "letter.returned"} <= set(actions)
        (look, *_) = audit.of_subject(session, "letters:waiting")
        assert (look.action, look.detail["patients"]) == ("letter.listed", [str(site.joao.id)])


def ruths_letter(site: Site) -> str:
    with site.database.transaction() as session:
        ruth = admit(session, RUTH)
        ruth.address = "1 Main Street"
        task = day_three(session, ruth)
        task.channel = "letter"
        session.flush()
        assert letters.work_next(session, site.now, UNCAPPED, Post(timedelta(days=14), lambda *of: None))
        return str(task.id)


async def test_several_are_one_pdf(site: Site) -> None:
    first, second = to_post(site), ruths_letter(site)
    async with site.signed_in("ana") as ana:
        pages = text_of((await ana.get(f"/letters/letters.pdf?of={first}&of={second}")).content)
        assert len(pages) == 2 and any("Dear Ruth Miller" in page for page in pages)
        await ana.post("/letters/posted", of=[first, second])


async def test_nobody_else_sees_or_posts_it(site: Site) -> None:
    task = to_post(site)
    async with site.signed_in("ruby") as ruby:
        assert "João" not in (await ruby.get("/letters")).text
        await ruby.get(f"/letters/letters.pdf?of={task}", 404)
        await ruby.post("/letters/posted", 409, of=[task])
        await ruby.post(f"/letters/{task}/returned", 409)
    async with site.signed_in("oscar") as oscar:
        await oscar.get("/letters", 403)
        await oscar.get(f"/letters/letters.pdf?of={task}", 403)
    async with site.signed_in("grace") as grace:
        assert "João" in (await grace.get("/letters")).text
    assert the_letter(site).printed_at is None


async def test_what_cannot_be_printed_is_told_and_not_marked(site: Site) -> None:
    task = to_post(site, "João 🦄")
    async with site.signed_in("ana") as ana:
        told = words((await ana.get(f"/letters/letters.pdf?of={task}", 409)).text)
        assert "1 letter can’t be printed" in told
        assert "João 🦄 : its name or address has signs that no font here has" in told and "the other" not in told
        await ana.get("/letters/letters.pdf", 422)
        await ana.get("/letters/letters.pdf?of=one", 404)
        assert "Tick the letters" in (await ana.post("/letters/posted", 422)).text
    assert the_letter(site).printed_at is None


async def test_one_that_cannot_be_printed_is_named_and_holds_up_no_other(site: Site) -> None:
    first, second = to_post(site, "João 🦄"), ruths_letter(site)
    async with site.signed_in("ana") as ana:
        page = (await ana.get(f"/letters/letters.pdf?of={first}&of={second}", 409)).text
        assert "João 🦄" in page and RUTH.name not in page
        (link,) = re.findall(r'href="(/letters/letters.pdf[^"]+)"', page)
        (letter,) = text_of((await ana.get(unescape(link))).content)
        assert "Dear Ruth Miller" in letter
    with site.database.transaction() as session:
        rows = session.execute(select(StepLetter.task_id, StepLetter.printed_at.is_not(None))).all()
    assert {str(task): printed for task, printed in rows} == {first: False, second: True}


async def test_a_site_without_letters_says_so(site: Site) -> None:
    site.app.state.services = replace(site.app.state.services, letters=None)
    async with site.signed_in("ana") as ana:
        assert "sends no letters" in words((await ana.get("/letters")).text)
        await ana.get(f"/letters/letters.pdf?of={site.task.id}", 409)


async def test_ana_writes_an_address_down(site: Site) -> None:
    async with site.signed_in("ana") as ana:
        await ana.post(
            f"/followups/{site.task.id}/address", 204, address="  Rua <b>A</b> 1 \r\n\r\n São Paulo", on="on"
        )
        page = (await ana.get(f"/followups/{site.task.id}")).text
        assert "Rua &lt;b&gt;A&lt;/b&gt; 1\nSão Paulo</textarea>" in page and 'id="may-write" checked' in page
        await ana.post(f"/followups/{site.task.id}/address", 204, address="")
        await ana.post(f"/followups/{site.task.id}/address", 422, address="x" * 601)
    async with site.signed_in("ruby") as ruby:
        await ruby.post(f"/followups/{site.task.id}/address", 403, address="Elsewhere")
    with site.database.transaction() as session:
        joao = session.get_one(Patient, site.joao.id)
        assert (joao.address, joao.may_write) == (None, False)
        rows = audit.of_subject(session, f"patient:{site.joao.id}")
        assert [row.action for row in rows].count("patient.address") == 2


async def test_nothing_is_written_to_a_disk(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    task = to_post(site)
    opened: list[Sequence[object]] = []
    real = FPDF.output

    def output(self: FPDF, *of: object, **more: object) -> object:
        opened.append((*of, *more.values()))
        return real(self, *of, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(FPDF, "output", output)
    async with site.signed_in("ana") as ana:
        await ana.get(f"/letters/letters.pdf?of={task}")
    assert opened == [()], "the PDF is bytes in memory: no file is named"
