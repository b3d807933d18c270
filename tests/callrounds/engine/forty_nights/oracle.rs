//! Who may be called and who must be called, night by night, by the sentences of the specification alone.
//!
//! The oracle is told each night's list, the operators' decisions and the calls that were seen. It answers whether a call
//! was forbidden ([`Oracle::must_not_call`]), who should have been called and was not ([`Oracle::must_have_called`]),
//! whether a list should have been refused ([`Oracle::expect_list`]), and which states and figures the morning may show
//! ([`Oracle::expected_counts`]).
//!
//! Each rule is a function with its sentence. It answers `Free`, `Forbidden`, or `Open` where the specification leaves the
//! answer open. A call is wrong only if a rule says `Forbidden`; a call is missing only if every rule says `Free`.

use crate::engine::forty_nights::calendar::{Instant, Number, PRACTICE, dialing_hours, is_open_day, part_of_day};
use crate::engine::forty_nights::story::{
    CallResult, Consent, Decision, Patient, ReminderRow, Resolution, Review, Row, Status,
};
use chrono::{Duration, NaiveDate};
use std::collections::BTreeMap;

mod cut_short;
mod figures;
mod rules;

pub use figures::{Counts, Range, State};
use rules::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Campaign {
    Recall,
    Reminder,
}

/// Who is called about what: a patient in the recall campaign, an appointment in the reminder campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub campaign: Campaign,
    /// the patient's number; the appointment's number in a reminder
    pub id: u32,
}

pub fn recall(patient: Patient) -> Key {
    Key { campaign: Campaign::Recall, id: patient }
}

pub fn reminder(appointment: u32) -> Key {
    Key { campaign: Campaign::Reminder, id: appointment }
}

/// A call that was seen: one request to the vendor.
#[derive(Clone, Debug)]
pub struct Call {
    pub number: Number,
    /// when it was decided and recorded; if only the vendor's time is known, see [`Limits::tolerance`]
    pub at: Instant,
    /// whom the call names or covers, the one who is addressed first; all of one campaign
    pub who: Vec<Key>,
    pub result: CallResult,
}

/// The figures that the rules of a campaign use.
#[derive(Clone, Debug)]
pub struct CampaignRules {
    pub max_attempts: usize,
    pub min_gap: Duration,
    pub redialled: &'static [CallResult],
    pub vary_time: bool,
    pub withdraws_absent: bool,
    pub stop_before_appointment: Option<Duration>,
}

impl CampaignRules {
    /// The defaults of `purpose = "recall"`.
    pub fn recall() -> CampaignRules {
        CampaignRules {
            max_attempts: 3,
            min_gap: Duration::hours(72),
            redialled: &[CallResult::NoAnswer, CallResult::Busy, CallResult::LeftVoicemail],
            vary_time: true,
            withdraws_absent: true,
            stop_before_appointment: None,
        }
    }

    /// The defaults of `purpose = "reminder"`.
    pub fn reminder() -> CampaignRules {
        CampaignRules {
            max_attempts: 2,
            min_gap: Duration::hours(24),
            redialled: &[CallResult::NoAnswer, CallResult::Busy],
            vary_time: false,
            withdraws_absent: false,
            stop_before_appointment: Some(Duration::hours(2)),
        }
    }
}

