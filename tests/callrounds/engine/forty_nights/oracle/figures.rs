//! The states and figures of the morning after a night.

use super::Verdict::Open;
use super::rules::*;
use super::{Campaign, Case, Certainty, Fate, Key, ListedRow, Oracle, PastCall, Person};
use crate::engine::forty_nights::calendar::{Instant, Number, PRACTICE, is_open_day};
use crate::engine::forty_nights::story::{CallResult, Patient};
use std::collections::BTreeMap;

/// A state of the specification, as reports name it; `Covered` is `covered_by_household`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Ready,
    Waiting,
    Held,
    Finished,
    Failed,
    Suppressed,
    Withdrawn,
    Cancelled,
    Covered,
}

/// Between which bounds a figure must lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    pub least: usize,
    pub most: usize,
}

impl Range {
    pub fn contains(self, count: usize) -> bool {
        (self.least..=self.most).contains(&count)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// calls that tonight's recall run placed: refused requests and held entries are none
    pub calls_tonight: usize,
    pub refused_tonight: usize,
    pub lost_answers_tonight: usize,
    /// in all nights of the recall campaign
    pub calls_in_all: usize,
    /// tonight's outcomes; their sum is `calls_tonight`
    pub outcomes_tonight: BTreeMap<CallResult, usize>,
    /// patients who were ever on a list of the recall campaign: the sum over the states, one row for each
    pub patients: usize,
    /// the states in which each of them may be after the night's recall run
    pub standing: BTreeMap<Patient, Vec<State>>,
    /// patients by state, in all
    pub by_state: BTreeMap<State, Range>,
    /// patients who wait for a redial
    pub redials_waiting: Range,
}

impl Oracle {
    /// The states in which a report may show a patient after the night's recall run.
    /// Open: for everybody whom a call to another member covers, `covered_by_household` or the household's own state.
    fn states(&self, person: &Person, own: impl Fn(Key) -> Vec<State>, key: Key) -> Vec<State> {
        let mut states = own(key);
        if self.has_shared_calls(person) {
            for &member in person.kin.iter().filter(|&&member| member != key) {
                states.extend(own(member));
            }
            states.push(State::Covered);
        }
        states.sort_unstable();
        states.dedup();
        states
    }

    fn own_states(&self, key: Key, person: &Person) -> Vec<State> {
        let at = self.tonight.map_or(Instant::MIN_UTC, |tonight| tonight.midnight);
        let number = self.number_to_dial(key, person).unwrap_or(person.row.phone);
        let case = Case { key, addressed: key, number, at };
        let is_forbidden = |rule: PersonRule| rule(self, person, &case).sentence().is_some();
        let is_open = |rule: PersonRule| rule(self, person, &case) == Open;
        let mut states = Vec::new();
        // "The entry is held …, whatever a later list says"; "`cancel` leaves such an entry as it is".
        let in_doubt = |call: &PastCall| call.is_in_doubt && call.addressed() == key;
        if person.calls.iter().any(|&call| in_doubt(&self.calls[call])) {
            return vec![State::Held];
        }
        match person.cancelled.max(person.dropped) {
            Certainty::Yes => {
                states.push(State::Cancelled);
                // A household was cancelled: what the list says of this member since is true, too.
                if self.has_shared_calls(person) {
                    states.extend((!person.on_the_list).then_some(State::Withdrawn));
                    let is_barred = person.row.excluded.is_some() || person.has_been_barred;
                    states.extend(is_barred.then_some(State::Suppressed));
                    states.extend(person.row.consent_is_blank().then_some(State::Held));
                }
                return states;
            }
            Certainty::Perhaps => states.push(State::Cancelled),
            Certainty::No => {}
        }
        // The rules are checked when somebody is to be called: who has been settled meanwhile is found so then.
        if self.nothing_is_decided() && person.on_the_list && person.row.excluded.is_none() {
            states.extend([State::Ready, State::Waiting]);
        }
        let is_wrong = self.number_to_dial(key, person).is_none();
        let is_used_up = is_forbidden(attempts);
        if is_forbidden(settled_by_an_outcome) || is_wrong {
            states.push(State::Finished);
            // Open: a finished patient whom the list excludes, or whose number is suppressed.
            states.extend(self.is_excluded(person, number, at).then_some(State::Suppressed));
            states.extend(person.row.consent_is_blank().then_some(State::Held));
            // Who is off the list and was settled by a call to another of the household is both.
            let settles = |call: &PastCall| call.is_wrong_number() || !self.leads_to_another_call(call);
            let by_own_call = |call: &PastCall| call.addressed() == key && call.fate == Fate::Placed && settles(call);
            let is_own = person.calls.iter().any(|&call| by_own_call(&self.calls[call]));
            states.extend((!person.on_the_list && !is_own).then_some(State::Withdrawn));
            return states;
        }
        if is_open(settled_by_an_outcome) || is_open(attempts) || is_open(not_again_to_a_wrong_number) || is_used_up {
            // Open: whether the last call of a patient whose calls are used up leaves the entry finished or suppressed.
            states.extend([State::Finished, State::Suppressed]);
        }
        if !person.on_the_list {
            states.push(State::Withdrawn);
            // Open: what was held or refused, and is now off the list.
            states.extend((!held(self, person, &case).is_free()).then_some(State::Held));
            states.extend(self.was_refused(key, person).then_some(State::Failed));
            // "A patient's own decision stays whatever the list says": whoever was barred by the number may be shown so still.
            let numbers = [Some(person.row.phone), person.row.other_phone].into_iter().flatten();
            let mut lines = numbers.chain([number]).filter_map(|number| self.lines.get(&number));
            let was_barred = person.has_been_barred || lines.any(|line| line.has_been_barred);
            states.extend((is_used_up || was_barred).then_some(State::Suppressed));
            return states;
        }
        if is_used_up {
            states.extend(person.row.consent_is_blank().then_some(State::Held));
            return states;
        }
        if self.is_excluded(person, number, at) {
            states.push(State::Suppressed);
            let may_be_held = person.row.consent_is_blank() || !held(self, person, &case).is_free();
            states.extend(may_be_held.then_some(State::Held));
            states.extend(self.was_refused(key, person).then_some(State::Failed));
            states.extend([State::Ready, State::Waiting].into_iter().filter(|_| person.row.excluded.is_none()));
            return states;
        }
        if is_forbidden(held) {
            states.push(State::Held);
        } else if is_forbidden(not_again_after_a_refusal) {
            states.push(State::Failed);
        } else {
            states.extend([State::Ready, State::Waiting]);
            states.extend((!held(self, person, &case).is_free()).then_some(State::Held));
            if self.was_refused(key, person) {
                states.push(State::Failed);
                // The household's call to the corrected number was refused: the own last call was to a wrong number.
                let was_wrong = |call: &PastCall| call.fate == Fate::Placed && call.is_wrong_number();
                let was_wrong = person.calls.iter().any(|&call| was_wrong(&self.calls[call]));
                states.extend(was_wrong.then_some(State::Finished));
            }
        }
        states
    }

