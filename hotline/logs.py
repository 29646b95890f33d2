"""Logging of the house's own processes: what may be logged, and what is masked whatever the code does.

Rules: ids and codes are logged, never people. The AGI secret is part of an address and is masked in every line; runs
of seven and more digits (telephone numbers, birth dates as they are typed, identifiers) are masked, too, because an
exception's text is not ours. Ids of ours and of channels, which are no person's, stay whole.
"""

import logging
import re
import sys

from hotline.places import Places, read_secrets

_LONG_DIGITS = re.compile(
    r"(?P<kept>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:\d{10}|\d{1,6})\.\d+|-0000\d{4}(?!\d))"
    r"|(?<![^\W_])\+?\d{7,}(?![^\W_])"
)
"""What stays (a UUID, a channel's seconds and count, a figure, the end of a channel's name), else what goes."""


def mask(line: str, secrets: tuple[str, ...]) -> str:
    """The line without these secrets and without runs of digits that may be somebody's number."""
    for secret in secrets:
        if secret:
            line = line.replace(secret, "•••")
    return _LONG_DIGITS.sub(lambda found: found["kept"] or "•••", line)


class Masking(logging.Formatter):
    """Formats a line and masks secrets and long numbers in it."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record), self._secrets)


def set_up(here: Places) -> None:
    """To standard error, which the supervisor sends to var/log."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Masking(read_secrets(here).every()))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for chatty in ("apscheduler", "uvicorn.access", "websockets"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
