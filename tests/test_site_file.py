"""The site's own sentences: checked with their lines, said like all others, and written without what they are for."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hotline import wiring
from hotline.in_force import DEMO_INFORMATION
from hotline.settings_file import DEMO, build
from scripts import wording
from scripts.wording import Site
from tests.moments import NOON

SITE = Site("San Rafael", "112", "600", ZoneInfo("America/Bogota"), "CO")
GOOD = DEMO_INFORMATION


def loaded(tmp_path: Path, text: str) -> wording.Wording:
    path = tmp_path / "hospital.yaml"
    path.write_text(text, encoding="utf-8")
    return wording.load(SITE, information=path)


@pytest.mark.covers("H41", "H58", "H11")
def test_the_demos_file_is_whole_in_every_language() -> None:
    words = wiring.words(build(DEMO))
    assert words.refused == ()
    for key in words.site_says:
        for tag in words.languages:
            assert words.languages[tag].prompts[key]["text"] == words.text(key, tag), (key, tag)
    assert {"opening_hours", "directions", "documents"} < words.site_says


@pytest.mark.covers("H4", "H41", "I7")
def test_a_message_says_how_to_prepare_and_not_for_what() -> None:
    words = wording.load(SITE, information=GOOD)
    written = words.message("prepare_fasting", "en", date=NOON, time=NOON)
    assert written.startswith("San Rafael, Wednesday, 25 November 2026, 1:00")
    assert written.endswith("Please eat nothing in the eight hours before, and drink only water. "
                            "Take your medicines as usual.")  # fmt: skip
    assert words.message("address", "es").startswith("San Rafael: Parque San Rafael 1")
    for tag in words.languages:
        for key in (key for key in words.site_says if key.startswith("prepare_")):
            assert "{" not in words.message(key, tag, date=NOON, time=NOON)


ALL = "en: A, es: B, pt-BR: C, zh-CN: D"


@pytest.mark.covers("H41")
@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("says:\n  opening_hours: {en: Open, es: Abierto, pt-BR: Aberto}", 2, "'zh-CN' is missing"),
        (f"says:\n  opening_hours: {{{ALL}, fr: E}}", 2, "'fr' is not known here"),
        (f"says:\n  parking: {{{ALL}}}", 2, "'parking' is not known here"),
        (f"prices:\n  xray: {{{ALL}}}", 1, "'prices' is not known here"),
        (f"prepare:\n  fasting: {{{ALL}}}\n  No metal: {{{ALL}}}", 3, "is no code"),
        ("prepare:\n  fasting:\n    en: ''\n    es: B\n    pt-BR: C\n    zh-CN: D", 3, "empty text"),
        ("prepare:\n  fasting:\n    en: For {department}\n    es: B\n    pt-BR: C\n    zh-CN: D", 3, "braces"),
        ("says:\n  documents:\n    en: A {hospital\n    es: B\n    pt-BR: C\n    zh-CN: D", 3, "braces"),
        (f"says:\n  documents: {{{ALL.replace('A', 'a' * 601)}}}", 2, "601 letters"),
        (f"says:\n  directions: {{{ALL}}}", 2, "need an 'address'"),
        ("says: [a, b]", 1, "a mapping"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_the_rest_of_the_house_speaks(
    tmp_path: Path, text: str, line: int, what: str
) -> None:
    words = loaded(tmp_path, text)
    assert any(problem.line == line and what in problem.what for problem in words.refused), words.refused
    assert words.site_says == frozenset()
    assert words.text("goodbye", "es")


def test_a_site_may_have_few_sentences_or_none(tmp_path: Path) -> None:
    assert loaded(tmp_path, f"prepare:\n  fasting: {{{ALL}}}").site_says == {"prepare_fasting"}
    assert wording.load(SITE).site_says == frozenset()
    assert "cannot be read" in str(wording.load(SITE, information=tmp_path / "none.yaml").refused[0])


def test_a_language_that_is_not_spoken_is_written_in_english(tmp_path: Path) -> None:
    words = loaded(tmp_path, f"prepare:\n  fasting: {{{ALL}}}")
    assert words.message("prepare_fasting", "mi", date=NOON, time=NOON).endswith(": A")
    assert words.sentence("prepare_fasting", "mi", {}).language == "en"
