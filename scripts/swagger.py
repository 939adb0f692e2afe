"""Write openapi.yaml as OpenAPI 2.0, which custom connectors of Power Automate and Logic Apps take.

They take no OpenAPI 3, and follow references badly, so that everything stands in its place:

    .venv/bin/python scripts/swagger.py your-function-app.azurewebsites.net > swagger.json

It converts what that file uses, and nothing else.

Source: https://learn.microsoft.com/connectors/custom-connectors/define-openapi-definition, read 2026-11
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).resolve().parent.parent / "openapi.yaml"
OTHERWISE = {"nullable": "x-nullable"}


def swagger(described: dict[str, Any], host: str) -> dict[str, Any]:
    """Return the description in OpenAPI 2.0 for an app on that host."""

    def followed(value: Any) -> Any:
        if isinstance(value, list):
            return [followed(each) for each in value]
        if not isinstance(value, dict):
            return value
        if "$ref" not in value:
            return {OTHERWISE.get(name, name): followed(each) for name, each in value.items()}
        target: Any = described
        for name in value["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        return followed(target)

    return {
        "swagger": "2.0",
        "info": described["info"],
        "host": host,
        "basePath": "/api",
        "schemes": ["https"],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "tags": described["tags"],
        "securityDefinitions": described["components"]["securitySchemes"],
        "security": described["security"],
        "paths": {
            path: {method: _operation(followed(each)) for method, each in item.items()}
            for path, item in described["paths"].items()
        },
    }


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    body = operation.pop("requestBody", None)
    parameters = [_parameter(each) for each in operation.pop("parameters", [])]
    if body:
        schema = body["content"]["application/json"]["schema"]
        required = body.get("required", False)
        parameters.append({"name": "body", "in": "body", "required": required, "schema": schema})
    answers = {status: _answer(each) for status, each in operation.pop("responses").items()}
    return {**operation, "parameters": parameters, "responses": answers}


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    schema, example = parameter.pop("schema"), parameter.pop("example")
    return {**parameter, **schema, "x-example": example}


def _answer(answer: dict[str, Any]) -> dict[str, Any]:
    media = answer.pop("content", {}).get("application/json", {})
    shown = (
        [media["example"]]
        if "example" in media
        else [each["value"] for each in media.get("examples", {}).values()]
    )
    converted = {"description": answer["description"]}
    if media:
        converted |= {"schema": media["schema"], "examples": {"application/json": shown[0]}}
    if "headers" in answer:
        converted["headers"] = {
            name: {"description": each["description"], **each["schema"]}
            for name, each in answer["headers"].items()
        }
    return converted


if __name__ == "__main__":
    host = sys.argv[1] if len(sys.argv) > 1 else "your-function-app.azurewebsites.net"
    json.dump(
        swagger(yaml.safe_load(FILE.read_text("utf-8")), host), sys.stdout, indent=1, ensure_ascii=False
    )
    print()
