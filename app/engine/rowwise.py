"""Conditions that are looked at row by row: SQLite decides without knowing how many rows one leaves, and would
follow an index of its column where a list goes along another. PostgreSQL knows and is left to decide."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from sqlalchemy import Column, ColumnElement, SelectBase
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import visitors
from sqlalchemy.sql.functions import FunctionElement


class Checked(FunctionElement[Any]):
    """A column that is compared row by row."""

    inherit_cache = True

    def __init__(self, column: Any) -> None:
        super().__init__(column)
        self.type = column.type


@compiles(Checked)
def _write(element: Checked, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(Checked, "sqlite")
def _write_sqlite(element: Checked, compiler: Any, **options: Any) -> str:
    return "+" + str(compiler.process(element.clauses, **options))


def looked_at(condition: ColumnElement[bool], table: Any, names: Container[str]) -> ColumnElement[bool]:
    """The condition with these columns of the table compared row by row; what it selects of others stays."""

    def replaced(element: Any, **_: Any) -> Any:
        if isinstance(element, SelectBase):
            return element
        mine = isinstance(element, Column) and getattr(element.table, "name", "") == table.name
        return Checked(element) if mine and element.name in names else None

    return visitors.replacement_traverse(condition, {}, replaced)
