//! The check before a run's first call: does the ledger hold every call that our caller ids have placed?
//!
//! One complete scan of the vendor's list decides, back to the call watermark, until which the ledger is known to be
//! complete. If the list shows a call from our caller id to a number of the ledger's entries that the ledger does not
//! have, this ledger is an older copy, and a patient might be called twice. A row that may be such a call but lacks a
//! field is read by id. If that does not help, or the list proves nothing, the check is inconclusive and is repeated a
//! few times.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::call_media::CallMedia;
use super::scan::ScanFlaw;
use super::vendor_clock::{CLOCK_SLACK, SCAN_MARGIN};
use crate::ids::ConversationId;
use crate::ledger::{ObservedCall, ObservedWithoutId, Watermark};
use crate::phone::E164;
use crate::vendor::{Channel, Conversation, Page, RowWithoutId, Status};

/// Inconclusive scans in a row after which the check fails.
pub const MAX_FAILED_SCANS: u32 = 5;

/// The pause before the second scan; each further pause is twice as long.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(15);

/// The same while a call in progress has to end first: 15 minutes in all.
const FIRST_PAUSE_FOR_OPEN_CALL: TimeDelta = TimeDelta::minutes(1);

/// If the dialing hours close and the check has taken this long, it fails.
const MAX_DURATION: TimeDelta = TimeDelta::minutes(30);

/// Rows read by id in one check at most.
const MAX_SINGLE_READS: usize = 20;

/// The same once the ledger was adopted: the operator answers only for rows that were read and stayed unclear.
const MAX_SINGLE_READS_ONCE_ADOPTED: usize = 300;

/// No call takes longer than this.
const MAX_CALL_DURATION: TimeDelta = TimeDelta::hours(1);

/// A staleness check in progress.
#[derive(Debug)]
pub struct StalenessCheck {
    /// Our caller ids, each with its call watermark.
    caller_ids: Vec<(E164, Watermark)>,
    state: CheckState,
    /// Rows of the current scan that may be our calls and that the ledger has not recorded.
    unrecorded: BTreeMap<ConversationId, Conversation>,
    /// Whether the scan shows rows without an id that may be calls of ours which the ledger does not have.
    has_unclear_row_without_id: bool,
    /// Whether one of them may be in progress, so that it may get its id yet.
    has_unclear_open_row: bool,
    single_reads: BTreeSet<ConversationId>,
    failed_scans: u32,
    /// How long the list had been readable when a call began to wait for the check.
    readable_when_requested: TimeDelta,
    not_before: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CheckState {
    /// No call waits for the check yet.
    NotRequested,
    /// A call waits for the check.
    Requested,
    /// A scan is complete; the ledger is asked which numbers are its entries'.
    AwaitingLedger,
}

/// The result of a staleness check.
#[derive(Debug, PartialEq, Eq)]
pub enum StalenessResult {
    /// The ledger holds every call of each caller id but these, which are to be taken over.
    UpToDate(Vec<(E164, Vec<ObservedCall>)>),
    /// The ledger lacks calls: it is an older copy.
    Behind {
        /// How many calls it lacks.
        calls: usize,
        /// When the first of them began, by our clock.
        since: DateTime<Utc>,
    },
}

impl StalenessCheck {
    /// A check of these caller ids; the ledger holds every call of each up to its watermark. Calls that another ledger
    /// placed until this one was adopted are on the list after `settle` at the latest (S of rule R).
    #[must_use]
    pub fn new(caller_ids: Vec<(E164, Watermark)>, settle: TimeDelta) -> Self {
        let adopted = caller_ids
            .iter()
            .filter(|(_, watermark)| watermark.takes_over)
            .filter_map(|(_, watermark)| watermark.adopted_at);
        let not_before = adopted.max().map_or(DateTime::UNIX_EPOCH, |at| at + settle);
        Self {
            caller_ids,
            state: CheckState::NotRequested,
            unrecorded: BTreeMap::new(),
            has_unclear_row_without_id: false,
            has_unclear_open_row: false,
            single_reads: BTreeSet::new(),
            failed_scans: 0,
            readable_when_requested: TimeDelta::zero(),
            not_before,
        }
    }

    /// A call waits for the check. The list has been readable for `readable` so far.
    pub fn request(&mut self, readable: TimeDelta) {
        if self.state == CheckState::NotRequested {
            self.state = CheckState::Requested;
            self.readable_when_requested = readable;
        }
    }

    /// Whether a call has waited so much readable time that trying on another day would not help. `readable`: how long,
    /// in all, the list could be read.
    #[must_use]
    pub fn takes_too_long(&self, readable: TimeDelta) -> bool {
        self.is_requested() && readable - self.readable_when_requested >= MAX_DURATION
    }

    /// Whether a call waits for the check.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.state != CheckState::NotRequested
    }

    /// A scan is complete, and the ledger is asked about the calls that it has not recorded.
    pub fn await_ledger(&mut self) {
        self.state = CheckState::AwaitingLedger;
    }

