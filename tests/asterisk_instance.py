"""A real Asterisk for tests, on a loopback address of its own, from the templates of `dialplans`.

Each test worker has one network 127.0.<20 + worker>.0/24 (HOTLINE_TEST_NETWORK=127.0.20 chooses another): Asterisk
takes the first free address of .1 to .9, phones take .31 to .89, the trunk .90, a whole house's phones .100 and up."""

import asyncio
import contextlib
import itertools
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soxr

from dialplans import Account, Plan, Trunk, render
from hotline import asterisk as asterisk_process
from hotline import asterisk_root, numbering
from tests.late import LATE
from tests.phone import Phone, before_others

SPOKEN = {
    "en": {
        "apology": "We are sorry, something went wrong. Please stay on the line, a person will help you.",
        "ivr_down_menu": "Our automatic service is out of order. To leave a number for a call back, press one.",
        "callback_number": "Please enter your telephone number and then the hash key.",
        "outgoing_down": "This is Hospital San Rafael. Please call us back on 600.",
        "callback_thanks": "Thank you. We will call you back as soon as we can.",
        "queue_callback_offer": "If you would rather be called back, press one at any time.",
        "emergency": "In an emergency hang up and dial the emergency number from another telephone.",
        "goodbye": "Thank you for your call. Goodbye.",
        "please_wait": "One moment please, we are connecting you.",
    },
    "es": {
        "apology": "Lo sentimos, algo ha fallado. No cuelgue, le atenderá una persona.",
        "ivr_down_menu": "El servicio automático no funciona. Para dejar un número y que le llamemos, pulse uno.",
        "callback_number": "Marque su número de teléfono y después la tecla almohadilla.",
        "callback_thanks": "Gracias. Le llamaremos lo antes posible.",
        "queue_callback_offer": "Si prefiere que le llamemos nosotros, pulse uno en cualquier momento.",
        "emergency": "En una emergencia cuelgue y marque el número de emergencias desde otro teléfono.",
        "goodbye": "Gracias por su llamada. Hasta luego.",
        "please_wait": "Un momento por favor, le ponemos en comunicación.",
    },
}
"""Static prompts for tests that need no real voice: language → key → words."""


def network() -> str:
    """The first three parts of this worker's addresses."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return os.environ.get("HOTLINE_TEST_NETWORK", f"127.0.{20 + int(worker)}")


class AsteriskInstance:
    """One running Asterisk. `plan` is what it was configured with, `sounds` and `spool` are folders that it sees as
    /hotline/sounds and /hotline/spool."""

    def __init__(self, plan: Plan, folder: Path, sounds: Path | None = None) -> None:
        self.plan = plan
        self.folder = folder
        self.sounds = sounds or folder / "sounds"
        self.spool = folder / "spool"
        self._process: subprocess.Popen[bytes] | None = None
        # .90 is the trunk's: Asterisk takes whoever registers from there for the trunk, and answers 404.
        self._phone_addresses = itertools.cycle(range(31, 90))

    @property
    def address(self) -> str:
        return self.plan.address

    @property
    def log(self) -> str:
        return (self.folder / "log" / "messages.log").read_text(errors="replace")

    def start(self) -> None:
        """Start and wait until every module is loaded (about half a second). Raises AsteriskFailed."""
        root = asterisk_root.ensure_root()
        asterisk_process.prepare_instance(self.folder, render(self.plan))
        asterisk_process.check_configuration(self.folder)
        command = asterisk_process.asterisk_command(root, self.folder, sounds=self.sounds)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=before_others,
        )
        try:
            self._wait_until_booted(time.monotonic() + 20)
        except BaseException:
            self.stop()
            raise

    def _wait_until_booted(self, deadline: float) -> None:
        while "fully booted" not in self._cli_now("core waitfullybooted"):
            assert self._process is not None
            if self._process.poll() is not None or time.monotonic() > deadline:
                errors = asterisk_process.last_errors(self.folder)
                raise asterisk_process.AsteriskFailed(f"Asterisk did not start: {errors}")
            time.sleep(0.03)  # the control socket is not there yet, and nothing announces it

    def _cli_now(self, command: str) -> str:
        with contextlib.suppress(asterisk_process.AsteriskFailed):
            return asyncio.run(asterisk_process.asterisk_cli(self.folder, command))
        return ""

    def stop(self) -> None:
        """End it at once, calls and all."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=10)
            self._process = None

    async def cli(self, command: str) -> str:
        """What Asterisk's console answers."""
        return await asterisk_process.asterisk_cli(self.folder, command)

    def account(self, username: str) -> Account:
        return next(account for account in self.plan.accounts if account.username == username)

    def sound(self, key: str, language: str = "en") -> Path:
        """The file of a static prompt."""
        return self.sounds / language / "static" / f"{key}.sln16"

    async def phone(self, username: str) -> Phone:
        """The registered phone of an account. The test stops it."""
        account = self.account(username)
        return await Phone.start(
            address=f"{network()}.{next(self._phone_addresses)}",
            server=self.address,
            username=username,
            secret=account.secret,
        )

    async def shows(self, text: str, command: str, within: float = 15) -> None:
        """Wait until Asterisk's console answers `command` with `text` in it."""
        deadline = asyncio.get_running_loop().time() + within
        while text not in (shown := await self.cli(command)):
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"{LATE}: {command} does not show {text!r} within {within} s but {shown}")
            await asyncio.sleep(0.05)

    async def no_channels(self, within: float = 15) -> None:
        """Wait until no call is left in Asterisk; fail when one stays."""
        await self.shows("\n0 active channels", "core show channels", within)


