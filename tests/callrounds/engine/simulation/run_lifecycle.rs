//! One seed: the program is started, killed, stopped and started again on one ledger, until no work is left.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use callrounds::campaign::OnAbsent;
use callrounds::clock::{Clock, ScaledClock, SharedClock};
use callrounds::engine::vendor_clock::{TimeProbe, probe_vendor_time};
use callrounds::engine::{Engine, EngineError, Event, StopReason};
use callrounds::entry::{Reason, State};
use callrounds::ledger::{
    Ledger, LedgerError, ListChunk, ListEnd, Operator, RunHandle, StateCounts, SuppressionRequest, SuppressionScope,
};
use callrounds::vendor::hints::HintReceiver;
use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::OpenFlags;
use rusqlite::config::DbConfig;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::support::disk::Disk;
use crate::support::seeded_rng::SeededRng;

use super::clock::MachineClock;
use super::machine::Machine;
use super::odd_responses;
use super::oracle::{LedgerKnowledge, Oracle};
use super::plan::{Plan, tally};
use super::trace::Trace;
use super::vendor::SimVendor;
use super::vendor_model::{KillPoint, ListOddities, RequestStage, VendorModel};

/// A seed that needs more starts makes no progress.
const STARTS_AT_MOST: u32 = 400;

/// More requests in a seed are a loop.
const REQUESTS_AT_MOST: u64 = 200_000;

/// Virtual time after which the program is considered to hang.
const FOR_EVER: Duration = Duration::from_hours(700 * 24);

/// The result of one seed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SeedResult {
    /// Broken promises, each with its time.
    pub broken: Vec<String>,
    pub coverage: Coverage,
    pub requests: u64,
    /// Disk operations of its busiest process.
    pub operations: u64,
    /// Which operations of the first process were syncs.
    pub syncs: Vec<u64>,
    /// The virtual time at its end.
    pub over: DateTime<Utc>,
}

/// How often a seed had each event that the simulation is meant to cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Coverage {
    pub starts: u64,
    pub kills: u64,
    pub power_failures: u64,
    pub disk_errors: u64,
    pub calls: u64,
    pub lost: u64,
    pub adopted: u64,
    pub absent: u64,
    pub redials: u64,
    /// Entries not called because of an operator's opt-out.
    pub suppressed: u64,
    /// Calls not made because their hours closed between the claim and the request.
    pub closed: u64,
    /// Runs that ended because of a wrong clock.
    pub clocks: u64,
    /// Conversations named by webhooks.
    pub named: u64,
    /// Caller ids that the vendor blocked while it let others call.
    pub blocked_caller_ids: u64,
    /// Older ledgers restored without their high-water mark.
    pub restored: u64,
    /// Older ledgers restored with their high-water mark.
    pub restored_folders: u64,
    /// Ledgers that an operator adopted because they were behind, written by a clock that was ahead, or with a vendor's list
    /// that proves nothing.
    pub adopted_ledgers: u64,
    /// Calls that an adopted ledger took over from the vendor's list.
    pub taken_over: u64,
    /// Runs that ended because the vendor's list proves nothing.
    pub unproven_lists: u64,
    /// Lists refused because they would have withdrawn too many entries.
    pub cut_lists: u64,
    /// Suspensions of the machine during a run.
    pub suspended: u64,
    /// Clocks found to be wrong before anything was written.
    pub wrong_clocks: u64,
    /// Conversations that were lost track of.
    pub lost_track: u64,
    pub list: ListOddities,
    pub odd: odd_responses::OddResponseCounts,
}

impl Coverage {
    fn on_event(&mut self, event: &Event) {
        self.odd.on_event(event);
        match event {
            Event::Dialling { .. } => self.calls += 1,
            Event::AnswerLost { .. } => self.lost += 1,
            Event::Adopted { .. } => self.adopted += 1,
            Event::Absent { .. } => self.absent += 1,
            Event::Ended { redial_at: Some(_), .. } => self.redials += 1,
            Event::SetAside { reason: Reason::Suppressed, .. } => self.suppressed += 1,
            Event::NotPlaced { reason: Reason::Window, .. } => self.closed += 1,
            Event::LineRefused { .. } => self.blocked_caller_ids += 1,
            Event::TakenOver { .. } => self.taken_over += 1,
            Event::TrackLost { .. } => self.lost_track += 1,
            Event::Started { .. }
            | Event::Accepted { .. }
            | Event::Ended { .. }
            | Event::NotPlaced { .. }
            | Event::Refused { .. }
            | Event::SetAside { .. }
            | Event::Paused { .. }
            | Event::OutageBegan { .. }
            | Event::OutageEnded { .. }
            | Event::Resting { .. }
            | Event::Stopping { .. } => {}
        }
    }

