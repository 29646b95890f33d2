"""Ana asks the doctor of the ward; the answer comes back to her list and is told to João; what is late climbs."""

from collections.abc import Callable
from datetime import date, time, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from playwright.async_api import expect
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hospital import audit, questions, rota_records
from hospital.accounts import Account
from hospital.calendars import Calendar
from hospital.database import Database
from hospital.patients import Patient
from hospital.questions import Question
from hospital.rota import Line
from tests import browser
from tests.browser import PageOf, does_not_scroll, looked_at, page_of, served
from tests.browser import site as _site
from tests.characters import JOAO
from tests.console_app import Site, words
from tests.hospital_scene import at_once, employ
from tests.moments import NOON, ZONE

pytestmark = pytest.mark.covers("H57")
__all__ = ["page_of", "served"]
site = _site
CALENDAR = Calendar(ZONE)
HOUR = timedelta(hours=1)
SURGERY, OTHER, ANY = Line("doctor", "surgery 2"), Line("doctor", "paediatrics"), Line("doctor")
ASKED, ANSWER = "May he take the <old> tablets with the new ones?", "No: only the new ones, in the evening."


@pytest.fixture
def console(database: Database, tmp_path: Path) -> Site:
    return Site(database, tmp_path)


def ask(console: Site, line: Line = SURGERY, hours: int = 4, who: str = "ana") -> UUID:
    with console.database.transaction() as session:
        return questions.ask(session, console.task.id, line, hours, ASKED, console.staff[who].id, console.now)


def waits_for(session: Session, account: Account) -> list[UUID]:
    return [one.id for one in questions.for_account(session, account, CALENDAR, NOON)]


def on_call(session: Session, line: Line, who: UUID, by: UUID, lead: UUID | None = None) -> None:
    opened = rota_records.open_line(session, line.role, line.ward, lead, by, NOON)
    assert opened is not None
    rota_records.add_shift(
        session, CALENDAR, line_id=opened, rank=1, account_id=who, days=[1], starts=time(8), ends=time(20),
        first_day=date(2026, 11, 25), last_day=None, by=by, at=NOON,
    )  # fmt: skip


# ── Whom it is for, and what becomes of it ──────────────────────────────────────────────────────────────────────────


def test_it_is_for_the_wards_people_and_without_any_for_everybody_of_the_role(console: Site) -> None:
    mine, other = ask(console), ask(console, OTHER)
    with console.database.transaction() as session:
        dora, ana, grace = (session.get_one(Account, console.staff[name].id) for name in ("dora", "ana", "grace"))
        dana = employ(session, "dana", "doctor")
        assert waits_for(session, dora) == waits_for(session, dana) == [mine, other], "there is no line yet"
        assert waits_for(session, ana) == [], "she is no doctor"
        on_call(session, SURGERY, dora.id, grace.id, lead=grace.id)
        assert (waits_for(session, dora), waits_for(session, dana)) == ([mine, other], [other])
        assert waits_for(session, grace) == [mine], "she leads the line"
        on_call(session, ANY, dana.id, grace.id)
        assert (waits_for(session, dora), waits_for(session, dana)) == ([mine], [mine, other])
        dora.disabled_at = NOON
        session.flush()
        assert waits_for(session, dora) == []


@pytest.mark.covers("I8")
def test_asked_answered_and_told_with_every_step_in_the_chain(console: Site) -> None:
    one = ask(console)
    ana, dora = console.staff["ana"].id, console.staff["dora"].id
    with console.database.transaction() as session:
        assert questions.to_tell(session, ana) == []
        with pytest.raises(ValueError, match="1 to 4000"):
            questions.answer(session, one, "  ", dora, NOON)
        assert questions.answer(session, one, f" {ANSWER} ", dora, NOON + HOUR)
        assert not questions.answer(session, one, "Something else.", dora, NOON + HOUR)
        (back,) = questions.to_tell(session, ana)
        assert (back.id, back.answer, back.answered_by) == (one, ANSWER, dora)
        with pytest.raises(ValueError, match="what became"):
            questions.told(session, one, "forgotten", ana, NOON + HOUR)
        assert questions.told(session, one, "told", ana, NOON + 2 * HOUR)
        assert not questions.told(session, one, "told", ana, NOON + 2 * HOUR)
        assert questions.to_tell(session, ana) == []
        steps = [(row.action, row.account_id) for row in reversed(audit.of_subject(session, f"question:{one}"))]
        assert steps == [("question.asked", ana), ("question.answered", dora), ("question.closed", ana)]
        kept = session.execute(text("SELECT asked_sealed, answer_sealed FROM question")).one()
        assert b"tablets" not in bytes(kept[0]) and b"evening" not in bytes(kept[1])


