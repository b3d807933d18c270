//! The ledger: everything that must survive, in one SQLite file, and the only SQL of the program (in `schema.sql` and
//! `sql/`).
//!
//! One [`Ledger`] writes, and one only: a lock file beside the ledger is held for as long as it lives. Its methods
//! queue their work at once, in the order of the calls, and return a [`Pending`] that completes once it is on stable
//! storage; what has queued up on the writing thread becomes one commit, so that many intents and replies share an
//! fsync. [`Reader`]s see the last commit and never wait.
//!
//! `open` makes a ledger ready: its `lock`, its `place`, what its `disk` may have lost, its format, the `high_water` mark
//! beside it. A list comes as
//! `prepared` entries, `enrol` matches them by key, `inserting` writes them;
//! `claim` asks the rules and writes intents, `record` what became of them.
//!
//! Who may move where is not decided here: [`crate::entry::State::after`] decides, [`crate::policy`] says who may be
//! called, and the ledger compares and sets. Changed rows ≠ 1 is an error.

mod adopt;
mod approval;
mod call_media;
mod care;
mod census;
mod claim;
mod disk;
mod enrol;
mod error;
mod exclude;
mod high_water;
mod household;
mod inserting;
mod kind;
mod line;
mod lock;
mod meanwhile;
mod numbers;
mod open;
mod operator;
mod outlook;
mod place;
mod prepared;
mod purge;
mod read;
mod record;
mod rows;
mod runs;
mod suppression;
mod surroundings;
mod transition;
mod writer;

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};

pub use adopt::{Adoption, adopt};
pub use approval::Approved;
pub use care::{backup, verify};
pub use census::{Census, Group};
pub use claim::{Authorised, ClaimOrder, Claims, SetAside, Share};
pub use disk::Disk;
pub use enrol::{End, Enrolled, Listed, Piece, is_cut_short};
pub use error::LedgerError;
pub use high_water::{MarkStanding, mark_standing};
pub use kind::LedgerKind;
pub use line::{InStep, OurLine, Sighting, Unnamed};
pub use operator::{Operator, Resolution, Undecidable};
pub use outlook::{Absence, Absent, Change, Outlook};
pub use prepared::Batch;
pub use purge::purge;
pub use read::{AttemptCounts, Begun, EntryRow, EventRow, FormerMember, ListChanges, Reader, RunReport};
pub use record::{Happened, Note, UnderWay};
pub use runs::{Finish, Prospects, Reopened, RunHandle};
pub use suppression::{Ban, Scope, SuppressionRow};
pub use surroundings::BESIDE;

use crate::campaign::{Campaign, Purpose};
use crate::entry::{Draft, ListTally, State};
use crate::ids::{CampaignId, CampaignName, ConversationId, EntryId, EntryKey, OrganisationId, RunId};
use crate::phone::E164;
use disk::OwnDisk;
pub use writer::Pending;
use writer::Writer;

/// The text of a statement under `sql/`.
macro_rules! sql {
    ($name:literal) => {
        include_str!(concat!("sql/", $name, ".sql"))
    };
}
pub(crate) use sql;

/// The one writer of a ledger. Clones share it; the lock is let go when the last one is dropped.
#[derive(Clone)]
pub struct Ledger {
    writer: Arc<Writer>,
    mark_was_missing: bool,
}

impl Ledger {
    /// Opens or creates the ledger at `path`, takes its lock, and starts the writing thread.
    pub fn open(path: &Path, now: DateTime<Utc>) -> Result<Self, LedgerError> {
        let opened = open::exclusively(path, now, &OwnDisk)?;
        let mark_was_missing = opened.mark_was_missing;
        Ok(Self { writer: Arc::new(Writer::on_a_thread(opened)?), mark_was_missing })
    }

    /// The same without a thread: every call commits before it returns. For simulations in virtual time, in which
    /// nothing may depend on how threads are scheduled.
    pub fn open_inline(path: &Path, now: DateTime<Utc>) -> Result<Self, LedgerError> {
        Self::open_inline_on(&OwnDisk, path, now)
    }

    /// The same on a disk that is not the machine's own.
    pub fn open_inline_on(disk: &dyn Disk, path: &Path, now: DateTime<Utc>) -> Result<Self, LedgerError> {
        let opened = open::exclusively(path, now, disk)?;
        let mark_was_missing = opened.mark_was_missing;
        Ok(Self { writer: Arc::new(Writer::inline(opened)?), mark_was_missing })
    }

    /// Whether there was no high-water mark beside the ledger when it was opened, although it has attempts: whether it is
    /// an older copy, only the vendor's list can tell.
    #[must_use]
    pub fn mark_was_missing(&self) -> bool {
        self.mark_was_missing
    }

