"""The index of contacts' tracks holds what happened to contacts only

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

INDEX = ("ix_track_events_contact", "track_events", ["contact_id", "at", "id"])
WHERE = sa.text("contact_id IS NOT NULL")


def upgrade():
    op.drop_index(INDEX[0], INDEX[1])
    op.create_index(*INDEX, sqlite_where=WHERE, postgresql_where=WHERE)


def downgrade():
    op.drop_index(INDEX[0], INDEX[1])
    op.create_index(*INDEX)
