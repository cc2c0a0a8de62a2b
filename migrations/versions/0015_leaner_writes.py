"""Less to keep up at every write: what nothing looks for is not indexed, copies are not looked up

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

NUMBERED = sa.text("event_id IS NOT NULL")
EVENT = ["dealer_id", "sender", "event_id"]


def upgrade():
    op.drop_index("ix_customers_phone", "customers")
    with op.batch_alter_table("customer_phones") as batch_op:
        batch_op.drop_constraint("fk_customer_phones_dealer_id", type_="foreignkey")
    with op.batch_alter_table("track_events") as batch_op:
        batch_op.drop_constraint("fk_track_events_dealer_id", type_="foreignkey")
        batch_op.drop_constraint("uq_track_events_dealer_id_sender_event_id", type_="unique")
    op.create_index(
        "uq_track_events_event", "track_events", EVENT, unique=True,
        sqlite_where=NUMBERED, postgresql_where=NUMBERED,
    )  # fmt: skip


def downgrade():
    op.drop_index("uq_track_events_event", "track_events")
    with op.batch_alter_table("track_events") as batch_op:
        batch_op.create_unique_constraint("uq_track_events_dealer_id_sender_event_id", EVENT)
        batch_op.create_foreign_key("fk_track_events_dealer_id", "dealers", ["dealer_id"], ["id"])
    with op.batch_alter_table("customer_phones") as batch_op:
        batch_op.create_foreign_key("fk_customer_phones_dealer_id", "dealers", ["dealer_id"], ["id"])
    op.create_index("ix_customers_phone", "customers", ["phone"])
