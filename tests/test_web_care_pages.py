"""Cases, ratings and the closure switch in a real browser."""

import asyncio
from datetime import date, timedelta
from uuid import UUID

import pytest
from playwright.async_api import Dialog, expect
from sqlalchemy import select

from hospital import calls, cases, followups, patients, recordings, suspensions, transcripts, vault
from hospital.booking import Appointment
from hospital.cases import Teller
from hospital.clocks import Clocks, due
from hospital.followups import FollowUpTask
from hospital.patients import PatientIdentifier
from hospital.transcripts import Sentence
from tests.browser import PageOf, Site, does_not_scroll, looked_at, page_of, served, site
from tests.characters import JOAO, LUCIA
from tests.hospital_scene import clinic
from tests.moments import NOON, ZONE
from tests.test_hospital_coverage import five_stories
from tests.test_hospital_suspensions import TOMORROW, book

pytestmark = pytest.mark.browser
__all__ = ["page_of", "served", "site"]


def red_flag(site: Site) -> None:
    with site.database.transaction() as session:
        calls.begin(session, "n1-1", "n1", LUCIA.numbers[0], NOON)
        teller, clock = Teller("n1-1", LUCIA.numbers[0], None, "es"), due("red_flag", NOON, Clocks(ZONE, "CO"))
        cases.open_case(session, "red_flag", "red_flag/n1-1", teller, NOON, clock, "heart_or_stroke")


@pytest.mark.covers("H30", "H33", "H51")
async def test_a_red_flag_comes_up_on_anas_page_and_she_sees_it_through(served: Site, page_of: PageOf) -> None:
    ana = await page_of("ana")
    await ana.goto(served.url("/recordings"))
    red_flag(served)
    await ana.get_by_role("link", name="1 red flag").click()
    await expect(ana.get_by_role("heading", name="Red flag")).to_be_visible()
    await does_not_scroll(ana)
    await looked_at(ana, "case-open")
    await ana.keyboard.press("t")
    await ana.get_by_label("Note").fill("Reached her daughter.")
    await ana.get_by_role("button", name="Write it down").click()
    await expect(ana.get_by_text("Reached her daughter.")).to_be_visible()
    await looked_at(ana, "case-owned")
    ana.on("dialog", lambda asked: asyncio.ensure_future(asked.accept()))
    await ana.get_by_label("How it ended").select_option("reached")
    await ana.get_by_role("button", name="Close it").click()
    await expect(ana.get_by_text("Ana had it.")).to_be_visible()
    await ana.get_by_role("link", name="← Cases").click()
    await expect(ana.get_by_role("cell", name="Closed")).to_be_visible()
    await does_not_scroll(ana)
    await looked_at(ana, "cases")


@pytest.mark.covers("H29", "H51")
async def test_grace_closes_the_telephones_and_reads_the_ratings(served: Site, page_of: PageOf) -> None:
    with served.database.transaction() as session:
        five_stories(session)
    grace = await page_of("grace")
    await grace.goto(served.url("/opening"))
    await looked_at(grace, "opening")
    await grace.get_by_label("English").fill("There is a power cut.")
    await grace.get_by_role("button", name="Close the telephones now").click()
    await expect(grace.get_by_text("Closed in an emergency")).to_be_visible()
    await looked_at(grace, "opening-closed")
    await grace.get_by_role("button", name="Open again").click()
    await expect(grace.get_by_label("English")).to_be_visible()
    await grace.get_by_text("More", exact=True).click()
    await looked_at(grace, "menu")
    await grace.get_by_role("link", name="Ratings").click()
    await expect(grace.get_by_role("heading", name="Ratings")).to_be_visible()
    await does_not_scroll(grace)
    await looked_at(grace, "ratings")
    await grace.get_by_text("More", exact=True).click()
    await grace.get_by_role("link", name="Coverage").click()
    await expect(grace.get_by_role("heading", name="Coverage")).to_be_visible()
    await expect(grace.get_by_role("img")).to_be_visible()
    await does_not_scroll(grace)
    await looked_at(grace, "coverage")


