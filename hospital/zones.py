"""Where a patient's clock is, as far as the telephone number tells: a country with one zone, or the area of a landline.

A number that may be in several zones (an Australian mobile) is taken for the site's where that is one of them, else for
the first: being an hour wrong by the window's edge is why the window has margins.
"""

from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone


@lru_cache(maxsize=4096)
def zone_of(number: str | None, site: ZoneInfo) -> ZoneInfo:
    """The zone of an E.164 number; the site's where it tells nothing."""
    parsed = _parsed(number)
    names = timezone.time_zones_for_number(parsed) if parsed is not None else ()
    if not names or site.key in names or names[0] == timezone.UNKNOWN_TIMEZONE:
        return site
    return ZoneInfo(names[0])


@lru_cache(maxsize=4096)
def country_of(number: str | None, site: str | None) -> str | None:
    """Whose holidays count (ISO 3166); the site's where the number tells nothing."""
    parsed = _parsed(number)
    region = phonenumbers.region_code_for_number(parsed) if parsed is not None else None
    return region if region and region.isalpha() and region != "ZZ" else site


def _parsed(number: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(number) if number else None
    except phonenumbers.NumberParseException:
        return None
