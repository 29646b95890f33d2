"""Where a patient is: on what clock, and under which country's holidays. What they told us, else what the telephone
number tells (a country with one zone, or the area of a landline), else the country at the end of their address, else
the site's.

A number that may be in several zones (an Australian mobile) is taken for the site's where that is one of them, else for
the first: being an hour wrong by the window's edge is why the window has margins.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers
from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.languages import get_official_languages
from phonenumbers import timezone


@dataclass(frozen=True, slots=True)
class Address:
    """`text`: lines, the country last. It may be named in English, in the `language` of whose address it is (a tag such
    as pt-BR), or in one that is official where the `site` is (ISO 3166), whose staff wrote it down."""

    text: str = field(repr=False)
    language: str | None = None
    site: str | None = None

    @property
    def country(self) -> str | None:
        """ISO 3166."""
        lines = [part.strip() for line in self.text.splitlines() for part in line.split(",") if part.strip()]
        if not lines:
            return None
        last = lines[-1].casefold()
        spoken = (self.language or "", *get_official_languages(self.site or "", regional=True, de_facto=True), "en")
        return next((found for tag in spoken if (found := _countries(tag).get(last)) is not None), None)


Evidence = Literal["told", "number", "address", "site"]


@dataclass(frozen=True, slots=True)
class Clock:
    """`by`: what told the zone."""

    zone: ZoneInfo
    by: Evidence


def clock_of(number: str | None, site: ZoneInfo, *, told: str | None = None, address: Address | None = None) -> Clock:
    """The clock of whoever is called on an E.164 number. `told`: the zone that they said they are in."""
    if told is not None and told in zones():
        return Clock(ZoneInfo(told), "told")
    if (zone := _of_number(number, site)) is not None:
        return Clock(zone, "number")
    zone = _one_clock().get(address.country or "") if address else None
    return Clock(zone, "address") if zone is not None else Clock(site, "site")


def zone_of(number: str | None, site: ZoneInfo, *, told: str | None = None, address: Address | None = None) -> ZoneInfo:
    """The zone of their `clock_of`."""
    return clock_of(number, site, told=told, address=address).zone


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


@lru_cache(maxsize=64)
def _countries(language: str) -> dict[str, str]:
    """Name of a country in a language → its code; nothing in one that CLDR does not know."""
    try:
        locale = Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return {}
    return {name.casefold(): str(code) for code, name in locale.territories.items() if len(code) == 2}


@lru_cache(maxsize=1)
def _one_clock() -> dict[str, ZoneInfo]:
    """Country → its zone, where it has just one."""
    by_country: dict[str, list[str]] = {}
    for name, country in get_global("zone_territories").items():
        if name in zones():
            by_country.setdefault(str(country), []).append(str(name))
    return {country: ZoneInfo(names[0]) for country, names in by_country.items() if len(names) == 1}


def country_of(
    number: str | None, site: str | None, *, told: str | None = None, address: Address | None = None
) -> str | None:
    """Whose holidays count for whoever is called (ISO 3166): of the country of the zone that they were `told` to be in,
    else of their number, else of their address, else the site's."""
    there = get_global("zone_territories").get(told) if told in zones() else None
    if there is not None and len(there) == 2:
        return str(there)
    return _country_of_number(number) or (address.country if address else None) or site


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
