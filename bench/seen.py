"""The observations of the clicks on one instance, and the lines of output about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.callers import PATIENCE_S, Answer, Kind
from bench.crowd import most_in_a_second
from bench.watch import Health

HEAD = (
    "  build   clicks  approved  try again  host's 429  5xx  other  late  decided unheard  untrue"
    "  last try again  last answer  most calls/s  Coupa's 429  worker"
)


@dataclass(frozen=True)
class Seen:
    """The observations of the clicks on one instance.

    Attributes:
        answers: the answers to the clicks.
        decided: the approvals of the decisions that Coupa applied, each as often as it did.
        calls: the time, in seconds, and the status of each answer of Coupa's API.
        peak_mb: the largest memory of the worker, in millions of bytes; None where the system does not tell.
        health: the answers of the health route meanwhile.
    """

    answers: Sequence[Answer]
    decided: Sequence[int]
    calls: Sequence[tuple[float, int]] = ()
    peak_mb: float | None = None
    health: Sequence[Health] = ()

    @property
    def kinds(self) -> Counter[Kind]:
        """The number of callers for each reading of an answer."""
        return Counter(each.kind for each in self.answers)

    @property
    def in_time(self) -> int:
        """The number of callers with an answer before they gave up, whatever the answer."""
        return len(self.answers) - self.kinds[Kind.LATE]

    @property
    def unheard(self) -> int:
        """The number of decisions that took effect without an answer to the caller in time."""
        heard = {each.approval_id for each in self.answers if each.kind is Kind.APPROVED}
        return len(set(self.decided) - heard)

    @property
    def untrue(self) -> int:
        """The number of callers with a wrong answer (approved, or try again), and of double decisions."""
        decided = Counter(self.decided)
        wrong = sum(
            (each.said == "approved") != (decided[each.approval_id] == 1)
            for each in self.answers
            if each.said in ("approved", "busy") or each.is_of_host
        )
        return wrong + sum(number > 1 for number in decided.values())

    @property
    def server_errors(self) -> Counter[int]:
        """The statuses from 500 on, also late ones, as a log of requests holds them."""
        return Counter(each.status for each in self.answers if each.status >= 500)


def line(name: str, seen: Seen) -> str:
    """Return a line of the table."""
    kinds, answers = seen.kinds, seen.answers
    again_s = max((each.seconds for each in answers if each.kind is Kind.AGAIN), default=None)
    peak = "-" if seen.peak_mb is None else f"{seen.peak_mb:.0f} MB"
    return (
        f"  {name:<6}  {len(answers):>6}  {kinds[Kind.APPROVED]:>8}  {kinds[Kind.AGAIN]:>9}"
        f"  {kinds[Kind.THROTTLED]:>10}  {kinds[Kind.FAILED]:>3}  {kinds[Kind.OTHER]:>5}"
        f"  {kinds[Kind.LATE]:>4}  {seen.unheard:>15}  {seen.untrue:>6}"
        f"  {'-' if again_s is None else f'{again_s:.1f} s':>14}"
        f"  {max(each.seconds for each in answers):>9.1f} s"
        f"  {most_in_a_second(at for at, _ in seen.calls):>12}"
        f"  {sum(status == 429 for _, status in seen.calls):>11}  {peak:>6}"
    )


def health_line(seen: Seen) -> str:
    """Return the answers of the health route, and the 5xx that the alert on server errors finds in logs."""
    said = Counter(each.status for each in seen.health)
    statuses = ", ".join(f"{number} times {status or 'no answer'}" for status, number in said.items())
    errors = ", ".join(f"{number} of {status}" for status, number in sorted(seen.server_errors.items()))
    return (
        f"health: {statuses}; "
        f"the slowest after {max(each.seconds for each in seen.health):.1f} s; "
        f"longest without a 200: {longest_red_s(seen.health):.0f} s; server errors: {errors or 'none'}"
    )


def longest_red_s(health: Sequence[Health]) -> float:
    """Return the longest time without an answer 200, in seconds, by the times of the questions."""
    longest, since = 0.0, None
    for each in health:
        if each.status == 200:
            since = None
            continue
        since = each.at_s if since is None else since
        longest = max(longest, each.at_s - since + each.seconds)
    return longest


def compared(before: Sequence[Seen], now: Sequence[Seen], *, carried: int) -> str:
    """Return the sums of both builds, with the ratio.

    Args:
        before: the observations of the earlier build.
        now: the observations of this one.
        carried: the number of clicks that the rate to Coupa allows while the callers wait.
    """
    clicks = sum(len(each.answers) for each in now)
    approved = (sum(each.kinds[Kind.APPROVED] for each in builds) for builds in (before, now))
    in_time = (sum(each.in_time for each in builds) for builds in (before, now))
    return (
        f"    of {clicks}: approved in time {_ratio(*approved)}; answered in time {_ratio(*in_time)}; "
        f"the rate carries {min(carried, clicks)} in {PATIENCE_S:g} s"
    )


def _ratio(before: int, now: int) -> str:
    ratio = f"{now / before:.2f}" if before else "-"
    return f"{before} before, {now} now, ratio {ratio}"
