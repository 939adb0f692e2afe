"""The attributes that Coupa is asked for of approvals, chains and people."""

from __future__ import annotations

from typing import Any

USER_FIELDS = ["id", "login", "email", "firstname", "lastname", "fullname", "active", "default-locale"]
REPORT_FIELDS: list[Any] = [*USER_FIELDS, {"manager": ["id"]}]
MEMBER_FIELDS: list[Any] = [*USER_FIELDS, {"approval_groups": ["id"]}]
APPROVAL_FIELDS: list[Any] = [
    "id",
    "status",
    "approvable-type",
    "approvable-id",
    "approver-id",
    "approver-type",
    "type",
    "approval-date",
    "position",
    "parallel-group-name",
    "holdable",
    "note",
    "created-at",
    "updated-at",
    {"approver": [*USER_FIELDS, "name", {"users": USER_FIELDS}]},
    {"approved-by": ["id", "login", "email", "fullname"]},
    {"updated-by": ["id"]},
    {"delegate": USER_FIELDS},
    {"delegates": ["id", {"approver": USER_FIELDS}]},
]
DELEGATION_FIELDS = [
    "id",
    "delegator-id",
    "delegate-id",
    "start-date",
    "end-date",
    "approval-delegate",
    {"delegate": USER_FIELDS},
]
CHAIN_FIELDS = [
    "id",
    "status",
    {"approvals": APPROVAL_FIELDS},
    {"current-approval": ["id"]},
    {"current_parallel_approvals": ["id"]},
]
