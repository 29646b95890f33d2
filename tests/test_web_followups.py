"""Ana works her list: João's day-3 call, as her page asks for it."""

from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from hospital import account_orders, attempts, followups, patients, plan_changes, questionnaires
from hospital.attempts import Attempt, Claimed
from hospital.audit import AuditRow
from hospital.database import Database
from hospital.enrolment_records import Enrolment
from hospital.followups import Answer, FollowUpTask
from hospital.patients import Patient
from hospital.questionnaires import Questionnaire
from tests.characters import JOAO, MEI
from tests.console_app import Page, Site, words
from tests.hospital_scene import UNCAPPED, admit
from tests.moments import ZONE


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    return Site(database, tmp_path)


async def identify(page: Page, site: Site) -> None:
    for identifier in ("name", "birth_date"):
        await page.post(f"/followups/{site.task.id}/ticks/{identifier}", on="on")


def audited(site: Site, action: str) -> list[AuditRow]:
    with site.database.transaction() as session:
        return list(session.scalars(select(AuditRow).where(AuditRow.action == action)))


@pytest.mark.covers("H13")
async def test_the_list_says_who_is_due_and_the_look_is_audited(site: Site) -> None:
    async with site.signed_in("ana") as ana:
        said = words((await ana.get("/followups")).text)
    for expected in (JOAO.name, "Portuguese", "surgery 2", "22 Nov 2026", "Day 3 after discharge"):
        assert expected in said
    assert len(audited(site, "list.read")) == 1


@pytest.mark.covers("I9")
async def test_another_nurse_sees_neither_the_line_nor_the_form_and_oscar_nothing(site: Site) -> None:
    async with site.signed_in("ruby") as ruby:
        assert JOAO.name not in (await ruby.get("/followups")).text
        await ruby.get(f"/followups/{site.task.id}", 403)
        await ruby.post(f"/followups/{site.task.id}/skip", 403, reason="not_needed")
    async with site.signed_in("oscar") as oscar:
        assert JOAO.name not in (await oscar.get("/followups", 403)).text
    assert len(audited(site, "denied")) == 3
    assert site.task_now().state == "open"


async def test_a_refusal_of_the_dialer_is_shown_as_it_is(site: Site) -> None:
    site.dialling.refusal = "It is outside this patient's calling hours. It may be called from Thursday 08:00."
    async with site.signed_in("ana") as ana:
        refused = await ana.post(f"/followups/{site.task.id}/start", 409)
    assert refused.text == site.dialling.refusal
    assert site.dialling.asked == [("start", site.task.id)]


@pytest.mark.covers("H15")
async def test_nothing_is_written_before_name_and_birth_date_are_ticked(site: Site) -> None:
    site.talking()
    async with site.signed_in("ana") as ana:
        await ana.post(f"/followups/{site.task.id}/answers/pain", 409, value="3")
        await ana.post(f"/followups/{site.task.id}/ticks/name", on="on")
        await ana.post(f"/followups/{site.task.id}/answers/pain", 409, value="3")
        assert site.answers() == {}
        await ana.post(f"/followups/{site.task.id}/ticks/birth_date", on="on")
        await ana.post(f"/followups/{site.task.id}/answers/pain", value="3")
    assert site.answers() == {"pain": 3}


@pytest.mark.covers("H15")
@pytest.mark.parametrize(
    ("item", "sent", "kept"),
    [
        ("general", {"value": "same"}, "same"),
        ("pain", {"value": "7"}, 7),
        ("temperature", {"value": "38,5"}, 38.5),
        ("symptoms", {"value": ["fever", "bleeding"]}, ["fever", "bleeding"]),
        ("medication", {"value": "other:", "text": "só de manhã"}, {"text": "só de manhã"}),
        ("next-visit", {"value": "terça, 9h"}, "terça, 9h"),
        ("questions", {"value": "Posso\r\ndirigir? ${x} <b>"}, "Posso\ndirigir? ${x} <b>"),
    ],
)
async def test_every_kind_of_question_is_saved_as_given(
    site: Site, item: str, sent: dict[str, str | list[str]], kept: object
) -> None:
    site.talking()
    async with site.signed_in("ana") as ana:
        await identify(ana, site)
        await ana.post(f"/followups/{site.task.id}/answers/{item}", **sent)
        shown = (await ana.get(f"/followups/{site.task.id}")).text
    assert site.answers() == {item: kept}
    assert "<b>" not in shown.partition("textarea")[2]


