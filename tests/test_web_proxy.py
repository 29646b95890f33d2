"""Whose wrong passwords are counted, with a TLS proxy before the console and without one."""

import httpx
import pytest
from sqlalchemy import select

from hospital.accounts import SignInFailure
from hotline.page_settings import Web
from hotline.run_core import console_server
from tests.browser import Site, serving, site

__all__ = ["site"]


@pytest.mark.parametrize(
    ("proxy", "counted"),
    [(None, "127.0.0.1"), ("127.0.0.1", "203.0.113.9"), ("192.0.2.10", "127.0.0.1")],
)
async def test_only_the_proxys_word_on_who_asks_is_believed(site: Site, proxy: str | None, counted: str) -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.9"}
    async with serving(site, console_server(Web(proxy=proxy), site.app)), httpx.AsyncClient(headers=forwarded) as ana:
        wrong = await ana.post(site.url("/sign-in"), data={"username": "ana", "password": "not hers"})
    assert wrong.status_code == 401
    with site.database.transaction() as session:
        assert session.scalars(select(SignInFailure.client)).all() == [counted]
