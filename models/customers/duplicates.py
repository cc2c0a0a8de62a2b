"""One engine for "this phone is on file": form, API and file alike (A-02…A-06, A-10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from app.engine.actions import Act, Answer, Question, Refusal
from app.engine.fields import is_mobile, normalise_phone
from app.engine.guards import hidden
from app.engine.resource import CheckResult, resource_of
from app.engine.scopes import Actor, visible
from models.customers import queries
from models.customers.policy import DuplicateRule, Effect, Entrance, SameWithin, Told
from models.customers.tables import Customer, Stage

HEADING = "此电话号码已建档，请选择建档标签"
BAD_PHONE = "请输入正确的手机号码"
REFUSED = "此电话号码已建档，不允许重复建档"
GO_ON, INSIST = "go_on", "insist"
HEADINGS = ("客户姓名", "门店", "导购", "状态")
_SAID = {Stage.INVALID: "已失效", Stage.LOST: "已战败"}
_ENTRANCES = {"web": Entrance.FORM, "mobile": Entrance.FORM, "api": Entrance.API}


class OnFile(Refusal):
    """The number belongs to that customer and makes no new file: the entry is to be absorbed (D-23)."""

    def __init__(self, customer_id: int, phones: Sequence[str]) -> None:
        super().__init__(REFUSED, field="phone")
        self.customer_id = customer_id
        self.phones = tuple(phones)


@dataclass(frozen=True)
class Policy:
    """What holds at one entrance of one dealer; the default is the one of 家居定制."""

    within: SameWithin = SameWithin.DEALER
    effect: Effect = Effect.INSIST
    told: Told = Told.OWNER


def entrance_of(source: str) -> Entrance:
    """The policy's entrance for the way a deed came in."""
    return _ENTRANCES.get(source, Entrance.IMPORT)


def policy(session: Session, entrance: Entrance, dealer_id: int) -> Policy:
    """The dealer's own row, else the group's, else the default."""
    statement = (
        select(DuplicateRule)
        .where(DuplicateRule.entrance == entrance)
        .where(or_(DuplicateRule.dealer_id == dealer_id, DuplicateRule.dealer_id.is_(None)))
        .order_by(DuplicateRule.dealer_id.is_(None))
    )
    row = session.scalars(statement).first()
    return Policy(row.within, row.effect, row.told) if row else Policy()


def clean_phones(phones: Sequence[str | None]) -> list[str]:
    """The numbers normalised, without blanks and repetitions; a wrong one is refused (A-09)."""
    cleaned = list(dict.fromkeys(normalise_phone(p) for p in phones if p and p.strip()))
    if not all(is_mobile(p) for p in cleaned):
        raise Refusal(BAD_PHONE, field="phone")
    return cleaned


def check(
    act: Act,
    customer: Customer,
    phones: Sequence[str],
    *,
    except_id: int | None = None,
    typed: Sequence[str] = (),
) -> None:
    """Apply the policy to numbers about to be filed for ``customer``, under a lock.

    Raises the first or second question, or refuses; what was answered stands in ``act.answers``. Whoever
    reads no numbers is not told which of several is on file, nor whose it is: among ``typed`` (what was
    submitted, by default the same numbers) it could be guessed.
    """
    if not phones:
        return
    rule = policy(act.session, entrance_of(act.source), customer.dealer_id)
    queries.lock_phones(act.session, customer.dealer_id, phones)
    condition = queries.same_phone(
        act.session, phones, customer.dealer_id, customer.store_id, rule.within, except_id
    )
    found = queries.matches(act.session, condition)
    if not found:
        return
    asked = typed or phones
    blind = len(asked) > 1 and hidden(Customer.phone, act.actor) is not None
    rows = () if blind else _rows(found, rule)
    if rule.effect == Effect.REFUSE:
        raise Refusal(REFUSED, field="phone")
    if rule.effect == Effect.ABSORB:
        raise OnFile(found[0][0], phones)
    text = _text(rule, 0 if blind else len(rows) or len(found))
    if rule.effect == Effect.WARN:
        act.warn(text)
        return
    links = () if blind else _links(act, condition, found)
    question = _question(act, text, (asked if blind else phones)[0], rows, links, hinted=blind)
    if question is not None:
        raise question


@dataclass(frozen=True)
class Met:
    """The customers that have a number already, for a rule that joins one of them or asks which."""

    policy: Policy
    ids: tuple[int, ...]
    """The newest first, those that can still be worked with before the invalid ones."""
    question: Callable[[str, str, tuple[Answer, ...]], Question]
    """Asks about them with ``(heading, text, answers)``: the text after how many there are, and below it what
    the policy lets be told."""


def meet(act: Act, phone: str, dealer_id: int, store_id: int) -> Met | None:
    """Who has this number where the policy of the entrance looks for it, under the lock of the number."""
    rule = policy(act.session, entrance_of(act.source), dealer_id)
    queries.lock_phones(act.session, dealer_id, [phone])
    condition = queries.same_phone(act.session, [phone], dealer_id, store_id, rule.within, None)
    found = queries.matches(act.session, condition)
    if not found:
        return None
    rows, links = _rows(found, rule), _links(act, condition, found)

    def question(heading: str, text: str, answers: tuple[Answer, ...]) -> Question:
        words = f"{_text(rule, len(found))}。{text}"
        return Question(heading, words, answers, HEADINGS if rows else (), rows, links)

    ids = sorted(found, key=lambda row: row[4] == Stage.INVALID)
    return Met(rule, tuple(row[0] for row in ids), question)


