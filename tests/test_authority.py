"""Who may decide what: a token says only what was signed, and a person is compared exactly."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from goldens import PERSON, approval, request
from hypothesis import given
from hypothesis import strategies as st

from coupa_core.authority import (
    TOKEN_LIFE,
    Offer,
    TokenKeys,
    is_approver,
    is_requester,
    keys_of,
    same_address,
)
from coupa_core.model import fingerprint

OLD, NEW, FOREIGN = bytes(range(32)), bytes(range(1, 33)), bytes(range(2, 34))
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
OFFER = Offer(853, "user:42", fingerprint("content"), 3, NOW)
KEYS = TokenKeys({"k1": OLD})
TOKEN = KEYS.sign(OFFER)


def test_a_token_says_what_was_signed() -> None:
    assert KEYS.verify(TOKEN) == OFFER


@given(
    st.integers(1, 10**19 - 1),
    st.integers(1, 10**19 - 1),
    st.text(),
    st.integers(0, 10**6),
    st.datetimes(
        min_value=datetime(2020, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
        max_value=datetime(2200, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
)
def test_every_offer_survives_the_round_trip(
    approval_id: int, user: int, text: str, generation: int, at: datetime
) -> None:
    content = fingerprint(text.encode("utf-8", "replace").decode())
    offer = Offer(approval_id, f"user:{user}", content, generation, at.replace(microsecond=0))

    token = KEYS.sign(offer)

    assert KEYS.verify(token) == offer
    assert len(token) < 260


def test_an_offer_lives_thirty_days_from_now() -> None:
    token = KEYS.offer(853, approver_key="user:42", content="c", generation=0, now=NOW)

    assert KEYS.verify(token) == Offer(853, "user:42", "c", 0, NOW + TOKEN_LIFE)
    assert TOKEN_LIFE.days == 30


def test_a_token_is_short_and_safe_in_urls_and_holds_no_personal_data() -> None:
    version, kid, payload, signature = TOKEN.split(".")

    assert 130 <= len(TOKEN) <= 210
    assert TOKEN.replace(".", "").replace("-", "").replace("_", "").isalnum()
    assert (version, kid, len(signature)) == ("v1", "k1", 43)
    assert json.loads(base64.urlsafe_b64decode(payload + "==")) == {
        "a": 853,
        "p": "user:42",
        "d": fingerprint("content"),
        "g": 3,
        "e": int(NOW.timestamp()),
    }


def forged(key: bytes = OLD, **said: Any) -> str:
    """Sign other content; with a foreign key it is a forgery."""
    offer = Offer(*(said.get(name, getattr(OFFER, name)) for name in Offer.__dataclass_fields__))
    return TokenKeys({"k1": key}).sign(offer)


HEAD, SIGNATURE = TOKEN.rsplit(".", 1)
V, KID, PAYLOAD = HEAD.split(".")
OTHER_PAYLOAD = forged(approval_id=854).split(".")[2]
TAMPERED: dict[str, str] = {
    "empty": "",
    "dots": "...",
    "many dots": "." * 10_000,
    "10,000 characters": "A" * 10_000,
    "10,000 more characters": TOKEN + "A" * 10_000,
    "a long payload": f"{V}.{KID}.{'A' * 10_000}.{SIGNATURE}",
    "other version": f"v2.{KID}.{PAYLOAD}.{SIGNATURE}",
    "version in capitals": f"V1.{KID}.{PAYLOAD}.{SIGNATURE}",
    "no version": f"{KID}.{PAYLOAD}.{SIGNATURE}",
    "other kid": f"{V}.k2.{PAYLOAD}.{SIGNATURE}",
    "no kid": f"{V}..{PAYLOAD}.{SIGNATURE}",
    "other payload": f"{V}.{KID}.{OTHER_PAYLOAD}.{SIGNATURE}",
    "no payload": f"{V}.{KID}..{SIGNATURE}",
    "payload is no base64": f"{V}.{KID}.!!!.{SIGNATURE}",
    "no signature": HEAD,
    "empty signature": f"{HEAD}.",
    "half a signature": TOKEN[:-20],
    "padded signature": f"{TOKEN}=",
    "signature of other content": f"{HEAD}.{forged(generation=4).rsplit('.', 1)[1]}",
    "signed with a foreign key": forged(FOREIGN),
    "extra dot before": f".{TOKEN}",
    "extra dot after": f"{TOKEN}.",
    "extra dot inside": f"{V}.{KID}.{PAYLOAD}..{SIGNATURE}",
    "extra segment": f"{V}.{KID}.x.{PAYLOAD}.{SIGNATURE}",
    "space before": f" {TOKEN}",
    "newline after": f"{TOKEN}\n",
    "NUL after": f"{TOKEN}\0",
    "capitals": TOKEN.upper(),
    "letter like an ASCII one": TOKEN.replace("v", "\u1d20", 1),
    "full-width version": f"\uff561.{KID}.{PAYLOAD}.{SIGNATURE}",
    "non-ASCII signature": f"{HEAD}.\u00e9{SIGNATURE[1:]}",
    "non-ASCII payload": f"{V}.{KID}.\u00e9.{SIGNATURE}",
    "lone surrogate": f"{V}.{KID}.\ud83d.{SIGNATURE}",
}


@pytest.mark.parametrize("token", TAMPERED.values(), ids=TAMPERED.keys())
def test_a_token_that_is_not_ours_says_nothing(token: str) -> None:
    assert KEYS.verify(token) is None


def test_no_character_of_a_token_can_be_another() -> None:
    accepted = [
        (at, char)
        for at, right in enumerate(TOKEN)
        for char in "AQgw-_.=0\u00e9"
        if char != right and KEYS.verify(TOKEN[:at] + char + TOKEN[at + 1 :]) is not None
    ]

    assert accepted == []


def test_no_bit_of_the_signature_can_be_another() -> None:
    right = base64.urlsafe_b64decode(SIGNATURE + "=")

    for at in range(len(right) * 8):
        wrong = bytearray(right)
        wrong[at // 8] ^= 1 << at % 8
        signature = base64.urlsafe_b64encode(bytes(wrong)).rstrip(b"=").decode()
        assert KEYS.verify(f"{HEAD}.{signature}") is None


@given(st.text())
def test_no_text_at_all_raises(text: str) -> None:
    assert KEYS.verify(text) is None
    assert KEYS.verify(f"v1.k1.{text}") is None


def test_the_first_key_signs_and_all_verify_until_one_is_retired() -> None:
    rotated = TokenKeys({"k2": NEW, "k1": OLD})
    token = rotated.sign(OFFER)

    assert token.split(".")[1] == "k2"
    assert rotated.verify(TOKEN) == OFFER
    assert rotated.verify(token) == OFFER
    assert TokenKeys({"k2": NEW}).verify(TOKEN) is None
    assert TokenKeys({"k2": NEW}).verify(token) == OFFER
    assert KEYS.verify(token) is None
    assert TokenKeys({}).verify(TOKEN) is None
    assert TokenKeys({"k1": NEW}).verify(TOKEN) is None


def test_the_keys_of_the_settings_are_decoded_in_their_order() -> None:
    encoded = {"b": base64.b64encode(NEW).decode(), "a": base64.b64encode(OLD).decode()}

    assert list(keys_of(encoded).items()) == [("b", NEW), ("a", OLD)]


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
        ("jac\u212a@acme.test", "jack@acme.test", False),
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


@pytest.mark.parametrize(
    ("actor", "more", "is_it"),
    [
        ("jamie@acme.test", {}, True),
        ("JAMIE@acme.TEST", {}, True),
        ("eve@acme.test", {}, False),
        ("", {}, False),
        ("jamie", {}, False),
        ("jamie@acme.test", {"approver": PERSON | {"active": None}}, True),
        ("jamie@acme.test", {"approver": PERSON | {"active": False}}, False),
        ("jamie@acme.test", {"approver": PERSON | {"active": "false"}}, False),
        ("jamie@acme.test", {"approver": PERSON | {"email": None}}, False),
        ("", {"approver": PERSON | {"email": ""}}, False),
        ("jamie@acme.test", {"approver": None}, False),
        ("jamie@acme.test", {"approver_type": "ApprovalGroup"}, False),
        ("jamie@acme.test", {"approver": {"id": 3, "name": "Buyers", "users": [PERSON]}}, False),
        ("jamie@acme.test", {"approver": {"id": 3}, "delegates": [PERSON]}, False),
    ],
)
def test_only_the_active_user_whom_coupa_asks_is_the_approver(
    actor: str, more: dict[str, Any], *, is_it: bool
) -> None:
    assert is_approver(actor, approval(**more)) is is_it


SAM, ANN = {"id": 7, "email": "sam@acme.test"}, {"id": 8, "email": "ann@acme.test"}


@pytest.mark.parametrize(
    ("actor", "asked", "entered", "is_it"),
    [
        ("sam@acme.test", SAM, ANN, True),
        ("ANN@acme.test", SAM, ANN, True),
        ("jamie@acme.test", SAM, ANN, False),
        ("jamie@acme.test", {"id": 42, "email": "other@acme.test"}, ANN, True),
        ("jamie@acme.test", SAM, {"id": 42}, True),
        ("jamie@acme.test", {"email": None}, {"id": None}, False),
        ("", {"email": ""}, None, False),
        ("jamie@acme.test", None, None, False),
    ],
)
def test_the_requester_is_known_by_either_address_or_id(
    actor: str, asked: Any, entered: Any, *, is_it: bool
) -> None:
    document = request(requested_by=asked, created_by=entered)

    assert is_requester(actor, approval(), document) is is_it


@pytest.mark.parametrize(
    "who", [lambda: {"approver": None, "approver_id": None}, lambda: {"approver_type": "Group"}]
)
def test_a_group_or_nobody_is_not_the_requester_by_id(who: Callable[[], dict[str, Any]]) -> None:
    document = request(requested_by={"id": 42}, created_by={"id": None})

    assert not is_requester("jamie@acme.test", approval(**who()), document)
