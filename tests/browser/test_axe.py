"""axe finds nothing serious on any page, in light and dark, wide and narrow."""

from __future__ import annotations

from typing import Any

import pytest
from axe_core_python.sync_playwright import Axe

from tests.browser import screen
from tests.browser.world import World
from tests.plugins.chromium import NARROW, WIDE

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = (
    "/",
    "/customers/",
    "/customers/?level=H&stage=lost&q=x",
    "/customers/{customer}",
    "/customers/new",
    "/customers/{customer}/edit",
    "/customers/{customer}/history",
    "/customers/charts",
    "/dashboards/manager?day=all",
    "/boards/",
    "/boards/new",
    "/boards/add?_of=customers&_chart=source",
    "/board_briefs/new?board=manager",
    "/text_templates/1/edit",
    "/text_templates/new/placeholders",
    "/print/customers/{customer}",
    "/customers/action/write_follow_up?id={customer}",
    "/customers/action/tag?id={customer}",
    "/customers/action/reassign?id={customer}",
    "/customers/handover/",
    "/customers/handover/?kind=staying&person={consultant}",
    "/customers/?do=change_salesperson",
    "/notices/",
    "/announcements/",
    "/contacts/",
    "/contacts/action/link_contact?id={contact}",
    "/tasks/",
    "/service_orders/{service_order}",
    "/factory_orders/{factory_order}",
    "/roles/",
    "/roles/{role}/edit",
    "/employees/",
    "/employees/new",
    "/tags/",
    "/parameters/",
    "/dictionary_entries/",
    "/dictionaries/?name=customer.source",
    "/dictionaries/merge?name=customer.level&from=5",
    "/clock_rules/",
    "/clock_rules/new",
    "/automations/new",
    "/approval_flows/new",
    "/audit_entries/",
    "/layouts/",
    "/layouts/edit?resource=customers&page=new",
    "/layouts/edit?resource=customers&page=detail",
    "/configuration/",
    "/configuration/import",
    "/configuration/import?preset=cars",
    "/jobs/",
    "/queue/",
    "/search?q=周敏",
    "/profile",
    "/profile/password",
    "/profile/notices",
    "/notifications/",
    "/notice_deliveries/",
    "/customers/999999",
)


def findings(page: Any, without: str = "") -> list[str]:
    """What axe calls serious or critical on the page as it stands; ``without`` is a part that was looked at
    before."""
    left_out = {"exclude": [[without]]} if without else None
    found = Axe().run(page, context=left_out, options={"resultTypes": ["violations"], "preload": 0})
    serious = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
    return [
        f"{v['id']}: {n['html'][:160]} — {n.get('failureSummary', '')[:240]}"
        for v in serious
        for n in v["nodes"][:3]
    ]


def addresses(world: World) -> list[str]:
    """The pages with the world's ids."""
    ids = {
        "customer": world.customers["周敏"],
        "contact": world.contacts["王先生"],
        "service_order": world.service_order,
        "factory_order": world.factory_order,
        "role": 2,
        "consultant": world.people["consultant1"],
    }
    return [a.format(**ids) for a in PAGES]


@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (NARROW, True)])
def test_no_serious_finding(page_as: Any, world: World, size: tuple[int, int], dark: bool) -> None:
    page = page_as("admin", size=size, dark=dark)
    found = []
    for number, address in enumerate(addresses(world)):
        page.goto(address)
        found += [f"{address} {line}" for line in findings(page, without="nav.nav" if number else "")]
        width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if width > 0:
            found.append(f"{address} is {width} px wider than the screen")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("dark", [False, True])
def test_no_serious_finding_while_at_work(page_as: Any, page: Any, world: World, dark: bool) -> None:
    """Login, side sheet, batch bar, opened filters, dialogs."""
    page.emulate_media(color_scheme="dark" if dark else "light")
    page.goto("/login")
    found = findings(page)
    mine = page_as("consultant1", dark=dark)
    mine.goto("/customers/")
    mine.get_by_text("展开高级搜索").click()
    found += findings(mine)
    screen.tick(mine, "周敏")
    found += findings(mine)
    screen.batch(mine, "失效").click()
    found += findings(mine)
    mine.keyboard.press("Escape")
    mine.goto("/customers/")
    screen.row(mine, "周敏").locator("td.st").click()
    mine.locator(".sheet .kv").first.wait_for()
    mine.wait_for_timeout(250)  # the sheet slides in
    found += findings(mine)
    mine.goto("/customers/new")
    screen.fill(mine, "客户姓名", "周女士")
    screen.field(mine, "手机号码").press_sequentially("13800000471")
    mine.get_by_role("dialog").wait_for()
    found += findings(mine)
    assert not found, "\n".join(found)
