"""The changes since a document was shown: told in a line or a few, from the kept numbers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from goldens import document, request
from hypothesis import given
from hypothesis import strategies as st

from coupa_core.model import Document
from coupa_core.notice import MAX_FIGURES, MAX_LINES, Style, difference, shown_figures

LINE: dict[str, Any] = {"id": 7, "quantity": "3", "unit-price": "10.00", "total": "30.00"}


def asked(*lines: dict[str, Any], total: str = "100.00", currency: Any = None) -> Document:
    currency = {"code": "USD", "decimals": 2} if currency is None else currency
    return request(total=total, currency=currency, requisition_lines=[{**LINE, **line} for line in lines])


def told(before: Document, now: Document, language: str = "en_US") -> list[str]:
    return difference(shown_figures(before), now, Style(language=language))


def test_the_facts_are_canonical_and_hold_numbers_only() -> None:
    read = json.loads(shown_figures(request()))

    assert read == {
        "currency": "USD",
        "lines": [[7, "10", "1406.041", "14060.41"]],
        "number": 1,
        "own": {},
        "total": "14060.41",
    }
    again = request(total="14060.4100", req_title="Other", requested_by=None)
    assert shown_figures(again) == shown_figures(request())


def test_nothing_changed_is_nothing_said() -> None:
    assert told(asked({}), asked({"description": "another name"})) == []


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ({}, {"total": "120.00"}, "Amount: USD 100.00 → USD 120.00"),
        ({}, {"currency": {"code": "JPY", "decimals": 0}}, "Amount: USD 100.00 → JPY 100"),
        ({"currency": {"code": "KWD", "decimals": 3}}, {}, "Amount: KWD 100.000 → USD 100.00"),
        ({"currency": {}}, {}, "Amount: 100.00 → USD 100.00"),
        ({"total": "x"}, {}, "Amount: not stated → USD 100.00"),
    ],
    ids=str,
)
def test_another_amount_or_currency_is_told(before: dict[str, Any], now: dict[str, Any], said: str) -> None:
    assert told(asked({}, **before), asked({}, **now)) == [said]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"quantity": "5"}, "Item 2: 3 → 5"),
        ({"quantity": "5", "total": "50.00"}, "Item 2: 3 → 5"),
        ({"unit-price": "12.00"}, "Item 2: USD 10.00 → USD 12.00"),
        ({"quantity": "1", "unit-price": "12.00"}, "Item 2: 3 × USD 10.00 → 1 × USD 12.00"),
        ({"total": "31.00"}, "Item 2: USD 30.00 → USD 31.00"),
        ({"quantity": None, "unit-price": None}, "Item 2: 3 × USD 10.00 → not stated"),
    ],
    ids=str,
)
def test_a_line_that_changed_is_told_by_its_place(change: dict[str, Any], said: str) -> None:
    other = {"id": 6}

    assert told(asked(other, {}), asked(other, change)) == [said]


EURO = {"code": "EUR", "decimals": 2}


@pytest.mark.parametrize(
    ("before", "change", "said"),
    [
        ({}, {"unit-price": "12.00"}, ["Item 1: USD 10.00 → EUR 12.00"]),
        ({}, {"quantity": "4", "unit-price": "12.00"}, ["Item 1: 3 × USD 10.00 → 4 × EUR 12.00"]),
        ({}, {"quantity": "4"}, ["Item 1: 3 × USD 10.00 → 4 × EUR 10.00"]),
        ({}, {}, []),
        ({"unit-price": None}, {"unit-price": None, "total": "31.00"}, ["Item 1: USD 30.00 → EUR 31.00"]),
        ({}, {"currency": {"code": "JPY", "decimals": 0}}, ["Item 1: USD 10.00 → JPY 10"]),
        ({"currency": EURO}, {"currency": EURO}, []),
        ({"currency": EURO}, {"currency": EURO, "unit-price": "12.00"}, ["Item 1: EUR 10.00 → EUR 12.00"]),
    ],
    ids=str,
)
def test_a_figure_keeps_the_currency_in_which_it_was_shown(
    before: dict[str, Any], change: dict[str, Any], said: list[str]
) -> None:
    amount = "Amount: USD 100.00 → EUR 100.00"

    assert told(asked(before), asked(change, currency=EURO)) == [amount, *said]


def test_a_line_that_gets_a_currency_of_its_own_is_told() -> None:
    assert told(asked({}), asked({"currency": EURO})) == ["Item 1: USD 10.00 → EUR 10.00"]

    bare = {"unit-price": None, "total": None}
    assert told(asked(bare), asked({**bare, "currency": EURO})) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"unit-price": "12.00"}, ["Item 1: EUR 12.00"]),
        ({"unit-price": None}, ["Item 1: not stated"]),
        ({"quantity": "4"}, ["Item 1: 3 → 4"]),
        ({}, []),
    ],
    ids=str,
)
def test_facts_of_an_earlier_release_say_no_money_whose_currency_they_do_not_have(
    change: dict[str, Any], said: list[str]
) -> None:
    figures = {key: value for key, value in json.loads(shown_figures(asked({}))).items() if key != "own"}

    found = difference(json.dumps(figures), asked(change, currency=EURO), Style())

    assert found == ["Amount: USD 100.00 → EUR 100.00", *said]


@pytest.mark.slow
@given(codes=st.lists(st.sampled_from(["USD", "EUR", "JPY"]), min_size=4, max_size=4))
def test_no_figure_is_ever_said_in_a_currency_in_which_it_was_not_shown(codes: list[str]) -> None:
    was, now, was_own, now_own = codes
    before = asked({"currency": {"code": was_own}, "unit-price": "10"}, currency={"code": was})
    after = asked({"currency": {"code": now_own}, "unit-price": "11"}, currency={"code": now})

    line = told(before, after)[-1]

    shown, new = line.removeprefix("Item 1: ").split(" → ")
    assert (shown[:3], new[:3]) == (was_own, now_own)


def test_lines_that_came_and_went_are_counted() -> None:
    assert told(asked({}), asked({}, {"id": 8})) == ["+1 item"]
    assert told(asked({}), asked({}, {"id": 8}, {"id": 9})) == ["+2 items"]
    assert told(asked({}, {"id": 8}), asked({})) == ["-1 item"]
    assert told(asked({}, {"id": 8}), asked({"id": 9}, {"id": 10}, {"id": 8})) == ["+2 items", "-1 item"]
    assert told(asked({}), asked({}, {"id": 8}), "de") == ["+1 Position"]


def test_lines_without_ids_are_counted_by_their_number() -> None:
    assert told(asked({"id": None}), asked({"id": None}, {"id": None})) == ["+1 item"]
    assert told(asked({"id": None}, {}), asked({})) == ["-1 item"]


def test_many_lines_that_changed_are_counted() -> None:
    before = asked(*({"id": number} for number in range(1, 9)))
    now = asked(*({"id": number, "quantity": "4"} for number in range(1, 9)))

    said = told(before, now)

    assert said[:MAX_LINES] == [f"Item {number}: 3 → 4" for number in range(1, 6)]
    assert said[MAX_LINES:] == ["+3 more"]


def test_of_very_many_lines_the_facts_are_capped_and_the_first_are_still_compared() -> None:
    long = {"unit-price": "1234567890.123456", "total": "9" * 20}
    before = asked(*({"id": 10**18 + number, **long} for number in range(300)))
    now = asked(*({"id": 10**18 + number, **long} for number in range(1, 302)))
    edited = asked(
        *({"id": 10**18 + number, **long, "quantity": str(3 + (not number))} for number in range(300))
    )

    assert MAX_FIGURES // 2 < len(shown_figures(before)) <= MAX_FIGURES
    assert told(before, now) == ["+1 item"]
    assert told(before, edited) == ["Item 1: 3 → 4"]


def test_other_kinds_are_compared_by_the_same_numbers() -> None:
    invoice = document("InvoiceHeader")
    line = document("InvoiceHeader").lines[0]

    raw = {"id": line.id, "quantity": "19", "price": "500.00", "total": "10000.00"}
    assert told(invoice, document("InvoiceHeader", invoice_lines=[raw])) == ["Item 1: 20 → 19"]
    dearer = document("Contract", maximum_value="50000")
    assert told(document("Contract"), dearer) == ["Value: USD 48,000.00 → USD 50,000.00"]


@pytest.mark.parametrize(
    "before",
    [
        *("", "x", "null", "7", "[]", "{}", '{"lines": []}', '{"lines": 7, "total": "1"}', "[" * 100_000),
        '{"lines": [[1, 2]], "total": "1", "currency": "USD", "number": 1}',
        '{"lines": [7], "total": "1", "currency": "USD", "number": 1}',
        '{"lines": [], "total": "1", "currency": "USD"}',
    ],
    ids=lambda text: str(text)[:30],
)
def test_facts_that_cannot_be_read_tell_nothing(before: str) -> None:
    assert difference(before, request(), Style()) == []


def test_odd_values_in_the_facts_are_taken_as_not_known() -> None:
    odd = '{"currency": {}, "lines": [[7, true, [], "1e999"]], "number": "x", "own": {}, "total": {"a": 1}}'

    assert difference(odd, request(), Style()) == [
        "Amount: not stated → USD 14,060.41",
        "Item 1: not stated → 10 × USD 1,406.041",
    ]
