"""On whose clock a call is judged: when it is dialled, for first calls and retries alike, and the log says so."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from hospital import agentless, attempts, followups, patients
from hospital.attempts import Attempt, Claimed
from hospital.calendars import is_holiday
from hospital.calling_hours import ALWAYS, PRESETS, Window, abroad, may_call
from hospital.calling_rules import CallingPolicy, NotNow, on_the_clock_of
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.patients import Patient, PhoneNumber
from hospital.zones import Address, clock_of, country_of
from tests.characters import MEI, RUTH, WIREMU, Character
from tests.hospital_scene import UNCAPPED, admit, day_three, employ
from tests.moments import NOON, ZONE

AUCKLAND, SHANGHAI, NEW_YORK = ZoneInfo("Pacific/Auckland"), ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
DAY = timedelta(days=1)
pytestmark = pytest.mark.covers("I4", "H14")


def local(text: str, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


class Story:
    """Ana in Bogotá, and a patient elsewhere."""

    def __init__(self, database: Database, who: Character, policy: CallingPolicy = UNCAPPED, **where: Any) -> None:
        self.database, self.policy = database, policy
        with database.transaction() as session:
            self.ana = employ(session, "ana", "nurse").id
            patient = admit(session, who, **({"zone": None} | where))
            self.patient_id, self.task_id = patient.id, day_three(session, patient).id

    def claims(self, at: datetime) -> Claimed | NotNow:
        with self.database.transaction() as session:
            return attempts.claim(session, self.task_id, self.ana, "n1", at, self.policy)

    def claimed(self, at: datetime) -> UUID:
        found = self.claims(at)
        assert isinstance(found, Claimed), found.code
        return found.attempt_id

    def refused(self, at: datetime) -> tuple[str, datetime | None]:
        found = self.claims(at)
        assert isinstance(found, NotNow)
        return found.code, found.not_before

    def dials(self, attempt_id: UUID, at: datetime) -> bool:
        with self.database.transaction() as session:
            return attempts.dialling(session, attempt_id, at) or not attempts.not_dialled(
                session, attempt_id, at, self.policy
            )

    def nobody_answers(self, at: datetime) -> datetime | None:
        attempt_id = self.claimed(at)
        assert self.dials(attempt_id, at)
        with self.database.transaction() as session:
            attempts.rang(session, session.get_one(Attempt, attempt_id).channel_id)
            attempts.line_ended(session, attempt_id, "no_answer", at, self.policy)
        return self.task.next_try_at

    @property
    def task(self) -> FollowUpTask:
        with self.database.transaction() as session:
            return session.get_one(FollowUpTask, self.task_id)

    def log(self) -> list[tuple[str, str | None, str | None]]:
        with self.database.transaction() as session:
            rows = followups.decisions(session, self.task_id)
            return [(row.code, row.facts.get("clock"), row.facts.get("zone")) for row in rows]


def test_it_is_seven_in_auckland_while_it_is_noon_here(database: Database) -> None:
    story = Story(database, WIREMU)
    assert story.refused(NOON) == ("outside_window", local("2026-11-26 08:00", AUCKLAND))
    assert story.log()[-1] == ("outside_window", "07:00", "Pacific/Auckland")
    story.claimed(NOON + timedelta(hours=1))
    assert story.log()[-1] == ("called", "08:00", "Pacific/Auckland")


def test_a_retry_keeps_to_their_clock_too(database: Database) -> None:
    story = Story(database, MEI)
    morning = local("2026-11-26 10:00", SHANGHAI)
    assert story.nobody_answers(morning) == local("2026-11-27 18:10", SHANGHAI)
    assert story.nobody_answers(local("2026-11-27 18:10", SHANGHAI)) == local("2026-11-28 09:40", SHANGHAI)
    assert story.refused(local("2026-11-28 21:30", SHANGHAI))[0] == "outside_window"


def test_claimed_at_twenty_fifty_nine_and_not_dialled_at_nine(database: Database) -> None:
    """The nurse's phone rings first: what was allowed when she pressed the key may not be when she has picked up."""
    story = Story(database, RUTH)
    attempt = story.claimed(local("2026-11-25 20:59", NEW_YORK))
    assert not story.dials(attempt, local("2026-11-25 21:00", NEW_YORK))
    assert story.log()[-2] == ("not_dialled", "21:00", "America/New_York")
    assert (story.task.state, story.task.tries) == ("open", 0)
    assert story.task.next_try_at == local("2026-11-26 08:00", NEW_YORK)
    in_time = story.claimed(local("2026-11-26 20:59", NEW_YORK))
    assert story.dials(in_time, local("2026-11-26 20:59", NEW_YORK))


