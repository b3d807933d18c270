//! The handlers without input or output: what comes, the work that they start and the events that they emit.

mod drain;
mod poll;
mod preflight;
mod reconcile;
mod state;
mod submit;
mod trouble;
mod turn;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::campaign::{self, SafetyOverrides};
use crate::clock::{ManualClock, SharedClock};
use crate::engine::events::Event;
use crate::engine::exclusions::{ExclusionCheck, ExclusionError};
use crate::engine::stop_rules::PlacedCalls;
use crate::entry::{AttemptState, CallContent, OutcomeSignals};
use crate::ids::{AttemptId, ConversationId, EntryId, OrganisationId};
use crate::ledger::{AttemptUpdate, ClaimResult, ClaimedAttempt, InFlightAttempt, Watermark};
use crate::phone::E164;
use crate::vendor::{Conversation, Medium, Page, ReadError, Reply, Response, Status};

use super::carried_over::CarriedOver;
use super::state::{Dispatcher, DispatcherInputs, KnownNextDue};
use super::work::{Completion, Effects, Work};

const CAMPAIGN: &str = r#"
name = "recall"
purpose = "recall"
[practice]
name = "Group"
timezone = "America/Chicago"
from_number = "+13125550142"
[calling]
consent = "on_file"
"#;

/// Two locations of one organisation: `Main` with the caller id …142, `Annex` with …160.
const TWO_LOCATIONS: &str = r#"
[[line]]
location = "Main"
organisation = "Group"
from_number = "+13125550142"
[[line]]
location = "Annex"
organisation = "Group"
from_number = "+13125550160"
"#;

/// Ten in the morning in Chicago, on a Tuesday.
fn start() -> DateTime<Utc> {
    "2026-11-24T16:00:00Z".parse().expect("an instant")
}

fn after(seconds: i64) -> DateTime<Utc> {
    start() + TimeDelta::seconds(seconds)
}

fn number(text: &str) -> E164 {
    E164::parse(text).expect("a number")
}

fn main_number() -> E164 {
    number("+13125550142")
}

fn annex() -> E164 {
    number("+13125550160")
}

/// The patient of the attempt with this number.
fn patient(attempt: i64) -> E164 {
    number(&format!("+131255502{attempt:02}"))
}

/// A dispatcher, and the instant at which the next thing comes to it.
struct Scene {
    dispatcher: Dispatcher,
    clock: Arc<ManualClock>,
    /// The attempts that were found without a reply.
    found_lost: Vec<AttemptUpdate>,
    /// What the last handler started.
    started: Vec<Work>,
    now: DateTime<Utc>,
}

impl Scene {
    /// A dispatcher before its first call. `more`: further lines of the campaign file.
    fn new(more: &str) -> Self {
        Self::carrying(more, CarriedOver::default())
    }

    fn carrying(more: &str, mut carried: CarriedOver) -> Self {
        let text = format!("{CAMPAIGN}{more}");
        let campaign = campaign::load(&text, "recall.toml", PathBuf::from("."), SafetyOverrides::default());
        let campaign = Arc::new(campaign.unwrap_or_else(|problems| panic!("{}", problems.drawn(false))));
        let watermark = Watermark { at: after(-86_400), takes_over: false, adopted_at: None };
        if carried.watermarks.is_empty() {
            let numbers = campaign.locations.organisations()[0].numbers();
            carried.watermarks = numbers.into_iter().map(|from| (from, watermark)).collect();
        }
        let clock = Arc::new(ManualClock::at(start()));
        let shared: SharedClock = clock.clone();
        let run_calls = PlacedCalls::new(carried.placed);
        let inputs =
            DispatcherInputs { campaign, index: 0, until_done: false, seed: 1, clock: &shared, run_calls, carried };
        let (dispatcher, found_lost) = Dispatcher::new(inputs, start());
        let mut scene = Self { dispatcher, clock, found_lost, started: Vec::new(), now: start() };
        // A simulated clock may differ from the vendor's; this one is not to.
        scene.dispatcher.vendor_clock = crate::engine::vendor_clock::VendorClock::default();
        scene.later(60);
        scene
    }

    /// A dispatcher that has checked its caller ids and its ledger, and places calls.
    fn dialing(more: &str) -> Self {
        let mut scene = Self::new(more);
        scene.dispatcher.unchecked_caller_ids.clear();
        scene.dispatcher.staleness_check = None;
        scene
    }

    /// The same, with these attempts sent and not answered.
    fn sending(more: &str, attempts: &[i64]) -> Self {
        let mut scene = Self::dialing(more);
        for attempt in attempts {
            scene.send(*attempt);
            scene.later(2);
        }
        scene
    }

