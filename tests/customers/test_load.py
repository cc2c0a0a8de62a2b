"""A dealer's own file of customers (the user's day, step 5)."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from app.engine.actions import Refusal
from app.engine.audit import AuditEntry, acting
from app.engine.database import db, writing
from app.engine.scopes import Scope
from app.engine.security import forget_actors
from models.customers import load
from models.customers.csvfile import beside
from models.customers.load import load_file
from models.customers.tables import Contact, Customer, CustomerPhone, CustomerTag, Stage, Tag
from models.identity import role_rules
from models.identity.presets import preset_role
from models.identity.role_rules import Rights
from models.identity.tables import Employee, Store
from tests.customers.world import World


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "customers.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.spec("A-01", "A-08", "A-09")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_lines_become_customers_as_by_the_form(world: World, tmp_path: Path, encoding: str) -> None:
    path = written(
        tmp_path,
        "*客户姓名,手机号码,其他号码,称谓,导购,所属组织（门店）,备注\r\n"
        f"张女士,１３８-0000 0001,13900000001、13900000002,女士,{world.people['seller2'].name},,\r\n"
        "\r\n"
        "李先生,,,,,,没有号码\r\n",
        encoding,
    )
    report = load_file(path, world.actor("boss"))
    assert (report.total, report.created, report.refused) == (2, 2, [])
    customer = db.session.scalars(select(Customer)).one()
    assert (customer.name, customer.phone, customer.stage) == ("张女士", "13800000001", Stage.FOLLOWING)
    assert customer.owner_id == world.people["seller2"].id
    assert customer.code.startswith("KF")
    numbers = db.session.scalars(select(CustomerPhone.phone).order_by(CustomerPhone.position))
    assert list(numbers) == ["13800000001", "13900000001", "13900000002"]
    assert db.session.scalars(select(Contact.name)).all() == ["李先生"]


@pytest.mark.spec("A-02", "A-09")
def test_every_refused_line_is_named_with_its_reason(world: World, tmp_path: Path) -> None:
    filed = world.customer(phone="13800000009")
    path = written(
        tmp_path,
        "客户姓名,手机号码,导购,意向级别\n"
        "张一,13800000001,,\n"
        "张二,12345,,\n"
        ",13800000003,,\n"
        '"张\n四",13800000004,没有此人,\n'
        "张五,13800000005,,不存在的级别\n"
        "张六,13800000009,,\n"
        "张七,13800000001,,\n"
        "张八,13800000008,,,多余\n",
    )
    report = load_file(path, world.actor("boss"))
    assert (report.total, report.created) == (8, 1)
    reasons = {line.number: line.reason for line in report.refused}
    assert list(reasons) == [3, 4, 5, 7, 8, 9, 10]
    assert "正确的手机号码" in reasons[3]
    assert "客户姓名" in reasons[4]
    assert reasons[3] == "手机号码“12345”：请输入正确的手机号码"
    assert reasons[5].startswith("导购“没有此人”：没有找到；可填 ") and "导购甲（seller）" in reasons[5]
    assert reasons[7] == "意向级别“不存在的级别”：可填 H、A、B、C、D"
    assert reasons[8] == f"手机号码 13800000009 已建档（服务号 {filed.code}，甲商场1店，导购甲）"
    assert reasons[9] == "手机号码 13800000001 与本文件第 2 行重复"
    assert "表头只有 4 列" in reasons[10]
    assert db.session.scalars(select(Customer.name).order_by(Customer.id)).all()[1:] == ["张一"]


def test_tags_come_along_for_those_who_may_set_them(world: World, tmp_path: Path) -> None:
    tag = world.tag("高意向")
    path = written(tmp_path, "客户姓名,手机号码,标签\n张一,13800000001,高意向\n张二,13800000002,无此标签\n")
    report = load_file(path, world.actor("boss"))
    reasons = [line.reason for line in report.refused]
    assert (report.created, reasons) == (1, ["标签“无此标签”：没有找到；可填 高意向"])
    assert db.session.scalars(select(CustomerTag.tag_id)).all() == [tag.id]
    assert db.session.scalars(select(Tag.name)).all() == ["高意向"]
    with pytest.raises(Refusal, match="设置标签"):
        load_file(path, world.actor("seller"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("客户姓名,手机号码\r\n".encode(), "文件只有表头，没有数据行"),
        (
            "客户导入表,\n,\n*客户姓名,手机号码\n张一,13800000001\n".encode(),
            "表头在第 3 行，请删除它上面的内容",
        ),
        ("客户姓名,,手机号码\n张一,男,13800000001\n".encode(), "第 2 列没有表头，但第 2 行在此列有内容"),
        (b"", "文件是空的"),
        (b"\r\n\r\n", "文件是空的"),
        (b"PK\x03\x04 sheet", "另存为 CSV"),
        (b"\x81\x20\xff\xff\x00", "无法识别文件编码"),
        ("姓名,手机号码\n".encode(), "无法识别表头 姓名；可用的表头：客户姓名"),
        ("手机号码,手机号码,客户姓名\n".encode(), "表头 手机号码 重复出现"),
        ("手机号码\n13800000001\n".encode(), "缺少表头 客户姓名"),
    ],
)
def test_an_unusable_file_is_refused_in_words(
    world: World, tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "wrong.csv"
    path.write_bytes(content)
    with pytest.raises(Refusal, match=sentence):
        load_file(path, world.actor("boss"))


@pytest.mark.parametrize("line", ['"乙二,13500000002,', '"乙"二,13500000002,', '乙二,13500000002,"'])
def test_a_quote_left_open_files_nothing_and_loses_nothing(world: World, tmp_path: Path, line: str) -> None:
    path = written(
        tmp_path, f"客户姓名,手机号码,备注\n甲一,13500000001,\n{line}\n丙三,13500000003,\n丁四,13500000004,\n"
    )
    with pytest.raises(Refusal, match="从第 3 行起不是正确的 CSV 格式，请检查引号是否成对；没有导入任何一行"):
        load_file(path, world.actor("boss"))
    assert db.session.scalars(select(Customer)).all() == []


def test_an_oversized_cell_is_refused_with_its_line_alone(world: World, tmp_path: Path) -> None:
    long = "长" * 200_000
    path = written(
        tmp_path,
        "客户姓名,手机号码,备注,导购\n"
        "甲一,12345,,\n"
        f"乙二,13500000002,{long},\n"
        f"丙三,13500000003,,{long}\n"
        "丁四,13500000004,,\n",
    )
    report = load_file(path, world.actor("boss"))
    assert (report.total, report.created) == (4, 1)
    assert [line.number for line in report.refused] == [2, 3, 4]
    assert report.refused[1].reason == "备注：不能超过5000个字，现有200000个字"
    assert len(report.refused[2].reason) < 100


@pytest.mark.spec("D-11")
def test_a_line_is_tidied_as_the_form_does_it(world: World, tmp_path: Path) -> None:
    """Line breaks in a field of one line become blanks; what nobody sees is not kept and fills in nothing."""
    path = written(
        tmp_path,
        "客户姓名,手机号码,小区,详细地址,备注\n"
        '"张\r\n一\u202e",13500000001,"东\n区","甲路\r1号","一\r\n二\r三"\n'
        "\u200b,13500000002,,,\n"
        "👩\u200d👩\u200d👧家\u200d,13500000003,,,\n",
    )
    report = load_file(path, world.actor("boss"))
    assert [(line.number, line.reason) for line in report.refused] == [(8, "请填写客户姓名")]
    first, second = db.session.scalars(select(Customer).order_by(Customer.id)).all()
    assert (first.name, first.community, first.address, first.remark) == (
        "张 一", "东 区", "甲路 1号", "一\n二\n三",
    )  # fmt: skip
    assert second.name == "👩\u200d👩\u200d👧家"


def test_a_person_of_one_dealer_cannot_name_people_of_another(world: World, tmp_path: Path) -> None:
    stranger = db.session.get(Employee, world.people["outsider"].id)
    assert stranger is not None
    path = written(tmp_path, f"客户姓名,手机号码,导购\n张一,13800000001,{stranger.name}\n")
    report = load_file(path, world.actor("boss"))
    assert report.created == 0 and "没有找到" in report.refused[0].reason


@pytest.mark.spec("A-116")
def test_a_line_is_filed_and_tagged_or_neither(world: World, tmp_path: Path) -> None:
    """Who may file into a store without seeing it cannot tag there; the line is refused whole."""
    world.tag("重点")
    session = db.session()
    with writing(session), acting(session):
        role = preset_role(session, world.a.id, "designer")
        grants = {("can_add", "Customers"), ("can_list", "Customers"), ("can_set_tags", "System")}
        role_rules.give(session, role, Rights(frozenset(grants), frozenset({("customers", Scope.STORE)})))
        session.commit()
    own = world.people["drawer"].store_id
    seen, unseen = (
        next(s for s in world.stores if s.dealer_id == world.a.id and (s.id == own) is mine)
        for mine in (True, False)
    )
    path = written(
        tmp_path,
        "客户姓名,手机号码,所属组织（门店）,标签\n"
        f"张一,13711112221,{seen.name},重点\n张二,13711112222,{unseen.name},重点\n"
        f"张三,13711112223,{seen.name},重点\n",
    )
    report = load_file(path, world.actor("drawer"))
    assert report.created == 2
    assert [(line.number, line.reason) for line in report.refused] == [
        (3, "标签：无权限查看该门店的客户，不能打标签")
    ]
    session.rollback()
    phones = set(session.scalars(select(Customer.phone).where(Customer.phone.startswith("137"))))
    assert phones == {"13711112221", "13711112223"}
    entries = select(AuditEntry.deed_id).where(AuditEntry.source == "load", AuditEntry.action == "create")
    ids = session.scalars(entries).all()
    assert len(ids) == 2 and len(set(ids)) == 1


@pytest.mark.spec("A-01")
def test_all_that_is_wrong_with_a_line_is_said_at_once(world: World, tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "客户姓名,手机号码,意向级别,意向品类,省份,城市\n"
        ",12345,XX,橱柜,,\n"
        "张二,13800000002,,甲牌橱柜,上海市,南京市\n"
        "张三,13800000003,,,江苏省,南京\n",
    )
    reasons = [line.reason for line in load_file(path, world.actor("boss")).refused]
    assert reasons[0].split("；") == [
        "手机号码“12345”：请输入正确的手机号码",
        "意向级别“XX”：可填 H、A、B、C、D",
        "意向品类“橱柜”：没有找到，是否为 甲牌橱柜",
        "请填写客户姓名",
    ]
    assert reasons[1] == "城市“南京市”：请选择所选省份下的城市，可填 上海市"
    assert reasons[2] == "城市“南京”：可填 南京市、苏州市、无锡市"


def test_a_name_is_that_of_the_lines_own_dealer_and_store(world: World, tmp_path: Path) -> None:
    """Somebody who sees every dealer means the own one's; a code or a login names one in full."""
    with acting(db.session()):
        for username in ("outsider", "seller", "seller2"):
            world.people[username].name = "同名"
        world.people["seller2"].store_id = world.stores[1].id
        admin = world.people["admin"] = db.session.scalars(select(Employee).filter_by(username="admin")).one()
        elsewhere = db.session.get(Store, admin.store_id)
        assert elsewhere is not None
        for store, code in ((world.stores[0], "SA"), (world.stores[1], "SB"), (elsewhere, "SC")):
            store.name, store.code = "分店" if code == "SB" else "主店", code
        admin.dealer_id, admin.store_id = world.a.id, world.stores[0].id
        db.session.commit()
    forget_actors()
    path = written(
        tmp_path,
        "客户姓名,手机号码,所属组织（门店）,导购\n"
        "张一,13800000001,,同名\n"
        "张二,13800000002,SB,同名\n"
        "张三,13800000003,主店,seller2\n"
        "张四,13800000004,SC,\n"
        "张五,13800000005,,outsider\n",
    )
    report = load_file(path, world.actor("admin"))
    owners = dict(db.session.execute(select(Customer.name, Customer.owner_id)).all())
    first, second = world.people["seller"].id, world.people["seller2"].id
    assert owners == {"张一": first, "张二": second, "张三": second}
    assert [line.reason for line in report.refused] == [
        "所属组织（门店）“SC”：属于其他商场，请以该商场的账号导入（--as 账号）",
        "导购“outsider”：属于其他商场，请以该商场的账号导入（--as 账号）",
    ]


