"""Letters as PDF: the very words in each language, and odd names: a letter is made, or refused with a reason."""

import io
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pypdf import PdfReader

from hotline import system_packages
from messages import letter_paper
from messages.letter_paper import CannotBePrinted, printed
from scripts.letters import LETTERS, SUBJECT, Letter, compose
from scripts.wording import Wording
from tests.characters import JOAO, LUCIA, MEI, RUTH, WIREMU, Character
from tests.test_care_dialogues import words

__all__ = ["words"]

SENDER = ("Calle 1 # 2-34", "Bogotá")
ON = date(2026, 11, 23)
PEOPLE = [LUCIA, MEI, JOAO, RUTH, WIREMU]
DATES = {
    "es": "lunes, 23 de noviembre de 2026",
    "en": "Monday, 23 November 2026",
    "pt-BR": "segunda-feira, 23 de novembro de 2026",
    "zh-CN": "2026年11月23日星期一",
}
pytestmark = pytest.mark.covers("H25")


def letter(words: Wording, who: Character = LUCIA, name: str | None = None, address: str = "Calle 5\nBogotá") -> Letter:
    return compose(words, "questions", who.language, who.name if name is None else name, address, SENDER, ON)


def pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def squeezed(text: str) -> str:
    """Without what a line break makes of a text."""
    return re.sub(r"[\s\u200b]+", "", text)


@pytest.mark.parametrize("who", PEOPLE, ids=lambda who: who.language)
def test_the_very_words_are_on_the_page(words: Wording, who: Character) -> None:
    made = letter(words, who)
    (page,) = pages(printed([made]))
    expected = [words.message(key, who.language, name=who.name) for key in (SUBJECT, *LETTERS["questions"])]
    for said in (*expected, who.name, "Calle 5", *SENDER, words.site.hospital, words.site.number, made.date):
        assert squeezed(said) in squeezed(page), said
    assert squeezed(page).endswith(squeezed(words.site.hospital)), "the last line, too, is in a font that has its signs"
    assert who.name in expected[1] and words.site.number in expected[2]
    if who.language in DATES:
        assert made.date == DATES[who.language]


def test_several_are_one_pdf_in_their_order(words: Wording) -> None:
    found = pages(printed([letter(words, who) for who in PEOPLE], "letter"))
    assert [squeezed(who.name) in squeezed(page) for who, page in zip(PEOPLE, found, strict=True)] == [True] * 5


MM = 25.4 / 72


@pytest.mark.parametrize(
    ("paper", "folds"), [("A4", [105.0, 148.5, 210.0]), ("letter", [93.1, 186.3])], ids=["A4", "letter"]
)
def test_the_address_is_in_the_window_and_marks_say_where_to_fold(
    words: Wording, paper: str, folds: list[float]
) -> None:
    address = "\n".join(f"line {n}" for n in range(2, 8))
    (page,) = PdfReader(io.BytesIO(printed([letter(words, address=address)], paper))).pages
    height = float(page.mediabox.height)
    drawn = re.findall(r"([\d.]+) ([\d.]+) m ([\d.]+) ([\d.]+) l S", page.get_contents().get_data().decode("latin-1"))
    assert sorted(round((height - float(y)) * MM, 1) for _, y, _, _ in drawn) == folds
    assert all(4 < float(x) * MM < float(end) * MM < 12 for x, _, end, _ in drawn), "in the margin, and off the edge"
    stands: dict[str, tuple[float, float]] = {}

    def seen(text: str, cm: list[float], tm: list[float], font: object, size: float) -> None:
        if text.strip():
            stands.setdefault(text.strip(), (tm[4] * MM, (height - tm[5]) * MM))

    page.extract_text(visitor_text=seen)
    for line in (LUCIA.name, "line 2", "line 7"):
        across, down = next(place for text, place in stands.items() if line in text)
        assert 20 < across < 105 and 45 < down < 90, (line, across, down)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<b>Ana</b> <script>x</script> **x** __y__", "Ana"),
        ("A" * 500, "A" * 80),
        ("Ana María " * 50, "Ana María Ana María"),
        ("محمد علي", None),
        ("שרה כהן", None),
        ("Ana \u202e\u0000\ud83d", "Ana"),
        ("Ngāti Tūwharetoa Ōtāne", "Ngāti Tūwharetoa Ōtāne"),
        ("司马相如", "司马相如"),
        ("Ana 😀", "Ana"),
    ],
    ids=["markup", "500 letters", "500 in words", "Arabic", "Hebrew", "control", "macrons", "Chinese", "a face"],
)
def test_odd_names_are_printed_as_text(words: Wording, name: str, shown: str | None) -> None:
    made = letter(words, RUTH, name)
    (page,) = pages(printed([made]))
    assert "script" not in page or "<" not in page
    assert "**" in page or "**" not in name, "no markup is read"
    if shown is not None:
        assert squeezed(shown) in squeezed(page)


@pytest.mark.parametrize("name", ["Ana 🦄", "अनीता", "สมชาย"], ids=["a unicorn", "Devanagari", "Thai"])
def test_a_sign_that_no_font_has_is_refused(words: Wording, name: str) -> None:
    with pytest.raises(CannotBePrinted, match="letter_no_font") as refused:
        printed([letter(words), letter(words, RUTH, name)])
    assert name not in str(refused.value)


def test_chinese_is_refused_where_its_font_is_missing(
    words: Wording, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(letter_paper, "CHINESE", tmp_path / "none.ttf")
    letter_paper._signs.cache_clear()
    try:
        with pytest.raises(CannotBePrinted, match="letter_no_font"):
            printed([letter(words, MEI)])
        assert printed([letter(words, WIREMU)])
    finally:
        letter_paper._signs.cache_clear()


@pytest.mark.parametrize("address", ["Calle 5\n" * 9, "Calle " * 200, "A" * 600], ids=["lines", "words", "one word"])
def test_an_address_that_no_window_holds_is_refused(words: Wording, address: str) -> None:
    with pytest.raises(CannotBePrinted, match="letter_address_too_long"):
        printed([letter(words, address=address)])


def test_a_text_that_is_longer_than_its_page_is_refused(words: Wording) -> None:
    with pytest.raises(CannotBePrinted, match="letter_too_long"):
        printed([replace(letter(words), paragraphs=("word " * 2000,))])


def test_a_telephone_number_stays_on_one_line(words: Wording) -> None:
    wherever = tuple("x " * count + "+57 601 555 0100" for count in range(24, 36, 2))
    (page,) = pages(printed([replace(letter(words), paragraphs=wherever)]))
    assert page.count("+57 601 555 0100") == len(wherever)


def test_the_fonts_are_installed_with_the_hotline() -> None:
    fonts = {str(letter_paper.LATIN), str(letter_paper.CHINESE)}
    assert fonts <= system_packages.NEEDED.keys()
    assert all(Path(font).exists() for font in fonts)


def test_a_letter_says_its_own_in_no_log(words: Wording) -> None:
    assert LUCIA.name not in repr(letter(words)) and "Calle 5" not in repr(letter(words))
