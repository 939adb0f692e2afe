"""A question goes to the requester in chat, and the answer goes to the person who asked, with the buttons."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from bridge import JAMIE, LISTENER, ROBIN, SAM, World
from hypothesis import given, settings
from hypothesis import strategies as st
from kinds import enter
from unruly import away

from coupa_core.authority import Capacity, Decider
from coupa_core.documents import ANSWER_SCOPE
from coupa_core.ledger import Entry, OpenQuestion, State, answered, asked
from coupa_core.model import Comment
from coupa_core.sweep.questions import answers_to, check_questions, closed_by, has_answer
from sandbox.coupa.world import Group
from sandbox.moveworks import Delivered

KINDS = ("RequisitionHeader", "ExpenseReport", "InvoiceHeader", "OrderHeaderChange")
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
WHY, BECAUSE = "Why ten of them?", "Ten people start in May."


def world_of(kind: str = KINDS[0], **more: str) -> World:
    """Return a world in which asking is on."""
    world = World(settings={"COMMENTS": "on", "DOCUMENT_TYPES": kind, **more})
    world.coupa.desk.granted_scopes |= {ANSWER_SCOPE}
    return world


def entered(world: World, kind: str, *approvers: str, requester: str = SAM) -> int:
    """Enter a document of a kind; return the id of what its comments stand on."""
    if kind == KINDS[0]:
        return world.requisition(*approvers, requester=requester)
    if kind != "OrderHeaderChange":
        return enter(world, kind, *approvers, requester=requester)
    order = world.coupa.world.add_document(
        approvable_type="OrderHeader", approvers=[], status="issued", po_number="7"
    )
    enter(world, kind, *approvers, requester=requester, order_header_id=order)
    return order


def shown(world: World, kind: str) -> Delivered:
    """Enter a document of a kind for Jamie; return the notice."""
    entered(world, kind, JAMIE)
    [card] = world.announced()
    return card


def comments_of(world: World) -> list[Any]:
    """Return all comments, in the order in which they were written."""
    tables = world.coupa.world.documents.values()
    return sorted(
        (each for table in tables for row in table.rows.values() for each in row.comments),
        key=lambda each: each.id,
    )


def ask(world: World, card: Delivered, actor: str = JAMIE, comment: str = WHY) -> str:
    """Ask about what a card shows; return the outcome."""
    return str(world.ask(card, actor, comment).body["outcome"])


def answer(world: World, text: str = BECAUSE, *, by: str = SAM) -> int:
    """Write a comment on what the newest comment stands on."""
    newest = comments_of(world)[-1]
    document = world.coupa.world.documents[newest.commentable_type].rows[newest.commentable_id]
    return world.coupa.world.comment(document, by=world.person(by), text=text)


def told(world: World) -> list[tuple[str, str]]:
    """Run one sweep a minute later; return who was told what."""
    world.clock.advance(60)
    return [(each.recipient, each.message) for each in world.announced()]


def asked_about(kind: str = KINDS[0], **more: str) -> tuple[World, Delivered]:
    """Return a world in which Jamie has asked Sam, who was told."""
    world = world_of(kind, **more)
    card = shown(world, kind)
    assert ask(world, card) == "commented"
    [(who, text)] = told(world)
    assert (who, WHY in text) == (SAM, True)
    return world, card


# ---------------------------------------------------------------------- the whole way


@pytest.mark.parametrize("kind", KINDS)
def test_the_requester_is_told_and_the_answer_comes_back_once_with_buttons_that_work(kind: str) -> None:
    world = world_of(kind)
    card = shown(world, kind)

    assert ask(world, card) == "commented"
    [(who, text)] = told(world)

    assert who == SAM
    assert "Jamie Doe asks about" in text
    assert f"“{WHY}”" in text
    assert "Please answer with a comment in Coupa." in text
    assert "https://acme.coupahost.com/" in text
    assert told(world) == []
    answer(world)
    world.clock.advance(60)
    [fresh] = world.announced()
    assert fresh.recipient == JAMIE
    assert f"Sam Doe answered: “{BECAUSE}”" in fresh.message
    assert told(world) == []
    assert world.click(fresh, JAMIE).body["outcome"] == "approved"
    assert told(world) == []


@pytest.mark.slow
def test_the_card_with_the_answer_shows_what_the_first_one_showed_and_its_facts() -> None:
    world, card = asked_about(FACTS="open_requests")
    entered(world, KINDS[0], ROBIN)
    answer(world)

    fresh = next(text for who, text in told(world) if who == JAMIE)

    assert "other open requests" not in card.message
    assert "Requester’s other open requests</i>: 1 (USD 1,800.00)" in fresh


def test_over_the_listener_question_and_answer_have_their_own_kinds_and_the_card_a_button_to_ask() -> None:
    world, _ = asked_about(**LISTENER)
    answer(world)

    assert world.told(after_s=60) == [JAMIE]
    sent = [json.loads(call.body) for call in world.moveworks.front.calls if call.path.endswith("/notify")]
    assert [each["kind"] for each in sent] == ["announcement", "question", "answer"]
    with_ask = {"approve": "Approve", "reject": "Reject", "ask": "Ask"}
    assert [each["buttons"] for each in sent] == [with_ask, {}, with_ask]
    assert [bool(each["approval_id"]) for each in sent] == [True, False, True]


@pytest.mark.parametrize(
    ("settings", "details"),
    [
        ({"COMMENTS": "off"}, {}),
        ({"ALLOW_SELF_APPROVAL": "on"}, {"requester": JAMIE}),
        ({"STEP_UP_OVER": '{"USD": 1}'}, {}),
    ],
)
def test_asking_is_offered_only_where_there_is_somebody_to_ask_and_something_to_decide(
    settings: dict[str, str], details: dict[str, str]
) -> None:
    world = world_of(**LISTENER, **settings)
    entered(world, KINDS[0], JAMIE, **details)
    world.announced()

    assert "ask" not in json.loads(world.moveworks.front.calls[-1].body)["buttons"]


def test_each_reads_question_and_answer_in_their_own_language() -> None:
    world = world_of()
    world.person(JAMIE, default_locale="de")
    world.person(SAM, default_locale="fr")
    card = world.offer()
    ask(world, card)

    [(_, question)] = told(world)
    answer(world)
    [(_, back)] = told(world)

    assert "Jamie Doe a une question sur" in question
    assert f"Sam Doe hat geantwortet: „{BECAUSE}“" in back


def test_several_comments_of_the_requester_are_passed_on_together_and_without_mentions() -> None:
    world, _ = asked_about()
    answer(world, "@[User:1] Ten people start.")
    answer(world, "In May.")

    [(_, text)] = told(world)

    assert "“Ten people start.”" in text
    assert "“In May.”" in text
    assert "@[User" not in text


def test_of_many_comments_the_newest_are_said_and_how_many_came_before() -> None:
    world, _ = asked_about()
    for number in range(7):
        answer(world, f"part {number}")

    [(_, text)] = told(world)

    assert "+2 more" in text
    assert [number for number in range(7) if f"“part {number}”" in text] == [2, 3, 4, 5, 6]
    assert "part 6 (Sam Doe)" in text  # the last comment is the last of those within one second
    assert told(world) == []


def test_a_comment_of_which_nothing_can_be_seen_is_no_answer() -> None:
    world, _ = asked_about()
    answer(world, "\u200b \u2060")
    assert told(world) == []
    answer(world)

    [(who, text)] = told(world)

    assert (who, f"“{BECAUSE}”" in text) == (JAMIE, True)


@pytest.mark.parametrize("hold", ["here", "there"])
@pytest.mark.parametrize("closing", ["never", "always"])
def test_a_question_outlives_a_hold(hold: str, closing: str) -> None:
    world = world_of(CLOSING_NOTICE=closing)
    card = world.offer(requester=SAM, holdable=True)
    assert ask(world, card) == "commented"
    told(world)
    number = int(card.slots["approval_id"])
    if hold == "here":
        assert world.click(card, JAMIE, "hold").body["outcome"] == "held"
    else:
        world.coupa.world.hold(number)
    answer(world)
    assert [text for _, text in told(world) if "answered" in text] == []

    world.coupa.world.reopen(number)
    heard = told(world)
    world.clock.advance(300)
    heard += [*told(world), *told(world)]

    assert [who for who, text in heard if f"Sam Doe answered: “{BECAUSE}”" in text] == [JAMIE]


def test_two_who_asked_hear_the_same_answer_each_once() -> None:
    world = world_of()
    world.requisition(world.group(JAMIE, ROBIN))
    cards = world.announced()
    for card in cards:
        ask(world, card, card.recipient, f"{card.recipient}?")
    assert sorted(who for who, _ in told(world)) == [SAM, SAM]
    answer(world)

    assert sorted(who for who, _ in told(world)) == [JAMIE, ROBIN]
    assert told(world) == []


def test_a_second_question_is_open_though_the_first_was_answered() -> None:
    world, card = asked_about()
    answer(world)
    told(world)

    assert ask(world, card, comment="And why now?") == "commented"
    [(who, text)] = told(world)
    assert (who, "And why now?" in text) == (SAM, True)
    assert told(world) == []
    answer(world, "The old ones are broken.")
    [(who, text)] = told(world)
    assert (who, "broken" in text, BECAUSE in text) == (
        JAMIE,
        True,
        "Last comment" in text and BECAUSE in text,
    )


def test_an_answer_before_the_requester_was_told_makes_the_question_needless() -> None:
    world = world_of()
    card = world.offer()
    ask(world, card)
    answer(world)

    assert world.told(after_s=60) == [JAMIE]
    assert told(world) == []


# ---------------------------------------------------------------------- what is not said


def test_a_comment_by_somebody_else_is_no_answer() -> None:
    world, _ = asked_about()
    answer(world, "I know why.", by=ROBIN)

    assert told(world) == []


def test_a_comment_from_before_the_question_is_no_answer() -> None:
    world = world_of()
    number = entered(world, KINDS[0], JAMIE)
    world.coupa.world.add_comment("requisition", number, by=world.person(SAM), text="Please hurry.")
    [card] = world.announced()
    ask(world, card)

    assert world.told(after_s=60) == [SAM]
    assert told(world) == []


def test_a_deleted_answer_is_not_passed_on_and_an_edited_one_as_it_is_now() -> None:
    world, _ = asked_about()
    gone = answer(world, "Wrong!")
    world.coupa.world.edit_comment(gone, None)
    assert told(world) == []
    kept = answer(world, "Twelve people start.")
    world.coupa.world.edit_comment(kept, BECAUSE)

    [(_, text)] = told(world)

    assert f"Sam Doe answered: “{BECAUSE}”" in text
    assert "Twelve" not in text
    world.coupa.world.edit_comment(kept, "Thirteen!")
    assert told(world) == []


def test_a_question_that_was_deleted_is_not_put_and_has_no_answer() -> None:
    world = world_of()
    card = world.offer()
    ask(world, card)
    world.coupa.world.edit_comment(comments_of(world)[0].id, None)

    assert told(world) == []
    number = world.coupa.world.approval(int(card.slots["approval_id"])).document.id
    world.coupa.world.add_comment("requisition", number, by=world.person(SAM), text=BECAUSE)
    assert told(world) == []
    assert told(world) == []


@pytest.mark.parametrize("decide", ["here", "there"])
def test_an_answer_after_the_decision_offers_nothing(decide: str) -> None:
    world, card = asked_about()
    if decide == "here":
        world.click(card, JAMIE)
    else:
        number = int(card.slots["approval_id"])
        world.in_coupa(number, JAMIE)
    answer(world)

    assert told(world) == []
    assert told(world) == []


def test_whoever_may_not_decide_any_more_hears_no_answer() -> None:
    world = world_of()
    group = world.group(JAMIE, ROBIN).id
    world.requisition(Group(group))
    card = next(each for each in world.announced() if each.recipient == JAMIE)
    ask(world, card)
    told(world)
    members = world.coupa.world.groups.rows[group].users
    members[:] = [each for each in members if each.email != JAMIE]
    world.clock.advance(600)
    world.announced()
    answer(world)

    assert told(world) == []


def test_a_requester_whose_address_two_people_share_is_told_nothing_and_the_answer_comes_all_the_same() -> (
    None
):
    world = world_of()
    entered(world, KINDS[0], JAMIE)
    world.coupa.world.add_user(email=SAM, firstname="Other", lastname="Sam")
    [card] = world.announced()

    assert ask(world, card) == "commented"
    assert told(world) == []
    answer(world)
    assert world.told(after_s=60) == [JAMIE]


def test_a_kind_that_takes_no_comments_says_so_with_the_link_and_asks_nobody() -> None:
    world = world_of("Contract,EasyFormResponse,PriceList", ALLOW_SELF_APPROVAL="on")
    enter(world, "Contract", JAMIE)
    enter(world, "EasyFormResponse", JAMIE)
    world.coupa.world.add_document(approvable_type="PriceList", approvers=[world.person(JAMIE)])

    cards = world.announced()
    assert len(cards) == 3
    for card in cards:
        reply = world.ask(card, JAMIE)
        assert (reply.status, reply.body["outcome"]) == (200, "not_askable")
        assert reply.body["message"].startswith("Coupa takes no comments from here on this")
        assert reply.body["link"].startswith("https://acme.coupahost.com")
    assert world.coupa.front.count("POST", "/comments$") == 0


# ---------------------------------------------------------------------- when something fails


def test_nobody_is_disturbed_in_quiet_hours_by_a_question_or_its_answer() -> None:
    world = world_of(QUIET_HOURS="17:00-23:00", TIME_ZONE="UTC")
    card = world.offer()
    world.clock.advance(8.5 * 3600)
    ask(world, card)
    answer_at_night = [told(world) for _ in range(3)]
    assert answer_at_night == [[], [], []]
    world.clock.advance(6 * 3600)
    assert world.told(after_s=60) == [SAM]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["cut", "lose"])
def test_an_answer_whose_sending_is_in_doubt_is_not_lost(kind: Any) -> None:
    world, _ = asked_about()
    answer(world)
    world.moveworks.front.fail(kind, path="/messages/send")

    told(world)
    world.clock.advance(200)
    told(world)
    told(world)

    heard_by = [each.recipient for each in world.moveworks.delivered if "answered" in each.message]
    assert heard_by == [JAMIE] * (2 if kind == "lose" else 1)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 403, "body": "{}"},
        *(
            {"status": 200, "body": body}
            for body in (
                '[{"id": 9, "commentable-id": "x"}, {"id": 8}, 7]',
                '[{"id": 3}, {"id": 5}]',
                "{}",
                "[7]",
            )
        ),
    ],
    ids=str,
)
def test_comments_that_cannot_be_read_put_the_answer_off_and_hold_up_nothing_else(
    fault: dict[str, Any],
) -> None:
    world, _ = asked_about(KINDS[2])
    answer(world)
    world.coupa.front.fail("answer", path="/api/comments", times=1, **fault)
    entered(world, KINDS[2], ROBIN)

    assert world.told(after_s=60) == [ROBIN]
    assert world.told(after_s=300) == [JAMIE]


def test_a_new_process_knows_the_open_questions() -> None:
    world, _ = asked_about()
    world.restart()
    answer(world)

    assert world.told(after_s=60) == [JAMIE]


def test_a_row_that_a_sweep_has_claimed_for_too_long_leaves_the_answer_to_coupa_which_is_said() -> None:
    world = world_of()
    card = world.offer()
    number = int(card.slots["approval_id"])
    row = world.entry(number)
    claim = Entry(**{**vars(row), "state": State.CLAIMED, "nonce": "other"})
    world.store.replace(claim)

    reply = world.ask(card, JAMIE)

    assert reply.body["outcome"] == "commented"
    assert reply.body["message"].endswith("Please look for the answer there; it will not come here.")
    left = world.entry(number)
    assert (left.state, left.questions) == (State.CLAIMED, {})


# ---------------------------------------------------------------------- what it costs


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "path"), [(KINDS[0], "/api/requisitions"), (KINDS[2], "/api/comments")])
def test_a_quiet_sweep_costs_one_more_call_for_fifty_open_questions(kind: str, path: str) -> None:
    world = world_of(kind)
    for _ in range(50):
        entered(world, kind, JAMIE)
    cards = world.announced()
    told(world)
    before = calls_of_a_sweep(world)
    for card in cards:
        assert ask(world, card, comment=f"{card.slots['approval_id']}?") == "commented"
        world.clock.advance(1)
    told(world)
    told(world)

    after = calls_of_a_sweep(world)

    assert len(after) == len(before) + 1
    assert [each for each in after if each.startswith(path)]


def calls_of_a_sweep(world: World) -> list[str]:
    """Return what a sweep asks Coupa while nothing changes."""
    world.clock.advance(60)
    before = len(world.coupa.front.calls)
    assert world.announced() == []
    return [call.path for call in world.coupa.front.calls[before:]]


def test_without_an_open_question_no_comment_is_asked_for() -> None:
    world = world_of(KINDS[2])
    entered(world, KINDS[2], JAMIE)
    world.announced()

    assert not [path for path in calls_of_a_sweep(world) if "comments" in path]


# ---------------------------------------------------------------------- for all

PEOPLE = ("user:1", "user:2", "user:3")


@st.composite
def comments(draw: st.DrawFn) -> list[Comment]:
    """Return comments with ids in their order, some of them questions of ours."""
    found = []
    for number in sorted(draw(st.sets(st.integers(1, 30), max_size=12))):
        text = draw(st.sampled_from(["because", " ", "@[User:3] Ann Doe <a@x.example> via Moveworks: why?"]))
        person = draw(st.sampled_from([{"id": 1}, {"id": 2}, {"id": 3}, {}]))
        found.append(Comment.model_validate({"id": number, "comments": text, "created-by": person}))
    return found


@settings(max_examples=300, deadline=None)
@given(
    comments(),
    st.dictionaries(
        st.integers(1, 30),
        st.builds(
            OpenQuestion,
            by=st.sampled_from(PEOPLE),
            of=st.sampled_from(PEOPLE),
            on=st.just(5),
            is_put=st.booleans(),
        ),
        max_size=6,
    ),
    st.sets(st.sampled_from(PEOPLE)),
    st.sets(st.sampled_from(PEOPLE)),
    st.booleans(),
)
def test_nothing_is_passed_on_but_a_newer_comment_of_whoever_was_asked_to_somebody_who_asked_and_may_decide(
    said: list[Comment],
    questions: dict[int, OpenQuestion],
    told: set[str],
    others: set[str],
    is_certain: bool,  # noqa: FBT001 - hypothesis gives it
) -> None:
    row = Entry(approval_id=1, state=State.SENT, nonce="n", questions=questions)
    deciders = {key: Decider(key, f"{key}@x.example", "", "", Capacity.APPROVER) for key in told}

    found = check_questions(row, said, told=deciders, others=others, is_certain=is_certain)

    for key, answers in found.answers.items():
        assert key in told
        for each in answers:
            mine = [(number, one) for number, one in questions.items() if one.by == key]
            assert any(each in answers_to(number, one, said) for number, one in mine)
            assert each.words.strip()
        closed = closed_by(row, key, answers)
        assert closed
        assert all(questions[number].by == key for number in closed)
        left = check_questions(
            answered(row, closed), said, told=deciders, others=others, is_certain=is_certain
        )
        assert key not in left.answers or set(map(id, left.answers[key])) <= set(map(id, answers))
    for number, question in found.put.items():
        assert question in said
        assert question.id == number
        assert not questions[number].is_put
        assert not answers_to(number, questions[number], said)
    assert found.over | found.hidden <= questions.keys()
    assert not found.hidden & {each.id for each in said if "via Moveworks" in (each.comments or "")}
    assert bool(found.answers) <= has_answer(row, said)


def test_after_a_crash_between_the_answer_and_its_mark_it_comes_once_more_and_no_third_time() -> None:
    world, _ = asked_about()
    answer(world)

    end = away(world.store, "replace", when=lambda entry: not entry.questions)
    assert world.told(after_s=60) == [JAMIE]
    end()
    world.restart()
    assert [world.told(after_s=seconds) for seconds in (60, 180, 660)] == [[], [JAMIE], []]


@pytest.mark.parametrize("status", [400, 409, 413, 422])
def test_an_answer_that_moveworks_does_not_take_is_tried_again_and_stops_nobody(status: int) -> None:
    world, card = asked_about()
    answer(world)
    body = '{"error": {"code": "X"}}'
    world.moveworks.front.fail("answer", path="/messages/send", status=status, body=body)
    assert told(world) == []
    entered(world, KINDS[0], ROBIN)

    found = {who: "answered" in text for who, text in (*told(world), *told(world))}

    assert found == {ROBIN: False, JAMIE: True}
    row = world.row(card)
    assert (row.questions, {each.refusals for each in row.told.values()}) == ({}, {0})


@pytest.mark.slow
def test_an_answer_that_moveworks_never_takes_becomes_an_alarm() -> None:
    world, card = asked_about()
    answer(world)
    body = '{"error": {"code": "X"}}'
    world.moveworks.front.fail("answer", path="/messages/send", status=400, body=body, times=None)
    for _ in range(12):
        told(world)
        world.clock.advance(3_700)

    row = world.row(card)
    assert (row.state, len(row.questions)) == (State.PARKED, 1)
    world.moveworks.front.heal()
    world.clock.advance(25 * 3_600)
    assert ["answered" in text for _, text in told(world)] == [True]


def test_an_answer_whose_fate_is_never_known_becomes_an_alarm_and_is_repeated_daily_at_most() -> None:
    world, card = asked_about()
    answer(world)
    world.moveworks.front.fail("lose", path="/messages/send", times=None)
    for _ in range(12):
        told(world)
        world.clock.advance(200)

    heard_by = [each for each in world.moveworks.delivered if "answered" in each.message]
    assert 1 <= len(heard_by) <= 4
    row = world.row(card)
    assert (row.state, row.cause, len(row.questions)) == (State.PARKED, "unknown_outcomes", 1)


@pytest.mark.slow
def test_sends_of_which_nobody_knows_take_the_answer_from_nobody_else() -> None:
    world = world_of(QUIET_HOURS="20:00-07:00", TIME_ZONES='{"robin@example.com": "Asia/Tokyo"}')
    world.requisition(world.group(JAMIE, ROBIN), requester=SAM)
    cards = {each.recipient: each for each in world.announced()}
    for who in (JAMIE, ROBIN):
        assert ask(world, cards[who], who) == "commented"
    told(world)
    answer(world)
    while not 12 <= world.clock.now().hour < 13:  # it is night in Tokyo, and no answer came so far
        world.clock.advance(600)
    world.moveworks.front.fail("answer", path="/messages/send", status=500, times=3)
    for _ in range(4):
        told(world)
        world.clock.advance(200)

    for _ in range(24):
        world.clock.advance(2 * 3_600)
        told(world)

    heard_by = {each.recipient for each in world.moveworks.delivered if "answered" in each.message}
    assert heard_by == {JAMIE, ROBIN}


def test_whoever_is_owed_a_changed_card_hears_the_answer_after_it() -> None:
    world, card = asked_about()
    [number] = world.coupa.world.documents["RequisitionHeader"].rows
    world.coupa.world.edit_line(number, 0, unit_price="950.00")
    answer(world)

    [(who, text)] = told(world)
    assert (who, "1,900.00" in text, "answered" in text) == (JAMIE, True, False)
    world.clock.advance(300)
    [(who, text)] = told(world)
    assert (who, "answered" in text) == (JAMIE, True)
    assert ask(world, card) == "commented"


def test_whoever_asks_very_often_takes_no_question_from_a_colleague() -> None:
    row = asked(
        Entry(approval_id=1, state=State.SENT, nonce=""),
        1,
        OpenQuestion(by="user:1", of="user:9", on=5),
        now=NOW,
    )
    for number in range(2, 40):
        row = asked(row, number, OpenQuestion(by="user:2", of="user:9", on=5), now=NOW)

    assert list(row.questions) == [1, *range(21, 40)]


def test_more_than_fifty_comments_are_read_in_pages_and_the_answer_among_them_is_found() -> None:
    world, _ = asked_about(KINDS[2])
    answer(world)
    for number in range(60):
        answer(world, f"note {number}", by=ROBIN)

    assert world.told(after_s=60) == [JAMIE]


def test_the_same_question_about_an_invoice_is_there_once_also_where_comments_cannot_be_read_first() -> None:
    world = world_of(KINDS[2])
    card = shown(world, KINDS[2])
    world.coupa.front.fail("answer", path="/api/comments", status=403, times=1, body="{}")

    outcomes = [ask(world, card) for _ in range(3)]

    assert outcomes == ["commented"] * 3
    assert [each.comments.rpartition(": ")[2] for each in comments_of(world)] == [WHY]


def test_comments_that_fail_once_the_row_is_claimed_put_the_answer_off() -> None:
    world, _ = asked_about(KINDS[2])
    answer(world)
    world.coupa.front.fail("answer", path="/api/comments", status=503, skip=1, times=4, body="{}")

    first, second = told(world), [*told(world), *told(world)]

    assert first == []
    world.clock.advance(300)
    assert [(who, "answered" in text) for who, text in [*second, *told(world)]] == [(JAMIE, True)]


def test_comments_on_what_nobody_asked_about_are_passed_over() -> None:
    world, _ = asked_about(KINDS[2])
    body = json.dumps([{"id": 99_999, "comments": "odd", "commentable-id": 77, "created-by": {"id": 1}}])
    world.coupa.front.fail("answer", path="/api/comments", status=200, body=body, times=None)

    assert told(world) == []


def test_one_kind_whose_comments_cannot_be_read_keeps_no_other_from_its_answers() -> None:
    world = world_of(",".join(KINDS[:3]))
    for kind in KINDS[:3]:
        entered(world, kind, JAMIE)
    for card in world.announced():
        ask(world, card, comment=f"{card.slots['approval_id']}?")
        world.clock.advance(1)
    told(world)
    for comment in comments_of(world):
        document = world.coupa.world.documents[comment.commentable_type].rows[comment.commentable_id]
        world.coupa.world.comment(document, by=world.person(SAM), text=f"so {comment.commentable_type}")
    world.coupa.front.fail("answer", path="/api/comments", status=403, times=1, body="{}")

    first, second = told(world), told(world)

    assert [who for who, _ in first] == [JAMIE] * 2
    assert [(who, "so InvoiceHeader" in text) for who, text in second] == [(JAMIE, True)]
