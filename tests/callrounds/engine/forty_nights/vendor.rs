//! The vendor that a story plays: each number's n-th request brings what the story says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use callrounds::clock::SharedClock;
use callrounds::entry::{Doubt, Outcome, OutcomeSignals};
use callrounds::ids::ConversationId;
use callrounds::outcome::OutcomeRules;
use callrounds::phone::E164;
use callrounds::vendor::{
    CallRequest, Concern, Conversation, LostAnswer, Medium, NotPlaced, Page, ReadError, Refused, Reply, Response,
    Status, Vendor,
};
use chrono::{DateTime, TimeDelta, Utc};

use super::calendar::Number;
use super::story::{self, CallResult, Story};

/// How long a conversation lasts.
const LENGTH: TimeDelta = TimeDelta::minutes(2);

/// The vendor of a story.
pub(super) struct StoryVendor {
    clock: SharedClock,
    story: Arc<Story>,
    state: Mutex<VendorState>,
}

#[derive(Default)]
struct VendorState {
    /// What each request brought, by number.
    results: HashMap<E164, Vec<CallResult>>,
    /// Each conversation with its start.
    conversations: Vec<(Conversation, DateTime<Utc>)>,
}

impl StoryVendor {
    pub(super) fn new(clock: SharedClock, story: Arc<Story>) -> Self {
        Self { clock, story, state: Mutex::default() }
    }

    /// What the number's `nth` request (from 0) brought.
    pub(super) fn result(&self, to: E164, nth: usize) -> CallResult {
        self.state().results[&to][nth]
    }

    fn answer<T>(&self, value: T) -> Response<T> {
        Response { date: Some(self.clock.now()), ..Response::bare(value) }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, VendorState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The conversation as the list shows it now.
    fn shown(&self, (conversation, started): &(Conversation, DateTime<Utc>)) -> Conversation {
        let ends = *started + LENGTH;
        if ends <= self.clock.now() {
            return Conversation { ended: Some(ends), status: Status::Closed, ..conversation.clone() };
        }
        Conversation { signals: OutcomeSignals::default(), status: Status::Open, ..conversation.clone() }
    }
}

impl Vendor for StoryVendor {
    async fn place(&self, call: CallRequest) -> Response<Reply> {
        let now = self.clock.now();
        let mut state = self.state();
        let results = state.results.entry(call.to).or_default();
        let result = self.story.call_result(digits(call.to), &[], results.len() as u32 + 1);
        results.push(result);
        #[allow(clippy::wildcard_enum_match_arm, reason = "all others are outcomes of a conversation")]
        let reply = match result {
            CallResult::Refused => Reply::NotPlaced(NotPlaced::Refused(Refused {
                status: 422,
                concern: Concern::Destination,
                message: "landlines are not supported".into(),
            })),
            CallResult::AnswerLost => Reply::Lost(LostAnswer::Broken),
            result => {
                let id = ConversationId::new(format!("c-{}", state.conversations.len()));
                let conversation = Conversation {
                    id: id.clone(),
                    medium: Medium::read(Some("VOICE")),
                    from: Some(call.from),
                    to: Some(call.to),
                    started: Some(now),
                    ended: None,
                    status: Status::Open,
                    signals: signals(result),
                };
                state.conversations.push((conversation, now));
                Reply::Accepted(id)
            }
        };
        drop(state);
        self.answer(reply)
    }

    /// Newest first.
    async fn page(&self, offset: u64, limit: u32) -> Response<Result<Page, ReadError>> {
        let state = self.state();
        let rows = state.conversations.iter().rev().skip(offset as usize).take(limit.min(100) as usize);
        let conversations = rows.map(|row| self.shown(row)).collect();
        let total = Some(state.conversations.len() as u64);
        drop(state);
        self.answer(Ok(Page { conversations, rows_without_id: Vec::new(), total }))
    }

    async fn conversation(&self, id: &ConversationId) -> Response<Result<Conversation, ReadError>> {
        let state = self.state();
        let found = state.conversations.iter().find(|(one, _)| one.id == *id).map(|row| self.shown(row));
        drop(state);
        self.answer(found.ok_or(ReadError::NotFound))
    }

    async fn may_call_from(&self, _from: E164) -> Response<Result<Option<bool>, ReadError>> {
        self.answer(Ok(Some(true)))
    }
}

/// What a conversation of this result carries.
fn signals(result: CallResult) -> OutcomeSignals {
    let summaries = [
        (CallResult::PossibleOptOut, "Said something like \"no more\" and hung up."),
        (CallResult::VoicemailInDoubt, "Left a voicemail. The greeting asks how to opt out."),
        (CallResult::PossiblyDeceased, "Her son pointed to the obituary."),
    ];
    let summary = summaries.into_iter().find(|(of, _)| *of == result).map(|(_, summary)| summary);
    OutcomeSignals { tags: vec![tag(result).into()], summary: summary.map(str::to_owned), ..OutcomeSignals::default() }
}

fn tag(result: CallResult) -> &'static str {
    match result {
        CallResult::NoAnswer => "no-answer",
        CallResult::Busy => "busy",
        CallResult::LeftVoicemail | CallResult::VoicemailInDoubt => "left-voicemail",
        CallResult::Booked => "booked",
        CallResult::Confirmed => "confirmed",
        CallResult::RescheduleRequested => "reschedule-requested",
        CallResult::Declined => "declined",
        CallResult::CallbackRequested => "callback-requested",
        CallResult::OptOut => "opt-out",
        CallResult::WrongNumber => "wrong-number",
        CallResult::InvalidNumber => "invalid-number",
        CallResult::DeceasedOrMoved => "deceased-or-moved",
        CallResult::ReachedOther => "reached-other",
        CallResult::PossibleOptOut | CallResult::PossiblyDeceased | CallResult::Unclassified => "nothing-known",
        CallResult::Refused | CallResult::AnswerLost => "no-conversation",
    }
}

/// The outcome of a conversation of this result; `None`: there is no conversation.
pub(super) fn outcome(result: CallResult) -> Option<Outcome> {
    let named = Outcome::ALL.iter().copied().find(|outcome| outcome.name().replace('_', "-") == tag(result));
    let is_conversation = !matches!(result, CallResult::Refused | CallResult::AnswerLost);
    named.or(is_conversation.then_some(Outcome::Unclassified))
}

pub(super) fn digits(number: E164) -> Number {
    number.expose().trim_start_matches('+').parse().expect("digits")
}

pub(super) fn number(digits: Number) -> E164 {
    E164::parse(&story::e164(digits)).expect("a number of a story")
}

#[test]
fn what_is_said_in_doubt_is_taken_for_what_the_story_says() {
    let rules = OutcomeRules { own: Vec::new(), has_built_in: true };
    for (result, doubt) in [
        (CallResult::PossibleOptOut, Doubt::PossibleOptOut),
        (CallResult::PossiblyDeceased, Doubt::PossiblyDeceased),
        (CallResult::VoicemailInDoubt, Doubt::PossibleOptOut),
    ] {
        let taken_for = rules.classify(&signals(result));
        assert_eq!((Some(taken_for.outcome), taken_for.doubt), (outcome(result), Some(doubt)), "{result:?}");
    }
}
