"""A campaign for the patients of a list: checked row by row, put in, and then only they are in it."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import attempts, campaign_lists, campaigns, followups, nurse_calls, patients, vault
from hospital.attempts import Claimed
from hospital.audit import AuditRow
from hospital.campaigns import Campaign
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.patients import Patient, PatientIdentifier
from tests.characters import JOAO, LUCIA, MEI, RUTH, Character
from tests.console_app import Page, Site, words
from tests.hospital_scene import UNCAPPED, admit, listening
from tests.moments import NOON
from tests.test_long_lists import somebody_waits

pytestmark = pytest.mark.covers("H13", "H51")
RECORDS = {MEI: "R-1", RUTH: "R-2", LUCIA: "R-3", JOAO: "R-4"}
CANARY = "Zamudio"


class Ward(Site):
    """João's, Mei's and Ruth's day-3 calls are due and nobody's; nothing is due of Lucía's."""

    def __init__(self, database: Database, folder: Path) -> None:
        super().__init__(database, folder)
        self.ids, self.due = {JOAO: self.joao.id}, {self.task.id: JOAO}
        with database.transaction() as session:
            session.get_one(FollowUpTask, self.task.id).owner_id = None
            for who in (MEI, RUTH, LUCIA):
                self.ids[who] = admit(session, who).id
            for who, record in RECORDS.items():
                token = vault.token("record", record)
                session.add(PatientIdentifier(patient_id=self.ids[who], kind="record", value=record, token=token))
            for who in (MEI, RUTH):
                made = followups.plan(
                    session,
                    patient_id=self.ids[who],
                    questionnaire_id=self.task.questionnaire_id,
                    reason="discharge_day_3",
                    due_at=NOON,
                )
                self.due[made.id] = who

    @property
    def campaign(self) -> Campaign:
        with self.database.transaction() as session:
            return session.scalars(select(Campaign)).one()

    def within(self) -> set[Character]:
        """Whose contacts the campaign has."""
        with self.database.transaction() as session:
            found = session.scalars(select(FollowUpTask.id).where(campaigns.fits(session, self.campaign)))
            return {self.due[one] for one in found}


@pytest.fixture
def ward(database: Database, tmp_path: Path) -> Ward:
    return Ward(database, tmp_path)


async def sends(page: Page, ward: Ward, content: str, status: int = 200, *, seen: str | None = None) -> httpx.Response:
    path = f"/campaigns/{ward.campaign.id}/patients/{'preview' if seen is None else 'import'}"
    headers = {"X-CSRF-Token": "csrf-of-this-page", "HX-Request": "true"}
    sent = {"list": ("list.csv", content.encode())}
    answer = await page._client.post(path, files=sent, data={"seen": seen or ""}, headers=headers)
    assert answer.status_code == status, answer.text
    return answer


async def put_in(page: Page, ward: Ward, content: str) -> str:
    looked = await sends(page, ward, content)
    seen = re.findall(r'name="seen" value="(\w{64})"', looked.text)[0]
    return words((await sends(page, ward, content, seen=seen)).text)


async def test_only_who_is_on_the_list_is_in_it(ward: Ward) -> None:
    async with ward.signed_in("grace") as grace:
        await grace.post("/campaigns", name="Hernias", mode="preview")
        assert ward.within() == {JOAO, MEI, RUTH}
        rows = f"name,record\n{CANARY},R-1\n,R-3\n,{CANARY}\n"
        looked = words(
            (await sends(grace, ward, f"name,record\n{CANARY},R-1\n,R-3\n,{CANARY}\n,R-1\n{CANARY},\n")).text
        )
        assert "5 rows: 2 can be put in, 3 can’t. 1 of them has an open follow-up that fits" in looked
        assert "4 record no patient has this record number" in looked and "5 record is the patient of line 2" in looked
        assert "6 record is empty" in looked and CANARY not in looked
        assert ward.within() == {JOAO, MEI, RUTH}, "nothing is changed yet"
        with ward.database.transaction() as session:
            (look,) = session.scalars(select(AuditRow).where(AuditRow.action == "list.checked"))
            assert (look.subject, look.detail["rows"]) == (f"campaign:{ward.campaign.id}", 5)
            assert (look.detail["able"], look.detail["patients"]) == (2, [])
        told = await put_in(grace, ward, rows)
        assert "2 patients were put in, 1 row not." in told
        assert ward.within() == {MEI}
        assert "a list of 2 patients" in words((await grace.get("/campaigns")).text)
        await grace.post(f"/campaigns/{ward.campaign.id}/start", 204)
    with ward.database.transaction() as session:
        handed = nurse_calls.hand_out(session, ward.campaign.id, ward.staff["ana"].id, ward.now)
        assert handed is not None and ward.due[handed] == MEI
        claimed = attempts.claim(session, handed, ward.staff["ana"].id, "n1", ward.now, UNCAPPED)
        assert isinstance(claimed, Claimed)
        assert nurse_calls.hand_out(session, ward.campaign.id, ward.staff["ruby"].id, ward.now) is None


