"""A dealer's own file of customers (the user's day, step 5)."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from app.engine.actions import Refusal
from app.engine.audit import AuditEntry, acting
from app.engine.database import db, writing
from app.engine.scopes import Scope
from models.customers.load import form_fields, load_file
from models.customers.tables import Contact, Customer, CustomerPhone, CustomerTag, Stage, Tag
from models.identity import role_rules
from models.identity.presets import preset_role
from models.identity.role_rules import Rights
from models.identity.tables import Employee
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
    world.customer(phone="13800000009")
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
    assert reasons[5] == "导购：没有找到“没有此人”"
    assert "意向级别" in reasons[7]
    assert reasons[8] == reasons[9] == "此电话号码已建档，请选择建档标签"
    assert "表头只有 4 列" in reasons[10]
    assert db.session.scalars(select(Customer.name).order_by(Customer.id)).all()[1:] == ["张一"]


def test_tags_come_along_for_those_who_may_set_them(world: World, tmp_path: Path) -> None:
    tag = world.tag("高意向")
    path = written(tmp_path, "客户姓名,手机号码,标签\n张一,13800000001,高意向\n张二,13800000002,无此标签\n")
    report = load_file(path, world.actor("boss"))
    assert (report.created, [line.reason for line in report.refused]) == (1, ["标签：没有找到“无此标签”"])
    assert db.session.scalars(select(CustomerTag.tag_id)).all() == [tag.id]
    assert db.session.scalars(select(Tag.name)).all() == ["高意向"]
    with pytest.raises(Refusal, match="设置标签"):
        load_file(path, world.actor("seller"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
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


def test_headings_are_those_of_the_form(world: World) -> None:
    known = form_fields()
    for label in ("客户姓名", "手机号码", "意向级别", "客户来源", "导购", "标签"):
        assert label in known


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
