"""Each chat of docs/creator_studio/test-plan.md ends as its line says, by the documented calls."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from bridge import COUPA, LISTENER, World
from curl import Curl, parse
from goldens import readable
from pages import MAPPERS, PAGES, section, tables

from coupa_core.documents import COMMENT_SCOPE
from coupa_core.endpoints import Reply
from coupa_core.settings import NAMES
from sandbox.coupa.server import BASELINE
from sandbox.coupa.world import Line
from sandbox.moveworks import Delivered

pytestmark = pytest.mark.slow


def spoken(page: str, heading: str) -> Curl:
    """Return the command under a heading."""
    [block] = re.findall(r"^```bash\n(.*?)^```$", section(page, heading), re.DOTALL | re.MULTILINE)
    return parse(block)


def mapped(mapper: dict[str, Any], slots: dict[str, Any]) -> dict[str, Any]:
    """Return what the data mapper makes of slots, as far as the pages use it."""
    made: dict[str, Any] = {}
    for name, value in mapper.items():
        if isinstance(value, dict):
            [(operator, each)] = value.items()
            assert operator == "MAP()"
            made[name] = [
                {key: item[path.removeprefix("item.")] for key, path in each["converter"].items()}
                for item in slots[each["items"]]
            ]
        elif value in slots:
            made[name] = slots[value]
    return made


# ---------------------------------------------------------------------- the chats of the test plan

A, B, SAM = "ann@example.com", "bob@example.com", "sam@example.com"
BRANCHES = {
    "Approve": "4. Branch Approve",
    "Reject": "5. Branch Reject",
    "Hold": "6. Branch Put on hold",
    "Ask": "7. Branch Ask the requester",
}
"""Where the event's path has what `actions.md` has under these headings."""

WORDS = {"Reject": ("comment_for_rejection", "reason"), "Ask": ("question_for_requester", "comment")}
"""What a person writes: as a slot for the data mapper, and as a name in the Params table."""


PLAN = tables(PAGES["test-plan.md"])[0]
[PILOT] = re.findall("`PILOT='(.+?)'`", PAGES["test-plan.md"])


def needed(chats: Iterable[int], channel: str) -> tuple[dict[str, str], set[str]]:
    """Return the settings and the scopes that the plan asks for before these chats."""
    settings: dict[str, str] = {}
    scopes: set[str] = set()
    for number in chats:
        needs = PLAN[number][2]
        for only, name, value in re.findall("(over the listener )?`([A-Z_]+)='?(.+?)'?`", needs):
            if not only or channel == "listener":
                both = name == "FACTS" and name in settings
                settings[name] = f"{settings[name]},{value}" if both else value
        scopes |= set(re.findall("`(core[a-z_.]+)`", needs))
    return settings, scopes


class Chats:
    """One bridge and the people who talk to it by the calls that the pages show, over one channel.

    What the plan asks for is set and granted, and nothing else.
    """

    def __init__(self, channel: str, chats: Iterable[int]) -> None:
        self.channel = channel
        settings, scopes = needed(chats, channel)
        pilot = PILOT.replace("<A>", A).replace("<B>", B).replace("<R>", SAM)
        defaults = dict.fromkeys(("LIST_TOKENS", "DIGEST_OVER", "CLOSING_NOTICE"), "")
        told = LISTENER if channel == "listener" else {}
        self.world = World(settings={**defaults, **told, "PILOT": pilot, **settings})
        self.world.coupa.desk.granted_scopes = BASELINE | scopes
        for person in (A, B, SAM):
            self.world.person(person)

    def enter(self, approver: str = A, **details: Any) -> Delivered:
        """Enter a request and return the one card that it leads to."""
        self.world.requisition(approver, **details)
        [card] = self.later()
        return card

    def later(self) -> list[Delivered]:
        """Return what comes within a minute."""
        self.world.clock.advance(60)
        return self.world.announced()

    def say(self, action: str, who: str, slots: Mapping[str, Any], words: str | None = None) -> Reply:
        """Do what a button does, by the documented call."""
        is_event = self.channel == "events" and action in BRANCHES
        curl = spoken("events.md", BRANCHES[action]) if is_event else spoken("actions.md", action)
        slot, name = WORDS.get(action, ("", ""))
        known = {**slots, slot: words or ""}
        platform = {
            "user.email_addr": who,
            "meta_info.user.email_addr": who,
            "meta_info.action_instance_id": f"{len(self.world.coupa.front.calls)}-{action[:4]}",
        }
        if action in MAPPERS:
            curl.body = None if is_event else json.dumps(mapped(MAPPERS[action], known))
        body = curl.body
        curl.body = None
        curl = curl.filled({**known, **platform})
        path = curl.url.partition("/api/")[2].split("/")
        route, number = (path[-1], path[1]) if len(path) == 3 else (path[-1], "")
        return self.world.call(
            {"approvals": "list_approvals", "decisions": "list_decisions"}.get(route, route),
            headers=curl.headers,
            route={"approval_id": number} if number else {},
            query={name: words} if is_event and words is not None else {},
            body=(body or "").encode(),
        )

    @property
    def approval(self) -> Any:
        """Return the newest approval, as Coupa has it."""
        return list(self.world.coupa.world.approvals.rows.values())[-1]


