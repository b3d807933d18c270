//! A life: the program is started, killed, stopped and started again over one ledger, until nothing is left to do.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use callrounds::annie::webhook::Hints;
use callrounds::campaign::OnAbsent;
use callrounds::clock::{Clock, SharedClock, TravelClock};
use callrounds::engine::vendor_clock::{Asked, ask_for_the_time};
use callrounds::engine::{Ending, Engine, EngineError, Event};
use callrounds::entry::{Reason, State};
use callrounds::ledger::{Ban, Census, End, Ledger, LedgerError, Operator, Piece, RunHandle, Scope};
use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::OpenFlags;
use rusqlite::config::DbConfig;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::disk::Disk;

use super::clock::MachineClock;
use super::dice::Dice;
use super::machine::Machine;
use super::odd;
use super::oracle::{Known, Oracle};
use super::plan::{Plan, tally};
use super::site::{Moment, Odd, Site, Trap};
use super::trace::Trace;
use super::vendor::SimVendor;

/// A life that goes on for longer than so many starts has come to a standstill.
const STARTS_AT_MOST: u32 = 400;

/// So many requests at one start are a loop.
const REQUESTS_AT_MOST: u64 = 200_000;

/// No campaign of ours takes so long: nothing is under way, and nothing will ever be.
const FOR_EVER: Duration = Duration::from_hours(700 * 24);

/// What a life came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Story {
    /// The promises that were broken.
    pub broken: Vec<String>,
    pub met: Met,
    pub requests: u64,
    /// What the busiest of its starts did to the disk.
    pub operations: u64,
    /// Which of them were syncs, in the first start.
    pub syncs: Vec<u64>,
    /// When it was over, by the virtual clock.
    pub over: DateTime<Utc>,
}

/// How often a life met what the simulation is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Met {
    pub starts: u64,
    pub deaths: u64,
    pub power_failures: u64,
    pub disk_errors: u64,
    pub calls: u64,
    pub lost: u64,
    pub adopted: u64,
    pub absent: u64,
    pub redials: u64,
    /// Entries that an operator's opt-out kept from being called.
    pub suppressed: u64,
    /// Calls not made because their hours closed between the claim and the dialling.
    pub closed: u64,
    /// Ends of a run because of its clock.
    pub clocks: u64,
    /// Conversations named by webhooks.
    pub named: u64,
    /// Numbers of ours that were found not to be allowed to call while others were.
    pub silent: u64,
    /// Older ledgers put back in place, alone and with their folder.
    pub restored: u64,
    pub restored_folders: u64,
    /// Ledgers that an operator has adopted: behind, of the future, or with a list that proves nothing.
    pub adopted_ledgers: u64,
    /// Calls that an adopted ledger took over.
    pub taken_over: u64,
    /// Runs that ended because the list proves nothing.
    pub proofless: u64,
    /// Lists that were refused because they would have withdrawn too many.
    pub cut_lists: u64,
    /// Times that the machine slept in the midst of a run.
    pub suspended: u64,
    /// Clocks that were found to be wrong before anything was written.
    pub wrong_clocks: u64,
    /// Conversations that were lost track of.
    pub lost_track: u64,
    /// What the list showed of what the contract leaves open.
    pub list: Odd,
    /// Odd answers of the vendor's.
    pub odd: odd::Met,
}

impl Met {
    fn hear(&mut self, event: &Event) {
        self.odd.hear(event);
        match event {
            Event::Dialling { .. } => self.calls += 1,
            Event::AnswerLost { .. } => self.lost += 1,
            Event::Adopted { .. } => self.adopted += 1,
            Event::Absent { .. } => self.absent += 1,
            Event::Ended { redial_at: Some(_), .. } => self.redials += 1,
            Event::SetAside { reason: Reason::Suppressed, .. } => self.suppressed += 1,
            Event::NotPlaced { reason: Reason::Window, .. } => self.closed += 1,
            Event::LineRefused { .. } => self.silent += 1,
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

    /// What was not met at all.
    pub fn missing(&self) -> Vec<&'static str> {
        // Not every thousand seeds have one.
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
            ("deaths", &mut self.deaths),
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
            ("silent numbers", &mut self.silent),
            ("restored ledgers", &mut self.restored),
            ("restored folders", &mut self.restored_folders),
            ("adopted ledgers", &mut self.adopted_ledgers),
            ("calls taken over", &mut self.taken_over),
            ("lists that prove nothing", &mut self.proofless),
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
            ("rows without an id", &mut odd.nameless),
            ("texts", &mut odd.texts),
            ("stale dates", &mut odd.stale_dates),
        ]
    }
}

