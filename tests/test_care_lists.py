"""What a list brings into the house at a real site: the mother's call is her newborn's too, stays and visits stand
beside the form, and an operation or a visit begins its own plan. All of it by the list, nothing by the test."""

import csv
import json
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from hospital import agentless, attempts, audit, calling_hours, discharges
from hospital.attempts import Claimed
from hospital.calendars import Calendar
from hospital.calling_rules import CallingPolicy
from hospital.csv_files import Rejected
from hospital.database import Database
from hospital.discharge_lists import Happened, Rules, read
from hospital.enrolment_records import Enrolment
from hospital.followups import FollowUpTask
from hospital.patients import Patient, Stay, Visit
from hotline import commands, discharge_import, postgres
from hotline.settings import Settings
from hotline.settings_file import DEMO, build
from scripts.languages import TAGS
from scripts.vocabulary import list_words
from tests.conftest import TEMPLATE, renewed
from tests.console_app import Site, words
from tests.hospital_scene import UNCAPPED, library
from tests.moments import NOON, ZONE
from tests.site_key import put_site_key
from tests.test_web_discharge_list import digest, sends, site

__all__ = ["site"]
T = TypeVar("T")

HEADING = "event,kind,record,guardian,name,birth,phone,date,admitted,ward,doctor,reason,diagnosis\n"
MOTHER = "M1,alta,R1,,Lucía Fernández,1996-02-29,3015550101,2026-11-22,2026-11-20,maternity,,,O80\n"
CHILD = "M2,,R2,R1,Inés Fernández,2026-11-20,3015550101,2026-11-22,,maternity,,,Z38\n"
OPERATION = "S1,Cirugía,R3,,João Pereira,1951-03-07,3015550102,2026-11-23 08:00,,surgery 2,Dra. Paz,hernia,K40\n"
VISIT = "V1,consulta,R4,,Mei Chen,1988-04-05,3015550103,2026-11-24 10:00,,cardiology,Dr. Ruiz,control,I10\n"


def in_one(database: Database) -> Callable[[Callable[[Session], T]], T]:
    def run_in(verb: Callable[[Session], T]) -> T:
        with database.transaction() as session:
            return verb(session)

    return run_in


def due(session: Session, name: str) -> list[FollowUpTask]:
    found = [one.id for one in session.scalars(select(Patient)) if one.name == name]
    rows = select(FollowUpTask).where(FollowUpTask.patient_id.in_(found)).order_by(FollowUpTask.reason)
    return list(session.scalars(rows))


async def taken_over(site: Site, content: str) -> str:
    looked = await sends(site, content)
    return words((await sends(site, content, seen=digest(looked))).text)


@pytest.mark.covers("H13", "H20")
@pytest.mark.parametrize("rows", [MOTHER + CHILD, CHILD + MOTHER])
async def test_the_call_of_a_mother_is_her_newborns_too(site: Site, rows: str) -> None:
    looked = words((await sends(site, HEADING + rows)).text)
    assert "2 patients would be registered, 1 would be given a guardian." in looked
    told = await taken_over(site, HEADING + rows)
    assert "2 patients were registered, 1 were given a guardian." in told
    with site.database.transaction() as session:
        mother = next(one.id for one in due(session, "Lucía Fernández") if one.step == "day-3")
        child = next(one.id for one in due(session, "Inés Fernández") if one.step == "day-3")
        claimed = attempts.claim(session, mother, site.staff["ana"].id, "n1", site.now, UNCAPPED)
        assert isinstance(claimed, Claimed)
        assert session.get_one(FollowUpTask, child).state == "calling", "one call for both"
        assert attempts.dialling(session, claimed.attempt_id, site.now)
        attempts.answered(session, claimed.channel_id, site.now)
    async with site.signed_in("ana") as ana:
        form = (await ana.get(f"/followups/{mother}")).text
        assert f'href="/followups/{child}"' in form and "Inés" in form, "a tab for the newborn"


@pytest.mark.covers("H13")
async def test_stays_and_visits_of_a_list_stand_beside_the_form(site: Site) -> None:
    await taken_over(site, HEADING + MOTHER + OPERATION + VISIT)
    await taken_over(site, HEADING + MOTHER + OPERATION + VISIT)
    with site.database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Stay)) == 2, "João's and hers, once"
        assert session.scalar(select(func.count()).select_from(Visit)) == 2
        hers = next(one for one in due(session, "Lucía Fernández") if one.step == "day-3")
        his = next(one for one in due(session, "João Pereira") if one.step == "day-2")
        hers.owner_id = his.owner_id = site.staff["ana"].id
    async with site.signed_in("ana") as ana:
        form = words((await ana.get(f"/followups/{hers.id}")).text)
        assert "Stay: maternity" in form and "20 Nov 2026 to 22 Nov 2026" in form and "O80" in form
        form = words((await ana.get(f"/followups/{his.id}")).text)
        assert "Visit: surgery 2 , Dra. Paz" in form and "23 Nov 2026, hernia" in form
        assert "home 22 Nov 2026" in words((await ana.get("/followups")).text)


