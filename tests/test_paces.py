"""What a supervisor is told of how each campaign dials now, and why not more."""

from dataclasses import replace
from pathlib import Path

import pytest

from dialer.paces import PaceNow, paces
from hospital import campaigns, stints
from hospital.campaigns import Wanted
from hospital.database import Database
from tests.console_app import Site, words
from tests.hospital_scene import employ
from tests.moments import NOON
from tests.test_predictive import Survey

pytestmark = pytest.mark.covers("H28")
LINES = 4


def of_survey(survey: Survey) -> PaceNow:
    with survey.database.transaction() as session:
        return paces(session, survey.clock, LINES)[survey.campaign]


async def test_a_predictive_one_tells_what_pacing_tells(database: Database) -> None:
    survey = Survey(database, 400)
    assert of_survey(survey) == PaceNow(0, "no_nurse")
    survey.answered_so_far(150)
    for nurse in survey.nurses:
        await survey.join(nurse)
    now = of_survey(survey)
    assert now.dial > now.ready == now.nurses == 3 and now.why == "enough"
    assert now.answer_rate is not None and 0.4 < now.answer_rate < 0.6
    assert await survey.predictive.call_due() == now.dial, "it is what is dialled"


async def test_with_the_ceiling_used_up_it_says_so(database: Database) -> None:
    survey = Survey(database, 400)
    survey.answered_so_far(150, abandoned=5)
    await survey.join(survey.nurses[0])
    assert (of_survey(survey).dial, of_survey(survey).why) == (1, "ceiling_near")


def test_the_other_modes_say_what_they_wait_for(database: Database) -> None:
    with database.transaction() as session:
        grace, ana = employ(session, "grace", "supervisor").id, employ(session, "ana", "nurse").id
        made = {
            mode: campaigns.create(session, Wanted(mode, mode, ward=mode, **more), grace, NOON).id  # type: ignore[arg-type]
            for mode, more in (("preview", {}), ("progressive", {}), ("agentless", {"lines": 1}))
        }
        paused = campaigns.create(session, Wanted("paused", "agentless", ward="x"), grace, NOON).id
        for one in made.values():
            campaigns.order(session, one, "start", grace, NOON)
        assert paces(session, NOON, LINES) == {
            made["preview"]: PaceNow(0, "by_nurses"),
            made["progressive"]: PaceNow(0, "no_nurse"),
            made["agentless"]: PaceNow(1, "as_due"),
        }
        assert paused not in paces(session, NOON, LINES)
        assert paces(session, NOON, 0)[made["agentless"]] == PaceNow(0, "line_limit")
        stint = stints.begin(session, ana, made["progressive"], "n1", NOON)
        assert stint is not None and stints.up(session, stint.channel_id)
        assert paces(session, NOON, LINES)[made["progressive"]] == PaceNow(1, "one_each", 1, 1)


async def test_grace_sees_it_in_the_list_and_on_the_campaigns_page(database: Database, tmp_path: Path) -> None:
    site = Site(database, tmp_path)
    by = site.staff["grace"].id
    with database.transaction() as session:
        survey = campaigns.create(session, Wanted("Survey", "predictive", purpose="survey"), by, NOON).id
        calls = campaigns.create(session, Wanted("Day 3", "preview"), by, NOON).id
        for one in (survey, calls):
            campaigns.order(session, one, "start", by, NOON)

    async def told() -> dict[object, PaceNow]:
        return {survey: PaceNow(3, "ceiling_near", 2, 1, 0.314), calls: PaceNow(0, "by_nurses")}

    site.app.state.services = replace(site.app.state.services, paces=told)
    async with site.signed_in("grace") as grace:
        listed = words((await grace.get("/campaigns/list")).text)
        assert "nothing is due now; 31 % answer" in listed and "nurses begin each call" in listed
        live = words((await grace.get(f"/campaigns/{survey}/live")).text)
        assert "Dials 0 now: nothing is due now. 1 of 2 nurses wait for a call." in live
        assert "Answer rate it reckons with 31 %" in live and "Abandoned at most 3.0 %" in live
