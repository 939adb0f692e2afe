"""The Creator Studio connector: the requests of Moveworks to the bridge when a person clicks or asks.

It does not know the meaning of the answers; it returns them.

Sources, read 2026-11:
    https://developer.moveworks.com/creator-studio/quickstart/event-triggered-paths
    https://developer.moveworks.com/creator-studio/api-configuration/
    https://github.com/moveworks/developer-docs (connectors/azure-function-app)
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Literal
from urllib.parse import quote

import requests

from sandbox.moveworks import Delivered

Decision = Literal["approve", "reject", "hold"]

TIMEOUT_S = 16.0
"""Creator Studio gives up on an API call after this time ("Paths & Queries API Calls will timeout")."""


class Connector:
    """An HTTP connector and its actions, configured for one function app.

    Args:
        base_url: the address of the function app, without `/api`.
        function_key: the key of the functions; None sends none.
        key_in: `query` sends it as `?code=`, as Moveworks' own guide for Azure Functions does; `header`
            sends it as `x-functions-key`, which stays out of access logs.
        session: the session that sends; a new `requests.Session` by default.
    """

    def __init__(
        self,
        base_url: str,
        *,
        function_key: str | None = None,
        key_in: Literal["header", "query"] = "header",
        session: requests.Session | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._session = session or requests.Session()
        self._key_headers = {"x-functions-key": function_key} if function_key and key_in == "header" else {}
        self._key_params = {"code": function_key} if function_key and key_in == "query" else {}

    def decide(
        self,
        delivered: Delivered | Mapping[str, str],
        *,
        clicker: str,
        decision: Decision,
        reason: str | None = None,
        merged: bool = False,
    ) -> requests.Response:
        """Send the request of a click on a notice's button.

        Args:
            delivered: the notice, or its slots; `approval_id` is required, `action_token` is optional.
            clicker: the e-mail address by which Moveworks knows the person who clicks.
            decision: the button.
            reason: the answer to the follow-up question, if the path asked one.
            merged: the options were merged into one API call, which has the decision in its body.

        Raises:
            requests.RequestException: no answer, or none within Creator Studio's 16 s.
        """
        slots = delivered.slots if isinstance(delivered, Delivered) else delivered
        body = ({"decision": decision} if merged else {}) | ({"reason": reason} if reason is not None else {})
        headers = {"X-Actor-Email": clicker, "Idempotency-Key": str(uuid.uuid4())}
        if "action_token" in slots:
            headers["X-Action-Token"] = slots["action_token"]
        last = "decision" if merged else decision
        path = f"/api/approvals/{quote(slots['approval_id'], safe='')}/{last}"
        return self._call("POST", path, headers=headers, json=body or None)

    def decide_several(
        self, shown: Iterable[Mapping[str, str]], *, clicker: str, decision: Decision
    ) -> requests.Response:
        """Send one decision for several items of the list.

        Args:
            shown: the slots of each, as for `decide`.
            clicker: the same.
            decision: the same.

        Raises:
            requests.RequestException: no answer, or none within Creator Studio's 16 s.
        """
        items = [{"id": each["approval_id"], "token": each.get("action_token", "")} for each in shown]
        headers = {"X-Actor-Email": clicker, "Idempotency-Key": str(uuid.uuid4())}
        return self._call(
            "POST", "/api/approvals/decide", headers=headers, json={"decision": decision, "items": items}
        )

    def pending(self, email: str) -> requests.Response:
        """Ask for a person's pending approvals, as "Do I have any approvals in Coupa?" does.

        Raises:
            requests.RequestException: no answer, or none within Creator Studio's 16 s.
        """
        return self._call("GET", "/api/approvals", headers={}, params={"approver_email": email})

    def decided(self, email: str) -> requests.Response:
        """Ask for a person's past decisions, as "What did I decide in Coupa?" does.

        Raises:
            requests.RequestException: no answer, or none within Creator Studio's 16 s.
        """
        return self._call("GET", "/api/decisions", headers={"X-Actor-Email": email})

    def _call(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str],
        params: dict[str, str] | None = None,
        json: dict[str, Any] | None = None,
    ) -> requests.Response:
        return self._session.request(
            method,
            self._base_url + path,
            headers=headers | self._key_headers,
            params=(params or {}) | self._key_params,
            json=json,
            timeout=TIMEOUT_S,
        )
