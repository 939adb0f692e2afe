"""Generate the pages and parts of pages that repeat the code (`make docs`); a test reports stale ones.

A part is between two comments, `NAME: written by make docs` and `end of NAME`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import openapi.page
import settings_pages

from coupa_core.documents import DOCUMENT_MODELS
from coupa_core.notice.fields.kinds import FIELD_SETS
from coupa_core.routes import ROUTES, Caller

ROOT = Path(__file__).resolve().parent.parent


def part(name: str, made: Callable[[], str]) -> Callable[[str], str]:
    """Return a function that replaces one generated part of a page.

    Args:
        name: the name of the part; the lines with its two comments stay.
        made: returns the new lines of the part.
    """
    pattern = re.compile(rf"(.*\b{name}: written by make docs\b.*\n)((?:.*\n)*?)(.*\bend of {name}\b.*\n)")

    def page(text: str) -> str:
        [(begin, before, end)] = pattern.findall(text)
        return text.replace(f"{begin}{before}{end}", f"{begin}{made()}{end}")

    return page


def keys(_: str) -> str:
    """Return `infra/functions_of_keys.json`: the functions that each kind of key may call."""
    opens = {kind: [route.name for route in ROUTES if route.caller is kind] for kind in Caller}
    return json.dumps(opens, indent=2) + "\n"


def fields() -> str:
    """Return the table of the fields of a notice, by type."""
    rows = [
        "| type | always, in the first two lines | shown by default below them, in this order | on demand |"
    ]
    rows += ["|---|---|---|---|"]
    for name, document in DOCUMENT_MODELS.items():
        field_set = FIELD_SETS[document.kind]
        parts = (field_set.head, field_set.shown, sorted(field_set.on_demand))
        cells = (", ".join(f"`{each}`" for each in part) for part in parts)
        rows.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


_NINE, _REST = part("nine", settings_pages.first), part("rest", settings_pages.groups)

PAGES: Mapping[str, Callable[[str], str]] = {
    "openapi.yaml": openapi.page.page,
    "docs/api.md": part("routes", openapi.page.table),
    "docs/notices.md": part("fields", fields),
    "infra/functions_of_keys.json": keys,
    "docs/settings.md": lambda text: _REST(_NINE(text)),
    "infra/types.bicep": part("settings", settings_pages.types),
    "infra/main.bicepparam": part("settings", settings_pages.parameters),
}
"""By file, a function from its present text to its current text."""


def main() -> None:
    """Write every stale page, and print its name."""
    for name, page in PAGES.items():
        file = ROOT / name
        before = file.read_text("utf-8")
        made = page(before)
        if made != before:
            file.write_text(made, "utf-8")
            print(name)


if __name__ == "__main__":
    main()
