"""Files of rows as hospitals export them: whatever encoding, whatever stands between the cells. Read as they come."""

import codecs
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO

LONGEST_HEADING = 2000  # letters


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
    """UTF-8 or UTF-16 by its mark, UTF-8 where all of it is, else GB18030, which has GBK in it."""
    try:
        with BytesIO(source) if isinstance(source, bytes) else open(source, "rb") as raw:
            encoding = _encoding(raw)
            raw.seek(0)
            yield TextIOWrapper(raw, encoding=encoding, newline="")
    except UnicodeDecodeError:
        raise ListRefused("the file is neither UTF-8 nor GBK text. Export it again as UTF-8.") from None
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
        return "gb18030"
    return "utf-8"


def dialect(stream: TextIO) -> type[csv.Dialect]:
    """By the heading: what stands between its words."""
    heading = stream.readline(LONGEST_HEADING)
    stream.seek(0)

    class Found(csv.excel):
        delimiter = max(";\t,", key=heading.count)
        strict = True

    return Found
