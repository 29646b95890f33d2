"""Where everything lies below the data folder, and the secrets that are made there.

site.key        32 random bytes, 0600: opens the vault. Without it nothing personal can be read: back it up apart
secrets.json    0600: AMI and one SIP secret for each account, made once; the AGI secret, new at each start
postgres/       the private cluster (its socket lies beside it, see postgres.py)
asterisk/       Asterisk's instance folder (etc, log, run …)
sounds/         the prompt cache             spool         plain recordings, until they are sealed
recordings/     sealed recordings            outbox/       what the file gateway sent
ears/           models of the engines that listen, installed by the operator
log/            the hotline's own logs
"""

import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from dialplans import Account, Plan, Trunk
from hotline import numbering, postgres
from hotline.settings import Settings

LETTERS = 24  # characters of a secret: 144 bits


@dataclass(frozen=True)
class Secrets:
    """`sip`: account → secret."""

    agi: str = field(repr=False)
    ami: str = field(repr=False)
    sip: dict[str, str] = field(repr=False)

    def every(self) -> tuple[str, ...]:
        """All that must not be in a log."""
        return (self.agi, self.ami, *self.sip.values())


@dataclass(frozen=True)
class Places:
    data: Path

    @property
    def site_key(self) -> Path:
        return self.data / "site.key"

    @property
    def secrets(self) -> Path:
        return self.data / "secrets.json"

    @property
    def cluster(self) -> postgres.Cluster:
        return postgres.Cluster(self.data / "postgres")

    @property
    def asterisk(self) -> Path:
        return self.data / "asterisk"

    @property
    def spool(self) -> Path:
        return self.asterisk / "spool"

    @property
    def call_records(self) -> Path:
        """calls.csv, which Asterisk writes a line a leg to (cdr_custom)."""
        return self.asterisk / "log" / "calls.csv"

    @property
    def sounds(self) -> Path:
        return self.data / "sounds"

    @property
    def recordings(self) -> Path:
        return self.data / "recordings"

    @property
    def ears(self) -> Path:
        return self.data / "ears"

    @property
    def outbox(self) -> Path:
        return self.data / "outbox"

    @property
    def log(self) -> Path:
        return self.data / "log"


def places(settings: Settings) -> Places:
    return Places(settings.data.absolute())


def read_secrets(here: Places) -> Secrets:
    """What `make_secrets` wrote. Raises FileNotFoundError before the first start."""
    kept = json.loads(here.secrets.read_text(encoding="utf-8"))
    return Secrets(kept["agi"], kept["ami"], kept["sip"])


def make_secrets(here: Places, usernames: list[str]) -> Secrets:
    """At each start: a new AGI secret; the AMI's and one for each SIP account are made once and kept."""
    kept = read_secrets(here) if here.secrets.exists() else Secrets("", _secret(), {})
    sip = {name: kept.sip.get(name) or _secret() for name in usernames}
    made = Secrets(_secret(), kept.ami, sip)
    content = json.dumps({"agi": made.agi, "ami": made.ami, "sip": made.sip}, indent=1)
    write_private(here.secrets, content.encode())
    return made


def _secret() -> str:
    return secrets.token_urlsafe(LETTERS)[:LETTERS].replace("_", "x")


def write_private(path: Path, content: bytes) -> None:
    """For the owner only; the file is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)


def database_url(settings: Settings, here: Places) -> str:
    """SQLAlchemy's address of the hospital's server where one is named, else of the private cluster."""
    if settings.database.url is not None:
        return settings.database.url.get_secret_value()
    return here.cluster.url()


def plan(settings: Settings, made: Secrets, accounts: tuple[numbering.Account, ...]) -> Plan:
    """What Asterisk's configuration is rendered from."""
    trunk = None
    if settings.trunk is not None:
        line = settings.trunk
        trunk = Trunk(
            host=line.host,
            port=line.port,
            sources=line.sources,
            numbers=line.numbers,
            caller_id=line.caller_id,
            trusted=line.trusted,
            username=line.username,
            secret=line.password.get_secret_value(),
            from_user=line.from_user,
        )
    return Plan(
        address=settings.address,
        agi_secret=made.agi,
        ami_secret=made.ami,
        accounts=tuple(
            Account(
                a.username,
                made.sip[a.username],
                a.context,
                a.extension,
                a.number,
                a.language,
                browser=a.browser and settings.browser_phones,
            )
            for a in accounts
        ),
        queues=tuple(numbering.QUEUES),
        desk=numbering.DESK.username,
        desk_penalty=numbering.DESK_PENALTY,
        callback_offer_seconds=numbering.QUEUE_CALLBACK_SECONDS,
        emergency_numbers=(settings.site.emergency_number,),
        allowed_outside=settings.trunk.allow if settings.trunk else (),
        trunk=trunk,
        languages=(
            settings.site.default_language,
            *(x for x in settings.site.languages if x != settings.site.default_language),
        ),
        hotline_extension=numbering.HOTLINE_EXTENSION,
        node=settings.node,
        ami_user=numbering.AMI_USER,
        sip_port=numbering.SIP_PORT,
        ami_port=numbering.AMI_PORT,
        agi_port=numbering.AGI_PORT,
        http_port=numbering.ASTERISK_HTTP_PORT,
        rtp_ports=numbering.RTP_PORTS,
        calls_at_once=settings.throttle.at_once,
    )
