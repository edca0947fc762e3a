"""The application: its routes and its lifespan, nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route, WebSocketRoute

from api.oauth import endpoints, pages
from api.oauth.identities import LoadActor
from api.resolvers.root import product_schema
from api.serving.proxies import ForwardedAddresses, TrustedProxies
from api.transport.health import healthz, readyz, schema_file
from api.transport.metrics import metrics
from api.transport.schema import GuardedSchema
from api.transport.services import open_services
from api.transport.view import GraphQLEndpoint, GraphQLFirst, GraphQLView, origins_allowed
from itr.people.operations import load_actor as load_by_id
from itr.settings import Settings


def create_app(
    settings: Settings,
    *,
    clock: Callable[[], datetime] | None = None,
    schema: GuardedSchema | None = None,
    load_actor: LoadActor | None = None,
) -> Starlette:
    """Make the ASGI application; what is left out is the product's own."""
    served = schema or product_schema()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        services = open_services(
            settings,
            schema=served,
            load_actor=load_actor or load_by_id,
            clock=clock or _utc_now,
        )
        async with services as opened:
            app.state.services = opened
            app.state.view = GraphQLView(opened)
            yield

    app = Starlette(
        routes=[
            Route("/graphql", GraphQLEndpoint()),
            WebSocketRoute("/graphql", GraphQLEndpoint()),
            *endpoints.ROUTES,
            *pages.ROUTES,
            Route("/schema.graphql", schema_file),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
        ],
        middleware=[
            Middleware(ForwardedAddresses, proxies=TrustedProxies.of(settings)),
            *origins_allowed(settings),
            Middleware(GraphQLFirst),
        ],
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # to wherever the Host header says
    app.state.schema = served
    return app


def _utc_now() -> datetime:
    return datetime.now(UTC)
