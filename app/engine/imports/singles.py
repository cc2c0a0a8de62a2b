"""Values that may stand in one record of a dealer only, looked at for many lines together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.engine import bulk
from app.engine.fields import FieldSpec
from app.engine.imports.drafts import Draft, about
from app.engine.imports.tables import Verdict
from app.engine.resource import Resource
from app.engine.storing import TAKEN, claim_unique


class Singles:
    """The unique fields of one file's resource, and what its lines hold of them so far."""

    def __init__(self, session: Session, resource: type[Resource]) -> None:
        self.session, self.resource = session, resource
        self.specs = [spec for spec in resource.added if spec.unique]
        self.seen: dict[tuple[int | None, str, Any], int] = {}

    def judge(self, drafts: Sequence[Draft]) -> None:
        """Refuse new lines whose value stands in a line above or is on file."""
        for spec in self.specs:
            self._on_file(spec, drafts)
            for draft in self._with(spec, drafts):
                key = (draft.place.dealer_id, spec.name, draft.values[spec.name])
                above = self.seen.setdefault(key, draft.number)
                if above != draft.number:
                    _refuse(draft, spec, f"与本文件第 {above} 行重复")

    def claim(self, drafts: Sequence[Draft]) -> None:
        """The same of what others filed since, who from now on wait."""
        if not self.specs:
            return
        for dealer_id in sorted({d.place.dealer_id or 0 for d in drafts if d.good}):
            claim_unique(self.session, self.resource, dealer_id, self.specs)
        for spec in self.specs:
            self._on_file(spec, drafts)

    def _with(self, spec: FieldSpec, drafts: Sequence[Draft]) -> list[Draft]:
        """The new lines that hold a value of the field."""
        return [
            d
            for d in drafts
            if d.verdict is Verdict.NEW
            and d.values.get(spec.name)
            and spec.dealer in (None, d.place.dealer_id)
        ]

    def _on_file(self, spec: FieldSpec, drafts: Sequence[Draft]) -> None:
        meant = self._with(spec, drafts)
        dealer = self.resource.scopes.dealer
        for dealer_id in {d.place.dealer_id for d in meant}:
            own = [d for d in meant if d.place.dealer_id == dealer_id]
            among = bulk.among(self.session, spec.attribute, {d.values[spec.name] for d in own})
            taken = set(self.session.scalars(select(spec.attribute).where(dealer == dealer_id, among)))
            for draft in own:
                if draft.values[spec.name] in taken:
                    _refuse(draft, spec, TAKEN)


def _refuse(draft: Draft, spec: FieldSpec, words: str) -> None:
    draft.errors[spec.name] = about(spec, str(draft.values[spec.name]), words)
    draft.refuse(Verdict.WRONG, draft.errors[spec.name])
