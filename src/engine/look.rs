//! The look before a run's first call: does the ledger hold every call that our number has placed?
//!
//! One complete scan of the vendor's list, back to the last moment at which it did, tells. A call from our number to a
//! number of the ledger's entries that the ledger does not know means that this is an older copy, and that a call might be
//! made twice. A row that may be such a call and lacks what would tell is asked for by its id; if that does not help, or
//! the list proves nothing, the look cannot tell, and is repeated a few times.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::call_media::{CallMedia, IsCall};
use super::scan::Flaw;
use super::{ASKED_BEYOND, CLOCK_SLACK};
use crate::annie::{Conversation, Nameless, Page, Status};
use crate::ids::ConversationId;
use crate::ledger::{InStep, Sighting, Unnamed};
use crate::phone::E164;

/// Scans that may prove nothing, one after the other, before the look is given up.
pub const SCANS: u32 = 5;

/// Before the second scan; each further one waits twice as long.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(15);

/// The same where a call under way has to end first: a quarter of an hour in all.
const FIRST_PAUSE_FOR_A_CALL: TimeDelta = TimeDelta::minutes(1);

/// A look that is not over after so long, when the window closes, takes too long.
const TOO_LONG: TimeDelta = TimeDelta::minutes(30);

/// Rows that are asked for by their ids in one look.
const ASKED_AT_MOST: usize = 20;

/// The same once the ledger was adopted: what nobody has asked for, nobody vouches for.
const ASKED_ONCE_ADOPTED: usize = 300;

/// No call is under way any more so long after its start.
const OVER_AFTER: TimeDelta = TimeDelta::hours(1);

/// A look that is not over.
#[derive(Debug)]
pub struct Look {
    /// Our numbers, and until when the ledger holds every call of each.
    lines: Vec<(E164, InStep)>,
    state: State,
    /// What the scan under way shows of our numbers, but for what the ledger knows.
    unrecorded: BTreeMap<ConversationId, Conversation>,
    /// Whether it shows rows without an id that may be calls of ours which the ledger does not know.
    shows_nameless: bool,
    /// One of them may still be under way, so that it may show its id yet.
    shows_nameless_open: bool,
    asked: BTreeSet<ConversationId>,
    failed_scans: u32,
    /// For how long the list could be read before a call began to wait.
    wanted_at: TimeDelta,
    not_before: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nobody is to be called yet.
    NotWanted,
    /// A call waits for it.
    Wanted,
    /// A scan has seen everything; the ledger is asked which numbers are its entries'.
    AsksTheLedger,
}

/// What a look came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    /// The ledger holds every call of each number but these, which are to be taken over.
    InStep(Vec<(E164, Vec<Sighting>)>),
    /// It lacks so many, the first of which began then.
    Behind {
        /// How many.
        calls: usize,
        /// When the first of them began.
        since: DateTime<Utc>,
    },
}

impl Look {
    /// At the calls of these numbers, all of which the ledger holds until `InStep::at`. Calls that another ledger placed
    /// until this one was adopted are on the list after `settle` at the latest (S of rule R).
    #[must_use]
    pub fn new(lines: Vec<(E164, InStep)>, settle: TimeDelta) -> Self {
        let adopted =
            lines.iter().filter(|(_, in_step)| in_step.takes_over).filter_map(|(_, in_step)| in_step.adopted_at);
        let not_before = adopted.max().map_or(DateTime::UNIX_EPOCH, |at| at + settle);
        Self {
            lines,
            state: State::NotWanted,
            unrecorded: BTreeMap::new(),
            shows_nameless: false,
            shows_nameless_open: false,
            asked: BTreeSet::new(),
            failed_scans: 0,
            wanted_at: TimeDelta::zero(),
            not_before,
        }
    }

    /// A call waits for it. The list could be read for `readable` by now.
    pub fn want(&mut self, readable: TimeDelta) {
        if self.state == State::NotWanted {
            self.state = State::Wanted;
            self.wanted_at = readable;
        }
    }

    /// Whether a call has waited for it for so long a time in which the list could be read, `readable` by now in all, that
    /// waiting longer on another day is no help.
    #[must_use]
    pub fn takes_too_long(&self, readable: TimeDelta) -> bool {
        self.is_wanted() && readable - self.wanted_at >= TOO_LONG
    }

