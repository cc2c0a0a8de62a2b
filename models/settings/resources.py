"""The screens of the settings."""

from __future__ import annotations

from app.engine.configuring import Writer, configurable
from app.engine.resource import Group, Menu, Resource
from app.engine.scopes import Scopes
from models.identity.for_all import begun, for_all
from models.identity.menu_groups import BASICS
from models.settings import exports, numbering, queries, rules
from models.settings.tables import OF_FIELDS, DictionaryEntry, Parameter

__all__ = ["Dictionaries", "Parameters", "exports", "numbering", "queries"]


class Dictionaries(Resource, model=DictionaryEntry):
    """数据字典: the choices of levels, sources and the like; a dealer adds to the group's presets."""

    label = "字典条目"
    icon = "book-2"
    menu = Menu(BASICS, label="数据字典", icon="book-2", order=922, page="/dictionaries/")
    scopes = Scopes(dealer=DictionaryEntry.dealer_id, shared=True)
    title = DictionaryEntry.label
    columns = (
        DictionaryEntry.dictionary,
        DictionaryEntry.label,
        DictionaryEntry.value,
        DictionaryEntry.tone,
        DictionaryEntry.parent,
        DictionaryEntry.sort,
        DictionaryEntry.active,
        DictionaryEntry.dealer_id,
    )
    filters = (DictionaryEntry.dictionary, DictionaryEntry.active)
    search = (DictionaryEntry.label,)
    exact = (DictionaryEntry.value,)
    search_hint = "名称"
    sorts = (DictionaryEntry.dictionary, DictionaryEntry.sort)
    descending = False
    detail = (
        Group(
            "条目",
            DictionaryEntry.dictionary,
            DictionaryEntry.label,
            DictionaryEntry.value,
            DictionaryEntry.tone,
            DictionaryEntry.parent,
            DictionaryEntry.sort,
            DictionaryEntry.active,
            DictionaryEntry.dealer_id,
        ),
    )
    form = (
        Group(
            "条目",
            DictionaryEntry.dictionary,
            DictionaryEntry.label,
            DictionaryEntry.value,
            DictionaryEntry.tone,
            DictionaryEntry.parent,
            DictionaryEntry.sort,
            DictionaryEntry.active,
            for_all("dictionary_entries", "字典条目"),
        ),
    )
    edit_form = (
        Group(
            "条目",
            DictionaryEntry.label,
            DictionaryEntry.tone,
            DictionaryEntry.parent,
            DictionaryEntry.sort,
            DictionaryEntry.active,
        ),
    )
    create_label = "新增条目"
    prefill = staticmethod(begun(DictionaryEntry))
    create = staticmethod(rules.create_entry)
    update = staticmethod(rules.update_entry)
    remove = staticmethod(rules.remove_entry)


class Parameters(Resource, model=Parameter):
    """系统参数: shown and saved on one page (`views/parameters.py`); this declares rights and history."""

    label = "系统参数"
    icon = "adjustments"
    menu = Menu(BASICS, icon="adjustments", order=923)
    scopes = Scopes(dealer=Parameter.dealer_id, shared=True)
    title = Parameter.key
    columns = (Parameter.key, Parameter.dealer_id, Parameter.updated_at)
    sorts = (Parameter.updated_at,)
    edit_form = (Group("参数", Parameter.key),)
    update = staticmethod(rules.keep_to_page)
    api = False


configurable(
    Dictionaries,
    key=(DictionaryEntry.dictionary, DictionaryEntry.value, DictionaryEntry.parent),
    content=(DictionaryEntry.label, DictionaryEntry.tone, DictionaryEntry.sort, DictionaryEntry.active),
    depends=rules.entries_below,
    words=rules.entry_words,
    under=DictionaryEntry.dictionary,
    where=~DictionaryEntry.dictionary.startswith(OF_FIELDS),
)
configurable(
    Parameters,
    key=(Parameter.key,),
    content=(Parameter.value,),
    writer=Writer(rules.keep_parameter, rules.drop_parameter),
    hidden=rules.is_secret,
    words=rules.parameter_words,
    typed=rules.declared_field,
)
