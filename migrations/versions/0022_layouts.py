"""Layouts of forms and record pages, and widths of columns in saved views

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "page_layouts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("resource", sa.String(length=64), nullable=False),
        sa.Column("page", sa.String(length=24), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=True),
        sa.Column("role_id", sa.Integer(), nullable=True),
        sa.Column("place", sa.String(length=24), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("summary", sa.String(length=400), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealers.id"], name=op.f("fk_page_layouts_dealer_id")),
        sa.ForeignKeyConstraint(
            ["role_id"], ["ab_role.id"], name=op.f("fk_page_layouts_role_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page_layouts")),
        sa.UniqueConstraint("resource", "page", "place", name=op.f("uq_page_layouts_resource_page_place")),
    )
    op.create_index(op.f("ix_page_layouts_created_at"), "page_layouts", ["created_at"])
    op.create_index("ix_page_layouts_dealer_id", "page_layouts", ["dealer_id", "id"])
    op.create_index(op.f("ix_page_layouts_role_id"), "page_layouts", ["role_id"])
    with op.batch_alter_table("saved_views", schema=None) as batch_op:
        batch_op.add_column(sa.Column("widths", sa.JSON(), server_default="{}", nullable=False))


def downgrade():
    with op.batch_alter_table("saved_views", schema=None) as batch_op:
        batch_op.drop_column("widths")
    op.drop_table("page_layouts")
