//! A ledger with random campaigns, lists, calls and operators, which follow from a seed.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use futures_util::FutureExt;
use tempfile::TempDir;

use super::seeded_rng::SeededRng;
use crate::campaign::{self, Campaign, Purpose, SafetyOverrides};
use crate::entry::{
    AttemptState, CallContent, CalledPartyZones, Doubt, Fact, HouseholdMember, ListCounts, ListEligibility, NewEntry,
    Outcome, PatientInfo, Reason, ZoneSource,
};
use crate::ids::{ConversationId, EntryId, EntryKey};
use crate::ledger::{
    AttemptUpdate, ClaimRequest, ClaimResult, ClaimScope, ClaimedAttempt, CommitFuture, Deferral, EnrolledList,
    EntryRow, Ledger, LedgerError, LedgerReader, ListChunk, ListEnd, Operator, Resolution, SuppressionRequest,
    SuppressionScope,
};
use crate::phone::E164;

/// A Tuesday, before the hours of the practice.
const START: &str = "2026-11-24T14:00:00Z";

/// Minutes that may pass between two lists: within a call, across a cap, a gap, a night, a week-end, a month.
const PAUSES: [i64; 12] = [0, 1, 4, 6, 90, 400, 700, 1_440, 1_442, 2_900, 4_400, 46_000];

const PATIENTS: u64 = 9;

const NUMBERS: [&str; 5] = ["+13125550101", "+12125550102", "+13105550103", "+12045550104", "+15125550105"];

const LINES: [&str; 2] = [
    "[[line]]\nlocation = \"North\"\nfrom_number = \"+13125550141\"\n",
    "[[line]]\nlocation = \"East\"\nfrom_number = \"+12125550143\"\ntimezone = \"America/New_York\"\n\
     organisation = \"east\"\n",
];

/// What a run did at one instant: its list's changes, its calls, and the entries that it deferred.
pub(super) struct Ran {
    pub(super) listed: EnrolledList,
    pub(super) claimed: Vec<ClaimedAttempt>,
    pub(super) deferred: Vec<Deferral>,
}

/// An attempt whose facts are drawn.
struct Call {
    claim: ClaimedAttempt,
    state: AttemptState,
}

pub(super) struct RandomLedger {
    rng: SeededRng,
    folder: TempDir,
    ledger: Ledger,
    pub(super) now: DateTime<Utc>,
    /// The campaign of the newest list.
    pub(super) campaign: Arc<Campaign>,
    pub(super) list: Vec<NewEntry>,
    /// Whether the newest list withdraws the entries that it lacks.
    pub(super) withdraws: bool,
    newest: Option<EnrolledList>,
    /// Patients whom a list had in another patient's household.
    pub(super) members: HashSet<EntryKey>,
    calls: Vec<Call>,
}

fn now_or_never<T>(future: CommitFuture<T>) -> Result<T, LedgerError> {
    future.now_or_never().expect("an inline ledger answers at once")
}

impl RandomLedger {
    pub(super) fn new(seed: u64) -> Self {
        let memory = std::path::Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = tempfile::tempdir_in(parent).expect("a folder");
        let now = START.parse().expect("an instant");
        let ledger = Ledger::open_inline(&folder.path().join("ledger.db"), now).expect("a new ledger");
        let mut rng = SeededRng::new(seed);
        let campaign = random_campaign(&mut rng);
        let (list, members, calls) = (Vec::new(), HashSet::new(), Vec::new());
        Self { rng, folder, ledger, now, campaign, list, withdraws: false, newest: None, members, calls }
    }

    pub(super) fn reader(&self) -> LedgerReader {
        LedgerReader::open(&self.folder.path().join("ledger.db")).expect("a ledger")
    }

