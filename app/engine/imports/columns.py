"""Which columns a file may have, and what its headings mean."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine import forms
from app.engine.actions import Refusal
from app.engine.database import insert_for
from app.engine.fields import FieldSpec, describe
from app.engine.guards import hidden
from app.engine.imports.filing import Options
from app.engine.imports.tables import MAPPINGS
from app.engine.resource import Resource
from app.engine.scopes import Actor

WRONG_TEMPLATE = "模板格式不正确"


def offered(resource: type[Resource], actor: Actor, key: str = "") -> list[FieldSpec]:
    """The fields that a file of this person may fill: those of the form, what the template adds, and the
    ``key`` by which existing records are found. What he or she may not read cannot be written, but a number
    that is masked may be entered."""
    template = resource.template
    assert template is not None
    specs = forms.asked(forms.editable(resource, editing=False), actor)
    specs = [s for s in specs if s.name not in template.left_out]
    specs += [describe(source) for source in template.more]
    names = {spec.name for spec in specs}
    specs += [k for k in map(describe, template.keys) if k.name == key and k.name not in names]
    tagging = next((a for a in resource.actions if a.name == "tag"), None)
    if resource.tags is not None and tagging is not None and tagging.allowed(resource, actor):
        specs.append(describe(resource.tags))
    guards = [(s, hidden(s, actor)) for s in specs]
    return [spec for spec, guard in guards if guard is None or guard.exact]


def mark(resource: type[Resource], presets: Mapping[str, Any]) -> str:
    """What the hidden sheet of a template says it is."""
    return "|".join([resource.name, *(f"{name}={presets[name]}" for name in sorted(presets))])


def fits(resource: type[Resource], template: str, presets: Mapping[str, Any]) -> None:
    """Raise `Refusal` for a file that was made of another template (D-20)."""
    if not template:
        return
    name, _, chosen = template.partition("|")
    if name != resource.name:
        raise Refusal(f"{WRONG_TEMPLATE}：请下载{resource.label}的导入模板填写")
    if chosen and template != mark(resource, presets):
        raise Refusal(f"{WRONG_TEMPLATE}：模板与所选的内容不一致，请重新选择或下载对应的模板")


def match(
    session: Session, resource: type[Resource], actor: Actor, headings: Sequence[str], key: str = ""
) -> list[str | None]:
    """The field of each heading: by its label, or as the person said before; ``""`` is passed over and None is
    to be asked. Raises `Refusal` for a heading that stands there twice."""
    assert resource.template is not None
    unused = {spec.label: "" for spec in map(describe, resource.template.keys)}
    by_label = unused | {spec.label: spec.name for spec in offered(resource, actor, key)}
    known = set(by_label.values()) | {""}
    kept = remembered(session, resource, actor)
    found = [by_label.get(h, kept.get(h)) if h else "" for h in headings]
    found = [name if name in known else None for name in found]
    twice(headings, found)
    return found


_CALLED = {"phone": ("手机", "电话", "号码"), "phones": ("其他号码", "备用")}
"""How columns of these kinds are called elsewhere."""


def guess(heading: str, specs: Sequence[FieldSpec], taken: Collection[str]) -> str:
    """The field that a heading most likely means, for the person to confirm; an empty name where none."""
    free = [s for s in specs if s.name not in taken]
    if not heading:
        return ""
    near = next((s.name for s in free if heading in s.label or s.label in heading), "")
    called = (s.name for s in free if any(word in heading for word in _CALLED.get(s.kind, ())))
    return near or next(called, "")


def twice(headings: Sequence[str], mapping: Sequence[str | None]) -> None:
    """Raise `Refusal` when two columns mean the same."""
    given = [name for name in mapping if name]
    doubled = [h for h, name in zip(headings, mapping, strict=True) if name and given.count(name) > 1]
    if doubled:
        raise Refusal(f"表头 {'、'.join(dict.fromkeys(doubled))} 重复出现")


def complete(resource: type[Resource], actor: Actor, mapping: Sequence[str | None], options: Options) -> None:
    """Raise `Refusal` naming the headings that the file needs and lacks (D-22)."""
    specs = offered(resource, actor, options.key)
    given = {name for name in mapping if name} | set(options.presets or {})
    needed = [s for s in specs if (s.required and options.adds) or s.name == options.key]
    lacking = [s.label for s in needed if s.name not in given]
    if lacking:
        raise Refusal(f"{WRONG_TEMPLATE}：缺少表头 {'、'.join(lacking)}")


def like_template(
    resource: type[Resource], actor: Actor, mapping: Sequence[str | None], options: Options
) -> None:
    """Raise `Refusal` for other headings than the template's, where a file must have those."""
    assert resource.template is not None
    if not resource.template.strict:
        return
    if None in mapping:
        raise Refusal(resource.template.strict)
    try:
        complete(resource, actor, mapping, options)
    except Refusal as lacking:
        raise Refusal(resource.template.strict) from lacking


def remembered(session: Session, resource: type[Resource], actor: Actor) -> dict[str, str]:
    """What the person said of own headings before."""
    own = (MAPPINGS.c.user_id == actor.id, MAPPINGS.c.resource == resource.name)
    return dict(session.scalar(select(MAPPINGS.c.fields).where(*own)) or {})


def remember(
    session: Session,
    resource: type[Resource],
    actor: Actor,
    headings: Sequence[str],
    mapping: Sequence[str | None],
) -> None:
    """Keep it for the next file; the caller commits."""
    both = zip(headings, mapping, strict=True)
    said = {h: name for h, name in both if 0 < len(h) <= _LONGEST and name is not None}
    fields = remembered(session, resource, actor) | said
    statement = insert_for(session, MAPPINGS).values(
        user_id=actor.id, resource=resource.name, fields=dict(list(fields.items())[-_MOST:])
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["user_id", "resource"], set_={"fields": statement.excluded.fields}
        )
    )


_MOST, _LONGEST = 500, 100
"""So many headings are remembered of a person, and none that is longer."""
