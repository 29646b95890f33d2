"""The wording page: found, changed, checked, heard, published and restored by Ida, and by nobody else."""

from dataclasses import replace
from pathlib import Path

import pytest

from hospital import editions
from hospital.database import Database
from tests.console_app import Page, Site, words
from tests.workshops import workshop

OURS = "Gracias por llamar a Hospital San Rafael. Hasta luego."
FORM = {"en.text": "Thank you. Goodbye.", "es.text": "Gracias.\nQue se mejore.", "es.reviewed_by": "Ana Vega"}


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    made = Site(database, tmp_path)
    state = made.app.state
    facts = replace(state.services.facts, languages=("en", "es", "pt-BR", "zh-CN", "mi"))
    state.services = replace(state.services, workshop=workshop(database, tmp_path), facts=facts)
    return made


def seen(html: str) -> str:
    return html.partition('name="seen" value="')[2].partition('"')[0]


async def fields(ida: Page, key: str) -> dict[str, str]:
    return {"seen": seen((await ida.get(f"/wording/{key}")).text)}


@pytest.mark.covers("H51")
async def test_ida_changes_a_sentence_and_takes_it_back(site: Site) -> None:
    async with site.signed_in("ida") as ida:
        listed = words((await ida.get("/wording?q=gracias+por&language=es")).text)
        assert "goodbye" in listed and "dialplan" not in listed and "main_menu" not in listed
        page = (await ida.get("/wording/goodbye")).text
        assert "Gracias por llamar" in page and "Portuguese, said first" in words(page)
        told = words((await ida.post("/wording/goodbye", **FORM, **await fields(ida, "goodbye"))).text)
        assert "is changed in en, es and not in pt-BR, zh-CN" in told and "Warns" in told
        draft = (await ida.get("/editions/wording")).text
        assert "Draft" in draft and "Stops" not in draft
        assert site.app.state.services.workshop._sheets.held.number == 0
        await ida.post("/editions/wording/publish", 422, why=" ", seen=seen(draft))
        answer = await ida.post("/editions/wording/publish", why="Kinder.", seen=seen(draft))
        assert "The next call hears it" in answer.text and "Kinder." in answer.text
        live = (await site.app.state.services.workshop.live()).words
        assert live.text("goodbye", "es") == "Gracias. Que se mejore."
        assert "Changed" in (await ida.get("/wording?q=goodbye")).text
        await ida.post("/editions/wording/as-shipped")
        history = (await ida.get("/editions/wording")).text
        with site.database.transaction() as session:
            first = editions.history(session, "wording")[1]
        assert f"/editions/wording/restore/{first.id}" in history
        await ida.post(f"/editions/wording/restore/{first.id}")
        live = (await site.app.state.services.workshop.live()).words
        assert live.text("goodbye", "es") == "Gracias. Que se mejore."


async def test_what_stops_is_told_and_not_published(site: Site) -> None:
    async with site.signed_in("ida") as ida:
        wrong = {"es.text": "Avisos, 1. Otro asunto, 1.", "es.short": "Avisos, 1. Otro, 2.", "es.other": "Uno."}
        told = words((await ida.post("/wording/something_else", **wrong, seen="")).text)
        assert "key 2 is not named" in told and "key 1 is named twice" in told and "Stops" in told
        draft = (await ida.get("/editions/wording")).text
        assert "/publish" not in draft and "Mend what stops it" in draft
        with site.database.transaction() as session:
            at = editions.draft(session, "wording").changed_at.isoformat()  # type: ignore[union-attr]
        await ida.post("/editions/wording/publish", 422, why="Why", seen=at)
        await ida.post("/wording/goodbye", 409, **FORM, seen="")  # the page is older than the draft
        await ida.post("/editions/wording/discard")
        await ida.post("/editions/wording/discard", 409)
        await ida.get("/wording/no_such", 404)


async def test_as_it_was_is_no_change(site: Site) -> None:
    async with site.signed_in("ida") as ida:
        page = (await ida.get("/wording/queue_place")).text
        ours = page.partition('name="es.text"')[2].partition(">")[2].partition("<")[0]
        await ida.post("/wording/queue_place", **{"es.text": ours}, seen="")
        with site.database.transaction() as session:
            draft = editions.draft(session, "wording")
            assert draft is not None and draft.body is None


async def test_the_draft_is_heard_by_the_sites_voice(site: Site) -> None:
    async with site.signed_in("ida") as ida:
        before = (await ida.get("/wording/goodbye/sound?language=es")).content
        assert before[:4] == b"RIFF" and len(before) > 16000
        await ida.post("/wording/goodbye", **FORM, seen="")
        after = (await ida.get("/wording/goodbye/sound?language=es")).content
        assert after[:4] == b"RIFF" and after != before
        assert (await ida.get("/wording/queue_place/sound?language=zh-CN")).headers["content-type"] == "audio/wav"


@pytest.mark.covers("H51")
async def test_grace_may_not(site: Site) -> None:
    async with site.signed_in("grace") as grace:
        for path in ("/wording", "/wording/goodbye", "/editions/wording", "/wording/goodbye/sound"):
            await grace.get(path, 403)
        for path in ("/wording/goodbye", "/editions/wording/publish", "/editions/wording/as-shipped"):
            await grace.post(path, 403)
