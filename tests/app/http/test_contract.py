"""Every check of Schemathesis against a real server; GLASSBOT_EXAMPLES=200 makes more requests, and new ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.server import ROOT, served

MORE = os.environ.get("GLASSBOT_EXAMPLES", "")
KEY = "the-key-of-the-contract-test"  # with keys on, so that what happens without one is checked, too


@pytest.mark.slow
def test_the_service_does_what_its_contract_says(checkpoint_file: Path, tmp_path: Path) -> None:
    hooks = {"SCHEMATHESIS_HOOKS": "tests.app.http.contract_hooks", "PYTHONPATH": str(ROOT)}
    patient = {"GLASSBOT_API_KEYS": f"another, {KEY}", "GLASSBOT_DEADLINE_SECONDS": "60"}
    with served(checkpoint_file, tmp_path / "log", **patient) as running:
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{running.address}/openapi.json"]
        command += ["--url", running.address, "--header", f"X-API-Key: {KEY}", "--checks", "all", "--mode", "all"]
        command += ["--request-timeout", "90"]  # by itself it waits for 10 seconds, too few on a busy machine
        command += ["--max-examples", MORE or "10", "--continue-on-failure", *([] if MORE else ["--seed", "1"])]
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False, env=os.environ | hooks
        )
        log = running.log.read_text()
    report = "\n".join(line[:500] for line in (done.stdout + done.stderr).splitlines())  # pictures are long
    assert done.returncode == 0, report
    assert "WARNING" not in report
    assert "Traceback" not in log
    assert KEY not in log
