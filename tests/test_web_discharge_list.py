"""Grace sends a list of discharges: what is refused and why, then exactly that list is taken over, once."""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from hospital import discharges
from hospital.audit import AuditRow
from hospital.csv_files import Rejected
from hospital.database import Database
from hospital.discharge_lists import Happened
from hospital.followups import FollowUpTask
from hospital.notices import Notice
from hospital.patients import Patient
from tests.console_app import Site, words
from tests.hospital_scene import library, listening
from web import discharge_list
from web.audiences import audience
from web.limits import LARGEST_LIST
from web.live import Audience

pytestmark = pytest.mark.covers("H20", "H51")
HEADING = "event,record,name,birth,sex,language,phone,discharged,ward\n"
ROW = "E{n},R{n},Paciente {n},1980-02-29,f,es,30155{n:05},2026-11-24 11:00,cirugía 2\n"
CANARY = "Zacarías Zamudio"


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    made = Site(database, tmp_path)
    state = made.app.state
    state.services = replace(state.services, facts=replace(state.services.facts, languages=("es",), country="CO"))
    with database.transaction() as session:
        library(session)
    return made


async def sends(site: Site, content: bytes | str, *, seen: str | None = None, who: str = "grace") -> httpx.Response:
    """The list, to be checked or (with the digest of what was checked) to be taken over."""
    path = "/discharges/preview" if seen is None else "/discharges/import"
    sent = content.encode() if isinstance(content, str) else content
    async with site.signed_in(who) as page:
        headers = {"X-CSRF-Token": "csrf-of-this-page", "HX-Request": "true"}
        return await page._client.post(
            path, files={"list": ("list.csv", sent, "text/csv")}, data={"seen": seen or ""}, headers=headers
        )


def digest(answer: httpx.Response) -> str:
    return re.findall(r'name="seen" value="(\w{64})"', answer.text)[0]


def counted(site: Site) -> tuple[int, int]:
    """Patients and tasks, without João and his."""
    with site.database.transaction() as session:
        people = session.scalar(select(func.count()).select_from(Patient)) or 0
        tasks = session.scalar(select(func.count()).select_from(FollowUpTask)) or 0
        return people - 1, tasks - 1


async def test_it_is_checked_then_taken_over_then_known(site: Site) -> None:
    content = HEADING + "".join(ROW.format(n=n) for n in range(20)) + f"E99,R99,{CANARY},,,,12,2026-11-24,\n"
    looked = await sends(site, content)
    told = words(looked.text)
    assert "21 rows: 20 events would be taken over, 0 were known already, 1 are refused." in told
    assert "20 patients would be registered." in told
    assert "22 phone is a number of no country" in told, "with its line"
    assert CANARY not in looked.text, "what stood there is about a person"
    assert counted(site) == (0, 0), "nothing was taken over yet"
    done = words((await sends(site, content, seen=digest(looked))).text)
    assert "20 events were taken over" in done and "20 patients were registered." in done
    people, tasks = counted(site)
    assert people == 20 and tasks >= 20
    again = await sends(site, content)
    assert "0 events would be taken over, 20 were known already" in words(again.text)
    assert "There is nothing to take over." in again.text
    with site.database.transaction() as session:
        row = session.scalars(select(AuditRow).where(AuditRow.action == "discharges.imported")).one()
        assert (row.account_id, row.detail["new"], row.detail["refused"]) == (site.staff["grace"].id, 20, 1)


