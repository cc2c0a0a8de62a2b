"""What is kept of an import: the file, how its columns were understood, what was found and done."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import DateTime, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import JSON

from app.engine.choices import Choice, Tone
from app.engine.database import Model
from app.engine.fields import CreatedAt, Pk, column


class ImportState(Choice):
    """How far an import is."""

    READING = "reading", "读取中", Tone.ACTIVE
    MAPPING = "mapping", "待对应列", Tone.WARN
    CHECKING = "checking", "检查中", Tone.ACTIVE
    READY = "ready", "待开始", Tone.WARN
    RUNNING = "running", "导入中", Tone.ACTIVE
    DONE = "done", "已完成", Tone.GOOD
    FAILED = "failed", "未能导入", Tone.BAD
    CANCELLED = "cancelled", "已取消", Tone.MUTED
    UNDOING = "undoing", "撤销中", Tone.ACTIVE
    UNDONE = "undone", "已撤销", Tone.MUTED


BUSY = (ImportState.READING, ImportState.CHECKING, ImportState.RUNNING, ImportState.UNDOING)
"""A job is at work on it."""
PENDING = (*BUSY, ImportState.MAPPING, ImportState.READY)


class Verdict(Choice):
    """What becomes of a line."""

    NEW = "new", "新增", Tone.GOOD
    UPDATED = "updated", "更新", Tone.ACTIVE
    UNCHANGED = "unchanged", "无变化", Tone.MUTED
    ABSORBED = "absorbed", "重复并已安排回访", Tone.INFO
    DUPLICATE = "duplicate", "重复", Tone.WARN
    WRONG = "wrong", "有误", Tone.BAD

    def foreseen(self) -> str:
        """What a check says will become of the line."""
        return _FORESEEN.get(self, self.label)

    def found(self) -> str:
        """What has become of the line; what was faulty has failed (D-25)."""
        return "失败" if self is Verdict.WRONG else self.label


_FORESEEN = {Verdict.NEW: "将新增", Verdict.UPDATED: "将更新", Verdict.ABSORBED: "重复，将安排回访"}


class ImportRun(Model):
    """One file of one person on its way in."""

    __tablename__ = "imports"
    __table_args__ = (
        Index("ix_imports_user_id_created_at", "user_id", "created_at", "id"),
        Index("ix_imports_digest", "dealer_id", "digest"),
    )

    id: Mapped[Pk]
    resource: Mapped[str] = column("对象代码", String(64))
    state: Mapped[ImportState] = column("状态", choices=ImportState, default=ImportState.READING)
    file_name: Mapped[str] = column("文件名", String(160))
    digest: Mapped[str] = column("文件指纹", String(64))
    file: Mapped[str | None] = column("原文件", String(200))
    lines: Mapped[str | None] = column("读出的内容", String(200))
    rows: Mapped[int] = column("数据行数", Integer, default=0)
    headings: Mapped[list[str] | None] = column("表头", JSON(none_as_null=True))
    mapping: Mapped[list[str | None] | None] = column("列的对应", JSON(none_as_null=True))
    options: Mapped[dict[str, Any]] = column("选项", JSON)
    notes: Mapped[list[str] | None] = column("说明", JSON(none_as_null=True))
    counts: Mapped[dict[str, int] | None] = column("计数", JSON(none_as_null=True))
    effects: Mapped[list[str] | None] = column("将产生", JSON(none_as_null=True))
    reason: Mapped[str | None] = column("未能导入的原因", Text)
    deed_id: Mapped[str] = column("操作批次", String(32))
    job_id: Mapped[int | None] = column("任务", ForeignKey("jobs.id"))
    user_id: Mapped[int] = column("导入人", ForeignKey("ab_user.id"))
    dealer_id: Mapped[int | None] = column("所属商场", Integer)
    store_id: Mapped[int | None] = column("当时门店", Integer)
    created_at: Mapped[CreatedAt] = column("创建时间", DateTime)
    finished_at: Mapped[datetime | None] = column("完成时间", DateTime)
    expires_at: Mapped[datetime | None] = column("文件保留至", DateTime, index=True)


class ImportProblem(Model):
    """A line that was not brought in, or not as it stands, and why; ``cells`` are the sentences by field."""

    __tablename__ = "import_problems"
    __table_args__ = (UniqueConstraint("import_id", "line"),)

    id: Mapped[Pk]
    import_id: Mapped[int] = column("导入", ForeignKey("imports.id", ondelete="CASCADE"))
    line: Mapped[int] = column("行号", Integer)
    verdict: Mapped[Verdict] = column("结果", choices=Verdict)
    reason: Mapped[str] = column("原因", Text)
    cells: Mapped[dict[str, str] | None] = column("各列的原因", JSON(none_as_null=True))


class RememberedMapping(Model):
    """What a person's own headings mean, by resource: ``{heading: field}``; an empty field is passed over."""

    __tablename__ = "import_mappings"
    __table_args__ = (UniqueConstraint("user_id", "resource"),)

    id: Mapped[Pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    resource: Mapped[str] = mapped_column(String(64))
    fields: Mapped[dict[str, str]] = mapped_column(JSON)


IMPORTS = cast(Table, ImportRun.__table__)
PROBLEMS = cast(Table, ImportProblem.__table__)
MAPPINGS = cast(Table, RememberedMapping.__table__)
