"""Origins of browser pages: scheme, host and port, letter by letter as a browser sends them."""

import re

_ORIGIN = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:]+\])(?::([1-9][0-9]{0,4}))?")
_LEFT_OUT = {"http": "80", "https": "443"}


def read_origins(listed: str) -> list[str]:
    """Origins, separated by commas; raises ValueError naming the one that is none."""
    origins = [one.strip() for one in listed.split(",") if one.strip()]
    for one in origins:
        if why := _wrong(one):
            raise ValueError(f"{one} {why}")
    return origins


def _wrong(origin: str) -> str:
    """What is wrong with an origin; "" for nothing."""
    found = _ORIGIN.fullmatch(origin)
    if found is None:
        start = _ORIGIN.match(origin)
        if start and origin[start.end() : start.end() + 1] in ("/", "?", "#"):
            return f"has a path or a slash at its end: an origin ends after its host, {start[0]}"
        return "is no origin like https://desk.example or http://127.0.0.1:5173"
    if found[3] == _LEFT_OUT[found[1]]:
        return f"names the usual port, which browsers leave out: {found[1]}://{found[2]}"
    return ""
