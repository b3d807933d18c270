//! What the operators do in the mornings, at the program and at the oracle alike.

use callrounds::clock::Clock;
use callrounds::entry::{Reason, State};
use callrounds::ledger::{
    DecisionScope, EntryRow, Pause, Resolution, ReviewDecision, SuppressionRequest, SuppressionScope,
};
use chrono::{DateTime, NaiveDate, Utc};

use super::calendar::PRACTICE;
use super::practice::{Practice, patient, who};
use super::story::{self, Decision};
use super::vendor::number;

const OPERATOR: &str = "operator";

/// The end of a day: it "counts to its end".
fn end_of(day: NaiveDate) -> DateTime<Utc> {
    PRACTICE.to_utc(day.succ_opt().expect("a date").into())
}

impl Practice {
    /// Carries a decision out.
    pub(super) async fn decide(&mut self, decision: &Decision) {
        let now = self.clock.now();
        let recall = DecisionScope::Campaign(self.recall.name.clone());
        match *decision {
            Decision::Suppress { number: digits, expires } => {
                let request =
                    SuppressionRequest { scope: SuppressionScope::All, source: OPERATOR, expires: expires.map(end_of) };
                self.operator.suppress([number(digits)], request, now).expect("suppressed");
                self.lived.suppressed += 1;
            }
            Decision::Lift { number: digits } => {
                self.operator.unsuppress(number(digits), SuppressionScope::All).expect("lifted");
                self.lived.lifted += 1;
            }
            Decision::Cancel => {
                self.operator.cancel(&recall, OPERATOR, now).expect("cancelled");
                self.lived.cancelled += 1;
            }
            Decision::UndoCancel => {
                self.operator.undo_cancel(&recall, OPERATOR, now).expect("undone");
                self.lived.undone += 1;
            }
            Decision::Pause { until } => {
                let pause = Pause { by: OPERATOR.into(), since: now, until: until.map(end_of) };
                self.operator.pause(&recall, &pause).expect("paused");
                self.lived.pauses += 1;
            }
            Decision::Resume => {
                if let Some(run) = self.newest {
                    self.ledger.lift_pause(run, OPERATOR.into(), now).await.expect("resumed");
                }
            }
            Decision::Resolve { .. } => {}
        }
        self.oracle.decide(decision);
    }

    /// Settles the held and refused entries of the recall campaign that the story wants settled.
    pub(super) fn resolve(&mut self, night: usize) {
        let Some(run) = self.newest else { return };
        let needs = |row: &EntryRow| {
            !row.covered_by_household
                && (row.state == State::Failed || (row.state, row.reason) == (State::Held, Some(Reason::AnswerLost)))
        };
        for row in self.rows(run).into_iter().filter(needs) {
            let patient = patient(&row.key);
            let Some(how) = self.story.resolution(night, patient) else { continue };
            let resolution = match how {
                story::Resolution::NotPlaced => Resolution::NotPlaced,
                story::Resolution::Cancel => Resolution::Cancel,
            };
            let resolved = self.operator.resolve(row.entry, resolution, OPERATOR, self.clock.now());
            if let Err(error) = resolved {
                self.wrong.push(format!("night {night}: {patient} cannot be resolved: {error}"));
                continue;
            }
            self.lived.resolved += 1;
            self.oracle.decide(&Decision::Resolve { patient, how });
        }
    }

    /// Decides about the conversations in doubt that somebody finds the time to read, of both campaigns.
    pub(super) fn review(&mut self, night: usize) {
        let pending = self.reader.pending_reviews(None).expect("reviews");
        let mut decided = Vec::new();
        for conversation in &pending {
            let is_recall = conversation.campaign == self.recall.name;
            let campaign = if is_recall { &self.recall } else { &self.reminder };
            let key = who(campaign.purpose.name(), conversation.key.as_str());
            let Some(how) = self.story.review(night, key.id).filter(|_| !decided.contains(&key)) else { continue };
            let decision = match how {
                story::Review::OptedOut => ReviewDecision::OptedOut,
                story::Review::Deceased => ReviewDecision::Deceased,
                story::Review::MayBeCalled => ReviewDecision::MayBeCalled,
            };
            let entry = conversation.entry;
            let shown: Vec<_> = pending.iter().filter(|one| one.entry == entry).map(|one| one.attempt).collect();
            let now = self.clock.now();
            let reviewed = self.operator.review(entry, &shown, decision, &campaign.redial, OPERATOR, now);
            if let Err(error) = reviewed {
                self.wrong.push(format!("night {night}: {key:?} cannot be reviewed: {error}"));
                continue;
            }
            decided.push(key);
            self.lived.reviewed += 1;
            self.oracle.review(key, how);
        }
    }
}
