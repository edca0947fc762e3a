"""The commands of `itr`; each only reads its settings and hands over to the product."""

import asyncio
import gc
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated

import asyncpg
import typer
from rich.console import Console

from cli.surroundings import settings_of_running
from embedded.errors import ServersFailed
from itr.logs import set_up_logs
from itr.servers import check_servers
from itr.settings import Settings, WrongSettings
from itr.spans import set_up_spans

app = typer.Typer(
    name="itr",
    help="ITR Desk 服务台：从问题到解决 / from issue to resolved.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

admin = typer.Typer(help="管理员 / administrators.", no_args_is_help=True)
app.add_typer(admin, name="admin")
keys = typer.Typer(help="签名密钥 / signing keys.", no_args_is_help=True)
app.add_typer(keys, name="keys")
documents = typer.Typer(help="可信文档 / trusted documents.", no_args_is_help=True)
app.add_typer(documents, name="documents")

_COLLECTIONS = (20_000, 10, 20)
"""Rarer than usual: much is made at the start, and it stays."""
WRONG_SETTING = 2
FAILED = 1


def main() -> None:
    """Run a command; what a person can mend is one sentence and an exit code, never a trace."""
    gc.set_threshold(*_COLLECTIONS)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        app()
    except WrongSettings as error:
        _leave(error, code=WRONG_SETTING)
    except ServersFailed as error:
        _leave(error, code=FAILED)


def _leave(error: Exception, *, code: int) -> None:
    typer.echo(str(error), err=True)
    raise SystemExit(code)


@app.command(help="演示：自带数据库和数据，一条命令全部启动 / everything embedded, with demo data.")
def demo() -> None:
    """Start everything embedded, with demonstration data."""
    from cli.demo import run_demo

    run_demo(Console(highlight=False))


@app.command(help="启动接口 / serve the API.")
def serve() -> None:
    """Serve the API with servers of one's own."""
    settings = Settings.read()
    from api.asgi import make_server
    from api.serving.file_handles import ensure_file_handles
    from itr.database import check_privileges

    ensure_file_handles(settings)
    set_up_logs(settings.log_format)
    _run(settings, check_privileges(settings))
    set_up_spans("itr-api")
    server = make_server(settings, timeout_graceful_shutdown=5, log_level="info", log_config=None)
    server.run()
    if not server.started:
        raise SystemExit(FAILED)


@app.command(help="启动后台任务 / run the worker.")
def work() -> None:
    """Run the worker: timers, deliveries, jobs."""
    settings = Settings.read()
    from itr.database import check_privileges
    from workers.main import run

    set_up_logs(settings.log_format)
    _run(settings, check_privileges(settings))
    set_up_spans("itr-worker")
    _run(settings, run(settings))


@app.command(help="建表或升级 / bring the database to the newest schema.")
def migrate() -> None:
    """Bring the database to the newest schema."""
    settings = Settings.read()
    from itr import database

    _run(settings, database.migrate(settings, typer.echo), as_owner=True)
    typer.echo("数据库已是最新 / the database is up to date.")


@app.command("import", help="导入另一系统的记录 / replay another system's export.")
def import_(
    mapping: Annotated[Path, typer.Argument(help="mapping.toml", exists=True, dir_okay=False)],
    file: Annotated[Path, typer.Argument(help=".csv, .csv.zst", exists=True, dir_okay=False)],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只报告，不写入 / report only, write nothing")
    ] = False,
    rejects: Annotated[
        Path | None, typer.Option(help="未导入的行写入此文件 / write refused lines to this file")
    ] = None,
) -> None:
    """Replay another system's export through the same rules; exit 3 if lines were refused."""
    settings = settings_of_running()
    from cli.importing import run_import

    console = Console(stderr=True, highlight=False)
    _run(
        settings,
        run_import(settings, mapping, file, console=console, dry_run=dry_run, rejects=rejects),
    )


