"""The HTTP side of the simulated Coupa: resources, scopes, actions, content negotiation, and its limits.

It decides nothing about approvals: `sandbox.coupa.world` does.

Where Coupa's public pages are silent, this simulator decides: an action on an existing record that is not
pending is 400 (the schema has no other answer for it), a token without the scope is 403, a wrong method is
404 as in Rails, an unknown attribute in `fields` is 400, and reading delegations needs no scope because no
published list names one.

Of documents it serves the attributes that the pages and the release 39 schemas list for reading, and no
others: an expense report has artifacts at its lines and no attachments, a contract has neither approvals nor
comments nor attachments, an invoice has no list of comments, and the parts of a failed tolerance are "not
currently exposed". Where page and schema differ it serves both: `supplier-initiated` of a purchase order
change is in the schema only. A single form response has a path only below its user or supplier; outside,
only the list has a path.

Sources, read 2026-11, under
https://compass.coupa.com/en-us/products/product-documentation/integration-technical-documentation/the-coupa-core-api
    resources/transactional-resources/approvals-api-(approvals)
        the actions; `reason` is a query parameter
    get-started-with-the-api/differences-between-xml-and-json-in-coupa        typing, hyphens
    get-started-with-the-api/exception-handling-and-error-codes               the limit
    resources/transactional-resources/{expenses-api-(expense_reports),invoices-api-(invoices),\
contracts-api-(contracts),purchase-orders-api-(purchase_orders),easy-form-responses-api-(easy_form_responses)}
    resources/shared-resources/{attachment-file-api,budget-period-api}
    resources/reference-data-resources/{budget-lines-api-(budget-lines),accounts-api-(accounts),\
suppliers-api-(suppliers)-da-5797-da-5797,suppliers-api-(suppliers)/supplier-items-api-(supplier_items)}
    resources/transactional-resources/purchase-orders-api-(purchase_orders)/\
purchase-order-lines-api-da-5961-da-5961
with their scopes from https://github.com/rossumai/university, docs/learn/coupa/oauth-scopes.md
and the attributes from https://compass.coupa.com/_dita_/en-us/documentation/plat/integ/\
core_api_and_csv_download_formats/misc/R39/R39_Core_Platform_API.json, and R39_Purchasing_API.json,
R39_Invoicing_API.json and R39_Expense_Reporting_API.json beside it.
"""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final, Literal, NamedTuple, get_args
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from werkzeug.wrappers import Request, Response

from sandbox.clock import Clock, RealClock
from sandbox.coupa.attributes import COMMENT
from sandbox.coupa.oauth import TokenDesk, TokenRefused
from sandbox.coupa.query import PAGE, Project, QueryError, View, projection, select
from sandbox.coupa.resources import RESOURCES, Resource
from sandbox.coupa.world import (
    APPROVED,
    ON_HOLD,
    PENDING,
    REJECTED,
    NotAllowed,
    Record,
    Table,
    World,
)
from sandbox.front import Front

BASELINE: Final = frozenset(
    [
        "core.approval.read",
        "core.approval.write",
        "core.requisition.read",
        "core.user.read",
        "core.user_group.read",
    ]
)
"""The scopes that Moveworks asks for.

Source: https://help.moveworks.com/docs/coupa-approvals-access-requirements, read 2026-11.
"""

Poison = Literal["500", "400", "403", "404", "truncated", "another type", "missing", "huge"]
"""How a poisoned record changes an answer: a status, half of the answer, a text in its place, the answer
without the record, or sixteen million bytes.
"""

POISONS: Final[tuple[Poison, ...]] = get_args(Poison)

Paging = Literal["as asked", "the first again", "shorter each time", "backwards"]
PAGINGS: Final[tuple[Paging, ...]] = get_args(Paging)

HUGE: Final = 16 * 1024 * 1024

NOTHING: Final = "No results match your search criteria."
ACTIONS: Final = {"approve": APPROVED, "reject": REJECTED, "hold": ON_HOLD}