async def test_only_what_was_checked_is_taken_over(site: Site) -> None:
    looked = await sends(site, HEADING + ROW.format(n=1))
    other = await sends(site, HEADING + ROW.format(n=2), seen=digest(looked))
    assert (other.status_code, other.text) == (409, "This is not the list that was checked. Check it first.")
    assert (await sends(site, HEADING + ROW.format(n=2), seen="0")).status_code == 409
    assert counted(site) == (0, 0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
async def test_lists_in_the_encodings_that_hospitals_export(site: Site, encoding: str) -> None:
    content = "编号;病历号;姓名;联系电话;出院日期;科室\n甲1;病1;陈梅;+8613055550103;2026年11月24日;外科\n"
    told = words((await sends(site, content.encode(encoding))).text)
    assert "1 rows: 1 events would be taken over, 0 were known already, 0 are refused." in told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "The list is empty."),
        (b"\xff\x81\xff\x00\x01", "The file is no UTF-8, GBK or Windows-1252 text."),
        (b"name,phone\nA,1\n", "The first row has no column event, record, discharged."),
        (HEADING.encode() + b'"never closed', "no CSV"),
        (b"PK\x03\x04 a spreadsheet", "no column"),
    ],
)
async def test_what_is_no_list_is_told_with_what_to_do(site: Site, content: bytes, told: str) -> None:
    answer = await sends(site, content)
    assert answer.status_code == 422
    assert told in answer.text


async def test_a_list_that_is_too_long_is_for_the_command_line(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discharge_list, "MOST_ROWS", 10)
    answer = await sends(site, HEADING + "".join(ROW.format(n=n) for n in range(11)))
    assert answer.status_code == 422
    assert "more than 10 rows" in answer.text and "hotline discharges import FILE" in answer.text
    big = await sends(site, HEADING + "x" * LARGEST_LIST)
    assert big.status_code == 413
    assert "more than 16 MB" in big.text and "hotline discharges import FILE" in big.text
    assert counted(site) == (0, 0)


async def test_how_far_it_is_is_told_in_counts_to_who_has_sent_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    half, goes_on = Event(), Event()

    def slowly(
        rows: Iterable[Happened | Rejected], look: discharges.Transact, *more: Any, **named: Any
    ) -> discharges.Report:
        source = iter(rows)
        first = list(islice(source, 1500))
        half.set()
        assert goes_on.wait(20)
        return preview([*first, *source], look, *more, **named)

    preview = discharges.preview
    monkeypatch.setattr(discharges, "preview", slowly)
    content = HEADING + "".join(ROW.format(n=n) if n else f"E,R,{CANARY},,,,12,2026-11-24,\n" for n in range(3000))
    async with site.signed_in("grace") as grace:
        with listening(site.database) as heard:
            sending = asyncio.create_task(sends(site, content))
            assert await asyncio.to_thread(half.wait, 20)
            told = words((await grace.get("/lists/progress")).text)
            goes_on.set()
            answer = await sending
            assert heard().count(f"list:{site.staff['grace'].id}") == 3, "each thousand"
        assert 'data-fragment="/lists/progress" data-on="list"' in (await grace.get("/discharges")).text
        hears = await audience(site.database, Notice("list", str(site.staff["grace"].id)))
        assert hears == Audience(accounts=frozenset({site.staff["grace"].id})), "and nobody else"
        assert told == "1,500 of about 3,001 rows were read, 1 of them refused."
        assert "3000 rows: 2999 events would be taken over" in words(answer.text)
        assert "The list is being read." in (await grace.get("/lists/progress")).text, "none is any more"


async def test_it_is_for_supervisors(site: Site) -> None:
    for who in ("ana", "ida", "oscar"):
        assert (await sends(site, HEADING, who=who)).status_code == 403
    async with site.signed_in("grace") as grace:
        page = words((await grace.get("/discharges")).text)
        assert "needed" in page and "出院编号" in page
        assert 'href="/discharges"' in (await grace.get("/followups")).text
        assert (await grace.post("/discharges/preview", 422)).text == "Choose a list first."


async def test_no_part_of_a_list_is_spooled_to_a_disk(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def rolled(*_: object) -> None:
        raise AssertionError("a list touched the disk")

    monkeypatch.setattr("tempfile.SpooledTemporaryFile.rollover", rolled)
    answer = await sends(site, HEADING + "".join(ROW.format(n=n % 99999) for n in range(19_000)))
    assert answer.status_code == 200 and "19000 rows" in words(answer.text)
