"""A clinician enrols who has no follow-up yet: looked for, by a list, from the list of follow-ups; takes it back."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import agentless, calling_hours, patients, plan_changes, vault
from hospital import enrolling as of_lists
from hospital.attempts import Claimed
from hospital.audit import AuditRow
from hospital.calling_rules import CallingPolicy
from hospital.database import Database
from hospital.enrolment_records import Enrolment
from hospital.followups import FollowUpTask
from hospital.patients import PatientIdentifier
from tests.characters import JOAO, LUCIA, MEI, RUTH, WIREMU, Character
from tests.console_app import Page, Site, words
from tests.hospital_scene import admit, library, listening
from tests.moments import NOON, ZONE
from web.limits import LARGEST_PEOPLE

pytestmark = pytest.mark.covers("H20", "H51")
RECORDS = {MEI: "R-1", RUTH: "R-2", LUCIA: "R-3", WIREMU: "R-4"}
CANARY = "Zamudio"


class Clinic(Site):
    """João is due; Mei, Ruth, Lucía and Wiremu are only registered."""

    def __init__(self, database: Database, folder: Path) -> None:
        super().__init__(database, folder)
        self.ids = {JOAO: self.joao.id}
        with database.transaction() as session:
            library(session)
            for who, record in RECORDS.items():
                patient = admit(session, who)
                patient.identifiers.append(
                    PatientIdentifier(kind="record", value=record, token=vault.token("record", record))
                )
                self.ids[who] = patient.id

    def steps(self, who: Character) -> list[tuple[str | None, str, str | None]]:
        with self.database.transaction() as session:
            rows = select(FollowUpTask).where(FollowUpTask.patient_id == self.ids[who], FollowUpTask.step.is_not(None))
            return sorted((one.step, one.state, one.stop_reason) for one in session.scalars(rows))

    def audited(self, action: str) -> list[AuditRow]:
        with self.database.transaction() as session:
            return list(session.scalars(select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.seq)))


@pytest.fixture
def clinic(database: Database, tmp_path: Path) -> Clinic:
    return Clinic(database, tmp_path)


async def sends(page: Page, path: str, content: bytes | str, status: int = 200, **fields: str) -> httpx.Response:
    sent = content.encode() if isinstance(content, str) else content
    headers = {"X-CSRF-Token": "csrf-of-this-page", "HX-Request": "true"}
    answer = await page._client.post(path, files={"list": ("list.csv", sent)}, data=fields, headers=headers)
    assert answer.status_code == status, answer.text
    return answer


def instant(answer: httpx.Response) -> str:
    return re.findall(r'name="at" value="([^"]+)"', answer.text)[0]


def digest(answer: httpx.Response) -> str:
    return re.findall(r'name="seen" value="(\w{64})"', answer.text)[0]


@pytest.mark.parametrize("who", ["ana", "dora", "grace"])
async def test_who_has_no_follow_up_is_looked_for_enrolled_and_taken_back(clinic: Clinic, who: str) -> None:
    mei = str(clinic.ids[MEI])
    async with clinic.signed_in(who) as page:
        assert "High blood pressure" in (await page.get("/enrol")).text
        found = await page.post("/enrol/find", said="mei CHEN", plan="hypertension")
        assert MEI.name in found.text and mei in found.text and "R-1" in found.text
        done = await page.post("/enrol/found", plan="hypertension", patient=mei)
        assert "1 enrolled in High blood pressure." in words(done.text)
        assert [step for step, *_ in clinic.steps(MEI)] == [f"check.{n}" for n in range(1, 7)]
        again = words((await page.post("/enrol/found", plan="hypertension", patient=mei)).text)
        assert "Nobody was enrolled." in again and f"{MEI.name} is in this plan already" in again
        assert "is in this plan already" in (await page.post("/enrol/find", said="R-1", plan="hypertension")).text
        back = await page.post("/enrol/taken-back", plan="hypertension", at=instant(done))
        assert "1 is out of High blood pressure again." in words(back.text)
        assert {row[1:] for row in clinic.steps(MEI)} == {("stopped", "taken_back")}
        nothing = await page.post("/enrol/taken-back", plan="hypertension", at=instant(done))
        assert "Nothing is left to be taken back." in nothing.text
        anew = await page.post("/enrol/found", plan="hypertension", patient=mei)
        assert "1 enrolled" in words(anew.text), "the same day it may be decided anew"
    assert [row.subject for row in clinic.audited("plan.enrolled")] == [f"patient:{mei}"] * 2
    assert [row.subject for row in clinic.audited("plan.taken_back")] == [f"patient:{mei}"]
    assert clinic.audited("patients.find")[0].detail == {"patients": [mei]}


@pytest.mark.parametrize(
    ("said", "born", "found"),
    [
        ("R-2", "", {RUTH}),
        ("+1 202 555 0105", "", {RUTH}),
        ("miller", "", {RUTH}),
        ("Ruth Miller", "1944-03-17", {RUTH}),
        ("Ruth Miller", "1944-03-18", set()),
        ("mill", "", set()),
        ("' OR 1=1 --", "", set()),
        ("R-9", "", set()),
    ],
)
async def test_a_patient_is_found_by_what_is_at_hand(
    clinic: Clinic, said: str, born: str, found: set[Character]
) -> None:
    async with clinic.signed_in("ana") as ana:
        told = (await ana.post("/enrol/find", said=said, born=born)).text
    assert {one for one in RECORDS if one.name in told} == found


async def test_one_clinician_takes_back_nothing_of_another(clinic: Clinic) -> None:
    async with clinic.signed_in("ana") as ana:
        done = await ana.post("/enrol/found", plan="diabetes", patient=[str(clinic.ids[one]) for one in (MEI, RUTH)])
    async with clinic.signed_in("ruby") as ruby:
        back = await ruby.post("/enrol/taken-back", plan="diabetes", at=instant(done))
        assert "Nothing is left" in back.text
        for wrong in ("soon", "2026-11-25", "9999-99-99T00:00:00"):
            await ruby.post("/enrol/taken-back", 422 if wrong != "2026-11-25" else 200, plan="diabetes", at=wrong)
    assert {row[1] for row in clinic.steps(MEI)} == {"open"}


async def test_it_is_taken_back_later_too_while_it_holds(clinic: Clinic) -> None:
    async with clinic.signed_in("ana") as ana:
        await ana.post("/enrol/found", plan="diabetes", patient=[str(clinic.ids[one]) for one in (MEI, RUTH)])
        clinic.now += timedelta(minutes=30)
        page = await ana.get("/enrol")
        assert "Diabetes , 2 patients today 13:00" in words(page.text)
        async with clinic.signed_in("ruby") as ruby:
            assert "Your latest enrolments" not in (await ruby.get("/enrol")).text
        assert "2 are out of Diabetes" in (await ana.post("/enrol/taken-back", plan="diabetes", at=instant(page))).text
        assert "Your latest enrolments" not in (await ana.get("/enrol")).text
        await ana.post("/enrol/found", plan="diabetes", patient=str(clinic.ids[MEI]))
    clinic.now += timedelta(days=8)
    async with clinic.signed_in("ana") as ana:
        assert "Your latest enrolments" not in (await ana.get("/enrol")).text, "by now it is the patient's plan"


async def test_a_list_is_checked_row_by_row_then_enrolled_whole(clinic: Clinic) -> None:
    with clinic.database.transaction() as session:
        patients.settle_death_report(session, clinic.ids[LUCIA], True, NOON)
        session.get_one(patients.Patient, clinic.ids[WIREMU]).opted_out = ["follow_up"]
    content = f"name,record\n{CANARY},R-1\n{CANARY},R-2\n,R-1\n,{CANARY}\n{CANARY},\n,R-3\n,R-4\n"
    async with clinic.signed_in("grace") as grace:
        looked = await sends(grace, "/enrol/preview", content, plan="diabetes")
        told = words(looked.text)
        assert "7 rows: 2 can be enrolled in Diabetes, 5 can’t." in told
        for line, why in (
            (4, "is the patient of line 2"),
            (5, "no patient has this record number"),
            (6, "is empty"),
            (7, "has died"),
            (8, "wants no such calls"),
        ):
            assert f"{line} record {why}" in told
        assert CANARY not in looked.text
        assert clinic.steps(MEI) == [], "nobody is enrolled yet"
        (look,) = clinic.audited("list.checked")
        assert (look.account_id, look.subject) == (clinic.staff["grace"].id, "patients")
        told_of = sorted(str(clinic.ids[one]) for one in (LUCIA, WIREMU))
        assert look.detail == {"digest": digest(looked)[:16], "rows": 7, "able": 2, "patients": told_of}
        other = await sends(grace, "/enrol/list", content + "R-9\n", 409, plan="diabetes", seen=digest(looked))
        assert other.text == "This is not the list that was checked. Check it first."
        done = await sends(grace, "/enrol/list", content, plan="diabetes", seen=digest(looked))
        assert "2 enrolled in Diabetes. Not these 5:" in words(done.text)
        assert [look.detail["patients"] for look in clinic.audited("list.checked")] == [told_of] * 2
        assert clinic.steps(MEI) and clinic.steps(RUTH) and not clinic.steps(LUCIA) and not clinic.steps(WIREMU)
        again = words((await sends(grace, "/enrol/preview", content, plan="diabetes")).text)
        assert "0 can be enrolled" in again and "2 record is in this plan already" in again
        await grace.post("/enrol/taken-back", plan="diabetes", at=instant(done))
    assert {row[2] for who in (MEI, RUTH) for row in clinic.steps(who)} == {"taken_back"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk"])
@pytest.mark.parametrize("content", ["R-1\nR-2\n", "病历号\nR-1\n\nR-2\n", "姓名;病历号\n陈梅;R-1\n;R-2\n"])
async def test_a_list_in_any_form(clinic: Clinic, content: str, encoding: str) -> None:
    async with clinic.signed_in("ana") as ana:
        looked = await sends(ana, "/enrol/preview", content.encode(encoding), plan="diabetes")
    assert "2 rows: 2 can be enrolled in Diabetes, 0 can’t." in words(looked.text)


async def test_a_long_list_is_enrolled_in_parts_and_is_one_decision(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_lists, "PART", 1)
    async with clinic.signed_in("ana") as ana:
        looked = await sends(ana, "/enrol/preview", "R-1\nR-2\nR-3\n", plan="diabetes")
        done = await sends(ana, "/enrol/list", "R-1\nR-2\nR-3\n", plan="diabetes", seen=digest(looked))
        back = await ana.post("/enrol/taken-back", plan="diabetes", at=instant(done))
    assert "3 are out of Diabetes again." in words(back.text)


@pytest.mark.parametrize(
    ("path", "content", "fields", "status", "says"),
    [
        ("/enrol/preview", "R-1\n", {"plan": "cure"}, 422, "Choose a plan."),
        ("/enrol/preview", "", {"plan": "diabetes"}, 422, "The list is empty."),
        ("/enrol/preview", "name,phone\nA,1\n", {"plan": "diabetes"}, 422, "The first row has no column record."),
        ("/enrol/preview", b"\xff\x81\xff\x00\x01", {"plan": "diabetes"}, 422, "no UTF-8, GBK or Windows-1252"),
        ("/enrol/preview", "record\n" + "R\n" * 5001, {"plan": "diabetes"}, 422, "more than 5,000 rows"),
        ("/enrol/preview", "R" * (LARGEST_PEOPLE + 1), {"plan": "diabetes"}, 413, "more than this page takes"),
    ],
)
async def test_what_is_no_list_is_told(
    clinic: Clinic, path: str, content: bytes | str, fields: dict[str, str], status: int, says: str
) -> None:
    async with clinic.signed_in("ana") as ana:
        assert says in (await sends(ana, path, content, status, **fields)).text


@pytest.mark.parametrize(
    ("path", "form", "says"),
    [
        ("/enrol/found", {"plan": "cure", "patient": "x"}, "Choose a plan."),
        ("/enrol/found", {"plan": "diabetes"}, "Tick whom you enrol."),
        ("/enrol/found", {"plan": "diabetes", "patient": "x"}, "was not understood"),
        ("/enrol/found", {"plan": "diabetes", "patient": [str(UUID(int=n)) for n in range(201)]}, "At most 200"),
        ("/enrol/find", {"said": " "}, "Say whom you look for"),
        ("/enrol/find", {"said": "Mei", "born": "soon"}, "is no date"),
        ("/enrol/preview", {"plan": "diabetes"}, "Choose a list first."),
    ],
)
async def test_what_is_sent_wrongly_enrols_nobody(clinic: Clinic, path: str, form: dict[str, Any], says: str) -> None:
    async with clinic.signed_in("ana") as ana:
        assert says in (await ana.post(path, 422, **form)).text
        gone = words((await ana.post("/enrol/found", plan="diabetes", patient=str(UUID(int=1)))).text)
        assert "Nobody was enrolled." in gone and "One is no patient any more" in gone
    with clinic.database.transaction() as session:
        assert not session.scalars(select(Enrolment)).all()


async def test_from_the_list_of_follow_ups_the_patients_of_what_is_selected(clinic: Clinic) -> None:
    with clinic.database.transaction() as session:
        mine = session.get_one(FollowUpTask, clinic.task.id)
        session.expunge(mine)
    async with clinic.signed_in("ana") as ana:
        assert 'value="enrol"' in (await ana.get("/followups")).text
        told = await ana.post("/followups/orders", what="enrol", plan="diabetes", task=f"{mine.id}.x")
        assert "1 enrolled in Diabetes." in words(told.text) and "/enrol/taken-back" in told.text
        again = words((await ana.post("/followups/orders", what="enrol", plan="diabetes", task=f"{mine.id}.x")).text)
        assert "Nothing was changed. Not this one:" in again and f"{JOAO.name} is in this plan already" in again
        await ana.post("/followups/orders", 422, what="enrol", plan="cure", task=f"{mine.id}.x")
    async with clinic.signed_in("ruby") as ruby:
        hers = words((await ruby.post("/followups/orders", what="enrol", plan="newborn", task=f"{mine.id}.x")).text)
        assert "another nurse's by now" in hers.replace("&#39;", "'") and JOAO.name not in hers
    with clinic.database.transaction() as session:
        assert session.query(Enrolment).filter_by(patient_id=clinic.ids[JOAO]).one().plan == "diabetes"


async def test_who_left_a_plan_today_is_not_put_back_by_mistake(clinic: Clinic) -> None:
    mei = str(clinic.ids[MEI])
    async with clinic.signed_in("ana") as ana:
        await ana.post("/enrol/found", plan="diabetes", patient=mei)
        with clinic.database.transaction() as session:
            plan_changes.withdrawn(session, clinic.ids[MEI], NOON)
        told = words((await ana.post("/enrol/found", plan="diabetes", patient=mei)).text)
    assert f"{MEI.name} was in this plan today already, and left it" in told


@pytest.mark.covers("H27")
async def test_a_group_is_told_the_news_but_for_who_wants_none(clinic: Clinic) -> None:
    with clinic.database.transaction() as session:
        session.get_one(patients.Patient, clinic.ids[RUTH]).opted_out = ["education"]
    async with clinic.signed_in("grace") as grace:
        assert "0 can’t" in words((await sends(grace, "/enrol/preview", "R-1\nR-2\n", plan="diabetes")).text)
        looked = await sends(grace, "/enrol/preview", "R-1\nR-2\n", plan="flu-season")
        assert "2 record wants no such calls" in words(looked.text)
        await sends(grace, "/enrol/list", "R-1\nR-2\n", plan="flu-season", seen=digest(looked))
    with clinic.database.transaction() as session:
        task = session.scalars(select(FollowUpTask).where(FollowUpTask.step == "news")).one()
        assert (task.patient_id, task.purpose, task.channel) == (clinic.ids[MEI], "education", "automated_call")
        policy = CallingPolicy(calling_hours.PRESETS["co"], ZONE)
        morning = NOON.replace(hour=15)
        claimed = agentless.claim_next(session, "n1", morning, policy, kinds=["follow_up"], most=1)
        assert isinstance(claimed, Claimed), claimed


async def test_how_far_a_list_is_is_told_in_counts_while_it_is_read_and_while_they_are_enrolled(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f"R-{n}\n" for n in range(1, 2001))
    readings, ana_id = clinic.app.state.readings, clinic.staff["ana"].id
    enrol, seen = of_lists.enrol, []

    def looks_meanwhile(session: Session, *of: Any) -> tuple[list[UUID], dict[UUID, str]]:
        reading = readings.of(ana_id)
        seen.append((reading.rows, reading.refused, reading.done))
        return enrol(session, *of)

    monkeypatch.setattr(of_lists, "enrol", looks_meanwhile)
    monkeypatch.setattr(of_lists, "PART", 2)
    async with clinic.signed_in("ana") as ana:
        assert 'data-fragment="/lists/progress" data-on="list"' in (await ana.get("/enrol")).text
        with listening(clinic.database) as heard:
            looked = await sends(ana, "/enrol/preview", rows, plan="hypertension")
            assert heard().count(f"list:{ana_id}") == 2, "each thousand"
        fields = {"plan": "hypertension", "seen": digest(looked)}
        assert "4 enrolled" in words((await sends(ana, "/enrol/list", rows, **fields)).text)
        assert seen == [(2000, 1996, 0), (2000, 1996, 2)]
        with readings.begun(ana_id, rows.encode(), clinic.database) as reading:
            reading.rows, reading.refused, reading.done = seen[1]
            told = words((await ana.get("/lists/progress")).text)
        assert told == "2,000 of about 2,000 rows were read, 1,996 of them refused. 2 are done."
