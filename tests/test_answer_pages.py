"""A patient opens the link of a text message and answers: what is shown, what is kept, what nobody learns."""

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from hospital.cases import Case
from hospital.database import Database
from hospital.followups import Answer
from hospital.throttling import Allowance
from tests.answer_scene import (
    FINE,
    HOST,
    LANGUAGES,
    Link,
    Scene,
    answer,
    answers_all,
    begun,
    field,
    said,
    survey,
)
from tests.browser import Comes, Site, comes, site
from tests.characters import JOAO, LUCIA, MEI, RUTH, WIREMU, Character
from tests.test_filling import FEVERS, SYMPTOMS, question, questionnaire
from tests.test_web_access import address, routes
from tests.test_words_between import group
from tests.workshops import shipped
from web.answer_fields import OTHER
from web.answer_guard import Rates

__all__ = ["comes", "site"]

pytestmark = pytest.mark.covers("H28")


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


def flagged() -> dict[str, Any]:
    """A survey in which who would not recommend us at all is to be called at once."""
    flag = {"id": "very-unhappy", "text": {"en": "Would not come back"}}
    return survey(redFlag=[flag | {"question": "recommend", "operator": "=", "answer": 0}], answerRule=[])


async def test_joao_answers_and_nothing_is_asked_again(scene: Scene) -> None:
    link = scene.texted(JOAO)
    async with scene.telephone() as joao:
        page = await joao.get(link.path)
        assert "Gostaríamos de fazer algumas perguntas a você." in said(page)
        page = await begun(joao, link)
        assert "Pergunta 1 de 6" in said(page) and "Como foi o atendimento da equipe?" in said(page)
        page = await answers_all(joao, link)
        assert "Agradecemos. Essas eram todas as perguntas." in said(page)
        assert link.token not in str(page.url), "nothing of the link stays in the address bar"
    assert scene.answers() == {
        "staff": "5", "told": "4", "waiting": "5", "clean": "4", "recommend": 9, "words": None,
    }  # fmt: skip
    assert {(row.via, row.account_id, row.attempt_id) for row in scene.rows(Answer)} == {("web", None, None)}
    assert scene.task().state == "done"
    assert (scene.link().ended, scene.link().ended_at) == ("finished", scene.now)


async def test_each_page_says_for_which_of_several_answers_is_asked(scene: Scene) -> None:
    link = scene.texted(LUCIA, json.loads(SYMPTOMS.body) | {"byWeb": True})
    async with scene.telephone() as lucia:
        page = await answer(lucia, await begun(lucia, link), "pain", "fever", OTHER, free="picor")
        assert "Sobre: Fiebre days" in said(page) and field(page, "key") == "days@1"
        page = await answer(lucia, page, "3")
        assert "Sobre: Fiebre degrees" in said(page)
        page = await answer(lucia, page, "39")
        assert "Sobre: Dolor days" in said(page), "and no degrees of it"
        page = await answer(lucia, page, "9")
        assert "Sobre: Dolor doctor" in said(page)
        page = await answer(lucia, page, "false")
        assert "Sobre: Con sus palabras days" in said(page)
        page = await answer(lucia, page, "1")
        assert "Gracias" in said(page)
    assert scene.answers() == {
        "symptoms": ["pain", "fever", {"text": "picor"}],
        "days@1": 3,
        "degrees@1": 39,
        "days@2": 9,
        "doctor@2": False,
        "days@3": 1,
    }


async def test_each_of_several_numbers_has_pages_of_its_own(scene: Scene) -> None:
    link = scene.texted(LUCIA, json.loads(FEVERS.body) | {"byWeb": True})
    async with scene.telephone() as lucia:
        page = await answer(lucia, await begun(lucia, link), "38,5")
        assert "Sobre su respuesta número 1. day" in said(page) and field(page, "key") == "day@1"
        page = await answer(lucia, page, "2026-11-20")
        assert "fever ¿Hay otro más?" in said(page)
        page = await answer(lucia, page, "true")
        page = await answer(lucia, page, "39")
        assert "Sobre su respuesta número 2. day" in said(page)
        page = await answer(lucia, page, "2026-11-21")
        page = await answer(lucia, page, "false")
        assert field(page, "key") == "fever@"
        assert "Gracias" in said(await answer(lucia, page, "false"))
    days = {"day@1": "2026-11-20", "day@2": "2026-11-21"}
    assert scene.answers() == {"fever@1": 38.5, "fever@2": 39, "fever@": 2, "pill@2": False, **days}


