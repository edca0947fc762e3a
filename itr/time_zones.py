"""Time zones by the names that mean the same on every machine (R-CAL-02)."""

from functools import cache
from importlib.resources import files


def is_time_zone(name: str) -> bool:
    """Whether the time zone database has the zone.

    `localtime` and `posixrules` are what a machine was set to, `Factory` that it was not: none of
    them is a zone.
    """
    return name in _names()


@cache
def _names() -> frozenset[str]:
    """Read once, from the list that is installed with the product, not from the machine's disk."""
    listed = files("tzdata").joinpath("zones").read_text(encoding="ascii")
    return frozenset(listed.split()) - {"Factory"}
