"""The sandbox's page on a whole bridge, and somebody who sends its forms without a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from typing import Any

from azure.functions.decorators.function_app import Function
from bridge import COUPA, JAMIE, MOVEWORKS, SAM, World
from werkzeug.test import Client, TestResponse

from coupa_core import app
from sandbox.in_process import FunctionHost
from sandbox.page import Page
from sandbox.services import PEOPLE, Services
from sandbox.serving import served


@dataclass
class Office:
    """The page on a whole bridge in this process, and somebody who sends its forms."""

    world: World
    around: Services
    client: Client
    moved: list[float] = field(default_factory=list)

    def change(self, **settings: str) -> None:
        """Change settings of the bridge."""
        self.world.change(**settings)
        app._built[:] = [self.world.bridge]

    def read(self, person: str = JAMIE, **query: str) -> str:
        answer = self.client.get("/", query_string={"as": person, **query})
        assert answer.status_code == 200
        return answer.text

    @cached_property
    def token(self) -> str:
        found = re.search(r'name="token" value="([^"]+)"', self.read())
        assert found
        return found[1]

    def send(self, path: str, *, person: str = JAMIE, **fields: Any) -> TestResponse:
        return self.client.post(path, data={"token": self.token, "as": person, **fields})

    def do(self, path: str, *, person: str = JAMIE, **fields: Any) -> str:
        """Send a form and return the page that it leads to."""
        answer = self.send(path, person=person, **fields)
        assert answer.status_code == 303
        return self.client.get(answer.headers["Location"]).text

    def enter(self, title: str = "Desk", **fields: str) -> int:
        wish = {"kind": "request", "title": title, "copies": "1", "quantity": "2", "price": "10.00"}
        wish |= {"currency": "USD", "requester": self.user(SAM), "first": self.user(JAMIE)}
        self.do("/coupa/create", **{**wish, **fields})
        return int(self.world.coupa.world.documents["RequisitionHeader"].ids[-1])

    def told(self, title: str = "Desk") -> int:
        """Enter a request for Jamie, and have it announced."""
        number = self.enter(title)
        self.do("/bridge/sweep")
        return number

    def user(self, email: str) -> str:
        return f"user-{self.around.people[email]}"

    def click(self, person: str, decision: str = "approve", *, reason: str = "") -> str:
        """Press a button of the newest card in a chat."""
        card = re.findall(r'name="card" value="([^"]+)"', self.read(person))[-1]
        return self.do("/chat/click", person=person, card=card, decision=decision, reason=reason)


class Forms(HTMLParser):
    """The forms of a page, as a browser would send them untouched: fields and values, by action."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.of: dict[str, dict[str, str]] = {}
        self._now: dict[str, str] = {}
        self._name = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._now = self.of.setdefault(given["action"], {})
        elif tag == "input" and (given.get("type") != "checkbox" or "checked" in given):
            self._now[given["name"]] = given.get("value", "")
        elif tag in ("select", "textarea"):
            self._name = given["name"]
            self._now[self._name] = ""
        elif tag == "option" and ("selected" in given or not self._now[self._name]):
            self._now[self._name] = given["value"]

    def handle_data(self, data: str) -> None:
        if self.lasttag == "textarea" and self._name:
            self._now[self._name] += data

    def handle_endtag(self, tag: str) -> None:
        self._name = "" if tag in ("select", "textarea") else self._name


@contextmanager
def opened(functions: list[Function]) -> Iterator[Office]:
    """Open the page on a bridge of its own, with the people of the sandbox."""
    world = World()
    app._built[:] = [world.bridge]
    people = {email: world.person(email, firstname=first) for email, (first, _) in PEOPLE.items()}
    around = Services(
        world.coupa, world.moveworks, COUPA, MOVEWORKS, "memory", people, world.clock, store=None
    )
    moved: list[float] = []
    host = FunctionHost(functions, advance=moved.append)
    try:
        with served(host.wsgi) as url:
            yield Office(world, around, Client(Page(around, url)), moved)
    finally:
        app._built.clear()
