"""The built wheel, installed into an environment without the checkout, starts the whole house."""

import ast
import configparser
import os
import re
import shutil
import subprocess
import sys
import zipfile
from email import message_from_string
from importlib.metadata import Distribution, distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.asterisk_instance import free_address
from tests.house import PACE, SHARED_PROMPTS, share_prompts

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.asterisk


def run(*command: object, **how: object) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **how)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


@pytest.mark.covers("H1")
def test_the_wheel_starts_in_an_empty_environment(tmp_path: Path) -> None:
    source, shelf, env = tmp_path / "source", tmp_path / "shelf", tmp_path / "env"
    run("git", "clone", "-q", ROOT, source)
    # What was bundled for the checkout is what a release would bundle.
    vendor = ROOT / "web" / "static" / "vendor"
    run("cp", "-r", vendor, source / "web" / "static" / "vendor")
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", tmp_path, source)
    (wheel,) = tmp_path.glob("*.whl")
    run(sys.executable, "-m", "venv", "--without-pip", env)
    pip = (sys.executable, "-m", "pip", "--python", env)
    address, data = free_address(), tmp_path / "data"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_"))},
        "PIP_CONFIG_FILE": os.devnull,  # no other shelf either
        "HOTLINE_ADDRESS": address,
        "HOTLINE_WEB__BIND": address,
        "HOTLINE_DATA": str(data),
        "HOTLINE_VOICES__NATURAL": "false",
        "HOTLINE_VOICES__PACE": str(PACE),
        "HOTLINE_SITE__NAME": "Wheelwright Hospital",  # what names it is spoken anew
    }
    python, hotline = env / "bin" / "python", env / "bin" / "hotline"
    share_prompts(SHARED_PROMPTS, data / "sounds" / "cache")
    try:
        fill(shelf)
        asked = ["--no-index", "--find-links", shelf, "-c", source / "constraints.txt", wheel]
        run(*pip, "install", "-q", "--no-compile", *asked, env=environment)
        assert run(*pip, "check", env=environment) == "No broken requirements found.\n"
        where = run(python, "-c", "import hotline; print(hotline.__file__)", cwd=tmp_path, env=environment)
        assert where.startswith(str(env))
        assert "The console:" in run(hotline, "up", "--detach", cwd=tmp_path, env=environment)
        status = run(hotline, "status", "--json", cwd=tmp_path, env=environment)
        assert '"running": true' in status
        assert run(hotline, "down", cwd=tmp_path, env=environment) == "Stopped.\n"
    finally:
        if (data / "running.json").exists():
            run(hotline, "down", cwd=tmp_path, env=environment)
        for folder in (shelf, env):  # half a gigabyte each
            shutil.rmtree(folder, ignore_errors=True)


def fill(shelf: Path) -> None:
    """A wheel of each package that the house says it needs, made again of what is installed here, as one came from the
    registry: the test asks none, and needs no network."""
    shelf.mkdir()
    for one in needed("hospital-hotline"):
        tags = message_from_string(one.read_text("WHEEL") or "").get_all("Tag", [])  # py2-none-any and py3-none-any
        tag = "-".join(".".join(dict.fromkeys(part)) for part in zip(*(tag.split("-") for tag in tags), strict=True))
        name = f"{_plain(one.name).replace('-', '_')}-{one.version}-{tag}.whl"
        with zipfile.ZipFile(shelf / name, "w", strict_timestamps=False) as wheel:
            for file in one.files or []:
                if ".." not in file.parts and file.suffix != ".pyc":  # programs are made anew, from entry_points.txt
                    wheel.write(file.locate(), file.as_posix())


def needed(name: str) -> list[Distribution]:
    """What a package requires, and what that does."""
    found: dict[tuple[str, frozenset[str]], Distribution] = {}

    def follow(name: str, extras: frozenset[str]) -> None:
        for line in distribution(name).requires or []:
            asked = Requirement(line)
            key = (_plain(asked.name), frozenset(asked.extras))
            fits = asked.marker is None or any(asked.marker.evaluate({"extra": extra}) for extra in extras or {""})
            if fits and key not in found:
                found[key] = distribution(asked.name)
                follow(*key)

    follow(name, frozenset())
    return list({_plain(one.name): one for one in found.values()}.values())


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
