"""Rows about sizes and about invalid requests, at the edge of each limit."""

from __future__ import annotations

import dataclasses

from host_table.rows import JSON, OPEN, Row, Sent

APPROVE = "/api/approvals/17/approve"
LARGEST_BODY = 104_857_600
LARGEST_LINE = 8_192
LARGEST_HEADERS = 32_768
MOST_HEADERS = 100


def _line(size: int) -> Sent:
    rest = len("GET /api/health?q= HTTP/1.1\r\n")
    return Sent(target="/api/health?q=" + "a" * (size - rest))


def _headers(size: int) -> Sent:
    # A `Host` of our own, because the length of the right one depends on the port.
    host = ("Host", "localhost")
    rest = sum(len(f"{name}: {value}\r\n") for name, value in (host, ("X-Fill", "")))
    return Sent(headers=(host, ("X-Fill", "a" * (size - rest))), has_host=False)


def _many(number: int) -> Sent:
    return Sent(headers=tuple((f"X-{each}", "a") for each in range(number - 1)))


def _bad(name: str, *headers: tuple[str, str]) -> Row:
    return Row(name, Sent("POST", APPROVE, (OPEN, JSON, *headers), b"{}"), 400, closes=True)


_ROWS = (
    Row(
        "a body of 100 MiB is served",
        Sent("POST", APPROVE, (OPEN,), b"", LARGEST_BODY),
        reaches="approve",
        saw={"bytes": LARGEST_BODY},
    ),
    Row(
        "a body of one byte more is 500 and closed",
        Sent("POST", APPROVE, (OPEN,), b"", LARGEST_BODY + 1),
        500,
        closes=True,
    ),
    Row("a request line of 8 KiB is served", _line(LARGEST_LINE), reaches="health"),
    Row("a request line of one byte more is 414 and closed", _line(LARGEST_LINE + 1), 414, closes=True),
    Row("headers of 32 KiB together are served", _headers(LARGEST_HEADERS), reaches="health"),
    Row("headers of one byte more are 431 and closed", _headers(LARGEST_HEADERS + 1), 431, closes=True),
    Row("100 headers are served", _many(MOST_HEADERS), reaches="health"),
    Row("101 headers are 431 and closed", _many(MOST_HEADERS + 1), 431, closes=True),
    _bad("two lengths are 400 and closed", ("Content-Length", "2"), ("Content-Length", "3")),
    _bad("a length below 0 is 400 and closed", ("Content-Length", "-1")),
    _bad("a length that is no number is 400 and closed", ("Content-Length", "two")),
    _bad("another encoding of the transfer than chunks is 400 and closed", ("Transfer-Encoding", "gzip")),
    Row("a header with a byte over 0x7F is 400", Sent(headers=(("X-Name", "J\u00fcrgen"),)), 400),
    Row("HTTP/1.1 without Host is 400", Sent(has_host=False), 400),
)

ROWS = [dataclasses.replace(row, at_front=True) for row in _ROWS]
