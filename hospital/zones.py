"""Where a patient is: on what clock, and under which country's holidays. What they told us, else what the telephone
number tells (a country with one zone, or the area of a landline), else the country at the end of their address, else
the site's.

A number that may be in several zones (an Australian mobile) is taken for the site's where that is one of them, else for
the first: being an hour wrong by the window's edge is why the window has margins.
"""

from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers
from babel import Locale
from babel.core import get_global
from phonenumbers import timezone

SAID_IN = ("en", "es", "pt", "zh", "mi")  # languages in which an address may name its country


def zone_of(number: str | None, site: ZoneInfo, *, told: str | None = None, address: str | None = None) -> ZoneInfo:
    """The zone of whoever is called on an E.164 number. `told`: the zone that they said they are in."""
    if told is not None and told in zones():
        return ZoneInfo(told)
    return _of_number(number, site) or (_of_address(address) if address else None) or site


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """The names of all zones (IANA)."""
    return frozenset(available_timezones())


@lru_cache(maxsize=4096)
def _of_number(number: str | None, site: ZoneInfo) -> ZoneInfo | None:
    parsed = _parsed(number)
    names = timezone.time_zones_for_number(parsed) if parsed is not None else ()
    if not names or names[0] == timezone.UNKNOWN_TIMEZONE:
        return None
    return site if site.key in names else ZoneInfo(names[0])


def _of_address(address: str) -> ZoneInfo | None:
    """By its country, where the whole of it has one clock."""
    return _one_clock().get(_country_in(address) or "")


def _country_in(address: str) -> str | None:
    """The country that is an address's last part (ISO 3166)."""
    lines = [part.strip() for line in address.splitlines() for part in line.split(",") if part.strip()]
    return _countries().get(lines[-1].casefold()) if lines else None


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    """Name of a country, in any of our languages → its code."""
    return {
        name.casefold(): str(code)
        for language in SAID_IN
        for code, name in Locale(language).territories.items()
        if len(code) == 2
    }


@lru_cache(maxsize=1)
def _one_clock() -> dict[str, ZoneInfo]:
    """Country → its zone, where it has just one."""
    by_country: dict[str, list[str]] = {}
    for name, country in get_global("zone_territories").items():
        if name in zones():
            by_country.setdefault(str(country), []).append(str(name))
    return {country: ZoneInfo(names[0]) for country, names in by_country.items() if len(names) == 1}


def country_of(
    number: str | None, site: str | None, *, told: str | None = None, address: str | None = None
) -> str | None:
    """Whose holidays count for whoever is called (ISO 3166): of the country of the zone that they were `told` to be in,
    else of their number, else of their address, else the site's."""
    there = get_global("zone_territories").get(told) if told in zones() else None
    if there is not None and len(there) == 2:
        return str(there)
    return _country_of_number(number) or (_country_in(address) if address else None) or site


@lru_cache(maxsize=4096)
def _country_of_number(number: str | None) -> str | None:
    parsed = _parsed(number)
    region = phonenumbers.region_code_for_number(parsed) if parsed is not None else None
    return region if region and region.isalpha() and region != "ZZ" else None


def _parsed(number: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(number) if number else None
    except phonenumbers.NumberParseException:
        return None