    /// Whether a call waits for it.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.state != State::NotWanted
    }

    /// A scan has seen everything; the ledger is asked about what it does not know.
    pub fn ask_the_ledger(&mut self) {
        self.state = State::AsksTheLedger;
    }

    /// When its next scan may begin, if it wants one.
    #[must_use]
    pub fn next_scan_at(&self) -> Option<DateTime<Utc>> {
        (self.state == State::Wanted).then_some(self.not_before)
    }

    /// How far back a scan is asked to reach, by the vendor's clock, which is `ahead` of ours.
    #[must_use]
    pub fn back_to(&self, ahead: TimeDelta) -> DateTime<Utc> {
        self.must_reach(ahead) - ASKED_BEYOND
    }

    /// A demonstration's clock stands still between two runs and the vendor's does not: that it is ahead now says nothing
    /// about then.
    fn must_reach(&self, ahead: TimeDelta) -> DateTime<Utc> {
        let earliest = self.lines.iter().map(|(_, in_step)| in_step.at).min().unwrap_or(DateTime::UNIX_EPOCH);
        reach(earliest, ahead)
    }

    /// Takes in what a page shows of our numbers, or may: the ledger is to be asked which of it it knows.
    pub fn take(&mut self, rows: &[Conversation], ahead: TimeDelta) -> Vec<ConversationId> {
        let mut ids = Vec::new();
        for row in rows {
            if self.may_be_ours(row.from, row.to, row.started, ahead) {
                self.unrecorded.insert(row.id.clone(), row.clone());
                ids.push(row.id.clone());
            } else {
                // Asked for by its id, it may turn out to be nothing of ours.
                self.unrecorded.remove(&row.id);
            }
        }
        ids
    }

    /// Takes in the rows of a page that have no id. Those whose numbers and start are there may be calls that the ledger
    /// knows: it is to be asked.
    pub fn take_nameless(
        &mut self,
        page: &Page,
        media: &CallMedia,
        ahead: TimeDelta,
        now: DateTime<Utc>,
    ) -> Vec<Unnamed> {
        let may_be_call = |row: &&Nameless| media.judge(&row.medium, false) != IsCall::No;
        let ours = page.nameless.iter().filter(may_be_call);
        let ours: Vec<_> = ours.filter(|row| self.may_be_ours(row.from, row.to, row.started, ahead)).collect();
        let whole_of = |row: &Nameless| Some(Unnamed { from: row.from?, to: row.to?, started: row.started? - ahead });
        let whole: Vec<_> = ours.iter().filter_map(|row| whole_of(row)).collect();
        for row in ours.iter().filter(|row| whole_of(row).is_none()) {
            self.cannot_be_told(row.started.map(|started| started - ahead), now);
        }
        whole
    }

    /// The ledger does not know these.
    pub fn are_unexplained(&mut self, rows: &[Unnamed], now: DateTime<Utc>) {
        for row in rows {
            self.cannot_be_told(Some(row.started), now);
        }
    }

    fn cannot_be_told(&mut self, started: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        self.shows_nameless = true;
        self.shows_nameless_open |= started.is_some_and(|started| started > now - OVER_AFTER);
    }

    /// Whether a row may be a call of one of our numbers since the ledger was in step. What calls us is none.
    fn may_be_ours(
        &self,
        from: Option<E164>,
        to: Option<E164>,
        started: Option<DateTime<Utc>>,
        ahead: TimeDelta,
    ) -> bool {
        let late_enough = |in_step: &InStep| started.is_none_or(|started| started >= reach(in_step.at, ahead));
        if let Some(from) = from {
            return self.lines.iter().any(|(line, in_step)| *line == from && late_enough(in_step));
        }
        let is_to_us = to.is_some_and(|to| self.lines.iter().any(|(line, _)| *line == to));
        !is_to_us && self.lines.iter().any(|(_, in_step)| late_enough(in_step))
    }

    /// The ledger knows this one. Returns it, since what it shows, our calls show.
    pub fn is_recorded(&mut self, id: &ConversationId) -> Option<Conversation> {
        self.unrecorded.remove(id)
    }

    /// The rows that are to be asked for by their ids before the look can tell.
    pub fn to_be_asked(&mut self, media: &CallMedia) -> Vec<ConversationId> {
        let unclear: Vec<_> =
            self.unclear(media).filter(|row| !self.asked.contains(&row.id)).map(|row| row.id.clone()).collect();
        let at_most = if self.is_vouched_for() { ASKED_ONCE_ADOPTED } else { ASKED_AT_MOST };
        if self.asked.len() + unclear.len() > at_most {
            return Vec::new();
        }
        self.asked.extend(unclear.iter().cloned());
        unclear
    }

    /// An operator has adopted the ledger: calls that it lacks are to be taken over.
    fn is_vouched_for(&self) -> bool {
        self.lines.iter().all(|(_, in_step)| in_step.takes_over)
    }

    fn unclear(&self, media: &CallMedia) -> impl Iterator<Item = &Conversation> {
        self.unrecorded.values().filter(|row| match media.judge(&row.medium, row.has_ended()) {
            IsCall::No => false,
            IsCall::CannotTell => true,
            IsCall::Yes => row.from.is_none() || row.to.is_none() || row.started.is_none(),
        })
    }

    /// What a complete scan shows that the ledger does not know, or that it cannot tell.
    pub fn unrecorded_calls(&self, media: &CallMedia, ahead: TimeDelta) -> Result<Vec<Sighting>, Flaw> {
        // An operator who has adopted the ledger vouches for what nobody can read, not even by its id; what is not closed
        // may yet be read.
        let is_vouched_for = self.is_vouched_for();
        let is_hopeless =
            |row: &Conversation| is_vouched_for && self.asked.contains(&row.id) && row.status == Status::Closed;
        let mut open = self.shows_nameless_open;
        let mut closed = self.shows_nameless && !self.shows_nameless_open && !is_vouched_for;
        for row in self.unclear(media).filter(|row| !is_hopeless(row)) {
            open |= row.status != Status::Closed;
            closed |= row.status == Status::Closed;
        }
        if closed || open {
            return Err(if closed { Flaw::Unclear } else { Flaw::UnclearWhileOpen });
        }
        // Where that is so and nothing at all tells what calls show, everything is taken for one: nobody is called twice.
        let judge = |row: &Conversation| media.judge(&row.medium, row.has_ended());
        let tells = media.has_seen_a_call() || self.unrecorded.values().any(|row| judge(row) == IsCall::Yes);
        let is_call = |row: &&Conversation| judge(row) == IsCall::Yes || (!tells && judge(row) == IsCall::CannotTell);
        let sighting = |row: &Conversation| {
            Some(Sighting { conversation: row.id.clone(), from: row.from?, to: row.to?, started: row.started? - ahead })
        };
        Ok(self.unrecorded.values().filter(is_call).filter_map(sighting).collect())
    }

    /// The scan under way is over: the next one shows everything anew.
    pub fn forget_rows(&mut self) {
        self.unrecorded.clear();
        self.shows_nameless = false;
        self.shows_nameless_open = false;
        self.asked.clear();
    }

    /// A scan proved nothing. Whether the look is given up: scans for something else, sooner than its own, do not count.
    pub fn failed(&mut self, flaw: Flaw, now: DateTime<Utc>) -> bool {
        self.forget_rows();
        if now < self.not_before {
            return false;
        }
        self.failed_scans += 1;
        let first = if flaw == Flaw::UnclearWhileOpen { FIRST_PAUSE_FOR_A_CALL } else { FIRST_PAUSE };
        self.not_before = now + first * 2_i32.pow(self.failed_scans - 1);
        self.failed_scans >= SCANS
    }

    /// Whether a complete scan that began at `started` and reached back to `back_to` settles it.
    #[must_use]
    pub fn is_settled_by(&self, started: DateTime<Utc>, back_to: DateTime<Utc>, ahead: TimeDelta) -> bool {
        started >= self.not_before && back_to <= self.must_reach(ahead)
    }

    /// What it came to, if of the unrecorded calls these are to numbers of the ledger's entries.
    #[must_use]
    pub fn seen(&self, mut strangers: Vec<Sighting>) -> Seen {
        strangers.sort_by_key(|stranger| stranger.started);
        // Of a number that an operator has adopted, what the ledger lacks is taken over.
        let takes_over = |from: E164| self.lines.iter().any(|(line, in_step)| *line == from && in_step.takes_over);
        let missed: Vec<_> = strangers.iter().filter(|stranger| !takes_over(stranger.from)).collect();
        if let Some(first) = missed.first() {
            return Seen::Behind { calls: missed.len(), since: first.started };
        }
        let of = |from: E164| strangers.iter().filter(|stranger| stranger.from == from).cloned().collect();
        Seen::InStep(self.lines.iter().map(|(from, _)| (*from, of(*from))).collect())
    }
}

/// How far back a number's calls must be seen, by the vendor's clock.
fn reach(in_step_at: DateTime<Utc>, ahead: TimeDelta) -> DateTime<Utc> {
    in_step_at + ahead.min(TimeDelta::zero()) - CLOCK_SLACK
}

#[cfg(test)]
mod tests;
