"""One call of one function, as the Python worker makes it: arguments in, answer out, one line of log each.

It does not choose the function or the time; that is `sandbox.host`.

Sources, read 2026-11:
    https://github.com/Azure/azure-functions-host (GrpcMessageConversionExtensions.cs: what a request becomes)
    the package azure-functions-runtime 1.3.0 (functions.py, handle_event.py: what a function may be)
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import azure.functions as func
from azure.functions.decorators.function_app import Function
from azure.functions.timer import TimerRequest
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

logger = logging.getLogger("host")


def name_of(function: Function) -> str:
    """Return the name that the host knows a function by."""
    return str(function.get_function_name())


def trigger_of(function: Function) -> dict[str, Any]:
    """Return a function's trigger binding, after checking that the worker would take the function.

    Raises:
        ValueError: it has no trigger, or its parameters are not its bindings and perhaps `context`.
    """
    trigger = function.get_trigger()
    if trigger is None:
        raise ValueError(f"{name_of(function)} has no trigger")
    bound = {str(binding.name) for binding in function.get_bindings()} - {"$return"}
    asked = set(inspect.signature(function.get_user_function()).parameters)
    if asked - {"context"} != bound - {"context"}:
        raise ValueError(f"{name_of(function)} has parameters {sorted(asked)}, but bindings {sorted(bound)}")
    return dict(trigger.get_dict_repr())


def run_timer(function: Function) -> None:
    """Run a timer function.

    Raises:
        Exception: whatever the function raised; it is logged.
    """
    with _logged(function) as invocation_id:
        if _call(function, TimerRequest(past_due=False), invocation_id) is not None:
            raise TypeError("a function without a $return binding returned a value")


def run_timer_quietly(function: Function) -> bool:
    """Run a timer function and return whether it succeeded; a failure ends in the log, as with the host."""
    try:
        run_timer(function)
    except Exception:  # noqa: BLE001 - it is logged, and the next run comes on schedule
        return False
    return True


def run_http(
    function: Function, request: Request, *, raw_path: str, route_params: dict[str, str]
) -> Response:
    """Run an HTTP function and return its answer; 500 with no body when it failed.

    A request that does not arrive whole is 400, and the function is not called.

    Args:
        function: what to run.
        request: what arrived.
        raw_path: the path as it was on the wire.
        route_params: what the route found in the path.
    """
    try:
        request.get_data()
    except (OSError, HTTPException):
        return Response(status=400)
    try:
        with _logged(function) as invocation_id:
            asked = _http_request(request, raw_path, route_params)
            return _http_response(_call(function, asked, invocation_id))
    except Exception:  # noqa: BLE001 - the caller learns nothing of it; the log has all
        return Response(status=500)


@contextmanager
def _logged(function: Function) -> Iterator[str]:
    name, invocation_id, started = name_of(function), str(uuid.uuid4()), time.monotonic()
    logger.info("Executing 'Functions.%s' (Id=%s)", name, invocation_id)
    try:
        yield invocation_id
    except Exception:
        passed_ms = (time.monotonic() - started) * 1000
        logger.exception(
            "Executed 'Functions.%s' (Failed, Id=%s, Duration=%.0fms)", name, invocation_id, passed_ms
        )
        raise
    passed_ms = (time.monotonic() - started) * 1000
    logger.info("Executed 'Functions.%s' (Succeeded, Id=%s, Duration=%.0fms)", name, invocation_id, passed_ms)


def _call(function: Function, value: Any, invocation_id: str) -> Any:
    handler = function.get_user_function()
    arguments = {str(trigger_of(function)["name"]): value}
    if "context" in inspect.signature(handler).parameters and "context" not in arguments:
        arguments["context"] = SimpleNamespace(
            invocation_id=invocation_id,
            function_name=name_of(function),
            function_directory=".",
            trace_context=SimpleNamespace(trace_parent="", trace_state="", attributes={}),
            retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
        )
    if inspect.iscoroutinefunction(handler):
        return asyncio.run(handler(**arguments))
    return handler(**arguments)


def _http_request(request: Request, raw_path: str, route_params: dict[str, str]) -> func.HttpRequest:
    query = request.query_string.decode("latin-1")
    # The host joins what is repeated with commas, and leaves out what is empty.
    params = {name: ",".join(values) for name, values in request.args.lists()}
    return func.HttpRequest(
        request.method,
        f"{request.scheme}://{request.host}{raw_path}{'?' if query else ''}{query}",
        headers=dict(request.headers),
        params={name: value for name, value in params.items() if value},
        route_params=route_params,
        body=request.get_data(),
    )


def _http_response(answer: Any) -> Response:
    if isinstance(answer, str):
        return Response(answer, mimetype="text/plain")
    if not isinstance(answer, func.HttpResponse):
        raise TypeError(f"an HTTP function may return HttpResponse or str, not {type(answer).__name__}")
    response = Response(answer.get_body(), status=answer.status_code, headers=list(answer.headers.items()))
    if "content-type" not in answer.headers:
        is_text = answer.mimetype.startswith("text/")
        response.headers["Content-Type"] = (
            f"{answer.mimetype}{f'; charset={answer.charset}' if is_text else ''}"
        )
    return response
