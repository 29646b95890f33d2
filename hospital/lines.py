"""Lines: how many calls may be under way at once, of those without a nurse, of each campaign and of the trunk.

Rules: a call under a limit has a line of its own, a number from 1 up to the limit, and no two live attempts have the
same one (`one_live_attempt_per_line`, `…_per_campaign_line` and `…_per_trunk_line` in schema.sql). Who claims locks the
one line that they take, not the counting of them: many claim at the same moment, and nobody waits for anybody. Where a
limit was lowered, or is new, calls without such a line count until they end. So do, over the trunk, the calls that
nobody is made to wait with: a nurse's own, who calls in case of a red flag, and interpreters.
"""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

AUTOMATIC = 0x6C696E65  # "line": the first half of the keys under which these are locked; a campaign's are its id's
TRUNK = 0x7472756E  # "trun"
_USED = "SELECT {line} AS line FROM attempt WHERE {whose} AND state IN ('claimed', 'dialling', 'talking')"
_OVER_THE_TRUNK = """
    SELECT trunk_line AS line FROM attempt
     WHERE NOT (video OR returned) AND state IN ('claimed', 'dialling', 'talking')
    UNION ALL
    SELECT NULL FROM urgent_call JOIN account ON account.id = urgent_call.account_id
     WHERE state <> 'ended' AND on_call_number_sealed IS NOT NULL
    UNION ALL
    SELECT NULL FROM interpreter_call WHERE state <> 'ended'"""
_FREE = """
    WITH used AS MATERIALIZED ({used}),
         free AS MATERIALIZED (
             SELECT n FROM generate_series(1, CAST(:most AS integer)) AS n
              WHERE NOT EXISTS (SELECT FROM used WHERE line = n)
              ORDER BY n OFFSET (SELECT count(*) FROM used WHERE line IS NULL OR line > :most))
    SELECT n FROM free WHERE pg_try_advisory_xact_lock(CAST(:key AS integer), n) LIMIT 1"""
_TAKEN = "SELECT EXISTS (SELECT FROM ({used}) AS used WHERE line = :n)"
_COUNTED = "SELECT count(*) FROM ({used}) AS used"


def automatic(session: Session, most: int) -> int | None:
    """A line for a call without a nurse, nobody else's before this transaction ends; None: `most` are in use."""
    return _take(session, most, AUTOMATIC, _USED.format(line="line", whose="account_id IS NULL AND NOT pooled"))


def of_campaign(session: Session, campaign_id: UUID, most: int) -> int | None:
    """The same of a campaign that may have `most`."""
    used = _USED.format(line="campaign_line", whose="campaign_id = :campaign")
    return _take(session, most, campaign_id.int & 0x7FFFFFFF, used, campaign_id)


def of_trunk(session: Session, most: int | None) -> int | None:
    """The same of the trunk; 0 where it has no limit."""
    return _take(session, most, TRUNK, _OVER_THE_TRUNK) if most is not None else 0


def left_on_trunk(session: Session, most: int) -> int:
    """How many more calls it may have now; below 0 where nurses have begun more of their own."""
    return most - (session.scalar(text(_COUNTED.format(used=_OVER_THE_TRUNK))) or 0)


def _take(session: Session, most: int, key: int, used: str, campaign: UUID | None = None) -> int | None:
    while True:
        asked = {"most": most, "key": key, "campaign": campaign}
        n: int | None = session.scalar(text(_FREE.format(used=used)), asked)
        # whoever had it may have committed between the look and the lock; from now on nobody else can
        if n is None or not session.scalar(text(_TAKEN.format(used=used)), {"n": n, "campaign": campaign}):
            return n
