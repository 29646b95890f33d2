"""What happened to the patient, told on Ana's form with the plans that are shipped: what stops, what goes on."""

from datetime import date, timedelta
from html import unescape
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from hospital import attempts, enrolments, outbox, patients, plan_changes
from hospital.attempts import Claimed
from hospital.audit import AuditRow
from hospital.calendars import Calendar
from hospital.database import Database
from hospital.enrolment_records import Enrolment
from hospital.enrolments import Told
from hospital.followups import FollowUpTask
from hospital.outbox import OutboxRow
from hospital.patients import Patient
from tests.characters import LUCIA
from tests.console_app import Page, Site, words
from tests.hospital_scene import UNCAPPED, admit, library
from tests.moments import NOON, ZONE
from web.plans import plans

pytestmark = pytest.mark.covers("H20", "H51")
BORN = date(2026, 11, 20)


class Ward(Site):
    """Lucía went home from the maternity ward with Inés, and each has the plans that are shipped for it."""

    def __init__(self, database: Database, folder: Path) -> None:
        super().__init__(database, folder)
        with database.transaction() as session:
            library(session)
            self.lucia = admit(session, LUCIA).id
        self.ines = self.child("Inés", "his:2")
        self.home(self.lucia, "his:1", "surgery 2")

    def child(self, name: str, source: str) -> UUID:
        with self.database.transaction() as session:
            made = patients.register(session, name=name, birth=BORN, language="es", numbers=[])
            made.guardian_id = self.lucia
            child_id = made.id
        self.home(child_id, source, "maternity")
        return child_id

    def home(self, patient_id: UUID, source: str, ward: str) -> None:
        told = Told(source, "discharge", patient_id, NOON - timedelta(days=1), ward=ward)
        with self.database.transaction() as session:
            enrolments.tell(session, [told], plans().values(), NOON, Calendar(ZONE, "CO"))

    def tasks(self, patient_id: UUID) -> list[FollowUpTask]:
        rows = select(FollowUpTask).where(FollowUpTask.patient_id == patient_id)
        with self.database.transaction() as session:
            return list(session.scalars(rows.order_by(FollowUpTask.due_at, FollowUpTask.id)))

    def standing(self, patient_id: UUID) -> set[tuple[str, str | None]]:
        return {(task.state, task.stop_reason) for task in self.tasks(patient_id)}

    def form(self, patient_id: UUID) -> str:
        return f"/followups/{self.tasks(patient_id)[0].id}"

    def patient(self, patient_id: UUID) -> Patient:
        with self.database.transaction() as session:
            return session.get_one(Patient, patient_id)

    def reason_of(self, patient_id: UUID) -> dict[str, object]:
        rows = select(AuditRow).where(AuditRow.action == "plan.changed", AuditRow.subject == f"patient:{patient_id}")
        with self.database.transaction() as session:
            return dict(session.scalars(rows).one().detail)


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Ward:
    return Ward(database, tmp_path)


async def log_of(page: Page, task_id: UUID) -> str:
    return unescape(words((await page.get(f"/followups/{task_id}/past")).text))


# ── The loss of a child ─────────────────────────────────────────────────────────────────────────────────────────────

STOPPED = {("stopped", "child_lost")}


async def test_told_on_the_mothers_form_everything_of_the_child_stops(site: Ward) -> None:
    plans_of_ines = {task.reason.partition("_")[0] for task in site.tasks(site.ines)}
    assert plans_of_ines == {"newborn", "discharge"}
    async with site.signed_in("ana") as ana:
        form = await ana.get(site.form(site.lucia))
        assert "Lost Inés, born 20 Nov 2026" in words(form.text)
        await ana.post(f"{site.form(site.lucia)}/changed", 204, change="child_lost", child=str(site.ines))
        assert site.standing(site.ines) == STOPPED
        assert site.standing(site.lucia) == {("open", None)}, "she is still followed up for herself"
        assert "Stopped: The family has lost the child" in await log_of(ana, site.tasks(site.ines)[0].id)
        for look in (site.form(site.lucia), f"{site.form(site.lucia)}/past"):
            assert "This family has lost a child (25 Nov 2026)" in words((await ana.get(look)).text)
        assert "Inés" in words((await ana.get("/deaths")).text), "reported, for a clinician to confirm"
    assert site.patient(site.ines).death_reported_at == NOON
    assert site.patient(site.ines).deceased_at is None
    assert site.reason_of(site.lucia) == {"change": "child_lost", "child": str(site.ines)}
    with site.database.transaction() as session:
        assert set(session.scalars(select(Enrolment.ended_by).where(Enrolment.patient_id == site.ines))) == {
            "child_lost"
        }


