"""The fields of each kind of document, by the names of the setting NOTICE_FIELDS. Pure.

It chooses values and labels; `messages` puts them into cards. Each kind has a module: which
fields it has, what they say, and which of them are not signed.
"""

from coupa_core.notice.fields.amounts import amount_of
from coupa_core.notice.fields.card import fields, label_of, values_of
from coupa_core.notice.fields.kinds import DEFAULTS, HEAD, NAMES, UNSIGNED
from coupa_core.notice.fields.lines import item
from coupa_core.notice.fields.naming import details, headline, known_as, name_of, numbered, priced
from coupa_core.notice.fields.parties import asked, decider, person
from coupa_core.notice.fields.words import status

__all__ = [
    "DEFAULTS",
    "HEAD",
    "NAMES",
    "UNSIGNED",
    "amount_of",
    "asked",
    "decider",
    "details",
    "fields",
    "headline",
    "item",
    "known_as",
    "label_of",
    "name_of",
    "numbered",
    "person",
    "priced",
    "status",
    "values_of",
]
