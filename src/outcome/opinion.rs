//! A second opinion: a small linear model over the features of a conversation (`features.rs`).
//!
//! `opinion.bin` has a scale for each [answer](ANSWERS) as a little-endian `f32`, then one byte for each place and answer. The
//! program that makes it is `tests/callrounds/engine/outcomes/training.rs`.

use std::fmt::{self, Write};
use std::sync::LazyLock;

use super::evidence::AllEvidence;
use super::features;
use crate::entry::{Outcome, OutcomeSignals};

/// Features are counted into this many places; several may share one.
pub const PLACES: usize = 1 << 15;

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

/// A model's weights, by place and answer.
pub struct Model {
    weights: Vec<[f32; ANSWERS]>,
}

impl Opinion {
    /// The opinion of `model`.
    pub(super) fn of(model: &Model, signals: &OutcomeSignals, evidence: &AllEvidence) -> Self {
        Self::from_answers(&model.answers(&places(signals, evidence)))
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
    pub fn answers(&self, places: &[usize]) -> [f32; ANSWERS] {
        let mut answers = [0.0; ANSWERS];
        for &place in places {
            for (answer, weight) in answers.iter_mut().zip(&self.weights[place]) {
                *answer += weight / (places.len() as f32).sqrt();
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

    /// Changes the weights of some places.
    pub fn adjust(&mut self, places: &[usize], mut change: impl FnMut(usize, usize, f32) -> f32) {
        for &place in places {
            for (answer, weight) in self.weights[place].iter_mut().enumerate() {
                *weight += change(place, answer, *weight);
            }
        }
    }
}

/// The places of a conversation's features, for training.
#[must_use]
pub fn places_of(signals: &OutcomeSignals) -> Vec<usize> {
    places(signals, &AllEvidence::gather(signals))
}

/// The words of a conversation that speak most for `outcome`, the strongest first. They are the patient's: only for a command
/// that was asked to show words.
#[must_use]
pub fn deciding_words(signals: &OutcomeSignals, outcome: Outcome) -> Vec<String> {
    let answer = Outcome::ALL.iter().position(|one| *one == outcome).unwrap_or_default();
    let mut weighty = Vec::new();
    features::visit(signals, &AllEvidence::gather(signals), &mut |feature| {
        let weight = MODEL.weights[place(feature)][answer];
        if weight > 0.0 {
            weighty.push((weight, feature.to_string()));
        }
    });
    weighty.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    weighty.dedup();
    weighty.into_iter().map(|(_, feature)| feature).collect()
}

/// The places of a conversation's features, each once.
fn places(signals: &OutcomeSignals, evidence: &AllEvidence) -> Vec<usize> {
    let mut places = Vec::new();
    features::visit(signals, evidence, &mut |feature| places.push(place(feature)));
    places.sort_unstable();
    places.dedup();
    places
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
        model.adjust(&[3, 70], |place, answer, _| place as f32 * 0.01 - answer as f32 * 0.02);
        let read = Model::read(&model.to_bytes());
        assert_eq!(read.weights.len(), PLACES);
        for (one, other) in model.answers(&[3, 70, 9]).iter().zip(read.answers(&[3, 70, 9])) {
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
