"""Adding, changing, removing and taking back fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from app.engine import outbox
from app.engine.actions import Act, Invalid, Refusal, action
from app.engine.configured.uses import Line
from app.engine.database import alone
from app.engine.resource import resource
from models.identity.for_all import settle_owner
from models.identity.rules import is_group
from models.shaping import custom_checks as checks
from models.shaping import custom_options as options
from models.shaping import custom_rights, custom_uses
from models.shaping.custom_fields import FILED, SECTION, CustomField, FieldKind, Place

KEPT = timedelta(days=30)
"""So long the values of a removed field are kept, and it can be taken back."""
INDEX = "custom_fields.index"
"""The work of giving the list its ways to a field."""
WORK_OUT = "custom_fields.work_out"
"""The work of giving records that are there already what a formula comes to."""
SURE = "remove"
OF_GROUP = "集团字段只能由集团管理员修改"
_SPACE = -7
_TAKEN = (
    "minimum", "maximum", "pattern", "shown_when", "needed_when", "locked_when", "formula", "result", "once", "guarded",
)  # fmt: skip
"""What a change is judged by as it will be."""


def create_field(field: Any, act: Act, values: Mapping[str, Any]) -> None:
    """A field of the own dealer, or the group's for everybody, in a slot that is free for all who have it."""
    settle_owner(field, act, values)
    alone(act.session, _SPACE, "fields")
    declared = resource(field.resource)
    if declared is None:
        raise Invalid({"resource": "请从列表中选择"})
    field.section = field.section or SECTION
    _put(field, values.get("places") or ())
    checks.check(act, field, declared, field.label, values.get("options"))
    field.slot = checks.free_slot(act, field)
    field.created_at = act.now
    act.session.add(field)
    act.session.flush()
    options.keep(act, field, options.lines_of(values.get("options")))
    field.initial = checks.check_initial(act, field, field.initial)
    custom_rights.grant(act, field)
    _follow_up(act, field, worked_out=field.kind == FieldKind.FORMULA)


def update_field(field: Any, act: Act, values: Mapping[str, Any]) -> None:
    """What a field holds stays as it is; how it is called and where it appears may change."""
    _keep_own(field, act)
    if field.removed_at is not None:
        raise Refusal("字段已删除，请先恢复")
    declared = resource(field.resource)
    if declared is None:
        raise Refusal("此对象已不存在")
    before = (field.formula, field.result)
    if values.get("result", field.result) != field.result and field.kind == FieldKind.FORMULA:
        raise Invalid({"result": "公式的结果类型不能更改，请删除后新增"})
    for name in _TAKEN:
        if name in values:
            setattr(field, name, values[name])
    label = values.get("label") or field.label
    alone(act.session, _SPACE, "fields")
    with act.session.no_autoflush:
        checks.check(act, field, declared, label, values.get("options", field.options))
    if "places" in values:
        was = field.in_sort
        _put(field, values["places"] or ())
        if field.in_sort and not was:
            field.indexed_at = None
    if "options" in values:
        options.keep(act, field, options.lines_of(values["options"]))
    if "initial" in values:
        field.initial = checks.check_initial(act, field, values["initial"])
    custom_rights.grant(act, field)
    _follow_up(act, field, worked_out=(field.formula, field.result) != before)


@action(
    "删除字段", on=CustomField, icon="trash", tone="r", batch=False,
    when=lambda field: field.removed_at is None,
)  # fmt: skip
def remove_field(field: Any, act: Act) -> None:
    """Take a field away, once the person has read what speaks of it; its values are kept for a while."""
    told = _check_removal(field, act)
    if SURE not in act.answers:
        raise custom_uses.question(field, told, SURE)
    _remove(field, act)


def take_away(field: Any, act: Act) -> None:
    """The same for those who take away many things at once and have seen the difference."""
    _check_removal(field, act)
    _remove(field, act)


def _remove(field: Any, act: Act) -> None:
    field.removed_at, field.indexed_at = act.now, None
    outbox.put(act.session, INDEX, {}, now=act.now)


def _check_removal(field: Any, act: Act) -> list[Line]:
    """What speaks of the field, as the person may know of it; raises `Refusal` where it cannot go."""
    _keep_own(field, act)
    if field.removed_at is not None:
        raise Refusal("字段已删除")
    alone(act.session, _SPACE, "fields")
    return custom_uses.checked(act, field)


@action(
    "恢复字段", on=CustomField, icon="arrow-back-up",
    when=lambda field: field.removed_at is not None and field.purged_at is None,
)  # fmt: skip
def restore_field(field: Any, act: Act) -> None:
    """Take it back with all its values, unless another one bears its name by now."""
    _keep_own(field, act)
    if field.removed_at is None:
        raise Refusal("字段未删除")
    if field.purged_at is not None:
        raise Refusal("数据已清除，不能恢复")
    declared = resource(field.resource)
    if declared is None:
        raise Refusal("此对象已不存在")
    alone(act.session, _SPACE, "fields")
    try:
        checks.check_label(act, field, declared, field.label)
    except Invalid as taken:
        raise Refusal(f"{taken.errors['label']}，请先改名") from taken
    if checks.lacking(act, field):
        raise Refusal("公式引用的字段已删除，请先恢复那个字段")
    field.removed_at = None
    _follow_up(act, field, worked_out=field.kind == FieldKind.FORMULA)


def _put(field: Any, places: Iterable[Any]) -> None:
    """Have it appear in these places, as far as its kind can."""
    wanted = set(places)
    for place in Place:
        setattr(field, f"in_{place.value}", place in wanted)
    worked_out = field.kind == FieldKind.FORMULA
    field.required = field.required and not worked_out
    field.in_form = field.in_form and not worked_out
    field.in_template = field.in_template and not worked_out and field.kind not in FILED
    field.in_filter = field.in_filter and field.kind != FieldKind.LONG and field.kind not in FILED
    field.in_sort = field.in_sort and checks.can_sort(field)
    field.in_chart = field.in_chart and checks.can_chart(field)


def _keep_own(field: Any, act: Act) -> None:
    if field.dealer_id is None and not is_group(act.actor, "custom_fields"):
        raise Refusal(OF_GROUP)


def _follow_up(act: Act, field: Any, *, worked_out: bool) -> None:
    """Lists are to be filtered and sorted by the fields as fast as by any other, and records that are there have
    what a formula comes to; both is done after the commit."""
    outbox.put(act.session, INDEX, {}, now=act.now)
    if worked_out:
        outbox.put(act.session, WORK_OUT, {"field": field.id}, now=act.now)