async def test_each_page_says_which_repetition_of_several_it_is(scene: Scene) -> None:
    medicine = group(
        "medicine", "Medicine", "Medicina", question("dose"), question("often"), repeats=True, required=True
    )
    link = scene.texted(LUCIA, json.loads(questionnaire(medicine).body) | {"byWeb": True})
    async with scene.telephone() as lucia:
        page = await answer(lucia, await begun(lucia, link), "1")
        assert "Medicina often" in said(page), "the only one so far"
        page = await answer(lucia, page, "2")
        page = await answer(lucia, page, "true")
        assert "Medicina Vamos por el número 2. dose" in said(page) and field(page, "key") == "dose@2"
        page = await answer(lucia, page, "1")
        assert "Medicina Vamos por el número 2. often" in said(page)


@pytest.mark.parametrize("who", [LUCIA, WIREMU, MEI, JOAO, RUTH], ids=lambda who: who.language)
async def test_each_in_their_language_with_its_tag_and_a_way_to_another(scene: Scene, who: Character) -> None:
    link = scene.texted(who)
    words = shipped().words()
    async with scene.telephone() as patient:
        page = await patient.get(link.path)
        assert f'<html lang="{who.language}">' in page.text
        assert words.message("page_welcome", who.language) in said(page)
        ways = re.findall(r'href="/s/[\w-]{22}\?l=([\w-]+)" lang="\1" hreflang="\1"', page.text)
        assert sorted([*ways, who.language]) == sorted(LANGUAGES)
        page = await patient.post(f"{link.path}?l=zh-CN")
        assert '<html lang="zh-CN">' in page.text and "您觉得医护人员的态度如何？" in said(page)
        page = await answer(patient, page, "5")
        assert "病情和治疗解释得清楚吗？" in said(page), "the choice goes on with the questions"


async def test_no_page_says_who_is_asked_or_of_what(scene: Scene) -> None:
    link = scene.texted(RUTH)
    seen = []
    async with scene.telephone() as ruth:
        seen.append(await ruth.get(link.path))
        page = await begun(ruth, link)
        while 'name="key"' in page.text:
            seen.append(page)
            page = await answer(ruth, page, FINE[field(page, "key")])
        seen += [page, await ruth.get(link.path)]
    for page in seen:
        for told in (*RUTH.name.split(), RUTH.numbers[0], "1944", "rating", "Your stay", "satisfaction"):
            assert told not in page.text
        assert shipped().site.hospital in page.text
        assert "set-cookie" not in page.headers
        assert "<script" not in page.text and "://" not in page.text, "nothing is run, and nothing of another site"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"
        assert "noindex" in page.headers["x-robots-tag"]
        assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")


async def test_who_only_looks_changes_nothing(scene: Scene) -> None:
    link = scene.texted(MEI)
    before = scene.everything()
    async with scene.telephone() as preview:
        for _ in range(3):
            for path in (link.path, f"{link.path}/1", f"{link.path}/3?l=en", "/thanks", "/urgent"):
                for method in ("GET", "HEAD"):
                    page = await preview.request(method, path)
                    assert page.status_code == 200
                    assert "态度" not in page.text, "before somebody has begun no question is shown"
    assert scene.everything() == before
    async with scene.telephone() as mei:
        page = await answer(mei, await begun(mei, link), "4")
    before = scene.everything()
    async with scene.telephone() as preview:
        for number in range(9):
            await preview.get(f"{link.path}/{number}")
    assert scene.everything() == before


async def test_she_goes_on_where_she_stopped_and_no_answer_is_shown_again(scene: Scene) -> None:
    link = scene.texted(LUCIA)
    async with scene.telephone() as lucia:
        page = await answer(lucia, await begun(lucia, link), "1")
        await answer(lucia, page, "2")
    scene.passes(days=3)
    async with scene.telephone("203.0.113.9") as later:
        page = await later.get(link.path)
        assert field(page, "key") == "waiting"
        assert "Pregunta 3 de 6" in said(page)
        back = await later.get(f"{link.path}/1")
        assert "checked" not in back.text
        assert "Su respuesta no se vuelve a mostrar" in said(back)
        page = await answer(later, back, "5")
        assert field(page, "key") == "waiting", "on to what is open"
    assert scene.answers() == {"staff": "5", "told": "2"}
    assert [row.item for row in scene.rows(Answer)] == ["staff", "told", "staff"], "the earlier one stays"


