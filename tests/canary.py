"""What no log may hold: all that a house has written is looked through for the standing characters.

Names are looked for as they are written, with a capital: `lucia` in PJSIP/lucia-00000001 is the account of a demo's
telephone. A number is looked for by its last seven digits, which each way to dial it ends with, in runs of digits that
stand alone (a call's id has 32 hexadecimal ones), and anybody's by its plus. A birth date is looked for as it is typed
and as programs print it; an identifier where it is too long to be there by chance.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from hotline import demo
from tests.characters import PATIENTS

LONG = 7  # characters of an identifier; five digits may be a process's


class Canary:
    """Looks at the same logs again and again, each time at what has come since. A line counts when it has ended."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, int], int] = {}
        """How many bytes of a file, by its device and inode: a full one is renamed."""

    def finds(self, logs: Iterable[Path]) -> list[str]:
        """Each new line that tells of a person, after the name of its file."""
        return [f"{path.name}: {line}" for path in logs for line in self._news(path) if SOMEBODY.search(line)]

    def _news(self, path: Path) -> Iterator[str]:
        with path.open("rb") as file:
            stat = path.stat()
            seen = self._seen.get((stat.st_dev, stat.st_ino), 0)
            seen = seen if seen <= stat.st_size else 0  # it was begun anew
            file.seek(seen)
            whole, end, _ = file.read().rpartition(b"\n")
            self._seen[stat.st_dev, stat.st_ino] = seen + len(whole + end)
            yield from whole.decode(errors="replace").splitlines()


def _names() -> Iterator[str]:
    for word in {word for person in PATIENTS for word in person.name.split()}:
        yield word
        yield "".join(letter for letter in unicodedata.normalize("NFD", word) if letter.isascii())
        yield json.dumps(word)[1:-1]
        yield quote(word)
        yield repr(word.encode())[2:-1]


def _births() -> Iterator[str]:
    for person in PATIENTS:
        yield person.birth_keys
        yield person.birth.isoformat()
        yield person.birth.isoformat().replace("-", "")
        yield repr(person.birth).removeprefix("datetime.")


def _numbers() -> Iterator[str]:
    """Patterns of their last seven digits."""
    for number in (number for person in PATIENTS for number in person.numbers):
        yield rf"\d*{number[-7:-4]}[ -]?{number[-4:]}"


def _identifiers() -> Iterator[str]:
    yield from (value for held in demo.IDENTIFIERS.values() for value in held.values() if len(value) >= LONG)


_WORDS = {re.escape(word) for words in (_names(), _births(), _identifiers()) for word in words} | {*_numbers()}
SOMEBODY = re.compile(rf"(?<![^\W_])(?:{'|'.join(sorted(_WORDS))})(?![^\W_])|\+\d{{8,15}}(?!\d)")
"""What tells of a person; an underscore before or after it is no letter of a word."""
