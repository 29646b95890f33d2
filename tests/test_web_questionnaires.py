"""Ida words a questionnaire in the console: checked by line, published, and João keeps his version."""

import asyncio
import json
import re
import time
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import select

from hospital import followups, questionnaires
from hospital.audit import AuditRow
from hospital.database import Database
from hospital.followups import FollowUpTask
from hotline import demo
from scripts import questionnaire_source
from scripts.questionnaire_files import HERE, kept, load_questionnaires, read_source
from tests import console_app
from tests.console_app import Page, Site
from tests.hospital_scene import clinic
from tests.moments import NOON
from tests.test_fhir import SOURCE
from tests.workshops import workshop

CODE = "discharge-day3"
HERS = "/questionnaires/discharge-day3"
LETTERS = [{"valueCoding": {"code": letter, "display": letter}} for letter in "abcdefghijklmnopqrstuvwxyz"]


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    made = Site(database, tmp_path)
    state = made.app.state
    facts = replace(state.services.facts, languages=("en", "es", "pt-BR", "zh-CN"))
    state.services = replace(state.services, workshop=workshop(database, tmp_path), facts=facts)
    return made


def words(html: str) -> str:
    return unescape(console_app.words(html))


def seen(html: str) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', html)
    assert found is not None
    return unescape(found[1])


def source(html: str) -> str:
    found = re.search(r'<textarea id="source"[^>]*>\n(.*?)</textarea>', html, re.DOTALL)
    assert found is not None
    return unescape(found[1])


async def saved(page: Page, text: str) -> str:
    return (await page.post(HERS, source=text, seen=seen((await page.get(HERS)).text))).text


def shipped() -> str:
    return (HERE / "discharge_day3.yaml").read_text()


def test_every_shipped_file_is_read_the_same_from_its_text_and_from_its_data() -> None:
    for code, made in load_questionnaires()[0].items():
        text = questionnaire_source.shipped(code, made.sha256)
        assert text and read_source(text, code).sha256 == made.sha256
        assert read_source(questionnaire_source.written(json.loads(made.body)), code).sha256 == made.sha256, code
    assert questionnaire_source.shipped(CODE, "another") == ""
    assert read_source(questionnaire_source.new("eyes"), "eyes").id == "eyes"


@pytest.mark.covers("H51")
async def test_the_list_says_version_languages_and_where_it_is_used(site: Site) -> None:
    async with site.signed_in("ida") as ida:
        listed = words((await ida.get("/questionnaires")).text)
        assert "discharge-day3" in listed and "en, es, mi, pt-BR, zh-CN" in listed and "1 waiting" in listed
        assert source((await ida.get(HERS)).text) == shipped()
        began = await ida.get("/questionnaires?code=after-cataract", 303)
        assert began.headers["location"] == "/questionnaires/after-cataract"
        assert "id: after-cataract" in (await ida.get("/questionnaires/after-cataract")).text
        await ida.get("/questionnaires/No%20Code", 404)
    for name in ("oscar", "ana", "grace"):
        async with site.signed_in(name) as page:
            await page.get("/questionnaires", 403)
            await page.post(HERS, 403, source=shipped(), seen="")


@pytest.mark.covers("H51")
@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("type: choice", "type: number", "type 'number' is not known; allowed"),
        ("id: discharge-day3", "id: another", "id is 'another'; this questionnaire is 'discharge-day3'"),
        ("purpose: follow-up", "purpose: fun", "purpose 'fun' is not known; allowed: follow-up, survey, education"),
        ("item:", "item: [", "expected"),
    ],
)
async def test_what_is_wrong_is_told_with_its_line(site: Site, right: str, wrong: str, told: str) -> None:
    text = shipped().replace(right, wrong, 1)
    assert text != shipped()
    async with site.signed_in("ida") as ida:
        page = await saved(ida, text)
        assert told in words(page) and re.search(r"Stops Line \d+", words(page)), words(page)[:500]
        assert 'id="publish"' not in page
        await ida.post(f"{HERS}/publish", 422, why="Because.", seen=seen(page), source=text)
        assert source((await ida.get(HERS)).text) == text, "a draft is kept whatever is wrong in it"


@pytest.mark.covers("H51")
async def test_circles_unknown_questions_and_missing_languages_are_found(site: Site) -> None:
    items = """\
id: discharge-day3
title: {en: Day 3}
purpose: follow-up
reviewed_by: {en: null}
item:
  - {linkId: a, type: boolean, text: {en: A}, enableWhen: [{question: b, operator: '=', answer: true}]}
  - {linkId: b, type: boolean, text: {en: B}, enableWhen: [{question: a, operator: '=', answer: true}]}
  - {linkId: c, type: boolean, text: {es: C}}
  - {linkId: d, type: boolean, text: {en: D, xx: D}, enableWhen: [{question: z, operator: '=', answer: true}]}
"""
    async with site.signed_in("ida") as ida:
        told = words(await saved(ida, items))
        assert "Line 6 conditions go in a circle: a → b → a" in told
        assert "Line 8 'en' is missing" in told
        assert "Line 9 language 'xx' is not known" in told
        assert "no question has linkId 'z'" in told
        told = words(
            await saved(ida, "\n".join(items.splitlines()[:5]) + "\n  - {linkId: c, type: boolean, text: {en: C}}\n")
        )
        assert "Warns 2 texts have no 'es' wording" in told and "Stops" not in told


