"""Our own texts by language; each language is a file, which is read when it is needed.

The labels of fields stand in one file for all languages, so that a new field is one entry; a label may exist
once more for one kind, as `amount.contract`. It knows nothing of documents or markup. A language is complete
when it has every key of English, with the same gaps and with the plural forms that its grammar has; tests say
so.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path

from babel import Locale, UnknownLocaleError

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "ja", "zh")
MAX_BUTTON = 20
"""Characters of a button's label: two buttons stand side by side on a phone."""

Texts = dict[str, str | dict[str, str]]
"""Texts by key; a text about a number of things has one form for each plural category of CLDR."""

ICONS = {
    "requisition": "💳",
    "expense": "💸",
    "invoice": "🧾",
    "order_change": "🔁",
    "contract": "📄",
    "form": "📋",
    "document": "💳",
}

_FOLDER = Path(__file__).with_name("languages")
_LABELS = Path(__file__).with_name("labels.json")
_LOCALE = re.compile(r"[A-Za-z]{2}(_[A-Za-z]{4})?(_([A-Za-z]{2}|[0-9]{3}))?")


@lru_cache(maxsize=len(LANGUAGES))
def texts(language: str) -> Texts:
    """Return the texts of one of the `LANGUAGES`."""
    labels = json.loads(_LABELS.read_text("utf-8"))
    own: Texts = json.loads((_FOLDER / f"{language}.json").read_text("utf-8"))
    return own | {f"label.{name}": each[language] for name, each in labels.items()}


@lru_cache(maxsize=256)
def plural_of(locale: str, number: int) -> str:
    """Return the plural category of a number, as CLDR has it for the language: `one`, `few`, `other`."""
    return Locale.parse(locale).plural_form(number)


@lru_cache(maxsize=256)
def locale_of(text: str) -> str | None:
    """Return the locale that a text names, in CLDR's spelling; None where the catalogue has no texts for it.

    None stands for a language without texts, and for one that is there in another script only: the Chinese
    texts are simplified, so `zh_TW` gets none.

    >>> locale_of("de-ch"), locale_of("zh_CN"), locale_of("zh-TW"), locale_of("sv")
    ('de_CH', 'zh_Hans_CN', None, None)
    """
    name = text.strip().replace("-", "_")
    try:
        locale = Locale.parse(name) if _LOCALE.fullmatch(name) else None
    except (ValueError, UnknownLocaleError):
        locale = None
    is_ours = locale is not None and locale.language in LANGUAGES and locale.script in (None, "Hans")
    return str(locale) if is_ours else None


def nearest_locale(text: str) -> str | None:
    """Return the locale of the longest beginning of a name that has texts, by whole subtags.

    Chinese needs the script or the country.

    >>> nearest_locale("de-XX"), nearest_locale("zh-Hans-CN"), nearest_locale("zh-TW"), nearest_locale("plt")
    ('de', 'zh_Hans_CN', None, None)
    """
    subtags = text.strip().replace("-", "_").split("_")
    names = ["_".join(subtags[:number]) for number in range(len(subtags), 0, -1)]
    found = (locale_of(name) for name in names if name == names[0] or name.lower() != "zh")
    return next(filter(None, found), None)
