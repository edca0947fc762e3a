"""Where GraphiQL comes back to after signing in: redeems its code and returns to the editor."""

from __future__ import annotations

import secrets

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.oauth.pages.rendering import page

CLIENT_ID, SIGNED_IN = "itr-graphiql", "/graphql/signed-in"


async def signed_in(_: Request) -> Response:
    """The page that redeems the code in the browser."""
    return page("graphiql_signed_in", nonce=secrets.token_urlsafe(16))


ROUTES = [Route(SIGNED_IN, signed_in)]
