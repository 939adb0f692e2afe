"""Convert openapi.yaml into OpenAPI 2.0 for custom connectors of Power Automate and Logic Apps.

These do not accept OpenAPI 3, and resolve references badly, so every schema is inlined:

    .venv/bin/python scripts/swagger.py your-function-app.azurewebsites.net > swagger.json

It converts only the features that this file uses. The file also has titles for people (`x-ms-summary`), and
the visibility of fields in the connector (`x-ms-visibility`).

Sources, read 2026-11:
    https://learn.microsoft.com/connectors/custom-connectors/define-openapi-definition
    https://learn.microsoft.com/connectors/custom-connectors/openapi-extensions
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).resolve().parent.parent / "openapi.yaml"
JSON = "application/json"
RENAMED = {"nullable": "x-nullable"}


def swagger(described: dict[str, Any], host: str) -> dict[str, Any]:
    """Return the description in OpenAPI 2.0 for an app on this host."""

    def inlined(value: Any) -> Any:
        if isinstance(value, list):
            return [inlined(each) for each in value]
        if not isinstance(value, dict):
            return value
        if "$ref" not in value:
            return {RENAMED.get(name, name): inlined(each) for name, each in value.items()}
        target: Any = described
        for name in value["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        return inlined(target)

    return {
        "swagger": "2.0",
        "info": described["info"],
        "host": host,
        "basePath": "/api",
        "schemes": ["https"],
        "consumes": [JSON],
        "produces": [JSON],
        "tags": described["tags"],
        "securityDefinitions": described["components"]["securitySchemes"],
        "security": described["security"],
        "paths": {
            path: {method: _operation(inlined(each)) for method, each in item.items()}
            for path, item in described["paths"].items()
        },
    }


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    body = operation.pop("requestBody", None)
    parameters = [_parameter(each) for each in operation.pop("parameters", [])]
    if body:
        parameters.append(_body(body))
    answers = operation.pop("responses")
    produced = dict.fromkeys(media for each in answers.values() for media in each.get("content", {}))
    if set(produced) != {JSON}:
        operation["produces"] = list(produced)
    responses = {status: _answer(each) for status, each in answers.items()}
    return {**operation, "parameters": parameters, "responses": responses}


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    schema, example = parameter.pop("schema"), parameter.pop("example")
    return {**parameter, **schema, "x-example": example}


def _body(body: dict[str, Any]) -> dict[str, Any]:
    media = body["content"][JSON]
    return {
        "name": "body",
        "in": "body",
        "x-ms-summary": "Body",
        "description": body["description"],
        "required": body.get("required", False),
        "schema": {**media["schema"], "example": next(_examples(media))},
    }


def _answer(answer: dict[str, Any]) -> dict[str, Any]:
    content = answer.pop("content", {})
    converted = {"description": answer["description"]}
    if content:
        media = content[JSON]  # OpenAPI 2.0 has one schema for an answer; `produces` names other forms
        converted |= {"schema": media["schema"], "examples": {JSON: next(_examples(media))}}
    if "headers" in answer:
        converted["headers"] = {
            name: {"description": each["description"], **each["schema"]}
            for name, each in answer["headers"].items()
        }
    return converted


def _examples(media: dict[str, Any]) -> Iterator[Any]:
    if "example" in media:
        yield media["example"]
    for each in media.get("examples", {}).values():
        yield each["value"]


if __name__ == "__main__":
    host = sys.argv[1] if len(sys.argv) > 1 else "your-function-app.azurewebsites.net"
    json.dump(
        swagger(yaml.safe_load(FILE.read_text("utf-8")), host), sys.stdout, indent=1, ensure_ascii=False
    )
    print()
