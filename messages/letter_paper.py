"""Letters on paper: one page each, as one PDF in memory. Nothing is written to a disk.

Rules: a letter is printed whole or not at all. A sign that no font here has, an address that its window can't hold, a
text that is longer than its page: each is refused with a code, before anybody waits for it. Names are text and nothing
else: no markup is read. The address stands where the window of an envelope is (DIN 5008 B; on Letter paper the same,
from the top, which is in the window of a no. 10 when it is folded in three). Marks at the edge say where to fold, and
on A4 where to punch.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast

from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import MethodReturnValue, XPos, YPos

from scripts.letters import Letter

FONTS = Path("/usr/share/fonts/truetype")
LATIN, LATIN_BOLD = FONTS / "dejavu/DejaVuSans.ttf", FONTS / "dejavu/DejaVuSans-Bold.ttf"
CHINESE = FONTS / "droid/DroidSansFallbackFull.ttf"

# millimetres and points
LEFT, RIGHT, TOP, BOTTOM = 25.0, 20.0, 18.0, 20.0
WINDOW_TOP, WINDOW_WIDTH, WINDOW_LINES, WINDOW_LINE = 50.0, 80.0, 7, 5.2  # the window: 45 to 90 from the top
FOLDS = {"A4": (105.0, 210.0), "letter": (279.4 / 3, 2 * 279.4 / 3)}
PUNCH = {"A4": 148.5}
MARK, MARK_LENGTH, PUNCH_LENGTH = 5.0, 4.0, 6.0  # from the edge: printers leave some of it white
BODY_TOP = 100.0
LINE = 5.6
SMALL, TEXT, LARGE = 8, 11.5, 14

# between two signs of Chinese a line may break, but not before what closes
_BETWEEN = re.compile(
    r"(?<=[\u2e80-\u9fff\u3000-\u303f\uff00-\uffef])(?=[\u2e80-\u9fff（《“「])(?![，。：；！？、）》”」])"
)


class CannotBePrinted(ValueError):
    """`code`: letter_no_font, letter_address_too_long or letter_too_long. Says nothing of the person."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class _Signs:
    latin: frozenset[int]
    chinese: frozenset[int]


@lru_cache(maxsize=1)
def _signs() -> _Signs:
    """The signs of the fonts that are installed here."""
    return _Signs(_of(LATIN), _of(CHINESE))


def _of(font: Path) -> frozenset[int]:
    if not font.exists():
        return frozenset()
    with TTFont(font, lazy=True) as opened:
        return frozenset(opened.getBestCmap())


def printed(letters: Sequence[Letter], paper: str = "A4") -> bytes:
    """A PDF with a page for each, in their order. Raises CannotBePrinted for the first that can't be."""
    signs = _signs()
    wanted = {ord(sign) for letter in letters for text in _all(letter) for sign in text if not sign.isspace()}
    if not wanted <= signs.latin | signs.chinese or not signs.latin:
        raise CannotBePrinted("letter_no_font")
    pdf = FPDF(format=paper)
    pdf.set_auto_page_break(False)
    pdf.set_margins(LEFT, TOP, RIGHT)
    pdf.add_font("latin", "", LATIN)
    pdf.add_font("latin", "B", LATIN_BOLD)
    if not wanted <= signs.latin:  # a large font: loaded for who needs it
        pdf.add_font("chinese", "", CHINESE)
        pdf.set_fallback_fonts(["chinese"], exact_match=False)
    for letter in letters:
        _page(pdf, letter)
        _marks(pdf, paper)
    return bytes(pdf.output())


def _all(letter: Letter) -> Iterable[str]:
    return (*letter.sender, *letter.to, letter.date, letter.subject, *letter.paragraphs, letter.telephone)


def _page(pdf: FPDF, letter: Letter) -> None:
    pdf.add_page()
    _at(pdf, TOP, LARGE, "B")
    _lines(pdf, letter.sender[:1], 0, LINE + 1)
    pdf.set_font("latin", "", SMALL + 1)
    _lines(pdf, (*letter.sender[1:], letter.telephone), 0, LINE - 1)
    if pdf.get_y() > WINDOW_TOP - 4:
        raise CannotBePrinted("letter_too_long")
    _at(pdf, WINDOW_TOP - 4, SMALL - 1)
    _lines(pdf, (" · ".join(letter.sender),), WINDOW_WIDTH, LINE - 2, most=1)
    _at(pdf, WINDOW_TOP + 2, TEXT)
    if _lines(pdf, letter.to, WINDOW_WIDTH, WINDOW_LINE) > WINDOW_LINES:
        raise CannotBePrinted("letter_address_too_long")
    _at(pdf, BODY_TOP, TEXT)
    _lines(pdf, (letter.date,), 0, LINE)
    pdf.ln(LINE)
    pdf.set_font("latin", "B", TEXT)
    _lines(pdf, (letter.subject,), 0, LINE)
    pdf.set_font("latin", "", TEXT)
    for paragraph in letter.paragraphs:
        pdf.ln(LINE * 0.7)
        _lines(pdf, (paragraph,), 0, LINE)
    _lines(pdf, letter.sender[:1], 0, LINE)
    if pdf.get_y() > pdf.h - BOTTOM:
        raise CannotBePrinted("letter_too_long")


def _marks(pdf: FPDF, paper: str) -> None:
    pdf.set_draw_color(120)
    pdf.set_line_width(0.2)
    for top in FOLDS[paper]:
        pdf.line(MARK, top, MARK + MARK_LENGTH, top)
    if paper in PUNCH:
        pdf.line(MARK, PUNCH[paper], MARK + PUNCH_LENGTH, PUNCH[paper])


def _at(pdf: FPDF, top: float, points: float, style: str = "") -> None:
    pdf.set_xy(LEFT, top)
    pdf.set_font("latin", style, points)


def _lines(pdf: FPDF, texts: Sequence[str], width: float, height: float, most: int | None = None) -> int:
    """Writes each from the left margin on, as wide as the page (0) or `width`; how many lines that were. With `most`
    what is beyond is left out."""
    count = 0
    for text in texts:
        right_to_left = any(unicodedata.bidirectional(sign) in ("R", "AL") for sign in text)
        pdf.set_text_shaping(right_to_left, direction="ltr" if right_to_left else None)
        split = pdf.multi_cell(width, height, _breakable(text), align="L", dry_run=True, output=MethodReturnValue.LINES)
        pieces = cast(list[str], split)
        for piece in pieces[:most]:
            pdf.set_x(LEFT)
            with pdf.local_context():  # names its font anew: after a line that begins in Chinese it would not
                pdf.cell(width, height, piece, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
            count += 1
    return count


def _breakable(text: str) -> str:
    """With the places where a line may break; inside a telephone number there are none."""
    return _BETWEEN.sub("\u200b", re.sub(r"(?<=[\d+]) (?=\d)", "\u00a0", text))