@pytest.mark.covers("H20", "H29")
async def test_an_operation_and_a_visit_begin_their_plans(site: Site) -> None:
    await taken_over(site, HEADING + OPERATION + VISIT)
    with site.database.transaction() as session:
        plans = dict(session.execute(select(Patient.id, Enrolment.plan).join(Enrolment)).all())
        named = {session.get_one(Patient, one).name: plan for one, plan in plans.items()}
        assert named == {"João Pereira": "after-surgery", "Mei Chen": "after-visit"}
        (rating,) = due(session, "Mei Chen")
        assert (rating.channel, rating.fallback, rating.purpose) == ("automated_call", ["sms"], "survey")
        policy = CallingPolicy(calling_hours.PRESETS["co"], ZONE)
        claimed = agentless.claim_next(session, "n1", rating.due_at, policy, kinds=["follow_up"], most=1)
        assert isinstance(claimed, Claimed), "the hotline calls by itself"


@pytest.mark.parametrize(
    ("rows", "line", "column", "why"),
    [
        (CHILD, 2, "guardian", "no patient has this record number, and no row of the list"),
        (MOTHER + CHILD.replace("R1", "R2"), 3, "guardian", "is the patient&#39;s own record number"),
        (CHILD.replace("R1", "").replace("3015550101", ""), 2, "phone", "is empty, and no guardian is named"),
        (OPERATION.replace("Cirugía", "Zamudio"), 2, "kind", "is none of discharge, surgery, visit"),
        (MOTHER.replace("11-20", "11-23"), 2, "admitted", "is after the day of the discharge"),
    ],
)
async def test_what_is_wrong_with_a_guardian_or_a_kind_is_told_before(
    site: Site, rows: str, line: int, column: str, why: str
) -> None:
    looked = await sends(site, HEADING + rows)
    assert f'<th scope="row" class="number">{line}</th><td>{column}</td><td>{why}' in looked.text
    assert "1 are refused" in words(looked.text) and "Zamudio" not in looked.text
    assert f"{rows.count(chr(10)) - 1} events were taken over" in await taken_over(site, HEADING + rows)


async def test_a_guardian_is_filled_in_and_never_turned_round(site: Site) -> None:
    alone = CHILD.replace("R1", "")
    await taken_over(site, HEADING + MOTHER + alone + OPERATION)
    await taken_over(site, HEADING + CHILD.replace("M2", "M3").replace("3015550101", ""))
    turned = await sends(site, HEADING + MOTHER.replace("R1,", "R1,R2").replace("M1", "M5"))
    assert "is the patient, or somebody the patient speaks for" in turned.text
    with site.database.transaction() as session:
        people = {one.name: one for one in session.scalars(select(Patient))}
        assert people["Inés Fernández"].guardian_id == people["Lucía Fernández"].id
        assert people["Lucía Fernández"].guardian_id is None


def test_a_part_is_written_before_the_next_is_read(database: Database) -> None:
    """A million rows are never in memory: no more is read than one part, and what waits for its guardian."""
    seen: list[int] = []
    written: list[int] = []

    def rows() -> Iterator[Happened | Rejected]:
        for line in range(2 * discharges.PART + 1):
            seen.append(line)
            yield Rejected(line, "", "is wrong")

    def transact(verb: Callable[[Session], discharges.Part]) -> discharges.Part:
        written.append(len(seen))
        return in_one(database)(verb)

    told: list[int] = []
    report = discharges.Report(told=lambda row: told.append(row.line))
    discharges.take_over(rows(), [], NOON, Calendar(ZONE, "CO"), transact, report)
    assert written == [discharges.PART, 2 * discharges.PART, 2 * discharges.PART + 1]
    assert len(told) == report.refused == 2 * discharges.PART + 1