async def test_told_on_the_childs_form_it_is_this_child(site: Ward) -> None:
    async with site.signed_in("ana") as ana:
        assert "not in the record" not in words((await ana.get(site.form(site.ines))).text)
        await ana.post(f"{site.form(site.ines)}/changed", 422, change="child_lost", child="unknown")
        await ana.post(f"{site.form(site.ines)}/changed", 422, change="child_lost", child=str(site.lucia))
        await ana.post(f"{site.form(site.ines)}/changed", 204, change="child_lost", child=str(site.ines))
    assert site.standing(site.ines) == STOPPED
    assert site.patient(site.ines).death_reported_at == NOON


@pytest.mark.parametrize("child", ["one", ""])
async def test_of_twins_it_is_the_one_that_was_chosen(site: Ward, child: str) -> None:
    mateo = site.child("Mateo", "his:3")
    async with site.signed_in("ana") as ana:
        form = site.form(site.lucia)
        if not child:
            refused = await ana.post(f"{form}/changed", 422, change="child_lost")
            assert refused.text == "Say which child the family has lost."
            assert site.standing(site.ines) == site.standing(mateo) == {("open", None)}
            return
        await ana.post(f"{form}/changed", 204, change="child_lost", child=str(mateo))
        assert site.standing(mateo) == STOPPED
        assert site.standing(site.ines) == {("open", None)}
        again = words((await ana.get(form)).text)
        assert "Lost Inés" in again and "Lost Mateo" not in again


@pytest.mark.parametrize("child", ["", "unknown"])
async def test_of_a_child_who_is_not_in_the_record_the_plans_about_a_child_end(site: Ward, child: str) -> None:
    """A stillbirth: Lucía herself was enrolled in what ends with it."""
    with site.database.transaction() as session:
        session.get_one(Patient, site.ines).guardian_id = None
        enrolments.enrol(session, plans()["newborn"], [site.lucia], NOON, Calendar(ZONE, "CO"), site.staff["ana"].id)
    async with site.signed_in("ana") as ana:
        await ana.post(f"{site.form(site.lucia)}/changed", 204, change="child_lost", child=child)
    stopped = {task.reason.partition("_")[0] for task in site.tasks(site.lucia) if task.state == "stopped"}
    assert stopped == {"newborn"}
    assert site.standing(site.ines) == {("open", None)}
    assert site.reason_of(site.lucia)["child"] == "unknown"


@pytest.mark.covers("I4")
async def test_what_rings_for_the_child_is_called_off_and_nothing_queued_leaves(site: Ward) -> None:
    site.now = site.tasks(site.ines)[0].due_at
    with site.database.transaction() as session:
        baby = site.tasks(site.ines)[0]
        claimed = attempts.claim(session, baby.id, site.staff["ruby"].id, "n1", site.now, UNCAPPED)
        assert isinstance(claimed, Claimed) and claimed.number == LUCIA.numbers[0]
        assert attempts.dialling(session, claimed.attempt_id, site.now)
        told = {"key": "appointment_reminder", "locale": "es", "number": LUCIA.numbers[0], "at": NOON}
        outbox.put(session, once="reminder/1", patient_id=site.ines, **told)
        outbox.put(session, once=f"before/{site.ines}/2026-11-26", patient_id=site.lucia, **told)
        outbox.put(session, once="reminder/2", patient_id=site.lucia, **told)
    async with site.signed_in("ruby") as ruby:
        await ruby.post(f"{site.form(site.lucia)}/changed", 204, change="child_lost", child=str(site.ines))
    with site.database.transaction() as session:
        assert [one.id for one in plan_changes.called_off(session, site.now)] == [claimed.attempt_id]
        leaves = {one.once: one.state for one in session.scalars(select(OutboxRow))}
        assert leaves == {"reminder/1": "failed", f"before/{site.ines}/2026-11-26": "failed", "reminder/2": "queued"}
        assert patients.wards(session, site.lucia, NOON) == [], "a machine does not name the child when she calls"
    assert site.standing(site.ines) == STOPPED


