"""the index of the customers with contacts holds all that their count asks for: SQLite, which takes all of a dealer's
indexes for equally short, chose any other one otherwise

Revision ID: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

NAME, TABLE = "ix_customers_with_contacts", "customers"
SOME = sa.text("contact_count > 0")


def upgrade():
    _make("dealer_id", "created_at", "id", "contact_count")
    if op.get_bind().dialect.name == "sqlite" and sa.inspect(op.get_bind()).has_table("sqlite_stat1"):
        op.execute("PRAGMA analysis_limit = 1000")
        op.execute(f"ANALYZE {NAME}")


def downgrade():
    _make("dealer_id", "created_at", "id")


def _make(*columns):
    op.drop_index(NAME, TABLE)
    op.create_index(NAME, TABLE, columns, sqlite_where=SOME, postgresql_where=SOME)