@pytest.mark.parametrize(
    ("item", "wrong", "says"),
    [("pain", "11", "0 to 10"), ("temperature", "380", "34 to 43"), ("general", "${x}", "better, same, worse")],
)
async def test_a_wrong_answer_is_refused_beside_its_field_and_nothing_is_lost(
    site: Site, item: str, wrong: str, says: str
) -> None:
    site.talking()
    async with site.signed_in("ana") as ana:
        await identify(ana, site)
        await ana.post(f"/followups/{site.task.id}/answers/pain", value="4")
        refused = await ana.post(f"/followups/{site.task.id}/answers/{item}", 422, value=wrong)
    assert says in refused.text
    assert "X-Sentence" in refused.headers
    assert site.answers() == {"pain": 4}


async def test_answered_again_the_newest_counts_and_the_older_stays(site: Site) -> None:
    attempt = site.talking()
    async with site.signed_in("ana") as ana:
        await identify(ana, site)
        for pain in ("2", "9"):
            flags = words((await ana.post(f"/followups/{site.task.id}/answers/pain", value=pain)).text)
    assert "Severe pain" in flags
    assert site.answers() == {"pain": 9}
    with site.database.transaction() as session:
        rows = list(session.scalars(select(Answer).order_by(Answer.id)))
    assert [(row.value, row.attempt_id, row.account_id) for row in rows] == [
        ("2", attempt, site.staff["ana"].id),
        ("9", attempt, site.staff["ana"].id),
    ]


async def test_all_normal_fills_what_is_open_and_never_a_measurement(site: Site) -> None:
    site.talking()
    async with site.signed_in("ana") as ana:
        await identify(ana, site)
        await ana.post(f"/followups/{site.task.id}/answers/pain", value="6")
        await ana.post(f"/followups/{site.task.id}/all-normal")
    assert site.answers() == {"pain": 6, "general": "better", "symptoms": ["none"], "medication": "all"}


def _without(language: str, body: Any) -> Any:
    """A questionnaire's body without its wording in one language."""
    if isinstance(body, dict):
        return {key: _without(language, value) for key, value in body.items() if key != language}
    return [_without(language, value) for value in body] if isinstance(body, list) else body


async def test_the_script_is_in_the_patients_language_and_a_fallback_is_marked(site: Site) -> None:
    site.talking()
    async with site.signed_in("ana") as ana:
        await identify(ana, site)  # first who it is, then the notice
        assert "Posso gravar?" in (await ana.get(f"/followups/{site.task.id}")).text
        with site.database.transaction() as session:
            session.get_one(Patient, site.joao.id).language = "mi"
            form = session.get_one(Questionnaire, site.task.questionnaire_id)
            form.body = _without("mi", form.body)  # as a hospital's own may be
        said = words((await ana.get(f"/followups/{site.task.id}")).text)
    assert "May I record it?" in said
    assert "There is no Māori wording yet." in said


@pytest.mark.covers("H17")
async def test_recording_begins_after_the_notice_or_is_refused(site: Site) -> None:
    attempt = site.talking()
    async with site.signed_in("ana") as ana:
        await identify(ana, site)
        await ana.post(f"/followups/{site.task.id}/call/record")
        await ana.post(f"/followups/{site.task.id}/call/no-recording")
        await ana.post(f"/followups/{site.task.id}/call/hang-up")
    assert site.dialling.asked == [
        ("start_recording", attempt),
        ("refuse_recording", attempt),
        ("hang_up", attempt),
    ]


@pytest.mark.covers("H16")
async def test_a_result_decides_the_next_try_which_is_a_sentence(site: Site) -> None:
    attempt = site.talking()
    async with site.signed_in("ana") as ana:
        site.over(attempt)
        part = await ana.post(
            f"/followups/{site.task.id}/result/call_later", when="exactly", exactly="2026-11-27T18:10"
        )
        assert "Again Friday 18:10, first number, try 2 of 3" in words(part.text)
        late = await ana.post(
            f"/followups/{site.task.id}/result/call_later", 422, when="exactly", exactly="2020-01-01T10:00"
        )
    assert "60 days" in late.text
    assert site.task_now().state == "open"


