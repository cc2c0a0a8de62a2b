"""What may happen to customers and contacts by themselves: given to people, labelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ForeignKey, Integer

from app.engine import perform
from app.engine.actions import Act
from app.engine.automating import CHANGED
from app.engine.events import subscribe
from app.engine.resource import resource_of
from app.engine.scopes import Actor
from models.customers import rules
from models.customers.contact_resources import Contacts
from models.customers.resources import Customers
from models.customers.tables import CUSTOMER_TAGS, Contact, Customer, Tag
from models.customers.tags import TagMode, tag_contact, tag_customer
from models.shaping.automation_noticing import notice_many
from models.shaping.automation_parts import ANY, Doing, Step, Subject, Touched, declare_doing, declare_subject
from models.shaping.automation_tables import add_input

_TAGGING = {"customers": tag_customer, "contacts": tag_contact}


def _tagged(mode: TagMode) -> Any:
    def run(step: Step) -> str:
        action = _TAGGING[step.subject.name]
        tag = step.session.get(Tag, step.given["tag"])
        perform.perform(
            action, [step.record.id], step.actor, {"tags": [step.given["tag"]], "mode": mode}, source="job",
            now=step.act.now,
        )  # fmt: skip
        return f"{mode.label}标签“{tag.name if tag is not None else ''}”"

    return run


def _tags(subject: Subject) -> bool:
    return subject.name in _TAGGING


def _cannot_tag(subject: Subject, _given: Mapping[str, Any], actor: Actor) -> str:
    action = _TAGGING[subject.name]
    return "" if action.allowed(resource_of(action.model), actor) else action.permission_label


def _touches_tags(subject: Subject, _given: Mapping[str, Any]) -> Sequence[Touched]:
    return [(subject.name, CHANGED, CUSTOMER_TAGS.name, ANY)]


declare_subject(
    Subject(Customers, Customer.owner_id, rules.reassign),
    stage=("stage", "阶段变化"),
    assigned=("owner_id", "更换导购"),
    tagged=(CUSTOMER_TAGS.name, "标签变化"),
)
declare_subject(Subject(Contacts, Contact.employee_id), tagged=(CUSTOMER_TAGS.name, "标签变化"))


@subscribe("customers.filed")
def _imported(act: Act, filed: Sequence[Any], dealer_id: int) -> None:
    """Customers of a file are new like any others, unless they come from another system."""
    if act.source != "load":
        notice_many(act, Customers, [row[0] for row in filed], dealer_id)


add_input("tag", "标签", Integer, lambda: ForeignKey("tags.id"))
for _mode, _label in ((TagMode.ADD, "打标签"), (TagMode.TAKE, "移除标签")):
    declare_doing(
        Doing(
            f"tag_{_mode.value}", _label, _tagged(_mode), ("tag",), ("tag",), _tags, _cannot_tag,
            touches=_touches_tags, words=lambda said, label=_label: f"{label}“{said['tag']}”",  # type: ignore[misc]
        )
    )  # fmt: skip
