"""Tom books for Lucía while she talks: not before two identifiers are ticked, and never on another's card."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from playwright.async_api import expect

from hospital import appointments, screen_pops
from hospital.appointments import Booked
from tests.browser import Comes, PageOf, Site, comes, does_not_scroll, looked_at, page_of, served, site
from tests.characters import LUCIA
from tests.console_app import words
from tests.hospital_scene import clinic
from tests.test_web_agent import audited, moves

__all__ = ["comes", "page_of", "served", "site"]
DAY = timedelta(days=1)


def free(site: Site, count: int = 3) -> list[UUID]:
    with site.database.transaction() as session:
        return clinic(session, count, first=site.clock() + DAY)


def lucias(site: Site) -> list[Booked]:
    with site.database.transaction() as session:
        return appointments.appointments(session, site.people["lucia"], site.clock())


def says_who_she_is(site: Site, pop: UUID) -> None:
    """Her name and birth date, right."""
    with site.database.transaction() as session:
        owner = session.get_one(screen_pops.ScreenPop, pop).account_id
        for told in ("name", "birth_date"):
            screen_pops.tick(session, pop, owner, told, True)


@pytest.mark.covers("H10", "I1", "I9")
async def test_tom_books_moves_and_cancels_for_whom_he_has_identified(site: Site, comes: Comes) -> None:
    first, second, _ = free(site)
    tom, ana = await comes("tom"), await comes("ana")
    pop = await site.rings("tom", LUCIA)
    at = f"/agent/pops/{pop}/booking"
    assert "Closed until you answer" in (await tom.get("/agent/visits")).text
    assert (await tom.get(f"{at}?department=cardiology")).status_code == 409
    moves(site, pop, "answered")
    assert (await tom.get(f"{at}?department=cardiology")).status_code == 409
    says_who_she_is(site, pop)
    assert (await ana.get(f"{at}?department=cardiology")).status_code == 403, "it is not her call"
    assert "Free times" in (await tom.get(f"{at}?department=cardiology")).text

    starts = (site.clock() + DAY).isoformat()
    held = await tom.post(f"{at}/{first}/hold", data={"department": "cardiology", "starts_at": starts})
    assert "is held for a moment" in held.text
    said = await tom.post(f"{at}/{first}/confirm", data={"department": "cardiology"})
    assert "Booked: cardiology, Vega, tomorrow" in words(said.text)
    (one,) = lucias(site)
    assert "Move" in (await tom.get(f"/agent/pops/{pop}/booked")).text

    instead = {"department": "cardiology", "instead": str(one.appointment_id)}
    moving = words((await tom.get(f"{at}?instead={one.appointment_id}")).text)
    assert "Another time instead of tomorrow" in moving and "It stays theirs until the new one is" in moving
    later = (site.clock() + DAY + timedelta(minutes=20)).isoformat()
    held = await tom.post(f"{at}/{second}/hold", data={**instead, "starts_at": later})
    assert "Move it" in held.text
    said = await tom.post(f"{at}/{second}/confirm", data=instead)
    assert "Moved to: cardiology" in words(said.text)
    (moved,) = lucias(site)
    assert moved.starts_at == one.starts_at + timedelta(minutes=20), "one appointment, and the other time is free again"
    assert (await tom.get(f"{at}?instead={one.appointment_id}")).status_code == 409

    away = f"/agent/pops/{pop}/visits"
    assert (await tom.post(f"{away}/{uuid4()}/cancel")).status_code == 409
    assert "Nothing is booked" in (await tom.post(f"{away}/{moved.appointment_id}/cancel")).text
    assert lucias(site) == []
    told = [action for action, _ in audited(site, *(f"appointment.{it}" for it in ("booked", "moved", "cancelled")))]
    assert told == ["appointment.booked", "appointment.moved", "appointment.cancelled"]


@pytest.mark.covers("I1")
async def test_a_time_that_somebody_else_took_is_told_and_others_are_offered(site: Site, comes: Comes) -> None:
    first, *_ = free(site)
    tom = await comes("tom")
    pop = await site.rings("tom", LUCIA)
    moves(site, pop, "answered")
    says_who_she_is(site, pop)
    with site.database.transaction() as session:
        appointments.hold(session, first, "another-call", site.clock(), timedelta(minutes=2))
    asked = {"department": "cardiology", "starts_at": (site.clock() + DAY).isoformat()}
    said = (await tom.post(f"/agent/pops/{pop}/booking/{first}/hold", data=asked)).text
    assert "has been taken meanwhile" in said and "Free times" in said
    assert (
        await tom.post(f"/agent/pops/{pop}/booking/{first}/hold", data={**asked, "starts_at": "x"})
    ).status_code == 422


@pytest.mark.browser
@pytest.mark.covers("H10", "H51")
async def test_tom_books_and_moves_by_keyboard_while_lucia_talks(served: Site, page_of: PageOf) -> None:
    free(served, 8)
    tom = await page_of("tom")
    await tom.goto(served.url("/agent"))
    await expect(tom.get_by_text("No call", exact=True)).to_be_visible()
    pop = await served.rings("tom", LUCIA)
    await expect(tom.get_by_text("Closed until you answer")).to_be_visible()
    moves(served, pop, "answered")
    await expect(tom.get_by_text("On the line", exact=True)).to_be_visible()
    for key, tick in (("1", "#tick-name"), ("2", "#tick-birth_date")):
        await tom.keyboard.press(key)
        await expect(tom.locator(tick)).to_be_checked()
    await expect(tom.get_by_text("Identified by you: birth date and full name.")).to_be_visible()
    await expect(tom.get_by_text("Nothing is booked.")).to_be_visible()
    await tom.locator("#note").fill("Wants the earliest")
    await tom.keyboard.press("Alt+q")
    await tom.get_by_label("Where", exact=True).select_option("cardiology")
    times = tom.get_by_role("group", name="Free times").get_by_role("button")
    await times.first.focus()
    await does_not_scroll(tom)
    await looked_at(tom, "agent-free-times")
    await tom.keyboard.press("Enter")
    await expect(tom.locator("#book-it")).to_be_focused()
    await tom.keyboard.press("Enter")
    await expect(tom.locator("#booking .good")).to_contain_text("Booked: cardiology, Vega, tomorrow")
    await expect(tom.locator("#book-visit")).to_be_focused()
    move = tom.locator("#booked").get_by_role("button", name="Move")
    await expect(move).to_be_visible()
    await expect(tom.locator("#note")).to_have_value("Wants the earliest")
    earlier = await move.get_attribute("id")
    await move.press("Enter")
    await expect(times.first).to_be_focused()
    await times.nth(2).focus()
    await looked_at(tom, "agent-moving")
    await tom.keyboard.press("Enter")
    await expect(tom.locator("#book-it")).to_be_focused()
    await tom.keyboard.press("Enter")
    await expect(tom.locator("#booking .good")).to_contain_text("Moved to: cardiology")
    await expect(tom.locator(f"#{earlier}")).to_have_count(0)
    await does_not_scroll(tom)
    await looked_at(tom, "agent-moved")

    # what had the focus is gone: he goes on from where he was, not from the top of the page
    tom.on("dialog", lambda asked: asyncio.ensure_future(asked.accept()))
    await tom.locator("#booked").get_by_role("button", name="Cancel").press("Enter")
    await expect(tom.get_by_text("Nothing is booked.")).to_be_visible()
    await expect(tom.locator("#booked")).to_be_focused()
