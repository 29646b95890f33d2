"""The first schema: schema.sql itself, until there is a release.

A release that changes schema.sql adds a revision, and freezes beside this one the schema.sql from which it started."""

from alembic import op

from hotline.databases import apply_schema, schema_text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The driver's own connection, in the same transaction: it takes many statements at once, and % as it stands.
    driver = op.get_bind().connection.driver_connection
    if driver is None:
        raise RuntimeError("the connection to the database was closed; run the upgrade again")
    apply_schema(driver, schema_text())


def downgrade() -> None:
    raise RuntimeError("there is nothing before the first schema; drop the database instead")
