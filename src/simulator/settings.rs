//! The simulator's settings: everything that the contract leaves open, and everything that can go wrong.

use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use secrecy::SecretString;

use crate::phone::E164;
use crate::zone::Zone;

use super::bot_style::BotStyle;
use super::fault::Fault;
use super::medium::SimulatedMedium;
use super::people::{People, Weights};
use super::rules::VendorRules;
use super::webhook::Webhook;

/// Everything about one simulated organisation except its clock and address. By default it keeps the contract and no
/// fault happens.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Decides every person's behaviour, every id and every fault.
    pub seed: u64,
    /// Gives organisations with the same seed different ids.
    pub name: String,
    /// The calling rules. The default time zone is America/Chicago.
    pub rules: VendorRules,
    /// The HTTP status of each refusal.
    pub statuses: Statuses,
    /// The organisation's caller ids. Empty: any number may call, and is listed after its first call.
    pub from_numbers: Vec<E164>,
    /// Numbers of the organisation without outbound calls.
    pub inbound_numbers: Vec<E164>,
    /// A sandbox's allow-list: the only numbers that may be called. `None`: not a sandbox.
    pub allow_list: Option<Vec<E164>>,
    /// The behaviour of people without a script.
    pub weights: Weights,
    /// Scripts of individual people.
    pub people: People,
    /// How long an ended conversation stays `CLOSING`, on the simulator's clock: 20 s.
    pub closing: TimeDelta,
    /// The behaviour of the conversation list.
    pub list: ListHabits,
    /// The form of responses.
    pub wording: Wording,
    /// The request budget.
    pub budget: BudgetRules,
    /// The accepted credentials.
    pub access: AccessRules,
    /// What goes wrong, and how often.
    pub faults: Vec<Fault>,
    /// Numbers that are refused regardless of the rules.
    pub refused: Vec<RefusedNumber>,
    /// Latency, timing of network faults, and keep-alive.
    pub network: Network,
    /// Where deliveries about conversations go: none.
    pub webhook: Option<Webhook>,
    /// The call log: one JSON line per placed call, written before the response leaves. An existing log is replayed.
    pub log: Option<PathBuf>,
    /// The call log is replayed and not written: for reads beside a process that writes it.
    pub replays_only: bool,
}

/// A number that the vendor refuses to call, with the refusal's status and message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedNumber {
    /// The number; every number if not given.
    pub to: Option<E164>,
    /// The status of the refusal, 400 to 499.
    pub status: u16,
    /// The refusal's message.
    pub message: String,
}

/// The text is not `NUMBER=STATUS:MESSAGE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a refusal is NUMBER=STATUS:MESSAGE, such as +13125550123=403:landlines are not supported; any=… refuses every number"
)]
pub struct RefusalParseError;

impl RefusedNumber {
    /// Parses `NUMBER=STATUS:MESSAGE`; the number `any` stands for every number.
    pub fn parse(text: &str) -> Result<Self, RefusalParseError> {
        let (to, refusal) = text.split_once('=').ok_or(RefusalParseError)?;
        let (status, message) = refusal.split_once(':').unwrap_or((refusal, ""));
        let to = match to.trim() {
            "any" => None,
            number => Some(E164::parse(number).map_err(|_| RefusalParseError)?),
        };
        let status =
            status.trim().parse().ok().filter(|status| (400..500).contains(status)).ok_or(RefusalParseError)?;
        Ok(Self { to, status, message: message.trim().to_owned() })
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            name: String::new(),
            rules: VendorRules::documented(Zone::named("America/Chicago").expect("the bundled database has Chicago")),
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
            replays_only: false,
        }
    }
}

/// The HTTP status of each refusal, which the contract leaves open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses {
    /// A field is invalid: 400.
    pub malformed: u16,
    /// The caller id has no outbound calls: 403.
    pub from_number: u16,
    /// The number is not on the allow-list: 422.
    pub not_allowed: u16,
    /// Outside the legal hours: 422.
    pub outside_hours: u16,
    /// Too soon, or too often in 7 or 30 days: 422.
    pub over_cap: u16,
    /// In a cool-down: 422.
    pub cooling_down: u16,
    /// Too many calls in progress: 429.
    pub concurrent_calls: u16,
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
            concurrent_calls: 429,
        }
    }
}

/// The behaviour of `GET /conversations`.
#[derive(Debug, Clone, PartialEq)]
pub struct ListHabits {
    /// The order of rows: newest first.
    pub order: ConversationOrder,
    /// Neighbouring rows that started within this time of each other are swapped: 0.
    pub inversions: TimeDelta,
    /// How long after its start a conversation appears in the list, on the simulator's clock: 0.
    pub lag: TimeDelta,
    /// Conversations of other software in the same organisation: none.
    pub foreign: Vec<ForeignTraffic>,
    /// The value of `totalCount`: the true count.
    pub total: Total,
    /// How `offset` is handled: it is honoured.
    pub offset: Offset,
    /// The most rows on a page, whatever `limit` asks for: 100.
    pub page_cap: u32,
    /// A page with the row at this position fails: none.
    pub failing_at: Option<u64>,
    /// Whether every page ends with a row of an old conversation: no.
    pub stray: bool,
    /// Whether some rows appear twice on a page: no.
    pub duplicates: bool,
    /// The field that some rows lack: none.
    pub gaps: Option<Gaps>,
}

