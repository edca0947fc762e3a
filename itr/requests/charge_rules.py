"""What a chargeable request costs its customer, who agrees to what they have seen (R-ENT-06)."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from itr.errors import DomainError

CENT = Decimal("0.01")
REMINDED_AFTER = 3
"""Working days after which the customer is reminded of a charge nobody has decided on."""


class ChargeNotPending(DomainError):
    """Only a charge that waits for a decision is accepted, waived or withdrawn (R-ENT-06)."""

    code = "CHARGE_NOT_PENDING"
    zh = "该请求没有待决定的费用。"
    en = "No charge of this request waits to be decided on."


class ChargeChanged(DomainError):
    """What is accepted is what the customer saw (R-ENT-06)."""

    code = "CHARGE_CHANGED"
    zh = "费用与您看到的不同，现为 {price}；请再看一次后接受。"
    en = "The charge is not what you saw, it is {price} by now; look at it again to accept it."


class NoPrice(DomainError):
    """The catalogue has no price for it: there is nothing to accept yet (R-ENT-06)."""

    code = "NO_PRICE"
    zh = "目录中尚无价格，不能接受；可补全目录后重新提出，或豁免。"
    en = "The catalogue has no price for it yet: complete it and offer it again, or waive it."


class NothingToCharge(DomainError):
    """A contract covers it, or it is not served at all (R-ENT-01)."""

    code = "NOTHING_TO_CHARGE"
    zh = "该请求无需收费，或已有决定。"
    en = "There is nothing to charge for this request, or it is decided already."


@dataclass(frozen=True)
class Price:
    """A price without tax, the tax on it in per cent, and their currency."""

    amount: Decimal
    currency: str
    tax_percent: Decimal

    @property
    def tax(self) -> Decimal:
        """The tax, to the hundredth, half up."""
        return (self.amount * self.tax_percent / 100).quantize(CENT, ROUND_HALF_UP)

    @property
    def total(self) -> Decimal:
        """What the customer pays."""
        return self.amount + self.tax

    def __str__(self) -> str:
        tax = f" + {self.tax_percent.normalize():f} %" if self.tax_percent else ""
        return f"{self.amount} {self.currency}{tax}"


def ensure_seen(now: Price | None, seen: Price) -> Price:
    """The price, which is the one the customer saw. Raises NoPrice, ChargeChanged."""
    if now is None:
        raise NoPrice()
    if now != seen:
        raise ChargeChanged(price=str(now), path=["price"])
    return now
