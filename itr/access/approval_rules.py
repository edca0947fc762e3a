"""Four eyes over access: what takes effect only when a second person approves it (S18)."""

from datetime import datetime, timedelta
from uuid import UUID

from itr.access.terms import ApprovalState
from itr.actors.actor import Actor
from itr.errors import DomainError

APPROVAL_LIFETIME = timedelta(hours=24)
"""After so long without a decision what was asked has lapsed."""


class SecondPersonNeeded(DomainError):
    """Who asked for it, whom it is for and machines do not approve it."""

    code = "SECOND_PERSON_NEEDED"
    zh = "须由另一人批准：申请人、受益人与机器账号不得批准。"
    en = "Somebody else has to approve this: not who asked, not whom it is for, and no machine."


class NotPending(DomainError):
    """It has been decided or withdrawn, or it lapsed."""

    code = "NOT_PENDING"
    zh = "该申请已有决定、已撤回或已过期。"
    en = "This has been decided or withdrawn, or it has lapsed."


class SomebodyElseCan(DomainError):
    """The server approves only while there is nobody else who can."""

    code = "SOMEBODY_ELSE_CAN"
    zh = "已有其他人可以批准：{names}。"
    en = "There is somebody else who can approve this: {names}."


def ensure_second(actor: Actor, asked_by: UUID, person_id: UUID) -> None:
    """Refuse who is not a second person. Raises SecondPersonNeeded."""
    if actor.machine or actor.id in {asked_by, person_id}:
        raise SecondPersonNeeded(path=["id"])


def ensure_pending(state: ApprovalState, expires_at: datetime, now: datetime) -> None:
    """Refuse what is over. Raises NotPending."""
    if state is not ApprovalState.PENDING or now >= expires_at:
        raise NotPending(path=["id"])
