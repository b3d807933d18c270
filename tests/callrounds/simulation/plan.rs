//! A plan: what a seed decides before anything happens. The campaign, the lists it is run with, how the vendor and its
//! network behave, and how often the program is killed.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use callrounds::campaign::{Allowances, Campaign, load};
use callrounds::entry::{
    CalledPartyZones, Content, Draft, ListTally, Member, PatientInfo, Reason, Standing, ZoneSource,
};
use callrounds::ids::{EntryKey, Location, OrganisationId};
use callrounds::phone::E164;
use callrounds::simulator::conversation::Medium;
use callrounds::simulator::settings::{BudgetRules, Field, Foreign, Gaps, Offset, Order, RetryAfter, Settings, Total};
use chrono::{DateTime, TimeDelta, Utc};

use super::clock;
use super::dice::Dice;
use super::odd::Odd;

/// How long after nobody waits for its answer any more a request may still be acted on.
pub const PROCESSING: TimeDelta = TimeDelta::seconds(45);

/// Area codes of one zone each, so that the oracle needs no table of its own.
pub const PLACES: [(&str, &str); 8] = [
    ("312", "America/Chicago"),
    ("212", "America/New_York"),
    ("303", "America/Denver"),
    ("602", "America/Phoenix"),
    ("213", "America/Los_Angeles"),
    ("604", "America/Vancouver"),
    ("808", "Pacific/Honolulu"),
    ("709", "America/St_Johns"),
];

const FROM: &str = "+13125550142";

/// The number that calls the patients of the second location, where there are two: nobody on a list has it.
const SECOND_FROM: &str = "+13125550141";

/// Two locations of one organisation, each with a number of its own.
const LOCATIONS: [&str; 2] = ["North", "South"];

/// Everything that a seed decides before anything happens.
pub struct Plan {
    pub start: DateTime<Utc>,
    pub campaign: Arc<Campaign>,
    /// One after the other; the last one stays.
    pub lists: Vec<Vec<Person>>,
    pub vendor: Habits,
    /// How often the program is killed at most.
    pub crashes: u32,
    /// How often it is asked to stop at most.
    pub stops: u32,
    pub until_done: bool,
    pub clock: clock::Habit,
    /// How often an older copy of the ledger is put back at most.
    pub restores: u32,
    /// The machine sleeps for so long when so many calls have been dialled.
    pub suspended: Option<(u64, TimeDelta)>,
    /// When who asks not to be called any more, on another way than in a call.
    pub opt_outs: Vec<(DateTime<Utc>, E164)>,
}

/// A row of a list.
#[derive(Clone)]
pub struct Person {
    pub key: String,
    pub phone: E164,
    pub zone: &'static str,
    pub standing: Standing,
    pub not_after: Option<DateTime<Utc>>,
    pub members: u32,
    /// Where the patient is at home, if the campaign has lines.
    pub location: Option<&'static str>,
}

/// How the vendor and its network behave.
#[derive(Clone)]
pub struct Habits {
    pub settings: Settings,
    /// The vendor's clock less ours.
    pub ahead: TimeDelta,
    /// Whether answers carry `Date`.
    pub dated: bool,
    /// Whether answers carry the budget's headers.
    pub metered: bool,
    /// Of a hundred calls, how many go wrong.
    pub call_faults: u32,
    /// Of a hundred reads, how many go wrong.
    pub read_faults: u32,
    /// Of a hundred rows of pages, how many cannot be read.
    pub blurs: u32,
    /// Of a hundred rows of pages, how many are missing, once in a conversation's life.
    pub misses: u32,
    /// Of a hundred conversations, how many no page ever shows in a form that can be read.
    pub illegible: u32,
    /// Of a hundred conversations, how many lack a field while they are under way.
    pub gaps: u32,
    /// Each so-manieth answer has a `Date` of an hour ago; 0: none has.
    pub stale_dates: u64,
    /// The longest that a call waits to be acted on; reads and answers take 30 s at most.
    pub slowness: TimeDelta,
    /// Of a hundred conversations, how many a webhook names when they close; 0: no webhooks are taken.
    pub named: u32,
    /// Spans in which nothing gets through.
    pub outages: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    /// Numbers of ours that may not call, each until somebody has mended it.
    pub silent: Vec<(E164, DateTime<Utc>)>,
    pub odd: Odd,
}

impl Habits {
    /// Whether others write to our patients by what an operator could not tell from a call either.
    pub fn has_texts_that_look_like_calls(&self) -> bool {
        let is_text = |medium| matches!(medium, Medium::Sms | Medium::Chat | Medium::Voice);
        self.settings.list.foreign.iter().any(|foreign| !is_text(foreign.medium))
    }

