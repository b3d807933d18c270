//! A life: the program is started, killed, stopped and started again over one ledger, until nothing is left to do.

use std::path::Path;
use std::sync::{Arc, Mutex};

use callrounds::clock::{SharedClock, TravelClock};
use callrounds::engine::{Ending, Engine, Event};
use callrounds::entry::State;
use callrounds::ledger::{Census, Ledger, LedgerError, RunHandle};
use chrono::{DateTime, TimeDelta, Utc};

use super::dice::Dice;
use super::oracle::Oracle;
use super::plan::{Plan, tally};
use super::trace::Trace;
use super::vendor::{Moment, SimVendor, Site, Trap};

/// A life that goes on for longer than so many starts has come to a standstill.
const STARTS_AT_MOST: u32 = 400;

/// So many requests at one start are a loop.
const REQUESTS_AT_MOST: u64 = 200_000;

/// What a life came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// The promises that were broken.
    pub broken: Vec<String>,
    pub starts: u32,
    pub requests: u64,
    /// When it was over, by the virtual clock.
    pub over: DateTime<Utc>,
}

/// Lives one seed. The runtime's time must be paused.
pub async fn live(seed: u64, ledger: &Path, trace: Trace) -> Story {
    let plan = Plan::drawn(seed);
    let clock: SharedClock = Arc::new(TravelClock::starting_at(plan.start, 1.0));
    let oracle = Oracle::new(Arc::clone(&plan.campaign), trace);
    let site = Site::new(Arc::clone(&clock), plan.vendor.clone(), oracle, Dice::new(seed).apart(11));
    let vendor = SimVendor(Arc::new(Mutex::new(site)));
    let mut life = Life {
        path: ledger,
        clock,
        vendor,
        dice: Dice::new(seed).apart(12),
        crashes: plan.crashes,
        stops: plan.stops,
        edition: 0,
        enrolled: None,
        starts: 0,
        trace,
        plan,
    };
    life.live().await;
    life.told()
}

struct Life<'a> {
    plan: Plan,
    path: &'a Path,
    clock: SharedClock,
    vendor: SimVendor,
    dice: Dice,
    crashes: u32,
    stops: u32,
    /// The list that is used now.
    edition: usize,
    /// The list that is enrolled to its end.
    enrolled: Option<usize>,
    starts: u32,
    trace: Trace,
}

/// How one start of the program ended.
enum End {
    Killed,
    Left { ending: Ending, census: Census },
}

/// Opens the ledger. Other tests of this process start programs: between its fork and its exec, a child holds a copy of
/// every lock of ours, so that one that has just been let go may seem held for a moment.
fn open(path: &Path, now: DateTime<Utc>) -> Result<Ledger, LedgerError> {
    for _ in 0..2_000 {
        match Ledger::open_inline(path, now) {
            Err(LedgerError::Locked { .. }) => std::thread::sleep(std::time::Duration::from_millis(1)),
            opened => return opened,
        }
    }
    Ledger::open_inline(path, now)
}

