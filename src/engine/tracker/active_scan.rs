//! What the tracker asks for, and its scan in progress: why it was started, and its result.

use chrono::{DateTime, Utc};

use super::poll_urgency::PollUrgency;
use crate::engine::scan::{CompletenessReason, Scan, ScanFlaw};
use crate::ids::ConversationId;

/// A request to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PollRequest {
    /// A page of the conversation list.
    Page {
        /// The offset of its first row.
        offset: u64,
    },
    /// One conversation, by id.
    Conversation(ConversationId),
}

/// A scan that saw every conversation back to an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompleteScan {
    /// When its first page was asked for, by our clock.
    pub started: DateTime<Utc>,
    /// How far back it reached, by the vendor's clock.
    pub back_to: DateTime<Utc>,
    /// Pages read.
    pub pages: u32,
    /// Different conversations seen.
    pub conversations: usize,
    /// The start of the oldest conversation seen, by the vendor's clock.
    pub oldest: Option<DateTime<Utc>>,
    /// Why nothing can be missing.
    pub completeness: CompletenessReason,
}

/// The state of a scan after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanResult {
    /// It continues, or has shown what it was started for.
    Nothing,
    /// It saw everything back to its instant.
    Complete(CompleteScan),
    /// It was broken off: the list proves nothing.
    Broken(ScanFlaw),
}

/// Why a scan was started, which decides where it may stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScanPurpose {
    /// Finds ended calls; stops once it has seen every open conversation.
    EndedCalls {
        /// Whether it also looks for conversations whose call had ended already; else it stops once it has seen those
        /// whose call is in progress.
        with_closing: bool,
    },
    /// Finds the conversations that webhooks have hinted at.
    Hints,
    /// Finds the conversations that earlier runs lost track of.
    LostTrack,
    /// Proves that something is absent; reads back to its instant.
    Proof,
    /// Reads the vendor's clock from the date of any page.
    ClockCheck,
}

/// A scan in progress.
#[derive(Debug)]
pub(super) struct ActiveScan {
    pub(super) scan: Scan,
    pub(super) purpose: ScanPurpose,
    /// The urgency with which it was started.
    pub(super) urgency: PollUrgency,
}
