"""The private Asterisk root: a small Debian that holds Asterisk and nothing else of ours.

Debian's stable releases carry no Asterisk, so one is built by mmdebstrap from a release that does, and kept in a cache
of this machine (not of the checkout): a second checkout is instant. The folder's name is the hash of its recipe.
It is only ever read: what Asterisk writes goes to the *instance folder* that is mounted over it (asterisk.py)."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hotline import debian_mirror

SUITE = "forky"
PACKAGES = ("asterisk",)
MOUNT_POINTS = (
    "hotline/sounds",
    "hotline/spool",
    "etc/asterisk",
    "var/lib/asterisk",
    "var/log/asterisk",
    "var/spool/asterisk",
    "run/asterisk",
)
UID = 59431
"""Asterisk's user and group in the root, and on the machine when it is started by root: a number that no
distribution hands out, so that no other account can read what Asterisk writes."""
HOSTNAME = "hotline"
IN_USE = "etc/hostname"
"""The file of the root that is locked by who runs on it."""
ASIDE = ".old-"

Progress = Callable[[str], None]


class RootNotBuilt(RuntimeError):
    """mmdebstrap failed or is missing; the message says what to do."""


def cache_folder() -> Path:
    """This machine's cache: HOTLINE_CACHE, else /var/cache/hotline for root, else the user's cache folder."""
    chosen = os.environ.get("HOTLINE_CACHE")
    if chosen:
        return Path(chosen)
    if os.geteuid() == 0:
        return Path("/var/cache/hotline")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hotline"


def root_folder() -> Path:
    """Where the root of today's recipe is or will be."""
    recipe = json.dumps([SUITE, PACKAGES, MOUNT_POINTS, UID, HOSTNAME, os.uname().machine])
    return cache_folder() / f"asterisk-{SUITE}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def ensure_root(progress: Progress = print, *, rebuild: bool = False) -> Path:
    """The finished root; built first when it is missing (about 20 s) or when `rebuild` asks for the newest packages.

    Raises RootNotBuilt or debian_mirror.NoMirror."""
    root = root_folder()
    if root.is_dir() and not rebuild:
        return root
    root.parent.mkdir(parents=True, exist_ok=True)
    with _one_builder(root):
        if root.is_dir() and not rebuild:
            return root
        with tempfile.TemporaryDirectory(prefix="building-", dir=root.parent) as building:
            _put_in_place(_build(Path(building), progress), root)
    progress(f"Asterisk's root is ready: {root}")
    return root


def _put_in_place(finished: Path, root: Path) -> None:
    """The root before is set aside, whole: who runs on it goes on, and the next start takes the new one."""
    if root.exists():
        root.rename(tempfile.mkdtemp(prefix=f"{root.name}{ASIDE}", dir=root.parent))
    finished.rename(root)


def clear_aside() -> None:
    """Delete the roots that were set aside and on which no Asterisk of the machine runs any more."""
    for old in cache_folder().glob(f"asterisk-*{ASIDE}*"):
        if not _in_use(old):
            shutil.rmtree(old)


def _in_use(root: Path) -> bool:
    """Each Asterisk's bwrap has a lock on IN_USE for as long as it runs. Another account's root counts as used."""
    try:
        with open(root / IN_USE, "r+") as held:
            fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False  # half deleted
    except (BlockingIOError, PermissionError):
        return True
    return False


