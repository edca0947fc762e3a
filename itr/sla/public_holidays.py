"""Public holidays and make-up workdays of a country, from the `holidays` library (R-CAL-03)."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import holidays
from holidays.countries.china import ChinaStaticHolidays

ANNOUNCED_YEARLY = {"CN": ChinaStaticHolidays.special_public_holidays}
"""Countries whose holidays are set by a yearly notice, and the years the library lists."""


@dataclass(frozen=True, slots=True)
class PublicHolidays:
    """Ordinals of the dates of one year that are off, and of those worked to make up for it."""

    off: frozenset[int]
    made_up: frozenset[int]


@lru_cache(maxsize=1)
def supported_countries() -> frozenset[str]:
    """The ISO 3166 codes the library knows."""
    return frozenset(holidays.list_supported_countries(include_aliases=False))


@lru_cache(maxsize=2048)
def public_holidays(country: str, year: int) -> PublicHolidays:
    """The year's dates; the notice for a year may also move days of the December before."""
    listed = holidays.country_holidays(country, years=[year, year + 1], expand=False)
    made_up: set[date] = getattr(listed, "weekend_workdays", set())
    return PublicHolidays(
        off=frozenset(day.toordinal() for day in listed if day.year == year),
        made_up=frozenset(day.toordinal() for day in made_up if day.year == year),
    )


def first_unpublished_year(country: str) -> int | None:
    """From which year on holidays are estimated, not known; None: they follow from rules."""
    listed = ANNOUNCED_YEARLY.get(country)
    return None if listed is None else max(listed) + 1
