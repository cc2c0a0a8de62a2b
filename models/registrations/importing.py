"""How files of leads look (E-39…E-45)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.engine.resource import Bounds, ImportTemplate, UploadWords
from models.registrations.filing import RegistrationFiling
from models.registrations.settings import IMPORT_MEGABYTES, IMPORT_ROWS
from models.registrations.tables import Registration
from models.settings.queries import parameter


def _bounds(session: Session, dealer_id: int | None) -> Bounds:
    return Bounds(*(parameter(session, key, dealer_id) for key in (IMPORT_ROWS, IMPORT_MEGABYTES)))


REGISTRATIONS = ImportTemplate(
    filing=RegistrationFiling,
    left_out=("tracking_state", "next_tracking_on", "registrant_id"),
    presets=(Registration.source,),
    bounds=_bounds,
    strict="文件格式不正确，请下载模板",
    words=UploadWords("浏览", "导入excel文件", "请选择文件"),
    introduction=(
        "导入合作的电商、家装渠道交来的客户名单：每一行成为您报备的一条客户线索，计入今日报备容量。",
        "整个文件来自同一来源时请在这里选择，否则请在文件的“客户来源”列填写。",
    ),
    example={
        "name": "张女士", "city": "杭州市", "community": "星湖小区", "room": "3栋502", "phone": "19900000000",
        "telephone": "057112345678", "source": "家装公司推荐", "estimated_amount": "20000.00",
        "company": "样例装饰公司", "budget": "想做橱柜和衣柜",
    },
    notes=(
        "手机号和小区请填写正确，是否有效按地址和手机号判断。",
        "客户可能已被报备的行也会导入，并标记为重报。",
        "行数超过今日剩余报备容量时，整个文件都不导入。",
    ),
)  # fmt: skip
