"""The measurements can be run; how fast things are is not judged here."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_this_server_and_the_plain_one_answer_the_dashboard_alike_under_load():
    """And what is measured after it on the same database can be measured there."""
    parts = [
        word
        for part in ("dashboard", "mutations", "figures", "row_level_security")
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
