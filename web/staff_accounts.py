"""The staff's accounts: who there is, opened, closed, given another role or password; each order is audited.

A password is made here, shown once to who has asked for it, and kept as a hash only. Nobody orders anything of the own
account here: the last administrator must not lock the door from outside."""

import re
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hospital import account_orders, accounts
from hospital.accounts import RIGHTS, Account
from web.doors import Door, Visitor, pages_of, services
from web.refusals import Refusal

Manages = Annotated[Visitor, Depends(Door("accounts.manage"))]
Role = Annotated[str, Form(max_length=40)]
USERNAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
LONGEST_NAME = 100

routes = APIRouter()


@dataclass(frozen=True)
class Made:
    """A password that is shown this once."""

    username: str
    password: str


async def _shown(request: Request, template: str, made: Made | None = None) -> Response:
    house = services(request)
    everybody = await house.database.run(accounts.staff)
    there = sorted(everybody, key=lambda one: (one.disabled_at is not None, one.display_name.casefold()))
    values: dict[str, Any] = {"accounts": there, "roles": [*RIGHTS], "made": made, "now": house.clock()}
    pages = pages_of(request)
    show = pages.show if template.endswith("page.html") else pages.part
    return show(request, template, **values)


@routes.get("/accounts")
async def page(request: Request, visitor: Manages) -> Response:
    return await _shown(request, "accounts/page.html")


@routes.post("/accounts")
async def add(
    request: Request,
    visitor: Manages,
    role: Role,
    username: Annotated[str, Form(max_length=100)] = "",
    called: Annotated[str, Form(max_length=LONGEST_NAME)] = "",
) -> Response:
    name, shown = username.strip().lower(), " ".join(called.split())
    if not USERNAME.fullmatch(name):
        raise Refusal(422, "A user name begins with a letter and has small letters, digits, _ and - only, at most 32.")
    if not shown:
        raise Refusal(422, "Say how the account is called.")
    house, password = services(request), account_orders.made_up()

    def write(session: Session) -> None:
        account_orders.open_account(
            session,
            visitor.account_id,
            house.clock(),
            username=name,
            display_name=shown,
            role=_known(role),
            password=password,
        )

    try:
        await house.database.run(write)
    except IntegrityError:
        raise Refusal(409, "There is an account of this name.") from None
    return await _shown(request, "accounts/list.html", Made(name, password))


@routes.post("/accounts/{account_id}/disable")
async def disable(request: Request, visitor: Manages, account_id: UUID) -> Response:
    await _other(request, visitor, account_id)
    house = services(request)
    if not await house.database.run(account_orders.close, account_id, visitor.account_id, house.clock()):
        raise Refusal(409, "It is disabled already.")
    return await _shown(request, "accounts/list.html")


@routes.post("/accounts/{account_id}/enable")
async def enable(request: Request, visitor: Manages, account_id: UUID) -> Response:
    await _other(request, visitor, account_id)
    house = services(request)
    if not await house.database.run(account_orders.open_again, account_id, visitor.account_id, house.clock()):
        raise Refusal(409, "It is not disabled.")
    return await _shown(request, "accounts/list.html")


@routes.post("/accounts/{account_id}/password")
async def password(request: Request, visitor: Manages, account_id: UUID) -> Response:
    """A new one, which ends every session."""
    account = await _other(request, visitor, account_id)
    house, made = services(request), account_orders.made_up()
    await house.database.run(account_orders.give_password, account_id, made, visitor.account_id, house.clock())
    return await _shown(request, "accounts/list.html", Made(account.username, made))


@routes.post("/accounts/{account_id}/role")
async def give_role(request: Request, visitor: Manages, account_id: UUID, role: Role) -> Response:
    await _other(request, visitor, account_id)
    house, wanted = services(request), _known(role)
    if not await house.database.run(account_orders.give_role, account_id, wanted, visitor.account_id, house.clock()):
        raise Refusal(409, "It has this role already.")
    return await _shown(request, "accounts/list.html")


def _known(role: str) -> str:
    if role not in RIGHTS:
        raise Refusal(422, "Choose a role.")
    return role


async def _other(request: Request, visitor: Visitor, account_id: UUID) -> Account:
    """Somebody else's account."""
    if account_id == visitor.account_id:
        raise Refusal(
            409, "This is your own account: another administrator may. The password you change under your name."
        )
    found = await services(request).database.run(lambda session: session.get(Account, account_id))
    if found is None:
        raise Refusal(404, "There is no such account.")
    return found