EVERY: Final = BASELINE | {each.scope for each in RESOURCES.values() if each.scope} | {"core.comment.read"}
"""Every scope that reads a resource here."""
COMMENTED: Final = {
    name: RESOURCES[name].kind for name in ("requisitions", "invoices", "expense_reports", "purchase_orders")
}
"""Documents that take comments, by resource. Source: resources/shared-resources/comments-api; users, too."""
ON: Final = 2
"""The parts of a path of comments: a resource and an id."""

_BY_KIND: Final = {each.kind: each for each in RESOURCES.values() if each.kind}


class Decision(NamedTuple):
    """One decision that the API applied; the reason is unchanged."""

    approval_id: int
    action: str
    reason: str | None


class _Refused(Exception):
    """The answer is an error of this status."""

    def __init__(self, status: int, message: str, *, name: str = "base") -> None:
        super().__init__(message)
        self.status, self.name = status, name


class _Cut(Exception):
    """The answer ends in the middle."""


class CoupaSimulator:
    """One Coupa instance with one API client.

    Args:
        clock: its time.
        client_id: of the client.
        client_secret: of the client.
        granted_scopes: the scopes that the client may request.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        client_id: str = "id",
        client_secret: str = "secret",
        granted_scopes: frozenset[str] = BASELINE,
    ) -> None:
        self.clock: Clock = clock or RealClock()
        self.front = Front(self._handle, clock=self.clock)
        """The WSGI application."""
        self.world = World(self.clock)
        self.desk = TokenDesk(
            self.clock, client_id=client_id, client_secret=client_secret, granted_scopes=granted_scopes
        )
        self.settle_s = 0.0
        """A token is refused for this time after it was minted; Coupa asks for a five-second buffer."""
        self.failed_mint_kills_token = False
        """Whether a refused token request ends every token, as Coupa warns."""
        self.action_body: Literal["document", "approval"] = "document"
        """The body of the answer to an action; Coupa's prose and its schema disagree."""
        self.not_current: Literal["refuse", "accept"] = "refuse"
        """The result of a decision out of turn; not published."""
        self.max_per_second: int | None = None
        """The allowed requests in any one second; Coupa publishes 25."""
        self.retry_after: str | None = None
        """The value of `Retry-After` with a 429; reports differ on whether Coupa sends it."""
        self.most_rows: int | None = None
        """Records in one answer, even when a larger limit would allow more."""
        self.broken: set[tuple[str, int]] = set()
        """Records, by XML root and id, that break every answer which would show more of them than the id."""
        self.poison: dict[tuple[str, int], Poison] = {}
        """The same records, with the way in which such an answer breaks."""
        self.spoils_ids = False
        """Such an answer breaks also where it would show only the id."""
        self.paging: Paging = "as asked"
        """The page size of all lists of records, whatever the request says."""
        self._shrunk = PAGE
        self.hidden_fields: set[str] = set()
        """Names that a default response filter removes from answers to requests without `fields`."""
        self.hide_always = False
        """Remove the hidden fields from every answer."""
        self.decisions: list[Decision] = []
        """The decisions that the API applied, in order."""
        self.updates: list[int] = []
        """Approvals for which an update was requested, which changes nothing: a sign of a wrong URL."""
        self.api_user = self.world.add_user(
            id=9464, email="api-client@coupa.example", firstname="Approvals", lastname="Integration"
        )
        """The identity that Coupa records for decisions through the API."""
        self._recent: deque[float] = deque()
        self._lock = threading.Lock()

    # ------------------------------------------------------------------ one request

    def _handle(self, request: Request) -> Response:
        if not self._has_room():
            response = Response("Retry later\n", status=429, mimetype="text/plain")
            if self.retry_after is not None:
                response.headers["Retry-After"] = self.retry_after
            return response
        if request.path == "/oauth2/token" and request.method == "POST":
            return self.desk.answer(request, kills=self.failed_mint_kills_token)
        return self._answer(request, is_json="application/json" in request.environ.get("HTTP_ACCEPT", ""))

    def _answer(self, request: Request, *, is_json: bool) -> Response:
        """Answer under `/api`. A list without records is an error in XML and an empty list in JSON."""
        try:
            root, body = self._route(request)
        except _Refused as refused:
            return _error(refused.status, refused.name, str(refused), is_json=is_json)
        except _Cut:
            return Response('[{"id": 85001, "status": "pend', mimetype="application/json")
        except QueryError as wrong:
            return _error(400, wrong.name, wrong.message, is_json=is_json)
        except TokenRefused as refused:
            error = {"error": "invalid_token", "error_description": str(refused)}
            return Response(json.dumps(error), status=401, mimetype="application/json")
        if body == [] and not is_json:
            return _error(404, "base", NOTHING, is_json=False)
        return _answer(root, body, 201 if request.method == "POST" else 200, is_json=is_json)

    def _has_room(self) -> bool:
        """Count a request; one that is refused does not count."""
        if self.max_per_second is None:
            return True
        with self._lock:
            now = self.clock.monotonic()
            while self._recent and now - self._recent[0] >= 1.0:
                self._recent.popleft()
            if len(self._recent) >= self.max_per_second:
                return False
            self._recent.append(now)
            return True

    def _route(self, request: Request) -> tuple[str, Any]:
        """Return the XML root of the answer and the answer."""
        scopes = self.desk.scopes(request.environ.get("HTTP_AUTHORIZATION", ""), settle_s=self.settle_s)
        path = str(request.environ.get("RAW_URI") or request.path).split("?")[0]
        query = dict(parse_qsl(request.environ.get("QUERY_STRING", ""), keep_blank_values=True))
        method = "PUT" if request.method == "PATCH" else request.method
        match method, path.split("/")[1:]:
            case "GET", ["api", name] if name in RESOURCES:
                return self._list(RESOURCES[name], query, scopes)
            case "GET", ["api", name, number] if name in RESOURCES and RESOURCES[name].is_shown:
                return self._show(RESOURCES[name], _id(number), query, scopes)
            case "GET", ["api", *on, "comments"] if not on or (len(on) == ON and on[0] in COMMENTED):
                return self._comments(on, query, scopes)
            case "POST", ["api", name, number, "comments"] if name in COMMENTED:
                return self._write_comment(COMMENTED[name], _id(number), query, request, scopes)
            case "PUT", ["api", "approvals", number]:
                _need("core.approval.write", scopes)
                answer = self._show(RESOURCES["approvals"], _id(number), {}, scopes)
                self.updates.append(int(number))
                return answer
            case "PUT", ["api", "approvals", number, action] if action in ACTIONS:
                _need("core.approval.write", scopes)
                return self._act(_id(number), action, query)
        raise _Refused(404, "The page was not found")

    # ------------------------------------------------------------------ reading

    def _list(self, resource: Resource, query: dict[str, str], scopes: frozenset[str]) -> tuple[str, Any]:
        _need(resource.scope, scopes)
        project, fields = self._shape(resource.view, query)
        with self.world.lock:
            found = self._page(resource, query)
            rows = [
                served for row in found for served in self._poisoned(resource, row.id, project(row), fields)
            ]
        return resource.root, self._visible(rows, fields)

    def _page(self, resource: Resource, query: dict[str, str]) -> list[Any]:
        """Return a page of records, as requested or as a switch says."""
        table = self._table(resource)
        if self.paging == "the first again":
            query = {key: value for key, value in query.items() if not _KEYSET.fullmatch(key)}
        found = select(resource.view, table, query)[: self.most_rows]
        if self.paging == "backwards":
            return found[::-1]
        if self.paging == "shorter each time":
            self._shrunk = self._shrunk // 2 or PAGE
            return found[: self._shrunk]
        return found

    def _poisoned(self, resource: Resource, number: int, served: Any, fields: str | None) -> list[Any]:
        """Return the form of a record in an answer: usually the record itself."""
        how = self.poison.get((resource.root, number))
        if (resource.root, number) in self.broken:
            how = "500"
        if how is None or (fields == '["id"]' and not self.spoils_ids):
            return [served]
        if how == "missing":
            return []
        if how == "another type":
            return ["odd"]
        if how == "huge":
            return [{**served, "note": "x" * HUGE}]
        if how == "truncated":
            raise _Cut
        raise _Refused(int(how), "Something went wrong")

    def _show(
        self, resource: Resource, number: int, query: dict[str, str], scopes: frozenset[str]
    ) -> tuple[str, Any]:
        _need(resource.scope, scopes)
        _refuse_filters(query)
        project, fields = self._shape(resource.view, query)
        with self.world.lock:
            row = self._table(resource).rows.get(number)
            if row is None:
                raise _Refused(404, "The record was not found")
            for served in self._poisoned(resource, number, project(row), fields):
                return resource.root, self._visible(served, fields)
            raise _Refused(404, "The record was not found")

    def _comments(self, on: list[str], query: dict[str, str], scopes: frozenset[str]) -> tuple[str, Any]:
        """List the comments on one document, by its resource and id, or on all of them.

        Source: "Comments API", which has `/api/comments` for lists and says that "a payload is required" for
        it; here it is `commentable_type` or `commentable_id`.
        """
        _need("core.comment.read", scopes)
        with self.world.lock:
            if on:
                return self._listed_comments(self._document(COMMENTED[on[0]], _id(on[1])).comments, query)
            if not any(key.replace("-", "_").startswith("commentable_") for key in query):
                raise QueryError("commentable_id", "say on what")
            tables = self.world.documents.values()
            every = [each for table in tables for row in table.rows.values() for each in row.comments]
            return self._listed_comments(every, query)

    def _listed_comments(self, comments: Iterable[Any], query: dict[str, str]) -> tuple[str, Any]:
        project, fields = self._shape(COMMENT, query)
        table: Table[Any] = Table()
        for each in comments:
            table.put(each.id, each)
        return "comment", self._visible([project(row) for row in select(COMMENT, table, query)], fields)

    def _document(self, kind: str, number: int) -> Any:
        document = (self.world.documents.get(kind) or Table()).rows.get(number)
        if document is None:
            raise _Refused(404, "The record was not found")
        return document

    def _table(self, resource: Resource) -> Table[Any]:
        world = self.world
        if resource.kind:
            return world.documents.get(resource.kind) or Table()
        tables: dict[str, Table[Any]] = {
            "approval": world.approvals,
            "user": world.users,
            "user-group": world.groups,
            "delegation": world.delegations,
        }
        name = next(name for name, each in RESOURCES.items() if each is resource)
        return tables.get(resource.root) or world.references.get(name) or Table()

    def _shape(self, view: View, query: dict[str, str]) -> tuple[Project, str | None]:
        """Return how to serve the records, and the requested `fields`.

        Source: "API return formats"; `shallow`, which Coupa will remove, is not simulated.
        """
        form = query.get("return_object")
        if form not in {None, "limited", "none"}:
            raise QueryError("return_object", f"{form} is not simulated")
        fields = query.get("fields") if form is None else '["id"]'
        return projection(view, fields), fields

    def _visible(self, served: Any, fields: str | None) -> Any:
        if not self.hidden_fields or (fields is not None and not self.hide_always):
            return served
        return _without(served, self.hidden_fields)

    # ------------------------------------------------------------------ acting

    def _write_comment(
        self, kind: str, number: int, query: dict[str, str], request: Request, scopes: frozenset[str]
    ) -> tuple[str, Any]:
        """Add a comment of the API user; the mentioned users must exist.

        Source: resources/shared-resources/comments-api, which shows the attribute and no limit of its length.
        """
        _need("core.comment.write", scopes)
        _refuse_filters(query)
        project, _ = self._shape(COMMENT, query)
        text = _comment_in(request)
        with self.world.lock:
            document = self._document(kind, number)
            for mentioned in re.findall(r"@\[User:([0-9]{1,19})\]", text):
                if int(mentioned) not in self.world.users.rows:
                    raise _Refused(400, "A mentioned user does not exist", name="comments")
            self.world.comment(document, by=self.api_user, text=text)
            return "comment", project(document.comments[-1])

    def _act(self, number: int, action: str, query: dict[str, str]) -> tuple[str, Any]:
        """Approve, reject or put on hold; the body of the request is ignored."""
        reason = query.pop("reason", None)
        _refuse_filters(query)
        with self.world.lock:
            approval = self.world.approvals.rows.get(number)
            if approval is None:
                raise _Refused(404, "The record was not found")
            document = approval.document
            resource = _BY_KIND.get(document.type) if self.action_body == "document" else None
            resource = resource or RESOURCES["approvals"]
            project, fields = self._shape(resource.view, query)
            if approval.status != PENDING:
                raise _Refused(400, "The approval is not pending", name="status")
            if action == "hold" and not approval.holdable:
                raise _Refused(400, "The approval cannot be put on hold", name="holdable")
            try:
                self.world.decide(
                    number,
                    status=ACTIONS[action],
                    by=self.api_user,
                    note=reason,
                    in_turn=self.not_current == "refuse",
                )
            except NotAllowed as refused:
                raise _Refused(400, str(refused), name="status") from refused
            self.decisions.append(Decision(number, action, reason))
            if reason:
                self.world.comment(document, by=self.api_user, text=reason)
            subject: Record = approval if resource.kind == "" else document
            return resource.root, self._visible(project(subject), fields)


