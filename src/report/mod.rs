//! What is shown: events → progress on a terminal or JSON lines; the ledger → a summary, and reports as text, JSON,
//! CSV, workbooks and pages; a plan → who would be called on which day.

pub mod csv;
pub mod explain;
pub mod html;
pub mod json;
pub mod plan;
pub mod progress;
pub mod summary;
pub mod text;
pub mod xlsx;

pub use summary::Summary;
