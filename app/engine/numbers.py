"""Running numbers of records: ``KF2611-0391``, counted per dealer, scheme and period."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.engine.database import Model, insert_for
from app.engine.fields import Pk
from app.engine.localtime import local


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a number looks: ``prefix``, the period as `strftime` writes it, ``between`` and the running number
    with at least ``digits`` digits. The count starts anew with every period."""

    prefix: str
    label: str
    period: str = "%y%m"
    digits: int = 4
    between: str = "-"

    def write(self, period: str, value: int) -> str:
        """The number with that running value."""
        return f"{self.prefix}{period}{self.between}{value:0{self.digits}d}"


SCHEMES: dict[str, Scheme] = {
    "customer": Scheme("KF", "服务号"),
    "contact": Scheme("QK", "潜客编号"),
    "service_order": Scheme("FW", "服务单号"),
    "receipt": Scheme("SK", "收款单号"),
    "factory_order": Scheme("GC", "工厂订单号"),
    "registration": Scheme("KH", "报备客户编号", "%Y%m%d", between=""),
}

SchemeSource = Callable[[Session, str, int], Scheme | None]
_source: list[SchemeSource] = []


def provide_schemes(source: SchemeSource) -> None:
    """Install the function that knows a dealer's own scheme (None: the default one applies)."""
    _source[:] = [source]


def scheme_of(session: Session, name: str, dealer_id: int) -> Scheme:
    """The scheme as that dealer writes it; a `KeyError` names an unknown one."""
    own = _source[0](session, name, dealer_id) if _source else None
    return own or SCHEMES[name]


class NumberCounter(Model):
    """The last running number given out for one dealer, scheme and period."""

    __tablename__ = "number_counters"
    __table_args__ = (UniqueConstraint("dealer_id", "scheme", "period", name="uq_number_counters_key"),)

    id: Mapped[Pk]
    dealer_id: Mapped[int]
    scheme: Mapped[str] = mapped_column(String(32))
    period: Mapped[str] = mapped_column(String(16))
    value: Mapped[int]


def next_number(session: Session, scheme: str, dealer_id: int, now: datetime) -> str:
    """The next free number; the counter stays locked until the transaction ends, so none is given twice.

    ``now`` is UTC; the period is that of Asia/Shanghai.
    """
    return next_numbers(session, scheme, dealer_id, now, 1)[0]


def next_numbers(session: Session, scheme: str, dealer_id: int, now: datetime, count: int) -> list[str]:
    """The next ``count`` numbers in one statement."""
    rule = scheme_of(session, scheme, dealer_id)
    period = local(now).strftime(rule.period)
    last = _advance(session, dealer_id, scheme, period, count)
    return [rule.write(period, value) for value in range(last - count + 1, last + 1)]


def upcoming(session: Session, scheme: str, dealer_id: int, now: datetime, rule: Scheme) -> str:
    """The number that would come next if it were written by that rule; none is given out."""
    period = local(now).strftime(rule.period)
    given = select(NumberCounter.value).where(
        NumberCounter.dealer_id == dealer_id, NumberCounter.scheme == scheme, NumberCounter.period == period
    )
    return rule.write(period, (session.scalar(given) or 0) + 1)


def _advance(session: Session, dealer_id: int, scheme: str, period: str, count: int) -> int:
    statement = insert_for(session, NumberCounter.__table__).values(
        dealer_id=dealer_id, scheme=scheme, period=period, value=count
    )
    column = NumberCounter.__table__.c.value
    statement = statement.on_conflict_do_update(
        index_elements=["dealer_id", "scheme", "period"], set_={"value": column + count}
    ).returning(column)
    return int(session.execute(statement).scalar_one())