    pub fn add(&mut self, other: Self) {
        let mut mine = self.counts_mut();
        mine.iter_mut().zip(other.counts()).for_each(|((_, mine), (_, other))| **mine += other);
        self.odd.add(other.odd);
    }

    /// The names of the events that never happened.
    pub fn missing(&self) -> Vec<&'static str> {
        // A thousand seeds may have none of these.
        const RARE: [&str; 3] = ["hours that closed", "clocks", "lost track of"];
        let counts = self.counts().into_iter();
        let counts = counts.filter(|(what, _)| !RARE.contains(what)).chain(self.odd.all());
        counts.filter(|(_, times)| *times == 0).map(|(what, _)| what).collect()
    }

    fn counts(mut self) -> Vec<(&'static str, u64)> {
        self.counts_mut().into_iter().map(|(what, times)| (what, *times)).collect()
    }

    fn counts_mut(&mut self) -> Vec<(&'static str, &mut u64)> {
        let odd = &mut self.list;
        vec![
            ("starts", &mut self.starts),
            ("kills", &mut self.kills),
            ("power failures", &mut self.power_failures),
            ("disk errors", &mut self.disk_errors),
            ("calls", &mut self.calls),
            ("lost answers", &mut self.lost),
            ("adopted", &mut self.adopted),
            ("absent", &mut self.absent),
            ("redials", &mut self.redials),
            ("suppressed", &mut self.suppressed),
            ("hours that closed", &mut self.closed),
            ("clocks", &mut self.clocks),
            ("named by webhooks", &mut self.named),
            ("blocked caller ids", &mut self.blocked_caller_ids),
            ("restored ledgers", &mut self.restored),
            ("restored folders", &mut self.restored_folders),
            ("adopted ledgers", &mut self.adopted_ledgers),
            ("calls taken over", &mut self.taken_over),
            ("lists that prove nothing", &mut self.unproven_lists),
            ("lists cut short", &mut self.cut_lists),
            ("suspended machines", &mut self.suspended),
            ("wrong clocks", &mut self.wrong_clocks),
            ("lost track of", &mut self.lost_track),
            ("totals", &mut odd.totals),
            ("offsets ignored", &mut odd.offsets),
            ("short pages", &mut odd.short_pages),
            ("failing pages", &mut odd.failing_pages),
            ("rows out of order", &mut odd.out_of_order),
            ("stray rows", &mut odd.strays),
            ("duplicate rows", &mut odd.duplicates),
            ("rows that lack a field", &mut odd.gaps),
            ("rows without an id", &mut odd.rows_without_id),
            ("texts", &mut odd.texts),
            ("stale dates", &mut odd.stale_dates),
        ]
    }
}

/// Runs one seed; the ledger is in the folder of the machine's disk. The runtime's time must be paused.
pub async fn run_seed(seed: u64, plan: Plan, machine: Machine, ledger: &Path, trace: Trace) -> SeedResult {
    let true_clock = Arc::new(ScaledClock::starting_at(plan.start, 1.0));
    let machine_clock = Arc::new(MachineClock::new(Arc::clone(&true_clock), plan.clock));
    let clock: SharedClock = Arc::clone(&true_clock) as SharedClock;
    let oracle = Oracle::new(Arc::clone(&plan.campaign), trace);
    let rng = SeededRng::new(seed);
    let model =
        VendorModel::new(Arc::clone(&clock), plan.vendor.clone(), oracle, Arc::clone(&machine.disk), rng.derive(11));
    let vendor = SimVendor(Arc::new(Mutex::new(model)));
    let mut seed_run = SeedRun {
        path: ledger,
        clock,
        true_clock,
        machine_clock,
        vendor,
        machine,
        rng: rng.derive(12),
        crashes: plan.crashes,
        stops: plan.stops,
        list_index: 0,
        enrolled: None,
        starts: 0,
        copies: Vec::new(),
        restores: plan.restores,
        unproven_lists: 0,
        coverage: Arc::default(),
        trace,
        plan,
    };
    seed_run.trace.log(seed_run.clock.now(), || {
        let Plan { vendor, clock, restores, suspended, .. } = &seed_run.plan;
        let (list, word) = (&vendor.settings.list, &vendor.settings.wording.voice_medium);
        let texts: Vec<_> = list.foreign.iter().map(|foreign| (foreign.medium, foreign.every)).collect();
        format!("{:?}, calls are {word:?}, {texts:?}, {clock:?}, {restores} restores, {suspended:?}, faults {} {}, slow {}, unreadable {}, illegible {}, gaps {}",
            callrounds::simulator::settings::ListHabits { foreign: Vec::new(), ..list.clone() }, vendor.call_faults, vendor.read_faults, vendor.slowness, vendor.unreadable_rows, vendor.illegible, vendor.gaps)
    });
    seed_run.vendor.model().oracle.may_prove_nothing = seed_run.plan.vendor.may_prove_nothing();
    let completed = tokio::time::timeout(FOR_EVER, seed_run.run_until_done()).await;
    if completed.is_err() {
        seed_run.report_broken_promise("the program waits for ever");
    }
    seed_run.into_result()
}

