//! One practice: its two campaigns on one ledger, the vendor that the story plays, and the mornings' decisions.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use callrounds::campaign::{self, Campaign, OnAbsent, SafetyOverrides};
use callrounds::clock::{Clock, ScaledClock};
use callrounds::engine::{Engine, Event, StopReason};
use callrounds::entry::{Outcome, State};
use callrounds::ids::EntryKey;
use callrounds::intake::{Intake, IntakeContext, IsSettled, ListSource, RowResult};
use callrounds::ledger::{Batch, EntryRow, Ledger, LedgerError, LedgerReader, ListChunk, ListEnd, Operator, RunHandle};
use callrounds::phone::E164;
use callrounds::policy::Hours;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OpenFlags};

use super::calendar::PRACTICE;
use super::oracle::{self, Call, CampaignRules, Key, Limits, ListExpectation, ListTaken, Oracle};
use super::story::{self, CallResult, Night, Story};
use super::vendor::{StoryVendor, digits, outcome};
use crate::support::fixtures::{REQUIRED, SIMULATOR};

/// What a number of seeds lived through.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lived {
    pub nights: u64,
    pub calls: u64,
    pub refused: u64,
    pub lost: u64,
    pub households: u64,
    pub refused_lists: u64,
    pub resolved: u64,
    pub in_doubt: u64,
    pub reviewed: u64,
    pub cancelled: u64,
    pub undone: u64,
    pub pauses: u64,
    pub suppressed: u64,
    pub lifted: u64,
}

impl Lived {
    pub fn add(&mut self, other: Self) {
        self.nights += other.nights;
        self.calls += other.calls;
        self.refused += other.refused;
        self.lost += other.lost;
        self.households += other.households;
        self.refused_lists += other.refused_lists;
        self.resolved += other.resolved;
        self.in_doubt += other.in_doubt;
        self.reviewed += other.reviewed;
        self.cancelled += other.cancelled;
        self.undone += other.undone;
        self.pauses += other.pauses;
        self.suppressed += other.suppressed;
        self.lifted += other.lifted;
    }
}

fn loaded(text: &str) -> Arc<Campaign> {
    let overrides = SafetyOverrides { short_settle: true };
    let campaign = campaign::load(text, "campaign.toml", PathBuf::from("."), overrides);
    Arc::new(campaign.unwrap_or_else(|problems| panic!("{}", problems.drawn(false))))
}

/// A practice, from its first night to its last.
pub struct Practice {
    folder: tempfile::TempDir,
    pub(super) clock: Arc<ScaledClock>,
    pub(super) ledger: Ledger,
    pub(super) reader: LedgerReader,
    pub(super) operator: Operator,
    /// Reads the calls.
    calls: Connection,
    vendor: Arc<StoryVendor>,
    pub(super) story: Arc<Story>,
    pub(super) recall: Arc<Campaign>,
    pub(super) reminder: Arc<Campaign>,
    pub(super) oracle: Oracle,
    /// The newest run of the recall campaign.
    pub(super) newest: Option<RunHandle>,
    /// The newest attempt that the oracle has been told of.
    told: i64,
    /// What was told of each number: how many requests.
    requests: HashMap<E164, usize>,
    pub(super) lived: Lived,
    pub(super) wrong: Vec<String>,
}

impl Practice {
    pub fn open(story: Story) -> Self {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
        let folder = tempfile::Builder::new().prefix("callrounds-").tempdir_in(parent).expect("a folder");
        let start = morning(&story.nights[0]);
        let clock = Arc::new(ScaledClock::starting_at(start, 1.0));
        let path = folder.path().join("ledger.db");
        let ledger = Ledger::open_inline(&path, start).expect("a ledger");
        let calls = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the ledger");
        let story = Arc::new(story);
        let vendor = StoryVendor::new(clock.clone(), Arc::clone(&story));
        let rest = format!(
            "callback_number = \"+13125550100\"\n[safety]\nsettle = \"120s\"\n[safety.stop_on]\nat_least = 100000\n{SIMULATOR}"
        );
        let reminder = REQUIRED.replace("\"recall\"", "\"reminder\"");
        let reminder =
            format!("{reminder}{}", rest.replace("[safety]\n", "[calling]\nconsent = \"on_file\"\n[safety]\n"));
        Self {
            folder,
            clock,
            ledger,
            reader: LedgerReader::open(&path).expect("a reader"),
            operator: Operator::open(&path, start).expect("an operator"),
            calls,
            vendor: Arc::new(vendor),
            story,
            recall: loaded(&format!("{REQUIRED}{rest}")),
            reminder: loaded(&reminder),
            oracle: Oracle::new(CampaignRules::recall(), CampaignRules::reminder(), Limits::default()),
            newest: None,
            told: 0,
            requests: HashMap::new(),
            lived: Lived::default(),
            wrong: Vec::new(),
        }
    }