    /// Draws the next list, of a campaign that may have changed, for a later instant.
    pub(super) fn draw_list(&mut self) {
        self.now += self.rng.span(&PAUSES);
        if self.rng.chance(70) {
            // Eight hours in which it is day from New York to Los Angeles, on most days.
            let day = self.now.date_naive().and_time(NaiveTime::MIN).and_utc();
            let noon = day + TimeDelta::hours(17) + self.rng.span(&[0, 60, 300, 480]);
            self.now = if noon < self.now { noon + TimeDelta::days(1) } else { noon };
        }
        self.campaign = random_campaign(&mut self.rng);
        self.withdraws = self.rng.chance(50);
        let mut keys: Vec<u64> = (0..PATIENTS).collect();
        self.list.clear();
        while !keys.is_empty() {
            let patient = keys.swap_remove(self.rng.below(keys.len() as u64) as usize);
            let is_listed = self.rng.chance(75);
            let housemate = self.list.last_mut().filter(|_| self.rng.chance(25));
            match housemate {
                _ if !is_listed => {}
                Some(entry) => {
                    entry.members.push(member(patient));
                    self.members.insert(key(patient));
                }
                None => {
                    let entry = self.entry(patient);
                    self.list.push(entry);
                }
            }
        }
    }

    fn entry(&mut self, patient: u64) -> NewEntry {
        let (rng, campaign) = (&mut self.rng, &self.campaign);
        let locations: Vec<_> = campaign.locations.iter().map(|(location, _)| location.clone()).collect();
        let location = (!locations.is_empty()).then(|| rng.pick(&locations));
        let practice = campaign.practice_at(location.as_ref()).expect("a location of the campaign");
        // Patients mostly keep their numbers, and some share one.
        let number = if rng.chance(80) { patient } else { rng.below(5) } % NUMBERS.len() as u64;
        let alternatives =
            if rng.chance(30) { vec![phone((number + 1) % 5), phone((number + 2) % 5)] } else { Vec::new() };
        let first_name = if rng.chance(85) { "Pat" } else { "Patricia" }.into();
        NewEntry {
            key: key(patient),
            organisation: practice.organisation.clone(),
            location,
            phone: phone(number),
            alternatives,
            zones: random_zones(rng),
            content: CallContent {
                patient: PatientInfo { first_name, ..PatientInfo::default() },
                ..CallContent::default()
            },
            not_after: rng.chance(30).then(|| self.now + rng.span(&[-60, 0, 30, 600, 1_500, 5_000])),
            eligibility: match rng.below(12) {
                0 => ListEligibility::Suppressed(rng.pick(&[Reason::DoNotCall, Reason::NoConsent, Reason::Excluded])),
                1 => ListEligibility::Held(rng.pick(&[Reason::ConsentBlank, Reason::Extension])),
                _ => ListEligibility::Ready,
            },
            members: Vec::new(),
            line: patient + 2,
        }
    }

    /// Enrols the list and claims until nothing is due, one organisation after the other.
    pub(super) fn run(&mut self) -> Ran {
        let accepted = self.list.len() as u64;
        let end = ListEnd {
            counts: ListCounts { read: accepted, accepted, ..ListCounts::default() },
            max_withdraw_rate: self.withdraws.then_some(1.0),
            plan: None,
        };
        let chunks = [ListChunk::Entries(self.list.iter().collect()), ListChunk::End(end)];
        let campaign = Arc::clone(&self.campaign);
        let listed = self.ledger.enrol_list(campaign, true, chunks.into_iter(), accepted, self.now);
        let listed = now_or_never(listed).expect("enrolled");
        self.newest = Some(listed);
        let (claimed, deferred) = self.claim();
        Ran { listed, claimed, deferred }
    }

    /// Claims of the newest run until nothing is due.
    pub(super) fn claim(&mut self) -> (Vec<ClaimedAttempt>, Vec<Deferral>) {
        let (mut claimed, mut deferred) = (Vec::new(), Vec::new());
        for organisation in self.campaign.locations.organisations() {
            let request = ClaimRequest {
                run: self.listed().run,
                campaign: Arc::clone(&self.campaign),
                scope: ClaimScope::for_organisation(organisation.id.clone()),
                now: self.now,
                limit: 3,
            };
            loop {
                let ClaimResult { claimed: calls, deferred: others, .. } =
                    now_or_never(self.ledger.claim(request.clone())).expect("a claim");
                if calls.is_empty() && others.is_empty() {
                    break;
                }
                claimed.extend(calls);
                deferred.extend(others);
            }
        }
        let new_call = |claim: &ClaimedAttempt| Call { claim: claim.clone(), state: AttemptState::Submitting };
        self.calls.extend(claimed.iter().map(new_call));
        (claimed, deferred)
    }

