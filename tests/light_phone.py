"""Many callers in one process, for next to nothing: SIP by hand (RFC 3261), keys as RFC 4733, no sound of their own.

    async with LightPhone("127.0.20.40", server="127.0.20.1", username="lucia", secret="…") as phone:
        call = await phone.dials("600")
        await call.presses("2")
        await call.hangs_up()

One account has any number of calls side by side; they share one socket for SIP and one for RTP, as a gateway's do. What
is heard is only told from silence (`LightCall.heard_at`); `tests/phone.py` is the phone that listens."""

import asyncio
import hashlib
import random
import re
import secrets
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import Self

from tests.late import LATE, in_time

EVENT, ULAW = 101, 0  # payload types
KEYS = "0123456789*#"
TONE, STEP = 0.1, 0.02  # seconds that a key lasts, and from one packet to the next
SILENT = frozenset({0xFF, 0x7F, 0xFE, 0x7E})  # µ-law of nothing, and of nothing as an encoder rounds it
RESEND = (0.5, 1.0, 2.0, 4.0)  # timer A
_SDP = (
    "v=0\r\no=- {0} 1 IN IP4 {1}\r\ns=-\r\nc=IN IP4 {1}\r\nt=0 0\r\nm=audio {2} RTP/AVP 0 101\r\n"
    "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
)


