"""Row-level security: what PostgreSQL itself lets customers and partner firms read (Decision 6).

Whoever is of another firm reads as the role `itr_customer` or `itr_partner`, behind row-level
security, for one organisation at a time. What it says here is said a second time, in other words
than the policies of the areas (R-ROLE-03, R-ROLE-06): a mistake there shows nobody another firm's
rows. It is coarser: it may let through what an area withholds, never what is another firm's.

A table that is not named here cannot be read from outside at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

import asyncpg

from itr.actors.roles import OrganisationKind
from itr.settings import WrongSettings

ROLES: Mapping[OrganisationKind, str] = {
    OrganisationKind.CUSTOMER: "itr_customer",
    OrganisationKind.PARTNER: "itr_partner",
}
"""Roles without login; the product's own user takes them on (`set role`)."""
ORGANISATION = "itr.organisation_id"
"""The setting that names the firm; without it there is no row."""

_FIRM = f"(select nullif(current_setting('{ORGANISATION}', true), '')::uuid)"
_HOUSE = "select house.id from organisation house where house.kind = 'BRANCH'"
EVERY_ROW, NO_ROW = "true", "false"


@dataclass(frozen=True)
class Sight:
    """The rows of a table that a firm may read, as SQL over the table's own columns.

    Another table's words stand behind these: rows of that are seen as far as they say.
    """

    customer: str
    partner: str

    def of(self, kind: OrganisationKind) -> str:
        """The words for firms of a kind."""
        return self.partner if kind is OrganisationKind.PARTNER else self.customer


def _both(words: str) -> Sight:
    return Sight(words, words)


def _with(table: str, column: str, other: str) -> str:
    """Rows that hang on a row of another table that may be read."""
    return f"exists (select 1 from {other} it where it.id = {table}.{column})"


def _in_requests(table: str, column: str) -> str:
    """Rows that a request names."""
    return f"exists (select 1 from request asked where asked.{column} = {table}.id)"


def _event(audience: str) -> str:
    """Events on a request's timeline; those for others only for the clocks they tell of."""
    return f"({audience} or payload ? 'clocks') and {_with('event', 'stream', 'request')}"


_UNTIL_RETURNED = (
    "exists (select 1 from hand_over held where held.request_id = event.stream"
    " and (held.returned_at is null or held.follows or"
    " case when event.subject_type = 'request' and held.returned_version is not null"
    " then event.subject_version <= held.returned_version"
    " else event.occurred_at <= held.returned_at end))"
)
"""A firm that gave a request back reads what happened by then; hand-overs are its own alone."""

SEEN: Mapping[str, Sight] = {
    "organisation": Sight(
        customer=f"id = {_FIRM} or kind = 'BRANCH' or {_in_requests('organisation', 'partner_id')}",
        partner=f"id = {_FIRM} or kind = 'BRANCH' or {_in_requests('organisation', 'customer_id')}"
        f" or {_in_requests('organisation', 'partner_id')}",
    ),
    "person": Sight(
        customer=f"organisation_id = {_FIRM} or organisation_id in ({_HOUSE})",
        partner=f"organisation_id = {_FIRM} or organisation_id in ({_HOUSE})"
        f" or {_in_requests('person', 'contact_id')}",
    ),
    "queue": Sight(customer=NO_ROW, partner=f"partner_id = {_FIRM}"),
    "queue_member": Sight(customer=NO_ROW, partner=_with("queue_member", "queue_id", "queue")),
    "project": Sight(customer=f"customer_id = {_FIRM}", partner=NO_ROW),
    "project_member": Sight(
        customer=_with("project_member", "project_id", "project"), partner=NO_ROW
    ),
    "product": _both(EVERY_ROW),
    "calendar_version": _both(EVERY_ROW),
    "calendar_span": _both(EVERY_ROW),
    "contract": Sight(customer=f"customer_id = {_FIRM}", partner=NO_ROW),
    "contract_line": Sight(
        customer=_with("contract_line", "contract_id", "contract"), partner=NO_ROW
    ),
    "quota_taking": Sight(
        customer=_with("quota_taking", "contract_line_id", "contract_line"), partner=NO_ROW
    ),
    "package": Sight(
        customer="exists (select 1 from contract_line sold where sold.package_id = package.id)",
        partner=NO_ROW,
    ),
    "service_level": Sight(
        customer="exists (select 1 from contract_line named"
        " where named.service_level_id = service_level.id)",
        partner=NO_ROW,
    ),
    "service_level_version": Sight(
        customer=_with("service_level_version", "service_level_id", "service_level"),
        partner=NO_ROW,
    ),
    "service_target": Sight(
        customer=_with("service_target", "version_id", "service_level_version"), partner=NO_ROW
    ),
    "service_pause": Sight(
        customer=_with("service_pause", "version_id", "service_level_version"), partner=NO_ROW
    ),
    "request": Sight(
        customer=f"customer_id = {_FIRM}",
        partner="exists (select 1 from hand_over handed where handed.request_id = request.id)",
    ),
    "hand_over": Sight(customer=NO_ROW, partner=f"partner_id = {_FIRM}"),
    "clock": _both(_with("clock", "request_id", "request")),
    "bulletin": _both(_with("bulletin", "request_id", "request")),
    "event": Sight(
        customer=_event("audience = 'PUBLIC'"),
        partner=_event(
            "(audience = 'PUBLIC'"
            f" or (audience = 'PARTNER' and payload->'partners' @> to_jsonb({_FIRM})))"
            f" and type not like 'Charge%' and {_UNTIL_RETURNED}"
        ),
    ),
    "notification": _both(
        "exists (select 1 from person colleague where colleague.id = notification.person_id"
        f" and colleague.organisation_id = {_FIRM})"
    ),
    "role_assignment": _both(
        "exists (select 1 from person colleague where colleague.id = role_assignment.person_id"
        f" and colleague.organisation_id = {_FIRM})"
    ),
    "calendar": _both(NO_ROW),
    "catalogue_item": Sight(
        customer=_in_requests("catalogue_item", "charge_item_id"), partner=NO_ROW
    ),
    "control_point": _both(NO_ROW),
    "oauth_client": _both(NO_ROW),
    "escalation": _both(NO_ROW),
    "problem": _both(NO_ROW),
    "service_product": _both(NO_ROW),
    "stint": _both(NO_ROW),
    "underpinning_contract": _both(NO_ROW),
}
"""What may be read of each table; one without any row may be named in a statement."""