def test_one_of_two_who_answer_at_once_is_told_so(console: Site) -> None:
    one, dora = ask(console), console.staff["dora"].id

    def answers(words: str) -> Callable[[Session], bool]:
        return lambda session: questions.answer(session, one, words, dora, NOON)

    assert sorted(map(str, at_once(console.database, answers("Yes."), answers("No.")))) == ["False", "True"]


def test_only_who_asked_withdraws_it_and_only_before_the_answer(console: Site) -> None:
    one, ana, ruby = ask(console), console.staff["ana"].id, console.staff["ruby"].id
    with console.database.transaction() as session:
        assert not questions.withdraw(session, one, ruby, NOON)
        assert questions.withdraw(session, one, ana, NOON)
        assert not questions.answer(session, one, ANSWER, console.staff["dora"].id, NOON)
        other = questions.ask(session, console.task.id, SURGERY, 1, ASKED, ana, NOON)
        assert questions.answer(session, other, ANSWER, console.staff["dora"].id, NOON)
        assert not questions.withdraw(session, other, ana, NOON)


def test_what_is_late_climbs_once_and_supervisors_see_it(console: Site) -> None:
    one, grace = ask(console, hours=1), console.staff["grace"]
    with console.database.transaction() as session:
        assert waits_for(session, grace) == []
        assert questions.climb(session, NOON + HOUR - timedelta(seconds=1)) == []
        assert questions.climb(session, NOON + HOUR) == [one]
        assert questions.climb(session, NOON + HOUR) == []
        assert waits_for(session, grace) == [one]
        late = session.get_one(Question, one, populate_existing=True)
        assert [late.standing(NOON + part * HOUR) for part in (0.5, 0.8, 1)] == ["in_time", "due_soon", "overdue"]
        assert next(iter(audit.of_subject(session, f"question:{one}"))).action == "question.climbed"


@pytest.mark.parametrize(
    ("line", "hours", "words_of_it"),
    [(Line("barber"), 4, ASKED), (SURGERY, 5, ASKED), (SURGERY, 4, " "), (SURGERY, 4, "x" * 4001)],
)
def test_what_cannot_be_asked(console: Site, line: Line, hours: int, words_of_it: str) -> None:
    with console.database.transaction() as session, pytest.raises(ValueError, match=r"Choose whom|1 to 4000"):
        questions.ask(session, console.task.id, line, hours, words_of_it, console.staff["ana"].id, NOON)


HALVES = ("state = 'answered'", "state = 'closed'", "outcome = 'told'", "answer_by = asked_at")


@pytest.mark.parametrize("wrong", HALVES)
def test_the_schema_refuses_halves(console: Site, wrong: str) -> None:
    ask(console)
    with pytest.raises(IntegrityError), console.database.transaction() as session:
        session.execute(text(f"UPDATE question SET {wrong}"))  # noqa: S608 - ours


# ── On the pages ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_from_anas_form_to_dora_and_back_to_anas_list(console: Site) -> None:
    form = {"role": "doctor", "ward": "surgery 2", "hours": "4", "text": ASKED}
    of_task = f"/followups/{console.task.id}/questions"
    async with console.signed_in("ana") as ana, console.signed_in("dora") as dora:
        shown = (await ana.get(of_task)).text
        assert 'value="surgery 2"' in shown, "the patient's ward"
        asked = words((await ana.post(of_task, **form)).text)
        assert "Asked Doctor, surgery 2, by today 17:00: May he take the &lt;old&gt; tablets" in asked
        assert "1 question" in words((await dora.get("/questions/alarm")).text)
        page = words((await dora.get("/questions")).text)
        assert "João Souza" in page and "in 4 h 00 min" in page and "&lt;old&gt; tablets" in page
        question = one_of(console)
        left = words((await dora.post(f"/questions/{question}/answer", text=ANSWER)).text)
        assert "No question waits for you." in left and "(not told yet)" in left
        assert words((await dora.get("/questions/alarm")).text).strip() == ""
        await dora.post(f"/questions/{question}/answer", 409, text=ANSWER)
        listed = words((await ana.get("/answers")).text)
        assert "Answers to be read to the patient 1" in listed and ANSWER in listed and JOAO.numbers[0] in listed
        await ana.post(f"/answers/{question}/told", 422, outcome="forgotten")
        assert words((await ana.post(f"/answers/{question}/told", outcome="told")).text).strip() == ""
        assert "Told Doctor, surgery 2" in words((await ana.get(of_task)).text)
        assert "(Told to the patient)" in words((await dora.get("/questions/list")).text)
    with console.database.transaction() as session:
        looks = [row.account_id for row in audit.of_subject(session, f"patient:{console.joao.id}", ("question.read",))]
        assert set(looks) == {console.staff["ana"].id, console.staff["dora"].id}


