"""Sessions that ended, one role of each name, a form's token per person

Revision ID: 0004
Revises: 0003
"""

from alembic import op
import sqlalchemy as sa

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "ended_sessions",
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_ended_sessions")),
    )
    op.create_index("ix_ended_sessions_until", "ended_sessions", ["until"])
    # Namesakes came from forms sent at the same moment; the older one keeps the name.
    op.execute(
        "UPDATE ab_role SET label = substr(label, 1, 50) || ' (' || id || ')' WHERE label <> '' AND EXISTS ("
        "SELECT 1 FROM ab_role AS older WHERE older.label = ab_role.label AND older.id < ab_role.id "
        "AND coalesce(older.dealer_id, 0) = coalesce(ab_role.dealer_id, 0))"
    )
    op.create_index("uq_ab_role_dealer_id_label", "ab_role", ["dealer_id", "label"], unique=True)
    of_group = sa.text("dealer_id IS NULL AND label <> ''")
    op.create_index(
        "uq_ab_role_label_of_group",
        "ab_role",
        ["label"],
        unique=True,
        sqlite_where=of_group,
        postgresql_where=of_group,
    )
    with op.batch_alter_table("submissions") as table:
        table.drop_constraint("uq_submissions_token", type_="unique")
        table.create_unique_constraint("uq_submissions_user_id_token", ["user_id", "token"])


def downgrade():
    op.execute(
        "DELETE FROM submissions WHERE EXISTS (SELECT 1 FROM submissions AS older "
        "WHERE older.token = submissions.token AND older.id < submissions.id)"
    )
    with op.batch_alter_table("submissions") as table:
        table.drop_constraint("uq_submissions_user_id_token", type_="unique")
        table.create_unique_constraint("uq_submissions_token", ["token"])
    op.drop_index("uq_ab_role_label_of_group", "ab_role")
    op.drop_index("uq_ab_role_dealer_id_label", "ab_role")
    op.drop_table("ended_sessions")
