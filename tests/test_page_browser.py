"""The sandbox's page in a browser, as a person uses it: one story each, on the real bridge.

`PICTURES=1 pytest tests/test_page_browser.py -k "pictures or language"` writes docs/pictures anew, apart from
`before.png`, which shows the page of an earlier release.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

import sandbox.page
from sandbox.azurite import INSTALL_HINT, is_installed
from sandbox.coupa.world import PENDING
from sandbox.demo import NEVER, SHOWN, function_app
from sandbox.page.chat import WORDS
from sandbox.services import Services, services
from sandbox.serving import served
from sandbox.story import sweep

pytestmark = pytest.mark.slow

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
WIDTHS = (1440, 1024, 390)
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
SETTLED = """async () => {
  while (document.documentElement.classList.contains("busy")) await new Promise(requestAnimationFrame);
}"""
JAMIE, ROBIN, ALEX = "Jamie Fox", "Robin Vega", "Alex Kim"


@dataclass
class Office:
    """The sandbox with the function app as a process of its own; people start with nothing to do in it."""

    around: Services
    app_url: str
    log: Path

    def tidy(self) -> None:
        """Withdraw what an earlier story left waiting, have everybody told, and empty the chats."""
        world = self.around.coupa.world
        for table in list(world.documents.values()):
            for document in list(table.rows.values()):
                if document.status == PENDING:
                    world.withdraw(document.id)
        sweep(self.app_url)
        self.around.moveworks.delivered.clear()


@dataclass
class Visitor:
    """A person at the page, who finds things by what they are called."""

    page: Page
    url: str
    has_script: bool = True

    def open(self, who: str = JAMIE) -> Visitor:
        """Open the page at somebody's chat."""
        if self.page.url == "about:blank":
            self.page.goto(self.url)
        self.press(self.page.get_by_role("link", name=who))
        return self

    def press(self, place: Locator) -> None:
        """Press something and wait until the page shows what came of it."""
        place.click()
        if self.has_script:
            self.page.evaluate(SETTLED)

    def enter(
        self,
        title: str,
        *,
        first: str = JAMIE,
        beside: str = "",
        then: str = "",
        requester: str = "",
        copies: str = "",
        price: str = "",
        why: str = "",
    ) -> Locator:
        """Enter a request in Coupa and return where it is shown."""
        self.press(self.page.get_by_role("link", name="Enter a document"))
        form = self.page.locator("#new-request")
        filled = {"Title": title, "Copies": copies, "Price each": price, "Justification": why}
        for label, text in filled.items():
            if text:
                form.get_by_label(label).fill(text)
        chosen = {"Decides first": first, "In parallel": beside, "Decides then": then, "Requester": requester}
        for label, who in chosen.items():
            if who:
                form.get_by_label(label).select_option(who)
        self.press(form.get_by_role("button", name="Enter and submit"))
        expect(self.page.locator("#coupa .remark")).to_contain_text("The next sweep announces")
        return self.page.get_by_role("article")

    def document(self, title: str) -> Locator:
        """Open a document from the list and return it."""
        self.press(self.page.get_by_role("link", name="Documents", exact=True))
        self.press(self.page.locator("#documents").get_by_role("link", name=title))
        return self.page.get_by_role("article").filter(has_text=title)

    def sweep(self, notices: str | None = None) -> None:
        self.press(self.page.get_by_role("button", name="Sweep now"))
        expect(self.page.locator("#said")).to_contain_text(notices or "Swept")

    def wait(self, *steps: str) -> None:
        """Let time pass."""
        for step in steps:
            self.page.get_by_label("Let pass").select_option(step)
            self.press(self.page.get_by_role("button", name="Let pass"))
            expect(self.page.locator("#said")).to_contain_text(f"It is {step} later.")

    def cards(self, title: str) -> Locator:
        return self.page.locator(".card").filter(has_text=title)

    def last(self) -> Locator:
        """Return the newest turn of the chat."""
        return self.page.locator("#turns > li").last

    def told(self, *texts: str) -> None:
        """See that the newest turn says this, and offers nothing to decide."""
        for text in texts:
            expect(self.last()).to_contain_text(text)
        expect(self.last().get_by_role("button", name="Approve")).to_have_count(0)

    def approve(self, title: str, *, card: int = -1) -> Locator:
        """Press Approve on the newest card of that title, or on another."""
        self.press(self.cards(title).nth(card).get_by_role("button", name="Approve", exact=True))
        return self.last()

    def in_coupa(self, title: str) -> Locator:
        """Open what can be done with the first open approval of a request, and return the request."""
        document = self.document(title)
        document.get_by_text("Decide here or re-assign").first.click()
        return document


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Run the sandbox as the demo does, with smaller digests, and a quiet hour that one story gets into.

    It begins 50 minutes after the start. Other stories let 15 minutes or whole days pass, and stay out of it.
    """
    if not is_installed():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(INSTALL_HINT)
    log = tmp_path_factory.mktemp("page") / "app.log"
    begin = datetime.now(UTC) + timedelta(minutes=50)
    hours = f"{begin:%H:%M}-{begin + timedelta(hours=1):%H:%M}"
    cadence = {**SHOWN, "DIGEST_OVER": "3", "QUIET_HOURS": hours}
    with (
        services(coupa_port=0, moveworks_port=0) as around,
        function_app({**around.settings(), **NEVER, **cadence}, port=_free(), log=log) as app_url,
    ):
        yield Office(around, app_url, log)


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def address(office: Office) -> Iterator[str]:
    """Yield where the page is; nothing waits for anybody, and nobody was told anything."""
    office.tidy()
    with served(sandbox.page.Page(office.around, office.app_url, log=office.log)) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Chromium with a fresh profile; in CI its absence is a failure."""
    if CHROMIUM is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(NO_CHROMIUM)
    expect.set_options(timeout=60_000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def visitor(browser: Browser, address: str) -> Iterator[Visitor]:
    """Yield somebody at the page; whatever the page's script or policy complains of fails the test."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(60_000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    yield Visitor(page, address)
    page.close()
    assert complaints == []


def test_a_request_goes_from_approver_to_approver_and_its_requester_is_told(visitor: Visitor) -> None:
    visitor.open().enter("Bellows", then=ROBIN, requester=ALEX)
    visitor.sweep("1 new notice")
    expect(visitor.cards("Bellows")).to_contain_text("needs your approval")

    expect(visitor.approve("Bellows")).to_contain_text("approved, HTTP 200")

    expect(visitor.document("Bellows").get_by_role("listitem").first).to_contain_text("approved")
    visitor.sweep("1 new notice")
    visitor.open(ROBIN)
    expect(visitor.approve("Bellows")).to_contain_text("approved, HTTP 200")
    visitor.sweep("1 new notice")
    visitor.open(ALEX).told("Your request was approved by Robin Vega", "“Bellows”, USD 979.00")


def test_sending_back_needs_a_reason_and_hands_it_to_coupa(visitor: Visitor) -> None:
    visitor.open().enter("Candles")
    visitor.sweep()
    card = visitor.cards("Candles")

    card.get_by_text("Reject", exact=True).click()
    visitor.press(card.get_by_role("button", name="Reject with this reason"))
    expect(visitor.last()).to_contain_text("reason required")
    card.get_by_text("Reject", exact=True).click()
    card.get_by_label("Reason").fill("Too <b>dear</b>.")
    visitor.press(card.get_by_role("button", name="Reject with this reason"))

    expect(visitor.last()).to_contain_text("rejected, HTTP 200")
    expect(visitor.document("Candles")).to_contain_text("Too <b>dear</b>.")


def test_a_click_on_what_was_decided_elsewhere_says_so_and_the_trace_tells_why(visitor: Visitor) -> None:
    visitor.open().enter("Drill")
    visitor.sweep()
    document = visitor.in_coupa("Drill")
    document.get_by_label("Note").fill("done at my desk")
    visitor.press(document.get_by_role("button", name="Approve in Coupa"))
    expect(document).to_contain_text("done at my desk")

    expect(visitor.approve("Drill")).to_contain_text("already decided")

    visitor.press(visitor.cards("Drill").get_by_role("link", name="Trace"))
    expect(visitor.page.locator("#trace")).to_contain_text("it was decided already")
    expect(visitor.page.locator("#audit tbody tr").first).to_contain_text("jamie@example.com")


def test_a_colleague_of_the_group_takes_it_and_the_other_is_told(visitor: Visitor) -> None:
    visitor.press(visitor.open().page.get_by_role("link", name="Groups and delegations"))
    visitor.page.get_by_label("New group").fill("Smiths")
    visitor.page.get_by_label("First member").select_option(ROBIN)
    visitor.press(visitor.page.get_by_role("button", name="Make the group"))
    smiths = visitor.page.locator("#groups .sub").filter(has_text="Smiths")
    smiths.get_by_label("New member").select_option(ALEX)
    visitor.press(smiths.get_by_role("button", name="Join"))
    visitor.enter("Etching", first="Smiths (group)")
    visitor.sweep("2 new notices")

    visitor.open(ALEX)
    expect(visitor.approve("Etching")).to_contain_text("approved, HTTP 200")
    visitor.sweep("2 new notices")  # the other one is for the requester
    visitor.open(ROBIN).told("Approved by Alex Kim on ", "“Etching”, USD 979.00")

    expect(visitor.approve("Etching", card=0)).to_contain_text("already decided")


def test_a_changed_amount_is_told_as_a_difference_and_shown_before_it_can_be_approved(
    visitor: Visitor,
) -> None:
    visitor.open().enter("Forge")
    visitor.sweep()
    document = visitor.document("Forge")
    document.get_by_text("Edit or withdraw").click()
    document.get_by_label("Price each").fill("777.00")
    visitor.press(document.get_by_role("button", name="Change the line"))

    expect(visitor.approve("Forge")).to_contain_text("changed, HTTP 200")
    expect(visitor.last()).to_contain_text("USD 1,554.00")
    visitor.sweep("1 new notice")
    expect(visitor.last()).to_contain_text("Amount: USD 979.00 → USD 1,554.00")

    expect(visitor.approve("Forge")).to_contain_text("approved, HTTP 200")


def test_a_re_assigned_approval_is_told_to_both_and_lost_to_the_old_one(visitor: Visitor) -> None:
    visitor.open().enter("Glue")
    visitor.sweep()
    document = visitor.in_coupa("Glue")
    document.get_by_label("To", exact=True).select_option(ALEX)
    visitor.press(document.get_by_role("button", name="Re-assign"))
    visitor.sweep("2 new notices")
    visitor.told("Passed to somebody else: ", "“Glue”")

    expect(visitor.approve("Glue", card=0)).to_contain_text("not your approval")
    visitor.open(ALEX)
    expect(visitor.approve("Glue")).to_contain_text("approved, HTTP 200")


def test_a_withdrawn_request_cannot_be_approved(visitor: Visitor) -> None:
    visitor.open().enter("Hinges")
    visitor.sweep()
    document = visitor.document("Hinges")
    document.get_by_text("Edit or withdraw").click()
    visitor.press(document.get_by_role("button", name="Withdraw"))

    expect(visitor.approve("Hinges")).to_contain_text("Withdrawn: Purchase request")
    visitor.sweep("1 new notice")
    visitor.told("Withdrawn: ", "“Hinges”")


def test_a_fault_holds_notices_back_and_its_mending_lets_them_go(visitor: Visitor) -> None:
    visitor.open().enter("Ink")
    visitor.page.get_by_text("Break something, and mend it").click()
    visitor.page.get_by_label("Moveworks", exact=True).select_option("is down: HTTP 503")
    visitor.press(visitor.page.get_by_role("button", name="Break Moveworks"))
    visitor.sweep("no new notices")
    expect(visitor.page.locator("#health")).to_contain_text("Moveworks is down: HTTP 503")

    visitor.press(visitor.page.get_by_role("button", name="Mend Moveworks"))
    expect(visitor.page.locator("#faults")).to_contain_text("Moveworks works again.")
    visitor.wait("15 minutes")
    visitor.sweep("1 new notice")

    expect(visitor.cards("Ink")).to_be_visible()


def test_what_is_pressed_during_a_sweep_is_done_after_it_but_mending_at_once(visitor: Visitor) -> None:
    visitor.open().enter("Anvil")
    visitor.sweep("1 new notice")
    visitor.enter("Bellows", price="12.00")
    page, said = visitor.page, visitor.page.locator("#said")
    page.get_by_text("Break something, and mend it").click()
    page.locator("#f-coupa").select_option("answers 3 s late")
    visitor.press(page.get_by_role("button", name="Break Coupa"))
    answered: list[str] = []
    page.on("response", lambda each: answered.append(urlsplit(each.url).path))

    page.get_by_role("button", name="Sweep now").click()
    expect(said).to_have_text("Sweeping…")
    page.get_by_role("button", name="Sweep now").click()  # once more is the same sweep
    visitor.cards("Anvil").get_by_role("button", name="Approve", exact=True).click()
    expect(said).to_have_text("Sweeping… Then: Approve.")
    page.get_by_label("Message to the assistant").fill("What did I decide?")
    page.keyboard.press("Enter")
    page.get_by_label("Message to the assistant").fill("half a thou")
    page.get_by_role("button", name="Mend Coupa").click()
    expect(page.locator("#faults")).to_contain_text("Coupa works again.")
    page.evaluate(SETTLED)

    posted = [path for path in answered if path.startswith(("/faults", "/bridge", "/chat"))]
    assert posted == ["/faults/mend", "/bridge/sweep", "/chat/click", "/chat/write"]
    expect(said).to_contain_text("Swept: 1 new notice.")
    expect(page.locator("#turns")).to_contain_text("approved, HTTP 200")
    expect(visitor.last()).to_contain_text(
        re.compile("found for the last 30 days.+“Anvil” · in chat", re.DOTALL)
    )
    expect(page.get_by_label("Message to the assistant")).to_have_value("half a thou")


def test_a_delegate_is_told_and_decides_until_time_ends_the_delegation(visitor: Visitor) -> None:
    visitor.press(visitor.open().page.get_by_role("link", name="Groups and delegations"))
    visitor.page.get_by_label("Away").select_option("Sam Stinson")
    visitor.page.get_by_label("Delegate", exact=True).select_option("Mallory Grey")
    visitor.page.get_by_label("Days").fill("2")
    visitor.press(visitor.page.get_by_role("button", name="Delegate from now on"))
    visitor.enter("Jute", first="Sam Stinson", requester=ALEX, copies="2")
    visitor.wait("15 minutes")
    visitor.sweep("4 new notices")

    visitor.open("Mallory Grey")
    expect(visitor.cards("Jute 1")).to_contain_text("for Sam Stinson")
    expect(visitor.approve("Jute 1")).to_contain_text("approved, HTTP 200")
    visitor.wait("1 week")

    expect(visitor.approve("Jute 2")).to_contain_text("not your approval")


def test_many_at_once_are_one_message_that_leads_to_the_list(visitor: Visitor) -> None:
    visitor.open(ALEX).enter("Lathe", first=ALEX, copies="5")
    visitor.sweep("1 new notice")
    visitor.told("5 approvals are waiting for you in Coupa", "Lathe 1", "Lathe 5")

    visitor.press(visitor.last().get_by_role("button", name="Do I have any approvals in Coupa?"))

    expect(visitor.last()).to_contain_text("5 approvals are waiting for you in Coupa.")
    expect(visitor.approve("Lathe 2")).to_contain_text("approved, HTTP 200")
    for title in ("Lathe 3", "Lathe 4"):
        visitor.cards(title).last.get_by_label("This one").check()
    visitor.press(visitor.page.get_by_role("button", name="Approve what is ticked"))
    expect(visitor.last()).to_contain_text("Approved: 2 requests.")
    expect(visitor.document("Lathe 4")).to_contain_text("approved")
    expect(visitor.document("Lathe 5")).to_contain_text("waiting")


def test_who_is_silent_is_reminded_and_then_the_manager_is_informed(visitor: Visitor) -> None:
    visitor.open().enter("Mortar", copies="2")
    expect(visitor.page.locator("#manager")).to_contain_text(ROBIN)
    visitor.sweep("2 new notices")
    visitor.wait("1 day")
    visitor.sweep("1 new notice")
    visitor.told("2 approvals are still waiting for you in Coupa", "Mortar 1", "Mortar 2", "for 1 day")

    expect(visitor.approve("Mortar 1", card=0)).to_contain_text("approved, HTTP 200")

    visitor.wait("1 day", "1 day")
    visitor.sweep("3 new notices")
    expect(visitor.cards("Mortar 1")).to_have_count(2)
    expect(visitor.last()).to_contain_text("Mortar 2")
    visitor.open("Sam Stinson").told("Your request was approved by Jamie Fox on ", "“Mortar 1”")
    visitor.open(ROBIN).told("“Mortar 2”", "waiting for Jamie Fox for 3 days")


def test_nobody_is_disturbed_in_quiet_hours(visitor: Visitor) -> None:
    visitor.open().wait("1 hour")
    visitor.enter("Needles")
    visitor.sweep("no new notices")
    expect(visitor.page.locator("#status")).to_contain_text(
        "1 approval is not told yet (these are quiet hours)."
    )

    visitor.wait("1 hour")
    visitor.sweep("1 new notice")

    expect(visitor.cards("Needles")).to_be_visible()


def test_what_happens_meanwhile_appears_by_itself_and_leaves_what_is_typed(visitor: Visitor) -> None:
    visitor.open().enter("Oakum")
    visitor.sweep()
    card = visitor.cards("Oakum")
    card.get_by_text("Reject", exact=True).click()
    card.get_by_label("Reason").fill("half a thou")
    assert visitor.page.context.browser
    elsewhere = Visitor(visitor.page.context.browser.new_page(), visitor.url).open()
    elsewhere.enter("Nails")
    elsewhere.sweep("1 new notice")
    elsewhere.page.close()

    expect(visitor.cards("Nails")).to_be_visible()
    expect(card.get_by_label("Reason")).to_have_value("half a thou")
    expect(card.get_by_label("Reason")).to_be_focused()


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
    expect(focus).to_have_text("Reject")
    visitor.page.keyboard.press("Enter")
    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.type("Blunt.")
    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.press("Enter")

    expect(visitor.last()).to_contain_text("rejected, HTTP 200")
    assert outline == "solid"


def test_it_works_without_script(browser: Browser, address: str) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.set_default_timeout(60_000)
    visitor = Visitor(page, address, has_script=False).open()
    visitor.enter("Quill")
    visitor.sweep()

    expect(visitor.approve("Quill")).to_contain_text("approved, HTTP 200")
    expect(visitor.last()).to_be_in_viewport()
    page.close()


AXE = Path(__file__).parent / "npm" / "node_modules" / "axe-core" / "axe.min.js"
FOUND = """async () => {
  const { violations } = await axe.run(document, { preload: false, resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) => nodes.map((each) => `${id} ${each.target}`));
}"""
SCREENS = {
    "a document": ["Documents", "Rivets"],
    "the form": ["Enter a document"],
    "the people": ["Groups and delegations"],
    "the list": ["Documents"],
}
"""What leads to each of Coupa's screens."""


def test_axe_finds_nothing_on_any_screen_and_nothing_is_wider_than_the_window(visitor: Visitor) -> None:
    """Axe knows contrast, names, roles and what else of https://www.w3.org/TR/WCAG22/ a program can see."""
    if not AXE.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("axe is not here: run `npm ci` in tests/npm")
    page = visitor.open().page
    visitor.enter("Rivets" + "x" * 200, then=ROBIN)
    visitor.enter("Saw", copies="5")
    visitor.sweep()
    visitor.press(visitor.last().get_by_role("button", name="Do I have any approvals in Coupa?"))
    visitor.approve("Rivets")
    visitor.press(visitor.cards("Rivets").last.get_by_role("link", name="Trace"))
    expect(page.locator("#trace")).to_contain_text("was told")
    page.evaluate(AXE.read_text("utf-8"))

    found: dict[str, list[str]] = {}
    wide: dict[str, list[int]] = {}
    widths = [320, 390, 768, 1024, 1440]
    for screen, links in SCREENS.items():
        for link in links:
            visitor.press(page.locator("#coupa").get_by_role("link", name=link).first)
        if screen == "the form":
            page.get_by_label("Price each").fill("cheap")
            visitor.press(page.get_by_role("button", name="Enter and submit"))
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            wide.setdefault(screen, []).append(page.evaluate("document.documentElement.scrollWidth"))
        for width, scheme in ((1440, "dark"), (390, "light")):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            found[f"{screen}, {width} {scheme}"] = page.evaluate(FOUND)

    assert [each for parts in found.values() for each in parts] == []
    assert len(found) == 2 * len(SCREENS)
    assert wide == dict.fromkeys(SCREENS, widths)


def test_nothing_jumps_at_a_click(visitor: Visitor) -> None:
    page = visitor.open().page
    visitor.enter("Tongs", copies="4")
    visitor.sweep()
    page.set_viewport_size({"width": 1280, "height": 700})
    pressed = {
        "question": page.locator(".ask").get_by_role("button"),
        "approve": visitor.cards("Tongs 1").last.get_by_role("button", name="Approve"),
        "person": page.get_by_role("link", name=JAMIE),
        "list": page.get_by_role("link", name="Documents", exact=True),
        "document": page.locator("#documents").get_by_role("link", name="Tongs 2"),
        "edit": page.get_by_text("Edit or withdraw"),
        "change": page.get_by_role("button", name="Change the line"),
        "form": page.get_by_role("link", name="Enter a document"),
        "enter": page.get_by_role("button", name="Enter and submit"),
        "send": page.get_by_role("button", name="Send"),
    }

    moved = {}
    for name, place in pressed.items():
        page.evaluate("window.scrollTo(0, 150)")
        place.scroll_into_view_if_needed()  # as whoever presses it has done
        before = page.evaluate("window.scrollY")
        visitor.press(place)
        moved[name] = page.evaluate("window.scrollY") - before

    assert moved == dict.fromkeys(pressed, 0)


def test_a_mistake_stays_where_it_was_made_with_all_that_was_typed(visitor: Visitor) -> None:
    page = visitor.open().page
    visitor.press(page.get_by_role("link", name="Enter a document"))
    visitor.press(page.get_by_role("link", name="Invoice", exact=True))
    page.get_by_label("Supplier").fill("Umber & Sons")
    page.get_by_label("Price each").fill("cheap")
    page.get_by_label("Decides first").select_option(ROBIN)

    visitor.press(page.get_by_role("button", name="Enter and submit"))

    expect(page.get_by_label("Price each")).to_be_focused()
    expect(page.locator("#new-invoice")).to_contain_text("Price must be a number such as 12.50.")
    expect(page.get_by_label("Supplier")).to_have_value("Umber & Sons")
    expect(page.get_by_label("Decides first").locator("option:checked")).to_have_text(ROBIN)
    assert page.context.browser
    elsewhere = Visitor(page.context.browser.new_page(), visitor.url).open()
    visitor.press(elsewhere.page.get_by_role("link", name="Enter a document"))
    expect(elsewhere.page.locator(".wrong")).to_have_count(0)
    elsewhere.page.close()
    page.get_by_label("Price each").fill("12.50")
    visitor.press(page.get_by_role("button", name="Enter and submit"))
    expect(page.get_by_role("article")).to_contain_text("Umber & Sons")


def test_somebody_asks_in_their_own_words_and_opens_a_request_in_coupa(visitor: Visitor) -> None:
    visitor.open().enter("Vise")
    visitor.press(visitor.page.get_by_role("link", name="Documents", exact=True))
    visitor.page.get_by_label("Message to the assistant").fill("Do I have any approvals?")
    visitor.page.keyboard.press("Enter")

    expect(visitor.last()).to_contain_text("1 approval is waiting for you in Coupa")
    expect(visitor.page.get_by_label("Message to the assistant")).to_have_value("")
    expect(visitor.page.get_by_label("Message to the assistant")).to_be_focused()
    visitor.press(visitor.last().get_by_role("link", name="Open in Coupa"))
    expect(visitor.page.get_by_role("article")).to_contain_text("USD 979.00")
    visitor.page.go_back()
    expect(visitor.page.locator("#documents")).to_be_visible()


STORIES = {
    "fr": {
        "title": "Chaises",
        "card": "Sam Stinson demande : « Chaises »",
        "asked": "Demande d’achat",
        "refusal": "Veuillez indiquer un motif, pour que le demandeur sache quoi modifier.",
        "words": "Trop cher.",
        "answer": "Refusé : Demande d’achat",
        "digest": "4 approbations vous attendent dans Coupa",
        "list": "4 approbations vous attendent dans Coupa.",
    },
    "ja": {
        "title": "椅子",
        "card": "Sam Stinsonさんの購買依頼：「椅子」",
        "asked": "承認をお願いします",
        "refusal": "申請者が何を直せばよいかわかるように、理由を入力してください。",
        "words": "高すぎます。",
        "answer": "却下しました：",
        "digest": "Coupaで4件の承認をお待ちしています",
        "list": "Coupaで4件の承認をお待ちしています。",
    },
}
"""One story in a language: a card, a refusal, an answer and a digest."""


@pytest.mark.parametrize("language", STORIES)
def test_somebody_reads_their_own_language_from_card_to_list(
    language: str, visitor: Visitor, office: Office
) -> None:
    office.tidy()
    told, words = STORIES[language], WORDS[language]
    alex = office.around.coupa.world.users.rows[office.around.people["alex@example.com"]]
    alex.default_locale = language
    try:
        visitor.open(ALEX).enter(told["title"], first=ALEX, requester="Sam Stinson")
        visitor.sweep("1 new notice")
        card = visitor.cards(told["title"]).last
        expect(card).to_contain_text(told["card"])
        expect(card).to_contain_text(told["asked"])
        card.get_by_text(words.labels["reject"], exact=True).click()
        visitor.press(card.get_by_role("button", name=words.labels["back"]))
        expect(visitor.last()).to_contain_text(told["refusal"])
        card.get_by_text(words.labels["reject"], exact=True).click()
        card.get_by_label(words.reason).fill(told["words"])
        visitor.press(card.get_by_role("button", name=words.labels["back"]))
        expect(visitor.last()).to_contain_text(told["answer"])
        for number in range(1, 5):
            visitor.enter(f"{told['title']} {number}", first=ALEX, requester="Sam Stinson")
        visitor.sweep("new notice")
        expect(visitor.page.locator("#turns")).to_contain_text(told["digest"])
        visitor.press(visitor.last().get_by_role("button", name=words.asked))
        expect(visitor.last()).to_contain_text(told["list"])
        if os.environ.get("PICTURES"):
            _picture(visitor, f"story-{language}", 1280, 1900, "#chat")
    finally:
        alex.default_locale = None
        office.tidy()


@pytest.mark.skipif(not os.environ.get("PICTURES"), reason="PICTURES=1 makes docs/pictures anew")
def test_pictures_show_it(visitor: Visitor, office: Office) -> None:
    page = visitor.open().page
    visitor.enter("Standing desk")
    visitor.sweep("1 new notice")
    visitor.wait("1 day")
    visitor.sweep()
    visitor.enter(
        "Laptops for the team", then=ROBIN, price="1406.04", why="Two new colleagues start in January."
    )
    visitor.enter("Office chairs", first=ROBIN, beside=ALEX, why="The old ones squeak.")
    for kind in ("Expense report", "Invoice", "Change of an order", "Contract"):
        visitor.press(page.get_by_role("link", name="Enter a document"))
        visitor.press(page.get_by_role("link", name=kind, exact=True))
        page.get_by_label("Decides first").select_option(ROBIN)
        visitor.press(page.get_by_role("button", name="Enter and submit"))
    visitor.sweep("new notices")
    visitor.approve("Laptops for the team")
    visitor.press(visitor.cards("Laptops for the team").first.get_by_role("link", name="Open in Coupa"))
    for width in WIDTHS:
        _picture(visitor, f"page-{width}-light", width, 900)
    visitor.sweep()
    visitor.open(ROBIN)
    visitor.press(page.get_by_role("link", name="Documents", exact=True))
    page.evaluate("for (const each of document.querySelectorAll('#status, #cycle')) each.open = true")
    for width in WIDTHS:
        _picture(visitor, f"page-{width}-dark", width, 900, scheme="dark")

    office.tidy()
    visitor.open(ROBIN).enter("Standing desk")
    wishes = {
        "Projector": "640",
        "Whiteboard": "215",
        "Coffee machine": "380.00",
        "Desk lamps": "44.90",
    }
    for title, price in wishes.items():
        visitor.enter(title, first=ROBIN, price=price, why="For the new office.")
    visitor.sweep("2 new notices")
    for title in list(wishes)[:3]:
        visitor.press(visitor.in_coupa(title).get_by_role("button", name="Approve in Coupa"))
    visitor.wait("1 day")
    visitor.sweep("5 new notices")
    visitor.approve("Desk lamps")
    visitor.wait("1 day", "1 day")
    visitor.sweep("3 new notices")
    visitor.page.goto(f"{visitor.url}/?as=robin@example.com")
    _picture(visitor, "cadence", 1440, 1900, "#chat")


def _picture(
    visitor: Visitor,
    name: str,
    width: int,
    height: int,
    place: str = "",
    *,
    scheme: Literal["light", "dark"] = "light",
) -> None:
    """Take a picture of the whole page, or of one place down to the last that is said there."""
    page = visitor.page
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate("window.scrollTo(0, 0)")
    page.evaluate("document.activeElement?.blur()")
    if not place:
        page.screenshot(full_page=True, path=PICTURES / f"{name}.png")
        return
    said = page.locator("#turns").bounding_box()
    window = page.locator(place).bounding_box()
    assert said
    assert window
    # A window as high as what is in it shows no blank.
    needed = height - max(0, int(window["height"] - said["height"] - 330))
    page.set_viewport_size({"width": width, "height": needed})
    page.locator(place).screenshot(path=PICTURES / f"{name}.png")
