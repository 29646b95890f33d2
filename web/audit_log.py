"""The audit log: who did or saw what, newest first, and whether the chain verifies."""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import audit
from hospital.accounts import Account
from hospital.audit import AuditRow
from web import words
from web.doors import Door, Visitor, pages_of, services
from web.looks import looked

ReadsAudit = Annotated[Visitor, Depends(Door("audit.read"))]
PAGE = 100

routes = APIRouter()


@dataclass(frozen=True)
class Entry:
    row: AuditRow
    who: str
    detail: str


def _entries(session: Session, action: str, who: UUID | None, before: int | None) -> list[Entry]:
    rows = select(AuditRow).order_by(AuditRow.seq.desc()).limit(PAGE)
    if action:
        rows = rows.where(AuditRow.action == action)
    if who is not None:
        rows = rows.where(AuditRow.account_id == who)
    if before is not None:
        rows = rows.where(AuditRow.seq < before)
    names = {account.id: account.display_name for account in _accounts(session)}
    return [
        Entry(row, names.get(row.account_id, "a former account") if row.account_id else "no account", _detail(row))
        for row in session.scalars(rows)
    ]


def _detail(row: AuditRow) -> str:
    """The codes of a row, without those that are empty; a list of ids is counted."""
    parts = []
    for key, value in sorted(row.detail.items()):
        if isinstance(value, list):
            parts.append(f"{len(value)} {key.removesuffix('s') if len(value) == 1 else key}")
        elif value not in ("", None):
            parts.append(f"{key} {value}")
    return ", ".join(parts)


def _accounts(session: Session) -> list[Account]:
    return list(session.scalars(select(Account).order_by(Account.display_name)))


async def _shown(request: Request, visitor: Visitor, template: str) -> Response:
    house, asked = services(request), request.query_params
    action = asked.get("action", "") if asked.get("action") in words.AUDIT_ACTIONS else ""
    who = _uuid(asked.get("who", ""))
    before = int(asked["before"]) if asked.get("before", "").isdecimal() and len(asked["before"]) < 18 else None
    await house.database.run(looked, visitor.account_id, "audit.read", "audit", house.clock())
    entries = await house.database.run(_entries, action, who, before)
    pages = pages_of(request)
    values: dict[str, Any] = {"entries": entries, "action": action, "who": who, "page": PAGE}
    if template == "audit/list.html":
        return pages.part(request, template, **values)
    accounts = await house.database.run(_accounts)
    return pages.show(request, template, accounts=accounts, **values)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@routes.get("/audit")
async def page(request: Request, visitor: ReadsAudit) -> Response:
    return await _shown(request, visitor, "audit/page.html")


@routes.get("/audit/list")
async def part(request: Request, visitor: ReadsAudit) -> Response:
    return await _shown(request, visitor, "audit/list.html")


@routes.get("/audit/chain")
async def chain(request: Request, visitor: ReadsAudit) -> Response:
    """Walks the whole chain, so it is a part of its own that comes when it is done."""
    verdict = await services(request).database.run(audit.verify)
    return pages_of(request).part(request, "audit/chain.html", verdict=verdict)
