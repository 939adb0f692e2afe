"""The bridge reads the ending from Coupa: it adds nothing, and people asked again get no closing notice."""

from __future__ import annotations

from typing import Any

import pytest
from bridge import JAMIE, ROBIN, SAM, World, offered
from goldens import CLIENT, approval, document, request

from coupa_core.endings import End, Ending, end_of, end_of_document, has_stopped
from coupa_core.ledger import State
from coupa_core.model import Document
from sandbox.moveworks import Delivered

ALWAYS = {"CLOSING_NOTICE": "always"}
TELL = {"CLOSING_NOTICE": "never", "TELL_REQUESTER": "on"}
SUBMITTED = "2026-11-23T09:00:00Z"


def step(status: str, at: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a step of a chain that Robin decided."""
    return {
        "id": 1,
        "status": status,
        "approval-date": at,
        "approved-by": {"login": "robin", "fullname": "Robin"},
        **more,
    }


REJECTED = step("rejected", "2026-11-23T10:00:00Z")


@pytest.mark.parametrize(
    ("status", "chain", "ending", "by"),
    [
        ("approved", [step("approved")], Ending.APPROVED, "Robin"),
        ("ordered", [], Ending.APPROVED, ""),
        ("received", [], Ending.APPROVED, ""),
        ("rejected", [REJECTED], Ending.REJECTED, "Robin"),
        ("draft", [REJECTED], Ending.REJECTED, "Robin"),
        ("draft", [step("rejected", "2026-11-23T08:00:00Z")], Ending.DRAFT, ""),
        ("draft", [step("approved", "2026-11-23T10:00:00Z")], Ending.DRAFT, ""),
        ("withdrawn", [], Ending.WITHDRAWN, ""),
        ("disputed", [step("approved")], Ending.DISPUTED, ""),
        ("voided", [], Ending.VOIDED, ""),
        ("pending_approval", [step("approved")], Ending.ELSEWHERE, ""),
        ("on_hold", [], Ending.ON_HOLD, ""),
        ("booking_hold", [step("approved")], Ending.ENDED, ""),
        (None, [step("approved")], Ending.ENDED, ""),
    ],
    ids=str,
)
def test_how_a_document_ended_is_its_status_and_who_decided_it_its_chain(
    status: str | None, chain: list[dict[str, Any]], ending: Ending, by: str
) -> None:
    ended = end_of_document(request(status=status, approvals=chain, submitted_at=SUBMITTED))

    assert (ended.ending, ended.by) == (ending, by)


def test_the_last_step_of_several_is_named_and_ours_by_the_person() -> None:
    ours = step(
        "approved",
        "2026-11-23T12:00:00Z",
        note="Kim <kim@acme.test> via Moveworks",
        **{"approved-by": CLIENT},
    )
    ended = end_of_document(
        request(status="approved", approvals=[ours, step("approved", "2026-11-23T11:00:00Z")])
    )

    assert ended.by == "Kim"


def test_a_document_without_a_chain_is_decided_by_the_approval_that_is_known() -> None:
    known = approval(status="approved", note=None, approved_by={"fullname": "Robin"})

    assert end_of_document(document("Contract", status="approved"), [known]).by == "Robin"


def test_an_approvals_own_record_counts_before_its_documents() -> None:
    decided = approval(status="rejected", note=None, approved_by={"fullname": "Robin"}, approval_date=None)

    assert end_of(decided, request(status="disputed")) == End(Ending.REJECTED, "Robin")
    assert end_of(approval(status="escalated"), request(status="voided")).ending is Ending.VOIDED
    assert end_of(approval(status="gone"), None) == End(Ending.ENDED)


def test_only_a_status_that_coupa_gives_says_that_a_document_does_not_wait() -> None:
    assert has_stopped(request(status="draft"))
    assert not has_stopped(request(status="pending_approval"))
    assert not has_stopped(request(status=None))
    assert not has_stopped(Document(type="Odd", id=7))
    assert not has_stopped(None)


# ---------------------------------------------------------------------- what people hear


def heard(world: World) -> list[tuple[str, str]]:
    """Return who is told what, in one message, by the sweep a minute later."""
    world.clock.advance(60)
    return [(each.recipient, each.message) for each in world.announced()]


def approvals(world: World, number: int) -> list[int]:
    """Return the ids of the approvals of a document."""
    return [each.id for each in world.coupa.world.document(number).approvals]


def test_the_requester_of_two_parallel_steps_hears_of_the_one_that_rejected() -> None:
    world = World(settings=TELL)
    number = world.requisition([JAMIE, ROBIN], requester=SAM)
    world.announced()
    first, second = approvals(world, number)
    world.in_coupa(first, by=JAMIE)
    world.in_coupa(second, decision="rejected")

    [(person, said)] = heard(world)

    assert (person, "was rejected by Robin Doe" in said, "approved" in said) == (SAM, True, False)
    assert heard(world) == []


def test_the_requester_hears_nothing_of_a_step_where_the_whole_was_withdrawn_after_it() -> None:
    world = World(settings=TELL)
    number = world.requisition(JAMIE, ROBIN, requester=SAM)
    world.announced()
    world.in_coupa(approvals(world, number)[0], by=JAMIE)
    world.coupa.world.withdraw(number)

    assert heard(world) == []


def test_the_requester_of_an_invoice_that_was_disputed_hears_that_and_no_approval() -> None:
    world = World(settings={**TELL, "DOCUMENT_TYPES": "InvoiceHeader"})
    number = world.coupa.world.add_document(
        approvable_type="InvoiceHeader",
        approvers=[world.person(JAMIE)],
        requested_by=world.person(SAM),
        created_by=world.person(SAM),
        total_with_taxes="10.00",
    )
    world.announced()
    world.in_coupa(approvals(world, number)[0], by=JAMIE)
    world.coupa.world.document(number).status = "disputed"

    [(person, said)] = heard(world)

    assert (person, "was disputed" in said, "approved" in said) == (SAM, True, False)


@pytest.mark.parametrize("setting", ["always", "groups"])
def test_whoever_a_new_chain_asks_again_hears_no_farewell_and_the_old_button_says_where_to_look(
    setting: str,
) -> None:
    world = World(settings={"CLOSING_NOTICE": setting})
    number = world.requisition(world.group(JAMIE, ROBIN))
    old = {each.recipient: each for each in world.announced()}
    world.coupa.world.restart_chain(number)

    told = heard(world)

    assert [person for person, _ in told] == [JAMIE, ROBIN]
    assert not any("nothing left for you" in said for _, said in told)
    said = world.click(old[JAMIE], JAMIE).body
    assert said["outcome"] == "already_decided"
    assert said["message"].startswith("A new approval has replaced this one, so nothing was decided: ")
    assert world.puts() == 0


def test_whoever_a_new_chain_does_not_ask_any_more_hears_that_it_waits_for_somebody_else() -> None:
    world = World(settings=ALWAYS)
    number = world.requisition(JAMIE)
    [old] = world.announced()
    world.coupa.world.document(number).steps = [world.person(ROBIN)]
    world.coupa.world.restart_chain(number)

    told = dict(heard(world))

    assert "Now waiting for somebody else: " in told[JAMIE]
    assert "needs your approval" in told[ROBIN]
    said = world.click(old, JAMIE).body["message"]
    assert said.startswith("Nothing was changed. Now waiting for somebody else: ")


def test_while_nobody_can_say_whom_a_new_chain_asks_nobody_hears_farewell() -> None:
    world = World(settings=ALWAYS)
    number = world.requisition(JAMIE)
    world.announced()
    world.coupa.world.document(number).steps = [world.person(ROBIN)]
    world.coupa.world.restart_chain(number)
    world.coupa.front.fail("answer", path="/api/approvals$", query="approvable_id", status=400, times=None)

    assert [person for person, _ in heard(world)] == [ROBIN]
    world.coupa.front.heal()
    world.clock.advance(600)
    told = dict(heard(world))

    assert "Now waiting for somebody else: " in told[JAMIE]


def test_a_draft_of_a_kind_that_names_no_rejection_is_a_draft() -> None:
    assert end_of_document(document("Contract", status="draft")).ending is Ending.DRAFT


def back_to_draft(world: World) -> tuple[int, Delivered]:
    """Return a requisition that went back to draft after its card, though its step stays pending."""
    number = world.requisition(JAMIE)
    [card] = world.announced()
    world.clock.advance(360)
    document = world.coupa.world.document(number)
    document.status, document.updated_at = "draft", world.coupa.world.now()
    return number, card


def test_a_document_that_went_back_to_draft_ends_its_cards_and_is_told_anew_when_it_returns() -> None:
    world = World(settings=ALWAYS)
    number, card = back_to_draft(world)

    [(person, said)] = heard(world)

    assert (person, "Back in draft: " in said) == (JAMIE, True)
    assert heard(world) == []
    answered = world.click(card, JAMIE).body
    assert answered["outcome"] == "already_decided"
    assert answered["message"].startswith("Nothing was changed. Back in draft: ")
    world.coupa.world.submit(number)
    [(person, said)] = heard(world)
    assert (person, "needs your approval" in said, "changed" in said) == (JAMIE, True, False)
    assert world.click(card, JAMIE).body["outcome"] == "changed"


def test_what_is_a_draft_again_is_traced_by_its_true_cause() -> None:
    world = World()
    number, _ = back_to_draft(world)
    [step_id] = approvals(world, number)
    world.clock.advance(60)
    world.sweep()
    row = world.store.read(step_id)

    told = " ".join(world.story(step_id, is_live=True))

    assert row is not None
    assert (row.state, row.cause, row.is_told) == (State.WAITING, "stopped_draft", False)
    assert "its document does not wait for approval in Coupa (stopped_draft)" in told
    assert "its document does not wait: it is draft" in told
    assert "an earlier step" not in told


def test_a_hold_that_was_released_unchanged_is_no_change() -> None:
    world = World(settings=ALWAYS)
    number = world.requisition(JAMIE, holdable=True)
    [card] = world.announced()
    [step_id] = approvals(world, number)
    world.coupa.world.hold(step_id)
    assert heard(world) == []  # who put it on hold knows that
    world.coupa.world.reopen(step_id)

    [(person, said)] = heard(world)

    assert (person, "needs your approval" in said, "changed" in said) == (JAMIE, True, False)
    answered = world.click(card, JAMIE).body
    assert answered["message"].startswith("This had stopped and is waiting again: ")
    assert "changed" not in answered["content"]


NO_LONGER = "Nothing was changed. No longer waiting for you: "


@pytest.mark.parametrize(
    ("happens", "fault", "said"),
    [
        ("withdraw", {}, "Nothing was changed. Withdrawn: Purchase request 5001"),
        ("withdraw", {"path": "/api/requisitions", "status": 500}, f"{NO_LONGER}Request 5001."),
        ("restart_chain", {"path": "/api/approvals", "status": 400, "skip": 1}, f"{NO_LONGER}this request."),
    ],
    ids=["known", "how is not known", "whom it asks now is not known"],
)
def test_a_button_of_what_vanished_says_how_it_ended_and_no_more_than_is_known(
    happens: str, fault: dict[str, Any], said: str
) -> None:
    world, card = offered()
    getattr(world.coupa.world, happens)(world.approval(card).document.id)
    if fault:
        world.coupa.front.fail("answer", times=None, **fault)

    assert world.click(card, JAMIE).body["message"].startswith(said)
