"""The audit log's page: what an entry is about, in words and as a link, for who may know it and for who may not."""

import ast
import asyncio
import re
import threading
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from hospital import audit, campaigns
from hospital.audit import AuditRow, Walk
from hospital.campaigns import Wanted
from hospital.cases import Case
from hospital.database import Database
from tests.characters import JOAO
from tests.console_app import Site, words
from tests.moments import NOON
from web.words import AUDIT_KINDS

ROOT = Path(__file__).parent.parent


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    return Site(database, tmp_path)


def happened(site: Site, action: str, subject: str, **detail: object) -> None:
    with site.database.transaction() as session:
        audit.record(session, site.staff["ana"].id, action, subject, site.now, **detail)


def cells(html: str) -> list[str]:
    """What the column "Of what" says, newest first."""
    rows = re.findall(r"<tr.*?</tr>", html.partition("<tbody>")[2], re.DOTALL)
    return [words(re.findall(r"<td.*?</td>", row, re.DOTALL)[3]).strip() for row in rows]


@pytest.mark.covers("H17", "H51")
async def test_grace_reads_of_whom_and_ida_only_of_what(site: Site) -> None:
    patient, task = f"patient:{site.joao.id}", f"task:{site.task.id}"
    happened(site, "record.read", patient)
    happened(site, "task.skip", task)
    short = str(site.joao.id)[:8]
    async with site.signed_in("grace") as grace, site.signed_in("ida") as ida:
        graces, idas = (await grace.get("/audit/list")).text, (await ida.get("/audit/list")).text
    assert f"Patient: {JOAO.name} All of {short}" in cells(graces)
    assert f"Follow-up: Day 3 after discharge, {JOAO.name} All of {str(site.task.id)[:8]}" in cells(graces)
    assert f'href="/followups/{site.task.id}"' in graces
    assert JOAO.name not in idas and f"Patient All of {short}" in cells(idas)
    assert f'href="/followups/{site.task.id}"' not in idas and "Follow-up: Day 3 after discharge" in words(idas)
    assert f'title="{patient}"' in graces and f'title="{patient}"' in idas, "the whole id, for who needs it"
    with site.database.transaction() as session:
        looks = session.scalars(select(AuditRow).where(AuditRow.action == "audit.read").order_by(AuditRow.seq)).all()
        assert [(row.account_id, row.detail) for row in looks] == [
            (site.staff["grace"].id, {"patients": [str(site.joao.id)]}),
            (site.staff["ida"].id, {}),
        ], "a name that is told is a look"


@pytest.mark.covers("H17")
async def test_what_happened_to_one_thing_is_found_by_its_id(site: Site) -> None:
    happened(site, "record.read", f"patient:{site.joao.id}")
    happened(site, "task.skip", f"task:{site.task.id}")
    async with site.signed_in("grace") as grace:
        for of in (f"patient:{site.joao.id}", str(site.joao.id)):
            page = (await grace.get(f"/audit?of={of}")).text
            assert cells(page) == [f"Patient: {JOAO.name} All of {str(site.joao.id)[:8]}"], of
            assert f'value="{of}"' in page, "to be copied"
            assert 'data-fragment="/audit/list"' not in page, "what is new is of something else"
        assert "There is no such entry" in (await grace.get("/audit?of=patient:nobody")).text


async def test_an_older_page_stays_while_the_log_grows(site: Site) -> None:
    for _ in range(101):
        happened(site, "record.read", f"patient:{site.joao.id}")
    async with site.signed_in("grace") as grace:
        newest = (await grace.get("/audit")).text
        assert 'data-fragment="/audit/list"' in newest
        older = re.search(r'href="(/audit\?[^"]*before=\d+)"', newest)
        assert older is not None
        page = (await grace.get(older[1].replace("&amp;", "&"))).text
        assert len(cells(page)) == 1 and 'data-fragment="/audit/list"' not in page


