//! The vendor without a network: its rules, its conversations, its list.
//!
//! Nothing in here reads a clock or does I/O. Every method is handed the instant, and what it answers follows from the
//! settings' seed, the calls so far and that instant.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};

use crate::ids::ConversationId;
use crate::phone::E164;

use super::call::{PlaceCall, PlaceSms, Request};
use super::conversation::{Conversation, Medium, Message, Status, View};
use super::dice::Dice;
use super::log::Placed;
use super::people::People;
use super::rules::{Book, Refusal};
use super::settings::{Foreign, Offset, Order, Settings, Total};

/// The most foreign conversations that one request catches up on.
const MOST_FOREIGN: i64 = 10_000;

/// The vendor without a network.
#[derive(Debug)]
pub struct World {
    settings: Settings,
    dice: Dice,
    /// Decides every id.
    ids: Dice,
    organisation: String,
    bot: String,
    /// In the order of the list, oldest first.
    conversations: Vec<Listed>,
    by_id: HashMap<ConversationId, usize>,
    books: HashMap<E164, Book>,
    /// Numbers that have called, where any number may.
    callers: BTreeSet<E164>,
    /// Calls and texts placed through the API.
    placed: u64,
    /// The next span of each other software's conversations, counted from the epoch.
    next_foreign: Vec<i64>,
}

#[derive(Debug)]
struct Listed {
    conversation: Conversation,
    /// When it appears in the list; never falls along the list.
    from: DateTime<Utc>,
}

/// What `GET /conversations` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// Conversations to skip.
    pub offset: u64,
    /// The page's length, 1 to 100.
    pub limit: u32,
    /// Only this organisation's.
    pub organisation: Option<String>,
    /// Only this bot's.
    pub bot: Option<String>,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self { offset: 0, limit: 20, organisation: None, bot: None }
    }
}

/// A page of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListPage {
    /// In the list's order.
    pub conversations: Vec<View>,
    /// Where the page starts, if the answer says.
    pub offset: Option<u64>,
    /// The length that was asked for.
    pub limit: u32,
    /// How many conversations there are, as the answer says.
    pub total: Option<u64>,
}

/// One of the organisation's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneNumber {
    /// Its id.
    pub id: String,
    /// The number.
    pub number: E164,
    /// Whether it may call out.
    pub outbound: bool,
}

/// One of the organisation's bots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bot {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: &'static str,
}

impl World {
    /// A world in which nobody has been called yet, at `now`.
    #[must_use]
    pub fn new(settings: Settings, now: DateTime<Utc>) -> Self {
        let dice = Dice::new(settings.seed);
        let ids = if settings.name.is_empty() { dice.clone() } else { dice.under_text(&settings.name) };
        let next_foreign = settings.list.foreign.iter().map(|foreign| {
            let backlog = i64::from(foreign.backlog).min(MOST_FOREIGN);
            foreign.span_at(now) - backlog
        });
        let next_foreign = next_foreign.collect();
        Self {
            organisation: ids.under_text("organisation").uuid().to_string(),
            bot: ids.under_text("bot").uuid().to_string(),
            dice,
            ids,
            settings,
            conversations: Vec::new(),
            by_id: HashMap::new(),
            books: HashMap::new(),
            callers: BTreeSet::new(),
            placed: 0,
            next_foreign,
        }
    }

    /// The world as it was after the calls of a log, in their order. `now` matters only if there are none.
    #[must_use]
    pub fn replay(settings: Settings, calls: Vec<Placed>, now: DateTime<Utc>) -> Self {
        let born = calls.first().map_or(now, |first| first.at);
        let mut world = Self::new(settings, born);
        for call in calls {
            world.admit(&call);
        }
        world
    }

    /// Places a call, if the rules allow it.
    pub fn place(&mut self, now: DateTime<Utc>, call: &PlaceCall) -> Result<ConversationId, Refusal> {
        self.start(now, call)
    }

    /// Starts a text conversation, if the rules allow it. Texts and calls share the limits of a number.
    pub fn text(&mut self, now: DateTime<Utc>, sms: &PlaceSms) -> Result<ConversationId, Refusal> {
        self.start(now, sms)
    }

