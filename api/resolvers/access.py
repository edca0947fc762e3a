"""OAuth clients and wallboards: their query and mutations; translate, call, wrap."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import strawberry

from api.planner.fields import page_field
from api.resolvers.performing import answered_once
from api.resolvers.permissions import may
from api.schema.access import types as given
from api.schema.access.types import OAuthClientConnection, OAuthClientPayload
from api.schema.inputs import MutationInput
from itr.access.operations import clients, passwords
from itr.access.rules import CONFIDENTIAL
from itr.actors.roles import Permission

Info = strawberry.Info
P = Permission


def _mutation(name: str, description: str) -> Any:
    permission = [may(P.MANAGE_CLIENTS)]
    return strawberry.mutation(name=name, permission_classes=permission, description=description)


async def _on_client(
    info: Info,
    input: MutationInput,
    act: Callable[[], Awaitable[tuple[UUID, str | None]]],
    *,
    tells: bool = False,
) -> OAuthClientPayload:
    """Do it; a secret goes into the answer and nowhere else."""
    answer, secret = await answered_once(OAuthClientPayload, info, input, act, told_before=tells)
    answer.secret = secret
    return answer


@strawberry.type
class AccessQuery:
    """Reading OAuth clients."""

    oauth_clients: OAuthClientConnection = page_field(
        permission_classes=[may(P.MANAGE_CLIENTS)],
        description="Programs that may ask for tokens, by name.",
    )


@strawberry.type
class AccessMutation:
    """Administering OAuth clients."""

    @_mutation("createOAuthClient", "Add an OAuth client; its secret is told in this answer only.")
    async def create_oauth_client(
        self, info: Info, input: given.CreateOAuthClientInput
    ) -> OAuthClientPayload | None:
        """Add an OAuth client."""

        async def act() -> tuple[UUID, str | None]:
            return await clients.create_client(
                info.context.actor,
                name=input.name,
                kind=input.kind,
                scopes=input.scopes,
                redirect_uris=input.redirect_addresses,
                sign_out_uris=input.sign_out_addresses,
                id_token_algorithm=input.id_token_algorithm,
                first_party=input.first_party,
                actor_id=input.actor_id,
                now=info.context.now,
            )

        return await _on_client(info, input, act, tells=input.kind in CONFIDENTIAL)

    @_mutation("createWallboard", "Add a wallboard of a branch and the client it signs in as.")
    async def create_wallboard(
        self, info: Info, input: given.CreateWallboardInput
    ) -> OAuthClientPayload | None:
        """Add a wallboard."""

        async def act() -> tuple[UUID, str | None]:
            return await clients.create_wallboard(
                info.context.actor,
                name=input.name,
                branch_id=input.branch_id,
                now=info.context.now,
            )

        return await _on_client(info, input, act)

    @_mutation("changeOAuthClient", "Change an OAuth client; its consents end where it changes.")
    async def change_oauth_client(
        self, info: Info, input: given.ChangeOAuthClientInput
    ) -> OAuthClientPayload | None:
        """Change an OAuth client."""

        async def act() -> tuple[UUID, str | None]:
            changed = await clients.change_client(
                info.context.actor,
                input.id,
                name=input.name,
                redirect_uris=input.redirect_addresses,
                sign_out_uris=input.sign_out_addresses,
                id_token_algorithm=input.id_token_algorithm,
                first_party=input.first_party,
                expected_version=input.expected_version,
                now=info.context.now,
            )
            return changed, None

        return await _on_client(info, input, act)

    @_mutation("rotateOAuthClientSecret", "Give a client another secret; the old one ends now.")
    async def rotate_oauth_client_secret(
        self, info: Info, input: given.OAuthClientInput
    ) -> OAuthClientPayload | None:
        """Give a client another secret."""

        async def act() -> tuple[UUID, str | None]:
            return await clients.rotate_client_secret(
                info.context.actor,
                input.id,
                expected_version=input.expected_version,
                now=info.context.now,
            )

        return await _on_client(info, input, act, tells=True)

    @_mutation("deactivateOAuthClient", "End a client for good, and its tokens within 2 seconds.")
    async def deactivate_oauth_client(
        self, info: Info, input: given.OAuthClientInput
    ) -> OAuthClientPayload | None:
        """End a client for good."""

        async def act() -> tuple[UUID, str | None]:
            ended = await clients.deactivate_client(
                info.context.actor,
                input.id,
                expected_version=input.expected_version,
                now=info.context.now,
            )
            return ended, None

        return await _on_client(info, input, act)

    @strawberry.mutation(
        permission_classes=[may(P.MANAGE_PEOPLE)],
        description="Give a person a password made at random, told in this answer only; their"
        " sessions and tokens end.",
    )
    async def reset_password(
        self, info: Info, input: given.ResetPasswordInput
    ) -> given.PasswordPayload | None:
        """Give a person a new password."""

        async def act() -> tuple[UUID, str]:
            person = input.id
            return await passwords.reset_password(info.context.actor, person, now=info.context.now)

        payload = given.PasswordPayload
        answer, password = await answered_once(payload, info, input, act, told_before=True)
        answer.password = password
        return answer
