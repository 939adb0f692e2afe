"""The settings: the only list of their names, read from the environment once, with all mistakes reported.

`chat` and `systems` define the settings in groups, `model` joins the groups, `values` and `maps` parse
values, `reading` reports mistakes, and `former` has the names and grammars of 0.2.0. No client is built here.
"""

from coupa_core.settings.former import FORMER
from coupa_core.settings.model import GROUPS, NAMES, Settings
from coupa_core.settings.reading import EASY_AUTH, GUARDED, read_settings
from coupa_core.settings.systems import MAX_PER_MINUTE
from coupa_core.settings.values import HOST_STORAGE, is_loopback

__all__ = [
    "EASY_AUTH",
    "FORMER",
    "GROUPS",
    "GUARDED",
    "HOST_STORAGE",
    "MAX_PER_MINUTE",
    "NAMES",
    "Settings",
    "is_loopback",
    "read_settings",
]
