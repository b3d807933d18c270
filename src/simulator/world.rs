//! The vendor without a network: its rules, its conversations, its list.
//!
//! Nothing here reads a clock or does I/O. Every method gets the instant as a parameter, and its result follows from
//! the settings' seed, the calls so far and that instant.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};

use crate::ids::ConversationId;
use crate::phone::E164;

use super::call::{PlaceCall, PlaceSms, StartRequest};
use super::call_log::LoggedCall;
use super::conversation::{ConversationView, SimulatedConversation, SimulatedStatus, TranscriptMessage};
use super::medium::SimulatedMedium;
use super::people::People;
use super::rules::{CallRefusal, NumberAttempts, VendorRules};
use super::seeded_rng::SeededRng;
use super::settings::{ConversationOrder, ForeignTraffic, Offset, Settings, Total};

/// The most foreign conversations that one request adds.
const MAX_FOREIGN: i64 = 10_000;

/// One organisation at the vendor.
#[derive(Debug)]
pub struct World {
    settings: Settings,
    rng: SeededRng,
    /// Generates every id.
    ids: SeededRng,
    organisation: String,
    bot: String,
    /// Oldest first.
    conversations: Vec<ListedConversation>,
    by_id: HashMap<ConversationId, usize>,
    attempts: HashMap<E164, NumberAttempts>,
    /// The numbers that have called, which are listed if any number may call.
    callers: BTreeSet<E164>,
    /// The number of calls and texts placed through the API.
    placed: u64,
    /// For each foreign traffic, the next span without a conversation yet, counted from the epoch.
    next_foreign: Vec<i64>,
}

#[derive(Debug)]
struct ListedConversation {
    conversation: SimulatedConversation,
    /// When it appears in the list; never decreases along the list.
    visible_from: DateTime<Utc>,
}

/// The query of `GET /conversations`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// The number of conversations to skip.
    pub offset: u64,
    /// The most rows on the page, 1 to 100.
    pub limit: u32,
    /// Only conversations of this organisation.
    pub organisation: Option<String>,
    /// Only conversations of this bot.
    pub bot: Option<String>,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self { offset: 0, limit: 20, organisation: None, bot: None }
    }
}

/// A page of the conversation list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListPage {
    /// The rows, in the list's order.
    pub conversations: Vec<ConversationView>,
    /// Where the page starts, if the response says.
    pub offset: Option<u64>,
    /// The requested `limit`.
    pub limit: u32,
    /// The response's `totalCount`.
    pub total: Option<u64>,
}

/// A phone number of the organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneNumber {
    /// The vendor's id.
    pub id: String,
    /// The number itself.
    pub number: E164,
    /// Whether outbound calls are enabled.
    pub outbound: bool,
}

/// A bot of the organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bot {
    /// The vendor's id.
    pub id: String,
    /// The bot's name.
    pub name: &'static str,
}

impl World {
    /// A world without calls, at `now`.
    #[must_use]
    pub fn new(settings: Settings, now: DateTime<Utc>) -> Self {
        let rng = SeededRng::new(settings.seed);
        let ids = if settings.name.is_empty() { rng.clone() } else { rng.derive_text(&settings.name) };
        let next_foreign = settings.list.foreign.iter().map(|foreign| {
            let backlog = i64::from(foreign.backlog).min(MAX_FOREIGN);
            foreign.span_at(now) - backlog
        });
        let next_foreign = next_foreign.collect();
        Self {
            organisation: ids.derive_text("organisation").uuid().to_string(),
            bot: ids.derive_text("bot").uuid().to_string(),
            rng,
            ids,
            settings,
            conversations: Vec::new(),
            by_id: HashMap::new(),
            attempts: HashMap::new(),
            callers: BTreeSet::new(),
            placed: 0,
            next_foreign,
        }
    }

    /// The world after the calls of a log, in order. `now` matters only for an empty log.
    #[must_use]
    pub fn replay(settings: Settings, calls: Vec<LoggedCall>, now: DateTime<Utc>) -> Self {
        let start = calls.first().map_or(now, |first| first.at);
        let mut world = Self::new(settings, start);
        for call in calls {
            world.record(&call);
        }
        world
    }

    /// Places a call, if the rules allow it.
    pub fn place(&mut self, now: DateTime<Utc>, call: &PlaceCall) -> Result<ConversationId, CallRefusal> {
        self.start(now, call)
    }

    /// Starts a text conversation, if the rules allow it. Texts and calls share the limits of a number.
    pub fn place_text(&mut self, now: DateTime<Utc>, sms: &PlaceSms) -> Result<ConversationId, CallRefusal> {
        self.start(now, sms)
    }

    fn start(&mut self, now: DateTime<Utc>, request: &impl StartRequest) -> Result<ConversationId, CallRefusal> {
        let placed = self.check_request(now, request)?;
        self.record(&placed);
        Ok(placed.conversation_id)
    }

