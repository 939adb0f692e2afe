"""Read and check the settings about notices; a mistake is a ValueError without the value."""

from __future__ import annotations

import re
from string import Formatter

from coupa_core.documents import DOCUMENT_MODELS, kind_of
from coupa_core.environment import pairs_of
from coupa_core.model import Verb
from coupa_core.notice.catalogue import LANGUAGES, locale_of
from coupa_core.notice.fields import NAMES

_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9:]{0,60}|\*")
_PARTS = {"base", "type", "id"}
_NO_FIELDS = (
    'must be a JSON object from types to lists of fields such as {"ExpenseReport": ["title", "amount"]}'
)
_NO_LINKS = (
    "must be a JSON object from types to templates such as "
    '{"*": "{base}/requisition_headers/{id}"}, with * for all others'
)


def read_fields(text: str) -> dict[str, tuple[str, ...]]:
    """Read a JSON object from types to the fields that are shown of each, in their order.

    >>> read_fields('{"ExpenseReport": ["title", "amount"], "EasyFormResponse": ["title"]}')
    {'ExpenseReport': ('title', 'amount'), 'EasyFormResponse': ('title',)}
    """
    pairs = pairs_of(text)
    if pairs is None:
        raise ValueError(_NO_FIELDS)
    chosen: dict[str, tuple[str, ...]] = {}
    for number, (name, fields) in enumerate(pairs, 1):
        if not isinstance(fields, list) or not all(isinstance(each, str) for each in fields):
            raise ValueError(_NO_FIELDS)
        if name not in DOCUMENT_MODELS:
            raise ValueError(
                f"entry {number} has a type without fields; there are {', '.join(DOCUMENT_MODELS)}"
            )
        if name in chosen:
            raise ValueError(f"entry {number} has a type that stands before")
        known = NAMES[kind_of(name)]
        if not fields or not known.issuperset(fields) or len(set(fields)) < len(fields):
            raise ValueError(f"entry {number} may have each once of {', '.join(sorted(known))}")
        chosen[name] = tuple(fields)
    return chosen


def read_links(text: str) -> dict[str, str]:
    """Read a JSON object from types to templates of links; `*` stands for all other types.

    >>> read_links('{"*": "{base}/x/{id}", "Contract": "{base}/contracts/show/{id}"}')
    {'*': '{base}/x/{id}', 'Contract': '{base}/contracts/show/{id}'}
    """
    pairs = pairs_of(text)
    if pairs is None:
        raise ValueError(_NO_LINKS)
    links: dict[str, str] = {}
    for number, (kind, template) in enumerate(pairs, 1):
        if not _TYPE.fullmatch(kind) or not isinstance(template, str):
            raise ValueError(_NO_LINKS)
        if kind in links:
            raise ValueError(f"entry {number} has a type that stands before")
        _check_link(template, number)
        links[kind] = template
    return links


def _check_link(template: str, number: int) -> None:
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
