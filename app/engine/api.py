"""The JSON API of every resource: the same listing, the same gate, the same `perform` as the pages.

``/api/v1/<resource>`` lists, reads, creates, changes, deletes and acts. Whoever calls it has a token
(``/api/v1/security/login``) or the session of the browser; unsafe calls by session need the CSRF header.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import jwt
from flask import Blueprint, Flask, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from flask_jwt_extended import (
    create_access_token,
    create_refresh_token,
    get_jwt_identity,
    verify_jwt_in_request,
)
from flask_jwt_extended.exceptions import JWTExtendedException
from werkzeug.exceptions import HTTPException

from app.engine import (
    counting,
    detail,
    filters,
    forms,
    listing,
    openapi,
    paging,
    perform,
    reading,
    savedviews,
    serial,
    throttle,
)
from app.engine.actions import Act, Action, Forbidden, Invalid, NotFound, Question, Refusal
from app.engine.addresses import arguments
from app.engine.approving import Submitted
from app.engine.database import MAX_ID, db, utcnow
from app.engine.faces import faced
from app.engine.fields import FieldSpec
from app.engine.resource import Resource, has_resource, resource_of
from app.engine.resource import resource as resource_named
from app.engine.scopes import Actor
from app.engine.security import current_actor, require_actor

PREFIX = "/api/v1"
_STEERING = frozenset({
    "q", "scope", "view", "sort", "per_page", "page", "after", "before", "last", "window", "include", "fields",
    savedviews.STANDS,
})  # fmt: skip
_ONE = "/<name>/<int:pk>"
"""One record. A number larger than any id matches too: a converter that refuses it would make the router
answer that the method is wrong."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_LONGEST_SECRET = 512
_WORDS = {
    400: "请求有误",
    404: "记录不存在或无权限查看",
    405: "此地址不支持这种操作",
    413: "提交的内容超过上限",
    415: "请以 application/json 提交",
    429: "操作过于频繁，请稍候再试",
}

api = Blueprint("api", __name__, url_prefix=PREFIX)


def register(app: Flask, csrf: Any) -> None:
    """Add the API to the application; ``csrf`` guards calls by session."""
    csrf.exempt(api)  # `_identify` asks for the header itself: a token needs none
    app.extensions["zhike.csrf"] = csrf
    if not app.config.get("JWT_SECRET_KEY"):
        # tokens and session cookies never share a key
        app.config["JWT_SECRET_KEY"] = sha256(f"api token {app.config['SECRET_KEY']}".encode()).hexdigest()
    app.register_blueprint(api)


@api.before_request
def _identify() -> None:
    """A token counts more than a session; a broken one is refused, never ignored."""
    if request.endpoint in ("api.login", "api.refresh"):
        return
    if request.headers.get("Authorization", "").startswith("Bearer "):
        verify_jwt_in_request()
    elif request.method not in _SAFE and current_app.config.get("WTF_CSRF_ENABLED", True):
        current_app.extensions["zhike.csrf"].protect()
    if (request.view_args or {}).get("pk", 0) > MAX_ID:
        raise NotFound


# ----- signing in


@api.post("/security/login")
def login() -> ResponseReturnValue:
    """Name and password for an access token and a refresh token, as often as the login page allows."""
    throttle.spend("login", current_app.config["AUTH_RATE_LIMIT"], request.remote_addr)
    sent = serial.body()
    username, password = sent.get("username"), sent.get("password")
    if not isinstance(username, str) or not isinstance(password, str) or len(password) > _LONGEST_SECRET:
        raise Invalid({"username": "请填写用户名和密码"})
    signed = current_app.appbuilder.sm.auth_user_db(serial.safe(username), password)  # type: ignore[attr-defined]
    if signed is None:
        return jsonify({"message": "用户名或密码不正确，或账号暂时锁定"}), 401
    identity = str(signed.id)
    return jsonify(
        {
            "access_token": create_access_token(identity=identity, fresh=True),
            "refresh_token": create_refresh_token(identity=identity),
            "message": "登录成功",
        }
    )


@api.post("/security/refresh")
def refresh() -> ResponseReturnValue:
    """A new access token for a refresh token sent as bearer."""
    verify_jwt_in_request(refresh=True)
    return jsonify({"access_token": create_access_token(identity=get_jwt_identity(), fresh=False)})


@api.get("/openapi.json")
def description() -> ResponseReturnValue:
    """The description of this API."""
    return jsonify(openapi.document(PREFIX, current_actor()))


# ----- reading


def _resource(name: str, permission: str, label: str = "") -> tuple[type[Resource], Actor]:
    actor = require_actor()
    found = resource_named(name)
    if found is None or not found.api:
        raise NotFound
    if permission and not actor.can(permission, found.view_name()):
        raise Forbidden(label or found.label)
    return faced(found, actor.dealer_id), actor


