//! When each call's turn comes: the calls are played through the organisation's request budget on a clock of their own,
//! as a run would place them, with conversations of assumed or measured length.
//!
//! The budget is the run's own ([`crate::annie::budget`]), and so is the pace at which endings are read
//! ([`crate::engine::tracker`]). What is assumed: an answer takes no time, nothing goes wrong, and nobody else uses the
//! budget.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::annie::Meter;
use crate::annie::budget::Budget;
use crate::campaign::{Account, Campaign, Practice};
use crate::clock::{Clock, SetClock};
use crate::engine::scan::pages_of;
use crate::engine::tracker::{Pace, SHORTEST_CALL};
use crate::entry::Reason;
use crate::ids::OrganisationId;
use crate::ledger::{LedgerError, Reader};
use crate::phone::E164;
use crate::policy::{AnyOf, Hours};

use super::Planned;

/// The newest conversations of a ledger that are measured.
const MEASURED_ON: u32 = 400;

/// Fewer conversations say nothing yet.
const ENOUGH: usize = 20;

/// Seconds that a recall call lasts, one figure for each twentieth of the calls, as the simulator's people have it: an
/// assumption, until the ledger holds calls to measure.
const ASSUMED: [f64; 20] = [
    17.0, 22.0, 26.0, 29.0, 32.0, 34.0, 37.0, 40.0, 44.0, 49.0, 53.0, 58.0, 70.0, 91.0, 104.0, 120.0, 146.0, 173.0,
    200.0, 227.0,
];

/// How long a conversation that is over takes to be shown as closed: an assumption (`annie-api.md` does not say).
const CLOSING: TimeDelta = TimeDelta::seconds(20);

/// Requests before the first call: whether the number may call, and a look at the vendor's list.
const BEFORE_THE_FIRST: u64 = 2;

/// Why a call's turn does not come before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// Nothing keeps it.
    Now,
    /// A rule keeps it until then.
    Rule(Reason),
    /// The hours close before its turn comes: too many are before it.
    NoTurn,
    /// The run ends before its turn comes, by `[safety] max_calls`.
    MaxCalls,
}

impl Why {
    /// Its word in plans.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Rule(reason) => reason.name(),
            Self::NoTurn => "no_turn",
            Self::MaxCalls => "max_calls",
        }
    }

    /// The same for people.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::Now => "Nothing stands in the way",
            Self::Rule(reason) => reason.says(),
            Self::NoTurn => "The window closes before their turn comes",
            Self::MaxCalls => "Beyond max_calls: left for another run",
        }
    }
}

/// What placing the planned calls will take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Forecast {
    /// Calls of this run.
    pub calls: u64,
    /// Requests that they take, reads included.
    pub requests: u64,
    /// Minutes that they take, from the first call to the last ending, hours of waiting left out.
    pub minutes: u64,
    /// When the first one is placed.
    pub from: Option<DateTime<Utc>>,
    /// When the practice's window closes after that.
    pub closes: Option<DateTime<Utc>>,
    /// How many of them are placed before it closes.
    pub fit: u64,
    /// Conversations of the ledger on which their length was measured; 0: it is assumed.
    pub measured_on: u64,
}

/// How long conversations last.
#[derive(Debug, Clone)]
pub struct Lengths {
    seconds: Vec<f64>,
    measured: usize,
}

impl Default for Lengths {
    fn default() -> Self {
        Self { seconds: ASSUMED.to_vec(), measured: 0 }
    }
}

impl Lengths {
    /// As long as the ledger's newest conversations were.
    pub fn of(reader: &Reader) -> Result<Self, LedgerError> {
        Ok(Self::measured(reader.lengths_of_calls(MEASURED_ON)?))
    }

    /// As long as these; too few of them count for nothing.
    #[must_use]
    pub fn measured(seconds: Vec<f64>) -> Self {
        if seconds.len() < ENOUGH { Self::default() } else { Self { measured: seconds.len(), seconds } }
    }

    /// The `n`th conversation's. Neighbours are spread over the whole range, since in a run they are mixed.
    fn nth(&self, n: u64) -> TimeDelta {
        let spread = (n as f64 * 0.618_033_988_749_895).fract();
        let at = (spread * self.seconds.len() as f64) as usize;
        TimeDelta::milliseconds((self.seconds[at.min(self.seconds.len() - 1)] * 1000.0) as i64) + CLOSING
    }
}

