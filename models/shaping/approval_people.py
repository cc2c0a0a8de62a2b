"""The steps of an approval in words, and who may speak at each of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.engine import conditionwords
from app.engine.actions import Refusal
from app.engine.approving import deed_named
from app.engine.choices import Entry
from app.engine.conditions import Wrong
from app.engine.configured import uses
from app.engine.configured.addresses import CONDITION
from app.engine.configured.values import Coder, coders
from app.engine.configuring import Named, Naming
from app.engine.fields import FieldSpec, entry
from app.engine.forms import Context
from app.engine.guards import derived
from app.engine.resource import resource_of
from app.engine.rowed import Row, Rowed, picked_in_rows
from app.engine.scopes import Actor
from app.engine.typed import typed_as_lines
from models.identity.for_all import is_for_all, refusal
from models.identity.queries import holders
from models.identity.roles import RoleAssignment, StaffRole
from models.identity.tables import Employee, Membership
from models.identity.templates import DEALER_ROLES

Step = Mapping[str, Any]

SEEING = ("can_list", "ApprovalRequests")
"""Whoever decides has to have the page of requests."""
LOOKING_AFTER = ("can_edit", "ApprovalFlows")
"""Whoever may change what has to wait sees to requests that have nobody left to answer."""
MANAGER, SUPERIOR, ROLE, PERSON = "manager", "superior", "role:", "person:"
"""``PERSON`` is said of a request that was passed on, and in no rule."""
MOST, LONGEST = 8, 720
_ADMIN = "admin"
_WORDS = {MANAGER: "申请人的店长", SUPERIOR: "申请人的上级"}
_WHO = {**{words: who for who, words in _WORDS.items()}, "店长": MANAGER, "上级": SUPERIOR}
_ALL, _ANY = ("全部同意", "全部", "所有人同意"), ("任一人同意", "任一同意", "任一人", "任一")
_ROLE, _LATER = "角色", "小时后转下一步"
_HOURS = re.compile(r"(\d{1,4}) ?(小时|天)(后?(未处理)?(转|到)下一步)?")
_EXAMPLE = "请写“申请人的上级”“申请人的店长”或“角色 角色名称”"


def who_words(step: Step) -> str:
    """Who speaks at a step, in words."""
    who = str(step.get("who"))
    if who.startswith(PERSON):
        return str(step.get("named", ""))
    return _WORDS.get(who) or f"{_ROLE} {step.get('named', '')}"


def step_words(step: Step) -> str:
    """A step as it is typed."""
    parts = [who_words(step)]
    if step.get("all"):
        parts.append(_ALL[0])
    if step.get("hours"):
        parts.append(f"{step['hours']}{_LATER}")
    return "，".join(parts)


def _in_words(value: Any, _actor: Actor | None) -> str:
    given = [value] if isinstance(value, Mapping) else value or ()  # the history asks step by step
    steps = [s for s in given if isinstance(s, Mapping)]
    return "\n".join(map(step_words, steps))


# ----- back


def parse(text: str, session: Session, dealer_id: int | None) -> list[dict[str, Any]]:
    """The steps that these lines say. Raises `Refusal` naming the line that cannot be understood, or that leads
    nowhere."""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    if not lines:
        raise Refusal("请至少填写一个审批步骤")
    if len(lines) > MOST:
        raise Refusal(f"最多{MOST}个步骤")
    steps = [_step(line, n, session, dealer_id) for n, line in enumerate(lines, 1)]
    seen: dict[str, int] = {}
    for n, step in enumerate(steps, 1):
        before = seen.setdefault(step["who"], n)
        if before != n:
            raise Refusal(f"第{n}步又回到了第{before}步的“{who_words(step)}”，同一审批人只能出现一次")
    if steps[-1].get("hours"):
        raise Refusal(f"第{len(steps)}步是最后一步，没有下一步可转，请去掉时限")
    return steps


def _step(line: str, n: int, session: Session, dealer_id: int | None) -> dict[str, Any]:
    who, *rest = _parts(line)
    if not who:
        raise Refusal(f"第{n}步请选择审批人")
    step: dict[str, Any] = _who(who, n, session, dealer_id)
    for part in filter(None, rest):
        hours = _HOURS.fullmatch(part)
        if part in _ALL:
            step["all"] = True
        elif hours is not None:
            step["hours"] = int(hours[1]) * (24 if hours[2] == "天" else 1)
            if not 0 < step["hours"] <= LONGEST:
                raise Refusal(f"第{n}步的时限请填写1至{LONGEST}小时")
        elif part not in _ANY:
            raise Refusal(f"第{n}步的“{part[:20]}”无法识别，可用：任一人同意、全部同意、24小时后转下一步")
    return step


def _parts(line: str) -> list[str]:
    return [part.strip() for part in re.split(r"[，,；;]", line)]


def _who(text: str, n: int, session: Session, dealer_id: int | None) -> dict[str, Any]:
    if text in _WHO:
        return {"who": _WHO[text]}
    label = text.removeprefix(_ROLE).lstrip(" ：:“").rstrip("”")
    if label == text or not label:
        raise Refusal(f"第{n}步的“{text[:20]}”无法识别，{_EXAMPLE}")
    key = _keys(session, dealer_id).get(label)
    if key is None:
        raise Refusal(f"第{n}步的角色“{label[:20]}”不存在")
    return {"who": ROLE + key, "named": label}


def _keys(session: Session, dealer_id: int | None) -> dict[str, str]:
    """What follows the owner in the stable names of the roles one may name, by label: a dealer's and the
    group's, or the presets of every dealer where the group decides for all."""
    if dealer_id is None:
        return {t.label: t.key for t in DEALER_ROLES}
    of = StaffRole.dealer_id.is_(None) | (StaffRole.dealer_id == dealer_id)
    with session.no_autoflush:
        rows = session.execute(select(StaffRole.label, StaffRole.name).where(of, StaffRole.label != ""))
    return {label: name.partition(":")[2] for label, name in rows}


