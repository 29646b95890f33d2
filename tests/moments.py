"""Instants that tests speak of. Wednesday 25 November 2026, noon in Mexico City, where the test site is."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("America/Mexico_City")
NOON = datetime(2026, 11, 25, 18, 0, tzinfo=UTC)
