"""The start-up checks find what they are there for, and the product's own declarations are clean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from app.engine import checks
from app.engine.actions import action
from app.engine.checks import Problem, run_checks
from app.engine.fields import describe, entry
from app.engine.resource import (
    Badge,
    Between,
    Breakdown,
    Group,
    Menu,
    Net,
    Number,
    Pivot,
    Ranking,
    View,
    Window,
    resource,
)
from app.engine.scopes import Scopes
from models.customers import rules
from models.customers.tables import CUSTOMER_TAGS, PHONES, Customer, Stage
from models.identity.tables import Store


def test_the_products_own_declarations_are_clean(app: Flask) -> None:
    assert [str(p) for p in run_checks() if p.code.startswith("E")] == []


@pytest.fixture
def found(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """``found(attribute=value, …)``: the codes of findings about customers declared like that."""
    customers: Any = resource("customers")

    def check(**changed: Any) -> set[str]:
        with monkeypatch.context() as patch:
            for name, value in changed.items():
                patch.setattr(customers, name, value)
            problems = [p for one in checks._checks for p in one(customers)]
        return {p.code for p in problems}

    return check


def test_lookups_need_an_index(found: Any) -> None:
    assert "E101" in found(exact=(Customer.community,))
    assert "E101" in found(exact=(Customer.phone, Customer.code)), "it stands in the table of all numbers"
    assert "E101" not in found(exact=(PHONES, Customer.code), filters=(Customer.phone,))


def test_guarded_columns_name_sort_and_chart_nothing(found: Any) -> None:
    assert "E103" in found(title=Customer.phone)
    assert "E103" in found(sorts=(Customer.created_at, Customer.phone))
    assert "E103" in found(search=(Customer.phone,))
    assert "E107" in found(charts=(Breakdown("x", "x", by=Customer.phone),))
    assert "E107" in found(charts=(Number("x", "x", sum=Net(Customer.net_received, Customer.phone, ("1",))),))


def test_everything_has_words_and_references_have_names(found: Any) -> None:
    assert "E104" in found(label="")
    assert "E104" in found(views=(View("x", "", lambda now: Customer.id > 0),))
    assert "E105" in found(title=None)


def test_forms_ask_for_what_there_is(found: Any) -> None:
    assert "E106" in found(form=(Group("x", Customer.name, Customer.name),))
    assert "E106" in found(form=(Group("x", Store.code, Store.physical_store_id),))
    astray = replace(describe(Customer.owner_id), parent="source")
    assert "E112" in found(form=(Group("x", Customer.source_category, Customer.source, astray),))
    assert "E112" in found(form=(Group("x", entry("a", "甲", shown_when="nothing=1")),))
    known = (
        Group("x", Customer.name, entry("a", "甲", shown_when="owner_id=1")),
    )  # by the record, where there is one
    assert "E112" in found(form=known) and "E112" not in found(edit_form=known)
    assert "E112" in found(form=(Group("x", Customer.city),))


def test_batches_name_actions_and_move_no_state(found: Any) -> None:
    assert "E117" in found(batch_menu=("reassign", "nothing"))
    moving = replace(rules.reassign, moves=rules.life.to(Stage.LOST))
    assert "E117" in found(actions=(moving,), batch_menu=())
    assert "E117" not in found()


def test_scopes_have_borders(found: Any) -> None:
    assert "E108" in found(scopes=Scopes(mine=Customer.filer_id))
    assert "E108" in found(scopes=Scopes())


def test_actions_take_their_fields(found: Any) -> None:
    @action("做", on=Customer, fields=(entry("version", "版本"), entry("extra", "多余")))
    def do(record: Any, act: Any, missing: str, version: str) -> None:
        """Nothing."""

    assert {"E109", "E110"} <= found(actions=(do,))
    assert "E109" in found(actions=(do, do))

    @action("好", on=Customer, fields=(entry("reason", "原因"),))
    def good(record: Any, act: Any, reason: str) -> None:
        """Nothing."""

    assert not {"E109", "E110"} & found(actions=(good,))


def test_charts_windows_and_views_belong_to_the_list(found: Any) -> None:
    assert "E111" in found(charts=(Breakdown("x", "x", by=Customer.province),))
    assert "E111" in found(charts=(Breakdown("x", "x", by=Customer.name),))
    assert "E111" in found(charts=(Ranking("x", "x", by=Customer.stage),))
    assert "E111" in found(charts=(Pivot("x", "x", by=Customer.stage, across=Customer.province),))
    assert "E111" in found(charts=(Pivot("x", "x", by=Customer.stage, across=CUSTOMER_TAGS),))
    good = (
        Ranking("x", "x", by=Customer.owner_id),
        Pivot("y", "y", by=Customer.stage, across=Customer.level),
    )
    assert "E111" not in found(charts=good)
    assert "E111" in found(charts=(Number("x", "x", view="nothing"),))
    assert "E111" in found(charts=(Number("x", "x", only=((Customer.province, ("浙江省",)),)),))
    assert "E113" in found(
        charts=(Breakdown("x", "x", by=Customer.stage), Breakdown("x", "y", by=Customer.stage))
    )
    assert "E113" in found(columns=(Customer.name, Customer.name))
    assert "E115" in found(window=Window(Customer.retained_since, 10))
    assert "E115" in found(views=(View("x", "x", lambda now: Customer.id > 0, sort="-name"),))
    assert "E115" in found(menu=Menu("经营", badge=Badge("nope")))
    assert "E113" in found(filters=(Customer.stage, Between(Customer.stage)))


def test_a_problem_reads_as_one_line() -> None:
    assert str(Problem("E101", "Customers.exact x", "没有索引")) == "E101 Customers.exact x：没有索引"
