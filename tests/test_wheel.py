"""The built wheel, installed into an environment without the checkout, starts the whole house."""

import ast
import configparser
import os
import re
import subprocess
import sys
import sysconfig
from importlib.metadata import packages_distributions
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


def test_what_the_house_imports_is_declared_for_it() -> None:
    """Not among what only tests or benchmarks need; what is of an extra is imported by its own modules alone."""
    configuration = configparser.ConfigParser()
    configuration.read(ROOT / "setup.cfg")
    declared = _names(configuration["options"]["install_requires"])
    ears = _names(configuration["options.extras_require"]["ears"])
    by_module = packages_distributions()
    ours = {line.strip() for line in configuration["options.packages.find"]["include"].split() if "." not in line}
    for file in (path for package in ours for path in (ROOT / package).rglob("*.py")):
        for module in _imported(file):
            if module in sys.stdlib_module_names or module in ours:
                continue
            found = {_plain(name) for name in by_module.get(module, [module])}
            allowed = declared | ears if file.is_relative_to(ROOT / "speech" / "ears") else declared
            assert found & allowed, f"{file.relative_to(ROOT)} imports {module}, of {found}"


def _names(requirements: str) -> set[str]:
    lines = (line.partition("#")[0].strip() for line in requirements.splitlines())
    return {_plain(re.split(r"[\[ ~><=;]", line)[0]) for line in lines if line}


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


def _imported(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.partition(".")[0])
    return found
