"""Ana books a visit for João while she speaks with him, from the form."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from hospital import booking, followups
from hospital.appointments import Appointment, Hold
from hospital.audit import AuditRow
from hospital.database import Database
from hospital.outbox import OutboxRow
from tests.console_app import Page, Site, words
from tests.hospital_scene import clinic
from tests.moments import NOON
from tests.test_web_followups import identify

FIRST = NOON + timedelta(days=1)


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    return Site(database, tmp_path)


def free(site: Site, count: int = 8) -> list[UUID]:
    with site.database.transaction() as session:
        return clinic(session, count)


async def holds(page: Page, site: Site, slot: UUID, status: int = 200) -> str:
    at = FIRST.isoformat()
    asked = {"department": "cardiology", "starts_at": at}
    return words((await page.post(f"{address(site)}/{slot}/hold", status, **asked)).text)


def address(site: Site) -> str:
    return f"/followups/{site.task.id}/booking"


def booked(site: Site) -> list[tuple[UUID, UUID, str]]:
    with site.database.transaction() as session:
        return [(one.slot_id, one.patient_id, one.booked_via) for one in session.scalars(select(Appointment))]


@pytest.mark.covers("H2", "H34")
async def test_a_visit_is_booked_in_the_call_and_stands_in_summary_log_and_message(site: Site) -> None:
    slots = free(site)
    site.talking()
    async with site.signed_in("ana") as ana:
        await identify(ana, site)
        assert "cardiology" in words((await ana.get(address(site))).text)
        times = words((await ana.get(f"{address(site)}?department=cardiology")).text)
        assert times.count("Vega") == 6 and "tomorrow 13:00" in times and "Later times" in times
        said = await holds(ana, site, slots[0])
        assert "cardiology, Vega, tomorrow 13:00 is held" in said
        for _ in range(2):  # a double click
            done = await ana.post(f"{address(site)}/{slots[0]}/confirm", department="cardiology")
        assert "Booked: cardiology, Vega, tomorrow 13:00" in words(done.text)
        assert "Booked cardiology, tomorrow 13:00" in words((await ana.get(f"/followups/{site.task.id}/booked")).text)
        form = words((await ana.get(f"/followups/{site.task.id}")).text)
    assert booked(site) == [(slots[0], site.joao.id, "nurse")]
    assert form.count("A visit was booked in the call: cardiology, tomorrow 13:00") == 1
    with site.database.transaction() as session:
        (message,) = session.scalars(select(OutboxRow))
        assert (message.key, message.patient_id) == ("appointment_confirmed", site.joao.id)
        assert session.scalar(select(AuditRow).where(AuditRow.action == "appointment.booked")) is not None


@pytest.mark.covers("H34")
async def test_nothing_is_booked_before_it_is_known_who_speaks(site: Site) -> None:
    (slot, *_) = free(site)
    site.talking()
    async with site.signed_in("ana") as ana:
        await ana.get(address(site), 409)
        await holds(ana, site, slot, 409)
        await ana.post(f"{address(site)}/{slot}/confirm", 409, department="cardiology")
    async with site.signed_in("ruby") as ruby:
        await ruby.get(address(site), 403)
    async with site.signed_in("oscar") as oscar:
        await oscar.get(address(site), 403)
    assert booked(site) == []


@pytest.mark.covers("I1", "H34")
async def test_who_comes_too_late_is_told_and_offered_other_times(site: Site) -> None:
    slots = free(site)
    site.talking()
    async with site.signed_in("ana") as ana:
        await identify(ana, site)
        await holds(ana, site, slots[0])
        site.now += booking.HOLD + timedelta(seconds=1)
        with site.database.transaction() as session:
            booking.hold(session, slots[0], "somebody else", site.now)
        late = words((await ana.post(f"{address(site)}/{slots[0]}/confirm", department="cardiology")).text)
        assert "taken meanwhile" in late and "13:20" in late and "13:00" not in late
        assert "taken meanwhile" in await holds(ana, site, slots[0])
    assert booked(site) == []


@pytest.mark.covers("H34", "I10")
async def test_another_time_gives_the_held_one_back(site: Site) -> None:
    slots = free(site)
    site.talking()
    async with site.signed_in("ana") as ana:
        await identify(ana, site)
        await holds(ana, site, slots[0])
        again = words((await ana.get(f"{address(site)}?department=cardiology")).text)
    assert "tomorrow 13:00" in again
    with site.database.transaction() as session:
        assert list(session.scalars(select(Hold))) == []


@pytest.mark.parametrize(
    ("asked", "status"),
    [("?department=${x}", 200), ("?after=yesterday", 422), ("?after=2026-11-25T12:00:00", 422)],
)
async def test_what_is_asked_in_an_address_is_harmless(site: Site, asked: str, status: int) -> None:
    free(site)
    site.talking()
    async with site.signed_in("ana") as ana:
        await identify(ana, site)
        assert "${x}" not in (await ana.get(f"{address(site)}{asked}", status)).text


# ── Answers that change the plan ────────────────────────────────────────────────────────────────────────────────────


def log(site: Site) -> list[str]:
    with site.database.transaction() as session:
        return [row.code for row in followups.decisions(session, site.task.id)]


@pytest.mark.covers("H23", "H34")
async def test_what_an_answer_changes_is_told_at_once_and_done_with_the_result_of_the_call(site: Site) -> None:
    free(site)
    site.talking()
    answer = f"/followups/{site.task.id}/answers/symptoms"
    async with site.signed_in("ana") as ana:
        await identify(ana, site)
        shown = (await ana.post(answer, value="wound")).text
        assert "A wound that does not heal well: the next step comes in 4 days; offer a visit at general" in words(
            shown
        )
        assert "/booking?department=general" in shown
        assert "answer_revisit" not in log(site)  # she may still correct it
        assert "wound" not in words((await ana.post(answer, value="none")).text)
        await ana.post(answer, value="wound")
        for _ in range(2):
            await ana.post(f"/followups/{site.task.id}/result/partial")
    assert [code for code in log(site) if code.startswith("answer_")] == ["answer_again", "answer_revisit"]


@pytest.mark.covers("H23")
async def test_answers_that_are_typed_after_the_result_change_the_plan_too(site: Site) -> None:
    attempt = site.talking()
    async with site.signed_in("ana") as ana:
        await identify(ana, site)
        await ana.post(f"/followups/{site.task.id}/result/partial")
        site.over(attempt)
        assert "answer_revisit" not in log(site)
        await ana.post(f"/followups/{site.task.id}/answers/symptoms", value="wound")
    assert "answer_revisit" in log(site)


@pytest.mark.covers("H23")
async def test_what_was_answered_by_somebody_else_changes_nothing(site: Site) -> None:
    site.talking()
    async with site.signed_in("ana") as ana:
        await identify(ana, site)
        await ana.post(f"/followups/{site.task.id}/answers/symptoms", value="wound")
        await ana.post(f"/followups/{site.task.id}/result/wrong_person")
    assert "answer_revisit" not in log(site)
