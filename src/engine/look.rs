//! The look before a run's first call: does the ledger hold every call that our number has placed?
//!
//! One complete scan of the vendor's list, back to the last moment at which it did, tells. A conversation from our number
//! to a number of the ledger's entries that the ledger does not know means that this is an older copy, and that a call
//! might be made twice.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{ASKED_BEYOND, CLOCK_SLACK};
use crate::annie::{Conversation, Page};
use crate::ids::ConversationId;
use crate::ledger::{InStep, Sighting};
use crate::phone::E164;

/// A look that is not over.
#[derive(Debug)]
pub struct Look {
    /// Our numbers, and until when the ledger holds every call of each.
    lines: Vec<(E164, InStep)>,
    /// A call waits for it.
    pub wanted: bool,
    strangers: BTreeMap<ConversationId, Sighting>,
}

/// What a look came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    /// The ledger holds every call of each number but these, which are to be taken over.
    InStep(Vec<(E164, Vec<Sighting>)>),
    /// It lacks so many, the first of which began then.
    Behind {
        /// How many.
        calls: usize,
        /// When the first of them began.
        since: DateTime<Utc>,
    },
}

impl Look {
    /// At the calls of these numbers, all of which the ledger holds until `InStep::at`.
    #[must_use]
    pub fn new(lines: Vec<(E164, InStep)>) -> Self {
        Self { lines, wanted: false, strangers: BTreeMap::new() }
    }

    /// How far back a scan is asked to reach, by the vendor's clock, which is `ahead` of ours.
    #[must_use]
    pub fn back_to(&self, ahead: TimeDelta) -> DateTime<Utc> {
        self.must_reach(ahead) - ASKED_BEYOND
    }

    /// A demonstration's clock stands still between two runs and the vendor's does not: that it is ahead now says nothing
    /// about then.
    fn must_reach(&self, ahead: TimeDelta) -> DateTime<Utc> {
        let earliest = self.lines.iter().map(|(_, in_step)| in_step.at).min().unwrap_or(DateTime::UNIX_EPOCH);
        reach(earliest, ahead)
    }

    /// The conversations of a page that the ledger must be asked about.
    #[must_use]
    pub fn sightings(&self, page: &Page, ahead: TimeDelta) -> Vec<Sighting> {
        let sighting = |conversation: &Conversation| {
            let (from, in_step) = self.lines.iter().find(|(from, _)| conversation.from == Some(*from))?;
            let late_enough = |started: &DateTime<Utc>| *started >= reach(in_step.at, ahead);
            let started = conversation.started.filter(late_enough)? - ahead;
            Some(Sighting { conversation: conversation.id.clone(), from: *from, to: conversation.to?, started })
        };
        page.conversations.iter().filter(|conversation| conversation.is_call).filter_map(sighting).collect()
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
        // Of a number that an operator has adopted, what the ledger lacks is taken over.
        let takes_over = |from: E164| self.lines.iter().any(|(line, in_step)| *line == from && in_step.takes_over);
        let missed: Vec<_> = strangers.iter().filter(|stranger| !takes_over(stranger.from)).collect();
        if let Some(first) = missed.first() {
            return Seen::Behind { calls: missed.len(), since: first.started };
        }
        let of = |from: E164| strangers.iter().filter(|stranger| stranger.from == from).cloned().collect();
        Seen::InStep(self.lines.iter().map(|(from, _)| (*from, of(*from))).collect())
    }
}

/// How far back a number's calls must be seen, by the vendor's clock.
fn reach(in_step_at: DateTime<Utc>, ahead: TimeDelta) -> DateTime<Utc> {
    in_step_at + ahead.min(TimeDelta::zero()) - CLOCK_SLACK
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annie::Status;
    use crate::entry::Testimony;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    fn number(text: &str) -> E164 {
        E164::parse(text).expect("a number")
    }

    fn look(takes_over: bool) -> Look {
        Look::new(vec![(number("+13125550142"), InStep { at: at("2026-11-24T15:00:00Z"), takes_over })])
    }

    fn conversation(from: Option<&str>, to: Option<&str>, started: Option<&str>) -> Conversation {
        Conversation {
            is_call: true,
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
            (Conversation { is_call: false, ..conversation(ours, patient, later) }, false),
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
            from: number("+13125550142"),
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
        let taken_over = |strangers| Seen::InStep(vec![(number("+13125550142"), strangers)]);
        assert_eq!(seen(false, &[]), taken_over(vec![]));
        assert_eq!(seen(false, &both), Seen::Behind { calls: 2, since: early.started });
        assert_eq!(seen(true, &both), taken_over(vec![early, late]));
        assert_eq!(seen(true, &[]), taken_over(vec![]));
    }

    #[test]
    fn of_two_numbers_each_is_looked_at_as_far_back_as_the_ledger_lacks_it() {
        let (first, second) = (number("+13125550142"), number("+13125550143"));
        let in_step = |text, takes_over| InStep { at: at(text), takes_over };
        let mut look = Look::new(vec![
            (first, in_step("2026-11-24T15:00:00Z", true)),
            (second, in_step("2026-11-24T12:00:00Z", false)),
        ]);
        let noon = Some("2026-11-24T12:30:00Z");
        let page = Page {
            conversations: vec![
                conversation(Some("+13125550142"), Some("+13125550177"), noon),
                conversation(Some("+13125550143"), Some("+13125550177"), noon),
            ],
            unreadable: 0,
            offset: 0,
            total: None,
        };
        let sightings = look.sightings(&page, TimeDelta::zero());
        assert_eq!(sightings.iter().map(|sighting| sighting.from).collect::<Vec<_>>(), [second]);
        assert!(!look.is_settled_by(at("2026-11-24T14:00:00Z"), TimeDelta::zero()));
        look.add(sightings);
        assert!(matches!(look.seen(), Seen::Behind { calls: 1, .. }), "only the other number was adopted");
    }
}
