"""The simulated Coupa follows Coupa's published rules, and its switches cover the unpublished ones."""

from __future__ import annotations

import doctest
import json
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import requests

from sandbox.clock import ManualClock
from sandbox.coupa import CoupaSimulator, Group, Line, World, query
from sandbox.coupa.server import BASELINE, EVERY, Poison
from sandbox.serving import InProcess, served

URL = "http://coupa.test"
FORM = {"client_id": "id", "client_secret": "secret", "grant_type": "client_credentials"}
PENDING = {"status": "pending_approval"}


class Client:
    """A session with a token and JSON, as a careful client of Coupa has it."""

    def __init__(self, coupa: CoupaSimulator, scopes: frozenset[str] = BASELINE) -> None:
        self.session = requests.Session()
        self.session.mount(URL, InProcess(coupa.front))
        self.scopes = scopes
        self.token = self.mint().json()["access_token"]

    def mint(self, **changes: Any) -> requests.Response:
        form = FORM | {"scope": " ".join(sorted(self.scopes))} | changes
        return self.session.post(f"{URL}/oauth2/token", data=form)

    def send(self, method: str, path: str, **query: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        return self.session.request(method, f"{URL}/api/{path}", params=query, headers=headers)

    def get(self, path: str, **query: Any) -> Any:
        answer = self.send("GET", path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ids(self, path: str, query: dict[str, Any]) -> list[int]:
        return [row["id"] for row in self.get(path, **query)]

    def status(self, path: str, query: dict[str, Any] | None = None, method: str = "GET") -> int:
        return self.send(method, path, **(query or {})).status_code

    def xml(self, path: str) -> requests.Response:
        return self.session.get(f"{URL}/api/{path}", headers={"Authorization": f"Bearer {self.token}"})


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def coupa(clock: ManualClock) -> CoupaSimulator:
    return CoupaSimulator(clock=clock, granted_scopes=EVERY)


@pytest.fixture
def w(coupa: CoupaSimulator) -> World:
    return coupa.world


@pytest.fixture
def client(coupa: CoupaSimulator) -> Client:
    return Client(coupa)


@pytest.fixture
def ana(w: World) -> int:
    return w.add_user(email="ana@example.com", firstname="Ana", lastname="Ruiz")


@pytest.fixture
def bob(w: World) -> int:
    return w.add_user(email="bob@example.com", firstname="Bob", lastname="Tan")


LINE = Line("Laptop", quantity="2", unit_price="10.50", supplier="ACME")


# ---------------------------------------------------------------------- the token end point


def test_a_token_is_long_bearer_and_lives_a_day(client: Client, clock: ManualClock) -> None:
    minted = client.mint().json()

    assert (minted["token_type"], minted["expires_in"]) == ("bearer", 86_400)
    assert len(minted["access_token"]) > 512
    assert minted["access_token"].count(".") == 2
    clock.advance(86_399)
    assert client.status("approvals") == 200
    clock.advance(1)
    assert client.status("approvals") == 401


def test_a_token_is_asked_for_with_a_form_and_nothing_else(client: Client) -> None:
    form = FORM | {"scope": "core.approval.read"}

    as_json = client.session.post(f"{URL}/oauth2/token", json=form)
    untyped = client.session.post(f"{URL}/oauth2/token", data=b"client_id=id")

    for answer in (as_json, untyped):
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_id": "other"}, 401, "invalid_client"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"scope": "core.approval.read core.invoice.write"}, 400, "invalid_scope"),
        ({"scope": ""}, 400, "invalid_scope"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_a_refused_token_request_says_why(
    client: Client, changes: dict[str, str], status: int, error: str
) -> None:
    answer = client.mint(**changes)

    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_credentials_in_a_header_are_not_read(client: Client) -> None:
    form = {"grant_type": "client_credentials", "scope": "core.approval.read"}

    answer = client.session.post(f"{URL}/oauth2/token", data=form, auth=("id", "secret"))

    assert answer.status_code == 401


def test_a_token_is_refused_until_it_has_settled(
    coupa: CoupaSimulator, client: Client, clock: ManualClock
) -> None:
    coupa.settle_s = 5.0

    assert client.status("approvals") == 401
    clock.advance(5)
    assert client.status("approvals") == 200


def test_several_tokens_are_good_at_once(client: Client) -> None:
    first, second = client.token, client.mint().json()["access_token"]

    assert first != second
    assert client.status("approvals") == 200


def test_a_refused_token_request_ends_the_tokens_there_are_when_switched_on(
    coupa: CoupaSimulator, client: Client
) -> None:
    client.mint(client_secret="wrong")
    assert client.status("approvals") == 200
    coupa.failed_mint_kills_token = True

    client.mint(client_secret="wrong")

    assert client.status("approvals") == 401


def test_a_call_without_a_known_bearer_token_is_401(client: Client) -> None:
    for authorization in ({}, {"Authorization": "Bearer nobody"}, {"Authorization": f"Basic {client.token}"}):
        answer = client.session.get(f"{URL}/api/approvals", headers=authorization)
        assert answer.status_code == 401


# ---------------------------------------------------------------------- scopes, routes, negotiation


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "approvals", "core.approval.read"),
        ("GET", "requisitions", "core.requisition.read"),
        ("GET", "users", "core.user.read"),
        ("GET", "user_groups", "core.user_group.read"),
        ("GET", "invoices", "core.invoice.read"),
        ("GET", "expense_reports", "core.expense.read"),
        ("GET", "contracts", "core.contract.read"),
        ("GET", "purchase_order_changes", "core.purchase_order.read"),
        ("GET", "easy_form_responses", "core.easy_form_response.read"),
        ("GET", "budget_lines", "core.budget.read"),
        ("GET", "purchase_order_lines", "core.purchase_order.read"),
        ("GET", "supplier_items", "core.catalog.read"),
        ("GET", "suppliers", "core.supplier.read"),
        ("GET", "requisitions/5001/comments", "core.comment.read"),
        ("GET", "comments?commentable_id=5001", "core.comment.read"),
        ("PUT", "approvals/85001/approve", "core.approval.write"),
        ("PUT", "approvals/85001", "core.approval.write"),
    ],
)
def test_each_resource_needs_its_scope(
    coupa: CoupaSimulator, ana: int, method: str, path: str, scope: str
) -> None:
    coupa.world.add_requisition(requested_by=ana, approvers=[ana])

    assert Client(coupa, EVERY - {scope}).status(path, method=method) == 403
    assert Client(coupa, frozenset({scope, "core.approval.read"})).status(path, method=method) == 200


def test_delegations_need_no_scope_that_anyone_published(coupa: CoupaSimulator, ana: int, bob: int) -> None:
    day = timedelta(days=1)
    now = coupa.clock.now()
    coupa.world.add_delegation(delegator=ana, delegate=bob, start=now - day, end=now + day)

    (row,) = Client(coupa, frozenset({"core.user.read"})).get("delegations", **{"delegator-id": ana})

    assert (row["delegate-id"], row["approval-delegate"]) == (bob, True)
    assert row["delegate"]["email"] == "bob@example.com"


