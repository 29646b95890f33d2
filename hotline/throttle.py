"""Whether the menu takes a call, or its number calls too often: the settings, joined to the rule and its one row."""

from datetime import datetime

from hospital import throttling
from hospital.database import Database
from hospital.throttling import Allowance
from hotline.caller_settings import Throttle

COUNTED = {"inbound": False, "crowded": True}
"""The paths by which calls come in, and whether Asterisk found too many at once of that number. Others go on with a
call that was taken."""


async def admit(database: Database, throttle: Throttle, path: str, number: str | None, at: datetime) -> bool:
    """False: the number is told to call later."""
    if path not in COUNTED or number in throttle.exempt:
        return True
    allowance = Allowance(throttle.calls_per_hour if number is not None else throttle.withheld_per_hour)
    return await database.run(throttling.admit, number, at, allowance, crowded=COUNTED[path])
