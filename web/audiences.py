"""Who may be told of a notice: the one whom it is about, or whoever has the right to see such things (I9)."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital.database import Database
from hospital.notices import Notice
from hospital.recordings import Recording
from hospital.screen_pops import ScreenPop
from hospital.stint_records import Stint
from web.live import Audience
from web.patient_texts import HEARS

RIGHTS = {
    "task": "followups.work",
    "letter": "followups.work",
    "callback": "callbacks.work",
    "slot": "patients.read",
    "waiting": "screen.show",  # an id; who it is, the front desk sees
    "audit": "audit.read",
    "chain": "audit.read",
    "case": "cases.work",  # an id and no more; the list shows who may see which kind
    "closure": "opening.switch",
    "suspension": "clinics.suspend",
    "hearing": "opening.switch",
    "reminder": "followups.work",
    "throttle": "throttle.read",
    "edition": "site.change",
    "rota": "rota.read",
    "question": "questions.answer",
    "campaign": "followups.work",
    "outbox": HEARS,  # the demo's patients' phones
    "reach": "campaigns.run",
}
NOBODY = Audience()


async def audience(database: Database, notice: Notice) -> Audience:
    """Nobody, for a kind that no page shows."""
    if notice.kind in RIGHTS:
        return Audience(right=RIGHTS[notice.kind])
    match notice.kind:
        case "screen_pop" | "recording" | "presence" | "list":
            ident = _uuid(notice.id)
            return await database.run(_of_row, notice.kind, ident) if ident else NOBODY
        case "stint":  # hers, and who sees how far a campaign is
            ident = _uuid(notice.id)
            return await database.run(_of_row, notice.kind, ident) if ident else NOBODY
        case "call":
            return await database.run(_of_call, notice.id)
    return NOBODY


def _of_row(session: Session, kind: str, ident: UUID) -> Audience:
    if kind in ("presence", "list"):
        return Audience(accounts=frozenset({ident}))
    if kind == "screen_pop":
        owner = session.scalar(select(ScreenPop.account_id).where(ScreenPop.id == ident))
        return Audience(accounts=frozenset({owner})) if owner else NOBODY
    if kind == "stint":
        owner = session.scalar(select(Stint.account_id).where(Stint.id == ident))
        return Audience(accounts=frozenset({owner} if owner else ()), right="campaigns.run")
    owner = session.scalar(select(Recording.account_id).where(Recording.id == ident))
    return Audience(accounts=frozenset({owner} if owner else ()), right="recordings.all")


def _of_call(session: Session, call_id: str) -> Audience:
    """Whoever has the call on the screen."""
    owners = select(ScreenPop.account_id).where(
        ScreenPop.call_id == call_id, ScreenPop.state.in_(("ringing", "answered", "ended"))
    )
    return Audience(accounts=frozenset(session.scalars(owners)))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
