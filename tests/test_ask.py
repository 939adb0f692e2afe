"""A question before deciding: what is written in Coupa, who may ask, and what the person is told."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from bridge import World

from coupa_core.audit_log import EventKind, Head, MemoryAuditStore
from coupa_core.decide import MAX_COMMENT
from coupa_core.decide.rows import ASKED
from coupa_core.documents import COMMENT_SCOPE
from coupa_core.endpoints import Reply
from coupa_core.errors import Unavailable
from coupa_core.ledger import Note
from sandbox.coupa.world import Group
from sandbox.moveworks import Delivered

JAMIE, ROBIN, SAM = "jamie@example.com", "robin@example.com", "sam@example.com"
NAME = "Purchase request 5001, “Laptops”, USD 1,800.00"
DONE = f"Asked: your comment is in Coupa and mentions the requester: {NAME}."


def world_of(**more: Any) -> World:
    """Return a world in which asking is on."""
    world = World(settings={"COMMENTS": "on", **more.pop("settings", {})}, **more)
    world.coupa.desk.granted_scopes |= {COMMENT_SCOPE}
    return world


def offered(*approvers: Any, **details: Any) -> tuple[World, Delivered]:
    """Return a world in which Jamie was told of one request, and may ask about it."""
    world = world_of()
    world.requisition(*(approvers or (JAMIE,)), **details)
    [card] = world.announced()
    return world, card


def asked(
    world: World, card: Any, actor: str = JAMIE, comment: str = "Why ten of them?", key: str = ""
) -> Reply:
    """Ask."""
    slots = card if isinstance(card, dict) else card.slots
    headers = {"X-Actor-Email": actor} | ({"Idempotency-Key": key} if key else {})
    if "action_token" in slots:
        headers["X-Action-Token"] = slots["action_token"]
    route = {"approval_id": slots["approval_id"]}
    return world.call("comment", headers=headers, route=route, json={"comment": comment})


def comments(world: World) -> list[Any]:
    """Return the comments on all requisitions."""
    documents = world.coupa.world.documents["RequisitionHeader"].rows.values()
    return [comment for document in documents for comment in document.comments]


def test_a_question_becomes_one_comment_that_mentions_the_requester_and_names_who_asks() -> None:
    world, card = offered()

    reply = asked(world, card)

    assert reply.body == {
        "outcome": "commented",
        "message": DONE,
        "approval_id": card.slots["approval_id"],
    }
    [comment] = comments(world)
    sam = world.person(SAM)
    assert comment.comments == f"@[User:{sam}] Jamie Doe <{JAMIE}> via Moveworks: Why ten of them?"
    assert comment.created_by.id == world.coupa.api_user
    assert world.puts() == 0
    assert world.click(card, JAMIE).body["outcome"] == "approved"


def test_it_is_off_unless_switched_on_and_then_no_scope_is_asked_for() -> None:
    world = World()
    world.requisition(JAMIE)
    [card] = world.announced()
    before = len(world.coupa.front.calls)

    reply = asked(world, card)

    assert (reply.status, reply.body["error"]) == (403, "comments_off")
    assert len(world.coupa.front.calls) == before
    assert not any(b"comment" in call.body for call in world.coupa.front.calls)


def test_whoever_acts_for_somebody_says_so() -> None:
    world = world_of()
    group = world.coupa.world.add_group(name="Buyers", members=[world.person(JAMIE)])
    world.requisition(Group(group))
    [card] = world.announced()

    asked(world, card)

    assert f'<{JAMIE}> via Moveworks as member of "Buyers": Why' in comments(world)[0].comments


def test_turn_amount_and_changed_content_do_not_matter_for_a_question() -> None:
    world = world_of(settings={"ACTION_TOKEN": "optional", "STEP_UP_OVER": "USD:1"})
    number = world.requisition(JAMIE, ROBIN)
    [card] = world.announced()
    world.coupa.world.edit_line(number, 0, unit_price="1.00")
    later = world.coupa.world.approvals_of(number)[1].id

    assert asked(world, card).body["outcome"] == "commented"
    assert asked(world, {"approval_id": str(later)}, ROBIN).body["outcome"] == "commented"


@pytest.mark.parametrize("actor", [ROBIN, SAM, "mallory@example.com"])
def test_nobody_but_the_approver_asks(actor: str) -> None:
    world, card = offered()
    world.person(ROBIN)

    assert asked(world, card, actor).body["outcome"] == "not_your_approval"
    assert comments(world) == []


@pytest.mark.parametrize("allowed", ["on", "off"])
def test_whoever_asked_for_the_purchase_has_nobody_to_ask(allowed: str) -> None:
    world = world_of(settings={"ALLOW_SELF_APPROVAL": allowed})
    world.requisition(JAMIE, requester=JAMIE)
    [card] = world.announced()

    reply = asked(world, card)

    assert reply.body["outcome"] == "not_your_approval"
    assert reply.body["message"].startswith("You asked for this yourself")
    assert comments(world) == []


def test_whoever_entered_a_request_for_somebody_else_may_ask_that_person() -> None:
    world = world_of()
    world.requisition(JAMIE, requester=SAM, created_by=world.person(JAMIE))
    [card] = world.announced()

    assert asked(world, card).body["outcome"] == "commented"
    [comment] = comments(world)
    assert comment.comments.startswith(f"@[User:{world.person(SAM)}] Jamie Doe <{JAMIE}> via Moveworks: Why")


def test_whoever_entered_a_request_without_a_requester_who_can_be_mentioned_has_nobody_to_ask() -> None:
    world = world_of(settings={"ALLOW_SELF_APPROVAL": "on"})
    document = world.requisition(JAMIE, created_by=world.person(JAMIE))
    world.coupa.world.delete_field("requisition", document, "requested-by")
    [card] = world.announced()

    reply = asked(world, card)

    assert (reply.status, reply.body["outcome"]) == (200, "not_askable")
    assert reply.body["message"].startswith("Coupa names nobody whom this could be asked")
    assert comments(world) == []


def test_a_request_that_was_decided_is_said_to_be_and_not_commented_on() -> None:
    world, card = offered()
    world.click(card, JAMIE)

    reply = asked(world, card)

    assert reply.body["outcome"] == "already_decided"
    assert reply.body["message"].startswith("Nothing was changed. Approved by Jamie Doe")
    assert asked(world, {**card.slots, "action_token": "x"}).body["error"] == "token_refused"
    assert len(comments(world)) == 1  # the reason of the decision


def test_an_old_button_asks_nothing() -> None:
    world, card = offered()
    world.clock.advance(30 * 86_400)

    assert asked(world, card).body["outcome"] == "expired"


def test_where_coupa_names_no_requester_nobody_is_asked() -> None:
    world = world_of(settings={"DOCUMENT_TYPES": "*"})
    number = world.requisition(JAMIE)
    world.coupa.world.add_document(approvable_type="InvoiceHeader", approvers=[world.person(JAMIE)])
    cards = world.announced()
    for field in ("requested-by", "created-by"):
        world.coupa.world.delete_field("requisition", number, field)

    for card in cards:
        reply = asked(world, card)
        assert (reply.status, reply.body["outcome"]) == (200, "not_askable")
        assert reply.body["message"].startswith("Coupa names nobody whom this could be asked")
        assert reply.body["link"].startswith("https://acme.coupahost.com/")
    assert comments(world) == []


def test_without_a_requester_whoever_entered_the_request_is_asked() -> None:
    world, card = offered(created_by=None)
    [document] = world.coupa.world.documents["RequisitionHeader"].rows
    world.coupa.world.delete_field("requisition", document, "requested-by")

    assert asked(world, card).body["outcome"] == "commented"


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

    assert asked(world, card, comment=words).body["outcome"] == "commented"
    assert comments(world)[0].comments.partition("via Moveworks: ")[2] == written


def test_a_comment_that_would_not_arrive_whole_is_refused_with_the_number_of_characters_that_fit() -> None:
    world, card = offered()

    said = asked(world, card, comment="x" * (MAX_COMMENT + 1)).body

    assert said["outcome"] == "reason_too_long"
    assert f"This is {MAX_COMMENT + 1:,} characters long and {MAX_COMMENT:,} fit" in said["message"]
    assert comments(world) == []


@pytest.mark.parametrize("comment", ["\u200b", "\u200c\u200d", "\u3164", "\n"])
def test_a_comment_of_which_nothing_can_be_seen_is_none(comment: str) -> None:
    world, card = offered()

    reply = asked(world, card, comment=comment)

    assert (reply.status, reply.body["error"]) == (400, "no_comment")
    assert comments(world) == []


def test_a_comment_that_a_rule_of_coupas_refuses_is_answered_with_its_words_and_the_link() -> None:
    world, card = offered()
    body = "<errors><error>Comments are closed</error></errors>"
    world.coupa.front.fail("answer", method="POST", path="/comments$", status=422, body=body)

    reply = asked(world, card)

    assert (reply.status, reply.body["outcome"]) == (200, "refused_by_coupa")
    said = "Coupa does not accept this, so nothing was changed: Comments are closed"
    assert reply.body["message"] == f"{NAME}: {said}"
    assert reply.body["link"].startswith("https://acme.coupahost.com/requisition_headers/")
    assert (events(world)[-1]["outcome"], events(world)[-1]["cause"]) == ("refused_by_coupa", "coupa_422")


def test_somebody_elses_comment_in_our_words_is_no_question_of_ours() -> None:
    world, card = offered()
    sam = world.person(SAM)
    [number] = world.coupa.world.documents["RequisitionHeader"].rows
    text = f"@[User:{sam}] Jamie Doe <{JAMIE}> via Moveworks: Why ten of them?"
    world.coupa.world.add_comment("requisition", number, by=sam, text=text)

    assert asked(world, card).body["outcome"] == "commented"
    assert len(comments(world)) == 2


def test_no_name_can_mention_somebody_or_pass_for_somebody_else() -> None:
    world = world_of()
    jamie = world.person(JAMIE, firstname=f"@[User:7] Eve <{ROBIN}> via Moveworks")
    world.requisition(jamie)
    [card] = world.announced()

    asked(world, card)

    text = comments(world)[0].comments
    assert text.startswith(f"@[User:{world.person(SAM)}] @ [User 7] Eve {ROBIN}")
    assert text.count("via Moveworks") == 1


@pytest.mark.parametrize("comment", ["", " \n "])
def test_an_empty_question_is_the_callers_mistake(comment: str) -> None:
    world, card = offered()

    assert asked(world, card, comment=comment).body["error"] == "no_comment"


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

    reply = asked(world, card)

    assert (reply.status, reply.body["outcome"]) == (200, "unconfirmed")
    assert reply.body["message"].startswith("Coupa has not confirmed your comment yet")
    assert posts(world) == 1


def test_the_same_question_again_is_there_once_and_after_an_hour_twice() -> None:
    world, card = offered()
    world.coupa.front.fail("lose", method="POST", path="/comments$")
    asked(world, card)

    assert asked(world, card).body["outcome"] == "commented"
    assert (posts(world), len(comments(world))) == (1, 1)
    assert asked(world, card, comment="And why now?").body["outcome"] == "commented"
    world.clock.advance(3601)
    assert asked(world, card).body["outcome"] == "commented"
    assert len(comments(world)) == 3


def test_the_same_request_is_one_comment_for_a_day_and_another_one_is_another_question() -> None:
    world, card = offered()

    def ask(key: str, comment: str = "Why ten of them?") -> str:
        return str(asked(world, card, key=key, comment=comment).body["outcome"])

    said = [ask("click-1")]
    world.clock.advance(2 * 3600)
    said.append(ask("click-1"))
    assert (said, len(comments(world))) == (["commented"] * 2, 1)
    assert [ask("click-1", "And why now?"), ask("click-2")] == ["commented"] * 2
    assert len(comments(world)) == 3
    assert asked(world, card, key="k" * 201).body["error"] == "bad_key"


def test_two_who_ask_the_same_at_the_same_moment_write_one_comment() -> None:
    world, card = offered()
    replies: list[Reply] = []
    writes, waiting = world.store.save_note, [True]

    def meanwhile(name: str, note: Note) -> str:
        if name == ASKED and waiting:
            waiting.clear()
            replies.append(asked(world, card))
        return writes(name, note)

    world.store.save_note = meanwhile  # type: ignore[method-assign]
    replies.append(asked(world, card))

    assert [each.body["outcome"] for each in replies] == ["commented", "unconfirmed"]
    assert len(comments(world)) == 1
    assert asked(world, card).body["outcome"] == "commented"
    assert len(comments(world)) == 1


@pytest.mark.parametrize("key", ["", "click-1"])
def test_what_was_surely_not_written_can_be_asked_again_at_once(key: str) -> None:
    world, card = offered()
    for status in (403, 429, 422):
        body = '{"errors": {"base": ["Closed"]}}' if status == 422 else "{}"
        world.coupa.front.fail("answer", method="POST", path="/comments$", status=status, body=body)
        asked(world, card, key=key)

    assert asked(world, card, key=key).body["outcome"] == "commented"
    assert len(comments(world)) == 1


def test_others_who_are_quicker_keep_no_question_from_being_asked() -> None:
    world, card = offered()
    writes, races = world.store.save_note, [True] * 5

    def raced(name: str, note: Note) -> str:
        if name == ASKED and races:
            races.pop()
            writes(name, Note("other:9999999999:n", note.etag))
        return writes(name, note)

    world.store.save_note = raced  # type: ignore[method-assign]

    assert asked(world, card).body["outcome"] == "commented"
    assert (races, len(comments(world))) == ([], 1)


def test_without_the_ledger_a_question_is_asked_all_the_same() -> None:
    world, card = offered()

    def away(name: str) -> Note:
        raise Unavailable("ledger_503", "away")

    world.store.note = away  # type: ignore[method-assign]

    assert asked(world, card).body["outcome"] == "commented"
    assert len(comments(world)) == 1


@pytest.mark.parametrize(("status", "answered"), [(403, 502), (404, 502), (429, 503)])
def test_a_comment_that_coupa_refuses_is_a_failure(status: int, answered: int) -> None:
    world, card = offered()
    world.coupa.front.fail("answer", method="POST", path="/comments$", status=status, body="{}")

    reply = asked(world, card)

    assert (reply.status, reply.body["error"]) == (answered, f"coupa_{status}")
    assert posts(world) == 1


def test_the_operator_is_told_which_scope_is_missing(caplog: pytest.LogCaptureFixture) -> None:
    world, card = offered()
    world.coupa.front.fail("answer", method="POST", path="/comments$", status=403, body="{}")

    asked(world, card)

    assert COMMENT_SCOPE in caplog.text


@pytest.mark.parametrize("path", ["approvals", "requisitions"])
def test_what_coupa_does_not_show_is_not_commented_on(path: str) -> None:
    world, card = offered()
    world.coupa.front.fail("answer", method="GET", path=path, status=400)

    assert asked(world, card).status == 502
    assert posts(world) == 0


@pytest.mark.parametrize("seconds", [3.0, 6.5, 9.0, 30.0])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_answer_comes_within_ten_seconds_however_slow_coupa_is(method: str, seconds: float) -> None:
    world, card = offered()
    path = "/api/" if method == "GET" else "/comments$"
    world.coupa.front.fail("slow", method=method, path=path, times=None, seconds=seconds)
    began_s = world.clock.monotonic()

    reply = asked(world, card)

    assert world.clock.monotonic() - began_s <= 10
    assert reply.body.get("outcome") in {None, "commented", "unconfirmed"}
    assert (reply.body.get("outcome") == "commented") <= (len(comments(world)) == 1)


def events(world: World) -> list[dict[str, Any]]:
    days = sorted(day for day, _ in world.audit_store.heads())
    said = [row.values()["event"] for day in days for row in world.audit_store.rows(day)]
    return [each for each in said if each["kind"] != EventKind.NOTICE]


def test_the_record_says_who_asked_before_it_is_sent_and_what_became_of_it_and_not_what() -> None:
    world, card = offered()
    asked(world, card, comment="secret words")
    asked(world, card, comment="secret words")
    asked(world, card, ROBIN)

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

    asked(world, card)

    last = events(world)[-1]
    assert (last["kind"], last["outcome"], last["cause"]) == ("decision", outcome, cause)


def test_what_cannot_be_recorded_before_is_not_written() -> None:
    class Away(MemoryAuditStore):
        def write(self, head: Head, rows: Any = ()) -> Head:
            if any('"intent"' in row.text for row in rows):
                raise Unavailable("audit_503", "away")
            return super().write(head, rows)

    world = world_of(audit_store=Away())
    world.requisition(JAMIE)
    [card] = world.announced()

    assert (asked(world, card).body["error"], posts(world)) == ("audit_503", 0)


def test_the_log_says_what_became_of_a_question_and_neither_who_nor_what(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world, card = offered()

    with caplog.at_level(logging.INFO, "coupa_core"):
        asked(world, card)

    assert f"comment approval_id={card.slots['approval_id']} outcome=commented" in caplog.text
    assert JAMIE not in caplog.text
    assert "Why ten" not in caplog.text


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
