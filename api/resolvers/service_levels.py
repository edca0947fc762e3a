"""Service levels: their query, and how they are kept and switched off (R-CAT-03)."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import strawberry

from api.planner.fields import page_field
from api.resolvers.performing import answered
from api.resolvers.permissions import may
from api.schema.catalogue import inputs as given
from api.schema.catalogue.service_levels import ServiceLevelConnection
from itr.actors.roles import Permission
from itr.catalogue.operations import save_service_level, switch_off_service_level
from itr.catalogue.rules import BadTarget, Targets
from itr.catalogue.service_levels import level_of
from itr.durations import microseconds_of
from itr.errors import DomainError, InvalidInput, PathItem, problems_of, refuse
from itr.sla.alarms import PERCENTS
from itr.sla.clock import Target

P = Permission
Path = tuple[PathItem, ...]


@strawberry.type
class ServiceLevelQuery:
    """Reading service levels."""

    service_levels: ServiceLevelConnection = page_field(
        permission_classes=[may(P.READ_CATALOGUE)],
        description="Service levels, by name.",
    )


@strawberry.type
class ServiceLevelMutation:
    """Keeping service levels."""

    @strawberry.mutation(
        permission_classes=[may(P.MANAGE_SERVICE_LEVELS)],
        description="Keep a service level: a new one, or a new version of the one named by its id."
        " New requests get it; open ones keep their version until they are moved (R-CAT-03).",
    )
    async def save_service_level(
        self, info: strawberry.Info, input: given.SaveServiceLevelInput
    ) -> given.ServiceLevelPayload | None:
        """Keep a service level (R-CAT-03, R-OLA-02)."""

        async def act() -> UUID:
            refuse(_said_twice(input))
            try:
                version_id = await save_service_level(
                    info.context.actor,
                    name=input.name,
                    calendar_id=input.calendar_id,
                    targets=_targets(input.targets),
                    pauses=[
                        (pause.reason, thread)
                        for pause in input.pauses or ()
                        for thread in pause.threads
                    ],
                    percents=PERCENTS if input.alarm_percents is None else input.alarm_percents,
                    matrix=_matrix(input.matrix),
                    confirmation_days=input.confirmation_working_days,
                    ola_shares=_shares(input.control_point_shares),
                    alarm_rules=None if input.alarm_rules is None else input.alarm_rules.to_json(),
                    house=input.house,
                    service_level_id=input.id,
                    expected_version=input.expected_version,
                    new=input.id is None,
                    now=info.context.now,
                )
            except DomainError as error:
                for each in {id(each): each for each in (error, *problems_of(error))}.values():
                    each.path = _place_in(input, each.path)
                raise
            return await level_of(version_id)

        return await answered(given.ServiceLevelPayload, info, input, act)

    @strawberry.mutation(
        permission_classes=[may(P.MANAGE_SERVICE_LEVELS)],
        description="Let a service level promise nothing any more: no new request gets it, and the"
        " clocks of open ones are cancelled in batches; saving it again switches it on.",
    )
    async def switch_off_service_level(
        self, info: strawberry.Info, input: given.SwitchOffServiceLevelInput
    ) -> given.ServiceLevelPayload | None:
        """Switch a service level off."""

        async def act() -> UUID:
            return await switch_off_service_level(
                info.context.actor,
                input.id,
                expected_version=input.expected_version,
                now=info.context.now,
            )

        return await answered(given.ServiceLevelPayload, info, input, act)


def _targets(targets: list[given.ServiceTargetInput]) -> Targets:
    """Each as one of working time and working days."""
    found = {}
    for index, each in enumerate(targets):
        us = None if each.target is None else microseconds_of(each.target)
        days = each.target_working_days
        amount = us if days is None else days
        if (us is None) == (days is None) or amount is None or not 0 <= amount < 10**18:
            raise BadTarget(path=["targets", index])
        found[each.priority.value, each.thread] = Target(us=us, days=days)
    return found


def _matrix(entries: list[given.MatrixEntryInput] | None) -> dict[str, dict[str, str]] | None:
    if entries is None:
        return None
    matrix: dict[str, dict[str, str]] = {}
    for each in entries:
        row = matrix.setdefault(each.fault_level.value, {})
        row[each.impact.value] = each.priority.value
    return matrix


def _shares(shares: list[given.ControlPointShareInput] | None) -> dict[str, str] | None:
    return {str(each.number): str(each.percent) for each in shares} if shares else None


_LISTS: dict[str, Callable[[Any], tuple[str, ...]]] = {
    "targets": lambda each: (each.priority, each.thread),
    "matrix": lambda each: (each.fault_level, each.impact),
    "control_point_shares": lambda each: (str(each.number),),
}
"""The input's lists, and the words by which rules know an entry."""
_CALLED = {
    "percents": "alarm_percents",
    "confirmation_days": "confirmation_working_days",
    "ola_shares": "control_point_shares",
    "minutes": "acknowledge_minutes",
    "minutesP1": "acknowledge_minutes_p1",
}
"""What the input calls otherwise than the rules do."""


def _said_twice(input: given.SaveServiceLevelInput) -> Iterable[DomainError]:
    """Entries of a list that say again, and perhaps otherwise, what one before them said."""
    levels = input.alarm_rules.levels if input.alarm_rules else ()
    yield from _repeated(levels, lambda each: (str(each.percent),), "alarm_rules", "levels")
    for name, words_of in _LISTS.items():
        yield from _repeated(getattr(input, name) or (), words_of, name)


def _repeated(
    entries: Iterable[Any], words_of: Callable[[Any], tuple[str, ...]], *path: str
) -> Iterable[DomainError]:
    seen = set()
    for index, each in enumerate(entries):
        if words_of(each) in seen:
            yield InvalidInput(
                path=[*path, index],
                zh_reason="该条目重复。",
                en_reason="An entry before says this already.",
            )
        seen.add(words_of(each))


def _place_in(input: given.SaveServiceLevelInput, path: Path) -> Path:
    """Where in the input stands what a rule found by its words."""
    match tuple(_CALLED.get(str(each), each) for each in path):
        case ("alarm_rules", "escalation", *rest):
            return ("alarm_rules", *rest)
        case ("alarm_rules", "levels", percent, *rest) if input.alarm_rules:
            kept = [str(each.percent) for each in input.alarm_rules.levels]
            return (
                "alarm_rules",
                "levels",
                kept.index(str(percent)),
                *(["tells", *rest] if rest else ()),
            )
        case (str(name), *words) if name in _LISTS and words and isinstance(words[0], str):
            entries = enumerate(getattr(input, name) or ())
            found = (
                index for index, each in entries if _LISTS[name](each)[: len(words)] == tuple(words)
            )
            return (name, *([index] if (index := next(found, None)) is not None else []))
        case called:
            return called
