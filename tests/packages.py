"""The npm packages that only tests use, called by the scripts of tests/npm."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

_FOLDER = Path(__file__).parent / "npm"
_HINT = "the packages of tests/npm are not installed: run `npm ci` there, with Node.js 18 or later"


def said(script: str, given: Any) -> Any:
    """Run a script of tests/npm on JSON and return the JSON that it answers.

    Without the packages the test is skipped; in CI their absence is a failure.
    """
    node = shutil.which("node")
    if node is None or not (_FOLDER / "node_modules" / ".package-lock.json").exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(_HINT)
    command = [node, str(_FOLDER / script)]
    done = subprocess.run(
        command, input=json.dumps(given), capture_output=True, encoding="utf-8", timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
