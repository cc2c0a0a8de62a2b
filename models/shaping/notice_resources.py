"""通知用语: the words of the product's own messages; all of them stand on the page of `views/notice_words.py`."""

from __future__ import annotations

from app.engine.configuring import configurable
from app.engine.fields import fixed
from app.engine.resource import Group, Menu, Resource
from app.engine.scopes import Scopes
from models.identity.for_all import for_all
from models.identity.menu_groups import SHAPING
from models.identity.rules import groups_alone
from models.shaping import notice_queries, notice_rules
from models.shaping.notice_tables import NoticeWords

__all__ = ["NoticeTexts", "notice_queries"]

PAGE = "/notice-words/"
_TEXTS = Group("文字", NoticeWords.one, NoticeWords.many, NoticeWords.active)


class NoticeTexts(Resource, model=NoticeWords):
    """通知用语: administrators say the product's messages in their own words."""

    label = "通知用语"
    unit = "条"
    icon = "message-report"
    menu = Menu(SHAPING, label="通知用语", icon="message-report", order=946, page=PAGE)
    scopes = Scopes(dealer=NoticeWords.dealer_id, shared=True)
    title = NoticeWords.one
    known_by = NoticeWords.sentence
    columns = (
        NoticeWords.sentence,
        NoticeWords.one,
        NoticeWords.many,
        NoticeWords.active,
        NoticeWords.dealer_id,
        NoticeWords.updated_at,
    )
    filters = (NoticeWords.sentence, NoticeWords.active)
    sorts = (NoticeWords.updated_at,)
    detail = (Group("通知", NoticeWords.sentence, NoticeWords.dealer_id, NoticeWords.updated_at), _TEXTS)
    form = (
        Group("通知", NoticeWords.sentence),
        Group(_TEXTS.title, *_TEXTS.fields, for_all("notice_words", "通知用语")),
    )
    edit_form = (Group("通知", fixed(NoticeWords.sentence)), _TEXTS)
    form_page = "notice_form.html"
    prefill = staticmethod(notice_rules.begun)
    frozen = staticmethod(groups_alone(notice_rules.OF_GROUP, "notice_words"))
    remove_confirm = "恢复默认后，此通知使用集团或系统的文字。确认恢复？"
    create = staticmethod(notice_rules.create_words)
    update = staticmethod(notice_rules.update_words)
    remove = staticmethod(notice_rules.remove_words)
    create_label = "修改通知用语"
    empty_hint = "没有另写文字的通知使用系统默认文字"
    api = False


configurable(
    NoticeTexts,
    key=(NoticeWords.sentence,),
    content=(NoticeWords.one, NoticeWords.many, NoticeWords.active),
)
