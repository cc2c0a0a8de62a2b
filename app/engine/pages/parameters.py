"""What stands beside a setting."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class ParameterMark:
    """``default`` is what would hold without a value of one's own, in words, where that is another one;
    ``effect`` says what the value comes to."""

    default: str = ""
    effect: str = ""