/// Lives one seed on the machine whose folder the ledger is in. The runtime's time must be paused.
pub async fn live(seed: u64, plan: Plan, machine: Machine, ledger: &Path, trace: Trace) -> Story {
    let truth = Arc::new(TravelClock::starting_at(plan.start, 1.0));
    let machines_clock = Arc::new(MachineClock::new(Arc::clone(&truth), plan.clock));
    let clock: SharedClock = Arc::clone(&truth) as SharedClock;
    let oracle = Oracle::new(Arc::clone(&plan.campaign), trace);
    let dice = Dice::new(seed);
    let site = Site::new(Arc::clone(&clock), plan.vendor.clone(), oracle, Arc::clone(&machine.disk), dice.apart(11));
    let vendor = SimVendor(Arc::new(Mutex::new(site)));
    let mut life = Life {
        path: ledger,
        clock,
        truth,
        machines_clock,
        vendor,
        machine,
        dice: dice.apart(12),
        crashes: plan.crashes,
        stops: plan.stops,
        edition: 0,
        enrolled: None,
        starts: 0,
        copies: Vec::new(),
        restores: plan.restores,
        proofless: 0,
        met: Arc::default(),
        trace,
        plan,
    };
    life.trace.say(life.clock.now(), || {
        let Plan { vendor, clock, restores, suspended, .. } = &life.plan;
        let (list, word) = (&vendor.settings.list, &vendor.settings.wording.voice_medium);
        let texts: Vec<_> = list.foreign.iter().map(|foreign| (foreign.medium, foreign.every)).collect();
        format!("{:?}, calls are {word:?}, {texts:?}, {clock:?}, {restores} restores, {suspended:?}, faults {} {}, slow {}, blurs {}, illegible {}, gaps {}",
            callrounds::simulator::settings::ListHabits { foreign: Vec::new(), ..list.clone() }, vendor.call_faults, vendor.read_faults, vendor.slowness, vendor.blurs, vendor.illegible, vendor.gaps)
    });
    life.vendor.site().oracle.may_prove_nothing = life.plan.vendor.may_prove_nothing();
    let lived = tokio::time::timeout(FOR_EVER, life.live_on()).await;
    if lived.is_err() {
        life.breaks("it waits for what will never come");
    }
    life.told()
}

struct Life<'a> {
    plan: Plan,
    path: &'a Path,
    /// The true time.
    clock: SharedClock,
    /// The same, which goes on while the machine sleeps.
    truth: Arc<TravelClock>,
    /// What the program takes for it.
    machines_clock: Arc<MachineClock>,
    vendor: SimVendor,
    machine: Machine,
    dice: Dice,
    crashes: u32,
    stops: u32,
    /// The list that is used now.
    edition: usize,
    /// The list that is enrolled to its end.
    enrolled: Option<usize>,
    starts: u32,
    /// Copies of the ledger that somebody has put aside.
    copies: Vec<Copy>,
    /// How often one of them may still be put back.
    restores: u32,
    /// Runs in a row that ended because the list proves nothing.
    proofless: u32,
    met: Arc<Mutex<Met>>,
    trace: Trace,
}

/// A copy of the ledger, and what it was a copy of.
struct Copy {
    files: Vec<(PathBuf, Option<Vec<u8>>)>,
    mark: (PathBuf, Option<Vec<u8>>),
    attempts: i64,
    known: Known,
}

/// How one start of the program ended.
enum Over {
    Killed,
    Left {
        ending: Ending,
        census: Census,
    },
    /// It did not come to placing calls: start again then.
    NotBegun(DateTime<Utc>),
    /// The ledger is behind its mark, or of the future: an operator must decide.
    MustBeAdopted,
    /// The list was refused: it would have withdrawn too many.
    ListRefused,
}

