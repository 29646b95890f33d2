"""The site's sheets for tests of the console: the demo's files, read once, over a database of the test's own."""

from functools import cache
from pathlib import Path

from hospital.database import Database
from hotline.in_force import Shipped
from hotline.places import Places
from hotline.settings_file import DEMO, build
from hotline.sheets import Sheets
from hotline.wiring import speaker
from hotline.workshop import SiteWorkshop
from tests.moments import NOON


@cache
def shipped() -> Shipped:
    return Shipped(build({**DEMO, "voices": {"natural": False}}))


def workshop(database: Database, folder: Path) -> SiteWorkshop:
    """`folder`: where prompts are spoken to."""
    sheets = Sheets(shipped(), database)
    said = speaker(shipped().settings, Places(folder), sheets.held.words)
    return SiteWorkshop(sheets, said, database, lambda: NOON)
