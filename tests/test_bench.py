"""The measurements can be run; how fast things are is not judged here."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_this_server_and_the_plain_one_answer_the_dashboard_alike_under_load():
    run = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--only", "dashboard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert "ITR Desk" in run.stdout
    assert "Strawberry + dataloaders" in run.stdout
