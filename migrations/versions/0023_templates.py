"""Templates, and briefs of dashboards

Revision ID: 0023
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0019"
branch_labels = None
depends_on = None

OF_GROUP = sa.text("dealer_id IS NULL")


def upgrade():
    op.create_table(
        "text_templates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("resource", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=True),
        sa.Column("head", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("foot", sa.Text(), nullable=True),
        sa.Column("sort", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealers.id"], name=op.f("fk_text_templates_dealer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_templates")),
        sa.UniqueConstraint(
            "dealer_id", "kind", "resource", "name",
            name=op.f("uq_text_templates_dealer_id_kind_resource_name"),
        ),
    )  # fmt: skip
    op.create_index(op.f("ix_text_templates_created_at"), "text_templates", ["created_at"])
    op.create_index("ix_text_templates_sort", "text_templates", ["sort", "id"])
    op.create_index("ix_text_templates_dealer_id_sort", "text_templates", ["dealer_id", "sort", "id"])
    op.create_index(
        "uq_text_templates_for_all", "text_templates", ["kind", "resource", "name"], unique=True,
        sqlite_where=OF_GROUP, postgresql_where=OF_GROUP,
    )  # fmt: skip


def downgrade():
    op.drop_table("text_templates")