    /// The same, with these attempts accepted; the conversation of attempt 1 is `c-1`.
    fn following(more: &str, attempts: &[i64]) -> Self {
        let mut scene = Self::sending(more, attempts);
        for attempt in attempts {
            scene.comes(replied(*attempt, Reply::Accepted(conversation_id(*attempt))));
            scene.settle();
        }
        scene
    }

    fn later(&mut self, seconds: i64) {
        self.now += TimeDelta::seconds(seconds);
        self.clock.set(self.now);
    }

    /// An attempt that was claimed just now.
    fn claim(&self, attempt: i64) -> ClaimedAttempt {
        claim_at(attempt, self.now)
    }

    /// The attempt is claimed and sent.
    fn send(&mut self, attempt: i64) {
        let claim = self.claim(attempt);
        self.comes(claimed(1, vec![claim]));
        assert!(matches!(self.started[..], [Work::Place(_)]), "{attempt} is sent");
    }

    /// The first turn, within a few, in which something is started: now, or 60 seconds later at a time.
    fn next_turn(&mut self) -> Vec<String> {
        for _ in 0..20 {
            let lines = self.turn();
            if !lines.is_empty() {
                return lines;
            }
            self.later(60);
        }
        panic!("nothing is started");
    }

    fn handle<T>(&mut self, handle: impl FnOnce(&mut Dispatcher, &mut Effects) -> T) -> (T, Vec<String>) {
        let mut effects = Effects::at(self.now);
        let result = handle(&mut self.dispatcher, &mut effects);
        let mut lines: Vec<_> = effects.events.iter().map(|event| format!("! {}", self.event_line(event))).collect();
        lines.extend(effects.work.iter().map(work_line));
        self.started = effects.work;
        (result, lines)
    }

    /// Why the run stops is shown by the reason itself: its text has tests of its own.
    fn event_line(&self, event: &Event) -> String {
        match (event, &self.dispatcher.stop_reason) {
            (Event::Stopping { .. }, Some(reason)) => format!("stopping {reason:?}"),
            _ => event_line(event),
        }
    }

    /// What follows from this: the events, each with a `!`, then the work.
    fn comes(&mut self, completion: Completion) -> Vec<String> {
        self.handle(|dispatcher, effects| dispatcher.on_completion(completion, effects)).1
    }

    /// What the dispatcher starts in a turn in which nothing came.
    fn turn(&mut self) -> Vec<String> {
        self.turn_with(TimeDelta::zero(), Ok(None))
    }

    fn turn_with(
        &mut self,
        drift: TimeDelta,
        exclusions: Result<Option<ExclusionCheck>, ExclusionError>,
    ) -> Vec<String> {
        let turn = |dispatcher: &mut Dispatcher, effects: &mut Effects| {
            dispatcher.start_due_work(drift, effects);
            if let Some(limit) = dispatcher.claim_limit(effects) {
                dispatcher.claim(limit, exclusions, effects);
            }
        };
        self.handle(turn).1
    }

    /// Until when the dispatcher waits, or why it is finished; and the events.
    fn wait(&mut self) -> Vec<String> {
        let started = std::mem::take(&mut self.started);
        let (wait, mut lines) = self.handle(Dispatcher::wait);
        self.started = started;
        lines.push(match wait {
            ControlFlow::Break(reason) => format!("finished {reason:?}"),
            ControlFlow::Continue(wait) => {
                let until = wait.until.map_or("something comes".into(), offset);
                format!("waits until {until}{}", if wait.is_idle { ", idle" } else { "" })
            }
        });
        lines
    }

    /// The page after a first one with one row shows no more: the scan is complete.
    fn last_page(&mut self) -> Vec<String> {
        self.later(2);
        assert_eq!(self.turn(), ["page 1 100"]);
        self.comes(page(Ok(page_of(vec![]))))
    }

    /// Everything that was recorded is on stable storage.
    fn settle(&mut self) {
        for work in std::mem::take(&mut self.started) {
            if let Work::Record { event, .. } = work {
                self.comes(Completion::Recorded { event, state: None });
            } else if matches!(work, Work::Note(_) | Work::LearnMedium { .. }) {
                self.comes(Completion::Noted);
            }
        }
    }
}

fn claimed(asked: u32, claimed: Vec<ClaimedAttempt>) -> Completion {
    Completion::Claimed { asked, blocked: 0, claims: ClaimResult { claimed, ..ClaimResult::default() } }
}

fn claim_at(attempt: i64, intent_at: DateTime<Utc>) -> ClaimedAttempt {
    ClaimedAttempt {
        attempt: AttemptId(attempt),
        entry: EntryId(100 + attempt),
        organisation: OrganisationId::new("Group"),
        from: main_number(),
        to: patient(attempt),
        number: 1,
        intent_at,
        allowed_until: intent_at + TimeDelta::hours(1),
        content: CallContent::default(),
    }
}

