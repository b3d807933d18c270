//! The labelled conversations of `tests/outcomes/`.

use std::fs;

use callrounds::entry::{Outcome, OutcomeSignals};
use serde::Deserialize;

use crate::support::harness::repository;

/// How sure a label is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sureness {
    Certain,
    Possible,
    No,
}

/// A conversation as its writer labelled it.
#[derive(Debug, Clone, Deserialize)]
pub struct Labelled {
    id: String,
    pub language: String,
    #[serde(default)]
    pub tags: Vec<String>,
    pub topic: Option<String>,
    pub summary: Option<String>,
    #[serde(default)]
    pub actions: Vec<String>,
    pub duration: Option<f64>,
    pub outcome: Outcome,
    pub opt_out: Sureness,
    pub deceased: Sureness,
    /// `alt OUTCOME` names an outcome that is as right.
    #[serde(default)]
    pub note: String,
}

impl Labelled {
    pub fn signals(&self) -> OutcomeSignals {
        OutcomeSignals {
            tags: self.tags.clone(),
            topic: self.topic.clone(),
            summary: self.summary.clone(),
            actions: self.actions.clone(),
            duration: self.duration,
        }
    }

    /// Who wrote it: what its id begins with.
    pub fn author(&self) -> &str {
        self.id.split('-').next().unwrap_or_default()
    }

    /// Whether `outcome` is right.
    pub fn accepts(&self, outcome: Outcome) -> bool {
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let mut alternatives = self.note.split("alt ").skip(1).map(|rest| rest.split(|c| !is_word(c)).next());
        self.outcome == outcome || alternatives.any(|name| name == Some(outcome.name()))
    }

    /// Whether a person has to read it, or may have to.
    pub fn is_doubtful(&self) -> bool {
        self.opt_out != Sureness::No || self.deceased != Sureness::No
    }
}

/// One file of the corpus.
pub fn read(name: &str) -> Vec<Labelled> {
    let path = repository().join("tests/outcomes").join(name);
    let text = fs::read_to_string(path).expect("a file of the corpus");
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// The half on which rules are made, and the second opinion is trained.
pub const RULES_HALF: &str = "rules_half.jsonl";
/// The half that nobody who makes rules reads.
pub const UNSEEN_HALF: &str = "unseen_half.jsonl";
/// Conversations of another author, which were in view neither of the rules nor of the thresholds.
pub const SECOND_UNSEEN: &str = "second_unseen.jsonl";
