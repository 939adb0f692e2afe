"""All settings in one model, and the values that follow from several of them."""

from __future__ import annotations

from typing import Literal

from coupa_core.documents import LEAST_SCOPES, comment_scopes, required_scopes, scopes_of_facts
from coupa_core.routes import Caller
from coupa_core.settings.chat import Cards, Deciding, Endings, Start, Times
from coupa_core.settings.systems import Auditing, Calling, CoupaGroup, Moveworks, Relaying, Storage
from coupa_core.settings.values import is_url

GROUPS = (
    *(CoupaGroup, Cards, Deciding, Times, Endings, Start),
    *(Moveworks, Calling, Relaying, Auditing, Storage),
)
"""The groups in the order of the documentation."""

NAMES = tuple(name.upper() for group in GROUPS for name in group.model_fields)
"""The environment variables of all settings, in the order of the documentation."""


class Settings(
    CoupaGroup, Cards, Deciding, Times, Endings, Start, Moveworks, Calling, Relaying, Auditing, Storage
):
    """All settings. The alias of a field is the name of the environment variable."""

    @property
    def moveworks_channel(self) -> Literal["events", "listener"]:
        """Return the channel to people's chat: the listener where its id is set."""
        return "listener" if self.moveworks_listener_id else "events"

    @property
    def list_tokens_are_given(self) -> bool:
        """Tell whether lists have action tokens: by default only where callers need more than a key."""
        needs_entra = bool(self.entra_clients.get(Caller.DECISIONS))
        return self.list_tokens == "on" or (self.list_tokens == "" and needs_entra)

    @property
    def list_decides(self) -> bool:
        """Tell whether people can decide from a list: it has action tokens, or a decision needs none."""
        return self.list_tokens_are_given or self.action_token != "required"  # noqa: S105 - a mode, no secret

    @property
    def asked_scopes(self) -> str:
        """Return the scopes of every token request, space-separated."""
        spare = self.fact_scopes.split()
        asked = required_scopes(self.document_types, comments=self.comments == "on")
        return " ".join(each for each in asked if each not in spare)

    @property
    def fact_scopes(self) -> str:
        """Return the scopes that only facts need, space-separated; everything else works without them."""
        asking = comment_scopes(self.document_types) if self.comments == "on" else []
        others = {*LEAST_SCOPES.split(), *asking}
        needed = scopes_of_facts(self.facts)
        return " ".join(dict.fromkeys(each for each in needed if each not in others))

    @property
    def storage(self) -> str:
        """Return the ledger's connection string, or `memory`; empty where the setting is an address."""
        connection = self.ledger_connection.get_secret_value()
        return "" if is_url(connection) else connection

    @property
    def ledger_account_url(self) -> str:
        """Return the URL of the account's tables; empty where the setting is a connection string."""
        connection = self.ledger_connection.get_secret_value()
        return connection if is_url(connection) else ""
