"""The parts of a route's description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel


@dataclass(frozen=True)
class RequestBody:
    """The body of a request.

    Attributes:
        model: the model of the body.
        example: one body; if `is_named`, several by name, each with a summary.
        is_required: the body cannot be left out.
    """

    model: type[BaseModel]
    example: Mapping[str, Any]
    is_required: bool
    is_named: bool = False


@dataclass(frozen=True)
class Response:
    """An answer of a route that is not an error.

    Attributes:
        status: the HTTP status.
        description: the case of the answer.
        model: the model of the body.
        examples: names of `EXAMPLES`, by name in this answer.
        example: one body, if there are no `examples`.
        csv: the same body as CSV, if the route has that format.
    """

    status: int
    description: str
    model: type[BaseModel]
    examples: Mapping[str, str] = field(default_factory=dict)
    example: Any = None
    csv: str = ""


@dataclass(frozen=True)
class Failure:
    """An answer that is an error.

    Attributes:
        status: the HTTP status.
        description: the case of the answer.
        errors: names of `ERRORS`; none if the Functions host answers without a body.
        headers: the additional headers.
    """

    status: int
    description: str
    errors: tuple[str, ...]
    headers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """The description of one route.

    Attributes:
        brief: its row in `docs/api.md`.
        summary: its name in tools, at most 80 characters.
        description: a text in CommonMark.
        tag: the chapter.
        parameters: names of `PARAMETERS`.
        answers: the answers that are not errors.
        failures: names of `FAILURES`.
        body: the body of the request.
        is_open: it needs no key.
    """

    brief: str
    summary: str
    description: str
    tag: str
    parameters: tuple[str, ...]
    answers: tuple[Response, ...]
    failures: tuple[str, ...]
    body: RequestBody | None = None
    is_open: bool = False


ON_A_BODY = ("NoLength", "TooLarge", "Crowd", "NotConfigured")
"""Failures of every route that reads a body, beside those of the body itself."""
