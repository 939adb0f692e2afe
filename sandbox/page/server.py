"""The page's HTTP side: one page, forms that lead back to it, two files, and the check of each form.

A form acts with the connector's key, so it counts only when this page made it: it carries a token that no
other site can read, and the page answers only to loopback names, so that no other name can lead here.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from sandbox.connector import Connector
from sandbox.front import Environ, StartResponse
from sandbox.page.bridge import Bridge
from sandbox.page.chat import Chats, turns
from sandbox.page.desk import Desk
from sandbox.page.faults import Faults
from sandbox.page.form import Done, Form, Mistake
from sandbox.page.formats import clock, instant, lately, moment, weekday
from sandbox.page.health import words
from sandbox.page.here import Here, Outcome, Outcomes
from sandbox.page.markup import drawn
from sandbox.page.screens import Screens
from sandbox.services import Services

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
        around: the services around the bridge.
        app_url: the address of the function app, without `/api`.
        log: the file of its log, if there is one.

    Attributes:
        chats: of its people.
    """

    def __init__(self, around: Services, app_url: str, *, log: Path | None = None) -> None:
        self._people = {
            email: around.coupa.world.users.rows[number].fullname for email, number in around.people.items()
        }
        users = around.coupa.world.users.rows
        self._managers = {
            email: manager.fullname for email, n in around.people.items() if (manager := users[n].manager)
        }
        self._coupa_url = around.coupa_url
        people = around.people
        self.chats = Chats(
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
        self._outcomes = Outcomes()
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
        return self._read(request)

    def _read(self, request: Request) -> Response:
        name = request.path.removeprefix("/")
        if name in FILES:
            return Response(
                (HERE / "static" / name).read_bytes(), content_type=f"{FILES[name]}; charset=utf-8"
            )
        here = self._here(request.args)
        if name == "open":
            screen = self._screens.screen_of(request.args.get("path", ""))
            return Response(status=303, headers={"Location": here.to("coupa", screen=screen)})
        if name:
            return Response("There is one page only: /\n", status=404)
        page, last = self._render(here), here.last
        if last.name and f'id="{last.form}-{last.name}-wrong"' not in page:
            # The form has gone meanwhile, so the head of the page shows its mistake.
            page = self._render(replace(here, last=Outcome(replace(last.done, place="said"))))
        return Response(page, content_type="text/html; charset=utf-8")

    def _act(self, request: Request) -> Response:
        """Do the action of a form, and lead back to the place that shows its outcome.

        A mistake leads back to its field, with the typed text.
        """
        is_ours = request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
        if not (
            is_ours and hmac.compare_digest(request.form.get("token", "").encode(), self._token.encode())
        ):
            return Response("This form was not made by this page; load it anew.\n", status=403)
        here, form = self._here(request.form), Form(request.form)
        chat: dict[str, Callable[[str, Form], Done]] = {
            "/chat/click": self.chats.click,
            "/chat/ask": self.chats.ask,
            "/chat/write": self.chats.write,
            "/chat/several": self.chats.approve_several,
        }
        try:
            if request.path in chat:
                done = chat[request.path](here.person, form)
            elif request.path in self._actions:
                done = self._actions[request.path](form)
            else:
                return Response("There is no such form.\n", status=404)
        except Mistake as mistake:
            outcome = _mistaken(mistake, request.form)
        else:
            outcome = Outcome(done)
        place, screen = outcome.done.place, outcome.done.screen
        key = self._outcomes.keep(outcome)
        address = here.to(place, said=key, screen=here.screen if screen is None else screen)
        return Response(status=303, headers={"Location": address})

    def _render(self, here: Here) -> str:
        said, words_ = self.chats.of(here.person), self.chats.words(here.person)
        return TEMPLATES.get_template("page.html").render(
            here=here,
            person=here.person,
            name=self._people[here.person],
            people=[
                {"email": email, "name": name, "notices": self.chats.waiting(email)}
                for email, name in self._people.items()
            ],
            manager=self._managers.get(here.person),
            token=self._token,
            draw=partial(drawn, coupa_url=self._coupa_url, inside=partial(self._inside, here)),
            turns=turns(said),
            question=words_.asked,
            labels=words_.labels,
            reason=words_.reason,
            language=self.chats.language(here.person),
            coupa=self._screens.view(here.screen),
            bridge=self._bridge.view(here.trace, self._faults.broken()),
            faults=self._faults.view(),
        )

    def _here(self, fields: Any) -> Here:
        return Here.of(fields, person=self._person(fields.get("as", "")), outcomes=self._outcomes)

    def _inside(self, here: Here, path: str) -> str:
        """Return this page's address for one of Coupa's own screens."""
        return here.to("coupa", screen=self._screens.screen_of(path))

    def _person(self, email: str) -> str:
        return email if email in self._people else next(iter(self._people))


def _mistaken(mistake: Mistake, fields: Any) -> Outcome:
    """Return a mistake, at its field where it has one, and at the head of the page otherwise."""
    form = re.sub(r"[^a-z0-9-]", "", fields.get("form", ""))[:60]
    place = f"{form}-{mistake.field}" if form and mistake.field else "said"
    typed = {name: value for name, value in fields.items() if name not in ("token", "as")}
    return Outcome(Done(place, str(mistake), is_bad=True), form, mistake.field, typed)


def _timed(written: Callable[[Any], str]) -> Callable[[date | str], Markup]:
    """Return a function that writes a day or a time for people, and for machines in its tag."""

    def tag(at: date | str) -> Markup:
        when = datetime.fromisoformat(at) if isinstance(at, str) else at
        machines = when.isoformat(timespec="seconds") if isinstance(when, datetime) else when.isoformat()
        return Markup('<time datetime="{}">{}</time>').format(machines, written(when))

    return tag


def _initials(name: str) -> str:
    """Return the first letters of the first two names."""
    return "".join(part[0].upper() for part in name.split()[:2])


TEMPLATES.filters |= {each.__name__: _timed(each) for each in (clock, instant, lately, moment, weekday)}
TEMPLATES.filters |= {"words": words, "initials": _initials}
