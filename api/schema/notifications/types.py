"""A person's list as the API shows it, and what its subscription tells (R-NOT-01)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from api.planner import read as planner
from api.planner.arguments import filter_for, order_for
from api.planner.connections import connection_of
from api.planner.declare import column, computed, one, public_id, sql
from api.planner.stored import Node, stored
from api.schema.feeds import feed_of
from api.schema.inputs import MutationInput, ids_of
from api.schema.payloads import UserError
from api.schema.requests.types import ServiceRequest
from api.schema.vocabulary import described
from itr.actors.actor import SYSTEM
from itr.actors.roles import Permission
from itr.notifications.terms import NotificationKind
from itr.notifications.texts import text_of
from itr.sight.names_shown import name_of
from itr.sight.notifications import visible_notifications
from itr.sight.row_filter import RowFilter
from itr.sla.terms import Thread

described(
    NotificationKind,
    "What somebody is told of. 提醒类别",
    {
        NotificationKind.ALARM: "An alarm of a time thread (R-ALM-01). 预报警",
        NotificationKind.ESCALATION: "A management escalation has come to you (R-ESC-01). 管理升级",
        NotificationKind.CONTROL_POINT: "A step of yours is running out of time. 控制点提醒",
        NotificationKind.BULLETIN: "An emergency, or its bulletin is overdue. 紧急恢复通报",
        NotificationKind.CONFIRMATION: "A solution waits for your confirmation. 待确认",
        NotificationKind.ASSIGNMENT: "A request has come to you: its owner left (R-ROLE-07). 转交",
        NotificationKind.CHARGE: "A charge waits for your decision (R-ENT-06). 待接受的费用",
        NotificationKind.ACCESS: "Access of yours, or that you may approve (S18). 访问权限",
        NotificationKind.TASK: "Something to complete, e.g. a contract's data (R-ENT-01). 任务",
    },
)


def _named(values: Mapping[str, Any]) -> dict[str, Any]:
    """The words of an entry, with the names of the persons whose ids stand among them."""
    server = SYSTEM.name
    return {**values["facts"], "by": values["by"] or server, "whom": values["whom"] or server}


@stored(
    table="notification",
    key="ntf",
    visible=visible_notifications,
    permission=Permission.READ_NOTIFICATIONS,
    order="-created_at",
)
@strawberry.type(description="One entry of your list; nobody else reads it (R-NOT-01). 提醒")
class Notification(Node):
    """One entry of a person's list."""

    id: strawberry.ID = public_id()
    kind: NotificationKind = column(filter=True, description="What it is about.")
    text: str = computed(
        {
            "kind": "{t}.kind",
            "facts": "{t}.facts",
            "by": name_of("({t}.facts->>'by')::uuid"),
            "whom": name_of("({t}.facts->>'whom')::uuid"),
        },
        lambda values, context: text_of(values["kind"], _named(values), context.language),
        description="What it says, in your language.",
    )
    request: ServiceRequest | None = one(
        "request_id", filter=True, description="The request it is about."
    )
    thread: Thread | None = sql("{t}.facts->>'thread'", description="An alarm's time thread.")
    percent: int | None = sql(
        "({t}.facts->>'percent')::int", description="The level of an alarm or reminder."
    )
    due_at: datetime | None = sql(
        "({t}.facts->>'deadline')::timestamptz", description="The deadline it warns of."
    )
    late: bool = sql(
        "coalesce(({t}.facts->>'late')::boolean, false)",
        description="Whether it came late, after an outage (R-ALM-02).",
    )
    created_at: datetime = column(filter=True, order=True, description="When you were told.")
    read_at: datetime | None = column(filter=True, description="When you marked it as read.")
    unread: bool = sql(
        "({t}.read_at is null)", filter=True, description="Whether it is still to be read."
    )


@filter_for(Notification)
class NotificationFilter:
    """Only notifications for which all of this holds."""


@order_for(Notification)
class NotificationOrder:
    """What to sort notifications by, and which way."""


@connection_of(Notification)
class NotificationConnection:
    """A page of notifications."""


@strawberry.input(description="Mark entries of your list as read.")
class MarkNotificationsReadInput(MutationInput):
    """Mark entries of one's own list as read."""

    ids: list[UUID] = ids_of(Notification, description="Which ones, at most 100.")


async def _by_keys(info: strawberry.Info, keys: list[UUID]) -> list[Notification]:
    """Entries by key, newest first, in one statement."""
    sight = RowFilter("{alias}.id = any(:keys::uuid[])", {"keys": keys})
    found: list[Notification] = await planner.many(
        info, Notification, where=sight, order="{t}.created_at desc"
    )
    return found


@strawberry.type(description="What marking as read answers.")
class NotificationsPayload:
    """The entries as they stand now, or why nothing happened."""

    keys: strawberry.Private[list[UUID]]
    user_errors: list[UserError] = strawberry.field(description="Empty when it was done.")
    client_mutation_id: str | None = strawberry.field(description="As it was given.")

    @strawberry.field(description="The entries, newest first; none when nothing was done.")
    async def notifications(self, info: strawberry.Info) -> list[Notification]:
        """The entries that were marked."""
        return await _by_keys(info, self.keys)


NOTIFICATION_FEED = feed_of(
    Notification,
    name="notifications",
    stem="Notification",
    one="notification",
    many="notifications",
    listed=200,
    order="{t}.created_at desc",
    first="newest",
    told_by="NotificationMessage",
)
