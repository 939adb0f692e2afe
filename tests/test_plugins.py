"""docs/creator_studio/plugins.md has all parts that Moveworks requires of a plugin, and true pictures."""

from __future__ import annotations

import json
import os
import re
from typing import Any
from urllib.parse import quote_plus

import pytest
from pages import FOLDER, MAPPERS, PAGES, blocks, lists, section, tables

PLUGINS = re.findall(r"^### `(coupa_[a-z_]+)`", PAGES["plugins.md"], re.MULTILINE)
EXAMPLES = {name: lists(section("plugins.md", f"`{name}`")) for name in PLUGINS}
"""What should and what should not trigger each plugin."""


def test_every_process_is_a_plugin_and_every_action_is_the_body_of_one() -> None:
    processes = re.findall(r"^### `(coupa_[a-z_]+)`", PAGES["listener.md"], re.MULTILINE)
    actions = set(re.findall(r"^Name: `(coupa_[a-z_]+)`", PAGES["actions.md"], re.MULTILINE))
    bodies = {}
    for name in PLUGINS:
        rows = {row[0]: row[1] for row in tables(section("plugins.md", f"`{name}`"))[0]}
        assert rows["Title"]
        assert len(rows["Description"]) > 60
        process, action = re.findall("`(.+?)`", rows["Body"])
        assert process == name
        assert f"`{action}`" in section("listener.md", f"`{name}`")
        bodies[action] = name

    assert set(PLUGINS) == set(processes)
    assert actions - set(bodies) == {"coupa_decide"}
    assert "`coupa_decide` has no plugin" in PAGES["plugins.md"]


@pytest.mark.parametrize("name", PLUGINS)
def test_every_plugin_has_five_examples_and_is_told_from_the_others(name: str) -> None:
    """Moveworks asks for five; of two plugins that could both be meant, one has it as a negative example."""
    positive, negative = EXAMPLES[name]
    others = {example: other for other in PLUGINS if other != name for example in EXAMPLES[other][0]}

    assert len(set(positive)) == len(positive) >= 5
    assert len(set(negative)) == len(negative) >= 3
    assert others.keys().isdisjoint(positive)
    told = [re.fullmatch(r"(.+) \((?:`(\w+)`|another system)\)", each) for each in negative]
    for each in told:
        assert each
        assert each[1] not in positive
        assert others.get(each[1]) == each[2]
    assert any(each and each[2] for each in told)
    for example in positive:
        assert len(example.split()) >= 4
        assert not re.search(r"(?i)\b(?:ann|bob|sam|acme|test)\b", example)


def test_what_people_are_told_to_ask_triggers_the_list() -> None:
    [asked] = [rows for rows in tables(section("actions.md", "List")) if rows[0][0] == "English"]

    assert asked[0][1] in EXAMPLES["coupa_my_approvals"][0]
    assert "What did I decide in Coupa?" in EXAMPLES["coupa_my_decisions"][0]


def arguments(action: str) -> tuple[set[str], set[str]]:
    """Return the input arguments of an action, and those of them that are optional."""
    [line] = re.findall(rf"^Name: `{action}`\..*$", PAGES["actions.md"], re.MULTILINE)
    found = re.search(r"Input arguments?: (.+?)(?:\. |\.$)", line)
    needed, _, optional = (found[1] if found else "").partition("optional, ")
    names, spare = (set(re.findall("`([a-z_]+)`", part)) for part in (needed, optional))
    return names | spare, spare


def activities(name: str) -> list[list[str]]:
    """Return the blocks of a process: what each is, and what it does."""
    [found] = [rows for rows in tables(section("listener.md", f"`{name}`")) if len(rows[0]) == 2]
    return found


@pytest.mark.parametrize("name", PLUGINS)
def test_every_activity_requires_what_it_reads_and_every_process_ends_in_words(name: str) -> None:
    """A slot that no block requires stays empty; without a content activity the person reads nothing."""
    done = activities(name)

    keys = set()
    for kind, what in done:
        if kind == "Content activity":
            continue
        reads = set(re.findall(r"data\.(\w+)", what))
        required = re.search(r"required slots? ((?:`\w+`(?:, | and )?)+)", what)
        assert set(re.findall(r"`(\w+)`", required[1] if required else "")) == reads, what
        if kind == "Action activity":
            [action] = re.findall("^`(coupa_[a-z_]+)`", what)
            mapping = re.search("input mapping (.+?);", what)
            given = set(re.findall(r"`(\w+): ", mapping[1] if mapping else ""))
            wanted, optional = arguments(action)
            assert wanted - optional <= given <= wanted
            keys |= set(re.findall(r"output key `(\w+)`", what))
    last, shown = done[-1]
    assert last == "Content activity"
    assert {f"{{{{data.{key}." for key in keys} == set(re.findall(r"\{\{data\.\w+\.", shown))


def test_every_decision_policy_says_for_each_value_what_is_done_and_otherwise_calls_nothing() -> None:
    [policy] = [
        what for kind, what in activities("coupa_decide_several_requests") if kind == "Decision policy"
    ]
    otherwise = policy.partition("otherwise")[2]

    assert set(re.findall("'([a-z]+)'", policy)) == {"approve", "reject", "hold"}
    assert "content activity" in otherwise
    assert "nothing is called" in otherwise
    for name in PLUGINS:
        policies = [what for kind, what in activities(name) if kind == "Decision policy"]
        assert set(policies) <= {policy, "as above"}
    assert "Nothing is called then." in PAGES["listener.md"]


