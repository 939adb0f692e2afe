"""An office with budgets, orders and a catalogue in Coupa, and the facts that its cards show."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from bridge import ROBIN, SAM, World
from goldens import readable

from coupa_core.facts import FACT_RESOURCES, Fact
from sandbox.coupa.world import Line

ALL = ",".join(Fact)
PAGE = Path(__file__).parents[1] / "docs" / "notices.md"
RECORDED = [fact for fact in Fact if fact is not Fact.OPEN_REQUESTS]


class Office(World):
    """A world with an open budget period, whose budget lines are told apart by two segments."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.period = self.coupa.world.add_period("FY26 Q4")


def world(facts: str = ALL, **more: str) -> Office:
    return Office(settings={"FACTS": facts, **more})


def laptop(one: Office, **changes: Any) -> Line:
    """Return a line that leads to every fact."""
    details: dict[str, Any] = {"quantity": "2", "unit_price": "900.00", "supplier": "ACME", "item": "LAPTOP"}
    details |= {"uom": "EA", "account": "HQ-IT-Assets", "period": one.period}
    return Line("Laptop", **(details | changes))


def asks(one: Office, *lines: Line, requester: str = SAM, **more: Any) -> int:
    return one.requisition(ROBIN, requester=requester, lines=lines or [laptop(one)], **more)


def record(fact: Fact, one: Office, **changes: Any) -> int:
    """Enter a record that a fact of `laptop` is read from, and return its id."""
    sold = {"item": "LAPTOP", "supplier": "ACME", "currency": "USD"}
    attributes: dict[Fact, dict[str, Any]] = {
        Fact.BUDGET: {
            "period": one.period,
            "account": "HQ-IT",
            "currency": "USD",
            "remaining": "66883.00",
            "pending_requisitions_amount": "1800.00",
        },
        Fact.LAST_PRICE: {
            **sold,
            "uom": "EA",
            "price": "850.00",
            "status": "ordered",
            "created_at": "2026-10-05T10:00:00-07:00",
        },
        Fact.AGREED_PRICE: {**sold, "price": "820.00"},
        Fact.SUPPLIER_STATUS: {
            "id": one.coupa.world.named("supplier", "ACME"),
            "status": "active",
            "on_hold": True,
            "buyer_hold": False,
        },
    }
    return one.coupa.world.add_reference(FACT_RESOURCES[fact], **(attributes[fact] | changes))


budget = functools.partial(record, Fact.BUDGET)
ordered = functools.partial(record, Fact.LAST_PRICE)
offered = functools.partial(record, Fact.AGREED_PRICE)
standing = functools.partial(record, Fact.SUPPLIER_STATUS)
LABELS = {
    Fact.OPEN_REQUESTS: "Requester’s other open requests",
    Fact.BUDGET: "Budget line in Coupa",
    Fact.LAST_PRICE: "Last order price",
    Fact.AGREED_PRICE: "Agreed price",
    Fact.SUPPLIER_STATUS: "Supplier status",
}
TWIN = "Possible duplicate (same supplier and amount)"


def said(text: str) -> dict[str, str]:
    """Return the facts that a card says, by their labels."""
    parts = [line.partition(": ") for line in lines_of(text)]
    return {label: value for label, _, value in parts if label in (*LABELS.values(), TWIN)}


def lines_of(text: str) -> list[str]:
    return [line.removeprefix("- ") for line in readable(text).splitlines()]


def facts_on_card(one: Office) -> dict[str, str]:
    """Run one sweep, and return the facts of the one card that it sent."""
    [notice] = one.announced()
    return said(notice.message)


def known(one: Office) -> None:
    """Let Coupa know something for every fact."""
    for fact in RECORDED:
        record(fact, one)


def serve_line(one: Office, rid: int, served: dict[str, Any]) -> None:
    requisition = one.coupa.world.requisition(rid)
    for line in requisition.requisition_lines:
        line.raw.update(served)


def fact_calls(one: Office, since: int = 0) -> list[int]:
    """Return how often each fact that has a resource of its own was asked for."""
    paths = [call.path for call in one.coupa.front.calls[since:]]
    return [paths.count(f"/api/{FACT_RESOURCES[fact]}") for fact in RECORDED]
