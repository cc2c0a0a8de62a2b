"""Fields that administrators add to a resource: what they are called, what they hold, where they appear."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, DateTime, ForeignKey, Index, Integer, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from app.engine.choices import Choice, Entry, declare_entries, dictionary
from app.engine.database import Model
from app.engine.faces import extendable
from app.engine.fields import Pk, column, describe
from app.engine.formula_reading import FUNCTIONS
from app.engine.permissions import place_of
from app.engine.resource import Resource, resources
from app.engine.slots import Figure
from models.base import OF_GROUP, Audited, Dated, Steering, Versioned, once_for_all

EXTENDABLE = "extendable"
"""The list of resources that fields may be added to."""
TARGETS = "field_targets"
"""The list of resources that a field may lead to."""
SECTION = "更多信息"


class FieldKind(Choice):
    """What a field holds; the value is the engine's name of the kind. Phones are masked like the customers' own."""

    TEXT = "text", "文本"
    LONG = "textarea", "多行文本"
    NUMBER = "number", "数字"
    MONEY = "money", "金额"
    DATE = "date", "日期"
    MOMENT = "datetime", "日期时间"
    FLAG = "bool", "是/否"
    CHOICE = "choice", "单选"
    CHOICES = "choices", "多选"
    PHONE = "phone", "手机号码"
    REF = "ref", "关联记录"
    IMAGE = "image", "图片"
    FILE = "file", "文件"
    FORMULA = "formula", "公式"


class Outcome(Choice):
    """What a formula comes to."""

    NUMBER = "number", "数字"
    MONEY = "money", "金额"
    TEXT = "text", "文本"
    DATE = "date", "日期"
    FLAG = "bool", "是/否"


class Place(Choice):
    """Where a field appears."""

    FORM = "form", "表单"
    LIST = "list", "列表"
    FILTER = "filter", "筛选"
    SORT = "sort", "排序"
    TEMPLATE = "template", "导入模板"
    CHART = "chart", "图表"


FAMILY = {
    FieldKind.TEXT: "text", FieldKind.LONG: "long", FieldKind.NUMBER: "number", FieldKind.MONEY: "number",
    FieldKind.DATE: "date", FieldKind.MOMENT: "moment", FieldKind.FLAG: "flag", FieldKind.CHOICE: "text",
    FieldKind.PHONE: "text", FieldKind.CHOICES: "many", FieldKind.REF: "ref",
    FieldKind.IMAGE: "file", FieldKind.FILE: "file",
}  # fmt: skip
"""In which sort of slot the values of a kind stand (`slots.FAMILIES`)."""
CHOSEN = frozenset({FieldKind.CHOICE, FieldKind.CHOICES})
"""Kinds with options."""
FILED = frozenset({FieldKind.IMAGE, FieldKind.FILE})
"""Kinds that hold a file."""
_TYPED = "kind=" + "|".join(k.value for k in FieldKind if k is not FieldKind.FORMULA)
_BEGUN = "kind=" + "|".join(
    k.value for k in FieldKind if k not in FILED and k not in (FieldKind.REF, FieldKind.FORMULA)
)
TYPED_ONCE = frozenset({FieldKind.TEXT, FieldKind.NUMBER, FieldKind.PHONE})
"""Kinds whose value may be demanded to stand in one record only."""


class CustomField(Steering, Dated, Versioned, Audited, Model):
    """One added field; without dealer it is the group's and everybody has it.

    A removed one keeps its slot, and with it the values, until it is purged; its row stays for good, because the
    history names the fields of its time.
    """

    __tablename__ = "custom_fields"
    __table_args__ = (
        Index(
            "uq_custom_fields_slot", "resource", "dealer_id", "slot", unique=True,
            sqlite_where=text("purged_at IS NULL"), postgresql_where=text("purged_at IS NULL"),
        ),
        once_for_all("custom_fields", "resource", "slot", rule="dealer_id IS NULL AND purged_at IS NULL"),
    )  # fmt: skip

    id: Mapped[Pk]
    resource: Mapped[str] = column("所属对象", String(64), dictionary=EXTENDABLE, default="customers")
    dealer_id: Mapped[int | None] = column("所属商场", ForeignKey("dealers.id"), blank=OF_GROUP)
    slot: Mapped[str] = column("接口名", String(16), required=False)
    label: Mapped[str] = column("字段名称", String(16))
    kind: Mapped[FieldKind] = column("类型", choices=FieldKind, default=FieldKind.TEXT)
    hint: Mapped[str | None] = column("填写说明", String(120), wide=True)
    unit: Mapped[str | None] = column("单位", String(8), shown_when="kind=number", placeholder="如 ㎡")
    target: Mapped[str | None] = column(
        "关联到", String(64), dictionary=TARGETS, shown_when="kind=ref", needed_when="kind=ref"
    )
    result: Mapped[Outcome | None] = column(
        "公式结果", choices=Outcome, shown_when="kind=formula", needed_when="kind=formula"
    )
    formula: Mapped[str | None] = column(
        "公式",
        String(500),
        kind="formula",
        wide=True,
        shown_when="kind=formula",
        needed_when="kind=formula",
        placeholder="例如 [房屋面积] × [单价]",
        hint=f"字段写在方括号内，可用 + − × ÷ & = ≠ < >，以及 {FUNCTIONS}",
    )
    required: Mapped[bool] = column("必填", Boolean, default=False, shown_when=_TYPED)
    once: Mapped[bool] = column(
        "不可重复",
        Boolean,
        default=False,
        server_default=false(),
        shown_when="kind=text|number|phone",
        hint="同一商场内不允许两条记录填写相同的内容",
    )
    guarded: Mapped[bool] = column(
        "仅授权可见",
        Boolean,
        default=False,
        server_default=false(),
        hint="在角色的字段权限中增加“查看…”，没有此权限的人员看不到也不能填写",
    )
    initial: Mapped[str | None] = column("默认值", String(200), shown_when=_BEGUN)
    minimum: Mapped[Decimal | None] = column("最小值", Figure, kind="number", shown_when="kind=number|money")
    maximum: Mapped[Decimal | None] = column("最大值", Figure, kind="number", shown_when="kind=number|money")
    pattern: Mapped[str | None] = column(
        "格式",
        String(100),
        shown_when="kind=text",
        hint="正则表达式，例如 [A-Z]{2}\\d{4}",
        placeholder="不限",
    )
    shown_when: Mapped[str | None] = column(
        "显示条件",
        String(200),
        kind="following",
        wide=True,
        placeholder="始终显示",
        hint="按“字段=选项”填写，例如 客户来源=老客户推荐；多个选项用 | 隔开",
    )
    needed_when: Mapped[str | None] = column(
        "必填条件",
        String(200),
        kind="following",
        wide=True,
        shown_when=_TYPED,
        placeholder="无",
        hint="符合时必填，写法同上",
    )
    locked_when: Mapped[str | None] = column(
        "只读条件",
        String(200),
        kind="following",
        wide=True,
        shown_when=_TYPED,
        placeholder="无",
        hint="记录符合时不能再修改，写法同上",
    )
    section: Mapped[str] = column(
        "所在分组",
        String(16),
        default=SECTION,
        hint="填写表单中已有的分组名称即放入该分组，其他名称会成为新的分组",
    )
    in_form: Mapped[bool] = column("表单", Boolean, default=True)
    in_list: Mapped[bool] = column("列表", Boolean, default=True)
    in_filter: Mapped[bool] = column("筛选", Boolean, default=True)
    in_sort: Mapped[bool] = column("排序", Boolean, default=False)
    in_template: Mapped[bool] = column("导入模板", Boolean, default=True)
    in_chart: Mapped[bool] = column("图表", Boolean, default=False)
    position: Mapped[int] = column("顺序", Integer, default=100, minimum=0, maximum=9999)
    # Work of the product, no change of the configuration.
    indexed_at: Mapped[datetime | None] = mapped_column(DateTime)
    removed_at: Mapped[datetime | None] = column("删除时间", DateTime)
    purged_at: Mapped[datetime | None] = column("数据清除时间", DateTime)

    @property
    def places(self) -> list[str]:
        """Where it appears, as its form asks for it."""
        return [place.value for place in Place if getattr(self, f"in_{place.value}")]

    @property
    def dictionary(self) -> str:
        """The name of the dictionary its options stand in."""
        return dictionary_of(self.id)

    @property
    def options(self) -> str:
        """The options in force, one a line."""
        found = dictionary(self.dictionary, self.dealer_id) if self.kind in CHOSEN else ()
        return "\n".join(entry.label for entry in found if entry.active)

    @property
    def engine_kind(self) -> str:
        """The engine's name of what it holds."""
        return kind_of(self)