    /// The newest list.
    pub(super) fn listed(&self) -> EnrolledList {
        self.newest.expect("a list")
    }

    /// The entries of the newest list's campaign.
    pub(super) fn rows(&self) -> Vec<EntryRow> {
        let mut rows = Vec::new();
        let run = self.listed().run;
        let read = self.reader().each_entry(run, DateTime::UNIX_EPOCH, |row| {
            rows.extend((!row.covered_by_household).then_some(row));
            Ok::<_, LedgerError>(())
        });
        read.expect("rows");
        rows
    }

    /// The newest `count` calls are lost track of.
    pub(super) fn lose_track_of(&mut self, count: usize) {
        for index in self.calls.len() - count..self.calls.len() {
            self.record(index, Fact::Accepted);
            self.record(index, Fact::TrackLost);
        }
    }

    /// Time passes, calls end or do not, and operators decide.
    pub(super) fn go_on(&mut self) {
        self.now += self.rng.span(&[0, 1, 3, 30]);
        for _ in 0..2 {
            for index in 0..self.calls.len() {
                if self.rng.chance(70) {
                    let fact = self.fact(self.calls[index].state);
                    self.record(index, fact);
                }
            }
        }
        self.operate();
    }

    fn fact(&mut self, state: AttemptState) -> Fact {
        let redial = self.rng.chance(60).then(|| self.now + self.rng.span(&[-5, 0, 20, 1_430, 3_000, 4_320]));
        let retry_at = self.now + self.rng.span(&[0, 1, 60, 1_440]);
        let reason = self.rng.pick(&[Reason::RateLimited, Reason::VendorCap, Reason::LineRefused]);
        let ended = Fact::Ended { outcome: self.rng.pick(Outcome::ALL), redial };
        let doubt = self.rng.pick(&Doubt::ALL);
        let in_doubt = Fact::EndedInDoubt { outcome: self.rng.pick(Outcome::ALL), doubt };
        let mut facts =
            vec![in_doubt, Fact::Accepted, Fact::Accepted, Fact::Accepted, Fact::AnswerLost, Fact::TrackLost];
        facts.extend([ended.clone(), ended.clone(), ended, Fact::Adopted, Fact::Absent { retry: false }]);
        facts.extend([Fact::Absent { retry: true }, Fact::NotPlaced { retry_at, reason }, Fact::Refused { reason }]);
        facts.retain(|fact| state.after(fact).is_some());
        if facts.is_empty() { Fact::Accepted } else { self.rng.pick(&facts) }
    }

    /// Records a fact, if it can be true.
    fn record(&mut self, index: usize, fact: Fact) {
        let (at, run) = (self.now, self.listed().run);
        let Call { claim, state } = &mut self.calls[index];
        let Some(after) = state.after(&fact) else { return };
        let &mut ClaimedAttempt { attempt, entry, .. } = claim;
        let names_it = matches!(fact, Fact::Accepted | Fact::Adopted);
        let conversation = names_it.then(|| ConversationId::new(format!("c-{attempt}")));
        let update = AttemptUpdate {
            attempt,
            entry,
            at,
            fact,
            conversation,
            started: None,
            ended: None,
            words: None,
            patient_died: false,
            detail: None,
        };
        if now_or_never(self.ledger.record(run, vec![update])).is_ok() {
            *state = after;
        }
    }

