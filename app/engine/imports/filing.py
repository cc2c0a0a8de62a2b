"""What becomes of lines: judged against what is there, then filed in pieces, each a deed of its own.

A kind of record that wants many lines a second brings its own `Filing`; the default files line by line as the
form does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session

from app.engine import approving, bulk, perform
from app.engine.actions import Act, Refusal
from app.engine.fields import FieldSpec, describe
from app.engine.imports.drafts import Draft, about
from app.engine.imports.tables import Verdict
from app.engine.resource import Resource, fields_of, repeated
from app.engine.scopes import Actor, visible


@dataclass(frozen=True)
class Options:
    """What the person chose: by which field existing records are found (empty: none are), whether lines
    that match none are new ones, and whether those met by the duplicate policy are filed all the same."""

    key: str = ""
    adds: bool = True
    insists: bool = False
    presets: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Options:
        """The options as they are stored with an import."""
        return cls(
            kept.get("key", ""), kept.get("adds", True), kept.get("insists", False), kept.get("presets")
        )


class Filing:
    """The rules of one import. ``specs`` are the fields that the file fills."""

    def __init__(
        self,
        session: Session,
        resource: type[Resource],
        actor: Actor,
        options: Options,
        specs: Mapping[str, FieldSpec],
        now: datetime,
    ) -> None:
        self.session, self.resource, self.actor = session, resource, actor
        self.options, self.specs, self.now = options, specs, now

    def judge(self, drafts: Sequence[Draft]) -> None:
        """Give every good line its verdict, without writing anything; called once for each line in order."""
        if self.options.key:
            self._find(drafts)

    def admit(self, lines: int, act: Act | None = None) -> None:
        """Raise `Refusal` for a file whose so many good lines cannot be brought in as a whole. Asked when all
        are judged, and in the deed of each piece before it, with those that are still to come."""

    def file(self, act: Act, drafts: Sequence[Draft]) -> None:
        """Bring the lines in, in the open deed; what others did since `judge` may change a verdict."""
        for draft in drafts:
            if draft.good:
                self.one(act, draft)

    def waits(self, act: Act) -> bool:
        """Whether new records may need approval: then each line goes the form's way, which finds out and refuses
        it."""
        return bool(approving.asking(act, self.resource, approving.CREATE))

    def effects(self, counts: Mapping[Verdict, int]) -> list[str]:
        """What else will arise, in words."""
        return []

    own_traces: tuple[Any, ...] = ()
    """Foreign keys to the records whose rows the import itself makes; they go with a record that is taken
    back, as far as `trace` says that nobody else made them."""

    @classmethod
    def trace(cls, source: Any) -> ColumnElement[bool]:
        """Of the rows behind a key of `own_traces`: those that the import made."""
        return true()

    # ----- line by line

    def one(self, act: Act, draft: Draft) -> None:
        """File one line as the form does; what its rule refuses is the line's reason."""
        try:
            with act.session.begin_nested():
                if draft.target is None:
                    perform.create(self.resource, draft.values, self.actor, source=act.source, now=act.now)
                elif not self.change(act, draft):
                    draft.refuse(Verdict.UNCHANGED, "")
        except Refusal as refusal:
            draft.errors = self.sentences(refusal)
            draft.refuse(Verdict.WRONG, "；".join(draft.errors.values()))

    def change(self, act: Act, draft: Draft) -> bool:
        """Write what differs onto the record that is there; whether anything did."""
        assert draft.target is not None
        known = {s.name: s for s in fields_of(self.resource.groups(editing=True))}
        record = perform.find(act.session, self.resource, draft.target, self.actor)
        values = {
            name: value
            for name, value in draft.values.items()
            if name in known and name != self.options.key and self._differs(record, known[name], value)
        }
        if not values:
            return False
        perform.update(self.resource, draft.target, values, self.actor, source=act.source, now=act.now)
        return True

    def _differs(self, record: Any, spec: FieldSpec, value: Any) -> bool:
        if spec.attribute is None:
            source: Any = spec.links or spec.values
            member = source.right if spec.links is not None else source.value
            present = set(self.session.scalars(select(member).where(source.left == record.id)))
            return not set(value) <= present
        return bool(getattr(record, spec.name) != value)

    def sentences(self, refusal: Refusal) -> dict[str, str]:
        """What a rule says, by the fields it is about."""
        errors: Mapping[str, str] = getattr(refusal, "errors", {}) or {refusal.field: refusal.message}
        found = {}
        for name, words in errors.items():
            spec = self.specs.get(name)
            found[name] = about(spec, "", words) if spec is not None else words
        return found

    # ----- existing records

    def _find(self, drafts: Sequence[Draft]) -> None:
        """Which records the lines are about, by the chosen key, within the person's scope."""
        name = self.options.key
        spec = next(describe(k) for k in self.resource.template.keys if describe(k).name == name)  # type: ignore[union-attr]
        wanted = {d.values.get(name) for d in drafts if d.good and d.values.get(name)}
        found = self.known_by(spec, wanted)
        for draft in drafts:
            if not draft.good:
                continue
            text = draft.values.get(name)
            met = found.get(text, []) if text else []
            if len(met) == 1:
                draft.target, draft.verdict = met[0], Verdict.UPDATED
            elif met:
                self.wrong(draft, spec, f"{spec.label}“{text}”有 {len(met)} 条记录，不能确定更新哪一条")
            elif not self.options.adds:
                said = f"没有{spec.label}为“{text}”的记录，或您无权查看" if text else f"请填写{spec.label}"
                self.wrong(draft, spec, said)

    def known_by(self, spec: FieldSpec, wanted: Iterable[Any]) -> dict[Any, list[int]]:
        """The ids of records in the person's scope by the value of a field."""
        among = bulk.among(self.session, spec.attribute, wanted)
        several = repeated(self.resource, spec)
        if several is not None:
            owners = select(several.left).where(bulk.among(self.session, several.value, wanted))
            among &= self.resource.pk().in_(owners)
        statement = select(spec.attribute, self.resource.pk()).where(
            among, visible(self.resource, self.actor)
        )
        found: dict[Any, list[int]] = {}
        for value, record_id in self.session.execute(statement, self.actor.params):
            found.setdefault(value, []).append(record_id)
        return found

    def wrong(self, draft: Draft, spec: FieldSpec, words: str) -> None:
        """The line cannot be brought in because of that field."""
        draft.errors[spec.name] = words
        draft.refuse(Verdict.WRONG, words)
