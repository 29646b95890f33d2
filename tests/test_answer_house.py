"""The pages of links in the real house: the demo's text message has a link that opens, and no log knows of it."""

import json
import re
from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy import select

from hospital.followups import FollowUpTask
from hospital.patients import candidates
from hotline import demo, numbering
from tests.answer_scene import Link, answers_all, said
from tests.characters import RUTH
from tests.house import House

pytestmark = [pytest.mark.asterisk, pytest.mark.covers("H28")]


def texted(house: House) -> list[str]:
    """The links in the messages that have left."""
    sent = house.here.outbox / "sent.jsonl"
    lines = sent.read_text(encoding="utf-8").splitlines() if sent.exists() else []
    found = (re.search(r"http://\S+/s/[\w-]{22}", json.loads(line)["text"]) for line in lines)
    return [link[0] for link in found if link is not None]


async def test_ruth_opens_the_link_of_the_demo_and_answers(house: House) -> None:
    before = len(texted(house))
    with house.database.transaction() as session:
        demo.ask_how_it_was(session, datetime.now(UTC))
        (ruth,) = candidates(session, RUTH.numbers[0])
    await house.until("the message has left", lambda: len(texted(house)) > before, within=30)
    address, _, token = texted(house)[-1].rpartition("/s/")
    assert address == house.settings.answers_url == f"http://{house.address}:{numbering.ANSWERS_PORT}"
    async with httpx.AsyncClient(base_url=address, follow_redirects=True) as browser:
        assert "We would like to ask you some questions." in said(await browser.get(f"/s/{token}"))
        assert "Thank you." in said(await answers_all(browser, Link(token), words="The staircase is high."))
        assert (await browser.get("/sign-in")).status_code == 404
    with house.database.transaction() as session:
        task = session.scalars(select(FollowUpTask).where(FollowUpTask.reason == demo.HOW_IT_WAS)).one()
        assert (task.patient_id, task.state) == (ruth.patient.id, "done")
    logs = "".join(path.read_text(errors="replace") for path in house.here.log.glob("*.log"))
    assert token not in logs and "staircase" not in logs