/// Opens the ledger. Other tests of this process start programs: between its fork and its exec, a child holds a copy of
/// every lock of ours, so that one that has just been let go may seem held for a moment.
fn open(disk: &Disk, path: &Path, now: DateTime<Utc>) -> Result<Ledger, LedgerError> {
    for _ in 0..2_000 {
        match Ledger::open_inline_on(disk, path, now) {
            Err(LedgerError::Locked { .. }) => std::thread::sleep(Duration::from_millis(1)),
            opened => return opened,
        }
    }
    Ledger::open_inline_on(disk, path, now)
}

impl Life<'_> {
    async fn live_on(&mut self) {
        while let Some(next) = self.start_and_what_then().await {
            self.clock.sleep(next - self.clock.now()).await;
        }
    }

    /// One start; when to start next, if there is anything left to do.
    async fn start_and_what_then(&mut self) -> Option<DateTime<Utc>> {
        self.starts += 1;
        self.put_back().await;
        let end = self.start().await;
        self.put_aside();
        let now = self.clock.now();
        let is_enough = self.starts >= STARTS_AT_MOST || self.vendor.site().requests > REQUESTS_AT_MOST;
        if is_enough && self.proofless > 0 {
            // A list that proves nothing may be too long to be read whole in a window.
            self.vendor.site().oracle.proves_nothing = true;
            return None;
        }
        if is_enough {
            self.breaks("it never comes to an end");
            return None;
        }
        match end {
            Err(error) => {
                self.breaks(&format!("the program failed: {error}"));
                None
            }
            Ok(Over::Killed) => Some(now + self.dice.some_time(TimeDelta::hours(20))),
            Ok(Over::NotBegun(at)) => Some(at),
            Ok(Over::MustBeAdopted) => {
                self.operator_adopts();
                Some(now)
            }
            Ok(Over::ListRefused) => {
                // Whoever is on duty exports it again.
                self.count(|met| met.cut_lists += 1);
                self.plan.lists.remove(self.edition);
                self.edition = self.edition.min(self.plan.lists.len() - 1);
                Some(now)
            }
            Ok(Over::Left { ending, census }) => {
                self.trace.say(now, || format!("ended: {ending}"));
                if let Ending::ListProvesNothing { .. } = ending {
                    return self.after_a_list_that_proves_nothing(now);
                }
                if let Ending::Behind { .. } = ending {
                    if self.vendor.site().oracle.was_restored {
                        self.operator_adopts();
                    } else {
                        self.breaks("the ledger is said to be behind, and is not");
                    }
                    return Some(now);
                }
                if is_over(&census) {
                    self.edition += 1;
                    if self.edition == self.plan.lists.len() {
                        return None;
                    }
                }
                if let Ending::Clock { seconds } = ending {
                    return Some(self.mend_the_clock(seconds));
                }
                Some(next_start(&ending, &census, now) + self.dice.some_time(TimeDelta::hours(2)))
            }
        }
    }

    fn count(&self, count: impl FnOnce(&mut Met)) {
        count(&mut self.met.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// An operator says that this ledger is the one to go on with.
    fn operator_adopts(&mut self) {
        let now = self.machines_clock.now();
        self.trace.say(now, || "an operator adopts the ledger".into());
        self.count(|met| met.adopted_ledgers += 1);
        self.machine.disk.begin_life(None);
        if let Err(error) = callrounds::ledger::adopt(self.path, "Pat", now) {
            self.breaks(&format!("the ledger cannot be adopted: {error}"));
        }
        self.machine.disk.cut();
    }

    /// Whoever is on duty runs it again, adopts the ledger, and gives it up in the end.
    fn after_a_list_that_proves_nothing(&mut self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.count(|met| met.proofless += 1);
        self.proofless += 1;
        if !self.plan.vendor.may_prove_nothing() && self.plan.vendor.read_faults == 0 {
            self.breaks("the list is said to prove nothing, and could be read");
        }
        match self.proofless {
            // What nobody can read, nobody can vouch for while an older ledger may have been put back.
            2 if !self.vendor.site().oracle.was_restored && !self.plan.vendor.has_texts_that_look_like_calls() => {
                self.operator_adopts();
            }
            0..5 => {}
            _ => {
                self.vendor.site().oracle.proves_nothing = true;
                return None;
            }
        }
        // At an hour at which the window may be open, so that the list is looked at again.
        Some(now + self.dice.pick(&[TimeDelta::minutes(30), TimeDelta::days(1)]))
    }

    /// Somebody puts a copy of the ledger aside now and then: it is at rest.
    fn put_aside(&mut self) {
        if self.restores == 0 || !self.dice.chance(50) {
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
        let copy = Copy {
            files: vec![read(""), read("-wal")],
            mark: read(".high-water"),
            attempts,
            known: self.vendor.site().oracle.known(),
        };
        self.copies.push(copy);
    }

    /// The attempts that the ledger has, if it is there and nobody holds it.
    fn attempts(&self) -> Option<i64> {
        self.machine.disk.begin_life(None);
        let counted =
            rusqlite::Connection::open_with_flags(self.path, OpenFlags::SQLITE_OPEN_READ_WRITE).and_then(|ledger| {
                ledger.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
                ledger.query_row("SELECT coalesce(max(id), 0) FROM attempt", [], |row| row.get(0))
            });
        self.machine.disk.cut();
        counted.ok()
    }

    /// Somebody puts an older copy back in place, alone or with its folder: then the vendor's list alone can tell, once it
    /// shows what it was slow to show.
    async fn put_back(&mut self) {
        if self.restores == 0 || self.copies.is_empty() || !self.dice.chance(30) {
            return;
        }
        self.restores -= 1;
        let copy = self.copies.swap_remove(self.dice.between(0, self.copies.len() as u32 - 1) as usize);
        let with_folder = self.dice.chance(40);
        let Some(attempts) = self.attempts() else { return };
        for (path, bytes) in copy.files.iter().chain(with_folder.then_some(&copy.mark)) {
            self.machine.disk.put_back(path, bytes.as_deref());
        }
        self.count(|met| {
            met.restored += u64::from(!with_folder && copy.attempts < attempts);
            met.restored_folders += u64::from(with_folder && copy.attempts < attempts);
        });
        self.vendor.site().oracle.restored(self.clock.now(), &copy.known, copy.attempts);
        self.enrolled = None;
        // The power may have failed since the mark was written, which is not synced.
        if !with_folder && self.marked().is_some_and(|marked| copy.attempts < marked) {
            self.must_be_behind();
        } else {
            self.clock.sleep(TimeDelta::minutes(20)).await;
        }
    }

    /// How many attempts the mark beside the ledger counts.
    fn marked(&self) -> Option<i64> {
        let mark = std::fs::read_to_string(format!("{}.high-water", self.path.display())).ok()?;
        mark.lines().nth(2)?.parse().ok()
    }

    /// A ledger alone that lacks attempts must not be opened, whatever the vendor's list shows.
    fn must_be_behind(&mut self) {
        self.machine.disk.begin_life(None);
        let opened = open(&self.machine.disk, self.path, self.machines_clock.now());
        self.machine.disk.cut();
        if !matches!(opened, Err(LedgerError::BehindMark { .. })) {
            drop(opened);
            self.breaks("an older copy of the ledger was opened");
        }
    }

    /// Whoever is on duty sets the clock right, or waits until the time has come that the ledger holds already.
    fn mend_the_clock(&self, seconds: i64) -> DateTime<Utc> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner).clocks += 1;
        let wait = if self.machines_clock.set_right() { 0 } else { seconds };
        self.clock.now() + TimeDelta::seconds(wait)
    }

    fn breaks(&self, promise: &str) {
        self.vendor.site().oracle.breaks(self.clock.now(), promise);
    }

    /// One start of the program, to its end or its death.
    async fn start(&mut self) -> Result<Over, EngineError> {
        let now = self.machines_clock.now();
        // Whether a list counts whose commit has failed, nobody knows before it is enrolled once more.
        let is_enrolled = self.enrolled == Some(self.edition);
        if is_enrolled && self.edition + 1 < self.plan.lists.len() && self.dice.chance(20) {
            self.edition += 1;
        }
        let mishap = self.machine.begin_life(self.crashes > 0);
        self.trace.say(now, || format!("start {}: list {}, {mishap:?}", self.starts, self.edition));
        if let Some(over) = self.compares_clocks().await {
            let end = self.after_life(Ok(over)).await;
            return end;
        }
        let now = self.machines_clock.now();
        let end = match open(&self.machine.disk, self.path, now) {
            Err(LedgerError::BehindMark { .. }) if self.vendor.site().oracle.was_restored => Ok(Over::MustBeAdopted),
            Ok(ledger) => {
                let end = self.work(&ledger, now).await;
                // Its own connection is the last one, as the program's is where nobody looks on.
                self.vendor.site().oracle.look_away();
                if matches!(end, Ok(Over::Killed)) {
                    self.vendor.site().kill();
                }
                end
            }
            Err(error) => Err(error.into()),
        };
        self.after_life(end).await
    }

    /// Before anything is written, the vendor is asked for the time, unless the program goes by one of its own.
    async fn compares_clocks(&mut self) -> Option<Over> {
        if self.machines_clock.is_invented() {
            return None;
        }
        self.vendor.site().revive(None);
        let (vendor, clock) = (self.vendor.clone(), Arc::clone(&self.machines_clock));
        let from = self.plan.campaign.practice.from_number;
        let patience = TimeDelta::minutes(self.dice.between(1, 120).into());
        match ask_for_the_time(&vendor, from, &*clock, patience, |_| ()).await {
            Asked::Agrees => None,
            Asked::Off(by) => {
                self.count(|met| met.wrong_clocks += 1);
                Some(Over::NotBegun(self.mend_the_clock(by.num_seconds().abs())))
            }
            Asked::NoAnswer(_) => Some(Over::NotBegun(self.clock.now() + TimeDelta::minutes(5))),
        }
    }

    /// What the machine made of the program's end.
    async fn after_life(&mut self, end: Result<Over, EngineError>) -> Result<Over, EngineError> {
        let has_begun = !matches!(end, Ok(Over::NotBegun(_) | Over::MustBeAdopted));
        let is_killed = has_begun && (matches!(end, Ok(Over::Killed)) || self.vendor.site().is_dead());
        let is_failed = matches!(&end, Err(error) if self.machine.has_struck() && tells_of_the_disk(error));
        if is_killed || is_failed {
            self.crashes = self.crashes.saturating_sub(1);
            self.trace.say(self.clock.now(), || end.as_ref().map_or_else(ToString::to_string, |_| "killed".into()));
            self.vendor.site().kill();
            // What the program had under way is dropped by the runtime, as a dead process drops its sockets.
            tokio::task::yield_now().await;
        }
        let failed = self.machine.end_life();
        self.trace
            .say(self.clock.now(), || if failed { "the power has failed".into() } else { "the power stays".into() });
        if is_killed || is_failed { Ok(Over::Killed) } else { end }
    }

    async fn work(&mut self, ledger: &Ledger, now: DateTime<Utc>) -> Result<Over, EngineError> {
        let trap = self.next_trap();
        let sprung = self.revive(trap);
        // Aborted when this start is over.
        let mut operator = JoinSet::new();
        operator.spawn(self.decisions());
        if !self.machines_clock.is_invented() && ledger.future_events(now + TimeDelta::minutes(2)).await?.is_some() {
            return Ok(Over::MustBeAdopted);
        }
        let run = match self.run(ledger, now).await {
            Err(LedgerError::TooManyWithdrawn { .. }) => return Ok(Over::ListRefused),
            run => run?,
        };
        let Some(run) = run else { return Ok(Over::Killed) };
        let (killed_after, stopped_after) = (self.killed_after(trap), self.stopped_after());
        let engine = Engine {
            ledger: ledger.clone(),
            vendors: [(self.plan.campaign.practice.organisation.clone(), Arc::new(self.vendor.clone()))].into(),
            clock: self.machines_clock.clone(),
            campaign: Arc::clone(&self.plan.campaign),
            run,
            until_done: self.plan.until_done,
            seed: 1,
            hints: self.hints(),
        };
        let mut listener = self.listener();
        let clock = Arc::clone(&self.clock);
        let finished = tokio::select! {
            biased;
            () = sprung_and(&self.clock, &sprung, trap) => return Ok(Over::Killed),
            () = after(&self.clock, killed_after) => return Ok(Over::Killed),
            finished = engine.run(&mut listener, async move { after(&clock, stopped_after).await }) => finished?,
        };
        let (census, _) = ledger.standing(run).await?;
        if !self.vendor.site().rows.allow(&finished.ending, &census) {
            self.breaks("a run was stopped by fewer than three");
        }
        Ok(Over::Left { ending: finished.ending, census })
    }

    /// Where the program takes webhooks, if it does.
    fn hints(&self) -> Option<Hints> {
        let site = self.vendor.site();
        (site.habits.named > 0).then(|| site.mailbox.open())
    }

    /// Lets the program's requests through again, and sets the next trap.
    fn revive(&self, trap: Option<Trap>) -> Arc<Notify> {
        let mut site = self.vendor.site();
        let watched = site.oracle.watch(self.path);
        site.revive(trap);
        let sprung = Arc::clone(&site.sprung);
        drop(site);
        if let Err(error) = watched {
            self.breaks(&format!("the ledger cannot be read beside its writer: {error}"));
        }
        sprung
    }

    /// The operator suppresses whoever asks for it, run or no run; what the machine did not take is tried again at the
    /// next start.
    fn decisions(&self) -> impl Future<Output = ()> + Send + use<> {
        let (vendor, clock, path) = (self.vendor.clone(), Arc::clone(&self.clock), self.path.to_owned());
        let opt_outs = self.plan.opt_outs.clone();
        async move {
            for (at, phone) in opt_outs {
                clock.sleep(at - clock.now()).await;
                let now = clock.now();
                let ban = Ban { scope: Scope::All, source: "operator", expires: None };
                let suppressed = Operator::open(&path, now).and_then(|mut desk| desk.suppress([phone], ban, now));
                let mut site = vendor.site();
                if suppressed.is_ok() {
                    site.oracle.suppressed(now, phone);
                }
                // The machine has stopped in the midst of the operator's write, and with it the run.
                if site.is_dead() {
                    site.sprung.notify_one();
                    return;
                }
            }
        }
    }

    fn listener(&self) -> impl FnMut(&Event) + Send + use<> {
        let (vendor, trace, met) = (self.vendor.clone(), self.trace, Arc::clone(&self.met));
        let (clock, truth, suspended) =
            (Arc::clone(&self.machines_clock), Arc::clone(&self.truth), self.plan.suspended);
        move |event| {
            let mut met = met.lock().unwrap_or_else(PoisonError::into_inner);
            met.hear(event);
            if matches!(event, Event::Dialling { .. }) {
                if clock.off().abs() > TimeDelta::seconds(120) {
                    vendor.site().oracle.breaks(event.at(), "dialled by a clock that is off");
                }
                clock.dialled(met.calls);
                // The vendor goes on meanwhile: what it has not acted on yet, it would act on in the past.
                let may_be = met.suspended == 0 && Arc::strong_count(&vendor.site().under_way) == 1;
                if let Some((_, span)) = suspended.filter(|(calls, _)| may_be && *calls <= met.calls) {
                    met.suspended += 1;
                    truth.leap(span);
                }
            }
            drop(met);
            trace.say(event.at(), || format!("{event:?}"));
            if let Some(moment) = moment_of(event) {
                vendor.site().pass(moment);
            }
        }
    }

    /// `run` with a list, or `resume` without one.
    async fn run(&mut self, ledger: &Ledger, now: DateTime<Utc>) -> Result<Option<RunHandle>, LedgerError> {
        if self.enrolled == Some(self.edition) && self.dice.chance(50) {
            return Ok(Some(ledger.reopen_run(None).await?.handle));
        }
        let list = self.plan.lists[self.edition].clone();
        let drafts: Vec<_> = (1..).step_by(10).zip(&list).map(|(line, person)| person.draft(line)).collect();
        let mut pieces: Vec<_> = drafts.chunks(4).map(|part| Piece::Entries(part.iter().collect())).collect();
        let is_killed = self.crashes > 0 && self.dice.chance(10);
        if is_killed {
            pieces.truncate(self.dice.between(0, pieces.len() as u32) as usize);
        } else {
            let withdraws = self.plan.campaign.list.on_absent == OnAbsent::Withdraw;
            let withdraw = withdraws.then_some(self.plan.campaign.list.max_withdraw_rate);
            pieces.push(Piece::End(End { tally: tally(&list), withdraw, plan: None }));
        }
        // A list that is taken for a long one goes another way into the ledger.
        let rows = self.dice.pick(&[list.len() as u64, 1_000_000]);
        let listed = ledger.enrol_list(Arc::clone(&self.plan.campaign), true, pieces.into_iter(), rows, now).await;
        if is_killed && matches!(listed, Err(LedgerError::ListBrokenOff)) {
            self.trace.say(now, || "killed while enrolling".into());
            return Ok(None);
        }
        let run = listed?.run;
        self.vendor.site().oracle.enrolled(&list);
        self.enrolled = Some(self.edition);
        Ok(Some(run))
    }

    /// Half of the deaths are at a moment in the life of a request, the others at an instant.
    fn next_trap(&mut self) -> Option<Trap> {
        let moments = [Moment::BeforeSending, Moment::Sent, Moment::Acted, Moment::Answered, Moment::Recorded];
        (self.crashes > 0 && self.dice.chance(50)).then(|| {
            let later = self.dice.some_time(TimeDelta::minutes(5));
            let later = if self.dice.chance(50) { later } else { TimeDelta::zero() };
            Trap { moment: self.dice.pick(&moments), calls_until: self.dice.between(1, 6), later }
        })
    }

    fn killed_after(&mut self, trap: Option<Trap>) -> Option<TimeDelta> {
        (self.crashes > 0 && trap.is_none()).then(|| self.dice.some_time(TimeDelta::hours(8)))
    }

    fn stopped_after(&mut self) -> Option<TimeDelta> {
        let stops = self.stops > 0;
        self.stops = self.stops.saturating_sub(1);
        stops.then(|| self.dice.some_time(TimeDelta::hours(8)))
    }

    fn told(self) -> Story {
        let now = self.clock.now();
        self.machine.disk.begin_life(None);
        drop(self.revive(None));
        let mut site = self.vendor.site();
        let site = &mut *site;
        site.close();
        let broken = site.oracle.broken().to_vec();
        let deaths = self.plan.crashes - self.crashes;
        let Machine { power_failures, disk_errors, operations, syncs, .. } = self.machine;
        let heard = *self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let (starts, named) = (self.starts.into(), site.mailbox.delivered());
        let list = site.list;
        let met = Met { starts, deaths: deaths.into(), power_failures, disk_errors, named, list, ..heard };
        Story { broken, met, requests: site.requests, operations, syncs, over: now }
    }
}

