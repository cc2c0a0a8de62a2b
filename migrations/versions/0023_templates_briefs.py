"""Templates, and briefs of dashboards

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
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
        sa.Column("head", sa.String(length=1000), nullable=True),
        sa.Column("body", sa.String(length=2000), nullable=False),
        sa.Column("foot", sa.String(length=1000), nullable=True),
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
    op.create_table(
        "board_briefs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("board", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("cadence", sa.String(length=24), nullable=False),
        sa.Column("weekday", sa.String(length=24), nullable=True),
        sa.Column("day", sa.String(length=2), nullable=True),
        sa.Column("at", sa.String(length=5), nullable=False),
        sa.Column("recipients", sa.String(length=24), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=True),
        sa.Column("sent_for", sa.DateTime(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealers.id"], name=op.f("fk_board_briefs_dealer_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["ab_user.id"], name=op.f("fk_board_briefs_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_board_briefs")),
    )
    op.create_index("ix_board_briefs_board", "board_briefs", ["board"])
    op.create_index(op.f("ix_board_briefs_created_at"), "board_briefs", ["created_at"])
    op.create_index("ix_board_briefs_name", "board_briefs", ["name", "id"])
    op.create_index("ix_board_briefs_dealer_id_name", "board_briefs", ["dealer_id", "name", "id"])
    op.create_index("ix_board_briefs_owner_id_name", "board_briefs", ["owner_id", "name", "id"])
    op.create_table(
        "board_brief_roles",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brief_id", sa.Integer(), nullable=False),
        sa.Column("role_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brief_id"], ["board_briefs.id"], name=op.f("fk_board_brief_roles_brief_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["role_id"], ["ab_role.id"], name=op.f("fk_board_brief_roles_role_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_board_brief_roles")),
        sa.UniqueConstraint("brief_id", "role_id", name=op.f("uq_board_brief_roles_brief_id_role_id")),
    )
    op.create_index(op.f("ix_board_brief_roles_role_id"), "board_brief_roles", ["role_id"])
    op.create_table(
        "board_brief_leavers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brief_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brief_id"],
            ["board_briefs.id"],
            name=op.f("fk_board_brief_leavers_brief_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["ab_user.id"], name=op.f("fk_board_brief_leavers_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_board_brief_leavers")),
        sa.UniqueConstraint("brief_id", "user_id", name=op.f("uq_board_brief_leavers_brief_id_user_id")),
    )
    op.create_index(op.f("ix_board_brief_leavers_user_id"), "board_brief_leavers", ["user_id"])


def downgrade():
    for table in ("board_brief_leavers", "board_brief_roles", "board_briefs"):
        op.drop_table(table)
    op.drop_table("text_templates")
