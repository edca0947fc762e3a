"""Queries, mutations, subscriptions: translate, call, wrap."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.transport.schema import GuardedSchema


@cache
def product_schema() -> "GuardedSchema":
    """The schema every transport serves, built when first asked for."""
    from api.resolvers.root import build_schema

    return build_schema()
