"""The site's key is made once and belongs to its database: without it, or with another one, nothing begins, and nothing
is written."""

import base64
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from hospital import newcomers, vault
from hospital.database import Database
from hospital.newcomers import Newcomer
from hospital.patients import Patient
from hotline import commands, databases, groundwork, postgres, wiring
from hotline.cannot_start import CannotStart
from hotline.places import places
from hotline.settings import Settings
from hotline.settings_file import DEMO, build
from tests.conftest import TEMPLATE, cloned
from tests.site_key import SITE_KEY, put_site_key

ANOTHER = bytes(reversed(SITE_KEY))
BARE = "template_bare"


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("HOTLINE_SITE_KEY", raising=False)
    yield
    vault.unlock(SITE_KEY)


@pytest.fixture
def settings(cluster: postgres.Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A house that was begun with the tests' key; its data folder has none (any more)."""
    with cloned(cluster, TEMPLATE) as url:
        made = build({**DEMO, "data": tmp_path, "database": {"url": url}})
        monkeypatch.setattr(commands, "load", lambda _: made)
        yield made


@pytest.fixture
def unbegun(cluster: postgres.Cluster, tmp_path: Path, settings: Settings) -> Iterator[Settings]:
    """A database that has the schema and nothing else, as at the first start."""
    databases.ensure_database(cluster, BARE)
    with cloned(cluster, BARE) as url:
        yield settings.model_copy(update={"database": settings.database.model_copy(update={"url": secret(url)})})
    databases.drop_database(cluster, BARE)


def secret(url: str) -> object:
    return build({**DEMO, "database": {"url": url}}).database.url


def of(settings: Settings) -> Database:
    assert settings.database.url is not None
    return Database(settings.database.url.get_secret_value())


def key_check(settings: Settings) -> str | None:
    with closing(of(settings)) as database, database.transaction() as session:
        found: str | None = session.scalar(text("SELECT value FROM fact WHERE key = 'key_check'"))
        return found


def a_patient(settings: Settings) -> None:
    with closing(of(settings)) as database, database.transaction() as session:
        newcomers.register(session, [Newcomer(uuid4(), "R1", "Mei", None, None, "zh-CN", ("+8613055550113",), "")])


def test_the_first_start_makes_the_key_and_the_next_ones_take_it(unbegun: Settings) -> None:
    file = places(unbegun).site_key
    groundwork.telephones(unbegun)
    made, check = file.read_bytes(), key_check(unbegun)
    assert len(made) == 32 and file.stat().st_mode & 0o777 == 0o600
    assert check and made.hex() not in check, "the check tells nothing of the key"
    a_patient(unbegun)
    groundwork.telephones(unbegun)
    assert (file.read_bytes(), key_check(unbegun)) == (made, check)
    with closing(wiring.open_database(unbegun, places(unbegun))) as database, database.transaction() as session:
        assert session.scalar(select(Patient.name)) == "Mei"


def test_a_start_without_the_key_of_its_database_makes_no_other(settings: Settings) -> None:
    with pytest.raises(CannotStart, match=r"site\.key, and HOTLINE_SITE_KEY is not set\. Put back the site\.key"):
        groundwork.telephones(settings)
    assert not places(settings).site_key.exists()


@pytest.mark.parametrize("where", ["file", "environment"])
def test_a_start_with_another_key_begins_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    if where == "file":
        put_site_key(settings.data, ANOTHER)
    else:
        put_site_key(settings.data)
        monkeypatch.setenv("HOTLINE_SITE_KEY", base64.b64encode(ANOTHER).decode())
    for begins in (groundwork.telephones, lambda of: wiring.open_database(of, places(of))):
        with pytest.raises(CannotStart, match="is not the key of this database") as refused:
            begins(settings)
        assert ("HOTLINE_SITE_KEY is not" in str(refused.value)) == (where == "environment")
    with closing(of(settings)) as database, database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM fact WHERE key = 'kind'")) == 0, "not even its kind"


def test_rows_that_no_key_was_written_down_for_are_opened_first(unbegun: Settings) -> None:
    a_patient(unbegun)  # sealed by the tests' key
    with pytest.raises(CannotStart, match="is missing"):
        groundwork.telephones(unbegun)
    put_site_key(unbegun.data, ANOTHER)
    with pytest.raises(CannotStart, match="is not the key of this database"):
        groundwork.telephones(unbegun)
    assert key_check(unbegun) is None
    put_site_key(unbegun.data)
    groundwork.telephones(unbegun)
    assert key_check(unbegun) is not None


@pytest.mark.parametrize(
    "words",
    [
        ("patients", "enrol", "flu", "list.csv", "--by", "grace"),
        ("discharges", "import", "list.csv"),
        ("account", "tom", "--name", "Tom", "--role", "agent"),
        ("verify",),
        ("message", "list"),
        ("questionnaire", "export", "1b4e28ba-2fa1-11d2-883f-0016d3cca427", "--by", "grace"),
    ],
)
def test_a_command_makes_no_key_and_writes_nothing(
    settings: Settings, words: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(settings.data)
    Path("list.csv").write_text("reference,name\n1,Mei\n")
    for put in (None, ANOTHER):
        if put is not None:
            put_site_key(settings.data, put)
        assert commands.main(list(words)) == 1
        told = capsys.readouterr()
        assert ("is not the key of this database" if put else "The key of this site is missing") in told.err
        assert places(settings).site_key.exists() == (put is not None)
    with closing(of(settings)) as database, database.transaction() as session:
        counts = "SELECT (SELECT count(*) FROM patient) + (SELECT count(*) FROM account)"
        assert session.scalar(text(counts)) == 0


def test_a_command_before_the_first_start_is_told_so(unbegun: Settings) -> None:
    put_site_key(unbegun.data)
    with pytest.raises(CannotStart, match="was not begun yet"):
        wiring.open_database(unbegun, places(unbegun))


def test_a_process_of_the_house_waits_for_a_database_that_does_not_answer(settings: Settings) -> None:
    put_site_key(settings.data)
    away = secret("postgresql+psycopg://hotline@127.0.81.9:1/hotline")
    away_house = settings.model_copy(update={"database": settings.database.model_copy(update={"url": away})})
    wiring.open_database(away_house, places(settings), patient=True).close()
    with pytest.raises(OperationalError):
        wiring.open_database(away_house, places(settings))


@pytest.mark.parametrize(
    ("given", "told"), [("no base64!", "is not base64"), ("c2hvcnQ=", "HOTLINE_SITE_KEY is no key: it has 5 bytes")]
)
def test_what_is_no_key_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch, given: str, told: str) -> None:
    monkeypatch.setenv("HOTLINE_SITE_KEY", given)
    with pytest.raises(CannotStart, match=told):
        wiring.open_database(settings, places(settings))


def test_a_key_that_others_may_read_is_refused(settings: Settings) -> None:
    put_site_key(settings.data).site_key.chmod(0o640)
    with pytest.raises(CannotStart, match=r"may be read by others\. Run: chmod 600"):
        wiring.open_database(settings, places(settings))
