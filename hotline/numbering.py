"""Ports, extensions, accounts and contexts: every fixed number and name of the house, in one place.

docs/NUMBERING.md is this file as a table, and a test proves that they agree. Other rooms never import it: they get
what they need through `wiring.py`. All demo numbers are fictional or reserved for documentation."""

from dataclasses import dataclass

# ── Ports: constant on every instance; what differs between instances is the address ────────────────────────────

SIP_PORT = 5060
"""SIP over UDP."""
AMI_PORT = 5038
"""Asterisk Manager Interface, TCP."""
AGI_PORT = 4573
"""FastAGI: Asterisk connects to the ivr here, TCP."""
AUDIO_PORT = 4574
"""AudioSocket: Asterisk brings the sound of voice turns to the ivr here, TCP, on loopback only."""
ASTERISK_HTTP_PORT = 8088
"""Asterisk's HTTP server: SIP over WebSocket for browser phones, TCP."""
CONSOLE_PORT = 8000
"""The console, TCP; settings may change it, and the next."""
ANSWERS_PORT = 8001
"""The pages on which patients answer by a link, TCP."""
RTP_PORTS = (20000, 21999)  # two for each call
"""First and last UDP port of voice streams."""

PORTS: dict[str, tuple[int, str, str]] = {
    "SIP": (SIP_PORT, "udp", "phones and trunks"),
    "AMI": (AMI_PORT, "tcp", "the hotline steers Asterisk"),
    "FastAGI": (AGI_PORT, "tcp", "Asterisk asks the ivr what to do with a caller"),
    "AudioSocket": (AUDIO_PORT, "tcp", "Asterisk brings the ivr what callers say; on loopback only"),
    "WebSocket": (ASTERISK_HTTP_PORT, "tcp", "browser phones, through the console's own origin"),
    "console": (CONSOLE_PORT, "tcp", "the console, the demo's patient phones, the HTTP API"),
    "answers": (ANSWERS_PORT, "tcp", "the pages on which patients answer by a link, for a TLS proxy"),
}
"""Name → (port, protocol, who uses it)."""

# ── Extensions and contexts ─────────────────────────────────────────────────────────────────────────────────────

HOTLINE_EXTENSION = "600"

CONTEXTS: dict[str, str] = {
    "hotline": "inbound calls: extension 600 and the trunk's numbers",
    "patients": "the demo's patient phones: may dial 600; emergency numbers get a notice; nothing else",
    "agents": "staff phones: 600, one another, outside numbers by the allow-list",
    "dialer": "outgoing legs to patients and to who is on call",
    "nurse-leg": "the nurse's leg that waits while a patient is dialled",
}
"""Context of the dialplan → what may enter it."""

QUEUES: dict[str, str] = {
    "reception": "bookings and everything else that needs a person",
    "nurses": "clinical questions",
    "urgent": "red flags, ahead of every other queue",
}
DESK_PENALTY = 9
"""PJSIP/desk is the last member of every queue: a fixed phone that rings when nobody is signed in."""
QUEUE_CALLBACK_SECONDS = 20
"""After this long in a queue a caller is offered to be called back."""

AMI_USER = "core"
NODE = "n1"
"""Asterisk's `systemname`, and the first part of every call id."""

# ── Accounts ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Account:
    """A SIP account. Its secret is made at the first start, one an account, and is never in a file of the code."""

    username: str
    extension: str
    context: str
    person: str
    number: str = ""
    """Caller id in E.164; patients only."""
    language: str = "en"
    browser: bool = True
    """A phone in a page (SIP over WebSocket). False: any SIP phone, over UDP."""


DEMO_PATIENTS = (
    Account("lucia", "701", "patients", "Lucía", "+573015550101", "es"),
    Account("wiremu", "702", "patients", "Wiremu", "+64215550102", "mi"),
    Account("mei", "703", "patients", "Mei", "+8613055550103", "zh-CN"),
    Account("joao", "704", "patients", "João", "+5511955550104", "pt-BR"),
    Account("ruth", "705", "patients", "Ruth", "+12025550105", "en"),
)

DEMO_STAFF = (
    Account("tom", "201", "agents", "Tom (agent)"),
    Account("ana", "202", "agents", "Ana (nurse)"),
    Account("grace", "203", "agents", "Grace (supervisor)"),
    Account("oscar", "204", "agents", "Oscar (an account without rights)"),
)

DESK = Account("desk", "200", "agents", "the fixed phone, last member of every queue", browser=False)

SOFTPHONE = Account("softphone", "700", "patients", "any softphone, the interpreter's", "+12025550100", browser=False)

DEMO_ACCOUNTS = (DESK, *DEMO_STAFF, SOFTPHONE, *DEMO_PATIENTS)
