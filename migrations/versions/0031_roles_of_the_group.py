"""What automations of the group name roles by

Revision ID: 0031
Revises: 0030
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

STEPS = (1, 2, 3)
OF_GROUP = "SELECT {} FROM ab_role WHERE ab_role.{} = automations.{} AND ab_role.dealer_id IS NULL"


def upgrade():
    for n in STEPS:
        op.add_column("automations", sa.Column(f"preset_{n}", sa.String(length=48), nullable=True))
        found = OF_GROUP.format("name", "id", f"role_{n}")
        op.execute(
            f"UPDATE automations SET preset_{n} = ({found}), role_{n} = NULL "
            f"WHERE dealer_id IS NULL AND EXISTS ({found})"
        )


def downgrade():
    for n in STEPS:
        found = OF_GROUP.format("id", "name", f"preset_{n}")
        op.execute(f"UPDATE automations SET role_{n} = ({found}) WHERE EXISTS ({found})")
    for n in STEPS:
        op.drop_column("automations", f"preset_{n}")
