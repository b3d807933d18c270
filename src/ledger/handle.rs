//! [`Ledger`], the handle through which a run writes.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::batch::Batch;
use super::call_watermark::{CallerId, Watermark};
use super::claim::{ClaimRequest, ClaimResult, ClaimScope};
use super::enrol::{EnrolledList, EnrolmentCounts, ListChunk};
use super::error::LedgerError;
use super::kind::LedgerKind;
use super::pause::Pause;
use super::plan_scope::ApprovedCall;
use super::record::{AttemptUpdate, AuditNote, InFlightAttempt};
use super::run_results::{AttemptCounts, attempt_counts};
use super::runs::{CallResult, ReopenedRun, RunHandle};
use super::state_counts::StateCounts;
use super::unrecorded_calls::{ObservedCall, ObservedWithoutId};
use super::wal_recovery::{LedgerDisk, SystemDisk};
use super::writer::{CommitFuture, Writer};
use super::{
    call_media, call_watermark, claim, enrol, exclude, kind, next_due, old_words, open, pause, plan_scope, record,
    runs, state_counts, suppression, unrecorded_calls,
};
use crate::campaign::{Campaign, Purpose};
use crate::ending::Ending;
use crate::entry::{ListCounts, NewEntry, State};
use crate::ids::{CampaignId, CampaignName, ConversationId, EntryId, EntryKey, OrganisationId, RunId};
use crate::phone::E164;

/// The only writer of a ledger. Clones share it; dropping the last one releases the lock.
#[derive(Clone)]
pub struct Ledger {
    writer: Arc<Writer>,
    mark_was_missing: bool,
}

impl Ledger {
    /// Opens or creates the ledger at `path`, takes its lock, and starts the writing thread.
    pub fn open(path: &Path, now: DateTime<Utc>) -> Result<Self, LedgerError> {
        let opened = open::exclusively(path, now, &SystemDisk)?;
        let mark_was_missing = opened.mark_was_missing;
        Ok(Self { writer: Arc::new(Writer::on_a_thread(opened)?), mark_was_missing })
    }

    /// Opens the ledger without a writing thread: every call commits before it returns. For simulations in virtual
    /// time, where nothing may depend on thread scheduling.
    pub fn open_inline(path: &Path, now: DateTime<Utc>) -> Result<Self, LedgerError> {
        Self::open_inline_on(&SystemDisk, path, now)
    }

    /// [`Ledger::open_inline`] on the given disk instead of the machine's.
    pub fn open_inline_on(disk: &dyn LedgerDisk, path: &Path, now: DateTime<Utc>) -> Result<Self, LedgerError> {
        let opened = open::exclusively(path, now, disk)?;
        let mark_was_missing = opened.mark_was_missing;
        Ok(Self { writer: Arc::new(Writer::inline(opened)?), mark_was_missing })
    }

    /// Whether the ledger had attempts but no high-water mark when it was opened: only the vendor's list can then show
    /// whether it is an older copy.
    #[must_use]
    pub fn mark_was_missing(&self) -> bool {
        self.mark_was_missing
    }

    /// The number of events later than `now`, which a clock that was ahead wrote, and the time of the latest.
    pub fn future_events(&self, now: DateTime<Utc>) -> CommitFuture<Option<(u64, DateTime<Utc>)>> {
        self.writer.submit(move |conn| runs::future_events(conn, now))
    }

    /// Sets the kind of a new ledger; fails if the ledger is of the other kind. `path` is only for the error message.
    pub fn keep_kind(&self, wanted: LedgerKind, path: &Path) -> CommitFuture<()> {
        let path = path.to_owned();
        self.writer.submit(move |conn| kind::keep(conn, wanted, &path))
    }

    /// The time of the newest event; `None` in a new ledger.
    pub fn newest_event(&self) -> CommitFuture<Option<DateTime<Utc>>> {
        self.writer.submit(runs::newest_event)
    }

    /// The time of a campaign's newest event; `None` if the ledger does not have the campaign.
    pub fn newest_event_of(&self, campaign: CampaignName) -> CommitFuture<Option<DateTime<Utc>>> {
        self.writer.submit(move |conn| runs::newest_event_of(conn, &campaign))
    }

    /// Stores the campaign's text and starts a run of it.
    pub fn begin_run(&self, campaign: Arc<Campaign>, attested: bool, now: DateTime<Utc>) -> CommitFuture<RunHandle> {
        self.writer.submit(move |conn| runs::begin(conn, &campaign, attested, now))
    }

    /// Reopens the given run, or the newest one.
    pub fn reopen_run(&self, run: Option<RunId>) -> CommitFuture<ReopenedRun> {
        self.writer.submit(move |conn| runs::reopen(conn, run))
    }

    /// The campaign's pause that holds at `now`.
    pub fn pause(&self, campaign: CampaignId, now: DateTime<Utc>) -> CommitFuture<Option<Pause>> {
        self.writer.submit(move |conn| pause::in_force(conn, campaign, now))
    }

