//! The vendor's side: the simulator's world with a budget, moods drawn from the seed, and the oracle looking on. It lives
//! through every death of the program.

use std::collections::HashSet;
use std::sync::Arc;

use callrounds::annie::{
    self, Answer, CallRequest, Concern, Conversation, LostAnswer, Meter, Nameless, NotPlaced, Page, Reply, Status,
    Unread,
};
use callrounds::clock::SharedClock;
use callrounds::entry::Testimony;
use callrounds::ids::ConversationId;
use callrounds::phone::E164;
use callrounds::simulator::budget::Budget;
use callrounds::simulator::call::PatientInfo;
use callrounds::simulator::conversation::{self, Medium, View};
use callrounds::simulator::settings::{Field, Offset, Total};
use callrounds::simulator::{ListPage, ListQuery, PlaceCall, Refusal, World};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use tokio::sync::Notify;

use super::dice::Dice;
use super::mailbox::Mailbox;
use super::odd::Rows;
use super::oracle::{Called, Oracle};
use super::plan::{Habits, PROCESSING};
use crate::disk::Disk;

/// No campaign of ours takes so many requests.
const MOST_ANSWERS: u64 = 200_000;

/// How old an answer is that a proxy has kept.
const KEPT_FOR: TimeDelta = TimeDelta::hours(1);

/// The vendor's side of everything, which no crash of the program touches.
pub struct Site {
    pub clock: SharedClock,
    pub oracle: Oracle,
    pub habits: Habits,
    pub world: World,
    pub mailbox: Mailbox,
    budget: Budget,
    pub dice: Dice,
    /// What every conversation lacks.
    looks: Dice,
    /// Conversations that a page has missed: never twice.
    missed: HashSet<ConversationId>,
    /// The program is dead: nothing that it was about to send leaves.
    dead: bool,
    /// The program's disk: who is dead has none.
    disk: Arc<Disk>,
    /// Kills the program at the moment it names.
    trap: Option<Trap>,
    /// Told when the trap springs.
    pub sprung: Arc<Notify>,
    /// One more holder for each call that is still to be acted on.
    pub under_way: Arc<()>,
    pub requests: u64,
    /// The refusals in a row that the program has met.
    pub rows: Rows,
    /// The newest conversation that was given out.
    newest: Option<ConversationId>,
    answers: u64,
    /// What of the list's habits the program has met.
    pub list: Odd,
}

/// How often a page showed what the contract leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Odd {
    pub totals: u64,
    pub offsets: u64,
    pub short_pages: u64,
    pub failing_pages: u64,
    pub out_of_order: u64,
    pub strays: u64,
    pub duplicates: u64,
    pub gaps: u64,
    pub nameless: u64,
    pub texts: u64,
    pub stale_dates: u64,
}

/// A moment at which the program is killed: when so many calls have come to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trap {
    pub moment: Moment,
    pub calls_until: u32,
    /// How long after that; nothing at all, and what was about to happen does not.
    pub later: TimeDelta,
}

/// A moment in the life of a request for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Its intent is on stable storage, and it has not been sent.
    BeforeSending,
    /// It is on its way.
    Sent,
    /// The vendor has acted on it.
    Acted,
    /// Its answer is there, and nothing has been done with it.
    Answered,
    /// Its answer is on stable storage.
    Recorded,
}

/// What becomes of a request for a call.
#[derive(Debug, Clone, Copy)]
pub enum Fate {
    Answered,
    NeverConnected,
    RateLimited,
    Refused,
    /// No answer that says anything: before the vendor acts on it, after, or it never does.
    Lost(LostAnswer, Acts),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acts {
    Never,
    Before,
    After,
}

/// One request for a call, drawn.
pub struct Journey {
    pub fate: Fate,
    pub there: TimeDelta,
    pub back: TimeDelta,
    /// How long after nobody waits for the answer any more the vendor still acts on it, if it does.
    pub once_alone: Option<TimeDelta>,
}

impl Site {
    pub fn new(clock: SharedClock, habits: Habits, oracle: Oracle, disk: Arc<Disk>, dice: Dice) -> Self {
        let world = World::new(habits.settings.clone(), clock.now() + habits.ahead);
        let budget = Budget::new(habits.settings.budget.clone());
        let sprung = Arc::default();
        let looks = dice.apart(1);
        Self {
            clock,
            under_way: Arc::default(),
            oracle,
            habits,
            world,
            mailbox: Mailbox::default(),
            budget,
            dice,
            looks,
            missed: HashSet::new(),
            dead: false,
            disk,
            trap: None,
            sprung,
            requests: 0,
            rows: Rows::default(),
            newest: None,
            answers: 0,
            list: Odd::default(),
        }
    }

