"""An OpenID provider that answers whatever a test has it answer, over a real socket."""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import uvicorn
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.support.ports import free_port

CLIENT_ID, SECRET = "itr-desk", "the secret between them: 0123456789"
KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "one"})
ANOTHER = OKPKey.generate_key("Ed25519", parameters={"kid": "one"})


@dataclass
class Dishonest:
    """Honest, until a test changes what it says."""

    url: str
    metadata: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    key: OKPKey | OctKey = field(default_factory=lambda: KEY)
    answer: Response | None = None
    wait: float = 0.0
    asked: list[dict[str, str]] = field(default_factory=list)
    visited: list[str] = field(default_factory=list)
    nonce: str = ""

    def be_honest(self) -> None:
        """Forget what a test had it say."""
        self.metadata, self.claims, self.header = {}, {}, {}
        self.key, self.answer, self.wait, self.asked, self.visited = KEY, None, 0.0, [], []

    def back(self, address: str, **changed: str) -> str:
        """Where it sends a browser that was sent to this address."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.nonce = asked["nonce"]
        query = {"code": "a-code", "state": asked["state"]} | changed
        return (
            str(RedirectResponse(asked["redirect_uri"]).headers["location"])
            + "?"
            + "&".join(f"{name}={value}" for name, value in query.items())
        )

    def id_token(self) -> str:
        """Somebody of role agent, unless changed."""
        now = int(datetime.now(UTC).timestamp())
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "sub": "somebody",
            "name": "Somebody",
            "roles": ["agent"],
            "iat": now,
            "exp": now + 60,
            "nonce": self.nonce,
        } | self.claims
        said = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "Ed25519", "kid": "one"} | self.header
        return jwt.encode(header, said, self.key, algorithms=["Ed25519", "HS256"])

    async def discovery(self, _: Request) -> Response:
        """Its metadata."""
        said = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }
        return JSONResponse(said | self.metadata)

    async def keys(self, _: Request) -> Response:
        """The one key it signs with when it is honest."""
        return JSONResponse({"keys": [{**KEY.as_dict(private=False), "use": "sig"}]})

    async def authorize(self, request: Request) -> Response:
        """A page of its own, from which somebody goes back."""
        return HTMLResponse(f'<a href="{html.escape(self.back(str(request.url)))}">back</a>')

    async def token(self, request: Request) -> Response:
        """Tokens for whatever code."""
        form = await request.body()
        self.asked.append({name: values[0] for name, values in parse_qs(form.decode()).items()})
        await asyncio.sleep(self.wait)
        said = {"access_token": "x", "token_type": "Bearer", "id_token": self.id_token()}
        return self.answer or JSONResponse(said)

    async def anything(self, request: Request) -> Response:
        """A place nobody has a reason to ask at."""
        self.visited.append(request.url.path)
        return JSONResponse({"keys": []})


@asynccontextmanager
async def open_dishonest(name: str = "127.0.0.1") -> AsyncIterator[Dishonest]:
    """Have it listen on a port of this machine, by one of its names."""
    port = free_port()
    issuer = Dishonest(f"http://{name}:{port}")
    app = Starlette(
        routes=[
            Route("/.well-known/openid-configuration", issuer.discovery),
            Route("/keys", issuer.keys),
            Route("/authorize", issuer.authorize),
            Route("/token", issuer.token, methods=["POST"]),
            Route("/{path:path}", issuer.anything, methods=["GET", "POST"]),
        ]
    )
    config = uvicorn.Config(app, port=port, log_config=None, ws="none", lifespan="off")
    server = uvicorn.Server(config)
    server.capture_signals = nullcontext  # type: ignore[method-assign]
    serving = asyncio.create_task(server.serve())
    while not server.started:
        if serving.done():
            await serving
            raise RuntimeError("the issuer did not start")
        await asyncio.sleep(0.01)
    try:
        yield issuer
    finally:
        server.should_exit = True
        await serving
