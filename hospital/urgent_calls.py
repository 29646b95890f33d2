"""Red flags by telephone: whoever was told is called, too. One call at most for each person and step.

Rules: a call is claimed and committed, with its channel's id, before anything is dialled; the order to dial follows a
second commit. What is unknown after a fault is over, and never dialled again: the ladder climbs anyway. Only the newest
step rings, only while its time runs, and only while nobody has taken the case, or its owner's time for an outcome has
passed; who has one such call has no second. Who takes it by key owns the case; whoever declines sends it on at once.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import audit, cases, urgent_records
from hospital.accounts import Account
from hospital.cases import Case
from hospital.database import Base, Id, announce

LIVE = ("claimed", "dialling", "talking")


class UrgentCall(Base):
    __tablename__ = "urgent_call"
    id: Mapped[Id]
    case_id: Mapped[UUID] = mapped_column(ForeignKey("care_case.id"))
    step: Mapped[int]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    channel_id: Mapped[str]
    state: Mapped[str] = mapped_column(default="claimed")
    line_result: Mapped[str | None]
    result: Mapped[str | None]
    claimed_at: Mapped[datetime]
    dialled_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Called:
    """Who is to be dialled: a number of theirs, else their extension by SIP user name. `language`: to speak in."""

    channel_id: str
    number: str | None = field(repr=False)
    sip_username: str | None
    language: str


@dataclass(frozen=True)
class Told:
    """What an answered call is about; `open`: it can be taken. `late`: from an owner who found no outcome in time."""

    number: int
    language: str
    open: bool
    late: bool


def claim_next(session: Session, node: str, at: datetime, after: timedelta) -> Called | None:
    """The next person to be called, claimed; None where nobody is. `after` the step was taken, so that who answers on
    the screen, or the agent who takes the caller, is not rung as well."""
    still = select(Case).where(Case.kind == "red_flag", cases.can_be_taken(at)).order_by(Case.opened_at)
    busy = set(session.scalars(select(UrgentCall.account_id).where(UrgentCall.state.in_(LIVE))))
    for case in session.scalars(still):
        entries = urgent_records.history(session, case.id)
        steps = urgent_records.ladder(entries)
        if not steps or not steps[-1].at + after <= at < steps[-1].until:
            continue
        if case.state == "owned" and not urgent_records.late(entries):
            continue
        number = max(one.number for one in entries if one.until is not None)
        for account_id in steps[-1].told:
            account = session.get_one(Account, account_id)
            reachable = account.on_call_number or account.sip_username
            if account_id in busy or not reachable or account.disabled_at is not None:
                continue
            made = session.scalar(
                insert(UrgentCall)
                .values(
                    id=uuid4(),
                    case_id=case.id,
                    step=number,
                    account_id=account_id,
                    channel_id=f"{node}-{uuid4().hex}",
                    claimed_at=at,
                )
                .on_conflict_do_nothing()
                .returning(UrgentCall.channel_id)
            )
            if made is not None:
                return Called(made, account.on_call_number, account.sip_username, _language(account))
    return None


def dialling(session: Session, channel_id: str, at: datetime) -> bool:
    """Committed just before the order to dial, once. False where it was called off, or the case is taken."""
    waits = select(Case.id).where(Case.id == UrgentCall.case_id, cases.can_be_taken(at)).exists()
    these = (UrgentCall.channel_id == channel_id, UrgentCall.state == "claimed", waits)
    return _moved(session, these, {"state": "dialling", "dialled_at": at})


def answered(session: Session, channel_id: str, at: datetime) -> Told | None:
    """Somebody has picked up. None for a channel that is no such call, or an ended one."""
    rings = or_(UrgentCall.state == "dialling", UrgentCall.line_result == "unknown")
    now = {"state": "talking", "answered_at": at, "line_result": None, "ended_at": None}
    _moved(session, (UrgentCall.channel_id == channel_id, rings), now)
    found = _talking(session, channel_id)
    if found is None:
        return None
    case = session.get_one(Case, found.case_id)
    language = _language(session.get_one(Account, found.account_id))
    late = case.state == "owned" and case.decide_by is not None and case.decide_by <= at
    return Told(case.number, language, case.state == "open" or (late and case.owner_id != found.account_id), late)


def take(session: Session, channel_id: str, at: datetime) -> bool:
    """The key was pressed: the case is theirs. False where somebody else was faster."""
    found = _talking(session, channel_id)
    if found is None:
        return False
    mine = cases.own(session, found.case_id, found.account_id, at)
    if not mine:
        case = session.get_one(Case, found.case_id, populate_existing=True)
        mine = case.state == "owned" and case.owner_id == found.account_id  # on the screen, a moment ago
    found.result = "taken" if mine else "gone"
    session.flush()
    _written(session, found, f"urgent.{found.result}_by_telephone", at)
    return mine


def decline(session: Session, channel_id: str, at: datetime) -> None:
    """They cannot: it climbs at once."""
    found = _talking(session, channel_id)
    if found is None:
        return
    session.execute(select(Case.id).where(Case.id == found.case_id).with_for_update())
    found.result = "declined"
    urgent_records.happened(session, found.case_id, "declined", found.account_id, at)
    _written(session, found, "urgent.declined_by_telephone", at)


def line_ended(session: Session, channel_id: str, line_result: str, at: datetime) -> bool:
    """The call is over, or was never made; its first result stands."""
    these = (UrgentCall.channel_id == channel_id, UrgentCall.state.in_(LIVE))
    return _moved(session, these, {"state": "ended", "line_result": line_result, "ended_at": at})


def live(session: Session) -> list[UrgentCall]:
    return list(session.scalars(select(UrgentCall).where(UrgentCall.state.in_(LIVE))))


def called_off(session: Session, at: datetime) -> list[UrgentCall]:
    """What still rings although the case was taken."""
    waits = select(Case.id).where(Case.id == UrgentCall.case_id, cases.can_be_taken(at)).exists()
    return list(session.scalars(select(UrgentCall).where(UrgentCall.state.in_(("claimed", "dialling")), ~waits)))


def of_case(session: Session, case_id: UUID) -> list[UrgentCall]:
    return list(
        session.scalars(select(UrgentCall).where(UrgentCall.case_id == case_id).order_by(UrgentCall.claimed_at))
    )


def _talking(session: Session, channel_id: str) -> UrgentCall | None:
    rows = select(UrgentCall).where(UrgentCall.channel_id == channel_id, UrgentCall.state == "talking")
    return session.scalar(rows.with_for_update())


def _moved(session: Session, these: tuple[object, ...], values: dict[str, object]) -> bool:
    moved = session.scalar(update(UrgentCall).where(*these).values(**values).returning(UrgentCall.case_id))  # type: ignore[arg-type]
    if moved is not None:
        announce(session, "case", moved)
    return moved is not None


def _language(account: Account) -> str:
    return account.languages[0] if account.languages else "en"


def _written(session: Session, call: UrgentCall, action: str, at: datetime) -> None:
    announce(session, "case", call.case_id)
    audit.record(session, call.account_id, action, f"case:{call.case_id}", at)
