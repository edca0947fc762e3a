"""Hand-overs to partner firms as the API shows them, with the firm's own clock (R-REQ-10)."""

from datetime import datetime, timedelta
from decimal import Decimal

import strawberry

from api.planner.declare import column, one, public_id, sql
from api.planner.stored import Node, stored
from api.schema.people.types import Organisation
from api.schema.sla.positions import POSITION_NOW
from itr.actors.roles import Permission
from itr.sight.requests import visible_hand_overs
from itr.sla.terms import ClockState

_NOW_US = POSITION_NOW.value("us", id="calendar_version_id")


@stored(
    table="hand_over",
    key="hov",
    visible=visible_hand_overs,
    permission=Permission.READ_HANDLING,
    order="handed_at",
)
@strawberry.type(description="A request's stay with a partner firm (R-REQ-10). 第三方移交")
class HandOver(Node):
    """A request's stay with a partner firm, under that firm's own clock if it promised a time."""

    id: strawberry.ID = public_id()
    partner: Organisation | None = one("partner_id", description="The firm.")
    handed_at: datetime = column(description="When it was handed over.")
    returned_at: datetime | None = column(description="When it came back; null while it is there.")
    state: ClockState | None = sql(
        "case when {t}.state = 'RUNNING' and {t}.deadline < :now then 'BREACHED'"
        " else {t}.state end",
        description="How the firm's clock stands; null without an underpinning contract.",
    )
    target: timedelta | None = column("target_us", description="Working time the firm promised.")
    target_working_days: Decimal | None = column(
        "target_days", description="Working days the firm promised, when promised in days."
    )
    deadline: datetime | None = column(description="When it is, or was, due; null while paused.")
    elapsed: timedelta | None = sql(
        "case when {t}.state is null then null when {t}.base_us is null then {t}.elapsed_us"
        " else {now_us} - {t}.base_us end",
        uses={"now_us": _NOW_US},
        description="Working time the firm has had it.",
    )
    remaining: timedelta | None = sql(
        "case when {t}.base_us is null then {t}.remaining_us else {t}.deadline_us - {now_us} end",
        uses={"now_us": _NOW_US},
        description="Working time the firm has left; negative is lateness.",
    )
    breached_at: datetime | None = column(description="When it passed its deadline.")