    /// The events after `now`, which a clock that was ahead has written: how many, and when the last of them would be.
    pub fn future_events(&self, now: DateTime<Utc>) -> Pending<Option<(u64, DateTime<Utc>)>> {
        self.writer.submit(move |conn| runs::future_events(conn, now))
    }

    /// Notes what kind of calls a new ledger keeps, and refuses one that keeps the other. `path` is what the refusal names.
    pub fn keep_kind(&self, wanted: LedgerKind, path: &Path) -> Pending<()> {
        let path = path.to_owned();
        self.writer.submit(move |conn| kind::keep(conn, wanted, &path))
    }

    /// The instant of the newest event; `None` in a new ledger.
    pub fn newest_event(&self) -> Pending<Option<DateTime<Utc>>> {
        self.writer.submit(runs::newest_event)
    }

    /// The instant of a campaign's newest event; `None` if the ledger does not know it.
    pub fn newest_event_of(&self, campaign: CampaignName) -> Pending<Option<DateTime<Utc>>> {
        self.writer.submit(move |conn| runs::newest_event_of(conn, &campaign))
    }

    /// Stores the campaign's text and starts a run of it.
    pub fn begin_run(&self, campaign: Arc<Campaign>, attested: bool, now: DateTime<Utc>) -> Pending<RunHandle> {
        self.writer.submit(move |conn| runs::begin(conn, &campaign, attested, now))
    }

    /// Goes on with a run that has not ended: the one named, or the newest.
    pub fn reopen_run(&self, run: Option<RunId>) -> Pending<Reopened> {
        self.writer.submit(move |conn| runs::reopen(conn, run))
    }

    /// Starts a run and enrols its list of about `rows` rows as it is being read, all in one commit: a list that breaks off before its
    /// [`Piece::End`], because it is refused or the program ends, leaves nothing.
    pub fn enrol_list(
        &self,
        campaign: Arc<Campaign>,
        attested: bool,
        pieces: impl Iterator<Item = Piece> + Send + 'static,
        rows: u64,
        now: DateTime<Utc>,
    ) -> Pending<Listed> {
        self.writer.submit(move |conn| {
            enrol::whole_list(conn, |conn| runs::begin(conn, &campaign, attested, now), pieces, rows, now)
        })
    }

    /// Enrols entries of the run's list, or brings those that are there up to date.
    pub fn enrol(&self, run: RunHandle, drafts: &[Draft], now: DateTime<Utc>) -> Pending<Enrolled> {
        let entries: Batch = drafts.iter().collect();
        self.writer.submit(move |conn| enrol::enrol(conn, run, &entries, now))
    }

    /// Bars the campaign's entries that `is_excluded` names by their keys, or by the key of a household's member whom
    /// their call covers; what is under way, once it is settled. Which it barred now.
    pub fn exclude(
        &self,
        run: RunHandle,
        is_excluded: Arc<dyn Fn(&EntryKey) -> bool + Send + Sync>,
        now: DateTime<Utc>,
    ) -> Pending<Vec<EntryId>> {
        self.writer.submit(move |conn| exclude::exclude(conn, run, is_excluded.as_ref(), now))
    }

    /// The run's list is enrolled to its end: notes its totals, and withdraws the campaign's entries that it does not
    /// have if `withdraw` says so. Returns how many it withdrew.
    pub fn close_list(&self, run: RunHandle, tally: ListTally, withdraw: bool, now: DateTime<Utc>) -> Pending<u64> {
        self.writer.submit(move |conn| enrol::close_list(conn, run, tally, withdraw, now))
    }

    /// Decides on due entries, in one transaction with the claims: authorises up to `order.limit` attempts, whose
    /// intents are on stable storage when this returns, and moves the others to where the rules put them.
    pub fn claim(&self, order: ClaimOrder) -> Pending<Claims> {
        self.writer.submit(move |conn| claim::claim(conn, &order))
    }

    /// Whether a call of this purpose to this number is forbidden at `now`: asked once more when its request is about to
    /// leave, since an opt-out may have come after the claim.
    pub fn forbids(&self, phone: E164, purpose: Purpose, now: DateTime<Utc>) -> Pending<bool> {
        self.writer.submit(move |conn| suppression::forbids(conn, phone, purpose, now))
    }

    /// Records what became known about attempts. All of it or, if any of it is illegal, none. Where their entries stand then.
    pub fn record(&self, run: RunHandle, happened: Vec<Happened>) -> Pending<Vec<State>> {
        self.writer.submit(move |conn| record::record(conn, run, &happened))
    }

    /// The campaign's attempts that are not settled.
    pub fn under_way(&self, campaign: CampaignId) -> Pending<Vec<UnderWay>> {
        self.writer.submit(move |conn| record::under_way(conn, campaign))
    }

