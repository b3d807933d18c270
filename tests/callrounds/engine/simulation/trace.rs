//! A log of one seed, for replaying it.

use std::io::Write;

use chrono::{DateTime, Utc};

/// Whether the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trace {
    Off,
    /// To standard error, as it happens.
    On,
}

impl Trace {
    pub fn log(self, at: DateTime<Utc>, what: impl FnOnce() -> String) {
        if self == Self::On {
            // A closed standard error stops nothing.
            let _ = writeln!(std::io::stderr(), "{} {}", at.format("%m-%d %H:%M:%S%.3f"), what());
        }
    }
}
