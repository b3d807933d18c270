//! Before an organisation's first call: do our numbers exist and may they call, and does the ledger hold every call that
//! they have placed?

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::annie::{Answer, Conversation, Page, Unread, Vendor};
use crate::engine::ending::Ending;
use crate::engine::events::Event;
use crate::engine::line::Requests;
use crate::engine::look::{Look, Seen};
use crate::engine::scan::Flaw;
use crate::engine::tracker::CompleteScan;
use crate::entry::AttemptState;
use crate::ids::ConversationId;
use crate::ledger::{Sighting, UnderWay, Unnamed};
use crate::phone::E164;

use super::{Dispatcher, Happening, followed};

impl<V: Vendor> Dispatcher<'_, '_, V> {
    /// Whether calls may be placed; if not, what they wait for is under way.
    pub(super) fn is_past_the_threshold(&mut self, now: DateTime<Utc>) -> bool {
        if let Some(from) = self.unchecked.last().copied() {
            self.check_line(from, now);
            return false;
        }
        match &mut self.look {
            Some(look) => {
                look.want(self.tracker.readable());
                false
            }
            None => true,
        }
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
            Err(unread) => {
                let retry_at = self.read_failed(unread);
                self.tracker.reads_not_before(retry_at);
            }
        }
    }

    /// Asks for something else than the list: if that can be read, it is the list that cannot.
    pub(super) fn probe(&mut self) {
        let Some(from) = self.numbers().first().copied() else { return };
        self.requests.other += 1;
        let vendor = Arc::clone(&self.engine.vendor);
        self.beside.spawn(async move { Ok(Happening::Probed(vendor.may_call_from(from).await)) });
    }

    pub(super) fn take_probe(&mut self, answer: &Answer<Result<Option<bool>, Unread>>) {
        self.reading = false;
        self.heard(answer);
        match answer.value {
            Ok(_) => {
                self.probes = false;
                self.vendor_works(Requests::Reads);
                self.proves_nothing(Flaw::Unreadable);
            }
            Err(Unread::RateLimited) => {}
            // The vendor is out, not its list.
            Err(unread) => {
                self.probes = false;
                let retry_at = self.read_failed(unread);
                self.tracker.reads_not_before(retry_at);
            }
        }
    }

    /// Whether something waits for the look.
    pub(super) fn look_is_wanted(&self) -> bool {
        self.look.as_ref().is_some_and(Look::is_wanted)
    }

    /// Asks the ledger which it knows of the rows that may be our numbers' calls.
    pub(super) fn look_for_unrecorded(&mut self, rows: &[Conversation]) {
        let ahead = self.ahead();
        let Some(look) = &mut self.look else { return };
        let ids = look.take(rows, ahead);
        if ids.is_empty() {
            return;
        }
        self.candidates += 1;
        let recorded = self.engine.ledger.recorded_among(ids);
        self.beside.spawn(async move { Ok(Happening::RecordedCalls(recorded.await?)) });
    }

    pub(super) fn look_at_the_nameless(&mut self, page: &Page) {
        let (ahead, now) = (self.ahead(), self.engine.clock.now());
        let Some(look) = &mut self.look else { return };
        let rows = look.take_nameless(page, &self.media, ahead, now);
        if rows.is_empty() {
            return;
        }
        self.candidates += 1;
        let unexplained = self.engine.ledger.unexplained(rows);
        self.beside.spawn(async move { Ok(Happening::Unexplained(unexplained.await?)) });
    }

    pub(super) fn take_unexplained(&mut self, rows: &[Unnamed]) {
        self.candidates -= 1;
        let now = self.engine.clock.now();
        if let Some(look) = &mut self.look {
            look.are_unexplained(rows, now);
        }
        self.conclude_scan();
    }

    pub(super) fn take_recorded_calls(&mut self, recorded: &[(ConversationId, bool)]) {
        self.candidates -= 1;
        for (id, is_answered) in recorded {
            if let Some(ours) = self.look.as_mut().and_then(|look| look.is_recorded(id))
                && *is_answered
            {
                self.learn_medium(&ours);
            }
        }
        self.conclude_scan();
    }

    /// A complete scan that reached back far enough ends the look, once the ledger has said which of the calls that it
    /// does not know are to its entries' numbers.
    pub(super) fn conclude_look(&mut self, scan: CompleteScan) {
        let ahead = self.ahead();
        let Some(look) = &mut self.look else { return };
        if !look.is_settled_by(scan.started, scan.back_to, ahead) {
            look.forget_rows();
            return;
        }
        match look.unrecorded_calls(&self.media, ahead) {
            Err(flaw) => self.look_failed(flaw),
            Ok(unrecorded) => {
                self.candidates += 1;
                look.ask_the_ledger();
                let strangers = self.engine.ledger.strangers(unrecorded);
                self.beside.spawn(async move { Ok(Happening::Strangers(strangers.await?)) });
            }
        }
    }

    pub(super) fn take_strangers(&mut self, strangers: Vec<Sighting>) {
        self.candidates -= 1;
        if let Some(look) = self.look.take() {
            self.end_look(look.seen(strangers));
        }
        self.conclude_scan();
    }

    fn end_look(&mut self, seen: Seen) {
        let lines = match seen {
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

    /// A scan has come to nothing: what it showed proves nothing.
    pub(super) fn proves_nothing(&mut self, flaw: Flaw) {
        self.forget_rows();
        if self.look_is_wanted() {
            self.look_failed(flaw);
        }
    }

    /// What a scan has shown counts with that scan alone.
    pub(super) fn forget_rows(&mut self) {
        self.reconciler.forget_rows();
        if let Some(look) = &mut self.look {
            look.forget_rows();
        }
    }

    /// The look cannot tell by this scan: after several of them nobody is called.
    fn look_failed(&mut self, flaw: Flaw) {
        let now = self.engine.clock.now();
        if self.look.as_mut().is_some_and(|look| look.failed(flaw, now)) {
            self.stop_placing(Ending::ListProvesNothing { flaw });
        }
    }

    pub(super) fn follow_the_taken_over(&mut self, taken: &[UnderWay]) {
        self.recording -= 1;
        let now = self.engine.clock.now();
        for attempt in taken {
            let Some(conversation) = attempt.conversation.clone() else { continue };
            if attempt.state == AttemptState::LostTrack {
                self.ask_again(attempt);
                continue;
            }
            self.tracker.follow(conversation.clone(), followed(attempt, attempt.intent_at));
            let &UnderWay { entry, attempt, .. } = attempt;
            self.tell(&[Event::TakenOver { at: now, entry, attempt, conversation }]);
        }
    }
}
