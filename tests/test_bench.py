"""The measurements can be run; how fast things are is not judged here."""

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.incident_log import write_log

ROOT = Path(__file__).resolve().parent.parent


def test_this_server_and_the_plain_one_answer_the_dashboard_alike_under_load():
    """And what is measured after it on the same database can be measured there."""
    parts = [
        word
        for part in ("dashboard", "peers", "mutations", "figures", "row_level_security")
        for word in ("--only", part)
    ]
    run = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", *parts],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert "ITR Desk" in run.stdout
    assert "Strawberry + dataloaders" in run.stdout
    assert "Mercurius + JIT" in run.stdout or "未测 not measured" in run.stdout


def test_a_checkout_is_measured_beside_another_in_one_run():
    """Here beside itself, which takes no fewer statements."""
    parts = [word for part in ("dashboard", "mutations", "imports") for word in ("--only", part)]
    run = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", *parts, "--requests", "60", "--old", str(ROOT)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    for title in ("Dashboard: old", "Main mutations: old", "Import: old"):
        assert title in run.stdout
    old, new = re.findall(r"total +(\d+) → (\d+)", run.stdout)[0]
    assert old == new != "0"


def test_a_plain_clone_imports_a_log_that_it_makes_itself():
    """Nothing beside the product is needed to measure all of it."""
    with tempfile.TemporaryDirectory(prefix="itr-") as folder:
        Path(folder).chmod(0o711)
        clone = Path(folder) / "clone"
        shutil.copytree(ROOT, clone, ignore=shutil.ignore_patterns(".*", "tests", "__pycache__"))
        run = subprocess.run(
            [sys.executable, "-m", "bench", "--quick", "--only", "imports"],
            cwd=clone,
            env={**os.environ, "PYTHONPATH": str(clone)},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    assert run.returncode == 0, run.stdout + run.stderr
    assert "bench/incident_log.py" in run.stdout
    assert "2,500 行 lines" in run.stdout


def test_a_made_log_has_as_many_lines_as_asked_for_and_is_the_same_each_time():
    logs = [io.StringIO() for _ in range(3)]
    for log, lines in zip(logs, (900, 900, 140_000), strict=True):
        write_log(log, lines)

    few, again, many = (log.getvalue() for log in logs)
    assert few == again
    assert few.count("\n") == 901
    assert many.count("\n") == 140_001


def test_the_load_of_a_working_day_leaves_no_error_and_nothing_running():
    """S10, S12: dashboards, mutations and subscriptions at once; then everything is gone."""
    with tempfile.TemporaryDirectory(prefix="itr-") as folder:
        Path(folder).chmod(0o711)
        run = subprocess.run(
            [sys.executable, "-m", "bench.load", "--quick"],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": folder},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        left = list(Path(folder).iterdir())

    assert run.returncode == 0, run.stdout + run.stderr
    assert "slaBoard" in run.stdout
    assert "mutation to board" in run.stdout
    assert left == []
