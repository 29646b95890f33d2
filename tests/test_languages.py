"""`hotline languages`: whatever one language lacks is told, and fails."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from hotline import commands, demo_clinics
from hotline.languages import Row, check, table
from scripts import wording
from scripts.languages import mi, zh_CN
from scripts.plan_files import HERE as PLANS
from scripts.questionnaire_files import HERE as QUESTIONNAIRES
from scripts.triage import HERE as TRIAGE
from tests.test_command_line import hotline
from tests.transcripts import PROMPTS


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
        "plans",
        "site",
        "voice",
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
    monkeypatch.delattr(mi, "NAME")
    found = missing(check())
    assert set(found) == {"pt-BR", "zh-CN", "mi"}
    assert found["mi"] == [
        "scripts/languages/mi/__init__.py has no NAME",
        "department 'cardiology' has no name (scripts/languages/mi/library.yaml)",
    ]


def test_the_words_of_a_questionnaire(questionnaires: Path) -> None:
    without(questionnaires / "discharge_day3.yaml", "pt-BR: Três dias após a alta")
    assert missing(check(questionnaires=questionnaires)) == {
        "pt-BR": ["questionnaire 'discharge-day3': no words for 'Three days after discharge'"]
    }


@pytest.mark.covers("H11")
def test_a_language_that_nobody_speaks_needs_every_questionnaire(questionnaires: Path) -> None:
    """One sentence of it, or all of it."""
    without(questionnaires / "diabetes.yaml", "mi: Nōnāhea i inea ai?")
    assert missing(check(questionnaires=questionnaires)) == {
        "mi": ["questionnaire 'diabetes': no words for 'When was it measured?'"]
    }
    path = questionnaires / "flu_season.yaml"
    path.write_text(re.sub(r", mi: [^,}]+}|\n +mi: .*", lambda gone: "}" * gone[0].endswith("}"), path.read_text()))
    found = missing(check(questionnaires=questionnaires))
    assert list(found) == ["mi"]
    assert "questionnaire 'flu-season': no words for 'Flu season'" in found["mi"]
    assert found["mi"][-1] == "questionnaire 'flu-season': not in reviewed_by"


@pytest.mark.covers("H9", "H11")
def test_what_is_written_beside_it_is_needed_in_each_language(tmp_path: Path, prompts: Path) -> None:
    plans = Path(shutil.copytree(PLANS, tmp_path / "plans"))
    path = plans / "newborn.yaml"
    path.write_text(path.read_text().replace(", mi: Pēpi hou}", "}"))
    triage = Path(shutil.copy(TRIAGE, tmp_path / "triage.yaml"))
    without(triage, "mi: He pēhea te āhua?")
    without(prompts / "mi/vocabulary.yaml", "ward:")
    found = missing(check(prompts, plans=plans, triage=triage))
    assert list(found) == ["mi"]
    heading, plan, question = found["mi"]
    assert heading == "scripts/languages/mi/vocabulary.yaml has no heading for 'ward'"
    assert plan == "plan 'newborn': no words for 'Newborn'"
    assert "triage.yaml:" in question and "is not said in mi" in question


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


# ── One folder more ─────────────────────────────────────────────────────────────────────────────────────────────────

ROOT = Path(__file__).parent.parent
NEW = "qaa"  # ISO 639 leaves it free for whoever needs one
ITS_KEY = {
    "Para español, marque 2.": "En qaa, marque 6.",
    "short: Español, 2.": "short: Qaa, 6.",
    "marque la tecla 2 de": "marque la tecla 6 de",
    '"2": [español, en español, Spanish, espanhol, 西班牙语]': '"6": [qaa]',
}


ITS_ALARMS = "alarms:\n  chest pain: [qdolor … qpecho]\n  denied: [qno]\n"


def spanish(content: object) -> Iterator[tuple[str, str]]:
    """English and Spanish, wherever a file has both."""
    if isinstance(content, dict):
        if isinstance(content.get("en"), str) and isinstance(content.get("es"), str):
            yield " ".join(content["en"].split()), content["es"]
        content = list(content.values())
    if isinstance(content, list):
        for part in content:
            yield from spanish(part)


@pytest.fixture(scope="module")
def with_one_more(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our source and one folder more: Spanish, under the name of a language that nobody has."""
    tree = tmp_path_factory.mktemp("tree")
    for path in ROOT.iterdir():
        if path.name not in ("scripts", "tests") and not path.name.startswith("."):
            (tree / path.name).symlink_to(path)
    for name in ("scripts", "tests"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "captures"))
    languages = tree / "scripts/languages"
    folder = Path(shutil.copytree(languages / "es", languages / NEW))
    changed = {"language.yaml": {"language: es": f"language: {NEW}", "name: Español": "name: Qaa", '"2"': '"6"'}}
    for name, changes in {**changed, "prompts/welcome.yaml": ITS_KEY, "__init__.py": {'"Spanish"': '"Qaa"'}}.items():
        text = (folder / name).read_text()
        for before, after in changes.items():
            assert before in text
            text = text.replace(before, after)
        (folder / name).write_text(text)
    with (folder / "__init__.py").open("a") as module:
        module.write('\nESPEAK = ("es-419", "es_dict")\n')
    words = folder / "vocabulary.yaml"
    words.write_text(words.read_text().replace("name: [nombre]", "name: [qnombre]") + ITS_ALARMS)
    files = [yaml.safe_load(path.read_text()) for path in sorted((tree / "scripts").rglob("*.yaml"))]
    library = dict(
        spanish([files, [names for _, names, *_ in (*demo_clinics.DEPARTMENTS, *demo_clinics.EXAMINATIONS)]])
    )
    (folder / "library.yaml").write_text(yaml.safe_dump({"reviewed_by": None, "library": library}, allow_unicode=True))
    return tree