@pytest.mark.parametrize(
    ("evening", "morning_utc"),
    [("2026-10-31 20:59", "2026-11-01T13:00+00:00"), ("2026-03-07 20:59", "2026-03-08T12:00+00:00")],
)
def test_the_night_on_which_the_clocks_change(database: Database, evening: str, morning_utc: str) -> None:
    """Bogotá's clock never changes; Ruth's does."""
    story = Story(database, RUTH)
    attempt = story.claimed(local(evening, NEW_YORK))
    assert not story.dials(attempt, local(evening, NEW_YORK) + timedelta(minutes=1))
    assert story.task.next_try_at == datetime.fromisoformat(morning_utc)
    assert story.refused(datetime.fromisoformat(morning_utc) - timedelta(seconds=1))[0] == "outside_window"
    story.claimed(datetime.fromisoformat(morning_utc))


def test_nobody_is_called_in_the_lunch_nap(database: Database) -> None:
    nap = Window((((time(9), time(13)), (time(15), time(20))),) * 7)
    story = Story(database, RUTH, CallingPolicy(nap, ZONE, None, None))
    attempt = story.claimed(local("2026-11-25 12:59", NEW_YORK))
    assert not story.dials(attempt, local("2026-11-25 13:00", NEW_YORK))
    assert story.task.next_try_at == local("2026-11-25 15:00", NEW_YORK)
    assert story.refused(local("2026-11-25 14:00", NEW_YORK)) == (
        "outside_window",
        local("2026-11-25 15:00", NEW_YORK),
    )


def test_what_they_told_us_goes_before_the_number(database: Database) -> None:
    story = Story(database, WIREMU)
    with database.transaction() as session:
        patients.tell_zone(session, story.patient_id, "America/Bogota", story.ana, NOON)
        with pytest.raises(ValueError, match="no time zone"):
            patients.tell_zone(session, story.patient_id, "Middle/Earth", story.ana, NOON)
    story.claimed(NOON)
    assert story.log()[-1] == ("called", "13:00", "America/Bogota")


def test_a_guardian_is_called_on_the_guardians_clock(database: Database) -> None:
    story = Story(database, WIREMU, zone=ZONE.key)
    with database.transaction() as session:
        mother = admit(session, MEI, zone=None)
        child = session.get_one(Patient, story.patient_id)
        child.guardian_id = mother.id
        for number in child.numbers:
            number.safe_to_call = False
    assert story.refused(NOON)[0] == "outside_window", "two in the morning in Shanghai"
    story.claimed(local("2026-11-26 09:00", SHANGHAI))
    with database.transaction() as session:
        assert followups.decisions(session, story.task_id)[-1].facts["reached"] == "guardian"


def test_the_hotline_itself_waits_for_their_morning(database: Database) -> None:
    def next_due(session: Session, at: datetime) -> Claimed | NotNow | None:
        return agentless.claim_next(session, "n1", at, UNCAPPED, kinds=["follow_up"], most=1)

    story = Story(database, WIREMU)
    with database.transaction() as session:
        session.get_one(FollowUpTask, story.task_id).channel = "automated_call"
    with database.transaction() as session:
        assert isinstance(next_due(session, NOON), NotNow)
    assert story.task.next_try_at == local("2026-11-26 08:00", AUCKLAND)
    with database.transaction() as session:
        assert next_due(session, NOON + timedelta(minutes=59)) is None
    with database.transaction() as session:
        assert isinstance(next_due(session, NOON + timedelta(hours=1)), Claimed)


def test_the_cap_counts_their_days(database: Database) -> None:
    """One a day: between two calls that are on one day in Bogotá lies a midnight in Shanghai."""
    story = Story(database, MEI, CallingPolicy(PRESETS["us"], ZONE, cap_a_day=1, cap_a_week=3))
    story.nobody_answers(local("2026-11-26 20:30", SHANGHAI))
    assert story.refused(local("2026-11-26 20:50", SHANGHAI)) == ("cap_reached", local("2026-11-27 08:00", SHANGHAI))
    story.claimed(local("2026-11-27 08:30", SHANGHAI))


@pytest.mark.parametrize(
    ("number", "address", "told", "zone", "by"),
    [
        ("+12025550105", None, None, "America/New_York", "number"),
        ("+573015550101", None, None, "America/Bogota", "number"),
        ("+8613055550103", "Calle 1, Lima, Perú", None, "Asia/Shanghai", "number"),  # the number first
        ("+883510000000", "Calle 1, Lima, Perú", None, "America/Lima", "address"),  # a number of no country
        (None, "1 Some Street\nLima\nPeru", None, "America/Lima", "address"),
        (None, "Bogotá, Colombia", None, "America/Bogota", "address"),
        (None, "12 Main Street, United States", None, "America/Bogota", "site"),  # it has many clocks: the site's
        ("no number", "", None, "America/Bogota", "site"),
        ("+12025550105", None, "Asia/Shanghai", "Asia/Shanghai", "told"),
        (
            "+12025550105",
            None,
            "Atlantis/Poseidonis",
            "America/New_York",
            "number",
        ),  # a zone that there is not any more
    ],
)
def test_where_a_clock_is_known_from(
    number: str | None, address: str | None, told: str | None, zone: str, by: str
) -> None:
    found = clock_of(number, ZONE, told=told, address=written(address))
    assert (found.zone.key, found.by) == (zone, by)


