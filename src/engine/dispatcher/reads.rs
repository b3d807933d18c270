//! Reads: pages of the vendor's list, single conversations, and the endings that they show.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::annie::{Answer, Conversation, Page, Unread, Vendor};
use crate::engine::events::Event;
use crate::engine::line::Requests;
use crate::engine::look::Look;
use crate::engine::outage::Outage;
use crate::engine::replies;
use crate::engine::tracker::{Followed, Pace, Read, ScanResult};
use crate::entry::Fact;
use crate::ids::ConversationId;
use crate::ledger::Happened;

use super::{Dispatcher, Happening, NextDue, happened};

/// Rows asked for at once at least: pages overlap, so fewer would not get on.
const LEAST: u32 = 2;

impl<V: Vendor> Dispatcher<'_, '_, V> {
    pub(super) fn pace(&self) -> Pace {
        let full = self.open_calls() >= self.rate.open_calls;
        if full || self.guard.allowance(self.open_calls()) == 0 {
            Pace::Blocked
        } else if self.ending.is_some() || matches!(self.next_due, NextDue::At(_)) {
            Pace::Draining
        } else {
            Pace::Dialling
        }
    }

    pub(super) fn read_due_at(&self) -> Option<DateTime<Utc>> {
        let look = self.look.as_ref().and_then(Look::next_scan_at);
        let clock = self.doubts_its_clock().then_some(DateTime::UNIX_EPOCH);
        let unsettled = self.reconciler.next_proof_at();
        let urgent = look.into_iter().chain(clock).min();
        let waits_for_checks = self.checking.is_some() && !self.tracker.asks();
        let busy = self.reading || waits_for_checks || self.reads_no_more;
        let due =
            if self.probes { Some(DateTime::UNIX_EPOCH) } else { self.tracker.due_at(self.pace(), unsettled, urgent) };
        due.filter(|_| !busy)
    }

    /// A read may take what the claim on its way has not been promised.
    pub(super) fn may_read(&self, now: DateTime<Utc>) -> bool {
        let spare = self.budget.available(&self.organisation, now) > self.claiming;
        spare && self.read_due_at().is_some_and(|due| due <= now)
    }

    pub(super) fn start_read(&mut self, now: DateTime<Utc>) {
        if self.budget.take(&self.organisation, now).is_err() {
            return;
        }
        self.reading = true;
        let vendor = Arc::clone(&self.engine.vendor);
        if self.probes {
            return self.probe();
        }
        let ahead = self.ahead();
        let look = self.look.as_ref().map(|look| look.back_to(ahead));
        let back_to = self.reconciler.back_to(ahead).into_iter().chain(look).min();
        let is_under_way = self.tracker.scans();
        match self.tracker.next_read(self.pace(), now, back_to, ahead) {
            Read::Page { offset } => {
                if !is_under_way {
                    self.forget_rows();
                }
                self.requests.pages += 1;
                let limit = self.page_limit;
                self.beside.spawn(async move { Ok(Happening::Page(vendor.page(offset, limit).await)) });
            }
            Read::Conversation(id) => {
                self.requests.conversations += 1;
                self.beside.spawn(async move {
                    let answer = vendor.conversation(&id).await;
                    Ok(Happening::Conversation(id, answer))
                });
            }
        }
    }

    pub(super) fn take_hints(&mut self, named: Vec<ConversationId>) {
        let now = self.engine.clock.now();
        for id in named {
            self.tracker.hint(id, now);
        }
    }

    pub(super) fn take_page(&mut self, answer: Answer<Result<Page, Unread>>) {
        self.reading = false;
        self.heard(&answer);
        match answer.value {
            Err(unread) => self.page_failed(unread),
            Ok(_) if self.may_be_stale(answer.date) => self.ask_for_the_page_again(self.engine.clock.now()),
            Ok(page) => {
                self.vendor_works(Requests::Reads);
                self.learn_media(&page);
                let (closed, result) = self.tracker.take_page(&page, self.engine.clock.now());
                for (followed, conversation) in closed {
                    self.ended(&followed, &conversation);
                }
                self.look_for_the_lost(&page.conversations);
                self.doubt_the_nameless(&page);
                self.look_for_unrecorded(&page.conversations);
                self.look_at_the_nameless(&page);
                match result {
                    ScanResult::Nothing => {}
                    ScanResult::Complete(scan) => {
                        self.checking = Some(scan);
                        self.conclude_scan();
                    }
                    ScanResult::Broken(flaw) => self.proves_nothing(flaw),
                }
            }
        }
    }

    /// What our own conversations show as their medium, calls show.
    fn learn_media(&mut self, page: &Page) {
        self.media.see(page);
        for conversation in &page.conversations {
            if self.tracker.is_call_of_ours(&conversation.id) {
                self.learn_medium(conversation);
            }
        }
    }

