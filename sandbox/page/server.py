"""The page's HTTP side: one page, forms that lead back to it, two files, and who may post.

A form acts with the connector's key, so it counts only when this page made it: it carries a token that no
other site can read, and the page answers to loopback names only, so that no other name can lead here.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from sandbox.connector import Connector
from sandbox.front import Environ, StartResponse
from sandbox.neighbours import Neighbours
from sandbox.page.bridge import Bridge
from sandbox.page.chat import Chats
from sandbox.page.desk import Desk
from sandbox.page.faults import Faults
from sandbox.page.form import Done, Form, Mistake
from sandbox.page.markup import shown
from sandbox.page.screens import Screens

HERE = Path(__file__).parent
FILES = {"page.css": "text/css", "page.js": "text/javascript"}
MAX_FORM = 64 * 1024
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

Action = Callable[[Form], Done]


class Page:
    """The page, as a WSGI application.

    Args:
        around: the neighbours of the bridge.
        app_url: where the function app answers, without `/api`.
        log: the file that it logs to, if there is one.
    """

    def __init__(self, around: Neighbours, app_url: str, *, log: Path | None = None) -> None:
        self._people = {
            email: around.coupa.world.users.rows[number].fullname for email, number in around.people.items()
        }
        users = around.coupa.world.users.rows
        self._managers = {
            email: manager.fullname for email, n in around.people.items() if (manager := users[n].manager)
        }
        self._coupa_url = around.coupa_url
        people = around.people
        self._chats = Chats(
            around.moveworks,
            Connector(app_url),
            around.clock,
            lambda email: users[people[email]].default_locale if email in people else None,
        )
        self._screens = Screens(around.coupa, around.people)
        desk = Desk(around.coupa, around.people)
        self._bridge = Bridge(around, app_url, log)
        self._faults = Faults(around)
        self._token = secrets.token_urlsafe(24)
        self._last = Done("")
        self._actions: dict[str, Action] = {
            "/coupa/create": desk.create,
            "/coupa/edit": desk.edit,
            "/coupa/withdraw": desk.withdraw,
            "/coupa/resubmit": desk.resubmit,
            "/coupa/decide": desk.decide,
            "/coupa/reassign": desk.reassign,
            "/coupa/group": desk.add_group,
            "/coupa/join": desk.join,
            "/coupa/leave": desk.leave,
            "/coupa/delegate": desk.delegate,
            "/coupa/end-delegation": desk.end_delegation,
            "/bridge/sweep": self._bridge.sweep,
            "/bridge/advance": self._bridge.advance,
            "/faults/break": self._faults.break_,
            "/faults/mend": self._faults.mend,
        }

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request, as WSGI."""
        request = Request(environ)
        request.max_content_length = request.max_form_memory_size = MAX_FORM
        try:
            response = self._route(request)
        except HTTPException as refused:  # a form too large
            response = Response.force_type(refused.get_response(environ))
        response.headers.update(HEADERS)
        return response(environ, start_response)

    def _route(self, request: Request) -> Response:
        if request.host.partition(":")[0] not in ("127.0.0.1", "localhost"):
            return Response("This page answers to loopback names only.\n", status=421)
        if request.method == "POST":
            return self._act(request)
        if request.method not in ("GET", "HEAD"):
            return Response(status=405, headers={"Allow": "GET, HEAD, POST"})
        name = request.path.removeprefix("/")
        if name in FILES:
            return Response(
                (HERE / "static" / name).read_bytes(), content_type=f"{FILES[name]}; charset=utf-8"
            )
        if name:
            return Response("There is one page only: /\n", status=404)
        return Response(self._render(request), content_type="text/html; charset=utf-8")

    def _act(self, request: Request) -> Response:
        """Do what a form says, and lead back to the place that shows what became of it."""
        is_ours = request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
        if not (
            is_ours and hmac.compare_digest(request.form.get("token", "").encode(), self._token.encode())
        ):
            return Response("This form was not made by this page; load it anew.\n", status=403)
        person, form = self._person(request.form.get("as", "")), Form(request.form)
        chat: dict[str, Callable[[str, Form], Done]] = {
            "/chat/click": self._chats.click,
            "/chat/ask": self._chats.ask,
            "/chat/several": self._chats.approve_several,
        }
        try:
            if request.path in chat:
                done = chat[request.path](person, form)
            elif request.path in self._actions:
                done = self._actions[request.path](form)
            else:
                return Response("There is no such form.\n", status=404)
        except Mistake as mistake:
            done = Done("mistake", str(mistake), is_bad=True)
        self._last = done
        query = {"as": person} | ({"trace": _number(request.form)} if _number(request.form) else {})
        return Response(status=303, headers={"Location": f"/?{urlencode(query)}#{done.place}"})

    def _render(self, request: Request) -> str:
        person, trace = self._person(request.args.get("as", "")), _number(request.args)
        words = self._chats.words(person)
        return TEMPLATES.get_template("page.html").render(
            person=person,
            people=[
                {"email": email, "name": name, "notices": self._chats.waiting(email)}
                for email, name in self._people.items()
            ],
            manager=self._managers.get(person),
            token=self._token,
            shown=partial(shown, coupa_url=self._coupa_url),
            trace=trace,
            last=self._last,
            chat=self._chats.of(person),
            question=words.asked,
            labels=words.labels,
            reason=words.reason,
            coupa=self._screens.view(),
            bridge=self._bridge.view(trace),
            faults=self._faults.view(),
        )

    def _person(self, email: str) -> str:
        return email if email in self._people else next(iter(self._people))


def _long(seconds: float) -> str:
    """Write a length of time in its greatest unit: `1.5 d`, `45 min`, `8 s`."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.0f} s"


def _moment(at: datetime | str) -> Markup:
    """Write a day and a time of day."""
    when = datetime.fromisoformat(at) if isinstance(at, str) else at
    text = f"{when.day} {when:%b} {when:%H:%M:%S}"
    return Markup('<time datetime="{}">{}</time>').format(when.isoformat(), text)


def _words(name: Any) -> str:
    return str(name).replace("_", " ")


def _number(fields: Any) -> str:
    """Return the approval that is traced, or nothing."""
    value = str(fields.get("trace", "")).strip()
    return value if value.isascii() and value.isdigit() and len(value) <= 19 else ""


TEMPLATES.filters |= {"moment": _moment, "words": _words, "long": _long}
