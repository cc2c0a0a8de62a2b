"""What a text field must look like: regular expressions that can neither hang nor look around."""

from __future__ import annotations

import re

_QUANTIFIER = re.compile(r"[*+?]|\{[\d,]*\}")
_VARIABLE = re.compile(r"[*+]|\{\d*,\d*\}")
MOST_VARIABLE = 3


def wrong(pattern: str) -> str:
    """What is wrong with a pattern, in a sentence; empty for a good one.

    Nothing is repeated that repeats something itself, and few parts may be of any length: how long a text is
    looked at grows no faster than a small power of its length.
    """
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return "格式不是有效的正则表达式"
    if re.search(r"\\[1-9]", pattern) or "(?" in re.sub(r"\\.", "x", pattern):
        return "格式不能使用反向引用、断言等写法"
    bare = re.sub(r"\[\^?\]?[^\]]*\]", "x", re.sub(r"\\.", "x", pattern))
    if re.search(rf"\)(?:{_QUANTIFIER.pattern})", bare):
        return "格式不能重复括号中的内容"
    if len(_VARIABLE.findall(bare)) > MOST_VARIABLE:
        return f"格式中长度不定的部分最多{MOST_VARIABLE}处"
    return ""
