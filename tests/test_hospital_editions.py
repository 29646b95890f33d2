"""Editions of what the site changes: one draft, one in force, in the order of commits, never over what nobody saw."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hospital import audit, editions
from hospital.audit import AuditRow
from hospital.database import Database
from hospital.editions import Body, Overtaken
from tests.hospital_scene import at_once, employ, listening
from tests.moments import NOON

FIRST: Body = {"es": {"prompts": {"goodbye": "Adiós."}}}
SECOND: Body = {"es": {"prompts": {"goodbye": "Que se mejore."}}}


def published(session: Session, body: Body, minutes: int = 0) -> editions.Edition:
    at = NOON + timedelta(minutes=minutes)
    ida = employ(session, f"ida{minutes}", "administrator").id
    draft = editions.save(session, "wording", body, ida, at, None)
    return editions.publish(session, "wording", ida, at, "Shorter.", draft.changed_at)


def test_a_draft_goes_live_and_the_one_before_is_restored(database: Database) -> None:
    with database.transaction() as session, listening(database) as heard:
        first, second = published(session, FIRST), published(session, SECOND, 1)
        assert (first.number, second.number, editions.newest(session)) == (1, 2, 2)
        assert editions.draft(session, "wording") is None
        restored = editions.restore(
            session, "wording", first.body, second.published_by or second.id, NOON + timedelta(minutes=2), "Again"
        )
        session.commit()
        assert set(heard()) >= {f"edition:{first.id}", f"edition:{restored.id}"}
    with database.transaction() as session:
        history = editions.history(session, "wording")
        assert [(edition.number, edition.state) for edition in history] == [
            (3, "published"),
            (2, "replaced"),
            (1, "replaced"),
        ]
        assert (history[0].body, history[0].why) == (FIRST, "Again")
        told = editions.publications(session)
        assert told.number == 3 and told.bodies["wording"] == [(3, FIRST), (2, SECOND), (1, FIRST)]
        assert told.bodies["triage"] == []
        actions = list(session.scalars(text("SELECT action FROM audit ORDER BY seq")))
        assert actions.count("edition.published") == 2 and actions[-1] == "edition.restored"
        assert audit.verify(session).sound
        assert session.query(AuditRow).filter(AuditRow.detail["sheet"].astext == "wording").count() == 5


def test_nobody_saves_or_publishes_over_what_they_did_not_see(database: Database) -> None:
    with database.transaction() as session:
        ida = employ(session, "ida", "administrator").id
        draft = editions.save(session, "wording", FIRST, ida, NOON, None)
        with pytest.raises(Overtaken):
            editions.save(session, "wording", SECOND, ida, NOON, None)
        later = editions.save(session, "wording", SECOND, ida, NOON + timedelta(minutes=1), draft.changed_at)
        assert later.id == draft.id
        with pytest.raises(Overtaken):
            editions.save(session, "wording", FIRST, ida, NOON + timedelta(minutes=2), NOON)
    with pytest.raises(Overtaken), database.transaction() as session:
        editions.publish(session, "wording", ida, NOON + timedelta(minutes=2), "Why", NOON)
    with database.transaction() as session:
        assert editions.newest(session) == 0
        assert editions.discard(session, "wording", ida, NOON) and not editions.discard(session, "wording", ida, NOON)
        with pytest.raises(ValueError, match="letters"):
            editions.save(session, "wording", {"es": "a" * editions.LARGEST}, ida, NOON, None)


def test_two_who_publish_at_once_are_put_in_order(database: Database) -> None:
    with database.transaction() as session:
        ida = employ(session, "ida", "administrator").id
        for sheet in ("wording", "hours"):
            editions.save(session, sheet, {}, ida, NOON, None)

    def publish(sheet: editions.Sheet) -> object:
        return lambda session: editions.publish(session, sheet, ida, NOON, "Why", NOON).number

    done = at_once(database, publish("wording"), publish("hours"), publish("hours"))  # type: ignore[arg-type]
    assert sorted(one for one in done if isinstance(one, int)) == [1, 2]
    assert len([one for one in done if isinstance(one, Overtaken)]) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE edition SET state = 'published' WHERE number = 1",
        "UPDATE edition SET number = NULL WHERE number = 2",
        "UPDATE edition SET published_by = NULL WHERE number = 2",
        "UPDATE edition SET number = 2 WHERE number = 1",
        "UPDATE edition SET state = 'draft'",
    ],
)
def test_the_schema_refuses_two_in_force_and_publications_of_nobody(database: Database, wrong: str) -> None:
    with database.transaction() as session:
        published(session, FIRST)
        published(session, SECOND, 1)
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.execute(text(wrong))
