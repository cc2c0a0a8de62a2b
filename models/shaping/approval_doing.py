"""The deed that a request is about: its values on their way through JSON, and doing it in the end."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.engine import approving, forms, perform
from app.engine.actions import Act, Refusal
from app.engine.approving import CREATE, Deed
from app.engine.changes import plain, typed
from app.engine.fields import FieldSpec
from app.engine.forms import Keeping
from app.engine.scopes import Actor
from models.identity.rights import load_actor
from models.shaping.approval_tables import ApprovalRequest

_BESIDE = "beside"
"""Marks kept values that come beside those that are stored."""


def specs_of(deed: Deed, actor: Actor) -> dict[str, FieldSpec]:
    """The fields whose values the deed takes, by name."""
    return {s.name: s for s in deed.faced(actor.dealer_id).fields()}


def frozen(spec: FieldSpec, value: Any) -> Any:
    """A cleaned value as JSON keeps it, whole."""
    if isinstance(value, str) and not hasattr(value, "label"):
        return value
    if isinstance(value, Keeping):
        return {_BESIDE: [frozen(spec, v) for v in value]}
    if isinstance(value, list | tuple):
        return [frozen(spec, v) for v in value]
    return plain(value)


def thawed(spec: FieldSpec, value: Any) -> Any:
    """The value that the rule takes."""
    if isinstance(value, list):
        return [thawed(spec, v) for v in value]
    if isinstance(value, Mapping) and set(value) == {_BESIDE}:
        return Keeping(thawed(spec, v) for v in value[_BESIDE])
    if isinstance(value, str) and spec.kind in ("money", "number"):
        return Decimal(value)
    return typed(spec, value)


def do(act: Act, request: ApprovalRequest) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The deed itself; returns what has not become of it, and where its record stands. What the rule tells is for the
    applicant's eyes alone and kept nowhere."""
    applicant = load_actor(act.session, request.applicant_id)
    deed = approving.deed_named(request.deed)
    if applicant is None:
        raise Refusal("申请人已停用")
    if deed is None:
        raise Refusal("此操作已不存在")
    specs = specs_of(deed, applicant)
    values = {n: thawed(specs[n], v) for n, v in request.asked.items() if n in specs}
    if deed.action is None:
        return _do_form(act, request, deed.faced(applicant.dealer_id), values, applicant)
    ids = [r[0] for r in request.records]
    report = perform.perform(deed.action, ids, applicant, values, now=act.now, answers=request.answers)
    refused = "；".join(f"{r.label}：{r.reason}" for r in report.refused[:5])
    if refused and not report.done:
        raise Refusal(refused)
    said = f"完成 {report.done} 条，{len(report.refused)} 条未成功（{refused}）" if refused else ""
    return said, ()


def _do_form(
    act: Act, request: ApprovalRequest, deed: Deed, values: Mapping[str, Any], applicant: Actor
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The same of a creation, an edit or a deletion."""
    found, answers = deed.resource, request.answers
    if deed.code == CREATE:
        record, _ = perform.create(found, values, applicant, now=act.now, answers=answers)
        return "", ((perform.label_of(found, record), f"/{found.name}/{record.id}"),)
    if not request.records:
        raise Refusal("记录已不存在")
    number, version, _ = request.records[0]
    if not deed.edits:
        perform.remove(found, number, applicant, version=version, answers=answers)
        return "", ()
    record = perform.find(act.session, found, number, applicant)
    _still_asked(deed, values, applicant, record)
    perform.update(found, number, values, applicant, version=version, now=act.now, answers=answers)
    return "", ()


def _still_asked(deed: Deed, values: Mapping[str, Any], applicant: Actor, record: Any) -> None:
    """What the applicant may not fill in any more, the form would not have taken."""
    asked = forms.asked(deed.fields(), applicant, record)
    lost = [s.label for s in deed.fields() if s.name in values and s not in asked]
    if lost:
        raise Refusal(f"申请人现在不能填写“{'、'.join(lost)}”")
