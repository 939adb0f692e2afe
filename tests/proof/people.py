"""Random days of groups in several zones: edits, joins, leaves, refusals, new processes.

The "before" of a message is the content that its reader last saw, and each person is reminded as the settings
say.
"""

from __future__ import annotations

import json
import logging
import random
import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable
from datetime import datetime, timedelta
from typing import Any

from bridge import World

from proof.audit import Tally
from sandbox.coupa.world import Group

ZONES = ("UTC", "Asia/Tokyo", "America/New_York", "Asia/Kolkata")
PEOPLE = tuple(f"{name}@example.com" for name in ("jamie", "robin", "alex", "kim", "lee"))
REMIND_AFTER = timedelta(hours=10)
REMIND_MAX = 2
EVENTS = 12
QUIET_DAYS = 5
"""After the last event: time for every reminder, whatever the zone and the weekend."""

_REMINDS = "has been waiting for your approval"
_REMINDS_OF_SEVERAL = re.compile(r"approvals are still waiting for you in Coupa")
_DOCUMENT = re.compile(r"/requisition_headers/([0-9]+)")
_ADDRESS = re.compile("|".join(map(re.escape, PEOPLE)))

Key = tuple[int, str]
"""An approval and an address."""


class Days:
    """One seed."""

    def __init__(self, seed: int) -> None:
        logging.getLogger("coupa_core").setLevel(logging.CRITICAL)
        self._chance = chance = random.Random(f"people/{seed}")
        zones = {person: chance.choice(ZONES) for person in PEOPLE}
        self.world = World(
            settings={
                "TIME_ZONES": json.dumps(zones),
                "QUIET_HOURS": chance.choice(("20:00-07:00", "12:00-17:00", "18:00-15:00")),
                "REMIND_AFTER_HOURS": str(REMIND_AFTER // timedelta(hours=1)),
                "REMIND_MAX": str(REMIND_MAX),
                "DIGEST_OVER": "0" if seed % 4 == 3 else "10",
            }
        )
        coupa = self.world.coupa.world
        numbers = [self.world.person(each) for each in PEOPLE]
        self._groups = [
            coupa.add_group(name=name, members=chance.sample(numbers[:4], 2)) for name in ("Buyers", "Desk")
        ]
        self._requests = [
            *(self.world.requisition(Group(group)) for group in (*self._groups, *self._groups)),
            self.world.requisition(PEOPLE[4]),
        ]
        self._approvals = {coupa.approvals_of(each)[0].id: each for each in self._requests}
        self._numbers = {request: approval for approval, request in self._approvals.items()}
        self._prices = dict.fromkeys(self._requests, 1800)
        self._shown: dict[Key, int] = {}
        self._told_at: dict[Key, datetime] = {}
        self._reminders: defaultdict[Key, list[datetime]] = defaultdict(list)
        self._edits = 0
        self.sent = 0

    def run(self) -> Tally:
        """Let things happen, then nothing, and count."""
        self._hours(1)
        for _ in range(EVENTS):
            self._happen()
            self._hours(self._chance.randint(1, 9))
        self._hours(24 * QUIET_DAYS)
        lost = 0
        for key in self._deciders():
            lost += self._shown.get(key) != self._price(key)
            reminders = len(self._reminders[key])
            assert reminders == REMIND_MAX, f"{key} was reminded {reminders} times since they were told last"
        return Tally(runs=1, steps=len(self.world.coupa.front.calls), sent=self.sent, lost=lost, worst=1)

    def _price(self, key: Key) -> int:
        return self._prices[self._approvals[key[0]]]

    def _deciders(self) -> list[Key]:
        rows = self.world.coupa.world.approvals.rows
        return [
            (number, person.email)
            for number in self._approvals
            for person in getattr(rows[number].approver, "users", [rows[number].approver])
        ]

    def _happen(self) -> None:
        chance, coupa = self._chance, self.world.coupa.world
        who, group = chance.choice(PEOPLE[:4]), chance.choice(self._groups)
        what = chance.choice(("edit", "edit", "edit", "join", "leave", "refuse", "restart"))
        if what == "edit":
            self._edits += 1
            request = chance.choice(self._requests)
            self._prices[request] = 2 * (1000 + self._edits)
            coupa.edit_line(request, 0, unit_price=f"{1000 + self._edits}.00")
        elif what == "join":
            coupa.join(group, self.world.person(who))
        elif what == "leave":
            coupa.leave(group, self.world.person(who))
            of_group = {number for number in self._approvals if coupa.approval(number).approver_id == group}
            for key in [key for key in self._shown if key[0] in of_group and key[1] == who]:
                del self._shown[key], self._told_at[key]
                self._reminders.pop(key, None)
        elif what == "refuse":
            self.world.moveworks.front.fail("answer", method="POST", status=400, body="{}", sent=who, times=2)
        else:
            self.world.restart()

    def _hours(self, hours: int) -> None:
        """Sweep each hour, and look at what was sent and at what was tried."""
        for _ in range(hours):
            self.world.clock.advance(3600)
            before, asked = len(self.world.moveworks.delivered), len(self.world.moveworks.front.calls)
            self.world.sweep()
            said = self.world.moveworks.delivered[before:]
            for each in said:
                self._read(each)
            calls = self.world.moveworks.front.calls[asked:]
            self._gather(said, refused={_addressed(call) for call in calls if call.status >= 400})
            for call in calls:
                self._count(call)

    def _read(self, said: Any) -> None:
        """Look at what a message calls before."""
        self.sent += 1
        if _is_reminder(said.message):
            return
        key = (int(said.slots["approval_id"]), said.recipient)
        price = self._price(key)
        changed = f"USD {self._shown.get(key, 0):,}.00 → USD {price:,}.00"
        is_right = (changed in said.message) == ("→" in said.message) == (key in self._shown)
        assert is_right, f"{key} was shown {self._shown.get(key)} before, and is told: {said.message}"
        self._shown[key] = price
        self._told_at[key] = self.world.clock.now()
        self._reminders.pop(key, None)

    def _gather(self, said: Iterable[Any], *, refused: Container[str | None]) -> None:
        """Look at how many reminders one person got in a sweep: one message, unless each is to come alone."""
        reminded = Counter(each.recipient for each in said if _is_reminder(each.message))
        several = [who for who, number in reminded.items() if number > 1 and who not in refused]
        assert not several or self.world.settings["DIGEST_OVER"] == "0", f"several messages remind {several}"

    def _count(self, call: Any) -> None:
        """Count a reminder, taken or refused: one that was refused alone is not repeated."""
        text, who = call.body.decode(), _addressed(call)
        numbers = re.findall(r'"approval_id": ?"([0-9]+)"', text) if _REMINDS in text else []
        if _REMINDS_OF_SEVERAL.search(text) and call.status < 400:
            numbers = [self._numbers[int(each)] for each in _DOCUMENT.findall(text)]
        for number in numbers if who is not None else ():
            key = (int(number), who)
            if key not in self._told_at:
                continue  # to somebody who has just left
            now = self.world.clock.now()
            before = self._reminders[key][-1] if self._reminders[key] else self._told_at[key]
            assert now - before >= REMIND_AFTER, f"{key} was reminded after {now - before}"
            self._reminders[key].append(now)


def _addressed(call: Any) -> str | None:
    found = _ADDRESS.search(call.body.decode())
    return found[0] if found else None


def _is_reminder(message: str) -> bool:
    return _REMINDS in message or _REMINDS_OF_SEVERAL.search(message) is not None


def days(seeds: Iterable[int]) -> Tally:
    """Run some seeds and add the figures up."""
    whole = Tally()
    for seed in seeds:
        try:
            whole.add(Days(seed).run())
        except AssertionError as wrong:
            whole.add(Tally(runs=1, missed=[f"seed {seed}: {wrong}"]))
    return whole