    fn start(&mut self, now: DateTime<Utc>, request: &impl Request) -> Result<ConversationId, Refusal> {
        let placed = self.consider(now, request)?;
        self.admit(&placed);
        Ok(placed.conversation_id)
    }

    /// What a request would do, without doing it: a server writes it down first.
    pub(super) fn consider(&self, now: DateTime<Utc>, request: &impl Request) -> Result<Placed, Refusal> {
        let call = request.check()?;
        self.check_line(call.from, call.to)?;
        self.settings.rules.check_hours(now)?;
        let book = self.books.get(&call.to);
        self.check_book(now, book, call.medium)?;
        let earlier = book.map_or(0, |book| book.count);
        let Settings { people, weights, .. } = &self.settings;
        let (behaviour, duration_seconds) =
            people.take_call(weights, &self.dice.under_text("people"), call.to, earlier, call.has_appointment);
        Ok(Placed {
            at: now,
            conversation_id: self.call_id(now),
            medium: call.medium,
            from_number: call.from,
            to_number: call.to,
            patient_id: call.patient_id,
            appointment_id: call.appointment_id,
            behaviour: if call.medium.is_voice() { behaviour } else { behaviour.by_text() },
            duration_seconds,
            answered: None,
        })
    }

    fn check_book(&self, now: DateTime<Utc>, book: Option<&Book>, medium: Medium) -> Result<(), Refusal> {
        let Some(book) = book else { return Ok(()) };
        if medium == Medium::Sms {
            book.check_sending(now)?;
        }
        book.check(now, &self.settings.rules)
    }

    fn check_line(&self, from: E164, to: E164) -> Result<(), Refusal> {
        let Settings { from_numbers, inbound_numbers, allow_list, .. } = &self.settings;
        let may_call = (from_numbers.is_empty() || from_numbers.contains(&from)) && !inbound_numbers.contains(&from);
        if !may_call {
            return Err(Refusal::FromNumber);
        }
        let allowed = allow_list.as_ref().is_none_or(|allowed| allowed.contains(&to));
        allowed.then_some(()).ok_or(Refusal::NotAllowed)
    }

    /// Makes what [`World::consider`] found happen.
    pub(super) fn admit(&mut self, call: &Placed) {
        self.catch_up(call.at);
        self.placed += 1;
        self.callers.insert(call.from_number);
        let book = self.books.entry(call.to_number).or_default();
        book.enter(call.at, call.behaviour, &self.settings.rules);
        if call.medium == Medium::Sms {
            book.send(call.at);
        }
        self.push(Conversation {
            id: call.conversation_id.clone(),
            medium: call.medium,
            from: call.from_number,
            to: call.to_number,
            started: call.at,
            seconds: call.duration_seconds,
            behaviour: call.behaviour,
            cut: None,
        });
    }

    fn push(&mut self, conversation: Conversation) {
        let lagged = conversation.started + self.settings.list.lag;
        let from = self.conversations.last().map_or(lagged, |last| last.from.max(lagged));
        self.by_id.insert(conversation.id.clone(), self.conversations.len());
        self.conversations.push(Listed { conversation, from });
    }

    /// A call's own: a world of the same seed that is begun another day has others.
    fn call_id(&self, now: DateTime<Utc>) -> ConversationId {
        let mut ids = self.ids.under_text("call").under(self.placed).under(now.timestamp_millis().unsigned_abs());
        ConversationId::new(ids.uuid().to_string())
    }

    /// Adds the conversations that others have begun by `now`.
    fn catch_up(&mut self, now: DateTime<Utc>) {
        // Taken out for the while, so that its calls can be added to the world that owns it.
        let all = std::mem::take(&mut self.settings.list.foreign);
        let mut begun: Vec<_> =
            all.iter().enumerate().flat_map(|(which, foreign)| self.begun_by(which, foreign, now)).collect();
        begun.sort_by_key(|conversation| conversation.started);
        for conversation in begun {
            self.push(conversation);
        }
        self.settings.list.foreign = all;
    }

