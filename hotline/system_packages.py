"""What the machine itself must have: Debian packages, the private root, the console's scripts.

Rules: only what is missing is installed, so that a second run needs no network. Nothing is installed without being
named first.
"""

import ctypes
import os
import shutil
import subprocess
import sys

from hotline import asterisk_root, console_scripts, debian_mirror, models
from hotline.model_catalogue import KOKORO, WHISPER
from hotline.model_sources import ModelFailed

FONTS = "/usr/share/fonts/truetype"
NEEDED = {
    "bwrap": "bubblewrap",
    "mmdebstrap": "mmdebstrap",
    "espeak-ng": "espeak-ng",
    f"{FONTS}/dejavu/DejaVuSans.ttf": "fonts-dejavu-core",
    f"{FONTS}/droid/DroidSansFallbackFull.ttf": "fonts-droid-fallback",
}
"""Program, library or file → Debian package. The fonts are for letters (messages/letter_paper.py)."""
# Playwright brings a Node of its own, which wants libatomic.
FOR_TESTS = {
    "chromium": "chromium",
    "chromium-headless-shell": "chromium-headless-shell",
    "faketime": "faketime",
    "ip": "iproute2",
    "libatomic.so.1": "libatomic1",
    "sipp": "sip-tester",
}


class CannotInstall(RuntimeError):
    """A package is missing and can't be installed; the message says what to do."""


FAILURES = (
    CannotInstall,
    asterisk_root.RootNotBuilt,
    console_scripts.NotBuilt,
    debian_mirror.NoMirror,
    ModelFailed,
)


def setup(*, tests: bool = False, rebuild: bool = False) -> int:
    """Everything that `hotline up` (and the tests) need. 0, or 1 with a message."""
    try:
        install({**NEEDED, **(FOR_TESTS if tests else {})})
        asterisk_root.clear_aside()
        asterisk_root.ensure_root(rebuild=rebuild)
        console_scripts.build()
        if tests:
            for model in (KOKORO, WHISPER):
                models.install(model)
    except FAILURES as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _is_there(what: str, path: str) -> bool:
    if what.startswith("/"):
        return os.path.exists(what)
    if ".so" not in what:
        return shutil.which(what, path=path) is not None
    try:
        ctypes.CDLL(what)
    except OSError:
        return False
    return True


def install(programs: dict[str, str]) -> None:
    """Install the packages of the programs that are missing. Raises CannotInstall."""
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    missing = sorted({package for program, package in programs.items() if not _is_there(program, path)})
    if not missing:
        return
    by_hand = f"Run as root: apt-get install {' '.join(missing)}"
    if not shutil.which("apt-get"):
        raise CannotInstall(f"{', '.join(missing)} must be installed, and this is no Debian. Install them by hand.")
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    if as_root and not shutil.which("sudo"):
        raise CannotInstall(by_hand)
    print(f"Installing {', '.join(missing)} …", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *missing]):
        done = subprocess.run(
            [*as_root, "apt-get", *command], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise CannotInstall(f"apt-get {command[0]} failed: {done.stderr.strip()[-400:]}\n{by_hand}")
