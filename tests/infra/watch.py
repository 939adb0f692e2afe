"""Application Insights for a run, simulated: its log lines and requests, and the alerts that they raise."""

from __future__ import annotations

import importlib.util
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from bridge import World

from infra.kusto import Row, run
from infra.rules import alerts
from infra.snapshots import loaded
from sandbox.in_process import FunctionHost
from sandbox.serving import InProcess

ROOT = Path(__file__).parents[2]
_WINDOWS = {
    "PT5M": timedelta(minutes=5),
    "PT10M": timedelta(minutes=10),
    "PT15M": timedelta(minutes=15),
    "P1D": timedelta(days=1),
}
_EVERY = _WINDOWS["PT5M"]
ALERTS = [
    *alerts(loaded()["events"]),
    *(each for each in alerts(loaded()["events-all"]) if each["name"] == "health"),
]
"""The alerts as Azure is sent them, and that of the availability test where it is switched on."""

PLACES = ("North Europe", "East US", "Southeast Asia")
_TRIES = 3
"""A place asks again before it says that it failed.

Source: https://learn.microsoft.com/azure/azure-monitor/app/availability
"""

_CALM = 3
"""Evaluations without a row after which a state is over.

Source: https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-overview#alerts-and-state
"""

KEY = "the-key-of-the-connector"


class Watch(logging.Handler):
    """Takes every line of the bridge and every answer of its host, at the time of the world's clock.

    Attributes:
        mails: what Azure would have mailed so far: the name of the alert, and the value that it is split by.
    """

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.tables: dict[str, list[Row]] = {"traces": [], "requests": [], "availabilityResults": []}
        self.mails: list[tuple[str, str]] = []
        self._evaluated_at = world.clock.now()
        self._calm: dict[tuple[str, str], int] = {}
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount("http://app.test", InProcess(FunctionHost(_functions(), function_key=KEY).wsgi))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line as the host hands it on: only its text and its level.

        Source: https://learn.microsoft.com/azure/azure-monitor/app/data-model-complete#trace
        """
        level = min(max(record.levelno // 10 - 1, 0), 4)
        row = {"timestamp": self.world.clock.now(), "message": record.getMessage(), "severityLevel": level}
        self.tables["traces"].append(row)

    def call(self, method: str, path: str, *, key: str = KEY, **details: Any) -> requests.Response:
        """Call the functions through the host, which notes name, status and duration."""
        headers = {"x-functions-key": key, **details.pop("headers", {})}
        answer = self._session.request(
            method, f"http://app.test/api/{path}", headers=headers, timeout=5, **details
        )
        row = {
            "timestamp": self.world.clock.now(),
            "name": _function_of(path),
            "resultCode": str(answer.status_code),
            "duration": 12.5,
        }
        self.tables["requests"].append(row)
        return answer

    def probe(self, place: str, *, full: bool = False) -> None:
        """Ask for health from outside, as the availability test does, up to three times.

        Args:
            place: from where.
            full: the host is full meanwhile, and answers 429 in the app's place.
        """
        is_well = any(not full and self._asks() for _ in range(_TRIES))
        row = {"timestamp": self.world.clock.now(), "location": place, "success": "1" if is_well else "0"}
        self.tables["availabilityResults"].append(row)

    def _asks(self) -> bool:
        return self._session.get("http://app.test/api/health", timeout=5).status_code == 200

    def sweeps(self, minutes: int, *, apart: int = 1) -> None:
        """Let time pass, with a sweep in every minute, or so many minutes apart."""
        for _ in range(0, minutes, apart):
            self.world.clock.advance(60 * apart)
            self.world.sweep()
            while self.world.clock.now() > self._evaluated_at + _EVERY:
                self._evaluated_at += _EVERY
                self._evaluate(self._evaluated_at)

    def _evaluate(self, now: datetime) -> None:
        """Mail as Azure does: an event whenever it is in the window, a state when it begins."""
        for alert in ALERTS:
            column = alert["split_by"]
            values = {str(row[column]) if column else "" for row in self.rows_of(alert, now)}
            found = {(alert["name"], value) for value in values}
            if alert["has_state"]:
                lasting = {each for each in self._calm if each[0] == alert["name"]}
                self._calm |= dict.fromkeys(found, 0)
                self._calm |= {each: self._calm[each] + 1 for each in lasting - found}
                self._calm = {each: calm for each, calm in self._calm.items() if calm < _CALM}
                found -= lasting
            self.mails += sorted(found)

    def raised(self) -> set[str]:
        """Return the alerts that are raised now, each by its own query over its own window."""
        return {alert["name"] for alert in ALERTS if self.rows_of(alert)}

    def rows_of(self, alert: dict[str, Any], now: datetime | None = None) -> list[Row]:
        """Run the query of an alert as Azure does: over what the window holds; any row raises it."""
        now = now or self.world.clock.now()
        since = now - _WINDOWS[alert["window"]]
        inside = {
            name: [row for row in rows if since < row["timestamp"] <= now]
            for name, rows in self.tables.items()
        }
        return run(alert["query"], inside, now=now)


@contextmanager
def watched(world: World) -> Iterator[Watch]:
    """Watch a world while the block runs."""
    watch, logger = Watch(world), logging.getLogger("coupa_core")
    level = logger.level
    logger.addHandler(watch)
    logger.setLevel(logging.INFO)
    try:
        yield watch
    finally:
        logger.removeHandler(watch)
        logger.setLevel(level)


def _functions() -> Any:
    """Load the functions anew: an app can be asked for them only once."""
    spec = importlib.util.spec_from_file_location("function_app_watched", ROOT / "function_app.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.app.get_functions()


def _function_of(path: str) -> str:
    return path.partition("?")[0].rpartition("/")[2]
