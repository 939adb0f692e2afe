"""Rows about methods and paths, the function's view of the request, and the caller's view of the answer."""

from __future__ import annotations

import gzip
import re

from host_table.rows import JSON, OPEN, Row, Sent

NO_ALLOW = {"Allow": None}
NO_CORS = {
    "Access-Control-Allow-Origin": None,
    "Access-Control-Allow-Methods": None,
    "Access-Control-Allow-Headers": None,
}
ORIGIN = ("Origin", "https://elsewhere.example")
APPROVE = "/api/approvals/17/approve"
ZIPPED = gzip.compress(b'{"comment": "fine"}', mtime=0)


def not_found(name: str, sent: Sent) -> Row:
    """Return a row of a request that no function takes."""
    return Row(name, sent, 404)


def _get(path: str) -> Sent:
    return Sent(target=path, headers=(OPEN,))


def _post(path: str, *headers: tuple[str, str], body: bytes | None = b"{}") -> Sent:
    return Sent("POST", path, (OPEN, *headers), body)


METHODS = [
    *(
        Row(
            f"{method} on a route of {known} is 404, with a key",
            Sent(method, path, (OPEN,), body),
            404,
            headers=NO_ALLOW,
        )
        for method, known, path, body in (
            ("POST", "GET", "/api/status", b"{}"),
            ("PUT", "GET", "/api/approvals/17", b"{}"),
            ("GET", "POST", APPROVE, None),
            ("PUT", "POST", APPROVE, b"{}"),
            ("PATCH", "POST", APPROVE, b"{}"),
            ("DELETE", "POST", APPROVE, None),
            ("OPTIONS", "POST", APPROVE, None),
            ("HEAD", "POST", APPROVE, None),
        )
    ),
    Row("another method is 404 without a key, too", Sent("GET", APPROVE), 404, headers=NO_ALLOW),
    Row("POST on a route that needs no key is 404", Sent("POST", body=b"{}"), 404, headers=NO_ALLOW),
    Row("HEAD on a route of GET is 404", Sent("HEAD"), 404),
    Row("OPTIONS on a route of GET is 404", Sent("OPTIONS"), 404, headers=NO_ALLOW),
    Row(
        "a browser's question before a POST from elsewhere is 404, and allows nothing",
        Sent("OPTIONS", APPROVE, (ORIGIN, ("Access-Control-Request-Method", "POST"))),
        404,
        headers=NO_CORS,
    ),
    Row(
        "an answer to a page from elsewhere allows it nothing",
        Sent(headers=(ORIGIN,)),
        reaches="health",
        headers=NO_CORS,
    ),
]

PATHS = [
    Row(
        "the root is a page",
        Sent(target="/"),
        body=re.compile(rb"(?i)<html"),
        headers={"Content-Type": re.compile("text/html.*")},
    ),
    not_found("an unknown path is 404", _get("/api/nothing")),
    not_found("an unknown path is 404 without a key, too", Sent(target="/api/nothing")),
    not_found("a route without its prefix is 404", _get("/approvals")),
    not_found("a path that is longer than its route is 404", _get("/api/approvals/17/approve/now")),
    Row("a slash at the end is no matter", Sent(target="/api/health/"), reaches="health"),
    Row(
        "a slash at the end of an approval's path is no part of its number",
        _get("/api/approvals/17/"),
        reaches="get_approval",
        saw={"route.approval_id": "17"},
    ),
    not_found("two slashes at the end are 404", Sent(target="/api/health//")),
    not_found("two slashes in the path are 404", Sent(target="/api//health")),
    Row("a route is known in any letter case", Sent(target="/API/Health"), reaches="health"),
    Row(
        "an approval's number keeps its letter case",
        _get("/api/APPROVALS/aB"),
        reaches="get_approval",
        saw={"route.approval_id": "aB"},
    ),
    Row("two dots are resolved", Sent(target="/api/approvals/../health"), reaches="health"),
    Row(
        "two dots are resolved when they are escaped",
        Sent(target="/api/approvals/%2e%2e/health"),
        reaches="health",
    ),
    Row(
        "two dots before an escaped slash are not resolved",
        _get("/api/approvals/..%2fhealth"),
        reaches="get_approval",
    ),
    Row(
        "an escaped slash stays in its part of the path",
        _get("/api/approvals/a%2Fb"),
        reaches="get_approval",
        saw={"route.approval_id": "a%2Fb"},
    ),
    Row(
        "an escaped slash makes no longer path",
        _post("/api/approvals/a%2Fb/approve", JSON),
        reaches="approve",
    ),
    Row("an escaped zero is 400", _get("/api/approvals/a%00"), 400),
    Row(
        "an escape that is none stays as it is",
        _get("/api/approvals/a%zz"),
        reaches="get_approval",
        saw={"route.approval_id": "a%zz"},
    ),
    Row(
        "an escaped space is a space",
        _get("/api/approvals/a%20b"),
        reaches="get_approval",
        saw={"route.approval_id": "a b"},
    ),
    Row(
        "GET approvals/decide is the approval of that number",
        _get("/api/approvals/decide"),
        reaches="get_approval",
        saw={"route.approval_id": "decide"},
    ),
    Row("POST approvals/decide is decide", _post("/api/approvals/decide", JSON), reaches="decide"),
    Row(
        "POST approvals/decide/approve approves the approval of that number",
        _post("/api/approvals/decide/approve", JSON),
        reaches="approve",
        saw={"route.approval_id": "decide"},
    ),
]

