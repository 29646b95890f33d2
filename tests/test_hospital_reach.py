"""Who picks up, by the number of ours that was shown: what counts, and when a fall is told."""

from datetime import timedelta

import httpx
import pytest
from playwright.async_api import expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import reach_watch
from hospital.attempt_records import Attempt
from hospital.audit import AuditRow
from hospital.database import Database
from hospital.reach import Reach, Span, has_fallen, reach
from tests.browser import Comes, PageOf, Site, comes, does_not_scroll, looked_at, page_of, served, site
from tests.characters import LUCIA, MEI
from tests.hospital_scene import admit, day_three, employ
from tests.moments import NOON

__all__ = ["comes", "page_of", "served", "site"]
pytestmark = pytest.mark.covers("H53")
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("lately", "before", "fallen"),
    [
        (Span(100, 40), Span(400, 240), True),  # by a third exactly
        (Span(100, 41), Span(400, 240), False),  # by less
        (Span(30, 10), Span(400, 240), True),
        (Span(29, 0), Span(400, 240), False),  # too few, however bad
        (Span(400, 0), Span(29, 29), False),
        (Span(30, 0), Span(30, 30), True),
        (Span(30, 10), Span(30, 15), False),  # by a third, and it may be chance
        (Span(30, 1), Span(30, 11), True),  # it is not: 3.2 standard errors
        (Span(30, 2), Span(30, 8), False),  # 2.1
        (Span(100, 90), Span(400, 100), False),  # better
        (Span(100, 0), Span(400, 0), False),  # nobody ever
        (Span(100, 100), Span(400, 400), False),
        (Span(0, 0), Span(0, 0), False),
    ],
)
def test_a_fall_is_told_when_it_means_something(lately: Span, before: Span, fallen: bool) -> None:
    assert has_fallen(lately, before) is fallen


def rang(session: Session, shown: str | None, days: float, line: str, **more: object) -> None:
    """A call that rang so many days ago."""
    task = more.pop("task")
    when = NOON - days * DAY
    number = task.patient.numbers[0]  # type: ignore[attr-defined]
    values = {"rang": True, "state": "ended", "dialled_at": when, "claimed_at": when, "dial_until": when} | more
    session.add(
        Attempt(
            task_id=task.id,  # type: ignore[attr-defined]
            patient_id=number.patient_id,
            number_id=number.id,
            number_token=number.token,
            channel_id=f"n1-{shown}-{days}-{line}-{more}",
            line_result=line,
            caller_id=shown,
            **values,
        )
    )


def test_what_counts(database: Database) -> None:
    with database.transaction() as session:
        task = day_three(session, admit(session, LUCIA))
        rang(session, "+576015550100", 1, "answered", task=task)
        rang(session, "+576015550100", 6.9, "no_answer", task=task)
        rang(session, "+576015550100", 7.1, "answered", task=task)
        rang(session, "+576015550100", 2, "machine", task=task)
        rang(session, "+576015550100", 2, "answered", task=task, contact_result="left_message")
        rang(session, "+576015550100", 3, "cancelled", task=task)  # ours
        rang(session, "+576015550100", 3, "unreachable", task=task, rang=False)
        rang(session, "+576015550100", 35.1, "answered", task=task)
        rang(session, "+576015550199", 34, "no_answer", task=task)
        rang(session, None, 1, "answered", task=task)  # before it was kept
        session.flush()
        assert reach(session, NOON) == [
            Reach("+576015550100", Span(4, 1), Span(1, 1)),
            Reach("+576015550199", Span(0, 0), Span(1, 0)),
        ]


def a_fall(session: Session) -> None:
    """Two numbers of ours, one of which nobody answers any more."""
    task = day_three(session, admit(session, MEI))
    for n in range(40):
        rang(session, "+576015550100", 1 + n / 100, "no_answer", task=task)
        rang(session, "+576015550100", 10 + n / 100, "answered", task=task)
        rang(session, "+576015550199", 10 + n / 100, "answered", task=task)


async def test_the_page_tells_of_a_fall(site: Site, comes: Comes) -> None:
    grace: httpx.AsyncClient = await comes("grace")
    assert "Who picks up" not in (await grace.get("/coverage")).text
    with site.database.transaction() as session:
        a_fall(session)
    shown = (await grace.get("/coverage")).text
    assert "Fewer people answer +576015550100: 0 % in the last 7 days, 100 % in the 28 days before." in shown
    assert "Fewer people answer +576015550199" not in shown


def test_the_alarm_is_raised_once_acknowledged_by_a_person_and_over_when_it_has_risen(database: Database) -> None:
    with database.transaction() as session:
        grace = employ(session, "grace", "supervisor").id
        a_fall(session)
        for _ in range(2):
            reach_watch.watch(session, NOON)
        (shown,) = reach_watch.standing(session)
        assert (shown.alarm.caller_id, shown.lately, shown.before, shown.by) == (
            "+576015550100",
            Span(40, 0),
            Span(40, 40),
            "",
        )
        assert reach_watch.acknowledge(session, shown.alarm.id, grace, NOON)
        assert not reach_watch.acknowledge(session, shown.alarm.id, grace, NOON), "once"
        reach_watch.watch(session, NOON)
        session.expire_all()
        assert [one.by for one in reach_watch.standing(session)] == ["Grace"], "it stands until it has risen"
        reach_watch.watch(session, NOON + 40 * DAY)
        assert reach_watch.standing(session) == []
        (row,) = session.scalars(select(AuditRow).where(AuditRow.action == "reach.acknowledged"))
        assert row.account_id == grace


@pytest.mark.browser
async def test_grace_sees_the_alarm_wherever_she_is_and_looks_into_it(served: Site, page_of: PageOf) -> None:
    grace = await page_of("grace")
    await grace.goto(served.url("/followups"))
    with served.database.transaction() as session:
        a_fall(session)
        reach_watch.watch(session, NOON)
    alarm = grace.get_by_role("link", name="Fewer people answer +576015550100")
    await expect(alarm).to_be_visible()
    await alarm.click()
    await expect(grace.get_by_role("alert")).to_contain_text("0 % in seven days, 100 % in the 28 before")
    await does_not_scroll(grace)
    await looked_at(grace, "campaigns-reach")
    await grace.get_by_role("button", name="I look into it").press("Enter")
    await expect(grace.get_by_text("Grace looks into it")).to_be_visible()
    await expect(alarm).to_have_count(0)


@pytest.mark.browser
async def test_the_fall_is_seen_above_the_figures(served: Site, page_of: PageOf) -> None:
    with served.database.transaction() as session:
        a_fall(session)
    grace = await page_of("grace")
    await grace.goto(served.url("/coverage"))
    await expect(grace.get_by_role("alert").filter(has_text="Fewer people answer")).to_be_visible()
    await does_not_scroll(grace)
    await looked_at(grace, "coverage-reach")
