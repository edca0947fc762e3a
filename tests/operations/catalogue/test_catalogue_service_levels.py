"""Saving and reading service levels (R-CAT-03)."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest

from itr.actors.roles import Role
from itr.catalogue.in_force import NoHouseLevel
from itr.catalogue.models import ServiceLevel, ServiceLevelVersion
from itr.catalogue.operations import (
    current_terms,
    house_terms,
    save_service_level,
    terms_of,
)
from itr.catalogue.rules import Targets
from itr.database import Database
from itr.errors import DomainError, Forbidden, NotFound, Refused
from itr.sla.clock import Target
from itr.sla.terms import Thread, WaitingReason
from tests.support import desk_data as desk

pytestmark = pytest.mark.usefixtures("database")

MATRIX = {
    level: dict.fromkeys(("ENTERPRISE", "DEPARTMENT", "GROUP", "INDIVIDUAL"), "P2")
    for level in ("CRITICAL", "MAJOR", "MINOR", "NONE")
}


@pytest.fixture(scope="module")
async def always(database: Database) -> UUID:
    """A calendar."""
    return await desk.calendar()


async def saved(always: UUID, **more: Any) -> UUID:
    wanted: dict[str, Any] = {
        "name": desk.named("level"),
        "calendar_id": always,
        "targets": desk.hours(1, 4, 8),
        "now": desk.NOW,
    }
    return await save_service_level(desk.SETUP, **{**wanted, **more})


async def refusal(always: UUID, **more: Any) -> list[tuple[str, tuple[str | int, ...]]]:
    with pytest.raises(DomainError) as refused:
        await saved(always, **more)
    problems = getattr(refused.value, "problems", (refused.value,))
    for problem in problems:
        assert problem.message("zh")
        assert problem.message("en")
    return [(problem.code, problem.path) for problem in problems]


async def test_a_service_level_holds_targets_calendar_pauses_percents_and_matrix(
    always: UUID,
) -> None:
    """R-CAT-03, R-ALM-01."""
    pauses = {(WaitingReason.CUSTOMER, Thread.RESOLUTION), (WaitingReason.CUSTOMER, Thread.CLOSURE)}
    targets: Targets = {**desk.hours(1, 4, 8, 400), **only("P4", desk.days(1, 5, 15, 17))}

    version_id = await saved(
        always,
        name="whole",
        targets=targets,
        pauses=pauses,
        percents=[60, 100],
        matrix=MATRIX,
        confirmation_days=5,
    )

    terms = await terms_of(version_id)
    assert terms.name == "whole"
    assert terms.calendar_id == always
    assert terms.targets == targets
    assert terms.pauses == pauses
    assert terms.percents == (60, 100)
    assert terms.matrix == MATRIX
    assert terms.confirmation_days == 5


def only(priority: str, targets: Targets) -> dict[tuple[str, Thread], Target]:
    return {key: target for key, target in targets.items() if key[0] == priority}


async def test_editing_makes_a_new_version_and_leaves_the_old_one_as_it_was(always: UUID) -> None:
    """R-CAT-03: open requests keep the version they were accepted under."""
    first = await saved(always, name="versioned")
    accepted_under = await terms_of(first)

    second = await saved(always, name="versioned", targets=desk.hours(2, 8, 16))

    level = await ServiceLevel.get(name="versioned")
    versions = await ServiceLevelVersion.filter(service_level_id=level.id).order_by("number")
    assert [(each.id, each.number) for each in versions] == [(first, 1), (second, 2)]
    assert (await current_terms(level.id)).version_id == second
    assert await terms_of(first) == accepted_under
    assert accepted_under.target("P1", Thread.RESPONSE) == Target(us=desk.HOUR)


@pytest.mark.parametrize(
    "targets", [desk.hours(5, 4, 8), desk.hours(1, 9, 8), desk.days(3, 2, 4), desk.hours(9, 9, 8)]
)
async def test_targets_out_of_order_are_refused_for_each_priority(
    always: UUID, targets: Targets
) -> None:
    """R-CAT-03: response ≤ restoration ≤ resolution."""
    assert await refusal(always, targets=targets) == [
        ("TARGETS_OUT_OF_ORDER", ("targets", priority)) for priority in ("P1", "P2", "P3", "P4")
    ]


async def test_equal_targets_are_kept(always: UUID) -> None:
    """R-CAT-03, R-CP-01."""
    terms = await terms_of(await saved(always, targets=desk.hours(8, 8, 8)))

    assert terms.target("P1", Thread.RESOLUTION) == terms.target("P1", Thread.RESPONSE)


@pytest.mark.parametrize("thread", range(4))
@pytest.mark.parametrize("unit", [desk.hours, desk.days])
async def test_nothing_is_promised_in_no_time(
    always: UUID, thread: int, unit: Callable[..., Targets]
) -> None:
    """R-CP-03, R-CAT-03: a closing target of zero too, it could never be met."""
    amounts = [8, 8, 8, 8]
    amounts[thread] = 0

    assert await refusal(always, targets=unit(*amounts)) == [
        ("BAD_TARGET", ("targets", priority, list(Thread)[thread].value))
        for priority in ("P1", "P2", "P3", "P4")
    ]


NO_RESPONSE = {key: each for key, each in desk.hours(1, 4, 8).items() if key[1] != "RESPONSE"}
NOTHING_AT_P2 = {key: each for key, each in desk.hours(1, 4, 8).items() if key[0] != "P2"}
MIXED = {**desk.hours(1, 4, 8), ("P2", Thread.RESOLUTION): Target(days=5)}


async def test_a_thread_may_be_left_without_a_promise(always: UUID) -> None:
    """R-CAT-03: the order holds among what is promised."""
    terms = await terms_of(await saved(always, targets=NO_RESPONSE))

    assert terms.target("P1", Thread.RESPONSE) is None
    assert terms.target("P1", Thread.RESTORATION) == Target(us=4 * desk.HOUR)
    wrong = {
        key: each for key, each in desk.hours(1, 9, 8).items() if key[1] is not Thread.RESPONSE
    }
    assert await refusal(always, targets=wrong) == [
        ("TARGETS_OUT_OF_ORDER", ("targets", priority)) for priority in ("P1", "P2", "P3", "P4")
    ]


@pytest.mark.parametrize(
    ("more", "code", "path"),
    [
        ({"targets": NOTHING_AT_P2}, "REQUIRED", ("targets", "P2")),
        ({"targets": MIXED}, "MIXED_UNITS", ("targets", "P2")),
        ({"targets": desk.hours(0, 4, 8)}, "BAD_TARGET", ("targets", "P1", "RESPONSE")),
        ({"targets": desk.hours(1, 4, 10**6)}, "BAD_TARGET", ("targets", "P1", "RESOLUTION")),
        ({"percents": []}, "BAD_PERCENTS", ("percents",)),
        ({"percents": [50, 90]}, "BAD_PERCENTS", ("percents",)),
        ({"percents": [0, 100]}, "BAD_PERCENTS", ("percents",)),
        ({"percents": [75, 50, 100]}, "BAD_PERCENTS", ("percents",)),
        ({"percents": [50, 100, 120]}, "BAD_PERCENTS", ("percents",)),
        ({"confirmation_days": 0}, "BAD_CONFIRMATION_WINDOW", ("confirmation_days",)),
        ({"matrix": {}}, "INCOMPLETE_MATRIX", ("matrix", "CRITICAL", "DEPARTMENT")),
        (
            {"matrix": {**MATRIX, "NONE": {**MATRIX["NONE"], "GROUP": "P5"}}},
            "INCOMPLETE_MATRIX",
            ("matrix", "NONE", "GROUP"),
        ),
        (
            {"matrix": {**MATRIX, "ODD": {"GROUP": "P1"}}},
            "INCOMPLETE_MATRIX",
            ("matrix", "ODD", "GROUP"),
        ),
        ({"name": "  "}, "REQUIRED", ("name",)),
        ({"name": "a\x00b"}, "INVALID", ("name",)),
        ({"name": "\ud800"}, "INVALID", ("name",)),
        ({"name": "x" * 201}, "TOO_LONG", ("name",)),
        ({"calendar_id": uuid4()}, "NOT_FOUND", ("calendar_id",)),
    ],
)
async def test_what_a_service_level_cannot_promise_is_refused_with_code_and_path(
    always: UUID, more: Mapping[str, Any], code: str, path: tuple[str, ...]
) -> None:
    """R-CAT-03, R-CP-01, R-ALM-01, R-PRI-02."""
    before = await ServiceLevelVersion.all().count()

    assert (await refusal(always, **more))[0] == (code, path)
    assert await ServiceLevelVersion.all().count() == before


async def test_everything_wrong_is_told_at_once(always: UUID) -> None:
    """R-CAT-03."""
    with pytest.raises(Refused) as refused:
        await saved(always, targets=MIXED, percents=[1], confirmation_days=99)

    codes = [problem.code for problem in refused.value.problems]
    assert codes == ["MIXED_UNITS", "BAD_PERCENTS", "BAD_CONFIRMATION_WINDOW"]
    assert refused.value.code == "MIXED_UNITS"


async def test_only_who_manages_service_levels_saves_them(always: UUID) -> None:
    """R-ROLE-02."""
    somebody = await desk.person(await desk.branch(), Role.LINE1, Role.CATALOGUE_MANAGER)

    with pytest.raises(Forbidden):
        await save_service_level(
            somebody,
            name="forbidden",
            calendar_id=always,
            targets=desk.hours(1, 4, 8),
            now=desk.NOW,
        )

    assert not await ServiceLevel.exists(name="forbidden")


async def test_there_is_one_house_level_and_it_can_move(always: UUID) -> None:
    """R-ENT-04."""
    with pytest.raises(NoHouseLevel):
        await house_terms()
    first = await saved(always, name="old house", house=True)
    assert (await house_terms()).version_id == first

    edited = await saved(always, name="old house")
    assert (await house_terms()).version_id == edited

    second = await saved(always, name="new house", house=True)
    assert (await house_terms()).version_id == second
    assert await ServiceLevel.filter(house=True).count() == 1


async def test_each_version_is_a_fact_with_its_author(always: UUID) -> None:
    """S16, R-CAT-03."""
    await saved(always, name="recorded")
    await saved(always, name="recorded")

    level = await ServiceLevel.get(name="recorded")
    facts = await desk.facts_of(level.id)
    assert [(each["type"], each["subject_version"]) for each in facts] == [
        ("ServiceLevelSaved", 1),
        ("ServiceLevelSaved", 2),
    ]
    assert {each["actor_name"] for each in facts} == {"setup"}


async def test_an_unknown_version_or_level_is_not_found() -> None:
    """R-CAT-03."""
    with pytest.raises(NotFound):
        await terms_of(uuid4())
    with pytest.raises(NotFound):
        await current_terms(uuid4())
