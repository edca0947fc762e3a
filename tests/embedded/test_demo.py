"""What a newcomer gets from `itr demo`, seen from outside."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.cells import cell_len

from itr.actors.roles import Role
from tests.embedded.conftest import ROOT, children_of, is_alive
from tests.support.servers import temporary_home

LAST_LINE = "Ctrl-C stops everything it started"


@dataclass
class Demo:
    """A running `itr demo` in a process of its own, and what it printed."""

    process: "subprocess.Popen[str]"
    home: Path
    port: int
    printed: str
    seconds: float

    @classmethod
    def start(cls, home: Path, port: int) -> "Demo":
        """Start it and read until it is ready."""
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "demo"],
            cwd=ROOT,
            env=surroundings(home, port),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        printed = ""
        assert process.stdout is not None
        for line in process.stdout:
            printed += line
            if LAST_LINE in line:
                break
        return cls(process, home, port, printed, time.monotonic() - began)

    def stop(self) -> int:
        """Ask it to stop as a service manager does, and wait."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def token(self, *arguments: str) -> str:
        """What `itr token` prints beside the running demo."""
        return subprocess.run(
            [sys.executable, "-m", "cli", "token", *arguments],
            cwd=ROOT,
            env=surroundings(self.home, self.port),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout

    def ask(self, query: str, token: str) -> Any:
        """Send a query as a client would."""
        answer = httpx.post(
            f"http://127.0.0.1:{self.port}/graphql",
            json={"query": query},
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()


def surroundings(home: Path, port: int) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ITR_")}
    return clean | {"ITR_HOME": str(home), "PORT": str(port), "PYTHONUTF8": "1"}


def run_in_a_shell(command: str) -> str:
    """What a command prints that is pasted into another terminal."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ITR_")}
    pasted = ["sh", "-c", command]
    return subprocess.run(
        pasted, cwd=ROOT, env=clean, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with temporary_home() as home:
        demo = Demo.start(home, free_port())
        yield demo
        if demo.process.poll() is None:
            demo.stop()


def test_it_is_ready_within_90_seconds_and_healthy(demo: Demo) -> None:
    assert LAST_LINE in demo.printed, demo.printed
    assert demo.seconds < 90
    answer = httpx.get(f"http://127.0.0.1:{demo.port}/healthz", trust_env=False)
    assert answer.status_code == 200


def test_what_it_prints_fits_one_screen_and_holds_no_token(demo: Demo) -> None:
    """Issue 9, 4: sign-ins as a table, one password, how to get a token; no tokens."""
    screen = demo.printed[demo.printed.index("首页") :].splitlines()

    assert len(screen) + 1 <= 24
    assert max(cell_len(line) for line in screen if str(demo.home) not in line) <= 80
    for path in ("/", "/graphql", "/device"):
        assert f"http://127.0.0.1:{demo.port}{path}" in demo.printed
    for role in set(Role) - {Role.WALLBOARD}:
        assert f" {role.value} " in demo.printed.replace("\n", " ")
    assert demo.printed.count("password ") == 1
    (command,) = re.findall(r"^(.*itr token --role LINE1)", demo.printed, re.MULTILINE)
    assert run_in_a_shell(command).count(".") == 2
    assert "eyJ" not in demo.printed


def test_there_is_a_year_of_history(demo: Demo) -> None:
    """Issue 9, 4: a year of some 2 000 requests."""
    counted = demo.ask(
        "{ requests(first: 1, filter: { status: { eq: CLOSED } }) { totalCount } }",
        demo.token("--role", "PROCESS_MANAGER").strip(),
    )

    assert counted["data"]["requests"]["totalCount"] > 1_800


def test_the_printed_sign_in_signs_in(demo: Demo) -> None:
    """At GraphiQL's own client: e-mail, password, and a code on the way back."""
    email = re.search(r"(\S+@\S+) \(\w+\)\n", demo.printed)
    password = re.search(r"password +(\S+) ", demo.printed)
    assert email is not None
    assert password is not None
    home = f"http://127.0.0.1:{demo.port}"
    asked = {
        "response_type": "code",
        "client_id": "itr-graphiql",
        "redirect_uri": f"{home}/graphql/signed-in",
        "scope": "itr",
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
    }
    with httpx.Client(base_url=home, trust_env=False) as browser:
        page = browser.get("/oauth/authorize", params=asked)
        form = re.search(r'name="form_token" value="(\w+)"', page.text)
        assert form is not None
        typed = {"email": email[1], "password": password[1], "intent": "sign-in"}
        answer = browser.post(page.url, data=typed | {"form_token": form[1]})
        back = browser.get(answer.headers["location"])

    assert back.headers["location"].startswith(f"{home}/graphql/signed-in?code=")


@pytest.mark.parametrize("origin", ["http://localhost:5173", "http://127.0.0.1:3000"])
def test_front_ends_under_development_on_this_machine_are_let_in(demo: Demo, origin: str) -> None:
    """Issue: the usual dev servers' ports of loopback, and no other machine's."""
    url = f"http://127.0.0.1:{demo.port}/graphql"
    asked = {"access-control-request-method": "POST", "origin": origin}

    assert httpx.options(url, headers=asked, trust_env=False).status_code == 200
    foreign = asked | {"origin": "http://192.0.2.1:5173"}
    assert httpx.options(url, headers=foreign, trust_env=False).status_code == 400


def test_each_query_of_the_readme_answers_without_an_error(demo: Demo) -> None:
    """What a newcomer pastes first."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    queries = [json.loads(body)["query"] for body in re.findall(r"-d '(\{.*\})'", readme)]
    assert len(queries) >= 2

    for query in queries:
        answer = demo.ask(query, demo.token("--role", "LINE1").strip())
        assert "errors" not in answer, answer


def test_a_token_for_each_role_is_printed_alone_and_is_that_role(demo: Demo) -> None:
    for role in (Role.LINE1, Role.CUSTOMER, Role.OPERATIONS_DIRECTOR):
        printed = demo.token("--role", role.value)

        assert printed.count("\n") == 1
        answer = demo.ask("{ viewer { roles } }", printed.strip())
        assert role.value in answer["data"]["viewer"]["roles"]


def test_api_and_worker_work_as_a_login_that_owns_nothing_and_know_no_other(demo: Demo) -> None:
    """S16."""
    keys = json.loads(demo.home.joinpath("home.json").read_text())
    processes = json.loads(demo.home.joinpath("processes.json").read_text())["processes"]
    ours = [each["pid"] for each in processes if "cli" in each["command"]]
    assert len(ours) == 2

    for pid in ours:
        told = Path(f"/proc/{pid}/environ").read_text()
        assert f"//itr_desk:{keys['desk_password']}@" in told
        assert keys["password"] not in told
        assert keys["superuser_password"] not in told
    for name in ("api", "worker"):
        log = demo.home.joinpath("logs", f"{name}.log").read_text()
        assert "triggers alone" not in log


def test_a_port_in_use_is_one_sentence(demo: Demo, tmp_path: Path) -> None:
    with temporary_home() as home:
        answer = subprocess.run(
            [sys.executable, "-m", "cli", "demo"],
            cwd=ROOT,
            env=surroundings(home, demo.port),
            capture_output=True,
            text=True,
            check=False,
        )

    assert answer.returncode == 1
    assert str(demo.port) in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_stopped_it_leaves_nothing_running_and_the_next_start_has_the_same_data(
    demo: Demo,
) -> None:
    count = "{ requests(first: 1) { totalCount } }"
    before = demo.ask(count, demo.token("--role", "LINE1").strip())
    children = children_of(demo.home)
    assert len(children) == 4

    assert demo.stop() == 0

    assert not any(is_alive(child) for child in children)
    again = Demo.start(demo.home, demo.port)
    try:
        after = again.ask(count, again.token("--role", "LINE1").strip())
        assert before["data"] == after["data"]
        assert before["data"]["requests"]["totalCount"] > 0
    finally:
        assert again.stop() == 0
