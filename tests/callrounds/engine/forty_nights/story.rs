//! Stories of forty nights at a dental practice, made from a seed.
//!
//! A story is what the practice's software exports each night, what operators decide in the mornings, and what each call
//! would bring. It does not depend on what the program under test does: the list of a night, the decisions and the result
//! of the n-th call to a number are fixed by the seed.

use crate::engine::forty_nights::calendar::{Instant, Number, PRACTICE};
use chrono::{Datelike, Duration, NaiveDate, Weekday};

pub type Patient = u32;

/// How many nights a story has: calendar days, weekends included.
pub const NIGHTS: usize = 40;

/// One row of the recall list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub patient: Patient,
    pub first_name: &'static str,
    pub last_name: &'static str,
    pub phone: Number,
    pub other_phone: Option<Number>,
    pub guarantor: Option<Patient>,
    pub consent: Consent,
    pub status: Status,
    pub do_not_call: bool,
    pub next_appointment: Option<NaiveDate>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    Yes,
    No,
    Blank,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Active,
    Inactive,
    Deceased,
}

/// One row of the reminder list: an appointment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReminderRow {
    pub patient: Patient,
    pub appointment: u32,
    pub first_name: &'static str,
    pub last_name: &'static str,
    pub phone: Number,
    pub guarantor: Option<Patient>,
    pub start: Instant,
}

/// What an operator decides in the morning, before the night's run. Decisions apply in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// `suppress add NUMBER [--expires DATE]`, for all purposes
    Suppress { number: Number, expires: Option<NaiveDate> },
    /// `suppress remove NUMBER`; a story lifts only what an operator has suppressed
    Lift { number: Number },
    /// `cancel` of the recall campaign
    Cancel,
    /// `cancel --undo` of the recall campaign
    UndoCancel,
    /// `pause [--until DATE]` of the recall campaign
    Pause { until: Option<NaiveDate> },
    /// the end of a pause
    Resume,
    /// `resolve ENTRY …` of the entry of this patient, which is held after a lost answer or refused by the vendor. Never
    /// part of a night's decisions: see [`Story::resolution`]
    Resolve { patient: Patient, how: Resolution },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    NotPlaced,
    Cancel,
}

/// How the night's list was made. For people who read a failure; no rule depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKind {
    Complete,
    CutShort,
    RepeatedFromYesterday,
}

#[derive(Clone, Debug)]
pub struct Night {
    pub date: NaiveDate,
    pub kind: ListKind,
    pub rows: Vec<Row>,
    /// the reminder list, if this practice sends one; not a list of everybody, so nobody is withdrawn from it
    pub reminders: Option<Vec<ReminderRow>>,
    /// before the run, at about 7:00 local time
    pub decisions: Vec<Decision>,
    /// when the run starts; no run on this day if `None`
    pub run: Option<Instant>,
}

/// What a call brings: an outcome, or why there is no conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallResult {
    NoAnswer,
    Busy,
    LeftVoicemail,
    Booked,
    Confirmed,
    RescheduleRequested,
    Declined,
    CallbackRequested,
    OptOut,
    WrongNumber,
    InvalidNumber,
    DeceasedOrMoved,
    ReachedOther,
    Unclassified,
    /// nothing known, but it may have been an opt-out: only a person can judge it
    PossibleOptOut,
    /// nothing known, but the patient may have died
    PossiblyDeceased,
    /// a voicemail in which somebody may have wanted no more calls
    VoicemailInDoubt,
    /// the vendor refuses the call in words that name the number; nobody's phone rings
    Refused,
    /// the answer to the request is lost, no call was placed, and the vendor's list does not show one: the entry is held
    AnswerLost,
}

#[derive(Clone, Debug)]
pub struct Story {
    pub seed: u64,
    pub nights: Vec<Night>,
    /// what the vendor of this story does; to be switched off where it cannot be played
    pub vendor: Vendor,
}

#[derive(Clone, Copy, Debug)]
pub struct Vendor {
    pub refuses_numbers: bool,
    pub loses_answers: bool,
    /// people say what only a person can judge
    pub speaks_in_doubt: bool,
}

