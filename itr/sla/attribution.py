"""Whose a breached thread's lateness is: divided over its steps by overrun (R-OLA-03)."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Spent:
    """What a step took of its budget, and whose it was; without a budget it cannot overrun."""

    number: int
    elapsed_us: int
    budget_us: int | None
    line: int
    partner: str | None = None
    person: str | None = None

    @property
    def overrun_us(self) -> int:
        """How much longer it took than it might."""
        return max(0, self.elapsed_us - self.budget_us) if self.budget_us is not None else 0


@dataclass(frozen=True, slots=True)
class Part:
    """A step's part of the lateness; no step where nothing can be laid at anybody's door."""

    step: Spent | None
    us: int


def attribute(lateness_us: int, steps: Sequence[Spent]) -> list[Part]:
    """Divide a lateness over steps in proportion to their overrun; the parts sum exactly.

    Where no step overran its budget the reserve was spent elsewhere: then in proportion to the
    time each took, and where none took any, nobody's.
    """
    if lateness_us <= 0:
        return []
    overruns, taken = [each.overrun_us for each in steps], [each.elapsed_us for each in steps]
    for weights in (overruns, taken):
        if any(weights):
            shares = divide(lateness_us, weights)
            return [Part(step, us) for step, us in zip(steps, shares, strict=True) if us]
    return [Part(None, lateness_us)]


def divide(total: int, weights: Sequence[int]) -> list[int]:
    """Whole numbers in proportion to the weights that sum to `total`, by largest remainder.

    Equal remainders favour who comes first. Weights are not negative and not all zero.
    """
    whole = sum(weights)
    shares = [total * weight // whole for weight in weights]
    by_rest = sorted(
        range(len(weights)), key=lambda place: (-(total * weights[place] % whole), place)
    )
    for place in by_rest[: total - sum(shares)]:
        shares[place] += 1
    return shares


def summed(parts: Iterable[Part], key: Callable[[Spent], K]) -> dict[K, int]:
    """The parts together by line, partner or person, in the order they first come."""
    sums: dict[K, int] = {}
    for part in parts:
        if part.step is not None:
            where = key(part.step)
            sums[where] = sums.get(where, 0) + part.us
    return sums
