"""openapi.yaml as the tests read it: its operations, with every reference resolved."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).resolve().parent.parent / "openapi.yaml"


@cache
def description() -> dict[str, Any]:
    """Return the file as it is."""
    read: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return read


@cache
def operations() -> dict[str, dict[str, Any]]:
    """Return the operations by id, with references followed, and with their `method` and `path`."""
    found = {}
    for path, item in description()["paths"].items():
        for method, operation in item.items():
            found[operation["operationId"]] = {**followed(operation), "method": method.upper(), "path": path}
    return found


def followed(value: Any) -> Any:
    """Return a part of the file with every reference replaced by what it names."""
    if isinstance(value, list):
        return [followed(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "$ref" not in value:
        return {name: followed(each) for name, each in value.items()}
    target: Any = description()
    for name in value["$ref"].removeprefix("#/").split("/"):
        target = target[name]
    return followed(target)


def examples(media: dict[str, Any]) -> Iterator[Any]:
    if "example" in media:
        yield media["example"]
    for each in media.get("examples", {}).values():
        yield each["value"]


def codes(operation_id: str, status: int) -> set[str]:
    """Return the error codes that are documented for a status of an operation."""
    media = operations()[operation_id]["responses"].get(str(status), {}).get("content", {})
    return {example["error"] for each in media.values() for example in examples(each)}
