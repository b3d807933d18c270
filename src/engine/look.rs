//! The look before a run's first call: does the ledger hold every call that our number has placed?
//!
//! One complete scan of the vendor's list, back to the last moment at which it did, tells. A conversation from our number
//! to a number of the ledger's entries that the ledger does not know means that this is an older copy, and that a call
//! might be made twice.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{ASKED_BEYOND, CLOCK_SLACK};
use crate::annie::Page;
use crate::ids::ConversationId;
use crate::ledger::{InStep, Sighting};
use crate::phone::E164;

/// A look that is not over.
#[derive(Debug)]
pub struct Look {
    from: E164,
    in_step: InStep,
    /// A call waits for it.
    pub wanted: bool,
    strangers: BTreeMap<ConversationId, Sighting>,
}

/// What a look came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    /// The ledger holds every call.
    InStep,
    /// It lacks these, which are to be taken over.
    ToTakeOver(Vec<Sighting>),
    /// It lacks so many, the first of which began then.
    Behind {
        /// How many.
        calls: usize,
        /// When the first of them began.
        since: DateTime<Utc>,
    },
}

impl Look {
    /// At the calls of `from`, all of which the ledger holds until `in_step.at`.
    #[must_use]
    pub fn new(from: E164, in_step: InStep) -> Self {
        Self { from, in_step, wanted: false, strangers: BTreeMap::new() }
    }

    /// How far back a scan is asked to reach, by the vendor's clock, which is `ahead` of ours.
    #[must_use]
    pub fn back_to(&self, ahead: TimeDelta) -> DateTime<Utc> {
        self.must_reach(ahead) - ASKED_BEYOND
    }

    /// A demonstration's clock stands still between two runs and the vendor's does not: that it is ahead now says nothing
    /// about then.
    fn must_reach(&self, ahead: TimeDelta) -> DateTime<Utc> {
        self.in_step.at + ahead.min(TimeDelta::zero()) - CLOCK_SLACK
    }

    /// The conversations of a page that the ledger must be asked about.
    #[must_use]
    pub fn sightings(&self, page: &Page, ahead: TimeDelta) -> Vec<Sighting> {
        let ours = page.conversations.iter().filter(|conversation| conversation.from == Some(self.from));
        let late_enough = |started: &DateTime<Utc>| *started >= self.must_reach(ahead);
        ours.filter_map(|conversation| {
            let started = conversation.started.filter(late_enough)? - ahead;
            Some(Sighting { conversation: conversation.id.clone(), to: conversation.to?, started })
        })
        .collect()
    }

    /// The ledger does not know these.
    pub fn add(&mut self, strangers: Vec<Sighting>) {
        self.strangers.extend(strangers.into_iter().map(|stranger| (stranger.conversation.clone(), stranger)));
    }

    /// Whether a complete scan that reached back to `back_to` settles it.
    #[must_use]
    pub fn is_settled_by(&self, back_to: DateTime<Utc>, ahead: TimeDelta) -> bool {
        back_to <= self.must_reach(ahead)
    }

    /// What it came to.
    #[must_use]
    pub fn seen(&self) -> Seen {
        let mut strangers: Vec<_> = self.strangers.values().cloned().collect();
        strangers.sort_by_key(|stranger| stranger.started);
        match strangers.first() {
            // Adopted, and nothing to take over: that is settled, too.
            _ if self.in_step.takes_over => Seen::ToTakeOver(strangers),
            None => Seen::InStep,
            Some(first) => Seen::Behind { calls: strangers.len(), since: first.started },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annie::{Conversation, Status};
    use crate::entry::Testimony;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    fn number(text: &str) -> E164 {
        E164::parse(text).expect("a number")
    }

    fn look(takes_over: bool) -> Look {
        Look::new(number("+13125550142"), InStep { at: at("2026-11-24T15:00:00Z"), takes_over })
    }

    fn conversation(from: Option<&str>, to: Option<&str>, started: Option<&str>) -> Conversation {
        Conversation {
            id: ConversationId::new("c-1"),
            from: from.map(number),
            to: to.map(number),
            started: started.map(at),
            ended: None,
            status: Status::Open,
            testimony: Testimony::default(),
        }
    }

    #[test]
    fn only_a_whole_conversation_of_our_number_since_the_ledger_was_in_step_is_asked_about() {
        let (ours, patient, later) = (Some("+13125550142"), Some("+13125550177"), Some("2026-11-24T15:10:00Z"));
        let cases = [
            (conversation(ours, patient, later), true),
            (conversation(ours, patient, Some("2026-11-24T14:58:30Z")), true),
            (conversation(ours, patient, Some("2026-11-24T14:57:00Z")), false),
            (conversation(Some("+13125550199"), patient, later), false),
            (conversation(None, patient, later), false),
            (conversation(ours, None, later), false),
            (conversation(ours, patient, None), false),
        ];
        for (conversation, asked_about) in cases {
            let page = Page { conversations: vec![conversation], unreadable: 0, offset: 0, total: None };
            let sightings = look(false).sightings(&page, TimeDelta::zero());
            assert_eq!(!sightings.is_empty(), asked_about, "{page:?}");
        }
    }

    #[test]
    fn a_clock_that_is_measured_a_little_otherwise_meanwhile_does_not_make_the_scan_fall_short() {
        let look = look(false);
        for (asked_with, measured) in [(0, -1), (-1, 0), (0, -30), (-5, -6)] {
            let asked = look.back_to(TimeDelta::seconds(asked_with));
            assert!(look.is_settled_by(asked, TimeDelta::seconds(measured)), "{asked_with} {measured}");
        }
        assert!(!look.is_settled_by(at("2026-11-24T14:59:00Z"), TimeDelta::zero()));
    }

    #[test]
    fn a_stranger_means_behind_unless_the_ledger_was_adopted() {
        let stranger = |id: &str, started| Sighting {
            conversation: ConversationId::new(id),
            to: number("+13125550177"),
            started: at(started),
        };
        let (early, late) = (stranger("b", "2026-11-24T15:01:00Z"), stranger("a", "2026-11-24T15:02:00Z"));
        let seen = |takes_over, strangers: &[Sighting]| {
            let mut look = look(takes_over);
            look.add(strangers.to_vec());
            look.add(strangers.to_vec());
            look.seen()
        };
        let both = [late.clone(), early.clone()];
        assert_eq!(seen(false, &[]), Seen::InStep);
        assert_eq!(seen(false, &both), Seen::Behind { calls: 2, since: early.started });
        assert_eq!(seen(true, &both), Seen::ToTakeOver(vec![early, late]));
        assert_eq!(seen(true, &[]), Seen::ToTakeOver(vec![]));
    }
}