    pub async fn live(mut self) -> (Lived, Vec<String>) {
        let story = Arc::clone(&self.story);
        for (index, night) in story.nights.iter().enumerate() {
            self.live_night(index, night).await;
            if self.wrong.len() > 5 {
                break;
            }
        }
        if std::env::var("CALLROUNDS_KEEP").is_ok() {
            let _ = writeln!(std::io::stderr(), "the ledger is kept in {}", self.folder.path().display());
            std::mem::forget(self.folder);
        }
        (self.lived, self.wrong)
    }

    async fn live_night(&mut self, index: usize, night: &Night) {
        self.lived.nights += 1;
        self.sleep_until(morning(night)).await;
        for decision in &night.decisions {
            self.decide(decision).await;
        }
        self.resolve(index);
        self.review(index);
        let expected = self.oracle.expect_list(&night.rows);
        let Some(start) = night.run else {
            return self.oracle.begin_night(night.date, None, &night.rows, ListTaken::Unknown);
        };
        self.sleep_until(start).await;
        let reminders = night.reminders.as_ref().filter(|rows| !rows.is_empty());
        let reminder_run = match reminders {
            Some(rows) => Some(self.enrol(&self.reminder, &story::reminder_csv(rows)).await.expect("reminders")),
            None => None,
        };
        let recall_run = self.enrol(&self.recall, &story::recall_csv(&night.rows)).await;
        let taken = if recall_run.is_ok() { ListTaken::Accepted } else { ListTaken::Refused };
        self.compare_list(night, expected, taken);
        self.oracle.begin_night(night.date, night.run, &night.rows, taken);
        if let Some(rows) = reminders {
            self.oracle.begin_reminders(start, rows);
        }
        let recall = recall_run.ok();
        tokio::join!(self.run(&self.reminder, reminder_run), self.run(&self.recall, recall));
        self.newest = recall.or(self.newest);
        self.tell_calls(night);
        self.compare_night(night);
        if recall.is_some() {
            self.compare_figures(night);
        }
    }

    async fn sleep_until(&self, at: DateTime<Utc>) {
        self.clock.sleep(at - self.clock.now()).await;
    }

    /// The rows of the report, one for each patient.
    pub(super) fn rows(&self, run: RunHandle) -> Vec<EntryRow> {
        let mut rows = Vec::new();
        let read = self.reader.each_patient(run, self.clock.now(), |row| {
            rows.push(row);
            Ok::<_, LedgerError>(())
        });
        read.expect("the report");
        rows
    }

    /// Reads a list as `run` does, and enrols it.
    async fn enrol(&self, campaign: &Arc<Campaign>, csv: &str) -> Result<RunHandle, String> {
        let now = self.clock.now();
        let file = self.folder.path().join(format!("{}.csv", campaign.name));
        std::fs::write(&file, csv).expect("a list");
        if std::env::var("CALLROUNDS_KEEP").is_ok() {
            let kept = format!("{}-{}.csv", campaign.name, PRACTICE.to_local(now).format("%m-%d"));
            std::fs::write(self.folder.path().join(kept), csv).expect("a list");
        }
        let history = self.reader.campaign(&campaign.name).expect("a campaign").map(|id| {
            let reader = &self.reader;
            let is_settled = move |key: &EntryKey, phone| {
                reader.is_settled(id, &campaign.redial, key, phone).expect("the ledger can be read")
            };
            Box::new(is_settled) as Box<IsSettled<'_>>
        });
        let opens = Hours::for_practice(&campaign.calling, &campaign.practice.zone).next_open(now).unwrap_or(now);
        let context = IntakeContext { now, opens, fiction_allowed: true, check_age: false };
        let intake = Intake::open(&ListSource::File(file), campaign, context).map_err(|error| error.to_string())?;
        let intake = intake.with_history(history);
        let mut entries = Batch::default();
        let mut pass = intake.read().map_err(|error| error.to_string())?;
        for row in pass.by_ref() {
            match row.map_err(|error| error.to_string())? {
                RowResult::Accepted(entry) => entries.push(&entry),
                RowResult::Rejected(rejection, _) => return Err(format!("rejected: {rejection}")),
                RowResult::Duplicate { .. } | RowResult::Replaced { .. } => {}
            }
        }
        let counts = pass.finish().map_err(|error| error.to_string())?.counts;
        let withdraws = campaign.list.on_absent == OnAbsent::Withdraw;
        let max_withdraw_rate = withdraws.then_some(campaign.list.max_withdraw_rate);
        let end = ListChunk::End(ListEnd { counts, max_withdraw_rate, plan: None });
        let chunks = vec![ListChunk::Entries(entries), end];
        let listed = self.ledger.enrol_list(Arc::clone(campaign), true, chunks.into_iter(), counts.read, now).await;
        listed.map(|listed| listed.run).map_err(|error| error.to_string())
    }