@pytest.mark.covers("H15", "H51")
async def test_joao_keeps_the_version_that_he_was_given(site: Site) -> None:
    reworded = shipped().replace("purpose: follow-up", "# Reworded by the pain clinic.\npurpose: follow-up")
    reworded = reworded.replace("en: Three", "en: The third", 1)
    assert reworded != shipped()
    with site.database.transaction() as session:
        followups.save_answer(session, site.task.id, "pain", 3, NOON)
    async with site.signed_in("ida") as ida:
        page = await saved(ida, reworded)
        await ida.post(f"{HERS}/publish", 422, why=" ", seen=seen(page), source=reworded)
        sent = {"why": "The pain clinic asks so.", "seen": seen(page)}
        told = (await ida.post(f"{HERS}/publish", 409, **sent, source=reworded + "# typed since")).text
        assert "save and check what you typed first" in told
        sent["source"] = reworded.replace("\n", "\r\n")  # as browsers send it
        told = words((await ida.post(f"{HERS}/publish", **sent)).text)
        assert "Published as version 2" in told and "The pain clinic asks so." in told
        assert "# Reworded by the pain clinic." in source((await ida.get(HERS)).text), "comments are kept"
        assert (await ida.get(f"{HERS}/yaml/2")).text == reworded
        assert (await ida.get(f"{HERS}/yaml/1")).text == shipped()
        await ida.get(f"{HERS}/yaml/3", 404)
        resource = (await ida.get(f"{HERS}/fhir/2")).json()
        assert (resource["id"], resource["version"]) == (CODE, "2")
        await ida.get(f"{HERS}/fhir/3", 404)
        assert "FHIR has no place for: red flag" in told
    with site.database.transaction() as session:
        task = session.get_one(FollowUpTask, site.task.id)
        assert task.questionnaire.version == 1
        assert kept(task.questionnaire.body).sha256 == load_questionnaires()[0][CODE].sha256
        assert followups.answers(session, task.id) == {"pain": 3}
        newest = questionnaires.newest(session, CODE)
        assert newest is not None and newest.version == 2
        demo.load_scripts(session, NOON + timedelta(days=1))  # the hotline is started again
        assert questionnaires.newest(session, CODE) is newest, "no restart takes back what was published"
        acts = [row.action for row in session.scalars(select(AuditRow)) if row.action.startswith("questionnaire.")]
        assert acts == ["questionnaire.saved", "questionnaire.published"]
    async with site.signed_in("ida") as ida:
        told = words((await ida.post(f"{HERS}/restore/1")).text)
        assert "Version 1 is asked again" in told
    with site.database.transaction() as session:
        newest = questionnaires.newest(session, CODE)
        assert newest is not None and (newest.version, newest.why) == (1, "Version 1 again")


async def test_nobody_saves_over_what_they_have_not_seen(site: Site) -> None:
    async with site.signed_in("ida") as ida:
        await saved(ida, shipped() + "# one\n")
        first = seen((await ida.get(HERS)).text)
        site.now += timedelta(minutes=1)
        await saved(ida, shipped() + "# two\n")
        await ida.post(HERS, 409, source="mine", seen=first)
        await ida.post(HERS, 409, source="mine", seen="")
        await ida.post(HERS, 422, source="mine", seen="yesterday")
        await ida.post(f"{HERS}/publish", 409, why="Mine.", seen=first)
        now = seen((await ida.get(HERS)).text)
        sent = {"why": "Comments.", "seen": now, "source": shipped() + "# two\n"}
        assert "Nothing is changed" in (await ida.post(f"{HERS}/publish", 409, **sent)).text
        await ida.post(f"{HERS}/discard")
        await ida.post(f"{HERS}/discard", 409)
        assert source((await ida.get(HERS)).text) == shipped()


@pytest.mark.covers("H21", "H51")
async def test_fhir_becomes_a_draft_and_what_is_lost_is_told(site: Site) -> None:
    async with site.signed_in("ida") as ida:
        headers = {"X-CSRF-Token": "csrf-of-this-page", "HX-Request": "true"}

        async def sent(content: bytes) -> tuple[int, str]:
            answer = await ida._client.post(
                "/questionnaires/import", files={"file": ("q.json", content)}, headers=headers
            )
            return answer.status_code, words(answer.text)

        status, told = await sent(json.dumps(SOURCE).encode())
        assert status == 200 and "heart-check-1" in told and "type 'attachment' cannot be asked" in told
        assert (await sent(json.dumps(SOURCE).encode()))[0] == 409
        assert "is no JSON" in (await sent(b"{"))[1]
        assert "mood-2" in (await sent(json.dumps({**SOURCE, "id": "mood"}).encode()))[1]  # ours has its red flags
        assert "Draft" in words((await ida.get("/questionnaires")).text)
        page = (await ida.get("/questionnaires/heart-check-1")).text
        assert 'id="publish"' in page and "Nothing was published yet" in page
        await ida.post("/questionnaires/import", 422)