impl Story {
    pub fn generate(seed: u64) -> Story {
        Life::new(seed).into_story()
    }

    /// What the `nth` call (from 1) to a number brings, whoever is spoken to. Calls that the vendor refuses count, too.
    pub fn call_result(&self, number: Number, _patients: &[Patient], nth: u32) -> CallResult {
        match self.certain_result(number, nth) {
            result if !self.vendor.speaks_in_doubt => result,
            CallResult::LeftVoicemail if self.is_in_doubt(number, nth) => CallResult::VoicemailInDoubt,
            CallResult::Unclassified | CallResult::Declined if self.is_in_doubt(number, nth) => {
                if number % 4 == 0 {
                    CallResult::PossiblyDeceased
                } else {
                    CallResult::PossibleOptOut
                }
            }
            result => result,
        }
    }

    /// Whether a person has to read what was said in the `nth` call.
    fn is_in_doubt(&self, number: Number, nth: u32) -> bool {
        Dice::new(mix(self.seed ^ 0xd0b7, number) ^ u64::from(nth)).chance(20)
    }

    fn certain_result(&self, number: Number, nth: u32) -> CallResult {
        let mut dice = Dice::new(mix(self.seed ^ 0xca11, number) ^ u64::from(nth));
        match nature(self.seed, number) {
            Nature::Refused if self.vendor.refuses_numbers => CallResult::Refused,
            Nature::Wrong if nth > 1 || dice.chance(80) => CallResult::WrongNumber,
            Nature::Invalid => CallResult::InvalidNumber,
            Nature::Silent => dice.weighted(&[(75, CallResult::NoAnswer), (25, CallResult::Busy)]),
            Nature::Wrong | Nature::Refused | Nature::Ordinary => match dice.weighted(&ORDINARY_RESULTS) {
                CallResult::AnswerLost if !self.vendor.loses_answers => CallResult::NoAnswer,
                result => result,
            },
        }
    }

    /// How an operator settles the entry of a patient on the morning of a night, if the entry is held after a lost answer
    /// or refused by the vendor.
    pub fn resolution(&self, night: usize, patient: Patient) -> Option<Resolution> {
        let mut dice = Dice::new(mix(self.seed ^ 0x5e77, u64::from(patient)) ^ night as u64);
        let how = dice.weighted(&[(3, Resolution::NotPlaced), (1, Resolution::Cancel)]);
        dice.chance(30).then_some(how)
    }
}

/// What a person decides who has read a conversation in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Review {
    OptedOut,
    Deceased,
    MayBeCalled,
}

impl Story {
    /// How a person settles the conversations in doubt of a patient or an appointment on the morning of a night, if one
    /// finds the time.
    pub fn review(&self, night: usize, id: u32) -> Option<Review> {
        let mut dice = Dice::new(mix(self.seed ^ 0x4ead, u64::from(id)) ^ night as u64);
        let how = dice.weighted(&[(2, Review::OptedOut), (1, Review::Deceased), (4, Review::MayBeCalled)]);
        dice.chance(40).then_some(how)
    }
}

const ORDINARY_RESULTS: [(u32, CallResult); 14] = [
    (36, CallResult::NoAnswer),
    (8, CallResult::Busy),
    (16, CallResult::LeftVoicemail),
    (9, CallResult::Booked),
    (1, CallResult::Confirmed),
    (2, CallResult::RescheduleRequested),
    (7, CallResult::Declined),
    (4, CallResult::CallbackRequested),
    (4, CallResult::OptOut),
    (2, CallResult::WrongNumber),
    (2, CallResult::DeceasedOrMoved),
    (3, CallResult::ReachedOther),
    (3, CallResult::Unclassified),
    (3, CallResult::AnswerLost),
];

/// What kind of number this is, whoever has it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nature {
    Ordinary,
    Silent,
    Wrong,
    Invalid,
    Refused,
}

fn nature(seed: u64, number: Number) -> Nature {
    Dice::new(mix(seed ^ 0x4a7e, number)).weighted(&[
        (68, Nature::Ordinary),
        (10, Nature::Silent),
        (10, Nature::Wrong),
        (6, Nature::Invalid),
        (6, Nature::Refused),
    ])
}