async def test_each_kind_of_thing_has_words_and_who_may_not_open_it_no_link(site: Site) -> None:
    with site.database.transaction() as session:
        campaign = campaigns.create(session, Wanted("Day 3", "preview"), site.staff["grace"].id, NOON)
        complaint = Case(kind="complaint", origin="n1-1", opened_at=NOON, acknowledge_by=NOON, decide_by=NOON)
        session.add(complaint)
        session.flush()
        about = {
            f"campaign:{campaign.id}": ("Campaign: Day 3", f"/campaigns/{campaign.id}", "grace"),
            f"case:{complaint.id}": (f"Case: {complaint.number}", f"/cases/{complaint.id}", "grace"),
            "questionnaire:mood": ("Questionnaire: mood", "/questionnaires/mood", "ida"),
            "prompt:en/bye": ("Prompt: en/bye", "/prompts/en/bye", "ida"),
            "followups": ("Follow-up list", "/followups", "grace"),
            f"account:{site.staff['dora'].id}": ("Account: Dora", "", ""),
            f"talk:n1-{UUID(int=7).hex}": ("Talk All of n1-00000", "", ""),
            f"closure:{UUID(int=7)}": ("Closing of the telephones", "", ""),
            "GET /followups/{task_id}": ("Page: /followups/{task_id}", "", ""),
        }
    for subject in about:
        happened(site, "denied", subject)
    async with site.signed_in("grace") as grace, site.signed_in("ida") as ida:
        shown = {who: (await page.get("/audit/list")).text for who, page in (("grace", grace), ("ida", ida))}
    for who, html in shown.items():
        for subject, (said, path, opens) in about.items():
            assert any(cell.startswith(said) for cell in cells(html)), (who, subject)
            if path:
                assert (f'href="{path}"' in html) == (who == opens), (who, subject)


def test_whatever_an_entry_is_about_has_words() -> None:
    writes = {"record", "looked", "_written", "denied"}
    found = set()
    for source in (path for room in ("hospital", "web") for path in (ROOT / room).glob("*.py")):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in writes:
                strings = [one for one in node.args if isinstance(one, ast.JoinedStr)]
                heads = [one.values[0].value for one in strings if isinstance(one.values[0], ast.Constant)]
                found |= {head[:-1] for head in heads if isinstance(head, str) and re.fullmatch("[a-z_]+:", head)}
    assert len(found) > 12
    assert found - set(AUDIT_KINDS) == set()


@pytest.mark.covers("I8")
async def test_a_long_chain_is_walked_once_behind_the_page_and_the_pool_stays_free(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(12):
        happened(site, "record.read", f"patient:{n}")
    walk_on, slices, go = audit.walk_on, [0], threading.Event()

    def slowly(session: Session, walk: Walk) -> Walk:
        slices.append(walk.rows)
        assert go.wait(20)
        return walk_on(session, walk, 4)

    monkeypatch.setattr(audit, "walk_on", slowly)
    async with site.signed_in("grace") as grace:
        loads = [(await grace.get("/audit/chain?anew=true")).text for _ in range(3)]
        assert all("Checking the chain" in load and "whole" not in load for load in loads)
        assert len(slices) == 2, "one walk, however often it is loaded"
        await grace.get("/audit")  # which has a connection
        go.set()
        for _ in range(100):
            told = words((await grace.get("/audit/chain")).text)
            if "whole" in told:
                break
            await asyncio.sleep(0.05)
    assert re.search(r"The chain is whole: 1\d entries\s+checked ", told) and "Checking" not in told
    assert slices[2:5] == [4, 8, 12], "each of its own transaction"


@pytest.mark.covers("I8")
async def test_the_last_verdict_stands_while_the_next_is_made(site: Site) -> None:
    happened(site, "record.read", "patient:1")
    async with site.signed_in("grace") as grace:
        assert "The chain is whole" in words((await grace.get("/audit/chain")).text)
        with site.database.transaction() as session:
            session.execute(text("ALTER TABLE audit DISABLE TRIGGER audit_only_grows"))
            session.execute(text("UPDATE audit SET subject = 'patient:2' WHERE seq = 1"))
            session.execute(text("ALTER TABLE audit ENABLE TRIGGER audit_only_grows"))
        assert "The chain is whole" in words((await grace.get("/audit/chain")).text), "nobody has looked since"
        assert "broken at entry 1" in words((await grace.get("/audit/chain?anew=true")).text)
        assert "broken at entry 1" in words((await grace.get("/audit/chain")).text)
