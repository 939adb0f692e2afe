"""The texts of events in the audit log: folded and capped when they come in."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone

import pytest
from audit_log_contract import NOW, event, full_event
from hypothesis import given, settings
from hypothesis import strategies as st

from coupa_core.audit_log import MAX_TEXT, NAMES, Event, EventKind, canonical, event_text

LETTERS = st.sampled_from(
    'ab"\\ \t\r\n\x00\x1b\x85\u00a0\u00e9\u200b\u2028\u202e\u3000\ufeff\ud83d\U0001f600'
)
QUICKLY = settings(max_examples=150, deadline=None, derandomize=True)
TEXTS = tuple(field.name for field in fields(Event) if field.type == "str")


def test_the_kinds_are_those_that_the_record_knows() -> None:
    assert [kind.value for kind in EventKind] == [
        *("intent", "decision", "refusal", "notice", "rights", "relay", "operator"),
    ]


def test_an_event_says_what_was_given_and_nothing_else() -> None:
    assert event(5, verb="approve").values() == {
        "kind": "intent",
        "at": "2026-11-23T09:00:00+00:00",
        "approval_id": 5,
        "verb": "approve",
        "generation": 0,
    }
    assert tuple(full_event().values()) == NAMES


def test_the_time_is_kept_as_utc() -> None:
    there = datetime(2026, 11, 23, 4, 0, tzinfo=timezone(timedelta(hours=-5)))

    assert event(at=there).at.isoformat() == "2026-11-23T09:00:00+00:00"
    assert event(at=there).at.tzinfo is UTC


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        event(at=NOW.replace(tzinfo=None))


def test_every_text_is_folded_to_one_line() -> None:
    assert len(TEXTS) == 13
    said = event(7, **dict.fromkeys(TEXTS, " a\r\n\tb\u2028c\u202e\x00d "))

    assert {getattr(said, name) for name in TEXTS} == {"a b c d"}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("x" * MAX_TEXT, "x" * MAX_TEXT),
        ("x" * (MAX_TEXT + 1), "x" * (MAX_TEXT - 1) + "…"),
        ("\u200b\u00a0\u3000", ""),
        ("half a pair \ud83d", "half a pair"),
        ("über ☃ \U0001f600", "über ☃ \U0001f600"),
    ],
)
def test_a_text_is_capped_and_keeps_what_can_be_seen(text: str, kept: str) -> None:
    assert event_text(text) == kept


@QUICKLY
@given(st.text(LETTERS, max_size=300))
def test_a_folded_text_is_one_line_can_be_stored_and_stays_as_it_is(text: str) -> None:
    line = event_text(text)

    assert line.splitlines() in ([], [line])
    assert len(line) <= MAX_TEXT
    assert line.encode().decode() == line
    assert event_text(line) == line


def test_the_same_values_have_one_text() -> None:
    assert canonical({"b": 1, "a": {"d": "ü", "c": None}}) == '{"a":{"c":null,"d":"ü"},"b":1}'


@QUICKLY
@given(st.dictionaries(st.sampled_from(NAMES), st.text(LETTERS, max_size=5) | st.integers() | st.none()))
def test_the_text_says_the_values(values: dict[str, object]) -> None:
    assert json.loads(canonical(values)) == values


def test_an_event_does_not_change() -> None:
    with pytest.raises(AttributeError):
        event().verb = "reject"  # type: ignore[misc]
