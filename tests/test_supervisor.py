"""`hotline up`, `down` and `status`: nothing starts half, no child takes another with it, nothing is left behind."""

import asyncio
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from hospital import accounts
from hospital.accounts import Account
from hospital.database import Database
from hotline import demo, link_watch, numbering, postgres, processes
from hotline.house_commands import BANNER
from hotline.places import Places, read_secrets
from hotline.postgres import Cluster
from tests.asterisk_instance import free_address, network
from tests.conftest import cloned
from tests.house import House, real_house
from tests.late import LATE

pytestmark = pytest.mark.asterisk


def hotline(house: House, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command line, with the house's environment."""
    if words[0] == "up":
        house.prompts_of_before()
    return subprocess.run(
        [sys.executable, "-m", "hotline", *words],
        env={**os.environ, **house.environment, **environment},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.fixture(scope="module")
def own_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house that may be hurt, in a path with blanks in it."""
    house = House(tmp_path_factory.mktemp("a house") / "data of it", free_address())
    house.start()
    yield house
    house.stop()


def everybody(house: House) -> list[int]:
    """Every process of a running house, its supervisor's children and theirs."""
    return [
        pid for child in house.children.values() if child is not None for pid in [child, *processes.descendants(child)]
    ]


async def gone(pids: list[int], within: float = 15) -> None:
    deadline = asyncio.get_running_loop().time() + within
    while left := [pid for pid in pids if _lives(pid)]:
        names = [processes.name(pid) for pid in left]
        assert asyncio.get_running_loop().time() < deadline, f"{LATE}: still there: {names}"
        await asyncio.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


async def test_status_tells_what_runs(own_house: House) -> None:
    told = hotline(own_house, "status", "--json")
    state = json.loads(told.stdout)
    assert told.returncode == 0
    assert state["running"] is True
    assert list(state["children"]) == ["postgres", "asterisk", "ivr", "core", "answers"]
    assert state["console"] == f"http://{own_house.address}:8000"
    assert state["on_call"].startswith("the rota is empty")
    assert "on call    the rota is empty" in hotline(own_house, "status").stdout


@pytest.mark.covers("I7")
async def test_no_process_of_a_house_leaves_a_core_file(own_house: House) -> None:
    assert own_house._process is not None
    everyone = [own_house._process.pid, *processes.descendants(own_house._process.pid)]
    assert {processes.name(pid) for pid in everyone} >= {"asterisk", "postgres", "bwrap", "hotline run ivr"[:15]}
    for pid in everyone:
        assert core_bytes(pid) == ["1", "1"], processes.name(pid)


def core_bytes(pid: int) -> list[str]:
    """Soft and hard limit."""
    (core,) = re.findall(r"Max core file size +(\S+) +(\S+)", Path(f"/proc/{pid}/limits").read_text())
    return list(core)


async def test_status_and_the_log_tell_that_the_core_was_behind_asterisk(own_house: House) -> None:
    def link() -> dict[str, float]:
        told: dict[str, float] | None = json.loads(hotline(own_house, "status", "--json").stdout)["link"]
        return told or {"up": False, "lag_s": -1}

    await own_house.until("it has a link", lambda: link()["up"])
    assert {"lag_s", "waiting", "overflows"} <= link().keys()
    core = own_house.children["core"]
    assert core is not None
    os.kill(core, signal.SIGSTOP)
    try:
        await call_the_hotline(own_house.address, read_secrets(own_house.here).ami)
        await own_house.no_channels()
        await asyncio.sleep(link_watch.LATE_S + 0.5)  # what Asterisk told meanwhile lies in the socket
    finally:
        os.kill(core, signal.SIGCONT)
    await own_house.until("status tells it", lambda: link()["lag_s"] > link_watch.LATE_S)
    assert "s behind Asterisk at most" in hotline(own_house, "status").stdout
    log = own_house.here.log / "core.log"
    await own_house.until("the log tells it", lambda: " s behind Asterisk, " in log.read_text())


@pytest.mark.covers("I10")
@pytest.mark.parametrize("child", ["ivr", "core", "answers"])
async def test_a_dead_child_comes_back_and_takes_no_other_with_it(own_house: House, child: str) -> None:
    before = own_house.children
    old = before[child]
    assert old is not None
    own_house.kill(child)
    await own_house.restarted(child, old)
    after = own_house.children
    assert {name: pid for name, pid in after.items() if name != child} == {
        name: pid for name, pid in before.items() if name != child
    }


@contextmanager
def limited(house: House, what: int, most: int) -> Iterator[None]:
    """The supervisor alone has no more: a full disk (RLIMIT_FSIZE), no descriptor that is free (RLIMIT_NOFILE)."""
    assert house._process is not None
    pid = house._process.pid
    soft, hard = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (most, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, what, (soft, hard))


@pytest.mark.covers("I10")
async def test_a_child_that_dies_on_a_full_disk_comes_back(own_house: House) -> None:
    old = own_house.children["ivr"]
    assert old is not None

    def again() -> list[int]:
        assert own_house._process is not None
        everyone = processes.descendants(own_house._process.pid)
        return [pid for pid in everyone if pid != old and processes.name(pid) == "hotline run ivr"[:15]]

    with limited(own_house, resource.RLIMIT_FSIZE, 0):
        own_house.kill("ivr")
        await own_house.until("the ivr runs again", again)
        assert own_house.children["ivr"] == old, "there was no room to tell it"
        first = again()
        os.kill(first[0], signal.SIGKILL)
        await own_house.until("it is watched still", lambda: again() not in ([], first))
        await own_house.answering(numbering.AGI_PORT)
    await own_house.restarted("ivr", old)
    assert [own_house.children["ivr"]] == again()


@pytest.mark.covers("I10")
async def test_a_child_that_cannot_be_started_is_tried_until_it_can(own_house: House) -> None:
    old, log = own_house.children["ivr"], own_house.folder / "up.log"
    assert old is not None
    with limited(own_house, resource.RLIMIT_NOFILE, 3):
        own_house.kill("ivr")
        await own_house.until("it is said", lambda: "ivr could not be started (Too many open files)" in log.read_text())
        assert own_house.children["ivr"] == old
    await own_house.restarted("ivr", old, within=20)


async def test_without_their_nursery_they_come_back_as_programs(tmp_path: Path) -> None:
    house = House(tmp_path / "data", free_address())
    house.start()
    try:
        await left_by_its_nursery(house)
    finally:
        house.stop()


async def left_by_its_nursery(house: House) -> None:
    before = house.children
    ivr = before["ivr"]
    assert ivr is not None
    assert command(ivr) == "hotline run ivr", "`ps` tells them apart"
    os.kill(processes.parent(ivr), signal.SIGKILL)
    for child in ("ivr", "core", "answers"):
        await house.restarted(child, before[child] or 0, within=30)
    after = house.children
    assert {name: after[name] for name in ("postgres", "asterisk")} == {
        name: before[name] for name in ("postgres", "asterisk")
    }
    again = after["ivr"]
    assert again is not None
    assert command(again).endswith(" -m hotline run ivr")
    await asyncio.to_thread(house.stop)
    assert not any(_lives(pid) for pid in after.values() if pid is not None)


def command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().strip("\0").replace("\0", " ")


async def test_a_dead_postgres_comes_back(own_house: House) -> None:
    old = own_house.children["postgres"]
    assert old is not None
    own_house.kill("postgres")
    await own_house.restarted("postgres", old)

    def answers() -> bool:
        try:
            own_house.here.cluster.connect("hotline").close()
        except Exception:
            return False
        return True

    await own_house.until("PostgreSQL answers again", answers, within=15)


async def test_a_second_one_on_the_same_address_is_told_the_port(own_house: House, tmp_path: Path) -> None:
    refused = hotline(own_house, "up", HOTLINE_DATA=str(tmp_path))
    assert refused.returncode == 1
    assert f"{own_house.address} port 5060/udp (SIP) can't be used" in refused.stderr
    assert "HOTLINE_ADDRESS" in refused.stderr
    assert not Places(tmp_path).cluster.data.exists(), "nothing was started"


async def test_an_address_of_another_machine_is_told_as_that(tmp_path: Path) -> None:
    house = real_house(tmp_path, f"{network()}.90")
    refused = hotline(house, "up", HOTLINE_ADDRESS="192.0.2.77")
    assert refused.returncode == 1
    assert "192.0.2.77 port 5060/udp (SIP) can't be used: Cannot assign requested address. This machine hasn't got" in (
        refused.stderr
    )
    assert "running already" not in refused.stderr


async def test_the_console_listens_on_ipv6(tmp_path: Path) -> None:
    ports = {"HOTLINE_WEB__PORT": "18782", "HOTLINE_ANSWERS__PORT": "18783"}
    house = House(tmp_path / "data", free_address(), HOTLINE_WEB__BIND="::1", **ports)
    house.start()
    try:
        async with httpx.AsyncClient(base_url="http://[::1]:18782", follow_redirects=True) as browser:
            assert (await browser.get("/")).status_code == 200
        other = {"HOTLINE_DATA": str(tmp_path / "other"), "HOTLINE_ADDRESS": free_address()}
        refused = hotline(house, "up", **other)
        assert "::1 port 18782/tcp (console) can't be used: Address already in use" in refused.stderr
    finally:
        house.stop()


async def test_a_second_one_on_the_same_data_is_refused(own_house: House) -> None:
    other = free_address()
    secret = read_secrets(own_house.here).agi
    refused = hotline(own_house, "up", HOTLINE_ADDRESS=other, HOTLINE_WEB__BIND=other)
    assert refused.returncode == 1
    assert "runs already on the data" in refused.stderr
    assert read_secrets(own_house.here).agi == secret, "the running one keeps its secret"


@pytest.mark.covers("I7")
async def test_the_secret_of_the_agi_address_is_in_no_log(own_house: House) -> None:
    secrets = read_secrets(own_house.here)
    old = own_house.children["ivr"]
    assert old is not None
    own_house.kill("ivr")
    await call_the_hotline(own_house.address, secrets.ami)
    await own_house.restarted("ivr", old)
    # Asterisk itself is made to say the address, as its warnings do.
    await own_house.cli("logger add channel console verbose,warning,error,notice")
    await own_house.cli("agi set debug on")
    await own_house.cli("core set verbose 4")
    await call_the_hotline(own_house.address, secrets.ami)
    own_log = own_house.here.log / "asterisk.log"
    await own_house.until("Asterisk says it", lambda: "agi://" in own_log.read_text())
    for log in [*own_house.here.log.iterdir(), *(own_house.here.asterisk / "log").iterdir()]:
        text = log.read_text(errors="replace")
        for secret in secrets.every():
            assert secret not in text, f"a secret is in {log.name}"


@pytest.mark.covers("I7")
async def test_every_account_has_a_secret_of_its_own(own_house: House) -> None:
    secrets = read_secrets(own_house.here)
    assert set(secrets.sip) >= {account.username for account in numbering.DEMO_ACCOUNTS}
    assert len(set(secrets.every())) == len(secrets.sip) + 2, "nor is one the AMI's or the AGI address's"


async def call_the_hotline(address: str, ami_secret: str) -> None:
    """A call without a phone, started over AMI and on its way when this returns."""
    reader, writer = await asyncio.open_connection(address, numbering.AMI_PORT)
    login = {"Action": "Login", "Username": numbering.AMI_USER, "Secret": ami_secret}
    call = {
        "Action": "Originate",
        "Channel": "Local/600@hotline/n",
        "Application": "Wait",
        "Data": "1",
        "Async": "true",
    }
    for action in (login, call):
        writer.write("".join(f"{name}: {value}\r\n" for name, value in action.items()).encode() + b"\r\n")
    await asyncio.wait_for(reader.readuntil(b"Originate successfully queued"), 10)
    writer.close()


async def test_nothing_is_left_when_the_supervisor_is_killed_and_it_starts_again_detached(tmp_path: Path) -> None:
    house = House(tmp_path / "data", free_address())
    house.start()
    everyone = everybody(house)
    assert {processes.name(pid) for pid in everyone} >= {"asterisk", "postgres", "bwrap"}
    assert house._process is not None
    house._process.kill()
    house._process.wait()
    await gone(everyone)
    assert hotline(house, "status").returncode == 3
    again = hotline(house, "up", "--detach")
    assert again.returncode == 0, f"it starts again on what the dead one left: {again.stderr}"
    everyone = everybody(house)
    secret = read_secrets(house.here).sip[numbering.SOFTPHONE.username]
    for told in (
        BANNER,
        f"The console:       http://{house.address}:8000\n",
        *(f"{name} / {password}" for name, password in demo.PASSWORDS.items()),
        f"A patient's phone: http://{house.address}:8000/patient-phone\n",
        f"softphone@{house.address}:5060 (UDP), password {secret}; dial 600\n",
        "`hotline down` stops it.",
    ):
        assert told in again.stdout
    keyless = hotline(house, "status", HOTLINE_SITE_KEY="")
    assert keyless.returncode == 0 and "not known: The key of this site is missing" in keyless.stdout
    assert not house.here.site_key.exists(), "whoever asks makes no key"
    assert hotline(house, "down").stdout == "Stopped.\n"
    await gone(everyone, within=10)
    assert hotline(house, "status", "--json").stdout == '{"running": false}\n'


async def test_ctrl_c_ends_all_of_it_and_no_real_site_starts_on_the_demos_data(tmp_path: Path) -> None:
    house = House(tmp_path / "data", free_address())
    house.start()
    everyone = everybody(house)
    assert house._process is not None
    house._process.send_signal(signal.SIGINT)
    assert house._process.wait(timeout=40) == 0
    await gone(everyone)
    assert "Stopping …" in (house.folder / "up.log").read_text()
    refused = hotline(
        house, "up", HOTLINE_DEMO="false", HOTLINE_CALLING='{"window": "co", "per_day": 1, "per_week": 3}'
    )
    assert refused.returncode == 1
    assert "are the demo's, and this is a real site" in refused.stderr
    assert "Set `data` (or HOTLINE_DATA) to another folder" in refused.stderr


async def test_ctrl_c_is_heard_while_it_starts(tmp_path: Path) -> None:
    house = House(tmp_path / "data", free_address())
    with house.starting() as process:
        await house.until("it has begun", lambda: "PostgreSQL …" in (house.folder / "up.log").read_text(), within=60)
        process.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(process.wait, 40) == 0
    assert "The hotline …" not in (house.folder / "up.log").read_text(), "it did not go on"
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(house.address, numbering.AMI_PORT)
    assert hotline(house, "status").returncode == 3


async def test_the_demo_never_starts_on_a_real_sites_data(tmp_path: Path) -> None:
    site = real_house(tmp_path, f"{network()}.90")
    site.start()
    before = len(site.rows(Account))
    site.stop()
    refused = hotline(House(site.folder, free_address()), "up")
    assert refused.returncode == 1
    assert "are a real site's, and this is the demo" in refused.stderr
    with (
        postgres.running(site.here.cluster) as there,
        closing(Database(there.url())) as database,
        database.transaction() as session,
    ):
        assert demo.is_demo(session) is False
        assert len(session.scalars(select(Account)).all()) == before, "none of the demo's people came"


async def test_a_database_of_another_version_is_made_anew_for_the_demo_and_left_alone_for_a_real_site(
    tmp_path: Path,
) -> None:
    house = House(tmp_path / "data", free_address())
    real = {"HOTLINE_DEMO": "false", "HOTLINE_CALLING": '{"window": "co", "per_day": 1, "per_week": 3}'}

    def comes_from_another_version(kind: str) -> None:
        with house.here.cluster.connect("hotline") as admin:
            admin.execute("UPDATE fact SET value = 'of long ago' WHERE key = 'schema'")
            admin.execute("INSERT INTO fact VALUES ('left', 'here')")
            admin.execute("UPDATE fact SET value = %s WHERE key = 'kind'", [kind])

    def what_is_left() -> list[str]:
        with house.here.cluster.connect("hotline") as admin:
            return [value for (value,) in admin.execute("SELECT value FROM fact WHERE key = 'left'")]

    house.start()
    comes_from_another_version("demo")
    house.stop()
    house.start()
    assert "they are made anew" in (house.folder / "up.log").read_text()
    assert what_is_left() == []
    comes_from_another_version("real")
    house.stop()
    refused = hotline(house, "up", **real)
    assert refused.returncode == 1
    assert "was made by another version of the hotline" in refused.stderr and "Nothing was changed" in refused.stderr


async def test_the_first_start_in_an_empty_database_of_another_server(cluster: Cluster, tmp_path: Path) -> None:
    with cloned(cluster, "template1") as url:
        house = House(tmp_path / "data", free_address(), HOTLINE_DATABASE__URL=url)
        for _ in ("the first start", "and one that finds it as it was"):
            with house.starting() as process:
                runs, log = house.folder / "running.json", house.folder / "up.log"
                await house.until("it runs", runs.exists, within=150, instead=log.read_text)
                assert "postgres" not in house.children
                everyone = everybody(house)
                process.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(process.wait, 40) == 0
            await gone(everyone, within=10)
        assert not house.here.cluster.data.exists()
        with closing(Database(url)) as there, there.transaction() as session:
            assert {account.username for account in accounts.staff(session)} == set(demo.PASSWORDS)
