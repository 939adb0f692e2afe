"""Expense reports, as the Core API defines them: Expense Reports, Expense Lines, Expense Violation."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from coupa_core.documents.readable import Readable
from coupa_core.model import (
    Asker,
    Attachment,
    CoupaRecord,
    DocumentKind,
    Flag,
    Integer,
    Line,
    MaybeId,
    MaybeNamed,
    Number,
    Person,
    Text,
    day_of,
    decimal_text,
    only_readable,
)


class Receipt(Attachment):
    """A file attached to an expense line; Coupa calls it an artifact."""

    unasked: ClassVar[frozenset[str]] = frozenset({"url"})

    file: Annotated[Text, Field(alias="image-file-name")] = None
    source_file_name: Text = None

    @property
    def name(self) -> str:
        """Return the original name of the file."""
        return self.source_file_name or self.file or ""


class ExpenseLine(Line):
    """One expense: an amount, without quantity or price."""

    unasked: ClassVar[frozenset[str]] = frozenset(
        {"quantity", "unit_price", "supplier", "uom", "commodity", "department", "contract"}
    )

    line_num: Annotated[Text, Field(alias="line-number")] = None
    total: Annotated[Number, Field(alias="amount")] = None
    attachments: Annotated[
        tuple[Receipt, ...], BeforeValidator(only_readable), Field(alias="expense-artifacts")
    ] = ()
    merchant: Text = None
    expense_category: MaybeNamed = None
    expense_date: Text = None
    over_limit: Flag = None
    requires_receipt: Flag = None

    @property
    def terms(self) -> tuple[str | bool | None, ...]:
        """Return merchant, category and day, and whether the line exceeds a limit of the policy."""
        category = self.expense_category.name if self.expense_category else None
        return (self.merchant, category, day_of(self.expense_date), self.over_limit is True)

    @property
    def lacks_receipt(self) -> bool:
        """Tell whether a required receipt is missing."""
        return self.requires_receipt is True and not self.attachments


class Violation(CoupaRecord):
    """One breach of the expense policy.

    Source: Coupa Core API, Expense Violation; R39 ExpensePolicyViolation has the same fields.
    """

    id: MaybeId = None
    limit_exceeded: Number = None
    receipt_missing: Flag = None


Violations = Annotated[tuple[Violation, ...], BeforeValidator(only_readable)]


class ExpenseReport(Readable):
    """An expense report: money that an employee spent and claims back.

    It has no wanted day: `report-due-date` is the day before which the report "needs to be submitted", and a
    pending report has been submitted. Source: Coupa Core API, Expense Reports.

    Attributes:
        requested_by: the employee who spent the money; others may have entered and submitted the report.
            Source: R39 ExpenseReport, "expensed-by", "created-by", "submitted-by".
    """

    unasked: ClassVar[frozenset[str]] = frozenset(
        {
            "supplier",
            "department",
            "justification",
            "attachments",
            "line_count",
            "current_approval",
            "current_parallel_approvals",
        }
    )

    kind: ClassVar[DocumentKind] = DocumentKind.EXPENSE
    has_requester: ClassVar[bool] = True
    resource: ClassVar[str] = "expense_reports"
    comments_at: ClassVar[str] = "expense_reports"
    scope: ClassVar[str] = "core.expense.read"

    requested_by: Annotated[Asker, Field(alias="expensed-by")] = None
    submitted_by: Asker = None
    lines: Annotated[
        tuple[ExpenseLine, ...], BeforeValidator(only_readable), Field(alias="expense-lines")
    ] = ()
    start_date: Text = None
    end_date: Text = None
    audit_score: Integer = None
    auditor_note: Text = None
    expense_policy_violations: Violations = ()
    expense_violations: Violations = ()

    @property
    def askers(self) -> list[Person]:
        """Return the employee, the creator and the submitter."""
        return [*super().askers, *([self.submitted_by] if self.submitted_by else [])]

    @property
    def terms(self) -> dict[str, Any]:
        """Return the period and the violations of the policy."""
        violations = (*self.expense_policy_violations, *self.expense_violations)
        return {
            "period": [day_of(self.start_date), day_of(self.end_date)],
            "violations": sorted(
                f"{decimal_text(each.limit_exceeded)} {each.receipt_missing is True}" for each in violations
            ),
        }
