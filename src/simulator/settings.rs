//! How this vendor behaves: everything that the contract leaves open, and everything that can go wrong.

use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use secrecy::SecretString;

use crate::phone::E164;
use crate::zone::Zone;

use super::conversation::Medium;
use super::fault::Fault;
use super::people::{People, Weights};
use super::rules::Rules;
use super::webhook::Webhook;

/// Everything about a simulator but its clock and its address. The default is a polite, friendly vendor.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Decides everybody's behaviour, every id and every fault.
    pub seed: u64,
    /// Tells organisations of the same seed apart: no two ids of theirs are the same.
    pub name: String,
    /// When and how often a number may be called. The default zone is America/Chicago.
    pub rules: Rules,
    /// The status of each refusal.
    pub statuses: Statuses,
    /// The organisation's outbound numbers. Empty: any number may call, and is listed once it has.
    pub from_numbers: Vec<E164>,
    /// Numbers of the organisation that may not call out.
    pub inbound_numbers: Vec<E164>,
    /// The only numbers that may be called, if the organisation is a sandbox.
    pub allow_list: Option<Vec<E164>>,
    /// How people without a script behave.
    pub weights: Weights,
    /// Scripts of single people.
    pub people: People,
    /// How long an ended conversation stays `CLOSING`, in the simulator's time: 20 s.
    pub closing: TimeDelta,
    /// How the conversation list behaves.
    pub list: ListHabits,
    /// How answers are worded.
    pub wording: Wording,
    /// The request budget.
    pub budget: BudgetRules,
    /// Who may ask.
    pub access: AccessRules,
    /// What goes wrong, and how often.
    pub faults: Vec<Fault>,
    /// Whom it does not call, whatever its rules say.
    pub refused: Vec<RefusedNumber>,
    /// What the network is like.
    pub network: Network,
    /// Where it delivers what becomes of calls: nowhere.
    pub webhook: Option<Webhook>,
    /// Where placed calls are written, one JSON line each, before their answers leave. One that exists already is
    /// replayed.
    pub log: Option<PathBuf>,
}

/// A number that this vendor refuses to call, in words of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedNumber {
    /// The number; every number if not given.
    pub to: Option<E164>,
    /// The status of the refusal, 400 to 499.
    pub status: u16,
    /// Its message.
    pub message: String,
}

/// A text is not `NUMBER=STATUS:message`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a refusal is NUMBER=STATUS:MESSAGE, such as +13125550123=403:landlines are not supported; any=… refuses everybody"
)]
pub struct NotARefusal;

impl RefusedNumber {
    /// Reads `NUMBER=STATUS:message`; `any` is every number.
    pub fn parse(text: &str) -> Result<Self, NotARefusal> {
        let (to, said) = text.split_once('=').ok_or(NotARefusal)?;
        let (status, message) = said.split_once(':').unwrap_or((said, ""));
        let to = match to.trim() {
            "any" => None,
            number => Some(E164::parse(number).map_err(|_| NotARefusal)?),
        };
        let status = status.trim().parse().ok().filter(|status| (400..500).contains(status)).ok_or(NotARefusal)?;
        Ok(Self { to, status, message: message.trim().to_owned() })
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            name: String::new(),
            rules: Rules::documented(Zone::named("America/Chicago").expect("the bundled database has Chicago")),
            statuses: Statuses::default(),
            from_numbers: Vec::new(),
            inbound_numbers: Vec::new(),
            allow_list: None,
            weights: Weights::default(),
            people: People::default(),
            closing: TimeDelta::seconds(20),
            list: ListHabits::default(),
            wording: Wording::default(),
            budget: BudgetRules::default(),
            access: AccessRules::default(),
            faults: Vec::new(),
            refused: Vec::new(),
            network: Network::default(),
            webhook: None,
            log: None,
        }
    }
}

