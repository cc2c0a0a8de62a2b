"""Dashboards that people build

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

SHARED = sa.text("shared <> 'personal'")
PERSONAL = sa.text("shared = 'personal'")
OF_GROUP = sa.text("dealer_id IS NULL AND shared <> 'personal'")


def upgrade():
    op.create_table(
        "boards",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=24), nullable=False),
        sa.Column("icon", sa.String(length=24), nullable=False),
        sa.Column("sort", sa.Integer(), nullable=False),
        sa.Column("shared", sa.String(length=24), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=True),
        sa.Column("layout", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("removed", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealers.id"], name=op.f("fk_boards_dealer_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["ab_user.id"], name=op.f("fk_boards_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_boards")),
    )
    op.create_index(op.f("ix_boards_created_at"), "boards", ["created_at"])
    op.create_index("ix_boards_sort", "boards", ["sort", "id"])
    op.create_index("ix_boards_dealer_id_sort", "boards", ["dealer_id", "sort", "id"])
    op.create_index("ix_boards_owner_id_sort", "boards", ["owner_id", "sort", "id"])
    op.create_index(
        "uq_boards_name_of_dealer", "boards", ["dealer_id", "name"], unique=True,
        sqlite_where=SHARED, postgresql_where=SHARED,
    )  # fmt: skip
    op.create_index(
        "uq_boards_name_of_owner", "boards", ["owner_id", "name"], unique=True,
        sqlite_where=PERSONAL, postgresql_where=PERSONAL,
    )  # fmt: skip
    op.create_index(
        "uq_boards_for_all", "boards", ["name"], unique=True,
        sqlite_where=OF_GROUP, postgresql_where=OF_GROUP,
    )  # fmt: skip
    op.create_table(
        "board_roles",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("board_id", sa.Integer(), nullable=False),
        sa.Column("role_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["boards.id"], name=op.f("fk_board_roles_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["role_id"], ["ab_role.id"], name=op.f("fk_board_roles_role_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_board_roles")),
        sa.UniqueConstraint("board_id", "role_id", name=op.f("uq_board_roles_board_id_role_id")),
    )
    op.create_index(op.f("ix_board_roles_role_id"), "board_roles", ["role_id"])


def downgrade():
    op.drop_table("board_roles")
    op.drop_table("boards")
