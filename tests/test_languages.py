"""`hotline languages`: whatever one language lacks is told, and fails."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hotline import commands, demo_clinics
from hotline.languages import Row, check, table
from scripts import wording
from scripts.languages import zh_CN
from scripts.questionnaire_files import HERE as QUESTIONNAIRES
from web import words as console


def missing(rows: list[Row]) -> dict[str, list[str]]:
    return {row.tag: row.missing for row in rows if row.missing}


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """A copy of the shipped folders, to be spoilt."""
    return Path(shutil.copytree(wording.HERE, tmp_path / "languages"))


@pytest.fixture
def questionnaires(tmp_path: Path) -> Path:
    return Path(shutil.copytree(QUESTIONNAIRES, tmp_path / "questionnaires"))


def without(path: Path, beginning: str) -> None:
    """The file without the one line that begins so."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.strip().startswith(beginning)]
    assert len(kept) == len(lines) - 1
    path.write_text("".join(kept), encoding="utf-8")


@pytest.mark.covers("H11")
def test_nothing_is_missing_in_any_language(capsys: pytest.CaptureFixture[str]) -> None:
    assert missing(check()) == {}
    assert commands.main(["languages"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].split() == [
        "language",
        "spoken",
        "prompts",
        "messages",
        "words",
        "departments",
        "questionnaires",
        "places",
        "reviewed",
        "by",
    ]
    assert {line.split("(")[1].split(")")[0] for line in told[1:6]} == {"en", "es", "pt-BR", "zh-CN", "mi"}
    assert told[-1] == "Nothing is missing."


@pytest.mark.parametrize("folder", ["pt_BR", "zh_CN", "es", "mi"])
def test_a_prompt_that_is_removed(prompts: Path, folder: str) -> None:
    without(prompts / folder / "prompts/booking.yaml", "booking_not_made:")
    found = missing(check(prompts))
    assert list(found) == [folder.replace("_", "-")]
    assert "booking_not_made" in found[folder.replace("_", "-")][0]


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [
        (lambda p: without(p / "mi/prompts/welcome.yaml", "short: Whakarite"), "main_menu.short: form is missing"),
        (lambda p: without(p / "mi/prompts/booking.yaml", "choice:"), "form 'choice' is missing"),
        (lambda p: without(p / "mi/messages.yaml", "callback_registered:"), "'callback_registered' is missing"),
        (
            lambda p: (p / "mi/prompts/callback.yaml").write_text(
                (p / "mi/prompts/callback.yaml").read_text().replace("waea atu ki {number}.", "waea atu.")
            ),
            "placeholder {number} is missing",
        ),
        (lambda p: shutil.rmtree(p / "mi"), "scripts/languages/mi/ is missing"),
    ],
    ids=["form", "row of a list", "message", "placeholder", "everything"],
)
def test_whatever_a_language_lacks(prompts: Path, spoilt: Callable[[Path], None], told: str) -> None:
    spoilt(prompts)
    rows = check(prompts)
    assert list(missing(rows)) == ["mi"]
    assert any(told in what for what in missing(rows)["mi"])
    assert any(line.startswith("mi: ") and told in line for line in table(rows).splitlines())


def test_a_function_that_says_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(zh_CN, "ordinal")
    assert missing(check()) == {"zh-CN": ["scripts/languages/zh_CN/__init__.py has no ordinal"]}


def test_the_name_of_a_department_and_of_a_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_clinics, "DEPARTMENTS", (("cardiology", {"en": "cardiology", "es": "cardiología"}),))
    monkeypatch.delitem(console.LANGUAGES, "mi")
    found = missing(check())
    assert set(found) == {"pt-BR", "zh-CN", "mi"}
    assert found["mi"] == [
        "department 'cardiology' has no name (hotline/demo_clinics.py)",
        "no name in web/words/saying.py",
    ]


def test_the_words_of_a_questionnaire(questionnaires: Path) -> None:
    without(questionnaires / "discharge_day3.yaml", "pt-BR: Três dias após a alta")
    assert missing(check(questionnaires=questionnaires)) == {
        "pt-BR": ["questionnaire 'discharge-day3': no words for 'Three days after discharge'"]
    }


def test_a_language_that_was_refused_is_told_with_its_line(prompts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = prompts / "es/language.yaml"
    path.write_text(path.read_text().replace("spoken: true", "spoken: perhaps"))
    found = missing(check(prompts))
    assert list(found) == ["es"]
    assert "true or false is expected" in found["es"][0]


def test_something_missing_is_the_exit_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(zh_CN, "ordinal")
    assert commands.main(["languages"]) == 1


def test_who_has_reviewed_a_language(prompts: Path) -> None:
    path = prompts / "mi/prompts/house.yaml"
    path.write_text(path.read_text().replace("reviewed_by: null", "reviewed_by: Hana Rangi"))
    (maori,) = [row for row in check(prompts) if row.tag == "mi"]
    assert maori.reviewers == f"Hana Rangi (1 of {len(maori.reviewed)} files)"
    for path in (prompts / "mi").rglob("*.yaml"):
        path.write_text(path.read_text().replace("reviewed_by: null", "reviewed_by: Hana Rangi"))
    (maori,) = [row for row in check(prompts) if row.tag == "mi"]
    assert maori.reviewers == "Hana Rangi"
