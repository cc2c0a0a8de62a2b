"""Judging whether a claim is valid, and what follows from the verdict (E-57, E-74…E-82)."""

from __future__ import annotations

from app.engine.actions import UNCHANGED, Act, Done, Invalid, Refusal, action
from app.engine.choices import entries_of
from app.engine.events import publish
from app.engine.fields import entry
from app.engine.guards import without_numbers
from app.engine.perform import find
from app.engine.resource import resource_of
from models.customers.persons import touch
from models.identity.tables import BrandCategory, Employee
from models.notifications.telling import NUMBER, tell
from models.notifications.topics import Topic, declare
from models.registrations import protection
from models.registrations.assigning import settle
from models.registrations.tables import Assignment, AuditStatus, Registration

AUDIT = declare(Topic("registration.audit", "报备审核", "clipboard-check", hourly=False))
NO_VERDICT = "请选择审核结果"
NO_REMARK = "请输入备注信息"
OWN = "不能审核本人报备的客户，请由其他主管审核"
WITHDRAWN = "该指派已撤回，不能审核"
NOT_JUDGED = "该报备尚未审核，请直接审核"

VERDICTS = tuple(e for e in entries_of(AuditStatus) if e.value != AuditStatus.PENDING.value)
FIELDS = (
    entry("verdict", "审核结果", options=VERDICTS, required=True),
    entry("remark", "审核备注", maxlength=200, hint="审核失败时必填"),
)


def judged(claim: Assignment) -> bool:
    """Whether somebody has decided on the claim."""
    return claim.verdict != AuditStatus.PENDING


def already(auditor: str, verdict: AuditStatus) -> str:
    """What is said to the second of two auditors."""
    who = f"由{auditor}" if auditor else ""
    return f"该报备已{who}审核，结果为“{verdict.label}”"


@action(
    "审核", on=Assignment, icon="clipboard-check", fields=FIELDS, permission_label="报备审核",
    when=lambda claim: not judged(claim) and claim.withdrawn_at is None,
    whom=lambda claim, actor: claim.registrant_id != actor.id,
)  # fmt: skip
def judge(claim: Assignment, act: Act, verdict: str, remark: str | None = None) -> None:
    """Decide for the first time (E-81); of two auditors at once the second learns what the first one said."""
    _require_judgeable(claim, act)
    if judged(claim):
        auditor = act.session.get(Employee, claim.auditor_id) if claim.auditor_id else None
        raise Refusal(already(auditor.name if auditor is not None else "", claim.verdict))
    _decide(claim, act, *_said(verdict, remark))


@action(
    "重新审核", on=Assignment, icon="clipboard-text", fields=FIELDS, permission_label="报备重新审核",
    when=lambda claim: judged(claim) and claim.withdrawn_at is None,
    whom=lambda claim, actor: claim.registrant_id != actor.id,
)  # fmt: skip
def judge_again(claim: Assignment, act: Act, verdict: str, remark: str | None = None) -> Done | None:
    """Change a verdict that was given; the history keeps both (E-82)."""
    _require_judgeable(claim, act)
    if not judged(claim):
        raise Refusal(NOT_JUDGED)
    decided, text = _said(verdict, remark)
    if (decided, text) == (claim.verdict, claim.audit_remark):
        return UNCHANGED
    _decide(claim, act, decided, text)
    return None


def _require_judgeable(claim: Assignment, act: Act) -> None:
    """Whoever judges a claim sees the lead, too: the grants decide whose (E-03)."""
    find(act.session, resource_of(Registration), claim.registration_id, act.actor)
    if claim.withdrawn_at is not None:
        raise Refusal(WITHDRAWN)
    if claim.registrant_id == act.actor.id:
        raise Refusal(OWN)


def _said(verdict: str | None, remark: str | None) -> tuple[AuditStatus, str | None]:
    """The verdict and its remark; raises `Invalid` when one of them is missing."""
    text = (remark or "").strip()
    if not verdict or verdict == AuditStatus.PENDING.value:
        raise Invalid({"verdict": NO_VERDICT})
    decided = AuditStatus.of(verdict)
    if decided == AuditStatus.FAILED and not text:
        raise Invalid({"remark": NO_REMARK})
    return decided, text or None


def _decide(claim: Assignment, act: Act, decided: AuditStatus, remark: str | None) -> None:
    lead = act.session.get_one(Registration, claim.registration_id)
    claim.verdict, claim.audit_remark = decided, remark
    claim.auditor_id, claim.judged_at = act.actor.id or None, act.now
    if lead.first_judged_at is None:
        touch(
            act.session, lead, first_judged_at=act.now
        )  # frees a slot of the registrant's quota, once (E-57)
    before = lead.audit_status
    settle(act.session, lead)
    _protect(lead, act, before)
    publish(act, "registration.judged", lead, claim=claim)
    _tell(act, lead, claim)


def _protect(lead: Registration, act: Act, before: AuditStatus) -> None:
    """A lead that has become valid shields its customer for some days; one that is not does not."""
    if lead.audit_status != AuditStatus.PASSED:
        touch(act.session, lead, protected_until=None)
    elif before != AuditStatus.PASSED:
        touch(act.session, lead, protected_until=protection.ends(act.session, lead.dealer_id, act.now))


def _tell(act: Act, lead: Registration, claim: Assignment) -> None:
    """The registrant learns the result; the remark is a person's words and may hold a number."""
    category = act.session.get(BrandCategory, claim.brand_category_id)
    kind = f"（{category.name}）" if category is not None else ""
    why = f"：{without_numbers(claim.audit_remark)}" if claim.audit_remark else ""
    result = f"审核{claim.verdict.label}"
    tell(
        act, [lead.registrant_id], AUDIT,
        f"您报备的客户{lead.name}{kind}{result}{why}", f"您报备的{NUMBER}条客户线索{result}",
        record=lead, label=f"{lead.name} {lead.code}", dealer_id=lead.dealer_id,
    )  # fmt: skip
