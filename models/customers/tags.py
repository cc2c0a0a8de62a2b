"""Labels on people: putting them on (A-20…A-23), their upkeep (A-24, A-25)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select

from app.engine import audit
from app.engine.actions import Act, Action, Answer, Invalid, Question, Refusal, action
from app.engine.choices import Choice
from app.engine.fields import Links, entry
from models.customers import queries
from models.customers.tables import CONTACT_TAGS, CUSTOMER_TAGS, Contact, Customer, Tag

SET_TAGS = ("can_set_tags", "System")
NO_TAGS = "暂时无标签，请联系商场系统管理员去配置标签"
NAME_TAKEN = "标签名称已存在"
REMOVE = "remove"


class TagMode(Choice):
    """What is done with the chosen tags."""

    ADD = "add", "添加"
    TAKE = "take", "移除"
    REPLACE = "replace", "替换为所选"


def need_tags(act: Act) -> None:
    """Say whom to ask when the dealer has no tags, rather than show an empty picker (A-23)."""
    statement = select(func.count()).select_from(Tag)
    if act.actor.dealer_id is not None:
        statement = statement.where(Tag.dealer_id == act.actor.dealer_id)
    if not act.session.scalar(statement):
        raise Refusal(NO_TAGS)


def _set_tags(record: Any, act: Act, source: Links, tags: Sequence[int], mode: TagMode) -> None:
    wanted = set(tags)
    dealers = set(act.session.scalars(select(Tag.dealer_id).where(Tag.id.in_(wanted))))
    if dealers - {record.dealer_id}:
        raise Refusal("只能使用本商场的标签")
    table = source.left.class_.__table__
    mine = source.left == record.id
    before = set(act.session.scalars(select(source.right).where(mine)))
    after = {TagMode.ADD: before | wanted, TagMode.TAKE: before - wanted, TagMode.REPLACE: wanted}[mode]
    if before - after:
        act.session.execute(delete(table).where(mine, source.right.in_(before - after)))
    if after - before:
        rows = [{source.left.key: record.id, source.right.key: tag} for tag in sorted(after - before)]
        act.session.execute(insert(table), rows)
    if before != after:
        audit.note(act.session, record, source.name, sorted(before), sorted(after))


def _tagging(model: Any, source: Links) -> Action:
    @action(
        "打标签", on=model, name="tag", icon="tag", menu=True,
        permission=SET_TAGS, permission_label="设置标签", before=need_tags, greyed=True,
        fields=(
            entry("tags", "标签", target=Tag, multiple=True, required=True),
            entry("mode", "方式", choices=TagMode, default=TagMode.ADD, required=True),
        ),
    )  # fmt: skip
    def tag(record: Any, act: Act, tags: Sequence[int], mode: TagMode = TagMode.ADD) -> None:
        _set_tags(record, act, source, tags, mode)

    return tag


tag_customer = _tagging(Customer, CUSTOMER_TAGS)
tag_contact = _tagging(Contact, CONTACT_TAGS)


def create_tag(tag: Tag, act: Act, values: dict[str, Any]) -> Tag:
    """Add a tag to the dealer's own (A-24)."""
    if act.actor.dealer_id is None:
        raise Refusal("请先切换到一个商场")
    tag.dealer_id = act.actor.dealer_id
    _check_name(act, tag, tag.name)
    return tag


def edit_tag(tag: Tag, act: Act, values: dict[str, Any]) -> None:
    """Rename a tag, wherever it is used (A-25)."""
    if "name" in values:
        _check_name(act, tag, values["name"])


def _check_name(act: Act, tag: Tag, name: str) -> None:
    with act.session.no_autoflush:
        taken = select(Tag.id).where(Tag.dealer_id == tag.dealer_id, Tag.name == name)
        if tag.id is not None:
            taken = taken.where(Tag.id != tag.id)
        if act.session.scalars(taken).first() is not None:
            raise Invalid({"name": NAME_TAKEN})


def remove_tag(tag: Tag, act: Act) -> None:
    """Delete a tag; a used one only after a confirmation that names how many carry it (A-25)."""
    contacts, customers = queries.tagged(act.session, tag)
    if (contacts or customers) and REMOVE not in act.answers:
        used = "、".join(
            f"{amount}位{kind}" for amount, kind in ((contacts, "潜客"), (customers, "客户")) if amount
        )
        answers = (Answer("确认删除", value=REMOVE, primary=True, tone="r"), Answer("取消"))
        raise Question("删除标签", f"标签“{tag.name}”已用于{used}，删除后将从这些记录中移除。", answers)
    for source in (CONTACT_TAGS, CUSTOMER_TAGS):
        act.session.execute(delete(source.left.class_.__table__).where(source.right == tag.id))
