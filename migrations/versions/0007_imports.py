"""Files on their way in, and entries that met a file

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "import_mappings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("resource", sa.String(length=64), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["ab_user.id"], name=op.f("fk_import_mappings_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_mappings")),
        sa.UniqueConstraint("user_id", "resource", name=op.f("uq_import_mappings_user_id_resource")),
    )
    op.create_table(
        "imports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("resource", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("file_name", sa.String(length=160), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("file", sa.String(length=200), nullable=True),
        sa.Column("lines", sa.String(length=200), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("headings", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("mapping", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("notes", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("counts", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("effects", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("deed_id", sa.String(length=32), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=True),
        sa.Column("store_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("expires_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_imports_job_id")),
        sa.ForeignKeyConstraint(["user_id"], ["ab_user.id"], name=op.f("fk_imports_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    with op.batch_alter_table("imports", schema=None) as batch_op:
        batch_op.create_index("ix_imports_digest", ["dealer_id", "digest"], unique=False)
        batch_op.create_index(batch_op.f("ix_imports_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index("ix_imports_user_id_created_at", ["user_id", "created_at", "id"], unique=False)

    op.create_table(
        "import_problems",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=24), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("cells", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_import_problems_import_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_problems")),
        sa.UniqueConstraint("import_id", "line", name=op.f("uq_import_problems_import_id_line")),
    )
    op.create_table(
        "duplicate_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=True),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("entrance", sa.String(length=24), nullable=False),
        sa.Column("met", sa.String(length=24), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("filer_id", sa.Integer(), nullable=True),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.id"],
            name=op.f("fk_duplicate_entries_customer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealers.id"], name=op.f("fk_duplicate_entries_dealer_id")),
        sa.ForeignKeyConstraint(["filer_id"], ["ab_user.id"], name=op.f("fk_duplicate_entries_filer_id")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_duplicate_entries_store_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_entries")),
    )
    with op.batch_alter_table("duplicate_entries", schema=None) as batch_op:
        batch_op.create_index(
            "ix_duplicate_entries_created_at_abd5ee62",
            ["created_at", "id"],
        )
        batch_op.create_index(batch_op.f("ix_duplicate_entries_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(
            "ix_duplicate_entries_dealer_id_created_at",
            ["dealer_id", "created_at", "id"],
        )
        batch_op.create_index(
            "ix_duplicate_entries_filer_id_created_at",
            ["filer_id", "created_at", "id"],
        )
        batch_op.create_index(batch_op.f("ix_duplicate_entries_phone"), ["phone"], unique=False)
        batch_op.create_index(
            "ix_duplicate_entries_store_id_created_at",
            ["store_id", "created_at", "id"],
        )


def downgrade():
    with op.batch_alter_table("duplicate_entries", schema=None) as batch_op:
        batch_op.drop_index("ix_duplicate_entries_store_id_created_at")
        batch_op.drop_index(batch_op.f("ix_duplicate_entries_phone"))
        batch_op.drop_index("ix_duplicate_entries_filer_id_created_at")
        batch_op.drop_index("ix_duplicate_entries_dealer_id_created_at")
        batch_op.drop_index(batch_op.f("ix_duplicate_entries_customer_id"))
        batch_op.drop_index("ix_duplicate_entries_created_at_abd5ee62")

    op.drop_table("duplicate_entries")
    op.drop_table("import_problems")
    with op.batch_alter_table("imports", schema=None) as batch_op:
        batch_op.drop_index("ix_imports_user_id_created_at")
        batch_op.drop_index(batch_op.f("ix_imports_expires_at"))
        batch_op.drop_index("ix_imports_digest")

    op.drop_table("imports")
    op.drop_table("import_mappings")
