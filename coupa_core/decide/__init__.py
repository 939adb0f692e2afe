"""The use case of a click: a person decides approvals, each once, on the content that the person was shown.

`live` reads Coupa's present state, `check` compares it with the click, `run` sends the decision, `confirm`
reads it back, and `cases` has the state of a click on the way. `answers` writes the answers, `calls` counts
the calls to Coupa, `ended` reads Coupa's record of a decision, `rows` is the ledger during one request,
`waits` measures the parts of the wait, and `ask` puts a question to the requester instead. The package does
not depend on HTTP; `endpoints` gives the answers their status.
"""

from coupa_core.decide.answers import Answer, Click, Outcome, Question, parse_verb, summary
from coupa_core.decide.ask import Ask
from coupa_core.decide.check import Checks
from coupa_core.decide.ended import MAX_COMMENT, reason_for
from coupa_core.decide.policy import DecisionPolicy
from coupa_core.decide.run import MAX_AT_ONCE, Decide

__all__ = [
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
