//! Matches lost answers with the conversations that reads show (rule R).

use chrono::{DateTime, Utc};

use crate::campaign::OnLostAnswer;
use crate::engine::events::Event;
use crate::engine::list_order::ListOrder;
use crate::engine::reconciler::{AbsenceProof, LostAttempt, MatchQuality};
use crate::engine::scan::CompletenessReason;
use crate::engine::tracker::{CompleteScan, TrackedConversation};
use crate::entry::{Fact, State};
use crate::ids::ConversationId;
use crate::ledger::{AttemptUpdate, AuditNote};
use crate::vendor::{Conversation, Page};

use super::state::{Dispatcher, attempt_update};
use super::work::{Effects, Work};

impl Dispatcher {
    /// A conversation that fits a lost answer belongs to it, unless the ledger has it as another attempt's.
    pub(super) fn match_lost_answers(&mut self, conversations: &[Conversation], effects: &mut Effects) {
        let ahead = self.ahead();
        for conversation in conversations {
            self.reconciler.note_early(conversation, ahead);
            let matches: Vec<_> = self
                .reconciler
                .matching_attempts(conversation, &self.call_media, ahead)
                .map(|(lost, quality)| (lost.clone(), quality))
                .collect();
            for (lost, quality) in matches {
                self.start(Work::CheckCandidate { lost, quality, conversation: conversation.clone() }, effects);
            }
        }
    }

    pub(super) fn on_candidate(
        &mut self,
        lost: &LostAttempt,
        quality: MatchQuality,
        conversation: &Conversation,
        unclaimed: bool,
        effects: &mut Effects,
    ) {
        match quality {
            MatchQuality::Fits if unclaimed => self.adopt(lost, conversation, effects),
            MatchQuality::MayFit if unclaimed => self.reconciler.mark_unclear(conversation),
            MatchQuality::Fits => self.reconciler.note_taken(lost.attempt, &conversation.id),
            MatchQuality::MayFit => {}
        }
        self.conclude_scan(effects);
    }

    /// Rows without an id may be the lost call: for that attempt the current scan proves nothing.
    pub(super) fn match_rows_without_id(&mut self, page: &Page) {
        let ahead = self.ahead();
        for row in &page.rows_without_id {
            self.reconciler.on_row_without_id(row, &self.call_media, ahead);
        }
    }

    fn adopt(&mut self, lost: &LostAttempt, conversation: &Conversation, effects: &mut Effects) {
        // Overlapping pages may both show it: the first one settles the attempt.
        if self.reconciler.remove(lost.attempt).is_none() {
            return;
        }
        // The vendor did place the call, although its answer was lost.
        self.vendor_health.on_call_answered();
        let &LostAttempt { attempt, entry, number, from, .. } = lost;
        self.refusals.on_lost_call_found(attempt, from);
        let at = effects.now;
        let id = conversation.id.clone();
        self.tracker.track(
            id.clone(),
            TrackedConversation { attempt, entry, number, since: at, answered: false, asked_at: None },
        );
        let record = AttemptUpdate {
            conversation: Some(id.clone()),
            started: conversation.started.map(|started| started - self.ahead()),
            ..attempt_update(attempt, entry, at, Fact::Adopted, Some("found on the vendor's list".into()))
        };
        self.record(record, Event::Adopted { at, entry, attempt, conversation: id }, effects);
        if let Some((tracked, conversation)) = self.tracker.on_conversation(conversation, at) {
            self.on_ended(&tracked, &conversation, effects);
        }
    }

    /// Concludes a complete scan once its rows have been checked against the ledger: what it did not show is absent.
    /// Unclear rows are read by id first.
    pub(super) fn conclude_scan(&mut self, effects: &mut Effects) {
        if self.in_flight.ledger_checks > 0 || !self.unclear_reads.is_empty() {
            return;
        }
        let Some(scan) = self.scan_to_conclude else { return };
        let for_staleness_check =
            self.staleness_check.as_mut().map(|check| check.take_unclear(&self.call_media)).unwrap_or_default();
        self.unclear_reads.extend(for_staleness_check.into_iter().chain(self.reconciler.take_unclear()));
        if !self.unclear_reads.is_empty() {
            self.unclear_reads.iter().for_each(|id| self.tracker.queue_read(id.clone()));
            return;
        }
        self.scan_to_conclude = None;
        self.conclude_staleness_check(scan, effects);
        let retry = self.campaign.safety.on_lost_answer == OnLostAnswer::Retry;
        let ahead = self.ahead();
        let AbsenceProof { counted, absent } =
            self.reconciler.prove_absence(scan.started, scan.back_to, &self.call_media, ahead);
        for lost in &counted {
            self.record_scan_evidence(scan, lost, effects);
        }
        for lost in &absent {
            self.on_absent(lost, retry, "two complete scans", effects);
        }
    }

    /// Replaces an unclear row with what the read by id showed (`None`: the read failed).
    pub(super) fn on_unclear_read(&mut self, id: &ConversationId, shown: Option<&Conversation>, effects: &mut Effects) {
        if !self.unclear_reads.remove(id) {
            return;
        }
        if let Some(conversation) = shown {
            self.reconciler.update_unclear(conversation);
            let shown = std::slice::from_ref(conversation);
            self.match_lost_answers(shown, effects);
            self.check_unrecorded(shown, effects);
        }
        self.conclude_scan(effects);
    }

    /// Writes the scan to the ledger as evidence about a lost attempt: what it read, its oldest row, and why it is
    /// complete.
    fn record_scan_evidence(&mut self, scan: CompleteScan, lost: &LostAttempt, effects: &mut Effects) {
        let CompleteScan { started, back_to, pages, conversations, oldest, completeness } = scan;
        let utc = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let completeness = match completeness {
            CompletenessReason::WholeList => "the list was read to its end".into(),
            CompletenessReason::PastTheInstant(ListOrder::OldestFirst) => {
                format!("oldest first, read back past {}", utc(back_to))
            }
            CompletenessReason::PastTheInstant(ListOrder::NewestFirst | ListOrder::None) => {
                format!("newest first, read back past {}", utc(back_to))
            }
        };
        let detail = format!(
            "{conversations} conversations on {pages} {}{}; {completeness}; begun {}: the call is not among them; {}",
            if pages == 1 { "page" } else { "pages" },
            oldest.map_or_else(String::new, |oldest| format!(", the oldest of {}", utc(oldest))),
            utc(started),
            lost.evidence
        );
        let (entry, attempt) = (Some(lost.entry), Some(lost.attempt));
        let note = AuditNote { at: effects.now, entry, attempt, kind: "scanned", detail };
        self.start(Work::Note(note), effects);
    }

    pub(super) fn on_absent(&mut self, lost: &LostAttempt, retry: bool, detail: &str, effects: &mut Effects) {
        let at = effects.now;
        let &LostAttempt { attempt, entry, .. } = lost;
        let state = if retry { State::Ready } else { State::Held };
        if retry {
            self.on_due(at);
        } else {
            // The entry waits for the operator now, so its refusals say nothing about other patients.
            self.refusals.on_entry_settled(entry);
        }
        let record = attempt_update(attempt, entry, at, Fact::Absent { retry }, Some(detail.into()));
        self.record(record, Event::Absent { at, entry, attempt, state }, effects);
    }
}