_KEYSET = re.compile(r"id\[[gl]t(_or_eq)?\]|offset")


def _need(scope: str | None, scopes: frozenset[str]) -> None:
    if scope is not None and scope not in scopes:
        raise _Refused(403, f"The scope {scope} is missing")


def _comment_in(request: Request) -> str:
    """Read the JSON body of a new comment: its text and nothing else."""
    body: Any = None
    if request.mimetype == "application/json":
        with suppress(ValueError):
            body = json.loads(request.get_data())
    text = body.get("comments") if isinstance(body, dict) and set(body) == {"comments"} else None
    if not isinstance(text, str) or not text.strip():
        raise _Refused(400, "can't be blank", name="comments")
    return text


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise _Refused(404, "The page was not found")
    return int(text)


def _refuse_filters(query: Iterable[str]) -> None:
    for name in query:
        if name not in {"fields", "return_object"}:
            raise QueryError(name, "unknown parameter")


def _without(served: Any, names: set[str]) -> Any:
    if isinstance(served, dict):
        return {key: _without(value, names) for key, value in served.items() if key not in names}
    return [_without(each, names) for each in served] if isinstance(served, list) else served


# ---------------------------------------------------------------------- bodies


def _answer(root: str, body: Any, status: int, *, is_json: bool) -> Response:
    if is_json:
        return Response(json.dumps(body), status=status, mimetype="application/json")
    name = f"{root}s" if isinstance(body, list) else root
    return Response(
        f'<?xml version="1.0" encoding="UTF-8"?>\n{_xml(name, body)}',
        status=status,
        mimetype="application/xml",
    )


def _error(status: int, name: str, message: str, *, is_json: bool) -> Response:
    """Answer with errors by attribute in JSON, and as plain texts in XML."""
    if is_json:
        return _answer("errors", {"errors": {name: [message]}}, status, is_json=True)
    text = message if name == "base" else f"{name} {message}"
    return _answer("errors", {"error": text}, status, is_json=False)


def _xml(name: str, value: Any) -> str:
    """Write one element; the elements of a list have its name without the plural's s."""
    if value is None:
        return f'<{name} nil="true"/>'
    if isinstance(value, list):
        inner = "".join(_xml(name.removesuffix("s"), each) for each in value)
        return f'<{name} type="array">{inner}</{name}>'
    if isinstance(value, dict):
        return f"<{name}>{''.join(_xml(key, each) for key, each in value.items())}</{name}>"
    if isinstance(value, bool):
        return f'<{name} type="boolean">{str(value).lower()}</{name}>'
    kind = ' type="integer"' if isinstance(value, int) else ""
    return f"<{name}{kind}>{escape(str(value))}</{name}>"
