//! Makes `src/outcome/opinion.bin`: a softmax over the outcomes and three logistic answers, trained by stochastic gradient
//! descent with `AdaGrad` on the rules' half of the corpus, on the simulator's sayings, and on the known tags. Everything follows
//! from seeds, so the same files make the same weights.
//!
//! `cargo test --locked --test callrounds train_the_second_opinion -- --ignored --nocapture`

use std::fs;

use callrounds::entry::{Outcome, OutcomeSignals};
use callrounds::outcome::opinion::{ANSWERS, Feature, Model, PLACES, features_of};
use callrounds::simulator::sayings::{Saying, sayings};

use super::corpus::{Labelled, RULES_HALF, Sureness, read};
use crate::support::harness::repository;
use crate::support::seeded_rng::SeededRng;

/// How often each saying is put into other words.
const WORDINGS: u64 = 12;
const ROUNDS: usize = 8;
const RATE: f32 = 0.1;
const DECAY: f32 = 1e-5;

/// One conversation to learn from.
struct Example {
    features: Vec<Feature>,
    answers: [f32; ANSWERS],
}

impl Example {
    fn new(signals: &OutcomeSignals, outcome: Outcome, opt_out: Sureness, deceased: Sureness) -> Self {
        let mut answers = [0.0; ANSWERS];
        answers[Outcome::ALL.iter().position(|one| *one == outcome).expect("a known outcome")] = 1.0;
        let others = [opt_out != Sureness::No, deceased != Sureness::No, opt_out == Sureness::Certain].map(f32::from);
        answers[Outcome::ALL.len()..].copy_from_slice(&others);
        Self { features: features_of(signals), answers }
    }

    fn of_corpus(one: &Labelled) -> Self {
        Self::new(&one.signals(), one.outcome, one.opt_out, one.deceased)
    }
}

fn sureness(word: &str) -> Sureness {
    match word {
        "certain" => Sureness::Certain,
        "possible" => Sureness::Possible,
        _ => Sureness::No,
    }
}

/// A saying among up to two sentences that go with any outcome.
fn told_as(saying: &Saying, seed: u64) -> Example {
    let mut rng = SeededRng::new(seed);
    let of_language = |one: &&Saying| one.language == saying.language && one.outcome == "any";
    let others: Vec<_> = sayings().iter().filter(of_language).collect();
    let mut sentences = vec![saying.words(rng.below(u64::MAX))];
    for _ in 0..[0, 0, 1, 1, 2][rng.below(5) as usize] {
        let at = rng.below(sentences.len() as u64 + 1) as usize;
        let other = others[rng.below(others.len() as u64) as usize];
        sentences.insert(at, other.words(rng.below(u64::MAX)));
    }
    let signals = OutcomeSignals { summary: Some(sentences.join(" ")), ..OutcomeSignals::default() };
    let outcome = Outcome::named(saying.outcome).expect("an outcome");
    Example::new(&signals, outcome, sureness(saying.opt_out), sureness(saying.deceased))
}

/// Every second known tag, as a tag, a topic or an action.
fn known_tags() -> Vec<Example> {
    let text = fs::read_to_string(repository().join("src/outcome/phrases/tags.txt")).expect("the tags");
    let mut rng = SeededRng::new(1);
    let mut section = "";
    let mut examples = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']');
        } else if section != "nothing" {
            let tags = line.split(',').map(str::trim).filter(|tag| !tag.is_empty()).step_by(2);
            examples.extend(tags.map(|tag| tagged(section, tag, rng.below(4))));
        }
    }
    examples
}

fn tagged(section: &str, tag: &str, field: u64) -> Example {
    let mut signals = OutcomeSignals::default();
    match field {
        0 => signals.topic = Some(tag.to_owned()),
        1 => signals.actions = vec![tag.to_owned()],
        _ => signals.tags = vec![tag.to_owned()],
    }
    let sure = |is_meant| if is_meant { Sureness::Certain } else { Sureness::No };
    let outcome = Outcome::named(section).unwrap_or(Outcome::DeceasedOrMoved);
    Example::new(&signals, outcome, sure(outcome == Outcome::OptOut), sure(section == "deceased"))
}

fn examples(corpus: &[Labelled]) -> Vec<Example> {
    let told = sayings().iter().filter(|saying| saying.outcome != "any").zip(0_u64..);
    let told = told.flat_map(|(saying, at)| (0..WORDINGS).map(move |wording| told_as(saying, at * WORDINGS + wording)));
    corpus.iter().map(Example::of_corpus).chain(told).chain(known_tags()).collect()
}

/// The model that these conversations, the sayings and the known tags teach.
pub fn train(corpus: &[Labelled]) -> Model {
    let examples = examples(corpus);
    let mut model = Model::empty();
    let mut steepness = vec![[1e-3_f32; ANSWERS]; PLACES];
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut rng = SeededRng::new(2);
    for _ in 0..ROUNDS {
        for last in (1..order.len()).rev() {
            order.swap(last, rng.below(last as u64 + 1) as usize);
        }
        for example in order.iter().map(|at| &examples[*at]) {
            learn(&mut model, &mut steepness, example);
        }
    }
    model
}

fn learn(model: &mut Model, steepness: &mut [[f32; ANSWERS]], example: &Example) {
    let answers = model.answers(&example.features);
    model.adjust(&example.features, |feature, answer, weight| {
        let slope = (answers[answer] - example.answers[answer]) * feature.share + DECAY * weight;
        let steep = &mut steepness[feature.place][answer];
        *steep += slope * slope;
        -RATE * slope / steep.sqrt()
    });
}

#[test]
#[ignore = "writes src/outcome/opinion.bin; by hand, after the corpus, the sayings, the phrases or the tags changed"]
fn train_the_second_opinion() {
    let bytes = train(&read(RULES_HALF)).to_bytes();
    fs::write(repository().join("src/outcome/opinion.bin"), &bytes).expect("written");
    eprintln!("{} bytes of weights", bytes.len());
}