@pytest.mark.covers("H16", "H20")
async def test_a_call_whose_plan_ended_while_it_rang_is_ended_and_told_of_like_any(site: Site) -> None:
    with site.database.transaction() as session:
        claimed = attempts.claim(session, site.task.id, site.staff["ana"].id, "n1", site.now, UNCAPPED)
        assert isinstance(claimed, Claimed) and attempts.dialling(session, claimed.attempt_id, site.now)
        assert plan_changes.readmitted(session, site.joao.id, site.now).stopped == (site.task.id,)
    with site.database.transaction() as session:
        assert attempts.answered(session, claimed.channel_id, site.now)
    call = f"/followups/{site.task.id}"
    async with site.signed_in("ana") as ana:
        said = (await ana.get(f"{call}/call")).text
        assert "Closed." in said and 'id="end-call"' in said and 'id="result-completed"' in said
        site.over(claimed.attempt_id)
        await ana.post(f"{call}/result/call_later")
        assert 'id="result-completed"' not in (await ana.get(f"{call}/call")).text
        await ana.post(f"{call}/result/hung_up", 409)
    assert (site.task_now().state, site.task_now().stop_reason) == ("stopped", "readmitted")
    with site.database.transaction() as session:
        assert session.get_one(Attempt, claimed.attempt_id).contact_result == "call_later"


@pytest.mark.covers("H16", "H51")
async def test_what_ana_has_not_said_grace_says_for_her_when_the_call_is_over(site: Site) -> None:
    attempt, call = site.talking(), f"/followups/{site.task.id}"
    async with site.signed_in("grace") as grace, site.signed_in("ruby") as ruby:
        assert "A colleague is on this call." in words((await grace.get(f"{call}/call")).text)
        await grace.post(f"{call}/result/partial", 409)
        site.over(attempt)
        await ruby.post(f"{call}/result/partial", 403)
        said = words((await grace.get(f"{call}/call")).text)
        assert "say it for her" in said and "Tick what the patient says right" not in said
        await grace.post(f"{call}/ticks/name", 409, on="on")
        await grace.post(f"{call}/result/partial")
        assert site.task_now().state == "open"
        await grace.post(f"{call}/result/refused", 409)
        assert "It was said by a colleague" in words((await grace.get(f"{call}/past")).text)


@pytest.mark.covers("H16", "H51")
async def test_what_who_has_gone_has_not_said_anybody_reviews(site: Site) -> None:
    attempt, call = site.talking(), f"/followups/{site.task.id}"
    site.over(attempt)
    with site.database.transaction() as session:
        account_orders.close(session, site.staff["ana"].id, None, site.now)
    async with site.signed_in("ruby") as ruby, site.signed_in("grace") as grace:
        assert "has gone without saying" in words((await ruby.get(f"{call}/call")).text)
        assert "Or say whom she reached" not in (await ruby.get(f"{call}/call")).text
        assert "Or say whom she reached" in (await grace.get(f"{call}/call")).text
        await ruby.post(f"{call}/review/again")
    assert site.task_now().state == "open"


async def test_done_only_with_every_needed_answer(site: Site) -> None:
    attempt = site.talking()
    async with site.signed_in("ana") as ana:
        await identify(ana, site)
        refused = await ana.post(f"/followups/{site.task.id}/result/completed", 409)
        assert "Not answered yet" in refused.text
        await ana.post(f"/followups/{site.task.id}/all-normal")
        await ana.post(f"/followups/{site.task.id}/summary", 204, summary="Vai bem.\nVolta na terça.")
        await ana.post(f"/followups/{site.task.id}/result/completed")
        assert site.task_now().state == "calling"
        site.over(attempt)
    assert (site.task_now().state, site.task_now().summary) == ("done", "Vai bem.\nVolta na terça.")


@pytest.mark.covers("I3")
@pytest.mark.parametrize(("decision", "state"), [("again", "open"), ("stop", "stopped")])
async def test_a_person_settles_what_is_not_known(site: Site, decision: str, state: str) -> None:
    attempt = site.talking()
    with site.database.transaction() as session:
        assert attempts.to_review(session, attempt, site.now, "link_lost")
    async with site.signed_in("ana") as ana:
        part = words((await ana.get(f"/followups/{site.task.id}")).text)
        assert "not known whether the phone rang" in part
        await ana.post(f"/followups/{site.task.id}/review/{decision}")
        await ana.post(f"/followups/{site.task.id}/review/{decision}", 409)
        log = words((await ana.get(f"/followups/{site.task.id}/past")).text)
    assert site.task_now().state == state
    assert "It is not known whether the phone rang; a person decides" in log
    with site.database.transaction() as session:
        assert session.get_one(Attempt, attempt).state == "ended"


