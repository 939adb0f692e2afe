"""How a deployment wants its notices: language, formats, zone, fields, links, actions and markup. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, format_timedelta
from babel.lists import format_list

from coupa_core.documents import OrderChange
from coupa_core.model import Currency, Document, Verb, stamp
from coupa_core.notice.catalogue import TEXTS
from coupa_core.notice.markup import HTML, Markup
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

No page of Coupa says so: the paths are those in public scripts and wikis of its customers, and a change of an
order is shown with its order.
"""

_UNITS = ("days", "months", "years")


@dataclass(frozen=True, kw_only=True)
class Style:
    """The choices of a deployment; another value for one person by `dataclasses.replace`.

    Attributes:
        base_url: where people open Coupa.
        language: a locale, such as `en_US` or `de`: texts by its language, numbers and dates by all of it.
        zone: an IANA time zone, in which times are shown.
        fields: which fields in which order, by Coupa's class name; the others have their defaults.
        links: where documents are, by Coupa's class name, and `*` for the others; `{base}`, `{type}`, `{id}`.
        actions: what the approver can do from chat.
        list_decides: whether they can do it from the list of what waits, too.
        markup: of the channel.
    """

    base_url: str = ""
    language: str = "en_US"
    zone: str = "UTC"
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    actions: tuple[Verb, ...] = tuple(Verb)
    list_decides: bool = True
    markup: Markup = HTML

    # ------------------------------------------------------------------ texts

    def say(self, key: str, **values: object) -> str:
        """Return a text of the catalogue with its values filled in."""
        return TEXTS[self.language.partition("_")[0]][key].format(**values)

    def has(self, key: str) -> bool:
        """Tell whether the catalogue has such a text."""
        return key in TEXTS["en"]

    def count(self, key: str, number: int) -> str:
        """Return a text about a number of things."""
        return self.say(key if number == 1 else f"{key}.many", count=self.number(number))

    def more(self, number: int) -> str:
        """Say how many more there are."""
        return self.say("more", count=self.number(number))

    def few(self, names: Iterable[str], *, separator: str = ", ") -> str:
        """Join some names, and count the others."""
        kept = [name for name in names if name]
        more = len(kept) - MAX_LINES
        shown = [*kept[:MAX_LINES], self.more(more)] if more > 0 else kept
        return separator.join(shown)

    def choice(self, words: list[str]) -> str:
        """Join words by commas and `or`."""
        return str(format_list(words, style="or", locale=self.language))

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
        """Write how long something has waited, in words: `3 days`."""
        waited = max(waited, timedelta(minutes=1))
        return str(format_timedelta(waited, granularity="minute", threshold=1, locale=self.language))

    def span(self, start: str | None, end: str | None) -> str | None:
        """Write from when to when, as far as it is known."""
        return self.between(self.day(start), self.day(end))

    def between(self, low: str | None, high: str | None) -> str | None:
        """Write a range of which either end may be open."""
        if low and high:
            return low if low == high else self.say("range", low=low, high=high)
        if low or high:
            return self.say("from", low=low) if low else self.say("to", high=high)
        return None

    def length(self, number: int, unit: str | None) -> str:
        """Write a length of time such as 12 months."""
        known = (unit or "").casefold()
        if known in _UNITS:
            return self.count(f"length.{known}", number)
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
    """Put plain spaces for the narrow and the hard ones, which some chat programs show as boxes."""
    return str(text).replace("\u202f", " ").replace("\u00a0", " ")
