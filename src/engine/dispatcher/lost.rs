//! Lost answers, looked for among the conversations that the reads show (rule R).

use chrono::{DateTime, Utc};

use crate::annie::{Conversation, Page, Vendor};
use crate::campaign::OnLostAnswer;
use crate::engine::events::Event;
use crate::engine::list_order::Order;
use crate::engine::reconciler::{Proved, Unresolved};
use crate::engine::scan::Reach;
use crate::engine::tracker::{CompleteScan, Followed};
use crate::entry::{Fact, State};
use crate::ids::ConversationId;
use crate::ledger::{Happened, Note};

use super::{Dispatcher, Happening, happened};

impl<V: Vendor> Dispatcher<'_, '_, V> {
    /// A conversation that fits a lost answer is its own, unless the ledger knows it as another attempt's.
    pub(super) fn look_for_the_lost(&mut self, conversations: &[Conversation]) {
        let ahead = self.ahead();
        for conversation in conversations {
            self.reconciler.note_the_early(conversation, ahead);
            let claimants: Vec<_> = self
                .reconciler
                .claimants(conversation, &self.media, ahead)
                .map(|(one, likeness)| (one.clone(), likeness))
                .collect();
            for (unresolved, likeness) in claimants {
                self.candidates += 1;
                let conversation = conversation.clone();
                let unknown = self.engine.ledger.unknown_among(vec![conversation.id.clone()]);
                self.beside.spawn(async move {
                    let unclaimed = !unknown.await?.is_empty();
                    Ok(Happening::Candidate { unresolved, likeness, conversation, unclaimed })
                });
            }
        }
    }

    /// Rows without an id that may be a lost call: about that one the scan under way proves nothing.
    pub(super) fn doubt_the_nameless(&mut self, page: &Page) {
        let ahead = self.ahead();
        for row in &page.nameless {
            self.reconciler.doubt_nameless(row, &self.media, ahead);
        }
    }

    pub(super) fn adopt(&mut self, unresolved: &Unresolved, conversation: &Conversation) {
        // Two pages may show it: the first settles it.
        if self.reconciler.settle(unresolved.attempt).is_none() {
            return;
        }
        // The vendor does what it is asked, though its answer was lost.
        self.line.answers();
        let &Unresolved { attempt, entry, number, from, .. } = unresolved;
        self.refusals.was_placed(attempt, from);
        let at = self.engine.clock.now();
        let id = conversation.id.clone();
        self.tracker
            .follow(id.clone(), Followed { attempt, entry, number, since: at, answered: false, asked_at: None });
        let record = Happened {
            conversation: Some(id.clone()),
            started: conversation.started.map(|started| started - self.ahead()),
            ..happened(attempt, entry, at, Fact::Adopted, Some("found on the vendor's list".into()))
        };
        self.record(record, Event::Adopted { at, entry, attempt, conversation: id });
        if let Some((followed, conversation)) = self.tracker.take(conversation, at) {
            self.ended(&followed, &conversation);
        }
    }

    /// A complete scan, all of whose candidates have been checked, proves the absence of what it did not show. What is
    /// unclear about it is asked for by its id first.
    pub(super) fn conclude_scan(&mut self) {
        if self.candidates > 0 || !self.clearing_up.is_empty() {
            return;
        }
        let Some(scan) = self.checking else { return };
        let of_look = self.look.as_mut().map(|look| look.to_be_asked(&self.media)).unwrap_or_default();
        self.clearing_up.extend(of_look.into_iter().chain(self.reconciler.to_be_asked()));
        if !self.clearing_up.is_empty() {
            self.clearing_up.iter().for_each(|id| self.tracker.ask(id.clone()));
            return;
        }
        self.checking = None;
        self.conclude_look(scan);
        let retry = self.engine.campaign.safety.on_lost_answer == OnLostAnswer::Retry;
        let ahead = self.ahead();
        let Proved { counted, absent } = self.reconciler.prove_absence(scan.started, scan.back_to, &self.media, ahead);
        for one in &counted {
            self.note_scan(scan, one);
        }
        for one in &absent {
            self.absent(one, retry, "two complete scans");
        }
    }

    /// A conversation that was unclear has been asked for: what it shows now counts.
    pub(super) fn is_clearer(&mut self, id: &ConversationId, shown: Option<&Conversation>) {
        if !self.clearing_up.remove(id) {
            return;
        }
        if let Some(conversation) = shown {
            self.reconciler.shown(conversation);
            let shown = std::slice::from_ref(conversation);
            self.look_for_the_lost(shown);
            self.look_for_unrecorded(shown);
        }
        self.conclude_scan();
    }

    /// Keeps a scan as evidence for what is decided about an attempt: what it read, the oldest row that it saw, and why
    /// nothing of the time in question can be missing.
    fn note_scan(&mut self, scan: CompleteScan, about: &Unresolved) {
        let CompleteScan { started, back_to, pages, conversations, oldest, reach } = scan;
        let utc = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let reach = match reach {
            Reach::WholeList => "the list was read to its end".into(),
            Reach::PastTheInstant(Order::OldestFirst) => format!("oldest first, read back past {}", utc(back_to)),
            Reach::PastTheInstant(Order::NewestFirst | Order::None) => {
                format!("newest first, read back past {}", utc(back_to))
            }
        };
        let detail = format!(
            "{conversations} conversations on {pages} {}{}; {reach}; begun {}: not among them; {}",
            if pages == 1 { "page" } else { "pages" },
            oldest.map_or_else(String::new, |oldest| format!(", the oldest of {}", utc(oldest))),
            utc(started),
            about.near
        );
        let (entry, attempt) = (Some(about.entry), Some(about.attempt));
        let note = Note { at: self.engine.clock.now(), entry, attempt, kind: "scanned", detail };
        let noted = self.engine.ledger.note(self.engine.run, note);
        self.recording += 1;
        self.beside.spawn(async move { noted.await.map(|()| Happening::Recorded(Vec::new())) });
    }

    pub(super) fn absent(&mut self, absent: &Unresolved, retry: bool, because: &str) {
        let at = self.engine.clock.now();
        let &Unresolved { attempt, entry, .. } = absent;
        let state = if retry { State::Ready } else { State::Held };
        if retry {
            self.became_due(at);
        } else {
            // It waits for a person now, not for what others are told.
            self.refusals.explained(entry);
        }
        let record = happened(attempt, entry, at, Fact::Absent { retry }, Some(because.into()));
        self.record(record, Event::Absent { at, entry, attempt, state });
    }
}
