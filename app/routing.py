"""Rules of addresses whose writing is worked out when one is first written.

The product has more than a thousand, most of which no process ever writes: it follows them. Compiling the writer of
each took a third of a start, and memory in every process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

Written = tuple[str, str]


class LateRule(Rule):
    """A rule that compiles what writes its address at the first use."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., Written]:
        compiled: list[Callable[..., Written]] = []

        def write(rule: Rule, **values: Any) -> Written:
            if not compiled:
                compiled.append(Rule._compile_builder(rule, append_unknown))
            return compiled[0](rule, **values)

        return write
