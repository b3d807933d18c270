//! The expected slot of each call: a simulation plays the calls through the organisation's request budget on a manual
//! clock, as a run would place them, with conversations of assumed or measured length.
//!
//! The request budget ([`crate::vendor::quota`]) and the polling intervals ([`crate::engine::tracker`]) are those of a
//! run. Assumptions: an answer takes no time, nothing fails, and nobody else uses the budget.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::campaign::{Campaign, Organisation, Practice};
use crate::clock::{Clock, ManualClock};
use crate::engine::scan::pages_of;
use crate::engine::tracker::{BudgetShare, PollUrgency, SHORTEST_CALL};
use crate::entry::Reason;
use crate::ids::OrganisationId;
use crate::ledger::{LedgerError, LedgerReader};
use crate::policy::{Hours, HoursUnion, caps};
use crate::vendor::RateHeaders;
use crate::vendor::quota::Quotas;

use super::due_calls::DueCalls;
use super::planned::{ExpectedSlot, PlannedCall, SlotReason};

/// How many of a ledger's newest conversations are measured.
const MEASURED_ON: u32 = 400;

/// The fewest conversations whose measured lengths are used.
const ENOUGH: usize = 20;

/// The length of a recall call in seconds, one figure for each twentieth of the calls, taken from the simulator: an
/// assumption until the ledger holds enough calls to measure.
const ASSUMED: [f64; 20] = [
    17.0, 22.0, 26.0, 29.0, 32.0, 34.0, 37.0, 40.0, 44.0, 49.0, 53.0, 58.0, 70.0, 91.0, 104.0, 120.0, 146.0, 173.0,
    200.0, 227.0,
];

/// The time from a conversation's end until the vendor shows it as closed: an assumption (`annie-api.md` does not say).
const CLOSING: TimeDelta = TimeDelta::seconds(20);

/// Requests before the first call: the check of the caller id and the staleness check of the ledger.
const BEFORE_THE_FIRST: u64 = 2;

/// Concurrent calls with which the requests are the limit: 60 a minute, and none that lasts longer than ten minutes.
const MANY_PLACES: u32 = 600;

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
    /// How many concurrent calls let more of them fit; `null`: more concurrent calls would not help.
    pub with_more_places: Option<MorePlaces>,
    /// Conversations of the ledger on which their length was measured; 0: it is assumed.
    pub measured_on: u64,
}

/// What more concurrent calls would let fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MorePlaces {
    /// The fewest concurrent calls (`open_calls`) with which this many fit.
    pub open_calls: u32,
    /// How many then fit before the window closes: as many as any number of concurrent calls lets fit.
    pub fit: u64,
}

/// The lengths of conversations in seconds, measured or assumed.
#[derive(Debug, Clone)]
pub struct CallDurations {
    seconds: Vec<f64>,
    measured: usize,
}

impl Default for CallDurations {
    fn default() -> Self {
        Self { seconds: ASSUMED.to_vec(), measured: 0 }
    }
}

impl CallDurations {
    /// The lengths of the ledger's newest conversations.
    pub fn load(reader: &LedgerReader) -> Result<Self, LedgerError> {
        Ok(Self::measured(reader.call_durations(MEASURED_ON)?))
    }

    /// The given lengths, or the assumed ones if there are too few.
    #[must_use]
    pub fn measured(seconds: Vec<f64>) -> Self {
        if seconds.len() < ENOUGH { Self::default() } else { Self { measured: seconds.len(), seconds } }
    }

    /// The length of the `n`th conversation. Successive lengths spread over the whole range, as they do in a run.
    fn nth(&self, n: u64) -> TimeDelta {
        let spread = (n as f64 * 0.618_033_988_749_895).fract();
        let at = (spread * self.seconds.len() as f64) as usize;
        TimeDelta::milliseconds((self.seconds[at.min(self.seconds.len() - 1)] * 1000.0) as i64)
    }