    /// The call that a request would place, without placing it: the server writes it to the call log first.
    pub(super) fn check_request(
        &self,
        now: DateTime<Utc>,
        request: &impl StartRequest,
    ) -> Result<LoggedCall, CallRefusal> {
        let call = request.check()?;
        self.check_numbers(call.from, call.to)?;
        self.settings.rules.check_hours(now)?;
        let attempts = self.attempts.get(&call.to);
        self.check_attempts(now, attempts, call.medium)?;
        self.check_concurrent_calls(now)?;
        let earlier = attempts.map_or(0, |attempts| attempts.count);
        let Settings { people, weights, .. } = &self.settings;
        let (behaviour, duration_seconds) =
            people.next_behaviour(weights, &self.rng.derive_text("people"), call.to, earlier, call.has_appointment);
        Ok(LoggedCall {
            at: now,
            conversation_id: self.new_call_id(now),
            medium: call.medium,
            from_number: call.from,
            to_number: call.to,
            patient_id: call.patient_id,
            appointment_id: call.appointment_id,
            behaviour: if call.medium.is_voice() { behaviour } else { behaviour.in_text() },
            duration_seconds,
            answered: None,
        })
    }

    fn check_attempts(
        &self,
        now: DateTime<Utc>,
        attempts: Option<&NumberAttempts>,
        medium: SimulatedMedium,
    ) -> Result<(), CallRefusal> {
        let Some(attempts) = attempts else { return Ok(()) };
        if medium == SimulatedMedium::Sms {
            attempts.check_no_text_in_flight(now)?;
        }
        attempts.check(now, &self.settings.rules)
    }

    fn check_concurrent_calls(&self, now: DateTime<Utc>) -> Result<(), CallRefusal> {
        let VendorRules { concurrent_calls: Some(limit), closing_counts, .. } = self.settings.rules else {
            return Ok(());
        };
        let counts = |listed: &&ListedConversation| match self.view(now, &listed.conversation).status {
            SimulatedStatus::Open => listed.conversation.medium.is_voice(),
            SimulatedStatus::Closing => closing_counts && listed.conversation.medium.is_voice(),
            SimulatedStatus::Closed => false,
        };
        let in_progress = self.conversations.iter().filter(counts).count();
        (in_progress < limit as usize).then_some(()).ok_or(CallRefusal::ConcurrentCalls)
    }

    fn check_numbers(&self, from: E164, to: E164) -> Result<(), CallRefusal> {
        let Settings { from_numbers, inbound_numbers, allow_list, .. } = &self.settings;
        let may_call = (from_numbers.is_empty() || from_numbers.contains(&from)) && !inbound_numbers.contains(&from);
        if !may_call {
            return Err(CallRefusal::FromNumber);
        }
        let is_allowed = allow_list.as_ref().is_none_or(|allowed| allowed.contains(&to));
        is_allowed.then_some(()).ok_or(CallRefusal::NotAllowed)
    }

    /// Adds a call that [`World::check_request`] allowed.
    pub(super) fn record(&mut self, call: &LoggedCall) {
        self.add_foreign_conversations(call.at);
        self.placed += 1;
        self.callers.insert(call.from_number);
        let attempts = self.attempts.entry(call.to_number).or_default();
        attempts.record(call.at, call.behaviour, &self.settings.rules);
        if call.medium == SimulatedMedium::Sms {
            attempts.record_text(call.at);
        }
        self.push(SimulatedConversation {
            id: call.conversation_id.clone(),
            medium: call.medium,
            from: call.from_number,
            to: call.to_number,
            started: call.at,
            seconds: call.duration_seconds,
            behaviour: call.behaviour,
            closed_early_at: None,
        });
    }

    fn push(&mut self, conversation: SimulatedConversation) {
        let lagged = conversation.started + self.settings.list.lag;
        let visible_from = self.conversations.last().map_or(lagged, |last| last.visible_from.max(lagged));
        self.by_id.insert(conversation.id.clone(), self.conversations.len());
        self.conversations.push(ListedConversation { conversation, visible_from });
    }

    /// The id of the next call. It depends on the instant, so a world with the same seed on another day has other ids.
    fn new_call_id(&self, now: DateTime<Utc>) -> ConversationId {
        let mut ids = self.ids.derive_text("call").derive(self.placed).derive(now.timestamp_millis().unsigned_abs());
        ConversationId::new(ids.uuid().to_string())
    }

    /// Adds the foreign conversations that started by `now`.
    fn add_foreign_conversations(&mut self, now: DateTime<Utc>) {
        // Taken out of the settings, so that `self` can be changed in the loop.
        let all = std::mem::take(&mut self.settings.list.foreign);
        let mut started: Vec<_> =
            all.iter().enumerate().flat_map(|(index, foreign)| self.foreign_by(index, foreign, now)).collect();
        started.sort_by_key(|conversation| conversation.started);
        for conversation in started {
            self.push(conversation);
        }
        self.settings.list.foreign = all;
    }

