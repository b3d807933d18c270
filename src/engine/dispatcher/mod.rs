//! The dispatcher: the sole owner of a run's state.
//!
//! Each turn it starts what may start (a claim, a read), then waits for the next thing that happens: a claim committed,
//! a reply, a record committed, a read answered, a hint, an instant reached, or the stop signal. Requests and commits run beside
//! it and never touch its state. [`threshold`], [`calls`], [`reads`], [`lost`], [`silent`], [`trouble`] and [`end`] are its concerns.
//!
//! A campaign with several organisations has a dispatcher for each, side by side: each with its own budget, its own look at
//! the vendor's list and its own troubles. What they have in [`common`] is told, or counted, once.

mod calls;
mod common;
mod end;
mod lost;
mod reads;
mod silent;
mod threshold;
mod trouble;

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::annie::budget::Budget;
use crate::annie::webhook::{self, Hinting, Hints};
use crate::annie::{Answer, Conversation, Page, Reply, Unread, Vendor};
use crate::campaign::{Account, Campaign, Rate};
use crate::clock::{NAP, SharedClock};
use crate::entry::{AttemptState, Fact, Reason, State};
use crate::ids::{AttemptId, ConversationId, EntryId, OrganisationId};
use crate::ledger::{
    Authorised, Claims, Happened, InStep, Ledger, LedgerError, OurLine, Prospects, RunHandle, SetAside, Sighting,
    UnderWay, Unnamed,
};
use crate::phone::E164;
use crate::policy::{AnyOf, Hours};

use self::common::{Common, Left};

use super::call_media::CallMedia;
use super::ending::Ending;
use super::events::{Event, Listener};
use super::exclusions::Exclusions;
use super::guard::Guard;
use super::line::Line;
use super::look::Look;
use super::reconciler::{Evidence, Likeness, Reconciler, Unresolved};
use super::refusals::{Cause, Refusals};
use super::scan::PAGE;
use super::tracker::{CompleteScan, Followed, Tracker};
use super::vendor_clock::{CLOCK_TOLERANCE, Trust, VendorClock};
use super::{Engine, EngineError, Finished, Requests};

/// Runs until nothing more may be done, or until `stop` completes and the replies under way have come.
pub async fn run<V: Vendor>(
    mut engine: Engine<V>,
    exclusions: &mut dyn Exclusions,
    listener: &mut dyn Listener,
    stop: impl Future<Output = ()> + Send,
) -> Result<Finished, EngineError> {
    let (ledger, run, clock) = (engine.ledger.clone(), engine.run, Arc::clone(&engine.clock));
    let hints = engine.hints.take();
    let common = Common::of(&engine, exclusions, listener).await?;
    let dispatchers = common.dispatchers(&engine).await?;
    let (hinting, hinted): (Vec<_>, Vec<_>) = dispatchers.iter().map(|_| webhook::channel()).unzip();
    let stop = stop.shared();
    let mut at_work: FuturesUnordered<_> =
        dispatchers.into_iter().zip(hinted).map(|(dispatcher, hints)| dispatcher.work(stop.clone(), hints)).collect();
    let mut passing_on = pin!(pass_on(hints, hinting));
    let mut endings = Vec::new();
    let mut requests = Requests::default();
    loop {
        let over = tokio::select! {
            biased;
            over = at_work.next() => over,
            () = &mut passing_on => continue,
        };
        let Some(over) = over else { break };
        let (at, organisation, ending, made) = over?;
        endings.push((at, organisation, ending));
        requests += made;
    }
    let finished = common::finished(endings, requests);
    ledger.end_run(run, finished.ending.name(), finished.why(), clock.now()).await?;
    Ok(finished)
}

/// Passes hints on to every organisation: none says whose conversation it names. It never ends.
async fn pass_on(hints: Option<Hints>, to: Vec<Hinting>) {
    let Some(mut hints) = hints else { return std::future::pending().await };
    loop {
        for named in hints.next().await {
            for organisation in &to {
                organisation.hint(named.clone());
            }
        }
    }
}

