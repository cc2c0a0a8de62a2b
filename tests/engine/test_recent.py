"""What a process keeps: so many, and of those what is still asked for."""

from __future__ import annotations

from app.engine.recent import Recent


def test_what_is_still_asked_for_stays_and_the_longest_unasked_makes_room() -> None:
    kept: Recent[str, int] = Recent(2)
    assert kept.keep("first", 1) == 1
    kept.keep("second", 2)
    assert kept.recall("first") == 1
    kept.keep("third", 3)
    assert list(kept) == ["first", "third"] and kept.recall("second") is None


def test_what_is_kept_anew_is_not_the_next_to_go() -> None:
    kept: Recent[str, int] = Recent(2)
    for key, value in (("first", 1), ("second", 2), ("first", 3), ("third", 4)):
        kept.keep(key, value)
    assert dict(kept) == {"first": 3, "third": 4}
