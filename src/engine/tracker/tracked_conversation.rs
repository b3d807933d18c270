//! A conversation that the tracker follows to its end.

use chrono::{DateTime, TimeDelta, Utc};

use crate::ids::{AttemptId, EntryId};

/// The shortest call: younger conversations are not read.
pub(crate) const SHORTEST_CALL: TimeDelta = TimeDelta::seconds(10);

/// A conversation is given up after this many failed reads past its deadline.
pub(super) const MAX_FINAL_READS: u8 = 5;

/// A conversation being followed.
#[derive(Debug, Clone)]
pub struct TrackedConversation {
    /// The attempt that placed the call.
    pub attempt: AttemptId,
    /// The entry called.
    pub entry: EntryId,
    /// Which call to the entry this is, from 1.
    pub number: u32,
    /// When the vendor answered the call's request, else when the request was intended or the conversation was found,
    /// by our clock.
    pub since: DateTime<Utc>,
    /// Whether the answer to the request named it: then it is certainly our call.
    pub answered: bool,
    /// When it was last read by id.
    pub asked_at: Option<DateTime<Utc>>,
}