/// An attempt of an earlier run, ten minutes before the start; its conversation is known unless it is submitting.
fn in_flight(attempt: i64, state: AttemptState) -> InFlightAttempt {
    let is_known = !matches!(state, AttemptState::Submitting | AttemptState::Unknown);
    InFlightAttempt {
        attempt: AttemptId(attempt),
        entry: EntryId(100 + attempt),
        organisation: OrganisationId::new("Group"),
        from: main_number(),
        to: patient(attempt),
        number: 1,
        state,
        intent_at: after(-600),
        answered_at: None,
        lost_at: None,
        conversation: is_known.then(|| conversation_id(attempt)),
    }
}

/// The vendor's answer to an attempt that was claimed at +60.
fn replied(attempt: i64, reply: Reply) -> Completion {
    Completion::Replied(claim_at(attempt, after(60)), Response::bare(reply))
}

fn conversation_id(number: i64) -> ConversationId {
    ConversationId::new(format!("c-{number}"))
}

/// The conversation of our call to the patient of this attempt, as the list shows it.
fn conversation(attempt: i64, status: Status) -> Conversation {
    Conversation {
        id: conversation_id(attempt),
        medium: Medium::read(Some("VOICE")),
        from: Some(main_number()),
        to: Some(patient(attempt)),
        started: Some(after(61)),
        ended: None,
        status,
        signals: OutcomeSignals::default(),
    }
}

fn page_of(conversations: Vec<Conversation>) -> Page {
    Page { total: Some(conversations.len() as u64), rows_without_id: Vec::new(), conversations }
}

fn page(page: Result<Page, ReadError>) -> Completion {
    Completion::Page(Response::bare(page))
}

fn read(id: i64, conversation: Result<Conversation, ReadError>) -> Completion {
    Completion::Conversation(conversation_id(id), Response::bare(conversation))
}

/// Seconds since the start.
fn offset(at: DateTime<Utc>) -> String {
    format!("{:+}", (at - start()).num_seconds())
}

/// An event without its time and its entry; instants as [`offset`].
fn event_line(event: &Event) -> String {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(event) else { panic!("an object") };
    let kind = fields.remove("type").and_then(|kind| kind.as_str().map(ToOwned::to_owned)).expect("a type");
    fields.retain(|name, value| !["at", "entry"].contains(&name.as_str()) && !value.is_null());
    let value = |value: &Value| match value.as_str() {
        Some(text) => text.parse().map_or_else(|_| text.to_owned(), offset),
        None => value.to_string(),
    };
    let fields = fields.iter().map(|(name, field)| format!(" {name}={}", value(field)));
    kind + &fields.collect::<String>()
}

fn work_line(work: &Work) -> String {
    match work {
        Work::Claim { scope, limit, blocked, .. } => {
            format!("claim {limit}{}, {blocked} blocked", without(&scope.excluded_locations))
        }
        Work::Exclude { .. } => "exclude".into(),
        Work::AskNextDue { scope, blocked } => {
            format!("ask next due{}, {blocked} blocked", without(&scope.excluded_locations))
        }
        Work::Place(claimed) => format!("place {}", claimed.attempt.0),
        Work::Record { update, event } => {
            let fact = format!("{:?}", update.fact);
            let fact = fact.split(' ').next().expect("a name");
            let detail = update.detail.as_ref().map_or_else(String::new, |detail| format!(" ({detail})"));
            format!("record {fact}{detail}: {}", event_line(event))
        }
        Work::Note(note) => format!("note {} {:?}", note.kind, note.attempt.map(|attempt| attempt.0)),
        Work::LearnMedium { word, ended, .. } => format!("learn medium {word:?}, ended {ended}"),
        Work::ReadPage { offset, limit } => format!("page {offset} {limit}"),
        Work::ReadConversation(id) => format!("read {}", id.as_str()),
        Work::CheckCallerId(from) => format!("check caller id {}", from.expose()),
        Work::Probe(from) => format!("probe {}", from.expose()),
        Work::CheckCandidate { lost, quality, conversation } => {
            format!("check candidate {} {quality:?} {}", lost.attempt.0, conversation.id.as_str())
        }
        Work::FindRecorded(ids) => {
            format!("find recorded {}", ids.iter().map(ConversationId::as_str).collect::<Vec<_>>().join(" "))
        }
        Work::FindUnexplained(rows) => format!("find unexplained {}", rows.len()),
        Work::FindUnrecorded(calls) => format!("find unrecorded {}", calls.len()),
        Work::TakeOver { caller_id, calls, .. } => format!("take over {} of {}", calls.len(), caller_id.from.expose()),
    }
}

fn without(locations: &[crate::ids::Location]) -> String {
    if locations.is_empty() {
        return String::new();
    }
    let names: Vec<_> = locations.iter().map(ToString::to_string).collect();
    format!(" without {}", names.join(" "))
}