    /// The campaign's attempts that were lost track of and whose intents were committed at `since` or later.
    pub fn lost_track(&self, campaign: CampaignId, since: DateTime<Utc>) -> Pending<Vec<UnderWay>> {
        self.writer.submit(move |conn| record::lost_track(conn, campaign, since))
    }

    /// What an organisation's calls show as their medium: the words, each with whether an ended call showed it.
    pub fn call_media(&self, organisation: OrganisationId) -> Pending<Vec<(Option<String>, bool)>> {
        self.writer.submit(move |conn| call_media::of(conn, &organisation))
    }

    /// A call of the organisation's showed this word as its medium, or none.
    pub fn learn_medium(&self, organisation: OrganisationId, word: Option<String>, ended: bool) -> Pending<()> {
        self.writer.submit(move |conn| call_media::learn(conn, &organisation, word.as_deref(), ended))
    }

    /// Those of `conversations` that no attempt has.
    pub fn unknown_among(&self, conversations: Vec<ConversationId>) -> Pending<Vec<ConversationId>> {
        self.writer.submit(move |conn| record::unknown_among(conn, conversations))
    }

    /// Those of `conversations` that are attempts', each with whether the answer to its request named it.
    pub fn recorded_among(&self, conversations: Vec<ConversationId>) -> Pending<Vec<(ConversationId, bool)>> {
        self.writer.submit(move |conn| record::recorded_among(conn, conversations))
    }

    /// Until when the ledger is known to hold every call of a line.
    pub fn in_step_at(&self, line: OurLine) -> Pending<InStep> {
        self.writer.submit(move |conn| line::in_step(conn, &line))
    }

    /// Those of `rows`, which have no id, that are no call of this ledger's by their numbers and start.
    pub fn unexplained(&self, rows: Vec<Unnamed>) -> Pending<Vec<Unnamed>> {
        self.writer.submit(move |conn| line::unexplained(conn, rows))
    }

    /// Those of `sightings` that are calls to our entries' numbers that the ledger does not know, the oldest first.
    pub fn strangers(&self, sightings: Vec<Sighting>) -> Pending<Vec<Sighting>> {
        self.writer.submit(move |conn| line::strangers(conn, sightings))
    }

    /// The ledger holds every call of the line until now, once it has taken `strangers` over. Those of them that were put
    /// down to entries of the run's campaign are now open.
    pub fn in_step(
        &self,
        run: RunHandle,
        line: OurLine,
        strangers: Vec<Sighting>,
        now: DateTime<Utc>,
    ) -> Pending<Vec<UnderWay>> {
        self.writer.submit(move |conn| line::take_over(conn, run, &line, &strangers, now))
    }

    /// Notes evidence that moves nothing, such as a scan of the vendor's list.
    pub fn note(&self, run: RunHandle, note: Note) -> Pending<()> {
        self.writer.submit(move |conn| record::note(conn, run, &note))
    }

    /// What is left to do in a run of an organisation's share.
    pub fn prospects(&self, run: RunHandle, share: Share) -> Pending<Prospects> {
        self.writer.submit(move |conn| runs::prospects(conn, run, &share))
    }

    /// Confines a run to what a plan allows: each of its calls once, with this number and this content, and no other.
    pub fn approve(&self, run: RunHandle, plan: String, calls: Vec<Approved>) -> Pending<()> {
        self.writer.submit(move |conn| approval::approve(conn, run, &plan, &calls))
    }

    /// The run of a plan that was begun, if one was, and its list enrolled.
    pub fn run_of_plan(&self, plan: String) -> Pending<Option<RunId>> {
        self.writer.submit(move |conn| approval::run_of(conn, &plan))
    }

    /// Where the campaign's entries stand, and what became of the run's attempts.
    pub fn standing(&self, run: RunHandle) -> Pending<(Census, AttemptCounts)> {
        self.writer.submit(move |conn| Ok((census::take(conn, run)?, read::attempt_counts(conn, run.run)?)))
    }

    /// How many calls the run has placed, or may have, for each organisation.
    pub fn placed(&self, run: RunId) -> Pending<Vec<(OrganisationId, u32)>> {
        self.writer.submit(move |conn| runs::placed(conn, run))
    }

    /// How the campaign's newest calls finished since one of its runs came to an end that was no interruption, the oldest first:
    /// what a run that was killed had counted. Each with its organisation.
    pub fn finishes(&self, campaign: CampaignId) -> Pending<Vec<(OrganisationId, Finish)>> {
        self.writer.submit(move |conn| runs::finishes(conn, campaign))
    }

    /// Notes how a run ended, in a word and in a sentence. A run that was stopped may be resumed.
    pub fn end_run(&self, run: RunHandle, ending: &'static str, why: String, now: DateTime<Utc>) -> Pending<()> {
        self.writer.submit(move |conn| runs::end(conn, run, ending, &why, now))
    }
}

#[cfg(test)]
mod tests;
