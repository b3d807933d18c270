//! Reads: pages of the vendor's list, single conversations, and the endings that they show.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::annie::{Answer, Conversation, Page, Unread, Vendor};
use crate::engine::events::Event;
use crate::engine::line::Requests;
use crate::engine::outage::Outage;
use crate::engine::pieces;
use crate::engine::replies;
use crate::engine::scan::PAGE;
use crate::engine::tracker::{Followed, Pace, Read};
use crate::entry::Fact;
use crate::ids::ConversationId;
use crate::ledger::Happened;

use super::{Dispatcher, Happening, NextDue, happened};

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
        let look = self.look_is_wanted().then_some(DateTime::UNIX_EPOCH);
        let unsettled = self.reconciler.next_proof_at().into_iter().chain(look).min();
        let busy = self.reading || self.checking.is_some() || self.reads_no_more;
        if busy { None } else { self.tracker.due_at(self.pace(), unsettled) }
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
        let look = self.look.as_ref().map(|look| look.back_to(self.ahead));
        let back_to = self.reconciler.back_to(self.ahead).into_iter().chain(look).min();
        match self.tracker.next_read(self.pace(), now, back_to, self.ahead) {
            Read::Page { offset } => {
                let piece = self.piece;
                let requests = pieces::requests(PAGE, piece);
                self.requests.pages += u64::from(requests);
                for _ in 1..requests {
                    // What the budget has not left is not waited for: a page in pieces is rare.
                    let _ = self.budget.take(&self.organisation, now);
                }
                self.beside
                    .spawn(async move { Ok(Happening::Page(pieces::page(&*vendor, offset, PAGE, piece).await)) });
            }
            Read::Conversation(id) => {
                self.requests.conversations += 1;
                self.beside.spawn(async move { Ok(Happening::Conversation(vendor.conversation(&id).await)) });
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
            Err(unread) => self.read_failed(unread),
            Ok(page) => {
                self.vendor_works(Requests::Reads);
                let (closed, complete) = self.tracker.take_page(&page, self.engine.clock.now());
                for (followed, conversation) in closed {
                    self.ended(&followed, &conversation);
                }
                self.checking = complete;
                self.look_for_the_lost(&page);
                self.look_for_strangers(&page);
                self.conclude_scan();
            }
        }
    }

    pub(super) fn take_conversation(&mut self, answer: Answer<Result<Conversation, Unread>>) {
        self.reading = false;
        self.heard(&answer);
        match answer.value {
            // Not (yet) known under this id: the list may still show it, and its deadline ends the wait.
            Err(Unread::NotFound) => {}
            Err(unread) => self.read_failed(unread),
            Ok(conversation) => {
                if let Some((followed, conversation)) = self.tracker.take(&conversation, self.engine.clock.now()) {
                    self.ended(&followed, &conversation);
                }
            }
        }
    }

    pub(super) fn read_failed(&mut self, unread: Unread) {
        let now = self.engine.clock.now();
        if unread == Unread::TooLong && self.piece > pieces::LEAST {
            self.piece = (self.piece / 2).max(pieces::LEAST);
            return self.tracker.read_failed(now);
        }
        let retry_at = match unread {
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
        };
        self.tracker.read_failed(retry_at);
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
            started: conversation.started.map(|started| started - self.ahead),
            ended: conversation.ended.map(|ended| ended - self.ahead),
            ..happened(attempt, entry, at, fact, Some(evidence))
        };
        let conversation = conversation.id.clone();
        self.record(record, Event::Ended { at, entry, attempt, conversation, outcome, redial_at });
    }

    pub(super) fn give_up_on_the_overdue(&mut self, now: DateTime<Utc>) {
        for (conversation, Followed { attempt, entry, .. }) in self.tracker.give_up(now) {
            let record = happened(attempt, entry, now, Fact::TrackLost, None);
            self.record(record, Event::TrackLost { at: now, entry, attempt, conversation });
        }
        // Nothing was proved, so nobody is called again whatever the campaign says.
        for unsettled in self.reconciler.give_up(now) {
            let because = format!("the vendor's list could not settle it in time; {}", unsettled.near);
            self.absent(&unsettled, false, &because);
        }
    }
}
