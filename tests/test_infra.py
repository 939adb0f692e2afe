"""The templates keep the rules, and each rule sees the fault that it is there for."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from infra.faults import FAULTS
from infra.rules import RULES

ROOT = Path(__file__).parents[1]
LOOKED_AT = ("infra", "docs", "README.md", "function_app.py", "local.settings.json.example")


@pytest.mark.parametrize("rule", RULES)
def test_the_templates_keep_the_rule(rule: str) -> None:
    assert RULES[rule](ROOT) == []


@pytest.fixture
def with_fault(tmp_path: Path) -> Callable[[str, str, str], Path]:
    """Return a maker of copies in which one text is replaced."""

    def make(file: str, old: str, new: str) -> Path:
        for name in LOOKED_AT:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            copy(ROOT / name, tmp_path / name)
        source = (tmp_path / file).read_text("utf-8")
        assert old in source, f"the fault no longer fits {file}"
        (tmp_path / file).write_text(source.replace(old, new, 1), "utf-8")
        return tmp_path

    return make


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault[0]}: {fault[-1]}")
def test_a_fault_is_seen_by_its_rule(
    with_fault: Callable[[str, str, str], Path], fault: tuple[str, str, str, str, str]
) -> None:
    rule, file, old, new, complaint = fault

    wrong = RULES[rule](with_fault(file, old, new))

    assert any(complaint in each for each in wrong), wrong


def test_every_rule_has_a_fault_that_it_sees() -> None:
    assert {fault[0] for fault in FAULTS} == set(RULES)
