"""The fields of each kind of document, by the names of the setting NOTICE_FIELDS. Pure.

This package chooses values and labels; `cards` lays them out. A module for each kind has its fields, their
values, and those that are not signed.
"""

from coupa_core.notice.fields.formats import amount_of
from coupa_core.notice.fields.kinds import DEFAULTS, HEAD, NAMES, UNSIGNED, fields, label_of, values_of
from coupa_core.notice.fields.naming import details, headline, known_as, name_of, numbered, priced
from coupa_core.notice.fields.parties import asked, person

__all__ = [
    "DEFAULTS",
    "HEAD",
    "NAMES",
    "UNSIGNED",
    "amount_of",
    "asked",
    "details",
    "fields",
    "headline",
    "known_as",
    "label_of",
    "name_of",
    "numbered",
    "person",
    "priced",
    "values_of",
]
