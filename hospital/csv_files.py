"""Files of rows as hospitals export them: whatever encoding, whatever stands between the cells. Read as they come."""

import codecs
import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO

LONGEST_HEADING = 2000  # letters
_BEYOND_ASCII = re.compile(rb"([A-Za-z]?)([\x80-\xff]+)([A-Za-z]?)")


class ListRefused(ValueError):
    """The file as a whole can't be read; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """One row that can't be taken over. `column` is our name of it; '' is the row. Says nothing of what stood there."""

    line: int
    column: str
    why: str


@contextmanager
def opened(source: Path | bytes) -> Iterator[TextIO]:
    """UTF-8 or UTF-16 by its mark, UTF-8 where all of it is, else GB18030, which has GBK in it, or Windows-1252."""
    try:
        with BytesIO(source) if isinstance(source, bytes) else open(source, "rb") as raw:
            encoding = _encoding(raw)
            raw.seek(0)
            yield TextIOWrapper(raw, encoding=encoding, newline="")
    except UnicodeDecodeError:
        raise ListRefused("the file is no UTF-8, GBK or Windows-1252 text. Export it again as UTF-8.") from None
    except OSError as error:
        raise ListRefused(f"the file can't be read: {error.strerror}.") from None


def _encoding(stream: BinaryIO) -> str:
    start = stream.read(4)
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    stream.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := stream.read(1 << 20):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        stream.seek(0)
        return "cp1252" if _western(stream) else "gb18030"
    return "utf-8"


def _western(stream: BinaryIO) -> bool:
    """Whether it is Windows-1252, as Excel writes in the West. Most of that is GB18030, too, with a Chinese sign for an
    é and the letter behind it. There an é is one byte, and two (çã) stand inside of a word; in GB18030 all come in
    pairs, and of those only its own é (A8 ..) stand inside of a word."""
    western = others = 0
    while chunk := stream.read(1 << 20):
        for before, signs, after in _BEYOND_ASCII.findall(chunk):
            if len(signs) % 2 or (before and after and signs[0] != 0xA8):
                western += 1
            else:
                others += 1
    return western > others


def dialect(stream: TextIO) -> type[csv.Dialect]:
    """By the heading: what stands between its words."""
    heading = stream.readline(LONGEST_HEADING)
    stream.seek(0)

    class Found(csv.excel):
        delimiter = max(";\t,", key=heading.count)
        strict = True

    return Found