@pytest.mark.covers("H21", "H51")
@pytest.mark.parametrize("theirs", ["44249-1", "3141", "2026-11-25", "1e5", "a" * 64])
async def test_whatever_id_fhir_allows_is_a_code_of_ours(site: Site, theirs: str) -> None:
    content = json.dumps({**SOURCE, "id": theirs}).encode()
    async with site.signed_in("ida") as ida:
        headers = {"X-CSRF-Token": "csrf-of-this-page", "HX-Request": "true"}
        answer = await ida._client.post("/questionnaires/import", files={"file": ("q.json", content)}, headers=headers)
        assert answer.status_code == 200 and f"/questionnaires/{theirs}" in answer.text, words(answer.text)
        assert 'id="publish"' in (await ida.get(f"/questionnaires/{theirs}")).text
    with site.database.transaction() as session:
        assert len(questionnaires.own_code(session, theirs, None, {theirs})) <= 64
    assert read_source(questionnaire_source.new(theirs), theirs).id == theirs


async def test_calls_go_on_while_a_long_questionnaire_is_read(site: Site) -> None:
    items = [{"linkId": str(n), "type": "choice", "text": "?", "answerOption": LETTERS} for n in range(200)]
    content = json.dumps({"resourceType": "Questionnaire", "id": "long", "item": items}).encode()
    pauses: list[float] = []

    async def others() -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.005)
            pauses.append(time.monotonic() - began)

    async with site.signed_in("ida") as ida:
        headers = {"X-CSRF-Token": "csrf-of-this-page", "HX-Request": "true"}
        beside, began = asyncio.create_task(others()), time.monotonic()
        answer = await ida._client.post("/questionnaires/import", files={"file": ("q.json", content)}, headers=headers)
        took = time.monotonic() - began
        beside.cancel()
    assert answer.status_code == 422 and "more than 200,000 letters as YAML" in answer.text
    assert max(pauses) < took / 3


async def test_theirs_goes_out_as_theirs_until_it_is_changed_here(site: Site) -> None:
    source = """\
id: theirs
title: {en: Theirs}
purpose: follow-up
reviewed_by: {en: null}
url: http://example.org/Q|1.0
item: [{linkId: a, type: integer, text: {en: How much?}}]
"""
    body = json.loads(read_source(source, "theirs").body)
    with site.database.transaction() as session:
        questionnaires.publish(session, "theirs", body, "1", NOON)
        by, at = site.staff["ida"].id, NOON + timedelta(minutes=1)
        questionnaires.save(session, "theirs", source, by, at, None)
        changed = {**body, "title": {"en": "Another"}}
        questionnaires.publish_draft(session, "theirs", (changed, "2"), by, at, "Clearer.", at)
    async with site.signed_in("ida") as ida:
        versions = [(await ida.get(f"/questionnaires/theirs/fhir/{number}")).json()["version"] for number in (1, 2)]
    assert versions == ["1.0", "1.0-hotline.2"]


async def test_a_rule_for_a_department_that_is_not_there_is_said_before_it_is_published(site: Site) -> None:
    with site.database.transaction() as session:
        clinic(session)
    source = """\
id: mine
title: {en: Mine}
purpose: follow-up
reviewed_by: {en: null}
item: [{linkId: a, type: integer, text: {en: How much?}}]
answerRule:
  - {id: much, question: a, operator: '>', answer: 3, then: {revisit: cardiology}, text: {en: Much}}
  - {id: more, question: a, operator: '>', answer: 5, then: {revisit: nowhere}, text: {en: More}}
"""
    with site.database.transaction() as session:
        questionnaires.save(session, "mine", source, site.staff["ida"].id, site.now, None)
    async with site.signed_in("ida") as ida:
        told = words((await ida.get("/questionnaires/mine")).text)
    assert "there is no department 'nowhere'" in told and "'cardiology'" not in told


async def test_what_leaves_a_score_unknown_is_said_before_it_is_published(site: Site) -> None:
    source = """\
id: mine
title: {en: Mine}
purpose: follow-up
reviewed_by: {en: null}
item:
  - linkId: a
    type: choice
    text: {en: How often?}
    answerOption: [{code: often, score: 2, text: {en: Often}}, {code: unsure, text: {en: Not sure}}]
  - linkId: b
    type: choice
    repeats: true
    text: {en: What?}
    answerOption: [{code: pain, score: 2, text: {en: Pain}}, {code: other, text: {en: Other}}]
score: [{id: burden, text: {en: Burden}, sum: [a, b]}]
"""
    with site.database.transaction() as session:
        questionnaires.save(session, "mine", source, site.staff["ida"].id, site.now, None)
    async with site.signed_in("ida") as ida:
        told = words((await ida.get("/questionnaires/mine")).text)
    assert "no score: unsure. After such an answer 'burden' is not whole" in told
    assert "no score: other" not in told and "Stops" not in told