def test_every_call_of_the_path_has_what_it_reads_and_is_followed_by_words() -> None:
    headings = re.findall("^## (.*)$", PAGES["events.md"], re.MULTILINE)
    slots = {row[0].strip("`") for row in tables(section("events.md", "2. The slots"))[0]} | {"decision"}
    calls = 0
    for heading in headings:
        part = section("events.md", heading)
        if "<app>" not in part:
            continue
        calls += 1
        asked = set(re.findall("label `(.+?)`", part))
        read = set(re.findall(r"\{\{(\w+)\}\}", part))
        assert read - {"user"} <= slots | asked, heading
        assert "*Send a message*: the field `message`" in part.rpartition("```")[2], heading
    queries = tables(section("events.md", "Limits to know"))[0]

    assert calls == len([name for name in headings if "Branch" in name or "Or:" in name]) == 5
    assert all(words.startswith("the field `message`") for _, _, words in queries)
    reach = tables(section("README.md", "What approvers can reach, and what you build for it"))[0]
    assert [row[1] for row in reach if row[2] == "a query"] == [row[1] for row in queries]


SHOWN = "https://marketplace.moveworks.com/purple-chat?conversation="
"""What shows a conversation.

Source: https://github.com/moveworks/developer-docs, CONTRIBUTING.md and the links of its plugins, 2026-08
"""


def picture(name: str) -> str:
    """Return the chat that is drawn for a plugin."""
    [drawing] = re.findall(r"^```\n(.*?)\n```$", section("plugins.md", f"`{name}`"), re.DOTALL | re.MULTILINE)
    return str(drawing)


def linked(drawing: str) -> str:
    """Return the address at which Moveworks' Purple Chat shows a chat that is drawn in text.

    Each line is `who | text`; who is left out where the one before goes on, and `[A] [B]` are buttons.
    """
    messages: list[dict[str, Any]] = []
    for line in drawing.splitlines():
        who, _, text = (part.strip() for part in line.partition("|"))
        if who:
            messages.append({"role": {"You": "user", "Assistant": "assistant"}[who], "parts": []})
        parts = messages[-1]["parts"]
        labels = re.findall(r"\[(.+?)\]", text)
        if labels:
            styles = ["filled", *["outlined"] * (len(labels) - 1)]
            pairs = zip(styles, labels, strict=True)
            parts.append({"buttons": [{"style": style, "buttonText": label} for style, label in pairs]})
        elif parts:
            parts[-1]["richText"] = f"{parts[-1]['richText'].removesuffix('</p>')}<br>{text}</p>"
        else:
            parts.append({"richText": f"<p>{text}</p>"})
    return SHOWN + quote_plus(json.dumps({"messages": messages}, ensure_ascii=False, separators=(",", ":")))


def test_every_picture_is_shown_by_purple_chat_as_it_is_drawn() -> None:
    """`REWRITE_SNAPSHOTS=1` writes the links from the drawings."""
    text, _, _ = PAGES["plugins.md"].partition("\n[chat-")
    links = "".join(f"[chat-{name}]: {linked(picture(name))}\n" for name in PLUGINS)
    if os.environ.get("REWRITE_SNAPSHOTS"):
        (FOLDER / "plugins.md").write_text(f"{text}\n{links}", "utf-8")

    assert (FOLDER / "plugins.md").read_text("utf-8") == f"{text}\n{links}"
    assert all(f"[chat-{name}]" in section("plugins.md", f"`{name}`") for name in PLUGINS)
    assert all(f"](plugins.md#{name})" in section("listener.md", f"`{name}`") for name in PLUGINS)


@pytest.mark.parametrize("name", PLUGINS)
def test_every_picture_ends_with_what_the_bridge_answers(name: str) -> None:
    told = [row[2] for row in tables(section("answers.md", "What became of a click"))[0]]
    fields = re.findall(r'"(?:message|text)": "(?:<b>)?([^"<]+)', PAGES["answers.md"])
    plan = re.findall(r'"(.+?)"', PAGES["test-plan.md"])

    last = re.split(r"^(?: *(?:You|Assistant)) \| ", picture(name), flags=re.MULTILINE)[-1].splitlines()[0]

    assert any(last.startswith(each) for each in (*told, *fields, *plan)), last


def test_a_choice_has_what_the_actions_take() -> None:
    [listed] = [json.loads(each) for each in blocks("answers.md", "json") if '"approvals"' in each]
    [item] = listed["approvals"]
    taken = set(re.findall(r"data\.chosen_one\.(\w+)", PAGES["listener.md"]))
    each = MAPPERS["Decide several"]["items"]["MAP()"]["converter"]

    assert taken == {"approval_id"}
    assert {*taken, *(path.removeprefix("item.") for path in each.values())} <= set(item)
    assert "| Output mapping | `.approvals` |" in section(
        "listener.md", "The data type and its resolver strategy"
    )


@pytest.mark.parametrize(
    ("page", "heading"),
    [("events.md", "1. The event"), ("listener.md", "5. The plugin that the listener triggers")],
)
def test_both_launch_lines_warn_of_what_is_lost_without_a_pilot(page: str, heading: str) -> None:
    part = section(page, heading)

    assert "**Do not launch to yourself and widen later unless [`PILOT`](../cadence.md#a-pilot) names" in part
    assert "widen both together" in part
    assert "told again" in part
