//! What a fact sets in its entry and in its attempt besides their states.

use chrono::{DateTime, Utc};

use super::attempt::AttemptState;
use super::classification::Doubt;
use super::outcome::Outcome;
use super::reason::Reason;
use super::state::{Fact, IllegalTransition, State};

/// What a fact sets in its entry besides the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EntryEffect {
    /// When the entry is due; `None`: as before.
    pub due_at: Option<DateTime<Utc>>,
    /// The reason for the new state; `None`: it has none.
    pub reason: Option<Reason>,
    /// The outcome of the last conversation; `None`: as before.
    pub outcome: Option<Outcome>,
}

/// What a fact sets in its attempt besides the state, and what it demands for the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AttemptEffect {
    /// When the request was answered; `None`: as before.
    pub answered_at: Option<DateTime<Utc>>,
    /// The last instant at which the request could have been accepted; `None`: as before.
    pub lost_at: Option<DateTime<Utc>>,
    /// When the conversation ended; `None`: as before.
    pub ended_at: Option<DateTime<Utc>>,
    /// The outcome of the conversation.
    pub outcome: Option<Outcome>,
    /// The reason for the new state, where it has one.
    pub reason: Option<Reason>,
    /// The conversation is known from the vendor's list, not from the response to the request.
    pub is_found_on_list: bool,
    /// What may have been said: the number is not called until a person has read it.
    pub doubt: Option<Doubt>,
    /// The number is not to be called again, for any purpose.
    pub suppresses_number: bool,
}

/// An entry's state, with what belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryStatus {
    /// The state.
    pub state: State,
    /// The reason for the state, where it has one.
    pub reason: Option<Reason>,
    /// When the entry is due, if it is ready or waiting.
    pub due_at: DateTime<Utc>,
    /// The outcome of its last conversation.
    pub outcome: Option<Outcome>,
}

impl EntryStatus {
    /// The status after `fact`, which became known at `at`.
    pub fn after(self, fact: &Fact, at: DateTime<Utc>) -> Result<Self, IllegalTransition> {
        let EntryEffect { due_at, reason, outcome } = fact.effect_on_entry(at);
        let (due_at, outcome) = (due_at.unwrap_or(self.due_at), outcome.or(self.outcome));
        Ok(Self { state: self.state.after(fact)?, reason, due_at, outcome })
    }
}

impl Fact {
    /// What the fact, known at `at`, sets in its entry.
    #[must_use]
    pub fn effect_on_entry(&self, at: DateTime<Utc>) -> EntryEffect {
        let with_reason = |reason| EntryEffect { reason: Some(reason), ..EntryEffect::default() };
        let due = |at| EntryEffect { due_at: Some(at), ..EntryEffect::default() };
        match *self {
            Self::Claimed | Self::Accepted | Self::Adopted => EntryEffect::default(),
            Self::Deferred { until, reason } => EntryEffect { due_at: Some(until), ..with_reason(reason) },
            Self::NotPlaced { retry_at, reason } => EntryEffect { due_at: Some(retry_at), ..with_reason(reason) },
            Self::Barred { reason }
            | Self::SetAside { reason }
            | Self::Refused { reason }
            | Self::TooLate { reason } => with_reason(reason),
            Self::Unlisted => with_reason(Reason::Unlisted),
            Self::AnswerLost | Self::Absent { retry: false } => with_reason(Reason::AnswerLost),
            Self::Listed
            | Self::NumberCorrected
            | Self::Absent { retry: true }
            | Self::DeclaredNotPlaced
            | Self::BarLifted => due(at),
            Self::TrackLost => with_reason(Reason::TrackLost),
            Self::CancelledByOperator => with_reason(Reason::Operator),
            Self::Reinstated { reason, .. } => EntryEffect { reason, ..EntryEffect::default() },
            Self::ReviewNeeded { doubt } => with_reason(doubt.reason()),
            Self::EndedInDoubt { outcome, doubt } => {
                EntryEffect { outcome: Some(outcome), ..with_reason(doubt.reason()) }
            }
            Self::SettledBefore { outcome } => {
                let reason = (!outcome.means_wrong_number()).then_some(Reason::SpokenFor);
                EntryEffect { outcome: Some(outcome), reason, ..EntryEffect::default() }
            }
            Self::Ended { outcome, redial }
            | Self::Reviewed { outcome, redial }
            | Self::Reclassified { outcome, redial } => {
                let reason = if outcome.means_wrong_number() { Reason::OtherNumber } else { Reason::RedialGap };
                EntryEffect { due_at: redial, reason: redial.map(|_| reason), outcome: Some(outcome) }
            }
        }
    }

