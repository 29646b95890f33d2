"""The root that Asterisks share: a new one takes its place without harm to who runs on the one before."""

import asyncio
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from hotline import asterisk_root
from tests.asterisk_instance import AsteriskInstance, demo_plan, free_address


@pytest.mark.asterisk
def test_a_root_in_use_is_kept_until_its_last_asterisk_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, static_sounds: Path
) -> None:
    shared = asterisk_root.ensure_root()
    monkeypatch.setenv("HOTLINE_CACHE", str(tmp_path / "cache"))
    root = asterisk_root.root_folder()
    root.parent.mkdir()
    subprocess.run(["cp", "-a", shared, root], check=True)
    asterisk = AsteriskInstance(demo_plan(free_address()), tmp_path / "instance", static_sounds)
    asterisk.start()
    try:
        finished = tmp_path / "finished"
        (finished / asterisk_root.IN_USE).parent.mkdir(parents=True)
        (finished / asterisk_root.IN_USE).touch()
        asterisk_root._put_in_place(finished, root)
        asterisk_root.clear_aside()
        assert not (root / "usr").exists(), "the next start takes the new one"
        (old,) = root.parent.glob("*.old-*")
        assert "Dialplan reloaded" in asyncio.run(asterisk.cli("dialplan reload"))
        assert (old / "usr/sbin/asterisk").exists()
    finally:
        asterisk.stop()
    deadline = time.monotonic() + 10
    while old.exists() and time.monotonic() < deadline:  # the kernel ends what ran in it a moment later
        asterisk_root.clear_aside()
        time.sleep(0.05)
    assert list(root.parent.iterdir()) == [root]
    shutil.rmtree(root.parent)
