"""Entries under several parents, the ways along waiting tasks, given customers and a dealer's track

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ENTRIES = "dictionary_entries"
ONCE = f"uq_{ENTRIES}_dictionary_dealer_id_value"
UNIQUE_WHERE = (
    (f"uq_{ENTRIES}_for_all", ["dictionary", "value", "parent"], "dealer_id IS NULL"),
    (f"uq_{ENTRIES}_alone", ["dictionary", "dealer_id", "value"], "parent IS NULL"),
    (f"uq_{ENTRIES}_for_all_alone", ["dictionary", "value"], "dealer_id IS NULL AND parent IS NULL"),
)
GIVEN = "filer_id != owner_id OR filer_id IS NULL"
WAITING = "state <> 'done' AND state <> 'cancelled'"


def _index(name, table, columns, where, unique=False):
    rule = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=rule, postgresql_where=rule)


def upgrade():
    op.drop_index(f"uq_{ENTRIES}_for_all", ENTRIES)
    with op.batch_alter_table(ENTRIES) as table:
        table.drop_constraint(ONCE, type_="unique")
        table.create_unique_constraint(f"{ONCE}_parent", ["dictionary", "dealer_id", "value", "parent"])
    for name, columns, where in UNIQUE_WHERE:
        _index(name, ENTRIES, columns, where, unique=True)
    op.create_index("ix_tasks_state", "tasks", ["dealer_id", "state", "due_at", "id"])
    for column in ("dealer_id", "store_id", "owner_id"):
        _index(f"ix_tasks_waiting_{column}", "tasks", [column, "due_at", "id"], WAITING)
    _index("ix_customers_given", "customers", ["owner_id", "created_at", "id"], GIVEN)
    op.create_index("ix_track_events_dealer_id_at", "track_events", ["dealer_id", "at", "id"])


def downgrade():
    op.drop_index("ix_track_events_dealer_id_at", "track_events")
    op.drop_index("ix_customers_given", "customers")
    for column in ("dealer_id", "store_id", "owner_id"):
        op.drop_index(f"ix_tasks_waiting_{column}", "tasks")
    op.drop_index("ix_tasks_state", "tasks")
    for name, _, _ in UNIQUE_WHERE:
        op.drop_index(name, ENTRIES)
    # Of a value under several parents only the first entry can stay.
    op.execute(
        f"DELETE FROM {ENTRIES} WHERE id NOT IN"
        f" (SELECT MIN(id) FROM {ENTRIES} GROUP BY dictionary, dealer_id, value)"
    )
    with op.batch_alter_table(ENTRIES) as table:
        table.drop_constraint(f"{ONCE}_parent", type_="unique")
        table.create_unique_constraint(ONCE, ["dictionary", "dealer_id", "value"])
    _index(f"uq_{ENTRIES}_for_all", ENTRIES, ["dictionary", "value"], "dealer_id IS NULL", unique=True)
