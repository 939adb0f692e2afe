"""Decide who may decide: action tokens, and the rules that compare a person with Coupa's record.

Pure: it reads no clock, no setting and no service, and does not know how a decision is carried out. `people`
tells who may decide, `rules` what they may do in chat, `tokens` what was offered to whom.
"""

from coupa_core.authority.people import (
    Capacity,
    Decider,
    Deciders,
    EmailMap,
    decider_at,
    decider_of,
    find_deciders,
    is_asker,
    is_same,
)
from coupa_core.authority.rules import Limits, Right, Rules, recipients
from coupa_core.authority.tokens import TOKEN_LIFE, Offer, TokenKeys, keys_of

__all__ = [
    "TOKEN_LIFE",
    "Capacity",
    "Decider",
    "Deciders",
    "EmailMap",
    "Limits",
    "Offer",
    "Right",
    "Rules",
    "TokenKeys",
    "decider_at",
    "decider_of",
    "find_deciders",
    "is_asker",
    "is_same",
    "keys_of",
    "recipients",
]
