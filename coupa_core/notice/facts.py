"""Show facts as fields of a card. Pure; the facts that are known are decided before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from coupa_core.facts import BudgetLine, Facts, HeldSupplier, Others, Price, Standing
from coupa_core.model import Document
from coupa_core.notice.fields import numbered
from coupa_core.notice.markup import Field
from coupa_core.notice.style import Style
from coupa_core.notice.text import MAX_LINES, SHORT, clean


def fact_fields(facts: Facts, document: Document, style: Style) -> tuple[Field, ...]:
    """Return the facts as fields; empty where none is known."""
    return tuple(Field(style.say(label), value) for label, value in _pairs(facts, document, style) if value)


def _pairs(facts: Facts, document: Document, style: Style) -> Iterator[tuple[str, str]]:
    yield "label.supplier_status", style.few(_standing(each, style) for each in facts.held)
    yield "label.twins", style.few(_twin(each, style) for each in facts.twins)
    yield "label.open_requests", _others(facts.others, style)
    yield "label.budget", _budget(facts.budget, style)
    for label, prices in (("last_price", facts.last_prices), ("agreed_price", facts.agreed_prices)):
        for value in _prices(prices, document, style):
            yield f"label.{label}", value


def _others(others: Others | None, style: Style) -> str:
    if others is None:
        return ""
    count = style.number(others.number)
    sums = style.few(style.amount(each.amount, each.currency) or "" for each in others.sums)
    return f"{count} ({sums})" if sums else count


def _twin(twin: Document, style: Style) -> str:
    """Name another request by its number and day; the reader may not be allowed to see its title."""
    day = style.day_of(twin.submitted_at)
    return f"{numbered(twin, style)} ({day})" if day else numbered(twin, style)


def _budget(budget: BudgetLine | None, style: Style) -> str:
    """Show Coupa's own figures without a sum: Coupa's settings decide what the rest includes."""
    if budget is None or budget.period is None:
        return ""
    segments = [budget.segments[number] for number in sorted(budget.period.segments or ())]
    name = style.join(clean(budget.period.name, SHORT), clean(" / ".join(segments), SHORT))
    remaining = style.amount(budget.remaining, budget.currency)
    pending = style.amount(budget.pending_requisitions_amount, budget.currency)
    lines = style.join(
        style.say("budget.remaining", amount=remaining),
        style.say("budget.pending", amount=pending) if pending else None,
    )
    return style.colon(name, lines)


def _prices(prices: Iterable[Price], document: Document, style: Style) -> list[str]:
    lines = [_price(each, style, names=len(document.lines) > 1) for each in prices]
    more = len(lines) - MAX_LINES
    return [*lines[:MAX_LINES], *([style.more(more)] if more > 0 else [])]


def _price(price: Price, style: Style, *, names: bool) -> str:
    amount, day = style.amount(price.amount, price.currency), style.day_of(price.at)
    name = (clean(price.line.description, SHORT) or style.say("untitled")) if names else ""
    return style.colon(name, f"{amount} ({day})" if day else amount)


def _standing(held: HeldSupplier, style: Style) -> str:
    name = clean(held.supplier.name, SHORT)
    return style.colon(name, style.join(*_words(held.standing, style)))


def _words(standing: Standing, style: Style) -> Iterator[str]:
    if standing.on_hold:
        yield style.say("supplier.on_hold")
    if standing.buyer_hold:
        yield style.say("supplier.buyer_hold")
    if standing.is_inactive:
        yield style.say("supplier.inactive")