    /// Whether the list may never prove anything: then nobody is called, and what is lost is for a person.
    pub fn may_prove_nothing(&self) -> bool {
        let list = &self.settings.list;
        let is_unreadable =
            list.offset == Offset::Ignored || list.failing_at.is_some() || list.order == Order::Unordered;
        // Of a word that says nothing, the program learns what it means from calls whose answers come.
        let is_odd_word = self.settings.wording.voice_medium == "xyz";
        let texts = list.foreign.iter().any(|foreign| foreign.medium != Medium::Voice);
        let is_untold = self.settings.wording.voice_medium.is_empty() && texts;
        is_unreadable
            || self.has_texts_that_look_like_calls()
            || is_odd_word
            || is_untold
            || self.blurs > 1
            || self.illegible > 0
            // Read with minutes to a page, a long list is not read in a window.
            || (self.slowness > TimeDelta::minutes(1) && !list.foreign.is_empty())
            || list.gaps.is_some()
    }
}

impl Plan {
    pub fn drawn(seed: u64) -> Self {
        Self::with_lines(seed, Dice::new(seed).apart(9).chance(30))
    }

    /// The same, with one number of ours, or with two of two locations.
    pub fn with_lines(seed: u64, has_lines: bool) -> Self {
        let dice = Dice::new(seed);
        let start = start(&mut dice.apart(1));
        let mut rules = dice.apart(2);
        let settle = rules.pick(&[120, 120, 300, 600]);
        let mut places = dice.apart(8);
        let campaign = Arc::new(campaign(&mut rules, settle, has_lines));
        let mut lists = lists(&mut dice.apart(3), start);
        if has_lines {
            settle_down(&mut places, &mut lists);
        }
        let mut vendor = habits(&mut dice.apart(4), seed, start, TimeDelta::seconds(settle.into()));
        vendor.named = dice.apart(7).pick(&[0, 0, 30, 95]);
        if has_lines {
            vendor.silent = silent(&mut places, start);
        }
        let mut fate = dice.apart(5);
        let (crashes, stops) = (fate.pick(&[0, 1, 2, 4, 8]), fate.pick(&[0, 0, 1, 2]));
        let until_done = fate.chance(60);
        let opt_outs = opt_outs(&mut dice.apart(6), &lists, start);
        let mut odd = dice.apart(14);
        let restores = odd.pick(&[0, 0, 0, 1, 2]);
        let suspended = odd.chance(20).then(|| (odd.between(1, 8).into(), odd.some_time(TimeDelta::hours(60))));
        if restores > 0 {
            be_told_apart(&mut lists);
        }
        be_odd(&mut odd, &mut vendor, &lists, restores > 0);
        let mut clock = odd_clock(&mut odd, &mut vendor);
        // What sleeps is a machine, whose clock is its own.
        clock.real |= suspended.is_some();
        cut_short(&mut odd, &mut lists);
        Self { start, campaign, lists, vendor, crashes, stops, until_done, clock, restores, suspended, opt_outs }
    }
}

