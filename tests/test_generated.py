"""The pages that repeat the code are what the code says now."""

from __future__ import annotations

import pytest

from docs import PAGES, ROOT, part


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_is_written_from_the_code_is_current(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")

    assert PAGES[name](text) == text, "run make docs, and read the difference"


def test_a_part_of_a_page_is_written_and_the_rest_stays() -> None:
    page = "a\n<!-- x: written by make docs -->\nold\n<!-- end of x -->\nb\n"

    assert part("x", lambda: "new\n")(page) == page.replace("old", "new")


def test_a_page_without_its_part_is_not_taken_for_current() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        part("x", lambda: "new\n")("a page\n")
