"""Records as JSON and JSON as what a form submits: the same gate, the same cleaning."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from app.engine import drawing
from app.engine.actions import Invalid, Refusal
from app.engine.attached import address, called
from app.engine.cells import entry_of
from app.engine.choices import Choice
from app.engine.fields import FILES, FieldSpec, describe
from app.engine.guards import Hidden
from app.engine.localtime import local
from app.engine.resource import Group, Resource
from app.engine.scopes import Actor

MAX_BODY = 1024 * 1024
RESERVED = frozenset({"version", "answers", "token", "ids"})
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def list_fields(resource: type[Resource]) -> list[FieldSpec]:
    """The fields a list may return: the columns of the page and those a person can switch on."""
    return _unique(describe(c) for c in (*resource.columns, *resource.more_columns))


def record_fields(resource: type[Resource]) -> list[FieldSpec]:
    """The fields of one record: everything its page, its form and its list show."""
    groups = (*resource.detail, *resource.groups(editing=True), *resource.groups(editing=False))
    grouped = [f for g in groups if isinstance(g, Group) for f in g.fields]
    head = [c for c in (resource.title, resource.code, resource.tags) if c is not None]
    specs = _unique(describe(s) for s in (*head, *resource.columns, *grouped))
    return [s for s in specs if s.attribute is not None or s.links is not None or s.values is not None]


def _unique(specs: Iterable[FieldSpec]) -> list[FieldSpec]:
    return list({s.name: s for s in specs if s.kind != "password"}.values())


def selected(specs: Sequence[FieldSpec]) -> list[FieldSpec]:
    """What to read for these fields: a reference is read twice, as number and as name; an amount as it is
    stored."""
    found: list[FieldSpec] = []
    for spec in specs:
        if spec.kind == "ref":
            found.append(replace(spec, name=f"{spec.name}.id", kind="integer", target=None))
        found.append(replace(spec, signed=None) if spec.signed is not None else spec)
    return found


def as_json(
    specs: Sequence[FieldSpec], values: Sequence[Any], record_id: int, version: int, actor: Actor
) -> dict[str, Any]:
    """One record from values parallel to ``selected(...)``, already gated.

    A masked value is its mask with ``<name>_locked`` naming the permission; what has no mask is absent
    (A-89, A-92).
    """
    found: dict[str, Any] = {"id": record_id, "version": version}
    for spec, value in zip(specs, values, strict=True):
        name = spec.name.removesuffix(".id")
        if isinstance(value, Hidden):
            if value.mask:
                found[name] = value.mask
                found[f"{name}_locked"] = value.guard.label
        elif spec.kind == "ref":
            found[f"{name}_name"] = None if value is None else str(value)
        elif spec.links is not None:
            found[name] = [{"name": label} for label, _tone in value or ()]
        elif spec.values is not None:
            found[name] = [str(v) for v in value or ()]
            lock = next((v.guard.label for v in value or () if isinstance(v, Hidden)), "")
            if lock:
                found[f"{name}_locked"] = lock
        else:
            found[name] = plain(value)
            if spec.kind in FILES:
                found[name] = called(value) or None
                found[f"{name}_url"] = address(spec, record_id) if value else None
            elif spec.kind == "choice":
                known = entry_of(spec, value, actor.dealer_id, actor.epoch) if value is not None else None
                found[f"{name}_label"] = known.label if known else None
            elif spec.kind == "choices":
                chosen = [entry_of(spec, v, actor.dealer_id, actor.epoch) for v in value or ()]
                found[f"{name}_labels"] = [e.label for e in chosen if e is not None]
    return found


def add_link_ids(session: Session, specs: Sequence[FieldSpec], records: Sequence[dict[str, Any]]) -> None:
    """Put the numbers beside the names of linked records; both come in the order of the numbers."""
    ids = [r["id"] for r in records]
    for spec in specs:
        if spec.links is None or not ids:
            continue
        left, right = spec.links.left, spec.links.right
        rows = session.execute(select(left, right).where(left.in_(ids)).order_by(left, right))
        by_record: dict[int, list[int]] = {}
        for owner, other in rows:
            by_record.setdefault(owner, []).append(other)
        for record in records:
            for shown, other in zip(record.get(spec.name, ()), by_record.get(record["id"], ()), strict=False):
                shown["id"] = other


def plain(value: Any) -> Any:
    """A value in JSON: times with Shanghai's offset, amounts as texts so that no cent is lost."""
    if isinstance(value, Choice):
        return value.value
    if isinstance(value, datetime):
        return local(value).isoformat(timespec="seconds") + "+08:00"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value


def body() -> dict[str, Any]:
    """The JSON object that was sent; raises what the person shall read about anything else."""
    if (request.content_length or 0) > MAX_BODY:
        raise RequestEntityTooLarge
    raw = request.get_data()
    if not raw:
        return {}
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    if len(raw) > MAX_BODY:
        raise RequestEntityTooLarge
    try:
        found = json.loads(raw, parse_constant=_refuse_constant)
        if b"\\ud" in raw.lower():
            json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError) as wrong:
        raise Refusal("请求内容不是有效的 JSON") from wrong
    if not isinstance(found, dict):
        raise Refusal("请求内容应为 JSON 对象")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def safe(text: str) -> str:
    """A short text that may be repeated in an answer."""
    return _UNSAFE.sub("", text)[:64]


def texts(specs: Sequence[FieldSpec], sent: Mapping[str, Any], *, creating: bool) -> dict[str, list[str]]:
    """What a form would have submitted. Unknown fields raise `Invalid`; when creating, fields that were
    not sent take their defaults."""
    known = {s.name: s for s in specs}
    errors = {safe(name): "不可填写此项" for name in sent if name not in known and name not in RESERVED}
    found: dict[str, list[str]] = {}
    for name, value in sent.items():
        if name not in known:
            continue
        try:
            found[name] = texts_of(known[name], value)
        except ValueError:
            errors[name] = "格式不正确"
    if errors:
        raise Invalid(errors)
    if creating:
        for spec in specs:
            if spec.name not in found and spec.default is not None:
                given = spec.default if spec.multiple else (spec.default,)
                found[spec.name] = [drawing.as_text(spec, value) for value in given]
    return found


def texts_of(spec: FieldSpec, value: Any) -> list[str]:
    """What a form would have submitted for one value; raises `ValueError` for one of another form."""
    if isinstance(value, list) and spec.multiple:
        return [_text_of(spec, item["id"] if _is_link(item) else item) for item in value]
    return [_text_of(spec, value)]


def _text_of(spec: FieldSpec, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) and spec.kind == "bool":
        return "1" if value else ""
    if isinstance(value, bool):
        raise ValueError
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return str(value)
    raise ValueError


def _is_link(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("id"), int) and not isinstance(item["id"], bool)


def reserved(sent: Mapping[str, Any]) -> tuple[int | None, list[str], str]:
    """Version, answers and the token of one submission, checked."""
    errors = {}
    version, answers, token = sent.get("version"), sent.get("answers", []), sent.get("token", "")
    if version is not None and (isinstance(version, bool) or not isinstance(version, int)):
        errors["version"] = "应为整数"
    if not isinstance(answers, list) or not all(isinstance(a, str) for a in answers):
        errors["answers"] = "应为文字的列表"
    if not isinstance(token, str):
        errors["token"] = "应为文字"
    if errors:
        raise Invalid(errors)
    return version, [safe(a) for a in answers[:20]], safe(token)
