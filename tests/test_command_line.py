"""What the command line says where something is missing or wrong: what it is, and what to do; nothing starts half."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hotline import asterisk, commands, databases, postgres, wiring
from hotline.asterisk import AsteriskFailed
from hotline.places import places
from hotline.settings_file import DEMO, build

LEAST = """
data = "{data}"
[site]
name = "San Rafael Hospital"
emergency_number = "112"
time_zone = "America/Bogota"
country = "co"
languages = ["es"]
"""


def hotline(*words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a folder of its own, as somebody's shell runs it: nothing of this test's settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    return subprocess.run(
        [sys.executable, "-m", "hotline", *words],
        cwd=folder,
        env={**clean, "PYTHONPATH": str(Path(__file__).parent.parent), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ('[web]\nport = "eighty"', ("web.port", "eighty")),
        ("[calling]\nring_seconds = 3", ("calling.ring_seconds", "3")),
        ("colour = 'blue'", ("colour",)),
        ("[site", ("line",)),
    ],
)
def test_a_wrong_settings_file_starts_nothing(tmp_path: Path, change: str, told: tuple[str, ...]) -> None:
    data = tmp_path / "data"
    top, table = (change, "") if change.startswith("colour") else ("", change)
    (tmp_path / "hotline.toml").write_text(f"{top}\n{LEAST.format(data=data)}\n{table}\n")
    done = hotline("up", folder=tmp_path)
    assert done.returncode == 2
    for part in ("hotline.toml", *told):
        assert part in done.stderr
    assert "Traceback" not in done.stderr
    assert not data.exists()


def test_a_machine_without_debians_tools_is_told_what_to_install(tmp_path: Path) -> None:
    empty = tmp_path / "bin"
    empty.mkdir()
    done = hotline("setup", folder=tmp_path, PATH=str(empty))
    assert done.returncode == 1
    assert "must be installed, and this is no Debian" in done.stderr or "apt-get install" in done.stderr
    assert "bubblewrap" in done.stderr and "mmdebstrap" in done.stderr


def test_without_asterisks_root_and_without_the_tool_that_builds_it(tmp_path: Path) -> None:
    empty = tmp_path / "bin"
    empty.mkdir()
    here = {"HOTLINE_CACHE": str(tmp_path / "cache"), "HOTLINE_DATA": str(tmp_path / "data"), "PATH": str(empty)}
    done = hotline("up", folder=tmp_path, **here, HOTLINE_ADDRESS="127.0.79.1", HOTLINE_WEB__BIND="127.0.79.1")
    assert done.returncode == 1
    assert "mmdebstrap is missing. Run: apt-get install mmdebstrap bubblewrap" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_machine_whose_apt_names_no_debian(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An archive of another distribution, or none: a sentence, and no trace."""
    from hotline import debian_mirror, system_packages

    monkeypatch.setenv("HOTLINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HOTLINE_DEBIAN_MIRROR", raising=False)
    monkeypatch.setattr(system_packages, "NEEDED", {})
    monkeypatch.setattr(debian_mirror.mirror, "__defaults__", (tmp_path,))
    assert system_packages.setup() == 1
    assert "Set HOTLINE_DEBIAN_MIRROR" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("pjsip.conf", None, "lacks pjsip.conf"),
        ("extensions.conf", "[hotline]\n#exec /bin/date\n", "extensions.conf, line 2: #exec is not allowed"),
        ("queues.conf", '#include "members.conf"\n', "queues.conf, line 1: includes members.conf, which isn't there"),
    ],
)
def test_asterisk_is_not_started_with_a_broken_configuration(
    tmp_path: Path, file: str, text: str | None, told: str
) -> None:
    etc = tmp_path / "etc"
    etc.mkdir()
    for name in asterisk.REQUIRED_FILES:
        (etc / name).write_text("")
    if text is None:
        (etc / file).unlink()
    else:
        (etc / file).write_text(text)
    with pytest.raises(AsteriskFailed, match=told):
        asterisk.check_configuration(tmp_path)


@pytest.mark.parametrize("words", [("verify",), ("questionnaire", "ask", "mood", "--json"), ("call", "inbound")])
def test_without_a_database_there_is_a_sentence(tmp_path: Path, words: tuple[str, ...]) -> None:
    nowhere = {"HOTLINE_DATABASE__URL": "postgresql+psycopg://hotline@127.0.79.2:1/hotline"}
    done = hotline(*words, folder=tmp_path, **nowhere)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("The database does not answer.") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [("up",), ("status",), ("verify",), ("questionnaire", "ask", "mood")])
def test_a_data_folder_that_is_none_is_told(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "file").write_text("")
    done = hotline(*words, folder=tmp_path, HOTLINE_DATA=str(tmp_path / "file"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"The data folder {tmp_path / 'file'} can't be used: ")
    assert done.stderr.count("\n") == 1


def test_the_terminal_phone_plays_calls_of_ours_and_leaves_nothing(tmp_path: Path) -> None:
    for dialogue, press, heard in (
        (
            "outgoing",
            "1,29021980,1,2#,1",
            ("Esta es una llamada automática de San Rafael Hospital para Lucía.", "journal: answered item=pain"),
        ),
        ("message", "", ("Le ha llamado San Rafael Hospital.",)),
        ("oncall", "1", ("A red flag is waiting",)),
        ("throttled", "9", ("then: queue urgent",)),
    ):
        done = hotline("call", dialogue, "--press", press, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        for sentence in heard:
            assert sentence in done.stdout, dialogue
    with postgres.running(places(build({**DEMO, "data": tmp_path / "var"})).cluster) as cluster:
        with cluster.connect() as admin:
            names = {name for (name,) in admin.execute("SELECT datname FROM pg_database")}
        assert names == {"hotline", "postgres", "template0", "template1"}, "what it was rehearsed in is dropped"
        with cluster.connect("hotline") as admin:
            made = admin.execute("SELECT (SELECT count(*) FROM attempt), (SELECT count(*) FROM care_case)").fetchone()
        assert made == (0, 1), "only who presses 9 in a call to the house has raised a red flag"


def test_the_terminal_phone_plays_every_dialogue() -> None:
    assert {*commands.CALLS} == wiring.DIALOGUES.keys() - {"crowded"}, "that one is the inbound call of a busy number"


def test_the_terminal_phone_plays_a_call_whatever_version_made_the_demo_s_data(tmp_path: Path) -> None:
    cluster = places(build({**DEMO, "data": tmp_path / "var"})).cluster
    with postgres.running(cluster):
        databases.ensure_database(cluster, schema="CREATE TABLE fact (key text, value text);"
                                                  "INSERT INTO fact VALUES ('kind', 'demo');")  # fmt: skip
    done = hotline("call", "inbound", "--as", "lucia", "--press", "2,1,1,29021980,1,1,1", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "they are made anew" in done.stderr
    assert "Gracias, Lucía." in done.stdout
    assert "Su cita queda" in done.stdout or "reservad" in done.stdout