def test_namesakes_of_one_store_are_told_apart(world: World, tmp_path: Path) -> None:
    with acting(db.session()):
        world.people["seller"].name = world.people["seller2"].name = "同名"
        db.session.commit()
    path = written(tmp_path, "客户姓名,手机号码,导购\n张一,13800000001,同名\n")
    report = load_file(path, world.actor("boss"))
    assert (
        report.refused[0].reason == "导购“同名”：有 2 个同名，请改填登录名：同名（seller）、同名（seller2）"
    )


@pytest.mark.spec("A-10")
def test_of_a_number_on_file_no_more_is_told_than_may_be_seen(world: World, tmp_path: Path) -> None:
    filed = world.customer("keeper", phone="13800000009")
    path = written(tmp_path, "客户姓名,手机号码\n张一,13800000009\n")
    reason = load_file(path, world.actor("seller")).refused[0].reason
    assert reason == "手机号码 13800000009 已建档（甲商场1店，店长甲）" and filed.code not in reason


@pytest.mark.spec("A-09")
@pytest.mark.parametrize(
    "phone", ["'13800000001", "13800000001.0", "\u202d13800000001\u202c", "’138 0000 0001"]
)
def test_phones_are_read_as_tables_write_them(world: World, tmp_path: Path, phone: str) -> None:
    report = load_file(written(tmp_path, f"客户姓名,手机号码\n张一,{phone}\n"), world.actor("boss"))
    assert report.refused == []
    assert db.session.scalars(select(Customer.phone)).one() == "13800000001"


