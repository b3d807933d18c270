//! The oracle: what was called in truth, by the vendor's own book, held against the promises and against the ledger's
//! story. It shares nothing with the ledger's code: it reads the file with statements of its own.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use callrounds::annie::CallRequest;
use callrounds::campaign::{Campaign, OnAbsent};
use callrounds::entry::{Outcome, Standing, Testimony};
use callrounds::ids::{ConversationId, Location};
use callrounds::phone::E164;
use callrounds::simulator::Refusal;
use callrounds::simulator::conversation::View;
use callrounds::zone::Zone;
use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, Utc, Weekday};
use rusqlite::{Connection, OpenFlags};

use super::plan::Person;
use super::trace::Trace;

/// A call that the vendor placed.
#[derive(Clone)]
pub struct Called {
    pub at: DateTime<Utc>,
    /// Whose request it was, by the ledger as it was when the request was sent.
    pub attempt: Option<i64>,
    pub key: String,
    pub to: E164,
    pub id: ConversationId,
    /// No page of the list ever shows it in a form that can be read.
    pub illegible: bool,
}

/// What the oracle takes a ledger to know.
#[derive(Clone)]
pub struct Known {
    list: HashMap<String, Person>,
    ever: HashSet<String>,
    sent: HashSet<i64>,
    /// Which attempt each call was.
    attempts: HashMap<ConversationId, i64>,
}

/// The promises, watched over one seed.
pub struct Oracle {
    pub trace: Trace,
    campaign: Arc<Campaign>,
    /// The ledger's file as of its last commit.
    witness: Option<Connection>,
    /// The newest list, by key.
    list: HashMap<String, Person>,
    /// Everybody who was ever enrolled.
    ever: HashSet<String>,
    sent: HashSet<i64>,
    /// The vendor's list may prove nothing: what was lost may be held although it was placed, and nobody may be called.
    pub may_prove_nothing: bool,
    /// The run has ended because it does not.
    pub proves_nothing: bool,
    /// An older ledger was put back: what it lacks was taken over.
    pub was_restored: bool,
    /// How often one was put back: an attempt is known by its number only until the next time.
    pub restorations: u32,
    /// Numbers that an operator has put on the suppression list.
    suppressed: HashSet<E164>,
    called: Vec<Called>,
    broken: Vec<String>,
}

impl Oracle {
    pub fn new(campaign: Arc<Campaign>, trace: Trace) -> Self {
        Self {
            trace,
            campaign,
            witness: None,
            list: HashMap::new(),
            ever: HashSet::new(),
            sent: HashSet::new(),
            may_prove_nothing: false,
            proves_nothing: false,
            was_restored: false,
            restorations: 0,
            suppressed: HashSet::new(),
            called: Vec::new(),
            broken: Vec::new(),
        }
    }

    /// From now on, requests are held against the ledger at `path`.
    pub fn watch(&mut self, path: &Path) -> rusqlite::Result<()> {
        if self.witness.is_none() {
            self.witness = Some(Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?);
        }
        Ok(())
    }

    /// Nobody looks on any more.
    pub fn look_away(&mut self) {
        self.witness = None;
    }

    /// This list is enrolled, whole.
    pub fn enrolled(&mut self, list: &[Person]) {
        self.ever.extend(list.iter().map(|person| person.key.clone()));
        self.list.extend(list.iter().map(|person| (person.key.clone(), person.clone())));
        if self.campaign.list.on_absent == OnAbsent::Withdraw {
            let listed: HashSet<_> = list.iter().map(|person| &person.key).collect();
            self.list.retain(|key, _| listed.contains(key));
        }
    }

    /// What the ledger knows, as far as the oracle is concerned.
    pub fn known(&self) -> Known {
        let attempts = self.called.iter().filter_map(|call| Some((call.id.clone(), call.attempt?))).collect();
        Known { list: self.list.clone(), ever: self.ever.clone(), sent: self.sent.clone(), attempts }
    }

    /// An older copy of the ledger, with so many attempts, was put back: attempts are counted anew from there.
    pub fn restored(&mut self, now: DateTime<Utc>, known: &Known, attempts: i64) {
        self.trace.say(now, || format!("restored: a ledger of {attempts} attempts"));
        self.was_restored = true;
        self.restorations += 1;
        (self.list, self.ever, self.sent) = (known.list.clone(), known.ever.clone(), known.sent.clone());
        for call in &mut self.called {
            call.attempt = known.attempts.get(&call.id).copied();
        }
    }

    /// An operator has put the number on the suppression list, for good.
    pub fn suppressed(&mut self, now: DateTime<Utc>, phone: E164) {
        self.trace.say(now, || format!("suppressed: {phone:?}"));
        self.suppressed.insert(phone);
    }