async def test_a_condition_holds_without_any_script(scene: Scene) -> None:
    link = scene.texted(RUTH)
    async with scene.telephone() as ruth:
        page = await begun(ruth, link)
        while field(page, "key") != "recommend":
            page = await answer(ruth, page, "3")
        assert "Question 5 of 6" in said(page)
        page = await answer(ruth, page, "3")
        assert "May somebody from the hospital call you about it?" in said(page) and "Question 6 of 7" in said(page)
        changed = await answer(ruth, await ruth.get(f"{link.path}/5"), "10")
        assert field(changed, "key") == "words", "it is not asked any more"
        stale = await answer(ruth, page, "true")
        assert field(stale, "key") == "words"
    assert "contact" not in scene.answers()


@pytest.mark.parametrize(
    ("key", "sent", "told"),
    [
        ("staff", [], "Please choose an answer."),
        ("staff", ["6"], "Please choose an answer."),
        ("recommend", ["11"], "Please choose an answer."),
        ("recommend", ["ten"], "Please choose an answer."),
        ("words", ["x" * 4001], "That is longer than this page takes."),
    ],
)
async def test_what_is_no_answer_is_told_beside_the_question_and_kept_in_its_field(
    scene: Scene, key: str, sent: list[str], told: str
) -> None:
    link = scene.texted(RUTH)
    async with scene.telephone() as ruth:
        page = await begun(ruth, link)
        while field(page, "key") != key:
            page = await answer(ruth, page, FINE[field(page, "key")])
        before = scene.answers()
        page = await answer(ruth, page, *sent)
        assert page.status_code == 422
        assert told in said(page)
        assert 'aria-describedby="problem"' in page.text
        assert key != "words" or "x" * 4001 in page.text
    assert scene.answers() == before


@pytest.mark.covers("H33")
async def test_a_red_flag_is_somebodys_at_once_and_nothing_more_is_asked(scene: Scene) -> None:
    link = scene.texted(LUCIA, flagged())
    async with scene.telephone() as lucia:
        page = await begun(lucia, link)
        while field(page, "key") != "recommend":
            page = await answer(lucia, page, "1")
        page = await answer(lucia, page, "0")
        site = shipped().site
        assert f"llame ahora al {site.emergency}" in said(page)
        assert f'href="tel:{site.emergency}"' in page.text
        assert site.number in said(page)
        assert "Esta página no está abierta" in said(await lucia.get(link.path))
    (case,) = scene.rows(Case)
    assert (case.kind, case.detail, case.caller, case.call_id) == ("red_flag", "very_unhappy", LUCIA.numbers[0], None)
    assert case.acknowledge_by == scene.now + timedelta(minutes=5)
    task = scene.task()
    assert (task.state, task.channel, task.priority) == ("open", "nurse_call", 1)
    assert scene.answers()["recommend"] == 0
    assert scene.link().ended == "red_flag"


@pytest.mark.covers("H33")
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "I have chest pain since this morning"),
        ("es", "tengo un dolor fuerte en el pecho"),
        ("zh-CN", "我胸口痛"),
        ("mi", "Kāore e taea e au te whakahā"),
    ],
)
async def test_an_alarm_in_ones_own_words_is_a_red_flag(scene: Scene, language: str, words: str) -> None:
    link = scene.texted(WIREMU)
    async with scene.telephone() as wiremu:
        page = await wiremu.post(f"{link.path}?l={language}")
        while field(page, "key") != "words":
            page = await answer(wiremu, page, FINE[field(page, "key")])
        page = await answer(wiremu, page, words)
        assert shipped().site.emergency in said(page)
    (case,) = scene.rows(Case)
    assert (case.kind, case.detail) == ("red_flag", "text_alarm")
    assert scene.answers()["words"] == words


