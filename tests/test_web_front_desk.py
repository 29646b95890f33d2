"""The front desk and the screen of the waiting room: who may, what is written down, how it looks."""

from datetime import timedelta
from uuid import UUID

import pytest
from playwright.async_api import expect
from sqlalchemy import select

from hospital import accounts, booking, suspensions, waiting_rooms
from hospital.audit import AuditRow
from hospital.booking import Appointment, Slot
from hospital.database import Database, announce
from hospital.followups import FollowUpTask
from hospital.outbox import OutboxRow
from hospital.patients import Patient
from hospital.suspensions import SuspensionNotice
from hotline import demo_clinics, demo_front_desk
from tests.browser import PASSWORD, Comes, PageOf, Site, comes, does_not_scroll, looked_at, page_of, served, site
from tests.characters import JOAO, LUCIA, MEI, RUTH, WIREMU, Character
from tests.hospital_scene import clinic, employ
from tests.moments import NOON, ZONE

__all__ = ["comes", "page_of", "served", "site"]

MORNING = NOON - timedelta(hours=1)


def today(site: Site, *people: Character, free: int = 0) -> tuple[list[UUID], list[UUID]]:
    """Appointments with Dr Vega from noon on at the site, twenty minutes apart, and free times behind them."""
    with site.database.transaction() as session:
        slots = clinic(session, len(people) + free, first=MORNING)
        made = []
        for slot, person in zip(slots, people, strict=False):
            booking.hold(session, slot, person.sip, NOON - timedelta(days=1))
            patient_id = site.people[person.sip]
            done = booking.confirm(session, slot, person.sip, patient_id, NOON - timedelta(days=1), "ivr")
            made.append(done.id)
        announce(session, "slot", slots[0])
    return made, slots[len(people) :]


def stands(site: Site, appointment_id: UUID) -> tuple[str, int | None]:
    with site.database.transaction() as session:
        row = session.get_one(Appointment, appointment_id)
        return row.state, row.ticket


def actions(site: Site) -> list[str]:
    with site.database.transaction() as session:
        return list(session.scalars(select(AuditRow.action).order_by(AuditRow.seq)))


@pytest.mark.covers("H5", "H51")
async def test_the_list_is_a_look_and_a_step_is_taken_once(site: Site, comes: Comes) -> None:
    tom = await comes("tom")
    assert "Nobody comes today" in (await tom.get("/desk")).text
    assert "desk.read" not in actions(site), "nobody was shown"
    (hers, his), _ = today(site, LUCIA, WIREMU)
    page = (await tom.get("/desk")).text
    assert "Lucía Fernández" in page
    assert "Wiremu Tāmati" in page
    with site.database.transaction() as session:
        (look,) = session.scalars(select(AuditRow).where(AuditRow.action == "desk.read"))
        assert look.detail["patients"] == sorted(str(site.people[one]) for one in ("lucia", "wiremu"))
    arrived = f"/desk/visits/{hers}/arrived"
    assert (await tom.post(arrived)).status_code == 200
    again = await tom.post(arrived, headers={"HX-Request": "true"})
    assert (again.status_code, "somebody was faster" in again.text) == (409, True)
    assert stands(site, hers) == ("arrived", 1)
    assert (await tom.post(f"/desk/visits/{his}/seen")).status_code == 409, "he has not arrived"
    assert (await tom.post(f"/desk/visits/{his}/vanished")).status_code == 404
    assert (await tom.post(f"/desk/visits/{hers}/undone", data={"shown": "seen"})).status_code == 409
    assert (await tom.post(f"/desk/visits/{hers}/undone", data={"shown": "arrived"})).status_code == 200
    assert stands(site, hers) == ("booked", None)
    assert [one for one in actions(site) if one.startswith("visit.")] == ["visit.arrived", "visit.undone"]