    /// What the fact, known at `at`, sets in its attempt. `ended`: when the conversation ended, by the vendor's clock.
    #[must_use]
    pub fn effect_on_attempt(&self, at: DateTime<Utc>, ended: Option<DateTime<Utc>>) -> AttemptEffect {
        let none = AttemptEffect::default();
        let answered = AttemptEffect { answered_at: Some(at), ..none };
        match *self {
            Self::Accepted => answered,
            Self::Adopted => AttemptEffect { is_found_on_list: true, ..answered },
            Self::NotPlaced { reason, .. } | Self::Refused { reason } => {
                AttemptEffect { reason: Some(reason), ..answered }
            }
            Self::AnswerLost => AttemptEffect { lost_at: Some(at), reason: Some(Reason::AnswerLost), ..none },
            Self::Ended { outcome, .. } => AttemptEffect {
                ended_at: ended.or(Some(at)),
                outcome: Some(outcome),
                suppresses_number: outcome == Outcome::OptOut,
                ..none
            },
            Self::EndedInDoubt { outcome, doubt } => AttemptEffect {
                ended_at: ended.or(Some(at)),
                outcome: Some(outcome),
                doubt: Some(doubt),
                suppresses_number: outcome == Outcome::OptOut,
                ..none
            },
            Self::TrackLost => AttemptEffect { reason: Some(Reason::TrackLost), ..none },
            Self::Absent { .. } => AttemptEffect { reason: Some(Reason::AnswerLost), ..none },
            Self::DeclaredNotPlaced => AttemptEffect { reason: Some(Reason::Operator), ..none },
            Self::Claimed
            | Self::Deferred { .. }
            | Self::Barred { .. }
            | Self::SetAside { .. }
            | Self::Unlisted
            | Self::TooLate { .. }
            | Self::Listed
            | Self::NumberCorrected
            | Self::SettledBefore { .. }
            | Self::CancelledByOperator
            | Self::Reinstated { .. }
            | Self::ReviewNeeded { .. }
            | Self::Reviewed { .. }
            | Self::Reclassified { .. }
            | Self::BarLifted => none,
        }
    }

    /// Whether the fact about an attempt in state `attempt` also concerns its entry in state `entry`. An attempt that was
    /// lost track of may no longer be its entry's last one: its late ending settles an entry that waits for its next
    /// call, and leaves any other entry as it is.
    #[must_use]
    pub fn concerns_entry(&self, attempt: AttemptState, entry: State) -> bool {
        let is_last = attempt != AttemptState::LostTrack || entry == State::LostTrack;
        let ends_it = matches!(self, Self::Ended { redial: None, .. } | Self::EndedInDoubt { .. });
        let settles = ends_it && entry.is_callable();
        is_last || settles
    }

    /// Whether the patient's next number is dialled, if there is one: a further call follows, and the number was wrong.
    #[must_use]
    pub fn needs_another_number(&self) -> bool {
        matches!(
            self,
            Self::Ended { outcome, redial: Some(_) }
            | Self::Reviewed { outcome, redial: Some(_) }
            | Self::Reclassified { outcome, redial: Some(_) }
            if outcome.means_wrong_number()
        )
    }