/// A conversation under way.
struct Open {
    since: DateTime<Utc>,
    closed: DateTime<Utc>,
}

/// What is done next.
enum Next {
    Read(DateTime<Utc>),
    Call(DateTime<Utc>),
    Nothing,
}

struct Play<'a> {
    campaign: &'a Campaign,
    account: &'a Account,
    lengths: &'a Lengths,
    practice: AnyOf,
    /// Calls that the run may place, `[safety] max_calls` being everybody's.
    allowed: u64,
    clock: Arc<SetClock>,
    budget: Budget,
    /// When each call may be placed, the first one first; in the same instant, in the order of the plan.
    due: BinaryHeap<Reverse<(DateTime<Utc>, usize)>>,
    open: VecDeque<Open>,
    /// The last scan's beginning, and how many pages it took.
    last_scan: Option<(DateTime<Utc>, u32)>,
    placed: VecDeque<DateTime<Utc>>,
    by_number: HashMap<E164, DateTime<Utc>>,
    calls: u64,
    reads: u64,
    busy: TimeDelta,
}

/// Plays `calls` from `now` on: each gets its turn, and the whole its forecast. Organisations call side by side.
pub fn play(calls: &mut [Planned], campaign: &Campaign, lengths: &Lengths, now: DateTime<Utc>) -> Forecast {
    let measured_on = lengths.measured as u64;
    let mut whole = Forecast { calls: 0, requests: 0, minutes: 0, from: None, closes: None, fit: 0, measured_on };
    let mut allowed = campaign.safety.max_calls.map_or(u64::MAX, u64::from);
    for account in campaign.lines.accounts() {
        let mut play = Play::of(calls, campaign, account, lengths, now);
        play.allowed = allowed;
        play.run_out(calls);
        allowed -= play.calls;
        whole.add(&play.forecast(calls));
    }
    whole
}

impl Forecast {
    /// Adds what is done at the same time.
    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.requests += other.requests;
        self.minutes = self.minutes.max(other.minutes);
        self.from = self.from.into_iter().chain(other.from).min();
        self.closes = self.closes.max(other.closes);
        self.fit += other.fit;
    }
}

impl<'a> Play<'a> {
    fn of(
        calls: &[Planned],
        campaign: &'a Campaign,
        account: &'a Account,
        lengths: &'a Lengths,
        now: DateTime<Utc>,
    ) -> Self {
        let clock = Arc::new(SetClock::at(now));
        let budget = Budget::new(clock.clone(), account.rate.requests_per_minute);
        let own = calls.iter().enumerate().filter(|(_, call)| call.organisation == account.organisation);
        let hours = |practice: &Practice| Hours::of_practice(&campaign.calling, &practice.zone);
        Self {
            campaign,
            account,
            lengths,
            practice: AnyOf::these(account.practices.iter().map(hours).collect()),
            allowed: u64::MAX,
            clock,
            budget,
            due: own.map(|(index, call)| Reverse((call.earliest, index))).collect(),
            open: VecDeque::new(),
            last_scan: None,
            placed: VecDeque::new(),
            by_number: HashMap::new(),
            calls: 0,
            reads: 0,
            busy: TimeDelta::zero(),
        }
    }
}

