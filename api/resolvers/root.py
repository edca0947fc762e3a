"""The whole schema, joined from its areas."""

from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from api.planner.scalars import SCALARS
from api.resolvers.catalogue import CatalogueQuery
from api.resolvers.emergencies import EmergencyMutation
from api.resolvers.nodes import NodeQuery
from api.resolvers.people import PeopleQuery
from api.resolvers.problems import ProblemMutation, ProblemQuery
from api.resolvers.request_events import RequestEventSubscription
from api.resolvers.requests import RequestMutation, RequestQuery
from api.resolvers.simulation import SimulationQuery
from api.resolvers.sla import SlaSubscription
from api.schema import (
    catalogue,
    emergencies,
    people,
    problems,
    requests,
    sla,
    third_parties,
)
from api.transport.schema import GuardedSchema

STORED = (
    people.Organisation,
    people.Person,
    people.Queue,
    people.Project,
    catalogue.Product,
    catalogue.CatalogueItem,
    catalogue.Calendar,
    catalogue.ServiceLevel,
    catalogue.ServiceLevelVersion,
    catalogue.ServiceTarget,
    catalogue.Contract,
    catalogue.ContractLine,
    sla.Clock,
    requests.ServiceRequest,
    requests.TimelineEvent,
    requests.Stint,
    emergencies.Bulletin,
    third_parties.HandOver,
    problems.Problem,
)
"""Everything `node(id)` finds, also what no field answers yet."""


Query = merge_types(
    "Query",
    (
        NodeQuery,
        PeopleQuery,
        CatalogueQuery,
        RequestQuery,
        SimulationQuery,
        ProblemQuery,
    ),
)
Mutation = merge_types("Mutation", (RequestMutation, EmergencyMutation, ProblemMutation))
Subscription = merge_types("Subscription", (RequestEventSubscription, SlaSubscription))


def build_schema() -> GuardedSchema:
    """The schema every transport serves."""
    return GuardedSchema(
        Query,
        Mutation,
        Subscription,
        types=STORED,
        config=StrawberryConfig(scalar_map=SCALARS),
    )