def test_budget_lines_are_found_by_period_and_segments(coupa: CoupaSimulator, w: World) -> None:
    period = w.add_period("Q4", marks=(1, 2))
    for account in ("HQ-IT", "HQ-HR"):
        w.add_reference("budget_lines", period=period, account=account, remaining="1.00", currency="USD")
    client = Client(coupa, EVERY)

    (row,) = client.get("budget_lines", **{"period[id][in]": period, "segment_2[in]": "IT,Law"})

    assert (row["segment-1"], row["segment-2"], row["segment-3"]) == ("HQ", "IT", None)
    assert (row["remaining"], row["currency"]["code"]) == ("1.00", "USD")
    marks = {name for name, value in row["period"].items() if name.startswith("segment") and value}
    assert (row["period"]["is-open"], marks) == (True, {"segment-1", "segment-2"})
    assert client.ids("budget_lines", {"period[id]": period + 1}) == []


def test_an_account_has_its_segments_and_a_split_line_no_account(client: Client, w: World, ana: int) -> None:
    whole, split = replace(LINE, account="HQ-IT", item="LAPTOP"), replace(LINE, account=("HQ-IT", "HQ-HR"))
    rid = w.add_requisition(requested_by=ana, approvers=[ana], lines=[whole, split])

    first, second = client.get(f"requisitions/{rid}")["requisition-lines"]

    account = first["account"]
    assert (account["code"], account["segment-1"], account["segment-2"]) == ("HQ-IT", "HQ", "IT")
    assert (first["account-allocations"], first["item"]["uom"]["code"]) == ([], "EA")
    assert (second["account"], len(second["account-allocations"])) == (None, 2)


def test_orders_and_catalogues_are_found_by_item_and_supplier(coupa: CoupaSimulator, w: World) -> None:
    item, supplier = w.named("item", "LAPTOP"), w.named("supplier", "ACME")
    about = {"item": "LAPTOP", "supplier": "ACME", "price": "850.00", "currency": "USD"}
    client = Client(coupa, EVERY)
    for resource in ("purchase_order_lines", "supplier_items"):
        w.add_reference(resource, **{**about, "supplier": "Hale"})
        number = w.add_reference(resource, **about, uom="EA")

        assert client.ids(resource, {"item[id][in]": item, "supplier[id][in]": supplier}) == [number]


def test_an_answer_is_xml_unless_json_is_asked_for(client: Client, w: World, ana: int) -> None:
    rid = w.add_requisition(requested_by=ana, title="A & B", approvers=[ana], lines=[LINE])

    shown, listed = client.xml(f"requisitions/{rid}"), client.xml("approvals")

    assert shown.headers["Content-Type"].startswith("application/xml")
    assert "<requisition-header>" in shown.text
    assert "<req-title>A &amp; B</req-title>" in shown.text
    assert '<justification nil="true"/>' in shown.text
    assert "<requisition-line><description" in shown.text
    assert '<approvals type="array"><approval>' in listed.text


def test_no_result_is_an_empty_list_in_json_and_404_in_xml(client: Client) -> None:
    answer = client.xml("approvals")

    assert client.get("approvals") == []
    assert answer.status_code == 404
    assert "<errors><error>No results match your search criteria.</error></errors>" in answer.text


def test_an_error_is_json_by_attribute_or_xml(client: Client, w: World, ana: int) -> None:
    aid = w.approvals_of(w.add_requisition(requested_by=ana, approvers=[ana]))[0].id
    client.send("PUT", f"approvals/{aid}/approve")
    url, bearer = f"{URL}/api/approvals/{aid}/approve", {"Authorization": f"Bearer {client.token}"}

    in_json, in_xml = client.send("PUT", f"approvals/{aid}/approve"), client.session.put(url, headers=bearer)

    assert (in_json.status_code, in_json.json()) == (
        400,
        {"errors": {"status": ["The approval is not pending"]}},
    )
    assert in_xml.status_code == 400
    assert "<errors><error>status The approval is not pending</error></errors>" in in_xml.text


@pytest.mark.parametrize(
    "path",
    [
        "approvals/9",
        "approvals/85001a",
        "approvals/-1",
        "approvals/1/",
        "approvals/85001%2Fapprove",
        "requisitions/1",
        "requisitions/1/comments",
        "contracts/1/comments",
        "nothing",
        f"users/{'9' * 5000}",
    ],
)
def test_what_does_not_exist_is_404(coupa: CoupaSimulator, ana: int, path: str) -> None:
    coupa.world.add_requisition(requested_by=ana, approvers=[ana])

    assert Client(coupa, EVERY).status(path) == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "approvals"),
        ("DELETE", "approvals/85001"),
        ("POST", "approvals/85001/approve"),
        ("GET", "approvals/85001/approve"),
        ("PUT", "requisitions/5001"),
        ("PUT", "requisitions/5001/approve"),
        ("PUT", "approvals/85001/aprove"),
        ("PUT", "approvals/85001%2Fapprove"),
    ],
)
def test_a_wrong_method_or_action_is_404_and_does_nothing(
    coupa: CoupaSimulator, client: Client, ana: int, method: str, path: str
) -> None:
    coupa.world.add_requisition(requested_by=ana, approvers=[ana])

    assert client.status(path, method=method) == 404
    assert (coupa.decisions, coupa.updates) == ([], [])


def test_beyond_the_allowed_rate_is_429_with_or_without_retry_after(
    coupa: CoupaSimulator, client: Client, clock: ManualClock
) -> None:
    coupa.max_per_second = 2

    assert [client.status("approvals") for _ in range(3)] == [200, 200, 429]
    assert "Retry-After" not in client.send("GET", "approvals").headers
    coupa.retry_after = "7"
    assert client.send("GET", "approvals").headers["Retry-After"] == "7"
    clock.advance(0.9)
    assert client.status("approvals") == 429
    clock.advance(0.1)
    assert client.status("approvals") == 200


# ---------------------------------------------------------------------- queries


@pytest.fixture
def twelve(w: World, ana: int, bob: int) -> list[int]:
    """Twelve approvals; the odd ones, counted from nothing, are Bob's."""
    rids = [w.add_requisition(requested_by=ana, approvers=[[ana, bob][n % 2]]) for n in range(12)]
    return [w.approvals_of(rid)[0].id for rid in rids]


def test_ids_are_narrowed_by_each_operator(client: Client, twelve: list[int]) -> None:
    def ids(**query: Any) -> list[int]:
        return client.ids("approvals", {f"id[{key}]" if key != "eq" else "id": v for key, v in query.items()})

    a = twelve
    assert ids(eq=a[3]) == [a[3]]
    assert ids(gt=a[3], lt=a[6]) == a[4:6]
    assert ids(gt_or_eq=a[3], lt_or_eq=a[6]) == a[3:7]
    assert ids(**{"in": f"{a[7]},{a[2]},{a[2]},1"}) == [a[2], a[7]]
    assert ids(**{"in": f"{a[7]},{a[2]}", "gt": a[2]}) == [a[7]]
    assert ids(**{"in": f"{a[7]}", "gt": a[11]}) == []
    assert ids(not_in=f"{a[0]},{a[1]}", lt=a[4]) == a[2:4]
    assert ids(not_eq=a[0], lt=a[3]) == a[1:3]


