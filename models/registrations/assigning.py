"""Leads in showrooms: assigning them, the showroom's own copy, taking them back (E-62…E-71)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, exists, false, select
from sqlalchemy.orm import Session, aliased

from app.engine import audit
from app.engine.actions import Act, Invalid, Refusal, action
from app.engine.events import publish
from app.engine.fields import entry
from app.engine.resource import resource_of
from app.engine.scopes import Actor, Scope, scopes_of
from models.customers.persons import touch
from models.identity.tables import BrandCategory, Store
from models.registrations.settings import SAME_TYPE, SameType
from models.registrations.tables import Assignment, AuditStatus, Progress, Registration
from models.settings.queries import parameter

USED = "该订货类型已指派"
WITHDRAWN = "该指派已撤回"
COPIED = ("name", "city", "district", "community", "room", "phone", "telephone", "company", "designer")
"""What the showroom gets of the lead, and corrects in its own copy (E-69)."""
_FURTHEST = tuple(Progress)


# ----- which order types a lead has used (E-65)


def _by_brand(session: Session, dealer_id: int | None) -> bool:
    return SameType.of(parameter(session, SAME_TYPE, dealer_id)) is SameType.BRAND_CATEGORY


def _used(lead_id: int, by_brand: bool, except_id: int | None = None) -> ColumnElement[bool]:
    """Of an order type: a live assignment of the lead is of the same. What the types are now decides, not
    what was stored with the assignments: the setting may have been another one."""
    taken = aliased(BrandCategory)
    same = taken.category_id == BrandCategory.category_id
    if by_brand:
        same &= taken.brand_id == BrandCategory.brand_id
    live = (Assignment.registration_id == lead_id) & Assignment.withdrawn_at.is_(None)
    if except_id is not None:
        live &= Assignment.id != except_id
    found = select(Assignment.id).join(taken, taken.id == Assignment.brand_category_id)
    return exists(found.where(live, same).correlate(BrandCategory))


def used_up(session: Session, leads: Sequence[int]) -> ColumnElement[bool]:
    """The order types that a form does not offer for this lead; of several leads each has used others."""
    if len(leads) != 1:
        return false()
    dealer_id = session.scalar(select(Registration.dealer_id).where(Registration.id == leads[0]))
    return _used(leads[0], _by_brand(session, dealer_id))


def _take_type(act: Act, assignment: Assignment, type_id: int, field: str) -> None:
    """Give an assignment its order type, once per lead (E-65); the lead is locked by whoever calls."""
    session = act.session
    wanted = session.get(BrandCategory, type_id)
    if wanted is None:
        raise Invalid({field: "请选择订货类型"})
    by_brand = _by_brand(session, assignment.dealer_id)
    used = _used(assignment.registration_id, by_brand, assignment.id)
    with session.no_autoflush:
        if session.scalar(select(BrandCategory.id).where(BrandCategory.id == type_id, used)) is not None:
            raise Refusal(USED, field=field)
    assignment.brand_category_id = wanted.id
    assignment.used_type = f"{wanted.brand_id}:{wanted.category_id}" if by_brand else str(wanted.category_id)


# ----- what follows from the assignments of a lead


def settle(session: Session, lead: Registration) -> None:
    """Make a lead's progress and audit status what its live assignments say (E-68, E-82): the furthest; passed
    if any passed, failed if all are judged and none passed.

    Nobody typed them, so the lead's version stays: a form that is open elsewhere is refused by its rule, in
    words that say why (E-38).
    """
    session.flush()
    live = (Assignment.registration_id == lead.id) & Assignment.withdrawn_at.is_(None)
    found = session.execute(select(Assignment.progress, Assignment.verdict).where(live)).all()
    progress = max((row[0] for row in found), key=_FURTHEST.index, default=Progress.REGISTERED)
    verdicts = {row[1] for row in found}
    status = AuditStatus.PENDING
    if AuditStatus.PASSED in verdicts:
        status = AuditStatus.PASSED
    elif verdicts == {AuditStatus.FAILED}:
        status = AuditStatus.FAILED
    wanted = {"progress": progress, "audit_status": status}
    changed = {name: value for name, value in wanted.items() if getattr(lead, name) != value}
    for name, value in changed.items():
        audit.note(session, lead, name, [getattr(lead, name)], [value])
    if changed:
        touch(session, lead, **changed)


# ----- whose an assignment is


def of_showroom(assignment: Assignment, act: Act) -> None:
    """Refuse to whoever sees an assignment only as one of a lead of his own: the showroom works on it, and
    those who look after the whole dealer."""
    opened = scopes_of(resource_of(Assignment), act.actor)
    if not opened & {Scope.DEALER, Scope.GROUP} and act.actor.store_id != assignment.store_id:
        raise Refusal("只有该展厅的人员可以操作")


def is_live(assignment: Assignment) -> bool:
    """Whether it was not withdrawn."""
    return assignment.withdrawn_at is None


def lead_of(act: Act, assignment: Assignment) -> Registration:
    """The lead, which was locked before its assignment."""
    return act.session.get_one(Registration, assignment.registration_id)


# ----- what people do


def _presets(lead: Registration, act: Act) -> dict[str, Any]:
    """The lead's own order type, as long as it is left."""
    own = lead.brand_category_id
    left = ~used_up(act.session, [lead.id])
    known = act.session.scalar(select(BrandCategory.id).where(BrandCategory.id == own, left)) if own else None
    return {} if known is None else {"brand_category": known}


