"""A fact costs one call for fifty documents, and no request for the fields that lead to it."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterable
from typing import Any, cast
from urllib.parse import urlencode

import pytest
from bridge import ALEX, ROBIN, SAM
from hypothesis import example, given, settings
from hypothesis import strategies as st
from office import (
    LABELS,
    RECORDED,
    TWIN,
    Office,
    asks,
    budget,
    fact_calls,
    facts_on_card,
    known,
    laptop,
    offered,
    record,
    said,
    world,
)
from unruly import away, before

from coupa_core.clock import Deadline
from coupa_core.coupa import Access, FactReader
from coupa_core.documents import parse_document
from coupa_core.facts import Fact
from coupa_core.model import REQUISITION
from coupa_core.sensitive import Sensitive
from sandbox.clock import ManualClock


def test_a_full_page_is_no_number_and_a_duplicate_all_the_same() -> None:
    one = world("open_requests", DIGEST_OVER="1")
    for _ in range(49):
        asks(one)
    one.announced()

    asks(one)

    assert set(facts_on_card(one)) == {TWIN}


@pytest.mark.parametrize("fact", [Fact.BUDGET, Fact.AGREED_PRICE])
def test_what_needs_the_whole_answer_is_not_said_where_the_page_is_full(fact: Fact) -> None:
    one = world(fact)
    for _ in range(49):
        record(fact, one)
    asks(one)
    whole = facts_on_card(one)
    record(fact, one)
    asks(one)

    assert (whole, facts_on_card(one)) == ({} if fact is Fact.BUDGET else {LABELS[fact]: "USD 820.00"}, {})


def test_a_list_that_was_cut_short_is_no_number() -> None:
    one = world("open_requests")
    for quantity in ("5", "6", "7"):
        asks(one, laptop(one, quantity=quantity))
    one.announced()
    one.coupa.most_rows = 3
    asks(one)

    assert facts_on_card(one) == {}


def test_the_newest_order_is_known_only_in_the_order_that_was_asked_for() -> None:
    one = world("last_price")
    asks(one)
    about = {"item": {"id": one.coupa.world.named("item", "LAPTOP")}, "currency": {"code": "USD"}}
    about |= {"supplier": {"id": one.coupa.world.named("supplier", "ACME")}, "uom": {"code": "EA"}}
    about |= {"status": "ordered"}
    rows = [{**about, "id": 1, "price": "700.00"}, {**about, "id": 2, "price": "850.00"}]
    one.coupa.front.fail("answer", path="purchase_order_lines", status=200, body=json.dumps(rows))
    one.coupa.front.fail("answer", path="purchase_order_lines", status=200, body=json.dumps(rows[::-1]))

    backwards = facts_on_card(one)
    asks(one)

    assert (backwards, facts_on_card(one)) == ({}, {"Last order price": "USD 850.00"})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("chosen", "number"),
    [([*Fact], 0), ([*Fact], 50), ([*Fact], 51), *(([fact], 51) for fact in Fact)],
    ids=str,
)
def test_a_fact_costs_a_sweep_no_more_than_one_call_for_fifty_documents(
    chosen: list[Fact], number: int
) -> None:
    calls = calls_of_a_sweep(",".join(chosen), number)

    assert calls - calls_of_a_sweep("", number) <= len(chosen) * math.ceil(number / 50)


@functools.cache
def calls_of_a_sweep(facts: str, number: int) -> int:
    one = world(facts)
    known(one)
    for each in range(number):
        asks(one, requester=f"sam{each % 7}@example.com")
    assert len(one.announced()) == number
    return one.coupa.front.count("GET")


def edited(one: Office, number: int, places: Iterable[int]) -> None:
    """Tell so many people, then touch every approval and change some prices: the next sweep looks at all."""
    rids = [asks_of(one, f"p{each}@example.com") for each in range(number)]
    one.announced()
    for _ in range(3):
        one.clock.advance(120)
        one.sweep()
    for rid in rids:
        one.coupa.world.touch(one.coupa.world.approvals_of(rid)[0].id)
    for place in places:
        one.coupa.world.edit_line(rids[place], 0, unit_price="950.00")
    one.clock.advance(60)


def asks_of(one: Office, approver: str, **more: Any) -> int:
    """Let somebody else than Robin be asked."""
    return one.requisition(approver, requester=SAM, lines=[laptop(one)], **more)


@pytest.mark.slow
def test_the_cards_of_a_sweep_are_asked_about_together_however_much_is_looked_at() -> None:
    one = world()
    known(one)
    edited(one, 60, (5, 55))
    since = len(one.coupa.front.calls)

    sent = one.announced()

    assert [set(said(notice.message)) >= {LABELS[Fact.BUDGET]} for notice in sent] == [True] * 2
    assert fact_calls(one, since) == [1] * len(RECORDED)


def test_a_digest_asks_for_no_fact_and_the_cards_beside_it_do() -> None:
    one = world(DIGEST_OVER="3")
    known(one)
    for _ in range(5):
        asks(one)
    [digest] = one.announced()
    since = len(one.coupa.front.calls)
    for _ in range(5):
        asks(one)
    alone = asks_of(one, ALEX)

    to_alex, to_robin = one.announced()

    assert said(digest.message) == said(to_robin.message) == {}
    assert f"/{alone}" in to_alex.message
    assert LABELS[Fact.BUDGET] in said(to_alex.message)
    calls = one.coupa.front.calls
    assert fact_calls(one) == fact_calls(one, since) == [1] * len(RECORDED)
    [asked] = [call for call in calls if "requested_by" in call.query]
    assert asked in calls[since:]


@pytest.mark.slow
def test_cards_that_wait_for_each_other_are_sent_while_their_claims_hold() -> None:
    one = world("budget", COUPA_MAX_PER_SECOND="1", CLAIM_LEASE_S="60")
    budget(one)
    for number in range(60):
        asks_of(one, f"p{number}@example.com")
        asks_of(one, f"p{number}@example.com", submitted=False)

    sent = one.announced()

    assert len(sent) == 60
    assert one.store.status().counts.get("late", 0) == 0


@pytest.mark.slow
def test_a_batch_that_cannot_be_read_keeps_no_card_of_an_earlier_one_from_being_sent() -> None:
    one = world("budget")
    budget(one)
    edited(one, 60, (0, 59))
    batches: list[object] = []
    coupa = one.bridge.sweep.deps.coupa
    away(coupa, "approvals", "coupa_down", when=lambda *_: len(batches) > 1)
    before(coupa, "approvals", lambda ids, _: batches.append(ids))

    sent = one.announced()

    assert (len(batches), len(sent)) == (2, 2)


LONG = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60)


@settings(max_examples=25, deadline=None)
@example([(f"{number} {'Ä' * 57}",) * 4 for number in range(50)], Fact.BUDGET)
@given(
    segments=st.lists(st.tuples(LONG, LONG, LONG, LONG), min_size=1, max_size=50), fact=st.sampled_from(Fact)
)
def test_no_question_is_longer_than_gateways_take(
    segments: list[tuple[str, str, str, str]], fact: Fact
) -> None:
    """Common gateways take a request line of 8 KB."""
    far = 10**18
    period = {"id": far, "is-open": True, **{f"segment-{number}": True for number in range(1, 5)}}
    documents = [
        parse_document(
            REQUISITION,
            {
                "id": far + place,
                "requested-by": {"id": far + place},
                "requisition-lines": [
                    {
                        "unit-price": "1",
                        "item": {"id": far + place},
                        "supplier": {"id": far + place},
                        "period": period,
                        "account": {f"segment-{each + 1}": text for each, text in enumerate(texts)},
                    }
                ],
            },
        )
        for place, texts in enumerate(segments)
    ]
    asked: list[str] = []

    class Desk:
        withheld = ""

        def read(
            self, resource: str, path: str, query: dict[str, str], *_: object, **__: object
        ) -> list[Any]:
            asked.append(f"/api/{resource}?{urlencode(query)}")
            return []

    reader = FactReader(cast("Access", Desk()), [fact], sensitive=Sensitive())
    reader.ask(fact, [each for each in documents if each], Deadline(ManualClock(), 3.0))

    assert asked or fact is Fact.BUDGET  # a segment with a comma is not asked for
    assert all(len(each) <= 7_000 for each in asked)


def test_of_very_many_items_the_first_of_every_request_are_asked_for() -> None:
    one = world("agreed_price")
    offered(one, item="DOCK", price="190.00")
    many = [laptop(one, item=f"ITEM{number}") for number in range(60)]
    asks(one, *many)
    asks(one, laptop(one, item="DOCK"))
    asks(one, *many)

    shown = [said(notice.message) for notice in one.announced()]

    assert sorted(shown, key=len) == [{}, {}, {"Agreed price": "USD 190.00"}]


def test_a_sweep_that_tells_nobody_reads_no_fact() -> None:
    one = world()
    known(one)
    asks(one)
    one.announced()
    since = len(one.coupa.front.calls)
    for approval in one.coupa.world.approvals.rows:
        one.coupa.world.touch(approval)

    assert one.announced() == []
    assert fact_calls(one, since) == [0] * len(RECORDED)


def refuse_what_leads_to_facts(one: Office, *, status: int = 400, of: int | None = None) -> None:
    """Let Coupa refuse each question for what leads to facts, or each that is about one request, too."""
    query = "account-type" if of is None else f"{of}.*account-type|account-type.*{of}"
    one.coupa.front.fail(
        "answer", path="/api/requisitions", query=query, times=None, status=status, body="{}"
    )


@pytest.mark.parametrize("status", [400, 422, 500])
def test_requests_that_cannot_be_read_with_what_leads_to_facts_are_read_without(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    one = world("budget,supplier_status")
    known(one)
    refuse_what_leads_to_facts(one, status=status)
    for _ in range(3):
        asks(one)

    sent = one.announced()

    assert [set(said(notice.message)) for notice in sent] == [{LABELS[Fact.SUPPLIER_STATUS]}] * 3
    assert one.store.status().counts["facts_unled"] == 3
    assert f"documents read without what leads to facts code=coupa_{status}" in caplog.text
    asks(one)
    so_far = one.coupa.front.count("GET")
    [notice] = one.announced()
    plain = world("")
    asks(plain)
    less = plain.coupa.front.count("GET")
    plain.announced()
    assert one.coupa.front.count("GET") - so_far <= plain.coupa.front.count("GET") - less + 1, (
        "it is not tried again at once"
    )
    assert one.click(notice, ROBIN).body["outcome"] == "approved"


def test_what_leads_to_facts_is_tried_again_after_an_hour() -> None:
    one = world("budget")
    known(one)
    refuse_what_leads_to_facts(one)
    asks(one)
    asks(one)
    first = [said(notice.message) for notice in one.announced()]
    one.coupa.front.heal()
    asks(one)
    second = facts_on_card(one)
    one.clock.advance(3_600)
    asks(one)

    assert (first, second, set(facts_on_card(one))) == ([{}, {}], {}, {LABELS[Fact.BUDGET]})


PLAIN = r"^(?!.*account-type).*requisition_lines"
"""A question for requisitions without what leads to facts."""


@pytest.mark.parametrize(
    ("first", "then", "body"), [(500, 500, "{}"), (400, 429, "{}"), (429, 429, "{}"), (400, 200, "[]")]
)
def test_requests_that_cannot_be_read_without_what_leads_to_facts_either_wait(
    first: int, then: int, body: str, caplog: pytest.LogCaptureFixture
) -> None:
    one = world("budget")
    for _ in range(4):
        asks(one)
    refuse_what_leads_to_facts(one, status=first)
    one.coupa.front.fail("answer", path="/api/requisitions", query=PLAIN, times=None, status=then, body=body)

    assert one.announced() == []
    assert "without what leads to facts" not in caplog.text
    assert one.store.status().counts.get("facts_unled", 0) == 0
    one.coupa.front.heal()
    one.clock.advance(600)
    assert len(one.announced()) == 4
    assert one.store.status().counts.get("parked", 0) == 0


def test_a_request_that_cannot_be_read_again_in_time_keeps_no_other_from_being_told() -> None:
    one = world("budget")
    known(one)
    odd = asks(one)
    asks(one)
    refuse_what_leads_to_facts(one, of=odd)
    one.coupa.front.fail("answer", path="/api/requisitions", query=PLAIN, times=None, status=429)

    [notice] = one.announced()

    assert f"/{odd}" not in notice.message


def test_a_click_asks_for_no_fact_and_for_nothing_that_leads_to_facts() -> None:
    one = world()
    known(one)
    asks(one)
    [notice] = one.announced()
    refuse_what_leads_to_facts(one)
    since = len(one.coupa.front.calls)

    assert one.click(notice, ROBIN).body["outcome"] == "approved"
    assert one.call("list_approvals", headers={"X-Actor-Email": ROBIN}).status == 200
    assert not any("account-type" in call.query for call in one.coupa.front.calls[since:])
    assert fact_calls(one, since) == [0] * len(RECORDED)
    assert not any("requested_by" in call.query for call in one.coupa.front.calls[since:])


def test_one_request_that_cannot_be_read_with_what_leads_to_facts_says_nothing_of_the_others() -> None:
    one = world("budget")
    known(one)
    refuse_what_leads_to_facts(one, of=asks(one))
    assert set(facts_on_card(one)) == set()
    one.clock.advance(60)
    asks(one)

    assert set(facts_on_card(one)) == {LABELS[Fact.BUDGET]}