def _outcome(reply: Any) -> str:
    assert reply.status == 200, reply.body
    return f"`{reply.body['outcome']}`"


def _first(chats: Chats) -> str:
    card = chats.enter()
    assert all(word in card.message for word in ("Laptops", "Sam", "1,800.00"))
    return "(card)" if card.recipient == A and not chats.later() else "?"


def _approve(chats: Chats) -> str:
    said = _outcome(chats.say("Approve", A, chats.enter().slots))
    assert (chats.approval.status, A in str(chats.approval.note)) == ("approved", True)
    return said


def _approve_twice(chats: Chats) -> str:
    card = chats.enter()
    chats.say("Approve", A, card.slots)
    said = _outcome(chats.say("Approve", A, card.slots))
    assert chats.world.puts() == 1
    return said


def _reject_with(reason: str) -> Callable[[Chats], str]:
    def chat(chats: Chats) -> str:
        said = _outcome(chats.say("Reject", A, chats.enter().slots, reason))
        assert chats.approval.is_open or str(chats.approval.note).endswith(reason)
        return said

    return chat


def _somebody_else(chats: Chats) -> str:
    said = _outcome(chats.say("Approve", B, chats.enter().slots))
    assert chats.world.puts() == 0
    return said


def _decided_in_coupa(chats: Chats) -> str:
    card = chats.enter()
    chats.world.coupa.world.decide_in_coupa(chats.approval.id, by=chats.world.person(A), decision="approved")
    reply = chats.say("Approve", A, card.slots)
    assert "Approved by Ann Doe" in reply.body["message"]
    return _outcome(reply)


def _changed(chats: Chats) -> str:
    card = chats.enter()
    chats.world.coupa.world.edit_line(chats.approval.document.id, 0, unit_price="950.00")
    reply = chats.say("Approve", A, card.slots)
    assert "1,900.00" in reply.body["content"]
    assert [each.recipient for each in chats.later()] == [A]
    return _outcome(reply)


def _listed(chats: Chats) -> str:
    chats.enter()
    reply = chats.say("List", A, {})
    return "(list)" if reply.body["count"] == len(reply.body["approvals"]) == 1 else "?"


def _hold(chats: Chats) -> str:
    said = _outcome(chats.say("Hold", A, chats.enter(holdable=True).slots))
    assert chats.approval.status == "on_hold"
    return said


def _ask(chats: Chats) -> str:
    said = _outcome(chats.say("Ask", A, chats.enter().slots, "Why two of them?"))
    [comment] = chats.approval.document.comments
    assert f"Ann Doe <{A}> via Moveworks: Why two of them?" in comment.comments
    [told] = chats.later()
    assert told.recipient == SAM
    assert all(text in told.message for text in ("Ann Doe asks about", "“Why two of them?”", "coupahost"))
    return said


def _answered(chats: Chats) -> str:
    _ask(chats)
    number = chats.approval.document.id
    chats.world.coupa.world.add_comment("requisition", number, by=chats.world.person(SAM), text="Two people.")
    [card] = chats.later()
    assert (card.recipient, "Sam Doe answered: “Two people.”" in card.message) == (A, True)
    assert chats.later() == []
    return _outcome(chats.say("Approve", A, card.slots))


def _several(chats: Chats) -> str:
    chats.enter()
    chats.enter(title="Chairs")
    chosen = chats.say("List", A, {}).body["approvals"]
    reply = chats.say(
        "Decide several", A, {"chosen": chosen, "decision": "approve", "comment_for_rejection": ""}
    )
    assert reply.body["message"] == "Approved: 2 requests."
    assert {each.status for each in chats.world.coupa.world.approvals.rows.values()} == {"approved"}
    [outcome] = {each["outcome"] for each in reply.body["items"]}
    return f"`{outcome}`"


def _german(chats: Chats) -> str:
    chats.world.coupa.world.users.rows[chats.world.person(B)].default_locale = "de"
    card = chats.enter(B)
    assert "wartet auf Ihre Genehmigung" in card.message or "Genehmigung" in card.message
    reply = chats.say("Approve", B, card.slots)
    assert reply.body["message"].startswith("Genehmigt: Bestellanforderung 5001, „Laptops“")
    return _outcome(reply)


