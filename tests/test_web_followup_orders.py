"""The list's orders as the page sends them, with and without a script; what it shows of wards, studies and loads."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import followups, rota_records, task_orders
from hospital.audit import AuditRow
from hospital.database import Database
from hospital.enrolment_records import CareEvent, Enrolment
from hospital.followups import FollowUpTask
from tests.characters import JOAO, LUCIA, MEI, RUTH, Character
from tests.console_app import HOST, Page, Site, words
from tests.hospital_scene import admit
from tests.moments import NOON

pytestmark = pytest.mark.covers("H13", "H51")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Ward(Site):
    """João's call is Ana's; Mei's, Ruth's and Lucía's are nobody's."""

    def __init__(self, database: Database, folder: Path) -> None:
        super().__init__(database, folder)
        with database.transaction() as session:
            self.ids = {JOAO.name: self.task.id}
            for who, ward in ((MEI, "maternity"), (RUTH, "surgery 2"), (LUCIA, "surgery 2")):
                self.ids[who.name] = self.also_due(session, who, ward).id

    def also_due(self, session: Session, who: Character, ward: str) -> FollowUpTask:
        task = followups.plan(
            session,
            patient_id=admit(session, who).id,
            questionnaire_id=self.task.questionnaire_id,
            reason="discharge_day_3",
            due_at=NOON - HOUR,
        )
        task.ward = ward
        return task

    def now_of(self, who: Character) -> FollowUpTask:
        with self.database.transaction() as session:
            return session.get_one(FollowUpTask, self.ids[who.name])

    def field(self, who: Character) -> str:
        """The value of the row's box as the page shows it now."""
        return f"{self.ids[who.name]}.{task_orders.mark(self.now_of(who))}"

    def fields(self, *who: Character) -> list[str]:
        return [self.field(one) for one in who]

    def audited(self, action: str) -> list[AuditRow]:
        with self.database.transaction() as session:
            return list(session.scalars(select(AuditRow).where(AuditRow.action == action)))


@pytest.fixture
def ward(database: Database, tmp_path: Path) -> Ward:
    return Ward(database, tmp_path)


async def order(page: Page, what: str, fields: list[str], status: int = 200, **more: Any) -> str:
    return words((await page.post("/followups/orders", status, what=what, task=fields, **more)).text)


async def test_the_others_are_done_and_who_was_not_is_named_with_why(ward: Ward) -> None:
    fields = ward.fields(JOAO, MEI, RUTH, LUCIA)
    ward.talking()  # Ana has João on the line
    with ward.database.transaction() as session:
        followups.skip(session, ward.ids[MEI.name], "readmitted", NOON, ward.staff["ana"].id)
        session.get_one(FollowUpTask, ward.ids[LUCIA.name]).priority = 1  # another supervisor, meanwhile
    async with ward.signed_in("grace") as grace:
        told = await order(grace, "give", fields, to=str(ward.staff["ruby"].id))
    assert "1 given to Ruby." in told
    assert "Not these 3:" in told
    assert f"{JOAO.name} is being called just now" in told
    assert f"{MEI.name} is closed already" in told
    assert f"{LUCIA.name} was changed by somebody meanwhile: look at it again" in told
    assert ward.now_of(RUTH).owner_id == ward.staff["ruby"].id
    assert ward.now_of(LUCIA).owner_id is None
    assert [row.subject for row in ward.audited("task.give")] == [f"task:{ward.ids[RUTH.name]}"]


async def test_what_went_to_another_nurse_is_named_to_nobody(ward: Ward) -> None:
    fields = ward.fields(RUTH, MEI)
    with ward.database.transaction() as session:
        session.get_one(FollowUpTask, ward.ids[RUTH.name]).owner_id = ward.staff["ruby"].id
    async with ward.signed_in("ana") as ana:
        told = await order(ana, "take", fields)
    assert "1 given to you." in told
    assert "by now, or gone" in told
    assert RUTH.name not in told
    assert len(ward.audited("denied")) == 1