    pub fn breaks(&mut self, at: DateTime<Utc>, promise: impl Into<String>) {
        let promise = promise.into();
        self.trace.say(at, || format!("BROKEN: {promise}"));
        self.broken.push(format!("{} {promise}", at.format("%Y-%m-%dT%H:%M:%S%.3fZ")));
    }

    pub fn broken(&self) -> &[String] {
        &self.broken
    }

    /// A request for a call leaves the program.
    pub fn sent(&mut self, now: DateTime<Utc>, call: &CallRequest) -> Option<i64> {
        let key = call.content.patient.patient_id.clone().unwrap_or_default();
        let attempt = self.intent_for(call.to, &key);
        match attempt {
            None => self.breaks(now, format!("{key}: sent before its intent was on stable storage")),
            Some(attempt) if !self.sent.insert(attempt) => {
                self.breaks(now, format!("{key}: attempt {attempt} was sent twice"));
            }
            Some(_) => {}
        }
        self.check_hours(now, &key);
        self.check_list(now, &key, call.to);
        self.check_line(now, &key, call.from);
        if self.suppressed.contains(&call.to) {
            self.breaks(now, format!("{key}: its number is on the suppression list"));
        }
        attempt
    }

    /// The attempt whose intent is on stable storage and whose request may be on its way.
    fn intent_for(&self, to: E164, key: &str) -> Option<i64> {
        let statement = "SELECT attempt.id FROM attempt JOIN entry ON entry.id = entry_id
            WHERE to_number = ?1 AND key = ?2 AND attempt.state = 'submitting' AND entry.state = 'submitting'";
        let mut statement = self.witness.as_ref()?.prepare_cached(statement).ok()?;
        statement.query_row((to.expose(), key), |row| row.get(0)).ok()
    }

    /// Whether the ledger has this conversation.
    pub fn is_on_record(&self, id: &ConversationId) -> bool {
        let exists = "SELECT EXISTS (SELECT 1 FROM attempt WHERE conversation = ?1)";
        self.witness
            .as_ref()
            .and_then(|ledger| ledger.query_row(exists, [id.as_str()], |row| row.get(0)).ok())
            .unwrap_or(false)
    }

    fn check_hours(&mut self, now: DateTime<Utc>, key: &str) {
        let calling = &self.campaign.calling;
        let here = self.campaign.practice.zone.local(now);
        let within = (calling.window.start..calling.window.end).contains(&here.time());
        let there = self.list.get(key).and_then(|person| Zone::named(person.zone).ok()).map(|zone| zone.local(now));
        let civil = |local: chrono::NaiveDateTime| (clock(9)..clock(20)).contains(&local.time());
        let allowed = within && calling.days.contains(&here.weekday()) && civil(here);
        if !allowed || there.is_some_and(|there| !civil(there) || there.weekday() == Weekday::Sun) {
            self.breaks(now, format!("{key}: called outside its hours"));
        }
    }

    fn check_list(&mut self, now: DateTime<Utc>, key: &str, to: E164) {
        let wrong = match self.list.get(key) {
            None => Some("is not on the list"),
            Some(person) if person.standing != Standing::Ready => Some("must not be called by its list"),
            Some(person) if person.phone != to => Some("was called on another number than its list's"),
            Some(person) if person.not_after.is_some_and(|last| now > last) => Some("was called too late"),
            Some(_) => None,
        };
        if let Some(wrong) = wrong {
            self.breaks(now, format!("{key}: {wrong}"));
        }
    }

    /// A patient is called by the number of the place that the newest list says.
    fn check_line(&mut self, now: DateTime<Utc>, key: &str, from: E164) {
        let Some(person) = self.list.get(key) else { return };
        let location = person.location.map(Location::new);
        let own = self.campaign.practice_at(location.as_ref()).map(|practice| practice.from_number);
        if own != Some(from) {
            self.breaks(now, format!("{key}: called by another number than its location's"));
        }
    }

    /// The vendor placed a call.
    pub fn placed(&mut self, call: Called) {
        self.trace.say(call.at, || format!("placed: {} attempt {:?} is {}", call.key, call.attempt, call.id));
        self.called.push(call);
    }

    /// The vendor refused a call by one of its rules.
    pub fn vendor_refused(&mut self, at: DateTime<Utc>, to: E164, refusal: Refusal) {
        let earlier: Vec<_> = self.called.iter().filter(|call| call.to == to).collect();
        let calls = earlier.len();
        // What came of a call that nobody could find, our book cannot know.
        let is_unknown = |call: &&Called| call.illegible || (self.may_prove_nothing && !self.is_on_record(&call.id));
        match refusal {
            Refusal::CoolingDown if earlier.iter().any(is_unknown) => {}
            // A request may take so long that the vendor's day ends meanwhile.
            Refusal::OutsideHours => {}
            Refusal::Malformed(_)
            | Refusal::FromNumber
            | Refusal::NotAllowed
            | Refusal::Sending
            | Refusal::TooSoon
            | Refusal::WeekFull
            | Refusal::MonthFull
            | Refusal::CoolingDown => {
                self.breaks(at, format!("the vendor refused the call after {calls} to that number: {refusal}"));
            }
        }
    }