GIVEN = [
    Row(
        "the body arrives as it was sent",
        _post(APPROVE, JSON, body=b'{"comment": "\xc3\xbc"}'),
        reaches="approve",
        saw={"body": '{"comment": "\u00c3\u00bc"}'},
    ),
    Row(
        "a body without a length does not exist",
        _post(APPROVE, JSON, body=None),
        reaches="approve",
        saw={"bytes": 0},
    ),
    Row(
        "a length of 0 is an empty body", _post(APPROVE, JSON, body=b""), reaches="approve", saw={"bytes": 0}
    ),
    Row(
        "a body that is sent in chunks reaches the function empty",
        _post(APPROVE, JSON, ("Transfer-Encoding", "chunked"), body=b"2\r\n{}\r\n0\r\n\r\n"),
        reaches="approve",
        saw={"bytes": 0, "headers.transfer-encoding": "chunked"},
    ),
    Row(
        "a body in many chunks reaches the function empty, too",
        _post(APPROVE, JSON, ("Transfer-Encoding", "chunked"), body=b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"),
        reaches="approve",
        saw={"bytes": 0},
    ),
    Row(
        "a compressed body is passed on as it is",
        _post(APPROVE, JSON, ("Content-Encoding", "gzip"), body=ZIPPED),
        reaches="approve",
        saw={"body": ZIPPED.decode("latin-1"), "headers.content-encoding": "gzip"},
    ),
    Row(
        "a parameter that comes twice is joined by a comma",
        _get("/api/approvals?a=1&a=2"),
        reaches="list_approvals",
        saw={"params.a": "1,2"},
    ),
    Row(
        "forged headers of a signed-in caller reach the function",
        Sent(
            target="/api/approvals",
            headers=(OPEN, ("X-MS-CLIENT-PRINCIPAL", "forged"), ("X-MS-CLIENT-PRINCIPAL-ID", "me")),
        ),
        reaches="list_approvals",
        saw={"headers.x-ms-client-principal": "forged", "headers.x-ms-client-principal-id": "me"},
    ),
    Row(
        "the host's version and the run's number are added",
        Sent(),
        reaches="health",
        saw={
            "headers.x-azure-functions-hostversion": re.compile(r"4\..+"),
            "headers.x-azure-functions-invocationid": re.compile("[0-9a-f-]{36}"),
        },
    ),
    Row(
        "they are added to forged ones after a comma",
        Sent(headers=(("X-Azure-Functions-HostVersion", "9"), ("X-Azure-Functions-InvocationId", "mine"))),
        reaches="health",
        saw={
            "headers.x-azure-functions-hostversion": re.compile(r"9, ?4\..+"),
            "headers.x-azure-functions-invocationid": re.compile("mine, ?[0-9a-f-]{36}"),
        },
    ),
    Row("no trace is begun by the host", Sent(), reaches="health", saw={"headers.traceparent": None}),
    Row(
        "the function's answer leaves in chunks",
        Sent(),
        reaches="health",
        at_front=True,
        headers={"Transfer-Encoding": "chunked", "Content-Length": None},
    ),
    Row(
        "an answer has the date and the server's name",
        Sent(),
        reaches="health",
        at_front=True,
        headers={"Date": re.compile(".+ GMT"), "Server": "Kestrel"},
    ),
    Row(
        "a refusal has the date and the server's name",
        Sent(target="/api/nothing"),
        404,
        at_front=True,
        headers={"Date": re.compile(".+ GMT"), "Server": "Kestrel"},
    ),
]
