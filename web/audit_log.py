"""The audit log: who did or saw what, newest first, and whether the chain verifies.

The chain has ids; what they stand for is told as far as the reader may know it (`audit_subjects.py`)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import audit
from hospital.accounts import Account
from hospital.audit import AuditRow
from web import words
from web.audit_subjects import About, Reader, about, uuid_of
from web.chain_walk import ChainWalk
from web.doors import Door, Visitor, pages_of, services
from web.looks import looked

ReadsAudit = Annotated[Visitor, Depends(Door("audit.read"))]
PAGE = 100
LONGEST = 200  # letters of what entries are about
DIGEST = re.compile(r"(\w+-)?[0-9a-f]{16,32}")  # of a list that was taken over; a call's channel

routes = APIRouter()


@dataclass(frozen=True)
class Part:
    """A fact of an entry. `whole`: the id, where only its beginning is shown."""

    said: str
    whole: str = ""


@dataclass(frozen=True)
class Entry:
    """`short`: the beginning of the id of what it is about; "" where the words say it all."""

    row: AuditRow
    who: str
    about: About
    short: str
    detail: list[Part]


@dataclass(frozen=True)
class Sieve:
    """Which entries are shown. `of`: what they are about, as the chain has it, or its id alone."""

    action: str
    who: UUID | None
    of: str
    before: int | None

    @property
    def live(self) -> bool:
        """Whether what is new belongs to it."""
        return not (self.action or self.who or self.of or self.before)

    @property
    def subjects(self) -> list[str]:
        """As the chain may have what they are about."""
        alone = uuid_of(self.of)
        return [self.of, *(f"{kind}:{alone}" for kind in words.AUDIT_KINDS if alone)] if self.of else []

    @property
    def query(self) -> str:
        return urlencode({"action": self.action, "who": self.who or "", "of": self.of})


def _entries(session: Session, sieve: Sieve, visitor: Visitor, at: datetime, zone: ZoneInfo) -> list[Entry]:
    found = audit.newest(
        session, action=sieve.action, who=sieve.who, subjects=sieve.subjects, before=sieve.before, limit=PAGE
    )
    names = {account.id: account.display_name for account in _accounts(session)}
    reader = Reader(session, visitor, zone)
    told = about(reader, {row.subject for row in found})
    patients: dict[str, Any] = {"patients": sorted(str(one) for one in reader.named)} if reader.named else {}
    looked(session, visitor.account_id, "audit.read", "audit", at, **patients)
    return [
        Entry(
            row,
            names.get(row.account_id, "a former account") if row.account_id else "no account",
            told[row.subject],
            _short(row.subject.partition(":")[2]),
            _detail(row, names),
        )
        for row in found
    ]


def _short(text: str) -> str:
    """The beginning of an id; "" for what is none."""
    return text[:8] if uuid_of(text) or DIGEST.fullmatch(text) else ""


def _detail(row: AuditRow, names: Mapping[UUID, str]) -> list[Part]:
    """The codes of a row, without those that are empty; a list of ids is counted, an id is shortened."""
    parts = []
    for key, value in sorted(row.detail.items()):
        if isinstance(value, list):
            parts.append(Part(f"{len(value)} {key.removesuffix('s') if len(value) == 1 else key}"))
        elif (found := uuid_of(str(value))) is not None:
            parts.append(Part(f"{key} {names.get(found) or _short(str(value))}", str(value)))
        elif value not in ("", None):
            parts.append(Part(f"{key} {value}"))
    return parts


def _accounts(session: Session) -> list[Account]:
    return list(session.scalars(select(Account).order_by(Account.display_name)))


async def _shown(request: Request, visitor: Visitor, template: str) -> Response:
    house, asked = services(request), request.query_params
    before = asked.get("before", "")
    sieve = Sieve(
        action=asked.get("action", "") if asked.get("action") in words.AUDIT_ACTIONS else "",
        who=uuid_of(asked.get("who", "")),
        of=asked.get("of", "").strip()[:LONGEST],
        before=int(before) if before.isdecimal() and len(before) < 18 else None,
    )
    entries = await house.database.run(_entries, sieve, visitor, house.clock(), house.facts.zone)
    pages = pages_of(request)
    values: dict[str, Any] = {"entries": entries, "sieve": sieve, "page": PAGE}
    if template == "audit/list.html":
        return pages.part(request, template, **values)
    accounts = await house.database.run(_accounts)
    return pages.show(request, template, accounts=accounts, **values)


@routes.get("/audit")
async def page(request: Request, visitor: ReadsAudit) -> Response:
    return await _shown(request, visitor, "audit/page.html")


@routes.get("/audit/list")
async def part(request: Request, visitor: ReadsAudit) -> Response:
    return await _shown(request, visitor, "audit/list.html")


@routes.get("/audit/chain")
async def chain(request: Request, visitor: ReadsAudit, anew: bool = False) -> Response:
    """What the last walk along the chain found, or how far this one is; `anew` begins one."""
    walk: ChainWalk = request.app.state.chain
    if anew or (walk.last is None and not walk.failed):
        await walk.begin()
    return pages_of(request).part(request, "audit/chain.html", walk=walk)
