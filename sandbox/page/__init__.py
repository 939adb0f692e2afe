"""The sandbox's page: a person's chat, Coupa's screens, what the bridge did, and switches to break things.

It is the people and their two programs, never the bridge: it knows the function app only through HTTP.
"""

from sandbox.page.server import Page

__all__ = ["Page"]
