"""Malformed HTTP through the real surface, byte by byte: each is refused as documented, and calls no service.

Every request is written by hand and goes over a socket to the local host. The host refuses invalid HTTP,
and unknown paths, before the bridge sees them.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

import pytest
from azure.functions.decorators.function_app import Function
from bridge import World
from canaries import FUNCTION_KEY
from corpora import NAUGHTY
from description import codes, operations
from surface import JAMIE, Surface, surface

from coupa_core.documents import COMMENT_SCOPE

CLICKS = ("approve", "reject", "hold", "decision")
WITH_ID = (*CLICKS, "comment", "get_approval", "trace")
KB32 = 32 * 1024
SHADOWED = dict.fromkeys(("/approvals/decide", "/approvals/resend"), "/approvals/{approval_id}")
"""A path that is also one of another route, with another method."""

SAYS = {
    "ambiguous": r"(actor_email|action_token|reason) is given twice, with different values\.",
    "bad_actor": r"X-Actor-Email is no e-mail address\.",
    "bad_approval_id": r"(approval_)?id must be a number of 1 to 19 digits\.",
    "bad_body": r"The body must be a JSON object\.",
    "bad_content_type": r"The body must be application/json in UTF-8\.",
    "bad_decision": r"decision must be approve, reject or hold\.",
    "bad_day": r"(from|to) must be a day such as 2026-11-23\.",
    "bad_encoding": r"The body must not be compressed\.",
    "bad_field": r"(reason|actor_email|(action_)?token|decision|comment|message) "
    r"(must be a text|has half a character \(a surrogate without its partner\))\.",
    "bad_range": r"(to must be a day from [0-9-]{10} to a year from today"
    r"|from must be a day up to 366 days .+)\.",
    "bad_recipients": r"recipients must be a list of e-mail addresses\.",
    "bad_items": r'items must be 1 to 20 of \{"id": "\.\.\.", "token": "\.\.\."\} with different ids\.',
    "bad_json": r"The body is no valid JSON: [A-Za-z0-9'\":,()\\ -]+( at character [0-9]+)?\.",
    "body_too_large": r"(The body is larger than 32768 bytes|This is too long, so nothing .* shorten it)\.",
    "field_too_long": r"(reason|actor_email|(action_)?token|decision|comment) is longer than [0-9]+ char.*\.",
    "length_required": r"The body was sent in chunks, .+: send Content-Length in place of Transfer-Enc.+\. "
    r"Nothing was done\.",
    "no_comment": r"Please write what you would like to know\.",
    "no_actor": r"The actor is missing: send X-Actor-Email\.",
    "relay_off": r"Relaying messages is not enabled on this bridge\.",
    "token_refused": r"The action token is missing or not valid here\.",
    "unknown_field": r"The body may hold [a-z_, ]+ only\.",
}
"""What each refusal says, whole: so that none repeats what was sent."""


@dataclass(frozen=True)
class Case:
    """One request and what must come back.

    Attributes:
        name: of the operation.
        codes: any of these error codes; empty when the host itself refuses.
        statuses: those that the host may answer then.
        says: a part of the message.
        pieces: the bytes that are sent.
    """

    name: str
    codes: frozenset[str]
    pieces: tuple[bytes, ...]
    statuses: frozenset[int] = frozenset()
    says: str = ""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Writer:
    """Writes requests as bytes, with everything right but what a case makes wrong."""

    token: str
    approval_id: str
    _right: dict[str, bytes] = field(default_factory=dict)

    def case(
        self,
        name: str,
        wanted: str | Sequence[str],
        *,
        approval_id: bytes | None = None,
        query: bytes = b"",
        body: bytes | None = None,
        says: str = "",
        **headers: bytes | None,
    ) -> Case:
        """Return a case; a header's underscores are hyphens, and None leaves out one that is right."""
        operation = operations()[name]
        number = self.approval_id.encode() if approval_id is None else approval_id
        path = b"/api" + operation["path"].encode().replace(b"{approval_id}", number)
        given: dict[str, bytes | None] = {
            "Host": b"127.0.0.1",
            "x-functions-key": FUNCTION_KEY.encode(),
            "X-Actor-Email": JAMIE.encode(),
            "X-Action-Token": self.token.encode(),
            "Content-Type": b"application/json" if body is not None else None,
            "Content-Length": str(len(body or b"")).encode() if operation["method"] == "POST" else None,
        }
        given |= {key.replace("_", "-"): value for key, value in headers.items()}
        lines = [b"%s: %s" % (key.encode(), value) for key, value in given.items() if value is not None]
        target = path + (b"?" + query if query else b"")
        start = operation["method"].encode() + b" " + target + b" HTTP/1.1"
        head = b"\r\n".join([start, *lines, b"", b""])
        names = [wanted] if isinstance(wanted, str) else wanted
        return Case(name, frozenset(names), (head, body or b""), says=says)


