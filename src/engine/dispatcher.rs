//! The dispatcher: the sole owner of a run's state.
//!
//! Each turn it starts what may start (a claim, a read), then waits for the next thing that happens: a claim committed,
//! a reply, a record committed, a read answered, an instant reached, or the stop signal. Requests and commits run beside
//! it and never touch its state.

use std::pin::pin;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::task::JoinSet;

use crate::annie::budget::Budget;
use crate::annie::{Answer, CallRequest, Conversation, LostAnswer, NotPlaced, Page, Reply, Unread, Vendor};
use crate::campaign::OnLostAnswer;
use crate::entry::{AttemptState, Fact, Reason, State};
use crate::ids::{ConversationId, EntryId, OrganisationId};
use crate::ledger::{
    Authorised, ClaimOrder, Claims, Happened, LedgerError, Note, Pending, Prospects, SetAside, UnderWay,
};
use crate::policy::Hours;

use super::ending::{Ending, Refusal};
use super::events::{Event, Listener};
use super::guard::Guard;
use super::line::Line;
use super::reconciler::{Likeness, Reconciler, Unresolved};
use super::replies::{self, Trouble};
use super::tracker::{CompleteScan, Followed, Pace, Read, Tracker};
use super::{Engine, EngineError, Finished, Requests};

/// Attempts authorised in one claim at most.
const BATCH: u32 = 64;

/// A rest shorter than this is nobody's business.
const WORTH_TELLING: TimeDelta = TimeDelta::minutes(2);