async def test_more_are_put_in_while_it_runs_and_nobody_twice(ward: Ward) -> None:
    async with ward.signed_in("grace") as grace:
        await grace.post("/campaigns", name="Hernias", mode="preview")
        await grace.post(f"/campaigns/{ward.campaign.id}/start", 204)
        refused = await sends(grace, ward, "R-1\n", 409)
        assert refused.text == "Pause the campaign first: until now it is for everybody."
        await grace.post(f"/campaigns/{ward.campaign.id}/pause", 204)
        await put_in(grace, ward, "R-1\n")
        await grace.post(f"/campaigns/{ward.campaign.id}/start", 204)
        with ward.database.transaction() as session:
            patients.settle_death_report(session, ward.ids[RUTH], True, NOON)
        again = words((await sends(grace, ward, "R-1\nR-2\nR-4\n")).text)
        assert "1 can be put in" in again and "1 record is in it already" in again and "2 record has died" in again
        assert "1 patient was put in, 2 rows not." in await put_in(grace, ward, "R-1\nR-2\nR-4\n")
        assert ward.within() == {JOAO, MEI}
        other = await sends(grace, ward, "R-3\n", 409, seen="0" * 64)
        assert "not the list that was checked" in other.text
        await grace.post(f"/campaigns/{ward.campaign.id}/stop", 204)
        assert (await sends(grace, ward, "R-3\n", 409)).text == "This campaign is over."
    with ward.database.transaction() as session:
        rows = session.scalars(select(AuditRow).where(AuditRow.action == "campaign.listed").order_by(AuditRow.seq))
        assert [row.detail["patients"] for row in rows] == [1, 1]


async def test_how_many_are_in_is_told_while_they_are_put_in(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign_lists, "PART", 1)
    content, grace_id = "R-1\nR-2\nR-3\n", ward.staff["grace"].id
    async with ward.signed_in("grace") as grace:
        await grace.post("/campaigns", name="Hernias", mode="preview")
        with listening(ward.database) as heard, Session(ward.database.engine) as other:
            other.get(Patient, ward.ids[RUTH], with_for_update=True)  # who is put in after her waits
            putting = asyncio.create_task(put_in(grace, ward, content))
            while not await asyncio.to_thread(somebody_waits, ward.database):
                assert not putting.done()
            assert "1 are done." in words((await grace.get("/lists/progress")).text)
            assert ward.within() == {JOAO, MEI, RUTH}, "nobody is in before all are"
            other.rollback()
            assert "3 patients were put in." in await putting
            assert heard().count(f"list:{grace_id}") == 3, "each part"
    assert ward.within() == {MEI, RUTH}


async def test_what_is_no_list_or_for_others_is_refused(ward: Ward) -> None:
    async with ward.signed_in("grace") as grace:
        await grace.post("/campaigns", name="Hernias", mode="preview")
        assert "no column record" in (await sends(grace, ward, "name,phone\nA,1\n", 422)).text
        with listening(ward.database) as heard:
            assert "more than 20,000 rows" in (await sends(grace, ward, "record\n" + "R\n" * 20_001, 422)).text
            assert heard().count(f"list:{ward.staff['grace'].id}") == 20, "how far it is, each thousand"
        page = (await grace.get(f"/campaigns/{ward.campaign.id}")).text
        assert 'data-fragment="/lists/progress" data-on="list"' in page
    for who in ("ana", "dora", "oscar"):
        async with ward.signed_in(who) as page:
            await sends(page, ward, "R-1\n", 403)
