"""Compose `openapi.yaml`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from pydantic import BaseModel

from coupa_core import __version__
from coupa_core.endpoints import MAX_BODY
from coupa_core.routes import ROUTES, Route
from openapi import decisions, lists, operator_actions, operator_reports, outcomes
from openapi.answers import Error
from openapi.errors import CODES, ERRORS
from openapi.failures import FAILURES
from openapi.parameters import PARAMETERS
from openapi.parts import Failure, Operation, RequestBody, Response
from openapi.schema import schemas

OPERATIONS: dict[str, Operation] = {
    **lists.OPERATIONS,
    **decisions.OPERATIONS,
    **operator_reports.OPERATIONS,
    **operator_actions.OPERATIONS,
}
EXAMPLES = {**lists.EXAMPLES, **outcomes.EXAMPLES, **operator_reports.EXAMPLES, **operator_actions.EXAMPLES}

ABOUT = """\
A Moveworks connector calls these routes when a person asks for pending approvals or presses a button. Operators read the state of the bridge here.

The bridge answers every business outcome with 200, an `outcome` and one sentence for the person.
It answers a caller error with 4xx, and the `message` says what to correct.
It answers a failure of its own or of an upstream service with 5xx and a code; no decision was made then.

The Functions host answers some requests itself, without a body: 401 without a valid key, 404 for a path or a method that does not exist, 429 for more concurrent requests than its limit, on every route, 400, 414 (a URL above 8 KB) or 431 (headers above 32 KB) for a malformed HTTP request, and 500 if the process ends during the request, or for a body above 100 MiB.
The outcome is unknown only after such a 500, or without any response. The caller may always retry: the same decision of the same person takes effect once.

The header `X-Actor-Email` names the actor. Its value must come from the platform's attribute of the signed-in user, never from text.
The body or the query may have the same value; the bridge refuses two values that differ.
The same holds for the action token and the reason.

