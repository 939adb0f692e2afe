"""Answer "Do I have any approvals in Coupa?": the approvals that wait for one person, each ready to decide.

It reads Coupa live and never the ledger's record of who was told; it knows nothing of HTTP.
"""

from coupa_core.inbox.answer import Inbox
from coupa_core.inbox.page import MAX_CARDS, InboxItem
from coupa_core.inbox.reads import MAX_PAGES, WHOLE

__all__ = ["MAX_CARDS", "MAX_PAGES", "WHOLE", "Inbox", "InboxItem"]
