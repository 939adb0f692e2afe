"""The switches: the possible faults of each service, and their end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.front import FaultKind
from sandbox.page.form import Done, Form, Mistake
from sandbox.services import Services


@dataclass(frozen=True)
class Switch:
    """One fault that lasts until it is cleared, as `sandbox.front` knows it."""

    label: str
    kind: FaultKind
    details: dict[str, Any] = field(default_factory=dict)


DOWN = Switch("is down: HTTP 503", "answer", {"status": 503})
CUT = Switch("hangs up without an answer", "cut")
SLOW = Switch("answers 3 s late", "slow", {"seconds": 3.0})
SWITCHES: dict[str, dict[str, Switch]] = {
    "Coupa": {
        "down": DOWN,
        "cut": CUT,
        "slow": SLOW,
        "lost": Switch("takes decisions and loses its answer", "lose", {"method": "PUT"}),
    },
    "Moveworks": {
        "down": DOWN,
        "cut": CUT,
        "slow": SLOW,
        "limit": Switch(
            "asks for a pause: HTTP 429", "answer", {"status": 429, "headers": {"Retry-After": "60"}}
        ),
        "key": Switch("refuses the key: HTTP 401", "answer", {"status": 401}),
    },
}
STORE = "Table store"


class Faults:
    """The switches of one sandbox; each service has at most one fault."""

    def __init__(self, around: Services) -> None:
        self._around = around
        self._fronts = {"Coupa": around.coupa.front, "Moveworks": around.moveworks.front}
        self._now: dict[str, str] = {}

    def view(self) -> dict[str, dict[str, Any]]:
        """Return, by service, the possible faults (`choices`, labels by name) and the present one (`now`)."""
        shown: dict[str, dict[str, Any]] = {
            service: {
                "choices": {name: each.label for name, each in switches.items()},
                "now": switches[self._now[service]].label if service in self._now else None,
            }
            for service, switches in SWITCHES.items()
        }
        if self._around.store is not None:
            label = "does not answer"
            now = label if self._around.store.is_paused else None
            shown[STORE] = {"choices": {"hang": label}, "now": now}
        return shown

    def broken(self) -> list[str]:
        """Return the present faults, as sentences without a full stop."""
        return [f"{service} {each['now']}" for service, each in self.view().items() if each["now"]]

    def break_(self, form: Form) -> Done:
        """Switch a fault on."""
        service, name = form.needed("service"), form.needed("fault")
        if service == STORE and self._around.store is not None:
            self._around.store.pause()
            return Done("faults", f"{STORE}: does not answer.")
        if name not in SWITCHES.get(service, {}):
            raise Mistake("There is no such switch.")
        switch, front = SWITCHES[service][name], self._fronts[service]
        front.heal()
        front.fail(switch.kind, times=None, **switch.details)
        self._now[service] = name
        return Done("faults", f"{service} {switch.label}.")

    def mend(self, form: Form) -> Done:
        """Clear the fault of one service."""
        service = form.needed("service")
        if service == STORE and self._around.store is not None:
            self._around.store.resume()
        elif service in self._fronts:
            self._fronts[service].heal()
            self._now.pop(service, None)
        else:
            raise Mistake("There is no such service.")
        return Done("faults", f"{service} works again.")
