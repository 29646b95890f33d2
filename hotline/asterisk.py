"""Running one Asterisk from the private root: its instance folder, its command line, its control socket.

An *instance folder* is all that an Asterisk reads and writes of its own, so that several live side by side on
different loopback addresses:

    etc/     configuration, read-only inside          lib/    astdb
    log/     its own log                              run/    pid file and control socket
    spool/   recordings, plain until sealed           sounds/ prompts, read-only inside (may lie elsewhere)

The same command works as root, as root inside a plain chroot or container (where user namespaces are refused), and as
an ordinary user (with user namespaces)."""

import asyncio
import os
import re
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path

from hotline.asterisk_root import HOSTNAME, IN_USE, UID

FOLDERS = ("etc", "log", "lib", "spool", "sounds", "run")
REQUIRED_FILES = (
    "asterisk.conf",
    "modules.conf",
    "logger.conf",
    "extensions.conf",
    "pjsip.conf",
    "queues.conf",
    "manager.conf",
    "rtp.conf",
    "http.conf",
    "indications.conf",
)


class AsteriskFailed(RuntimeError):
    """Asterisk can't start or doesn't answer; the message says why and what to do."""


def prepare_instance(instance: Path, configuration: Mapping[str, str] | None = None) -> None:
    """Make the instance's folders, write `configuration` (file name → text), and give all of it to Asterisk's user.

    Configuration files from an earlier start that are not among the new ones are removed."""
    for name in FOLDERS:
        (instance / name).mkdir(parents=True, exist_ok=True, mode=0o755 if name == "sounds" else 0o700)
    etc = instance / "etc"
    if configuration is not None:
        for old in etc.iterdir():
            if old.is_file() and old.name not in configuration:
                old.unlink()
        for name, text in configuration.items():
            path = etc / name
            path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8")
    if os.geteuid() == 0:
        for name in ("etc", "log", "lib", "spool", "run"):
            for path in [instance / name, *(instance / name).iterdir()]:
                os.chown(path, UID, UID, follow_symlinks=False)


def share_personal(sounds: Path) -> None:
    """Prompts that hold a name are read by Asterisk and by nobody else: by its group, which the folder hands on."""
    personal = sounds / "personal"
    personal.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(personal, 0, UID)
        personal.chmod(0o2750)


def asterisk_command(
    root: Path, instance: Path, *, sounds: Path | None = None, arguments: tuple[str, ...] = ("-f", "-n")
) -> list[str]:
    """The command line that runs Asterisk from `root` on `instance`, in the foreground, as an unprivileged user.

    It dies with the process that starts it. `sounds` is mounted instead of the instance's own folder when given, so
    that instances can share one prompt cache."""
    mounts = {
        "/etc/asterisk": ("--ro-bind", instance / "etc"),
        "/run/asterisk": ("--bind", instance / "run"),
        "/var/log/asterisk": ("--bind", instance / "log"),
        "/var/lib/asterisk": ("--bind", instance / "lib"),
        "/hotline/spool": ("--bind", instance / "spool"),
        "/hotline/sounds": ("--ro-bind", sounds or instance / "sounds"),
        # Relative names (the queue's announcements) are looked for here, by language.
        "/usr/share/asterisk/sounds": ("--ro-bind", sounds or instance / "sounds"),
        "/etc/resolv.conf": ("--ro-bind-try", Path("/etc/resolv.conf")),
        "/etc/localtime": ("--ro-bind-try", Path("/etc/localtime")),
    }
    command = ["bwrap", "--ro-bind", str(root), "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/run"]
    for scratch in ("/tmp", "/var/spool/asterisk"):  # noqa: S108 (inside the root, where it is a fresh tmpfs)
        command += ["--perms", "1777", "--tmpfs", scratch]
    for inside, (option, outside) in mounts.items():
        command += [option, str(outside.absolute()), inside]
    command += ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", HOSTNAME]
    command += ["--die-with-parent", "--new-session", "--chdir", "/", "--lock-file", f"/{IN_USE}"]
    command += ["--clearenv", "--setenv", "PATH", "/usr/sbin:/usr/bin", "--setenv", "LANG", "C.UTF-8"]
    if os.geteuid() != 0:
        command += ["--unshare-user", "--uid", str(UID), "--gid", str(UID)]
        return [*command, "--", "/usr/sbin/asterisk", *arguments]
    return [*command, "--", "/usr/sbin/asterisk", *arguments, "-U", "asterisk", "-G", "asterisk"]