/// What came back from beside.
enum Happening {
    Claimed {
        asked: u32,
        /// How many of our numbers were known to be silent when it was asked for.
        silent: usize,
        claims: Claims,
    },
    Prospects {
        /// How many of our numbers were known to be silent when they were asked for.
        silent: usize,
        prospects: Prospects,
    },
    Replied(Authorised, Answer<Reply>),
    /// The last look before the request found that this rule forbids it now.
    Forbidden(Authorised, Reason),
    Recorded(Vec<Event>),
    Page(Answer<Result<Page, Unread>>),
    Conversation(ConversationId, Answer<Result<Conversation, Unread>>),
    /// A conversation that may settle a lost answer, and whether no other attempt has it.
    Candidate {
        unresolved: Unresolved,
        likeness: Likeness,
        conversation: Conversation,
        unclaimed: bool,
    },
    /// These entries were taken off.
    Excluded(Vec<EntryId>),
    Line(Answer<Result<Option<bool>, Unread>>),
    /// Whether anything but the list can be read.
    Probed(Answer<Result<Option<bool>, Unread>>),
    /// Of the rows that a page shows of our numbers, those that the ledger knows, and whether by the answer to a request.
    RecordedCalls(Vec<(ConversationId, bool)>),
    /// Of the rows without an id, those that no call of the ledger's explains.
    Unexplained(Vec<Unnamed>),
    /// Of the calls that a whole look has seen, those that the ledger lacks.
    Strangers(Vec<Sighting>),
    /// The ledger is in step with the vendor's list, and these of our entries' calls were taken over.
    TakenOver(Vec<UnderWay>),
}

/// When the next entry is due, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NextDue {
    /// Perhaps now: a claim will tell.
    Unknown,
    /// The ledger is being asked.
    Asked,
    /// Then; or never.
    At(Option<DateTime<Utc>>),
}

/// What one organisation's dispatcher works with.
struct Part<V> {
    ledger: Ledger,
    vendor: Arc<V>,
    clock: SharedClock,
    campaign: Arc<Campaign>,
    run: RunHandle,
    until_done: bool,
    seed: u64,
}

/// How one organisation's part of a run came to its end: which it was, why, and what it cost.
type Over = (usize, OrganisationId, Ending, Requests);

struct Dispatcher<'a, 'l, V> {
    /// Which it is, in the order of the campaign.
    at: usize,
    common: &'a Common<'l>,
    engine: Part<V>,
    organisation: OrganisationId,
    rate: Rate,
    hours: AnyOf,
    budget: Budget,
    tracker: Tracker,
    reconciler: Reconciler,
    guard: Guard,
    line: Line,
    refusals: Refusals,
    /// Why the numbers are silent that the vendor refused in a row.
    refused_for: Option<Cause>,
    /// Conversations asked for at once: fewer than a page's once a page was too long to be read.
    page_limit: u32,
    beside: JoinSet<Result<Happening, LedgerError>>,
    /// Requests and intents on their way.
    sending: u32,
    /// Attempts asked for in the claim that is on its way.
    claiming: u32,
    /// Records on their way to the disk.
    recording: u32,
    /// Whether a read is on its way.
    reading: bool,
    /// A complete scan whose conversations are still being checked against the ledger.
    checking: Option<CompleteScan>,
    /// Questions to the ledger about conversations, on their way.
    candidates: u32,
    /// Conversations that are asked for by their ids before the scan that was completed can tell.
    clearing_up: BTreeSet<ConversationId>,
    /// What our calls show as their medium.
    media: CallMedia,
    next_due: NextDue,
    /// The earliest entry that became due while the ledger was being asked.
    due_meanwhile: Option<DateTime<Utc>>,
    /// Why no further call is placed.
    ending: Option<Ending>,
    /// What is open is not followed any more: it stays in the ledger for the next run.
    reads_no_more: bool,
    /// Our numbers of which it is not known yet whether they may call.
    unchecked: Vec<E164>,
    /// Those that the vendor does not let call, in the order in which that came out.
    silent: Vec<E164>,
    /// Until it is known that the ledger holds every call that our numbers have placed.
    look: Option<Look>,
    resting_until: Option<DateTime<Utc>>,
    vendor_clock: VendorClock,
    /// When the last turn began, by our clock and by the time that passes while the machine is awake.
    turn: (DateTime<Utc>, Instant),
    /// A page of the look cannot be read: something else is asked for, to tell whose fault it is.
    probes: bool,
    /// The latest instant that our clock has shown, or the ledger holds.
    latest: DateTime<Utc>,
    requests: Requests,
}

