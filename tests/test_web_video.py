"""The video call on a follow-up's form: begun, opened, ended by its nurse; its link is on no page."""

from datetime import timedelta
from pathlib import Path

import pytest

from hospital import audit, video_steps
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.text_records import VideoMeeting
from hospital.video_steps import Rooms
from tests.console_app import Site, words
from tests.hospital_scene import UNCAPPED

HOUR = timedelta(hours=1)
ROOMS = Rooms("https://video.example.org/{room}", HOUR, HOUR / 2)
pytestmark = pytest.mark.covers("H25", "H51")


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    return Site(database, tmp_path)


def asked(site: Site) -> str:
    """João was asked to a video call in an hour, which has come; its link."""
    with site.database.transaction() as session:
        task = session.get_one(FollowUpTask, site.task.id)
        task.channel, task.fallback = "video_link", ["sms"]
        session.flush()
        assert video_steps.work_next(session, site.now, UNCAPPED, ROOMS)
        link = session.get_one(VideoMeeting, task.id).link
    site.now += HOUR
    return link


async def test_ana_holds_a_video_call(site: Site) -> None:
    link = asked(site)
    base = f"/followups/{site.task.id}"
    async with site.signed_in("ana") as ana:
        page = await ana.get(base)
        assert "The patient was asked to come to a video call today 14:00" in words(page.text)
        await ana.get(f"{base}/video", 409)
        await ana.post(f"{base}/video/end", 409)
        call = await ana.post(f"{base}/video/begin")
        assert "Open the video call" in words(call.text) and "Tick what the patient says right" in words(call.text)
        assert "Notice spoken" not in call.text
        room = await ana.get(f"{base}/video", 303)
        assert room.headers["location"] == link and room.headers["referrer-policy"] == "no-referrer"
        for shown in (page, call, await ana.get(base), await ana.get(f"{base}/past"), await ana.get(f"{base}/why")):
            assert link.rpartition("/")[2] not in shown.text
        await ana.post(f"{base}/call/hang-up", 409)
        await ana.post(f"{base}/ticks/name", on="on")
        await ana.post(f"{base}/ticks/birth_date", on="on")
        await ana.post(f"{base}/answers/pain", value="2")
        told = await ana.post(f"{base}/result/partial")
        assert "Call João" in words(told.text)
        await ana.get(f"{base}/video", 409)
        assert "it was a video call" in words((await ana.get(f"{base}/recording")).text)
    assert site.answers() == {"pain": 2}
    task = site.task_now()
    assert (task.state, task.channel) == ("open", "nurse_call")
    with site.database.transaction() as session:
        assert "video.opened" in [row.action for row in audit.of_subject(session, f"patient:{site.joao.id}")]


async def test_the_patient_does_not_come(site: Site) -> None:
    asked(site)
    base = f"/followups/{site.task.id}"
    async with site.signed_in("ana") as ana:
        await ana.post(f"{base}/video/begin")
        await ana.post(f"{base}/video/begin", 409)
        await ana.post(f"{base}/video/nobody")
        await ana.post(f"{base}/video/nobody", 409)
        assert "did not come to the video call: next by text message" in words((await ana.get(f"{base}/why")).text)
    assert site.task_now().channel == "sms"


async def test_she_ends_it_and_says_then_whom_she_met(site: Site) -> None:
    asked(site)
    base = f"/followups/{site.task.id}"
    async with site.signed_in("ana") as ana:
        await ana.post(f"{base}/video/begin")
        assert "Whom did you reach?" in words((await ana.post(f"{base}/video/end")).text)
        await ana.post(f"{base}/result/refused")
    assert site.task_now().stop_reason == "refused"


async def test_too_early_and_nobody_elses(site: Site) -> None:
    link = asked(site)
    base = f"/followups/{site.task.id}"
    async with site.signed_in("ruby") as ruby:
        await ruby.post(f"{base}/video/begin", 403)
        await ruby.get(f"{base}/video", 403)
    async with site.signed_in("oscar") as oscar:
        await oscar.get(f"{base}/video", 403)
    site.now -= HOUR / 2
    async with site.signed_in("ana") as ana:
        assert "a quarter of an hour before" in (await ana.post(f"{base}/video/begin", 409)).text
    site.now += HOUR / 2
    async with site.signed_in("ana") as ana:
        await ana.post(f"{base}/video/begin")
    async with site.signed_in("grace") as grace:  # she sees every follow-up, and enters nobody else's room
        assert link not in (await grace.get(base)).text
        await grace.get(f"{base}/video", 409)
