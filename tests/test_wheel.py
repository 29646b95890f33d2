"""The built wheel, installed into an environment without the checkout, starts the whole house."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.asterisk_instance import free_address

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.asterisk


def run(*command: object, **how: object) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **how)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


@pytest.mark.covers("H1")
def test_the_wheel_starts_in_an_empty_environment(tmp_path: Path) -> None:
    source = tmp_path / "source"
    run("git", "clone", "-q", ROOT, source)
    # What was bundled for the checkout is what a release would bundle.
    vendor = ROOT / "web" / "static" / "vendor"
    run("cp", "-r", vendor, source / "web" / "static" / "vendor")
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", tmp_path, source)
    (wheel,) = tmp_path.glob("*.whl")
    run(sys.executable, "-m", "venv", tmp_path / "env")
    python = tmp_path / "env" / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", "--no-deps", wheel)
    address, data = free_address(), tmp_path / "data"
    environment = {
        **os.environ,
        # The dependencies, without the editable checkout: a .pth file counts in a site folder only.
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "HOTLINE_ADDRESS": address,
        "HOTLINE_WEB__BIND": address,
        "HOTLINE_DATA": str(data),
        "HOTLINE_VOICES__NATURAL": "false",
    }
    hotline = tmp_path / "env" / "bin" / "hotline"
    where = run(python, "-c", "import hotline; print(hotline.__file__)", cwd=tmp_path, env=environment)
    assert where.startswith(str(tmp_path))
    try:
        assert "The console:" in run(hotline, "up", "--detach", cwd=tmp_path, env=environment)
        status = run(hotline, "status", "--json", cwd=tmp_path, env=environment)
        assert '"running": true' in status
    finally:
        run(hotline, "down", cwd=tmp_path, env=environment)
