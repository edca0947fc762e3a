"""People as the API shows them: organisations, persons, queues, projects, the viewer."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import strawberry

from api.planner import read as planner
from api.planner.arguments import filter_for, order_for
from api.planner.connections import connection_of
from api.planner.declare import column, computed, connection, many, one, public_id, sql
from api.planner.stored import Node, stored, stored_type
from api.schema.vocabulary import described
from itr.actors.roles import OrganisationKind, Permission, Role
from itr.sight.people import (
    visible_organisations,
    visible_persons,
    visible_projects,
    visible_queues,
)

if TYPE_CHECKING:
    from api.schema.requests.types import RequestConnection

described(
    OrganisationKind,
    "What an organisation is to us. 组织类别。",
    {
        OrganisationKind.BRANCH: "An own branch. 分公司",
        OrganisationKind.CUSTOMER: "A customer firm. 客户",
        OrganisationKind.PARTNER: "An outsourcer or supplier. 合作伙伴/供应商",
    },
)
described(
    Role,
    "What a person does in the process. 角色。",
    {
        Role.CUSTOMER: "Contact of a customer firm. 客户",
        Role.PARTNER: "Person or machine of a partner firm. 合作伙伴/供应商",
        Role.LINE1: "Hotline and local service. 一线/热线",
        Role.LINE2: "Technical assistance centres. 二线/TAC、GTAC",
        Role.LINE3: "R&D maintenance. 三线/研发维护",
        Role.LINE_LEAD: "Leads a queue of one line. 组长",
        Role.FIELD_ENGINEER: "On-site visits. 现场工程师",
        Role.DISPATCH_MANAGER: "Dispatches; owns the queues. 服务调度经理",
        Role.SPARES_MANAGER: "Stock, purchasing, repair. 备件经理",
        Role.QUALITY_CONTROLLER: "Questionnaires and callbacks. 质控专员/回访员",
        Role.COMPLAINT_HANDLER: "Owns complaints. 投诉处理人",
        Role.PROJECT_MANAGER: "A customer's project. 项目经理",
        Role.CATALOGUE_MANAGER: "Catalogue, prices, contracts' data. 服务产品/营销经理",
        Role.SALES_SUPPORT: "Opportunities. 销售支持",
        Role.BRANCH_MANAGER: "Everything of one branch. 分公司经理",
        Role.ANALYST: "Figures and reports. 综合分析",
        Role.PROCESS_MANAGER: "Owns the process. 流程经理",
        Role.OPERATIONS_DIRECTOR: "Top of every escalation. 运营总监",
        Role.WALLBOARD: "Read-only display. 大屏",
        Role.ADMIN: "People, clients, webhooks. 管理员",
    },
)
described(
    Permission,
    "One verb of the product; roles carry them. 权限。",
    {each: each.value.replace("_", " ").capitalize() + "." for each in Permission},
)


class Language(StrEnum):
    """A language people are told in."""

    ZH = "ZH"
    EN = "EN"


described(
    Language,
    "A language people are told in. 语言",
    {Language.ZH: "Chinese. 中文", Language.EN: "English. 英文"},
)


@stored(
    table="organisation",
    key="org",
    visible=visible_organisations,
    found_with=Permission.READ_DIRECTORY,
    order="name",
)
@strawberry.type(description="An own branch, a customer or a partner. 组织")
class Organisation(Node):
    """An own branch, a customer or a partner (R-ORG-01)."""

    id: strawberry.ID = public_id()
    kind: OrganisationKind = column(filter=True, description="What it is to us.")
    name: str = column(filter=True, order=True, description="Its name.")
    branch: Annotated["Organisation", strawberry.lazy("api.schema.people.types")] | None = one(
        "branch_id", description="The branch that serves it."
    )
    phone: str | None = column(description="Its telephone number.")
    email: str | None = column(description="Its e-mail address.")
    make_up_days: bool | None = column(
        permission=Permission.READ_CONTRACTS,
        description="Whether its clocks count the weekends that make up for holidays (R-CAL-03).",
    )
    requests: (
        Annotated["RequestConnection", strawberry.lazy("api.schema.requests.types")] | None
    ) = connection(
        "customer_id",
        order="-registered_at",
        description="Its requests as a customer. 其请求",
    )


@filter_for(Organisation)
class OrganisationFilter:
    """Only organisations for which all of this holds."""


@order_for(Organisation)
class OrganisationOrder:
    """What to sort organisations by, and which way."""


@connection_of(Organisation)
class OrganisationConnection:
    """A page of organisations."""


OWN = "{t}.id = :actor"
"""What one may always read is of oneself."""


@stored(
    table="person",
    key="per",
    visible=visible_persons,
    found_with=Permission.READ_DIRECTORY,
    order="name",
)
@strawberry.type(description="Somebody who acts, or a firm's machine. 人员")
class Person(Node):
    """Somebody who acts, or a partner firm's machine."""

    id: strawberry.ID = public_id()
    name: str = column(filter=True, order=True, description="Their name.")
    email: str | None = column(
        permission=Permission.READ_PEOPLE, own=OWN, filter=True, description="E-mail address."
    )
    phone: str | None = column(
        permission=Permission.READ_PEOPLE,
        own=OWN,
        filter=True,
        telephone=True,
        description="Telephone number.",
    )
    language: Language | None = sql(
        "upper({t}.language)",
        permission=Permission.READ_PEOPLE,
        own=OWN,
        description="What they are told in.",
    )
    active: bool = column(filter=True, description="Whether they may still act.")
    erased_at: datetime | None = column(
        description="When they were erased: they are nobody any more (R-ROLE-09). 删除时间"
    )
    texts_erased_at: datetime | None = sql(
        "(select gone.finished_at from erasure gone where gone.person_id = {t}.id)",
        permission=Permission.MANAGE_PEOPLE,
        description="Since when no text of others and no entry of the log has their name.",
    )
    machine: bool = column(description="Whether it is a firm's machine.")
    organisation: Organisation | None = one(
        "organisation_id", filter=True, description="Where they belong."
    )
    roles: list[Role] | None = computed(
        {
            "roles": "(select json_agg(held.role order by held.role) from role_assignment held"
            " where held.person_id = {t}.id)"
        },
        lambda values, _: [Role(each) for each in values["roles"] or ()],
        permission=Permission.MANAGE_PEOPLE,
        own=OWN,
        description="The roles held; permissions are the union (R-ROLE-01).",
    )
    assigned_requests: (
        Annotated["RequestConnection", strawberry.lazy("api.schema.requests.types")] | None
    ) = connection(
        "assignee_id",
        order="-registered_at",
        description="The requests they own. 其负责的请求",
    )