    /// When the next scan may begin, if one is needed.
    #[must_use]
    pub fn next_scan_at(&self) -> Option<DateTime<Utc>> {
        (self.state == CheckState::Requested).then_some(self.not_before)
    }

    /// How far back a scan should reach, by the vendor's clock, which is `ahead` of ours.
    #[must_use]
    pub fn back_to(&self, ahead: TimeDelta) -> DateTime<Utc> {
        self.required_start(ahead) - SCAN_MARGIN
    }

    /// How far back a scan must reach. A simulated clock stands still between two runs while the vendor's goes on, so
    /// `ahead` says nothing about the time of the watermark.
    fn required_start(&self, ahead: TimeDelta) -> DateTime<Utc> {
        let earliest = self.caller_ids.iter().map(|(_, watermark)| watermark.at).min().unwrap_or(DateTime::UNIX_EPOCH);
        earliest_relevant_start(earliest, ahead)
    }

    /// Takes in the rows of a page that may be our calls. Returns the ids that the ledger must look up.
    pub fn on_rows(&mut self, rows: &[Conversation], ahead: TimeDelta) -> Vec<ConversationId> {
        let mut ids = Vec::new();
        for row in rows {
            if self.may_be_ours(row.from, row.to, row.started, ahead) {
                self.unrecorded.insert(row.id.clone(), row.clone());
                ids.push(row.id.clone());
            } else {
                // Read by id, it turned out not to be ours.
                self.unrecorded.remove(&row.id);
            }
        }
        ids
    }

    /// Takes in the rows of a page without an id. Returns those with both numbers and a start: the ledger may have
    /// their calls.
    pub fn on_rows_without_id(
        &mut self,
        page: &Page,
        media: &CallMedia,
        ahead: TimeDelta,
        now: DateTime<Utc>,
    ) -> Vec<ObservedWithoutId> {
        let may_be_call = |row: &&RowWithoutId| match media.channel_of_row(row) {
            Channel::Voice | Channel::Unknown => true,
            Channel::Text => false,
        };
        let ours = page.rows_without_id.iter().filter(may_be_call);
        let ours: Vec<_> = ours.filter(|row| self.may_be_ours(row.from, row.to, row.started, ahead)).collect();
        let identified = |row: &RowWithoutId| {
            Some(ObservedWithoutId { from: row.from?, to: row.to?, started: row.started? - ahead })
        };
        let complete: Vec<_> = ours.iter().filter_map(|row| identified(row)).collect();
        for row in ours.iter().filter(|row| identified(row).is_none()) {
            self.add_unclear_row(row.started.map(|started| started - ahead), now);
        }
        complete
    }

    /// The ledger has no call that explains these rows.
    pub fn on_unexplained_rows(&mut self, rows: &[ObservedWithoutId], now: DateTime<Utc>) {
        for row in rows {
            self.add_unclear_row(Some(row.started), now);
        }
    }

    fn add_unclear_row(&mut self, started: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        self.has_unclear_row_without_id = true;
        self.has_unclear_open_row |= started.is_some_and(|started| started > now - MAX_CALL_DURATION);
    }

    /// Whether a row may be a call of one of our caller ids since its watermark. Calls to us do not count.
    fn may_be_ours(
        &self,
        from: Option<E164>,
        to: Option<E164>,
        started: Option<DateTime<Utc>>,
        ahead: TimeDelta,
    ) -> bool {
        let is_late_enough = |watermark: &Watermark| {
            started.is_none_or(|started| started >= earliest_relevant_start(watermark.at, ahead))
        };
        if let Some(from) = from {
            return self
                .caller_ids
                .iter()
                .any(|(caller_id, watermark)| *caller_id == from && is_late_enough(watermark));
        }
        let is_to_us = to.is_some_and(|to| self.caller_ids.iter().any(|(caller_id, _)| *caller_id == to));
        !is_to_us && self.caller_ids.iter().any(|(_, watermark)| is_late_enough(watermark))
    }

    /// Removes a row that the ledger has recorded, and returns it: it shows the medium of our calls.
    pub fn remove_recorded(&mut self, id: &ConversationId) -> Option<Conversation> {
        self.unrecorded.remove(id)
    }

    /// The rows to read by id before the check can be concluded. Each is returned once.
    pub fn take_unclear(&mut self, media: &CallMedia) -> Vec<ConversationId> {
        let unclear: Vec<_> = self
            .unclear_rows(media)
            .filter(|row| !self.single_reads.contains(&row.id))
            .map(|row| row.id.clone())
            .collect();
        let max_reads = if self.is_adopted() { MAX_SINGLE_READS_ONCE_ADOPTED } else { MAX_SINGLE_READS };
        if self.single_reads.len() + unclear.len() > max_reads {
            return Vec::new();
        }
        self.single_reads.extend(unclear.iter().cloned());
        unclear
    }