def test_all_conditions_must_hold(client: Client, w: World, twelve: list[int], bob: int) -> None:
    w.hold(twelve[1])

    assert client.ids("approvals", {"approver-id": bob} | PENDING) == twelve[3::2]
    assert client.ids("approvals", {"status[in]": "on_hold,approved"}) == [twelve[1]]


@pytest.mark.parametrize("dash", ["-", "_"])
def test_names_may_be_written_with_dashes_or_underscores(
    client: Client, twelve: list[int], dash: str
) -> None:
    asked = {
        f"approvable{dash}type": "RequisitionHeader",
        f"updated{dash}at[gt_or_eq]": "2026-11-23",
        "order_by": f"approver{dash}id",
        "fields": json.dumps(["id", f"approver{dash}id", {f"approved{dash}by": ["id"]}]),
    }

    rows = client.get("approvals", **asked)

    assert [row["id"] for row in rows] == twelve[::2] + twelve[1::2]
    assert list(rows[0]) == ["id", "approver-id", "approved-by"]


def test_text_is_compared_with_its_operators(client: Client, w: World, ana: int) -> None:
    blank, a, b = (
        w.add_requisition(requested_by=ana, title=title, justification=why)
        for title, why in [("Chair", None), ("Laptop", "new"), ("Laptop bag", "old")]
    )

    def ids(**asked: str) -> list[int]:
        return client.ids("requisitions", {key.replace("__", "[") + "]": v for key, v in asked.items()})

    assert ids(req_title__contains="top") == [a, b]
    assert ids(req_title__starts_with="Ch") == [blank]
    assert ids(req_title__ends_with="bag") == [b]
    assert ids(justification__blank="true") == [blank]
    assert ids(justification__blank="false") == [a, b]
    assert ids(justification__not_eq="old") == [a]


def test_a_total_is_compared_as_a_number(client: Client, w: World, ana: int) -> None:
    small, great = (
        w.add_requisition(requested_by=ana, lines=[Line("x", amount=amount)]) for amount in ("9", "100")
    )

    assert client.ids("requisitions", {"total[gt]": "10"}) == [great]
    assert client.ids("requisitions", {"total": "9"}) == [small]
    assert client.status("requisitions", {"total[gt]": "much"}) == 400


def test_a_date_without_a_time_is_midnight_utc(
    client: Client, w: World, ana: int, clock: ManualClock
) -> None:
    early = w.add_requisition(requested_by=ana)
    clock.advance(15 * 3600)  # from 09:00 to the midnight that follows
    late = w.add_requisition(requested_by=ana)

    assert client.ids("requisitions", {"updated-at[gt_or_eq]": "2026-11-24"}) == [late]
    assert client.ids("requisitions", {"updated-at[lt]": "2026-11-24"}) == [early]
    assert client.ids("requisitions", {"updated-at[lt]": "2026-11-23T16:00:01-08:00"}) == [early, late]
    assert client.ids("requisitions", {"updated-at[lt]": "2026-11-24T00:00:00Z"}) == [early]


@pytest.mark.parametrize(
    "asked",
    [
        {"statsu": "pending_approval"},
        {"status[like]": "pending"},
        {"requested-by[mail]": "x"},
        {"nobody[email]": "x"},
        {"approver[email]": "ana@example.com"},
        {"id": "ten"},
        {"id[in]": ""},
        {"updated-at[gt]": "yesterday"},
        {"updated-at[gt]": "2026-13-01"},
        {"updated-at[contains]": "2026"},
        {"updated-at[blank]": "true"},
        {"note[blank]": "maybe"},
        {"order_by": "statsu"},
        {"dir": "up"},
        {"limit": "many"},
        {"offset": "-1"},
        {"return_object": "shallow"},
        {"fields": "id"},
        {"fields": '{"id": []}'},
        {"fields": "[1]"},
        {"fields": '["idd"]'},
        {"fields": '[{"approver":["emial"]}]'},
        {"fields": '[{"status":["id"]}]'},
        {"": "x"},
    ],
)
def test_what_is_misspelt_in_a_query_is_refused_by_name(
    client: Client, twelve: list[int], asked: dict[str, str]
) -> None:
    answer = client.send("GET", "approvals", **asked)

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == list(asked)


def test_a_plus_that_is_not_encoded_spoils_a_date(client: Client) -> None:
    url, since = f"{URL}/api/approvals", "updated-at[gt]=2026-11-23T00:00:00"
    headers = {"Authorization": f"Bearer {client.token}", "Accept": "application/json"}

    plain = client.session.get(f"{url}?{since}+01:00", headers=headers)
    encoded = client.session.get(f"{url}?{since}%2B01:00", headers=headers)

    assert (plain.status_code, encoded.status_code) == (400, 200)


def test_a_page_has_fifty_records_whatever_limit_is_asked_for(client: Client, w: World, ana: int) -> None:
    rids = [w.add_requisition(requested_by=ana) for _ in range(60)]

    assert client.ids("requisitions", {}) == rids[:50]
    assert client.ids("requisitions", {"limit": 100}) == rids[:50]
    assert client.ids("requisitions", {"limit": 3}) == rids[:3]
    assert client.ids("requisitions", {"offset": 50}) == rids[50:]
    assert client.ids("requisitions", {"offset": 1, "limit": 2}) == rids[1:3]
    assert client.ids("requisitions", {"order_by": "id", "dir": "desc", "limit": 2}) == rids[:-3:-1]
    assert client.ids("requisitions", {"id[gt]": rids[49], "order_by": "id", "dir": "asc"}) == rids[50:]


def test_records_are_ordered_by_the_attribute_asked_for_nulls_first(
    client: Client, w: World, ana: int
) -> None:
    a, b, c = (
        w.add_requisition(requested_by=ana, justification=why, title=why or "-") for why in ("b", None, "a")
    )

    assert client.ids("requisitions", {"order_by": "justification"}) == [b, c, a]
    assert client.ids("requisitions", {"order_by": "justification", "dir": "desc"}) == [a, c, b]


def test_only_the_fields_asked_for_are_served_also_of_associations(
    client: Client, w: World, ana: int
) -> None:
    rid = w.add_requisition(requested_by=ana, approvers=[ana], lines=[LINE])
    asked = ["id", {"requested_by": ["email"]}, {"requisition_lines": ["total", {"supplier": ["name"]}]}]

    assert client.get(f"requisitions/{rid}", fields=json.dumps(asked)) == {
        "id": rid,
        "requested-by": {"email": "ana@example.com"},
        "requisition-lines": [{"total": "21.00", "supplier": {"name": "ACME"}}],
    }
    assert client.get("requisitions", return_object="limited") == [{"id": rid}]


def test_a_collection_that_is_asked_for_in_hyphens_is_not_served_and_nothing_says_so(
    client: Client, w: World, ana: int
) -> None:
    rid = w.add_requisition(requested_by=ana, approvers=[ana], lines=[LINE])
    hyphens = ["id", "line-count", {"requisition-lines": ["id"]}, {"requested-by": ["id"]}]

    shown = client.get(f"requisitions/{rid}", fields=json.dumps(hyphens))

    assert shown == {"id": rid, "line-count": 1, "requested-by": {"id": ana}}


