"""The whole schema, joined from its areas."""

from functools import cache

from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from api.planner.scalars import SCALARS
from api.resolvers.access import AccessMutation, AccessQuery
from api.resolvers.administration import AdministrationMutation
from api.resolvers.approvals import ApprovalMutation, ApprovalQuery
from api.resolvers.arguments import describe
from api.resolvers.boards import BoardSubscription
from api.resolvers.breaches import BreachMutation
from api.resolvers.calendars import CalendarMutation, CalendarQuery
from api.resolvers.catalogue import CatalogueMutation, CatalogueQuery
from api.resolvers.child_requests import ChildRequestMutation
from api.resolvers.control_points import ControlPointMutation, ControlPointQuery
from api.resolvers.countdown import CountdownSubscription
from api.resolvers.emergencies import EmergencyMutation
from api.resolvers.escalations import EscalationMutation
from api.resolvers.figures import FigureQuery
from api.resolvers.labels import LabelQuery
from api.resolvers.live_figures import LiveFiguresQuery, LiveFiguresSubscription
from api.resolvers.nodes import NodeQuery
from api.resolvers.notifications import (
    NotificationMutation,
    NotificationQuery,
    NotificationSubscription,
)
from api.resolvers.people import PeopleQuery
from api.resolvers.problems import ProblemMutation, ProblemQuery
from api.resolvers.query_cost import CostQuery
from api.resolvers.recalculations import (
    RecalculationMutation,
    RecalculationQuery,
    RecalculationSubscription,
)
from api.resolvers.request_events import RequestEventSubscription
from api.resolvers.requests import RequestMutation, RequestQuery
from api.resolvers.service_levels import ServiceLevelMutation, ServiceLevelQuery
from api.resolvers.simulation import SimulationQuery
from api.resolvers.third_parties import ThirdPartyMutation
from api.resolvers.usage import UsageQuery
from api.schema.access import approvals
from api.schema.access import types as access
from api.schema.catalogue import service_levels, underpinning
from api.schema.catalogue import types as catalogue
from api.schema.notifications import types as notifications
from api.schema.people import types as people
from api.schema.problems import types as problems
from api.schema.recalculations import types as recalculations
from api.schema.requests import boards, emergencies, third_parties, timeline_facts
from api.schema.requests import types as requests
from api.schema.sla import calendars, control_points
from api.schema.sla import types as sla
from api.schema.tickets import escalations
from api.transport.schema import GuardedSchema

STORED = (
    people.Organisation,
    people.Person,
    people.Queue,
    people.Project,
    catalogue.Product,
    catalogue.CatalogueItem,
    catalogue.ServiceProduct,
    catalogue.Package,
    calendars.Calendar,
    calendars.CalendarVersion,
    service_levels.ServiceLevel,
    service_levels.ServiceLevelVersion,
    service_levels.ServiceTarget,
    service_levels.ServicePause,
    catalogue.Contract,
    catalogue.ContractLine,
    sla.Clock,
    boards.SlaBoardEntry,
    boards.SlaBoardClock,
    control_points.ControlPoint,
    underpinning.UnderpinningContract,
    requests.ServiceRequest,
    *timeline_facts.TYPES,
    requests.Stint,
    emergencies.Bulletin,
    third_parties.HandOver,
    problems.Problem,
    access.OAuthClient,
    approvals.AccessApproval,
    notifications.Notification,
    recalculations.Recalculation,
    recalculations.RecalculationLine,
    escalations.Escalation,
)
"""Everything `node(id)` finds, also what no field answers yet."""


Query = merge_types(
    "Query",
    (
        NodeQuery,
        PeopleQuery,
        CatalogueQuery,
        CalendarQuery,
        ServiceLevelQuery,
        RecalculationQuery,
        RequestQuery,
        SimulationQuery,
        FigureQuery,
        ControlPointQuery,
        ProblemQuery,
        AccessQuery,
        ApprovalQuery,
        NotificationQuery,
        LiveFiguresQuery,
        CostQuery,
        LabelQuery,
        UsageQuery,
    ),
)
Mutation = merge_types(
    "Mutation",
    (
        RequestMutation,
        AdministrationMutation,
        BreachMutation,
        EmergencyMutation,
        ChildRequestMutation,
        ThirdPartyMutation,
        ProblemMutation,
        AccessMutation,
        ApprovalMutation,
        ControlPointMutation,
        NotificationMutation,
        CatalogueMutation,
        CalendarMutation,
        ServiceLevelMutation,
        RecalculationMutation,
        EscalationMutation,
    ),
)
Subscription = merge_types(
    "Subscription",
    (
        RequestEventSubscription,
        CountdownSubscription,
        NotificationSubscription,
        BoardSubscription,
        LiveFiguresSubscription,
        RecalculationSubscription,
    ),
)


def build_schema() -> GuardedSchema:
    """The schema every transport serves."""
    return GuardedSchema(
        describe(Query, "Everything that can be asked."),
        describe(Mutation, "Everything that can be done; a verb per business action."),
        describe(Subscription, "Everything that can be followed live."),
        types=STORED,
        config=StrawberryConfig(scalar_map=SCALARS),
    )


@cache
def product_schema() -> GuardedSchema:
    """The schema every transport serves, built when first asked for."""
    return build_schema()