    /// The same for a campaign by its name; `None` also if the ledger does not have it.
    pub fn pause_of(&self, campaign: CampaignName, now: DateTime<Utc>) -> CommitFuture<Option<Pause>> {
        self.writer.submit(move |conn| match runs::campaign_named(conn, &campaign)? {
            Some(campaign) => pause::in_force(conn, campaign, now),
            None => Ok(None),
        })
    }

    /// Lifts the pause of the run's campaign, if there is one; `by` says who decided, for the record. Returns whether
    /// there was one.
    pub fn lift_pause(&self, run: RunHandle, by: String, now: DateTime<Utc>) -> CommitFuture<bool> {
        self.writer.submit(move |conn| {
            let is_lifted = pause::lift(conn, run.campaign)?;
            if is_lifted {
                runs::note(conn, run.run, "pause_lifted", now, Some(&format!("decided by {by}")))?;
            }
            Ok(is_lifted)
        })
    }

    /// Starts a run and enrols its list of about `rows` rows while the list is being read, all in one commit. If the
    /// list stops before its [`ListChunk::End`], because it is rejected or the program ends, nothing is stored.
    pub fn enrol_list(
        &self,
        campaign: Arc<Campaign>,
        attested: bool,
        chunks: impl Iterator<Item = ListChunk> + Send + 'static,
        rows: u64,
        now: DateTime<Utc>,
    ) -> CommitFuture<EnrolledList> {
        self.writer.submit(move |conn| {
            enrol::whole_list(conn, |conn| runs::begin(conn, &campaign, attested, now), chunks, rows, now)
        })
    }

    /// Inserts entries of the run's list, or updates those that exist already.
    pub fn enrol(&self, run: RunHandle, entries: &[NewEntry], now: DateTime<Utc>) -> CommitFuture<EnrolmentCounts> {
        let entries: Batch = entries.iter().collect();
        self.writer.submit(move |conn| enrol::enrol(conn, run, &entries, now))
    }

    /// Suppresses the campaign's entries that are excluded by their own key or by the key of a household member
    /// covered by their call; entries with an unsettled call follow once it is settled. Returns those suppressed now.
    pub fn exclude(
        &self,
        run: RunHandle,
        is_excluded: Arc<dyn Fn(&EntryKey) -> bool + Send + Sync>,
        now: DateTime<Utc>,
    ) -> CommitFuture<Vec<EntryId>> {
        self.writer.submit(move |conn| exclude::exclude(conn, run, is_excluded.as_ref(), now))
    }

    /// Marks the run's list as enrolled to its end, stores its row counts, and, if `withdraw`, withdraws the campaign's
    /// entries that are not on it. Returns the number withdrawn.
    pub fn close_list(
        &self,
        run: RunHandle,
        counts: ListCounts,
        withdraw: bool,
        now: DateTime<Utc>,
    ) -> CommitFuture<u64> {
        self.writer.submit(move |conn| enrol::close_list(conn, run, counts, withdraw, now))
    }

    /// Decides on due entries in one transaction: authorises up to `request.limit` attempts, with their intents on
    /// stable storage when this returns, and moves the entries that may not be called now to the state that the rules
    /// demand.
    pub fn claim(&self, request: ClaimRequest) -> CommitFuture<ClaimResult> {
        self.writer.submit(move |conn| claim::claim(conn, &request))
    }

    /// Whether the suppression list forbids a call of this purpose to this number at `now`. Asked again just before a
    /// request leaves, since an opt-out may have arrived after the claim.
    pub fn forbids(&self, phone: E164, purpose: Purpose, now: DateTime<Utc>) -> CommitFuture<bool> {
        self.writer.submit(move |conn| suppression::forbids(conn, phone, purpose, now))
    }

    /// Records updates of attempts: all of them, or none if any is illegal. Returns the new state of each one's entry.
    pub fn record(&self, run: RunHandle, updates: Vec<AttemptUpdate>) -> CommitFuture<Vec<State>> {
        self.writer.submit(move |conn| record::record(conn, run, &updates))
    }

    /// The campaign's attempts that are in flight.
    pub fn in_flight(&self, campaign: CampaignId) -> CommitFuture<Vec<InFlightAttempt>> {
        self.writer.submit(move |conn| record::in_flight(conn, campaign))
    }

    /// The campaign's attempts that were lost track of and whose intents were committed at `since` or later.
    pub fn lost_track(&self, campaign: CampaignId, since: DateTime<Utc>) -> CommitFuture<Vec<InFlightAttempt>> {
        self.writer.submit(move |conn| record::lost_track(conn, campaign, since))
    }

    /// The `medium` words that an organisation's calls show on the vendor's list, each with whether an ended call
    /// showed it.
    pub fn call_media(&self, organisation: OrganisationId) -> CommitFuture<Vec<(Option<String>, bool)>> {
        self.writer.submit(move |conn| call_media::load(conn, &organisation))
    }

    /// Stores the `medium` word that a call of the organisation showed; `None` if it showed none.
    pub fn learn_medium(&self, organisation: OrganisationId, word: Option<String>, ended: bool) -> CommitFuture<()> {
        self.writer.submit(move |conn| call_media::learn(conn, &organisation, word.as_deref(), ended))
    }

