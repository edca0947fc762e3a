"""Working calendars: their query, and how they are kept and corrected."""

from uuid import UUID

import strawberry

from api.planner.fields import page_field
from api.resolvers.performing import answered
from api.resolvers.permissions import may
from api.schema.catalogue.inputs import CalendarPayload, CorrectCalendarInput, SaveCalendarInput
from api.schema.sla.calendars import CalendarConnection
from api.schema.sla.simulation import definition_of, exceptions_of
from itr.actors.roles import Permission
from itr.errors import DomainError, problems_of
from itr.sla.operations import correct_calendar, save_calendar

P = Permission


@strawberry.type
class CalendarQuery:
    """Reading calendars."""

    calendars: CalendarConnection = page_field(
        permission_classes=[may(P.READ_CATALOGUE)],
        description="Working calendars, by name.",
    )


@strawberry.type
class CalendarMutation:
    """Keeping calendars."""

    @strawberry.mutation(
        permission_classes=[may(P.MANAGE_CALENDARS)],
        description="Keep a calendar: a new one, or a new version of the one named by its id. Its"
        " open clocks are recomputed in batches, completed ones never (R-SLA-10).",
    )
    async def save_calendar(
        self, info: strawberry.Info, input: SaveCalendarInput
    ) -> CalendarPayload | None:
        """Keep a calendar (R-CAL-01, R-CAL-02)."""

        async def act() -> UUID:
            try:
                return await save_calendar(
                    info.context.actor,
                    name=input.name,
                    definition=definition_of(input.calendar),
                    calendar_id=input.id,
                    expected_version=input.expected_version,
                    new=input.id is None,
                    now=info.context.now,
                )
            except DomainError as error:
                _point_into("calendar", error)
                raise

        return await answered(CalendarPayload, info, input, act)

    @strawberry.mutation(
        permission_classes=[may(P.MANAGE_CALENDARS)],
        description="Correct single dates of a calendar: a holiday that is worked, a make-up day"
        " that is not (R-CAL-03). All else stays.",
    )
    async def correct_calendar(
        self, info: strawberry.Info, input: CorrectCalendarInput
    ) -> CalendarPayload | None:
        """Correct single dates (R-CAL-03)."""

        async def act() -> UUID:
            return await correct_calendar(
                info.context.actor,
                input.id,
                exceptions=exceptions_of(input.exceptions or ()),
                dropped=input.dropped or (),
                expected_version=input.expected_version,
                now=info.context.now,
            )

        return await answered(CalendarPayload, info, input, act)


_BESIDE = frozenset({"id", "name", "expectedVersion"})


def _point_into(part: str, error: DomainError) -> None:
    """Let what is wrong with the calendar point into the part of the input that holds it."""
    for each in {id(each): each for each in (error, *problems_of(error))}.values():
        if each.path and each.path[0] not in _BESIDE:
            each.path = (part, *each.path)
