"""The pictures of the user guide: ``python -m tests.browser.pictures [folder]``, on fresh demo data."""

from __future__ import annotations

import logging
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.browser import screen, shaping_steps
from tests.plugins.chromium import FLAGS, NARROW, WIDE
from tests.plugins.databases import SECRETS, settings_for_tests

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "guide" / "img"
CUSTOMERS = 2_000


def _nothing(page: Any) -> None:
    """The page as it opens."""


def _sheet(page: Any) -> None:
    page.locator("table.rows tbody tr td.st").nth(2).click()
    page.locator(".sheet .kv").first.wait_for()


def _batch(page: Any) -> None:
    if page.viewport_size["width"] == NARROW[0]:
        return
    for n in (1, 2):
        page.locator("tbody input[name=id]").nth(n).check()


def _advanced(page: Any) -> None:
    if page.viewport_size["width"] == NARROW[0]:
        page.locator(".adv > summary").click()
    else:
        page.get_by_text("展开高级搜索", exact=True).click()


def _known_phone(page: Any) -> None:
    screen.fill(page, "客户姓名", "周女士")
    screen.field(page, "手机号码").press_sequentially(page.known_phone)
    page.get_by_role("dialog").wait_for()


def _second_notice(page: Any) -> None:
    _known_phone(page)
    page.get_by_role("dialog").get_by_text("继续创建").click()
    page.get_by_role("dialog", name="温馨提示").wait_for()


def _follow_up(page: Any) -> None:
    screen.fill(page, "跟进内容", "已发报价，约周六上午到店看样")


def _history(page: Any) -> None:
    address = page.url
    page.goto(address.replace("/history", "/edit"))
    screen.fill(page, "小区", "云栖花园")
    screen.press(page, "保存")
    page.locator(".hd").wait_for()
    page.goto(address)


def _mask(page: Any) -> None:
    page.locator(".tree label").filter(has_text="客户电话显示加密").locator("input").check()


def _looked(page: Any) -> None:
    page.locator("[data-look] [data-with]").wait_for()


def _drawn(page: Any) -> None:
    page.locator(".plot svg").first.wait_for()
    page.wait_for_timeout(500)  # the charts grow for a moment


_FILE = """客户姓名,手机号码,意向级别,客户来源,备注
周女士,13712345601,A,短视频平台,想做全屋定制
吴先生,13712345602,B,自然到店,已看样板间
郑女士,1371234,B,自然到店,号码少了几位
王先生,13712345604,X,自然到店,级别写错
冯女士,13712345602,C,自然到店,与上面重复
陈先生,13712345606,C,短视频平台,
"""


def _file(page: Any) -> None:
    page.set_input_files(
        "input[type=file]", {"name": "展会客户.csv", "mimeType": "text/csv", "buffer": _FILE.encode()}
    )


def _checked(page: Any) -> None:
    _file(page)
    page.locator("[data-main]").click()
    page.locator(".steps").wait_for()
    page.work()
    page.reload()
    page.get_by_role("button", name="开始导入").wait_for()


def _sign_in(context: Any, person: str) -> None:
    page = context.new_page()
    page.goto("/login")
    page.fill("#username", person)
    page.fill("#password", SECRETS["ADMIN_PASSWORD" if person == "admin" else "DEMO_PASSWORD"])
    page.click("[data-main]")
    page.wait_for_url("**/")
    page.close()


@dataclass(frozen=True)
class Picture:
    """One picture: who looks at which address, after which steps."""

    name: str
    person: str
    address: str
    steps: Callable[[Any], None] = _nothing
    dark: bool = False
    wide_only: bool = False


PICTURES = (
    Picture("login", "", "/login"),
    Picture("home", "consultant1", "/"),
    Picture("list", "consultant1", "/customers/"),
    Picture("list-dark", "consultant1", "/customers/", dark=True),
    Picture("advanced", "consultant1", "/customers/", _advanced),
    Picture("sheet", "consultant1", "/customers/", _sheet, wide_only=True),
    Picture("batch", "manager1", "/customers/?scope=store", _batch),
    Picture("new", "consultant1", "/customers/new"),
    Picture("same-phone", "consultant1", "/customers/new", _known_phone),
    Picture("second-notice", "consultant1", "/customers/new", _second_notice),
    Picture("detail", "consultant1", "{customer}"),
    Picture("follow-up", "consultant1", "/customers/action/write_follow_up?id={id}", _follow_up),
    Picture("leads", "consultant1", "/contacts/"),
    Picture("tasks", "consultant1", "/tasks/"),
    Picture("masked", "clerk1", "/customers/"),
    Picture("related", "designer1", "/customers/?scope=related"),
    Picture("charts", "manager1", "/customers/charts?scope=dealer", _drawn),
    Picture("dashboard", "manager1", "/dashboards/manager", _drawn),
    Picture("notifications", "consultant1", "/notifications/"),
    Picture("import", "clerk1", "/customers/import", _file),
    Picture("import-ready", "clerk1", "/customers/import", _checked),
    Picture("jobs", "clerk1", "/jobs/"),
    Picture("handover", "manager1", "/customers/handover/"),
    Picture("leads-list", "channel1", "/registrations/"),
    Picture("leads-new", "channel1", "/registrations/new"),
    Picture("standing", "channel1", "/registration-standing/"),
    Picture("audit", "channelmanager1", "/registration-audit/"),
    Picture("statistics", "channelmanager1", "/registration-statistics/"),
    Picture("clock-rules", "admin", "/clock_rules/"),
    Picture("roles", "admin", "/roles/"),
    Picture("role", "admin", "/roles/{role}/edit", _mask),
    Picture("employees", "admin", "/employees/?scope=dealer"),
    Picture("tags", "admin", "/tags/?scope=dealer"),
    Picture("dictionaries", "admin", "/dictionaries/?name=customer.source"),
    Picture("parameters", "admin", "/parameters/"),
    Picture("history", "manager1", "{customer}/history", _history),
    Picture("menu-settings", "dealeradmin1", "/menu-settings/", wide_only=True),
    Picture("field", "dealeradmin1", "/custom_fields/new", shaping_steps.field, wide_only=True),
    Picture("layout", "dealeradmin1", "/layouts/edit?resource=customers&page=edit", shaping_steps.layout,
            wide_only=True),
    Picture("automation", "dealeradmin1", "/automations/new", shaping_steps.automation, wide_only=True),
    Picture("template", "dealeradmin1", "/text_templates/{template}/edit", _looked, wide_only=True),
    Picture("approval", "manager1", "/approval_requests/", shaping_steps.asked(_sign_in), wide_only=True),
    Picture("board", "dealeradmin1", "/boards/new", shaping_steps.board, wide_only=True),
)  # fmt: skip


