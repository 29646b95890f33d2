"""Complaints, messages and low ratings whose clock passes are counted on every page and told once."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from hospital import audit, cases, late_cases
from hospital.cases import Case, Teller
from hospital.clocks import Clocks, due
from hospital.database import Database
from hospital.late_cases import Pressing
from tests.characters import LUCIA
from tests.console_app import Site, words
from tests.hospital_scene import employ, listening
from tests.moments import NOON, ZONE

pytestmark = pytest.mark.covers("H35")
MINUTE = timedelta(minutes=1)
EVERY = frozenset({"complaint", "message", "rating", "red_flag"})


def opened(session: Session, kind: str) -> UUID:
    clock = due(kind, NOON, Clocks(ZONE, "CO"))
    return cases.open_case(session, kind, f"{kind}/1", Teller("", LUCIA.numbers[0]), NOON, clock, "")


def test_each_clock_that_passes_is_told_once(database: Database) -> None:
    with database.transaction() as session:
        grace = employ(session, "grace", "supervisor").id
        message, complaint, flag = (opened(session, kind) for kind in ("message", "complaint", "red_flag"))
        first = session.get_one(Case, message).acknowledge_by
        later = session.get_one(Case, complaint).acknowledge_by
        assert late_cases.tell(session, first - MINUTE) == [], "a red flag climbs instead"
        assert late_cases.pressing(session, EVERY, first - MINUTE) == Pressing(overdue=0, due_soon=1)
    with database.transaction() as session, listening(database) as heard:
        assert late_cases.tell(session, first) == [message]
        assert late_cases.tell(session, first + MINUTE) == []
        session.commit()
        assert heard().count(f"case:{message}") == 1
    with database.transaction() as session:
        assert cases.own(session, complaint, grace, later - MINUTE)
        assert late_cases.tell(session, later) == [], "it was taken in time"
        decide = session.get_one(Case, complaint, populate_existing=True).decide_by
        assert decide is not None
        assert late_cases.tell(session, decide) == [complaint], "and its second clock has passed"
        assert late_cases.pressing(session, EVERY, decide) == Pressing(overdue=2, due_soon=0)
        assert late_cases.pressing(session, frozenset({"message"}), decide) == Pressing(overdue=1, due_soon=0)
        told = [row.subject for row in audit.newest(session, action="case.overdue")]
        assert told == [f"case:{complaint}", f"case:{message}"] and f"case:{flag}" not in told


async def test_it_is_on_every_page_of_who_sees_its_kind(database: Database, tmp_path: Path) -> None:
    site = Site(database, tmp_path)
    with database.transaction() as session:
        message, complaint = opened(session, "message"), opened(session, "complaint")
        first, later = (session.get_one(Case, one).acknowledge_by for one in (message, complaint))

    async def said(who: str) -> str:
        async with site.signed_in(who) as page:
            return words((await page.get("/cases/alarm")).text).strip()

    assert await said("grace") == ""
    site.now = first
    assert await said("ana") == "1 case overdue"
    site.now = later - timedelta(hours=1)
    assert await said("ana") == "1 case overdue", "complaints are not for her"
    assert await said("grace") == "1 case overdue, 1 due soon"
    with database.transaction() as session:
        late_cases.tell(session, site.now)
    async with site.signed_in("grace") as grace:
        assert "It was overdue" in words((await grace.get(f"/cases/{message}")).text)