    async fn run(&self, campaign: &Arc<Campaign>, run: Option<RunHandle>) {
        let Some(run) = run else { return };
        let closes = end_of_day(self.clock.now());
        loop {
            let ended = self.run_once(campaign, run).await;
            // A run before the hours is started again when they open.
            let StopReason::WindowClosed { opens: Some(opens) } = ended else { return };
            if opens >= closes {
                return;
            }
            self.sleep_until(opens).await;
            self.ledger.reopen_run(Some(run.run)).await.expect("the run");
        }
    }

    async fn run_once(&self, campaign: &Arc<Campaign>, run: RunHandle) -> StopReason {
        let engine = Engine {
            ledger: self.ledger.clone(),
            vendors: [(campaign.practice.organisation.clone(), Arc::clone(&self.vendor))].into(),
            clock: self.clock.clone(),
            campaign: Arc::clone(campaign),
            run,
            until_done: false,
            seed: 1,
            hints: None,
            exclusions: None,
        };
        engine.run(&mut |_: &Event| (), std::future::pending()).await.expect("the run ends").stop_reason
    }

    fn compare_list(&mut self, night: &Night, expected: ListExpectation, taken: ListTaken) {
        self.lived.refused_lists += u64::from(taken == ListTaken::Refused);
        let agrees = match expected {
            ListExpectation::Accepted => taken == ListTaken::Accepted,
            ListExpectation::Refused => taken == ListTaken::Refused,
            ListExpectation::Open => true,
        };
        if !agrees {
            self.wrong.push(format!("{}: the list ({:?}) is {taken:?}, expected {expected:?}", night.date, night.kind));
        }
    }

    /// Tells the oracle the calls of the night.
    fn tell_calls(&mut self, night: &Night) {
        for call in self.calls_since() {
            let at = PRACTICE.to_local(call.at);
            let who = &call.who;
            for left_out in self.oracle.left_out(&call) {
                self.wrong.push(format!("{at}: {who:?}: {left_out:?} is left out"));
            }
            if let Some(sentence) = self.oracle.observe(&call) {
                self.wrong.push(format!("{at}: {who:?} at {} ({:?}): {sentence}", call.number, night.kind));
            }
            self.lived.calls += 1;
            self.lived.refused += u64::from(call.result == CallResult::Refused);
            self.lived.lost += u64::from(call.result == CallResult::AnswerLost);
            let is_in_doubt = matches!(
                call.result,
                CallResult::PossibleOptOut | CallResult::PossiblyDeceased | CallResult::VoicemailInDoubt
            );
            self.lived.in_doubt += u64::from(is_in_doubt);
            self.lived.households += u64::from(call.who.len() > 1);
        }
    }

    /// The calls since the last one told, by the ledger: oldest first.
    fn calls_since(&mut self) -> Vec<Call> {
        let mut statement = self
            .calls
            .prepare_cached(
                "SELECT attempt.id, purpose, key, to_number, intent_at,
                    (SELECT group_concat(covered.key, char(10)) FROM covered WHERE attempt_id = attempt.id) AS covers
                 FROM attempt JOIN entry ON entry.id = entry_id JOIN campaign ON campaign.id = campaign_id
                 WHERE attempt.id > ?1 AND attempt.state <> 'not_placed' ORDER BY intent_at, attempt.id",
            )
            .expect("a query");
        let mut rows = statement.query([self.told]).expect("rows");
        let mut calls = Vec::new();
        let mut newest = self.told;
        while let Some(row) = rows.next().expect("a row") {
            let (id, purpose, key): (i64, String, String) =
                (row.get(0).expect("an id"), row.get(1).expect("a purpose"), row.get(2).expect("a key"));
            let to = E164::parse(&row.get::<_, String>(3).expect("a number")).expect("a number");
            let at = DateTime::from_timestamp_millis(row.get(4).expect("an instant")).expect("an instant");
            let covers: Option<String> = row.get(5).expect("keys");
            newest = newest.max(id);
            let request = self.requests.entry(to).or_default();
            let result = self.vendor.result(to, *request);
            *request += 1;
            let keys = std::iter::once(key.as_str()).chain(covers.iter().flat_map(|keys| keys.split('\n')));
            let who = keys.map(|key| who(&purpose, key)).collect();
            calls.push(Call { number: digits(to), at, who, result });
        }
        self.told = newest;
        calls
    }

