"""The result of one check of the doctor or the gate, as a line for an operator."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The verdict of a finding."""

    OK = "ok"
    NOTE = "note"
    """Works, but somebody should know."""
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        verdict: whether something must be changed.
        subject: the subject of the check.
        text: the state, and what to change where.
    """

    verdict: Verdict
    subject: str
    text: str

    def __str__(self) -> str:
        """Write one line."""
        return f"{self.verdict:<5} {self.subject}: {self.text}"