async def test_ana_takes_and_gives_back_and_mine_shows_what_was_given(ward: Ward) -> None:
    async with ward.signed_in("ana") as ana:
        await order(ana, "take", ward.fields(MEI, RUTH))
        mine = words((await ana.get("/followups?show=mine")).text)
        assert MEI.name in mine and RUTH.name in mine and JOAO.name in mine and LUCIA.name not in mine
        assert "given today 13:00" in mine
        assert "2 given back to everybody." in await order(ana, "give_back", ward.fields(MEI, JOAO))
        page = (await ana.get("/followups")).text
        assert 'value="give"' not in page and 'value="priority"' not in page
        assert "is for who shares out the list" in await order(
            ana, "give", ward.fields(RUTH), to=str(ward.staff["ruby"].id)
        )
    async with ward.signed_in("ruby") as ruby:
        shown = words((await ruby.get("/followups")).text)
        assert MEI.name in shown and RUTH.name not in shown


async def test_skipped_moved_and_put_forward(ward: Ward) -> None:
    async with ward.signed_in("grace") as grace:
        assert "2 skipped." in await order(grace, "skip", ward.fields(MEI, RUTH), reason="done_elsewhere")
        assert "1 put on 26 Nov 2026." in await order(grace, "move", ward.fields(LUCIA), day="2026-11-26")
        late = await order(grace, "move", ward.fields(LUCIA), day="2026-12-26")
        assert "Nothing was changed. Not this one:" in late
        assert f"{LUCIA.name} cannot be then: it is due until" in late
        assert "2 now of priority 1." in await order(grace, "priority", ward.fields(LUCIA, JOAO), priority="1")
        assert "is so already" in await order(grace, "priority", ward.fields(LUCIA), priority="1")
        log = words((await grace.get(f"/followups/{ward.ids[LUCIA.name]}/past")).text)
    assert [ward.now_of(one).stop_reason for one in (MEI, RUTH)] == ["done_elsewhere"] * 2
    assert "Put on another day: tomorrow" in log and "Priority 1 instead of 5" in log


@pytest.mark.parametrize(
    ("what", "more", "says"),
    [
        ("give", {}, "Choose to whom."),
        ("give", {"to": "x"}, "not understood"),
        ("skip", {}, "Say why they are skipped."),
        ("skip", {"reason": "${x}"}, "Say why they are skipped."),
        ("move", {}, "Choose the day."),
        ("move", {"day": "soon"}, "not understood"),
        ("priority", {"priority": "10"}, "A priority is 1 (first) to 9."),
        ("burn", {}, "Say what is to be done with them."),
        ("give_back", {"task": []}, "Select what it is about first."),
        ("give_back", {"task": ["x.y"]}, "not understood"),
        ("give_back", {"task": [f"{UUID(int=n)}.x" for n in range(201)]}, "at most 200"),
    ],
)
async def test_what_is_sent_wrongly_changes_nothing(ward: Ward, what: str, more: dict[str, Any], says: str) -> None:
    fields = more.pop("task", ward.fields(MEI))
    async with ward.signed_in("grace") as grace:
        assert says in await order(grace, what, fields, 422, **more)
    assert not [row for action in ("give", "give_back", "skip") for row in ward.audited(f"task.{action}")]


async def test_without_a_script_the_form_answers_with_a_page(ward: Ward) -> None:
    form = {"what": "give_back", "task": ward.fields(JOAO), "csrf": "csrf-of-this-page"}
    async with ward.signed_in("ana") as ana:
        sent = {"Origin": f"http://{HOST}"}
        refused = await ana._client.post("/followups/orders", data=form | {"csrf": "guessed"}, headers=sent)
        assert refused.status_code == 403
        elsewhere = await ana._client.post(
            "/followups/orders", data=form, headers={"Origin": "https://elsewhere.example"}
        )
        assert elsewhere.status_code == 403
        answer = await ana._client.post("/followups/orders", data=form, headers=sent)
    assert answer.status_code == 200
    assert "<h1>Follow-up calls</h1>" in answer.text
    assert "1 given back to everybody." in words(answer.text)
    assert ward.now_of(JOAO).owner_id is None


