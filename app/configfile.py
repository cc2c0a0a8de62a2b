"""The configuration as a file, for the command line: by the same rules and rights as the page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select

from app.engine.actions import Refusal
from app.engine.configured import difference, files, state
from app.engine.configured.files import BadFile
from app.engine.database import db
from app.engine.scopes import Actor
from app.setup import actor_of


def export(dealer: str | None, username: str) -> str:
    """The file of a dealer, by its code, or of the group's presets."""
    actor, owner = _placed(dealer, username)
    return difference.export(db.session(), actor, owner)


def diff(text: str, dealer: str | None, username: str, *, removes: bool) -> tuple[list[str], int]:
    """What the file would change, in words, and how many entries."""
    actor, owner = _placed(dealer, username)
    with _in_lines():
        found = difference.plan(db.session(), files.read(text, actor), actor, owner, removes=removes)
    return list(_said(found, actor)), len(found.steps)


def bring_in(
    text: str, dealer: str | None, username: str, *, removes: bool, dry: bool
) -> tuple[list[str], int]:
    """Change what the file says, or only try it; the same lines."""
    actor, owner = _placed(dealer, username)
    with _in_lines():
        found = difference.plan(db.session(), files.read(text, actor), actor, owner, removes=removes)
        said = list(_said(found, actor))
        if found.steps:
            difference.carry_out(db.session(), found, actor, source="load", dry=dry)
    return said, len(found.steps)


@contextmanager
def _in_lines() -> Iterator[None]:
    """Refusals of a file, each place on a line of its own."""
    try:
        yield
    except BadFile as bad:
        raise Refusal("\n".join(["不能导入，没有任何改动：", *bad.sentences])) from None


def _placed(dealer: str | None, username: str) -> tuple[Actor, int | None]:
    """The person as one of that dealer, or of the group; raises `Refusal` for an unknown one."""
    from models.identity.tables import Dealer

    owner = db.session().scalar(select(Dealer.id).where(Dealer.code == dealer)) if dealer else None
    if dealer and owner is None:
        raise Refusal(f"没有编号为 {dealer} 的商场")
    actor = actor_of(username)
    return difference.acting_for(actor, owner, state.require_kinds(actor)), owner


def _said(found: difference.Plan, actor: Actor) -> Iterator[str]:
    for compared in found.compared:
        counts = [f"{word} {compared.amount(sign)}" for sign, word in difference.SIGNS.items()]
        yield f"{compared.kind.label}：{'，'.join(counts)}，相同 {compared.same}"
        for step in compared.steps:
            lines = found.lines(step, db.session(), actor)
            yield f"  {difference.SIGNS[step.sign]} {step.words}" + (
                f"（{'；'.join(lines)}）" if lines else ""
            )
