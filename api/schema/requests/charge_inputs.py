"""What mutations on charges take (R-ENT-06)."""

from decimal import Decimal

import strawberry

from api.schema.catalogue.inputs import MoneyInput
from api.schema.requests.inputs import RequestInput


@strawberry.input(description="Accept the charge of a request, as it was shown (R-ENT-06).")
class AcceptChargeInput(RequestInput):
    """Accept a charge as it was shown; CHARGE_CHANGED if it is another by now."""

    price: MoneyInput = strawberry.field(description="The price you saw, without tax.")
    tax_percent: Decimal = strawberry.field(description="The tax you saw, in per cent.")