def _read(_spec: FieldSpec, text: str, context: Context) -> list[dict[str, Any]]:
    dealer_id, own = owner(context), context.actor.dealer_id
    try:
        return parse(text, context.session, dealer_id)
    except Refusal:
        if dealer_id is None and own is not None:
            _refuse_own(parse(text, context.session, own), context.session)
        raise


def _refuse_own(steps: Iterable[Step], session: Session) -> None:
    """Raise `Refusal` for the first step with a role that only the dealer has."""
    known = _keys(session, None)
    for n, step in enumerate(steps, 1):
        if step.get("named") and step["named"] not in known:
            raise Refusal(refusal(f"第{n}步的角色“{step['named']}”", "审批流程"))


def owner(context: Context) -> int | None:
    """The dealer whose rule it is, or will be; None for one of the group."""
    if is_for_all(context):
        return None
    record = context.record
    dealer_id: int | None = context.actor.dealer_id if record is None else record.dealer_id
    return dealer_id


# ----- in rows


def _inputs(context: Context) -> list[FieldSpec]:
    """Who speaks, how many of them have to agree, and for how long the step waits."""
    roles = (f"{_ROLE} {label}" for label in sorted(_keys(context.session, owner(context))))
    people = tuple(Entry(words, words) for words in (*_WORDS.values(), *roles))
    return [
        entry("who", "审批人", options=people, placeholder="请选择审批人"),
        entry("how", "同意方式", options=tuple(Entry(words, words) for words in (_ANY[0], _ALL[0]))),
        entry("hours", "时限", "integer", unit=_LATER, placeholder="不限", maxlength=4),
    ]


def _split(line: str) -> Row:
    who, *rest = _parts(line)
    known = _WHO.get(who)
    row = {"who": _WORDS[known] if known is not None else who, "how": _ANY[0], "hours": ""}
    for part in rest:
        hours = _HOURS.fullmatch(part)
        if part in _ALL:
            row["how"] = _ALL[0]
        elif hours is not None:
            row["hours"] = str(int(hours[1]) * (24 if hours[2] == "天" else 1))
        elif part not in _ANY:
            row["hours"] = part.removesuffix(_LATER)
    return row


def _join(row: Row) -> str:
    """The line; a row in which nobody is picked and no time is set says nothing."""
    who, hours = row["who"], row["hours"]
    said = [who, *([_ALL[0]] if row["how"] == _ALL[0] else []), *([f"{hours}{_LATER}"] if hours else [])]
    return "，".join(said) if who or hours else ""


def _condition(_spec: FieldSpec, text: str, context: Context) -> dict[str, Any]:
    deed = deed_named(chosen("deed", context))
    if deed is None:
        raise Refusal("请先选择需审批的操作")
    return conditionwords.parse(deed, text, context.actor, context.session).to_json()  # type: ignore[arg-type]