@api.get("/<name>")
@api.get("/<name>/")
def index(name: str) -> ResponseReturnValue:
    """A page of the list: the filters, order and cursors of the list's own address."""
    found, actor = _resource(name, "can_list")
    session = db.session()
    args, saved = savedviews.opened(found, actor, arguments(request.args.to_dict(flat=False)))
    query = listing.parse(found, actor, args, utcnow(), session.get_bind().dialect.name)
    query.saved = saved
    specs = _checked(found, actor, args, query)
    chosen = serial.selected(specs)
    rows = reading.read(session, query, chosen)
    records = [serial.as_json(chosen, r.values, r.id, r.version, actor) for r in rows.records]
    serial.add_link_ids(session, specs, records)
    total, more = (rows.total, False) if rows.total is not None else counting.count(session, query)
    places = [paging.encode(r.place, r.id) for r in rows.records]
    return jsonify(
        {
            "result": records,
            "count": total,
            "count_is_at_least": more,
            "per_page": query.per_page,
            "after": places[-1] if places and rows.has_next else None,
            "before": places[0] if places and rows.has_previous else None,
            "filters": [f.label for f in query.filters],
            "notices": list(saved.notices),
        }
    )


def _checked(
    found: type[Resource], actor: Actor, args: listing.Args, query: listing.Query
) -> list[FieldSpec]:
    """Refuse what a page would forgive: a program should learn that its filter was not understood."""
    errors: dict[str, str] = {}
    known = set(_STEERING)
    for declared in filters.declared(found, actor):
        name = declared.spec.name
        known |= {name, *(f"{name}.{end}" for end in declared.ends)}
    errors |= {serial.safe(n): "没有这个筛选条件，或无权按此筛选" for n in args if n not in known}
    scope, view = listing.first(args, "scope"), listing.first(args, "view")
    sort, per_page = listing.first(args, "sort"), listing.first(args, "per_page")
    if scope and (query.scope is None or query.scope.value != scope):
        errors["scope"] = "没有这个数据范围的权限"
    if view and query.view is None:
        errors["view"] = "没有这个视图"
    if sort and query.sort.name != sort.removeprefix("-"):
        errors["sort"] = "不能按此列排序"
    if per_page and per_page != str(query.per_page):
        errors["per_page"] = f"应为 {'、'.join(str(n) for n in listing.PAGE_SIZES)} 之一"
    for end, cursor in (("after", query.after), ("before", query.before)):
        if listing.first(args, end) and cursor is None:
            errors[end] = "翻页位置无效"
    available = {s.name: s for s in serial.list_fields(found)}
    wanted = [n for text in args.get("fields", ()) for n in text.split(",") if n]
    if any(n not in available for n in wanted):
        errors["fields"] = "没有这些字段：" + "、".join(serial.safe(n) for n in wanted if n not in available)
    if query.errors:
        errors["filters"] = "；".join(query.errors)
    if errors:
        raise Invalid(errors)
    own = query.saved.view.columns if query.saved.view is not None else ()
    return [available[n] for n in wanted] or listing.columns(found, actor, own)


@api.get(_ONE)
def read(name: str, pk: int) -> ResponseReturnValue:
    """One record."""
    found, actor = _resource(name, "can_list")
    return jsonify({"result": _record(found, pk, actor)})


def _record(found: type[Resource], pk: int, actor: Actor) -> dict[str, Any]:
    session = db.session()
    specs = serial.record_fields(found)
    chosen = serial.selected(specs)
    values, _, version = detail.values_of(session, found, pk, actor, chosen)
    record = serial.as_json(chosen, [values[s.name] for s in chosen], pk, version, actor)
    serial.add_link_ids(session, specs, [record])
    return record


# ----- writing


@api.post("/<name>")
@api.post("/<name>/")
def create(name: str) -> ResponseReturnValue:
    """A new record; the answer may name another resource (a customer without phone is a contact)."""
    found, actor = _resource(name, "can_add")
    if not found.form:
        raise NotFound
    sent = serial.body()
    _, answers, token = serial.reserved(sent)
    specs = forms.editable(found, editing=False)
    context = forms.Context(db.session(), actor, utcnow())
    values = forms.clean(specs, serial.texts(specs, sent, creating=True), context)
    record, act = perform.create(found, values, actor, source="api", answers=answers, token=token)
    made = faced(resource_of(type(record)), actor.dealer_id)
    answer = jsonify(
        {
            "resource": made.name,
            "id": record.id,
            "result": _seen(made, record.id, actor),
            "warnings": [*dict.fromkeys(act.warnings), *act.told],
        }
    )
    return answer, 201, {"Location": f"{PREFIX}/{made.name}/{record.id}"}


def _seen(made: type[Resource], pk: int, actor: Actor) -> dict[str, Any] | None:
    """The record as far as its maker may see it."""
    try:
        return _record(made, pk, actor) if actor.can("can_list", made.view_name()) else None
    except NotFound:
        return None


