"""How many places a class has left, for whoever talks to patients."""

from pathlib import Path

import pytest

from hospital.database import Database
from tests.console_app import Site, words
from tests.test_hospital_booking import books
from tests.test_hospital_groups import class_of


@pytest.mark.covers("H59")
async def test_ana_sees_the_places_that_are_left(database: Database, tmp_path: Path) -> None:
    site = Site(database, tmp_path)
    async with site.signed_in("ana") as ana:
        assert "No groups" in (await ana.get("/groups")).text
        with database.transaction() as session:
            slot, people = class_of(session, 2, 2)
            books(session, slot, "n1-0", people[0])
        assert "1 place left of 2" in words((await ana.get("/groups/list")).text)
        with database.transaction() as session:
            books(session, slot, "n1-1", people[1])
        assert "Full" in words((await ana.get("/groups")).text)
