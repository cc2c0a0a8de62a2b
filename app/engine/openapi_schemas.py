"""What goes in and out of the JSON API, as its description says it: a field, a record, a page of a list, what is sent
to write one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.engine import serial
from app.engine.actions import Action
from app.engine.choices import entries_of
from app.engine.fields import FieldSpec
from app.engine.resource import Resource

_TYPES: dict[str, dict[str, Any]] = {
    "bool": {"type": "boolean"},
    "integer": {"type": "integer"},
    "ref": {"type": "integer"},
    "money": {"type": "string", "pattern": r"^-?\d+(\.\d{1,2})?$", "example": "1000.50"},
    "number": {"type": "string", "pattern": r"^-?\d+(\.\d{1,4})?$", "example": "89.5"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "phone": {"type": "string", "example": "13800000001"},
}


def schema_of(spec: FieldSpec) -> dict[str, Any]:
    """One field's value."""
    if spec.links is not None or spec.kind == "refs":
        item: dict[str, Any] = {"type": "integer"}
        return {"type": "array", "items": item, "description": f"{spec.label}（记录编号）"}
    if spec.multiple:
        return {"type": "array", "items": {"type": "string"}, "description": spec.label}
    found = dict(_TYPES.get(spec.kind, {"type": "string"}))
    found["description"] = f"{spec.label}。{spec.hint}" if spec.hint else spec.label
    if spec.choices is not None:
        found["enum"] = [e.value for e in entries_of(spec.choices)]
        found["description"] += "：" + "，".join(f"{e.value} {e.label}" for e in entries_of(spec.choices))
    elif spec.dictionary:
        found["description"] += f"（字典 {spec.dictionary} 的取值）"
    if spec.fixed is not None:
        found["description"] += f"；{spec.wrong or '由系统填写，只有可为他人建立的人员能指定'}"
    for rule, words in ((spec.opens_when, "时可填"), (spec.needed_when, "时必填")):
        found["description"] += f"；{rule} {words}" if rule else ""
    if spec.maxlength and found["type"] == "string" and "format" not in found:
        found["maxLength"] = spec.maxlength
    return found


def record_schema(resource: type[Resource]) -> dict[str, Any]:
    """A record as it is read."""
    properties: dict[str, Any] = {
        "id": {"type": "integer", "description": "记录编号"},
        "version": {"type": "integer", "description": "版本号，修改时一并提交"},
    }
    for spec in {
        s.name: s for s in (*serial.record_fields(resource), *serial.list_fields(resource))
    }.values():
        shown = {**schema_of(spec), "nullable": True}
        if spec.links is not None:
            pair = {"id": {"type": "integer"}, "name": {"type": "string"}}
            shown["items"] = {"type": "object", "properties": pair}
        properties[spec.name] = shown
        if spec.kind == "ref":
            properties[f"{spec.name}_name"] = text(f"{spec.label}的名称")
        elif spec.kind == "choice":
            properties[f"{spec.name}_label"] = text(f"{spec.label}的中文")
        elif spec.kind == "choices":
            words = {"type": "array", "items": {"type": "string"}, "description": f"{spec.label}的中文"}
            properties[f"{spec.name}_labels"] = words
        if spec.guard is not None:
            properties[f"{spec.name}_locked"] = text(f"无权查看{spec.label}时出现，说明原因")
    return {"type": "object", "description": resource.label, "properties": properties}


def text(description: str) -> dict[str, Any]:
    """A text that may be missing."""
    return {"type": "string", "nullable": True, "description": description}


def list_schema(view: str) -> dict[str, Any]:
    """A page of a list."""
    return {
        "type": "object",
        "properties": {
            "result": {"type": "array", "items": ref(view), "description": "本页记录"},
            "count": {"type": "integer", "description": "记录数，最多数到 10000"},
            "count_is_at_least": {"type": "boolean", "description": "为真时实际记录更多"},
            "per_page": {"type": "integer", "description": "每页条数"},
            "after": text("下一页的位置；没有下一页时为空"),
            "before": text("上一页的位置；没有上一页时为空"),
            "filters": {"type": "array", "items": {"type": "string"}, "description": "生效的条件"},
        },
    }


def input_schema(specs: Iterable[FieldSpec], *, creating: bool) -> dict[str, Any]:
    """What is sent to make or to change a record."""
    known = list(specs)
    properties = {s.name: schema_of(s) for s in known}
    properties["answers"] = {
        "type": "array", "items": {"type": "string"}, "description": "对规则所提问题的回答",
    }  # fmt: skip
    found: dict[str, Any] = {"type": "object", "properties": properties}
    needed = [
        s.name for s in known if s.required and s.default is None and not (s.shown_when or s.opens_when)
    ]
    if creating:
        properties["token"] = text("同一内容重复提交时只生效一次的标识")
    else:
        properties["version"] = {"type": "integer", "description": "读取时的版本号"}
        needed = ["version"]
    if needed:
        found["required"] = needed
    return found


def action_schema(action: Action) -> dict[str, Any]:
    """What is sent to carry an action out."""
    found = input_schema(action.fields, creating=True)
    ids = {"type": "array", "items": {"type": "integer"}, "description": "要处理的记录编号"}
    version = {"type": "integer", "description": "只处理一条时可提交读取时的版本号"}
    found["properties"] = {"ids": ids, "version": version, **found["properties"]}
    found["required"] = ["ids", *found.get("required", ())]
    return found


def ref(name: str) -> dict[str, Any]:
    """A schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}
