"""approvals of edits name the fields whose change needs them; from a record one finds what waits with it

Revision ID: 0028
Revises: 0027
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("approval_flows", sa.Column("watched", sa.JSON(none_as_null=True), nullable=True))
    op.create_index("ix_approval_requests_subject_state", "approval_requests", ["subject", "state"])


def downgrade():
    op.drop_index("ix_approval_requests_subject_state", "approval_requests")
    op.drop_column("approval_flows", "watched")
