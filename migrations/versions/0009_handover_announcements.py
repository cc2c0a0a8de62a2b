"""Handovers, friend relations that follow a day later, announcements

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "announcements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("publisher_id", sa.Integer(), nullable=True),
        sa.Column("published_at", sa.DateTime(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(), nullable=True),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealers.id"], name=op.f("fk_announcements_dealer_id")),
        sa.ForeignKeyConstraint(["publisher_id"], ["ab_user.id"], name=op.f("fk_announcements_publisher_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcements")),
    )
    with op.batch_alter_table("announcements", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_announcements_created_at"), ["created_at"], unique=False)
        batch_op.create_index(
            "ix_announcements_dealer_id_published_at", ["dealer_id", "published_at", "id"], unique=False
        )
        batch_op.create_index("ix_announcements_published_at", ["published_at", "id"], unique=False)
        batch_op.create_index(
            "ix_announcements_shown", ["dealer_id", "withdrawn_at", "published_at", "id"], unique=False
        )

    op.create_table(
        "handovers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=160), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("deed_id", sa.String(length=32), nullable=False),
        sa.Column("acting_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["acting_id"], ["ab_user.id"], name=op.f("fk_handovers_acting_id")),
        sa.ForeignKeyConstraint(["by_id"], ["ab_user.id"], name=op.f("fk_handovers_by_id")),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealers.id"], name=op.f("fk_handovers_dealer_id")),
        sa.ForeignKeyConstraint(["person_id"], ["ab_user.id"], name=op.f("fk_handovers_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handovers")),
    )
    with op.batch_alter_table("handovers", schema=None) as batch_op:
        batch_op.create_index("ix_handovers_by_id_created_at", ["by_id", "created_at", "id"], unique=False)
        batch_op.create_index("ix_handovers_created_at", ["created_at", "id"], unique=False)
        batch_op.create_index(
            "ix_handovers_dealer_id_created_at", ["dealer_id", "created_at", "id"], unique=False
        )

    op.create_table(
        "announcement_reads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("announcement_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["announcement_id"],
            ["announcements.id"],
            name=op.f("fk_announcement_reads_announcement_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["ab_user.id"], name=op.f("fk_announcement_reads_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcement_reads")),
        sa.UniqueConstraint(
            "user_id", "announcement_id", name=op.f("uq_announcement_reads_user_id_announcement_id")
        ),
    )
    op.create_table(
        "friend_relations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("former_id", sa.Integer(), nullable=True),
        sa.Column("employee_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.id"],
            name=op.f("fk_friend_relations_customer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealers.id"], name=op.f("fk_friend_relations_dealer_id")),
        sa.ForeignKeyConstraint(
            ["employee_id"], ["ab_user.id"], name=op.f("fk_friend_relations_employee_id")
        ),
        sa.ForeignKeyConstraint(["former_id"], ["ab_user.id"], name=op.f("fk_friend_relations_former_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_friend_relations")),
    )
    with op.batch_alter_table("friend_relations", schema=None) as batch_op:
        batch_op.create_index("ix_friend_relations_created_at", ["created_at", "id"], unique=False)
        batch_op.create_index(
            "ix_friend_relations_customer_id_created_at", ["customer_id", "created_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_friend_relations_dealer_id_created_at", ["dealer_id", "created_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_friend_relations_dealer_id_due_at", ["dealer_id", "due_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_friend_relations_pending",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )

    op.create_table(
        "handover_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("handover_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("successor_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_handover_items_customer_id")
        ),
        sa.ForeignKeyConstraint(
            ["handover_id"], ["handovers.id"], name=op.f("fk_handover_items_handover_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["successor_id"], ["ab_user.id"], name=op.f("fk_handover_items_successor_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover_items")),
        sa.UniqueConstraint(
            "handover_id", "customer_id", name=op.f("uq_handover_items_handover_id_customer_id")
        ),
    )
    with op.batch_alter_table("handover_items", schema=None) as batch_op:
        batch_op.create_index("ix_handover_items_state", ["handover_id", "state", "id"], unique=False)


def downgrade():
    with op.batch_alter_table("handover_items", schema=None) as batch_op:
        batch_op.drop_index("ix_handover_items_state")

    op.drop_table("handover_items")
    with op.batch_alter_table("friend_relations", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_friend_relations_pending",
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )
        batch_op.drop_index("ix_friend_relations_dealer_id_due_at")
        batch_op.drop_index("ix_friend_relations_dealer_id_created_at")
        batch_op.drop_index("ix_friend_relations_customer_id_created_at")
        batch_op.drop_index("ix_friend_relations_created_at")

    op.drop_table("friend_relations")
    op.drop_table("announcement_reads")
    with op.batch_alter_table("handovers", schema=None) as batch_op:
        batch_op.drop_index("ix_handovers_dealer_id_created_at")
        batch_op.drop_index("ix_handovers_created_at")
        batch_op.drop_index("ix_handovers_by_id_created_at")

    op.drop_table("handovers")
    with op.batch_alter_table("announcements", schema=None) as batch_op:
        batch_op.drop_index("ix_announcements_shown")
        batch_op.drop_index("ix_announcements_published_at")
        batch_op.drop_index("ix_announcements_dealer_id_published_at")
        batch_op.drop_index(batch_op.f("ix_announcements_created_at"))

    op.drop_table("announcements")