    pub(super) fn learn_medium(&mut self, ours: &Conversation) {
        if self.media.learn(ours) {
            let (word, ended) = (ours.medium.word().map(str::to_owned), ours.has_ended());
            let learnt = self.engine.ledger.learn_medium(self.organisation.clone(), word, ended);
            self.recording += 1;
            self.beside.spawn(async move { learnt.await.map(|()| Happening::Recorded(Vec::new())) });
        }
    }

    pub(super) fn take_conversation(&mut self, id: &ConversationId, answer: Answer<Result<Conversation, Unread>>) {
        self.reading = false;
        self.heard(&answer);
        let now = self.engine.clock.now();
        let (given_up, shown) = match answer.value {
            Ok(_) | Err(Unread::NotFound) if self.may_be_stale(answer.date) => {
                (self.tracker.conversation_failed(id, now), None)
            }
            Ok(conversation) => {
                self.vendor_works(Requests::Reads);
                let ended = self.tracker.take(&conversation, now);
                let given_up = if ended.is_none() { self.tracker.is_not_closed(id, now) } else { None };
                if let Some((followed, conversation)) = ended {
                    self.ended(&followed, &conversation);
                }
                (given_up, Some(conversation))
            }
            // Not (yet) known under this id: the list may still show it, and its deadline ends the wait.
            Err(Unread::NotFound) => (self.tracker.is_not_closed(id, now), None),
            Err(unread) => {
                let retry_at = self.read_failed(unread);
                (self.tracker.conversation_failed(id, retry_at), None)
            }
        };
        if let Some(followed) = given_up {
            self.lost_track(id.clone(), &followed);
        }
        self.is_clearer(id, shown.as_ref());
    }

    /// An answer of another time than now may be a proxy's, kept since then: what it lacks may have been there for long. A
    /// clock of ours that is wrong is told from it by several answers in a row.
    fn may_be_stale(&self, date: Option<DateTime<Utc>>) -> bool {
        date.is_some() && self.doubts_its_clock()
    }

    /// A page could not be read. One that cannot be read again and again proves nothing.
    fn page_failed(&mut self, unread: Unread) {
        let now = self.engine.clock.now();
        if unread == Unread::TooLong && self.page_limit > LEAST {
            // Fewer rows fit: the scan goes by what comes, not by what was asked for.
            self.page_limit = (self.page_limit / 2).max(LEAST);
            return self.tracker.reads_not_before(now);
        }
        let retry_at = self.read_failed(unread);
        self.ask_for_the_page_again(retry_at);
    }

    fn ask_for_the_page_again(&mut self, at: DateTime<Utc>) {
        if self.tracker.page_failed(at, self.engine.clock.now()) {
            self.forget_rows();
            self.probes = self.look_is_wanted();
        }
    }

    /// Why nothing came of a read; when to try again.
    pub(super) fn read_failed(&mut self, unread: Unread) -> DateTime<Utc> {
        let now = self.engine.clock.now();
        match unread {
            Unread::RateLimited => self.budget.ready_at(&self.organisation, now).unwrap_or(now),
            // One read at a time: it was asked for since.
            Unread::Unauthorised(_) => self.turned_away(now),
            Unread::Unreachable
            | Unread::NoAnswer
            | Unread::NotFound
            | Unread::WebPage(_)
            | Unread::Status(_)
            | Unread::TooLong
            | Unread::Unreadable => self.out_of_reach(Requests::Reads, Outage::of(unread).unwrap_or(Outage::Vendor)),
        }
    }

    pub(super) fn ended(&mut self, followed: &Followed, conversation: &Conversation) {
        let at = self.engine.clock.now();
        let &Followed { attempt, entry, number, .. } = followed;
        let (outcome, fact, evidence) = replies::ended(&self.engine.campaign, conversation, number, at);
        self.guard.ended(outcome);
        let redial_at = if let Fact::Ended { redial, .. } = fact { redial } else { None };
        if let Some(at) = redial_at {
            self.became_due(at);
        }
        let record = Happened {
            started: conversation.started.map(|started| started - self.ahead()),
            ended: conversation.ended.map(|ended| ended - self.ahead()),
            ..happened(attempt, entry, at, fact, Some(evidence))
        };
        let conversation = conversation.id.clone();
        self.record(record, Event::Ended { at, entry, attempt, conversation, outcome, redial_at });
    }

    pub(super) fn give_up_on_the_overdue(&mut self, now: DateTime<Utc>) {
        self.tracker.ask_for_the_overdue();
        // Nothing was proved, so nobody is called again whatever the campaign says.
        for unsettled in self.reconciler.give_up(now, self.tracker.readable()) {
            let because = format!("the vendor's list could not settle it in time; {}", unsettled.near);
            self.absent(&unsettled, false, &because);
        }
    }

    /// A conversation was still not over after its deadline, and when it was asked for once more.
    fn lost_track(&mut self, conversation: ConversationId, &Followed { attempt, entry, .. }: &Followed) {
        let now = self.engine.clock.now();
        let record = happened(attempt, entry, now, Fact::TrackLost, None);
        self.record(record, Event::TrackLost { at: now, entry, attempt, conversation });
    }
}
