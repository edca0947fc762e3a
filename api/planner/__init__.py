"""Reads, compiled: a selection on stored types becomes one SQL statement that answers JSON.

Declare types with `stored`, `embedded` and the field functions of `declare`; make their pages
with `connection_of`, `filter_for`, `order_for`; read them with the functions of `read`. A type:

    @stored(table="request", key="req", visible=visible_requests, order="-created_at")
    @strawberry.type(description="A request for service.")
    class ServiceRequest(Node):
        number: str = column(filter=True, description="The number people use.")
        created_at: datetime = column("registered_at", order=True, filter=True)
        customer: Organisation | None = one("customer_id", filter=True)
        clocks: list[Clock] = many("request_id", order="thread")

    @filter_for(ServiceRequest)
    class RequestFilter:
        '''Which requests.'''

    @order_for(ServiceRequest)
    class RequestOrder:
        '''In which order.'''

    @connection_of(ServiceRequest)
    class RequestConnection:
        '''A page of requests.'''

and on Query `requests: RequestConnection = page_field(description="…")`.

Null rules: JSON from the database is never checked value by value, so a stored type must not be
able to break a promise of the schema. Lists and pages are never null, relations to one row,
denied fields and absent embedded objects must be declared nullable (checked on import), and a
non-null leaf needs a column that is `not null` (`api.planner.catalogue` for a test) or an SQL
expression that cannot be null. Should the actor lack the permission for a whole type behind a
non-null relation, the null moves up to the nearest nullable field, as GraphQL says.
"""

from api.planner.arguments import SortDirection, filter_for, order_for
from api.planner.catalogue import relied_on
from api.planner.compiled import Compiled
from api.planner.connections import PageInfo, connection_of
from api.planner.context import Pool, ReadContext, Reader
from api.planner.declare import (
    Shared,
    column,
    computed,
    connection,
    many,
    one,
    one_of,
    public_id,
    same_row,
    sql,
)
from api.planner.errors import refusal
from api.planner.fields import page_field, payload_field
from api.planner.pages import DEFAULT_PAGE, LARGEST_PAGE
from api.planner.scalars import SCALARS, Duration, Long
from api.planner.stored import (
    Identity,
    Node,
    StoredType,
    embedded,
    kind_of_row,
    stored,
    stored_type,
)

__all__ = [
    "DEFAULT_PAGE",
    "LARGEST_PAGE",
    "SCALARS",
    "Compiled",
    "Duration",
    "Identity",
    "Long",
    "Node",
    "PageInfo",
    "Pool",
    "ReadContext",
    "Reader",
    "Shared",
    "SortDirection",
    "StoredType",
    "column",
    "computed",
    "connection",
    "connection_of",
    "embedded",
    "filter_for",
    "kind_of_row",
    "many",
    "one",
    "one_of",
    "order_for",
    "page_field",
    "payload_field",
    "public_id",
    "refusal",
    "relied_on",
    "same_row",
    "sql",
    "stored",
    "stored_type",
]
