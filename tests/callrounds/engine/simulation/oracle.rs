//! The oracle: compares the calls that the vendor placed with the promises and with the ledger. It shares no code with the
//! ledger: it reads the file with its own SQL.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use callrounds::campaign::{Campaign, OnAbsent};
use callrounds::entry::{ListEligibility, Outcome, OutcomeSignals};
use callrounds::ids::{ConversationId, Location};
use callrounds::phone::E164;
use callrounds::simulator::CallRefusal;
use callrounds::simulator::conversation::ConversationView;
use callrounds::vendor::CallRequest;
use callrounds::zone::Zone;
use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, Utc, Weekday};
use rusqlite::{Connection, OpenFlags};

use super::plan::Person;
use super::trace::Trace;

/// No call is tried again sooner after the program has learnt that one was refused for want of a free place.
const SOONEST_RETRY: TimeDelta = TimeDelta::seconds(10);

/// A call that the vendor placed.
#[derive(Clone)]
pub struct PlacedCall {
    pub at: DateTime<Utc>,
    /// The attempt in the ledger when the request was sent.
    pub attempt: Option<i64>,
    pub key: String,
    pub to: E164,
    pub id: ConversationId,
    /// No page of the list ever shows it in a readable form.
    pub illegible: bool,
}

/// What a copy of the ledger knows, to be restored with it.
#[derive(Clone)]
pub struct LedgerKnowledge {
    list: HashMap<String, Person>,
    ever_listed: HashSet<String>,
    sent: HashSet<i64>,
    /// Each call's attempt.
    attempts: HashMap<ConversationId, i64>,
}

/// Checks the promises during one seed.
pub struct Oracle {
    pub trace: Trace,
    campaign: Arc<Campaign>,
    /// A read-only connection to the ledger: it sees committed data only.
    ledger: Option<Connection>,
    /// The newest list, by key.
    list: HashMap<String, Person>,
    /// The keys of all entries that were ever enrolled.
    ever_listed: HashSet<String>,
    sent: HashSet<i64>,
    /// The vendor's list may prove nothing: a lost call may be held although it was placed, and entries may stay uncalled.
    pub may_prove_nothing: bool,
    /// The last run has ended because the list proves nothing.
    pub proves_nothing: bool,
    /// An older ledger was restored: the calls that it lacks are taken over from the vendor's list.
    pub was_restored: bool,
    /// How often a ledger was restored: an attempt's number is valid only until the next restoration.
    pub restorations: u32,
    /// Numbers that an operator has suppressed.
    suppressed: HashSet<E164>,
    called: Vec<PlacedCall>,
    /// The newest calls that were refused for want of a free place.
    without_place: Vec<DateTime<Utc>>,
    broken: Vec<String>,
}

impl Oracle {
    pub fn new(campaign: Arc<Campaign>, trace: Trace) -> Self {
        Self {
            trace,
            campaign,
            ledger: None,
            list: HashMap::new(),
            ever_listed: HashSet::new(),
            sent: HashSet::new(),
            may_prove_nothing: false,
            proves_nothing: false,
            was_restored: false,
            restorations: 0,
            suppressed: HashSet::new(),
            called: Vec::new(),
            without_place: Vec::new(),
            broken: Vec::new(),
        }
    }

    /// From now on, requests are compared with the ledger at `path`.
    pub fn open_ledger(&mut self, path: &Path) -> rusqlite::Result<()> {
        if self.ledger.is_none() {
            self.ledger = Some(Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?);
        }
        Ok(())
    }

    pub fn close_ledger(&mut self) {
        self.ledger = None;
        // The next process does not know what this one was refused.
        self.without_place.clear();
    }

    /// A list was enrolled completely.
    pub fn on_enrolled(&mut self, list: &[Person]) {
        self.ever_listed.extend(list.iter().map(|person| person.key.clone()));
        self.list.extend(list.iter().map(|person| (person.key.clone(), person.clone())));
        if self.campaign.list.on_absent == OnAbsent::Withdraw {
            let listed: HashSet<_> = list.iter().map(|person| &person.key).collect();
            self.list.retain(|key, _| listed.contains(key));
        }
    }

    /// What the ledger knows now.
    pub fn known(&self) -> LedgerKnowledge {
        let attempts = self.called.iter().filter_map(|call| Some((call.id.clone(), call.attempt?))).collect();
        LedgerKnowledge {
            list: self.list.clone(),
            ever_listed: self.ever_listed.clone(),
            sent: self.sent.clone(),
            attempts,
        }
    }