@pytest.mark.covers("H33")
async def test_an_answer_is_not_kept_without_its_red_flag(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    link = scene.texted(LUCIA, flagged())

    def fails(*args: object) -> None:
        raise TimeoutError

    async with scene.telephone() as lucia:
        page = await begun(lucia, link)
        while field(page, "key") != "recommend":
            page = await answer(lucia, page, "1")
        with monkeypatch.context() as patch:
            patch.setattr("hospital.nurse_flags.open_or_found", fails)
            refused = await answer(lucia, page, "0")
        assert refused.status_code == 503
        assert "Algo ha fallado aquí" in said(refused)
        assert "recommend" not in scene.answers()
        assert (await answer(lucia, page, "0")).status_code == 200
    assert scene.answers()["recommend"] == 0 and len(scene.rows(Case)) == 1


async def test_what_answers_ask_a_nurse_for_is_hers(scene: Scene) -> None:
    rule = {
        "id": "unhappy",
        "text": {"en": "Unhappy"},
        "question": "staff",
        "operator": "<=",
        "answer": 2,
        "then": {"nurse": True},
    }
    link = scene.texted(RUTH, survey(answerRule=[rule]))
    async with scene.telephone() as ruth:
        page = await answers_all(ruth, link, staff="1")
        assert "Thank you" in said(page)
    assert (scene.task().state, scene.task().channel, scene.link().ended) == ("open", "nurse_call", "nurse")


@pytest.mark.parametrize(
    ("told", "language"),
    [("pt", "pt-BR"), ("fr,zh-TW;q=0.8", "zh-CN"), ("en-NZ", "en"), ("xx, ,;", "es"), ("", "es"), (",-" * 999, "es")],
)
async def test_a_page_without_a_link_is_in_the_browsers_language(scene: Scene, told: str, language: str) -> None:
    async with scene.telephone() as somebody:
        page = await somebody.get(Link("C" * 22).path, headers={"accept-language": told})
    assert shipped().words().message("page_closed", language) in said(page)


# ── Links that open nothing ─────────────────────────────────────────────────────────────────────────────────────


async def all_closed(scene: Scene, *paths: str) -> None:
    async with scene.telephone() as somebody:
        pages = [await somebody.get(path) for path in paths] + [await somebody.post(path) for path in paths]
    told = {(page.status_code, page.text.replace(f'href="{page.url.path}?', 'href="?')) for page in pages}
    assert len(told) == 1 and pages[0].status_code == 404
    assert "Esta página no está abierta." in said(pages[0])
    assert shipped().site.number in pages[0].text


async def test_used_expired_and_made_up_links_show_the_same_page(scene: Scene) -> None:
    used = scene.texted(JOAO)
    async with scene.telephone() as joao:
        await answers_all(joao, used)
    old = scene.texted(JOAO)
    scene.passes(days=14)
    await all_closed(scene, used.path, old.path, Link("A" * 22).path, "/s/short", "/s/" + "x" * 500, "/", "/s/")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE followup_task SET state = 'calling'",
        "UPDATE followup_task SET state = 'stopped', stop_reason = 'readmitted', closed_at = due_at",
        "UPDATE patient SET deceased_at = now()",
        "UPDATE patient SET death_reported_at = now()",
    ],
    ids=["a nurse calls", "the plan has changed", "dead", "said to be dead"],
)
async def test_a_link_opens_nothing_while_its_task_is_not_open(scene: Scene, change: str) -> None:
    link = scene.texted(LUCIA)
    async with scene.telephone() as lucia:
        page = await begun(lucia, link)
        with scene.database.transaction() as session:
            session.execute(text(change))
        closed = await answer(lucia, page, "1")
    assert (closed.status_code, scene.answers()) == (404, {})
    await all_closed(scene, link.path)


async def test_a_second_tab_that_answers_after_the_end_changes_nothing(scene: Scene) -> None:
    link = scene.texted(JOAO)
    async with scene.telephone() as joao:
        other = await begun(joao, link)
        await answers_all(joao, link)
        before = scene.everything()
        assert (await answer(joao, other, "1")).status_code == 404
    assert scene.everything() == before


