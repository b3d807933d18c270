//! Lost answers, looked for among the conversations that the reads show (rule R).

use crate::annie::{Conversation, Page, Vendor};
use crate::campaign::OnLostAnswer;
use crate::engine::events::Event;
use crate::engine::reconciler::{Proved, Unresolved};
use crate::engine::tracker::{CompleteScan, Followed};
use crate::entry::{Fact, State};
use crate::ledger::{Happened, Note};

use super::{Dispatcher, Happening, happened};

impl<V: Vendor> Dispatcher<'_, '_, V> {
    /// A conversation that fits a lost answer is its own, unless the ledger knows it as another attempt's.
    pub(super) fn look_for_the_lost(&mut self, page: &Page) {
        for conversation in &page.conversations {
            self.reconciler.note_the_early(conversation, self.ahead);
            let claimants: Vec<_> = self
                .reconciler
                .claimants(conversation, self.ahead)
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

    pub(super) fn adopt(&mut self, unresolved: &Unresolved, conversation: &Conversation) {
        // Two pages may show it: the first settles it.
        if self.reconciler.settle(unresolved.attempt).is_none() {
            return;
        }
        // The vendor does what it is asked, though its answer was lost.
        self.line.answers();
        let &Unresolved { attempt, entry, number, .. } = unresolved;
        let at = self.engine.clock.now();
        let id = conversation.id.clone();
        self.tracker
            .follow(id.clone(), Followed { attempt, entry, number, since: at, followed_since: at, asked_at: None });
        let record = Happened {
            conversation: Some(id.clone()),
            started: conversation.started.map(|started| started - self.ahead),
            ..happened(attempt, entry, at, Fact::Adopted, Some("found on the vendor's list".into()))
        };
        self.record(record, Event::Adopted { at, entry, attempt, conversation: id });
        if let Some((followed, conversation)) = self.tracker.take(conversation, at) {
            self.ended(&followed, &conversation);
        }
    }

    /// A complete scan, all of whose candidates have been checked, proves the absence of what it did not show.
    pub(super) fn conclude_scan(&mut self) {
        if self.candidates > 0 {
            return;
        }
        let Some(scan) = self.checking.take() else { return };
        self.conclude_look(scan);
        if !scan.proves_absence {
            return;
        }
        let retry = self.engine.campaign.safety.on_lost_answer == OnLostAnswer::Retry;
        let Proved { counted, absent } = self.reconciler.prove_absence(scan.started, scan.back_to, self.ahead);
        for one in &counted {
            self.note_scan(scan, one);
        }
        for one in &absent {
            self.absent(one, retry, "two complete scans");
        }
    }

    /// Keeps a scan as evidence for what is decided about an attempt.
    fn note_scan(&mut self, scan: CompleteScan, about: &Unresolved) {
        let CompleteScan { started, back_to, pages, conversations, .. } = scan;
        let detail = format!(
            "{conversations} conversations on {pages} {}, back to {}, begun {}: not among them; {}",
            if pages == 1 { "page" } else { "pages" },
            back_to.format("%Y-%m-%dT%H:%M:%SZ"),
            started.format("%Y-%m-%dT%H:%M:%SZ"),
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
        }
        let record = happened(attempt, entry, at, Fact::Absent { retry }, Some(because.into()));
        self.record(record, Event::Absent { at, entry, attempt, state });
    }
}
