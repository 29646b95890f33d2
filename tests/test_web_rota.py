"""The pages of the rota: the week with its gaps, lines and shifts, swaps; and how they look."""

import re
from pathlib import Path
from uuid import UUID

import pytest
from playwright.async_api import expect
from sqlalchemy import select

from hospital import rota_records
from hospital.database import Database
from hospital.rota_records import OnCallChange, OnCallShift
from tests import browser
from tests.browser import PageOf, does_not_scroll, looked_at, page_of, served
from tests.browser import site as _site
from tests.console_app import Site, words

pytestmark = pytest.mark.covers("H33")
__all__ = ["page_of", "served"]
DAYS = [str(day) for day in range(1, 9)]


@pytest.fixture
def console(database: Database, tmp_path: Path) -> Site:
    return Site(database, tmp_path)


site = _site  # the browser's


def first_line(console: Site) -> str:
    with console.database.transaction() as session:
        return str(rota_records.open_lines(session)[0].id)


def shift(console: Site, who: str, **other: str | list[str]) -> dict[str, str | list[str]]:
    form: dict[str, str | list[str]] = {"line": first_line(console), "who": str(console.staff[who].id), "rank": "1"}
    return form | {"days": DAYS, "starts": "08:00", "ends": "20:00", "first_day": "2026-11-25"} | other


async def test_grace_opens_a_line_and_its_gaps_follow_its_shifts(console: Site) -> None:
    async with console.signed_in("grace") as grace:
        assert "Nobody is on call" in (await grace.get("/rota")).text
        assert (await grace.get("/shifts/alarm")).text.strip() == ""
        await grace.post("/shifts/lines", 204, role="nurse", ward="surgery 2")
        listed = words((await grace.get("/shifts")).text)
        assert "Nurse, surgery 2" in listed and "no shift" in listed and "lead: the supervisors" in listed
        await grace.post("/shifts/lines", 409, role="nurse", ward="surgery 2")
        assert "Nobody on call now : Nurse, surgery 2" in words((await grace.get("/shifts/alarm")).text)
        await grace.post("/shifts", **shift(console, "ana"))
        assert "today 20:00, and 6 more" in words((await grace.get("/shifts/alarm")).text)
        week = words((await grace.get("/rota")).text)
        assert "7 gaps in the next seven days" in week and "nobody 20:00–24:00" in week and "08:00–20:00 Ana" in week
        await grace.post("/shifts", **shift(console, "ruby", starts="20:00", ends="08:00"))
        assert words((await grace.get("/shifts/alarm")).text).strip() == ""
        week = words((await grace.get("/rota?begin=2026-12-07")).text)
        assert "Tue 8 Dec" in week and "00:00–08:00 Ruby" in week and "20:00–24:00 Ruby" in week


async def test_what_meets_another_shift_is_refused_with_whose_it_is(console: Site) -> None:
    async with console.signed_in("grace") as grace:
        await grace.post("/shifts/lines", 204, role="nurse")
        await grace.post("/shifts", **shift(console, "ana"))
        refused = await grace.post("/shifts", 409, **shift(console, "ruby", starts="19:00", ends="23:00"))
        assert "Ana is first on call from 25 Nov 2026, 08:00 already." in words(refused.text)
        await grace.post("/shifts", **shift(console, "ruby", starts="19:00", ends="23:00", rank="2"))
        assert "19:00–23:00 Ruby (2nd)" in words((await grace.get("/rota")).text)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"line": "x"}, "Say for which line"),
        ({"days": ["9"]}, "at least one day"),
        ({"starts": "25:00"}, "Say for which line"),
        ({"first_day": "2026-11-24"}, "in the past"),
        ({"rank": "first"}, "Say for which line"),
    ],
)
async def test_a_wrong_shift_is_said(console: Site, wrong: dict[str, str | list[str]], told: str) -> None:
    async with console.signed_in("grace") as grace:
        await grace.post("/shifts/lines", 204, role="nurse")
        assert told in words((await grace.post("/shifts", 422, **shift(console, "ana", **wrong))).text)


@pytest.mark.covers("I8")
async def test_ruby_asks_ana_to_take_a_turn_and_ana_takes_it(console: Site) -> None:
    async with console.signed_in("grace") as grace:
        await grace.post("/shifts/lines", 204, role="nurse")
        await grace.post("/shifts", **shift(console, "ruby", starts="20:00", ends="08:00"))
    with console.database.transaction() as session:
        turn = f"{session.scalars(select(OnCallShift.id)).one()}/2026-12-01"
    async with console.signed_in("ruby") as ruby:
        assert turn in (await ruby.get("/rota")).text
        shown = words((await ruby.post("/rota/swaps", turn=turn, taker=str(console.staff["ana"].id))).text)
        assert "1 Dec 2026, 20:00–08:00" in shown and "Asked" in shown and "I take it" not in shown
        swap = swap_of(console)
        await ruby.post(f"/rota/swaps/{swap}/agree", 409)
        assert "cannot" not in (await ruby.post("/rota/swaps", 422, turn="x", taker=str(console.staff["ana"].id))).text
    async with console.signed_in("ana") as ana:
        assert "I take it" in (await ana.get("/rota/week")).text
        shown = words((await ana.post(f"/rota/swaps/{swap}/agree")).text)
        assert "Agreed" in shown and "20:00–24:00 Ana changed" in shown
        await ana.post(f"/rota/swaps/{swap}/perhaps", 404)


