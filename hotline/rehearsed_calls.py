"""Calls of ours on the terminal phone: a follow-up that the machine asks, a machine that a nurse has handed over, a red
flag that rings who is on call. What has happened before somebody picks up is made here, in a database that is dropped
(hotline/terminal_house.py): nobody of the house that runs is called for it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from hospital import (
    accounts,
    attempts,
    calls,
    cases,
    climbing,
    followups,
    machine_calls,
    patients,
    questionnaires,
    surveys,
    urgent_calls,
)
from hospital.calendars import Calendar
from hospital.calling_hours import ALWAYS
from hospital.calling_rules import NotNow
from hospital.clocks import due
from hospital.patients import PhoneNumber
from hotline import wiring
from hotline.care_wiring import clocks, ladder
from hotline.settings import Settings

NODE = "terminal"
AT_ONCE = timedelta(0)


def _a_follow_up(session: Session, settings: Settings, number: str, at: datetime) -> str:
    """Its day-3 call is due, and the machine asks."""
    return _dialled(session, settings, number, at, None)[1]


def _a_machine(session: Session, settings: Settings, number: str, at: datetime) -> str:
    """Ana has called, heard a machine that may be spoken to, and handed it over."""
    ana = _account(session, "ana")
    attempt_id, channel_id = _dialled(session, settings, number, at, ana)
    attempts.answered(session, channel_id, at)
    session.get_one(PhoneNumber, session.get_one(attempts.Attempt, attempt_id).number_id).may_leave_message = True
    machine_calls.picked_up(session, attempt_id, ana)
    machine_calls.handed_over(session, attempt_id, at)
    return channel_id


def _a_red_flag(session: Session, settings: Settings, number: str, at: datetime) -> str:
    """A caller has told of one, and nobody has taken it: nobody is on call, so that it rings the supervisors."""
    calls.begin(session, NODE, NODE, number, at)
    clock = due("red_flag", at, clocks(settings))
    cases.open_case(session, "red_flag", NODE, cases.Teller(NODE, number), at, clock, "heart_or_stroke")
    calendar = Calendar(wiring.zone(settings), settings.site.country_code)
    climbing.climb(session, calendar, ladder(settings), at)
    called = urgent_calls.claim_next(session, NODE, at, AT_ONCE)
    if called is None:
        raise LookupError("the red flag rings nobody")
    urgent_calls.dialling(session, called.channel_id, at)
    return called.channel_id


BEFORE: dict[str, Callable[[Session, Settings, str, datetime], str]] = {
    "outgoing": _a_follow_up,
    "message": _a_machine,
    "oncall": _a_red_flag,
}
"""Dialogue → what makes it ring at a demo patient's number; returns the channel's id, which the dialogue looks for."""


def _dialled(
    session: Session, settings: Settings, number: str, at: datetime, nurse_id: UUID | None
) -> tuple[UUID, str]:
    form = questionnaires.newest(session, "discharge-day3")
    known = patients.candidates(session, number)
    if form is None or len(known) != 1:
        raise LookupError("the demo's people and questionnaires are not whole")
    task = followups.plan(
        session, patient_id=known[0].patient.id, questionnaire_id=form.id, reason="discharge_day_3", due_at=at
    )
    task.state = "calling"
    if nurse_id is None:
        task.channel = surveys.CHANNEL
    session.flush()
    policy = replace(wiring.calling_policy(settings), window=ALWAYS, cap_a_day=None, cap_a_week=None)
    begun = attempts.begin(session, task, NODE, at, policy, nurse_id, trunk_line=0)
    if isinstance(begun, NotNow):
        raise LookupError(f"it may not be called: {begun.code}")
    attempts.dialling(session, begun.attempt_id, at)
    return begun.attempt_id, begun.channel_id


def _account(session: Session, username: str) -> UUID:
    return next(one.id for one in accounts.staff(session) if one.username == username)
