"""Keeping calendars and service levels by GraphQL, and working off what follows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.support.client import Answer
from tests.support.desk import Desk
from tests.support.requests import _input_types

OFFICE_HOURS = [
    {"weekday": day, "opens": opens, "closes": closes}
    for day in ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY")
    for opens, closes in (("09:00", "12:00"), ("13:30", "18:00"))
]
OFFICE_INPUT = {"timeZone": "Asia/Shanghai", "shifts": OFFICE_HOURS, "countryHolidays": "CN"}


async def keep(
    desk: Desk, who: str, mutation: str, shown: str, *, language: str = "en", **given: Any
) -> Answer:
    """The whole answer to a mutation on the catalogue; `shown` is what its payload shows."""
    document = f"""mutation($input: {_input_types()[mutation]}!) {{ {mutation}(input: $input) {{
        clientMutationId userErrors {{ path code message }} {shown} }} }}"""
    return await desk.as_(who, language=language).run(document, {"input": given})


async def kept(desk: Desk, who: str, mutation: str, shown: str, **given: Any) -> dict[str, Any]:
    """What a mutation kept; it must succeed."""
    payload = (await keep(desk, who, mutation, shown, **given)).data[mutation]
    assert payload["userErrors"] == [], payload
    found: dict[str, Any] = payload[shown.partition("{")[0].strip()]
    return found


async def refusals(
    desk: Desk, who: str, mutation: str, shown: str, **given: Any
) -> list[tuple[str, list[str]]]:
    """Code and path of everything a mutation that did nothing says."""
    payload = (await keep(desk, who, mutation, shown, **given)).data[mutation]
    assert payload[shown.partition("{")[0].strip()] is None, payload
    assert all(each["message"] for each in payload["userErrors"])
    return [(each["code"], each["path"]) for each in payload["userErrors"]]


def targets_input(
    priorities: tuple[str, ...] = ("P1", "P2", "P3", "P4"), **hours: float
) -> list[dict[str, Any]]:
    """The same hours at every priority."""
    return [
        {"priority": priority, "thread": thread, "target": f"PT{round(amount * 60)}M"}
        for priority in priorities
        for thread, amount in hours.items()
    ]


async def work_off(now: datetime) -> int:
    """Do every recalculation there is to do; how many steps it took."""
    from itr.recalculations.working import advance

    steps = 0
    while await advance(now):
        steps += 1
        assert steps < 10_000
    return steps
