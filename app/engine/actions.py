"""Actions: what may happen to a record, declared beside the rule that decides it.

Rules know no request, clock or queue. They get an `Act` (who, when, from where, the open transaction)
and say no by raising `Refusal` with the sentence the user shall read.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy.orm import Session

from app.engine.fields import FieldSpec
from app.engine.scopes import Actor

if TYPE_CHECKING:
    from app.engine.guards import Guard
    from app.engine.lifecycle import Move
    from app.engine.resource import Resource


class Refusal(Exception):
    """The rule says no; ``message`` is the Chinese sentence for the user, ``field`` where it belongs."""

    status: ClassVar[int] = 400

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Invalid(Refusal):
    """The input is wrong: sentences by field name, nothing was written."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("；".join(errors.values()))
        self.errors = dict(errors)


class Forbidden(Refusal):
    """The person lacks the permission to do what ``label`` says, or to see it; ``sentence`` is for the page,
    whose heading says already that the right is missing."""

    status = 403

    def __init__(self, label: str = "", *, seeing: bool = False) -> None:
        super().__init__(f"无权限：{label}" if label else "无权限")
        what = f"{'查看' if seeing else ''}「{label}」" if label else "使用此功能"
        self.sentence = f"您没有{what}的权限，请联系商场系统管理员。"


class Previewing(Refusal):
    """Somebody looks at the product through a role: nothing is changed or carried away meanwhile."""

    status = 403

    def __init__(self, role: str) -> None:
        super().__init__(f"正在以“{role}”预览，只能查看，不能修改或导出；请先结束预览")


class NotFound(Refusal):
    """There is no such record in the person's scope."""

    status = 404

    def __init__(self) -> None:
        super().__init__("记录不存在或无权限查看")


class Stale(Refusal):
    """Somebody else saved the record meanwhile."""

    status = 409

    def __init__(self) -> None:
        super().__init__("数据已被他人修改，请刷新后重试")


class TooMany(Refusal):
    """Tried too often in a short time."""

    status = 429

    def __init__(self) -> None:
        super().__init__("操作过于频繁，请稍候一分钟再试")


@dataclass(frozen=True)
class Answer:
    """A button of a question: submits ``value``, or leads to ``url``; without both it goes back. The ``tone`` "r"
    is that of what takes something away."""

    label: str
    value: str = ""
    url: str = ""
    primary: bool = False
    tone: str = ""


class Question(Refusal):
    """The rule asks before it goes on; the answer comes back in ``act.answers``. ``links`` are the pages of
    the rows' records, empty where this person may not open them."""

    def __init__(
        self,
        heading: str,
        text: str,
        answers: tuple[Answer, ...],
        headings: tuple[str, ...] = (),
        rows: tuple[tuple[str, ...], ...] = (),
        links: tuple[str, ...] = (),
    ) -> None:
        super().__init__(heading)
        self.heading = heading
        self.text = text
        self.answers = answers
        self.headings = headings
        self.rows = rows
        self.links = links


def new_deed_id() -> str:
    """An id nobody else has; later ones sort after earlier ones, so that an index grows at its end."""
    return f"{time.time_ns() // 1000:016x}{secrets.token_hex(8)}"


@dataclass(frozen=True)
class Done:
    """What a rule tells of its deed: a sentence, and other records it leads to as label and address."""

    message: str
    links: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return self.message


UNCHANGED = Done("无变化")
"""What a rule returns of a record that is as it is wanted already: reported so, and nothing is logged (A-56)."""


