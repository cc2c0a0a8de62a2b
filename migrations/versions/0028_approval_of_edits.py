"""approvals of edits name the fields whose change needs them

Revision ID: 0028
Revises: 0031
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("approval_flows", sa.Column("watched", sa.JSON(none_as_null=True), nullable=True))


def downgrade():
    op.drop_column("approval_flows", "watched")