/// What the contract leaves open (`annie-api.md`, GET /conversations), drawn: how the list lies about itself, what its rows
/// lack, and what else is on it. Where a ledger may be put back, what was called must be there to be read.
fn be_odd(dice: &mut Dice, vendor: &mut Habits, lists: &[Vec<Person>], is_restored: bool) {
    let Settings { list, wording, .. } = &mut vendor.settings;
    wording.voice_medium = dice.pick(&["VOICE", "VOICE", "outbound_call", "xyz", ""]).into();
    list.inversions = TimeDelta::seconds(dice.pick(&[0, 0, 5, 30]));
    list.total = dice.pick(&[
        Total::True,
        Total::Missing,
        Total::OfThePage,
        Total::Capped(100),
        Total::Stale(7),
        Total::TooHigh,
    ]);
    // Of a long list, short pages would be read for hours.
    let is_long = list.foreign.iter().any(|foreign| foreign.every < TimeDelta::seconds(400));
    list.page_cap = if is_long { 100 } else { dice.pick(&[100, 100, 50, 20]) };
    list.stray = dice.chance(15);
    list.duplicates = dice.chance(15);
    let backlog = list.foreign.first().map_or(0, |foreign| foreign.backlog);
    if dice.chance(8) && backlog < 100 {
        list.order = Order::Unordered;
    }
    if dice.chance(5) {
        list.offset = Offset::Ignored;
    }
    if dice.chance(4) {
        list.failing_at = Some(dice.between(0, 120).into());
    }
    if dice.chance(25) {
        let field = dice.pick(&[Field::Id, Field::From, Field::To, Field::Start]);
        let for_good = dice.chance(15) && field != Field::Id && !is_restored;
        list.gaps = Some(Gaps { field, percent: dice.pick(&[10, 40]), for_good });
    }
    if dice.chance(40) {
        let to: Vec<_> = lists.iter().flatten().map(|person| person.phone).take(8).collect();
        let medium = dice.pick(&[Medium::Sms, Medium::Chat, Medium::Whatsapp, Medium::Email, Medium::Untold]);
        // Nobody could tell a text from a call that is as untold, or from calls of which nothing has been learnt any more.
        let is_told = wording.voice_medium == "VOICE" || wording.voice_medium == "outbound_call";
        // Where nothing on the list says what anything is, a text without a medium may be a call.
        let others_call = list.foreign.first().is_some_and(|foreign| foreign.backlog > 0);
        let may_be_untold = is_told && others_call;
        let medium = if is_restored || (medium == Medium::Untold && !may_be_untold) { Medium::Sms } else { medium };
        let every = TimeDelta::seconds(dice.between(120, 3_600).into());
        list.foreign.push(Foreign { every, backlog: 0, from: number(FROM), to, medium });
    }
    if is_restored {
        (vendor.illegible, vendor.blurs, vendor.misses) = (0, 0, 0);
    }
}

/// A machine whose clock is off until somebody sets it right, or is set in the midst of a run, or whose vendor's `Date` is
/// a proxy's now and then: the program must go by the machine's clock for real.
fn odd_clock(dice: &mut Dice, vendor: &mut Habits) -> clock::Habit {
    let ordinary = clock::Habit::default();
    if !dice.chance(25) {
        return ordinary;
    }
    vendor.dated = true;
    let span = TimeDelta::seconds(240) + dice.some_time(TimeDelta::days(2));
    let off = if dice.chance(50) { span } else { -span };
    match dice.between(0, 2) {
        0 => vendor.stale_dates = dice.between(3, 12).into(),
        1 => return clock::Habit { off, real: true, ..ordinary },
        _ => return clock::Habit { set: Some((dice.between(1, 6).into(), off)), real: true, ..ordinary },
    }
    clock::Habit { real: true, ..ordinary }
}

/// The vendor's list names numbers, not patients: where a ledger may be put back, each patient has a number of their own,
/// and keeps it.
fn be_told_apart(lists: &mut Vec<Vec<Person>>) {
    lists.truncate(1);
    let mut numbers = HashSet::new();
    lists[0].retain(|person| numbers.insert(person.phone));
}

/// Now and then an export is cut short in the midst of the nights.
fn cut_short(dice: &mut Dice, lists: &mut Vec<Vec<Person>>) {
    let Some(at) = (0..lists.len()).find(|at| lists[*at].len() >= 20).filter(|_| dice.chance(40)) else { return };
    let few = lists[at].iter().take(3).cloned().collect();
    lists.insert(at + 1, few);
}

pub fn number(text: &str) -> E164 {
    E164::parse(text).expect("a number of the plan's own making")
}

fn start(dice: &mut Dice) -> DateTime<Utc> {
    // An ordinary week, and the weeks in which the clocks go forward and back.
    let week =
        dice.pick(&["2026-11-23T06:00:00Z", "2026-11-23T06:00:00Z", "2026-03-05T06:00:00Z", "2026-10-29T06:00:00Z"]);
    let week: DateTime<Utc> = week.parse().expect("an instant");
    let hour = if dice.chance(80) { dice.between(15, 22) } else { dice.between(0, 167) };
    week + TimeDelta::hours(hour.into()) + dice.millis(0, 3_600_000)
}

