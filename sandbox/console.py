"""The log of the host and of its worker: one line each, in UTC, on stderr."""

from __future__ import annotations

import logging
import sys
import time


def log_to_stderr() -> None:
    """Start logging."""
    logging.Formatter.converter = time.gmtime
    style = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format=style, datefmt="%Y-%m-%dT%H:%M:%S")