@contextmanager
def _one_builder(root: Path) -> Iterator[None]:
    with open(root.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(building: Path, progress: Progress) -> Path:
    if not shutil.which("mmdebstrap"):
        raise RootNotBuilt("mmdebstrap is missing. Run: apt-get install mmdebstrap bubblewrap")
    archive, root, log = building / "root.tar", building / "root", root_folder().with_suffix(".log")
    progress(f"Building a private Asterisk from Debian {SUITE} (once on this machine) …")
    # An archive first, unpacked by ourselves: then every file belongs to us, also where mmdebstrap had to work in a
    # user namespace with other ids.
    with (
        open(log, "w") as sink,
        subprocess.Popen(
            _mmdebstrap(archive), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process,
    ):
        for line in process.stdout or ():
            sink.write(line)
            if re.match(r"I: (downloading|extracting|installing|creating)", line):
                progress("  " + line.removeprefix("I: ").rstrip())
    if process.returncode != 0:
        last = [line for line in log.read_text(errors="replace").splitlines() if line.startswith("E:")][-3:]
        raise RootNotBuilt(
            f"Asterisk's root could not be built: {' '.join(last) or 'mmdebstrap failed'}. The whole log: {log}. "
            "Check that apt-get update works on this machine, then try again."
        )
    root.mkdir()
    subprocess.run(
        ["tar", "--extract", "--no-same-owner", "--exclude=./dev/*", f"--directory={root}", f"--file={archive}"],
        check=True,
    )
    archive.unlink()
    _finish(root)
    return root


def _mmdebstrap(archive: Path) -> list[str]:
    excluded = ("doc", "man", "locale", "info", "lintian")
    return [
        *_privilege(),
        "mmdebstrap",
        "--variant=essential",
        f"--include={','.join(PACKAGES)}",
        '--aptopt=Acquire::Check-Valid-Until "false"',
        *(f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in excluded),
        *_apt_proxies(),
        "--format=tar",
        SUITE,
        str(archive),
        debian_mirror.mirror(),
    ]


def _privilege() -> list[str]:
    """What an ordinary user puts before mmdebstrap: nothing where user namespaces with a range of ids can be had."""
    if os.geteuid() == 0 or (shutil.which("newuidmap") and _has_subordinate_ids()):
        return []
    if shutil.which("sudo"):
        return ["sudo", "--prompt=[sudo] password to build Asterisk's root: "]
    raise RootNotBuilt(
        "Asterisk's root is built as root, with sudo, or in a user namespace. Run: apt-get install uidmap "
        "(and see that /etc/subuid names your account), or run `hotline setup` once as root with HOTLINE_CACHE set "
        "to a folder that you can read."
    )


def _has_subordinate_ids() -> bool:
    ranges = Path("/etc/subuid")
    names = (f"{os.environ.get('USER') or os.geteuid()}:", f"{os.geteuid()}:")
    return ranges.exists() and any(line.startswith(names) for line in ranges.read_text().splitlines())


def _apt_proxies() -> Iterator[str]:
    """The proxies that this machine's apt uses, which mmdebstrap's own apt doesn't know of."""
    for key in ("Acquire::http::Proxy", "Acquire::https::Proxy"):
        shown = subprocess.run(["apt-config", "shell", "VALUE", key], capture_output=True, text=True, check=False)
        found = re.search(r"VALUE='([^']+)'", shown.stdout)
        if found:
            yield f'--aptopt={key} "{found.group(1)}"'


def _finish(root: Path) -> None:
    for folder in MOUNT_POINTS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    # Without its own name in hosts, Asterisk asks DNS for it and each call stalls for 5 s.
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost {HOSTNAME}\n::1 localhost\n")
    (root / "etc/hostname").write_text(HOSTNAME + "\n")
    for mounted_over in ("etc/resolv.conf", "etc/localtime"):
        (root / mounted_over).unlink(missing_ok=True)
        (root / mounted_over).touch()
    for name, pattern in (("passwd", r"(?m)^(asterisk:[^:]*):\d+:\d+:"), ("group", r"(?m)^(asterisk:[^:]*):\d+:")):
        path = root / "etc" / name
        ids = f"{UID}:{UID}" if name == "passwd" else str(UID)
        changed, count = re.subn(pattern, rf"\g<1>:{ids}:", path.read_text())
        if count != 1:
            raise RootNotBuilt(f"the package asterisk of Debian {SUITE} made no user named asterisk in etc/{name}")
        path.write_text(changed)