impl Default for ListHabits {
    fn default() -> Self {
        Self {
            order: ConversationOrder::NewestFirst,
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

/// The order of the conversation list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConversationOrder {
    /// By start, descending.
    NewestFirst,
    /// By start, ascending.
    OldestFirst,
    /// An order that a client cannot predict.
    Unordered,
}

/// The value of `totalCount`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// The true count.
    True,
    /// The field is missing.
    Missing,
    /// The number of rows on the page.
    OfThePage,
    /// The true count, but at most this.
    Capped(u64),
    /// The true count less this.
    Stale(u64),
    /// Twice the true count.
    TooHigh,
}

/// How `offset` is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offset {
    /// The page starts there, and the response repeats it.
    Honoured,
    /// The page starts there, but the response does not repeat it.
    NotEchoed,
    /// The page starts there, but the response says 0.
    EchoedAsZero,
    /// Every page starts at 0.
    Ignored,
}

/// A field that a row may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowField {
    /// `conversationId`.
    Id,
    /// `fromNumber`.
    From,
    /// `toNumber`.
    To,
    /// `startTime`.
    Start,
}

/// A field that some conversations lack, always the same ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gaps {
    /// The field.
    pub field: RowField,
    /// The percentage of conversations that lack it.
    pub percent: u32,
    /// Whether it is missing even after the conversation is closed.
    pub for_good: bool,
}

/// Other software, or a person, that starts conversations in the same organisation. They are in the list but not in the
/// call log, and do not count towards the caps.
#[derive(Debug, Clone, PartialEq)]
pub struct ForeignTraffic {
    /// One conversation starts in each span of this length, at least 1 s.
    pub every: TimeDelta,
    /// The number of conversations before the simulator started, at most 10,000.
    pub backlog: u32,
    /// The number that it calls or texts from.
    pub from: E164,
    /// The numbers that it calls or texts. Empty: fictitious ones.
    pub to: Vec<E164>,
    /// The medium of its conversations.
    pub medium: SimulatedMedium,
}

/// The form of responses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// The `medium` of a voice call: `VOICE`. Empty: it has none.
    pub voice_medium: String,
    /// Whether numbers are written as `(312) 555-0142`: no.
    pub national_numbers: bool,
    /// The `Date` header: the current time.
    pub date: Dates,
    /// Whether responses have fields beyond the contract, which the vendor may add at any time: yes.
    pub odd_fields: bool,
    /// The form of a field that has no value yet: null.
    pub unfinished: Unfinished,
    /// The unit of `duration`: seconds.
    pub duration: DurationUnit,
    /// The style of tags, and with it summaries in many phrasings: the same few words for each behaviour.
    pub bot_style: Option<BotStyle>,
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
            bot_style: None,
        }
    }
}

/// The `Date` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dates {
    /// The current time.
    True,
    /// The header is missing.
    Missing,
    /// An hour ago in every n-th response, as from a proxy's cache; otherwise the current time.
    StaleEvery(u64),
    /// The current time plus this many seconds.
    Off(i64),
}

/// The form of a field that has no value yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfinished {
    /// `null`.
    Null,
    /// The field is missing.
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
    /// Requests per window: 60.
    pub requests: u32,
    /// The window's length on the simulator's clock, at least 1 s: 60 s.
    pub window: TimeDelta,
    /// Requests per window by other software, evenly spread: 0.
    pub used_by_others: u32,
    /// The form of `Retry-After` in a 429: seconds.
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

/// The accepted credentials.
#[derive(Debug, Clone)]
pub struct AccessRules {
    /// The accepted API keys; `None`: any bearer token.
    pub keys: Option<Vec<SecretString>>,
    /// The accepted OAuth clients; `None`: any client.
    pub clients: Option<Vec<OAuthClient>>,
    /// The lifetime of a token on the simulator's clock: 24 h.
    pub expires_in: TimeDelta,
}

impl Default for AccessRules {
    fn default() -> Self {
        Self { keys: None, clients: None, expires_in: TimeDelta::hours(24) }
    }
}

impl AccessRules {
    /// Accepts these keys, and OAuth clients that use one of them as both id and secret.
    #[must_use]
    pub fn from_keys(keys: &[String]) -> Self {
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

/// The network. All durations are in real time, whatever the simulator's clock does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// The delay of every response: 0.
    pub latency: Duration,
    /// The pause before each byte of a slow body: 50 ms.
    pub slow_body_pause: Duration,
    /// How long connections are refused after a `refuse` fault: 100 ms.
    pub refuse_for: Duration,
    /// Whether a connection may carry more than one request: no.
    pub keep_alive: bool,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            slow_body_pause: Duration::from_millis(50),
            refuse_for: Duration::from_millis(100),
            keep_alive: false,
        }
    }
}
