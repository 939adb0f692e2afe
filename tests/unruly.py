"""Stores, and other parts of a world, that fail, or in which somebody else is quicker, at a chosen call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from coupa_core.audit_log import MemoryAuditStore
from coupa_core.errors import Conflict, ServiceError, Unavailable
from coupa_core.ledger import NOTHING_KNOWN, Corrupt, Entry, MemoryStore, Opened

ENDLESS = 10**9


def before(thing: object, method: str, work: Callable[..., object]) -> Callable[[], None]:
    """Let something happen at each call of a method, before it: what `work` raises is the answer.

    Args:
        thing: an object; it alone is changed, and not its class.
        method: its name.
        work: gets the arguments of the call.

    Returns:
        A function that ends it; of several the last is ended first.
    """
    call = getattr(thing, method)

    def hooked(*args: Any, **more: Any) -> Any:
        work(*args, **more)
        return call(*args, **more)

    setattr(thing, method, hooked)
    return lambda: setattr(thing, method, call)


def after(thing: object, method: str, work: Callable[[Any], object]) -> Callable[[], None]:
    """Let something happen to the result of each call of a method; as `before` otherwise."""
    call = getattr(thing, method)

    def hooked(*args: Any, **more: Any) -> Any:
        result = call(*args, **more)
        work(result)
        return result

    setattr(thing, method, hooked)
    return lambda: setattr(thing, method, call)


def once(thing: object, method: str, work: Callable[[], object]) -> None:
    """Let something happen before the next call of a method, and not before those that it leads to."""

    def first(*_: object, **__: object) -> None:
        end()
        work()

    end = before(thing, method, first)


def away(
    thing: object, method: str, code: str = "ledger_503", *, when: Callable[..., bool] = lambda *_, **__: True
) -> Callable[[], None]:
    """Let the calls of a method fail as those of a service that does not answer; as `before` otherwise."""
    return failing(thing, method, Unavailable(code, "away"), when=when)


def failing(
    thing: object,
    method: str,
    error: ServiceError,
    *,
    when: Callable[..., bool] = lambda *_, **__: True,
) -> Callable[[], None]:
    """Let the calls of a method fail, or those with some arguments; as `before` otherwise."""

    def fail(*args: Any, **more: Any) -> None:
        if when(*args, **more):
            raise error

    return before(thing, method, fail)


def without_intents() -> MemoryAuditStore:
    """Return an audit store that takes everything but the note of what is about to be decided."""
    store = MemoryAuditStore()
    away(
        store,
        "write",
        "audit_503",
        when=lambda head, rows=(): any('"intent"' in row.text for row in rows),
    )
    return store


class Dying(MemoryStore):
    """A store that does not answer after so many more writes over a row.

    Attributes:
        left: how many it still takes.
    """

    left = ENDLESS

    def replace(self, entry: Entry) -> str:
        self._write()
        return super().replace(entry)

    def archive(self, entry: Entry) -> None:
        self._write()
        super().archive(entry)

    def _write(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Unavailable("ledger_unreachable", "no answer")


class Raced(MemoryStore):
    """A store in which somebody else writes a row just before one of our writes.

    Attributes:
        left: how many of our writes come before that.
        times: how many of our writes it happens to, one after the other.
    """

    left = ENDLESS
    times = 1

    def replace(self, entry: Entry) -> str:
        self.left -= 1
        if -self.times <= self.left < 0:
            super().replace(replace(entry, nonce="somebody else"))
            raise Conflict("ledger_conflict", "changed meanwhile")
        return super().replace(entry)


class Spoiled(MemoryStore):
    """A store that cannot read some rows.

    Attributes:
        causes: what is wrong with each, by the id of its approval.
    """

    def __init__(self) -> None:
        super().__init__()
        self.causes: dict[int, str] = {}

    def open_entries(self, since: str = "", known: Mapping[int, Entry] = NOTHING_KNOWN) -> Opened:
        opened = super().open_entries(since, known)
        kept = [entry for entry in opened.entries if entry.approval_id not in self.causes]
        corrupt = [Corrupt(str(number), cause) for number, cause in self.causes.items()]
        return replace(opened, entries=kept, corrupt=corrupt)

    def set_aside(self, corrupt: Corrupt) -> None:
        del self.causes[int(corrupt.key)]
        self._open.pop(int(corrupt.key), None)


class Lossy:
    """A store in memory whose answers get lost: it does what it is asked, or not, and raises.

    Attributes:
        methods: whose answers can be lost.
        asked: what was asked for, in order.
    """

    methods: ClassVar[tuple[str, ...]]

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._losses: dict[str, list[tuple[ServiceError, bool]]] = {}
        self._before: dict[str, Callable[[], object]] = {}
        for method in self.methods:
            setattr(self, method, partial(self._through, method, getattr(self, method)))

    def lose(self, method: str, error: ServiceError, *, is_done: bool, times: int = 1) -> None:
        """Raise that error at the next so many calls, after doing the work or instead of it."""
        self._losses[method] = [(error, is_done)] * times

    def let_in(self, method: str, work: Callable[[], object]) -> None:
        """Let somebody else do something just before the next call."""
        self._before[method] = work

    def _through(self, method: str, work: Callable[..., Any], *args: Any, **more: Any) -> Any:
        self.asked.append(method)
        self._before.pop(method, lambda: None)()
        losses = self._losses.get(method)
        if not losses:
            return work(*args, **more)
        error, is_done = losses.pop()
        if is_done:
            work(*args, **more)
        raise error
