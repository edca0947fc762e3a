"""A wrong or missing setting is one clear sentence and exit code 2."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.embedded.conftest import ROOT

GOOD = {
    "ITR_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "ITR_VALKEY_URL": "valkey://127.0.0.1:1/0",
    "ITR_SECRET": "a secret that is long enough for the test",
}


def itr(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ITR_")}
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=ROOT,
        env=clean | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("command", "environment", "named"),
    [
        ("serve", {}, "ITR_DATABASE_URL"),
        ("work", {}, "ITR_DATABASE_URL"),
        ("migrate", {}, "ITR_DATABASE_URL"),
        ("migrate", GOOD | {"ITR_SECRET": "short"}, "ITR_SECRET"),
        ("migrate", GOOD | {"ITR_DATABASE_URL": "mysql://x"}, "ITR_DATABASE_URL"),
        ("serve", GOOD | {"ITR_PORT": "eighty"}, "ITR_PORT"),
        ("serve", GOOD | {"ITR_DATABSE_URL": "x"}, "ITR_DATABSE_URL"),
        ("demo", {"ITR_NONSENSE": "1"}, "ITR_NONSENSE"),
        ("demo", {"PORT": "80000"}, "PORT"),
        ("demo", GOOD, "ITR_DATABASE_URL"),
    ],
)
def test_a_wrong_setting_is_one_sentence_and_exit_code_2(
    command: str, environment: dict[str, str], named: str, tmp_path: Path
) -> None:
    answer = itr(command, **environment, ITR_HOME=str(tmp_path / "home"))

    assert answer.returncode == 2, answer.stderr
    assert named in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert not answer.stdout
    assert not tmp_path.joinpath("home").exists()


def test_a_token_without_a_running_demo_says_so(tmp_path: Path) -> None:
    answer = itr("token", "--role", "LINE1", ITR_HOME=str(tmp_path / "home"))

    assert answer.returncode == 2
    assert "no demo is running" in answer.stderr
    assert not answer.stdout


def test_a_database_that_does_not_answer_is_one_sentence_and_exit_code_1() -> None:
    answer = itr("migrate", **GOOD)

    assert answer.returncode == 1
    assert "cannot use the database" in answer.stderr
    assert "Traceback" not in answer.stderr