/// Completes when the trap has sprung and its time has passed.
async fn sprung_and(clock: &SharedClock, sprung: &Notify, trap: Option<Trap>) {
    sprung.notified().await;
    clock.sleep(trap.map_or(TimeDelta::zero(), |trap| trap.later)).await;
}

/// Whether the program says that its disk does not do what it must.
fn tells_of_the_disk(error: &EngineError) -> bool {
    match error {
        EngineError::Ledger(error) => matches!(error, LedgerError::Storage(_) | LedgerError::Stopped),
        EngineError::Panicked | EngineError::NoVendor(_) => false,
    }
}

/// The moment in the life of a request that an event tells of.
fn moment_of(event: &Event) -> Option<Moment> {
    match event {
        Event::Dialling { .. } => Some(Moment::BeforeSending),
        Event::Accepted { .. } | Event::AnswerLost { .. } | Event::Adopted { .. } => Some(Moment::Recorded),
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

fn is_over(census: &Census) -> bool {
    census.count(|group| {
        matches!(group.state, State::Ready | State::Waiting | State::Submitting | State::Open | State::Unknown)
    }) == 0
}

/// Whoever is on duty starts the program again when there is something to do.
fn next_start(ending: &Ending, census: &Census, now: DateTime<Utc>) -> DateTime<Utc> {
    let opens = if let Ending::WindowClosed { opens } = ending { *opens } else { None };
    opens.or(census.next_due()).unwrap_or(now).max(now)
}
