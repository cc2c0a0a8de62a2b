"""Saying the product's messages in other words: what these name is there, and guards nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.engine.actions import Act, Invalid
from app.engine.scopes import Actor
from models.identity import for_all
from models.identity.for_all import settle_owner
from models.identity.rules import keep_preset, unique
from models.notifications import sentences
from models.shaping.notice_tables import NoticeWords

OF_GROUP = "集团预置的通知用语只能由集团修改；新增一份，即可在本商场替代它"


def create_words(words: Any, act: Act, values: Mapping[str, Any]) -> None:
    """Words of the own dealer, or of the group when the group gives them; one text for each message."""
    settle_owner(words, act, values)
    _judge(words, act, values)


def update_words(words: Any, act: Act, values: Mapping[str, Any]) -> None:
    """Messages from then on say it so."""
    keep_preset(words, act, NoticeWords.__tablename__)
    _judge(words, act, values)


def remove_words(words: Any, act: Act) -> None:
    """The message says again what the group, or the product, says."""
    keep_preset(words, act, NoticeWords.__tablename__)


def _judge(words: Any, act: Act, values: Mapping[str, Any]) -> None:
    said = sentences.known(str(values.get("sentence", words.sentence)))
    if said is None:
        raise Invalid({"sentence": "请选择通知"})
    texts = {name: str(values.get(name, getattr(words, name)) or "").strip() for name in ("one", "many")}
    errors = check(said, texts)
    if errors:
        raise Invalid(errors)
    mine = NoticeWords.dealer_id.is_not_distinct_from(words.dealer_id)
    try:
        unique(act, words, NoticeWords.sentence, said.key, mine)
    except Invalid:
        raise Invalid({"sentence": f"“{said.title}”已有自己的文字，请在列表中修改它"}) from None


def check(said: sentences.Sentence, texts: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with the texts for a sentence, beside each."""
    errors = {}
    if not texts.get("one"):
        errors["one"] = "请填写单条文字"
    elif found := sentences.wrong(said, texts["one"], several=False):
        errors["one"] = "；".join(found)
    many = texts.get("many", "")
    if many and not said.many:
        errors["many"] = "此通知没有多条的说法，请留空"
    elif said.many and not many:
        errors["many"] = "请填写多条文字"
    elif many and (found := sentences.wrong(said, many, several=True)):
        errors["many"] = "；".join(found)
    return errors


def begun(args: Mapping[str, Any], actor: Actor, session: Session) -> dict[str, Any]:
    """A new text begins with the words in force."""
    given = args.get("sentence") or ""
    said = sentences.known(str(given[0] if isinstance(given, list) else given))
    whose = for_all.begun(NoticeWords)(args, actor, session)
    if said is None:
        return whose
    one, many = sentences.words_of(session, said, actor.dealer_id)
    return whose | {"sentence": said.key, "one": one, "many": many, "active": True}
