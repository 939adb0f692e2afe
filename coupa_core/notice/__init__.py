"""The texts that people read, in the reader's language; texts of Coupa are escaped, folded and capped. Pure.

`cards`, `request`, `digests` and `information` compose messages, `fields` chooses the fields of a document,
`markup` renders them, `catalogue` has our own texts, `style` and `choices` the settings of a deployment, and
`difference` describes changes.
"""

from coupa_core.notice.cards import MAX_ENTRIES, Notice
from coupa_core.notice.choices import read_actions, read_fields, read_language, read_links
from coupa_core.notice.difference import BARE, MAX_FIGURES, difference, shown_figures
from coupa_core.notice.digests import WaitingItem, digest, escalation
from coupa_core.notice.fields import known_as, name_of
from coupa_core.notice.information import Ended, QuestionItem, closing, ended_as, outcome, question
from coupa_core.notice.markup import MAX_MESSAGE
from coupa_core.notice.request import ApprovalRequest, compose
from coupa_core.notice.style import Style, link_to
from coupa_core.notice.sums import sums
from coupa_core.notice.text import LONG, MAX_LINES, SHORT, clean, safe_html, text_to_html
from coupa_core.visible import is_blank

__all__ = [
    "BARE",
    "LONG",
    "MAX_ENTRIES",
    "MAX_FIGURES",
    "MAX_LINES",
    "MAX_MESSAGE",
    "SHORT",
    "ApprovalRequest",
    "Ended",
    "Notice",
    "QuestionItem",
    "Style",
    "WaitingItem",
    "clean",
    "closing",
    "compose",
    "difference",
    "digest",
    "ended_as",
    "escalation",
    "is_blank",
    "known_as",
    "link_to",
    "name_of",
    "outcome",
    "question",
    "read_actions",
    "read_fields",
    "read_language",
    "read_links",
    "safe_html",
    "shown_figures",
    "sums",
    "text_to_html",
]
