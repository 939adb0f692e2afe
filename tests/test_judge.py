"""The judgement of one approval from one read after the claim: the messages, and the row after them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from coupa_core.authority import Capacity, Decider, Deciders, EmailMap, Limits, Rules, find_deciders
from coupa_core.cadence import Cadence
from coupa_core.directory import ReachablePeople
from coupa_core.documents import Requisition
from coupa_core.errors import Denied, ServiceError, Unavailable
from coupa_core.ledger import (
    MINIMAL_AFTER,
    QUIET,
    Entry,
    OpenQuestion,
    PersonState,
    State,
    asked,
    delivered,
)
from coupa_core.model import REQUISITION, Approval, Comment, Document, Person, Verb
from coupa_core.sweep.due import is_due_again
from coupa_core.sweep.judge import MISSING, judge, with_stamps
from coupa_core.sweep.shapes import (
    MAX_DECIDERS,
    ClosingNoticePolicy,
    FreshRead,
    Judged,
    MessageKind,
    SweepPolicy,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ROW = Entry(approval_id=7, state=State.CLAIMED, nonce="n", etag="e", attempted_at=NOW)
HOUR = timedelta(hours=1)


def approval(**fields: Any) -> Approval:
    """Return an approval of requisition 70 that waits for Ann."""
    return Approval.model_validate(
        {
            "id": 7,
            "status": "pending_approval",
            "approvable-type": REQUISITION,
            "approvable-id": 70,
            "approver-id": 12,
            "approver-type": "User",
            "approver": {"id": 12, "login": "ann", "email": "ann@example.com", "active": True},
            **fields,
        }
    )


def document(**fields: Any) -> Document:
    """Return requisition 70, which waits for approval 7."""
    return Requisition.model_validate(
        {
            "approvable-type": REQUISITION,
            "id": 70,
            "status": "pending_approval",
            "total": "10.00",
            "current-approval": {"id": 7},
            **fields,
        }
    )


def judged(
    entry: Entry = ROW,
    waits: Approval | None = None,
    about: Document | None = None,
    *,
    before: State | None = None,
    members: int = 0,
    is_certain: bool = True,
    cadence: Cadence | None = None,
    at: datetime = NOW,
    **read: Any,
) -> Judged:
    """Judge an approval that was read with its document, and with so many members of its group."""
    asked = waits or approval()
    people = [Person(id=20 + each, email=f"p{20 + each}@example.com", active=True) for each in range(members)]
    deciders = Deciders(find_deciders(asked, members=people, delegates=(), emails=EmailMap()), is_certain)
    known: dict[str, Any] = {
        "approval": asked,
        "is_known": True,
        "document": about or document(),
        "deciders": deciders,
    }
    what = FreshRead(**(known | read))
    policy = SweepPolicy(
        cadence=cadence or Cadence(),
        rules=Rules(actions=(Verb.APPROVE,), limits=Limits(), emails=EmailMap(), allow_self=False),
        closing_policy=ClosingNoticePolicy.NEVER,
        tells_requester=False,
        escalate_to="boss@example.com",
        silence="",
        since=NOW,
    )
    return judge(entry, what, before=before, policy=policy, now=at)


def rest(said: Judged) -> tuple[State, str]:
    """Return where a row stands of which nothing is said, and why."""
    assert said.messages == ()
    row = said.row_after(said.entry, (), cause="", now=NOW)
    return row.state, row.cause


def news(said: Judged) -> list[str]:
    assert {each.kind for each in said.messages} == {MessageKind.ANNOUNCEMENT}
    return [each.person.key for each in said.messages]


def after(said: Judged, at: datetime = NOW) -> Entry:
    row = said.entry
    for key in news(said):
        row = delivered(row, person=key, version=said.version, to=said.approver_key, now=at)
    return said.row_after(row, (), cause="", now=at)


def is_changed(said: Judged) -> bool:
    """Tell whether whoever is told was shown something else before."""
    return said.is_changed_for(said.messages[0].person)


GROUP = {"approver-type": "ApprovalGroup", "approver": {"id": 12, "name": "Buyers"}}


def test_an_approval_that_coupa_does_not_know_is_gone() -> None:
    assert rest(judged(is_known=False)) == (State.CLOSED, "gone")


@pytest.mark.parametrize(
    ("status", "cause"),
    [("approved", "approved"), ("on_hold", "on_hold"), (None, "unknown"), ("", "unknown")],
)
def test_an_approval_that_is_not_pending_is_closed_with_its_status(status: str | None, cause: str) -> None:
    assert rest(judged(waits=approval(status=status))) == (State.CLOSED, cause)


@pytest.mark.parametrize(
    ("status", "cause"),
    [("draft", "stopped_draft"), ("withdrawn", "stopped_withdrawn"), ("x=1 y", "stopped_otherwise")],
)
def test_what_waits_in_a_document_that_does_not_names_the_true_cause(status: str, cause: str) -> None:
    assert rest(judged(about=document(status=status))) == (State.WAITING, cause)


def test_what_can_be_read_again_before_its_turn_is_shown_whole_when_it_comes() -> None:
    said = judged(replace(ROW, failures=MINIMAL_AFTER, cause=MISSING), about=document(status="draft"))

    assert rest(said) == (State.WAITING, "stopped_draft")
    assert said.entry.failures == 0


@pytest.mark.parametrize(
    "fields",
    [
        GROUP,
        {"approver": None},
        {"approver": {"id": 12, "login": "ann"}},
        {"approver": {"id": 12, "email": "  "}},
        {"approver": {"id": 12, "email": "ann"}},
        {"approver": {"id": 12, "email": "ann smith@example.com"}},
        {"approver": {"id": 12, "email": "ann@example.com\u202e"}},
        {"approver": {"id": 12, "email": "ann@example.com", "active": False}},
        {"approver": {"email": "ann@example.com"}, "approver-id": None},
        {"approver": "Ann"},
    ],
    ids=lambda fields: str(fields.get("approver")),
)
def test_without_an_active_person_to_tell_an_approval_is_parked(fields: dict[str, Any]) -> None:
    assert rest(judged(waits=approval(**fields))) == (State.PARKED, "no_recipient")


def test_every_member_of_a_group_is_told_once_in_the_order_in_which_coupa_names_them() -> None:
    said = judged(waits=approval(**GROUP), members=8)

    assert news(said) == list(said.entry.told) == [f"user:{20 + number}" for number in range(8)]
    assert rest(judged(after(said), approval(**GROUP), members=8)) == (State.SENT, "")


def test_a_member_who_joins_is_told_alone_and_one_who_left_again_after_coming_back() -> None:
    everybody = after(judged(waits=approval(**GROUP), members=2))

    joined = judged(everybody, approval(**GROUP), members=3)
    left = judged(after(joined), approval(**GROUP), members=2)
    back = judged(left.entry, approval(**GROUP), members=3)

    assert (news(joined), rest(left), news(back)) == (["user:22"], (State.SENT, ""), ["user:22"])
    assert not is_changed(back)


def test_while_the_members_are_uncertain_nobody_is_forgotten() -> None:
    everybody = after(judged(waits=approval(**GROUP), members=3))

    assert judged(everybody, approval(**GROUP), members=2, is_certain=False).entry == everybody


def test_a_member_who_asked_for_the_purchase_is_not_told_unless_there_is_nobody_else() -> None:
    asked = document(**{"requested-by": {"id": 20}})

    among_others = judged(ROW, approval(**GROUP), asked, members=3)

    assert news(among_others) == ["user:21", "user:22"]
    assert among_others.entry.told == dict.fromkeys(["user:20", "user:21", "user:22"], PersonState())
    assert news(judged(ROW, approval(**GROUP), asked, members=1)) == ["user:20"]


def test_nothing_goes_to_an_address_that_two_people_share() -> None:
    shared = {"p20@example.com"}

    assert news(judged(ROW, approval(**GROUP), members=2, shared=shared)) == ["user:21"]
    alone = judged(ROW, approval(**GROUP), members=1, shared=shared)
    assert (rest(alone), alone.entry.told) == ((State.PARKED, "shared_address"), {"user:20": PersonState()})


def test_a_group_that_is_too_large_for_a_row_is_parked() -> None:
    assert len(judged(ROW, approval(**GROUP), members=MAX_DECIDERS).messages) == MAX_DECIDERS
    said = judged(ROW, approval(**GROUP), members=MAX_DECIDERS + 1)
    assert (rest(said), said.entry.told) == ((State.PARKED, "group_too_large"), {})


@pytest.mark.parametrize(
    "approver",
    [
        {"id": 12, "email": " ann@example.com ", "active": True},
        {"id": 12, "email": "ann@example.com"},
        {"email": "ann@example.com", "active": "yes"},
    ],
)
def test_a_person_is_told_even_when_details_are_missing(approver: dict[str, Any]) -> None:
    said = judged(waits=approval(approver=approver))

    assert [(each.person.key, each.person.address) for each in said.messages] == [
        ("user:12", "ann@example.com")
    ]


def test_other_content_is_told_to_the_same_person_as_changed() -> None:
    assert is_changed(judged(after(judged()), about=document(total="10.01")))


def test_a_new_approver_is_told_as_if_it_were_new_and_the_old_one_again_when_it_comes_back() -> None:
    bob = approval(**{"approver-id": 13, "approver": {"id": 13, "email": "bob@example.com", "active": True}})
    second = judged(after(judged()), bob)
    third = judged(after(second))

    assert (news(second), news(third)) == (["user:13"], ["user:12"])
    assert not is_changed(second)
    assert not is_changed(third)


def test_what_was_decided_here_and_waits_again_begins_a_new_round() -> None:
    row = after(judged())
    decided = replace(row, decision="approve", decided_by="ann@example.com", decided_at=NOW)

    again = judged(decided)

    assert (again.entry.generation, news(again)) == (1, ["user:12"])
    assert (again.entry.decision, again.entry.decided_by, again.entry.decided_at) == ("", "", None)
    assert not decided.has_told("user:12", again.version)


# At which hour.

DAILY = Cadence(quiet=(time(8), time(12)), remind_after=24 * HOUR, escalate_after=48 * HOUR)


def test_a_reminder_that_may_not_be_said_at_this_hour_is_looked_at_again_when_it_may() -> None:
    row = after(judged(at=NOW - 24 * HOUR), at=NOW - 24 * HOUR)
    assert is_due_again(row, cadence=DAILY, now=NOW)
    assert not is_due_again(row, cadence=DAILY, now=NOW - HOUR)

    said = judged(replace(row, attempted_at=NOW), cadence=DAILY)

    held = said.row_after(said.entry, (), cause="", now=NOW)
    assert (rest(said), held.next_at) == ((State.SENT, ""), NOW + 3 * HOUR)
    assert not is_due_again(held, cadence=DAILY, now=NOW + 2 * HOUR)
    assert is_due_again(held, cadence=DAILY, now=NOW + 3 * HOUR)
    assert [each.kind for each in judged(held, cadence=DAILY, at=NOW + 3 * HOUR).messages] == [
        MessageKind.REMINDER
    ]


def test_a_row_whose_reminder_is_not_due_yet_names_no_hour_for_it() -> None:
    """So that operators can change when people are reminded."""
    said = judged(after(judged()), cadence=replace(DAILY, quiet=None), at=NOW + 23 * HOUR)

    assert said.row_after(said.entry, (), cause="", now=NOW).next_at is None


def test_while_there_is_nobody_to_remind_it_is_seen_once_an_hour_whether_there_is() -> None:
    row = after(judged(at=NOW - 24 * HOUR), at=NOW - 24 * HOUR)
    gone = replace(row, told={"user:99": row.told["user:12"]}, attempted_at=NOW)

    said = judged(
        gone, waits=approval(**GROUP), members=1, is_certain=False, cadence=Cadence(remind_after=HOUR)
    )

    row = said.row_after(after(said), (), cause="", now=NOW)
    assert row.next_at == NOW + HOUR
    assert not is_due_again(row, cadence=Cadence(remind_after=HOUR), now=NOW + HOUR / 2)


def test_what_becomes_due_while_others_are_still_asleep_is_looked_at_once_it_is() -> None:
    row = replace(
        after(judged()), state=State.WAITING, cause=QUIET, next_at=NOW + 30 * HOUR, attempted_at=NOW + HOUR
    )

    assert not is_due_again(row, cadence=DAILY, now=NOW + 23 * HOUR)
    assert is_due_again(row, cadence=DAILY, now=NOW + 24 * HOUR)
    assert not is_due_again(replace(row, attempted_at=NOW + 24 * HOUR), cadence=DAILY, now=NOW + 25 * HOUR)


@pytest.mark.parametrize(
    ("fields", "is_due"),
    [
        ({"state": State.SENT}, True),
        ({"state": State.WAITING, "cause": QUIET}, True),
        ({"state": State.WAITING, "cause": "not_your_turn"}, False),
        ({"state": State.WAITING, "cause": "muted"}, False),
        ({"state": State.RETRY}, False),
        ({"state": State.PARKED}, False),
        ({"state": State.DECIDED}, False),
        ({"state": State.DECIDED, "farewell": {"user:1": "shown"}}, True),
        ({"state": State.SENT, "first_told_at": None, "told": {}}, False),
        ({"state": State.SENT, "first_told_at": None, "told": {}, "next_at": NOW + 48 * HOUR}, True),
        ({"state": State.SENT, "first_told_at": None, "told": {}, "next_at": NOW + 49 * HOUR}, False),
    ],
)
def test_only_whoever_was_told_and_waits_for_nothing_else_is_due_again(
    fields: dict[str, Any], *, is_due: bool
) -> None:
    row = replace(after(judged()), **fields)

    assert is_due_again(row, cadence=DAILY, now=NOW + 48 * HOUR) is is_due


def test_who_was_refused_keeps_the_others_due_unless_nobody_knows_what_arrived() -> None:
    row = after(judged(waits=approval(**GROUP), members=2))
    refused = replace(row, state=State.RETRY, told={**row.told, "user:21": PersonState(refusals=1)})

    assert is_due_again(refused, cadence=DAILY, now=NOW + 24 * HOUR)
    assert not is_due_again(replace(refused, uncertain=1), cadence=DAILY, now=NOW + 24 * HOUR)


def test_whom_moveworks_refused_it_for_keeps_nobody_elses_reminder_waiting() -> None:
    row = after(judged(at=NOW - 24 * HOUR, waits=approval(**GROUP), members=1), at=NOW - 24 * HOUR)
    refused = replace(row, told={**row.told, "user:21": PersonState(refusals=8, retry_at=NOW + 24 * HOUR)})

    said = judged(refused, approval(**GROUP), members=2, cadence=DAILY)

    assert rest(said)[0] is State.PARKED
    held = said.row_after(said.entry, (), cause="", now=NOW)
    assert held.next_at == NOW + 3 * HOUR
    later = judged(held, approval(**GROUP), members=2, cadence=DAILY, at=NOW + 3 * HOUR)
    assert [(each.kind, each.person.key) for each in later.messages] == [(MessageKind.REMINDER, "user:20")]
    assert later.row_after(later.entry, (), cause="", now=NOW + 3 * HOUR).next_at == NOW + 24 * HOUR


# What was looked at.


def test_what_was_looked_at_is_noted() -> None:
    noted = with_stamps(
        ROW,
        approval(**{"updated-at": "2026-11-23T00:30:00-08:00"}),
        document(**{"updated-at": "2026-11-23T00:40:00-08:00"}),
        NOW,
    )

    assert (noted.document_type, noted.document_id) == (REQUISITION, 70)
    assert noted.seen_approval == "2026-11-23T00:30:00-08:00"
    assert noted.seen_document == "2026-11-23T00:40:00-08:00"


def test_a_stamp_so_young_that_another_change_in_its_second_would_not_show_is_not_noted() -> None:
    young = (NOW - timedelta(seconds=9)).isoformat()

    noted = with_stamps(ROW, approval(**{"updated-at": young}), document(**{"updated-at": young}), NOW)

    assert (noted.seen_approval, noted.seen_document) == ("", "")


@pytest.mark.parametrize(
    ("value", "noted"), [(None, ""), ("", ""), ("soon", "soon"), (5, "5"), ("x" * 70_000, "x" * 64)]
)
def test_a_stamp_that_is_no_time_is_noted_as_far_as_a_row_can_hold_it(value: Any, noted: str) -> None:
    row = with_stamps(ROW, approval(**{"updated-at": value}), document(**{"updated-at": value}), NOW)

    assert (row.seen_approval, row.seen_document) == (noted, noted)


def test_what_is_missing_is_noted_as_missing() -> None:
    row = with_stamps(ROW, approval(**{"approvable-type": None, "approvable-id": "x"}), None, NOW)

    assert (row.document_type, row.document_id, row.seen_document) == ("", None, "")


def test_a_type_is_noted_as_far_as_a_row_can_hold_it() -> None:
    row = with_stamps(ROW, approval(**{"approvable-type": "X" * 70_000}), None, NOW)

    assert row.document_type == "X" * 64


# ---------------------------------------------------------------------- questions

QUESTION = Comment.model_validate(
    {"id": 5, "comments": "@[User:30] Ann Lee <ann@example.com> via Moveworks: why?"}
)
BECAUSE = Comment.model_validate({"id": 6, "comments": "so", "created-by": {"id": 30, "fullname": "Sam Doe"}})


def test_a_question_waits_for_comments_that_cannot_be_read_now() -> None:
    row = asked(after(judged()), 5, OpenQuestion(by="user:12", of="user:30", on=70), now=NOW)

    said = judged(row, comments=None, before=State.SENT)

    assert (said.messages, said.again) == ((), NOW + timedelta(minutes=5))
    assert not said.entry.questions[5].is_put


@pytest.mark.parametrize(
    ("failure", "is_put"), [(Unavailable("coupa_503", "away"), False), (Denied("coupa_403", "no"), True)]
)
def test_a_question_waits_for_a_person_who_may_be_known_later_and_for_nobody_else(
    failure: ServiceError, *, is_put: bool
) -> None:
    row = asked(after(judged()), 5, OpenQuestion(by="user:12", of="user:30", on=70), now=NOW)

    said = judged(
        row, comments=(QUESTION,), known=ReachablePeople(unknown={"user:30": failure}), before=State.SENT
    )

    assert said.messages == ()
    assert said.entry.questions[5].is_put == is_put
    assert said.again == (None if is_put else NOW + timedelta(minutes=5))


@pytest.mark.parametrize(
    ("comments", "kind"), [((QUESTION,), MessageKind.QUESTION), ((QUESTION, BECAUSE), MessageKind.ANSWER)]
)
def test_neither_a_question_nor_its_answer_is_passed_on_about_what_is_sensitive_and_both_stay_open(
    comments: tuple[Comment, ...], kind: MessageKind
) -> None:
    """The row keeps what is open: it is passed on once the document is shown again."""
    sam = Decider("user:30", "sam@example.com", "Sam Doe", "", Capacity.APPROVER)
    known = ReachablePeople({"user:30": sam})

    def said(about: Document) -> Judged:
        first = after(judged(about=about))
        row = asked(first, 5, OpenQuestion(by="user:12", of="user:30", on=70), now=NOW)
        return judged(row, about=about, comments=comments, known=known, before=State.SENT)

    shown, hidden = said(document()), said(document().redacted())

    assert [each.kind for each in shown.messages] == [kind]
    assert hidden.messages == ()
    assert list(hidden.entry.questions) == [5]
    assert not hidden.entry.questions[5].is_put