async def test_skipping_needs_a_reason(site: Site) -> None:
    async with site.signed_in("ana") as ana:
        await ana.post(f"/followups/{site.task.id}/skip", 422, reason="because")
        await ana.post(f"/followups/{site.task.id}/skip", 204, reason="readmitted")
    assert (site.task_now().state, site.task_now().stop_reason) == ("stopped", "readmitted")


@pytest.mark.covers("H13")
async def test_two_follow_ups_in_one_call_are_tabs_of_one_form(site: Site) -> None:
    with site.database.transaction() as session:
        other = followups.plan(
            session,
            patient_id=site.task.patient_id,
            questionnaire_id=site.task.questionnaire_id,
            reason="discharge_day_7",
            due_at=site.now,
        ).id
    site.over(site.talking())
    async with site.signed_in("ana") as ana:
        assert f'href="/followups/{other}"' in (await ana.get(f"/followups/{site.task.id}")).text
        await identify(ana, site)
        there = (await ana.get(f"/followups/{other}")).text
        assert f'href="/followups/{site.task.id}"' in there
        assert 'data-open="yes"' in there, "identified once, and both forms take answers"


def joined(site: Site) -> UUID:
    """A follow-up of Inés, for whom João is called, that is due in the same call."""
    with site.database.transaction() as session:
        ines = patients.register(session, name="Inés", birth=date(2026, 11, 20), language="pt-BR", numbers=[])
        ines.guardian_id = site.task.patient_id
        asked = site.task.questionnaire_id
        session.flush()
        return followups.plan(
            session, patient_id=ines.id, questionnaire_id=asked, reason="discharge_day_7", due_at=site.now
        ).id


def log(site: Site, task_id: UUID) -> list[str]:
    with site.database.transaction() as session:
        return [row.code for row in followups.decisions(session, task_id)]


@pytest.mark.covers("H13", "H16")
async def test_the_childs_death_is_said_on_the_childs_tab_of_the_fathers_call(site: Site) -> None:
    child = joined(site)
    site.over(site.talking())
    async with site.signed_in("ana") as ana:
        await ana.post(f"/followups/{child}/result/deceased")
        part = words((await ana.get(f"/followups/{site.task.id}/call")).text)
    assert "partly done" in part
    with site.database.transaction() as session:
        of_child = session.get_one(FollowUpTask, child)
        assert of_child.stop_reason == "reported_deceased" and of_child.patient.death_reported_at == site.now
        assert session.get_one(Patient, site.task.patient_id).death_reported_at is None
    assert site.task_now().state == "open"


@pytest.mark.covers("H13", "H16", "H23")
async def test_each_tab_is_done_by_its_own_answers_and_every_answers_rules_are_kept(site: Site) -> None:
    child = joined(site)
    attempt = site.talking()
    async with site.signed_in("ana") as ana:
        await identify(ana, site)
        await ana.post(f"/followups/{child}/answers/symptoms", value="wound")
        await ana.post(f"/followups/{site.task.id}/all-normal")
        site.over(attempt)
        await ana.post(f"/followups/{site.task.id}/result/completed")
        assert "answer_again" in log(site, child), "asked again sooner, as the wound wants it"
        tab = (await ana.get(f"/followups/{child}/call")).text
        assert 'id="result-completed"' in tab, "what is still to be asked is said of it afterwards"
        assert site.task_now().state == "done"
        await ana.post(f"/followups/{child}/result/completed", 409)
        await ana.post(f"/followups/{child}/all-normal")
        await ana.post(f"/followups/{child}/result/completed")
    with site.database.transaction() as session:
        assert session.get_one(FollowUpTask, child).state == "done"


@pytest.mark.covers("H20", "H51")
async def test_what_happened_to_the_patient_is_told_on_the_form_and_stops_what_is_open(site: Site) -> None:
    task = f"/followups/{site.task.id}"
    async with site.signed_in("ana") as ana:
        assert "In hospital again" in (await ana.get(task)).text
        await ana.post(f"{task}/changed", 422, change="on holiday")
        await ana.post(f"{task}/changed", 403, change="died")
        assert site.task_now().state == "open"
        await ana.post(f"{task}/changed", 204, change="withdrawn")
    assert (site.task_now().state, site.task_now().stop_reason) == ("stopped", "withdrawn")
    assert [row.detail["change"] for row in audited(site, "plan.changed")] == ["withdrawn"]


