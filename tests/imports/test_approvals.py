"""Files cannot wait for approval: lines that would have to are refused in words, the others are brought in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from app.engine.database import db
from app.engine.imports.tables import ImportState
from models.customers.tables import Customer
from models.shaping.approval_tables import ApprovalRequest
from tests.customers.world import World
from tests.imports.conftest import Importer
from tests.shaping.test_approvals import flow

pytestmark = pytest.mark.sqlite_only
Make = Callable[..., Importer]
HEAD = ["客户姓名", "手机号码", "意向级别"]


def test_lines_that_would_wait_are_refused(world: World, importer: Make) -> None:
    about = {"subject": "customers", "steps": "申请人的店长"}
    flow(world, **about, name="建档审批", deed="customers/create", condition="意向级别 是 A")
    flow(world, **about, name="改级别审批", deed="customers/update", condition="", watched="意向级别")
    known, renamed = world.customer("keeper", level="C"), world.customer("keeper", level="C")
    mine = importer("keeper")
    run = mine.bring_in(
        [
            HEAD,
            ["新甲", "13700000001", "A"],
            ["新乙", "13700000002", "B"],
            [known.name, known.phone, "B"],
            ["改名", renamed.phone, "C"],
        ],
        mode="both",
        key="phone",
    )
    assert run.state == ImportState.DONE
    said = {row[0]: row[-1] for row in mine.problems(run)[1:]}
    cannot = "需要审批，不能用文件导入，请逐条提交"
    assert said == {"新甲": f"“新增服务号”{cannot}", known.name: f"“编辑”{cannot}"}
    assert db.session.scalar(select(func.count(ApprovalRequest.id))) == 0
    levels = dict(db.session.execute(select(Customer.name, Customer.level)).all())
    assert levels == {"新乙": "B", known.name: "C", "改名": "C"}
