"""Changing automations: checked in words, and only after a look at how many records they meet now."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.engine import perform
from app.engine.actions import Act, Answer, Invalid, Question, Refusal, action
from app.engine.automating import CHANGED
from app.engine.conditional import meets
from app.engine.conditions import Wrong, from_json
from app.engine.database import id_of
from app.engine.fields import describe, entry
from app.engine.guards import hidden
from app.engine.scopes import Actor, visible
from models.identity.for_all import acting, begun, keep_for_all, settle_owner
from models.identity.roles import StaffRole
from models.identity.rules import is_group, unique
from models.identity.standing_in import own_of, switches
from models.shaping import automation_book as book
from models.shaping.automation_book import Rule, Then
from models.shaping.automation_circles import circle, contradiction
from models.shaping.automation_parts import Subject, event, subject
from models.shaping.automation_roles import name_of
from models.shaping.automation_running import trial
from models.shaping.automation_tables import INPUTS, STEPS, Automation

SURE = "touch"
LISTED = 8
GONE = "此自动化的对象、事件或条件已不可用，请重新编辑"
OF_GROUP = "集团的自动化只能由集团管理员修改"


def create_automation(row: Automation, act: Act, values: Mapping[str, Any]) -> None:
    """A new automation of the own dealer; of the group by somebody of the group."""
    settle_owner(row, act, values)
    row.author_id = act.actor.id or None
    row.optional = row.dealer_id is not None or values.get("optional", True)
    _judge(act, row, values)


def update_automation(row: Automation, act: Act, values: Mapping[str, Any]) -> None:
    """Change an own one; from now on it works with the rights of whoever does."""
    own(row, act)
    _judge(act, row, values)
    row.author_id = act.actor.id or None
    if row.dealer_id is None:
        row.optional = values.get("optional", row.optional)


def remove_automation(row: Automation, act: Act) -> None:
    """A dealer deletes its own alone; its log goes with it, what it did stays in the history. What stood in for one
    of the group stands for itself from then on."""
    own(row, act)
    for stands_in in act.session.scalars(select(Automation).where(Automation.replaces_id == row.id)):
        stands_in.replaces_id = None
    act.session.flush()


def may_steer(row: Automation, actor: Actor) -> bool:
    """Whether this person changes it: the group's are the group's alone."""
    return row.dealer_id is not None or is_group(actor, "automations")


def own(row: Automation, act: Act) -> None:
    """Raise `Refusal` for one of the group, unless somebody of the group asks."""
    if not may_steer(row, act.actor):
        raise Refusal(OF_GROUP)


@action(
    "停用", on=Automation, name="pause", icon="player-pause", menu=True, sets=True, when=lambda row: row.active,
    whom=may_steer, permission=("can_edit", "Automations"), permission_label="编辑自动化",
)  # fmt: skip
def pause(row: Automation, act: Act) -> str:
    """Switch it off: what waits is not done any more."""
    own(row, act)
    row.active = False
    return f"已停用“{row.name}”"


@action(
    "启用", on=Automation, name="resume", icon="player-play", menu=True, batch=False,
    when=lambda row: not row.active, whom=may_steer, permission=("can_edit", "Automations"), permission_label="编辑自动化",
)  # fmt: skip
def resume(row: Automation, act: Act) -> str:
    """Switch it on, checked as if it were saved: others may have come meanwhile."""
    update_automation(row, act, {"active": True})
    row.active = True
    return f"已启用“{row.name}”，之后发生的事件将执行"


def copied() -> list[str]:
    """The columns that say what an automation does."""
    steps = [f"{name}_{n}" for n in STEPS for name in INPUTS]
    return ["name", "subject", "event", "watched", "condition", *steps]


leave, come_back = switches(
    Automation, permission=("can_edit", "Automations"), permission_label="编辑自动化", copied=copied,
    allowed=lambda row: bool(row.optional), named_once=True,
)  # fmt: skip


def prefill(args: Mapping[str, str], actor: Actor, session: Session) -> dict[str, Any]:
    """A copy of one of the group's is meant to stand in for it, where the group lets it; the group's own is another
    one for all."""
    above = session.get(Automation, id_of(args.get("copy")) or 0)
    if is_group(actor, "automations"):
        kept = {"optional": above.optional} if above is not None else {}
        return kept | begun(Automation)(args, actor, session)
    if above is None or above.dealer_id is not None or not above.optional:
        return {}
    return {"replaces_id": above.id, **_own_roles(above, actor, session)}


def _own_roles(above: Automation, actor: Actor, session: Session) -> dict[str, Any]:
    """The dealer's own of the roles that the group's names for all, by the input that asks for one."""
    named = {n: preset for n in STEPS if (preset := getattr(above, f"preset_{n}"))}
    if not named:
        return {}
    names = {n: name_of(preset, actor.dealer_id) for n, preset in named.items()}
    known = select(StaffRole.name, StaffRole.id).where(StaffRole.name.in_(names.values()))
    ids = dict(session.execute(known).tuples().all())
    return {f"role_{n}": ids[name] for n, name in names.items() if name in ids}


@action(
    "试运行", on=Automation, name="trial", icon="eye-check", batch=False, row=True, primary=True,
    page="/automation/trial", permission=("can_edit", "Automations"), permission_label="编辑自动化",
    fields=(entry("target", "记录编号", "integer", required=True),),
)  # fmt: skip
def try_out(row: Automation, act: Act, target: int) -> str:
    """What it would do to a record that the person sees, in words; changes nothing. People ask on a page of its
    own."""
    rule = book.rule_of(row)
    if rule is None:
        raise Refusal(GONE)
    found = perform.find(act.session, rule.subject.resource, target, act.actor)
    if not rule.condition.holds(found, act.now):
        return "条件不满足，不会执行"
    said, why = trial(act.session, rule, target, act.now)
    return f"不会执行：{why}" if why else f"将会执行：{'；'.join(said)}"


def _judge(act: Act, row: Automation, values: Mapping[str, Any]) -> None:
    """Check it as it will stand, then ask with what it means."""
    names = [c.key for c in Automation.__table__.columns]
    wanted = SimpleNamespace(**{n: values.get(n, getattr(row, n, None)) for n in names})
    wanted.dealer_id = row.dealer_id
    wanted.active = True if wanted.active is None else wanted.active
    unique(act, row, Automation.name, wanted.name, Automation.dealer_id.is_not_distinct_from(row.dealer_id))
    keep_for_all(act, row, values)
    without = wanted.replaces_id is not None and not wanted.active
    errors = _wrong_place(act, wanted) if without else _wrong(acting(act, row), wanted)
    if errors:
        raise Invalid(errors)
    if without:  # does nothing, and is judged when it is switched on
        return
    rule = book.rule_of(wanted)
    if rule is None:
        raise Invalid({"do_1": "请选择要执行的内容"})
    if wanted.active:
        _refuse_circles(act, rule)
        if SURE not in act.answers:
            _ask(act, rule)


def _wrong(act: Act, row: Any) -> dict[str, str]:
    """The sentences for what does not fit together, and for what whoever saves it may not do."""
    about = subject(row.subject)
    if about is None or event(about.name, row.event or "") is None:
        return {"event": "请选择所选对象的事件"}
    if not act.actor.can("can_list", about.resource.view_name()):
        return {"subject": f"您没有查看{about.resource.label}的权限，自动化不能超出保存人的权限"}
    errors = _wrong_place(act, row) if row.replaces_id is not None else {}
    if row.event == CHANGED:
        watched = about.watched(row.dealer_id).get(row.watched or "")
        if watched is None:
            errors["watched"] = "请选择所选对象的字段"
        elif hidden(watched, act.actor) is not None:
            errors["watched"] = f"您没有查看“{watched.label}”的权限"
    if row.condition:
        errors |= _wrong_condition(act, about, row.condition)
    for then in book.thens(row):
        errors |= {f"{name}_{then.number}": said for name, said in _wrong_step(act, about, row, then).items()}
    return errors


def _wrong_place(act: Act, row: Any) -> dict[str, str]:
    """A dealer's stands in for one of the group's, and each of these has one in a dealer."""
    with act.session.no_autoflush:
        above = act.session.get(Automation, row.replaces_id)
        there = own_of(act.session, above, row.dealer_id) if above is not None else None
    said = ""
    if row.dealer_id is None or above is None or above.dealer_id is not None:
        said = "只能由商场的自动化替代集团的自动化"
    elif above.subject != row.subject:
        said = "只能替代同一种对象的自动化"
    elif not above.optional:
        said = f"集团不允许商场替代“{above.name}”"
    elif there is not None and there.id != row.id:
        said = f"本商场已有替代它的自动化“{there.name}”，请直接修改"
    return {"replaces_id": said} if said else {}


def _wrong_condition(act: Act, about: Subject, condition: Mapping[str, Any]) -> dict[str, str]:
    if condition.get("of") != about.name:
        return {"condition": "条件属于另一种对象，请重新填写"}
    try:
        found = from_json(condition, actor=act.actor, session=act.session)
    except Wrong as wrong:
        return {"condition": wrong.message}
    label = contradiction(found, act.now)
    return {"condition": f"对“{label}”的要求互相矛盾，永远不会满足"} if label else {}


def _wrong_step(act: Act, about: Subject, row: Any, then: Then) -> dict[str, str]:
    if not then.doing.fits(about):
        return {"do": f"“{then.doing.label}”不适用于{about.resource.label}"}
    lacking = then.doing.lacks(about, then.given, act.actor)
    if lacking:
        return {"do": f"您没有“{lacking}”的权限，自动化不能超出保存人的权限"}
    missing = {
        n: "请填写此项" for n in then.doing.needs if _is_open(n, row) and then.given.get(n) in (None, "")
    }
    return missing or then.doing.wrong(about, then.given, act)


def _is_open(name: str, row: Any) -> bool:
    """Whether a step takes that input, which only the group's may have, or only a dealer's."""
    rule = describe(getattr(Automation, f"{name}_{STEPS[0]}")).opens_when
    return not rule or meets(rule, lambda _: [row.dealer_id is None])


def _refuse_circles(act: Act, rule: Rule) -> None:
    """Refuse what would go round, with the way it goes."""
    with act.session.no_autoflush:
        rows = act.session.scalars(
            select(Automation).where(Automation.active, Automation.id != (rule.id or 0))
        )
        others = [r for r in map(book.rule_of, rows.all()) if r is not None]
    found = circle(rule, others, act.now)
    if not found:
        return
    if len(found) == 1:
        raise Invalid({"do_1": "执行内容会再次触发本自动化，请修改事件、条件或执行内容"})
    way = " → ".join(f"“{r.name}”" for r in (*found, rule))
    raise Invalid({"do_1": f"会循环触发：{way}，请修改其中一个的条件或执行内容"})


def _ask(act: Act, rule: Rule) -> None:
    resource = rule.subject.resource
    mine: list[ColumnElement[bool]] = [visible(resource, act.actor), rule.condition.compile(act.now)]
    if rule.dealer_id is not None:
        mine.append(resource.scopes.dealer == rule.dealer_id)
    counted = select(func.count()).select_from(resource.model).where(*mine)
    amount = act.session.scalar(counted, act.actor.params) or 0
    first = select(resource.pk(), resource.title).where(*mine).order_by(resource.pk().desc()).limit(LISTED)
    rows = act.session.execute(first, act.actor.params).all()
    raise Question(
        f"现有{amount}{resource.unit}符合条件",
        "保存后，今后发生的事件才会执行，现有记录不会立即变动。" + ("最近的几条：" if rows else ""),
        (Answer("确认保存", SURE, primary=True), Answer("返回修改")),
        ("记录",) if rows else (),
        tuple((str(title),) for _, title in rows),
        tuple(f"/{resource.name}/{pk}" for pk, _ in rows),
    )
