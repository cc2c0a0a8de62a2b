"""Automations: when something happens, and it is so, then something follows (issue: shaped without code)."""

from __future__ import annotations

from tests.customers.world import World
from tests.shaping.automations import automation, runs, where, work


def test_what_follows_from_a_new_customer_is_done_in_the_background(world: World) -> None:
    """The condition is looked at when it happens; a customer it does not hold for is left alone."""
    automation(
        world, name="高意向优先", do_1="set", field_1="remark", value_1="请优先联系",
        condition=where({"field": "gender", "is": "is", "value": ["female"]}),
    )  # fmt: skip
    customer, other = world.customer(gender="female"), world.customer(gender="male")
    assert customer.remark is None
    assert work() == 1
    assert (customer.remark, other.remark) == ("请优先联系", None)
    assert runs() == [("done", "“备注”改为请优先联系")]
