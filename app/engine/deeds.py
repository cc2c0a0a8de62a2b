"""The transaction of one deed, and the order in which deeds lock rows.

Every deed locks root first: what a record hangs under (`Resource.root`), then the records, rows of one
kind in the order of their ids. Two deeds that need the same rows meet at the first of them and one waits,
instead of each holding what the other wants; and what a rule finds among the children of a root holds
until its transaction ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app.engine import audit, events, once
from app.engine.actions import Act, Previewing, Refusal, Stale
from app.engine.database import writing
from app.engine.fields import FieldSpec, describe
from app.engine.resource import Resource, resource_of

_HELD = "zhike.held"
_TRIES = 3


class AlreadyDone(Refusal):
    """The same form was submitted before; ``url`` is where its record stands."""

    def __init__(self, url: str) -> None:
        super().__init__("该表单已提交，请勿重复提交")
        self.url = url


def only_once(session: Session, token: str, user_id: int) -> None:
    """Raise `AlreadyDone` when that person's form with this token was carried out."""
    url = once.seen(session, token, user_id)
    if url is not None:
        raise AlreadyDone(url)


def running(session: Session) -> bool:
    """Whether a deed is under way; what begins now is a part of it."""
    return _HELD in session.info


@contextmanager
def deed(act: Act, token: str = "") -> Iterator[Act]:
    """Write lock, audit context, and commit or roll back whole; ``token`` is that of the form.

    Inside a running deed it takes part in that one: its own failure undoes its own share, the commit is
    the outer one's.
    """
    session = act.session
    if act.actor.preview:
        raise Previewing(act.actor.preview)
    if _HELD in session.info:
        with audit.acting(session, act), session.begin_nested():
            yield act
        return
    try:
        with writing(session), audit.acting(session, act):
            session.info[_HELD] = []
            try:
                yield act
                events.deliver(session)
                session.commit()
            except BaseException:
                session.rollback()
                raise
            finally:
                del session.info[_HELD]
    except StaleDataError as stale:
        raise Stale from stale
    except IntegrityError as broken:
        only_once(session, token, act.actor.id)  # the same form twice at the same moment
        raise Refusal("数据与现有记录冲突，请检查后重试") from broken
    except DataError as broken:
        raise Refusal("数值超出可保存的范围，请检查后重试") from broken
    except OperationalError as error:
        if any(word in str(error.orig) for word in ("locked", "deadlock")):
            raise Refusal("系统正忙，请稍后重试") from error
        raise


# ----- who waits for whom


def root_of(resource: type[Resource]) -> Any:
    """The foreign key to what is locked before a record of this kind; None for a root itself."""
    return resource.scopes.through if resource.root is None else resource.root


def lock(
    session: Session,
    resource: type[Resource],
    ids: Iterable[int],
    *,
    where: ColumnElement[bool] | None = None,
    params: Mapping[str, Any] | None = None,
    roots: Iterable[int] = (),
) -> list[Any]:
    """Lock records until the transaction ends, after their roots and ``roots``; in the order of their ids.

    Those that are not there, or not ``where``, are left out. The roots are looked up before anything is
    locked: when a record hangs elsewhere by then, the locks are given back and taken anew.
    """
    wanted, above = sorted(set(ids)), root_of(resource)
    mine = resource.pk().in_(wanted) & (true() if where is None else where)
    if above is None:
        return _take(session, resource, mine, params) if wanted else []
    root = resource_of(describe(above).target)
    if not wanted:
        lock(session, root, roots)
        return []
    for _ in range(_TRIES):
        attempt = session.begin_nested()
        found = session.scalars(select(above).where(mine, above.is_not(None)).distinct(), params)
        held = {None, *(r.id for r in lock(session, root, {*found, *roots}))}
        records = _take(session, resource, mine, params)
        if all(getattr(r, above.key) in held for r in records):
            attempt.commit()
            return records
        attempt.rollback()
    raise Stale


def _take(
    session: Session, resource: type[Resource], mine: ColumnElement[bool], params: Mapping[str, Any] | None
) -> list[Any]:
    statement = select(resource.model).where(mine).order_by(resource.pk()).with_for_update(key_share=True)
    records = list(session.scalars(statement.execution_options(populate_existing=True), params))
    keep(session, *records)
    return records


def keep(session: Session, *records: Any) -> None:
    """Let what a batch asks for again and again be loaded once: the session forgets what nobody holds."""
    session.info.get(_HELD, []).extend(records)


def hold(session: Session, model: Any, record_id: int | None) -> Any:
    """One record of a rule's own choosing, locked root first; None when there is none."""
    found = lock(session, resource_of(model), [record_id]) if record_id else []
    return found[0] if found else None


def roots_in(resource: type[Resource], specs: Iterable[FieldSpec], values: Mapping[str, Any]) -> list[int]:
    """The roots that a form names: a contact is linked to a customer, an order is made under one."""
    above = root_of(resource)
    if above is None:
        return []
    target = describe(above).target
    given = [values.get(s.name) for s in specs if s.target is target]
    return [i for value in given for i in (value if isinstance(value, list | tuple) else [value]) if i]
