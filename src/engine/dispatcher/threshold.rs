//! Before an organisation's first call: do our numbers exist and may they call, and does the ledger hold every call that
//! they have placed?

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::annie::{Answer, Page, Unread, Vendor};
use crate::engine::ending::Ending;
use crate::engine::events::Event;
use crate::engine::look::Seen;
use crate::engine::tracker::CompleteScan;
use crate::ledger::{Sighting, UnderWay};
use crate::phone::E164;

use super::{Dispatcher, Happening, followed};

impl<V: Vendor> Dispatcher<'_, '_, V> {
    /// Whether calls may be placed; if not, what they wait for is under way.
    pub(super) fn is_past_the_threshold(&mut self, now: DateTime<Utc>) -> bool {
        if let Some(from) = self.unchecked.last().copied() {
            self.check_line(from, now);
            return false;
        }
        if let Some(look) = &mut self.look {
            look.wanted = true;
            return false;
        }
        true
    }

    fn check_line(&mut self, from: E164, now: DateTime<Utc>) {
        if self.reading || self.budget.take(&self.organisation, now).is_err() {
            return;
        }
        self.reading = true;
        self.requests.other += 1;
        let vendor = Arc::clone(&self.engine.vendor);
        self.beside.spawn(async move { Ok(Happening::Line(vendor.may_call_from(from).await)) });
    }

    pub(super) fn take_line(&mut self, answer: &Answer<Result<Option<bool>, Unread>>) {
        self.reading = false;
        self.heard(answer);
        match answer.value {
            Ok(Some(false)) => {
                if let Some(from) = self.unchecked.pop() {
                    self.silence(from, None);
                }
            }
            // An answer that cannot be used says nothing against the number: the first call will tell.
            Ok(Some(true) | None)
            | Err(Unread::NotFound | Unread::Status(_) | Unread::Unreadable | Unread::TooLong) => {
                self.unchecked.pop();
            }
            Err(unread) => self.read_failed(unread),
        }
    }

    /// Whether something waits for the look.
    pub(super) fn look_is_wanted(&self) -> bool {
        self.look.as_ref().is_some_and(|look| look.wanted)
    }

    /// Asks the ledger whether it knows the calls that a page shows.
    pub(super) fn look_for_strangers(&mut self, page: &Page) {
        let Some(look) = &self.look else { return };
        let sightings = look.sightings(page, self.ahead);
        if sightings.is_empty() {
            return;
        }
        self.candidates += 1;
        let strangers = self.engine.ledger.strangers(sightings);
        self.beside.spawn(async move { Ok(Happening::Strangers(strangers.await?)) });
    }

    pub(super) fn take_strangers(&mut self, strangers: Vec<Sighting>) {
        self.candidates -= 1;
        if let Some(look) = &mut self.look {
            look.add(strangers);
        }
        self.conclude_scan();
    }

    /// A complete scan that reached back far enough ends the look.
    pub(super) fn conclude_look(&mut self, scan: CompleteScan) {
        let Some(look) = self.look.take_if(|look| look.is_settled_by(scan.back_to, self.ahead)) else { return };
        let lines = match look.seen() {
            Seen::InStep(lines) => lines,
            Seen::Behind { calls, since } => return self.stop_placing(Ending::Behind { calls, since }),
        };
        let (run, now) = (self.engine.run, self.engine.clock.now());
        for (from, strangers) in lines {
            let taken = self.engine.ledger.in_step(run, self.our_line(from), strangers, now);
            self.recording += 1;
            self.beside.spawn(async move { Ok(Happening::TakenOver(taken.await?)) });
        }
    }

    pub(super) fn follow_the_taken_over(&mut self, taken: &[UnderWay]) {
        self.recording -= 1;
        let now = self.engine.clock.now();
        for attempt in taken {
            let Some(conversation) = attempt.conversation.clone() else { continue };
            self.tracker.follow(conversation.clone(), followed(attempt, attempt.intent_at, now));
            let &UnderWay { entry, attempt, .. } = attempt;
            self.tell(&[Event::TakenOver { at: now, entry, attempt, conversation }]);
        }
    }
}