def test_an_invoice_counts_its_lines_and_a_line_its_accounts(coupa: CoupaSimulator, ana: int) -> None:
    lines = [{"id": 1, "account_allocations": [{"account": {"code": "A"}}, {"account": {"code": "B"}}]}]
    did = coupa.world.add_document(approvable_type="InvoiceHeader", approvers=[ana], invoice_lines=lines)
    asked = ["line-count", {"invoice_lines": ["account", {"account_allocations": [{"account": ["code"]}]}]}]

    shown = Client(coupa, EVERY).get(f"invoices/{did}", fields=json.dumps(asked))

    parts = [{"account": {"code": "A"}}, {"account": {"code": "B"}}]
    assert shown == {"line-count": 1, "invoice-lines": [{"account": None, "account-allocations": parts}]}


def test_users_are_found_by_email_whatever_its_case(client: Client, w: World, ana: int, bob: int) -> None:
    cy = w.add_user(email="Cy@Example.com")

    assert client.ids("users", {"email": "cy@example.com"}) == [cy]
    assert client.ids("users", {"email": "ANA@Example.com"}) == [ana]
    assert client.ids("users", {"email[in]": "ana@example.com,BOB@example.com"}) == [ana, bob]


def test_filters_reach_through_associations(client: Client, w: World, ana: int, bob: int) -> None:
    first = w.add_requisition(requested_by=ana, approvers=[bob, ana], lines=[LINE])
    second = w.add_requisition(requested_by=bob, approvers=[ana])

    def ids(key: str, value: Any) -> list[int]:
        return client.ids("requisitions", {key: value})

    assert ids("requested-by[login]", "ana") == [first]
    assert ids("requisition_lines[supplier][name][starts_with]", "AC") == [first]
    assert ids("current_approver_association[email]", "ana@example.com") == [second]
    assert ids("department[name]", "x") == []


# ---------------------------------------------------------------------- what is served


def test_a_requisition_is_served_with_coupas_types_and_names(
    client: Client, w: World, ana: int, bob: int
) -> None:
    amount = Line("Service", amount="100")
    rid = w.add_requisition(
        requested_by=ana,
        created_by=bob,
        title="Laptops",
        justification="why",
        lines=[LINE, amount],
        approvers=[bob],
        department="IT",
        ship_to="HQ",
        buyer_note="soon",
    )

    shown = client.get(f"requisitions/{rid}")

    assert (shown["id"], shown["status"], shown["total"]) == (rid, "pending_approval", "121.00")
    assert shown["submitted-at"] == "2026-11-23T01:00:00-08:00"
    assert (shown["requested-by"]["fullname"], shown["created-by"]["login"]) == ("Ana Ruiz", "bob")
    assert (shown["currency"]["code"], shown["currency"]["decimals"]) == ("USD", 2)
    assert (shown["department"]["name"], shown["ship-to-address"]["name"]) == ("IT", "HQ")
    assert (shown["line-count"], shown["buyer-note"], shown["need-by-date"]) == (2, "soon", None)
    by_quantity, by_amount = shown["requisition-lines"]
    assert (by_quantity["line-type"], by_quantity["quantity"]) == ("RequisitionQuantityLine", "2")
    assert (by_quantity["unit-price"], by_quantity["supplier"]["name"]) == ("10.50", "ACME")
    assert (by_amount["line-type"], by_amount["quantity"]) == ("RequisitionAmountLine", None)
    assert (by_amount["total"], by_amount["supplier"]) == ("100.00", None)


def test_a_total_has_the_currencys_decimals_and_at_least_two(client: Client, w: World, ana: int) -> None:
    line = Line("x", quantity="3", unit_price="1.0005")
    for currency in ("USD", "JPY", "KWD"):
        w.add_requisition(requested_by=ana, currency=currency, lines=[line])

    rows = client.get("requisitions")

    assert [row["currency"]["decimals"] for row in rows] == [2, 0, 3]
    assert [row["total"] for row in rows] == ["3.00", "3.00", "3.002"]
    assert [row["requisition-lines"][0]["total"] for row in rows] == ["3.00", "3.00", "3.002"]


def test_ids_are_in_order_even_when_one_was_chosen(client: Client, w: World, ana: int) -> None:
    late, early = w.add_requisition(requested_by=ana), w.add_requisition(requested_by=ana, id=7)

    assert client.ids("requisitions", {}) == [early, late]


def test_an_approval_within_its_document_has_no_times(client: Client, w: World, ana: int) -> None:
    rid = w.add_requisition(requested_by=ana, approvers=[ana])

    shown = client.get(f"requisitions/{rid}")

    assert {each["updated-at"] for each in [*shown["approvals"], shown["current-approval"]]} == {None}
    assert client.get("approvals")[0]["updated-at"] == "2026-11-23T01:00:00-08:00"


def test_the_whole_chain_is_pending_from_the_start_and_the_document_says_whose_turn_it_is(
    client: Client, w: World, ana: int, bob: int
) -> None:
    rid = w.add_requisition(requested_by=ana, approvers=[ana, [ana, bob], bob])
    first, second, third, fourth = client.ids("approvals", PENDING)

    def turn() -> tuple[int, list[int]]:
        shown = client.get(f"requisitions/{rid}")
        return shown["current-approval"]["id"], [each["id"] for each in shown["current-parallel-approvals"]]

    assert [each.position for each in w.approvals_of(rid)] == [1, 2, 2, 3]
    assert len({each.parallel_group_name for each in w.approvals_of(rid)[1:3]}) == 1
    assert turn() == (first, [])
    client.send("PUT", f"approvals/{first}/approve")
    assert turn() == (second, [second, third])
    client.send("PUT", f"approvals/{second}/approve")
    assert turn() == (third, [third])
    client.send("PUT", f"approvals/{third}/approve")
    assert turn() == (fourth, [])


def test_a_draft_lists_its_approvals_as_pending_without_times(client: Client, w: World, ana: int) -> None:
    rid = w.add_requisition(requested_by=ana, approvers=[ana], submitted=False)

    (row,) = client.get("approvals", **PENDING)

    assert (row["approvable-id"], row["updated-at"]) == (rid, None)
    assert client.get(f"requisitions/{rid}")["status"] == "draft"
    assert client.status(f"approvals/{row['id']}/approve", method="PUT") == 400
    w.submit(rid)
    submitted = client.get(f"requisitions/{rid}")["submitted-at"]
    assert submitted == client.get(f"approvals/{row['id']}")["created-at"] == "2026-11-23T01:00:00-08:00"
    assert client.status(f"approvals/{row['id']}/approve", method="PUT") == 200


def test_an_approver_may_be_a_group_which_has_no_email(client: Client, w: World, ana: int, bob: int) -> None:
    gid = w.add_group(name="CAB", members=[ana, bob])
    w.add_requisition(requested_by=ana, approvers=[Group(gid), ana])

    fields = json.dumps(["approver-type", "approver-id", {"approver": ["id", "email", "name"]}])
    group, user = client.get("approvals", fields=fields)

    assert gid == ana  # a number says nothing without its type
    assert (group["approver-type"], group["approver"]) == ("ApprovalGroup", {"id": gid, "name": "CAB"})
    assert (user["approver-type"], user["approver"]) == ("User", {"id": ana, "email": "ana@example.com"})
    members = client.get(f"user_groups/{gid}")["users"]
    assert [each["id"] for each in members] == [ana, bob]
    assert client.get(f"users/{bob}")["approval-groups"] == [{"id": gid, "name": "CAB"}]


