"""我的提醒消息 and 提醒设置. Everybody signed in has these, like the profile; no role takes them away."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import flash, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from sqlalchemy.orm import Session

from app.engine import chrome, drawing, forms
from app.engine.actions import Act, Invalid, NotFound, Refusal
from app.engine.choices import Entry
from app.engine.database import MAX_ID, PK, db, id_of, utcnow, writing
from app.engine.deeds import deed
from app.engine.fields import FieldSpec, entry
from app.engine.pages import Link, NoticesPage
from app.engine.resource import Group
from app.engine.scopes import Actor
from app.engine.security import entrance, passing, require_actor
from models.notifications import inbox, preferences
from models.notifications.tables import NoticeKind, NoticePreference

URL = inbox.URL
SETTINGS = "/profile/notices"
_OWN, _DEALERS = "own", "dealer"


class NotificationsView(BaseView):  # type: ignore[misc]
    """The bell, the page behind it, and how one wants to be reached."""

    route_base = "/notifications"

    @expose("/", methods=["GET"])
    def index(self) -> ResponseReturnValue:
        """Own messages, newest first, by kind and by read or not (A-30)."""
        actor, session, now = require_actor(), db.session(), utcnow()
        asked = request.args.get("kind", "")
        kind = NoticeKind.of(asked) if asked in {k.value for k in NoticeKind} else None
        only_unread = request.args.get("unread") == "1"
        after, before = _place(request.args.get("after", "")), _place(request.args.get("before", ""))
        found, more = inbox.page(
            session, actor, kind=kind, only_unread=only_unread, before=before, after=after
        )
        args = {"kind": kind.value if kind else "", "unread": "1" if only_unread else ""}
        shown = NoticesPage(
            _kinds(kind, args),
            [
                Link("全部", _address(args, unread=""), active=not only_unread),
                Link("未读", _address(args, unread="1"), active=only_unread),
            ],
            inbox.notices(session, actor, found, now),
            inbox.unread(session, actor),
            back=_address(args),
        )
        if found and (more if after else before):
            shown.newer = _address(args, after=_written(found[0].created_at, found[0].id))
        if found and (before or more if after else more):
            shown.older = _address(args, before=_written(found[-1].created_at, found[-1].id))
        if kind is not None or only_unread:
            shown.empty, shown.empty_hint = "没有符合条件的消息", "可以切换到“全部”查看其他消息"
        else:
            shown.empty_hint = "待跟进的任务、客户和订单的变化会出现在这里"
        return chrome.page("notifications.html", key="notifications", title="我的提醒消息", page=shown)

    @expose("/unread", methods=["GET"])
    def unread(self) -> ResponseReturnValue:
        """The number at the bell, for the page that waits: asking for it does not keep a session alive."""
        actor = require_actor()
        passing()
        return jsonify({"unread": chrome.unread_words(inbox.unread(db.session(), actor))})

    @expose("/newest", methods=["GET"])
    def newest(self) -> ResponseReturnValue:
        """What drops down from the bell."""
        actor, session = require_actor(), db.session()
        found, _ = inbox.page(session, actor, limit=inbox.NEWEST)
        return render_template(
            "_notices.html", notices=inbox.notices(session, actor, found, utcnow()), url=URL
        )

    @expose(f"/{PK}", methods=["GET"])
    def show(self, pk: int) -> ResponseReturnValue:
        """Open a message: from then on it is read, and it leads to its record; a summary, and a message whose
        record is out of reach, is shown itself. The one address at which looking changes something, because
        links in mails can be nothing else: the mark of the reader's own message, and only when it is looked at."""
        actor, session, now = require_actor(), db.session(), utcnow()
        message = inbox.one(session, actor, pk)
        if message is None:
            raise NotFound
        (shown,) = inbox.notices(session, actor, [message], now)
        if not shown.read and not actor.preview and _looked_at():
            _read(session, actor, now, [pk])
        if shown.url and not shown.groups:
            return redirect(shown.url)
        ways = inbox.ways(session, actor, message)
        return chrome.page("notification.html", title="提醒消息", notice=shown, url=URL, ways=ways)

    @expose("/read", methods=["POST"])
    def read(self) -> ResponseReturnValue:
        """Mark the ticked messages as read, or all of them."""
        actor = require_actor()
        ids = [found for found in map(id_of, request.form.getlist("id")[:200]) if found]
        whole = request.form.get("all") == "1"
        amount = _read(db.session(), actor, utcnow(), None if whole else ids)
        flash(f"已将 {amount} 条消息标为已读" if amount else "没有未读的消息", "good")
        back = request.form.get("back", "")
        return redirect(back if back == URL or back.startswith(f"{URL}?") else URL)