/// What the oracle allows a program in time.
#[derive(Clone, Debug)]
pub struct Limits {
    /// a call may seem this much too early or too late, if the instants seen are not exactly those decided upon
    pub tolerance: Duration,
    /// a gap counts from the end of the conversation; a conversation lasts at most this long
    pub longest_call: Duration,
    /// a call that may be placed for this long without a break is due, if the run goes on for as long
    pub slack: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { tolerance: Duration::zero(), longest_call: Duration::minutes(20), slack: Duration::minutes(45) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// the rule surely does not stand in the way
    Free,
    /// the specification leaves it open
    Open,
    /// the sentence that forbids the call
    Forbidden(&'static str),
}

use Verdict::{Forbidden, Free, Open};

impl Verdict {
    fn is_free(self) -> bool {
        self == Free
    }

    fn sentence(self) -> Option<&'static str> {
        match self {
            Forbidden(sentence) => Some(sentence),
            Free | Open => None,
        }
    }

    /// `Forbidden` if it surely holds, `Open` if it may hold.
    fn of(surely: bool, perhaps: bool, sentence: &'static str) -> Verdict {
        match (surely, perhaps) {
            (true, _) => Forbidden(sentence),
            (false, true) => Open,
            (false, false) => Free,
        }
    }
}

/// What the program did with the night's list, as it said itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListTaken {
    Accepted,
    /// exit code 3: nothing of it is enrolled, nothing is sent
    Refused,
    /// the run ended before it said: whether the list was enrolled is not known
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListExpectation {
    Accepted,
    Refused,
    /// the counts of the specification can be read in several ways that do not agree
    Open,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Certainty {
    No,
    Perhaps,
    Yes,
}

/// What is known of one patient, or of one appointment.
#[derive(Clone, Debug)]
struct Person {
    /// the newest row
    row: ListedRow,
    on_the_list: bool,
    /// was on a list when the number was suppressed, or in doubt
    has_been_barred: bool,
    /// all on the number that are connected by name or guarantor, whether they may be called or not
    kin: Vec<Key>,
    /// those of them whom a call to one surely covers: connected each with each, none of them excluded by the list
    household: Vec<Key>,
    /// the calls that named or covered this person, by index
    calls: Vec<usize>,
    cancelled: Certainty,
    /// was a patient of the campaign when it was cancelled, whatever the state
    belongs_to_cancelled: bool,
    /// by `resolve --cancel`
    dropped: Certainty,
}

#[derive(Clone, Debug)]
struct ListedRow {
    phone: Number,
    other_phone: Option<Number>,
    last_name: &'static str,
    patient: Patient,
    guarantor: Option<Patient>,
    excluded: Option<&'static str>,
    appointment: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// with an outcome
    Placed,
    Refused,
    /// held after a lost answer
    Held,
    /// no call was placed: an operator said so, or brought a refused entry back
    NotPlaced,
    /// an operator decided, and what the decision did is open
    Unclear,
}

#[derive(Clone, Debug)]
struct PastCall {
    number: Number,
    at: Instant,
    campaign: Campaign,
    who: Vec<Key>,
    /// what it brought, which a review may have changed since
    said: CallResult,
    result: CallResult,
    fate: Fate,
    night: usize,
    /// a person has to read what was said
    is_in_doubt: bool,
}

impl PastCall {
    fn addressed(&self) -> Key {
        self.who[0]
    }

    fn is_wrong_number(&self) -> bool {
        matches!(self.result, CallResult::WrongNumber | CallResult::InvalidNumber)
    }
}

#[derive(Clone, Debug, Default)]
struct Line {
    calls: Vec<usize>,
    opted_out: bool,
    /// it was suppressed, or in doubt, on some day
    has_been_barred: bool,
    /// an operator's suppression, with its last day
    suppressed: Option<Option<NaiveDate>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pause {
    None,
    Until(Option<NaiveDate>),
}

#[derive(Clone, Debug)]
pub struct Oracle {
    pub limits: Limits,
    recall_rules: CampaignRules,
    reminder_rules: CampaignRules,
    people: BTreeMap<Key, Person>,
    lines: BTreeMap<Number, Line>,
    calls: Vec<PastCall>,
    night: usize,
    tonight: Option<Tonight>,
    pause: Pause,
    is_cancelled: bool,
    /// a list that may have been enrolled after the last one that was: who is on it
    perhaps_enrolled: Option<Vec<Patient>>,
}

#[derive(Clone, Copy, Debug)]
struct Tonight {
    date: NaiveDate,
    /// the first instant of the day, and its noon, by the practice's clock
    midnight: Instant,
    noon: Instant,
    recall_run: Option<Instant>,
    recall_list: ListTaken,
    reminder_run: Option<Instant>,
}

/// One question: may this person be named in a call to this number at this instant?
#[derive(Clone, Copy, Debug)]
struct Case {
    key: Key,
    addressed: Key,
    number: Number,
    at: Instant,
}

/// "Each cap waits one minute longer, for the two clocks to differ."
const MARGIN: Duration = Duration::minutes(2);

// --- what is told ----------------------------------------------------------------------------------------------------

impl Oracle {
    pub fn new(recall_rules: CampaignRules, reminder_rules: CampaignRules, limits: Limits) -> Oracle {
        Oracle {
            limits,
            recall_rules,
            reminder_rules,
            people: BTreeMap::new(),
            lines: BTreeMap::new(),
            calls: Vec::new(),
            night: 0,
            tonight: None,
            pause: Pause::None,
            is_cancelled: false,
            perhaps_enrolled: None,
        }
    }

    /// A decision on the morning of a day, before the day's run.
    pub fn decide(&mut self, decision: &Decision) {
        match *decision {
            Decision::Suppress { number, expires } => {
                let line = self.lines.entry(number).or_default();
                line.has_been_barred = true;
                // "A shorter entry never shortens a longer one."
                line.suppressed = Some(match line.suppressed {
                    None => expires,
                    Some(known) => known.zip(expires).map(|(known, new)| known.max(new)),
                });
            }
            Decision::Lift { number } => {
                let line = self.lines.entry(number).or_default();
                // "Allows calls to it again": also after an opt-out, whose suppression is the number's.
                (line.suppressed, line.opted_out) = (None, false);
            }
            Decision::Cancel => self.cancel(),
            Decision::UndoCancel => self.undo_cancel(),
            Decision::Pause { until } => self.pause = Pause::Until(until),
            Decision::Resume => self.pause = Pause::None,
            Decision::Resolve { patient, how } => self.resolve(recall(patient), how),
        }
    }

    /// `review ENTRY …`: of every conversation of this person that is in doubt.
    pub fn review(&mut self, key: Key, how: Review) {
        let Some(person) = self.people.get(&key) else { return };
        for &index in &person.calls {
            let call = &mut self.calls[index];
            if !call.is_in_doubt || call.addressed() != key {
                continue;
            }
            call.is_in_doubt = false;
            let line = self.lines.entry(call.number).or_default();
            match how {
                Review::OptedOut => (call.result, line.opted_out) = (CallResult::OptOut, true),
                // "The number is suppressed for good."
                Review::Deceased => (call.result, line.opted_out) = (CallResult::DeceasedOrMoved, true),
                Review::MayBeCalled => {}
            }
        }
    }

    fn cancel(&mut self) {
        self.is_cancelled = true;
        let surely: Vec<Key> = match self.perhaps_enrolled {
            Some(_) => Vec::new(),
            None => self.recall_people().filter(|&key| self.to_be_called(key) == Certainty::Yes).collect(),
        };
        for (key, person) in self.people.iter_mut().filter(|(key, _)| key.campaign == Campaign::Recall) {
            person.cancelled = if surely.contains(key) { Certainty::Yes } else { Certainty::Perhaps };
            person.belongs_to_cancelled = true;
        }
    }

    fn undo_cancel(&mut self) {
        self.is_cancelled = false;
        for (_, person) in self.people.iter_mut().filter(|(key, _)| key.campaign == Campaign::Recall) {
            person.cancelled = Certainty::No;
            person.belongs_to_cancelled = false;
        }
    }

    fn resolve(&mut self, key: Key, how: Resolution) {
        let Some(person) = self.people.get(&key) else { return };
        let settles = |&&call: &&usize| {
            let call = &self.calls[call];
            call.addressed() == key && matches!(call.fate, Fate::Held | Fate::Refused)
        };
        let Some(&index) = person.calls.last().filter(settles) else { return };
        let known_to_the_list =
            person.on_the_list && self.perhaps_enrolled.as_ref().is_none_or(|patients| patients.contains(&key.id));
        let takes_effect = known_to_the_list && person.cancelled == Certainty::No;
        let was_refused = self.calls[index].fate == Fate::Refused;
        let fate = match how {
            Resolution::NotPlaced if takes_effect => Fate::NotPlaced,
            Resolution::Cancel if was_refused => Fate::Refused,
            Resolution::NotPlaced | Resolution::Cancel => Fate::Unclear,
        };
        let number = self.calls[index].number;
        for &call in &person.calls {
            let call = &mut self.calls[call];
            if call.number == number && call.addressed() == key && matches!(call.fate, Fate::Held | Fate::Refused) {
                call.fate = fate;
            }
        }
        if how == Resolution::Cancel {
            for covered in self.calls[index].who.clone() {
                let surely = covered == key && takes_effect;
                let dropped = if surely { Certainty::Yes } else { Certainty::Perhaps };
                if let Some(person) = self.people.get_mut(&covered) {
                    person.dropped = person.dropped.max(dropped);
                }
            }
        }
    }

    /// The night's lists and runs. The decisions of the morning come before, the calls after it.
    pub fn begin_night(&mut self, date: NaiveDate, run: Option<Instant>, rows: &[Row], list: ListTaken) {
        self.night += 1;
        let at = |hour| PRACTICE.to_utc(date.and_hms_opt(hour, 0, 0).expect("a time of day"));
        let (midnight, noon) = (at(0), at(12));
        self.tonight = Some(Tonight { date, midnight, noon, recall_run: run, recall_list: list, reminder_run: None });
        if run.is_none() {
            return;
        }
        match list {
            ListTaken::Refused => {}
            ListTaken::Unknown => self.perhaps_enrolled = Some(rows.iter().map(|row| row.patient).collect()),
            ListTaken::Accepted => {
                self.perhaps_enrolled = None;
                self.take_recall_list(date, &spare_forbidden_numbers(rows));
            }
        }
    }

    /// The night's reminder list and run, if there is one: after [`Oracle::begin_night`].
    pub fn begin_reminders(&mut self, run: Instant, rows: &[ReminderRow]) {
        if let Some(tonight) = &mut self.tonight {
            tonight.reminder_run = Some(run);
        }
        for (key, person) in &mut self.people {
            person.on_the_list &= key.campaign != Campaign::Reminder;
        }
        for row in rows {
            let listed = ListedRow {
                phone: row.phone,
                other_phone: None,
                last_name: row.last_name,
                patient: row.patient,
                guarantor: row.guarantor,
                excluded: None,
                appointment: Some(row.start),
            };
            self.take_row(reminder(row.appointment), listed);
        }
        self.group_households(Campaign::Reminder);
    }

    fn take_recall_list(&mut self, date: NaiveDate, rows: &[Row]) {
        for (key, person) in &mut self.people {
            person.on_the_list &= key.campaign != Campaign::Recall;
        }
        for row in rows {
            let listed = ListedRow {
                phone: row.phone,
                other_phone: row.other_phone,
                last_name: row.last_name,
                patient: row.patient,
                guarantor: row.guarantor,
                excluded: exclusion(row, date),
                appointment: None,
            };
            self.take_row(recall(row.patient), listed);
        }
        self.group_households(Campaign::Recall);
        let rules: [NumberRule; 3] = [suppression, opt_out, doubt];
        let at = self.tonight.map_or(Instant::MIN_UTC, |tonight| tonight.noon);
        let is_barred = |number| rules.iter().any(|rule| !rule(self, number, at).is_free());
        let barred: Vec<Key> = self
            .people
            .iter()
            .filter(|(_, person)| person.on_the_list)
            .filter(|(_, person)| is_barred(person.row.phone) || person.row.other_phone.is_some_and(is_barred))
            .map(|(&key, _)| key)
            .collect();
        for key in barred {
            self.people.get_mut(&key).expect("a known person").has_been_barred = true;
        }
    }

    fn take_row(&mut self, key: Key, row: ListedRow) {
        let person = self.people.entry(key).or_insert_with(|| Person {
            row: row.clone(),
            on_the_list: true,
            has_been_barred: false,
            kin: Vec::new(),
            household: Vec::new(),
            calls: Vec::new(),
            // "Patients who are new on a later list are not cancelled."
            cancelled: Certainty::No,
            belongs_to_cancelled: false,
            dropped: Certainty::No,
        });
        person.row = row;
        person.on_the_list = true;
    }

    fn group_households(&mut self, campaign: Campaign) {
        let mut by_number: Vec<(Number, Key)> = self
            .people
            .iter()
            .filter(|(key, person)| key.campaign == campaign && person.on_the_list)
            .map(|(&key, person)| (person.row.phone, key))
            .collect();
        by_number.sort_unstable();
        for sharing in by_number.chunk_by(|a, b| a.0 == b.0) {
            let mut left: Vec<Key> = sharing.iter().map(|&(_, key)| key).collect();
            while let Some(first) = left.pop() {
                let mut kin = vec![first];
                let mut next = 0;
                while next < kin.len() {
                    let row = &self.people[&kin[next]].row;
                    next += 1;
                    let (joins, stays): (Vec<Key>, Vec<Key>) =
                        left.iter().partition(|&other| connected(row, &self.people[other].row) != Certainty::No);
                    kin.extend(joins);
                    left = stays;
                }
                kin.sort_unstable();
                let callable: Vec<Key> =
                    kin.iter().copied().filter(|key| self.people[key].row.excluded.is_none()).collect();
                let row = |key: &Key| &self.people[key].row;
                let surely_one =
                    callable.iter().all(|a| callable.iter().all(|b| connected(row(a), row(b)) == Certainty::Yes));
                let household = if surely_one && campaign == Campaign::Recall { callable } else { Vec::new() };
                for key in &kin {
                    let person = self.people.get_mut(key).expect("a member is known");
                    person.kin.clone_from(&kin);
                    person.household.clone_from(&household);
                }
            }
        }
    }

    /// A call that was seen. Calls come in the order of their instants. Answers the sentence that forbade it, if any.
    pub fn observe(&mut self, call: &Call) -> Option<&'static str> {
        let verdict = self.must_not_call(call);
        let campaign = call.who[0].campaign;
        // "Patients on one number are one household … one call": the call speaks for every member who could be in it.
        let mut who = call.who.clone();
        who.extend(self.left_out(call));
        let fate = match call.result {
            CallResult::Refused => Fate::Refused,
            CallResult::AnswerLost => Fate::Held,
            _ => Fate::Placed,
        };
        let (result, is_in_doubt) = match call.result {
            CallResult::PossibleOptOut | CallResult::PossiblyDeceased => (CallResult::Unclassified, true),
            CallResult::VoicemailInDoubt => (CallResult::LeftVoicemail, true),
            result => (result, false),
        };
        let index = self.calls.len();
        for key in &who {
            if let Some(person) = self.people.get_mut(key) {
                person.calls.push(index);
            }
        }
        let line = self.lines.entry(call.number).or_default();
        line.calls.push(index);
        line.has_been_barred |= is_in_doubt || call.result == CallResult::OptOut;
        if call.result == CallResult::OptOut {
            line.opted_out = true;
        }
        self.calls.push(PastCall {
            number: call.number,
            at: call.at,
            campaign,
            who,
            said: call.result,
            result,
            fate,
            night: self.night,
            is_in_doubt,
        });
        verdict
    }
}

/// "A number that one row forbids (`do_not_call`) is not dialled for another row either … If the other patient has another
/// number, that one is dialled; otherwise the reason is `do_not_call`."
fn spare_forbidden_numbers(rows: &[Row]) -> Vec<Row> {
    let numbers = |row: &Row| std::iter::once(row.phone).chain(row.other_phone);
    let forbids = |row: &&Row| row.do_not_call && row.status != Status::Deceased;
    let forbidden: Vec<Number> = rows.iter().filter(forbids).flat_map(numbers).collect();
    let spared = |row: &Row| {
        let mut row = row.clone();
        let mut left = numbers(&row).filter(|number| !forbidden.contains(number));
        match left.next() {
            _ if row.do_not_call => {}
            Some(first) => (row.phone, row.other_phone) = (first, left.next()),
            None => row.do_not_call = true,
        }
        row
    };
    rows.iter().map(spared).collect()
}

/// What a row of the recall list forbids, on the day of its run.
fn exclusion(row: &Row, date: NaiveDate) -> Option<&'static str> {
    if row.status == Status::Deceased {
        Some("the list says that the patient is deceased")
    } else if row.do_not_call {
        Some("the list says: do not call")
    } else if row.consent == Consent::No {
        Some("a consent cell that says no always wins")
    } else if row.status == Status::Inactive {
        Some("the list says that the patient is inactive")
    } else if row.next_appointment.is_some_and(|appointment| appointment >= date) {
        Some("a patient with an appointment today or later is not called by a recall")
    } else if row.consent == Consent::Blank {
        Some("consent is blank in a recall: the entry is held")
    } else {
        None
    }
}

/// Whether two rows of one number are one household: "same number and last name, guarantor or household id".
/// Open: whether a row without a guarantor is its own guarantor; appointments on different days.
fn connected(a: &ListedRow, b: &ListedRow) -> Certainty {
    let same_guarantor = a.guarantor.is_some() && a.guarantor == b.guarantor;
    let guarantor_of = |a: &ListedRow, b: &ListedRow| a.guarantor == Some(b.patient);
    if a.last_name == b.last_name || same_guarantor || a.patient == b.patient {
        Certainty::Yes
    } else if guarantor_of(a, b) || guarantor_of(b, a) {
        Certainty::Perhaps
    } else {
        Certainty::No
    }
}

// --- what is asked ---------------------------------------------------------------------------------------------------

impl Oracle {
    /// The sentence that forbids a call, if any. Asked before the call is observed.
    pub fn must_not_call(&self, call: &Call) -> Option<&'static str> {
        let campaign = call.who[0].campaign;
        let of_campaign = CAMPAIGN_RULES.iter().find_map(|rule| rule(self, campaign, call.at).sentence());
        of_campaign
            .or_else(|| self.must_not_call_number(call.number, call.at))
            .or_else(|| one_household(self, call).sentence())
            .or_else(|| {
                call.who.iter().find_map(|&key| {
                    let case = Case { key, addressed: call.who[0], number: call.number, at: call.at };
                    self.person_rules(&case).sentence()
                })
            })
    }

