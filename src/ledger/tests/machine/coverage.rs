//! What the sequences covered, so that a test which no longer tests anything is noticed.

use super::*;

/// Counts over all sequences.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    calls: usize,
    second_calls: usize,
    held: usize,
    withdrawn_once_settled: usize,
    held_for_review: usize,
    cancelled_once_settled: usize,
    bars_lifted: usize,
}

impl Coverage {
    pub(super) fn add(&mut self, test: &ModelTest) {
        let again = |call: &&Call| test.calls.iter().filter(|other| other.index == call.index).count() > 1;
        let events = test.fixture.events_of(1..=ENTRIES.len() as i64);
        self.calls += test.calls.len();
        self.second_calls += test.calls.iter().filter(again).count();
        self.held += test.entries.iter().filter(|entry| entry.state == State::Held).count();
        self.held_for_review += test.entries.iter().filter(|entry| entry.held_for_review).count();
        self.cancelled_once_settled += events
            .iter()
            .zip(events.iter().skip(1))
            .filter(|(event, next)| event.kind == "ended" && next.kind == "cancelled")
            .count();
        self.bars_lifted += events.iter().filter(|event| event.kind == "bar_lifted").count();
        self.withdrawn_once_settled +=
            events.iter().filter(|event| event.kind == "unlisted" && event.detail.is_some()).count();
    }

    pub(super) fn is_complete(&self) -> bool {
        let Self {
            calls,
            second_calls,
            held,
            withdrawn_once_settled,
            held_for_review,
            cancelled_once_settled,
            bars_lifted,
        } = self;
        [calls, second_calls, held, withdrawn_once_settled, held_for_review, cancelled_once_settled, bars_lifted]
            .into_iter()
            .all(|count| *count > 0)
    }
}
