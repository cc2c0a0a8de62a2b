"""Forms as a person sees them: inputs with what was typed, else the record's values, else the defaults."""

from __future__ import annotations

import secrets
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import select

from app.engine import attached, conditional, pages, picking, rowed
from app.engine.aids import Copies
from app.engine.cells import text
from app.engine.choices import Colour, Entry
from app.engine.database import id_of
from app.engine.fields import FILES, FieldSpec, describe
from app.engine.forms import Context, Texts, asked, kept
from app.engine.guards import Hidden, gate, hidden, withheld
from app.engine.localtime import local
from app.engine.projecting import linked
from app.engine.resource import Group, fields_of, resource_of
from app.engine.scopes import visible
from app.engine.typed import drawn_as

NAMED_SUBJECTS = 50
"""So many records an action is about go along in a picker's address; of more the server checks alone."""


def form_page(
    groups: Iterable[Any],
    context: Context,
    drawer: Drawer,
    *,
    title: str,
    url: str,
    cancel_url: str,
    submit: str = "保存",
    wide: Mapping[str, bool] | None = None,
    left_out: Sequence[FieldSpec] = (),
) -> pages.FormPage:
    """The form with its inputs, errors and hidden fields; a fresh token makes one click one record.

    ``wide`` says which fields take a row of their own, or only half of one, otherwise than declared. What the
    form has ``left_out`` goes along unseen with the value a new record starts with, and is shown when it is wrong.
    """
    found: list[pages.FieldSection] = []
    hidden_fields: list[tuple[str, str]] = []
    groups = [group for group in groups if isinstance(group, Group)]
    wrong = [s for s in left_out if s.name in (drawer.errors or {})]
    if wrong:
        groups.append(Group("其他", *wrong))
    inside = {s.name for s in asked(fields_of(tuple(groups)), context.actor, context.record)}
    for group in groups:
        inputs = []
        for declared in map(describe, group.fields):
            spec = drawer.settled(declared, context, inside)
            if spec is None:
                continue
            drawn = drawer.draw(spec, context)
            if spec.kind == "hidden":
                hidden_fields.append((spec.name, drawn.value))
            else:
                if wide and spec.name in wide:
                    drawn.wide = wide[spec.name]
                    drawn.half = not drawn.wide
                inputs.append(drawn)
        if inputs:
            returned = drawer.texts is not None
            opened = any(f.error or (returned and (f.value or any(f.values))) for f in inputs)
            folded = group.folded and drawer.record is None
            found.append(pages.FieldSection(group.title, inputs, folded, opened))
    if drawer.record is None:
        for spec in left_out:
            if spec not in wrong and drawer.settled(spec, context, inside) is not None:
                hidden_fields += [(spec.name, value) for value in drawer.values_of(spec, context)]
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
    few: int | None = None
    readonly: bool = False
    """Nothing can be filled in: the record is only looked at."""
    picks: Mapping[Any, Sequence[Any]] | None = None
    """Pick lists of a filter bar, read beforehand, by model (`short_lists`): there nothing is chosen anew,
    so that whoever has left is found too, and names stand alone."""

    def draw(self, spec: FieldSpec, context: Context) -> pages.Field:
        """One input as this person sees it."""
        guard = hidden(spec, context.actor)
        fixed = self.readonly or (spec.fixed is not None and spec.fixed(context.actor, context.record))
        held = partial(self._held, context)
        closed = not conditional.applies(spec, held) if spec.opens_when else False
        shown = self._shown(spec, context, fixed=fixed) if not closed else [] if spec.multiple else ""
        made = pages.Field(
            spec.name,
            spec.label,
            drawn_as(spec),
            required=spec.required or bool(spec.needed_when),
            readonly=fixed,
            hint=spec.hint,
            error=(self.errors or {}).get(spec.name, ""),
            placeholder=spec.placeholder,
            maxlength=spec.maxlength,
            locked=guard.label if guard is not None and context.origin is not None else "",
            parent=spec.parent,
            wide=spec.wide,
            shown_when=spec.shown_when,
            unit=spec.unit,
            future=spec.future and not fixed,
            text="" if closed else ((self.texts or {}).get(f"{spec.name}__text") or ("",))[0],
            opens_when=spec.opens_when,
            needed_when=spec.needed_when,
            closed=closed,
            needed=not closed and conditional.needed(spec, held),
            aid=spec.aid.label if spec.aid is not None and not fixed else "",
            aid_from=spec.aid.source if isinstance(spec.aid, Copies) else "",
            asks=spec.ask,
        )
        if isinstance(shown, list):
            made.values = shown
        else:
            made.value = shown
        if spec.kind in FILES:
            self._file(made, spec, context)
        if rowed.rowed_as(spec) is not None and not fixed:
            self._rows(made, spec, context)
        chosen = set(made.values) | {made.value}
        if spec.kind in ("choice", "choices"):
            made.options = _offered(spec.entries(context.actor.dealer_id), chosen)
            made.swatches = spec.choices is not None and issubclass(spec.choices, Colour)
            stays = kept(spec, context)
            if stays in chosen - {"", *(o.value for o in made.options)}:
                made.options.append(pages.Option(stays, stays, selected=True))
        elif spec.kind in ("ref", "refs"):
            made.options = self.options(spec, chosen, context)
            made.picker_url = self._picker(spec, context)
            made.placeholder = _search_words(resource_of(spec.target).search_hint, spec.multiple)
            made.options = [o for o in made.options if o.selected] if fixed else made.options
            made.sole = spec.sole
            if spec.sole and self.texts is None and len(made.options) == 1 and not made.value:
                made.options[0].selected, made.value = True, made.options[0].value
        if spec.name in self.checks:
            made.check_url = f"{self.base_url}/check/{spec.name}"
        return made

    def _rows(self, made: pages.Field, spec: FieldSpec, context: Context) -> None:
        """The lines as rows to pick in; there is always one to begin with. A value that is not offered any more
        stands among the others, so that nothing is lost by looking at it."""
        how = rowed.rowed_as(spec)
        assert how is not None
        parts = how.parts(context)
        made.kind, made.row_unit = "rows", how.unit
        for line in made.value.split("\n"):
            row = how.split(line)
            inputs = [self._part(spec, part, row.get(part.name, "")) for part in parts]
            made.rows.append(inputs)
        if made.error:
            values = [[drawn.value for drawn in inputs] for inputs in made.rows]
            n, at = rowed.at_fault(made.error, how.unit, [part.label for part in parts], values)
            made.rows[n][at].error = made.error

    @staticmethod
    def _part(spec: FieldSpec, part: FieldSpec, value: str) -> pages.Field:
        drawn = pages.Field(rowed.part_of(spec, part), part.label, part.kind, value, unit=part.unit)
        drawn.placeholder, drawn.maxlength = part.placeholder, part.maxlength
        if part.kind == "choice":
            drawn.options = _offered(part.options, {value})
            if value not in {"", *(o.value for o in drawn.options)}:
                drawn.options.append(pages.Option(value, value, selected=True))
        return drawn

    def _file(self, made: pages.Field, spec: FieldSpec, context: Context) -> None:
        """The file that is there, or that came with the form, by a word for it and by its name."""
        typed = self.texts is not None and spec.name in self.texts and not made.readonly
        if not typed and made.value:
            made.value, made.text = attached.KEPT, attached.called(made.value)
        elif made.value:
            made.text = attached.word(spec, made.value, replace(context, record=self.record))
        if made.readonly:
            made.value = made.text
        made.accept = attached.accepted(spec.kind)

    def values_of(self, spec: FieldSpec, context: Context) -> list[str]:
        """What the input would hold, were it there; nothing for a field that is only read."""
        if not asked([spec], context.actor, context.record):
            return []
        shown = self._shown(spec, context)
        return [text for text in (shown if isinstance(shown, list) else [shown]) if text]

    def settled(self, spec: FieldSpec, context: Context, inside: Container[str]) -> FieldSpec | None:
        """The field without conditions on what this form does not ask: what they say of it is certain by now.
        None for one that is not there."""
        if not spec.is_of(context.record) or withheld(spec, context.actor):
            return None
        if (
            spec.attribute is None
            and context.record is None
            and spec.fixed
            and spec.fixed(context.actor, None)
        ):
            return None  # asks something new that this person has no say in
        held = partial(self._held, context)
        if spec.shown_when and conditional.source_of(spec.shown_when) not in inside:
            if not conditional.meets(spec.shown_when, held):
                return None
            spec = replace(spec, shown_when="")
        if spec.opens_when and conditional.source_of(spec.opens_when) not in inside:
            if not conditional.meets(spec.opens_when, held):
                return None  # nothing on this form could open it
            spec = replace(spec, opens_when="")
        if spec.needed_when and conditional.source_of(spec.needed_when) not in inside:
            needed = spec.required or conditional.meets(spec.needed_when, held)
            spec = replace(spec, required=needed, needed_when="")
        return spec

    def _held(self, context: Context, name: str) -> Iterable[Any]:
        """What another field of the form holds, for the conditions that name it."""
        if self.texts is not None and (name in self.texts or self.record is None):
            return [t for t in self.texts.get(name, ()) if t] or ("",)
        if self.record is not None:
            return (getattr(self.record, name, None),)
        return ((self.preset or {}).get(name),)

    def _shown(self, spec: FieldSpec, context: Context, *, fixed: bool = False) -> str | list[str]:
        if self.texts is not None and not fixed:
            typed = list(self.texts.get(spec.name, ()))
            return typed if spec.multiple else (typed[-1] if typed else "")
        value: Any = None
        if self.record is not None:
            value = self._of_record(spec, context)
        elif self.preset is not None and spec.name in self.preset:
            value = self.preset[spec.name]
        elif spec.default is not None:
            value = spec.default
        elif spec.today:
            value = local(context.now).date()
        if spec.multiple:
            return [as_text(spec, v) for v in value or ()]
        written = fixed and spec.kind in ("datetime", "money")
        return text(spec, value) if written else as_text(spec, value)

    def _of_record(self, spec: FieldSpec, context: Context) -> Any:
        if spec.links is not None:
            statement = select(spec.links.right).where(spec.links.left == self.record.id)
            return list(context.session.scalars(statement))
        if spec.values is not None:
            return list(
                linked(context.session, spec, [self.record.id], context.actor).get(self.record.id, ())
            )
        if spec.attribute is None:
            return getattr(self.record, spec.name, spec.default)
        return gate(spec, getattr(self.record, spec.name, None), context.actor)

    def options(self, spec: FieldSpec, chosen: set[str], context: Context) -> list[pages.Option]:
        """All records of a short pick list; of a long one just the chosen, with their names."""
        target = resource_of(spec.target)
        few = target.pick_few if self.few is None else self.few
        if self.picks is not None:
            rows = [picking.Offer(*row) for row in self.picks.get(spec.target, ())]
        else:
            rows = self._short(spec, few, context)
        ids = [i for i in map(id_of, chosen) if i]
        known = {o.id for o in rows}
        absent = [i for i in ids if i not in known]
        if absent:
            named = select(target.pk(), target.title).where(
                target.pk().in_(absent), visible(target, context.actor)
            )
            rows = [*rows, *picking.read(context.session, spec, named, context.actor, context.dealers)]
        return [
            pages.Option(
                str(o.id),
                o.title if self.picks is not None else o.words,
                o.tone,
                str(o.id) in chosen,
                group=o.group,
            )
            for o in rows
        ]

    def _short(self, spec: FieldSpec, few: int, context: Context) -> list[picking.Offer]:
        """The whole list, or nothing when it is long; one that follows another field is searched, so that
        it can change with it, unless it is short by what is chosen there now."""
        statement = picking.pickable(spec, context.actor, context.subjects, context.dealers)
        statement = picking.left_for(context.session, statement, spec, context.subjects)
        if spec.parent:
            parent = self._parent(spec)
            if not spec.sole or not parent:
                return []
            few, statement = 1, picking.of_parent(statement, spec, parent)
        order = (*picking.best_first(spec, context.actor), resource_of(spec.target).title)
        statement = statement.order_by(*order).limit(few + 1)
        rows = picking.read(context.session, spec, statement, context.actor, context.dealers)
        return picking.grouped(rows) if len(rows) <= few else []

    def _parent(self, spec: FieldSpec) -> int:
        """The id chosen in the field above, as it stands when the form is drawn; 0 without one."""
        if self.texts is not None:
            given: Any = (self.texts.get(spec.parent) or ("",))[-1]
        elif self.record is not None:
            given = getattr(self.record, spec.parent, "")
        else:
            given = (self.preset or {}).get(spec.parent)
        number = str(given or "")
        return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0

    def _picker(self, spec: FieldSpec, context: Context) -> str:
        """Where the list is searched, with what narrows it."""
        url = f"{self.base_url}/pick/{spec.name}"
        if self.picks is not None:
            return url
        about = spec.within is not None or spec.spent is not None
        of = context.subjects if about and len(context.subjects) <= NAMED_SUBJECTS else ()
        narrowed = [("dealer", d) for d in sorted(context.dealers)] + [("of", i) for i in of]
        return f"{url}?{urlencode([('new', 1), *narrowed])}"


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


def _search_words(hint: str, multiple: bool) -> str:
    """By what a picker finds records, in words: the target's own hint with its last part after 或."""
    *parts, last = hint.split("、")
    said = f"{'、'.join(parts)}或{last}" if parts else last or "输入名称搜索"
    return f"{said}，可选多个" if multiple else said


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
