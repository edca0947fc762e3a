"""Being told: the list of whoever asks, live too, and marking it as read (R-NOT-01)."""

from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import strawberry
from graphql import GraphQLSchema

from api.planner.fields import page_field
from api.planner.matching import matching
from api.resolvers.following import followed
from api.resolvers.performing import performed
from api.resolvers.permissions import may
from api.schema.notifications.types import (
    NOTIFICATION_FEED,
    MarkNotificationsReadInput,
    Notification,
    NotificationConnection,
    NotificationsPayload,
)
from api.transport.context import Context
from api.transport.live import Snapshot, snapshot_of
from itr.actors.roles import Permission
from itr.events.cursor import Position
from itr.events.feed import Event
from itr.events.log import NOTIFIED
from itr.notifications.operations import mark_read

P = Permission
_NOTIFIED = f'"{NOTIFIED}"'
LISTED = 200
"""How many entries a snapshot lists at most."""


@dataclass(frozen=True)
class NotificationsWatch:
    """Follows one person's list; no two persons share a source or a cursor."""

    schema: GraphQLSchema
    person_id: UUID
    permission: Permission = P.READ_NOTIFICATIONS

    @property
    def name(self) -> str:
        """The subscription and whose it is."""
        return f"notifications:{self.person_id}"

    @property
    def key(self) -> UUID:
        """One source a person."""
        return self.person_id

    def subject_of(self, event: Event) -> UUID | None:
        """The entry that an event put into the person's list, or that the person has read."""
        if event.subject_type == "notification":
            return event.subject if event.stream == self.person_id else None
        if _NOTIFIED not in event.payload_text:
            return None
        entry = event.payload.get(NOTIFIED, {}).get(str(self.person_id))
        return None if entry is None else UUID(entry)

    async def snapshot(self, context: Context, keys: Collection[UUID] | None) -> Snapshot:
        """Which entries there are, with their versions: told is 1, read is 2."""
        rows = matching(
            self.schema,
            Notification,
            None,
            context,
            select="{t}.id, 1 + ({t}.read_at is not null)::int as version",
            keys=keys,
            tail=f"order by {{t}}.created_at desc, {{t}}.id limit {LISTED + 1}"
            if keys is None
            else "",
        )
        seen = await snapshot_of(context.pool, rows.sql, *rows.arguments)
        if keys is not None or len(seen.versions) <= LISTED:
            return seen
        kept = dict(list(seen.versions.items())[:LISTED])
        return Snapshot(seen.taken, kept, complete=False)

    async def seen_before(
        self,
        context: Context,  # noqa: ARG002 - entries come and are read, none ever leaves
        keys: Collection[UUID],  # noqa: ARG002
        position: Position,  # noqa: ARG002
    ) -> Collection[UUID]:
        """None: what is not in the list now never was in it."""
        return ()


@strawberry.type
class NotificationQuery:
    """Reading one's list."""

    notifications: NotificationConnection = page_field(
        permission_classes=[may(P.READ_NOTIFICATIONS)],
        description="What you were told, newest first; `filter: {unread: {eq: true}}` and"
        " `totalCount` give the number still to be read. 我的提醒",
    )


@strawberry.type
class NotificationMutation:
    """What a person does with their list."""

    @strawberry.mutation(
        permission_classes=[may(P.READ_NOTIFICATIONS)],
        description="Mark entries of your list as read; again is nothing.",
    )
    async def mark_notifications_read(
        self, info: strawberry.Info, input: MarkNotificationsReadInput
    ) -> NotificationsPayload | None:
        """Mark entries as read."""
        keys: list[UUID] = []

        async def act() -> UUID:
            keys.extend(input.ids)
            await mark_read(info.context.actor, keys, now=info.context.now)
            own: UUID = info.context.actor.id
            return own

        _, errors = await performed(info, input, act)
        return NotificationsPayload(
            keys=[] if errors else keys,
            user_errors=errors,
            client_mutation_id=input.client_mutation_id,
        )


@strawberry.type
class NotificationSubscription:
    """One's list, live."""

    @strawberry.subscription(
        graphql_type=NOTIFICATION_FEED.message,
        permission_classes=[may(P.READ_NOTIFICATIONS)],
        description="Your list: a snapshot, then what comes and what is read, resumable.",
    )
    async def notifications(
        self, info: strawberry.Info, after: str | None = None
    ) -> AsyncGenerator[Any, None]:
        """A feed of one's own list (Decision 5)."""
        watch = NotificationsWatch(info._raw_info.schema, info.context.actor.id)
        return followed(info, watch, after, NOTIFICATION_FEED)
