"""Write what the documents repeat of the code: `make docs`. A test says where they are not current.

A page is written whole, or the part between two comments, `NAME: written by make docs` and `end of NAME`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import openapi.page
import settings_pages

from coupa_core.documents import READABLE
from coupa_core.notice.fields.kinds import FACES
from coupa_core.routes import ROUTES, Caller

ROOT = Path(__file__).resolve().parent.parent


def part(name: str, made: Callable[[], str]) -> Callable[[str], str]:
    """Return how a page looks whose part of that name is what the function makes.

    Args:
        name: of the part; the lines of its two comments stay.
        made: returns its lines.
    """
    pattern = re.compile(rf"(.*\b{name}: written by make docs\b.*\n)((?:.*\n)*?)(.*\bend of {name}\b.*\n)")

    def page(text: str) -> str:
        [(begin, before, end)] = pattern.findall(text)
        return text.replace(f"{begin}{before}{end}", f"{begin}{made()}{end}")

    return page


def keys(_: str) -> str:
    """Return which functions each kind of key opens, as `infra/keys.bicep` reads it."""
    opens = {kind: [route.name for route in ROUTES if route.caller is kind] for kind in Caller}
    return json.dumps(opens, indent=2) + "\n"


def fields() -> str:
    """Return the rows of the fields of a notice."""
    rows = [
        "| type | always, in the first two lines | shown by default below them, in this order | on demand |"
    ]
    rows += ["|---|---|---|---|"]
    for name, document in READABLE.items():
        face = FACES[document.kind]
        parts = (face.head, face.shown, sorted(face.on_demand))
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
"""By file: what it should be, made of what it is."""


def main() -> None:
    """Write every page that is not current, and name it."""
    for name, page in PAGES.items():
        file = ROOT / name
        before = file.read_text("utf-8")
        made = page(before)
        if made != before:
            file.write_text(made, "utf-8")
            print(name)


if __name__ == "__main__":
    main()