def _decided(chats: Chats) -> str:
    chats.say("Approve", A, chats.enter().slots)
    reply = chats.say("What did I decide", A, {})
    assert reply.body["message"] == "1 decision of yours was found for the last 30 days."
    [made] = reply.body["decisions"]
    assert (made["status"], made["made_in"]) == ("approved", "chat")
    assert made["text"].endswith("“Laptops” · in chat")
    assert chats.say("What did I decide", B, {}).body["decisions"] == []
    return "(history)"


def _lines(card: Delivered) -> list[str]:
    """Return the lines of a card, over either channel, without what makes them bold."""
    return [line.strip("*") for line in readable(card.message).splitlines()]


def _sensitive(chats: Chats) -> str:
    card = chats.enter(department="HR", justification="A new colleague.")
    number = chats.approval.document.id
    head, why, link = _lines(card)
    assert head.endswith(f" Purchase request {number} needs your approval")
    assert why == "This is neither shown nor decided in chat; please open it in Coupa."
    assert f"{COUPA}/requisition_headers/{number}" in link
    [listed] = chats.say("List", A, {}).body["approvals"]
    assert not any(word in listed["text"] for word in ("Laptop", "Sam", "900.00", "colleague"))
    # The listener shows no button: who has one has it from the list.
    assert bool(card.slots) is (chats.channel == "events")
    slots = card.slots or listed
    reply = chats.say("Approve", A, slots)
    assert (reply.body["link"], chats.approval.is_open) == (f"{COUPA}/requisition_headers/{number}", True)
    return _outcome(reply)


def _budget(chats: Chats) -> str:
    coupa = chats.world.coupa.world
    period = coupa.add_period("FY26 Q4")
    left = {"remaining": "66883.00", "pending_requisitions_amount": "1800.00"}
    coupa.add_reference("budget_lines", period=period, account="HQ-IT", currency="USD", **left)
    line = Line("Laptop", quantity="2", unit_price="900.00", account="HQ-IT-Assets", period=period)
    card = chats.enter(lines=[line])
    said = "FY26 Q4, HQ / IT: USD 66,883.00 remaining, USD 1,800.00 in pending requests"
    assert f"- Budget line in Coupa: {said}" in _lines(card)
    return _outcome(chats.say("Approve", A, card.slots))


def _duplicate(chats: Chats) -> str:
    first = chats.enter()
    number = chats.approval.document.id
    second = chats.enter()
    assert "Possible duplicate" not in first.message
    twin = f"- Possible duplicate (same supplier and amount): Purchase request {number} (Nov 23, 2026)"
    assert twin in _lines(second)
    return _outcome(chats.say("Reject", A, second.slots, "Entered twice."))


CHATS: list[Callable[[Chats], str]] = [
    _first,
    _approve,
    _approve_twice,
    _reject_with(" "),
    _reject_with('"Too dear" said O\'Neil, & why <two>?'),
    _somebody_else,
    _decided_in_coupa,
    _changed,
    _listed,
    _hold,
    _ask,
    _answered,
    _several,
    _german,
    _decided,
    _sensitive,
    _budget,
    _duplicate,
]


@pytest.mark.parametrize("channel", ["events", "listener"])
@pytest.mark.parametrize("number", range(18))
def test_each_chat_ends_as_the_test_plan_says_by_the_documented_calls(number: int, channel: str) -> None:
    """With what its line asks for alone, and with what all of them ask for."""
    row = PLAN[number]

    assert row[0] == str(number + 1)
    assert CHATS[number](Chats(channel, [number])) == row[3]
    assert CHATS[number](Chats(channel, range(18))) == row[3]


def test_everybody_in_the_test_plan_is_in_its_pilot_and_all_that_it_asks_for_is_a_setting() -> None:
    people = set(re.findall(r"\(([A-Z])\)", PAGES["test-plan.md"].partition("| # |")[0]))
    settings, scopes = needed(range(18), "listener")

    assert {f"<{each}>" for each in people} == set(PILOT.split(",")) == {"<A>", "<B>", "<R>"}
    assert settings.keys() == {"COMMENTS", "LIST_TOKENS", "SENSITIVE", "FACTS"}
    assert settings.keys() <= set(NAMES)
    assert f"`FACTS={settings['FACTS']}`" in PAGES["test-plan.md"]
    assert COMMENT_SCOPE in scopes


def test_the_chats_are_as_many_as_the_page_says() -> None:
    assert len(PLAN) == len(CHATS) == 18
    assert PAGES["test-plan.md"].startswith("# Eighteen chats")
