//! Rule R: how a lost answer is settled.
//!
//! An attempt whose answer was lost may have become a conversation. If the vendor's list shows it (our caller id, the
//! number dialed, started no earlier than the intent, and not another attempt's), it is adopted. It counts as absent
//! only after two complete scans that both began at least S after the last moment at which the request could have been
//! accepted. At most one unresolved attempt per number exists, so number and time identify it.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use super::call_media::CallMedia;
use super::vendor_clock::{CLOCK_SLACK, SCAN_MARGIN};
use crate::ids::{AttemptId, ConversationId, EntryId};
use crate::phone::E164;
use crate::vendor::{Channel, Conversation, RowWithoutId};

/// Complete scans without the conversation that prove its absence.
const SCANS_TO_PROVE: u8 = 2;

/// Near misses kept as evidence.
const MAX_NEAR_MISSES: usize = 3;

/// Unclear conversations read by id in one scan at most.
const MAX_SINGLE_READS: usize = 20;

/// How long a lost answer is looked for after S has passed, counting only time in which the list could be read. Then
/// the operator must decide.
const MAX_SEARCH_TIME: TimeDelta = TimeDelta::hours(2);

/// How well a conversation on the vendor's list matches an attempt whose answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchQuality {
    /// It is the lost call, unless the ledger has it as another attempt's.
    Fits,
    /// It lacks a number, its start or a clear medium, as it may while the call is in progress (`annie-api.md`), so it
    /// may be the lost call.
    MayFit,
}

/// A conversation between the same two numbers that is not the lost call, kept as evidence for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMiss {
    /// `None`: a row without an id.
    conversation: Option<ConversationId>,
    mismatch: MismatchReason,
}

/// Why a conversation is not taken for the lost call, the best match first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum MismatchReason {
    /// It lacks an id, a number, its start or a clear medium, so it may be the lost call.
    Unclear,
    /// It belongs to another attempt.
    Taken,
    /// It started this long before the intent.
    Before(TimeDelta),
}

impl fmt::Display for NearMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.conversation {
            Some(id) => write!(f, "conversation {id}, which ")?,
            None => f.write_str("a row without an id, which ")?,
        }
        match self.mismatch {
            MismatchReason::Unclear => f.write_str("lacks a number, its start or its medium and may be the call"),
            MismatchReason::Taken => f.write_str("belongs to another attempt"),
            MismatchReason::Before(span) if span < TimeDelta::hours(2) => {
                write!(f, "started {} min before the intent", span.num_minutes())
            }
            MismatchReason::Before(span) => write!(f, "started {} h before the intent", span.num_hours()),
        }
    }
}

/// An attempt whose answer was lost.
#[derive(Debug, Clone)]
pub struct LostAttempt {
    /// The attempt's id in the ledger.
    pub attempt: AttemptId,
    /// The entry that it belongs to.
    pub entry: EntryId,
    /// Our caller id.
    pub from: E164,
    /// The number dialed.
    pub to: E164,
    /// Which call to its entry this is, from 1, if it was placed.
    pub number: u32,
    /// When its intent was committed, by our clock.
    pub intent_at: DateTime<Utc>,
    /// The last moment at which its request could have been accepted, by our clock.
    pub lost_at: DateTime<Utc>,
    /// How long the vendor had been readable, in all, when this run began to look for it.
    pub readable_at_start: TimeDelta,
    /// Complete scans, begun late enough, that did not show it.
    pub absence_scans: u8,
    /// Near misses, the best match first.
    pub evidence: LostCallEvidence,
}

/// Conversations that are near misses for a lost call: in the current scan, and in the last complete one.
#[derive(Debug, Clone, Default)]
pub struct LostCallEvidence {
    current_scan: Vec<NearMiss>,
    last_complete_scan: Vec<NearMiss>,
}

impl fmt::Display for LostCallEvidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let near: Vec<_> = self.last_complete_scan.iter().map(ToString::to_string).collect();
        let near = if near.is_empty() { "none between the two numbers".into() } else { near.join("; ") };
        write!(f, "similar conversations: {near}")
    }
}

/// What a complete scan proved.
#[derive(Debug)]
pub struct AbsenceProof {
    /// The attempts for which the scan counts.
    pub counted: Vec<LostAttempt>,
    /// Those of them that are now proved absent.
    pub absent: Vec<LostAttempt>,
}

impl LostAttempt {
    /// Whether the current scan shows a row that may be this attempt's.
    fn has_unclear_row(&self) -> bool {
        self.evidence.current_scan.iter().any(|near| near.mismatch == MismatchReason::Unclear)
    }

