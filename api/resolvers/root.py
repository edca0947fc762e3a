"""The whole schema, joined from its areas."""

from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from api.execution import CompiledExecution
from api.planner.scalars import SCALARS
from api.planner.stored import all_stored
from api.resolvers.catalogue import CatalogueQuery
from api.resolvers.nodes import NodeQuery
from api.resolvers.people import PeopleQuery
from api.resolvers.request_events import RequestEventSubscription
from api.resolvers.requests import RequestMutation, RequestQuery
from api.resolvers.sla import SlaSubscription
from api.transport.executor import TransportExecutor
from api.transport.schema import GuardedSchema


class Executor(CompiledExecution, TransportExecutor):
    """Lets compiled reads through, and runs subscription events with a fresh context."""


Query = merge_types("Query", (NodeQuery, PeopleQuery, CatalogueQuery, RequestQuery))
Mutation = merge_types("Mutation", (RequestMutation,))
Subscription = merge_types("Subscription", (RequestEventSubscription, SlaSubscription))


def build_schema() -> GuardedSchema:
    """The schema every transport serves."""
    return GuardedSchema(
        Query,
        Mutation,
        Subscription,
        types=[each.origin for each in all_stored()],
        executor=Executor,
        config=StrawberryConfig(scalar_map=SCALARS),
    )


schema = build_schema()
