"""Unusable answers of a service, as faults of the simulators."""

from __future__ import annotations

from typing import Any

BIG = "[" + " " * (17 * 1024 * 1024) + "]"
"""More than is read of any answer."""

ODD_ANSWERS: list[dict[str, Any]] = [
    {"status": 500},
    {"status": 400},
    {"status": 403},
    {"status": 404},
    {"status": 200, "body": "<html>"},
    {"status": 200, "body": BIG},
    {"kind": "truncate"},
    {"kind": "cut"},
]


def name_of(how: dict[str, Any]) -> str:
    return f"{how.get('kind', '')}{how.get('status', '')}{how.get('body', '')[:6]}"