async def test_a_talk_about_the_child_goes_on_and_nothing_follows_it(site: Ward) -> None:
    """Lucía says it in the call about Inés, and asks to be called later: not about this."""
    site.now = site.tasks(site.ines)[0].due_at
    baby = site.tasks(site.ines)[0].id
    with site.database.transaction() as session:
        claimed = attempts.claim(session, baby, site.staff["ana"].id, "n1", site.now, UNCAPPED)
        assert isinstance(claimed, Claimed)
        attempts.dialling(session, claimed.attempt_id, site.now)
        attempts.answered(session, claimed.channel_id, site.now)
        attempts.line_ended(session, claimed.attempt_id, "answered", site.now, UNCAPPED)
    async with site.signed_in("ana") as ana:
        await ana.post(f"/followups/{baby}/changed", 204, change="child_lost", child=str(site.ines))
        assert site.tasks(site.ines)[0].state == "wrap_up", "what she writes up stays hers"
        await ana.post(f"/followups/{baby}/result/call_later", when="2h")
        assert "it is written up, and no call follows" in await log_of(ana, baby)
    assert site.standing(site.ines) == STOPPED


async def test_it_was_a_mistake_and_the_child_is_followed_up_again(site: Ward) -> None:
    async with site.signed_in("ana") as ana:
        await ana.post(f"{site.form(site.lucia)}/changed", 204, change="child_lost", child=str(site.ines))
        await ana.post(f"/deaths/{site.ines}", died="no")
        assert site.standing(site.ines) == {("open", None)}
        assert "The report of a death was taken back" in await log_of(ana, site.tasks(site.ines)[0].id)
        assert "This family has lost a child" not in words((await ana.get(site.form(site.lucia))).text)


async def test_that_the_child_has_died_is_heard_in_a_call_and_is_the_mothers_loss_too(site: Ward) -> None:
    with site.database.transaction() as session:
        enrolments.enrol(session, plans()["newborn"], [site.lucia], NOON, Calendar(ZONE, "CO"), site.staff["ana"].id)
    site.now = site.tasks(site.ines)[0].due_at
    baby = site.tasks(site.ines)[0].id
    with site.database.transaction() as session:
        claimed = attempts.claim(session, baby, site.staff["ana"].id, "n1", site.now, UNCAPPED)
        assert isinstance(claimed, Claimed)
        attempts.dialling(session, claimed.attempt_id, site.now)
        attempts.answered(session, claimed.channel_id, site.now)
        attempts.line_ended(session, claimed.attempt_id, "answered", site.now, UNCAPPED)
    async with site.signed_in("ana") as ana:
        await ana.post(f"/followups/{baby}/result/deceased")
        of_the_child = [task for task in site.tasks(site.lucia) if task.reason.startswith("newborn")]
        assert {task.stop_reason for task in of_the_child} == {"child_lost"}
        await ana.post(f"/deaths/{site.ines}", died="yes")
    assert site.standing(site.ines) == {("stopped", "reported_deceased"), ("stopped", "died")}


# ── A death that is confirmed ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_confirmed_death_stops_all_and_is_in_list_log_and_figures(site: Ward) -> None:
    site.home(site.lucia, "his:9", "surgery 2")  # told twice by two systems: a second call is due
    first, *others = (task.id for task in site.tasks(site.lucia))
    site.now = NOON + timedelta(days=2)
    with site.database.transaction() as session:
        claimed = attempts.claim(session, first, site.staff["ana"].id, "n1", site.now, UNCAPPED)
        assert isinstance(claimed, Claimed)
        attempts.dialling(session, claimed.attempt_id, site.now)
        attempts.answered(session, claimed.channel_id, site.now)
        attempts.line_ended(session, claimed.attempt_id, "answered", site.now, UNCAPPED)
    async with site.signed_in("ana") as ana:
        await ana.post(f"/followups/{first}/result/deceased")
        assert LUCIA.name in words((await ana.get("/followups")).text), "other calls are due until it is confirmed"
        await ana.post(f"/deaths/{site.lucia}", died="yes")
        assert LUCIA.name not in words((await ana.get("/followups")).text)
        for task_id in others:
            assert "Stopped: The patient has died" in await log_of(ana, task_id)
    site.now = NOON + timedelta(days=40)
    async with site.signed_in("grace") as grace:
        shown = words((await grace.get("/coverage?by=ward&days=90")).text)
        assert "surgery 2 5 4 1 " in shown, "five were due, Lucía's four are excused, João's waits"
    assert site.standing(site.lucia) == {("stopped", "reported_deceased"), ("stopped", "died")}


