"""Saving calendars and keeping their spans ahead (R-CAL-01, R-CAL-02, R-SLA-10)."""

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tortoise.connection import get_connection

from itr.actors.roles import Role
from itr.errors import DomainError, Forbidden, NotFound
from itr.people.names import NameTaken
from itr.sla.calendars import CalendarDefinition, DatedException, Shift, Span
from itr.sla.models import Calendar, CalendarVersion
from itr.sla.operations import (
    calendars_of_versions,
    current_calendars,
    extend_spans,
    save_calendar,
)
from itr.sla.positions import POSITIONS_NOW, PositionsInMemory
from tests.support import desk_data as desk

pytestmark = pytest.mark.usefixtures("database")

NIGHT = CalendarDefinition(
    "America/New_York",
    shifts=tuple(Shift(day, "22:00", "06:00") for day in range(7)),
    exceptions=(DatedException(date(2026, 7, 4)), DatedException(date(2026, 7, 5), ())),
)


async def spans_of(version_id: UUID) -> list[dict[str, Any]]:
    return await get_connection("default").execute_query_dict(
        "select starts_at, ends_at, before_us, before_days from calendar_span"
        " where calendar_version_id = $1 order by starts_at",
        [version_id],
    )


async def version_of(calendar_id: UUID) -> UUID:
    return (await current_calendars([calendar_id]))[calendar_id].version_id


@pytest.mark.parametrize("definition", [desk.OFFICE, NIGHT], ids=["office", "night"])
async def test_spans_are_kept_from_2009_to_three_years_ahead_as_the_arithmetic_has_them(
    definition: CalendarDefinition,
) -> None:
    """R-CAL-01, R-CAL-02: lunch breaks, night shifts, holidays, daylight saving."""
    calendar_id = await desk.calendar(definition)

    working = (await current_calendars([calendar_id]))[calendar_id].working
    spans = await spans_of(await version_of(calendar_id))
    assert spans[0]["starts_at"] < datetime(2009, 1, 5, tzinfo=UTC)
    assert spans[-1]["ends_at"] > datetime(2029, 12, 28, tzinfo=UTC)
    for before, after in itertools.pairwise(spans):
        assert before["ends_at"] <= after["starts_at"]
        length = (before["ends_at"] - before["starts_at"]) // timedelta(microseconds=1)
        assert after["before_us"] == before["before_us"] + length
    for span in spans[::97]:
        assert working.position_us(span["starts_at"]) == span["before_us"]


async def test_a_position_read_from_the_spans_is_the_position_python_computes() -> None:
    """R-CAL-02, Decision 2."""
    calendar_id = await desk.calendar(desk.OFFICE)
    now = (await current_calendars([calendar_id]))[calendar_id]

    for at in (desk.NOW + timedelta(hours=13 * step, microseconds=step) for step in range(60)):
        rows = await get_connection("default").execute_query_dict(
            "select before_us + (extract(epoch from least($2, ends_at) - starts_at)"
            " * 1000000)::bigint as position from calendar_span"
            " where calendar_version_id = $1 and starts_at <= $2"
            " order by starts_at desc limit 1",
            [now.version_id, at],
        )
        assert rows[0]["position"] == now.working.position_us(at)


async def test_an_always_open_calendar_is_one_span() -> None:
    """R-CAL-01."""
    (span,) = await spans_of(await version_of(await desk.calendar(desk.ALWAYS)))

    assert span["starts_at"] == datetime(2000, 1, 1, tzinfo=UTC)
    assert span["ends_at"] == datetime(9999, 12, 31, tzinfo=UTC)
    assert (span["before_us"], span["before_days"]) == (0, 0)


@pytest.mark.parametrize(
    ("definition", "code", "path"),
    [
        (CalendarDefinition("Asia/Shanghai"), "NO_WORKING_TIME", ("shifts",)),
        (CalendarDefinition("Mars/Base", always_open=True), "UNKNOWN_TIME_ZONE", ("time_zone",)),
        (
            CalendarDefinition(
                "Asia/Shanghai", shifts=(Shift(0, "09:00", "12:00"), Shift(0, "11:00", "13:00"))
            ),
            "OVERLAPPING_SHIFTS",
            ("shifts", 1),
        ),
        (
            CalendarDefinition("Asia/Shanghai", shifts=(Shift(0, "9:00", "12:00"),)),
            "BAD_TIME",
            ("shifts", 0, "opens"),
        ),
        (
            CalendarDefinition("Asia/Shanghai", shifts=(Shift(7, "09:00", "12:00"),)),
            "BAD_WEEKDAY",
            ("shifts", 0, "weekday"),
        ),
        (
            CalendarDefinition(
                "Asia/Shanghai", shifts=(Shift(0, "09:00", "12:00"),), country_holidays="XX"
            ),
            "UNKNOWN_COUNTRY",
            ("country_holidays",),
        ),
        (
            CalendarDefinition(
                "Asia/Shanghai",
                shifts=(Shift(0, "09:00", "12:00"),),
                exceptions=(
                    DatedException(date(2026, 1, 1)),
                    DatedException(date(2026, 1, 1), (Span("09:00", "10:00"),)),
                ),
            ),
            "DUPLICATE_DATE",
            ("exceptions", 1, "date"),
        ),
        (
            CalendarDefinition(
                "Asia/Shanghai",
                shifts=(Shift(0, "09:00", "12:00"),),
                exceptions=(DatedException(date(1066, 10, 14)),),
            ),
            "DATE_OUT_OF_RANGE",
            ("exceptions", 0, "date"),
        ),
    ],
)
async def test_a_calendar_nobody_can_compute_with_is_refused_when_saved(
    definition: CalendarDefinition, code: str, path: tuple[str | int, ...]
) -> None:
    """R-CAL-02: without working time, overlapping shifts, an unknown zone."""
    with pytest.raises(DomainError) as refused:
        await save_calendar(desk.SETUP, name="refused", definition=definition, now=desk.NOW)

    assert (refused.value.code, refused.value.path) == (code, path)
    assert refused.value.message("zh") != refused.value.message("en")
    assert not await Calendar.exists(name="refused")


