"""The OpenAPI description of the JSON API, generated from the declarations."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from app.engine import listing, relative
from app.engine.actions import Action
from app.engine.faces import faced
from app.engine.fields import describe
from app.engine.openapi_schemas import action_schema, input_schema, list_schema, record_schema, ref, text
from app.engine.resource import Between, Part, Resource, fields_of, filtered, resources
from app.engine.scopes import Actor, offered

_JSON = "application/json"


def document(prefix: str, actor: Actor | None = None) -> dict[str, Any]:
    """The whole description, with the fields that the dealer of this person has added."""
    shown = resources() if actor is None else (faced(r, actor.dealer_id) for r in resources())
    return _document(prefix, tuple(r for r in shown if r.api and r.columns))


@lru_cache(maxsize=8)
def _document(prefix: str, described: tuple[Any, ...]) -> dict[str, Any]:
    paths: dict[str, Any] = {
        f"{prefix}/security/login": {"post": _login()},
        f"{prefix}/security/refresh": {"post": _refresh()},
    }
    schemas = _common()
    tags = [{"name": "登录", "description": "取得访问令牌"}]
    for resource in described:
        _add_resource(resource, prefix, paths, schemas)
        tags.append({"name": resource.label, "description": f"{resource.label}的列表、详情与操作"})
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "知客接口",
            "version": "1",
            "description": "与页面相同的列表、权限、脱敏与规则。无权查看的字段只有掩码，另附“字段名_locked”",
        },
        "tags": tags,
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": _responses(),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "登录接口返回的 access_token",
                }
            },
        },
    }


def _common() -> dict[str, Any]:
    text, texts = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
    answer = {"type": "object", "properties": {"label": text, "value": text, "url": text}}
    return {
        "Error": {
            "type": "object",
            "required": ["message"],
            "properties": {
                "message": {"type": "string", "description": "给人看的中文说明"},
                "errors": {"type": "object", "additionalProperties": text, "description": "按字段列出的问题"},
            },
        },
        "Question": {
            "type": "object",
            "description": "规则需要确认：没有执行任何修改，带上所选 answers 重新提交即可继续",
            "required": ["message", "question"],
            "properties": {
                "message": text,
                "question": {
                    "type": "object",
                    "properties": {
                        "heading": text,
                        "text": text,
                        "answers": {"type": "array", "items": answer},
                        "headings": texts,
                        "rows": {"type": "array", "items": texts},
                    },
                },
            },
        },
        "Report": {
            "type": "object",
            "properties": {
                "done": {"type": "integer", "description": "成功的记录数"},
                "results": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "id": {"type": "integer"},
                            "label": text,
                            "ok": {"type": "boolean"},
                            "reason": text,
                            "waiting": {"type": "boolean", "description": "已提交审批，通过后才执行"},
                        },
                    },
                },
                "warnings": texts,
                "messages": texts,
            },
        },
    }


_REFUSED = {
    "400": "内容有误，errors 按字段说明",
    "401": "未登录或令牌失效",
    "403": "无权限",
    "404": "记录不存在或无权限查看",
    "409": "数据已被他人修改、重复提交，或规则需要确认（question）",
    "413": "内容超过上限",
    "415": "不是 application/json",
    "429": "操作过于频繁，请稍候再试",
}
_CHANGING = tuple(code for code in _REFUSED if code != "429")  # only signing in is limited


def _responses() -> dict[str, Any]:
    error = {"$ref": "#/components/schemas/Error"}
    asked = {"oneOf": [error, {"$ref": "#/components/schemas/Question"}]}
    return {
        code: {"description": words, "content": {_JSON: {"schema": asked if code == "409" else error}}}
        for code, words in _REFUSED.items()
    }


def _errors(*codes: str) -> dict[str, Any]:
    return {code: {"$ref": f"#/components/responses/{code}"} for code in codes}


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {_JSON: {"schema": schema}}}


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {_JSON: {"schema": schema}}}


def _waits() -> dict[str, Any]:
    """The answer about what needs approval."""
    told = {"message": {"type": "string"}, "url": {"type": "string", "description": "申请所在的页面"}}
    return {"202": _answer("已提交审批，通过后才执行", {"type": "object", "properties": told})}


def _login() -> dict[str, Any]:
    text = {"type": "string"}
    sent = {"type": "object", "required": ["username", "password"],
            "properties": {"username": text, "password": {**text, "format": "password"}}}  # fmt: skip
    back = {"type": "object", "properties": {"access_token": text, "refresh_token": text, "message": text}}
    return {
        "tags": ["登录"],
        "summary": "登录，取得访问令牌",
        "description": "连续失败五次，账号锁定一刻钟。",
        "security": [],
        "requestBody": _body(sent),
        "responses": {"200": _answer("访问令牌与刷新令牌", back), **_errors("400", "401", "415", "429")},
    }


def _refresh() -> dict[str, Any]:
    back = {"type": "object", "properties": {"access_token": {"type": "string"}}}
    return {
        "tags": ["登录"],
        "summary": "用刷新令牌换取新的访问令牌",
        "description": "刷新令牌作为 Bearer 提交。",
        "responses": {"200": _answer("新的访问令牌", back), **_errors("401")},
    }


def _add_resource(
    resource: type[Resource], prefix: str, paths: dict[str, Any], schemas: dict[str, Any]
) -> None:
    view, base = resource.view_name(), f"{prefix}/{resource.name}"
    schemas[view] = record_schema(resource)
    schemas[f"{view}List"] = list_schema(view)
    many: dict[str, Any] = {"get": _list_operation(resource, view)}
    one: dict[str, Any] = {"parameters": [_pk()], "get": _read_operation(resource, view)}
    if resource.form:
        schemas[f"{view}New"] = input_schema(fields_of(resource.groups(editing=False)), creating=True)
        many["post"] = _write_operation(resource, view, f"{view}New", creating=True)
    if resource.groups(editing=True):
        schemas[f"{view}Change"] = input_schema(fields_of(resource.groups(editing=True)), creating=False)
        one["patch"] = _write_operation(resource, view, f"{view}Change", creating=False)
    if resource.remove is not None:
        one["delete"] = _delete_operation(resource)
    paths[base], paths[f"{base}/{{id}}"] = many, one
    for action in resource.actions:
        schemas[f"{view}_{action.name}"] = action_schema(action)
        paths[f"{base}/actions/{action.name}"] = {"post": _action_operation(resource, action)}


def _pk() -> dict[str, Any]:
    return {"name": "id", "in": "path", "required": True, "description": "记录编号",
            "schema": {"type": "integer"}}  # fmt: skip


def _list_operation(resource: type[Resource], view: str) -> dict[str, Any]:
    return {
        "tags": [resource.label],
        "summary": f"{resource.label}列表",
        "description": f"q 可查：{resource.search_hint or '无'}",
        "parameters": [*_steering(resource), *_filters(resource)],
        "responses": {"200": _answer("一页记录", ref(f"{view}List")), **_errors("400", "401", "403")},
    }


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _steering(resource: type[Resource]) -> list[dict[str, Any]]:
    text = {"type": "string"}
    sorts = [describe(s).name for s in resource.sorts]
    found = [
        _parameter("q", "关键字", text),
        _parameter("scope", "数据范围，默认为本人可用的第一个",
                   {**text, "enum": sorted(s.value for s in offered(resource))}),
        _parameter("sort", "排序列，前加 - 为倒序",
                   {**text, **({"enum": [p + s for s in sorts for p in ("", "-")]} if sorts else {})}),
        _parameter("per_page", "每页条数", {"type": "integer", "enum": list(listing.PAGE_SIZES)}),
        _parameter("after", "从此位置向后翻页", text),
        _parameter("before", "从此位置向前翻页", text),
        _parameter("fields", "只返回这些字段，用逗号分隔", text),
        _parameter("saved_view", "已保存的视图的编号；同时给出的条件优先", {"type": "integer"}),
    ]  # fmt: skip
    if resource.views:
        found.append(_parameter("view", "视图", {**text, "enum": [v.name for v in resource.views]}))
    if resource.window is not None:
        words = f"默认只含近 {resource.window_days()} 天，all 为不限，或另给天数"
        found.append(_parameter("window", words, text))
    return found


def _filters(resource: type[Resource]) -> list[dict[str, Any]]:
    found = []
    for source in resource.filters:
        spec = describe(filtered(source))
        if isinstance(source, Between) or spec.kind in ("datetime", "date", "money", "number"):
            day = spec.kind in ("datetime", "date")
            kind = {"type": "string", "format": "date"} if day else {"type": "string"}
            found.append(_parameter(f"{spec.name}.from", f"{spec.label}从", kind))
            found.append(_parameter(f"{spec.name}.to", f"{spec.label}到（含）", kind))
            if spec.kind in ("date", "datetime"):
                words = f"{spec.label}的时间段，如 {'、'.join(relative.OFFERED[:3])}、last-30（近 30 天）"
                found.append(_parameter(f"{spec.name}.in", words, {"type": "string"}))
        elif isinstance(source, Part):
            found.append(_parameter(spec.name, f"{spec.label}中的一段文字", {"type": "string"}))
        else:
            found.append(_parameter(spec.name, f"{spec.label}，可重复；- 为未填写", {"type": "string"}))
    return found


def _read_operation(resource: type[Resource], view: str) -> dict[str, Any]:
    back = {"type": "object", "properties": {"result": ref(view)}}
    return {
        "tags": [resource.label],
        "summary": f"{resource.label}详情",
        "description": f"读取一条{resource.label}",
        "responses": {"200": _answer("这条记录", back), **_errors("401", "403", "404")},
    }


def _write_operation(resource: type[Resource], view: str, schema: str, *, creating: bool) -> dict[str, Any]:
    warnings = {"type": "array", "items": {"type": "string"}, "description": "提醒"}
    properties: dict[str, Any] = {"result": {**ref(view)}, "warnings": warnings}
    if creating:
        properties |= {"resource": text("实际建立的对象"), "id": {"type": "integer"}}
    verb = resource.create_label or f"新增{resource.label}" if creating else f"修改{resource.label}"
    codes = ("400", "401", "403", "409", "413", "415") if creating else _CHANGING
    return {
        "tags": [resource.label],
        "summary": verb,
        "description": f"{verb}，与页面上的表单检查相同",
        "requestBody": _body(ref(schema)),
        "responses": {
            "201" if creating else "200": _answer("已保存", {"type": "object", "properties": properties}),
            **_waits(),
            **_errors(*codes),
        },
    }


def _delete_operation(resource: type[Resource]) -> dict[str, Any]:
    back = {"type": "object", "properties": {"message": {"type": "string"}}}
    answers = {"type": "array", "items": {"type": "string"}, "description": "对规则所提问题的回答"}
    return {
        "tags": [resource.label],
        "summary": f"删除{resource.label}",
        "description": "规则不允许时说明原因",
        "requestBody": {**_body({"type": "object", "properties": {"answers": answers}}), "required": False},
        "responses": {
            "200": _answer("已删除", back),
            **_waits(),
            **_errors("400", "401", "403", "404", "409"),
        },
    }


def _action_operation(resource: type[Resource], action: Action) -> dict[str, Any]:
    return {
        "tags": [resource.label],
        "summary": f"{resource.label}：{action.label}",
        "description": action.confirm or action.label,
        "requestBody": _body(ref(f"{resource.view_name()}_{action.name}")),
        "responses": {"200": _answer("逐条结果", ref("Report")), **_errors(*_CHANGING)},
    }
