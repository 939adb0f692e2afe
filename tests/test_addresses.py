"""Two e-mail addresses are one when every letter is the same, capitals aside."""

from __future__ import annotations

import doctest
import unicodedata

import pytest
from bridge import World
from hypothesis import example, given
from hypothesis import strategies as st

from coupa_core import addresses
from coupa_core.addresses import folded, is_address, same_address, spellings


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
        ("jorg@m\u00fcller.example", "jorg@xn--mller-kva.example", True),
        ("jorg@M\u00dcLLER.example", "Jorg@XN--MLLER-KVA.Example", True),
        ("jorg@a.m\u00fcller.example", "jorg@a.xn--mller-kva.example", True),
        ("jorg@m\u00fcller.example", "jorg@muller.example", False),
        ("jorg@xn--strae-oqa.test", "jorg@stra\u00dfe.test", True),
        ("jorg@xn--strae-oqa.test", "jorg@strasse.test", False),
        ("jorg@xn--a.test", "jorg@a.test", False),
        ("jorg@xn--abc-.test", "jorg@abc.test", False),
        ("xn--mller-kva@a.test", "m\u00fcller@a.test", False),
    ],
)
def test_addresses_are_compared_exactly_but_for_capitals(
    left: str | None, right: str | None, *, same: bool
) -> None:
    assert same_address(left, right) is same


def letters() -> list[str]:
    return [char for char in map(chr, range(0x110000)) if unicodedata.category(char).startswith("L")]


@pytest.mark.slow
def test_no_two_letters_become_one_unless_one_is_the_others_capital() -> None:
    found: dict[str, list[str]] = {}
    for letter in letters():
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


LABELS = st.text(
    alphabet=st.sampled_from("abz09-\u00fc\u00df\u0645\u0435\u13f0\uab70"), min_size=1, max_size=8
)


@given(st.text(alphabet=st.sampled_from("abcdefkz0123456789-"), max_size=14))
def test_what_looks_like_punycode_is_folded_once_and_never_fails(text: str) -> None:
    address = f"ann@xn--{text}.test"

    assert folded(folded(address)) == folded(address)
    assert folded(address) in spellings(address)


@given(LABELS)
def test_every_spelling_of_an_address_is_that_address(label: str) -> None:
    address = f"ann@{label}.test"

    written = spellings(address)
    assert written
    assert all(same_address(each, address) for each in written)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("jorg@m\u00fcller.example", True),
        ("kim@sub_net.acme.test", True),
        ("ann+x@acme.test", True),
        ("\u0930\u093e\u092e@\u092d\u093e\u0930\u0924.test", True),
        ("kim", False),
        ("kim@", False),
        ("@acme.test", False),
        ("k im@acme.test", False),
        ("kim@ac me.test", False),
        ("kim@acme/x.test", False),
        ("kim@acme.test,ann@acme.test", False),
        ("Kim <kim@acme.test>", False),
        ("kim@acme.test\n", False),
        ("kim\u200b@acme.test", False),
        (7, False),
        (None, False),
    ],
)
def test_what_can_be_an_address(text: object, is_one: bool) -> None:  # noqa: FBT001 - a table's column
    assert is_address(text) is is_one


@pytest.mark.parametrize(
    ("coupa", "chat", "settings"),
    [
        ("jorg@m\u00fcller.example", "jorg@xn--mller-kva.example", {}),
        ("jorg@xn--mller-kva.example", "jorg@m\u00fcller.example", {}),
        ("kim@sub_net.acme.test", "kim@sub_net.acme.test", {}),
        ("bob@corp.example", "bob@acme.test", {"EMAIL_MAP": '{"@corp.example": "@acme.test"}'}),
        (
            "bob@xn--mller-kva.example",
            "bob@acme.test",
            {"EMAIL_MAP": '{"@m\u00fcller.example": "@acme.test"}'},
        ),
    ],
)
def test_whoever_is_told_at_an_address_can_list_and_click_by_it(
    coupa: str, chat: str, settings: dict[str, str]
) -> None:
    world = World(settings=settings)
    world.requisition(coupa)

    [card] = world.announced()

    assert same_address(card.recipient, chat)
    assert world.call("list_approvals", headers={"X-Actor-Email": chat}).body["count"] == 1
    assert world.click(card, chat).body["outcome"] == "approved"


def test_two_users_of_one_domain_in_both_its_forms_share_the_address() -> None:
    world = World()
    world.requisition("jorg@m\u00fcller.example")
    world.person("jorg@xn--mller-kva.example")

    assert world.announced() == []


def test_the_examples_in_the_docstring_hold() -> None:
    assert doctest.testmod(addresses).failed == 0
