"""OAuth clients as administrators see them: programs, their addresses, whom they act as."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from api.planner.arguments import filter_for, order_for
from api.planner.connections import connection_of
from api.planner.declare import column, computed, one, public_id
from api.planner.fields import payload_field
from api.planner.stored import Node, stored
from api.schema.inputs import MutationInput, id_of
from api.schema.payloads import PENDING, Payload, waits_for_approval
from api.schema.people.types import Organisation, Person
from api.schema.vocabulary import described
from itr.access.terms import ClientKind, IdTokenAlgorithm
from itr.actors.roles import Permission
from itr.sight.access import visible_clients

described(
    ClientKind,
    "What sort of program an OAuth client is. 客户端类别",
    {
        ClientKind.DASHBOARD: "Runs in a browser: code with PKCE, no secret. 浏览器面板",
        ClientKind.WEB: "Runs on a server: code with PKCE and a secret. 服务器端应用",
        ClientKind.MACHINE: "A firm's machine: client credentials. 合作方机器",
        ClientKind.WALLBOARD: "A screen without a keyboard: device code. 大屏",
    },
)


described(
    IdTokenAlgorithm,
    "What a client's ID tokens are signed by. ID 令牌的签名算法",
    {
        IdTokenAlgorithm.ED25519: "Ed25519, unless the client knows no other than RS256. 默认",
        IdTokenAlgorithm.RS256: "RSA with SHA-256, for clients that know no other. 供较旧的客户端",
    },
)


def _addresses(values: Mapping[str, Any], context: Any) -> list[str]:
    del context
    listed: list[str] = values["redirect_uris"]
    return listed


def _sign_out_addresses(values: Mapping[str, Any], context: Any) -> list[str]:
    del context
    return values["sign_out_uris"] or []


def _algorithm(values: Mapping[str, Any], context: Any) -> IdTokenAlgorithm:
    del context
    return IdTokenAlgorithm(values["id_token_algorithm"] or IdTokenAlgorithm.ED25519)


def _scopes(values: Mapping[str, Any], context: Any) -> list[str]:
    del context
    words: list[str] = values["scope"].split()
    return words


@stored(
    table="oauth_client",
    key="cli",
    visible=visible_clients,
    permission=Permission.MANAGE_CLIENTS,
    order="name",
)
@strawberry.type(description="A program that may ask for tokens. 客户端")
class OAuthClient(Node):
    """A program that may ask for tokens; its secret is told once and never again."""

    id: strawberry.ID = public_id()
    client_id: str = column(filter=True, description="The `client_id` it signs in with.")
    name: str = column(filter=True, order=True, description="What people know it as.")
    kind: ClientKind = column(filter=True, description="What sort of program it is.")
    first_party: bool = column(description="Whether people are not asked for their consent.")
    redirect_addresses: list[str] = computed(
        ["redirect_uris"],
        _addresses,
        description="Where browsers may be sent back to, letter by letter (at 127.0.0.1 and [::1]"
        " at any port); one that begins with a slash is on this server.",
    )
    sign_out_addresses: list[str] = computed(
        ["sign_out_uris"],
        _sign_out_addresses,
        description="Where browsers may be sent on to after signing out, beside the redirect"
        " addresses.",
    )
    id_token_algorithm: IdTokenAlgorithm = computed(
        ["id_token_algorithm"], _algorithm, description="What its ID tokens are signed by."
    )
    scopes: list[str] = computed(["scope"], _scopes, description="What its tokens may be good for.")
    actor: Person | None = one(
        "actor_id", description="Whom it acts as; null where people sign in with it."
    )
    active: bool = column(filter=True, description="False once it was deactivated, for good.")
    waiting: bool = column(
        description="Whether it gets no tokens until a second person approves it (S18)."
    )
    version: int = column(description="Rises with every change; give it as `expectedVersion`.")
    created_at: datetime = column(order=True, description="When it was added.")


@filter_for(OAuthClient)
class OAuthClientFilter:
    """Only clients for which all of this holds."""


@order_for(OAuthClient)
class OAuthClientOrder:
    """What to sort clients by, and which way."""


@connection_of(OAuthClient)
class OAuthClientConnection:
    """A page of OAuth clients."""


@strawberry.input(description="Add an OAuth client.")
class CreateOAuthClientInput(MutationInput):
    """Add an OAuth client."""

    name: str = strawberry.field(description="What people know it as.")
    kind: ClientKind = strawberry.field(description="What sort of program it is.")
    scopes: list[str] = strawberry.field(
        default_factory=lambda: ["itr"],
        description="What its tokens may be good for: itr, itr:read, itr:board, and for people's"
        " sign-ins openid, profile, email.",
    )
    redirect_addresses: list[str] = strawberry.field(
        default_factory=list,
        description="Where browsers may be sent back to, letter by letter; for DASHBOARD and WEB.",
    )
    sign_out_addresses: list[str] = strawberry.field(
        default_factory=list,
        description="Where browsers may be sent on to after signing out; the redirect addresses"
        " are allowed anyway.",
    )
    id_token_algorithm: IdTokenAlgorithm = strawberry.field(
        default=IdTokenAlgorithm.ED25519, description="What its ID tokens are signed by."
    )
    first_party: bool = strawberry.field(
        default=False,
        description="Whether people are not asked for their consent: a program of the house.",
    )
    actor_id: UUID | None = id_of(
        Person, default=None, description="The machine that a MACHINE or WALLBOARD acts as."
    )


@strawberry.input(description="A mutation on one OAuth client.")
class OAuthClientInput(MutationInput):
    """A mutation on one OAuth client."""

    id: UUID = id_of(OAuthClient, description="Id of the client.")
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse with STALE if the client has changed since this version."
    )


@strawberry.input(description="Change an OAuth client.")
class ChangeOAuthClientInput(OAuthClientInput):
    """Change an OAuth client; what is left out stays."""

    name: str | None = strawberry.field(default=None, description="Its new name.")
    redirect_addresses: list[str] | None = strawberry.field(
        default=None, description="All its redirect addresses from now on."
    )
    sign_out_addresses: list[str] | None = strawberry.field(
        default=None, description="All its addresses after signing out from now on."
    )
    id_token_algorithm: IdTokenAlgorithm | None = strawberry.field(
        default=None, description="What its ID tokens are signed by from now on."
    )
    first_party: bool | None = strawberry.field(
        default=None, description="Whether people are not asked for their consent from now on."
    )


@strawberry.input(description="Give a person a new password. 重置密码")
class ResetPasswordInput(MutationInput):
    """Give a person a new password."""

    id: UUID = id_of(Person, description="Id of the person.")


@strawberry.type(description="What resetting a password answers.")
class PasswordPayload(Payload):
    """What resetting a password answers: the password, this one time, or why there is none."""

    password: str | None = strawberry.field(
        default=None,
        description="The new password, told this one time; null where nothing was done, and when"
        " a `clientMutationId` is repeated, which answers SECRET_TOLD.",
    )

    person: Person | None = payload_field("key", description="The person; null when refused.")

    @strawberry.field(description=PENDING)
    async def pending(self, info: strawberry.Info) -> bool:
        """Whether a second person has yet to approve it."""
        return await waits_for_approval(self, info)


@strawberry.input(description="Add a wallboard. 添加大屏")
class CreateWallboardInput(MutationInput):
    """Add a wallboard: a machine that may read the board, and the client it is."""

    name: str = strawberry.field(description="What people know it as, e.g. where it hangs.")
    branch_id: UUID = id_of(Organisation, description="The branch it belongs to.")


@strawberry.type(description="What a mutation on a client answers.")
class OAuthClientPayload(Payload):
    """What a mutation on a client answers: the client read anew, or why nothing happened."""

    secret: str | None = strawberry.field(
        default=None,
        description="The new secret, told this one time; null where none was made, and when a"
        " `clientMutationId` is repeated, which answers SECRET_TOLD.",
    )

    client: OAuthClient | None = payload_field(
        "key", description="The client as it stands now; null when nothing was done."
    )

    @strawberry.field(description=PENDING)
    async def pending(self, info: strawberry.Info) -> bool:
        """Whether a second person has yet to approve it."""
        return await waits_for_approval(self, info)
