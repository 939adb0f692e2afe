"""Moveworks over HTTP: the ways to a person's chat. Each is a `Channel`."""

from coupa_core.moveworks.channel import PAUSE_S, RATE_WINDOW_S, Channel
from coupa_core.moveworks.events import EventsChannel
from coupa_core.moveworks.listener import LOOK_IN_THE_LOG, ListenerChannel

__all__ = ["LOOK_IN_THE_LOG", "PAUSE_S", "RATE_WINDOW_S", "Channel", "EventsChannel", "ListenerChannel"]