@dataclass(eq=False)
class Act:
    """One deed: who does what, when and from where, inside the open transaction.

    ``answers`` are the replies to a `Question`; ``action`` names the deed in the audit log;
    ``source`` is web, mobile, api, import, load, job, timer or setup; ``deed_id`` is on every entry the deed leaves
    there, and may be shared by the many transactions of one job.
    """

    actor: Actor
    now: datetime
    session: Session
    source: str = "web"
    action: str = ""
    answers: frozenset[str] = frozenset()
    warnings: list[str] = field(default_factory=list)
    deed_id: str = field(default_factory=new_deed_id)
    told: list[str] = field(default_factory=list)

    def warn(self, message: str) -> None:
        """Tell the person something that does not stop the deed."""
        self.warnings.append(message)

    def tell(self, secret: str) -> None:
        """Show the person something once, on the answer itself; no cookie, history or log keeps it."""
        self.told.append(secret)

    def emit(self, kind: str, payload: Mapping[str, Any], key: str | None = None) -> None:
        """Have something done after the commit (`outbox.py`); ``key`` makes it happen once only."""
        from app.engine import outbox

        outbox.put(self.session, kind, dict(payload), key)


Rule = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Action:
    """A declared action. ``permission`` overrides the generated ``(can_<name>, <View>)`` pair."""

    name: str
    label: str
    model: Any
    rule: Rule
    fields: tuple[FieldSpec, ...] = ()
    permission: tuple[str, str] | None = None
    permission_label: str = ""
    moves: Move | None = None
    confirm: str = ""
    icon: str = "bolt"
    tone: str = ""
    primary: bool = False
    batch: bool = True
    single: bool = True
    row: bool = False
    """Stands in every row of a list."""
    menu: bool = False
    """Stands in the menu of every row, because it makes sense for nearly each of them."""
    before: Rule | None = None
    """Asked with ``(act,)`` before the form is shown; a `Refusal` is shown instead of the form (A-23)."""
    presets: Rule | None = None
    """What the form of a single record starts with, by field: ``presets(record, act)``. No guarded value is
    among it."""
    tells: Rule | None = None
    """What one has to know before, as sentences above the form of a single record: ``tells(record, act)``."""
    leads_to: str = ""
    """Where one goes after doing it to a single record, an address with ``{id}``; else back to where one
    came from."""
    undone_by: str = ""
    """The action of the same record that takes it back, offered beside the report to those who may."""
    links: tuple[tuple[str, str], ...] = ()
    """Other ways offered on the form of a single record: label and address with ``{id}`` (A-16)."""
    when: Callable[[Any], bool] | None = None
    """Offered on a record's page only when this is true."""
    whom: Callable[[Any, Actor], bool] | None = None
    """Offered there only to people for whom this is true; the rule has to look for itself."""
    switched: Callable[[Actor], bool] | None = None
    """Offered only to people for whom this is true: a dealer may have a whole function switched off. The rule
    has to look for itself."""
    guard: Guard | None = None
    """Of the value it writes: whoever may not read that one does not write it either."""
    sets: bool = False
    """Only sets columns, and says no before it does: a batch is written in one go, and can be taken back as a
    whole (`undo.py`)."""
    page: str = ""
    """Where people do it, when that is not the generated form: the address of a hand-written page."""
    waits_as: Action | None = None
    """The action that does the same to a single record and takes the same values: approvals of that one are about
    this one too, and what waits is that one."""
    versioned: bool = False
    """Its form remembers the version of the record: it is about what was read there, and not about what somebody
    has made of it meanwhile."""
    greyed: bool = False
    """Without the right the button stays visible, grey (A-21); other actions are then not offered (A-88)."""

    def permission_on(self, resource: type[Resource]) -> tuple[str, str]:
        """The ``(permission, view)`` pair that this action needs."""
        return self.permission or (f"can_{self.name}", resource.view_name())

    def allowed(self, resource: type[Resource], actor: Actor) -> bool:
        """Whether the person may do it there."""
        return actor.can(*self.permission_on(resource)) and not (self.guard and self.guard.hides(actor))


def action(
    label: str,
    *,
    on: Any,
    name: str = "",
    fields: tuple[FieldSpec, ...] = (),
    **options: Any,
) -> Callable[[Rule], Action]:
    """Declare a rule ``rule(record, act, **form)`` as an action on a model.

    The rule may return a sentence for the person, or `Done`. ``fields`` become its form and keyword arguments,
    already cleaned; ``confirm`` is asked when there is no form.
    """

    def declare(rule: Rule) -> Action:
        return Action(name or rule.__name__, label, on, rule, fields, **options)

    return declare
