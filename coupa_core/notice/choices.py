"""Read and check the settings about notices; a mistake is a ValueError without the value."""

from __future__ import annotations

import re
from string import Formatter

from coupa_core.documents import READABLE, kind_of
from coupa_core.model import Verb
from coupa_core.notice.catalogue import LANGUAGES, locale_of
from coupa_core.notice.fields import NAMES

_TYPE = re.compile(r"\s*([A-Za-z][A-Za-z0-9:]{0,60})\s*=(.*)", re.DOTALL)
_PARTS = {"base", "type", "id"}


def read_fields(text: str) -> dict[str, tuple[str, ...]]:
    """Read `Type=field,field;Type=field`: the fields that are shown of a type, in their order.

    >>> read_fields("ExpenseReport=title, amount; EasyFormResponse=title")
    {'ExpenseReport': ('title', 'amount'), 'EasyFormResponse': ('title',)}
    """
    chosen: dict[str, tuple[str, ...]] = {}
    for number, entry in enumerate(filter(str.strip, text.split(";")), 1):
        found = _TYPE.fullmatch(entry)
        if found is None:
            raise ValueError(f"entry {number} must be Type=field,field")
        if found[1] not in READABLE:
            raise ValueError(f"entry {number} has a type without fields; there are {', '.join(READABLE)}")
        if found[1] in chosen:
            raise ValueError(f"entry {number} has a type that stands before")
        names = tuple(name.strip() for name in found[2].split(","))
        known = NAMES[kind_of(found[1])]
        if not known.issuperset(names) or len(set(names)) < len(names):
            raise ValueError(f"entry {number} may have each once of {', '.join(sorted(known))}")
        chosen[found[1]] = names
    return chosen


def read_links(text: str) -> dict[str, str]:
    """Read templates of links: one for all types, and `Type=template` for one, parted by semicolons.

    >>> read_links("{base}/x/{id};Contract={base}/contracts/show/{id}")
    {'*': '{base}/x/{id}', 'Contract': '{base}/contracts/show/{id}'}
    """
    links: dict[str, str] = {}
    for number, entry in enumerate(filter(str.strip, text.split(";")), 1):
        found = _TYPE.fullmatch(entry)
        kind, template = (found[1], found[2].strip()) if found else ("*", entry.strip())
        if kind in links:
            raise ValueError(f"entry {number} has a type that stands before")
        try:
            parts = list(Formatter().parse(template))
        except ValueError:
            raise ValueError(f"entry {number} has a brace without its partner") from None
        plain = all(name is None or (name in _PARTS and not (spec or way)) for _, name, spec, way in parts)
        if not plain:
            raise ValueError(f"entry {number} may have {{base}}, {{type}} and {{id}} in braces, nothing else")
        if "id" not in {name for _, name, _, _ in parts}:
            raise ValueError(f"entry {number} must have {{id}}, such as {{base}}/requisition_headers/{{id}}")
        if not template.startswith(("{base}", "https://")) or not re.fullmatch(r"[!-~]+", template):
            raise ValueError(f"entry {number} must begin with {{base}} or https:// and have no spaces")
        links[kind] = template
    return links


def read_actions(text: str) -> tuple[Verb, ...]:
    """Read `approve,reject,hold`: the actions that approvers have in chat.

    >>> read_actions("approve, reject")
    (<Verb.APPROVE: 'approve'>, <Verb.REJECT: 'reject'>)
    """
    names = [name.strip().lower() for name in text.split(",")]
    if not set(names) <= set(Verb) or len(set(names)) < len(names):
        raise ValueError("must be some of approve, reject, hold, each once")
    return tuple(verb for verb in Verb if verb in names)


def read_language(text: str) -> str:
    """Read a locale, a language that has texts and possibly a territory.

    `C` and `POSIX` are refused: they are no language that people read, and have no groups in numbers. So are
    scripts, variants, character sets and modifiers.

    >>> read_language("de-ch"), read_language("en")
    ('de_CH', 'en')
    """
    locale = locale_of(text)
    if locale is None:
        raise ValueError(
            f"must be a locale such as en_US or de_CH, of one of the languages {', '.join(LANGUAGES)}"
        )
    return locale