    /// Whether an operator has adopted the ledger, so that calls it lacks are taken over.
    fn is_adopted(&self) -> bool {
        self.caller_ids.iter().all(|(_, watermark)| watermark.takes_over)
    }

    fn unclear_rows(&self, media: &CallMedia) -> impl Iterator<Item = &Conversation> {
        self.unrecorded.values().filter(|row| match media.channel_of(row) {
            Channel::Text => false,
            Channel::Unknown => true,
            Channel::Voice => row.from.is_none() || row.to.is_none() || row.started.is_none(),
        })
    }

    /// The calls of a complete scan that the ledger has not recorded, or why that cannot be decided.
    pub fn unrecorded_calls(&self, media: &CallMedia, ahead: TimeDelta) -> Result<Vec<ObservedCall>, ScanFlaw> {
        // An operator who has adopted the ledger answers for rows that stay unclear even when read by id. A row that is
        // not closed may become clear.
        let is_adopted = self.is_adopted();
        let is_unreadable =
            |row: &Conversation| is_adopted && self.single_reads.contains(&row.id) && row.status == Status::Closed;
        let mut has_open = self.has_unclear_open_row;
        let mut has_closed = self.has_unclear_row_without_id && !self.has_unclear_open_row && !is_adopted;
        for row in self.unclear_rows(media).filter(|row| !is_unreadable(row)) {
            has_open |= row.status != Status::Closed;
            has_closed |= row.status == Status::Closed;
        }
        if has_closed || has_open {
            return Err(if has_closed { ScanFlaw::Unclear } else { ScanFlaw::UnclearWhileOpen });
        }
        // If nothing shows the medium of calls, every such row counts as a call, so that nobody is called twice.
        let shows_a_call = |row: &Conversation| media.channel_of(row) == Channel::Voice;
        let is_known = media.has_seen_a_call() || self.unrecorded.values().any(shows_a_call);
        let is_call = |row: &&Conversation| match media.channel_of(row) {
            Channel::Voice => true,
            Channel::Unknown => !is_known,
            Channel::Text => false,
        };
        let observed = |row: &Conversation| {
            Some(ObservedCall {
                conversation: row.id.clone(),
                from: row.from?,
                to: row.to?,
                started: row.started? - ahead,
            })
        };
        Ok(self.unrecorded.values().filter(is_call).filter_map(observed).collect())
    }

    /// The current scan is over: the next one starts without its rows.
    pub fn clear_scan_rows(&mut self) {
        self.unrecorded.clear();
        self.has_unclear_row_without_id = false;
        self.has_unclear_open_row = false;
        self.single_reads.clear();
    }

    /// A scan was inconclusive. Returns whether the check has failed. Scans made for other purposes before the pause is
    /// over do not count.
    pub fn on_scan_failed(&mut self, flaw: ScanFlaw, now: DateTime<Utc>) -> bool {
        self.clear_scan_rows();
        if now < self.not_before {
            return false;
        }
        self.failed_scans += 1;
        let first = if flaw == ScanFlaw::UnclearWhileOpen { FIRST_PAUSE_FOR_OPEN_CALL } else { FIRST_PAUSE };
        self.not_before = now + first * 2_i32.pow(self.failed_scans - 1);
        self.failed_scans >= MAX_FAILED_SCANS
    }

    /// Whether a complete scan that began at `started` and reached back to `back_to` decides the check.
    #[must_use]
    pub fn is_settled_by(&self, started: DateTime<Utc>, back_to: DateTime<Utc>, ahead: TimeDelta) -> bool {
        started >= self.not_before && back_to <= self.required_start(ahead)
    }

    /// The result, if these unrecorded calls are to numbers of the ledger's entries.
    #[must_use]
    pub fn result(&self, mut unrecorded: Vec<ObservedCall>) -> StalenessResult {
        unrecorded.sort_by_key(|call| call.started);
        // For a caller id that an operator has adopted, the calls that the ledger lacks are taken over.
        let takes_over = |from: E164| {
            self.caller_ids.iter().any(|(caller_id, watermark)| *caller_id == from && watermark.takes_over)
        };
        let missing: Vec<_> = unrecorded.iter().filter(|call| !takes_over(call.from)).collect();
        if let Some(first) = missing.first() {
            return StalenessResult::Behind { calls: missing.len(), since: first.started };
        }
        let calls_from = |from: E164| unrecorded.iter().filter(|call| call.from == from).cloned().collect();
        StalenessResult::UpToDate(self.caller_ids.iter().map(|(from, _)| (*from, calls_from(*from))).collect())
    }
}

/// The earliest start of a call after the watermark, by the vendor's clock.
fn earliest_relevant_start(watermark_at: DateTime<Utc>, ahead: TimeDelta) -> DateTime<Utc> {
    watermark_at + ahead.min(TimeDelta::zero()) - CLOCK_SLACK
}

#[cfg(test)]
mod tests;
