"""Names of wards, which people type: "surgery 2", "Surgery  2" and "Ｓurgery ２" are one. Pure."""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache


@lru_cache(maxsize=4096)
def plain(ward: str) -> str:
    """By which wards are compared; the same for each way to write one."""
    return " ".join(unicodedata.normalize("NFKC", ward).casefold().split())


def among(ward: str, wards: Iterable[str]) -> bool:
    """Whether it is one of these."""
    return plain(ward) in {plain(one) for one in wards}


def each(wards: Iterable[str]) -> list[str]:
    """Each ward once, as it is written first, by name; without the empty one."""
    found: dict[str, str] = {}
    for ward in wards:
        found.setdefault(plain(ward), ward)
    return sorted(ward for name, ward in found.items() if name)
