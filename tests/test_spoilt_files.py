"""A file of the hotline that is wrong: what is told, and that the rest of the house does not suffer from it."""

import html
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from hospital.followups import FollowUpTask
from hospital.questionnaires import Questionnaire
from tests.asterisk_instance import free_address
from tests.console import console
from tests.house import House
from tests.test_supervisor import hotline

pytestmark = pytest.mark.asterisk

CHECKOUT = Path(__file__).parent.parent


def with_own(package: str, folder: Path) -> dict[str, str]:
    """A copy of a package, which may be spoilt; and the environment of a house that reads it."""
    shutil.copytree(CHECKOUT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("spoilt")
    environment = with_own("scripts", folder)
    asked, planned = folder / "scripts" / "questionnaires", folder / "scripts" / "plans"
    spoil(asked / "discharge_day3.yaml", "purpose: follow-up", "purpose: folow-up")
    spoil(planned / "newborn.yaml", "id: newborn", "id: newborn\nid: newborn")
    house = House(folder / "data", free_address(), **environment)
    house.start()
    yield house
    house.stop()


def spoil(file: Path, good: str, bad: str) -> None:
    text = file.read_text()
    assert good in text
    file.write_text(text.replace(good, bad, 1))


def line_of(file: Path, words: str) -> int:
    return next(number for number, line in enumerate(file.read_text().splitlines(), 1) if words in line)


async def test_a_start_tells_file_line_and_what_and_the_others_load(spoilt: House) -> None:
    scripts = spoilt.folder.parent / "scripts"
    line = line_of(scripts / "questionnaires" / "discharge_day3.yaml", "folow-up")
    first = f"questionnaires/discharge_day3.yaml:{line}: purpose 'folow-up' is not known"
    second = f"plans/newborn.yaml:{line_of(scripts / 'plans' / 'newborn.yaml', 'id: newborn') + 1}: "
    core = spoilt.here.log / "core.log"
    await spoilt.until("the core has read them", lambda: second in core.read_text())
    state = json.loads(hotline(spoilt, "status", "--json").stdout)
    shown = hotline(spoilt, "status").stdout
    for told in ((spoilt.folder / "up.log").read_text(), core.read_text(), "\n".join(state["left_out"]), shown):
        assert first in told and second in told
    async with console(spoilt, "ida") as page:
        listed = html.unescape((await page.get("/questionnaires")).text)
        assert "Left out at the last start" in listed and first in listed and second in listed
    with spoilt.database.transaction() as session:
        known = set(session.scalars(select(Questionnaire.code)))
    assert "discharge-day3" not in known and known >= {"satisfaction", "hypertension", "newborn"}
    assert spoilt.patient("ruth"), "the demo's people are there, though nobody is due for that questionnaire"
    assert not [task for task in spoilt.rows(FollowUpTask) if task.reason == "discharge_day_3"]


async def test_a_mended_file_is_asked_from_the_next_start_on(spoilt: House) -> None:
    mended = House(spoilt.folder, spoilt.address)
    spoilt.stop()
    mended.start()
    try:
        assert json.loads(hotline(mended, "status", "--json").stdout)["left_out"] == []
        due = [task for task in mended.rows(FollowUpTask) if task.reason == "discharge_day_3"]
        assert len(due) == 3
    finally:
        mended.stop()


@pytest.fixture(scope="module")
def refused_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of all starts that come as far as Asterisk, so that its database is made once."""
    return tmp_path_factory.mktemp("refused") / "data"


@pytest.mark.parametrize(
    ("file", "good", "bad", "told"),
    [
        ("modules.conf.j2", "[modules]", "[modules]\nrequire = res_of_another_version.so", "res_of_another_version"),
        ("pjsip.conf.j2", "type = global", "#include no_such_file.conf", "pjsip.conf, line 3: includes no_such_file"),
    ],
    ids=["Asterisk does not boot", "an include that is not there"],
)
async def test_a_spoilt_configuration_says_what_and_leaves_nothing_running(
    tmp_path: Path, refused_data: Path, file: str, good: str, bad: str, told: str
) -> None:
    environment = with_own("dialplans", tmp_path)
    spoil(tmp_path / "dialplans" / file, good, bad)
    house = House(refused_data, free_address(), **environment)
    refused = hotline(house, "up")
    assert refused.returncode == 1
    assert "The hotline did not start. " in refused.stderr and told in refused.stderr, refused.stderr
    assert hotline(house, "status").returncode == 3
    left = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if str(house.folder) in command_of(pid)]
    assert left == [], "PostgreSQL, which was up already, has ended with it"


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