    /// An older copy of the ledger, with this many attempts, was restored: attempt numbers continue from there.
    pub fn on_restored(&mut self, now: DateTime<Utc>, known: &LedgerKnowledge, attempts: i64) {
        self.trace.log(now, || format!("restored: a ledger of {attempts} attempts"));
        self.was_restored = true;
        self.restorations += 1;
        (self.list, self.ever_listed, self.sent) = (known.list.clone(), known.ever_listed.clone(), known.sent.clone());
        for call in &mut self.called {
            call.attempt = known.attempts.get(&call.id).copied();
        }
    }

    /// An operator has suppressed the number, without an end.
    pub fn on_suppressed(&mut self, now: DateTime<Utc>, phone: E164) {
        self.trace.log(now, || format!("suppressed: {phone:?}"));
        self.suppressed.insert(phone);
    }

    pub fn report_broken_promise(&mut self, at: DateTime<Utc>, promise: impl Into<String>) {
        let promise = promise.into();
        self.trace.log(at, || format!("BROKEN: {promise}"));
        self.broken.push(format!("{} {promise}", at.format("%Y-%m-%dT%H:%M:%S%.3fZ")));
    }

    pub fn broken(&self) -> &[String] {
        &self.broken
    }

    /// The program sends a call's request; returns its attempt.
    pub fn on_request(&mut self, now: DateTime<Utc>, call: &CallRequest) -> Option<i64> {
        let key = call.content.patient.patient_id.clone().unwrap_or_default();
        let attempt = self.intent_for(call.to, &key);
        match attempt {
            None => self.report_broken_promise(now, format!("{key}: sent before its intent was on stable storage")),
            Some(attempt) if !self.sent.insert(attempt) => {
                self.report_broken_promise(now, format!("{key}: attempt {attempt} was sent twice"));
            }
            Some(_) => {}
        }
        self.check_hours(now, &key);
        self.check_list(now, &key, call.to);
        self.check_caller_id(now, &key, call.from);
        if self.suppressed.contains(&call.to) {
            self.report_broken_promise(now, format!("{key}: its number is on the suppression list"));
        }
        attempt
    }

    /// The attempt whose intent is committed and whose answer is not.
    fn intent_for(&self, to: E164, key: &str) -> Option<i64> {
        let statement = "SELECT attempt.id FROM attempt JOIN entry ON entry.id = entry_id
            WHERE to_number = ?1 AND key = ?2 AND attempt.state = 'submitting' AND entry.state = 'submitting'";
        let mut statement = self.ledger.as_ref()?.prepare_cached(statement).ok()?;
        statement.query_row((to.expose(), key), |row| row.get(0)).ok()
    }

    /// Whether an attempt in the ledger has this conversation.
    pub fn is_on_record(&self, id: &ConversationId) -> bool {
        let exists = "SELECT EXISTS (SELECT 1 FROM attempt WHERE conversation = ?1)";
        self.ledger
            .as_ref()
            .and_then(|ledger| ledger.query_row(exists, [id.as_str()], |row| row.get(0)).ok())
            .unwrap_or(false)
    }

    fn check_hours(&mut self, now: DateTime<Utc>, key: &str) {
        let calling = &self.campaign.calling;
        let here = self.campaign.practice.zone.local(now);
        let within = (calling.window.start..calling.window.end).contains(&here.time());
        let there = self.list.get(key).and_then(|person| Zone::named(person.zone).ok()).map(|zone| zone.local(now));
        let civil = |local: chrono::NaiveDateTime| (time_of_day(9)..time_of_day(20)).contains(&local.time());
        let allowed = within && calling.days.contains(&here.weekday()) && civil(here);
        if !allowed || there.is_some_and(|there| !civil(there) || there.weekday() == Weekday::Sun) {
            self.report_broken_promise(now, format!("{key}: called outside its hours"));
        }
    }

    fn check_list(&mut self, now: DateTime<Utc>, key: &str, to: E164) {
        let wrong = match self.list.get(key) {
            None => Some("is not on the list"),
            Some(person) if person.standing != ListEligibility::Ready => Some("must not be called by its list"),
            Some(person) if person.phone != to => Some("was called on another number than its list's"),
            Some(person) if person.not_after.is_some_and(|last| now > last) => Some("was called too late"),
            Some(_) => None,
        };
        if let Some(wrong) = wrong {
            self.report_broken_promise(now, format!("{key}: {wrong}"));
        }
    }