def test_a_user_may_have_a_manager_who_shows_as_other_people_do(client: Client, w: World, ana: int) -> None:
    cy = w.add_user(email="cy@example.com", firstname="Cy", lastname="Wu", manager=ana)

    manager = client.get(f"users/{cy}")["manager"]
    assert manager["id"] == ana
    assert (manager["login"], manager["firstname"], manager["lastname"]) == ("ana", "Ana", "Ruiz")
    assert "manager" not in manager
    assert client.get("users", id=cy, fields='["login",{"manager":["id"]}]') == [
        {"login": "cy", "manager": {"id": ana}}
    ]
    assert client.get(f"users/{ana}")["manager"] is None
    assert client.ids("users", {"manager[email]": "ana@example.com"}) == [cy]
    assert client.status("approvals", {"fields": '[{"approver":["manager"]}]'}) == 400


def test_a_delegate_shows_while_the_delegation_lasts(
    client: Client, w: World, ana: int, bob: int, clock: ManualClock
) -> None:
    hour = timedelta(hours=1)
    w.add_requisition(requested_by=bob, approvers=[ana])
    w.add_delegation(delegator=ana, delegate=bob, start=clock.now() + hour, end=clock.now() + 2 * hour)

    def delegate() -> tuple[int, int | None, list[int]]:
        (row,) = client.get("approvals")
        return row["approver-id"], row["delegate-id"], [each["approver-id"] for each in row["delegates"]]

    assert delegate() == (ana, None, [])
    clock.advance(3_600)
    assert delegate() == (ana, bob, [bob])
    clock.advance(3_600)
    assert delegate() == (ana, None, [])


def test_a_delegation_for_other_things_gives_no_delegate(
    client: Client, w: World, ana: int, bob: int
) -> None:
    now, day = w.now(), timedelta(days=1)
    w.add_requisition(requested_by=bob, approvers=[ana])
    w.add_delegation(delegator=ana, delegate=bob, start=now, end=now + day, approval_delegate=False)

    assert client.get("approvals")[0]["delegates"] == []


@pytest.mark.parametrize(
    ("path", "kind", "shows", "hides"),
    [
        ("invoices", "InvoiceHeader", "approvals", "current-approval"),
        ("expense_reports", "ExpenseReport", "approvals", "attachments"),
        ("contracts", "Contract", "current-approval", "approvals"),
        ("purchase_order_changes", "OrderHeaderChange", "current-approval", "requisition-lines"),
        ("easy_form_responses", "EasyFormResponse", "current-approval", "requisition-lines"),
    ],
)
def test_other_documents_are_served_under_their_resource(
    coupa: CoupaSimulator, ana: int, *, path: str, kind: str, shows: str, hides: str
) -> None:
    did = coupa.world.add_document(
        approvable_type=kind, approvers=[ana], created_by=ana, supplier={"id": 1, "name": "ACME"}
    )
    client = Client(coupa, EVERY)

    (shown,) = client.get(path)

    assert (shown["created-by"]["id"], shown["status"]) == (ana, "pending_approval")
    assert shown.get("supplier", {"name": "ACME"})["name"] == "ACME"
    assert shows in shown
    assert hides not in shown
    assert client.ids(path, {"status": "pending_approval"}) == [did]
    assert client.ids("approvals", {"approvable_type[in]": f"{kind},Other"}) == [85001]


def test_fields_pick_from_the_parts_of_other_documents(coupa: CoupaSimulator, ana: int) -> None:
    did = coupa.world.add_document(
        approvable_type="Contract", approvers=[ana], supplier={"id": 1, "name": "A"}
    )
    asked = json.dumps(["term-type", {"supplier": ["name"]}])

    shown = Client(coupa, EVERY).get(f"contracts/{did}", fields=asked)

    assert shown == {"term-type": None, "supplier": {"name": "A"}}


@pytest.mark.parametrize(
    ("path", "unknown"),
    [
        ("invoices", '["requester-email"]'),
        ("invoices", '[{"failed-tolerances": ["code"]}]'),
        ("invoices", '[{"invoice-lines": ["unit-price"]}]'),
        ("expense_reports", '["attachments"]'),
        ("expense_reports", '[{"expense-lines": ["total"]}]'),
        ("contracts", '[{"approvals": ["id"]}]'),
        ("contracts", '["title"]'),
        ("purchase_orders", '["total"]'),
        ("purchase_order_changes", '[{"order-line-changes": ["unit-price"]}]'),
        ("easy_form_responses", '["total"]'),
    ],
)
def test_what_a_document_does_not_have_is_refused(coupa: CoupaSimulator, path: str, unknown: str) -> None:
    answer = Client(coupa, EVERY).send("GET", path, fields=unknown)

    assert (answer.status_code, answer.json()["errors"]["fields"][0][:17]) == (400, "unknown attribute")


def test_one_form_response_has_no_path_of_its_own(coupa: CoupaSimulator, ana: int) -> None:
    did = coupa.world.add_document(approvable_type="EasyFormResponse", approvers=[ana], name="New bank")
    client = Client(coupa, EVERY)

    assert client.status(f"easy_form_responses/{did}") == 404
    assert client.get("easy_form_responses", **{"id[in]": did})[0]["name"] == "New bank"


def test_an_order_is_a_document_that_nobody_has_to_approve(coupa: CoupaSimulator) -> None:
    lines = [{"id": 1, "total": "80.00"}, {"id": 2, "total": "20.00"}]
    did = coupa.world.add_document(
        approvable_type="OrderHeader", approvers=[], status="issued", order_lines=lines
    )
    asked = {"id[in]": did, "fields": '["id", {"order_lines": ["total"]}]'}

    shown = Client(coupa, EVERY).get("purchase_orders", **asked)

    assert shown == [{"id": did, "order-lines": [{"total": "80.00"}, {"total": "20.00"}]}]


def test_an_edit_of_a_document_moves_its_time_and_not_that_of_its_approvals(
    coupa: CoupaSimulator, clock: ManualClock, ana: int
) -> None:
    did = coupa.world.add_document(approvable_type="InvoiceHeader", approvers=[ana], total_with_taxes="1.00")
    client = Client(coupa, EVERY)
    before = client.get("approvals")[0]["updated-at"]
    clock.advance(60)

    coupa.world.edit_document("InvoiceHeader", did, total_with_taxes="2.00")

    shown = client.get(f"invoices/{did}")
    assert (shown["total-with-taxes"], shown["updated-at"] > before) == ("2.00", True)
    assert client.get("approvals")[0]["updated-at"] == before


def test_attachments_are_named_by_the_end_of_their_address(client: Client, w: World, ana: int) -> None:
    line = Line("Chair", amount="5", attachments=("two chairs.pdf",))
    rid = w.add_requisition(
        requested_by=ana, lines=[line], attachments=[{"id": 9, "file": "https://x.test/a/offer.pdf"}]
    )

    shown = client.get(f"requisitions/{rid}")

    assert shown["attachments"][0]["file"] == "https://x.test/a/offer.pdf"
    assert shown["requisition-lines"][0]["attachments"][0]["file"].endswith("/original/two%20chairs.pdf")


