"""Forms as a person sees them: inputs with what was typed, else the record's values, else the defaults."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from app.engine import pages
from app.engine.choices import Entry
from app.engine.database import id_of
from app.engine.fields import FieldSpec, describe
from app.engine.forms import FEW, Context, Texts, kept, pickable
from app.engine.guards import Hidden, gate, hidden
from app.engine.localtime import local
from app.engine.projecting import linked
from app.engine.resource import Group, resource_of
from app.engine.scopes import visible


def form_page(
    groups: Iterable[Any],
    context: Context,
    drawer: Drawer,
    *,
    title: str,
    url: str,
    cancel_url: str,
    submit: str = "保存",
) -> pages.FormPage:
    """The form with its inputs, errors and hidden fields; a fresh token makes one click one record."""
    found: list[pages.FieldSection] = []
    hidden_fields: list[tuple[str, str]] = []
    for group in groups:
        if not isinstance(group, Group):
            continue
        inputs = []
        for spec in map(describe, group.fields):
            drawn = drawer.draw(spec, context)
            if spec.kind == "hidden":
                hidden_fields.append((spec.name, drawn.value))
            else:
                inputs.append(drawn)
        if inputs:
            found.append(pages.FieldSection(group.title, inputs))
    typed = drawer.texts or {}
    token = (typed.get("_once") or [secrets.token_urlsafe(16)])[0][:64]
    hidden_fields.append(("_once", token))
    hidden_fields += [("_answer", answer) for answer in typed.get("_answer", ()) if answer]
    placed = {s.name for part in found for s in part.fields}
    errors = [message for name, message in (drawer.errors or {}).items() if name not in placed]
    if drawer.errors and not errors:
        errors = ["请检查标红的项目后重新提交"]
    return pages.FormPage(title, url, found, submit, cancel_url, hidden=hidden_fields, errors=errors)


@dataclass
class Drawer:
    """Where an input's value comes from: what was typed, else the record, else the default."""

    base_url: str
    texts: Texts | None = None
    errors: Mapping[str, str] | None = None
    record: Any = None
    preset: Mapping[str, Any] | None = None
    checks: frozenset[str] = frozenset()
    few: int = FEW
    picks: Mapping[Any, Sequence[Any]] | None = None
    """Pick lists read beforehand, by model (`short_lists`)."""

    def draw(self, spec: FieldSpec, context: Context) -> pages.Field:
        """One input as this person sees it."""
        guard = hidden(spec, context.actor)
        shown = self._shown(spec, context)
        made = pages.Field(
            spec.name,
            spec.label,
            spec.kind,
            required=spec.required,
            hint=spec.hint,
            error=(self.errors or {}).get(spec.name, ""),
            maxlength=spec.maxlength,
            locked=guard.label if guard is not None and self.record is not None else "",
            parent=spec.parent,
            wide=spec.wide,
            shown_when=spec.shown_when,
            unit=spec.unit,
            text=((self.texts or {}).get(f"{spec.name}__text") or ("",))[0],
        )
        if isinstance(shown, list):
            made.values = shown
        else:
            made.value = shown
        chosen = set(made.values) | {made.value}
        if spec.kind in ("choice", "choices"):
            made.options = _offered(spec.entries(context.actor.dealer_id), chosen)
            stays = kept(spec, context)
            if stays in chosen - {"", *(o.value for o in made.options)}:
                made.options.append(pages.Option(stays, stays, selected=True))
        elif spec.kind in ("ref", "refs"):
            made.options = self.options(spec, chosen, context)
            made.picker_url = f"{self.base_url}/pick/{spec.name}"
        if spec.name in self.checks:
            made.check_url = f"{self.base_url}/check/{spec.name}"
        return made

    def _shown(self, spec: FieldSpec, context: Context) -> str | list[str]:
        if self.texts is not None:
            typed = list(self.texts.get(spec.name, ()))
            return typed if spec.multiple else (typed[-1] if typed else "")
        value: Any = None
        if self.record is not None:
            value = self._of_record(spec, context)
        elif self.preset is not None and spec.name in self.preset:
            value = self.preset[spec.name]
        elif spec.default is not None:
            value = spec.default
        if spec.multiple:
            return [as_text(spec, v) for v in value or ()]
        return as_text(spec, value)

    def _of_record(self, spec: FieldSpec, context: Context) -> Any:
        if spec.links is not None:
            statement = select(spec.links.right).where(spec.links.left == self.record.id)
            return list(context.session.scalars(statement))
        if spec.values is not None:
            return list(
                linked(context.session, spec, [self.record.id], context.actor).get(self.record.id, ())
            )
        if spec.attribute is None:
            return spec.default
        return gate(spec, getattr(self.record, spec.name, None), context.actor)

    def options(self, spec: FieldSpec, chosen: set[str], context: Context) -> list[pages.Option]:
        """All records of a short pick list; of a long one just the chosen, with their names."""
        target = resource_of(spec.target)
        rows: Sequence[Any]
        if self.picks is not None and spec.target in self.picks:
            rows = self.picks[spec.target]
        else:
            statement = pickable(spec, context.actor, context.subjects)
            statement = statement.order_by(target.title).limit(self.few + 1)
            rows = context.session.execute(statement, context.actor.params).all()
        ids = [i for i in map(id_of, chosen) if i]
        if len(rows) > self.few:
            rows = []
        known = {r[0] for r in rows}
        absent = [i for i in ids if i not in known]
        if absent:
            named = select(target.pk(), target.title).where(
                target.pk().in_(absent), visible(target, context.actor)
            )
            rows = [*rows, *context.session.execute(named, context.actor.params)]
        noted = spec.within is not None and target.pick_note is not None
        return [
            pages.Option(
                str(r[0]),
                f"{r[1]} {r[2]}" if noted and len(r) > 2 else str(r[1]),
                selected=str(r[0]) in chosen,
            )
            for r in rows
        ]


def _offered(entries: Iterable[Entry], chosen: set[str]) -> list[pages.Option]:
    """What a pick list offers: each value once, with all the parents it stands under."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.active or entry.value in chosen:
            found.setdefault(entry.value, []).append(entry)
    return [
        pages.Option(
            value, same[0].label, same[0].tone, value in chosen,
            ",".join(e.parent for e in same) if all(e.parent for e in same) else "",
        )
        for value, same in found.items()
    ]  # fmt: skip


def as_text(spec: FieldSpec, value: Any) -> str:
    """A value as it stands in an input."""
    if value is None:
        return ""
    if isinstance(value, Hidden):
        return value.mask
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, datetime):
        return local(value).strftime("%Y-%m-%dT%H:%M")
    if isinstance(value, Decimal):
        return f"{value:.2f}" if spec.kind == "money" else f"{value:f}"
    return str(getattr(value, "value", value))