    /// A patient must be called from the caller id of the location in the newest list.
    fn check_caller_id(&mut self, now: DateTime<Utc>, key: &str, from: E164) {
        let Some(person) = self.list.get(key) else { return };
        let location = person.location.map(Location::new);
        let own = self.campaign.practice_at(location.as_ref()).map(|practice| practice.from_number);
        if own != Some(from) {
            self.report_broken_promise(now, format!("{key}: called from another caller id than its location's"));
        }
    }

    /// The vendor placed a call.
    pub fn on_placed(&mut self, call: PlacedCall) {
        self.trace.log(call.at, || format!("placed: {} attempt {:?} is {}", call.key, call.attempt, call.id));
        self.called.push(call);
    }

    /// The vendor refused a call by one of its rules.
    pub fn on_vendor_refusal(&mut self, at: DateTime<Utc>, to: E164, refusal: CallRefusal) {
        let earlier: Vec<_> = self.called.iter().filter(|call| call.to == to).collect();
        let calls = earlier.len();
        // The ledger cannot know the outcome of a call that could not be found.
        let is_unknown =
            |call: &&PlacedCall| call.illegible || (self.may_prove_nothing && !self.is_on_record(&call.id));
        match refusal {
            CallRefusal::CoolingDown if earlier.iter().any(is_unknown) => {}
            // A slow request may arrive after the vendor's hours have ended; nobody knows the vendor's limit in advance, and
            // what the program learns of it is bounded in `on_no_free_place`.
            CallRefusal::OutsideHours | CallRefusal::ConcurrentCalls => {}
            CallRefusal::Malformed(_)
            | CallRefusal::FromNumber
            | CallRefusal::NotAllowed
            | CallRefusal::Sending
            | CallRefusal::TooSoon
            | CallRefusal::WeekFull
            | CallRefusal::MonthFull
            | CallRefusal::CoolingDown => {
                self.report_broken_promise(
                    at,
                    format!("the vendor refused the call after {calls} to that number: {refusal}"),
                );
            }
        }
    }

    /// The program has learnt that a call was refused for want of a free place. Until it tries again, only those that were
    /// on their way may be refused, too.
    pub fn on_no_free_place(&mut self, at: DateTime<Utc>) {
        self.without_place.retain(|earlier| at - *earlier < SOONEST_RETRY);
        self.without_place.push(at);
        let (refused, limit) = (self.without_place.len(), self.campaign.rate.open_calls);
        if refused > limit as usize {
            let seconds = SOONEST_RETRY.num_seconds();
            self.report_broken_promise(at, format!("{refused} calls refused for want of a place within {seconds} s"));
        }
    }

    /// Ends the seed: compares the vendor's calls with the ledger, and checks the ledger's consistency.
    pub fn close(&mut self, now: DateTime<Utc>, final_view: impl Fn(&ConversationId) -> Option<ConversationView>) {
        let outcomes: HashMap<_, _> = self
            .called
            .iter()
            .filter_map(|call| Some((call.id.clone(), self.outcome(&final_view(&call.id)?))))
            .collect();
        let mut broken = self.attempts_with_two_calls();
        broken.extend(self.wrong_redials(&outcomes));
        broken.extend(self.calls_after_opt_out(&outcomes));
        match &self.ledger {
            Some(ledger) => {
                let found = self.compare_with_ledger(ledger, &outcomes).and_then(|mut found| {
                    found.extend(integrity_problems(ledger)?);
                    found.extend(unaccounted_entries(ledger, &self.ever_listed, self.proves_nothing)?);
                    Ok(found)
                });
                broken.extend(found.unwrap_or_else(|error| vec![format!("the ledger cannot be read: {error}")]));
            }
            None => broken.push("there is no ledger".into()),
        }
        for promise in broken {
            self.report_broken_promise(now, promise);
        }
    }

    fn outcome(&self, view: &ConversationView) -> Outcome {
        let words = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let transcript = view.transcript.unwrap_or_else(|| {
            callrounds::simulator::call_transcript::transcript(callrounds::simulator::Behaviour::Busy)
        });
        let signals = OutcomeSignals {
            tags: words(transcript.tags),
            topic: Some(transcript.topic.into()),
            summary: Some(transcript.summary.into()),
            actions: words(transcript.actions),
            duration: None,
        };
        self.campaign.outcomes.classify(&signals).outcome
    }

    fn attempts_with_two_calls(&self) -> Vec<String> {
        let mut calls = BTreeMap::new();
        for call in &self.called {
            *calls.entry(call.attempt).or_insert(0) += 1;
        }
        // After a restoration, the attempts of some calls are in no ledger.
        let is_one = |attempt: &Option<i64>| attempt.is_some() || !self.was_restored;
        let twice = calls.into_iter().filter(|(attempt, calls)| *calls > 1 && is_one(attempt));
        twice.map(|(attempt, calls)| format!("attempt {attempt:?} became {calls} calls")).collect()
    }