    /// The program lives (again).
    pub fn revive(&mut self, trap: Option<Trap>) {
        self.dead = false;
        self.rows.start_anew();
        self.trap = trap;
        self.sprung = Arc::default();
    }

    /// The program dies here and now.
    pub fn kill(&mut self) {
        self.dead = true;
        self.disk.cut();
        self.trap = None;
    }

    /// Whether the program is dead: it was killed, or its machine stopped in the midst of a write.
    pub fn is_dead(&self) -> bool {
        self.dead || self.disk.is_cut()
    }

    /// A call has come to `moment`: kills the program if that is the plan.
    pub fn pass(&mut self, moment: Moment) {
        let Some(trap) = self.trap.as_mut().filter(|trap| trap.moment == moment) else { return };
        trap.calls_until = trap.calls_until.saturating_sub(1);
        if trap.calls_until > 0 {
            return;
        }
        let later = trap.later;
        self.trap = None;
        self.oracle.trace.say(self.clock.now(), || format!("{moment:?}: to be killed in {later}"));
        if later.is_zero() {
            self.kill();
        }
        self.sprung.notify_one();
    }

    pub fn vendor_now(&self) -> DateTime<Utc> {
        self.clock.now() + self.habits.ahead
    }

    pub fn is_out(&self) -> bool {
        let now = self.clock.now();
        self.habits.outages.iter().any(|(from, until)| (*from..*until).contains(&now))
    }

    /// Whether the vendor does not let this number of ours call.
    pub fn is_silent(&self, from: E164) -> bool {
        let now = self.clock.now();
        self.habits.silent.iter().any(|(number, until)| *number == from && now < *until)
    }

    /// How long a request or an answer is on its way.
    pub fn delay(&mut self) -> TimeDelta {
        TimeDelta::milliseconds(5) + self.dice.some_time(self.habits.slowness.min(TimeDelta::seconds(30)))
    }

    /// Takes one request out of the budget.
    pub fn charge(&mut self) -> bool {
        let now = self.vendor_now();
        self.budget.charge(now).is_ok()
    }

    /// As of when the next answer tells what it tells: a proxy may have kept it.
    pub fn told_as_of(&self) -> DateTime<Utc> {
        let nth = self.habits.stale_dates;
        let is_kept = self.habits.dated && nth > 0 && (self.answers + 1).is_multiple_of(nth);
        self.vendor_now() - if is_kept { KEPT_FOR } else { TimeDelta::zero() }
    }

    /// Wraps an answer as it leaves the vendor now.
    pub fn answer<T>(&mut self, value: T, exhausted: bool) -> Answer<T> {
        let now = self.vendor_now();
        let told = self.budget.meter(now);
        let meter = if self.habits.metered {
            Meter {
                limit: Some(told.limit),
                remaining: Some(told.remaining),
                reset: Some(told.reset - self.habits.ahead),
                retry_at: None,
                exhausted,
            }
        } else {
            Meter { exhausted, ..Meter::default() }
        };
        let date = self.told_as_of();
        self.answers += 1;
        assert!(self.answers < MOST_ANSWERS, "the program asks the vendor for ever");
        self.list.stale_dates += u64::from(date < now);
        Answer { value, meter, date: self.habits.dated.then(|| date.trunc_subsecs(0)) }
    }

    pub fn journey(&mut self) -> Journey {
        let fate = if self.is_out() { Fate::NeverConnected } else { self.fate() };
        let waits = self.dice.chance(20);
        let slowness = self.habits.slowness;
        let there = if waits {
            self.dice.millis(5, slowness.num_milliseconds() as u32)
        } else {
            TimeDelta::milliseconds(5) + self.dice.some_time(slowness)
        };
        let back = self.delay();
        let late = self.dice.millis(0, PROCESSING.num_milliseconds() as u32);
        Journey { fate, there, back, once_alone: self.dice.chance(50).then_some(late) }
    }

