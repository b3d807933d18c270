//! A second opinion: a small linear model over the features of a conversation (`features.rs`).
//!
//! `opinion.bin` has a scale for each [answer](ANSWERS) as a little-endian `f32`, then one byte for each place and answer. The
//! program that makes it is `tests/callrounds/engine/outcomes/training.rs`.

use std::fmt::{self, Write};
use std::sync::LazyLock;

use super::evidence::AllEvidence;
use super::features::{self, Kind};
use crate::entry::{Outcome, OutcomeSignals};

/// Features are counted into this many places; several may share one.
pub const PLACES: usize = 1 << 16;

/// The answers of the model: each outcome, then whether an opt-out is spoken of, whether a death is, and whether an opt-out
/// is certain.
pub const ANSWERS: usize = Outcome::ALL.len() + 3;

static MODEL: LazyLock<Model> = LazyLock::new(|| Model::read(include_bytes!("opinion.bin")));

/// How likely the model finds what a conversation may have meant, each from 0 to 1.
#[derive(Debug, Clone)]
pub(super) struct Opinion {
    outcomes: [f32; Outcome::ALL.len()],
    /// An opt-out is spoken of.
    pub(super) opt_out: f32,
    /// A death is spoken of.
    pub(super) death: f32,
    /// An opt-out is certain.
    pub(super) certain_opt_out: f32,
}

/// A feature of a conversation, as the model sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Feature {
    /// Where its weights are.
    pub place: usize,
    /// How much it counts, from 0 to 1.
    pub share: f32,
}

/// What the pieces of words count for, compared with the words.
const SHARE_OF_PIECES: f32 = 0.7;

/// A model's weights, by place and answer.
pub struct Model {
    weights: Vec<[f32; ANSWERS]>,
}

impl Opinion {
    /// The opinion of `model`.
    pub(super) fn of(model: &Model, signals: &OutcomeSignals, evidence: &AllEvidence) -> Self {
        Self::from_answers(&model.answers(&features(signals, evidence)))
    }

    fn from_answers(answers: &[f32; ANSWERS]) -> Self {
        let (outcomes, [opt_out, death, certain_opt_out]) = split(answers);
        Self { outcomes, opt_out, death, certain_opt_out }
    }

    /// How likely this outcome is.
    pub(super) fn likelihood(&self, outcome: Outcome) -> f32 {
        Outcome::ALL.iter().position(|one| *one == outcome).map_or(0.0, |at| self.outcomes[at])
    }

    /// The likeliest outcome, apart from opt-outs and deaths, of which the model only raises doubts.
    pub(super) fn likeliest(&self) -> (Outcome, f32) {
        let may_propose = |outcome: &Outcome| !matches!(outcome, Outcome::OptOut | Outcome::DeceasedOrMoved);
        let proposals = Outcome::ALL.iter().copied().filter(may_propose);
        let likeliest = proposals.max_by(|one, other| self.likelihood(*one).total_cmp(&self.likelihood(*other)));
        let outcome = likeliest.unwrap_or(Outcome::Unclassified);
        (outcome, self.likelihood(outcome))
    }
}

fn split(answers: &[f32; ANSWERS]) -> ([f32; Outcome::ALL.len()], [f32; 3]) {
    let (mut outcomes, mut others) = ([0.0; Outcome::ALL.len()], [0.0; 3]);
    outcomes.copy_from_slice(&answers[..Outcome::ALL.len()]);
    others.copy_from_slice(&answers[Outcome::ALL.len()..]);
    (outcomes, others)
}

