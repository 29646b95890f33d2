"""What the whole house does without a network, and when the disk under its database or its recordings is full."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest

from hospital.attempt_records import Attempt
from hospital.calls import Call
from hospital.recordings import Recording
from tests.asterisk_instance import free_address
from tests.console import Console, console
from tests.house import PACE, SHARED_PROMPTS, House, share_prompts
from tests.phone import Phone
from tests.test_followup_calls import ana_calls, attempt, task_of

pytestmark = [pytest.mark.asterisk, pytest.mark.needs_root]  # for a network namespace, and small disks
CHECKOUT = Path(__file__).parent.parent
DISK = "256m"  # PostgreSQL's cluster takes about 70 MB of it
SPOOL = "96m"  # 64 MiB of it are kept free for what is being recorded


@pytest.fixture
def house_on_a_small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Its database lies on a disk of its own."""
    folder = tmp_path_factory.mktemp("small house")
    house = House(folder, free_address())
    cluster = house.here.cluster.data
    house.start()
    house.stop()
    kept = cluster.rename(folder / "kept")
    cluster.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(cluster))
    try:
        _run("cp", "-aT", str(kept), str(cluster))
        house.start()
        yield house
    finally:
        house.stop()
        _run("umount", str(cluster))
        if "HOTLINE_KEEP" not in os.environ:
            shutil.rmtree(folder, ignore_errors=True)


def _run(*words: str) -> None:
    subprocess.run(words, check=True)


def fill(house: House) -> Path:
    """Nothing fits on the database's disk any more, not even its log of what it is about to do."""
    ballast = house.here.cluster.data / "ballast"
    with ballast.open("wb") as file:
        try:
            while True:
                file.write(bytes(1 << 20))
                file.flush()
        except OSError:
            pass
    url = house.database.url.replace("postgresql+psycopg", "postgresql")
    with pytest.raises(psycopg.OperationalError), psycopg.connect(url, autocommit=True) as connection:
        for _ in range(1000):
            connection.execute("SELECT pg_logical_emit_message(false, 'ballast', repeat('x', 1000000))")
    return ballast


@pytest.fixture
def house_with_a_small_spool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """What is recorded lies on a disk of its own until it is sealed."""
    house = House(tmp_path_factory.mktemp("small spool"), free_address())
    house.here.spool.mkdir(parents=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={SPOOL}", "tmpfs", str(house.here.spool))
    try:
        house.start()
        yield house
    finally:
        house.stop()
        _run("umount", str(house.here.spool))
        if "HOTLINE_KEEP" not in os.environ:
            shutil.rmtree(house.folder, ignore_errors=True)


def fill_spool(house: House) -> Path:
    """Until not one byte fits."""
    ballast = house.here.spool.parent / "spool" / "ballast.bin"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1 << 16))
    return ballast


async def _they_talk(house: House, page: Console, ana: Phone, joao: Phone) -> str:
    """Ana knows whom she speaks to and may record; the address of her form."""
    task = await ana_calls(house, page, ana, "joao")
    form = f"/followups/{task.id}"
    await joao.rings()
    await joao.answers()
    await house.until("they talk", lambda: attempt(house).state == "talking")
    for identifier in ("name", "birth_date"):
        await page.post(f"{form}/ticks/{identifier}", on="on")
    return form


@pytest.mark.covers("H16", "I5")
async def test_the_recordings_disk_is_full_and_the_calls_go_on(house_with_a_small_spool: House) -> None:
    house = house_with_a_small_spool
    async with house.phone("ana") as ana, house.phone("joao") as joao, console(house, "ana") as page:
        form = await _they_talk(house, page, ana, joao)
        ballast = fill_spool(house)
        told = await page.post(f"{form}/call/record", status=409)
        assert "are needed. Free some space" in told.text
        assert "there was no room for it" in (await page.get(form)).text
        await ana.speaks(await house.sound_wav("goodbye", "en"))
        await joao.hears(await house.sound("goodbye", "en"))  # they are still connected
        await page.post(f"{form}/result/call_later", when="2h")
        await page.post(f"{form}/call/hang-up")
        await joao.hung_up()
        await house.until("it is settled", lambda: attempt(house).state == "ended")
        assert [(one.state, one.reason) for one in house.rows(Recording)] == [("none", "spool_full")]

        refused = await page.post(f"/followups/{task_of(house, 'mei').id}/start", status=409)
        assert "are needed. Free some space" in refused.text
        assert len(house.rows(Attempt)) == 1, "nobody is called whose call could not be recorded"
        ballast.unlink()
        await page.post(f"/followups/{task_of(house, 'mei').id}/start")
        await ana.rings()
        await ana.rejects()
    await house.no_channels()


@pytest.mark.covers("H16", "I5")
async def test_the_recordings_disk_fills_while_they_talk(house_with_a_small_spool: House) -> None:
    house = house_with_a_small_spool
    async with house.phone("ana") as ana, house.phone("joao") as joao, console(house, "ana") as page:
        form = await _they_talk(house, page, ana, joao)
        await page.post(f"{form}/call/record")
        await joao.speaks(await house.sound_wav("goodbye", "en"))
        ballast = fill_spool(house)
        await ana.speaks(await house.sound_wav("goodbye", "en"))
        await joao.hears(await house.sound("goodbye", "en"))
        await page.post(f"{form}/result/call_later", when="2h")
        await page.post(f"{form}/call/hang-up")
        await joao.hung_up()
        await house.until("what had its place is sealed", lambda: house.rows(Recording)[0].state == "sealed")
        await house.until(
            "no plain copy is left", lambda: [file.name for file in house.here.spool.iterdir()] == [ballast.name]
        )


@pytest.mark.covers("H1", "I10")
async def test_the_disk_under_the_database_is_full_and_lucia_is_sent_to_a_person(
    house_on_a_small_disk: House,
) -> None:
    house = house_on_a_small_disk
    ballast = fill(house)
    async with house.phone("lucia") as lucia, house.phone("desk") as desk:
        await lucia.dials("600")
        await lucia.hears(await house.sound("apology", "es"))
        await desk.rings()
        await desk.answers()
    ballast.unlink()
    await house.until("the database is back", partial(answers, house), within=120)
    async with house.phone("lucia") as lucia:  # by itself
        await lucia.dials("600")
        await lucia.hears(await house.sound("welcome", "es"))
    assert house.rows(Call)


def answers(house: House) -> bool:
    """By a connection of its own: one that was made on the full disk may wait for an answer as long as it likes."""
    url = house.database.url.replace("postgresql+psycopg", "postgresql")
    try:
        with psycopg.connect(url, connect_timeout=3) as connection:
            connection.execute("SET statement_timeout = 3000")
            connection.execute("SELECT count(*) FROM call")
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.covers("H1")
def test_what_was_set_up_once_starts_without_any_network_in_a_path_with_spaces(tmp_path: Path) -> None:
    data = tmp_path / "data of the hospital"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    environment |= {"HOTLINE_DATA": str(data), "THIS_PYTHON": sys.executable}
    environment |= {"HOTLINE_VOICES__NATURAL": "false", "HOTLINE_VOICES__PACE": str(PACE)}
    environment["HOTLINE_SITE__NAME"] = "Far Away Hospital"  # what names it is spoken anew
    share_prompts(SHARED_PROMPTS, data / "sounds" / "cache")
    script = """
        set -e
        ip link set lo up
        make -s setup
        "$THIS_PYTHON" -m hotline up --detach
        "$THIS_PYTHON" -m hotline status --json
        "$THIS_PYTHON" -m hotline down
    """
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", script], cwd=CHECKOUT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"postgres"' in done.stdout
