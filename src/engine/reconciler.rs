//! Rule R: how a lost answer is settled.
//!
//! An attempt whose answer was lost may have become a conversation. Found on the vendor's list (our number, the number
//! dialled, started no earlier than the intent, and no other attempt's), it is adopted. Only after two complete scans,
//! both begun at least S after the last moment at which the request could have been accepted, is it absent. At most one
//! unresolved attempt per number exists, so that number and time identify it.

use chrono::{DateTime, TimeDelta, Utc};

use crate::annie::Conversation;
use crate::ids::{AttemptId, EntryId};
use crate::phone::E164;

/// Scans that must not show the conversation.
const PROOFS: u8 = 2;

/// How much the vendor's clock may differ from ours beyond what its `Date` tells.
const CLOCK_SLACK: TimeDelta = TimeDelta::seconds(120);

/// An attempt whose answer was lost.
#[derive(Debug, Clone)]
pub struct Unresolved {
    /// The attempt.
    pub attempt: AttemptId,
    /// Whose.
    pub entry: EntryId,
    /// The number dialled.
    pub to: E164,
    /// Which call to its entry it is, if it was placed.
    pub number: u32,
    /// When its intent was committed.
    pub intent_at: DateTime<Utc>,
    /// The last moment at which its request could have been accepted.
    pub lost_at: DateTime<Utc>,
    /// Complete scans, begun late enough, that did not show it.
    pub proofs: u8,
}

/// The attempts of a run whose answers were lost.
#[derive(Debug)]
pub struct Reconciler {
    from: E164,
    settle: TimeDelta,
    unresolved: Vec<Unresolved>,
}

impl Reconciler {
    /// For calls from `from`, with S = `settle`.
    #[must_use]
    pub fn new(from: E164, settle: TimeDelta) -> Self {
        Self { from, settle, unresolved: Vec::new() }
    }

    /// Takes an attempt on.
    pub fn add(&mut self, unresolved: Unresolved) {
        self.unresolved.push(unresolved);
    }

    /// Whether every lost answer is settled.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.unresolved.is_empty()
    }

    /// How far back a scan must reach for the attempts that are not settled, by the vendor's clock, which is `ahead` of
    /// ours.
    #[must_use]
    pub fn back_to(&self, ahead: TimeDelta) -> Option<DateTime<Utc>> {
        self.unresolved.iter().map(|one| one.intent_at + ahead - CLOCK_SLACK).min()
    }

    /// When a scan that begins then can next prove something.
    #[must_use]
    pub fn next_proof_at(&self) -> Option<DateTime<Utc>> {
        self.unresolved.iter().map(|one| one.lost_at + self.settle).min()
    }

    /// The attempt that this conversation may belong to, unless another attempt has it: the caller asks the ledger.
    #[must_use]
    pub fn claimant(&self, conversation: &Conversation, ahead: TimeDelta) -> Option<&Unresolved> {
        if conversation.from != Some(self.from) {
            return None;
        }
        let started = conversation.started?;
        let fits = |one: &&Unresolved| {
            conversation.to == Some(one.to) && started >= one.intent_at + ahead - CLOCK_SLACK
        };
        self.unresolved.iter().find(fits)
    }

    /// The attempt is settled: its conversation was found.
    pub fn settle(&mut self, attempt: AttemptId) -> Option<Unresolved> {
        let at = self.unresolved.iter().position(|one| one.attempt == attempt)?;
        Some(self.unresolved.remove(at))
    }

    /// A complete scan that began at `started` and reached back to `back_to` (by the vendor's clock) showed none of the
    /// attempts still here: counts it for those it proves something about, and returns those that are now absent.
    pub fn prove_absence(&mut self, started: DateTime<Utc>, back_to: DateTime<Utc>, ahead: TimeDelta) -> Vec<Unresolved> {
        let settle = self.settle;
        for one in &mut self.unresolved {
            let late_enough = started >= one.lost_at + settle;
            let far_enough = back_to <= one.intent_at + ahead - CLOCK_SLACK;
            one.proofs += u8::from(late_enough && far_enough);
        }
        let (absent, open) = std::mem::take(&mut self.unresolved).into_iter().partition(|one| one.proofs >= PROOFS);
        self.unresolved = open;
        absent
    }

    /// The attempts that are not settled.
    pub fn iter(&self) -> impl Iterator<Item = &Unresolved> {
        self.unresolved.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annie::Status;
    use crate::entry::Testimony;
    use crate::ids::ConversationId;

    fn number(text: &str) -> E164 {
        E164::parse(text).expect("a number")
    }

    fn ours() -> E164 {
        number("+13125550142")
    }

    fn intent() -> DateTime<Utc> {
        "2026-11-24T15:00:00Z".parse().expect("an instant")
    }

    fn seconds(seconds: i64) -> TimeDelta {
        TimeDelta::seconds(seconds)
    }

    fn one_unresolved() -> Reconciler {
        let mut reconciler = Reconciler::new(ours(), seconds(300));
        reconciler.add(Unresolved {
            attempt: AttemptId(1),
            entry: EntryId(1),
            to: number("+13125550177"),
            number: 1,
            intent_at: intent(),
            lost_at: intent() + seconds(30),
            proofs: 0,
        });
        reconciler
    }

    fn conversation(from: E164, to: E164, started: DateTime<Utc>) -> Conversation {
        Conversation {
            id: ConversationId::new("c-1"),
            from: Some(from),
            to: Some(to),
            started: Some(started),
            ended: None,
            status: Status::Open,
            testimony: Testimony::default(),
        }
    }

    #[test]
    fn a_conversation_between_the_two_numbers_after_the_intent_is_claimed() {
        let to = number("+13125550177");
        let cases = [
            (conversation(ours(), to, intent() + seconds(2)), true),
            (conversation(ours(), to, intent() - seconds(3_600)), false),
            (conversation(to, ours(), intent() + seconds(2)), false),
            (conversation(ours(), number("+13125550178"), intent() + seconds(2)), false),
        ];
        for (found, claimed) in cases {
            assert_eq!(one_unresolved().claimant(&found, seconds(0)).is_some(), claimed, "{found:?}");
        }
    }

    #[test]
    fn the_vendors_clock_is_allowed_for() {
        let ahead = seconds(3_600);
        let to = number("+13125550177");
        let reconciler = one_unresolved();
        assert!(reconciler.claimant(&conversation(ours(), to, intent() + ahead), ahead).is_some());
        assert!(reconciler.claimant(&conversation(ours(), to, intent()), ahead).is_none());
    }

    #[test]
    fn only_two_scans_that_began_late_enough_prove_absence() {
        let back = intent() - seconds(600);
        let mut reconciler = one_unresolved();
        let early = intent() + seconds(30 + 299);
        let late = intent() + seconds(30 + 300);
        for _ in 0..5 {
            assert!(reconciler.prove_absence(early, back, seconds(0)).is_empty());
        }
        assert!(reconciler.prove_absence(late, back, seconds(0)).is_empty());
        assert_eq!(reconciler.prove_absence(late + seconds(30), back, seconds(0)).len(), 1);
        assert!(reconciler.is_empty());
    }

    #[test]
    fn a_scan_that_does_not_reach_back_to_the_intent_proves_nothing() {
        let mut reconciler = one_unresolved();
        let late = intent() + seconds(1_000);
        for _ in 0..5 {
            assert!(reconciler.prove_absence(late, intent() + seconds(1), seconds(0)).is_empty());
        }
    }
}