@action(
    "客户线索分配到展厅", on=Registration, icon="building-store", menu=True, presets=_presets,
    fields=(
        entry("showroom", "展厅", target=Store, required=True),
        entry("brand_category", "订货类型", target=BrandCategory, spent=used_up,
              hint="留空为客户线索自己的订货类型；已指派的订货类型不再列出"),
        entry("remark", "指派备注", "textarea", maxlength=200),
    ),
)  # fmt: skip
def assign(
    lead: Registration, act: Act, showroom: int, brand_category: int | None = None, remark: str | None = None
) -> str:
    """Give a lead to a showroom for one order type; it may go to several, for another type each (E-63…E-66)."""
    session = act.session
    store = session.get(Store, showroom)
    if store is None or store.dealer_id != lead.dealer_id or not store.active:
        raise Refusal("请选择本商场营业中的展厅", field="showroom")
    assignment = Assignment(
        registration_id=lead.id, remark=remark or None, assigner_id=act.actor.id or None,
        registrant_id=lead.registrant_id, outlet_id=lead.outlet_id, registered_at=lead.registered_at,
        store_id=store.id, dealer_id=lead.dealer_id, created_at=act.now,
        **{name: getattr(lead, name) for name in COPIED},
    )  # fmt: skip
    _take_type(act, assignment, brand_category or lead.brand_category_id or 0, "brand_category")
    session.add(assignment)
    settle(session, lead)
    publish(act, "lead.assigned", assignment, lead=lead)
    return f"已指派到{store.name}"


def frozen(assignment: Assignment, _actor: Actor) -> str:
    """Why a showroom's copy stays as it is: it was taken back, or what was judged would be another (E-69)."""
    if not is_live(assignment):
        return f"{WITHDRAWN}，不能修改"
    if assignment.verdict != AuditStatus.PENDING:
        return "该指派已审核，修改会影响审核依据，不能修改"
    return ""


def correct(assignment: Assignment, act: Act, values: dict[str, Any]) -> None:
    """The showroom corrects its copy; the registration stays as it was filed, and the two are compared in the
    audit (E-69). Whoever filed the lead does not touch what it is compared with."""
    if assignment.registrant_id == act.actor.id:
        raise Refusal("展厅资料用于审核对比，报备人不能修改")
    of_showroom(assignment, act)
    wanted = values.get("brand_category_id")
    if wanted and wanted != assignment.brand_category_id:
        _take_type(act, assignment, wanted, "brand_category_id")


@action(
    "撤回指派", on=Assignment, name="withdraw", icon="arrow-back-up", tone="r", menu=True,
    fields=(entry("reason", "撤回原因", "textarea", required=True, maxlength=200),),
    when=lambda a: is_live(a) and a.progress == Progress.ASSIGNED and a.verdict == AuditStatus.PENDING,
)  # fmt: skip
def withdraw(assignment: Assignment, act: Act, reason: str) -> None:
    """Take a lead back from a showroom before deposit and audit (E-70); the row stays as history, and its
    order type may be assigned again."""
    if not is_live(assignment):
        raise Refusal(WITHDRAWN)
    if assignment.verdict != AuditStatus.PENDING:
        raise Refusal("该指派已审核，不能撤回")
    if assignment.progress != Progress.ASSIGNED:
        raise Refusal("该指派已付定，不能撤回")
    assignment.withdrawn_at, assignment.withdrawn_by_id = act.now, act.actor.id or None
    assignment.withdraw_reason = reason
    lead = lead_of(act, assignment)
    settle(act.session, lead)
    publish(act, "assignment.withdrawn", assignment, lead=lead)
