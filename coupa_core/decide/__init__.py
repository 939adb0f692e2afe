"""The click's use case: a person decides approvals, each once, on the content that the person was shown.

`answers` is what is said, `calls` how often Coupa is asked for it, `check` what must hold, `run` does it,
`ended` reads Coupa's record of a decision, `rows` is the ledger during one request, `waits` says where the
time went, and `ask` puts a question to the requester instead.
It knows nothing of HTTP; `endpoints` gives the answers their status.
"""

from coupa_core.decide.answers import Answer, Click, Outcome, Question, parse_verb, summary
from coupa_core.decide.ask import Ask
from coupa_core.decide.check import Checks
from coupa_core.decide.ended import MAX_COMMENT, reason_for
from coupa_core.decide.ports import DecisionPolicy
from coupa_core.decide.run import BUDGET_S, MAX_AT_ONCE, Decide

__all__ = [
    "BUDGET_S",
    "MAX_AT_ONCE",
    "MAX_COMMENT",
    "Answer",
    "Ask",
    "Checks",
    "Click",
    "Decide",
    "DecisionPolicy",
    "Outcome",
    "Question",
    "parse_verb",
    "reason_for",
    "summary",
]
