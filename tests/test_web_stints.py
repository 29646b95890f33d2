"""The nurse's switch for one call after the other, and the form that it opens."""

from pathlib import Path
from uuid import UUID

import pytest

from hospital import attempts, campaigns, stints
from hospital.attempts import Claimed
from hospital.campaigns import Wanted
from hospital.database import Database
from hospital.stints import Stint
from tests.console_app import Site, words
from tests.hospital_scene import UNCAPPED

pytestmark = pytest.mark.covers("H13")


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    made = Site(database, tmp_path)
    with database.transaction() as session:
        grace = made.staff["grace"].id
        one = campaigns.create(session, Wanted("Day 3", "progressive"), grace, made.now)
        campaigns.order(session, one.id, "start", grace, made.now)
    return made


def campaign_id(site: Site) -> UUID:
    with site.database.transaction() as session:
        return next(one.id for one in campaigns.listed(session) if one.mode == "progressive")


def joined(site: Site) -> Stint:
    """Ana has joined, and picked up."""
    with site.database.transaction() as session:
        stint = stints.begin(session, site.staff["ana"].id, None, "n1", site.now)
        assert stint is not None and stints.up(session, stint.channel_id)
        return stint


def called(site: Site, stint: Stint) -> Claimed:
    with site.database.transaction() as session:
        claimed = stints.claim_next(session, stint.id, campaigns.listed(session)[0].id, "n1", site.now, UNCAPPED)
        assert isinstance(claimed, Claimed) and attempts.dialling(session, claimed.attempt_id, site.now)
        return claimed


async def test_ana_joins_where_a_campaign_runs(site: Site) -> None:
    async with site.signed_in("ana") as ana:
        assert "Take calls one after the other" in (await ana.get("/followups/campaigns")).text
        assert (await ana.get("/stint")).text.strip() == ""
        await ana.post("/stint/join", 204, campaign=str(campaign_id(site)))
        await ana.post("/stint/join", 204)
        await ana.post("/stint/join", 422, campaign="all")
        assert site.stints.asked == [("join", campaign_id(site)), ("join", None)]
        site.stints.refusal = "This campaign does not run any more."
        assert "does not run" in (await ana.post("/stint/join", 409)).text


async def test_a_predictive_campaign_has_nurses_of_its_own(site: Site) -> None:
    with site.database.transaction() as session:
        grace, ana = site.staff["grace"].id, site.staff["ana"].id
        one = campaigns.create(session, Wanted("How it was", "predictive", purpose="survey"), grace, site.now)
        campaigns.order(session, one.id, "start", grace, site.now)
        assert stints.begin(session, ana, one.id, "n1", site.now) is not None
    async with site.signed_in("ana") as page, site.signed_in("grace") as grace_page:
        assert f'value="{one.id}">How it was' in (await page.get("/followups/campaigns")).text
        assert "Your phone rings" in words((await page.get("/stint")).text)
        live = words((await grace_page.get(f"/campaigns/{one.id}/live")).text)
        assert "more lines than nurses" in live and "Ana Your phone rings" in live
        other = words((await grace_page.get(f"/campaigns/{campaign_id(site)}/live")).text)
        assert "Nobody yet" in other


async def test_what_she_does_is_in_the_bar_and_his_form_opens(site: Site) -> None:
    stint = joined(site)
    async with site.signed_in("ana") as ana:
        assert "Waiting for the next" in words((await ana.get("/stint")).text)
        call = called(site, stint)
        bar = (await ana.get("/stint")).text
        assert "Calling the next" in words(bar) and f'data-goes="{call.attempt_id}"' in bar
        assert f'href="/followups/{site.task.id}"' in bar and "João" not in bar
        with site.database.transaction() as session:
            attempts.answered(session, call.channel_id, site.now)
        bar = (await ana.get("/stint")).text
        assert "Talking" in words(bar) and "Leave" not in words(bar)
        site.over(call.attempt_id)
        assert "Say whom you reached" in words((await ana.get("/stint")).text)
        await ana.post(f"/followups/{site.task.id}/result/refused")
        bar = words((await ana.get("/stint")).text)
        assert "Write-up 0:30" in bar and "1 min more" in bar
        assert "1:30" in words((await ana.post("/stint/more")).text)
        assert "Waiting for the next" in words((await ana.post("/stint/ready")).text)
        assert site.stints.asked == [("call_next", None)]


async def test_she_is_told_when_the_campaign_does_not_run(site: Site) -> None:
    joined(site)
    with site.database.transaction() as session:
        campaigns.order(session, campaigns.listed(session)[0].id, "pause", site.staff["grace"].id, site.now)
    async with site.signed_in("ana") as ana:
        assert "the campaign does not run" in words((await ana.get("/stint")).text)


async def test_she_pauses_goes_on_and_leaves(site: Site) -> None:
    joined(site)
    async with site.signed_in("ana") as ana:
        assert "Paused" in words((await ana.post("/stint/pause")).text)
        assert "Waiting for the next" in words((await ana.post("/stint/resume")).text)
        await ana.post("/stint/more", 409)
        await ana.post("/stint/dance", 404)
        await ana.post("/stint/leave")
        assert site.stints.asked == [("call_next", None), ("leave", None)]
    async with site.signed_in("grace") as grace:
        await grace.post("/stint/pause", 409)


async def test_who_signs_out_is_not_called_for_any_more(site: Site) -> None:
    stint = joined(site)
    call = called(site, stint)
    with site.database.transaction() as session:
        attempts.answered(session, call.channel_id, site.now)
    site.stints.refusal = "End the call first, then leave."
    async with site.signed_in("ana") as ana:
        await ana.post("/sign-out", 204)
    assert site.stints.asked == [("leave", None)]
    with site.database.transaction() as session:
        kept = stints.current_stint(session, site.staff["ana"].id)
        assert kept is not None and kept.paused, "she talks on, and no patient follows"


async def test_grace_sees_who_has_joined(site: Site) -> None:
    stint = joined(site)
    called(site, stint)
    async with site.signed_in("grace") as grace:
        live = words((await grace.get(f"/campaigns/{campaign_id(site)}/live")).text)
        assert "Ana Calling the next" in live and "Ringing 1" in live


async def test_whoever_was_left_alone_is_counted_and_told(site: Site) -> None:
    call = called(site, joined(site))
    with site.database.transaction() as session:
        attempts.abandoned(session, call.channel_id, site.now, UNCAPPED)
    site.over(call.attempt_id)
    async with site.signed_in("grace") as grace:
        live = words((await grace.get(f"/campaigns/{campaign_id(site)}/live")).text)
        assert "Answered in 24 h 1" in live and "Abandoned in 24 h 1 100.0 %" in live
        form = words((await grace.get(f"/followups/{site.task.id}")).text)
        assert "answered, and nobody of us was there" in form.lower()
