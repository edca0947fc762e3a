"""What-ifs and migrations: asking for them, reading and following them, calling them off."""

from collections.abc import AsyncGenerator, Collection, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import strawberry

from api.planner import read as planner
from api.planner.fields import page_field
from api.resolvers.performing import answered
from api.resolvers.permissions import may
from api.schema.inputs import key_in
from api.schema.recalculations.types import (
    ApplyMigrationInput,
    CancelRecalculationInput,
    PreviewMigrationInput,
    Recalculation,
    RecalculationConnection,
    RecalculationPayload,
    RecalculationProgress,
    StartWhatIfInput,
)
from api.transport.context import Context
from api.transport.live import Kind, Snapshot, Update, snapshot_of
from itr.actors.roles import Permission
from itr.errors import NotFound
from itr.events.cursor import Position
from itr.events.feed import Event
from itr.figures.rules import Period
from itr.recalculations import operations
from itr.sight.recalculations import visible_recalculations

Info = strawberry.Info
P = Permission


def _mutation(description: str) -> Any:
    classes = [may(P.MANAGE_SERVICE_LEVELS)]
    return strawberry.mutation(permission_classes=classes, description=description)


@strawberry.type
class RecalculationQuery:
    """Reading what-ifs and migrations."""

    recalculations: RecalculationConnection = page_field(
        permission_classes=[may(P.MANAGE_SERVICE_LEVELS)],
        description="What-ifs, migrations and what switches brought about, newest first.",
    )

    @strawberry.field(
        permission_classes=[may(P.MANAGE_SERVICE_LEVELS)],
        description="A what-if or migration: how far it is and what it found; null for none.",
    )
    async def what_if(self, info: Info, id: strawberry.ID) -> Recalculation | None:
        """One computation by its id."""
        found: Recalculation | None = await planner.one_by_id(info, Recalculation, id)
        return found


@strawberry.type
class RecalculationMutation:
    """Asking for what-ifs and migrations."""

    @_mutation(
        "Recompute the requests closed in a period under another service level version or"
        " calendar version; changes nothing (R-SLA-12). 假设分析"
    )
    async def start_what_if(
        self, info: Info, input: StartWhatIfInput
    ) -> RecalculationPayload | None:
        """Start a what-if."""

        async def act() -> UUID:
            version, calendar = input.service_level_version_id, input.calendar_version_id
            return await operations.start_what_if(
                info.context.actor,
                Period(input.period.from_, input.period.to),
                version_id=version,
                calendar_version_id=calendar,
                level_id=input.service_level_id,
                customer_id=input.customer_id,
                now=info.context.now,
            )

        return await answered(RecalculationPayload, info, input, act)

    @_mutation(
        "Compute which deadlines and breaches moving open requests to the newest version of their"
        " level would change; changes nothing (R-CAT-03). 迁移预览"
    )
    async def preview_migration(
        self, info: Info, input: PreviewMigrationInput
    ) -> RecalculationPayload | None:
        """Preview a migration."""

        async def act() -> UUID:
            version = input.service_level_version_id
            return await operations.preview_migration(
                info.context.actor,
                version,
                from_version_id=input.from_version_id,
                now=info.context.now,
            )

        return await answered(RecalculationPayload, info, input, act)

    @_mutation(
        "Move the open requests a preview looked at to the new version, in batches; each has an"
        " event on its timeline (R-CAT-03, R-SLA-08). 执行迁移"
    )
    async def apply_migration(
        self, info: Info, input: ApplyMigrationInput
    ) -> RecalculationPayload | None:
        """Apply a migration that was previewed."""

        async def act() -> UUID:
            return await operations.apply_migration(
                info.context.actor,
                input.preview_id,
                now=info.context.now,
            )

        return await answered(RecalculationPayload, info, input, act)

    @_mutation(
        "Call a what-if, preview or migration off; what a migration has moved stays moved. 取消"
    )
    async def cancel_recalculation(
        self, info: Info, input: CancelRecalculationInput
    ) -> RecalculationPayload | None:
        """Call a computation off."""

        async def act() -> UUID:
            return await operations.cancel_recalculation(
                info.context.actor, input.id, now=info.context.now
            )

        return await answered(RecalculationPayload, info, input, act)


@dataclass(frozen=True)
class ProgressWatch:
    """Follows one computation."""

    row_id: UUID
    name: str = "whatIfProgress"
    permission: Permission = Permission.MANAGE_SERVICE_LEVELS

    @property
    def key(self) -> UUID:
        """One source a computation."""
        return self.row_id

    def subject_of(self, event: Event) -> UUID | None:
        """Its own steps."""
        return event.subject if event.subject == self.row_id else None

    async def snapshot(self, context: Context, keys: Collection[UUID] | None) -> Snapshot:  # noqa: ARG002
        """How far it is, if the actor sees it."""
        condition, values = visible_recalculations(context.actor).numbered("r", 1)
        rows = f"select r.id, r.version from recalculation r where r.id = $1 and {condition}"
        return await snapshot_of(context.pool, rows, self.row_id, *values)

    async def seen_before(
        self,
        context: Context,  # noqa: ARG002 - who has a cursor of this watch was shown it
        keys: Collection[UUID],
        position: Position,  # noqa: ARG002
    ) -> Collection[UUID]:
        """Who resumes was shown it."""
        return keys

    def messages_of(self, update: Update) -> Iterable[object]:
        """One message an update; NOT_FOUND when it is out of sight."""
        if update.kind is Kind.RESYNC:
            return []
        if self.row_id not in update.versions:
            return [NotFound(path=["id"])]
        version = update.versions[self.row_id]
        return [RecalculationProgress(key=self.row_id, cursor=update.cursor, version=version)]


@strawberry.type
class RecalculationSubscription:
    """What-ifs and migrations, live."""

    @strawberry.subscription(
        permission_classes=[may(P.MANAGE_SERVICE_LEVELS)],
        description="How far a what-if or migration is: as it stands, then with every step.",
    )
    async def what_if_progress(
        self, info: Info, id: strawberry.ID, after: str | None = None
    ) -> AsyncGenerator[RecalculationProgress, None]:
        """The progress of one computation (Decision 5)."""
        watch = ProgressWatch(key_in(Recalculation, id, "id"))
        messages = info.context.live.follow(info.context, watch, after, watch.messages_of)
        async with aclosing(messages) as following:
            async for message in following:
                yield message