def check_configuration(instance: Path) -> None:
    """Our own checks before a start, since Asterisk has no dry run: needed files are there, and all that they include.

    Raises AsteriskFailed naming the file."""
    etc = instance / "etc"
    missing = [name for name in REQUIRED_FILES if not (etc / name).is_file()]
    if missing:
        raise AsteriskFailed(f"Asterisk's configuration lacks {', '.join(missing)} in {etc}.")
    for path in sorted(etc.glob("*.conf")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            found = re.match(r'\s*#(include|exec)\s+[<"]?([^>"\s]+)', line)
            if not found:
                continue
            if found.group(1) == "exec":
                raise AsteriskFailed(f"{path.name}, line {number}: #exec is not allowed.")
            if not any(etc.glob(found.group(2))):
                raise AsteriskFailed(f"{path.name}, line {number}: includes {found.group(2)}, which isn't there.")
    if not shutil.which("bwrap"):
        raise AsteriskFailed("bwrap is missing. Run: apt-get install bubblewrap")


async def asterisk_cli(instance: Path, command: str, *, seconds: float = 10.0) -> str:
    """What Asterisk's console answers to `command` (as `asterisk -rx` does, without a process).

    Raises AsteriskFailed when nothing listens or no answer is complete within `seconds`."""
    folder = os.open(instance / "run", os.O_PATH | os.O_DIRECTORY)
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    control.setblocking(False)
    try:
        async with asyncio.timeout(seconds):
            # Through the open folder: a socket's path may have 107 bytes at most, and a checkout's may have more.
            await asyncio.get_running_loop().sock_connect(control, f"/proc/self/fd/{folder}/asterisk.ctl")
            return await _ask(control, command)
    except (OSError, TimeoutError) as error:
        raise AsteriskFailed(f"Asterisk does not answer on its control socket ({error or 'time out'}).") from error
    finally:
        control.close()
        os.close(folder)


async def _ask(control: socket.socket, command: str) -> str:
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(control, f"cli quit after {command}\0".encode())
    answer = bytearray()
    while chunk := await loop.sock_recv(control, 65536):
        answer += chunk
    # First the greeting "host/pid/version"; a line for the console may begin with 0x7f and its level.
    _, _, text = answer.replace(b"\0", b"\n").partition(b"\n")
    return re.sub(rb"\x7f.", b"", bytes(text)).decode(errors="replace").strip()


async def wait_until_booted(instance: Path, *, seconds: float = 30.0) -> None:
    """Return when every module is loaded. Raises AsteriskFailed with Asterisk's own last errors otherwise."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            if "fully booted" in await asterisk_cli(instance, "core waitfullybooted", seconds=seconds):
                return
        except AsteriskFailed as error:
            if asyncio.get_running_loop().time() > deadline:
                raise AsteriskFailed(f"Asterisk did not start: {last_errors(instance) or error}") from error
        await asyncio.sleep(0.05)


def last_errors(instance: Path, count: int = 3) -> str:
    """Asterisk's own last error lines, for messages."""
    for name in ("messages.log", "messages"):
        path = instance / "log" / name
        if path.exists():
            return errors_in(path, count)
    return ""


def errors_in(log: Path, count: int = 3) -> str:
    """The last error lines of a log; "" where it has none, or is not there."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return " · ".join([line for line in lines if "ERROR" in line][-count:])