struct SeedRun<'a> {
    plan: Plan,
    path: &'a Path,
    /// The true time.
    clock: SharedClock,
    /// The same clock, as the type that can leap over a suspension.
    true_clock: Arc<ScaledClock>,
    /// The clock that the program reads.
    machine_clock: Arc<MachineClock>,
    vendor: SimVendor,
    machine: Machine,
    rng: SeededRng,
    crashes: u32,
    stops: u32,
    /// Index of the current list.
    list_index: usize,
    /// Index of the list that was last enrolled completely.
    enrolled: Option<usize>,
    starts: u32,
    copies: Vec<LedgerCopy>,
    /// How often a copy may still be restored.
    restores: u32,
    /// Runs that ended because the vendor's list proves nothing.
    unproven_lists: u32,
    coverage: Arc<Mutex<Coverage>>,
    trace: Trace,
}

/// A copy of the ledger, and what the oracle took it to know.
struct LedgerCopy {
    files: Vec<(PathBuf, Option<Vec<u8>>)>,
    mark: (PathBuf, Option<Vec<u8>>),
    attempts: i64,
    known: LedgerKnowledge,
}

/// How one process of the program ended.
enum StartResult {
    Killed,
    Left {
        ending: StopReason,
        census: StateCounts,
    },
    /// It ended before it opened the ledger; it is to be started again at this instant.
    NotBegun(DateTime<Utc>),
    /// The ledger is behind its mark, or has events in the future: an operator must decide.
    MustBeAdopted,
    /// The list was refused because it would have withdrawn too many entries.
    ListRefused,
}

/// Opens the ledger, with retries. Other tests of this process start programs: between its fork and its exec, a child holds
/// a copy of each of our file locks, so a released lock may still seem held for a moment.
fn open(disk: &Disk, path: &Path, now: DateTime<Utc>) -> Result<Ledger, LedgerError> {
    for _ in 0..2_000 {
        match Ledger::open_inline_on(disk, path, now) {
            Err(LedgerError::Locked { .. }) => std::thread::sleep(Duration::from_millis(1)),
            opened => return opened,
        }
    }
    Ledger::open_inline_on(disk, path, now)
}