impl Play<'_> {
    fn run_out(&mut self, calls: &mut [Planned]) {
        loop {
            match self.next() {
                Next::Read(at) => {
                    let at = self.spend(at);
                    self.read(at);
                }
                Next::Call(at) => self.call(calls, at),
                Next::Nothing => return,
            }
        }
    }

    fn next(&self) -> Next {
        let now = self.clock.now();
        let due = self.due.peek().map(|Reverse((at, _))| now.max(*at));
        let full = self.open.len() >= self.account.rate.open_calls as usize;
        let ready = self.budget.ready_at(&self.account.organisation, now);
        let call = due.filter(|_| !full).map(|due| ready.map_or(due, |ready| due.max(ready)));
        let pace = match due {
            Some(_) if full => Pace::Blocked,
            Some(at) if at <= now => Pace::Dialling,
            Some(_) | None => Pace::Draining,
        };
        match (self.read_at(pace), call) {
            (Some(read), Some(call)) if call < read => Next::Call(call),
            (Some(read), _) => Next::Read(read.max(now)),
            (None, Some(call)) => Next::Call(call),
            (None, None) => Next::Nothing,
        }
    }

    fn read_at(&self, pace: Pace) -> Option<DateTime<Utc>> {
        let wanted = self.open.iter().map(|open| open.since).min()? + SHORTEST_CALL;
        Some(self.last_scan.map_or(wanted, |(started, pages)| wanted.max(started + pace.interval(pages))))
    }

    /// Spends one request at `at`, or when the budget has one; when that was.
    fn spend(&mut self, at: DateTime<Utc>) -> DateTime<Utc> {
        let organisation = &self.account.organisation;
        let mut at = self.go_to(at);
        while let Err(ready) = self.budget.take(organisation, at) {
            at = self.go_to(ready);
        }
        observe(&mut self.budget, organisation, at);
        at
    }

    fn go_to(&mut self, at: DateTime<Utc>) -> DateTime<Utc> {
        let before = self.clock.now();
        self.clock.set(at);
        let after = self.clock.now();
        if !self.open.is_empty() {
            self.busy += after - before;
        }
        after
    }

    /// One scan of the vendor's list, which shows what has ended.
    fn read(&mut self, at: DateTime<Utc>) {
        let oldest = self.open.iter().map(|open| open.since).min().unwrap_or(at);
        while self.placed.front().is_some_and(|placed| *placed < oldest) {
            self.placed.pop_front();
        }
        let pages = pages_of(self.placed.len() as u64);
        let mut last = at;
        for _ in 1..pages {
            last = self.spend(last);
        }
        self.reads += u64::from(pages);
        self.last_scan = Some((at, pages));
        self.open.retain(|open| open.closed > last);
    }

    /// Places the next due call, or puts it off if it may not be placed at its turn.
    fn call(&mut self, calls: &mut [Planned], at: DateTime<Utc>) {
        let Some(Reverse((_, index))) = self.due.pop() else { return };
        let call = &mut calls[index];
        if self.calls >= self.allowed {
            call.turn = super::Turn { at: None, why: Why::MaxCalls };
            return;
        }
        if let Some((later, why)) = self.put_off(call, at) {
            call.turn.why = why;
            self.due.push(Reverse((later, index)));
            return;
        }
        let at = self.spend(at);
        self.by_number.insert(call.phone, at);
        self.open.push_back(Open { since: at, closed: at + self.lengths.nth(self.calls) });
        self.placed.push_back(at);
        self.calls += 1;
        call.turn.at = Some(at);
    }

    /// Until when a call cannot be placed at `at`, and why.
    fn put_off(&self, call: &Planned, at: DateTime<Utc>) -> Option<(DateTime<Utc>, Why)> {
        let number_again = self.by_number.get(&call.phone).map(|last| *last + self.campaign.calling.caps.min_gap);
        if let Some(later) = number_again.filter(|later| *later > at) {
            let opens = call.hours.next_open(later).unwrap_or(later);
            return Some((opens, Why::Rule(Reason::DailyCap)));
        }
        let opens = call.hours.next_open(at).filter(|opens| *opens > at)?;
        Some((opens, Why::NoTurn))
    }

    fn forecast(&self, calls: &[Planned]) -> Forecast {
        let own = || calls.iter().filter(|call| call.organisation == self.account.organisation);
        let placed = || own().filter_map(|call| call.turn.at).filter(|_| self.calls > 0);
        let from = placed().min();
        let closes = from.and_then(|from| self.practice.closes(from));
        let fits = |at: &DateTime<Utc>| closes.is_some_and(|closes| *at < closes);
        let before = if self.calls == 0 { 0 } else { BEFORE_THE_FIRST };
        Forecast {
            calls: self.calls,
            requests: self.calls + self.reads + before,
            minutes: (self.busy.as_seconds_f64() / 60.0).ceil() as u64,
            from,
            closes,
            fit: placed().filter(fits).count() as u64,
            measured_on: self.lengths.measured as u64,
        }
    }
}

/// The forecast's vendor says nothing about its budget.
fn observe(budget: &mut Budget, organisation: &OrganisationId, at: DateTime<Utc>) {
    budget.observe(organisation, &Meter::default(), at);
}

#[cfg(test)]
mod tests;
