//! A seed's plan, drawn before the simulation starts: the campaign, its lists, how the vendor and its network behave, and
//! how often the program is killed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use callrounds::campaign::Campaign;
use callrounds::entry::{
    CallContent, CalledPartyZones, HouseholdMember, ListCounts, ListEligibility, NewEntry, PatientInfo, Reason,
    ZoneSource,
};
use callrounds::ids::{EntryKey, Location};
use callrounds::phone::E164;
use callrounds::simulator::medium::SimulatedMedium;
use callrounds::simulator::settings::{
    BudgetRules, ConversationOrder, ForeignTraffic, Gaps, Offset, RetryAfter, RowField, Settings, Total,
};
use chrono::{DateTime, TimeDelta, Utc};

use super::clock;
use super::odd_responses::OddResponses;
use crate::support::fixtures::{self, CONSENT, REQUIRED, SIMULATOR, new_entry};
use crate::support::seeded_rng::SeededRng;

/// How long after its caller has stopped waiting a request may still be acted on.
pub const PROCESSING: TimeDelta = TimeDelta::seconds(45);

/// Area codes that lie in one time zone each, so that the oracle needs no table of its own.
pub const AREA_CODES: [(&str, &str); 8] = [
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

/// The caller id of the second location, where there are two; no patient has this number.
const SECOND_FROM: &str = "+13125550141";

/// Two locations of one organisation, each with its own caller id.
const LOCATIONS: [&str; 2] = ["North", "South"];

/// Everything that a seed decides before the simulation starts.
pub struct Plan {
    pub start: DateTime<Utc>,
    pub campaign: Arc<Campaign>,
    /// The lists, used one after the other; the last one stays.
    pub lists: Vec<Vec<Person>>,
    pub vendor: Habits,
    /// How often the program is killed, at most.
    pub crashes: u32,
    /// How often it is asked to stop, at most.
    pub stops: u32,
    pub until_done: bool,
    pub clock: clock::Habit,
    /// How often an older copy of the ledger is restored, at most.
    pub restores: u32,
    /// After this many dialled calls, the machine is suspended for this long.
    pub suspended: Option<(u64, TimeDelta)>,
    /// Opt-outs that reach the operator outside a call: when, and for which number.
    pub opt_outs: Vec<(DateTime<Utc>, E164)>,
}

/// A row of a list.
#[derive(Clone)]
pub struct Person {
    pub key: String,
    pub phone: E164,
    pub zone: &'static str,
    pub standing: ListEligibility,
    pub not_after: Option<DateTime<Utc>>,
    pub members: u32,
    /// The patient's location, if the campaign has locations.
    pub location: Option<&'static str>,
}

/// How the vendor and its network behave.
#[derive(Clone)]
pub struct Habits {
    pub settings: Settings,
    /// The vendor's clock minus the true time.
    pub ahead: TimeDelta,
    /// Whether answers carry `Date`.
    pub dated: bool,
    /// Whether answers carry the budget's headers.
    pub metered: bool,
    /// Percentage of calls with a network fault.
    pub call_faults: u32,
    /// Percentage of failed reads.
    pub read_faults: u32,
    /// Percentage of page rows that cannot be read.
    pub unreadable_rows: u32,
    /// Percentage of page rows that are left out, at most once for each conversation.
    pub misses: u32,
    /// Percentage of conversations that no page ever shows in a readable form.
    pub illegible: u32,
    /// Percentage of conversations that lack a field until they are closed.
    pub gaps: u32,
    /// Every nth answer is an hour old by its `Date`; 0: none is.
    pub stale_dates: u64,
    /// The longest time that a call waits to be acted on; reads and answers take 30 s at most.
    pub slowness: TimeDelta,
    /// Percentage of conversations that a webhook names when they close; 0: the program takes no webhooks.
    pub named: u32,
    /// Spans in which no request reaches the vendor.
    pub outages: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    /// Caller ids that the vendor blocks, each until this instant.
    pub blocked_caller_ids: Vec<(E164, DateTime<Utc>)>,
    pub odd: OddResponses,
}

impl Habits {
    /// Whether other software sends our patients messages that an operator could not tell from calls either.
    pub fn has_texts_that_look_like_calls(&self) -> bool {
        let is_text = |medium| matches!(medium, SimulatedMedium::Sms | SimulatedMedium::Chat | SimulatedMedium::Voice);
        self.settings.list.foreign.iter().any(|foreign| !is_text(foreign.medium))
    }

    /// Whether the list may never prove anything: then nobody is called, and lost answers are held.
    pub fn may_prove_nothing(&self) -> bool {
        let list = &self.settings.list;
        let is_unreadable =
            list.offset == Offset::Ignored || list.failing_at.is_some() || list.order == ConversationOrder::Unordered;
        // The program learns the meaning of an unknown medium only from calls whose answers arrive.
        let is_unknown_medium = self.settings.wording.voice_medium == "xyz";
        let texts = list.foreign.iter().any(|foreign| foreign.medium != SimulatedMedium::Voice);
        let is_untold = self.settings.wording.voice_medium.is_empty() && texts;
        is_unreadable
            || self.has_texts_that_look_like_calls()
            || is_unknown_medium
            || is_untold
            || self.unreadable_rows > 1
            || self.illegible > 0
            // At minutes for each page, a long list is not read completely within a window.
            || (self.slowness > TimeDelta::minutes(1) && !list.foreign.is_empty())
            || list.gaps.is_some()
    }
}

impl Plan {
    pub fn drawn(seed: u64) -> Self {
        Self::with_locations(seed, SeededRng::new(seed).derive(9).chance(30))
    }

    /// The same with one caller id, or with two locations and a caller id for each.
    pub fn with_locations(seed: u64, has_locations: bool) -> Self {
        let rng = SeededRng::new(seed);
        let start = start(&mut rng.derive(1));
        let mut rules = rng.derive(2);
        let settle = rules.pick(&[120, 120, 300, 600]);
        let mut location_rng = rng.derive(8);
        let campaign = Arc::new(campaign(&mut rules, settle, has_locations));
        let mut lists = lists(&mut rng.derive(3), start);
        if has_locations {
            assign_locations(&mut location_rng, &mut lists);
        }
        let mut vendor = habits(&mut rng.derive(4), seed, start, TimeDelta::seconds(settle.into()));
        vendor.named = rng.derive(7).pick(&[0, 0, 30, 95]);
        if has_locations {
            vendor.blocked_caller_ids = blocked_caller_ids(&mut location_rng, start);
        }
        let mut run_rng = rng.derive(5);
        let (crashes, stops) = (run_rng.pick(&[0, 1, 2, 4, 8]), run_rng.pick(&[0, 0, 1, 2]));
        let until_done = run_rng.chance(60);
        let opt_outs = opt_outs(&mut rng.derive(6), &lists, start);
        let mut odd = rng.derive(14);
        let restores = odd.pick(&[0, 0, 0, 1, 2]);
        let suspended = odd.chance(20).then(|| (odd.between(1, 8).into(), odd.up_to(TimeDelta::hours(60))));
        if restores > 0 {
            make_numbers_unique(&mut lists);
        }
        draw_list_oddities(&mut odd, &mut vendor, &lists, restores > 0);
        let mut clock = odd_clock(&mut odd, &mut vendor);
        // A suspension is noticed only by a program whose clock is real.
        clock.real |= suspended.is_some();
        cut_short(&mut odd, &mut lists);
        Self { start, campaign, lists, vendor, crashes, stops, until_done, clock, restores, suspended, opt_outs }
    }
}

/// Draws what the contract leaves open (`annie-api.md`, GET /conversations): wrong totals and offsets, missing fields, and
/// foreign rows. Where a ledger may be restored, the rows of our calls stay readable.
fn draw_list_oddities(rng: &mut SeededRng, vendor: &mut Habits, lists: &[Vec<Person>], is_restored: bool) {
    let Settings { list, wording, .. } = &mut vendor.settings;
    wording.voice_medium = rng.pick(&["VOICE", "VOICE", "outbound_call", "xyz", ""]).into();
    list.inversions = TimeDelta::seconds(rng.pick(&[0, 0, 5, 30]));
    list.total =
        rng.pick(&[Total::True, Total::Missing, Total::OfThePage, Total::Capped(100), Total::Stale(7), Total::TooHigh]);
    // Reading a long list in short pages would take hours.
    let is_long = list.foreign.iter().any(|foreign| foreign.every < TimeDelta::seconds(400));
    list.page_cap = if is_long { 100 } else { rng.pick(&[100, 100, 50, 20]) };
    list.stray = rng.chance(15);
    list.duplicates = rng.chance(15);
    let backlog = list.foreign.first().map_or(0, |foreign| foreign.backlog);
    if rng.chance(8) && backlog < 100 {
        list.order = ConversationOrder::Unordered;
    }
    if rng.chance(5) {
        list.offset = Offset::Ignored;
    }
    if rng.chance(4) {
        list.failing_at = Some(rng.between(0, 120).into());
    }
    if rng.chance(25) {
        let field = rng.pick(&[RowField::Id, RowField::From, RowField::To, RowField::Start]);
        let for_good = rng.chance(15) && field != RowField::Id && !is_restored;
        list.gaps = Some(Gaps { field, percent: rng.pick(&[10, 40]), for_good });
    }
    if rng.chance(40) {
        let to: Vec<_> = lists.iter().flatten().map(|person| person.phone).take(8).collect();
        let medium = rng.pick(&[
            SimulatedMedium::Sms,
            SimulatedMedium::Chat,
            SimulatedMedium::Whatsapp,
            SimulatedMedium::Email,
            SimulatedMedium::Untold,
        ]);
        // A text without a medium cannot be told from a call if the calls' medium is missing or unknown.
        let is_known = wording.voice_medium == "VOICE" || wording.voice_medium == "outbound_call";
        // Nor if the list has no foreign calls, whose medium the program could compare.
        let has_foreign_calls = list.foreign.first().is_some_and(|foreign| foreign.backlog > 0);
        let may_lack_medium = is_known && has_foreign_calls;
        let medium = if is_restored || (medium == SimulatedMedium::Untold && !may_lack_medium) {
            SimulatedMedium::Sms
        } else {
            medium
        };
        let every = TimeDelta::seconds(rng.between(120, 3_600).into());
        list.foreign.push(ForeignTraffic { every, backlog: 0, from: number(FROM), to, medium });
    }
    if is_restored {
        (vendor.illegible, vendor.unreadable_rows, vendor.misses) = (0, 0, 0);
    }
}

/// Draws a machine's clock: wrong until it is corrected, set during a run, or right with some answers cached by a proxy. In
/// each case the program treats the clock as real.
fn odd_clock(rng: &mut SeededRng, vendor: &mut Habits) -> clock::Habit {
    let ordinary = clock::Habit::default();
    if !rng.chance(25) {
        return ordinary;
    }
    vendor.dated = true;
    let span = TimeDelta::seconds(240) + rng.up_to(TimeDelta::days(2));
    let off = if rng.chance(50) { span } else { -span };
    match rng.between(0, 2) {
        0 => vendor.stale_dates = rng.between(3, 12).into(),
        1 => return clock::Habit { off, real: true, ..ordinary },
        _ => return clock::Habit { set: Some((rng.between(1, 6).into(), off)), real: true, ..ordinary },
    }
    clock::Habit { real: true, ..ordinary }
}

/// Gives each patient a number of their own, and one list only: the vendor's list shows numbers, not patients, so a restored
/// ledger could not tell patients with one number apart.
fn make_numbers_unique(lists: &mut Vec<Vec<Person>>) {
    lists.truncate(1);
    let mut numbers = HashSet::new();
    lists[0].retain(|person| numbers.insert(person.phone));
}

/// Now and then, inserts a list that was cut short.
fn cut_short(rng: &mut SeededRng, lists: &mut Vec<Vec<Person>>) {
    let Some(at) = (0..lists.len()).find(|at| lists[*at].len() >= 20).filter(|_| rng.chance(40)) else { return };
    let few = lists[at].iter().take(3).cloned().collect();
    lists.insert(at + 1, few);
}

pub fn number(text: &str) -> E164 {
    E164::parse(text).expect("a valid number")
}

fn start(rng: &mut SeededRng) -> DateTime<Utc> {
    // An ordinary week, and the weeks with the daylight saving changes.
    let week =
        rng.pick(&["2026-11-23T06:00:00Z", "2026-11-23T06:00:00Z", "2026-03-05T06:00:00Z", "2026-10-29T06:00:00Z"]);
    let week: DateTime<Utc> = week.parse().expect("an instant");
    let hour = if rng.chance(80) { rng.between(15, 22) } else { rng.between(0, 167) };
    week + TimeDelta::hours(hour.into()) + rng.millis(0, 3_600_000)
}

fn campaign(rng: &mut SeededRng, settle: u32, has_locations: bool) -> Campaign {
    let window = rng.pick(&["09:30-17:00", "09:00-20:00", "13:00-15:00"]);
    let canary = if rng.chance(20) { "canary = 2" } else { "" };
    let max_calls = if rng.chance(10) { "max_calls = 5" } else { "" };
    let [north, south] = LOCATIONS;
    let lines =
        format!("[[line]]\nlocation = \"{north}\"\n[[line]]\nlocation = \"{south}\"\nfrom_number = \"{SECOND_FROM}\"");
    let lines = if has_locations { &*lines } else { "" };
    let text = format!(
        r#"{REQUIRED}callback_number = "+13125550100"
[list]
on_absent = "{on_absent}"
{CONSENT}days = ["mon", "tue", "wed", "thu", "fri", "sat"]
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
{SIMULATOR}{lines}
"#,
        on_absent = rng.pick(&["withdraw", "keep"]),
        max_attempts = rng.between(1, 3),
        min_gap = rng.pick(&[24, 25, 72]),
        open_calls = rng.pick(&[1, 3, 10]),
        on_lost_answer = rng.pick(&["hold", "retry"]),
    );
    fixtures::load(&text)
}

fn lists(rng: &mut SeededRng, start: DateTime<Utc>) -> Vec<Vec<Person>> {
    let size = rng.pick(&[1, 3, 8, 8, 20]);
    let mut lists = vec![(0..size).map(|at| person(rng, at, start)).collect::<Vec<_>>()];
    for edition in 1..=rng.pick(&[0, 0, 1, 2]) {
        let next = next_list(rng, &lists[lists.len() - 1], 100 * edition, start);
        lists.push(next);
    }
    lists
}

fn opt_outs(rng: &mut SeededRng, lists: &[Vec<Person>], start: DateTime<Utc>) -> Vec<(DateTime<Utc>, E164)> {
    let numbers: Vec<E164> = lists.iter().flatten().map(|person| person.phone).collect();
    let mut opt_outs: Vec<_> =
        (0..rng.pick(&[0, 0, 1, 3])).map(|_| (start + rng.up_to(TimeDelta::hours(40)), rng.pick(&numbers))).collect();
    opt_outs.sort_by_key(|(at, _)| *at);
    opt_outs
}

fn person(rng: &mut SeededRng, at: u32, start: DateTime<Utc>) -> Person {
    let (phone, zone) = phone_and_zone(rng, at);
    let standing = match rng.between(0, 19) {
        0 => ListEligibility::Suppressed(Reason::Booked),
        1 => ListEligibility::Held(Reason::ConsentBlank),
        _ => ListEligibility::Ready,
    };
    let not_after = rng.chance(10).then(|| start + TimeDelta::hours(rng.between(1, 60).into()));
    let members = if rng.chance(10) { rng.between(1, 2) } else { 0 };
    Person { key: format!("P-{at}"), phone, zone, standing, not_after, members, location: None }
}

/// Gives every patient a location; a few change it between two lists.
fn assign_locations(rng: &mut SeededRng, lists: &mut [Vec<Person>]) {
    let mut homes: HashMap<String, &'static str> = HashMap::new();
    for person in lists.iter_mut().flatten() {
        let home = homes.entry(person.key.clone()).or_insert_with(|| rng.pick(&LOCATIONS));
        if rng.chance(5) {
            *home = rng.pick(&LOCATIONS);
        }
        person.location = Some(*home);
    }
}

/// Now and then, one caller id or each of them is blocked at first.
fn blocked_caller_ids(rng: &mut SeededRng, start: DateTime<Utc>) -> Vec<(E164, DateTime<Utc>)> {
    let numbers = rng.pick(&[&[][..], &[FROM], &[SECOND_FROM], &[FROM, SECOND_FROM]]);
    let mut until = || start + rng.up_to(TimeDelta::hours(30));
    numbers.iter().map(|text| (number(text), until())).collect()
}

/// A number from a small range, so that some people share one, and its time zone.
fn phone_and_zone(rng: &mut SeededRng, at: u32) -> (E164, &'static str) {
    let (area, zone) = rng.pick(&AREA_CODES);
    let last = if rng.chance(80) { 100 + at % 100 } else { 100 + rng.between(0, 3) };
    (number(&format!("+1{area}555{:04}", if last == 142 { 143 } else { last })), zone)
}

/// The next night's list: some rows are gone, some have changed, some are new, and the order is reversed.
fn next_list(rng: &mut SeededRng, list: &[Person], new_from: u32, start: DateTime<Utc>) -> Vec<Person> {
    let mut next = Vec::new();
    for old in list.iter().rev() {
        let mut row = old.clone();
        match rng.between(0, 9) {
            0 => continue,
            1 => (row.phone, row.zone) = phone_and_zone(rng, new_from),
            2 => row.standing = rng.pick(&[ListEligibility::Ready, ListEligibility::Suppressed(Reason::Inactive)]),
            3 => row.not_after = None,
            _ => {}
        }
        next.push(row);
    }
    next.extend((0..rng.between(0, 3)).map(|at| person(rng, new_from + at, start)));
    next
}

fn habits(rng: &mut SeededRng, seed: u64, start: DateTime<Utc>, settle: TimeDelta) -> Habits {
    let dated = rng.chance(80);
    let furthest = if dated { 100 } else { 40 };
    let ahead = TimeDelta::seconds(i64::from(rng.pick(&[0, 0, rng.clone().between(1, furthest)])));
    let mut settings = Settings { seed, from_numbers: vec![number(FROM), number(SECOND_FROM)], ..Settings::default() };
    settings.list.order = rng.pick(&[ConversationOrder::NewestFirst, ConversationOrder::OldestFirst]);
    settings.list.lag = lag(rng, settle);
    let foreign = rng.chance(50).then(|| ForeignTraffic {
        every: TimeDelta::seconds(rng.between(20, 600).into()),
        backlog: rng.pick(&[0, 50, 150]),
        from: number("+13125550199"),
        to: AREA_CODES.iter().map(|(area, _)| number(&format!("+1{area}5550101"))).collect(),
        medium: SimulatedMedium::Voice,
    });
    settings.list.foreign.extend(foreign);
    let limits = &mut rng.derive(3);
    if limits.chance(25) {
        settings.rules.concurrent_calls = Some(limits.pick(&[1, 2, 3, 8]));
        settings.rules.closing_counts = limits.chance(50);
    }
    settings.budget = BudgetRules {
        used_by_others: rng.pick(&[0, 0, 30]),
        retry_after: RetryAfter::Absent,
        ..BudgetRules::default()
    };
    let outages = (0..rng.pick(&[0, 0, 1, 2])).map(|_| outage(rng, start)).collect();
    Habits {
        settings,
        ahead: if rng.chance(50) { ahead } else { -ahead },
        dated,
        metered: rng.chance(80),
        call_faults: rng.pick(&[0, 10, 30, 60]),
        read_faults: rng.pick(&[0, 5, 20]),
        unreadable_rows: rng.pick(&[0, 0, 1, 25]),
        misses: rng.pick(&[0, 0, 10]),
        illegible: rng.pick(&[0, 0, 0, 0, 4]),
        gaps: rng.pick(&[0, 10, 50]),
        named: 0,
        stale_dates: 0,
        slowness: rng.pick(&[TimeDelta::milliseconds(50), TimeDelta::seconds(2), TimeDelta::minutes(4)]),
        outages,
        blocked_caller_ids: Vec::new(),
        odd: OddResponses::drawn(&mut rng.derive(1), start),
    }
}

/// Draws the list's delay: it shows a call before the settle time has passed since its request could last be acted on.
fn lag(rng: &mut SeededRng, settle: TimeDelta) -> TimeDelta {
    let longest = settle - PROCESSING - TimeDelta::seconds(10);
    let span = rng.millis(0, longest.num_milliseconds() as u32);
    rng.pick(&[TimeDelta::zero(), span, longest])
}

fn outage(rng: &mut SeededRng, start: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    let from = start + rng.up_to(TimeDelta::hours(30));
    (from, from + rng.up_to(TimeDelta::minutes(40)))
}

impl Person {
    pub fn new_entry(&self, line: u64) -> NewEntry {
        let patient =
            |id: String| PatientInfo { first_name: "Pat".into(), patient_id: Some(id), ..PatientInfo::default() };
        let member = |n| {
            let key = format!("{}-{n}", self.key);
            HouseholdMember { key: EntryKey::new(&*key), patient: patient(key), line: line + u64::from(n) }
        };
        let area_code = |zone: &str| CalledPartyZones {
            zones: vec![zone.into()],
            regions: Vec::new(),
            source: ZoneSource::AreaCode,
        };
        NewEntry {
            location: self.location.map(Location::new),
            zones: area_code(self.zone),
            content: CallContent { patient: patient(self.key.clone()), ..CallContent::default() },
            not_after: self.not_after,
            eligibility: self.standing,
            members: (1..=self.members).map(member).collect(),
            line,
            ..new_entry(&*self.key, self.phone)
        }
    }
}

/// The counts of a list's rows.
pub fn tally(list: &[Person]) -> ListCounts {
    let (accepted, merged) = (list.len() as u64, list.iter().map(|person| u64::from(person.members)).sum());
    ListCounts { read: accepted + merged, accepted, merged, ..ListCounts::default() }
}