class Refused(Exception):
    """The call was not taken. `code` is SIP's; 0 where nothing came."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the call was refused with {code}" if code else f"{LATE}: nobody answered the INVITE")
        self.code = code


@dataclass(eq=False)
class LightCall:
    """One call. `heard_at`: when the first packet with sound came after the last key, or 0 (`time.perf_counter`)."""

    phone: "LightPhone"
    id: str
    tag: str
    uri: str
    remote_tag: str = ""
    target: str = ""
    rtp: tuple[str, int] = ("", 0)
    cseq: int = 1
    answered: asyncio.Future[int] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    over: asyncio.Event = field(default_factory=asyncio.Event)
    packets: int = 0
    heard_at: float = 0.0
    last_sound: float = 0.0
    deaf_until: float = 0.0
    sounds: asyncio.Event = field(default_factory=asyncio.Event)
    _sequence: int = field(default_factory=lambda: random.randrange(1 << 15))
    _stamp: int = field(default_factory=lambda: random.randrange(1 << 30))
    _ssrc: int = field(default_factory=lambda: random.randrange(1 << 32))
    _begun: float = field(default_factory=time.perf_counter)

    async def presses(self, keys: str, *, tone: float = TONE, gap: float = 0.1) -> float:
        """Each key lasts `tone` seconds, `gap` lies between two. Returns when the last one began."""
        at = 0.0
        for index, key in enumerate(keys):
            if index and gap:
                await asyncio.sleep(gap)
            at = await self._press(KEYS.index(key), tone)
        return at

    async def answers(self, keys: str, within: float = 30, *, gap: float = 0.1) -> None:
        """Waits for the next prompt to be spoken, then presses. Its phone listens."""
        async with in_time(within, "the next prompt is heard"):
            await self.sounds.wait()
        await self.presses(keys, gap=gap)

    def waits_for_the_next(self) -> None:
        """The answer was taken, as who asks knows: what is heard from now on, but for what fades, is the next prompt.
        Of a key alone that is not sure: a machine that is slow speaks on for longer than `fades`."""
        self.deaf_until = time.perf_counter() + self.phone.fades
        self.heard_at = 0.0
        self.sounds.clear()

    async def _press(self, event: int, tone: float) -> float:
        began = time.perf_counter()
        self.deaf_until = began + self.phone.fades
        self.sounds.clear()
        stamp = (self._stamp + int((began - self._begun) * 8000)) & 0xFFFFFFFF
        self.heard_at = 0.0
        steps = round(tone / STEP)
        for step in range(1, steps + 1):
            self._event(event, stamp, step, first=step == 1, last=step == steps)
            await asyncio.sleep(STEP)
        for _ in range(2):  # the end is said three times
            self._event(event, stamp, steps, first=False, last=True)
        return began

    def _event(self, event: int, stamp: int, step: int, *, first: bool, last: bool) -> None:
        self._sequence = (self._sequence + 1) & 0xFFFF
        marker = 0x80 if first else 0
        head = struct.pack("!BBHII", 0x80, EVENT | marker, self._sequence, stamp, self._ssrc)
        length = round(step * STEP * 8000)
        self.phone.send_rtp(head + struct.pack("!BBH", event, (0x80 if last else 0) | 10, length), self.rtp)

    async def hangs_up(self) -> None:
        if not self.over.is_set():
            self.over.set()
            self.phone.bye(self)

    async def hung_up(self, within: float = 10) -> None:
        """Fails where the other side has not ended the call."""
        async with in_time(within, "it is hung up on"):
            await self.over.wait()

    def hears(self, payload: bytes) -> None:
        self.packets += 1
        if not SILENT.issuperset(payload):
            self.last_sound = time.perf_counter()
            if not self.heard_at and self.last_sound > self.deaf_until:
                self.heard_at = self.last_sound
                self.sounds.set()


class LightPhone(asyncio.DatagramProtocol):
    """`listens`: look at what is heard; without it sound is left in the socket, and costs nothing. `fades`: seconds
    after the beginning of a key in which the prompt that it stops may still be heard. `name`: beside the number; bytes
    that are no UTF-8 as surrogates. `headers`: more of them, each with its end."""

    def __init__(
        self,
        address: str,
        *,
        server: str,
        username: str,
        secret: str = "",
        name: str = "",
        headers: str = "",
        listens: bool = False,
        fades: float = 0.3,
    ) -> None:
        self.address, self.server, self.username, self._secret = address, server, username, secret
        self._name = name and f'"{name}" '
        self._headers = headers
        self._listens, self.fades = listens, fades
        self._calls: dict[str, LightCall] = {}
        self._by_port: dict[int, LightCall] = {}
        self._sip: asyncio.DatagramTransport | None = None
        self._rtp_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.port = self.rtp_port = 0

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._sip, _ = await loop.create_datagram_endpoint(lambda: self, (self.address, 0))
        self.port = self._sip.get_extra_info("sockname")[1]
        self._rtp_socket.setblocking(False)
        self._rtp_socket.bind((self.address, 0))
        self.rtp_port = self._rtp_socket.getsockname()[1]
        if self._listens:
            self._rtp_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            loop.add_reader(self._rtp_socket, self._hear)
        return self

    async def __aexit__(self, *_: object) -> None:
        for call in list(self._calls.values()):
            await call.hangs_up()
        if self._listens:
            asyncio.get_running_loop().remove_reader(self._rtp_socket)
        self._rtp_socket.close()
        assert self._sip is not None
        self._sip.close()

    async def dials(self, extension: str, *, within: float = 10) -> LightCall:
        """Returns when it was answered. Raises Refused."""
        call = LightCall(self, secrets.token_hex(12), secrets.token_hex(6), f"sip:{extension}@{self.server}")
        self._calls[call.id] = call
        sending = asyncio.create_task(self._invite(call))
        try:
            async with asyncio.timeout(within):
                code = await call.answered
        except TimeoutError:
            code = 0
        finally:
            sending.cancel()
        if code != 200:
            del self._calls[call.id]
            raise Refused(code)
        return call

    async def _invite(self, call: LightCall, credentials: str = "") -> None:
        sdp = _SDP.format(random.randrange(1 << 30), self.address, self.rtp_port)
        packet = self._request("INVITE", call, credentials, sdp)
        for wait in RESEND:
            self._send(packet)
            await asyncio.sleep(wait)

    def bye(self, call: LightCall) -> None:
        call.cseq += 1
        self._send(self._request("BYE", call))

    # ── SIP ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        head, _, body = data.decode(errors="replace").partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        headers = [line.partition(":")[::2] for line in lines]
        found = {name.strip().lower(): value.strip() for name, value in reversed(headers)}
        call = self._calls.get(found.get("call-id", ""))
        if first.startswith("SIP/2.0 "):
            if call is not None:
                self._reply(call, int(first.split(" ")[1]), found, body)
        elif not first.startswith("ACK "):
            vias = [f"Via:{value}" for name, value in headers if name.strip().lower() == "via"]
            same = [f"{name}: {found[name.lower()]}" for name in ("From", "To", "Call-ID", "CSeq")]
            self._send("\r\n".join(["SIP/2.0 200 OK", *vias, *same, "Content-Length: 0", "", ""]))
            if call is not None and first.startswith("BYE "):
                call.over.set()
                self._forget(call)

    def _reply(self, call: LightCall, code: int, found: dict[str, str], body: str) -> None:
        if "BYE" in found["cseq"]:
            self._forget(call)
            return
        if code < 200 or found["cseq"].split() != [str(call.cseq), "INVITE"]:
            return  # also what was said again of the INVITE before
        tag = re.search(r";tag=([^;\s]+)", found["to"])
        call.remote_tag = tag.group(1) if tag else ""
        if code == 200:
            target = re.search(r"<([^>]+)>", found.get("contact", ""))
            call.target = target.group(1) if target else call.uri
            port, host = re.search(r"m=audio (\d+)", body), re.search(r"c=IN IP4 (\S+)", body)
            assert port and host
            call.rtp = (host.group(1), int(port.group(1)))
            self._by_port[call.rtp[1]] = call
        self._send(self._request("ACK", call))
        if code == 401 and call.cseq == 1:
            call.cseq += 1
            call.remote_tag = ""
            asyncio.get_running_loop().create_task(self._again(call, found["www-authenticate"]))
        elif not call.answered.done():
            call.answered.set_result(code)

    async def _again(self, call: LightCall, challenge: str) -> None:
        sending = asyncio.create_task(
            self._invite(call, credentials(self.username, self._secret, "INVITE", call.uri, challenge))
        )
        await asyncio.wait([call.answered], timeout=sum(RESEND))
        sending.cancel()

    def _request(self, method: str, call: LightCall, credentials: str = "", sdp: str = "") -> str:
        to = f";tag={call.remote_tag}" if call.remote_tag else ""
        return (
            f"{method} {call.target or call.uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self.address}:{self.port};branch=z9hG4bK{call.tag}{call.cseq}{method[0]};rport\r\n"
            f"Max-Forwards: 70\r\nTo: <{call.uri}>{to}\r\n"
            f"From: {self._name}<sip:{self.username}@{self.server}>;tag={call.tag}\r\n"
            f"Call-ID: {call.id}\r\nCSeq: {call.cseq} {method}\r\n"
            f"Contact: <sip:{self.username}@{self.address}:{self.port}>\r\n{credentials}{self._headers}"
            + ("Content-Type: application/sdp\r\n" if sdp else "")
            + f"Content-Length: {len(sdp)}\r\n\r\n{sdp}"
        )

    def _send(self, packet: str) -> None:
        assert self._sip is not None
        if not self._sip.is_closing():
            self._sip.sendto(packet.encode(errors="surrogateescape"), (self.server, 5060))

    def _forget(self, call: LightCall) -> None:
        self._calls.pop(call.id, None)
        self._by_port.pop(call.rtp[1], None)

    # ── RTP ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def send_rtp(self, packet: bytes, to: tuple[str, int]) -> None:
        self._rtp_socket.sendto(packet, to)

    def _hear(self) -> None:
        for _ in range(200):
            try:
                packet, (_, port) = self._rtp_socket.recvfrom(2048)
            except BlockingIOError:
                return
            call = self._by_port.get(port)
            if call is not None and len(packet) > 12 and packet[1] & 0x7F == ULAW:
                call.hears(packet[12:])


def credentials(username: str, secret: str, method: str, uri: str, challenge: str) -> str:
    """RFC 7616 with MD5, as Asterisk asks for it: a header with its line's end."""
    asked = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))
    cnonce, count = secrets.token_hex(4), "00000001"
    md5 = lambda text: hashlib.md5(text.encode()).hexdigest()  # noqa: E731, S324
    who, what = md5(f"{username}:{asked['realm']}:{secret}"), md5(f"{method}:{uri}")
    proof = md5(f"{who}:{asked['nonce']}:{count}:{cnonce}:auth:{what}")
    opaque = f', opaque="{asked["opaque"]}"' if "opaque" in asked else ""
    return (
        f'Authorization: Digest username="{username}", realm="{asked["realm"]}", nonce="{asked["nonce"]}",'
        f' uri="{uri}", response="{proof}", algorithm=MD5, cnonce="{cnonce}", qop=auth, nc={count}{opaque}\r\n'
    )


def register(address: str, port: int, server: str, username: str, secret: str) -> None:
    """Registers a telephone that something else plays at this address and port from now on. Raises `Refused`."""
    uri, call_id, answer, code = f"sip:{server}", secrets.token_hex(12), "", 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sip:
        sip.bind((address, port))
        sip.settimeout(5)
        for cseq in (1, 2):
            challenge = re.search(r"WWW-Authenticate: (.*)", answer)
            proof = credentials(username, secret, "REGISTER", uri, challenge[1]) if challenge else ""
            asked = (
                f"REGISTER {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {address}:{port};branch=z9hG4bK{call_id}{cseq};rport\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:{username}@{server}>;tag={call_id}\r\n"
                f"To: <sip:{username}@{server}>\r\nCall-ID: {call_id}\r\nCSeq: {cseq} REGISTER\r\n"
                f"Contact: <sip:{username}@{address}:{port}>\r\n{proof}Content-Length: 0\r\n\r\n"
            )
            sip.sendto(asked.encode(), (server, 5060))
            while not (answer := sip.recv(4096).decode()).startswith("SIP/2.0 ") or call_id not in answer:
                pass
            code = int(answer.split(" ")[1])
    if code != 200:
        raise Refused(code)
