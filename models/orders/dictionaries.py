"""The dictionaries of money, with what every dealer starts with; administrators change them."""

from __future__ import annotations

from models.settings.catalogue import declare_dictionary

declare_dictionary("receipt.subject", "款项", ("定金", "合同款", "尾款", "增补款"), group="收款")
declare_dictionary("receipt.method", "支付方式", ("现金", "银行卡", "转账", "扫码支付"), group="收款")
