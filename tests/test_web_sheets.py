"""Hours, information and triage in the console: changed, checked, tried and published, without a word of code."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import text

from hospital import editions
from hospital.booking import Department
from hospital.database import Database
from hotline import demo_clinics
from tests import console_app
from tests.console_app import Page, Site
from tests.moments import NOON, ZONE
from tests.workshops import workshop


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    with database.transaction() as session:
        demo_clinics.open_clinics(session, ZONE, NOON)
    made = Site(database, tmp_path)
    state = made.app.state
    facts = replace(state.services.facts, languages=("en", "es", "pt-BR", "zh-CN"))
    state.services = replace(state.services, workshop=workshop(database, tmp_path), facts=facts)
    return made


def words(html: str) -> str:
    return unescape(console_app.words(html))


def fields(html: str) -> dict[str, str]:
    """A form as a browser would send it."""
    form = unescape(html).partition('hx-target="#editor"')[2].partition("</form>")[0]
    found = dict(re.findall(r'<input type="(?:text|hidden)"[^>]*? name="([^"]+)"[^>]*? value="([^"]*)"', form))
    found |= dict(re.findall(r'<input type="hidden" name="(seen)" value="([^"]*)"', form))
    found |= dict(re.findall(r'<textarea[^>]*? name="([^"]+)"[^>]*>([^<]*)</textarea>', form))
    for name, options in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', form):
        found[name] = re.findall(r'value="([^"]*)" selected', options)[0] if "selected" in options else "red_flag"
    return found


async def publish(site: Site, ida: Page, sheet: editions.Sheet) -> None:
    with site.database.transaction() as session:
        draft = editions.draft(session, sheet)
        assert draft is not None
        seen = draft.changed_at.isoformat()
    answer = await ida.post(f"/editions/{sheet}/publish", why="The committee said so.", seen=seen)
    assert "The next call hears it" in answer.text


async def test_the_demos_own_files_meet_the_same_checks(site: Site) -> None:
    workshop = site.app.state.services.workshop
    for sheet in editions.SHEETS:
        assert await workshop.check(sheet, workshop.file_of(sheet)) == [], sheet
    assert workshop.file_of("wording") is None
    table = workshop.file_of("triage")
    with site.database.transaction() as session:
        session.execute(text("UPDATE slot SET state = 'withdrawn'"))
    assert {finding.what for finding in await workshop.check("triage", table)} >= {"'cardiology' has no free time"}


@pytest.mark.covers("H51")
async def test_ida_changes_the_hours(site: Site) -> None:
    async with site.signed_in("ida") as ida:
        form = fields((await ida.get("/hours")).text)
        wrong = {"mon": "08:00-12:00, 11:00-14:00", "tue": "18-9", "special": "2026-11-27: 09:00-10:00"}
        told = words((await ida.post("/hours", **form | wrong)).text)
        assert "overlaps another interval" in told and "is no interval" in told and "Stops" in told
        draft = fields((await ida.get("/hours")).text)
        right = {"mon": "08:00-12:00", "tue": "09:00-18:00", "wed": "", "thu": "", "fri": "", "sat": "", "sun": ""}
        told = words((await ida.post("/hours", **draft | right)).text)
        assert "Friday, 27 November 09:00–10:00" in told and "Saturday, 28 November closed" in told
        assert "Monday, 30 November 08:00–12:00" in told and "Stops" not in told
        await publish(site, ida, "hours")
        hours = (await site.app.state.services.workshop.live()).hours
        assert [len(day) for day in hours.window.week] == [1, 1, 0, 0, 0, 0, 0]
        played = words((await ida.post("/editions/hours/try", keys="1,0", language="en")).text)
        assert "For appointments" in played
        await ida.post("/editions/hours/try", 422, keys="1,x", language="en")


@pytest.mark.covers("H33", "H51")
async def test_ida_changes_the_triage_table_and_tries_it(site: Site) -> None:
    async with site.signed_in("ida") as ida:
        page = (await ida.get("/triage")).text
        assert "<svg" in page and page.count('class="flag"') >= 4
        form = fields(page)
        assert form["start"] == "trouble" and form["0.1.key"] == "2" and form["1.1.urgency"] == "soon"
        told = words((await ida.post("/triage", **form | {"0.4.code": "dentistry", "0.0.key": "2"})).text)
        assert "there is no department 'dentistry'" in told or "used twice" in told
        assert "Stops" in told
        form = fields((await ida.get("/triage")).text)
        form |= {"0.4.code": "general", "0.0.key": "1", "0.4.say.en": "a tooth"}
        form |= {name: "" for name in form if re.match(r"1\.0\.(key|say)", name)}  # the heart's red flag is taken out
        told = words((await ida.post("/triage", **form)).text)
        assert "has no row with red_flag" in told
        form = fields((await ida.get("/triage")).text) | {"1.0.key": "1", "1.0.leads": "red_flag", "1.0.code": "heart"}
        form |= {f"1.0.say.{tag}": "pain" for tag in ("en", "es", "pt-BR", "zh-CN")}
        form["0.4.urgency"] = "urgent"
        told = words((await ida.post("/triage", **form)).text)
        assert "Stops" not in told, told[:600]
        assert "general, urgent" in told, "the tree says so"
        assert fields((await ida.get("/triage")).text)["0.4.urgency"] == "urgent"
        assert "the red flag 'heart_or_stroke' is not in the table any more" in told
        played = (await ida.post("/editions/triage/try", keys="1,5", language="en")).text
        assert "For a tooth, press five" in words(played) and "general" in words(played).lower()
        await publish(site, ida, "triage")


async def test_ida_says_how_to_park_and_what_a_department_needs(site: Site) -> None:
    async with site.signed_in("ida") as ida:
        form = fields((await ida.get("/information")).text)
        short = form | {"says.directions.es": "", "prepare.fasting.en": "Eat nothing. " * 60}
        told = words((await ida.post("/information", **short)).text)
        assert "'es' is missing" in told and "letters; 600 are allowed" in told
        form |= {"seen": fields((await ida.get("/information")).text)["seen"]}
        form |= {f"says.documents.{tag}": "Bring your card." for tag in ("en", "es", "pt-BR", "zh-CN")}
        form |= {name: "" for name in form if name.startswith("prepare.fasting.")}
        told = words((await ida.post("/information", **form)).text)
        with site.database.transaction() as session:
            fasting = [one.code for one in session.query(Department) if "fasting" in one.preparation]
        assert f"nothing is said of 'fasting', which {', '.join(sorted(fasting))} needs" in told
        assert "Stops" not in told
        played = words((await ida.post("/editions/information/try", keys="1,3,3", language="en")).text)
        assert "Bring your card." in played
        await publish(site, ida, "information")
        assert (await site.app.state.services.workshop.live()).words.text("documents", "es") == "Bring your card."


async def test_ida_puts_results_first_and_booking_second(site: Site) -> None:
    async with site.signed_in("ida") as ida:
        rows = {"0.key": "1", "0.leads_to": "results", "1.key": "1", "1.leads_to": "book", "seen": ""}
        told = words((await ida.post("/menu", **rows)).text)
        assert "key 1 is used twice" in told and "Stops" in told
        form = {**rows, "1.key": "2", "2.key": "3", "2.leads_to": "my_appointments"}
        form["seen"] = re.findall(r'name="seen" value="([^"]*)"', (await ida.get("/menu")).text)[0]
        told = words((await ida.post("/menu", **form)).text)
        assert "Stops" not in told and "no choice leads to 'care'" in told and "'examination'" in told
        played = words((await ida.post("/editions/menu/try", keys="1,2,29021980", language="en")).text)
        assert "For results, press one." in played and "To book an appointment with a doctor, press two." in played
        assert "Which department" in played or "department" in played
        await publish(site, ida, "menu")


@pytest.mark.covers("H14", "H51")
async def test_ida_decides_what_follows_a_call(site: Site) -> None:
    async with site.signed_in("ida") as ida:
        page = (await ida.get("/outcomes")).text
        assert "The number is put away at once." in page
        assert "the patient is not called again for it" in page
        form = outcomes_form(page)
        assert form["line.busy.after"] == "30 min"
        assert "contact.refused.next" not in form, "nobody is offered to call who has said no"
        wrong = {"line.busy.after": "1 min", "contact.refused.next": "same_number", "most_dials": "0"}
        told = words((await ida.post("/outcomes", **form | wrong)).text)
        assert "'1 min' is too soon" in told and "who has said no is not called again" in told and "Stops" in told
        assert "0 calls are not possible" in told and "As it stands it is not possible" in told
        form = outcomes_form((await ida.get("/outcomes")).text)
        form |= {"line.busy.after": "1 h", "contact.moved.next": "other_number", "contact.moved.invalid": "on"}
        form["most_dials"] = "12"
        told = words((await ida.post("/outcomes", **form)).text)
        assert "Stops" not in told
        assert "After 1 hour, the same number; the last try is tomorrow" in told
        await publish(site, ida, "outcomes")
        with site.database.transaction() as session:
            live, *_ = editions.history(session, "outcomes")
            assert live.body is not None
            assert live.body.keys() == {"line", "contact"}, "only what differs is kept"
            assert (live.body["line"].keys(), live.body["contact"].keys()) == ({"busy"}, {"moved"})
        rules = (await site.app.state.services.calling_rules()).outcomes
        assert rules.line["busy"].after == timedelta(hours=1)
        assert rules.contact["moved"].puts_number_away


def outcomes_form(html: str) -> dict[str, str]:
    """The table as a browser would send it: what is chosen, what is ticked."""
    found = fields(html)
    for name, chosen in re.findall(r'<select [^>]*name="((?:line|contact)[^"]+)"[^>]*>.*?value="(\w+)" selected', html):
        found[name] = chosen
    ticked = re.findall(r'<input type="checkbox" name="([^"]+)" checked', html)
    return found | dict.fromkeys(ticked, "on")


@pytest.mark.covers("H51", "I7")
async def test_a_try_meets_nobody_and_leaves_nothing_behind(site: Site) -> None:
    async with site.signed_in("ida") as ida:
        keys = "1,1,1,29021980,1,1,1"  # books with the example patient, to the end
        played = words((await ida.post("/editions/wording/try", keys=keys, language="en")).text)
        assert "booked" in played.lower()
    with site.database.transaction() as session:
        for table in ("appointment", "hold", "call", "outbox"):
            assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 0  # noqa: S608
        assert session.scalar(text("SELECT count(*) FROM patient")) == 1  # João
