"""What a command that reads a list of any length tells meanwhile: how far it is, and every row that it refuses."""

import csv
import errno
import hashlib
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from sqlalchemy.exc import DBAPIError

from hospital.csv_files import ListRefused, Rejected

TOLD = 20  # refused rows that are printed
SIGN_OF_LIFE = 10_000  # rows
NO_DATABASE = "the database does not answer. Start the hotline first (`hotline up --detach`)."
INTERRUPTED = "it was interrupted."
AGAIN = " What was taken over stays; take the same list over again, and it goes on there."


class Counted(Protocol):
    rows: int
    refused: int


class NotDone(Exception):
    """Nothing, or nothing more, can be done; the text says what to do."""


def to_its_end(read: Callable[[], None]) -> str | None:
    """Reads the list; why that ended before the last row, if it did."""
    try:
        read()
    except (ListRefused, LookupError, NotDone) as refused:
        return str(refused)
    except DBAPIError:
        return NO_DATABASE
    except KeyboardInterrupt:
        return INTERRUPTED
    return None


class Refusals:
    """Every refused row, in a file as it is met: where it was asked for, or beside the list as soon as there are more
    than are printed. Says nothing of what stood in the row."""

    def __init__(self, listed: Path, asked: Path | None) -> None:
        """Raises OSError where the file that was asked for can't be written."""
        self.path: Path | None = None  # where they are, once there is such a file
        self._beside = listed.with_name(f"{listed.name}.refused.csv")
        self._few: list[Rejected] | None = []
        self._files = ExitStack()
        if asked is not None:
            if asked.exists() and listed.exists() and asked.samefile(listed):
                raise OSError(errno.EEXIST, "it is the list itself", str(asked))
            self._open(asked)

    def write(self, row: Rejected) -> None:
        if self.path is not None:
            self._rows([row])
        elif self._few is not None:
            self._few.append(row)
            if len(self._few) > TOLD:
                self._open_beside()

    def _open_beside(self) -> None:
        try:
            self._open(self._beside)
        except OSError as problem:  # the folder may be read only: the list is taken over all the same
            self._few = None
            told = f"{self._beside} can't be written: {problem.strerror}. --rejected FILE names another place."
            print(told, file=sys.stderr)

    def _open(self, path: Path) -> None:
        sink = self._files.enter_context(open(path, "w", encoding="utf-8", newline=""))  # noqa: SIM115 - by close
        self.path, self._writer = path, csv.writer(sink)
        self._writer.writerow(["line", "column", "why"])
        self._rows(self._few or [])

    def _rows(self, rows: list[Rejected]) -> None:
        self._writer.writerows([row.line, row.column, row.why] for row in rows)

    def close(self) -> None:
        self._files.close()


class Progress:
    """A line each ten thousand rows: how many of about how many, and how many a second."""

    def __init__(self, path: Path) -> None:
        self._path, self._began, self._lines = path, time.monotonic(), 0

    def __call__(self, report: Counted) -> None:
        if report.rows % SIGN_OF_LIFE:
            return
        self._lines = self._lines or _lines(self._path)
        rate = report.rows / max(time.monotonic() - self._began, 0.001)
        read = f"{report.rows:,} of about {self._lines:,} rows were read, {report.refused:,} of them refused"
        print(f"{read}; {rate:,.0f} a second …", file=sys.stderr, flush=True)


def _lines(path: Path) -> int:
    """About how many rows the list has: those that hold line breaks are fewer."""
    with open(path, "rb") as source:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: source.read(1 << 20), b""))


def digest_of(path: Path) -> str:
    """By which a list is known in the audit chain."""
    with open(path, "rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
