"""`itr token` and `itr keys`: tokens of the demonstration's people, and the next signing key."""

from datetime import UTC, datetime

import typer

from itr.settings import Settings, WrongSettings


async def print_token(settings: Settings, name: str, organisation: str | None) -> None:
    """Print a token of somebody who has the role, and nothing else; raises WrongSettings."""
    from api.oauth.keys import KeyRing, Keys
    from api.oauth.tokens import issue_token
    from itr.access.operations.signing_keys import generations
    from itr.actors.roles import Role
    from itr.database import connected
    from itr.people.operations import find_actor_for_role

    if name not in Role.__members__:
        known = ", ".join(role.value for role in Role)
        raise WrongSettings(f"没有角色 {name} / {name} is not a role; roles: {known}.")
    async with connected(settings):
        actor = await find_actor_for_role(Role(name), organisation)
        ring = KeyRing(Keys.of(settings), await generations())
    if actor is None:
        raise WrongSettings(f"没有担任 {name} 的人员 / nobody there has the role {name}.")
    typer.echo(issue_token(settings, actor.id, ring=ring))


async def rotate_keys(settings: Settings, *, compromised: bool) -> None:
    """Publish the next signing key and say which generation it is."""
    from itr.access.operations.signing_keys import rotate_signing_key
    from itr.database import connected
    from itr.events.wakeup import publishing

    async with connected(settings), publishing(settings.valkey_url):
        number = await rotate_signing_key(now=datetime.now(UTC), compromised=compromised)
    typer.echo(f"第 {number} 代签名密钥 / signing key, generation {number}.")
