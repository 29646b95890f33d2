"""A red flag climbs until somebody takes it: to whom, when, once for all processes, with a history of every step."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from playwright.async_api import expect
from sqlalchemy.orm import Session

from hospital import audit, calls, cases, climbing, rota_records, screen_pops, urgent_records
from hospital.calendars import Calendar
from hospital.cases import Teller
from hospital.clocks import Clocks, due
from hospital.database import Database
from hospital.patients import Stay
from hospital.urgent import Ladder, Reach, Step, next_step
from hotline.settings_file import DEMO, build
from tests import browser
from tests.browser import PageOf, does_not_scroll, looked_at, page_of, served
from tests.browser import site as _site
from tests.characters import JOAO, LUCIA
from tests.console_app import Site, words
from tests.hospital_scene import admit, at_once, employ, listening
from tests.moments import NOON, ZONE

pytestmark = pytest.mark.covers("H33")
__all__ = ["page_of", "served"]
site = _site
CALENDAR, LADDER = Calendar(ZONE, "CO"), Ladder()
FIVE = timedelta(minutes=5)
ANA, BEN, DORA, GRACE, GUS = (uuid4() for _ in range(5))


# ── The rule ────────────────────────────────────────────────────────────────────────────────────────────────────────


def played(reach: Callable[[datetime], Reach], minutes: int) -> list[tuple[int, str, tuple[UUID, ...]]]:
    """What happens if the rule is asked every second and nobody takes it: (minute, whom, told)."""
    steps: list[Step] = []
    for second in range(minutes * 60 + 1):
        at = NOON + timedelta(seconds=second)
        while (step := next_step(steps, reach(at), at, FIVE)) is not None:
            steps.append(step)
    return [(int((step.at - NOON).total_seconds()) // 60, step.whom, step.told) for step in steps]


def test_first_then_second_then_the_lead_then_all_supervisors_and_again() -> None:
    assert played(lambda _: Reach([ANA, BEN], DORA, [GRACE, GUS]), 21) == [
        (0, "first", (ANA,)),
        (5, "second", (BEN,)),
        (10, "lead", (DORA,)),
        (15, "supervisors", (GRACE, GUS)),
        (20, "first", (ANA,)),
    ]


def test_nobody_on_call_is_said_and_costs_no_time() -> None:
    assert played(lambda _: Reach([], None, [GRACE]), 6) == [
        (0, "nobody", ()),
        (0, "supervisors", (GRACE,)),
        (5, "nobody", ()),
        (5, "supervisors", (GRACE,)),
    ]
    assert played(lambda _: Reach([], DORA, [GRACE]), 0)[1:] == [(0, "lead", (DORA,))]


def test_who_comes_on_call_meanwhile_is_told_before_it_climbs_further() -> None:
    def handover(at: datetime) -> Reach:
        return Reach([ANA] if at < NOON + timedelta(minutes=3) else [BEN], DORA, [GRACE])

    assert [step[1:] for step in played(handover, 11)] == [
        ("first", (ANA,)),
        ("second", (BEN,)),
        ("lead", (DORA,)),
    ]


def test_an_owner_who_was_too_slow_is_passed_by() -> None:
    assert [step[1:] for step in played(lambda _: Reach([ANA, BEN], DORA, [ANA, GRACE], ANA), 15)] == [
        ("second", (BEN,)),
        ("lead", (DORA,)),
        ("supervisors", (GRACE,)),
        ("second", (BEN,)),
    ]
    assert [step[1] for step in played(lambda _: Reach([ANA], ANA, [GRACE], ANA), 5)] == ["supervisors"] * 2


def test_nobody_is_told_twice_in_one_round() -> None:
    whom = [step[1] for step in played(lambda _: Reach([ANA, BEN, GUS], ANA, [GRACE]), 16)]
    assert whom == ["first", "second", "further", "supervisors"], "the lead was told as first on call"
    assert [step[1] for step in played(lambda _: Reach([], None, []), 6)] == ["nobody", "supervisors"] * 2


# ── With rows ───────────────────────────────────────────────────────────────────────────────────────────────────────


def staff(session: Session) -> dict[str, UUID]:
    roles = {"ana": "nurse", "ben": "nurse", "grace": "supervisor", "dora": "doctor"}
    return {name: employ(session, name, role).id for name, role in roles.items()}


def on_call(
    session: Session, people: dict[str, UUID], *who: str, ward: str = "", first: date = date(2026, 11, 25)
) -> None:
    """First and second, day and night, of a line whose lead is Dora."""
    line = rota_records.open_line(session, "nurse", ward, people["dora"], people["grace"], NOON)
    assert line is not None
    for rank, name in enumerate(who, 1):
        made = rota_records.add_shift(
            session, CALENDAR, line_id=line, rank=rank, account_id=people[name], days=range(1, 9), starts=time(),
            ends=time(), first_day=first, last_day=None, by=people["grace"],
            at=datetime.combine(first, time(12), tzinfo=ZONE),
        )  # fmt: skip
        assert isinstance(made, UUID)


def red_flag(session: Session, call_id: str = "n1-1", patient_id: UUID | None = None) -> UUID:
    calls.begin(session, call_id, "n1", LUCIA.numbers[0], NOON)
    teller, clock = Teller(call_id, LUCIA.numbers[0], patient_id, "es"), due("red_flag", NOON, Clocks(ZONE, "CO"))
    return cases.open_case(session, "red_flag", f"red_flag/{call_id}", teller, NOON, clock, "heart_or_stroke")


def climb(session: Session, minutes: float = 0) -> list[UUID]:
    looked = climbing.anything_stands(session)
    climbed = climbing.climb(session, CALENDAR, LADDER, NOON + timedelta(minutes=minutes))
    assert looked or not climbed, "what is due would not have been looked for"
    return climbed


def history(session: Session, case_id: UUID) -> list[tuple[str, list[UUID]]]:
    return [(one.whom, one.told) for one in urgent_records.history(session, case_id)]


@pytest.mark.covers("I8")
def test_it_climbs_until_ana_takes_it_and_every_step_stays(database: Database) -> None:
    with database.transaction() as session, listening(database) as heard:
        people = staff(session)
        ana, ben, grace, dora = (people[name] for name in ("ana", "ben", "grace", "dora"))
        on_call(session, people, "ana", "ben")
        flag = red_flag(session)
        assert climb(session) == [flag]
        assert climb(session, 4.9) == []
        session.commit()
        assert heard().count(f"case:{flag}") >= 1
    with database.transaction() as session:
        for minutes in (5, 10, 15):
            assert climb(session, minutes) == [flag]
        assert cases.own(session, flag, ana, NOON + timedelta(minutes=16))
        assert climb(session, 60) == [], "it is hers now"
        assert cases.give_back(session, flag, ana, NOON + timedelta(minutes=61))
        assert climb(session, 61) == [flag], "and it climbs at once when she gives it back"
        assert cases.own(session, flag, ben, NOON + timedelta(minutes=62))
        assert cases.close(session, flag, ben, "reached", NOON + timedelta(minutes=70), "He is on his way.")
        assert history(session, flag) == [
            ("first", [ana]),
            ("second", [ben]),
            ("lead", [dora]),
            ("supervisors", [grace]),
            ("taken", [ana]),
            ("given_back", [ana]),
            ("first", [ana]),
            ("taken", [ben]),
            ("closed", [ben]),
        ]
        told = [row.detail["whom"] for row in reversed(audit.of_subject(session, f"case:{flag}", ("urgent.told",)))]
        assert told == ["first", "second", "lead", "supervisors", "first"]
        assert audit.verify(session).sound


def late(session: Session, minutes: float) -> list[UUID]:
    looked = climbing.anything_stands(session)
    found = climbing.without_outcome(session, CALENDAR, LADDER, NOON + timedelta(minutes=minutes))
    assert looked or not found, "what is due would not have been looked for"
    return found


@pytest.mark.covers("I8")
def test_who_has_taken_it_has_half_an_hour_until_its_outcome_and_then_others_are_told(database: Database) -> None:
    with database.transaction() as session:
        people = staff(session)
        ana, ben, grace, dora = (people[name] for name in ("ana", "ben", "grace", "dora"))
        on_call(session, people, "ana", "ben")
        flag = red_flag(session)
        climb(session)
        assert late(session, 1) == []
        assert cases.own(session, flag, ana, NOON + timedelta(minutes=2))
        assert late(session, 3) == []
        case = session.get_one(cases.Case, flag)
        assert case.runs_until() == case.decide_by == NOON + timedelta(minutes=32)
        assert late(session, 31.9) == []
        assert not cases.own(session, flag, grace, NOON + timedelta(minutes=31)), "it is Ana's"
        assert late(session, 32) == [flag] and late(session, 36.9) == [], "each has five minutes, as before"
        assert history(session, flag)[2:] == [("overdue", [dora, grace]), ("second", [ben])], "past Ana"
        assert not cases.own(session, flag, ana, NOON + timedelta(minutes=33)), "she has it already"
        for minutes in (37, 42, 47):
            assert late(session, minutes) == [flag]
        assert history(session, flag)[4:] == [("lead", [dora]), ("supervisors", [grace]), ("second", [ben])], "again"
        assert cases.own(session, flag, grace, NOON + timedelta(minutes=63)), "taken over"
        assert late(session, 63) == [] and late(session, 92.9) == []
        session.refresh(case)
        assert (case.owner_id, case.decide_by) == (grace, NOON + timedelta(minutes=93)), "with a clock of her own"
        assert cases.close(session, flag, grace, "reached", NOON + timedelta(minutes=90), "Seen in the clinic.")
        assert late(session, 200) == []
        told = [row.detail["whom"] for row in reversed(audit.of_subject(session, f"case:{flag}", ("urgent.told",)))]
        assert told == ["first", "overdue", "second", "lead", "supervisors", "second"]


def test_given_back_it_climbs_again_and_its_clock_begins_with_who_takes_it_next(database: Database) -> None:
    with database.transaction() as session:
        people = staff(session)
        on_call(session, people, "ana")
        flag = red_flag(session)
        climb(session)
        cases.own(session, flag, people["ana"], NOON)
        late(session, 0)
        assert cases.give_back(session, flag, people["ana"], NOON + timedelta(minutes=20))
        assert session.get_one(cases.Case, flag, populate_existing=True).decide_by is None
        cases.own(session, flag, people["ben"], NOON + timedelta(minutes=25))
        assert late(session, 40) == []


def test_given_back_within_its_step_it_climbs_at_once(database: Database) -> None:
    with database.transaction() as session:
        people = staff(session)
        on_call(session, people, "ana", "ben")
        flag = red_flag(session)
        climb(session)
        assert cases.own(session, flag, people["ana"], NOON + timedelta(minutes=1))
        assert cases.give_back(session, flag, people["ana"], NOON + timedelta(minutes=2))
        assert climb(session, 2) == [flag], "and not when Ana's five minutes are over"
        assert history(session, flag)[-1] == ("second", [people["ben"]])
        assert climb(session, 6.9) == [] and climb(session, 7) == [flag], "Ben has his own"


def test_two_processes_never_take_the_same_step(database: Database) -> None:
    with database.transaction() as session:
        people = staff(session)
        on_call(session, people, "ana", "ben")
        flag = red_flag(session)
    for minutes in (0, 5, 10, 15):
        found = at_once(database, *[lambda session, m=minutes: climb(session, m)] * 4)
        assert sorted(map(repr, found)) == sorted(map(repr, [[], [], [], [flag]])), found
    with database.transaction() as session:
        assert [whom for whom, _ in history(session, flag)] == ["first", "second", "lead", "supervisors"]


def test_it_goes_to_the_patients_own_ward(database: Database) -> None:
    with database.transaction() as session:
        people = staff(session)
        on_call(session, people, "ana")
        on_call(session, people, "ben", ward="surgery 2")
        lucia = admit(session, LUCIA)
        session.add(Stay(patient_id=lucia.id, ward="surgery 2", admitted_at=NOON - timedelta(days=9)))
        session.flush()
        known, unknown = red_flag(session, "n1-1", lucia.id), red_flag(session, "n1-2")
        climb(session)
        assert history(session, known) == [("first", [people["ben"]])]
        assert history(session, unknown) == [("first", [people["ana"]])]
        climb(session, 5)
        assert history(session, known)[1] == ("second", [people["ana"]]), "then who is on call for any ward"


def test_an_agent_who_answers_stops_it(database: Database) -> None:
    with database.transaction() as session:
        people = staff(session)
        on_call(session, people, "ana")
        mine, desk = red_flag(session, "n1-1"), red_flag(session, "n1-2")
        climb(session)
        cases.answered(session, "n1-1", people["ben"], NOON)
        cases.answered(session, "n1-2", None, NOON)
        assert climb(session, 30) == []
        assert history(session, mine)[-1] == ("taken", [people["ben"]])
        assert history(session, desk)[-1] == ("closed", [])


async def test_ana_needs_the_doctor_now_while_joao_is_on_the_line(console: Site) -> None:
    people = {name: account.id for name, account in console.staff.items()}
    of_task = f"/followups/{console.task.id}/questions"
    form = {"role": "doctor", "ward": "surgery 2", "hours": "0", "text": "He <cannot> breathe when he lies down."}
    with console.database.transaction() as session:
        on_call(session, people, "ruby")
        line = rota_records.open_line(session, "doctor", "surgery 2", None, people["grace"], NOON)
        assert line is not None
        rota_records.add_shift(
            session, CALENDAR, line_id=line, rank=1, account_id=people["dora"], days=range(1, 9), starts=time(),
            ends=time(), first_day=date(2026, 11, 25), last_day=None, by=people["grace"], at=NOON,
        )  # fmt: skip
    async with console.signed_in("ana") as ana, console.signed_in("dora") as dora:
        assert "at once: it rings who is on call" in (await ana.get(of_task)).text
        assert "Red flag 10001 Doctor, surgery 2: being told" in words((await ana.post(of_task, **form)).text)
        await ana.post(of_task, **(form | {"text": "And he is grey."}))
        await ana.post(of_task, 422, **(form | {"text": " "}))
        await ana.post(of_task, 422, **(form | {"role": "barber"}))
        with console.database.transaction() as session:
            (flag,) = climb(session)
            assert history(session, flag) == [("first", [people["dora"]])], "the doctor, not the nurse on call"
            assert audit.of_subject(session, f"case:{flag}")[-1].action == "urgent.raised"
        assert "Told Dora, first on call, the next in 5:00" in words((await ana.get(of_task)).text)
        assert "Red flag for you" in words((await dora.get("/cases/alarm")).text)
        page = words((await dora.get(f"/cases/{flag}")).text)
        assert "João Souza" in page and "He &lt;cannot&gt; breathe" in page and "And he is grey." in page
        assert JOAO.numbers[0] in page and "A nurse needs somebody at once" in page
        await dora.post(f"/cases/{flag}/own")
        assert "Say in words" in (await dora.post(f"/cases/{flag}/close", 422, outcome="reached")).text
        await dora.post(f"/cases/{flag}/close", outcome="emergency_sent", text="An ambulance is on its way.")
        assert "Emergency service sent" in words((await ana.get(of_task)).text)
        assert "Red flag 10002" in words((await ana.post(of_task, **form)).text), "another one, the first is closed"


def test_the_site_says_to_whom_and_how_soon() -> None:
    assert (DEMO_SETTINGS.urgent.role, DEMO_SETTINGS.urgent.climb_minutes) == ("nurse", 5)


DEMO_SETTINGS = build(DEMO)


# ── On the screen ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def console(database: Database, tmp_path: Path) -> Site:
    return Site(database, tmp_path)


async def test_it_is_on_the_screen_of_who_is_on_call_and_closed_with_words(console: Site) -> None:
    people = {name: account.id for name, account in console.staff.items()}
    with console.database.transaction() as session:
        on_call(session, people, "ana", "dora")
        flag = red_flag(session)
        climb(session)
    async with console.signed_in("ana") as ana, console.signed_in("ruby") as ruby:
        assert "Red flag for you, take it in 5:00" in words((await ana.get("/cases/alarm")).text)
        assert "1 red flag, 0 min" in words((await ruby.get("/cases/alarm")).text)
        assert "Ana told, climbs in 5:00" in words((await ruby.get("/cases/list")).text)
        page = words((await ruby.get(f"/cases/{flag}")).text)
        assert "Nobody has taken it The next is told in 5:00" in page and "Told Ana, first on call" in page
        with console.database.transaction() as session:
            climb(session, 5)
        console.now = NOON + FIVE
        async with console.signed_in("dora") as dora:
            assert "Red flag for you, take it in 5:00" in words((await dora.get("/cases/alarm")).text)
            taken = words((await dora.post(f"/cases/{flag}/own")).text)
            assert "Told Dora, second on call" in taken and "Dora took it" in taken
            await ana.post(f"/cases/{flag}/own", 409)
            refused = await dora.post(f"/cases/{flag}/close", 422, outcome="reached")
            assert "Say in words what was done." in refused.text
            closed = words((await dora.post(f"/cases/{flag}/close", outcome="reached", text="Called her.")).text)
            assert "Dora closed it" in closed and "Called her." in closed
        assert words((await ana.get("/cases/alarm")).text).strip() == ""


async def test_an_agent_stops_its_climb_only_with_the_caller_on_the_line(console: Site) -> None:
    with console.database.transaction() as session:
        tom = console.staff["tom"] = employ(session, "tom", "agent")
        flag, his = red_flag(session, "n1-1"), red_flag(session, "n1-2")
        climb(session)
        screen_pops.pop(session, "n1-1", tom.id, "PJSIP/tom-1", NOON)
        screen_pops.pop_moved(session, "n1-1", "PJSIP/tom-1", "missed", NOON)
        screen_pops.pop(session, "n1-2", tom.id, "PJSIP/tom-2", NOON)
        screen_pops.pop_moved(session, "n1-2", "PJSIP/tom-2", "answered", NOON)
    async with console.signed_in("tom") as toms:
        page = words((await toms.get(f"/cases/{flag}")).text)
        assert "A nurse or a doctor takes it, or who has its caller." in page and "Take it T" not in page
        assert "by a nurse or a doctor" in (await toms.post(f"/cases/{flag}/own", 403)).text
        assert "Take it T" in words((await toms.post(f"/cases/{his}/give-back")).text)
        await toms.post(f"/cases/{his}/own")
    with console.database.transaction() as session:
        assert climb(session, 5) == [flag]


async def test_that_nobody_is_on_call_is_said(console: Site) -> None:
    with console.database.transaction() as session:
        flag = red_flag(session)
        climb(session)
    async with console.signed_in("grace") as grace:
        assert "Red flag for you" in words((await grace.get("/cases/alarm")).text)
        page = words((await grace.get(f"/cases/{flag}")).text)
        assert "Nobody is on call" in page and "Told the supervisors: Grace" in page
        assert "nobody on call Grace told, climbs in 5:00" in words((await grace.get("/cases")).text)


@pytest.mark.browser
@pytest.mark.covers("H51")
async def test_the_countdown_runs_on_anas_page_and_she_takes_it_by_key(served: browser.Site, page_of: PageOf) -> None:
    ana = await page_of("ana")
    await ana.goto(served.url("/recordings"))
    with served.database.transaction() as session:
        on_call(session, served.accounts, "ana", "grace")
        flag = red_flag(session)
        climb(session)
    alarm = ana.get_by_role("link", name="Red flag for you")
    await expect(alarm).to_be_visible()
    await expect(alarm.get_by_role("timer")).to_have_text(re.compile("4:[0-5][0-9]"))
    await alarm.press("Enter")
    await expect(ana.get_by_text("Told Ana, first on call")).to_be_visible()
    await does_not_scroll(ana)
    await looked_at(ana, "urgent")
    await ana.keyboard.press("t")
    await expect(ana.get_by_text("Ana took it")).to_be_visible()
    await expect(alarm).not_to_be_visible()
    with served.database.transaction() as session:
        climbing.without_outcome(session, CALENDAR, LADDER, served.clock())
    own = ana.get_by_role("link", name="Your red flag")
    await expect(own.get_by_role("timer")).to_have_text(re.compile("(29|30):[0-5][0-9]"))
    await expect(ana.get_by_text("An outcome in")).to_be_visible()
    await does_not_scroll(ana)
    await looked_at(ana, "urgent-taken")
    with served.database.transaction() as session:
        assert session.get_one(cases.Case, flag).state == "owned"