# ── Transfer and withdrawal ─────────────────────────────────────────────────────────────────────────────────────────


async def test_to_another_ward_what_is_open_goes_there(site: Ward) -> None:
    form = site.form(site.lucia)
    with site.database.transaction() as session:
        session.get_one(FollowUpTask, site.tasks(site.lucia)[0].id).owner_id = site.staff["ana"].id
    async with site.signed_in("ana") as ana:
        page = (await ana.get(form)).text
        assert "Moved to another ward of ours" in words(page) and '<option value="surgery 2">' in page
        await ana.post(f"{form}/changed", 422, change="ward", ward="  ")
        await ana.post(f"{form}/changed", 204, change="ward", ward=" rehabilitation ")
        log = await log_of(ana, site.tasks(site.lucia)[0].id)
    assert "The patient was moved to ward rehabilitation" in log
    assert {(task.ward, task.owner_id, task.state) for task in site.tasks(site.lucia)} == {
        ("rehabilitation", None, "open")
    }
    assert {task.ward for task in site.tasks(site.ines)} == {"maternity"}
    assert site.reason_of(site.lucia) == {"change": "ward", "ward": "rehabilitation"}


async def test_to_another_hospital_the_plans_that_say_so_end(site: Ward) -> None:
    with site.database.transaction() as session:
        enrolments.enrol(session, plans()["diabetes"], [site.lucia], NOON, Calendar(ZONE, "CO"), site.staff["ana"].id)
    async with site.signed_in("ana") as ana:
        await ana.post(f"{site.form(site.lucia)}/changed", 204, change="transferred")
    still = {task.reason.partition("_")[0] for task in site.tasks(site.lucia) if task.state == "open"}
    assert still == {"diabetes"}, "what goes on at home, wherever she was"
    assert site.standing(site.lucia) == {("open", None), ("stopped", "transferred")}


@pytest.mark.parametrize(
    ("of", "left", "said"),
    [
        ("plan:hypertension", {"discharge", "diabetes"}, "The patient withdrew from the plan Hypertension"),
        ("study:sweet-1", {"discharge", "hypertension"}, "The patient withdrew from the study sweet-1"),
        ("", set(), "The patient withdrew from all follow-up"),
    ],
)
async def test_who_wants_no_more_of_one_thing_goes_on_with_the_others(
    site: Ward, of: str, left: set[str], said: str
) -> None:
    ana_id = site.staff["ana"].id
    with site.database.transaction() as session:
        enrolments.enrol(session, plans()["hypertension"], [site.lucia], NOON, Calendar(ZONE, "CO"), ana_id)
        enrolments.enrol(
            session, plans()["diabetes"], [site.lucia], NOON, Calendar(ZONE, "CO"), ana_id, study="sweet-1"
        )
    form = site.form(site.lucia)
    async with site.signed_in("ana") as ana:
        page = words((await ana.get(form)).text)
        assert "of any follow-up" in page and "of the plan" in page and "of the study sweet-1" in page
        for wrong in ("plan:newborn", "study:other", "plan", "everything"):
            await ana.post(f"{form}/changed", 422, change="withdrawn", of=wrong)
        assert site.standing(site.lucia) == {("open", None)}
        await ana.post(f"{form}/changed", 204, change="withdrawn", of=of)
        (stopped, *_) = (task.id for task in site.tasks(site.lucia) if task.state == "stopped")
        assert f"Stopped: {said}" in await log_of(ana, stopped)
    still = {task.reason.partition("_")[0] for task in site.tasks(site.lucia) if task.state == "open"}
    assert still == left
    assert site.reason_of(site.lucia) == {"change": "withdrawn", "of": of or "all"}
