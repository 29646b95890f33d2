"""The language chosen on the telephone is there at the next call from the number, and for nobody else to read."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from hospital import caller_languages, patients
from hospital.caller_languages import KEPT, CallerLanguage
from hospital.database import Database
from tests.characters import JOAO, MEI
from tests.moments import NOON

JOAOS, MEIS = JOAO.numbers[0], MEI.numbers[0]


@pytest.mark.covers("H11")
def test_what_was_chosen_last_is_remembered(database: Database) -> None:
    with database.transaction() as session:
        assert caller_languages.remembered(session, JOAOS, NOON) is None
        for language in ("en", "pt-BR"):
            caller_languages.remember(session, JOAOS, language, NOON)
    with database.transaction() as session:
        assert caller_languages.remembered(session, JOAOS, NOON) == "pt-BR"
        assert caller_languages.remembered(session, MEIS, NOON) is None


@pytest.mark.covers("I7")
def test_the_number_itself_is_not_kept(database: Database) -> None:
    with database.transaction() as session:
        caller_languages.remember(session, JOAOS, "pt-BR", NOON)
        kept = session.scalars(select(CallerLanguage)).one()
        assert kept.number_token == patients.number_token(JOAOS)
        assert JOAOS not in str(session.execute(text("SELECT c::text FROM caller_language c")).one())


def test_a_withheld_number_leaves_nothing(database: Database) -> None:
    with database.transaction() as session:
        caller_languages.remember(session, None, "pt-BR", NOON)
        assert session.scalars(select(CallerLanguage)).all() == []
        assert caller_languages.remembered(session, None, NOON) is None


def test_it_is_forgotten_a_year_after_the_last_call(database: Database) -> None:
    later = NOON + timedelta(days=300)
    with database.transaction() as session:
        caller_languages.remember(session, JOAOS, "pt-BR", NOON)
        caller_languages.remember(session, MEIS, "zh-CN", NOON)
        caller_languages.remember(session, MEIS, "zh-CN", later)
        assert caller_languages.remembered(session, JOAOS, NOON + KEPT) is None
        assert caller_languages.remembered(session, MEIS, NOON + KEPT) == "zh-CN"
        caller_languages.forget_expired(session, NOON + KEPT)
        assert [kept.language for kept in session.scalars(select(CallerLanguage))] == ["zh-CN"]
