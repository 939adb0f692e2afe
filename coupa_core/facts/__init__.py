"""Facts: information beside a document, by a further call to Coupa; shown on its card, and never signed."""

from coupa_core.facts.matching import (
    NO_FACTS,
    Facts,
    HeldSupplier,
    Others,
    Price,
    facts_of,
    lines_of,
    requester_of,
    suppliers_of,
)
from coupa_core.facts.shapes import (
    FACT_RESOURCES,
    SEGMENTS,
    BudgetLine,
    Charged,
    Fact,
    FactAnswer,
    OrderedLine,
    Period,
    RequestLine,
    Standing,
    SupplierItem,
)

__all__ = [
    "FACT_RESOURCES",
    "NO_FACTS",
    "SEGMENTS",
    "BudgetLine",
    "Charged",
    "Fact",
    "FactAnswer",
    "Facts",
    "HeldSupplier",
    "OrderedLine",
    "Others",
    "Period",
    "Price",
    "RequestLine",
    "Standing",
    "SupplierItem",
    "facts_of",
    "lines_of",
    "requester_of",
    "suppliers_of",
]
