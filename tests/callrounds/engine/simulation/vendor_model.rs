//! The vendor's side: the simulator's world with a request budget, faults drawn from the seed, and the oracle, which sees
//! every request. Its state survives every kill of the program.

use std::collections::HashSet;
use std::sync::Arc;

use callrounds::clock::SharedClock;
use callrounds::entry::OutcomeSignals;
use callrounds::ids::ConversationId;
use callrounds::phone::E164;
use callrounds::simulator::budget::SimulatedQuota;
use callrounds::simulator::call::PatientInfoBody;
use callrounds::simulator::conversation::{self, ConversationView};
use callrounds::simulator::medium::SimulatedMedium;
use callrounds::simulator::settings::{Offset, RowField, Total};
use callrounds::simulator::{CallRefusal, ListPage, ListQuery, PlaceCall, World};
use callrounds::vendor::{
    self, CallRequest, Concern, Conversation, LostAnswer, NotPlaced, Page, RateHeaders, ReadError, Reply, Response,
    RowWithoutId, Status,
};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use tokio::sync::Notify;

use super::mailbox::Mailbox;
use super::odd_responses::RefusalStreaks;
use super::oracle::{Oracle, PlacedCall};
use super::plan::{Habits, PROCESSING};
use crate::support::disk::Disk;
use crate::support::seeded_rng::SeededRng;

/// More answers than any campaign takes: beyond it, the program is in a loop.
const MOST_ANSWERS: u64 = 200_000;

/// The age of an answer that a proxy has cached.
const CACHED_FOR: TimeDelta = TimeDelta::hours(1);

/// The vendor, its network's faults, and the kill point of the program.
pub struct VendorModel {
    pub clock: SharedClock,
    pub oracle: Oracle,
    pub habits: Habits,
    pub world: World,
    pub mailbox: Mailbox,
    budget: SimulatedQuota,
    pub rng: SeededRng,
    /// Decides which fields each conversation lacks.
    row_rng: SeededRng,
    /// Conversations that a page has left out once; they are not left out again.
    missed: HashSet<ConversationId>,
    /// The program is killed: it sends nothing more.
    dead: bool,
    /// The program's disk; killing the program stops it too.
    disk: Arc<Disk>,
    kill_point: Option<KillPoint>,
    /// Notified when the kill point is reached.
    pub kill_point_reached: Arc<Notify>,
    /// Its strong count is one more than the number of calls still to be acted on.
    pub under_way: Arc<()>,
    pub requests: u64,
    /// The refusals in a row that the program has received.
    pub refusal_streaks: RefusalStreaks,
    /// The conversation of the newest accepted call.
    newest: Option<ConversationId>,
    answers: u64,
    pub list: ListOddities,
}

/// How often a page showed what the contract leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ListOddities {
    pub totals: u64,
    pub offsets: u64,
    pub short_pages: u64,
    pub failing_pages: u64,
    pub out_of_order: u64,
    pub strays: u64,
    pub duplicates: u64,
    pub gaps: u64,
    pub rows_without_id: u64,
    pub texts: u64,
    pub stale_dates: u64,
}

/// Where the program is killed: when this many calls have reached a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KillPoint {
    pub stage: RequestStage,
    pub calls_until: u32,
    /// The delay after that. With none, the program is killed before its next step.
    pub later: TimeDelta,
}

/// A stage of a call's request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestStage {
    /// The intent is on stable storage; the request is not sent yet.
    BeforeSending,
    /// The request is on its way.
    Sent,
    /// The vendor has acted on it.
    Acted,
    /// The answer has arrived and is not processed yet.
    Answered,
    /// The answer is on stable storage.
    Recorded,
}

/// The result of a call's request.
#[derive(Debug, Clone, Copy)]
pub enum RequestResult {
    Answered,
    NeverConnected,
    RateLimited,
    Refused,
    /// The answer is lost.
    Lost(LostAnswer, VendorActs),
}

/// When the vendor acts on a call whose answer is lost, relative to the loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VendorActs {
    Never,
    Before,
    After,
}

/// The drawn delays and result of one call's request.
pub struct RequestPlan {
    pub result: RequestResult,
    pub there: TimeDelta,
    pub back: TimeDelta,
    /// The delay after which the vendor still acts on a request whose caller has stopped waiting; `None`: it does not.
    pub late_processing: Option<TimeDelta>,
}

impl VendorModel {
    pub fn new(clock: SharedClock, habits: Habits, oracle: Oracle, disk: Arc<Disk>, rng: SeededRng) -> Self {
        let world = World::new(habits.settings.clone(), clock.now() + habits.ahead);
        let budget = SimulatedQuota::new(habits.settings.budget.clone());
        let kill_point_reached = Arc::default();
        let row_rng = rng.derive(1);
        Self {
            clock,
            under_way: Arc::default(),
            oracle,
            habits,
            world,
            mailbox: Mailbox::default(),
            budget,
            rng,
            row_rng,
            missed: HashSet::new(),
            dead: false,
            disk,
            kill_point: None,
            kill_point_reached,
            requests: 0,
            refusal_streaks: RefusalStreaks::default(),
            newest: None,
            answers: 0,
            list: ListOddities::default(),
        }
    }

