"""Public holidays and make-up workdays of a country, from the `holidays` library (R-CAL-03)."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache

# The library is imported where it is asked: most processes never ask.

_PART = re.compile(r"[A-Z0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class PublicHolidays:
    """Ordinals of the dates of one year that are off, and of those worked to make up for it."""

    off: frozenset[int]
    made_up: frozenset[int]


@lru_cache(maxsize=1)
def _subdivisions() -> Mapping[str, Sequence[str]]:
    """The ISO 3166-1 codes the library knows, and the ISO 3166-2 codes below each."""
    import holidays

    known = holidays.list_supported_countries(include_aliases=False)
    return {
        country: [f"{country}-{part}" for part in parts if _PART.fullmatch(part)]
        for country, parts in known.items()
    }


def supported_countries() -> Collection[str]:
    """The ISO 3166-1 codes of countries whose holidays are known."""
    return _subdivisions().keys()


def subdivisions_that_differ(place: str | None) -> Sequence[str]:
    """Which parts of a country have holidays of their own (ISO 3166-2); of a part none.

    A calendar that names the country alone is closed on the days that are off in all of it.
    """
    return _subdivisions().get(place or "", ())


def unknown_subdivision(place: str) -> bool:
    """Whether this is a part of a country, but none there is."""
    country, part, _ = place.partition("-")
    return bool(part) and place not in _subdivisions().get(country, ())


@lru_cache(maxsize=2048)
def public_holidays(place: str, year: int) -> PublicHolidays:
    """The dates of a country (CN) or a part of one (GB-ENG) in a year.

    The notice for a year may also move days of the December before.
    """
    import holidays

    country, _, part = place.partition("-")
    years = [year, year + 1]
    listed = holidays.country_holidays(country, subdiv=part or None, years=years, expand=False)
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
