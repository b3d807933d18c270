//! What happened to one entry, and why, as a story.

use serde::Serialize;

use crate::entry::Reason;
use crate::ids::EntryId;
use crate::ledger::EventRow;
use crate::zone::Zone;

/// An entry's story.
#[derive(Debug, Serialize)]
pub struct Story {
    entry: EntryId,
    state: &'static str,
    events: Vec<EventRow>,
}

impl Story {
    /// The story of an entry that stands at `state`.
    #[must_use]
    pub fn new(entry: EntryId, state: &'static str, events: Vec<EventRow>) -> Self {
        Self { entry, state, events }
    }
}

/// The story in lines, one an event; instants in the practice's zone.
#[must_use]
pub fn told(story: &Story, zone: &Zone) -> String {
    let head = format!("entry {}: {}\n", story.entry, story.state);
    story.events.iter().fold(head, |text, event| text + "  " + &line(event, zone) + "\n")
}

fn line(event: &EventRow, zone: &Zone) -> String {
    let at = zone.local(event.at).format("%a %Y-%m-%d %H:%M:%S");
    let mut line = format!("{at}  {}", event.kind.replace('_', " "));
    if let Some(after) = event.after {
        line += &format!(" → {after}");
    }
    if let Some(reason) = event.reason {
        line += &format!(": {}", Reason::says(reason));
    }
    if let Some(detail) = &event.detail {
        line += &format!(" ({detail})");
    }
    line
}
