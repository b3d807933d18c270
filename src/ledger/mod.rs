//! The ledger: everything that must survive, in one SQLite file, and the only SQL of the program (`schema.sql`,
//! `sql/`).
//!
//! Exactly one [`Ledger`] writes, guarded by a lock file beside the ledger. Its methods queue their work at once, in
//! call order, and return a [`CommitFuture`] that completes once the work is on stable storage. Work that queues up
//! while a commit waits for the disk shares the next commit, so many intents and replies share one fsync.
//! [`LedgerReader`]s see the last commit and never wait.
//!
//! Opening (`open`) takes the `lock`, checks the file (`sibling_files`, `file_identity`, `integrity`), rewrites the
//! write-ahead log (`wal_recovery`), and compares the ledger with its `high_water` mark. A list arrives in `batch`es of
//! entries; `enrol` matches them by key and `insert` writes the new ones. `claim` asks the rules and writes intents;
//! `record` writes what became of them, and `conversation_words` what was said. `call_facts` gathers the facts that the
//! rules judge, for `claim` and for `check`.
//!
//! Nothing is decided here: [`crate::entry`] decides what a fact or a list changes, [`crate::policy`] says who may be
//! called, and the ledger reads, compares and sets. Changed rows ≠ 1 is an error.

mod adopt;
mod alternate_numbers;
mod batch;
mod call_facts;
mod call_media;
mod call_watermark;
mod callable;
mod cancellation;
mod claim;
mod codec;
mod conversation_words;
mod deferred_list_change;
mod enrol;
mod enrol_preview;
mod error;
mod exclude;
mod file_identity;
mod handle;
mod high_water;
mod household;
mod insert;
mod integrity;
mod kind;
mod known_entry;
mod lock;
mod maintenance;
mod next_due;
mod nights;
mod old_words;
mod open;
mod operator;
mod pause;
mod plan_scope;
mod purge;
mod purged_content;
mod reader;
mod reclassify;
mod record;
mod review;
mod run_results;
mod runs;
mod settled;
mod sibling_files;
mod sql;
mod state_counts;
mod stuck;
mod suppression;
mod transcripts;
mod transition;
mod unrecorded_calls;
mod wal_recovery;
mod worklist;
mod worklist_item;
mod worklist_ticks;
mod writeback;
mod writeback_removed;
mod writer;

pub use adopt::{Adoption, adopt};
pub use batch::Batch;
pub use call_facts::CallSubject;
pub use call_watermark::{CallerId, Watermark};
pub use callable::CallableEntry;
pub use cancellation::{CancelledEntries, ReinstatedEntries};
pub use claim::{ClaimRequest, ClaimResult, ClaimScope, ClaimedAttempt, Deferral};
pub use conversation_words::KeptWords;
pub use enrol::{EnrolledList, EnrolmentCounts, ListChunk, ListEnd, is_cut_short};
pub use enrol_preview::{AbsentEntry, EnrolPreview};
pub use error::LedgerError;
pub use handle::Ledger;
pub use high_water::MarkStatus;
pub use kind::LedgerKind;
pub use maintenance::{backup, mark_status, verify};
pub use nights::Night;
pub use operator::{DecisionScope, Operator, OperatorError, Resolution};
pub use pause::Pause;
pub use plan_scope::ApprovedCall;
pub use purge::purge;
pub use reader::{EntryRow, EventRow, FormerMember, LedgerReader, ListChanges, RunReport, RunStart};
pub use reclassify::{KeptConversation, Reclassification, Reclassified};
pub use record::{AttemptUpdate, AuditNote, InFlightAttempt};
pub use review::{PendingReview, ReviewDecision};
pub use run_results::AttemptCounts;
pub use runs::{CallResult, ReopenedRun, RunHandle};
pub use sibling_files::SIBLING_SUFFIXES;
pub use state_counts::{StateCounts, StateGroup};
pub use stuck::{LastAttempt, StuckEntry};
pub use suppression::{SuppressionRequest, SuppressionRow, SuppressionScope};
pub use transcripts::RecordedConversation;
pub use unrecorded_calls::{ObservedCall, ObservedWithoutId};
pub use wal_recovery::LedgerDisk;
pub use worklist::{TickResult, WorkItem};
pub use worklist_ticks::Tick;
pub use writeback::{BatchContent, Contact, KeptContent, WaitingCalls, WritebackBatch};
pub use writer::CommitFuture;

#[cfg(test)]
mod tests;
