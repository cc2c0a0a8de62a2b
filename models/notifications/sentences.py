"""What the product's own messages say. Each sentence is declared with its words and what these may name;
administrators may say it in other words (`provide_words`), and where those cannot be filled in, the declared ones
stand. A sentence names no guarded value: it is read by whoever the message reaches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Any

from sqlalchemy.orm import Session

from app.engine import conditions, templating
from app.engine.actions import Act
from app.engine.cells import text as words
from app.engine.fields import FieldSpec
from app.engine.resource import resource
from app.engine.templating import Slot
from models.notifications.telling import NUMBER, Words, tell
from models.notifications.topics import Topic

NOTHING: Mapping[str, Any] = {}
AMOUNT = "数量"
"""What the sentence about several records calls how many they are."""
LONGEST = 160
_UNNAMED = frozenset({"ref", "choices", "textarea", "phone"})
"""Kinds of fields whose values stand in no sentence: what leads elsewhere, and what is said at length."""
_NEAREST = 3


@dataclass(frozen=True, slots=True, eq=False)
class Sentence:
    """One message: ``one`` is said of a single record, ``many`` of several that a deed did the same to, empty where
    that does not happen.

    Both may name ``places``; ``single`` are those that only a single record has, the first of them being what it is
    called. Each has an example for those who look at a text. Of ``about``, the list of the records, the sentence
    about one may name its plain fields too.
    """

    key: str
    topic: Topic
    label: str
    one: str
    many: str = ""
    places: Mapping[str, str] = field(default_factory=dict)
    single: Mapping[str, str] = field(default_factory=dict)
    about: str = ""

    @property
    def title(self) -> str:
        """What administrators know it by."""
        return f"{self.topic.label}：{self.label}"


Value = str | Callable[[], str]
"""What a place stands for, or how to find out when the deed is done."""
_sentences: dict[str, Sentence] = {}
_source: list[Callable[[Session, str, int | None], tuple[str, str] | None]] = []
_pieces = lru_cache(maxsize=512)(templating.pieces)


class Unfilled(Exception):
    """A text names what is not there."""


def sentence(key: str, *args: Any, **more: Any) -> Sentence:
    """Declare one, once, at import."""
    if key in _sentences:
        raise ValueError(f"sentence {key} is declared twice")
    made = _sentences[key] = Sentence(key, *args, **more)
    return made


def sentences() -> tuple[Sentence, ...]:
    """All of them in the order of declaration."""
    return tuple(_sentences.values())


def known(key: str) -> Sentence | None:
    """The sentence of that key."""
    return _sentences.get(key)


def provide_words(find: Callable[[Session, str, int | None], tuple[str, str] | None]) -> None:
    """Say who knows other words: ``find(session, key, dealer_id)`` gives both texts, or None for the declared
    ones."""
    _source[:] = [find]


def words_of(session: Session, said: Sentence, dealer_id: int | None) -> tuple[str, str]:
    """The texts in force for a dealer."""
    found = _source[0](session, said.key, dealer_id) if _source else None
    return found or (said.one, said.many)


@cache
def fields_of(said: Sentence) -> Mapping[str, FieldSpec]:
    """The declared fields of its records by their words, guarded ones too, which no sentence may name."""
    about = resource(said.about)
    if about is None:
        return {}
    fields = conditions.fields(about).values()
    return {s.label: s for s in fields if s.guard is not None or s.kind not in _UNNAMED}


# ----- what is wrong with a text


def wrong(said: Sentence, text: str, *, several: bool) -> list[str]:
    """What is wrong with other words for it, in sentences."""
    found = []
    stray = templating.STRAY.search(templating.MARK.sub("", text))
    if stray is not None:
        found.append(f"“{stray.group()}”没有成对，占位符写作 {{{{{next(iter(said.places), AMOUNT)}}}}}")
    names = [piece.name for piece in _pieces(text) if isinstance(piece, Slot)]
    found += filter(None, (_wrong_name(said, name, several) for name in dict.fromkeys(names)))
    return found[: templating.MOST_SAID]


def _wrong_name(said: Sentence, name: str, several: bool) -> str:
    if name in said.places or (name == AMOUNT if several else name in said.single):
        return ""
    spec = fields_of(said).get(name)
    if spec is not None and spec.guard is not None:
        return f"“{name}”受“{spec.guard.label}”保护，通知中不能使用"
    if several and (spec is not None or name in said.single):
        return f"“{name}”因记录而异，只能用在单条文字中"
    if spec is not None:
        return ""
    return templating.unknown(name, get_close_matches(name, offered(said, several), _NEAREST, 0.3))


def offered(said: Sentence, several: bool) -> list[str]:
    """What a text for it may name."""
    if several:
        return [AMOUNT, *said.places]
    fields = [name for name, spec in fields_of(said).items() if spec.guard is None]
    return list(dict.fromkeys([*said.places, *said.single, *fields]))


# ----- saying it


def fill(
    said: Sentence, text: str, values: Mapping[str, Value], record: Any = None, act: Act | None = None
) -> str:
    """The text with its values; raises `Unfilled` for a name that stands for nothing."""
    return "".join(
        _value(said, piece.name, values, record, act) if isinstance(piece, Slot) else piece
        for piece in _pieces(text)
    ).strip()


def _value(said: Sentence, name: str, values: Mapping[str, Value], record: Any, act: Act | None) -> str:
    if name in values:
        value = values[name]
        return value if isinstance(value, str) else value()
    spec = fields_of(said).get(name)
    if spec is None or spec.guard is not None or not hasattr(record, spec.name):
        raise Unfilled(name)
    dealer_id, epoch = getattr(record, "dealer_id", None), act.actor.epoch if act is not None else 0
    return words(spec, getattr(record, spec.name), dealer_id, epoch)


def filled(
    said: Sentence, text: str, built_in: str, values: Mapping[str, Value], record: Any = None,
    act: Act | None = None,
) -> str:  # fmt: skip
    """The text with its values; the declared words where it cannot be filled in or comes to nothing."""
    try:
        found = fill(said, text, values, record, act)
    except Unfilled:
        found = ""
    return found or fill(said, built_in, values, record, act)


def title(session: Session, said: Sentence, values: Mapping[str, Value], dealer_id: int | None) -> str:
    """The sentence that is said of no record."""
    return filled(said, words_of(session, said, dealer_id)[0], said.one, values)[:LONGEST]


def say(
    act: Act,
    users: Iterable[int | None],
    said: Sentence,
    values: Mapping[str, Value],
    *,
    record: Any,
    label: Words,
    dealer_id: int | None,
    amount: int = 1,
) -> None:
    """Tell these people this sentence, as `telling.tell` does. Which of a deed's messages are one goes by the
    declared words, whatever they are said in."""
    one, many = words_of(act.session, said, dealer_id)
    counted = {name: value for name, value in values.items() if name in said.places} | {AMOUNT: NUMBER}
    built_in = fill(said, said.many, counted)
    several = built_in if many == said.many else filled(said, many, said.many, counted)
    tell(
        act, users, said.topic, lambda: filled(said, one, said.one, values, record, act), several,
        record=record, label=label, dealer_id=dealer_id, amount=amount, matter=f"{said.key}:{built_in}",
    )  # fmt: skip