impl<'a, 'l, V: Vendor> Dispatcher<'a, 'l, V> {
    async fn begin(
        at: usize,
        account: &Account,
        engine: Part<V>,
        common: &'a Common<'l>,
        left: Left,
    ) -> Result<Self, EngineError> {
        let now = engine.clock.now();
        let campaign = Arc::clone(&engine.campaign);
        let hours =
            account.practices.iter().map(|practice| Hours::of_practice(&campaign.calling, &practice.zone)).collect();
        let mut lines = Vec::new();
        for from in account.numbers() {
            let line = OurLine { organisation: account.organisation.clone(), from };
            let in_step = engine.ledger.in_step_at(line).await?;
            // A ledger that is older than its clock shows is a demonstration's: nothing was before it.
            let adopted_at = in_step.adopted_at.map(|at| at.min(now));
            lines.push((from, InStep { at: in_step.at.min(now), adopted_at, ..in_step }));
        }
        let media = CallMedia::of(engine.ledger.call_media(account.organisation.clone()).await?);
        let Left { under_way, given_up, placed, finishes, newest } = left;
        let guard = Guard::new(campaign.safety.clone(), placed, common.placed.clone()).having_seen(&finishes);
        let mut dispatcher = Self {
            at,
            common,
            organisation: account.organisation.clone(),
            rate: account.rate,
            hours: AnyOf::these(hours),
            budget: Budget::new(Arc::clone(&engine.clock), account.rate.requests_per_minute),
            tracker: Tracker::new(campaign.safety.track_for, account.rate.requests_per_minute),
            reconciler: Reconciler::new(campaign.safety.settle),
            guard,
            line: Line::new(engine.seed, campaign.safety.outage),
            refusals: Refusals::default(),
            refused_for: None,
            page_limit: PAGE,
            beside: JoinSet::new(),
            sending: 0,
            claiming: 0,
            recording: 0,
            reading: false,
            checking: None,
            candidates: 0,
            clearing_up: BTreeSet::new(),
            media,
            next_due: NextDue::Unknown,
            due_meanwhile: None,
            ending: None,
            reads_no_more: false,
            unchecked: account.numbers(),
            silent: Vec::new(),
            look: Some(Look::new(lines, campaign.safety.settle)),
            resting_until: None,
            vendor_clock: VendorClock::beside(&*engine.clock),
            turn: (now, Instant::now()),
            probes: false,
            latest: newest.unwrap_or(now),
            requests: Requests::default(),
            engine,
        };
        dispatcher.go_on_with(under_way, now).await?;
        for attempt in given_up {
            dispatcher.ask_again(&attempt);
        }
        dispatcher.ask_for_prospects();
        Ok(dispatcher)
    }

    /// What a former run left: open conversations are followed; an attempt without a reply may have been accepted until
    /// this moment, so its answer counts as lost now.
    async fn go_on_with(&mut self, under_way: Vec<UnderWay>, now: DateTime<Utc>) -> Result<(), EngineError> {
        let mut lost = Vec::new();
        for attempt in under_way {
            if let (AttemptState::Open, Some(id)) = (attempt.state, attempt.conversation.clone()) {
                let since = attempt.answered_at.unwrap_or(attempt.intent_at);
                self.tracker.follow(id, followed(&attempt, since));
                continue;
            }
            if attempt.state == AttemptState::Submitting {
                let detail = Some("found without a reply at the start of a run".into());
                lost.push(happened(attempt.attempt, attempt.entry, now, Fact::AnswerLost, detail));
            }
            self.reconciler.add(unresolved(&attempt, now, self.tracker.readable()));
        }
        self.engine.ledger.record(self.engine.run, lost).await?;
        Ok(())
    }

