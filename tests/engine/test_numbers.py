"""Running numbers: one per dealer, scheme and month, none twice."""

from __future__ import annotations

from datetime import datetime
from threading import Thread

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.engine.database import db, writing
from app.engine.numbers import SCHEMES, Scheme, next_number, next_numbers, provide_schemes, scheme_of

NOVEMBER = datetime(2026, 11, 22, 3)


def give(scheme: str = "customer", dealer_id: int = 901, now: datetime = NOVEMBER) -> str:
    """The next number, committed."""
    with writing(db.session()):
        number = next_number(db.session(), scheme, dealer_id, now)
        db.session.commit()
    return number


def test_numbers_run_on_per_dealer_scheme_and_month(app: Flask) -> None:
    assert [give(), give(), give(dealer_id=902), give("contact")] == [
        "KF2611-0001", "KF2611-0002", "KF2611-0001", "QK2611-0001",
    ]  # fmt: skip
    assert give(now=datetime(2026, 11, 30, 15, 59, 59)) == "KF2611-0003"
    assert give(now=datetime(2026, 11, 30, 16)) == "KF2612-0001"


def test_a_number_of_a_rolled_back_deed_is_given_again(app: Flask) -> None:
    with writing(db.session()):
        next_number(db.session(), "receipt", 901, NOVEMBER)
        db.session.rollback()
    assert give("receipt") == "SK2611-0001"


def test_many_numbers_in_one_statement_and_more_than_four_digits(app: Flask) -> None:
    with writing(db.session()):
        many = next_numbers(db.session(), "service_order", 901, NOVEMBER, 10_001)
        db.session.commit()
    assert (many[0], many[-1], len(set(many))) == ("FW2611-0001", "FW2611-10001", 10_001)
    assert give("service_order") == "FW2611-10002"


def test_a_dealer_may_write_numbers_its_own_way(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    before = scheme_of(db.session(), "customer", 901)
    assert before == SCHEMES["customer"]
    from app.engine import numbers

    monkeypatch.setattr(numbers, "_source", list(numbers._source))
    provide_schemes(lambda session, name, dealer: Scheme("A", "服务号", "%Y", 2) if dealer == 901 else None)
    assert give() == "A2026-01"
    assert give(dealer_id=902) == "KF2611-0001"


def test_people_at_the_same_moment_never_share_a_number(app: Flask) -> None:
    engine = db.engine
    found: list[str] = []

    def work() -> None:
        with Session(engine) as session:
            for _ in range(10):
                with writing(session):
                    found.append(next_number(session, "factory_order", 901, NOVEMBER))
                    session.commit()

    threads = [Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(set(found)) == 60