impl SeedRun<'_> {
    async fn run_until_done(&mut self) {
        while let Some(next) = self.start_once().await {
            self.clock.sleep(next - self.clock.now()).await;
        }
    }

    /// Runs one process; returns when to start the next, or `None` if no work is left.
    async fn start_once(&mut self) -> Option<DateTime<Utc>> {
        self.starts += 1;
        self.restore_copy().await;
        let end = self.start().await;
        self.copy_ledger();
        let now = self.clock.now();
        let is_enough = self.starts >= STARTS_AT_MOST || self.vendor.model().requests > REQUESTS_AT_MOST;
        if is_enough && self.unproven_lists > 0 {
            // A list that proves nothing may be too long to be read completely within a window.
            self.vendor.model().oracle.proves_nothing = true;
            return None;
        }
        if is_enough {
            self.report_broken_promise("the campaign never ends");
            return None;
        }
        match end {
            Err(error) => {
                self.report_broken_promise(&format!("the program failed: {error}"));
                None
            }
            Ok(StartResult::Killed) => Some(now + self.rng.up_to(TimeDelta::hours(20))),
            Ok(StartResult::NotBegun(at)) => Some(at),
            Ok(StartResult::MustBeAdopted) => {
                self.adopt_as_operator();
                Some(now)
            }
            Ok(StartResult::ListRefused) => {
                // The operator exports the list again.
                self.count(|coverage| coverage.cut_lists += 1);
                self.plan.lists.remove(self.list_index);
                self.list_index = self.list_index.min(self.plan.lists.len() - 1);
                Some(now)
            }
            Ok(StartResult::Left { ending, census }) => {
                self.trace.log(now, || format!("ended: {ending}"));
                if let StopReason::ListProvesNothing { .. } = ending {
                    return self.after_a_list_that_proves_nothing(now);
                }
                if let StopReason::Behind { .. } = ending {
                    if self.vendor.model().oracle.was_restored {
                        self.adopt_as_operator();
                    } else {
                        self.report_broken_promise("the ledger is said to be behind, and is not");
                    }
                    return Some(now);
                }
                if is_over(&census) {
                    self.list_index += 1;
                    if self.list_index == self.plan.lists.len() {
                        return None;
                    }
                }
                if let StopReason::Clock { seconds } = ending {
                    return Some(self.correct_the_clock(seconds));
                }
                Some(next_start(&ending, &census, now) + self.rng.up_to(TimeDelta::hours(2)))
            }
        }
    }

    fn count(&self, count: impl FnOnce(&mut Coverage)) {
        count(&mut self.coverage.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Adopts the ledger, as an operator.
    fn adopt_as_operator(&mut self) {
        let now = self.machine_clock.now();
        self.trace.log(now, || "an operator adopts the ledger".into());
        self.count(|coverage| coverage.adopted_ledgers += 1);
        self.machine.disk.begin_process(None);
        if let Err(error) = callrounds::ledger::adopt(self.path, "Pat", now) {
            self.report_broken_promise(&format!("the ledger cannot be adopted: {error}"));
        }
        self.machine.disk.kill();
    }

    /// The operator runs the campaign again, then adopts the ledger, and in the end gives up (`None`).
    fn after_a_list_that_proves_nothing(&mut self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.count(|coverage| coverage.unproven_lists += 1);
        self.unproven_lists += 1;
        if !self.plan.vendor.may_prove_nothing() && self.plan.vendor.read_faults == 0 {
            self.report_broken_promise("the list is said to prove nothing, and could be read");
        }
        match self.unproven_lists {
            // An operator does not adopt where an older ledger may have been restored and the list cannot be read.
            2 if !self.vendor.model().oracle.was_restored && !self.plan.vendor.has_texts_that_look_like_calls() => {
                self.adopt_as_operator();
            }
            0..5 => {}
            _ => {
                self.vendor.model().oracle.proves_nothing = true;
                return None;
            }
        }
        // At a time when the window may be open, so that the list is read again.
        Some(now + self.rng.pick(&[TimeDelta::minutes(30), TimeDelta::days(1)]))
    }

    /// Copies the ledger now and then, while no process uses it.
    fn copy_ledger(&mut self) {
        if self.restores == 0 || !self.rng.chance(50) {
            return;
        }
        let read = |name: &str| {
            let mut path = self.path.to_owned().into_os_string();
            path.push(name);
            let path = PathBuf::from(path);
            let bytes = std::fs::read(&path).ok();
            (path, bytes)
        };
        let Some(attempts) = self.attempts() else { return };
        let copy = LedgerCopy {
            files: vec![read(""), read("-wal")],
            mark: read(".high-water"),
            attempts,
            known: self.vendor.model().oracle.known(),
        };
        self.copies.push(copy);
    }

    /// How many attempts the ledger has, if it exists and is not locked.
    fn attempts(&self) -> Option<i64> {
        self.machine.disk.begin_process(None);
        let counted =
            rusqlite::Connection::open_with_flags(self.path, OpenFlags::SQLITE_OPEN_READ_WRITE).and_then(|ledger| {
                ledger.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
                ledger.query_row("SELECT coalesce(max(id), 0) FROM attempt", [], |row| row.get(0))
            });
        self.machine.disk.kill();
        counted.ok()
    }

    /// Restores an older copy now and then, without its high-water mark or with it. In the second case only the vendor's list
    /// can show that the ledger is behind, once its delay has passed.
    async fn restore_copy(&mut self) {
        if self.restores == 0 || self.copies.is_empty() || !self.rng.chance(30) {
            return;
        }
        self.restores -= 1;
        let copy = self.copies.swap_remove(self.rng.between(0, self.copies.len() as u32 - 1) as usize);
        let with_folder = self.rng.chance(40);
        let Some(attempts) = self.attempts() else { return };
        for (path, bytes) in copy.files.iter().chain(with_folder.then_some(&copy.mark)) {
            self.machine.disk.replace(path, bytes.as_deref());
        }
        self.count(|coverage| {
            coverage.restored += u64::from(!with_folder && copy.attempts < attempts);
            coverage.restored_folders += u64::from(with_folder && copy.attempts < attempts);
        });
        self.vendor.model().oracle.on_restored(self.clock.now(), &copy.known, copy.attempts);
        self.enrolled = None;
        // The mark is not synced, so a power failure may have lost it.
        if !with_folder && self.mark_attempts().is_some_and(|mark_attempts| copy.attempts < mark_attempts) {
            self.check_restored_ledger_is_refused();
        } else {
            self.clock.sleep(TimeDelta::minutes(20)).await;
        }
    }

    /// The number of attempts in the high-water mark.
    fn mark_attempts(&self) -> Option<i64> {
        let mark = std::fs::read_to_string(format!("{}.high-water", self.path.display())).ok()?;
        mark.lines().nth(2)?.parse().ok()
    }

    /// A ledger with fewer attempts than its mark must not be opened, whatever the vendor's list shows.
    fn check_restored_ledger_is_refused(&mut self) {
        self.machine.disk.begin_process(None);
        let opened = open(&self.machine.disk, self.path, self.machine_clock.now());
        self.machine.disk.kill();
        if !matches!(opened, Err(LedgerError::BehindMark { .. })) {
            drop(opened);
            self.report_broken_promise("an older copy of the ledger was opened");
        }
    }

    /// The operator corrects the clock, or waits until the time of the ledger's newest event.
    fn correct_the_clock(&self, seconds: i64) -> DateTime<Utc> {
        self.coverage.lock().unwrap_or_else(PoisonError::into_inner).clocks += 1;
        let wait = if self.machine_clock.set_right() { 0 } else { seconds };
        self.clock.now() + TimeDelta::seconds(wait)
    }

    fn report_broken_promise(&self, promise: &str) {
        self.vendor.model().oracle.report_broken_promise(self.clock.now(), promise);
    }

    /// Runs one process of the program, until it ends or is killed.
    async fn start(&mut self) -> Result<StartResult, EngineError> {
        let now = self.machine_clock.now();
        // After a failed commit it is unknown whether the list counts, so it is enrolled once more.
        let is_enrolled = self.enrolled == Some(self.list_index);
        if is_enrolled && self.list_index + 1 < self.plan.lists.len() && self.rng.chance(20) {
            self.list_index += 1;
        }
        let fault = self.machine.begin_process(self.crashes > 0);
        self.trace.log(now, || format!("start {}: list {}, {fault:?}", self.starts, self.list_index));
        if let Some(over) = self.check_the_clock().await {
            let end = self.after_process(Ok(over)).await;
            return end;
        }
        let now = self.machine_clock.now();
        let end = match open(&self.machine.disk, self.path, now) {
            Err(LedgerError::BehindMark { .. }) if self.vendor.model().oracle.was_restored => {
                Ok(StartResult::MustBeAdopted)
            }
            Ok(ledger) => {
                let end = self.run_campaign(&ledger, now).await;
                // The oracle closes first, so that the program's connection is the last one, as in reality.
                self.vendor.model().oracle.close_ledger();
                if matches!(end, Ok(StartResult::Killed)) {
                    self.vendor.model().kill();
                }
                end
            }
            Err(error) => Err(error.into()),
        };
        self.after_process(end).await
    }

    /// Before anything is written, the program compares its clock with the vendor's, unless its time is simulated.
    async fn check_the_clock(&mut self) -> Option<StartResult> {
        if self.machine_clock.is_simulated() {
            return None;
        }
        self.vendor.model().begin_process(None);
        let (vendor, clock) = (self.vendor.clone(), Arc::clone(&self.machine_clock));
        let from = self.plan.campaign.practice.from_number;
        let patience = TimeDelta::minutes(self.rng.between(1, 120).into());
        match probe_vendor_time(&vendor, from, &*clock, patience, |_| ()).await {
            TimeProbe::Agrees => None,
            TimeProbe::Off(by) => {
                self.count(|coverage| coverage.wrong_clocks += 1);
                Some(StartResult::NotBegun(self.correct_the_clock(by.num_seconds().abs())))
            }
            TimeProbe::NoAnswer(_) => Some(StartResult::NotBegun(self.clock.now() + TimeDelta::minutes(5))),
        }
    }

    /// Ends the process: counts a kill, and lets the power fail if the machine's faults say so.
    async fn after_process(&mut self, end: Result<StartResult, EngineError>) -> Result<StartResult, EngineError> {
        let has_begun = !matches!(end, Ok(StartResult::NotBegun(_) | StartResult::MustBeAdopted));
        let is_killed = has_begun && (matches!(end, Ok(StartResult::Killed)) || self.vendor.model().is_dead());
        let is_failed = matches!(&end, Err(error) if self.machine.fault_occurred() && is_disk_error(error));
        if is_killed || is_failed {
            self.crashes = self.crashes.saturating_sub(1);
            self.trace.log(self.clock.now(), || end.as_ref().map_or_else(ToString::to_string, |_| "killed".into()));
            self.vendor.model().kill();
            // The runtime drops the program's pending requests, as a killed process drops its sockets.
            tokio::task::yield_now().await;
        }
        let failed = self.machine.end_process();
        self.trace
            .log(self.clock.now(), || if failed { "the power has failed".into() } else { "the power stays".into() });
        if is_killed || is_failed { Ok(StartResult::Killed) } else { end }
    }

    async fn run_campaign(&mut self, ledger: &Ledger, now: DateTime<Utc>) -> Result<StartResult, EngineError> {
        let kill_point = self.next_kill_point();
        let kill_point_reached = self.begin_process(kill_point);
        // Aborted when this process ends.
        let mut operator = JoinSet::new();
        operator.spawn(self.operator_opt_outs());
        if !self.machine_clock.is_simulated() && ledger.future_events(now + TimeDelta::minutes(2)).await?.is_some() {
            return Ok(StartResult::MustBeAdopted);
        }
        let run = match self.run(ledger, now).await {
            Err(LedgerError::TooManyWithdrawn { .. }) => return Ok(StartResult::ListRefused),
            run => run?,
        };
        let Some(run) = run else { return Ok(StartResult::Killed) };
        let (killed_after, stopped_after) = (self.killed_after(kill_point), self.stopped_after());
        let engine = Engine {
            ledger: ledger.clone(),
            vendors: [(self.plan.campaign.practice.organisation.clone(), Arc::new(self.vendor.clone()))].into(),
            clock: self.machine_clock.clone(),
            campaign: Arc::clone(&self.plan.campaign),
            run,
            until_done: self.plan.until_done,
            seed: 1,
            hints: self.hints(),
            exclusions: None,
        };
        let mut listener = self.listener();
        let clock = Arc::clone(&self.clock);
        let finished = tokio::select! {
            biased;
            () = kill_point_reached_and_delay(&self.clock, &kill_point_reached, kill_point) => return Ok(StartResult::Killed),
            () = after(&self.clock, killed_after) => return Ok(StartResult::Killed),
            finished = engine.run(&mut listener, async move { after(&clock, stopped_after).await }) => finished?,
        };
        let (census, _) = ledger.counts(run).await?;
        if !self.vendor.model().refusal_streaks.allow(&finished.stop_reason, &census) {
            self.report_broken_promise("a run was stopped by refusals of fewer than three patients");
        }
        Ok(StartResult::Left { ending: finished.stop_reason, census })
    }

    /// The receiver of webhook hints, if the program takes webhooks.
    fn hints(&self) -> Option<HintReceiver> {
        let model = self.vendor.model();
        (model.habits.named > 0).then(|| model.mailbox.open())
    }

    /// Lets the program send requests again, and sets its kill point.
    fn begin_process(&self, kill_point: Option<KillPoint>) -> Arc<Notify> {
        let mut model = self.vendor.model();
        let watched = model.oracle.open_ledger(self.path);
        model.begin_process(kill_point);
        let kill_point_reached = Arc::clone(&model.kill_point_reached);
        drop(model);
        if let Err(error) = watched {
            self.report_broken_promise(&format!("the ledger cannot be read beside its writer: {error}"));
        }
        kill_point_reached
    }

    /// The operator suppresses each number whose patient asks for it, with or without a run; a failed write is tried again
    /// when the next process starts.
    fn operator_opt_outs(&self) -> impl Future<Output = ()> + Send + use<> {
        let (vendor, clock, path) = (self.vendor.clone(), Arc::clone(&self.clock), self.path.to_owned());
        let opt_outs = self.plan.opt_outs.clone();
        async move {
            for (at, phone) in opt_outs {
                clock.sleep(at - clock.now()).await;
                let now = clock.now();
                let request = SuppressionRequest { scope: SuppressionScope::All, source: "operator", expires: None };
                let suppressed =
                    Operator::open(&path, now).and_then(|mut operator| operator.suppress([phone], request, now));
                let mut model = vendor.model();
                if suppressed.is_ok() {
                    model.oracle.on_suppressed(now, phone);
                }
                // The machine has stopped during the operator's write, and the run with it.
                if model.is_dead() {
                    model.kill_point_reached.notify_one();
                    return;
                }
            }
        }
    }

    fn listener(&self) -> impl FnMut(&Event) + Send + use<> {
        let (vendor, trace, coverage) = (self.vendor.clone(), self.trace, Arc::clone(&self.coverage));
        let (clock, true_clock, suspended) =
            (Arc::clone(&self.machine_clock), Arc::clone(&self.true_clock), self.plan.suspended);
        move |event| {
            let mut coverage = coverage.lock().unwrap_or_else(PoisonError::into_inner);
            coverage.on_event(event);
            if let Event::NotPlaced { at, reason: Reason::TooManyCalls, .. } = event {
                vendor.model().oracle.on_no_free_place(*at);
            }
            if matches!(event, Event::Dialling { .. }) {
                if clock.off().abs() > TimeDelta::seconds(120) {
                    vendor.model().oracle.report_broken_promise(event.at(), "dialled by a clock that is off");
                }
                clock.dialled(coverage.calls);
                // Not while a call waits to be acted on: the vendor would act on it in the past.
                let may_be = coverage.suspended == 0 && Arc::strong_count(&vendor.model().under_way) == 1;
                if let Some((_, span)) = suspended.filter(|(calls, _)| may_be && *calls <= coverage.calls) {
                    coverage.suspended += 1;
                    true_clock.skip(span);
                }
            }
            drop(coverage);
            trace.log(event.at(), || format!("{event:?}"));
            if let Some(stage) = stage_of(event) {
                vendor.model().reached(stage);
            }
        }
    }

    /// `run` with a list, or `resume` without one.
    async fn run(&mut self, ledger: &Ledger, now: DateTime<Utc>) -> Result<Option<RunHandle>, LedgerError> {
        if self.enrolled == Some(self.list_index) && self.rng.chance(50) {
            return Ok(Some(ledger.reopen_run(None).await?.handle));
        }
        let list = self.plan.lists[self.list_index].clone();
        let new_entries: Vec<_> = (1..).step_by(10).zip(&list).map(|(line, person)| person.new_entry(line)).collect();
        let mut pieces: Vec<_> = new_entries.chunks(4).map(|part| ListChunk::Entries(part.iter().collect())).collect();
        let is_killed = self.crashes > 0 && self.rng.chance(10);
        if is_killed {
            pieces.truncate(self.rng.between(0, pieces.len() as u32) as usize);
        } else {
            let withdraws = self.plan.campaign.list.on_absent == OnAbsent::Withdraw;
            let withdraw = withdraws.then_some(self.plan.campaign.list.max_withdraw_rate);
            pieces.push(ListChunk::End(ListEnd { counts: tally(&list), max_withdraw_rate: withdraw, plan: None }));
        }
        // A list with many rows is enrolled by another code path.
        let rows = self.rng.pick(&[list.len() as u64, 1_000_000]);
        let listed = ledger.enrol_list(Arc::clone(&self.plan.campaign), true, pieces.into_iter(), rows, now).await;
        if is_killed && matches!(listed, Err(LedgerError::ListBrokenOff)) {
            self.trace.log(now, || "killed while enrolling".into());
            return Ok(None);
        }
        let run = listed?.run;
        self.vendor.model().oracle.on_enrolled(&list);
        self.enrolled = Some(self.list_index);
        Ok(Some(run))
    }

    /// Half of the kills are at a stage of a request, the others at an instant.
    fn next_kill_point(&mut self) -> Option<KillPoint> {
        let stages = [
            RequestStage::BeforeSending,
            RequestStage::Sent,
            RequestStage::Acted,
            RequestStage::Answered,
            RequestStage::Recorded,
        ];
        (self.crashes > 0 && self.rng.chance(50)).then(|| {
            let later = self.rng.up_to(TimeDelta::minutes(5));
            let later = if self.rng.chance(50) { later } else { TimeDelta::zero() };
            KillPoint { stage: self.rng.pick(&stages), calls_until: self.rng.between(1, 6), later }
        })
    }

    fn killed_after(&mut self, kill_point: Option<KillPoint>) -> Option<TimeDelta> {
        (self.crashes > 0 && kill_point.is_none()).then(|| self.rng.up_to(TimeDelta::hours(8)))
    }

    fn stopped_after(&mut self) -> Option<TimeDelta> {
        let stops = self.stops > 0;
        self.stops = self.stops.saturating_sub(1);
        stops.then(|| self.rng.up_to(TimeDelta::hours(8)))
    }

    fn into_result(self) -> SeedResult {
        let now = self.clock.now();
        self.machine.disk.begin_process(None);
        drop(self.begin_process(None));
        let mut model = self.vendor.model();
        let model = &mut *model;
        model.close();
        let broken = model.oracle.broken().to_vec();
        let kills = self.plan.crashes - self.crashes;
        let Machine { power_failures, disk_errors, operations, syncs, .. } = self.machine;
        let coverage = *self.coverage.lock().unwrap_or_else(PoisonError::into_inner);
        let (starts, named) = (self.starts.into(), model.mailbox.delivered());
        let list = model.list;
        let coverage = Coverage { starts, kills: kills.into(), power_failures, disk_errors, named, list, ..coverage };
        SeedResult { broken, coverage, requests: model.requests, operations, syncs, over: now }
    }
}

/// Completes once the kill point is reached and its delay has passed.
async fn kill_point_reached_and_delay(clock: &SharedClock, kill_point_reached: &Notify, kill_point: Option<KillPoint>) {
    kill_point_reached.notified().await;
    clock.sleep(kill_point.map_or(TimeDelta::zero(), |kill_point| kill_point.later)).await;
}

/// Whether the error is that of a failing disk.
fn is_disk_error(error: &EngineError) -> bool {
    match error {
        EngineError::Ledger(error) => matches!(error, LedgerError::Storage(_) | LedgerError::Stopped),
        EngineError::Panicked | EngineError::NoVendor(_) => false,
    }
}

/// The stage of a request that an event reports.
fn stage_of(event: &Event) -> Option<RequestStage> {
    match event {
        Event::Dialling { .. } => Some(RequestStage::BeforeSending),
        Event::Accepted { .. } | Event::AnswerLost { .. } | Event::Adopted { .. } => Some(RequestStage::Recorded),
        Event::Started { .. }
        | Event::NotPlaced { .. }
        | Event::Refused { .. }
        | Event::TakenOver { .. }
        | Event::Absent { .. }
        | Event::Ended { .. }
        | Event::TrackLost { .. }
        | Event::SetAside { .. }
        | Event::LineRefused { .. }
        | Event::Paused { .. }
        | Event::OutageBegan { .. }
        | Event::OutageEnded { .. }
        | Event::Resting { .. }
        | Event::Stopping { .. } => None,
    }
}

async fn after(clock: &SharedClock, span: Option<TimeDelta>) {
    match span {
        Some(span) => clock.sleep(span).await,
        None => std::future::pending().await,
    }
}

fn is_over(census: &StateCounts) -> bool {
    census.count(|group| {
        matches!(group.state, State::Ready | State::Waiting | State::Submitting | State::Open | State::Unknown)
    }) == 0
}

/// When the operator starts the program again: once a call is due or the window opens.
fn next_start(ending: &StopReason, census: &StateCounts, now: DateTime<Utc>) -> DateTime<Utc> {
    let opens = if let StopReason::WindowClosed { opens } = ending { *opens } else { None };
    opens.or(census.next_due()).unwrap_or(now).max(now)
}