@app.command(help="签发演示令牌，只打印令牌 / print a token for a role and nothing else.")
def token(
    role: Annotated[str, typer.Option(help="LINE1, CUSTOMER, …")],
    organisation: Annotated[str | None, typer.Option(help="id, name")] = None,
) -> None:
    """Print a token for a role and nothing else."""
    settings = settings_of_running()
    from cli.keys import print_token

    _run(settings, print_token(settings, role, organisation))


@keys.command(help="启用下一把签名密钥 / publish the next signing key; it signs a minute later.")
def rotate(
    compromised: Annotated[
        bool, typer.Option("--compromised", help="旧密钥立即作废 / end all older keys at once.")
    ] = False,
) -> None:
    """Publish the next signing key; tokens signed by older ones stay good until they expire."""
    settings = settings_of_running()
    from cli.keys import rotate_keys

    _run(settings, rotate_keys(settings, compromised=compromised))


@app.command(help="打印 GraphQL 模式 / print the GraphQL schema.")
def schema() -> None:
    """Print the GraphQL schema."""
    from api.resolvers.root import product_schema

    typer.echo(product_schema().as_str())


@admin.command("create", help="首位管理员 / the first administrator of a server of one's own.")
def create_admin(
    name: Annotated[str, typer.Option(help="姓名 / the name")],
    email: Annotated[str, typer.Option(help="登录用的邮箱 / the address to sign in with")],
    organisation: Annotated[
        str | None,
        typer.Option(help="所属分公司，没有则建立 / own branch, made if missing"),
    ] = None,
    *,
    another: Annotated[
        bool, typer.Option("--another", help="已有管理员时再加一位 / besides those there are")
    ] = False,
) -> None:
    """Add the first administrator and say what to do next."""
    settings = settings_of_running()
    from cli.administration import run_create

    _run(
        settings,
        run_create(settings, name, email=email, organisation=organisation, another=another),
    )


@admin.command("approve", help="批准待批事项，仅当无人可批时 / approve while nobody else can.")
def approve_access(
    approval: Annotated[
        str | None, typer.Argument(help="apr_…；不填则列出 / lists what waits without it")
    ] = None,
) -> None:
    """Approve what waits for a second person, while there is none."""
    settings = settings_of_running()
    from cli.administration import run_approve

    _run(settings, run_approve(settings, approval))


@documents.callback()
def of_documents() -> None:
    """Trusted documents; a callback of its own keeps `add` a command of the group."""


@documents.command("add", help="登记清单中的文档 / register the documents of a manifest.")
def add_documents(
    manifest: Annotated[Path, typer.Argument(help="manifest.json", exists=True, dir_okay=False)],
    client: Annotated[str, typer.Option(help="client_id；* = 所有客户端 / every client")],
) -> None:
    """Register the documents of a manifest, Relay's or Apollo's, for a client."""
    from cli.trusted_documents import register

    settings = settings_of_running()
    _run(settings, register(settings, manifest, client))


def _run(settings: Settings, work: Coroutine[None, None, None], *, as_owner: bool = False) -> None:
    """Run this to its end, or until a signal asks to stop; a missing server is one sentence.

    So is a server that is too old, before anything is done with it.
    """
    try:
        asyncio.run(_until_asked(_on_good_servers(settings, work, as_owner=as_owner)))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        reason = str(error) or type(error).__name__
        raise ServersFailed(
            f"无法使用数据库：{reason}", f"cannot use the database: {reason}"
        ) from error


async def _on_good_servers(
    settings: Settings, work: Coroutine[None, None, None], *, as_owner: bool
) -> None:
    try:
        await check_servers(settings, as_owner=as_owner)
    except BaseException:
        work.close()
        raise
    await work


async def _until_asked(work: Coroutine[None, None, None]) -> None:
    loop, task, asked = asyncio.get_running_loop(), asyncio.ensure_future(work), asyncio.Event()

    def stop() -> None:
        asked.set()
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not asked.is_set():
            raise
