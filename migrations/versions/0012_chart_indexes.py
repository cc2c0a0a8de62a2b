"""Indexes that answer charts without reading rows: over the facets, and along the time

Revision ID: 0012
Revises: 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ALONG = (
    ("customers", "created_at", ["store_id", "owner_id", "stage", "net_received"]),
    ("follow_ups", "at", ["store_id", "writer_id"]),
    ("receipts", "paid_on", ["store_id", "writer_id", "state", "kind", "amount"]),
)
FACETS = (
    ("customers", ["dealer_id", "stage", "source", "level", "store_id", "created_at"]),
    ("customers", ["dealer_id", "store_id", "owner_id", "stage", "created_at"]),
    ("follow_ups", ["dealer_id", "store_id", "writer_id", "kind", "at"]),
    (
        "receipts",
        ["dealer_id", "store_id", "writer_id", "state", "kind", "method", "subject", "paid_on", "amount"],
    ),
)


def upgrade():
    for table, time, more in ALONG:
        op.drop_index(f"ix_{table}_dealer_id_{time}", table)
        op.create_index(f"ix_{table}_dealer_id_{time}", table, ["dealer_id", time, "id", *more])
    for table, columns in FACETS:
        op.create_index(f"ix_{table}_by_{columns[1]}", table, columns)
    if op.get_bind().dialect.name == "sqlite":
        for table, _, _ in ALONG:
            op.execute(f"ANALYZE {table}")


def downgrade():
    for table, columns in FACETS:
        op.drop_index(f"ix_{table}_by_{columns[1]}", table)
    for table, time, _ in ALONG:
        op.drop_index(f"ix_{table}_dealer_id_{time}", table)
        op.create_index(f"ix_{table}_dealer_id_{time}", table, ["dealer_id", time, "id"])
