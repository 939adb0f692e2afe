"""A scanner that others wrote finds nothing in the templates but what is explained."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CHECKOV = Path(f"{sys.prefix}-infra") / "bin" / "checkov"
EXPLAINED = ROOT / "infra" / "checkov.yaml"

needs_checkov = pytest.mark.skipif(not CHECKOV.exists(), reason="needs checkov: make infra installs it")


def explained() -> dict[str, str]:
    """Return the reason of each check that is left out."""
    pairs = re.findall(r"^  # (.+)\n  - (CKV\w+)$", EXPLAINED.read_text("utf-8"), re.MULTILINE)
    return {check: reason for reason, check in pairs}


def scan(folder: Path) -> tuple[set[str], int]:
    """Return the checks that fail and how many resources were looked at.

    Raises:
        AssertionError: a template could not be parsed; checkov itself would call that a success.
    """
    command = [str(CHECKOV), "--directory", str(folder), "--framework", "bicep", "--output", "json"]
    done = subprocess.run(
        [*command, "--skip-download"], capture_output=True, text=True, timeout=300, check=False
    )
    report = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0, report["results"]["parsing_errors"]
    return {each["check_id"] for each in report["results"]["failed_checks"]}, report["summary"][
        "resource_count"
    ]


def test_every_check_that_is_left_out_has_a_reason() -> None:
    left_out = re.findall(r"^  - (CKV\w+)$", EXPLAINED.read_text("utf-8"), re.MULTILINE)

    assert left_out == sorted(left_out, key=lambda check: int(check.rpartition("_")[2]))
    assert left_out == list(explained())


@needs_checkov
def test_exactly_the_explained_checks_fail() -> None:
    failed, resources = scan(ROOT / "infra")

    assert failed == set(explained())
    assert resources >= 40


@needs_checkov
def test_the_scanner_sees_faults(tmp_path: Path) -> None:
    for file, old, new in (
        ("storage.bicep", "minimumTlsVersion: 'TLS1_2'", "minimumTlsVersion: 'TLS1_0'"),
        ("function-app.bicep", "httpsOnly: true", "httpsOnly: false"),
        ("vault.bicep", "enablePurgeProtection: true", "enablePurgeProtection: false"),
    ):
        source = (ROOT / "infra" / "modules" / file).read_text("utf-8")
        assert old in source
        (tmp_path / file).write_text(source.replace(old, new), "utf-8")

    failed, _ = scan(tmp_path)

    assert {"CKV_AZURE_44", "CKV_AZURE_14", "CKV_AZURE_110"} <= failed - set(explained())


@needs_checkov
def test_a_template_that_the_scanner_cannot_parse_is_not_a_success(tmp_path: Path) -> None:
    (tmp_path / "broken.bicep").write_text("resource x 'Microsoft.Web/sites@2024-04-01' = {\n", "utf-8")

    with pytest.raises(AssertionError):
        scan(tmp_path)
