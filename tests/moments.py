"""Instants that tests speak of. Wednesday 25 November 2026, one in the afternoon in Bogotá, where the test site is."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("America/Bogota")
NOON = datetime(2026, 11, 25, 18, 0, tzinfo=UTC)