def test_documents_of_two_types_may_have_the_same_id(client: Client, w: World, ana: int) -> None:
    rid = w.add_requisition(requested_by=ana, approvers=[ana])
    w.add_document(approvable_type="InvoiceHeader", approvers=[ana], id=rid)

    rows = client.get("approvals", approvable_id=rid)

    assert [row["approvable-type"] for row in rows] == ["RequisitionHeader", "InvoiceHeader"]
    with pytest.raises(ValueError, match="taken"):
        w.add_document(approvable_type="InvoiceHeader", approvers=[ana], id=rid)


def test_a_default_filter_hides_names_from_answers_without_fields(
    coupa: CoupaSimulator, client: Client, w: World, ana: int
) -> None:
    rid = w.add_requisition(requested_by=ana, approvers=[ana])
    coupa.hidden_fields = {"total", "email"}
    asked = {"fields": '["total"]'}

    shown = client.get(f"requisitions/{rid}")
    assert "total" not in shown
    assert "email" not in shown["requested-by"]
    assert "total" not in client.get("requisitions")[0]
    assert client.get(f"requisitions/{rid}", **asked) == {"total": "0.00"}
    coupa.hide_always = True
    assert client.get(f"requisitions/{rid}", **asked) == {}


def test_raw_values_are_served_and_filters_still_see_the_true_ones(
    client: Client, w: World, ana: int
) -> None:
    rid = w.add_requisition(requested_by=ana, approvers=[ana])
    w.override(("requisition", rid), {"total": None, "new-key": [1]})
    w.override(("approval", w.approvals_of(rid)[0].id), {"status": 7})
    w.delete_field("requisition", rid, "currency")

    shown = client.get(f"requisitions/{rid}")

    assert (shown["total"], shown["new-key"], "currency" in shown) == (None, [1], False)
    assert client.get(f"requisitions/{rid}", fields='["total","currency"]') == {"total": None}
    assert [row["status"] for row in client.get("approvals", **PENDING)] == [7]


# ---------------------------------------------------------------------- what goes wrong, on demand


@pytest.mark.parametrize("how", ["500", "400", "403", "404"])
def test_a_poisoned_record_is_an_error_for_whoever_asks_for_more_of_it_than_its_id(
    coupa: CoupaSimulator, client: Client, twelve: list[int], how: Poison
) -> None:
    coupa.poison["approval", twelve[4]] = how

    assert client.status("approvals", PENDING) == int(how)
    assert client.status("approvals", {"id[in]": f"{twelve[3]},{twelve[4]}"}) == int(how)
    assert client.status(f"approvals/{twelve[4]}") == int(how)
    assert client.ids("approvals", {"id[lt]": twelve[4]}) == twelve[:4]
    assert client.ids("approvals", {"fields": '["id"]'}) == twelve


def test_a_poisoned_record_spoils_an_answer_in_other_ways_too(
    coupa: CoupaSimulator, client: Client, twelve: list[int]
) -> None:
    def served(how: Poison) -> requests.Response:
        coupa.poison["approval", twelve[4]] = how
        return client.send("GET", "approvals", **PENDING)

    with pytest.raises(requests.JSONDecodeError):
        served("truncated").json()
    assert served("another type").json()[4] == "odd"
    assert [row["id"] for row in served("missing").json()] == twelve[:4] + twelve[5:]
    assert len(served("huge").content) > 16 * 1024 * 1024


def test_a_list_may_be_paged_otherwise_than_it_was_asked_for(
    coupa: CoupaSimulator, client: Client, twelve: list[int]
) -> None:
    asked = {"id[gt]": twelve[5]}

    coupa.paging = "the first again"
    assert client.ids("approvals", asked) == twelve
    coupa.paging = "backwards"
    assert client.ids("approvals", asked) == twelve[:5:-1]
    coupa.paging = "shorter each time"
    lengths = [len(client.ids("approvals", {})) for _ in range(5)]
    assert lengths == [12, 12, 6, 3, 1]


def test_a_dripping_answer_takes_as_long_as_it_is_read(
    coupa: CoupaSimulator, client: Client, twelve: list[int], clock: ManualClock
) -> None:
    coupa.front.fail("drip", path="approvals", seconds=100)
    headers = {"Authorization": f"Bearer {client.token}", "Accept": "application/json"}
    began_s = clock.monotonic()

    with client.session.get(f"{URL}/api/approvals", headers=headers, stream=True, timeout=5) as answer:
        pieces = [(len(piece), clock.monotonic() - began_s) for piece in answer.iter_content(1 << 20)]

    assert [round(at_s) for _, at_s in pieces] == [2 * number for number in range(1, 51)]
    assert client.ids("approvals", {}) == twelve


# ---------------------------------------------------------------------- decisions through the API


@pytest.fixture
def rid(w: World, ana: int, bob: int) -> int:
    return w.add_requisition(requested_by=ana, approvers=[ana, bob], lines=[LINE])


def test_an_approval_is_recorded_under_the_api_user_with_its_times(
    coupa: CoupaSimulator, client: Client, w: World, rid: int, ana: int, *, clock: ManualClock
) -> None:
    aid = w.approvals_of(rid)[0].id
    clock.advance(60)

    client.send("PUT", f"approvals/{aid}/approve", reason="Ana: fine & good")

    row = client.get(f"approvals/{aid}")
    assert (row["status"], row["note"]) == ("approved", "Ana: fine & good")
    assert (row["approver"]["id"], row["approved-by"]["id"]) == (ana, coupa.api_user)
    assert row["approval-date"] == "2026-11-23T01:01:00-08:00"
    assert row["updated-at"] == "2026-11-23T01:01:02-08:00"
    (comment,) = client.get(f"requisitions/{rid}")["comments"]
    assert (comment["comments"], comment["created-by"]["id"]) == ("Ana: fine & good", coupa.api_user)
    assert coupa.decisions == [(aid, "approve", "Ana: fine & good")]


def test_a_requisition_is_approved_when_its_last_step_is(client: Client, w: World, rid: int) -> None:
    first, second = w.approvals_of(rid)

    client.send("PATCH", f"approvals/{first.id}/approve")
    assert w.requisition(rid).status == "pending_approval"
    client.send("PUT", f"approvals/{second.id}/approve")

    assert client.get(f"requisitions/{rid}")["status"] == "approved"
    assert client.get(f"requisitions/{rid}")["current-approval"] is None


def test_a_rejected_requisition_goes_back_to_draft_and_the_rest_of_its_chain_is_gone(
    client: Client, w: World, rid: int
) -> None:
    first, second = w.approvals_of(rid)

    client.send("PUT", f"approvals/{first.id}/reject", reason="too dear")

    shown = client.get(f"requisitions/{rid}")
    assert (shown["status"], shown["rejected"]) == ("draft", True)
    assert shown["reject-reason-comment"] == "too dear"
    assert client.get(f"approvals/{first.id}")["status"] == "rejected"
    assert client.status(f"approvals/{second.id}") == 404
    assert client.get("approvals", **PENDING) == []


