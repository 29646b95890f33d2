"""What every benchmark prints: name · ours · peer · ratio · limit, as text or, with --json, for a machine.

    sys.exit(table.show([Row("AGI commands", "a raw asyncio loop", ours, peer, "/s", at_least=0.4)]))

A limit is about the ratio to a peer measured in the same run, or absolute where it says so. A peer of None is a
row that has only a limit.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """`ours` and `theirs` are in `unit`: "/s" (more is better), "ms", "s" or "%" (less is better)."""

    name: str
    peer: str | None
    ours: float
    theirs: float | None
    unit: str
    at_least: float | None = None  # of the ratio
    at_most: float | None = None  # of the ratio
    limit: float | None = None  # of ours, absolute, in `unit`: a least for "/s", a most for a time

    @property
    def ratio(self) -> float | None:
        return None if not self.theirs else self.ours / self.theirs

    @property
    def kept(self) -> bool:
        if self.ratio is not None:
            if self.at_least is not None and self.ratio < self.at_least:
                return False
            if self.at_most is not None and self.ratio > self.at_most:
                return False
        if self.limit is None:
            return True
        return self.ours >= self.limit if self.unit == "/s" else self.ours <= self.limit

    @property
    def limits(self) -> str:
        told = []
        if self.at_least is not None:
            told.append(f"ratio ≥ {self.at_least:g}")
        if self.at_most is not None:
            told.append(f"ratio ≤ {self.at_most:g}")
        if self.limit is not None:
            told.append(f"{'≥' if self.unit == '/s' else '≤'} {_figure(self.limit, self.unit)}")
        return " and ".join(told) or "–"

    def __str__(self) -> str:
        theirs = "–" if self.theirs is None else f"{_figure(self.theirs, self.unit)} {self.peer}"
        ratio = "–" if self.ratio is None else f"{self.ratio:.2f}"
        missed = "" if self.kept else " · MISSED"
        return f"{self.name} · {_figure(self.ours, self.unit)} · {theirs} · {ratio} · {self.limits}{missed}"

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "ours": self.ours,
            "peer": self.peer,
            "theirs": self.theirs,
            "unit": self.unit,
            "ratio": self.ratio,
            "limit": self.limits,
            "kept": self.kept,
        }


def show(rows: Iterable[Row], arguments: Sequence[str] | None = None) -> int:
    """Prints the rows, each as soon as it is known; the exit status: 1 if a limit was missed."""
    as_json = "--json" in (sys.argv[1:] if arguments is None else arguments)
    if not as_json:
        print("name · ours · peer · ratio · limit", flush=True)
    known = []
    for row in rows:
        known.append(row)
        if not as_json:
            print(row, flush=True)
    if as_json:
        print(json.dumps([row.as_json() for row in known], ensure_ascii=False, indent=1))
    return int(not all(row.kept for row in known))


def _figure(value: float, unit: str) -> str:
    return f"{value:,.0f}/s" if unit == "/s" else f"{value:,.2f} {unit}"
