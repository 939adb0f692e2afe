"""The click's use case: one person decides one approval, once, on the content that the person was shown.

`answers` is what is said, `check` what must hold, `run` does it, `ended` reads Coupa's record of a decision.
It knows nothing of HTTP; `endpoints` gives the answers their status.
"""

from coupa_core.decide.answers import SENTENCES, Answer, Click, Outcome, parse_verb
from coupa_core.decide.ended import reason_for
from coupa_core.decide.ports import Policy
from coupa_core.decide.run import BUDGET_S, Decide

__all__ = [
    "BUDGET_S",
    "SENTENCES",
    "Answer",
    "Click",
    "Decide",
    "Outcome",
    "Policy",
    "parse_verb",
    "reason_for",
]