def test_rows_before_their_guardian_wait_only_so_long(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discharges, "MOST_WAITING", 1)
    rules = Rules(ZONE, "CO", "es", NOON, TAGS, list_words())
    early = "".join(CHILD.replace("M2", f"M{n}").replace("R2", f"R{n}") for n in range(2, 5))
    rows = list(read((HEADING + early + MOTHER).encode(), rules))
    report = discharges.take_over([rows[0], rows[1], rows[2], rows[3]], [], NOON, Calendar(ZONE), in_one(database))
    assert (report.new, report.refused) == (4, 0), "in one part nobody waits"
    with database.transaction() as session:
        session.execute(delete(Patient))
    monkeypatch.setattr(discharges, "PART", 1)
    report = discharges.take_over(rows, [], NOON, Calendar(ZONE), in_one(database))
    assert (report.new, report.refused) == (2, 2)
    assert "put the guardians first" in report.rejected[0].why


@pytest.fixture
def settings(cluster: postgres.Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    put_site_key(tmp_path)
    with renewed(cluster, TEMPLATE) as url:
        made = build({**DEMO, "data": tmp_path, "database": {"url": url}})
        monkeypatch.setattr(commands, "load", lambda _: made)
        yield made


@pytest.mark.covers("H13", "H20")
def test_by_the_command_as_by_the_page(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discharges, "SHOWN", 1)
    database = Database(settings.database.url.get_secret_value())
    with database.transaction() as session:
        library(session)
    day = (datetime.now(ZONE) - timedelta(days=4)).date()
    wrong = [MOTHER.replace("M1", f"X{n}").replace("R1", "") for n in range(2)]
    rows = (MOTHER + CHILD).replace("2026-11-22", str(day)).replace("2026-11-20,maternity", f"{day},maternity")
    path = tmp_path / "list.csv"
    path.write_text(HEADING + rows + "".join(wrong), encoding="gbk")
    refused = tmp_path / "refused.csv"
    nowhere = str(tmp_path / "no" / "such.csv")
    assert commands.main(["discharges", "import", str(path), "--rejected", nowhere]) == 2
    assert "such.csv can't be written: No such file" in capsys.readouterr().err
    before = path.read_bytes()
    assert commands.main(["discharges", "import", str(path), "--rejected", f"{tmp_path}/./list.csv"]) == 2
    assert "list.csv can't be written: it is the list itself" in capsys.readouterr().err
    assert path.read_bytes() == before, "the list is still there"
    assert commands.main(["discharges", "import", str(path), "--json", "--rejected", str(refused)]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["new"], told["registered"], told["guarded"], told["refused"]) == (2, 2, 1, 2)
    with database.transaction() as session:
        (row,) = audit.newest(session, action="discharges.imported")
        assert (row.account_id, row.detail["rows"], row.detail["new"]) == (None, 4, 2)
    with open(refused, encoding="utf-8", newline="") as file:
        assert len(list(csv.reader(file))) == 3, "every refused row, also those that no report keeps"
    with database.transaction() as session:
        child = next(one for one in session.scalars(select(Patient)) if one.guardian_id is not None)
        assert child.name == "Inés Fernández"
        assert {one.plan for one in session.scalars(select(Enrolment))} == {"discharge", "newborn", "after-birth"}
    database.close()

    def interrupted(_: discharges.Report) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(discharge_import, "Progress", lambda _: interrupted)
    assert commands.main(["discharges", "import", str(path)]) == 130
    told = capsys.readouterr()
    assert "0 events were taken over, 2 known" in told.out and "the same list over again" in told.err


@pytest.mark.parametrize("task", ["preview", "import"])
@pytest.mark.parametrize(
    ("content", "code", "told"), [(HEADING, 0, "0 rows: 0 events"), ("", 2, "has no column event")]
)
def test_a_list_without_rows_is_told_to_people_and_to_programs(
    settings: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    task: str,
    content: str,
    code: int,
    told: str,
) -> None:
    path = tmp_path / "list.csv"
    path.write_text(content)
    assert commands.main(["discharges", task, str(path)]) == code
    assert told in "".join(capsys.readouterr())
    assert commands.main(["discharges", task, str(path), "--json"]) == code
    assert json.loads(capsys.readouterr().out)["rows"] == 0


def test_a_row_that_no_index_takes_does_not_end_the_list(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = Database(settings.database.url.get_secret_value())
    with database.transaction() as session:
        library(session)
    database.close()
    day = (datetime.now(ZONE) - timedelta(days=4)).date()
    mother = MOTHER.replace("2026-11-22", str(day)).replace("2026-11-20", str(day))
    path = tmp_path / "list.csv"
    path.write_text(HEADING + mother.replace("M1", secrets.token_hex(4000)) + mother)
    assert commands.main(["discharges", "import", str(path), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["rows"], told["new"]) == (2, 1)
    assert [(row["line"], row["column"], row["why"]) for row in told["rejected"]] == [
        (2, "event", "is longer than 200 letters")
    ]
