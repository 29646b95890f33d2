"""Who is called for Mateo: Lucía, then somebody else, then nobody."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from hospital import attempts, audit, consents, guardians, outbox, patients, plan_changes
from hospital.attempts import Claimed
from hospital.calling_rules import NotNow, where_reached
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.guardians import Told
from hospital.outbox import OutboxRow
from hospital.patients import Patient
from tests.characters import LUCIA, WIREMU
from tests.hospital_scene import UNCAPPED, admit, day_three, employ
from tests.moments import NOON

pytestmark = pytest.mark.covers("H13", "I4")
DAY = timedelta(days=1)
RAFA = Told("Rafa Fernández", "+573005550142", "es", "father")


class Home:
    def __init__(self, database: Database) -> None:
        self.database = database
        with database.transaction() as session:
            self.ana = employ(session, "ana", "nurse").id
            self.lucia = admit(session, LUCIA).id
            child = patients.register(session, name="Mateo", birth=date(2018, 5, 4), language="es", numbers=[])
            child.guardian_id, self.mateo = self.lucia, child.id
            session.flush()
            self.task = day_three(session, child).id

    def names(self, told: Told) -> str | None:
        with self.database.transaction() as session:
            return guardians.name(session, self.mateo, told, self.ana, NOON)

    def called(self, at: object = NOON) -> tuple[UUID, list[str]]:
        """Who is called for Mateo, and where."""
        with self.database.transaction() as session:
            reached = where_reached(session, session.get_one(Patient, self.mateo), at)  # type: ignore[arg-type]
            return reached.person.id, [one.number for one in reached.numbers]

    def claim(self) -> Claimed | NotNow:
        with self.database.transaction() as session:
            return attempts.claim(session, self.task, self.ana, "n1", NOON, UNCAPPED)


@pytest.fixture
def home(database: Database) -> Home:
    return Home(database)


def test_who_has_no_record_gets_one_and_is_called_from_now_on(home: Home) -> None:
    assert home.names(RAFA) is None
    person, numbers = home.called()
    assert numbers == [RAFA.number] and person != home.lucia
    with home.database.transaction() as session:
        made, mateo = session.get_one(Patient, person), session.get_one(Patient, home.mateo)
        assert (made.name, made.language, mateo.guardian_relation) == ("Rafa Fernández", "es", "father")
        (row,) = audit.of_subject(session, f"patient:{home.mateo}")
        assert (row.action, row.account_id, row.detail["what"]) == ("patient.guardian", home.ana, "named")
        assert RAFA.number not in str(row.detail)


def test_who_has_a_record_with_this_name_and_number_is_meant(home: Home) -> None:
    with home.database.transaction() as session:
        wiremu = admit(session, WIREMU).id
    told = Told(WIREMU.name.upper(), WIREMU.numbers[0], "en", "relative")
    assert home.names(told) is None
    assert home.called()[0] == wiremu
    other_day = Told(WIREMU.name, WIREMU.numbers[0], "en", "relative", birth=date(1999, 1, 1))
    assert home.names(other_day) is None
    assert home.called()[0] != wiremu, "another of the same name in the same house"


def test_what_rings_at_the_one_before_is_hung_up_and_what_is_queued_does_not_leave(home: Home) -> None:
    claimed = home.claim()
    assert isinstance(claimed, Claimed)
    with home.database.transaction() as session:
        assert attempts.dialling(session, claimed.attempt_id, NOON)
        told = {"key": "please_call", "locale": "es", "at": NOON, "patient_id": home.mateo}
        outbox.put(session, once="reminder/1", number=LUCIA.numbers[0], **told)
        outbox.put(session, once="reminder/2", number="+573005550199", **told)
    home.names(RAFA)
    with home.database.transaction() as session:
        assert [one.id for one in plan_changes.called_off(session, NOON)] == [claimed.attempt_id]
        left = {row.once: row.state for row in session.scalars(select(OutboxRow))}
        assert left == {"reminder/1": "failed", "reminder/2": "queued"}


def test_another_guardian_is_asked_anew_and_what_was_held_is_due(home: Home) -> None:
    with home.database.transaction() as session:
        consents.tell(session, home.mateo, home.lucia, "follow_up", False, NOON, by=home.ana)
    assert isinstance(home.claim(), NotNow)
    home.names(RAFA)
    with home.database.transaction() as session:
        assert session.get_one(Patient, home.mateo).guardian_declined == []
        assert session.get_one(FollowUpTask, home.task).held_since is None
    claimed = home.claim()
    assert isinstance(claimed, Claimed) and claimed.number == RAFA.number


def test_it_ends_on_its_day_or_when_somebody_says_so(home: Home) -> None:
    with home.database.transaction() as session:
        assert guardians.change(session, home.mateo, "mother", NOON + DAY, home.ana, NOON) is None
    assert home.called()[0] == home.lucia
    assert home.called(NOON + DAY) == (home.mateo, []), "until then, and not a moment longer"
    with home.database.transaction() as session:
        assert patients.wards(session, home.lucia, NOON + DAY) == [], "nor does she speak for him by telephone"
        assert [one.id for one in patients.wards(session, home.lucia, NOON)] == [home.mateo]
        assert guardians.end(session, home.mateo, home.ana, NOON) is None
        assert guardians.end(session, home.mateo, home.ana, NOON) == "nobody"
        assert guardians.change(session, home.mateo, "mother", None, home.ana, NOON) == "nobody"
    assert home.called() == (home.mateo, [])
    with home.database.transaction() as session:
        told = [row.detail["what"] for row in audit.of_subject(session, f"patient:{home.mateo}")]
        assert told == ["ended", "changed"]


def test_nobody_speaks_for_themselves_for_their_own_or_after_their_death(home: Home) -> None:
    with home.database.transaction() as session:
        mateo = session.get_one(Patient, home.mateo)
        mateo.numbers = patients.register(
            session, name="x", birth=None, language="es", numbers=["+573005550177"]
        ).numbers
        session.flush()
        wiremu = admit(session, WIREMU)
        wiremu.deceased_at = NOON
        own = Told(LUCIA.name, LUCIA.numbers[0], "es", "child")
        assert guardians.name(session, home.lucia, own, home.ana, NOON) == "themselves"
        assert guardians.name(session, home.lucia, Told("Mateo", "+573005550177", "es", "child"), home.ana, NOON) == (
            "circle"
        )
        dead = Told(WIREMU.name, WIREMU.numbers[0], "en", "relative")
        assert guardians.name(session, home.mateo, dead, home.ana, NOON) == "died"
    assert home.called()[0] == home.lucia, "it is as it was"
