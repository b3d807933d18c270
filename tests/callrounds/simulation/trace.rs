//! What happened in a seed, for the person who replays it.

use std::io::Write;

use chrono::{DateTime, Utc};

/// Whether it is told at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trace {
    Silent,
    /// On standard error, as it happens.
    Told,
}

impl Trace {
    pub fn say(self, at: DateTime<Utc>, what: impl FnOnce() -> String) {
        if self == Self::Told {
            // A trace that nobody reads stops nothing.
            let _ = writeln!(std::io::stderr(), "{} {}", at.format("%m-%d %H:%M:%S%.3f"), what());
        }
    }
}
