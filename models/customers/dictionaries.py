"""The dictionaries of people, with what every dealer starts with; administrators change them."""

from __future__ import annotations

from app.engine.choices import Entry, Tone
from models.settings.catalogue import declare_dictionary

PEOPLE, PLACES = "客户", "地区"
REGIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "浙江省": {
        "杭州市": ("上城区", "拱墅区", "西湖区", "滨江区", "萧山区", "余杭区"),
        "宁波市": ("海曙区", "江北区", "鄞州区", "镇海区"),
        "温州市": ("鹿城区", "龙湾区", "瓯海区"),
    },
    "江苏省": {
        "南京市": ("玄武区", "秦淮区", "建邺区", "鼓楼区", "江宁区"),
        "苏州市": ("姑苏区", "吴中区", "相城区", "吴江区"),
        "无锡市": ("梁溪区", "滨湖区", "新吴区"),
    },
    "上海市": {"上海市": ("黄浦区", "徐汇区", "静安区", "浦东新区", "闵行区", "宝山区")},
    "广东省": {
        "广州市": ("越秀区", "海珠区", "天河区", "番禺区"),
        "深圳市": ("福田区", "罗湖区", "南山区", "宝安区", "龙岗区"),
        "佛山市": ("禅城区", "南海区", "顺德区"),
    },
    "四川省": {"成都市": ("锦江区", "青羊区", "武侯区", "成华区", "双流区")},
    "北京市": {"北京市": ("东城区", "西城区", "朝阳区", "海淀区", "丰台区", "通州区")},
}

declare_dictionary(
    "customer.level",
    "意向级别",
    (
        Entry("H", "H", Tone.BAD.value),
        Entry("A", "A", Tone.WARN.value),
        Entry("B", "B", Tone.GOOD.value),
        Entry("C", "C"),
        Entry("D", "D"),
    ),
    group=PEOPLE,
    kept={"H": "战败客户再次登记时以此级别重新跟进"},
)
declare_dictionary("customer.kind", "客户类型", ("潜在客户", "意向客户", "需求客户"), group=PEOPLE)
declare_dictionary("customer.source_category", "来源大类", ("到店", "线上", "转介绍", "渠道"), group=PEOPLE)
declare_dictionary(
    "customer.source",
    "客户来源",
    (
        Entry("自然到店", "自然到店", parent="到店"),
        Entry("活动到店", "活动到店", parent="到店"),
        Entry("短视频平台", "短视频平台", parent="线上"),
        Entry("电商平台", "电商平台", parent="线上"),
        Entry("官网留言", "官网留言", parent="线上"),
        Entry("其他网络", "其他网络", parent="线上"),
        Entry("老客户推荐", "老客户推荐", parent="转介绍"),
        Entry("员工推荐", "员工推荐", parent="转介绍"),
        Entry("装企合作", "装企合作", parent="渠道"),
        Entry("小区拓展", "小区拓展", parent="渠道"),
    ),
    parent="customer.source_category",
    group=PEOPLE,
)
declare_dictionary("region.province", "省份", tuple(REGIONS), group=PLACES)
declare_dictionary(
    "region.city",
    "城市",
    (Entry(city, city, parent=province) for province, cities in REGIONS.items() for city in cities),
    parent="region.province",
    group=PLACES,
)
# A district's name may occur in two cities, so its stored value carries the city.
declare_dictionary(
    "region.district",
    "行政区",
    (
        Entry(f"{city}{district}", district, parent=city)
        for cities in REGIONS.values()
        for city, districts in cities.items()
        for district in districts
    ),
    parent="region.city",
    group=PLACES,
)
