"""What a request costs its customer, as the API shows it (R-ENT-06)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import strawberry

from api.schema.catalogue.types import Money
from itr.requests.charge_rules import Price
from itr.requests.terms import Charge

_ITEM = "(select item.{column} from catalogue_item item where item.id = {{t}}.charge_item_id)"


def _shown(pinned: str, column: str) -> str:
    """What is pinned, else what the catalogue says now; text, as no decimal may lose digits."""
    return f"coalesce({{t}}.{pinned}, {_ITEM.format(column=column)})::text"


CHARGED = {
    "charge": "{t}.charge",
    "item": _ITEM.format(column="name"),
    "price": _shown("charge_price", "price"),
    "currency": _shown("charge_currency", "currency"),
    "tax_percent": _shown("charge_tax_percent", "tax_percent"),
}
"""What is read of a request, in SQL; customers read the items their own requests name alone."""


@strawberry.type(description="What a request costs its customer (R-ENT-06). 费用")
class RequestCharge:
    """What a request costs its customer: live while it waits for them, then pinned."""

    state: Charge = strawberry.field(description="PENDING until it is decided on.")
    item: str | None = strawberry.field(
        description="The catalogue item; null while the catalogue has none for it."
    )
    price: Money | None = strawberry.field(description="Without tax; null without an item.")
    tax_percent: Decimal | None = strawberry.field(description="The tax on it, in per cent.")
    tax: Money | None = strawberry.field(description="The tax on it, as an amount.")
    total: Money | None = strawberry.field(description="What the customer pays.")


def charge_of(values: Mapping[str, Any], _: Any) -> RequestCharge | None:
    """The charge of a request; None when there is none."""
    if values["charge"] is None:
        return None
    state, item = Charge(values["charge"]), values["item"]
    if values["price"] is None:
        return RequestCharge(
            state=state, item=item, price=None, tax_percent=None, tax=None, total=None
        )
    currency, tax_percent = values["currency"], Decimal(values["tax_percent"])
    price = Price(Decimal(values["price"]), currency, tax_percent)
    return RequestCharge(
        state=state,
        item=item,
        price=Money(amount=price.amount, currency=currency),
        tax_percent=tax_percent,
        tax=Money(amount=price.tax, currency=currency),
        total=Money(amount=price.total, currency=currency),
    )
