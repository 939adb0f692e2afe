"""The style of messages: language, formats, zone, fields, links and actions. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, format_timedelta
from babel.lists import format_list

from coupa_core.documents import OrderChange
from coupa_core.model import Currency, Document, Verb, stamp
from coupa_core.notice.catalogue import nearest_locale, plural_of, texts
from coupa_core.notice.numerals import decimals_of, numerals
from coupa_core.notice.text import MAX_LINES, SHORT, clean

PATHS = {
    "RequisitionHeader": "requisition_headers",
    "InvoiceHeader": "invoices",
    "ExpenseReport": "expense_reports",
    "Contract": "contracts",
    "OrderHeaderChange": "order_headers",
}
"""Where documents are in Coupa's own screens; other types get the start page.

Coupa does not document these paths: they are those in public scripts and wikis of its customers. A change of
an order is shown with its order.
"""

_UNITS = ("days", "months", "years")
_AGES: tuple[tuple[Literal["day", "hour", "minute"], timedelta], ...] = (
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
)
_ONE = "['’‘‚‛`´′‵ʹʼ＇]"  # noqa: RUF001 - they are meant
_TWO = (
    "(?:[“”„‟«»≪≫❮❯︽︾《》⟪⟫「」『』｢｣﹁﹂﹃﹄〝〞〟❝❞❠🙶🙷🙸⹂＂″‴⁗‶‷ʺˮ˝״〃]"  # noqa: RUF001
    r'|(?<![0-9])"|"(?!\)?(?:\Z|[ /-]?[^\W\d_])))'
)
_MARKS = re.compile(f"{_ONE}*{_TWO}(?:{_ONE}|{_TWO})*|{_ONE}{{2,}}|[<‹〈]{{2,}}|[>›〉]{{2,}}")  # noqa: RUF001
"""Characters that a reader could take for the end of a quotation."""


@dataclass(frozen=True, kw_only=True)
class Style:
    """The style of a deployment; `to` returns that of one reader.

    Attributes:
        base_url: the address of Coupa for people.
        language: a locale, such as `en_US` or `de`: texts by its language, numbers and dates by all of it.
        zone: an IANA time zone, in which times are shown.
        zone_of: the zone of the person with an address; None where all have the same.
        fields: which fields in which order, by Coupa's class name; the others have their defaults.
        links: where documents are, by Coupa's class name, and `*` for the others; `{base}`, `{type}`, `{id}`.
        actions: the actions that approvers have in chat.
        list_decides: they have them in the list of pending approvals, too.
        asks: they can ask the requester.
    """

    base_url: str = ""
    language: str = "en_US"
    zone: str = "UTC"
    zone_of: Callable[[str], str] | None = None
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    actions: tuple[Verb, ...] = tuple(Verb)
    list_decides: bool = True
    asks: bool = False

    def to(self, locale: str, address: str = "") -> Style:
        """Return the style for one reader.

        Args:
            locale: as Coupa has it for the person, possibly empty; one that we have no texts for, or that
                CLDR does not know, leaves the language, or else the whole, as the deployment wants it.
            address: by which the chat knows the person, for the zone; possibly empty.
        """
        known = nearest_locale(locale)
        zone = self.zone_of(address) if self.zone_of and address else self.zone
        return replace(self, language=known or self.language, zone=zone)

    def to_all(self, locales: Iterable[str], address: str = "") -> Style:
        """Return the style for several readers: in their language where all of them have the same."""
        styles = {self.to(locale, address).language for locale in locales}
        language = next(iter(styles)) if len(styles) == 1 else self.language
        return replace(self.to("", address), language=language)

    # ------------------------------------------------------------------ texts

    def say(self, key: str, **values: object) -> str:
        """Return a text of the catalogue with its values filled in; one about many has its `count`."""
        text = texts(self.language.partition("_")[0])[key]
        if not isinstance(text, str):
            number = values["count"]
            assert isinstance(number, int)  # noqa: S101 - what has plural forms is about a number
            text = text[plural_of(self.language, number)]
            values = {**values, "count": self.number(number)}
        return text.format(**values)

    def has(self, key: str) -> bool:
        """Tell whether the catalogue has such a text."""
        return key in texts("en")

    def more(self, number: int) -> str:
        """Return how many more there are."""
        return self.say("more", count=self.number(number))

    def join(self, *parts: str | None) -> str:
        """Join texts by commas, without empty ones."""
        return self.say("comma").join(part for part in parts if part)

    def colon(self, label: str | None, words: str | None) -> str:
        """Put a label before a text, where there are both."""
        return self.say("colon").join(part for part in (label, words) if part)

    def sentences(self, *texts: str) -> str:
        """Put sentences one after the other."""
        return self.say("space").join(texts)

    def quote(self, words: str) -> str:
        """Put words of others in the language's quotation marks, so that nobody takes them for ours.

        Such marks within them become single ones, so that a writer cannot fake the end of the quotation.
        The sign of an inch stays after a digit, where a word or the end comes next: 13" screen.
        """
        return self.say("quoted", words=_MARKS.sub("'", words))

    def series(self, words: Sequence[str]) -> str:
        """Name several things as the language does: `A, B and C`."""
        return str(format_list(words, locale=self.language))

    def few(self, names: Iterable[str]) -> str:
        """Join some names, and count the others."""
        kept = [name for name in names if name]
        more = len(kept) - MAX_LINES
        return self.join(*kept[:MAX_LINES], self.more(more) if more > 0 else None)

    # ------------------------------------------------------------------ numbers

    def amount(self, number: Decimal | None, currency: Currency | None) -> str | None:
        """Write an amount as `USD 14,060.41`: grouped, with the currency's decimals, and never rounded.

        The code stands where the language has the sign. Coupa's own number of decimals wins over CLDR's; a
        code that is not known is shown as it is.
        """
        if number is None:
            return None
        code = clean(currency.code, 8) if currency and currency.code else ""
        decimals = currency.decimals if currency else None
        if decimals is None or decimals not in range(5):
            decimals = decimals_of(code)
        way = numerals(self.language)
        text = way.amount(number, decimals)
        return " ".join(filter(None, [code, text] if way.code_leads else [text, code]))

    def number(self, number: Decimal | int) -> str:
        """Write a number such as a quantity: grouped, and with all its decimals."""
        return numerals(self.language).number(Decimal(number))

    def percent(self, number: Decimal | None) -> str | None:
        """Write 2.5 as 2.5%."""
        return None if number is None else _spaced(self.number(number) + numerals(self.language).percent)

    # ------------------------------------------------------------------ times

    def day(self, text: str | None) -> str | None:
        """Write the day of a time as Coupa wrote it: a date that was entered is midnight in Coupa's zone."""
        try:
            day = date.fromisoformat((text or "")[:10])
        except ValueError:
            return None
        return str(format_date(day, "medium", locale=self.language))

    def day_of(self, text: str | None) -> str | None:
        """Write the day of something that happened, in the zone."""
        at = stamp(text)
        return str(format_date(self._here(at), "medium", locale=self.language)) if at else self.day(text)

    def moment(self, at: datetime) -> str:
        """Write day and time in the zone."""
        here = self._here(at)
        day = format_date(here, "medium", locale=self.language)
        return _spaced(self.say("moment", day=day, time=format_time(here, "short", locale=self.language)))

    def age(self, waited: timedelta) -> str:
        """Write how long something has waited, in words: `3 days`; a minute at least.

        It is rounded down to whole days, hours or minutes. Babel by itself rounds to the nearest of a unit
        that it
        chooses: 45 days would be two months.
        """
        unit, length = next((each for each in _AGES if waited >= each[1]), _AGES[-1])
        whole = max(waited // length, 1) * length
        return str(format_timedelta(whole, granularity=unit, threshold=math.inf, locale=self.language))

    def span(self, start: str | None, end: str | None) -> str | None:
        """Write from which day to which, as far as it is known."""
        return self._range(self.day(start), self.day(end), ("range.days", "from.day", "to.day"))

    def between(self, low: str | None, high: str | None) -> str | None:
        """Write a range of amounts of which either end may be open."""
        return self._range(low, high, ("range", "from", "to"))

    def _range(self, low: str | None, high: str | None, keys: tuple[str, str, str]) -> str | None:
        """Write a range by three texts: for both ends, for the lower and for the upper alone."""
        both, lower, upper = keys
        if low and high:
            return low if low == high else self.say(both, low=low, high=high)
        if low or high:
            return self.say(lower, low=low) if low else self.say(upper, high=high)
        return None

    def length(self, number: int, unit: str | None) -> str:
        """Write a length of time such as 12 months."""
        known = (unit or "").casefold()
        if known in _UNITS:
            return self.say(f"length.{known}", count=number)
        return f"{self.number(number)} {clean(unit, SHORT)}".strip()

    def _here(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.zone))


def link_to(document: Document, *, style: Style) -> str:
    """Return where the document is in Coupa's own screens."""
    template = style.links.get(document.type) or style.links.get("*")
    if template:
        kind = quote(document.type, safe="")
        return template.format(base=style.base_url, type=kind, id=document.id)
    number = document.order_header_id if isinstance(document, OrderChange) else document.id
    path = PATHS.get(document.type)
    return f"{style.base_url}/{path}/{number}" if path and number else style.base_url


def _spaced(text: object) -> str:
    """Replace narrow and hard spaces, which some chat programs show as boxes, by plain ones."""
    return str(text).replace("\u202f", " ").replace("\u00a0", " ")
