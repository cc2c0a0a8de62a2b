"""The templates of one epoch, read once per process and change: pages and forms ask for no more."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine.choices import Entry, declare_entries
from app.engine.database import db
from app.engine.detail import provide_link
from app.engine.pages import Link
from app.engine.resource import Resource
from app.engine.scopes import Actor
from models.identity.per_epoch import PerEpoch
from models.shaping.template_tables import Template, TemplateKind, templated

VIEW = "Templates"
PRINT = ("can_print", VIEW)
"""The right to print; what of the record is printed, the rights on the record say."""
PAGE = "/print"


@dataclass(frozen=True, slots=True)
class Known:
    """A template as it stands."""

    id: int
    kind: TemplateKind
    resource: str
    name: str
    dealer_id: int | None
    head: str
    body: str
    foot: str
    active: bool

    @property
    def texts(self) -> tuple[str, str, str]:
        """Everything in it that names fields."""
        return self.head, self.body, self.foot


Place = tuple[TemplateKind, str, int | None]


def templates(session: Session, kind: TemplateKind, resource_name: str, dealer_id: int | None) -> list[Known]:
    """The templates people of that dealer use, in their order. An own one stands in for the group's of the same
    name, also to switch it off."""
    found = _all(session)
    own = found.get((kind, resource_name, dealer_id), []) if dealer_id is not None else []
    taken = {t.name for t in own}
    presets = [t for t in found.get((kind, resource_name, None), []) if t.name not in taken]
    return [t for t in (*own, *presets) if t.active]


def _load(session: Session) -> dict[Place, list[Known]]:
    names = ("id", "kind", "resource", "name", "dealer_id", "head", "body", "foot", "active")
    statement = select(*(getattr(Template, n) for n in names)).order_by(Template.sort, Template.id)
    found: dict[Place, list[Known]] = {}
    for row in session.execute(statement):
        known = Known(
            row.id, row.kind, row.resource, row.name, row.dealer_id, row.head or "", row.body,
            row.foot or "", row.active,
        )  # fmt: skip
        found.setdefault((known.kind, known.resource, known.dealer_id), []).append(known)
    return found


_all = PerEpoch(_load)


def may_print(actor: Actor, resource: type[Resource]) -> bool:
    """Whether the person prints such records."""
    return actor.can(*PRINT) and actor.can("can_list", resource.view_name())


def _print_link(actor: Actor, resource: type[Resource], pk: int) -> Link | None:
    """Where a record is printed; nothing without a template for it."""
    if not templated(resource) or not may_print(actor, resource):
        return None
    if not templates(db.session(), TemplateKind.PRINT, resource.name, actor.dealer_id):
        return None
    return Link("打印", f"{PAGE}/{resource.name}/{pk}", "printer")


def _offered(kind: TemplateKind) -> str:
    """The dictionary of templates of that kind for customers, by their names."""
    name = f"templates.{kind.value}"
    declare_entries(
        name,
        lambda dealer: tuple(
            Entry(t.name, t.name) for t in templates(db.session(), kind, "customers", dealer)
        ),
        by_dealer=True,
    )
    return name


SMS, MESSAGES = _offered(TemplateKind.SMS), _offered(TemplateKind.MESSAGE)
provide_link(_print_link)
