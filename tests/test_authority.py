"""Who may decide what: a token proves only its signed values, and a person is compared exactly."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from goldens import PERSON, approval, request
from hypothesis import given
from hypothesis import strategies as st

from coupa_core.authority import (
    TOKEN_LIFE,
    Capacity,
    Decider,
    Deciders,
    EmailMap,
    Limits,
    Offer,
    Right,
    TokenKeys,
    decider_at,
    find_deciders,
    is_asker,
    keys_of,
)
from coupa_core.model import Bar, Person, fingerprint

OLD, NEW, FOREIGN = bytes(range(32)), bytes(range(1, 33)), bytes(range(2, 34))
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def offer_of(
    approval_id: int = 853,
    person: str = "user:42",
    content: str = "content",
    generation: int = 3,
    at: datetime = NOW,
) -> Offer:
    return Offer(
        approval_id=approval_id,
        approver_key="group:9",
        person=person,
        content=fingerprint(content),
        generation=generation,
        expires_at=at,
    )


OFFER = offer_of()
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
    content = text.encode("utf-8", "replace").decode()
    offer = offer_of(approval_id, f"user:{user}", content, generation, at.replace(microsecond=0))

    token = KEYS.sign(offer)

    assert KEYS.verify(token) == offer
    assert len(token) < 290


def test_an_offer_lives_thirty_days_from_now() -> None:
    right = Right(Decider("user:42", "ann@acme.test", "Ann", "Ann", Capacity.MEMBER))
    asked = approval(id=853, approver_type="ApprovalGroup", approver={"id": 9, "name": "Buyers"})
    content = fingerprint("content")
    token = KEYS.offer(right, asked, content=content, generation=3, now=NOW)
    barred = KEYS.offer(replace(right, bar=Bar.OWN), asked, content=content, generation=3, now=NOW)

    assert KEYS.verify(token) == offer_of(at=NOW + TOKEN_LIFE)
    assert KEYS.verify(barred) == replace(offer_of(at=NOW + TOKEN_LIFE), content="")
    assert TOKEN_LIFE.days == 30


def test_a_token_is_short_and_safe_in_urls_and_holds_no_personal_data() -> None:
    version, kid, payload, signature = TOKEN.split(".")

    assert 150 <= len(TOKEN) <= 230
    assert TOKEN.replace(".", "").replace("-", "").replace("_", "").isalnum()
    assert (version, kid, len(signature)) == ("v1", "k1", 43)
    assert json.loads(base64.urlsafe_b64decode(payload + "==")) == {
        "a": 853,
        "p": "group:9",
        "w": "user:42",
        "d": fingerprint("content"),
        "g": 3,
        "e": int(NOW.timestamp()),
    }


def forged(key: bytes = OLD, **said: Any) -> str:
    """Sign other content; with a foreign key it is a forgery."""
    return TokenKeys({"k1": key}).sign(replace(OFFER, **said))


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


ANN_OF_BUYERS = Decider("user:42", "ann@acme.test", "Ann", "de", Capacity.MEMBER)


def offered(keys: TokenKeys, decider: Decider = ANN_OF_BUYERS) -> str:
    """Return the token of a card for one person."""
    asked = approval(id=853, approver_type="ApprovalGroup", approver={"id": 9, "name": "Buyers"})
    return keys.offer(Right(decider), asked, content=fingerprint("content"), generation=3, now=NOW)


def test_a_card_says_in_which_language_it_was_and_which_key_signed_it() -> None:
    offer = TokenKeys({"k2": NEW, "k1": OLD}).verify(offered(KEYS))

    assert offer is not None
    assert (offer.locale, offer.kid) == ("de", "k1")
    assert offer == offer_of(at=NOW + TOKEN_LIFE)


@pytest.mark.parametrize(
    ("address", "is_theirs"),
    [("ann@acme.test", True), (" ANN@Acme.test ", True), ("bob@acme.test", False), ("", False)],
)
def test_a_card_is_held_by_the_address_it_was_sent_to_whichever_key_signed_it(
    address: str, *, is_theirs: bool
) -> None:
    rotated = TokenKeys({"k2": NEW, "k1": OLD})

    for token in (offered(KEYS), offered(rotated)):
        offer = rotated.verify(token)
        assert offer is not None
        assert rotated.is_held_by(offer, address) is is_theirs


def test_a_token_of_an_earlier_version_fits_nobody_and_is_held_by_nobody() -> None:
    version, kid, payload, _ = TOKEN.split(".")
    fields = json.loads(base64.urlsafe_b64decode(payload + "=="))
    del fields["w"]
    head = f"{version}.{kid}.{base64.urlsafe_b64encode(json.dumps(fields).encode()).rstrip(b'=').decode()}"
    signature = base64.urlsafe_b64encode(hmac.new(OLD, head.encode(), hashlib.sha256).digest())

    offer = KEYS.verify(f"{head}.{signature.rstrip(b'=').decode()}")

    assert offer is not None
    assert (offer.approval_id, offer.person, offer.locale, offer.holder) == (853, "", "", "")
    assert not KEYS.is_held_by(offer, "")


def test_the_keys_of_the_settings_are_decoded_in_their_order() -> None:
    encoded = {"b": base64.b64encode(NEW).decode(), "a": base64.b64encode(OLD).decode()}

    assert list(keys_of(encoded).items()) == [("b", NEW), ("a", OLD)]


def may_decide(
    *, members: Any = (), delegates: Any = (), emails: EmailMap | None = None, **more: Any
) -> list[tuple[str, str, Capacity]]:
    """Return who may decide the golden approval with other values in some fields."""
    found = find_deciders(
        approval(**more),
        members=[Person.model_validate(each) for each in members],
        delegates=[Person.model_validate(each) for each in delegates],
        emails=emails or EmailMap(),
    )
    return [(each.key, each.address, each.capacity) for each in found]


JAMIE = ("user:42", "jamie@acme.test", Capacity.APPROVER)
GROUP: dict[str, Any] = {"approver_type": "ApprovalGroup", "approver": {"id": 9, "name": "Buyers"}}
ANN: dict[str, Any] = {"id": 8, "email": "ann@acme.test", "active": True}
BOB: dict[str, Any] = {"id": 9, "email": "bob@acme.test", "active": True}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, [JAMIE]),
        ({"approver": PERSON | {"active": None}}, [JAMIE]),
        ({"approver": PERSON | {"active": False}}, []),
        ({"approver": PERSON | {"active": "false"}}, []),
        ({"approver": PERSON | {"email": None}}, []),
        ({"approver": PERSON | {"email": ""}}, []),
        ({"approver": PERSON | {"email": "jamie"}}, []),
        ({"approver": PERSON | {"email": "jam ie@acme.test"}}, []),
        ({"approver": PERSON | {"email": "jamie@acme.test\u202e"}}, []),
        ({"approver": PERSON | {"id": None}}, [JAMIE]),
        ({"approver": PERSON | {"id": None}, "approver_id": None}, []),
        ({"approver": None}, []),
        ({"approver_type": "ApprovalGroup"}, []),
        ({"approver": {"id": 3, "name": "Buyers"}}, []),
    ],
    ids=str,
)
def test_the_active_user_whom_coupa_asks_may_decide(more: dict[str, Any], expected: list[Any]) -> None:
    assert may_decide(**more) == expected


def test_every_active_member_of_a_group_may_decide_and_its_delegates_may_not() -> None:
    members = [
        ANN,
        BOB,
        ANN,
        {**ANN, "id": 10, "active": False},
        {**ANN, "id": 11, "email": None},
        {"id": 12},
    ]

    assert may_decide(members=members, delegates=[PERSON], **GROUP) == [
        ("user:8", "ann@acme.test", Capacity.MEMBER),
        ("user:9", "bob@acme.test", Capacity.MEMBER),
    ]


def test_delegates_may_decide_beside_the_approver_but_not_for_somebody_who_left() -> None:
    delegates = [ANN, PERSON, {**BOB, "active": False}]

    assert may_decide(delegates=delegates, members=[BOB]) == [
        JAMIE,
        ("user:8", "ann@acme.test", Capacity.DELEGATE),
    ]
    assert may_decide(delegates=delegates, approver=PERSON | {"active": False}) == []


def test_a_decider_has_the_name_and_the_language_that_coupa_has() -> None:
    members = [Person.model_validate({**ANN, "fullname": "Ann Lee", "default-locale": "de-AT"})]
    members += [Person.model_validate(BOB)]

    found = find_deciders(approval(**GROUP), members=members, delegates=(), emails=EmailMap())

    assert [(each.name, each.locale) for each in found] == [("Ann Lee", "de-AT"), ("", "")]


@pytest.mark.parametrize(
    ("capacity", "more", "name"),
    [
        (Capacity.APPROVER, {}, ""),
        (Capacity.MEMBER, GROUP, "Buyers"),
        (Capacity.DELEGATE, {"approver": PERSON | {"fullname": "Jamie Doe"}}, "Jamie Doe"),
    ],
)
def test_a_member_acts_for_the_group_and_a_delegate_for_the_approver(
    capacity: Capacity, more: dict[str, Any], name: str
) -> None:
    assert Decider("user:8", "ann@acme.test", "Ann", "", capacity).acts_for(approval(**more)) == name


def test_deciders_are_named_by_their_keys_in_their_order() -> None:
    found = Deciders(tuple(reversed(people("ann@acme.test", "bob@acme.test"))), is_certain=True)

    assert list(found.keys) == ["user:1", "user:0"]


def people(*addresses: str) -> list[Decider]:
    return [
        Decider(f"user:{number}", address, "", "", Capacity.MEMBER)
        for number, address in enumerate(addresses)
    ]


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("ann@acme.test", "user:0"),
        ("BOB@acme.test", "user:1"),
        ("twin@acme.test", None),
        ("eve@acme.test", None),
        ("ann+x@acme.test", None),
        ("", None),
    ],
)
def test_one_person_is_found_by_an_address_and_never_one_of_two(address: str, key: str | None) -> None:
    found = decider_at(address, people("ann@acme.test", "bob@acme.test", "twin@acme.test", "Twin@acme.test"))

    assert (found.key if found else None) == key


SAM, KIM = {"id": 7, "email": "sam@acme.test"}, {"id": 8, "email": "kim@acme.test"}


@pytest.mark.parametrize(
    ("key", "address", "asked", "entered", "is_it"),
    [
        ("user:1", "sam@acme.test", SAM, KIM, True),
        ("user:1", "KIM@acme.test", SAM, KIM, True),
        ("user:7", "other@acme.test", SAM, None, True),
        ("user:8", "other@acme.test", None, KIM, True),
        ("user:1", "jamie@acme.test", SAM, KIM, False),
        ("user:1", "jamie@acme.test", {"email": None}, {"id": None}, False),
        ("user:1", "jamie@acme.test", None, None, False),
        ("user:1", "sam@chat.test", {"email": "mapped@acme.test"}, None, True),
        ("user:1", "mapped@acme.test", {"email": "mapped@acme.test"}, None, False),
    ],
)
def test_the_requester_is_known_by_either_address_or_id(
    key: str, address: str, asked: Any, entered: Any, *, is_it: bool
) -> None:
    document = request(requested_by=asked, created_by=entered)
    decider = Decider(key, address, "", "", Capacity.APPROVER)

    assert is_asker(decider, document, EmailMap({"mapped@acme.test": "sam@chat.test"})) is is_it


def test_addresses_are_mapped_both_ways_without_regard_to_capitals() -> None:
    emails = EmailMap({"Ann@Corp.test": "ann@chat.test"})

    assert emails.to_chat(" ANN@corp.test ") == "ann@chat.test"
    assert emails.to_chat("bob@corp.test") == "bob@corp.test"
    assert emails.from_chat("ANN@chat.test") == ["ann@corp.test", "ANN@chat.test"]
    assert emails.from_chat("bob@corp.test") == ["bob@corp.test"]
    assert emails.from_chat("ann@corp.test") == []


def test_a_domain_is_mapped_both_ways_and_a_whole_address_wins_over_it() -> None:
    emails = EmailMap({"@corp.example": "@acme.test", "ann@corp.example": "a.lee@acme.test"})

    assert emails.to_chat("Bob@Corp.example") == "Bob@acme.test"
    assert emails.to_chat("ann@corp.example") == "a.lee@acme.test"
    assert emails.to_chat("bob@sub.corp.example") == "bob@sub.corp.example"
    assert emails.from_chat("bob@acme.test") == ["bob@corp.example", "bob@acme.test"]
    assert emails.from_chat("a.lee@acme.test") == [
        "ann@corp.example",
        "a.lee@corp.example",
        "a.lee@acme.test",
    ]
    assert emails.from_chat("ann@acme.test") == ["ann@acme.test"]


@pytest.mark.parametrize("address", [None, "", " ", "ann", "an n@acme.test", "ann@acme.test\x07"])
def test_what_is_no_address_is_none_in_the_chat(address: str | None) -> None:
    assert EmailMap().to_chat(address) == ""


@pytest.mark.parametrize(
    ("limits", "total", "currency", "bar"),
    [
        ({}, "1e9", "USD", None),
        ({}, None, "USD", None),
        ({"USD": "100"}, "100.00", "USD", None),
        ({"USD": "100"}, "-100.00", "USD", None),
        ({"USD": "100"}, "100.01", "usd", Bar.TOO_GREAT),
        ({"USD": "100"}, "-100.01", "usd", Bar.TOO_GREAT),
        ({"USD": "100"}, "1", "EUR", Bar.UNSTATED),
        ({"USD": "100", "*": "10"}, "10", "EUR", None),
        ({"USD": "100", "*": "10"}, "11", "EUR", Bar.TOO_GREAT),
        ({"USD": "100", "*": "10"}, "5", None, Bar.UNSTATED),
        ({"USD": "100", "*": "10"}, "5", " ", Bar.UNSTATED),
        ({"USD": "5", "*": "100"}, "50", "USD\u200b", Bar.UNSTATED),
        ({"USD": "5", "*": "100"}, "50", "US Dollar", Bar.UNSTATED),
        ({"USD": "5", "*": "100"}, "50", "Dollar", Bar.UNSTATED),
        ({"USD": "5", "*": "100"}, "50", "US1", Bar.UNSTATED),
        ({"USD": "100", "*": "1000"}, "101", " USD ", Bar.TOO_GREAT),
        ({"*": "10"}, "0" * 61 + "1800", "USD", Bar.UNSTATED),
        ({"*": "10"}, None, "USD", Bar.UNSTATED),
        ({"*": "10"}, "NaN", "USD", Bar.UNSTATED),
        ({"*": "10"}, "9" * 30, "USD", Bar.UNSTATED),
    ],
)
def test_an_amount_above_its_limit_or_not_stated_is_not_for_chat(
    limits: dict[str, str], total: str | None, currency: str | None, bar: Bar | None
) -> None:
    amounts = Limits({code: Decimal(limit) for code, limit in limits.items()})
    money = {"code": currency} if currency else None

    assert amounts.bar(request(total=total, currency=money, requisition_lines=[], line_count=None)) is bar
