"""Automations and the log of what they did

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

STEPS = (1, 2, 3)
REFERENCES = {"person": "ab_user", "role": "ab_role", "tag": "tags"}
INPUTS = (
    ("do", sa.String(length=32)),
    ("person", sa.Integer()),
    ("role", sa.Integer()),
    ("field", sa.String(length=48)),
    ("value", sa.String(length=200)),
    ("title", sa.String(length=60)),
    ("days", sa.Integer()),
    ("words", sa.String(length=80)),
    ("url", sa.String(length=300)),
    ("tag", sa.Integer()),
)
OF_GROUP = sa.text("dealer_id IS NULL")


def upgrade():
    op.create_table(
        "automations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=48), nullable=False),
        sa.Column("watched", sa.String(length=48), nullable=True),
        sa.Column("condition", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=True),
        sa.Column("author_id", sa.Integer(), nullable=True),
        *(sa.Column(f"{name}_{n}", kind, nullable=True) for name, kind in INPUTS for n in STEPS),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealers.id"], name=op.f("fk_automations_dealer_id")),
        sa.ForeignKeyConstraint(["author_id"], ["ab_user.id"], name=op.f("fk_automations_author_id")),
        *(
            sa.ForeignKeyConstraint([f"{name}_{n}"], [f"{table}.id"], name=op.f(f"fk_automations_{name}_{n}"))
            for name, table in REFERENCES.items()
            for n in STEPS
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_automations")),
        sa.UniqueConstraint("dealer_id", "name", name=op.f("uq_automations_dealer_id_name")),
    )
    op.create_index(
        "uq_automations_for_all", "automations", ["name"], unique=True,
        sqlite_where=OF_GROUP, postgresql_where=OF_GROUP,
    )  # fmt: skip
    op.create_index(op.f("ix_automations_created_at"), "automations", ["created_at"])
    op.create_index("ix_automations_updated_at", "automations", ["updated_at", "id"])
    op.create_index("ix_automations_dealer_id_updated_at", "automations", ["dealer_id", "updated_at", "id"])
    op.create_table(
        "automation_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("automation_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("outcome", sa.String(length=24), nullable=False),
        sa.Column("resource", sa.String(length=64), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("record_label", sa.String(length=160), nullable=False),
        sa.Column("event", sa.String(length=48), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("deed_id", sa.String(length=32), nullable=True),
        sa.Column("key", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["automation_id"], ["automations.id"], name=op.f("fk_automation_runs_automation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealers.id"], name=op.f("fk_automation_runs_dealer_id")),
        sa.ForeignKeyConstraint(["person_id"], ["ab_user.id"], name=op.f("fk_automation_runs_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_automation_runs")),
        sa.UniqueConstraint("key", name=op.f("uq_automation_runs_key")),
    )  # fmt: skip
    op.create_index("ix_automation_runs_at", "automation_runs", ["at", "id"])
    op.create_index("ix_automation_runs_automation_id_at", "automation_runs", ["automation_id", "at", "id"])
    op.create_index("ix_automation_runs_dealer_id_at", "automation_runs", ["dealer_id", "at", "id"])
    op.create_index("ix_automation_runs_person", "automation_runs", ["automation_id", "person_id", "id"])


def downgrade():
    op.drop_table("automation_runs")
    op.drop_table("automations")
