"""Whose the lateness of a breached clock is, as the API shows it (R-OLA-03)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import strawberry

from api.planner.stored import stored_type
from api.schema.people.types import Organisation, Person
from itr.sla.attribution import Part, Spent, attribute, summed
from itr.sla.calendars import CalendarDefinition
from itr.sla.control_points import STEPS, steps_within
from itr.sla.terms import Thread
from itr.sla.working_time import WorkingCalendar, calendar_of

MICROSECOND = timedelta(microseconds=1)


@strawberry.type(description="A control point's part of a lateness. 环节超时")
class StepLateness:
    """A control point's part of a lateness."""

    number: int = strawberry.field(description="Which control point.")
    name: str = strawberry.field(description="Its name in your language.")
    lateness: timedelta = strawberry.field(description="Its part, in working time.")
    overrun: timedelta = strawberry.field(description="How far it went over its own budget.")
    line: int = strawberry.field(description="On which line it was.")


@strawberry.type(description="A support line's part of a lateness. 支持线超时")
class LineLateness:
    """A support line's part of a lateness."""

    line: int = strawberry.field(description="Which line.")
    lateness: timedelta = strawberry.field(description="Its part, in working time.")


@strawberry.type(description="Somebody's part of a lateness. 责任方超时")
class PartyLateness:
    """A partner firm's or a person's part of a lateness."""

    id: strawberry.ID = strawberry.field(description="The organisation's or person's id.")
    name: str = strawberry.field(description="Its name.")
    lateness: timedelta = strawberry.field(description="Its part, in working time.")


@strawberry.type(
    description="The lateness of a breached thread, divided over its control points in proportion"
    " to their overrun (R-OLA-03). The parts sum exactly. 超时归因"
)
class BreachAttribution:
    """The lateness of a breached thread and whose it is."""

    lateness: timedelta = strawberry.field(description="How late it is, or was, in working time.")
    customer_wait: timedelta = strawberry.field(
        description="Working time it waited for the customer, shown beside: no part of lateness."
    )
    steps: list[StepLateness] = strawberry.field(description="By control point.")
    lines: list[LineLateness] = strawberry.field(description="By support line.")
    partners: list[PartyLateness] = strawberry.field(
        description="By partner firm; what our own people had is not in it."
    )
    persons: list[PartyLateness] = strawberry.field(description="By named person.")
    unattributed: timedelta = strawberry.field(
        description="What is no step's: those passed without an act took no time."
    )


STEPS_OF_REQUEST = (
    "(select json_agg(json_build_object('number', p.number, 'elapsed_us', p.elapsed_us,"
    " 'base_us', p.base_us, 'budget_us', p.budget_us, 'line', p.line,"
    " 'partner', p.partner_id, 'partner_name', o.name, 'person', p.owner_id,"
    " 'person_name', w.name, 'calendar', case when p.base_us is not null then v.definition end)"
    " order by p.number)"
    " from control_point p join calendar_version v on v.id = p.calendar_version_id"
    " left join organisation o on o.id = p.partner_id left join person w on w.id = p.owner_id"
    " where p.request_id = {t}.request_id)"
)
DEFINITION = "(select v.definition from calendar_version v where v.id = {t}.calendar_version_id)"


def attributed(values: Mapping[str, Any], context: Any) -> BreachAttribution | None:
    """Divide what the clock is late; None while it is not."""
    working = calendar_of(CalendarDefinition.from_json(values["calendar"]))
    lateness = lateness_of(values, working, context.now)
    if lateness <= 0:
        return None
    thread = Thread(values["thread"])
    rows = [row for row in values["steps"] or [] if row["number"] in steps_within(thread)]
    parts = attribute(lateness, [_spent(row, context.now) for row in rows])
    names = {row[who]: row[f"{who}_name"] for row in rows for who in ("partner", "person")}
    return BreachAttribution(
        lateness=lateness * MICROSECOND,
        customer_wait=values["waited"] * MICROSECOND,
        steps=list(_steps(parts, context.language)),
        lines=[
            LineLateness(line=line, lateness=us * MICROSECOND)
            for line, us in sorted(summed(parts, lambda step: step.line).items())
        ],
        partners=_parties(parts, lambda step: step.partner, Organisation, names),
        persons=_parties(parts, lambda step: step.person, Person, names),
        unattributed=sum(part.us for part in parts if part.step is None) * MICROSECOND,
    )


def lateness_of(values: Mapping[str, Any], working: WorkingCalendar, now: datetime) -> int:
    """How far beyond its deadline a clock is, or was when it stopped; not above zero: it is not."""
    if values["base_us"] is None:
        return -(values["remaining_us"] or 0)
    if values["deadline_us"] is None:
        return 0
    late: int = working.position_us(now) - values["deadline_us"]
    return late


def _spent(row: Mapping[str, Any], now: datetime) -> Spent:
    elapsed = row["elapsed_us"]
    if row["base_us"] is not None:
        counted_by = calendar_of(CalendarDefinition.from_json(row["calendar"]))
        elapsed = counted_by.position_us(now) - row["base_us"]
    return Spent(
        number=row["number"],
        elapsed_us=elapsed,
        budget_us=row["budget_us"],
        line=row["line"],
        partner=row["partner"],
        person=row["person"],
    )


def _steps(parts: Sequence[Part], language: str) -> Iterable[StepLateness]:
    for part in parts:
        if part.step is not None:
            yield StepLateness(
                number=part.step.number,
                name=name_of(part.step.number, language),
                lateness=part.us * MICROSECOND,
                overrun=part.step.overrun_us * MICROSECOND,
                line=part.step.line,
            )


def name_of(number: int, language: str) -> str:
    """A control point's name in the reader's language."""
    step = STEPS[number]
    return step.zh if language == "zh" else step.en


def _parties(
    parts: Sequence[Part],
    key: Callable[[Spent], str | None],
    kind: type,
    names: Mapping[str | None, str],
) -> list[PartyLateness]:
    return [
        PartyLateness(
            id=strawberry.ID(stored_type(kind).write_id(UUID(party))),
            name=names[party],
            lateness=us * MICROSECOND,
        )
        for party, us in summed(parts, key).items()
        if party is not None
    ]
