"""the history is searched by the record's code: labels begin with names, which scatter many new entries

Revision ID: 0026
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0024"
branch_labels = None
depends_on = None

CODED = "('customers', 'contacts', 'registrations', 'dealers', 'stores', 'physical_stores')"
"""The kinds whose labels end with a code that each of them has."""
LAST_WORD = {
    "sqlite": "replace(record_label, rtrim(record_label, replace(record_label, ' ', '')), '')",
    "postgresql": "regexp_replace(record_label, '^.* ', '')",
}
REFUSED = "操作日志不可修改或删除"
OPEN = {
    "sqlite": "DROP TRIGGER audit_entries_no_update",
    "postgresql": "ALTER TABLE audit_entries DISABLE TRIGGER audit_entries_no_change",
}
SHUT = {
    "sqlite": "CREATE TRIGGER audit_entries_no_update BEFORE UPDATE ON audit_entries "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END",
    "postgresql": "ALTER TABLE audit_entries ENABLE TRIGGER audit_entries_no_change",
}
"""The database refuses to change the history, except here: what is added says nothing that was not there."""


def upgrade():
    dialect = op.get_bind().dialect.name
    op.drop_index("ix_audit_entries_record_label", "audit_entries")
    op.add_column("audit_entries", sa.Column("record_key", sa.String(160), nullable=True))
    op.execute(OPEN[dialect])
    word = LAST_WORD[dialect]
    op.execute(
        f"UPDATE audit_entries SET record_key = "
        f"CASE WHEN resource IN {CODED} THEN {word} ELSE record_label END"
    )
    op.execute(SHUT[dialect])
    op.create_index("ix_audit_entries_record_key", "audit_entries", ["dealer_id", "record_key", "at"])


def downgrade():
    op.drop_index("ix_audit_entries_record_key", "audit_entries")
    op.drop_column("audit_entries", "record_key")
    op.create_index("ix_audit_entries_record_label", "audit_entries", ["dealer_id", "record_label", "at"])
