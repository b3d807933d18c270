//! How well conversations are classified, on the half of the corpus that nobody who made the rules has read.
//!
//! `cargo test --locked --test callrounds outcome_figures -- --nocapture` prints the figures of what nobody has read;
//! `cargo test --locked --test callrounds cross_validated -- --ignored --nocapture` those of each author of the rules' half, with
//! a second opinion that was trained without that author.

use std::collections::BTreeMap;
use std::fmt;

use callrounds::entry::{Classification, Outcome};
use callrounds::outcome::OutcomeRules;
use callrounds::outcome::opinion::Model;
use callrounds::outcome::rules::built_in;

use super::corpus::{Labelled, RULES_HALF, SECOND_UNSEEN, Sureness, UNSEEN_HALF, read};
use super::training::train;

/// The counts of a set of labelled conversations.
#[derive(Debug, Default)]
struct Figures {
    all: usize,
    /// Certain opt-outs, and those of them that were suppressed or put to review.
    opt_outs: usize,
    caught: usize,
    /// The same for certain deaths.
    deaths: usize,
    deaths_caught: usize,
    /// The same for opt-outs and deaths that are only possible.
    possible: usize,
    possible_caught: usize,
    /// Suppressed for good without a certain opt-out.
    falsely_suppressed: usize,
    /// The outcome of the label or an alternative of it, or put to review where the label is in doubt or an opt-out or a death.
    right: usize,
    wrong: usize,
    reviewed_without_need: usize,
    /// The outcome of the label or an alternative of it.
    exact: usize,
}

impl Figures {
    fn add(&mut self, label: &Labelled, taken: &Classification) {
        let is_reviewed = taken.doubt.is_some();
        let is_caught = taken.outcome == Outcome::OptOut || is_reviewed;
        let is_death_caught = taken.outcome == Outcome::DeceasedOrMoved || is_reviewed;
        let is_exact = label.accepts(taken.outcome);
        let is_right = is_exact || (is_reviewed && label.is_doubtful());
        let count = |of: &mut usize, is_one: bool| *of += usize::from(is_one);
        count(&mut self.all, true);
        count(&mut self.opt_outs, label.opt_out == Sureness::Certain);
        count(&mut self.caught, label.opt_out == Sureness::Certain && is_caught);
        count(&mut self.deaths, label.deceased == Sureness::Certain);
        count(&mut self.deaths_caught, label.deceased == Sureness::Certain && is_death_caught);
        let is_possible = label.opt_out == Sureness::Possible || label.deceased == Sureness::Possible;
        count(&mut self.possible, is_possible);
        count(&mut self.possible_caught, is_possible && is_reviewed);
        let is_suppressed = taken.outcome == Outcome::OptOut && !is_reviewed;
        count(&mut self.falsely_suppressed, is_suppressed && label.opt_out != Sureness::Certain);
        count(&mut self.right, is_right);
        count(&mut self.exact, is_exact);
        count(&mut self.wrong, !is_right && taken.outcome != Outcome::Unclassified);
        count(&mut self.reviewed_without_need, is_reviewed && !label.is_doubtful());
    }

    fn of<'l>(corpus: impl IntoIterator<Item = &'l Labelled>) -> Self {
        let rules = OutcomeRules { own: Vec::new(), has_built_in: true };
        Self::by(corpus, |label| rules.classify(&label.signals()))
    }

    /// The figures of a way to classify.
    fn by<'l>(corpus: impl IntoIterator<Item = &'l Labelled>, classify: impl Fn(&Labelled) -> Classification) -> Self {
        let mut figures = Self::default();
        for label in corpus {
            figures.add(label, &classify(label));
        }
        figures
    }
}

/// `part` in hundred of `all`.
fn percent(part: usize, all: usize) -> f64 {
    100.0 * part as f64 / all.max(1) as f64
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} conversations: opt-outs caught or put to review {} of {} ({:.1} %), deaths {} of {}, possible ones put to \
             review {} of {}; falsely suppressed {} ({:.2} %); right {:.1} % (the very outcome {:.1} %), wrong {:.1} %, put \
             to review without need {:.1} %",
            self.all,
            self.caught,
            self.opt_outs,
            percent(self.caught, self.opt_outs),
            self.deaths_caught,
            self.deaths,
            self.possible_caught,
            self.possible,
            self.falsely_suppressed,
            percent(self.falsely_suppressed, self.all),
            percent(self.right, self.all),
            percent(self.exact, self.all),
            percent(self.wrong, self.all),
            percent(self.reviewed_without_need, self.all),
        )
    }
}

#[test]
fn outcome_figures() {
    let unseen = read(UNSEEN_HALF);
    let by_language = unseen.iter().fold(BTreeMap::<&str, Vec<&Labelled>>::new(), |mut by_language, label| {
        by_language.entry(&label.language).or_default().push(label);
        by_language
    });
    for (language, labels) in by_language {
        eprintln!("unseen half, {language}: {}", Figures::of(labels));
    }
    let second = Figures::of(&read(SECOND_UNSEEN));
    eprintln!("second unseen: {second}");
    let figures = Figures::of(&unseen);
    eprintln!("unseen half: {figures}");

    // What another author's words gave when this was written, with a little room; the goals are the same.
    assert!(percent(second.caught, second.opt_outs) >= 95.0, "{second} (goal: 99)");
    assert!(percent(second.falsely_suppressed, second.all) <= 0.5, "{second}");
    assert!(second.deaths_caught + 2 >= second.deaths, "{second}");
    assert!(figures.deaths_caught + 1 >= figures.deaths, "{figures}");
    // The goal is in brackets where it is not reached.
    assert!(percent(figures.caught, figures.opt_outs) >= 99.0, "{figures}");
    assert!(percent(figures.falsely_suppressed, figures.all) <= 0.5, "{figures}");
    assert!(percent(figures.right, figures.all) >= 85.0, "{figures}");
    assert!(percent(figures.wrong, figures.all) <= 2.0, "{figures}");
    assert!(percent(figures.reviewed_without_need, figures.all) <= 9.0, "{figures} (goal: 5)");
    assert!(percent(second.right, second.all) >= 75.0, "{second} (goal: 85)");
    assert!(percent(second.wrong, second.all) <= 5.0, "{second} (goal: 2)");
    assert!(percent(second.reviewed_without_need, second.all) <= 12.0, "{second} (goal: 5)");
}

#[test]
#[ignore = "trains sixteen models; by hand, to choose the thresholds and after the corpus or the training changed"]
fn cross_validated_figures() {
    let corpus = read(RULES_HALF);
    eprintln!("rules' half: {}", Figures::of(&corpus));
    for author in (1..=16).map(|author| format!("d{author}")) {
        let (theirs, others): (Vec<_>, Vec<_>) = corpus.iter().cloned().partition(|label| label.author() == author);
        let model = Model::read(&train(&others).to_bytes());
        eprintln!("{author}: {}", Figures::by(&theirs, |label| built_in(&label.signals(), &model)));
    }
}