    fn average(&self) -> TimeDelta {
        let average = self.seconds.iter().sum::<f64>() / self.seconds.len().max(1) as f64;
        TimeDelta::milliseconds((average * 1000.0) as i64)
    }
}

/// A conversation that is not known to be closed.
struct OpenCall {
    since: DateTime<Utc>,
    /// The end of its call, from which on the vendor shows that.
    ended: DateTime<Utc>,
    /// Whether a scan has shown the end, so that its place is free.
    is_known_to_end: bool,
}

/// A span in which hours are open throughout, or closed throughout.
struct HoursSpan {
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    /// When closed hours open; `None`: they are open.
    opens: Option<DateTime<Utc>>,
}

/// The next step of the simulated run.
enum NextStep {
    /// Scan the vendor's list; also for conversations that are closing.
    Scan {
        at: DateTime<Utc>,
        with_closing: bool,
    },
    Call(DateTime<Utc>),
    Nothing,
}

struct ScheduleSimulation<'a> {
    campaign: &'a Campaign,
    organisation: &'a Organisation,
    lengths: &'a CallDurations,
    practice_hours: HoursUnion,
    /// Calls that the run may still place; `[safety] max_calls` applies to all organisations together.
    allowed: u64,
    /// How many calls may be in progress.
    places: usize,
    /// When a call that was due first waited for a place.
    waited_at: Option<DateTime<Utc>>,
    clock: Arc<ManualClock>,
    budget: Quotas,
    due: DueCalls,
    open: VecDeque<OpenCall>,
    /// How many of them are not known to have ended.
    in_progress: usize,
    average_call: TimeDelta,
    /// The last scan's start and its pages.
    last_scan: Option<(DateTime<Utc>, u32)>,
    /// The same for the last one that also looked for conversations that were closing.
    last_closing_scan: Option<(DateTime<Utc>, u32)>,
    placed: VecDeque<DateTime<Utc>>,
    /// The span last asked for of each of the hours, by address: the planned calls hold them.
    last_spans: HashMap<*const Hours, HoursSpan>,
    calls: u64,
    reads: u64,
    /// The time in which conversations were open.
    busy: TimeDelta,
}

/// The planned calls of one organisation, in the plan's order.
type OwnCalls<'c> = Vec<&'c mut PlannedCall>;

/// Plays `calls` from `now` on, sets the slot of each, and returns the forecast. Organisations call at the same time.
pub fn play(calls: &mut [PlannedCall], campaign: &Campaign, lengths: &CallDurations, now: DateTime<Utc>) -> Forecast {
    let slots: Vec<_> = calls.iter().map(|call| call.slot).collect();
    let (forecast, has_waited_for_a_place) = play_with(None, calls, campaign, lengths, now);
    if !has_waited_for_a_place {
        return forecast;
    }
    let mut played_with = |open_calls: Option<u32>| {
        for (call, slot) in calls.iter_mut().zip(&slots) {
            call.slot = *slot;
        }
        play_with(open_calls, calls, campaign, lengths, now).0
    };
    let most_places = campaign.locations.organisations().iter().map(|organisation| organisation.rate.open_calls).max();
    let more = most_places.and_then(|places| more_places(places, &forecast, |places| played_with(Some(places)).fit));
    Forecast { with_more_places: more, ..played_with(None) }
}

/// The fewest places above `places` with which as many calls fit as with [`MANY_PLACES`].
fn more_places(places: u32, forecast: &Forecast, mut fit: impl FnMut(u32) -> u64) -> Option<MorePlaces> {
    if forecast.fit == forecast.calls || places >= MANY_PLACES {
        return None;
    }
    let most = fit(MANY_PLACES);
    if most <= forecast.fit {
        return None;
    }
    let (mut too_few, mut enough) = (places, MANY_PLACES);
    while too_few + 1 < enough {
        let middle = too_few.midpoint(enough);
        *if fit(middle) < most { &mut too_few } else { &mut enough } = middle;
    }
    Some(MorePlaces { open_calls: enough, fit: most })
}