    /// The conversations of one foreign traffic that started by `now` and are not in the list yet.
    fn foreign_by(&mut self, index: usize, foreign: &ForeignTraffic, now: DateTime<Utc>) -> Vec<SimulatedConversation> {
        let last = foreign.span_at(now);
        let label = if index == 0 { "foreign".to_owned() } else { format!("foreign {index}") };
        let mut conversations = Vec::new();
        for span in self.next_foreign[index].max(last - MAX_FOREIGN)..=last {
            let counter = span.cast_unsigned();
            let mut rng = self.rng.derive_text(&label).derive(counter);
            let started = foreign.instant_in(span, &mut rng);
            if started > now {
                break;
            }
            let id = ConversationId::new(self.ids.derive_text(&label).derive(counter).uuid().to_string());
            conversations.push(foreign.conversation(id, started, &self.settings, &mut rng));
            self.next_foreign[index] = span + 1;
        }
        conversations
    }

    /// Whether the page fails, by [`super::settings::ListHabits::failing_at`].
    #[must_use]
    pub fn page_fails(&self, query: &ListQuery) -> bool {
        let shown = query.offset..query.offset + u64::from(query.limit.min(self.settings.list.page_cap));
        self.settings.list.failing_at.is_some_and(|at| shown.contains(&at))
    }

    /// A page of the conversations that are in the list at `now`.
    pub fn list(&mut self, now: DateTime<Utc>, query: &ListQuery) -> ListPage {
        self.add_foreign_conversations(now);
        let habits = &self.settings.list;
        let matches = |wanted: &Option<String>, id: &String| wanted.as_ref().is_none_or(|wanted| wanted == id);
        let is_ours = matches(&query.organisation, &self.organisation) && matches(&query.bot, &self.bot);
        let count = if is_ours { self.conversations.partition_point(|listed| listed.visible_from <= now) } else { 0 };
        let offset = if habits.offset == Offset::Ignored { 0 } else { query.offset };
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(count);
        let page_rows = query.limit.min(habits.page_cap) as usize;
        let stray = if habits.stray { self.stray_row(now) } else { None };
        let repeat_rows = if habits.duplicates && count > start { page_rows.min(3) } else { 0 };
        let room = page_rows - usize::from(stray.is_some()) - repeat_rows;
        let end = start.saturating_add(room).min(count);
        let view = |at: usize| self.view(now, &self.conversations[at].conversation);
        let mut conversations: Vec<_> = match habits.order {
            ConversationOrder::OldestFirst => (start..end).map(|at| view(self.with_inversions(at, count))).collect(),
            ConversationOrder::NewestFirst => {
                (start..end).map(|at| view(self.with_inversions(count - 1 - at, count))).collect()
            }
            ConversationOrder::Unordered => self.unordered(count)[start..end].iter().map(|at| view(*at)).collect(),
        };
        let duplicates: Vec<_> = conversations.iter().take(repeat_rows).cloned().collect();
        let middle = conversations.len() / 2;
        conversations.splice(middle..middle, duplicates);
        conversations.extend(stray.filter(|_| end > start));
        let total = match habits.total {
            Total::True => Some(count as u64),
            Total::Missing => None,
            Total::OfThePage => Some(conversations.len() as u64),
            Total::Capped(cap) => Some(cap.min(count as u64)),
            Total::Stale(lacking) => Some((count as u64).saturating_sub(lacking)),
            Total::TooHigh => Some(2 * count as u64),
        };
        let offset = match habits.offset {
            Offset::Honoured | Offset::Ignored => Some(query.offset),
            Offset::NotEchoed => None,
            Offset::EchoedAsZero => Some(0),
        };
        ListPage { conversations, offset, limit: query.limit, total }
    }

    /// The index of the conversation that the list shows at `at`: neighbours may be swapped.
    fn with_inversions(&self, at: usize, count: usize) -> usize {
        let other = at ^ 1;
        let started = |at: usize| self.conversations[at].conversation.started;
        let is_swapped = other < count && (started(at) - started(other)).abs() <= self.settings.list.inversions;
        if is_swapped && !self.settings.list.inversions.is_zero() { other } else { at }
    }

    /// The indexes of all conversations, in an order that does not depend on time.
    fn unordered(&self, count: usize) -> Vec<usize> {
        let mut all: Vec<_> = (0..count).collect();
        all.sort_by_key(|at| self.rng.derive_text(self.conversations[*at].conversation.id.as_str()).next_u64());
        all
    }