WITHHELD: Mapping[str, frozenset[str]] = {
    "event": frozenset({"origin"}),
    "oauth_client": frozenset({"secret_hash"}),
    "person": frozenset({"password_hash"}),
}
"""Columns that cannot be read from outside, whoever's row it is (S15)."""

WITHHELD_FROM: Mapping[OrganisationKind, Mapping[str, frozenset[str]]] = {
    OrganisationKind.PARTNER: {
        "request": frozenset({"charge_price", "charge_currency", "charge_tax_percent"})
    }
}
"""Columns that firms of a kind cannot read: what a customer pays is no partner's (R-ROLE-06)."""

_ACCESS = "how people get in (S15)"
UNREADABLE: Mapping[str, str] = {
    "access_approval": _ACCESS,
    "authorization_code": _ACCESS,
    "browser_session": _ACCESS,
    "consent": _ACCESS,
    "device_code": _ACCESS,
    "erasure": "for the record alone (R-ROLE-09)",
    "external_identity": _ACCESS,
    "former_detail": "for the record alone (R-ROLE-09)",
    "oauth_grant": _ACCESS,
    "refresh_token": _ACCESS,
    "revoked_token": _ACCESS,
    "sign_in_attempts": _ACCESS,
    "sign_in_elsewhere": _ACCESS,
    "signing_key": _ACCESS,
    "document_use": "for planners inside",
    "epoch": "the server's own",
    "field_use": "for planners inside",
    "mutation_key": "the server's own",
    "trusted_document": "the server looks documents up itself",
    "outbox": "the server's own",
    "package_service_product": "the catalogue is read inside (R-ROLE-06)",
    "recalculation": "the server's own",
    "recalculation_line": "the server's own",
    "reference_change": "the server's own",
    "service_product_item": "the catalogue is read inside (R-ROLE-06)",
    "timer": "the server's own",
}
"""Tables nobody outside reads, and why."""


@dataclass(frozen=True)
class _Table:
    """A table with row-level security, and what of it may be read."""

    name: str
    columns: tuple[str, ...]

    @property
    def mark(self) -> str:
        """What tells these policies from earlier ones."""
        words = "\n".join(
            text for kind in ROLES for text in (SEEN[self.name].of(kind), *self.columns_for(kind))
        )
        return sha256(words.encode()).hexdigest()[:16]

    def columns_for(self, kind: OrganisationKind) -> list[str]:
        """What of it firms of a kind may read."""
        withheld = WITHHELD_FROM.get(kind, {}).get(self.name, frozenset())
        return [column for column in self.columns if column not in withheld]

    def raising(self) -> str:
        """The statements that make this table's policy, whatever stood there."""
        parts = [f'alter table "{self.name}" enable row level security;']
        for kind, role in ROLES.items():
            columns = ", ".join(f'"{column}"' for column in self.columns_for(kind))
            parts.append(f"""
                revoke all on "{self.name}" from {role};
                grant select ({columns}) on "{self.name}" to {role};
                drop policy if exists {role} on "{self.name}";
                create policy {role} on "{self.name}" for select to {role}
                    using ({SEEN[self.name].of(kind)});
                comment on policy {role} on "{self.name}" is '{self.mark}';
            """)
        return "".join(parts)


