"""`python -m proof.mutations`: removes each rule from the code in turn; a named test must fail.

It works on a copy; a mutation whose text is no longer in the code is an error, too.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("coupa_core", "sandbox", "tests", "function_app.py", "pyproject.toml", "README.md")

TEST_S = 600.0
"""A test that takes longer has noticed."""


@dataclass(frozen=True)
class Mutation:
    """One rule, how it is taken out, and the test that must notice."""

    rule: str
    file: str
    old: str
    new: str
    test: str


RIGHTS = "test_rights.py::test_in_every_eleventh_world_all_homes_of_the_rule_agree"
MUTATIONS = (
    Mutation(
        "approvals are read again after the claim",
        "sweep/reads.py",
        "coupa.approvals([one.read.approval.id for one in some], deadline)",
        "FoundApprovals({one.read.approval.id: one.read.approval for one in some})",
        "test_sweep.py::test_a_claimed_approval_that_ended_meanwhile_is_closed_without_a_word",
    ),
    Mutation(
        "an own write is known by its nonce",
        "ledger/store.py",
        "stored.nonce == entry.nonce",
        "stored.nonce == 'nobody'",
        "test_table_ledger.py::test_a_row_that_was_inserted_is_ours_though_the_answer_was_lost",
    ),
    Mutation(
        "every write has a nonce of its own",
        "ledger/store.py",
        "entry = replace(entry, nonce=self._new_nonce())",
        "entry = replace(entry, nonce='always the same')",
        "test_ledger_contract.py",
    ),
    Mutation(
        "nothing is sent with too little of the lease left",
        "ledger/entry.py",
        "now <= self.lease_until - timedelta(seconds=lease.margin_s)",
        "now <= self.lease_until",
        "test_ledger_rules.py",
    ),
    Mutation(
        "the lease is asked before a send",
        "sweep/sender.py",
        "if not all(entry.may_send(deps.clock.now(), deps.lease) for entry in under):",
        "if False:",
        "test_sweep.py::test_nothing_is_sent_when_too_little_of_the_claim_is_left",
    ),
    Mutation(
        "only what was read of the list closes",
        "sweep/plan.py",
        "for number in self._numbers[low:high]",
        "for number in self._numbers",
        "test_plan.py::test_of_a_part_of_the_list_only_what_lies_in_it_is_gone",
    ),
    Mutation(
        "nobody is blamed for a service that is away",
        "ranges.py",
        "(is_doubtful and not self._is_alive())",
        "False",
        "test_ranges.py::test_however_long_a_service_is_away_nothing_is_halved_or_blamed_for_it",
    ),
    Mutation(
        "no list of everything comes before what is told",
        "sweep/scan.py",
        "READING_S = 25.0",
        "READING_S = 2_500.0",
        "test_proof.py::test_a_backlog_goes_out_from_the_first_sweep_on_however_slow_coupa_is",
    ),
    Mutation(
        "what the list alone shows is noticed",
        "sweep/scan.py",
        "is_old and approval.id in self._plan.new and approval.id not in self._changes",
        "False",
        "test_scan.py",
    ),
    Mutation(
        "a short answer proves nothing of what did not come",
        "coupa/rows.py",
        "while left and has_come:",
        "while False:",
        "test_coupa_client.py::test_what_did_not_come_is_asked_for_again_where_an_answer_was_short",
    ),
    Mutation(
        "what a closing reads must say that it ended",
        "sweep/claimed.py",
        "if approval is not None:",
        "if approval is not None and not self.is_gone:",
        "test_sweep.py::test_a_row_is_not_closed_while_coupa_says_that_the_approval_waits",
    ),
    Mutation(
        "only whose turn it is is told",
        "sweep/judge.py",
        "if not model.has_turn(case.read.approval, document, case.read.siblings):",
        "if False:",
        "test_sweep.py::test_only_the_current_step_is_told_and_the_next_one_when_it_becomes_current",
    ),
    Mutation(
        "no batch fails as one",
        "sweep/work.py",
        "self.rows.fail(one.entry, failure)",
        "raise failure",
        "test_poison.py::test_an_approval_that_cannot_be_read_waits_alone_and_is_parked_with_an_alarm_in_the_end",
    ),
    Mutation(
        "only whose turn it is decides",
        "decide/check.py",
        "if not has_turn(approval, case.document, siblings.get(approval.document_key, ())):",
        "if False:",
        "test_decide.py::test_before_its_turn_an_approval_is_not_decided",
    ),
    Mutation(
        "a sweep has a deadline",
        "sweep/run.py",
        "SWEEP_S = 50.0",
        "SWEEP_S = 5000.0",
        "test_sweep.py::test_a_sweep_ends_in_time_and_the_next_one_goes_on_with_what_is_left",
    ),
    Mutation(
        "time is kept for closing",
        "sweep/run.py",
        "progress.deadline.left_s() - CLOSING_S",
        "progress.deadline.left_s()",
        "test_sweep.py::test_a_backlog_that_fills_every_minute_leaves_time_for_closing",
    ),
    Mutation(
        "a held claim is left alone",
        "ledger/entry.py",
        "return now < self.lease_until + timedelta(seconds=lease.skew_s)",
        "return False",
        "test_sweep.py::test_somebody_elses_claim_is_left_alone_until_its_lease_and_the_skew_are_over",
    ),
    Mutation(
        "after an unknown outcome a sign of life comes first",
        "sweep/sender.py",
        "if not self.suspect:",
        "if True:",
        "test_sweep.py::test_after_an_unknown_outcome_the_next_sweep_asks_for_a_sign_of_life_and_then_"
        "sends_the_others",
    ),
    Mutation(
        "a pause is kept",
        "sweep/sender.py",
        "if self.paused_until is not None and self.deps.clock.now() < self.paused_until:",
        "if False:",
        "test_sweep.py::test_after_a_429_nothing_is_sent_for_as_long_as_moveworks_says",
    ),
    Mutation(
        "a new process knows what was sent lately",
        "sweep/run.py",
        "self._remember_rate(self._rows.by_id.values(), now)",
        "pass",
        "test_sweep.py::test_the_allowed_rate_is_kept_across_sweeps_and_processes",
    ),
    Mutation(
        "a row from the future holds nothing",
        "ledger/entry.py",
        "return self.attempted_at is not None and self.attempted_at > now",
        "return False and self.attempted_at > now",
        "test_ledger_rules.py::test_a_claim_from_later_than_clocks_can_differ_holds_nothing_because_the_clock_"
        "was_put_back",
    ),
    Mutation(
        "a stamp of this second is not remembered",
        "sweep/judge.py",
        "SETTLING = timedelta(seconds=10)",
        "SETTLING = timedelta(seconds=0)",
        "test_judge.py::test_a_stamp_so_young_that_another_change_in_its_second_would_not_show_is_not_noted",
    ),
    Mutation(
        "a question for edits counts only when all was dealt with",
        "sweep/edits.py",
        "since = one.asked_at if is_over and not was_left else one.since",
        "since = one.asked_at if is_over else one.since",
        "test_sweep.py::test_an_edit_that_nobody_could_be_told_of_for_a_long_time_is_told_in_the_end",
    ),
    Mutation(
        "one bad record blocks no other",
        "sweep/rows.py",
        "except Exception:",
        "except KeyError:",
        "test_sweep.py::test_an_error_that_nobody_thought_of_spoils_one_approval_only",
    ),
    Mutation(
        "nobody is told in their quiet hours",
        "sweep/hours.py",
        "cadence.told_at(needed_on, person.address, max(now, entry.due_at or now))",
        "now",
        "test_hours.py::test_what_comes_at_night_is_told_in_the_morning_and_only_then",
    ),
    Mutation(
        "a reminder is recorded before it is sent",
        "sweep/outbox.py",
        "entry = reminded(delivery.entry, delivery.keys(MessageKind.REMINDER), now=now)",
        "entry = delivery.entry",
        "test_reminders.py::test_a_reminder_that_was_refused_or_may_have_arrived_is_not_repeated",
    ),
    Mutation(
        "before is what this person was shown",
        "sweep/compose.py",
        "shown=was.figures,",
        "shown=max(entry.told.values(), key=lambda one: str(one.at)).figures,",
        "test_each_person.py::test_before_is_what_this_person_was_shown_and_not_what_a_colleague_was",
    ),
    Mutation(
        "reminders come to an end",
        "cadence/hours.py",
        "self.remind_after is None or reminders >= self.remind_max",
        "self.remind_after is None",
        "test_reminders.py::test_reminders_come_after_a_day_two_and_four_and_then_no_more",
    ),
    Mutation(
        "what was refused in a digest goes alone",
        "sweep/outbox.py",
        "delivery.entry.to(person.key).refusals",
        "not person.key",
        "test_digests.py::test_one_approval_that_moveworks_will_not_take_does_not_keep_the_others_from_"
        "being_told",
    ),
    Mutation(
        "who decided is not told that it is over",
        "sweep/closings.py",
        "if person is None or not is_reached or _has_ended_it(person, entry, judged):",
        "if person is None or not is_reached:",
        "test_closing.py::test_who_decided_is_not_told_of_it",
    ),
    Mutation(
        "that it is over is told under a claim",
        "sweep/work.py",
        "map_parallel(self.rows.claim, candidates, workers=workers)",
        "[each.entry if each.priority is Priority.GONE else self.rows.claim(each) for each in candidates]",
        "test_closing.py::test_somebody_whose_own_card_died_is_told_where_the_setting_says_so",
    ),
    Mutation(
        "a lost status is no first run",
        "sweep/run.py",
        "(status.last_sweep_at is None and not self._rows.by_id)",
        "status.last_sweep_at is None",
        "test_first_run.py::test_a_ledger_that_has_rows_is_no_first_run_even_when_its_status_is_lost",
    ),
    Mutation(
        "a trial sends nothing",
        "sweep/work.py",
        "DRY_RUN if deps.is_dry else ",
        "",
        "test_first_run.py::test_a_trial_sends_nothing_and_says_what_it_would_send_to_whom",
    ),
    Mutation(
        "a listener's sign of life is for nobody",
        "moveworks/listener.py",
        'Notice("", "", kind=PROBE)',
        'Notice("", "")',
        "test_listener_channel.py::test_a_sign_of_life_checks_id_and_secret_and_tells_nobody",
    ),
    Mutation(
        "requests to a listener keep their distance",
        "moveworks/listener.py",
        "Pace(clock, limit=1, period_s=1 / PER_SECOND)",
        "Pace(clock, limit=1_000, period_s=1.0)",
        "test_listener_channel.py::test_a_sweep_over_the_listener_is_never_throttled",
    ),
    Mutation(
        "content that changed is not approved",
        "decide/check.py",
        "if offer is None or (offer.content, offer.generation) == (case.content, case.generation):",
        "if True:",
        "test_decide.py::test_changed_content_is_shown_with_a_button_that_works",
    ),
    Mutation(
        "a token is for its approver",
        "decide/live.py",
        "offer is None or (offer.approver_key, offer.person) == (approval.approver_key, found.key)",
        "True",
        "test_decide.py::test_after_a_reassignment_the_old_approver_does_not_decide_and_the_new_one_needs_"
        "an_own_card",
    ),
    Mutation(
        "whoever asked does not decide",
        "authority/rules.py",
        "if not self._allow_self and is_asker(decider, document, self.emails):",
        "if False:",
        "test_decide.py::test_whoever_asked_for_the_purchase_does_not_decide_on_it",
    ),
    Mutation(
        "an own row of the audit record is known by its hash",
        "audit_log/store.py",
        "row.hash == tried.hash",
        "False",
        "test_table_audit_log.py::test_rows_that_were_written_are_ours_though_the_answer_was_lost",
    ),
    Mutation(
        "an own row is looked for after the head was read",
        "audit_log/store.py",
        "if maybe and self._is_stored(maybe):",
        "if False:",
        "test_proof.py::test_no_night_breaks_the_audit_record_or_loses_or_repeats_an_event",
    ),
    Mutation(
        "nothing is appended to a day that was followed",
        "audit_log/days.py",
        "while head.next or head.day < today:",
        "while head.day < today:",
        "test_proof.py::test_no_night_breaks_the_audit_record_or_loses_or_repeats_an_event",
    ),
    Mutation(
        "a day that has vanished is not begun again",
        "audit_log/days.py",
        "if found is None and not head.is_followed:",
        "if found is None:",
        "test_audit_log_contract.py::test_nothing_is_appended_when_the_day_that_goes_on_has_vanished",
    ),
    Mutation(
        "a forged head is not built on",
        "audit_log/days.py",
        "if head is None or head.day != day or self._seals.holds(head) is False:",
        "if head is None or head.day != day:",
        "test_audit_log_contract.py::test_nothing_is_appended_to_a_head_that_somebody_has_forged",
    ),
    Mutation(
        "a head under a key that is not known is not built on",
        "audit_log/days.py",
        "if self._seals.holds(head) is None:",
        "if False:",
        "test_audit_keys.py::test_a_record_that_a_stranger_made_anew_stays_doubted_whatever_happens_next",
    ),
    Mutation(
        "a later seal alone vouches for nothing",
        "audit_log/check.py",
        'if self._by not in (None, kid, values.get("follows")):',
        "if False:",
        "test_audit_keys.py::test_a_later_seal_alone_vouches_for_nothing_and_the_operator_may",
    ),
    Mutation(
        "all chains begin at one root",
        "audit_log/days.py",
        "self._seals.resealed(Head(day=ROOT))",
        "self._seals.resealed(Head(day=today))",
        "test_proof.py::test_no_night_breaks_the_audit_record_or_loses_or_repeats_an_event",
    ),
    Mutation(
        "an address of two is nobody's",
        "directory/lookup.py",
        "return None if self.shared([found.address], deadline) else found",
        "return found",
        "test_inbox.py::test_a_shared_address_gets_neither_a_list_nor_a_card_nor_a_token",
    ),
    Mutation(
        "a delegation holds by Coupa's clock",
        "directory/delegations.py",
        "        now = self._people.now()\n        active",
        "        now = self._clock.now()\n        active",
        "test_coupas_clock.py::test_a_delegation_that_has_ended_by_coupas_clock_lets_nobody_decide",
    ),
    Mutation(
        "nobody decides on what may be their own",
        "authority/rules.py",
        "if not self._allow_self and not document.says_who_asked:",
        "if False:",
        "test_chat_rules.py::test_notice_list_and_click_agree_on_a_request_of_which_nobody_knows_whose_it_is",
    ),
    Mutation(
        "a card that is barred offers no decision",
        "authority/tokens.py",
        'content="" if right.bar else content',
        "content=content",
        "test_chat_rules.py::test_a_card_that_offers_no_decision_does_not_decide_when_the_limit_has_gone_either",
    ),
    Mutation(
        "who is told is who can click: the delegate of an approver without an address",
        "directory/lookup.py",
        "        if found is None:\n            deciders",
        "        if found is None and quick:\n            deciders",
        "test_decide.py::test_the_delegate_of_an_approver_without_an_address_is_told_listed_and_can_decide",
    ),
    Mutation(
        "who asked for it is told only where nobody else decides",
        "authority/rules.py",
        "return [each for each in others or everybody if each.bar is not Bar.SHARED]",
        "return [each for each in others if each.bar is not Bar.SHARED]",
        "test_decide.py::test_whoever_asked_for_the_purchase_alone_gets_the_card_without_buttons_and_decides_in_coupa",
    ),
    Mutation(
        "what cannot be held is not offered",
        "authority/rules.py",
        "if verb is not Verb.HOLD or can_hold",
        "if True",
        "test_decide.py::test_a_hold_that_coupa_does_not_offer_is_the_callers_mistake",
    ),
    Mutation(
        "a click asks the same rule as the card",
        "decide/check.py",
        "if case.right.bar is not None:",
        "if False:",
        "test_chat_rules.py::test_notice_list_and_click_agree_on_a_request_of_which_nobody_knows_whose_it_is",
    ),
    Mutation(
        "a trace asks the same rule as the card",
        "report/trace.py",
        "rights(deciders, approval, document, shared=shared)",
        "rights(deciders, approval, document)",
        RIGHTS,
    ),
    Mutation(
        "a list asks the same rule as the card",
        "inbox/answer.py",
        "right=self._rules.right(waiting.decider, waiting.approval, waiting.document),",
        "right=Right(waiting.decider),",
        RIGHTS,
    ),
    Mutation(
        "the listener's buttons are what this person can do",
        "moveworks/listener.py",
        '"buttons": {str(name): label for name, label in notice.actions.items()},',
        '"buttons": {"approve": "Approve", "reject": "Reject"},',
        "test_decide.py::test_the_listeners_buttons_are_what_the_settings_leave",
    ),
    Mutation(
        "both forms of a domain are one address",
        "addresses.py",
        "'.'.join(map(_letters, domain.split('.')))",
        "domain",
        "test_addresses.py::test_whoever_is_told_at_an_address_can_list_and_click_by_it",
    ),
    Mutation(
        "coupa is asked for both forms of an address",
        "directory/addresses.py",
        "for spelling in spellings(coupa)",
        "for spelling in [folded(coupa)]",
        "test_addresses.py::test_whoever_is_told_at_an_address_can_list_and_click_by_it",
    ),
    Mutation(
        "a note is ours only from our own hand",
        "model/written.py",
        "return read_mark(self.text, self.acting_for) if self.by_us else None",
        "return read_mark(self.text, self.acting_for)",
        "test_decide.py::test_a_note_in_coupa_that_only_looks_like_ours_is_its_authors",
    ),
    Mutation(
        "a comment is ours only from our own hand",
        "model/written.py",
        "return read_mark(self.text, self.acting_for) if self.by_us else None",
        "return read_mark(self.text, self.acting_for)",
        "test_notice.py::test_words_that_look_like_ours_are_their_authors",
    ),
    Mutation(
        "the requester hears of the whole document",
        "sweep/compose.py",
        "end_of_document(item.document, [approval]) if is_whole",
        "end_of(approval, item.document) if is_whole",
        "test_endings.py::test_the_requester_of_an_invoice_that_was_disputed_hears_that_and_no_approval",
    ),
    Mutation(
        "nobody who is asked again hears a farewell",
        "sweep/closings.py",
        "if role == Role.REQUESTER or key not in asked}",
        "}",
        "test_endings.py::test_whoever_a_new_chain_asks_again_hears_no_farewell_and_the_old_button_says_where_to_look",
    ),
    Mutation(
        "a draft ends its cards",
        "sweep/judge.py",
        "_stopped(case) if cause.startswith(STOPPED) else case.entry",
        "case.entry",
        "test_endings.py::test_a_document_that_went_back_to_draft_ends_its_cards_and_is_told_anew_when_it_returns",
    ),
    Mutation(
        "a released hold is no change",
        "sweep/shapes.py",
        "return not any(map(was.has, rounds))",
        "return True",
        "test_endings.py::test_a_hold_that_was_released_unchanged_is_no_change",
    ),
    Mutation(
        "coupa's considered no is an answer",
        "http_client/faults.py",
        "is_considered=_is_by_service(reply),",
        "is_considered=False,",
        "test_decide.py::test_a_decision_that_a_rule_of_coupas_refuses_is_answered_with_its_words_and_the_link",
    ),
    Mutation(
        "words arrive whole or not at all",
        "decide/check.py",
        "return too_long(room, length, case.writer) if length > room else None",
        "return None",
        "test_ask.py::test_a_comment_that_would_not_arrive_whole_is_refused_with_the_number_of_characters_that_fit",
    ),
    Mutation(
        "the doctor asks for what is configured",
        "doctor/coupa.py",
        "types = enabled(settings.document_types)",
        "types = enabled(['RequisitionHeader'])",
        "test_doctor.py::test_what_is_read_of_a_type_is_not_called_unread",
    ),
    Mutation(
        "the same request again decides nothing",
        "decide/check.py",
        "        if case.is_repeat:\n",
        "        if False:\n",
        "test_decide.py::test_the_same_request_after_it_was_opened_again_decides_nothing_and_says_how_it_is",
    ),
    Mutation(
        "nobody is told again because the recipe changed",
        "sweep/judge.py",
        "ledger.renamed(entry, old=name_before, new=name)",
        "ledger.renamed(entry, old=name, new=name)",
        "test_upgrade.py::test_nobody_is_told_again_because_the_recipe_changed",
    ),
    Mutation(
        "a row follows the one before it",
        "audit_log/check.py",
        "if row.prev != self._prev:",
        "if False:",
        "test_audit_log_chain.py::test_any_single_tampering_is_found",
    ),
    Mutation(
        "a seal needs the key",
        "audit_log/check.py",
        "            raise broken(Fault.FOREIGN",
        "            broken(Fault.FOREIGN",
        "test_audit_log_chain.py::test_any_single_tampering_is_found",
    ),
    Mutation(
        "rows end where the head says",
        "audit_log/store.py",
        "        check.end(head)\n",
        "",
        "test_audit_log_chain.py::test_any_single_tampering_is_found",
    ),
    Mutation(
        "no cell of an export is a formula",
        "audit/export.py",
        "if text.startswith(_FORMULA)",
        "if False",
        "test_audit_command.py::test_csv_says_what_was_recorded_and_no_cell_is_a_formula",
    ),
    Mutation(
        "what is sensitive is veiled where it is read",
        "coupa/documents.py",
        "self._sensitive.redact(each)",
        "each",
        "test_sensitive.py::test_from_the_first_message_to_the_last_nothing_of_it_reaches_the_chat",
    ),
    Mutation(
        "what coupa does not say counts as sensitive",
        "sensitive.py",
        "return not texts or any(",
        "return any(",
        "test_sensitive.py::test_what_coupa_does_not_say_or_not_readably_counts_as_named",
    ),
    Mutation(
        "what is sensitive is decided in coupa",
        "authority/rules.py",
        "if document.is_sensitive:",
        "if False:",
        "test_sensitive.py::test_a_card_says_that_it_waits_and_where_and_offers_nothing",
    ),
    Mutation(
        "what lines come to that did not come is not stated",
        "model/document.py",
        "self._hides_lines or self.lines_left_out > 0",
        "self._hides_lines",
        "test_chat_rules.py::test_what_lines_come_to_that_did_not_come_is_not_stated",
    ),
    Mutation(
        "collections are asked for by the spelling that is published",
        "coupa/fields.py",
        "if get_origin(field.annotation) is tuple",
        "if False",
        "test_model_tolerance.py::test_collections_are_asked_for_with_underscores_and_all_others_with_hyphens",
    ),
    Mutation(
        "whoever hears of it on a day is not reminded of it on that day",
        "cadence/hours.py",
        "if day > heard_on",
        "if day >= heard_on",
        "test_wanted_days.py::test_whoever_is_told_on_the_day_itself_is_not_reminded_on_it",
    ),
    Mutation(
        "a morning that has come is looked at once",
        "sweep/due.py",
        "after = entry.attempted_at if is_held or entry.next_at is None else None",
        "after = None",
        "test_wanted_days.py::test_after_a_morning_in_one_zone_whoever_has_it_elsewhere_is_looked_at_at_their_hour_only",
    ),
    Mutation(
        "a decision is shown to whoever made it alone",
        "history/decisions.py",
        "by is not None and by.key == person.key",
        "by is not None",
        "test_history.py::test_nobody_sees_what_a_colleague_of_the_group_or_a_later_step_decided",
    ),
)


def main() -> int:
    """Try every mutation; returns 1 when one goes unnoticed."""
    unnoticed = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "node_modules")
                shutil.copytree(source, copy / name, ignore=ignored)
            else:
                shutil.copy(source, copy / name)
        (copy / "sandbox" / "node_modules").symlink_to(ROOT / "sandbox" / "node_modules")
        for mutation in MUTATIONS:
            is_noticed = _is_noticed(copy, mutation)
            unnoticed += not is_noticed
            print(
                f"{'noticed  ' if is_noticed else 'UNNOTICED'} {mutation.rule} ({mutation.test})", flush=True
            )
    print(f"{len(MUTATIONS) - unnoticed} of {len(MUTATIONS)} noticed")
    return 1 if unnoticed else 0


def _is_noticed(copy: Path, mutation: Mutation) -> bool:
    """Run the test on the code as it is, which must pass, and without the rule, which must not."""
    path = copy / "coupa_core" / mutation.file
    whole = path.read_text("utf-8")
    if whole.count(mutation.old) != 1:
        raise SystemExit(f"{mutation.file} does not say once: {mutation.old}")
    if not _passes(copy, mutation.test):
        raise SystemExit(f"{mutation.test} fails on the code as it is")
    path.write_text(whole.replace(mutation.old, mutation.new), "utf-8")
    try:
        return not _passes(copy, mutation.test)
    finally:
        path.write_text(whole, "utf-8")


def _passes(copy: Path, test: str) -> bool:
    every = ["-m", "", "--hypothesis-profile=all"]
    command = [sys.executable, "-B", "-m", "pytest", "-qx", "-p", "no:cacheprovider", *every, f"tests/{test}"]
    quiet = subprocess.DEVNULL  # no pipe, which a process that is left behind would hold
    try:
        done = subprocess.run(command, cwd=copy, stdout=quiet, stderr=quiet, check=False, timeout=TEST_S)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
