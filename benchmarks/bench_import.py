"""A list of discharges of any length, as `hotline discharges` reads it: rows a second, and how much memory it takes.

    python -m benchmarks.bench_import [--rows 1000000] [--json]

Half of it is written as GBK. One row in a hundred can't be taken over. The peer of the reading is the csv module alone,
over the same file; of the memory, the size of the file. A million rows are looked through in some minutes; without
`--rows` it is fifty thousand. What taking them over costs measures `bench_take_over`.
"""

import argparse
import csv
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from benchmarks import table
from benchmarks.table import Row
from hospital import discharge_lists, discharges, vault
from hospital.database import Database
from hospital.discharge_lists import Rules
from hotline import databases, postgres
from scripts.vocabulary import list_words
from tests.site_key import SITE_KEY

ROWS = 50_000
LIMIT_MB = 250.0  # of half a million rows: their ids, twice
BOGOTA = ZoneInfo("America/Bogota")
HEADING = "编号,病历号,姓名,出生日期,性别,语言,电话,出院日期,科室\n"
T = TypeVar("T")


def written(path: Path, rows: int, now: datetime, encoding: str) -> None:
    """Everybody's name is Mei Chen, in her own signs; every hundredth has a number of no country."""
    at = f"{now - timedelta(days=2):%Y-%m-%d %H:%M}"
    with path.open("w", encoding=encoding, newline="") as sink:
        sink.write(HEADING)
        for n in range(rows):
            number = "12" if n % 100 == 99 else f"+8613{n:09d}"
            sink.write(f"{encoding}{n},{encoding}R{n},陈梅,1991-11-08,女,zh-CN,{number},{at},外科\n")


def alone(path: Path, encoding: str) -> float:
    """Seconds that the csv module takes."""
    began = time.perf_counter()
    with path.open(encoding=encoding, newline="") as source:
        for _ in csv.reader(source):
            pass
    return time.perf_counter() - began


def grown_mb(since: int) -> float:
    """By how much the most memory that this process ever held has grown."""
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - since) / 1024


def rows(count: int) -> list[Row]:
    folder = Path(tempfile.mkdtemp(prefix="bench-import-"))
    made = []
    try:
        with postgres.running(postgres.Cluster(folder / "data", durable=False)) as cluster:
            databases.ensure_database(cluster, "lists")
            with closing(Database(cluster.url("lists"))) as database:
                made = list(_measured(folder, count, database))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return made


def _measured(folder: Path, count: int, database: Database) -> Iterator[Row]:
    def run_in(verb: Callable[[Session], T]) -> T:
        with database.transaction() as session:
            return verb(session)

    now = datetime.now(BOGOTA)
    rules = Rules(BOGOTA, "CN", "zh-CN", now, ("zh-CN",), list_words())
    for encoding in ("utf-8", "gbk"):
        path, what = folder / f"{encoding}.csv", f"{encoding}: {count // 2:,} rows"
        written(path, count // 2, now, encoding)
        before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
        report = discharges.preview(discharge_lists.read(path, rules), run_in)  # type: ignore[arg-type]
        took = time.perf_counter() - began
        told = (report.rows, report.refused, report.new)
        wrong = told != (count // 2, count // 200, count // 2 - count // 200)
        yield Row(f"{what}, wrongly counted", None, float(wrong), None, "", limit=0.0)
        yield Row(f"{what} looked through", "the csv module alone", took, alone(path, encoding), "s")
        yield Row(
            f"{what}, memory taken", "the file", grown_mb(before), path.stat().st_size / 1e6, "MB", limit=LIMIT_MB
        )


def main() -> int:
    asked = argparse.ArgumentParser()
    asked.add_argument("--rows", type=int, default=ROWS)
    asked.add_argument("--json", action="store_true")
    vault.unlock(SITE_KEY)
    return table.show(rows(asked.parse_args().rows))


if __name__ == "__main__":
    sys.exit(main())