    /// Whether tonight's run called nobody, and so judged nobody: on a closed day, after hours, while the campaign is paused.
    fn nothing_is_decided(&self) -> bool {
        let Some(run) = self.tonight.and_then(|tonight| tonight.recall_run) else { return true };
        let closes = PRACTICE.to_local(run).date().and_hms_opt(17, 0, 0).expect("a time of day");
        let is_closed = !is_open_day(PRACTICE.to_local(run).date()) || PRACTICE.to_utc(closes) <= run;
        is_closed || !pause_holds(self, Campaign::Recall, run).is_free()
    }

    /// Whether the person is called, or was, together with others.
    fn has_shared_calls(&self, person: &Person) -> bool {
        person.kin.len() > 1 || person.calls.iter().any(|&call| self.calls[call].who.len() > 1)
    }

    fn is_excluded(&self, person: &Person, number: Number, at: Instant) -> bool {
        let rules: [NumberRule; 3] = [suppression, opt_out, doubt];
        let barred = |number| rules.iter().any(|rule| !rule(self, number, at).is_free());
        person.row.excluded.is_some() || barred(number) || barred(person.row.phone)
    }

    fn was_refused(&self, key: Key, person: &Person) -> bool {
        let refused = |call: &PastCall| call.who.contains(&key) && call.fate == Fate::Refused;
        person.calls.iter().any(|&call| refused(&self.calls[call]))
    }

    /// The figures of the morning after the night's recall run.
    pub fn expected_counts(&self) -> Counts {
        let mut counts = Counts::default();
        for call in self.calls.iter().filter(|call| call.campaign == Campaign::Recall) {
            let tonight = call.night == self.night;
            match call.said {
                CallResult::Refused => counts.refused_tonight += usize::from(tonight),
                CallResult::AnswerLost => counts.lost_answers_tonight += usize::from(tonight),
                result => {
                    counts.calls_in_all += 1;
                    if tonight {
                        counts.calls_tonight += 1;
                        *counts.outcomes_tonight.entry(result).or_default() += 1;
                    }
                }
            }
        }
        let own: BTreeMap<Key, Vec<State>> =
            self.recall_people().map(|key| (key, self.own_states(key, &self.people[&key]))).collect();
        for key in self.recall_people() {
            let states = self.states(&self.people[&key], |key| own[&key].clone(), key);
            for &state in &states {
                let range = counts.by_state.entry(state).or_default();
                range.most += 1;
                range.least += usize::from(states.len() == 1);
            }
            counts.standing.insert(key.id, states);
            let waits = self.waits_for_a_redial(key);
            counts.redials_waiting.least += usize::from(waits == Certainty::Yes);
            counts.redials_waiting.most += usize::from(waits != Certainty::No);
        }
        counts.patients = counts.standing.len();
        counts
    }

    fn waits_for_a_redial(&self, key: Key) -> Certainty {
        let person = &self.people[&key];
        let called = |call: &&PastCall| call.fate == Fate::Placed;
        match person.calls.iter().rev().map(|&call| &self.calls[call]).find(called) {
            Some(last) if self.rules(key).redialled.contains(&last.result) => {
                let shares = self.has_shared_calls(person);
                let waits = self.to_be_called(key);
                // Open: a household that waits counts once, or each of its patients does.
                if shares { waits.min(Certainty::Perhaps) } else { waits }
            }
            _ => Certainty::No,
        }
    }
}

impl ListedRow {
    fn consent_is_blank(&self) -> bool {
        self.excluded.is_some_and(|why| why.contains("held"))
    }
}