@pytest.mark.covers("H5")
async def test_ruth_walks_in_takes_a_free_time_and_has_arrived(site: Site, comes: Comes) -> None:
    tom, ana = await comes("tom"), await comes("ana")
    _, (past, *_, last) = today(site, free=5)
    found = (await tom.post("/desk/find", data={"said": "R-ruth"})).text
    assert "Ruth Miller" in found
    assert "Nothing is booked for today" in found
    at = f"/desk/walk-in/{site.people['ruth']}"
    offered = (await tom.get(f"{at}?department=cardiology")).text
    assert str(past) not in offered
    wanted = {"department": "cardiology", "starts_at": (MORNING + timedelta(minutes=80)).isoformat()}
    assert "is held for a moment" in (await tom.post(f"{at}/{last}/hold", data=wanted)).text
    other = f"/desk/walk-in/{site.people['joao']}"
    assert "has been taken meanwhile" in (await ana.post(f"{other}/{last}/hold", data=wanted)).text
    done = (await tom.post(f"{at}/{last}/confirm", data={"department": "cardiology"})).text
    assert "Arrived, with number 1." in done
    with site.database.transaction() as session:
        visit = session.scalars(select(Appointment)).one()
        assert (visit.state, visit.booked_via, visit.patient_id) == ("arrived", "desk", site.people["ruth"])
        assert "waiting_ticket" in session.scalars(select(OutboxRow.key)).all()
    assert actions(site)[-2:] == ["visit.arrived", "visit.booked"]


@pytest.mark.covers("H5", "H51")
async def test_nothing_is_booked_for_a_record_that_is_gone(site: Site, comes: Comes) -> None:
    tom = await comes("tom")
    gone = await tom.get(f"/desk/walk-in/{UUID(int=7)}?department=cardiology")
    assert gone.status_code == 409
    assert (await tom.post("/desk/find", data={"said": " "})).status_code == 422
    assert "Nobody was found" in (await tom.post("/desk/find", data={"said": "Nobody Atall"})).text


@pytest.mark.covers("H5", "H6")
async def test_who_could_not_be_told_hears_at_the_desk_that_the_clinic_does_not_take_place(
    site: Site, comes: Comes
) -> None:
    tom = await comes("tom")
    (hers,), _ = today(site, LUCIA)
    with site.database.transaction() as session:
        doctor = session.scalars(select(Slot.doctor_id).limit(1)).one()
        span = {"since": MORNING, "until": NOON + timedelta(hours=6)}
        site_policy = site.services.policy
        suspensions.suspend(
            session, doctor_id=doctor, reason="illness", account_id=site.accounts["grace"],
            at=MORNING - timedelta(hours=1), policy=site_policy, **span,
        )  # fmt: skip
        task_id = session.scalars(select(SuspensionNotice.task_id)).one()
    assert LUCIA.name not in (await tom.get("/desk")).text, "nobody waits for her"
    found = (await tom.post("/desk/find", data={"said": "R-lucia"})).text
    assert "does not take place" in found and "Nothing is booked" not in found
    assert "They have been told." in (await tom.post(f"/desk/told/{hers}")).text
    with site.database.transaction() as session:
        assert session.get_one(SuspensionNotice, hers).state == "acknowledged"
        assert session.get_one(FollowUpTask, task_id).state == "done"
    assert (await tom.post(f"/desk/told/{hers}")).status_code == 200, "once more is no harm"


@pytest.mark.covers("H40", "H51", "I7")
async def test_a_screen_sees_its_numbers_and_nothing_else(site: Site, comes: Comes) -> None:
    tom = await comes("tom")
    (hers, _), _ = today(site, LUCIA, WIREMU)
    await tom.post(f"/desk/visits/{hers}/arrived")
    with site.database.transaction() as session:
        accounts.create(session, username="wall", display_name="Wall", role="screen", password=PASSWORD)
    async with site.client() as wall:
        await wall.post("/sign-in", data={"username": "wall", "password": PASSWORD})
        assert (await wall.get("/")).headers["location"] == "/screen"
        assert "Cardiology" in (await wall.get("/screen")).text
        shown = (await wall.get("/screen/cardiology")).text
        assert "Vega" in shown
        assert "Lucía" not in shown
        assert str(site.people["lucia"]) not in shown
        for closed in ("/desk", "/desk/list", "/agent", "/followups", "/groups", "/audit", "/cases"):
            assert (await wall.get(closed)).status_code == 403, closed
        assert (await wall.get("/screen/unheard-of")).status_code == 404