def chosen(name: str, context: Context) -> str:
    """What another field of the form holds."""
    given = [t for t in context.texts.get(name, ()) if t]
    return given[-1] if given else str(getattr(context.record, name, None) or "")


def _lines_in(spec: FieldSpec, value: Any, context: Context, _names: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(line, str) for line in value):
        raise Wrong("格式不正确")
    return _read(spec, "\n".join(value), context)


def _roles_named(_flow: Any, steps: Any) -> Iterator[Named]:
    of = resource_of(StaffRole).name
    who = (str(step["who"]) for step in steps)
    return (Named(of, one.removeprefix(ROLE)) for one in who if one.startswith(ROLE))


typed_as_lines("approval_condition", _condition)
typed_as_lines("approval_steps", _read)
picked_in_rows("approval_steps", Rowed(_inputs, _split, _join, unit="步"))
derived["approval_condition"] = derived["condition"]
derived["approval_steps"] = _in_words
coders["approval_condition"] = CONDITION
uses.by_kind["approval_condition"] = uses.CONDITION
uses.by_kind["approval_steps"] = Naming(_roles_named)
coders["approval_steps"] = Coder(
    lambda value, _names: _in_words(value, None).splitlines(), _lines_in, names=True
)


# ----- who it is


def speakers(session: Session, step: Step, dealer_id: int, applicant_id: int) -> list[int]:
    """Who may decide at that step of this person's request; never the person."""
    who = str(step["who"])
    if who == MANAGER:
        found = _managers(session, dealer_id, applicant_id)
    elif who == SUPERIOR:
        found = _superiors(session, dealer_id, applicant_id)
    elif who.startswith(PERSON):
        found = {int(who.removeprefix(PERSON))}
    else:
        found = _with_role(session, dealer_id, [who.removeprefix(ROLE)])
    return _able(session, found - {applicant_id}, dealer_id)


def keepers(session: Session, dealer_id: int, applicant_id: int) -> list[int]:
    """Who sees to requests of that dealer that nobody else can answer: those who look after its rules, else those
    of the group; never the person who asked."""
    for place in (dealer_id, None):
        looking = set(holders(session, *LOOKING_AFTER, place)) - {applicant_id}
        found = _able(session, looking, place)
        if found:
            return found
    return []


def anybody(session: Session, step: Step, dealer_id: int) -> bool:
    """Whether there is somebody in the dealer who could decide at that step for somebody."""
    who = str(step["who"])
    keys = {MANAGER: ["manager"], SUPERIOR: ["manager", _ADMIN]}.get(who) or [who.removeprefix(ROLE)]
    return bool(_able(session, _with_role(session, dealer_id, keys), dealer_id))


def _able(session: Session, people: Iterable[int], dealer_id: int | None) -> list[int]:
    return sorted(set(people) & set(holders(session, *SEEING, dealer_id)))


def _superiors(session: Session, dealer_id: int, applicant_id: int) -> set[int]:
    """上级: of somebody in a store its managers, of a manager the administrators of the dealer; so of
    somebody whose store has none."""
    managers = _managers(session, dealer_id, applicant_id)
    above = managers - {applicant_id}
    if applicant_id in managers or not above:
        return _with_role(session, dealer_id, [_ADMIN])
    return above


def _managers(session: Session, dealer_id: int, applicant_id: int) -> set[int]:
    """The people of the store the person works in now who have the role 店长."""
    store = select(Employee.store_id).where(Employee.id == applicant_id).scalar_subquery()
    here = select(Membership.user_id).where(Membership.store_id == store)
    return _with_role(session, dealer_id, ["manager"]) & set(session.scalars(here))


def _with_role(session: Session, dealer_id: int, keys: Sequence[str]) -> set[int]:
    names = [f"{owner}:{key}" for owner in (dealer_id, "group") for key in keys]
    held = (
        select(RoleAssignment.user_id)
        .join(StaffRole, StaffRole.id == RoleAssignment.role_id)
        .join(Employee, Employee.id == RoleAssignment.user_id)
        .where(StaffRole.name.in_(names), Employee.dealer_id == dealer_id, Employee.active.is_(True))
        .where(or_(StaffRole.dealer_id == dealer_id, StaffRole.dealer_id.is_(None)))
    )
    with session.no_autoflush:
        return set(session.scalars(held))


__all__ = [
    "LOOKING_AFTER",
    "PERSON",
    "SEEING",
    "anybody",
    "chosen",
    "keepers",
    "owner",
    "parse",
    "speakers",
    "step_words",
    "who_words",
]