    fn add_near_miss(&mut self, conversation: Option<&ConversationId>, mismatch: MismatchReason) {
        // Pages overlap: a row shown twice counts once.
        let near_misses = &mut self.evidence.current_scan;
        if near_misses.iter().all(|near| near.conversation.as_ref() != conversation) {
            near_misses.push(NearMiss { conversation: conversation.cloned(), mismatch });
            near_misses.sort_by_key(|near| near.mismatch);
            near_misses.truncate(MAX_NEAR_MISSES);
        }
    }

    /// Whether a row may be this call, by its numbers and start.
    fn fits(&self, from: Option<E164>, to: Option<E164>, started: Option<DateTime<Utc>>, ahead: TimeDelta) -> bool {
        let is_late_enough = started.is_none_or(|started| started >= self.intent_at + ahead - CLOCK_SLACK);
        is_late_enough && from.is_none_or(|from| from == self.from) && to.is_none_or(|to| to == self.to)
    }
}

/// The attempts of a run whose answers were lost.
#[derive(Debug)]
pub struct Reconciler {
    settle: TimeDelta,
    lost_attempts: Vec<LostAttempt>,
    /// Rows of the current scan that may be one of the attempts' calls, and whether each was read by id.
    unclear: BTreeMap<ConversationId, (Conversation, bool)>,
}

impl Reconciler {
    /// A reconciler without attempts; `settle` is S of rule R.
    #[must_use]
    pub fn new(settle: TimeDelta) -> Self {
        Self { settle, lost_attempts: Vec::new(), unclear: BTreeMap::new() }
    }

    /// Our clock advanced by `by` more than real time did. The vendor had that much less time to show a call, so S ends
    /// later by as much. A negative `by` changes nothing.
    pub fn on_clock_jump(&mut self, by: TimeDelta) {
        for lost in &mut self.lost_attempts {
            lost.lost_at += by.max(TimeDelta::zero());
        }
    }

    /// Adds an attempt to look for.
    pub fn add(&mut self, lost: LostAttempt) {
        self.lost_attempts.push(lost);
    }