    /// The fact if the patient has no number left to dial: no further call follows.
    #[must_use]
    pub fn without_redial(self) -> Self {
        let mut fact = self;
        if let Self::Ended { redial, .. } | Self::Reviewed { redial, .. } | Self::Reclassified { redial, .. } =
            &mut fact
        {
            *redial = None;
        }
        fact
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    /// What every fact sets in the entry (due, reason, outcome) and in the attempt (answered, lost, ended, outcome, reason,
    /// found on the list, number suppressed, in doubt); `-`: nothing. `now` is when the fact became known, `0` the instant in it.
    const EFFECTS: &str = "
claimed              | -   -           -      | -   -   -   -      -           -     - -
deferred             | 0   window      -      | -   -   -   -      -           -     - -
barred               | -   window      -      | -   -   -   -      -           -     - -
set_aside            | -   window      -      | -   -   -   -      -           -     - -
unlisted             | -   unlisted    -      | -   -   -   -      -           -     - -
too_late             | -   window      -      | -   -   -   -      -           -     - -
listed               | now -           -      | -   -   -   -      -           -     - -
number_corrected     | now -           -      | -   -   -   -      -           -     - -
settled_before       | -   spoken_for  booked | -   -   -   -      -           -     - -
accepted             | -   -           -      | now -   -   -      -           -     - -
not_placed           | 0   window      -      | now -   -   -      window      -     - -
refused              | -   window      -      | now -   -   -      window      -     - -
answer_lost          | -   answer_lost -      | -   now -   -      answer_lost -     - -
ended                | -   -           booked | -   -   now booked -           -     - -
ended                | 0   redial_gap  busy   | -   -   now busy   -           -     - -
track_lost           | -   track_lost  -      | -   -   -   -      track_lost  -     - -
adopted              | -   -           -      | now -   -   -      -           found - -
absent               | -   answer_lost -      | -   -   -   -      answer_lost -     - -
absent               | now -           -      | -   -   -   -      answer_lost -     - -
declared_not_placed  | now -           -      | -   -   -   -      operator    -     - -
cancelled            | -   operator    -      | -   -   -   -      -           -     - -
ended_in_doubt       | -   possible_opt_out unclassified | -   -   now unclassified -           -     - possible_opt_out
review_needed        | -   possibly_deceased -      | -   -   -   -      -           -     - -
reviewed             | -   -           opt_out | -   -   -   -      -           -     - -
reviewed             | 0   redial_gap  busy   | -   -   -   -      -           -     - -
reclassified         | -   -           booked | -   -   -   -      -           -     - -
reclassified         | 0   redial_gap  busy   | -   -   -   -      -           -     - -
bar_lifted           | now -           -      | -   -   -   -      -           -     - -
reinstated           | -   -           -      | -   -   -   -      -           -     - -
reinstated           | -   window      -      | -   -   -   -      -           -     - -
reinstated           | -   window      -      | -   -   -   -      -           -     - -
reinstated           | -   -           -      | -   -   -   -      -           -     - -
ended                | 0   other_number wrong_number | -   -   now wrong_number -           -     - -
ended                | -   -           opt_out | -   -   now opt_out -           -     suppressed -
";

    fn now() -> DateTime<Utc> {
        "2026-11-24T16:00:00Z".parse().expect("an instant")
    }

    #[test]
    fn every_fact_sets_what_the_table_says() {
        let again = Some(DateTime::UNIX_EPOCH);
        let more = [(Outcome::WrongNumber, again), (Outcome::OptOut, None)];
        let more = more.map(|(outcome, redial)| Fact::Ended { outcome, redial });
        let at = |at: Option<DateTime<Utc>>| at.map_or("-", |at| if at == now() { "now" } else { "0" });
        let (why, what) =
            (|it: Option<Reason>| it.map_or("-", Reason::name), |it: Option<Outcome>| it.map_or("-", Outcome::name));
        let word = |is: bool, word: &'static str| if is { word } else { "-" };
        let mut table = String::from("\n");
        for fact in Fact::every_shape().into_iter().chain(more) {
            let EntryEffect { due_at, reason, outcome } = fact.effect_on_entry(now());
            let entry = format!("{:<3} {:<11} {:<6}", at(due_at), why(reason), what(outcome));
            let set = fact.effect_on_attempt(now(), None);
            let instants = [set.answered_at, set.lost_at, set.ended_at].map(|it| format!("{:<4}", at(it))).concat();
            let rest =
                format!("{:<6} {:<11} {:<5}", what(set.outcome), why(set.reason), word(set.is_found_on_list, "found"));
            let last = [word(set.suppresses_number, "suppressed"), set.doubt.map_or("-", Doubt::name)].join(" ");
            let _ = writeln!(table, "{:<20} | {entry} | {instants}{rest} {last}", fact.name());
        }
        assert_eq!(table, EFFECTS, "{table}");
    }

    #[test]
    fn the_vendors_instant_of_an_ending_is_kept() {
        let ended = now() - chrono::TimeDelta::minutes(1);
        let fact = Fact::Ended { outcome: Outcome::Booked, redial: None };
        assert_eq!(fact.effect_on_attempt(now(), Some(ended)).ended_at, Some(ended));
    }

    #[test]
    fn a_late_ending_settles_an_entry_that_waits_and_leaves_any_other_as_it_is() {
        let last = Fact::Ended { outcome: Outcome::Booked, redial: None };
        let again = Fact::Ended { outcome: Outcome::Busy, redial: Some(now()) };
        for (fact, attempt, entry, concerned) in [
            (&last, AttemptState::Open, State::Open, true),
            (&again, AttemptState::LostTrack, State::LostTrack, true),
            (&last, AttemptState::LostTrack, State::Waiting, true),
            (&last, AttemptState::LostTrack, State::Ready, true),
            (&again, AttemptState::LostTrack, State::Waiting, false),
            (&last, AttemptState::LostTrack, State::Cancelled, false),
            (&last, AttemptState::LostTrack, State::Open, false),
        ] {
            assert_eq!(fact.concerns_entry(attempt, entry), concerned, "{fact:?} {attempt:?} {entry}");
        }
    }

    #[test]
    fn a_wrong_number_is_followed_by_the_next_one_and_without_it_by_no_call() {
        let ended = |outcome, redial| Fact::Ended { outcome, redial };
        assert!(ended(Outcome::WrongNumber, Some(now())).needs_another_number());
        assert!(!ended(Outcome::WrongNumber, None).needs_another_number());
        assert!(!ended(Outcome::Busy, Some(now())).needs_another_number());
        assert_eq!(ended(Outcome::Busy, Some(now())).without_redial(), ended(Outcome::Busy, None));
        assert_eq!(Fact::Accepted.without_redial(), Fact::Accepted);
    }
}