    /// The old row that ends every page.
    fn stray_row(&self, now: DateTime<Utc>) -> Option<ConversationView> {
        let first = &self.conversations.first()?.conversation;
        let id = ConversationId::new(self.ids.derive_text("long ago").uuid().to_string());
        let to = E164::parse("+18475550199").ok()?;
        let started = first.started - TimeDelta::days(400);
        Some(self.view(now, &SimulatedConversation { id, to, started, from: to, ..first.clone() }))
    }

    fn view(&self, now: DateTime<Utc>, conversation: &SimulatedConversation) -> ConversationView {
        let view = conversation.view(now, self.settings.closing);
        let gap = self.settings.list.gaps.filter(|gaps| {
            let mut rng = self.rng.derive_text("gaps").derive_text(conversation.id.as_str());
            rng.below(100) < gaps.percent.into() && (gaps.for_good || view.status != SimulatedStatus::Closed)
        });
        ConversationView { missing_field: gap.map(|gaps| gaps.field), ..view }
    }

    fn find(&self, id: &ConversationId) -> Option<&SimulatedConversation> {
        self.by_id.get(id).map(|at| &self.conversations[*at].conversation)
    }

    /// One conversation at `now`, whether it is in the list yet or not.
    #[must_use]
    pub fn conversation(&self, now: DateTime<Utc>, id: &ConversationId) -> Option<ConversationView> {
        self.find(id).map(|conversation| self.view(now, conversation))
    }

    /// The messages of a conversation until `now`.
    #[must_use]
    pub fn messages(&self, now: DateTime<Utc>, id: &ConversationId) -> Option<Vec<TranscriptMessage>> {
        self.find(id).map(|conversation| conversation.messages(now))
    }

    /// Ends a conversation if its call is in progress, and returns its status. The call log does not record this: after
    /// a replay, the conversation takes its scripted course.
    pub fn close(&mut self, now: DateTime<Utc>, id: &ConversationId) -> Option<SimulatedStatus> {
        let at = *self.by_id.get(id)?;
        self.conversations[at].conversation.close_early(now);
        self.conversation(now, id).map(|view| view.status)
    }

    /// The organisation's phone numbers.
    #[must_use]
    pub fn phone_numbers(&self) -> Vec<PhoneNumber> {
        let listed = |number: E164, outbound| {
            let id = self.rng.derive_text("number").derive_text(&number.expose()).uuid().to_string();
            PhoneNumber { id, number, outbound }
        };
        let Settings { from_numbers, inbound_numbers, .. } = &self.settings;
        let callers = self.callers.iter().filter(|_| from_numbers.is_empty());
        let outbound = from_numbers.iter().chain(callers).map(|number| listed(*number, true));
        outbound.chain(inbound_numbers.iter().map(|number| listed(*number, false))).collect()
    }

    /// The organisation's bots; there is one.
    #[must_use]
    pub fn bots(&self) -> Vec<Bot> {
        vec![Bot { id: self.bot.clone(), name: "Annie" }]
    }

    /// The organisation's id.
    #[must_use]
    pub fn organisation(&self) -> &str {
        &self.organisation
    }

    /// The id of the organisation's bot.
    #[must_use]
    pub fn bot(&self) -> &str {
        &self.bot
    }

    /// The number of calls and texts placed through the API.
    #[must_use]
    pub fn placed(&self) -> u64 {
        self.placed
    }
}

impl ForeignTraffic {
    fn span(&self) -> TimeDelta {
        self.every.max(TimeDelta::seconds(1))
    }

    /// The span that contains `now`, counted from the epoch.
    fn span_at(&self, now: DateTime<Utc>) -> i64 {
        now.timestamp_millis().div_euclid(self.span().num_milliseconds())
    }

    /// A random instant in a span.
    fn instant_in(&self, span: i64, rng: &mut SeededRng) -> DateTime<Utc> {
        let length = self.span().num_milliseconds();
        let millis = span * length + rng.below(length.cast_unsigned()).cast_signed();
        DateTime::from_timestamp_millis(millis).unwrap_or_default()
    }

    fn conversation(
        &self,
        id: ConversationId,
        started: DateTime<Utc>,
        settings: &Settings,
        rng: &mut SeededRng,
    ) -> SimulatedConversation {
        let pick = rng.next_u64();
        let fictitious = || E164::parse(&format!("+1847555{:04}", 100 + pick % 100)).unwrap_or(self.from);
        let to = usize::try_from(pick).ok().and_then(|pick| self.to.get(pick.checked_rem(self.to.len())?));
        let to = to.copied().unwrap_or_else(fictitious);
        let (behaviour, seconds) = People::default().next_behaviour(&settings.weights, rng, to, 0, false);
        SimulatedConversation {
            id,
            medium: self.medium,
            from: self.from,
            to,
            started,
            seconds,
            behaviour,
            closed_early_at: None,
        }
    }
}

#[cfg(test)]
mod tests;
