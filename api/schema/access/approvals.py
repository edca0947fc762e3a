"""What waits for a second person, as those who may approve it see it (S18)."""

from datetime import datetime
from uuid import UUID

import strawberry

from api.planner.arguments import filter_for, order_for
from api.planner.connections import connection_of
from api.planner.declare import column, one, public_id, sql
from api.planner.fields import payload_field
from api.planner.stored import Node, stored
from api.schema.access.types import OAuthClient
from api.schema.inputs import MutationInput, id_of
from api.schema.payloads import Payload
from api.schema.people.types import Person
from api.schema.vocabulary import described
from itr.access.terms import ApprovalKind, ApprovalState
from itr.actors.roles import Permission, Role
from itr.sight.access import visible_approvals

described(
    ApprovalKind,
    "What of access waits for a second person. 待批准的访问权限类别",
    {
        ApprovalKind.ROLE: "A role that decides, for a person or a machine. 决定性角色",
        ApprovalKind.CLIENT: "A client for a machine that decides. 客户端",
        ApprovalKind.CLIENT_SECRET: "Another secret of such a client. 客户端密钥",
        ApprovalKind.FIRST_PARTY: "People are not asked for their consent to a client. 免同意",
        ApprovalKind.PASSWORD: "A new password of somebody who decides. 密码",
        ApprovalKind.EMAIL: "Another e-mail address of somebody who decides. 邮箱",
        ApprovalKind.REACTIVATION: "Somebody who decides may sign in again. 重新启用",
        ApprovalKind.ERASURE: "A person is erased (R-ROLE-09). 删除个人数据",
    },
)
described(
    ApprovalState,
    "Where it stands. 批准状态",
    {
        ApprovalState.PENDING: "A second person has yet to decide. 待批准",
        ApprovalState.APPROVED: "It is in effect. 已批准",
        ApprovalState.REFUSED: "It will not take effect. 已拒绝",
        ApprovalState.WITHDRAWN: "It was taken back, or asked anew. 已撤回",
        ApprovalState.LAPSED: "Nobody decided within 24 hours. 已过期",
    },
)


@stored(
    table="access_approval",
    key="apr",
    visible=visible_approvals,
    permission=Permission.APPROVE_ACCESS,
    order="-asked_at",
)
@strawberry.type(
    description="Something of access that a second person approves (S18). 访问权限批准"
)
class AccessApproval(Node):
    """Something of access that a second person approves."""

    id: strawberry.ID = public_id()
    kind: ApprovalKind = column(filter=True, description="What was asked for.")
    state: ApprovalState = sql(
        "case when {t}.state = 'PENDING' and {t}.expires_at <= :now then 'LAPSED'"
        " else {t}.state end",
        filter=True,
        description="Where it stands.",
    )
    person: Person | None = one("person_id", description="Whom it is for; may be a machine.")
    role: Role | None = column(description="The role, of ROLE.")
    client: OAuthClient | None = one(
        "client_id", description="The client, of CLIENT, CLIENT_SECRET and FIRST_PARTY."
    )
    client_name: str | None = sql(
        "(select c.name from oauth_client c where c.id = {t}.client_id)",
        description="What people know the client as.",
    )
    email: str | None = column(description="The new address, of EMAIL.")
    asked_by: Person | None = one("asked_by_id", description="Who asked.")
    asked_at: datetime = column(order=True, description="When it was asked.")
    expires_at: datetime = column(description="When it lapses.")
    decided_by: Person | None = one(
        "decided_by_id", description="Who decided; null also where the server's operator did."
    )
    decided_at: datetime | None = column(description="When it was decided.")


@filter_for(AccessApproval)
class AccessApprovalFilter:
    """Only approvals for which all of this holds."""


@order_for(AccessApproval)
class AccessApprovalOrder:
    """What to sort approvals by, and which way."""


@connection_of(AccessApproval)
class AccessApprovalConnection:
    """A page of approvals."""


@strawberry.input(description="Decide what waits for a second person.")
class AccessApprovalInput(MutationInput):
    """Decide what waits for a second person."""

    id: UUID = id_of(AccessApproval, description="Id of the approval.")


@strawberry.type(description="What deciding an approval answers.")
class AccessApprovalPayload(Payload):
    """What deciding an approval answers: it, read anew, or why nothing happened."""

    approval: AccessApproval | None = payload_field(
        "key", description="The approval as it stands now; null when nothing was done."
    )
