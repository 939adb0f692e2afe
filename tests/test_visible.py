"""Texts as people see them: invisible characters are removed, and characters that spell stay."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupa_core.notice import LONG, SHORT, Style, clean
from coupa_core.visible import first_seen, is_blank, words_of

ENGLAND = "\U0001f3f4" + "".join(chr(0xE0000 + ord(letter)) for letter in "gbeng") + "\U000e007f"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Bestell\u00adanforderung", "Bestellanforderung"),
        ("ze\u200bro", "zero"),
        ("a\u2028b\x00c", "a b c"),
        (f"Made in {ENGLAND}", f"Made in {ENGLAND}"),
        ("a\U000e0067\U000e007fb", "ab"),
        ("\U0001f3f4\U000e0078\U000e007f", "\U0001f3f4"),
        ("new: \U0001faff \U0001fc10", "new: \U0001faff \U0001fc10"),
        ("\U0001faff\u200d\U0001f525", "\U0001faff\u200d\U0001f525"),
        ("5 \u20c1", "5 \u20c1"),
        ("a\ufffeb\ufdd0c\u2065d\U000e0fffe\U0001fffef", "abcdef"),
        ("\u200d a \u200d", "a"),
        ("\u200b\u3164", ""),
    ],
)
def test_somebodys_own_words_lose_what_shows_nothing_and_keep_what_spells(written: str, kept: str) -> None:
    assert words_of(written) == kept


def test_a_card_keeps_a_character_that_is_newer_than_python() -> None:
    assert clean("5 \u20c1 \U0001fc10", SHORT) == "5 \u20c1 \U0001fc10"


@pytest.mark.slow
@given(st.text(), st.sampled_from([SHORT, LONG]))
def test_nothing_that_cannot_be_seen_hides_what_can(text: str, limit: int) -> None:
    for unseen in ("\u200b", "\u2062", " ", "\u3164", "\u00ad"):
        assert clean(unseen * 4 * LONG + "x" + text, limit) == clean("x" + text, limit)


@given(st.lists(st.none() | st.text()))
def test_the_first_name_is_one_of_which_something_can_be_seen(names: list[str | None]) -> None:
    seen = [name for name in names if name is not None and not is_blank(name)]

    assert first_seen(*names) == (seen[0] if seen else "")


# Quotation marks.


def within(words: str, language: str = "en") -> str:
    """Return words between their quotation marks, without the marks."""
    said = Style(language=language).quote("\n")
    before, after = said.split("\n")
    return Style(language=language).quote(words).removeprefix(before).removesuffix(after)


def double_marks() -> list[str]:
    """Return every character that Unicode's own names call a mark of a quotation that is no single one."""
    parts = ("QUOTATION MARK", "DOUBLE PRIME", "CORNER BRACKET", "DOUBLE ANGLE BRACKET", "DOUBLE APOSTROPHE")
    skipped = ("SINGLE", "TAG ", "TORTOISE", "LOW ASTERISK", "BOTTOM", "TOP", "UPPER", "LOWER")
    named = ((chr(code), unicodedata.name(chr(code), "")) for code in range(0x20000))
    found = [each for each, name in named if any(part in name for part in parts)]
    return [each for each in found if not any(part in unicodedata.name(each) for part in skipped)]


@pytest.mark.parametrize("mark", [*double_marks(), "\u226b", "\u226a", "\u02dd", "\u3003"])
def test_no_mark_of_a_quotation_stands_within_one(mark: str) -> None:
    assert within(f"Laptops{mark}, USD 5.00") == "Laptops', USD 5.00"
    assert within(mark * 2) == "'"


@pytest.mark.parametrize(
    "marks",
    [
        "''",
        "\u2019\u2019",
        "\u2032\u2032",
        "``",
        "\uff07'",
        "'\"'",
        "\u2019\u201d",
        "\u00b4'",
        ">>",
        "\u203a\u203a",
        "<<",
    ],
)
def test_several_marks_are_one_single_mark(marks: str) -> None:
    assert within(f"Laptops{marks}, USD 5.00") == "Laptops', USD 5.00"


@pytest.mark.parametrize(
    "words",
    ['13" laptop', 'Laptop 13"', 'Laptop (13")', '13"x9"', '19"-rack', "Ann's", "L\u2019achat", "6' 2\""],
)
def test_inches_and_apostrophes_stay(words: str) -> None:
    assert within(words) == words


@pytest.mark.parametrize("words", ['Laptops 5", USD 5.00', '5": USD 5.00', '5" = USD 5', '5"), USD 5', '5".'])
def test_no_inch_seems_to_end_a_quotation(words: str) -> None:
    assert within(words) == words.replace('"', "'")


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh"])
def test_no_language_has_its_own_marks_within_a_quotation(language: str) -> None:
    own = Style(language=language).quote("")

    assert not set(within(f"a{own}b", language)) & (set(own) - {" ", "\u00a0", "\u202f"})
