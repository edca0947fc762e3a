"""The few pages people see when they sign in: HTML that needs no scripts, in two languages."""

from api.oauth.pages import (
    authorize,
    consents,
    device,
    elsewhere,
    graphiql,
    leaving,
    password,
    rendering,
)

ROUTES = [
    *authorize.ROUTES,
    *consents.ROUTES,
    *device.ROUTES,
    *elsewhere.ROUTES,
    *graphiql.ROUTES,
    *leaving.ROUTES,
    *password.ROUTES,
    *rendering.ROUTES,
]

__all__ = ["ROUTES"]
