//! Odd answers of the vendor's, drawn from the seed: refusals of every kind, credentials that are turned away, a conversation
//! that is named twice, statuses that nobody documents. And the watch over what may follow from them: no run ends for a
//! refusal that fewer than three patients in a row have met.

use std::collections::{BTreeMap, HashSet};

use callrounds::annie::reply;
use callrounds::annie::{CallRequest, Concern, NotPlaced, Reply, Unread};
use callrounds::engine::{Ending, Event};
use callrounds::entry::{Reason, State};
use callrounds::ids::ConversationId;
use callrounds::ledger::Census;
use callrounds::phone::E164;
use chrono::{DateTime, TimeDelta, Utc};

use super::dice::Dice;

/// How odd the vendor's answers are.
#[derive(Clone)]
pub struct Odd {
    /// Of a hundred calls, how many are refused, by what is named.
    pub destinations: u32,
    pub caps: u32,
    pub unnamed: u32,
    /// Nobody is called on this account until then.
    pub account_until: Option<DateTime<Utc>>,
    /// Of a hundred calls, how many bear a token that is turned away: the newest, or one that has been replaced.
    pub turned_away: u32,
    pub stale: u32,
    /// Of a hundred calls, how many are answered with an earlier call's conversation, which the ledger has by then.
    pub another: u32,
    /// Of a hundred conversations, how many end with a status of the vendor's own.
    pub statuses: u32,
    /// A page of more conversations than this is longer than what is read of an answer.
    pub fits: usize,
}

const DESTINATIONS: [(u16, &str); 6] = [
    (400, r#"{"success":false,"message":"toNumber is not a valid number"}"#),
    (403, r#"{"success":false,"message":"Recipient is on the do-not-call registry"}"#),
    (404, r#"{"error":{"message":"destination not found"}}"#),
    (405, r#"{"message":"calls to landlines are not allowed"}"#),
    (415, r#"{"message":"this country is not supported"}"#),
    (422, r#"{"code":21211,"message":"no"}"#),
];

const UNNAMED: [(u16, &str); 4] =
    [(400, r#"{"message":"Bad Request"}"#), (403, ""), (404, "<html>not here</html>"), (405, r#"{"message":"no"}"#)];

impl Odd {
    pub fn drawn(dice: &mut Dice, start: DateTime<Utc>) -> Self {
        let is_odd = dice.chance(50);
        let mut some = |shares: &[u32]| if is_odd { dice.pick(shares) } else { 0 };
        let (destinations, caps, unnamed) = (some(&[0, 0, 5, 30]), some(&[0, 0, 5]), some(&[0, 0, 5, 30]));
        let (turned_away, stale, another) = (some(&[0, 0, 3]), some(&[0, 10, 40]), some(&[0, 0, 5, 20]));
        let statuses = some(&[0, 30, 100]);
        let fits = if some(&[0, 0, 1]) == 1 { 30 } else { 100 };
        let is_barred = some(&[0, 0, 0, 1]) == 1;
        let account_until = is_barred.then(|| start + dice.some_time(TimeDelta::hours(30)));
        Self { destinations, caps, unnamed, account_until, turned_away, stale, another, statuses, fits }
    }

    /// What the vendor says instead of placing the call.
    pub fn refuses(&self, call: &CallRequest, now: DateTime<Utc>, dice: &mut Dice) -> Option<Reply> {
        let said = |(status, body): (u16, &str)| Some(reply::placed(status, Ok(body.as_bytes()), call));
        if dice.chance(self.stale) {
            return Some(Reply::NotPlaced(NotPlaced::StaleToken));
        }
        if dice.chance(self.turned_away) {
            return said((401, ""));
        }
        if self.account_until.is_some_and(|until| now < until) {
            return said((402, r#"{"message":"the monthly limit of this account is reached"}"#));
        }
        if dice.chance(self.destinations) {
            return said(dice.pick(&DESTINATIONS));
        }
        if dice.chance(self.unnamed) {
            return said(dice.pick(&UNNAMED));
        }
        if dice.chance(self.caps) {
            return said((422, r#"{"message":"at least 24 hours between attempts"}"#));
        }
        None
    }
}

/// What may come instead of a page, beside what the network does.
pub const READS: [Unread; 8] = [
    Unread::Unreachable,
    Unread::RateLimited,
    Unread::Status(500),
    Unread::Unreadable,
    Unread::NoAnswer,
    Unread::WebPage(503),
    Unread::Status(404),
    Unread::Unauthorised(403),
];

/// The refusals in a row of this start of the program, as its answers came.
#[derive(Default)]
pub struct Rows {
    by_number: BTreeMap<E164, Vec<String>>,
    account: Vec<String>,
    given: HashSet<ConversationId>,
}

impl Rows {
    /// The program starts anew.
    pub fn start_anew(&mut self) {
        (self.by_number, self.account) = (BTreeMap::new(), Vec::new());
    }

    /// An answer has come to the program.
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
                Concern::OurNumber | Concern::Unknown => self.by_number.entry(call.from).or_default().push(key),
                Concern::Destination
                | Concern::Content
                | Concern::Cap
                | Concern::Credentials
                | Concern::Hours
                | Concern::Pace => {}
            },
            Reply::Accepted(_) | Reply::NotPlaced(_) | Reply::Lost(_) => {}
        }
    }

    /// Whether a run may have ended so: three different patients in a row, or one twice when nobody else was left; or nobody
    /// is left who has not been tried.
    pub fn allow(&self, ending: &Ending, census: &Census) -> bool {
        let Ending::RefusedInARow { .. } = ending else { return true };
        let enough = |row: &Vec<String>| {
            let different: HashSet<_> = row.iter().collect();
            different.len() >= 3 || different.len() < row.len()
        };
        let untried = census.count(|group| group.state == State::Ready && group.reason.is_none());
        self.by_number.values().chain([&self.account]).any(enough) || untried == 0
    }
}

/// How often a life met each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Met {
    pub destinations: u64,
    pub caps: u64,
    pub unexplained: u64,
    pub account: u64,
    pub credentials: u64,
    pub another: u64,
    pub pauses: u64,
    pub outages: u64,
    pub in_a_row: u64,
}

impl Met {
    pub fn hear(&mut self, event: &Event) {
        match event {
            Event::Refused { .. } => self.destinations += 1,
            Event::NotPlaced { reason: Reason::VendorCap, .. } => self.caps += 1,
            Event::NotPlaced { reason: Reason::RefusedUnexplained, .. } => self.unexplained += 1,
            Event::NotPlaced { reason: Reason::AccountRefused, .. } => self.account += 1,
            Event::NotPlaced { reason: Reason::Unauthorised, .. } => self.credentials += 1,
            Event::AnswerLost { because, .. } if because.contains("another call") => self.another += 1,
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
            ("caps of the vendor's", &mut self.caps),
            ("refusals that name nobody", &mut self.unexplained),
            ("refusals of the account", &mut self.account),
            ("credentials turned away", &mut self.credentials),
            ("conversations named twice", &mut self.another),
            ("pauses after lost answers", &mut self.pauses),
            ("outages", &mut self.outages),
            ("refusals in a row that stopped a run", &mut self.in_a_row),
        ]
    }
}