@pytest.mark.covers("H18", "H51")
async def test_ana_notes_on_which_number_a_message_may_be_left(site: Site) -> None:
    def now() -> list[bool]:
        with site.database.transaction() as session:
            return [one.may_leave_message for one in session.get_one(Patient, site.task.patient_id).numbers]

    with site.database.transaction() as session:
        number_id = session.get_one(Patient, site.task.patient_id).numbers[0].id
        other = admit(session, MEI).numbers[0].id
    machine = f"/followups/{site.task.id}/numbers/{number_id}/messages"
    async with site.signed_in("ana") as ana:
        assert "A message may be left" in (await ana.get(f"/followups/{site.task.id}")).text
        assert now()[0] is False, "nobody's machine is spoken to unasked"
        await ana.post(machine, 204, on="on")
        assert now()[0] is True
        assert (
            f'{number_id}/messages" hx-trigger="change" hx-swap="none" checked'
            in (await ana.get(f"/followups/{site.task.id}/past")).text
        )
        await ana.post(machine, 204)
        await ana.post(f"/followups/{site.task.id}/numbers/{other}/messages", 404, on="on")
    assert now()[0] is False
    assert [row.detail["may"] for row in audited(site, "patient.messages")] == [True, False]


@pytest.mark.covers("H20", "H22")
async def test_ana_enrols_joao_in_a_plan_once(site: Site) -> None:
    with site.database.transaction() as session:
        questionnaires.publish(session, "hypertension", {"purpose": "follow-up"}, "sha-h", site.now)
    task = f"/followups/{site.task.id}"
    async with site.signed_in("ana") as ana:
        await ana.post(f"{task}/enrol", 422, plan="nothing")
        await ana.post(f"{task}/enrol", 409, plan="diabetes")  # its questionnaire was not loaded
        await ana.post(f"{task}/enrol", 204, plan="hypertension")
        await ana.post(f"{task}/enrol", 409, plan="hypertension")
    with site.database.transaction() as session:
        mine = session.query(Enrolment).filter_by(patient_id=site.task.patient_id).one()
        assert (mine.plan, mine.enrolled_by) == ("hypertension", site.staff["ana"].id)


@pytest.mark.covers("H20", "H25")
async def test_what_ana_enrols_in_is_not_due_on_a_public_holiday_here(site: Site) -> None:
    """Of a patient whose number tells no country it is the hospital's: Good Friday of 2027 in Colombia."""
    site.now = datetime(2026, 12, 4, 12, tzinfo=ZONE)  # sixteen weeks before
    with site.database.transaction() as session:
        questionnaires.publish(session, "hypertension", {"purpose": "follow-up"}, "sha-h", site.now)
        patient = session.get_one(Patient, site.task.patient_id)
        patient.zone = None
        for number in patient.numbers:
            number.safe_to_call = False
    async with site.signed_in("ana") as ana:
        await ana.post(f"/followups/{site.task.id}/enrol", 204, plan="hypertension")
    with site.database.transaction() as session:
        rows = select(FollowUpTask).where(FollowUpTask.step == "check.2")
        assert session.scalars(rows).one().due_at.astimezone(ZONE).date() == date(2027, 3, 29)


@pytest.mark.covers("H18")
async def test_one_key_hands_a_machine_over_and_she_is_free(site: Site) -> None:
    call = site.talking()
    form = f"/followups/{site.task.id}"
    async with site.signed_in("ana") as ana, site.signed_in("ruby") as ruby:
        assert "A machine: hang up" in words((await ana.get(f"{form}/call")).text)
        await ruby.post(f"{form}/call/machine", 403)
        await ana.post(f"{form}/call/machine")
        assert site.dialling.asked == [("machine", call)] and site.stints.asked == [("call_next", None)]
        with site.database.transaction() as session:
            numbers = session.get_one(Patient, site.joao.id).numbers
            numbers[0].may_leave_message = True
            session.get_one(Attempt, call).handed_at = site.now
        free = words((await ana.get(f"{form}/call")).text)
        assert "A machine has picked up" in free and "Whom did you reach" not in free and "End call" not in free
        site.dialling.refusal = "Nobody is on the line, or you have said whom you reached."
        assert "Nobody is on the line" in (await ana.post(f"{form}/call/machine", 409)).text
