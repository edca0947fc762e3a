"""`itr demo`: everything at once on this machine, until it is asked to stop."""

import asyncio
import http.client
import os
import socket
import sys
import time
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli.surroundings import asked_port, home_folder
from cli.welcome import demo_password, print_welcome
from embedded.errors import ServersFailed
from embedded.servers import Addresses, EmbeddedServers
from embedded.signals import StopAsked, StopSignals
from itr.settings import PREFIX, Settings, WrongSettings

_OWN_SERVERS = ("ITR_DATABASE_URL", "ITR_OWNER_DATABASE_URL", "ITR_VALKEY_URL")
_NOTHING_YET = Addresses(
    database_url="postgresql://",
    owner_url="postgresql://",
    valkey_url="unix://",
    admin_url="postgresql://",
    secret="0" * 32,
)
_API_SECONDS = 60
DEV_SERVER_PORTS = (1234, 3000, 3001, 4173, 4200, 4321, 5000, 5173, 5174, 8080, 8081)
"""Where Vite, Next, Angular, Astro, Parcel, webpack and their like serve unless told otherwise."""
HISTORY = 2_000
"""Requests of the year before, for figures and boards."""
_STEPS = 5


def run_demo(console: Console) -> None:
    """Start servers, tables, data, worker and API; say where they are; stop all when asked.

    Raises `WrongSettings` before anything starts, `ServersFailed` when something does not start
    or ends by itself.
    """
    place = _settings(_NOTHING_YET)
    with StopSignals() as signals:
        servers = EmbeddedServers(home_folder(), address=place.issuer, shield=signals.shield)
        try:
            with _progress(console) as progress:
                settings = _bring_up(servers, _Stepper(progress))
            asyncio.run(print_welcome(console, settings, home=home_folder()))
            _watch(servers)
        except StopAsked:
            console.print("正在停止… / Stopping …")
        finally:
            with signals.closing():
                servers.stop()


def _settings(addresses: Addresses) -> Settings:
    """Join what the demo decides with what the environment asks for."""
    for name in _OWN_SERVERS:
        if name in os.environ:
            raise WrongSettings(
                f"itr demo 自带数据库；已设置 {name} 时请用 itr migrate、itr serve 和 itr work / "
                f"itr demo brings its own servers; with {name} set, "
                "use itr migrate, itr serve and itr work."
            )
    host = os.environ.get("ITR_HOST") or _loopback()
    port = asked_port()
    ours = {
        "ITR_SECRET": addresses.secret,
        "ITR_HOST": host,
        "ITR_ISSUER": f"http://{f'[{host}]' if ':' in host else host}:{port}",
        "ITR_ALLOWED_ORIGINS": ",".join(_dev_servers()),
    }
    always = {
        "ITR_DATABASE_URL": addresses.database_url,
        "ITR_OWNER_DATABASE_URL": addresses.owner_url,
        "ITR_VALKEY_URL": addresses.valkey_url,
        "ITR_PORT": str(port),
    }
    return Settings.read(ours | os.environ | always)


def _dev_servers() -> list[str]:
    """The origins of front ends under development on this very machine."""
    hosts = ("localhost", "127.0.0.1", "[::1]")
    return [f"http://{host}:{port}" for host in hosts for port in DEV_SERVER_PORTS]


def _loopback() -> str:
    """Return 127.0.0.1, or ::1 on a machine without IPv4."""
    try:
        with socket.socket(socket.AF_INET) as probe:
            probe.bind(("127.0.0.1", 0))
    except OSError:
        return "::1"
    return "127.0.0.1"


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        BarColumn(bar_width=24),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
    )


class _Stepper:
    """The progress bar: one step after the other, each with its parts."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=_STEPS)
        self._done = 0
        self._title = ""

    def step(self, title: str) -> None:
        """Begin the next step."""
        self._progress.update(self._task, completed=self._done, description=title)
        self._done += 1
        self._title = title
        if not self._progress.console.is_terminal:
            self._progress.console.print(title)

    def part(self, share: float, detail: str = "") -> None:
        """Say how far this step is, from 0 to 1."""
        self._progress.update(
            self._task,
            completed=self._done - 1 + min(max(share, 0), 1),
            description=f"{self._title} {detail}".rstrip(),
        )

    def finish(self) -> None:
        """All steps are done."""
        self._progress.update(self._task, completed=_STEPS, description="已就绪 / ready")


def _bring_up(servers: EmbeddedServers, steps: _Stepper) -> Settings:
    steps.step("启动 PostgreSQL 和 Valkey / starting PostgreSQL and Valkey")
    settings = _settings(servers.start())
    _ensure_port_is_free(settings)
    steps.step("建表 / making tables")
    asyncio.run(_migrate(settings, steps))
    steps.step("写入演示数据 / demonstration data")
    asyncio.run(_seed(settings, steps))
    steps.step("启动后台任务 / starting the worker")
    servers.start_beside("worker", _command("work"), environment=_environment(settings))
    steps.step("启动接口 / starting the API")
    servers.start_beside("api", _command("serve"), environment=_environment(settings))
    _wait_for_api(servers, settings)
    steps.finish()
    return settings


async def _migrate(settings: Settings, steps: _Stepper) -> None:
    from itr.database import migrate

    await migrate(settings, lambda name: steps.part(0.5, name))


async def _seed(settings: Settings, steps: _Stepper) -> None:
    """The one place where demonstration data comes from."""
    from itr.demo.seeding import seed
    from itr.demo.sign_ins import let_people_in

    await seed(settings, steps.part, history=HISTORY)
    await let_people_in(settings, demo_password(settings), now=datetime.now(UTC))


def _command(name: str) -> list[str]:
    return [sys.executable, "-m", "cli", name]


def _environment(settings: Settings) -> dict[str, str]:
    """What API and worker are given; how to work as the tables' owner is not among it."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    ours = settings.model_dump(exclude={"owner_database_url"}) | {
        name: getattr(settings, name).get_secret_value() for name in ("secret", "metrics_token")
    }
    return others | {PREFIX + name.upper(): str(value) for name, value in ours.items()}


def _ensure_port_is_free(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
            probe.listen(1)
    except OSError as error:
        raise ServersFailed(
            f"无法监听 {settings.host}:{settings.port}（{error.strerror}），"
            "请用 make run PORT=9000 换一个端口",
            f"cannot listen on {settings.host}:{settings.port} ({error.strerror}); "
            "choose another port with make run PORT=9000",
        ) from None


def _wait_for_api(servers: EmbeddedServers, settings: Settings) -> None:
    end = time.monotonic() + _API_SECONDS
    while not _is_healthy(settings):
        servers.check()
        if time.monotonic() > end:
            raise ServersFailed(
                f"接口 {_API_SECONDS} 秒内未就绪，日志：{servers.home.folder / 'logs'}",
                f"the API is not ready after {_API_SECONDS} s, "
                f"logs: {servers.home.folder / 'logs'}",
            )
        time.sleep(0.05)


def _is_healthy(settings: Settings) -> bool:
    connection = http.client.HTTPConnection(settings.host, settings.port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _watch(servers: EmbeddedServers) -> None:
    """Stay until a signal comes; a child that ends by itself ends everything."""
    while True:
        servers.check()
        time.sleep(0.25)