    /// What a former run has lost track of is asked for once more: an opt-out may be in it.
    fn ask_again(&mut self, attempt: &UnderWay) {
        if let Some(id) = attempt.conversation.clone() {
            let since = attempt.answered_at.unwrap_or(attempt.intent_at);
            self.tracker.ask_again(id, followed(attempt, since));
        }
    }

    /// Works until nothing more may be done for this organisation.
    async fn work(
        mut self,
        mut stop: impl Future<Output = ()> + Send + Unpin,
        mut hints: Hints,
    ) -> Result<Over, EngineError> {
        let mut stopped = false;
        let ending = loop {
            self.start_what_may_start();
            let now = self.engine.clock.now();
            if let Some(ending) = self.over(now) {
                break self.ending_with_the_refused(ending);
            }
            let idle = self.is_idle();
            let wake = self.wake_at(now, idle);
            let (at, clock, rests) = (self.at, self.clock(), &self.common.rests);
            let pause = async move {
                match wake {
                    Some(until) if idle => rests.rest(at, until, &*clock).await,
                    Some(until) => clock.sleep((until - now).clamp(TimeDelta::milliseconds(1), NAP)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = &mut stop, if !stopped => {
                    stopped = true;
                    self.stop_placing(Ending::Interrupted);
                }
                Some(done) = self.beside.join_next() => {
                    self.take(done.map_err(|_| EngineError::Panicked)??);
                }
                named = hints.next() => self.take_hints(named),
                () = self.common.placed.changed(), if self.guard.waits_for_others() => {}
                () = pause => {}
            }
        };
        self.beside.abort_all();
        self.common.rests.leave();
        Ok((self.at, self.organisation, ending, self.requests))
    }

    fn clock(&self) -> SharedClock {
        Arc::clone(&self.engine.clock)
    }

    fn start_what_may_start(&mut self) {
        let now = self.engine.clock.now();
        self.heed_the_clock((self.latest - now).max(TimeDelta::zero()));
        self.latest = self.latest.max(now);
        self.watch_for_jumps(now);
        self.give_up_on_the_overdue(now);
        self.heed_the_guard();
        if self.may_read(now) {
            self.start_read(now);
        }
        if self.may_claim(now) {
            self.start_claim(now);
        }
    }

    /// Holds our clock against the time that has passed since the turn before.
    fn watch_for_jumps(&mut self, now: DateTime<Utc>) {
        let (before, then) = std::mem::replace(&mut self.turn, (now, Instant::now()));
        let passed = TimeDelta::from_std(then.elapsed()).unwrap_or(TimeDelta::MAX);
        let by = self.vendor_clock.jumped((now - before) - passed);
        self.reconciler.clock_jumped(by);
    }

    fn our_line(&self, from: E164) -> OurLine {
        OurLine { organisation: self.organisation.clone(), from }
    }

    fn open_calls(&self) -> u32 {
        self.sending + self.claiming + u32::try_from(self.tracker.open()).unwrap_or(u32::MAX)
    }

    fn take(&mut self, happening: Happening) {
        match happening {
            Happening::Claimed { asked, silent, claims } => self.take_claims(asked, silent, claims),
            Happening::Prospects { silent, prospects } => self.take_prospects(silent, prospects),
            Happening::Replied(authorised, answer) => self.take_reply(&authorised, answer),
            Happening::Forbidden(authorised, reason) => self.forbidden(&authorised, reason),
            Happening::Recorded(events) => {
                self.recording -= 1;
                self.tell(&events);
            }
            Happening::Page(answer) => self.take_page(answer),
            Happening::Conversation(id, answer) => self.take_conversation(&id, answer),
            Happening::Candidate { unresolved, likeness, conversation, unclaimed } => {
                self.candidates -= 1;
                match likeness {
                    Likeness::Fits if unclaimed => self.adopt(&unresolved, &conversation),
                    Likeness::MayFit if unclaimed => self.reconciler.doubt(&conversation),
                    Likeness::Fits => self.reconciler.is_anothers(unresolved.attempt, &conversation.id),
                    Likeness::MayFit => {}
                }
                self.conclude_scan();
            }
            Happening::Excluded(entries) => self.excluded(&entries),
            Happening::Line(answer) => self.take_line(&answer),
            Happening::Probed(answer) => self.take_probe(&answer),
            Happening::RecordedCalls(recorded) => self.take_recorded_calls(&recorded),
            Happening::Unexplained(rows) => self.take_unexplained(&rows),
            Happening::Strangers(strangers) => self.take_strangers(strangers),
            Happening::TakenOver(taken) => self.follow_the_taken_over(&taken),
        }
    }

    fn tell(&mut self, events: &[Event]) {
        self.common.tell(events);
    }

    fn heard<T>(&mut self, answer: &Answer<T>) {
        let now = self.engine.clock.now();
        self.budget.observe(&self.organisation, &answer.meter, now);
        if let Some(date) = answer.date {
            self.vendor_clock.heard(date, now);
        }
        if let Trust::Wrong(by) = self.vendor_clock.trust() {
            self.heed_the_clock(by);
        }
    }

    /// How far the vendor's clock is ahead of ours.
    fn ahead(&self) -> TimeDelta {
        self.vendor_clock.ahead()
    }

    /// Whether the vendor's last answer contradicts our clock: no call is placed until the next ones have told.
    fn doubts_its_clock(&self) -> bool {
        self.vendor_clock.trust() != Trust::Trusted
    }

    /// Stops placing calls, and reading, if our clock is off by more than it may be, whatever else has ended the run. An
    /// invented clock need not agree with anybody's.
    fn heed_the_clock(&mut self, off: TimeDelta) {
        let trusted = self.engine.clock.is_invented() || off.abs() <= CLOCK_TOLERANCE;
        if !trusted && !self.reads_no_more {
            self.stop_placing(Ending::Clock { seconds: off.num_seconds().abs() });
        }
    }

    fn record(&mut self, happened: Happened, event: Event) {
        self.recording += 1;
        let recorded = self.engine.ledger.record(self.engine.run, vec![happened]);
        self.beside.spawn(async move {
            let state = recorded.await?.pop();
            Ok(Happening::Recorded(vec![as_recorded(event, state)]))
        });
    }
}

fn followed(attempt: &UnderWay, since: DateTime<Utc>) -> Followed {
    let &UnderWay { attempt, entry, number, .. } = attempt;
    Followed { attempt, entry, number, since, answered: false, asked_at: None }
}

/// A loss that is said to be older than the request was recorded by a clock that had been set back: nobody knows when it was.
fn unresolved(attempt: &UnderWay, now: DateTime<Utc>, sought_from: TimeDelta) -> Unresolved {
    let is_told = |lost_at: &DateTime<Utc>| *lost_at >= attempt.intent_at;
    Unresolved {
        attempt: attempt.attempt,
        entry: attempt.entry,
        from: attempt.from,
        to: attempt.to,
        number: attempt.number,
        intent_at: attempt.intent_at,
        lost_at: attempt.lost_at.filter(is_told).unwrap_or(now),
        sought_from,
        proofs: 0,
        near: Evidence::default(),
    }
}

fn happened(attempt: AttemptId, entry: EntryId, at: DateTime<Utc>, fact: Fact, detail: Option<String>) -> Happened {
    Happened { attempt, entry, at, fact, conversation: None, started: None, ended: None, detail }
}

/// The ledger knows whether the patient has another number: without one, the call was the last.
fn as_recorded(mut event: Event, state: Option<State>) -> Event {
    if let Event::Ended { redial_at, .. } = &mut event
        && state == Some(State::Finished)
    {
        *redial_at = None;
    }
    event
}

fn set_aside_event(aside: &SetAside, at: DateTime<Utc>) -> Event {
    let &SetAside { entry, state, reason, until } = aside;
    Event::SetAside { at, entry, state, reason, until }
}
