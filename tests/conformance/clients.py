"""The checks of `clients.mjs`, read from it, and a run of them."""

import re

from tests.conformance.conftest import Door
from tests.conformance.node import HERE, Node

_SHARED, _SOCKETS, _EVENTS = (HERE / "clients.mjs").read_text(encoding="utf-8").split("...(")


def _checks(text: str) -> list[str]:
    return re.findall(r'^ +"([^"]+)": async \(\)', text, re.MULTILINE)


CHECKS = {
    "ws": _checks(_SHARED) + _checks(_SOCKETS),
    "sse": _checks(_SHARED) + _checks(_EVENTS),
}


async def outcomes_of(node: Node, door: Door, transport: str) -> dict[str, str]:
    """Check by check: "ok", or what went wrong."""
    found: dict[str, str] = await node.run_json("clients.mjs", transport, **door.environment())
    return found