@api.patch(_ONE)
def change(name: str, pk: int) -> ResponseReturnValue:
    """Change the fields that are sent; ``version`` is the one that was read."""
    found, actor = _resource(name, "can_edit")
    if not found.groups(editing=True):
        raise NotFound
    sent = serial.body()
    version, answers, _ = serial.reserved(sent)
    if version is None and hasattr(found.model, "version"):
        raise Invalid({"version": "请提交读取时的版本号"})
    specs = forms.editable(found, editing=True)
    record = perform.find(db.session(), found, pk, actor)
    context = forms.Context(db.session(), actor, utcnow(), record)
    values = forms.clean(specs, serial.texts(specs, sent, creating=False), context, partial=True)
    _, act = perform.update(found, pk, values, actor, version=version, source="api", answers=answers)
    warnings = list(dict.fromkeys(act.warnings))
    return jsonify({"result": _seen(found, pk, actor), "warnings": warnings})


@api.delete(_ONE)
def delete(name: str, pk: int) -> ResponseReturnValue:
    """Delete, where the resource says how."""
    found, actor = _resource(name, "")
    _, answers, _ = serial.reserved(serial.body())
    perform.remove(found, pk, actor, source="api", answers=answers)
    return jsonify({"message": "已删除"})


@api.post("/<name>/actions/<action_name>")
def act(name: str, action_name: str) -> ResponseReturnValue:
    """An action on the records ``ids``; the answer says of each what became of it."""
    found, actor = _resource(name, "")
    action = next((a for a in found.actions if a.name == action_name), None)
    if action is None or not has_resource(action.model):
        raise NotFound
    perform.require_action(actor, action, found)
    sent = serial.body()
    version, answers, token = serial.reserved(sent)
    context = forms.Context(db.session(), actor, utcnow())
    if action.before is not None:
        action.before(Act(actor, context.now, context.session, "api", action.name))
    texts = serial.texts(action.fields, sent, creating=True)
    values = forms.clean(action.fields, texts, context)
    report = perform.perform(
        action,
        _ids(sent, action),
        actor,
        values,
        source="api",
        version=version,
        answers=answers,
        token=token,
    )
    return jsonify(
        {
            "done": report.done,
            "results": [
                {"id": r.id, "label": r.label, "ok": r.ok, "reason": r.reason}
                | ({"waiting": True} if r.waits else {})
                for r in report.results
            ],
            "warnings": [*report.warnings, *report.told],
            "messages": list(report.messages),
        }
    )


def _ids(sent: dict[str, Any], action: Action) -> list[int]:
    ids = sent.get("ids")
    good = isinstance(ids, list) and all(isinstance(i, int) and not isinstance(i, bool) for i in ids)
    if not good or not ids:
        raise Invalid({"ids": "请提交记录编号的列表"})
    if len(ids) > 1 and not action.batch:
        raise Invalid({"ids": "此操作一次只能处理一条记录"})
    if any(not 0 < i < 2**31 for i in ids):
        raise NotFound
    return list(ids)


# ----- answers in words


@api.errorhandler(Invalid)
def _invalid(wrong: Invalid) -> ResponseReturnValue:
    return jsonify({"message": wrong.message, "errors": wrong.errors}), 400


@api.errorhandler(Question)
def _question(question: Question) -> ResponseReturnValue:
    """Nothing was done; sending the same again with one of the ``answers`` goes on."""
    asked = {
        "heading": question.heading,
        "text": question.text,
        "answers": [{"label": a.label, "value": a.value, "url": a.url} for a in question.answers],
        "headings": list(question.headings),
        "rows": [list(row) for row in question.rows],
    }
    return jsonify({"message": question.message, "question": asked}), 409


@api.errorhandler(perform.AlreadyDone)
def _already_done(done: perform.AlreadyDone) -> ResponseReturnValue:
    return jsonify({"message": done.message, "url": done.url}), 409


@api.errorhandler(Submitted)
def _submitted(sent: Submitted) -> ResponseReturnValue:
    """Nothing was done yet: it waits for approval."""
    return jsonify({"message": sent.message, "url": sent.url}), sent.status


@api.errorhandler(Refusal)
def _refused(refusal: Refusal) -> ResponseReturnValue:
    errors = {refusal.field: refusal.message} if refusal.field else {}
    return jsonify({"message": refusal.message, **({"errors": errors} if errors else {})}), refusal.status


@api.errorhandler(PermissionError)
@api.errorhandler(JWTExtendedException)
@api.errorhandler(jwt.PyJWTError)
def _unknown(_error: Exception) -> ResponseReturnValue:
    return jsonify({"message": "登录已失效，请重新登录"}), 401


@api.errorhandler(HTTPException)
def _http(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    return jsonify({"message": _WORDS.get(code, _WORDS[400])}), code
