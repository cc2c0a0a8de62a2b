"""Registrations: leads, assignments to showrooms, tracking, measuring, quotas and grants

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
WAITING = "withdrawn_at IS NULL AND verdict = 'pending' AND progress = 'deposit'"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "partner_designers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("company", sa.String(length=64), nullable=True),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealers.id"], name=op.f("fk_partner_designers_dealer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_designers")),
    )
    with op.batch_alter_table("partner_designers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_partner_designers_created_at"), ["created_at"], unique=False)
        batch_op.create_index("ix_partner_designers_dealer_id", ["dealer_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_partner_designers_name"), ["name"], unique=False)
        batch_op.create_index("ix_partner_designers_phone", ["phone"], unique=False)

    op.create_table(
        "registration_grants",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("manager_id", sa.Integer(), nullable=False),
        sa.Column("registrant_id", sa.Integer(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealers.id"], name=op.f("fk_registration_grants_dealer_id")),
        sa.ForeignKeyConstraint(
            ["manager_id"], ["ab_user.id"], name=op.f("fk_registration_grants_manager_id")
        ),
        sa.ForeignKeyConstraint(
            ["registrant_id"], ["ab_user.id"], name=op.f("fk_registration_grants_registrant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration_grants")),
        sa.UniqueConstraint(
            "manager_id", "registrant_id", name=op.f("uq_registration_grants_manager_id_registrant_id")
        ),
    )
    with op.batch_alter_table("registration_grants", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_registration_grants_created_at"), ["created_at"], unique=False)
        batch_op.create_index("ix_registration_grants_dealer_id", ["dealer_id", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_registration_grants_registrant_id"), ["registrant_id"], unique=False
        )

    op.create_table(
        "registration_quotas",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("employee_id", sa.Integer(), nullable=False),
        sa.Column("daily_limit", sa.Integer(), nullable=True),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealers.id"], name=op.f("fk_registration_quotas_dealer_id")),
        sa.ForeignKeyConstraint(
            ["employee_id"], ["ab_user.id"], name=op.f("fk_registration_quotas_employee_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration_quotas")),
        sa.UniqueConstraint("employee_id", name=op.f("uq_registration_quotas_employee_id")),
    )
    with op.batch_alter_table("registration_quotas", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_registration_quotas_created_at"), ["created_at"], unique=False)
        batch_op.create_index("ix_registration_quotas_dealer_id", ["dealer_id", "id"], unique=False)

    op.create_table(
        "registrations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("telephone", sa.String(length=32), nullable=True),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("brand_category_id", sa.Integer(), nullable=True),
        sa.Column("member_card", sa.String(length=40), nullable=True),
        sa.Column("estimated_amount", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("company", sa.String(length=64), nullable=True),
        sa.Column("designer", sa.String(length=64), nullable=True),
        sa.Column("designer_phone", sa.String(length=20), nullable=True),
        sa.Column("referrer_name", sa.String(length=64), nullable=True),
        sa.Column("referrer_phone", sa.String(length=20), nullable=True),
        sa.Column("referrer_card", sa.String(length=40), nullable=True),
        sa.Column("staff_referrer_id", sa.Integer(), nullable=True),
        sa.Column("tracking_state", sa.String(length=32), nullable=False),
        sa.Column("next_tracking_on", sa.Date(), nullable=True),
        sa.Column("last_tracked_at", sa.DateTime(), nullable=True),
        sa.Column("last_tracking_text", sa.String(length=200), nullable=True),
        sa.Column("track_count", sa.Integer(), nullable=False),
        sa.Column("outlet_id", sa.Integer(), nullable=False),
        sa.Column("registrant_id", sa.Integer(), nullable=False),
        sa.Column("registered_at", sa.DateTime(), nullable=False),
        sa.Column("budget", sa.Text(), nullable=True),
        sa.Column("progress", sa.String(length=24), nullable=False),
        sa.Column("audit_status", sa.String(length=24), nullable=False),
        sa.Column("first_judged_at", sa.DateTime(), nullable=True),
        sa.Column("address_key", sa.String(length=240), nullable=False),
        sa.Column("duplicate", sa.Boolean(), nullable=False),
        sa.Column("protected_until", sa.DateTime(), nullable=True),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("city", sa.String(length=32), nullable=False),
        sa.Column("district", sa.String(length=32), nullable=True),
        sa.Column("community", sa.String(length=64), nullable=False),
        sa.Column("room", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=240), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_category_id"], ["brand_categories.id"], name=op.f("fk_registrations_brand_category_id")
        ),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealers.id"], name=op.f("fk_registrations_dealer_id")),
        sa.ForeignKeyConstraint(["outlet_id"], ["stores.id"], name=op.f("fk_registrations_outlet_id")),
        sa.ForeignKeyConstraint(
            ["registrant_id"], ["ab_user.id"], name=op.f("fk_registrations_registrant_id")
        ),
        sa.ForeignKeyConstraint(
            ["staff_referrer_id"], ["ab_user.id"], name=op.f("fk_registrations_staff_referrer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registrations")),
        sa.UniqueConstraint("code", "dealer_id", name=op.f("uq_registrations_code_dealer_id")),
    )
    with op.batch_alter_table("registrations", schema=None) as batch_op:
        batch_op.create_index("ix_registrations_address_key", ["address_key", "dealer_id"], unique=False)
        batch_op.create_index(
            "ix_registrations_company",
            ["company", "id"],
            unique=False,
            sqlite_where=sa.text("company IS NOT NULL"),
            postgresql_where=sa.text("company IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_registrations_created_at"), ["created_at"], unique=False)
        batch_op.create_index(
            "ix_registrations_dealer_id_last_tracked_at", ["dealer_id", "last_tracked_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_registrations_dealer_id_registered_at", ["dealer_id", "registered_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_registrations_designer",
            ["designer", "id"],
            unique=False,
            sqlite_where=sa.text("designer IS NOT NULL"),
            postgresql_where=sa.text("designer IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_registrations_filed", ["registrant_id", "registered_at", "first_judged_at"], unique=False
        )
        batch_op.create_index(
            "ix_registrations_judged",
            ["registrant_id", "first_judged_at"],
            unique=False,
            sqlite_where=sa.text("first_judged_at IS NOT NULL"),
            postgresql_where=sa.text("first_judged_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_registrations_outlet_id_last_tracked_at", ["outlet_id", "last_tracked_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_registrations_outlet_id_registered_at", ["outlet_id", "registered_at", "id"], unique=False
        )
        batch_op.create_index("ix_registrations_phone", ["phone", "dealer_id"], unique=False)
        batch_op.create_index("ix_registrations_registered_at", ["registered_at", "id"], unique=False)
        batch_op.create_index(
            "ix_registrations_registrant_id_last_tracked_at",
            ["registrant_id", "last_tracked_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_registrations_registrant_id_registered_at",
            ["registrant_id", "registered_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_registrations_unassigned",
            ["dealer_id", "registrant_id", "outlet_id", "registered_at", "progress"],
            unique=False,
            sqlite_where=sa.text("progress = 'registered'"),
            postgresql_where=sa.text("progress = 'registered'"),
        )

    op.create_table(
        "measurings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("designer_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=240), nullable=False),
        sa.Column("planned_at", sa.DateTime(), nullable=False),
        sa.Column("remark", sa.String(length=200), nullable=True),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("measured_on", sa.Date(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("attachment", sa.String(length=48), nullable=True),
        sa.Column("attachment_name", sa.String(length=160), nullable=True),
        sa.Column("cancel_reason", sa.String(length=200), nullable=True),
        sa.Column("task_id", sa.Integer(), nullable=True),
        sa.Column("dispatcher_id", sa.Integer(), nullable=True),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealers.id"], name=op.f("fk_measurings_dealer_id")),
        sa.ForeignKeyConstraint(["designer_id"], ["ab_user.id"], name=op.f("fk_measurings_designer_id")),
        sa.ForeignKeyConstraint(["dispatcher_id"], ["ab_user.id"], name=op.f("fk_measurings_dispatcher_id")),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registrations.id"], name=op.f("fk_measurings_registration_id")
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_measurings_store_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_measurings_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measurings")),
    )
    with op.batch_alter_table("measurings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_measurings_created_at"), ["created_at"], unique=False)
        batch_op.create_index(
            "ix_measurings_dealer_id_planned_at", ["dealer_id", "planned_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_measurings_designer_id_planned_at", ["designer_id", "planned_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_measurings_dispatcher_id_planned_at", ["dispatcher_id", "planned_at", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_measurings_phone"), ["phone"], unique=False)
        batch_op.create_index("ix_measurings_planned_at", ["planned_at", "id"], unique=False)
        batch_op.create_index(
            "ix_measurings_registration_id_planned_at", ["registration_id", "planned_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_measurings_store_id_planned_at", ["store_id", "planned_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_measurings_task_id_planned_at", ["task_id", "planned_at", "id"], unique=False
        )
        batch_op.create_index(
            "uq_measurings_open",
            ["registration_id"],
            unique=True,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )

    op.create_table(
        "registration_assignments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("brand_category_id", sa.Integer(), nullable=False),
        sa.Column("used_type", sa.String(length=24), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("telephone", sa.String(length=32), nullable=True),
        sa.Column("company", sa.String(length=64), nullable=True),
        sa.Column("designer", sa.String(length=64), nullable=True),
        sa.Column("remark", sa.String(length=200), nullable=True),
        sa.Column("assigner_id", sa.Integer(), nullable=True),
        sa.Column("progress", sa.String(length=24), nullable=False),
        sa.Column("deposit_amount", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("deposit_on", sa.Date(), nullable=True),
        sa.Column("receipt_id", sa.Integer(), nullable=True),
        sa.Column("refund_id", sa.Integer(), nullable=True),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("verdict", sa.String(length=24), nullable=False),
        sa.Column("audit_remark", sa.String(length=200), nullable=True),
        sa.Column("auditor_id", sa.Integer(), nullable=True),
        sa.Column("judged_at", sa.DateTime(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(), nullable=True),
        sa.Column("withdrawn_by_id", sa.Integer(), nullable=True),
        sa.Column("withdraw_reason", sa.String(length=200), nullable=True),
        sa.Column("registrant_id", sa.Integer(), nullable=False),
        sa.Column("outlet_id", sa.Integer(), nullable=False),
        sa.Column("registered_at", sa.DateTime(), nullable=False),
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("city", sa.String(length=32), nullable=False),
        sa.Column("district", sa.String(length=32), nullable=True),
        sa.Column("community", sa.String(length=64), nullable=False),
        sa.Column("room", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=240), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assigner_id"], ["ab_user.id"], name=op.f("fk_registration_assignments_assigner_id")
        ),
        sa.ForeignKeyConstraint(
            ["auditor_id"], ["ab_user.id"], name=op.f("fk_registration_assignments_auditor_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_category_id"],
            ["brand_categories.id"],
            name=op.f("fk_registration_assignments_brand_category_id"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_registration_assignments_customer_id")
        ),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealers.id"], name=op.f("fk_registration_assignments_dealer_id")
        ),
        sa.ForeignKeyConstraint(
            ["outlet_id"], ["stores.id"], name=op.f("fk_registration_assignments_outlet_id")
        ),
        sa.ForeignKeyConstraint(
            ["receipt_id"], ["receipts.id"], name=op.f("fk_registration_assignments_receipt_id")
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["receipts.id"], name=op.f("fk_registration_assignments_refund_id")
        ),
        sa.ForeignKeyConstraint(
            ["registrant_id"], ["ab_user.id"], name=op.f("fk_registration_assignments_registrant_id")
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registrations.id"],
            name=op.f("fk_registration_assignments_registration_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_registration_assignments_store_id")
        ),
        sa.ForeignKeyConstraint(
            ["withdrawn_by_id"], ["ab_user.id"], name=op.f("fk_registration_assignments_withdrawn_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration_assignments")),
    )
    with op.batch_alter_table("registration_assignments", schema=None) as batch_op:
        batch_op.create_index(
            "ix_registration_assignments_waiting",
            ["created_at", "id"],
            unique=False,
            sqlite_where=sa.text(WAITING),
            postgresql_where=sa.text(WAITING),
        )
        batch_op.create_index(
            "ix_registration_assignments_waiting_here",
            ["dealer_id", "verdict", "progress", "created_at", "id"],
            unique=False,
            sqlite_where=sa.text(WAITING),
            postgresql_where=sa.text(WAITING),
        )
        batch_op.create_index(
            "ix_registration_assignments_counted",
            [
                "dealer_id",
                "registrant_id",
                "outlet_id",
                "progress",
                "verdict",
                "registered_at",
                "withdrawn_at",
            ],
            unique=False,
            sqlite_where=sa.text("withdrawn_at IS NULL"),
            postgresql_where=sa.text("withdrawn_at IS NULL"),
        )
        batch_op.create_index(
            "ix_registration_assignments_created_at_b5c03534", ["created_at", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_registration_assignments_customer_id"), ["customer_id"], unique=False
        )
        batch_op.create_index(
            "ix_registration_assignments_dealer_id_created_at",
            ["dealer_id", "created_at", "id"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_registration_assignments_phone"), ["phone"], unique=False)
        batch_op.create_index(
            "ix_registration_assignments_registrant_id_created_at",
            ["registrant_id", "created_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_registration_assignments_registration_id_created_at",
            ["registration_id", "created_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_registration_assignments_store_id_created_at", ["store_id", "created_at", "id"], unique=False
        )
        batch_op.create_index(
            "uq_registration_assignments_type",
            ["registration_id", "used_type"],
            unique=True,
            sqlite_where=sa.text("withdrawn_at IS NULL"),
            postgresql_where=sa.text("withdrawn_at IS NULL"),
        )

    op.create_table(
        "registration_tracks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("next_tracking_on", sa.Date(), nullable=True),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.String(length=24), nullable=True),
        sa.Column("writer_id", sa.Integer(), nullable=True),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealers.id"], name=op.f("fk_registration_tracks_dealer_id")),
        sa.ForeignKeyConstraint(
            ["message_id"], ["sms_messages.id"], name=op.f("fk_registration_tracks_message_id")
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registrations.id"],
            name=op.f("fk_registration_tracks_registration_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["writer_id"], ["ab_user.id"], name=op.f("fk_registration_tracks_writer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration_tracks")),
    )
    with op.batch_alter_table("registration_tracks", schema=None) as batch_op:
        batch_op.create_index("ix_registration_tracks_at", ["at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_registration_tracks_created_at"), ["created_at"], unique=False)
        batch_op.create_index("ix_registration_tracks_dealer_id_at", ["dealer_id", "at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_registration_tracks_message_id"), ["message_id"], unique=False)
        batch_op.create_index(
            "ix_registration_tracks_registration", ["registration_id", "at", "id"], unique=False
        )
        batch_op.create_index("ix_registration_tracks_writer_id_at", ["writer_id", "at", "id"], unique=False)


def downgrade():
    with op.batch_alter_table("registration_tracks", schema=None) as batch_op:
        batch_op.drop_index("ix_registration_tracks_writer_id_at")
        batch_op.drop_index("ix_registration_tracks_registration")
        batch_op.drop_index(batch_op.f("ix_registration_tracks_message_id"))
        batch_op.drop_index("ix_registration_tracks_dealer_id_at")
        batch_op.drop_index(batch_op.f("ix_registration_tracks_created_at"))
        batch_op.drop_index("ix_registration_tracks_at")

    op.drop_table("registration_tracks")
    with op.batch_alter_table("registration_assignments", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_registration_assignments_type",
            sqlite_where=sa.text("withdrawn_at IS NULL"),
            postgresql_where=sa.text("withdrawn_at IS NULL"),
        )
        batch_op.drop_index("ix_registration_assignments_store_id_created_at")
        batch_op.drop_index("ix_registration_assignments_registration_id_created_at")
        batch_op.drop_index("ix_registration_assignments_registrant_id_created_at")
        batch_op.drop_index(batch_op.f("ix_registration_assignments_phone"))
        batch_op.drop_index("ix_registration_assignments_dealer_id_created_at")
        batch_op.drop_index(batch_op.f("ix_registration_assignments_customer_id"))
        batch_op.drop_index("ix_registration_assignments_created_at_b5c03534")
        batch_op.drop_index(
            "ix_registration_assignments_counted",
            sqlite_where=sa.text("withdrawn_at IS NULL"),
            postgresql_where=sa.text("withdrawn_at IS NULL"),
        )
        batch_op.drop_index(
            "ix_registration_assignments_waiting_here",
            sqlite_where=sa.text(WAITING),
            postgresql_where=sa.text(WAITING),
        )
        batch_op.drop_index(
            "ix_registration_assignments_waiting",
            sqlite_where=sa.text(WAITING),
            postgresql_where=sa.text(WAITING),
        )

    op.drop_table("registration_assignments")
    with op.batch_alter_table("measurings", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_measurings_open",
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )
        batch_op.drop_index("ix_measurings_task_id_planned_at")
        batch_op.drop_index("ix_measurings_store_id_planned_at")
        batch_op.drop_index("ix_measurings_registration_id_planned_at")
        batch_op.drop_index("ix_measurings_planned_at")
        batch_op.drop_index(batch_op.f("ix_measurings_phone"))
        batch_op.drop_index("ix_measurings_dispatcher_id_planned_at")
        batch_op.drop_index("ix_measurings_designer_id_planned_at")
        batch_op.drop_index("ix_measurings_dealer_id_planned_at")
        batch_op.drop_index(batch_op.f("ix_measurings_created_at"))

    op.drop_table("measurings")
    with op.batch_alter_table("registrations", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_registrations_unassigned",
            sqlite_where=sa.text("progress = 'registered'"),
            postgresql_where=sa.text("progress = 'registered'"),
        )
        batch_op.drop_index("ix_registrations_registrant_id_registered_at")
        batch_op.drop_index("ix_registrations_registrant_id_last_tracked_at")
        batch_op.drop_index("ix_registrations_registered_at")
        batch_op.drop_index("ix_registrations_phone")
        batch_op.drop_index("ix_registrations_outlet_id_registered_at")
        batch_op.drop_index("ix_registrations_outlet_id_last_tracked_at")
        batch_op.drop_index(
            "ix_registrations_judged",
            sqlite_where=sa.text("first_judged_at IS NOT NULL"),
            postgresql_where=sa.text("first_judged_at IS NOT NULL"),
        )
        batch_op.drop_index("ix_registrations_filed")
        batch_op.drop_index(
            "ix_registrations_designer",
            sqlite_where=sa.text("designer IS NOT NULL"),
            postgresql_where=sa.text("designer IS NOT NULL"),
        )
        batch_op.drop_index("ix_registrations_dealer_id_registered_at")
        batch_op.drop_index("ix_registrations_dealer_id_last_tracked_at")
        batch_op.drop_index(batch_op.f("ix_registrations_created_at"))
        batch_op.drop_index(
            "ix_registrations_company",
            sqlite_where=sa.text("company IS NOT NULL"),
            postgresql_where=sa.text("company IS NOT NULL"),
        )
        batch_op.drop_index("ix_registrations_address_key")

    op.drop_table("registrations")
    with op.batch_alter_table("registration_quotas", schema=None) as batch_op:
        batch_op.drop_index("ix_registration_quotas_dealer_id")
        batch_op.drop_index(batch_op.f("ix_registration_quotas_created_at"))

    op.drop_table("registration_quotas")
    with op.batch_alter_table("registration_grants", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_registration_grants_registrant_id"))
        batch_op.drop_index("ix_registration_grants_dealer_id")
        batch_op.drop_index(batch_op.f("ix_registration_grants_created_at"))

    op.drop_table("registration_grants")
    with op.batch_alter_table("partner_designers", schema=None) as batch_op:
        batch_op.drop_index("ix_partner_designers_phone")
        batch_op.drop_index(batch_op.f("ix_partner_designers_name"))
        batch_op.drop_index("ix_partner_designers_dealer_id")
        batch_op.drop_index(batch_op.f("ix_partner_designers_created_at"))

    op.drop_table("partner_designers")
