"""The parts of a route's description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel


@dataclass(frozen=True)
class Sent:
    """The body of a request.

    Attributes:
        model: of the body.
        example: one body; where `is_named`, several by name, each with a summary.
        is_required: whether it can be left out.
    """

    model: type[BaseModel]
    example: Mapping[str, Any]
    is_required: bool
    is_named: bool = False


@dataclass(frozen=True)
class Answered:
    """An answer of a route that is no error.

    Attributes:
        status: of HTTP.
        description: when it comes.
        model: of the body.
        examples: by name, each the name of one of the `EXAMPLES`.
        example: one body, where there are none of these.
        csv: the same as CSV, where that can be asked for.
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
        status: of HTTP.
        description: when it comes.
        errors: names of `ERRORS`; none where the Functions host answers without a body.
        headers: beside the usual ones.
    """

    status: int
    description: str
    errors: tuple[str, ...]
    headers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """What is said of one route.

    Attributes:
        brief: its row in `docs/api.md`.
        summary: its name in tools, at most 80 characters.
        description: in CommonMark.
        tag: the chapter.
        parameters: names of `PARAMETERS`.
        answers: those that are no errors.
        failures: names of `FAILURES`.
        body: of the request.
        is_open: it asks for no key.
    """

    brief: str
    summary: str
    description: str
    tag: str
    parameters: tuple[str, ...]
    answers: tuple[Answered, ...]
    failures: tuple[str, ...]
    body: Sent | None = None
    is_open: bool = False


ON_A_BODY = ("NoLength", "TooLarge", "Crowd", "NotConfigured")
"""Failures of every route that reads a body, beside those of the body itself."""