    /// The end of the seed: the vendor's book against the ledger, and the ledger against itself.
    pub fn close(&mut self, now: DateTime<Utc>, in_the_end: impl Fn(&ConversationId) -> Option<View>) {
        let outcomes: HashMap<_, _> = self
            .called
            .iter()
            .filter_map(|call| Some((call.id.clone(), self.outcome(&in_the_end(&call.id)?))))
            .collect();
        let mut broken = self.one_call_an_attempt();
        broken.extend(self.calls_that_should_not_have_been(&outcomes));
        broken.extend(self.opted_out_and_called(&outcomes));
        match &self.witness {
            Some(ledger) => {
                let found = self.against_the_book(ledger, &outcomes).and_then(|mut found| {
                    found.extend(unsound(ledger)?);
                    found.extend(unaccounted(ledger, &self.ever, self.proves_nothing)?);
                    Ok(found)
                });
                broken.extend(found.unwrap_or_else(|error| vec![format!("the ledger cannot be read: {error}")]));
            }
            None => broken.push("there is no ledger".into()),
        }
        for promise in broken {
            self.breaks(now, promise);
        }
    }

    fn outcome(&self, view: &View) -> Outcome {
        let words = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let story =
            view.story.unwrap_or_else(|| callrounds::simulator::story::story(callrounds::simulator::Behaviour::Busy));
        let testimony = Testimony {
            tags: words(story.tags),
            topic: Some(story.topic.into()),
            summary: Some(story.summary.into()),
            actions: words(story.actions),
            duration: None,
        };
        self.campaign.outcomes.classify(&testimony).0
    }

    fn one_call_an_attempt(&self) -> Vec<String> {
        let mut calls = BTreeMap::new();
        for call in &self.called {
            *calls.entry(call.attempt).or_insert(0) += 1;
        }
        // After a ledger was put back, some attempts are known by nobody.
        let is_one = |attempt: &Option<i64>| attempt.is_some() || !self.was_restored;
        let twice = calls.into_iter().filter(|(attempt, calls)| *calls > 1 && is_one(attempt));
        twice.map(|(attempt, calls)| format!("attempt {attempt:?} became {calls} calls")).collect()
    }

    /// An entry is called again only after an outcome that asks for it, after the gap, and while calls are left.
    fn calls_that_should_not_have_been(&self, outcomes: &HashMap<ConversationId, Outcome>) -> Vec<String> {
        let mut by_key: BTreeMap<&str, Vec<&Called>> = BTreeMap::new();
        for call in &self.called {
            by_key.entry(&call.key).or_default().push(call);
        }
        let redial = &self.campaign.redial;
        let mut wrong = Vec::new();
        for (key, calls) in by_key {
            if calls.len() > redial.max_attempts as usize {
                wrong.push(format!("{key}: called {} times, {} allowed", calls.len(), redial.max_attempts));
            }
            for pair in calls.windows(2) {
                if is_another_number(pair, outcomes) {
                    continue;
                }
                let gap = pair[1].at - pair[0].at;
                if gap < redial.min_gap {
                    wrong.push(format!("{key}: called again after {} minutes", gap.num_minutes()));
                }
                if !outcomes.get(&pair[0].id).is_some_and(|outcome| redial.after.contains(outcome)) {
                    wrong.push(format!("{key}: called again after {:?}", outcomes.get(&pair[0].id)));
                }
            }
        }
        wrong
    }

    fn opted_out_and_called(&self, outcomes: &HashMap<ConversationId, Outcome>) -> Vec<String> {
        // What was said in a call that nobody could find, nobody heard.
        let is_known = |call: &Called| !self.may_prove_nothing || self.is_on_record(&call.id);
        let opted_out =
            |call: &&Called| !call.illegible && is_known(call) && outcomes.get(&call.id) == Some(&Outcome::OptOut);
        let wrong = self
            .called
            .iter()
            .filter(opted_out)
            .filter_map(|first| self.called.iter().find(|later| later.to == first.to && later.at > first.at));
        wrong.map(|later| format!("{}: its number had opted out", later.key)).collect()
    }

