"""What a job is about and who approved it; the way to parked rows of the outbox

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

PARKED = sa.text("parked_at IS NOT NULL")


def upgrade():
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("about", sa.String(length=1000), nullable=True))
        batch_op.add_column(sa.Column("row_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("decided_by_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("decided_at", sa.DateTime(), nullable=True))
        batch_op.create_foreign_key(op.f("fk_jobs_decided_by_id"), "ab_user", ["decided_by_id"], ["id"])
        batch_op.create_index("ix_jobs_created_at", ["created_at", "id"], unique=False)
    op.create_index(
        "ix_outbox_parked_at", "outbox", ["parked_at"], sqlite_where=PARKED, postgresql_where=PARKED
    )


def downgrade():
    op.drop_index("ix_outbox_parked_at", table_name="outbox", sqlite_where=PARKED, postgresql_where=PARKED)
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_index("ix_jobs_created_at")
        batch_op.drop_constraint(op.f("fk_jobs_decided_by_id"), type_="foreignkey")
        batch_op.drop_column("decided_at")
        batch_op.drop_column("decided_by_id")
        batch_op.drop_column("row_id")
        batch_op.drop_column("about")
