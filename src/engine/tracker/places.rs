//! When the place of a call is free for the next one, by what the vendor shows, and how long calls last.

use chrono::{DateTime, TimeDelta, Utc};

use super::call_lengths::CallLengths;
use super::open_conversations::OpenConversations;
use crate::vendor::Conversation;

/// Two ends of one call that differ by more are an end that moves: the vendor writes the last change as the end.
const SAME_END: TimeDelta = TimeDelta::seconds(5);

/// When the place of a call is free for the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PlaceFree {
    /// When the call has ended.
    AtCallEnd,
    /// When its conversation is closed: the vendor counts closing ones, or its ends are not the calls' ends.
    AtClosing,
}

/// The places that the calls of a run take.
#[derive(Debug)]
pub(super) struct Places {
    place_free: PlaceFree,
    call_lengths: CallLengths,
}

impl Default for Places {
    fn default() -> Self {
        Self { place_free: PlaceFree::AtCallEnd, call_lengths: CallLengths::default() }
    }
}

impl Places {
    /// How many are taken.
    pub(super) fn taken(&self, open: &OpenConversations) -> usize {
        match self.place_free {
            PlaceFree::AtCallEnd => open.in_progress(),
            PlaceFree::AtClosing => open.len(),
        }
    }

    /// The average length of a call, as far as it is known.
    pub(super) fn average_call(&self) -> TimeDelta {
        self.call_lengths.average()
    }

    /// The vendor refused a call because too many were in progress. Returns whether a closing conversation explains it:
    /// from now on, a place is free when its conversation is closed.
    pub(super) fn on_too_many_calls(&mut self, open: &OpenConversations) -> bool {
        let is_explained = self.place_free == PlaceFree::AtCallEnd && open.in_progress() < open.len();
        if is_explained {
            self.place_free = PlaceFree::AtClosing;
        }
        is_explained
    }

    /// Takes in what the vendor shows of a conversation, by its clock, which is `ahead` of ours. Returns whether it is news
    /// that the call has ended. An end that later turns out to be another one was none: the call had been in progress.
    pub(super) fn on_conversation(
        &mut self,
        open: &mut OpenConversations,
        conversation: &Conversation,
        now: DateTime<Utc>,
        ahead: TimeDelta,
    ) -> bool {
        let Some(ended) = conversation.call_ended_by(now + ahead).map(|ended| ended - ahead) else { return false };
        if let Some(known) = open.call_end(&conversation.id) {
            if ended > known + SAME_END && conversation.ended.is_some() {
                self.place_free = PlaceFree::AtClosing;
            }
            return false;
        }
        let Some(length) = open.on_call_ended(&conversation.id, ended) else { return false };
        self.call_lengths.observe(length);
        true
    }
}
