"""Lines: how many calls may be under way at once, of those without a nurse and of each campaign.

Rules: a call under a limit has a line of its own, a number from 1 up to the limit, and no two live attempts have the
same one (`one_live_attempt_per_line` and `…_per_campaign_line` in schema.sql). Who claims locks the one line that they
take, not the counting of them: many claim at the same moment, and nobody waits for anybody. Where a limit was lowered,
or is new, calls without such a line count until they end.
"""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

AUTOMATIC = 0x6C696E65  # "line": the first half of the keys under which these are locked; a campaign's are its id's
_FREE = """
    WITH used AS MATERIALIZED (
             SELECT {line} AS line FROM attempt WHERE {whose} AND state IN ('claimed', 'dialling', 'talking')),
         free AS MATERIALIZED (
             SELECT n FROM generate_series(1, CAST(:most AS integer)) AS n
              WHERE NOT EXISTS (SELECT FROM used WHERE line = n)
              ORDER BY n OFFSET (SELECT count(*) FROM used WHERE line IS NULL OR line > :most))
    SELECT n FROM free WHERE pg_try_advisory_xact_lock(CAST(:key AS integer), n) LIMIT 1"""
_TAKEN = """
    SELECT EXISTS (SELECT FROM attempt
                    WHERE {line} = :n AND {whose} AND state IN ('claimed', 'dialling', 'talking'))"""


def automatic(session: Session, most: int) -> int | None:
    """A line for a call without a nurse, nobody else's before this transaction ends; None: `most` are in use."""
    return _take(session, most, AUTOMATIC, line="line", whose="account_id IS NULL AND NOT pooled")


def of_campaign(session: Session, campaign_id: UUID, most: int) -> int | None:
    """The same of a campaign that may have `most`."""
    key = campaign_id.int & 0x7FFFFFFF
    return _take(session, most, key, campaign_id, line="campaign_line", whose="campaign_id = :campaign")


def _take(session: Session, most: int, key: int, campaign: UUID | None = None, **words: str) -> int | None:
    while True:
        asked = {"most": most, "key": key, "campaign": campaign}
        n: int | None = session.scalar(text(_FREE.format(**words)), asked)
        # whoever had it may have committed between the look and the lock; from now on nobody else can
        if n is None or not session.scalar(text(_TAKEN.format(**words)), {"n": n, "campaign": campaign}):
            return n