def _text(rule: Policy, amount: int) -> str:
    where = "本商场" if rule.within == SameWithin.DEALER else "本门店"
    return f"{where}已有{amount}位电话号码相同的客户" if amount else f"所填号码中有{where}已建档的号码"


def _rows(found: Sequence[Any], rule: Policy) -> tuple[tuple[str, ...], ...]:
    if rule.told == Told.NOTHING:
        return ()
    return tuple(
        (name, store, owner or "", _SAID.get(stage, stage.label)) for _, name, store, owner, stage in found
    )


def _links(act: Act, condition: ColumnElement[bool], found: Sequence[Any]) -> tuple[str, ...]:
    """The pages of the customers found, empty for those this person will not find in any list."""
    resource = resource_of(Customer)
    statement = select(Customer.id).where(condition, visible(resource, act.actor))
    within = set(act.session.scalars(statement, act.actor.params))
    may = act.actor.can("can_list", resource.view_name())
    return tuple(f"/{resource.name}/{row[0]}" if may and row[0] in within else "" for row in found)


def _question(
    act: Act,
    text: str,
    phone: str,
    rows: tuple[tuple[str, ...], ...],
    links: tuple[str, ...],
    *,
    hinted: bool = False,
) -> Question | None:
    """The question still open for this number; an answer given for one number is none for another, and
    nobody answers the second before the first (A-04). A ``hinted`` one does not say whose number it is."""
    if f"{GO_ON}:{phone}" not in act.answers:
        return _first(text, phone, rows, links)
    if f"{INSIST}:{phone}" not in act.answers:
        return _second(phone, rows, links, within_reach=hinted or any(links))
    return None


def _first(text: str, phone: str, rows: tuple[tuple[str, ...], ...], links: tuple[str, ...]) -> Question:
    answers = (
        Answer("放弃创建", url="/customers/"),
        Answer("继续创建", value=f"{GO_ON}:{phone}", primary=True),
    )
    return Question(HEADING, f"{text}。", answers, HEADINGS if rows else (), rows, links)


def _second(
    phone: str, rows: tuple[tuple[str, ...], ...], links: tuple[str, ...], *, within_reach: bool
) -> Question:
    answers = (
        Answer("添加品类", url=f"/customers/?q={phone}", primary=within_reach),
        Answer("继续建档", value=f"{INSIST}:{phone}", primary=not within_reach),
        Answer("取消"),
    )
    text = "同一位客户请选择“添加品类”，在已有客户上继续服务；确需另建服务号请选择“继续建档”。"
    if not within_reach:
        text = "已有客户不在您的数据范围内，添加品类请联系其导购；确需另建服务号请选择“继续建档”。"
    return Question("温馨提示", text, answers, HEADINGS if rows else (), rows, links)


def told(
    session: Session,
    actor: Actor,
    phones: Sequence[str],
    dealer_id: int | None,
    store_id: int | None,
    source: str,
) -> str:
    """One sentence about the first number that is on file: the file itself where the person sees it, else
    what the policy lets be told."""
    if dealer_id is None:
        return ""
    rule = policy(session, entrance_of(source), dealer_id)
    for phone in phones:
        condition = queries.same_phone(session, [phone], dealer_id, store_id, rule.within, None)
        found = queries.matches(session, condition)
        if not found:
            continue
        seen = select(Customer.id, Customer.code).where(condition, visible(resource_of(Customer), actor))
        newest = session.execute(seen.order_by(Customer.id.desc()).limit(1), actor.params).first()
        if newest is not None:
            found = queries.matches(session, Customer.id == newest.id)
        code = f"服务号 {newest.code}" if newest is not None else ""
        known = _rows(found, rule) or (_rows(found, Policy()) if newest is not None else ())
        about = "，".join(part for part in (code, *(known[0][1:3] if known else ())) if part)
        return f"手机号码 {phone} 已建档（{about}）" if about else f"手机号码 {phone} 已建档"
    return ""


def check_phone(text: str, act: Act) -> CheckResult:
    """The answer while a phone is typed, before anything is saved (A-02, A-09)."""
    phone = normalise_phone(text)
    if not phone:
        return CheckResult(True)
    if not is_mobile(phone):
        return CheckResult(False, BAD_PHONE)
    dealer_id = act.actor.dealer_id
    if dealer_id is None:
        return CheckResult(True)
    rule = policy(act.session, entrance_of(act.source), dealer_id)
    condition = queries.same_phone(act.session, [phone], dealer_id, act.actor.store_id, rule.within, None)
    found = queries.matches(act.session, condition)
    if not found:
        return CheckResult(True)
    rows = _rows(found, rule)
    text = _text(rule, len(rows) or len(found))
    if rule.effect == Effect.REFUSE:
        return CheckResult(False, REFUSED)
    if rule.effect == Effect.ABSORB:
        return CheckResult(True, f"{text}，保存后不重复建档，将安排当日回访")
    if rule.effect == Effect.WARN:
        return CheckResult(True, text)
    return CheckResult(False, HEADING, _question(act, text, phone, rows, _links(act, condition, found)))
