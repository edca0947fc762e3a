"""`itr admin`: the first who can appoint others; approving while there is nobody second."""

import getpass
import secrets
import socket
from datetime import UTC, datetime
from uuid import UUID

import typer

from itr.access.models import AccessApproval
from itr.access.operations.approvals import approve_here, waiting_approvals
from itr.access.secrets import hash_password
from itr.actors.actor import SYSTEM
from itr.database import connected
from itr.errors import DomainError, NotFound
from itr.events.work import Call, called_by
from itr.people.operations import appoint_admin
from itr.people.rules import AdminExists
from itr.settings import Settings, WrongSettings


async def run_create(
    settings: Settings, name: str, *, email: str, organisation: str | None, another: bool
) -> None:
    """Appoint an administrator and print what to do next; raises WrongSettings in one sentence."""
    now, password = datetime.now(UTC), secrets.token_urlsafe(15)
    async with connected(settings):
        try:
            with called_by(_from_here("itr admin create")):
                person = await appoint_admin(
                    name,
                    email=email,
                    organisation=organisation,
                    another=another,
                    password_hash=hash_password(password),
                    now=now,
                )
        except AdminExists as error:
            hint = "再加一位请用 --another / add --another to appoint one more."
            raise WrongSettings(f"{_told(error)} {hint}") from error
        except DomainError as error:
            raise WrongSettings(_told(error)) from error
    typer.echo(f"管理员已建立 / the administrator is there: {name} <{email}> per_{person.hex}")
    typer.echo(f"初始密码，只显示这一次 / the first password, shown this once: {password}")
    typer.echo(
        f"下一步：在 {settings.issuer} 登录，用 createOrganisation、createPerson、createQueue"
        " 建立组织、人员与队列。"
    )
    typer.echo(
        f"Next: sign in at {settings.issuer} and add organisations, people and queues with"
        " createOrganisation, createPerson, createQueue."
    )


async def run_approve(settings: Settings, approval: str | None) -> None:
    """List what waits for a second person, or approve it while there is none (S18)."""
    now = datetime.now(UTC)
    async with connected(settings):
        if approval is None:
            for row in await waiting_approvals(now):
                typer.echo(_listed(row))
            return
        try:
            with called_by(_from_here("itr admin approve")):
                await approve_here(_key_in(approval), now=now)
        except DomainError as error:
            raise WrongSettings(_told(error)) from error
    typer.echo(f"已批准，现已生效 / approved, in effect now: {approval}")


def _listed(row: AccessApproval) -> str:
    what = f"{row.kind.value} {row.role.value}" if row.role else row.kind.value
    until = f"{row.expires_at:%Y-%m-%d %H:%M} UTC"
    return f"apr_{row.id.hex}  {what}  {row.person.name}  ← {row.asked_by.name}  ({until})"


def _key_in(approval: str) -> UUID:
    try:
        return UUID(approval.removeprefix("apr_"))
    except ValueError:
        raise NotFound() from None


def _from_here(command: str) -> Call:
    """Where the change comes from, for the log (S16): this command, run by whom, on which host."""
    who = f"{getpass.getuser()}@{socket.gethostname()}"
    return Call(actor_id=SYSTEM.id, client_id=command, address=who)


def _told(error: DomainError) -> str:
    return f"{error.message('zh')} / {error.message('en')}"