    /// Every call at the vendor is its attempt's conversation in the ledger, with its outcome, and the other way round.
    fn against_the_book(
        &self,
        ledger: &Connection,
        outcomes: &HashMap<ConversationId, Outcome>,
    ) -> rusqlite::Result<Vec<String>> {
        let mut statement = ledger.prepare(
            "SELECT attempt.id, key, attempt.state, conversation, attempt.outcome, attempt.started_at, entry.state
             FROM attempt JOIN entry ON entry.id = entry_id",
        )?;
        let mut rows = statement.query([])?;
        let mut wrong = Vec::new();
        let mut by_attempt: HashMap<i64, &Called> =
            self.called.iter().filter_map(|call| Some((call.attempt?, call))).collect();
        while let Some(row) = rows.next()? {
            let (attempt, key, state): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let (known, outcome): (Option<String>, Option<String>) = (row.get(3)?, row.get(4)?);
            let taken_over = || self.called.iter().find(|call| known.as_deref() == Some(call.id.as_str()));
            let found = taken_over().filter(|_| self.was_restored);
            // Of two calls to one number, the lost one and a later one of a ledger that is gone, either may be found.
            let later = found.filter(|call| call.attempt.is_none() && call.key == key);
            let call = by_attempt.remove(&attempt).filter(|_| later.is_none()).or(found);
            // A call that no page ever shows cannot be found: then a person must decide.
            let cannot_be_found = self.may_prove_nothing || call.is_some_and(|call| call.illegible);
            if cannot_be_found && (state == "absent" || (self.proves_nothing && state == "unknown")) {
                continue;
            }
            if known.as_deref() != call.map(|call| call.id.as_str()) {
                let truth = call.map_or("it was not placed", |_| "it was placed");
                wrong.push(format!("{key}: attempt {attempt} is {state}, {truth}, and the ledger knows {known:?}"));
            }
            let Some(call) = call else { continue };
            // A call that was taken over is put down to whoever has that number now.
            let is_taken_over = call.attempt.is_none();
            if call.key != key && !is_taken_over {
                wrong.push(format!("{key}: attempt {attempt} called {}", call.key));
            }
            let truth = outcomes.get(&call.id).map(|outcome| outcome.name());
            if state != "ended" || outcome.as_deref() != truth {
                wrong.push(format!("{key}: attempt {attempt} is {state} with {outcome:?}, in truth {truth:?}"));
            }
            let started: Option<i64> = row.get(5)?;
            let off = started.map(|at| TimeDelta::milliseconds(at - call.at.timestamp_millis()));
            // By the program's own clock, which may be off by two minutes.
            if off.is_some_and(|off| off.abs() > TimeDelta::seconds(130)) {
                wrong.push(format!("{key}: attempt {attempt} started {} s off", off.unwrap_or_default().num_seconds()));
            }
        }
        wrong.extend(by_attempt.keys().map(|attempt| format!("attempt {attempt} was placed and is not in the ledger")));
        Ok(wrong)
    }
}

fn clock(hour: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default()
}

fn unsound(ledger: &Connection) -> rusqlite::Result<Vec<String>> {
    let integrity: String = ledger.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    let strangers: i64 = ledger.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?;
    let mut wrong = Vec::new();
    if integrity != "ok" {
        wrong.push(format!("integrity_check: {integrity}"));
    }
    if strangers > 0 {
        wrong.push(format!("foreign_key_check: {strangers} rows"));
    }
    Ok(wrong)
}

/// Everybody who was ever listed is in the ledger once, and stands where nothing more is to be done, with a reason.
fn unaccounted(ledger: &Connection, ever: &HashSet<String>, proves_nothing: bool) -> rusqlite::Result<Vec<String>> {
    let mut statement = ledger.prepare("SELECT key, state, reason, outcome FROM entry")?;
    let mut rows = statement.query([])?;
    let mut wrong = Vec::new();
    let mut missing: HashSet<_> = ever.clone();
    while let Some(row) = rows.next()? {
        let (key, state): (String, String) = (row.get(0)?, row.get(1)?);
        let (reason, outcome): (Option<String>, Option<String>) = (row.get(2)?, row.get(3)?);
        missing.remove(&key);
        let accounted = match state.as_str() {
            "ready" | "waiting" | "unknown" => proves_nothing,
            "finished" => outcome.is_some(),
            "failed" | "suppressed" | "withdrawn" | "expired" | "held" => reason.is_some(),
            _ => false,
        };
        if !accounted {
            wrong.push(format!("{key}: ends {state}, reason {reason:?}, outcome {outcome:?}"));
        }
    }
    wrong.extend(missing.into_iter().map(|key| format!("{key}: listed, and not in the ledger")));
    Ok(wrong)
}

/// The first call found that the number was not the patient's, and a list has had another one since: nobody has been
/// called on that yet.
fn is_another_number(pair: &[&Called], outcomes: &HashMap<ConversationId, Outcome>) -> bool {
    let is_wrong = matches!(outcomes.get(&pair[0].id), Some(Outcome::WrongNumber | Outcome::InvalidNumber));
    is_wrong && pair[0].to != pair[1].to
}
