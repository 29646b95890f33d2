"""Names and answers with markup, quotes, expansions, line ends and far too many letters: harmless on every page."""

import html
from datetime import date

import pytest

from hospital import followups, patients
from hospital.screen_pops import ScreenPop
from tests.browser import Site, site
from tests.characters import JOAO, LUCIA

__all__ = ["site"]

HOSTILE = {
    "markup": '<script>alert(1)</script><img src=x onerror="alert(2)">',
    "quotes": "\"' onmouseover='alert(1)' x=\"",
    "template": "{{ 7*7 }}{% include '/etc/passwd' %}",
    "expansion": "${SHELL(id)},${CHANNEL}",
    "lines": "João\r\nAction: Originate\r\n\r\nx",
    "long": "Ñandú" * 100,
    "right to left": "\u202eoãoJ\u2066",
}


def renamed(site: Site, who: str, name: str) -> None:
    with site.database.transaction() as session:
        session.get_one(patients.Patient, site.people[who]).name = name


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_name_is_only_a_name(site: Site, name: str) -> None:
    renamed(site, "joao", name)
    renamed(site, "lucia", name)
    await site.rings("tom", LUCIA)
    async with site.signed_in("tom") as tom, site.signed_in("ana") as ana:
        pages = [
            await tom.get("/agent/pop"),
            await ana.get("/followups"),
            await ana.get(f"/followups/{site.task(JOAO).id}"),
        ]
    for answer in pages:
        assert answer.status_code == 200
        assert html.escape(name.strip()).replace("\r\n", "\n")[:40].split("\n")[0] in html.escape(
            html.unescape(answer.text.replace("\r\n", "\n"))
        )
        assert "<img" not in answer.text
        assert "<script>" not in answer.text
        assert "onmouseover='alert" not in answer.text
        assert ">49" not in answer.text and "root:" not in answer.text
        assert "\r\nAction" not in str(answer.headers)


@pytest.mark.parametrize("note", [*HOSTILE.values(), "\0with a zero\0"])
async def test_a_hostile_note_is_saved_as_typed(site: Site, note: str) -> None:
    pop = await site.rings("tom", LUCIA)
    async with site.signed_in("tom") as tom:
        assert (await tom.post(f"/agent/pops/{pop}/note", data={"note": note})).status_code == 204
        assert "<img" not in (await tom.get("/agent/pop")).text
    with site.database.transaction() as session:
        saved = session.query(ScreenPop).one().note
    assert saved == note.replace("\0", "").replace("\r\n", "\n")


@pytest.mark.covers("H21")
async def test_answers_are_kept_as_given_or_refused_beside_the_field(site: Site) -> None:
    task = site.task(JOAO)
    form = f"/followups/{task.id}"
    async with site.signed_in("ana") as ana:
        ana.headers["X-Fragment"] = "1"
        assert (await ana.post(f"{form}/answers/pain", data={"value": "3"})).status_code == 409
        await ana.post(f"{form}/start")
        await site.answers(JOAO)
        for identifier in ("name", "birth_date"):
            assert (await ana.post(f"{form}/ticks/{identifier}", data={"on": "on"})).status_code == 200
        refused = await ana.post(f"{form}/answers/pain", data={"value": "eleven"})
        assert (refused.status_code, refused.text) == (422, "A whole number from 0 to 10 is allowed")
        assert (await ana.post(f"{form}/answers/nothing", data={"value": "1"})).status_code == 404
        assert (await ana.post(f"{form}/answers/symptoms", data={"value": ["none", "fever"]})).status_code == 422
        flags = await ana.post(f"{form}/answers/symptoms", data={"value": ["fever", "wound"]})
        assert "Fever after discharge" in flags.text
        other = await ana.post(f"{form}/answers/medication", data={"value": "other:", "text": HOSTILE["markup"]})
        assert other.status_code == 200
        await ana.post(f"{form}/answers/questions", data={"value": HOSTILE["lines"]})
        assert (await ana.post(f"{form}/result/completed")).status_code == 409
        await ana.post(f"{form}/all-normal")
        aside = {"flag": "fever-told", "outcome": "treated", "why": HOSTILE["markup"]}
        assert (await ana.post(f"{form}/flags/aside", data=aside | {"flag": HOSTILE["markup"]})).status_code == 409
        assert (await ana.post(f"{form}/flags/aside", data=aside)).status_code == 200
        assert (await ana.post(f"{form}/result/completed")).status_code == 200
        page = (await ana.get(form)).text
        assert "<img" not in page
    with site.database.transaction() as session:
        kept = followups.answers(session, task.id)
    assert kept["symptoms"] == ["fever", "wound"]
    assert kept["medication"] == {"text": HOSTILE["markup"]}
    assert kept["questions"] == "João\nAction: Originate\n\nx"
    assert kept["general"] == "better"


@pytest.mark.covers("H15")
async def test_two_patients_share_a_number_and_the_agent_chooses(site: Site) -> None:
    with site.database.transaction() as session:
        child = patients.register(
            session, name="Niño Fernández", birth=date(2020, 1, 2), language="es", numbers=[LUCIA.numbers[0]]
        ).id
    pop = await site.rings("tom", LUCIA)
    async with site.signed_in("tom") as tom:
        card = (await tom.get("/agent/pop")).text
        assert "One of 2 patients with this number" in card
        assert "hypertension" not in card
        assert (await tom.post(f"/agent/pops/{pop}/patient", data={"patient": str(site.people["ruth"])})).is_error
        card = (await tom.post(f"/agent/pops/{pop}/patient", data={"patient": str(child)})).text
        assert "Chosen by you from 2 patients" in card
        for identifier in ("name", "birth_date"):
            await tom.post(f"/agent/pops/{pop}/ticks/{identifier}", data={"on": "on"})
        assert "No visit and no stay is known" in (await tom.get(f"/agent/pops/{pop}/record")).text
        await tom.post(f"/agent/pops/{pop}/patient", data={"patient": str(site.people["lucia"])})
        assert "Closed until" in (await tom.get(f"/agent/pops/{pop}/record")).text  # ticked for another


@pytest.mark.covers("H1")
async def test_a_withheld_number_is_served_as_unknown(site: Site) -> None:
    await site.rings("tom", LUCIA, number="")
    async with site.signed_in("tom") as tom:
        card = (await tom.get("/agent/pop")).text
    assert "The number is withheld." in card
    assert "Lucía" not in card
