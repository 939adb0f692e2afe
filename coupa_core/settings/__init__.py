"""The only list of setting names: read from the environment once, checked at once, all mistakes named.

`chat` and `systems` have the settings in groups, `model` joins them, `values` and `maps` say how a value is
written, `reading` names mistakes, and `former` knows what 0.2.0 called otherwise. No client is made here.
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
