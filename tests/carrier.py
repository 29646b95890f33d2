"""The telephone network on the other end of the trunk: a bare SIP user agent (RFC 3261) that answers by number.

The last six digits of the number called are two statuses: first the provisional (100 none, 180 rings, 183 progress),
then the final one (000 none, the call just goes on; 200 answers, 299 answers and hangs up at once, both without a
sound). +573010180486 rings and is then busy, +573010100000 is never heard of again. Calls to a number of `phones` are
handed on to a real telephone instead, and what it replies comes back (a stateless proxy, RFC 3261 section 16.11)."""

import asyncio
import re

from tests.asterisk_instance import AsteriskInstance
from tests.raw_ami import raw_ami

ANSWERS, HANGS_UP = 200, 299
PHRASES = {100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 487: "Request Terminated"}
SOUND = (
    "v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 101\r\n"
    "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
)


class Carrier(asyncio.DatagramProtocol):
    """`calls` is each number that was called, once a call (Call-ID), in order, and `shown` what the INVITE says of who
    calls: From, P-Asserted-Identity ("" without one). `told`: every request's method and number. `phones`: number →
    where its telephone is."""

    def __init__(self, asterisk: AsteriskInstance | None = None, *, address: str = "", port: int = 5060) -> None:
        """Without an Asterisk that runs already: at this address, before a house is started that leads there."""
        self._asterisk = asterisk
        self.address, self.port = address, port
        if asterisk is not None and asterisk.plan.trunk is not None:
            self.address, self.port = asterisk.plan.trunk.host, asterisk.plan.trunk.port
        self.calls: list[str] = []
        self.shown: list[tuple[str, str]] = []
        self.told: list[tuple[str, str]] = []
        self.phones: dict[str, tuple[str, int]] = {}
        self._known: set[str] = set()
        self._open: dict[str, tuple[dict[str, list[str]], tuple[str, int]]] = {}
        self._leaving: dict[str, tuple[dict[str, list[str]], tuple[str, int]]] = {}
        self._transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> "Carrier":
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, (self.address, self.port))
        if self._asterisk is None:
            return self
        async with raw_ami(self._asterisk) as ami:
            # a trunk without an answer to OPTIONS is not used
            known = f"sip:{self.address}:{self.port}"
            shown = await self._asterisk.cli("pjsip show contacts")
            if not any(known in line and "Avail" in line for line in shown.splitlines()):
                await self._asterisk.cli("pjsip qualify trunk")
                await ami.event("ContactStatus", AOR="trunk", ContactStatus="Reachable")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._transport is not None
        self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        head = data.decode().partition("\r\n\r\n")[0].split("\r\n")
        method, _, rest = head[0].partition(" ")
        headers: dict[str, list[str]] = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            headers.setdefault(name.strip().lower(), []).append(value.strip())
        call, number = headers["call-id"][0], rest.removeprefix("sip:").partition("@")[0]
        self.told.append((method, number))
        if method == "INVITE" and call not in self._known:
            self.shown.append((headers["from"][0], "".join(headers.get("p-asserted-identity", []))))
        if method == "SIP/2.0":
            self._hand_back(data, headers["via"])
        elif number in self.phones:
            if method == "INVITE" and call not in self._known:
                self._known.add(call)
                self.calls.append(number)
            self._hand_on(data, headers["via"][0], self.phones[number])
        elif method in ("OPTIONS", "BYE"):
            self._reply(headers, addr, 200)
        elif method == "CANCEL":
            self._reply(headers, addr, 200)
            if call in self._open:
                self._reply(*self._open.pop(call), 487)
        elif method == "ACK" and call in self._leaving:
            self._bye(*self._leaving.pop(call))
        elif method == "INVITE" and call not in self._known:
            self._known.add(call)
            self.calls.append(number)
            first, final = int(number[-6:-3]), int(number[-3:])
            self._open[call] = (headers, addr)
            if first != 100 or final:
                self._reply(headers, addr, first)
            if final == HANGS_UP:
                self._leaving[call] = headers, addr
            if final:
                self._reply(headers, addr, ANSWERS if final == HANGS_UP else final, answers=final in (200, 299))

    def _hand_on(self, data: bytes, via: str, phone: tuple[str, int]) -> None:
        """What follows an INVITE (CANCEL, the ACK of a refusal) has its branch, and so the same one of ours."""
        branch = re.search(r"branch=([^;\s]+)", via)
        assert branch is not None and self._transport is not None
        first, _, rest = data.partition(b"\r\n")
        ours = f"Via: SIP/2.0/UDP {self.address}:{self.port};branch={branch[1]}.1".encode()
        self._transport.sendto(b"\r\n".join((first, ours, rest)), phone)

    def _hand_back(self, data: bytes, vias: list[str]) -> None:
        """Without our own Via, to the one below it; an answer to what we said ourselves has none."""
        if len(vias) < 2:
            return
        below = re.search(r"SIP/2.0/UDP ([\d.]+):?(\d*)", vias[1])
        assert below is not None and self._transport is not None
        lines = data.split(b"\r\n")
        lines.pop(next(n for n, line in enumerate(lines) if line.lower().startswith(b"via:")))
        self._transport.sendto(b"\r\n".join(lines), (below[1], int(below[2] or 5060)))

    def _bye(self, headers: dict[str, list[str]], addr: tuple[str, int]) -> None:
        contact = re.search(r"<(.+)>", headers["contact"][0])
        assert contact is not None and self._transport is not None
        lines = [
            f"BYE {contact[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.address}:{self.port};branch=z9hG4bK{len(self._known)}",
        ]
        lines += [f"From: {headers['to'][0]};tag=carrier", f"To: {headers['from'][0]}"]
        lines += [f"Call-ID: {headers['call-id'][0]}", "CSeq: 1 BYE", "Max-Forwards: 70", "Content-Length: 0", "", ""]
        self._transport.sendto("\r\n".join(lines).encode(), addr)

    def _reply(
        self, headers: dict[str, list[str]], addr: tuple[str, int], status: int, *, answers: bool = False
    ) -> None:
        sound = SOUND.format(self.address) if status == 183 or answers else ""
        tag = "" if status == 100 else ";tag=carrier"
        lines = [f"SIP/2.0 {status} {PHRASES.get(status, 'No')}"]
        lines += [f"Via: {via}" for via in headers["via"]]
        lines += [f"From: {headers['from'][0]}", f"To: {headers['to'][0]}{tag}"]
        lines += [f"Call-ID: {headers['call-id'][0]}", f"CSeq: {headers['cseq'][0]}"]
        lines += [f"Contact: <sip:carrier@{self.address}:{self.port}>"]
        lines += ["Content-Type: application/sdp"] if sound else []
        lines += [f"Content-Length: {len(sound)}", "", sound]
        assert self._transport is not None
        self._transport.sendto("\r\n".join(lines).encode(), addr)
