"""The number by which consumers reach a person, and the product's messages in other words

Revision ID: 0030
Revises: 0029
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

OF_GROUP = sa.text("dealer_id IS NULL")


def upgrade():
    op.add_column("ab_user", sa.Column("alternative_phone", sa.String(length=20), nullable=True))
    op.create_table(
        "notice_words",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sentence", sa.String(length=48), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=True),
        sa.Column("one", sa.String(length=160), nullable=False),
        sa.Column("many", sa.String(length=160), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealers.id"], name=op.f("fk_notice_words_dealer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_words")),
        sa.UniqueConstraint("dealer_id", "sentence", name=op.f("uq_notice_words_dealer_id_sentence")),
    )
    op.create_index(op.f("ix_notice_words_created_at"), "notice_words", ["created_at"])
    op.create_index("ix_notice_words_updated_at", "notice_words", ["updated_at", "id"])
    op.create_index("ix_notice_words_dealer_id_updated_at", "notice_words", ["dealer_id", "updated_at", "id"])
    op.create_index(
        "uq_notice_words_for_all", "notice_words", ["sentence"], unique=True,
        sqlite_where=OF_GROUP, postgresql_where=OF_GROUP,
    )  # fmt: skip


def downgrade():
    op.drop_table("notice_words")
    with op.batch_alter_table("ab_user", schema=None) as batch_op:
        batch_op.drop_column("alternative_phone")