/// Plays them with this many concurrent calls in place of the campaign's. Also returns whether a call that was due waited
/// for another one to end, before the window closed.
fn play_with(
    open_calls: Option<u32>,
    calls: &mut [PlannedCall],
    campaign: &Campaign,
    lengths: &CallDurations,
    now: DateTime<Utc>,
) -> (Forecast, bool) {
    let measured_on = lengths.measured as u64;
    let (mut total, mut has_waited) = (Forecast::none(measured_on), false);
    let mut allowed = campaign.safety.max_calls.map_or(u64::MAX, u64::from);
    let mut by_organisation: HashMap<OrganisationId, OwnCalls<'_>> = HashMap::new();
    for call in calls {
        match by_organisation.get_mut(&*call.organisation) {
            Some(own) => own.push(call),
            None => drop(by_organisation.insert(OrganisationId::clone(&call.organisation), vec![call])),
        }
    }
    for organisation in campaign.locations.organisations() {
        let mut own = by_organisation.remove(&organisation.id).unwrap_or_default();
        let mut simulation = ScheduleSimulation::new(&own, campaign, organisation, lengths, now);
        simulation.allowed = allowed;
        simulation.places = open_calls.unwrap_or(organisation.rate.open_calls) as usize;
        simulation.run(&mut own);
        allowed -= simulation.calls;
        let forecast = simulation.forecast(&own);
        has_waited |= simulation.waited_at.is_some_and(|at| forecast.closes.is_some_and(|closes| at < closes));
        total.add(&forecast);
    }
    (total, has_waited)
}

impl Forecast {
    /// That of no calls.
    fn none(measured_on: u64) -> Self {
        let (calls, requests, minutes, fit) = (0, 0, 0, 0);
        Self { calls, requests, minutes, from: None, closes: None, fit, with_more_places: None, measured_on }
    }

    /// Adds the forecast of an organisation that calls at the same time.
    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.requests += other.requests;
        self.minutes = self.minutes.max(other.minutes);
        self.from = self.from.into_iter().chain(other.from).min();
        self.closes = self.closes.max(other.closes);
        self.fit += other.fit;
    }
}

impl<'a> ScheduleSimulation<'a> {
    fn new(
        calls: &[&mut PlannedCall],
        campaign: &'a Campaign,
        organisation: &'a Organisation,
        lengths: &'a CallDurations,
        now: DateTime<Utc>,
    ) -> Self {
        let clock = Arc::new(ManualClock::at(now));
        let budget = Quotas::new(clock.clone(), organisation.rate.requests_per_minute);
        let hours = |practice: &Practice| Hours::for_practice(&campaign.calling, &practice.zone);
        Self {
            campaign,
            organisation,
            lengths,
            practice_hours: HoursUnion::any_of(organisation.practices.iter().map(hours).collect()),
            allowed: u64::MAX,
            places: organisation.rate.open_calls as usize,
            waited_at: None,
            clock,
            budget,
            due: DueCalls::new(calls),
            open: VecDeque::new(),
            in_progress: 0,
            average_call: lengths.average(),
            last_scan: None,
            last_closing_scan: None,
            placed: VecDeque::new(),
            last_spans: HashMap::new(),
            calls: 0,
            reads: 0,
            busy: TimeDelta::zero(),
        }
    }
}