    fn compare_night(&mut self, night: &Night) {
        let missing = self.oracle.must_have_called();
        let unreminded = self.oracle.must_have_reminded();
        let Night { date, run, .. } = night;
        let run = run.map(|run| PRACTICE.to_local(run));
        self.wrong.extend(self.oracle.must_have_run().map(|sentence| format!("{date}: {sentence}")));
        for (patient, sentence) in missing {
            let state = self.state_of(patient);
            self.wrong.push(format!("{date}, run at {run:?}: patient {patient} ({state}) was not called: {sentence}"));
        }
        for (appointment, sentence) in unreminded {
            self.wrong.push(format!("{date}, run at {run:?}: appointment {appointment} was not called: {sentence}"));
        }
    }

    fn state_of(&self, patient: story::Patient) -> String {
        let Some(run) = self.newest else { return String::new() };
        let rows = self.rows(run);
        let row = rows.iter().find(|row| row.key.as_str() == patient.to_string());
        row.map_or_else(String::new, |row| {
            let due = row.due_at.map(|due| PRACTICE.to_local(due));
            format!("{} {:?} {:?} due {due:?}, {} calls", row.state, row.reason, row.outcome, row.calls)
        })
    }

    /// Compares what the morning shows with the oracle's figures.
    fn compare_figures(&mut self, night: &Night) {
        let Some(run) = self.newest else { return };
        let counts = self.oracle.expected_counts();
        let rows = self.rows(run);
        let mut wrong = Vec::new();
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for row in &rows {
            *seen.entry(row.key.as_str()).or_default() += 1;
            let state = state(row);
            let allowed = counts.standing.get(&patient(&row.key)).map_or(&[][..], Vec::as_slice);
            if !allowed.contains(&state) {
                let EntryRow { key, reason, outcome, calls, entry, .. } = row;
                let key = key.as_str();
                wrong.push(format!(
                    "{key} (#{entry}) is {state:?} {reason:?} {outcome:?} after {calls} calls, expected {allowed:?}"
                ));
            }
        }
        wrong.extend(seen.iter().filter(|(_, rows)| **rows > 1).map(|(key, rows)| format!("{key} has {rows} rows")));
        if counts.patients != rows.len() {
            wrong.push(format!("{} rows, expected {}", rows.len(), counts.patients));
        }
        let report = self.reader.run(Some(run.run)).expect("the run");
        let mut outcomes: BTreeMap<Outcome, u64> = BTreeMap::new();
        for (result, count) in &counts.outcomes_tonight {
            if let Some(outcome) = outcome(*result) {
                *outcomes.entry(outcome).or_default() += *count as u64;
            }
        }
        for (what, shown, expected) in [
            ("calls tonight", report.attempts.placed, counts.calls_tonight),
            ("refused tonight", report.attempts.not_placed, counts.refused_tonight),
            ("answers lost tonight", report.attempts.absent, counts.lost_answers_tonight),
            ("calls in all", report.calls_in_all, counts.calls_in_all),
        ] {
            if shown != expected as u64 {
                wrong.push(format!("{what}: {shown}, expected {expected}"));
            }
        }
        if report.outcomes != outcomes {
            wrong.push(format!("outcomes tonight: {:?}, expected {outcomes:?}", report.outcomes));
        }
        self.wrong.extend(wrong.into_iter().map(|wrong| format!("{}: {wrong}", night.date)));
    }
}

fn state(row: &EntryRow) -> oracle::State {
    match row.state {
        _ if row.covered_by_household => oracle::State::Covered,
        State::Ready => oracle::State::Ready,
        State::Waiting | State::Submitting | State::Open | State::Unknown | State::LostTrack => oracle::State::Waiting,
        State::Held => oracle::State::Held,
        State::Finished => oracle::State::Finished,
        State::Failed => oracle::State::Failed,
        State::Suppressed => oracle::State::Suppressed,
        State::Withdrawn | State::Expired => oracle::State::Withdrawn,
        State::Cancelled => oracle::State::Cancelled,
    }
}

/// Seven o'clock on the night's day.
fn morning(night: &Night) -> DateTime<Utc> {
    PRACTICE.to_utc(night.date.and_hms_opt(7, 0, 0).expect("a time of day"))
}

/// Midnight at the end of the practice's day.
fn end_of_day(now: DateTime<Utc>) -> DateTime<Utc> {
    let tomorrow = PRACTICE.to_local(now).date().succ_opt().expect("a date");
    PRACTICE.to_utc(tomorrow.into())
}

pub(super) fn patient(key: &EntryKey) -> story::Patient {
    key.as_str().parse().expect("a patient's number")
}

pub(super) fn who(purpose: &str, key: &str) -> Key {
    let parts: Vec<String> = EntryKey::new(key).parts().map(ToOwned::to_owned).collect();
    match purpose {
        "reminder" => oracle::reminder(parts[1].parse().expect("an appointment's number")),
        _ => oracle::recall(parts[0].parse().expect("a patient's number")),
    }
}
