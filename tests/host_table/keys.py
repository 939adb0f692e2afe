"""Rows about keys: the functions that each opens, its place in a request, and the form of a refusal."""

from __future__ import annotations

from host_app.function_app import ROUTES, Route

from host_table.rows import JSON, OPEN, Row, Sent

KEY = "x-functions-key"
LIST, STATUS = "/api/approvals", "/api/status"

OWN_KEYS = (
    ("list_approvals", "list_key"),
    ("get_approval", "get_key"),
    ("decide", "decide_key"),
    ("status", "ops_key"),
)
"""Keys of single functions: which, and how rows name it."""

CLOSED = (
    ("no key", None),
    ("a wrong key", "wrong"),
    ("an empty key", ""),
    ("a system key", "{system_key}"),
    ("another function's key", "{ops_key}"),
)
OPENING = (
    ("the function's key", "{list_key}"),
    ("a host key", "{host_key}"),
    ("the master key", "{master_key}"),
)


def path_of(route: Route) -> str:
    """Return a path that leads to this function."""
    return f"/api/{route.template}".format(approval_id="17")


def refused(name: str, sent: Sent) -> Row:
    """Return a row of a request whose key opens nothing."""
    headers = {"Content-Length": "0", "WWW-Authenticate": None}
    return Row(name, sent, 401, headers=headers, about_keys=True)


def opened(name: str, sent: Sent, function: str = "list_approvals") -> Row:
    """Return a row of a request whose key opens this function."""
    return Row(name, sent, reaches=function, about_keys=True)


def _header(*values: str, target: str = LIST) -> Sent:
    return Sent(target=target, headers=tuple((KEY, value) for value in values))


def _each_place() -> list[Row]:
    rows = []
    for what, key in CLOSED:
        rows.append(refused(f"{what} in the header opens nothing", _header(*([] if key is None else [key]))))
        if key is not None:
            rows.append(refused(f"{what} in code opens nothing", Sent(target=f"{LIST}?code={key}")))
    for what, key in OPENING:
        rows.append(opened(f"{what} in the header opens", _header(key)))
        rows.append(opened(f"{what} in code opens", Sent(target=f"{LIST}?code={key}")))
    return rows


def _each_function() -> list[Row]:
    rows = []
    for route in ROUTES:
        body = None if route.method == "GET" else b"{}"
        content = () if route.method == "GET" else (JSON,)
        name, path = route.function, path_of(route)
        without = Sent(route.method, path, content, body)
        if route.is_anonymous:
            rows.append(opened(f"{name} needs no key", without, name))
        else:
            rows.append(refused(f"{name} is not reached without a key", without))
        sent = Sent(route.method, path, (OPEN, *content), body)
        rows.append(Row(f"{name} is reached with a key that opens all", sent, reaches=name))
    return rows


ROWS = [
    *_each_place(),
    *_each_function(),
    opened("a right header beside a wrong code opens", _header("{list_key}", target=f"{LIST}?code=wrong")),
    refused(
        "a wrong header beside a right code opens nothing",
        _header("wrong", target=f"{LIST}?code={{list_key}}"),
    ),
    refused(
        "an empty header beside a right code opens nothing", _header("", target=f"{LIST}?code={{list_key}}")
    ),
    opened(
        "of two codes the first counts: right, wrong", Sent(target=f"{LIST}?code={{list_key}}&code=wrong")
    ),
    refused(
        "of two codes the first counts: wrong, right", Sent(target=f"{LIST}?code=wrong&code={{list_key}}")
    ),
    opened("of two headers the first counts: right, wrong", _header("{list_key}", "wrong")),
    refused("of two headers the first counts: wrong, right", _header("wrong", "{list_key}")),
    opened("CODE is code", Sent(target=f"{LIST}?CODE={{list_key}}")),
    opened(
        "the header's name has any letter case",
        Sent(target=LIST, headers=(("X-FUNCTIONS-KEY", "{list_key}"),)),
    ),
    opened("a function's key of a name of its own opens it", _header("{ops_key}", target=STATUS), "status"),
    refused(
        "a key as a bearer token opens nothing",
        Sent(target=LIST, headers=(("Authorization", "Bearer {host_key}"),)),
    ),
    refused(
        "the master key as a bearer token opens nothing",
        Sent(target=LIST, headers=(("Authorization", "Bearer {master_key}"),)),
    ),
    refused(
        "a function's key opens no other whose path is longer",
        _header("{list_key}", target="/api/approvals/17"),
    ),
    refused(
        "GET approvals/decide does not take the key of decide",
        _header("{decide_key}", target="/api/approvals/decide"),
    ),
    opened(
        "GET approvals/decide takes the key of get_approval",
        _header("{get_key}", target="/api/approvals/decide"),
        "get_approval",
    ),
    Row(
        "the function sees the key of the header",
        _header("{list_key}"),
        reaches="list_approvals",
        saw={"headers.x-functions-key": "{list_key}"},
        about_keys=True,
    ),
    Row(
        "the function sees the key of code, in its URL, too",
        Sent(target=f"{LIST}?code={{list_key}}"),
        reaches="list_approvals",
        saw={"params.code": "{list_key}", "url": "http://{host}/api/approvals?code={list_key}"},
        about_keys=True,
    ),
]

DEVELOPMENT = [
    Row("nobody is asked for a key in development", Sent(target=LIST), reaches="list_approvals"),
    Row("a wrong key is no matter in development", _header("wrong"), reaches="list_approvals"),
    Row(
        "the host says how it is without a key in development",
        Sent(target="/admin/host/status"),
        says={"state": "Running"},
    ),
    Row(
        "the timer runs without a key in development",
        Sent("POST", "/admin/functions/poll_approvals", (JSON,), b"{}"),
        202,
    ),
]
