"""Where lists, records and fields lead those who look after roles."""

from __future__ import annotations

from urllib.parse import urlencode

from app.engine.asides import provide_asides
from app.engine.fields import FieldSpec
from app.engine.pages import Link
from app.engine.resource import Resource, resource
from app.engine.scopes import Actor
from models.identity.delegation import MANAGE_ROLES, manages_roles
from models.identity.tables import Employee

WHO = "/roles/who"
WHY = "/why/"
SEES_ROLES = ("can_list", MANAGE_ROLES[1])


def who(shown: type[Resource], field: str = "") -> str:
    """The page of who sees a list, or a field of it."""
    return f"{WHO}?{urlencode({'list': shown.name, **({'field': field} if field else {})})}"


def why(**asked: object) -> str:
    """The page that explains, with what is asked about."""
    return f"{WHY}?{urlencode({k: v for k, v in asked.items() if v})}"


class _Asides:
    """What the engine's pages ask this domain."""

    def of_list(self, actor: Actor, shown: type[Resource]) -> list[Link]:
        return [Link("谁能看到", who(shown), "eye-check")] if manages_roles(actor) else []

    def of_record(self, actor: Actor, shown: type[Resource], pk: int) -> list[Link]:
        if not actor.can(*SEES_ROLES):
            return []
        about = {"person": pk} if shown.model is Employee else {"list": shown.name, "record": pk}
        return [*self.of_list(actor, shown), Link("权限说明", why(**about), "help")]

    def of_refusal(self, actor: Actor, path: str) -> list[Link]:
        name = path.strip("/").partition("/")[0]
        if not actor.can(*SEES_ROLES) or resource(name) is None:
            return []
        return [Link("权限说明", why(person=actor.id, list=name), "help")]

    def of_field(self, actor: Actor, shown: type[Resource], spec: FieldSpec) -> str:
        return who(shown, spec.name) if manages_roles(actor) else ""


provide_asides(_Asides())
