"""The few pages people see, arriving or signing in: HTML without scripts, in two languages."""

from api.oauth.pages import (
    authorize,
    consents,
    device,
    federated_sign_in,
    graphiql,
    leaving,
    password,
    rendering,
    start,
)

ROUTES = [
    *authorize.ROUTES,
    *consents.ROUTES,
    *device.ROUTES,
    *federated_sign_in.ROUTES,
    *graphiql.ROUTES,
    *leaving.ROUTES,
    *password.ROUTES,
    *rendering.ROUTES,
    *start.ROUTES,
]

__all__ = ["ROUTES"]
