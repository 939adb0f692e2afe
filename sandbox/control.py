"""Handles of the sandbox for people: the state of Coupa, the messages in chat, a new request.

Plain JSON under `/_sandbox`, apart from the vendors' own paths.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote
from wsgiref.types import WSGIApplication

from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.wrappers import Request, Response

from sandbox.coupa import CoupaSimulator
from sandbox.coupa.world import Line
from sandbox.moveworks import MoveworksSimulator

Handle = Callable[[Request], Any]


SCREENS = ("requisition_headers", "invoices", "expense_reports", "contracts", "order_headers")
"""The paths of Coupa's own screens for people."""


def coupa_with_handles(
    coupa: CoupaSimulator, people: dict[str, int], page_url: Callable[[], str]
) -> WSGIApplication:
    """Return Coupa with `GET /_sandbox/state` and `POST /_sandbox/requisitions`.

    The page of the sandbox shows Coupa's screens for people; their addresses lead there.

    Args:
        coupa: the simulator.
        people: Coupa's user ids by e-mail, for the person who enters a request.
        page_url: returns the address of the page; empty while there is none.
    """

    def create(request: Request) -> Any:
        wish = json.loads(request.get_data() or b"{}")
        number = coupa.world.add_requisition(
            requested_by=people[wish.get("requester", "sam@example.com")],
            title=wish.get("title", "Something new"),
            justification=wish.get("justification", "Because we need it."),
            currency=wish.get("currency", "USD"),
            lines=[
                Line(
                    description=wish.get("title", "Something new"),
                    quantity=str(wish.get("quantity", "1")),
                    unit_price=str(wish.get("price", "100.00")),
                    supplier=wish.get("supplier", "ACME"),
                )
            ],
            approvers=[people[email] for email in wish.get("approvers", ["jamie@example.com"])],
        )
        return {"requisition_id": number}

    handles: dict[tuple[str, str], Handle] = {
        ("GET", "/state"): lambda _: coupa.world.state(),
        ("POST", "/requisitions"): create,
    }
    screens = {f"/{name}": _screens(page_url) for name in SCREENS}
    return DispatcherMiddleware(coupa.front, {"/_sandbox": _json_app(handles), **screens})


def _screens(page_url: Callable[[], str]) -> WSGIApplication:
    @Request.application
    def app(request: Request) -> Response:
        if not page_url():
            return Response("Coupa's screens are on the page of the sandbox, which is not there yet.\n", 503)
        path = quote(request.root_path + request.path)
        return Response(status=303, headers={"Location": f"{page_url()}/open?path={path}"})

    return app


def moveworks_with_handles(moveworks: MoveworksSimulator) -> WSGIApplication:
    """Return Moveworks with two handles.

    `GET /_sandbox/inbox?email=` shows the messages to one person, or to everybody; `GET /_sandbox/listener`
    shows the listener's log.
    """

    def inbox(request: Request) -> Any:
        email = request.args.get("email")
        delivered = moveworks.inbox(email) if email else list(moveworks.delivered)
        return [
            {"recipient": each.recipient, "message": each.message, "slots": each.slots} for each in delivered
        ]

    def log(_: Request) -> Any:
        return [
            {"event": line.event, "outcome": line.outcome, "cause": line.cause}
            for line in moveworks.listener.log
        ]

    handles: dict[tuple[str, str], Handle] = {("GET", "/inbox"): inbox, ("GET", "/listener"): log}
    return DispatcherMiddleware(moveworks.front, {"/_sandbox": _json_app(handles)})


def _json_app(handles: dict[tuple[str, str], Handle]) -> WSGIApplication:
    @Request.application
    def app(request: Request) -> Response:
        handle = handles.get((request.method, request.path))
        if handle is None:
            return Response("unknown handle\n", status=404)
        try:
            return Response(json.dumps(handle(request), indent=2) + "\n", mimetype="application/json")
        except (KeyError, ValueError, TypeError) as error:
            return Response(f"cannot do that: {error!r}\n", status=400)

    return app
