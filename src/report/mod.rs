//! Output for people and for other programs: events as progress or JSON lines; the ledger as a summary, or as a report
//! in one of the formats ([`exporter`]); one entry's history; what was said in a call ([`said_words`]), what of it a
//! person has to read ([`review`]), what a campaign's rules take it for ([`outcome_tally`]), and rules for what they do
//! not know ([`suggested_rules`]); who needs a person ([`stuck`]), what the front desk has to do ([`worklist`]), and
//! files for the practice's own software ([`writeback`]); a plan as text. [`table`] is what these formats share.

pub mod csv;
pub mod exporter;
pub mod html;
pub mod json;
pub mod outcome_tally;
pub mod plan;
pub mod progress;
pub mod review;
pub mod said_words;
pub mod stuck;
pub mod suggested_rules;
pub mod summary;
pub mod table;
pub mod text;
pub mod timeline;
pub mod transcript;
pub mod worklist;
pub mod writeback;
pub mod xlsx;

pub use outcome_tally::OutcomeTally;
pub use review::ReviewRow;
pub use said_words::SaidWords;
pub use summary::RunSummary;
