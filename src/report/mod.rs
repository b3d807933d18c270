//! Output for people and for other programs: events as progress or JSON lines; the ledger as a summary, or as a report in
//! one of the formats ([`exporter`]); one entry's history; a plan as text.

pub mod csv;
pub mod exporter;
pub mod html;
pub mod json;
pub mod plan;
pub mod progress;
pub mod summary;
pub mod text;
pub mod timeline;
pub mod xlsx;

pub use summary::RunSummary;