def free_address() -> str:
    """The first of .1 to .9 of this worker's network on which no Asterisk listens."""
    for last in range(1, 10):
        address = f"{network()}.{last}"
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, numbering.AMI_PORT))
            except OSError:
                continue
            return address
    raise RuntimeError(f"all of {network()}.1 to .9 are taken; end what listens there")


def demo_plan(address: str) -> Plan:
    """The demo's accounts (none in a browser) with a trunk at <network>.90, which is trusted."""
    accounts = tuple(
        Account(
            username=one.username,
            secret=secrets.token_hex(8),
            context=one.context,
            extension=one.extension,
            number=one.number,
            language=one.language,
        )
        for one in numbering.DEMO_ACCOUNTS
    )
    carrier = f"{network()}.90"
    return Plan(
        address=address,
        agi_secret=secrets.token_hex(16),
        ami_secret=secrets.token_hex(16),
        accounts=accounts,
        trunk=Trunk(host=carrier, sources=(carrier,), numbers=("6015550199",), caller_id="6015550199", trusted=True),
        allowed_outside=("_+57XXXXXXXXXX",),
    )


def speak_static(sounds: Path) -> None:
    """Render SPOKEN into `sounds` with espeak-ng, as raw 16 kHz files."""
    for language, prompts in SPOKEN.items():
        folder = sounds / language / "static"
        folder.mkdir(parents=True, exist_ok=True)
        for key, words in prompts.items():
            wav = subprocess.run(
                ["espeak-ng", "-v", language, "-s", "160", "--stdout", words], capture_output=True, check=True
            ).stdout
            to_16k(wav, folder / f"{key}.sln16")


def to_16k(wav: bytes, target: Path) -> None:
    """A WAV as raw 16 kHz sound."""
    rate = int.from_bytes(wav[24:28], "little")
    samples = np.frombuffer(wav[44 : 44 + (len(wav) - 44) // 2 * 2], dtype="<i2").astype(np.float32)
    target.write_bytes((soxr.resample(samples, rate, 16000) * 0.8).astype("<i2").tobytes())


@pytest.fixture(scope="session")
def static_sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sounds")
    folder.chmod(0o755)
    speak_static(folder)
    return folder


@pytest.fixture(scope="session")
def asterisk(tmp_path_factory: pytest.TempPathFactory, static_sounds: Path) -> Iterator[AsteriskInstance]:
    """One Asterisk for all tests of this worker, with the demo's accounts."""
    folder = tmp_path_factory.mktemp("asterisk")
    instance = AsteriskInstance(demo_plan(free_address()), folder, static_sounds)
    instance.start()
    yield instance
    instance.stop()
    shutil.rmtree(folder, ignore_errors=True)


def with_plan(instance: AsteriskInstance, folder: Path, **changes: object) -> AsteriskInstance:
    """Another instance, not yet started, on the next free address, that differs in some fields of its plan."""
    plan = replace(instance.plan, address=free_address(), **changes)  # type: ignore[arg-type]
    return AsteriskInstance(plan, folder, instance.sounds)
