"""Clock rules: what happens to records by itself, when, and that it happened

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "clock_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=48), nullable=True),
        sa.Column("name", sa.String(length=48), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("condition", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("start", sa.String(length=48), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(length=24), nullable=False),
        sa.Column("direction", sa.String(length=24), nullable=False),
        sa.Column("ahead_days", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=5), nullable=True),
        sa.Column("repeat", sa.String(length=24), nullable=False),
        sa.Column("every_days", sa.Integer(), nullable=False),
        sa.Column("effect", sa.String(length=48), nullable=False),
        sa.Column("parameters", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("silenced_by", sa.String(length=48), nullable=True),
        sa.Column("replaces_id", sa.Integer(), nullable=True),
        sa.Column("dealer_id", sa.Integer(), nullable=True),
        sa.Column("store_id", sa.Integer(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("sort", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealers.id"], name=op.f("fk_clock_rules_dealer_id")),
        sa.ForeignKeyConstraint(["replaces_id"], ["clock_rules.id"], name=op.f("fk_clock_rules_replaces_id")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_clock_rules_store_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_rules")),
        sa.UniqueConstraint(
            "replaces_id", "dealer_id", "store_id", name=op.f("uq_clock_rules_replaces_id_dealer_id_store_id")
        ),
    )
    with op.batch_alter_table("clock_rules", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_clock_rules_created_at"), ["created_at"], unique=False)
        batch_op.create_index("ix_clock_rules_dealer_id_sort", ["dealer_id", "sort", "id"], unique=False)
        batch_op.create_index(
            "ix_clock_rules_dealer_id_updated_at", ["dealer_id", "updated_at", "id"], unique=False
        )
        batch_op.create_index("ix_clock_rules_sort", ["sort", "id"], unique=False)
        batch_op.create_index(
            "uq_clock_rules_code",
            ["code"],
            unique=True,
            sqlite_where=sa.text("code IS NOT NULL"),
            postgresql_where=sa.text("code IS NOT NULL"),
        )

    op.create_table(
        "clock_firings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("due", sa.DateTime(), nullable=False),
        sa.Column("fired_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["clock_rules.id"], name=op.f("fk_clock_firings_rule_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_firings")),
        sa.UniqueConstraint(
            "rule_id", "record_id", "due", name=op.f("uq_clock_firings_rule_id_record_id_due")
        ),
    )
    with op.batch_alter_table("clock_firings", schema=None) as batch_op:
        batch_op.create_index("ix_clock_firings_due", ["due"], unique=False)

    op.create_table(
        "clock_sweeps",
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["clock_rules.id"], name=op.f("fk_clock_sweeps_rule_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("rule_id", name=op.f("pk_clock_sweeps")),
    )
    for table in ("customers", "contacts"):
        op.drop_index(f"ix_{table}_next_follow_up_at", table_name=table)
        op.create_index(
            f"ix_{table}_next_follow_up_at",
            table,
            ["next_follow_up_at"],
            sqlite_where=sa.text("next_follow_up_at IS NOT NULL"),
            postgresql_where=sa.text("next_follow_up_at IS NOT NULL"),
        )
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.create_index(
            "ix_customers_silent",
            ["owner_id", "last_follow_up_at", "stage", "next_follow_up_at"],
            unique=False,
            sqlite_where=sa.text("next_follow_up_at IS NULL AND last_follow_up_at IS NOT NULL"),
            postgresql_where=sa.text("next_follow_up_at IS NULL AND last_follow_up_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_customers_unfollowed",
            ["owner_id", "created_at", "stage", "next_follow_up_at", "last_follow_up_at"],
            unique=False,
            sqlite_where=sa.text("next_follow_up_at IS NULL AND last_follow_up_at IS NULL"),
            postgresql_where=sa.text("next_follow_up_at IS NULL AND last_follow_up_at IS NULL"),
        )


def downgrade():
    for table in ("customers", "contacts"):
        op.drop_index(f"ix_{table}_next_follow_up_at", table_name=table)
        op.create_index(f"ix_{table}_next_follow_up_at", table, ["next_follow_up_at"])
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_customers_unfollowed",
            sqlite_where=sa.text("next_follow_up_at IS NULL AND last_follow_up_at IS NULL"),
            postgresql_where=sa.text("next_follow_up_at IS NULL AND last_follow_up_at IS NULL"),
        )
        batch_op.drop_index(
            "ix_customers_silent",
            sqlite_where=sa.text("next_follow_up_at IS NULL AND last_follow_up_at IS NOT NULL"),
            postgresql_where=sa.text("next_follow_up_at IS NULL AND last_follow_up_at IS NOT NULL"),
        )

    op.drop_table("clock_sweeps")
    with op.batch_alter_table("clock_firings", schema=None) as batch_op:
        batch_op.drop_index("ix_clock_firings_due")

    op.drop_table("clock_firings")
    with op.batch_alter_table("clock_rules", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_clock_rules_code",
            sqlite_where=sa.text("code IS NOT NULL"),
            postgresql_where=sa.text("code IS NOT NULL"),
        )
        batch_op.drop_index("ix_clock_rules_sort")
        batch_op.drop_index("ix_clock_rules_dealer_id_updated_at")
        batch_op.drop_index("ix_clock_rules_dealer_id_sort")
        batch_op.drop_index(batch_op.f("ix_clock_rules_created_at"))

    op.drop_table("clock_rules")