    /// The program has started (again).
    pub fn begin_process(&mut self, kill_point: Option<KillPoint>) {
        self.dead = false;
        self.refusal_streaks.reset();
        self.kill_point = kill_point;
        self.kill_point_reached = Arc::default();
    }

    /// Kills the program now.
    pub fn kill(&mut self) {
        self.dead = true;
        self.disk.kill();
        self.kill_point = None;
    }

    /// Whether the program was killed, or its machine stopped during a write.
    pub fn is_dead(&self) -> bool {
        self.dead || self.disk.is_killed()
    }

    /// A call has reached `stage`: kills the program if this is its kill point.
    pub fn reached(&mut self, stage: RequestStage) {
        let Some(kill_point) = self.kill_point.as_mut().filter(|kill_point| kill_point.stage == stage) else { return };
        kill_point.calls_until = kill_point.calls_until.saturating_sub(1);
        if kill_point.calls_until > 0 {
            return;
        }
        let later = kill_point.later;
        self.kill_point = None;
        self.oracle.trace.log(self.clock.now(), || format!("{stage:?}: to be killed in {later}"));
        if later.is_zero() {
            self.kill();
        }
        self.kill_point_reached.notify_one();
    }

    pub fn vendor_now(&self) -> DateTime<Utc> {
        self.clock.now() + self.habits.ahead
    }

    pub fn in_outage(&self) -> bool {
        let now = self.clock.now();
        self.habits.outages.iter().any(|(from, until)| (*from..*until).contains(&now))
    }

    /// Whether the vendor does not let this caller id call now.
    pub fn is_blocked_caller_id(&self, from: E164) -> bool {
        let now = self.clock.now();
        self.habits.blocked_caller_ids.iter().any(|(number, until)| *number == from && now < *until)
    }

    /// The travel time of a request or an answer.
    pub fn delay(&mut self) -> TimeDelta {
        TimeDelta::milliseconds(5) + self.rng.up_to(self.habits.slowness.min(TimeDelta::seconds(30)))
    }

    /// Takes one request from the budget; false if it is exhausted.
    pub fn charge(&mut self) -> bool {
        let now = self.vendor_now();
        self.budget.charge(now).is_ok()
    }

    /// The instant that the next answer describes: in the past if a proxy has cached it.
    pub fn answer_time(&self) -> DateTime<Utc> {
        let nth = self.habits.stale_dates;
        let is_kept = self.habits.dated && nth > 0 && (self.answers + 1).is_multiple_of(nth);
        self.vendor_now() - if is_kept { CACHED_FOR } else { TimeDelta::zero() }
    }

    /// Wraps an answer that leaves the vendor now, with its headers.
    pub fn answer<T>(&mut self, value: T, exhausted: bool) -> Response<T> {
        let now = self.vendor_now();
        let budget = self.budget.headers(now);
        let rate_headers = if self.habits.metered {
            RateHeaders {
                limit: Some(budget.limit),
                remaining: Some(budget.remaining),
                reset: Some(budget.reset - self.habits.ahead),
                retry_at: None,
                exhausted,
            }
        } else {
            RateHeaders { exhausted, ..RateHeaders::default() }
        };
        let date = self.answer_time();
        self.answers += 1;
        assert!(self.answers < MOST_ANSWERS, "the program sends requests for ever");
        self.list.stale_dates += u64::from(date < now);
        Response { value, rate_headers, date: self.habits.dated.then(|| date.trunc_subsecs(0)) }
    }

    pub fn request_plan(&mut self) -> RequestPlan {
        let result = if self.in_outage() { RequestResult::NeverConnected } else { self.result() };
        let waits = self.rng.chance(20);
        let slowness = self.habits.slowness;
        let there = if waits {
            self.rng.millis(5, slowness.num_milliseconds() as u32)
        } else {
            TimeDelta::milliseconds(5) + self.rng.up_to(slowness)
        };
        let back = self.delay();
        let late = self.rng.millis(0, PROCESSING.num_milliseconds() as u32);
        RequestPlan { result, there, back, late_processing: self.rng.chance(50).then_some(late) }
    }