def test_a_rejected_invoice_is_rejected(client: Client, w: World, ana: int) -> None:
    did = w.add_document(approvable_type="InvoiceHeader", approvers=[ana])

    client.send("PUT", f"approvals/{w.approvals_of(did)[0].id}/reject")

    assert w.document(did).status == "rejected"


def test_the_reason_is_a_query_parameter_and_a_body_is_not_read(
    coupa: CoupaSimulator, client: Client, w: World, rid: int
) -> None:
    aid = w.approvals_of(rid)[0].id
    headers = {"Authorization": f"Bearer {client.token}", "Accept": "application/json"}

    client.session.put(f"{URL}/api/approvals/{aid}/approve", json={"reason": "lost"}, headers=headers)

    assert coupa.decisions == [(aid, "approve", None)]
    assert (w.approval(aid).note, w.requisition(rid).comments) == (None, [])


def test_a_misspelt_parameter_of_an_action_is_refused_and_nothing_happens(
    coupa: CoupaSimulator, client: Client, w: World, rid: int
) -> None:
    aid = w.approvals_of(rid)[0].id

    assert client.status(f"approvals/{aid}/approve", {"raeson": "x"}, "PUT") == 400
    assert client.status(f"approvals/{aid}/approve", {"fields": '["idd"]'}, "PUT") == 400
    assert coupa.decisions == []


def test_only_what_is_pending_can_be_decided(
    coupa: CoupaSimulator, client: Client, w: World, rid: int
) -> None:
    first = w.approvals_of(rid)[0].id
    client.send("PUT", f"approvals/{first}/approve")

    for action in ("approve", "reject", "hold"):
        answer = client.send("PUT", f"approvals/{first}/{action}")
        assert (answer.status_code, list(answer.json())) == (400, ["errors"])
    assert len(coupa.decisions) == 1
    assert client.status("approvals/1/approve", method="PUT") == 404


@pytest.mark.parametrize(("switch", "status"), [("refuse", 400), ("accept", 200)])
def test_a_later_step_is_refused_or_accepted_as_the_switch_says(
    coupa: CoupaSimulator, client: Client, w: World, rid: int, *, switch: Any, status: int
) -> None:
    coupa.not_current = switch
    first, second = w.approvals_of(rid)

    assert client.status(f"approvals/{second.id}/approve", method="PUT") == status
    assert (second.status == "approved") == (status == 200)
    assert (first.status, w.requisition(rid).status) == ("pending_approval", "pending_approval")


@pytest.mark.parametrize("switch", ["document", "approval"])
def test_an_action_answers_with_the_document_or_the_approval(
    coupa: CoupaSimulator, client: Client, w: World, rid: int, switch: Any
) -> None:
    coupa.action_body = switch
    aid = w.approvals_of(rid)[0].id

    body = client.send("PUT", f"approvals/{aid}/approve").json()

    assert body["id"] == (rid if switch == "document" else aid)
    assert ("req-title" in body) == (switch == "document")


def test_only_a_holdable_approval_is_put_on_hold(client: Client, w: World, ana: int) -> None:
    plain, holdable = (
        w.approvals_of(w.add_requisition(requested_by=ana, approvers=[ana], holdable=each))[0]
        for each in (False, True)
    )

    assert client.status(f"approvals/{plain.id}/hold", method="PUT") == 400
    assert client.status(f"approvals/{holdable.id}/hold", {"reason": "later"}, "PUT") == 200
    assert (holdable.status, holdable.approved_by, holdable.note) == ("on_hold", None, "later")
    assert client.status(f"approvals/{holdable.id}/approve", method="PUT") == 400


def test_an_update_changes_nothing_and_is_recorded(
    coupa: CoupaSimulator, client: Client, w: World, rid: int
) -> None:
    aid = w.approvals_of(rid)[0].id
    before = client.get(f"approvals/{aid}")

    answer = client.send("PUT", f"approvals/{aid}", status="approved")

    assert (answer.json(), client.get(f"approvals/{aid}")) == (before, before)
    assert (coupa.updates, coupa.decisions) == ([aid], [])


