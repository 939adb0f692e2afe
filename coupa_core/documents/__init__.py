"""The kinds of documents: the fields of each under Coupa's names, its resource and its scope. No I/O.

Each model adds to `model.Document` only what an approver of this kind needs. The client requests the fields
of the model, without those in its `unasked`.

Sources: the Core API's pages on Requisitions, Expense Reports, Expense Lines, Expense Violation, Invoices,
Invoice Line, Purchase Order Change, Purchase Order Line Change, Contracts and Easy Form Responses, under
https://compass.coupa.com/en-us/products/product-documentation/integration-technical-documentation/the-coupa-core-api/resources
and the release 39 schemas (R39_Purchasing_API.json, R39_Invoicing_API.json, R39_Expense_Reporting_API.json).
"""

from coupa_core.documents.by_type import (
    ANSWER_SCOPE,
    COMMENT_SCOPE,
    DOCUMENT_MODELS,
    LEAST_SCOPES,
    SCOPES,
    comment_scopes,
    enabled,
    kind_of,
    parse_document,
    required_scopes,
    scopes_of_facts,
)
from coupa_core.documents.contract import Contract
from coupa_core.documents.expense import ExpenseLine, ExpenseReport, Violation
from coupa_core.documents.form import Form
from coupa_core.documents.invoice import Invoice, InvoiceLine
from coupa_core.documents.order_change import Order, OrderChange, OrderLineChange
from coupa_core.documents.readable import Readable
from coupa_core.documents.requisition import Requisition

__all__ = [
    "ANSWER_SCOPE",
    "COMMENT_SCOPE",
    "DOCUMENT_MODELS",
    "LEAST_SCOPES",
    "SCOPES",
    "Contract",
    "ExpenseLine",
    "ExpenseReport",
    "Form",
    "Invoice",
    "InvoiceLine",
    "Order",
    "OrderChange",
    "OrderLineChange",
    "Readable",
    "Requisition",
    "Violation",
    "comment_scopes",
    "enabled",
    "kind_of",
    "parse_document",
    "required_scopes",
    "scopes_of_facts",
]