impl ScheduleSimulation<'_> {
    fn run(&mut self, calls: &mut [&mut PlannedCall]) {
        loop {
            match self.next() {
                NextStep::Scan { at, with_closing } => {
                    if self.in_progress >= self.places && self.due.first().is_some_and(|due| due <= self.clock.now()) {
                        self.waited_at.get_or_insert(self.clock.now());
                    }
                    let at = self.spend(at);
                    self.scan(at, with_closing);
                }
                NextStep::Call(at) => self.call(calls, at),
                NextStep::Nothing => return,
            }
        }
    }

    fn next(&self) -> NextStep {
        let now = self.clock.now();
        let due = self.due.first().map(|at| now.max(at));
        let is_full = self.in_progress >= self.places;
        let ready = self.budget.ready_at(&self.organisation.id, now);
        let call = due.filter(|_| !is_full).map(|due| ready.map_or(due, |ready| due.max(ready)));
        let budget = BudgetShare {
            requests_per_minute: self.organisation.rate.requests_per_minute,
            foreign_per_minute: 0,
            in_progress: self.in_progress,
            average_call: self.average_call,
        };
        let urgency = PollUrgency::new(is_full, due.is_some_and(|at| at <= now), budget);
        let closing_scan = self.closing_scan_at(urgency);
        match (self.call_scan_at(urgency).into_iter().chain(closing_scan).min(), call) {
            (Some(scan), Some(call)) if call < scan => NextStep::Call(call),
            (Some(scan), _) => {
                let is_blocked = matches!(urgency, PollUrgency::Blocked { .. });
                let with_closing = !is_blocked || closing_scan.is_some_and(|at| at <= scan);
                NextStep::Scan { at: scan.max(now), with_closing }
            }
            (None, Some(call)) => NextStep::Call(call),
            (None, None) => NextStep::Nothing,
        }
    }

    /// When a run would look at the calls in progress next.
    fn call_scan_at(&self, urgency: PollUrgency) -> Option<DateTime<Utc>> {
        let wanted = self.open.iter().find(|open| !open.is_known_to_end)?.since + SHORTEST_CALL;
        Some(self.last_scan.map_or(wanted, |(started, pages)| wanted.max(started + urgency.interval(pages))))
    }

    /// When a run would look at the conversations next whose call has ended.
    fn closing_scan_at(&self, urgency: PollUrgency) -> Option<DateTime<Utc>> {
        if self.in_progress == self.open.len() {
            return None;
        }
        let wanted = self.open.front()?.since + SHORTEST_CALL;
        let due = self.last_closing_scan.map(|(at, pages)| at + urgency.closing_interval(pages, self.in_progress));
        Some(due.map_or(wanted, |due| due.max(wanted)))
    }

    /// Spends one request at `at`, or as soon as the budget has one. Returns the instant of the request.
    fn spend(&mut self, at: DateTime<Utc>) -> DateTime<Utc> {
        let organisation = &self.organisation.id;
        let mut at = self.advance_to(at);
        while let Err(ready) = self.budget.take(organisation, at) {
            at = self.advance_to(ready);
        }
        observe(&mut self.budget, organisation, at);
        at
    }

    fn advance_to(&mut self, at: DateTime<Utc>) -> DateTime<Utc> {
        let before = self.clock.now();
        self.clock.set(at);
        let after = self.clock.now();
        if !self.open.is_empty() {
            self.busy += after - before;
        }
        after
    }

    /// Scans the vendor's list, which shows the conversations that have ended.
    fn scan(&mut self, at: DateTime<Utc>, with_closing: bool) {
        let oldest = self.open.iter().find(|open| with_closing || !open.is_known_to_end);
        let oldest = oldest.map_or(at, |open| open.since);
        let oldest_open = self.open.front().map_or(at, |open| open.since);
        while self.placed.front().is_some_and(|placed| *placed < oldest_open) {
            self.placed.pop_front();
        }
        let rows = self.placed.len() - self.placed.partition_point(|placed| *placed < oldest);
        let pages = pages_of(rows as u64, self.campaign.vendor.kind.limits().page_rows);
        let mut last = at;
        for _ in 1..pages {
            last = self.spend(last);
        }
        self.reads += u64::from(pages);
        self.last_scan = Some((at, pages));
        if with_closing {
            self.last_closing_scan = self.last_scan;
        }
        for open in self.open.iter_mut().filter(|open| open.ended <= last && !open.is_known_to_end) {
            open.is_known_to_end = true;
            self.in_progress -= 1;
        }
        self.open.retain(|open| open.ended + CLOSING > last);
    }

    /// Places the next due call, or defers it if its hours are closed at `at`.
    fn call(&mut self, calls: &mut [&mut PlannedCall], at: DateTime<Utc>) {
        let Some((index, hours)) = self.due.head() else { return };
        if self.calls >= self.allowed {
            for index in self.due.take_all() {
                calls[index].slot = ExpectedSlot { at: None, why: SlotReason::MaxCalls };
            }
            return;
        }
        let phone = calls[index].phone;
        if let Some(end) = self.due.last_call_to(phone).map(|last| self.end_of_gap(last)).filter(|end| *end > at) {
            return self.wait_for_gap(calls, index, end);
        }
        if let Some(opens) = self.opening(&hours, at) {
            calls[index].slot.why = SlotReason::WindowCloses;
            self.due.wait_for_opening(calls, index, opens);
            return;
        }
        let at = self.spend(at);
        self.due.take(calls, index, at);
        let end = self.end_of_gap(at);
        for other in self.due.to_put_off(phone, end) {
            self.wait_for_gap(calls, other, end);
        }
        self.open.push_back(OpenCall { since: at, ended: at + self.lengths.nth(self.calls), is_known_to_end: false });
        self.in_progress += 1;
        self.placed.push_back(at);
        self.calls += 1;
        calls[index].slot.at = Some(at);
    }

    fn end_of_gap(&self, last: DateTime<Utc>) -> DateTime<Utc> {
        caps::end_of_gap(&self.campaign.calling.caps, last)
    }

    /// Makes a call wait for the end of the gap after another one to its number.
    fn wait_for_gap(&mut self, calls: &mut [&mut PlannedCall], index: usize, end: DateTime<Utc>) {
        let call = &mut *calls[index];
        call.slot.why = SlotReason::Rule(Reason::DailyCap);
        let opens = call.hours.next_open(end).unwrap_or(end);
        self.due.wait_alone(calls, index, opens);
    }

    /// When hours that are closed at `at` open; `None` if they are open. Of a night that thousands of calls wait through,
    /// each of the few different hours is asked once.
    fn opening(&mut self, hours: &Rc<Hours>, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if let Some(span) = self.last_spans.get(&Rc::as_ptr(hours)).filter(|span| (span.from..span.until).contains(&at))
        {
            return span.opens;
        }
        let next = hours.next_open(at)?;
        let opens = (next > at).then_some(next);
        let until = opens.or_else(|| hours.open_until(at)).unwrap_or(at);
        self.last_spans.insert(Rc::as_ptr(hours), HoursSpan { from: at, until, opens });
        opens
    }

    fn forecast(&self, calls: &[&mut PlannedCall]) -> Forecast {
        let placed = || calls.iter().filter_map(|call| call.slot.at).filter(|_| self.calls > 0);
        let from = placed().min();
        let closes = from.and_then(|from| self.practice_hours.closes(from));
        let fits = |at: &DateTime<Utc>| closes.is_some_and(|closes| *at < closes);
        let before = if self.calls == 0 { 0 } else { BEFORE_THE_FIRST };
        Forecast {
            calls: self.calls,
            requests: self.calls + self.reads + before,
            minutes: (self.busy.as_seconds_f64() / 60.0).ceil() as u64,
            from,
            closes,
            fit: placed().filter(fits).count() as u64,
            with_more_places: None,
            measured_on: self.lengths.measured as u64,
        }
    }
}

/// The simulated vendor sends no rate headers.
fn observe(budget: &mut Quotas, organisation: &OrganisationId, at: DateTime<Utc>) {
    budget.observe(organisation, &RateHeaders::default(), at);
}

#[cfg(test)]
mod tests;