# ---------------------------------------------------------------------- the requests

# fmt: off
BODIES: list[tuple[str, str, list[bytes]]] = [
    ("bad_json", "at character", [
        b"{", b"}", b"[", b"]", b'"', b":", b",", b"x", b"nul", b"True", b"undefined", b"'x'", b"--", b"\\",
        b"{,}", b"{:}", b'{"reason"', b'{"reason":', b'{"reason":}', b'{"reason": "x"', b'{"reason": "x",}',
        b"{'reason': 'x'}", b"{reason: 1}", b'{"reason" "x"}', b'{"reason": x}', b'{"reason": "x"]', b"[1,]",
        b"{} {}", b"{}x", b"{}\0", b"\0", b"\x01\x02", b"\0{}", b"//c\n{}", b"/*c*/{}", b"#\n{}",
        b"{}\n---\n{}", b'{"reason": "a\nb"}', b'{"reason": "a\tb"}', b'{"reason": "\0"}',
        b'{"reason": "\x1f"}', b'{"reason": "\\x41"}', b'{"reason": "\\u12"}', b'{"reason": "\\ud83d\\u"}',
        b'{"reason": "\\', b'{"reason": 01}', b'{"reason": +1}', b'{"reason": .5}', b'{"reason": 1.}',
        b'{"reason": 0x1}', b'{"reason": 1e}', b'{"reason": 1_000}', b'{"reason": --1}', b'{"reason": nan}',
        b'{"reason": inf}', b"<xml/>", b"<html></html>", b"a=b&c=d", b"reason=x", b"%7B%7D",
        b"--b\r\n\r\nx\r\n--b--", b"{{reason}}", b"\xef\xbb\xbf{}", b'\xef\xbb\xbf{"reason": "x"}',
        b"\xe2\x80\x8b{}", b"\xc2\xa0{}", b"{}\xe2\x80\xa8", '{"reason": "x"}'.encode("utf-16-le"),
        '{"reason": "x"}'.encode("utf-16-be"), "{}".encode("utf-32-le"),
    ]),
    ("bad_json", "not UTF-8", [
        b"\xff", b"\x80", b"\xfe\xff\0{\0}", b"\xff\xfe{\0}\0", b'{"reason": "\xe9"}',
        b'{"reason": "\xc0\xaf"}', b'{"reason": "\xed\xa0\x80"}', b'{"reason": "\xf4\x90\x80\x80"}',
        b'{"reason": "\xe2\x82"}', b"{}\xc3", b'{"\xff": "x"}', gzip.compress(b'{"reason": "x"}'),
        zlib.compress(b"{}"),
    ]),
    ("bad_json", "nested too deep", [
        b"[" * 30_000, b'{"reason": ' + b"[" * 20_000 + b"]" * 10_000,
    ]),
    ("bad_json", "", [b'{"a":' * 6_000, b'{"a":[' * 5_000]),
    ("bad_json", "NaN is no JSON", [
        b"NaN", b'{"reason": NaN}', b'{"reason": [1, NaN]}',
    ]),
    ("bad_json", "Infinity is no JSON", [
        b"Infinity", b'{"reason": Infinity}', b"[-Infinity]", b'{"reason": -Infinity}',
    ]),
    ("bad_json", "a key stands twice", [
        b'{"reason": "a", "reason": "b"}', b'{"reason": "a", "reason": "a"}', b'{"": 1, "": 2}',
        b'{"reason": "a", "rea\\u0073on": "b"}', b'{"reason": {"a": 1, "a": 2}}', b'[{"a": 1, "a": 2}]',
        b'{"actor_email": "jamie@example.com", "reason": "x","actor_email":"cfo@example.com"}',
        b'{"action_token": "a", "action_token": "b"}',
    ]),
    ("bad_body", "", [
        b"[]", b"[{}]", b'"x"', b'""', b"0", b"-0", b"1", b"1.5", b"1e999", b"true", b"false", b"null",
        b" null ", b'["reason", "x"]', b"9" * 5_000, b"-" + b"9" * 30_000, b'"{}"', b"[[[[]]]]",
        b'"\\ud800"',
    ]),
    ("bad_field", "", [
        b'{"reason": 7}', b'{"reason": 7.5}', b'{"reason": -0}', b'{"reason": 1e400}', b'{"reason": true}',
        b'{"reason": []}', b'{"reason": ["x"]}', b'{"reason": {}}', b'{"reason": {"reason": "x"}}',
        b'{"actor_email": 1}', b'{"actor_email": ["jamie@example.com"]}', b'{"actor_email": {"$ne": ""}}',
        b'{"action_token": 0}', b'{"action_token": false}', b'{"action_token": [null]}',
        b'{"reason": ' + b"9" * 5_000 + b"}",
    ]),
    ("unknown_field", "", [
        b'{"": "x"}', b'{"Reason": "x"}', b'{"reason ": "x"}', b'{"reason\\u0000": "x"}',
        b'{"re\\u200bason": "x"}', b'{"__proto__": {}}', b'{"constructor": "x"}', b'{"$where": "1"}',
        b'{"actor": "x"}', b'{"is_admin": true}', b'{"is_admin": null}', b'{"approval_id": "1"}',
        b'{"status": "approved"}', b'{"recipients": []}', b'{"user_email": "cfo@example.com"}',
        b'{"code": "x"}', b'{"reason": "x", "note": "y"}', b'{"\\ud800": "x"}',
        b'{"X-Actor-Email": "cfo@example.com"}', b'{"outcome": "approved", "reason": "x"}',
    ]),
    ("field_too_long", "", [
        json.dumps({"actor_email": "x" * 255}).encode(), json.dumps({"action_token": "x" * 1_001}).encode(),
    ]),
    ("body_too_large", "", [
        b" " * (KB32 + 1), b"{}" + b" " * KB32, b"[" * 100_000, b"\0" * (KB32 + 1),
    ]),
]