async def test_by_ward_and_study_and_my_ward(ward: Ward) -> None:
    with ward.database.transaction() as session:
        event = CareEvent(source="x", kind="enrolment", patient_id=ward.now_of(MEI).patient_id, at=NOON, told_at=NOON)
        event.study = "stones & co"
        session.add(event)
        session.flush()
        enrolment = Enrolment(
            event_id=event.id, patient_id=event.patient_id, plan="p", plan_sha256="0", enrolled_at=NOON
        )
        session.add(enrolment)
        session.flush()
        task = session.get_one(FollowUpTask, ward.ids[MEI.name])
        task.enrolment_id, task.step = enrolment.id, "day-1"
    async with ward.signed_in("grace") as grace:

        async def shown(query: str) -> set[str]:
            text = (await grace.get(f"/followups{query}")).text
            return {one.name for one in (JOAO, MEI, RUTH, LUCIA) if one.name in text}

        assert await shown("?ward=surgery%202") == {JOAO.name, RUTH.name, LUCIA.name}
        assert await shown("?ward=maternity&show=due") == {MEI.name}
        assert await shown("?study=stones%20%26%20co") == {MEI.name}
        assert await shown("/list/all?ward=surgery%202&study=stones%20%26%20co") == set()
        page = (await grace.get("/followups?ward=surgery%202")).text
        assert 'data-fragment="/followups/list/all?ward=surgery%202"' in page
        assert '<input type="hidden" name="ward" value="surgery 2">' in page
        told = await order(grace, "give_back", ward.fields(MEI), ward="surgery 2", status=200)
        assert "is so already" in told  # nobody's: nothing is to be changed
        told = await order(grace, "priority", ward.fields(MEI), ward="surgery 2", priority="1")
        assert f"{MEI.name} is of another ward now" in told
        await grace.get("/followups?ward=%3Cscript%3E&study=%00")


async def test_my_ward_is_where_i_have_shifts(ward: Ward) -> None:
    with ward.database.transaction() as session:
        grace, ana = ward.staff["grace"].id, ward.staff["ana"].id
        line = rota_records.open_line(session, "nurse", "maternity", None, grace, NOON)
        assert line is not None
        _shift(session, line, ana, grace)
    async with ward.signed_in("ana") as ana_page:
        page = (await ana_page.get("/followups?ward=*")).text
        assert "My ward (maternity)" in page
        assert MEI.name in page and RUTH.name not in page


async def test_a_ward_is_one_however_it_is_written(ward: Ward) -> None:
    with ward.database.transaction() as session:
        session.get_one(FollowUpTask, ward.ids[RUTH.name]).ward = "Surgery  2"
        grace, ana = ward.staff["grace"].id, ward.staff["ana"].id
        line = rota_records.open_line(session, "nurse", "SURGERY 2", None, grace, NOON)
        assert line is not None
        _shift(session, line, ana, grace)
    async with ward.signed_in("ana") as ana_page:
        page = (await ana_page.get("/followups?ward=*")).text
        assert RUTH.name in page and LUCIA.name in page and MEI.name not in page
        assert page.casefold().count('<option value="surgery') == 1, "told once"
        assert "1 given to you." in await order(ana_page, "take", ward.fields(RUTH), ward="SURGERY 2")


async def test_who_has_no_shifts_has_no_ward(ward: Ward) -> None:
    async with ward.signed_in("ruby") as ruby:
        assert "My ward" not in (await ruby.get("/followups")).text


def _shift(session: Session, line: UUID, who: UUID, by: UUID) -> None:
    session.add(
        rota_records.OnCallShift(
            line_id=line, rank=1, account_id=who, days=[1, 2, 3], starts=NOON.time().replace(hour=8),
            ends=NOON.time().replace(hour=16), first_day=NOON.date(), made_by=by, made_at=NOON,
        )
    )  # fmt: skip
    session.flush()


async def test_grace_sees_how_much_each_nurse_has_before_she_gives(ward: Ward) -> None:
    with ward.database.transaction() as session:
        late = session.get_one(FollowUpTask, ward.ids[JOAO.name])
        late.due_at, late.due_until = NOON - 9 * DAY, NOON - 5 * DAY
    async with ward.signed_in("grace") as grace:
        page = words((await grace.get("/followups")).text)
    assert "Ana: 1 to call, 1 overdue" in page
    assert "Ruby: 0 to call" in page
    assert "nobody’s: 3 to call" in page
    assert "Oscar" not in page
