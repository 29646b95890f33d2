"""Everybody outside: SIPp answers every number behind the trunk of a real site.

SIPp knows nothing of ours: what its message file says that it was sent is what patients' phones would have done.
"""

import contextlib
import re
import struct
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.asterisk_instance import network
from tests.house import House, real_house

SCENARIOS = Path(__file__).parent / "sipp"
PORT = 5060
KEY_S = 0.4  # from one key to the next
_REQUEST = re.compile(r"^(INVITE|CANCEL) sip:(\+\d+)@.*?^Call-ID: (\S+)", re.MULTILINE | re.DOTALL)


def keys(file: Path, *pressed: tuple[float, str]) -> None:
    """A capture of keys for SIPp to play (RFC 4733, payload 101): after so many seconds (the first at once), these.

    SIPp's own play_dtmf numbers its packets anew with each use, which Asterisk takes for late ones.
    """
    at, seq = 0.0, 1
    packets = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)]
    for pause, some in pressed:
        at += pause
        for key in some:
            began = round(at * 8000)
            for n in range(8):  # 100 ms, the last three say that it has ended
                event = struct.pack("!BBH", "0123456789*#".index(key), 0x80 * (n > 4) + 10, 160 * min(n + 1, 6))
                rtp = struct.pack("!BBHII", 0x80, 101 + 0x80 * (n == 0), seq, began, 0x5150) + event
                udp = struct.pack("!HHHH", 6000, 6000, 8 + len(rtp), 0) + rtp
                ip = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, 0x7F000001, 0x7F000001) + udp
                frame = bytes(12) + b"\x08\x00" + ip
                seconds, part = divmod(at + 0.02 * n, 1)
                packets.append(struct.pack("<IIII", int(seconds), int(part * 1e6), len(frame), len(frame)) + frame)
                seq += 1
            at += KEY_S
    file.write_bytes(b"".join(packets))


def number(n: int) -> str:
    """Of the patient number `n`, below 1000."""
    return f"+576015551{n:03d}"


class Witness:
    """What was sent to the patients' phones."""

    def __init__(self, messages: Path) -> None:
        self._messages, self._size = messages, 0
        self._sent: dict[str, dict[str, set[str]]] = {}

    def rang(self) -> Mapping[str, set[str]]:
        """The calls (SIP's Call-ID: a repeated INVITE is the same call) of each number that was dialled."""
        return self._all_sent().get("INVITE", {})

    def gave_up(self) -> Mapping[str, set[str]]:
        """Those that were ended before anybody had picked up."""
        return self._all_sent().get("CANCEL", {})

    def _all_sent(self) -> Mapping[str, Mapping[str, set[str]]]:
        """Read anew when there is more."""
        raw = self._messages.read_bytes() if self._messages.exists() else b""
        if len(raw) != self._size:
            self._size, self._sent = len(raw), {"INVITE": {}, "CANCEL": {}}
            for message in re.split(r"^-{20,}.*$", raw.decode(errors="replace"), flags=re.MULTILINE):
                match = _REQUEST.search(message)
                if match and "received" in message:
                    self._sent[match[1]].setdefault(match[2], set()).add(match[3])
        return self._sent


@contextlib.contextmanager
def site(
    folder: Path,
    scenario: str,
    lines: int,
    prepare: Callable[[House], object] = lambda house: None,
    **environment: str,
) -> Iterator[tuple[House, Witness]]:
    """`scenario`: of the folder sipp, what the patients do. `lines`: automatic calls at once, and begun in a second.
    `prepare`: before the house starts. `environment`: more of it for the house's processes."""
    trunk = f"{network()}.90"
    house = real_house(folder, trunk, f"[automatic]\nlines = {lines}\nper_second = {max(1, lines)}\n")
    house.environment |= environment
    prepare(house)
    with everybody(trunk, folder, scenario) as witness:
        try:
            house.start()
            yield house, witness
        finally:
            house.stop()


@contextlib.contextmanager
def everybody(address: str, folder: Path, scenario: str, *more: str) -> Iterator[Witness]:
    """SIPp is there before Asterisk is: a trunk that does not answer at first is not dialled for a while. `more`: what
    else it is told; its files are in `folder`."""
    messages = folder / f"{scenario}.messages"
    asked = [*more, "-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", address, "-mi", address, "-p", str(PORT)]
    running = subprocess.Popen(
        ["sipp", *asked, "-nostdin", "-trace_msg", "-message_file", str(messages)],
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