KINDS = [
    "text/plain", "text/json", "application/xml", "text/html", "application/x-www-form-urlencoded", "*/*",
    "json", "multipart/form-data; boundary=b", "application/octet-stream", "application/jsonp",
    "application/json5", "x", "application/problem+json", "application/vnd.api+json", "application/x-ndjson",
    "application/", "/json", ";", "application/json; charset=latin-1", "application/json; charset=utf-16",
    "application/json;charset=utf-7", 'application/json; charset="us-ascii"',
    "application/json; charset=utf-8; charset=utf-16", "application/json, x/y",
    "application/json; charset=none", "application/\xffjson", "application/json\x00", "\xe9",
    "application//json",
]

CODINGS = [
    "gzip", "GZIP", "deflate", "br", "zstd", "compress", "x", "gzip, gzip", "identity, gzip", "utf-8", "\xff",
    "*",
]

IDS = [
    "0", "00", "01", "-1", "+1", "-0", "1.0", "1,0", "1e3", "1E3", "0x1", "0b1", "1_0", "1l", "1n", "1-1",
    "1+1", "1*1", "abc", "a1", "1a", "null", "NaN", "true", "undefined", "Infinity", "me", "latest", "*",
    "~", "$1", "@1", "!", "'", "(1)", "1'--", "1;", "1;DROP", "1:1", "1=1", "1&2", "1|2", "[1]", "{1}",
    "{{1}}", "<1>", '"1"', "`1`", "^1", "1\\2", "\\", "9" * 20, "1" + "0" * 30, "1" * 500, "a" * 2_000, "%",
    "%1", "%zz", "1%", "%u0031", "%%31", "...", "1..", "%2e%2e%2f1",
    "..%2f1", "1%2f", "%2f1", "1%2fapprove", "..%5c1", "1%5c", "%252e%252e", "1%3F", "1%3Fx=1", "1%23",
    "1%23x", "1%3B", "1%26a=b", "1%3D", "1%2B1", "1%2C2", "1%25", "1%2500", "1%27", "1%22", "1%3C", "1%20",
    "%201", "1%09", "1%0A", "1%0D", "1%0D%0A", "1%0D%0AX-Actor-Email:%20a@b", "1%00", "%001", "1%00.json",
    "1%7F", "1%0B", "1%1C", "1%C2%85", "1%C2%A0", "%C2%A01", "1%E2%80%8B", "1%E2%80%A8", "%E2%80%AE1",
    "%EF%BB%BF1", "1%CC%81", "%EF%BC%91", "%D9%A1", "%DB%B1", "%E0%A5%A7", "%F0%9D%9F%8F", "%C2%B2",
    "%E2%91%A0", "%E2%85%A0", "1%EF%BC%91", "%C2%B9", "%ff", "%80", "%c0%ae", "%c0%b1", "%ed%a0%80",
    "%f4%90%80%80", "\xef\xbc\x91", "\xff", "\xc2\xb2", "1%2E0", "%2D1", "%30",
]

UPWARD = ["%2e%2e", "%2E%2E", "..", ".%2e"]
"""In the place of an id: the host goes up in the path before it looks for a route, and finds none."""