// --- the lists as files ---------------------------------------------------------------------------------------------

/// The recall list as a CSV file.
pub fn recall_csv(rows: &[Row]) -> String {
    let mut text = String::from(
        "patient_id,first_name,last_name,phone,other_phone,guarantor,consent,status,do_not_call,next_appointment\n",
    );
    for row in rows {
        let cells = [
            row.patient.to_string(),
            row.first_name.into(),
            row.last_name.into(),
            e164(row.phone),
            row.other_phone.map(e164).unwrap_or_default(),
            row.guarantor.map(|guarantor| guarantor.to_string()).unwrap_or_default(),
            match row.consent {
                Consent::Yes => "yes",
                Consent::No => "no",
                Consent::Blank => "",
            }
            .into(),
            match row.status {
                Status::Active => "Active",
                Status::Inactive => "Inactive",
                Status::Deceased => "Deceased",
            }
            .into(),
            if row.do_not_call { "yes" } else { "no" }.into(),
            row.next_appointment.map(|date| date.to_string()).unwrap_or_default(),
        ];
        text += &cells.join(",");
        text.push('\n');
    }
    text
}

/// The reminder list as a CSV file.
pub fn reminder_csv(rows: &[ReminderRow]) -> String {
    let mut text = String::from("patient_id,appointment_id,first_name,last_name,phone,guarantor,appointment_start\n");
    for row in rows {
        let cells = [
            row.patient.to_string(),
            row.appointment.to_string(),
            row.first_name.into(),
            row.last_name.into(),
            e164(row.phone),
            row.guarantor.map(|guarantor| guarantor.to_string()).unwrap_or_default(),
            PRACTICE.to_local(row.start).format("%Y-%m-%dT%H:%M:%S").to_string(),
        ];
        text += &cells.join(",");
        text.push('\n');
    }
    text
}

pub fn e164(number: Number) -> String {
    format!("+{number}")
}

// --- chance ---------------------------------------------------------------------------------------------------------

