"""Somebody writes to the hospital on the page for anybody: what becomes of it, and what a hostile one gets."""

import re
from dataclasses import replace

import httpx
import pytest
from sqlalchemy import select

from hospital.audit import AuditRow
from hospital.cases import Case
from hospital.database import Database
from hospital.outbox import OutboxRow
from tests.answer_scene import HOST, LANGUAGES, Scene, said
from tests.browser import Comes, Site, comes, site
from tests.characters import LUCIA
from web.answer_pages import create_answer_app

__all__ = ["comes", "site"]

pytestmark = pytest.mark.covers("H30")

NUMBER = LUCIA.numbers[0]
WORDS = "Esperé tres horas y nadie me dijo nada."


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


async def sends(scene: Scene, address: str = "198.51.100.7", /, **typed: str) -> httpx.Response:
    async with scene.telephone(address) as somebody:
        data = {"kind": "complaint", "words": WORDS, "number": NUMBER} | typed
        return await somebody.post("/tell?l=es", data=data)


async def test_what_is_written_is_a_case_with_a_number_and_clocks(scene: Scene) -> None:
    async with scene.telephone() as lucia:
        page = await lucia.get("/tell?l=es")
        assert "Cuéntenos cómo le fue" in said(page)
    page = await sends(scene)
    [case] = scene.rows(Case)
    assert f"Lo hemos registrado con el número {case.number}." in said(page)
    assert (case.kind, case.state, case.detail, case.told) == ("complaint", "open", "by_page", WORDS)
    assert (case.caller, case.patient_id, case.call_id, case.language) == (NUMBER, None, None, "es")
    assert case.decide_by is not None and case.acknowledge_by < case.decide_by
    assert not scene.rows(OutboxRow), "a number that anybody may have typed is sent nothing"
    assert WORDS not in scene.everything() and NUMBER not in scene.everything(), "both are sealed"


async def test_sent_twice_it_is_one_case_and_next_week_another(scene: Scene) -> None:
    first, again = await sends(scene), await sends(scene)
    assert said(first) == said(again)
    scene.passes(days=7)
    assert said(await sends(scene)) != said(first)
    assert len(scene.rows(Case)) == 2


async def test_thanks_need_no_number(scene: Scene) -> None:
    page = await sends(scene, kind="thanks", number=" ")
    [case] = scene.rows(Case)
    assert (case.kind, case.caller, case.decide_by) == ("thanks", None, None)
    assert "Alguien le llamará" not in said(page)


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ({"kind": "red_flag"}, "Por favor, elija una respuesta."),
        ({"kind": ""}, "Por favor, elija una respuesta."),
        ({"words": " \n\0 "}, "Por favor, escriba una respuesta."),
        ({"words": "a" * 4001}, "Es más de lo que cabe en esta página"),
        ({"number": "call me"}, "número de teléfono al que se pueda llamar"),
        ({"number": "'; DROP TABLE care_case; --"}, "número de teléfono al que se pueda llamar"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    scene: Scene, typed: dict[str, str], problem: str
) -> None:
    page = await sends(scene, **typed)
    assert page.status_code == 422 and problem in said(page)
    assert ("words" in typed or WORDS in page.text) and ("number" in typed or NUMBER in page.text)
    assert not scene.rows(Case)


async def test_markup_is_only_letters(scene: Scene) -> None:
    page = await sends(scene, words="<script>alert(1)</script> ${IFS} {{ 7 * 7 }}", number="call me")
    assert "<script>" not in page.text and "&lt;script&gt;" in page.text and "49" not in page.text


async def test_an_emergency_with_a_number_is_a_red_flag_too(scene: Scene) -> None:
    page = await sends(scene, words="Desde ayer tengo un dolor en el pecho y no puedo respirar.")
    assert "Si hay una vida en peligro, llame ahora" in said(page) and "le llamará" in said(page)
    flag, complaint = sorted(scene.rows(Case), key=lambda case: str(case.kind), reverse=True)
    assert (flag.kind, flag.detail, flag.caller, flag.told) == ("red_flag", "text_alarm", NUMBER, complaint.told)
    with scene.database.transaction() as session:
        assert [row.action for row in session.scalars(select(AuditRow))] == ["urgent.raised"]


async def test_an_emergency_without_a_number_says_that_nobody_can_call(scene: Scene) -> None:
    page = await sends(scene, words="No puedo respirar.", number="")
    assert "No podemos llamarle" in said(page)
    assert [case.kind for case in scene.rows(Case)] == ["complaint"]


async def test_one_address_fills_no_list_and_loses_no_words(scene: Scene) -> None:
    for number in range(6):
        assert (await sends(scene, words=f"{WORDS} {number}")).status_code == 200
    page = await sends(scene, words="La séptima")
    assert page.status_code == 429 and "La séptima" in page.text and "Inténtelo de nuevo en una hora" in said(page)
    assert len(scene.rows(Case)) == 6
    assert (await sends(scene, "203.0.113.9", words="De otra casa")).status_code == 200
    scene.passes(hours=1)
    assert (await sends(scene, words="La séptima")).status_code == 200


@pytest.mark.parametrize("tag", LANGUAGES)
async def test_the_page_is_in_every_language(scene: Scene, tag: str) -> None:
    async with scene.telephone() as somebody:
        form = await somebody.get(f"/tell?l={tag}")
        kept = await somebody.post(f"/tell?l={tag}", data={"kind": "thanks", "words": "☺", "number": ""})
    for page in (form, kept):
        assert f'<html lang="{tag}">' in page.text and not re.search(r"tell_|\{case\}", page.text)


async def test_a_body_that_is_no_form_writes_nothing(scene: Scene) -> None:
    async with scene.telephone() as somebody:
        for body in (b"\xff\xfe=1", b'{"kind": "complaint"}', b"kind=complaint&" + b"a=1&" * 50):
            page = await somebody.post("/tell", content=body)
            assert page.status_code == 422
    assert not scene.rows(Case)


async def test_who_sees_complaints_through_reads_it(scene: Scene, site: Site, comes: Comes) -> None:
    """What was written is on the case's page for Grace, and for Ana, who may not see complaints, nowhere."""
    await sends(scene, words="<b>Tres</b> horas")
    [case] = scene.rows(Case)
    grace, ana = await comes("grace"), await comes("ana")
    page = await grace.get(f"/cases/{case.id}")
    assert "&lt;b&gt;Tres&lt;/b&gt; horas" in page.text and "Written on the page for it" in page.text
    assert (await ana.get(f"/cases/{case.id}")).status_code == 403


async def test_without_the_setting_there_is_no_such_page(scene: Scene) -> None:
    house = replace(scene.house, country=None)
    transport = httpx.ASGITransport(create_answer_app(house), client=("198.51.100.7", 50000))
    async with httpx.AsyncClient(transport=transport, base_url=f"https://{HOST}") as somebody:
        assert (await somebody.get("/tell")).status_code == 404
        assert (await somebody.post("/tell", data={"kind": "thanks", "words": "☺"})).status_code == 404