/// The HTTP status of each refusal, which the contract leaves open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses {
    /// A field is wrong: 400.
    pub malformed: u16,
    /// The from-number may not call: 403.
    pub from_number: u16,
    /// The number is not on the allow-list: 422.
    pub not_allowed: u16,
    /// Outside the legal hours: 422.
    pub outside_hours: u16,
    /// Too soon, or too often in 7 or 30 days: 422.
    pub over_cap: u16,
    /// In a cool-down: 422.
    pub cooling_down: u16,
}

impl Default for Statuses {
    fn default() -> Self {
        Self {
            malformed: 400,
            from_number: 403,
            not_allowed: 422,
            outside_hours: 422,
            over_cap: 422,
            cooling_down: 422,
        }
    }
}

/// How the conversation list behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct ListHabits {
    /// Which end comes first: the newest.
    pub order: Order,
    /// Neighbours that began within so much of each other come in the wrong order: 0.
    pub inversions: TimeDelta,
    /// A conversation appears in the list only so long after its start, in the simulator's time: 0.
    pub lag: TimeDelta,
    /// Conversations of other software in the same organisation: none.
    pub foreign: Vec<Foreign>,
    /// What `totalCount` says: the truth.
    pub total: Total,
    /// What becomes of `offset`: it is honoured.
    pub offset: Offset,
    /// Pages have at most so many rows, whatever was asked for: 100.
    pub page_cap: u32,
    /// No page that shows the row at this position can be had: none.
    pub failing_at: Option<u64>,
    /// Whether the last row of every page is one of long ago: no.
    pub stray: bool,
    /// Whether some rows come twice on a page: no.
    pub duplicates: bool,
    /// What some rows lack: nothing.
    pub gaps: Option<Gaps>,
}

impl Default for ListHabits {
    fn default() -> Self {
        Self {
            order: Order::NewestFirst,
            inversions: TimeDelta::zero(),
            lag: TimeDelta::zero(),
            foreign: Vec::new(),
            total: Total::True,
            offset: Offset::Honoured,
            page_cap: 100,
            failing_at: None,
            stray: false,
            duplicates: false,
            gaps: None,
        }
    }
}

/// Which end of the list comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By start, falling.
    NewestFirst,
    /// By start, rising.
    OldestFirst,
    /// By nothing that a client could know.
    Unordered,
}

/// What `totalCount` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// How many conversations there are.
    True,
    /// Nothing.
    Missing,
    /// How many rows the page has.
    OfThePage,
    /// How many there are, but never more than so many.
    Capped(u64),
    /// How many there were so many ago.
    Stale(u64),
    /// Twice as many as there are.
    TooHigh,
}

/// What becomes of `offset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offset {
    /// The page begins there.
    Honoured,
    /// The same, but the answer does not repeat it.
    NotEchoed,
    /// The same, but the answer says 0.
    EchoedAsZero,
    /// Every page begins at 0.
    Ignored,
}

/// A field that a row may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// `conversationId`.
    Id,
    /// `fromNumber`.
    From,
    /// `toNumber`.
    To,
    /// `startTime`.
    Start,
}

/// What some conversations lack, always the same ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gaps {
    /// The field.
    pub field: Field,
    /// Of a hundred conversations, how many lack it.
    pub percent: u32,
    /// Also once they are closed.
    pub for_good: bool,
}

/// Other software, or a person, that begins conversations in the same organisation. They are in the list, not in the log,
/// and do not count for the caps.
#[derive(Debug, Clone, PartialEq)]
pub struct Foreign {
    /// One in each span of this length, at least 1 s.
    pub every: TimeDelta,
    /// How many there were before the simulator started, at most 10,000.
    pub backlog: u32,
    /// The number that it calls or writes from.
    pub from: E164,
    /// The numbers that it calls or writes to. Empty: fictitious ones.
    pub to: Vec<E164>,
    /// What its conversations are made of.
    pub medium: Medium,
}

