"""The method of Moveworks' guide, in a few lines: one after the other, a connection for each call.

Source of the method: https://developer.moveworks.com/creator-studio, "Approve or reject purchase requests":
the first page of pending approvals, one GET for each, one message for each.
"""

from __future__ import annotations

import requests

from bench.services import API_KEY, CLIENT_ID, CLIENT_SECRET, EVENT_ID, Services

_PATIENCE_S = 30
_SCOPES = "core.approval.read core.requisition.read"


def poll_once(around: Services) -> None:
    """Announce the pending approvals of the first page."""
    form = {
        "grant_type": "client_credentials",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "scope": _SCOPES,
    }
    token = requests.post(f"{around.coupa_url}/oauth2/token", data=form, timeout=_PATIENCE_S).json()
    headers = {"Authorization": f"Bearer {token['access_token']}", "Accept": "application/json"}
    pending = requests.get(
        f"{around.coupa_url}/api/approvals",
        params={"status": "pending_approval"},
        headers=headers,
        timeout=_PATIENCE_S,
    ).json()
    for approval in pending:
        requisition = requests.get(
            f"{around.coupa_url}/api/requisitions/{approval['approvable-id']}",
            headers=headers,
            timeout=_PATIENCE_S,
        ).json()
        requests.post(
            f"{around.moveworks_url}/rest/v1/events/{EVENT_ID}/messages/send",
            json={
                "message": f"{requisition['req-title']}: {requisition['total']}",
                "recipients": [approval["approver"]["email"]],
                "context": {"slots": {"approval_id": str(approval["id"])}},
            },
            headers={"Authorization": f"Bearer {API_KEY}"},
            timeout=_PATIENCE_S,
        ).raise_for_status()
