"""Several choices, references, files and formulas as added fields; orders take added fields too

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

OLD = {
    "text": (12, sa.String(length=255)),
    "long": (3, sa.Text()),
    "number": (8, sa.Numeric(precision=18, scale=4)),
    "date": (6, sa.Date()),
    "moment": (4, sa.DateTime()),
    "flag": (6, sa.Boolean()),
}
NEW = {
    "many": (4, sa.String(length=500)),
    "ref": (4, sa.Integer()),
    "file": (6, sa.String(length=255)),
}
ORDERS = ("service_orders", "factory_orders")


def names(families):
    return [
        (f"{family}_{n}", kind) for family, (amount, kind) in families.items() for n in range(1, amount + 1)
    ]


def upgrade():
    for column in (
        sa.Column("target", sa.String(length=64), nullable=True),
        sa.Column("formula", sa.String(length=500), nullable=True),
        sa.Column("result", sa.String(length=24), nullable=True),
        sa.Column("locked_when", sa.String(length=200), nullable=True),
        sa.Column("guarded", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("once", sa.Boolean(), server_default=sa.false(), nullable=False),
    ):
        op.add_column("custom_fields", column)
    for name, kind in names(NEW):
        op.add_column("customers", sa.Column(name, kind, nullable=True))
    for table in ORDERS:
        for name, kind in names(OLD | NEW):
            op.add_column(table, sa.Column(name, kind, nullable=True))


def downgrade():
    for table in ORDERS:
        with op.batch_alter_table(table) as batch_op:
            for name, _ in reversed(names(OLD | NEW)):
                batch_op.drop_column(name)
    with op.batch_alter_table("customers") as batch_op:
        for name, _ in reversed(names(NEW)):
            batch_op.drop_column(name)
    with op.batch_alter_table("custom_fields") as batch_op:
        for name in ("once", "guarded", "locked_when", "result", "formula", "target"):
            batch_op.drop_column(name)