fn campaign(dice: &mut Dice, settle: u32, has_lines: bool) -> Campaign {
    let window = dice.pick(&["09:30-17:00", "09:00-20:00", "13:00-15:00"]);
    let canary = if dice.chance(20) { "canary = 2" } else { "" };
    let max_calls = if dice.chance(10) { "max_calls = 5" } else { "" };
    let [north, south] = LOCATIONS;
    let lines =
        format!("[[line]]\nlocation = \"{north}\"\n[[line]]\nlocation = \"{south}\"\nfrom_number = \"{SECOND_FROM}\"");
    let lines = if has_lines { &*lines } else { "" };
    let text = format!(
        r#"
name = "simulation"
purpose = "recall"
[practice]
name = "Bright Smile Dental"
timezone = "America/Chicago"
from_number = "{FROM}"
callback_number = "+13125550100"
[list]
on_absent = "{on_absent}"
[calling]
consent = "on_file"
days = ["mon", "tue", "wed", "thu", "fri", "sat"]
window = "{window}"
[redial]
max_attempts = {max_attempts}
min_gap = "{min_gap}h"
after = ["no_answer", "busy", "left_voicemail", "unclassified"]
[rate]
open_calls = {open_calls}
[safety]
settle = "{settle}s"
on_lost_answer = "{on_lost_answer}"
{canary}
{max_calls}
[vendor]
kind = "simulator"
{lines}
"#,
        on_absent = dice.pick(&["withdraw", "keep"]),
        max_attempts = dice.between(1, 3),
        min_gap = dice.pick(&[24, 25, 72]),
        open_calls = dice.pick(&[1, 3, 10]),
        on_lost_answer = dice.pick(&["hold", "retry"]),
    );
    load(&text, "simulation.toml", PathBuf::from("."), Allowances::default())
        .unwrap_or_else(|problems| panic!("the campaign is sound: {problems:?}"))
}

fn lists(dice: &mut Dice, start: DateTime<Utc>) -> Vec<Vec<Person>> {
    let size = dice.pick(&[1, 3, 8, 8, 20]);
    let mut lists = vec![(0..size).map(|at| person(dice, at, start)).collect::<Vec<_>>()];
    for edition in 1..=dice.pick(&[0, 0, 1, 2]) {
        let next = edited(dice, &lists[lists.len() - 1], 100 * edition, start);
        lists.push(next);
    }
    lists
}

fn opt_outs(dice: &mut Dice, lists: &[Vec<Person>], start: DateTime<Utc>) -> Vec<(DateTime<Utc>, E164)> {
    let numbers: Vec<E164> = lists.iter().flatten().map(|person| person.phone).collect();
    let mut opt_outs: Vec<_> = (0..dice.pick(&[0, 0, 1, 3]))
        .map(|_| (start + dice.some_time(TimeDelta::hours(40)), dice.pick(&numbers)))
        .collect();
    opt_outs.sort_by_key(|(at, _)| *at);
    opt_outs
}

fn person(dice: &mut Dice, at: u32, start: DateTime<Utc>) -> Person {
    let (phone, zone) = line(dice, at);
    let standing = match dice.between(0, 19) {
        0 => Standing::Suppressed(Reason::Booked),
        1 => Standing::Held(Reason::ConsentBlank),
        _ => Standing::Ready,
    };
    let not_after = dice.chance(10).then(|| start + TimeDelta::hours(dice.between(1, 60).into()));
    let members = if dice.chance(10) { dice.between(1, 2) } else { 0 };
    Person { key: format!("P-{at}"), phone, zone, standing, not_after, members, location: None }
}

/// Everybody is at home somewhere, and a few move.
fn settle_down(dice: &mut Dice, lists: &mut [Vec<Person>]) {
    let mut homes: HashMap<String, &'static str> = HashMap::new();
    for person in lists.iter_mut().flatten() {
        let home = homes.entry(person.key.clone()).or_insert_with(|| dice.pick(&LOCATIONS));
        if dice.chance(5) {
            *home = dice.pick(&LOCATIONS);
        }
        person.location = Some(*home);
    }
}

/// Now and then one of our numbers may not call at first, and sometimes each of them.
fn silent(dice: &mut Dice, start: DateTime<Utc>) -> Vec<(E164, DateTime<Utc>)> {
    let numbers = dice.pick(&[&[][..], &[FROM], &[SECOND_FROM], &[FROM, SECOND_FROM]]);
    let mut until = || start + dice.some_time(TimeDelta::hours(30));
    numbers.iter().map(|text| (number(text), until())).collect()
}

/// One of a few numbers, so that some people share one.
fn line(dice: &mut Dice, at: u32) -> (E164, &'static str) {
    let (area, zone) = dice.pick(&PLACES);
    let last = if dice.chance(80) { 100 + at % 100 } else { 100 + dice.between(0, 3) };
    (number(&format!("+1{area}555{:04}", if last == 142 { 143 } else { last })), zone)
}

