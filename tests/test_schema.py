"""schema.sql and the mapped classes say the same; the schema itself refuses what must never be."""

import importlib
import pkgutil

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

import hospital
from hospital import audit
from hospital.database import Base, Database
from tests.moments import NOON


def test_the_mapped_classes_are_the_schema(database: Database) -> None:
    for module in pkgutil.iter_modules(hospital.__path__, "hospital."):
        importlib.import_module(module.name)
    inspector = inspect(database.engine)
    real = {
        table: {
            column["name"]: (type(column["type"]).__name__, column["nullable"])
            for column in inspector.get_columns(table)
        }
        for table in inspector.get_table_names()
        if table != "fact"
    }
    kinds = {"Sealed": "BYTEA", "LargeBinary": "BYTEA", "String": "TEXT", "Uuid": "UUID", "Boolean": "BOOLEAN"}
    kinds |= {"Double": "DOUBLE_PRECISION"}
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            kind, nullable = real[table.name].pop(column.name)
            mapped = type(column.type).__name__
            expected = {"Integer": {"INTEGER", "SMALLINT", "BIGINT"}}.get(mapped, {kinds.get(mapped, mapped)})
            assert kind in expected, f"{table.name}.{column.name} is {kind}, mapped as {mapped}"
            assert bool(column.nullable) == nullable, f"{table.name}.{column.name}: null allowed on one side only"
        assert not real.pop(table.name), f"{table.name} has columns that are not mapped"
    assert not real, "tables that are not mapped"


@pytest.mark.covers("I8")
@pytest.mark.parametrize("statement", ["UPDATE audit SET action = 'x'", "DELETE FROM audit", "TRUNCATE audit"])
def test_the_audit_chain_only_grows(database: Database, statement: str) -> None:
    with database.transaction() as session:
        audit.record(session, None, "record.read", "patient:1", NOON)
    with pytest.raises(DBAPIError, match="only grows"), database.transaction() as session:
        session.execute(text(statement))