    fn fate(&mut self) -> Fate {
        if !self.dice.chance(self.habits.call_faults) {
            return Fate::Answered;
        }
        let dice = &mut self.dice;
        let lost =
            dice.pick(&[LostAnswer::Timeout, LostAnswer::Broken, LostAnswer::Status(500), LostAnswer::Unreadable]);
        match dice.between(0, 9) {
            0 => Fate::NeverConnected,
            1 => Fate::RateLimited,
            2 if dice.chance(30) => Fate::Refused,
            2..=4 => Fate::Lost(lost, Acts::Never),
            5..=7 => Fate::Lost(lost, Acts::Before),
            _ => Fate::Lost(dice.pick(&[LostAnswer::Timeout, LostAnswer::Broken]), Acts::After),
        }
    }

    /// The vendor acts on a call.
    pub fn act(&mut self, call: &CallRequest, attempt: Option<i64>) -> (Reply, bool) {
        if !self.charge() {
            return (Reply::NotPlaced(NotPlaced::RateLimited), true);
        }
        if self.is_silent(call.from) {
            self.pass(Moment::Acted);
            return (Reply::NotPlaced(NotPlaced::refused(403, Concern::OurNumber)), false);
        }
        let now = self.vendor_now();
        if let Some(refused) = self.habits.odd.refuses(call, self.clock.now(), &mut self.dice) {
            self.pass(Moment::Acted);
            return (refused, false);
        }
        let patient = call.content.patient.patient_id.clone();
        let request = PlaceCall {
            from_number: call.from.expose(),
            to_number: call.to.expose(),
            patient_info: Some(PatientInfo { patient_id: patient.clone(), ..PatientInfo::default() }),
            ..PlaceCall::default()
        };
        let at = self.clock.now();
        let reply = match self.world.place(now, &request) {
            Ok(id) => {
                let late = now + TimeDelta::days(1);
                let lacks = self.world.conversation(late, &id).is_some_and(|view| view.lacks.is_some());
                let illegible = self.is_illegible(&id) || lacks;
                self.oracle.placed(Called {
                    at,
                    attempt,
                    key: patient.unwrap_or_default(),
                    to: call.to,
                    id: id.clone(),
                    illegible,
                });
                self.will_deliver(&id);
                let earlier = self.newest.replace(id.clone()).filter(|id| self.oracle.is_on_record(id));
                let earlier = earlier.filter(|_| self.dice.chance(self.habits.odd.another));
                Reply::Accepted(earlier.unwrap_or(id))
            }
            Err(refusal) => {
                self.oracle.vendor_refused(at, call.to, refusal);
                Reply::NotPlaced(refused(refusal))
            }
        };
        self.pass(Moment::Acted);
        (reply, false)
    }

    fn will_deliver(&self, id: &ConversationId) {
        let late = self.vendor_now() + TimeDelta::days(1);
        let ended = self.world.conversation(late, id).and_then(|view| view.ended);
        let Some(closes) = ended.map(|ended| ended + self.habits.settings.closing - self.habits.ahead) else { return };
        let dice = self.looks.apart(hash(id)).apart(2);
        self.mailbox.will_deliver(&self.clock, id, closes, dice, self.habits.named);
    }

    pub fn conversation_as_told(&self, view: &View) -> Conversation {
        let mut told = told(view, &mut self.looks.apart(hash(&view.id)), self.habits.gaps);
        let is_odd = self.looks.apart(hash(&view.id)).apart(3).chance(self.habits.odd.statuses);
        if told.status == Status::Closed && told.ended.is_some() && is_odd {
            told.status = Status::Other;
        }
        let voice = &self.habits.settings.wording.voice_medium;
        let medium = match view.medium {
            Medium::Voice => Some(voice.as_str()),
            Medium::Sms => Some("SMS"),
            Medium::Chat => Some("CHAT"),
            Medium::Whatsapp => Some("WHATSAPP"),
            Medium::Email => Some("EMAIL"),
            Medium::Untold => None,
        };
        let unless = |field| view.lacks != Some(field);
        Conversation {
            medium: annie::Medium::read(medium),
            from: told.from.filter(|_| unless(Field::From)),
            to: told.to.filter(|_| unless(Field::To)),
            started: told.started.filter(|_| unless(Field::Start)),
            ..told
        }
    }

