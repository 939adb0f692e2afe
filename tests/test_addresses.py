"""When two e-mail addresses are one: capitals apart, only when every letter is the same."""

from __future__ import annotations

import doctest
import unicodedata

import pytest
from bridge import World
from hypothesis import example, given
from hypothesis import strategies as st

from coupa_core import addresses
from coupa_core.addresses import folded, same_address


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("jamie@acme.test", "jamie@acme.test", True),
        ("Jamie@ACME.test", "jamie@acme.TEST", True),
        (" jamie@acme.test\n", "jamie@acme.test", True),
        ("J\u00d6RG@acme.test", "j\u00f6rg@acme.test", True),
        ("jamie@acme.test", "jamie@acme.tes", False),
        ("jamie+x@acme.test", "jamie@acme.test", False),
        ("ja.mie@acme.test", "jamie@acme.test", False),
        ("jam ie@acme.test", "jamie@acme.test", False),
        ("stra\u00dfe@acme.test", "strasse@acme.test", False),
        ("\u00f6stra\u00dfe@acme.test", "\u00f6strasse@acme.test", False),
        ("STRA\u1e9eE@acme.test", "stra\u00dfe@acme.test", False),
        ("jac\u212a@acme.test", "jack@acme.test", False),
        ("j\u00f6c\u212a@acme.test", "j\u00f6ck@acme.test", False),
        ("\u212bsa\u00f6@acme.test", "\u00e5sa\u00f6@acme.test", False),
        ("\u0130nci@acme.test", "inci@acme.test", False),
        ("\ufb01n@acme.test", "fin@acme.test", False),
        ("j\u0430mie@acme.test", "jamie@acme.test", False),
        ("", "", False),
        (" ", " ", False),
        (None, None, False),
        ("jamie@acme.test", None, False),
        (None, "jamie@acme.test", False),
    ],
)
def test_addresses_are_compared_exactly_but_for_capitals(
    left: str | None, right: str | None, *, same: bool
) -> None:
    assert same_address(left, right) is same


LETTERS = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)).startswith("L")]


def test_no_two_letters_become_one_unless_one_is_the_others_capital() -> None:
    found: dict[str, list[str]] = {}
    for letter in LETTERS:
        found.setdefault(folded(letter), []).append(letter)

    merged = [letters for letters in found.values() if len(letters) > 1]
    pairs = [letters for letters in merged if len(letters) == 2]
    assert len(pairs) == len(merged) > 1_000
    assert all({one, other} in ({one, one.upper()}, {other, other.upper()}) for one, other in pairs)


@given(
    st.text(alphabet=st.sampled_from(["k", "K", "\u212a", "s", "S", "\u017f", "\u00df", "\u1e9e", "\u0130"]))
)
@example("\u03a3\u0391\u03a3")
def test_folding_keeps_the_length_and_folds_once(text: str) -> None:
    assert len(folded(text)) == len(text.strip())
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize(
    ("header", "body", "error"),
    [
        ("stra\u00dfe@example.com", "strasse@example.com", "ambiguous"),
        ("j\u00f6c\u212a@example.com", "j\u00f6ck@example.com", "ambiguous"),
        ("J\u00d6RG@example.com", "j\u00f6rg@example.com", None),
    ],
)
def test_who_acts_is_one_person_only_where_both_say_the_same(
    header: str, body: str, error: str | None
) -> None:
    reply = World().call(
        "approve",
        headers={"X-Actor-Email": header, "X-Action-Token": "x"},
        route={"approval_id": "1"},
        json={"actor_email": body},
    )

    assert reply.body["error"] == (error or "token_refused")


def test_the_examples_in_the_docstring_hold() -> None:
    assert doctest.testmod(addresses).failed == 0