/// Runs until nothing more may be done, or until `stop` completes and the replies under way have come.
pub async fn run<V: Vendor>(
    engine: Engine<V>,
    listener: &mut dyn Listener,
    stop: impl Future<Output = ()> + Send,
) -> Result<Finished, EngineError> {
    let mut dispatcher = Dispatcher::begin(engine, listener).await?;
    let mut stop = pin!(stop);
    let mut stopped = false;
    let ending = loop {
        dispatcher.start_what_may_start();
        let now = dispatcher.clock().now();
        if let Some(ending) = dispatcher.over(now) {
            break ending;
        }
        let idle = dispatcher.is_idle();
        let wake = dispatcher.wake_at(now, idle);
        let clock = dispatcher.clock();
        let pause = async move {
            match wake {
                Some(at) if idle => clock.rest_until(at).await,
                Some(at) => clock.sleep((at - now).max(TimeDelta::milliseconds(1))).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = &mut stop, if !stopped => {
                stopped = true;
                dispatcher.stop_placing(Ending::Interrupted);
            }
            Some(done) = dispatcher.beside.join_next() => {
                let happening = done.expect("what runs beside the dispatcher neither panics nor is cancelled")?;
                dispatcher.take(happening);
            }
            () = pause => {}
        }
    };
    dispatcher.beside.abort_all();
    let requests = dispatcher.requests;
    let engine = dispatcher.engine;
    engine.ledger.end_run(engine.run, ending.name(), engine.clock.now()).await?;
    Ok(Finished { ending, requests })
}

/// What came back from beside.
enum Happening {
    Claimed {
        asked: u32,
        claims: Claims,
    },
    Prospects(Prospects),
    Replied(Authorised, Answer<Reply>),
    Recorded(Vec<Event>),
    Page(Answer<Result<Page, Unread>>),
    Conversation(Answer<Result<Conversation, Unread>>),
    /// A conversation that may settle a lost answer, and whether no other attempt has it.
    Candidate {
        unresolved: Unresolved,
        likeness: Likeness,
        conversation: Conversation,
        unclaimed: bool,
    },
    Line(Answer<Result<Option<bool>, Unread>>),
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

struct Dispatcher<'a, V> {
    engine: Engine<V>,
    organisation: OrganisationId,
    hours: Hours,
    budget: Budget,
    tracker: Tracker,
    reconciler: Reconciler,
    guard: Guard,
    line: Line,
    listener: &'a mut dyn Listener,
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
    candidates: u32,
    next_due: NextDue,
    /// The earliest entry that became due while the ledger was being asked.
    due_meanwhile: Option<DateTime<Utc>>,
    ending: Option<Ending>,
    line_checked: bool,
    resting_until: Option<DateTime<Utc>>,
    /// How far the vendor's clock is ahead of ours.
    ahead: TimeDelta,
    requests: Requests,
}

impl<'a, V: Vendor> Dispatcher<'a, V> {
    async fn begin(engine: Engine<V>, listener: &'a mut dyn Listener) -> Result<Self, EngineError> {
        let now = engine.clock.now();
        let campaign = Arc::clone(&engine.campaign);
        let under_way = engine.ledger.under_way(engine.run.campaign).await?;
        let (_, attempts) = engine.ledger.standing(engine.run).await?;
        let placed = u32::try_from(attempts.placed + attempts.unresolved).unwrap_or(u32::MAX);
        let mut dispatcher = Self {
            organisation: campaign.practice.organisation.clone(),
            hours: Hours::of_practice(&campaign),
            budget: Budget::new(Arc::clone(&engine.clock), campaign.rate.requests_per_minute),
            tracker: Tracker::default(),
            reconciler: Reconciler::new(campaign.practice.from_number, campaign.safety.settle),
            guard: Guard::new(campaign.safety.clone(), placed),
            line: Line::new(engine.seed),
            listener,
            beside: JoinSet::new(),
            sending: 0,
            claiming: 0,
            recording: 0,
            reading: false,
            checking: None,
            candidates: 0,
            next_due: NextDue::Unknown,
            due_meanwhile: None,
            ending: None,
            line_checked: false,
            resting_until: None,
            ahead: TimeDelta::zero(),
            requests: Requests::default(),
            engine,
        };
        dispatcher.go_on_with(under_way, now).await?;
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
                self.tracker.follow(id, followed(&attempt, since, now));
                continue;
            }
            if attempt.state == AttemptState::Submitting {
                let detail = Some("found without a reply at the start of a run".into());
                lost.push(happened(attempt.attempt, attempt.entry, now, Fact::AnswerLost, detail));
            }
            self.reconciler.add(unresolved(&attempt, now));
        }
        let started = Event::Started {
            at: now,
            run: self.engine.run.run,
            following: self.tracker.open(),
            unresolved: self.reconciler.iter().count(),
        };
        self.engine.ledger.record(self.engine.run, lost).await?;
        self.listener.hear(&started);
        Ok(())
    }

    fn clock(&self) -> crate::clock::SharedClock {
        Arc::clone(&self.engine.clock)
    }

    // What may start.

    fn start_what_may_start(&mut self) {
        let now = self.engine.clock.now();
        self.give_up_on_the_overdue(now);
        self.heed_the_guard();
        if self.may_read(now) {
            self.start_read(now);
        }
        if self.may_claim(now) {
            self.start_claim(now);
        }
    }

    fn heed_the_guard(&mut self) {
        let nothing_due = matches!(self.next_due, NextDue::At(None) | NextDue::Asked);
        if self.ending.is_none()
            && !nothing_due
            && let Some(ending) = self.guard.verdict()
        {
            self.stop_placing(ending);
        }
    }

    fn pace(&self) -> Pace {
        let full = self.open_calls() >= self.engine.campaign.rate.open_calls;
        if full || self.guard.allowance(self.open_calls()) == 0 {
            Pace::Blocked
        } else if self.ending.is_some() || matches!(self.next_due, NextDue::At(_)) {
            Pace::Draining
        } else {
            Pace::Dialling
        }
    }

    fn open_calls(&self) -> u32 {
        self.sending + self.claiming + u32::try_from(self.tracker.open()).unwrap_or(u32::MAX)
    }

    fn read_due_at(&self) -> Option<DateTime<Utc>> {
        let unsettled = self.reconciler.next_proof_at();
        let busy = self.reading || self.checking.is_some() || self.interrupted();
        if busy { None } else { self.tracker.due_at(self.pace(), unsettled) }
    }

    /// A read may take what the claim on its way has not been promised.
    fn may_read(&self, now: DateTime<Utc>) -> bool {
        let spare = self.budget.available(&self.organisation, now) > self.claiming;
        spare && self.read_due_at().is_some_and(|due| due <= now)
    }

    fn start_read(&mut self, now: DateTime<Utc>) {
        if self.budget.take(&self.organisation, now).is_err() {
            return;
        }
        self.reading = true;
        let vendor = Arc::clone(&self.engine.vendor);
        match self.tracker.next_read(now, self.reconciler.back_to(self.ahead), self.ahead) {
            Read::Page { offset } => {
                self.requests.pages += 1;
                self.beside.spawn(async move { Ok(Happening::Page(vendor.page(offset, super::scan::PAGE).await)) });
            }
            Read::Conversation(id) => {
                self.requests.conversations += 1;
                self.beside.spawn(async move { Ok(Happening::Conversation(vendor.conversation(&id).await)) });
            }
        }
    }

    fn may_claim(&self, now: DateTime<Utc>) -> bool {
        let due = match self.next_due {
            NextDue::Unknown => true,
            NextDue::Asked | NextDue::At(None) => false,
            NextDue::At(Some(at)) => at <= now,
        };
        due && self.claiming == 0
            && self.ending.is_none()
            && self.line.paused_until(now).is_none()
            && self.hours.closes(now).is_some()
    }

    fn start_claim(&mut self, now: DateTime<Utc>) {
        if !self.line_checked {
            return self.check_line(now);
        }
        let room = self.engine.campaign.rate.open_calls.saturating_sub(self.open_calls());
        let limit = room
            .min(self.guard.allowance(self.open_calls()))
            .min(self.budget.available(&self.organisation, now))
            .min(BATCH);
        if limit == 0 {
            return;
        }
        self.claiming = limit;
        let order = ClaimOrder { run: self.engine.run, campaign: Arc::clone(&self.engine.campaign), now, limit };
        let claim = self.engine.ledger.claim(order);
        self.beside.spawn(async move { Ok(Happening::Claimed { asked: limit, claims: claim.await? }) });
    }

    /// Before the first call of a run: does our number exist, and may it call?
    fn check_line(&mut self, now: DateTime<Utc>) {
        if self.reading || self.budget.take(&self.organisation, now).is_err() {
            return;
        }
        self.reading = true;
        self.requests.other += 1;
        let (vendor, from) = (Arc::clone(&self.engine.vendor), self.engine.campaign.practice.from_number);
        self.beside.spawn(async move { Ok(Happening::Line(vendor.may_call_from(from).await)) });
    }

    fn ask_for_prospects(&mut self) {
        self.next_due = NextDue::Asked;
        self.due_meanwhile = None;
        let prospects = self.engine.ledger.prospects(self.engine.run.campaign);
        self.beside.spawn(async move { Ok(Happening::Prospects(prospects.await?)) });
    }

    fn became_due(&mut self, at: DateTime<Utc>) {
        match &mut self.next_due {
            NextDue::Unknown => {}
            NextDue::Asked => self.due_meanwhile = Some(self.due_meanwhile.map_or(at, |due| due.min(at))),
            NextDue::At(due) => *due = Some(due.map_or(at, |due| due.min(at))),
        }
    }

    // What happened.

    fn take(&mut self, happening: Happening) {
        match happening {
            Happening::Claimed { asked, claims } => self.take_claims(asked, claims),
            Happening::Prospects(Prospects { next_due }) => {
                let due = next_due.into_iter().chain(self.due_meanwhile.take()).min();
                self.next_due = NextDue::At(due);
            }
            Happening::Replied(authorised, answer) => self.take_reply(authorised, answer),
            Happening::Recorded(events) => {
                self.recording -= 1;
                self.tell(&events);
            }
            Happening::Page(answer) => self.take_page(answer),
            Happening::Conversation(answer) => self.take_conversation(answer),
            Happening::Candidate { unresolved, likeness, conversation, unclaimed } => {
                self.candidates -= 1;
                match likeness {
                    Likeness::Fits if unclaimed => self.adopt(&unresolved, &conversation),
                    Likeness::MayFit if unclaimed => self.reconciler.doubt(unresolved.attempt),
                    Likeness::Fits | Likeness::MayFit => {}
                }
                self.conclude_scan();
            }
            Happening::Line(answer) => self.take_line(answer),
        }
    }

    fn tell(&mut self, events: &[Event]) {
        for event in events {
            self.listener.hear(event);
        }
    }

    fn heard<T>(&mut self, answer: &Answer<T>) {
        let now = self.engine.clock.now();
        self.budget.observe(&self.organisation, &answer.meter, now);
        if let Some(date) = answer.date {
            self.ahead = date - now;
        }
    }

    fn take_claims(&mut self, asked: u32, claims: Claims) {
        self.claiming = 0;
        let authorised = claims.authorised.len();
        let events: Vec<_> =
            claims.set_aside.iter().map(|aside| set_aside_event(aside, self.engine.clock.now())).collect();
        self.tell(&events);
        for attempt in claims.authorised {
            self.dial(attempt);
        }
        // A claim that neither found enough to call nor set anything aside has seen everything that is due.
        if authorised < asked as usize && claims.set_aside.is_empty() {
            self.ask_for_prospects();
        } else {
            self.next_due = NextDue::Unknown;
        }
    }

    /// The intent is on stable storage: sends the request, once. If the vendor has asked for a pause since the claim,
    /// nothing is sent, and the attempt is provably not placed.
    fn dial(&mut self, authorised: Authorised) {
        let now = self.engine.clock.now();
        self.guard.authorised();
        if let Err(until) = self.budget.take(&self.organisation, now) {
            return self.not_placed(&authorised, until, Reason::RateLimited, None);
        }
        self.sending += 1;
        self.requests.calls += 1;
        let Authorised { entry, attempt, number: call, .. } = authorised;
        self.listener.hear(&Event::Dialling { at: now, entry, attempt, call });
        let from = self.engine.campaign.practice.from_number;
        let request = CallRequest { from, to: authorised.to, content: authorised.content.clone() };
        let vendor = Arc::clone(&self.engine.vendor);
        self.beside.spawn(async move { Ok(Happening::Replied(authorised, vendor.place(request).await)) });
    }

    fn take_reply(&mut self, authorised: Authorised, answer: Answer<Reply>) {
        self.sending -= 1;
        self.heard(&answer);
        match answer.value {
            Reply::Accepted(conversation) => self.accepted(&authorised, conversation),
            Reply::NotPlaced(not_placed) => self.take_trouble(&authorised, &not_placed),
            Reply::Lost(lost) => self.lost(&authorised, lost),
        }
    }

    fn accepted(&mut self, authorised: &Authorised, conversation: ConversationId) {
        self.line.works();
        let &Authorised { entry, attempt, number, .. } = authorised;
        let at = self.engine.clock.now();
        self.tracker.follow(
            conversation.clone(),
            Followed { attempt, entry, number, since: at, followed_since: at, asked_at: None },
        );
        let record =
            Happened { conversation: Some(conversation.clone()), ..happened(attempt, entry, at, Fact::Accepted, None) };
        self.record(record, Event::Accepted { at, entry, attempt, conversation });
    }

    fn lost(&mut self, authorised: &Authorised, lost: LostAnswer) {
        self.guard.failed();
        let &Authorised { entry, attempt, number, to, intent_at, .. } = authorised;
        let at = self.engine.clock.now();
        self.reconciler.add(Unresolved {
            attempt,
            entry,
            to,
            number,
            intent_at,
            lost_at: at,
            sought_since: at,
            proofs: 0,
            doubted: false,
        });
        let because = replies::because(lost);
        let record = happened(attempt, entry, at, Fact::AnswerLost, Some(because.clone()));
        self.record(record, Event::AnswerLost { at, entry, attempt, because });
    }

    fn take_trouble(&mut self, authorised: &Authorised, why: &NotPlaced) {
        let now = self.engine.clock.now();
        let detail = replies::status(why);
        let (retry_at, reason) = match replies::trouble(why) {
            Trouble::Final(reason) => return self.refused(authorised, reason, detail),
            Trouble::Entry(reason, wait) => (now + wait, reason),
            Trouble::Budget => {
                let until = self.budget.ready_at(&self.organisation, now).unwrap_or(now);
                (until, Reason::RateLimited)
            }
            Trouble::OutsideHours => (self.line.outside_hours(now), Reason::VendorHours),
            Trouble::Unreachable => (self.pause_or_stop(Reason::NotConnected), Reason::NotConnected),
            Trouble::Unauthorised => (self.pause_or_stop(Reason::Unauthorised), Reason::Unauthorised),
            Trouble::Refused(refusal) => {
                self.stop_placing(Ending::Refused(refusal));
                (now, Reason::LineRefused)
            }
        };
        self.not_placed(authorised, retry_at, reason, detail);
    }

    /// The line is in trouble: pauses it, or ends the run. Returns when to try again.
    fn pause_or_stop(&mut self, reason: Reason) -> DateTime<Utc> {
        let now = self.engine.clock.now();
        let outcome = if reason == Reason::Unauthorised {
            self.line.unauthorised(now, self.engine.vendor.renews_credentials())
        } else {
            self.line.unreachable(now)
        };
        match outcome {
            Ok(until) => {
                self.listener.hear(&Event::Paused { at: now, until, reason });
                until
            }
            Err(ending) => {
                self.stop_placing(ending);
                now
            }
        }
    }

    fn not_placed(&mut self, authorised: &Authorised, retry_at: DateTime<Utc>, reason: Reason, detail: Option<String>) {
        self.guard.not_placed();
        self.became_due(retry_at);
        let &Authorised { entry, attempt, .. } = authorised;
        let at = self.engine.clock.now();
        let record = happened(attempt, entry, at, Fact::NotPlaced { retry_at, reason }, detail);
        self.record(record, Event::NotPlaced { at, entry, attempt, reason, retry_at });
    }

    fn refused(&mut self, authorised: &Authorised, reason: Reason, detail: Option<String>) {
        self.guard.not_placed();
        self.guard.failed();
        let &Authorised { entry, attempt, .. } = authorised;
        let at = self.engine.clock.now();
        let record = happened(attempt, entry, at, Fact::Refused { reason }, detail);
        self.record(record, Event::Refused { at, entry, attempt, reason });
    }

    fn record(&mut self, happened: Happened, event: Event) {
        self.recording += 1;
        let recorded = self.engine.ledger.record(self.engine.run, vec![happened]);
        self.beside.spawn(async move { recorded.await.map(|()| Happening::Recorded(vec![event])) });
    }

    fn take_line(&mut self, answer: Answer<Result<Option<bool>, Unread>>) {
        self.reading = false;
        self.heard(&answer);
        match answer.value {
            Ok(Some(false)) => self.stop_placing(Ending::Refused(Refusal::FromNumber)),
            Ok(Some(true) | None) => self.line_checked = true,
            // An answer that cannot be used says nothing against the number: the first call will tell.
            Err(Unread::NotFound | Unread::Status(_) | Unread::Unreadable) => self.line_checked = true,
            Err(unread) => self.read_failed(unread),
        }
    }

    // Following conversations, and settling lost answers.

    fn take_page(&mut self, answer: Answer<Result<Page, Unread>>) {
        self.reading = false;
        self.heard(&answer);
        match answer.value {
            Err(unread) => self.read_failed(unread),
            Ok(page) => {
                self.line.works();
                let (closed, complete) = self.tracker.take_page(&page, self.engine.clock.now());
                for (followed, conversation) in closed {
                    self.ended(&followed, &conversation);
                }
                self.checking = complete;
                self.look_for_the_lost(&page);
                self.conclude_scan();
            }
        }
    }

    fn take_conversation(&mut self, answer: Answer<Result<Conversation, Unread>>) {
        self.reading = false;
        self.heard(&answer);
        match answer.value {
            // Not (yet) known under this id: the list may still show it, and its deadline ends the wait.
            Err(Unread::NotFound) => {}
            Err(unread) => self.read_failed(unread),
            Ok(conversation) => {
                if let Some((followed, conversation)) = self.tracker.take(&conversation) {
                    self.ended(&followed, &conversation);
                }
            }
        }
    }

    fn read_failed(&mut self, unread: Unread) {
        let now = self.engine.clock.now();
        let retry_at = match unread {
            Unread::RateLimited => self.budget.ready_at(&self.organisation, now).unwrap_or(now),
            Unread::Unauthorised(_) => {
                self.stop_placing(Ending::Refused(Refusal::Credentials));
                now
            }
            Unread::Unreachable | Unread::NotFound | Unread::Status(_) | Unread::Unreadable => {
                self.pause_or_stop(Reason::NotConnected)
            }
        };
        self.tracker.read_failed(retry_at);
    }

    fn ended(&mut self, followed: &Followed, conversation: &Conversation) {
        let at = self.engine.clock.now();
        let &Followed { attempt, entry, number, .. } = followed;
        let (outcome, fact, evidence) = replies::ended(&self.engine.campaign, conversation, number, at);
        self.guard.ended(outcome);
        let redial_at = if let Fact::Ended { redial, .. } = fact { redial } else { None };
        if let Some(at) = redial_at {
            self.became_due(at);
        }
        let record = Happened {
            started: conversation.started.map(|started| started - self.ahead),
            ended: conversation.ended.map(|ended| ended - self.ahead),
            ..happened(attempt, entry, at, fact, Some(evidence))
        };
        let conversation = conversation.id.clone();
        self.record(record, Event::Ended { at, entry, attempt, conversation, outcome, redial_at });
    }

    /// A conversation that fits a lost answer is its own, unless the ledger knows it as another attempt's.
    fn look_for_the_lost(&mut self, page: &Page) {
        for conversation in &page.conversations {
            let claimants: Vec<_> = self
                .reconciler
                .claimants(conversation, self.ahead)
                .map(|(one, likeness)| (one.clone(), likeness))
                .collect();
            for (unresolved, likeness) in claimants {
                self.candidates += 1;
                let conversation = conversation.clone();
                let unknown = self.engine.ledger.unknown_among(vec![conversation.id.clone()]);
                self.beside.spawn(async move {
                    let unclaimed = !unknown.await?.is_empty();
                    Ok(Happening::Candidate { unresolved, likeness, conversation, unclaimed })
                });
            }
        }
    }

    fn adopt(&mut self, unresolved: &Unresolved, conversation: &Conversation) {
        // Two pages may show it: the first settles it.
        if self.reconciler.settle(unresolved.attempt).is_none() {
            return;
        }
        let &Unresolved { attempt, entry, number, .. } = unresolved;
        let at = self.engine.clock.now();
        let id = conversation.id.clone();
        self.tracker
            .follow(id.clone(), Followed { attempt, entry, number, since: at, followed_since: at, asked_at: None });
        let record = Happened {
            conversation: Some(id.clone()),
            started: conversation.started.map(|started| started - self.ahead),
            ..happened(attempt, entry, at, Fact::Adopted, Some("found on the vendor's list".into()))
        };
        self.record(record, Event::Adopted { at, entry, attempt, conversation: id });
        if let Some((followed, conversation)) = self.tracker.take(conversation) {
            self.ended(&followed, &conversation);
        }
    }

    /// A complete scan, all of whose candidates have been checked, proves the absence of what it did not show.
    fn conclude_scan(&mut self) {
        if self.candidates > 0 {
            return;
        }
        let Some(scan) = self.checking.take() else { return };
        if !scan.proves_absence {
            return;
        }
        self.note_scan(scan);
        let retry = self.engine.campaign.safety.on_lost_answer == OnLostAnswer::Retry;
        for absent in self.reconciler.prove_absence(scan.started, scan.back_to, self.ahead) {
            self.absent(&absent, retry, "not on the vendor's list in two complete scans");
        }
    }

    fn note_scan(&mut self, scan: CompleteScan) {
        let CompleteScan { started, back_to, pages, conversations, .. } = scan;
        let detail = format!(
            "{conversations} conversations on {pages} pages, back to {}, begun {}: not among them",
            back_to.format("%Y-%m-%dT%H:%M:%SZ"),
            started.format("%Y-%m-%dT%H:%M:%SZ")
        );
        let at = self.engine.clock.now();
        let notes: Vec<Pending<()>> = self
            .reconciler
            .iter()
            .map(|one| Note {
                at,
                entry: Some(one.entry),
                attempt: Some(one.attempt),
                kind: "scanned",
                detail: detail.clone(),
            })
            .map(|note| self.engine.ledger.note(self.engine.run, note))
            .collect();
        for note in notes {
            self.recording += 1;
            self.beside.spawn(async move { note.await.map(|()| Happening::Recorded(Vec::new())) });
        }
    }

    fn absent(&mut self, absent: &Unresolved, retry: bool, because: &str) {
        let at = self.engine.clock.now();
        let &Unresolved { attempt, entry, .. } = absent;
        let state = if retry { State::Ready } else { State::Held };
        if retry {
            self.became_due(at);
        }
        let record = happened(attempt, entry, at, Fact::Absent { retry }, Some(because.into()));
        self.record(record, Event::Absent { at, entry, attempt, state });
    }

    fn give_up_on_the_overdue(&mut self, now: DateTime<Utc>) {
        for (conversation, Followed { attempt, entry, .. }) in
            self.tracker.give_up(now, self.engine.campaign.safety.track_for)
        {
            let record = happened(attempt, entry, now, Fact::TrackLost, None);
            self.record(record, Event::TrackLost { at: now, entry, attempt, conversation });
        }
        // Nothing was proved, so nobody is called again whatever the campaign says.
        for unsettled in self.reconciler.give_up(now) {
            self.absent(&unsettled, false, "the vendor's list could not settle it in time");
        }
    }

    // The end.

    fn stop_placing(&mut self, ending: Ending) {
        let graver = matches!(ending, Ending::Interrupted | Ending::Refused(_) | Ending::Unreachable);
        if self.ending.is_none() || graver {
            let event = Event::Stopping { at: self.engine.clock.now(), why: ending.to_string() };
            self.listener.hear(&event);
            self.ending = Some(ending);
        }
    }

    /// Nothing more is read: the person, or the vendor, has ended it.
    fn interrupted(&self) -> bool {
        matches!(self.ending, Some(Ending::Interrupted | Ending::Unreachable | Ending::Refused(Refusal::Credentials)))
    }

    fn must_wait(&self) -> bool {
        self.sending > 0 || self.claiming > 0 || self.recording > 0 || self.candidates > 0
    }

    fn follows_something(&self) -> bool {
        self.tracker.open() > 0 || !self.reconciler.is_empty()
    }

    fn over(&self, now: DateTime<Utc>) -> Option<Ending> {
        if self.must_wait() || (!self.interrupted() && (self.reading || self.follows_something())) {
            return None;
        }
        if self.ending.is_some() {
            return self.ending.clone();
        }
        match (self.next_call_at(now), self.hours.closes(now)) {
            (NextCall::NotKnown, _) => None,
            (NextCall::Never, _) => Some(Ending::Done),
            (NextCall::At(_), _) if self.engine.until_done => None,
            (NextCall::At(opens), None) => Some(Ending::WindowClosed { opens: Some(opens) }),
            (NextCall::At(at), Some(closes)) => (at >= closes).then_some(Ending::Done),
        }
    }

    fn next_call_at(&self, now: DateTime<Utc>) -> NextCall {
        match self.next_due {
            NextDue::Asked => NextCall::NotKnown,
            NextDue::Unknown => self.hours.next_open(now).map_or(NextCall::Never, NextCall::At),
            NextDue::At(None) => NextCall::Never,
            NextDue::At(Some(at)) => self.hours.next_open(at.max(now)).map_or(NextCall::Never, NextCall::At),
        }
    }

    /// Nothing is under way: a demonstration's clock may leap to what comes next.
    fn is_idle(&self) -> bool {
        self.beside.is_empty() && !self.follows_something()
    }

    fn wake_at(&mut self, now: DateTime<Utc>, idle: bool) -> Option<DateTime<Utc>> {
        let budget = self.budget.ready_at(&self.organisation, now);
        let read = self.read_due_at().map(|due| budget.map_or(due, |ready| due.max(ready)));
        let deadline = self.tracker.gives_up_at(self.engine.campaign.safety.track_for);
        let wake =
            [read, deadline, self.reconciler.gives_up_at(), self.claim_at(now, budget)].into_iter().flatten().min();
        if let Some(until) = wake.filter(|at| idle && *at - now >= WORTH_TELLING && self.resting_until != Some(*at)) {
            self.resting_until = Some(until);
            self.listener.hear(&Event::Resting { at: now, until });
        }
        wake
    }

    /// When the next claim may be made, if it does not wait for something that happens.
    fn claim_at(&self, now: DateTime<Utc>, budget: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        let full = self.open_calls() >= self.engine.campaign.rate.open_calls;
        let forbidden = self.guard.allowance(self.open_calls()) == 0;
        let line_asked = !self.line_checked && self.reading;
        if self.claiming > 0 || self.ending.is_some() || full || forbidden || line_asked {
            return None;
        }
        let NextCall::At(at) = self.next_call_at(now) else { return None };
        [budget, self.line.paused_until(now)].into_iter().flatten().chain([at]).max()
    }
}

