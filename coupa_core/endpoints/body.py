"""The reading of a request's body: JSON by the rules of this bridge, then one of pydantic's models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from coupa_core.endpoints.request import MAX_BODY, MAX_TEXT, Request, actor_of, half_a_character, too_long
from coupa_core.errors import CallerError

_NO_LENGTH = (
    "The body was sent in chunks, and Azure Functions drops such a body: send Content-Length in place of "
    "Transfer-Encoding. Nothing was done."
)

Faults = Mapping[str, tuple[str, str]]


class Body(BaseModel):
    """A JSON object of known fields. A field that is null is not given.

    Attributes:
        faults: by field, the code and the message of whatever is wrong with it; of all other fields, which
            are texts, it is said that they are no text, or too long.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    faults: ClassVar[Faults] = {}


M = TypeVar("M", bound=Body)


class RefusedValue(ValueError):
    """A value that a validator of a model refuses.

    Attributes:
        fault: what the caller is told.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.fault = CallerError(code, message)


def read(request: Request, model: type[M]) -> M:
    """Return the body.

    Raises:
        CallerError: says what is wrong with it.
    """
    given = _object(request, model)
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise _first(model, given, error)[1] from None


def read_of_a_person(request: Request, model: type[M]) -> tuple[str, M]:
    """Return who acts, and the body. Who acts is asked before what they want.

    Raises:
        CallerError: nobody is named, or says what is wrong with the body.
    """
    given = _object(request, model)
    try:
        body = model.model_validate(given)
    except ValidationError as error:
        is_late, fault = _first(model, given, error)
        if is_late:
            actor_of(request, given.get("actor_email"))
        raise fault from None
    return actor_of(request, given.get("actor_email")), body


def _first(model: type[Body], given: Mapping[str, Any], error: ValidationError) -> tuple[bool, CallerError]:
    """Return whether the first fault waits for who acts, and the fault; faults of texts come first."""
    names = list(given)
    found = []
    for each in error.errors(include_url=False, include_input=False):
        name = str(each["loc"][0])
        place = names.index(name) if name in names else len(names)
        found.append((*_fault(model, dict(each)), place))
    is_late, fault, _ = min(found, key=lambda each: (each[0], each[2]))
    return is_late, fault


def _fault(model: type[Body], error: Mapping[str, Any]) -> tuple[bool, CallerError]:
    """Return whether a fault waits for who acts, and what the caller is told."""
    kind, place = error["type"], error["loc"]
    name, last = str(place[0]), str(place[-1])
    is_inner = len(place) > 1
    if kind == "value_error":
        return True, error["ctx"]["error"].fault
    if kind == "string_unicode" and last in MAX_TEXT:
        return is_inner, half_a_character(last)
    if kind == "string_too_long":
        return is_inner, too_long(last)
    if kind == "string_type" and not is_inner:
        return False, CallerError("bad_field", f"{name} must be a text.")
    is_of_its_form = kind in ("string_pattern_mismatch", "string_unicode")
    return True, CallerError(*model.faults[last if is_of_its_form and last in model.faults else name])


def json_of(body: bytes) -> Any:
    """Return what the body of a request says, whatever that is; None where it is none that would be read."""
    try:
        return json.loads(body) if len(body) <= MAX_BODY else None
    except (ValueError, RecursionError):
        return None


def _object(request: Request, model: type[Body]) -> dict[str, Any]:
    """Read a JSON object of known fields, or nothing; null is not given.

    Raises:
        CallerError: says what is wrong with the body.
    """
    if len(request.body) > MAX_BODY:
        raise CallerError("body_too_large", f"The body is larger than {MAX_BODY} bytes.", status=413)
    if not request.body and "chunked" in (request.header("transfer-encoding") or "").lower():
        # Source: https://github.com/Azure/azure-functions-host/issues/4926, open since 2019
        raise CallerError("length_required", _NO_LENGTH, status=411)
    if not request.body.strip():
        return {}
    _check_form(request)
    try:
        body = json.loads(
            request.body.decode("utf-8"),
            object_pairs_hook=_once,
            parse_constant=_no_constant,
            parse_int=float,  # a number of thousands of digits is refused like any other, not by its length
        )
    except (ValueError, RecursionError) as error:
        raise CallerError("bad_json", f"The body is no valid JSON: {_short(error)}.") from error
    if not isinstance(body, dict):
        raise CallerError("bad_body", "The body must be a JSON object.")
    if body.keys() - model.model_fields.keys():
        known = ", ".join(sorted(model.model_fields))
        raise CallerError("unknown_field", f"The body may hold {known} only.")
    return {name: value for name, value in body.items() if value is not None}


def _check_form(request: Request) -> None:
    kind = (request.header("content-type") or "application/json").lower().replace(" ", "")
    charset = kind.partition("charset=")[2].strip('"') or "utf-8"
    if kind.split(";")[0] != "application/json" or charset not in ("utf-8", "utf8"):
        raise CallerError("bad_content_type", "The body must be application/json in UTF-8.")
    if (request.header("content-encoding") or "identity").lower() != "identity":
        raise CallerError("bad_encoding", "The body must not be compressed.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that stands twice: a raw template could smuggle a second actor in behind the first."""
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _short(error: Exception) -> str:
    """Name the fault without repeating the body."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    return "nested too deep" if isinstance(error, RecursionError) else str(error)
