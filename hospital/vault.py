"""Personal data at rest: sealed columns, keyed tokens for exact look-up, keys for recordings.

Rules: one site key a process, given once by `unlock`. Every use derives its own key from it (HKDF-SHA256), so a
token can't be compared with a sealed value and no two kinds of token can be compared with each other. A sealed
value is bound to its column: moved to another it does not open.
"""

import hmac
import secrets
import unicodedata
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from sqlalchemy import LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

NONCE = 12  # bytes, NIST SP 800-38D


class VaultLocked(RuntimeError):
    """No site key was given to this process, or it is not the key this data was sealed with."""


class _Keys:
    """The keys derived from the site's key; absent until `unlock`."""

    def __init__(self, site_key: bytes) -> None:
        if len(site_key) != 32:
            raise ValueError("the site key is 32 random bytes; the first `hotline up` makes it (var/site.key)")
        self._site_key = site_key
        self._derived: dict[str, bytes] = {}
        self.sealing = AESGCM(self.derive("seal"))
        self.wrapping = self.derive("wrap")

    def derive(self, purpose: str) -> bytes:
        if purpose not in self._derived:  # the kinds of tokens are few, and a long list asks for each a million times
            made = HKDF(SHA256(), 32, salt=None, info=f"hotline/{purpose}".encode()).derive(self._site_key)
            self._derived[purpose] = made
        return self._derived[purpose]


_keys: _Keys | None = None


def unlock(site_key: bytes) -> None:
    """Give this process the site's key (32 bytes). Called once, by the composition root."""
    global _keys
    _keys = _Keys(site_key)


def _unlocked() -> _Keys:
    if _keys is None:
        raise VaultLocked("the vault is locked: give the site key (var/site.key or HOTLINE_SITE_KEY)")
    return _keys


def seal(text: str, label: str) -> bytes:
    """`text` under the site's key, bound to `label` (a column's name). Layout: nonce (12) ‖ ciphertext ‖ tag (16).

    What is no Unicode in it (bytes of a foreign system that were no UTF-8) becomes a question mark."""
    nonce = secrets.token_bytes(NONCE)
    return nonce + _unlocked().sealing.encrypt(nonce, text.encode("utf-8", "replace"), label.encode())


def unseal(sealed: bytes, label: str) -> str:
    """The text again. Raises VaultLocked where the key or the label is another one, or a bit was flipped."""
    try:
        return _unlocked().sealing.decrypt(sealed[:NONCE], sealed[NONCE:], label.encode()).decode()
    except (InvalidTag, ValueError):  # ValueError: cut off within the nonce
        raise VaultLocked(f"a sealed value of {label} does not open: another site key, or damaged data") from None


def token(kind: str, text: str) -> bytes:
    """A keyed 16-byte token of `text` for exact look-up; tokens of different kinds have nothing in common."""
    folded = _folded(text).encode("utf-8", "replace")
    return hmac.digest(_unlocked().derive(f"token/{kind}"), folded, "sha256")[:16]


def wrap_key(key: bytes) -> bytes:
    """A recording's own key under the site's (RFC 3394)."""
    return aes_key_wrap(_unlocked().wrapping, key)


def unwrap_key(wrapped: bytes) -> bytes:
    """The recording's key again. Raises VaultLocked for a damaged or foreign one."""
    try:
        return aes_key_unwrap(_unlocked().wrapping, wrapped)
    except InvalidUnwrap:
        raise VaultLocked("a recording's key does not open: another site key, or damaged data") from None


def _folded(text: str) -> str:
    """Names match without accents and case: Lucía = lucia. NFKD also folds full-width digits."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).strip()


class Sealed(TypeDecorator[str]):
    """A text column that is sealed on its way to the database. `label` binds the value to its column."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, label: str) -> None:
        super().__init__()
        self.label = label

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else seal(value, self.label)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else unseal(bytes(value), self.label)
