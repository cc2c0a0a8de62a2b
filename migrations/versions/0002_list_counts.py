"""Indexes that the counts of the list's tabs and of the menu read alone

Revision ID: 0002
Revises: 0001
"""

from alembic import op
import sqlalchemy as sa

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade():
    op.create_index(
        "ix_customers_dealer_id_stage_created_at", "customers", ["dealer_id", "stage", "created_at", "id"]
    )
    op.create_index(
        "ix_customers_with_contacts",
        "customers",
        ["dealer_id", "created_at", "id"],
        sqlite_where=sa.text("contact_count > 0"),
        postgresql_where=sa.text("contact_count > 0"),
    )
    op.create_index("ix_contacts_waiting", "contacts", ["state", "followed", "dealer_id"])
    if op.get_bind().dialect.name == "sqlite":
        # SQLite prefers an index it knows nothing about to those it has measured.
        op.execute("PRAGMA analysis_limit = 1000")
        op.execute("ANALYZE")


def downgrade():
    op.drop_index("ix_contacts_waiting", "contacts")
    op.drop_index("ix_customers_with_contacts", "customers")
    op.drop_index("ix_customers_dealer_id_stage_created_at", "customers")
