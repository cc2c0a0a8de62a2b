"""What administrators changed of the menu

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "menu_shapes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=True),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=20), nullable=True),
        sa.Column("icon", sa.String(length=48), nullable=True),
        sa.Column("place", sa.String(length=80), nullable=True),
        sa.Column("sort", sa.Integer(), nullable=True),
        sa.Column("hidden", sa.Boolean(), nullable=True),
        sa.Column("roles", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("url", sa.String(length=300), nullable=True),
        sa.Column("gone", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealers.id"], name=op.f("fk_menu_shapes_dealer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_menu_shapes")),
        sa.UniqueConstraint("dealer_id", "key", name=op.f("uq_menu_shapes_dealer_id_key")),
    )
    with op.batch_alter_table("menu_shapes") as batch_op:
        batch_op.create_index("ix_menu_shapes_created_at", ["created_at"], unique=False)
        batch_op.create_index("ix_menu_shapes_dealer_id", ["dealer_id", "id"], unique=False)
        batch_op.create_index(
            "uq_menu_shapes_for_all", ["key"], unique=True,
            sqlite_where=sa.text("dealer_id IS NULL"), postgresql_where=sa.text("dealer_id IS NULL"),
        )  # fmt: skip


def downgrade():
    op.drop_table("menu_shapes")