async def test_an_edited_calendar_has_a_new_version_and_keeps_the_old_one() -> None:
    """R-SLA-10, R-CAT-03: calendars stand outside the versions of service levels."""
    calendar_id = await save_calendar(
        desk.SETUP, name="edited", definition=desk.OFFICE, now=desk.NOW
    )
    before = await version_of(calendar_id)

    again = await save_calendar(desk.SETUP, name="edited", definition=NIGHT, now=desk.NOW)

    after = (await current_calendars([calendar_id]))[calendar_id]
    assert again == calendar_id
    assert after.version_id != before
    assert after.working.definition == NIGHT
    old = await calendars_of_versions([before])
    assert old[before].definition == desk.OFFICE
    assert [each["type"] for each in await desk.facts_of(calendar_id)] == ["CalendarSaved"] * 2


async def test_a_calendar_can_be_renamed_but_not_to_anothers_name() -> None:
    """R-CAL-01."""
    calendar_id = await desk.calendar()
    await save_calendar(desk.SETUP, name="first", definition=desk.ALWAYS, now=desk.NOW)

    await save_calendar(
        desk.SETUP, name="second", definition=desk.ALWAYS, calendar_id=calendar_id, now=desk.NOW
    )
    with pytest.raises(NameTaken):
        await save_calendar(
            desk.SETUP, name="first", definition=desk.ALWAYS, calendar_id=calendar_id, now=desk.NOW
        )

    assert (await Calendar.get(id=calendar_id)).name == "second"


async def test_only_who_manages_calendars_saves_them() -> None:
    """R-ROLE-02."""
    somebody = await desk.person(await desk.branch(), Role.LINE1, Role.CATALOGUE_MANAGER)

    with pytest.raises(Forbidden):
        await save_calendar(somebody, name="forbidden", definition=desk.ALWAYS, now=desk.NOW)


async def test_an_unknown_calendar_is_not_found() -> None:
    """R-CAL-01."""
    with pytest.raises(NotFound):
        await current_calendars([uuid4()])


async def test_spans_are_extended_before_the_last_year_begins_and_only_once() -> None:
    """R-CAL-01, Decision 2: a deadline never runs out of materialised time."""
    calendar_id = await desk.calendar(desk.OFFICE)
    version_id = await version_of(calendar_id)
    saved = await spans_of(version_id)

    assert await extend_spans(desk.NOW) == 0
    assert await extend_spans(datetime(2029, 3, 1, tzinfo=UTC)) > 0
    assert await extend_spans(datetime(2029, 3, 1, tzinfo=UTC)) == 0

    extended = await spans_of(version_id)
    assert extended[: len(saved)] == saved
    assert extended[-1]["ends_at"] > datetime(2032, 12, 28, tzinfo=UTC)
    working = (await current_calendars([calendar_id]))[calendar_id].working
    last = extended[-1]
    assert working.position_us(last["starts_at"]) == last["before_us"]
    assert await CalendarVersion.filter(calendar_id=calendar_id).count() == 1


async def test_positions_known_by_heart_are_those_the_database_works_out(database: Any) -> None:
    """Open, closed, always open, at the very edges; a version that came since is missing."""
    for definition in (desk.OFFICE, NIGHT, CalendarDefinition("UTC", always_open=True)):
        await desk.calendar(definition)
    known = PositionsInMemory()
    at = datetime(2026, 7, 3, tzinfo=UTC)
    edges = [at + timedelta(minutes=each * 37) for each in range(160)]
    opening = datetime(2026, 7, 6, 1, tzinfo=UTC)

    for now in [*edges, opening - timedelta(microseconds=1), opening, at]:
        columns = await known.columns(database.reads, now)
        found = dict(zip(columns["id"], zip(*list(columns.values())[1:], strict=True), strict=True))
        rows = await database.reads.fetch(POSITIONS_NOW.replace(":now", "$1::timestamptz"), now)
        assert found == {row["id"]: tuple(row)[1:] for row in rows}

    since = await version_of(await desk.calendar(NIGHT))
    assert since not in (await known.columns(database.reads, at))["id"]


async def test_beyond_what_is_kept_of_a_calendar_nothing_is_known_by_heart(database: Any) -> None:
    """What follows may be kept tomorrow."""
    version_id = await version_of(await desk.calendar(desk.OFFICE))
    beyond = (await spans_of(version_id))[-1]["ends_at"]

    known = await PositionsInMemory().columns(database.reads, beyond)

    assert version_id not in known["id"]
