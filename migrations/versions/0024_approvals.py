"""Deeds that wait for approval

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "approval_flows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("deed", sa.String(length=64), nullable=False),
        sa.Column("condition", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("sort", sa.Integer(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealers.id"], name=op.f("fk_approval_flows_dealer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_flows")),
    )
    op.create_index("uq_approval_flows_dealer_id_name", "approval_flows", ["dealer_id", "name"], unique=True)
    op.create_index(
        "uq_approval_flows_for_all", "approval_flows", ["name"], unique=True,
        sqlite_where=sa.text("dealer_id IS NULL"), postgresql_where=sa.text("dealer_id IS NULL"),
    )  # fmt: skip
    op.create_index(op.f("ix_approval_flows_created_at"), "approval_flows", ["created_at"])
    op.create_index("ix_approval_flows_sort", "approval_flows", ["sort", "id"])
    op.create_index("ix_approval_flows_dealer_id_sort", "approval_flows", ["dealer_id", "sort", "id"])
    op.create_table(
        "approval_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("title", sa.String(length=160), nullable=False),
        sa.Column("flow_name", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("stage", sa.String(length=120), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=True),
        sa.Column("last_word", sa.String(length=300), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("applicant_id", sa.Integer(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("trail", sa.JSON(), nullable=False),
        sa.Column("flow_id", sa.Integer(), nullable=True),
        sa.Column("deed", sa.String(length=64), nullable=False),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("records", sa.JSON(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("deed_id", sa.String(length=32), nullable=True),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["applicant_id"], ["ab_user.id"], name=op.f("fk_approval_requests_applicant_id")
        ),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealers.id"], name=op.f("fk_approval_requests_dealer_id")),
        sa.ForeignKeyConstraint(
            ["flow_id"], ["approval_flows.id"], name=op.f("fk_approval_requests_flow_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_requests")),
    )
    op.create_index("ix_approval_requests_created_at", "approval_requests", ["created_at", "id"])
    op.create_index(
        "ix_approval_requests_dealer_id_created_at", "approval_requests", ["dealer_id", "created_at", "id"]
    )
    op.create_index(
        "ix_approval_requests_applicant_id_created_at",
        "approval_requests",
        ["applicant_id", "created_at", "id"],
    )
    op.create_table(
        "approval_seats",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["approval_requests.id"], name=op.f("fk_approval_seats_request_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["ab_user.id"], name=op.f("fk_approval_seats_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_seats")),
    )  # fmt: skip
    op.create_index("uq_approval_seats_turn", "approval_seats", ["request_id", "user_id"], unique=True)
    op.create_index("ix_approval_seats_user_id_state", "approval_seats", ["user_id", "state", "request_id"])
    op.create_index("ix_approval_seats_user_id_request_id", "approval_seats", ["user_id", "request_id"])


def downgrade():
    op.drop_table("approval_seats")
    op.drop_table("approval_requests")
    op.drop_table("approval_flows")
