"""Alembic's way into a database that holds data already: from one release's schema.sql to the next one's.

Rules: schema.sql is the truth, a new database is made from it and stamped `head`; a revision brings an older one
there, and a test compares the two catalogues. All revisions of one upgrade are one transaction: either all of it
happened or nothing. The database is named by `-x url=…`, or an open connection is handed in by the caller.
"""

from alembic import context
from sqlalchemy import Connection, create_engine

connection: Connection | None = context.config.attributes.get("connection")


def migrate(here: Connection) -> None:
    context.configure(connection=here)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("Revisions are run on a database, not printed. Leave --sql out.")
if connection is not None:
    migrate(connection)
else:
    url = context.get_x_argument(as_dictionary=True).get("url")
    if url is None:
        raise SystemExit("Which database? Say it: alembic -c migrations/alembic.ini -x url=postgresql+psycopg://…")
    with create_engine(url).begin() as opened:
        migrate(opened)