    /// The sentence that forbids any call to a number, whoever it is for.
    pub fn must_not_call_number(&self, number: Number, at: Instant) -> Option<&'static str> {
        self.number_rules(number, at).sentence()
    }

    /// Who belongs to the household that a call speaks to, could be in the call by every rule, and is neither named nor
    /// covered by it. "Patients on one number are one household …: one call"; "each member has a row of its own".
    /// Asked before the call is observed.
    pub fn left_out(&self, call: &Call) -> Vec<Key> {
        let addressed = call.who[0];
        let household = self.people.get(&addressed).map_or(&[][..], |person| &person.household);
        let members = household.iter().copied().filter(|member| !call.who.contains(member));
        let may_be_in_it = |&key: &Key| {
            let case = Case { key, addressed, number: call.number, at: call.at };
            self.person_rules(&case).is_free()
        };
        members.filter(may_be_in_it).collect()
    }

    /// Why the list should have been taken by tonight's recall run, if the run did not take it: [`ListTaken::Unknown`].
    pub fn must_have_run(&self) -> Option<&'static str> {
        let tonight = self.tonight.filter(|tonight| tonight.recall_list == ListTaken::Unknown)?;
        let run = tonight.recall_run?;
        // Open: whether a run of a cancelled campaign reads the list.
        let is_free =
            is_open_day(tonight.date) && !self.is_cancelled && pause_holds(self, Campaign::Recall, run).is_free();
        is_free.then_some("a campaign that nobody has paused is run: a pause ends with resume, or with its date")
    }

    /// Who should have been called by tonight's recall run and was not. Asked after the night's calls were observed.
    pub fn must_have_called(&self) -> Vec<(Patient, &'static str)> {
        let Some(tonight) = self.tonight.filter(|tonight| tonight.recall_list == ListTaken::Accepted) else {
            return Vec::new();
        };
        let Some(run) = tonight.recall_run else { return Vec::new() };
        let due = self.due_tonight(Campaign::Recall, tonight, run);
        due.into_iter().map(|key| (key.id, self.why_due(key))).collect()
    }

    /// The same for the reminder run: the appointments that should have been called about.
    pub fn must_have_reminded(&self) -> Vec<(u32, &'static str)> {
        let Some(tonight) = self.tonight else { return Vec::new() };
        let Some(run) = tonight.reminder_run else { return Vec::new() };
        let due = self.due_tonight(Campaign::Reminder, tonight, run);
        due.into_iter().map(|key| (key.id, "an appointment whose reminder is due is called about")).collect()
    }

    fn due_tonight(&self, campaign: Campaign, tonight: Tonight, run: Instant) -> Vec<Key> {
        if !is_open_day(tonight.date) || !CAMPAIGN_RULES.iter().all(|rule| rule(self, campaign, run).is_free()) {
            return Vec::new();
        }
        let of_campaign = self.people.iter().filter(|(key, _)| key.campaign == campaign);
        of_campaign.filter(|(key, person)| self.was_due(**key, person, tonight, run)).map(|(&key, _)| key).collect()
    }

    /// Due: on the list, allowed for `slack` without a break, and no call to the number tonight that used its turn.
    fn was_due(&self, key: Key, person: &Person, tonight: Tonight, run: Instant) -> bool {
        if !person.on_the_list || person.row.excluded.is_some() || self.was_called_tonight(person) {
            return false;
        }
        let Some(number) = self.number_to_dial(key, person) else { return false };
        if self.calls_to(number).any(|call| call.night == self.night) || self.uses_the_other_number(person, number) {
            return false;
        }
        let settled_at = person.calls.iter().map(|&call| self.calls[call].at + self.limits.longest_call).max();
        let Some((opens, closes)) = dialing_hours(number, tonight.date) else { return false };
        // What forbids a call at one instant ends later; only the part of the day comes and goes, at noon.
        [tonight.noon, closes].into_iter().any(|end| {
            let (from, to) = (end - self.limits.slack, end - Duration::minutes(1));
            from >= opens.max(run)
                && settled_at.is_none_or(|settled_at| settled_at <= from)
                && [from, to].into_iter().all(|at| {
                    let case = Case { key, addressed: key, number, at };
                    self.person_rules(&case).is_free()
                        && self.number_rules(number, at).is_free()
                        && self.household_is_ready(person, &case)
                })
        })
    }

    /// Open: whether a household is called without a member who has to wait, or together once all may be called.
    fn household_is_ready(&self, person: &Person, case: &Case) -> bool {
        let others = person.kin.iter().filter(|&&other| other != case.key);
        others.into_iter().all(|&other| {
            let other_person = &self.people[&other];
            let other_case = Case { key: other, addressed: other, ..*case };
            let is_out = LASTING_RULES.iter().any(|rule| rule(self, other_person, &other_case).sentence().is_some());
            let waits_for_an_operator = held(self, other_person, &other_case) != Free
                || other_person.dropped != Certainty::No
                || other_person.cancelled != Certainty::No;
            !waits_for_an_operator && (is_out || self.person_rules(&other_case).is_free())
        })
    }

    /// The first number of the row that did not prove wrong for this patient.
    fn number_to_dial(&self, key: Key, person: &Person) -> Option<Number> {
        let proved_wrong = |number: Number| {
            let mut calls = self.calls_to(number);
            calls.any(|call| call.fate == Fate::Placed && call.is_wrong_number() && call.who.contains(&key))
        };
        let numbers = [Some(person.row.phone), person.row.other_phone];
        numbers.into_iter().flatten().find(|&number| !proved_wrong(number))
    }

    /// Open: which number is redialled, if the other number is in use already when the first one is corrected.
    fn uses_the_other_number(&self, person: &Person, number: Number) -> bool {
        let last = person.calls.last().map(|&call| &self.calls[call]);
        last.is_some_and(|last| {
            Some(last.number) == person.row.other_phone && last.number != number && !last.is_wrong_number()
        })
    }

    fn was_called_tonight(&self, person: &Person) -> bool {
        // A call after which another number is due tonight does not count: a wrong number.
        person
            .calls
            .iter()
            .rev()
            .map(|&call| &self.calls[call])
            .any(|call| call.night == self.night && !(call.fate == Fate::Placed && call.is_wrong_number()))
    }

    fn why_due(&self, key: Key) -> &'static str {
        let person = &self.people[&key];
        let Some(last) = person.calls.last().map(|&call| &self.calls[call]) else {
            return "a patient on the list whom no rule excludes is called";
        };
        match last.fate {
            Fate::Refused => "a corrected number reopens an entry that the vendor refused",
            Fate::NotPlaced => "an entry declared not placed may be called again",
            Fate::Placed if last.is_wrong_number() => "a new number is dialled after a wrong one, while calls are left",
            _ => "no_answer, busy and left_voicemail are redialled after the gap, while calls are left",
        }
    }

    /// Whether a recall patient is still to be called, now or later.
    fn to_be_called(&self, key: Key) -> Certainty {
        let person = &self.people[&key];
        if !person.on_the_list {
            return Certainty::No;
        }
        let at = self.tonight.map_or(Instant::MIN_UTC, |tonight| tonight.midnight);
        // Open: held and suppressed patients.
        if self.is_held(key, person) || person.row.excluded.is_some_and(|why| why.contains("held")) {
            return Certainty::Perhaps;
        }
        let Some(number) = self.number_to_dial(key, person) else { return Certainty::No };
        let case = Case { key, addressed: key, number, at };
        let mut certainty = Certainty::Yes;
        for verdict in LASTING_RULES.iter().map(|rule| rule(self, person, &case)) {
            match verdict {
                Free => {}
                Open => certainty = Certainty::Perhaps,
                Forbidden(_) => return Certainty::No,
            }
        }
        if [suppression, opt_out, doubt].iter().any(|rule: &NumberRule| !rule(self, number, at).is_free()) {
            certainty = Certainty::Perhaps;
        }
        certainty
    }

    fn is_held(&self, key: Key, person: &Person) -> bool {
        let held = |call: &PastCall| call.addressed() == key && (call.fate == Fate::Held || call.is_in_doubt);
        person.calls.iter().any(|&call| held(&self.calls[call]))
    }

    fn recall_people(&self) -> impl Iterator<Item = Key> {
        self.people.keys().copied().filter(|key| key.campaign == Campaign::Recall)
    }

    fn rules(&self, key: Key) -> &CampaignRules {
        match key.campaign {
            Campaign::Recall => &self.recall_rules,
            Campaign::Reminder => &self.reminder_rules,
        }
    }

    fn leads_to_another_call(&self, call: &PastCall) -> bool {
        let key = call.addressed();
        call.is_wrong_number() || self.rules(key).redialled.contains(&call.result)
    }

    fn calls_to(&self, number: Number) -> impl DoubleEndedIterator<Item = &PastCall> {
        self.lines.get(&number).into_iter().flat_map(|line| &line.calls).map(|&call| &self.calls[call])
    }

    /// The calls that count for a person: surely those that named or covered the person, perhaps those to the number that
    /// called the household without the person.
    fn history<'a>(&'a self, person: &'a Person, case: &'a Case) -> impl Iterator<Item = (&'a PastCall, Certainty)> {
        let own = person.calls.iter().map(|&call| (&self.calls[call], Certainty::Yes));
        let others = self.calls_to(case.number).filter(|call| {
            call.campaign == case.key.campaign
                && !call.who.contains(&case.key)
                && call.who.iter().any(|other| self.may_be_one_household(person, *other))
        });
        own.chain(others.map(|call| (call, Certainty::Perhaps)))
    }

    /// Open: whether somebody who is not on the list any more counts, and somebody connected through a third person.
    /// "Appointments on different days … are different calls."
    fn may_be_one_household(&self, person: &Person, other: Key) -> bool {
        let Some(other_person) = self.people.get(&other) else { return false };
        let day = |person: &Person| person.row.appointment.map(|start| PRACTICE.to_local(start).date());
        day(person) == day(other_person)
            && (person.kin.contains(&other) || connected(&other_person.row, &person.row) != Certainty::No)
    }

    fn person_rules(&self, case: &Case) -> Verdict {
        let Some(person) = self.people.get(&case.key) else {
            return Forbidden("somebody was called who was never on a list");
        };
        let rules = LASTING_RULES.iter().chain(&TIMED_RULES);
        strictest(rules.map(|rule| rule(self, person, case)))
    }

    fn number_rules(&self, number: Number, at: Instant) -> Verdict {
        strictest(NUMBER_RULES.iter().map(|rule| rule(self, number, at)))
    }

    fn cap(&self, number: Number, at: Instant, span: Duration, most: usize, sentence: &'static str) -> Verdict {
        let (mut surely, mut perhaps) = (0, 0);
        for call in self.calls_to(number) {
            // Open: whether an entry that is held after a lost answer counts as a call.
            let counts = match call.fate {
                Fate::Placed => Certainty::Yes,
                Fate::Held | Fate::Unclear => Certainty::Perhaps,
                Fate::Refused | Fate::NotPlaced => Certainty::No,
            };
            if counts == Certainty::Yes && at + self.limits.tolerance < call.at + span {
                surely += 1;
            } else if counts != Certainty::No && at < call.at + span + MARGIN {
                perhaps += 1;
            }
        }
        Verdict::of(surely >= most, surely + perhaps >= most, sentence)
    }

    /// The first instant from `from` on at which the number may be called at another part of the day than `last`.
    fn next_other_part(&self, number: Number, from: Instant, last: Instant) -> Option<Instant> {
        let first_day = PRACTICE.to_local(from).date();
        (0..7).find_map(|days| {
            let date = first_day + Duration::days(days);
            let (opens, closes) = dialing_hours(number, date)?;
            let noon = PRACTICE.to_utc(date.and_hms_opt(12, 0, 0).expect("a time of day"));
            let candidates = [opens.max(from), noon.max(opens).max(from)];
            candidates.into_iter().find(|&at| at < closes && part_of_day(at) != part_of_day(last))
        })
    }
}

impl Tonight {
    fn run_of(&self, campaign: Campaign) -> Option<Instant> {
        match campaign {
            Campaign::Recall => self.recall_run,
            Campaign::Reminder => self.reminder_run,
        }
    }
}

fn strictest(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    let mut strictest = Free;
    for verdict in verdicts {
        match verdict {
            Free => {}
            Open => strictest = Open,
            Forbidden(_) => return verdict,
        }
    }
    strictest
}
