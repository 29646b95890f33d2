"""A long list by the command: killed in the middle, taken over again; its refused rows in a file beside it."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from hospital import discharges, patients
from hospital.calendars import Calendar
from hospital.csv_files import Rejected
from hospital.database import Database
from hospital.discharge_lists import Rules, read
from hospital.enrolment_records import CareEvent, Enrolment
from hospital.followups import FollowUpTask
from hospital.patients import Patient, Stay
from hotline import commands, long_lists, postgres
from hotline.settings_file import DEMO, build
from scripts.languages import TAGS
from scripts.vocabulary import list_words
from tests.conftest import TEMPLATE, cloned
from tests.hospital_scene import library
from tests.moments import NOON, ZONE
from tests.site_key import put_site_key
from tests.test_care_lists import CHILD, HEADING, MOTHER, in_one

pytestmark = pytest.mark.covers("H13", "H20")
PART = discharges.PART
ROWS = 5 * PART
WRONG = ROWS // 100  # each hundredth has a number of no country


def of_rows(day: str) -> str:
    rows = [f"甲{n},病{n},陈梅,{12 if n % 100 == 99 else f'+8613{n:09d}'},{day},外科\n" for n in range(ROWS)]
    return "编号,病历号,姓名,电话,出院日期,科室\n" + "".join(rows)


def killed_once_it_waits(url: str, folder: Path, path: Path, database: Database) -> None:
    house = {"HOTLINE_DATA": str(folder), "HOTLINE_DATABASE__URL": url, "PYTHONPATH": str(Path.cwd())}
    demo = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    command = [sys.executable, "-m", "hotline", "discharges", "import", str(path)]
    with subprocess.Popen(command, env=demo | house, cwd=folder) as taking:
        while not somebody_waits(database) and taking.poll() is None:
            pass
        taking.kill()


@contextmanager
def being_registered(database: Database, record: str) -> Iterator[Session]:
    """By somebody else, who is not done yet: who needs this record number waits for them."""
    with Session(database.engine) as session, session.begin():
        patients.register(session, name="Mei", birth=None, language="zh-CN", numbers=[], identifiers={"record": record})
        yield session


def somebody_waits(database: Database) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with database.transaction() as session:
        return bool(session.scalar(text(waiting)))


def counted(database: Database) -> list[int]:
    with database.transaction() as session:
        kinds = (Patient, CareEvent, Stay, Enrolment)
        return [session.scalar(select(func.count()).select_from(kind)) or 0 for kind in kinds]


@pytest.fixture
def url(cluster: postgres.Cluster) -> Iterator[str]:
    with cloned(cluster, TEMPLATE) as made:
        yield made


def test_a_list_that_was_cut_off_goes_on_and_loses_and_doubles_nothing(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put_site_key(tmp_path)
    database = Database(url)
    with database.transaction() as session:
        library(session)
    path = tmp_path / "list.csv"
    path.write_text(of_rows(f"{datetime.now(ZONE):%Y-%m-%d}"), encoding="gbk")

    with being_registered(database, f"病{2 * PART}") as other:
        killed_once_it_waits(url, tmp_path, path, database)
        other.rollback()
    assert counted(database) == [2 * PART - 10] * 4, "two parts, each whole, and nothing of the third"

    house = build({**DEMO, "data": tmp_path, "database": {"url": url}})
    monkeypatch.setattr(commands, "load", lambda _: house)
    assert commands.main(["discharges", "import", str(path), "--json"]) == 1
    figures = json.loads(capsys.readouterr().out)
    assert (figures["rows"], figures["refused"], figures["known"]) == (ROWS, WRONG, 2 * PART - 10)
    assert figures["new"] == figures["registered"] == ROWS - WRONG - figures["known"]
    assert counted(database) == [ROWS - WRONG] * 4
    with database.transaction() as session:
        steps = session.execute(select(FollowUpTask.step, func.count()).group_by(FollowUpTask.step)).all()
        assert len(steps) > 1 and {count for _, count in steps} == {ROWS - WRONG}
    database.close()

    assert figures["refused_in"] == str(path) + ".refused.csv"
    with open(figures["refused_in"], encoding="utf-8", newline="") as file:
        _, *refused = csv.reader(file)
    assert [int(line) for line, _, _ in refused] == [2 + n for n in range(ROWS) if n % 100 == 99]
    assert {(column, why[:24]) for _, column, why in refused} == {("phone", "is a number of no countr")}


def test_two_who_take_the_same_list_over_at_one_time_register_nobody_twice(database: Database) -> None:
    rules = Rules(ZONE, "CO", "es", NOON, TAGS, list_words())
    rows = list(read((HEADING + MOTHER + CHILD).encode(), rules))
    with ThreadPoolExecutor() as pool:
        with being_registered(database, "R1"):
            takes = pool.submit(discharges.take_over, rows, [], NOON, Calendar(ZONE), in_one(database))
            while not somebody_waits(database):
                assert not takes.done()
        report = takes.result()
    assert (report.new, report.registered, report.guarded) == (2, 1, 1)


def test_a_part_that_somebody_held_up_for_too_long_is_tried_again(database: Database) -> None:
    rules = Rules(ZONE, "CO", "es", NOON, TAGS, list_words())
    with being_registered(database, "R1") as other:

        def impatient(verb: Callable[[Session], discharges.Part]) -> discharges.Part:
            try:
                with database.transaction() as session:
                    session.execute(text("SET LOCAL lock_timeout = '20ms'"))
                    return verb(session)
            except OperationalError:
                other.rollback()
                raise

        rows = read((HEADING + MOTHER + CHILD).encode(), rules)
        report = discharges.take_over(rows, [], NOON, Calendar(ZONE), impatient)
    assert (report.new, report.registered) == (2, 2)


def test_many_refused_rows_stand_in_a_file_beside_the_list_and_few_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = long_lists.Refusals(tmp_path / "few.csv", None)
    many = long_lists.Refusals(tmp_path / "many.csv", None)
    nowhere = long_lists.Refusals(tmp_path / "no" / "such.csv", None)
    for line in range(long_lists.TOLD + 2):
        row = Rejected(line, "phone", "is empty")
        many.write(row)
        nowhere.write(row)
        if line < long_lists.TOLD:
            few.write(row)
    for one in (few, many, nowhere):
        one.close()
    assert [path.name for path in tmp_path.iterdir()] == ["many.csv.refused.csv"]
    assert len((tmp_path / "many.csv.refused.csv").read_text().splitlines()) == 1 + long_lists.TOLD + 2
    assert (few.path, nowhere.path) == (None, None)
    told = capsys.readouterr().err
    assert told.count("can't be written") == 1 and "--rejected FILE names another place" in told


def test_how_far_a_long_list_is_and_how_fast_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_lists, "SIGN_OF_LIFE", 2 * PART)
    path = tmp_path / "list.csv"
    path.write_bytes(of_rows("2026-11-24").encode("gbk"))
    progress = long_lists.Progress(path)
    for rows in range(PART, ROWS + 1, PART):
        progress(discharges.Report(rows=rows, refused=rows // 100))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and lines[1].startswith("2,000 of about 2,501 rows were read, 20 of them refused; ")
