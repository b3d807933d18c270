//! What the front desk has to do about an entry.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::labelled_enum::labelled_enum;
use super::outcome::Outcome;
use super::reason::Reason;
use super::remedy::doubt_of_held;
use super::state::State;

labelled_enum! {
    /// What the front desk has to do about an entry that is finished or stuck.
    pub enum WorkGroup;

    /// The patient wants to be called by a person, or a reminder's last moment passed and nobody was reached.
    CallBack = "call_back", "call back";
    /// The patient booked an appointment, which the practice's software does not know.
    EnterBooking = "enter_booking", "enter the booking";
    /// The patient wants another time.
    Reschedule = "reschedule", "reschedule";
    /// A person has to read what was said.
    ReadAndDecide = "read_and_decide", "read and decide";
    /// The number is somebody else's or does not exist.
    CorrectNumber = "correct_number", "correct the number";
    /// The person does not want to be called again.
    MarkDoNotCall = "mark_do_not_call", "mark do-not-call";
    /// The patient has died or moved.
    CheckChart = "check_chart", "check the chart";
    /// The call is held, was refused, or was lost track of.
    HeldOrLost = "held_or_lost", "held or lost track of";
    /// Nobody has to do anything.
    NothingToDo = "nothing_to_do", "nothing to do";
}

impl WorkGroup {
    /// The one group of an entry that is finished or stuck; `None` for one that is still to be called or is being
    /// called.
    #[must_use]
    pub fn of(state: State, outcome: Option<Outcome>, reason: Option<Reason>) -> Option<Self> {
        match state {
            State::Ready | State::Waiting | State::Submitting | State::Open | State::Unknown => None,
            // The entry of the household's call has the work.
            State::Finished if reason == Some(Reason::SpokenFor) => Some(Self::NothingToDo),
            State::Finished => Some(outcome.map_or(Self::ReadAndDecide, Self::after)),
            State::Held if doubt_of_held(state, reason).is_some() => Some(Self::ReadAndDecide),
            State::Held | State::Failed | State::LostTrack => Some(Self::HeldOrLost),
            // Its last moment passed, and nobody was ever reached or left a message.
            State::Expired if matches!(outcome, None | Some(Outcome::NoAnswer | Outcome::Busy)) => Some(Self::CallBack),
            // No call follows, but what the calls before brought is to be done all the same.
            State::Expired | State::Suppressed | State::Withdrawn | State::Cancelled => {
                Some(outcome.map_or(Self::NothingToDo, Self::after))
            }
        }
    }

    /// The group of an entry whose last conversation had this outcome, and that is not called again.
    fn after(outcome: Outcome) -> Self {
        match outcome {
            Outcome::CallbackRequested => Self::CallBack,
            Outcome::Booked => Self::EnterBooking,
            Outcome::RescheduleRequested => Self::Reschedule,
            Outcome::Unclassified => Self::ReadAndDecide,
            Outcome::WrongNumber | Outcome::InvalidNumber => Self::CorrectNumber,
            Outcome::OptOut => Self::MarkDoNotCall,
            Outcome::DeceasedOrMoved => Self::CheckChart,
            Outcome::Confirmed
            | Outcome::Declined
            | Outcome::LeftVoicemail
            | Outcome::NoAnswer
            | Outcome::Busy
            | Outcome::ReachedOther => Self::NothingToDo,
        }
    }

    /// The group with this machine word; `-` counts as `_`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let name = name.replace('-', "_");
        Self::ALL.iter().copied().find(|group| group.name() == name)
    }

    /// Whether somebody has to do something.
    #[must_use]
    pub fn is_work(self) -> bool {
        self != Self::NothingToDo
    }
}

impl fmt::Display for WorkGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Doubt;

    #[test]
    fn every_finished_or_stuck_entry_has_one_group_and_no_other_entry_has_one() {
        let reasons = Reason::ALL.iter().copied().map(Some).chain([None]);
        let outcomes = Outcome::ALL.iter().copied().map(Some).chain([None]);
        for (state, reason) in State::ALL.into_iter().flat_map(|state| reasons.clone().map(move |it| (state, it))) {
            for outcome in outcomes.clone() {
                let is_going_on = state.is_callable() || state.has_call_to_settle() && state != State::LostTrack;
                let group = WorkGroup::of(state, outcome, reason);
                assert_eq!(group.is_none(), is_going_on, "{state} {outcome:?} {reason:?}");
            }
        }
    }

    #[test]
    fn each_outcome_has_the_group_that_the_table_says() {
        const GROUPS: [(&str, &str); 14] = [
            ("booked", "enter the booking"),
            ("confirmed", "nothing to do"),
            ("reschedule_requested", "reschedule"),
            ("declined", "nothing to do"),
            ("callback_requested", "call back"),
            ("left_voicemail", "nothing to do"),
            ("no_answer", "nothing to do"),
            ("busy", "nothing to do"),
            ("wrong_number", "correct the number"),
            ("opt_out", "mark do-not-call"),
            ("deceased_or_moved", "check the chart"),
            ("invalid_number", "correct the number"),
            ("reached_other", "nothing to do"),
            ("unclassified", "read and decide"),
        ];
        let of = |outcome: &Outcome| WorkGroup::of(State::Finished, Some(*outcome), None).map(WorkGroup::label);
        let found: Vec<_> = Outcome::ALL.iter().map(|outcome| (outcome.name(), of(outcome).unwrap_or("-"))).collect();
        assert_eq!(found, GROUPS);
    }

    #[test]
    fn whoever_is_stuck_needs_somebody_and_an_unreached_reminder_a_call() {
        for state in [State::Held, State::Failed, State::LostTrack] {
            assert_eq!(WorkGroup::of(state, None, Some(Reason::AnswerLost)), Some(WorkGroup::HeldOrLost));
        }
        let expired = |outcome| WorkGroup::of(State::Expired, outcome, Some(Reason::NotAfter));
        for unreached in [None, Some(Outcome::NoAnswer), Some(Outcome::Busy)] {
            assert_eq!(expired(unreached), Some(WorkGroup::CallBack));
        }
        assert_eq!(expired(Some(Outcome::LeftVoicemail)), Some(WorkGroup::NothingToDo));
        assert_eq!(WorkGroup::of(State::Suppressed, None, Some(Reason::DoNotCall)), Some(WorkGroup::NothingToDo));
        for state in [State::Cancelled, State::Suppressed, State::Withdrawn, State::Expired] {
            assert_eq!(WorkGroup::of(state, Some(Outcome::Booked), None), Some(WorkGroup::EnterBooking), "{state}");
        }
    }

    #[test]
    fn whatever_a_person_has_to_read_is_read_and_not_resolved() {
        for doubt in Doubt::ALL {
            let group = WorkGroup::of(State::Held, Some(Outcome::Declined), Some(doubt.reason()));
            assert_eq!(group, Some(WorkGroup::ReadAndDecide));
        }
    }

    #[test]
    fn a_group_is_found_by_its_word_in_either_spelling() {
        for group in WorkGroup::ALL {
            assert_eq!(WorkGroup::named(group.name()), Some(*group));
            assert_eq!(WorkGroup::named(&group.name().replace('_', "-")), Some(*group));
        }
        assert_eq!(WorkGroup::named("call"), None);
    }
}
