//! Unusual answers of the vendor, drawn from the seed: refusals of every kind, rejected credentials, one conversation id for
//! two calls, undocumented statuses. [`RefusalStreaks`] checks the consequence: no run ends for a refusal that fewer than
//! three patients in a row have met.

use std::collections::{BTreeMap, HashSet};

use callrounds::engine::{Event, StopReason};
use callrounds::entry::{Reason, State};
use callrounds::ids::ConversationId;
use callrounds::ledger::StateCounts;
use callrounds::phone::E164;
use callrounds::vendor::annie::reply;
use callrounds::vendor::{CallRequest, Concern, NotPlaced, ReadError, Reply};
use chrono::{DateTime, TimeDelta, Utc};

use crate::support::seeded_rng::SeededRng;

/// How often the vendor's answers are unusual.
#[derive(Clone)]
pub struct OddResponses {
    /// Percentage of calls refused for their destination.
    pub destinations: u32,
    /// Percentage of calls refused for the vendor's cap.
    pub caps: u32,
    /// Percentage of calls refused without a known reason.
    pub unexplained: u32,
    /// Until then, every call is refused for the account.
    pub account_until: Option<DateTime<Utc>>,
    /// Percentage of calls whose token, the newest, is rejected.
    pub rejected_tokens: u32,
    /// Percentage of calls whose token has been replaced since.
    pub stale_tokens: u32,
    /// Percentage of calls answered with the id of an earlier call's conversation, which is in the ledger by then.
    pub repeated_ids: u32,
    /// Percentage of conversations that end with an undocumented status.
    pub statuses: u32,
    /// A page of more conversations than this exceeds the client's size limit.
    pub max_page_rows: usize,
}