async def test_what_nobody_would_see_is_not_asked(console: Site) -> None:
    midwife = {"role": "midwife", "ward": "maternity", "hours": "4", "text": ASKED}
    of_task = f"/followups/{console.task.id}/questions"
    async with console.signed_in("ana") as ana:
        told = (await ana.post(of_task, 422, **midwife)).text
        assert told.startswith("Nobody would see it: for Midwife, maternity, nobody is on call or has that role.")
        with console.database.transaction() as session:
            assert session.scalars(select(Question.id)).all() == []
            on_call(session, Line("midwife"), console.staff["ruby"].id, console.staff["grace"].id)
        assert "Asked Midwife, maternity" in words((await ana.post(of_task, **midwife)).text)
        with console.database.transaction() as session:
            dora = session.get_one(Account, console.staff["dora"].id)
            dora.disabled_at = NOON
        await ana.post(of_task, 422, **{**midwife, "role": "doctor"})


def one_of(console: Site) -> UUID:
    with console.database.transaction() as session:
        return session.scalars(select(Question.id)).one()


@pytest.mark.covers("H51")
async def test_what_is_not_for_an_account_is_refused_and_audited(console: Site) -> None:
    one = ask(console)
    async with console.signed_in("ruby") as ruby:
        assert "tablets" not in (await ruby.get("/questions")).text
        await ruby.post(f"/questions/{one}/answer", 403, text=ANSWER)
        await ruby.get(f"/followups/{console.task.id}/questions", 403)  # Ana's
        with console.database.transaction() as session:
            assert questions.answer(session, one, ANSWER, console.staff["dora"].id, NOON)
        assert words((await ruby.get("/answers")).text).strip() == ""
        await ruby.post(f"/answers/{one}/told", 403, outcome="told")
    with console.database.transaction() as session:
        denied = [row.account_id for row in audit.of_subject(session, f"question:{one}", ("denied",))]
        assert denied == [console.staff["ruby"].id] * 2


async def test_who_has_died_is_not_called_with_the_answer(console: Site) -> None:
    one = ask(console)
    with console.database.transaction() as session:
        assert questions.answer(session, one, ANSWER, console.staff["dora"].id, NOON)
        session.get_one(Patient, console.joao.id).death_reported_at = NOON
    async with console.signed_in("ana") as ana:
        listed = words((await ana.get("/answers")).text)
        assert "Do not call: reported deceased" in listed and JOAO.numbers[0] not in listed


async def test_a_late_question_is_marked_wherever_it_is_shown(console: Site) -> None:
    ask(console, hours=1)
    console.now = NOON + 2 * HOUR
    with console.database.transaction() as session:
        questions.climb(session, console.now)
    for who in ("dora", "grace"):
        async with console.signed_in(who) as page:
            assert "1 question, late" in words((await page.get("/questions/alarm")).text)
            assert "Overdue answer by today 14:00, 1 h ago" in words((await page.get("/questions")).text)


@pytest.mark.browser
@pytest.mark.covers("H51")
async def test_ana_asks_in_her_browser_and_dora_answers_in_hers(served: browser.Site, page_of: PageOf) -> None:
    ana, dora = await page_of("ana"), await page_of("dora", "/")
    await expect(dora.get_by_role("heading", name="Questions for me")).to_be_visible()
    await ana.goto(served.url(f"/followups/{served.task(JOAO).id}"))
    await ana.get_by_text("Ask the doctor").press("Enter")
    await ana.get_by_label("Question", exact=True).fill(ASKED)
    await does_not_scroll(ana)
    await looked_at(ana, "asking")
    await ana.get_by_label("Question", exact=True).press("Tab")
    await ana.keyboard.press("Enter")
    await expect(dora.get_by_role("heading", name="João Souza")).to_be_visible()
    await looked_at(dora, "questions")
    await dora.get_by_label("Answer, to be read to the patient").fill(ANSWER)
    await dora.get_by_role("button", name="Answer").press("Enter")
    await expect(dora.get_by_text("No question waits for you.")).to_be_visible()
    await ana.get_by_role("link", name="← List").click()
    await expect(ana.get_by_role("cell", name=ANSWER)).to_be_visible()
    await does_not_scroll(ana)
    await looked_at(ana, "answers")
    await ana.get_by_role("button", name="Close it").press("Enter")
    await expect(ana.get_by_text("Answers to be read")).not_to_be_visible()