    /// Those of `conversations` that belong to no attempt.
    pub fn unrecorded_among(&self, conversations: Vec<ConversationId>) -> CommitFuture<Vec<ConversationId>> {
        self.writer.submit(move |conn| record::unrecorded_among(conn, conversations))
    }

    /// Those of `conversations` that belong to attempts, each with whether the response to its request named it.
    pub fn recorded_among(&self, conversations: Vec<ConversationId>) -> CommitFuture<Vec<(ConversationId, bool)>> {
        self.writer.submit(move |conn| record::recorded_among(conn, conversations))
    }

    /// The instant up to which the ledger is known to hold every call from a caller id.
    pub fn watermark(&self, caller_id: CallerId) -> CommitFuture<Watermark> {
        self.writer.submit(move |conn| call_watermark::watermark(conn, &caller_id))
    }

    /// Those of `rows` whose numbers and start match no attempt.
    pub fn unmatched_rows(&self, rows: Vec<ObservedWithoutId>) -> CommitFuture<Vec<ObservedWithoutId>> {
        self.writer.submit(move |conn| unrecorded_calls::unmatched_rows(conn, rows))
    }

    /// Those of `calls` that went to our entries' numbers and that the ledger lacks, oldest first.
    pub fn unrecorded_calls(&self, calls: Vec<ObservedCall>) -> CommitFuture<Vec<ObservedCall>> {
        self.writer.submit(move |conn| unrecorded_calls::unrecorded(conn, calls))
    }

    /// Takes `unrecorded` calls over and advances the caller id's watermark to `now`. Returns the resulting attempts of
    /// the run's campaign: those to be followed, and those to be polled once.
    pub fn take_over_calls(
        &self,
        run: RunHandle,
        caller_id: CallerId,
        unrecorded: Vec<ObservedCall>,
        now: DateTime<Utc>,
    ) -> CommitFuture<Vec<InFlightAttempt>> {
        self.writer.submit(move |conn| unrecorded_calls::take_over_calls(conn, run, &caller_id, &unrecorded, now))
    }

    /// Removes what was said in calls and has been kept for as long as the campaigns' files say, with the front desk's
    /// notes and the bytes of write-back files, which tell it, too; once a day at most, unless a campaign keeps it for less.
    /// Returns whether there was any.
    pub fn remove_old_words(&self, now: DateTime<Utc>) -> CommitFuture<bool> {
        self.writer.submit(move |conn| old_words::remove(conn, now))
    }

    /// Stores evidence that changes no state, such as the result of a scan of the vendor's list.
    pub fn note(&self, run: RunHandle, note: AuditNote) -> CommitFuture<()> {
        self.writer.submit(move |conn| record::note(conn, run, &note))
    }

    /// When the next entry of the run within `scope` is due.
    pub fn next_due(&self, run: RunHandle, scope: ClaimScope) -> CommitFuture<Option<DateTime<Utc>>> {
        self.writer.submit(move |conn| next_due::next_due(conn, run, &scope))
    }

    /// Confines a run to the calls of an approved plan: each once, to the approved number with the approved content.
    pub fn approve(&self, run: RunHandle, plan: String, calls: Vec<ApprovedCall>) -> CommitFuture<()> {
        self.writer.submit(move |conn| plan_scope::approve(conn, run, &plan, &calls))
    }

    /// The newest run of a plan whose list was enrolled to its end.
    pub fn run_of_plan(&self, plan: String) -> CommitFuture<Option<RunId>> {
        self.writer.submit(move |conn| plan_scope::run_of(conn, &plan))
    }

    /// The states of the campaign's entries, and the results of the run's attempts.
    pub fn counts(&self, run: RunHandle) -> CommitFuture<(StateCounts, AttemptCounts)> {
        self.writer.submit(move |conn| Ok((state_counts::count(conn, run)?, attempt_counts(conn, run.run)?)))
    }

    /// The number of calls that the run has placed, or may have, by organisation.
    pub fn placed(&self, run: RunId) -> CommitFuture<Vec<(OrganisationId, u32)>> {
        self.writer.submit(move |conn| runs::placed(conn, run))
    }

    /// The results of the campaign's calls since one of its runs last ended other than by an interruption, oldest first
    /// and with their organisations: what a run that was killed had counted for its stop rules.
    pub fn call_results(&self, campaign: CampaignId) -> CommitFuture<Vec<(OrganisationId, CallResult)>> {
        self.writer.submit(move |conn| runs::call_results(conn, campaign))
    }

    /// Whether the run has ended, or a later run of its campaign has superseded it.
    pub fn has_ended(&self, run: RunId) -> CommitFuture<bool> {
        self.writer.submit(move |conn| runs::has_ended(conn, run))
    }

    /// Records how a run ended, and why in a sentence. A run that was stopped may be resumed.
    pub fn end_run(&self, run: RunHandle, ending: Ending, why: String, now: DateTime<Utc>) -> CommitFuture<()> {
        self.writer.submit(move |conn| runs::end(conn, run, ending, &why, now))
    }
}
