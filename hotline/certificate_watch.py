"""The console's certificate, renewed while it runs: looked at all the time, its end is warned of.

New connections get the new one; those that are open keep theirs. A pair that does not load together (half written, of
two keys) changes nothing, and is logged once.
"""

import json
import logging
import os
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypedDict

from cryptography import x509

from hotline.places import Places

log = logging.getLogger(__name__)

EVERY_S = 10.0
WARNED = timedelta(days=14)
AGAIN = timedelta(days=1)
STALE_S = 60.0

Pair = tuple[bytes, bytes]
"""A certificate with its chain, and its key: PEM."""


class Told(TypedDict):
    at: float  # seconds since 1970
    expires: float  # of the one that is served; seconds since 1970
    refused: str | None  # why the files are not what is served


class CertificateWatch:
    """`context` is the live one, in which the files have been loaded before.

    Each pair gets a context of its own, which a connection is given at its beginning: loaded into the live one, a
    certificate stands beside those with keys of another kind (OpenSSL, SSL_CTX_use_certificate), not in their place.
    """

    def __init__(
        self, context: ssl.SSLContext, certificate: Path, key: Path, here: Places, now: Callable[[], datetime]
    ) -> None:
        self._files = certificate, key
        self._told, self._now = _file(here), now
        self._context: ssl.SSLContext | None = None
        self._served: Pair | None = None
        self._tried: Pair | None = None
        self._expires: datetime | None = None
        self._refused: str | None = None
        self._warned: datetime | None = None
        context.sni_callback = self._begin

    def _begin(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        """Called for every connection, with no name where the client sends none."""
        if self._context is not None:
            connection.context = self._context

    async def look(self) -> None:
        try:
            self._take()
        except OSError as error:
            self._refuse(f"{error.filename}: {error.strerror}")
        except ValueError as error:
            self._refuse(str(error))
        if self._expires is None:  # nothing but what was there at the start, which cannot be read now
            return
        self._warn(self._expires)
        told = Told(at=time.time(), expires=self._expires.timestamp(), refused=self._refused)
        beside = self._told.with_suffix(".new")
        beside.write_text(json.dumps(told))
        beside.rename(self._told)

    def _take(self) -> None:
        """Raises OSError or ValueError where the files are no pair."""
        certificate, key = self._files
        pair = certificate.read_bytes(), key.read_bytes()
        if pair == self._served:
            self._refused = None
        elif pair != self._tried:
            self._tried = pair
            expires = self._load(pair)
            if self._served is not None:
                log.warning("the console has taken a new certificate, which holds until %s", f"{expires:%Y-%m-%d}")
            self._served, self._expires, self._refused, self._warned = pair, expires, None, None

    def _load(self, pair: Pair) -> datetime:
        """Until when it holds. Raises ValueError; then the one before is served on."""
        expires = x509.load_pem_x509_certificates(pair[0])[0].not_valid_after_utc
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with _as_files(pair) as (chain, key):
            try:
                context.load_cert_chain(chain, key, password="")
            except ssl.SSLError as error:
                raise ValueError(f"they do not belong together ({error.reason or error})") from None
        self._context = context
        return expires

    def _refuse(self, why: str) -> None:
        if why != self._refused:
            log.error("the files of [web] certificate and key are not taken, the one before is served: %s", why)
        self._refused = why

    def _warn(self, expires: datetime) -> None:
        now = self._now()
        if expires - now <= WARNED and (self._warned is None or now - self._warned >= AGAIN):
            self._warned = now
            log.warning("%s", _words(expires, now))


@contextmanager
def _as_files(pair: Pair) -> Iterator[tuple[str, str]]:
    """Names of files in memory that hold what was read: what is tried and what is then served cannot differ."""
    with ExitStack() as stack:
        names = []
        for content in pair:
            file = stack.enter_context(open(os.memfd_create("certificate"), "wb"))
            file.write(content)
            file.flush()
            names.append(f"/proc/self/fd/{file.fileno()}")
        yield names[0], names[1]


def last(here: Places) -> Told | None:
    """None where the core says nothing: it is not there, stands still, or has no certificate."""
    try:
        told: Told = json.loads(_file(here).read_text())
    except (OSError, ValueError):
        return None
    return told if time.time() - told["at"] < STALE_S else None


def told(of: Told | None, now: datetime) -> str:
    """For `hotline status`."""
    if of is None:
        return "the core says nothing of it"
    words = _words(datetime.fromtimestamp(of["expires"], now.tzinfo), now)
    return f"{words}; the files are not taken: {of['refused']}" if of["refused"] else words


def _words(expires: datetime, now: datetime) -> str:
    """Of the certificate that is served."""
    day = f"{expires:%Y-%m-%d}"
    if expires <= now:
        return f"the console's certificate EXPIRED on {day}: renew the files that [web] names"
    if expires - now <= WARNED:
        return f"the console's certificate expires on {day}, in {(expires - now).days} days: renew the files of [web]"
    return f"holds until {day}"


def _file(here: Places) -> Path:
    return here.data / "certificate.json"
