"""`itr documents`: registering what clients may run."""

import json
from datetime import UTC, datetime
from pathlib import Path

import typer
from graphql import GraphQLError

from api.transport.schema import GuardedSchema
from itr.settings import Settings, WrongSettings
from itr.trusted_documents.operations import Named, add_documents
from itr.trusted_documents.rules import BadManifest, Listed, listed


async def register(settings: Settings, manifest: Path, client: str) -> None:
    """Check every document against the schema, then register all; raises WrongSettings."""
    from api.resolvers.root import product_schema
    from itr.database import connected

    if not 0 < len(client) <= 100:
        raise WrongSettings("客户端名称应为 1–100 个字符 / a client id has 1 to 100 characters.")
    schema = product_schema()
    named = [_checked(schema, each) for each in _read(manifest)]
    async with connected(settings):
        added = await add_documents(client, named, now=datetime.now(UTC))
    typer.echo(
        f"{client}：登记 {len(named)} 个文档，其中新增 {added} 个 / "
        f"{len(named)} documents registered, {added} of them new."
    )


def _read(manifest: Path) -> list[Listed]:
    try:
        return listed(json.loads(manifest.read_text(encoding="utf-8")))
    except BadManifest as error:
        raise WrongSettings(f"{manifest}：{error.zh} / {error.en}") from None
    except ValueError:
        raise WrongSettings(f"{manifest} 不是 JSON / is not JSON.") from None


def _checked(schema: GuardedSchema, each: Listed) -> Named:
    """A document that the server would run, with the name of its operation."""
    try:
        document = schema.documents.read(each.body)
        operation = document.operation(None)
        errors: list[str] = [error.message for error in document.errors]
    except GraphQLError as error:
        errors = [getattr(error, "reason", "") or error.message]
    if errors:
        raise WrongSettings(
            f"文档 {each.alias} 无法执行 / document {each.alias} cannot run: {errors[0]}"
        )
    return Named(each, (operation.name.value if operation.name else "")[:200])