def transcript(golden: Path) -> tuple[str, str, str]:
    """Until the language is chosen, all that follows, the names of the prompts."""
    begun, _, rest = (golden / "books_a_blood_test.txt").read_text(encoding="utf-8").partition("caller: ")
    said, _, names = rest.partition(PROMPTS)
    return begun, said.partition("\n")[2], PROMPTS + names


@pytest.mark.covers("H11")
def test_a_language_is_one_folder(with_one_more: Path, tmp_path: Path) -> None:
    """It is whole, offered at the welcome, and a call is held in it; nothing else has been changed."""
    whole = hotline("languages", folder=tmp_path, PYTHONPATH=str(with_one_more))
    assert (whole.returncode, whole.stdout.splitlines()[-1]) == (0, "Nothing is missing."), whole.stdout + whole.stderr
    assert f"Qaa ({NEW})" in whole.stdout
    scene = ("-k", f"golden_one and {NEW} and books_a_blood_test")
    play = [sys.executable, "-m", "pytest", "-n0", "-p", "no:cacheprovider", "tests/test_dialogues.py", *scene]
    environment = {**os.environ, "HOTLINE_GOLDEN": "write", "PYTHONPATH": str(with_one_more)}
    played = subprocess.run(play, cwd=with_one_more, env=environment, capture_output=True, text=True, check=False)
    assert played.returncode == 0, played.stdout + played.stderr
    begun, said, names = transcript(with_one_more / "tests/golden" / NEW)
    assert "hotline: En qaa, marque 6." in begun
    assert said == transcript(ROOT / "tests/golden/es")[1]
    assert f"{PROMPTS}{NEW}: " in names


@pytest.mark.covers("H11", "H20", "H33")
def test_its_lists_and_alarms_are_understood(with_one_more: Path) -> None:
    asked = (
        "from scripts.vocabulary import alarms, list_words\n"
        "from speech.ears.red_flags import written\n"
        "print(list_words().columns['name'])\n"
        "print([written(said, alarms()) for said in ('Qdolor en el qpecho', 'qno qdolor qpecho')])\n"
    )
    run = [sys.executable, "-c", asked]
    environment = {**os.environ, "PYTHONPATH": str(with_one_more)}
    told = subprocess.run(run, cwd=with_one_more, env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.splitlines() == ["('name', 'nombre', 'nome', '姓名', 'ingoa', 'qnombre')", "[True, False]"]


def test_a_language_without_a_voice_or_words_is_told_what_it_lacks(with_one_more: Path, tmp_path: Path) -> None:
    folder = with_one_more / "scripts/languages" / NEW
    module = folder / "__init__.py"
    module.write_text(module.read_text().replace("ESPEAK = ", "ANOTHER = "))
    without(folder / "vocabulary.yaml", "alarms:")
    for row in ("chest pain:", "denied:"):
        without(folder / "vocabulary.yaml", row)
    for english in ("cardiology:", "a child:"):
        without(folder / "library.yaml", english)
    told = hotline("languages", folder=tmp_path, PYTHONPATH=str(with_one_more))
    assert told.returncode == 1
    alarms, department, complaint, voice = told.stdout.splitlines()[-4:]
    assert alarms == f"{NEW}: scripts/languages/{NEW}/vocabulary.yaml has no alarms, and no ears know any"
    assert complaint.startswith(f"{NEW}: site/triage.yaml:") and f"is not said in {NEW}" in complaint
    assert [department, voice] == [
        f"{NEW}: department 'cardiology' has no name (scripts/languages/{NEW}/library.yaml)",
        f"{NEW}: no voice speaks it (ESPEAK of scripts/languages/{NEW}/__init__.py names one)",
    ]