@pytest.mark.covers("H5", "H40")
async def test_tom_runs_the_desk_by_keyboard_and_the_screen_follows(served: Site, page_of: PageOf) -> None:
    theirs, _ = today(served, LUCIA, WIREMU, MEI, JOAO, free=8)
    tom, wall = await page_of("tom"), await page_of("grace")
    await wall.set_viewport_size({"width": 1920, "height": 1080})
    await tom.goto(served.url("/desk"))
    await wall.goto(served.url("/screen/cardiology"))
    await looked_at(wall, "screen-nobody")
    for one in theirs[:3]:
        await tom.locator(f"#do-{one}").focus()
        await tom.keyboard.press("a")
        await expect(tom.locator(f"[data-visit='{one}']").get_by_role("button", name="Call in")).to_be_visible()
        await expect(tom.locator(f"#do-{one}")).to_be_focused()
    await tom.locator(f"#do-{theirs[0]}").focus()
    await tom.keyboard.press("c")
    await expect(wall.locator(".now")).to_have_text("1")
    await expect(wall.locator(".next")).to_have_text("› 2 3")
    await expect(tom.locator(f"#do-{theirs[0]}")).to_contain_text("Seen")
    await expect(tom.locator(f"#do-{theirs[0]}")).to_be_focused()
    await tom.keyboard.press("ArrowDown")
    await expect(tom.locator(f"#do-{theirs[1]}")).to_be_focused()
    await tom.locator("#said").fill("R-ruth")
    await tom.locator("#look").click()
    await tom.get_by_role("button", name="Free times for Ruth Miller").click()
    await tom.locator("#book-department").select_option("cardiology")
    await expect(tom.get_by_role("group", name="Free times").get_by_role("button").first).to_be_visible()
    clipped = "() => { const b = document.querySelector('#booking > div'); return b.scrollHeight - b.clientHeight; }"
    assert await tom.evaluate(clipped) == 0, "the panel scrolls, not the booking in it"
    await does_not_scroll(tom)
    await looked_at(tom, "desk")
    await looked_at(wall, "screen")
    await does_not_scroll(wall)
    await tom.locator(f"#do-{theirs[0]}").focus()
    await tom.keyboard.press("s")
    await expect(wall.locator(".now")).to_have_text("–")
    assert stands(served, theirs[0]) == ("seen", 1)
    await expect(tom.locator(f"#do-{theirs[0]}")).to_contain_text("Undo")  # his own page, too
    await tom.keyboard.press("u")
    await expect(wall.locator(".now")).to_have_text("1")


@pytest.mark.covers("H5", "H40")
def test_the_demo_has_a_waiting_room_once_a_day(database: Database) -> None:
    with database.transaction() as session:
        employ(session, "tom", "agent")
        demo_clinics.open_clinics(session, ZONE, NOON)
        for at in (NOON, NOON + timedelta(minutes=5), NOON + timedelta(days=1)):
            demo_front_desk.open_waiting_room(session, ZONE, at)
            tickets = waiting_rooms.tickets(session, demo_front_desk.DEPARTMENT, at, ZONE)
            assert [one.state for one in tickets] == ["seen"] * 3 + ["arrived"] * 3
            assert waiting_rooms.counters(tickets) == [waiting_rooms.Counter("Rangi", (4,), (5, 6), 0)]
            assert waiting_rooms.wait(tickets[4], tickets, NOON + timedelta(days=7)).minutes == 12
        assert session.query(Patient).count() == len(demo_front_desk.COME)


@pytest.mark.covers("H5")
async def test_the_desk_of_a_day_without_appointments(served: Site, page_of: PageOf) -> None:
    ana, grace = await page_of("ana"), await page_of("grace")
    await ana.goto(served.url("/desk"))
    await expect(ana.get_by_text("Nobody comes today")).to_be_visible()
    await looked_at(ana, "desk-empty")
    await does_not_scroll(ana)
    (hers,), _ = today(served, RUTH)
    await expect(ana.locator(f"#do-{hers}")).to_be_visible()
    await grace.goto(served.url("/desk"))
    await looked_at(grace, "desk-grace")
    await does_not_scroll(grace)
