"""The docs agree with the repository: links lead somewhere, commands exist, tables are whole, words are chosen."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hotline import commands
from hotline.child import PATIENCE

ROOT = Path(__file__).parent.parent
TOLD = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=False,
).stdout.split()
PAGES = sorted(TOLD) or sorted(str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
"""Pictures that a run of the tests makes."""
BANNED = re.compile(
    r"\b(simply|obviously|seamless\w*|cutting-edge|state-of-the-art|world-class|leverage[sd]?|robust|blazing\w*"
    r"|TODO|FIXME|TBD|issue #?\d+|session notes|/work/|/root/\S+/)",
    re.IGNORECASE,
)
LANGUAGES = ("en", "es", "pt-BR", "zh-CN", "mi")


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def anchors(page: str) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    prose = re.sub(r"```.*?```", "", text(page), flags=re.DOTALL)
    for target in re.findall(r"\]\(<?([^)>\s]+)>?\)", prose):
        if re.match(r"https?://|mailto:", target):
            continue
        file, _, anchor = target.partition("#")
        there = ((ROOT / page).parent / file).resolve() if file else ROOT / page
        assert there.exists(), f"{page}: {target}"
        if anchor:
            assert anchor in anchors(str(there.relative_to(ROOT))), f"{page}: {target}"


def test_systemd_understands_the_unit_and_waits_until_all_have_ended(tmp_path: Path) -> None:
    unit = text("docs/hotline.service")
    (waits,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    assert int(waits) > PATIENCE * len(("postgres", "asterisk", "ivr", "core", "answers", "voices"))
    assert "\nKillMode=mixed\n" in unit, "bwrap, told to end, ends what runs in it at once"
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze is here")
    here = tmp_path / "hotline.service"
    here.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit, flags=re.MULTILINE))
    told = subprocess.run(["systemd-analyze", "verify", here], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")


@pytest.mark.parametrize("page", PAGES)
def test_the_words_are_plain(page: str) -> None:
    found = [match.group() for match in BANNED.finditer(text(page))]
    assert not found, f"{page}: {found}"


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_and_command_exists(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for target in re.findall(r"(?:^|`)make ([a-z]+)\b", text(page), re.MULTILINE):
        assert target in targets, f"{page}: make {target}"
    for line in re.findall(r"(?:^|`)(?:\.venv/bin/)?hotline ([^`\n#]+)", text(page), re.MULTILINE):
        words = 2 if line.startswith(("dialer ", "model ", "questionnaire ")) else 1  # these have commands of their own
        command = [] if line.startswith("-") else line.split()[:words]
        with pytest.raises(SystemExit) as ended:
            commands.main([*command, "--help"])
        assert ended.value.code == 0, f"{page}: hotline {line}"
        known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
        assert set(re.findall(r"--[a-z-]+", line)) <= known, f"{page}: hotline {line}"


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_is_named_exists(page: str) -> None:
    rooms = (
        r"(?:ivr|cti|dialer|recordings|messages|web|scripts|speech|dialplans|hospital|hotline|tests|benchmarks|docs)"
    )
    for name in re.findall(rf"`({rooms}/[\w./-]+\.\w+)`", text(page)):
        assert (ROOT / name).exists(), f"{page}: {name}"


def test_the_readme_has_the_two_commands_and_the_ways_to_call() -> None:
    readme = text("README.md")
    for told in ("make up", "make test", "/patient-phone", "600", "hotline call inbound"):
        assert told in readme


def test_every_term_has_every_language() -> None:
    rows = [line for line in text("docs/GLOSSARY.md").splitlines() if line.startswith("|")]
    heads, _, *terms = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert heads == ["term", "meaning", *LANGUAGES]
    assert len({term[0] for term in terms}) == len(terms)
    for term in terms:
        assert len(term) == len(heads), term
        assert all(term), term
        assert ("–" in term) == (set(term[2:]) == {"–"}), f"{term[0]}: in every language or in none"


def test_every_invariant_is_told() -> None:
    told = re.findall(r"^\| (I\d+) \|", text("docs/ARCHITECTURE.md"), re.MULTILINE)
    assert told == [f"I{n}" for n in range(1, 12)]