/// A small seeded generator (splitmix64).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        scramble(self.0)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.roll() % bound.max(1) as u64) as usize
    }

    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        least + self.below((most - least + 1) as usize) as i64
    }

    pub fn chance(&mut self, percent: u32) -> bool {
        self.roll() % 100 < u64::from(percent)
    }

    pub fn pick<T: Copy>(&mut self, among: &[T]) -> Option<T> {
        (!among.is_empty()).then(|| among[self.below(among.len())])
    }

    pub fn weighted<T: Copy>(&mut self, among: &[(u32, T)]) -> T {
        let total: u32 = among.iter().map(|(weight, _)| weight).sum();
        let mut left = (self.roll() % u64::from(total)) as u32;
        for &(weight, value) in among {
            if left < weight {
                return value;
            }
            left -= weight;
        }
        unreachable!("the weights add up to the total")
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

fn scramble(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn mix(a: u64, b: u64) -> u64 {
    scramble(scramble(a).wrapping_add(b))
}

// --- life -----------------------------------------------------------------------------------------------------------

const FIRST_NAMES: [&str; 24] = [
    "Ana", "Ben", "Cora", "Dan", "Eva", "Finn", "Gina", "Hugo", "Iris", "Jack", "Kate", "Leo", "Mia", "Noah", "Olive",
    "Paul", "Ruth", "Sam", "Tess", "Victor", "Wendy", "Ruby", "Zoe", "Carl",
];
const LAST_NAMES: [&str; 16] = [
    "Ames", "Barlow", "Carver", "Dalton", "Ellison", "Foster", "Garner", "Holden", "Jarvis", "Kendall", "Lawson",
    "Mercer", "Norris", "Palmer", "Turner", "Weaver",
];
const AREA_CODES: [(u32, Number); 8] =
    [(40, 312), (15, 773), (10, 872), (8, 708), (6, 847), (5, 630), (8, 212), (8, 415)];

#[derive(Clone)]
struct Person {
    row: Row,
    present: bool,
    gone_for_good: bool,
    /// every number that this person ever had, so that none comes back by chance
    numbers: Vec<Number>,
    /// the next reminder's appointment
    appointment: Option<(u32, Instant)>,
}

struct Life {
    seed: u64,
    dice: Dice,
    people: Vec<Person>,
    used_numbers: Vec<(Number, u32)>,
    next_patient: Patient,
    next_appointment: u32,
    sends_reminders: bool,
    cron_runs_on_weekends: bool,
    suppressed: Vec<(Number, Option<NaiveDate>)>,
    has_run: bool,
    cancelled: bool,
    paused: bool,
    paused_until: Option<NaiveDate>,
}

/// What happens in a life between two nights.
#[derive(Clone, Copy)]
enum Event {
    BookedAndOffTheList,
    BookedOnTheList,
    AppointmentOver,
    AppointmentCancelled,
    MovedAway,
    BackOnTheList,
    PhoneCorrected,
    OtherPhoneGiven,
    OtherPhoneRemoved,
    OptedOutAtTheDesk,
    OptOutTakenBack,
    ConsentRefused,
    ConsentLost,
    ConsentGiven,
    BecameInactive,
    Died,
    ActiveAgain,
    MovedInWithAnother,
    NameCorrected,
    GuarantorSet,
    GuarantorRemoved,
    NewPatient,
}

const EVENTS: [(u32, Event); 22] = [
    (8, Event::BookedAndOffTheList),
    (7, Event::BookedOnTheList),
    (3, Event::AppointmentOver),
    (5, Event::AppointmentCancelled),
    (3, Event::MovedAway),
    (16, Event::BackOnTheList),
    (8, Event::PhoneCorrected),
    (5, Event::OtherPhoneGiven),
    (2, Event::OtherPhoneRemoved),
    (4, Event::OptedOutAtTheDesk),
    (3, Event::OptOutTakenBack),
    (2, Event::ConsentRefused),
    (3, Event::ConsentLost),
    (6, Event::ConsentGiven),
    (4, Event::BecameInactive),
    (1, Event::Died),
    (5, Event::ActiveAgain),
    (6, Event::MovedInWithAnother),
    (4, Event::NameCorrected),
    (3, Event::GuarantorSet),
    (2, Event::GuarantorRemoved),
    (9, Event::NewPatient),
];

impl Life {
    fn new(seed: u64) -> Life {
        let mut dice = Dice::new(scramble(seed ^ 0x0571));
        let mut life = Life {
            seed,
            sends_reminders: dice.chance(40),
            cron_runs_on_weekends: dice.chance(30),
            dice,
            people: Vec::new(),
            used_numbers: Vec::new(),
            next_patient: 1001,
            next_appointment: 1,
            suppressed: Vec::new(),
            has_run: false,
            cancelled: false,
            paused: false,
            paused_until: None,
        };
        let population = life.dice.between(10, 40) as usize;
        if life.dice.chance(25) {
            life.add_care_home();
        }
        while life.people.len() < population {
            life.add_household();
        }
        life
    }

    fn into_story(mut self) -> Story {
        let first = NaiveDate::from_ymd_opt(2026, 9, 1).expect("a date") + Duration::days(self.dice.between(0, 300));
        let mut nights: Vec<Night> = Vec::with_capacity(NIGHTS);
        for n in 0..NIGHTS {
            let date = first + Duration::days(n as i64);
            if n > 0 {
                self.a_day_passes(date);
            }
            let (kind, rows) = self.export(nights.last());
            let decisions = self.decisions(date);
            let reminders = self.sends_reminders.then(|| self.reminders(date));
            let run = self.run(date);
            self.has_run |= run.is_some();
            nights.push(Night { date, kind, rows, reminders, decisions, run });
        }
        Story {
            seed: self.seed,
            nights,
            vendor: Vendor { refuses_numbers: true, loses_answers: true, speaks_in_doubt: true },
        }
    }

    fn new_number(&mut self) -> Number {
        loop {
            let area = self.dice.weighted(&AREA_CODES);
            let slot = match self.used_numbers.iter_mut().find(|(used, _)| *used == area) {
                Some(slot) => slot,
                None => {
                    self.used_numbers.push((area, 0));
                    self.used_numbers.last_mut().expect("just pushed")
                }
            };
            if slot.1 == 100 {
                continue;
            }
            let line = 555_0100 + u64::from(slot.1);
            slot.1 += 1;
            // the practice's own numbers
            if area != 312 || !matches!(line, 555_0100 | 555_0142) {
                return 10_000_000_000 + area * 10_000_000 + line;
            }
        }
    }

    fn add_person(&mut self, last_name: &'static str, phone: Number, guarantor: Option<Patient>) -> Patient {
        let patient = self.next_patient;
        self.next_patient += 1;
        let other_phone = self.dice.chance(15).then(|| self.new_number());
        self.people.push(Person {
            row: Row {
                patient,
                first_name: FIRST_NAMES[self.dice.below(FIRST_NAMES.len())],
                last_name,
                phone,
                other_phone,
                guarantor,
                consent: self.dice.weighted(&[(94, Consent::Yes), (3, Consent::No), (3, Consent::Blank)]),
                status: self.dice.weighted(&[(95, Status::Active), (4, Status::Inactive), (1, Status::Deceased)]),
                do_not_call: self.dice.chance(3),
                next_appointment: None,
            },
            present: self.dice.chance(88),
            gone_for_good: false,
            numbers: [Some(phone), other_phone].into_iter().flatten().collect(),
            appointment: None,
        });
        patient
    }

    fn last_name(&mut self) -> &'static str {
        LAST_NAMES[self.dice.below(LAST_NAMES.len())]
    }

    /// One to five people; usually of one name and on one number.
    fn add_household(&mut self) {
        let size = self.dice.weighted(&[(42, 1), (27, 2), (16, 3), (10, 4), (5, 5)]);
        let name = self.last_name();
        let number = self.new_number();
        let has_guarantor = self.dice.chance(50);
        let head = self.next_patient;
        for member in 0..size {
            let last_name = if member > 0 && self.dice.chance(20) { self.last_name() } else { name };
            let phone = if member > 0 && self.dice.chance(15) { self.new_number() } else { number };
            self.add_person(last_name, phone, has_guarantor.then_some(head));
        }
    }

    /// People of different names on one number, without a guarantor: each is called separately.
    fn add_care_home(&mut self) {
        let number = self.new_number();
        for n in 0..self.dice.between(3, 6) as usize {
            self.add_person(LAST_NAMES[n], number, None);
        }
    }

    fn a_day_passes(&mut self, date: NaiveDate) {
        let events = self.dice.below(4) + self.people.len() / 12;
        for _ in 0..events {
            let event = self.dice.weighted(&EVENTS);
            self.happens(event, date);
        }
        for n in 0..self.people.len() {
            let bad = !matches!(nature(self.seed, self.people[n].row.phone), Nature::Ordinary | Nature::Silent);
            if bad && self.people[n].present && self.dice.chance(7) {
                let number = self.new_number();
                self.give_number(n, number);
            }
        }
    }

    fn give_number(&mut self, n: usize, number: Number) {
        self.people[n].row.phone = number;
        self.people[n].numbers.push(number);
    }

    fn somebody(&mut self, fits: impl Fn(&Person) -> bool) -> Option<usize> {
        let fitting: Vec<usize> = (0..self.people.len()).filter(|&n| fits(&self.people[n])).collect();
        self.dice.pick(&fitting)
    }

    fn happens(&mut self, event: Event, date: NaiveDate) {
        let in_days = |dice: &mut Dice, least, most| date + Duration::days(dice.between(least, most));
        let who = match event {
            Event::NewPatient => return self.a_new_patient(),
            Event::BackOnTheList => self.somebody(|person| !person.present && !person.gone_for_good),
            Event::AppointmentOver | Event::AppointmentCancelled => {
                self.somebody(|person| person.present && person.row.next_appointment.is_some())
            }
            Event::OptOutTakenBack => self.somebody(|person| person.present && person.row.do_not_call),
            Event::ConsentGiven => self.somebody(|person| person.present && person.row.consent != Consent::Yes),
            Event::ActiveAgain => self.somebody(|person| person.present && person.row.status == Status::Inactive),
            Event::GuarantorRemoved => self.somebody(|person| person.present && person.row.guarantor.is_some()),
            _ => self.somebody(|person| person.present),
        };
        let Some(n) = who else { return };
        match event {
            Event::BookedAndOffTheList => self.people[n].present = false,
            Event::BookedOnTheList => {
                let appointment = in_days(&mut self.dice, 0, 40);
                self.people[n].row.next_appointment = Some(appointment);
            }
            Event::AppointmentOver => {
                let appointment = in_days(&mut self.dice, -9, -1);
                self.people[n].row.next_appointment = Some(appointment);
            }
            Event::AppointmentCancelled => self.people[n].row.next_appointment = None,
            Event::MovedAway => {
                self.people[n].present = false;
                self.people[n].gone_for_good = true;
            }
            Event::BackOnTheList => self.people[n].present = true,
            Event::PhoneCorrected => {
                let number = self.new_number();
                self.give_number(n, number);
            }
            Event::OtherPhoneGiven => {
                let number = self.new_number();
                self.people[n].row.other_phone = Some(number);
                self.people[n].numbers.push(number);
            }
            Event::OtherPhoneRemoved => self.people[n].row.other_phone = None,
            Event::OptedOutAtTheDesk => self.people[n].row.do_not_call = true,
            Event::OptOutTakenBack => self.people[n].row.do_not_call = false,
            Event::ConsentRefused => self.people[n].row.consent = Consent::No,
            Event::ConsentLost => self.people[n].row.consent = Consent::Blank,
            Event::ConsentGiven => self.people[n].row.consent = Consent::Yes,
            Event::BecameInactive => self.people[n].row.status = Status::Inactive,
            Event::Died => self.people[n].row.status = Status::Deceased,
            Event::ActiveAgain => self.people[n].row.status = Status::Active,
            Event::MovedInWithAnother => self.moves_in_with_another(n),
            Event::NameCorrected => self.people[n].row.last_name = self.last_name(),
            Event::GuarantorSet => {
                let (phone, head) = (self.people[n].row.phone, self.people[n].row.patient);
                for person in self.people.iter_mut().filter(|person| person.row.phone == phone) {
                    person.row.guarantor = Some(head);
                }
            }
            Event::GuarantorRemoved => self.people[n].row.guarantor = None,
            Event::NewPatient => unreachable!("a new patient has returned above"),
        }
    }

    fn a_new_patient(&mut self) {
        match self.somebody(|person| person.present) {
            Some(n) if self.dice.chance(35) => {
                let Row { last_name, phone, guarantor, .. } = self.people[n].row;
                let last_name = if self.dice.chance(80) { last_name } else { self.last_name() };
                self.add_person(last_name, phone, guarantor);
            }
            _ => self.add_household(),
        }
    }

    fn moves_in_with_another(&mut self, n: usize) {
        let here = self.people[n].row.phone;
        let had = self.people[n].numbers.clone();
        let Some(with) =
            self.somebody(|other| other.present && other.row.phone != here && !had.contains(&other.row.phone))
        else {
            return;
        };
        let Row { phone, last_name, guarantor, .. } = self.people[with].row;
        self.give_number(n, phone);
        match self.dice.below(3) {
            0 => self.people[n].row.last_name = last_name,
            1 => self.people[n].row.guarantor = guarantor,
            _ => {}
        }
    }

    fn export(&mut self, yesterday: Option<&Night>) -> (ListKind, Vec<Row>) {
        if let Some(yesterday) = yesterday
            && self.dice.chance(5)
        {
            return (ListKind::RepeatedFromYesterday, yesterday.rows.clone());
        }
        let mut rows: Vec<Row> =
            self.people.iter().filter(|person| person.present).map(|person| person.row.clone()).collect();
        if self.dice.chance(30) {
            self.dice.shuffle(&mut rows);
        }
        let missing = self.dice.weighted(&[(88, 0), (6, 25), (6, 45)]);
        if missing == 0 || rows.len() < 4 || yesterday.is_none() {
            return (ListKind::Complete, rows);
        }
        let keep = rows.len() - (rows.len() * missing).div_ceil(100);
        if self.dice.chance(50) {
            rows.truncate(keep);
        } else {
            rows.drain(..rows.len() - keep);
        }
        (ListKind::CutShort, rows)
    }

    fn decisions(&mut self, date: NaiveDate) -> Vec<Decision> {
        let mut decisions = Vec::new();
        if !self.has_run {
            // Nothing is known yet that somebody could decide about.
            return decisions;
        }
        if self.paused_until.is_some_and(|until| until <= date) {
            (self.paused, self.paused_until) = (false, None);
        }
        if self.dice.chance(8)
            && let Some(n) = self.somebody(|person| person.present)
        {
            let number = self.people[n].row.phone;
            let expires = self.dice.chance(30).then(|| date + Duration::days(self.dice.between(0, 8)));
            if !self.suppressed.iter().any(|&(known, _)| known == number) {
                self.suppressed.push((number, expires));
                decisions.push(Decision::Suppress { number, expires });
            }
        }
        if self.dice.chance(15)
            && let Some((number, expires)) = self.dice.pick(&self.suppressed)
        {
            self.suppressed.retain(|&(known, _)| known != number);
            if expires.is_none_or(|expires| expires > date) {
                decisions.push(Decision::Lift { number });
            }
        }
        if !self.cancelled && self.dice.chance(2) {
            self.cancelled = true;
            decisions.push(Decision::Cancel);
        } else if self.cancelled && self.dice.chance(40) {
            self.cancelled = false;
            decisions.push(Decision::UndoCancel);
        }
        if !self.paused && self.dice.chance(4) {
            self.paused = true;
            self.paused_until = self.dice.chance(50).then(|| date + Duration::days(self.dice.between(1, 5)));
            decisions.push(Decision::Pause { until: self.paused_until });
        } else if self.paused && self.dice.chance(if self.paused_until.is_some() { 10 } else { 45 }) {
            (self.paused, self.paused_until) = (false, None);
            decisions.push(Decision::Resume);
        }
        decisions
    }

    /// The appointments of the next two days. Patients on the recall list have none; these are other visits of the same
    /// people, so that two campaigns meet at one number.
    fn reminders(&mut self, date: NaiveDate) -> Vec<ReminderRow> {
        for n in 0..self.people.len() {
            let over = self.people[n].appointment.is_none_or(|(_, start)| PRACTICE.to_local(start).date() < date);
            if over && self.dice.chance(4) {
                let day = date + Duration::days(self.dice.between(1, 3));
                let minutes = 15 * self.dice.between(0, 35) as u32;
                let start = day.and_hms_opt(8 + minutes / 60, minutes % 60, 0).expect("a time of day");
                self.people[n].appointment = Some((self.next_appointment, PRACTICE.to_utc(start)));
                self.next_appointment += 1;
            }
        }
        let row = |person: &Person| {
            let (appointment, start) = person.appointment?;
            let day = PRACTICE.to_local(start).date();
            (date..=date + Duration::days(2)).contains(&day).then(|| ReminderRow {
                patient: person.row.patient,
                appointment,
                first_name: person.row.first_name,
                last_name: person.row.last_name,
                phone: person.row.phone,
                guarantor: person.row.guarantor,
                start,
            })
        };
        self.people.iter().filter_map(row).collect()
    }

    fn run(&mut self, date: NaiveDate) -> Option<Instant> {
        let weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
        let forgotten = self.dice.chance(8);
        let (hour, minute) = self.dice.weighted(&[
            (70, (9, 35)),
            (5, (7, 10)),
            (5, (11, 50)),
            (10, (13, 15)),
            (5, (15, 45)),
            (3, (16, 50)),
            (2, (17, 30)),
        ]);
        if forgotten || (weekend && !self.cron_runs_on_weekends) {
            return None;
        }
        Some(PRACTICE.to_utc(date.and_hms_opt(hour, minute, 0).expect("a time of day")))
    }
}
