"""The text of notices: pure rendering in a channel's markup, all that is Coupa's escaped, folded and capped.

`fields` chooses what is shown, `messages` and `endings` make cards of it, `markup` turns a card into text,
`catalogue` has our own words, `style` and `choices` what a deployment wants, `difference` what changed.
"""

from coupa_core.endings import Ending
from coupa_core.notice.choices import read_actions, read_fields, read_language, read_links
from coupa_core.notice.difference import MAX_FACTS, difference, shown_facts
from coupa_core.notice.endings import Ended, closing, closings, outcome, outcomes, receipt
from coupa_core.notice.markup import HTML, MARKDOWN, MAX_MESSAGE, PLAIN, Card, Entry, Field, Link, Markup
from coupa_core.notice.messages import (
    MAX_ENTRIES,
    Notice,
    Overdue,
    Shown,
    Waiting,
    announcement,
    digest,
    escalation,
    escalations,
    minimal,
    name_of,
    reminder,
    slots,
)
from coupa_core.notice.style import Style, link_to
from coupa_core.notice.text import LONG, MAX_LINES, SHORT, clean, is_blank, joins, plain, safe_html

__all__ = [
    "HTML",
    "LONG",
    "MARKDOWN",
    "MAX_ENTRIES",
    "MAX_FACTS",
    "MAX_LINES",
    "MAX_MESSAGE",
    "PLAIN",
    "SHORT",
    "Card",
    "Ended",
    "Ending",
    "Entry",
    "Field",
    "Link",
    "Markup",
    "Notice",
    "Overdue",
    "Shown",
    "Style",
    "Waiting",
    "announcement",
    "clean",
    "closing",
    "closings",
    "difference",
    "digest",
    "escalation",
    "escalations",
    "is_blank",
    "joins",
    "link_to",
    "minimal",
    "name_of",
    "outcome",
    "outcomes",
    "plain",
    "read_actions",
    "read_fields",
    "read_language",
    "read_links",
    "receipt",
    "reminder",
    "safe_html",
    "shown_facts",
    "slots",
]