@pytest.mark.parametrize(
    "content",
    [
        "客户姓名,手机号码,,\r\n张一,13800000001,,\r\n".encode(),
        "sep=;\r\n客户姓名;手机号码\r\n张一;13800000001\r\n".encode("utf-8-sig"),
        "客户姓名\t手机号码\r\n张一\t13800000001\r\n".encode("utf-16-le"),
        "客户姓名,手机号码\r\n张一,13800000001\r\n".encode("utf-16-be"),
        "客户姓名,手机号码,未导入原因\n张一,13800000001,已更正\n".encode(),
    ],
)
def test_files_are_read_as_tables_write_them(world: World, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    report = load_file(path, world.actor("boss"))
    assert (report.created, report.refused) == (1, [])


def test_a_phone_in_scientific_notation_gets_a_hint(world: World, tmp_path: Path) -> None:
    path = written(tmp_path, "客户姓名,手机号码\n张一,1.38E+10\n")
    reason = load_file(path, world.actor("boss")).refused[0].reason
    assert "“1.38E+10”" in reason and "请将该列设为文本" in reason


def test_refused_lines_can_be_corrected_and_loaded_again(world: World, tmp_path: Path) -> None:
    path = written(tmp_path, '客户姓名,手机号码,备注\n张一,12345,"甲,乙"\n张二,13800000002,\n张三,1,,多\n')
    report = load_file(path, world.actor("boss"))
    again = beside(path)
    assert again.name == "customers-未导入.csv"
    report.write(again)
    text = again.read_bytes().decode("utf-8")
    assert text.startswith("\ufeff客户姓名,手机号码,备注,,未导入原因")
    assert [line.split(",")[0] for line in text.splitlines()[1:]] == ["张一", "张三"]
    again.write_text(text.replace("12345", "13800000001").replace("多", ""), encoding="utf-8")
    second = load_file(again, world.actor("boss"))
    assert [(line.number, line.reason) for line in second.refused] == [
        (3, "手机号码“1”：请输入正确的手机号码")
    ]
    second.write(beside(again))
    assert (tmp_path / "customers-未导入-2.csv").read_text(encoding="utf-8-sig").count("未导入原因") == 1


def test_told_to_stop_it_says_where(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "PROGRESS", 2)
    monkeypatch.setattr(load, "PIECE", 1)
    path = written(
        tmp_path, "客户姓名,手机号码\n张一,13800000001\n张二,13800000002\n张三,1\n张四,13800000004\n"
    )
    said: list[str] = []
    report = load_file(path, world.actor("boss"), echo=said.append, stopping=lambda: len(said) == 2)
    assert (report.total, report.created, report.stopped_at) == (3, 2, 5)
    assert said == ["已处理 2 行，共 4 行", "第 4 行未导入：手机号码“1”：请输入正确的手机号码"]
    rest = load_file(path, world.actor("boss"), since=report.stopped_at)
    assert (rest.total, rest.created, rest.stopped_at) == (1, 1, 0)
