"""A written number is the same when read back, to the last decimal, and grouped as people expect.

Babel's own reading, which did not write it, reads it back, in every locale that the setting takes.
The tests say the same with CLDR 47 (Babel 2.18) and with CLDR 49 (Babel 2.19).
"""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from babel import Locale, localedata
from babel.numbers import get_decimal_symbol, list_currencies, parse_decimal
from hypothesis import example, given
from hypothesis import strategies as st

from coupa_core.model import Currency
from coupa_core.notice import Style, read_language
from coupa_core.notice.catalogue import LANGUAGES
from coupa_core.notice.numerals import decimals_of, numerals


def _offered() -> list[str]:
    """Return every locale of CLDR that the setting takes."""
    taken = []
    for name in sorted(localedata.locale_identifiers()):
        try:
            taken.append(read_language(name))
        except ValueError:
            continue
    return list(dict.fromkeys(taken))


OFFERED = _offered()
CURRENCIES = [*sorted(list_currencies()), "Points", "XX1", "€", ""]
SWISS = ["de_CH", "de_LI", "en_CH"]

decimals = st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, places=None) | st.builds(
    lambda whole, places: Decimal(whole).scaleb(-places),
    st.integers(-(10**16), 10**16),
    st.integers(0, 12),
)
amounts = decimals.filter(lambda number: abs(number) <= 10**12)


def figure_of(text: str, code: str) -> str:
    """Return an amount without its currency."""
    return text.removeprefix(f"{code} ").removesuffix(f" {code}") if code else text


def groups_of(figure: str, language: str) -> list[str]:
    """Return the groups of digits before the decimals."""
    whole = figure.removeprefix("-").split(get_decimal_symbol(language))[0]
    return re.split(r"[^0-9]", whole)


def is_grouped(figure: str, language: str) -> bool:
    """Tell whether the digits stand in the groups that CLDR's pattern of the locale asks for."""
    first, *others = groups_of(figure, language)
    last, before = Locale.parse(language).decimal_formats[None].grouping
    if not others:
        return bool(len(first) <= last)
    is_regular = {len(each) for each in others[:-1]} <= {before} and len(others[-1]) == last
    return bool(is_regular and 1 <= len(first) <= before)


def test_every_locale_of_the_ten_languages_is_offered() -> None:
    languages = {Locale.parse(name).language for name in OFFERED}

    assert languages == set(LANGUAGES)
    assert len(OFFERED) > 230
    assert {"en_US", "en_GB", "en_IN", "en_ZA", "en_FR", "de", "de_AT", *SWISS} <= set(OFFERED)


@pytest.mark.slow
@given(st.sampled_from(OFFERED), st.sampled_from(CURRENCIES), st.none() | st.integers(0, 4), amounts)
@example("de_CH", "CHF", None, Decimal("1234567.50"))
@example("en_CH", "CHF", None, Decimal(-(10**12)))
@example("de_LI", "HUF", None, Decimal("-999999999999.99"))
@example("en_FR", "EUR", None, Decimal("1234567.005"))
@example("en_IN", "INR", 2, Decimal("1234567.5"))
def test_an_amount_read_back_is_the_same_to_the_last_decimal(
    language: str, code: str, places: int | None, number: Decimal
) -> None:
    text = Style(language=language).amount(number, Currency(code=code, decimals=places))

    assert text is not None
    figure = figure_of(text, code)
    assert parse_decimal(figure, locale=language) == number
    assert is_grouped(figure, language)
    least = places if places is not None else decimals_of(code)
    assert len(figure.partition(get_decimal_symbol(language))[2]) >= least


@given(st.sampled_from(OFFERED), amounts)
@example("de_CH", Decimal("1234567.125"))
def test_a_quantity_read_back_is_the_same_to_the_last_decimal(language: str, number: Decimal) -> None:
    figure = Style(language=language).number(number)

    assert parse_decimal(figure, locale=language) == number
    assert is_grouped(figure, language)


@given(st.sampled_from(OFFERED), amounts)
@example("de_CH", Decimal(1234567))
def test_a_percentage_read_back_is_the_same_to_the_last_decimal(language: str, number: Decimal) -> None:
    text = Style(language=language).percent(number)

    assert text is not None
    figure = text.removesuffix("%").removesuffix(" ")
    assert parse_decimal(figure, locale=language) == number


@pytest.mark.parametrize("language", SWISS)
def test_a_swiss_million_has_its_apostrophes(language: str) -> None:
    style = Style(language=language)

    said = [
        style.amount(Decimal("1234567890123.50"), Currency(code="CHF")),
        style.number(Decimal(1234567)),
        style.percent(Decimal(1234567)),
        style.length(1234567, "months"),
        style.say("items.more", count=1234567),
    ]

    assert [re.findall(r"[0-9]+", text or "") for text in said] == [
        ["1", "234", "567", "890", "123", "50"],
        *[["1", "234", "567"]] * 4,
    ]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en_US", "USD 1,234,567.50"),
        ("en_GB", "USD 1,234,567.50"),
        ("en_IN", "USD 12,34,567.50"),
        ("en_ZA", "USD 1\u00a0234\u00a0567,50"),
        ("en_FR", "1\u00a0234\u00a0567,50 USD"),
        ("en_NL", "USD 1.234.567,50"),
        ("de", "1.234.567,50 USD"),
        ("de_AT", "USD 1.234.567,50"),
    ],
)
def test_an_amount_is_written_as_people_there_write_it(language: str, text: str) -> None:
    assert Style(language=language).amount(Decimal("1234567.5"), Currency(code="USD")) == text


@pytest.mark.parametrize("code", ["HUF", "IDR", "COP", "JPY", "KWD", "CLF", "USD", "nothing"])
@pytest.mark.parametrize("number", ["1250.5", "0.05", "-0.01", "1250.123456789"])
def test_a_fraction_is_written_whatever_decimals_the_currency_has(code: str, number: str) -> None:
    text = Style().amount(Decimal(number), Currency(code=code))

    assert text is not None
    figure = figure_of(text, code)
    assert Decimal(figure.replace(",", "")) == Decimal(number)
    assert len(figure.partition(".")[2]) >= 2


def test_zero_has_no_sign_and_the_smallest_number_all_its_decimals() -> None:
    way = numerals("en_US")

    assert way.number(Decimal("-0.00"), 2) == "0.00"
    assert way.number(Decimal("1E-28")) == "0." + "0" * 27 + "1"
    assert way.number(Decimal("-9.99E+20")) == "-999,000,000,000,000,000,000"
