"""The history of a red flag as pages show it: who was told when, and how long until it climbs."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from hospital import urgent_calls, urgent_records
from hospital.accounts import Account
from hospital.urgent import LAST, RUNGS
from web import words


@dataclass(frozen=True)
class Climbs:
    """`told`: (when, sentence), the oldest first. `until`: when it climbs, if nobody takes it; None where it is not on
    the ladder yet. `whom`: who was told last. `mine`: the visitor was told."""

    told: list[tuple[datetime, str]]
    until: datetime | None
    whom: str
    nobody: bool  # there was nobody on call for it, the last time round
    mine: bool
    asked: bool  # and nobody else since
    late: bool  # its owner's clock has passed, and the visitor was told since


def climbs_of(session: Session, case_id: UUID, account_id: UUID) -> Climbs:
    entries = urgent_records.history(session, case_id)
    names = {one: session.get(Account, one) for entry in entries for one in entry.told}

    def who(told: list[UUID]) -> str:
        known = [account.display_name for one in told if (account := names[one]) is not None]
        return ", ".join(known)

    told = [(one.at, words.URGENT_STEPS[one.whom].format(who=who(one.told) or "the fixed phone")) for one in entries]
    for call in urgent_calls.of_case(session, case_id):
        name = session.get_one(Account, call.account_id).display_name
        told.append((call.claimed_at, words.urgent_call(name, call.state, call.line_result, call.result)))
    told.sort(key=lambda one: one[0])
    steps = urgent_records.ladder(entries)
    passed = max((n for n, one in enumerate(entries) if one.whom == "overdue"), default=len(entries))
    since = [one for one in entries[passed:] if one.whom == "overdue" or one.whom in RUNGS]
    rungs = [one for one in entries if one.whom in RUNGS]
    begun = max((n for n, one in enumerate(rungs[:-1]) if one.whom == LAST), default=-1) + 1
    return Climbs(
        told,
        steps[-1].until if steps else None,
        who(rungs[-1].told) if rungs else "",
        any(one.whom == "nobody" for one in rungs[begun:]),
        any(account_id in one.told for one in rungs),
        bool(steps) and account_id in steps[-1].told,
        any(account_id in one.told for one in since),
    )
