//! Output for people and for other programs: events as progress or JSON lines; the ledger as a summary, or as a report in
//! one of the formats ([`exporter`]); one entry's history; what was said in a call
//! ([`said_words`]), and what of it a person has to read ([`review`]); a plan as text.

pub mod csv;
pub mod exporter;
pub mod html;
pub mod json;
pub mod plan;
pub mod progress;
pub mod review;
pub mod said_words;
pub mod summary;
pub mod text;
pub mod timeline;
pub mod xlsx;

pub use review::ReviewRow;
pub use said_words::SaidWords;
pub use summary::RunSummary;