@pytest.mark.parametrize(
    ("lines", "language", "site", "country"),
    [
        ("Calle 1, Lima, Perú", "es", None, "PE"),
        ("Calle 1, Lima, Perú", "en", "CO", "PE"),  # as they say where the staff are
        ("Calle 1, Lima, Perú", "en", "NZ", None),
        ("上海市, 中国", "zh-CN", "NZ", "CN"),
        ("1 Some Street\nLima\nPeru", "mi", None, "PE"),  # as post is addressed everywhere
        ("Wien, Autriche", "fr", "NZ", "AT"),  # a language that we do not speak
        ("Wien, Autriche", "qaa", "NZ", None),
        ("Lima, ,", "es", "CO", None),
        (" \n,", "es", "CO", None),
    ],
)
def test_an_address_names_its_country_in_its_own_language_or_the_sites(
    lines: str, language: str, site: str | None, country: str | None
) -> None:
    assert Address(lines, language, site).country == country


def written(lines: str | None) -> Address | None:
    return Address(lines, "es", "CO") if lines else None


CHILE, COLOMBIA, STATES, AUSTRALIA = "+56221234567", "+573015550101", "+12025550105", "+61299990100"


@pytest.mark.parametrize(
    ("site", "number", "at", "opens"),
    [
        ("co", CHILE, "2026-09-18 12:00", "2026-09-21 07:00"),  # Fiestas Patrias, Friday and Saturday
        ("co", COLOMBIA, "2026-09-18 12:00", None),
        ("co", CHILE, "2026-11-16 12:00", None),  # Cartagena's independence is a holiday in Colombia
        ("co", COLOMBIA, "2026-11-16 12:00", "2026-11-17 07:00"),
        ("co", CHILE, "2026-12-08 12:00", "2026-12-09 07:00"),  # in both
        ("co", "+3726000000", "2026-02-24 12:00", "2026-02-25 07:00"),  # Estonia
        ("us", STATES, "2026-11-29 12:00", None),  # a Sunday
        ("us", COLOMBIA, "2026-11-29 12:00", "2026-11-30 08:00"),  # forbidden there; eight is ours
        ("us", COLOMBIA, "2026-11-25 19:30", "2026-11-26 08:00"),
        ("us", COLOMBIA, "2026-12-08 12:00", "2026-12-09 08:00"),
        ("co", AUSTRALIA, "2026-11-28 15:30", "2026-11-30 09:00"),  # Saturday until three is ours, from nine theirs
    ],
)
def test_holidays_and_hours_are_those_of_where_they_are(site: str, number: str, at: str, opens: str | None) -> None:
    home = ZoneInfo("America/New_York") if site == "us" else ZONE
    policy = CallingPolicy(PRESETS[site], home, country=site.upper())
    there = on_the_clock_of(policy, Patient(), PhoneNumber(number=number))
    found = may_call(local(at, there.zone), there.window, there.zone)
    assert found.not_before == (local(opens, there.zone) if opens else None)
    again = on_the_clock_of(there, Patient(), PhoneNumber(number=COLOMBIA))
    assert again == on_the_clock_of(policy, Patient(), PhoneNumber(number=COLOMBIA)), "nothing is left of the other"


def test_hours_that_have_nothing_in_common_are_theirs() -> None:
    late = Window((((time(19), time(21)),),) * 7)
    assert abroad(late, "CO") == Window(PRESETS["co"].week, "CO", on_holidays=False)
    assert abroad(ALWAYS, "CO") == ALWAYS, "the demo's"
    assert not is_holiday("ZZ", NOON.date()), "a country whose holidays nobody has written down"


@pytest.mark.parametrize(
    ("number", "address", "told", "country"),
    [
        (CHILE, "Calle 1, Lima, Perú", None, "CL"),
        (None, "Calle 1, Lima, Perú", None, "PE"),
        (None, "12 Main Street, United States", None, "US"),  # it has many clocks, and holidays all the same
        (CHILE, None, "America/Bogota", "CO"),  # who has moved and kept the number
        (CHILE, None, "Atlantis/Poseidonis", "CL"),
        (CHILE, None, "UTC", "CL"),
        ("+883510000000", None, None, "CO"),
        (None, None, None, "CO"),
    ],
)
def test_whose_holidays_count(number: str | None, address: str | None, told: str | None, country: str) -> None:
    assert country_of(number, "CO", told=told, address=written(address)) == country
