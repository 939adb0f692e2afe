"""The text of a notice: pure rendering in Moveworks' markup, each text from Coupa escaped, folded and capped.

It decides nothing about who is told or when. The markup is the part of HTML that Moveworks' own samples show:
`<b>`, `<i>`, `<br>` and `<a href>`. Source: https://docs.moveworks.com/api-reference/events-api
"""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from babel.dates import format_date
from babel.numbers import format_decimal, get_currency_precision

from coupa_core.model import Approval, Currency, Document, Kind, Line, stamp

MAX_MESSAGE = 20_000
"""Characters that Moveworks accepts in one message.

Source: https://docs.moveworks.com/api-reference/events-api/events-api/events/send-message-for-event
"""

MAX_LINES = 5
"""Lines of a document that are shown; the others are counted."""

SHORT, LONG = 80, 500
"""Characters that are kept of a name or a title, and of a text."""

_LOCALE = "en_US"
_NEVER = datetime.min.replace(tzinfo=UTC)
_MAX_DECIMALS = 6
_WEB = re.compile(r"(?i)http(s?)://")
_SCHEME = re.compile(r"(?i)(?<!hxxp)(?<!hxxps)://")
_WWW = re.compile(r"(?i)www\.")


@dataclass(frozen=True)
class Notice:
    """A message ready to send.

    Attributes:
        recipient: the e-mail of the one person who gets it.
        text: Moveworks markup, 1 to 20,000 characters.
        slots: what comes back with a click, by the names that the event declares.
        kind: what sort of message it is, in one word.
        document_type: Coupa's class name of what it is about; empty when it is about none or several.
        document_id: the document's number in Coupa; empty likewise.
    """

    recipient: str
    text: str
    slots: dict[str, str]
    kind: str = "announcement"
    document_type: str = ""
    document_id: str = ""


def slots(approval_id: int, token: str | None) -> dict[str, str]:
    """Return the slots that the event declares; values are texts, and no token is no slot."""
    return {"approval_id": str(approval_id)} | ({"action_token": token} if token else {})


def announcement(approval: Approval, document: Document, *, link: str, changed: bool = False) -> str:
    """Say what waits for the approver, with what is needed to decide.

    Args:
        approval: whose turn it is.
        document: what is to be approved.
        link: where the document is in Coupa.
        changed: the approver was shown other content before.

    Returns:
        Moveworks markup; the short form when the long one would not fit.
    """
    if document.kind is Kind.OTHER:
        return minimal(approval, document, link=link)
    text = "<br>".join([*_greeting(approval, document, changed=changed), *_fields(document), _link(link)])
    return text if len(text) <= MAX_MESSAGE else minimal(approval, document, link=link)


def minimal(approval: Approval, document: Document, *, link: str) -> str:
    """Say only that something waits, which, how much if known, and where: it cannot fail to render."""
    fields = [
        _field(f"{_noun(document)} ID", str(document.id)),
        _field("Amount", amount(document.total, document.currency)),
    ]
    return "<br>".join([*_greeting(approval, document, changed=False), *_present(fields), _link(link)])


def link_to(document: Document, *, base_url: str) -> str:
    """Return where the document is in Coupa's own screens.

    The path follows Coupa's class names and is not documented; other documents get the start page.
    """
    return f"{base_url}/requisition_headers/{document.id}" if document.kind is Kind.REQUISITION else base_url


def amount(number: Decimal | None, currency: Currency | None) -> str | None:
    """Write an amount as `USD 14,060.41`: grouped, with the currency's decimals, and never rounded to fewer.

    Coupa's own number of decimals wins over ISO 4217's; a code that is neither is shown as it is.
    """
    if number is None:
        return None
    code = clean(currency.code, 8) if currency and currency.code else ""
    decimals = currency.decimals if currency else None
    if decimals is None or decimals not in range(5):
        decimals = get_currency_precision(code)
    text = _grouped(number, decimals)
    return f"{code} {text}" if code else text


