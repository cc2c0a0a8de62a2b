"""Fields that administrators add, and the spare columns their values stand in

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

SLOTS = {
    "text": (12, sa.String(length=255)),
    "long": (3, sa.Text()),
    "number": (8, sa.Numeric(precision=18, scale=4)),
    "date": (6, sa.Date()),
    "moment": (4, sa.DateTime()),
    "flag": (6, sa.Boolean()),
}
NAMES = [(f"{family}_{n}", kind) for family, (amount, kind) in SLOTS.items() for n in range(1, amount + 1)]
LIVE = sa.text("purged_at IS NULL")
EVERYBODYS = sa.text("dealer_id IS NULL AND purged_at IS NULL")


def upgrade():
    op.create_table(
        "custom_fields",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("resource", sa.String(length=64), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=True),
        sa.Column("slot", sa.String(length=16), nullable=False),
        sa.Column("label", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("hint", sa.String(length=120), nullable=True),
        sa.Column("unit", sa.String(length=8), nullable=True),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("initial", sa.String(length=200), nullable=True),
        sa.Column("minimum", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("maximum", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("pattern", sa.String(length=100), nullable=True),
        sa.Column("shown_when", sa.String(length=200), nullable=True),
        sa.Column("needed_when", sa.String(length=200), nullable=True),
        sa.Column("section", sa.String(length=16), nullable=False),
        sa.Column("in_form", sa.Boolean(), nullable=False),
        sa.Column("in_list", sa.Boolean(), nullable=False),
        sa.Column("in_filter", sa.Boolean(), nullable=False),
        sa.Column("in_sort", sa.Boolean(), nullable=False),
        sa.Column("in_template", sa.Boolean(), nullable=False),
        sa.Column("in_chart", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("indexed_at", sa.DateTime(), nullable=True),
        sa.Column("removed_at", sa.DateTime(), nullable=True),
        sa.Column("purged_at", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealers.id"], name=op.f("fk_custom_fields_dealer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custom_fields")),
    )
    op.create_index(
        "uq_custom_fields_slot", "custom_fields", ["resource", "dealer_id", "slot"], unique=True,
        sqlite_where=LIVE, postgresql_where=LIVE,
    )  # fmt: skip
    op.create_index(
        "uq_custom_fields_for_all", "custom_fields", ["resource", "slot"], unique=True,
        sqlite_where=EVERYBODYS, postgresql_where=EVERYBODYS,
    )  # fmt: skip
    op.create_index(op.f("ix_custom_fields_created_at"), "custom_fields", ["created_at"])
    op.create_index(
        "ix_custom_fields_dealer_id_created_at", "custom_fields", ["dealer_id", "created_at", "id"]
    )
    op.create_index("ix_custom_fields_dealer_id_position", "custom_fields", ["dealer_id", "position", "id"])
    op.create_index("ix_custom_fields_position", "custom_fields", ["position", "id"])
    for name, kind in NAMES:
        op.add_column("customers", sa.Column(name, kind, nullable=True))


def downgrade():
    with op.batch_alter_table("customers") as batch_op:
        for name, _ in reversed(NAMES):
            batch_op.drop_column(name)
    op.drop_table("custom_fields")