/// When the next call could be placed, as far as due entries and the practice's hours go.
enum NextCall {
    NotKnown,
    Never,
    At(DateTime<Utc>),
}

fn followed(attempt: &UnderWay, since: DateTime<Utc>, now: DateTime<Utc>) -> Followed {
    let &UnderWay { attempt, entry, number, .. } = attempt;
    Followed { attempt, entry, number, since, followed_since: now, asked_at: None }
}

fn unresolved(attempt: &UnderWay, now: DateTime<Utc>) -> Unresolved {
    Unresolved {
        attempt: attempt.attempt,
        entry: attempt.entry,
        to: attempt.to,
        number: attempt.number,
        intent_at: attempt.intent_at,
        lost_at: attempt.lost_at.unwrap_or(now),
        sought_since: now,
        proofs: 0,
        doubted: false,
    }
}

fn happened(
    attempt: crate::ids::AttemptId,
    entry: EntryId,
    at: DateTime<Utc>,
    fact: Fact,
    detail: Option<String>,
) -> Happened {
    Happened { attempt, entry, at, fact, conversation: None, started: None, ended: None, detail }
}

fn set_aside_event(aside: &SetAside, at: DateTime<Utc>) -> Event {
    let (reason, until) = match aside.fact {
        Fact::Deferred { until, reason } => (reason, Some(until)),
        Fact::Barred { reason } | Fact::SetAside { reason } => (reason, None),
        _ => (Reason::NotAfter, None),
    };
    Event::SetAside { at, entry: aside.entry, state: aside.state, reason, until }
}