def kind_of(row: Any) -> str:
    """The engine's name of what a field holds: of a formula, of what it comes to."""
    if row.kind == FieldKind.FORMULA:
        return (row.result or Outcome.NUMBER).value  # type: ignore[no-any-return]
    return row.kind.value  # type: ignore[no-any-return]


def family_of(row: Any) -> str:
    """In which sort of slot it stands."""
    return FAMILY[FieldKind.of(kind_of(row))]


def dictionary_of(field_id: int) -> str:
    """The name of the dictionary with a choice field's options."""
    return f"custom.{field_id}"


def _extendable() -> tuple[Entry, ...]:
    return tuple(Entry(r.name, r.label) for r in sorted(resources(), key=place_of) if extendable(r))


def _targets() -> tuple[Entry, ...]:
    found = (r for r in resources() if leads_to(r))
    return tuple(Entry(r.name, r.label) for r in sorted(found, key=place_of))


def leads_to(found: type[Resource]) -> bool:
    """Whether a field may lead to such records: work that people look up, and the people and places of it."""
    if found.title is None or found.menu is None or not found.detail or found.scopes.dealer is None:
        return False
    titled = describe(found.title)
    return titled.kind == "text" and titled.guard is None and not found.scopes.shared


declare_entries(EXTENDABLE, _extendable)
declare_entries(TARGETS, _targets)
