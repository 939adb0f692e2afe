"""The sandbox's page: a person's chat, Coupa's screens, the actions of the bridge, and switches for faults.

It plays the people, Coupa's screens and the chat, never the bridge: it reaches the function app only through
HTTP.
"""

from sandbox.page.server import Page

__all__ = ["Page"]
