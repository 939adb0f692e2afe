"""What one check found, as a line for an operator: of the doctor, and of the gate after a deployment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What a finding is."""

    OK = "ok"
    NOTE = "note"
    """Works, but somebody should know."""
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        verdict: whether something must be changed.
        subject: what was looked at.
        text: what is so, and what to change where.
    """

    verdict: Verdict
    subject: str
    text: str

    def __str__(self) -> str:
        """Write one line."""
        return f"{self.verdict:<5} {self.subject}: {self.text}"