class NoticeSettingsView(BaseView):  # type: ignore[misc]
    """提醒设置, a part of the own account."""

    route_base = SETTINGS

    @expose("/", methods=["GET", "POST"])
    @expose("", methods=["GET", "POST"])
    def settings(self) -> ResponseReturnValue:
        """Channels per kind, quiet hours, the own robot."""
        actor, session = require_actor(), db.session()
        if request.method == "GET":
            return _settings_page(session, actor)
        texts = request.form.to_dict(flat=False)
        act = Act(actor, utcnow(), session, entrance(), "修改提醒设置")
        try:
            values = forms.clean(_fields(), texts, forms.Context(session, actor, act.now))
            with deed(act):
                preferences.save(act, values | {"own": values["mode"] == _OWN})
        except Invalid as wrong:
            return _settings_page(session, actor, texts, wrong.errors), 400
        except Refusal as refusal:
            return _settings_page(session, actor, texts, {"": refusal.message}), 400
        flash("提醒设置已保存", "good")
        return redirect("/profile")


def _looked_at() -> bool:
    """Whether a person has opened the address: no browser that fetches ahead, no picture on another page."""
    asked = request.headers
    shown = asked.get("Sec-Fetch-Dest", "document") == "document"
    return request.method == "GET" and shown and "prefetch" not in asked.get("Sec-Purpose", "")


def _read(session: Session, actor: Actor, now: datetime, ids: list[int] | None) -> int:
    with writing(session):
        amount = inbox.read(session, actor, now, ids)
        session.commit()
    if request.method == "GET":
        chrome.counted_anew()
    return amount


def _kinds(chosen: NoticeKind | None, args: dict[str, str]) -> list[Link]:
    return [
        Link("全部类型", _address(args, kind=""), active=chosen is None),
        *(Link(k.label, _address(args, kind=k.value), active=k is chosen) for k in NoticeKind),
    ]


def _address(args: dict[str, str], **more: str) -> str:
    query = urlencode({k: v for k, v in (args | more).items() if v})
    return f"{URL}?{query}" if query else URL


def _written(at: datetime, pk: int) -> str:
    return f"{at.isoformat()}_{pk}"


def _place(text: str) -> inbox.Place | None:
    """Where a page goes on; None for nonsense."""
    at, _, pk = text.rpartition("_")
    try:
        place = datetime.fromisoformat(at), int(pk)
    except ValueError:
        return None
    return place if place[0].tzinfo is None and 0 < place[1] <= MAX_ID else None


def _fields() -> list[FieldSpec]:
    modes = (Entry(_DEALERS, "按商场默认"), Entry(_OWN, "自行设置"))
    when = f"mode={_OWN}"
    return [
        entry(
            "mode", "渠道与时间", options=modes, required=True, default=_DEALERS, hint="站内消息始终立即发送"
        ),
        *(
            entry(
                f"channels_{k.value}", k.label, options=preferences.CHANNELS, multiple=True, shown_when=when
            )
            for k in NoticeKind
        ),
        entry("quiet_from", "免打扰开始", maxlength=5, hint="例如 22:00", shown_when=when),
        entry("quiet_to", "免打扰结束", maxlength=5, hint="例如 08:00", shown_when=when),
        entry("strong_through", "强提醒不受免打扰限制", "bool", shown_when=when),
        entry(
            "robot_url",
            "我的工作群机器人地址",
            maxlength=500,
            wide=True,
            hint="在工作群中添加机器人后得到的地址",
        ),
    ]


def _settings_page(
    session: Session, actor: Actor, texts: Any = None, errors: dict[str, str] | None = None
) -> str:
    row = preferences.own(session, actor.id) or NoticePreference(own=False, channels={})
    now: dict[str, Any] = {f"channels_{k.value}": row.channels.get(k.value, []) for k in NoticeKind}
    now |= {"mode": _OWN if row.own else _DEALERS, "strong_through": bool(row.strong_through)}
    now |= {name: getattr(row, name) or "" for name in ("quiet_from", "quiet_to", "robot_url")}
    mode, *rest = _fields()
    channels, hours, robot = rest[: len(NoticeKind)], rest[len(NoticeKind) : -1], rest[-1:]
    shown = drawing.form_page(
        [Group("站外提醒", mode, *channels, *hours), Group("机器人", *robot)],
        forms.Context(session, actor, utcnow()),
        drawing.Drawer(SETTINGS, texts, errors, None, now),
        title="提醒设置",
        url=SETTINGS,
        cancel_url="/profile",
    )
    shown.intro = _addresses(session, actor)
    return chrome.page("form.html", key="profile", title=shown.title, page=shown)


def _addresses(session: Session, actor: Actor) -> str:
    """Where the person can be reached, in a sentence."""
    wish = preferences.wishes(session, [actor.id])[actor.id]
    email = f"邮件发到 {wish.email}" if wish.email else "未填写电子邮箱，不能收邮件"
    phone = f"短信发到 {wish.phone}" if wish.phone else "未填写联系电话，不能收短信"
    robot = "" if wish.robot_url else "；未设置机器人地址，不能收群消息"
    return f"{email}；{phone}{robot}。邮箱和电话由管理员在员工资料中维护。"


VIEWS = [NotificationsView, NoticeSettingsView]