    /// An entry may be called again only after a redial outcome, after the minimum gap, and below `max_attempts`.
    fn wrong_redials(&self, outcomes: &HashMap<ConversationId, Outcome>) -> Vec<String> {
        let mut by_key: BTreeMap<&str, Vec<&PlacedCall>> = BTreeMap::new();
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

    fn calls_after_opt_out(&self, outcomes: &HashMap<ConversationId, Outcome>) -> Vec<String> {
        // An opt-out in a call that could not be found is unknown to the program.
        let is_known = |call: &PlacedCall| !self.may_prove_nothing || self.is_on_record(&call.id);
        let opted_out =
            |call: &&PlacedCall| !call.illegible && is_known(call) && outcomes.get(&call.id) == Some(&Outcome::OptOut);
        let wrong = self
            .called
            .iter()
            .filter(opted_out)
            .filter_map(|first| self.called.iter().find(|later| later.to == first.to && later.at > first.at));
        wrong.map(|later| format!("{}: its number had opted out", later.key)).collect()
    }

    /// Every placed call must be its attempt's conversation in the ledger, with its outcome, and vice versa.
    fn compare_with_ledger(
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
        let mut by_attempt: HashMap<i64, &PlacedCall> =
            self.called.iter().filter_map(|call| Some((call.attempt?, call))).collect();
        while let Some(row) = rows.next()? {
            let (attempt, key, state): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let (known, outcome): (Option<String>, Option<String>) = (row.get(3)?, row.get(4)?);
            let taken_over = || self.called.iter().find(|call| known.as_deref() == Some(call.id.as_str()));
            let found = taken_over().filter(|_| self.was_restored);
            // Of two calls to one number, the lost one and a later one of a replaced ledger, either may be found.
            let later = found.filter(|call| call.attempt.is_none() && call.key == key);
            let call = by_attempt.remove(&attempt).filter(|_| later.is_none()).or(found);
            // A call that no page shows cannot be found: an operator decides about it.
            let cannot_be_found = self.may_prove_nothing || call.is_some_and(|call| call.illegible);
            if cannot_be_found && (state == "absent" || (self.proves_nothing && state == "unknown")) {
                continue;
            }
            if known.as_deref() != call.map(|call| call.id.as_str()) {
                let truth = call.map_or("it was not placed", |_| "it was placed");
                wrong.push(format!("{key}: attempt {attempt} is {state}, {truth}, and the ledger knows {known:?}"));
            }
            let Some(call) = call else { continue };
            // A call that was taken over counts for the entry that has its number now.
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
            // The program's clock may be wrong by two minutes.
            if off.is_some_and(|off| off.abs() > TimeDelta::seconds(130)) {
                wrong.push(format!("{key}: attempt {attempt} started {} s off", off.unwrap_or_default().num_seconds()));
            }
        }
        wrong.extend(by_attempt.keys().map(|attempt| format!("attempt {attempt} was placed and is not in the ledger")));
        Ok(wrong)
    }
}

fn time_of_day(hour: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default()
}

fn integrity_problems(ledger: &Connection) -> rusqlite::Result<Vec<String>> {
    let integrity: String = ledger.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    let violations: i64 = ledger.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?;
    let mut wrong = Vec::new();
    if integrity != "ok" {
        wrong.push(format!("integrity_check: {integrity}"));
    }
    if violations > 0 {
        wrong.push(format!("foreign_key_check: {violations} rows"));
    }
    Ok(wrong)
}

/// Every entry that was ever listed must be in the ledger, in a final state with its reason or outcome.
fn unaccounted_entries(
    ledger: &Connection,
    ever_listed: &HashSet<String>,
    proves_nothing: bool,
) -> rusqlite::Result<Vec<String>> {
    let mut statement = ledger.prepare("SELECT key, state, reason, outcome FROM entry")?;
    let mut rows = statement.query([])?;
    let mut wrong = Vec::new();
    let mut missing: HashSet<_> = ever_listed.clone();
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

/// The first call reached a wrong number, and a newer list has another one, to which the redial rules do not apply yet.
fn is_another_number(pair: &[&PlacedCall], outcomes: &HashMap<ConversationId, Outcome>) -> bool {
    let is_wrong = matches!(outcomes.get(&pair[0].id), Some(Outcome::WrongNumber | Outcome::InvalidNumber));
    is_wrong && pair[0].to != pair[1].to
}