    fn result(&mut self) -> RequestResult {
        if !self.rng.chance(self.habits.call_faults) {
            return RequestResult::Answered;
        }
        let rng = &mut self.rng;
        let lost =
            rng.pick(&[LostAnswer::Timeout, LostAnswer::Broken, LostAnswer::Status(500), LostAnswer::Unreadable]);
        match rng.between(0, 9) {
            0 => RequestResult::NeverConnected,
            1 => RequestResult::RateLimited,
            2 if rng.chance(30) => RequestResult::Refused,
            2..=4 => RequestResult::Lost(lost, VendorActs::Never),
            5..=7 => RequestResult::Lost(lost, VendorActs::Before),
            _ => RequestResult::Lost(rng.pick(&[LostAnswer::Timeout, LostAnswer::Broken]), VendorActs::After),
        }
    }

    /// The vendor acts on a call.
    pub fn act(&mut self, call: &CallRequest, attempt: Option<i64>) -> (Reply, bool) {
        if !self.charge() {
            return (Reply::NotPlaced(NotPlaced::RateLimited), true);
        }
        if self.is_blocked_caller_id(call.from) {
            self.reached(RequestStage::Acted);
            return (Reply::NotPlaced(NotPlaced::refused(403, Concern::CallerId)), false);
        }
        let now = self.vendor_now();
        if let Some(refused) = self.habits.odd.refusal(call, self.clock.now(), &mut self.rng) {
            self.reached(RequestStage::Acted);
            return (refused, false);
        }
        let patient = call.content.patient.patient_id.clone();
        let request = PlaceCall {
            from_number: call.from.expose(),
            to_number: call.to.expose(),
            patient_info: Some(PatientInfoBody { patient_id: patient.clone(), ..PatientInfoBody::default() }),
            ..PlaceCall::default()
        };
        let at = self.clock.now();
        let reply = match self.world.place(now, &request) {
            Ok(id) => {
                let late = now + TimeDelta::days(1);
                let lacks = self.world.conversation(late, &id).is_some_and(|view| view.missing_field.is_some());
                let illegible = self.is_illegible(&id) || lacks;
                self.oracle.on_placed(PlacedCall {
                    at,
                    attempt,
                    key: patient.unwrap_or_default(),
                    to: call.to,
                    id: id.clone(),
                    illegible,
                });
                self.will_deliver(&id);
                let earlier = self.newest.replace(id.clone()).filter(|id| self.oracle.is_on_record(id));
                let earlier = earlier.filter(|_| self.rng.chance(self.habits.odd.repeated_ids));
                Reply::Accepted(earlier.unwrap_or(id))
            }
            Err(refusal) => {
                self.oracle.on_vendor_refusal(at, call.to, refusal);
                Reply::NotPlaced(refused(refusal))
            }
        };
        self.reached(RequestStage::Acted);
        (reply, false)
    }

    fn will_deliver(&self, id: &ConversationId) {
        let late = self.vendor_now() + TimeDelta::days(1);
        let ended = self.world.conversation(late, id).and_then(|view| view.ended);
        let Some(closes) = ended.map(|ended| ended + self.habits.settings.closing - self.habits.ahead) else { return };
        let rng = self.row_rng.derive(hash(id)).derive(2);
        self.mailbox.will_deliver(&self.clock, id, closes, rng, self.habits.named);
    }

    pub fn conversation_as_shown(&self, view: &ConversationView) -> Conversation {
        let mut conversation = to_conversation(view, &mut self.row_rng.derive(hash(&view.id)), self.habits.gaps);
        let is_odd = self.row_rng.derive(hash(&view.id)).derive(3).chance(self.habits.odd.statuses);
        if conversation.status == Status::Closed && conversation.ended.is_some() && is_odd {
            conversation.status = Status::Other;
        }
        let voice = &self.habits.settings.wording.voice_medium;
        let medium = match view.medium {
            SimulatedMedium::Voice => Some(voice.as_str()),
            SimulatedMedium::Sms => Some("SMS"),
            SimulatedMedium::Chat => Some("CHAT"),
            SimulatedMedium::Whatsapp => Some("WHATSAPP"),
            SimulatedMedium::Email => Some("EMAIL"),
            SimulatedMedium::Untold => None,
        };
        let unless = |field| view.missing_field != Some(field);
        Conversation {
            medium: vendor::Medium::read(medium),
            from: conversation.from.filter(|_| unless(RowField::From)),
            to: conversation.to.filter(|_| unless(RowField::To)),
            started: conversation.started.filter(|_| unless(RowField::Start)),
            ..conversation
        }
    }

    /// Whether no page ever shows the conversation in a readable form.
    fn is_illegible(&self, id: &ConversationId) -> bool {
        self.row_rng.derive(hash(id)).derive(1).chance(self.habits.illegible)
    }

    /// Ends the seed: the oracle gets the final state of every conversation.
    pub fn close(&mut self) {
        let Self { clock, oracle, world, .. } = self;
        let late = clock.now() + TimeDelta::days(400);
        oracle.close(clock.now(), |id| world.conversation(late, id));
    }

