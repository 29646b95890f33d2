"""A long list taken over, as `hotline discharges import` does it: rows a second, and the most memory that it holds.

    python -m benchmarks.bench_take_over [--rows 1000000] [--json]

Half of it is written as GBK. Every row is a patient who is registered, an event and the tasks of the shipped plan; one
in a hundred can't be taken over. The peer copies the same cells into one plain table with psycopg's COPY, in a process
of its own like ours: the least that any import could cost. Without `--rows` it is four thousand; a million take well
under an hour. `--cut N` has it killed after that many rows first, and begun again.
"""

import argparse
import csv
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from benchmarks import table
from benchmarks.bench_import import BOGOTA, written
from benchmarks.table import Row
from hospital import discharge_lists, discharges, vault
from hospital.calendars import Calendar
from hospital.database import Database
from hospital.discharge_lists import Rules
from hospital.discharges import Report
from hospital.enrolment_records import CareEvent
from hospital.followups import FollowUpTask
from hospital.patients import Patient, Stay
from hotline import databases, postgres
from scripts.plan_files import load_plans
from scripts.questionnaire_files import load_questionnaires
from scripts.vocabulary import list_words
from tests.hospital_scene import library
from tests.site_key import SITE_KEY

ROWS = 4_000
SLOWEST = 100.0  # rows a second: a million in less than three hours
MOST_MB = 400.0  # a million rows: the program, their ids, and what is refused
TOLD_EVERY = 50_000
COLUMNS = ("event", "record", "name", "birth", "sex", "language", "phone", "discharged", "ward")
T = TypeVar("T")


def peak_mb() -> float:
    """The most memory that this process has held."""
    held = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(held.split()[1]) / 1024


def take_over(url: str, paths: Sequence[Path], now: datetime, cut: int = 0) -> tuple[float, float, int, int]:
    """Seconds, peak in MB, events that were new, rows that were refused. `cut`: after so many rows it ends like a
    process that is killed."""
    vault.unlock(SITE_KEY)
    plans = list(load_plans(load_questionnaires()[0])[0].values())
    began = time.perf_counter()
    new = refused = 0

    def progress(report: Report) -> None:
        if report.rows % TOLD_EVERY == 0:
            took = time.perf_counter() - began
            print(f"{report.rows:,} rows of this file, {took:,.0f} s, {peak_mb():,.0f} MB", file=sys.stderr, flush=True)
        if cut and report.rows >= cut:
            os._exit(9)

    with closing(Database(url)) as database:

        def run_in(verb: Callable[[Session], T]) -> T:
            with database.transaction() as session:
                return verb(session)

        for path in paths:
            rows = discharge_lists.read(path, _rules(now))
            report = discharges.take_over(rows, plans, now, Calendar(BOGOTA, "CN"), run_in, progress=progress)
            new, refused = new + report.new, refused + report.refused
    return time.perf_counter() - began, peak_mb(), new, refused


def copy(url: str, paths: Sequence[Path]) -> tuple[float, float]:
    """Seconds and peak in MB of COPY into a plain table, of the same cells."""
    began = time.perf_counter()
    with psycopg.connect(url.replace("+psycopg", "")) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE plain ({', '.join(f'{name} text' for name in COLUMNS)})")
        for path in paths:
            with path.open(encoding=path.stem, newline="") as source, cursor.copy("COPY plain FROM STDIN") as into:
                rows = csv.reader(source)
                next(rows)
                for row in rows:
                    into.write_row(row)
    return time.perf_counter() - began, peak_mb()


def _rules(now: datetime) -> Rules:
    return Rules(BOGOTA, "CN", "zh-CN", now, ("zh-CN",), list_words())


def rows(count: int, cut: int) -> list[Row]:
    folder = Path(tempfile.mkdtemp(prefix="bench-take-over-"))
    try:
        with postgres.running(postgres.Cluster(folder / "data", durable=False)) as cluster:
            databases.ensure_database(cluster, "lists")
            return list(_measured(folder, count, cluster.url("lists"), cut))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measured(folder: Path, count: int, url: str, cut: int) -> Iterator[Row]:
    now, paths = datetime.now(BOGOTA), [folder / "utf-8.csv", folder / "gbk.csv"]
    for path in paths:
        written(path, count // 2, now, path.stem)
    with closing(Database(url)) as database, database.transaction() as session:
        library(session)
    if cut:
        killed = multiprocessing.get_context("spawn").Process(target=take_over, args=(url, paths, now, cut))
        killed.start()
        killed.join()
    took, held, new, refused = _alone(partial(take_over, url, paths, now))
    copied, peers = _alone(partial(copy, url, paths))
    what, peer = f"{count:,} rows taken over", "COPY into one plain table"
    yield Row(what, peer, count / took, count / copied, "/s", limit=None if cut else SLOWEST)
    yield Row(f"{what}, the most memory held", peer, held, peers, "MB", limit=MOST_MB)
    with closing(Database(url)) as database, database.transaction() as session:
        events, patients, stays, tasks = (
            session.scalar(select(func.count()).select_from(kind)) or 0
            for kind in (CareEvent, Patient, Stay, FollowUpTask)
        )
    sound = count - count // 100
    lost = sum(abs(sound - found) for found in (events, patients, stays)) + abs(count // 100 - refused)
    lost += tasks % sound + (abs(sound - new) if not cut else 0)
    yield Row(f"{what}, lost or doubled", None, float(lost), None, "rows", limit=0.0)


def _alone(work: Callable[[], Any]) -> Any:
    """In a process of its own, so that its memory is nobody else's."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work)


def main() -> int:
    asked = argparse.ArgumentParser()
    asked.add_argument("--rows", type=int, default=ROWS)
    asked.add_argument("--cut", type=int, default=0)
    asked.add_argument("--json", action="store_true")
    told = asked.parse_args()
    vault.unlock(SITE_KEY)
    return table.show(rows(told.rows, told.cut))


if __name__ == "__main__":
    sys.exit(main())