@pytest.mark.covers("H6", "H51")
async def test_the_page_follows_the_calls(served: Site, page_of: PageOf) -> None:
    with served.database.transaction() as session:
        (slot,) = clinic(session)
        book(session, slot, patients.candidates(session, LUCIA.numbers[0])[0].patient.id)
    grace = await page_of("grace")
    await grace.goto(served.url("/clinics"))
    await looked_at(grace, "clinics")
    await grace.get_by_label("From").fill("2026-11-26T08:00")
    await grace.get_by_label("Until").fill("2026-11-26T18:00")
    await grace.get_by_role("button", name="Show whom it concerns").click()
    await grace.get_by_role("button", name="Suspend it and tell its patient").click()
    await grace.get_by_text("told 0 of 1").wait_for()
    with served.database.transaction() as session:
        suspensions.told(session, session.scalars(select(Appointment.id)).one(), TOMORROW)
    await grace.get_by_text("told 1 of 1").wait_for()
    await does_not_scroll(grace)
    await looked_at(grace, "clinics-told")
    asked: list[str] = []

    async def agrees(dialog: Dialog) -> None:
        asked.append(dialog.message)
        await dialog.accept()

    grace.on("dialog", agrees)
    await grace.get_by_role("button", name="Takes place again").click()
    await expect(grace.get_by_text("takes place again; 1 to call and book anew")).to_be_visible()
    assert asked == [
        "Does this clinic take place again? Its free times are offered. 1 patient was told otherwise and keeps a "
        "suspended appointment: call and book anew."
    ]
    await does_not_scroll(grace)
    await looked_at(grace, "clinics-lifted")


def complaint(site: Site) -> str:
    """Its voice is four seconds of a tone; what a machine made of it."""
    with site.database.transaction() as session:
        calls.begin(session, "n1-1", "n1", LUCIA.numbers[0], NOON)
        recording_id = recordings.open_for(session, call_id="n1-1", at=NOON, kind="message")
        assert recording_id is not None
        teller, clock = Teller("n1-1", LUCIA.numbers[0], None, "es"), due("complaint", NOON, Clocks(ZONE, "CO"))
        case_id = cases.draft(session, "complaint", recording_id, teller, NOON, clock)
        recordings.sealed(
            session, recording_id, path="aa/1.hlr", seconds=4.0, sha256="0" * 64, wrapped_key=b"k" * 40, at=NOON
        )
        found = transcripts.due(session, frozenset({"es"}))
        assert found is not None
        transcripts.begin(session, found)
        said = [Sentence(0.2, 1.4, "Llevo dos horas esperando."), Sentence(2.1, 3.6, "Nadie me dice nada.")]
        transcripts.heard(session, found, said, "whisper whisper-base 0123abcd", NOON)
    return str(case_id)


@pytest.mark.covers("H30")
async def test_grace_jumps_to_a_sentence_and_corrects_it(served: Site, page_of: PageOf) -> None:
    case_id = complaint(served)
    grace = await page_of("grace")
    await grace.goto(served.url(f"/cases/{case_id}"))
    await expect(grace.get_by_text("Machine transcript, may be wrong")).to_be_visible()
    await looked_at(grace, "case-transcript")
    await grace.get_by_role("button", name="Nadie me dice nada.").click()
    await expect(grace.locator("hotline-player")).to_have_attribute("data-state", "playing")
    position = await grace.get_by_role("slider", name="Position").get_attribute("aria-valuenow")
    assert position is not None and float(position) >= 2.0
    await grace.get_by_text("Correct it").click()
    await grace.get_by_label("What was really said").fill("Llevo tres horas esperando.")
    await grace.get_by_role("button", name="Keep the correction").click()
    await expect(grace.get_by_text("Llevo tres horas esperando.", exact=True).first).to_be_visible()
    await expect(grace.get_by_role("button", name="Llevo dos horas esperando.")).to_be_visible()
    await looked_at(grace, "case-transcript-corrected")


@pytest.mark.covers("H30")
async def test_what_grace_has_typed_goes_along_when_she_closes_it(served: Site, page_of: PageOf) -> None:
    case_id = complaint(served)
    grace = await page_of("grace")
    await grace.goto(served.url(f"/cases/{case_id}"))
    await grace.get_by_role("button", name="Take it").click()
    asked: list[str] = []

    async def yes(dialog: Dialog) -> None:
        asked.append(dialog.message)
        await dialog.accept()

    grace.on("dialog", yes)
    close = grace.get_by_role("button", name="Close it")
    await grace.get_by_label("Note").fill("The ward says sorry.")
    await close.click()  # nothing is chosen
    assert await grace.locator("#outcome:invalid").count() == 1
    await does_not_scroll(grace)
    await looked_at(grace, "case-to-close")
    await grace.get_by_label("How it ended").select_option("Upheld")
    await close.click()
    await expect(grace.get_by_text("Grace closed it")).to_be_visible()
    assert [one[:11] for one in asked] == ["Close case "], "once, when all is said"
    await expect(grace.get_by_text("The ward says sorry.")).to_be_visible()
    await grace.get_by_label("Note").fill("She rang again.")
    await grace.get_by_role("button", name="Write it down").click()
    await expect(grace.get_by_text("She rang again.")).to_be_visible()
    await does_not_scroll(grace)
    await looked_at(grace, "case-closed")