    fn begun_by(&mut self, which: usize, foreign: &Foreign, now: DateTime<Utc>) -> Vec<Conversation> {
        let last = foreign.span_at(now);
        let name = if which == 0 { "foreign".to_owned() } else { format!("foreign {which}") };
        let mut begun = Vec::new();
        for span in self.next_foreign[which].max(last - MOST_FOREIGN)..=last {
            let counter = span.cast_unsigned();
            let mut dice = self.dice.under_text(&name).under(counter);
            let started = foreign.instant_in(span, &mut dice);
            if started > now {
                break;
            }
            let id = ConversationId::new(self.ids.under_text(&name).under(counter).uuid().to_string());
            begun.push(foreign.call(id, started, &self.settings, &mut dice));
            self.next_foreign[which] = span + 1;
        }
        begun
    }

    /// Whether the page that is asked for cannot be had.
    #[must_use]
    pub fn fails(&self, query: &ListQuery) -> bool {
        let shown = query.offset..query.offset + u64::from(query.limit.min(self.settings.list.page_cap));
        self.settings.list.failing_at.is_some_and(|at| shown.contains(&at))
    }

    /// A page of the conversations that the list has at `now`.
    pub fn list(&mut self, now: DateTime<Utc>, query: &ListQuery) -> ListPage {
        self.catch_up(now);
        let habits = &self.settings.list;
        let ours = |asked: &Option<String>, id: &String| asked.as_ref().is_none_or(|asked| asked == id);
        let asked_for = ours(&query.organisation, &self.organisation) && ours(&query.bot, &self.bot);
        let count = if asked_for { self.conversations.partition_point(|listed| listed.from <= now) } else { 0 };
        let offset = if habits.offset == Offset::Ignored { 0 } else { query.offset };
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(count);
        let longest = query.limit.min(habits.page_cap) as usize;
        let of_long_ago = if habits.stray { self.of_long_ago(now) } else { None };
        let doubled = if habits.duplicates && count > start { longest.min(3) } else { 0 };
        let room = longest - usize::from(of_long_ago.is_some()) - doubled;
        let end = start.saturating_add(room).min(count);
        let view = |at: usize| self.view(now, &self.conversations[at].conversation);
        let mut conversations: Vec<_> = match habits.order {
            Order::OldestFirst => (start..end).map(|at| view(self.out_of_order(at, count))).collect(),
            Order::NewestFirst => (start..end).map(|at| view(self.out_of_order(count - 1 - at, count))).collect(),
            Order::Unordered => self.unordered(count)[start..end].iter().map(|at| view(*at)).collect(),
        };
        let again: Vec<_> = conversations.iter().take(doubled).cloned().collect();
        let middle = conversations.len() / 2;
        conversations.splice(middle..middle, again);
        conversations.extend(of_long_ago.filter(|_| end > start));
        let total = match habits.total {
            Total::True => Some(count as u64),
            Total::Missing => None,
            Total::OfThePage => Some(conversations.len() as u64),
            Total::Capped(most) => Some(most.min(count as u64)),
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

    /// Which conversation stands where the one at `at` should: pairs of neighbours may be the wrong way round.
    fn out_of_order(&self, at: usize, count: usize) -> usize {
        let other = at ^ 1;
        let started = |at: usize| self.conversations[at].conversation.started;
        let is_swapped = other < count && (started(at) - started(other)).abs() <= self.settings.list.inversions;
        if is_swapped && !self.settings.list.inversions.is_zero() { other } else { at }
    }

    /// All of the list, in an order that says nothing of time.
    fn unordered(&self, count: usize) -> Vec<usize> {
        let mut all: Vec<_> = (0..count).collect();
        all.sort_by_key(|at| self.dice.under_text(self.conversations[*at].conversation.id.as_str()).throw());
        all
    }

    /// The row that stands last on every page.
    fn of_long_ago(&self, now: DateTime<Utc>) -> Option<View> {
        let first = &self.conversations.first()?.conversation;
        let id = ConversationId::new(self.ids.under_text("long ago").uuid().to_string());
        let to = E164::parse("+18475550199").ok()?;
        let started = first.started - TimeDelta::days(400);
        Some(self.view(now, &Conversation { id, to, started, from: to, ..first.clone() }))
    }

    fn view(&self, now: DateTime<Utc>, conversation: &Conversation) -> View {
        let view = conversation.view(now, self.settings.closing);
        let lacks = self.settings.list.gaps.filter(|gaps| {
            let mut dice = self.dice.under_text("gaps").under_text(conversation.id.as_str());
            dice.below(100) < gaps.percent.into() && (gaps.for_good || view.status != Status::Closed)
        });
        View { lacks: lacks.map(|gaps| gaps.field), ..view }
    }

    fn find(&self, id: &ConversationId) -> Option<&Conversation> {
        self.by_id.get(id).map(|at| &self.conversations[*at].conversation)
    }

    /// One conversation at `now`, whether the list has it yet or not.
    #[must_use]
    pub fn conversation(&self, now: DateTime<Utc>, id: &ConversationId) -> Option<View> {
        self.find(id).map(|conversation| self.view(now, conversation))
    }

    /// What has been said in a conversation by `now`.
    #[must_use]
    pub fn messages(&self, now: DateTime<Utc>, id: &ConversationId) -> Option<Vec<Message>> {
        self.find(id).map(|conversation| conversation.messages(now))
    }

    /// Ends a conversation, if it is under way, and says where it stands. The log does not have it: after a replay, the
    /// conversation takes its scripted course.
    pub fn close(&mut self, now: DateTime<Utc>, id: &ConversationId) -> Option<Status> {
        let at = *self.by_id.get(id)?;
        self.conversations[at].conversation.cut(now);
        self.conversation(now, id).map(|view| view.status)
    }

    /// The organisation's numbers.
    #[must_use]
    pub fn phone_numbers(&self) -> Vec<PhoneNumber> {
        let listed = |number: E164, outbound| {
            let id = self.dice.under_text("number").under_text(&number.expose()).uuid().to_string();
            PhoneNumber { id, number, outbound }
        };
        let Settings { from_numbers, inbound_numbers, .. } = &self.settings;
        let seen = self.callers.iter().filter(|_| from_numbers.is_empty());
        let outbound = from_numbers.iter().chain(seen).map(|number| listed(*number, true));
        outbound.chain(inbound_numbers.iter().map(|number| listed(*number, false))).collect()
    }

    /// The organisation's bots: one.
    #[must_use]
    pub fn bots(&self) -> Vec<Bot> {
        vec![Bot { id: self.bot.clone(), name: "Annie" }]
    }

    /// The organisation's id.
    #[must_use]
    pub fn organisation(&self) -> &str {
        &self.organisation
    }

    /// The bot's id.
    #[must_use]
    pub fn bot(&self) -> &str {
        &self.bot
    }

    /// How many calls and texts have been placed through the API.
    #[must_use]
    pub fn placed(&self) -> u64 {
        self.placed
    }
}

impl Foreign {
    fn every(&self) -> TimeDelta {
        self.every.max(TimeDelta::seconds(1))
    }

    /// Which span `now` lies in, counted from the epoch.
    fn span_at(&self, now: DateTime<Utc>) -> i64 {
        now.timestamp_millis().div_euclid(self.every().num_milliseconds())
    }

    fn instant_in(&self, span: i64, dice: &mut Dice) -> DateTime<Utc> {
        let length = self.every().num_milliseconds();
        let millis = span * length + dice.below(length.cast_unsigned()).cast_signed();
        DateTime::from_timestamp_millis(millis).unwrap_or_default()
    }

    fn call(&self, id: ConversationId, started: DateTime<Utc>, settings: &Settings, dice: &mut Dice) -> Conversation {
        let pick = dice.throw();
        let fictitious = || E164::parse(&format!("+1847555{:04}", 100 + pick % 100)).unwrap_or(self.from);
        let to = usize::try_from(pick).ok().and_then(|pick| self.to.get(pick.checked_rem(self.to.len())?));
        let to = to.copied().unwrap_or_else(fictitious);
        let (behaviour, seconds) = People::default().take_call(&settings.weights, dice, to, 0, false);
        Conversation { id, medium: self.medium, from: self.from, to, started, seconds, behaviour, cut: None }
    }
}

#[cfg(test)]
mod tests;
