"""A questionnaire that is being written: filled in as the nurse does, and heard as João would, and nothing is kept."""

import json
import re
from html import unescape
from typing import Any

import pytest
from sqlalchemy import func, select

from hospital.calls import Call
from hospital.database import Base, Database
from scripts import questionnaire_source
from scripts.questionnaire_files import HERE
from tests.console_app import Page, Site
from tests.test_web_form_shapes import SHAPES
from tests.test_web_questionnaires import site, words

__all__ = ["site"]
TEXT = questionnaire_source.written(json.loads(SHAPES.body))
FORM = f"/questionnaires/{SHAPES.id}/form"


def rows(database: Database) -> dict[str, int]:
    """How many rows each table has, but for the sign-ins."""
    with database.transaction() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
            if table.name != "sign_in_session"
        }


class Filled:
    """The page, which holds what was filled in."""

    def __init__(self, page: Page, source: str = TEXT) -> None:
        self.page, self.source, self.answers = page, source, "{}"

    async def send(self, path: str = "", status: int = 200, **form: str | list[str]) -> str:
        sent = {"source": self.source, "answers": self.answers, "language": "es"} | form
        html = (await self.page.post(FORM + path, status, **sent)).text
        held = re.search(r'id="preview-answers" name="answers" value="([^"]*)" hx-swap-oob', html)
        if held:
            self.answers = unescape(held[1])
        return html

    async def shown(self, html: str) -> set[str]:
        told = re.findall(r'data-shown="([^"]*)"', html)
        return set(json.loads(unescape(told[-1])))

    @property
    def held(self) -> Any:
        return json.loads(self.answers)


@pytest.mark.covers("H15", "H51")
async def test_ida_fills_in_the_form_and_nothing_is_kept(site: Site) -> None:
    async with site.signed_in("ida") as ida:
        before = rows(site.database)
        form = Filled(ida)
        html = await form.send()
        assert f'hx-post="{FORM}/answers/smokes"' in html and "/followups/" not in html
        assert "a day/#1" not in await form.shown(html)
        assert "a day/#1" in await form.shown(await form.send("/answers/smokes", value="true"))
        assert "80" in await form.send("/answers/a%20day%2F%231", 422, value="99")
        html = await form.send("/repetitions/medicine", more="1")
        assert f'hx-post="{FORM}/answers/name%401"' in html
        assert "why@1" in await form.shown(await form.send("/answers/missed%401", value="true"))
        await form.send("/answers/mood1", value="often")
        told = words(await form.send("/answers/mood2", value="often"))
        assert "Burden: 4 , much" in told and "Act on this at once: Heavy burden" in told
        moods = {"mood1": "often", "mood2": "often"}
        assert form.held == {"smokes": True, "medicine": {"so_far": 1}, "missed@1": True} | moods
        assert "why@1" not in await form.shown(await form.send("/repetitions/medicine", more="0"))
        await form.send("/answers/nowhere", 404, value="1")
        assert rows(site.database) == before


@pytest.mark.covers("H51")
async def test_the_form_follows_the_text_and_believes_no_page(site: Site) -> None:
    async with site.signed_in("ida") as ida:
        form = Filled(ida)
        await form.send("/answers/smokes", value="true")
        form.source = TEXT.replace("linkId: smokes\n", "linkId: vapes\n").replace("question: smokes", "question: vapes")
        assert form.source != TEXT
        await form.send()
        assert form.held == {}, "what is not asked any more is let go"
        for nonsense in ("[", "[1]", "9", '{"mood1": "never", "medicine": 999999, "since": [[]], "x": {}}'):
            form.source, form.answers = TEXT, nonsense
            await form.send()
            assert form.held == {}, nonsense
        form.source = TEXT.replace("type: boolean", "type: bool", 1)
        assert "It can’t be asked as it stands: line" in words(await form.send())
        await form.send("/answers/smokes", 422, value="true")
        form.source = TEXT
        await form.send("/all-normal")
        assert form.held == {"smokes": False}


@pytest.mark.covers("H51")
async def test_ida_hears_the_draft_as_a_call_and_nobody_is_called(site: Site) -> None:
    text = (HERE / "discharge_day3.yaml").read_text()
    reworded = text.replace("es: Tres días después del alta", "es: Su tercer día en casa")
    async with site.signed_in("ida") as ida:
        before = rows(site.database)

        async def call(status: int = 200, **form: str) -> str:
            return words((await ida.post("/questionnaires/discharge-day3/call", status, source=reworded, **form)).text)

        spanish = await call(keys="1,0#", spoken="es")
        assert "Su tercer día en casa" in spanish, spanish
        english = await call(keys="1 9# 1", spoken="en")
        assert "Three days after discharge" in english and "9" in english
        await call(422, keys="1,x", spoken="en")
        await call(422, keys="1", spoken="tlh")
        assert rows(site.database) == before
        with site.database.transaction() as session:
            assert not session.scalar(select(func.count()).select_from(Call))
    async with site.signed_in("grace") as grace:
        await grace.post("/questionnaires/discharge-day3/call", 403, source=reworded, keys="1", spoken="en")
