"""Ids of deeds, one open job per category, presets once, numbers of outside events per dealer

Revision ID: 0003
Revises: 0002
"""

from alembic import op
import sqlalchemy as sa

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OPEN = sa.text("state = 'open'")
FOR_ALL = sa.text("dealer_id IS NULL")
PRESETS = {
    "dictionary_entries": ["dictionary", "value"],
    "parameters": ["key"],
    "track_points": ["act"],
    "duplicate_rules": ["entrance"],
    "positions": ["name"],
}
EVENTS = {"track_events": ("sender", "event_id"), "inbound_events": ("sender", "event_id")}
HERE = sa.text("done_at IS NULL AND parked_at IS NULL AND handed_at IS NULL")


def _same(table, keys):
    return " AND ".join(f"other.{key} = {table}.{key}" for key in keys)


def _mend():
    """What could come about while no index forbade it: presets installed twice by two that started
    together, and two open jobs of one category. Of presets the first stays; of jobs the first stays open
    and the others are lost, which a click undoes."""
    op.execute(
        "UPDATE ab_user SET position_id = (SELECT min(other.id) FROM positions AS other JOIN positions AS mine "
        "ON mine.name = other.name WHERE mine.id = ab_user.position_id AND other.dealer_id IS NULL) "
        "WHERE position_id IN (SELECT id FROM positions WHERE dealer_id IS NULL)"
    )
    op.execute(
        "UPDATE memberships SET position_id = (SELECT min(other.id) FROM positions AS other "
        "JOIN positions AS mine ON mine.name = other.name "
        "WHERE mine.id = memberships.position_id AND other.dealer_id IS NULL) "
        "WHERE position_id IN (SELECT id FROM positions WHERE dealer_id IS NULL)"
    )
    for table, keys in PRESETS.items():
        op.execute(
            f"DELETE FROM {table} WHERE dealer_id IS NULL AND EXISTS (SELECT 1 FROM {table} AS other "
            f"WHERE other.dealer_id IS NULL AND {_same(table, keys)} AND other.id < {table}.id)"
        )
    op.execute(
        "UPDATE service_orders SET state = 'lost', lost_reason = '同一品类有两个进行中的服务单', "
        "lost_at = CURRENT_TIMESTAMP, version = version + 1 WHERE state = 'open' AND EXISTS "
        "(SELECT 1 FROM service_orders AS other WHERE other.state = 'open' AND "
        f"{_same('service_orders', ('customer_id', 'brand_category_id'))} AND other.id < service_orders.id)"
    )


def upgrade():
    _mend()
    op.add_column("audit_entries", sa.Column("deed_id", sa.String(length=32), nullable=True))
    op.create_index("ix_audit_entries_deed_id", "audit_entries", ["deed_id"])
    op.create_index(
        "uq_service_orders_open",
        "service_orders",
        ["customer_id", "brand_category_id"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    for table, keys in PRESETS.items():
        op.create_index(
            f"uq_{table}_for_all", table, keys, unique=True, sqlite_where=FOR_ALL, postgresql_where=FOR_ALL
        )
    op.create_index("ix_outbox_here", "outbox", ["available_at"], sqlite_where=HERE, postgresql_where=HERE)
    for table, keys in EVENTS.items():
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_constraint(f"uq_{table}_sender_event_id", type_="unique")
            batch_op.create_unique_constraint(f"uq_{table}_dealer_id_sender_event_id", ["dealer_id", *keys])
    with op.batch_alter_table("sms_messages") as batch_op:
        batch_op.add_column(sa.Column("follow_up_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key("fk_sms_messages_follow_up_id", "follow_ups", ["follow_up_id"], ["id"])


def downgrade():
    with op.batch_alter_table("sms_messages") as batch_op:
        batch_op.drop_constraint("fk_sms_messages_follow_up_id", type_="foreignkey")
        batch_op.drop_column("follow_up_id")
    for table, keys in EVENTS.items():
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_constraint(f"uq_{table}_dealer_id_sender_event_id", type_="unique")
            batch_op.create_unique_constraint(f"uq_{table}_sender_event_id", list(keys))
    op.drop_index("ix_outbox_here", "outbox")
    for table in PRESETS:
        op.drop_index(f"uq_{table}_for_all", table)
    op.drop_index("uq_service_orders_open", "service_orders")
    op.drop_index("ix_audit_entries_deed_id", "audit_entries")
    op.drop_column("audit_entries", "deed_id")