async def apply_row_level_security(connection: asyncpg.Connection, login: str) -> None:
    """Bring roles, grants and policies to what is said here; what stands already is left alone.

    The connection is the tables' owner's, the login the product's own, which takes the roles on.
    Raises WrongSettings, in one sentence, when the owner may neither make the roles nor give them.
    """
    await _ensure_roles(connection, login)
    for role, table in await connection.fetch(_STRAY, _NAMES, list(SEEN)):
        await connection.execute(f'revoke all on "{table}" from {role}')
    for part in await _missing(connection):
        async with connection.transaction():
            await connection.execute(part.raising())


async def ensure_row_level_security(connection: asyncpg.Connection) -> None:
    """Raise WrongSettings unless the policies are as said here (`itr migrate` makes them)."""
    user = await connection.fetchval("select current_user")
    if await _unusable(connection, user) or await _missing(connection):
        raise WrongSettings(
            "行级安全未建立，请运行 itr migrate"
            " / row-level security is not in place, run itr migrate."
        )


_NAMES = list(ROLES.values())
_USABLE = """
select r.rolname::text, pg_has_role($2, r.oid, 'SET') from pg_roles r
where r.rolname = any($1::text[])
"""
_STRAY = """
select distinct grantee::text, table_name::text from information_schema.column_privileges
where grantee = any($1::text[]) and table_schema = current_schema()
    and not table_name = any($2::text[])
"""
_STANDING = """
select c.relname::text, min(obj_description(p.oid, 'pg_policy')) from pg_policy p
join pg_class c on c.oid = p.polrelid
where p.polname = any($1::text[]) and c.relrowsecurity
    and c.relnamespace = current_schema()::regnamespace
group by c.relname having count(*) = cardinality($1::text[])
"""
_COLUMNS = """
select c.relname::text, array_agg(a.attname::text order by a.attnum)
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = current_schema()::regnamespace and c.relname = any($1::text[])
group by c.relname
"""


async def _ensure_roles(connection: asyncpg.Connection, login: str) -> None:
    try:
        for role, is_there in await _unusable(connection, login):
            if not is_there:
                await connection.execute(f"create role {role} nologin")
            if (role, True) in await _unusable(connection, login):
                await connection.execute(f"grant {role} to {quoted(login)} {_TAKEN_ON}")
    except asyncpg.InsufficientPrivilegeError as error:
        user = await connection.fetchval("select current_user")
        raise WrongSettings(
            f"数据库用户 {user} 不能建立或授予行级安全的角色，请由管理员执行 / the database user"
            f" {user} may not make or give the roles of row-level security, have an administrator"
            f" run: {' '.join(await _remedies(connection, login))}"
        ) from error


_TAKEN_ON = "with inherit false, set true"


def quoted(name: str) -> str:
    """A name as PostgreSQL reads it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


async def _unusable(connection: asyncpg.Connection, login: str) -> list[tuple[str, bool]]:
    """The roles the login cannot take on, and whether there is such a role."""
    usable = dict(await connection.fetch(_USABLE, _NAMES, login))
    return [(role, role in usable) for role in _NAMES if not usable.get(role)]


async def _remedies(connection: asyncpg.Connection, login: str) -> list[str]:
    remedies = []
    for role, is_there in await _unusable(connection, login):
        remedies += [] if is_there else [f"create role {role} nologin;"]
        remedies.append(f"grant {role} to {quoted(login)} {_TAKEN_ON};")
    return remedies


async def _missing(connection: asyncpg.Connection) -> list[_Table]:
    """The tables whose policy is missing or an earlier one."""
    standing = dict(await connection.fetch(_STANDING, _NAMES))
    found = dict(await connection.fetch(_COLUMNS, list(SEEN)))
    tables = [
        _Table(name, tuple(each for each in found[name] if each not in WITHHELD.get(name, ())))
        for name in SEEN
        if name in found
    ]
    return [table for table in tables if standing.get(table.name) != table.mark]