def swap_of(console: Site) -> UUID:
    with console.database.transaction() as session:
        return session.scalars(select(OnCallChange.id)).one()


async def test_grace_changes_a_day_and_ends_a_shift(console: Site) -> None:
    async with console.signed_in("grace") as grace:
        await grace.post("/shifts/lines", 204, role="nurse")
        await grace.post("/shifts", **shift(console, "ana"))
        with console.database.transaction() as session:
            shift_id = session.scalars(select(OnCallShift.id)).one()
        turn, ruby = f"{shift_id}/2026-11-26", str(console.staff["ruby"].id)
        await grace.post("/shifts/day", turn=turn, what="instead", who=ruby)
        assert "08:00–20:00 Ruby changed" in words((await grace.get("/rota/week")).text)
        await grace.post("/shifts/day", turn=turn, what="off")
        assert "nobody 00:00–24:00" in words((await grace.get("/rota/week")).text)
        await grace.post("/shifts/day", turn=turn, what="planned")
        assert "changed" not in words((await grace.get("/rota/week")).text)
        assert "Choose who has it" in words((await grace.post("/shifts/day", 422, turn=turn, what="instead")).text)
        assert "Choose what" in words((await grace.post("/shifts/day", 422, turn=turn, what="dance")).text)
        await grace.post(f"/shifts/{shift_id}/end", last_day="2026-11-26")
        week = words((await grace.get("/rota/week")).text)
        assert len(re.findall("08:00–20:00 Ana ", week)) == 4, "two turns, each in the picture and in words"
        await grace.post(f"/shifts/{shift_id}/end", 409, last_day="2026-11-30")
        await grace.post(f"/shifts/lines/{first_line(console)}/close")
        assert "No line is open" in (await grace.get("/shifts/list")).text


async def test_nurses_and_doctors_read_the_week_and_change_nothing(console: Site) -> None:
    for who, status in (("ana", 200), ("dora", 200), ("oscar", 403), ("ida", 403)):
        async with console.signed_in(who) as page:
            await page.get("/rota", status)
            await page.get("/shifts", 403)
            await page.post("/shifts/lines", 403, role="nurse")


@pytest.mark.browser
@pytest.mark.covers("H51")
async def test_grace_makes_a_rota_in_her_browser(served: browser.Site, page_of: PageOf) -> None:
    grace = await page_of("grace")
    await grace.goto(served.url("/rota"))
    await grace.get_by_role("link", name="Open the first line").click()
    await expect(grace.get_by_text("on the screen only").first).to_be_visible()
    await does_not_scroll(grace)
    await looked_at(grace, "shifts-none")
    await grace.get_by_label("Open a line for").select_option("nurse")
    await grace.get_by_label("in ward").fill("Surgery 2")
    await grace.get_by_role("button", name="Open it").click()
    await expect(grace.get_by_text("no shift")).to_be_visible()
    line = grace.get_by_label("Line", exact=True)
    await expect(line).to_be_visible()  # the page is there anew, with its forms
    await grace.get_by_label("Open a line for").select_option("doctor")
    await grace.get_by_label("in ward").fill("")
    await grace.get_by_role("button", name="Open it").click()
    await expect(grace.get_by_role("rowheader", name="Doctor, any ward")).to_be_visible()
    await expect(line.locator("option")).to_have_count(2)
    await line.select_option(label="Nurse, Surgery 2")
    await grace.get_by_label("Who").first.select_option(label="Ana")
    await grace.get_by_role("button", name="Add the shift").press("Enter")
    await expect(grace.get_by_role("cell", name="08:00–20:00")).to_be_visible()
    await grace.get_by_label("Who").first.select_option(label="Grace")
    await grace.get_by_label("as", exact=True).select_option("2")
    await grace.get_by_label("From", exact=True).fill("00:00")
    await grace.get_by_label("until", exact=True).fill("12:00")
    await grace.get_by_role("button", name="Add the shift").click()
    await grace.get_by_label("Line", exact=True).select_option(label="Doctor, any ward")
    await grace.get_by_label("Who").first.select_option(label="Dora")
    await grace.get_by_label("From", exact=True).fill("08:00")
    await grace.get_by_label("until", exact=True).fill("08:00")
    await grace.get_by_role("button", name="Add the shift").click()
    await expect(grace.get_by_role("cell", name="08:00–08:00")).to_be_visible()
    await looked_at(grace, "shifts")
    await does_not_scroll(grace)
    await grace.get_by_role("link", name="← Who is on call").click()
    await expect(grace.get_by_text("gaps in the next seven days")).to_be_visible()
    await expect(grace.get_by_role("link", name="Nobody on call today 20:00")).to_be_visible()
    await does_not_scroll(grace)
    await looked_at(grace, "rota")