impl Model {
    /// The model in the program.
    #[must_use]
    pub fn built_in() -> &'static Self {
        &MODEL
    }

    /// A model that knows nothing yet.
    #[must_use]
    pub fn empty() -> Self {
        Self { weights: vec![[0.0; ANSWERS]; PLACES] }
    }

    /// Reads the file's form.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let (scales, weights) = bytes.as_chunks::<4>().0.split_at(ANSWERS.min(bytes.len() / 4));
        let scales: Vec<f32> = scales.iter().map(|scale| f32::from_le_bytes(*scale)).collect();
        let bytes = weights.as_flattened();
        let row = |row: &[u8]| std::array::from_fn(|at| f32::from(row[at].cast_signed()) * scales[at]);
        Self { weights: bytes.chunks_exact(ANSWERS).map(row).collect() }
    }

    /// The file's form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let largest = |at: usize| self.weights.iter().map(|row| row[at].abs()).fold(f32::MIN_POSITIVE, f32::max);
        let scales: Vec<f32> = (0..ANSWERS).map(|at| largest(at) / 127.0).collect();
        let weight = |(weight, scale): (&f32, &f32)| ((weight / scale).round() as i8).cast_unsigned();
        let weights = self.weights.iter().flat_map(|row| row.iter().zip(&scales).map(weight));
        scales.iter().flat_map(|scale| scale.to_le_bytes()).chain(weights).collect()
    }

    /// The likelihood of each answer: the outcomes add up to 1, and each of the others is one of its own.
    #[must_use]
    pub fn answers(&self, features: &[Feature]) -> [f32; ANSWERS] {
        let mut answers = [0.0; ANSWERS];
        for feature in features {
            for (answer, weight) in answers.iter_mut().zip(&self.weights[feature.place]) {
                *answer += weight * feature.share;
            }
        }
        let (outcomes, others) = answers.split_at_mut(Outcome::ALL.len());
        let most = outcomes.iter().copied().fold(f32::MIN, f32::max);
        for answer in &mut *outcomes {
            *answer = (*answer - most).exp();
        }
        let all: f32 = outcomes.iter().sum();
        for answer in outcomes {
            *answer /= all;
        }
        for answer in others {
            *answer = 1.0 / (1.0 + (-*answer).exp());
        }
        answers
    }

    /// Changes the weights of some features.
    pub fn adjust(&mut self, features: &[Feature], mut change: impl FnMut(Feature, usize, f32) -> f32) {
        for &feature in features {
            for (answer, weight) in self.weights[feature.place].iter_mut().enumerate() {
                *weight += change(feature, answer, *weight);
            }
        }
    }
}

/// A conversation's features, for training.
#[must_use]
pub fn features_of(signals: &OutcomeSignals) -> Vec<Feature> {
    features(signals, &AllEvidence::gather(signals))
}

/// The words of a conversation that speak most for `outcome`, the strongest first. They are the patient's: only for a command
/// that was asked to show words.
#[must_use]
pub fn deciding_words(signals: &OutcomeSignals, outcome: Outcome) -> Vec<String> {
    let answer = Outcome::ALL.iter().position(|one| *one == outcome).unwrap_or_default();
    let mut weighty = Vec::new();
    features::visit(signals, &AllEvidence::gather(signals), &mut |kind, feature| {
        let weight = MODEL.weights[place(feature)][answer];
        if weight > 0.0 && kind == Kind::Words {
            weighty.push((weight, feature.to_string()));
        }
    });
    weighty.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    weighty.dedup();
    weighty.into_iter().map(|(_, feature)| feature).collect()
}

/// A conversation's features, each once.
fn features(signals: &OutcomeSignals, evidence: &AllEvidence) -> Vec<Feature> {
    let (mut words, mut pieces) = (Vec::new(), Vec::new());
    features::visit(signals, evidence, &mut |kind, feature| match kind {
        Kind::Words => words.push(place(feature)),
        Kind::Pieces => pieces.push(place(feature)),
    });
    [shared(words, 1.0), shared(pieces, SHARE_OF_PIECES)].concat()
}

/// Features of one kind, each once, that count for `weight` together.
fn shared(mut places: Vec<usize>, weight: f32) -> Vec<Feature> {
    places.sort_unstable();
    places.dedup();
    let share = weight / (places.len() as f32).sqrt();
    places.into_iter().map(|place| Feature { place, share }).collect()
}

fn place(feature: fmt::Arguments<'_>) -> usize {
    let mut hash = Fnv::default();
    // Writing into a hash cannot fail.
    let _ = hash.write_fmt(feature);
    (hash.0 ^ (hash.0 >> 29)) as usize % PLACES
}

/// The FNV-1a hash of what is written.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Write for Fnv {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = text.bytes().fold(self.0, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_survives_its_file() {
        let mut model = Model::empty();
        let feature = |place| Feature { place, share: 0.5 };
        model.adjust(&[feature(3), feature(70)], |of, answer, _| of.place as f32 * 0.01 - answer as f32 * 0.02);
        let read = Model::read(&model.to_bytes());
        assert_eq!(read.weights.len(), PLACES);
        for (one, other) in model.answers(&[3, 70, 9].map(feature)).iter().zip(read.answers(&[3, 70, 9].map(feature))) {
            assert!((one - other).abs() < 0.01, "{one} {other}");
        }
    }

    #[test]
    fn the_built_in_model_is_whole() {
        assert_eq!(MODEL.weights.len(), PLACES);
        let booked =
            OutcomeSignals { summary: Some("Booked a cleaning for Tuesday.".into()), ..OutcomeSignals::default() };
        assert_eq!(Opinion::of(&MODEL, &booked, &AllEvidence::gather(&booked)).likeliest().0, Outcome::Booked);
        assert!(deciding_words(&booked, Outcome::Booked).iter().take(12).any(|word| word.contains("book")));
    }
}
