"""The sandbox's page in a browser, as a person uses it: one story each, on the real bridge.

`PICTURES=1 pytest tests/test_page_browser.py -k picture` writes docs/pictures anew.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

import sandbox.page
from sandbox.azurite import INSTALL_HINT, is_installed
from sandbox.demo import NEVER, function_app
from sandbox.neighbours import neighbours
from sandbox.serving import served

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
CHROMIUM = shutil.which("chromium")
NO_CHROMIUM = "Chromium is not installed: apt-get install chromium, or your system's package of it"
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
JAMIE, ROBIN, ALEX = "Jamie Fox", "Robin Vega", "Alex Kim"


@dataclass
class Visitor:
    """A person at the page, who finds things by what they are called."""

    page: Page
    url: str

    def open(self, who: str = JAMIE) -> Visitor:
        """Open the page at somebody's chat."""
        if self.page.url == "about:blank":
            self.page.goto(self.url)
        self.page.get_by_role("link", name=who).click()
        return self

    def enter(
        self, title: str, *, first: str = JAMIE, beside: str = "", then: str = "", requester: str = ""
    ) -> Locator:
        """Enter a request in Coupa and return where it is shown."""
        form = self.page.locator("#create")
        form.get_by_text("Enter a request", exact=True).click()
        form.get_by_label("Title").fill(title)
        chosen = {"Decides first": first, "In parallel": beside, "Decides then": then, "Requester": requester}
        for label, who in chosen.items():
            if who:
                form.get_by_label(label).select_option(who)
        form.get_by_role("button", name="Enter and submit").click()
        return self.document(title)

    def document(self, title: str) -> Locator:
        return self.page.get_by_role("article").filter(has_text=title)

    def sweep(self, notices: str | None = None) -> None:
        self.page.get_by_role("button", name="Sweep now").click()
        expect(self.page.locator("#sweep .remark")).to_contain_text(notices or "Swept")

    def cards(self, title: str) -> Locator:
        return self.page.locator(".card").filter(has_text=title)

    def last(self) -> Locator:
        """Return the newest turn of the chat."""
        return self.page.locator("#turns > li").last

    def approve(self, title: str) -> Locator:
        self.cards(title).last.get_by_role("button", name="Approve").click()
        return self.last()

    def in_coupa(self, title: str) -> Locator:
        """Open what can be done with the first open approval of a request, and return the request."""
        document = self.document(title)
        document.get_by_text("Decide here or re-assign").first.click()
        return document


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the sandbox with the function app as a process of its own, and yield where the page is."""
    if not is_installed():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(INSTALL_HINT)
    log = tmp_path_factory.mktemp("page") / "app.log"
    with (
        neighbours(coupa_port=0, moveworks_port=0) as around,
        function_app({**around.settings(), **NEVER}, port=_free(), log=log) as app_url,
        served(sandbox.page.Page(around, app_url, log=log)) as url,
    ):
        yield url


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Chromium with a fresh profile; in CI its absence is a failure."""
    if CHROMIUM is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(NO_CHROMIUM)
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def visitor(browser: Browser, address: str) -> Iterator[Visitor]:
    """Yield somebody at the page; whatever the page's script or policy complains of fails the test."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(20_000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    yield Visitor(page, address)
    page.close()
    assert complaints == []


def test_a_request_is_announced_to_its_approver_and_to_nobody_else(visitor: Visitor) -> None:
    visitor.open().enter("Anvil")
    visitor.sweep("1 new notice")

    expect(visitor.cards("Anvil")).to_contain_text("Purchase request pending your approval")
    expect(visitor.cards("Anvil").get_by_role("button", name="Approve")).to_be_visible()
    visitor.open(ALEX)
    expect(visitor.cards("Anvil")).to_have_count(0)


def test_approving_from_chat_hands_the_request_to_the_next_approver(visitor: Visitor) -> None:
    visitor.open().enter("Bellows", then=ROBIN)
    visitor.sweep()

    expect(visitor.approve("Bellows")).to_contain_text("approved, HTTP 200")

    expect(visitor.document("Bellows").get_by_role("listitem").first).to_contain_text("approved")
    visitor.sweep("1 new notice")
    visitor.open(ROBIN)
    expect(visitor.cards("Bellows")).to_be_visible()


def test_sending_back_needs_a_reason_and_hands_it_to_coupa(visitor: Visitor) -> None:
    visitor.open().enter("Candles")
    visitor.sweep()
    card = visitor.cards("Candles")

    card.get_by_text("Send back", exact=True).click()
    card.get_by_role("button", name="Send back with this reason").click()
    expect(visitor.last()).to_contain_text("reason required")
    card.get_by_text("Send back", exact=True).click()
    card.get_by_label("Reason").fill("Too <b>dear</b>.")
    card.get_by_role("button", name="Send back with this reason").click()

    expect(visitor.last()).to_contain_text("rejected, HTTP 200")
    expect(visitor.document("Candles")).to_contain_text("Too <b>dear</b>.")


def test_a_click_on_what_was_decided_elsewhere_says_so(visitor: Visitor) -> None:
    visitor.open().enter("Drill")
    visitor.sweep()
    document = visitor.in_coupa("Drill")
    document.get_by_label("Note").fill("done at my desk")
    document.get_by_role("button", name="Approve in Coupa").click()
    expect(document).to_contain_text("done at my desk")

    expect(visitor.approve("Drill")).to_contain_text("already decided")


def test_a_colleague_of_the_group_takes_it_and_the_other_is_told_at_the_click(visitor: Visitor) -> None:
    visitor.open()
    visitor.page.get_by_text("Groups", exact=True).click()
    visitor.page.get_by_label("New group").fill("Smiths")
    visitor.page.get_by_label("First member").select_option(ROBIN)
    visitor.page.get_by_role("button", name="Make the group").click()
    smiths = visitor.page.locator("#groups .sub").filter(has_text="Smiths")
    smiths.get_by_label("New member").select_option(ALEX)
    smiths.get_by_role("button", name="Join").click()
    visitor.enter("Etching", first="Smiths (group)")
    visitor.sweep("2 new notices")

    visitor.open(ALEX)
    expect(visitor.approve("Etching")).to_contain_text("approved, HTTP 200")
    visitor.open(ROBIN)

    expect(visitor.approve("Etching")).to_contain_text("already decided")


def test_a_changed_amount_is_shown_again_before_it_can_be_approved(visitor: Visitor) -> None:
    visitor.open().enter("Forge")
    visitor.sweep()
    document = visitor.document("Forge")
    document.get_by_text("Edit or withdraw").click()
    document.get_by_label("Price each").fill("777.00")
    document.get_by_role("button", name="Change the line").click()

    expect(visitor.approve("Forge")).to_contain_text("USD 1,554.00")
    expect(visitor.last()).to_contain_text("changed, HTTP 200")
    expect(visitor.approve("Forge")).to_contain_text("approved, HTTP 200")


def test_a_re_assigned_approval_is_told_to_the_new_approver_and_lost_to_the_old_one(visitor: Visitor) -> None:
    visitor.open().enter("Glue")
    visitor.sweep()
    document = visitor.in_coupa("Glue")
    document.get_by_label("To", exact=True).select_option(ALEX)
    document.get_by_role("button", name="Re-assign").click()
    visitor.sweep("1 new notice")

    expect(visitor.approve("Glue")).to_contain_text("not your approval")
    visitor.open(ALEX)
    expect(visitor.approve("Glue")).to_contain_text("approved, HTTP 200")


def test_a_withdrawn_request_cannot_be_approved(visitor: Visitor) -> None:
    visitor.open().enter("Hinges")
    visitor.sweep()
    document = visitor.document("Hinges")
    document.get_by_text("Edit or withdraw").click()
    document.get_by_role("button", name="Withdraw").click()

    expect(visitor.approve("Hinges")).to_contain_text("it was withdrawn")


def test_a_fault_holds_notices_back_and_its_mending_lets_them_go(visitor: Visitor) -> None:
    visitor.open().enter("Ink")
    visitor.page.get_by_label("Moveworks", exact=True).select_option("is down: HTTP 503")
    visitor.page.get_by_role("button", name="Break Moveworks").click()
    visitor.sweep("no new notices")
    expect(visitor.page.locator("#status")).to_contain_text("moveworks suspect")

    visitor.page.get_by_role("button", name="Mend Moveworks").click()
    expect(visitor.page.locator("#faults")).to_contain_text("Moveworks works again.")
    _pass(visitor, "15 minutes")
    visitor.sweep("1 new notice")

    expect(visitor.cards("Ink")).to_be_visible()


def test_a_delegate_is_told_and_decides_until_time_ends_the_delegation(visitor: Visitor) -> None:
    visitor.open()
    visitor.page.get_by_text("Delegations", exact=True).click()
    visitor.page.get_by_label("Away").select_option("Sam Stinson")
    visitor.page.get_by_label("Delegate", exact=True).select_option("Mallory Grey")
    visitor.page.get_by_label("Days").fill("2")
    visitor.page.get_by_role("button", name="Delegate from now on").click()
    for title in ("Jute", "Kiln"):
        visitor.enter(title, first="Sam Stinson", requester=ALEX)
    _pass(visitor, "15 minutes")
    visitor.sweep("4 new notices")

    visitor.open("Mallory Grey")
    expect(visitor.cards("Jute")).to_contain_text("for Sam Stinson")
    expect(visitor.approve("Jute")).to_contain_text("approved, HTTP 200")
    _pass(visitor, "1 week")

    expect(visitor.approve("Kiln")).to_contain_text("not your approval")


def _pass(visitor: Visitor, step: str) -> None:
    visitor.page.get_by_label("Let pass").select_option(step)
    visitor.page.get_by_role("button", name="Move on").click()
    expect(visitor.page.locator("#time")).to_contain_text(f"It is {step} later.")


def test_the_list_is_asked_for_and_decided_from(visitor: Visitor) -> None:
    visitor.open(ALEX).enter("Lathe", first=ALEX)
    visitor.page.get_by_role("button", name="Do I have any approvals in Coupa?").click()

    expect(visitor.last()).to_contain_text(re.compile(r"You have \d+ open approvals? in Coupa\."))
    expect(visitor.approve("Lathe")).to_contain_text("approved, HTTP 200")


def test_what_happens_meanwhile_appears_by_itself_and_leaves_what_is_typed(visitor: Visitor) -> None:
    visitor.open().enter("Mortar")
    visitor.sweep()
    card = visitor.cards("Mortar")
    card.get_by_text("Send back", exact=True).click()
    card.get_by_label("Reason").fill("half a thou")
    assert visitor.page.context.browser
    elsewhere = Visitor(visitor.page.context.browser.new_page(), visitor.url).open()
    elsewhere.enter("Nails")
    elsewhere.sweep("1 new notice")
    elsewhere.page.close()

    expect(visitor.cards("Nails")).to_be_visible()
    expect(card.get_by_label("Reason")).to_have_value("half a thou")
    expect(card.get_by_label("Reason")).to_be_focused()


def test_the_trace_and_the_record_tell_why(visitor: Visitor) -> None:
    visitor.open().enter("Oakum")
    visitor.sweep()
    expect(visitor.approve("Oakum")).to_contain_text("approved, HTTP 200")
    visitor.cards("Oakum").get_by_role("link", name="Trace").click()

    expect(visitor.page.locator("#trace")).to_contain_text("approve")
    expect(visitor.page.locator("#audit tbody tr").first).to_contain_text("jamie@example.com")


def test_everything_can_be_done_with_the_keyboard_alone(visitor: Visitor) -> None:
    visitor.open("Mallory Grey").enter("Pliers", first="Mallory Grey")
    visitor.sweep()
    visitor.page.goto(f"{visitor.url}/?as=mallory@example.com")
    focus = visitor.page.locator(":focus")
    visitor.page.keyboard.press("Tab")
    expect(focus).to_have_text("Skip to the chat")
    visitor.page.keyboard.press("Enter")
    for _ in range(300):
        visitor.page.keyboard.press("Tab")
        if focus.evaluate(
            "each => each.value === 'approve' && each.closest('.card').innerText.includes('Pliers')"
        ):
            break
    outline = focus.evaluate("each => getComputedStyle(each).outlineStyle")
    visitor.page.keyboard.press("Tab")
    expect(focus).to_have_text("Send back")
    visitor.page.keyboard.press("Enter")
    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.type("Blunt.")
    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.press("Enter")

    expect(visitor.last()).to_contain_text("rejected, HTTP 200")
    assert outline == "solid"


def test_it_works_without_script(browser: Browser, address: str) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.set_default_timeout(20_000)
    visitor = Visitor(page, address).open()
    visitor.enter("Quill")
    visitor.sweep()

    expect(visitor.approve("Quill")).to_contain_text("approved, HTTP 200")
    expect(visitor.last()).to_be_in_viewport()
    page.close()


def test_nothing_is_wider_than_the_screen(visitor: Visitor) -> None:
    visitor.open().enter("Rivets" + "x" * 200, then=ROBIN)
    visitor.sweep()
    visitor.approve("Rivets")
    visitor.cards("Rivets").first.get_by_role("link", name="Trace").click()
    visitor.page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    widths = [320, 390, 768, 1280]

    wide = []
    for width in widths:
        visitor.page.set_viewport_size({"width": width, "height": 800})
        wide.append(visitor.page.evaluate("document.documentElement.scrollWidth"))

    assert wide == widths


CONTRAST = """() => {
  const numbers = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (each) => {
    for (; each; each = each.parentElement) {
      const colour = numbers(getComputedStyle(each).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const each of document.querySelectorAll("body *")) {
    if (![...each.childNodes].some((node) => node.nodeType === 3 && node.nodeValue.trim())) continue;
    const [a, b] = [light(numbers(getComputedStyle(each).color)), light(behind(each))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${each.tagName}.${each.className} ${ratio.toFixed(2)}`);
  }
  return poor;
}"""


def test_every_text_has_enough_contrast(visitor: Visitor) -> None:
    """4.5 to 1, as https://www.w3.org/TR/WCAG22/#contrast-minimum asks for."""
    visitor.open().enter("Saw")
    visitor.sweep()
    visitor.approve("Saw")

    light = visitor.page.evaluate(CONTRAST)
    visitor.page.emulate_media(color_scheme="dark")
    dark = visitor.page.evaluate(CONTRAST)

    assert (light, dark) == ([], [])


def test_every_field_and_button_has_a_name(visitor: Visitor) -> None:
    visitor.open().enter("Tongs")
    visitor.sweep()

    nameless = visitor.page.evaluate(
        """() => [...document.querySelectorAll("input, select, textarea, button, a, summary")]
          .filter((each) => each.type !== "hidden")
          .filter((each) => !(each.labels?.length || each.textContent.trim()) && !each.ariaLabel)
          .map((each) => each.outerHTML)"""
    )
    ids = visitor.page.evaluate("[...document.querySelectorAll('[id]')].map((each) => each.id)")

    assert nameless == []
    assert len(ids) == len(set(ids))


def test_pictures_show_it(visitor: Visitor) -> None:
    """Made by each run, kept only where `PICTURES` asks for it."""
    visitor.open().enter("Laptops for the new colleagues", then=ROBIN)
    visitor.enter("Standing desk")
    visitor.enter("Office chairs", first=ROBIN, beside=ALEX)
    visitor.sweep()
    visitor.approve("Laptops for the new colleagues")
    visitor.cards("Laptops for the new colleagues").first.get_by_role("link", name="Trace").click()
    expect(visitor.page.locator("#trace")).to_contain_text("decision")

    pictures = {
        "desktop": _picture(visitor, 1280, 1400, "light", to_the_end_of="#chat"),
        "dark": _picture(visitor, 1280, 1000, "dark", to_the_end_of="#cycle"),
        "phone": _picture(visitor, 390, 844, "light", to_the_end_of="#chat"),
    }

    for name, picture in pictures.items():
        assert 5_000 < len(picture) < 400_000
        if os.environ.get("PICTURES"):
            PICTURES.mkdir(exist_ok=True)
            (PICTURES / f"{name}.png").write_bytes(picture)


def _picture(
    visitor: Visitor, width: int, height: int, scheme: Literal["light", "dark"], *, to_the_end_of: str
) -> bytes:
    visitor.page.emulate_media(color_scheme=scheme)
    visitor.page.set_viewport_size({"width": width, "height": height})
    visitor.page.evaluate("window.scrollTo(0, 0)")
    box = visitor.page.locator(to_the_end_of).bounding_box()
    assert box
    end = box["y"] + box["height"] + 16
    return visitor.page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": width, "height": end})
