"""Stopping: everything that was started and nothing else, also after a kill -9."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from embedded import AlreadyRunning, EmbeddedServers, ServersFailed
from embedded.processes import identity_of
from tests.embedded.conftest import ROOT, Holder, children_of, is_alive
from tests.embedded.holder import ADDRESS


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_it_started_and_nothing_else(
    home: Path, hold: Callable[..., Holder], number: signal.Signals
) -> None:
    bystander = subprocess.Popen(["/bin/sleep", "600"])
    holder = hold(home)
    children = children_of(home)
    sockets = EmbeddedServers(home).home.running()
    assert len(children) == 3
    assert sockets is not None
    assert sockets.sockets is not None

    code = holder.end_with(number)

    try:
        assert code == 0
        assert not any(is_alive(child) for child in children)
        assert not Path(sockets.sockets).exists()
        assert not home.joinpath("running.json").exists()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_children_stop_in_order_those_beside_first_and_postgresql_last(home: Path) -> None:
    servers = EmbeddedServers(home, durable=False)
    servers.start()
    servers.start_beside("worker", ["/bin/sleep", "600"], environment={})
    servers.start_beside("api", ["/bin/sleep", "601"], environment={})
    names: list[str] = []
    for child in servers._children:
        object.__setattr__(child, "stop", _noting(names, child.name, child.stop))

    servers.stop()

    assert names == ["api", "worker", "Valkey", "PostgreSQL"]


def _noting(names: list[str], name: str, stop: Callable[[], None]) -> Callable[[], None]:
    def noted() -> None:
        names.append(name)
        stop()

    return noted


def test_a_fresh_start_cleans_up_after_a_kill_9(home: Path, hold: Callable[..., Holder]) -> None:
    killed = hold(home)
    orphans = children_of(home)
    before = EmbeddedServers(home).home.running()
    assert before is not None
    assert before.sockets is not None
    killed.end_with(signal.SIGKILL)
    assert all(is_alive(orphan) for orphan in orphans)

    with EmbeddedServers(home, durable=False) as servers:
        servers.check()
        assert not any(is_alive(orphan) for orphan in orphans)
        assert not Path(before.sockets).exists()


def test_a_kill_9_before_the_children_were_written_down_is_cleaned_up_too(
    home: Path, hold: Callable[..., Holder]
) -> None:
    killed = hold(home)
    orphans = children_of(home)
    killed.end_with(signal.SIGKILL)
    home.joinpath("processes.json").unlink()

    with EmbeddedServers(home, durable=False) as servers:
        servers.check()
        assert not is_alive(orphans[0])
    for orphan in orphans[1:]:
        os.kill(orphan.pid, signal.SIGKILL)


def test_a_kill_9_while_the_database_is_made_leaves_nothing_in_the_way(home: Path) -> None:
    with EmbeddedServers(home, durable=False):
        pass
    servers = home / "servers"
    servers.joinpath("postgres").rename(servers / "postgres.new")
    servers.joinpath("password").write_text("left over")

    with EmbeddedServers(home, durable=False) as again:
        again.check()
    assert not servers.joinpath("password").exists()


def test_a_second_start_says_where_the_first_one_runs(
    home: Path, hold: Callable[..., Holder]
) -> None:
    holder = hold(home)

    with pytest.raises(AlreadyRunning) as refused:
        EmbeddedServers(home).start()

    assert refused.value.address == ADDRESS
    assert refused.value.pid == holder.process.pid
    assert str(refused.value).count("\n") == 0
    assert ADDRESS in str(refused.value)
    assert holder.process.poll() is None


def test_a_second_start_ends_with_exit_code_1_and_one_sentence(
    home: Path, hold: Callable[..., Holder]
) -> None:
    hold(home)

    second = subprocess.run(
        [sys.executable, "-m", "cli", "demo"],
        cwd=ROOT,
        env=_clean_environment() | {"ITR_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert second.returncode == 1
    assert f"already running at {ADDRESS}" in second.stderr
    assert second.stderr.count("\n") == 1


def test_a_stale_pid_file_that_names_a_living_stranger_harms_neither(home: Path) -> None:
    with EmbeddedServers(home, durable=False):
        pass
    stranger = subprocess.Popen(["/bin/sleep", "600"])
    stale = f"{stranger.pid}\n{home}/servers/postgres\n1\n5432\n/tmp\n\n\nready   \n"
    home.joinpath("servers", "postgres", "postmaster.pid").write_text(stale)

    with EmbeddedServers(home, durable=False) as servers:
        servers.check()
        assert stranger.poll() is None
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_written_down_pid_that_now_belongs_to_another_is_left_alone(home: Path) -> None:
    with EmbeddedServers(home, durable=False) as servers:
        known = servers.home.processes()
    stranger = subprocess.Popen(["/bin/sleep", "600"])
    now = identity_of(stranger.pid)
    assert now is not None
    same_command = type(now)(now.pid, "another boot:1", now.command)
    same_beginning = type(now)(now.pid, now.began, known[0].command)
    servers.home.write_processes([same_command, same_beginning])

    with EmbeddedServers(home, durable=False):
        assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_child_that_ends_by_itself_is_noticed_and_named(
    home: Path, hold: Callable[..., Holder]
) -> None:
    servers = EmbeddedServers(home, durable=False)
    try:
        servers.start()
        servers.start_beside("brief", ["/bin/sh", "-c", "echo my last words"], environment={})
        time.sleep(0.2)
        with pytest.raises(ServersFailed, match=r"(?s)brief.*my last words"):
            servers.check()
    finally:
        servers.stop()


def test_a_home_that_cannot_be_made_is_one_sentence(home: Path) -> None:
    home.parent.joinpath("file").write_text("")

    with pytest.raises(ServersFailed, match="cannot use the folder"):
        EmbeddedServers(home.parent / "file" / "home").start()


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("ITR_")}