    /// Whether every lost answer is settled.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lost_attempts.is_empty()
    }

    /// How far back a scan should reach for the attempts, by the vendor's clock, which is `ahead` of ours.
    #[must_use]
    pub fn back_to(&self, ahead: TimeDelta) -> Option<DateTime<Utc>> {
        self.lost_attempts.iter().map(|lost| lost.intent_at + ahead - CLOCK_SLACK - SCAN_MARGIN).min()
    }

    /// When a scan must begin at the earliest to prove something.
    #[must_use]
    pub fn next_proof_at(&self) -> Option<DateTime<Utc>> {
        self.lost_attempts.iter().map(|lost| lost.lost_at + self.settle).min()
    }

    /// The attempts that this conversation may belong to. The caller asks the ledger whether another attempt has it.
    pub fn matching_attempts<'a>(
        &'a self,
        conversation: &Conversation,
        media: &CallMedia,
        ahead: TimeDelta,
    ) -> impl Iterator<Item = (&'a LostAttempt, MatchQuality)> + use<'a> {
        let Conversation { from, to, started, .. } = *conversation;
        let is_complete = from.is_some() && to.is_some() && started.is_some();
        let quality = match media.channel_of(conversation) {
            Channel::Voice if is_complete => Some(MatchQuality::Fits),
            Channel::Voice | Channel::Unknown => Some(MatchQuality::MayFit),
            Channel::Text => None,
        };
        let fits = move |lost: &&LostAttempt| lost.fits(from, to, started, ahead);
        self.lost_attempts.iter().filter(fits).filter_map(move |lost| Some((lost, quality?)))
    }

    /// The current scan shows a conversation that may be one of the attempts': about that attempt it proves nothing.
    pub fn mark_unclear(&mut self, conversation: &Conversation) {
        self.unclear.entry(conversation.id.clone()).or_insert_with(|| (conversation.clone(), false));
    }

    /// The current scan shows a row without an id, which may be one of the attempts' calls.
    pub fn on_row_without_id(&mut self, row: &RowWithoutId, media: &CallMedia, ahead: TimeDelta) {
        match media.channel_of_row(row) {
            Channel::Text => return,
            Channel::Voice | Channel::Unknown => {}
        }
        for lost in self.lost_attempts.iter_mut().filter(|lost| lost.fits(row.from, row.to, row.started, ahead)) {
            lost.add_near_miss(None, MismatchReason::Unclear);
        }
    }

    /// Replaces an unclear conversation with what a read by id showed.
    pub fn update_unclear(&mut self, conversation: &Conversation) {
        if let Some((unclear, _)) = self.unclear.get_mut(&conversation.id) {
            *unclear = conversation.clone();
        }
    }

    /// The unclear conversations to read by id before the current scan can be concluded. Each is returned once.
    pub fn take_unclear(&mut self) -> Vec<ConversationId> {
        let reads_left = MAX_SINGLE_READS.saturating_sub(self.unclear.values().filter(|(_, is_read)| *is_read).count());
        let unread = self.unclear.iter_mut().filter(|(_, (_, is_read))| !is_read).take(reads_left);
        unread
            .map(|(id, (_, is_read))| {
                *is_read = true;
                id.clone()
            })
            .collect()
    }

    /// The current scan shows a conversation that fits this attempt but belongs to another.
    pub fn note_taken(&mut self, attempt: AttemptId, conversation: &ConversationId) {
        self.add_near_miss(attempt, conversation, MismatchReason::Taken);
    }

    fn add_near_miss(&mut self, attempt: AttemptId, conversation: &ConversationId, mismatch: MismatchReason) {
        for lost in self.lost_attempts.iter_mut().filter(|lost| lost.attempt == attempt) {
            lost.add_near_miss(Some(conversation), mismatch);
        }
    }

    /// Keeps the conversation as evidence for attempts with the same numbers, if it started before their intent.
    pub fn note_early(&mut self, conversation: &Conversation, ahead: TimeDelta) {
        let Conversation { id, from, to, started: Some(started), .. } = conversation else { return };
        let between = |lost: &&mut LostAttempt| *from == Some(lost.from) && *to == Some(lost.to);
        for lost in self.lost_attempts.iter_mut().filter(between) {
            let before = lost.intent_at + ahead - *started;
            if before > CLOCK_SLACK {
                lost.add_near_miss(Some(id), MismatchReason::Before(before));
            }
        }
    }

    /// Removes an attempt whose conversation was found.
    pub fn remove(&mut self, attempt: AttemptId) -> Option<LostAttempt> {
        let index = self.lost_attempts.iter().position(|lost| lost.attempt == attempt)?;
        Some(self.lost_attempts.remove(index))
    }

    /// Counts a complete scan, which began at `started` and reached back to `back_to` (by the vendor's clock), for each
    /// remaining attempt about which it proves something.
    pub fn prove_absence(
        &mut self,
        started: DateTime<Utc>,
        back_to: DateTime<Utc>,
        media: &CallMedia,
        ahead: TimeDelta,
    ) -> AbsenceProof {
        for (id, (conversation, _)) in std::mem::take(&mut self.unclear) {
            let unclear_for: Vec<_> =
                self.matching_attempts(&conversation, media, ahead).map(|(lost, _)| lost.attempt).collect();
            for attempt in unclear_for {
                self.add_near_miss(attempt, &id, MismatchReason::Unclear);
            }
        }
        let settle = self.settle;
        let mut counted = Vec::new();
        for lost in &mut self.lost_attempts {
            let is_late_enough = started >= lost.lost_at + settle;
            let reaches_far_enough = back_to <= lost.intent_at + ahead - CLOCK_SLACK;
            let proves_absence = is_late_enough && reaches_far_enough && !lost.has_unclear_row();
            lost.evidence.last_complete_scan = std::mem::take(&mut lost.evidence.current_scan);
            if proves_absence {
                lost.absence_scans += 1;
                counted.push(lost.clone());
            }
        }
        let absent = self.lost_attempts.extract_if(.., |lost| lost.absence_scans >= SCANS_TO_PROVE).collect();
        AbsenceProof { counted, absent }
    }

    /// The current scan was broken off: the next one starts without its rows.
    pub fn clear_scan_rows(&mut self) {
        self.unclear.clear();
        self.lost_attempts.iter_mut().for_each(|lost| lost.evidence.current_scan.clear());
    }

    /// Removes the attempts that no scan could settle in time. `readable`: how long, in all, the vendor could be read.
    pub fn take_expired(&mut self, now: DateTime<Utc>, readable: TimeDelta) -> Vec<LostAttempt> {
        let settle = self.settle;
        let is_expired = |lost: &LostAttempt| {
            now >= lost.lost_at + settle && readable - lost.readable_at_start >= settle + MAX_SEARCH_TIME
        };
        self.lost_attempts.extract_if(.., |lost| is_expired(lost)).collect()
    }
}

#[cfg(test)]
mod tests;
