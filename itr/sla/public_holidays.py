"""Public holidays and make-up workdays of a country, from the `holidays` library (R-CAL-03)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache

# The library is imported where it is asked: most processes never ask.


@dataclass(frozen=True, slots=True)
class PublicHolidays:
    """Ordinals of the dates of one year that are off, and of those worked to make up for it."""

    off: frozenset[int]
    made_up: frozenset[int]


@lru_cache(maxsize=1)
def supported_countries() -> frozenset[str]:
    """The ISO 3166 codes the library knows."""
    import holidays

    return frozenset(holidays.list_supported_countries(include_aliases=False))


@lru_cache(maxsize=2048)
def public_holidays(country: str, year: int) -> PublicHolidays:
    """The year's dates; the notice for a year may also move days of the December before."""
    import holidays

    listed = holidays.country_holidays(country, years=[year, year + 1], expand=False)
    made_up: set[date] = getattr(listed, "weekend_workdays", set())
    return PublicHolidays(
        off=frozenset(day.toordinal() for day in listed if day.year == year),
        made_up=frozenset(day.toordinal() for day in made_up if day.year == year),
    )


def first_unpublished_year(country: str) -> int | None:
    """From which year on holidays are estimated, not known; None: they follow from rules."""
    listed = _announced_yearly().get(country)
    return None if listed is None else max(listed) + 1


@cache
def _announced_yearly() -> dict[str, Collection[int]]:
    """Countries whose holidays are set by a yearly notice, and the years the library lists."""
    from holidays.countries.china import ChinaStaticHolidays

    return {"CN": ChinaStaticHolidays.special_public_holidays.keys()}
