"""One's own account: another password. Whoever is signed in may, whatever the role.

The old password is asked for again, and guessed as seldom as at the sign-in: a page that was left open is no key."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response

from hospital import account_orders
from hospital.account_orders import SHORTEST
from hospital.accounts import Refused, Throttled
from web.doors import Door, Visitor, pages_of, services
from web.refusals import Refusal
from web.sign_in import told_to_wait

Anybody = Annotated[Visitor, Depends(Door(None))]
Secret = Annotated[str, Form(max_length=1000)]
WRONG = {
    "short": f"The new password has fewer than {SHORTEST} letters.",
    "same": "The new password is the old one.",
}

routes = APIRouter()


@routes.get("/account")
async def page(request: Request, visitor: Anybody) -> Response:
    return pages_of(request).show(request, "account/page.html", shortest=SHORTEST, done=False)


@routes.post("/account/password")
async def password(
    request: Request, visitor: Anybody, old: Secret = "", new: Secret = "", again: Secret = ""
) -> Response:
    """Every other session of the account ends."""
    if new != again:
        raise Refusal(422, "The new password was not typed the same twice.")
    house = services(request)
    now, client = house.clock(), request.client.host if request.client else ""
    wrong = await house.database.run(
        account_orders.change_password, visitor.account_id, visitor.token, old, new, now, client
    )
    match wrong:
        case Throttled():
            raise Refusal(429, told_to_wait(wrong.until, now))
        case Refused():
            raise Refusal(403, "The old password is not right.")
        case str():
            raise Refusal(422, WRONG[wrong])
    return pages_of(request).part(request, "account/password.html", shortest=SHORTEST, done=True)