def clean(text: str | None, limit: int) -> str:
    """Make a text of Coupa's one harmless line of at most `limit` characters.

    Spaces, tabs and newlines become one space; control, bidirectional and zero-width characters vanish; what
    chat programs would turn into a link or a mention is defused. Markup is escaped later, by `escape`.
    """
    kept = "".join(
        " " if char.isspace() else char
        for char in (text or "")[: 4 * limit]
        if char.isspace() or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    line = " ".join(kept.split())
    line = _WWW.sub("www[.]", _SCHEME.sub("[:]//", _WEB.sub(r"hxxp\1://", line)))
    line = line.replace("<@", "< @").replace("<!", "< !").replace("](", "] (")
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def escape(text: str) -> str:
    """Escape the four characters that could end a text or begin markup."""
    return html.escape(text, quote=True)


def _greeting(approval: Approval, document: Document, *, changed: bool) -> list[str]:
    who = approval.approver
    name = clean(who.firstname or who.fullname, SHORT) if who else ""
    noun = _noun(document)
    headline = f"💳 {noun} {'changed, still ' if changed else ''}pending your approval"
    return [f"Hi {escape(name)}," if name else "Hi,", "", f"<b>{headline}</b>:"]


def _noun(document: Document) -> str:
    return "Purchase request" if document.kind is Kind.REQUISITION else "Request"


def _fields(document: Document) -> list[str]:
    requester = document.requested_by.name if document.requested_by else None
    creator = document.created_by.name if document.created_by else None
    vendors = dict.fromkeys(line.supplier.name for line in document.requisition_lines if line.supplier)
    names = [clean(name, SHORT) for name in vendors if name]
    comment = max(document.comments, key=lambda said: stamp(said.created_at) or _NEVER, default=None)
    status = (document.status or "").replace("_", " ").capitalize()
    return _present(
        [
            _field("Requisition ID", str(document.id)),
            _field("Title", clean(document.req_title, SHORT)),
            _field("Requester", clean(requester, SHORT)),
            _field("Created by", clean(creator, SHORT) if creator != requester else None),
            _field("Amount", amount(document.total, document.currency)),
            *_items(document),
            _field("Vendor", ", ".join(_few(names))),
            _field("Justification", clean(document.justification, LONG)),
            _field("Department", clean(document.department.name if document.department else None, SHORT)),
            _field("Need by", _day(document.need_by_date)),
            _field("Last comment", clean(comment.comments, LONG) if comment else None),
            _field("Status", clean(status, SHORT)),
        ]
    )


def _items(document: Document) -> list[str | None]:
    shown = [_item(line, document.currency) for line in document.requisition_lines[:MAX_LINES]]
    more = len(document.requisition_lines) - MAX_LINES
    return [*(_field("Item", text) for text in shown), _field("Items", f"+{more} more") if more > 0 else None]


def _item(line: Line, currency: Currency | None) -> str:
    """Write name, quantity times price, and total, as far as the line says."""
    name = clean(line.description, SHORT) or "(no description)"
    currency = line.currency or currency
    parts = []
    if line.quantity is not None:
        unit = clean(line.uom.code, 12) if line.uom and line.uom.code else ""
        parts.append(f"{_grouped(line.quantity, 0)}{f' {unit}' if unit else ''}")
    if line.unit_price is not None:
        parts.append(str(amount(line.unit_price, currency)))
    said = " × ".join(parts)
    total = amount(line.total, currency)
    if total and len(parts) != 1:
        said = f"{said} = {total}" if said else total
    return f"{name}: {said}" if said else name


def _few(names: list[str]) -> list[str]:
    return names if len(names) <= MAX_LINES else [*names[:MAX_LINES], f"+{len(names) - MAX_LINES} more"]


def _grouped(number: Decimal, decimals: int) -> str:
    """Group thousands, with at least the given decimals and no more than the number has (six at most)."""
    pattern = "#,##0" + ("." + "0" * decimals + "#" * (_MAX_DECIMALS - decimals))
    return str(format_decimal(number, format=pattern, locale=_LOCALE))


def _day(text: str | None) -> str | None:
    """Write the calendar day of a time as Coupa wrote it: a date entered there is midnight in its zone."""
    try:
        day = date.fromisoformat((text or "")[:10])
    except ValueError:
        return None
    return str(format_date(day, "d MMM y", locale=_LOCALE))


def _field(label: str, value: str | None) -> str | None:
    return f"- <i>{label}</i>: {escape(value)}" if value else None


def _present(lines: list[str | None]) -> list[str]:
    return [line for line in lines if line]


def _link(link: str) -> str:
    return f'<a href="{escape(link)}">Open in Coupa</a>'
