"""One call of one function, as the Python worker makes it: arguments in, answer out, and one log line each.

Sources, read 2026-11:
    https://github.com/Azure/azure-functions-host (GrpcMessageConversionExtensions.cs: the form of a request)
    the package azure-functions-runtime 1.3.0 (functions.py, handle_event.py: the allowed functions)
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import azure.functions as func
from azure.functions.decorators.function_app import Function
from azure.functions.timer import TimerRequest

from sandbox.calls import Answer, Call, FunctionInfo, HttpCall

FAILED = Answer(500)
"""The caller learns nothing about a failure; the log has everything."""

logger = logging.getLogger("host")


def info_of(function: Function) -> FunctionInfo:
    """Return the host's description of a function, after a check that the worker would accept it.

    Raises:
        ValueError: it has no trigger, or its parameters are not its bindings and optionally `context`.
    """
    name = str(function.get_function_name())
    trigger = function.get_trigger()
    if trigger is None:
        raise ValueError(f"{name} has no trigger")
    bound = {str(binding.name) for binding in function.get_bindings()} - {"$return"}
    asked = set(inspect.signature(function.get_user_function()).parameters)
    if asked - {"context"} != bound - {"context"}:
        raise ValueError(f"{name} has parameters {sorted(asked)}, but bindings {sorted(bound)}")
    return FunctionInfo(name, {key: _plain(value) for key, value in trigger.get_dict_repr().items()})


def _plain(value: Any) -> Any:
    """Return texts in place of the enumerations of `azure.functions`."""
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return getattr(value, "value", value)


def run(function: Function, call: Call) -> Answer:
    """Run a function and return its answer: its own, 200 for a timer function, 500 after a failure."""
    try:
        return run_loudly(function, call)
    except Exception:  # noqa: BLE001 - it is logged
        return FAILED


def run_loudly(function: Function, call: Call) -> Answer:
    """Do the same, and raise the failure.

    Raises:
        Exception: any exception of the function; it is logged.
    """
    with _logged(call):
        if isinstance(call, HttpCall):
            return _http_answer(_call(function, _http_request(call), call))
        if _call(function, TimerRequest(past_due=call.past_due), call) is not None:
            raise TypeError("a function without a $return binding returned a value")
        return Answer(200)


@contextmanager
def _logged(call: Call) -> Iterator[None]:
    name, invocation_id, started = call.function, call.invocation_id, time.monotonic()
    logger.info("Executing 'Functions.%s' (Id=%s)", name, invocation_id)
    try:
        yield
    except Exception:
        passed_ms = (time.monotonic() - started) * 1000
        logger.exception(
            "Executed 'Functions.%s' (Failed, Id=%s, Duration=%.0fms)", name, invocation_id, passed_ms
        )
        raise
    passed_ms = (time.monotonic() - started) * 1000
    logger.info("Executed 'Functions.%s' (Succeeded, Id=%s, Duration=%.0fms)", name, invocation_id, passed_ms)


def _call(function: Function, value: Any, call: Call) -> Any:
    handler = function.get_user_function()
    trigger = function.get_trigger()
    arguments = {str(trigger.name if trigger else ""): value}
    if "context" in inspect.signature(handler).parameters and "context" not in arguments:
        arguments["context"] = SimpleNamespace(
            invocation_id=call.invocation_id,
            function_name=call.function,
            function_directory=".",
            trace_context=SimpleNamespace(trace_parent="", trace_state="", attributes={}),
            retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
        )
    if inspect.iscoroutinefunction(handler):
        return asyncio.run(handler(**arguments))
    return handler(**arguments)


def _http_request(call: HttpCall) -> func.HttpRequest:
    return func.HttpRequest(
        call.method,
        call.url,
        headers=call.headers,
        params=call.params,
        route_params=call.route_params,
        body=call.body,
    )


def _http_answer(answer: Any) -> Answer:
    if isinstance(answer, str):
        kind = [("Content-Type", "text/plain; charset=utf-8")]
        return Answer(200, kind, answer.encode(), of_function=True)
    if not isinstance(answer, func.HttpResponse):
        raise TypeError(f"an HTTP function may return HttpResponse or str, not {type(answer).__name__}")
    headers = [(str(name), str(value)) for name, value in answer.headers.items()]
    if "content-type" not in answer.headers:
        is_text = answer.mimetype.startswith("text/")
        kind_of_body = f"{answer.mimetype}{f'; charset={answer.charset}' if is_text else ''}"
        headers.append(("Content-Type", kind_of_body))
    return Answer(answer.status_code, headers, answer.get_body(), of_function=True)
