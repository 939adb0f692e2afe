"""The routes by which operators read the state of the bridge."""

from __future__ import annotations

from typing import Any

from openapi.parts import Operation, Response
from openapi.reports import CycleTimes, Status
from openapi.stories import Trace

OPERATIONS: dict[str, Operation] = {
    "status": Operation(
        brief="operators: the state of every pending approval; `full=1` lists all of them, in pages",
        summary="Show the state of every pending approval",
        description=(
            "For operators. The bridge lists the approvals that are pending in Coupa now and gives "
            "the state of each: ids, keys of people, states, times and codes; no purchase data and "
            "no address.\n"
            "`unaccounted` counts the approvals that the bridge should have seen and has not; it "
            "must be 0.\n"
            "Each list has at most 100 approvals, oldest first. With `full` the answer has all "
            "approvals instead, in pages of 5000.\n"
        ),
        tag="Operators",
        parameters=("Full", "After", "RequestId"),
        answers=(
            Response(
                200,
                "The state of all approvals, also if Coupa did not list all (`pending.failure`).",
                Status,
                {"healthy": "Status"},
            ),
        ),
        failures=("BadStatus", "NoKey", "CallerRefused", "Crowd", "NotConfigured", "LedgerOutOfReach"),
    ),
    "cycle_times": Operation(
        brief="operators: the waits of approvals, by ISO week, type and approver, as JSON or CSV",
        summary="Show the waits of approvals",
        description=(
            "For operators. The time from the first notice to the decision, by ISO week, type of "
            "document and approver."
        ),
        tag="Operators",
        parameters=("From", "To", "Format", "RequestId"),
        answers=(
            Response(
                200,
                "The waits that ended on these days, by kind.",
                CycleTimes,
                {"one": "CycleTimes"},
                csv=(
                    "week,document_type,approver,count,median_s,p95_s,longest_s\r\n"
                    "2026-W48,RequisitionHeader,group:3,12,5400.0,93600.0,172800.0\r\n"
                ),
            ),
        ),
        failures=("BadDays", "NoKey", "CallerRefused", "Crowd", "NotConfigured", "LedgerOutOfReach"),
    ),
    "trace": Operation(
        brief="operators: the history of one approval and its messages, in words; `live=1` also reads Coupa",
        summary="Show the history of an approval and its messages",
        description=(
            "For operators. The history explains in sentences why each person did or did not get a "
            "message. It comes from the ledger and the audit log, with `live` also from Coupa. It "
            "names people by their addresses in the audit log."
        ),
        tag="Operators",
        parameters=("ApprovalId", "Live", "RequestId"),
        answers=(
            Response(
                200,
                "The history, oldest event first, present state last.",
                Trace,
                {"told": "Trace"},
            ),
        ),
        failures=(
            "BadTrace",
            "NoKey",
            "CallerRefused",
            "NeverSeen",
            "Crowd",
            "NotConfigured",
            "LedgerOutOfReach",
        ),
    ),
}

EXAMPLES: dict[str, tuple[str, Any]] = {
    "Status": (
        "A healthy bridge",
        {
            "is_healthy": True,
            "is_proved": True,
            "pending": {
                "total": 2,
                "accounted": 2,
                "unaccounted": 0,
                "is_complete": True,
                "failure": "",
                "unreadable": 0,
                "median_s": 120.0,
                "p95_s": 3600.0,
                "longest_s": 3600.0,
            },
            "unaccounted": [],
            "groups": [
                {
                    "place": "announced",
                    "cause": "",
                    "count": 1,
                    "median_s": 120.0,
                    "p95_s": 120.0,
                    "longest_s": 120.0,
                },
                {
                    "place": "waiting",
                    "cause": "not_your_turn",
                    "count": 1,
                    "median_s": 3600.0,
                    "p95_s": 3600.0,
                    "longest_s": 3600.0,
                },
            ],
            "lists": {
                "announced": [
                    {
                        "approval_id": "85301",
                        "place": "announced",
                        "document_type": "RequisitionHeader",
                        "document_id": "5001",
                        "asked": "user:101",
                        "told": ["user:101"],
                        "sent_at": "2026-11-23T09:00:01+00:00",
                        "age_s": 120,
                    }
                ],
                "waiting": [
                    {
                        "approval_id": "85302",
                        "place": "waiting",
                        "cause": "not_your_turn",
                        "document_type": "RequisitionHeader",
                        "document_id": "5001",
                        "asked": "user:102",
                        "next_at": "2026-11-23T09:05:01+00:00",
                        "age_s": 3600,
                    }
                ],
            },
            "last_complete_at": "2026-11-23T09:00:02+00:00",
            "last_sweep_at": "2026-11-23T09:00:02+00:00",
            "last_began_at": "2026-11-23T09:00:00+00:00",
            "last_version": "0.2.0",
            "reading": {
                "began_at": "2026-11-23T09:00:00+00:00",
                "calls": 2,
                "left": 0,
                "unread": 0,
                "failed": 0,
                "missed": 0,
                "distrusted_until": None,
            },
            "paused_until": None,
            "is_moveworks_suspect": False,
            "failure": "",
            "counts": {"seen": 2, "quiet": 1, "sent": 1},
            "owed": {"count": 0, "oldest_s": 0, "causes": {}, "since": {}, "stuck": []},
            "pilot": {"is_on": False, "waiting": 0},
            "repeat": None,
            "rates": {"moveworks_per_minute": 100, "used_last_minute": 1, "left": 99},
            "versions": {"package": "0.2.0", "schema": "1"},
            "limits": {
                "max_concurrent": 100,
                "max_outstanding": 100,
                "function_timeout_s": 120,
                "threads": 100,
            },
        },
    ),
    "Trace": (
        "The approver was told",
        {
            "approval_id": "85301",
            "story": [
                {
                    "at": "2026-11-23T09:00:01+00:00",
                    "text": "jamie@example.com was told, as approver: Moveworks took the message.",
                },
                {
                    "at": "2026-11-23T09:00:01+00:00",
                    "text": (
                        "Everybody who is to be told has this version: user:101. Nothing more is sent until "
                        "it changes."
                    ),
                },
            ],
            "row": {
                "approval_id": "85301",
                "state": "sent",
                "document_type": "RequisitionHeader",
                "document_id": "5001",
                "seen_approval": "2026-11-23T00:58:00-08:00",
                "seen_document": "2026-11-23T00:58:00-08:00",
                "told": {
                    "user:101": {
                        "version": "5m0Lz1qkq2zJ1q8c8m3r3A",
                        "to": "user:101",
                        "at": "2026-11-23T09:00:01+00:00",
                    }
                },
                "sent_to": "user:101",
                "first_told_at": "2026-11-23T09:00:01+00:00",
                "attempted_at": "2026-11-23T09:00:00+00:00",
            },
        },
    ),
    "CycleTimes": (
        "One week",
        {
            "from": "2026-11-01",
            "to": "2026-11-30",
            "is_complete": True,
            "rows": [
                {
                    "week": "2026-W48",
                    "document_type": "RequisitionHeader",
                    "approver": "group:3",
                    "count": 12,
                    "median_s": 5400.0,
                    "p95_s": 93600.0,
                    "longest_s": 172800.0,
                }
            ],
        },
    ),
}
