"""A list says that somebody else is called for a child: by record number, by name and number, and not against Ana."""

import pytest
from sqlalchemy import select

from hospital import attempts, audit, guardians, plan_changes
from hospital.attempts import Claimed
from hospital.csv_files import Rejected
from hospital.discharge_lists import Rules, read
from hospital.guardians import Told
from hospital.patients import Patient
from scripts.languages import TAGS
from scripts.vocabulary import list_words
from tests.console_app import Site, words
from tests.hospital_scene import UNCAPPED
from tests.moments import NOON, ZONE
from tests.test_care_lists import due, taken_over
from tests.test_web_discharge_list import sends, site

__all__ = ["site"]
pytestmark = pytest.mark.covers("H13", "H20")

HEADING = "event,record,name,birth,phone,date,guardian,guardian_name,guardian_phone,ward\n"
MOTHER = "M1,R1,Lucía Fernández,1996-02-29,3015550101,2026-11-22,,,,maternity\n"
CHILD = "M2,R2,Inés Fernández,2026-11-20,,2026-11-22,R1,,,maternity\n"
BY_FATHER = "M3,R2,Inés Fernández,2026-11-20,,2026-11-23,,Rafa  Fernández,301 555 0142,maternity\n"
BY_AUNT = "M4,R2,Inés Fernández,2026-11-20,,2026-11-24,,Inés Vega,3015550143,maternity\n"
STAYS = "taken over, but the guardian stays: staff have said who it is"


def of(site: Site, name: str) -> Patient:
    with site.database.transaction() as session:
        return next(one for one in session.scalars(select(Patient)) if one.name == name)


def guardian(site: Site) -> str:
    """Of Inés."""
    with site.database.transaction() as session:
        child = session.get_one(Patient, of(site, "Inés Fernández").id)
        assert child.guardian_id is not None
        return session.get_one(Patient, child.guardian_id).name


async def test_another_guardian_is_called_from_now_on_and_what_rings_at_the_one_before_is_hung_up(site: Site) -> None:
    await taken_over(site, HEADING + MOTHER + CHILD)
    child = of(site, "Inés Fernández").id
    with site.database.transaction() as session:
        task = next(one.id for one in due(session, "Inés Fernández") if one.step == "day-3")
        session.get_one(Patient, child).guardian_relation = "mother"
        claimed = attempts.claim(session, task, site.staff["ana"].id, "n1", site.now, UNCAPPED)
        assert isinstance(claimed, Claimed) and claimed.number == "+573015550101"
        assert attempts.dialling(session, claimed.attempt_id, site.now)
    looked = words((await sends(site, HEADING + BY_FATHER)).text)
    assert "1 would be given a guardian" in looked and guardian(site) == "Lucía Fernández"
    assert "1 were given a guardian" in await taken_over(site, HEADING + BY_FATHER)
    assert guardian(site) == "Rafa Fernández"
    with site.database.transaction() as session:
        assert claimed.attempt_id in {one.id for one in plan_changes.called_off(session, site.now)}
        assert session.get_one(Patient, child).guardian_relation is None, "a list tells none"
        (row,) = audit.of_subject(session, f"patient:{child}", ("patient.guardian",))
        assert (row.account_id, row.detail["what"]) == (site.staff["grace"].id, "listed")
        assert "Rafa" not in str(row.detail) and "0142" not in str(row.detail)
    assert "given a guardian" not in await taken_over(site, HEADING + CHILD + BY_FATHER), (
        "told again it changes nothing"
    )
    assert guardian(site) == "Rafa Fernández"
    await taken_over(site, HEADING + CHILD.replace("M2", "M5"))
    assert guardian(site) == "Lucía Fernández", "by record number, too, where something new is told"


