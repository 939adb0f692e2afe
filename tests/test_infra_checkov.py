"""An independent scanner finds nothing in the sent resources but the explained exceptions."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from infra.rules import of_type
from infra.snapshots import loaded

ROOT = Path(__file__).parents[1]
CHECKOV = Path(f"{sys.prefix}-infra") / "bin" / "checkov"
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
EXPLAINED = ROOT / "infra" / "checkov.yaml"

needs_checkov = pytest.mark.skipif(not CHECKOV.exists(), reason="needs checkov: make infra installs it")


def explained() -> dict[str, str]:
    """Return the reason of each check that is left out."""
    pairs = re.findall(r"^  # (.+)\n  - (CKV\w+)$", EXPLAINED.read_text("utf-8"), re.MULTILINE)
    return {check: reason for reason, check in pairs}


def scan(folder: Path, sent: dict[str, Any]) -> tuple[set[str], int]:
    """Return the checks that fail, and how many resources were looked at.

    Args:
        folder: where the templates are written that the scanner reads.
        sent: snapshots by name.

    Raises:
        AssertionError: a template could not be parsed; checkov itself would call that a success.
    """
    for name, each in sent.items():
        template = {"$schema": SCHEMA, "contentVersion": "1", "resources": each["predictedResources"]}
        (folder / f"{name}.json").write_text(json.dumps(template), "utf-8")
    command = [str(CHECKOV), "--directory", str(folder), "--framework", "arm", "--output", "json"]
    done = subprocess.run(
        [*command, "--skip-download"], capture_output=True, text=True, timeout=300, check=False
    )
    report = json.loads(done.stdout)
    failed = {each["check_id"] for each in report["results"]["failed_checks"]}
    assert report["summary"]["parsing_errors"] == 0
    return failed, report["summary"]["resource_count"]


def test_every_check_that_is_left_out_has_a_reason() -> None:
    left_out = re.findall(r"^  - (CKV\w+)$", EXPLAINED.read_text("utf-8"), re.MULTILINE)

    assert left_out == sorted(left_out, key=lambda check: int(check.rpartition("_")[2]))
    assert left_out == list(explained())


@needs_checkov
def test_exactly_the_explained_checks_fail(tmp_path: Path) -> None:
    sent = {way: snapshot for way, snapshot in loaded().items() if way.startswith("events")}

    failed, resources = scan(tmp_path, sent)

    assert failed == set(explained())
    assert resources == sum(len(snapshot["predictedResources"]) for snapshot in sent.values()) > 80


@needs_checkov
def test_the_scanner_sees_faults(tmp_path: Path) -> None:
    sent = loaded()["events-all"]
    for kind, name, value in (
        ("Microsoft.Storage/storageAccounts", "minimumTlsVersion", "TLS1_0"),
        ("Microsoft.Web/sites", "httpsOnly", False),
        ("Microsoft.KeyVault/vaults", "enablePurgeProtection", False),
    ):
        [resource] = of_type(sent, kind)
        assert resource["properties"][name] != value
        resource["properties"][name] = value

    failed, _ = scan(tmp_path, {"faulty": sent})

    assert {"CKV_AZURE_44", "CKV_AZURE_14", "CKV_AZURE_110"} <= failed - set(explained())
