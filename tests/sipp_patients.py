"""Everybody outside: SIPp answers every number of a trunk, and its message file says what it was sent.

It knows nothing of ours: what it saw is what patients' phones would have done.
"""

import contextlib
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SCENARIO = Path(__file__).parent / "sipp" / "patients.xml"
PORT = 5060
_INVITE = re.compile(r"^INVITE sip:(\+\d+)@.*?^Call-ID: (\S+)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Witness:
    messages: Path

    def rang(self) -> dict[str, set[str]]:
        """The calls (SIP's Call-ID: a repeated INVITE is the same call) of each number that was dialled."""
        text = self.messages.read_text(errors="replace") if self.messages.exists() else ""
        found: dict[str, set[str]] = defaultdict(set)
        for message in re.split(r"^-{20,}.*$", text, flags=re.MULTILINE):
            match = _INVITE.search(message)
            if match and "received" in message:
                found[match[1]].add(match[2])
        return found


@contextlib.contextmanager
def everybody(address: str, folder: Path) -> Iterator[Witness]:
    """Phones of every number, at `address`."""
    messages = folder / "sipp.messages"
    command = ["sipp", "-sf", str(SCENARIO), "-i", address, "-mi", address, "-p", str(PORT), "-nostdin"]
    running = subprocess.Popen(
        [*command, "-trace_msg", "-message_file", str(messages)],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Witness(messages)
    finally:
        running.kill()
        running.wait()
