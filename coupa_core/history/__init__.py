"""Answer "What did I decide?": one person's recent decisions, from our own rows and from Coupa.

Our rows have the decisions in chat, and Coupa has the others; where one fails, the answer has the other
alone. The audit log is not read: it is sorted by days, for everybody and for years, and a chat answer has
seconds.
"""

from coupa_core.history.answer import MAX_READ, OURS_S, History
from coupa_core.history.decisions import DAYS, MAX_SHOWN, MadeIn, PastDecision

__all__ = ["DAYS", "MAX_READ", "MAX_SHOWN", "OURS_S", "History", "MadeIn", "PastDecision"]
