"""The declaration of a model's screens, and the registry of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from app.engine.chartkinds import Breakdown as Breakdown
from app.engine.chartkinds import Chart as Chart
from app.engine.chartkinds import Chosen as Chosen
from app.engine.chartkinds import Funnel as Funnel
from app.engine.chartkinds import Net as Net
from app.engine.chartkinds import Number as Number
from app.engine.chartkinds import Pivot as Pivot
from app.engine.chartkinds import Ranking as Ranking
from app.engine.chartkinds import Trend as Trend
from app.engine.chartkinds import charted as charted
from app.engine.declarations import Alike as Alike
from app.engine.declarations import Asked as Asked
from app.engine.declarations import Badge as Badge
from app.engine.declarations import Between as Between
from app.engine.declarations import Bounds as Bounds
from app.engine.declarations import Group as Group
from app.engine.declarations import ImportTemplate as ImportTemplate
from app.engine.declarations import Menu as Menu
from app.engine.declarations import Part as Part
from app.engine.declarations import Related as Related
from app.engine.declarations import Ticked as Ticked
from app.engine.declarations import Told as Told
from app.engine.declarations import Tool as Tool
from app.engine.declarations import UploadWords as UploadWords
from app.engine.declarations import View as View
from app.engine.declarations import Window as Window
from app.engine.fields import FieldSpec, Values, describe
from app.engine.scopes import Actor, Scope, Scopes

if TYPE_CHECKING:
    from app.engine.actions import Action, Question


def filtered(source: Any) -> Any:
    """The column that a declared filter is about."""
    return source.column if isinstance(source, Asked) else source


def parted(resource: type[Resource]) -> list[Any]:
    """The columns by parts of which its list is filtered."""
    return [source.column for source in resource.filters if isinstance(source, Part)]


def repeated(resource: type[Resource], spec: FieldSpec) -> Values | None:
    """The table of several values in which that column's stands as well: it is looked up there, by one index
    for all of them."""
    several = (describe(source).values for source in resource.exact)
    own = spec.attribute
    return next((v for v in several if v is not None and own is not None and v.main is own), None)


def looked_up(resource: type[Resource], spec: FieldSpec) -> Any:
    """The column in which a full value of the field is looked up; None where there is none."""
    several = spec.values or repeated(resource, spec)
    return several.value if several is not None else spec.attribute


FEW = 12
"""Pick lists with at most that many records are shown whole; longer ones are searched remotely."""


class Resource:
    """What people see of one model. Subclass with ``model=``; everything else is generated.

    ``title`` is the column that names a record, ``code`` its number; ``known_by`` the column that stands out in
    a list where the title says little (a follow-up by its customer). ``search`` are columns found by
    part of a name (Chinese bigrams), ``exact`` by their full value, ``tail`` by the last four digits.
    ``sorts`` are the columns a list may be ordered by; the first is the default, newest first.
    ``create`` and ``update`` are rules called before saving: ``rule(record, act, values)``; ``create``
    may return another record instead. ``checks`` maps a column to ``rule(text, act) -> CheckResult``,
    asked while typing. ``quick`` puts it into the 新建 drop-down, ``quick_search`` into the search of the
    top bar; ``prefill(args, actor, session)`` gives the values a new form starts with. ``notice(actor, session,
    now)`` is a sentence above its list, the form of a new record and the upload of a file: what bounds the
    person just now; an empty one is not shown. ``more_columns``
    can be switched on by a person; ``facts`` are what one looks at before acting on a record: they stand in
    the head of its page and above the form of an action. ``leaves_out`` names values that the default list
    does not show unless that column is filtered (A-63): ``((Customer.stage, (INVALID,)),)``. ``about`` are
    the columns that hold the resource and the number of another record, which the title then leads to.
    ``batch_menu`` names the actions of the drop-down 批量 at the head of the list, in their order.
    ``root`` is the foreign key to the record that every deed locks before one of these (by default
    ``scopes.through``). ``facets`` are groups of columns by which charts of very many rows are
    counted: an index over each group, and one along the time, answer every chart without reading a row.

    ``pick_…`` is about this model as the entries of pick lists: ``note`` tells namesakes apart, only
    ``active`` ones are offered to forms (filters find the others too), ``by`` is what a field's ``prefers``
    looks at, ``group`` the heading they stand under; a list longer than ``few`` is searched remotely.
    ``permissions`` are further ones of its view, for pages beside the generated ones: name and label. ``script``
    is a file under static/ that its list and its records' pages load, ``form_page`` what its forms are drawn by.

    ``toolbar`` puts functions above the list that act on the row selected there, behind the button that
    searches, which is called ``find_label``; a double click then edits a row. ``row_menu`` is the whole menu of
    a row, in this order and grey where a right is missing, in place of what follows from the actions.
    ``copies`` are the columns that a new record may take over from another one (``/new?copy=ID``).
    ``frozen(record, actor)`` says why a record cannot be changed, at all or by this person, and its form then only
    shows it.
    ``create_title`` heads the form of a new one, ``form_notes(act)`` are sentences above it, and
    ``remove_confirm`` is asked before one is deleted.

    A *face* (`faces`) is a resource as one dealer has it: ``base`` is the declared one, ``added`` are the fields
    that administrators put to it.

    ``dealer_from`` is the field that decides to which dealer a new record belongs; otherwise it is the
    dealer of whoever makes it.
    """

    model: ClassVar[Any]
    name: ClassVar[str]
    label: ClassVar[str] = ""
    unit: ClassVar[str] = "条"
    icon: ClassVar[str] = "table"
    menu: ClassVar[Menu | None] = None
    scopes: ClassVar[Scopes] = Scopes()
    root: ClassVar[Any] = None
    scope_labels: ClassVar[Mapping[Scope, str]] = {}
    scope_tabs: ClassVar[tuple[Scope, ...]] = ()
    title: ClassVar[Any] = None
    known_by: ClassVar[Any] = None
    code: ClassVar[Any] = None
    columns: ClassVar[tuple[Any, ...]] = ()
    more_columns: ClassVar[tuple[Any, ...]] = ()
    filters: ClassVar[tuple[Any, ...]] = ()
    leaves_out: ClassVar[Chosen] = ()
    search: ClassVar[tuple[Any, ...]] = ()
    exact: ClassVar[tuple[Any, ...]] = ()
    tail: ClassVar[tuple[Any, ...]] = ()
    search_hint: ClassVar[str] = ""
    sorts: ClassVar[tuple[Any, ...]] = ()
    descending: ClassVar[bool] = True
    window: ClassVar[Window | None] = None
    views: ClassVar[tuple[View, ...]] = ()
    detail: ClassVar[tuple[Any, ...]] = ()
    badges: ClassVar[tuple[Any, ...]] = ()
    subtitle: ClassVar[tuple[Any, ...]] = ()
    facts: ClassVar[tuple[Any, ...]] = ()
    tags: ClassVar[Any] = None
    about: ClassVar[tuple[Any, Any] | None] = None
    timeline: ClassVar[bool] = False
    form: ClassVar[tuple[Group, ...]] = ()
    edit_form: ClassVar[tuple[Group, ...] | None] = None
    create_label: ClassVar[str] = ""
    create_title: ClassVar[str] = ""
    form_notes: ClassVar[Callable[..., Sequence[str]] | None] = None
    copies: ClassVar[tuple[Any, ...]] = ()
    frozen: ClassVar[Callable[..., str] | None] = None
    remove_confirm: ClassVar[str] = ""
    toolbar: ClassVar[tuple[Tool, ...]] = ()
    row_menu: ClassVar[tuple[Tool, ...]] = ()
    find_label: ClassVar[str] = "查询"
    create: ClassVar[Callable[..., Any] | None] = None
    update: ClassVar[Callable[..., Any] | None] = None
    remove: ClassVar[Callable[..., Any] | None] = None
    checks: ClassVar[Mapping[Any, Callable[..., Any]]] = {}
    actions: ClassVar[tuple[Action, ...]] = ()
    batch_menu: ClassVar[tuple[str, ...]] = ()
    charts: ClassVar[tuple[Chart, ...]] = ()
    facets: ClassVar[tuple[tuple[Any, ...], ...]] = ()
    pick_where: ClassVar[Callable[..., ColumnElement[bool]] | None] = None
    pick_note: ClassVar[tuple[Any, ...]] = ()
    pick_active: ClassVar[Any] = None
    pick_by: ClassVar[Any] = None
    pick_group: ClassVar[Any] = None
    pick_few: ClassVar[int] = FEW
    dealer_from: ClassVar[Any] = None
    empty: ClassVar[str] = "暂无相关数据"
    empty_hint: ClassVar[str] = ""
    quick: ClassVar[bool] = False
    quick_search: ClassVar[bool] = False
    prefill: ClassVar[Callable[..., dict[str, Any]] | None] = None
    notice: ClassVar[Callable[..., str] | None] = None
    api: ClassVar[bool] = True
    template: ClassVar[ImportTemplate | None] = None
    permissions: ClassVar[tuple[tuple[str, str], ...]] = ()
    script: ClassVar[str] = ""
    form_page: ClassVar[str] = "form.html"
    base: ClassVar[type[Resource]]
    added: ClassVar[tuple[FieldSpec, ...]] = ()

    def __init_subclass__(
        cls, model: Any, name: str = "", base: type[Resource] | None = None, **kwargs: Any
    ) -> None:
        super().__init_subclass__(**kwargs)
        cls.base = base or cls
        if base is not None:
            return
        cls.model = model
        cls.name = name or model.__tablename__
        if cls.name in _registry:
            raise TypeError(f"two resources are called {cls.name}")
        _registry[cls.name] = cls
        _by_model.setdefault(model, cls)

    @classmethod
    def view_name(cls) -> str:
        """The stable key of permissions and endpoints."""
        return cls.__name__

    @classmethod
    def extend(
        cls,
        *,
        actions: tuple[Action, ...] = (),
        first_actions: tuple[Action, ...] = (),
        detail: tuple[Any, ...] = (),
        charts: tuple[Chart, ...] = (),
    ) -> None:
        """Add what an upper domain knows about this record: its actions on it, and its related tabs,
        which stand before those of lower domains (the deal before the way to it)."""
        cls.actions = (*first_actions, *cls.actions, *actions)
        groups = tuple(d for d in cls.detail if isinstance(d, Group))
        cls.detail = (*groups, *detail, *(d for d in cls.detail if not isinstance(d, Group)))
        cls.charts = (*cls.charts, *charts)

    @classmethod
    def pk(cls) -> Any:
        """The primary key attribute."""
        return cls.model.id

    @classmethod
    def parent(cls) -> type[Resource]:
        """The resource a child record belongs to (``scopes.through``)."""
        target = describe(cls.scopes.through).target
        return resource_of(target)

    @classmethod
    def groups(cls, editing: bool) -> tuple[Group, ...]:
        """The form's groups when creating or editing."""
        return cls.edit_form if editing and cls.edit_form is not None else cls.form

    @classmethod
    def standing(cls, actor: Actor, session: Session, now: datetime) -> str:
        """What bounds this person just now, in a sentence."""
        return cls.notice(actor, session, now) if cls.notice is not None else ""

    @classmethod
    def view(cls, name: str) -> View | None:
        """The saved view of that name."""
        return next((v for v in cls.views if v.name == name), None)

    @classmethod
    def scope_label(cls, scope: Scope) -> str:
        """The scope tab's word on this resource."""
        return cls.scope_labels.get(scope, scope.label)

    @classmethod
    def titled(cls) -> str:
        """What its list, tab and menu entry are called (D-07)."""
        return (cls.menu.label if cls.menu is not None else "") or cls.label

    @classmethod
    def window_days(cls) -> int:
        """The days of the default window; 0 without one."""
        return cls.window.days if cls.window else 0


_registry: dict[str, type[Resource]] = {}
_by_model: dict[Any, type[Resource]] = {}


def resources() -> Iterator[type[Resource]]:
    """Every declared resource, in order of declaration."""
    return iter(tuple(_registry.values()))


def resource(name: str) -> type[Resource] | None:
    """The resource of that name (its table's name), or None."""
    return _registry.get(name)


def resource_of(model: Any) -> type[Resource]:
    """The resource of a model; a `KeyError` names a model without screens."""
    return _by_model[model]


def has_resource(model: Any) -> bool:
    """Whether the model has screens."""
    return model in _by_model


@dataclass(frozen=True)
class CheckResult:
    """Answer to a check while typing: fine, a sentence, or a question to put as a dialog."""

    ok: bool
    message: str = ""
    question: Question | None = None


def fields_of(groups: tuple[Any, ...]) -> list[FieldSpec]:
    """All fields of a form's or detail's groups, in order."""
    return [describe(f) for g in groups if isinstance(g, Group) for f in g.fields]
