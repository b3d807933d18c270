//! What a finished conversation meant: pure rules over its tags, topic, summary and needed actions.
//!
//! [`rules`] has a campaign's own rules, which come first, and the one function that classifies; [`verdict`] decides from
//! [`evidence`], which [`tags`] and the [`phrase_book`] find; both are data, in `phrases/`. [`phrase`] finds a phrase in a
//! text's words, which [`text`] makes within the [`limits`]; [`meaning`] is what a phrase or a tag stands for. [`opinion`] is a second opinion, a
//! small model over the [`features`] of a conversation.

mod evidence;
mod features;
mod limits;
mod meaning;
pub mod opinion;
mod phrase;
mod phrase_book;
pub mod rules;
mod tags;
mod text;
mod verdict;

#[cfg(test)]
mod tests;

pub use rules::{OutcomeRule, OutcomeRules};
