"""A fact that cannot be read costs no card and no other fact."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from typing import Any, cast

import pytest
from bridge import ALEX, ROBIN, SAM
from office import (
    LABELS,
    RECORDED,
    TWIN,
    Office,
    asks,
    fact_calls,
    facts_on_card,
    known,
    laptop,
    record,
    said,
    serve_line,
    world,
)
from proof.malformed import ODDITIES

from coupa_core.coupa import FactReader, unread_of
from coupa_core.facts import FACT_RESOURCES, Fact, FactAnswer, Standing
from coupa_core.ledger import State
from coupa_core.sweep.facts import FACT_S
from sandbox.coupa.server import EVERY


@functools.cache
def duration_s(number: int) -> float:
    """Return how long a sweep of so many requests takes where every fact can be read."""
    one = world()
    known(one)
    for _ in range(number):
        asks(one)
    one.announced()
    return one.clock.monotonic()


FAILURES: dict[str, tuple[Any, dict[str, Any]]] = {
    "403": ("answer", {"status": 403, "body": '{"errors": {"base": ["The scope is missing"]}}'}),
    "404": ("answer", {"status": 404}),
    "400": ("answer", {"status": 400, "body": '{"errors": {"fields": ["unknown"]}}'}),
    "429": ("answer", {"status": 429, "headers": {"Retry-After": "1"}}),
    "500": ("answer", {"status": 500, "body": "<html>Sorry</html>"}),
    "503": ("answer", {"status": 503}),
    "a page": ("answer", {"status": 200, "body": "<html>Sorry</html>"}),
    "no list": ("answer", {"status": 200, "body": '{"errors": {}}'}),
    "half an answer": ("truncate", {}),
    "a cut line": ("cut", {}),
    "slow": ("slow", {"seconds": 30.0}),
    "garbage": ("answer", {"status": 200, "body": '[7, null, "odd", [], {}, {"id": "x"}]'}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("fact", RECORDED)
def test_a_fact_that_cannot_be_read_is_left_out_and_the_others_are_said(fact: Fact, name: str) -> None:
    one = world()
    known(one)
    asks(one)
    kind, details = FAILURES[name]
    one.coupa.front.fail(kind, path=f"/api/{FACT_RESOURCES[fact]}$", times=None, **details)

    shown = facts_on_card(one)

    assert set(shown) == {LABELS[each] for each in RECORDED if each is not fact}
    assert one.clock.monotonic() - duration_s(1) <= FACT_S
    assert one.coupa.front.count("GET", f"/api/{FACT_RESOURCES[fact]}$") == 1
    counts = one.store.status().counts
    assert counts.get("facts_unread", 0) == (name != "garbage")
    assert counts.get("fact_rows_unread", 0) == (6 if name == "garbage" else 0)
    assert one.store.status().failure == ""


@pytest.mark.parametrize("name", FAILURES)
def test_open_requests_that_cannot_be_read_are_left_out(name: str) -> None:
    one = world("open_requests")
    asks(one)
    one.announced()
    asks(one)
    kind, details = FAILURES[name]
    one.coupa.front.fail(kind, query=r"requested_by\[id\]\[in\]", times=None, **details)

    assert facts_on_card(one) == {}


def tokens(one: Office) -> int:
    return one.coupa.front.count("POST", "/oauth2/token")


@pytest.mark.parametrize("kills", [False, True])
def test_a_scope_that_is_not_granted_costs_its_facts_and_nothing_else(*, kills: bool) -> None:
    one = world("open_requests,budget")
    one.coupa.failed_mint_kills_token = kills
    one.coupa.desk.granted_scopes = EVERY - {"core.budget.read"}
    one.restart()
    known(one)
    asks(one)
    one.announced()
    asks(one)

    [notice] = one.announced()

    assert set(said(notice.message)) == {LABELS[Fact.OPEN_REQUESTS], TWIN}
    assert one.store.status().failure == ""
    assert one.store.status().counts["facts_unread"] == 1
    assert one.click(notice, ROBIN).body["outcome"] == "approved"
    assert (tokens(one), fact_calls(one)[0]) == (2, 0)


def test_with_the_scopes_of_facts_a_sweep_asks_for_one_token_and_a_click_for_none() -> None:
    one = world()
    known(one)
    asks(one)
    [notice] = one.announced()

    one.click(notice, ROBIN)

    assert tokens(one) == 1


def test_a_client_that_lacks_what_the_bridge_needs_is_not_helped_by_asking_for_less() -> None:
    one = world("budget")
    one.coupa.desk.granted_scopes = EVERY - {"core.approval.read"}
    one.restart()

    assert one.sweep().failure == "coupa_token_400"


ROWS: list[Any] = [None, 1, "x", [], {}, {"foo": 1}, {"id": None}, {"id": 1}]
WHOLE = (Fact.BUDGET, Fact.AGREED_PRICE)
"""Of these, and of the number of open requests, a row of which nothing is known may be the second."""


@pytest.mark.parametrize("row", ROWS, ids=str)
@pytest.mark.parametrize("fact", RECORDED)
def test_a_row_that_cannot_be_read_is_counted_and_named_once(
    fact: Fact, row: Any, caplog: pytest.LogCaptureFixture
) -> None:
    one = world(fact)
    known(one)
    asks(one)
    append(one, fact, row)

    assert set(facts_on_card(one)) == (set() if fact in WHOLE else {LABELS[fact]})
    assert one.store.status().counts["fact_rows_unread"] == 1
    assert caplog.text.count(f"rows of a fact not readable code=coupa_rows fact={fact} rows=1 of 2") == 1


def append(one: Office, fact: Fact, row: Any) -> None:
    """Let Coupa answer the question about a fact with one row more, at its end."""
    access = one.bridge.sweep.deps.facts._access
    read = access.read

    def more(resource: str, *arguments: Any, **options: Any) -> Any:
        rows = read(resource, *arguments, **options)
        return [*rows, row] if resource == FACT_RESOURCES[fact] and options.get("tries") == 1 else rows

    access.read = more  # type: ignore[method-assign]


@pytest.mark.parametrize("fact", RECORDED)
def test_the_doctor_counts_rows_that_say_too_little_for_a_fact(fact: Fact) -> None:
    assert unread_of([{"id": 1}, {"id": 2}], fact) == 2
    assert unread_of([{"id": 1}]) == 0


def test_a_row_that_is_known_to_be_of_another_item_spoils_no_price() -> None:
    one = world("agreed_price,last_price")
    known(one)
    other = one.coupa.world.named("item", "DOCK")
    asks(one)
    append(one, Fact.AGREED_PRICE, {"id": "odd", "item": {"id": other}, "price": 7})

    assert set(facts_on_card(one)) == {LABELS[Fact.AGREED_PRICE], LABELS[Fact.LAST_PRICE]}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_request_that_cannot_be_read_leaves_no_number_and_a_duplicate_all_the_same(row: Any) -> None:
    one = world("open_requests")
    asks(one)
    one.announced()
    append(one, Fact.OPEN_REQUESTS, row)
    asks(one)

    assert set(facts_on_card(one)) == {TWIN}
    assert one.store.status().counts["fact_rows_unread"] == 1


def test_a_request_in_no_known_state_spoils_the_number_of_its_requester_alone() -> None:
    one = world("open_requests")
    odd = asks(one)
    asks(one, requester=ALEX)
    one.announced()
    one.coupa.world.override(("requisition", odd), {"status": None})
    asks(one, laptop(one, quantity="5"))
    asks(one, laptop(one, quantity="5"), requester=ALEX)
    append(one, Fact.OPEN_REQUESTS, {"id": 10**9, "status": None, "requested-by": {"id": one.person(SAM)}})

    shown = [said(notice.message) for notice in one.announced()]

    assert sorted(map(len, shown)) == [0, 1]


@pytest.mark.slow
def test_all_facts_together_take_a_sweep_no_longer_than_each_its_time() -> None:
    one = world()
    known(one)
    for _ in range(60):
        asks(one)
    for fact in RECORDED:
        one.coupa.front.fail("slow", path=f"/api/{FACT_RESOURCES[fact]}$", times=None, seconds=30.0)

    sent = one.announced()

    assert len(sent) == 60
    assert one.clock.monotonic() - duration_s(60) <= len(RECORDED) * FACT_S
    calls = [call for call in one.coupa.front.calls if call.path == "/api/budget_lines"]
    assert len(calls) == 1, "what was late is not asked for again"


def test_facts_are_read_at_the_same_time() -> None:
    one = world()
    one.workers = 8
    one.restart()
    known(one)
    asks(one)

    assert set(facts_on_card(one)) == {LABELS[fact] for fact in RECORDED}


def test_what_coupa_denies_is_not_asked_for_again_in_the_same_sweep() -> None:
    one = world("supplier_status")
    known(one)
    for _ in range(51):
        asks(one)
    one.coupa.front.fail("answer", path="/api/suppliers", times=None, status=403)

    assert len(one.announced()) == 51
    assert one.coupa.front.count("GET", "/api/suppliers") == 1


def test_facts_never_take_the_time_that_a_claim_leaves_for_its_card() -> None:
    one = world(CLAIM_LEASE_S="3")
    known(one)
    asks(one)
    one.coupa.front.fail("slow", path="/api/suppliers", times=None, seconds=30.0)

    assert len(one.announced()) == 1


def test_a_fault_of_ours_in_a_fact_costs_no_card() -> None:
    class Odd(Standing):
        @property
        def is_free(self) -> bool:
            raise ArithmeticError

    class Reader:
        facts = (Fact.BUDGET, Fact.SUPPLIER_STATUS)

        def ask(self, fact: Fact, *_: object) -> FactAnswer:
            if fact is Fact.BUDGET:
                raise ArithmeticError
            return FactAnswer([Odd(id=one.coupa.world.named("supplier", "ACME"))], is_whole=True)

    one = world("supplier_status")
    one.bridge.sweep.deps = replace(one.bridge.sweep.deps, facts=cast("FactReader", Reader()))
    asks(one)

    assert facts_on_card(one) == {}
    assert one.store.status().counts["facts_unread"] == 2
    [row] = one.store.open_entries().entries
    assert row.state is State.SENT


def spoiled() -> list[tuple[Fact, str, str]]:
    fields = {
        Fact.BUDGET: ["id", "period", "segment-1", "currency", "remaining", "pending-requisitions-amount"],
        Fact.LAST_PRICE: ["id", "item", "supplier", "currency", "uom", "price", "status", "created-at"],
        Fact.AGREED_PRICE: ["id", "item", "supplier", "currency", "price", "price-tier-1"],
        Fact.SUPPLIER_STATUS: ["id", "status", "on-hold", "buyer-hold"],
    }
    return [(fact, name, oddity) for fact in fields for name in fields[fact] for oddity in ODDITIES]


@pytest.mark.slow
@pytest.mark.parametrize(("fact", "name", "oddity"), spoiled())
def test_a_spoiled_record_says_what_it_said_or_less_and_spoils_no_other(
    fact: Fact, name: str, oddity: str
) -> None:
    whole = whole_card()
    two = world()
    numbers: dict[Fact, int] = {each: record(each, two) for each in RECORDED}
    number = numbers[fact]
    resource = FACT_RESOURCES[fact]
    if oddity == "deleted":
        two.coupa.world.delete_field(resource, number, name)
    else:
        two.coupa.world.override((resource, number), {name: ODDITIES[oddity]})

    shown = card_of(two)

    label = LABELS[fact]
    assert {**shown, label: ""} == {**whole, label: ""}
    assert words(shown.get(label, "")) <= words(whole[label]) | ({"7.00"} if oddity == "a number" else set())


def words(text: str) -> set[str]:
    return set(re.findall(r"[^\s,()]+", text))


@functools.cache
def whole_card() -> dict[str, str]:
    one = world()
    known(one)
    return card_of(one)


def card_of(one: Office) -> dict[str, str]:
    asks(one)
    return facts_on_card(one)


@pytest.mark.slow
@pytest.mark.parametrize("oddity", ODDITIES)
@pytest.mark.parametrize("name", ["item", "account", "period", "account-allocations", "supplier", "uom"])
def test_a_spoiled_line_says_less_and_is_told_all_the_same(name: str, oddity: str) -> None:
    one = world()
    known(one)
    rid = asks(one)
    serve_line(one, rid, {name: ODDITIES[oddity]})

    shown = facts_on_card(one)

    assert set(shown) <= {LABELS[fact] for fact in RECORDED}