def _serve(folder: Path) -> tuple[Any, Any, dict[str, str]]:
    from werkzeug.serving import make_server

    from app.factory import create_app
    from app.setup import initialise
    from models import demo

    app = create_app(settings_for_tests(f"sqlite:///{folder / 'zhike.db'}", folder))
    with app.app_context():
        initialise(app)
        demo.build(app, customers=CUSTOMERS, echo=lambda text: None)
        known = _known()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return app, server, known


def _known() -> dict[str, str]:
    """The consultant's most active customer, the dealer's role 导购, and a template of paper."""
    from sqlalchemy import select

    from app.engine.database import db
    from models.customers.tables import Customer, Stage
    from models.identity.roles import StaffRole
    from models.identity.tables import Employee
    from models.shaping.template_tables import Template, TemplateKind

    session = db.session()
    person = session.scalars(select(Employee).where(Employee.username == "consultant1")).one()
    customer = session.scalars(
        select(Customer)
        .where(Customer.filer_id == person.id, Customer.stage == Stage.FOLLOWING)
        .order_by(Customer.activity_score.desc(), Customer.id)
    ).first()
    assert customer is not None, "the demo gives the consultant customers"
    template = select(Template.id).where(Template.kind == TemplateKind.PRINT).order_by(Template.id)
    role = select(StaffRole.id).where(StaffRole.label == "导购", StaffRole.dealer_id == person.dealer_id)
    found = {
        "id": str(customer.id),
        "customer": f"/customers/{customer.id}",
        "phone": customer.phone,
        "role": str(session.scalars(role).one()),
        "template": str(session.scalars(template).first()),
    }
    session.rollback()
    return found


def _work(app: Any) -> None:
    """Carry out the jobs that wait, as a worker does."""
    from sqlalchemy import select

    from app.engine import jobs, outbox
    from app.engine.database import db

    with app.app_context():
        table = outbox.ROWS.c
        waiting = select(table.id).where(table.kind == jobs.KIND, table.done_at.is_(None))
        for row_id in db.session.scalars(waiting).all():
            outbox.deliver(db.session(), row_id)


def _take(browser: Any, address: str, known: dict[str, str], target: Path, work: Callable[[], None]) -> None:
    for size in (WIDE, NARROW):
        contexts: dict[tuple[str, bool], Any] = {}
        for one in PICTURES:
            if one.wide_only and size != WIDE:
                continue
            key = (one.person, one.dark)
            if key not in contexts:
                contexts[key] = browser.new_context(
                    base_url=address,
                    viewport={"width": size[0], "height": size[1]},
                    locale="zh-CN",
                    timezone_id="Asia/Shanghai",
                    color_scheme="dark" if one.dark else "light",
                )
                if one.person:
                    _sign_in(contexts[key], one.person)
            page = contexts[key].new_page()
            page.known_phone, page.work = known["phone"], work
            page.goto(one.address.format(**known))
            one.steps(page)
            page.wait_for_timeout(200)
            page.screenshot(path=target / f"{one.name}-{size[0]}.png")
            page.close()
        for context in contexts.values():
            context.close()


def main(target: Path = FOLDER) -> None:
    """Take all pictures at both widths."""
    from playwright.sync_api import sync_playwright

    logging.disable(logging.INFO)
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        app, server, known = _serve(Path(folder))
        with sync_playwright() as playwright:
            # Inputs of dates follow the language of the system the browser runs on.
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"),
                args=FLAGS,
                env={"LANG": "zh_CN.UTF-8", "LANGUAGE": "zh_CN"},
            )
            work = partial(_work, app)
            _take(browser, f"http://127.0.0.1:{server.server_port}", known, target, work)
            browser.close()
        server.shutdown()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