@pytest.mark.covers("H30", "H35")
async def test_grace_sees_what_is_overdue_and_opens_what_a_caller_rings_about(served: Site, page_of: PageOf) -> None:
    case_id = complaint(served)
    with served.database.transaction() as session:
        session.get_one(cases.Case, UUID(case_id)).acknowledge_by = NOON - timedelta(hours=1)
    red_flag(served)
    grace = await page_of("grace")
    await grace.goto(served.url("/cases"))
    await expect(grace.get_by_role("link", name="1 case overdue")).to_be_visible()
    await expect(grace.get_by_role("link", name="1 red flag")).to_be_visible()
    await does_not_scroll(grace)
    await looked_at(grace, "cases-overdue")
    await grace.keyboard.press("n")
    await grace.keyboard.type("99999")
    await grace.keyboard.press("Enter")
    await expect(grace.get_by_text("No case of this number")).to_be_visible()
    await grace.get_by_label("Number").fill("10001")
    await grace.keyboard.press("Enter")
    await expect(grace.get_by_role("heading", name="10001 Complaint")).to_be_visible()
    assert grace.url == served.url(f"/cases/{case_id}")


@pytest.mark.covers("H18", "H51")
async def test_ana_finds_out_that_it_was_a_mistake(served: Site, page_of: PageOf) -> None:
    with served.database.transaction() as session:
        session.get_one(patients.Patient, served.people["ruth"]).death_reported_at = NOON
    ana = await page_of("ana")
    await ana.goto(served.url("/followups"))
    await ana.get_by_role("link", name="Reported deaths").click()
    await expect(ana.get_by_role("heading", name="Reported deaths")).to_be_visible()
    await looked_at(ana, "deaths")
    await does_not_scroll(ana)
    await ana.get_by_role("button", name="It was a mistake").click()
    await expect(ana.get_by_text("No reports")).to_be_visible()
    await looked_at(ana, "deaths-none")


@pytest.mark.covers("H20", "H52")
async def test_ana_tells_by_keyboard_of_a_lost_child_and_what_is_not_wanted(served: Site, page_of: PageOf) -> None:
    with served.database.transaction() as session:
        child = patients.register(session, name="Inês", birth=date(2026, 11, 20), language="pt-BR", numbers=[])
        child.guardian_id, child_id = served.people["joao"], child.id
        form = session.scalars(select(FollowUpTask.questionnaire_id).limit(1)).one()
        assert form is not None
        baby = followups.plan(
            session, patient_id=child_id, reason="newborn_week_1", questionnaire_id=form, due_at=NOON
        ).id
    ana = await page_of("ana")
    asked: list[str] = []

    async def agrees(dialog: Dialog) -> None:
        asked.append(dialog.message)
        await dialog.accept()

    ana.on("dialog", agrees)
    await ana.goto(served.url(f"/followups/{served.task(JOAO).id}"))
    await ana.get_by_text("The plan", exact=True).press("Enter")
    await ana.get_by_text("May be contacted for", exact=True).press("Enter")
    await does_not_scroll(ana)
    await looked_at(ana, "followup-plan")
    reminders = ana.get_by_label("Reminders: yes")
    await reminders.press("Space")
    await expect(ana.get_by_label("Reminders: no")).to_be_visible()
    await ana.get_by_role("button", name="Lost Inês, born 20 Nov 2026").press("Enter")
    await expect(ana.get_by_text("This family has lost a child")).to_be_visible()
    assert asked == [
        "Inês, born 20 Nov 2026, has died? All that is planned for the child stops at once, also what rings; "
        "a clinician confirms the death."
    ]
    await looked_at(ana, "followup-lost-child")
    with served.database.transaction() as session:
        stopped = session.get_one(FollowUpTask, baby)
        assert (stopped.state, stopped.stop_reason) == ("stopped", "child_lost")
        assert session.get_one(patients.Patient, served.people["joao"]).opted_out == ["reminder"]


@pytest.mark.covers("H25", "H51")
async def test_ana_begins_a_reminder_that_repeats(served: Site, page_of: PageOf) -> None:
    with served.database.transaction() as session:
        identifier = PatientIdentifier(kind="record", value="D-1", token=vault.token("record", "D-1"))
        lucia = patients.candidates(session, LUCIA.numbers[0])[0].patient
        lucia.identifiers.append(identifier)
    ana = await page_of("ana")
    await ana.goto(served.url("/followups"))
    await ana.get_by_role("link", name="Reminders").click()
    await ana.get_by_label("Record", exact=True).fill("D-1")
    await ana.get_by_label("From").fill("2026-11-26")
    await ana.get_by_label("To", exact=True).fill("2026-12-31")
    await ana.get_by_role("button", name="Begin").click()
    await expect(ana.get_by_role("cell", name="Lucía Fernández", exact=True)).to_be_visible()
    await does_not_scroll(ana)
    await looked_at(ana, "reminders")