# ── Hostile requests ────────────────────────────────────────────────────────────────────────────────────────────

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"key=staff&value=1", {"content-type": "text/plain"}, 415),
        (b'{"key": "staff", "value": "1"}', {"content-type": "application/json"}, 415),
        (b"key=staff&value=%ff%fe", FORM, 415),
        (b"\xff\xfe\x00", FORM, 415),
        (b"&".join([b"value=1"] * 201), FORM, 415),
        (b"key=staff&value=" + b"x" * 70_000, FORM, 413),
        (b"", FORM, 200),
        (b"key=nobody-asked-this&value=1", FORM, 200),
        (b"key=%00&value=%00", FORM, 200),
        (b"key=staff&value=1'--", FORM, 422),
        (b"key=staff&value=" + b"9" * 400, FORM, 422),
    ],
    ids=["text", "json", "no UTF-8", "bytes", "fields", "large", "empty", "no question", "NUL", "quote", "digits"],
)
async def test_what_no_form_of_ours_sends_is_refused_with_a_word(
    scene: Scene, body: bytes, headers: dict[str, str], status: int
) -> None:
    link = scene.texted(RUTH)
    async with scene.telephone() as somebody:
        await begun(somebody, link)
        page = await somebody.post(f"{link.path}/1?l=en", content=body, headers=headers)
    assert page.status_code == status
    assert said(page)
    assert scene.answers() == {}


async def test_words_with_markup_are_words(scene: Scene) -> None:
    link = scene.texted(RUTH)
    markup = "</textarea><script>alert(1)</script>" + "y" * 4000
    async with scene.telephone() as ruth:
        page = await begun(ruth, link)
        while field(page, "key") != "words":
            page = await answer(ruth, page, FINE[field(page, "key")])
        page = await answer(ruth, page, markup)
        assert page.status_code == 422 and "<script>" not in page.text
        page = await ruth.get(f"{link.path}?l=%22%3E%3Cscript%3E")
        assert "<script>" not in page.text and page.status_code == 200


async def test_nothing_of_the_console_is_there(scene: Scene, site: Site) -> None:
    for n, (method, path) in enumerate(routes(site)):
        async with scene.telephone(f"198.51.100.{n // 20}") as stranger:  # one address may not ask for so many
            page = await stranger.request(method, address(path))
        assert page.status_code == 404, f"{method} {path}"
    async with scene.telephone() as stranger:
        for path in (
            "/static/console.css",
            "/static/vendor/htmx.js",
            "/live",
            "/sip",
            "/s/../sign-in",
            "/openapi.json",
        ):
            assert (await stranger.get(path)).status_code == 404, path
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
            assert (await stranger.request(method, scene.texted(RUTH).path)).status_code == 405


async def test_another_host_is_not_ours(scene: Scene) -> None:
    link = scene.texted(RUTH)
    async with scene.telephone() as rebound:
        page = await rebound.get(link.path, headers={"host": "evil.example"})
    assert page.status_code == 421
    assert "Hospital" in page.text and "preguntas" not in said(page)


async def test_one_address_that_asks_too_often_is_told_to_wait_and_others_are_served(database: Database) -> None:
    scene = Scene(database, Rates(Allowance(5, timedelta(minutes=1)), Allowance(12, timedelta(minutes=1))))
    link = scene.texted(RUTH)

    async def asks(address: str, times: int) -> list[int]:
        async with scene.telephone(address) as somebody:
            return [(await somebody.get(link.path)).status_code for _ in range(times)]

    assert await asks("198.51.100.1", 7) == [200] * 5 + [429] * 2
    assert await asks("198.51.100.2", 2) == [200] * 2
    assert await asks("2001:db8::1", 3) + await asks("2001:db8::ffff:2", 3) == [200] * 5 + [429], "one network"
    assert await asks("198.51.100.3", 1) == [429], "all together"
    scene.passes(minutes=1)
    assert await asks("198.51.100.1", 1) == [200]


async def test_a_body_that_comes_in_pieces_is_measured_too(scene: Scene) -> None:
    link = scene.texted(RUTH)

    async def pieces() -> Any:
        for _ in range(100):
            yield b"value=" + b"x" * 1000 + b"&"

    async with scene.telephone() as somebody:
        await begun(somebody, link)
        page = await somebody.post(f"{link.path}/1", content=pieces(), headers=FORM)
    assert page.status_code == 413


