"""How people of the demonstration sign in: one password of this installation, one wallboard."""

from datetime import datetime

from anyio import to_thread

from itr.access.models import OAuthClient
from itr.access.operations.clients import create_client
from itr.access.scopes import BOARD
from itr.access.secrets import hash_password
from itr.access.terms import ClientKind
from itr.database import connected
from itr.demo.data import MACHINES, PEOPLE, demo_id
from itr.demo.seeding import SETUP
from itr.people.models import Person
from itr.settings import Settings

SCREEN = "大屏一号"


async def let_people_in(settings: Settings, password: str, *, now: datetime) -> str:
    """Let everybody without a password sign in with this one; returns the wallboard's client id."""
    async with connected(settings):
        people = [demo_id("person", name) for name, *_ in PEOPLE if name not in MACHINES]
        waiting = Person.filter(id__in=people, password_hash=None)
        if await waiting.exists():
            kept = await to_thread.run_sync(hash_password, password)
            await waiting.update(password_hash=kept)
        return await _wallboard(now)


async def _wallboard(now: datetime) -> str:
    screen = demo_id("person", SCREEN)
    found = await OAuthClient.filter(actor_id=screen, active=True).first()
    if found is None:
        key, _ = await create_client(
            SETUP,
            name=SCREEN,
            kind=ClientKind.WALLBOARD,
            scopes=[BOARD],
            actor_id=screen,
            now=now,
        )
        found = await OAuthClient.get(id=key)
    return str(found.client_id)