    fn operate(&mut self) {
        let mut operator = Operator::open(&self.folder.path().join("ledger.db"), self.now).expect("an operator");
        let (run, now) = (self.listed().run, self.now);
        let rng = &mut self.rng;
        let scope = rng.pick(&[SuppressionScope::All, SuppressionScope::Purpose(Purpose::Recall)]);
        if rng.chance(30) {
            let expires = rng.chance(60).then(|| now + rng.span(&[-10, 5, 1_440, 9_000]));
            let request = SuppressionRequest { scope, source: "operator", expires };
            operator.suppress([phone(rng.below(5))], request, now).expect("suppressed");
        }
        if rng.chance(20) {
            operator.unsuppress(phone(rng.below(5)), scope).expect("a ledger");
        }
        if rng.chance(20) {
            let excluded = key(rng.below(PATIENTS));
            let is_excluded = Arc::new(move |key: &EntryKey| *key == excluded);
            now_or_never(self.ledger.exclude(run, is_excluded, now)).expect("excluded");
        }
        for _ in 0..2 {
            let entry = EntryId(rng.below(2 * PATIENTS) as i64 + 1);
            let resolution = rng.pick(&[Resolution::NotPlaced, Resolution::NotPlaced, Resolution::Cancel]);
            // Only some entries can be resolved.
            let _ = operator.resolve(entry, resolution, "somebody", now);
        }
    }
}

fn key(patient: u64) -> EntryKey {
    EntryKey::new(format!("P-{patient}"))
}

fn phone(number: u64) -> E164 {
    E164::parse(NUMBERS[number as usize]).expect("a good number")
}

fn member(patient: u64) -> HouseholdMember {
    HouseholdMember { key: key(patient), patient: PatientInfo::default(), line: patient + 2 }
}

fn random_zones(rng: &mut SeededRng) -> CalledPartyZones {
    let (zones, regions, source): (&[&str], &[&str], _) = rng.pick(&[
        (&["America/Chicago"], &[], ZoneSource::AreaCode),
        (&["America/Chicago"], &[], ZoneSource::AreaCode),
        (&["America/Chicago"], &[], ZoneSource::Row),
        (&["America/Chicago"], &["FL"], ZoneSource::Row),
        (&["America/New_York"], &[], ZoneSource::Row),
        (&["America/Chicago", "America/Denver"], &["TX"], ZoneSource::State),
        (&[], &[], ZoneSource::Unknown),
        (&["Nowhere/Known"], &[], ZoneSource::Row),
    ]);
    let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
    CalledPartyZones { zones: owned(zones), regions: owned(regions), source }
}

/// One of two campaigns on the ledger, each with rules that differ from list to list.
fn random_campaign(rng: &mut SeededRng) -> Arc<Campaign> {
    let (name, purpose) = rng.pick(&[("recall", "recall"), ("recall", "recall"), ("reminder", "follow_up")]);
    let preset = rng.pick(&["vendor-safe", "us-federal", "us-states", "canada"]);
    let window = rng.pick(&["09:00-20:00", "09:00-20:00", "09:00-20:00", "10:00-12:30"]);
    let mode = rng.pick(&["intersect", "row-wins", "row-wins"]);
    let (gap, week, month) = rng.pick(&[("24h", 3, 6), ("48h", 2, 6), ("24h", 1, 2)]);
    let failures = rng.pick(&[1, 2, 3]);
    let attempts = rng.pick(&[1, 2, 3]);
    let redial = rng.pick(&["1h", "24h", "72h"]);
    let vary_time = rng.chance(30);
    let lines = rng.pick(&[String::new(), String::new(), LINES.concat(), LINES[0].into()]);
    let text = format!(
        "name = \"{name}\"\npurpose = \"{purpose}\"\n[practice]\nname = \"Bright Smile Dental\"\n\
         timezone = \"America/Chicago\"\nfrom_number = \"+13125550142\"\n{lines}[calling]\nconsent = \"on_file\"\n\
         preset = \"{preset}\"\nwindow = \"{window}\"\nzone_mode = \"{mode}\"\n[calling.caps]\nmin_gap = \"{gap}\"\n\
         per_7_days = {week}\nper_30_days = {month}\nfailures_before_cool_down = {failures}\n[redial]\n\
         max_attempts = {attempts}\nmin_gap = \"{redial}\"\nvary_time = {vary_time}\n[vendor]\nkind = \"simulator\"\n"
    );
    let campaign = campaign::load(&text, "c.toml", PathBuf::from("."), SafetyOverrides::default());
    Arc::new(campaign.unwrap_or_else(|problems| panic!("{}", problems.drawn(false))))
}