async def test_no_token_and_no_answer_is_in_a_log(
    scene: Scene, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("DEBUG")
    link = scene.texted(LUCIA)

    def breaks(*args: object, **more: object) -> None:
        raise RuntimeError(f"a fault that names {link.token}")

    async with scene.telephone() as lucia:
        page = await begun(lucia, link)
        while field(page, "key") != "words":
            page = await answer(lucia, page, FINE[field(page, "key")])
        for error in (RuntimeError, TimeoutError):
            with monkeypatch.context() as patch:
                patch.setattr("hospital.answer_links.hold", breaks if error is RuntimeError else _late)
                broken = await answer(lucia, page, "las escaleras son muy altas")
                assert broken.status_code in (500, 503)
    ours = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpx"))
    assert "RuntimeError" in ours and "TimeoutError" in ours
    assert link.token not in ours and "escaleras" not in ours
    assert link.token not in scene.everything(), "nor is it anywhere in the database, the audit chain included"


def _late(*args: object, **more: object) -> None:
    raise TimeoutError


def test_the_address_is_as_short_as_a_message_needs() -> None:
    for language in LANGUAGES:
        link = f"https://{HOST}/s/{'A' * 22}"
        told = shipped().words().message("questions_by_link", language, link=link)
        assert link in told and len(told) <= 306, f"{language}: two parts of a text message"


async def test_a_link_is_looked_for_only_where_one_may_be(scene: Scene) -> None:
    scene.database.close()
    async with scene.telephone() as somebody:
        assert (await somebody.get("/s/short")).status_code == 404, "without asking the database"
        page: httpx.Response = await somebody.get(Link("B" * 22).path)
        assert page.status_code >= 500


# ── Low ratings ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H29")
@pytest.mark.parametrize(
    ("changes", "opened"),
    [
        ({}, False),
        ({"clean": "2"}, True),
        ({"recommend": "3", "contact": "false"}, False),
        ({"recommend": "3", "contact": "true"}, True),
    ],
    ids=["content", "poorly cleaned", "wants no call", "wants to be called"],
)
async def test_a_low_rating_is_a_case_as_by_telephone(scene: Scene, changes: dict[str, str], opened: bool) -> None:
    link = scene.texted(RUTH)
    async with scene.telephone() as ruth:
        assert "Thank you" in said(await answers_all(ruth, link, **changes))
    cases = scene.rows(Case)
    told = [(case.kind, case.detail, case.caller, case.language, case.call_id) for case in cases]
    assert told == ([("rating", "low_rating", RUTH.numbers[0], "en", None)] if opened else [])
    assert scene.task().state == "done"


@pytest.mark.covers("H29")
async def test_several_low_ratings_are_one_case_from_the_first_on(scene: Scene) -> None:
    link = scene.texted(RUTH)
    async with scene.telephone() as ruth:
        await answer(ruth, await begun(ruth, link), "1")
        (case,) = scene.rows(Case)
        assert case.decide_by > case.acknowledge_by > scene.now, "by the clock of complaints"
        await answers_all(ruth, link, told="1", waiting="2", clean="1")
    assert len(scene.rows(Case)) == 1


@pytest.mark.covers("H29")
async def test_who_sees_it_through_reads_the_answers(scene: Scene, site: Site, comes: Comes) -> None:
    link = scene.texted(RUTH)
    async with scene.telephone() as ruth:
        await answers_all(ruth, link, staff="1", words="The night nurse shouted. <b>")
    (case,) = scene.rows(Case)
    grace, ana = await comes("grace"), await comes("ana")
    page = unescape((await grace.get(f"/cases/{case.id}")).text)
    for told in ("Low rating", "How were you treated by the staff?", "Very poor", "The night nurse shouted. <b>"):
        assert told in page
    assert "<b>" not in (await grace.get(f"/cases/{case.id}")).text
    assert (await ana.get(f"/cases/{case.id}")).status_code == 403, "it may be about a colleague"


async def test_who_sees_it_through_reads_of_which_repetition_each_answer_is(
    scene: Scene, site: Site, comes: Comes
) -> None:
    dose = question("dose", "integer")
    medicine = group("medicine", "Medicine", "Medicina", dose, question("often"), repeats=True, required=True)
    rule = {"id": "much", "text": {"en": "Much"}, "question": "dose", "operator": ">=", "answer": 3}
    body = json.loads(questionnaire(medicine).body) | {
        "byWeb": True,
        "answerRule": [rule | {"then": {"case": "rating"}}],
    }
    link = scene.texted(RUTH, body)
    async with scene.telephone() as ruth:
        page = await begun(ruth, link)
        for told in ("1", "2", "true", "3", "4", "false"):
            page = await answer(ruth, page, told)
    (case,) = scene.rows(Case)
    grace = await comes("grace")
    page = unescape((await grace.get(f"/cases/{case.id}")).text)
    assert "Medicine 1: dose" in page and "Medicine 2: dose" in page and "Medicine 2: often" in page
