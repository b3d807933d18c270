//! The ledger alone.
//!
//! What every store must do is a case: a function over an [`Opener`], listed once in [`every_case_on`], which makes a
//! test of each case for a store. A further store runs the same cases by one more line. What only SQLite does is in
//! [`sqlite`].

mod approvals;
mod claims;
mod fixture;
mod households;
mod list_changes;
mod lists;
mod machine;
mod numbers;
mod operator;
mod reclassified;
mod reviews;
mod sqlite;
mod unrecorded_calls;
mod updates;
mod worklist;
mod writeback;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use self::fixture::{Fixture, Opener, committed, ended, entry, noon, number, our_caller_id, rows, update};
use super::*;
use crate::entry::{
    AttemptState, CallContent, Fact, HouseholdMember, ListCounts, ListEligibility, NewEntry, Outcome, PatientInfo,
    Reason, State, TextsAlone,
};
use crate::ids::{CampaignName, ConversationId, EntryId, EntryKey};

/// Makes a test of each case, on the stores that `$open` makes.
macro_rules! every_case_on {
    ($store:ident: $open:expr) => {
        mod $store {
            cases! { $open; approvals:
                a_call_that_provably_was_not_placed_may_still_be_placed,
                a_plan_with_an_entry_that_is_not_enrolled_is_refused,
                a_planned_run_claims_what_is_in_the_plan_and_nothing_else,
                an_entry_that_differs_from_its_approval_is_not_called,
                each_call_of_a_plan_is_made_once_whatever_came_of_it,
            }
            cases! { $open; claims:
                a_claim_authorises_once_and_its_intent_is_committed_when_it_returns,
                a_number_with_an_unsettled_call_waits,
            }
            cases! { $open; households:
                a_household_that_forms_anew_keeps_the_gap_of_each_of_its_patients,
                a_member_whose_calls_are_used_up_since_the_list_was_read_is_not_named_again,
                a_member_no_longer_waits_for_a_call_that_was_not_placed,
                a_member_of_a_cancelled_household_is_not_called_alone_until_that_is_taken_back,
                a_member_who_stays_when_another_leaves_keeps_the_gap_and_the_attempts,
                a_member_whose_household_had_a_wrong_number_is_called_at_another_one,
                a_patient_who_joins_a_household_is_not_missing_from_the_list,
                a_patient_for_whom_a_households_call_decided_is_not_called_again_and_others_are,
                a_wrong_number_is_wrong_for_the_member_who_stays_until_it_is_corrected,
                while_a_households_call_is_not_settled_no_other_member_is_called,
            }
            cases! { $open; list_changes:
                a_changed_number_still_waits_for_the_redial_gap,
                a_number_that_changed_during_a_cancellation_does_not_wait_for_the_old_ones_cap,
                a_wrong_number_that_is_corrected_is_not_called_if_the_list_forbids_it,
                a_list_change_during_a_call_is_applied_when_the_call_ends,
                an_edited_number_is_the_one_that_is_called_next,
                an_entry_that_is_no_longer_listed_is_withdrawn_and_comes_back_when_listed_again,
                enrolling_the_same_list_twice_inserts_nothing,
            }
            cases! { $open; lists:
                a_list_is_enrolled_to_its_end_whether_long_or_short,
                a_list_that_breaks_off_leaves_nothing,
                a_list_that_has_an_entry_twice_is_refused_whole,
                each_entry_of_a_chunk_of_any_size_has_its_event_and_is_called_as_listed,
                the_same_texts_change_nothing_and_other_texts_are_stored,
            }
            cases! { $open; machine:
                after_any_sequence_of_operations_the_ledger_agrees_with_the_model,
            }
            cases! { $open; numbers:
                a_corrected_number_is_a_new_chance_while_calls_are_left,
                a_corrected_number_reopens_a_call_that_was_refused_for_its_number,
                a_clock_that_was_set_back_shortens_no_pause_between_two_calls_to_a_number,
                a_number_from_a_newer_list_comes_before_the_alternates,
                after_a_wrong_number_the_patients_next_one_is_called_and_the_last_finishes_the_entry,
                every_rule_applies_to_the_alternate_number,
                nobody_who_opted_out_is_called_on_another_number,
                the_next_list_does_not_restore_a_number_that_was_wrong,
                without_another_number_or_a_redial_a_wrong_number_finishes_the_entry,
            }
            cases! { $open; operator:
                a_campaign_keeps_its_kind_of_vendor_while_calls_are_under_way,
                a_cancellation_that_is_taken_back_leaves_everybody_as_before_and_applies_the_lists_since,
                a_cancelled_call_is_followed_to_its_end_and_not_redialled,
                a_number_suppressed_after_the_claim_is_found_before_the_request_leaves,
                a_number_that_is_suppressed_again_keeps_who_said_so_first,
                a_paused_campaign_claims_nothing_in_any_run_until_it_is_resumed_or_the_pause_ends,
                a_person_may_settle_an_entry_that_was_lost_track_of,
                an_entry_held_for_a_lost_answer_is_held_again_when_its_cancellation_is_taken_back,
                undoing_takes_back_the_newest_cancellation_or_that_of_the_run_and_no_other,
                what_a_list_says_of_a_refused_patient_holds_once_an_operator_brings_them_back,
                who_is_off_the_list_when_a_campaign_is_cancelled_is_not_called_when_listed_again,
            }
            cases! { $open; reclassified:
                a_run_whose_list_was_not_enrolled_to_its_end_says_nothing_of_an_entry,
                an_earlier_call_that_turns_out_to_be_an_opt_out_settles_the_entry_that_it_held,
                an_entry_moves_as_its_new_outcome_demands_and_no_further,
                an_entry_that_a_newer_list_has_had_since_is_not_called_again,
                an_entry_that_has_left_the_list_or_is_excluded_since_is_not_called_again,
                an_entry_with_a_later_call_keeps_its_state,
                an_opt_out_or_a_persons_decision_about_any_call_of_the_entry_is_final,
                a_conversation_that_has_changed_since_it_was_shown_is_left_as_it_is,
                only_a_person_takes_an_opt_out_or_a_doubt_back,
            }
            cases! { $open; reviews:
                a_bar_is_lifted_with_the_last_doubt_whichever_came_first,
                a_cancelled_entry_that_was_in_doubt_is_called_only_if_its_cancellation_is_taken_back,
                a_conversation_read_late_holds_its_entry_whatever_became_of_it,
                a_decision_is_about_the_conversations_that_the_person_was_shown,
                a_decision_makes_the_bar_final_or_lifts_it_and_nothing_else,
                a_patient_who_is_barred_by_another_patients_doubt_needs_a_person,
                a_possible_opt_out_bars_its_number_for_everybody_and_holds_its_entry,
                a_stop_rule_counts_what_a_person_decided_about_a_call,
                an_entry_in_doubt_is_not_cancelled_before_a_person_has_read_it,
                an_exclude_list_during_the_run_counts_for_a_patient_who_is_barred_by_a_doubt,
                an_older_suppression_of_another_source_outlasts_a_review,
                every_conversation_that_a_person_has_decided_about_is_known_as_reviewed,
                no_later_list_lifts_the_bar_or_loses_the_entry,
                what_a_list_says_of_a_patient_who_is_barred_by_a_doubt_holds_once_the_bar_is_lifted,
                what_was_said_is_kept_with_every_ending_and_read_back,
            }
            cases! { $open; unrecorded_calls:
                a_call_that_is_taken_over_is_followed_and_its_entry_not_called_again,
                a_call_to_one_of_our_patients_that_no_attempt_can_have_placed_is_unrecorded,
                a_second_unrecorded_call_to_a_number_still_counts_for_it,
                the_watermark_is_at_the_ledgers_creation_and_later_at_its_last_claim,
            }
            cases! { $open; updates:
                a_conversation_belongs_to_one_attempt,
                a_job_that_fails_does_not_undo_its_neighbours_in_the_same_commit,
                an_illegal_fact_is_refused_and_leaves_nothing_half_done,
                an_opt_out_suppresses_its_number_at_once_for_everybody_on_it,
                the_ledger_follows_the_state_machines,
            }
            cases! { $open; worklist:
                an_earlier_run_shows_what_was_to_be_done_and_ticked_off_at_its_end,
                every_finished_or_stuck_entry_is_in_one_group_and_the_groups_add_up,
                the_second_to_tick_an_item_off_is_told_who_did_and_nothing_is_lost,
                what_a_call_brought_is_to_be_done_also_for_an_entry_that_is_not_called_again,
                what_is_done_about_an_earlier_call_is_open_again_after_a_further_one,
            }
            cases! { $open; writeback:
                a_call_that_is_not_rendered_waits_for_a_later_batch,
                each_call_is_in_one_batch_and_a_batch_has_the_same_bytes_again,
            }
        }
    };
}

macro_rules! cases {
    ($open:expr; $subject:ident: $($case:ident,)+) => {
        mod $subject {
            $(
                #[test]
                fn $case() {
                    crate::ledger::tests::$subject::$case($open);
                }
            )+
        }
    };
}

every_case_on!(sqlite_inline: crate::ledger::tests::sqlite::inline);
every_case_on!(sqlite_on_a_thread: crate::ledger::tests::sqlite::on_a_thread);