Every answer of the bridge has the request id in the header `X-Request-Id`.
"""  # noqa: E501 - one line is one paragraph, as readers of CommonMark expect

HEAD: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {
        "title": "Coupa approvals in chat",
        "version": __version__,
        "description": ABOUT,
        "license": {"name": "MIT", "url": "https://spdx.org/licenses/MIT.html"},
    },
    "servers": [
        {
            "url": "https://{app}.azurewebsites.net/api",
            "description": "In Azure",
            "variables": {"app": {"default": "your-function-app", "description": "Name of the function app"}},
        },
        {"url": "http://localhost:7071/api", "description": "Local host"},
    ],
    "tags": [
        {"name": "Approvals", "description": "Pending approvals and past decisions of a person"},
        {"name": "Decisions", "description": "Approve, reject, hold, or ask the requester"},
        {"name": "Messages", "description": "Messages to people through Moveworks"},
        {"name": "Operators", "description": "State of the bridge, and actions of operators"},
    ],
    "security": [{"functionKey": []}, {"functionKeyInQuery": []}],
}
SECURITY = {
    "functionKey": {
        "type": "apiKey",
        "in": "header",
        "name": "x-functions-key",
        "description": "The function key. Prefer the header: access logs do not show it.",
    },
    "functionKeyInQuery": {
        "type": "apiKey",
        "in": "query",
        "name": "code",
        "description": (
            "The function key, for connectors that can send it in the query only. The header takes "
            "precedence."
        ),
    },
}
A_BODY = (
    f"At most {MAX_BODY} bytes of UTF-8, not compressed. The bridge refuses a field that is not listed, and "
    "a field that occurs twice."
)
REQUEST_ID = "0d2c7a4e1c7f4f0fa1f4d7b8d1a3c5e7"


def page(_: str) -> str:
    """Return the text of the file; the earlier text is ignored."""
    result = yaml.dump(description(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=float("inf"))
    return f"# Written by `make docs` from coupa_core/routes.py and scripts/openapi.\n{result}"


def _described(route: Route) -> Operation:
    """Return the description of a route. Raises SystemExit where it has none."""
    if route.name not in OPERATIONS:
        raise SystemExit(f"{route.name}: describe this route in OPERATIONS of a module in scripts/openapi")
    return OPERATIONS[route.name]


def table() -> str:
    """Return the rows of `docs/api.md`."""
    rows = ["| method and route (under `/api`) | for |", "|---|---|"]
    for route in ROUTES:
        operation = _described(route)
        read = [PARAMETERS[each] for each in operation.parameters if each != "UserEmail"]
        query = "&".join(
            f"{each['name']}=" for each in read if each["in"] == "query" and route.method == "GET"
        )
        rows.append(f"| `{route.method} {route.path}{'?' if query else ''}{query}` | {operation.brief} |")
    return "\n".join(rows) + "\n"


def description() -> dict[str, Any]:
    """Return the values of the file."""
    paths: dict[str, Any] = {}
    for route in ROUTES:
        result = _operation(route.name, _described(route))
        paths.setdefault(f"/{route.path}", {})[route.method.lower()] = result
    components = {
        "securitySchemes": SECURITY,
        "parameters": PARAMETERS,
        "schemas": schemas(list(_models())),
        "responses": {name: _failure(each) for name, each in FAILURES.items()},
        "examples": {
            **{name: {"summary": summary, "value": value} for name, (summary, value) in EXAMPLES.items()},
            **{name: _error(CODES.get(name, name), *each) for name, each in ERRORS.items()},
        },
    }
    return {**HEAD, "paths": paths, "components": components}


def _operation(name: str, operation: Operation) -> dict[str, Any]:
    result: dict[str, Any] = {
        "operationId": name,
        "summary": operation.summary,
        "description": operation.description,
        "tags": [operation.tag],
    }
    if operation.is_open:
        result["security"] = []
    result["parameters"] = [_ref("parameters", each) for each in operation.parameters]
    if operation.body:
        result["requestBody"] = _request_body(operation.body)
    answers = {str(each.status): _response(each) for each in operation.answers}
    answers |= {str(FAILURES[each].status): _ref("responses", each) for each in operation.failures}
    return result | {"responses": dict(sorted(answers.items()))}


def _request_body(body: RequestBody) -> dict[str, Any]:
    shown = {"example": body.example}
    if body.is_named:
        named = body.example.items()
        shown = {"examples": {name: {"summary": result, "value": value} for name, (result, value) in named}}
    content = {"schema": _ref("schemas", body.model.__name__), **shown}
    return {
        "required": body.is_required,
        "description": A_BODY,
        "content": {"application/json": content},
    }


def _response(answer: Response) -> dict[str, Any]:
    named = {name: _ref("examples", each) for name, each in answer.examples.items()}
    shown = {"examples": named} if named else {"example": answer.example}
    content = {"application/json": {"schema": _ref("schemas", answer.model.__name__), **shown}}
    if answer.csv:
        content["text/csv"] = {"schema": {"type": "string"}, "example": answer.csv}
    return {"description": answer.description, "content": content}


def _failure(failure: Failure) -> dict[str, Any]:
    result: dict[str, Any] = {"description": failure.description}
    if failure.headers:
        result["headers"] = failure.headers
    if failure.errors:
        shown = {name: _ref("examples", name) for name in failure.errors}
        content = {"schema": _ref("schemas", Error.__name__), "examples": shown}
        result["content"] = {"application/json": content}
    return result


def _error(code: str, summary: str, message: str) -> dict[str, Any]:
    return {
        "summary": summary,
        "value": {"error": code, "message": message, "request_id": REQUEST_ID},
    }


def _ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}


def _models() -> Iterator[type[BaseModel]]:
    """Yield each model that a route names, once."""
    found: dict[str, type[BaseModel]] = {}
    for each in OPERATIONS.values():
        if each.body:
            found[each.body.model.__name__] = each.body.model
        found |= {answer.model.__name__: answer.model for answer in each.answers}
    yield from (found | {Error.__name__: Error}).values()


class _Dumper(yaml.SafeDumper):
    """Writes YAML as a person would: short mappings in one line, and paragraphs as blocks."""

    def ignore_aliases(self, _: Any) -> bool:
        """Return True: the same part may occur twice."""
        return True

    def represent_mapping(
        self,
        tag: str,
        mapping: Any,
        flow_style: bool | None = None,  # noqa: FBT001 - PyYAML calls it so
    ) -> yaml.MappingNode:
        """Write a short mapping of plain values in one line."""
        node = super().represent_mapping(tag, mapping, flow_style)
        parts = [part for pair in node.value for part in pair]
        is_plain = all(isinstance(part, yaml.ScalarNode) for part in parts)
        node.flow_style = is_plain and sum(len(part.value) + 2 for part in parts) < 100  # noqa: PLR2004
        return node


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text and "\r" not in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