    pub fn page(&mut self, offset: u64, limit: u32) -> Result<Page, ReadError> {
        let now = self.answer_time();
        let query = ListQuery { offset, limit, ..ListQuery::default() };
        if self.world.page_fails(&query) {
            self.list.failing_pages += 1;
            return Err(ReadError::Status(500));
        }
        let shown = self.world.list(now, &query);
        self.count_oddities(&shown, limit);
        let mut page = Page { total: shown.total, ..Page::default() };
        for view in &shown.conversations {
            let is_lost = self.rng.chance(self.habits.unreadable_rows) || self.is_illegible(&view.id);
            if is_lost || view.missing_field == Some(RowField::Id) {
                self.list.rows_without_id += 1;
                let Conversation { medium, from, to, started, .. } = self.conversation_as_shown(view);
                page.rows_without_id.push(RowWithoutId { medium, from, to, started });
            } else if !self.rng.chance(self.habits.misses) || !self.missed.insert(view.id.clone()) {
                page.conversations.push(self.conversation_as_shown(view));
            }
        }
        self.oracle.trace.log(self.clock.now(), || {
            let (shown, not) = (page.conversations.len(), page.rows_without_id.len());
            let ids: Vec<_> =
                page.conversations.iter().map(|row| row.id.as_str().get(..8).unwrap_or_default()).collect();
            let ids = ids.join(" ");
            format!("page at {offset}: {shown} shown, {not} not, of {:?}: {ids}", page.total)
        });
        Ok(page)
    }

    fn count_oddities(&mut self, page: &ListPage, limit: u32) {
        let (odd, list) = (&mut self.list, &self.habits.settings.list);
        let rows = &page.conversations;
        odd.totals += u64::from(list.total != Total::True);
        odd.offsets += u64::from(list.offset == Offset::Ignored && page.offset > Some(0));
        odd.short_pages += u64::from(rows.len() as u32 == list.page_cap && list.page_cap < limit);
        let falls = rows.is_sorted_by(|a, b| a.started >= b.started);
        let rises = rows.is_sorted_by_key(|row| row.started);
        odd.out_of_order += u64::from(!falls && !rises);
        odd.strays += u64::from(list.stray && !rows.is_empty());
        odd.duplicates += u64::from(list.duplicates && !rows.is_empty());
        odd.gaps += rows.iter().filter(|row| row.missing_field.is_some()).count() as u64;
        odd.texts += rows.iter().filter(|row| row.medium != SimulatedMedium::Voice).count() as u64;
    }
}

fn refused(refusal: CallRefusal) -> NotPlaced {
    match refusal {
        CallRefusal::OutsideHours => NotPlaced::refused(422, Concern::Hours),
        CallRefusal::ConcurrentCalls => NotPlaced::refused(429, Concern::ConcurrentCalls),
        CallRefusal::TooSoon | CallRefusal::WeekFull | CallRefusal::MonthFull | CallRefusal::CoolingDown => {
            NotPlaced::refused(422, Concern::Cap)
        }
        CallRefusal::FromNumber => NotPlaced::refused(403, Concern::CallerId),
        CallRefusal::Malformed(_) | CallRefusal::NotAllowed | CallRefusal::Sending => {
            NotPlaced::refused(400, Concern::Destination)
        }
    }
}

/// A conversation as an answer shows it. Some lack a field until they are closed, always the same one.
fn to_conversation(view: &ConversationView, rng: &mut SeededRng, gaps: u32) -> Conversation {
    let under_way = view.status != conversation::SimulatedStatus::Closed;
    let gap = (under_way && rng.chance(gaps)).then(|| rng.between(0, 3));
    let transcript = view.transcript;
    let words = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Conversation {
        medium: vendor::Medium::default(),
        id: view.id.clone(),
        from: (gap != Some(0)).then_some(view.from),
        to: (gap != Some(1)).then_some(view.to),
        started: (gap != Some(2)).then_some(view.started),
        ended: view.ended,
        status: match view.status {
            _ if gap == Some(3) => Status::Other,
            conversation::SimulatedStatus::Open => Status::Open,
            conversation::SimulatedStatus::Closing => Status::Closing,
            conversation::SimulatedStatus::Closed => Status::Closed,
        },
        signals: OutcomeSignals {
            tags: transcript.map(|transcript| words(transcript.tags)).unwrap_or_default(),
            topic: transcript.map(|transcript| transcript.topic.into()),
            summary: transcript.map(|transcript| transcript.summary.into()),
            actions: transcript.map(|transcript| words(transcript.actions)).unwrap_or_default(),
            duration: view.duration.map(TimeDelta::as_seconds_f64),
        },
    }
}

fn hash(id: &ConversationId) -> u64 {
    id.as_str()
        .bytes()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}
