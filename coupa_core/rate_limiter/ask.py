"""A request for permits, and a schedule's answer. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

_TICK_S = 0.001  # a pause that is too short for the clock would repeat for ever


@dataclass
class PermitRequest:
    """A request for permits, and its answer.

    Attributes:
        least: the number of permits that are needed.
        most: the number that is wanted.
        within_s: the time limit for the last permit, in seconds from now.
        yields: it takes only permits that are free now.
        number: the number that was given; 0 for none.
        delay_s: the seconds until the first permit.
        start_s: the time of the first permit, on the monotonic clock.
        pause_s: the wait that would be needed for them.
        is_pair: the first two calls may begin together.
        is_answered: the request has its answer.
    """

    least: int
    most: int
    within_s: float
    yields: bool = False
    number: int = 0
    delay_s: float = 0.0
    start_s: float = 0.0
    pause_s: float = 0.0
    is_pair: bool = False
    is_answered: bool = False

    def answer(self, free_at: float, now: float, step_s: float, *, is_idle: bool) -> float:
        """Take permits from a schedule.

        Args:
            free_at: when the next permit is free, in seconds on the clock of the schedule; not before `now`.
            now: on the same clock.
            step_s: between permits.
            is_idle: the permit before that one was unused: the second call may begin with the first, in its
                place. No second has more calls than the rate: one that began before contains that unused
                permit, and one that begins now contains the last permit, which stays unused.

        Returns:
            When the next permit is free afterwards.
        """
        self.is_answered, self.number = True, 0
        self.delay_s = free_at - now
        if self.yields and self.delay_s > step_s:
            self.pause_s = max(self.delay_s - step_s, _TICK_S)
            return free_at
        room = max(0.0, (self.within_s - self.delay_s) / step_s + 1)
        fit = min(self.most, math.floor(room + 1e-6)) if room < self.most else self.most
        if fit < self.least:
            self.pause_s = self.delay_s + (self.least - 1) * step_s - self.within_s
            return free_at
        self.number = fit
        self.is_pair = is_idle and not self.yields and fit > 1 and (fit - 1) * step_s < 1
        return free_at + fit * step_s
