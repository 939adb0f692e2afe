"""Parse a request's body: strict JSON first, then a pydantic model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from coupa_core.endpoints.request import MAX_BODY, MAX_TEXT, Request, actor_of, lone_surrogate, too_long
from coupa_core.errors import CallerError

_NO_LENGTH = (
    "The body was sent in chunks, and Azure Functions drops such a body: send Content-Length in place of "
    "Transfer-Encoding. Nothing was done."
)

Faults = Mapping[str, tuple[str, str]]


class Body(BaseModel):
    """A JSON object without unknown fields. A null field counts as missing.

    Attributes:
        faults: the error code and message for an invalid value, by field. The fields that it does not name
            are texts, whose errors (no text, too long) are the same everywhere.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    faults: ClassVar[Faults] = {}


M = TypeVar("M", bound=Body)


class RefusedValue(ValueError):
    """A value that a model's validator refuses.

    Attributes:
        fault: the error that the caller gets.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.fault = CallerError(code, message)


def read(request: Request, model: type[M]) -> M:
    """Return the parsed body.

    Raises:
        CallerError: the body is invalid.
    """
    given = _object(request, model)
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise _first(model, given, error)[1] from None


def read_with_actor(request: Request, model: type[M]) -> tuple[str, M]:
    """Return the actor and the parsed body.

    A missing or invalid actor takes precedence over an invalid value in the body.

    Raises:
        CallerError: the actor is missing or invalid, or the body is invalid.
    """
    given = _object(request, model)
    try:
        body = model.model_validate(given)
    except ValidationError as error:
        is_after_actor, fault = _first(model, given, error)
        if is_after_actor:
            actor_of(request, given.get("actor_email"))
        raise fault from None
    return actor_of(request, given.get("actor_email")), body


def _first(model: type[Body], given: Mapping[str, Any], error: ValidationError) -> tuple[bool, CallerError]:
    """Return whether the check of the actor precedes the first fault, and the fault.

    Faults of texts come first, then the others, each in the order of the body.
    """
    names = list(given)
    found = []
    for each in error.errors(include_url=False, include_input=False):
        name = str(each["loc"][0])
        place = names.index(name) if name in names else len(names)
        found.append((*_fault(model, dict(each)), place))
    is_after_actor, fault, _ = min(found, key=lambda each: (each[0], each[2]))
    return is_after_actor, fault


def _fault(model: type[Body], error: Mapping[str, Any]) -> tuple[bool, CallerError]:
    """Return whether the check of the actor precedes a fault, and the error for the caller."""
    kind, place = error["type"], error["loc"]
    name, last = str(place[0]), str(place[-1])
    is_inner = len(place) > 1
    if kind == "value_error":
        return True, error["ctx"]["error"].fault
    if kind == "string_unicode" and last in MAX_TEXT:
        return is_inner, lone_surrogate(last)
    if kind == "string_too_long":
        return is_inner, too_long(last)
    if kind == "string_type" and not is_inner:
        return False, CallerError("bad_field", f"{name} must be a text.")
    is_malformed = kind in ("string_pattern_mismatch", "string_unicode")
    return True, CallerError(*model.faults[last if is_malformed and last in model.faults else name])


def json_of(body: bytes) -> Any:
    """Return the JSON value of a body, without validation; None where it is too large or no JSON."""
    try:
        return json.loads(body) if len(body) <= MAX_BODY else None
    except (ValueError, RecursionError):
        return None


def _object(request: Request, model: type[Body]) -> dict[str, Any]:
    """Return the JSON object of a body, without its null fields; empty for an empty body.

    Raises:
        CallerError: the body is too large, is not such an object, or has unknown fields.
    """
    if len(request.body) > MAX_BODY:
        raise CallerError("body_too_large", f"The body is larger than {MAX_BODY} bytes.", status=413)
    if not request.body and "chunked" in (request.header("transfer-encoding") or "").lower():
        # Source: https://github.com/Azure/azure-functions-host/issues/4926, open since 2019
        raise CallerError("length_required", _NO_LENGTH, status=411)
    if not request.body.strip():
        return {}
    _check_encoding(request)
    try:
        body = json.loads(
            request.body.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_constant=_refused_constant,
            parse_int=float,  # int() itself refuses a number of thousands of digits, with another error
        )
    except (ValueError, RecursionError) as error:
        raise CallerError("bad_json", f"The body is no valid JSON: {_short(error)}.") from error
    if not isinstance(body, dict):
        raise CallerError("bad_body", "The body must be a JSON object.")
    if body.keys() - model.model_fields.keys():
        known = ", ".join(sorted(model.model_fields))
        raise CallerError("unknown_field", f"The body may hold {known} only.")
    return {name: value for name, value in body.items() if value is not None}


def _check_encoding(request: Request) -> None:
    kind = (request.header("content-type") or "application/json").lower().replace(" ", "")
    charset = kind.partition("charset=")[2].strip('"') or "utf-8"
    if kind.split(";")[0] != "application/json" or charset not in ("utf-8", "utf8"):
        raise CallerError("bad_content_type", "The body must be application/json in UTF-8.")
    if (request.header("content-encoding") or "identity").lower() != "identity":
        raise CallerError("bad_encoding", "The body must not be compressed.")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a duplicate key: text in a raw template could otherwise add a second actor after the first."""
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _refused_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _short(error: Exception) -> str:
    """Describe the error without repeating the body."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    return "nested too deep" if isinstance(error, RecursionError) else str(error)