def test_of_many_that_decide_at_once_one_succeeds(
    coupa: CoupaSimulator, client: Client, w: World, rid: int
) -> None:
    url = f"{URL}/api/approvals/{w.approvals_of(rid)[0].id}/approve"
    headers = {"Authorization": f"Bearer {client.token}"}
    statuses: list[int] = []

    def decide() -> None:
        session = requests.Session()
        session.mount(URL, InProcess(coupa.front))
        statuses.append(session.put(url, headers=headers).status_code)

    threads = [threading.Thread(target=decide) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(statuses) == [200] + [400] * 7


# ---------------------------------------------------------------------- what people do in Coupa


def test_a_decision_at_the_screen_is_recorded_under_the_person(
    coupa: CoupaSimulator, client: Client, w: World, rid: int, bob: int
) -> None:
    aid = w.approvals_of(rid)[0].id

    w.decide_in_coupa(aid, by=bob, decision="approved", note="seen")

    row = client.get(f"approvals/{aid}")
    assert (row["approved-by"]["id"], row["note"]) == (bob, "seen")
    assert client.get(f"requisitions/{rid}")["current-approval"]["approver-id"] == bob
    assert (coupa.decisions, w.requisition(rid).comments) == ([], [])


def test_reassigning_keeps_the_id_and_escalating_gives_a_new_one(
    client: Client, w: World, rid: int, ana: int, bob: int
) -> None:
    first, second = w.approvals_of(rid)

    w.reassign(first.id, to=bob)
    assert client.get(f"approvals/{first.id}")["approver-id"] == bob
    new = w.escalate(first.id, to=ana)

    assert client.get(f"approvals/{first.id}")["status"] == "escalated"
    assert [each.id for each in w.approvals_of(rid)] == [first.id, new, second.id]
    assert client.get(f"requisitions/{rid}")["current-approval"]["id"] == new


def test_a_touch_moves_updated_at_and_nothing_else(client: Client, w: World, rid: int) -> None:
    aid = w.approvals_of(rid)[0].id
    before = client.get(f"approvals/{aid}")

    w.touch(aid)

    after = client.get(f"approvals/{aid}")
    assert after.pop("updated-at") > before.pop("updated-at")
    assert after.pop("updated-by")["fullname"] == "Coupa Metrics"
    assert before.pop("updated-by") is None
    assert after == before


def test_an_edited_line_changes_the_total_and_the_requisitions_updated_at(
    client: Client, w: World, rid: int, clock: ManualClock
) -> None:
    before = client.get(f"requisitions/{rid}")["updated-at"]
    clock.advance(1)

    w.edit_line(rid, 0, quantity="3", unit_price="2")

    after = client.get(f"requisitions/{rid}")
    assert after["total"] == "6.00"
    assert after["updated-at"] > before


def test_a_withdrawn_document_has_no_open_approvals(client: Client, w: World, rid: int) -> None:
    first, second = (each.id for each in w.approvals_of(rid))
    w.decide_in_coupa(first, by=101, decision="approved")

    w.withdraw(rid)

    assert client.get("approvals", **PENDING) == []
    assert (client.status(f"approvals/{first}"), client.status(f"approvals/{second}")) == (200, 404)
    assert client.get(f"requisitions/{rid}")["status"] == "withdrawn"


def test_a_restarted_chain_has_new_ids(client: Client, w: World, rid: int) -> None:
    old = {each.id for each in w.approvals_of(rid)}
    client.send("PUT", f"approvals/{min(old)}/reject")

    w.restart_chain(rid)

    new = client.ids("approvals", PENDING)
    assert len(new) == 2
    assert not old & set(new)
    assert [each.id for each in w.approvals_of(rid)] == new
    assert w.requisition(rid).status == "pending_approval"


def test_a_reopened_approval_is_pending_under_the_same_id(client: Client, w: World, rid: int) -> None:
    aid = w.approvals_of(rid)[0].id
    client.send("PUT", f"approvals/{aid}/approve")

    w.reopen(aid)

    row = client.get(f"approvals/{aid}")
    assert (row["status"], row["approved-by"], row["approval-date"]) == ("pending_approval", None, None)


def test_comments_of_a_requisition_are_listed(coupa: CoupaSimulator, w: World, rid: int, bob: int) -> None:
    cid = w.add_comment("requisition", rid, bob, "Why two?")

    (row,) = Client(coupa, EVERY).get(f"requisitions/{rid}/comments")

    assert (row["id"], row["comments"], row["created-by"]["id"]) == (cid, "Why two?", bob)
    assert (row["commentable-id"], row["commentable-type"]) == (rid, "RequisitionHeader")


def test_the_state_is_for_people_and_can_be_written_as_json(w: World, rid: int, ana: int) -> None:
    w.add_document(approvable_type="Contract", approvers=[Group(w.add_group(name="CAB", members=[ana]))])

    state = json.loads(json.dumps(w.state()))

    (requisition,) = state["RequisitionHeader"]
    assert (requisition["id"], requisition["total"]) == (rid, "21.00")
    assert [each["is_turn"] for each in requisition["chain"]] == [True, False]
    assert state["Contract"][0]["chain"][0]["approver"] == "CAB"


# ---------------------------------------------------------------------- over a socket


def test_it_is_the_same_over_a_socket(coupa: CoupaSimulator, client: Client, w: World, rid: int) -> None:
    aid = w.approvals_of(rid)[0].id
    headers = {"Authorization": f"Bearer {client.token}", "Accept": "application/json"}

    with served(coupa.front) as url, requests.Session() as session:
        answer = session.put(
            f"{url}/api/approvals/{aid}/approve", params={"reason": "ja, schön"}, headers=headers, timeout=5
        )
        unknown = session.get(f"{url}/api/approvals/{aid}%2Fapprove", headers=headers, timeout=5)

    assert (answer.status_code, unknown.status_code) == (200, 404)
    assert coupa.decisions == [(aid, "approve", "ja, schön")]


def test_the_examples_in_the_query_language_are_true() -> None:
    assert doctest.testmod(query).failed == 0


def test_comments_are_listed_by_what_they_are_on_and_not_without_it(
    coupa: CoupaSimulator, w: World, rid: int, bob: int
) -> None:
    invoice = w.add_document(approvable_type="InvoiceHeader", approvers=[bob])
    other = w.add_document(approvable_type="InvoiceHeader", approvers=[bob])
    on_order = w.add_comment("requisition", rid, bob, "Why two?")
    ids = [w.comment(w.document(number), by=bob, text="ok") for number in (invoice, invoice, other)]
    client = Client(coupa, EVERY)

    asked = {"commentable_type": "InvoiceHeader", "commentable_id[in]": f"{invoice},{rid}"}
    by_both = client.get("comments", **asked)

    assert [each["id"] for each in by_both] == ids[:2]
    assert {each["commentable-id"] for each in by_both} == {invoice}
    assert [each["id"] for each in client.get("comments", commentable_id=str(rid))] == [on_order]
    assert [each["id"] for each in client.get(f"invoices/{other}/comments")] == [ids[2]]
    assert client.status("comments") == 400


def test_a_comment_can_be_edited_and_deleted(coupa: CoupaSimulator, w: World, rid: int, bob: int) -> None:
    first, second = (w.add_comment("requisition", rid, bob, text) for text in ("one", "two"))

    w.edit_comment(first, "three")
    w.edit_comment(second, None)

    assert [each["comments"] for each in Client(coupa, EVERY).get(f"requisitions/{rid}/comments")] == [
        "three"
    ]


# ---------------------------------------------------------------------- writing comments


class Writer(Client):
    """A client that may write comments."""

    def __init__(self, coupa: CoupaSimulator, scopes: frozenset[str] = BASELINE) -> None:
        coupa.desk.granted_scopes |= {"core.comment.write"}
        super().__init__(coupa, scopes | {"core.comment.write"})

    def write(self, number: int, **body: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        parts = body or {"json": {"comments": "Why two?"}}
        return self.session.post(f"{URL}/api/requisitions/{number}/comments", headers=headers, **parts)


def test_a_comment_is_written_by_the_api_user_and_answered(
    coupa: CoupaSimulator, w: World, rid: int, ana: int
) -> None:
    text = f"@[User:{ana}] Why two?"

    answer = Writer(coupa).write(rid, json={"comments": text})

    [comment] = w.requisition(rid).comments
    assert (answer.status_code, answer.json()["id"]) == (201, comment.id)
    assert answer.json()["commentable-type"] == "RequisitionHeader"
    assert (comment.comments, comment.created_by.id) == (text, coupa.api_user)


def test_a_comment_needs_its_scope(coupa: CoupaSimulator, w: World, rid: int) -> None:
    headers = {"Authorization": f"Bearer {Client(coupa).token}", "Accept": "application/json"}
    url = f"{URL}/api/requisitions/{rid}/comments"

    assert Client(coupa).session.post(url, headers=headers, json={"comments": "x"}).status_code == 403
    assert w.requisition(rid).comments == []


@pytest.mark.parametrize(
    "body",
    [
        {"json": {}},
        {"json": {"comments": " "}},
        {"json": {"comments": 7}},
        {"json": {"comment": {"comments": "x"}}},
        {"json": {"comments": "x", "created-by": {"id": 7}}},
        {"json": ["x"]},
        {"json": {"comments": "@[User:4711] x"}},
        {"data": '{"comments": "x"', "headers": {}},
        {"data": {"comments": "x"}},
        {"json": {"comments": "x"}, "params": {"notify": "1"}},
    ],
)
def test_a_comment_that_is_not_quite_right_is_refused(
    coupa: CoupaSimulator, w: World, rid: int, body: dict[str, Any]
) -> None:
    writer = Writer(coupa)
    if "headers" in body:
        body = {"data": body["data"]}
        writer.session.headers["Content-Type"] = "application/json"

    assert writer.write(rid, **body).status_code == 400
    assert w.requisition(rid).comments == []


def test_a_comment_on_a_document_that_does_not_exist_is_not_found(coupa: CoupaSimulator, w: World) -> None:
    number = w.add_document(approvable_type="InvoiceHeader", approvers=[w.add_user(email="x@example.com")])

    assert [Writer(coupa).write(each).status_code for each in (4711, number)] == [404, 404]
