"""Emergency recovery as the API shows it: bulletins and their countdown."""

from datetime import datetime, timedelta

import strawberry

from api.planner.declare import column, one, public_id, sql
from api.planner.stored import Node, embedded, stored
from api.schema.people.types import Person
from api.schema.vocabulary import described
from itr.actors.roles import Permission
from itr.requests.terms import BulletinKind
from itr.sight.requests import visible_bulletins

described(
    BulletinKind,
    "What a status bulletin of an emergency tells (R-REQ-11). 通报类别",
    {
        BulletinKind.FIRST: "The first: what has happened. 首次通报",
        BulletinKind.PROGRESS: "How the recovery goes. 进展通报",
        BulletinKind.RECOVERY: "Service is up again. 恢复通报",
        BulletinKind.CAUSE: "What caused it. 原因通报",
    },
)


@stored(
    table="bulletin",
    key="bul",
    visible=visible_bulletins,
    found_with=Permission.READ_REQUESTS,
    order="published_at",
)
@strawberry.type(description="A status bulletin of an emergency (R-REQ-11). 状态通报")
class Bulletin(Node):
    """A status bulletin of an emergency: public, and the customer's answer."""

    id: strawberry.ID = public_id()
    kind: BulletinKind = column(description="What it tells.")
    text: str = column(description="Its words.")
    published_at: datetime = column(description="When it was published.")
    published_by: Person | None = one("published_by_id", description="Who published it.")


_TOLD = (
    "coalesce((select max(b.published_at) from bulletin b where b.request_id = {t}.id),"
    " {t}.emergency_at) + interval '30 minutes'"
)


@embedded
@strawberry.type(description="When the next bulletin of an emergency is due (R-REQ-11). 通报倒计时")
class BulletinCountdown:
    """When the next bulletin is due: every 30 minutes of real time until recovery is told."""

    due_at: datetime = column("bulletin_due_at", description="The next due time.")
    remaining: timedelta = sql(
        "(extract(epoch from {t}.bulletin_due_at - :now) * 1000000)::bigint",
        description="Real time left until it; negative is lateness.",
    )
    overdue_since: datetime | None = sql(
        f"case when {_TOLD} < :now then least({_TOLD}, {{t}}.bulletin_due_at) end",
        description="Since when a bulletin is missing; null while none is.",
    )