@filter_for(Person)
class PersonFilter:
    """Only persons for which all of this holds."""


@order_for(Person)
class PersonOrder:
    """What to sort persons by, and which way."""


@connection_of(Person)
class PersonConnection:
    """A page of persons."""


@stored(
    table="queue",
    key="que",
    visible=visible_queues,
    permission=Permission.READ_HANDLING,
    order="name",
)
@strawberry.type(description="Where work of one line waits to be taken. 队列")
class Queue(Node):
    """Where work of one line waits for somebody to take it (R-ORG-04)."""

    id: strawberry.ID = public_id()
    name: str = column(filter=True, order=True, description="Its name.")
    line: int = column(filter=True, order=True, description="Support line 1, 2 or 3.")
    branch: Organisation | None = one("branch_id", description="The branch it stands in.")
    partner: Organisation | None = one(
        "partner_id", filter=True, description="The partner firm that works it, if one does."
    )
    lead: Person | None = one("lead_id", description="Who leads it.")
    members: list[Person] = many(
        on="exists (select 1 from queue_member m"
        " where m.person_id = {t}.id and m.queue_id = {parent}.id)",
        order="name",
        description="Who may take its work.",
    )
    requests: (
        Annotated["RequestConnection", strawberry.lazy("api.schema.requests.types")] | None
    ) = connection(
        "queue_id",
        order="-registered_at",
        description="The requests that stand in it. 其中的请求",
    )


@filter_for(Queue)
class QueueFilter:
    """Only queues for which all of this holds."""


@order_for(Queue)
class QueueOrder:
    """What to sort queues by, and which way."""


@connection_of(Queue)
class QueueConnection:
    """A page of queues."""


@stored(
    table="project",
    key="prj",
    visible=visible_projects,
    found_with=Permission.READ_DIRECTORY,
    order="name",
)
@strawberry.type(description="A customer's project: customer, contract, manager, team. 项目")
class Project(Node):
    """A customer's project (R-ORG-01)."""

    id: strawberry.ID = public_id()
    name: str = column(filter=True, order=True, description="Its name.")
    customer: Organisation | None = one("customer_id", filter=True, description="Whose it is.")
    manager: Person | None = one("manager_id", description="Its project manager.")
    contact: Person | None = one("contact_id", description="Whom to talk to at the customer.")
    team: list[Person] = many(
        on="exists (select 1 from project_member m"
        " where m.person_id = {t}.id and m.project_id = {parent}.id)",
        order="name",
        description="Who works in it.",
    )
    requests: (
        Annotated["RequestConnection", strawberry.lazy("api.schema.requests.types")] | None
    ) = connection("project_id", order="-registered_at", description="Its requests.")


@filter_for(Project)
class ProjectFilter:
    """Only projects for which all of this holds."""


@order_for(Project)
class ProjectOrder:
    """What to sort projects by, and which way."""


@connection_of(Project)
class ProjectConnection:
    """A page of projects."""


@strawberry.type(description="Who is asking, and what they may do. 当前用户")
class Viewer:
    """Who is asking, and what they may do."""

    @strawberry.field(description="The id of the person or machine, also where it sees no person.")
    def id(self, info: strawberry.Info) -> strawberry.ID:
        """The viewer's id as a person."""
        return strawberry.ID(stored_type(Person).write_id(info.context.actor.id))

    @strawberry.field(description="The person or machine itself; null for the system.")
    async def actor(self, info: strawberry.Info) -> Person | None:
        """The viewer as a person."""
        found: Person | None = await planner.payload_object(info, Person, info.context.actor.id)
        return found

    @strawberry.field(description="The organisation it belongs to.")
    async def organisation(self, info: strawberry.Info) -> Organisation | None:
        """The viewer's organisation."""
        own = info.context.actor.organisation_id
        found: Organisation | None = await planner.payload_object(info, Organisation, own)
        return found

    @strawberry.field(description="The roles held; permissions are the union (R-ROLE-01).")
    def roles(self, info: strawberry.Info) -> list[Role]:
        """The viewer's roles, by name."""
        return sorted(info.context.actor.roles)

    @strawberry.field(description="What the roles permit.")
    def permissions(self, info: strawberry.Info) -> list[Permission]:
        """The viewer's permissions, by name."""
        return sorted(info.context.actor.permissions)
