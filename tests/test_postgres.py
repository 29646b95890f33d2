"""The private PostgreSQL: who may connect, what its log says, and that nothing is ever half made."""

import multiprocessing
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import psycopg
import pytest

from hotline import databases, postgres, processes
from hotline.postgres import Cluster, PostgresFailed
from tests.copies import clone_database

SCHEMA = "CREATE TABLE patient (id int PRIMARY KEY, name text UNIQUE); INSERT INTO patient VALUES (1, 'Lucía');"


def test_a_path_with_blanks_that_is_too_long_for_a_socket(tmp_path: Path) -> None:
    data = tmp_path / "a folder with blanks" / ("x" * 90) / "postgres"
    with postgres.running(Cluster(data, durable=False)) as cluster:
        assert databases.ensure_database(cluster, schema=SCHEMA)
        assert not databases.ensure_database(cluster, schema=SCHEMA), "made once"
        with cluster.connect("hotline", postgres.OWNER) as connection:
            assert connection.execute("SELECT name FROM patient").fetchall() == [("Lucía",)]
        assert data.stat().st_mode & 0o077 == 0
        assert cluster.socket_folder.stat().st_mode & 0o077 == 0
    assert not cluster.socket_folder.exists(), "nothing is left of it"


def as_a_service(session: Path, data: Path, told: Connection) -> None:
    """Starts it as an account that then logs out; tells the folder of its socket."""
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
    os.environ["XDG_RUNTIME_DIR"] = str(session)
    with postgres.running(Cluster(data, durable=False)) as cluster:
        shutil.rmtree(os.environ.pop("XDG_RUNTIME_DIR"))
        cluster.connect().close()
        found = cluster.socket_folder.stat()
        told.send((cluster.socket_folder, found.st_uid, stat.filemode(found.st_mode)))


@pytest.mark.needs_root  # only root can become somebody else
@pytest.mark.parametrize("name", ["short", "a,b", "x" * 90])
def test_it_answers_when_who_started_it_has_logged_out(name: str) -> None:
    found = postgres.binaries()
    if not all(folder.stat().st_mode & 0o001 for folder in found[max(found)].parents):
        pytest.skip("no other account can reach PostgreSQL's programs here")
    with tempfile.TemporaryDirectory(prefix="hotline-") as folder:
        session, data = Path(folder) / "session", Path(folder) / name / "postgres"
        for made in (session, data.parent):
            made.mkdir()
            os.chown(made, 65534, 65534)
        os.chmod(folder, 0o777)  # noqa: S103
        ours, its = multiprocessing.Pipe(duplex=False)
        service = multiprocessing.get_context("fork").Process(target=as_a_service, args=(session, data, its))
        service.start()
        service.join(60)
        assert service.exitcode == 0
        socket_folder, owner, mode = ours.recv()
        assert (owner, mode) == (65534, "drwx------")
        assert str(socket_folder).startswith(f"{data}.socket" if name == "short" else "/tmp/hotline-65534-")  # noqa: S108


def test_it_listens_on_its_socket_only(cluster: Cluster) -> None:
    with cluster.connect() as admin:
        assert admin.execute("SHOW listen_addresses").fetchone() == ("",)
        assert admin.execute("SELECT DISTINCT type, auth_method FROM pg_hba_file_rules").fetchall() == [
            ("local", "peer")
        ]


def test_the_hotline_is_no_superuser(cluster: Cluster) -> None:
    with cluster.connect(role=postgres.OWNER) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("CREATE ROLE oscar SUPERUSER")


@pytest.mark.covers("I7")
@pytest.mark.needs_root  # only root can become somebody else
def test_no_other_account_of_the_machine_comes_in(cluster: Cluster) -> None:
    # With an open folder, so that it is PostgreSQL that refuses and not the folder's mode.
    folder = str(cluster.socket_folder)
    os.chmod(folder, 0o755)  # noqa: S103
    os.seteuid(65534)  # the kernel tells PostgreSQL the effective user of who connects
    try:
        with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
            psycopg.connect(host=folder, dbname="postgres", user=postgres.OWNER)
    finally:
        os.seteuid(0)
        os.chmod(folder, 0o700)


def test_a_schema_is_applied_whole_or_not_at_all(cluster: Cluster) -> None:
    with pytest.raises(psycopg.errors.SyntaxError):
        databases.ensure_database(cluster, "half", schema="CREATE TABLE a (id int); CREATE TABEL b (id int);")
    with cluster.connect() as admin:
        assert admin.execute("SELECT 1 FROM pg_database WHERE datname = 'half'").fetchone() is None


def test_a_copy_of_a_template_is_of_its_own(cluster: Cluster) -> None:
    databases.ensure_database(cluster, "template_patient", schema=SCHEMA)
    first = clone_database(cluster, "template_patient", "first")
    clone_database(cluster, "template_patient", "second")
    with cluster.connect("first", postgres.OWNER) as connection:
        connection.execute("DELETE FROM patient")
    with cluster.connect("second", postgres.OWNER) as connection:
        assert connection.execute("SELECT count(*) FROM patient").fetchone() == (1,)
        databases.drop_database(cluster, "second")  # also while somebody is connected
    assert first == cluster.url("first")


@pytest.mark.covers("I7")
def test_its_log_tells_nothing_of_a_person(tmp_path: Path) -> None:
    with postgres.running(Cluster(tmp_path / "data", durable=False)) as cluster:
        databases.ensure_database(cluster, schema=SCHEMA)
        with cluster.connect("hotline", postgres.OWNER) as connection:
            for statement in ("INSERT INTO patient VALUES (2, 'Lucía')", "SELECT canary FROM patient"):
                with pytest.raises(psycopg.Error):
                    connection.execute(statement)
    log = (tmp_path / "data.log").read_text()
    assert "duplicate key value violates" in log, "the failure itself is logged"
    assert "Lucía" not in log
    assert "INSERT INTO" not in log


@pytest.mark.covers("I2")
def test_what_was_committed_survives_kill_nine(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "data")
    postgres.initialise(cluster)
    server = subprocess.Popen(postgres.server_command(cluster), stderr=subprocess.DEVNULL)
    postgres.wait_until_ready(cluster)
    databases.ensure_database(cluster, schema=SCHEMA)
    below = processes.descendants(server.pid)
    assert any(processes.name(pid) == "postgres" for pid in [server.pid, *below])
    server.send_signal(signal.SIGKILL)
    server.wait(10)
    while any(processes.name(pid) == "postgres" for pid in below):  # killed a moment later, by the kernel
        time.sleep(0.02)
    with postgres.running(cluster), cluster.connect("hotline", postgres.OWNER) as connection:
        assert connection.execute("SELECT name FROM patient").fetchall() == [("Lucía",)]


def test_a_cluster_of_a_version_that_is_not_here_is_left_alone(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "data")
    cluster.data.mkdir()
    (cluster.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(PostgresFailed, match=r"made by PostgreSQL 9, which isn't here"):
        postgres.server_command(cluster)


@pytest.mark.needs_root  # only root can make another's folder
def test_a_socket_folder_that_somebody_else_prepared_is_refused(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "data")
    postgres.initialise(cluster)
    cluster.socket_folder.mkdir(parents=True, exist_ok=True)
    os.chown(cluster.socket_folder, 65534, 65534)
    try:
        with pytest.raises(PostgresFailed, match="belongs to somebody else"):
            postgres.server_command(cluster)
    finally:
        for left in cluster.socket_folder.iterdir():
            left.unlink()
        cluster.socket_folder.rmdir()
