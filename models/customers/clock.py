"""What clock rules may count from on customers and contacts, and the rules every dealer starts with (A-31…A-40)."""

from __future__ import annotations

from models.clock_rules.presets import Preset, declare_presets
from models.clock_rules.subjects import Silencer, Start, Subject, declare_subject
from models.customers.contact_resources import Contacts
from models.customers.resources import Customers
from models.customers.tables import Contact, Customer

FOLLOWED, FILED, PLANNED = "last_follow_up", "filed", "next_follow_up"
HAND_SET = "hand_set"
_AGAIN = "写下新的跟进后重新计算"
_UNTIL_FOLLOWED = "写下新的跟进后按新的约定"
_WAITS = "已约定下次跟进时间，到时强提醒；写下新的跟进之前，默认提醒暂停"


def _starts(person: type[Customer] | type[Contact]) -> tuple[Start, ...]:
    return (
        Start(FOLLOWED, "最近跟进时间", person.last_follow_up_at, _AGAIN),
        Start(FILED, "建档时间", person.created_at, _AGAIN),
        Start(PLANNED, "约定的下次跟进时间", person.next_follow_up_at, _UNTIL_FOLLOWED),
    )


def _hand_set(person: type[Customer] | type[Contact]) -> Silencer:
    """A next time set by hand is stronger than any default, also once it has passed (A-35, A-40)."""
    return Silencer(
        HAND_SET,
        "已约定下次跟进时间时",
        lambda: person.next_follow_up_at.is_not(None),
        lambda record: record.next_follow_up_at is not None,
        _WAITS,
    )


declare_subject(
    Subject(
        Customers,
        Customer.owner_id,
        (*_starts(Customer), Start("retained_since", "保有日期", Customer.retained_since)),
        (_hand_set(Customer),),
    )
)
declare_subject(Subject(Contacts, Contact.employee_id, _starts(Contact), (_hand_set(Contact),)))

_ALIVE = {"field": "stage", "is": "one_of", "value": ["following", "ordered"]}
_NEVER_FOLLOWED = {"field": "last_follow_up_at", "is": "empty"}
_OPEN = {"field": "state", "is": "is", "value": ["open"]}

declare_presets(
    Preset(
        "customers.since_follow_up", "跟进满7天", "customers", FOLLOWED, [_ALIVE], amount=7, at="08:00",
        daily=True, effect="remind", silenced_by=HAND_SET,
    ),
    Preset(
        "customers.since_filed", "建档满7天未跟进", "customers", FILED, [_ALIVE, _NEVER_FOLLOWED], amount=7,
        at="08:00", daily=True, effect="remind", silenced_by=HAND_SET,
    ),
    Preset(
        "customers.planned", "约定的跟进时间到", "customers", PLANNED, [_ALIVE], effect="alert",
        parameters={"title": "约定跟进"},
    ),
    Preset(
        "contacts.planned", "约定的潜客跟进时间到", "contacts", PLANNED, [_OPEN], effect="alert",
        parameters={"title": "约定跟进"},
    ),
)  # fmt: skip