/// The next night's list: some rows are gone, some have changed, some are new, and the order is another.
fn edited(dice: &mut Dice, list: &[Person], new_from: u32, start: DateTime<Utc>) -> Vec<Person> {
    let mut next = Vec::new();
    for old in list.iter().rev() {
        let mut row = old.clone();
        match dice.between(0, 9) {
            0 => continue,
            1 => (row.phone, row.zone) = line(dice, new_from),
            2 => row.standing = dice.pick(&[Standing::Ready, Standing::Suppressed(Reason::Inactive)]),
            3 => row.not_after = None,
            _ => {}
        }
        next.push(row);
    }
    next.extend((0..dice.between(0, 3)).map(|at| person(dice, new_from + at, start)));
    next
}

fn habits(dice: &mut Dice, seed: u64, start: DateTime<Utc>, settle: TimeDelta) -> Habits {
    let dated = dice.chance(80);
    let furthest = if dated { 100 } else { 40 };
    let ahead = TimeDelta::seconds(i64::from(dice.pick(&[0, 0, dice.clone().between(1, furthest)])));
    let mut settings = Settings { seed, from_numbers: vec![number(FROM), number(SECOND_FROM)], ..Settings::default() };
    settings.list.order = dice.pick(&[Order::NewestFirst, Order::OldestFirst]);
    settings.list.lag = lag(dice, settle);
    let foreign = dice.chance(50).then(|| Foreign {
        every: TimeDelta::seconds(dice.between(20, 600).into()),
        backlog: dice.pick(&[0, 50, 150]),
        from: number("+13125550199"),
        to: PLACES.iter().map(|(area, _)| number(&format!("+1{area}5550101"))).collect(),
        medium: Medium::Voice,
    });
    settings.list.foreign.extend(foreign);
    settings.budget = BudgetRules {
        used_by_others: dice.pick(&[0, 0, 30]),
        retry_after: RetryAfter::Absent,
        ..BudgetRules::default()
    };
    let outages = (0..dice.pick(&[0, 0, 1, 2])).map(|_| outage(dice, start)).collect();
    Habits {
        settings,
        ahead: if dice.chance(50) { ahead } else { -ahead },
        dated,
        metered: dice.chance(80),
        call_faults: dice.pick(&[0, 10, 30, 60]),
        read_faults: dice.pick(&[0, 5, 20]),
        blurs: dice.pick(&[0, 0, 1, 25]),
        misses: dice.pick(&[0, 0, 10]),
        illegible: dice.pick(&[0, 0, 0, 0, 4]),
        gaps: dice.pick(&[0, 10, 50]),
        named: 0,
        stale_dates: 0,
        slowness: dice.pick(&[TimeDelta::milliseconds(50), TimeDelta::seconds(2), TimeDelta::minutes(4)]),
        outages,
        silent: Vec::new(),
        odd: Odd::drawn(&mut dice.apart(1), start),
    }
}

/// The list shows a call before S has passed since its request could last be acted on.
fn lag(dice: &mut Dice, settle: TimeDelta) -> TimeDelta {
    let longest = settle - PROCESSING - TimeDelta::seconds(10);
    let span = dice.millis(0, longest.num_milliseconds() as u32);
    dice.pick(&[TimeDelta::zero(), span, longest])
}

fn outage(dice: &mut Dice, start: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    let from = start + dice.some_time(TimeDelta::hours(30));
    (from, from + dice.some_time(TimeDelta::minutes(40)))
}

impl Person {
    pub fn draft(&self, line: u64) -> Draft {
        let patient =
            |id: String| PatientInfo { first_name: "Pat".into(), patient_id: Some(id), ..PatientInfo::default() };
        let member = |n| {
            let key = format!("{}-{n}", self.key);
            Member { key: EntryKey::new(&*key), patient: patient(key), line: line + u64::from(n) }
        };
        Draft {
            key: EntryKey::new(&*self.key),
            organisation: OrganisationId::new("Bright Smile Dental"),
            location: self.location.map(Location::new),
            phone: self.phone,
            alternatives: Vec::new(),
            zones: CalledPartyZones {
                zones: vec![self.zone.into()],
                regions: Vec::new(),
                source: ZoneSource::AreaCode,
            },
            content: Content { patient: patient(self.key.clone()), ..Content::default() },
            not_after: self.not_after,
            standing: self.standing,
            members: (1..=self.members).map(member).collect(),
            line,
        }
    }
}

/// Where a list's rows go.
pub fn tally(list: &[Person]) -> ListTally {
    let (accepted, merged) = (list.len() as u64, list.iter().map(|person| u64::from(person.members)).sum());
    ListTally { read: accepted + merged, accepted, merged, ..ListTally::default() }
}