GARBAGE: list[tuple[set[int], bytes]] = [
    ({0}, b""),
    ({0}, b"\r\n\r\n"),
    ({0, 400}, b"\n"),
    ({400}, b"GARBAGE\r\n\r\n"),
    ({400}, b"GET\r\n\r\n"),
    ({400}, b"\0\0\0\0\r\n\r\n"),
    ({400}, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    ({400}, b"{}\r\n\r\n"),
    ({400}, b"POST /api/approvals HTTP/1.1 extra\r\n\r\n"),
    ({400}, b"GET /api/health HTTP/x.y\r\n\r\n"),
    ({400}, b"GET /api/health HTTP/1\r\n\r\n"),
    ({400}, b"GET /api/health FTP/1.1\r\n\r\n"),
    ({400}, b"POST /api/health\r\n\r\n"),
    ({404}, b"GET http://evil.example/api/approvals HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
    ({404}, b"GET //evil.example/api/approvals HTTP/1.1\r\nHost: a\r\n\r\n"),
    ({404}, b"GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
    ({404}, b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
    ({404}, b"CONNECT evil.example:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ({404}, b"TRACE /api/approvals HTTP/1.1\r\nHost: a\r\n\r\n"),
    ({200}, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ({404}, b"GET /api HTTP/1.1\r\nHost: a\r\n\r\n"),
    ({404}, b"GET /api//approvals HTTP/1.1\r\nHost: a\r\n\r\n"),
    ({401}, b"GET /api/approvals/%2e HTTP/1.1\r\nHost: a\r\n\r\n"),
    ({401}, b"GET /api/./approvals HTTP/1.1\r\nHost: a\r\n\r\n"),
    ({401}, b"GET /api/../api/approvals HTTP/1.1\r\nHost: a\r\n\r\n"),
    ({404}, b"GET /api\\approvals HTTP/1.1\r\nHost: a\r\n\r\n"),
    ({404}, b"GET /api/approvals%2f1 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ({404}, b"GET /api/approvals/1/2/3 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ({404}, b"GET /api/approvals/1/approve/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    ({404}, b"DELETE /admin/functions/poll_approvals HTTP/1.1\r\nHost: a\r\n%KEY%\r\n"),
    ({415}, b"POST /admin/functions/poll_approvals HTTP/1.1\r\nHost: a\r\n%KEY%\r\n"),
    ({401}, b"POST /admin/functions/poll_approvals HTTP/1.1\r\nHost: a\r\n\r\n"),
    ({404}, b"G\0T /api/approvals HTTP/1.1\r\nHost: a\r\n\r\n"),
    ({404}, b"GETT /api/approvals HTTP/1.1\r\nHost: a\r\n\r\n"),
    ({431}, b"GET /api/approvals HTTP/1.1\r\nX: " + b"a" * 70_000 + b"\r\n\r\n"),
    ({431}, b"GET /api/approvals HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n"),
    ({414}, b"GET /api/approvals?x=" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
    ({414}, b"GET /api/approvals/" + b"1" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
    ({400}, b"POST /api/approvals/1/approve HTTP/1.1\r\nHost: a\r\n%KEY%Content-Length: 9\r\n\r\n{}"),
    ({400}, b"POST /api/approvals/1/hold HTTP/1.1\r\n%KEY%Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    ({400}, b"POST /api/approvals/1/hold HTTP/1.1\r\n%KEY%Transfer-Encoding: chunked\r\n\r\n5\r\n{}"),
]
# fmt: on

_KEY_LINE = f"x-functions-key: {FUNCTION_KEY}\r\n".encode()


def bodies(write: Writer) -> Iterator[Case]:
    for code, says, each in BODIES:
        for body in each:
            for name in CLICKS:
                yield write.case(name, code, body=body, says=says)
    ten_mb = b'{"reason": "' + b"x" * 10_000_000 + b'"}'
    yield write.case("reject", "body_too_large", body=ten_mb)


def kinds(write: Writer) -> Iterator[Case]:
    for name in CLICKS:
        for kind in KINDS:
            header = kind.encode("latin-1")
            yield write.case(name, "bad_content_type", body=b"{}", Content_Type=header)
        for coding in CODINGS:
            body = gzip.compress(b"{}") if coding == "gzip" else b"{}"
            yield write.case(name, "bad_encoding", body=body, Content_Encoding=coding.encode("latin-1"))


def chunks(write: Writer) -> Iterator[Case]:
    for name in (*CLICKS, "decide", "comment", "resend", "resend_all", "unpark", "mute"):
        for coding in (b"chunked", b"Chunked"):
            case = write.case(name, "length_required", Content_Length=None, Transfer_Encoding=coding)
            yield replace(case, pieces=(case.pieces[0], b"0\r\n\r\n"))


def ids(write: Writer) -> Iterator[Case]:
    for name in WITH_ID:
        for number in IDS:
            yield write.case(name, "bad_approval_id", approval_id=number.encode("latin-1"))
        for number in UPWARD:
            case = write.case(name, (), approval_id=number.encode("latin-1"))
            yield replace(case, statuses=frozenset({404}))


def actors(write: Writer) -> Iterator[Case]:
    wanted = ("bad_actor", "no_actor", "field_too_long")
    for text in set(NAUGHTY) - {"a@\u0440\u0443"}:  # that one can be an address
        encoded = text.encode()
        if not set(encoded) & set(b"\r\n"):
            yield write.case("get_approval", wanted, X_Actor_Email=encoded)
            yield write.case("hold", wanted, X_Actor_Email=encoded)
        if len(encoded) < 8_000:
            query = quote(encoded, safe="").encode()
            yield write.case("list_approvals", wanted, query=b"approver_email=" + query, X_Actor_Email=None)
            yield write.case("approve", wanted, query=b"user_email=" + query, X_Actor_Email=None)
        body = json.dumps({"actor_email": text}).encode()
        if len(body) <= KB32:
            yield write.case("reject", wanted, body=body, X_Actor_Email=None)
    for body in (
        b'{"actor_email": "a\\u0000@b"}',
        b'{"actor_email": "\\u202ea@b"}',
    ):
        yield write.case("approve", "bad_actor", body=body, X_Actor_Email=None)
    for raw in (
        b"a\x00@b.c",
        b"a@b.c\x1b[0m",
        b"a@b.c, d@e.f",
        b"a@b.c;d@e.f",
        b"=?utf-8?q?a@b.c?=",
    ):
        yield write.case("get_approval", "bad_actor", X_Actor_Email=raw)


def tokens(write: Writer) -> Iterator[Case]:
    wanted = ("token_refused", "field_too_long")
    head, payload, signature = write.token[:5], *write.token.split(".")[2:]
    forged = [
        *(
            write.token[:-1],
            write.token + "A",
            write.token.upper(),
            write.token[::-1],
            f"{write.token}=",
            "v1...",
            "v1.k1..",
        ),
        *(
            f"{head}.{payload}.",
            f"{head}.{payload}",
            f"v2.k1.{payload}.{signature}",
            f"v1.k2.{payload}.{signature}",
        ),
        *(
            f"v1..{payload}.{signature}",
            f"{write.token}.{signature}",
            f"{payload}.{signature}",
            f"alg.none.{payload}.",
        ),
        *(write.token.replace(".", ".."), write.token.replace(".", "\u2024"), f"{write.token},{write.token}"),
    ]
    for text in [*NAUGHTY, *forged]:
        encoded = text.encode()
        if not set(encoded) & set(b"\r\n"):
            yield write.case("approve", wanted, X_Action_Token=encoded)
        if len(encoded) < 8_000:
            query = b"action_token=" + quote(encoded, safe="").encode()
            yield write.case("hold", wanted, query=query, X_Action_Token=None)
        body = json.dumps({"action_token": text, "reason": "x"}).encode()
        if len(body) <= KB32:
            yield write.case("reject", wanted, body=body, X_Action_Token=None)


def decisions(write: Writer) -> Iterator[Case]:
    for text in [
        *NAUGHTY,
        "APPROVE",
        "approve ",
        "approved",
        "aprove",
        "approve\0",
        "approve,reject",
        "yes",
        "delete",
    ]:
        body = json.dumps({"decision": text}).encode()
        if len(body) <= KB32:
            yield write.case("decision", ("bad_decision", "field_too_long"), body=body)
    for body in (b"", b"{}", b'{"decision": null}', b'{"reason": "approve"}'):
        yield write.case("decision", "bad_decision", body=body)
    for body in (
        b'{"decision": 1}',
        b'{"decision": true}',
        b'{"decision": ["approve"]}',
        b'{"decision": {}}',
    ):
        yield write.case("decision", "bad_field", body=body)


def reasons(write: Writer) -> Iterator[Case]:
    """A strange reason is no fault; without a good token it goes nowhere."""
    for text in NAUGHTY:
        body = json.dumps({"reason": text}).encode()
        wanted = ("token_refused", "field_too_long")
        if len(body) <= KB32:
            yield write.case("reject", wanted, body=body, X_Action_Token=b"none")
        if len(text.encode()) < 8_000:
            query = b"reason=" + quote(text.encode(), safe="").encode()
            yield write.case("hold", wanted, query=query, X_Action_Token=b"none")


def disagreements(write: Writer) -> Iterator[Case]:
    for name in CLICKS:
        decided = {"decision": "approve"} if name == "decision" else {}

        def body(decided: dict[str, str] = decided, **more: str) -> bytes:
            return json.dumps({**decided, **more}).encode()

        yield write.case(name, "ambiguous", body=body(actor_email="cfo@example.com"))
        yield write.case(name, "ambiguous", body=body(action_token="v1.k1.x.y"))
        yield write.case(name, "ambiguous", query=b"user_email=cfo@example.com", body=body())
        yield write.case(name, "ambiguous", query=b"approver_email=cfo@example.com", body=body())
        yield write.case(name, "ambiguous", query=b"action_token=x", body=body())
        yield write.case(name, "ambiguous", query=b"reason=x", body=body(reason="y"))
        yield write.case(
            name, "bad_actor", query=b"user_email=a@b&user_email=c@d", body=body(), X_Actor_Email=None
        )
    yield write.case("list_approvals", "ambiguous", query=b"approver_email=cfo@example.com")
    yield write.case("get_approval", "ambiguous", query=b"user_email=cfo@example.com")
    yield write.case("list_approvals", "no_actor", X_Actor_Email=None)
    for query in (
        b"user_email",
        b"user_email=",
        b"&&&",
        b"=",
        b"%",
        b"\xff=\xfe",
        b"a" * 5_000,
        b"user_email[]=a@b",
    ):
        yield write.case("list_approvals", "no_actor", query=query, X_Actor_Email=None)


# fmt: off
ITEMS: list[tuple[str, list[str]]] = [
    ("bad_items", [
        "null", "[]", "{}", '""', '"1"', "1", "true", "[null]", "[[]]", '["1"]', "[1]", "[{}]",
        '[{"token": "x"}]', '[{"id": 1}]', '[{"id": 1.5}]', '[{"id": true}]', '[{"id": null}]',
        '[{"id": ["1"]}]', '[{"id": {"id": "1"}}]', '[{"id": "1", "token": 7}]', '[{"id": "1", "token": []}]',
        '[{"id": "1", "token": {}}]', '[{"id": "1", "token": true}]', '[{"id": "1", "reason": "x"}]',
        '[{"id": "1", "approval_id": "2"}]', '[{"ID": "1"}]', '[{"id ": "1"}]',
        '[{"id": "1"}, {"id": "1"}]', '[{"id": "1", "token": "a"}, {"id": "1", "token": "b"}]',
        '[{"id": "1"}, null]', '[{"id": "1"}, []]', "[" + ", ".join(["{}"] * 1_000) + "]",
        json.dumps([{"id": str(number)} for number in range(1, 22)]),
    ]),
    ("bad_approval_id", [
        json.dumps([{"id": number}])
        for number in ("", "0", "-1", "+1", "01", "1.0", "1e3", "0x1", " 1", "1 ", "1\n", "\u0661", "1" * 20,
                       "1/approve", "1?x", "1,2", "*", "\ud800", "null", "85301 or 1=1")
    ]),
    ("field_too_long", [json.dumps([{"id": "1", "token": "x" * 1_001}])]),
    ("bad_json", ['[{"id": "1", "id": "2"}]', '[{"id": "1"}', '[{"id": NaN}]']),
]
# fmt: on


def several(write: Writer) -> Iterator[Case]:
    good = f'[{{"id": "{write.approval_id}", "token": "{write.token}"}}]'.encode()
    for code, each in ITEMS:
        for items in each:
            yield write.case("decide", code, body=b'{"decision": "approve", "items": %s}' % items.encode())
    yield write.case("decide", "bad_items", body=b'{"decision": "approve"}')
    for given in (b'""', b'"APPROVE"', b'"comment"', b"null", b'"approve,reject"'):
        yield write.case("decide", "bad_decision", body=b'{"decision": %s, "items": %s}' % (given, good))
    for given in (b"1", b"[]", b'["approve"]', b"true"):
        yield write.case("decide", "bad_field", body=b'{"decision": %s, "items": %s}' % (given, good))
    for body in (b"", b"{}", b'{"items": %s}' % good):
        yield write.case("decide", "bad_decision", body=body)
    for name in (b"action_token", b"approval_id", b"token", b"Items"):
        body = b'{"decision": "approve", "items": %s, "%s": "x"}' % (good, name)
        yield write.case("decide", "unknown_field", body=body)
    other = b'{"decision": "approve", "items": %s, "actor_email": "cfo@example.com"}' % good
    yield write.case("decide", "ambiguous", body=other)
    yield write.case("decide", "ambiguous", query=b"user_email=cfo@example.com", body=_approve(good))
    yield write.case("decide", "no_actor", body=_approve(good), X_Actor_Email=None)
    yield write.case("decide", "bad_actor", body=_approve(good), X_Actor_Email=b"a@b.c, d@e.f")
    yield write.case("decide", "bad_content_type", body=_approve(good), Content_Type=b"text/plain")
    yield write.case("decide", "body_too_large", body=_approve(good) + b" " * KB32)


def _approve(items: bytes) -> bytes:
    return b'{"decision": "approve", "items": %s}' % items


def comments(write: Writer) -> Iterator[Case]:
    for body in (b"", b"{}", b'{"comment": null}', b'{"comment": ""}', b'{"comment": " \\n\\t "}'):
        yield write.case("comment", "no_comment", body=body)
    for body in (b'{"comment": 1}', b'{"comment": ["why?"]}', b'{"comment": {}}', b'{"comment": true}'):
        yield write.case("comment", "bad_field", body=body)
    for name in (b"reason", b"decision", b"comments", b"mention"):
        yield write.case("comment", "unknown_field", body=b'{"comment": "why?", "%s": "x"}' % name)
    yield write.case("comment", "no_actor", body=b'{"comment": "why?"}', X_Actor_Email=None)
    yield write.case("comment", "ambiguous", query=b"action_token=x", body=b'{"comment": "why?"}')
    yield write.case("comment", "bad_json", body=b'{"comment": "a", "comment": "b"}')
    for text in NAUGHTY:
        body = json.dumps({"comment": text}).encode()
        if len(body) <= KB32:
            wanted = ("token_refused", "field_too_long", "no_comment")
            yield write.case("comment", wanted, body=body, X_Action_Token=b"none")


HALVES = (b"\\ud83d", b"\\ude00", b"x\\ud800y", b"\\ude00\\ud83d", b"<b>\\udfff</b>", b"a@b.\\ud83d")
"""Half a surrogate pair as JSON can have it: no UTF-8 can, so that nothing after us could be sent it."""


def halves(write: Writer) -> Iterator[Case]:
    for half in HALVES:
        for name in CLICKS:
            fields = [
                b"reason",
                b"actor_email",
                b"action_token",
                *([b"decision"] if name == "decision" else []),
            ]
            for field_ in fields:
                body = b'{"%s": "%s"}' % (field_, half)
                yield write.case(name, "bad_field", body=body, X_Action_Token=None)
        yield write.case("comment", "bad_field", body=b'{"comment": "%s"}' % half)
        items = b'[{"id": "1", "token": "%s"}]' % half
        yield write.case("decide", "bad_field", body=_approve(items))
        yield write.case("mute", "bad_field", body=b'{"actor_email": "%s", "hours": 1}' % half)


def calendar(write: Writer) -> Iterator[Case]:
    """Both ends of the calendar, near which a day more or less cannot be counted."""
    for query in (
        b"to=0001-01-01",
        b"to=9999-12-31",
        b"from=0001-01-01",
        b"from=9999-12-31",
        b"from=0001-01-01&to=0001-01-01",
        b"from=9999-12-31&to=9999-12-31",
        b"from=9999-12-30&to=9999-12-31",
        b"from=0001-01-01&to=9999-12-31",
        b"to=9998-12-31&format=csv",
        b"to=9999-W53-5",
        b"to=1999-12-31",
    ):
        yield write.case("cycle_times", ("bad_range", "bad_day"), query=query)


def relay(write: Writer) -> Iterator[Case]:
    for body in (
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"message": "x", "recipients": ["a@b.c"]}',
        b" " * 40_000,
        b'{"message": NaN}',
    ):
        yield write.case("notifications", "relay_off", body=body)


def keys(write: Writer) -> Iterator[Case]:
    for name in sorted(set(operations()) - {"health"}):
        for key in (
            None,
            b"",
            b"x",
            FUNCTION_KEY.upper().encode(),
            FUNCTION_KEY[:-1].encode(),
            b"\xff\xfe",
            b"a" * 9_000,
        ):
            case = write.case(name, (), x_functions_key=key)
            yield Case(case.name, case.codes, case.pieces, frozenset({401}))
    for text in NAUGHTY:
        if len(text.encode()) < 8_000:
            query = b"code=" + quote(text.encode(), safe="").encode()
            case = write.case("status", (), query=query, x_functions_key=None)
            yield Case(case.name, case.codes, case.pieces, frozenset({401}))


def methods(write: Writer) -> Iterator[Case]:
    for name, operation in operations().items():
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PROPFIND", "Post", "FOO"):
            paths = {operation["path"], SHADOWED.get(operation["path"])}
            others = {each["method"] for each in operations().values() if each["path"] in paths}
            if method.upper() not in others:
                head, body = write.case(name, ()).pieces
                head = head.replace(operation["method"].encode(), method.encode(), 1)
                yield Case(name, frozenset(), (head, body), frozenset({404}))


def garbage(write: Writer) -> Iterator[Case]:
    for statuses, raw in GARBAGE:
        yield Case(
            "list_approvals",
            frozenset(),
            (raw.replace(b"%KEY%", _KEY_LINE),),
            frozenset(statuses),
        )


GROUPS = (
    bodies,
    kinds,
    chunks,
    ids,
    actors,
    tokens,
    decisions,
    reasons,
    disagreements,
    several,
    comments,
    halves,
    calendar,
    relay,
    keys,
    methods,
    garbage,
)


# ---------------------------------------------------------------------- the tests


@pytest.fixture(scope="module")
def app(functions: list[Function]) -> Iterator[tuple[Surface, Writer]]:
    """Serve one app with an approval that was announced to Jamie, who may hold it."""
    world = World()
    world.requisition(JAMIE, holdable=True)
    world.coupa.desk.granted_scopes |= {COMMENT_SCOPE}
    with surface(functions, world, {"COMMENTS": "on"}) as served:
        [card] = world.announced()
        yield served, Writer(card.slots["action_token"], card.slots["approval_id"])


def read(raw: bytes) -> Answer:
    """Take an answer apart; status 0 when none came, or one of HTTP's first days, which has no status."""
    head, _, body = raw.partition(b"\r\n\r\n")
    found = re.match(rb"HTTP/1\.1 ([0-9]{3}) ", head)
    if found is None:
        said = re.search(rb"Error code: ([0-9]{3})", raw)
        return Answer(int(said[1]) if said else 0, {}, raw)
    lines = [line.partition(b":") for line in head.split(b"\r\n")[1:]]
    headers = {key.decode().lower(): value.strip().decode("latin-1") for key, _, value in lines}
    return Answer(int(found[1]), headers, body)


def complaint(case: Case, answer: Answer) -> str | None:  # noqa: PLR0911 - one return for each fault
    """Say what is wrong with an answer, or None."""
    if not case.codes:
        if answer.status not in case.statuses:
            return f"answered {answer.status}, not {sorted(case.statuses)}"
        return "the host answered with JSON" if "json" in answer.headers.get("content-type", "") else None
    if answer.status not in range(400, 500):
        return f"answered {answer.status} {answer.body[:80]!r}"
    body: dict[str, Any] = json.loads(answer.body)
    if answer.headers["content-type"] != "application/json" or set(body) != {
        "error",
        "message",
        "request_id",
    }:
        return f"has another form: {body}"
    if body["error"] not in case.codes or body["error"] not in codes(case.name, answer.status):
        return f"is {answer.status} {body['error']}, not {sorted(case.codes)}"
    if not re.fullmatch(SAYS[body["error"]], body["message"]) or case.says not in body["message"]:
        return f"does not say {case.says!r}: {body['message']}"
    return None if re.fullmatch("[0-9a-f]{32}", body["request_id"]) else "has no request id"


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_malformed_requests_are_refused_as_documented_and_ask_nobody(
    app: tuple[Surface, Writer], caplog: pytest.LogCaptureFixture, group: Any
) -> None:
    served, write = app
    served.coupa.clear()
    served.moveworks.clear()
    wrong = []

    for case in group(write):
        fault = complaint(case, read(served.raw(*case.pieces)))
        if served.coupa.connections or served.moveworks.connections:
            fault = f"reached a service: {served.coupa.sent() + served.moveworks.sent()}"
            served.coupa.clear()
            served.moveworks.clear()
        if fault:
            wrong.append(f"{case.name} {case.pieces[0][:120]!r} {case.pieces[-1][:80]!r}: {fault}")

    assert not wrong, "\n".join(wrong)
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []
    assert served.world.puts() == 0


@pytest.mark.slow
def test_there_are_thousands_of_them_and_none_is_sent_twice() -> None:
    write = Writer("v1.k1.payload.signature", "1")
    cases = [case for group in GROUPS for case in group(write)]

    twice = [pieces for pieces, number in Counter(case.pieces for case in cases).items() if number > 1]
    assert len(cases) > 2_000
    assert twice == []


def test_the_same_requests_without_a_fault_are_served(app: tuple[Surface, Writer]) -> None:
    """Guard the guard: were the writer wrong, everything would be refused for another reason."""
    served, write = app
    for name, body in (("get_approval", None), ("list_approvals", None), ("hold", b'{"reason": "wait"}')):
        answer = read(served.raw(*write.case(name, (), body=body).pieces))

        assert answer.status == 200, answer


RELAYED = {"RELAY_DOMAINS": "example.com", "RELAY_HTML": "on"}


@pytest.mark.parametrize("html", [b"true", b"false"])
def test_a_message_to_relay_with_half_a_character_is_refused_and_sent_to_nobody(
    functions: list[Function], html: bytes
) -> None:
    write = Writer("", "1")
    with surface(functions, World(), RELAYED) as served:
        for half in HALVES:
            message = b'{"message": "%s", "html": %s, "recipients": ["ann@example.com"]}' % (half, html)
            for case in (
                write.case("notifications", "bad_field", body=message),
                write.case(
                    "notifications",
                    "bad_recipients",
                    body=b'{"message": "x", "html": %s, "recipients": ["%s@example.com"]}' % (html, half),
                ),
            ):
                assert complaint(case, read(served.raw(*case.pieces))) is None
        assert served.moveworks.connections == []
