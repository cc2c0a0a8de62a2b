"""What messages are about: declared once, by any domain."""

from __future__ import annotations

import pytest

from models.notifications import topics
from models.notifications.topics import Topic


@pytest.mark.sqlite_only
@pytest.mark.spec("A-37")
def test_more_topics_may_join_and_none_means_two_things(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "_topics", dict(topics._topics))
    coupon = Topic("coupon", "优惠券", "ticket")
    assert topics.declare(coupon) is topics.declare(coupon) is topics.topics()[-1]
    assert (topics.label("coupon"), topics.icon("coupon")) == ("优惠券", "ticket")
    with pytest.raises(ValueError, match="coupon"):
        topics.declare(Topic("coupon", "别的", "ticket"))
    assert topics.label("不认识") == "不认识"
