"""Loads a function app with Microsoft's own Python runtime, calls its functions, and prints what happened.

Started as a process of its own, because the runtime keeps its state in module globals:

    python tests/runtime_driver.py APP_DIR [NAME ...] < requests.json

Without names all functions are called, with names only these; `invocation` is null for the others.
Standard input is `{function name: {"query": {...}, "headers": {...}, "body": ...}}`, for HTTP functions that
need more than a bare request. The last line of standard output is the report:
`{"load_error": str | null, "functions": {name: {"trigger": {...}, "invocation": {...}}}}`, where an
invocation is `{"error": str | null, "status_code", "content_type", "body"}`. Standard error is the log.

The runtime never imports protobuf: it builds its answers from the classes that its caller passes. Below are
the few classes that it needs, with the field names of FunctionRpc.proto.

Sources, read 2026-11:
    the package azure-functions-runtime 1.3.0 (functions.py, handle_event.py)
    https://github.com/Azure/azure-functions-language-worker-protobuf (src/proto/FunctionRpc.proto)
    https://github.com/Azure/azure-functions-python-worker (workers/proxy_worker: what it does before)
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
import re
import sys
import uuid
from types import SimpleNamespace
from typing import Any


class TypedData(SimpleNamespace):
    """One value, in the field that is its kind; none of them for no value."""

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 - protobuf's name
        return next(iter(vars(self)), None)


class ParameterBinding(SimpleNamespace):
    """A value for a parameter."""

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 - protobuf's name
        return "data"


class StatusResult(SimpleNamespace):
    Failure, Success, Cancelled = 0, 1, 2


class BindingInfo(SimpleNamespace):
    out, inout = 1, 2
    undefined, string, binary, stream = 0, 1, 2, 3


PROTOS = SimpleNamespace(
    TypedData=TypedData,
    ParameterBinding=ParameterBinding,
    StatusResult=StatusResult,
    BindingInfo=BindingInfo,
    **dict.fromkeys(
        [
            "FunctionLoadResponse",
            "FunctionMetadataResponse",
            "InvocationResponse",
            "RpcException",
            "RpcFunctionMetadata",
            "RpcHttp",
            "RpcRetryOptions",
            "WorkerInitResponse",
            "WorkerMetadata",
        ],
        SimpleNamespace,
    ),
)


async def ask(handler: Any, verb: str, **fields: Any) -> Any:
    """Send the runtime one message, and return its answer."""
    request = SimpleNamespace(**{verb: SimpleNamespace(**fields)})
    properties = {"host": "127.0.0.1", "protos": PROTOS}
    return await handler(SimpleNamespace(request=request, properties=properties))


def http_input(trigger: dict[str, Any], given: dict[str, Any]) -> TypedData:
    """Return what the host would send for a request to this function; each route parameter is `7`."""
    params = dict.fromkeys(re.findall(r"\{(\w+)\}", trigger["route"]), "7")
    body = b"" if "body" not in given else json.dumps(given["body"]).encode()
    http = SimpleNamespace(
        method=(trigger.get("methods") or ["GET"])[0],
        url="https://app.test/api/" + re.sub(r"\{\w+\}", "7", trigger["route"]),
        headers={"content-type": "application/json"} | given.get("headers", {}),
        query=given.get("query", {}),
        params=params,
        body=TypedData(bytes=body) if body else TypedData(),
    )
    return TypedData(http=http)


def timer_input() -> TypedData:
    """Return what the host would send for a timer that is on time."""
    status = {
        "Last": "0001-01-01T00:00:00",
        "LastUpdated": "0001-01-01T00:00:00",
        "Next": "2026-11-23T09:01:00Z",
    }
    timer = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": False}
    return TypedData(json=json.dumps(timer))


async def invoke(
    runtime: Any, function_id: str, trigger: dict[str, Any], given: dict[str, Any]
) -> dict[str, Any]:
    """Call one function through the runtime."""
    value = http_input(trigger, given) if trigger["type"] == "httpTrigger" else timer_input()
    answer = await ask(
        runtime.invocation_request,
        "invocation_request",
        invocation_id=str(uuid.uuid4()),
        function_id=function_id,
        input_data=[ParameterBinding(name=trigger["name"], data=value)],
        trigger_metadata={},
        trace_context=SimpleNamespace(trace_parent="", trace_state="", attributes={}),
        retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
    )
    report: dict[str, Any] = {"error": None, "status_code": None, "content_type": None, "body": None}
    if answer.result.status != StatusResult.Success:
        return report | {"error": answer.result.exception.message}
    if trigger["type"] != "httpTrigger":
        return report
    if answer.return_value.WhichOneof("data") != "http":
        return report | {"status_code": 200, "body": answer.return_value.string}
    http = answer.return_value.http
    headers = {name.lower(): value for name, value in http.headers.items()}
    return report | {
        "status_code": int(http.status_code),
        "content_type": headers["content-type"],
        "body": http.body.bytes.decode(),
    }


async def drive(app_dir: str, requests: dict[str, dict[str, Any]], only: list[str]) -> dict[str, Any]:
    """Load the app as the worker does, and call the functions once, the timers first."""
    os.chdir(app_dir)
    sys.path[:] = [*sys.path[1:], app_dir]  # not this script's folder; and the app last, as in the cloud
    runtime = importlib.import_module("azure_functions_runtime")
    runtime.start_threadpool_executor()
    started = await ask(
        runtime.worker_init_request, "worker_init_request", capabilities={}, function_app_directory=app_dir
    )
    if started.result.status != StatusResult.Success:
        return {"load_error": started.result.exception.message, "functions": {}}
    indexed = await ask(runtime.functions_metadata_request, "functions_metadata_request")
    if not indexed.function_metadata_results:
        return {"load_error": "no function_app.py, or no function in it", "functions": {}}
    functions: dict[str, Any] = {}
    for each in indexed.function_metadata_results:
        await ask(runtime.function_load_request, "function_load_request", function_id=each.function_id)
        bindings = [json.loads(binding) for binding in each.raw_bindings]
        trigger = next(binding for binding in bindings if binding["type"].endswith("Trigger"))
        functions[each.name] = {"id": each.function_id, "trigger": trigger}
    for name, each in sorted(functions.items(), key=lambda item: item[1]["trigger"]["type"] == "httpTrigger"):
        function_id, each["invocation"] = each.pop("id"), None
        if not only or name in only:
            each["invocation"] = await invoke(runtime, function_id, each["trigger"], requests.get(name, {}))
    runtime.stop_threadpool_executor()
    return {"load_error": None, "functions": functions}


def main() -> int:
    """Return 0 when the app loaded and no invocation failed."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    report = asyncio.run(drive(os.path.realpath(sys.argv[1]), json.load(sys.stdin), sys.argv[2:]))
    print("\n" + json.dumps(report))  # noqa: T201 - it is the answer to who started this
    called = filter(None, (each["invocation"] for each in report["functions"].values()))
    failed = [each for each in called if each["error"]]
    return 1 if report["load_error"] or failed else 0


if __name__ == "__main__":
    sys.exit(main())
