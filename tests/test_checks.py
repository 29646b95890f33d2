"""Style, types, imports and languages: `make check`, beside the calls, which mostly wait."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_make_check() -> None:
    done = subprocess.run(["make", "check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
