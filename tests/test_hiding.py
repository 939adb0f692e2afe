"""Values that we sent do not come back into a log, in whatever form a service repeats them."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coupa_core.hiding import HIDDEN, SHORTEST, for_people, texts_of, without

SECRET = "Ab/3+x&Zq-9_'w 7"
"""Of sixteen characters, some of which are written otherwise in a URL, in HTML and in JSON."""

FORMS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "in capitals": str.upper,
    "in small letters": str.lower,
    "reversed": lambda text: text[::-1],
    "in hexadecimal": lambda text: text.encode().hex(),
    "in hexadecimal capitals": lambda text: text.encode().hex().upper(),
    "in base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in base64 behind another text": lambda text: base64.b64encode(f"id:{text}&x=y".encode()).decode(),
    "in base64 behind two": lambda text: base64.b64encode(f"a{text}".encode()).decode(),
    "in base64 for URLs": lambda text: base64.urlsafe_b64encode(f"ab{text}".encode()).decode(),
    "reversed in base64": lambda text: base64.b64encode(text.encode()).decode()[::-1],
    "in a URL": quote,
    "in a query": quote_plus,
    "twice in a URL": lambda text: quote(quote(text, safe=""), safe=""),
    "each character in a URL": lambda text: "".join(f"%{each:02x}" for each in text.encode()),
    "in HTML": html.escape,
    "each character in HTML": lambda text: "".join(f"&#{ord(each)};" for each in text),
    "in JSON": json.dumps,
    "in JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "each character in JSON": lambda text: "".join(f"\\u{ord(each):04x}" for each in text),
    "with slashes escaped": lambda text: json.dumps(text).replace("/", "\\/"),
    "in a URL in JSON": lambda text: json.dumps(quote(text, safe="")).replace("%", "\\u0025"),
}


def undone(text: str) -> set[str]:
    """Return what a reader could get back from a text with simple means."""
    readings = {text}
    for word in text.replace("=", " ").split():
        padded = word + "=" * (-len(word) % 4)
        for decode in (base64.b64decode, base64.urlsafe_b64decode, bytes.fromhex):
            try:
                readings.add(decode(padded).decode("utf-8", "replace"))
            except ValueError:
                continue
    return readings | {each[::-1] for each in readings}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("secret", [SECRET, "p4ss-w0rd", "x" * SHORTEST, "änderung"])
def test_a_short_secret_is_hidden_in_every_form(form: Callable[[str], str], secret: str) -> None:
    said = without(f"cannot take token {form(secret)} here", [secret])

    assert HIDDEN in said
    for each in undone(said):
        assert secret.casefold() not in each.casefold()


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=SHORTEST, max_size=24))
@example("\\u0041\\u0042")
@example("%41%42%43%44")
def test_whatever_was_sent_is_hidden(form: Callable[[str], str], secret: str) -> None:
    said = without(f"no: {form(secret)}.", [secret])

    assert secret not in said
    assert form(secret) not in said


@given(st.text(st.characters(codec="utf-8"), max_size=200).filter(lambda text: "=" not in text))
@settings(max_examples=100, deadline=None)
def test_a_text_that_repeats_nothing_stays_as_it_is(text: str) -> None:
    spaced = " ".join(text)

    assert without(spaced, ["something else"]) == spaced


def test_words_of_a_query_are_told() -> None:
    sent = texts_of([{"dir": "asc", "order": "id"}, {"status": "approve"}])

    assert sent == []
    assert without("asc is no order", sent) == "asc is no order"


def test_each_text_of_a_request_counts_wherever_it_stands() -> None:
    body = json.dumps({"email": "jamie@example.com", "to": [{"name": "Jamie Fox"}], "n": 12345678}).encode()

    assert texts_of([{"Authorization": "Bearer abcdefgh"}, None, ("in a tuple",), body]) == [
        *("abcdefgh", "in a tuple", "jamie@example.com", "Jamie Fox", "12345678")
    ]
    assert texts_of(b"no JSON, but a text") == ["no JSON, but a text"]
    assert texts_of(b"\xff\xfe" + b"[" * 100_000) == ["\ufffd\ufffd" + "[" * 100_000]


@pytest.mark.parametrize(
    "words",
    [
        "NoMethodError: undefined method `foo' for nil:NilClass (/srv/coupa/app/models/approval.rb:12)",
        "PG::UniqueViolation: ERROR: duplicate key value violates unique constraint idx at db-7.internal",
        "java.lang.NullPointerException while saving",
        "ActiveRecord error in index_approvals_on_user",
        "cannot open /var/lib/coupa/cache",
        "see app/models/approval.rb:12 for more",
        "no answer from 10.20.0.7 in time",
        "Validation failed on db-7.internal today",
        "ORA-00001: not unique",
        "C:\\\\coupa\\\\app failed",
        "Traceback (most recent call last)",
        "invalid_state",
        "",
    ],
)
def test_an_exception_a_path_a_host_or_a_code_is_no_sentence_for_people(words: str) -> None:
    assert not for_people(words)


@pytest.mark.parametrize(
    "words",
    [
        "Budget line 7 is closed.",
        "Segment 1 - Cost Center can't be blank",
        "Blocked: supplier is on hold and/or inactive",
        "The default account was closed on 11/23/2026 (error 17)",
        "Amount USD 1.800,00 exceeds the limit of 1,000.00",
        "Betrag überschreitet das Budget",
        "予算を超えています",
        "שגיאה",
    ],
)
def test_a_sentence_about_the_request_is_for_people(words: str) -> None:
    assert for_people(words)


@given(
    before=st.sampled_from(["Budget exceeded", "Der Betrag ist zu hoch", ""]),
    internal=st.sampled_from(
        ["/srv/coupa/app/x.rb", "db-7.internal", "PG::Error", "RuntimeError", "a_b", "10.0.0.7"]
    ),
    after=st.sampled_from(["", "please ask", "in line 7."]),
)
def test_one_sign_of_the_inside_is_enough_wherever_it_stands(before: str, internal: str, after: str) -> None:
    assert not for_people(f"{before} {internal} {after}")
