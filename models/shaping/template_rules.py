"""Making templates: whatever they name is there, and is named beside the field where it is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.engine import audit, perform, templating
from app.engine.actions import Act, Invalid, NotFound, Refusal
from app.engine.deeds import deed
from app.engine.events import publish
from app.engine.filling import Filler
from app.engine.resource import Resource, resource_of
from app.engine.resource import resource as named
from models.identity.for_all import keep_for_all, settle_owner
from models.identity.rights import current_epoch
from models.identity.rules import is_group, unique
from models.shaping.template_queries import Known, templates
from models.shaping.template_tables import Template, TemplateKind, templated

PARTS = ("head", "body", "foot")
LONGEST = 500
"""So many characters a message may have before anything is filled in."""
_PRINTED = "打印“{}”"


def create_template(template: Any, act: Act, values: Mapping[str, Any]) -> None:
    """A template of the own dealer, or of the group when the group makes it."""
    settle_owner(template, act, values)
    for name in ("kind", "resource"):
        if getattr(template, name) is None:
            setattr(template, name, Template.__table__.c[name].default.arg)
    _judge(template, act, values)


def update_template(template: Any, act: Act, values: Mapping[str, Any]) -> None:
    """Its name and its texts; what is printed or sent from then on follows."""
    keep_groups(template, act)
    _judge(template, act, values)


def remove_template(template: Any, act: Act) -> None:
    """What was printed or sent with it stays in the history."""
    keep_groups(template, act)


OF_GROUP = "集团预置模板只能由集团修改；复制一份，以同一个名称保存，即可替代它"


def keep_groups(template: Any, act: Act) -> None:
    """Raise `Refusal` when somebody of a dealer touches a preset of the group."""
    if template.dealer_id is None and not is_group(act.actor, Template.__tablename__):
        raise Refusal(OF_GROUP)


def _judge(template: Any, act: Act, values: Mapping[str, Any]) -> None:
    kind = values.get("kind", template.kind)
    about = named(str(values.get("resource", template.resource)))
    if about is None or not templated(about):
        raise Invalid({"resource": "请选择适用对象"})
    if kind is not TemplateKind.PRINT and about.name != "customers":
        raise Invalid({"resource": f"{kind.label}只能用于客户"})
    keep_for_all(act, template, values)
    texts = {part: values.get(part, getattr(template, part)) or "" for part in PARTS}
    errors = check(about, template.dealer_id, kind, texts, current_epoch(act.session))
    if errors:
        raise Invalid(errors)
    same = (Template.kind == kind, Template.resource == about.name)
    mine = Template.dealer_id.is_not_distinct_from(template.dealer_id)
    unique(act, template, Template.name, values.get("name", template.name) or "", mine, *same)


def check(
    about: type[Resource], dealer_id: int | None, kind: TemplateKind, texts: Mapping[str, str], epoch: int = 0
) -> dict[str, str]:
    """What is wrong with the texts of a template, beside each."""
    known = templating.book(about, dealer_id, epoch)
    sheet = kind is TemplateKind.PRINT
    errors = {}
    for part in PARTS if sheet else ("body",):
        found = templating.wrong(texts.get(part, ""), known, sheet=sheet)
        if found:
            errors[part] = "；".join(found)
    length = len(texts.get("body", ""))
    if not sheet and "body" not in errors and length > LONGEST:
        errors["body"] = f"不能超过{LONGEST}个字，现有{length}个字"
    return errors


# ----- using one


def one_of(act: Act, kind: TemplateKind, about: type[Resource], name: str, field: str = "template") -> Known:
    """The template of that name as the person uses it; raises `Refusal` when it is gone."""
    for template in templates(act.session, kind, about.name, act.actor.dealer_id):
        if template.name == name:
            return template
    raise Refusal(f"{kind.label}“{name}”已不存在或已停用，请重新选择", field)


def written(act: Act, kind: TemplateKind, record: Any, name: str) -> str:
    """The words of a message to that person, with what the sender may read of the record."""
    about = resource_of(type(record))
    template = one_of(act, kind, about, name)
    filler = Filler.of(act.session, about, record.id, act.actor, act.now, (template.body,))
    said = filler.text(template.body).strip()
    if not said:
        raise Refusal("模板填入内容后为空，未发送", "template")
    return said


def note_printed(act: Act, about: type[Resource], pk: int, template: Known) -> None:
    """Keep in the record's history and on its track that it was printed; raises `NotFound` out of scope."""
    with deed(act):
        record = perform.find(act.session, about, pk, act.actor)
        audit.log(act, record, _PRINTED.format(template.name))
        publish(act, "printed", record, template=template.name)


def printable(act: Act, about: type[Resource], wanted: int) -> tuple[Known, list[Known]]:
    """The chosen template, the first one without a choice, and all there are; raises `NotFound`."""
    found = templates(act.session, TemplateKind.PRINT, about.name, act.actor.dealer_id)
    chosen = next((t for t in found if t.id == wanted), None) if wanted else next(iter(found), None)
    if chosen is None:
        raise NotFound
    return chosen, found
