"""What clients find out by themselves: RFC 8414, OpenID discovery, RFC 9728."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from authlib.oauth2.rfc8628 import DEVICE_CODE_GRANT_TYPE

from api.oauth.keys import ALGORITHM, RS256
from api.oauth.server.clients import ALL_METHODS, SECRET_METHODS
from api.oauth.server.grants import PROMPTS
from api.oauth.tokens import audience
from itr.access.scopes import PERMITTED, SCOPES
from itr.settings import Settings

TOKEN, REVOKE, INTROSPECT = "/oauth/token", "/oauth/revoke", "/oauth/introspect"
AUTHORIZE, DEVICE = "/oauth/authorize", "/oauth/device_authorization"
JWKS, USER_INFO, SIGN_OUT = "/oauth/jwks.json", "/oauth/userinfo", "/oauth/logout"


def server_metadata(settings: Settings) -> dict[str, Any]:
    """The authorization server's metadata (RFC 8414), which OpenID discovery serves as well."""
    root = settings.issuer.rstrip("/")
    return {
        "issuer": settings.issuer,
        "authorization_endpoint": root + AUTHORIZE,
        "token_endpoint": root + TOKEN,
        "jwks_uri": root + JWKS,
        "revocation_endpoint": root + REVOKE,
        "introspection_endpoint": root + INTROSPECT,
        "device_authorization_endpoint": root + DEVICE,
        "userinfo_endpoint": root + USER_INFO,
        "end_session_endpoint": root + SIGN_OUT,
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            DEVICE_CODE_GRANT_TYPE,
        ],
        "token_endpoint_auth_methods_supported": list(ALL_METHODS),
        "revocation_endpoint_auth_methods_supported": list(ALL_METHODS),
        "introspection_endpoint_auth_methods_supported": list(SECRET_METHODS),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM, RS256],
        "claims_supported": [
            *("sub", "name", "email", "organisation", "roles"),
            *("auth_time", "amr", "acr"),
        ],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "prompt_values_supported": sorted(PROMPTS),
        "ui_locales_supported": ["zh-CN", "en"],
        "service_documentation": f"{root}/schema.graphql",
    }


def resource_metadata(settings: Settings) -> dict[str, Any]:
    """The metadata of `/graphql` as a protected resource (RFC 9728)."""
    return {
        "resource": audience(settings),
        "authorization_servers": [settings.issuer],
        "scopes_supported": list(PERMITTED),
        "bearer_methods_supported": ["header"],
        "resource_name": "ITR Desk",
    }


def resource_metadata_url(settings: Settings) -> str:
    """Where a client that was refused finds out whom to ask."""
    parts = urlsplit(settings.issuer)
    path = parts.path.rstrip("/")
    return f"{parts.scheme}://{parts.netloc}/.well-known/oauth-protected-resource{path}/graphql"