impl Life<'_> {
    async fn live(&mut self) {
        loop {
            self.starts += 1;
            let end = self.start().await;
            let now = self.clock.now();
            let Some(next) = self.next_start(end, now) else { return };
            self.clock.sleep(next - now).await;
        }
    }

    /// When the program is started again after it ended so; `None` if there is nothing more to see.
    fn next_start(
        &mut self,
        end: Result<End, callrounds::engine::EngineError>,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let mut site = self.vendor.site();
        let next = match end {
            Err(error) => {
                site.oracle.breaks(now, format!("the program failed: {error}"));
                return None;
            }
            Ok(End::Killed) => now + self.dice.some_time(TimeDelta::hours(20)),
            Ok(End::Left { ending, census }) => {
                self.trace.say(now, || format!("ended: {ending}"));
                if is_over(&census) {
                    if self.edition + 1 == self.plan.lists.len() {
                        return None;
                    }
                    self.edition += 1;
                }
                next_start(&ending, &census, now) + self.dice.some_time(TimeDelta::hours(2))
            }
        };
        if self.starts >= STARTS_AT_MOST || site.requests > REQUESTS_AT_MOST {
            site.oracle.breaks(now, "it never comes to an end");
            return None;
        }
        Some(next)
    }

    /// One start of the program, to its end or its death.
    async fn start(&mut self) -> Result<End, callrounds::engine::EngineError> {
        let now = self.clock.now();
        if self.starts > 1 && self.edition + 1 < self.plan.lists.len() && self.dice.chance(20) {
            self.edition += 1;
        }
        let ledger = open(self.path, now)?;
        let trap = self.next_trap();
        let sprung = {
            let mut site = self.vendor.site();
            if let Err(error) = site.oracle.watch(self.path) {
                site.oracle.breaks(now, format!("the ledger cannot be read beside its writer: {error}"));
            }
            site.revive(trap);
            site.sprung = Arc::default();
            Arc::clone(&site.sprung)
        };
        self.trace.say(now, || format!("start {}: list {}, killed at {trap:?}", self.starts, self.edition));
        let Some(run) = self.run(&ledger, now).await? else { return Ok(End::Killed) };
        let killed_after = self.killed_after(trap);
        let stopped_after = self.stopped_after();
        let engine = Engine {
            ledger: ledger.clone(),
            vendor: Arc::new(self.vendor.clone()),
            clock: Arc::clone(&self.clock),
            campaign: Arc::clone(&self.plan.campaign),
            run,
            until_done: self.plan.until_done,
            seed: 1,
        };
        let (vendor, trace) = (self.vendor.clone(), self.trace);
        let mut listener = move |event: &Event| {
            trace.say(event.at(), || format!("{event:?}"));
            match event {
                Event::Dialling { .. } => vendor.site().pass(Moment::BeforeSending),
                Event::Accepted { .. } | Event::AnswerLost { .. } | Event::Adopted { .. } => {
                    vendor.site().pass(Moment::Recorded);
                }
                Event::Started { .. }
                | Event::NotPlaced { .. }
                | Event::Refused { .. }
                | Event::Absent { .. }
                | Event::Ended { .. }
                | Event::TrackLost { .. }
                | Event::SetAside { .. }
                | Event::Paused { .. }
                | Event::Resting { .. }
                | Event::Stopping { .. } => {}
            }
        };
        let clock = Arc::clone(&self.clock);
        let stop = async move {
            match stopped_after {
                Some(after) => clock.sleep(after).await,
                None => std::future::pending().await,
            }
        };
        let finished = tokio::select! {
            biased;
            () = sprung_and(&self.clock, &sprung, trap) => None,
            () = after(&self.clock, killed_after) => None,
            finished = engine.run(&mut listener, stop) => Some(finished),
        };
        let Some(finished) = finished else {
            self.crashes = self.crashes.saturating_sub(1);
            self.vendor.site().kill();
            self.trace.say(self.clock.now(), || "killed".into());
            // What the program had under way is dropped by the runtime, as a dead process drops its sockets.
            drop(ledger);
            tokio::task::yield_now().await;
            return Ok(End::Killed);
        };
        let (census, _) = ledger.standing(run).await?;
        Ok(End::Left { ending: finished?.ending, census })
    }

    /// `run` with a list, or `resume` without one.
    async fn run(&mut self, ledger: &Ledger, now: DateTime<Utc>) -> Result<Option<RunHandle>, LedgerError> {
        if self.enrolled == Some(self.edition) && self.dice.chance(50) {
            return Ok(Some(ledger.reopen_run(None).await?.handle));
        }
        let list = self.plan.lists[self.edition].clone();
        self.vendor.site().oracle.listed(&list);
        let run = ledger.begin_run(Arc::clone(&self.plan.campaign), true, now).await?;
        for (line, batch) in (1..).step_by(40).zip(list.chunks(4)) {
            let drafts = (line..).step_by(10).zip(batch).map(|(line, person)| person.draft(line));
            ledger.enrol(run, drafts.collect(), now).await?;
            self.vendor.site().oracle.enrolled(batch);
            if self.crashes > 0 && self.dice.chance(5) {
                self.crashes -= 1;
                self.trace.say(now, || "killed while enrolling".into());
                return Ok(None);
            }
        }
        let withdraw = self.plan.campaign.list.on_absent == callrounds::campaign::OnAbsent::Withdraw;
        ledger.close_list(run, tally(&list), withdraw, now).await?;
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
        let mut site = self.vendor.site();
        let site = &mut *site;
        site.close();
        let broken = site.oracle.broken().to_vec();
        Story { broken, starts: self.starts, requests: site.requests, over: now }
    }
}

/// Completes when the trap has sprung and its time has passed.
async fn sprung_and(clock: &SharedClock, sprung: &tokio::sync::Notify, trap: Option<Trap>) {
    sprung.notified().await;
    clock.sleep(trap.map_or(TimeDelta::zero(), |trap| trap.later)).await;
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