    /// Whether no page ever shows the conversation in a form that can be read.
    fn is_illegible(&self, id: &ConversationId) -> bool {
        self.looks.apart(hash(id)).apart(1).chance(self.habits.illegible)
    }

    /// The end of the seed: the oracle is told what became of every conversation.
    pub fn close(&mut self) {
        let Self { clock, oracle, world, .. } = self;
        let late = clock.now() + TimeDelta::days(400);
        oracle.close(clock.now(), |id| world.conversation(late, id));
    }

    pub fn page(&mut self, offset: u64, limit: u32) -> Result<Page, Unread> {
        let now = self.told_as_of();
        let query = ListQuery { offset, limit, ..ListQuery::default() };
        if self.world.fails(&query) {
            self.list.failing_pages += 1;
            return Err(Unread::Status(500));
        }
        let shown = self.world.list(now, &query);
        self.count_the_odd(&shown, limit);
        let mut page = Page { total: shown.total, ..Page::default() };
        for view in &shown.conversations {
            let is_lost = self.dice.chance(self.habits.blurs) || self.is_illegible(&view.id);
            if is_lost || view.lacks == Some(Field::Id) {
                self.list.nameless += 1;
                let Conversation { medium, from, to, started, .. } = self.conversation_as_told(view);
                page.nameless.push(Nameless { medium, from, to, started });
            } else if !self.dice.chance(self.habits.misses) || !self.missed.insert(view.id.clone()) {
                page.conversations.push(self.conversation_as_told(view));
            }
        }
        self.oracle.trace.say(self.clock.now(), || {
            let (shown, not) = (page.conversations.len(), page.nameless.len());
            let ids: Vec<_> =
                page.conversations.iter().map(|row| row.id.as_str().get(..8).unwrap_or_default()).collect();
            let ids = ids.join(" ");
            format!("page at {offset}: {shown} shown, {not} not, of {:?}: {ids}", page.total)
        });
        Ok(page)
    }

    fn count_the_odd(&mut self, page: &ListPage, limit: u32) {
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
        odd.gaps += rows.iter().filter(|row| row.lacks.is_some()).count() as u64;
        odd.texts += rows.iter().filter(|row| row.medium != Medium::Voice).count() as u64;
    }
}

fn refused(refusal: Refusal) -> NotPlaced {
    match refusal {
        Refusal::OutsideHours => NotPlaced::refused(422, Concern::Hours),
        Refusal::TooSoon | Refusal::WeekFull | Refusal::MonthFull | Refusal::CoolingDown => {
            NotPlaced::refused(422, Concern::Cap)
        }
        Refusal::FromNumber => NotPlaced::refused(403, Concern::OurNumber),
        Refusal::Malformed(_) | Refusal::NotAllowed | Refusal::Sending => NotPlaced::refused(400, Concern::Destination),
    }
}

/// A conversation as an answer shows it: a few lack a field while they are under way, always the same one.
fn told(view: &View, dice: &mut Dice, gaps: u32) -> Conversation {
    let under_way = view.status != conversation::Status::Closed;
    let gap = (under_way && dice.chance(gaps)).then(|| dice.between(0, 3));
    let story = view.story;
    let words = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Conversation {
        medium: annie::Medium::default(),
        id: view.id.clone(),
        from: (gap != Some(0)).then_some(view.from),
        to: (gap != Some(1)).then_some(view.to),
        started: (gap != Some(2)).then_some(view.started),
        ended: view.ended,
        status: match view.status {
            _ if gap == Some(3) => Status::Other,
            conversation::Status::Open => Status::Open,
            conversation::Status::Closing => Status::Closing,
            conversation::Status::Closed => Status::Closed,
        },
        testimony: Testimony {
            tags: story.map(|story| words(story.tags)).unwrap_or_default(),
            topic: story.map(|story| story.topic.into()),
            summary: story.map(|story| story.summary.into()),
            actions: story.map(|story| words(story.actions)).unwrap_or_default(),
            duration: view.duration.map(TimeDelta::as_seconds_f64),
        },
    }
}

fn hash(id: &ConversationId) -> u64 {
    id.as_str()
        .bytes()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}
