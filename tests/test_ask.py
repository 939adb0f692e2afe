"""A question before a decision: the comment in Coupa, the people who may ask, and the messages."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from bridge import JAMIE, ROBIN, SAM, World
from unruly import away, before, without_intents

from coupa_core.audit_log import EventKind
from coupa_core.decide import MAX_COMMENT
from coupa_core.decide.rows import ASKED
from coupa_core.documents import COMMENT_SCOPE
from coupa_core.endpoints import Reply
from coupa_core.ledger import Note
from sandbox.moveworks import Delivered

NAME = "Purchase request 5001, “Laptops”, USD 1,800.00"
DONE = f"Asked: your comment is in Coupa and mentions the requester: {NAME}."


def world_of(**more: Any) -> World:
    """Return a world in which asking is on."""
    return World(settings={"COMMENTS": "on", **more.pop("settings", {})}, **more)


def offered(*approvers: Any, **details: Any) -> tuple[World, Delivered]:
    """Return a world in which Jamie was told of one request, and may ask about it."""
    world = world_of()
    return world, world.offer(*approvers, **details)


def comments(world: World) -> list[Any]:
    documents = world.coupa.world.documents["RequisitionHeader"].rows.values()
    return [comment for document in documents for comment in document.comments]


def test_a_question_becomes_one_comment_that_mentions_the_requester_and_names_who_asks() -> None:
    world, card = offered()

    reply = world.ask(card)

    assert reply.body == {
        "outcome": "commented",
        "message": DONE,
        "approval_id": card.slots["approval_id"],
    }
    [comment] = comments(world)
    sam = world.person(SAM)
    assert comment.comments == f"@[User:{sam}] Jamie Doe <{JAMIE}> via Moveworks: Why?"
    assert comment.created_by.id == world.coupa.api_user
    assert world.puts() == 0
    assert world.click(card, JAMIE).body["outcome"] == "approved"


def test_it_is_off_unless_switched_on_and_then_no_scope_is_asked_for() -> None:
    world = World()
    card = world.offer()
    calls = len(world.coupa.front.calls)

    reply = world.ask(card)

    assert (reply.status, reply.body["error"]) == (403, "comments_off")
    assert len(world.coupa.front.calls) == calls
    assert not any(b"comment" in call.body for call in world.coupa.front.calls)


def test_whoever_acts_for_somebody_says_so() -> None:
    world = world_of()
    group = world.group(JAMIE)
    card = world.offer(group)

    world.ask(card)

    assert f'<{JAMIE}> via Moveworks as member of "Buyers": Why?' in comments(world)[0].comments


def test_turn_amount_and_changed_content_do_not_matter_for_a_question() -> None:
    world = world_of(settings={"ACTION_TOKEN": "optional", "STEP_UP_OVER": '{"USD": 1}'})
    number = world.requisition(JAMIE, ROBIN)
    [card] = world.announced()
    world.coupa.world.edit_line(number, 0, unit_price="1.00")
    later = world.coupa.world.approvals_of(number)[1].id

    assert world.ask(card).body["outcome"] == "commented"
    assert world.ask({"approval_id": str(later)}, ROBIN).body["outcome"] == "commented"


@pytest.mark.parametrize("allowed", ["on", "off"])
def test_whoever_asked_for_the_purchase_has_nobody_to_ask(allowed: str) -> None:
    world = world_of(settings={"ALLOW_SELF_APPROVAL": allowed})
    card = world.offer(requester=JAMIE)

    reply = world.ask(card)

    assert reply.body["outcome"] == "not_your_approval"
    assert reply.body["message"].startswith("You asked for this yourself")
    assert comments(world) == []


def test_whoever_entered_a_request_for_somebody_else_may_ask_that_person() -> None:
    world = world_of()
    card = world.offer(requester=SAM, created_by=world.person(JAMIE))

    assert world.ask(card).body["outcome"] == "commented"
    [comment] = comments(world)
    assert comment.comments.startswith(f"@[User:{world.person(SAM)}] Jamie Doe <{JAMIE}> via Moveworks: Why")


def test_whoever_entered_a_request_without_a_requester_who_can_be_mentioned_has_nobody_to_ask() -> None:
    world = world_of(settings={"ALLOW_SELF_APPROVAL": "on"})
    document = world.requisition(JAMIE, created_by=world.person(JAMIE))
    world.coupa.world.delete_field("requisition", document, "requested-by")
    [card] = world.announced()

    reply = world.ask(card)

    assert (reply.status, reply.body["outcome"]) == (200, "not_askable")
    assert reply.body["message"].startswith("Coupa names nobody whom this could be asked")
    assert comments(world) == []


def test_a_request_that_was_decided_is_said_to_be_and_not_commented_on() -> None:
    world, card = offered()
    world.click(card, JAMIE)

    reply = world.ask(card)

    assert reply.body["outcome"] == "already_decided"
    assert reply.body["message"].startswith("Nothing was changed. Approved by Jamie Doe")
    assert world.ask({**card.slots, "action_token": "x"}).body["error"] == "token_refused"
    assert len(comments(world)) == 1  # the reason of the decision


def test_where_coupa_names_no_requester_nobody_is_asked() -> None:
    world = world_of(settings={"DOCUMENT_TYPES": "*"})
    number = world.requisition(JAMIE)
    world.coupa.world.add_document(approvable_type="InvoiceHeader", approvers=[world.person(JAMIE)])
    cards = world.announced()
    for field in ("requested-by", "created-by"):
        world.coupa.world.delete_field("requisition", number, field)

    for card in cards:
        reply = world.ask(card)
        assert (reply.status, reply.body["outcome"]) == (200, "not_askable")
        assert reply.body["message"].startswith("Coupa names nobody whom this could be asked")
        assert reply.body["link"].startswith("https://acme.coupahost.com/")
    assert comments(world) == []


def test_without_a_requester_whoever_entered_the_request_is_asked() -> None:
    world, card = offered(created_by=None)
    [document] = world.coupa.world.documents["RequisitionHeader"].rows
    world.coupa.world.delete_field("requisition", document, "requested-by")

    assert world.ask(card).body["outcome"] == "commented"


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("a\r\n\tb\u2028c\x00d", "a b c d"),
        ("@[User:1] and @[UserGroup:2]", "@ [User:1] and @ [UserGroup:2]"),
        ("<b>bold</b> & 100 %", "<b>bold</b> & 100 %"),
        ("né 💳", "né 💳"),
        ("x" * MAX_COMMENT, "x" * MAX_COMMENT),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
    ],
)
def test_the_words_are_one_line_that_mentions_nobody_else(words: str, written: str) -> None:
    world, card = offered()

    assert world.ask(card, comment=words).body["outcome"] == "commented"
    assert comments(world)[0].comments.partition("via Moveworks: ")[2] == written


def test_a_comment_that_would_not_arrive_whole_is_refused_with_the_number_of_characters_that_fit() -> None:
    world, card = offered()

    said = world.ask(card, comment="x" * (MAX_COMMENT + 1)).body

    assert said["outcome"] == "reason_too_long"
    assert f"This is {MAX_COMMENT + 1:,} characters long and {MAX_COMMENT:,} fit" in said["message"]
    assert comments(world) == []


@pytest.mark.parametrize("comment", ["\u200b", "\u200c\u200d", "\u3164", "\n"])
def test_a_comment_of_which_nothing_can_be_seen_is_none(comment: str) -> None:
    world, card = offered()

    reply = world.ask(card, comment=comment)

    assert (reply.status, reply.body["error"]) == (400, "no_comment")
    assert comments(world) == []


def test_a_comment_that_a_rule_of_coupas_refuses_is_answered_with_its_words_and_the_link() -> None:
    world, card = offered()
    body = "<errors><error>Comments are closed</error></errors>"
    world.coupa.front.fail("answer", method="POST", path="/comments$", status=422, body=body)

    reply = world.ask(card)

    assert (reply.status, reply.body["outcome"]) == (200, "refused_by_coupa")
    said = "Coupa does not accept this, so nothing was changed: Comments are closed"
    assert reply.body["message"] == f"{NAME}: {said}"
    assert reply.body["link"].startswith("https://acme.coupahost.com/requisition_headers/")
    assert (events(world)[-1]["outcome"], events(world)[-1]["cause"]) == ("refused_by_coupa", "coupa_422")


def test_somebody_elses_comment_in_our_words_is_no_question_of_ours() -> None:
    world, card = offered()
    sam = world.person(SAM)
    [number] = world.coupa.world.documents["RequisitionHeader"].rows
    text = f"@[User:{sam}] Jamie Doe <{JAMIE}> via Moveworks: Why?"
    world.coupa.world.add_comment("requisition", number, by=sam, text=text)

    assert world.ask(card).body["outcome"] == "commented"
    assert len(comments(world)) == 2


def test_no_name_can_mention_somebody_or_pass_for_somebody_else() -> None:
    world = world_of()
    jamie = world.person(JAMIE, firstname=f"@[User:7] Eve <{ROBIN}> via Moveworks")
    card = world.offer(jamie)

    world.ask(card)

    text = comments(world)[0].comments
    assert text.startswith(f"@[User:{world.person(SAM)}] @ [User 7] Eve {ROBIN}")
    assert text.count("via Moveworks") == 1


@pytest.mark.parametrize("comment", ["", " \n "])
def test_an_empty_question_is_the_callers_mistake(comment: str) -> None:
    world, card = offered()

    assert world.ask(card, comment=comment).body["error"] == "no_comment"


def posts(world: World) -> int:
    return world.coupa.front.count("POST", "/comments$")


@pytest.mark.parametrize(
    ("kind", "details"),
    [
        ("lose", {}),
        ("cut", {}),
        ("answer", {"status": 500}),
        ("answer", {"status": 200, "body": "<html>"}),
        ("answer", {"status": 200, "body": "[]"}),
    ],
)
def test_a_comment_of_which_nothing_is_known_is_said_as_such_and_not_sent_again(
    kind: Any, details: dict[str, Any]
) -> None:
    world, card = offered()
    world.coupa.front.fail(kind, method="POST", path="/comments$", **details)

    reply = world.ask(card)

    assert (reply.status, reply.body["outcome"]) == (200, "unconfirmed")
    assert reply.body["message"].startswith("Coupa has not confirmed your comment yet")
    assert posts(world) == 1


def test_the_same_question_again_is_there_once_and_after_an_hour_twice() -> None:
    world, card = offered()
    world.coupa.front.fail("lose", method="POST", path="/comments$")
    world.ask(card)

    assert world.ask(card).body["outcome"] == "commented"
    assert (posts(world), len(comments(world))) == (1, 1)
    assert world.ask(card, comment="And why now?").body["outcome"] == "commented"
    world.clock.advance(3601)
    assert world.ask(card).body["outcome"] == "commented"
    assert len(comments(world)) == 3


def test_the_same_request_is_one_comment_for_a_day_and_another_one_is_another_question() -> None:
    world, card = offered()

    def ask(key: str, comment: str = "Why?") -> str:
        return str(world.ask(card, key=key, comment=comment).body["outcome"])

    said = [ask("click-1")]
    world.clock.advance(2 * 3600)
    said.append(ask("click-1"))
    assert (said, len(comments(world))) == (["commented"] * 2, 1)
    assert [ask("click-1", "And why now?"), ask("click-2")] == ["commented"] * 2
    assert len(comments(world)) == 3
    assert world.ask(card, key="k" * 201).body["error"] == "bad_key"


def test_two_who_ask_the_same_at_the_same_moment_write_one_comment() -> None:
    world, card = offered()
    replies: list[Reply] = []
    undo: list[Callable[[], None]] = []

    def meanwhile(name: str, _: Note) -> None:
        if name == ASKED and undo:
            undo.pop()()
            replies.append(world.ask(card))

    undo.append(before(world.store, "save_note", meanwhile))
    replies.append(world.ask(card))

    assert [each.body["outcome"] for each in replies] == ["commented", "unconfirmed"]
    assert len(comments(world)) == 1
    assert world.ask(card).body["outcome"] == "commented"
    assert len(comments(world)) == 1


@pytest.mark.parametrize("key", ["", "click-1"])
def test_what_was_surely_not_written_can_be_asked_again_at_once(key: str) -> None:
    world, card = offered()
    for status in (403, 429, 422):
        body = '{"errors": {"base": ["Closed"]}}' if status == 422 else "{}"
        world.coupa.front.fail("answer", method="POST", path="/comments$", status=status, body=body)
        world.ask(card, key=key)

    assert world.ask(card, key=key).body["outcome"] == "commented"
    assert len(comments(world)) == 1


def test_others_who_are_quicker_keep_no_question_from_being_asked() -> None:
    world, card = offered()
    writes, races = world.store.save_note, [True] * 5

    def raced(name: str, note: Note) -> None:
        if name == ASKED and races:
            races.pop()
            writes(name, Note("other:9999999999:n", note.etag))

    before(world.store, "save_note", raced)

    assert world.ask(card).body["outcome"] == "commented"
    assert (races, len(comments(world))) == ([], 1)


def test_without_the_ledger_a_question_is_asked_all_the_same() -> None:
    world, card = offered()

    away(world.store, "note")

    assert world.ask(card).body["outcome"] == "commented"
    assert len(comments(world)) == 1


@pytest.mark.parametrize(("status", "answered"), [(403, 502), (404, 502), (429, 503)])
def test_a_comment_that_coupa_refuses_is_a_failure(status: int, answered: int) -> None:
    world, card = offered()
    world.coupa.front.fail("answer", method="POST", path="/comments$", status=status, body="{}")

    reply = world.ask(card)

    assert (reply.status, reply.body["error"]) == (answered, f"coupa_{status}")
    assert posts(world) == 1


def test_the_operator_is_told_which_scope_is_missing(caplog: pytest.LogCaptureFixture) -> None:
    world, card = offered()
    world.coupa.front.fail("answer", method="POST", path="/comments$", status=403, body="{}")

    world.ask(card)

    assert COMMENT_SCOPE in caplog.text


@pytest.mark.parametrize("path", ["approvals", "requisitions"])
def test_what_coupa_does_not_show_is_not_commented_on(path: str) -> None:
    world, card = offered()
    world.coupa.front.fail("answer", method="GET", path=path, status=400)

    assert world.ask(card).status == 502
    assert posts(world) == 0


@pytest.mark.parametrize("seconds", [3.0, 6.5, 9.0, 30.0])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_answer_comes_within_ten_seconds_however_slow_coupa_is(method: str, seconds: float) -> None:
    world, card = offered()
    path = "/api/" if method == "GET" else "/comments$"
    world.coupa.front.fail("slow", method=method, path=path, times=None, seconds=seconds)
    began_s = world.clock.monotonic()

    reply = world.ask(card)

    assert world.clock.monotonic() - began_s <= 10
    assert reply.body.get("outcome") in {None, "commented", "unconfirmed"}
    assert (reply.body.get("outcome") == "commented") <= (len(comments(world)) == 1)


def events(world: World) -> list[dict[str, Any]]:
    days = sorted(day for day, _ in world.audit_store.heads())
    said = [row.values()["event"] for day in days for row in world.audit_store.rows(day)]
    return [each for each in said if each["kind"] != EventKind.NOTICE]


def test_the_record_says_who_asked_before_it_is_sent_and_what_became_of_it_and_not_what() -> None:
    world, card = offered()
    world.ask(card, comment="secret words")
    world.ask(card, comment="secret words")
    world.ask(card, ROBIN)

    said = events(world)

    assert [(each["kind"], each.get("outcome"), each.get("cause")) for each in said] == [
        ("intent", None, None),
        ("decision", "commented", None),
        ("decision", "commented", "written_before"),
        ("refusal", "not_your_approval", None),
    ]
    assert {(each["verb"], each["known_by"]) for each in said} == {("comment", "key+token")}
    assert [each["actor"] for each in said] == [JAMIE, JAMIE, JAMIE, ROBIN]
    assert "secret words" not in json.dumps(said)


@pytest.mark.parametrize(
    ("fault", "outcome", "cause"),
    [
        ({"kind": "lose"}, "unconfirmed", "coupa_lost"),
        ({"kind": "answer", "status": 404, "body": "{}"}, "failed", "coupa_404"),
    ],
)
def test_the_record_says_of_a_comment_that_did_not_come_clean_what_it_was(
    fault: dict[str, Any], outcome: str, cause: str
) -> None:
    world, card = offered()
    world.coupa.front.fail(**fault, method="POST", path="/comments$")

    world.ask(card)

    last = events(world)[-1]
    assert (last["kind"], last["outcome"], last["cause"]) == ("decision", outcome, cause)


def test_what_cannot_be_recorded_before_is_not_written() -> None:
    world = world_of(audit_store=without_intents())
    card = world.offer()

    assert (world.ask(card).body["error"], posts(world)) == ("audit_503", 0)


def test_the_log_says_what_became_of_a_question_and_neither_who_nor_what(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world, card = offered()

    with caplog.at_level(logging.INFO, "coupa_core"):
        world.ask(card)

    assert f"comment approval_id={card.slots['approval_id']} outcome=commented" in caplog.text
    assert JAMIE not in caplog.text
    assert "Why?" not in caplog.text


def test_a_question_may_come_in_the_query_and_two_that_differ_are_refused() -> None:
    world, card = offered()
    parts: dict[str, Any] = {
        "headers": {"X-Actor-Email": JAMIE, "X-Action-Token": card.slots["action_token"]},
        "route": {"approval_id": card.slots["approval_id"]},
        "query": {"comment": 'Why "ten"?'},
    }

    assert world.call("comment", **parts, json={"comment": "Why?"}).body["error"] == "ambiguous"
    assert world.call("comment", **parts).body["outcome"] == "commented"
    assert comments(world)[0].comments.endswith('via Moveworks: Why "ten"?')