async def test_who_has_a_record_with_the_name_and_the_number_is_meant_and_is_registered_once(site: Site) -> None:
    twin = BY_AUNT.replace("M4,R2,Inés Fernández", "M6,R3,Eva Fernández")
    told = await taken_over(site, HEADING + MOTHER + BY_AUNT + twin)
    assert "3 patients were registered, 2 were given a guardian" in told
    aunt = of(site, "Inés Vega")
    assert {of(site, name).guardian_id for name in ("Inés Fernández", "Eva Fernández")} == {aunt.id}
    third = BY_AUNT.replace("M4,R2,Inés Fernández", "M7,R4,Ada Fernández").replace("Inés Vega", "VEGA Ines")
    await taken_over(site, HEADING + third)
    assert of(site, "Ada Fernández").guardian_id == aunt.id, "however the name is written"


async def test_whom_ana_has_named_or_ended_a_list_does_not_change(site: Site) -> None:
    await taken_over(site, HEADING + MOTHER + CHILD)
    child, ana = of(site, "Inés Fernández").id, site.staff["ana"].id
    with site.database.transaction() as session:
        assert guardians.name(session, child, Told("Foster Home", "+573015550150", "es", "legal"), ana, NOON) is None
    assert STAYS in words((await sends(site, HEADING + BY_FATHER)).text)
    told = await taken_over(site, HEADING + BY_FATHER)
    assert "1 rows: 1 events were taken over" in told and STAYS in told and "given a guardian" not in told
    assert guardian(site) == "Foster Home"
    with site.database.transaction() as session:
        assert guardians.end(session, child, ana, NOON) is None
    assert STAYS in await taken_over(site, HEADING + BY_AUNT)
    assert of(site, "Inés Fernández").guardian_id is None


async def test_nobody_speaks_for_themselves_for_their_own_guardian_or_after_their_death(site: Site) -> None:
    await taken_over(site, HEADING + MOTHER + CHILD)
    mother = of(site, "Lucía Fernández").id
    turned = "M8,R1,Lucía Fernández,,3015550101,2026-11-23,R2,,,maternity\n"
    assert "guardian is the patient, or somebody the patient speaks for" in await taken_over(site, HEADING + turned)
    both = (
        "M9,R5,Ada Cruz,,3015550105,2026-11-23,,Eva Cruz,3015550106,maternity\n"
        "M10,R6,Eva Cruz,,3015550106,2026-11-23,,Ada Cruz,3015550105,maternity\n"
    )
    told = await taken_over(site, HEADING + both)
    assert "2 events were taken over" in told and "1 were given a guardian" in told
    assert "taken over without the guardian, who is the patient, or somebody the patient speaks for" in told
    with site.database.transaction() as session:
        session.get_one(Patient, mother).death_reported_at = NOON
    again = CHILD.replace("M2", "M11")
    assert "guardian has died, or is reported to have: name who is called" in await taken_over(site, HEADING + again)
    assert "1 were known already, 0 were refused" in await taken_over(site, HEADING + CHILD)


@pytest.mark.parametrize(
    ("named", "column", "why"),
    [
        (",Zamudio,", "guardian_phone", "is empty, and guardian_name names somebody"),
        (",,3015550142", "guardian_name", "is empty, and guardian_phone has a number"),
        (",Zamudio,12", "guardian_phone", "is a number of no country"),
        (",Zamudio,call her", "guardian_phone", "is a number of no country"),
        ("R1,Zamudio,3015550142", "guardian_name", "stands beside a record number"),
        (",12 / 34,3015550142", "guardian_name", "is no name"),
        (",Zam\u202eudio,3015550142", "guardian_name", "is no name"),
        (",Zam\0udio,3015550142", "guardian_name", "holds a character that is no text"),
        (f",{'Zamudio ' * 30},3015550142", "guardian_name", "is longer than 200 letters"),
        (",inés  FERNÁNDEZ,3015550109", "guardian_name", "is the patient"),
    ],
)
def test_what_is_wrong_with_a_named_guardian_is_told_by_line_and_column(named: str, column: str, why: str) -> None:
    rules = Rules(ZONE, "CO", "es", NOON, TAGS, list_words())
    row = f"M2,R2,Inés Fernández,2026-11-20,3015550109,2026-11-22,{named},maternity\n"
    (wrong,) = read((HEADING + row).encode(), rules)
    assert isinstance(wrong, Rejected) and (wrong.line, wrong.column) == (2, column)
    assert wrong.why.startswith(why) and "Zamudio" not in repr(wrong)
