"""What of the configuration speaks of an added field: on its page, and before it is removed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from app.engine import pages
from app.engine.actions import Act, Answer, Question, Refusal
from app.engine.configured.uses import Line, Sought, Use, counted, hindrance, lines, uses
from app.engine.scopes import Actor
from models.shaping.custom_fields import CustomField

_HEADINGS = ("名称", "引用处", "删除字段后")
_KEPT = "删除后，字段从表单、列表、筛选等处消失；已填写的数据保留30天，期间可恢复，之后清除。"


def of_field(session: Session, field: Any) -> list[Use]:
    """Every entry that speaks of the field."""
    return uses(session, Sought(field.resource, field.slot, field.dealer_id, field.label))


def table(session: Session, pk: int, actor: Actor) -> pages.Table | None:
    """使用情况 on the page of a field; None for a removed one, which does nothing any more."""
    field = session.get(CustomField, pk)
    if field is None or field.removed_at is not None:
        return None
    told = lines(session, of_field(session, field), actor)
    columns = [pages.Column(str(n), label, role="nm" if not n else "") for n, label in enumerate(_HEADINGS)]
    rows = [pages.Row(n, line.url, _cells(line), number=n) for n, line in enumerate(told, 1)]
    return pages.Table(
        "使用情况", "uses", columns, rows, empty="没有自动化、审批、模板、视图等配置引用此字段"
    )


def _cells(line: Line) -> list[Markup]:
    return [escape(cell) for cell in _row(line)]


def _row(line: Line) -> tuple[str, ...]:
    return line.title, " · ".join(filter(None, (line.kind, line.place))), line.then


def checked(act: Act, field: Any) -> list[Line]:
    """What speaks of the field, as the person may know of it; raises `Refusal` where something needs it."""
    found = of_field(act.session, field)
    told = lines(act.session, found, act.actor)
    why = hindrance(found, told, "此字段")
    if why:
        raise Refusal(why)
    return told


def question(field: Any, told: Sequence[Line], sure: str) -> Question:
    """Whether the field is to go, with what becomes of the rest."""
    said = f"以下{len(told)}处引用此字段，字段删除后有变化：" if told else "没有其他配置引用此字段。"
    return Question(
        f"确认删除字段“{field.label}”？",
        f"{_KEPT}{said}",
        (Answer("确认删除", sure, primary=True, tone="r"), Answer("返回")),
        _HEADINGS if told else (),
        tuple(map(_row, told)),
        tuple(line.url for line in told),
    )


def leaning(session: Session, field: Any) -> str:
    """What shared configuration would lose its hold when the field is taken back."""
    found = [use for use in of_field(session, field) if not use.is_personal]
    return f"{counted(found)}引用了此字段，请先修改" if found else ""
