"""The attributes of Coupa's records that its API serves, from Coupa's published schemas (see `server`)."""

from __future__ import annotations

from typing import Any, Final

from sandbox.coupa.query import View


def view(leaves: str, *, nil: str = "", of: str = "", **nested: Any) -> View:
    """Describe a view: names in one string, associations as keywords; `joins` is a mapping of those."""
    joins = nested.pop("joins", {})
    holds = {name.replace("_", "-"): (v if isinstance(v, tuple) else (v,)) for name, v in nested.items()}
    return View(
        leaves=frozenset(leaves.split()),
        nested=holds,
        joins={name: (view,) for name, view in joins.items()},
        nil=frozenset(nil.split()),
        of=of,
    )


NAMED = view("id name code")
SUPPLIER = view("id name number")
ATTACHMENT = view("id file file-file-size file-url intent linked-to text type url created-at updated-at")
CURRENCY = view("id code decimals")
USER_SIMPLE = view(
    "id login email employee-number firstname lastname fullname active default-locale", of="User"
)
GROUP = view("id name active created-at updated-at", of="ApprovalGroup", users=USER_SIMPLE)
DELEGATE = view("id approver-id", approver=USER_SIMPLE)
APPROVAL_LEAVES = (
    "id status approvable-type approvable-id approver-id approver-type approval-date delegate-id position "
    "parallel-group-name approval-chain-id type holdable note reasons created-at updated-at"
)
PEOPLE_OF_APPROVAL: Final[dict[str, Any]] = {
    "approver": (USER_SIMPLE, GROUP),
    "approved_by": USER_SIMPLE,
    "delegate": USER_SIMPLE,
    "delegates": DELEGATE,
    "created_by": USER_SIMPLE,
    "updated_by": USER_SIMPLE,
}
APPROVAL = view(APPROVAL_LEAVES, **PEOPLE_OF_APPROVAL)
EMBEDDED = view(APPROVAL_LEAVES, nil="created-at updated-at", **PEOPLE_OF_APPROVAL)
"""An approval within its document: in Coupa's samples it has no times there."""
SEGMENTS: Final = " ".join(f"segment-{number}" for number in range(1, 21))
CHART = view("id name active")
ACCOUNT = view(f"id name code active {SEGMENTS}", account_type=CHART)
ITEM = view("id name item-number description", uom=NAMED)
PERIOD = view(f"id name is-open start-date end-date {SEGMENTS}", account_type=CHART)
COMMENT = view("id commentable-id commentable-type comments created-at updated-at", created_by=USER_SIMPLE)
ALLOCATION = view("id amount pct created-at updated-at", account=ACCOUNT, period=PERIOD)
LINE = view(
    "id line-num description quantity unit-price total line-type need-by-date "
    "source-type status image-url payment-term shipping-term form-response",
    currency=CURRENCY,
    supplier=SUPPLIER,
    item=ITEM,
    account=ACCOUNT,
    account_allocations=ALLOCATION,
    contract=view("id name number"),
    period=PERIOD,
    commodity=NAMED,
    uom=NAMED,
    attachments=ATTACHMENT,
)
CHAIN: Final[dict[str, Any]] = {"current_approval": EMBEDDED, "current_parallel_approvals": EMBEDDED}
REQUISITION_HEADER = view(
    "id status req-title justification submitted-at need-by-date total mobile-total line-count created-at "
    "updated-at rejected reject-reason-comment ship-to-attention buyer-note exported last-exported-at "
    "hide-price price-hidden pcard external-po-reference recurring-rules milestones taggings tags "
    "user-members user-group-members total-with-estimated-tax estimated-tax-amount custom-fields",
    currency=CURRENCY,
    created_by=USER_SIMPLE,
    requested_by=USER_SIMPLE,
    updated_by=USER_SIMPLE,
    department=NAMED,
    ship_to_address=NAMED,
    requisition_lines=LINE,
    attachments=ATTACHMENT,
    approvals=EMBEDDED,
    comments=COMMENT,
    joins={"current-approver-association": USER_SIMPLE},
    **CHAIN,
)
USER = view(
    "id login email employee-number firstname lastname fullname active default-locale created-at updated-at "
    "user-groups",
    approval_groups=view("id name"),
    manager=USER_SIMPLE,
)
"""A user; the manager appears like any other person, without a manager in turn."""
USER_GROUP = view(
    "id name active can-approve open mention-name type created-at updated-at",
    of="ApprovalGroup",
    users=USER_SIMPLE,
)
DELEGATION = view(
    "id delegator-id delegate-id reason start-date end-date approval-delegate receiving-delegate "
    "invoice-requester-delegate review-delegate",
    delegator=USER_SIMPLE,
    delegate=USER_SIMPLE,
)
COMMON = "id status created-at updated-at custom-fields "
OPTIONAL: Final[dict[str, Any]] = {"comments": COMMENT, "attachments": ATTACHMENT, "approvals": EMBEDDED}
VIOLATION = view("id limit-exceeded receipt-missing created-at updated-at")
EXPENSE_LINE = view(
    "id line-number description amount approved-amount merchant reason expense-date start-date end-date "
    "foreign-currency-amount receipt-total-amount over-limit requires-receipt frugality status type "
    "audit-status employee-reimbursable created-at updated-at",
    currency=CURRENCY,
    foreign_currency=CURRENCY,
    account=NAMED,
    account_allocations=ALLOCATION,
    expense_category=NAMED,
    expense_artifacts=view(
        "id image-file-name image-content-type image-file-size source-file-name source-content-type "
        "source-file-size ocr-status url created-at updated-at"
    ),
)
INVOICE_LINE = view(
    "id line-num description quantity price total type status po-number order-header-num order-line-id "
    "order-line-num tax-amount tax-rate billing-note source-part-num created-at updated-at",
    currency=CURRENCY,
    uom=NAMED,
    account=NAMED,
    account_allocations=ALLOCATION,
    commodity=NAMED,
    contract=view("id name number"),
)
ORDER_LINE = view(
    "id line-num description quantity price total type status need-by-date received invoiced",
    currency=CURRENCY,
    supplier=SUPPLIER,
    uom=NAMED,
)
ORDER_LINE_CHANGE = view(
    "id line-num description quantity price total need-by-date order-line-id order-header-change-id "
    "pending-delete created-at updated-at",
    currency=CURRENCY,
    supplier=SUPPLIER,
    uom=NAMED,
    account=NAMED,
    account_allocations=ALLOCATION,
    commodity=NAMED,
    contract=view("id name number"),
    department=NAMED,
    attachments=ATTACHMENT,
)


def document(leaves: str, *people: str, parts: str = "", **nested: Any) -> View:
    """Describe the view of a document: people by name, and `parts` that most documents have."""
    nested |= {name: OPTIONAL[name] for name in parts.split()}
    nested |= dict.fromkeys(("created_by", "updated_by", *people), USER_SIMPLE)
    return view(COMMON + leaves, **nested)