const DESTINATIONS: [(u16, &str); 6] = [
    (400, r#"{"success":false,"message":"toNumber is not a valid number"}"#),
    (403, r#"{"success":false,"message":"Recipient is on the do-not-call registry"}"#),
    (404, r#"{"error":{"message":"destination not found"}}"#),
    (405, r#"{"message":"calls to landlines are not allowed"}"#),
    (415, r#"{"message":"this country is not supported"}"#),
    (422, r#"{"code":21211,"message":"no"}"#),
];

const UNEXPLAINED: [(u16, &str); 4] =
    [(400, r#"{"message":"Bad Request"}"#), (403, ""), (404, "<html>not here</html>"), (405, r#"{"message":"no"}"#)];

impl OddResponses {
    pub fn drawn(rng: &mut SeededRng, start: DateTime<Utc>) -> Self {
        let is_odd = rng.chance(50);
        let mut some = |shares: &[u32]| if is_odd { rng.pick(shares) } else { 0 };
        let (destinations, caps, unexplained) = (some(&[0, 0, 5, 30]), some(&[0, 0, 5]), some(&[0, 0, 5, 30]));
        let (rejected_tokens, stale_tokens) = (some(&[0, 0, 3]), some(&[0, 10, 40]));
        let repeated_ids = some(&[0, 0, 5, 20]);
        let statuses = some(&[0, 30, 100]);
        let max_page_rows = if some(&[0, 0, 1]) == 1 { 30 } else { 100 };
        let is_blocked = some(&[0, 0, 0, 1]) == 1;
        let account_until = is_blocked.then(|| start + rng.up_to(TimeDelta::hours(30)));
        Self {
            destinations,
            caps,
            unexplained,
            account_until,
            rejected_tokens,
            stale_tokens,
            repeated_ids,
            statuses,
            max_page_rows,
        }
    }

    /// The vendor's reply if it refuses the call.
    pub fn refusal(&self, call: &CallRequest, now: DateTime<Utc>, rng: &mut SeededRng) -> Option<Reply> {
        let reply_to = |(status, body): (u16, &str)| Some(reply::from_response(status, Ok(body.as_bytes()), call));
        if rng.chance(self.stale_tokens) {
            return Some(Reply::NotPlaced(NotPlaced::StaleToken));
        }
        if rng.chance(self.rejected_tokens) {
            return reply_to((401, ""));
        }
        if self.account_until.is_some_and(|until| now < until) {
            return reply_to((402, r#"{"message":"the monthly limit of this account is reached"}"#));
        }
        if rng.chance(self.destinations) {
            return reply_to(rng.pick(&DESTINATIONS));
        }
        if rng.chance(self.unexplained) {
            return reply_to(rng.pick(&UNEXPLAINED));
        }
        if rng.chance(self.caps) {
            return reply_to((422, r#"{"message":"at least 24 hours between attempts"}"#));
        }
        None
    }
}

/// The errors that a read may end with, network errors included.
pub const READS: [ReadError; 8] = [
    ReadError::Unreachable,
    ReadError::RateLimited,
    ReadError::Status(500),
    ReadError::Unreadable,
    ReadError::NoAnswer,
    ReadError::WebPage(503),
    ReadError::Status(404),
    ReadError::Unauthorised(403),
];

/// The refusals in a row since the program started, in the order of its answers.
#[derive(Default)]
pub struct RefusalStreaks {
    by_number: BTreeMap<E164, Vec<String>>,
    account: Vec<String>,
    given: HashSet<ConversationId>,
}

impl RefusalStreaks {
    /// Forgets the refusals: the program has started again.
    pub fn reset(&mut self) {
        (self.by_number, self.account) = (BTreeMap::new(), Vec::new());
    }

    /// Records an answer that has reached the program.
    pub fn note(&mut self, call: &CallRequest, reply: &Reply) {
        let key = call.content.patient.patient_id.clone().unwrap_or_default();
        match reply {
            Reply::Accepted(id) if self.given.insert(id.clone()) => {
                self.by_number.remove(&call.from);
                self.account.clear();
            }
            Reply::NotPlaced(NotPlaced::Refused(refused)) => match refused.concern {
                Concern::Account => {
                    self.account.push(key.clone());
                    self.by_number.entry(call.from).or_default().push(key);
                }
                Concern::CallerId | Concern::Unknown => self.by_number.entry(call.from).or_default().push(key),
                Concern::Destination
                | Concern::Content
                | Concern::Cap
                | Concern::Credentials
                | Concern::Hours
                | Concern::RateLimit
                | Concern::ConcurrentCalls => {}
            },
            Reply::Accepted(_) | Reply::NotPlaced(_) | Reply::Lost(_) => {}
        }
    }

    /// Whether a run may end with this stop reason: three different patients in a row were refused, or one of them twice, or
    /// no untried patient is left.
    pub fn allow(&self, ending: &StopReason, census: &StateCounts) -> bool {
        let StopReason::RefusedInARow { .. } = ending else { return true };
        let enough = |row: &Vec<String>| {
            let different: HashSet<_> = row.iter().collect();
            different.len() >= 3 || different.len() < row.len()
        };
        let untried = census.count(|group| group.state == State::Ready && group.reason.is_none());
        self.by_number.values().chain([&self.account]).any(enough) || untried == 0
    }
}

/// How often a seed had each kind of unusual answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OddResponseCounts {
    pub destinations: u64,
    pub caps: u64,
    pub unexplained: u64,
    pub account: u64,
    pub credentials: u64,
    pub repeated_ids: u64,
    pub pauses: u64,
    pub outages: u64,
    pub in_a_row: u64,
}

impl OddResponseCounts {
    pub fn on_event(&mut self, event: &Event) {
        match event {
            Event::Refused { .. } => self.destinations += 1,
            Event::NotPlaced { reason: Reason::VendorCap, .. } => self.caps += 1,
            Event::NotPlaced { reason: Reason::RefusedUnexplained, .. } => self.unexplained += 1,
            Event::NotPlaced { reason: Reason::AccountRefused, .. } => self.account += 1,
            Event::NotPlaced { reason: Reason::Unauthorised, .. } => self.credentials += 1,
            Event::AnswerLost { because, .. } if because.contains("another call") => self.repeated_ids += 1,
            Event::Paused { reason: Reason::AnswersLost, .. } => self.pauses += 1,
            Event::OutageBegan { .. } => self.outages += 1,
            Event::Stopping { why, .. } if why.contains("refuses") => self.in_a_row += 1,
            Event::Started { .. }
            | Event::Dialling { .. }
            | Event::Accepted { .. }
            | Event::NotPlaced { .. }
            | Event::AnswerLost { .. }
            | Event::Adopted { .. }
            | Event::TakenOver { .. }
            | Event::Absent { .. }
            | Event::Ended { .. }
            | Event::TrackLost { .. }
            | Event::SetAside { .. }
            | Event::LineRefused { .. }
            | Event::Paused { .. }
            | Event::OutageEnded { .. }
            | Event::Resting { .. }
            | Event::Stopping { .. } => {}
        }
    }

    pub fn add(&mut self, other: Self) {
        for ((_, mine), (_, theirs)) in self.all_mut().into_iter().zip(other.all()) {
            *mine += theirs;
        }
    }

    pub fn all(mut self) -> Vec<(&'static str, u64)> {
        self.all_mut().into_iter().map(|(what, times)| (what, *times)).collect()
    }

    fn all_mut(&mut self) -> [(&'static str, &mut u64); 9] {
        [
            ("refused destinations", &mut self.destinations),
            ("vendor's caps", &mut self.caps),
            ("refusals without a known reason", &mut self.unexplained),
            ("refusals of the account", &mut self.account),
            ("rejected credentials", &mut self.credentials),
            ("repeated conversation ids", &mut self.repeated_ids),
            ("pauses after lost answers", &mut self.pauses),
            ("outages", &mut self.outages),
            ("refusals in a row that stopped a run", &mut self.in_a_row),
        ]
    }
}
