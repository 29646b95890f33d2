"""The triage table as a picture: where each box of the tree stands. The page draws it as SVG, from left to right."""

from dataclasses import dataclass

from scripts.triage import Department, Next, RedFlag, Triage

WIDE, HIGH, GAP = 190, 34, 60  # of a box, and between two columns
LETTERS = 27  # that a box holds


@dataclass(frozen=True)
class Box:
    """`kind`: step, flag or department. `whole` is what does not fit."""

    x: int
    y: int
    text: str
    whole: str
    kind: str


@dataclass(frozen=True)
class Way:
    """A row: the line from its step to what it leads to, with its key."""

    x1: int
    y1: int
    x2: int
    y2: int
    key: str


@dataclass(frozen=True)
class Tree:
    wide: int
    high: int
    boxes: tuple[Box, ...]
    ways: tuple[Way, ...]


def tree_of(table: Triage, language: str) -> Tree:
    """Every step stands under the first row that leads to it; the table has no loops."""
    boxes: list[Box] = []
    ways: list[Way] = []
    line = 0

    def place(step: str, depth: int) -> int:
        nonlocal line
        x, first = depth * (WIDE + GAP), line
        ends: list[tuple[int, str]] = []
        for row in table.steps[step].rows:
            match row.leads_to:
                case Next(to):
                    y = place(to, depth + 1)
                case RedFlag(code) | Department(code) as end:
                    y = line * (HIGH + 10)
                    said = row.complaint.get(language, "")
                    kind = "flag" if isinstance(row.leads_to, RedFlag) else "department"
                    how = f", {end.urgency}" if isinstance(end, Department) and end.urgency != "routine" else ""
                    boxes.append(_box(x + WIDE + GAP, y, code.replace("_", " ") + how, f"{code}{how}: {said}", kind))
                    line += 1
            ends.append((y, row.key))
        y = (ends[0][0] + ends[-1][0]) // 2 if ends else first * (HIGH + 10)
        question = table.steps[step].question.get(language, step)
        boxes.append(_box(x, y, question, question, "step"))
        ways.extend(Way(x + WIDE, y + HIGH // 2, x + WIDE + GAP, to + HIGH // 2, key) for to, key in ends)
        return y

    place(table.start, 0)
    wide = max(box.x for box in boxes) + WIDE
    return Tree(wide, max(box.y for box in boxes) + HIGH, tuple(boxes), tuple(ways))


def _box(x: int, y: int, text: str, whole: str, kind: str) -> Box:
    return Box(x, y, text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}…", whole, kind)
