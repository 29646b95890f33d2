"""The page of the campaigns: who may, what is created, what an order does, and that no name is on it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from hospital.campaigns import Campaign
from hospital.database import Database
from tests.console_app import Site, words

FORM = {"name": "Day 3, surgery", "mode": "preview", "reason": "discharge_day_3", "priority": "2", "lines": "4"}


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    return Site(database, tmp_path)


def campaign(site: Site) -> Campaign:
    with site.database.transaction() as session:
        return session.scalars(select(Campaign)).one()


async def test_grace_creates_starts_pauses_and_stops_one(site: Site) -> None:
    async with site.signed_in("grace") as grace:
        assert "There is no campaign" in (await grace.get("/campaigns")).text
        listed = words((await grace.post("/campaigns", **FORM)).text)
        assert "Day 3, surgery" in listed and "Reason: Day 3 after discharge" in listed and "Not started" in listed
        made = campaign(site)
        assert (made.mode, made.priority, made.weight, made.lines, made.per_second) == ("preview", 2, 1, 4, None)
        for what, state in (("start", "Running"), ("pause", "Paused"), ("start", "Running"), ("stop", "Stopped")):
            await grace.post(f"/campaigns/{made.id}/{what}", 204)
            assert state in words((await grace.get("/campaigns/list")).text)
        await grace.post(f"/campaigns/{made.id}/start", 409)
        whole = words((await grace.get(f"/campaigns/{made.id}")).text)
        assert "Grace stopped a campaign" in whole and "Grace created a campaign" in whole


async def test_its_share_and_limits_are_changed_while_it_runs(site: Site) -> None:
    async with site.signed_in("grace") as grace:
        await grace.post("/campaigns", **FORM)
        made = campaign(site)
        await grace.post(f"/campaigns/{made.id}/start", 204)
        limits = {"priority": "1", "weight": "7", "lines": "", "per_second": "0,5", "caller_id": "+5716000777"}
        await grace.post(f"/campaigns/{made.id}/limits", 204, **limits)
        now = campaign(site)
        assert (now.priority, now.weight, now.lines, now.per_second, now.caller_id) == (1, 7, None, 0.5, "+5716000777")
        assert (now.name, now.mode, now.reason, now.state) == (made.name, made.mode, made.reason, "running")
        assert "at once" in (await grace.post(f"/campaigns/{made.id}/limits", 422, **limits | {"lines": "0"})).text
        assert "changed a campaign" in words((await grace.get(f"/campaigns/{made.id}/live")).text)
        await grace.post(f"/campaigns/{made.id}/stop", 204)
        await grace.post(f"/campaigns/{made.id}/limits", 409, **limits)


async def test_it_shows_counts_and_nobodys_name(site: Site) -> None:
    async with site.signed_in("grace") as grace:
        await grace.post("/campaigns", **FORM)
        made = campaign(site)
        await grace.post(f"/campaigns/{made.id}/start", 204)
        site.talking()
        live = (await grace.get(f"/campaigns/{made.id}/live")).text
        assert "Talking 1" in words(live) and "Answered in 24 h 1" in words(live)
        assert "João" not in live + (await grace.get("/campaigns")).text


async def test_ana_opens_the_next_of_it(site: Site) -> None:
    async with site.signed_in("grace") as grace, site.signed_in("ana") as ana:
        await grace.post("/campaigns", **FORM)
        made = campaign(site)
        assert (await ana.get("/followups/campaigns")).text.strip() == ""
        await ana.post(f"/followups/next/{made.id}", 409)
        await grace.post(f"/campaigns/{made.id}/start", 204)
        assert "Next of Day 3, surgery" in (await ana.get("/followups/campaigns")).text
        opened = await ana.post(f"/followups/next/{made.id}", 204)
        assert json.loads(opened.headers["hx-location"])["path"] == f"/followups/{site.task.id}"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": ""}, "a name"),
        ({"mode": "robocall"}, "how it calls"),
        ({"mode": "predictive", "purpose": "survey"}, "not switched on"),
        ({"priority": "soon"}, "are numbers"),
        ({"caller_id": "12"}, "5 to 15 digits"),
    ],
)
async def test_what_is_wrong_is_said(site: Site, wrong: dict[str, str], told: str) -> None:
    async with site.signed_in("grace") as grace:
        assert told in (await grace.post("/campaigns", 422, **{**FORM, **wrong})).text


@pytest.mark.covers("H51")
@pytest.mark.parametrize("name", ["ana", "oscar", "ida"])
async def test_only_who_runs_them_sees_them(site: Site, name: str) -> None:
    async with site.signed_in(name) as page:
        await page.get("/campaigns", 403)
        await page.post("/campaigns", 403, **FORM)


async def test_predictive_where_the_site_wants_it_and_never_above_the_ceiling(site: Site) -> None:
    house = site.app.state.services
    site.app.state.services = replace(house, facts=replace(house.facts, predictive=True))
    form = {"name": "How it was", "mode": "predictive", "purpose": "survey", "ceiling": "2,5"}
    async with site.signed_in("grace") as grace:
        assert "Predictive: abandoned at most" in (await grace.get("/campaigns")).text
        assert "surveys alone" in (await grace.post("/campaigns", 422, **form | {"purpose": ""})).text
        assert "at most 3 %" in (await grace.post("/campaigns", 422, **form | {"ceiling": "4"})).text
        await grace.post("/campaigns", **form)
        made = campaign(site)
        assert (made.mode, made.ceiling) == ("predictive", 0.025)
        limits = {"priority": "5", "weight": "1", "ceiling": "1"}
        await grace.post(f"/campaigns/{made.id}/limits", 204, **limits)
        assert "at most 1.0 % abandoned" in words((await grace.get(f"/campaigns/{made.id}")).text)
        assert (
            "at most 3 %" in (await grace.post(f"/campaigns/{made.id}/limits", 422, **limits | {"ceiling": "9"})).text
        )