/// How answers are worded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// The `medium` of a voice call: `VOICE`. Empty: it has none.
    pub voice_medium: String,
    /// Whether numbers are written as `(312) 555-0142`: no.
    pub national_numbers: bool,
    /// What `Date` says: the time.
    pub date: Dates,
    /// Whether answers carry fields that the contract does not have, as it may at any time: yes.
    pub odd_fields: bool,
    /// What stands for a field that a conversation does not have yet: null.
    pub unfinished: Unfinished,
    /// The unit of `duration`: seconds.
    pub duration: DurationUnit,
}

impl Default for Wording {
    fn default() -> Self {
        Self {
            voice_medium: "VOICE".into(),
            national_numbers: false,
            date: Dates::True,
            odd_fields: true,
            unfinished: Unfinished::Null,
            duration: DurationUnit::Seconds,
        }
    }
}

/// What `Date` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dates {
    /// The time.
    True,
    /// Nothing: there is no such header.
    Missing,
    /// An hour ago in each so-manieth answer, as a proxy's: else the time.
    StaleEvery(u64),
    /// Always so many seconds off.
    Off(i64),
}

/// What stands for a field that a conversation does not have yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfinished {
    /// `null`.
    Null,
    /// Nothing: the field is missing.
    Missing,
}

/// The unit of `duration`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DurationUnit {
    /// 1 s.
    Seconds,
    /// 1 ms.
    Milliseconds,
}

/// The request budget: a fixed window over all endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetRules {
    /// Requests in a window: 60.
    pub requests: u32,
    /// The window's length in the simulator's time, at least 1 s: 60 s.
    pub window: TimeDelta,
    /// Requests in a window that other software makes, evenly: 0.
    pub used_by_others: u32,
    /// What a 429 says of when to come back: seconds.
    pub retry_after: RetryAfter,
}

impl Default for BudgetRules {
    fn default() -> Self {
        Self { requests: 60, window: TimeDelta::seconds(60), used_by_others: 0, retry_after: RetryAfter::Seconds }
    }
}

/// The form of `Retry-After`, which the contract leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// No such header.
    Absent,
    /// `17`.
    Seconds,
    /// `Tue, 24 Nov 2026 15:00:00 GMT`.
    HttpDate,
    /// `soon`.
    Garbage,
}

/// Who may ask.
#[derive(Debug, Clone)]
pub struct AccessRules {
    /// The API keys that are accepted; any bearer token if not given.
    pub keys: Option<Vec<SecretString>>,
    /// The OAuth clients that are accepted; any if not given.
    pub clients: Option<Vec<OAuthClient>>,
    /// How long a token lasts, in the simulator's time: 24 h.
    pub expires_in: TimeDelta,
}

impl Default for AccessRules {
    fn default() -> Self {
        Self { keys: None, clients: None, expires_in: TimeDelta::hours(24) }
    }
}

impl AccessRules {
    /// Accepts these keys, and OAuth clients whose id and secret are one of them.
    #[must_use]
    pub fn of_keys(keys: &[String]) -> Self {
        let secret = |key: &String| SecretString::from(key.as_str());
        let client = |key: &String| OAuthClient { id: key.clone(), secret: secret(key) };
        Self {
            keys: Some(keys.iter().map(secret).collect()),
            clients: Some(keys.iter().map(client).collect()),
            ..Self::default()
        }
    }
}

/// An OAuth client's credentials.
#[derive(Debug, Clone)]
pub struct OAuthClient {
    /// `client_id`.
    pub id: String,
    /// `client_secret`.
    pub secret: SecretString,
}

/// What the network is like. These are real durations, whatever the simulator's clock does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// How long every answer takes: 0.
    pub latency: Duration,
    /// Between two bytes of a slow body: 50 ms.
    pub dribble: Duration,
    /// How long connections are refused, once they are: 100 ms.
    pub shut: Duration,
    /// Whether a connection may carry more than one request: no.
    pub keep_alive: bool,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            dribble: Duration::from_millis(50),
            shut: Duration::from_millis(100),
            keep_alive: false,
        }
    }
}
