"""Saved views of lists, and a version of each person's own

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

IN_USE = sa.text("state = 'active'")


def upgrade():
    with op.batch_alter_table("ab_user", schema=None) as batch_op:
        batch_op.add_column(sa.Column("views_version", sa.BigInteger(), server_default="0", nullable=False))
    op.create_table(
        "saved_views",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("resource", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("audience", sa.String(length=24), nullable=False),
        sa.Column("place", sa.String(length=24), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("role_id", sa.Integer(), nullable=True),
        sa.Column("store_id", sa.Integer(), nullable=True),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("colours", sa.JSON(), nullable=False),
        sa.Column("summary", sa.String(length=400), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealers.id"], name=op.f("fk_saved_views_dealer_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["ab_user.id"], name=op.f("fk_saved_views_owner_id")),
        sa.ForeignKeyConstraint(
            ["role_id"], ["ab_role.id"], name=op.f("fk_saved_views_role_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_saved_views_store_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
    )
    with op.batch_alter_table("saved_views", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_saved_views_created_at"), ["created_at"])
        batch_op.create_index("ix_saved_views_updated_at", ["updated_at", "id"])
        batch_op.create_index("ix_saved_views_dealer_id_updated_at", ["dealer_id", "updated_at", "id"])
        batch_op.create_index("ix_saved_views_owner_id_updated_at", ["owner_id", "updated_at", "id"])
        batch_op.create_index("ix_saved_views_owner_id_audience", ["owner_id", "audience"])
        batch_op.create_index(batch_op.f("ix_saved_views_role_id"), ["role_id"])
        batch_op.create_index(batch_op.f("ix_saved_views_store_id"), ["store_id"])
        batch_op.create_index(
            "uq_saved_views_name",
            ["resource", "place", "name"],
            unique=True,
            sqlite_where=IN_USE,
            postgresql_where=IN_USE,
        )


def downgrade():
    op.drop_table("saved_views")
    with op.batch_alter_table("ab_user", schema=None) as batch_op:
        batch_op.drop_column("views_version")
