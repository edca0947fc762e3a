"""The few pages people see when they sign in: HTML without scripts, in Chinese and English."""

from api.oauth.pages import authorize, device, elsewhere, graphiql, password, rendering

ROUTES = [
    *authorize.ROUTES,
    *device.ROUTES,
    *elsewhere.ROUTES,
    *graphiql.ROUTES,
    *password.ROUTES,
    *rendering.ROUTES,
]

__all__ = ["ROUTES"]
