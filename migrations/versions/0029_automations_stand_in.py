"""a dealer's automation may stand in for one of the group

Revision ID: 0029
Revises: 0028
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

# The table is not made anew, as SQLite otherwise would to get a foreign key: the log that hangs on it would go.
REPLACES = (
    "ALTER TABLE automations ADD COLUMN replaces_id INTEGER "
    "CONSTRAINT fk_automations_replaces_id REFERENCES automations (id)"
)
UNIQUE = "uq_automations_replaces_id_dealer_id"


def upgrade():
    op.execute(REPLACES)
    op.add_column(
        "automations", sa.Column("optional", sa.Boolean(), server_default=sa.true(), nullable=False)
    )
    op.create_index(UNIQUE, "automations", ["replaces_id", "dealer_id"], unique=True)


def downgrade():
    op.drop_index(UNIQUE, table_name="automations")
    op.drop_column("automations", "optional")
    op.drop_column("automations", "replaces_id")
